/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The octets that a signature is made of (RFC 4034 3.1.8.1):
 *
 *     signature = sign(RRSIG_RDATA | RR(1) | RR(2) ...)
 *     RRSIG_RDATA = type covered, algorithm, labels, original TTL, expiration, inception, tag, signer's name
 *     RR(i) = owner | type | class | original TTL | RDATA length | RDATA
 *
 * with the RRs in canonical form (6.2) and order (6.3).
 */
#include "config.h"

#include "dns/rrsig.h"

#include <assert.h>
#include <limits.h>

#include "mail/chars.h"

/* Of the RRSIG RDATA, what stands before the signer's name. */
#define FIXED_LEN 18
/* Of an RR, what stands between its owner and its RDATA: type, class, TTL, RDATA length. */
#define FRAME_LEN 10
/* FNV-1a, 64 bits. */
#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* The clock may be behind at both ends of the period. */
static_assert(MAIL_RRSIG_VALIDITY > 2 * MAIL_RRSIG_GRID + 2 * MAIL_RRSIG_SKEW,
              "the usual validity leaves room for a TTL");

/* --- Names --- */

/*! Eight octets made small: in those from 'A' to 'Z', bit 5 is set. */
static inline uint64_t word_lower(uint64_t word)
{
	const uint64_t low = word & MAIL_WORD(0x7f);
	const uint64_t upper = (low + MAIL_WORD(0x80 - 'A')) ^ (low + MAIL_WORD(0x80 - 'Z' - 1));
	return word | (upper & ~word & MAIL_WORD(0x80)) >> 2;
}

/*! Make a name small. A label's length is at most 63, below 'A': so all octets are treated alike. */
static void name_lower(uint8_t *name, size_t len)
{
	size_t i = 0;
	for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
		const uint64_t word = word_lower(mail_word_at(name + i));
		memcpy(name + i, &word, sizeof(word));
	}
	for (; i < len; i++) {
		name[i] = (uint8_t)mail_char_lower((char)name[i]);
	}
}

/*! Length of a name that has not more than len octets, or 0. */
static size_t name_len(const uint8_t *name, size_t len)
{
	size_t pos = 0;
	while (pos < len && name[pos] <= KNOT_DNAME_MAXLABELLEN) {
		if (name[pos] == 0) {
			return pos < KNOT_DNAME_MAXLEN ? pos + 1 : 0;
		}
		pos += 1 + name[pos];
	}
	return 0;
}

/*! Number of labels as in an RRSIG: without the root and a wildcard's asterisk (RFC 4034 3.1.3). */
static uint8_t name_labels(const knot_dname_t *name)
{
	uint8_t labels = 0;
	const knot_dname_t *label = name[0] == 1 && name[1] == '*' ? name + 2 : name;
	for (; *label != 0; label += 1 + *label) {
		labels++;
	}
	return labels;
}

/* --- RDATA --- */

/*! Octets of a block of RDATA, or negative; names in it are made small. */
static int block_lower(int block, uint8_t *pos, size_t left)
{
	int size;
	switch (block) {
	case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
	case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
	case KNOT_RDATA_WF_FIXED_DNAME:
		size = (int)name_len(pos, left);
		if (size == 0) {
			return KNOT_EMALF;
		}
		name_lower(pos, size);
		return size;
	case KNOT_RDATA_WF_NAPTR_HEADER: return knot_naptr_header_size(pos, pos + left);
	case KNOT_RDATA_WF_REMAINDER: return (int)left;
	default: return block > 0 && (size_t)block <= left ? block : KNOT_EMALF;
	}
}

/*! Make the names in RDATA small. */
static int rdata_lower(uint16_t type, uint8_t *rdata, size_t len)
{
	const knot_rdata_descriptor_t *descriptor = knot_get_rdata_descriptor(type);
	if (descriptor->type_name == NULL) {
		descriptor = knot_get_obsolete_rdata_descriptor(type);
	}
	size_t pos = 0;
	for (const int *block = descriptor->block_types; *block != KNOT_RDATA_WF_END; block++) {
		int size = block_lower(*block, rdata + pos, len - pos);
		if (size < 0) {
			return KNOT_EMALF;
		}
		pos += size;
	}
	return pos == len ? KNOT_EOK : KNOT_EMALF;
}

/* --- RRs --- */

/*! The RRs that are written, one after another. */
typedef struct {
	uint8_t *first;
	uint8_t *last; /*!< NULL: none yet. */
	uint8_t *end;
	const uint8_t *frame; /*!< What they have in common: owner, type, class, TTL. */
	size_t frame_len;     /*!< Without the RDATA length. */
} rows_t;

static inline uint8_t *row_rdata(const rows_t *rows, uint8_t *row, size_t *len)
{
	uint8_t *pos = row + rows->frame_len;
	*len = knot_wire_read_u16(pos);
	return pos + sizeof(uint16_t);
}

/*! Compare two RRs' RDATA as left-justified octets (RFC 4034 6.3). */
static int row_compare(const rows_t *rows, uint8_t *one, uint8_t *other)
{
	size_t one_len, other_len;
	const uint8_t *one_rdata = row_rdata(rows, one, &one_len);
	const uint8_t *other_rdata = row_rdata(rows, other, &other_len);
	int order = memcmp(one_rdata, other_rdata, one_len < other_len ? one_len : other_len);
	return order != 0 ? order : (one_len > other_len) - (one_len < other_len);
}

static void octets_reverse(uint8_t *from, uint8_t *to)
{
	while (from < to) {
		uint8_t octet = *from;
		*from++ = *--to;
		*to = octet;
	}
}

/*! Bring the RR at the end to its place among those before it, or drop it when it is there already. */
static void rows_insert(rows_t *rows, uint8_t *row, uint8_t *end)
{
	uint8_t *place = rows->first;
	int order = -1;
	while (place < row && (order = row_compare(rows, place, row)) < 0) {
		size_t len;
		uint8_t *rdata = row_rdata(rows, place, &len);
		place = rdata + len;
	}
	if (order == 0) {
		rows->end = row; /* Equal RDATA once (RFC 4034 6.3). */
		return;
	}

	/* The two parts change places: each is reversed, then both. The greatest stays the last. */
	size_t shift = end - row;
	octets_reverse(place, row);
	octets_reverse(row, end);
	octets_reverse(place, end);
	rows->last += shift;
	rows->end = end;
}

/*! Append an RR in canonical form. RDATA sets are sorted, so mostly it belongs to the end. */
static int rows_add(rows_t *rows, uint16_t type, bool lower, const knot_rdata_t *rdata, size_t cap)
{
	if (rows->frame_len + sizeof(uint16_t) + rdata->len > cap) {
		return KNOT_ESPACE;
	}
	uint8_t *row = rows->end, *pos = row + rows->frame_len;
	memcpy(row, rows->frame, rows->frame_len);
	knot_wire_write_u16(pos, rdata->len);
	pos += sizeof(uint16_t);
	memcpy(pos, rdata->data, rdata->len);
	if (lower && rdata_lower(type, pos, rdata->len) != KNOT_EOK) {
		return KNOT_EMALF;
	}

	if (rows->last == NULL || row_compare(rows, rows->last, row) < 0) {
		rows->last = row;
		rows->end = pos + rdata->len;
	} else {
		rows_insert(rows, row, pos + rdata->len);
	}
	return KNOT_EOK;
}

/*! Write the RRSIG RDATA without the signature. \return Its length. */
static size_t rdata_write(const mail_rrsig_t *rrsig, uint16_t type, size_t signer_len, uint8_t *out)
{
	knot_wire_write_u16(out, type);
	out[2] = rrsig->algorithm;
	out[3] = name_labels(rrsig->owner);
	knot_wire_write_u32(out + 4, rrsig->original_ttl);
	knot_wire_write_u32(out + 8, rrsig->expiration);
	knot_wire_write_u32(out + 12, rrsig->inception);
	knot_wire_write_u16(out + 16, rrsig->tag);
	memcpy(out + FIXED_LEN, rrsig->signer, signer_len);
	name_lower(out + FIXED_LEN, signer_len);
	return FIXED_LEN + signer_len;
}

/*! Write what all RRs have in common. \return Its length. */
static size_t frame_write(const mail_rrsig_t *rrsig, const knot_rrset_t *rrset, size_t owner_len,
                          uint8_t *out)
{
	memcpy(out, rrsig->owner, owner_len);
	name_lower(out, owner_len);
	out += owner_len;
	knot_wire_write_u16(out, rrset->type);
	knot_wire_write_u16(out + 2, rrset->rclass);
	knot_wire_write_u32(out + 4, rrsig->original_ttl);
	return owner_len + FRAME_LEN - sizeof(uint16_t);
}

/* --- API --- */

void mail_rrsig_period(mail_rrsig_t *rrsig, int64_t now)
{
	uint64_t hash = FNV_START;
	for (const uint8_t *pos = rrsig->signer; *pos != 0; pos++) {
		hash = (hash ^ (uint8_t)mail_char_lower((char)*pos)) * FNV_PRIME;
	}
	/* The upper half, as the lower bits of FNV are the weaker ones. */
	int64_t shift = (int64_t)((hash >> 32) % MAIL_RRSIG_GRID);
	int64_t past = (now - shift) % MAIL_RRSIG_GRID;
	int64_t inception = now - (past < 0 ? past + MAIL_RRSIG_GRID : past) - MAIL_RRSIG_SKEW;

	/* Between two inceptions a whole grid step passes, and the skew counts at both ends. */
	int64_t validity = 2 * MAIL_RRSIG_GRID + (int64_t)rrsig->original_ttl + 2 * MAIL_RRSIG_SKEW;
	if (validity < MAIL_RRSIG_VALIDITY) {
		validity = MAIL_RRSIG_VALIDITY;
	} else if (validity > INT32_MAX) {
		validity = INT32_MAX; /* Serial numbers: half of all seconds (RFC 4034 3.1.5). */
	}
	rrsig->inception = (uint32_t)inception;
	rrsig->expiration = (uint32_t)(inception + validity);
}

int mail_rrsig_octets(const mail_rrsig_t *rrsig, const knot_rrset_t *rrset, uint8_t *out,
                      size_t cap, size_t *rdata_len)
{
	size_t signer_len = knot_dname_size(rrsig->signer);
	size_t owner_len = knot_dname_size(rrsig->owner);
	cap = cap < INT_MAX ? cap : INT_MAX;
	if (cap < FIXED_LEN + signer_len) {
		return KNOT_ESPACE;
	}
	if (rrset->rrs.count == 0) {
		return KNOT_EMALF;
	}

	uint8_t frame[KNOT_DNAME_MAXLEN + FRAME_LEN];
	*rdata_len = rdata_write(rrsig, rrset->type, signer_len, out);
	rows_t rows = { .first = out + *rdata_len, .end = out + *rdata_len, .frame = frame };
	rows.frame_len = frame_write(rrsig, rrset, owner_len, frame);

	/* NSEC is not among these types, but in RFC 4034's list it is (RFC 6840 5.1). */
	bool lower = knot_rrtype_should_be_lowercased(rrset->type);
	const knot_rdata_t *rdata = rrset->rrs.rdata;
	for (uint16_t i = 0; i < rrset->rrs.count; i++) {
		int ret = rows_add(&rows, rrset->type, lower, rdata, cap - (rows.end - out));
		if (ret != KNOT_EOK) {
			return ret;
		}
		rdata = knot_rdataset_next((knot_rdata_t *)rdata);
	}
	return (int)(rows.end - out);
}
