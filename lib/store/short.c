/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a data file truncated, that is shorter than its meta page says?
 *
 * Mostly. But LMDB leaves a short file itself when a transaction frees the last pages that it has just allocated: it
 * counts them, puts them on the free list and never writes them (0.9.24: in one of twenty transactions that delete
 * much). Such a store is whole, and must not be refused. So the free list is read, with LMDB's own cursor: no layout of
 * pages is known here.
 *
 * The list itself may be what is missing, and to read that is SIGBUS, which would end knotd: in a file that was cut at
 * any page that was so, without exception, because the list is among the last pages that a transaction writes. Damaged
 * pages end in an assertion of LMDB's, or an error. All three mean "truncated". The handler of the signal is there while
 * a short file is opened, and nothing but cursors of a reading transaction is jumped out of: they hold no lock.
 */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Where the thread goes on that reads what may be missing; NULL in all others. */
static _Thread_local sigjmp_buf *landing;
/*! What another thread's signal meets. The registry's mutex sees to it that only one thread is here. */
static struct sigaction before;

static void on_signal(int number)
{
	if (landing != NULL) {
		siglongjmp(*landing, 1);
	}
	(void)sigaction(number, &before, NULL);
}

static void on_assertion(MDB_env *mdb, const char *text)
{
	(void)mdb;
	(void)text;
	if (landing != NULL) {
		siglongjmp(*landing, 1);
	}
}

/*! Count the free pages at or after a page; 0 when the list cannot be read. */
static size_t free_from(MDB_cursor *cursor, size_t from)
{
	sigjmp_buf here;
	mail_free_t count = { 0 };
	if (sigsetjmp(here, 1) != 0) {
		landing = NULL;
		return 0;
	}
	landing = &here;
	int rc = mail_free_pages(cursor, from, &count);
	landing = NULL;
	return rc == MDB_SUCCESS ? count.beyond : 0;
}

int mail_short_check(MDB_env *mdb, MDB_txn *txn, size_t from, size_t missing)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t bus, mask;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, 0, &cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	(void)sigemptyset(&bus);
	(void)sigaddset(&bus, SIGBUS);
	(void)mdb_env_set_assert(mdb, on_assertion);
	(void)sigaction(SIGBUS, &action, &before);
	(void)pthread_sigmask(SIG_UNBLOCK, &bus, &mask);
	const size_t found = free_from(cursor, from);
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGBUS, &before, NULL);
	(void)mdb_env_set_assert(mdb, NULL);
	mdb_cursor_close(cursor);
	return found >= missing ? KNOT_EOK : KNOT_EMALF;
}
