/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store as the source of the model: every look-up against a search through an array. */

#include "store_fixture.h"

#define SMALL ((size_t)64 << 20)
#define STORED 600
#define ASKED 6000

typedef struct {
	uint8_t key[MAIL_KEY_MAX];
	size_t len;
	bool live;
} name_t;

static name_t stored[STORED];
static size_t stored_count;

/*! A generator that gives the same on every machine. */
static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/*! Labels that are prefixes of each other, and the octets 00 and 01 that keys escape. */
static const struct {
	const char *octets;
	size_t len;
} labels[] = {
	{ "org", 3 },
	{ "or", 2 },
	{ "example", 7 },
	{ "example2", 8 },
	{ "exampl", 6 },
	{ "a", 1 },
	{ "_dmarc", 6 },
	{ "\0", 1 },
	{ "\1", 1 },
	{ "\0\1", 2 },
	{ "org\0example", 11 },
	{ "\1\1", 2 },
	{ "a\1", 2 },
	{ "\xff", 1 },
	{ "-", 1 },
	{ "www", 3 },
};
#define LABELS (sizeof(labels) / sizeof(labels[0]))

/*! Makes the key of a random name, by way of its wire name. */
static size_t random_key(uint8_t *key, unsigned least, unsigned most)
{
	uint8_t wire[KNOT_DNAME_MAXLEN];
	size_t len = 0;
	for (unsigned n = least + rnd(most - least + 1); n > 0; n--) {
		size_t label = rnd(n == 1 ? 4 : LABELS);
		wire[len++] = (uint8_t)labels[label].len;
		memcpy(wire + len, labels[label].octets, labels[label].len);
		len += labels[label].len;
	}
	wire[len] = 0;
	return mail_name_key(wire, key);
}

static int compare(const void *a, const void *b)
{
	const name_t *x = a, *y = b;
	int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/*! Fills the array with different names and the store with the same. */
static bool fill(mail_store_t *store)
{
	stored_count = 0;
	while (stored_count < STORED) {
		name_t *name = &stored[stored_count];
		name->len = random_key(name->key, rnd(100) == 0 ? 1 : 3, 5);
		name->live = rnd(4) > 0;
		bool known = false;
		for (size_t i = 0; i < stored_count; i++) {
			known |= stored[i].len == name->len &&
			         memcmp(stored[i].key, name->key, name->len) == 0;
		}
		stored_count += !known;
	}
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	bool ok = txn != NULL;
	for (size_t i = 0; ok && i < stored_count; i++) {
		mail_buf_t id = { 0 };
		int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, stored[i].key, stored[i].len,
		                                 &id);
		mail_buf_u8(&id, 0);
		if (ret == KNOT_EOK) {
			ret = put_domain(txn, (const char *)id.data, "default");
		}
		if (ret == KNOT_EOK && !stored[i].live) {
			ret = mail_txn_del(txn, MAIL_SECTION_DOMAIN,
			                   MAIL_STR((const char *)id.data));
		}
		ok = UNIT_CHECK(ret == KNOT_EOK, "name %zu '%s': %d", i, (const char *)id.data,
		                ret);
		mail_buf_free(&id);
	}
	qsort(stored, stored_count, sizeof(stored[0]), compare);
	int ret = mail_txn_commit(txn);
	return UNIT_CHECK(ret == KNOT_EOK, "%d", ret) && ok;
}

/*! The longest live name at or above a key, by looking at all. */
static int above(const uint8_t *key, size_t len)
{
	int best = KNOT_ENOENT;
	for (size_t i = 0; i < stored_count; i++) {
		if (stored[i].live && mail_key_in(key, len, stored[i].key, stored[i].len) &&
		    (int)stored[i].len > best) {
			best = (int)stored[i].len;
		}
	}
	return best;
}

/*! The first live name after a key, by looking at all in order. */
static const name_t *after(const uint8_t *key, size_t len, bool from)
{
	name_t want = { .len = len };
	memcpy(want.key, key, len);
	for (size_t i = 0; i < stored_count; i++) {
		int order = compare(&stored[i], &want);
		if (stored[i].live && (order > 0 || (from && order == 0))) {
			return &stored[i];
		}
	}
	return NULL;
}

/*! The last live name before a key, likewise. */
static const name_t *before(const uint8_t *key, size_t len)
{
	name_t want = { .len = len };
	memcpy(want.key, key, len);
	for (size_t i = stored_count; i-- > 0;) {
		if (stored[i].live && compare(&stored[i], &want) < 0) {
			return &stored[i];
		}
	}
	return NULL;
}

/*! A question: random, or one around a stored name. */
static size_t question(uint8_t *key)
{
	if (rnd(2) == 0) {
		return random_key(key, 1, 8);
	}
	const name_t *name = &stored[rnd((uint32_t)stored_count)];
	memcpy(key, name->key, name->len);
	size_t len = name->len;
	switch (rnd(4)) {
	case 0:
		/* Below it. */
		key[len++] = 0;
		return len + random_key(key + len, 1, 2);
	case 1:
		/* Beside it, with one octet more. */
		key[len++] = 'x';
		return len;
	default: return len;
	}
}

static void check_questions(mail_txn_t *txn)
{
	const mail_source_t *source = mail_txn_source(txn);
	unsigned found = 0;
	for (unsigned i = 0; i < ASKED; i++) {
		uint8_t key[MAIL_KEY_MAX * 2], next[MAIL_KEY_MAX];
		size_t len = question(key);
		mail_domain_t domain = { 0 };
		int want = above(key, len);
		int ret = source->domain_above(source, key, len, &domain);
		UNIT_CHECK(ret == want, "question %u: %d, not %d", i, ret, want);
		if (ret > 0) {
			found++;
			UNIT_CHECK(mail_str_is(domain.policy, "default"), "question %u", i);
			UNIT_CHECK(domain.stamp.timestamp > 1, "question %u", i);
		}
		bool from = rnd(2) == 0;
		const name_t *name = after(key, len, from);
		ret = source->domain_next(source, key, len, from, next, &domain);
		UNIT_CHECK(name == NULL ? ret == KNOT_ENOENT
		                        : ret == (int)name->len &&
		                                  memcmp(next, name->key, name->len) == 0,
		           "question %u: next: %d", i, ret);
		name = before(key, len);
		ret = source->domain_prev(source, key, len, next, &domain);
		UNIT_CHECK(name == NULL ? ret == KNOT_ENOENT
		                        : ret == (int)name->len &&
		                                  memcmp(next, name->key, name->len) == 0,
		           "question %u: prev: %d", i, ret);
	}
	/* It was a test only if many matched and many did not. */
	CU_ASSERT(found > ASKED / 5 && found < ASKED - ASKED / 5);
}

static void test_brute_force(void)
{
	static const uint32_t seeds[] = { 1, 4711, 20261122 };
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		seed = seeds[i];
		fixture_t f;
		if (!fixture_make(&f, true, SMALL)) {
			return;
		}
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		if (store != NULL && fill(store)) {
			mail_txn_t *txn = begin(store, MAIL_STORE_READ);
			check_questions(txn);
			/* The same cursor in the next snapshot. */
			mail_txn_reset(txn);
			CU_ASSERT_EQUAL(mail_txn_renew(txn), KNOT_EOK);
			check_questions(txn);
			mail_txn_abort(txn);
			/* And a writer's. */
			txn = begin(store, MAIL_STORE_WRITE);
			check_questions(txn);
			mail_txn_abort(txn);
		}
		mail_store_close(store);
		fixture_remove(&f);
	}
}

/*! The key of a name in text. */
static size_t key_of(const char *name, uint8_t *key)
{
	int len = mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(name), key);
	return len > 0 ? (size_t)len : 0;
}

static void test_edges(void)
{
	fixture_t f;
	if (!fixture_make(&f, true, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	const mail_source_t *source = mail_txn_source(txn);
	uint8_t key[MAIL_KEY_MAX], next[MAIL_KEY_MAX];
	mail_domain_t domain;
	mail_dkim_t dkim;
	bool deleted;
	size_t len = key_of("example.org", key);

	/* Empty databases. */
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_next(source, key, 0, true, next, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_next(source, key, len, false, next, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_prev(source, key, len, next, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_prev(source, key, 0, next, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->dkim_prev(source, key, len, next, &dkim, &deleted), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->dkim_get(source, key, len, &dkim), KNOT_ENOENT);
	CU_ASSERT_EQUAL(dkim.stamp.timestamp, 0);
	CU_ASSERT_EQUAL(source->dkim_next(source, key, 0, true, next, &dkim, &deleted),
	                KNOT_ENOENT);

	/* The root, which cannot be stored. */
	CU_ASSERT_EQUAL(put_domain(txn, "example.org", "default"), KNOT_EOK);
	CU_ASSERT_EQUAL(source->domain_above(source, key, 0, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->get(source, MAIL_SECTION_DOMAIN, key, 0, NULL, NULL), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_next(source, key, 0, false, next, &domain), (int)len);
	CU_ASSERT_EQUAL(source->domain_prev(source, key, 0, next, &domain), KNOT_ENOENT);
	CU_ASSERT_EQUAL(source->domain_prev(source, key, len, next, &domain), KNOT_ENOENT);

	/* The longest names: 4 labels and 127. */
	char text[600] = "";
	static const unsigned sizes[] = { 63, 63, 63, 61 };
	for (size_t i = 0; i < 4; i++) {
		for (unsigned j = 0; j < sizes[i]; j++) {
			strcat(text, "a");
		}
		strcat(text, i < 3 ? "." : "");
	}
	CU_ASSERT_EQUAL(put_domain(txn, text, "default"), KNOT_EOK);
	len = key_of(text, key);
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), (int)len);
	text[0] = '\0';
	for (unsigned i = 0; i < 127; i++) {
		strcat(text, i > 0 ? ".a" : "b");
	}
	len = key_of(text, key);
	CU_ASSERT_EQUAL(len, 253);
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), KNOT_ENOENT);
	/* Above it a tombstone at every label but the first: the walk ends, and finds that one. */
	for (size_t i = 2; i <= 252; i += 2) {
		CU_ASSERT_EQUAL(put_domain(txn, text + i, "default"), KNOT_EOK);
		if (i < 252) {
			CU_ASSERT_EQUAL(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(text + i)),
			                KNOT_EOK);
		}
	}
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), 1);

	/* Nothing is read in a transaction that was reset. */
	CU_ASSERT_EQUAL(mail_txn_commit(txn), KNOT_EOK);
	txn = begin(store, MAIL_STORE_READ);
	source = mail_txn_source(txn);
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), 1);
	CU_ASSERT_EQUAL(mail_txn_renew(txn), KNOT_EINVAL);
	mail_txn_reset(txn);
	mail_txn_reset(txn);
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), KNOT_EINVAL);
	CU_ASSERT_EQUAL(source->dkim_get(source, key, len, &dkim), KNOT_EINVAL);
	mail_store_stat_t stat;
	CU_ASSERT_EQUAL(mail_txn_stat(txn, &stat), KNOT_EINVAL);
	CU_ASSERT_EQUAL(mail_txn_renew(txn), KNOT_EOK);
	CU_ASSERT_EQUAL(source->domain_above(source, key, len, &domain), 1);
	mail_txn_reset(txn);
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

/*! What a transaction remembers of names that are nobody's does not outlive the snapshot. */
static void test_bare(void)
{
	static const struct {
		const char *id; /* Put, or with '-' deleted, before the questions. */
		const char *a, *b;
	} steps[] = {
		{ "b.a.example", NULL, NULL },
		{ "example", "example", "example" },
		{ "-example", NULL, NULL },
		{ "a.example", "a.example", NULL },
		{ "c.b.a.example", "a.example", NULL },
		{ "-a.example", NULL, NULL },
		{ "test", NULL, NULL },
		{ "example", "example", "example" },
	};
	fixture_t f;
	if (!fixture_make(&f, true, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *reader = begin(store, MAIL_STORE_READ);
	for (size_t i = 0; reader != NULL && i < sizeof(steps) / sizeof(steps[0]); i++) {
		mail_txn_t *writer = begin(store, MAIL_STORE_WRITE);
		const char *id = steps[i].id;
		int ret = *id == '-' ? mail_txn_del(writer, MAIL_SECTION_DOMAIN, MAIL_STR(id + 1))
		                     : put_domain(writer, id, "default");
		UNIT_CHECK(ret == KNOT_EOK && mail_txn_commit(writer) == KNOT_EOK, "%zu: %d", i,
		           ret);
		mail_txn_reset(reader);
		CU_ASSERT_EQUAL(mail_txn_renew(reader), KNOT_EOK);
		const mail_source_t *source = mail_txn_source(reader);
		/* Twice: the second time from memory. */
		for (unsigned j = 0; j < 4; j++) {
			const char *asked = j % 2 == 0 ? "x.a.example" : "zz.example";
			const char *want = j % 2 == 0 ? steps[i].a : steps[i].b;
			uint8_t key[MAIL_KEY_MAX], want_key[MAIL_KEY_MAX];
			mail_domain_t domain;
			const size_t len = key_of(asked, key);
			const int want_len = want != NULL ? (int)key_of(want, want_key)
			                                  : KNOT_ENOENT;
			ret = source->domain_above(source, key, len, &domain);
			UNIT_CHECK(ret == want_len, "%zu: %s: %d, not %d", i, asked, ret, want_len);
		}
	}
	mail_txn_abort(reader);
	mail_store_close(store);
	fixture_remove(&f);
}

static void test_limit(void)
{
	fixture_t f;
	if (!fixture_make(&f, true, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	/* A live one on each side of 64 tombstones. */
	for (unsigned i = 0; i <= 65; i++) {
		char id[32];
		snprintf(id, sizeof(id), "d%02u.example.org", i);
		CU_ASSERT_EQUAL(put_domain(txn, id, "default"), KNOT_EOK);
		if (i > 0 && i < 65) {
			CU_ASSERT_EQUAL(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(id)),
			                KNOT_EOK);
		}
	}
	const mail_source_t *source = mail_txn_source(txn);
	static const struct {
		unsigned limit;
		const char *up, *down; /* Where the walks end. */
		bool met;
	} cases[] = {
		{ 0, "d65", "d00", false }, { 64, "d64", "d01", true }, { 65, "d65", "d00", false },
		{ 1, "d01", "d64", true },  { 2, "d02", "d63", true },
	};
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const bool up = i % 2 == 0;
		uint8_t key[MAIL_KEY_MAX], next[MAIL_KEY_MAX], want[MAIL_KEY_MAX];
		char id[32];
		mail_domain_t domain;
		snprintf(id, sizeof(id), "%s.example.org",
		         up ? cases[i / 2].up : cases[i / 2].down);
		const size_t want_len = key_of(id, want);
		const size_t len = key_of(up ? "d00.example.org" : "d65.example.org", key);
		mail_txn_limit(txn, cases[i / 2].limit);
		int ret = up ? source->domain_next(source, key, len, false, next, &domain)
		             : source->domain_prev(source, key, len, next, &domain);
		const size_t got = ret == KNOT_ELIMIT ? domain.passed : (size_t)ret;
		UNIT_CHECK((ret == KNOT_ELIMIT) == cases[i / 2].met && got == want_len &&
		                   memcmp(next, want, want_len) == 0,
		           "case %zu: %d", i, ret);
	}
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

static void test_dkim(void)
{
	static const char *const ids[] = {
		/* In the order of their keys: a policy's come first. */
		"policy:business/s1", "policy:business/s2", "policy:other/s1",  "example.net/s1",
		"example.org/s1",     "example.org/s2",     "a.example.org/s1",
	};
	enum { COUNT = sizeof(ids) / sizeof(ids[0]), GONE = 5 };
	fixture_t f;
	if (!fixture_make(&f, true, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	for (size_t i = 0; i < COUNT; i++) {
		int ret = put_dkim(txn, ids[COUNT - 1 - i]);
		UNIT_CHECK(ret == KNOT_EOK, "%s: %d", ids[COUNT - 1 - i], ret);
	}
	CU_ASSERT_EQUAL(mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR(ids[GONE])), KNOT_EOK);

	const mail_source_t *source = mail_txn_source(txn);
	uint8_t key[MAIL_KEY_MAX], at[MAIL_KEY_MAX];
	size_t at_len = 0;
	mail_dkim_t dkim;
	bool deleted;
	bool seen[COUNT] = { false };
	for (size_t i = 0; i < COUNT; i++) {
		int ret = source->dkim_next(source, at, at_len, false, at, &dkim, &deleted);
		if (!UNIT_CHECK(ret > 0, "key %zu: %d", i, ret)) {
			break;
		}
		at_len = (size_t)ret;
		mail_buf_t id = { 0 };
		CU_ASSERT_EQUAL(mail_entry_id_from_key(MAIL_SECTION_DKIM, at, at_len, &id),
		                KNOT_EOK);
		size_t j = 0;
		while (j < COUNT && !mail_str_is(mail_buf_view(&id), ids[j])) {
			j++;
		}
		mail_buf_free(&id);
		if (!UNIT_CHECK(j < COUNT && !seen[j], "key %zu", i)) {
			continue;
		}
		seen[j] = true;
		UNIT_CHECK((j < 3) == (i < 3), "%s: at place %zu", ids[j], i);
		UNIT_CHECK(deleted == (j == GONE), "%s", ids[j]);
		UNIT_CHECK(dkim.stamp.timestamp > 1, "%s", ids[j]);
		UNIT_CHECK(mail_str_is(dkim.cname, j == GONE ? "" : "s1.dkim.example.com."), "%s",
		           ids[j]);
	}
	CU_ASSERT_EQUAL(source->dkim_next(source, at, at_len, false, at, &dkim, &deleted),
	                KNOT_ENOENT);

	/* Backwards, from behind all keys: each is met once more, and what it says is the same. */
	uint8_t last[] = { 0xff };
	memcpy(at, last, at_len = sizeof(last));
	for (size_t i = COUNT; i > 0; i--) {
		uint8_t up[MAIL_KEY_MAX];
		bool gone;
		mail_dkim_t same;
		int ret = source->dkim_prev(source, at, at_len, at, &dkim, &deleted);
		if (!UNIT_CHECK(ret > 0, "key %zu: %d", i, ret)) {
			break;
		}
		at_len = (size_t)ret;
		ret = source->dkim_next(source, at, at_len, true, up, &same, &gone);
		UNIT_CHECK(ret == (int)at_len && memcmp(up, at, at_len) == 0 && gone == deleted &&
		                   mail_str_equal(same.cname, dkim.cname) &&
		                   same.stamp.timestamp == dkim.stamp.timestamp,
		           "key %zu: %d", i, ret);
	}
	CU_ASSERT_EQUAL(source->dkim_prev(source, at, at_len, at, &dkim, &deleted), KNOT_ENOENT);

	for (size_t i = 0; i < COUNT; i++) {
		int len = mail_entry_key(MAIL_SECTION_DKIM, MAIL_STR(ids[i]), key);
		int ret = source->dkim_get(source, key, (size_t)len, &dkim);
		UNIT_CHECK(ret == (i == GONE ? KNOT_ENOENT : KNOT_EOK), "%s: %d", ids[i], ret);
		UNIT_CHECK(dkim.stamp.timestamp > 1, "%s", ids[i]);
		ret = source->dkim_next(source, key, (size_t)len, true, at, &dkim, &deleted);
		UNIT_CHECK(ret == len && memcmp(at, key, (size_t)len) == 0, "%s: %d", ids[i], ret);
	}
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

static const unit_test_t tests[] = { { "domains, against a search through all", test_brute_force },
	                             { "empty, longest, deepest", test_edges },
	                             { "names that are nobody's", test_bare },
	                             { "a bound on tombstones", test_limit },
	                             { "DKIM keys", test_dkim },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("store_source", tests);
}
