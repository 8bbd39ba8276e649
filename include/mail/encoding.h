/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Octets as text: base64 and hexadecimal (RFC 4648). Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! Append octets as hexadecimal digits, small letters. \return KNOT_EOK or the sticking error. */
int mail_buf_hex(mail_buf_t *buf, const uint8_t *octets, size_t len);
/*! Append octets as base64 (RFC 4648 4). \return KNOT_EOK or the sticking error. */
int mail_buf_base64(mail_buf_t *buf, const uint8_t *octets, size_t len);
/*!
 * Read base64 (RFC 4648 4), passing over blanks and line ends; append its octets, of which some stay after an
 * error.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason and column (also nothing at all); the sticking error of out.
 */
int mail_base64_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
