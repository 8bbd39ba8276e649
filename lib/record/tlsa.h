/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief TLSA (RFC 6698, RFC 7671, RFC 7672) and certificates.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/rdata.h"

/*! What a TLSA record matches: the three numbers before its data (RFC 6698 2.1). */
typedef struct {
	uint8_t usage, selector, matching;
} mail_tlsa_form_t;

/*!
 * Parse a form such as "3 1 1".
 *
 * \param form  Out: the form.
 *
 * \return KNOT_EOK; KNOT_EINVAL with reason and column: mail has only the usages 2 and 3, the selectors 0 and 1, and
 *         the matching types 1 and 2 (RFC 7672 3.1).
 */
int mail_tlsa_form_parse(mail_str_t text, mail_tlsa_form_t *form, mail_diag_t *diag);

/*!
 * Parse a record such as "3 1 1 HEX", and append its RDATA.
 *
 * \return KNOT_EOK; KNOT_EINVAL with reason and column (also if HEX has not the 32 or 64 octets of its matching
 *         type); KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_tlsa_render(mail_str_t text, mail_rdata_t *rdata, mail_diag_t *diag);

/*!
 * Make a record such as "3 1 1 HEX" from a chain of certificates (OpenSSL), and append its text.
 *
 * Usage 3 takes the first certificate, the leaf. Usage 2 takes the last one, the issuer.
 *
 * \param pem   The chain in PEM, leaf first.
 * \param form  What the record matches.
 * \param diag  Out: the reason of an error. It also takes warnings about the chain.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (no such form, no certificate, usage 2 with a chain of one);
 *         KNOT_ENOMEM; KNOT_ESPACE.
 */
int mail_tlsa_from_pem(mail_str_t pem, const mail_tlsa_form_t *form, mail_buf_t *out,
                       mail_diag_t *diag);
