/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A source of entries: a transaction of the store, or an array of a test.
 *
 * The model reads entries through a source, because it knows no database. The layer above implements the functions.
 *
 * Ownership: pointers into stored octets are valid until the transaction behind the source ends or writes.
 *
 * Thread rule: a source belongs to the thread of its transaction.
 */
#pragma once

#include "mail/codec.h"
#include "mail/name.h"

typedef struct mail_source mail_source_t;

/*! Neighbour of a name to look for. */
typedef enum {
	MAIL_SEEK_FROM,  /*!< The first one that is equal to the name or greater. */
	MAIL_SEEK_AFTER, /*!< The first one that is greater. */
	MAIL_SEEK_BEFORE /*!< The last one that is less. */
} mail_seek_t;

/*! What a writer has noted of the DKIM keys of a domain that has many of them (model/dkim_sum.h). */
typedef struct {
	mail_stamp_t stamp;
	const uint8_t *body;
	size_t len;
} mail_dkim_summary_t;

/*! The functions of a source. */
struct mail_source {
	/*!
	 * \brief Read a whole entry.
	 *
	 * \param key    Its key, see mail_entry_key().
	 * \param entry  Out: the entry with its stamp; the caller frees it. NULL: read only the stamp.
	 * \param stamp  Out: the stamp, also that of a tombstone, for which the result is KNOT_ENOENT. It is zero if
	 *               there is neither. May be NULL.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT; KNOT_EMALF (damaged); KNOT_ENOTSUP (a newer format); KNOT_ENOMEM.
	 */
	int (*get)(const mail_source_t *src, mail_section_t section, mail_lf_t key,
	           mail_entry_t **entry, mail_stamp_t *stamp);
	/*!
	 * \brief Find the longest stored domain at or above a name, if possible in one descent of the tree.
	 *
	 * A domain whose entry cannot be read counts, too. Its domain->error is KNOT_EMALF or KNOT_ENOTSUP.
	 * Apart from that, only the stamp is set, if it can be read.
	 *
	 * \param name    The name.
	 * \param above   Out: name of the domain, the first part of name.
	 * \param domain  Out: its entry, which points into stored octets.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT (there is none); KNOT_EMALF (the tree is damaged).
	 */
	int (*domain_above)(const mail_source_t *src, mail_lf_t name, mail_lf_t *above,
	                    mail_domain_t *domain);
	/*!
	 * \brief Find the domain next to a name. Tombstones are passed over.
	 *
	 * \param found   Out: name of the domain; name may point into it. With KNOT_ELIMIT it is the name of the last
	 *                tombstone that was passed over: no domain is nearer.
	 * \param domain  Out: its entry, as with domain_above; NULL: only its name is wanted.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT (there is none); KNOT_ELIMIT (more tombstones in a row than
	 *         limit allows); KNOT_EMALF (the tree is damaged).
	 */
	int (*domain_seek)(const mail_source_t *src, mail_lf_t name, mail_seek_t seek,
	                   mail_lf_storage_t *found, mail_domain_t *domain);
	/*!
	 * \brief Read one DKIM key in place.
	 *
	 * \param key   Its key in the store, see mail_entry_key().
	 * \param dkim  Out: the key, which points into stored octets.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT (of a tombstone, the stamp is set); KNOT_EMALF (damaged); KNOT_ENOTSUP (a
	 *         newer format).
	 */
	int (*dkim_get)(const mail_source_t *src, mail_lf_t key, mail_dkim_t *dkim);
	/*!
	 * \brief Find the DKIM key next to a key in the store.
	 *
	 * A tombstone counts, too: dkim->deleted and the stamp are set. So does a key that cannot be read:
	 * dkim->error is set, and the stamp, if it can be read.
	 *
	 * \param found  Out: its key in the store; key may point into it.
	 * \param dkim   Out: the key, which points into stored octets.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT (there is none); KNOT_EMALF (the tree is damaged).
	 */
	int (*dkim_seek)(const mail_source_t *src, mail_lf_t key, mail_seek_t seek,
	                 mail_lf_storage_t *found, mail_dkim_t *dkim);
	/*!
	 * \brief Read the summary of the DKIM keys of a domain. NULL: the source has none.
	 *
	 * \param top      What the keys of the domain lie below in the store.
	 * \param summary  Out: the summary, which points into stored octets.
	 *
	 * \return KNOT_EOK; KNOT_ENOENT (there is none, or it may not be true).
	 */
	int (*dkim_summary)(const mail_source_t *src, mail_lf_t top, mail_dkim_summary_t *summary);
	/*!
	 * So many entries that do not count for an answer a question passes over in a row, tombstones and names that are
	 * not shown among them: then it takes the safe side. 0: there is no bound.
	 */
	unsigned limit;
	void *ctx; /*!< Belongs to the functions. */
};
