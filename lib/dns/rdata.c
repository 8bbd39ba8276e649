/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RDATA without a hole is kept as the plain octets.  With the first hole it becomes a row of
 * operations; numbers are in network order:
 *
 *     01 LENGTH(4) OCTETS               these octets
 *     02 LENGTH(1) HEAD LENGTH(1) TAIL  a name: labels, the domain's labels, labels, the root
 *     03                                the domain as text
 *     04 LENGTH(4) OPERATIONS           32 hexadecimal digits of the SHA-256 of what they write
 *     05 BITS(2) LENGTH(4) OCTETS       SHA-256 or SHA-384, raw, of the domain's wire name in small letters
 *                                       and these octets (DS, RFC 4034 5.1.4)
 *
 * Rows live in memory only, but are read with the care that stored octets get: a bad one is
 * KNOT_EMALF.
 */

/* The streaming SHA-2 is the one interface of libcrypto that neither allocates nor locks. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "mail/rdata.h"

#include <assert.h>
#include <openssl/sha.h>

#include "mail/encoding.h"

#define STRING_MAX 255   /* A <character-string>, RFC 1035 3.3. */
#define DIGEST_OCTETS 16 /* Of a digest, this much is shown, two digits an octet. */
#define DEPTH_MAX 4      /* Digests of texts with digests. */

static_assert(DIGEST_OCTETS <= SHA256_DIGEST_LENGTH, "no more digits than the digest has");

enum {
	OP_OCTETS = 1,
	OP_NAME = 2,
	OP_TEXT = 3,
	OP_DIGEST = 4,
	OP_OWNER_DIGEST = 5,
};

/*! Octets before those of a run: operation and length. */
#define RUN_HEADER 5

/* --- Building --- */

static void write_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t read_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*! Turn plain octets into a row of operations, which ends with no open run. */
static int make_row(mail_rdata_t *rdata)
{
	if (!rdata->holes) {
		size_t len = rdata->ops.len;
		if (len > 0) {
			static const uint8_t header[RUN_HEADER] = { OP_OCTETS };
			if (mail_buf_put(&rdata->ops, header, sizeof(header)) != KNOT_EOK) {
				return rdata->ops.error;
			}
			memmove(rdata->ops.data + RUN_HEADER, rdata->ops.data, len);
			memcpy(rdata->ops.data, header, sizeof(header));
			write_u32(rdata->ops.data + 1, (uint32_t)len);
		}
		rdata->holes = true;
	}
	rdata->run = 0;
	return rdata->ops.error;
}

int mail_rdata_octets(mail_rdata_t *rdata, const void *data, size_t len)
{
	mail_buf_t *ops = &rdata->ops;
	if (!rdata->holes || len == 0) {
		return mail_buf_put(ops, data, len);
	}
	if (rdata->run == 0) {
		size_t run = ops->len + 1;
		mail_buf_u8(ops, OP_OCTETS);
		if (mail_buf_u32(ops, 0) != KNOT_EOK) {
			return ops->error;
		}
		rdata->run = run;
	}
	if (mail_buf_put(ops, data, len) == KNOT_EOK) {
		uint8_t *length = ops->data + rdata->run;
		write_u32(length, read_u32(length) + (uint32_t)len);
	}
	return ops->error;
}

int mail_rdata_u8(mail_rdata_t *rdata, uint8_t value)
{
	return mail_rdata_octets(rdata, &value, 1);
}

int mail_rdata_u16(mail_rdata_t *rdata, uint16_t value)
{
	return mail_rdata_octets(rdata, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

int mail_rdata_u32(mail_rdata_t *rdata, uint32_t value)
{
	uint8_t octets[4];
	write_u32(octets, value);
	return mail_rdata_octets(rdata, octets, sizeof(octets));
}

int mail_rdata_pattern(mail_rdata_t *rdata, const mail_pattern_t *pattern)
{
	if (!pattern->hole) {
		mail_rdata_octets(rdata, pattern->head, pattern->head_len);
		return mail_rdata_u8(rdata, 0);
	}
	if (make_row(rdata) != KNOT_EOK) {
		return rdata->ops.error;
	}
	mail_buf_u8(&rdata->ops, OP_NAME);
	mail_buf_u8(&rdata->ops, pattern->head_len);
	mail_buf_put(&rdata->ops, pattern->head, pattern->head_len);
	mail_buf_u8(&rdata->ops, pattern->tail_len);
	return mail_buf_put(&rdata->ops, pattern->tail, pattern->tail_len);
}

int mail_rdata_name(mail_rdata_t *rdata, mail_str_t text, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	int ret = mail_pattern_parse(text, &pattern, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_rdata_pattern(rdata, &pattern);
}

int mail_rdata_value(mail_rdata_t *rdata, mail_str_t value)
{
	const size_t hole_len = strlen(MAIL_HOLE);
	const char *pos = value.len > 0 ? value.data : "", *end = pos + value.len;
	const char *hole;
	while (pos < end && (hole = memmem(pos, end - pos, MAIL_HOLE, hole_len)) != NULL) {
		mail_rdata_octets(rdata, pos, hole - pos);
		if (make_row(rdata) != KNOT_EOK) {
			return rdata->ops.error;
		}
		rdata->spelt = true;
		mail_buf_u8(&rdata->ops, OP_TEXT);
		pos = hole + hole_len;
	}
	return mail_rdata_octets(rdata, pos, end - pos);
}

/*! Make the RDATA a text, which it can only be from its start. */
static int make_text(mail_rdata_t *rdata)
{
	if (!rdata->text && rdata->ops.len > 0 && rdata->ops.error == KNOT_EOK) {
		rdata->ops.error = KNOT_EINVAL;
	}
	rdata->text = true;
	return rdata->ops.error;
}

int mail_rdata_text(mail_rdata_t *rdata, mail_str_t text)
{
	int ret = make_text(rdata);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_rdata_value(rdata, text);
}

int mail_rdata_digest(mail_rdata_t *rdata, const mail_rdata_t *of)
{
	if (of->ops.error != KNOT_EOK && rdata->ops.error == KNOT_EOK) {
		rdata->ops.error = of->ops.error;
	}
	if (make_text(rdata) != KNOT_EOK) {
		return rdata->ops.error;
	}
	if (!of->holes) {
		SHA256_CTX sha;
		uint8_t digest[SHA256_DIGEST_LENGTH];
		uint8_t text[2 * DIGEST_OCTETS];
		mail_buf_t hex = MAIL_BUF_FIXED(text, sizeof(text));
		SHA256_Init(&sha);
		SHA256_Update(&sha, of->ops.data, of->ops.len);
		SHA256_Final(digest, &sha);
		(void)mail_buf_hex(&hex, digest, DIGEST_OCTETS);
		return mail_rdata_octets(rdata, text, sizeof(text));
	}
	if (make_row(rdata) != KNOT_EOK) {
		return rdata->ops.error;
	}
	rdata->spelt = true;
	mail_buf_u8(&rdata->ops, OP_DIGEST);
	mail_buf_u32(&rdata->ops, (uint32_t)of->ops.len);
	return mail_buf_put(&rdata->ops, of->ops.data, of->ops.len);
}

int mail_rdata_owner_digest(mail_rdata_t *rdata, unsigned bits, const void *octets, size_t len)
{
	if (make_row(rdata) != KNOT_EOK) {
		return rdata->ops.error;
	}
	mail_buf_u8(&rdata->ops, OP_OWNER_DIGEST);
	mail_buf_u16(&rdata->ops, (uint16_t)bits);
	mail_buf_u32(&rdata->ops, (uint32_t)len);
	return mail_buf_put(&rdata->ops, octets, len);
}

void mail_rdata_free(mail_rdata_t *rdata)
{
	mail_buf_free(&rdata->ops);
	rdata->text = false;
	rdata->holes = rdata->spelt = false;
	rdata->run = 0;
}

/* --- Filling --- */

/*! Where filled octets go. */
typedef struct {
	uint8_t *out;
	size_t cap;
	size_t len;
	bool split;      /*!< Into <character-string>s. */
	size_t string;   /*!< Where the length of the last one stands. */
	SHA256_CTX *sha; /*!< Takes the octets instead of out. */
} sink_t;

/*! Write octets as <character-string>s, going on in the last one. */
static int put_split(sink_t *sink, const uint8_t *data, size_t len)
{
	while (len > 0) {
		if (sink->len == 0 || sink->out[sink->string] == STRING_MAX) {
			if (sink->len == sink->cap) {
				return KNOT_ESPACE;
			}
			sink->string = sink->len++;
			sink->out[sink->string] = 0;
		}
		size_t n = STRING_MAX - sink->out[sink->string];
		n = n < len ? n : len;
		if (n > sink->cap - sink->len) {
			return KNOT_ESPACE;
		}
		memcpy(sink->out + sink->len, data, n);
		sink->out[sink->string] += (uint8_t)n;
		sink->len += n;
		data += n;
		len -= n;
	}
	return KNOT_EOK;
}

static int put(sink_t *sink, const void *data, size_t len)
{
	if (sink->sha != NULL) {
		SHA256_Update(sink->sha, data, len);
		return KNOT_EOK;
	}
	if (sink->split) {
		return put_split(sink, data, len);
	}
	if (len > sink->cap - sink->len) {
		return KNOT_ESPACE;
	}
	if (len > 0) {
		memcpy(sink->out + sink->len, data, len);
		sink->len += len;
	}
	return KNOT_EOK;
}

static int fill_octets(sink_t *sink, mail_reader_t *r)
{
	uint32_t len = mail_read_u32(r);
	const uint8_t *octets = mail_read(r, len);
	if (octets == NULL) {
		return KNOT_EMALF;
	}
	return put(sink, octets, len);
}

static int fill_name(sink_t *sink, mail_reader_t *r, const mail_apex_t *apex)
{
	uint8_t head_len = mail_read_u8(r);
	const uint8_t *head = mail_read(r, head_len);
	uint8_t tail_len = mail_read_u8(r);
	const uint8_t *tail = mail_read(r, tail_len);
	if (r->error != KNOT_EOK) {
		return r->error;
	}
	if (apex->name == NULL) {
		return KNOT_EINVAL;
	}
	size_t apex_len = knot_dname_size(apex->name) - 1;
	if (head_len + apex_len + tail_len + 1 > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	uint8_t name[KNOT_DNAME_MAXLEN];
	memcpy(name, head, head_len);
	memcpy(name + head_len, apex->name, apex_len);
	memcpy(name + head_len + apex_len, tail, tail_len);
	name[head_len + apex_len + tail_len] = 0;
	return put(sink, name, head_len + apex_len + tail_len + 1);
}

static int fill_row(sink_t *sink, mail_reader_t *r, const mail_apex_t *apex, unsigned depth);

static int fill_digest(sink_t *sink, mail_reader_t *r, const mail_apex_t *apex, unsigned depth)
{
	uint32_t len = mail_read_u32(r);
	const uint8_t *row = mail_read(r, len);
	if (row == NULL || depth == DEPTH_MAX) {
		return KNOT_EMALF;
	}

	SHA256_CTX sha;
	SHA256_Init(&sha);
	sink_t inner = { .sha = &sha };
	mail_reader_t inner_r = MAIL_READER(row, len);
	int ret = fill_row(&inner, &inner_r, apex, depth + 1);
	if (ret != KNOT_EOK) {
		return ret;
	}
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint8_t text[2 * DIGEST_OCTETS];
	mail_buf_t hex = MAIL_BUF_FIXED(text, sizeof(text));
	SHA256_Final(digest, &sha);
	(void)mail_buf_hex(&hex, digest, DIGEST_OCTETS);
	return put(sink, text, sizeof(text));
}

static int fill_owner_digest(sink_t *sink, mail_reader_t *r, const mail_apex_t *apex)
{
	const uint16_t bits = mail_read_u16(r);
	const uint32_t len = mail_read_u32(r);
	const uint8_t *octets = mail_read(r, len);
	uint8_t digest[SHA384_DIGEST_LENGTH];
	knot_dname_storage_t name;
	if (octets == NULL || (bits != 256 && bits != 384)) {
		return KNOT_EMALF;
	}
	if (apex->name == NULL) {
		return KNOT_EINVAL;
	}
	const size_t name_len = knot_dname_store(name, apex->name);
	knot_dname_to_lower(name);
	if (bits == 256) {
		SHA256_CTX sha;
		SHA256_Init(&sha);
		SHA256_Update(&sha, name, name_len);
		SHA256_Update(&sha, octets, len);
		SHA256_Final(digest, &sha);
	} else {
		SHA512_CTX sha;
		SHA384_Init(&sha);
		SHA384_Update(&sha, name, name_len);
		SHA384_Update(&sha, octets, len);
		SHA384_Final(digest, &sha);
	}
	return put(sink, digest, bits / 8);
}

/*! Carry out a row of operations. */
static int fill_row(sink_t *sink, mail_reader_t *r, const mail_apex_t *apex, unsigned depth)
{
	while (mail_read_left(r) > 0) {
		int ret;
		switch (mail_read_u8(r)) {
		case OP_OCTETS: ret = fill_octets(sink, r); break;
		case OP_NAME: ret = fill_name(sink, r, apex); break;
		case OP_TEXT: ret = put(sink, apex->text.data, apex->text.len); break;
		case OP_DIGEST: ret = fill_digest(sink, r, apex, depth); break;
		case OP_OWNER_DIGEST: ret = fill_owner_digest(sink, r, apex); break;
		default: return KNOT_EMALF;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return r->error;
}

static int fill(const mail_rdata_t *rdata, const mail_apex_t *apex, sink_t *sink)
{
	int ret;
	if (rdata->ops.error != KNOT_EOK) {
		return rdata->ops.error;
	}
	if (rdata->holes) {
		if (apex == NULL) {
			return KNOT_EINVAL;
		}
		mail_reader_t r = MAIL_READER(rdata->ops.data, rdata->ops.len);
		ret = fill_row(sink, &r, apex, 0);
	} else {
		ret = put(sink, rdata->ops.data, rdata->ops.len);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* TXT has one string at least, RFC 1035 3.3.14. */
	if (sink->split && sink->len == 0) {
		if (sink->cap == 0) {
			return KNOT_ESPACE;
		}
		sink->out[sink->len++] = 0;
	}
	return (int)sink->len;
}

int mail_rdata_fill(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out, size_t cap)
{
	const size_t len = rdata->ops.len, head = rdata->text ? 1 : 0;
	if (!rdata->holes && rdata->ops.error == KNOT_EOK && len > 0 && head + len <= cap &&
	    len <= (rdata->text ? UINT8_MAX : MAIL_RDATA_MAX)) {
		/* Octets as they are, or one <character-string>. */
		if (rdata->text) {
			*out = (uint8_t)len;
		}
		memcpy(out + head, rdata->ops.data, len);
		return (int)(head + len);
	}
	sink_t sink = {
		.out = out,
		.cap = cap < MAIL_RDATA_MAX ? cap : MAIL_RDATA_MAX,
		.split = rdata->text,
	};
	return fill(rdata, apex, &sink);
}

int mail_rdata_fill_text(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out,
                         size_t cap)
{
	sink_t sink = { .out = out, .cap = cap < INT32_MAX ? cap : INT32_MAX };
	return fill(rdata, apex, &sink);
}

bool mail_rdata_fits(uint16_t type, const uint8_t *rdata, size_t len)
{
	const int *block = knot_get_rdata_descriptor(type)->block_types;
	for (; *block != KNOT_RDATA_WF_END; block++) {
		int octets = *block;
		switch (*block) {
		case KNOT_RDATA_WF_REMAINDER: return true;
		case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
		case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
		case KNOT_RDATA_WF_FIXED_DNAME:
			octets = knot_dname_wire_check(rdata, rdata + len, NULL);
			if (octets <= 0) {
				return false;
			}
			break;
		case KNOT_RDATA_WF_NAPTR_HEADER:
			octets = knot_naptr_header_size(rdata, rdata + len);
			break;
		default: break;
		}
		if (octets < 0 || (size_t)octets > len) {
			return false;
		}
		rdata += octets;
		len -= octets;
	}
	return len == 0;
}

/*! Lower max to what the names of a row leave to the domain. */
static void row_apex_max(mail_reader_t *r, size_t *max)
{
	while (mail_read_left(r) > 0) {
		uint8_t op = mail_read_u8(r);
		if (op == OP_OCTETS || op == OP_DIGEST) {
			uint32_t len = mail_read_u32(r);
			(void)mail_read(r, len);
		} else if (op == OP_OWNER_DIGEST) {
			(void)mail_read_u16(r);
			uint32_t len = mail_read_u32(r);
			(void)mail_read(r, len);
		} else if (op == OP_NAME) {
			uint8_t head_len = mail_read_u8(r);
			(void)mail_read(r, head_len);
			uint8_t tail_len = mail_read_u8(r);
			(void)mail_read(r, tail_len);
			size_t used = (size_t)head_len + tail_len;
			size_t room = used < KNOT_DNAME_MAXLEN ? KNOT_DNAME_MAXLEN - used : 0;
			*max = room < *max ? room : *max;
		}
	}
}

size_t mail_rdata_apex_max(const mail_rdata_t *rdata)
{
	size_t max = KNOT_DNAME_MAXLEN;
	if (rdata->holes) {
		mail_reader_t r = MAIL_READER(rdata->ops.data, rdata->ops.len);
		row_apex_max(&r, &max);
	}
	return max;
}

int mail_rdata_domain_at(const mail_rdata_t *rdata, size_t labels, uint16_t *at, size_t max)
{
	if (!rdata->holes) {
		return 0;
	}
	size_t count = 0, pos = 0;
	mail_reader_t r = MAIL_READER(rdata->ops.data, rdata->ops.len);
	while (mail_read_left(&r) > 0) {
		const uint8_t op = mail_read_u8(&r);
		if (op == OP_OCTETS) {
			const uint32_t len = mail_read_u32(&r);
			(void)mail_read(&r, len);
			pos += len;
			continue;
		}
		const uint8_t head = op == OP_NAME ? mail_read_u8(&r) : 0;
		(void)mail_read(&r, head);
		const uint8_t tail = op == OP_NAME ? mail_read_u8(&r) : 0;
		if (op != OP_NAME || tail > 0 || rdata->text || count == max) {
			return KNOT_ENOTSUP;
		}
		at[count++] = (uint16_t)(pos + head);
		pos += head + labels + 1;
	}
	return r.error == KNOT_EOK && pos <= MAIL_RDATA_MAX ? (int)count : KNOT_ENOTSUP;
}
