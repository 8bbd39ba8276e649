/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief All records of a domain, as `kmailctl export` writes them and `kmailctl records` prints them.
 *
 * Thread rule: the thread of the source.
 */
#pragma once

#include "mail/kind.h"
#include "mail/signer.h"

/*! A zone of knotd to which a domain adds records (mail/zone.h). */
typedef struct {
	/*! Looks up an RRset, as mail_zone_question_t.look does. It must know all records of the zone. */
	int (*look)(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset);
	void *look_ctx; /*!< Argument of look. */
	bool looks;     /*!< The module can look up names, too: Knot DNS 3.4 and later. */
	/*! Policy of the module's section, for a zone that the store does not list; or empty. */
	mail_str_t policy;
} mail_zone_listing_t;

/*! One RRset of a domain, for listings. */
typedef struct {
	const knot_rrset_t *rrset;
	const mail_kind_t *kind; /*!< NULL: RRSIG or NSEC. */
	int64_t until;           /*!< Second at which it changes next; INT64_MAX: never. */
} mail_listed_t;

/*! Options of a listing. */
typedef struct {
	const mail_source_t *source;
	int64_t now;           /*!< Seconds since 1970. */
	bool reports;          /*!< List C._report._dmarc.D, too. This reads all domains once. */
	mail_signer_t *signer; /*!< Signs a signed domain; NULL: list no RRSIG and no NSEC. */
	/*! List what the domain may add to this zone, whatever the zone has; NULL: the domain is hosted. */
	const mail_zone_listing_t *zone;
	/*! Function for each RRset. Another result than KNOT_EOK ends the walk. */
	int (*each)(const mail_listed_t *listed, void *ctx);
	void *ctx;         /*!< Argument of each. */
	mail_diag_t *diag; /*!< Out: the reason of an error. It also takes warnings. */
} mail_listing_t;

/*!
 * \brief Walk all RRsets of a domain at a time, in canonical order, SOA first.
 *
 * RRSIGs follow their RRset, and the NSEC is the last RRset of its name. The NSEC chain is the chain of the
 * answers. Only its gap below _report._dmarc is closed (RFC 4470): the two ends of the gap are names that have
 * only an NSEC.
 *
 * \param domain  Name of the domain as text.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such domain); KNOT_EINVAL (a private key is missing); KNOT_EMALF or another
 *         error of the domain, with the reason in listing->diag; or the result of each.
 */
int mail_answer_list(const mail_listing_t *listing, mail_str_t domain);

/*!
 * \brief Walk all RRsets that a domain adds to a zone of knotd, in canonical order.
 *
 * If an RRset has records of both, only the records that the zone lacks are listed. mail_zone_answer() makes
 * the answers from which the list is taken. Nothing is signed.
 *
 * \param listing  Its members zone and signer are ignored.
 *
 * \return As mail_answer_list(); KNOT_ENOENT (also: the store does not list the zone, and there is no policy).
 */
int mail_zone_list(const mail_listing_t *listing, const mail_zone_listing_t *zone,
                   mail_str_t domain);
