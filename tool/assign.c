/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/assign.h"

#include <stdlib.h>

#include "mail/chars.h"
#include "mail/dmarc.h"
#include "mail/text.h"
#include "tool/file.h"
#include "tool/open.h"
#include "tool/out.h"
#include "tool/same.h"

/*! \brief What a word does. */
typedef enum {
	FORM_SET,  /*!< ITEM=VALUE, or ITEM alone. */
	FORM_PLUS, /*!< ITEM+=VALUE, or ITEM-add=VALUE. */
	FORM_MINUS /*!< ITEM-=VALUE. */
} form_t;

/*! \brief A word of the command line. */
typedef struct {
	const char *word;
	mail_section_t section;
	const mail_item_t *item;
	mail_op_t op; /*!< MAIL_OP_ADD: it is about ITEM-add. */
	form_t form;
	const char *value;   /*!< NULL: none. */
	mail_buf_t contents; /*!< Of the file that the value names. */
	int error;           /*!< errno: why it cannot be read. */
} assignment_t;

struct assign {
	int count;
	assignment_t words[];
};

/* --- Words --- */

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
	tool_usage(tool, "a %s has no item %.*s (kmailctl help %s lists its items)",
	           mail_section_name(section), len, name.data, tool->verb->name);
}

/*! \brief Take an end off a name. \return false: it does not end so. */
static bool cut(mail_str_t *name, const char *end)
{
	const size_t len = strlen(end);
	if (name->len <= len || !mail_str_ends(*name, end)) {
		return false;
	}
	name->len -= len;
	return true;
}

/*! \brief Refuse what an item cannot take. */
static void check_word(tool_t *tool, const assignment_t *what)
{
	const mail_item_t *item = what->item;
	const bool list = (item->flags & MAIL_FLAG_LIST) != 0;
	if (what->op == MAIL_OP_ADD && !list) {
		tool_usage(tool, "%s is no list: there is no %s-add", item->name, item->name);
	}
	if (what->form != FORM_SET && !list) {
		tool_usage(tool, "%s is no list: %s=VALUE replaces its value", item->name,
		           item->name);
	}
}

/*! \brief Read one word. */
static void read_word(tool_t *tool, const char *word, assignment_t *out)
{
	const mail_section_t section = tool->verb->section;
	mail_str_t name = { word, strcspn(word, "=") };
	*out = (assignment_t){ .word = word, .section = section };
	out->value = word[name.len] == '=' ? word + name.len + 1 : NULL;
	if (out->value != NULL && cut(&name, "+")) {
		out->form = FORM_PLUS;
	} else if (out->value != NULL && cut(&name, "-")) {
		out->form = FORM_MINUS;
	}
	out->item = mail_item_find(section, name);
	if (out->item == NULL && cut(&name, "-add")) {
		out->op = MAIL_OP_ADD;
		out->item = mail_item_find(section, name);
	}
	if (out->item == NULL) {
		unknown_item(tool, name);
	}
	check_word(tool, out);
}

assign_t *assign_read(tool_t *tool, int count, char **words)
{
	assign_t *assign = tool_memory(
		tool, calloc(1, sizeof(*assign) + (size_t)count * sizeof(assignment_t)));
	assign->count = count;
	for (int i = 0; i < count; i++) {
		read_word(tool, words[i], &assign->words[i]);
	}
	return assign;
}

/*! \brief Return whether a word names a file, whose contents are its value. */
static bool names_file(const assignment_t *what)
{
	return what->value != NULL && what->form != FORM_MINUS && what->op == MAIL_OP_SET &&
	       mail_text_names_file(what->section, what->item, MAIL_STR(what->value));
}

void assign_files(assign_t *assign)
{
	for (int i = 0; i < assign->count; i++) {
		assignment_t *what = &assign->words[i];
		if (names_file(what)) {
			what->error = file_read(what->value, &what->contents);
		}
	}
}

void assign_free(assign_t *assign)
{
	for (int i = 0; i < assign->count; i++) {
		/* It may have been a private key. */
		file_wipe(&assign->words[i].contents);
	}
	free(assign);
}

/*! \brief Return the name of a word's item as people write it: "spf-add". The static memory is used again. */
static const char *name_of(const assignment_t *what)
{
	static char name[64];
	(void)snprintf(name, sizeof(name), "%s%s", what->item->name,
	               what->op == MAIL_OP_ADD ? "-add" : "");
	return name;
}

/*! \brief End the process with the reason in tool->diag, behind entry and item. */
static void fail_word(tool_t *tool, const mail_entry_t *entry, const assignment_t *what, int code)
{
	mail_diag_t *diag = &tool->diag;
	char reason[sizeof(diag->text)];
	(void)snprintf(reason, sizeof(reason), "%s", tool_reason(tool, code));
	(void)snprintf(diag->text, sizeof(diag->text), "%s %.*s: %s: %.200s",
	               mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
	               name_of(what), reason);
	tool_exit(tool, tool_error_diag(tool, code));
}

/*! \brief Return whether a word adds a value to what is there. */
static bool adds(const assignment_t *what)
{
	return what->form == FORM_PLUS || (what->form == FORM_SET && what->op == MAIL_OP_ADD);
}

/*! \brief Refuse two words about one item of which one undoes what the other one does. */
static void check_pair(tool_t *tool, const assignment_t *a, const assignment_t *b)
{
	const bool both_add = adds(a) && adds(b), same = strcmp(a->value, b->value) == 0;
	if (both_add && same && a->op != b->op) {
		tool_usage(tool, "%s and %s: a value is added twice", a->word, b->word);
	}
	if (both_add || a->op != b->op || a->form == b->form) {
		return;
	}
	if ((a->form == FORM_SET && !adds(a)) || (b->form == FORM_SET && !adds(b))) {
		tool_usage(tool, "%s and %s: the one replaces the list that the other one changes",
		           a->word, b->word);
	}
	if (same) {
		tool_usage(tool, "%s and %s: a value is added and taken away", a->word, b->word);
	}
}

static void check_pairs(tool_t *tool, const assign_t *assign)
{
	for (int i = 0; i < assign->count; i++) {
		for (int j = 0; j < i; j++) {
			const assignment_t *a = &assign->words[j], *b = &assign->words[i];
			if (a->item == b->item && a->value != NULL && b->value != NULL) {
				check_pair(tool, a, b);
			}
		}
	}
}

/*! \brief What a warning is about. */
typedef struct {
	tool_t *tool;
	const mail_entry_t *entry;
	const mail_item_t *item;
} about_t;

static void warn_word(void *ctx, const char *text)
{
	const about_t *about = ctx;
	mail_diag_warn(&about->tool->diag, "%s %.*s: %s: %s",
	               mail_section_name(about->entry->section), (int)about->entry->id.len,
	               about->entry->id.data, about->item->name, text);
}

/*! \brief Add what is in the file that a word names. */
static void gather_file(tool_t *tool, mail_entry_t *gathered, const assignment_t *what)
{
	if (what->error != 0) {
		tool_fail(tool, knot_map_errno_code(what->error),
		          "%s %.*s: %s: %s: %s; give the value itself, or the name of a file that "
		          "has it",
		          mail_section_name(gathered->section), (int)gathered->id.len,
		          gathered->id.data, name_of(what), what->value, strerror(what->error));
	}
	mail_diag_t *diag = tool_diag(tool);
	about_t about = { tool, gathered, what->item };
	mail_diag_t own = { .warn = warn_word, .warn_ctx = &about };
	int ret = mail_text_add_file(gathered, what->item, mail_buf_view(&what->contents), 0, &own);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(diag, own.column, "%s", own.text);
		file_place(tool, what->value, mail_buf_view(&what->contents));
		fail_word(tool, gathered, what, ret);
	}
}

/*! \brief Add the value of a word to an entry that gathers words of a form. */
static void gather(tool_t *tool, mail_entry_t *gathered, const assignment_t *what)
{
	const char *value = what->value;
	if (value == NULL && what->item->type == MAIL_TYPE_SWITCH) {
		value = "on";
	}
	if (value == NULL) {
		tool_usage(tool, "%s needs a value: %s=VALUE", name_of(what), name_of(what));
	}
	mail_diag_t *diag = tool_diag(tool);
	about_t about = { tool, gathered, what->item };
	mail_diag_t own = { .warn = warn_word, .warn_ctx = &about };
	int ret = mail_entry_parse(gathered, what->item, what->op, MAIL_STR(value), 0, &own);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(diag, own.column, "%s", own.text);
		fail_word(tool, gathered, what, ret);
	}
}

/*!
 * \brief Give an entry that gathers words what the values of others are read by: the name of a host, the forms of a
 *        certificate. A word about one of them comes first.
 */
static void seed(tool_t *tool, mail_entry_t *gathered, const mail_entry_t *entry,
                 const assign_t *assign)
{
	static const mail_item_id_t items[] = { MAIL_ITEM_NAME, MAIL_ITEM_FORM };
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		const mail_member_t *member = mail_entry_member(entry, items[i], MAIL_OP_SET);
		bool said = false;
		for (int k = 0; k < assign->count; k++) {
			said = said || assign->words[k].item->id == items[i];
		}
		for (size_t k = 0; member != NULL && !said && k < member->count; k++) {
			tool_expect(tool, mail_entry_add(gathered, member->item, MAIL_OP_SET,
			                                 member->values[k].text, 0));
		}
	}
}

/* --- Values --- */

/*! \brief Return the tag of "TAG=VALUE", or of a tag alone. */
static mail_str_t tag_of(mail_str_t value)
{
	mail_str_t tag, rest;
	return mail_str_tag(value, &tag, &rest) ? tag : mail_str_trim(value);
}

/*! \brief Return whether a value stands for another one: it is of the same tag, or means the same. */
static bool stands_for(const mail_item_t *item, mail_str_t a, mail_str_t b)
{
	return (item->flags & MAIL_FLAG_BYTAG) != 0 ? mail_str_equal(tag_of(a), tag_of(b))
	                                            : same_value(item, a, b);
}

/*! \brief Return a member's value that stands for another, one that is written alike first; NULL: none does. */
static const mail_value_t *find(const mail_member_t *member, mail_str_t value)
{
	const mail_value_t *found = NULL;
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		const mail_value_t *other = &member->values[i];
		if (mail_str_equal(other->text, value)) {
			return other;
		}
		if (found == NULL && stands_for(member->item, other->text, value)) {
			found = other;
		}
	}
	return found;
}

/*! \brief Take a value out of a member: the same, or that of the same tag. \return false: it is not there. */
static bool drop(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, mail_op_t op,
                 mail_str_t value)
{
	if (find(mail_entry_member(entry, item, op), value) == NULL) {
		return false;
	}
	mail_entry_t *was = tool_own(tool, mail_entry_copy(entry));
	const mail_member_t *member = mail_entry_member(was, item, op);
	const mail_value_t *gone = find(member, value);
	mail_entry_remove(entry, item, op);
	for (size_t i = 0; i < member->count; i++) {
		if (&member->values[i] != gone) {
			tool_expect(tool, mail_entry_add(entry, member->item, op,
			                                 member->values[i].text, 0));
		}
	}
	return true;
}

/* --- What is inherited --- */

/*! \brief Return the profile that an entry inherits from, or NULL. The caller frees it. */
static mail_profile_t *inherited(tool_t *tool, const mail_entry_t *entry)
{
	mail_str_t from = { NULL, 0 };
	mail_profile_t *profile = NULL;
	if (entry->section == MAIL_SECTION_DOMAIN) {
		from = mail_entry_value(entry, MAIL_ITEM_POLICY);
	} else if (entry->section == MAIL_SECTION_POLICY) {
		from = mail_entry_value(entry, MAIL_ITEM_BASE);
	}
	/* What cannot be read is found when the entry is written. */
	if (from.len > 0 &&
	    mail_profile_of_policy(tool_source(tool), from, &profile, NULL) != KNOT_EOK) {
		mail_profile_free(profile);
		profile = NULL;
	}
	return profile;
}

/*! \brief Return an inherited value that stands for another; NULL: none does. */
static const mail_setting_t *find_inherited(const mail_profile_t *profile, const mail_item_t *item,
                                            mail_str_t value)
{
	const mail_settings_t *settings = profile != NULL ? &profile->items[item->id] : NULL;
	for (size_t i = 0; settings != NULL && i < settings->count; i++) {
		if (stands_for(item, settings->values[i].text, value)) {
			return &settings->values[i];
		}
	}
	return NULL;
}

/*! \brief Return whether inherited values of an item count: a list of the entry's own stands in their place, tags do not. */
static bool inherits(const mail_entry_t *entry, const mail_item_t *item)
{
	return mail_entry_member(entry, item->id, MAIL_OP_NONE) == NULL &&
	       ((item->flags & MAIL_FLAG_BYTAG) != 0 ||
	        mail_entry_member(entry, item->id, MAIL_OP_SET) == NULL);
}

/*! \brief Append values to a list for people. */
static void list_members(const mail_member_t *member, mail_buf_t *out)
{
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		(void)mail_buf_str(out, out->len > 0 ? ", " : "");
		(void)mail_item_print(member->item, member->values[i].text, out);
	}
}

/*! \brief Append what is inherited, each value with the layer that has it. */
static void list_inherited(const mail_profile_t *profile, const mail_item_t *item, mail_buf_t *out)
{
	const mail_settings_t *settings = profile != NULL ? &profile->items[item->id] : NULL;
	for (size_t i = 0; settings != NULL && i < settings->count; i++) {
		(void)mail_buf_str(out, out->len > 0 ? ", " : "");
		(void)mail_item_print(item, settings->values[i].text, out);
		(void)mail_buf_str(out, " (");
		(void)mail_profile_layer_print(profile, settings->values[i].layer, out);
		(void)mail_buf_str(out, ")");
	}
}

/*! \brief End the process: a value is not there to be taken away. Say what is. */
static void fail_absent(tool_t *tool, const mail_entry_t *entry, const mail_profile_t *profile,
                        const assignment_t *what)
{
	const mail_item_t *item = what->item;
	mail_buf_t there = { 0 };
	list_members(mail_entry_member(entry, item->id, MAIL_OP_SET), &there);
	list_members(mail_entry_member(entry, item->id, MAIL_OP_ADD), &there);
	if (inherits(entry, item)) {
		list_inherited(profile, item, &there);
	}
	if (what->value == NULL) {
		tool_fail(tool, KNOT_ENOENT, "%s %.*s: %s: it sets none itself; there is %.*s",
		          mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
		          name_of(what), there.len > 0 ? (int)there.len : 7,
		          there.len > 0 ? (const char *)there.data : "nothing");
	}
	tool_fail(tool, KNOT_ENOENT, "%s %.*s: %s: there is no %s; there is %.*s",
	          mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
	          name_of(what), what->value, there.len > 0 ? (int)there.len : 7,
	          there.len > 0 ? (const char *)there.data : "nothing");
}

/*! \brief End the process: a value that is to be taken away is inherited. Say from where, and what to do. */
static void fail_inherited(tool_t *tool, const mail_entry_t *entry, const mail_profile_t *profile,
                           const assignment_t *what, const mail_setting_t *setting)
{
	const mail_layer_t *layer = &profile->layers[setting->layer];
	const char *name = what->item->name;
	mail_buf_t remedy = { 0 };
	if (layer->entry != NULL) {
		(void)mail_buf_printf(&remedy,
		                      "kmailctl policy-set %.*s '%s-=%s' takes it from all that "
		                      "inherit it; ",
		                      (int)layer->entry->id.len, layer->entry->id.data, name,
		                      what->value);
	}
	if ((what->item->flags & MAIL_FLAG_BYTAG) != 0) {
		const mail_str_t tag = tag_of(setting->text);
		(void)mail_buf_printf(&remedy, "%s=%.*s= leaves the tag out here", name,
		                      (int)tag.len, tag.data);
	} else {
		(void)mail_buf_printf(&remedy, "%s=VALUE... gives the %s a list of its own", name,
		                      mail_section_name(entry->section));
	}
	mail_buf_t from = { 0 };
	(void)mail_profile_layer_print(profile, setting->layer, &from);
	tool_fail(tool, KNOT_ENOENT, "%s %.*s: %s: %.*s is inherited (%.*s): %.*s",
	          mail_section_name(entry->section), (int)entry->id.len, entry->id.data, name,
	          (int)setting->text.len, setting->text.data, (int)from.len,
	          (const char *)from.data, (int)remedy.len, (const char *)remedy.data);
}

/* --- What words do --- */

/*! \brief Return whether a word has a whole record in place of tags: those that it does not have go. */
static bool is_whole(const assignment_t *what)
{
	return (what->item->flags & MAIL_FLAG_BYTAG) != 0 && what->form == FORM_SET &&
	       what->value != NULL && strcasestr(what->value, MAIL_DMARC_VERSION) != NULL;
}

/*! \brief Put the members that ITEM=VALUE words made in the place of those of the entry. */
static void replace(tool_t *tool, mail_entry_t *entry, const mail_entry_t *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const mail_member_t *member = &set->members[i];
		const mail_item_id_t item = member->item->id;
		const bool bytag = (member->item->flags & MAIL_FLAG_BYTAG) != 0;
		mail_entry_remove(entry, item, MAIL_OP_NONE);
		if (member->op == MAIL_OP_NONE || !bytag) {
			mail_entry_remove(entry, item, MAIL_OP_SET);
		}
		if (member->op == MAIL_OP_NONE) {
			tool_expect(tool, mail_entry_add(entry, member->item, MAIL_OP_NONE,
			                                 MAIL_STR(""), 0));
		}
		for (size_t j = 0; j < member->count; j++) {
			const mail_str_t value = member->values[j].text;
			if (bytag) {
				(void)drop(tool, entry, item, MAIL_OP_SET, value);
			}
			tool_expect(tool,
			            mail_entry_add(entry, member->item, MAIL_OP_SET, value, 0));
		}
	}
}

/*!
 * \brief Return where += puts a value: into a list of the entry's own; else behind what is inherited, which it must not
 *        replace.
 */
static mail_op_t place_of(const mail_entry_t *entry, const mail_profile_t *profile,
                          const mail_member_t *member)
{
	const mail_item_t *item = member->item;
	if (member->op == MAIL_OP_ADD) {
		return MAIL_OP_ADD;
	}
	if ((item->flags & MAIL_FLAG_BYTAG) != 0 ||
	    mail_entry_member(entry, item->id, MAIL_OP_SET) != NULL) {
		return MAIL_OP_SET;
	}
	const bool behind = inherits(entry, item) && profile != NULL &&
	                    profile->items[item->id].count > 0;
	return behind || mail_entry_member(entry, item->id, MAIL_OP_ADD) != NULL ? MAIL_OP_ADD
	                                                                         : MAIL_OP_SET;
}

/*! \brief Return whether a value need not be added: it is there. Where from is said of what is inherited. */
static bool is_there(tool_t *tool, const mail_entry_t *entry, const mail_profile_t *profile,
                     const mail_item_t *item, mail_str_t value)
{
	const mail_value_t *own = find(mail_entry_member(entry, item->id, MAIL_OP_SET), value);
	if (own == NULL) {
		own = find(mail_entry_member(entry, item->id, MAIL_OP_ADD), value);
	}
	const bool bytag = (item->flags & MAIL_FLAG_BYTAG) != 0;
	if (own != NULL && bytag && !mail_str_equal(own->text, value)) {
		tool_fail(tool, KNOT_EEXIST,
		          "%s %.*s: %s: there is %.*s already; %s=%.*s replaces it",
		          mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
		          item->name, (int)own->text.len, own->text.data, item->name,
		          (int)value.len, value.data);
	}
	const mail_setting_t *setting = find_inherited(profile, item, value);
	if (own != NULL || setting == NULL || !inherits(entry, item) ||
	    (bytag && !mail_str_equal(setting->text, value))) {
		return own != NULL;
	}
	mail_buf_t layer = { 0 };
	(void)mail_profile_layer_print(profile, setting->layer, &layer);
	tool_note(tool, "%s %.*s: %s: %.*s is there already (%.*s)",
	          mail_section_name(entry->section), (int)entry->id.len, entry->id.data, item->name,
	          (int)value.len, value.data, (int)layer.len, (const char *)layer.data);
	mail_buf_free(&layer);
	return true;
}

/*! \brief Add the values that ITEM+=VALUE words have. */
static void add(tool_t *tool, mail_entry_t *entry, const mail_profile_t *profile,
                const mail_entry_t *plus)
{
	for (size_t i = 0; i < plus->count; i++) {
		const mail_member_t *member = &plus->members[i];
		for (size_t j = 0; j < member->count; j++) {
			const mail_str_t value = member->values[j].text;
			const mail_op_t op = place_of(entry, profile, member);
			if (is_there(tool, entry, profile, member->item, value)) {
				continue;
			}
			if (op == MAIL_OP_SET) {
				mail_entry_remove(entry, member->item->id, MAIL_OP_NONE);
			}
			int ret = mail_entry_add(entry, member->item, op, value, 0);
			if (ret == KNOT_ELIMIT) {
				tool_fail(tool, ret, "%s %.*s: %s: more than %d values",
				          mail_section_name(entry->section), (int)entry->id.len,
				          entry->id.data, member->item->name, MAIL_LIST_MAX);
			}
			tool_expect(tool, ret);
		}
	}
}

/*! \brief Return the value of a word as it is stored; as it is, if nobody can read it or it is several. */
static mail_str_t stored_value(tool_t *tool, const mail_entry_t *entry, const assignment_t *what)
{
	const mail_str_t text = MAIL_STR(what->value);
	mail_entry_t *read = tool_own(tool, mail_entry_new(entry->section, entry->id));
	if (mail_entry_parse(read, what->item, what->op, text, 0, NULL) != KNOT_EOK) {
		return text;
	}
	const mail_member_t *member = mail_entry_member(read, what->item->id, what->op);
	return member != NULL && member->count == 1 ? member->values[0].text : text;
}

/*! \brief Return whether a word names a tag with another value than is there. */
static bool is_other_tag(const assignment_t *what, mail_str_t there, mail_str_t value)
{
	return (what->item->flags & MAIL_FLAG_BYTAG) != 0 && strchr(what->value, '=') != NULL &&
	       !mail_str_equal(there, value);
}

/*! \brief Take away the value that an ITEM-=VALUE word has. */
static void take(tool_t *tool, mail_entry_t *entry, const mail_profile_t *profile,
                 const assignment_t *what)
{
	const mail_item_id_t item = what->item->id;
	const mail_str_t value = stored_value(tool, entry, what);
	const mail_value_t *own = find(mail_entry_member(entry, item, MAIL_OP_SET), value);
	if (own != NULL && is_other_tag(what, own->text, value)) {
		fail_absent(tool, entry, profile, what);
	}
	bool found = what->op == MAIL_OP_SET && drop(tool, entry, item, MAIL_OP_SET, value);
	found = found || drop(tool, entry, item, MAIL_OP_ADD, value);
	const mail_setting_t *setting = find_inherited(profile, what->item, value);
	if (!found && setting != NULL && inherits(entry, what->item) &&
	    !is_other_tag(what, setting->text, value)) {
		fail_inherited(tool, entry, profile, what, setting);
	}
	if (!found) {
		fail_absent(tool, entry, profile, what);
	}
}

/*! \brief Warn of a list that has lost its last value, so that what is inherited counts again. */
static void warn_inherits(tool_t *tool, const mail_entry_t *entry, const mail_profile_t *profile,
                          const mail_item_t *item)
{
	mail_buf_t there = { 0 };
	if ((item->flags & MAIL_FLAG_BYTAG) == 0 && inherits(entry, item)) {
		list_inherited(profile, item, &there);
	}
	if (there.len > 0) {
		tool_warn(tool,
		          "%s %.*s: %s: it has no list of its own any more, and inherits %.*s; "
		          "%s=none takes these away",
		          mail_section_name(entry->section), (int)entry->id.len, entry->id.data,
		          item->name, (int)there.len, (const char *)there.data, item->name);
	}
	mail_buf_free(&there);
}

void assign_set(tool_t *tool, mail_entry_t *entry, const assign_t *assign)
{
	const assignment_t *all = assign->words;
	const int count = assign->count;
	mail_entry_t *set = tool_own(tool, mail_entry_new(entry->section, entry->id));
	mail_entry_t *plus = tool_own(tool, mail_entry_new(entry->section, entry->id));
	check_pairs(tool, assign);
	seed(tool, set, entry, assign);
	seed(tool, plus, entry, assign);
	/* One entry of all words refuses what is said twice, as in a file. */
	for (int i = 0; i < count; i++) {
		if (all[i].form != FORM_MINUS && !names_file(&all[i])) {
			gather(tool, adds(&all[i]) ? plus : set, &all[i]);
		}
	}
	for (int i = 0; i < count; i++) {
		if (names_file(&all[i])) {
			gather_file(tool, adds(&all[i]) ? plus : set, &all[i]);
		}
	}
	for (int i = 0; i < count; i++) {
		if (is_whole(&all[i])) {
			mail_entry_remove(entry, all[i].item->id, MAIL_OP_SET);
		}
	}
	replace(tool, entry, set);
	mail_profile_t *profile = inherited(tool, entry);
	for (int i = 0; i < count; i++) {
		if (all[i].form != FORM_MINUS) {
			continue;
		}
		const bool own = mail_entry_member(entry, all[i].item->id, MAIL_OP_SET) != NULL;
		take(tool, entry, profile, &all[i]);
		if (own) {
			warn_inherits(tool, entry, profile, all[i].item);
		}
	}
	add(tool, entry, profile, plus);
	mail_profile_free(profile);
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
	} else {
		found = drop(tool, entry, item, what->op, stored_value(tool, entry, what));
	}
	if (!found) {
		fail_absent(tool, entry, inherited(tool, entry), what);
	}
}

void assign_unset(tool_t *tool, mail_entry_t *entry, const assign_t *assign)
{
	const assignment_t *all = assign->words;
	const int count = assign->count;
	for (int i = 0; i < count; i++) {
		if (all[i].form != FORM_SET) {
			tool_usage(tool, "%s: += and -= belong to a -set", all[i].word);
		}
		for (int j = 0; j < i; j++) {
			if (strcmp(all[i].word, all[j].word) == 0) {
				tool_usage(tool, "%s is given twice", all[i].word);
			}
		}
	}
	for (int i = 0; i < count; i++) {
		unset_one(tool, entry, &all[i]);
	}
}
