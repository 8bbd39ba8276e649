/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Domain names: text, wire, and the key of a name in the store.
 *
 * The key of a name is its labels in reverse order, lower case, 00 between two labels, no 00 at the
 * end; inside a label the octet 00 is written 01 01 and 01 is written 01 02.  So keys sort as names
 * do (RFC 4034 6.1), a name and all below it are contiguous, and no two names share a key.  The key
 * of the root is empty.
 *
 * All functions are pure; any thread.
 */
#pragma once

#include <endian.h>

#include "mail/buf.h"

/*! No key of a name is longer: 253 octets of labels at most, each doubled, and separators. */
#define MAIL_KEY_MAX 511

/*! The hole for the domain in a value. */
#define MAIL_HOLE "{domain}"

/*!
 * Writes the key of a name.
 *
 * \param name  Wire name, any case, uncompressed.
 * \param key   Room for MAIL_KEY_MAX octets.
 *
 * \return Length of the key; 0 for the root.
 */
size_t mail_name_key(const knot_dname_t *name, uint8_t *key);

/*!
 * Writes the name of a key.
 *
 * \return KNOT_EOK; KNOT_EMALF when the octets are the key of no name.
 */
int mail_name_from_key(const uint8_t *key, size_t len, knot_dname_storage_t name);

/*!
 * The first eight octets of a key as a number, as if 00 followed a shorter one: of two keys with different numbers the one
 * with the smaller is less.
 */
static inline uint64_t mail_key_prefix(const uint8_t *key, size_t len)
{
	uint64_t prefix = 0;
	if (len >= sizeof(prefix)) {
		memcpy(&prefix, key, sizeof(prefix));
		return be64toh(prefix);
	}
	for (size_t i = 0; i < len; i++) {
		prefix |= (uint64_t)key[i] << (56 - 8 * i);
	}
	return prefix;
}

/*! Compares two keys as a store sorts them, which is the canonical order of their names (RFC 4034 6.1). */
static inline int mail_key_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const size_t common = a_len < b_len ? a_len : b_len;
	const int diff = common > 0 ? memcmp(a, b, common) : 0;
	return diff != 0 ? diff : (a_len > b_len) - (a_len < b_len);
}

/*! Says whether key is that of apex (both keys) or of a name below it. */
static inline bool mail_key_in(const uint8_t *key, size_t len, const uint8_t *apex, size_t apex_len)
{
	return len >= apex_len && memcmp(key, apex, apex_len) == 0 &&
	       (len == apex_len || apex_len == 0 || key[apex_len] == 0);
}

/*! The name above an uncompressed wire name that is not the root. */
static inline const knot_dname_t *mail_name_parent(const knot_dname_t *name)
{
	return name + 1 + *name;
}

/*! Number of labels in a key. */
unsigned mail_key_labels(const uint8_t *key, size_t len);

/*! Length of the key of the parent: the key without its last label. */
size_t mail_key_parent(const uint8_t *key, size_t len);

/*!
 * Parses an absolute domain name (the dot at its end may be missing), as people write it: U-labels
 * become A-labels (IDNA2008, RFC 5891), capitals become small.
 *
 * \param text  The name.
 * \param name  Out: the wire name.
 * \param diag  Out: the reason; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (empty label, label over 63 octets, name over 255, bad U-label).
 */
int mail_name_parse(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag);

/*! A name as a policy holds it: labels, perhaps a hole for the domain, labels. */
typedef struct {
	uint8_t head
		[KNOT_DNAME_MAXLEN]; /*!< Wire labels before the hole (or all), without the root. */
	uint8_t tail[KNOT_DNAME_MAXLEN]; /*!< Wire labels after the hole, without the root. */
	uint8_t head_len;
	uint8_t tail_len;
	bool hole; /*!< The domain's labels stand between head and tail. */
} mail_pattern_t;

/*!
 * Parses a name that may be relative to the domain (no dot at its end), absolute (with one), `@`
 * (the domain itself), or hold `{domain}` once, as whole labels ("{domain}.relay.example.").
 * `.` alone is the root.
 *
 * \return KNOT_EOK; KNOT_EINVAL as mail_name_parse.
 */
int mail_pattern_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * As mail_pattern_parse() for the name of a host that something is delivered to: no IP address, no
 * wildcard. `.` alone is taken.
 */
int mail_host_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * Writes a pattern as absolute name without a dot at its end, with `{domain}` where the hole is
 * ("mail.{domain}"): what mail_rdata_text() takes. The root is ".".
 */
int mail_pattern_print(const mail_pattern_t *pattern, mail_buf_t *out);

/*!
 * Writes the name of a pattern for a domain.
 *
 * \param apex  The domain; NULL only for a pattern without a hole.
 *
 * \return KNOT_EOK; KNOT_ESPACE when it would be longer than 255 octets.
 */
int mail_pattern_name(const mail_pattern_t *pattern, const knot_dname_t *apex,
                      knot_dname_storage_t name);

/*!
 * Normalises a name in text: A-labels, small letters, the same relation to the domain; what
 * is stored. `@` and `.` stay.
 */
int mail_name_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);

/*! Writes a wire name as text, with no dot at its end (the root is "."). */
int mail_name_print(const knot_dname_t *name, mail_buf_t *out);
