/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/name.h"

#include "mail/chars.h"

/*! What stands in names as itself; any other octet is written with a backslash. */
static bool is_plain(uint8_t c)
{
	return mail_char_alnum((char)c) || mail_char_in((char)c, "-_*/");
}

/* --- Text to names --- */

/*! A name being read. */
typedef struct {
	mail_str_t text;
	size_t pos;
	mail_diag_t *diag;
} scan_t;

/*!
 * Read what follows a backslash, RFC 1035 5.1:
 *
 *     escape = "\" ( 3DIGIT / printable )
 */
static int escape_parse(scan_t *s, uint8_t *octet)
{
	const char *at = s->text.data + s->pos + 1;
	size_t left = s->text.len - s->pos - 1;
	if (left >= 3 && mail_char_digit(at[0]) && mail_char_digit(at[1]) &&
	    mail_char_digit(at[2])) {
		unsigned value = (at[0] - '0') * 100u + (at[1] - '0') * 10u + (at[2] - '0');
		if (value > 255) {
			return mail_diag_error(s->diag, s->pos + 1, "\\%.3s is over \\255", at);
		}
		*octet = (uint8_t)value;
		s->pos += 4;
		return KNOT_EOK;
	}
	if (left == 0 || mail_char_digit(at[0]) || at[0] < 0x21 || at[0] > 0x7e) {
		return mail_diag_error(s->diag, s->pos + 1,
		                       "a backslash needs three digits or one character after it");
	}
	*octet = (uint8_t)at[0];
	s->pos += 2;
	return KNOT_EOK;
}

static int bad_octet(const scan_t *s)
{
	char c = s->text.data[s->pos];
	mail_str_t rest = { s->text.data + s->pos, s->text.len - s->pos };
	if (c == '{' && rest.len >= strlen(MAIL_HOLE) &&
	    memcmp(rest.data, MAIL_HOLE, strlen(MAIL_HOLE)) == 0) {
		return mail_diag_error(s->diag, s->pos + 1, MAIL_HOLE " cannot stand here");
	}
	if (c == '{') {
		return mail_diag_error(s->diag, s->pos + 1,
		                       "\"%.*s\" is not known: only " MAIL_HOLE " is",
		                       MAIL_SHOW(rest));
	}
	if (c == '@') {
		return mail_diag_error(s->diag, s->pos + 1, "\"%.*s\" is an address, not a name",
		                       MAIL_SHOW(s->text));
	}
	if (c == ' ' || c == '\t') {
		return mail_diag_error(s->diag, s->pos + 1, "white space in the name \"%.*s\"",
		                       MAIL_SHOW(s->text));
	}
	if (mail_str_starts(rest, "://")) {
		const mail_str_t behind = mail_str_from(rest, 3);
		return mail_diag_error(
			s->diag, s->pos + 1, "a URL is no name: write %.*s",
			MAIL_SHOW(mail_str_part(behind, 0, mail_str_find(behind, "/:?#"))));
	}
	if (c == ':' && rest.len > 1 && mail_char_digit(rest.data[1])) {
		return mail_diag_error(s->diag, s->pos + 1, "a name has no port: write %.*s",
		                       MAIL_SHOW(mail_str_part(s->text, 0, s->pos)));
	}
	if (c < 0x21 || c > 0x7e) {
		return mail_diag_error(s->diag, s->pos + 1, "octet \\%03u in a name", (uint8_t)c);
	}
	return mail_diag_error(s->diag, s->pos + 1,
	                       "'%c' in the name \"%.*s\" (if it is meant: write '\\%c')", c,
	                       MAIL_SHOW(s->text), c);
}

/*!
 * Read one label up to its dot or the end of the text.
 *
 *     label = 1*( ALPHA / DIGIT / "-" / "_" / "*" / "/" / escape )
 *
 * \param label  Room for 63 octets.
 */
static int label_parse(scan_t *s, uint8_t *label, size_t *len)
{
	const size_t start = s->pos;
	size_t n = 0;
	while (s->pos < s->text.len && s->text.data[s->pos] != '.') {
		uint8_t c = (uint8_t)s->text.data[s->pos];
		if (c == '\\') {
			int ret = escape_parse(s, &c);
			if (ret != KNOT_EOK) {
				return ret;
			}
		} else if (is_plain(c)) {
			s->pos++;
		} else {
			return bad_octet(s);
		}
		if (n < KNOT_DNAME_MAXLABELLEN) {
			label[n] = (uint8_t)mail_char_lower((char)c);
		}
		n++;
	}
	if (n == 0) {
		return mail_diag_error(s->diag, start + 1, "an empty label in the name \"%.*s\"",
		                       MAIL_SHOW(s->text));
	}
	if (n > KNOT_DNAME_MAXLABELLEN) {
		return mail_diag_error(s->diag, start + 1,
		                       "label \"%.20s...\" has %zu octets, more than 63",
		                       (const char *)label, n);
	}
	*len = n;
	return KNOT_EOK;
}

/*! Step over `{domain}` when it stands here as a whole label. */
static bool hole_parse(scan_t *s)
{
	size_t len = strlen(MAIL_HOLE), left = s->text.len - s->pos;
	if (left < len || memcmp(s->text.data + s->pos, MAIL_HOLE, len) != 0) {
		return false;
	}
	if (left > len && s->text.data[s->pos + len] != '.') {
		return false;
	}
	s->pos += len;
	return true;
}

int mail_pattern_label(mail_pattern_t *pattern, const uint8_t *label, size_t len)
{
	/* The labels, their lengths, and the root. */
	if (pattern->head_len + pattern->tail_len + 1u + len + 1u > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	uint8_t *part = pattern->hole ? pattern->tail : pattern->head;
	uint8_t *part_len = pattern->hole ? &pattern->tail_len : &pattern->head_len;
	part[*part_len] = (uint8_t)len;
	memcpy(part + *part_len + 1, label, len);
	*part_len += (uint8_t)(len + 1);
	return KNOT_EOK;
}

/*! Read one label, or the hole when `holes` lets it be one, into a pattern. */
static int part_parse(scan_t *s, bool holes, mail_pattern_t *pattern)
{
	size_t start = s->pos;
	if (holes && hole_parse(s)) {
		if (pattern->hole) {
			return mail_diag_error(s->diag, start + 1,
			                       MAIL_HOLE " stands twice in the name \"%.*s\"",
			                       MAIL_SHOW(s->text));
		}
		pattern->hole = true;
		return KNOT_EOK;
	}

	uint8_t label[KNOT_DNAME_MAXLABELLEN];
	size_t len = 0;
	int ret = label_parse(s, label, &len);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (mail_pattern_label(pattern, label, len) != KNOT_EOK) {
		return mail_diag_error(s->diag, start + 1, "the name is longer than 255 octets");
	}
	return KNOT_EOK;
}

/*!
 * Read a name.
 *
 *     name = "." / label *( "." label ) [ "." ]
 *
 * \param dot  Out: it ended with a dot.
 */
static int labels_parse(scan_t *s, bool holes, mail_pattern_t *pattern, bool *dot)
{
	pattern->head_len = pattern->tail_len = 0;
	pattern->hole = false;
	*dot = false;
	if (s->text.len == 0) {
		return mail_diag_error(s->diag, 0, "a name is missing");
	}
	if (mail_str_is(s->text, ".")) {
		*dot = true;
		return KNOT_EOK;
	}
	while (s->pos < s->text.len) {
		int ret = part_parse(s, holes, pattern);
		if (ret != KNOT_EOK) {
			return ret;
		}
		/* Only a dot ends a part before the end. */
		*dot = s->pos < s->text.len;
		s->pos += *dot;
	}
	return KNOT_EOK;
}

int mail_name_parse(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag)
{
	scan_t s = { text, 0, diag };
	mail_pattern_t pattern;
	bool dot;
	int ret = labels_parse(&s, false, &pattern, &dot);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_pattern_name(&pattern, NULL, name);
}

/*! As mail_pattern_parse(), but for `@`. \param absolute Whether or not there is a dot at its end. */
static int pattern_parse(mail_str_t text, bool absolute, mail_pattern_t *pattern, mail_diag_t *diag)
{
	scan_t s = { text, 0, diag };
	bool dot;
	int ret = labels_parse(&s, true, pattern, &dot);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!absolute && !dot) {
		/* Relative to the domain, it would hold the domain twice: nobody means that. */
		if (pattern->hole && pattern->tail_len > 0) {
			return mail_diag_error(diag, text.len,
			                       "the name \"%.*s\" needs a dot at its end",
			                       MAIL_SHOW(text));
		}
		pattern->hole = true;
	}
	/* The shortest domain has one label of one octet. */
	if (pattern->hole && pattern->head_len + pattern->tail_len + 3u > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 1,
		                       "the name leaves no room for the domain within 255 octets");
	}
	return KNOT_EOK;
}

int mail_pattern_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag)
{
	if (mail_str_is(text, "@")) {
		pattern->head_len = pattern->tail_len = 0;
		pattern->hole = true;
		return KNOT_EOK;
	}
	return pattern_parse(text, false, pattern, diag);
}

/*! Return whether a text is an IP address, as people write it in place of a host name. */
static bool is_address(mail_str_t text)
{
	if (text.len > 0 && text.data[0] == '[') {
		return true;
	}
	uint8_t address[16];
	text.len -= text.len > 0 && text.data[text.len - 1] == '.';
	return mail_str_address(text, address) > 0;
}

/*! Return whether one of the labels is "*". */
static bool has_wildcard(const uint8_t *labels, size_t len)
{
	for (size_t pos = 0; pos < len; pos += labels[pos] + 1u) {
		if (labels[pos] == 1 && labels[pos + 1] == '*') {
			return true;
		}
	}
	return false;
}

int mail_host_parse(mail_str_t text, bool absolute, mail_pattern_t *pattern, mail_diag_t *diag)
{
	if (is_address(text)) {
		return mail_diag_error(diag, 1, "\"%.*s\" is an IP address: a host name is needed",
		                       MAIL_SHOW(text));
	}
	int ret;
	if (absolute) {
		ret = pattern_parse(text, true, pattern, diag);
	} else {
		ret = mail_pattern_parse(text, pattern, diag);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (has_wildcard(pattern->head, pattern->head_len) ||
	    has_wildcard(pattern->tail, pattern->tail_len)) {
		return mail_diag_error(diag, 1, "\"%.*s\" is a wildcard: a host name is needed",
		                       MAIL_SHOW(text));
	}
	return KNOT_EOK;
}

int mail_pattern_name(const mail_pattern_t *pattern, const knot_dname_t *apex,
                      knot_dname_storage_t name)
{
	if (pattern->hole && apex == NULL) {
		return KNOT_EINVAL;
	}
	size_t apex_len = pattern->hole ? knot_dname_size(apex) - 1 : 0;
	if (pattern->head_len + apex_len + pattern->tail_len + 1 > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	uint8_t *out = name;
	memcpy(out, pattern->head, pattern->head_len);
	out += pattern->head_len;
	if (apex != NULL) {
		memcpy(out, apex, apex_len);
		out += apex_len;
	}
	memcpy(out, pattern->tail, pattern->tail_len);
	out[pattern->tail_len] = 0;
	return KNOT_EOK;
}

/* --- Names to text --- */

/*! Write an octet that is not plain (RFC 1035 5.1). */
static void octet_print(uint8_t octet, mail_buf_t *out)
{
	if (octet > 0x20 && octet < 0x7f) {
		mail_buf_put(out, (uint8_t[]){ '\\', octet }, 2);
	} else {
		mail_buf_printf(out, "\\%03u", octet);
	}
}

/*! Write labels with a dot between two of them. */
static int labels_print(const uint8_t *labels, size_t len, mail_buf_t *out)
{
	for (size_t pos = 0; pos < len; pos += labels[pos] + 1u) {
		if (pos > 0) {
			mail_buf_u8(out, '.');
		}
		const size_t end = pos + 1 + labels[pos];
		for (size_t i = pos + 1; i < end;) {
			size_t run = i;
			while (run < end && is_plain(labels[run])) {
				run++;
			}
			mail_buf_put(out, labels + i, run - i);
			i = run;
			if (i < end) {
				octet_print(labels[i++], out);
			}
		}
	}
	return out->error;
}

int mail_name_print(const knot_dname_t *name, mail_buf_t *out)
{
	size_t len = knot_dname_size(name) - 1;
	if (len == 0) {
		return mail_buf_str(out, ".");
	}
	return labels_print(name, len, out);
}

int mail_pattern_print(const mail_pattern_t *pattern, mail_buf_t *out)
{
	if (!pattern->hole && pattern->head_len == 0) {
		return mail_buf_str(out, ".");
	}
	labels_print(pattern->head, pattern->head_len, out);
	if (pattern->hole) {
		mail_buf_str(out, pattern->head_len > 0 ? "." MAIL_HOLE : MAIL_HOLE);
	}
	if (pattern->tail_len > 0) {
		mail_buf_u8(out, '.');
	}
	return labels_print(pattern->tail, pattern->tail_len, out);
}

int mail_name_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	int ret = mail_pattern_parse(text, &pattern, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* Relative to the domain, unless labels follow it. */
	if (pattern.hole && pattern.tail_len == 0 && pattern.head_len > 0) {
		return labels_print(pattern.head, pattern.head_len, out);
	}
	if (pattern.hole && pattern.tail_len == 0) {
		return mail_buf_u8(out, '@');
	}
	mail_pattern_print(&pattern, out);
	if (!pattern.hole && pattern.head_len == 0) {
		return out->error;
	}
	return mail_buf_u8(out, '.');
}
