/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows
 * ====
 *
 * Numbers are in network order, 16 bits, or 32 where it is said.
 *
 *   rows   = flags count *offset *owner
 *   flags  = %x00 / %x01         ; 01: some row is an NS or a DNAME
 *   count                        ; number of owners
 *   offset                       ; 32 bits: of each owner, from the beginning of the rows
 *   owner  = length types count name *row
 *                                ; the name is relative to the domain, in lookup format; owners are in
 *                                ; canonical order (RFC 4034 6.1), the domain itself first
 *   types                        ; 64 bits: bit n says that a row has type n, bit 63 that one has a type above 62
 *   row    = item form type ttl length *octets
 *   item   = %x04 / %x1b / %x1c  ; what it was written as: delegation, txt, record
 *   form                         ; 8 bits: 01 the RDATA is one text, 02 it has holes, 04 for the domain as text,
 *                                ; 08 the TTL was given
 *   ttl                          ; 32 bits; 0 where none was given
 *   octets                       ; RDATA, or operations of lib/dns/rdata.c
 *
 * Rows of an owner are in the order of their types, and of one type as they were written. A record outside of the
 * domain has no row: nobody is answered with it.
 */
#include "config.h"

#include <stdlib.h>

#include "mail/mem.h"
#include "mail/rows.h"
#include "record/literal.h"

enum {
	FORM_TEXT = 1 << 0,
	FORM_HOLES = 1 << 1,
	FORM_SPELT = 1 << 2,
	FORM_TTL = 1 << 3,
	FORM_ALL = FORM_TEXT | FORM_HOLES | FORM_SPELT | FORM_TTL,
};

#define FLAG_CUTS 0x01
/*! Greatest number of rows: three items, each with values that are set and added. */
#define ROWS_MAX (6 * MAIL_LIST_MAX)
/*! Rows that need no allocation while they are written. */
#define FEW 8
/*! Flags and count. */
#define HEAD_LEN 3
#define OFFSET_LEN 4
/*! Length of the name, types and count. */
#define OWNER_HEAD_LEN 12
/*! All of a row but its octets. */
#define ROW_HEAD_LEN 10

/* Writing. */

/*! A row and where it belongs. */
typedef struct {
	mail_lf_storage_t owner;
	size_t order;
	mail_stored_row_t row;
} written_t;

typedef struct {
	const mail_entry_t *entry;
	written_t *rows;
	size_t count, max;
	const written_t **sorted;
	/* Of most domains, without an allocation. */
	written_t few[FEW];
	const written_t *few_sorted[FEW];
} writing_t;

/*! Find where an owner stands in the domain. \return KNOT_EOK; KNOT_ENOENT: outside of it. */
static int owner_place(const writing_t *writing, mail_pattern_t *owner, mail_lf_storage_t *lf)
{
	knot_dname_storage_t name, apex_name;
	mail_lf_storage_t apex, at;
	const bool absolute = !owner->hole;
	if (owner->hole && owner->tail_len > 0) {
		return KNOT_EINVAL;
	}
	owner->hole = false;
	int ret = mail_pattern_name(owner, NULL, name);
	if (ret != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	if (!absolute) {
		mail_name_lf(name, lf);
		return KNOT_EOK;
	}
	if (mail_name_parse(writing->entry->id, apex_name, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	mail_name_lf(name, &at);
	mail_name_lf(apex_name, &apex);
	if (!mail_lf_in(mail_lf(&at), mail_lf(&apex))) {
		return KNOT_ENOENT;
	}
	mail_lf_copy(mail_lf_relative(mail_lf(&at), mail_lf(&apex)), lf);
	return KNOT_EOK;
}

/*! Render one value. */
static int value_render(const writing_t *writing, mail_item_id_t item, mail_str_t text,
                        written_t *written)
{
	mail_stored_row_t *row = &written->row;
	mail_record_t record;
	if (item == MAIL_ITEM_TXT) {
		written->owner.len = 0;
		row->type = KNOT_RRTYPE_TXT;
		return mail_rdata_text(&row->rdata, text);
	}
	int ret = mail_record_parse(text, item == MAIL_ITEM_DELEGATION, &record, &row->rdata, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	row->type = record.type;
	row->has_ttl = record.has_ttl;
	row->ttl = record.has_ttl ? record.ttl : 0;
	return owner_place(writing, &record.owner, &written->owner);
}

static int value_add(writing_t *writing, mail_item_id_t item, mail_str_t text)
{
	if (writing->count == writing->max) {
		const size_t max = 2 * writing->max;
		const bool first = writing->rows == writing->few;
		written_t *grown = mail_realloc(first ? NULL : writing->rows, max * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		if (first) {
			memcpy(grown, writing->few, sizeof(writing->few));
		}
		writing->rows = grown;
		writing->max = max;
	}
	written_t *written = &writing->rows[writing->count];
	memset(&written->row, 0, sizeof(written->row));
	written->order = writing->count;
	written->row.item = item;
	int ret = value_render(writing, item, text, written);
	if (ret == KNOT_EOK) {
		ret = written->row.rdata.ops.error;
	}
	if (ret != KNOT_EOK) {
		mail_rdata_free(&written->row.rdata);
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	writing->count++;
	return KNOT_EOK;
}

static int written_compare(const void *a_ptr, const void *b_ptr)
{
	const written_t *a = *(const written_t *const *)a_ptr;
	const written_t *b = *(const written_t *const *)b_ptr;
	const int diff = mail_lf_compare(mail_lf(&a->owner), mail_lf(&b->owner));
	if (diff != 0) {
		return diff;
	}
	if (a->row.type != b->row.type) {
		return a->row.type < b->row.type ? -1 : 1;
	}
	return a->order < b->order ? -1 : 1;
}

/*! Put the rows in their order. */
static int rows_sort(writing_t *writing)
{
	writing->sorted = writing->few_sorted;
	if (writing->count > FEW) {
		writing->sorted = mail_malloc(writing->count * sizeof(*writing->sorted));
	}
	if (writing->sorted == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i < writing->count; i++) {
		writing->sorted[i] = &writing->rows[i];
	}
	if (writing->count > 1) {
		qsort(writing->sorted, writing->count, sizeof(*writing->sorted), written_compare);
	}
	return KNOT_EOK;
}

/*! Return the number of rows from the first on that have its owner. */
static size_t owner_rows(const writing_t *writing, size_t first)
{
	size_t end = first + 1;
	while (end < writing->count && mail_lf_equal(mail_lf(&writing->sorted[first]->owner),
	                                             mail_lf(&writing->sorted[end]->owner))) {
		end++;
	}
	return end - first;
}

static void row_put(const mail_stored_row_t *row, mail_buf_t *out)
{
	unsigned form = row->has_ttl ? FORM_TTL : 0;
	form |= row->rdata.text ? FORM_TEXT : 0;
	form |= row->rdata.holes ? FORM_HOLES : 0;
	form |= row->rdata.spelt ? FORM_SPELT : 0;
	(void)mail_buf_u8(out, row->item);
	(void)mail_buf_u8(out, (uint8_t)form);
	(void)mail_buf_u16(out, row->type);
	(void)mail_buf_u32(out, row->ttl);
	(void)mail_buf_u16(out, (uint16_t)row->rdata.ops.len);
	(void)mail_buf_put(out, row->rdata.ops.data, row->rdata.ops.len);
}

static void owner_put(const writing_t *writing, size_t first, size_t count, mail_buf_t *out)
{
	const mail_lf_t name = mail_lf(&writing->sorted[first]->owner);
	uint64_t types = 0;
	for (size_t i = first; i < first + count; i++) {
		types |= mail_type_bit(writing->sorted[i]->row.type);
	}
	(void)mail_buf_u16(out, (uint16_t)name.len);
	(void)mail_buf_u64(out, types);
	(void)mail_buf_u16(out, (uint16_t)count);
	(void)mail_buf_put(out, name.data, name.len);
	for (size_t i = first; i < first + count; i++) {
		row_put(&writing->sorted[i]->row, out);
	}
}

/*! Return the octets that owner_put() writes. */
static size_t owner_len(const writing_t *writing, size_t first, size_t count)
{
	size_t len = OWNER_HEAD_LEN + writing->sorted[first]->owner.len;
	for (size_t i = first; i < first + count; i++) {
		len += ROW_HEAD_LEN + writing->sorted[i]->row.rdata.ops.len;
	}
	return len;
}

static int rows_put(const writing_t *writing, mail_buf_t *out)
{
	size_t owners = 0;
	unsigned flags = 0;
	for (size_t i = 0; i < writing->count; i += owner_rows(writing, i)) {
		owners++;
	}
	for (size_t i = 0; i < writing->count; i++) {
		const mail_stored_row_t *row = &writing->sorted[i]->row;
		if (row->type == KNOT_RRTYPE_NS || row->type == KNOT_RRTYPE_DNAME) {
			flags = FLAG_CUTS;
		}
		if (row->rdata.ops.len > UINT16_MAX) {
			return KNOT_EINVAL;
		}
	}
	(void)mail_buf_u8(out, (uint8_t)flags);
	(void)mail_buf_u16(out, (uint16_t)owners);
	size_t at = HEAD_LEN + OFFSET_LEN * owners;
	for (size_t i = 0; i < writing->count; i += owner_rows(writing, i)) {
		(void)mail_buf_u32(out, (uint32_t)at);
		at += owner_len(writing, i, owner_rows(writing, i));
	}
	for (size_t i = 0; i < writing->count; i += owner_rows(writing, i)) {
		owner_put(writing, i, owner_rows(writing, i), out);
	}
	return out->error;
}

/*! Add the values of an item: what is set, then what is added, as they are merged. */
static int item_add(writing_t *writing, mail_item_id_t item)
{
	static const mail_op_t order[] = { MAIL_OP_SET, MAIL_OP_ADD };
	for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
		const mail_member_t *member = mail_entry_member(writing->entry, item, order[o]);
		for (size_t i = 0; member != NULL && i < member->count; i++) {
			int ret = value_add(writing, item, member->values[i].text);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

int mail_rows_encode(const mail_entry_t *entry, mail_buf_t *out)
{
	static const mail_item_id_t items[] = { MAIL_ITEM_TXT, MAIL_ITEM_RECORD,
		                                MAIL_ITEM_DELEGATION };
	writing_t writing;
	writing.entry = entry;
	writing.rows = writing.few;
	writing.sorted = NULL;
	writing.count = 0;
	writing.max = FEW;
	int ret = KNOT_EOK;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		ret = item_add(&writing, items[i]);
		if (ret != KNOT_EOK) {
			goto done;
		}
	}
	ret = rows_sort(&writing);
	if (ret == KNOT_EOK) {
		ret = rows_put(&writing, out);
	}
done:
	for (size_t i = 0; i < writing.count; i++) {
		mail_rdata_free(&writing.rows[i].row.rdata);
	}
	if (writing.rows != writing.few) {
		mail_free(writing.rows);
	}
	if (writing.sorted != writing.few_sorted) {
		mail_free(writing.sorted);
	}
	return ret;
}

/* Reading. */

int mail_rows_read(const uint8_t *data, size_t len, mail_rows_t *rows)
{
	mail_reader_t r = MAIL_READER(data, len);
	const uint8_t flags = mail_read_u8(&r);
	const size_t count = mail_read_u16(&r);
	if (r.error != KNOT_EOK || flags > FLAG_CUTS || mail_read_left(&r) < count * OFFSET_LEN) {
		return KNOT_EMALF;
	}
	*rows = (mail_rows_t){ data, len, count, flags != 0 };
	return KNOT_EOK;
}

/*! Read the name of the index-th owner. \return false: it is damaged. For every question, so not number by number. */
static inline bool owner_name(const mail_rows_t *rows, size_t index, mail_lf_t *name)
{
	const uint32_t offset = knot_wire_read_u32(rows->data + HEAD_LEN + index * OFFSET_LEN);
	if (offset > rows->len || rows->len - offset < OWNER_HEAD_LEN) {
		return false;
	}
	const uint8_t *head = rows->data + offset;
	*name = (mail_lf_t){ head + OWNER_HEAD_LEN, knot_wire_read_u16(head) };
	return name->len <= rows->len - offset - OWNER_HEAD_LEN && name->len <= MAIL_LF_MAX;
}

int mail_rows_owner(const mail_rows_t *rows, size_t index, mail_stored_owner_t *owner)
{
	if (!owner_name(rows, index, &owner->name)) {
		return KNOT_EMALF;
	}
	const uint8_t *head = owner->name.data - OWNER_HEAD_LEN;
	const uint8_t *body = owner->name.data + owner->name.len;
	owner->types = knot_wire_read_u64(head + 2);
	owner->count = knot_wire_read_u16(head + 10);
	owner->reader = MAIL_READER(body, (size_t)(rows->data + rows->len - body));
	return owner->count <= ROWS_MAX ? KNOT_EOK : KNOT_EMALF;
}

int mail_rows_next(mail_stored_owner_t *owner, mail_stored_row_t *row)
{
	if (owner->count == 0) {
		return KNOT_ENOENT;
	}
	owner->count--;
	mail_reader_t *r = &owner->reader;
	row->item = mail_read_u8(r);
	const unsigned form = mail_read_u8(r);
	row->type = mail_read_u16(r);
	row->has_ttl = (form & FORM_TTL) != 0;
	row->ttl = mail_read_u32(r);
	const size_t len = mail_read_u16(r);
	const uint8_t *octets = mail_read(r, len);
	row->rdata = (mail_rdata_t){
		.ops = { .data = (uint8_t *)octets, .len = len, .cap = len, .fixed = true },
		.text = (form & FORM_TEXT) != 0,
		.holes = (form & FORM_HOLES) != 0,
		.spelt = (form & FORM_SPELT) != 0,
	};
	const bool literal = row->item < 64 && (MAIL_ROWS_ITEMS >> row->item & 1) != 0;
	return r->error == KNOT_EOK && literal && form <= FORM_ALL && row->type != 0 ? KNOT_EOK
	                                                                             : KNOT_EMALF;
}

int mail_rows_find(const mail_rows_t *rows, mail_lf_t name, size_t *at, mail_stored_owner_t *owner)
{
	size_t low = 0, high = rows->count;
	mail_lf_t there;
	*at = 0;
	if (high == 0) {
		return KNOT_ENOENT;
	}
	/* The domain itself, which most questions are for, is the first of all. */
	if (!owner_name(rows, 0, &there)) {
		return KNOT_EMALF;
	}
	if (name.len == 0) {
		return there.len == 0 ? mail_rows_owner(rows, 0, owner) : KNOT_ENOENT;
	}
	low = there.len == 0;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (!owner_name(rows, middle, &there)) {
			return KNOT_EMALF;
		}
		const int diff = mail_lf_compare(there, name);
		if (diff == 0) {
			*at = middle;
			return mail_rows_owner(rows, middle, owner);
		}
		if (diff < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*at = low;
	return KNOT_ENOENT;
}
