/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "entries.h"

#include "unit.h"

/* Append one entry, with the line of its section unless that is the one before. */
static void expand(mail_str_t line, mail_str_t *section, mail_buf_t *out)
{
	const char *end = line.data + line.len, *at = line.data;
	const mail_str_t own = { at, strcspn(at, " ") };
	if (!mail_str_equal(own, *section)) {
		(void)mail_buf_printf(out, "%.*s:\n", (int)own.len, own.data);
		*section = own;
	}
	at += own.len;
	for (bool id = true; at < end; id = false) {
		at += strspn(at, " ");
		if (at == end) {
			break;
		}
		const char *stop = memchr(at, '|', (size_t)(end - at));
		stop = stop != NULL ? stop : end;
		(void)mail_buf_printf(out, id ? "  - id: \"%.*s\"\n" : "    %.*s\n",
		                      (int)(stop - at), at);
		at = stop + 1;
	}
}

int entries_parse(const char *text, mail_entries_t *entries)
{
	mail_buf_t out = { 0 };
	mail_diag_t diag = { 0 };
	if (text[strcspn(text, " :")] == ':') {
		(void)mail_buf_str(&out, text);
	} else {
		mail_str_t section = { 0 };
		for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
			len = strcspn(text, "\n");
			expand((mail_str_t){ text, len }, &section, &out);
		}
		for (size_t i = 0; i < out.len; i++) {
			out.data[i] = out.data[i] == '\'' ? '"' : out.data[i];
		}
	}
	int ret = mail_text_parse(mail_buf_view(&out), NULL, NULL, entries, &diag);
	CHECK(ret == KNOT_EOK, "line %u: %s:\n%.*s", diag.line, diag.text, (int)out.len,
	      (const char *)out.data);
	mail_buf_free(&out);
	return ret;
}
