/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*! Length of the UTF-8 sequence at text (RFC 3629 4), 0 when it is none or is cut off. */
static size_t utf8_length(const uint8_t *text, size_t left)
{
	static const struct {
		uint8_t first, last; /* Range of the first octet. */
		uint8_t low, high;   /* Range of the second. */
		uint8_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	if (text[0] < 0x80) {
		return 1;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last) {
			continue;
		}
		if (forms[i].len > left || text[1] < forms[i].low || text[1] > forms[i].high) {
			return 0;
		}
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((text[k] & 0xc0) != 0x80) {
				return 0;
			}
		}
		return forms[i].len;
	}
	return 0;
}

/*!
 * Makes a message fit for a terminal, a log and JSON: reasons quote what people wrote, so control
 * characters and what is not UTF-8 (a sequence that the end of the buffer cut, too) become '?'.
 */
static void make_printable(char *text)
{
	uint8_t *pos = (uint8_t *)text;
	size_t left = strlen(text);
	while (left > 0) {
		size_t len = utf8_length(pos, left);
		if (len == 0 || *pos < 0x20 || *pos == 0x7f) {
			*pos = '?';
			len = 1;
		}
		pos += len;
		left -= len;
	}
}

int mail_diag_error(mail_diag_t *diag, size_t column, const char *fmt, ...)
{
	if (diag != NULL) {
		va_list args;
		va_start(args, fmt);
		(void)vsnprintf(diag->text, sizeof(diag->text), fmt, args);
		va_end(args);
		make_printable(diag->text);
		diag->column = column <= UINT32_MAX ? (uint32_t)column : 0;
	}
	return KNOT_EINVAL;
}

void mail_diag_warn(mail_diag_t *diag, const char *fmt, ...)
{
	if (diag == NULL || diag->warn == NULL) {
		return;
	}
	char text[sizeof(diag->text)];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	make_printable(text);
	diag->warn(diag->warn_ctx, text);
}
