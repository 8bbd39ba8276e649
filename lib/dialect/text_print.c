/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dialect, written. Quoted text has two escapes for yparser: \" stands for a quote, and a backslash
 * before any other printing character stands for itself together with that character. So a backslash
 * that ends a value, stands before a quote or before an octet over 126 cannot be said, if it is not
 * the second of a pair.
 */
#include "mail/text.h"

#include <libknot/yparser/yparser.h>

#include "mail/chars.h"

static bool is_plain(char c)
{
	return mail_char_alnum(c) || mail_char_in(c, "._:@/+-");
}

static int put_quoted(mail_str_t text, mail_buf_t *out)
{
	bool escaped = false;
	mail_buf_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < 0x20 || c == 0x7f || (escaped && (c == '"' || c > 0x7e))) {
			return KNOT_ENOTSUP;
		}
		if (c == '"') {
			mail_buf_u8(out, '\\');
		}
		mail_buf_u8(out, c);
		escaped = c == '\\' && !escaped;
	}
	if (escaped) {
		return KNOT_ENOTSUP;
	}
	return mail_buf_u8(out, '"');
}

/* Write a text as one value. */
static int put_text(mail_str_t text, mail_buf_t *out)
{
	size_t plain = 0;
	if (text.len > YP_MAX_TXT_DATA_LEN) {
		return KNOT_ENOTSUP;
	}
	while (plain < text.len && is_plain(text.data[plain])) {
		plain++;
	}
	if (plain == text.len && text.len > 0) {
		return mail_buf_put(out, text.data, text.len);
	}
	return put_quoted(text, out);
}

static int put_value(const mail_item_t *item, mail_str_t stored, mail_buf_t *out)
{
	if (item->type != MAIL_TYPE_OCTETS && item->id != MAIL_ITEM_TXT) {
		return put_text(stored, out);
	}
	mail_buf_t text = { 0 };
	int ret = mail_item_print(item, stored, &text);
	if (ret == KNOT_EOK) {
		ret = put_text(mail_buf_view(&text), out);
	}
	mail_buf_free(&text);
	return ret;
}

static int put_member(const mail_member_t *member, mail_buf_t *out)
{
	mail_buf_printf(out, "    %s%s: ", member->item->name,
	                member->op == MAIL_OP_ADD ? "-add" : "");
	if (member->op == MAIL_OP_NONE) {
		return mail_buf_str(out, "none\n");
	}
	if (member->count > 1) {
		mail_buf_str(out, "[ ");
	}
	for (size_t i = 0; i < member->count; i++) {
		if (i > 0) {
			mail_buf_str(out, ", ");
		}
		int ret = put_value(member->item, member->values[i].text, out);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return mail_buf_str(out, member->count > 1 ? " ]\n" : "\n");
}

int mail_text_print(const mail_entry_t *entry, mail_buf_t *out)
{
	if (entry->deleted) {
		return KNOT_ENOTSUP;
	}
	mail_buf_str(out, "  - id: ");
	int ret = put_text(entry->id, out);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_str(out, "\n");
	for (size_t i = 0; i < entry->count; i++) {
		ret = put_member(&entry->members[i], out);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return out->error;
}
