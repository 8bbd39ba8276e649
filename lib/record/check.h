/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What finished RDATA say, whoever wrote them: literal records get the checks of the items that would have made
 *        them.
 *
 * A text is told by its owner and its version, as its readers tell it. Owners are in lookup format, relative to the
 * domain or absolute. Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! What readers take a TXT record for. */
typedef enum {
	MAIL_TEXT_OTHER,
	MAIL_TEXT_SPF,     /*!< "v=spf1" at any name (RFC 7208 4.5). */
	MAIL_TEXT_DKIM,    /*!< Whatever stands below _domainkey (RFC 6376 3.6.2.2). */
	MAIL_TEXT_DMARC,   /*!< "v=DMARC1" at _dmarc (RFC 9989 4.8). */
	MAIL_TEXT_MTA_STS, /*!< "v=STSv1" at _mta-sts (RFC 8461 3.1). */
	MAIL_TEXT_TLS_RPT, /*!< "v=TLSRPTv1" at _smtp._tls (RFC 8460 3). */
	MAIL_TEXT_BIMI,    /*!< "v=BIMI1" at SELECTOR._bimi. */
	MAIL_TEXT_COUNT
} mail_text_kind_t;

/*! Return what a TXT record is taken for. Of a kind other than MAIL_TEXT_OTHER there is one at a name. */
mail_text_kind_t mail_text_kind(mail_lf_t owner, mail_str_t text);
/*! Return why two TXT records of a kind cannot stand at one name; NULL for MAIL_TEXT_OTHER. */
const char *mail_text_twice(mail_text_kind_t kind);
/*!
 * Check a TXT record as its item checks it. Warns of what the item warns of, and of a record that stands where no reader
 * looks for it.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason, without a column; KNOT_ENOMEM.
 */
int mail_text_check(mail_lf_t owner, mail_str_t text, mail_diag_t *diag);

/*! RDATA with their holes filled, and what they belong to. */
typedef struct {
	mail_lf_t owner;
	uint16_t type;
	bool literal; /*!< No item made them: nothing of them has been checked. */
	const uint8_t *data;
	size_t len;
} mail_octets_t;

/*! Return whether RDATA say that there is nothing: null MX (RFC 7505 3), an SRV "." (RFC 2782). */
bool mail_rdata_is_none(uint16_t type, const uint8_t *rdata, size_t len);
/*!
 * Check RDATA: names that no host has, numbers out of range, digests of a wrong length or of nothing.
 *
 * \return As mail_text_check().
 */
int mail_rdata_check(const mail_octets_t *rdata, mail_diag_t *diag);
/*! Check a digest: it is not one of nothing, as a command that read no input writes it. */
int mail_digest_check(const uint8_t *digest, size_t len, mail_diag_t *diag);
