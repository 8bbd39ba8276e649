/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values
 * ======
 *
 * A value begins with the native header of Lightning Stream (24 octets and its extension blocks),
 * which is not part of what follows. Of a deleted entry nothing follows. Numbers are in network
 * order.
 *
 *   value   = %x01 *member
 *           / %x02 set added length rows *member
 *                                ; only of a domain that has record, txt or delegation
 *   set                          ; 64 bits: bit n says that it has item n with op set or none
 *   added                        ; 64 bits: bit n says that it has item n with op add
 *   length                       ; 32 bits: octets of the rows
 *   rows                         ; its literal records, rendered: lib/model/rows.c
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
 * The rows of version 2 say nothing that the members do not say. A question finds its name in them in place, and is
 * spared the rendering. A writer writes version 2 only where all readers of the store know it (`values`,
 * lib/store/value.c).
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

static_assert(MAIL_CODEC_VERSION == 2, "this file writes and reads versions 1 and 2");

/*! The version with rows. */
#define VERSION_ROWS 2

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

/*! Note an item by what is done with it. */
static void item_note(unsigned item, unsigned op, uint64_t *set, uint64_t *added)
{
	if (item < MAIL_CODEC_ITEMS) {
		*(op == MAIL_OP_ADD ? added : set) |= UINT64_C(1) << item;
	}
}

/*! Collect the items of an entry, as bits. */
static void items_of(const mail_entry_t *entry, uint64_t *set, uint64_t *added)
{
	*set = *added = 0;
	for (size_t i = 0; i < entry->count; i++) {
		item_note(entry->members[i].item->id, entry->members[i].op, set, added);
	}
}

/*! Write what stands before the members. Values that cannot be rendered are left to their readers. */
static int encode_head(const mail_entry_t *entry, unsigned version, mail_buf_t *out)
{
	const size_t start = out->len;
	uint64_t set, added;
	items_of(entry, &set, &added);
	if (version >= VERSION_ROWS && entry->section == MAIL_SECTION_DOMAIN &&
	    ((set | added) & MAIL_ROWS_ITEMS) != 0 && out->error == KNOT_EOK) {
		(void)mail_buf_u8(out, VERSION_ROWS);
		(void)mail_buf_u64(out, set);
		(void)mail_buf_u64(out, added);
		(void)mail_buf_u32(out, 0);
		const size_t rows = out->len;
		int ret = mail_rows_encode(entry, out);
		if (ret == KNOT_EOK) {
			knot_wire_write_u32(out->data + rows - 4, (uint32_t)(out->len - rows));
		}
		if (ret == KNOT_EOK || ret == KNOT_ENOMEM || out->error != KNOT_EOK) {
			return ret;
		}
		out->len = start;
	}
	return mail_buf_u8(out, 1);
}

int mail_codec_encode_as(const mail_entry_t *entry, unsigned version, mail_buf_t *out)
{
	size_t start = out->len;
	int ret = encode_head(entry, version, out);
	for (size_t i = 0; i < entry->count; i++) {
		if (ret != KNOT_EOK) {
			break;
		}
		ret = encode_member(&entry->members[i], out);
	}
	if (ret != KNOT_EOK) {
		out->len = start;
		return ret;
	}
	return out->error;
}

int mail_codec_encode(const mail_entry_t *entry, mail_buf_t *out)
{
	return mail_codec_encode_as(entry, MAIL_CODEC_VERSION, out);
}

/* Decoding. */

/*! What stands before the members of a domain. */
typedef struct {
	bool known; /*!< It says which items there are. */
	uint64_t set, added;
	mail_rows_t rows;
} summary_t;

static int read_summary(mail_reader_t *r, summary_t *summary)
{
	summary->set = mail_read_u64(r);
	summary->added = mail_read_u64(r);
	const size_t len = mail_read_u32(r);
	const uint8_t *rows = mail_read(r, len);
	summary->known = true;
	return r->error == KNOT_EOK ? mail_rows_read(rows, len, &summary->rows) : KNOT_EMALF;
}

/*! Read what stands before the members. \param summary Out: NULL: there can be none. */
static int read_version(mail_reader_t *r, summary_t *summary)
{
	uint8_t version = mail_read_u8(r);
	if (r->error != KNOT_EOK || version == 0) {
		return KNOT_EMALF;
	}
	if (version == VERSION_ROWS && summary != NULL) {
		return read_summary(r, summary);
	}
	return version == 1 ? KNOT_EOK : KNOT_ENOTSUP;
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

/*! Pass over a value of an item. */
static void skip_value(mail_reader_t *r, const mail_item_t *item)
{
	switch (item->type) {
	case MAIL_TYPE_TIME: (void)mail_read_u64(r); break;
	case MAIL_TYPE_NUMBER: (void)mail_read_u32(r); break;
	case MAIL_TYPE_SWITCH: (void)mail_read_u8(r); break;
	default: (void)read_str(r);
	}
}

/*! Pass over a member. */
static int skip_member(mail_reader_t *r, const head_t *head)
{
	const mail_item_t *item = mail_item_get(head->item);
	if (item == NULL) {
		return KNOT_ENOTSUP;
	}
	for (unsigned i = 0; i < head->count; i++) {
		skip_value(r, item);
	}
	return r->error;
}

/*! Return whether an item is one of a row of bits. */
static bool is_wanted(uint64_t items, unsigned item)
{
	return item >= MAIL_CODEC_ITEMS || (items >> item & 1) != 0;
}

int mail_codec_decode_items(mail_section_t section, mail_str_t id, mail_str_t value, uint64_t items,
                            mail_entry_t **entry)
{
	*entry = NULL;
	mail_reader_t r = MAIL_READER((const uint8_t *)value.data, value.len);
	summary_t summary = { 0 };
	int ret = read_version(&r, section == MAIL_SECTION_DOMAIN ? &summary : NULL);
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
		ret = is_wanted(items, head.item) ? decode_member(&r, &head, made)
		                                  : skip_member(&r, &head);
		if (ret != KNOT_EOK) {
			goto failed;
		}
		before = head;
	}
	if (summary.known && items == UINT64_MAX) {
		uint64_t set, added;
		items_of(made, &set, &added);
		ret = set == summary.set && added == summary.added ? KNOT_EOK : KNOT_EMALF;
	}
	if (ret != KNOT_EOK) {
		goto failed;
	}
	*entry = made;
	return KNOT_EOK;
failed:
	mail_entry_free(made);
	return ret;
}

int mail_codec_decode(mail_section_t section, mail_str_t id, const uint8_t *data, size_t len,
                      mail_entry_t **entry)
{
	const mail_str_t value = { (const char *)data, len };
	return mail_codec_decode_items(section, id, value, UINT64_MAX, entry);
}

/* Reading in place, for every question. */

/*! Read a member of a domain. */
static int read_domain_member(mail_reader_t *r, const head_t *head, mail_domain_t *domain)
{
	const bool kept = head->op == MAIL_OP_SET && head->item == MAIL_ITEM_DS_FROM;
	if ((head->item <= MAIL_ITEM_ALIAS || kept) &&
	    (head->op != MAIL_OP_SET || head->count != 1)) {
		return KNOT_EMALF;
	}
	switch (head->item) {
	case MAIL_ITEM_POLICY: domain->policy = read_str(r); return r->error;
	case MAIL_ITEM_ALIAS: domain->alias = read_str(r); return r->error;
	case MAIL_ITEM_DS_FROM: domain->ds_from = read_time(r); return r->error;
	case MAIL_ITEM_TTL_WAS: domain->noted = true; break;
	default: item_note(head->item, head->op, &domain->set, &domain->added); break;
	}
	return skip_member(r, head);
}

int mail_codec_domain(const uint8_t *data, size_t len, mail_domain_t *domain)
{
	memset(domain, 0, sizeof(*domain));
	mail_reader_t r = MAIL_READER(data, len);
	summary_t summary = { 0 };
	int ret = read_version(&r, &summary);
	if (ret != KNOT_EOK) {
		return ret;
	}
	domain->value = (mail_str_t){ (const char *)data, len };
	domain->rows = summary.rows;
	head_t before = { 0 }, head;
	while (mail_read_left(&r) > 0) {
		ret = read_head(&r, &before, &head);
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (summary.known && head.item > MAIL_ITEM_TTL_WAS) {
			break; /* What follows is known. */
		}
		ret = read_domain_member(&r, &head, domain);
		if (ret != KNOT_EOK) {
			return ret;
		}
		before = head;
	}
	if (summary.known) {
		const uint64_t items = ~MAIL_CODEC_UNSEEN;
		if (((summary.set | summary.added) & ~MAIL_CODEC_KNOWN) != 0) {
			return KNOT_ENOTSUP;
		}
		domain->set = summary.set & items;
		domain->added = summary.added & items;
	}
	domain->plain = (domain->set | domain->added) == 0;
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
	int ret = read_version(&r, NULL);
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
