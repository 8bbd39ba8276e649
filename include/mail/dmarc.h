/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DMARC (RFC 9989, RFC 9990, RFC 9991; RFC 7489 for old receivers).
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/rdata.h"

/*! What a record begins with. */
#define MAIL_DMARC_VERSION "v=DMARC1"

/*!
 * Check one tag with its value, such as "p=reject" (RFC 9989 4.7).
 *
 * \param diag  Out: reason and column of an error. It also takes the warning about pct, rf and ri, which are gone.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (also an unknown tag); KNOT_ENOMEM.
 */
int mail_dmarc_tag_check(mail_str_t tag, mail_diag_t *diag);

/*!
 * Write a record: "v=DMARC1; p=...; ...".
 *
 * The tags are in the order v p sp np adkim aspf t psd pct rf ri fo rua ruf. If a tag is given twice, the last one
 * counts. A tag with an empty value is left out. The default of p is none. URIs in rua and ruf are checked: `,` and
 * `!` in them are percent-encoded if each URI is a list element, and hosts in mailto: become A-labels.
 *
 * \param tags  The tags, n of them.
 * \param diag  Out: reason of an error. It also takes warnings: pct, rf or ri; fo without ruf; sp or np weaker
 *              than p; sp weaker than np; p=none with a stricter sp.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_dmarc_render(const mail_str_t *tags, size_t n, mail_rdata_t *rdata, mail_diag_t *diag);

/*!
 * Find the domain of the next report address in a value of rua or ruf
 * ("mailto:a@x.example!10m,mailto:b@y.example").
 *
 * \param value  The value.
 * \param pos    In and out: where to go on; 0 at first.
 * \param host   Out: the domain of the next mailto: address as it is written, a part of value. It may contain
 *               `{domain}`.
 *
 * \return Whether there was one.
 */
bool mail_dmarc_report_next(mail_str_t value, size_t *pos, mail_str_t *host);
