/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values
 * ======
 *
 * A value begins with the native header of Lightning Stream (24 octets and its extension blocks),
 * which is not part of what follows. Of a deleted entry nothing follows. Numbers are in network
 * order.
 *
 *   value   = version *member
 *   version = %x01               ; version of this layout
 *   member  = item op count *octets
 *   item    = %x01-FF            ; number of the item (mail_item_id_t in include/mail/item.h)
 *   op      = %x00               ; set: these values replace what is inherited
 *           / %x01               ; add: these values are appended to what is inherited or set
 *           / %x02               ; none: what is inherited is removed; the count is 0
 *   count   = %x00-40            ; number of values: 1 but for lists, 0 only with none
 *
 * Members are sorted by item and, of one item, by op; no item has an op twice, nor both set and
 * none. So equal entries have equal octets, and what a question needs of a domain (items 1 and 2)
 * comes first. After count, each value is, by the type of the item:
 *
 *   TIME            8 octets: seconds since 1970, 0 to 253402300799 (the end of the year 9999)
 *   NUMBER          4 octets, within the bounds of the item
 *   SWITCH          1 octet: 00 off, 01 on
 *   TEXT, NAME, DOMAIN, REF
 *                   2 octets: length, 1 to 8192; then so many octets of UTF-8 without control
 *                   characters
 *   OCTETS          2 octets: length, 1 to 8192; then the octets
 *
 * The domain `example.net` with nothing but `policy: business` is 14 octets:
 *
 *   01  01 00 01  00 08  62 75 73 69 6e 65 73 73
 *   |   |  |  |   |      b  u  s  i  n  e  s  s
 *   |   |  |  |   length
 *   |   |  |  one value
 *   |   |  set
 *   |   policy
 *   version 1
 *
 * A reader refuses a version, an item or a count of a list that it does not know (KNOT_ENOTSUP:
 * newer), and octets that no writer makes (KNOT_EMALF). A new item needs no new version: servers
 * that are older than it refuse the entries that hold it, and no others.
 */
#include "mail/codec.h"

#include <assert.h>

#include "mail/chars.h"
#include "mail/time.h"

/*! Room for a time or a number as text. */
#define SCALAR_TEXT 32

static_assert(MAIL_CODEC_VERSION == 1, "this file writes and reads version 1");

/*! Head of a member. */
typedef struct {
	unsigned item;
	unsigned op;
	unsigned count;
} head_t;

/* Encoding. */

static int encode_number(const mail_item_t *item, mail_str_t text, mail_buf_t *out)
{
	uint32_t number;
	if (!mail_str_number(text, item->max, &number) || number < item->min) {
		return KNOT_EINVAL;
	}
	return mail_buf_u32(out, number);
}

static int encode_value(const mail_item_t *item, mail_str_t text, mail_buf_t *out)
{
	int64_t seconds;
	switch (item->type) {
	case MAIL_TYPE_TIME:
		if (mail_time_parse(text, &seconds, NULL) != KNOT_EOK || seconds < 0 ||
		    seconds > MAIL_TIME_MAX) {
			return KNOT_EINVAL;
		}
		return mail_buf_u64(out, seconds);
	case MAIL_TYPE_NUMBER: return encode_number(item, text, out);
	case MAIL_TYPE_SWITCH:
		if (!mail_str_is(text, "on") && !mail_str_is(text, "off")) {
			return KNOT_EINVAL;
		}
		return mail_buf_u8(out, mail_str_is(text, "on"));
	default: break;
	}
	if (text.len == 0 || text.len > MAIL_VALUE_MAX ||
	    (item->type != MAIL_TYPE_OCTETS && !mail_str_is_text(text, NULL))) {
		return KNOT_EINVAL;
	}
	mail_buf_u16(out, text.len);
	return mail_buf_put(out, text.data, text.len);
}

static int encode_member(const mail_member_t *member, mail_buf_t *out)
{
	if (member->count > MAIL_LIST_MAX) {
		return KNOT_EINVAL;
	}
	mail_buf_u8(out, member->item->id);
	mail_buf_u8(out, member->op);
	mail_buf_u8(out, member->count);
	for (size_t i = 0; i < member->count; i++) {
		int ret = encode_value(member->item, member->values[i].text, out);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return out->error;
}

int mail_codec_encode(const mail_entry_t *entry, mail_buf_t *out)
{
	size_t start = out->len;
	(void)mail_buf_u8(out, MAIL_CODEC_VERSION);
	for (size_t i = 0; i < entry->count; i++) {
		int ret = encode_member(&entry->members[i], out);
		if (ret != KNOT_EOK) {
			out->len = start;
			return ret;
		}
	}
	return out->error;
}

/* Decoding. */

static int read_version(mail_reader_t *r)
{
	uint8_t version = mail_read_u8(r);
	if (r->error != KNOT_EOK || version == 0) {
		return KNOT_EMALF;
	}
	return version <= MAIL_CODEC_VERSION ? KNOT_EOK : KNOT_ENOTSUP;
}

/*!
 * Read the head of a member.
 *
 * \param before  Head of the member before, zeroed before the first: they are sorted.
 */
static int read_head(mail_reader_t *r, const head_t *before, head_t *head)
{
	head->item = mail_read_u8(r);
	head->op = mail_read_u8(r);
	head->count = mail_read_u8(r);
	if (r->error != KNOT_EOK || head->op > MAIL_OP_NONE || head->item < before->item ||
	    (head->item == before->item && head->op <= before->op) || head->item == 0 ||
	    (head->count == 0) != (head->op == MAIL_OP_NONE)) {
		return KNOT_EMALF;
	}
	return head->count <= MAIL_LIST_MAX ? KNOT_EOK : KNOT_ENOTSUP;
}

/*! Read a string in place; empty after an error, which no writer makes. */
static mail_str_t read_str(mail_reader_t *r)
{
	size_t len = mail_read_u16(r);
	const uint8_t *octets = mail_read(r, len);
	if (octets == NULL || len == 0 || len > MAIL_VALUE_MAX) {
		r->error = KNOT_EMALF;
		return (mail_str_t){ NULL, 0 };
	}
	return (mail_str_t){ (const char *)octets, len };
}

static int64_t read_time(mail_reader_t *r)
{
	uint64_t seconds = mail_read_u64(r);
	if (seconds > (uint64_t)MAIL_TIME_MAX) {
		r->error = KNOT_EMALF;
		return 0;
	}
	return seconds;
}

static bool read_switch(mail_reader_t *r)
{
	uint8_t value = mail_read_u8(r);
	if (value > 1) {
		r->error = KNOT_EMALF;
	}
	return value == 1;
}

/*!
 * Read a value as it is in an entry.
 *
 * \param room  A fixed buffer for what is not stored as text.
 */
static mail_str_t read_value(mail_reader_t *r, const mail_item_t *item, mail_buf_t *room)
{
	uint32_t number;
	mail_str_t text;
	room->len = 0;
	switch (item->type) {
	case MAIL_TYPE_TIME: mail_time_print(read_time(r), room); return mail_buf_view(room);
	case MAIL_TYPE_NUMBER:
		number = mail_read_u32(r);
		if (number < item->min || number > item->max) {
			r->error = KNOT_EMALF;
		}
		mail_buf_printf(room, "%u", (unsigned)number);
		return mail_buf_view(room);
	case MAIL_TYPE_SWITCH: return read_switch(r) ? MAIL_STR("on") : MAIL_STR("off");
	case MAIL_TYPE_OCTETS: return read_str(r);
	default:
		text = read_str(r);
		if (!mail_str_is_text(text, NULL)) {
			r->error = KNOT_EMALF;
		}
		return text;
	}
}

/*! Read the values of a member and add them. What the entry cannot take, no writer has made. */
static int decode_member(mail_reader_t *r, const head_t *head, mail_entry_t *entry)
{
	const mail_item_t *item = mail_item_get(head->item);
	if (item == NULL) {
		return KNOT_ENOTSUP;
	}
	uint8_t octets[SCALAR_TEXT];
	mail_buf_t room = MAIL_BUF_FIXED(octets, sizeof(octets));
	int ret = KNOT_EOK;
	if (head->op == MAIL_OP_NONE) {
		ret = mail_entry_add(entry, item, MAIL_OP_NONE, (mail_str_t){ NULL, 0 }, 0);
	}
	for (unsigned i = 0; i < head->count; i++) {
		mail_str_t value = read_value(r, item, &room);
		if (r->error != KNOT_EOK || room.error != KNOT_EOK) {
			return KNOT_EMALF;
		}
		ret = mail_entry_add(entry, item, head->op, value, 0);
		if (ret != KNOT_EOK) {
			break;
		}
	}
	return ret == KNOT_EOK || ret == KNOT_ENOMEM ? ret : KNOT_EMALF;
}

int mail_codec_decode(mail_section_t section, mail_str_t id, const uint8_t *data, size_t len,
                      mail_entry_t **entry)
{
	*entry = NULL;
	mail_reader_t r = MAIL_READER(data, len);
	int ret = read_version(&r);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_entry_t *made = mail_entry_new(section, id);
	if (made == NULL) {
		return KNOT_ENOMEM;
	}
	head_t before = { 0 }, head;
	while (mail_read_left(&r) > 0) {
		ret = read_head(&r, &before, &head);
		if (ret != KNOT_EOK) {
			goto failed;
		}
		ret = decode_member(&r, &head, made);
		if (ret != KNOT_EOK) {
			goto failed;
		}
		before = head;
	}
	*entry = made;
	return KNOT_EOK;
failed:
	mail_entry_free(made);
	return ret;
}

/* Reading in place, for every question. */

/*! Return whether a domain may have a member and still be plain. */
static bool leaves_plain(const head_t *head)
{
	/* Whether such a member is right is seen when all of it is decoded. */
	const bool noted = head->op == MAIL_OP_SET &&
	                   ((head->item == MAIL_ITEM_DS_FROM && head->count == 1) ||
	                    head->item == MAIL_ITEM_TTL_WAS);
	return head->item <= MAIL_ITEM_ALIAS || noted;
}

/*! Read a member of a domain that is plain so far. */
static int read_domain_member(mail_reader_t *r, const head_t *head, mail_domain_t *domain)
{
	if (head->item <= MAIL_ITEM_ALIAS && (head->op != MAIL_OP_SET || head->count != 1)) {
		return KNOT_EMALF;
	}
	switch (head->item) {
	case MAIL_ITEM_POLICY: domain->policy = read_str(r); break;
	case MAIL_ITEM_ALIAS: domain->alias = read_str(r); break;
	case MAIL_ITEM_DS_FROM: domain->ds_from = read_time(r); break;
	default:
		/* What TTLs there were is for writers to know. */
		domain->noted = true;
		for (unsigned i = 0; i < head->count; i++) {
			(void)read_str(r);
		}
	}
	return r->error;
}

int mail_codec_domain(const uint8_t *data, size_t len, mail_domain_t *domain)
{
	memset(domain, 0, sizeof(*domain));
	mail_reader_t r = MAIL_READER(data, len);
	int ret = read_version(&r);
	if (ret != KNOT_EOK) {
		return ret;
	}
	head_t before = { 0 }, head;
	while (mail_read_left(&r) > 0) {
		ret = read_head(&r, &before, &head);
		if (ret != KNOT_EOK || !leaves_plain(&head)) {
			return ret;
		}
		ret = read_domain_member(&r, &head, domain);
		if (ret != KNOT_EOK) {
			return ret;
		}
		before = head;
	}
	domain->plain = true;
	return KNOT_EOK;
}

/*! Read a member of a DKIM key. */
static int read_dkim_member(mail_reader_t *r, unsigned item, mail_dkim_t *dkim)
{
	switch (item) {
	case MAIL_ITEM_PUBLISH: dkim->publish = read_time(r); break;
	case MAIL_ITEM_ACTIVATE: dkim->activate = read_time(r); break;
	case MAIL_ITEM_RETIRE: dkim->retire = read_time(r); break;
	case MAIL_ITEM_REMOVE: dkim->remove = read_time(r); break;
	case MAIL_ITEM_KEY: dkim->key = read_str(r); break;
	case MAIL_ITEM_CNAME: dkim->cname = read_str(r); break;
	case MAIL_ITEM_TAGS:
		dkim->tags = read_str(r);
		if (mail_str_is(dkim->tags, "none")) {
			dkim->tags.len = 0;
		}
		break;
	case MAIL_ITEM_REVOKE: dkim->revoke = read_switch(r); break;
	default: return mail_item_get(item) == NULL ? KNOT_ENOTSUP : KNOT_EMALF;
	}
	return r->error;
}

int mail_codec_dkim(const uint8_t *data, size_t len, mail_dkim_t *dkim)
{
	memset(dkim, 0, sizeof(*dkim));
	dkim->tags = MAIL_STR(MAIL_DKIM_TAGS_DEFAULT);
	dkim->retire = INT64_MAX;
	dkim->remove = INT64_MAX;
	mail_reader_t r = MAIL_READER(data, len);
	int ret = read_version(&r);
	if (ret != KNOT_EOK) {
		return ret;
	}
	head_t before = { 0 }, head;
	while (mail_read_left(&r) > 0) {
		ret = read_head(&r, &before, &head);
		if (ret != KNOT_EOK) {
			return ret;
		}
		/* An item that is not known may have any form. */
		bool known = head.item >= MAIL_ITEM_PUBLISH && head.item <= MAIL_ITEM_REVOKE;
		if (known && (head.op != MAIL_OP_SET || head.count != 1)) {
			return KNOT_EMALF;
		}
		ret = read_dkim_member(&r, head.item, dkim);
		if (ret != KNOT_EOK) {
			return ret;
		}
		before = head;
	}
	return (dkim->key.len == 0) == (dkim->cname.len == 0) ? KNOT_EMALF : KNOT_EOK;
}
