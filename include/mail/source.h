/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Where the model reads entries from: the store's transaction, or a test's array.
 *
 * The functions live in the layer above; the model knows no database. Pointers into stored octets are
 * valid until the transaction behind the source ends or writes.
 */
#pragma once

#include "mail/codec.h"

typedef struct mail_source mail_source_t;

struct mail_source {
	/*!
	 * Reads a whole entry (policies, hosts, certificates, domains with overrides).
	 *
	 * \param key    As mail_entry_key().
	 * \param entry  Out: the caller frees it; its stamp is set. NULL: the entry's stamp alone is read.
	 * \param stamp  Out, may be NULL: its stamp; zero when it does not exist. A tombstone's stamp is set,
	 *               although the result is KNOT_ENOENT.
	 *
	 * \return KNOT_EOK, KNOT_ENOENT, KNOT_EMALF, KNOT_ENOTSUP, KNOT_ENOMEM.
	 */
	int (*get)(const mail_source_t *src, mail_section_t section, const uint8_t *key, size_t len,
	           mail_entry_t **entry, mail_stamp_t *stamp);
	/*!
	 * Finds the longest stored domain at or above a name, in one descent of the tree where it can.
	 *
	 * A damaged entry is a domain, too: domain->error says what is wrong with it (KNOT_EMALF,
	 * KNOT_ENOTSUP), and nothing else of domain is set but a stamp that can be read.
	 *
	 * \param key, len  Key of the name.
	 * \param domain    Out: the entry.
	 *
	 * \return Length of the domain's key (a prefix of key), or KNOT_ENOENT; KNOT_EMALF: the tree itself.
	 */
	int (*domain_above)(const mail_source_t *src, const uint8_t *key, size_t len,
	                    mail_domain_t *domain);
	/*!
	 * Finds the first live domain whose key is greater than (or, with `from`, also equal to) a key.
	 *
	 * \param next      Out: its key, room for MAIL_KEY_MAX octets.
	 * \param domain    Out: as of domain_above. With KNOT_ELIMIT, domain->passed is the length of next,
	 *                  the key of the last tombstone that was passed: no live domain is before it.
	 *
	 * \return Length of its key, or KNOT_ENOENT; KNOT_ELIMIT (more tombstones in a row than
	 *         mail_txn_limit() allows); KNOT_EMALF: the tree itself.
	 */
	int (*domain_next)(const mail_source_t *src, const uint8_t *key, size_t len, bool from,
	                   uint8_t *next, mail_domain_t *domain);
	/*!
	 * Finds the last live domain whose key is less than a key.
	 *
	 * \param prev      Out: its key, room for MAIL_KEY_MAX octets.
	 * \param domain    Out: as of domain_next; what was passed lies behind prev.
	 *
	 * \return As domain_next.
	 */
	int (*domain_prev)(const mail_source_t *src, const uint8_t *key, size_t len, uint8_t *prev,
	                   mail_domain_t *domain);
	/*! Reads one DKIM key in place. \return KNOT_EOK, KNOT_ENOENT (stamp of a tombstone set), KNOT_EMALF... */
	int (*dkim_get)(const mail_source_t *src, const uint8_t *key, size_t len,
	                mail_dkim_t *dkim);
	/*!
	 * Walks DKIM keys: the first with a key greater than (`from`: or equal to) `key`, tombstones
	 * included (*deleted is set, and of dkim only the stamp), and damaged ones (dkim->error is set, and
	 * of the rest at most the stamp).
	 *
	 * \return Length of the key written to next, or KNOT_ENOENT at the end; KNOT_EMALF: the tree itself.
	 */
	int (*dkim_next)(const mail_source_t *src, const uint8_t *key, size_t len, bool from,
	                 uint8_t *next, mail_dkim_t *dkim, bool *deleted);
	/*! The same backwards: the last with a key less than `key`. */
	int (*dkim_prev)(const mail_source_t *src, const uint8_t *key, size_t len, uint8_t *prev,
	                 mail_dkim_t *dkim, bool *deleted);
	void *ctx;
};
