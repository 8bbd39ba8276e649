/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list, show, set and unset: the same for every section, as the table of items has it.
 */

#include <stdlib.h>

#include "mail/chars.h"
#include "mail/text.h"
#include "tool/out.h"

/*! \brief What a list says about an entry besides its id. */
static void summary(const mail_entry_t *entry, mail_buf_t *out)
{
	static const mail_item_id_t told[] = {
		MAIL_ITEM_POLICY, MAIL_ITEM_ALIAS,   MAIL_ITEM_BASE,
		MAIL_ITEM_NAME,   MAIL_ITEM_ADDRESS, MAIL_ITEM_NO_MAIL,
	};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		const mail_member_t *member = mail_entry_member(entry, told[i], MAIL_OP_SET);
		for (size_t j = 0; member != NULL && j < member->count; j++) {
			mail_str_t value = member->values[j].text;
			(void)mail_buf_printf(out, "%s%s=%.*s", out->len > 0 ? " " : "",
			                      member->item->name, (int)value.len, value.data);
		}
	}
}

static int list_one(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	mail_str_t *policy = ctx;
	int status = STATUS_DONE;
	if (policy->len > 0 &&
	    !mail_str_equal(mail_entry_value(entry, MAIL_ITEM_POLICY), *policy)) {
		mail_entry_free(entry);
		return status;
	}
	if (tool->json) {
		status = tool_json_entry(tool, entry);
	} else {
		mail_buf_t text = { 0 };
		summary(entry, &text);
		(void)printf(text.len > 0 ? "%-31.*s " : "%.*s", (int)entry->id.len,
		             entry->id.data);
		tool_put_str(stdout, mail_buf_view(&text));
		(void)putchar('\n');
		mail_buf_free(&text);
	}
	mail_entry_free(entry);
	return status;
}

int verb_list(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mail_buf_t policy = { 0 };
	const char *given = option_value(tool, OPT_POLICY);
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status == STATUS_DONE && given != NULL) {
		mail_entry_t *entry = NULL;
		status = tool_entry(tool, MAIL_SECTION_POLICY, given, &entry);
		if (status == STATUS_DONE) {
			(void)mail_buf_put(&policy, entry->id.data, entry->id.len);
		}
		mail_entry_free(entry);
	}
	if (status == STATUS_DONE) {
		mail_str_t wanted = mail_buf_view(&policy);
		status = tool_walk(tool, tool->verb->section, MAIL_STR(""), list_one, &wanted);
	}
	mail_buf_free(&policy);
	return status;
}

static int show_one(tool_t *tool, const mail_entry_t *entry, bool first)
{
	if (tool->json) {
		return tool_json_entry(tool, entry);
	}
	mail_buf_t text = { 0 };
	int ret = mail_text_print(entry, &text);
	if (ret == KNOT_EOK) {
		if (first) {
			(void)printf("%s:\n", mail_section_name(entry->section));
		}
		tool_put_str(stdout, mail_buf_view(&text));
	}
	mail_buf_free(&text);
	if (ret == KNOT_ENOTSUP) {
		return tool_error(tool, ret,
		                  "%s %.*s: a value cannot be written in the dialect; "
		                  "--json shows it",
		                  mail_section_name(entry->section), (int)entry->id.len,
		                  entry->id.data);
	}
	return ret == KNOT_EOK ? STATUS_DONE : tool_error(tool, ret, "%s", knot_strerror(ret));
}

int verb_show(tool_t *tool, int argc, char **argv)
{
	int status = tool_open(tool, MAIL_STORE_READ);
	for (int i = 0; i < argc && status == STATUS_DONE; i++) {
		mail_entry_t *entry = NULL;
		status = tool_entry(tool, tool->verb->section, argv[i], &entry);
		if (status == STATUS_DONE) {
			status = show_one(tool, entry, i == 0);
		}
		mail_entry_free(entry);
	}
	return status;
}

/*! \brief "ITEM=VALUE" or "ITEM" of a command line. */
typedef struct {
	const mail_item_t *item;
	mail_op_t op;
	const char *value; /*!< NULL: none. */
} assignment_t;

static int unknown_item(tool_t *tool, mail_str_t name)
{
	char word[64];
	(void)snprintf(word, sizeof(word), "%.*s", (int)(name.len < 63 ? name.len : 63), name.data);
	const char *near = NULL;
	unsigned least = 4;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << tool->verb->section)) == 0) {
			continue;
		}
		unsigned far = mail_str_distance(MAIL_STR(item->name), MAIL_STR(word));
		if (far < least && far < strlen(item->name)) {
			least = far;
			near = item->name;
		}
	}
	return tool_usage(tool, "a %s has no item %s%s%s%s", mail_section_name(tool->verb->section),
	                  word, near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	                  near != NULL ? "?" : "");
}

static int parse_assignment(tool_t *tool, const char *word, assignment_t *out)
{
	const char *equals = strchr(word, '=');
	mail_str_t name = { word, equals != NULL ? (size_t)(equals - word) : strlen(word) };
	*out = (assignment_t){ .value = equals != NULL ? equals + 1 : NULL };
	out->item = mail_item_find(tool->verb->section, name);
	if (out->item == NULL && name.len > 4 && memcmp(name.data + name.len - 4, "-add", 4) == 0) {
		out->op = MAIL_OP_ADD;
		out->item = mail_item_find(tool->verb->section,
		                           (mail_str_t){ name.data, name.len - 4 });
	}
	if (out->item == NULL) {
		return unknown_item(tool, name);
	}
	if (out->op == MAIL_OP_ADD && (out->item->flags & MAIL_FLAG_LIST) == 0) {
		return tool_usage(tool, "%s is no list: there is no %s-add", out->item->name,
		                  out->item->name);
	}
	return STATUS_DONE;
}

/*! \brief Takes one value away from a member: the one that is equal, or has the same tag. */
static int drop_value(mail_entry_t *entry, const assignment_t *what, mail_str_t value, bool *found)
{
	const mail_member_t *member = mail_entry_member(entry, what->item->id, what->op);
	*found = false;
	if (member == NULL) {
		return KNOT_EOK;
	}
	mail_str_t tag = value, rest, other;
	bool bytag = (what->item->flags & MAIL_FLAG_BYTAG) != 0;
	if (bytag) {
		(void)mail_str_tag(value, &tag, &rest);
	}
	mail_entry_t *kept = mail_entry_new(entry->section, entry->id);
	int ret = kept == NULL ? KNOT_ENOMEM : KNOT_EOK;
	for (size_t i = 0; i < member->count && ret == KNOT_EOK; i++) {
		other = member->values[i].text;
		if (bytag) {
			(void)mail_str_tag(member->values[i].text, &other, &rest);
		}
		if (mail_str_equal(other, tag)) {
			*found = true;
		} else {
			ret = mail_entry_add(kept, what->item, what->op, member->values[i].text, 0);
		}
	}
	if (ret == KNOT_EOK && *found) {
		mail_entry_remove(entry, what->item->id, what->op);
		const mail_member_t *left = mail_entry_member(kept, what->item->id, what->op);
		for (size_t i = 0; left != NULL && i < left->count && ret == KNOT_EOK; i++) {
			ret = mail_entry_add(entry, what->item, what->op, left->values[i].text, 0);
		}
	}
	mail_entry_free(kept);
	return ret;
}

/*! \brief Says whether an earlier word of the command line was about the same item. */
static bool is_repeated(const assignment_t *all, int at)
{
	for (int i = 0; i < at; i++) {
		if (all[i].item == all[at].item && all[i].op == all[at].op) {
			return true;
		}
	}
	return false;
}

/*! \brief Makes room for a value: what it replaces goes. */
static int clear_for(mail_entry_t *entry, const assignment_t *all, int at)
{
	const assignment_t *what = &all[at];
	bool none = strcmp(what->value, "none") == 0;
	if (what->op == MAIL_OP_SET) {
		mail_entry_remove(entry, what->item->id, MAIL_OP_NONE);
	}
	if ((what->item->flags & MAIL_FLAG_BYTAG) != 0 && !none) {
		bool found;
		return drop_value(entry, what, MAIL_STR(what->value), &found);
	}
	if (!is_repeated(all, at)) {
		mail_entry_remove(entry, what->item->id, what->op);
	}
	return KNOT_EOK;
}

static int set_one(tool_t *tool, mail_entry_t *entry, assignment_t *all, int at)
{
	assignment_t *what = &all[at];
	if (what->value == NULL && what->item->type == MAIL_TYPE_SWITCH) {
		what->value = "on";
	}
	if (what->value == NULL) {
		return tool_usage(tool, "%s needs a value: %s=VALUE", what->item->name,
		                  what->item->name);
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = clear_for(entry, all, at);
	if (ret == KNOT_EOK) {
		ret = mail_entry_parse(entry, what->item, what->op, MAIL_STR(what->value), 0, diag);
	}
	if (ret == KNOT_EOK) {
		return STATUS_DONE;
	}
	char reason[sizeof(diag->text)];
	memcpy(reason, diag->text, sizeof(reason));
	(void)snprintf(diag->text, sizeof(diag->text), "%s %.*s: %s%s: %.200s",
	               mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
	               what->item->name, what->op == MAIL_OP_ADD ? "-add" : "",
	               reason[0] != '\0' ? reason : knot_strerror(ret));
	return tool_error_diag(tool, ret);
}

static int unset_one(tool_t *tool, mail_entry_t *entry, const assignment_t *what)
{
	bool found;
	int ret = KNOT_EOK;
	if (what->value != NULL) {
		mail_buf_t value = { 0 };
		if ((what->item->flags & MAIL_FLAG_BYTAG) != 0) {
			ret = mail_buf_str(&value, what->value);
		} else {
			ret = mail_item_normalise(what->item, MAIL_STR(what->value), &value,
			                          tool_diag(tool));
		}
		found = false;
		if (ret == KNOT_EOK) {
			ret = drop_value(entry, what, mail_buf_view(&value), &found);
		}
		mail_buf_free(&value);
	} else {
		found = mail_entry_member(entry, what->item->id, what->op) != NULL ||
		        (what->op == MAIL_OP_SET &&
		         mail_entry_member(entry, what->item->id, MAIL_OP_NONE) != NULL);
		mail_entry_remove(entry, what->item->id, what->op);
		if (what->op == MAIL_OP_SET) {
			mail_entry_remove(entry, what->item->id, MAIL_OP_NONE);
		}
	}
	if (ret == KNOT_ENOMEM) {
		return tool_error(tool, ret, "out of memory");
	}
	if (!found) {
		return tool_error(
			tool, KNOT_ENOENT, "%s %.*s: %s%s%s%s: it does not set that",
			mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
			what->item->name, what->op == MAIL_OP_ADD ? "-add" : "",
			what->value != NULL ? "=" : "", what->value != NULL ? what->value : "");
	}
	return STATUS_DONE;
}

/*! \brief Writes an edited entry, or with --dry-run prints what would change. */
static int write_entry(tool_t *tool, const mail_entry_t *old, mail_entry_t *entry)
{
	mail_diag_t *diag = tool_diag(tool);
	int ret = entry->deleted ? KNOT_EOK : mail_entry_check(entry, diag);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s %.*s: %s", mail_section_name(entry->section),
		                  (int)entry->id.len, entry->id.data,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	int status = tool_put(tool, &entry, 1);
	if (status != STATUS_DONE) {
		return status;
	}
	if (option_is(tool, OPT_DRY_RUN)) {
		(void)tool_difference(tool, old, entry);
		return STATUS_DONE;
	}
	return tool_commit(tool);
}

static int parse_all(tool_t *tool, int argc, char **argv, assignment_t **out)
{
	assignment_t *all = calloc((size_t)argc + 1, sizeof(*all));
	int status = all == NULL ? tool_error(tool, KNOT_ENOMEM, "out of memory") : STATUS_DONE;
	for (int i = 0; i < argc && status == STATUS_DONE; i++) {
		status = parse_assignment(tool, argv[i], &all[i]);
	}
	*out = all;
	return status;
}

/*! \brief Deletes an entry: also one that is damaged. */
static int delete_entry(tool_t *tool, const char *text)
{
	mail_section_t section = tool->verb->section;
	mail_buf_t id = { 0 };
	mail_entry_t *old = NULL, *entry = NULL;
	int status = tool_open(tool, MAIL_STORE_WRITE);
	if (status == STATUS_DONE) {
		status = tool_id(tool, section, text, &id);
	}
	if (status == STATUS_DONE) {
		int ret = mail_txn_get(tool->txn, section, mail_buf_view(&id), &old);
		entry = mail_entry_new(section, mail_buf_view(&id));
		if (entry == NULL) {
			status = tool_error(tool, KNOT_ENOMEM, "out of memory");
		} else if (ret != KNOT_EOK && ret != KNOT_EMALF) {
			status = tool_error(
				tool, ret, "%s %s: %s", mail_section_name(section), text,
				ret == KNOT_ENOENT ? "there is none" : knot_strerror(ret));
		} else {
			entry->deleted = true;
			status = write_entry(tool, old, entry);
		}
	}
	mail_entry_free(old);
	mail_entry_free(entry);
	mail_buf_free(&id);
	return status;
}

/*! \brief Reads the entry to be edited; with `make`, an empty one when there is none. */
static int begin_edit(tool_t *tool, const char *text, bool make, mail_entry_t **old,
                      mail_entry_t **entry)
{
	int status = tool_open(tool, MAIL_STORE_WRITE);
	if (status != STATUS_DONE) {
		return status;
	}
	if (!make) {
		status = tool_entry(tool, tool->verb->section, text, old);
	} else {
		mail_buf_t id = { 0 };
		status = tool_id(tool, tool->verb->section, text, &id);
		if (status == STATUS_DONE) {
			int ret = mail_txn_get(tool->txn, tool->verb->section, mail_buf_view(&id),
			                       old);
			if (ret == KNOT_ENOENT) {
				*old = NULL;
				*entry = mail_entry_new(tool->verb->section, mail_buf_view(&id));
			} else if (ret != KNOT_EOK) {
				status = tool_error(tool, ret,
				                    "%s %s: the stored entry cannot be read: %s",
				                    mail_section_name(tool->verb->section), text,
				                    knot_strerror(ret));
			}
		}
		mail_buf_free(&id);
	}
	if (status == STATUS_DONE && *old != NULL) {
		*entry = mail_entry_copy(*old);
	}
	if (status == STATUS_DONE && *entry == NULL) {
		status = tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	return status;
}

static int edit(tool_t *tool, int argc, char **argv, bool set)
{
	assignment_t *all = NULL;
	mail_entry_t *old = NULL, *entry = NULL;
	int status = parse_all(tool, argc - 1, argv + 1, &all);
	if (status == STATUS_DONE) {
		status = begin_edit(tool, argv[0], set, &old, &entry);
	}
	for (int i = 0; i < argc - 1 && status == STATUS_DONE; i++) {
		status = set ? set_one(tool, entry, all, i) : unset_one(tool, entry, &all[i]);
	}
	if (status == STATUS_DONE) {
		status = write_entry(tool, old, entry);
	}
	mail_entry_free(old);
	mail_entry_free(entry);
	free(all);
	return status;
}

int verb_set(tool_t *tool, int argc, char **argv)
{
	return edit(tool, argc, argv, true);
}

int verb_unset(tool_t *tool, int argc, char **argv)
{
	return argc == 1 ? delete_entry(tool, argv[0]) : edit(tool, argc, argv, false);
}
