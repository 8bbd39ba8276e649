/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * BIMI.
 *
 *     value  = [ selector SP ] ( "none" / l-uri [ SP a-uri ] )
 *     record = "v=BIMI1; l=" [ URI ] [ "; a=" URI ]
 *
 * A refusal ("none") is "v=BIMI1; l=; a=;", as the draft writes it.
 */
#include "config.h"

#include "record/bimi.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "record/uri.h"

#define WORDS_MAX 3

static const mail_uri_form_t form = {
	.schemes = MAIL_URI_HTTPS,
	.escape = ",!;",
};

/*! Write "TAG=URI" for each of the URIs. */
static int locations_write(mail_str_t text, const mail_str_t *uris, size_t n, mail_buf_t *out,
                           mail_diag_t *diag)
{
	static const char *const prefixes[] = { "v=BIMI1; l=", "; a=" };
	for (size_t i = 0; i < n; i++) {
		mail_buf_str(out, prefixes[i]);
		int ret = mail_uri_write(uris[i], &form, out, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(uris[i].data - text.data));
		}
	}
	return out->error;
}

int mail_bimi_render(mail_str_t text, mail_str_t *selector, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_str_t words[WORDS_MAX + 1];
	size_t n = mail_str_words(text, words, WORDS_MAX + 1), first = 0;
	*selector = MAIL_STR("default");
	if (n > 0 && memchr(words[0].data, ':', words[0].len) == NULL &&
	    !(n == 1 && mail_str_is(words[0], "none"))) {
		*selector = words[0];
		first = 1;
		int ret = mail_dkim_selector_check(*selector, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(words[0].data - text.data));
		}
	}
	if (n <= first || n - first > 2) {
		return mail_diag_error(
			diag, 1, "write [SELECTOR] URI-OF-LOGO [URI-OF-CERTIFICATE], or none");
	}
	if (n - first == 1 && mail_str_is(words[first], "none")) {
		return mail_rdata_text(rdata, MAIL_STR("v=BIMI1; l=; a=;"));
	}

	mail_buf_t out = { 0 };
	int ret = locations_write(text, words + first, n - first, &out, diag);
	if (ret == KNOT_EOK) {
		ret = mail_rdata_text(rdata, mail_buf_view(&out));
	}
	mail_buf_free(&out);
	return ret;
}
