/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store: entries and their stamps, tombstones, damage, limits, copies. */

#include <inttypes.h>
#include <time.h>

#include "lib/store_fixture.h"

#define SMALL ((size_t)16 << 20)

#define DOMAIN_KEY "org\0example"
#define DOMAIN_KEY_LEN (sizeof(DOMAIN_KEY) - 1)

static const struct {
	mail_section_t section;
	const char *id;
	mail_item_id_t item;
	const char *value;
} entries[] = {
	{ MAIL_SECTION_HOST, "mail", MAIL_ITEM_NAME, "mail" },
	{ MAIL_SECTION_CERTIFICATE, "cert", MAIL_ITEM_DEPLOY_AT, "2026-01-31T12:00:00Z" },
	{ MAIL_SECTION_POLICY, "business", MAIL_ITEM_MX, "10 mail" },
	{ MAIL_SECTION_POLICY, "empty", MAIL_ITEM_MX, NULL },
	{ MAIL_SECTION_DKIM, "example.org/s1", MAIL_ITEM_CNAME, "s1.dkim.example.com." },
	{ MAIL_SECTION_DKIM, "policy:business/s1", MAIL_ITEM_CNAME, "s1.dkim.example.com." },
	{ MAIL_SECTION_DOMAIN, "example.org", MAIL_ITEM_POLICY, "business" },
	{ MAIL_SECTION_DOMAIN, "alias.example.org", MAIL_ITEM_ALIAS, "example.org" },
};
#define ENTRIES (COUNT(entries))

static bool put_entries(mail_txn_t *txn)
{
	bool ok = txn != NULL;
	for (size_t i = 0; ok && i < ENTRIES; i++) {
		int ret = put(txn, entries[i].section, entries[i].id, entries[i].item,
		              entries[i].value);
		ok = CHECK(ret == KNOT_EOK, "entry %zu: %d", i, ret);
	}
	return ok;
}

static void check_entries(mail_txn_t *txn)
{
	for (size_t i = 0; txn != NULL && i < ENTRIES; i++) {
		mail_entry_t *entry = NULL;
		int ret = mail_txn_get(txn, entries[i].section, MAIL_STR(entries[i].id), &entry);
		if (!CHECK(ret == KNOT_EOK, "entry %zu: %d", i, ret)) {
			continue;
		}
		mail_str_t value = mail_entry_value(entry, entries[i].item);
		CHECK(mail_str_is(entry->id, entries[i].id), "entry %zu", i);
		CHECK(mail_str_is(value, entries[i].value != NULL ? entries[i].value : ""),
		      "entry %zu: %.*s", i, (int)value.len, value.data);
		CHECK(entry->stamp.timestamp > 1 && entry->stamp.txnid > 0, "entry %zu", i);
		mail_entry_free(entry);
	}
}

static void test_round_trip(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	put_entries(txn);
	check_entries(txn);
	mail_entry_t *entry;
	CHECK_INT(mail_txn_get(txn, MAIL_SECTION_HOST, MAIL_STR("nobody"), &entry), KNOT_ENOENT);
	CHECK_OK(mail_txn_commit(txn));
	mail_store_close(store);

	store = fixture_open(&f, MAIL_STORE_READ);
	txn = begin(store, MAIL_STORE_READ);
	check_entries(txn);
	/* Nothing can be written where writing was not asked for. */
	CHECK_INT(put_domain(txn, "example.net", "business"), KNOT_EACCES);
	CHECK_INT(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org")), KNOT_EACCES);
	CHECK_INT(mail_txn_purge(txn, UINT64_MAX), KNOT_EACCES);
	mail_txn_abort(txn);
	CHECK_INT(mail_txn_begin(store, MAIL_STORE_WRITE, &txn), KNOT_EACCES);
	store_end(&f, store);
}

static void test_abort(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	CHECK_OK(put_domain(txn, "example.org", "default"));
	/* The same thread would wait for itself. */
	mail_txn_t *second;
	CHECK_INT(mail_txn_begin(store, MAIL_STORE_WRITE, &second), KNOT_EBUSY);
	/* A reader sees the state before. */
	second = begin(store, MAIL_STORE_READ);
	mail_stamp_t stamp;
	CHECK_INT(stamp_of(second, MAIL_SECTION_DOMAIN, "example.org", &stamp), KNOT_ENOENT);
	CHECK_INT(stamp.timestamp, 0);
	CHECK_INT(mail_txn_id(second) + 1, mail_txn_id(txn));
	mail_txn_abort(second);
	mail_txn_abort(txn);
	mail_txn_abort(NULL);

	txn = begin(store, MAIL_STORE_WRITE);
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &stamp), KNOT_ENOENT);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

static void test_stamps(void)
{
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	/* A server whose clock is ahead has written: "example.org", policy default. */
	uint8_t value[256];
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	uint64_t txnid = mail_txn_id(txn);
	CHECK_OK(put_domain(txn, "example.org", "default"));
	CHECK_OK(mail_txn_commit(txn));
	txn = begin(store, MAIL_STORE_READ);
	mail_stamp_t first;
	CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &first));
	CHECK_INT(first.txnid, txnid);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(first.timestamp / 1000000000 <= (uint64_t)now.tv_sec);
	CHECK(first.timestamp / 1000000000 + 60 > (uint64_t)now.tv_sec);
	mail_txn_abort(txn);
	mail_store_close(store);

	int len = raw_get(f.path, "domain", DOMAIN_KEY, DOMAIN_KEY_LEN, value, sizeof(value));
	if (!CHECK(len > HEADER, "%d", len)) {
		return;
	}
	static const uint64_t olds[] = { UINT64_C(0x7000000000000000), UINT64_MAX - 1, UINT64_MAX };
	EACH(c, olds) {
		for (int j = 0; j < 8; j++) {
			value[j] = (uint8_t)(*c >> (56 - 8 * j));
		}
		CHECK(raw_put(f.path, "domain", DOMAIN_KEY, DOMAIN_KEY_LEN, value, (size_t)len));
		store = fixture_open(&f, MAIL_STORE_WRITE);
		txn = begin(store, MAIL_STORE_WRITE);
		CHECK_OK(put_domain(txn, "example.org", "default"));
		mail_stamp_t stamp;
		CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &stamp));
		uint64_t want = *c == UINT64_MAX ? UINT64_MAX : *c + 1;
		CHECK(stamp.timestamp == want, "%" PRIx64, stamp.timestamp);
		CHECK_OK(mail_txn_commit(txn));
		mail_store_close(store);
	}
	fixture_remove(&f);
}

static void test_append(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	/* In order, equal, out of order: all end where they belong. */
	static const char *const ids[] = { "a.org", "b.org", "d.org", "d.org", "c.org", "x.a.org" };
	for (size_t i = 0; txn != NULL && i < COUNT(ids); i++) {
		mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, ids[i], MAIL_ITEM_POLICY,
		                               "default");
		int ret = entry != NULL ? mail_txn_append(txn, entry) : KNOT_ENOMEM;
		CHECK(ret == KNOT_EOK, "%s: %d", ids[i], ret);
		mail_entry_free(entry);
	}
	static const char *const order[] = { "a.org", "x.a.org", "b.org", "c.org", "d.org" };
	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry;
	for (size_t i = 0; txn != NULL && i < COUNT(order); i++) {
		int ret = mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, &entry);
		if (CHECK(ret == KNOT_EOK, "%zu: %d", i, ret)) {
			CHECK(mail_str_is(entry->id, order[i]), "%zu: %.*s", i, (int)entry->id.len,
			      entry->id.data);
		}
		mail_entry_free(entry);
	}
	CHECK_INT(mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, &entry), KNOT_ENOENT);
	CHECK(entry == NULL);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

static void test_tombstones(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	mail_stamp_t before, after;
	CHECK_OK(put_domain(txn, "example.org", "default"));
	CHECK_OK(put_domain(txn, "example.net", "default"));
	CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &before));
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org")));
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &after), KNOT_ENOENT);
	CHECK(after.timestamp > before.timestamp);
	CHECK_INT(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org")), KNOT_ENOENT);
	CHECK_INT(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR("none.org")), KNOT_ENOENT);

	mail_lf_storage_t key = { 0 };
	mail_entry_t *entry;
	CHECK_OK(mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, &entry));
	CHECK(entry != NULL && mail_str_is(entry->id, "example.net"));
	mail_entry_free(entry);
	CHECK_INT(mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, &entry), KNOT_ENOENT);
	/* The same without reading what is met. */
	const size_t key_len = key.len;
	key.len = 0;
	CHECK_OK(mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, NULL));
	CHECK_INT(key.len, key_len);
	CHECK_INT(mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, NULL), KNOT_ENOENT);
	mail_store_stat_t stat;
	CHECK_OK(mail_txn_stat(txn, &stat));
	CHECK(stat.replicated);
	CHECK_INT(stat.entries[MAIL_SECTION_DOMAIN], 2);
	CHECK_INT(mail_txn_tombstones(txn, MAIL_SECTION_DOMAIN), 1);
	CHECK_INT(mail_txn_tombstones(txn, MAIL_SECTION_HOST), 0);
	CHECK_OK(mail_txn_commit(txn));
	mail_store_close(store);

	/* Lightning Stream's layout, octet by octet. */
	uint8_t value[256];
	CHECK_INT(raw_get(f.path, "domain", DOMAIN_KEY, DOMAIN_KEY_LEN, value, sizeof(value)),
	          HEADER);
	for (int i = 0; i < 8; i++) {
		CHECK(value[i] == (uint8_t)(after.timestamp >> (56 - 8 * i)), "octet %d", i);
		CHECK(value[8 + i] == (uint8_t)(after.txnid >> (56 - 8 * i)), "octet %d", i);
	}
	static const uint8_t rest[8] = { 0, 1, 0, 0, 0, 0, 0, 0 };
	CHECK_INT(memcmp(value + 16, rest, sizeof(rest)), 0);

	/* It comes back with a newer stamp. */
	store = fixture_open(&f, MAIL_STORE_WRITE);
	txn = begin(store, MAIL_STORE_WRITE);
	CHECK_OK(put_domain(txn, "example.org", "default"));
	CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &before));
	CHECK(before.timestamp > after.timestamp);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

static void test_purge(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	put_entries(txn);
	mail_stamp_t old, gone, newest;
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_HOST, MAIL_STR("mail")));
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR("policy:business/s1")));
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR("example.org/s1")));
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DKIM, "example.org/s1", &gone), KNOT_ENOENT);
	CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &old));
	CHECK(old.timestamp < gone.timestamp);

	/* Older than the last tombstone: the two before it. */
	CHECK_INT(mail_txn_purge(txn, gone.timestamp), 2);
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DKIM, "example.org/s1", &newest), KNOT_ENOENT);
	CHECK_INT(newest.timestamp, gone.timestamp);
	CHECK_INT(mail_txn_purge(txn, UINT64_MAX), 1);
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DKIM, "example.org/s1", &newest), KNOT_ENOENT);
	CHECK_INT(newest.timestamp, 0);
	/* The tombstone had the newest stamp of the domain: the serial must not go back with it. */
	CHECK_OK(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.org", &newest));
	CHECK_INT(newest.timestamp, gone.timestamp);
	CHECK_INT(mail_txn_purge(txn, UINT64_MAX), 0);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

static void test_serial_after_delete(void)
{
	static const struct {
		const char *id;
		mail_section_t owner;
		const char *owner_id;
	} cases[] = {
		{ "example.org/s1", MAIL_SECTION_DOMAIN, "example.org" },
		{ "policy:business/s1", MAIL_SECTION_POLICY, "business" },
	};
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	put_entries(txn);
	CHECK_OK(mail_txn_commit(txn));
	txn = begin(store, MAIL_STORE_WRITE);
	for (size_t i = 0; txn != NULL && i < COUNT(cases); i++) {
		mail_stamp_t owner, key, then;
		(void)stamp_of(txn, cases[i].owner, cases[i].owner_id, &owner);
		(void)stamp_of(txn, MAIL_SECTION_DKIM, cases[i].id, &key);
		int ret = mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR(cases[i].id));
		CHECK(ret == KNOT_EOK, "case %zu: %d", i, ret);
		CHECK_INT(stamp_of(txn, MAIL_SECTION_DKIM, cases[i].id, &then), KNOT_ENOENT);
		CHECK(then.timestamp == 0, "case %zu: a tombstone stayed", i);
		CHECK_OK(stamp_of(txn, cases[i].owner, cases[i].owner_id, &then));
		CHECK(then.timestamp > owner.timestamp && then.timestamp > key.timestamp,
		      "case %zu", i);
		CHECK(then.txnid == mail_txn_id(txn), "case %zu", i);
		mail_entry_t *entry = NULL;
		ret = mail_txn_get(txn, cases[i].owner, MAIL_STR(cases[i].owner_id), &entry);
		CHECK(ret == KNOT_EOK && entry->count == 1, "case %zu: %d", i, ret);
		mail_entry_free(entry);
	}
	/* A key whose domain is not there. */
	CHECK_OK(put_dkim(txn, "example.net/s1"));
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR("example.net/s1")));
	mail_stamp_t stamp;
	CHECK_INT(stamp_of(txn, MAIL_SECTION_DOMAIN, "example.net", &stamp), KNOT_ENOENT);
	CHECK_INT(stamp.timestamp, 0);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

/*! Damage to the value of example.org. */
static const struct {
	const char *what;
	size_t cut; /* Octets that stay; 0: all. */
	int at;     /* Octet that is changed; -1: none. */
	uint8_t to;
	bool blocks; /* Two extension blocks are put in. */
	int ret;
} damages[] = {
	{ "sound", 0, -1, 0, false, KNOT_EOK },
	{ "one octet", 1, -1, 0, false, KNOT_EMALF },
	{ "half a header", 23, -1, 0, false, KNOT_EMALF },
	{ "a header only", 24, -1, 0, false, KNOT_EMALF },
	{ "newer header", 0, 16, 1, false, KNOT_ENOTSUP },
	{ "flags that are not ours", 0, 17, 0xfe, false, KNOT_EOK },
	{ "reserved octets", 0, 20, 0xff, false, KNOT_EOK },
	{ "blocks that are not there", 0, 23, 200, false, KNOT_EMALF },
	{ "many blocks that are not there", 0, 22, 255, false, KNOT_EMALF },
	{ "extension blocks", 0, -1, 0, true, KNOT_EOK },
	{ "extension blocks, cut", HEADER + 15, -1, 0, true, KNOT_EMALF },
	{ "newer entry", 0, HEADER, 99, false, KNOT_ENOTSUP },
};

static void check_damaged(const fixture_t *f, size_t i)
{
	int want = damages[i].ret;
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	mail_entry_t *entry = NULL;
	int ret = mail_txn_get(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org"), &entry);
	CHECK(ret == want, "%s: %d", damages[i].what, ret);
	mail_entry_free(entry);

	/* Not the parent's data, which are sound. */
	mail_lf_storage_t key;
	mail_lf_t above = { 0 };
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("_dmarc.example.org"), &key);
	const mail_source_t *source = mail_txn_source(txn);
	mail_domain_t domain;
	ret = source->domain_above(source, mail_lf(&key), &above, &domain);
	CHECK(ret == KNOT_EOK && above.len == DOMAIN_KEY_LEN && domain.error == want, "%s: %d %d",
	      damages[i].what, ret, domain.error);

	/* Its neighbours meet it by name, from both sides. */
	mail_lf_storage_t found;
	static const struct {
		const char *name;
		mail_seek_t seek;
	} sides[] = { { "-.example.org", MAIL_SEEK_BEFORE }, { "exampld.org", MAIL_SEEK_AFTER } };
	for (size_t j = 0; j < COUNT(sides); j++) {
		(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(sides[j].name), &key);
		ret = source->domain_seek(source, mail_lf(&key), sides[j].seek, &found, &domain);
		CHECK(ret == KNOT_EOK && mail_lf_equal(mail_lf(&found), MAIL_LF(DOMAIN_KEY)) &&
		              domain.error == want,
		      "%s: %zu: %d", damages[i].what, j, ret);
	}

	/* A walk meets it, names it and goes on. */
	key.len = 0;
	unsigned met = 0;
	bool named = false;
	while ((ret = mail_txn_next(txn, MAIL_SECTION_DOMAIN, &key, &entry)) != KNOT_ENOENT &&
	       met < 9) {
		met++;
		named |= mail_lf_equal(mail_lf(&key), MAIL_LF(DOMAIN_KEY)) && ret == want;
		mail_entry_free(entry);
	}
	CHECK(met == 3 && named, "%s: %u", damages[i].what, met);

	/* It can be written anew, and deleted. */
	if (i % 2 == 0) {
		ret = put_domain(txn, "example.org", "default");
		CHECK(ret == KNOT_EOK, "%s: %d", damages[i].what, ret);
	}
	ret = mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org"));
	CHECK(ret == KNOT_EOK, "%s: %d", damages[i].what, ret);
	ret = mail_txn_get(txn, MAIL_SECTION_DOMAIN, MAIL_STR("example.org"), &entry);
	CHECK(ret == KNOT_ENOENT, "%s: %d", damages[i].what, ret);
	CHECK_OK(mail_txn_commit(txn));
	mail_store_close(store);
}

static void test_damaged(void)
{
	for (size_t i = 0; i < COUNT(damages); i++) {
		fixture_t f;
		mail_store_t *store = store_begin(&f, false, SMALL);
		mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
		static const char *const ids[] = { "org", "example.org", "example2.org" };
		EACH(c, ids) {
			CHECK_OK(put_domain(txn, *c, "default"));
		}
		CHECK_OK(mail_txn_commit(txn));
		mail_store_close(store);

		uint8_t value[512];
		int len = raw_get(f.path, "domain", DOMAIN_KEY, DOMAIN_KEY_LEN, value, 256);
		if (!CHECK(len > HEADER, "%d", len)) {
			return;
		}
		if (damages[i].blocks) {
			memmove(value + HEADER + 16, value + HEADER, (size_t)len - HEADER);
			memset(value + HEADER, 0xff, 16);
			value[23] = 2;
			len += 16;
		}
		if (damages[i].at >= 0) {
			value[damages[i].at] = damages[i].to;
		}
		size_t keep = damages[i].cut != 0 ? damages[i].cut : (size_t)len;
		CHECK(raw_put(f.path, "domain", DOMAIN_KEY, DOMAIN_KEY_LEN, value, keep));
		check_damaged(&f, i);
		fixture_remove(&f);
	}
}

static void test_map_full(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, false, (size_t)1 << 20);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	CHECK_OK(put_domain(txn, "example.org", "default"));
	CHECK_OK(mail_txn_commit(txn));

	txn = begin(store, MAIL_STORE_WRITE);
	int ret = KNOT_EOK;
	for (unsigned i = 0; ret == KNOT_EOK && i < 1000000; i++) {
		char id[32];
		snprintf(id, sizeof(id), "d%06u.example.org", i);
		ret = put_domain(txn, id, "default");
	}
	CHECK_INT(ret, KNOT_ESPACE);
	CHECK_INT(put_domain(txn, "example.net", "default"), KNOT_ESPACE);
	CHECK_INT(mail_txn_commit(txn), KNOT_ESPACE);

	txn = begin(store, MAIL_STORE_WRITE);
	mail_store_stat_t stat;
	CHECK_OK(mail_txn_stat(txn, &stat));
	CHECK_INT(stat.entries[MAIL_SECTION_DOMAIN], 1);
	CHECK_INT(stat.map_size, (size_t)1 << 20);
	CHECK(stat.used > 0 && stat.used < stat.map_size / 2);
	CHECK_OK(mail_txn_commit(txn));
	store_end(&f, store);
}

static void test_newer_readers(void)
{
	fixture_t f;
	REQUIRE(fixture_make(&f, false, SMALL));
	/* The store says that some reader of it knows only version 0 of the values. */
	uint8_t value[HEADER + 4] = { [7] = 1 };
	CHECK(raw_put(f.path, "meta", "values", 6, value, sizeof(value)));
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn;
	CHECK_INT(mail_txn_begin(store, MAIL_STORE_WRITE, &txn), KNOT_ENOTSUP);
	CHECK(txn == NULL);
	CHECK_OK(mail_txn_begin(store, MAIL_STORE_READ, &txn));
	mail_txn_abort(txn);
	store_end(&f, store);
}

static void test_backup(void)
{
	fixture_t f, copy;
	if (!fixture_make(&f, false, SMALL) || !fixture_dir(&copy)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	put_entries(txn);
	CHECK_OK(mail_txn_commit(txn));
	mail_diag_t diag = { 0 };
	CHECK_INT(mail_store_backup(store, copy.path, &diag), KNOT_ENOENT);
	CHECK_INT(mkdir(copy.path, 0700), 0);
	int ret = mail_store_backup(store, copy.path, &diag);
	CHECK(ret == KNOT_EOK, "%d: %s", ret, diag.text);
	CHECK_INT(mail_store_backup(store, copy.path, &diag), KNOT_EEXIST);
	CHECK_INT(mode_of(copy.data), 0660);
	/* Nothing else is left there. */
	CHECK_INT(mode_of(copy.lock), 0);
	uint64_t epoch = mail_store_epoch(store);

	/* Both are open at the same time; a lock file is made as it has to be, whatever the umask. */
	mode_t mask = umask(077);
	mail_store_t *second = fixture_open(&copy, MAIL_STORE_READ);
	umask(mask);
	CHECK_INT(mode_of(copy.lock), 0660);
	CHECK(mail_store_epoch(second) != epoch);
	txn = begin(second, MAIL_STORE_READ);
	check_entries(txn);
	mail_store_stat_t stat;
	CHECK_OK(mail_txn_stat(txn, &stat));
	CHECK_INT(stat.map_size, SMALL);
	mail_txn_abort(txn);
	mail_store_close(second);
	mail_store_close(store);

	/* The copy is all there is in the directory, but for its lock. */
	CHECK_INT(unlink(copy.lock), 0);
	CHECK_INT(unlink(copy.data), 0);
	CHECK_INT(rmdir(copy.path), 0);
	fixture_remove(&copy);
	fixture_remove(&f);
}

UNIT_MAIN("store", TEST("entries of all sections", test_round_trip),
          TEST("an aborted transaction changes nothing", test_abort),
          TEST("stamps never go back", test_stamps), TEST("append", test_append),
          TEST("tombstones of a replicated store", test_tombstones), TEST("purge", test_purge),
          TEST("the serial moves on when a key is deleted", test_serial_after_delete),
          TEST("damaged values", test_damaged), TEST("a full map", test_map_full),
          TEST("readers that know less", test_newer_readers), TEST("backup", test_backup))
