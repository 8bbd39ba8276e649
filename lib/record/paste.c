/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was pasted, line by line:
 *
 *     paste  = *( [ line ] EOL )
 *     line   = record / noise / pem / other     ; other lines are stray, or, without any record, RDATA
 *     noise  = ";" *any / "#" *any / "$TTL" *any / what tools print around answers
 *     pem    = "-----BEGIN " *any EOL *( *any EOL ) "-----END " *any
 *
 * Records are in paste_line.c. In unquoted text ";" separates tags and begins no comment: nobody who writes
 * "TXT v=DMARC1; p=none" means a comment.
 */
#include "record/paste_line.h"

#include <stdlib.h>

#include <libknot/rrset-dump.h>
#include <libzscanner/scanner.h>

#include "mail/chars.h"

#define TYPE_URI 256

/*! What is read, and where it goes. */
typedef struct {
	mail_lexer_t lexer;
	mail_paste_t *paste;
	mail_diag_t *diag;
	mail_str_t origin; /*!< Of $ORIGIN; empty: none was given. */
	mail_str_t name;   /*!< nslookup's "Name:"; empty: none. */
} reader_t;

/* --- Text --- */

bool mail_paste_clean(mail_str_t text, mail_buf_t *out)
{
	static const struct {
		const char *from, *to;
	} plain[] = {
		{ "\xef\xbb\xbf", "" },   /* byte order mark */
		{ "\xe2\x80\x8b", "" },   /* zero width space */
		{ "\xe2\x81\xa0", "" },   /* word joiner */
		{ "\xc2\xad", "" },       /* soft hyphen */
		{ "\xc2\xa0", " " },      /* non-breaking space */
		{ "\xe2\x80\xaf", " " },  /* narrow non-breaking space */
		{ "\xe2\x80\x87", " " },  /* figure space */
		{ "\xe2\x80\x89", " " },  /* thin space */
		{ "\xe3\x80\x80", " " },  /* ideographic space */
		{ "\xe2\x80\xa8", "\n" }, /* line separator */
		{ "\xe2\x80\x9c", "\"" }, /* quotes, double */
		{ "\xe2\x80\x9d", "\"" }, { "\xe2\x80\x9e", "\"" },
		{ "\xe2\x80\x9f", "\"" }, { "\xc2\xab", "\"" },
		{ "\xc2\xbb", "\"" },     { "\xe2\x80\x98", "'" }, /* quotes, single */
		{ "\xe2\x80\x99", "'" },  { "\xe2\x80\x9a", "'" },
		{ "\xe2\x80\x90", "-" }, /* hyphens, dashes, minus */
		{ "\xe2\x80\x91", "-" },  { "\xe2\x80\x92", "-" },
		{ "\xe2\x80\x93", "-" },  { "\xe2\x80\x94", "-" },
		{ "\xe2\x88\x92", "-" },
	};
	bool changed = false;
	for (size_t i = 0, step; i < text.len; i += step) {
		const mail_str_t left = mail_str_from(text, i);
		size_t k = 0;
		step = 1;
		while ((uint8_t)left.data[0] >= 0x80 && k < sizeof(plain) / sizeof(*plain) &&
		       !mail_str_starts(left, plain[k].from)) {
			k++;
		}
		if ((uint8_t)left.data[0] < 0x80 || k == sizeof(plain) / sizeof(*plain)) {
			(void)mail_buf_u8(out, (uint8_t)left.data[0]);
			continue;
		}
		step = strlen(plain[k].from);
		(void)mail_buf_str(out, plain[k].to);
		changed = true;
	}
	return changed;
}

int mail_paste_quote(mail_str_t text, mail_buf_t *out)
{
	mail_buf_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = (uint8_t)text.data[i];
		/* As numbers: the dialect cannot say a backslash before a quote. */
		if (c == '"' || c == '\\' || c < ' ' || c == 0x7f) {
			mail_buf_printf(out, "\\%03u", c);
		} else {
			mail_buf_u8(out, c);
		}
	}
	return mail_buf_u8(out, '"');
}

/*! Write what a string says: \DDD is an octet, \X is X, a line end within it is a blank. */
static void unescape(mail_str_t text, mail_buf_t *out)
{
	for (size_t i = 0; i < text.len; i++) {
		const mail_str_t left = mail_str_from(text, i);
		uint32_t octet;
		char c = left.data[0];
		if (c == '\\' && left.len > 3 &&
		    mail_str_number(mail_str_part(left, 1, 3), 255, &octet)) {
			mail_buf_u8(out, (uint8_t)octet);
			i += 3;
			continue;
		}
		if (c == '\\' && left.len > 1) {
			c = left.data[1];
			i++;
		}
		mail_buf_u8(out, (uint8_t)(mail_char_space(c) ? ' ' : c));
	}
}

/*! Take off brackets or equal quotes at both ends, and a quote at one end. */
static mail_str_t quotes_strip(mail_str_t text)
{
	static const char quotes[] = "\"'`";
	if (text.len > 1 && text.data[0] == '(' && text.data[text.len - 1] == ')') {
		text = mail_str_trim(mail_str_part(text, 1, text.len - 2));
	}
	if (text.len > 1 && mail_char_in(text.data[0], quotes) &&
	    text.data[text.len - 1] == text.data[0]) {
		return mail_str_trim(mail_str_part(text, 1, text.len - 2));
	}
	const char *only = text.len > 0 ? memchr(text.data, '"', text.len) : NULL;
	if (only != NULL && memrchr(text.data, '"', text.len) == only) {
		if (only == text.data) {
			return mail_str_from(text, 1);
		}
		if (only == text.data + text.len - 1 && only[-1] != '\\') {
			return mail_str_part(text, 0, text.len - 1);
		}
	}
	return text;
}

/*! Write text that stands without quotes: quotes that end one string and begin the next go, as do backslashes. */
static void free_text(mail_str_t text, mail_buf_t *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '\\' && i + 1 < text.len && mail_char_in(text.data[i + 1], ";\"")) {
			c = text.data[++i];
		} else if (c == '"') {
			size_t k = i + 1;
			while (k < text.len && mail_char_space(text.data[k])) {
				k++;
			}
			if (k > i + 1 && k < text.len && text.data[k] == '"') {
				i = k;
				continue;
			}
		}
		mail_buf_u8(out, (uint8_t)(mail_char_space(c) ? ' ' : c));
	}
}

/* --- Records --- */

static void record_clear(mail_pasted_t *record)
{
	mail_buf_free(&record->owner);
	mail_buf_free(&record->rdata);
	mail_buf_free(&record->text);
}

/*! Append a record, which then is the paste's. */
static int record_push(mail_paste_t *paste, mail_pasted_t *record)
{
	const bool good = record->owner.error == KNOT_EOK && record->rdata.error == KNOT_EOK &&
	                  record->text.error == KNOT_EOK;
	int ret = good ? KNOT_EOK : KNOT_ENOMEM;
	mail_pasted_t *grown = NULL;
	if (ret == KNOT_EOK) {
		grown = realloc(paste->records, (paste->count + 1) * sizeof(*grown));
		ret = grown != NULL ? KNOT_EOK : KNOT_ENOMEM;
	}
	if (ret != KNOT_EOK) {
		record_clear(record);
		return ret;
	}
	paste->records = grown;
	grown[paste->count++] = *record;
	return KNOT_EOK;
}

/*! Types whose words are texts, so that their quotes count. */
static bool is_text_type(uint16_t type)
{
	return type == KNOT_RRTYPE_TXT || type == KNOT_RRTYPE_SPF || type == KNOT_RRTYPE_CAA ||
	       type == KNOT_RRTYPE_NAPTR || type == KNOT_RRTYPE_HINFO || type == TYPE_URI;
}

/*! End a name with the origin, or with a dot, where nothing says that it is relative. */
static void name_end(const reader_t *r, bool absolute, mail_buf_t *name)
{
	const mail_str_t text = mail_buf_view(name);
	if (text.len == 0 || mail_str_ends(text, ".")) {
		return;
	}
	if (absolute) {
		mail_buf_u8(name, '.');
	} else if (r->origin.len > 0 && mail_str_is(text, "@")) {
		name->len = 0;
		mail_buf_put(name, r->origin.data, r->origin.len);
	} else if (r->origin.len > 0) {
		mail_buf_u8(name, '.');
		mail_buf_put(name, r->origin.data, r->origin.len);
	}
}

/*! Append a piece to RDATA and text. */
static void piece_put(mail_pasted_t *record, const mail_piece_t *piece)
{
	if (record->rdata.len > 0) {
		mail_buf_u8(&record->rdata, ' ');
	}
	if (!piece->quoted) {
		mail_buf_put(&record->rdata, piece->text.data, piece->text.len);
		free_text(piece->text, &record->text);
		return;
	}
	const size_t start = record->text.len;
	unescape(piece->text, &record->text);
	const mail_str_t said = mail_str_from(mail_buf_view(&record->text), start);
	if (is_text_type(record->type)) {
		mail_paste_quote(said, &record->rdata);
	} else {
		mail_buf_put(&record->rdata, said.data, said.len);
	}
}

/*! Take text without quotes up to the end of the line, or to the bracket that ends it. */
static void free_rdata(reader_t *r, mail_pasted_t *record)
{
	mail_lexer_t *l = &r->lexer;
	const mail_str_t left = mail_str_from(l->text, l->pos);
	size_t len = mail_str_find(left, l->depth > 0 ? ")" : "\n");
	mail_str_t text = mail_str_trim(mail_str_part(left, 0, len));
	l->pos += len;
	/* resolvectl */
	const char *link = memmem(text.data, text.len, " -- link:", 9);
	if (link != NULL) {
		text = mail_str_trim(mail_str_part(text, 0, (size_t)(link - text.data)));
	}
	free_text(text, &record->text);
	mail_paste_quote(mail_buf_view(&record->text), &record->rdata);
}

/*! Return whether another line of strings follows, as nslookup of Windows prints them; go there. */
static bool strings_below(mail_lexer_t *l)
{
	size_t i = l->pos;
	while (i < l->text.len && mail_char_space(l->text.data[i])) {
		i++;
	}
	if (i == l->text.len || l->text.data[i] != '"') {
		return false;
	}
	l->pos = i;
	return true;
}

/*! Read the RDATA of a record. */
static int rdata_read(reader_t *r, const mail_header_t *header, mail_pasted_t *record)
{
	mail_lexer_t *l = &r->lexer;
	mail_piece_t piece;
	const bool text = header->type == KNOT_RRTYPE_TXT || header->type == KNOT_RRTYPE_SPF;
	bool absolute = header->absolute;
	record->quoted = true;
	l->strings = text;
	for (unsigned n = 0;; n++) {
		mail_lexer_t before = *l;
		int ret = mail_piece_next(l, &piece);
		if (ret == KNOT_EOF && header->below && strings_below(l)) {
			continue;
		}
		if (ret == KNOT_EOF) {
			break;
		}
		if (ret != KNOT_EOK) {
			return mail_diag_error(r->diag, l->pos + 1, "a quote is not closed");
		}
		if (n == 0 && text && !piece.quoted && !mail_str_is(piece.text, "\\#")) {
			record->quoted = false;
			before.depth = l->depth;
			before.pos = (size_t)(piece.text.data - l->text.data);
			*l = before;
			free_rdata(r, record);
			return KNOT_EOK;
		}
		if (!piece.quoted && mail_str_is(piece.text, "--")) {
			/* resolvectl tells on which link it asked; its names are absolute. */
			l->pos += mail_str_find(mail_str_from(l->text, l->pos), "\n");
			absolute = true;
			break;
		}
		if (n > 0 && n <= header->skip) {
			continue;
		}
		if (header->skip > 0 && mail_str_ends(piece.text, ",")) {
			piece.text.len--;
		}
		record->quoted = record->quoted && piece.quoted;
		piece_put(record, &piece);
	}
	if (l->depth > 0) {
		return mail_diag_error(r->diag, l->bracket + 1, "the bracket '(' is not closed");
	}
	const uint16_t type = header->type;
	if (type == KNOT_RRTYPE_MX || type == KNOT_RRTYPE_CNAME || type == KNOT_RRTYPE_NS ||
	    type == KNOT_RRTYPE_SRV) {
		name_end(r, absolute, &record->rdata);
	}
	return record->rdata.error;
}

/*! RFC 3597 5: "\# 35 0301..." of a type that has a form of its own. */
static int generic_read(mail_pasted_t *record)
{
	char text[2048];
	mail_buf_t line = { 0 };
	knot_rrset_t rrset;
	if (!mail_str_starts(mail_buf_view(&record->rdata), "\\# ")) {
		return KNOT_EOK;
	}
	zs_scanner_t *scanner = malloc(sizeof(*scanner));
	if (scanner == NULL || zs_init(scanner, ".", KNOT_CLASS_IN, 0) != 0) {
		free(scanner);
		return KNOT_ENOMEM;
	}
	mail_buf_printf(&line, ". IN TYPE%u %.*s\n", record->type, (int)record->rdata.len,
	                (const char *)record->rdata.data);
	int ret = line.error;
	if (ret != KNOT_EOK ||
	    zs_set_input_string(scanner, (const char *)line.data, line.len) != 0 ||
	    zs_parse_record(scanner) != 0 || scanner->state != ZS_STATE_DATA) {
		goto done;
	}
	knot_rrset_init(&rrset, (knot_dname_t *)"", record->type, KNOT_CLASS_IN, 0);
	ret = knot_rrset_add_rdata(&rrset, scanner->r_data, scanner->r_data_length, NULL);
	if (ret == KNOT_EOK) {
		int len = knot_rrset_txt_dump_data(&rrset, 0, text, sizeof(text),
		                                   &KNOT_DUMP_STYLE_DEFAULT);
		if (len > 0) {
			record->rdata.len = 0;
			ret = mail_buf_put(&record->rdata, text, (size_t)len);
		}
		knot_rdataset_clear(&rrset.rrs, NULL);
	}
done:
	mail_buf_free(&line);
	zs_deinit(scanner);
	free(scanner);
	return ret;
}

/*! Read a record whose header was read. */
static int record_read(reader_t *r, size_t start, const mail_header_t *header)
{
	mail_pasted_t record = {
		.ttl = header->ttl, .type = header->type, .certain = header->certain, .at = start
	};
	mail_paste_t *paste = r->paste;
	/* RFC 1035 5.1: a line that begins with a blank has the owner of the one before. */
	if (header->owner.len > 0) {
		mail_buf_put(&record.owner, header->owner.data, header->owner.len);
		name_end(r, header->absolute, &record.owner);
	} else if (mail_char_space(r->lexer.text.data[start]) && paste->count > 0) {
		const mail_buf_t *owner = &paste->records[paste->count - 1].owner;
		if (owner->len > 0) {
			mail_buf_put(&record.owner, owner->data, owner->len);
		}
	}
	r->lexer = header->after;
	int ret = rdata_read(r, header, &record);
	if (ret == KNOT_EOK) {
		ret = generic_read(&record);
	}
	if (ret != KNOT_EOK) {
		record_clear(&record);
		return ret;
	}
	return record_push(paste, &record);
}

/* --- Lines that are no records --- */

/*! Take the rest of a line, without its end. */
static mail_str_t line_take(mail_lexer_t *l)
{
	const mail_str_t left = mail_str_from(l->text, l->pos);
	const size_t len = mail_str_find(left, "\n");
	l->pos += len + (len < left.len);
	return mail_str_trim(mail_str_part(left, 0, len));
}

/*! Pass over PEM. */
static void pem_skip(mail_lexer_t *l)
{
	while (l->pos < l->text.len && !mail_str_starts(line_take(l), "-----END ")) {
	}
}

/*! nslookup's address, below its name. */
static int address_read(reader_t *r, size_t start, mail_str_t address)
{
	if (r->name.len == 0 || memchr(address.data, '#', address.len) != NULL) {
		r->name.len = 0;
		return KNOT_EOK;
	}
	mail_pasted_t record = { .certain = true, .at = start };
	record.type = memchr(address.data, ':', address.len) != NULL ? KNOT_RRTYPE_AAAA
	                                                             : KNOT_RRTYPE_A;
	mail_buf_put(&record.owner, r->name.data, r->name.len);
	name_end(r, true, &record.owner);
	mail_buf_put(&record.rdata, address.data, address.len);
	mail_buf_put(&record.text, address.data, address.len);
	return record_push(r->paste, &record);
}

/*! Return whether a line is what tools print around their answers, or a directive; note what counts in it. */
static bool noise_read(reader_t *r, size_t start, mail_str_t line, int *ret)
{
	static const char *const noise[] = {
		"#",
		"--",
		"** ",
		"$TTL",
		"$ ",
		"Server:",
		"Aliases:",
		"Using domain server:",
		"Non-authoritative answer:",
		"Authoritative answers",
		"Trying \"",
		"Received ",
		"Owner",
	};
	mail_str_t words[2] = { { NULL, 0 } };
	const size_t count = mail_str_words(line, words, 2);
	if (count == 2 && mail_str_is(words[0], "$ORIGIN")) {
		r->origin = words[1];
		return true;
	}
	if (count == 2 && mail_str_is(words[0], "Name:")) {
		r->name = words[1];
		return true;
	}
	if (count == 2 &&
	    (mail_str_is(words[0], "Address:") || mail_str_is(words[0], "Addresses:"))) {
		*ret = address_read(r, start, words[1]);
		return true;
	}
	for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++) {
		if (mail_str_starts(line, noise[i])) {
			return true;
		}
	}
	return count == 0 || line.data[0] == ';';
}

/*! Read all records. */
static int records_read(reader_t *r)
{
	mail_lexer_t *l = &r->lexer;
	while (l->pos < l->text.len) {
		const size_t start = l->pos;
		mail_header_t header;
		int ret = KNOT_EOK;
		mail_lexer_t ahead = *l;
		const mail_str_t line = line_take(&ahead);
		if (mail_str_starts(line, "-----BEGIN ")) {
			pem_skip(l);
		} else if (noise_read(r, start, line, &ret)) {
			*l = ahead;
		} else if (mail_header_read(l, &header)) {
			ret = record_read(r, start, &header);
			(void)line_take(l);
		} else {
			r->paste->stray = r->paste->stray > 0 ? r->paste->stray : start + 1;
			*l = ahead;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		l->depth = 0;
		l->strings = false;
	}
	return KNOT_EOK;
}

/* --- RDATA alone --- */

/*! Return whether a line is strings in quotes and nothing else. */
static bool is_strings(mail_lexer_t l)
{
	mail_piece_t piece;
	size_t count = 0;
	int ret;
	while ((ret = mail_piece_next(&l, &piece)) == KNOT_EOK) {
		if (!piece.quoted) {
			return false;
		}
		count++;
	}
	return ret == KNOT_EOF && count > 0 && l.depth == 0;
}

/*! Read a line of RDATA. */
static int bare_read(reader_t *r)
{
	mail_lexer_t *l = &r->lexer;
	mail_pasted_t record = { .at = l->pos };
	mail_piece_t piece;
	if (is_strings(*l)) {
		record.quoted = true;
		while (mail_piece_next(l, &piece) == KNOT_EOK) {
			unescape(piece.text, &record.text);
		}
		(void)line_take(l);
	} else {
		free_text(quotes_strip(line_take(l)), &record.text);
	}
	if (record.text.len > 0) {
		mail_buf_put(&record.rdata, record.text.data, record.text.len);
	}
	return record_push(r->paste, &record);
}

/*! Read lines of RDATA. */
static int bares_read(reader_t *r)
{
	mail_lexer_t *l = &r->lexer;
	*l = (mail_lexer_t){ .text = l->text };
	r->paste->stray = 0;
	while (l->pos < l->text.len) {
		mail_lexer_t ahead = *l;
		const mail_str_t line = line_take(&ahead);
		int ret = KNOT_EOK;
		if (line.len == 0 || line.data[0] == ';') {
			*l = ahead;
		} else {
			ret = bare_read(r);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

void mail_paste_inner(mail_paste_t *paste)
{
	mail_paste_t inner = { 0 };
	if (paste->count != 1 || paste->records[0].type != 0 || !paste->records[0].quoted) {
		return;
	}
	mail_buf_t text = paste->records[0].text;
	reader_t again = { .lexer.text = mail_buf_view(&text), .paste = &inner, .diag = NULL };
	if (records_read(&again) != KNOT_EOK || inner.count == 0 || !inner.records[0].certain) {
		mail_paste_free(&inner);
		return;
	}
	/* The TTL is a part of what goes; who writes a record in two layers of quotes can do without. */
	for (size_t i = 0; i < inner.count; i++) {
		inner.records[i].ttl.len = 0;
		inner.records[i].at = paste->records[0].at;
	}
	mail_paste_free(paste);
	*paste = inner;
}

int mail_paste_read(mail_str_t text, mail_paste_t *paste, mail_diag_t *diag)
{
	static const char mark[] = "\xef\xbb\xbf";
	*paste = (mail_paste_t){ 0 };
	if (mail_str_starts(text, mark)) {
		text = mail_str_from(text, strlen(mark));
	}
	reader_t r = { .lexer.text = text, .paste = paste, .diag = diag };
	int ret = records_read(&r);
	if (ret == KNOT_EOK && paste->count == 0) {
		ret = bares_read(&r);
	}
	return ret;
}

void mail_paste_free(mail_paste_t *paste)
{
	for (size_t i = 0; i < paste->count; i++) {
		record_clear(&paste->records[i]);
	}
	free(paste->records);
	*paste = (mail_paste_t){ 0 };
}
