/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines that imports have by the million:
 *
 *     line   = "{" kind "," id *( "," member ) "}"
 *     kind   = %s"\"kind\":" string
 *     id     = ( %s"\"name\":" / %s"\"id\":" ) string    ; the name of a domain, the id of any other
 *     member = string ":" ( string / list / tags / %s"true" / %s"false" )
 *     list   = "[" string *( "," string ) "]"
 *     tags   = "{" string ":" string *( "," string ":" string ) "}"
 *     string = %x22 *( %x20-21 / %x23-5B / %x5D-7E ) %x22
 *
 * What is read here is read as json.c reads it, but whatever is unusual, wrong or risky is left to that.
 */
#include "dialect/json_quick.h"

#include "mail/chars.h"
#include "mail/text.h"

typedef struct {
	const char *at, *end;
	mail_entry_t *entry;
	bool told;        /*!< There is something to say. */
	uint64_t seen[2]; /*!< Items that were set and added to, a bit each. */
} quick_t;

static void note_told(void *ctx, const char *text)
{
	(void)text;
	*(bool *)ctx = true;
}

static bool take(quick_t *q, const char *literal)
{
	const size_t len = strlen(literal);
	if ((size_t)(q->end - q->at) < len || memcmp(q->at, literal, len) != 0) {
		return false;
	}
	q->at += len;
	return true;
}

/*! Take a string that needs no unescaping. */
static bool string_take(quick_t *q, mail_str_t *text)
{
	const char *from = q->at;
	if (from == q->end || *from != '"') {
		return false;
	}
	from++;
	const char *to = memchr(from, '"', (size_t)(q->end - from));
	if (to == NULL) {
		return false;
	}
	*text = (mail_str_t){ from, (size_t)(to - from) };
	q->at = to + 1;
	return mail_str_plain(*text, 0) == text->len && memchr(from, '\\', text->len) == NULL;
}

/*! Add a value about which there is nothing to say. */
static bool value_add(quick_t *q, const mail_item_t *item, mail_op_t op, mail_str_t text)
{
	mail_diag_t diag = { .warn = note_told, .warn_ctx = &q->told };
	return mail_entry_parse(q->entry, item, op, text, 0, &diag) == KNOT_EOK && !q->told;
}

static bool string_add(quick_t *q, const mail_item_t *item, mail_op_t op)
{
	mail_str_t text;
	return string_take(q, &text) && !mail_text_names_file(q->entry->section, item, text) &&
	       value_add(q, item, op, text);
}

static bool list_add(quick_t *q, const mail_item_t *item, mail_op_t op)
{
	do {
		if (!string_add(q, item, op)) {
			return false;
		}
	} while (take(q, ","));
	return (item->flags & MAIL_FLAG_LIST) != 0 && take(q, "]");
}

static bool tags_add(quick_t *q, const mail_item_t *item)
{
	do {
		mail_str_t tag, value;
		char text[512];
		mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
		if (!string_take(q, &tag) || !take(q, ":") || !string_take(q, &value) ||
		    tag.len == 0 || memchr(tag.data, '=', tag.len) != NULL ||
		    mail_buf_printf(&buf, "%.*s=%.*s", (int)tag.len, tag.data, (int)value.len,
		                    value.data) != KNOT_EOK ||
		    !value_add(q, item, MAIL_OP_SET, mail_buf_view(&buf))) {
			return false;
		}
	} while (take(q, ","));
	return take(q, "}");
}

static bool member_add(quick_t *q)
{
	mail_str_t name;
	if (!string_take(q, &name) || !take(q, ":")) {
		return false;
	}
	const mail_op_t op = mail_str_starts(name, "+") ? MAIL_OP_ADD : MAIL_OP_SET;
	const mail_item_t *item = mail_item_find(q->entry->section,
	                                         mail_str_from(name, op == MAIL_OP_ADD ? 1 : 0));
	if (item == NULL || item->type == MAIL_TYPE_NUMBER) {
		return false;
	}
	const uint64_t bit = UINT64_C(1) << item->id % 64;
	uint64_t *seen = &q->seen[op == MAIL_OP_ADD];
	if ((*seen & bit) != 0) {
		return false; /* Perhaps a member that is there twice. */
	}
	*seen |= bit;
	if (item->type == MAIL_TYPE_SWITCH) {
		return take(q, "true")
		               ? value_add(q, item, op, MAIL_STR("on"))
		               : take(q, "false") && value_add(q, item, op, MAIL_STR("off"));
	}
	if ((item->flags & MAIL_FLAG_BYTAG) != 0) {
		return op == MAIL_OP_SET && take(q, "{") && tags_add(q, item);
	}
	return take(q, "[") ? list_add(q, item, op) : string_add(q, item, op);
}

/*! Read the id, and make the entry. */
static bool entry_begin(quick_t *q)
{
	uint8_t room[2 * KNOT_DNAME_TXT_MAXLEN];
	mail_buf_t id = MAIL_BUF_FIXED(room, sizeof(room));
	mail_str_t kind, name;
	if (!take(q, "{\"kind\":") || !string_take(q, &kind)) {
		return false;
	}
	const mail_section_t section = mail_section_find(kind);
	if (section >= MAIL_SECTION_COUNT ||
	    !take(q, section == MAIL_SECTION_DOMAIN ? ",\"name\":" : ",\"id\":") ||
	    !string_take(q, &name) ||
	    mail_entry_id_normalise(section, name, &id, NULL) != KNOT_EOK) {
		return false;
	}
	q->entry = mail_entry_new(section, mail_buf_view(&id));
	return q->entry != NULL;
}

static bool entry_read(quick_t *q)
{
	mail_diag_t diag = { .warn = note_told, .warn_ctx = &q->told };
	if (!entry_begin(q)) {
		return false;
	}
	while (take(q, ",")) {
		if (!member_add(q)) {
			return false;
		}
	}
	if (!take(q, "}") || (q->at != q->end && (*q->at != '\n' || q->at + 1 != q->end))) {
		return false;
	}
	return mail_entry_check(q->entry, &diag) == KNOT_EOK && !q->told;
}

bool mail_json_quick(mail_str_t line, mail_entry_t **entry)
{
	quick_t q = { .at = line.data, .end = line.data + line.len };
	if (!entry_read(&q)) {
		mail_entry_free(q.entry);
		return false;
	}
	*entry = q.entry;
	return true;
}
