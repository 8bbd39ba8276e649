/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief All records of a domain, as an export writes them and `kmailctl records` prints them.
 *
 * Thread rule: as of the source.
 */
#pragma once

#include "mail/kind.h"
#include "mail/signer.h"

/*! A zone of knotd's that a domain adds to (mail/zone.h). */
typedef struct {
	/*! As mail_zone_question_t.look; it must say all that the zone has. */
	int (*look)(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset);
	void *look_ctx;
	bool looks; /*!< The module can look at the zone, too: with Knot DNS 3.4 and later. */
	mail_str_t
		policy; /*!< Of the module's section, if the store does not list the zone; or empty. */
} mail_zone_listing_t;

/*! One RRset of a domain, for listings. */
typedef struct {
	const knot_rrset_t *rrset;
	const mail_kind_t *kind; /*!< NULL: RRSIG, NSEC. */
	int64_t until;           /*!< Next second at which it changes, or INT64_MAX. */
} mail_listed_t;

/*! What to list, and for whom. */
typedef struct {
	const mail_source_t *source;
	int64_t now;           /*!< Seconds since 1970. */
	bool reports;          /*!< Also C._report._dmarc.D (reads all domains once). */
	mail_signer_t *signer; /*!< A signed domain with its RRSIGs and NSECs; NULL: without. */
	/*! All that the domain may add to this zone, whatever the zone has; NULL: it is hosted. */
	const mail_zone_listing_t *zone;
	/*! Called for each RRset; another result than KNOT_EOK ends the walk. */
	int (*each)(const mail_listed_t *listed, void *ctx);
	void *ctx;
	mail_diag_t *diag;
} mail_listing_t;

/*!
 * \brief Walk all RRsets of a domain at a time, in canonical order, SOA first.
 *
 * RRSIGs follow their RRset, the NSEC is the last of its name. The NSEC chain is that of the answers, but closed
 * in its gap below _report._dmarc (RFC 4470): the ends of the gap are names with an NSEC alone.
 *
 * \param domain  Name as text.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such domain); KNOT_EMALF... with diag; KNOT_EINVAL (a private key is
 *         missing); or what each returned.
 */
int mail_answer_list(const mail_listing_t *listing, mail_str_t domain);

/*!
 * \brief Walk all RRsets that a domain adds to a zone of knotd's, in canonical order.
 *
 * Of an RRset that both share, those records that the zone has not. What each question for them gets is made by
 * mail_zone_answer(). Nothing is signed.
 *
 * \param listing  Its zone and signer do not count.
 *
 * \return As mail_answer_list(); KNOT_ENOENT also: the store does not list the zone, and there is no policy.
 */
int mail_zone_list(const mail_listing_t *listing, const mail_zone_listing_t *zone,
                   mail_str_t domain);
