/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening one LMDB environment, and all that is looked at before it is used. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Smallest file with both meta pages: LMDB's page is that of the machine, 4096 octets at least. */
#define FILE_MIN 8192
/*! Reader slots are fixed by whoever opens first, and cost 64 octets each. */
#define READERS_MIN 1024
#define READERS_MAX 65536
/*! Try to open while another process is opening or closing at the same time. */
#define OPEN_TRIES 5
/*! Look at the number of the last transaction, while a writer may be at it. */
#define LOCK_TRIES 10

int mail_file_look(const char *path, mail_file_t *file)
{
	struct stat st;
	memset(file, 0, sizeof(*file));
	if (stat(path, &st) != 0) {
		return mail_store_code(errno);
	}
	*file = (mail_file_t){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = st.st_size,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
	};
	return KNOT_EOK;
}

bool mail_file_same(const mail_file_t *a, const mail_file_t *b)
{
	return a->ino == b->ino && a->dev == b->dev;
}

int mail_store_check_fs(const char *path, mail_diag_t *diag)
{
	/* Magic numbers of statfs(2). */
	static const struct {
		uint32_t magic;
		const char *name;
	} refused[] = {
		{ 0x6969, "NFS" },     { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
		{ 0x517b, "SMB" },     { 0x01021997, "9p" },   { 0x65735546, "FUSE" },
		{ 0x5346414f, "AFS" }, { 0x00c36400, "Ceph" }, { 0x0bd00bd0, "Lustre" },
	};
	struct statfs fs;
	if (statfs(path, &fs) != 0) {
		int rc = errno;
		return mail_store_fail(diag, mail_store_code(rc), "%s: %s", path, strerror(rc));
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (refused[i].magic == (uint32_t)fs.f_type) {
			return mail_store_fail(
				diag, KNOT_ENOTSUP,
				"%s: LMDB cannot lock files on %s; use a local file system", path,
				refused[i].name);
		}
	}
	return KNOT_EOK;
}

static void sleep_ms(long ms)
{
	struct timespec nap = { 0, ms * 1000000 };
	(void)nanosleep(&nap, NULL);
}

/*! Call mdb_env_open() once. */
static int open_once(const char *path, unsigned flags, unsigned readers, MDB_env **mdb)
{
	unsigned slots = readers < READERS_MAX / 2 ? readers * 2 + 64 : READERS_MAX;
	*mdb = NULL;
	MDB_env *env;
	int rc = mdb_env_create(&env);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	rc = mdb_env_set_maxdbs(env, DB_COUNT);
	if (rc != MDB_SUCCESS) {
		goto fail;
	}
	rc = mdb_env_set_maxreaders(env, slots > READERS_MIN ? slots : READERS_MIN);
	if (rc != MDB_SUCCESS) {
		goto fail;
	}
	rc = mdb_env_open(env, path, flags | MDB_NOTLS, FILE_MODE);
	if (rc != MDB_SUCCESS) {
		goto fail;
	}
	*mdb = env;
	return MDB_SUCCESS;
fail:
	mdb_env_close(env);
	return rc;
}

/*! Say why an environment could not be opened. */
static int explain_open(const char *path, int rc, mail_diag_t *diag)
{
	int code = mail_store_code(rc);
	switch (code) {
	case KNOT_EACCES:
		/* A reader writes its slot into the lock file: reading the data is not enough. */
		return mail_store_fail(diag, code,
		                       "%s: user %u may not read and write data.mdb and lock.mdb: "
		                       "it needs to be in the group that owns them",
		                       path, (unsigned)geteuid());
	case KNOT_EMALF:
		return mail_store_fail(diag, code, "%s/data.mdb: not an LMDB file, or damaged",
		                       path);
	case KNOT_ENOTSUP:
		return mail_store_fail(diag, code, "%s: written by an LMDB of another version",
		                       path);
	case KNOT_ENOMEM:
		return mail_store_fail(diag, code, "%s: no memory or address space for the map",
		                       path);
	default: return mail_store_fail(diag, code, "%s: %s", path, mdb_strerror(rc));
	}
}

/*! Look at the file that LMDB has open. \return MDB_SUCCESS or errno. */
static int look_at_open(MDB_env *mdb, struct stat *st)
{
	mdb_filehandle_t fd;
	int rc = mdb_env_get_fd(mdb, &fd);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	return fstat(fd, st) == 0 ? MDB_SUCCESS : errno;
}

/*! Compare the open file with the one that was looked at. */
static int check_file(const char *path, const mail_files_t *files, MDB_env *mdb, mail_diag_t *diag)
{
	struct stat st;
	int rc = look_at_open(mdb, &st);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	if (st.st_ino != files->data.ino || st.st_dev != files->data.dev) {
		return mail_store_fail(diag, KNOT_EAGAIN, "%s/data.mdb is being replaced", path);
	}
	return KNOT_EOK;
}

/*! Compare the size of the file with what its meta page says, before another page is read. */
static int check_size(const char *path, mail_env_t *env, MDB_txn *txn, mail_diag_t *diag)
{
	struct stat st;
	MDB_envinfo info;
	MDB_stat pages;
	int rc = mdb_env_info(env->mdb, &info);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	rc = mdb_env_stat(env->mdb, &pages);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	/* After the meta page: a writer makes the file longer first. */
	rc = look_at_open(env->mdb, &st);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}

	const size_t all = info.me_last_pgno + 1, there = (uint64_t)st.st_size / pages.ms_psize;
	/* While somebody writes it, the free list at hand is not the one that belongs to that number. */
	if (there >= all || info.me_last_txnid != mdb_txn_id(txn)) {
		return KNOT_EOK;
	}
	int ret = mail_short_check(env->mdb, txn, there, all - there);
	if (ret != KNOT_EMALF) {
		return ret;
	}
	return mail_store_fail(diag, ret, "%s/data.mdb is truncated: %llu octets of %llu", path,
	                       (unsigned long long)st.st_size,
	                       (unsigned long long)all * pages.ms_psize);
}

/*! Give a lock file that was just made the owner of the data; who reads those must write it. */
static void share_lock_file(const char *lock_path, const mail_files_t *files)
{
	if (chmod(lock_path, FILE_MODE) != 0) {
		return;
	}
	const uid_t uid = geteuid() == 0 ? files->data.uid : (uid_t)-1;
	if (chown(lock_path, uid, files->data.gid) != 0) {
		return;
	}
}

/*!
 * Check that the lock file belongs to the data: both say which transaction was the last.
 *
 * A data.mdb that was put under the lock.mdb of another one, which some process still has open, would
 * have the wrong meta page read, an older or an empty one.
 */
static int check_lock(const char *path, mail_env_t *env, MDB_txn *txn, mail_diag_t *diag)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		MDB_envinfo info;
		int rc = mdb_env_info(env->mdb, &info);
		if (rc != MDB_SUCCESS) {
			return explain_open(path, rc, diag);
		}
		/* One behind: a writer is between both updates, or died there. */
		size_t id = mdb_txn_id(txn);
		if (id == info.me_last_txnid || id + 1 == info.me_last_txnid) {
			return KNOT_EOK;
		}
		sleep_ms(1);
		mdb_txn_reset(txn);
		rc = mdb_txn_renew(txn);
		if (rc != MDB_SUCCESS) {
			return explain_open(path, rc, diag);
		}
	}
	return mail_store_fail(diag, KNOT_EBUSY,
	                       "%s: lock.mdb is in use with an older data.mdb; when a store is "
	                       "replaced, remove its lock.mdb first",
	                       path);
}

/*! Check a file that is open before it is used, and read the metadata. */
static int check_content(const char *path, mail_env_t *env, MDB_txn *txn, mail_meta_t *meta,
                         mail_diag_t *diag)
{
	mail_diag_t inner = { 0 };
	int ret = check_lock(path, env, txn, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = check_size(path, env, txn, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_meta_databases(txn, 0, env->dbi, &inner);
	if (ret != KNOT_EOK) {
		return mail_store_fail(diag, ret, "%s: %s", path, inner.text);
	}
	ret = mail_meta_read(txn, env->dbi[DB_META], meta, &inner);
	if (ret != KNOT_EOK) {
		return mail_store_fail(diag, ret, "%s: %s", path, inner.text);
	}
	return KNOT_EOK;
}

/*! Open the databases and read the metadata. */
static int open_databases(const char *path, mail_env_t *env, mail_meta_t *meta, mail_diag_t *diag)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
	if (rc == MDB_READERS_FULL) {
		int dead;
		(void)mdb_reader_check(env->mdb, &dead);
		rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
	}
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	int ret = check_content(path, env, txn, meta, diag);
	if (ret != KNOT_EOK) {
		mdb_txn_abort(txn);
		return ret;
	}
	/* The handles stay only after a commit. */
	rc = mdb_txn_commit(txn);
	return rc == MDB_SUCCESS ? KNOT_EOK : explain_open(path, rc, diag);
}

/*! Make the map as large as the metadata say: a copy of the file may have lost it. */
static int widen_map(const char *path, mail_env_t *env, uint64_t size, mail_diag_t *diag)
{
	MDB_envinfo info;
	int rc = mdb_env_info(env->mdb, &info);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	if (info.me_mapsize >= size || size > SIZE_MAX) {
		return KNOT_EOK;
	}
	rc = mdb_env_set_mapsize(env->mdb, (size_t)size);
	return rc == MDB_SUCCESS ? KNOT_EOK : explain_open(path, rc, diag);
}

static mail_env_t *new_env(const mail_files_t *files, bool write)
{
	static atomic_uint_fast64_t epochs;
	mail_env_t *env = calloc(1, sizeof(*env));
	if (env == NULL) {
		return NULL;
	}
	if (pthread_mutex_init(&env->mutex, NULL) != 0) {
		free(env);
		return NULL;
	}
	env->files = *files;
	env->writable = write;
	env->pid = getpid();
	env->epoch = atomic_fetch_add(&epochs, 1) + 1;
	return env;
}

void mail_env_free(mail_env_t *env)
{
	if (env == NULL) {
		return;
	}
	if (env->is_waited_for) {
		/* Under the registry's mutex. Its thread still needs it. */
		static mail_env_t *kept;
		env->next = kept;
		kept = env;
		return;
	}
	if (env->mdb != NULL) {
		mdb_env_close(env->mdb);
	}
	pthread_mutex_destroy(&env->mutex);
	free(env);
}

/*! Refuse a file that is too small: LMDB would make an empty one a new store. */
static int check_least_size(const char *path, const mail_files_t *files, mail_diag_t *diag)
{
	if (files->data.size >= FILE_MIN) {
		return KNOT_EOK;
	}
	return mail_store_fail(diag, KNOT_EMALF, "%s/data.mdb is truncated: %lld octets", path,
	                       (long long)files->data.size);
}

int mail_env_probe(const char *path, const mail_files_t *files, mail_diag_t *diag)
{
	mail_meta_t meta;
	int ret = check_least_size(path, files, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_env_t *env = new_env(files, false);
	if (env == NULL) {
		return mail_store_fail(diag, KNOT_ENOMEM, "no memory");
	}
	/*
	 * Without locks nobody keeps a writer from using pages again that are being read here. But a writer finds
	 * this lock file in use with another store, and refuses (check_lock); and whatever is read, it decides
	 * about no more than whether to try.
	 */
	int rc = open_once(path, MDB_RDONLY | MDB_NOLOCK, 0, &env->mdb);
	if (rc != MDB_SUCCESS) {
		ret = explain_open(path, rc, diag);
		goto done;
	}
	ret = check_file(path, files, env->mdb, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = open_databases(path, env, &meta, diag);
done:
	mail_env_free(env);
	return ret;
}

/*! Call mdb_env_open(), again while another process is opening or closing. */
static int open_patiently(const char *path, unsigned flags, unsigned readers, MDB_env **mdb)
{
	int rc = MDB_SUCCESS;
	for (int i = 0; i < OPEN_TRIES; i++) {
		rc = open_once(path, flags, readers, mdb);
		if (rc != EAGAIN && rc != EBUSY && rc != EINTR && rc != MDB_INVALID) {
			break;
		}
		sleep_ms(1L << i);
	}
	return rc;
}

int mail_env_open(const char *path, const mail_files_t *files, bool write, unsigned readers,
                  mail_env_t **out, mail_diag_t *diag)
{
	char lock_path[PATH_MAX];
	mail_meta_t meta = { 0 };
	*out = NULL;
	int ret = check_least_size(path, files, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (snprintf(lock_path, sizeof(lock_path), "%s/lock.mdb", path) >= (int)sizeof(lock_path)) {
		return mail_store_fail(diag, KNOT_EINVAL, "%s: path too long", path);
	}
	mail_env_t *env = new_env(files, write);
	if (env == NULL) {
		return mail_store_fail(diag, KNOT_ENOMEM, "no memory");
	}

	int rc = open_patiently(path, write ? 0 : MDB_RDONLY, readers, &env->mdb);
	if (rc != MDB_SUCCESS) {
		ret = explain_open(path, rc, diag);
		goto fail;
	}
	if (files->lock.ino == 0) {
		share_lock_file(lock_path, files);
	}
	/* None on a file system that is read-only. */
	(void)mail_file_look(lock_path, &env->files.lock);
	ret = check_file(path, files, env->mdb, diag);
	if (ret != KNOT_EOK) {
		goto fail;
	}

	int dead;
	(void)mdb_reader_check(env->mdb, &dead);
	ret = open_databases(path, env, &meta, diag);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	ret = widen_map(path, env, meta.map_size, diag);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	*out = env;
	return KNOT_EOK;
fail:
	mail_env_free(env);
	return ret;
}

/*! Make the databases of a new environment. */
static int make_databases(const char *path, mail_env_t *env, mail_diag_t *diag)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env->mdb, NULL, 0, &txn);
	if (rc != MDB_SUCCESS) {
		return explain_open(path, rc, diag);
	}
	int ret = mail_meta_databases(txn, MDB_CREATE, env->dbi, diag);
	if (ret != KNOT_EOK) {
		mdb_txn_abort(txn);
		return ret;
	}
	rc = mdb_txn_commit(txn);
	return rc == MDB_SUCCESS ? KNOT_EOK : explain_open(path, rc, diag);
}

int mail_env_create(const char *path, size_t map_size, mail_env_t **out, mail_diag_t *diag)
{
	static const mail_files_t none;
	*out = NULL;
	mail_env_t *env = new_env(&none, true);
	if (env == NULL) {
		return mail_store_fail(diag, KNOT_ENOMEM, "no memory");
	}
	int ret, rc = open_once(path, 0, 0, &env->mdb);
	if (rc != MDB_SUCCESS) {
		ret = explain_open(path, rc, diag);
		goto fail;
	}
	rc = mdb_env_set_mapsize(env->mdb, map_size);
	if (rc != MDB_SUCCESS) {
		ret = explain_open(path, rc, diag);
		goto fail;
	}
	ret = make_databases(path, env, diag);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	*out = env;
	return KNOT_EOK;
fail:
	mail_env_free(env);
	return ret;
}
