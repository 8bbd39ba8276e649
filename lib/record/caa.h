/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief CAA (RFC 8659).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*!
 * Parse "FLAGS TAG VALUE" (`0 issue "ca.example"`, quotes optional) or "TAG VALUE", and write the
 * RDATA. The value may hold `{domain}`.
 *
 * \return KNOT_EOK; KNOT_EINVAL. Warns about flags and tags that are not known.
 */
int mail_caa_render(mail_str_t text, mail_rdata_t *rdata, mail_diag_t *diag);
