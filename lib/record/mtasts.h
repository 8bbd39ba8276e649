/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief MTA-STS (RFC 8461).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "record/mx.h"
#include "mail/rdata.h"

#define MAIL_MTASTS_MAX_AGE_DEFAULT 604800
#define MAIL_MTASTS_MAX_AGE_MAX 31557600

typedef struct {
	mail_str_t mode;     /*!< enforce, testing or none. */
	uint32_t max_age;    /*!< Seconds. */
	const mail_mx_t *mx; /*!< The exchanges. */
	size_t mx_count;
	mail_str_t id; /*!< Given id, or empty: derived from the body. */
} mail_mtasts_t;

/*! Check an id: 1 to 32 letters and digits. */
int mail_mtasts_id_check(mail_str_t id, mail_diag_t *diag);

/*!
 * Write the policy body (version, mode, mx lines in order, each host once, max_age; CRLF), a text with
 * holes.
 *
 * \return KNOT_EOK; KNOT_EINVAL (another mode, max_age too large, no exchange beside the null MX although
 *         the mode is not none); KNOT_ENOMEM.
 */
int mail_mtasts_body(const mail_mtasts_t *sts, mail_rdata_t *body);

/*! Write "v=STSv1; id=...". An id that is given does not make up for a body that cannot be. */
int mail_mtasts_render(const mail_mtasts_t *sts, mail_rdata_t *rdata, mail_diag_t *diag);
