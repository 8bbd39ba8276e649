/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yparser says that a line is bad, but not why. This walks over such a line by the same grammar
 * (libknot/yparser/ypbody.rl), and says in words where it leaves it:
 *
 *     line    = [SP] ["-" SP] key [SP] ":" [SP (list / value)] [SP [comment]]
 *     list    = "[" [SP] value *([SP] "," [SP] value) [SP] "]"
 *     value   = 1*bare / DQUOTE *(bare / SP / "#" / "[" / "," / "]") DQUOTE
 *     bare    = "\" DQUOTE / "\" printing / any but SP, control, DQUOTE, "#", "[", ",", "]", "\"
 *     comment = "#" *any
 */
#include "dialect/text_slip.h"

#include <libknot/yparser/yparser.h>

#include "mail/chars.h"

/* A line being walked over. */
typedef struct {
	const char *pos;
	const char *end;
} text_line_t;

static bool at(const text_line_t *w, char c)
{
	return w->pos < w->end && *w->pos == c;
}

static void skip_spaces(text_line_t *w)
{
	while (at(w, ' ')) {
		w->pos++;
	}
}

static bool is_key_char(char c)
{
	return mail_char_alnum(c) || mail_char_in(c, "\\/._*-");
}

static mail_str_t line_of(mail_str_t text, uint32_t number)
{
	const char *pos = text.data, *end = text.data + text.len;
	for (uint32_t i = 1; i < number && pos < end; i++) {
		const char *next = memchr(pos, '\n', (size_t)(end - pos));
		pos = next != NULL ? next + 1 : end;
	}
	const char *stop = pos < end ? memchr(pos, '\n', (size_t)(end - pos)) : NULL;
	stop = stop != NULL ? stop : end;
	if (stop > pos && stop[-1] == '\r') {
		stop--;
	}
	return (mail_str_t){ pos, (size_t)(stop - pos) };
}

/* Pass a backslash and what it escapes. */
static const char *walk_backslash(text_line_t *w)
{
	w->pos++;
	if (w->pos == w->end || *w->pos < 0x20 || *w->pos > 0x7e) {
		return "a backslash with nothing to escape";
	}
	w->pos++;
	return NULL;
}

/* Pass what stands before a character of a set, or before the end. */
static const char *walk_until(text_line_t *w, const char *set)
{
	while (w->pos < w->end && strchr(set, *w->pos) == NULL) {
		if (*w->pos != '\\') {
			w->pos++;
			continue;
		}
		const char *slip = walk_backslash(w);
		if (slip != NULL) {
			return slip;
		}
	}
	return NULL;
}

/* Pass one value; the reason when there is none. */
static const char *walk_value(text_line_t *w)
{
	const char *start = w->pos;
	const bool quoted = at(w, '"');
	w->pos += quoted;
	const char *slip = walk_until(w, quoted ? "\"" : " \"#[,]");
	if (quoted && w->pos == w->end) {
		return "a quote is not closed";
	}
	if (slip != NULL) {
		return slip;
	}
	w->pos += quoted;
	return w->pos > start ? NULL : "a value is missing";
}

/* What may be meant by text that goes on after a value, in a list or outside. */
static const char *walk_rest(const text_line_t *w, const char *start, bool list)
{
	if (*start == '\'') {
		return "only double quotes quote";
	}
	if (at(w, '"')) {
		return *start == '"'
		               ? "text after a closing quote; inside quotes a quote is written \\\""
		               : "a quote inside a value: quote the whole value";
	}
	if (at(w, '[')) {
		return "a bracket inside a value: quote the value";
	}
	if (*start == '"') {
		return list ? "a comma or the closing bracket is missing"
		            : "text after a closing quote; inside quotes a quote is written \\\"";
	}
	return list ? "a space inside a value: quote the value, or a comma or the closing bracket is missing"
	            : "a space inside a value: quote the value, as \"10 mail\"";
}

static const char *walk_list(text_line_t *w)
{
	w->pos++;
	skip_spaces(w);
	if (at(w, ']')) {
		return "an empty list; \"none\" removes what is inherited";
	}
	while (true) {
		const char *start = w->pos;
		if (at(w, ',') || at(w, ']')) {
			return "a value is missing in the list";
		}
		const char *slip = walk_value(w);
		if (slip != NULL) {
			return w->pos == w->end || at(w, '#') ? "a closing bracket is missing"
			                                      : slip;
		}
		skip_spaces(w);
		if (w->pos == w->end || at(w, '#')) {
			return "a closing bracket is missing; a list ends on the line that it begins on";
		}
		if (at(w, ']')) {
			w->pos++;
			return NULL;
		}
		if (!at(w, ',')) {
			return walk_rest(w, start, true);
		}
		w->pos++;
		skip_spaces(w);
	}
}

/* The part after the colon. */
static const char *walk_data(text_line_t *w)
{
	if (w->pos < w->end && *w->pos != ' ') {
		return "a space is missing after the colon";
	}
	skip_spaces(w);
	const char *start = w->pos;
	if (w->pos == w->end || *w->pos == '#') {
		return "a value is missing";
	}
	const char *slip = at(w, '[') ? walk_list(w) : walk_value(w);
	if (slip != NULL) {
		return at(w, ']') ? "a closing bracket without an opening one" : slip;
	}
	if (at(w, '#')) {
		return "a comment needs a space before it, and a value with a # needs quotes";
	}
	skip_spaces(w);
	if (w->pos == w->end || *w->pos == '#') {
		return NULL;
	}
	if (*start == '[') {
		return "text after the closing bracket";
	}
	if (at(w, ',')) {
		return "several values stand in brackets: [ a, b ]";
	}
	if (at(w, ']')) {
		return "a closing bracket without an opening one";
	}
	return walk_rest(w, start, false);
}

/* The whole line; finds its key, too. */
static const char *walk_line(text_line_t *w, mail_str_t *key)
{
	skip_spaces(w);
	if (at(w, '-')) {
		w->pos++;
		if (!at(w, ' ')) {
			return "a space is missing after the dash";
		}
		skip_spaces(w);
	}
	key->data = w->pos;
	while (w->pos < w->end && is_key_char(*w->pos)) {
		w->pos++;
	}
	key->len = (size_t)(w->pos - key->data);
	skip_spaces(w);
	if (key->len == 0 || !at(w, ':')) {
		key->len = 0;
		return "expected \"item: value\"";
	}
	w->pos++;
	return walk_data(w);
}

/* What no line may hold, wherever it stands. */
static const char *bad_octet(mail_str_t line)
{
	bool indent = true;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.data[i];
		indent = indent && (c == ' ' || c == '\t');
		if (c == '#' && (i == 0 || line.data[i - 1] == ' ')) {
			/* Most likely a comment, where anything may stand. */
			return NULL;
		}
		if (c == '\t') {
			return indent ? "a tab in the indentation: use spaces"
			              : "a tab: use spaces";
		}
		if (c < 0x20 || c == 0x7f) {
			return "a control character";
		}
	}
	return NULL;
}

int mail_text_slip(mail_subject_t *subject, mail_str_t text, int ret)
{
	mail_str_t line = line_of(text, subject->line), key = { NULL, 0 };
	text_line_t walk = { line.data, line.data + line.len };
	const char *slip = bad_octet(line);
	const char *shape = walk_line(&walk, &key);
	slip = slip != NULL ? slip : shape;
	if (ret == KNOT_YP_EINVAL_INDENT) {
		slip = "the indentation differs from the lines above";
	} else if (ret == KNOT_ESPACE) {
		slip = key.len > YP_MAX_TXT_KEY_LEN ? "the name is too long"
		                                    : "the value is too long";
	} else if (slip == NULL) {
		slip = ret == KNOT_YP_ECHAR_TAB ? "a tab: use spaces" : "does not parse";
	}
	subject->item = key;
	return mail_subject_error(subject, 0, "%s", slip);
}
