/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file is that somebody gave: told by its first line that says anything. */
#include "mail/text.h"

#include "mail/chars.h"
#include "record/paste.h"

#define MARK "\xef\xbb\xbf"

/* Return the first line that is neither empty nor a comment. */
static mail_str_t first_line(mail_str_t text)
{
	mail_str_t line = { NULL, 0 };
	size_t pos = 0;
	while (mail_str_piece(text, '\n', &pos, &line)) {
		if (line.len > 0 && line.data[0] != '#' && line.data[0] != ';') {
			return line;
		}
	}
	return (mail_str_t){ NULL, 0 };
}

/* Return whether a line is JSON that ends on it, as NDJSON has it. */
static bool is_whole(mail_str_t line)
{
	return line.len > 1 && line.data[line.len - 1] == '}' &&
	       memchr(line.data, ':', line.len) != NULL;
}

static bool is_section(mail_str_t line)
{
	const size_t colon = mail_str_find(line, ":");
	return colon < line.len &&
	       mail_section_find(mail_str_trim(mail_str_part(line, 0, colon))) < MAIL_SECTION_COUNT;
}

static bool is_record(mail_str_t line)
{
	mail_paste_t paste;
	/* The first line of several may leave a bracket open. */
	const int ret = mail_paste_read(line, &paste, NULL);
	const bool record = ret == KNOT_EINVAL ||
	                    (ret == KNOT_EOK && paste.count > 0 && paste.records[0].type != 0 &&
	                     paste.records[0].certain);
	mail_paste_free(&paste);
	return record;
}

mail_look_t mail_text_look(mail_str_t text)
{
	if (text.len > 1 &&
	    (mail_str_starts(text, "\xff\xfe") || mail_str_starts(text, "\xfe\xff") ||
	     text.data[0] == '\0' || text.data[1] == '\0')) {
		return MAIL_LOOK_UTF16;
	}
	if (mail_str_starts(text, MARK)) {
		text = mail_str_from(text, strlen(MARK));
	}
	const mail_str_t line = first_line(text);
	if (line.len == 0) {
		return MAIL_LOOK_UNKNOWN;
	}
	if (line.data[0] == '{') {
		return is_whole(line) ? MAIL_LOOK_NDJSON : MAIL_LOOK_JSON;
	}
	if (line.data[0] == '[') {
		return MAIL_LOOK_JSON;
	}
	if (mail_str_starts(line, "-----BEGIN ")) {
		return MAIL_LOOK_PEM;
	}
	if (is_section(line)) {
		return MAIL_LOOK_DIALECT;
	}
	return mail_str_starts(line, "$") || is_record(line) ? MAIL_LOOK_ZONE : MAIL_LOOK_UNKNOWN;
}

const char *mail_text_misplaced(mail_look_t look, const char *verb)
{
	const bool apply = strcmp(verb, "apply") == 0;
	switch (look) {
	case MAIL_LOOK_DIALECT:
		return apply ? NULL
		             : "this file is written like knot.conf: kmailctl apply FILE reads it";
	case MAIL_LOOK_NDJSON:
		return apply ? "this file is NDJSON: kmailctl import FILE reads it" : NULL;
	case MAIL_LOOK_JSON:
		return "this is JSON, but not NDJSON: write one object a line (jq -c '.[]' FILE for "
		       "an array, jq -c . FILE for objects), and read it with kmailctl import";
	case MAIL_LOOK_ZONE:
		return "this is a zone file: give its records to the items that make them, as "
		       "kmailctl domain-set DOMAIN mx='example.net. MX 10 mail'";
	case MAIL_LOOK_PEM:
		return "this is PEM: kmailctl cert-import NAME --current FILE reads certificates, "
		       "kmailctl dkim-import DOMAIN/SELECTOR FILE keys";
	case MAIL_LOOK_UTF16: return "this file is UTF-16: save it as UTF-8";
	case MAIL_LOOK_UNKNOWN: break;
	}
	return NULL;
}
