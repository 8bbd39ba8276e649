/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Octets as text: base64 and hexadecimal (RFC 4648).
 *
 * Thread rule: a buffer belongs to one thread; there is no global state.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! Append octets as hexadecimal digits in lower case. \return KNOT_EOK or the sticking error. */
int mail_buf_hex(mail_buf_t *buf, const uint8_t *octets, size_t len);
/*! Append octets as base64 (RFC 4648 4). \return KNOT_EOK or the sticking error. */
int mail_buf_base64(mail_buf_t *buf, const uint8_t *octets, size_t len);
/*!
 * Parse base64 (RFC 4648 4), and append its octets. White space in the text is ignored.
 *
 * After an error, some octets may stay in out.
 *
 * \param diag  Out: reason and column of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (a bad character, wrong padding, no character at all); the sticking error of out.
 */
int mail_base64_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
