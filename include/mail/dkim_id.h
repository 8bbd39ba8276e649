/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The ids of DKIM keys, and the DKIM keys of one domain or policy.
 *
 * Pure functions on their arguments; any thread. A walk belongs to the thread whose source it reads.
 */
#pragma once

#include "mail/source.h"

/*! `_domainkey`, below which the keys of a domain are published (RFC 6376 3.6.2.1). */
#define MAIL_DOMAINKEY MAIL_LF("_domainkey")

/*! The id of a DKIM key, taken apart: "DOMAIN/SELECTOR" or "policy:POLICY/SELECTOR". */
typedef struct {
	mail_section_t section; /*!< MAIL_SECTION_DOMAIN or MAIL_SECTION_POLICY: whose key it is. */
	mail_str_t owner;       /*!< The domain, or the policy without "policy:". */
	mail_str_t selector;
} mail_dkim_id_t;

/*!
 * \brief Take an id apart. The parts are those of the text, unchecked if that is not normalised.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason: it has no selector.
 */
int mail_dkim_id_parse(mail_str_t text, mail_dkim_id_t *id, mail_diag_t *diag);
/*! Write an id whose parts are normalised. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE. */
int mail_dkim_id_print(const mail_dkim_id_t *id, mail_buf_t *out);
/*! Check an id and write it as it is kept, see mail_entry_id_normalise(). Something may stay in out after an error. */
int mail_dkim_id_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
/*! Write the key in the store of a normalised id, see mail_entry_key(). \return KNOT_EOK, KNOT_EINVAL. */
int mail_dkim_id_key(mail_str_t text, mail_lf_storage_t *key);
/*! Write the id of a key in the store, see mail_entry_id_from_key(). \return KNOT_EOK, KNOT_EMALF. */
int mail_dkim_id_from_key(mail_lf_t key, mail_buf_t *out);

/*! A walk over the DKIM keys of one owner, in the order of the store. */
typedef struct {
	const mail_source_t *source;
	mail_lf_storage_t top; /*!< What the keys of the owner lie below. */
	mail_lf_storage_t key; /*!< The key at hand. */
} mail_dkim_walk_t;

/*!
 * \brief Begin a walk, before the first key.
 *
 * \param section  MAIL_SECTION_DOMAIN or MAIL_SECTION_POLICY.
 * \param owner    The domain or policy; it need not exist.
 *
 * \return KNOT_EOK; KNOT_EINVAL (no such id can be); KNOT_ESPACE (a domain whose name is too long for a key).
 */
int mail_dkim_walk_begin(mail_dkim_walk_t *walk, const mail_source_t *source,
                         mail_section_t section, mail_str_t owner);
/*! Begin a walk over the keys of a domain, by its name. \return KNOT_EOK; KNOT_ESPACE as above. */
int mail_dkim_walk_domain(mail_dkim_walk_t *walk, const mail_source_t *source, mail_lf_t domain);
/*!
 * \brief Go on to the next key, tombstones and damaged ones included (dkim->deleted, dkim->error).
 *
 * \return KNOT_EOK; KNOT_ENOENT at the end; KNOT_EMALF: the tree itself.
 */
int mail_dkim_walk_next(mail_dkim_walk_t *walk, mail_dkim_t *dkim);
/*! Return the selector of the key at hand, in lookup format. */
static inline mail_lf_t mail_dkim_walk_selector(const mail_dkim_walk_t *walk)
{
	return mail_lf_relative(mail_lf(&walk->key), mail_lf(&walk->top));
}
