/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/soa.h"

#include "mail/chars.h"

/*!
 * Return whether an octet may stand in the local part of an address: atext of RFC 5322 3.2.3 but for
 * braces, which would look like the hole; and dots.
 */
static bool is_local(char c)
{
	return mail_char_alnum(c) || mail_char_in(c, "!#$%&'*+-/=?^_`|~.");
}

/*! Make the local part of an address the first label of a name, dots and all (RFC 1035 8). */
static int local_parse(mail_str_t local, uint8_t *label, mail_diag_t *diag)
{
	if (local.len == 0 || local.len > KNOT_DNAME_MAXLABELLEN) {
		return mail_diag_error(diag, 1, "the local part of an address has 1 to 63 octets");
	}
	for (size_t i = 0; i < local.len; i++) {
		bool dot = local.data[i] == '.';
		if (!is_local(local.data[i]) || (dot && (i == 0 || i + 1 == local.len)) ||
		    (dot && local.data[i - 1] == '.')) {
			return mail_diag_error(diag, i + 1, "bad local part \"%.*s\" of an address",
			                       MAIL_SHOW(local));
		}
		label[i + 1] = (uint8_t)mail_char_lower(local.data[i]);
	}
	label[0] = (uint8_t)local.len;
	return KNOT_EOK;
}

/*
 *     rname = name / local-part "@" domain
 */
static int rname_parse(mail_str_t text, mail_pattern_t *pattern, mail_diag_t *diag)
{
	const char *at = text.len > 1 ? memrchr(text.data, '@', text.len) : NULL;
	if (at == NULL || (at > text.data && at[-1] == '\\')) {
		return mail_pattern_parse(text, pattern, diag);
	}

	size_t local_len = (size_t)(at - text.data);
	uint8_t label[1 + KNOT_DNAME_MAXLABELLEN];
	int ret = local_parse((mail_str_t){ text.data, local_len }, label, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_str_t domain = mail_str_from(text, local_len + 1);
	if (domain.len == 0) {
		return mail_diag_error(diag, local_len + 2,
		                       "an address needs a domain after its @");
	}
	ret = mail_host_parse(domain, true, pattern, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, local_len + 1);
	}

	size_t len = label[0] + 1u;
	if (len + pattern->head_len + pattern->tail_len + 1u > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 1, "the address is longer than 255 octets as a name");
	}
	memmove(pattern->head + len, pattern->head, pattern->head_len);
	memcpy(pattern->head, label, len);
	pattern->head_len += (uint8_t)len;
	return KNOT_EOK;
}

/*! Say in front of a reason which of the two names it is about. */
static int name_error(mail_diag_t *diag, int ret, const char *which)
{
	if (ret != KNOT_EINVAL || diag == NULL) {
		return ret;
	}
	char reason[sizeof(diag->text)];
	memcpy(reason, diag->text, sizeof(reason));
	return mail_diag_error(diag, diag->column, "%s: %s", which, reason);
}

int mail_soa_render(mail_str_t mname, mail_str_t rname, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	int ret = name_error(diag, mail_host_parse(mname, false, &pattern, diag), "soa-mname");
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_rdata_pattern(rdata, &pattern);

	ret = name_error(diag, rname_parse(rname, &pattern, diag), "soa-rname");
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_rdata_pattern(rdata, &pattern);

	mail_rdata_u32(rdata, 0);
	mail_rdata_u32(rdata, MAIL_SOA_REFRESH);
	mail_rdata_u32(rdata, MAIL_SOA_RETRY);
	mail_rdata_u32(rdata, MAIL_SOA_EXPIRE);
	return mail_rdata_u32(rdata, MAIL_SOA_MINIMUM);
}
