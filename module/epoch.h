/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief An epoch: a store as it was opened once, with a read transaction for every worker thread.
 *
 * Thread rule: made and freed by one thread; each worker uses its own transaction only.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "mail/store.h"

typedef struct mail_epoch mail_epoch_t;

struct mail_epoch {
	mail_store_t *store;
	char *lock_path;
	uint64_t number;    /*!< mail_store_epoch(). */
	uint64_t txnid;     /*!< Of the store when it was opened. */
	atomic_bool failed; /*!< A worker could not renew its transaction: open the store anew. */
	dev_t lock_dev;     /*!< The lock file. */
	ino_t lock_ino;
	mail_epoch_t *next; /*!< In a list of epochs that wait for their readers. */
	unsigned threads;
	mail_txn_t *txns[]; /*!< One for each thread, reset. */
};

/*!
 * Opens a store for a number of threads.
 *
 * \return KNOT_EOK; what mail_store_open() and mail_txn_begin() return, with the reason in diag.
 */
int mail_epoch_open(const char *path, unsigned threads, mail_epoch_t **epoch, mail_diag_t *diag);
/*!
 * Says whether it has to be closed before the store is opened again: its lock file is still the store's.
 */
bool mail_epoch_blocks(const mail_epoch_t *epoch);
/*! Closes it; no thread may use it any more. NULL is fine. */
void mail_epoch_free(mail_epoch_t *epoch);
