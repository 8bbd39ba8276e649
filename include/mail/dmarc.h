/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DMARC (RFC 9989, RFC 9990, RFC 9991; RFC 7489 for old receivers).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! Check one "tag=value" (p sp np adkim aspf t psd fo rua ruf; pct rf ri with a warning; unknown refused). */
int mail_dmarc_tag_check(mail_str_t tag, mail_diag_t *diag);

/*!
 * Write "v=DMARC1; p=...; ..." in the order v p sp np adkim aspf t psd pct rf ri fo rua ruf, with
 * each tag as given last. A tag with an empty value is left out. p defaults to none.
 * In rua and ruf, URIs are checked and `,` `!` in them percent-encoded when written in list
 * elements; hosts in mailto: become A-labels.
 *
 * \return KNOT_EOK; KNOT_EINVAL. Warns: pct rf ri, fo without ruf, sp weaker than np, p=none with sp stricter.
 */
int mail_dmarc_render(const mail_str_t *tags, size_t n, mail_rdata_t *rdata, mail_diag_t *diag);

/*!
 * Walk the domains of the report addresses in a rua or ruf value ("mailto:a@x.example!10m,mailto:...").
 *
 * \param value  The value; *pos starts at 0 and is moved.
 * \param host   Out: the domain of the next mailto: address, as written (may be `{domain}` or hold it).
 *
 * \return true when one was found.
 */
bool mail_dmarc_report_next(mail_str_t value, size_t *pos, mail_str_t *host);
