/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Terms of an SPF record, as a receiver reads them (RFC 7208 4.6.4). */
#include "config.h"

#include "record/spf_scan.h"

#include "mail/chars.h"

/* clang-format off */
static const struct {
	const char *name;
	char sign; /* Before the domain. */
	mail_spf_does_t does;
} known[] = {
	{ "all",      0,   MAIL_SPF_EVERY },
	{ "include",  ':', MAIL_SPF_INCLUDE },
	{ "a",        ':', MAIL_SPF_A },
	{ "mx",       ':', MAIL_SPF_MX },
	{ "exists",   ':', MAIL_SPF_EXISTS },
	{ "ptr",      ':', MAIL_SPF_PTR },
	{ "redirect", '=', MAIL_SPF_REDIRECT },
};
/* clang-format on */

mail_spf_term_t mail_spf_term_read(mail_str_t term)
{
	mail_spf_term_t read = { .does = MAIL_SPF_OTHER };
	const size_t start = term.len > 0 && mail_char_in(term.data[0], "+-?~") ? 1 : 0;
	const mail_str_t text = mail_str_from(term, start);
	const size_t end = mail_str_find(text, ":=/");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!mail_str_is_nocase(mail_str_part(text, 0, end), known[i].name) ||
		    (end < text.len && text.data[end] != '/' && text.data[end] != known[i].sign)) {
			continue;
		}
		read.does = known[i].does;
		if (end < text.len && text.data[end] == known[i].sign) {
			read.domain = mail_str_from(text, end + 1);
		}
	}
	read.macro = read.domain.len > 0 && memchr(read.domain.data, '%', read.domain.len) != NULL;
	if (!read.macro) {
		read.domain.len = mail_str_find(read.domain, "/");
	}
	return read;
}
