/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's transaction as the source of the model: the hot path of every question. */

#include <lmdb.h>

#include "store_env.h"

static mail_txn_t *txn_of(const mail_source_t *source)
{
	return source->ctx;
}

static int source_get(const mail_source_t *source, mail_section_t section, const uint8_t *key,
                      size_t len, mail_entry_t **entry, mail_stamp_t *stamp)
{
	mail_txn_t *txn = txn_of(source);
	if (entry != NULL) {
		*entry = NULL;
	}
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn, section, key, len, &stored);
	if (stamp != NULL) {
		*stamp = stored.stamp;
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (stored.deleted) {
		return KNOT_ENOENT;
	}
	if (entry == NULL) {
		return KNOT_EOK;
	}
	txn->id.len = 0;
	txn->id.error = KNOT_EOK;
	ret = mail_entry_id_from_key(section, key, len, &txn->id);
	if (ret == KNOT_EOK) {
		ret = mail_codec_decode(section, mail_buf_view(&txn->id), stored.body, stored.len,
		                        entry);
	}
	if (ret != KNOT_EOK) {
		*entry = NULL;
		return ret;
	}
	(*entry)->stamp = stored.stamp;
	return KNOT_EOK;
}

/*! Reads a domain's value; a tombstone is KNOT_ENOENT. */
static int read_domain(const MDB_val *v, mail_domain_t *domain)
{
	mail_stored_t stored;
	int ret = mail_stored_read(v, &stored);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (stored.deleted) {
		return KNOT_ENOENT;
	}
	ret = mail_codec_domain(stored.body, stored.len, domain);
	domain->stamp = stored.stamp;
	return ret;
}

/*! Moves a cursor to the greatest key that is not greater than a key. */
static int seek_at_most(MDB_cursor *cursor, const uint8_t *key, size_t len, MDB_val *k, MDB_val *v)
{
	*k = (MDB_val){ len, (void *)key };
	int rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND) {
		return mdb_cursor_get(cursor, k, v, MDB_LAST);
	}
	if (rc == MDB_SUCCESS && (k->mv_size != len || memcmp(k->mv_data, key, len) != 0)) {
		return mdb_cursor_get(cursor, k, v, MDB_PREV);
	}
	return rc;
}

/*! Length of the labels that two keys have in common, as octets of the key. */
static size_t common_labels(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t most = a_len < b_len ? a_len : b_len;
	size_t n = 0;
	size_t end = 0;
	for (; n < most && a[n] == b[n]; n++) {
		if (a[n] == 0) {
			end = n;
		}
	}
	bool a_ends = n == a_len || a[n] == 0;
	bool b_ends = n == b_len || b[n] == 0;
	return a_ends && b_ends ? n : end;
}

static int source_domain_above(const mail_source_t *source, const uint8_t *key, size_t len,
                               mail_domain_t *domain)
{
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn_of(source), MAIL_SECTION_DOMAIN, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/*
	 * The greatest key at or before the name lies below every stored domain above the name, because a
	 * domain and all below it are contiguous. So what both have in common bounds the match: it is that,
	 * or something shorter. Each round drops a label at least, so there are 127 at most.
	 */
	while (len > 0) {
		MDB_val k, v;
		int rc = seek_at_most(cursor, key, len, &k, &v);
		if (rc != MDB_SUCCESS) {
			return mail_store_code(rc);
		}
		size_t common = common_labels(key, len, k.mv_data, k.mv_size);
		if (common == k.mv_size) {
			ret = read_domain(&v, domain);
			if (ret != KNOT_ENOENT) {
				return ret == KNOT_EOK ? (int)common : ret;
			}
			common = mail_key_parent(key, common);
		}
		len = common;
	}
	return KNOT_ENOENT;
}

/*! Positions a cursor at the first key greater than (or, with from, equal to) a key. */
static int seek_next(MDB_cursor *cursor, const uint8_t *key, size_t len, bool from, MDB_val *k,
                     MDB_val *v)
{
	if (len == 0) {
		return mdb_cursor_get(cursor, k, v, MDB_FIRST);
	}
	*k = (MDB_val){ len, (void *)key };
	int rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	if (rc == MDB_SUCCESS && !from && k->mv_size == len && memcmp(k->mv_data, key, len) == 0) {
		rc = mdb_cursor_get(cursor, k, v, MDB_NEXT);
	}
	return rc;
}

static int source_domain_next(const mail_source_t *source, const uint8_t *key, size_t len,
                              bool from, uint8_t *next, mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, MAIL_SECTION_DOMAIN, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	unsigned skipped = 0;
	int rc = seek_next(cursor, key, len, from, &k, &v);
	for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (k.mv_size > MAIL_KEY_MAX) {
			continue;
		}
		ret = read_domain(&v, domain);
		if (ret != KNOT_ENOENT) {
			memcpy(next, k.mv_data, k.mv_size);
			return ret == KNOT_EOK ? (int)k.mv_size : ret;
		}
		if (++skipped == txn->tombstone_limit) {
			return KNOT_ELIMIT;
		}
	}
	return mail_store_code(rc);
}

static int source_dkim_get(const mail_source_t *source, const uint8_t *key, size_t len,
                           mail_dkim_t *dkim)
{
	memset(dkim, 0, sizeof(*dkim));
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn_of(source), MAIL_SECTION_DKIM, key, len, &stored);
	if (ret == KNOT_EOK && stored.deleted) {
		ret = KNOT_ENOENT;
	} else if (ret == KNOT_EOK) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	dkim->stamp = stored.stamp;
	return ret;
}

static int source_dkim_next(const mail_source_t *source, const uint8_t *key, size_t len, bool from,
                            uint8_t *next, mail_dkim_t *dkim, bool *deleted)
{
	memset(dkim, 0, sizeof(*dkim));
	*deleted = false;
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn_of(source), MAIL_SECTION_DKIM, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	int rc = seek_next(cursor, key, len, from, &k, &v);
	while (rc == MDB_SUCCESS && k.mv_size > MAIL_KEY_MAX) {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	memcpy(next, k.mv_data, k.mv_size);
	mail_stored_t stored;
	ret = mail_stored_read(&v, &stored);
	if (ret == KNOT_EOK && !stored.deleted) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	dkim->stamp = stored.stamp;
	*deleted = stored.deleted;
	return ret == KNOT_EOK ? (int)k.mv_size : ret;
}

void mail_source_init(mail_source_t *source, mail_txn_t *txn)
{
	*source = (mail_source_t){
		.get = source_get,
		.domain_above = source_domain_above,
		.domain_next = source_domain_next,
		.dkim_get = source_dkim_get,
		.dkim_next = source_dkim_next,
		.ctx = txn,
	};
}
