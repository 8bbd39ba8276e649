/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The renderers of the table of kinds, and what they share.
 *
 * A renderer writes the rows of a kind into a plan (mail/kind.h), or none. It returns KNOT_EOK, KNOT_ENOMEM, or why a
 * value cannot be rendered, which mail_build_bad() has noted.
 */
#pragma once

#include "mail/kind.h"
#include "plan/build.h"
#include "record/mx.h"

/* kind_zone.c */
int mail_kind_soa(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_ns(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_txt(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_caa(mail_build_t *build, const mail_kind_t *kind);
/*! Literal records, or delegations: arg is the item. */
int mail_kind_literal(mail_build_t *build, const mail_kind_t *kind);

/* kind_mail.c */
int mail_kind_mx(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_spf(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_dmarc(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_bimi(mail_build_t *build, const mail_kind_t *kind);
/*! A domain without mail revokes every key that it may ever have had. */
int mail_kind_no_keys(mail_build_t *build, const mail_kind_t *kind);
/*! Read the exchanges of the profile; null MX for a domain without mail. */
int mail_kind_exchanges(mail_build_t *build, mail_mx_t mx[MAIL_LIST_MAX], size_t *count);

/* kind_service.c */
int mail_kind_mtasts(mail_build_t *build, const mail_kind_t *kind);
/*! A CNAME at a fixed owner to the name that the item arg holds. */
int mail_kind_cname(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_tlsrpt(mail_build_t *build, const mail_kind_t *kind);
/*! One SRV service: arg is its mail_srv_id_t. */
int mail_kind_srv(mail_build_t *build, const mail_kind_t *kind);

/* kind_host.c */
/*! A or AAAA: the kind's type. */
int mail_kind_address(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_helo(mail_build_t *build, const mail_kind_t *kind);
int mail_kind_tlsa(mail_build_t *build, const mail_kind_t *kind);
/*! Read the hosts of the profile, once. \return KNOT_EOK or why not, which mail_build_bad() has noted. */
int mail_hosts_read(mail_build_t *build);
/*! Write the hosts' addresses as SPF terms, a space after each. */
int mail_hosts_spf(mail_build_t *build, mail_buf_t *terms);

/* kind_key.c */
/*! DNSKEY, CDS or CDNSKEY: the kind's type. DNSKEY comes first and reads the key set for all. */
int mail_kind_dnskey(mail_build_t *build, const mail_kind_t *kind);

/* kind_dkim.c */
/*! The policies' DKIM keys whose records are of the kind's type. */
int mail_kind_dkim(mail_build_t *build, const mail_kind_t *kind);

/*!
 * Return how a DKIM key is shown at a time: row's type, from and until.
 *
 * \return KNOT_EOK; KNOT_ENOENT when it is not shown then (from: when it will be; INT64_MAX: never again).
 */
int mail_dkim_state(const mail_dkim_t *dkim, int64_t now, mail_row_t *row);

/*!
 * Write the record of a DKIM key as it is at a time.
 *
 * \param row  Out: as mail_dkim_state(), and rdata (appended to row->rdata, whose buffer may be fixed). ttl
 *             and kind are left alone.
 *
 * \return As mail_dkim_state(), or what the renderer says.
 */
int mail_dkim_row(const mail_dkim_t *dkim, int64_t now, mail_row_t *row);

/*! A value being rendered. */
typedef struct {
	mail_rdata_t *rdata;
	mail_item_id_t item;           /*!< The item that it is of, for the message. */
	const mail_setting_t *setting; /*!< NULL: no single one. */
} mail_kind_value_t;

/*! Put a row, shown always; or free its RDATA and note what could not be rendered. \param ret What rendering returned. */
int mail_kind_put(mail_build_t *build, const mail_kind_t *kind, const char *owner,
                  const mail_kind_value_t *value, int ret);

/*! Return the values of an item. */
static inline const mail_settings_t *mail_kind_settings(const mail_build_t *build,
                                                        mail_item_id_t item)
{
	return &build->profile->items[item];
}

/*! Return whether the domain has no mail (RFC 7505). */
static inline bool mail_kind_no_mail(const mail_build_t *build)
{
	return mail_profile_switch(build->profile, MAIL_ITEM_NO_MAIL);
}
