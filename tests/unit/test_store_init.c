/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What init makes, what it refuses, and what it leaves when it does not come to its end. */

#include <sys/resource.h>

#include "lib/store_fixture.h"

static void test_init(void)
{
	fixture_t f;
	mode_t mask = umask(077);
	bool made = fixture_make(&f, false, 0);
	umask(mask);
	if (!made) {
		return;
	}
	char keys[96];
	snprintf(keys, sizeof(keys), "%s/keys", f.path);
	CHECK_INT(mode_of(f.path), 02770);
	CHECK_INT(mode_of(f.data), 0660);
	CHECK_INT(mode_of(f.lock), 0660);
	CHECK_INT(mode_of(keys), 02770);

	mail_diag_t diag = { 0 };
	CHECK_INT(mail_store_init(f.path, NULL, &diag), KNOT_EEXIST);
	CHECK_HAS(diag.text, "already");

	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	static const struct {
		const char *id;
		size_t count;
		const char *no_mail;
	} policies[] = { { "default", 0, "" }, { "parked", 1, "on" } };
	for (size_t i = 0; txn != NULL && i < COUNT(policies); i++) {
		mail_entry_t *entry = NULL;
		int ret = mail_txn_get(txn, MAIL_SECTION_POLICY, MAIL_STR(policies[i].id), &entry);
		if (!CHECK(ret == KNOT_EOK, "policy %zu: %d", i, ret)) {
			continue;
		}
		CHECK(entry->count == policies[i].count, "policy %zu", i);
		CHECK(mail_str_is(mail_entry_value(entry, MAIL_ITEM_NO_MAIL), policies[i].no_mail),
		      "policy %zu", i);
		/* Older than any change, so that a copy that is initialised later overrides nothing. */
		CHECK(entry->stamp.timestamp == 1, "policy %zu", i);
		mail_entry_free(entry);
	}
	mail_store_stat_t stat = { 0 };
	if (txn != NULL) {
		CHECK_OK(mail_txn_stat(txn, &stat));
		CHECK_INT(stat.format, MAIL_STORE_FORMAT);
		CHECK_INT(stat.map_size, MAIL_STORE_MAP_SIZE);
		CHECK(!stat.replicated);
		CHECK_INT(stat.entries[MAIL_SECTION_POLICY], 2);
		CHECK_INT(stat.entries[MAIL_SECTION_DOMAIN], 0);
	}
	mail_txn_abort(txn);
	store_end(&f, store);
}

static void test_init_refused(void)
{
	static const struct {
		mode_t mode; /* Of a directory that is there; 0: none. */
		mail_store_options_t options;
		int ret;
		const char *word;
	} cases[] = {
		{ 02777, { 0 }, KNOT_EACCES, "everybody" },
		{ 02771, { 0 }, KNOT_EACCES, "everybody" },
		{ 02774, { 0 }, KNOT_EACCES, "everybody" },
		{ 02770, { .owner = ":64123" }, KNOT_EACCES, "group" },
		{ 0, { .owner = "no such user:0" }, KNOT_EINVAL, "user" },
		{ 0, { .owner = ":no such group" }, KNOT_EINVAL, "group" },
		{ 0, { .map_size = 4096 }, KNOT_EINVAL, "map size" },
		{ 0, { .map_size = SIZE_MAX }, KNOT_EINVAL, "map size" },
		{ 0, { .map_size = (size_t)1 << 62 }, KNOT_ENOMEM, "memory" },
	};
	EACH(c, cases) {
		fixture_t f;
		if (!CHECK(fixture_dir(&f))) {
			return;
		}
		if (c->mode != 0) {
			CHECK_INT(mkdir(f.path, 0700), 0);
			CHECK_INT(chmod(f.path, c->mode), 0);
		}
		mail_diag_t diag = { 0 };
		int ret = mail_store_init(f.path, &c->options, &diag);
		CHECK(ret == c->ret, "%d: %s", ret, diag.text);
		CHECK_HAS(diag.text, c->word);
		/* What was not there is not there; what was is empty as before. */
		CHECK_INT(rmdir(f.path), (c->mode != 0 ? 0 : -1));
		fixture_remove(&f);
	}
	mail_diag_t diag = { 0 };
	CHECK_INT(mail_store_init("/nonexistent/directory/store", NULL, &diag), KNOT_ENOENT);
	CHECK_INT(mail_store_init("/dev/null", NULL, &diag), KNOT_ENOTDIR);
	/* Nobody has to ask for a reason. */
	CHECK_INT(mail_store_init("/dev/null", NULL, NULL), KNOT_ENOTDIR);
}

/*! A file must not grow: as on a full disk. */
static int init_in_little_room(void *arg)
{
	const fixture_t *f = arg;
	struct rlimit limit = { 20000, 20000 };
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
		return 99;
	}
	return mail_store_init(f->path, NULL, NULL) == KNOT_EOK ? 0 : 1;
}

static void test_init_unfinished(void)
{
	fixture_t f;
	if (!CHECK(fixture_dir(&f), "temporary directory")) {
		return;
	}
	CHECK_INT(elsewhere(init_in_little_room, &f), 1);
	mail_store_t *store;
	mail_diag_t diag = { 0 };
	CHECK_INT(mail_store_open(f.path, MAIL_STORE_READ, 1, &store, &diag), KNOT_ENOENT);
	CHECK_OK(mail_store_init(f.path, NULL, &diag));
	fixture_remove(&f);
}

static void test_init_killed(void)
{
	for (unsigned i = 0; i < 24; i++) {
		fixture_t f;
		if (!CHECK(fixture_dir(&f), "temporary directory")) {
			return;
		}
		fflush(NULL);
		pid_t pid = fork();
		if (pid == 0) {
			_exit(mail_store_init(f.path, NULL, NULL) == KNOT_EOK ? 0 : 1);
		}
		if (!CHECK(pid > 0, "fork")) {
			return;
		}
		usleep(i * 500);
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);

		mail_store_t *store = NULL;
		mail_diag_t diag = { 0 };
		int ret = mail_store_open(f.path, MAIL_STORE_READ, 1, &store, &diag);
		mail_store_close(store);
		CHECK(ret == KNOT_EOK || ret == KNOT_ENOENT, "round %u: %d: %s", i, ret, diag.text);
		if (ret == KNOT_ENOENT) {
			/* Killed between mkdir and chmod, the directory may still have its first mode. */
			ret = mail_store_init(f.path, NULL, &diag);
			CHECK(ret == KNOT_EOK || ret == KNOT_EACCES, "round %u: %d: %s", i, ret,
			      diag.text);
		}
		fixture_remove(&f);
	}
}

UNIT_MAIN("store_init", TEST("init makes files, modes, policies", test_init),
          TEST("init refuses", test_init_refused),
          TEST("init without room leaves nothing", test_init_unfinished),
          TEST("init that is killed leaves no half of a store", test_init_killed))
