/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plans of a thread: how many are kept, and that none outlives what it was made from. */

#include "mail/cache.h"
#include "failing.h"
#include "source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char stored[] = "host:\n  - id: h\n    name: h\n    address: 192.0.2.1\n"
			     "policy:\n"
			     "  - id: low\n    ttl: 100\n"
			     "  - id: a\n    base: low\n    host: h\n"
			     "  - id: b\n  - id: c\n  - id: d\n"
			     "domain:\n"
			     "  - id: a1.example\n    policy: a\n"
			     "  - id: a2.example\n    policy: a\n"
			     "  - id: b.example\n    policy: b\n"
			     "  - id: c.example\n    policy: c\n"
			     "  - id: d.example\n    policy: d\n"
			     "  - id: own.example\n    policy: a\n    ttl: 7\n"
			     "  - id: alias.example\n    alias: a1.example\n"
			     "  - id: alias2.example\n    alias: a1.example\n"
			     "  - id: missing.example\n    policy: nope\n"
			     "  - id: hostless.example\n    policy: b\n    host: later\n";

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
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->cache);
	CU_ASSERT_FATAL(array_put(&f->array, stored));
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
	CU_ASSERT_FATAL(ret == KNOT_EOK && above.len == key.len);
	size_t before = f->array.reads;
	ret = mail_cache_plan(f->cache, &f->array.source, &domain, mail_lf(&key), &plan);
	UNIT_CHECK(ret == KNOT_EOK, "%s: %d", name, ret);
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
	CU_ASSERT_PTR_EQUAL(plan_get(&f, "a2.example", NULL), a1);
	CU_ASSERT_PTR_EQUAL(plan_get(&f, "alias2.example", NULL), alias);
	CU_ASSERT(a1 != own && a1 != alias && own != alias);
	CU_ASSERT_EQUAL(a1->ttl, 100);
	CU_ASSERT_EQUAL(own->ttl, 7);
	CU_ASSERT_EQUAL(alias->ttl, 100);
	/* A policy and a domain of the same name are two things. */
	(void)array_put(&f.array,
	                "policy:\n  - id: own.example\n    ttl: 8\ndomain:\n  - id: x.example\n"
	                "    policy: own.example\n  - id: y.example\n    alias: own.example\n");
	CU_ASSERT_EQUAL(plan_get(&f, "x.example", NULL)->ttl, 8);
	CU_ASSERT_EQUAL(plan_get(&f, "y.example", NULL)->ttl, 7);
	CU_ASSERT_EQUAL(plan_get(&f, "own.example", NULL)->ttl, 7);
	mail_cache_release(f.cache);
	end(&f);
}

/* The least recently used plan leaves. */
static void test_bound(void)
{
	fixture_t f;
	begin(&f, 2);
	CU_ASSERT(was_made(&f, "b.example"));
	CU_ASSERT(was_made(&f, "c.example"));
	CU_ASSERT(!was_made(&f, "b.example"));
	CU_ASSERT(was_made(&f, "d.example")); /* c leaves. */
	CU_ASSERT(!was_made(&f, "b.example"));
	CU_ASSERT(!was_made(&f, "d.example"));
	CU_ASSERT(was_made(&f, "c.example")); /* b leaves. */
	CU_ASSERT(!was_made(&f, "d.example"));
	CU_ASSERT(was_made(&f, "b.example"));
	end(&f);
	/* One is the least; many go through it. */
	begin(&f, 0);
	static const char *const names[] = { "b.example",      "c.example",     "d.example",
		                             "own.example",    "alias.example", "a1.example",
		                             "missing.example" };
	for (size_t i = 0; i < 3 * COUNT(names); i++) {
		UNIT_CHECK(was_made(&f, names[i % COUNT(names)]) || i % COUNT(names) == 6, "%zu",
		           i);
	}
	CU_ASSERT(!was_made(&f, "missing.example"));
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
		(void)snprintf(text, sizeof(text), "policy:\n  - id: b\n    ttl: %zu\n", i + 1);
		(void)array_put(&f.array, text);
		plans[i] = plan_get(&f, i % 4 == 3 ? "c.example" : "b.example", NULL);
	}
	for (size_t i = 0; i < COUNT(plans); i++) {
		UNIT_CHECK(plans[i]->ttl == (i % 4 == 3 ? 3600 : i + 1), "plan %zu", i);
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
	mail_section_t section; /* To delete, when put is NULL. */
	const char *id;
	const char *asked;
	bool made;
} changes[] = {
	{ "policy:\n  - id: b\n    ttl: 5\n", 0, NULL, "b.example", true },
	{ "policy:\n  - id: b\n    ttl: 5\n", 0, NULL, "c.example", false },
	{ "policy:\n  - id: b\n    ttl: 5\n", 0, NULL, "a1.example", false },
	/* A base, a host. */
	{ "policy:\n  - id: low\n    ttl: 5\n", 0, NULL, "a1.example", true },
	{ "policy:\n  - id: low\n    ttl: 5\n", 0, NULL, "own.example", true },
	{ "policy:\n  - id: low\n    ttl: 5\n", 0, NULL, "alias.example", true },
	{ "policy:\n  - id: low\n    ttl: 5\n", 0, NULL, "b.example", false },
	{ "host:\n  - id: h\n    name: h\n    address: 192.0.2.2\n", 0, NULL, "a1.example", true },
	{ "host:\n  - id: h\n    name: h\n    address: 192.0.2.2\n", 0, NULL, "alias.example",
	  true },
	{ "host:\n  - id: h\n    name: h\n    address: 192.0.2.2\n", 0, NULL, "b.example", false },
	{ "host:\n  - id: x\n    name: h\n    address: 192.0.2.2\n", 0, NULL, "a1.example", false },
	/* A key of the policy, of its base; not of another, not of a domain. */
	{ "dkim:\n  - id: \"policy:a/s\"\n    key: \"" KEY1 "\"\n", 0, NULL, "a1.example", true },
	{ "dkim:\n  - id: \"policy:low/s\"\n    key: \"" KEY1 "\"\n", 0, NULL, "a1.example", true },
	{ "dkim:\n  - id: \"policy:b/s\"\n    key: \"" KEY1 "\"\n", 0, NULL, "a1.example", false },
	{ "dkim:\n  - id: a1.example/s\n    key: \"" KEY1 "\"\n", 0, NULL, "a1.example", false },
	/* The domain itself, its alias's target. */
	{ "domain:\n  - id: own.example\n    policy: a\n    ttl: 8\n", 0, NULL, "own.example",
	  true },
	{ "domain:\n  - id: own.example\n    policy: a\n    ttl: 8\n", 0, NULL, "a1.example",
	  false },
	{ "domain:\n  - id: a1.example\n    policy: a\n    ttl: 8\n", 0, NULL, "alias.example",
	  true },
	{ "domain:\n  - id: a1.example\n    policy: b\n", 0, NULL, "alias.example", true },
	/* Entries that were missing appear; entries go. */
	{ "policy:\n  - id: nope\n", 0, NULL, "missing.example", true },
	{ "host:\n  - id: later\n    name: h\n", 0, NULL, "hostless.example", true },
	{ NULL, MAIL_SECTION_HOST, "h", "a1.example", true },
	{ NULL, MAIL_SECTION_POLICY, "low", "a1.example", true },
	{ NULL, MAIL_SECTION_DKIM, "policy:d/x", "d.example", true },
};

static void test_changes(void)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		fixture_t f;
		begin(&f, 16);
		(void)plan_get(&f, changes[i].asked, NULL);
		UNIT_CHECK(!was_made(&f, changes[i].asked), "case %zu", i);
		if (changes[i].put != NULL) {
			(void)array_put(&f.array, changes[i].put);
		} else {
			array_del(&f.array, changes[i].section, changes[i].id);
		}
		UNIT_CHECK(was_made(&f, changes[i].asked) == changes[i].made, "case %zu %s", i,
		           changes[i].asked);
		/* Once for a transaction. */
		UNIT_CHECK(!was_made(&f, changes[i].asked), "case %zu %s", i, changes[i].asked);
		end(&f);
	}
}

/* A fault is kept, too, with its reason, until what it came from changes. */
static void test_faults(void)
{
	static const struct {
		const char *asked;
		mail_section_t section;
		const char *id;
		const char *reason;
		const char *cure;
	} cases[] = {
		{ "missing.example", 0, NULL, "policy nope does not exist",
		  "policy:\n  - id: nope\n" },
		{ "hostless.example", 0, NULL, "host: host later does not exist",
		  "host:\n  - id: later\n    name: l\n" },
		{ "a1.example", MAIL_SECTION_POLICY, "low", "base: policy low is damaged",
		  "policy:\n  - id: low\n" },
		{ "alias.example", MAIL_SECTION_DOMAIN, "a1.example",
		  "domain a1.example is damaged", "domain:\n  - id: a1.example\n    policy: b\n" },
		{ "a1.example", MAIL_SECTION_HOST, "h", "host: host h cannot be read",
		  "host:\n  - id: h\n    name: h\n" },
		{ "b.example", MAIL_SECTION_DKIM, "policy:b/s",
		  "a DKIM key of policy b cannot be rendered",
		  "dkim:\n  - id: \"policy:b/s\"\n    key: \"" KEY1 "\"\n" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture_t f;
		begin(&f, 16);
		if (cases[i].id != NULL) {
			array_damage(&f.array, cases[i].section, cases[i].id);
		}
		for (unsigned again = 0; again < 3; again++) {
			const mail_plan_t *plan = plan_get(&f, cases[i].asked, NULL);
			UNIT_CHECK(plan->error != KNOT_EOK, "case %zu", i);
			UNIT_CHECK(strcmp(plan->reason, cases[i].reason) == 0, "case %zu: '%s'", i,
			           plan->reason);
			if (again == 1) {
				(void)array_put(&f.array, "policy:\n  - id: else\n");
			}
		}
		(void)array_put(&f.array, cases[i].cure);
		const mail_plan_t *plan = plan_get(&f, cases[i].asked, NULL);
		UNIT_CHECK(plan->error == KNOT_EOK, "case %zu: '%s'", i, plan->reason);
		end(&f);
	}
	/* A damaged key that is deleted for good leaves the stamps as they were without it. */
	fixture_t f;
	begin(&f, 16);
	array_damage(&f.array, MAIL_SECTION_DKIM, "policy:b/s");
	CU_ASSERT(plan_get(&f, "b.example", NULL)->error != KNOT_EOK);
	array_entry_t *last = &f.array.entries[--f.array.count];
	mail_buf_free(&last->value);
	f.array.txnid++;
	CU_ASSERT_EQUAL(plan_get(&f, "b.example", NULL)->error, KNOT_EOK);
	/* A domain that follows nothing, which no writer makes. */
	array_octets(&f.array, MAIL_SECTION_DOMAIN, "none.example", "\x01", 1);
	CU_ASSERT(plan_get(&f, "none.example", NULL)->error != KNOT_EOK);
	CU_ASSERT_STRING_EQUAL(plan_get(&f, "none.example", NULL)->reason,
	                       "domain none.example follows no policy");
	end(&f);
}

/* Another environment: the same stamps mean nothing. */
static void test_epoch(void)
{
	fixture_t f;
	begin(&f, 16);
	CU_ASSERT(was_made(&f, "b.example"));
	CU_ASSERT(!was_made(&f, "b.example"));
	f.epoch = 2;
	CU_ASSERT(was_made(&f, "b.example"));
	CU_ASSERT(!was_made(&f, "b.example"));
	/* An older transaction of the same one is looked at as any other. */
	f.array.txnid--;
	CU_ASSERT(!was_made(&f, "b.example"));
	end(&f);
}

/* Without memory a question fails, and the cache stays good. */
static void test_failing(void)
{
	static const char *const names[] = { "b.example",     "a1.example",      "own.example",
		                             "alias.example", "missing.example", "b.example" };
	CU_ASSERT_FATAL(failing_linked());
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
			for (size_t i = 0; i < COUNT(names); i++) {
				mail_lf_storage_t key;
				mail_domain_t domain;
				const mail_plan_t *plan = NULL;
				mail_lf_t above;
				(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(names[i]), &key);
				mail_cache_sync(f.cache, 1, f.array.txnid);
				(void)f.array.source.domain_above(&f.array.source, mail_lf(&key),
				                                  &above, &domain);
				int ret = mail_cache_plan(f.cache, &f.array.source, &domain,
				                          mail_lf(&key), &plan);
				UNIT_CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM, "%zu: %s: %d", n,
				           names[i], ret);
				refused |= ret == KNOT_ENOMEM;
			}
			met = failing_off();
			/* Each allocation that fails fails one question. */
			UNIT_CHECK(refused == met, "%zu", n);
			for (size_t i = 0; i < COUNT(names); i++) {
				(void)plan_get(&f, names[i], NULL);
			}
			end(&f);
		}
	}
	(void)failing_on(1);
	CU_ASSERT_PTR_NULL(mail_cache_new(4));
	(void)failing_on(2);
	CU_ASSERT_PTR_NULL(mail_cache_new(4));
	(void)failing_off();
}

static const unit_test_t tests[] = { { "shared plans", test_shared },
	                             { "bound, least recently used", test_bound },
	                             { "held plans", test_held },
	                             { "changes", test_changes },
	                             { "faults", test_faults },
	                             { "another environment", test_epoch },
	                             { "allocations that fail", test_failing },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("cache", tests);
}
