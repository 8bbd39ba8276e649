/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief MX (RFC 5321 5.1, RFC 7505).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! One exchange, as parsed. */
typedef struct {
	uint16_t preference;
	mail_pattern_t host; /*!< The root: null MX. */
	bool null;
} mail_mx_t;

/*!
 * Parse "PREFERENCE HOST" ("10 mail"), "HOST" (preference 10), or "." / "0 ." (null MX).
 *
 * \return KNOT_EOK; KNOT_EINVAL (no number, an IP address as host, bad name).
 */
int mail_mx_parse(mail_str_t text, mail_mx_t *mx, mail_diag_t *diag);

/*! Write the RDATA of an exchange. */
int mail_mx_render(const mail_mx_t *mx, mail_rdata_t *rdata);
