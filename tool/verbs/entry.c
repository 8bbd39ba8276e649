/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list, show, set and unset: the same for every section, as the table of items has it.
 */

#include <stdlib.h>

#include "mail/chars.h"
#include "tool/difference.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

int verb_list(tool_t *tool)
{
	/* What a list says about an entry besides its id. */
	static const mail_item_id_t told[] = {
		MAIL_ITEM_POLICY, MAIL_ITEM_ALIAS,   MAIL_ITEM_BASE,
		MAIL_ITEM_NAME,   MAIL_ITEM_ADDRESS, MAIL_ITEM_NO_MAIL,
	};
	const char *given = option_value(tool, OPT_POLICY);
	mail_str_t policy = { NULL, 0 };
	tool_walk_t walk = { .section = tool->verb->section };
	tool_open(tool, MAIL_STORE_READ);
	if (given != NULL) {
		policy = tool_entry(tool, MAIL_SECTION_POLICY, given)->id;
	}
	const mail_entry_t *entry;
	while ((entry = tool_next(tool, &walk)) != NULL) {
		if (policy.len > 0 &&
		    !mail_str_equal(mail_entry_value(entry, MAIL_ITEM_POLICY), policy)) {
			continue;
		}
		if (tool->json) {
			tool_json_entry(tool, entry, NULL);
			continue;
		}
		tool_put_items(entry, 31, NULL, told, sizeof(told) / sizeof(told[0]));
	}
	return walk.status;
}

int verb_show(tool_t *tool)
{
	tool_open(tool, MAIL_STORE_READ);
	for (int i = 0; i < tool->argc; i++) {
		const mail_entry_t *entry = tool_entry(tool, tool->verb->section, tool->argv[i]);
		mail_buf_t text = { 0 };
		if (tool->json) {
			tool_json_entry(tool, entry, NULL);
			continue;
		}
		int ret = mail_text_print(entry, &text);
		if (ret == KNOT_ENOTSUP) {
			tool_fail(tool, ret,
			          "%s %.*s: a value cannot be written in the dialect; --json shows "
			          "it",
			          mail_section_name(entry->section), (int)entry->id.len,
			          entry->id.data);
		}
		tool_expect(tool, ret);
		if (i == 0) {
			(void)printf("%s:\n", mail_section_name(entry->section));
		}
		tool_put_str(stdout, mail_buf_view(&text));
		mail_buf_free(&text);
	}
	return STATUS_DONE;
}

/*! \brief "ITEM=VALUE" or "ITEM" of a command line. */
typedef struct {
	const mail_item_t *item;
	mail_op_t op;
	const char *value; /*!< NULL: none. */
} assignment_t;

/*! \brief Return what follows the item's name in messages. */
static const char *op_text(const assignment_t *what)
{
	return what->op == MAIL_OP_ADD ? "-add" : "";
}

static void unknown_item(tool_t *tool, mail_str_t name)
{
	const mail_section_t section = tool->verb->section;
	const char *nearest = NULL;
	unsigned least = 4;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << section)) != 0) {
			mail_nearer(name, item->name, &nearest, &least);
		}
	}
	const int len = name.len < 63 ? (int)name.len : 63;
	if (nearest != NULL) {
		tool_usage(tool, "a %s has no item %.*s; did you mean %s?",
		           mail_section_name(section), len, name.data, nearest);
	}
	tool_usage(tool, "a %s has no item %.*s", mail_section_name(section), len, name.data);
}

/*! \brief Read the words of a command line. \return An array, which the caller frees. */
static assignment_t *read_assignments(tool_t *tool, int count, char **words)
{
	const mail_section_t section = tool->verb->section;
	assignment_t *all = tool_memory(tool, calloc((size_t)count + 1, sizeof(*all)));
	for (int i = 0; i < count; i++) {
		const size_t len = strcspn(words[i], "=");
		const mail_str_t name = { words[i], len };
		assignment_t *out = &all[i];
		out->value = words[i][len] == '=' ? words[i] + len + 1 : NULL;
		out->item = mail_item_find(section, name);
		if (out->item == NULL && len > 4 && memcmp(words[i] + len - 4, "-add", 4) == 0) {
			out->op = MAIL_OP_ADD;
			out->item = mail_item_find(section, (mail_str_t){ words[i], len - 4 });
		}
		if (out->item == NULL) {
			unknown_item(tool, name);
		}
		if (out->op == MAIL_OP_ADD && (out->item->flags & MAIL_FLAG_LIST) == 0) {
			tool_usage(tool, "%s is no list: there is no %s-add", out->item->name,
			           out->item->name);
		}
	}
	return all;
}

/*! \brief Take the value out of a member that is equal, or has the same tag. \return false: there is none. */
static bool drop_value(tool_t *tool, mail_entry_t *entry, const assignment_t *what,
                       mail_str_t value)
{
	const bool bytag = (what->item->flags & MAIL_FLAG_BYTAG) != 0;
	mail_entry_t *was = tool_memory(tool, mail_entry_copy(entry));
	const mail_member_t *member = mail_entry_member(was, what->item->id, what->op);
	mail_str_t tag = value, rest;
	bool found = false;
	/* The tag of "TAG=VALUE", or a tag alone. */
	if (bytag && !mail_str_tag(value, &tag, &rest)) {
		tag = value;
	}
	mail_entry_remove(entry, what->item->id, what->op);
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		const mail_str_t text = member->values[i].text;
		mail_str_t other = text;
		if (bytag) {
			(void)mail_str_tag(text, &other, &rest);
		}
		if (mail_str_equal(other, tag)) {
			found = true;
		} else {
			tool_expect(tool, mail_entry_add(entry, what->item, what->op, text, 0));
		}
	}
	mail_entry_free(was);
	return found;
}

/*! \brief Set the item of a word; of several words about one item the first replaces what was there. */
static void set_one(tool_t *tool, mail_entry_t *entry, const assignment_t *all, int at)
{
	const assignment_t *what = &all[at];
	const char *value = what->value;
	if (value == NULL && what->item->type == MAIL_TYPE_SWITCH) {
		value = "on";
	}
	if (value == NULL) {
		tool_usage(tool, "%s needs a value: %s=VALUE", what->item->name, what->item->name);
	}
	/* What the value replaces goes. */
	bool repeated = false;
	for (int i = 0; i < at; i++) {
		repeated |= all[i].item == what->item && all[i].op == what->op;
	}
	if (what->op == MAIL_OP_SET) {
		mail_entry_remove(entry, what->item->id, MAIL_OP_NONE);
	}
	if ((what->item->flags & MAIL_FLAG_BYTAG) != 0 && strcmp(value, "none") != 0) {
		(void)drop_value(tool, entry, what, MAIL_STR(value));
	} else if (!repeated) {
		mail_entry_remove(entry, what->item->id, what->op);
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_entry_parse(entry, what->item, what->op, MAIL_STR(value), 0, diag);
	if (ret != KNOT_EOK) {
		char reason[sizeof(diag->text)];
		(void)snprintf(reason, sizeof(reason), "%s", tool_reason(tool, ret));
		(void)snprintf(diag->text, sizeof(diag->text), "%s %.*s: %s%s: %.200s",
		               mail_section_name(entry->section), (int)entry->id.len,
		               entry->id.data, what->item->name, op_text(what), reason);
		tool_exit(tool, tool_error_diag(tool, ret));
	}
}

static void unset_one(tool_t *tool, mail_entry_t *entry, const assignment_t *what)
{
	const mail_item_id_t item = what->item->id;
	bool found = false;
	if (what->value == NULL) {
		found = mail_entry_member(entry, item, what->op) != NULL;
		mail_entry_remove(entry, item, what->op);
		if (what->op == MAIL_OP_SET) {
			found |= mail_entry_member(entry, item, MAIL_OP_NONE) != NULL;
			mail_entry_remove(entry, item, MAIL_OP_NONE);
		}
	} else if ((what->item->flags & MAIL_FLAG_BYTAG) != 0) {
		found = drop_value(tool, entry, what, MAIL_STR(what->value));
	} else {
		mail_buf_t value = { 0 };
		int ret = mail_item_normalise(what->item, MAIL_STR(what->value), &value,
		                              tool_diag(tool));
		found = ret == KNOT_EOK && drop_value(tool, entry, what, mail_buf_view(&value));
		mail_buf_free(&value);
	}
	if (!found) {
		tool_fail(tool, KNOT_ENOENT, "%s %.*s: %s%s%s%s: it does not set that",
		          mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
		          what->item->name, op_text(what), what->value != NULL ? "=" : "",
		          what->value != NULL ? what->value : "");
	}
}

/*! \brief Write an edited entry, or with --dry-run print what would change. */
static void write_entry(tool_t *tool, const mail_entry_t *old, mail_entry_t *entry)
{
	mail_diag_t *diag = tool_diag(tool);
	if (!entry->deleted) {
		tool_expect_entry(tool, entry, mail_entry_check(entry, diag));
	}
	tool_put(tool, &entry, 1, NULL);
	if (option_is(tool, OPT_DRY_RUN)) {
		(void)difference_print(tool, old, entry);
	} else {
		tool_commit(tool);
	}
}

int verb_set(tool_t *tool)
{
	assignment_t *all = read_assignments(tool, tool->argc - 1, tool->argv + 1);
	tool_open(tool, MAIL_STORE_WRITE);
	const mail_entry_t *old = tool_find_entry(tool, tool->verb->section, tool->argv[0]);
	mail_entry_t *entry = old != NULL
	                              ? tool_own(tool, mail_entry_copy(old))
	                              : tool_new_entry(tool, tool->verb->section, tool->argv[0]);
	for (int i = 0; i < tool->argc - 1; i++) {
		set_one(tool, entry, all, i);
	}
	write_entry(tool, old, entry);
	free(all);
	return STATUS_DONE;
}

/*! \brief Delete an entry: also one that is damaged. */
static void delete_entry(tool_t *tool, const char *text)
{
	mail_entry_t *old = NULL, *entry = tool_new_entry(tool, tool->verb->section, text);
	int ret = mail_txn_get(tool->txn, entry->section, entry->id, &old);
	if (ret != KNOT_EOK && ret != KNOT_EMALF) {
		tool_fail(tool, ret, "%s %s: %s", mail_section_name(entry->section), text,
		          ret == KNOT_ENOENT ? "there is none" : knot_strerror(ret));
	}
	entry->deleted = true;
	write_entry(tool, old, entry);
	mail_entry_free(old);
}

int verb_unset(tool_t *tool)
{
	assignment_t *all = read_assignments(tool, tool->argc - 1, tool->argv + 1);
	tool_open(tool, MAIL_STORE_WRITE);
	if (tool->argc == 1) {
		delete_entry(tool, tool->argv[0]);
	} else {
		const mail_entry_t *old = tool_entry(tool, tool->verb->section, tool->argv[0]);
		mail_entry_t *entry = tool_own(tool, mail_entry_copy(old));
		for (int i = 0; i < tool->argc - 1; i++) {
			unset_one(tool, entry, &all[i]);
		}
		write_entry(tool, old, entry);
	}
	free(all);
	return STATUS_DONE;
}
