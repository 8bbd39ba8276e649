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
