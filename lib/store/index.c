/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Indexes: databases that say in another order what the entries say, so that a writer finds it without a walk over all of
 * them.  Nobody who answers needs one.  A writer keeps them in the transaction of the change.
 *
 *   database     key                                                value
 *   _sync_alias  target of an alias, then the alias: two wire       empty
 *                names in lower case
 *   _sync_kept   name of an index                                   64 bits: id of the transaction that kept it last
 *
 * Others write into the store, too: what replicates it, a kmailctl that is older than an index.  They do not know of it,
 * and their commit makes a newer transaction than the one that _sync_kept tells.  So an index is good as long as that is
 * the one before this one; otherwise it is made anew when somebody needs it.  A compact copy has new numbers, and so
 * loses its indexes in the same way.
 *
 * An index may say more than is true, since it cannot be told what a damaged value said: whoever reads it looks the
 * entry up.  It never lacks anything.
 */

#include <assert.h>
#include <endian.h>
#include <string.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Octets of a row of _sync_alias: within the 511 of a key. */
#define ALIAS_ROW_MAX (2 * KNOT_DNAME_MAXLEN)
static_assert(ALIAS_ROW_MAX <= MAIL_LF_MAX, "a row is a key");

/*! Function that keeps an index when a value is written. \param old, new  NULL: there is none; deleted: a tombstone. */
typedef int (*note_f)(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *old,
                      const mail_stored_t *new);
/*! Function that looks for a value in an index. \return KNOT_EOK; KNOT_ENOENT: it is not in there; another error. */
typedef int (*look_f)(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored);

static int alias_note(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *old,
                      const mail_stored_t *new);
static int alias_look(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored);

/*! The indexes. */
static const struct {
	unsigned db;
	mail_section_t section; /*!< What it is made from. */
	note_f note;
	look_f look;
	const char *what;
} indexes[] = {
	{ DB_ALIAS, MAIL_SECTION_DOMAIN, alias_note, alias_look, "aliases" },
};

#define INDEX_COUNT (sizeof(indexes) / sizeof(indexes[0]))

/* --- Whether it is kept --- */

/*! Read which transaction kept an index last; 0: none. */
static uint64_t kept_read(const mail_txn_t *txn, unsigned db)
{
	const char *name = mail_store_db_name(db);
	MDB_val k = { strlen(name), (void *)name }, v;
	uint64_t number;
	if (txn->env->dbi[DB_KEPT] == DBI_MISSING || txn->env->dbi[db] == DBI_MISSING ||
	    mdb_get(txn->mdb, txn->env->dbi[DB_KEPT], &k, &v) != MDB_SUCCESS ||
	    v.mv_size != sizeof(number)) {
		return 0;
	}
	memcpy(&number, v.mv_data, sizeof(number));
	return be64toh(number);
}

/*! Return whether an index was kept up to the snapshot of a transaction, and by it. */
static bool is_kept(mail_txn_t *txn, unsigned db)
{
	const unsigned bit = 1u << db;
	if (((txn->kept | txn->not_kept) & bit) == 0) {
		const uint64_t last = mdb_txn_id(txn->mdb) - (txn->write ? 1 : 0);
		const uint64_t number = kept_read(txn, db);
		*(number != 0 && number == last ? &txn->kept : &txn->not_kept) |= bit;
	}
	return (txn->kept & bit) != 0;
}

/*! Note that an index is kept by a transaction, or that it is not kept any more. */
static int kept_write(mail_txn_t *txn, unsigned db)
{
	const char *name = mail_store_db_name(db);
	uint64_t number = htobe64(mdb_txn_id(txn->mdb));
	MDB_val k = { strlen(name), (void *)name }, v = { sizeof(number), &number };
	const MDB_dbi dbi = txn->env->dbi[DB_KEPT];
	int rc = is_kept(txn, db) ? mdb_put(txn->mdb, dbi, &k, &v, 0)
	                          : mdb_del(txn->mdb, dbi, &k, NULL);
	return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? KNOT_EOK : mail_txn_fail(txn, rc);
}

int mail_index_finish(mail_txn_t *txn)
{
	int done = mail_summary_finish(txn);
	if (done != KNOT_EOK) {
		return done;
	}
	for (size_t i = 0; i < INDEX_COUNT && txn->env->dbi[DB_KEPT] != DBI_MISSING; i++) {
		int ret = kept_write(txn, indexes[i].db);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_index_note(mail_txn_t *txn, unsigned db, mail_lf_t key, const mail_stored_t *old,
                    const mail_stored_t *new)
{
	for (size_t i = 0; i < INDEX_COUNT; i++) {
		if (indexes[i].section != db || !is_kept(txn, indexes[i].db)) {
			continue;
		}
		int ret = indexes[i].note(txn, key, old, new);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/* --- Making and checking --- */

int mail_txn_database(mail_txn_t *txn, unsigned db)
{
	MDB_dbi *dbi = &txn->env->dbi[db];
	if (*dbi != DBI_MISSING) {
		return KNOT_EOK;
	}
	int rc = mdb_dbi_open(txn->mdb, mail_store_db_name(db), MDB_CREATE, dbi);
	if (rc != MDB_SUCCESS) {
		*dbi = DBI_MISSING;
		return mail_txn_fail(txn, rc);
	}
	txn->made |= 1u << db;
	return KNOT_EOK;
}

/*! Function of a walk over the values that an index is made from. */
typedef int (*value_f)(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored, void *ctx);

static int values_walk(mail_txn_t *txn, unsigned db, value_f each, void *ctx)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	mail_stored_t stored;
	/* One of its own, so that reading meanwhile does not move it. */
	int rc = mdb_cursor_open(txn->mdb, txn->env->dbi[db], &cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	int ret = KNOT_EOK;
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == MDB_SUCCESS) {
		if (k.mv_size > MAIL_LF_MAX || mail_stored_read(&v, &stored) != KNOT_EOK) {
			continue;
		}
		ret = each(txn, (mail_lf_t){ k.mv_data, k.mv_size }, &stored, ctx);
		if (ret != KNOT_EOK) {
			rc = MDB_NOTFOUND;
			break;
		}
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? ret : mail_store_code(rc);
}

static int each_fill(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored, void *ctx)
{
	return indexes[*(size_t *)ctx].note(txn, key, NULL, stored);
}

/*! Make an index anew. */
static int fill(mail_txn_t *txn, size_t index)
{
	const unsigned db = indexes[index].db;
	int ret = txn->write ? mail_txn_database(txn, DB_KEPT) : KNOT_EACCES;
	if (ret == KNOT_EOK) {
		ret = mail_txn_database(txn, db);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	int rc = mdb_drop(txn->mdb, txn->env->dbi[db], 0);
	if (rc != MDB_SUCCESS) {
		return mail_txn_fail(txn, rc);
	}
	ret = values_walk(txn, indexes[index].section, each_fill, &index);
	if (ret != KNOT_EOK) {
		return ret;
	}
	txn->kept |= 1u << db;
	txn->not_kept &= ~(1u << db);
	txn->finish = mail_index_finish;
	return KNOT_EOK;
}

int mail_txn_index(mail_txn_t *txn, bool anew)
{
	int summaries = anew ? mail_summary_fill(txn) : KNOT_EOK;
	if (summaries != KNOT_EOK) {
		return summaries;
	}
	for (size_t i = 0; i < INDEX_COUNT; i++) {
		int ret = anew || !is_kept(txn, indexes[i].db) ? fill(txn, i) : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! What a check of an index counts. */
typedef struct {
	size_t index;
	size_t missing;
} look_t;

static int each_look(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored, void *ctx)
{
	look_t *look = ctx;
	int ret = indexes[look->index].look(txn, key, stored);
	look->missing += ret == KNOT_ENOENT;
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

int mail_txn_index_check(mail_txn_t *txn, mail_diag_t *diag)
{
	int summaries = mail_summary_check(txn, diag);
	if (summaries != KNOT_EOK) {
		return summaries;
	}
	for (size_t i = 0; i < INDEX_COUNT; i++) {
		look_t look = { .index = i };
		int ret = is_kept(txn, indexes[i].db)
		                  ? values_walk(txn, indexes[i].section, each_look, &look)
		                  : KNOT_EOK;
		if (ret == KNOT_EOK && look.missing > 0) {
			ret = mail_store_fail(diag, KNOT_EMALF, "the index of %s lacks %zu of them",
			                      indexes[i].what, look.missing);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/* --- Aliases --- */

/*! A row of _sync_alias. */
typedef struct {
	size_t len; /*!< 0: there is none. */
	uint8_t octets[ALIAS_ROW_MAX];
} alias_row_t;

/*! Return whether a value is that of an alias, and write its target. */
static bool target_of(const mail_stored_t *stored, knot_dname_t *target)
{
	mail_domain_t domain;
	return stored != NULL && !stored->deleted &&
	       mail_codec_domain(stored->body, stored->len, &domain) == KNOT_EOK &&
	       domain.alias.len > 0 && mail_name_parse(domain.alias, target, NULL) == KNOT_EOK;
}

static void alias_row(mail_lf_t key, const mail_stored_t *stored, alias_row_t *row)
{
	knot_dname_storage_t alias;
	row->len = 0;
	if (target_of(stored, row->octets) && mail_name_from_lf(key, alias) == KNOT_EOK) {
		row->len = knot_dname_size(row->octets);
		memcpy(row->octets + row->len, alias, knot_dname_size(alias));
		row->len += knot_dname_size(alias);
	}
}

static int alias_note(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *old,
                      const mail_stored_t *new)
{
	alias_row_t before, after;
	MDB_cursor *cursor;
	alias_row(key, old, &before);
	alias_row(key, new, &after);
	if (before.len == after.len && memcmp(before.octets, after.octets, after.len) == 0) {
		return KNOT_EOK;
	}
	int ret = mail_txn_cursor(txn, DB_ALIAS, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k = { before.len, before.octets }, v = { 0, NULL };
	int rc = MDB_NOTFOUND;
	if (before.len > 0) {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
	}
	if (rc == MDB_SUCCESS) {
		rc = mdb_cursor_del(cursor, 0);
	}
	if (after.len > 0 && (rc == MDB_SUCCESS || rc == MDB_NOTFOUND)) {
		k = (MDB_val){ after.len, after.octets };
		v = (MDB_val){ 0, NULL };
		rc = mdb_cursor_put(cursor, &k, &v, 0);
	}
	return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? KNOT_EOK : mail_txn_fail(txn, rc);
}

static int alias_look(mail_txn_t *txn, mail_lf_t key, const mail_stored_t *stored)
{
	alias_row_t row;
	MDB_cursor *cursor;
	alias_row(key, stored, &row);
	int ret = row.len > 0 ? mail_txn_cursor(txn, DB_ALIAS, &cursor) : KNOT_EOK;
	if (ret != KNOT_EOK || row.len == 0) {
		return ret;
	}
	MDB_val k = { row.len, row.octets }, v;
	return mail_store_code(mdb_cursor_get(cursor, &k, &v, MDB_SET));
}

/*! Give an alias that a row names, if it is one of the target. */
static int alias_each(mail_txn_t *txn, const knot_dname_t *target, const knot_dname_t *alias,
                      int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx),
                      void *ctx)
{
	mail_lf_storage_t lf;
	mail_stored_t stored;
	mail_domain_t domain;
	knot_dname_storage_t name;
	mail_name_lf(alias, &lf);
	if (mail_txn_lookup(txn, MAIL_SECTION_DOMAIN, mail_lf(&lf), &stored) != KNOT_EOK ||
	    !target_of(&stored, name) || !knot_dname_is_equal(name, target) ||
	    mail_codec_domain(stored.body, stored.len, &domain) != KNOT_EOK) {
		return KNOT_EOK;
	}
	domain.stamp = stored.stamp;
	return each(mail_lf(&lf), &domain, ctx);
}

int mail_txn_aliases(mail_txn_t *txn, mail_lf_t target,
                     int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx), void *ctx)
{
	knot_dname_storage_t name;
	MDB_cursor *cursor;
	if (!txn->write) {
		return KNOT_EACCES;
	}
	int ret = mail_txn_index(txn, false);
	if (ret != KNOT_EOK || mail_name_from_lf(target, name) != KNOT_EOK) {
		return ret;
	}
	int rc = mdb_cursor_open(txn->mdb, txn->env->dbi[DB_ALIAS], &cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	const size_t len = knot_dname_size(name);
	MDB_val k = { len, name }, v;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == MDB_SUCCESS && k.mv_size > len && memcmp(k.mv_data, name, len) == 0) {
		const uint8_t *alias = (const uint8_t *)k.mv_data + len,
			      *end = alias + k.mv_size - len;
		if (knot_dname_wire_check(alias, end, NULL) == (int)(end - alias)) {
			ret = alias_each(txn, name, alias, each, ctx);
		}
		if (ret != KNOT_EOK) {
			break;
		}
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return ret != KNOT_EOK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? ret
	                                                                  : mail_store_code(rc);
}
