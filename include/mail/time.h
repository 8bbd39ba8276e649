/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Times as text: RFC 3339, UTC ("2026-01-31T12:00:00Z").
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! The last second that RFC 3339 can express: 9999-12-31T23:59:59Z. Stored times begin at 0. */
#define MAIL_TIME_MAX INT64_C(253402300799)

/*!
 * Parse a time (RFC 3339 5.6, only UTC with `Z` and without fractions of a second).
 *
 * \param out   Out: seconds since 1970.
 * \param diag  Out: reason and column of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (another form, or no such day or time; also a leap second).
 */
int mail_time_parse(mail_str_t text, int64_t *out, mail_diag_t *diag);
/*!
 * Append a time as text, 20 characters.
 *
 * \param seconds  Seconds since 1970.
 *
 * \return KNOT_EOK; KNOT_ERANGE (the year has not four digits); the sticking error of out.
 */
int mail_time_print(int64_t seconds, mail_buf_t *out);
