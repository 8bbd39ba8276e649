/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store as the source of the model: every look-up against a search through an array. */

#include "mail/chars.h"
#include "mail/dkim_id.h"
#include "lib/steps.h"
#include "lib/store_fixture.h"

#define SMALL ((size_t)64 << 20)
#define STORED 600
#define ASKED 6000

typedef struct {
	mail_lf_storage_t lf;
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
#define LABELS (COUNT(labels))

/*! Make a random name, by way of its wire name. */
static void random_name(mail_lf_storage_t *lf, unsigned least, unsigned most)
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
	mail_name_lf(wire, lf);
}

static int compare(const void *a, const void *b)
{
	const name_t *x = a, *y = b;
	return mail_lf_compare(mail_lf(&x->lf), mail_lf(&y->lf));
}

/*! Fill the array with different names and the store with the same. */
static bool fill(mail_store_t *store)
{
	stored_count = 0;
	while (stored_count < STORED) {
		name_t *name = &stored[stored_count];
		random_name(&name->lf, rnd(100) == 0 ? 1 : 3, 5);
		name->live = rnd(4) > 0;
		bool known = false;
		for (size_t i = 0; i < stored_count; i++) {
			known |= compare(&stored[i], name) == 0;
		}
		stored_count += !known;
	}
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	bool ok = txn != NULL;
	for (size_t i = 0; ok && i < stored_count; i++) {
		mail_buf_t id = { 0 };
		int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, mail_lf(&stored[i].lf), &id);
		mail_buf_u8(&id, 0);
		if (ret == KNOT_EOK) {
			ret = put_domain(txn, (const char *)id.data, "default");
		}
		if (ret == KNOT_EOK && !stored[i].live) {
			ret = mail_txn_del(txn, MAIL_SECTION_DOMAIN,
			                   MAIL_STR((const char *)id.data));
		}
		ok = CHECK(ret == KNOT_EOK, "name %zu '%s': %d", i, (const char *)id.data, ret);
		mail_buf_free(&id);
	}
	qsort(stored, stored_count, sizeof(stored[0]), compare);
	int ret = mail_txn_commit(txn);
	return CHECK_OK(ret) && ok;
}

/*! The length of the longest live name at or above a name, by looking at all. */
static int above(mail_lf_t lf)
{
	int best = KNOT_ENOENT;
	for (size_t i = 0; i < stored_count; i++) {
		const mail_lf_t at = mail_lf(&stored[i].lf);
		if (stored[i].live && mail_lf_in(lf, at) && (int)at.len > best) {
			best = (int)at.len;
		}
	}
	return best;
}

/*! Whether there is a name below one, live or not. */
static bool has_below(mail_lf_t lf)
{
	bool has = false;
	for (size_t i = 0; i < stored_count; i++) {
		has |= mail_lf_below(mail_lf(&stored[i].lf), lf);
	}
	return has;
}

/*! The live name beside a name, by looking at all in order. */
static const name_t *beside(mail_lf_t lf, mail_seek_t seek)
{
	const name_t *last = NULL;
	for (size_t i = 0; i < stored_count; i++) {
		const int order = mail_lf_compare(mail_lf(&stored[i].lf), lf);
		if (!stored[i].live) {
			continue;
		}
		if (seek == MAIL_SEEK_BEFORE) {
			last = order < 0 ? &stored[i] : last;
		} else if (order > 0 || (order == 0 && seek == MAIL_SEEK_FROM)) {
			return &stored[i];
		}
	}
	return last;
}

/*! Ask for the domain above. \return Length of its name, or an error. */
static int ask_above(const mail_source_t *source, const mail_lf_storage_t *lf,
                     mail_domain_t *domain)
{
	mail_lf_t found = { 0 };
	int ret = source->domain_above(source, mail_lf(lf), &found, domain);
	return ret == KNOT_EOK ? (int)found.len : ret;
}

/*! Ask for the domain beside. \return Length of its name, or an error. */
static int ask_beside(const mail_source_t *source, const mail_lf_storage_t *lf, mail_seek_t seek,
                      mail_lf_storage_t *found, mail_domain_t *domain)
{
	int ret = source->domain_seek(source, mail_lf(lf), seek, found, domain);
	return ret == KNOT_EOK ? (int)found->len : ret;
}

/*! A question: random, or one around a stored name. */
static void question(mail_lf_storage_t *lf)
{
	if (rnd(2) == 0) {
		random_name(lf, 1, 8);
		return;
	}
	mail_lf_storage_t below;
	*lf = stored[rnd((uint32_t)stored_count)].lf;
	switch (rnd(4)) {
	case 0:
		/* Below it. */
		random_name(&below, 1, 2);
		CHECK_OK(mail_lf_join(mail_lf(lf), mail_lf(&below), lf));
		break;
	case 1:
		/* Beside it, with one octet more. */
		lf->data[lf->len++] = 'x';
		break;
	default: break;
	}
}

static void check_questions(mail_txn_t *txn)
{
	const mail_source_t *source = mail_txn_source(txn);
	unsigned found = 0;
	for (unsigned i = 0; i < ASKED; i++) {
		mail_lf_storage_t lf, next;
		mail_domain_t domain = { 0 };
		question(&lf);
		int want = above(mail_lf(&lf));
		int ret = ask_above(source, &lf, &domain);
		CHECK(ret == want, "question %u: %d, not %d", i, ret, want);
		if (ret > 0) {
			found++;
			CHECK(mail_str_is(domain.policy, "default"), "question %u", i);
			CHECK(domain.stamp.timestamp > 1, "question %u", i);
			CHECK(!domain.alone || !has_below((mail_lf_t){ lf.data, (size_t)ret }),
			      "question %u", i);
		}
		for (mail_seek_t seek = MAIL_SEEK_FROM; seek <= MAIL_SEEK_BEFORE; seek++) {
			const name_t *name = beside(mail_lf(&lf), seek);
			ret = source->domain_seek(source, mail_lf(&lf), seek, &next, &domain);
			CHECK(name == NULL ? ret == KNOT_ENOENT
			                   : ret == KNOT_EOK && mail_lf_equal(mail_lf(&next),
			                                                      mail_lf(&name->lf)),
			      "question %u: seek %u: %d", i, seek, ret);
		}
	}
	/* It was a test only if many matched and many did not. */
	CHECK(found > ASKED / 5 && found < ASKED - ASKED / 5);
}

static void test_brute_force(void)
{
	static const uint32_t seeds[] = { 1, 4711, 20261122 };
	EACH(c, seeds) {
		seed = *c;
		fixture_t f;
		mail_store_t *store = store_begin(&f, true, SMALL);
		if (store != NULL && fill(store)) {
			mail_txn_t *txn = begin(store, MAIL_STORE_READ);
			check_questions(txn);
			/* The same cursor in the next snapshot. */
			mail_txn_reset(txn);
			CHECK_OK(mail_txn_renew(txn));
			check_questions(txn);
			mail_txn_abort(txn);
			/* And a writer's. */
			txn = begin(store, MAIL_STORE_WRITE);
			check_questions(txn);
			mail_txn_abort(txn);
		}
		store_end(&f, store);
	}
}

/*! A name in text. */
static void name_of(const char *name, mail_lf_storage_t *lf)
{
	lf->len = 0;
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(name), lf);
}

static void test_edges(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	const mail_source_t *source = mail_txn_source(txn);
	mail_lf_storage_t key, next;
	mail_domain_t domain;
	mail_dkim_t dkim;
	const mail_lf_storage_t root = { 0 };
	name_of("example.org", &key);

	/* Empty databases. */
	CHECK_INT(ask_above(source, &key, &domain), KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &root, MAIL_SEEK_FROM, &next, &domain), KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &key, MAIL_SEEK_AFTER, &next, &domain), KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &key, MAIL_SEEK_BEFORE, &next, &domain), KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &root, MAIL_SEEK_BEFORE, &next, &domain), KNOT_ENOENT);
	CHECK_INT(source->dkim_seek(source, mail_lf(&key), MAIL_SEEK_BEFORE, &next, &dkim),
	          KNOT_ENOENT);
	CHECK_INT(source->dkim_get(source, mail_lf(&key), &dkim), KNOT_ENOENT);
	CHECK_INT(dkim.stamp.timestamp, 0);
	CHECK_INT(source->dkim_seek(source, mail_lf(&root), MAIL_SEEK_FROM, &next, &dkim),
	          KNOT_ENOENT);

	/* The root, which cannot be stored. */
	CHECK_OK(put_domain(txn, "example.org", "default"));
	CHECK_INT(ask_above(source, &root, &domain), KNOT_ENOENT);
	CHECK_INT(source->get(source, MAIL_SECTION_DOMAIN, mail_lf(&root), NULL, NULL),
	          KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &root, MAIL_SEEK_AFTER, &next, &domain), (int)key.len);
	CHECK_INT(ask_beside(source, &root, MAIL_SEEK_BEFORE, &next, &domain), KNOT_ENOENT);
	CHECK_INT(ask_beside(source, &key, MAIL_SEEK_BEFORE, &next, &domain), KNOT_ENOENT);

	/* The longest names: 4 labels and 127. */
	char text[600] = "";
	static const unsigned sizes[] = { 63, 63, 63, 61 };
	for (size_t i = 0; i < 4; i++) {
		for (unsigned j = 0; j < sizes[i]; j++) {
			strcat(text, "a");
		}
		strcat(text, i < 3 ? "." : "");
	}
	CHECK_OK(put_domain(txn, text, "default"));
	name_of(text, &key);
	CHECK_INT(ask_above(source, &key, &domain), (int)key.len);
	text[0] = '\0';
	for (unsigned i = 0; i < 127; i++) {
		strcat(text, i > 0 ? ".a" : "b");
	}
	name_of(text, &key);
	CHECK_INT(key.len, 253);
	CHECK_INT(ask_above(source, &key, &domain), KNOT_ENOENT);
	/* Above it a tombstone at every label but the first: the walk ends, and finds that one. */
	for (size_t i = 2; i <= 252; i += 2) {
		CHECK_OK(put_domain(txn, text + i, "default"));
		if (i < 252) {
			CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(text + i)));
		}
	}
	CHECK_INT(ask_above(source, &key, &domain), 1);

	/* Nothing is read in a transaction that was reset. */
	CHECK_OK(mail_txn_commit(txn));
	txn = begin(store, MAIL_STORE_READ);
	source = mail_txn_source(txn);
	CHECK_INT(ask_above(source, &key, &domain), 1);
	CHECK_INT(mail_txn_renew(txn), KNOT_EINVAL);
	mail_txn_reset(txn);
	mail_txn_reset(txn);
	CHECK_INT(ask_above(source, &key, &domain), KNOT_EINVAL);
	CHECK_INT(source->dkim_get(source, mail_lf(&key), &dkim), KNOT_EINVAL);
	mail_store_stat_t stat;
	CHECK_INT(mail_txn_stat(txn, &stat), KNOT_EINVAL);
	CHECK_OK(mail_txn_renew(txn));
	CHECK_INT(ask_above(source, &key, &domain), 1);
	mail_txn_reset(txn);
	mail_txn_abort(txn);
	store_end(&f, store);
}

/*! What a transaction remembers of names that are nobody's does not outlive the snapshot. */
static void test_bare(void)
{
	static const struct {
		const char *id; /* Put, or with '-' deleted, before the questions. */
		const char *a, *b;
	} looks[] = {
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
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *reader = begin(store, MAIL_STORE_READ);
	for (size_t i = 0; reader != NULL && i < COUNT(looks); i++) {
		mail_txn_t *writer = begin(store, MAIL_STORE_WRITE);
		const char *id = looks[i].id;
		int ret = *id == '-' ? mail_txn_del(writer, MAIL_SECTION_DOMAIN, MAIL_STR(id + 1))
		                     : put_domain(writer, id, "default");
		CHECK(ret == KNOT_EOK && mail_txn_commit(writer) == KNOT_EOK, "%zu: %d", i, ret);
		mail_txn_reset(reader);
		CHECK_OK(mail_txn_renew(reader));
		const mail_source_t *source = mail_txn_source(reader);
		/* Twice: the second time from memory. */
		for (unsigned j = 0; j < 4; j++) {
			const char *asked = j % 2 == 0 ? "x.a.example" : "zz.example";
			const char *want = j % 2 == 0 ? looks[i].a : looks[i].b;
			mail_lf_storage_t key, want_key;
			mail_domain_t domain;
			name_of(asked, &key);
			name_of(want != NULL ? want : "", &want_key);
			const int want_len = want != NULL ? (int)want_key.len : KNOT_ENOENT;
			ret = ask_above(source, &key, &domain);
			CHECK(ret == want_len, "%zu: %s: %d, not %d", i, asked, ret, want_len);
		}
	}
	mail_txn_abort(reader);
	store_end(&f, store);
}

static void test_limit(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	/* A live one on each side of 64 tombstones. */
	for (unsigned i = 0; i <= 65; i++) {
		char id[32];
		snprintf(id, sizeof(id), "d%02u.example.org", i);
		CHECK_OK(put_domain(txn, id, "default"));
		if (i > 0 && i < 65) {
			CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(id)));
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
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const bool up = i % 2 == 0;
		mail_lf_storage_t key, next, want;
		char id[32];
		mail_domain_t domain;
		snprintf(id, sizeof(id), "%s.example.org",
		         up ? cases[i / 2].up : cases[i / 2].down);
		name_of(id, &want);
		name_of(up ? "d00.example.org" : "d65.example.org", &key);
		mail_txn_limit(txn, cases[i / 2].limit);
		int ret = source->domain_seek(source, mail_lf(&key),
		                              up ? MAIL_SEEK_AFTER : MAIL_SEEK_BEFORE, &next,
		                              &domain);
		CHECK((ret == KNOT_ELIMIT) == cases[i / 2].met &&
		              mail_lf_equal(mail_lf(&next), mail_lf(&want)),
		      "case %zu: %d", i, ret);
	}
	mail_txn_abort(txn);
	store_end(&f, store);
}

/*! The walk over the keys of one owner. */
static void check_walks(const mail_source_t *source, const char *const *ids)
{
	static const struct {
		mail_section_t section;
		const char *owner;
		size_t first, count; /* In ids. */
	} owners[] = {
		{ MAIL_SECTION_POLICY, "business", 0, 2 },
		{ MAIL_SECTION_POLICY, "other", 2, 1 },
		{ MAIL_SECTION_POLICY, "none.such", 0, 0 },
		{ MAIL_SECTION_POLICY, "busines", 0, 0 },
		{ MAIL_SECTION_DOMAIN, "example.org", 4, 2 },
		{ MAIL_SECTION_DOMAIN, "org", 0, 0 },
	};
	EACH(c, owners) {
		mail_dkim_walk_t walk;
		mail_dkim_t dkim;
		size_t met = 0;
		int ret = mail_dkim_walk_begin(&walk, source, c->section, MAIL_STR(c->owner));
		CHECK_OK(ret);
		while (mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK) {
			mail_buf_t id = { 0 };
			(void)mail_entry_id_from_key(MAIL_SECTION_DKIM, mail_lf(&walk.key), &id);
			CHECK(met < c->count &&
			              mail_str_is(mail_buf_view(&id), ids[c->first + met]),
			      "%s: %.*s", c->owner, (int)id.len, (const char *)id.data);
			mail_buf_free(&id);
			met++;
		}
		CHECK(met == c->count, "%s: %zu", c->owner, met);
	}
}

static void test_dkim(void)
{
	static const char *const ids[] = {
		/* In the order of their keys: a policy's come first. */
		"policy:business/s1", "policy:business/s2", "policy:other/s1",  "example.net/s1",
		"example.org/s1",     "example.org/s2",     "a.example.org/s1",
	};
	enum { COUNT = COUNT(ids), GONE = 5 };
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	if (txn == NULL) {
		return;
	}
	for (size_t i = 0; i < COUNT; i++) {
		int ret = put_dkim(txn, ids[COUNT - 1 - i]);
		CHECK(ret == KNOT_EOK, "%s: %d", ids[COUNT - 1 - i], ret);
	}
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_DKIM, MAIL_STR(ids[GONE])));

	const mail_source_t *source = mail_txn_source(txn);
	mail_lf_storage_t key, at = { 0 };
	mail_dkim_t dkim;
	bool seen[COUNT] = { false };
	for (size_t i = 0; i < COUNT; i++) {
		int ret = source->dkim_seek(source, mail_lf(&at), MAIL_SEEK_AFTER, &at, &dkim);
		if (!CHECK(ret == KNOT_EOK, "key %zu: %d", i, ret)) {
			break;
		}
		mail_buf_t id = { 0 };
		CHECK_OK(mail_entry_id_from_key(MAIL_SECTION_DKIM, mail_lf(&at), &id));
		size_t j = 0;
		while (j < COUNT && !mail_str_is(mail_buf_view(&id), ids[j])) {
			j++;
		}
		mail_buf_free(&id);
		if (!CHECK(j < COUNT && !seen[j], "key %zu", i)) {
			continue;
		}
		seen[j] = true;
		CHECK((j < 3) == (i < 3), "%s: at place %zu", ids[j], i);
		CHECK(dkim.deleted == (j == GONE), "%s", ids[j]);
		CHECK(dkim.stamp.timestamp > 1, "%s", ids[j]);
		CHECK_TEXT(dkim.cname, j == GONE ? "" : "s1.dkim.example.com.");
	}
	CHECK_INT(source->dkim_seek(source, mail_lf(&at), MAIL_SEEK_AFTER, &at, &dkim),
	          KNOT_ENOENT);

	/* Backwards, from behind all keys: each is met once more, and what it says is the same. */
	at = (mail_lf_storage_t){ 1, { 0xff } };
	for (size_t i = COUNT; i > 0; i--) {
		mail_lf_storage_t up;
		mail_dkim_t same;
		int ret = source->dkim_seek(source, mail_lf(&at), MAIL_SEEK_BEFORE, &at, &dkim);
		if (!CHECK(ret == KNOT_EOK, "key %zu: %d", i, ret)) {
			break;
		}
		ret = source->dkim_seek(source, mail_lf(&at), MAIL_SEEK_FROM, &up, &same);
		CHECK(ret == KNOT_EOK && mail_lf_equal(mail_lf(&up), mail_lf(&at)) &&
		              same.deleted == dkim.deleted &&
		              mail_str_equal(same.cname, dkim.cname) &&
		              same.stamp.timestamp == dkim.stamp.timestamp,
		      "key %zu: %d", i, ret);
	}
	CHECK_INT(source->dkim_seek(source, mail_lf(&at), MAIL_SEEK_BEFORE, &at, &dkim),
	          KNOT_ENOENT);

	for (size_t i = 0; i < COUNT; i++) {
		(void)mail_entry_key(MAIL_SECTION_DKIM, MAIL_STR(ids[i]), &key);
		int ret = source->dkim_get(source, mail_lf(&key), &dkim);
		CHECK(ret == (i == GONE ? KNOT_ENOENT : KNOT_EOK), "%s: %d", ids[i], ret);
		CHECK(dkim.stamp.timestamp > 1, "%s", ids[i]);
		ret = source->dkim_seek(source, mail_lf(&key), MAIL_SEEK_FROM, &at, &dkim);
		CHECK(ret == KNOT_EOK && mail_lf_equal(mail_lf(&at), mail_lf(&key)), "%s: %d",
		      ids[i], ret);
	}

	check_walks(source, ids);
	mail_txn_abort(txn);
	store_end(&f, store);
}

/*! Commit a domain, or delete it. */
static void commit_domain(mail_store_t *store, const char *name, const char *policy)
{
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	CHECK_OK(policy != NULL ? put_domain(txn, name, policy)
	                        : mail_txn_del(txn, MAIL_SECTION_DOMAIN, MAIL_STR(name)));
	CHECK_OK(mail_txn_commit(txn));
}

/*! Check in which domain a name lies, or NULL: in none. \return The steps that it took. */
static size_t check_above(mail_txn_t *txn, const char *name, const char *domain, const char *policy)
{
	mail_lf_storage_t lf, want = { 0 };
	mail_domain_t found = { 0 };
	name_of(name, &lf);
	if (domain != NULL) {
		name_of(domain, &want);
	}
	steps = 0;
	const int ret = ask_above(mail_txn_source(txn), &lf, &found);
	CHECK(ret == (domain != NULL ? (int)want.len : KNOT_ENOENT), "%s: %d", name, ret);
	CHECK(domain == NULL || mail_str_is(found.policy, policy), "%s: %.*s", name,
	      MAIL_SHOW(found.policy));
	return steps;
}

/*! Domains that were found are remembered, and only as long as that is right. */
static void test_memo(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	commit_domain(store, "a.test", "default");
	commit_domain(store, "b.co.test", "default");
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	static const char *const names[] = { "www.a.test", "a.test", "x.y.z.a.test", "b.co.test",
		                             "mail.b.co.test" };
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *domain = i < 3 ? "a.test" : "b.co.test";
		const bool first = i == 0 || i == 3;
		CHECK((check_above(txn, names[i], domain, "default") > 0) == first, "%s", names[i]);
		CHECK_INT(check_above(txn, names[i], domain, "default"), 0);
	}
	CHECK(check_above(txn, "co.test", NULL, NULL) > 0);
	CHECK(check_above(txn, "aa.test", NULL, NULL) > 0);
	CHECK(check_above(txn, "test", NULL, NULL) > 0);

	/* What others commit is in the next snapshot, whether this one is renewed or was left standing. */
	static const struct {
		const char *changed, *policy;
		const char *name, *domain;
	} commits[] = {
		{ "a.test", "other", "www.a.test", "a.test" },
		{ "www.a.test", "www", "x.www.a.test", "www.a.test" },
		{ "www.a.test", NULL, "x.www.a.test", "a.test" },
		{ "a.test", NULL, "www.a.test", NULL },
		{ "a.test", "again", "www.a.test", "a.test" },
		{ "test", "top", "c.test", "test" },
	};
	EACH(c, commits) {
		const bool left = (size_t)(c - commits) % 2 == 0;
		if (left) {
			mail_txn_stand(txn);
		}
		commit_domain(store, c->changed, c->policy);
		if (left) {
			CHECK_OK(mail_txn_resume(txn));
		} else {
			mail_txn_reset(txn);
			CHECK_OK(mail_txn_renew(txn));
		}
		const char *policy = c->policy != NULL ? c->policy : "other";
		for (unsigned turn = 0; turn < 3; turn++) {
			(void)check_above(txn, c->name, c->domain, policy);
			(void)check_above(txn, "mail.b.co.test", "b.co.test", "default");
		}
	}
	/* What has something below, a tombstone too, is not remembered. */
	CHECK(check_above(txn, "y.a.test", "a.test", "again") > 0);
	CHECK(check_above(txn, "y.a.test", "a.test", "again") > 0);
	/* And a snapshot that was left standing, and that nobody has committed after, is as it was. */
	mail_txn_stand(txn);
	CHECK_OK(mail_txn_resume(txn));
	CHECK_INT(check_above(txn, "mail.b.co.test", "b.co.test", "default"), 0);
	mail_txn_abort(txn);
	store_end(&f, store);
}

#define MANY 20000

/*! Of more domains than are remembered each is found; and while few are met, nobody looks. */
static void test_memo_many(void)
{
	fixture_t f;
	mail_store_t *store = store_begin(&f, true, SMALL);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	char name[32];
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "d%06u.test", i);
		CHECK_OK(put_domain(txn, name, "default"));
	}
	CHECK_OK(mail_txn_commit(txn));
	txn = begin(store, MAIL_STORE_READ);
	size_t met[3] = { 0 };
	for (unsigned turn = 0; turn < COUNT(met); turn++) {
		/* All of them, then few of them, then all again. */
		for (unsigned i = 0; i < 5 * MANY; i++) {
			(void)snprintf(name, sizeof(name), "d%06u.test",
			               turn == 1 ? i % 100 : i % MANY);
			met[turn] += check_above(txn, name, name, "default") == 0;
		}
	}
	CHECK(met[0] < MANY / 2, "%zu", met[0]);
	CHECK(met[1] > MANY, "%zu", met[1]);
	CHECK(met[2] < MANY / 2, "%zu", met[2]);
	mail_txn_abort(txn);
	store_end(&f, store);
}

UNIT_MAIN("store_source", TEST("domains, against a search through all", test_brute_force),
          TEST("empty, longest, deepest", test_edges), TEST("names that are nobody's", test_bare),
          TEST("a bound on tombstones", test_limit), TEST("DKIM keys", test_dkim),
          TEST("what is remembered", test_memo), TEST("too many to remember", test_memo_many))
