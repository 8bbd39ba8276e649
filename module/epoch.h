/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief An epoch: a store as it was opened once, with a read transaction for every worker thread.
 *
 * Thread rule: made, counted and freed by one thread; each worker uses its own transaction only.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "mail/store.h"

/*! Bits of the number of a transaction in the state of a store; the rest is the environment's. */
#define MAIL_STATE_BITS 44

/*!
 * A number for what a store says in a transaction: the same number, the same content.
 *
 * \param epoch  mail_store_epoch().
 * \param txnid  mail_txn_id() or mail_txn_newest().
 *
 * \return 0: not known. That is never the state of anything, another unknown one included.
 */
static inline uint64_t mail_state_of(uint64_t epoch, uint64_t txnid)
{
	const uint64_t most = (uint64_t)1 << MAIL_STATE_BITS;
	if (txnid == 0 || txnid >= most || epoch >= UINT64_MAX / most) {
		return 0;
	}
	return epoch << MAIL_STATE_BITS | txnid;
}

typedef struct mail_epoch mail_epoch_t;

struct mail_epoch {
	mail_store_t *store;
	char *lock_path;
	uint64_t number;    /*!< mail_store_epoch(). */
	uint64_t txnid;     /*!< Of the store when it was opened. */
	atomic_bool failed; /*!< A worker could not renew its transaction: open the store anew. */
	dev_t lock_dev;     /*!< The lock file. */
	ino_t lock_ino;
	unsigned refs;
	unsigned threads;
	mail_txn_t *txn;    /*!< Of the thread that opened it, reset. */
	mail_txn_t *txns[]; /*!< One for each worker thread, reset. */
};

/*!
 * Open a store for a number of worker threads.
 *
 * \return KNOT_EOK; what mail_store_open() and mail_txn_begin() return, with the reason in diag.
 */
int mail_epoch_open(const char *path, unsigned threads, mail_epoch_t **epoch, mail_diag_t *diag);
/*!
 * Return whether it has to be closed before the store is opened again: its lock file is still the store's.
 */
bool mail_epoch_blocks(const mail_epoch_t *epoch);
/*! Give back a reference (opening gives the first one); the last one closes it. NULL is fine. */
void mail_epoch_free(mail_epoch_t *epoch);
