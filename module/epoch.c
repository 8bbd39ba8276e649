/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "epoch.h"

#include <stdlib.h>

/*! Begins the transaction of a thread; slots of dead readers are cleared when there is none left. */
static int begin(mail_store_t *store, mail_txn_t **txn)
{
	int ret = mail_txn_begin(store, MAIL_STORE_READ, txn);
	if (ret != KNOT_EOK && mail_store_clear_readers(store) > 0) {
		ret = mail_txn_begin(store, MAIL_STORE_READ, txn);
	}
	return ret;
}

int mail_epoch_open(const char *path, unsigned threads, mail_epoch_t **epoch, mail_diag_t *diag)
{
	static _Atomic uint64_t numbers;

	mail_epoch_t *e = calloc(1, sizeof(*e) + threads * sizeof(e->txns[0]));
	if (e == NULL) {
		return KNOT_ENOMEM;
	}
	e->threads = threads;
	e->number = atomic_fetch_add(&numbers, 1) + 1;

	int ret = mail_store_open(path, MAIL_STORE_READ, threads, &e->store, diag);
	if (ret != KNOT_EOK) {
		e->store = NULL;
		goto fail;
	}
	// All slots are taken now: in a hook a transaction is only renewed, which takes no lock.
	for (unsigned i = 0; i < threads; i++) {
		ret = begin(e->store, &e->txns[i]);
		if (ret != KNOT_EOK) {
			e->txns[i] = NULL;
			mail_diag_error(diag, 0, "store '%s': no read transaction (%s)", path,
			                knot_strerror(ret));
			goto fail;
		}
		e->txnid = mail_txn_id(e->txns[i]);
		mail_txn_reset(e->txns[i]);
	}
	*epoch = e;
	return KNOT_EOK;
fail:
	mail_epoch_free(e);
	return ret;
}

void mail_epoch_free(mail_epoch_t *epoch)
{
	if (epoch == NULL) {
		return;
	}
	for (unsigned i = 0; i < epoch->threads; i++) {
		mail_txn_abort(epoch->txns[i]);
	}
	mail_store_close(epoch->store);
	free(epoch);
}
