/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Stored values and entries. Their layout is at the top of lib/model/codec.c and in doc/mail-store.rst.
 *
 * The octets do not include the native header: the store removes it. No stored octet is trusted: every decoder
 * returns KNOT_EMALF for octets that no encoder writes, and KNOT_ENOTSUP for a newer format.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/rows.h"

/*! Version of the value layout that this code writes. It reads this version and all versions before. */
#define MAIL_CODEC_VERSION 2

/*! Items of a domain have numbers below it, so that they are bits of a word. */
#define MAIL_CODEC_ITEMS 64
/*! Items of a domain that this code knows. */
#define MAIL_CODEC_KNOWN                                                                           \
	(((UINT64_C(2) << MAIL_ITEM_TTL_WAS) - (UINT64_C(1) << MAIL_ITEM_POLICY)) |                \
	 ((UINT64_C(2) << MAIL_ITEM_KEY_SET) - (UINT64_C(1) << MAIL_ITEM_HOST)))
/*! Items that leave a domain plain: what it follows, and what a writer notes by itself. */
#define MAIL_CODEC_UNSEEN                                                                          \
	(UINT64_C(1) << MAIL_ITEM_POLICY | UINT64_C(1) << MAIL_ITEM_ALIAS |                        \
	 UINT64_C(1) << MAIL_ITEM_DS_FROM | UINT64_C(1) << MAIL_ITEM_TTL_WAS)

/*!
 * Encode the members of an entry.
 *
 * \param out  Out: the stored form is appended. After an error out is as it was before.
 *
 * \return KNOT_EOK; KNOT_EINVAL (a value does not have the form that mail_item_normalise() writes); KNOT_ENOMEM;
 *         KNOT_ESPACE.
 */
int mail_codec_encode(const mail_entry_t *entry, mail_buf_t *out);
/*! As mail_codec_encode(), in a layout that readers of a version know. */
int mail_codec_encode_as(const mail_entry_t *entry, unsigned version, mail_buf_t *out);
/*!
 * Decode an entry.
 *
 * \param entry  Out: a new entry with a zero stamp; the caller frees it. NULL on an error.
 *
 * \return KNOT_EOK; KNOT_EMALF; KNOT_ENOTSUP (a newer version, or an unknown item); KNOT_ENOMEM.
 */
int mail_codec_decode(mail_section_t section, mail_str_t id, const uint8_t *data, size_t len,
                      mail_entry_t **entry);

/*! As mail_codec_decode(), but leave out the members of items that are not in the row of bits. */
int mail_codec_decode_items(mail_section_t section, mail_str_t id, mail_str_t value, uint64_t items,
                            mail_entry_t **entry);

/*! The entry of a domain, read in place. The strings point into the stored octets. */
typedef struct {
	mail_str_t policy; /*!< Policy id, or empty. */
	mail_str_t alias;  /*!< Target of an alias, as text, or empty. */
	int64_t ds_from;   /*!< From then on its DS may be named, or 0. */
	bool noted;        /*!< A writer noted TTLs that it had before. */
	bool plain; /*!< It sets nothing but policy or alias; what a writer notes by itself does not count. */
	uint64_t
		set; /*!< Items that it sets or removes, as bits; without those that leave it plain. */
	uint64_t added;     /*!< Items that it adds to. */
	mail_rows_t rows;   /*!< Its literal records; data is NULL: they are not rendered. */
	mail_str_t value;   /*!< Its stored form. */
	bool alone;         /*!< Set by the store, where it knows: no domain is stored below. */
	mail_stamp_t stamp; /*!< Set by the store; zero here. */
	int error; /*!< Set by the store: the entry exists and this is why it cannot be read; zero here. */
} mail_domain_t;

/*!
 * Read the entry of a domain in place: what it follows, and which items it has. Only mail_codec_decode() checks their
 * values.
 *
 * \return KNOT_EOK; KNOT_EMALF; KNOT_ENOTSUP.
 */
int mail_codec_domain(const uint8_t *data, size_t len, mail_domain_t *domain);

/*! A DKIM key, read in place. The strings point into the stored octets. Times are seconds since 1970. */
typedef struct {
	mail_str_t key;   /*!< Stored form of the key (mail/dkim.h); empty with a cname. */
	mail_str_t cname; /*!< Name as text, relative or absolute; or empty. */
	mail_str_t tags;  /*!< The tags, or the default; empty for "none". */
	int64_t publish;  /*!< 0: always. */
	int64_t activate;
	int64_t retire;     /*!< INT64_MAX: never. */
	int64_t remove;     /*!< INT64_MAX: never. */
	bool revoke;        /*!< The record has an empty p= from retire to remove. */
	mail_stamp_t stamp; /*!< Set by the store; zero here. */
	bool deleted;       /*!< Set by the store: the key is a tombstone; false here. */
	int error; /*!< Set by the store: the reason why the key cannot be read; zero here. */
} mail_dkim_t;

/*! Default tags of a DKIM key. */
#define MAIL_DKIM_TAGS_DEFAULT "h=sha256"

/*!
 * Read a DKIM key in place.
 *
 * \return KNOT_EOK; KNOT_EMALF (also: it has neither key nor cname, or both); KNOT_ENOTSUP.
 */
int mail_codec_dkim(const uint8_t *data, size_t len, mail_dkim_t *dkim);
