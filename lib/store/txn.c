/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transactions.
 *
 * A reading transaction may keep its snapshot while its thread does not use it: it stands. When nothing was committed
 * since, the next question takes it up again, which costs a comparison; to let go of a snapshot, take the same one
 * again and find its databases in it costs as much as half a descent of the tree. A snapshot that stands while others
 * commit keeps pages from being used again, so some thread has to end old ones (mail_store_end_standing()).
 *
 * The states of a transaction object. Each step is one compare-and-swap of `state`, so that its own thread and another
 * one never work on it at the same time:
 *
 *   state     snapshot  next state, by its own thread       next state, by another thread
 *   RESET     none      ACTIVE    begin, renew, resume      BARRED  until the map is changed, then RESET
 *   ACTIVE    yes       RESET     reset                     -       (it is in use: the other thread gives way)
 *                       STANDING  stand, if it is the newest
 *   STANDING  yes       ACTIVE    resume                    BARRED  to end an old one, then RESET
 *                                                           UNUSED  when it is looked for idle ones
 *   UNUSED    yes       ACTIVE    resume                    BARRED  to end it, then RESET
 *   BARRED    unknown   -         (it waits for the mutex)  RESET, or what it was before
 *
 * A writing transaction is ACTIVE from its beginning to its end. Who bars a transaction holds the mutex as long as it is
 * BARRED, however long he is held up, so its own thread waits for the mutex. BARRED is for ever when the map is lost
 * (env->broken). Whoever reads the map, if only its meta pages (mdb_env_info()), has a transaction ACTIVE meanwhile:
 * the map may only be changed while no transaction of the process has a snapshot (lmdb.h, mdb_env_set_mapsize()), and
 * who does that bars them all.
 */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Its address tells threads apart. */
static _Thread_local char thread_mark;

/*! Whether a state has a snapshot that is kept. */
static inline bool stands(unsigned state)
{
	return state == TXN_STANDING || state == TXN_UNUSED;
}

/*! Wait until nobody works on a transaction any more. \return Its state; TXN_BARRED: the map is lost. */
__attribute__((noinline, cold)) static unsigned wait_barred(mail_txn_t *txn)
{
	pthread_mutex_lock(&txn->env->mutex);
	const unsigned state = atomic_load(&txn->state);
	pthread_mutex_unlock(&txn->env->mutex);
	return state;
}

/*!
 * Begin to use a transaction, after a wait for another thread that is just working on it.
 *
 * \param before  Out: the state that it had.
 *
 * \return KNOT_EOK; KNOT_EINVAL: it is in use; KNOT_ENOMEM: the map is lost.
 */
static inline int enter(mail_txn_t *txn, unsigned *before)
{
	unsigned state = atomic_load_explicit(&txn->state, memory_order_relaxed);
	for (;;) {
		while (state <= TXN_UNUSED) {
			if (atomic_compare_exchange_weak_explicit(&txn->state, &state, TXN_ACTIVE,
			                                          memory_order_acquire,
			                                          memory_order_relaxed)) {
				*before = state;
				return KNOT_EOK;
			}
		}
		if (state == TXN_ACTIVE) {
			return KNOT_EINVAL;
		}
		state = wait_barred(txn);
		if (state == TXN_BARRED) {
			return KNOT_ENOMEM;
		}
	}
}

/*! Stop using a transaction, or stop keeping others from it. */
static inline void leave(mail_txn_t *txn, unsigned state)
{
	atomic_store_explicit(&txn->state, state, memory_order_release);
}

/*! Keep a transaction's thread from using it, under the mutex. \return Whether it was in this state. */
static bool bar(mail_txn_t *txn, unsigned state)
{
	return atomic_compare_exchange_strong(&txn->state, &state, TXN_BARRED);
}

/*! The number of the newest transaction; 0: not known. By a thread that has a transaction ACTIVE. */
static inline uint64_t newest(const mail_env_t *env)
{
	MDB_envinfo info;
	return mdb_env_info(env->mdb, &info) == MDB_SUCCESS ? info.me_last_txnid : 0;
}

/*! Bar all transactions and end the snapshots that stand, under the mutex. \return False: some are in use. */
static bool bar_all(mail_env_t *env)
{
	bool all = true;
	for (mail_txn_t *txn = env->txns; txn != NULL; txn = txn->next) {
		unsigned state = atomic_load(&txn->state);
		while (state <= TXN_UNUSED && !bar(txn, state)) {
			state = atomic_load(&txn->state);
		}
		if (stands(state)) {
			mdb_txn_reset(txn->mdb);
		}
		all = all && state != TXN_ACTIVE;
	}
	return all;
}

/*! Take over a map that another process has made larger. */
static int adopt_map(mail_env_t *env)
{
	int ret = KNOT_EAGAIN;
	pthread_mutex_lock(&env->mutex);
	if (bar_all(env)) {
		int rc = mdb_env_set_mapsize(env->mdb, 0);
		/* After a failure the old map is gone already: mdb_env_set_mapsize() unmaps first. */
		atomic_store(&env->broken, rc != MDB_SUCCESS);
		ret = mail_store_code(rc);
	}
	for (mail_txn_t *txn = env->txns; txn != NULL && !atomic_load(&env->broken);
	     txn = txn->next) {
		if (atomic_load(&txn->state) == TXN_BARRED) {
			leave(txn, TXN_RESET);
		}
	}
	pthread_mutex_unlock(&env->mutex);
	return ret;
}

/*!
 * End a snapshot that stands, if it is older than a transaction or was not used since the last look for idle ones.
 *
 * \return False: it is in use.
 */
static bool end_old(mail_txn_t *txn, uint64_t last, bool idle)
{
	const unsigned state = atomic_load(&txn->state);
	if (!stands(state)) {
		return state != TXN_ACTIVE;
	}
	if (!bar(txn, state)) {
		return false;
	}
	if (txn->snapshot < last || (idle && state == TXN_UNUSED)) {
		mdb_txn_reset(txn->mdb);
		leave(txn, TXN_RESET);
		return true;
	}
	leave(txn, idle ? TXN_UNUSED : state);
	return true;
}

unsigned mail_store_end_standing(mail_store_t *store, bool idle)
{
	mail_env_t *env = store->env;
	unsigned busy = 0;
	pthread_mutex_lock(&env->mutex);
	/* Under the mutex the map stays in its place. */
	const uint64_t last = atomic_load(&env->broken) ? 0 : newest(env);
	if (last == 0 || (!idle && env->ended == last)) {
		goto done;
	}
	for (mail_txn_t *txn = env->txns; txn != NULL; txn = txn->next) {
		busy += end_old(txn, last, idle) ? 0 : 1;
	}
	if (env->ended == last) {
		busy = 0;
	} else if (busy == 0) {
		env->ended = last;
	}
done:
	pthread_mutex_unlock(&env->mutex);
	return busy;
}

/*! Begin or renew, once. */
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

/*! Begin or renew a transaction that has no snapshot, with the cures that there are. */
static int start_cured(mail_txn_t *txn)
{
	int rc = MDB_SUCCESS;
	for (int attempt = 0; attempt < 2; attempt++) {
		unsigned before;
		int ret = enter(txn, &before);
		if (ret != KNOT_EOK) {
			return ret;
		}
		rc = start(txn);
		if (rc == MDB_SUCCESS) {
			txn->generation++;
			txn->taken++;
			txn->snapshot = mdb_txn_id(txn->mdb);
			txn->newest = txn->snapshot == newest(txn->env);
			txn->kept = txn->not_kept = 0;
			return KNOT_EOK;
		}
		leave(txn, TXN_RESET);
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
	atomic_store(&txn->state, atomic_load(&env->broken) ? TXN_BARRED : TXN_RESET);
	txn->next = env->txns;
	if (env->txns != NULL) {
		env->txns->prev = txn;
	}
	env->txns = txn;
	pthread_mutex_unlock(&env->mutex);
}

/*! Free a transaction object, and end its LMDB transaction without writing, if it has one. */
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
	for (unsigned db = 0; db < DB_COUNT; db++) {
		if ((txn->made & 1u << db) != 0) {
			env->dbi[db] = DBI_MISSING;
		}
	}
	if (txn->write) {
		atomic_store(&env->writer, 0);
	}
	tdestroy(txn->crowded, free);
	if (txn->ended != NULL) {
		txn->ended(env);
	}
	mail_buf_free(&txn->value);
	free(txn->memo);
	free(txn);
}

/*! Close all cursors: those of a writing transaction die with it, those of a reading one do not. */
static void close_cursors(mail_txn_t *txn)
{
	for (unsigned db = 0; db < DB_COUNT; db++) {
		if (txn->cursors[db] != NULL) {
			mdb_cursor_close(txn->cursors[db]);
			txn->cursors[db] = NULL;
		}
	}
}

bool mail_env_writes(const mail_env_t *env)
{
	return atomic_load(&env->writer) == (uintptr_t)&thread_mark;
}

int mail_env_begin(mail_env_t *env, bool write, mail_txn_t **txn)
{
	*txn = NULL;
	if (write && mail_env_writes(env)) {
		/* LMDB would wait for this very thread, for ever. */
		return KNOT_EBUSY;
	}
	mail_txn_t *new = calloc(1, sizeof(*new));
	if (new == NULL) {
		return KNOT_ENOMEM;
	}
	new->env = env;
	new->write = write;
	new->id = MAIL_BUF_FIXED(new->id_octets, sizeof(new->id_octets));
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

/*! Read the metadata that a writing transaction needs: the format may have been raised since the store was opened. */
static int begin_writing(mail_txn_t *txn)
{
	int ret = mail_meta_read(txn->mdb, txn->env->dbi[DB_META], &txn->meta, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return txn->meta.values == 0 ? KNOT_ENOTSUP : KNOT_EOK;
}

int mail_txn_begin(mail_store_t *store, mail_store_mode_t mode, mail_txn_t **txn)
{
	const bool write = (mode & MAIL_STORE_WRITE) != 0;
	*txn = NULL;
	if (write && !store->writable) {
		return KNOT_EACCES;
	}
	mail_txn_t *new;
	int ret = mail_env_begin(store->env, write, &new);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (write) {
		ret = begin_writing(new);
		if (ret != KNOT_EOK) {
			mail_txn_abort(new);
			return ret;
		}
	}
	*txn = new;
	return KNOT_EOK;
}

int mail_txn_before(const mail_txn_t *writing, mail_txn_t **txn)
{
	return mail_env_begin(writing->env, false, txn);
}

/*! Return whether the file system of an environment is full. */
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
	if (txn->finish != NULL && txn->error == KNOT_EOK) {
		txn->error = txn->finish(txn);
	}
	if (!txn->write || txn->error != KNOT_EOK) {
		int ret = txn->error;
		mail_txn_abort(txn);
		return ret;
	}
	close_cursors(txn);
	int rc = mdb_txn_commit(txn->mdb);
	txn->mdb = NULL;
	if (rc == EIO && disk_full(txn->env)) {
		/* LMDB says EIO after a short write, which is a full disk more often than a broken one. */
		rc = ENOSPC;
	}
	int ret = mail_store_code(rc);
	txn->made = ret == KNOT_EOK ? 0 : txn->made;
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
	if (txn->write || !mail_txn_is_active(txn)) {
		return;
	}
	mdb_txn_reset(txn->mdb);
	leave(txn, TXN_RESET);
}

void mail_txn_stand(mail_txn_t *txn)
{
	/* An older one would stand unseen: mail_store_end_standing() looks again after the next commit. */
	if (txn->write || !txn->newest) {
		mail_txn_reset(txn);
	} else if (mail_txn_is_active(txn)) {
		leave(txn, TXN_STANDING);
	}
}

/*! Use a reading transaction again. \param keep  Take up the snapshot that stands, if it is the newest. */
static int use_again(mail_txn_t *txn, bool keep)
{
	unsigned before;
	if (txn->write) {
		return KNOT_EINVAL;
	}
	int ret = enter(txn, &before);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (stands(before)) {
		if (keep && txn->snapshot == newest(txn->env)) {
			/* Cursors begin at the root again: where the last question left them is of no use. */
			txn->generation++;
			return KNOT_EOK;
		}
		mdb_txn_reset(txn->mdb);
	}
	leave(txn, TXN_RESET);
	return start_cured(txn);
}

int mail_txn_renew(mail_txn_t *txn)
{
	return use_again(txn, false);
}

int mail_txn_resume(mail_txn_t *txn)
{
	return use_again(txn, true);
}

uint64_t mail_txn_newest(mail_txn_t *txn)
{
	unsigned before;
	if (enter(txn, &before) != KNOT_EOK) {
		return 0;
	}
	const uint64_t number = newest(txn->env);
	leave(txn, before);
	return number;
}

uint64_t mail_txn_id(const mail_txn_t *txn)
{
	return txn->snapshot;
}

const mail_source_t *mail_txn_source(mail_txn_t *txn)
{
	return &txn->source;
}

void mail_txn_limit(mail_txn_t *txn, unsigned entries)
{
	txn->source.limit = entries;
}
