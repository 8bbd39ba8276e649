/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Where names stand in the values of items: each function appends a value in which the U-labels of its names are
 *        A-labels, and all else is as it was; it checks nothing else. For whoever writes entries: the store has A-labels.
 *
 * Names alone, and values in which whatever is not ASCII is a name (MX, SRV), need mail_idna_write() only.
 *
 * \return All: KNOT_EOK; KNOT_EINVAL with reason and column: a bad U-label, or a value whose parts cannot be told apart;
 *         KNOT_ENOMEM. Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! SPF terms (RFC 7208): the domains of mechanisms, redirect= and exp=, unless a macro stands beside them. */
int mail_ulabel_spf(mail_str_t terms, mail_buf_t *out, mail_diag_t *diag);
/*! URIs joined by blanks or commas, perhaps after "tag=" (DMARC, TLS-RPT, BIMI): the hosts (RFC 8616). */
int mail_ulabel_uris(mail_str_t uris, mail_buf_t *out, mail_diag_t *diag);
/*! A mailbox as in the SOA: a name, or the domain of an address. */
int mail_ulabel_mailbox(mail_str_t mailbox, mail_buf_t *out, mail_diag_t *diag);
/*! A literal record: its owner, and the names of its RDATA. */
int mail_ulabel_record(mail_str_t record, mail_buf_t *out, mail_diag_t *diag);
