/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A source of entries in an array, filled from the dialect, for tests of what stands above the store.
 *
 * Values are kept as the store keeps them, so the model reads the same octets in the same way; they can be
 * damaged, and deleted ones stay as tombstones. Every array_put() is a transaction of its own, one second
 * after the last.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/plan.h"
#include "mail/text.h"
#include "unit.h"

/*! Second of the stamps before the first transaction: 2023-11-14T22:13:20Z. */
#define ARRAY_EPOCH 1700000000

/*! The second at which most tests look: 2027-01-15T08:00:00Z. */
#define NOW 1800000000

/*! A stored entry. */
typedef struct {
	mail_section_t section;
	uint8_t key[MAIL_KEY_MAX];
	size_t key_len;
	mail_buf_t value; /*!< As mail_codec_encode() writes it. */
	mail_stamp_t stamp;
	bool deleted;
} array_entry_t;

/*! Entries in no order. */
typedef struct {
	mail_source_t source;
	array_entry_t *entries;
	size_t count;
	uint64_t txnid;
	size_t reads;   /*!< Whole entries that were read. */
	unsigned limit; /*!< As mail_txn_limit(). */
} array_t;

static inline int array_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t common = a_len < b_len ? a_len : b_len;
	int diff = common > 0 ? memcmp(a, b, common) : 0;
	return diff != 0 ? diff : (a_len > b_len) - (a_len < b_len);
}

static inline array_entry_t *array_find(const array_t *array, mail_section_t section,
                                        const uint8_t *key, size_t len)
{
	for (size_t i = 0; i < array->count; i++) {
		array_entry_t *entry = &array->entries[i];
		if (entry->section == section &&
		    array_compare(entry->key, entry->key_len, key, len) == 0) {
			return entry;
		}
	}
	return NULL;
}

/*! The first entry after a key, or (sign -1) the last before it; with `from`, also the one at it. */
static inline array_entry_t *array_beside(const array_t *array, mail_section_t section,
                                          const uint8_t *key, size_t len, bool from, int sign)
{
	array_entry_t *nearest = NULL;
	for (size_t i = 0; i < array->count; i++) {
		array_entry_t *entry = &array->entries[i];
		int order = array_compare(entry->key, entry->key_len, key, len) * sign;
		if (entry->section != section || order < 0 || (order == 0 && !from)) {
			continue;
		}
		if (nearest == NULL ||
		    array_compare(entry->key, entry->key_len, nearest->key, nearest->key_len) *
		                    sign <
		            0) {
			nearest = entry;
		}
	}
	return nearest;
}

static inline int array_get(const mail_source_t *src, mail_section_t section, const uint8_t *key,
                            size_t len, mail_entry_t **out, mail_stamp_t *stamp)
{
	array_t *array = src->ctx;
	const array_entry_t *entry = array_find(array, section, key, len);
	if (out != NULL) {
		*out = NULL;
	}
	if (stamp != NULL) {
		*stamp = entry != NULL ? entry->stamp : (mail_stamp_t){ 0 };
	}
	if (entry == NULL || entry->deleted) {
		return KNOT_ENOENT;
	}
	if (out == NULL) {
		return KNOT_EOK;
	}
	mail_buf_t id = { 0 };
	int ret = mail_entry_id_from_key(section, key, len, &id);
	if (ret == KNOT_EOK) {
		ret = mail_codec_decode(section, mail_buf_view(&id), entry->value.data,
		                        entry->value.len, out);
	}
	mail_buf_free(&id);
	if (ret == KNOT_EOK) {
		(*out)->stamp = entry->stamp;
		array->reads++;
	}
	return ret;
}

static inline int array_domain_read(const array_entry_t *entry, mail_domain_t *domain)
{
	int ret = mail_codec_domain(entry->value.data, entry->value.len, domain);
	if (ret != KNOT_EOK) {
		memset(domain, 0, sizeof(*domain));
		domain->error = ret;
	}
	domain->stamp = entry->stamp;
	return (int)entry->key_len;
}

/*! The live domain nearest to a key on one side, past tombstones. */
static inline int array_domain_beside(const array_t *array, const uint8_t *key, size_t len,
                                      bool from, int sign, uint8_t *found, mail_domain_t *domain)
{
	unsigned passed = 0;
	const array_entry_t *entry = array_beside(array, MAIL_SECTION_DOMAIN, key, len, from, sign);
	while (entry != NULL && entry->deleted && ++passed != array->limit) {
		entry = array_beside(array, MAIL_SECTION_DOMAIN, entry->key, entry->key_len, false,
		                     sign);
	}
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	memmove(found, entry->key, entry->key_len);
	if (entry->deleted) {
		*domain = (mail_domain_t){ .passed = entry->key_len };
		return KNOT_ELIMIT;
	}
	return array_domain_read(entry, domain);
}

static inline int array_domain_above(const mail_source_t *src, const uint8_t *key, size_t len,
                                     mail_domain_t *domain)
{
	for (; len > 0; len = mail_key_parent(key, len)) {
		const array_entry_t *entry = array_find(src->ctx, MAIL_SECTION_DOMAIN, key, len);
		if (entry != NULL && !entry->deleted) {
			return array_domain_read(entry, domain);
		}
	}
	return KNOT_ENOENT;
}

static inline int array_domain_next(const mail_source_t *src, const uint8_t *key, size_t len,
                                    bool from, uint8_t *next, mail_domain_t *domain)
{
	return array_domain_beside(src->ctx, key, len, from, 1, next, domain);
}

static inline int array_domain_prev(const mail_source_t *src, const uint8_t *key, size_t len,
                                    uint8_t *prev, mail_domain_t *domain)
{
	return array_domain_beside(src->ctx, key, len, false, -1, prev, domain);
}

static inline int array_dkim_read(const array_entry_t *entry, mail_dkim_t *dkim)
{
	int ret = entry->deleted ? KNOT_EOK
	                         : mail_codec_dkim(entry->value.data, entry->value.len, dkim);
	dkim->stamp = entry->stamp;
	return ret;
}

/*! The DKIM key nearest to a key on one side, tombstones and damaged ones included. */
static inline int array_dkim_beside(const array_entry_t *entry, uint8_t *found, mail_dkim_t *dkim,
                                    bool *deleted)
{
	memset(dkim, 0, sizeof(*dkim));
	*deleted = false;
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	memmove(found, entry->key, entry->key_len);
	*deleted = entry->deleted;
	int ret = array_dkim_read(entry, dkim);
	if (ret != KNOT_EOK) {
		*dkim = (mail_dkim_t){ .error = ret, .stamp = entry->stamp };
	}
	return (int)entry->key_len;
}

static inline int array_dkim_get(const mail_source_t *src, const uint8_t *key, size_t len,
                                 mail_dkim_t *dkim)
{
	const array_entry_t *entry = array_find(src->ctx, MAIL_SECTION_DKIM, key, len);
	memset(dkim, 0, sizeof(*dkim));
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	int ret = array_dkim_read(entry, dkim);
	return ret == KNOT_EOK && entry->deleted ? KNOT_ENOENT : ret;
}

static inline int array_dkim_next(const mail_source_t *src, const uint8_t *key, size_t len,
                                  bool from, uint8_t *next, mail_dkim_t *dkim, bool *deleted)
{
	return array_dkim_beside(array_beside(src->ctx, MAIL_SECTION_DKIM, key, len, from, 1), next,
	                         dkim, deleted);
}

static inline int array_dkim_prev(const mail_source_t *src, const uint8_t *key, size_t len,
                                  uint8_t *prev, mail_dkim_t *dkim, bool *deleted)
{
	return array_dkim_beside(array_beside(src->ctx, MAIL_SECTION_DKIM, key, len, false, -1),
	                         prev, dkim, deleted);
}

/*! Makes an empty array. It must not move while its source is used. */
static inline void array_begin(array_t *array)
{
	*array = (array_t){
		.source = {
			.get = array_get,
			.domain_above = array_domain_above,
			.domain_next = array_domain_next,
			.domain_prev = array_domain_prev,
			.dkim_get = array_dkim_get,
			.dkim_next = array_dkim_next,
			.dkim_prev = array_dkim_prev,
			.ctx = array,
		},
	};
}

static inline void array_free(array_t *array)
{
	for (size_t i = 0; i < array->count; i++) {
		mail_buf_free(&array->entries[i].value);
	}
	free(array->entries);
	array->entries = NULL;
	array->count = 0;
}

/*! The place of an entry, new or there already, with a stamp of the running transaction. */
static inline array_entry_t *array_place(array_t *array, mail_section_t section, mail_str_t id)
{
	uint8_t key[MAIL_KEY_MAX];
	int len = mail_entry_key(section, id, key);
	if (len < 0) {
		return NULL;
	}
	array_entry_t *entry = array_find(array, section, key, (size_t)len);
	if (entry == NULL) {
		array_entry_t *grown = realloc(array->entries, (array->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			return NULL;
		}
		array->entries = grown;
		entry = &grown[array->count++];
		*entry = (array_entry_t){ .section = section, .key_len = (size_t)len };
		memcpy(entry->key, key, (size_t)len);
	}
	entry->deleted = false;
	entry->value.len = 0;
	entry->stamp.txnid = array->txnid;
	entry->stamp.timestamp = (ARRAY_EPOCH + array->txnid) * 1000000000;
	return entry;
}

/*! Adds entries, or puts them in the place of those with the same ids. \param text In the dialect. */
static inline bool array_put(array_t *array, const char *text)
{
	mail_entries_t entries = { 0 };
	mail_diag_t diag = { 0 };
	int ret = mail_text_parse(MAIL_STR(text), NULL, NULL, &entries, &diag);
	if (!UNIT_CHECK(ret == KNOT_EOK, "line %u: %s", diag.line, diag.text)) {
		return false;
	}
	array->txnid++;
	for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
		const mail_entry_t *entry = entries.entries[i];
		array_entry_t *place = array_place(array, entry->section, entry->id);
		ret = place != NULL ? mail_codec_encode(entry, &place->value) : KNOT_ENOMEM;
	}
	mail_entries_free(&entries);
	return UNIT_CHECK(ret == KNOT_EOK, "%d", ret);
}

/*! Stores octets that no writer may have written. */
static inline void array_octets(array_t *array, mail_section_t section, const char *id,
                                const void *octets, size_t len)
{
	array->txnid++;
	array_entry_t *place = array_place(array, section, MAIL_STR(id));
	CU_ASSERT_PTR_NOT_NULL_FATAL(place);
	(void)mail_buf_put(&place->value, octets, len);
}

/*! Damages an entry: its version is one that never was. */
static inline void array_damage(array_t *array, mail_section_t section, const char *id)
{
	array_octets(array, section, id, "\0", 1);
}

/*! Makes an entry one of a newer format. */
static inline void array_newer(array_t *array, mail_section_t section, const char *id)
{
	array_octets(array, section, id, "\xff", 1);
}

/*! Deletes an entry, which leaves a tombstone. */
static inline void array_del(array_t *array, mail_section_t section, const char *id)
{
	array->txnid++;
	array_entry_t *place = array_place(array, section, MAIL_STR(id));
	CU_ASSERT_PTR_NOT_NULL_FATAL(place);
	place->deleted = true;
}

/*! Appends the RDATA of a record as text, `"` as `'`, so that cases in C read well. */
static inline void show_rdata(const knot_rrset_t *rrset, uint16_t at, mail_buf_t *out)
{
	static char text[70000];
	int ret = knot_rrset_txt_dump_data(rrset, at, text, sizeof(text), &KNOT_DUMP_STYLE_DEFAULT);
	if (ret < 0) {
		(void)mail_buf_printf(out, "RDATA cannot be shown: %d", ret);
		return;
	}
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '"' ? '\'' : *c;
	}
	/* Some types end with a blank in some versions of libknot. */
	while (ret > 0 && text[ret - 1] == ' ') {
		text[--ret] = '\0';
	}
	(void)mail_buf_str(out, text);
}

/*! Appends a name as text, without the dot at its end. */
static inline void show_name(const knot_dname_t *name, mail_buf_t *out)
{
	(void)mail_name_print(name, out);
}

/*! Appends a type. */
static inline void show_type(uint16_t type, mail_buf_t *out)
{
	char text[32];
	(void)mail_buf_str(out, knot_rrtype_to_string(type, text, sizeof(text)) > 0 ? text : "?");
}

/*! What a buffer holds as a terminated string, valid until it grows. */
static inline const char *shown(mail_buf_t *buf)
{
	if (mail_buf_u8(buf, 0) != KNOT_EOK) {
		return "no memory";
	}
	buf->len--;
	return (const char *)buf->data;
}

/*! Asserts that a buffer holds a text; frees it. */
static inline bool shown_is(mail_buf_t *buf, const char *expected, const char *what, size_t i)
{
	const char *text = shown(buf);
	bool same = strcmp(text, expected) == 0;
	if (!same) {
		/* CUnit keeps only what is short. */
		printf("\n%s %zu: expected\n%s\ngot\n%s\n", what, i, expected, text);
	}
	CU_assertImplementation(same, __LINE__, what, __FILE__, "", CU_FALSE);
	mail_buf_free(buf);
	return same;
}
