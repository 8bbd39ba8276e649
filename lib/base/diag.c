/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mail/str.h"

/*!
 * Make a message fit for a terminal, a log and JSON: reasons quote what people wrote, so control
 * characters and what is not UTF-8 (a sequence that the end of the buffer cut, too) become '?'.
 */
static void make_printable(char *text)
{
	uint8_t *pos = (uint8_t *)text;
	size_t left = strlen(text);
	while (left > 0) {
		size_t len = mail_utf8_len(pos, left);
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
