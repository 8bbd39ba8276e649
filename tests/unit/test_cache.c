/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plans of a thread: how many are kept, and that none outlives what it was made from. */

#include "mail/cache.h"
#include "lib/failing.h"
#include "lib/source.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char stored[] = "host h| name: h| address: 192.0.2.1\npolicy low| ttl: 100\n"
			     "policy a| base: low| host: h\npolicy b\npolicy c\npolicy d\n"
			     "domain a1.example| policy: a\ndomain a2.example| policy: a\n"
			     "domain b.example| policy: b\ndomain c.example| policy: c\n"
			     "domain d.example| policy: d\ndomain own.example| policy: a| ttl: 7\n"
			     "domain alias.example| alias: a1.example\n"
			     "domain alias2.example| alias: a1.example\n"
			     "domain missing.example| policy: nope\n"
			     "domain hostless.example| policy: b| host: later";

typedef struct {
	array_t array;
	mail_cache_t *cache;
	uint64_t epoch;
} fixture_t;

static void begin(fixture_t *f, size_t plans)
{
	array_begin(&f->array);
	f->epoch = 1;
	f->cache = mail_cache_new(plans);
	REQUIRE(f->cache != NULL);
	REQUIRE(array_put(&f->array, stored));
}

static void end(fixture_t *f)
{
	mail_cache_free(f->cache);
	array_free(&f->array);
}

/* Asks for a domain's plan. *made says whether entries were read for it. */
static const mail_plan_t *plan_get(fixture_t *f, const char *name, bool *made)
{
	mail_lf_storage_t key;
	mail_domain_t domain;
	const mail_plan_t *plan = NULL;
	mail_lf_t above = { 0 };
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(name), &key);
	mail_cache_sync(f->cache, f->epoch, f->array.txnid);
	int ret = f->array.source.domain_above(&f->array.source, mail_lf(&key), &above, &domain);
	REQUIRE(ret == KNOT_EOK && above.len == key.len);
	size_t before = f->array.reads;
	ret = mail_cache_plan(f->cache, &f->array.source, &domain, mail_lf(&key), &plan);
	CHECK(ret == KNOT_EOK, "%s: %d", name, ret);
	if (made != NULL) {
		*made = f->array.reads != before;
	}
	return plan;
}

static bool was_made(fixture_t *f, const char *name)
{
	bool made = false;
	(void)plan_get(f, name, &made);
	return made;
}

/* One plan for all that follow a policy, one for all aliases of a domain, one for each that sets something. */
static void test_shared(void)
{
	fixture_t f;
	begin(&f, 16);
	mail_cache_hold(f.cache);
	const mail_plan_t *a1 = plan_get(&f, "a1.example", NULL);
	const mail_plan_t *own = plan_get(&f, "own.example", NULL);
	const mail_plan_t *alias = plan_get(&f, "alias.example", NULL);
	CHECK(plan_get(&f, "a2.example", NULL) == a1);
	CHECK(plan_get(&f, "alias2.example", NULL) == alias);
	CHECK(a1 != own && a1 != alias && own != alias);
	CHECK_INT(a1->ttl, 100);
	CHECK_INT(own->ttl, 7);
	CHECK_INT(alias->ttl, 100);
	/* A policy and a domain of the same name are two things. */
	(void)array_put(&f.array,
	                "policy own.example| ttl: 8\ndomain x.example| policy: own.example\n"
	                "domain y.example| alias: own.example");
	CHECK_INT(plan_get(&f, "x.example", NULL)->ttl, 8);
	CHECK_INT(plan_get(&f, "y.example", NULL)->ttl, 7);
	CHECK_INT(plan_get(&f, "own.example", NULL)->ttl, 7);
	mail_cache_release(f.cache);
	end(&f);
}

/* The least recently used plan leaves. */
static void test_bound(void)
{
	fixture_t f;
	begin(&f, 2);
	CHECK(was_made(&f, "b.example"));
	CHECK(was_made(&f, "c.example"));
	CHECK(!was_made(&f, "b.example"));
	CHECK(was_made(&f, "d.example")); /* c leaves. */
	CHECK(!was_made(&f, "b.example"));
	CHECK(!was_made(&f, "d.example"));
	CHECK(was_made(&f, "c.example")); /* b leaves. */
	CHECK(!was_made(&f, "d.example"));
	CHECK(was_made(&f, "b.example"));
	end(&f);
	/* One is the least; many go through it. */
	begin(&f, 0);
	static const char *const names[] = { "b.example",      "c.example",     "d.example",
		                             "own.example",    "alias.example", "a1.example",
		                             "missing.example" };
	for (size_t i = 0; i < 3 * COUNT(names); i++) {
		CHECK(was_made(&f, names[i % COUNT(names)]) || i % COUNT(names) == 6, "%zu", i);
	}
	CHECK(!was_made(&f, "missing.example"));
	end(&f);
}

/* While they are held, plans that leave the cache, for room or because they are old, can still be read. */
static void test_held(void)
{
	fixture_t f;
	begin(&f, 1);
	mail_cache_hold(f.cache);
	const mail_plan_t *plans[40];
	for (size_t i = 0; i < COUNT(plans); i++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "policy b| ttl: %zu", i + 1);
		(void)array_put(&f.array, text);
		plans[i] = plan_get(&f, i % 4 == 3 ? "c.example" : "b.example", NULL);
	}
	for (size_t i = 0; i < COUNT(plans); i++) {
		CHECK(plans[i]->ttl == (i % 4 == 3 ? 3600 : i + 1), "plan %zu", i);
	}
	mail_cache_release(f.cache);
	/* And again. */
	mail_cache_hold(f.cache);
	(void)plan_get(&f, "c.example", NULL);
	(void)plan_get(&f, "d.example", NULL);
	/* A cache that is freed while it is held frees all. */
	end(&f);
	mail_cache_free(NULL);
}

/* After each change the next question sees it, and plans that it does not touch stay. */
static const struct {
	const char *put;
	const char *deleted;
	const char *asked;
	bool made;
} changes[] = {
	{ "policy b| ttl: 5", NULL, "b.example", true },
	{ "policy b| ttl: 5", NULL, "c.example", false },
	{ "policy b| ttl: 5", NULL, "a1.example", false },
	/* A base, a host. */
	{ "policy low| ttl: 5", NULL, "a1.example", true },
	{ "policy low| ttl: 5", NULL, "own.example", true },
	{ "policy low| ttl: 5", NULL, "alias.example", true },
	{ "policy low| ttl: 5", NULL, "b.example", false },
	{ "host h| name: h| address: 192.0.2.2", NULL, "a1.example", true },
	{ "host h| name: h| address: 192.0.2.2", NULL, "alias.example", true },
	{ "host h| name: h| address: 192.0.2.2", NULL, "b.example", false },
	{ "host x| name: h| address: 192.0.2.2", NULL, "a1.example", false },
	/* A key of the policy, of its base; not of another, not of a domain. */
	{ "dkim policy:a/s| key: '" KEY1 "'", NULL, "a1.example", true },
	{ "dkim policy:low/s| key: '" KEY1 "'", NULL, "a1.example", true },
	{ "dkim policy:b/s| key: '" KEY1 "'", NULL, "a1.example", false },
	{ "dkim a1.example/s| key: '" KEY1 "'", NULL, "a1.example", false },
	/* The domain itself, its alias's target. */
	{ "domain own.example| policy: a| ttl: 8", NULL, "own.example", true },
	{ "domain own.example| policy: a| ttl: 8", NULL, "a1.example", false },
	{ "domain a1.example| policy: a| ttl: 8", NULL, "alias.example", true },
	{ "domain a1.example| policy: b", NULL, "alias.example", true },
	/* Entries that were missing appear; entries go. */
	{ "policy nope", NULL, "missing.example", true },
	{ "host later| name: h", NULL, "hostless.example", true },
	{ NULL, "host h", "a1.example", true },
	{ NULL, "policy low", "a1.example", true },
	{ NULL, "dkim policy:d/x", "d.example", true },
};

static void test_changes(void)
{
	EACH(c, changes) {
		fixture_t f;
		begin(&f, 16);
		(void)plan_get(&f, c->asked, NULL);
		CHECK(!was_made(&f, c->asked));
		if (c->put != NULL) {
			(void)array_put(&f.array, c->put);
		} else {
			array_del(&f.array, c->deleted);
		}
		CHECK(was_made(&f, c->asked) == c->made, "%s", c->asked);
		/* Once for a transaction. */
		CHECK(!was_made(&f, c->asked), "%s", c->asked);
		end(&f);
	}
}

/* A fault is kept, too, with its reason, until what it came from changes. */
static void test_faults(void)
{
	static const struct {
		const char *asked;
		const char *damaged;
		const char *reason;
		const char *cure;
	} cases[] = {
		{ "missing.example", NULL, "policy nope does not exist", "policy nope" },
		{ "hostless.example", NULL, "host: host later does not exist",
		  "host later| name: l" },
		{ "a1.example", "policy low", "base: policy low is damaged", "policy low" },
		{ "alias.example", "domain a1.example", "domain a1.example is damaged",
		  "domain a1.example| policy: b" },
		{ "a1.example", "host h", "host: host h cannot be read", "host h| name: h" },
		{ "b.example", "dkim policy:b/s", "a DKIM key of policy b cannot be rendered",
		  "dkim policy:b/s| key: '" KEY1 "'" },
	};
	EACH(c, cases) {
		fixture_t f;
		begin(&f, 16);
		if (c->damaged != NULL) {
			array_damage(&f.array, c->damaged);
		}
		for (unsigned again = 0; again < 3; again++) {
			const mail_plan_t *plan = plan_get(&f, c->asked, NULL);
			CHECK(plan->error != KNOT_EOK);
			CHECK_STR(plan->reason, c->reason);
			if (again == 1) {
				(void)array_put(&f.array, "policy else");
			}
		}
		(void)array_put(&f.array, c->cure);
		const mail_plan_t *plan = plan_get(&f, c->asked, NULL);
		CHECK(plan->error == KNOT_EOK, "'%s'", plan->reason);
		end(&f);
	}
	/* A damaged key that is deleted for good leaves the stamps as they were without it. */
	fixture_t f;
	begin(&f, 16);
	array_damage(&f.array, "dkim policy:b/s");
	CHECK(plan_get(&f, "b.example", NULL)->error != KNOT_EOK);
	array_entry_t *last = &f.array.entries[--f.array.count];
	mail_buf_free(&last->value);
	f.array.txnid++;
	CHECK_OK(plan_get(&f, "b.example", NULL)->error);
	/* A domain that follows nothing, which no writer makes. */
	array_octets(&f.array, "domain none.example", "\x01", 1);
	CHECK(plan_get(&f, "none.example", NULL)->error != KNOT_EOK);
	CHECK_STR(plan_get(&f, "none.example", NULL)->reason,
	          "domain none.example follows no policy");
	end(&f);
}

/* Another environment: the same stamps mean nothing. */
static void test_epoch(void)
{
	fixture_t f;
	begin(&f, 16);
	CHECK(was_made(&f, "b.example"));
	CHECK(!was_made(&f, "b.example"));
	f.epoch = 2;
	CHECK(was_made(&f, "b.example"));
	CHECK(!was_made(&f, "b.example"));
	/* An older transaction of the same one is looked at as any other. */
	f.array.txnid--;
	CHECK(!was_made(&f, "b.example"));
	end(&f);
}

/* Without memory a question fails, and the cache stays good. */
static void test_failing(void)
{
	static const char *const names[] = { "b.example",     "a1.example",      "own.example",
		                             "alias.example", "missing.example", "b.example" };
	REQUIRE(failing_linked());
	for (size_t held = 0; held < 2; held++) {
		bool met = true;
		for (size_t n = 1; met && failing_on(0); n++) {
			fixture_t f;
			bool refused = false;
			begin(&f, 2);
			(void)plan_get(&f, "c.example", NULL);
			if (held) {
				mail_cache_hold(f.cache);
			}
			(void)failing_on(n);
			EACH(c, names) {
				mail_lf_storage_t key;
				mail_domain_t domain;
				const mail_plan_t *plan = NULL;
				mail_lf_t above;
				(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(*c), &key);
				mail_cache_sync(f.cache, 1, f.array.txnid);
				(void)f.array.source.domain_above(&f.array.source, mail_lf(&key),
				                                  &above, &domain);
				int ret = mail_cache_plan(f.cache, &f.array.source, &domain,
				                          mail_lf(&key), &plan);
				CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM, "%zu: %s: %d", n, *c,
				      ret);
				refused |= ret == KNOT_ENOMEM;
			}
			met = failing_off();
			/* Each allocation that fails fails one question. */
			CHECK(refused == met, "%zu", n);
			EACH(c, names) {
				(void)plan_get(&f, *c, NULL);
			}
			end(&f);
		}
	}
	(void)failing_on(1);
	CHECK(mail_cache_new(4) == NULL);
	(void)failing_on(2);
	CHECK(mail_cache_new(4) == NULL);
	(void)failing_off();
}

UNIT_MAIN("cache", TEST("shared plans", test_shared),
          TEST("bound, least recently used", test_bound), TEST("held plans", test_held),
          TEST("changes", test_changes), TEST("faults", test_faults),
          TEST("another environment", test_epoch), TEST("allocations that fail", test_failing))
