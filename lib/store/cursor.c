/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cursors, one for each database of a transaction object, and the lookup by key. */

#include <lmdb.h>

#include "store/internal.h"

int mail_txn_cursor(mail_txn_t *txn, unsigned db, MDB_cursor **cursor)
{
	if (!mail_txn_is_active(txn)) {
		return KNOT_EINVAL;
	}
	*cursor = txn->cursors[db];
	if (*cursor != NULL && txn->cursor_generation[db] == txn->generation) {
		return KNOT_EOK;
	}
	int rc;
	if (*cursor != NULL) {
		rc = mdb_cursor_renew(txn->mdb, *cursor);
	} else {
		rc = mdb_cursor_open(txn->mdb, txn->env->dbi[db], cursor);
	}
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
