/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief URIs and host names within texts: report addresses of DMARC and TLS-RPT, BIMI's locations,
 *        domains in SPF terms (RFC 3986, RFC 6068, RFC 9110 4.2.2).
 *
 * `{domain}` stands for the domain: in a host as whole labels, elsewhere anywhere. Pure functions;
 * any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"
#include "mail/name.h"

/*! Schemes, to be joined with |. */
typedef enum {
	MAIL_URI_MAILTO = 1 << 0,
	MAIL_URI_HTTPS = 1 << 1,
} mail_uri_scheme_t;

/*! What the record around a URI asks for. */
typedef struct {
	unsigned schemes; /*!< mail_uri_scheme_t: those that are allowed. */
	const char
		*escape; /*!< Characters that the record's syntax owns: percent-encoded in a URI. */
	bool size;       /*!< A size limit "!10m" may follow (RFC 7489 6.2); written as it is. */
} mail_uri_form_t;

/*!
 * Check a URI and write it as a record holds it: scheme and host in small letters, what must be
 * percent-encoded encoded.
 *
 * \return KNOT_EOK; KNOT_EINVAL with reason and column; KNOT_ENOMEM, KNOT_ESPACE (out).
 */
int mail_uri_write(mail_str_t uri, const mail_uri_form_t *form, mail_buf_t *out, mail_diag_t *diag);

/*! As mail_uri_write() for a list with commas, which is written without white space. */
int mail_uri_list_write(mail_str_t list, const mail_uri_form_t *form, mail_buf_t *out,
                        mail_diag_t *diag);

/*!
 * Take the next URI from a list. A comma separates when a scheme follows it; else it belongs to the
 * URI.
 *
 * \param pos  Starts at 0 and is moved; len + 1 at the end.
 * \param uri  Out: without white space around it; may be empty.
 *
 * \return false at the end.
 */
bool mail_uri_next(mail_str_t list, size_t *pos, mail_str_t *uri);

/*!
 * Find the parts of a URI, and say nothing on whether they are right.
 *
 * \param scheme  Out: one of mail_uri_scheme_t, or 0 (another).
 * \param host    Out: the domain of the address of a mailto:, the host of an https:; or empty.
 */
void mail_uri_parts(mail_str_t uri, unsigned *scheme, mail_str_t *host);

/*!
 * Check a host name, absolute whether or not there is a dot at its end, and write it without
 * that dot, in small letters. At least two labels, or a hole.
 */
int mail_uri_host_write(mail_str_t host, mail_buf_t *out, mail_diag_t *diag);
