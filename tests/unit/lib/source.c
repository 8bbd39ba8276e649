/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "entries.h"

static array_entry_t *array_find(const array_t *array, mail_section_t section, mail_lf_t key)
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
static array_entry_t *array_beside(const array_t *array, mail_section_t section, mail_lf_t key,
                                   mail_seek_t seek)
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

static int array_get(const mail_source_t *src, mail_section_t section, mail_lf_t key,
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

static void array_domain_read(const array_entry_t *entry, mail_domain_t *domain)
{
	int ret = mail_codec_domain(entry->value.data, entry->value.len, domain);
	if (ret != KNOT_EOK) {
		memset(domain, 0, sizeof(*domain));
		domain->error = ret;
	}
	domain->stamp = entry->stamp;
}

static int array_domain_above(const mail_source_t *src, mail_lf_t name, mail_lf_t *above,
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

static int array_domain_seek(const mail_source_t *src, mail_lf_t name, mail_seek_t seek,
                             mail_lf_storage_t *found, mail_domain_t *domain)
{
	const array_t *array = src->ctx;
	unsigned passed = 0;
	const array_entry_t *entry = array_beside(array, MAIL_SECTION_DOMAIN, name, seek);
	seek = seek == MAIL_SEEK_FROM ? MAIL_SEEK_AFTER : seek;
	while (entry != NULL && entry->deleted && ++passed != src->limit) {
		entry = array_beside(array, MAIL_SECTION_DOMAIN, mail_lf(&entry->key), seek);
	}
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	*found = entry->key;
	if (entry->deleted) {
		return KNOT_ELIMIT;
	}
	if (domain != NULL) {
		array_domain_read(entry, domain);
	}
	return KNOT_EOK;
}

static int array_dkim_read(const array_entry_t *entry, mail_dkim_t *dkim)
{
	int ret = entry->deleted ? KNOT_EOK
	                         : mail_codec_dkim(entry->value.data, entry->value.len, dkim);
	dkim->stamp = entry->stamp;
	dkim->deleted = entry->deleted;
	return ret;
}

static int array_dkim_get(const mail_source_t *src, mail_lf_t key, mail_dkim_t *dkim)
{
	const array_entry_t *entry = array_find(src->ctx, MAIL_SECTION_DKIM, key);
	memset(dkim, 0, sizeof(*dkim));
	if (entry == NULL) {
		return KNOT_ENOENT;
	}
	int ret = array_dkim_read(entry, dkim);
	return ret == KNOT_EOK && entry->deleted ? KNOT_ENOENT : ret;
}

static int array_dkim_seek(const mail_source_t *src, mail_lf_t key, mail_seek_t seek,
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

void array_begin(array_t *array)
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

void array_free(array_t *array)
{
	for (size_t i = 0; i < array->count; i++) {
		mail_buf_free(&array->entries[i].value);
	}
	free(array->entries);
	array->entries = NULL;
	array->count = 0;
}

/*! The place of an entry, new or there already, with a stamp of the running transaction. */
static array_entry_t *array_place(array_t *array, mail_section_t section, mail_str_t id)
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

bool array_put(array_t *array, const char *text)
{
	mail_entries_t entries = { 0 };
	int ret = entries_parse(text, &entries);
	if (ret != KNOT_EOK) {
		return false;
	}
	array->txnid++;
	for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
		const mail_entry_t *entry = entries.entries[i];
		array_entry_t *place = array_place(array, entry->section, entry->id);
		ret = place != NULL ? mail_codec_encode(entry, &place->value) : KNOT_ENOMEM;
	}
	mail_entries_free(&entries);
	return CHECK_OK(ret);
}

/* The place of "SECTION ID". */
static array_entry_t *array_named(array_t *array, const char *entry)
{
	const size_t section = strcspn(entry, " ");
	return array_place(array, mail_section_find((mail_str_t){ entry, section }),
	                   MAIL_STR(entry + section + 1));
}

void array_octets(array_t *array, const char *entry, const void *octets, size_t len)
{
	array->txnid++;
	array_entry_t *place = array_named(array, entry);
	REQUIRE(place != NULL);
	(void)mail_buf_put(&place->value, octets, len);
}

void array_damage(array_t *array, const char *entry)
{
	array_octets(array, entry, "\0", 1);
}

void array_newer(array_t *array, const char *entry)
{
	array_octets(array, entry, "\xff", 1);
}

void array_del(array_t *array, const char *entry)
{
	array->txnid++;
	array_entry_t *place = array_named(array, entry);
	REQUIRE(place != NULL);
	place->deleted = true;
}

void show_rdata(const knot_rrset_t *rrset, uint16_t at, mail_buf_t *out)
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

void show_name(const knot_dname_t *name, mail_buf_t *out)
{
	(void)mail_name_print(name, out);
}

void show_type(uint16_t type, mail_buf_t *out)
{
	char text[32];
	(void)mail_buf_str(out, knot_rrtype_to_string(type, text, sizeof(text)) > 0 ? text : "?");
}

const char *shown(mail_buf_t *buf)
{
	if (mail_buf_u8(buf, 0) != KNOT_EOK) {
		return "no memory";
	}
	buf->len--;
	return (const char *)buf->data;
}
