/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number of a store's content, without a snapshot. */

#include "module/beacon.h"
#include "store_fixture.h"

/*! Writes something. \return The number of the transaction. */
static uint64_t write_one(const fixture_t *f, const char *id)
{
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	const uint64_t number = mail_txn_id(txn);
	UNIT_CHECK(put(txn, MAIL_SECTION_POLICY, id, MAIL_ITEM_NS, "ns.hosted.test.") == KNOT_EOK,
	           "put");
	UNIT_CHECK(mail_txn_commit(txn) == KNOT_EOK, "commit");
	mail_store_close(store);
	return number;
}

/*! What a snapshot that is taken now has. */
static uint64_t snapshot(mail_store_t *store)
{
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const uint64_t state = mail_beacon_state_of(mail_store_epoch(store), mail_txn_id(txn));
	mail_txn_abort(txn);
	return state;
}

static void test_follows(void)
{
	fixture_t f;
	mail_beacon_t beacon;
	if (!fixture_make(&f, false, 1 << 24) ||
	    !UNIT_CHECK(mail_beacon_init(&beacon) == KNOT_EOK, "memory")) {
		return;
	}
	UNIT_CHECK(mail_beacon_state(&beacon) == 0, "nothing is known");
	/* Another process would write; in this one a store for writing serves readers as well. */
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_beacon_set(&beacon, store);
	uint64_t last = 0;
	for (int i = 0; i < 20; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%d", i);
		const uint64_t number = write_one(&f, id);
		const uint64_t state = mail_beacon_state(&beacon);
		UNIT_CHECK(state == snapshot(store), "transaction %llu",
		           (unsigned long long)number);
		UNIT_CHECK(state == mail_beacon_state_of(mail_store_epoch(store), number) &&
		                   state != last,
		           "transaction %llu", (unsigned long long)number);
		UNIT_CHECK(mail_beacon_state(&beacon) == state, "nothing happened");
		last = state;
	}
	/* It can be read when the store is closed, and when it is none's. */
	mail_store_close(store);
	UNIT_CHECK(mail_beacon_state(&beacon) == last, "closed");
	mail_beacon_set(&beacon, NULL);
	UNIT_CHECK(mail_beacon_state(&beacon) == 0, "of no store");
	mail_beacon_clear(&beacon);
	mail_beacon_clear(&beacon);
	fixture_remove(&f);
}

/*! Two stores of the same transaction have different states. */
static void test_other_store(void)
{
	fixture_t f, g;
	mail_beacon_t beacon;
	if (!fixture_make(&f, false, 1 << 24) || !fixture_make(&g, false, 1 << 24) ||
	    !UNIT_CHECK(mail_beacon_init(&beacon) == KNOT_EOK, "memory")) {
		return;
	}
	mail_store_t *first = fixture_open(&f, MAIL_STORE_READ);
	mail_store_t *second = fixture_open(&g, MAIL_STORE_READ);
	mail_beacon_set(&beacon, first);
	const uint64_t state = mail_beacon_state(&beacon);
	UNIT_CHECK(state == snapshot(first), "the first");
	mail_beacon_set(&beacon, second);
	UNIT_CHECK(mail_beacon_state(&beacon) == snapshot(second), "the second");
	UNIT_CHECK(mail_beacon_state(&beacon) != state, "not the first");
	mail_beacon_set(&beacon, first);
	UNIT_CHECK(mail_beacon_state(&beacon) == state, "the first again");
	mail_store_close(first);
	mail_store_close(second);
	mail_beacon_clear(&beacon);
	fixture_remove(&f);
	fixture_remove(&g);
}

static void test_numbers(void)
{
	static const struct {
		uint64_t epoch, txnid, state;
	} cases[] = {
		{ 1, 0, (uint64_t)1 << 44 },
		{ 3, 7, (uint64_t)3 << 44 | 7 },
		{ 0xffffe, 7, (uint64_t)0xffffe << 44 | 7 },
		{ 1 << 20, 7, 0 },
		{ UINT64_MAX, 7, 0 },
		{ 1, (uint64_t)1 << 44, 0 },
		{ 1, UINT64_MAX, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t state = mail_beacon_state_of(cases[i].epoch, cases[i].txnid);
		UNIT_CHECK(state == cases[i].state, "case %zu: %llx", i, (unsigned long long)state);
	}
}

static const unit_test_t tests[] = { { "follows a store", test_follows },
	                             { "another store", test_other_store },
	                             { "numbers", test_numbers },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("beacon", tests);
}
