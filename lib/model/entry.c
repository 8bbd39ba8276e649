/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An entry in memory. Members are kept in the order in which they are stored, so that equal entries
 * have equal octets. Arrays double when their count is a power of two; no capacity is kept.
 */
#include "mail/entry.h"
#include "mail/mem.h"

#include "model/internal.h"

/*! Copy octets and end them with NUL, which is not counted. */
static int copy_str(mail_str_t from, mail_str_t *to)
{
	char *copy = mail_malloc(from.len + 1);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	if (from.len > 0) {
		memcpy(copy, from.data, from.len);
	}
	copy[from.len] = '\0';
	*to = (mail_str_t){ copy, from.len };
	return KNOT_EOK;
}

/*! Make room for one more element in an array of count elements. */
static int grow(void **array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0) {
		return KNOT_EOK;
	}
	void *grown = mail_realloc(*array, (count == 0 ? 1 : 2 * count) * size);
	if (grown == NULL) {
		return KNOT_ENOMEM;
	}
	*array = grown;
	return KNOT_EOK;
}

mail_entry_t *mail_entry_new(mail_section_t section, mail_str_t id)
{
	mail_entry_t *entry = mail_calloc(1, sizeof(*entry));
	if (entry == NULL) {
		return NULL;
	}
	entry->section = section;
	if (copy_str(id, &entry->id) != KNOT_EOK) {
		mail_entry_free(entry);
		return NULL;
	}
	return entry;
}

static void clear_member(mail_member_t *member)
{
	for (size_t i = 0; i < member->count; i++) {
		mail_free((char *)member->values[i].text.data);
	}
	mail_free(member->values);
}

void mail_entry_free(mail_entry_t *entry)
{
	if (entry == NULL) {
		return;
	}
	for (size_t i = 0; i < entry->count; i++) {
		clear_member(&entry->members[i]);
	}
	mail_free(entry->members);
	mail_free((char *)entry->id.data);
	mail_free(entry);
}

size_t mail_entry_size(const mail_entry_t *entry)
{
	size_t size = sizeof(*entry) + entry->id.len + entry->count * sizeof(*entry->members);
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		size += member->count * sizeof(*member->values);
		for (size_t j = 0; j < member->count; j++) {
			size += member->values[j].text.len + 1;
		}
	}
	return size;
}

/*! Return the room that grow() has made for a number of elements. */
static size_t room_of(size_t count)
{
	size_t room = 1;
	while (room < count) {
		room *= 2;
	}
	return room;
}

/*! Copy a member. \param copy Out: can be cleared, whatever the result. */
static int member_copy(const mail_member_t *member, mail_member_t *copy)
{
	*copy = *member;
	copy->values = NULL;
	copy->count = 0;
	if (member->count == 0) {
		return KNOT_EOK;
	}
	copy->values = mail_malloc(room_of(member->count) * sizeof(*copy->values));
	if (copy->values == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i < member->count; i++) {
		mail_value_t *value = &copy->values[i];
		value->line = member->values[i].line;
		int ret = copy_str(member->values[i].text, &value->text);
		if (ret != KNOT_EOK) {
			return ret;
		}
		copy->count++;
	}
	return KNOT_EOK;
}

mail_entry_t *mail_entry_copy(const mail_entry_t *entry)
{
	mail_entry_t *copy = mail_entry_new(entry->section, entry->id);
	if (copy == NULL) {
		return NULL;
	}
	copy->deleted = entry->deleted;
	copy->line = entry->line;
	copy->stamp = entry->stamp;
	if (entry->count > 0) {
		copy->members = mail_malloc(room_of(entry->count) * sizeof(*copy->members));
	}
	if (entry->count > 0 && copy->members == NULL) {
		mail_entry_free(copy);
		return NULL;
	}
	while (copy->count < entry->count) {
		const size_t i = copy->count++;
		if (member_copy(&entry->members[i], &copy->members[i]) != KNOT_EOK) {
			mail_entry_free(copy);
			return NULL;
		}
	}
	return copy;
}

/*! The place of a member: its index, or the index at which it would be inserted. */
static size_t member_place(const mail_entry_t *entry, mail_item_id_t item, mail_op_t op,
                           bool *found)
{
	size_t i = 0;
	while (i < entry->count &&
	       (entry->members[i].item->id < item ||
	        (entry->members[i].item->id == item && entry->members[i].op < op))) {
		i++;
	}
	*found = i < entry->count && entry->members[i].item->id == item &&
	         entry->members[i].op == op;
	return i;
}

const mail_member_t *mail_entry_member(const mail_entry_t *entry, mail_item_id_t item, mail_op_t op)
{
	bool found;
	size_t i = member_place(entry, item, op, &found);
	return found ? &entry->members[i] : NULL;
}

mail_str_t mail_entry_value(const mail_entry_t *entry, mail_item_id_t item)
{
	const mail_member_t *member = mail_entry_member(entry, item, MAIL_OP_SET);
	if (member == NULL || member->count == 0) {
		return (mail_str_t){ NULL, 0 };
	}
	return member->values[0].text;
}

bool mail_entry_knows(mail_section_t section, const mail_item_t *item, mail_op_t op)
{
	if ((item->sections & (1u << section)) == 0) {
		return false;
	}
	switch (op) {
	case MAIL_OP_SET: return true;
	case MAIL_OP_ADD:
		/* Only what a policy can hold is inherited; tags merge as they are. */
		return (item->sections & (1u << MAIL_SECTION_POLICY)) != 0 &&
		       (item->flags & MAIL_FLAG_LIST) != 0 && (item->flags & MAIL_FLAG_BYTAG) == 0;
	case MAIL_OP_NONE:
		return (item->flags & MAIL_FLAG_UNSET) != 0 && (item->flags & MAIL_FLAG_NONE) == 0;
	}
	return false;
}

/*! Return whether a member has a value for the tag of another "tag=value". */
static bool has_tag(const mail_member_t *member, mail_str_t value)
{
	const char *sign = memchr(value.data, '=', value.len);
	size_t len = sign != NULL ? (size_t)(sign - value.data) + 1 : value.len;
	for (size_t i = 0; i < member->count; i++) {
		mail_str_t other = member->values[i].text;
		if (other.len >= len && memcmp(other.data, value.data, len) == 0) {
			return true;
		}
	}
	return false;
}

/*! Say why an entry, or its member for it, cannot take a value: KNOT_EOK, KNOT_EINVAL, KNOT_EEXIST, KNOT_ELIMIT. */
static int add_allowed(const mail_entry_t *entry, const mail_item_t *item, mail_op_t op,
                       const mail_member_t *member, mail_str_t value)
{
	if (!mail_entry_knows(entry->section, item, op)) {
		return KNOT_EINVAL;
	}
	mail_op_t other = op == MAIL_OP_SET ? MAIL_OP_NONE : MAIL_OP_SET;
	if (op != MAIL_OP_ADD && mail_entry_member(entry, item->id, other) != NULL) {
		return KNOT_EEXIST;
	}
	if (op == MAIL_OP_NONE) {
		return member == NULL ? KNOT_EOK : KNOT_EEXIST;
	}
	if (value.len == 0) {
		return KNOT_EINVAL;
	}
	if (value.len > MAIL_VALUE_MAX) {
		return KNOT_ELIMIT;
	}
	if (member == NULL) {
		return KNOT_EOK;
	}
	if ((item->flags & MAIL_FLAG_LIST) == 0 ||
	    ((item->flags & MAIL_FLAG_BYTAG) != 0 && has_tag(member, value))) {
		return KNOT_EEXIST;
	}
	return member->count < MAIL_LIST_MAX ? KNOT_EOK : KNOT_ELIMIT;
}

/*! Append a copy of a value to a member. */
static int append_value(mail_member_t *member, mail_str_t value, uint32_t line)
{
	mail_value_t added = { .line = line };
	void *values = member->values;
	int ret = grow(&values, member->count, sizeof(added));
	if (ret != KNOT_EOK) {
		return ret;
	}
	member->values = values;
	ret = copy_str(value, &added.text);
	if (ret == KNOT_EOK) {
		member->values[member->count++] = added;
	}
	return ret;
}

int mail_entry_add(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t value,
                   uint32_t line)
{
	bool found;
	size_t place = member_place(entry, item->id, op, &found);
	int ret = add_allowed(entry, item, op, found ? &entry->members[place] : NULL, value);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (found) {
		return append_value(&entry->members[place], value, line);
	}

	mail_member_t member = { .item = item, .op = op, .line = line };
	if (op != MAIL_OP_NONE) {
		ret = append_value(&member, value, line);
	}
	void *members = entry->members;
	if (ret == KNOT_EOK) {
		ret = grow(&members, entry->count, sizeof(member));
	}
	if (ret != KNOT_EOK) {
		clear_member(&member);
		return ret;
	}
	entry->members = members;
	memmove(&entry->members[place + 1], &entry->members[place],
	        (entry->count - place) * sizeof(member));
	entry->members[place] = member;
	entry->count++;
	return KNOT_EOK;
}

void mail_entry_remove(mail_entry_t *entry, mail_item_id_t item, mail_op_t op)
{
	bool found;
	size_t place = member_place(entry, item, op, &found);
	if (!found) {
		return;
	}
	clear_member(&entry->members[place]);
	entry->count--;
	memmove(&entry->members[place], &entry->members[place + 1],
	        (entry->count - place) * sizeof(*entry->members));
}

bool mail_member_equal(const mail_member_t *a, const mail_member_t *b)
{
	if (a == NULL || b == NULL || a->count != b->count) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (!mail_str_equal(a->values[i].text, b->values[i].text)) {
			return false;
		}
	}
	return true;
}

bool mail_entry_equal(const mail_entry_t *a, const mail_entry_t *b)
{
	if (a->section != b->section || !mail_str_equal(a->id, b->id) || a->deleted != b->deleted ||
	    a->count != b->count) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		const mail_member_t *one = &a->members[i], *other = &b->members[i];
		if (one->item->id != other->item->id || one->op != other->op ||
		    !mail_member_equal(one, other)) {
			return false;
		}
	}
	return true;
}
