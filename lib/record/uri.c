/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * URIs in records.  What is wrong is refused with its column; what a URI, or the record around it,
 * only wants written differently (RFC 3986 2.1, RFC 8616 for hosts) is written that way.
 *
 *     mailto    = "mailto:" local "@" host [ "?" query ] [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ]
 *     https     = "https://" host [ ":" port ] [ path ] [ "?" query ]
 *
 * Commas, see mail_uri_next(): "mailto:a@x.example,mailto:b@x.example" is a list, the comma in
 * "https://x.example/a,b" is a character of a path.
 */
#include "config.h"

#include "record/uri.h"

#include "mail/chars.h"

/* Besides letters and digits. */
#define UNRESERVED "-._~"
/* RFC 6068 2: of the delimiters, these stand for themselves in an address. */
#define LOCAL_PLAIN UNRESERVED "!$'*+:"
/* RFC 3986 3.3, 3.4: pchar, "/" and "?". */
#define PATH_PLAIN UNRESERVED "!$&'()*+,;=:@/?"

#define PORT_MAX 65535

/*! A URI being written. */
typedef struct {
	mail_str_t uri;
	const mail_uri_form_t *form;
	mail_buf_t *out;
	mail_diag_t *diag;
} writer_t;

static const struct {
	const char *name;
	mail_uri_scheme_t scheme;
} schemes[] = {
	{ "mailto", MAIL_URI_MAILTO },
	{ "https", MAIL_URI_HTTPS },
};

static size_t find_last(mail_str_t s, char c)
{
	const char *at = s.len > 0 ? memrchr(s.data, c, s.len) : NULL;
	return at != NULL ? (size_t)(at - s.data) : s.len;
}

/*! Length of the scheme that a string starts with (RFC 3986 3.1), without its colon; 0: none. */
static size_t scheme_len(mail_str_t s)
{
	size_t i = 0;
	while (i < s.len &&
	       (mail_char_alpha(s.data[i]) ||
	        (i > 0 && (mail_char_digit(s.data[i]) || mail_char_in(s.data[i], "+-."))))) {
		i++;
	}
	return i < s.len && s.data[i] == ':' ? i : 0;
}

/*! Column of a place in the URI. */
static size_t column(const writer_t *w, const char *at)
{
	return (size_t)(at - w->uri.data) + 1;
}

/*!
 * Write a part of a URI, encoding what is not plain.
 *
 *     pct-encoded = "%" HEXDIG HEXDIG
 */
static int part_write(const writer_t *w, mail_str_t part, const char *others)
{
	/* ALPHA and DIGIT, and those that this part may have besides. */
	mail_charset_t plain = { { UINT64_C(0x03ff000000000000), UINT64_C(0x07fffffe07fffffe) } };
	if (part.len == 0) {
		return w->out->error;
	}
	mail_charset_add(&plain, others);
	mail_charset_take(&plain, w->form->escape);
	for (size_t i = 0; i < part.len; i++) {
		const size_t begin = i;
		while (i < part.len && mail_charset_has(&plain, part.data[i])) {
			i++;
		}
		mail_buf_put(w->out, part.data + begin, i - begin);
		if (i == part.len) {
			break;
		}
		mail_str_t left = mail_str_from(part, i);
		char c = part.data[i];
		if (mail_str_starts(left, MAIL_HOLE)) {
			mail_buf_str(w->out, MAIL_HOLE);
			i += strlen(MAIL_HOLE) - 1;
		} else if (c == '%') {
			if (left.len < 3 || mail_char_hex(left.data[1]) < 0 ||
			    mail_char_hex(left.data[2]) < 0) {
				return mail_diag_error(
					w->diag, column(w, left.data),
					"two hexadecimal digits must follow %% in a URI");
			}
			mail_buf_put(w->out, left.data, 3);
			i += 2;
		} else if (c == '{' || c == '}') {
			return mail_diag_error(w->diag, column(w, left.data),
			                       "'%c' in a URI: only " MAIL_HOLE " is replaced", c);
		} else if ((uint8_t)c <= ' ' || c == 0x7f || mail_char_in(c, "\"<>\\")) {
			return mail_diag_error(w->diag, column(w, left.data),
			                       "a character that cannot be in a URI");
		} else {
			mail_buf_printf(w->out, "%%%02X", (uint8_t)c);
		}
	}
	return w->out->error;
}

static int host_part_write(const writer_t *w, mail_str_t host)
{
	int ret = mail_uri_host_write(host, w->out, w->diag);
	return mail_diag_shift(w->diag, ret, (size_t)(host.data - w->uri.data));
}

/*! local = dot-atom (RFC 5322 3.2.3), with what a URI does not allow percent-encoded. */
static int local_write(const writer_t *w, mail_str_t local)
{
	if (local.len == 0) {
		return mail_diag_error(w->diag, column(w, local.data), "no local part before '@'");
	}
	for (size_t i = 0; i < local.len; i++) {
		i += mail_str_find(mail_str_from(local, i), "@()[];.");
		if (i == local.len) {
			break;
		}
		const char c = local.data[i];
		if (c == '@') {
			return mail_diag_error(w->diag, column(w, local.data + i),
			                       "a second '@': each address needs its own mailto:");
		}
		if (c != '.' || i == 0 || i + 1 == local.len || local.data[i - 1] == '.') {
			return mail_diag_error(w->diag, column(w, local.data + i),
			                       "'%c' cannot be there in an address", c);
		}
	}
	if (!mail_str_is_ascii(local)) {
		mail_diag_warn(w->diag,
		               "reports to '%.*s' reach it from servers with SMTPUTF8 only",
		               MAIL_SHOW(w->uri));
	}
	return part_write(w, local, LOCAL_PLAIN);
}

/*! Length of a size limit at the end ("!10m", RFC 7489 6.2), or 0. */
static size_t size_limit_len(mail_str_t s)
{
	size_t at = find_last(s, '!');
	size_t end = s.len;
	if (at == s.len) {
		return 0;
	}
	if (mail_char_in(mail_char_lower(s.data[end - 1]), "kmgt")) {
		end--;
	}
	for (size_t i = at + 1; i < end; i++) {
		if (!mail_char_digit(s.data[i])) {
			return 0;
		}
	}
	return end > at + 1 ? s.len - at : 0;
}

static int mailto_write(const writer_t *w, mail_str_t rest)
{
	size_t size = w->form->size ? size_limit_len(rest) : 0;
	mail_str_t limit = mail_str_from(rest, rest.len - size);
	rest.len -= size;

	size_t query = mail_str_find(rest, "?");
	mail_str_t address = { rest.data, query };
	size_t at = find_last(address, '@');
	if (at == address.len) {
		return mail_diag_error(w->diag, column(w, rest.data), "no '@' in the address");
	}

	mail_buf_str(w->out, "mailto:");
	int ret = local_write(w, (mail_str_t){ address.data, at });
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_u8(w->out, '@');
	ret = host_part_write(w, mail_str_from(address, at + 1));
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = part_write(w, mail_str_from(rest, query), PATH_PLAIN);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (size > 0) {
		mail_diag_warn(w->diag, "the size limit '%.*s' is gone since RFC 9990",
		               MAIL_SHOW(limit));
	}
	return mail_buf_put(w->out, limit.data, limit.len);
}

static int https_write(const writer_t *w, mail_str_t rest)
{
	if (!mail_str_starts(rest, "//")) {
		return mail_diag_error(w->diag, column(w, rest.data), "'//' must follow https:");
	}
	rest = mail_str_from(rest, 2);
	size_t end = mail_str_find(rest, "/?#");
	mail_str_t authority = { rest.data, end };
	if (mail_str_find(authority, "@[") < authority.len) {
		return mail_diag_error(
			w->diag, column(w, authority.data),
			"only a host name, perhaps with a port, may follow https://");
	}
	size_t colon = mail_str_find(authority, ":");

	mail_buf_str(w->out, "https://");
	int ret = host_part_write(w, (mail_str_t){ authority.data, colon });
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (colon < authority.len) {
		mail_str_t port = mail_str_from(authority, colon);
		uint32_t number;
		if (!mail_str_number(mail_str_from(port, 1), PORT_MAX, &number) || number == 0) {
			return mail_diag_error(w->diag, column(w, port.data), "not a port: '%.*s'",
			                       MAIL_SHOW(port));
		}
		mail_buf_put(w->out, port.data, port.len);
	}

	rest = mail_str_from(rest, end);
	size_t fragment = mail_str_find(rest, "#");
	if (fragment < rest.len) {
		return mail_diag_error(w->diag, column(w, rest.data + fragment),
		                       "a fragment '#' has no meaning here");
	}
	return part_write(w, rest, PATH_PLAIN);
}

/*! Name the schemes that are allowed. */
static const char *schemes_show(unsigned allowed)
{
	switch (allowed) {
	case MAIL_URI_MAILTO: return "mailto:";
	case MAIL_URI_HTTPS: return "https:";
	default: return "mailto: or https:";
	}
}

void mail_uri_parts(mail_str_t uri, unsigned *scheme, mail_str_t *host)
{
	*scheme = 0;
	*host = (mail_str_t){ uri.data, 0 };
	mail_str_t name = { uri.data, scheme_len(uri) };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (mail_str_is_nocase(name, schemes[i].name)) {
			*scheme = schemes[i].scheme;
		}
	}

	if (*scheme == MAIL_URI_MAILTO) {
		mail_str_t address = mail_str_from(uri, name.len + 1);
		address.len = mail_str_find(address, "?");
		size_t at = find_last(address, '@');
		if (at < address.len) {
			*host = mail_str_from(address, at + 1);
			host->len = mail_str_find(*host, "!,");
		}
	} else if (*scheme == MAIL_URI_HTTPS) {
		mail_str_t rest = mail_str_from(uri, name.len + 1);
		if (mail_str_starts(rest, "//")) {
			*host = mail_str_from(rest, 2);
			host->len = mail_str_find(*host, "/?#:!,");
		}
	}
}

int mail_uri_write(mail_str_t uri, const mail_uri_form_t *form, mail_buf_t *out, mail_diag_t *diag)
{
	writer_t w = { uri, form, out, diag };
	unsigned scheme;
	mail_str_t host;
	mail_uri_parts(uri, &scheme, &host);
	if ((scheme & form->schemes) == 0) {
		return mail_diag_error(diag, 1, "'%.*s' is no URI with %s", MAIL_SHOW(uri),
		                       schemes_show(form->schemes));
	}
	mail_str_t rest = mail_str_from(uri, scheme_len(uri) + 1);
	if (scheme == MAIL_URI_MAILTO) {
		return mailto_write(&w, rest);
	}
	return https_write(&w, rest);
}

bool mail_uri_next(mail_str_t list, size_t *pos, mail_str_t *uri)
{
	if (*pos > list.len) {
		return false;
	}
	size_t end = *pos + mail_str_find(mail_str_from(list, *pos), ",");
	while (end + 1 < list.len && scheme_len(mail_str_trim(mail_str_from(list, end + 1))) == 0) {
		end += 1 + mail_str_find(mail_str_from(list, end + 1), ",");
	}
	*uri = mail_str_trim(mail_str_part(list, *pos, end - *pos));
	*pos = end + 1;
	return true;
}

int mail_uri_list_write(mail_str_t list, const mail_uri_form_t *form, mail_buf_t *out,
                        mail_diag_t *diag)
{
	size_t pos = 0;
	mail_str_t uri;
	for (bool first = true; mail_uri_next(list, &pos, &uri); first = false) {
		if (!first) {
			mail_buf_u8(out, ',');
		}
		int ret = mail_uri_write(uri, form, out, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(uri.data - list.data));
		}
	}
	return out->error;
}

/*! Check the characters of a label; *hole is set when it is the hole. */
static int label_check(mail_str_t label, size_t at, bool *hole, mail_diag_t *diag)
{
	if (mail_str_is(label, MAIL_HOLE)) {
		*hole = true;
		return KNOT_EOK;
	}
	if (label.len == 0) {
		return mail_diag_error(diag, at + 1, "an empty label in a host name");
	}
	for (size_t i = 0; i < label.len; i++) {
		char c = label.data[i];
		if (c == ',') {
			return mail_diag_error(diag, at + i + 1,
			                       "after ',' another mailto: or https: must follow");
		}
		if (!mail_char_alnum(c) && c != '-' && c != '_') {
			return mail_diag_error(diag, at + i + 1,
			                       "'%.*s' cannot be part of a host name",
			                       MAIL_SHOW(label));
		}
	}
	return KNOT_EOK;
}

int mail_uri_host_write(mail_str_t host, mail_buf_t *out, mail_diag_t *diag)
{
	if (host.len > 1 && host.data[host.len - 1] == '.') {
		host.len--;
	}
	size_t labels = 0;
	mail_str_t label = host;
	bool hole = false, numeric = true;
	for (size_t at = 0; at <= host.len; at += label.len + 1) {
		label = mail_str_from(host, at);
		label.len = mail_str_find(label, ".");
		int ret = label_check(label, at, &hole, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
		labels++;
	}
	for (size_t i = 0; i < label.len; i++) {
		numeric = numeric && mail_char_digit(label.data[i]);
	}
	if (numeric) {
		return mail_diag_error(diag, 1, "'%.*s' is an address, not a host name",
		                       MAIL_SHOW(host));
	}
	if (labels < 2 && !hole) {
		return mail_diag_error(diag, 1, "'%.*s' is not a full host name", MAIL_SHOW(host));
	}

	mail_pattern_t pattern;
	int ret = mail_host_parse(host, true, &pattern, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_pattern_print(&pattern, out);
}
