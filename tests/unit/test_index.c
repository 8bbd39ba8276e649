/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The index of aliases: kept by every writer of ours, made anew after others, and no change walks all domains. */

#include <endian.h>

#include "lib/change_fixture.h"
#include "lib/steps.h"

#define TARGET "t.example"
#define MANY 3000
/* An Ed25519 key. */
#define KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static int each_name(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	CHECK(mail_str_is(domain->alias, TARGET) && domain->stamp.timestamp > 0, "an alias");
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, ctx);
	return ret == KNOT_EOK ? mail_buf_str(ctx, " ") : ret;
}

/* Compare the aliases of the target with those that are expected, in the order of wire names and each with a space. */
static void expect_in(mail_txn_t *txn, const char *expected, const char *what)
{
	mail_buf_t names = { 0 };
	mail_lf_storage_t key;
	CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(TARGET), &key));
	CHECK_OK(mail_txn_aliases(txn, mail_lf(&key), each_name, &names));
	CHECK(mail_str_is(mail_buf_view(&names), expected), "%s: '%.*s' for '%s'", what,
	      (int)names.len, (const char *)names.data, expected);
	mail_diag_t diag = { 0 };
	CHECK(mail_txn_index_check(txn, &diag) == KNOT_EOK, "%s: %s", what, diag.text);
	mail_buf_free(&names);
}

static void expect(const stored_t *s, const char *expected, const char *what)
{
	mail_txn_t *txn = begin(s->store, MAIL_STORE_WRITE);
	if (txn != NULL) {
		expect_in(txn, expected, what);
	}
	mail_txn_abort(txn);
}

/* Return whether the index is kept: then the look for aliases meets no domain but those. */
static bool is_kept(const stored_t *s)
{
	mail_txn_t *txn = begin(s->store, MAIL_STORE_WRITE);
	mail_lf_storage_t key;
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("none.example"), &key);
	steps = 0;
	CHECK_OK(mail_txn_aliases(txn, mail_lf(&key), each_name, NULL));
	mail_txn_abort(txn);
	return steps <= 2;
}

#define BASE                                                                                       \
	"policy p| ns: ns.provider.test.\ndomain " TARGET "| policy: p\n"                          \
	"domain u.example| policy: p\n"

/* Changes of one store, one after the other. */
static const struct {
	const char *text;
	const char *aliases;
} changes[] = {
	{ BASE, "" },
	{ "domain a.example| alias: " TARGET, "a.example " },
	{ "domain b.example| alias: " TARGET, "a.example b.example " },
	{ "domain a.b.example| alias: " TARGET "\ndomain a.org| alias: u.example",
	  "a.b.example a.example b.example " },
	/* Nothing to do with it. */
	{ "domain " TARGET "| policy: p| txt: x", "a.b.example a.example b.example " },
	{ "dkim " TARGET "/s| key: '" KEY "'", "a.b.example a.example b.example " },
	/* To another target and back, no alias any more, gone, and made again. */
	{ "domain b.example| alias: u.example", "a.b.example a.example " },
	{ "domain b.example| alias: " TARGET, "a.b.example a.example b.example " },
	{ "domain b.example| policy: p", "a.b.example a.example " },
	{ "-domain a.example", "a.b.example " },
	{ "domain a.example| alias: " TARGET, "a.b.example a.example " },
	{ "-domain a.b.example\n-domain a.example\n-domain " TARGET, "" },
};

static void kept_in(bool replicated)
{
	stored_t s;
	stored_begin(&s, replicated, NULL);
	EACH(c, changes) {
		made_t made;
		make(&s, c->text, &made);
		CHECK(made.ret == KNOT_EOK, "%s: %s", c->text, made.diag.text);
		expect_in(made.txn, c->aliases, c->text);
		made_commit(&made);
		expect(&s, c->aliases, c->text);
		CHECK(is_kept(&s), "%s: it is kept", c->text);
	}
	stored_end(&s);
}

static void test_kept(void)
{
	kept_in(false);
	kept_in(true);
}

/* Names whose octets are longest, and octets that keys escape. */
static void test_names(void)
{
	static const char *const names[] = {
		"\\000.example",
		"\\001\\000.example",
		"a\\.b.example",
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0."
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0."
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0."
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst.org",
	};
	stored_t s;
	stored_begin(&s, false, NULL);
	for (size_t i = 0; i < COUNT(names); i++) {
		mail_txn_t *txn = begin(s.store, MAIL_STORE_WRITE);
		char expected[512];
		snprintf(expected, sizeof(expected), "%s ", names[i]);
		CHECK_OK(put(txn, MAIL_SECTION_DOMAIN, names[i], MAIL_ITEM_ALIAS, TARGET));
		expect_in(txn, expected, names[i]);
		CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(names[i])));
		expect_in(txn, "", names[i]);
		mail_txn_abort(txn);
	}
	stored_end(&s);
}

/* --- Others write, too --- */

/* Put an alias as it is stored by somebody who knows no index. */
static bool foreign_alias(const stored_t *s, const char *id)
{
	static const uint8_t header[24] = { 0, 0, 0, 0, 0, 0, 1 };
	mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, id, MAIL_ITEM_ALIAS, TARGET);
	mail_buf_t value = { 0 };
	mail_lf_storage_t key;
	(void)mail_buf_put(&value, header, sizeof(header));
	bool ok = entry != NULL && mail_codec_encode(entry, &value) == KNOT_EOK &&
	          mail_entry_key(MAIL_SECTION_DOMAIN, entry->id, &key) == KNOT_EOK &&
	          raw_put(s->at.path, "domain", key.data, key.len, value.data, value.len);
	mail_entry_free(entry);
	mail_buf_free(&value);
	return CHECK(ok, "raw alias");
}

/* Another process at the store while this one has it closed. */
static void reopen(stored_t *s, bool (*meanwhile)(const stored_t *s))
{
	mail_store_close(s->store);
	CHECK(meanwhile(s), "what others do");
	s->store = fixture_open(&s->at, MAIL_STORE_WRITE);
}

static bool add_alias(const stored_t *s)
{
	return foreign_alias(s, "foreign.example");
}

/* As a store that was made before there was an index. */
static bool drop_all(const stored_t *s)
{
	static const char *const names[] = { "_sync_alias", "_sync_kept" };
	bool ok = true;
	for (size_t i = 0; i < COUNT(names); i++) {
		raw_t raw;
		ok = ok && raw_open(&raw, s->at.path, names[i], 0);
		if (ok) {
			ok = mdb_drop(raw.txn, raw.dbi, 1) == 0;
			raw_close(&raw, ok);
		}
	}
	return ok;
}

/* Take a row away, and say that it was kept. */
static bool spoil(const stored_t *s)
{
	static const char row[] = "\1t\7example\0\1a\7example";
	raw_t raw;
	MDB_dbi kept;
	MDB_val k = { sizeof(row), (void *)row }, name = { 11, "_sync_alias" };
	bool ok = raw_open(&raw, s->at.path, "_sync_alias", 0);
	if (!ok) {
		return false;
	}
	uint64_t number = htobe64(mdb_txn_id(raw.txn));
	MDB_val v = { sizeof(number), &number };
	ok = mdb_del(raw.txn, raw.dbi, &k, NULL) == 0 &&
	     mdb_dbi_open(raw.txn, "_sync_kept", 0, &kept) == 0 &&
	     mdb_put(raw.txn, kept, &name, &v, 0) == 0;
	raw_close(&raw, ok);
	return ok;
}

/* Add a domain as a change that does not ask for aliases. */
static void add_plain(const stored_t *s)
{
	CHECK_OK(add_domains(s->store, 0, 3, "p"));
}

static void change(const stored_t *s, const char *text)
{
	made_t made;
	make(s, text, &made);
	CHECK(made.ret == KNOT_EOK, "%s: %s", text, made.diag.text);
	made_commit(&made);
}

static void test_others(void)
{
	stored_t s;
	stored_begin(&s, false, NULL);
	change(&s, BASE "domain a.example| alias: " TARGET);
	CHECK(is_kept(&s), "ours");

	/* A writer that knows no index, and then one of ours that does not ask. */
	reopen(&s, add_alias);
	CHECK(!is_kept(&s), "theirs");
	add_plain(&s);
	CHECK(!is_kept(&s), "ours after theirs");
	expect(&s, "a.example foreign.example ", "theirs");
	/* One that asks makes it. */
	change(&s, "domain " TARGET "| policy: p| txt: x");
	CHECK(is_kept(&s), "made anew");
	expect(&s, "a.example foreign.example ", "made anew");

	reopen(&s, drop_all);
	add_plain(&s);
	CHECK(!is_kept(&s), "an older store");
	expect(&s, "a.example foreign.example ", "an older store");
	change(&s, "-domain foreign.example");
	CHECK(is_kept(&s), "an older store, made");
	expect(&s, "a.example ", "an older store, made");
	stored_end(&s);
}

static void test_check(void)
{
	stored_t s;
	mail_diag_t diag = { 0 };
	stored_begin(&s, false, NULL);
	change(&s, BASE "domain a.example| alias: " TARGET "\ndomain b.example| alias: " TARGET);
	reopen(&s, spoil);
	mail_txn_t *txn = begin(s.store, MAIL_STORE_READ);
	CHECK_INT(mail_txn_index_check(txn, &diag), KNOT_EMALF);
	CHECK_STR(diag.text, "the index of aliases lacks 1 of them");
	CHECK_INT(mail_txn_index(txn, true), KNOT_EACCES);
	mail_txn_abort(txn);

	txn = begin(s.store, MAIL_STORE_WRITE);
	CHECK_OK(mail_txn_index(txn, true));
	CHECK_OK(mail_txn_commit(txn));
	expect(&s, "a.example b.example ", "repaired");
	txn = begin(s.store, MAIL_STORE_READ);
	CHECK_OK(mail_txn_index_check(txn, &diag));
	CHECK_INT(mail_txn_aliases(txn, MAIL_LF("x"), each_name, NULL), KNOT_EACCES);
	mail_txn_abort(txn);
	stored_end(&s);
}

/* A copy has other numbers of transactions. */
static void test_copy(void)
{
	stored_t s, copy = { .store = NULL };
	stored_begin(&s, false, NULL);
	change(&s, BASE "domain a.example| alias: " TARGET);
	if (make_copy(&s.at, &copy.at)) {
		copy.store = fixture_open(&copy.at, MAIL_STORE_WRITE);
		expect(&copy, "a.example ", "a copy");
		stored_end(&copy);
	}
	stored_end(&s);
}

/* --- What a change costs --- */

static size_t steps_of(const stored_t *s, const char *text)
{
	made_t made;
	steps = 0;
	make(s, text, &made);
	CHECK(made.ret == KNOT_EOK, "%s: %s", text, made.diag.text);
	made_commit(&made);
	return steps;
}

static void test_cost(void)
{
	static const char *const texts[] = {
		"domain n.example| policy: p| txt: x",
		"domain n.example| policy: p| record: [ '@ A 192.0.2.1', 'www A 192.0.2.1' ]",
		"domain n.example| policy: q",
		"domain n.example| policy: p",
		"dkim n.example/s| key: '" KEY "'",
		"dkim n.example/s| key: '" KEY "'| publish: 2026-01-01T00:00:00Z",
		"dkim n.example/s| key: '" KEY "'| activate: 2026-01-01T00:00:00Z",
		"dkim n.example/s| key: '" KEY "'| retire: 2030-01-01T00:00:00Z",
		"-dkim n.example/s",
		"domain al.example| alias: n.example",
		"dkim n.example/s| key: '" KEY "'",
		"domain n.example| policy: p| dmarc: [ p=none ]",
		"-domain al.example",
		("domain n.example| alias: " TARGET),
		"-domain n.example",
		"-domain d000007.example.org",
	};
	stored_t s;
	stored_begin(&s, false, NULL);
	change(&s, BASE "policy q| ns: ns.provider.test.");
	CHECK_OK(add_domains(s.store, 0, MANY, "p"));
	const size_t least = steps_of(&s, "domain n.example| policy: p");
	CHECK(least < 100, "%zu for a new domain", least);
	for (size_t i = 0; i < COUNT(texts); i++) {
		const size_t count = steps_of(&s, texts[i]);
		CHECK(count <= 3 * least, "%s: %zu for %zu", texts[i], count, least);
	}
	stored_end(&s);
}

UNIT_MAIN("index", TEST("kept by every change", test_kept), TEST("names", test_names),
          TEST("others write, too", test_others), TEST("check and repair", test_check),
          TEST("a copy", test_copy), TEST("no change walks all domains", test_cost))
