/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief TLS-RPT (RFC 8460).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! Check one report URI: mailto: or https:. */
int mail_tlsrpt_uri_check(mail_str_t uri, mail_diag_t *diag);

/*! Write "v=TLSRPTv1; rua=URI,URI"; `,` `!` `;` within a URI are percent-encoded. */
int mail_tlsrpt_render(const mail_str_t *uris, size_t n, mail_rdata_t *rdata, mail_diag_t *diag);
