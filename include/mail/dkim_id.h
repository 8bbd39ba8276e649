/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The ids of DKIM keys, and the DKIM keys of one domain or policy.
 *
 * Thread rule: functions on ids are pure; any thread may call them. A walk belongs to the thread of its source.
 */
#pragma once

#include "mail/source.h"

/*! The label `_domainkey`: the keys of a domain are published below it (RFC 6376 3.6.2.1). */
#define MAIL_DOMAINKEY MAIL_LF("_domainkey")

/*! The parts of a DKIM key's id: "DOMAIN/SELECTOR" or "policy:POLICY/SELECTOR". */
typedef struct {
	mail_section_t section; /*!< The owner's: MAIL_SECTION_DOMAIN or MAIL_SECTION_POLICY. */
	mail_str_t owner;       /*!< The domain, or the policy without "policy:". */
	mail_str_t selector;
} mail_dkim_id_t;

/*!
 * \brief Take an id apart. The parts are not checked, and point into the text.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (it has no selector).
 */
int mail_dkim_id_parse(mail_str_t text, mail_dkim_id_t *id, mail_diag_t *diag);
/*! Append an id whose parts are normalised. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE. */
int mail_dkim_id_print(const mail_dkim_id_t *id, mail_buf_t *out);
/*!
 * Check an id, and append it in its stored form, as mail_entry_id_normalise() does. After an error, some octets
 * may stay in out.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_dkim_id_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
/*!
 * Write the store's key for a normalised id, see mail_entry_key().
 *
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ESPACE (too long).
 */
int mail_dkim_id_key(mail_str_t text, mail_lf_storage_t *key);
/*!
 * Append the id of a key in the store, see mail_entry_id_from_key().
 *
 * \return KNOT_EOK; KNOT_EMALF; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_dkim_id_from_key(mail_lf_t key, mail_buf_t *out);

/*! A walk over the DKIM keys of one owner, in the order of the store. */
typedef struct {
	const mail_source_t *source;
	mail_lf_storage_t top; /*!< All keys of the owner lie below it in the store. */
	mail_lf_storage_t key; /*!< The current key. */
} mail_dkim_walk_t;

/*!
 * \brief Begin a walk. The first mail_dkim_walk_next() gives the first key.
 *
 * \param section  MAIL_SECTION_DOMAIN or MAIL_SECTION_POLICY.
 * \param owner    Id of the domain or policy, which need not exist.
 *
 * \return KNOT_EOK; KNOT_EINVAL (the id is malformed); KNOT_ESPACE (the name of the domain is too long for a key).
 */
int mail_dkim_walk_begin(mail_dkim_walk_t *walk, const mail_source_t *source,
                         mail_section_t section, mail_str_t owner);
/*!
 * Begin a walk over the keys of a domain, which need not exist.
 *
 * \return KNOT_EOK; KNOT_ESPACE (its name is too long for a key).
 */
int mail_dkim_walk_domain(mail_dkim_walk_t *walk, const mail_source_t *source, mail_lf_t domain);
/*!
 * \brief Go on to the next key. Tombstones (dkim->deleted) and damaged keys (dkim->error) count, too.
 *
 * \param dkim  Out: the key. It points into the memory of the source.
 *
 * \return KNOT_EOK; KNOT_ENOENT (there is no further key); KNOT_EMALF (the tree is damaged).
 */
int mail_dkim_walk_next(mail_dkim_walk_t *walk, mail_dkim_t *dkim);
/*! Return the selector of the current key in lookup format, a part of the walk. */
static inline mail_lf_t mail_dkim_walk_selector(const mail_dkim_walk_t *walk)
{
	return mail_lf_relative(mail_lf(&walk->key), mail_lf(&walk->top));
}
