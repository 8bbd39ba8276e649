/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/name.h"

#include <assert.h>

/* 4 labels of 250 octets in all, each octet doubled, and 3 separators. */
static_assert(MAIL_LF_MAX >= 503, "the longest name must fit");

static inline uint8_t lower(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c + ('a' - 'A') : c;
}

/*! Return whether the octets of a word stay as they are; those that are not ASCII do too, but are rare. */
static inline bool is_plain(uint64_t word)
{
	const uint64_t high = MAIL_WORD(0x80);
	const uint64_t escaped = ~((word | high) - MAIL_WORD(2));
	const uint64_t upper = (word + MAIL_WORD(0x80 - 'A')) ^ (word + MAIL_WORD(0x80 - 'Z' - 1));
	return ((word | escaped | upper) & high) == 0;
}

/*! Put octets of a label one by one. */
static inline uint8_t *octets_put(uint8_t *out, const uint8_t *octets, size_t len)
{
	for (const uint8_t *end = octets + len; octets < end; octets++) {
		if (*octets <= 1) {
			*out++ = 1;
			*out++ = *octets + 1;
		} else {
			*out++ = lower(*octets);
		}
	}
	return out;
}

/*! Put the octets of a label: mostly all are plain, and are copied in words, of which the last two overlap. */
static inline uint8_t *label_put(uint8_t *out, const uint8_t *octets, size_t len)
{
	if (len >= 8) {
		const size_t last = len - 8;
		for (size_t i = 0;; i = i + 8 < last ? i + 8 : last) {
			const uint64_t word = mail_word_at(octets + i);
			if (!is_plain(word)) {
				return octets_put(out, octets, len);
			}
			memcpy(out + i, &word, sizeof(word));
			if (i == last) {
				return out + len;
			}
		}
	}
	if (len >= 4) {
		uint32_t first, last;
		memcpy(&first, octets, sizeof(first));
		memcpy(&last, octets + len - 4, sizeof(last));
		if (is_plain((uint64_t)last << 32 | first)) {
			memcpy(out, &first, sizeof(first));
			memcpy(out + len - 4, &last, sizeof(last));
			return out + len;
		}
	}
	return octets_put(out, octets, len);
}

void mail_name_lf(const knot_dname_t *name, mail_lf_storage_t *lf)
{
	uint8_t starts[KNOT_DNAME_MAXLABELS];
	unsigned n = 0;
	for (size_t pos = 0; name[pos] != 0 && n < KNOT_DNAME_MAXLABELS; pos += name[pos] + 1u) {
		starts[n++] = (uint8_t)pos;
	}

	uint8_t *out = lf->data;
	while (n > 0) {
		const uint8_t *label = name + starts[--n];
		out = label_put(out, label + 1, *label);
		if (n > 0) {
			*out++ = 0;
		}
	}
	lf->len = (size_t)(out - lf->data);
}

/*!
 * \brief Read one label, up to a 00 or the end.
 *
 * \return Length of the label; 0 when it is none.
 */
static size_t label_read(mail_reader_t *r, uint8_t *label)
{
	size_t len = 0;
	while (r->pos < r->end && *r->pos != 0) {
		uint8_t c = *r->pos++;
		if (c == 1) {
			c = mail_read_u8(r) - 1;
			if (r->error != KNOT_EOK || c > 1) {
				return 0;
			}
		}
		/* No name is written with capitals: it would never be found. */
		if (len == KNOT_DNAME_MAXLABELLEN || c != lower(c)) {
			return 0;
		}
		label[len++] = c;
	}
	return len;
}

int mail_name_from_lf(mail_lf_t lf, knot_dname_storage_t name)
{
	uint8_t wire[KNOT_DNAME_MAXLEN];
	size_t start = sizeof(wire) - 1;
	wire[start] = 0;

	/* The labels come from the last to the first, so the name grows at its front. */
	mail_reader_t r = MAIL_READER(lf.data, lf.len);
	bool more = lf.len > 0;
	while (more) {
		uint8_t label[KNOT_DNAME_MAXLABELLEN];
		size_t n = label_read(&r, label);
		if (n == 0 || n + 1 > start) {
			return KNOT_EMALF;
		}
		start -= n + 1;
		wire[start] = (uint8_t)n;
		memcpy(wire + start + 1, label, n);
		more = r.pos < r.end;
		if (more) {
			r.pos++;
		}
	}
	/* A separator at the end promises a label that is not there. */
	if (lf.len > 0 && lf.data[lf.len - 1] == 0) {
		return KNOT_EMALF;
	}
	memcpy(name, wire + start, sizeof(wire) - start);
	return KNOT_EOK;
}

unsigned mail_lf_labels(mail_lf_t lf)
{
	static const uint64_t low7 = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
	unsigned labels = lf.len > 0;
	/* Eight octets at a time: a bit is left of each that is 00, and a product adds them up. */
	for (; lf.len >= sizeof(uint64_t);
	     lf.data += sizeof(uint64_t), lf.len -= sizeof(uint64_t)) {
		uint64_t word = mail_word_at(lf.data);
		word = ~(((word & low7) + low7) | word | low7) >> 7;
		labels += (word * ones) >> 56;
	}
	for (size_t i = 0; i < lf.len; i++) {
		labels += lf.data[i] == 0;
	}
	return labels;
}
