/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transactions.
 *
 * The map of an environment may only be changed while no transaction of the process is active
 * (lmdb.h, mdb_env_set_mapsize). So every transaction object says in a flag of its own whether it
 * is, and looks at env->resizing after raising it; who resizes raises that first and then looks at
 * the flags. Both are sequentially consistent, so at least one of two sees the other and gives way.
 * A shared counter would do as well, but be fought over by all threads twice per question.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <lmdb.h>

#include "store_env.h"

/*! Its address tells threads apart. */
static _Thread_local char thread_mark;

/*! Raises the flag that a transaction is active. */
static int enter(mail_txn_t *txn)
{
	atomic_store(&txn->active, true);
	if (!atomic_load(&txn->env->resizing) && !atomic_load(&txn->env->broken)) {
		return KNOT_EOK;
	}
	atomic_store(&txn->active, false);
	return atomic_load(&txn->env->broken) ? KNOT_ENOMEM : KNOT_EAGAIN;
}

static void leave(mail_txn_t *txn)
{
	atomic_store_explicit(&txn->active, false, memory_order_release);
}

/*! Takes over a map that another process has made larger. */
static int adopt_map(mail_env_t *env)
{
	int ret = KNOT_EOK;
	pthread_mutex_lock(&env->mutex);
	atomic_store(&env->resizing, true);
	for (mail_txn_t *txn = env->txns; txn != NULL; txn = txn->next) {
		if (atomic_load(&txn->active)) {
			ret = KNOT_EAGAIN;
		}
	}
	if (ret == KNOT_EOK) {
		int rc = mdb_env_set_mapsize(env->mdb, 0);
		if (rc != MDB_SUCCESS) {
			/* The old map is gone already (mdb_env_set_mapsize unmaps first). */
			atomic_store(&env->broken, true);
			ret = mail_store_code(rc);
		}
	}
	atomic_store(&env->resizing, false);
	pthread_mutex_unlock(&env->mutex);
	return ret;
}

/*! Begins or renews, once. */
static int start(mail_txn_t *txn)
{
	if (txn->mdb != NULL) {
		return mdb_txn_renew(txn->mdb);
	}
	int rc = mdb_txn_begin(txn->env->mdb, NULL, txn->write ? 0 : MDB_RDONLY, &txn->mdb);
	if (rc != MDB_SUCCESS) {
		txn->mdb = NULL;
	}
	return rc;
}

/*! Begins or renews, with the cures that there are. */
static int start_cured(mail_txn_t *txn)
{
	int rc = MDB_SUCCESS;
	for (int attempt = 0; attempt < 2; attempt++) {
		int ret = enter(txn);
		if (ret != KNOT_EOK) {
			return ret;
		}
		rc = start(txn);
		if (rc == MDB_SUCCESS) {
			txn->generation++;
			return KNOT_EOK;
		}
		leave(txn);
		if (rc == MDB_MAP_RESIZED) {
			ret = adopt_map(txn->env);
			if (ret != KNOT_EOK) {
				return ret;
			}
		} else if (rc == MDB_READERS_FULL) {
			int dead;
			(void)mdb_reader_check(txn->env->mdb, &dead);
		} else {
			break;
		}
	}
	return mail_store_code(rc);
}

static void link_txn(mail_txn_t *txn)
{
	mail_env_t *env = txn->env;
	pthread_mutex_lock(&env->mutex);
	txn->next = env->txns;
	if (env->txns != NULL) {
		env->txns->prev = txn;
	}
	env->txns = txn;
	pthread_mutex_unlock(&env->mutex);
}

/*! Frees a transaction object whose LMDB transaction has ended. */
static void free_txn(mail_txn_t *txn)
{
	mail_env_t *env = txn->env;
	leave(txn);
	pthread_mutex_lock(&env->mutex);
	if (txn->prev != NULL) {
		txn->prev->next = txn->next;
	} else {
		env->txns = txn->next;
	}
	if (txn->next != NULL) {
		txn->next->prev = txn->prev;
	}
	pthread_mutex_unlock(&env->mutex);
	if (txn->write) {
		atomic_store(&env->writer, 0);
	}
	mail_buf_free(&txn->value);
	mail_buf_free(&txn->id);
	free(txn);
}

/*! Cursors of a writing transaction die with it, of a reading one they do not: all are closed before. */
static void close_cursors(mail_txn_t *txn)
{
	for (unsigned db = 0; db < DB_COUNT; db++) {
		if (txn->cursors[db] != NULL) {
			mdb_cursor_close(txn->cursors[db]);
			txn->cursors[db] = NULL;
		}
	}
}

int mail_env_begin(mail_env_t *env, bool write, mail_txn_t **txn)
{
	*txn = NULL;
	if (write && atomic_load(&env->writer) == (uintptr_t)&thread_mark) {
		/* LMDB would wait for this very thread, for ever. */
		return KNOT_EBUSY;
	}
	mail_txn_t *new = calloc(1, sizeof(*new));
	if (new == NULL) {
		return KNOT_ENOMEM;
	}
	new->env = env;
	new->write = write;
	mail_source_init(&new->source, new);
	link_txn(new);
	if (write) {
		/* A reader that died would keep the pages of its snapshot from being used again. */
		int dead;
		(void)mdb_reader_check(env->mdb, &dead);
	}
	int ret = start_cured(new);
	if (ret != KNOT_EOK) {
		new->write = false;
		free_txn(new);
		return ret;
	}
	if (write) {
		atomic_store(&env->writer, (uintptr_t)&thread_mark);
	}
	*txn = new;
	return KNOT_EOK;
}

int mail_txn_begin(mail_store_t *store, mail_store_mode_t mode, mail_txn_t **txn)
{
	bool write = (mode & MAIL_STORE_WRITE) != 0;
	*txn = NULL;
	if (write && !store->writable) {
		return KNOT_EACCES;
	}
	mail_txn_t *new;
	int ret = mail_env_begin(store->env, write, &new);
	if (ret == KNOT_EOK && write) {
		/* The format may have been raised since the store was opened. */
		ret = mail_meta_read(new->mdb, store->env->dbi[DB_META], &new->meta, NULL);
		if (ret == KNOT_EOK && new->meta.values < MAIL_CODEC_VERSION) {
			ret = KNOT_ENOTSUP;
		}
		if (ret != KNOT_EOK) {
			mail_txn_abort(new);
			return ret;
		}
	}
	*txn = ret == KNOT_EOK ? new : NULL;
	return ret;
}

/*! Says whether the file system of an environment is full. */
static bool disk_full(const mail_env_t *env)
{
	mdb_filehandle_t fd;
	struct statvfs fs;
	return mdb_env_get_fd(env->mdb, &fd) == MDB_SUCCESS && fstatvfs(fd, &fs) == 0 &&
	       fs.f_bavail < 16;
}

int mail_txn_commit(mail_txn_t *txn)
{
	if (txn == NULL) {
		return KNOT_EINVAL;
	}
	if (!txn->write || txn->error != KNOT_EOK) {
		int ret = txn->error;
		mail_txn_abort(txn);
		return ret;
	}
	close_cursors(txn);
	int rc = mdb_txn_commit(txn->mdb);
	txn->mdb = NULL;
	/* LMDB says EIO after a short write, which is a full disk more often than a broken one. */
	int ret = rc == EIO && disk_full(txn->env) ? KNOT_ESPACE : mail_store_code(rc);
	free_txn(txn);
	return ret;
}

void mail_txn_abort(mail_txn_t *txn)
{
	if (txn == NULL) {
		return;
	}
	close_cursors(txn);
	if (txn->mdb != NULL) {
		mdb_txn_abort(txn->mdb);
		txn->mdb = NULL;
	}
	free_txn(txn);
}

void mail_txn_reset(mail_txn_t *txn)
{
	if (txn->write || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return;
	}
	mdb_txn_reset(txn->mdb);
	leave(txn);
}

int mail_txn_renew(mail_txn_t *txn)
{
	if (txn->write || atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return KNOT_EINVAL;
	}
	return start_cured(txn);
}

uint64_t mail_txn_id(const mail_txn_t *txn)
{
	return mdb_txn_id(txn->mdb);
}

const mail_source_t *mail_txn_source(mail_txn_t *txn)
{
	return &txn->source;
}

void mail_txn_limit(mail_txn_t *txn, unsigned tombstones)
{
	txn->tombstone_limit = tombstones;
}
