/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/mx.h"

#include "mail/chars.h"

#define PREFERENCE_DEFAULT 10

/*! The words of a value. */
typedef struct {
	mail_str_t word[2];
	size_t count;
} words_t;

static int words_split(mail_str_t text, words_t *words, mail_diag_t *diag)
{
	mail_str_t word;
	size_t pos = 0;
	words->count = 0;
	while (mail_str_word(text, &pos, &word)) {
		if (words->count == 2) {
			return mail_diag_error(diag, word.data - text.data + 1,
			                       "\"%.*s\" is too much: an MX is \"10 mail\"",
			                       MAIL_SHOW(word));
		}
		words->word[words->count++] = word;
	}
	return words->count > 0 ? KNOT_EOK
	                        : mail_diag_error(diag, 0, "an MX needs a host, as \"10 mail\"");
}

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

static int preference_parse(mail_str_t text, const words_t *words, mail_mx_t *mx, mail_diag_t *diag)
{
	mail_str_t number = words->word[0];
	uint32_t value;
	if (!is_number(number)) {
		bool swapped = is_number(words->word[1]);
		return mail_diag_error(diag, number.data - text.data + 1,
		                       "preference \"%.*s\" is not a number%s", MAIL_SHOW(number),
		                       swapped ? ": it comes first, as \"10 mail\"" : "");
	}
	if (!mail_str_number(number, UINT16_MAX, &value)) {
		return mail_diag_error(diag, number.data - text.data + 1,
		                       "preference %.*s is over 65535", MAIL_SHOW(number));
	}
	mx->preference = (uint16_t)value;
	return KNOT_EOK;
}

/*
 *     mx   = [ preference WSP ] host / [ "0" WSP ] "."
 */
int mail_mx_parse(mail_str_t text, mail_mx_t *mx, mail_diag_t *diag)
{
	words_t words;
	int ret = words_split(text, &words, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_str_t host = words.word[words.count - 1];
	size_t host_at = (size_t)(host.data - text.data);
	bool root = mail_str_is(host, ".");
	mx->preference = root ? 0 : PREFERENCE_DEFAULT;
	if (words.count == 2) {
		ret = preference_parse(text, &words, mx, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (words.count == 1 && is_number(host)) {
		return mail_diag_error(diag, host_at + 1, "there is no host after preference %.*s",
		                       MAIL_SHOW(host));
	}
	if (root && mx->preference != 0) {
		return mail_diag_error(diag, 1, "\".\" is no mail (RFC 7505): its preference is 0");
	}
	mx->null = root;
	return mail_diag_shift(diag, mail_host_parse(host, &mx->host, diag), host_at);
}

int mail_mx_render(const mail_mx_t *mx, mail_rdata_t *rdata)
{
	mail_rdata_u16(rdata, mx->preference);
	return mail_rdata_pattern(rdata, &mx->host);
}
