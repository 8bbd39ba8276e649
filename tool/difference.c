/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/difference.h"

#include "mail/json.h"
#include "tool/out.h"

static void print_line(char sign, const mail_entry_t *entry, const mail_member_t *member,
                       const mail_value_t *value)
{
	(void)printf("%c %s ", sign, mail_section_name(entry->section));
	tool_put_str(stdout, entry->id);
	if (member != NULL) {
		(void)printf(": %s%s: ", member->item->name,
		             member->op == MAIL_OP_ADD ? "-add" : "");
		mail_buf_t text = { 0 };
		if (value == NULL) {
			(void)mail_buf_str(&text, "none");
		} else {
			(void)mail_item_print(member->item, value->text, &text);
		}
		tool_put_str(stdout, mail_buf_view(&text));
		mail_buf_free(&text);
	}
	(void)putchar('\n');
}

static bool has_value(const mail_member_t *member, mail_str_t text)
{
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		if (mail_str_equal(member->values[i].text, text)) {
			return true;
		}
	}
	return false;
}

/*! \brief Print the values of a member that another does not have. \return Their number. */
static size_t print_missing(char sign, const mail_entry_t *entry, const mail_member_t *member,
                            const mail_member_t *other)
{
	size_t missing = 0;
	if (member->op == MAIL_OP_NONE && other == NULL) {
		print_line(sign, entry, member, NULL);
		return 1;
	}
	for (size_t i = 0; i < member->count; i++) {
		if (!has_value(other, member->values[i].text)) {
			print_line(sign, entry, member, &member->values[i]);
			missing++;
		}
	}
	return missing;
}

/*! \brief Print the members that differ: what goes, then what comes. */
static void print_members(const mail_entry_t *old, const mail_entry_t *new)
{
	for (size_t i = 0; old != NULL && i < old->count; i++) {
		const mail_member_t *was = &old->members[i], *is = NULL;
		if (new != NULL) {
			is = mail_entry_member(new, was->item->id, was->op);
		}
		if (is == NULL) {
			(void)print_missing('-', old, was, NULL);
		} else if (!mail_member_equal(was, is) &&
		           print_missing('-', old, was, is) + print_missing('+', new, is, was) ==
		                   0) {
			/* The same values in another order. */
			(void)print_missing('-', old, was, NULL);
			(void)print_missing('+', new, is, NULL);
		}
	}
	for (size_t i = 0; new != NULL &&i < new->count; i++) {
		const mail_member_t *is = &new->members[i];
		if (old == NULL || mail_entry_member(old, is->item->id, is->op) == NULL) {
			(void)print_missing('+', new, is, NULL);
		}
	}
}

bool difference_print(const tool_t *tool, const mail_entry_t *old, const mail_entry_t *new)
{
	const char *change = "changed";
	if (new != NULL &&new->deleted) {
		new = NULL;
	}
	if (old == NULL && new == NULL) {
		return false;
	}
	if (old == NULL) {
		change = "added";
	} else if (new == NULL) {
		change = "deleted";
	} else if (mail_entry_equal(old, new)) {
		return false;
	}
	if (tool->json) {
		mail_buf_t line = { 0 };
		(void)mail_buf_printf(&line, "{\"change\":\"%s\"", change);
		if (old != NULL) {
			(void)mail_buf_str(&line, ",\"old\":");
			(void)mail_json_print(old, &line);
		}
		if (new != NULL) {
			(void)mail_buf_str(&line, ",\"new\":");
			(void)mail_json_print(new, &line);
		}
		(void)mail_buf_str(&line, "}\n");
		tool_put_str(stdout, mail_buf_view(&line));
		mail_buf_free(&line);
		return true;
	}
	if (old == NULL) {
		print_line('+', new, NULL, NULL);
	} else if (new == NULL) {
		print_line('-', old, NULL, NULL);
	}
	print_members(old, new);
	return true;
}
