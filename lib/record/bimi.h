/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief BIMI (draft-brand-indicators-for-message-identification).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*!
 * Parse "SELECTOR L-URI [A-URI]" or "L-URI [A-URI]" (selector default), or "SELECTOR none" (refusal),
 * and write "v=BIMI1; l=...; a=..."; https only.
 *
 * \param selector  Out: part of text, or "default".
 */
int mail_bimi_render(mail_str_t text, mail_str_t *selector, mail_rdata_t *rdata, mail_diag_t *diag);
