/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Writing entries with all checks that a writer owes its readers.
 *
 * First all entries are written into a transaction. Then everything that they touch is checked there:
 * references, circles, and the records of each domain that may have changed. After an error the caller must
 * abort the transaction.
 *
 * Thread rule: a change belongs to the thread of its transaction.
 */
#pragma once

#include "mail/store.h"

/*! A change: entries that are written and checked together. */
typedef struct mail_change mail_change_t;

/*! Counts of a change, in entries. */
typedef struct {
	size_t added, changed, deleted, same;
	size_t domains; /*!< Domains whose records may differ; set by mail_change_finish(). */
} mail_change_count_t;

/*!
 * Begin a change.
 *
 * \param txn  A writing transaction, which the caller ends after mail_change_free().
 *
 * \return The change, which the caller frees; NULL without memory.
 */
mail_change_t *mail_change_begin(mail_txn_t *txn);
/*! Say what time it is, for tests; else it is that of mail_change_begin(). */
void mail_change_at(mail_change_t *change, int64_t now);
/*!
 * Say that the entries of a change are in DNS already, as they say themselves: of a store that is restored, of domains
 * that move in with their keys. Their DS has nothing to wait for, nor have their certificates.
 */
void mail_change_in_dns(mail_change_t *change);
/*!
 * Say that one entry alone will be put, and that the caller puts the old one back when it is refused: so the DKIM keys of
 * a domain or policy that cannot be deleted must stay.
 */
void mail_change_alone(mail_change_t *change);
/*!
 * Begin with the next entry of a change that has one alone at a time, after the last one was finished, or refused and put
 * back. It is as if the change was new, but what was compiled for one stays for those that it holds for.
 */
void mail_change_next(mail_change_t *change);
/*!
 * Write one entry (entry->deleted: deletes it). An entry equal to the stored one is left alone. What the writer notes
 * by itself (MAIL_FLAG_KEPT) stays where the entry does not name it.
 * Warns when an earlier line of the change has written the entry otherwise.
 * For certificates: `publish` is that of the stored entry while `next` stays the same, else it is set to now.
 */
int mail_change_put(mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag);
/*!
 * Return whether an entry gives another key to a selector that is published and in use, so that mail fails which was
 * signed with the old one.
 */
bool mail_change_replaces_key(const mail_entry_t *old, const mail_entry_t *entry, int64_t now);
/*!
 * Name all entries that will be put, so that an error can also name the line of an entry that does not change.
 *
 * \param entries  The entries, count of them. They must outlive the change.
 */
void mail_change_lines(mail_change_t *change, mail_entry_t *const *entries, size_t count);
/*!
 * Check everything that was written.
 *
 * \param count  Out: counts of the change; may be NULL.
 * \param diag   Out: the reason of an error, with the entry and its line. It also takes warnings.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM; KNOT_EMALF (the tree is damaged).
 */
int mail_change_finish(mail_change_t *change, mail_change_count_t *count, mail_diag_t *diag);
/*!
 * Give an entry what the stored one has and a writer keeps: what mail_change_put() does first.
 *
 * \return KNOT_EOK, KNOT_ENOMEM.
 */
int mail_change_keep(const mail_entry_t *old, mail_entry_t *entry);

/*! When the next certificate of a set may be deployed (RFC 7671 8.1). */
typedef struct {
	int64_t at; /*!< Two TTLs after the last place began to show it, and no cache has an older RRset. */
	int64_t held;  /*!< Until then some cache may hold what is answered now. */
	char why[320]; /*!< Nobody shows it, and why; empty: at is known. */
} mail_ready_t;

/*!
 * Find out when the next certificate of a set may be deployed: looks at all domains.
 *
 * \return KNOT_EOK; KNOT_ENOMEM, KNOT_EMALF (the tree itself).
 */
int mail_change_ready(mail_txn_t *txn, const mail_entry_t *certificate, int64_t now,
                      mail_ready_t *ready);
/*! Free it. NULL is fine. */
void mail_change_free(mail_change_t *change);
