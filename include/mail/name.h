/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Domain names: text, wire, and lookup format.
 *
 * The lookup format of a name is its labels in reverse order, lower case, 00 between two labels, no 00 at the
 * end; inside a label the octet 00 is written 01 01 and 01 is written 01 02. So names in lookup format sort as
 * names do (RFC 4034 6.1), a name and all below it are contiguous, and no two names are written alike. The root
 * is empty.
 *
 * All functions are pure; any thread.
 */
#pragma once

#include <endian.h>

#include "mail/buf.h"
#include "mail/diag.h"

/*! No name in lookup format is longer: 253 octets of labels at most, each doubled, and separators. */
#define MAIL_LF_MAX 511

/*! The hole for the domain in a value. */
#define MAIL_HOLE "{domain}"

/*!
 * \brief A name in lookup format, whole or relative to another one, in memory of somebody else.
 *
 * The key of an entry in its database is one, too: of a domain and of a DKIM key it is a name's.
 */
typedef struct {
	const uint8_t *data;
	size_t len;
} mail_lf_t;

/*! Room for a name in lookup format, and for one octet that makes an edge of it. */
typedef struct {
	size_t len;
	uint8_t data[MAIL_LF_MAX + 1];
} mail_lf_storage_t;

/*! The lookup format of a literal, written as its octets. */
#define MAIL_LF(octets) ((mail_lf_t){ (const uint8_t *)(octets), sizeof(octets) - 1 })

/*! Return the name that a room holds; valid until the room changes. */
static inline mail_lf_t mail_lf(const mail_lf_storage_t *storage)
{
	return (mail_lf_t){ storage->data, storage->len };
}

/*!
 * \brief Write the lookup format of a name.
 *
 * \param name  Wire name, any case, uncompressed.
 */
void mail_name_lf(const knot_dname_t *name, mail_lf_storage_t *lf);

/*!
 * \brief Write the name that a lookup format stands for.
 *
 * \return KNOT_EOK; KNOT_EMALF when the octets are the lookup format of no name.
 */
int mail_name_from_lf(mail_lf_t lf, knot_dname_storage_t name);

/*! Copy a name in lookup format of at most MAIL_LF_MAX octets, which may lie in the room itself. */
static inline void mail_lf_copy(mail_lf_t lf, mail_lf_storage_t *storage)
{
	memmove(storage->data, lf.data, lf.len);
	storage->len = lf.len;
}

/*! Turn a name into an edge that sorts behind all names below it: 01 begins nothing that follows a whole name. */
static inline void mail_lf_behind(mail_lf_storage_t *lf)
{
	lf->data[lf->len++] = 1;
}

/*! Turn a name into an edge that sorts between it and all names below it. */
static inline void mail_lf_ahead(mail_lf_storage_t *lf)
{
	lf->data[lf->len++] = 0;
}

/*!
 * \brief Write the name that a relative one stands for below an apex.
 *
 * \param relative  Empty: the apex itself. It does not lie in the room.
 * \param out       The apex may lie in it.
 *
 * \return KNOT_EOK; KNOT_ESPACE when it would be longer than MAIL_LF_MAX.
 */
static inline int mail_lf_join(mail_lf_t apex, mail_lf_t relative, mail_lf_storage_t *out)
{
	const size_t dot = relative.len > 0 && apex.len > 0;
	if (apex.len + dot + relative.len > MAIL_LF_MAX) {
		return KNOT_ESPACE;
	}
	if (apex.len > 0) {
		memmove(out->data, apex.data, apex.len);
	}
	memset(out->data + apex.len, 0, dot);
	if (relative.len > 0) {
		memcpy(out->data + apex.len + dot, relative.data, relative.len);
	}
	out->len = apex.len + dot + relative.len;
	return KNOT_EOK;
}

/*!
 * \brief Return the first eight octets of a name in lookup format as a number, as if 00 followed a shorter one.
 *
 * Of two names with different numbers the one with the smaller number is less.
 */
static inline uint64_t mail_lf_prefix(mail_lf_t lf)
{
	uint64_t prefix = 0;
	if (lf.len >= sizeof(prefix)) {
		memcpy(&prefix, lf.data, sizeof(prefix));
		return be64toh(prefix);
	}
	for (size_t i = 0; i < lf.len; i++) {
		prefix |= (uint64_t)lf.data[i] << (56 - 8 * i);
	}
	return prefix;
}

/*! Compare two names as a store sorts them, which is their canonical order (RFC 4034 6.1). */
static inline int mail_lf_compare(mail_lf_t a, mail_lf_t b)
{
	const size_t common = a.len < b.len ? a.len : b.len;
	const int diff = common > 0 ? memcmp(a.data, b.data, common) : 0;
	return diff != 0 ? diff : (a.len > b.len) - (a.len < b.len);
}

/*! Return whether two names in lookup format are equal. */
static inline bool mail_lf_equal(mail_lf_t a, mail_lf_t b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*! Return whether a name is at or below an apex. */
static inline bool mail_lf_in(mail_lf_t lf, mail_lf_t apex)
{
	return apex.len == 0 || (lf.len >= apex.len && memcmp(lf.data, apex.data, apex.len) == 0 &&
	                         (lf.len == apex.len || lf.data[apex.len] == 0));
}

/*! Return whether a name is below an apex. */
static inline bool mail_lf_below(mail_lf_t lf, mail_lf_t apex)
{
	return lf.len > apex.len && mail_lf_in(lf, apex);
}

/*! Return what a name that is at or below an apex has below it; empty: it is the apex. */
static inline mail_lf_t mail_lf_relative(mail_lf_t lf, mail_lf_t apex)
{
	const size_t skip = apex.len < lf.len && apex.len > 0 ? apex.len + 1 : apex.len;
	return (mail_lf_t){ lf.data + skip, lf.len - skip };
}

/*! Return the number of labels. */
unsigned mail_lf_labels(mail_lf_t lf);

/*! Return the name above: all but the last label. */
static inline mail_lf_t mail_lf_parent(mail_lf_t lf)
{
	while (lf.len > 0 && lf.data[--lf.len] != 0) {
	}
	return lf;
}

/*! The name above an uncompressed wire name that is not the root. */
static inline const knot_dname_t *mail_name_parent(const knot_dname_t *name)
{
	return name + 1 + *name;
}

/*!
 * Parse an absolute domain name (the dot at its end may be missing), as the store has it or people write it: capitals
 * become small. International names are A-labels (RFC 5890 2.3.2.1); what people write is converted before.
 *
 * \param text  The name.
 * \param name  Out: the wire name.
 * \param diag  Out: the reason; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (empty label, label over 63 octets, name over 255).
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

/*! Append a label, behind the hole if there is one. \return KNOT_EOK; KNOT_ESPACE: the name would be over 255 octets. */
int mail_pattern_label(mail_pattern_t *pattern, const uint8_t *label, size_t len);

/*!
 * Parse a name that may be relative to the domain (no dot at its end), absolute (with one), `@`
 * (the domain itself), or hold `{domain}` once, as whole labels ("{domain}.relay.example.").
 * `.` alone is the root.
 *
 * \return KNOT_EOK; KNOT_EINVAL as mail_name_parse.
 */
int mail_pattern_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * As mail_pattern_parse() for the name of a host that something is delivered to: no IP address, no
 * wildcard. `.` alone is taken.
 *
 * \param absolute  The name is absolute whether or not there is a dot at its end, and no `@`.
 */
int mail_host_parse(mail_str_t text, bool absolute, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * Write a pattern as absolute name without a dot at its end, with `{domain}` where the hole is
 * ("mail.{domain}"): what mail_rdata_text() takes. The root is ".".
 */
int mail_pattern_print(const mail_pattern_t *pattern, mail_buf_t *out);

/*!
 * Write the name of a pattern for a domain.
 *
 * \param apex  The domain; NULL only for a pattern without a hole.
 *
 * \return KNOT_EOK; KNOT_ESPACE when it would be longer than 255 octets.
 */
int mail_pattern_name(const mail_pattern_t *pattern, const knot_dname_t *apex,
                      knot_dname_storage_t name);

/*!
 * Normalise a name in text: small letters, the same relation to the domain; what is stored. `@` and
 * `.` stay.
 */
int mail_name_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);

/*! Write a wire name as text, with no dot at its end (the root is "."). */
int mail_name_print(const knot_dname_t *name, mail_buf_t *out);
