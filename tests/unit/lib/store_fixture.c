/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_fixture.h"

#include <ftw.h>

#include "entries.h"

static int fixture_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

bool fixture_dir(fixture_t *f)
{
	const char *tmp = getenv("TMPDIR");
	if (tmp == NULL || strlen(tmp) > 40) {
		tmp = "/tmp";
	}
	snprintf(f->dir, sizeof(f->dir), "%s/mail-storeXXXXXX", tmp);
	if (mkdtemp(f->dir) == NULL) {
		return false;
	}
	/* Other users of the test must be able to get to the store. */
	(void)chmod(f->dir, 0755);
	snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
	snprintf(f->data, sizeof(f->data), "%s/data.mdb", f->path);
	snprintf(f->lock, sizeof(f->lock), "%s/lock.mdb", f->path);
	return true;
}

bool fixture_make(fixture_t *f, bool replicated, size_t map_size)
{
	mail_store_options_t options = { .replicated = replicated, .map_size = map_size };
	mail_diag_t diag = { 0 };
	if (!CHECK(fixture_dir(f), "temporary directory")) {
		return false;
	}
	int ret = mail_store_init(f->path, &options, &diag);
	return CHECK(ret == KNOT_EOK, "init: %d: %s", ret, diag.text);
}

void fixture_remove(const fixture_t *f)
{
	(void)nftw(f->dir, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

mail_store_t *fixture_open(const fixture_t *f, mail_store_mode_t mode)
{
	mail_store_t *store = NULL;
	mail_diag_t diag = { 0 };
	int ret = mail_store_open(f->path, mode, 1, &store, &diag);
	CHECK(ret == KNOT_EOK, "open: %d: %s", ret, diag.text);
	return store;
}

mail_txn_t *begin(mail_store_t *store, mail_store_mode_t mode)
{
	mail_txn_t *txn = NULL;
	int ret = store != NULL ? mail_txn_begin(store, mode, &txn) : KNOT_EINVAL;
	CHECK(ret == KNOT_EOK, "begin: %d", ret);
	return txn;
}

mail_entry_t *entry_of(mail_section_t section, const char *id, mail_item_id_t item,
                       const char *value)
{
	mail_entry_t *entry = mail_entry_new(section, MAIL_STR(id));
	if (entry != NULL && value != NULL &&
	    mail_entry_add(entry, mail_item_get(item), MAIL_OP_SET, MAIL_STR(value), 0) !=
	            KNOT_EOK) {
		mail_entry_free(entry);
		entry = NULL;
	}
	return entry;
}

int put(mail_txn_t *txn, mail_section_t section, const char *id, mail_item_id_t item,
        const char *value)
{
	mail_entry_t *entry = entry_of(section, id, item, value);
	int ret = entry != NULL ? mail_txn_put(txn, entry) : KNOT_ENOMEM;
	mail_entry_free(entry);
	return ret;
}

int put_text(mail_txn_t *txn, const char *text)
{
	mail_entries_t entries = { 0 };
	int ret = entries_parse(text, &entries);
	for (size_t i = 0; ret == KNOT_EOK && i < entries.count; i++) {
		ret = mail_txn_put(txn, entries.entries[i]);
	}
	mail_entries_free(&entries);
	return ret;
}

int put_domain(mail_txn_t *txn, const char *id, const char *policy)
{
	return put(txn, MAIL_SECTION_DOMAIN, id, MAIL_ITEM_POLICY, policy);
}

int put_dkim(mail_txn_t *txn, const char *id)
{
	return put(txn, MAIL_SECTION_DKIM, id, MAIL_ITEM_CNAME, "s1.dkim.example.com.");
}

int stamp_of(mail_txn_t *txn, mail_section_t section, const char *id, mail_stamp_t *stamp)
{
	mail_lf_storage_t key;
	int ret = mail_entry_key(section, MAIL_STR(id), &key);
	const mail_source_t *source = mail_txn_source(txn);
	return ret != KNOT_EOK ? ret : source->get(source, section, mail_lf(&key), NULL, stamp);
}

int elsewhere(int (*run)(void *), void *arg)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(run(arg));
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

void raw_close(raw_t *raw, bool commit)
{
	if (raw->txn != NULL && commit) {
		(void)mdb_txn_commit(raw->txn);
	} else if (raw->txn != NULL) {
		mdb_txn_abort(raw->txn);
	}
	mdb_env_close(raw->env);
}

bool raw_open(raw_t *raw, const char *path, const char *database, size_t map_size)
{
	memset(raw, 0, sizeof(*raw));
	if (mdb_env_create(&raw->env) != 0) {
		return false;
	}
	(void)mdb_env_set_maxdbs(raw->env, 8);
	if (map_size != 0) {
		(void)mdb_env_set_mapsize(raw->env, map_size);
	}
	if (mdb_env_open(raw->env, path, MDB_NOTLS, 0660) == 0 &&
	    mdb_txn_begin(raw->env, NULL, 0, &raw->txn) == 0 &&
	    mdb_dbi_open(raw->txn, database, 0, &raw->dbi) == 0) {
		return true;
	}
	raw_close(raw, false);
	return false;
}

bool raw_put(const char *path, const char *database, const void *key, size_t key_len,
             const void *value, size_t len)
{
	raw_t raw;
	if (!raw_open(&raw, path, database, 0)) {
		return false;
	}
	MDB_val k = { key_len, (void *)key }, v = { len, (void *)value };
	bool ok = mdb_put(raw.txn, raw.dbi, &k, &v, 0) == 0;
	raw_close(&raw, ok);
	return ok;
}

int raw_get(const char *path, const char *database, const void *key, size_t key_len, uint8_t *out,
            size_t cap)
{
	raw_t raw;
	if (!raw_open(&raw, path, database, 0)) {
		return -1;
	}
	MDB_val k = { key_len, (void *)key }, v;
	int len = -1;
	if (mdb_get(raw.txn, raw.dbi, &k, &v) == 0 && v.mv_size <= cap) {
		memcpy(out, v.mv_data, v.mv_size);
		len = (int)v.mv_size;
	}
	raw_close(&raw, false);
	return len;
}

int try_open(const char *path, mail_store_mode_t mode, mail_diag_t *diag)
{
	mail_store_t *store = NULL;
	int ret = mail_store_open(path, mode, 1, &store, diag);
	mail_store_close(store);
	return ret;
}

int add_domains(mail_store_t *store, unsigned first, unsigned count, const char *policy)
{
	mail_txn_t *txn;
	int ret = mail_txn_begin(store, MAIL_STORE_WRITE, &txn);
	for (unsigned i = first; ret == KNOT_EOK && i < first + count; i++) {
		char id[32];
		snprintf(id, sizeof(id), "d%06u.example.org", i);
		ret = put_domain(txn, id, policy);
	}
	if (ret != KNOT_EOK) {
		mail_txn_abort(txn);
		return ret;
	}
	return mail_txn_commit(txn);
}

size_t domains(mail_txn_t *txn)
{
	mail_store_stat_t stat = { 0 };
	return mail_txn_stat(txn, &stat) == KNOT_EOK ? stat.entries[MAIL_SECTION_DOMAIN] : SIZE_MAX;
}

bool make_copy(const fixture_t *f, fixture_t *copy)
{
	mail_store_t *store = fixture_open(f, MAIL_STORE_READ);
	bool ok = store != NULL && fixture_dir(copy) && mkdir(copy->path, 0770) == 0 &&
	          mail_store_backup(store, copy->path, NULL) == KNOT_EOK;
	mail_store_close(store);
	store = ok ? fixture_open(copy, MAIL_STORE_WRITE) : NULL;
	ok = store != NULL && add_domains(store, 500000, 1, "default") == KNOT_EOK;
	mail_store_close(store);
	return CHECK(ok, "copy");
}

bool other_start(other_t *other, int (*run)(const fixture_t *f, int in, int out),
                 const fixture_t *f)
{
	int in[2], out[2];
	*other = (other_t){ .pid = -1, .to = -1, .from = -1 };
	if (pipe(in) != 0 || pipe(out) != 0) {
		return false;
	}
	fflush(NULL);
	other->pid = fork();
	if (other->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(in[1]);
		close(out[0]);
		_exit(run(f, in[0], out[1]));
	}
	close(in[0]);
	close(out[1]);
	other->to = in[1];
	other->from = out[0];
	return other->pid > 0;
}

bool hear(int fd, char letter)
{
	char got = 0;
	return read(fd, &got, 1) == 1 && got == letter;
}

bool say(int fd, char letter)
{
	return write(fd, &letter, 1) == 1;
}

void other_end(other_t *other, bool by_force)
{
	if (!CHECK(other->pid > 0, "there is no other process")) {
		return;
	}
	if (by_force) {
		kill(other->pid, SIGKILL);
	}
	close(other->to);
	close(other->from);
	int status = -1;
	(void)waitpid(other->pid, &status, 0);
	CHECK(by_force || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

mail_store_t *store_begin(fixture_t *f, bool replicated, size_t map_size)
{
	REQUIRE(fixture_make(f, replicated, map_size));
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	REQUIRE(store != NULL);
	return store;
}

void store_end(const fixture_t *f, mail_store_t *store)
{
	mail_store_close(store);
	fixture_remove(f);
}
