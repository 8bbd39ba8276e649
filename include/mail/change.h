/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Writing entries with every check that a writer owes its readers.
 *
 * Entries are first all written into a transaction, then everything that they touch is checked there:
 * references, circles, and the records of every domain that could have changed. On an error the caller
 * aborts the transaction. One thread: the one that owns the transaction.
 */
#pragma once

#include "mail/store.h"

typedef struct mail_change mail_change_t;

/*! What a change does to a store. */
typedef struct {
	size_t added, changed, deleted, same;
	size_t domains; /*!< Domains whose records may differ. Valid after mail_change_finish(). */
} mail_change_count_t;

/*! Begin. \param txn A writing transaction, not owned. */
mail_change_t *mail_change_begin(mail_txn_t *txn);
/*!
 * Write one entry (entry->deleted: deletes it). An entry equal to the stored one is left alone.
 * For certificates: keeps `publish` of the stored entry while `next` stays the same, else sets it to now.
 */
int mail_change_put(mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag);
/*!
 * Tell of all entries that are put, so that errors can name the lines of those that do not change, too.
 *
 * \param entries  Must live as long as the change.
 */
void mail_change_lines(mail_change_t *change, mail_entry_t *const *entries, size_t count);
/*!
 * Check all that was written: diag names the entry (and its line).
 *
 * \param count  Out; may be NULL.
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM; KNOT_EMALF.
 */
int mail_change_finish(mail_change_t *change, mail_change_count_t *count, mail_diag_t *diag);
/*! Free it. NULL is fine. */
void mail_change_free(mail_change_t *change);
