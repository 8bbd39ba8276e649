/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening: what is refused and why, sharing within a process, replaced files. */

#include "lib/store_fixture.h"

#define SMALL ((size_t)16 << 20)

static bool write_file(const char *path, const void *octets, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0660);
	bool ok = fd >= 0 && write(fd, octets, len) == (ssize_t)len;
	close(fd);
	return ok;
}

/*! Make a path that is no store. */
typedef bool (*spoil_t)(const fixture_t *f);

static bool spoil_nothing(const fixture_t *f)
{
	(void)f;
	return true;
}

static bool spoil_data_gone(const fixture_t *f)
{
	return unlink(f->data) == 0;
}

static bool spoil_file_for_directory(const fixture_t *f)
{
	char old[96];
	snprintf(old, sizeof(old), "%s/old", f->dir);
	return rename(f->path, old) == 0 && write_file(f->path, "x", 1);
}

static bool spoil_directory_for_file(const fixture_t *f)
{
	return unlink(f->data) == 0 && mkdir(f->data, 0770) == 0;
}

static bool spoil_empty(const fixture_t *f)
{
	return truncate(f->data, 0) == 0;
}

static bool spoil_foreign(const fixture_t *f)
{
	static char octets[65536];
	memset(octets, 'x', sizeof(octets));
	return write_file(f->data, octets, sizeof(octets));
}

/*! An LMDB of somebody else. */
static bool spoil_foreign_lmdb(const fixture_t *f)
{
	if (unlink(f->data) != 0 || unlink(f->lock) != 0) {
		return false;
	}
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { 3, "key" }, v = { 5, "value" };
	bool ok = mdb_env_create(&env) == 0 && mdb_env_open(env, f->path, 0, 0660) == 0 &&
	          mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0 &&
	          mdb_put(txn, dbi, &k, &v, 0) == 0 && mdb_txn_commit(txn) == 0;
	mdb_env_close(env);
	return ok;
}

/*! What a crash between two steps of somebody's own init would leave. */
static bool spoil_no_metadata(const fixture_t *f)
{
	raw_t raw;
	if (!raw_open(&raw, f->path, "meta", 0)) {
		return false;
	}
	MDB_val k = { 6, "format" };
	bool ok = mdb_del(raw.txn, raw.dbi, &k, NULL) == 0;
	raw_close(&raw, ok);
	return ok;
}

static bool set_format(const fixture_t *f, uint8_t format, size_t len)
{
	uint8_t value[24 + 8] = { [7] = 1, [27] = format };
	return raw_put(f->path, "meta", "format", 6, value, len);
}

static bool spoil_newer(const fixture_t *f)
{
	return set_format(f, MAIL_STORE_FORMAT + 1, 28);
}

static bool spoil_format_zero(const fixture_t *f)
{
	return set_format(f, 0, 28);
}

static bool spoil_format_long(const fixture_t *f)
{
	return set_format(f, MAIL_STORE_FORMAT, 32);
}

static bool spoil_one_database_gone(const fixture_t *f)
{
	raw_t raw;
	if (!raw_open(&raw, f->path, "dkim", 0)) {
		return false;
	}
	bool ok = mdb_drop(raw.txn, raw.dbi, 1) == 0;
	raw_close(&raw, ok);
	return ok;
}

static bool spoil_lock(const fixture_t *f)
{
	/* A lock file that nobody holds is made anew by LMDB. */
	return write_file(f->lock, "garbage", 7);
}

static bool spoil_lock_gone(const fixture_t *f)
{
	return unlink(f->lock) == 0;
}

static void test_refused(void)
{
	static const struct {
		const char *what;
		spoil_t spoil;
		int ret;
		const char *word;
	} cases[] = {
		{ "sound", spoil_nothing, KNOT_EOK, "" },
		{ "no lock file", spoil_lock_gone, KNOT_EOK, "" },
		{ "garbage for a lock file", spoil_lock, KNOT_EOK, "" },
		{ "no data.mdb", spoil_data_gone, KNOT_ENOENT, "no store there" },
		{ "a file for a directory", spoil_file_for_directory, KNOT_ENOTDIR, "irectory" },
		{ "a directory for data.mdb", spoil_directory_for_file, KNOT_EMALF, "not a file" },
		{ "empty", spoil_empty, KNOT_EMALF, "truncated" },
		{ "no LMDB", spoil_foreign, KNOT_EMALF, "not an LMDB file" },
		{ "another LMDB", spoil_foreign_lmdb, KNOT_EMALF, "not a mail store" },
		{ "no format", spoil_no_metadata, KNOT_EMALF, "not a mail store" },
		{ "newer format", spoil_newer, KNOT_ENOTSUP, "newer" },
		{ "format 0", spoil_format_zero, KNOT_EMALF, "format 0" },
		{ "format too long", spoil_format_long, KNOT_EMALF, "format" },
		{ "a database less", spoil_one_database_gone, KNOT_EMALF, "'dkim'" },
	};
	EACH(c, cases) {
		fixture_t f;
		REQUIRE(fixture_make(&f, false, SMALL));
		CHECK(c->spoil(&f), "%s", c->what);
		static const mail_store_mode_t modes[] = { MAIL_STORE_READ, MAIL_STORE_WRITE,
			                                   MAIL_STORE_FORCE,
			                                   MAIL_STORE_WRITE_FORCE };
		struct stat before, after;
		bool there = stat(f.data, &before) == 0;
		for (size_t j = 0; j < COUNT(modes); j++) {
			mail_diag_t diag = { 0 };
			int ret = try_open(f.path, modes[j], &diag);
			CHECK(ret == c->ret, "%s, mode %zu: %d: %s", c->what, j, ret, diag.text);
			CHECK(strstr(diag.text, c->word) != NULL, "%s, mode %zu: %s", c->what, j,
			      diag.text);
			CHECK(ret == KNOT_EOK || strstr(diag.text, f.path) != NULL, "%s: %s",
			      c->what, diag.text);
			CHECK_INT(try_open(f.path, modes[j], NULL), c->ret);
		}
		/* Opening creates and changes no data. */
		CHECK((stat(f.data, &after) == 0) == there, "%s", c->what);
		CHECK(!there || (before.st_size == after.st_size && before.st_ino == after.st_ino),
		      "%s", c->what);
		fixture_remove(&f);
	}
	mail_diag_t diag = { 0 };
	CHECK_INT(try_open("/nonexistent/store", MAIL_STORE_READ, &diag), KNOT_ENOENT);
	CHECK_HAS(diag.text, "no such directory");
}

/*! Open a store and read all of it. */
static int read_all(void *arg)
{
	const fixture_t *f = arg;
	mail_store_t *store;
	mail_txn_t *txn;
	int ret = mail_store_open(f->path, MAIL_STORE_READ, 1, &store, NULL);
	if (ret != KNOT_EOK) {
		return ret == KNOT_EMALF ? 1 : 2;
	}
	if (mail_txn_begin(store, MAIL_STORE_READ, &txn) != KNOT_EOK) {
		return 3;
	}
	int result = 0;
	for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
		mail_lf_storage_t key = { 0 };
		mail_entry_t *entry;
		while ((ret = mail_txn_next(txn, section, &key, &entry)) == KNOT_EOK) {
			mail_entry_free(entry);
		}
		result = ret == KNOT_ENOENT ? result : 4;
	}
	mail_txn_abort(txn);
	mail_store_close(store);
	return result;
}

/*! A file that was cut at any page is refused, and never read beyond its end (SIGBUS). */
static void test_truncated(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, SMALL);
	CHECK_OK(add_domains(store, 0, 1000, "default"));
	CHECK_OK(add_domains(store, 0, 1000, "parked"));
	mail_store_close(store);
	struct stat st;
	CHECK_INT(stat(f.data, &st), 0);
	CHECK_INT(elsewhere(read_all, &f), 0);
	unsigned rounds = 0;
	for (off_t size = st.st_size - 1; size >= 0;
	     size -= size % 4096 == 0 ? 4096 : size % 4096) {
		CHECK_INT(truncate(f.data, size), 0);
		int result = elsewhere(read_all, &f);
		CHECK(result == 1, "%lld octets of %lld: %d", (long long)size,
		      (long long)st.st_size, result);
		rounds++;
	}
	CHECK(rounds > 20);
	fixture_remove(&f);
}

/*! Delete most of what it wrote in the same transaction: LMDB counts pages then that it never writes. */
static int write_and_delete(const fixture_t *f, unsigned seed)
{
	mail_store_t *store;
	mail_txn_t *txn;
	if (mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, NULL) != KNOT_EOK) {
		return KNOT_ERROR;
	}
	int ret = mail_txn_begin(store, MAIL_STORE_WRITE, &txn);
	char id[48];
	unsigned count = 300 + seed * 53 % 900;
	for (unsigned i = 0; ret == KNOT_EOK && i < count; i++) {
		snprintf(id, sizeof(id), "d%06u.round%u.example.org", i, seed);
		ret = put_domain(txn, id, "default");
	}
	for (unsigned i = count; ret == KNOT_EOK && i > 0; i--) {
		snprintf(id, sizeof(id), "d%06u.round%u.example.org", i - 1, seed);
		if ((i * 7919 + seed) % 100 < 60 + seed % 40) {
			ret = mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(id));
		}
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_commit(txn);
	} else {
		mail_txn_abort(txn);
	}
	mail_store_close(store);
	return ret;
}

/*! Octets that a file is shorter than its meta page says. */
static off_t missing(const fixture_t *f)
{
	raw_t raw;
	MDB_envinfo info;
	struct stat st;
	if (!raw_open(&raw, f->path, "meta", 0)) {
		return -1;
	}
	bool ok = mdb_env_info(raw.env, &info) == 0 && stat(f->data, &st) == 0;
	raw_close(&raw, false);
	return ok ? (off_t)(info.me_last_pgno + 1) * 4096 - st.st_size : -1;
}

static void test_short_but_whole(void)
{
	unsigned shorter = 0;
	for (unsigned i = 0; i < 400 && shorter < 3; i++) {
		fixture_t f;
		REQUIRE(fixture_make(&f, false, SMALL));
		for (unsigned j = 0; j < 3; j++) {
			int ret = write_and_delete(&f, i * 3 + j);
			CHECK(ret == KNOT_EOK, "%u: %d", i, ret);
			if (missing(&f) <= 0) {
				continue;
			}
			shorter++;
			CHECK_INT(elsewhere(read_all, &f), 0);
			/* A page less, and something is gone that is needed. */
			struct stat st;
			CHECK_INT(stat(f.data, &st), 0);
			CHECK_INT(truncate(f.data, st.st_size / 2), 0);
			CHECK_INT(elsewhere(read_all, &f), 1);
			break;
		}
		fixture_remove(&f);
	}
	CHECK(shorter > 0, "no round left a short file: the test tested nothing");
}

/*! A user who owns nothing. */
#define NOBODY 65534

static int open_unprivileged(void *arg)
{
	const fixture_t *f = arg;
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
		return 9;
	}
	mail_diag_t diag = { 0 };
	int ret = try_open(f->path, MAIL_STORE_READ, &diag);
	return ret == KNOT_EACCES && strstr(diag.text, "user") != NULL ? 1
	       : ret == KNOT_EOK                                       ? 0
	                                                               : 2;
}

static void test_unreadable(void)
{
	static const struct {
		mode_t dir, data, lock;
		int result;
	} cases[] = {
		{ 0777, 0666, 0666, 0 },
		{ 0777, 0444, 0666, 0 },
		{ 0700, 0666, 0666, 1 },
		{ 0777, 0600, 0666, 1 },
		/* A lock file that cannot be written (observed). */
		{ 0777, 0666, 0644, 1 },
		{ 0777, 0666, 0600, 1 },
	};
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	bool root = geteuid() == 0;
	EACH(c, cases) {
		/* Not root: the owner's own rights are taken away instead. */
		CHECK_INT(chmod(f.data, root ? c->data : c->data << 6 & 0700), 0);
		CHECK_INT(chmod(f.lock, root ? c->lock : c->lock << 6 & 0700), 0);
		CHECK_INT(chmod(f.path, root ? c->dir : c->dir << 6 & 0700), 0);
		int result = elsewhere(open_unprivileged, &f);
		CHECK_INT(result, c->result);
		CHECK_INT(chmod(f.path, 0700), 0);
	}
	fixture_remove(&f);
}

static void test_shared(void)
{
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	/* Also by another name. */
	char link_path[96];
	snprintf(link_path, sizeof(link_path), "%s/link", f.dir);
	CHECK_INT(symlink(f.path, link_path), 0);
	mail_diag_t diag = { 0 };
	mail_store_t *first = fixture_open(&f, MAIL_STORE_READ), *second = NULL;
	CHECK_OK(mail_store_open(link_path, MAIL_STORE_READ, 1, &second, &diag));
	CHECK_INT(mail_store_epoch(first), mail_store_epoch(second));
	mail_txn_t *txn = begin(first, MAIL_STORE_READ);

	/* Open for reading only: a writer is told so. */
	mail_store_t *writer = NULL;
	CHECK_INT(mail_store_open(f.path, MAIL_STORE_WRITE, 1, &writer, &diag), KNOT_EBUSY);
	CHECK(writer == NULL);
	CHECK_HAS(diag.text, "reading only");

	/* The reader's slot is there after another close: one environment. */
	mail_store_close(second);
	mail_store_stat_t stat;
	CHECK_OK(mail_txn_stat(txn, &stat));
	CHECK(stat.readers >= 1);
	CHECK(stat.readers_max >= 126);
	uint64_t epoch = mail_store_epoch(first);
	mail_txn_abort(txn);
	mail_store_close(first);

	/* The other way round. */
	writer = fixture_open(&f, MAIL_STORE_WRITE);
	CHECK(mail_store_epoch(writer) > epoch);
	first = fixture_open(&f, MAIL_STORE_READ);
	CHECK_INT(mail_store_epoch(writer), mail_store_epoch(first));
	CHECK_INT(mail_txn_begin(first, MAIL_STORE_WRITE, &txn), KNOT_EACCES);
	CHECK_OK(add_domains(writer, 0, 1, "default"));
	mail_store_close(writer);
	txn = begin(first, MAIL_STORE_READ);
	CHECK_INT(domains(txn), 1);
	mail_txn_abort(txn);
	mail_store_close(first);
	mail_store_close(NULL);
	fixture_remove(&f);
}

/*! Somebody else in this process has the lock file open: another copy of the registry. */
static void test_other_copy(void)
{
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	raw_t raw;
	CHECK(raw_open(&raw, f.path, "meta", 0));
	mail_diag_t diag = { 0 };
	CHECK_INT(try_open(f.path, MAIL_STORE_READ, &diag), KNOT_EBUSY);
	CHECK_HAS(diag.text, "restart");
	raw_close(&raw, false);
	CHECK_OK(try_open(f.path, MAIL_STORE_READ, &diag));
	fixture_remove(&f);
}

static void test_replaced(void)
{
	static const struct {
		const char *what;
		bool lock_first; /* Removes lock.mdb before, as mail/store.h says. */
		int while_open;
	} cases[] = {
		{ "with its lock file", true, KNOT_EOK },
		{ "without its lock file", false, KNOT_EBUSY },
	};
	EACH(c, cases) {
		fixture_t f, copy;
		if (!fixture_make(&f, false, SMALL) || !make_copy(&f, &copy)) {
			return;
		}
		mail_store_t *old = fixture_open(&f, MAIL_STORE_READ), *new = NULL;
		mail_txn_t *txn = begin(old, MAIL_STORE_READ);
		CHECK_OK(mail_store_is_current(old));
		CHECK(!c->lock_first || unlink(f.lock) == 0);
		CHECK_INT(rename(copy.data, f.data), 0);
		CHECK_INT(mail_store_is_current(old), KNOT_ESTALE);

		mail_diag_t diag = { 0 };
		int ret = mail_store_open(f.path, MAIL_STORE_READ, 1, &new, &diag);
		CHECK(ret == c->while_open, "%s: %d: %s", c->what, ret, diag.text);
		CHECK(ret == KNOT_EOK || strstr(diag.text, "replaced") != NULL, "%s: %s", c->what,
		      diag.text);
		/* The old one goes on as it was. */
		CHECK_INT(domains(txn), 0);
		if (new != NULL) {
			CHECK_OK(mail_store_is_current(new));
			CHECK(mail_store_epoch(new) != mail_store_epoch(old));
		}
		mail_txn_abort(txn);
		mail_store_close(old);
		if (new == NULL) {
			new = fixture_open(&f, MAIL_STORE_READ);
		}
		txn = begin(new, MAIL_STORE_READ);
		CHECK_INT(domains(txn), 1);
		mail_txn_abort(txn);

		CHECK_INT(unlink(f.data), 0);
		CHECK_INT(mail_store_is_current(new), KNOT_ENOENT);
		mail_store_close(new);
		fixture_remove(&copy);
		fixture_remove(&f);
	}
}

/*! A bad file beside a lock file that is open: the reason is the file's, and what is open stays as it is. */
static void test_replaced_badly(void)
{
	for (unsigned i = 0; i < 2; i++) {
		fixture_t f, copy;
		if (!fixture_make(&f, false, SMALL) || !make_copy(&f, &copy)) {
			return;
		}
		mail_store_t *old = fixture_open(&f, MAIL_STORE_READ), *new = NULL;
		mail_txn_t *txn = begin(old, MAIL_STORE_READ);
		mail_store_stat_t before = { 0 }, after = { 0 };
		CHECK_OK(mail_txn_stat(txn, &before));
		FILE *file = fopen(copy.data, i == 0 ? "w" : "r+");
		REQUIRE(file != NULL);
		/* Not an LMDB file; or one whose tail is lost. */
		CHECK(i == 0 ? fprintf(file, "%20000s", "x") > 0
		             : ftruncate(fileno(file), 3 * 4096) == 0);
		CHECK_INT(fclose(file), 0);
		CHECK_INT(rename(copy.data, f.data), 0);

		mail_diag_t diag = { 0 };
		int ret = mail_store_open(f.path, MAIL_STORE_READ, 1, &new, &diag);
		CHECK(ret == KNOT_EMALF && strstr(diag.text, "data.mdb") != NULL, "%u: %d: %s", i,
		      ret, diag.text);
		CHECK_INT(domains(txn), 0);
		CHECK_OK(mail_txn_stat(txn, &after));
		CHECK_INT(after.readers, before.readers);
		mail_txn_reset(txn);
		CHECK_OK(mail_txn_renew(txn));
		mail_txn_abort(txn);
		mail_store_close(old);
		fixture_remove(&copy);
		fixture_remove(&f);
	}
}

/*! Without the lock file a writer would not see our readers: open again. */
static void test_lock_removed(void)
{
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	mail_store_t *old = fixture_open(&f, MAIL_STORE_READ);
	CHECK_INT(unlink(f.lock), 0);
	CHECK_INT(mail_store_is_current(old), KNOT_ESTALE);
	mail_store_t *new = fixture_open(&f, MAIL_STORE_READ);
	CHECK_OK(mail_store_is_current(new));
	CHECK(mail_store_epoch(new) != mail_store_epoch(old));
	mail_store_close(old);
	mail_txn_t *txn = begin(new, MAIL_STORE_READ);
	CHECK_INT(domains(txn), 0);
	mail_txn_abort(txn);
	mail_store_close(new);
	fixture_remove(&f);
}

UNIT_MAIN("store_open", TEST("what is refused, and why", test_refused),
          TEST("a truncated file", test_truncated),
          TEST("a file that LMDB left short", test_short_but_whole),
          TEST("files that may not be read", test_unreadable),
          TEST("one environment in a process", test_shared),
          TEST("open in the process elsewhere", test_other_copy),
          TEST("a replaced file", test_replaced),
          TEST("a bad file in its place", test_replaced_badly),
          TEST("a removed lock file", test_lock_removed))
