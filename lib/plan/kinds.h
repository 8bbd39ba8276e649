/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Renderers of kinds that live beside the table: those of hosts, and those of DKIM keys.
 */
#pragma once

#include "mail/kind.h"

/*! Reads the hosts of the profile once; KNOT_EOK or why not (noted with mail_build_bad). */
int mail_hosts_read(mail_build_t *build);
/*! The hosts' addresses as SPF terms, a space after each. */
int mail_hosts_spf(mail_build_t *build, mail_buf_t *terms);

int mail_host_address(mail_build_t *build, const mail_kind_t *kind);
int mail_host_helo(mail_build_t *build, const mail_kind_t *kind);
int mail_host_tlsa(mail_build_t *build, const mail_kind_t *kind);
int mail_policy_keys(mail_build_t *build, const mail_kind_t *kind);

int mail_key_row(mail_build_t *build, const mail_kind_t *kind);

/*!
 * Says how a DKIM key is shown at a time: row's type, from and until.
 *
 * \return KNOT_EOK; KNOT_ENOENT when it is not shown then (from: when it will be; INT64_MAX: never again).
 */
int mail_dkim_state(const mail_dkim_t *dkim, int64_t now, mail_row_t *row);

/*!
 * Writes the record of a DKIM key as it is at a time.
 *
 * \param row  Out: as mail_dkim_state(), and rdata (appended to row->rdata, whose buffer may be fixed). ttl
 *             and kind are left alone.
 *
 * \return As mail_dkim_state(), or what the renderer says.
 */
int mail_dkim_row(const mail_dkim_t *dkim, int64_t now, mail_row_t *row);
