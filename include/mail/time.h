/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Times as text: RFC 3339, UTC ("2026-01-31T12:00:00Z"). Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! The last second that RFC 3339 can write: 9999-12-31T23:59:59Z. The first one here is 0. */
#define MAIL_TIME_MAX INT64_C(253402300799)

/*! Parse a time. \param out Seconds since 1970. \return KNOT_EOK or KNOT_EINVAL. */
int mail_time_parse(mail_str_t text, int64_t *out, mail_diag_t *diag);
/*! Write a time, 20 characters. */
int mail_time_print(int64_t seconds, mail_buf_t *out);
