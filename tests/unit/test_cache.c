/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plans of a thread: how many are kept, and that none outlives what it was made from. */

#include "mail/cache.h"
#include "lib/failing.h"
#include "lib/source.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char stored[] = "host h| name: h| address: 192.0.2.1\npolicy low| ttl: 100\n"
			     "policy a| base: low| host: h\npolicy b\npolicy c\npolicy d\n"
			     "policy hostless| host: later";

typedef struct {
	array_t array;
	mail_cache_t *cache;
	uint64_t epoch;
} fixture_t;

static void begin(fixture_t *f, size_t octets)
{
	array_begin(&f->array);
	f->epoch = 1;
	f->cache = mail_cache_new(octets);
	REQUIRE(f->cache != NULL);
	REQUIRE(array_put(&f->array, stored));
}

static void end(fixture_t *f)
{
	mail_cache_free(f->cache);
	array_free(&f->array);
}

/* Asks for a policy's plan. *made says whether entries were read for it. */
static const mail_plan_t *plan_get(fixture_t *f, const char *policy, bool *made)
{
	const mail_plan_t *plan = NULL;
	mail_cache_sync(f->cache, f->epoch, f->array.txnid);
	size_t before = f->array.reads;
	int ret = mail_cache_plan(f->cache, &f->array.source, MAIL_STR(policy), &plan);
	CHECK(ret == KNOT_EOK, "%s: %d", policy, ret);
	if (made != NULL) {
		*made = f->array.reads != before;
	}
	return plan;
}

/* Octets for so many plans of policies that set nothing. */
static size_t room_for(size_t plans)
{
	fixture_t f;
	begin(&f, MAIL_CACHE_OCTETS);
	/* Beside each plan there is a little; it is less than half a plan. */
	const size_t octets = mail_plan_size(plan_get(&f, "b", NULL));
	end(&f);
	return plans * octets + octets / 2;
}

static bool was_made(fixture_t *f, const char *name)
{
	bool made = false;
	(void)plan_get(f, name, &made);
	return made;
}

/* The least recently used plan leaves. */
static void test_bound(void)
{
	fixture_t f;
	begin(&f, room_for(2));
	CHECK(was_made(&f, "b"));
	CHECK(was_made(&f, "c"));
	CHECK(!was_made(&f, "b"));
	CHECK(was_made(&f, "d")); /* c leaves. */
	CHECK(!was_made(&f, "b"));
	CHECK(!was_made(&f, "d"));
	CHECK(was_made(&f, "c")); /* b leaves. */
	CHECK(!was_made(&f, "d"));
	CHECK(was_made(&f, "b"));
	end(&f);
	/* One is the least; many go through it. */
	begin(&f, 0);
	static const char *const names[] = { "b", "c", "d", "a", "nope" };
	for (size_t i = 0; i < 3 * COUNT(names); i++) {
		CHECK(was_made(&f, names[i % COUNT(names)]) || i % COUNT(names) == 4, "%zu", i);
	}
	CHECK(!was_made(&f, "nope"));
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
		plans[i] = plan_get(&f, i % 4 == 3 ? "c" : "b", NULL);
	}
	for (size_t i = 0; i < COUNT(plans); i++) {
		CHECK(plans[i]->ttl == (i % 4 == 3 ? 3600 : i + 1), "plan %zu", i);
	}
	mail_cache_release(f.cache);
	/* And again. */
	mail_cache_hold(f.cache);
	(void)plan_get(&f, "c", NULL);
	(void)plan_get(&f, "d", NULL);
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
	{ "policy b| ttl: 5", NULL, "b", true },
	{ "policy b| ttl: 5", NULL, "c", false },
	{ "policy b| ttl: 5", NULL, "a", false },
	/* A base, a host. */
	{ "policy low| ttl: 5", NULL, "a", true },
	{ "policy low| ttl: 5", NULL, "b", false },
	{ "host h| name: h| address: 192.0.2.2", NULL, "a", true },
	{ "host h| name: h| address: 192.0.2.2", NULL, "b", false },
	{ "host x| name: h| address: 192.0.2.2", NULL, "a", false },
	/* A key of the policy, of its base; not of another, not of a domain. */
	{ "dkim policy:a/s| key: '" KEY1 "'", NULL, "a", true },
	{ "dkim policy:low/s| key: '" KEY1 "'", NULL, "a", true },
	{ "dkim policy:b/s| key: '" KEY1 "'", NULL, "a", false },
	{ "dkim a1.example/s| key: '" KEY1 "'", NULL, "a", false },
	/* Entries that were missing appear; entries go. */
	{ "policy nope", NULL, "nope", true },
	{ "host later| name: h", NULL, "hostless", true },
	{ NULL, "host h", "a", true },
	{ NULL, "policy low", "a", true },
	{ NULL, "dkim policy:d/x", "d", true },
};

static void test_changes(void)
{
	EACH(c, changes) {
		fixture_t f;
		begin(&f, MAIL_CACHE_OCTETS);
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
		{ "nope", NULL, "policy nope does not exist", "policy nope" },
		{ "hostless", NULL, "host: host later does not exist", "host later| name: l" },
		{ "a", "policy low", "base: policy low is damaged", "policy low" },
		{ "a", "host h", "host: host h cannot be read", "host h| name: h" },
		{ "b", "dkim policy:b/s", "a DKIM key of policy b cannot be rendered",
		  "dkim policy:b/s| key: '" KEY1 "'" },
	};
	EACH(c, cases) {
		fixture_t f;
		begin(&f, MAIL_CACHE_OCTETS);
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
	begin(&f, MAIL_CACHE_OCTETS);
	array_damage(&f.array, "dkim policy:b/s");
	CHECK(plan_get(&f, "b", NULL)->error != KNOT_EOK);
	array_entry_t *last = &f.array.entries[--f.array.count];
	mail_buf_free(&last->value);
	f.array.txnid++;
	CHECK_OK(plan_get(&f, "b", NULL)->error);
	end(&f);
}

/* Another environment: the same stamps mean nothing. */
static void test_epoch(void)
{
	fixture_t f;
	begin(&f, MAIL_CACHE_OCTETS);
	CHECK(was_made(&f, "b"));
	CHECK(!was_made(&f, "b"));
	f.epoch = 2;
	CHECK(was_made(&f, "b"));
	CHECK(!was_made(&f, "b"));
	/* An older transaction of the same one is looked at as any other. */
	f.array.txnid--;
	CHECK(!was_made(&f, "b"));
	end(&f);
}

/* Without memory a question fails, and the cache stays good. */
static void test_failing(void)
{
	static const char *const names[] = { "b", "a", "d", "nope", "b" };
	REQUIRE(failing_linked());
	const size_t room = room_for(2);
	for (size_t held = 0; held < 2; held++) {
		bool met = true;
		for (size_t n = 1; met && failing_on(0); n++) {
			fixture_t f;
			bool refused = false;
			begin(&f, room);
			(void)plan_get(&f, "c", NULL);
			if (held) {
				mail_cache_hold(f.cache);
			}
			(void)failing_on(n);
			EACH(c, names) {
				const mail_plan_t *plan = NULL;
				mail_cache_sync(f.cache, 1, f.array.txnid);
				int ret = mail_cache_plan(f.cache, &f.array.source, MAIL_STR(*c),
				                          &plan);
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
	for (size_t n = 1; n <= 4; n++) {
		(void)failing_on(n);
		CHECK(mail_cache_new(4) == NULL, "%zu", n);
	}
	(void)failing_off();
}

UNIT_MAIN("cache", TEST("bound, least recently used", test_bound), TEST("held plans", test_held),
          TEST("changes", test_changes), TEST("faults", test_faults),
          TEST("another environment", test_epoch), TEST("allocations that fail", test_failing))
