/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Stored values and entries. The layout is at the top of lib/model/codec.c and in
 * doc/mail-store.rst.
 *
 * What is decoded here does not have the native header in front: the store takes that off.
 * Nothing stored is trusted: every decoder returns KNOT_EMALF for octets that no encoder writes,
 * and KNOT_ENOTSUP for a newer format. Pure functions; any thread.
 */
#pragma once

#include "mail/entry.h"

/*! Version of the value layout that this code writes; it reads this and all before. */
#define MAIL_CODEC_VERSION 1

/*!
 * Encode an entry (its members): append the value, nothing on an error.
 *
 * \return KNOT_EOK; KNOT_EINVAL (a value that mail_item_normalise() did not write); KNOT_ENOMEM;
 *         KNOT_ESPACE.
 */
int mail_codec_encode(const mail_entry_t *entry, mail_buf_t *out);
/*!
 * Decode an entry.
 *
 * \param entry  Out: a new entry, the caller frees it; its stamp is zero. NULL on an error.
 *
 * \return KNOT_EOK; KNOT_EMALF; KNOT_ENOTSUP (a newer version, an item that is not known here);
 *         KNOT_ENOMEM.
 */
int mail_codec_decode(mail_section_t section, mail_str_t id, const uint8_t *data, size_t len,
                      mail_entry_t **entry);

/*! A domain's entry, read in place. The strings point into the stored octets. */
typedef struct {
	mail_str_t policy;  /*!< Policy id, or empty. */
	mail_str_t alias;   /*!< Target of an alias, as text, or empty. */
	bool plain;         /*!< It sets nothing but policy or alias. */
	mail_stamp_t stamp; /*!< Set by the store; zero here. */
	int error; /*!< Set by the store: the entry exists and this is why it cannot be read; zero here. */
} mail_domain_t;

/*!
 * Read a domain's entry in place, no further than its policy and alias: the rest of one that is
 * not plain is checked by mail_codec_decode() alone.
 *
 * \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP.
 */
int mail_codec_domain(const uint8_t *data, size_t len, mail_domain_t *domain);

/*! A DKIM key, read in place. */
typedef struct {
	mail_str_t key;   /*!< As stored (mail/dkim.h); empty with a cname. */
	mail_str_t cname; /*!< Name as text (relative or absolute), or empty. */
	mail_str_t tags;  /*!< The default when none are set; empty for "none". */
	int64_t publish;  /*!< Seconds; 0: always. */
	int64_t activate;
	int64_t retire;     /*!< INT64_MAX: never. */
	int64_t remove;     /*!< INT64_MAX: never. */
	bool revoke;        /*!< Empty p= from retire to remove. */
	mail_stamp_t stamp; /*!< Set by the store; zero here. */
	bool deleted;       /*!< Set by the store: a tombstone; false here. */
	int error; /*!< Set by the store: the key exists and this is why it cannot be read; zero here. */
} mail_dkim_t;

/*! Default of a DKIM key's tags. */
#define MAIL_DKIM_TAGS_DEFAULT "h=sha256"

/*!
 * Read a DKIM key in place.
 *
 * \return KNOT_EOK, KNOT_EMALF (also: neither or both of key and cname), KNOT_ENOTSUP.
 */
int mail_codec_dkim(const uint8_t *data, size_t len, mail_dkim_t *dkim);
