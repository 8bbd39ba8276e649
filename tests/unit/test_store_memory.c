/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every allocation of the store's code fails once: nothing is leaked, nothing is half done. */

#include "lib/failing.h"
#include "lib/store_fixture.h"

#define SMALL ((size_t)16 << 20)

/*! What is done to a store, from its making to a copy. \return The first result that is not KNOT_EOK. */
static int use(const fixture_t *f, const fixture_t *copy, const mail_entry_t *domain,
               const mail_entry_t *key)
{
	mail_store_options_t options = { .map_size = SMALL };
	mail_store_t *store = NULL;
	mail_txn_t *txn = NULL;
	mail_entry_t *entry = NULL;
	int ret = mail_store_init(f->path, &options, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, NULL);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_begin(store, MAIL_STORE_WRITE, &txn);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_append(txn, domain);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_put(txn, key);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_get(txn, domain->section, domain->id, &entry);
		mail_entry_free(entry);
	}
	mail_lf_storage_t at = { 0 };
	if (ret == KNOT_EOK) {
		ret = mail_txn_next(txn, MAIL_SECTION_DKIM, &at, &entry);
		mail_entry_free(entry);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_del(txn, key->section, key->id);
	}
	if (ret == KNOT_EOK) {
		ret = mail_txn_commit(txn);
		txn = NULL;
	}
	if (ret == KNOT_EOK) {
		ret = mail_store_backup(store, copy->path, NULL);
	}
	mail_txn_abort(txn);
	mail_store_close(store);
	return ret;
}

/*! After a failure the store is not there, or whole. */
static void check_store(const fixture_t *f, size_t i)
{
	mail_store_t *store;
	mail_diag_t diag = { 0 };
	int ret = mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, &diag);
	CHECK(ret == KNOT_EOK || ret == KNOT_ENOENT, "allocation %zu: %d: %s", i, ret, diag.text);
	if (ret != KNOT_EOK) {
		ret = mail_store_init(f->path, NULL, &diag);
		CHECK(ret == KNOT_EOK, "allocation %zu: %d: %s", i, ret, diag.text);
		return;
	}
	/* Neither a lock nor a handle stayed behind: both would show here. */
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn != NULL) {
		ret = put_domain(txn, "example.net", "default");
		CHECK(ret == KNOT_EOK, "allocation %zu: %d", i, ret);
		ret = mail_txn_commit(txn);
		CHECK(ret == KNOT_EOK, "allocation %zu: %d", i, ret);
	}
	mail_store_close(store);
}

static void test_failing(void)
{
	if (!CHECK(failing_linked(), "link with --wrap, see failing.h")) {
		return;
	}
	mail_entry_t *domain = entry_of(MAIL_SECTION_DOMAIN, "example.org", MAIL_ITEM_POLICY,
	                                "default");
	mail_entry_t *key = entry_of(MAIL_SECTION_DKIM, "example.org/s1", MAIL_ITEM_CNAME,
	                             "s1.example.com.");
	if (!CHECK(domain != NULL && key != NULL, "entries")) {
		return;
	}
	size_t i = 1;
	for (; failing_on(i); i++) {
		failing_off();
		fixture_t f, copy;
		if (!CHECK(fixture_dir(&f) && fixture_dir(&copy) && mkdir(copy.path, 0700) == 0,
		           "directories")) {
			break;
		}
		failing_on(i);
		int ret = use(&f, &copy, domain, key);
		bool met = failing_off();
		CHECK(met ? ret == KNOT_ENOMEM : ret == KNOT_EOK, "allocation %zu: %d", i, ret);
		check_store(&f, i);
		fixture_remove(&copy);
		fixture_remove(&f);
		if (!met) {
			break;
		}
	}
	CHECK(i > 10, "only %zu allocations", i);
	mail_entry_free(domain);
	mail_entry_free(key);
}

UNIT_MAIN("store_memory", TEST("each allocation fails", test_failing))
