/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's format, version 1 (MAIL_STORE_FORMAT).
 *
 * One LMDB environment; named databases, all with plain keys (no DUPSORT, no INTEGERKEY, no REVERSEKEY):
 *
 *   database     key                                              value
 *   host         id                                               header, entry
 *   certificate  id                                               header, entry
 *   policy       id                                               header, entry
 *   dkim         SELECTOR._domainkey.DOMAIN in lookup format, or  header, entry
 *                00, policy id, 00, selector in lookup format
 *   domain       name in lookup format (mail/name.h)              header, entry
 *   key-set      id                                               header, entry
 *   meta         the name of a setting, see below                 header, setting
 *
 * Keys have 1 to 511 octets. "entry" is laid out as lib/model/codec.c says.
 *
 * The header is the native one of Lightning Stream, numbers in network order:
 *
 *   octets  what
 *   8       timestamp of the last change, nanoseconds since 1970: max(now, the old one + 1)
 *   8       id of the LMDB transaction that wrote it
 *   1       version, 0
 *   1       flags: 0x01 deleted; the others are not ours and mean nothing here
 *   4       reserved, written 0, not read
 *   2       number n of extension blocks
 *   8 n     extension blocks, skipped
 *
 * A deleted entry of a replicated store is a tombstone: flag 0x01 and nothing behind the header. In a store
 * that is not replicated it is gone, and so that a serial never goes back, the entry that owned it (the
 * domain or policy of a DKIM key) gets a new timestamp.
 *
 * meta, all of them required:
 *
 *   format      32 bits: MAIL_STORE_FORMAT. Written last by init. A reader refuses a higher one.
 *   map-size    64 bits: octets
 *   replicated  8 bits: 1 or 0
 *   values      32 bits: the newest version of lib/model/codec.c's layout that all readers of the store
 *               know; a writer writes no newer one.
 *
 * What init writes has the timestamp 1, so that a copy initialised later overrides nothing when copies
 * are merged.
 */

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <lmdb.h>

#include "store/internal.h"

int mail_store_code(int rc)
{
	static const struct {
		int from, to;
	} codes[] = {
		{ MDB_SUCCESS, KNOT_EOK },
		{ MDB_NOTFOUND, KNOT_ENOENT },
		{ MDB_KEYEXIST, KNOT_EEXIST },
		{ MDB_MAP_FULL, KNOT_ESPACE },
		{ MDB_TXN_FULL, KNOT_ESPACE },
		{ ENOSPC, KNOT_ESPACE },
		{ EDQUOT, KNOT_ESPACE },
		{ EFBIG, KNOT_ESPACE },
		{ MDB_PAGE_NOTFOUND, KNOT_EMALF },
		{ MDB_CORRUPTED, KNOT_EMALF },
		{ MDB_INVALID, KNOT_EMALF },
		{ MDB_INCOMPATIBLE, KNOT_EMALF },
		{ MDB_VERSION_MISMATCH, KNOT_ENOTSUP },
		{ MDB_READERS_FULL, KNOT_ELIMIT },
		{ MDB_DBS_FULL, KNOT_ELIMIT },
		{ MDB_MAP_RESIZED, KNOT_EAGAIN },
		{ MDB_BAD_VALSIZE, KNOT_EINVAL },
		{ MDB_BAD_TXN, KNOT_EINVAL },
		{ MDB_BAD_DBI, KNOT_EINVAL },
		{ MDB_BAD_RSLOT, KNOT_EINVAL },
		{ ENOENT, KNOT_ENOENT },
		{ ENOTDIR, KNOT_ENOTDIR },
		{ EEXIST, KNOT_EEXIST },
		{ EACCES, KNOT_EACCES },
		{ EPERM, KNOT_EACCES },
		{ EROFS, KNOT_EACCES },
		{ ENOMEM, KNOT_ENOMEM },
		{ EAGAIN, KNOT_EAGAIN },
		{ EBUSY, KNOT_EBUSY },
		{ EMFILE, KNOT_EMFILE },
		{ ENFILE, KNOT_ENFILE },
		{ EINVAL, KNOT_EINVAL },
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].from == rc) {
			return codes[i].to;
		}
	}
	/* EIO, MDB_PANIC and whatever else: the machine has a problem, not the data. */
	return KNOT_ESYSTEM;
}

int mail_store_fail(mail_diag_t *diag, int code, const char *fmt, ...)
{
	char text[sizeof(diag->text)];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)mail_diag_error(diag, 0, "%s", text);
	return code;
}

int mail_stored_read(const MDB_val *value, mail_stored_t *stored)
{
	memset(stored, 0, sizeof(*stored));
	if (value->mv_size < HEADER_LEN) {
		return KNOT_EMALF;
	}
	/* Every question reads some: so once checked, not octet by octet. */
	const uint8_t *header = value->mv_data;
	if (header[HEADER_VERSION_AT] != HEADER_VERSION) {
		return KNOT_ENOTSUP;
	}
	uint64_t timestamp, txnid;
	uint16_t blocks;
	memcpy(&timestamp, header, sizeof(timestamp));
	memcpy(&txnid, header + sizeof(timestamp), sizeof(txnid));
	memcpy(&blocks, header + HEADER_BLOCKS_AT, sizeof(blocks));
	const size_t len = HEADER_LEN + (size_t)be16toh(blocks) * HEADER_BLOCK;
	/* A timestamp of 0 says "does not exist" above, so no writer uses it. */
	if (value->mv_size < len || timestamp == 0) {
		return KNOT_EMALF;
	}
	stored->stamp.timestamp = be64toh(timestamp);
	stored->stamp.txnid = be64toh(txnid);
	stored->deleted = (header[HEADER_FLAGS_AT] & HEADER_DELETED) != 0;
	stored->body = header + len;
	stored->len = value->mv_size - len;
	return KNOT_EOK;
}

int mail_txn_cursor(mail_txn_t *txn, unsigned db, MDB_cursor **cursor)
{
	if (txn->mdb == NULL || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return KNOT_EINVAL;
	}
	*cursor = txn->cursors[db];
	if (*cursor != NULL && txn->cursor_generation[db] == txn->generation) {
		return KNOT_EOK;
	}
	int rc = *cursor != NULL ? mdb_cursor_renew(txn->mdb, *cursor)
	                         : mdb_cursor_open(txn->mdb, txn->env->dbi[db], cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	txn->cursors[db] = *cursor;
	txn->cursor_generation[db] = txn->generation;
	return KNOT_EOK;
}

int mail_txn_lookup(mail_txn_t *txn, unsigned db, mail_lf_t key, mail_stored_t *stored)
{
	memset(stored, 0, sizeof(*stored));
	if (key.len == 0) {
		return KNOT_ENOENT;
	}
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, db, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k = { key.len, (void *)key.data }, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	return mail_stored_read(&v, stored);
}

int mail_txn_fail(mail_txn_t *txn, int rc)
{
	int ret = mail_store_code(rc);
	if (txn->error == KNOT_EOK) {
		txn->error = ret;
	}
	return ret;
}

int mail_txn_get(mail_txn_t *txn, mail_section_t section, mail_str_t id, mail_entry_t **entry)
{
	*entry = NULL;
	mail_lf_storage_t key;
	int ret = mail_entry_key(section, id, &key);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return txn->source.get(&txn->source, section, mail_lf(&key), entry, NULL);
}

/*! Positions a cursor at the first key after a key, or the first of all. */
static int seek_after(MDB_cursor *cursor, mail_lf_t key, MDB_val *k, MDB_val *v)
{
	if (key.len == 0) {
		return mdb_cursor_get(cursor, k, v, MDB_FIRST);
	}
	*k = (MDB_val){ key.len, (void *)key.data };
	int rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	if (rc == MDB_SUCCESS && mail_lf_equal((mail_lf_t){ k->mv_data, k->mv_size }, key)) {
		rc = mdb_cursor_get(cursor, k, v, MDB_NEXT);
	}
	return rc;
}

int mail_txn_next(mail_txn_t *txn, mail_section_t section, mail_lf_storage_t *key,
                  mail_entry_t **entry)
{
	if (entry != NULL) {
		*entry = NULL;
	}
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, section, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	int rc = seek_after(cursor, mail_lf(key), &k, &v);
	for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (k.mv_size > MAIL_LF_MAX) {
			/* Of an LMDB built with longer keys: no entry of ours can be reached by it. */
			continue;
		}
		mail_stored_t stored;
		ret = mail_stored_read(&v, &stored);
		if (ret == KNOT_EOK && stored.deleted) {
			continue;
		}
		mail_lf_copy((mail_lf_t){ k.mv_data, k.mv_size }, key);
		if (ret != KNOT_EOK || entry == NULL) {
			return ret;
		}
		return txn->source.get(&txn->source, section, mail_lf(key), entry, NULL);
	}
	return mail_store_code(rc);
}

int mail_txn_stamps(mail_txn_t *txn, mail_section_t section, mail_stamp_f each, void *ctx)
{
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, section, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (k.mv_size > MAIL_LF_MAX) {
			continue;
		}
		mail_stored_t stored;
		ret = mail_stored_read(&v, &stored);
		if (ret == KNOT_EOK && stored.deleted) {
			continue;
		}
		if (ret != KNOT_EOK) {
			stored.stamp = (mail_stamp_t){ 0 };
		}
		ret = each((mail_lf_t){ k.mv_data, k.mv_size }, &stored.stamp, ctx);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return rc == MDB_NOTFOUND ? KNOT_EOK : mail_store_code(rc);
}

/*! Pages on the free list: those of dbi 0, each value led by its count. */
static int free_pages(MDB_txn *txn, size_t *pages)
{
	*pages = 0;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, 0, &cursor);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	MDB_val k, v;
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == MDB_SUCCESS) {
		size_t count = 0;
		if (v.mv_size >= sizeof(count)) {
			memcpy(&count, v.mv_data, sizeof(count));
		}
		*pages += count;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/*! The same from a writing transaction, which may not look at the list: as it was before. */
static int free_pages_before(MDB_env *env, size_t *pages)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc == MDB_SUCCESS) {
		rc = free_pages(txn, pages);
		mdb_txn_abort(txn);
	}
	return rc;
}

int mail_txn_stat(mail_txn_t *txn, mail_store_stat_t *stat)
{
	memset(stat, 0, sizeof(*stat));
	if (txn->mdb == NULL || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return KNOT_EINVAL;
	}
	mail_meta_t meta;
	int ret = mail_meta_read(txn->mdb, txn->env->dbi[DB_META], &meta, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_envinfo info;
	MDB_stat pages;
	size_t free_count;
	int rc = mdb_env_info(txn->env->mdb, &info);
	if (rc == MDB_SUCCESS) {
		rc = mdb_env_stat(txn->env->mdb, &pages);
	}
	if (rc == MDB_SUCCESS) {
		rc = txn->write ? free_pages_before(txn->env->mdb, &free_count)
		                : free_pages(txn->mdb, &free_count);
	}
	for (unsigned db = 0; rc == MDB_SUCCESS && db < MAIL_SECTION_COUNT; db++) {
		MDB_stat one;
		rc = mdb_stat(txn->mdb, txn->env->dbi[db], &one);
		stat->entries[db] = rc == MDB_SUCCESS ? one.ms_entries : 0;
	}
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	size_t all = info.me_last_pgno + 1;
	stat->format = meta.format;
	stat->replicated = meta.replicated;
	stat->map_size = info.me_mapsize;
	stat->used = (free_count < all ? all - free_count : 0) * pages.ms_psize;
	stat->txnid = mdb_txn_id(txn->mdb);
	stat->readers = info.me_numreaders;
	stat->readers_max = info.me_maxreaders;
	return KNOT_EOK;
}
