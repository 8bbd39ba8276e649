/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of DKIM keys: they say what a walk over all keys would say, whatever was written, and by whom. */
#include "model/dkim_sum.h"

#include <time.h>

#include "lib/store_fixture.h"
#include "mail/dkim_id.h"

#define ROOM ((size_t)64 << 20)
#define SUMMARIES "dkim-summary"
/* An Ed25519 key. */
#define KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char *const domains_of_keys[] = {
	"example.org",
	"a.example.org",
	"b.example",
	"_domainkey.example.org",
	"x._domainkey.b.example",
};

static int put_key(mail_txn_t *txn, const char *domain, unsigned number, const char *times)
{
	char text[256];
	snprintf(text, sizeof(text), "dkim %s/k%u| key: '" KEY "'%s", domain, number, times);
	return put_text(txn, text);
}

static int del_key(mail_txn_t *txn, const char *domain, unsigned number)
{
	char id[128];
	snprintf(id, sizeof(id), "%s/k%u", domain, number);
	return mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR(id));
}

static int get_none(const mail_source_t *src, mail_lf_t top, mail_dkim_summary_t *summary)
{
	(void)src;
	(void)top;
	(void)summary;
	return KNOT_ENOENT;
}

/*! Sum up a domain's keys in a transaction. \param whole By a walk over all of them. */
static mail_dkim_sum_t sum_of(mail_txn_t *txn, const char *domain, bool whole, int64_t now)
{
	mail_source_t source = *mail_txn_source(txn);
	mail_lf_storage_t key;
	CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(domain), &key));
	source.limit = whole ? 0 : MAIL_DKIM_FEW + 1;
	source.dkim_summary = whole ? get_none : source.dkim_summary;
	return mail_dkim_sum(&source, mail_lf(&key), now);
}

/*! Compare summaries with walks, at some times. \param floor Keys were deleted: the newest change may be later than theirs. */
static void compare(mail_store_t *store, bool floor, const char *what)
{
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const int64_t begun = time(NULL);
	EACH(domain, domains_of_keys) {
		int64_t now = begun;
		for (unsigned i = 0; i < 20 && now < INT64_MAX; i++) {
			const mail_dkim_sum_t is = sum_of(txn, *domain, false, now),
					      all = sum_of(txn, *domain, true, now);
			CHECK(is.passed == all.passed && is.coming == all.coming &&
			              (floor ? is.newest >= all.newest : is.newest == all.newest),
			      "%s, %s at %+lld: %lld %lld, %lld %lld", what, *domain,
			      (long long)(now - begun), (long long)is.passed, (long long)all.passed,
			      (long long)is.coming, (long long)all.coming);
			now = i % 2 == 0 ? all.coming : now + 5000;
		}
	}
	mail_diag_t diag = { 0 };
	int ret = mail_txn_index_check(txn, &diag);
	CHECK(ret == KNOT_EOK, "%s: %d %s", what, ret, diag.text);
	mail_txn_abort(txn);
}

/*! A number that looks like any other. */
static unsigned dice(unsigned sides)
{
	static uint32_t state = 1;
	state = state * 1103515245 + 12345;
	return (state >> 8) % sides;
}

static void some_times(char *times, size_t size)
{
	char one[32], other[32];
	time_t first = time(NULL) + (time_t)dice(40000) - 20000, second = first + dice(20000);
	struct tm tm;
	strftime(one, sizeof(one), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&first, &tm));
	strftime(other, sizeof(other), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&second, &tm));
	switch (dice(5)) {
	case 0: snprintf(times, size, "| publish: '%s'", one); break;
	case 1: snprintf(times, size, "| remove: '%s'", one); break;
	case 2: snprintf(times, size, "| publish: '%s'| remove: '%s'", one, other); break;
	case 3: snprintf(times, size, "| retire: '%s'", one); break;
	default: times[0] = '\0'; break;
	}
}

/* Whatever is written, a few keys at a time, in both kinds of stores. */
static void test_changes(void)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		fixture_t f;
		const bool replicated = kind == 1;
		if (!fixture_make(&f, replicated, ROOM)) {
			return;
		}
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		for (unsigned turn = 0; turn < 60; turn++) {
			mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
			const bool shrinks = turn % 20 >= 12;
			for (unsigned i = 0; i < 25; i++) {
				char times[128];
				const char *domain = domains_of_keys[dice(5)];
				const unsigned number = dice(30);
				some_times(times, sizeof(times));
				int ret = shrinks ? del_key(txn, domain, number)
				                  : put_key(txn, domain, number, times);
				CHECK(ret == KNOT_EOK || (shrinks && ret == KNOT_ENOENT), "%d",
				      ret);
			}
			if (turn % 20 == 19) {
				CHECK(mail_txn_purge(txn, UINT64_MAX) >= 0);
			}
			CHECK_OK(mail_txn_commit(txn));
			char what[64];
			snprintf(what, sizeof(what), "turn %u, %s", turn,
			         replicated ? "replicated" : "not replicated");
			compare(store, turn >= 12, what);
		}
		mail_store_close(store);
		fixture_remove(&f);
	}
}

/*! Return whether a domain has a summary. */
static int summary_of(const fixture_t *f, const char *domain, uint8_t *value, size_t cap)
{
	mail_lf_storage_t key;
	CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(domain), &key));
	CHECK_OK(mail_lf_join(mail_lf(&key), MAIL_DOMAINKEY, &key));
	return raw_get(f->path, SUMMARIES, key.data, key.len, value, cap);
}

static void put_keys(const fixture_t *f, const char *domain, unsigned first, unsigned count,
                     const char *times)
{
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	for (unsigned i = first; i < first + count; i++) {
		CHECK_OK(put_key(txn, domain, i, times));
	}
	CHECK_OK(mail_txn_commit(txn));
	mail_store_close(store);
}

/* Few keys have none; many have one, until they are few again where deleting deletes. */
static void test_when(void)
{
	uint8_t value[256];
	for (unsigned kind = 0; kind < 2; kind++) {
		fixture_t f;
		const bool replicated = kind == 1;
		if (!fixture_make(&f, replicated, ROOM)) {
			return;
		}
		put_keys(&f, "example.org", 0, MAIL_DKIM_FEW, "");
		put_keys(&f, "b.example", 0, 1, "");
		CHECK_INT(summary_of(&f, "example.org", value, sizeof(value)), -1);
		put_keys(&f, "example.org", MAIL_DKIM_FEW, 1, "");
		CHECK_INT(summary_of(&f, "example.org", value, sizeof(value)), HEADER + 1);
		CHECK_INT(summary_of(&f, "b.example", value, sizeof(value)), -1);
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
		CHECK_OK(del_key(txn, "example.org", 3));
		CHECK_OK(mail_txn_commit(txn));
		compare(store, true, "after a deletion");
		mail_store_close(store);
		CHECK_INT(summary_of(&f, "example.org", value, sizeof(value)),
		          replicated ? HEADER + 1 : -1);
		fixture_remove(&f);
	}
}

/* What is missing, wrong or of a newer version is found, made anew, and does no harm until then. */
static void test_repair(void)
{
	static const char *const bodies[] = { "", "\1", "\2", "\1short", "\1\0\0\0\0\x7f\0\0\0" };
	static const size_t lens[] = { 0, 1, 1, 6, 9 };
	for (size_t i = 0; i < 6; i++) {
		fixture_t f;
		uint8_t value[256] = { 0 };
		mail_lf_storage_t key;
		mail_diag_t diag = { 0 };
		if (!fixture_make(&f, false, ROOM)) {
			return;
		}
		put_keys(&f, "example.org", 0, 30, "| publish: '2030-01-01T00:00:00Z'");
		CHECK_INT(summary_of(&f, "example.org", value, sizeof(value)), HEADER + 9);
		CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("example.org"), &key));
		CHECK_OK(mail_lf_join(mail_lf(&key), MAIL_DOMAINKEY, &key));
		if (i < 5) {
			memcpy(value + HEADER, bodies[i], lens[i]);
			CHECK(raw_put(f.path, SUMMARIES, key.data, key.len, value,
			              HEADER + lens[i]));
		} else {
			raw_t raw;
			MDB_val k = { key.len, key.data };
			REQUIRE(raw_open(&raw, f.path, SUMMARIES, ROOM));
			CHECK_INT(mdb_del(raw.txn, raw.dbi, &k, NULL), 0);
			raw_close(&raw, true);
		}
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		mail_txn_t *txn = begin(store, MAIL_STORE_READ);
		CHECK_INT(mail_txn_index_check(txn, &diag), KNOT_EMALF);
		CHECK_STR(diag.text, "the summary of DKIM keys is wrong for 1 domain");
		if (i != 1 && i != 4) {
			/* Not believed: all keys are looked at, where there is no bound. */
			mail_source_t source = *mail_txn_source(txn);
			CHECK_OK(
				mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("example.org"), &key));
			const mail_dkim_sum_t sum = mail_dkim_sum(&source, mail_lf(&key), 1);
			CHECK(sum.coming == 1893456000, "%lld", (long long)sum.coming);
		}
		CHECK_INT(mail_txn_index(txn, true), KNOT_EACCES);
		mail_txn_abort(txn);
		txn = begin(store, MAIL_STORE_WRITE);
		CHECK_OK(mail_txn_index(txn, true));
		CHECK_OK(mail_txn_commit(txn));
		compare(store, false, "after a repair");
		mail_store_close(store);
		CHECK_INT(summary_of(&f, "example.org", value, sizeof(value)), HEADER + 9);
		fixture_remove(&f);
	}
}

/* A store from before has no such database: questions do without, and the first who needs it makes it. */
static void test_older_store(void)
{
	fixture_t f;
	raw_t raw;
	if (!fixture_make(&f, false, ROOM)) {
		return;
	}
	put_keys(&f, "example.org", 0, 30, "| publish: '2030-01-01T00:00:00Z'");
	REQUIRE(raw_open(&raw, f.path, SUMMARIES, ROOM));
	CHECK_INT(mdb_drop(raw.txn, raw.dbi, 1), 0);
	raw_close(&raw, true);
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	CHECK(sum_of(txn, "example.org", false, 1).coming == 1893456000);
	mail_txn_abort(txn);
	mail_store_close(store);
	put_keys(&f, "example.org", 0, 1, "| publish: '2029-01-01T00:00:00Z'");
	store = fixture_open(&f, MAIL_STORE_READ);
	compare(store, false, "after a change");
	txn = begin(store, MAIL_STORE_READ);
	CHECK(sum_of(txn, "example.org", false, 1).coming == 1861920000);
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

/*! Merge a database of one store into that of another, as replication does: the later value stays. */
static void merge(const fixture_t *from, const fixture_t *to, const char *database)
{
	raw_t source, target;
	MDB_cursor *cursor;
	MDB_val k, v, old;
	REQUIRE(raw_open(&source, from->path, database, ROOM));
	REQUIRE(raw_open(&target, to->path, database, ROOM));
	REQUIRE(mdb_cursor_open(source.txn, source.dbi, &cursor) == 0);
	while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
		if (mdb_get(target.txn, target.dbi, &k, &old) != 0 ||
		    memcmp(v.mv_data, old.mv_data, 8) > 0) {
			CHECK_INT(mdb_put(target.txn, target.dbi, &k, &v, 0), 0);
		}
	}
	mdb_cursor_close(cursor);
	raw_close(&source, false);
	raw_close(&target, true);
}

/* Two servers write keys of a domain at the same time: both know the newest change. */
static void test_merged(void)
{
	static const char *const databases[] = { "dkim", "domain", SUMMARIES };
	for (unsigned order = 0; order < 2; order++) {
		fixture_t a, b;
		if (!fixture_make(&a, true, ROOM) || !fixture_make(&b, true, ROOM)) {
			return;
		}
		put_keys(&a, "example.org", 0, 20, "");
		EACH(database, databases) {
			merge(&a, &b, *database);
		}
		put_keys(order == 0 ? &a : &b, "example.org", 20, 5, "");
		put_keys(order == 0 ? &b : &a, "example.org", 25, 5, "");
		EACH(database, databases) {
			merge(&a, &b, *database);
			merge(&b, &a, *database);
		}
		const fixture_t *both[] = { &a, &b };
		EACH(f, both) {
			mail_store_t *store = fixture_open(*f, MAIL_STORE_READ);
			mail_txn_t *txn = begin(store, MAIL_STORE_READ);
			const mail_dkim_sum_t is = sum_of(txn, "example.org", false, 1),
					      all = sum_of(txn, "example.org", true, 1);
			CHECK(is.newest == all.newest && is.newest > 0, "%llu, %llu",
			      (unsigned long long)is.newest, (unsigned long long)all.newest);
			mail_txn_abort(txn);
			mail_store_close(store);
		}
		fixture_remove(&a);
		fixture_remove(&b);
	}
}

UNIT_MAIN("summary", TEST("any changes", test_changes), TEST("when there is one", test_when),
          TEST("check and repair", test_repair), TEST("an older store", test_older_store),
          TEST("merged stores", test_merged))
