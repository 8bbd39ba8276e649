/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Domains that questions have found in a snapshot: the next question for one needs no descent of the tree.
 *
 * Thread rule: that of its transaction.
 */
#pragma once

#include "store/internal.h"

/*!
 * \brief Look for the stored domain that a name lies in.
 *
 * \param name   The name.
 * \param above  Out: the domain, the first part of name. No entry is stored below it.
 * \param value  Out: its value, in the map.
 *
 * \return Whether it is known. If not, it may still be stored.
 */
bool mail_memo_find(mail_txn_t *txn, mail_lf_t name, mail_lf_t *above, MDB_val *value);

/*! Note a domain below which no entry is stored; key and value lie in the map. */
void mail_memo_note(mail_txn_t *txn, const MDB_val *key, const MDB_val *value);

/*! Return whether notes are of use now. */
bool mail_memo_wants(const mail_txn_t *txn);
