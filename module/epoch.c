/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "epoch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/*! Entries in a row that do not count and that a question passes: tombstones, names that are not shown now. */
#define PASSED_MAX 64

/*! Begin the transaction of a thread; slots of dead readers are cleared when there is none left. */
static int begin(mail_store_t *store, mail_txn_t **txn)
{
	int ret = mail_txn_begin(store, MAIL_STORE_READ, txn);
	if (ret != KNOT_EOK && mail_store_clear_readers(store) > 0) {
		ret = mail_txn_begin(store, MAIL_STORE_READ, txn);
	}
	return ret;
}

/*! Device and inode of a file; zero when there is none. */
static void identify(const char *path, dev_t *dev, ino_t *ino)
{
	struct stat st = { 0 };
	if (stat(path, &st) != 0) {
		memset(&st, 0, sizeof(st));
	}
	*dev = st.st_dev;
	*ino = st.st_ino;
}

int mail_epoch_open(const char *path, unsigned threads, mail_epoch_t **epoch, mail_diag_t *diag)
{
	mail_epoch_t *e = calloc(1, sizeof(*e) + threads * sizeof(e->txns[0]));
	if (e == NULL) {
		return KNOT_ENOMEM;
	}
	e->refs = 1;
	e->threads = threads;

	int ret = KNOT_ENOMEM;
	if (asprintf(&e->lock_path, "%s/lock.mdb", path) < 0) {
		e->lock_path = NULL;
		goto fail;
	}
	ret = mail_store_open(path, MAIL_STORE_READ, threads, &e->store, diag);
	if (ret != KNOT_EOK) {
		e->store = NULL;
		goto fail;
	}
	e->number = mail_store_epoch(e->store);
	identify(e->lock_path, &e->lock_dev, &e->lock_ino);
	// All slots are taken now: in a hook a transaction is only renewed, which takes no lock.
	ret = begin(e->store, &e->txn);
	if (ret != KNOT_EOK) {
		goto no_txn;
	}
	for (unsigned i = 0; i < threads; i++) {
		ret = begin(e->store, &e->txns[i]);
		if (ret != KNOT_EOK) {
			goto no_txn;
		}
		mail_txn_limit(e->txns[i], PASSED_MAX);
		mail_txn_reset(e->txns[i]);
	}
	e->txnid = mail_txn_id(e->txn);
	mail_txn_reset(e->txn);
	*epoch = e;
	return KNOT_EOK;
no_txn:
	mail_diag_error(diag, 0, "store '%s': no read transaction (%s)", path, knot_strerror(ret));
fail:
	mail_epoch_free(e);
	return ret;
}

bool mail_epoch_blocks(const mail_epoch_t *epoch)
{
	dev_t dev;
	ino_t ino;
	identify(epoch->lock_path, &dev, &ino);
	return ino != 0 && ino == epoch->lock_ino && dev == epoch->lock_dev;
}

void mail_epoch_free(mail_epoch_t *epoch)
{
	if (epoch == NULL || --epoch->refs > 0) {
		return;
	}
	mail_txn_abort(epoch->txn);
	for (unsigned i = 0; i < epoch->threads; i++) {
		mail_txn_abort(epoch->txns[i]);
	}
	mail_store_close(epoch->store);
	free(epoch->lock_path);
	free(epoch);
}
