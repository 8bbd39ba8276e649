/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Domain names: text, wire, and lookup format.
 *
 * The lookup format of a name is its labels in reverse order and in lower case. An octet 00 stands between two
 * labels, and none stands at the end. Within a label, 00 is written 01 01, and 01 is written 01 02. So the
 * lookup format sorts in the canonical order of names (RFC 4034 6.1), a name and all names below it are
 * neighbours, and no two names have the same lookup format. The lookup format of the root is empty.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include <endian.h>

#include "mail/buf.h"
#include "mail/diag.h"

/*! Greatest length of a name in lookup format: at most 253 octets of labels, each doubled, and separators. */
#define MAIL_LF_MAX 511

/*! The text in a value that stands for the domain. */
#define MAIL_HOLE "{domain}"

/*!
 * \brief A name in lookup format, whole or relative to another name. Another object owns the octets.
 *
 * The key of an entry in its database has this type, too. For a domain and for a DKIM key it is the key of a name.
 */
typedef struct {
	const uint8_t *data;
	size_t len;
} mail_lf_t;

/*! Storage for a name in lookup format, and for one more octet that turns the name into an edge. */
typedef struct {
	size_t len;
	uint8_t data[MAIL_LF_MAX + 1];
} mail_lf_storage_t;

/*! Make a mail_lf_t of a string literal that has the octets of the lookup format. */
#define MAIL_LF(octets) ((mail_lf_t){ (const uint8_t *)(octets), sizeof(octets) - 1 })

/*! Return the name in a storage. It is valid until the storage changes. */
static inline mail_lf_t mail_lf(const mail_lf_storage_t *storage)
{
	return (mail_lf_t){ storage->data, storage->len };
}

/*!
 * \brief Write the lookup format of a name.
 *
 * \param name  Uncompressed wire name, in any case.
 * \param lf    Out: the lookup format.
 */
void mail_name_lf(const knot_dname_t *name, mail_lf_storage_t *lf);

/*!
 * \brief Write the wire name of a lookup format.
 *
 * \return KNOT_EOK; KNOT_EMALF (no name has this lookup format).
 */
int mail_name_from_lf(mail_lf_t lf, knot_dname_storage_t name);

/*! Copy a name in lookup format of at most MAIL_LF_MAX octets. It may point into the storage itself. */
static inline void mail_lf_copy(mail_lf_t lf, mail_lf_storage_t *storage)
{
	memmove(storage->data, lf.data, lf.len);
	storage->len = lf.len;
}

/*! Turn a name into an edge that sorts after all names below it. Its last octet 01 never follows a whole name. */
static inline void mail_lf_behind(mail_lf_storage_t *lf)
{
	lf->data[lf->len++] = 1;
}

/*! Turn a name into an edge that sorts between the name and all names below it. */
static inline void mail_lf_ahead(mail_lf_storage_t *lf)
{
	lf->data[lf->len++] = 0;
}

/*!
 * \brief Write the whole name of a name that is relative to an apex.
 *
 * \param relative  The relative name; empty: the apex itself. It must not point into out.
 * \param out       Out: the name. The apex may point into out.
 *
 * \return KNOT_EOK; KNOT_ESPACE (the name is longer than MAIL_LF_MAX).
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
 * \brief Return the first eight octets of a name in lookup format as a number. Zeros follow a shorter name.
 *
 * If two names have different numbers, the name with the smaller number is less.
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

/*! Return a hash of a name and of what it is for, whose upper bits are the good ones. */
static inline uint64_t mail_lf_hash(mail_lf_t lf, uint32_t purpose)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = (uint64_t)purpose << 16 | lf.len, word = 0;
	size_t i = 0;
	for (; i + sizeof(word) <= lf.len; i += sizeof(word)) {
		hash = (hash ^ mail_word_at(lf.data + i)) * factor;
		hash ^= hash >> 32;
	}
	memcpy(&word, lf.data + i, lf.len - i);
	return (hash ^ word) * factor;
}

/*! Compare two names in the order of the store, which is the canonical order (RFC 4034 6.1). */
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

/*!
 * Return whether a relative name looks like an absolute one whose dot was forgotten: it has two labels or more, and the
 * last of them is mostly found at the top of names.
 *
 * \param missing  There is no such name in the domain.
 */
bool mail_lf_lacks_dot(mail_lf_t relative, bool missing);

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
 * Parse an absolute domain name. The dot at its end may be missing.
 *
 * International names must be A-labels (RFC 5890 2.3.2.1): convert U-labels before.
 *
 * \param text  The name.
 * \param name  Out: the wire name in lower case.
 * \param diag  Out: the reason of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (an empty label, a label over 63 octets, or a name over 255 octets).
 */
int mail_name_parse(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag);

/*! A name in a policy: labels, and possibly a hole for the domain and further labels. */
typedef struct {
	uint8_t head
		[KNOT_DNAME_MAXLEN]; /*!< Wire labels before the hole, or all of them, without the root. */
	uint8_t tail[KNOT_DNAME_MAXLEN]; /*!< Wire labels after the hole, without the root. */
	uint8_t head_len;
	uint8_t tail_len;
	bool hole; /*!< The domain's labels stand between head and tail. */
} mail_pattern_t;

/*! Append a label, after the hole if there is one. \return KNOT_EOK; KNOT_ESPACE (the name exceeds 255 octets). */
int mail_pattern_label(mail_pattern_t *pattern, const uint8_t *label, size_t len);

/*!
 * Parse a name that may depend on the domain.
 *
 * A name with a dot at its end is absolute. Any other name is relative to the domain. `@` is the domain itself,
 * and `.` is the root. `{domain}` may stand once in a name, as whole labels ("{domain}.relay.example.").
 *
 * \param pattern  Out: the name.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason, as mail_name_parse().
 */
int mail_pattern_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * Parse a name as mail_pattern_parse() does, but only a name that a host can have: no IP address and no
 * wildcard. `.` alone is allowed.
 *
 * \param absolute  The name is absolute, with or without a dot at its end, and `@` is not allowed.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason.
 */
int mail_host_parse(mail_str_t text, bool absolute, mail_pattern_t *pattern, mail_diag_t *diag);

/*!
 * Append a pattern as text for mail_rdata_text(): an absolute name without a dot at its end, with `{domain}` in
 * place of the hole ("mail.{domain}"). The root is ".".
 *
 * \return KNOT_EOK; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_pattern_print(const mail_pattern_t *pattern, mail_buf_t *out);

/*!
 * Write the wire name of a pattern in a domain.
 *
 * \param apex  The domain; NULL only for a pattern without a hole.
 * \param name  Out: the name.
 *
 * \return KNOT_EOK; KNOT_ESPACE (the name exceeds 255 octets); KNOT_EINVAL (the domain is missing).
 */
int mail_pattern_name(const mail_pattern_t *pattern, const knot_dname_t *apex,
                      knot_dname_storage_t name);

/*!
 * Append a name in its stored form: in lower case, relative or absolute as it is in the text. `@` and `.` stay.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_name_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);

/*!
 * Append a wire name as text, without a dot at its end. The root is ".".
 *
 * \return KNOT_EOK; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_name_print(const knot_dname_t *name, mail_buf_t *out);
