/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Writers of a store take turns.
 *
 * LMDB lets one writer in at a time, but in no order: a program that writes again and again keeps all others waiting. So
 * the writers of this project wait in the order in which they came, each for its turn, and then for LMDB. A program that
 * knows no turns, such as one that replicates, is waited for when it writes, and can overtake.
 *
 * Readers take no turn, and wait for nobody.
 */
#pragma once

#include <sys/types.h>

#include "mail/store.h"

/*! Who has the turn. */
typedef struct {
	pid_t pid;     /*!< 0: a program that knows no turns is writing; nobody can say which. */
	int64_t since; /*!< Seconds since the epoch. */
} mail_writer_t;

/*!
 * Function that is called every few milliseconds while mail_txn_take_turn() waits.
 *
 * \param writer  Who has the turn.
 * \param waited  Milliseconds since the wait began; 0 at first.
 *
 * \return Whether to go on waiting.
 */
typedef bool (*mail_wait_f)(const mail_writer_t *writer, int64_t waited, void *ctx);

/*!
 * Begin a writing transaction when all that came before have ended theirs.
 *
 * The turn ends with the transaction, or with the process: a writer that is killed keeps nobody waiting. A writer that is
 * stopped while it has the turn keeps the others waiting; one that is stopped while it waits is passed over.
 *
 * If `waiting` ends a wait for a program that knows no turns, the environment stays open until the process ends.
 *
 * \param waiting  Function that may end the wait; NULL: wait for ever.
 * \param txn      Out: the transaction; the caller ends it.
 *
 * \return As mail_txn_begin(); KNOT_EBUSY (also: `waiting` has ended the wait).
 */
int mail_txn_take_turn(mail_store_t *store, mail_wait_f waiting, void *ctx, mail_txn_t **txn);
