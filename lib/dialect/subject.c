/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialect/subject.h"

#include "mail/text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

/* Write "policy guide: mx: " as far as it is known. */
static int prefix_print(const mail_subject_t *subject, char *out, size_t size)
{
	char id[64], item[64];
	bool section = subject->section < MAIL_SECTION_COUNT;
	int len = snprintf(
		out, size, "%s%s%s%s%s%s", section ? mail_section_name(subject->section) : "",
		section && subject->id.len > 0 ? " " : "",
		section ? mail_subject_quote(subject->id, id) : "", section ? ": " : "",
		mail_subject_quote(subject->item, item), subject->item.len > 0 ? ": " : "");
	return len < 0 ? 0 : len;
}

/* Take a warning of a check, and hand it on with what it is about. */
static void warn_here(void *ctx, const char *text)
{
	mail_subject_t *subject = ctx;
	char prefix[192];
	prefix_print(subject, prefix, sizeof(prefix));
	if (subject->line != 0) {
		subject->diag->line = subject->line;
	}
	subject->diag->column = 0;
	mail_diag_warn(subject->diag, "%s%s", prefix, text);
}

void mail_subject_begin(mail_subject_t *subject, mail_diag_t *diag)
{
	*subject = (mail_subject_t){ .diag = diag, .section = MAIL_SECTION_COUNT };
	if (diag != NULL && diag->warn != NULL) {
		subject->own.warn = warn_here;
		subject->own.warn_ctx = subject;
	}
}

int mail_subject_error(mail_subject_t *subject, size_t column, const char *fmt, ...)
{
	mail_diag_t *diag = subject->diag;
	if (diag == NULL) {
		return KNOT_EINVAL;
	}
	if (subject->line != 0) {
		diag->line = subject->line;
	}
	diag->column = (uint32_t)column;
	size_t len = (size_t)prefix_print(subject, diag->text, sizeof(diag->text));
	if (len < sizeof(diag->text)) {
		va_list args;
		va_start(args, fmt);
		vsnprintf(diag->text + len, sizeof(diag->text) - len, fmt, args);
		va_end(args);
	}
	return KNOT_EINVAL;
}

int mail_subject_pass(mail_subject_t *subject, int ret)
{
	switch (ret) {
	case KNOT_EOK: return KNOT_EOK;
	case KNOT_ENOMEM:
		subject->line = 0;
		subject->section = MAIL_SECTION_COUNT;
		subject->item.len = 0;
		mail_subject_error(subject, 0, "out of memory");
		return KNOT_ENOMEM;
	default: break;
	}
	const char *reason = subject->own.text[0] != '\0' ? subject->own.text : knot_strerror(ret);
	return mail_subject_error(subject, subject->own.column, "%s", reason);
}

const char *mail_subject_quote(mail_str_t text, char out[64])
{
	size_t len = text.len < 64 ? text.len : 63;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	if (len < text.len) {
		/* Not in the middle of a character of UTF-8. */
		len = 60;
		while (len > 0 && ((unsigned char)out[len] & 0xc0) == 0x80) {
			len--;
		}
		memcpy(out + len, "...", 3);
		len += 3;
	}
	out[len] = '\0';
	return out;
}

void mail_nearer(mail_str_t wrong, const char *name, const char **best, unsigned *least)
{
	const unsigned d = mail_str_distance(wrong, MAIL_STR(name));
	if (d <= (wrong.len + 2) / 3 && d < strlen(name) && d < *least) {
		*least = d;
		*best = name;
	}
}

int mail_subject_section(mail_subject_t *subject, mail_str_t name, mail_section_t *section)
{
	*section = mail_section_find(name);
	if (*section < MAIL_SECTION_COUNT) {
		return KNOT_EOK;
	}
	const char *best = NULL;
	unsigned least = UINT_MAX;
	for (unsigned s = 0; s < MAIL_SECTION_COUNT; s++) {
		mail_nearer(name, mail_section_name(s), &best, &least);
	}
	char quoted[64];
	mail_subject_quote(name, quoted);
	if (best != NULL) {
		return mail_subject_error(subject, 0, "unknown section \"%s\", is \"%s\" meant?",
		                          quoted, best);
	}
	return mail_subject_error(subject, 0, "unknown section \"%s\"", quoted);
}

/* Say that an item belongs elsewhere, when some section has it. */
static bool wrong_section(mail_subject_t *subject, mail_str_t name)
{
	char list[96] = "";
	size_t len = 0;
	for (unsigned s = 0; s < MAIL_SECTION_COUNT; s++) {
		if (mail_item_find(s, name) != NULL && len < sizeof(list)) {
			int n = snprintf(list + len, sizeof(list) - len, "%s%s",
			                 len > 0 ? ", " : "", mail_section_name(s));
			len += n > 0 ? (size_t)n : 0;
		}
	}
	if (len == 0) {
		return false;
	}
	mail_subject_error(subject, 0, "not an item of this section, but of: %s", list);
	return true;
}

static int unknown_item(mail_subject_t *subject, mail_str_t name)
{
	if (wrong_section(subject, name)) {
		return KNOT_EINVAL;
	}
	const char *best = NULL;
	unsigned least = UINT_MAX;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if (item->sections & (1u << subject->section)) {
			mail_nearer(name, item->name, &best, &least);
		}
	}
	if (best != NULL) {
		return mail_subject_error(subject, 0, "unknown item, is \"%s\" meant?", best);
	}
	return mail_subject_error(subject, 0, "unknown item");
}

int mail_subject_item(mail_subject_t *subject, mail_str_t name, const mail_item_t **item)
{
	*item = mail_item_find(subject->section, name);
	if (*item == NULL) {
		return unknown_item(subject, name);
	}
	return KNOT_EOK;
}

int mail_subject_entry(mail_subject_t *subject, mail_str_t id, mail_entry_t **entry)
{
	mail_buf_t written = { 0 };
	int ret = mail_entry_id_normalise(subject->section, id, &written, &subject->own);
	if (ret == KNOT_EOK) {
		*entry = mail_entry_new(subject->section, mail_buf_view(&written));
		ret = *entry == NULL ? KNOT_ENOMEM : KNOT_EOK;
	}
	mail_buf_free(&written);
	if (ret != KNOT_EOK) {
		return mail_subject_pass(subject, ret);
	}
	subject->id = (*entry)->id;
	return KNOT_EOK;
}
