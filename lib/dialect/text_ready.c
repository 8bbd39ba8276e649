/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * People paste a line of a zone file behind an item's name, and the file of opendkim-genkey, which has several:
 *
 *     line   = *blank ["-" 1*blank] name ":" 1*blank record
 *     record = word 1*blank ... ( "(" / DQUOTE ) ...      ; up to the end of the line, or of its brackets
 *
 * Without quotes no value has a blank, so nothing that was a value is read in another way.
 */
#include "dialect/text_ready.h"

#include "mail/chars.h"

#define MARK "\xef\xbb\xbf"

/* Return where the line ends that begins at a place. */
static size_t line_end(mail_str_t text, size_t from)
{
	return from + mail_str_find(mail_str_from(text, from), "\n");
}

static size_t blanks_end(mail_str_t text, size_t from, size_t end)
{
	while (from < end && (text.data[from] == ' ' || text.data[from] == '\t')) {
		from++;
	}
	return from;
}

/* Return where the value of a line begins, or its end. */
static size_t value_start(mail_str_t text, size_t from, size_t end)
{
	const mail_str_t line = mail_str_part(text, from, end - from);
	const size_t colon = mail_str_find(line, ":#\"");
	if (colon == line.len || line.data[colon] != ':') {
		return end;
	}
	return blanks_end(text, from + colon + 1, end);
}

/* Return whether a value is a record without quotes around it: a bracket or a string begins behind a blank. */
static bool is_record(mail_str_t value)
{
	if (value.len == 0 || mail_char_in(value.data[0], "\"[#'")) {
		return false;
	}
	for (size_t i = 1; i < value.len; i++) {
		if (!mail_char_space(value.data[i - 1])) {
			continue;
		}
		if (value.data[i] == '#') {
			return false;
		}
		if (mail_char_in(value.data[i], "(\"")) {
			return true;
		}
	}
	return false;
}

/* Write a character inside quotes. A backslash before a quote cannot be said: both become numbers of a string. */
static size_t quoted_put(mail_str_t left, mail_buf_t *out)
{
	if (left.len > 1 && left.data[0] == '\\') {
		if (left.data[1] == '"') {
			mail_buf_str(out, "\\034");
		} else {
			mail_buf_put(out, left.data, 2);
		}
		return 2;
	}
	if (left.data[0] == '"') {
		mail_buf_u8(out, '\\');
	}
	mail_buf_u8(out, (uint8_t)(mail_char_space(left.data[0]) ? ' ' : left.data[0]));
	return 1;
}

/*
 * Write a record as one quoted value, without comments, and as many line ends as it has.
 *
 * Return where it ends: before the end of a line.
 */
static size_t record_put(mail_str_t text, size_t from, mail_buf_t *out)
{
	size_t pos = from, lines = 0, depth = 0;
	bool inside = false;
	mail_buf_u8(out, '"');
	while (pos < text.len) {
		const char c = text.data[pos];
		if (c == '\n' && (depth == 0 || pos + 1 == text.len)) {
			break;
		}
		lines += c == '\n';
		if (!inside && c == ';' && mail_char_space(text.data[pos - 1])) {
			pos = line_end(text, pos);
			continue;
		}
		if (c == '"') {
			inside = !inside;
		} else if (!inside && c == '(') {
			depth++;
		} else if (!inside && c == ')') {
			depth -= depth > 0;
		}
		pos += quoted_put(mail_str_from(text, pos), out);
	}
	mail_buf_u8(out, '"');
	while (lines-- > 0) {
		mail_buf_u8(out, '\n');
	}
	return pos;
}

int mail_text_ready(mail_str_t text, mail_buf_t *out)
{
	size_t pos = mail_str_starts(text, MARK) ? strlen(MARK) : 0;
	while (pos < text.len) {
		size_t end = line_end(text, pos);
		const size_t item = blanks_end(text, pos, end),
			     value = value_start(text, item, end);
		const bool record = is_record(mail_str_part(text, value, end - value));
		/* A tab in the indentation has no width of its own: that is refused. */
		mail_buf_put(out, text.data + pos, item - pos);
		for (size_t i = item; i < (record ? value : end); i++) {
			mail_buf_u8(out, (uint8_t)(text.data[i] == '\t' ? ' ' : text.data[i]));
		}
		if (record) {
			end = record_put(text, value, out);
		}
		if (end < text.len) {
			mail_buf_u8(out, '\n');
		}
		pos = end + 1;
	}
	return out->error;
}
