/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NDJSON, one entry a line:
 *
 *     entry   = { "kind": SECTION, "name" or "id": ID, *( ITEM: value / "+ITEM": value ) }
 *             / { "kind": SECTION, "name" or "id": ID, "deleted": true }
 *     value   = null                     ; the item's "none"
 *             / scalar / [ 1*scalar ]    ; a list may have one scalar without brackets
 *             / { TAG: string / null }   ; dmarc; null and "" take the tag away
 *     scalar  = number (MAIL_TYPE_NUMBER) / true / false (MAIL_TYPE_SWITCH) / string (all others)
 *
 * A domain has its id in "name", all others in "id", because "name" is an item of hosts.
 */
#include "mail/json.h"

#include <jansson.h>
#include <stdio.h>

#include "mail/chars.h"
#include "mail/text.h"
#include "dialect/json_quick.h"
#include "dialect/subject.h"

/* The name of the member that holds the id. */
static const char *id_member(mail_section_t section)
{
	return section == MAIL_SECTION_DOMAIN ? "name" : "id";
}

/* Printing. */

static int put_string(mail_str_t text, mail_buf_t *out)
{
	/* Control characters are no text of ours, so only two characters are left to escape. */
	if (!mail_str_is_text(text, NULL)) {
		return KNOT_EMALF;
	}
	mail_buf_u8(out, '"');
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\') {
			mail_buf_put(out, text.data + from, i - from);
			mail_buf_u8(out, '\\');
			from = i;
		}
	}
	if (text.len > from) {
		mail_buf_put(out, text.data + from, text.len - from);
	}
	return mail_buf_u8(out, '"');
}

static int put_printed(const mail_item_t *item, mail_str_t stored, mail_buf_t *out)
{
	mail_buf_t text = { 0 };
	int ret = mail_item_print(item, stored, &text);
	if (ret == KNOT_EOK) {
		ret = put_string(mail_buf_view(&text), out);
	}
	mail_buf_free(&text);
	return ret;
}

static int put_scalar(const mail_item_t *item, mail_str_t stored, mail_buf_t *out)
{
	switch (item->type) {
	case MAIL_TYPE_NUMBER: return mail_item_print(item, stored, out);
	case MAIL_TYPE_SWITCH:
		return mail_buf_str(out, mail_str_is(stored, "on") ? "true" : "false");
	case MAIL_TYPE_OCTETS: return put_printed(item, stored, out);
	default: break;
	}
	if (item->id == MAIL_ITEM_TXT && mail_str_is_text(stored, NULL)) {
		return put_printed(item, stored, out);
	}
	return put_string(stored, out);
}

/* "p=none" becomes "p":"none"; "sp=", which takes an inherited tag away, becomes "sp":null. */
static int put_tag(mail_str_t stored, mail_buf_t *out)
{
	mail_str_t tag, value;
	if (!mail_str_tag(stored, &tag, &value)) {
		return KNOT_EMALF;
	}
	int ret = put_string(tag, out);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_u8(out, ':');
	if (value.len == 0) {
		return mail_buf_str(out, "null");
	}
	return put_string(value, out);
}

static int put_member(const mail_member_t *member, mail_buf_t *out)
{
	const mail_item_t *item = member->item;
	mail_buf_printf(out, ",\"%s%s\":", member->op == MAIL_OP_ADD ? "+" : "", item->name);
	if (member->op == MAIL_OP_NONE) {
		return mail_buf_str(out, "null");
	}
	const bool tags = item->flags & MAIL_FLAG_BYTAG;
	const bool list = !tags && (item->flags & MAIL_FLAG_LIST);
	if (tags || list) {
		mail_buf_u8(out, tags ? '{' : '[');
	}
	for (size_t i = 0; i < member->count; i++) {
		mail_str_t stored = member->values[i].text;
		int ret;
		if (i > 0) {
			mail_buf_u8(out, ',');
		}
		if (tags) {
			ret = put_tag(stored, out);
		} else {
			ret = put_scalar(item, stored, out);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (tags || list) {
		mail_buf_u8(out, tags ? '}' : ']');
	}
	return out->error;
}

int mail_json_print(const mail_entry_t *entry, mail_buf_t *out)
{
	mail_buf_printf(out, "{\"kind\":\"%s\",\"%s\":", mail_section_name(entry->section),
	                id_member(entry->section));
	int ret = put_string(entry->id, out);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (entry->deleted) {
		mail_buf_str(out, ",\"deleted\":true");
	}
	for (size_t i = 0; i < entry->count; i++) {
		ret = put_member(&entry->members[i], out);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return mail_buf_u8(out, '}');
}

/* Parsing. */

static mail_str_t string_of(const json_t *value)
{
	return (mail_str_t){ json_string_value(value), json_string_length(value) };
}

/* Add the text of a value to the entry. */
static int add_text(mail_subject_t *subject, mail_entry_t *entry, const mail_item_t *item,
                    mail_op_t op, mail_str_t text)
{
	subject->own.text[0] = '\0';
	subject->own.column = 0;
	return mail_subject_pass(subject,
	                         mail_entry_parse(entry, item, op, text, 0, &subject->own));
}

/* Add a value that is neither list nor object. */
static int add_scalar(mail_subject_t *subject, mail_entry_t *entry, const mail_item_t *item,
                      mail_op_t op, const json_t *value)
{
	const bool none = json_is_string(value) && mail_str_is(string_of(value), "none");
	if (item->type == MAIL_TYPE_NUMBER && !none) {
		char digits[32];
		if (!json_is_integer(value)) {
			return mail_subject_error(subject, 0, "expected a whole number");
		}
		(void)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
		               json_integer_value(value));
		return add_text(subject, entry, item, op, MAIL_STR(digits));
	}
	if (item->type == MAIL_TYPE_SWITCH && !none) {
		if (!json_is_boolean(value)) {
			return mail_subject_error(subject, 0, "expected true or false");
		}
		return add_text(subject, entry, item, op,
		                MAIL_STR(json_is_true(value) ? "on" : "off"));
	}
	if (!json_is_string(value)) {
		return mail_subject_error(subject, 0, "expected a string%s",
		                          item->flags & MAIL_FLAG_LIST ? " or a list of strings"
		                                                       : "");
	}
	if (mail_text_names_file(subject->section, item, string_of(value))) {
		return mail_subject_error(
			subject, 0,
			"neither a key nor a record: if it is the name of a file, "
			"kmailctl apply and the -set verbs read that");
	}
	return add_text(subject, entry, item, op, string_of(value));
}

static int add_list(mail_subject_t *subject, mail_entry_t *entry, const mail_item_t *item,
                    mail_op_t op, const json_t *list)
{
	size_t count = json_array_size(list);
	if (!(item->flags & MAIL_FLAG_LIST)) {
		return mail_subject_error(subject, 0, "takes one value, not a list");
	}
	if (count == 0) {
		return mail_subject_error(subject, 0,
		                          "an empty list; null removes what is inherited");
	}
	for (size_t i = 0; i < count; i++) {
		int ret = add_scalar(subject, entry, item, op, json_array_get(list, i));
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/* Add one tag of an object as "tag=value". */
static int add_tag(mail_subject_t *subject, mail_entry_t *entry, const mail_item_t *item,
                   const char *tag, const json_t *value)
{
	if (!json_is_string(value) && !json_is_null(value)) {
		char quoted[64];
		return mail_subject_error(subject, 0, "%s: expected a string, or null",
		                          mail_subject_quote(MAIL_STR(tag), quoted));
	}
	if (tag[0] == '\0' || strchr(tag, '=') != NULL) {
		return mail_subject_error(subject, 0, "a tag is empty or has a = in it");
	}
	mail_buf_t text = { 0 };
	mail_buf_str(&text, tag);
	mail_buf_u8(&text, '=');
	if (json_string_length(value) > 0) {
		mail_buf_put(&text, json_string_value(value), json_string_length(value));
	}
	int ret;
	if (text.error != KNOT_EOK) {
		ret = mail_subject_pass(subject, text.error);
	} else {
		ret = add_text(subject, entry, item, MAIL_OP_SET, mail_buf_view(&text));
	}
	mail_buf_free(&text);
	return ret;
}

static int add_tags(mail_subject_t *subject, mail_entry_t *entry, const mail_item_t *item,
                    json_t *value)
{
	if (json_is_string(value)) {
		return add_text(subject, entry, item, MAIL_OP_SET, string_of(value));
	}
	if (!json_is_object(value) || json_object_size(value) == 0) {
		return mail_subject_error(subject, 0,
		                          "expected an object of tags, as {\"p\":\"none\"}");
	}
	const char *tag;
	json_t *text;
	json_object_foreach(value, tag, text)
	{
		int ret = add_tag(subject, entry, item, tag, text);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/* Add a member of the object that is an item. */
static int add_member(mail_subject_t *subject, mail_entry_t *entry, const char *name, json_t *value)
{
	const mail_item_t *item;
	mail_op_t op = name[0] == '+' ? MAIL_OP_ADD : MAIL_OP_SET;
	subject->item = MAIL_STR(name);
	int ret = mail_subject_item(subject, MAIL_STR(name + (op == MAIL_OP_ADD ? 1 : 0)), &item);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (json_is_null(value)) {
		return add_text(subject, entry, item, op, MAIL_STR("none"));
	}
	if ((item->flags & MAIL_FLAG_BYTAG) && op == MAIL_OP_SET) {
		return add_tags(subject, entry, item, value);
	}
	if (json_is_array(value)) {
		return add_list(subject, entry, item, op, value);
	}
	return add_scalar(subject, entry, item, op, value);
}

/* Read "kind" and the id, and make the entry. */
static int entry_begin(mail_subject_t *subject, json_t *object, const char **id_name,
                       mail_entry_t **entry)
{
	const json_t *kind = json_object_get(object, "kind");
	subject->item = MAIL_STR("kind");
	if (!json_is_string(kind)) {
		return mail_subject_error(subject, 0,
		                          kind == NULL ? "missing" : "expected a string");
	}
	int ret = mail_subject_section(subject, string_of(kind), &subject->section);
	if (ret != KNOT_EOK) {
		return ret;
	}
	*id_name = id_member(subject->section);
	const json_t *id = json_object_get(object, *id_name);
	if (id == NULL && mail_item_find(subject->section, MAIL_STR("name")) == NULL) {
		*id_name = "name";
		id = json_object_get(object, *id_name);
	}
	subject->item = MAIL_STR(id_member(subject->section));
	if (!json_is_string(id)) {
		return mail_subject_error(subject, 0, id == NULL ? "missing" : "expected a string");
	}
	return mail_subject_entry(subject, string_of(id), entry);
}

static int entry_read(mail_subject_t *subject, json_t *object, mail_entry_t **entry)
{
	const char *id_name = NULL, *name;
	json_t *value;
	int ret = entry_begin(subject, object, &id_name, entry);
	if (ret != KNOT_EOK) {
		return ret;
	}
	json_object_foreach(object, name, value)
	{
		if (strcmp(name, "kind") == 0 || strcmp(name, id_name) == 0) {
			continue;
		}
		subject->item = MAIL_STR(name);
		if (strcmp(name, "deleted") != 0) {
			ret = add_member(subject, *entry, name, value);
		} else if (json_is_boolean(value)) {
			(*entry)->deleted = json_is_true(value);
		} else {
			ret = mail_subject_error(subject, 0, "expected true or false");
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	subject->item.len = 0;
	return mail_subject_pass(subject, mail_entry_check(*entry, &subject->own));
}

int mail_json_parse(mail_str_t line, mail_entry_t **entry, mail_diag_t *diag)
{
	mail_subject_t subject;
	*entry = NULL;
	if (line.len > 0 && mail_json_quick(line, entry)) {
		return KNOT_EOK;
	}
	mail_subject_begin(&subject, diag);
	json_error_t error;
	json_t *root = json_loadb(line.data != NULL ? line.data : "", line.len,
	                          JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		if (json_error_code(&error) == json_error_out_of_memory) {
			return mail_subject_pass(&subject, KNOT_ENOMEM);
		}
		/* It quotes the input, which may hold anything. */
		for (char *c = error.text; *c != '\0'; c++) {
			*c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
		}
		return mail_subject_error(&subject, error.position > 0 ? (size_t)error.position : 0,
		                          "%s", error.text);
	}
	int ret;
	if (json_is_object(root)) {
		ret = entry_read(&subject, root, entry);
	} else {
		ret = mail_subject_error(&subject, 1,
		                         "expected an object, as {\"kind\":\"domain\",...}");
	}
	json_decref(root);
	if (ret != KNOT_EOK) {
		mail_entry_free(*entry);
		*entry = NULL;
	}
	return ret;
}
