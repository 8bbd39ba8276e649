/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A literal record is read by libzscanner with a stand-in for the domain as origin: one label of
 * octets that a name can only have by escapes, and which are refused in what people write.  In the
 * RDATA that comes out, each name is looked through for that label, which then becomes the hole.
 * The owner never reaches the scanner.
 */

#include "record/literal_rdata.h"

#include <libzscanner/error.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>

/* The stand-in as text and as wire label. */
#define STAND_IN "\\255\\254\\253\\252\\251\\250\\249\\248"
static const uint8_t stand_in[] = { 8, 255, 254, 253, 252, 251, 250, 249, 248 };

/* RFC 2181 8 */
#define TTL_MAX 0x7fffffff

#define TYPE_SVCB 64
#define TYPE_HTTPS 65

typedef mail_record_parse_t parse_t;

/* --- The line for the scanner --- */

/*! What RDATA of a type are made of; libknot does not look into all types that have names. */
static const int *type_blocks(uint16_t type)
{
	/* RFC 9460 2.2: priority, target, parameters. */
	static const int svcb[] = { 2, KNOT_RDATA_WF_FIXED_DNAME, KNOT_RDATA_WF_REMAINDER,
		                    KNOT_RDATA_WF_END };
	if (type == TYPE_SVCB || type == TYPE_HTTPS) {
		return svcb;
	}
	const knot_rdata_descriptor_t *known = knot_get_rdata_descriptor(type);
	if (known->type_name == NULL) {
		known = knot_get_obsolete_rdata_descriptor(type);
	}
	return known->block_types;
}

static bool is_name_block(int block)
{
	return block == KNOT_RDATA_WF_FIXED_DNAME || block == KNOT_RDATA_WF_COMPRESSIBLE_DNAME ||
	       block == KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME;
}

bool mail_record_has_names(uint16_t type)
{
	const int *block = type_blocks(type);
	while (*block != KNOT_RDATA_WF_END && !is_name_block(*block)) {
		block++;
	}
	return *block != KNOT_RDATA_WF_END;
}

int mail_record_piece(const parse_t *p, size_t *pos, mail_str_t *piece, bool *quoted)
{
	mail_str_t text = p->text;
	size_t start = *pos, i = start;
	bool inside = false;
	*quoted = false;
	for (; i < text.len; i++) {
		char c = text.data[i];
		if (!inside && mail_char_space(c) != mail_char_space(text.data[start])) {
			break;
		}
		if (c == '\\') {
			i++;
		} else if (c == '"') {
			inside = !inside;
			*quoted = true;
		} else if (!inside && c == ';') {
			return mail_diag_error(p->diag, i + 1,
			                       "';' begins a comment: "
			                       "quote the text that it is part of");
		} else if (!inside && (c == '(' || c == ')')) {
			return mail_diag_error(p->diag, i + 1, "'%c' groups lines: a record is one",
			                       c);
		}
	}
	if (i > text.len) {
		return mail_diag_error(p->diag, text.len, "there is nothing after the backslash");
	}
	if (inside) {
		return mail_diag_error(p->diag, text.len, "the quote at the end is missing");
	}
	*piece = (mail_str_t){ text.data + start, i - start };
	*pos = i;
	return KNOT_EOK;
}

static bool has_hole(mail_str_t text)
{
	return text.len > 0 && memmem(text.data, text.len, MAIL_HOLE, strlen(MAIL_HOLE)) != NULL;
}

/*! Write a name with the hole as the scanner reads it: absolute, ASCII. */
static int name_put(const parse_t *p, mail_str_t word, mail_buf_t *line)
{
	mail_pattern_t pattern;
	int ret = mail_pattern_parse(word, &pattern, p->diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(p->diag, ret, mail_record_column(p, word.data) - 1);
	}
	mail_buf_t name = { 0 };
	ret = mail_pattern_print(&pattern, &name);
	if (ret == KNOT_EOK) {
		mail_str_t text = mail_buf_view(&name);
		const char *hole = memmem(text.data, text.len, MAIL_HOLE, strlen(MAIL_HOLE));
		size_t before = hole != NULL ? (size_t)(hole - text.data) : text.len;
		mail_buf_put(line, text.data, before);
		if (hole != NULL) {
			mail_buf_str(line, STAND_IN);
			mail_str_t after = mail_str_from(text, before + strlen(MAIL_HOLE));
			mail_buf_put(line, after.data, after.len);
		}
		ret = mail_buf_u8(line, '.');
	}
	mail_buf_free(&name);
	return ret;
}

/*! Write a piece as it is, but octets over 7F as escapes: the scanner takes them only so. */
static int piece_put(mail_str_t piece, mail_buf_t *line)
{
	for (size_t i = 0; i < piece.len; i++) {
		uint8_t c = (uint8_t)piece.data[i];
		if (c < 0x80) {
			mail_buf_u8(line, c);
		} else {
			mail_buf_printf(line, "\\%03u", c);
		}
	}
	return line->error;
}

/*! Write RDATA for the scanner. In TXT the hole stays, and is found again in the strings. */
static int rdata_put(const parse_t *p, mail_buf_t *line)
{
	uint16_t type = p->record->type;
	bool names = mail_record_has_names(type);
	size_t pos = p->pos;
	while (pos < p->text.len) {
		mail_str_t piece;
		bool quoted;
		int ret = mail_record_piece(p, &pos, &piece, &quoted);
		if (ret != KNOT_EOK) {
			return ret;
		}
		bool hole = type != KNOT_RRTYPE_TXT && has_hole(piece);
		if (hole && (quoted || !names)) {
			return mail_diag_error(p->diag, mail_record_column(p, piece.data),
			                       MAIL_HOLE
			                       " in %.*s: it stands in names and TXT strings only",
			                       MAIL_SHOW(p->type));
		}
		if (hole || (names && !quoted && !mail_str_is_ascii(piece))) {
			ret = name_put(p, piece, line);
		} else {
			ret = piece_put(piece, line);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return line->error;
}

/*! Check the last word where it is a host, for which people often write an address. */
static int target_check(const parse_t *p)
{
	uint16_t type = p->record->type;
	if (type != KNOT_RRTYPE_NS && type != KNOT_RRTYPE_CNAME && type != KNOT_RRTYPE_MX &&
	    type != KNOT_RRTYPE_SRV) {
		return KNOT_EOK;
	}
	mail_str_t word, last = { NULL, 0 };
	size_t pos = p->pos;
	while (mail_str_word(p->text, &pos, &word)) {
		last = word;
	}
	if (last.len == 0) {
		return mail_diag_error(p->diag, 0, "%.*s needs a host name", MAIL_SHOW(p->type));
	}
	mail_pattern_t pattern;
	int ret = mail_host_parse(last, false, &pattern, p->diag);
	return mail_diag_shift(p->diag, ret, mail_record_column(p, last.data) - 1);
}

/*! Write the record as a line for the scanner, the owner apart. */
static int line_put(const parse_t *p, mail_buf_t *line)
{
	if (memmem(p->text.data, p->text.len, STAND_IN, strlen(STAND_IN)) != NULL) {
		return mail_diag_error(p->diag, 0, "the label %s is kept for the module", STAND_IN);
	}
	int ret = target_check(p);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_str(line, "@ ");
	mail_buf_put(line, p->ttl.data, p->ttl.len);
	mail_buf_str(line, " IN ");
	mail_buf_put(line, p->type.data, p->type.len);
	ret = rdata_put(p, line);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_buf_u8(line, '\n');
}

/* --- What the scanner read --- */

/*! A row of octets of RDATA that are no name: the stand-in must not have got in there. */
static int plain_put(const parse_t *p, mail_reader_t *r, size_t len)
{
	const uint8_t *octets = mail_read(r, len);
	if (octets == NULL) {
		return KNOT_EMALF;
	}
	if (memmem(octets, len, stand_in + 1, sizeof(stand_in) - 1) != NULL) {
		return mail_diag_error(p->diag, 0,
		                       "a relative name or " MAIL_HOLE
		                       " in %.*s, where there can be none",
		                       MAIL_SHOW(p->type));
	}
	return mail_rdata_octets(p->rdata, octets, len);
}

/*! A name of RDATA: the stand-in becomes the hole. */
static int wire_name_put(const parse_t *p, mail_reader_t *r)
{
	int len = knot_dname_wire_check(r->pos, r->end, NULL);
	if (len <= 0) {
		return KNOT_EMALF;
	}
	knot_dname_storage_t name;
	memcpy(name, mail_read(r, (size_t)len), (size_t)len);
	knot_dname_to_lower(name);

	mail_pattern_t pattern = { .head_len = 0 };
	for (const uint8_t *label = name; *label != 0; label += *label + 1) {
		size_t label_len = *label + 1u;
		if (memcmp(label, stand_in,
		           label_len < sizeof(stand_in) ? label_len : sizeof(stand_in)) == 0) {
			if (pattern.hole) {
				return mail_diag_error(
					p->diag, 0,
					"a name holds the domain twice: end it with a dot");
			}
			pattern.hole = true;
			continue;
		}
		if (mail_pattern_label(&pattern, label + 1, *label) != KNOT_EOK) {
			return KNOT_EMALF;
		}
	}
	return mail_rdata_pattern(p->rdata, &pattern);
}

/*! RFC 3403 4.1: order, preference, and three <character-string>s before the name. */
static int naptr_header_put(const parse_t *p, mail_reader_t *r)
{
	mail_reader_t ahead = *r;
	(void)mail_read(&ahead, 4);
	for (int i = 0; i < 3; i++) {
		uint8_t len = mail_read_u8(&ahead);
		(void)mail_read(&ahead, len);
	}
	if (ahead.error != KNOT_EOK) {
		return KNOT_EMALF;
	}
	return plain_put(p, r, (size_t)(ahead.pos - r->pos));
}

/*! Take RDATA of the scanner apart along the blocks of their type. */
static int blocks_put(const parse_t *p, mail_reader_t *r)
{
	for (const int *block = type_blocks(p->record->type); *block != KNOT_RDATA_WF_END;
	     block++) {
		int ret;
		if (is_name_block(*block)) {
			ret = wire_name_put(p, r);
		} else if (*block == KNOT_RDATA_WF_NAPTR_HEADER) {
			ret = naptr_header_put(p, r);
		} else if (*block == KNOT_RDATA_WF_REMAINDER) {
			ret = plain_put(p, r, mail_read_left(r));
		} else {
			ret = plain_put(p, r, (size_t)*block);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return mail_read_left(r) == 0 ? KNOT_EOK : KNOT_EMALF;
}

/*! TXT: with a hole the strings become one text; without, they stay as they were written. */
static int txt_put(const parse_t *p, mail_reader_t *r)
{
	mail_reader_t whole = *r;
	mail_buf_t text = { 0 };
	while (mail_read_left(r) > 0) {
		uint8_t len = mail_read_u8(r);
		const uint8_t *string = mail_read(r, len);
		if (string != NULL) {
			mail_buf_put(&text, string, len);
		}
	}
	int ret = r->error != KNOT_EOK ? r->error : text.error;
	if (ret != KNOT_EOK) {
		goto done;
	}
	if (has_hole(mail_buf_view(&text))) {
		ret = mail_rdata_text(p->rdata, mail_buf_view(&text));
		goto done;
	}
	size_t len = mail_read_left(&whole);
	ret = len > 0 ? mail_rdata_octets(p->rdata, whole.pos, len) : KNOT_EMALF;
done:
	mail_buf_free(&text);
	return ret;
}

/*! A DS whose digest has another length than its type says breaks the delegation (RFC 4034 5.1). */
static int ds_put(const parse_t *p, mail_reader_t *r)
{
	static const struct {
		uint8_t type;
		uint8_t len;
	} digests[] = {
		{ 1, 20 }, /* SHA-1, RFC 4034 */
		{ 2, 32 }, /* SHA-256, RFC 4509 */
		{ 4, 48 }, /* SHA-384, RFC 6605 */
	};
	const uint8_t *ds = r->pos;
	const size_t len = mail_read_left(r);
	if (len < 5) {
		return KNOT_EMALF;
	}
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (ds[3] == digests[i].type && len - 4 != digests[i].len) {
			return mail_diag_error(p->diag, 0,
			                       "a DS digest of type %u has %u octets, this has %zu",
			                       ds[3], digests[i].len, len - 4);
		}
	}
	return blocks_put(p, r);
}

/*! Take over a record that the scanner read. */
static int scanned_put(const parse_t *p, const zs_scanner_t *scanner)
{
	p->record->has_ttl = p->ttl.len > 0;
	p->record->ttl = p->record->has_ttl ? scanner->r_ttl : 0;
	if (p->record->ttl > TTL_MAX) {
		return mail_diag_error(p->diag, mail_record_column(p, p->ttl.data),
		                       "TTL %.*s is over %u", MAIL_SHOW(p->ttl), TTL_MAX);
	}
	mail_reader_t r = MAIL_READER(scanner->r_data, scanner->r_data_length);
	int ret;
	if (p->record->type == KNOT_RRTYPE_TXT) {
		ret = txt_put(p, &r);
	} else if (p->record->type == KNOT_RRTYPE_DS) {
		ret = ds_put(p, &r);
	} else {
		ret = blocks_put(p, &r);
	}
	if (ret == KNOT_EMALF) {
		return mail_diag_error(p->diag, mail_record_column(p, p->type.data),
		                       "malformed RDATA of %.*s", MAIL_SHOW(p->type));
	}
	return ret;
}

/*! Have the scanner read the line, in which there must be exactly one record. */
static int line_scan(const parse_t *p, zs_scanner_t *scanner, mail_str_t line)
{
	if (zs_set_input_string(scanner, line.data, line.len) != 0) {
		return KNOT_ENOMEM;
	}
	unsigned records = 0;
	while (zs_parse_record(scanner) == 0 && scanner->state != ZS_STATE_EOF) {
		if (scanner->state == ZS_STATE_ERROR) {
			return mail_diag_error(p->diag, mail_record_column(p, p->type.data),
			                       "%.*s record: %s", MAIL_SHOW(p->type),
			                       zs_strerror(scanner->error.code));
		}
		if (scanner->state != ZS_STATE_DATA || ++records > 1 ||
		    scanner->r_type != p->record->type) {
			return mail_diag_error(p->diag, 0, "this is not exactly one record");
		}
		int ret = scanned_put(p, scanner);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (records == 0) {
		return mail_diag_error(p->diag, 0, "this is no record");
	}
	return KNOT_EOK;
}

int mail_record_body(const parse_t *p)
{
	int ret = mail_record_quick(p);
	if (ret != KNOT_ENOENT) {
		return ret;
	}
	/* Some 200 KiB: too much for a stack. */
	zs_scanner_t *scanner = malloc(sizeof(*scanner));
	if (scanner == NULL) {
		return KNOT_ENOMEM;
	}
	if (zs_init(scanner, STAND_IN ".", KNOT_CLASS_IN, 0) != 0) {
		free(scanner);
		return KNOT_ENOMEM;
	}
	mail_buf_t line = { 0 };
	ret = line_put(p, &line);
	if (ret == KNOT_EOK) {
		ret = line_scan(p, scanner, mail_buf_view(&line));
	}
	mail_buf_free(&line);
	zs_deinit(scanner);
	free(scanner);
	return ret;
}
