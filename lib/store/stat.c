/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in a store, in numbers. */

#include <lmdb.h>

#include "store/internal.h"

int mail_free_pages(MDB_cursor *cursor, size_t from, mail_free_t *count)
{
	/* As mdb_stat(1) reads it: each value is a number of pages, and the numbers of the pages. */
	MDB_val k, v;
	int rc;
	memset(count, 0, sizeof(*count));
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == MDB_SUCCESS) {
		const size_t *ids = v.mv_data, words = v.mv_size / sizeof(*ids);
		if (words == 0) {
			continue;
		}
		count->pages += ids[0];
		for (size_t i = 1; i <= ids[0] && i < words; i++) {
			count->beyond += ids[i] >= from;
		}
	}
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/*! Count all free pages as of a reading transaction. */
static int free_pages(MDB_txn *txn, mail_free_t *count)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, 0, &cursor);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	rc = mail_free_pages(cursor, 0, count);
	mdb_cursor_close(cursor);
	return rc;
}

/*! The same from a writing transaction, which may not look at the list: as it was before. */
static int free_pages_before(MDB_env *env, mail_free_t *count)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	rc = free_pages(txn, count);
	mdb_txn_abort(txn);
	return rc;
}

int mail_txn_stat(mail_txn_t *txn, mail_store_stat_t *stat)
{
	memset(stat, 0, sizeof(*stat));
	if (!mail_txn_is_active(txn)) {
		return KNOT_EINVAL;
	}
	mail_env_t *env = txn->env;
	mail_meta_t meta;
	int ret = mail_meta_read(txn->mdb, env->dbi[DB_META], &meta, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}

	MDB_envinfo info;
	MDB_stat pages;
	mail_free_t unused;
	int rc = mdb_env_info(env->mdb, &info);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	rc = mdb_env_stat(env->mdb, &pages);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	rc = txn->write ? free_pages_before(env->mdb, &unused) : free_pages(txn->mdb, &unused);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	for (unsigned db = 0; db < MAIL_SECTION_COUNT; db++) {
		MDB_stat one;
		rc = mdb_stat(txn->mdb, env->dbi[db], &one);
		if (rc != MDB_SUCCESS) {
			return mail_store_code(rc);
		}
		stat->entries[db] = one.ms_entries;
	}

	const size_t all = info.me_last_pgno + 1;
	stat->format = meta.format;
	stat->replicated = meta.replicated;
	stat->map_size = info.me_mapsize;
	stat->used = (unused.pages < all ? all - unused.pages : 0) * pages.ms_psize;
	stat->txnid = mdb_txn_id(txn->mdb);
	stat->readers = info.me_numreaders;
	stat->readers_max = info.me_maxreaders;
	return KNOT_EOK;
}

int64_t mail_txn_tombstones(mail_txn_t *txn, mail_section_t section)
{
	MDB_cursor *cursor;
	int64_t count = 0;
	int ret = mail_txn_cursor(txn, section, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		mail_stored_t stored;
		count += mail_stored_read(&v, &stored) == KNOT_EOK && stored.deleted;
	}
	return rc == MDB_NOTFOUND ? count : mail_store_code(rc);
}
