/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief TLSA (RFC 6698, RFC 7671, RFC 7672) and certificates.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

typedef struct {
	uint8_t usage, selector, matching;
} mail_tlsa_form_t;

/*! Parse "3 1 1". Accepted: usages 2 and 3, selectors 0 and 1, matching types 1 and 2 (RFC 7672 3.1). */
int mail_tlsa_form_parse(mail_str_t text, mail_tlsa_form_t *form, mail_diag_t *diag);

/*! Parse "3 1 1 HEX" and write the RDATA. Check the length of HEX (32 or 64 octets). */
int mail_tlsa_render(mail_str_t text, mail_rdata_t *rdata, mail_diag_t *diag);

/*!
 * Make "3 1 1 HEX" of a chain of certificates (OpenSSL). Usage 3: the first certificate (the leaf);
 * usage 2: the last one after the leaf (the issuer); a chain of one cannot give usage 2.
 *
 * \param pem  PEM, leaf first.
 * \param out  Gets the text.
 */
int mail_tlsa_from_pem(mail_str_t pem, const mail_tlsa_form_t *form, mail_buf_t *out,
                       mail_diag_t *diag);
