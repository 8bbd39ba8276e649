/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading entries by id, and walking a section in the order of its keys. */

#include <lmdb.h>

#include "store/internal.h"

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

/*! Position a cursor at the first key after a key, or the first of all. */
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

/*! Return whether an entry is there that is not deleted. \param ret  Out: why its header cannot be read, or KNOT_EOK. */
static bool is_entry(const MDB_val *k, const MDB_val *v, mail_stored_t *stored, int *ret)
{
	if (k->mv_size > MAIL_LF_MAX) {
		/* Of an LMDB built with longer keys: no entry of ours can be reached by it. */
		return false;
	}
	*ret = mail_stored_read(v, stored);
	return *ret != KNOT_EOK || !stored->deleted;
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
		mail_stored_t stored;
		if (!is_entry(&k, &v, &stored, &ret)) {
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
		mail_stored_t stored;
		if (!is_entry(&k, &v, &stored, &ret)) {
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
