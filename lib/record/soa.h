/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief SOA (RFC 1035 3.3.13, RFC 2308).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

#define MAIL_SOA_REFRESH 86400
#define MAIL_SOA_RETRY 7200
#define MAIL_SOA_EXPIRE 3600000
#define MAIL_SOA_MINIMUM 300

/*!
 * Write the RDATA with serial 0; the answer puts the serial in (20 octets before the end).
 *
 * \param mname  Name as mail_pattern_parse.
 * \param rname  The same, or an address "hostmaster@{domain}"; dots in the local part are escaped.
 */
int mail_soa_render(mail_str_t mname, mail_str_t rname, mail_rdata_t *rdata, mail_diag_t *diag);
