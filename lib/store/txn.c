/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transactions.
 *
 * A reading transaction may keep its snapshot while its thread does not use it: it stands. Then the next question
 * takes it up again when nothing was committed since, which costs a comparison; to let go of a snapshot, take the
 * same one again and find its databases in it costs as much as half a descent of the tree. A snapshot that stands
 * while others commit would keep pages from being used again, so some thread has to end such ones
 * (mail_store_end_standing()).
 *
 * Whoever works on another thread's transaction bars it, then looks whether it is active; its thread raises
 * `active`, then looks whether it is barred. Both are sequentially consistent, so at least one of two sees the
 * other and gives way. The map of an environment may only be changed while no transaction of the process has a
 * snapshot (lmdb.h, mdb_env_set_mapsize): who does that bars them all. A flag that all threads share would do as
 * well, but be fought over twice per question.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Its address tells threads apart. */
static _Thread_local char thread_mark;

/*! Begins to use a transaction. KNOT_EAGAIN: another thread is just working on it. */
static int enter(mail_txn_t *txn)
{
	atomic_store(&txn->active, true);
	if (!atomic_load(&txn->barred)) {
		return KNOT_EOK;
	}
	atomic_store(&txn->active, false);
	return atomic_load(&txn->env->broken) ? KNOT_ENOMEM : KNOT_EAGAIN;
}

static void leave(mail_txn_t *txn)
{
	atomic_store_explicit(&txn->active, false, memory_order_release);
}

/*! Lets go of the snapshot that a transaction kept. Whoever uses or bars it. */
static void end_standing(mail_txn_t *txn)
{
	if (atomic_load_explicit(&txn->standing, memory_order_relaxed)) {
		mdb_txn_reset(txn->mdb);
		atomic_store_explicit(&txn->standing, false, memory_order_relaxed);
	}
}

/*! Keeps a transaction's thread from using it, under the mutex. \return False: it is at it. */
static bool bar(mail_txn_t *txn)
{
	atomic_store(&txn->barred, true);
	return !atomic_load(&txn->active);
}

static void unbar(mail_txn_t *txn)
{
	atomic_store_explicit(&txn->barred, false, memory_order_release);
}

/*! Takes over a map that another process has made larger. */
static int adopt_map(mail_env_t *env)
{
	int ret = KNOT_EOK;
	pthread_mutex_lock(&env->mutex);
	for (mail_txn_t *txn = env->txns; txn != NULL; txn = txn->next) {
		if (bar(txn)) {
			end_standing(txn);
		} else {
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
	for (mail_txn_t *txn = env->txns; txn != NULL && !atomic_load(&env->broken);
	     txn = txn->next) {
		unbar(txn);
	}
	pthread_mutex_unlock(&env->mutex);
	return ret;
}

/*! Ends a snapshot that stands and is older than a transaction, or unused. \return False: it is in use. */
static bool end_old(mail_txn_t *txn, uint64_t newest, bool idle)
{
	const unsigned uses = atomic_load_explicit(&txn->uses, memory_order_relaxed);
	const bool unused = idle && uses == txn->uses_seen;
	if (idle) {
		txn->uses_seen = uses;
	}
	if (atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return false;
	}
	if (!atomic_load_explicit(&txn->standing, memory_order_relaxed)) {
		return true;
	}
	const bool barred = bar(txn);
	if (barred && (unused || txn->snapshot < newest)) {
		end_standing(txn);
	}
	unbar(txn);
	return barred;
}

unsigned mail_store_end_standing(mail_store_t *store, bool idle)
{
	mail_env_t *env = store->env;
	MDB_envinfo info;
	unsigned busy = 0;
	pthread_mutex_lock(&env->mutex);
	if (!atomic_load(&env->broken) && mdb_env_info(env->mdb, &info) == MDB_SUCCESS &&
	    (idle || env->ended != info.me_last_txnid)) {
		for (mail_txn_t *txn = env->txns; txn != NULL; txn = txn->next) {
			busy += end_old(txn, info.me_last_txnid, idle) ? 0 : 1;
		}
		env->ended = busy == 0 ? info.me_last_txnid : env->ended;
		busy = env->ended == info.me_last_txnid ? 0 : busy;
	}
	pthread_mutex_unlock(&env->mutex);
	return busy;
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
			txn->snapshot = mdb_txn_id(txn->mdb);
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
	atomic_store(&txn->barred, atomic_load(&env->broken));
	txn->next = env->txns;
	if (env->txns != NULL) {
		env->txns->prev = txn;
	}
	env->txns = txn;
	pthread_mutex_unlock(&env->mutex);
}

/*! Frees a transaction object, and ends its LMDB transaction without writing, if it has one. */
static void free_txn(mail_txn_t *txn)
{
	mail_env_t *env = txn->env;
	pthread_mutex_lock(&env->mutex);
	/* Until here another thread might work on it. */
	if (txn->mdb != NULL) {
		mdb_txn_abort(txn->mdb);
	}
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
	free_txn(txn);
}

void mail_txn_reset(mail_txn_t *txn)
{
	if (txn->write || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return;
	}
	mdb_txn_reset(txn->mdb);
	atomic_store_explicit(&txn->standing, false, memory_order_relaxed);
	leave(txn);
}

void mail_txn_stand(mail_txn_t *txn)
{
	if (txn->write || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return;
	}
	atomic_store_explicit(&txn->standing, true, memory_order_relaxed);
	leave(txn);
}

int mail_txn_renew(mail_txn_t *txn)
{
	return mail_txn_resume(txn, 0);
}

int mail_txn_resume(mail_txn_t *txn, uint64_t newest)
{
	if (txn->write || atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return KNOT_EINVAL;
	}
	int ret = enter(txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* Nobody else writes it. */
	unsigned uses = atomic_load_explicit(&txn->uses, memory_order_relaxed) + 1;
	atomic_store_explicit(&txn->uses, uses, memory_order_relaxed);
	if (atomic_load_explicit(&txn->standing, memory_order_relaxed) && txn->snapshot == newest) {
		/* Cursors begin at the root again: where the last question left them is of no use to this one. */
		txn->generation++;
		return KNOT_EOK;
	}
	end_standing(txn);
	leave(txn);
	return start_cured(txn);
}

uint64_t mail_txn_id(const mail_txn_t *txn)
{
	return txn->snapshot;
}

const mail_source_t *mail_txn_source(mail_txn_t *txn)
{
	return &txn->source;
}

void mail_txn_limit(mail_txn_t *txn, unsigned tombstones)
{
	txn->tombstone_limit = tombstones;
}
