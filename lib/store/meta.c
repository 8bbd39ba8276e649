/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The databases and the metadata of a store; their layout is at the top of value.c. */

#include <lmdb.h>

#include "store/internal.h"

const char *mail_store_db_name(unsigned db)
{
	switch (db) {
	case DB_META: return "meta";
	/* Lightning Stream leaves alone what begins like this. */
	case DB_KEPT: return "_sync_kept";
	case DB_ALIAS: return "_sync_alias";
	case DB_SUMMARY: return "dkim-summary";
	default: return mail_section_name((mail_section_t)db);
	}
}

/*! Open one database; it must have plain keys. \return LMDB's code. */
static int open_database(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
	unsigned have = 0;
	int rc = mdb_dbi_open(txn, name, flags, dbi);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	rc = mdb_dbi_flags(txn, *dbi, &have);
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	return have == 0 ? MDB_SUCCESS : MDB_INCOMPATIBLE;
}

int mail_meta_databases(MDB_txn *txn, unsigned flags, MDB_dbi *dbi, mail_diag_t *diag)
{
	for (unsigned i = 0; i < DB_COUNT; i++) {
		/* meta first: without it nothing here is ours. */
		unsigned db = i == 0 ? DB_META : i;
		db -= i > 0 && i <= DB_META;
		const char *name = mail_store_db_name(db);
		int rc = open_database(txn, name, flags, &dbi[db]);
		if (db >= DB_REQUIRED && (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)) {
			dbi[db] = DBI_MISSING;
			continue;
		}
		if (rc == MDB_NOTFOUND) {
			return mail_store_fail(diag, KNOT_EMALF,
			                       "not a mail store (it has no database '%s')", name);
		}
		if (rc != MDB_SUCCESS) {
			return mail_store_fail(diag, mail_store_code(rc), "database '%s': %s", name,
			                       mdb_strerror(rc));
		}
	}
	return KNOT_EOK;
}

/*! Find a setting of the metadata. */
static int find_setting(MDB_txn *txn, MDB_dbi dbi, const char *name, mail_stored_t *stored)
{
	MDB_val k = { strlen(name), (void *)name }, v;
	int rc = mdb_get(txn, dbi, &k, &v);
	if (rc == MDB_NOTFOUND) {
		return KNOT_EMALF;
	}
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	return mail_stored_read(&v, stored);
}

/*! Read a number of the metadata. */
static int read_number(MDB_txn *txn, MDB_dbi dbi, const char *name, unsigned octets,
                       uint64_t *number, mail_diag_t *diag)
{
	mail_stored_t stored;
	int ret = find_setting(txn, dbi, name, &stored);
	if (ret == KNOT_EOK && (stored.deleted || stored.len != octets)) {
		ret = KNOT_EMALF;
	}
	if (ret != KNOT_EOK) {
		return mail_store_fail(diag, ret, "not a mail store, or damaged (setting '%s')",
		                       name);
	}
	*number = 0;
	for (unsigned i = 0; i < octets; i++) {
		*number = *number << 8 | stored.body[i];
	}
	return KNOT_EOK;
}

int mail_meta_read(MDB_txn *txn, MDB_dbi dbi, mail_meta_t *meta, mail_diag_t *diag)
{
	uint64_t number = 0;
	int ret = read_number(txn, dbi, META_FORMAT, 4, &number, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	meta->format = (uint32_t)number;
	/* Before all else: a newer format may lay out the rest in another way. */
	if (meta->format > MAIL_STORE_FORMAT) {
		return mail_store_fail(
			diag, KNOT_ENOTSUP,
			"format %u of the store is newer than this program knows (%u)",
			meta->format, MAIL_STORE_FORMAT);
	}
	if (meta->format == 0) {
		return mail_store_fail(diag, KNOT_EMALF, "format 0 of the store does not exist");
	}
	ret = read_number(txn, dbi, META_MAP_SIZE, 8, &meta->map_size, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = read_number(txn, dbi, META_REPLICATED, 1, &number, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	meta->replicated = number != 0;
	ret = read_number(txn, dbi, META_VALUES, 4, &number, diag);
	meta->values = (uint32_t)number;
	return ret;
}
