/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/done.h"

#include <stdlib.h>

#include "mail/chars.h"
#include "tool/out.h"

struct done {
	mail_section_t section;
	const char *what; /*!< "created", "changed", "deleted", "unchanged". */
	mail_buf_t id, items, more;
	size_t keys; /*!< DKIM keys that went with their owner. */
	size_t domains;
};

/*! \brief Append the name of a member, once. */
static void put_item(mail_buf_t *items, const mail_member_t *member)
{
	(void)mail_buf_printf(items, "%s%s%s", items->len > 0 ? ", " : "", member->item->name,
	                      member->op == MAIL_OP_ADD ? "-add" : "");
}

/*! \brief Return whether an entry has a member of the same item that is no ITEM-add, or is one, too. */
static const mail_member_t *member_like(const mail_entry_t *entry, const mail_member_t *member)
{
	const mail_item_id_t item = member->item->id;
	if (member->op == MAIL_OP_ADD) {
		return mail_entry_member(entry, item, MAIL_OP_ADD);
	}
	const mail_member_t *found = mail_entry_member(entry, item, MAIL_OP_SET);
	return found != NULL ? found : mail_entry_member(entry, item, MAIL_OP_NONE);
}

/*! \brief List the items in which two entries differ. */
static void put_differences(mail_buf_t *items, const mail_entry_t *old, const mail_entry_t *new)
{
	for (size_t i = 0; i < new->count; i++) {
		const mail_member_t *is = &new->members[i], *was = member_like(old, is);
		if (was == NULL || was->op != is->op || !mail_member_equal(was, is)) {
			put_item(items, is);
		}
	}
	for (size_t i = 0; i < old->count; i++) {
		if (member_like(new, &old->members[i]) == NULL) {
			put_item(items, &old->members[i]);
		}
	}
}

void done_note(tool_t *tool, const mail_entry_t *old, const mail_entry_t *entry,
               const mail_change_count_t *count)
{
	done_free(tool);
	struct done *done = tool_memory(tool, calloc(1, sizeof(*done)));
	tool->done = done;
	done->section = entry->section;
	(void)mail_buf_put(&done->id, entry->id.data, entry->id.len);
	done->domains = count->domains;
	if (entry->deleted) {
		done->what = "deleted";
		done->keys = count->deleted > 1 ? count->deleted - 1 : 0;
	} else if (old == NULL) {
		done->what = "created";
		/* What a new domain follows says what it is. */
		const mail_str_t policy = mail_entry_value(entry, MAIL_ITEM_POLICY),
				 alias = mail_entry_value(entry, MAIL_ITEM_ALIAS);
		if (entry->section == MAIL_SECTION_DOMAIN) {
			(void)mail_buf_printf(&done->items, "%s %.*s",
			                      alias.len > 0 ? "alias of" : "policy",
			                      (int)(alias.len > 0 ? alias.len : policy.len),
			                      alias.len > 0 ? alias.data : policy.data);
		}
	} else if (count->same > 0) {
		done->what = "unchanged";
	} else {
		done->what = "changed";
		put_differences(&done->items, old, entry);
	}
}

void done_more(tool_t *tool, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	if (tool->done == NULL) {
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)mail_buf_printf(&tool->done->more, "; %s", text);
}

/*! \brief Append how many domains have to do with an entry. */
static void put_domains(const struct done *done, mail_buf_t *out)
{
	size_t domains = done->domains;
	const char *one = "has it", *many = "have it";
	char number[MAIL_NUMBER_TEXT];
	if (done->section == MAIL_SECTION_POLICY) {
		one = "follows it";
		many = "follow it";
	}
	/* The domain itself is one of them; others are its aliases. */
	if (done->section == MAIL_SECTION_DOMAIN) {
		domains -= domains > 0;
		one = "is an alias of it";
		many = "are aliases of it";
	}
	if (domains > 0 && strcmp(done->what, "deleted") != 0) {
		(void)mail_buf_printf(out, "; %s %s %s", mail_number_text(domains, number),
		                      domains == 1 ? "domain" : "domains",
		                      domains == 1 ? one : many);
	}
}

static void say_json(const struct done *done, bool would)
{
	json_t *object = json_pack("{s:s, s:s, s:o}", "done", done->what, "section",
	                           mail_section_name(done->section), "id",
	                           tool_json_str(mail_buf_view(&done->id)));
	if (strcmp(done->what, "changed") == 0) {
		json_t *items = json_array();
		mail_str_t item;
		for (size_t pos = 0;
		     mail_str_piece(mail_buf_view(&done->items), ',', &pos, &item);) {
			(void)json_array_append_new(items, tool_json_str(item));
		}
		(void)json_object_set_new(object, "items", items);
	}
	(void)json_object_set_new(object, "domains", json_integer((json_int_t)done->domains));
	(void)json_object_set_new(object, "dry-run", json_boolean(would));
	tool_json_message(object);
}

static void say_text(const struct done *done, bool would)
{
	mail_buf_t line = { 0 };
	char number[MAIL_NUMBER_TEXT];
	/* What stays is as it is, dry run or not. */
	const char *be = would && strcmp(done->what, "unchanged") != 0 ? "would be " : "";
	(void)mail_buf_printf(&line, "%s %.*s %s%s", mail_section_name(done->section),
	                      (int)done->id.len, (const char *)done->id.data, be, done->what);
	if (done->items.len > 0) {
		(void)mail_buf_printf(&line, " (%.*s)", (int)done->items.len,
		                      (const char *)done->items.data);
	}
	if (done->keys > 0) {
		(void)mail_buf_printf(&line, " with %s DKIM %s",
		                      mail_number_text(done->keys, number),
		                      done->keys == 1 ? "key" : "keys");
	}
	(void)mail_buf_put(&line, done->more.data, done->more.len);
	put_domains(done, &line);
	(void)mail_buf_u8(&line, '\n');
	tool_put_str(stderr, mail_buf_view(&line));
	mail_buf_free(&line);
}

void done_say(tool_t *tool, bool would)
{
	if (tool->done != NULL && !tool->quiet) {
		if (tool->json) {
			say_json(tool->done, would);
		} else {
			say_text(tool->done, would);
		}
	}
	done_free(tool);
}

void done_path(const tool_t *tool, const char *what, const char *path)
{
	if (tool->json && !tool->quiet) {
		tool_json_message(json_pack("{s:s, s:o}", "done", what, "path",
		                            tool_json_str(MAIL_STR(path))));
	}
}

void done_free(tool_t *tool)
{
	struct done *done = tool->done;
	if (done != NULL) {
		mail_buf_free(&done->id);
		mail_buf_free(&done->items);
		mail_buf_free(&done->more);
		free(done);
		tool->done = NULL;
	}
}
