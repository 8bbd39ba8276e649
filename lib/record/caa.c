/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/caa.h"

#include "mail/chars.h"

/* RFC 8659 4.1: 1 to 255 octets, and writers stay within 15. */
#define TAG_MAX 15
#define FLAG_CRITICAL 128

/*! The tags that are known, and whether the value names an issuer (RFC 8659 4.2). */
static const struct {
	const char *name;
	bool issuer;
} tags[] = { { "issue", true },         /* RFC 8659 4.2 */
	     { "issuewild", true },     /* RFC 8659 4.3 */
	     { "issuemail", true },     /* RFC 9495 */
	     { "issuevmc", true },      /* BIMI, verified mark certificates */
	     { "iodef", false },        /* RFC 8659 4.4 */
	     { "contactemail", false }, /* CA/Browser Forum baseline requirements, appendix A */
	     { "contactphone", false }, { NULL, false } };

static int flags_parse(mail_str_t word, uint8_t *flags, mail_diag_t *diag)
{
	uint32_t value;
	if (!mail_str_number(word, UINT8_MAX, &value)) {
		return mail_diag_error(diag, 1, "flags \"%.*s\" are not a number from 0 to 255",
		                       MAIL_SHOW(word));
	}
	if ((value & ~FLAG_CRITICAL) != 0) {
		mail_diag_warn(diag, "CAA flags %u: only 0 and 128 (critical) mean something",
		               value);
	}
	*flags = (uint8_t)value;
	return KNOT_EOK;
}

/*! Write the tag in small letters. */
static int tag_put(mail_str_t tag, mail_rdata_t *rdata, mail_diag_t *diag)
{
	if (tag.len > TAG_MAX) {
		return mail_diag_error(diag, 1, "tag \"%.*s\" is longer than 15 characters",
		                       MAIL_SHOW(tag));
	}
	mail_rdata_u8(rdata, (uint8_t)tag.len);
	for (size_t i = 0; i < tag.len; i++) {
		if (!mail_char_alnum(tag.data[i])) {
			return mail_diag_error(diag, i + 1,
			                       "tag \"%.*s\" has more than letters and digits",
			                       MAIL_SHOW(tag));
		}
		mail_rdata_u8(rdata, (uint8_t)mail_char_lower(tag.data[i]));
	}
	return rdata->ops.error;
}

/*!
 * Take the quotes off a value; a backslash takes the meaning off a quote or a backslash.
 *
 *     value = *VCHAR / DQUOTE *( qtext / "\" ( DQUOTE / "\" ) ) DQUOTE
 */
static int unquote(mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	bool quoted = value.len > 0 && value.data[0] == '"';
	size_t i = quoted;
	for (; i < value.len && !(quoted && value.data[i] == '"'); i++) {
		if (quoted && value.data[i] == '\\') {
			i++;
			if (i == value.len || !mail_char_in(value.data[i], "\"\\")) {
				return mail_diag_error(diag, i,
				                       "a backslash escapes only '\"' and '\\'");
			}
		} else if (value.data[i] == '"') {
			return mail_diag_error(diag, i + 1, "a quote within the value");
		}
		if (value.data[i] < 0x20 || value.data[i] > 0x7e) {
			return mail_diag_error(diag, i + 1,
			                       "the value has other than printable ASCII");
		}
		mail_buf_u8(out, (uint8_t)value.data[i]);
	}
	if (quoted && i >= value.len) {
		return mail_diag_error(diag, value.len, "the quote at the end is missing");
	}
	if (quoted && i + 1 < value.len) {
		return mail_diag_error(diag, i + 2, "more text after the quoted value");
	}
	return out->error;
}

/*!
 * Check the value of issue and its kin, RFC 8659 4.2. What parameters say is the issuer's affair;
 * their shape is not.
 *
 *     issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]
 */
static int issuer_check(mail_str_t value, mail_diag_t *diag)
{
	size_t pos = 0;
	mail_str_t issuer, parameter;
	(void)mail_str_piece(value, ';', &pos, &issuer);
	if (issuer.len > 0) {
		knot_dname_storage_t name;
		int ret = mail_name_parse(issuer, name, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(issuer.data - value.data));
		}
	} else if (pos > value.len) {
		return mail_diag_error(diag, 1,
		                       "an issuer is missing (\";\" forbids every issuer)");
	}
	bool first = true;
	while (mail_str_piece(value, ';', &pos, &parameter)) {
		const char *equal = memchr(parameter.data, '=', parameter.len);
		/* Nothing may follow the first semicolon, but not another. */
		bool empty = first && parameter.len == 0 && pos > value.len;
		if (!empty && (equal == NULL || equal == parameter.data)) {
			return mail_diag_error(diag, parameter.data - value.data + 1,
			                       "parameter \"%.*s\" is not TAG=VALUE",
			                       MAIL_SHOW(parameter));
		}
		first = false;
	}
	return KNOT_EOK;
}

/*! RFC 8659 4.4: where to report to. */
static int iodef_check(mail_str_t value, mail_diag_t *diag)
{
	if (mail_str_starts(value, "mailto:") || mail_str_starts(value, "https:") ||
	    mail_str_starts(value, "http:")) {
		return KNOT_EOK;
	}
	return mail_diag_error(diag, 1, "iodef \"%.*s\" is not a mailto:, https: or http: URI",
	                       MAIL_SHOW(value));
}

static int value_check(mail_str_t tag, mail_str_t value, mail_diag_t *diag)
{
	for (size_t i = 0; tags[i].name != NULL; i++) {
		if (!mail_str_is_nocase(tag, tags[i].name)) {
			continue;
		}
		if (tags[i].issuer) {
			return issuer_check(value, diag);
		}
		if (mail_str_is_nocase(tag, "iodef")) {
			return iodef_check(value, diag);
		}
		return KNOT_EOK;
	}
	mail_diag_warn(diag, "CAA tag \"%.*s\" is not known", MAIL_SHOW(tag));
	return KNOT_EOK;
}

/*
 *     caa = [ flags WSP ] tag WSP value
 */
int mail_caa_render(mail_str_t text, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_str_t tag = { NULL, 0 };
	size_t pos = 0;
	uint8_t flags = 0;
	if (mail_str_word(text, &pos, &tag) && mail_char_digit(tag.data[0])) {
		int ret = flags_parse(tag, &flags, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(tag.data - text.data));
		}
		(void)mail_str_word(text, &pos, &tag);
	}
	mail_str_t value = mail_str_trim(mail_str_from(text, pos));
	if (tag.len == 0 || value.len == 0) {
		return mail_diag_error(diag, 0,
		                       "a CAA record is [FLAGS] TAG VALUE, "
		                       "as: 0 issue \"ca.example\"");
	}

	mail_rdata_u8(rdata, flags);
	int ret = tag_put(tag, rdata, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, (size_t)(tag.data - text.data));
	}
	mail_buf_t plain = { 0 };
	ret = unquote(value, &plain, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = value_check(tag, mail_buf_view(&plain), diag);
	if (ret != KNOT_EOK) {
		(void)mail_diag_shift(diag, ret, value.data[0] == '"');
		goto done;
	}
	ret = mail_rdata_value(rdata, mail_buf_view(&plain));
done:
	mail_buf_free(&plain);
	return mail_diag_shift(diag, ret, (size_t)(value.data - text.data));
}
