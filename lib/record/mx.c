/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/mx.h"

#include "mail/chars.h"

#define PREFERENCE_DEFAULT 10

/*! Return whether all is digits: a preference, never meant to be a host. */
static bool is_number(mail_str_t word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (!mail_char_digit(word.data[i])) {
			return false;
		}
	}
	return word.len > 0;
}

static int preference_parse(mail_str_t text, const mail_str_t *words, mail_mx_t *mx,
                            mail_diag_t *diag)
{
	const mail_str_t number = words[0];
	const size_t column = (size_t)(number.data - text.data) + 1;
	uint32_t value;
	if (!is_number(number)) {
		bool swapped = is_number(words[1]);
		return mail_diag_error(diag, column, "preference \"%.*s\" is not a number%s",
		                       MAIL_SHOW(number),
		                       swapped ? ": it comes first, as \"10 mail\"" : "");
	}
	if (!mail_str_number(number, UINT16_MAX, &value)) {
		return mail_diag_error(diag, column, "preference %.*s is over 65535",
		                       MAIL_SHOW(number));
	}
	mx->preference = (uint16_t)value;
	return KNOT_EOK;
}

/*
 *     mx   = [ preference WSP ] host / [ "0" WSP ] "."
 */
int mail_mx_parse(mail_str_t text, mail_mx_t *mx, mail_diag_t *diag)
{
	mail_str_t words[3];
	const size_t count = mail_str_words(text, words, 3);
	if (count == 0) {
		return mail_diag_error(diag, 0, "an MX needs a host, as \"10 mail\"");
	}
	if (count == 3) {
		return mail_diag_error(diag, words[2].data - text.data + 1,
		                       "\"%.*s\" is too much: an MX is \"10 mail\"",
		                       MAIL_SHOW(words[2]));
	}
	const mail_str_t host = words[count - 1];
	const size_t host_at = (size_t)(host.data - text.data);
	mx->null = mail_str_is(host, ".");
	mx->preference = mx->null ? 0 : PREFERENCE_DEFAULT;
	if (count == 2) {
		int ret = preference_parse(text, words, mx, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	} else if (is_number(host)) {
		return mail_diag_error(diag, host_at + 1, "there is no host after preference %.*s",
		                       MAIL_SHOW(host));
	}
	if (mx->null && mx->preference != 0) {
		return mail_diag_error(diag, 1, "\".\" is no mail (RFC 7505): its preference is 0");
	}
	return mail_diag_shift(diag, mail_host_parse(host, false, &mx->host, diag), host_at);
}

int mail_mx_render(const mail_mx_t *mx, mail_rdata_t *rdata)
{
	mail_rdata_u16(rdata, mx->preference);
	return mail_rdata_pattern(rdata, &mx->host);
}
