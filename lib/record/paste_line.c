/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of a zone file, or of what a tool prints (RFC 1035 5.1, and what people call by that name):
 *
 *     line   = header *( blank piece ) [ comment ]
 *     header = [ owner ] *( ttl / class ) type           ; zone files, dig, kdig, drill, delv
 *            / type owner [ ttl ]                        ; tables of providers, dog
 *            / owner phrase                              ; host, nslookup, khost, unbound-host
 *     phrase = "has" type "record" / "rdata_" 1*DIGIT "=" / "descriptive text" / ...
 *     piece  = word / DQUOTE *( qchar / "\" any ) DQUOTE
 *     comment = ";" *any                                 ; at the start of a piece, or within an unquoted one
 */
#include "record/paste_line.h"

#include "mail/chars.h"

/* RFC 6895 3.1: Q and meta types. */
#define META_FIRST 128
#define META_LAST 255

/* --- Pieces --- */

/*! Pass blanks, brackets, and, within brackets, line ends and comments. */
static void blanks_skip(mail_lexer_t *l)
{
	for (; l->pos < l->text.len; l->pos++) {
		const char c = l->text.data[l->pos];
		if (c == '(') {
			l->bracket = l->depth++ == 0 ? l->pos : l->bracket;
		} else if (c == ')') {
			l->depth -= l->depth > 0;
		} else if (c == ';') {
			const char *end = memchr(l->text.data + l->pos, '\n', l->text.len - l->pos);
			l->pos = end != NULL ? (size_t)(end - l->text.data) - 1 : l->text.len - 1;
		} else if (!mail_char_space(c) || (c == '\n' && l->depth == 0)) {
			return;
		}
	}
}

int mail_piece_next(mail_lexer_t *l, mail_piece_t *piece)
{
	blanks_skip(l);
	if (l->pos >= l->text.len || l->text.data[l->pos] == '\n') {
		return KNOT_EOF;
	}
	const size_t start = l->pos;
	bool inside = l->text.data[start] == '"';
	*piece = (mail_piece_t){ .quoted = inside };
	size_t i = start + inside;
	for (; i < l->text.len; i++) {
		const char c = l->text.data[i];
		if (c == '\\') {
			i++;
		} else if (c == '"' && l->strings && !inside) {
			break;
		} else if (c == '"') {
			inside = !inside;
			if (piece->quoted) {
				break;
			}
		} else if (!inside && (mail_char_space(c) || mail_char_in(c, "();"))) {
			break;
		}
	}
	if (inside) {
		return KNOT_EINVAL;
	}
	i = i < l->text.len ? i : l->text.len;
	piece->text = mail_str_part(l->text, start + piece->quoted, i - start - piece->quoted);
	l->pos = i + piece->quoted;
	piece->after = *l;
	return KNOT_EOK;
}

/* --- Headers --- */

/*! Return the type that a word names, or 0. */
static uint16_t type_of(const mail_piece_t *piece)
{
	char name[16];
	uint16_t type;
	if (piece->quoted || piece->text.len >= sizeof(name)) {
		return 0;
	}
	memcpy(name, piece->text.data, piece->text.len);
	name[piece->text.len] = '\0';
	if (knot_rrtype_from_string(name, &type) != 0 || knot_rrtype_is_metatype(type) ||
	    (type >= META_FIRST && type <= META_LAST)) {
		return 0;
	}
	return type;
}

static bool is_class(const mail_piece_t *piece)
{
	return !piece->quoted && mail_str_is_nocase(piece->text, "IN");
}

/*! A number of seconds, with or without units: 3600, 1h, 1h30m. */
static bool is_ttl(const mail_piece_t *piece)
{
	if (piece->quoted || piece->text.len == 0 || !mail_char_digit(piece->text.data[0])) {
		return false;
	}
	for (size_t i = 0; i < piece->text.len; i++) {
		const char c = mail_char_lower(piece->text.data[i]);
		if (!mail_char_digit(c) && !mail_char_in(c, "smhdw")) {
			return false;
		}
	}
	return true;
}

static bool is_number(const mail_piece_t *piece)
{
	uint32_t number;
	return !piece->quoted && mail_str_number(piece->text, UINT32_MAX, &number);
}

/*! Read "*( ttl / class ) type" from the piece `at` on. */
static bool type_read(const mail_piece_t *pieces, size_t count, size_t at, mail_header_t *header)
{
	/* RDATA follow. */
	for (size_t i = at; i + 1 < count && i <= at + 2; i++) {
		const uint16_t type = type_of(&pieces[i]);
		if (type != 0) {
			header->type = type;
			header->after = pieces[i].after;
			header->certain = header->certain || i > at;
			return true;
		}
		if (is_ttl(&pieces[i])) {
			header->ttl = pieces[i].text;
		} else if (!is_class(&pieces[i])) {
			break;
		}
	}
	header->ttl.len = 0;
	return false;
}

/*! How many pieces RDATA of a type have before a host's name, and whether the first is a number. */
static size_t numbers_of(uint16_t type)
{
	switch (type) {
	case KNOT_RRTYPE_MX: return 1;
	case KNOT_RRTYPE_SRV: return 3;
	case KNOT_RRTYPE_TLSA: return 3;
	case KNOT_RRTYPE_CAA: return 1;
	default: return 0;
	}
}

/*! Return whether the piece behind a type that comes first is an owner. */
static bool owner_follows(const mail_piece_t *pieces, size_t count, uint16_t type)
{
	if (count < 3 || pieces[1].quoted) {
		return false;
	}
	if (type == KNOT_RRTYPE_TXT) {
		return memchr(pieces[1].text.data, '=', pieces[1].text.len) == NULL;
	}
	return numbers_of(type) == 0 || !is_number(&pieces[1]);
}

/*! Read "type [ owner [ ttl ] ]". */
static bool type_first(const mail_piece_t *pieces, size_t count, mail_header_t *header)
{
	const uint16_t type = type_of(&pieces[0]);
	if (type == 0) {
		return false;
	}
	header->type = type;
	header->after = pieces[0].after;
	if (!owner_follows(pieces, count, type)) {
		return true;
	}
	header->owner = pieces[1].text;
	header->after = pieces[1].after;
	/* dog writes units; a number alone may be of the RDATA. */
	if (count > 3 && is_ttl(&pieces[2]) && !is_number(&pieces[2])) {
		header->ttl = pieces[2].text;
		header->after = pieces[2].after;
	}
	return true;
}

/*! What host, nslookup and khost write between owner and RDATA. */
static const struct {
	const char *words;
	uint16_t type;
	unsigned skip;
} phrases[] = {
	{ "has address", KNOT_RRTYPE_A, 0 },
	{ "has IPv4 address", KNOT_RRTYPE_A, 0 },
	{ "has IPv6 address", KNOT_RRTYPE_AAAA, 0 },
	{ "has AAAA address", KNOT_RRTYPE_AAAA, 0 },
	{ "name server", KNOT_RRTYPE_NS, 0 },
	{ "nameserver =", KNOT_RRTYPE_NS, 0 },
	{ "nameserver is", KNOT_RRTYPE_NS, 0 },
	{ "is an alias for", KNOT_RRTYPE_CNAME, 0 },
	{ "canonical name =", KNOT_RRTYPE_CNAME, 0 },
	{ "mail is handled by", KNOT_RRTYPE_MX, 0 },
	{ "mail exchanger =", KNOT_RRTYPE_MX, 0 },
	{ "MX preference =", KNOT_RRTYPE_MX, 3 }, /* 10, mail exchanger = mail.example.org */
	{ "descriptive text", KNOT_RRTYPE_TXT, 0 },
	{ "description is", KNOT_RRTYPE_TXT, 0 },
	{ "text =", KNOT_RRTYPE_TXT, 0 },
	{ "service =", KNOT_RRTYPE_SRV, 0 },
	{ "has TLS certificate", KNOT_RRTYPE_TLSA, 0 },
	{ "delegation signature is", KNOT_RRTYPE_DS, 0 },
};

/*! Return how many pieces from the second on are the words of a phrase; 0: they are others. */
static size_t phrase_len(const mail_piece_t *pieces, size_t count, const char *words)
{
	size_t pos = 0, n = 0;
	mail_str_t word;
	while (mail_str_word(MAIL_STR(words), &pos, &word)) {
		n++;
		if (n >= count || pieces[n].quoted || !mail_str_equal(pieces[n].text, word)) {
			return 0;
		}
	}
	return n;
}

/*! Read the words that name a type by itself: "has TLSA record", "rdata_52 =". \return Their number, or 0. */
static size_t named_type(const mail_piece_t *pieces, size_t count, uint16_t *type)
{
	uint32_t number;
	if (count > 3 && mail_str_is(pieces[1].text, "has") &&
	    mail_str_is(pieces[3].text, "record")) {
		*type = type_of(&pieces[2]);
		return *type != 0 ? 3 : 0;
	}
	if (count > 2 && mail_str_starts(pieces[1].text, "rdata_") &&
	    mail_str_is(pieces[2].text, "=") &&
	    mail_str_number(mail_str_from(pieces[1].text, 6), UINT16_MAX, &number)) {
		*type = (uint16_t)number;
		return 2;
	}
	return 0;
}

static bool phrase_read(const mail_piece_t *pieces, size_t count, mail_header_t *header)
{
	size_t len = named_type(pieces, count, &header->type);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases) && len == 0; i++) {
		len = phrase_len(pieces, count, phrases[i].words);
		header->type = phrases[i].type;
		header->skip = phrases[i].skip;
	}
	if (len == 0) {
		header->skip = 0;
		return false;
	}
	header->owner = pieces[0].text;
	header->absolute = header->certain = true;
	header->below = header->type == KNOT_RRTYPE_TXT;
	header->after = pieces[len].after;
	return true;
}

bool mail_header_read(const mail_lexer_t *lexer, mail_header_t *header)
{
	mail_piece_t pieces[MAIL_PASTE_HEADER];
	mail_lexer_t ahead = *lexer;
	size_t count = 0;
	while (count < MAIL_PASTE_HEADER && mail_piece_next(&ahead, &pieces[count]) == KNOT_EOK) {
		count++;
	}
	*header = (mail_header_t){ .type = 0 };
	/* "v=spf1 mx" has no owner. */
	if (count < 2 || pieces[0].quoted ||
	    memchr(pieces[0].text.data, '=', pieces[0].text.len) != NULL) {
		return false;
	}
	bool found;
	if (phrase_read(pieces, count, header)) {
		found = true;
	} else if (is_class(&pieces[0]) || is_ttl(&pieces[0])) {
		found = type_read(pieces, count, 0, header);
	} else if (type_read(pieces, count, 1, header)) {
		header->owner = pieces[0].text;
		found = true;
	} else {
		found = type_first(pieces, count, header);
	}
	header->certain = header->certain || (header->owner.len > 0 &&
	                                      header->owner.data[header->owner.len - 1] == '.');
	/* There must be RDATA. */
	mail_piece_t first;
	ahead = header->after;
	return found && (header->below || mail_piece_next(&ahead, &first) != KNOT_EOF);
}
