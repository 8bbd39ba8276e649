/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Literal records (master file syntax, RFC 1035 5.1), parsed by libzscanner.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! A literal record. */
typedef struct {
	mail_pattern_t owner; /*!< Relative to the domain, or absolute. */
	uint16_t type;
	bool has_ttl;
	uint32_t ttl;
} mail_record_t;

/*!
 * Parse "OWNER [TTL] [IN] TYPE RDATA"; names in RDATA may be relative to the domain or hold
 * `{domain}`; TXT strings may hold `{domain}`, and are then split anew. An owner is relative ("www",
 * "*.web", "@") or absolute with a dot.
 *
 * Refused: SOA, SPF, OPT, TSIG, ANY and other meta types, DNSSEC types (DS, RRSIG, NSEC, NSEC3,
 * NSEC3PARAM, DNSKEY, CDS, CDNSKEY) and ZONEMD; NS and DS unless `delegation`; comments, brackets,
 * directives, several lines; an IP address as target of MX, SRV, NS or CNAME.
 *
 * \param delegation  NS and DS are the only types, and the owner is not the domain.
 * \param rdata       Gets the RDATA.
 */
int mail_record_parse(mail_str_t text, bool delegation, mail_record_t *record, mail_rdata_t *rdata,
                      mail_diag_t *diag);

/*!
 * Parse an IPv4 or IPv6 address and write the RDATA of an A or AAAA.
 *
 * \param type  Out: KNOT_RRTYPE_A or KNOT_RRTYPE_AAAA.
 */
int mail_address_render(mail_str_t text, uint16_t *type, mail_rdata_t *rdata, mail_diag_t *diag);
