/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turns of writers. What several programs do is in tests/functional/test_tool_wait.py. */

#include <time.h>

#include "lib/store_fixture.h"
#include "mail/turn.h"

#define SMALL ((size_t)16 << 20)

/*! What a wait was told. */
typedef struct {
	unsigned calls;
	int64_t limit; /*!< Milliseconds after which it ends. */
	int64_t first;
	mail_writer_t writer;
} told_t;

static bool wait_until(const mail_writer_t *writer, int64_t waited, void *ctx)
{
	told_t *told = ctx;
	told->first = told->calls++ == 0 ? waited : told->first;
	told->writer = *writer;
	return waited < told->limit;
}

/*! When told, begin to write, in turn or past all turns, until the pipe is closed. */
static int write_until(const fixture_t *f, int in, int out, bool turn)
{
	mail_store_t *store;
	mail_txn_t *txn;
	if (!hear(in, 'g') ||
	    mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, NULL) != KNOT_EOK) {
		return 1;
	}
	int ret = turn ? mail_txn_take_turn(store, NULL, NULL, &txn)
	               : mail_txn_begin(store, MAIL_STORE_WRITE, &txn);
	if (ret != KNOT_EOK || !say(out, 'w')) {
		return 2;
	}
	(void)hear(in, 'x');
	ret = put_domain(txn, "other.example.org", "default");
	ret = ret == KNOT_EOK ? mail_txn_commit(txn) : ret;
	mail_store_close(store);
	return ret == KNOT_EOK ? 0 : 3;
}

static int write_in_turn(const fixture_t *f, int in, int out)
{
	return write_until(f, in, out, true);
}

static int write_past_turns(const fixture_t *f, int in, int out)
{
	return write_until(f, in, out, false);
}

static void test_alone(void)
{
	fixture_t f;
	mail_txn_t *txn, *second;
	told_t told = { .limit = 0 };
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	CHECK_INT(mail_txn_take_turn(store, NULL, NULL, &txn), KNOT_EACCES);
	CHECK(txn == NULL);
	mail_store_close(store);
	store = fixture_open(&f, MAIL_STORE_WRITE);
	/* Again and again: each turn ends, whatever the end of its transaction is. */
	for (unsigned i = 0; i < 4; i++) {
		CHECK_OK(mail_txn_take_turn(store, wait_until, &told, &txn));
		CHECK_INT(mail_txn_take_turn(store, wait_until, &told, &second), KNOT_EBUSY);
		CHECK(second == NULL);
		if (i % 2 == 0) {
			mail_txn_abort(txn);
		} else {
			CHECK_OK(mail_txn_commit(txn));
		}
	}
	CHECK_INT(told.calls, 0);
	mail_store_close(store);
	fixture_remove(&f);
}

/*! A writer that has the turn: it is named, and its end is waited for. */
static void test_in_turn(void)
{
	fixture_t f;
	mail_txn_t *txn;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	for (unsigned killed = 0; killed < 2; killed++) {
		other_t other;
		const time_t before = time(NULL);
		CHECK(other_start(&other, write_in_turn, &f) && say(other.to, 'g') &&
		      hear(other.from, 'w'));
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		for (int64_t limit = 0; limit <= 100; limit += 50) {
			told_t told = { .limit = limit };
			CHECK_INT(mail_txn_take_turn(store, wait_until, &told, &txn), KNOT_EBUSY);
			CHECK(txn == NULL && told.calls > 0 && told.first < 50, "%u calls, %d ms",
			      told.calls, (int)told.first);
			CHECK_INT(told.writer.pid, other.pid);
			CHECK(told.writer.since >= before && told.writer.since <= time(NULL));
		}
		other_end(&other, killed == 1);
		CHECK_OK(mail_txn_take_turn(store, NULL, NULL, &txn));
		if (killed == 0) {
			CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DOMAIN,
			                      MAIL_STR("other.example.org")));
		}
		CHECK_INT(domains(txn), 0);
		CHECK_OK(mail_txn_commit(txn));
		mail_store_close(store);
	}
	fixture_remove(&f);
}

/*! A writer that takes no turn: it has no name; when the wait was ended, the process goes on with what is left. */
static void test_past_turns(void)
{
	fixture_t f;
	mail_txn_t *txn;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	/* An environment may not be carried through fork (lmdb.h). */
	other_t other, next;
	CHECK(other_start(&next, write_in_turn, &f));
	CHECK(other_start(&other, write_past_turns, &f) && say(other.to, 'g') &&
	      hear(other.from, 'w'));
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	told_t told = { .limit = 0, .writer = { 1, 1 } };
	CHECK_INT(mail_txn_take_turn(store, wait_until, &told, &txn), KNOT_EBUSY);
	CHECK(txn == NULL && told.calls == 1 && told.writer.pid == 0);
	/* A reader of this process is not concerned. */
	txn = begin(store, MAIL_STORE_READ);
	CHECK_INT(domains(txn), 0);
	mail_txn_abort(txn);
	/* It has given the turn back. */
	mail_store_close(store);
	CHECK(say(next.to, 'g'));
	other_end(&other, false);
	CHECK(hear(next.from, 'w'));
	other_end(&next, false);
	fixture_remove(&f);
}

UNIT_MAIN("turn", TEST("nobody else", test_alone), TEST("a writer in turn", test_in_turn),
          TEST("a writer past all turns", test_past_turns))
