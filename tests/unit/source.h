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
	mail_lf_storage_t key;
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

static inline array_entry_t *array_find(const array_t *array, mail_section_t section, mail_lf_t key)
{
	for (size_t i = 0; i < array->count; i++) {
		array_entry_t *entry = &array->entries[i];
		if (entry->section == section && mail_lf_equal(mail_lf(&entry->key), key)) {
			return entry;
		}
	}
	return NULL;
}

/*! The entry of a section that is next to a key. */
static inline array_entry_t *array_beside(const array_t *array, mail_section_t section,
                                          mail_lf_t key, mail_seek_t seek)
{
	const int sign = seek == MAIL_SEEK_BEFORE ? -1 : 1;
	array_entry_t *nearest = NULL;
	for (size_t i = 0; i < array->count; i++) {
		array_entry_t *entry = &array->entries[i];
		const int order = mail_lf_compare(mail_lf(&entry->key), key) * sign;
		if (entry->section != section || order < 0 ||
		    (order == 0 && seek != MAIL_SEEK_FROM)) {
			continue;
		}
		if (nearest == NULL ||
		    mail_lf_compare(mail_lf(&entry->key), mail_lf(&nearest->key)) * sign < 0) {
			nearest = entry;
		}
	}
	return nearest;
}

static inline int array_get(const mail_source_t *src, mail_section_t section, mail_lf_t key,
                            mail_entry_t **out, mail_stamp_t *stamp)
{
	array_t *array = src->ctx;
	const array_entry_t *entry = array_find(array, section, key);
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
	int ret = mail_entry_id_from_key(section, key, &id);
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

static inline void array_domain_read(const array_entry_t *entry, mail_domain_t *domain)
{
	int ret = mail_codec_domain(entry->value.data, entry->value.len, domain);
	if (ret != KNOT_EOK) {
		memset(domain, 0, sizeof(*domain));
		domain->error = ret;
	}
	domain->stamp = entry->stamp;
}

static inline int array_domain_above(const mail_source_t *src, mail_lf_t name, mail_lf_t *above,
                                     mail_domain_t *domain)
{
	for (; name.len > 0; name = mail_lf_parent(name)) {
		const array_entry_t *entry = array_find(src->ctx, MAIL_SECTION_DOMAIN, name);
		if (entry != NULL && !entry->deleted) {
			array_domain_read(entry, domain);
			*above = name;
			return KNOT_EOK;
		}
	}
	return KNOT_ENOENT;
}

static inline int array_domain_seek(const mail_source_t *src, mail_lf_t name, mail_seek_t seek,
                                    mail_lf_storage_t *found, mail_domain_t *domain)
{
	const array_t *array = src->ctx;
	unsigned passed = 0;
	const array_entry_t *entry = array_beside(array, MAIL_SECTION_DOMAIN, name, seek);
	seek = seek == MAIL_SEEK_FROM ? MAIL_SEEK_AFTER : seek;
	while (entry != NULL && entry->deleted && ++passed != array->limit) {
		entry = array_beside(array, MAIL_SECTION_DOMAIN, mail_lf(&entry->key), seek);
	}
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	*found = entry->key;
	if (entry->deleted) {
		return KNOT_ELIMIT;
	}
	array_domain_read(entry, domain);
	return KNOT_EOK;
}

static inline int array_dkim_read(const array_entry_t *entry, mail_dkim_t *dkim)
{
	int ret = entry->deleted ? KNOT_EOK
	                         : mail_codec_dkim(entry->value.data, entry->value.len, dkim);
	dkim->stamp = entry->stamp;
	dkim->deleted = entry->deleted;
	return ret;
}

static inline int array_dkim_get(const mail_source_t *src, mail_lf_t key, mail_dkim_t *dkim)
{
	const array_entry_t *entry = array_find(src->ctx, MAIL_SECTION_DKIM, key);
	memset(dkim, 0, sizeof(*dkim));
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	int ret = array_dkim_read(entry, dkim);
	return ret == KNOT_EOK && entry->deleted ? KNOT_ENOENT : ret;
}

static inline int array_dkim_seek(const mail_source_t *src, mail_lf_t key, mail_seek_t seek,
                                  mail_lf_storage_t *found, mail_dkim_t *dkim)
{
	const array_entry_t *entry = array_beside(src->ctx, MAIL_SECTION_DKIM, key, seek);
	memset(dkim, 0, sizeof(*dkim));
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	*found = entry->key;
	int ret = array_dkim_read(entry, dkim);
	if (ret != KNOT_EOK) {
		*dkim = (mail_dkim_t){ .error = ret, .stamp = entry->stamp };
	}
	return KNOT_EOK;
}

/*! Makes an empty array. It must not move while its source is used. */
static inline void array_begin(array_t *array)
{
	*array = (array_t){
		.source = {
			.get = array_get,
			.domain_above = array_domain_above,
			.domain_seek = array_domain_seek,
			.dkim_get = array_dkim_get,
			.dkim_seek = array_dkim_seek,
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
	mail_lf_storage_t key;
	if (mail_entry_key(section, id, &key) != KNOT_EOK) {
		return NULL;
	}
	array_entry_t *entry = array_find(array, section, mail_lf(&key));
	if (entry == NULL) {
		array_entry_t *grown = realloc(array->entries, (array->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			return NULL;
		}
		array->entries = grown;
		entry = &grown[array->count++];
		*entry = (array_entry_t){ .section = section, .key = key };
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
