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
#include "mail/name.h"

typedef struct mail_source mail_source_t;

/*! Which neighbour of a name is looked for. */
typedef enum {
	MAIL_SEEK_FROM,  /*!< The first that is not less than the name. */
	MAIL_SEEK_AFTER, /*!< The first that is greater. */
	MAIL_SEEK_BEFORE /*!< The last that is less. */
} mail_seek_t;

struct mail_source {
	/*!
	 * \brief Read a whole entry (policies, hosts, certificates, domains with overrides).
	 *
	 * \param key    As mail_entry_key().
	 * \param entry  Out: the caller frees it; its stamp is set. NULL: the entry's stamp alone is read.
	 * \param stamp  Out, may be NULL: its stamp; zero when it does not exist. A tombstone's stamp is set,
	 *               although the result is KNOT_ENOENT.
	 *
	 * \return KNOT_EOK, KNOT_ENOENT, KNOT_EMALF, KNOT_ENOTSUP, KNOT_ENOMEM.
	 */
	int (*get)(const mail_source_t *src, mail_section_t section, mail_lf_t key,
	           mail_entry_t **entry, mail_stamp_t *stamp);
	/*!
	 * \brief Find the longest stored domain at or above a name, in one descent of the tree where it can.
	 *
	 * A damaged entry is a domain, too: domain->error says what is wrong with it (KNOT_EMALF,
	 * KNOT_ENOTSUP), and nothing else of domain is set but a stamp that can be read.
	 *
	 * \param name    The name.
	 * \param above   Out: the domain's name, the first part of name.
	 * \param domain  Out: its entry.
	 *
	 * \return KNOT_EOK, KNOT_ENOENT; KNOT_EMALF: the tree itself.
	 */
	int (*domain_above)(const mail_source_t *src, mail_lf_t name, mail_lf_t *above,
	                    mail_domain_t *domain);
	/*!
	 * \brief Find the live domain that is next to a name.
	 *
	 * \param found   Out: its name; with KNOT_ELIMIT that of the last tombstone that was passed: no live
	 *                domain is nearer. The name may lie in it.
	 * \param domain  Out: as of domain_above.
	 *
	 * \return KNOT_EOK, KNOT_ENOENT; KNOT_ELIMIT (more tombstones in a row than mail_txn_limit() allows);
	 *         KNOT_EMALF: the tree itself.
	 */
	int (*domain_seek)(const mail_source_t *src, mail_lf_t name, mail_seek_t seek,
	                   mail_lf_storage_t *found, mail_domain_t *domain);
	/*! Read one DKIM key in place. \return KNOT_EOK, KNOT_ENOENT (stamp of a tombstone set), KNOT_EMALF... */
	int (*dkim_get)(const mail_source_t *src, mail_lf_t key, mail_dkim_t *dkim);
	/*!
	 * \brief Find the DKIM key that is next to a key, tombstones included (dkim->deleted is set, and besides
	 *        only the stamp), and damaged ones (dkim->error is set, and of the rest at most the stamp).
	 *
	 * \param found  Out: its key in the store. The key may lie in it.
	 *
	 * \return KNOT_EOK, KNOT_ENOENT; KNOT_EMALF: the tree itself.
	 */
	int (*dkim_seek)(const mail_source_t *src, mail_lf_t key, mail_seek_t seek,
	                 mail_lf_storage_t *found, mail_dkim_t *dkim);
	void *ctx;
};
