/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief RRSIG RDATA and the octets that are signed (RFC 4034 3.1.8.1, 6.2, 6.3).
 *
 * Pure functions; any thread; no allocation.
 */
#pragma once

#include <libknot/libknot.h>

#include "mail/dnskey.h"

/*! Seconds between two inceptions of a signature: the grid. */
#define MAIL_RRSIG_GRID (4 * 86400)
/*! How far a clock may be behind, s. */
#define MAIL_RRSIG_SKEW 3600
/*! Seconds from inception to expiration of all but very long TTLs. */
#define MAIL_RRSIG_VALIDITY (14 * 86400)

/*! Everything of an RRSIG but the signature. */
typedef struct {
	const knot_dname_t *signer; /*!< Name of the zone, lower case. */
	const knot_dname_t
		*owner; /*!< The RRset's owner as it is in the zone: of a wildcard, "*...". */
	uint32_t original_ttl;
	uint32_t inception;
	uint32_t expiration;
	uint16_t tag;
	uint8_t algorithm;
} mail_rrsig_t;

/*!
 * Set inception and expiration: functions of the zone's name, the clock rounded down to the grid, and the TTL, so
 * that every server of a fleet signs the same octets. The grid is shifted by a hash of the name, so that not all
 * zones are signed anew at the same second. At any time the signature is valid for at least a grid step, the TTL
 * and the clock skew.
 */
void mail_rrsig_period(mail_rrsig_t *rrsig, int64_t now);

/*!
 * Write what is signed: the RRSIG RDATA up to the signature, then the RRset in canonical form and order (names
 * in RDATA in lower case where RFC 4034 6.2 and RFC 6840 5.1 say so, equal RDATA once).
 *
 * \param rrset       Its owner is not read.
 * \param rdata_len   Out: octets of the RRSIG RDATA (18 and the signer's name).
 *
 * \return Octets written, or KNOT_ESPACE, KNOT_EMALF.
 */
int mail_rrsig_octets(const mail_rrsig_t *rrsig, const knot_rrset_t *rrset, uint8_t *out,
                      size_t cap, size_t *rdata_len);
