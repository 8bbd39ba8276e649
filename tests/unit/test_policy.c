/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merging: what a policy, a domain or the aliases of a domain end up with. */

#include "failing.h"
#include "source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What most cases start from: a chain low < middle < top. */
static const char chain[] =
	"policy:\n"
	"  - id: low\n"
	"    ttl: 100\n"
	"    mx: [ \"10 a\", \"20 b\" ]\n"
	"    spf: mx\n"
	"    dmarc: [ \"p=quarantine\", \"rua=mailto:r@low.example\", \"sp=none\" ]\n"
	"    txt: low\n"
	"    autoconfig: auto\n"
	"  - id: middle\n"
	"    base: low\n"
	"    mx: \"30 c\"\n"
	"    spf-add: a\n"
	"    dmarc: \"sp=reject\"\n"
	"    autoconfig: none\n"
	"  - id: top\n"
	"    base: middle\n"
	"    ttl: 300\n"
	"    spf-add: [ \"ip4:192.0.2.1\", \"ip4:192.0.2.2\" ]\n"
	"    txt: none\n";

/*! Makes the profile of "policy X", "alias X" or "domain X". */
static int profile_of(const mail_source_t *source, const char *what, mail_profile_t **profile,
                      mail_diag_t *diag)
{
	mail_str_t id = MAIL_STR(strchr(what, ' ') + 1);
	return what[0] == 'p'   ? mail_profile_of_policy(source, id, profile, diag)
	       : what[0] == 'a' ? mail_profile_of_alias(source, id, profile, diag)
	                        : mail_profile_of_domain(source, id, profile, diag);
}

/*! Appends "VALUE (LAYER)" of an item, one a line. */
static void show_item(const mail_profile_t *profile, const char *name, mail_buf_t *out)
{
	const mail_item_t *item = mail_item_find(MAIL_SECTION_POLICY, MAIL_STR(name));
	if (item == NULL) {
		item = mail_item_find(MAIL_SECTION_DOMAIN, MAIL_STR(name));
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(item);
	const mail_settings_t *settings = &profile->items[item->id];
	for (size_t i = 0; i < settings->count; i++) {
		const mail_setting_t *setting = &settings->values[i];
		(void)mail_buf_printf(out, "%.*s (", (int)setting->text.len, setting->text.data);
		(void)mail_profile_layer_print(profile, setting->layer, out);
		(void)mail_buf_str(out, ")\n");
	}
}

static const struct {
	const char *text; /* Beside the chain. */
	const char *of;
	const char *item;
	const char *expected;
} merged[] = {
	/* What is built in. */
	{ "policy:\n  - id: x\n", "policy x", "ttl", "3600 (built-in)\n" },
	{ "policy:\n  - id: x\n", "policy x", "spf-all", "-all (built-in)\n" },
	{ "policy:\n  - id: x\n", "policy x", "dmarc", "p=none (built-in)\n" },
	{ "policy:\n  - id: x\n", "policy x", "mta-sts", "off (built-in)\n" },
	{ "policy:\n  - id: x\n", "policy x", "mx", "" },
	{ "policy:\n  - id: x\n", "policy x", "no-mail", "" },

	/* A scalar replaces. */
	{ "", "policy low", "ttl", "100 (policy low)\n" },
	{ "", "policy middle", "ttl", "100 (policy low)\n" },
	{ "", "policy top", "ttl", "300 (policy top)\n" },
	{ "domain:\n  - id: d.example\n    policy: top\n    ttl: 400\n", "domain d.example", "ttl",
	  "400 (domain d.example)\n" },
	{ "domain:\n  - id: d.example\n    policy: top\n", "domain d.example", "ttl",
	  "300 (policy top)\n" },

	/* A list replaces, -add appends. */
	{ "", "policy low", "mx", "10 a (policy low)\n20 b (policy low)\n" },
	{ "", "policy top", "mx", "30 c (policy middle)\n" },
	{ "", "policy top", "spf",
	  "mx (policy low)\na (policy middle)\nip4:192.0.2.1 (policy top)\nip4:192.0.2.2 (policy top)\n" },
	{ "domain:\n  - id: d.example\n    policy: top\n    mx-add: \"40 d\"\n", "domain d.example",
	  "mx", "30 c (policy middle)\n40 d (domain d.example)\n" },
	/* Both in one entry, in either order: what replaces goes first. */
	{ "domain:\n  - id: d.example\n    policy: top\n    mx-add: \"40 d\"\n    mx: \"50 e\"\n",
	  "domain d.example", "mx", "50 e (domain d.example)\n40 d (domain d.example)\n" },
	{ "policy:\n  - id: x\n    mx-add: \"1 only\"\n", "policy x", "mx", "1 only (policy x)\n" },

	/* none removes: what is inherited, what is built in; and then -add. */
	{ "", "policy middle", "autoconfig", "" },
	{ "", "policy top", "txt", "" },
	{ "policy:\n  - id: x\n    spf-all: none\n", "policy x", "spf-all", "" },
	{ "policy:\n  - id: x\n    dmarc: none\n", "policy x", "dmarc", "" },
	{ "policy:\n  - id: x\n    base: x2\n    dmarc: \"p=reject\"\n  - id: x2\n    dmarc: none\n",
	  "policy x", "dmarc", "p=reject (policy x)\n" },
	{ "domain:\n  - id: d.example\n    policy: top\n    spf-add: \"ip4:192.0.2.9\"\n    spf: none\n",
	  "domain d.example", "spf", "ip4:192.0.2.9 (domain d.example)\n" },
	/* Further up, it can be set again. */
	{ "policy:\n  - id: x\n    base: top\n    txt: again\n", "policy x", "txt",
	  "again (policy x)\n" },

	/* dmarc merges by tag, in the order that the tags came in. */
	{ "", "policy top", "dmarc",
	  "p=quarantine (policy low)\nrua=mailto:r@low.example (policy low)\nsp=reject (policy middle)\n" },
	{ "domain:\n  - id: d.example\n    policy: top\n    dmarc: [ \"np=reject\", \"p=none\" ]\n",
	  "domain d.example", "dmarc",
	  "p=none (domain d.example)\nrua=mailto:r@low.example (policy low)\nsp=reject (policy middle)\n"
	  "np=reject (domain d.example)\n" },
	/* A tag with an empty value takes one away (it is left out when the record is made). */
	{ "domain:\n  - id: d.example\n    policy: low\n    dmarc: \"sp=\"\n", "domain d.example",
	  "dmarc",
	  "p=quarantine (policy low)\nrua=mailto:r@low.example (policy low)\nsp= (domain d.example)\n" },

	/* An alias has what its target has, but not what is the target's alone. */
	{ "domain:\n  - id: t.example\n    policy: low\n    mx: \"5 own\"\n  - id: a.example\n"
	  "    alias: t.example\n",
	  "domain a.example", "mx", "5 own (domain t.example)\n" },
	{ "domain:\n  - id: t.example\n    policy: low\n    txt: own\n  - id: a.example\n"
	  "    alias: t.example\n",
	  "domain a.example", "txt", "low (policy low)\n" },
	{ "domain:\n  - id: t.example\n    policy: low\n    txt: none\n", "alias t.example", "txt",
	  "low (policy low)\n" },
	{ "domain:\n  - id: t.example\n    policy: low\n    txt-add: own\n", "alias t.example",
	  "txt", "low (policy low)\n" },
	{ "domain:\n  - id: t.example\n    policy: low\n    record: \"www A 192.0.2.1\"\n",
	  "alias t.example", "record", "" },
	{ "domain:\n  - id: t.example\n    policy: low\n    record: \"www A 192.0.2.1\"\n",
	  "domain t.example", "record", "www A 192.0.2.1 (domain t.example)\n" },
	{ "domain:\n  - id: t.example\n    policy: low\n    delegation: \"sub NS ns.example.net.\"\n",
	  "alias t.example", "delegation", "" },
	/* The policy's records are every domain's. */
	{ "policy:\n  - id: x\n    record: \"www A 192.0.2.1\"\ndomain:\n  - id: t.example\n    policy: x\n",
	  "alias t.example", "record", "www A 192.0.2.1 (policy x)\n" },
};

static void test_merged(void)
{
	for (size_t i = 0; i < COUNT(merged); i++) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, chain);
		(void)array_put(&array, merged[i].text);
		int ret = profile_of(&array.source, merged[i].of, &profile, &diag);
		if (UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d %s", i, ret, diag.text)) {
			mail_buf_t got = { 0 };
			show_item(profile, merged[i].item, &got);
			(void)shown_is(&got, merged[i].expected, "case", i);
		}
		mail_profile_free(profile);
		array_free(&array);
	}
}

#define POLICY(id, base) "policy:\n  - id: " id "\n    base: " base "\n"
#define CHAIN7                                                                                     \
	POLICY("p7", "p6")                                                                         \
	POLICY("p6", "p5")                                                                         \
	POLICY("p5", "p4")                                                                         \
	POLICY("p4", "p3")                                                                         \
	POLICY("p3", "p2") POLICY("p2", "p1") "policy:\n  - id: p1\n    ttl: 77\n"

static const struct {
	const char *text;
	const char *of;
	int ret;
	const char *reason;
} chains[] = {
	{ CHAIN7, "policy p7", KNOT_EOK, "" },
	{ CHAIN7 POLICY("p8", "p7"), "policy p8", KNOT_EOK, "" },
	{ CHAIN7 POLICY("p8", "p7") POLICY("p9", "p8"), "policy p9", KNOT_ELOOP,
	  "policy p9 has more than 7 bases above each other" },
	{ CHAIN7 POLICY("p8", "p7") "domain:\n  - id: d.example\n    policy: p8\n    ttl: 1\n",
	  "domain d.example", KNOT_EOK, "" },
	{ POLICY("a", "a"), "policy a", KNOT_ELOOP, "policy a is its own base" },
	{ POLICY("a", "b") POLICY("b", "a"), "policy a", KNOT_ELOOP, "policy a is its own base" },
	{ POLICY("a", "b") POLICY("b", "c") POLICY("c", "b"), "policy a", KNOT_ELOOP,
	  "policy b is its own base" },
	{ POLICY("a", "b"), "policy a", KNOT_ENOENT, "base: policy b does not exist" },
	{ "", "policy a", KNOT_ENOENT, "policy a does not exist" },
	{ "", "domain d.example", KNOT_ENOENT, "domain d.example does not exist" },
	{ "", "alias d.example", KNOT_ENOENT, "domain d.example does not exist" },
	{ "domain:\n  - id: d.example\n    policy: nope\n", "domain d.example", KNOT_ENOENT,
	  "policy nope does not exist" },
	{ "domain:\n  - id: a.example\n    alias: b.example\n", "domain a.example", KNOT_ENOENT,
	  "domain b.example does not exist" },
	{ "domain:\n  - id: a.example\n    alias: b.example\n  - id: b.example\n    alias: c.example\n"
	  "  - id: c.example\n    policy: nope\n",
	  "domain a.example", KNOT_ELOOP, "alias: b.example is an alias itself" },
	{ "domain:\n  - id: a.example\n    alias: b.example\n  - id: b.example\n    alias: a.example\n",
	  "domain a.example", KNOT_ELOOP, "alias: b.example is an alias itself" },
};

static void test_chains(void)
{
	for (size_t i = 0; i < COUNT(chains); i++) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, chains[i].text);
		int ret = profile_of(&array.source, chains[i].of, &profile, &diag);
		UNIT_CHECK(ret == chains[i].ret, "case %zu: %d", i, ret);
		UNIT_CHECK(strcmp(diag.text, chains[i].reason) == 0, "case %zu: '%s'", i,
		           diag.text);
		if (ret == KNOT_EOK) {
			UNIT_CHECK(mail_profile_number(profile, MAIL_ITEM_TTL, 0) ==
			                   (strstr(chains[i].text, "ttl: 1\n") != NULL ? 1 : 77),
			           "case %zu", i);
		}
		mail_profile_free(profile);
		array_free(&array);
	}
}

/* Entries that cannot be read. */
static void test_damaged(void)
{
	static const struct {
		mail_section_t section;
		const char *id;
		bool newer;
		int ret;
		const char *reason;
	} cases[] = {
		{ MAIL_SECTION_POLICY, "top", false, KNOT_EMALF, "policy top is damaged" },
		{ MAIL_SECTION_POLICY, "low", false, KNOT_EMALF, "base: policy low is damaged" },
		{ MAIL_SECTION_POLICY, "middle", true, KNOT_ENOTSUP,
		  "base: policy middle is of a newer format" },
		{ MAIL_SECTION_DOMAIN, "t.example", false, KNOT_EMALF,
		  "domain t.example is damaged" },
		{ MAIL_SECTION_DOMAIN, "a.example", true, KNOT_ENOTSUP,
		  "domain a.example is of a newer format" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, chain);
		(void)array_put(&array,
		                "domain:\n  - id: t.example\n    policy: top\n  - id: a.example\n"
		                "    alias: t.example\n");
		(cases[i].newer ? array_newer : array_damage)(&array, cases[i].section,
		                                              cases[i].id);
		int ret = mail_profile_of_domain(&array.source, MAIL_STR("a.example"), &profile,
		                                 &diag);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d", i, ret);
		UNIT_CHECK(strcmp(diag.text, cases[i].reason) == 0, "case %zu: '%s'", i, diag.text);
		mail_profile_free(profile);
		array_free(&array);
	}
	/* A domain that follows nothing: no writer of ours makes it. */
	array_t array;
	mail_profile_t *profile = NULL;
	mail_diag_t diag = { 0 };
	array_begin(&array);
	array_octets(&array, MAIL_SECTION_DOMAIN, "d.example", "\x01", 1);
	CU_ASSERT_EQUAL(
		mail_profile_of_domain(&array.source, MAIL_STR("d.example"), &profile, &diag),
		KNOT_ENOENT);
	CU_ASSERT_STRING_EQUAL(diag.text, "domain d.example follows no policy");
	mail_profile_free(profile);
	array_free(&array);
}

/* What a profile was made from, with the stamps of then: also what was looked for in vain. */
static void test_dependencies(void)
{
	static const struct {
		const char *of;
		const char *expected; /* SECTION ID TRANSACTION, one a line. */
	} cases[] = {
		{ "policy top", "policy top 1\npolicy middle 1\npolicy low 1\n" },
		{ "domain t.example",
		  "domain t.example 2\npolicy top 1\npolicy middle 1\npolicy low 1\n" },
		{ "domain a.example", "domain a.example 2\ndomain t.example 2\npolicy top 1\n"
		                      "policy middle 1\npolicy low 1\n" },
		{ "alias t.example",
		  "domain t.example 2\npolicy top 1\npolicy middle 1\npolicy low 1\n" },
		{ "domain m.example", "domain m.example 2\npolicy nope 0\n" },
		{ "policy gone", "policy gone 3\n" },
	};
	array_t array;
	array_begin(&array);
	(void)array_put(&array, chain);
	(void)array_put(&array, "domain:\n  - id: t.example\n    policy: top\n  - id: a.example\n"
	                        "    alias: t.example\n  - id: m.example\n    policy: nope\n");
	array_del(&array, MAIL_SECTION_POLICY, "gone");
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_profile_t *profile = NULL;
		mail_buf_t got = { 0 };
		(void)profile_of(&array.source, cases[i].of, &profile, NULL);
		for (size_t j = 0; j < profile->dependency_count; j++) {
			const mail_dependency_t *dependency = &profile->dependencies[j];
			(void)mail_buf_printf(&got, "%s %.*s %d\n",
			                      mail_section_name(dependency->section),
			                      (int)dependency->id.len, dependency->id.data,
			                      (int)dependency->stamp.txnid);
			uint64_t seconds = dependency->stamp.timestamp / 1000000000;
			UNIT_CHECK(seconds == (dependency->stamp.txnid == 0
			                               ? 0
			                               : ARRAY_EPOCH + dependency->stamp.txnid),
			           "case %zu: %zu", i, j);
		}
		(void)shown_is(&got, cases[i].expected, "case", i);
		mail_profile_free(profile);
	}
	/* What a renderer fetches is noted, too. */
	mail_profile_t *profile = NULL;
	mail_entry_t *entry = NULL;
	CU_ASSERT_EQUAL_FATAL(profile_of(&array.source, "policy low", &profile, NULL), KNOT_EOK);
	CU_ASSERT_EQUAL(mail_profile_fetch(profile, MAIL_SECTION_HOST, MAIL_STR("h"), &entry),
	                KNOT_ENOENT);
	CU_ASSERT_EQUAL(profile->dependency_count, 2);
	CU_ASSERT_EQUAL(profile->dependencies[1].section, MAIL_SECTION_HOST);
	CU_ASSERT_EQUAL(profile->dependencies[1].stamp.timestamp, 0);
	CU_ASSERT_EQUAL(mail_profile_depend(profile, MAIL_SECTION_DKIM, MAIL_STR("low"),
	                                    (mail_stamp_t){ 5, 6 }),
	                KNOT_EOK);
	CU_ASSERT_EQUAL(profile->dependencies[2].stamp.timestamp, 5);
	CU_ASSERT(mail_str_is(profile->dependencies[2].id, "low"));
	mail_profile_free(profile);
	array_free(&array);
}

static void test_values(void)
{
	array_t array;
	mail_profile_t *profile = NULL;
	array_begin(&array);
	(void)array_put(&array, "policy:\n  - id: p\n    ttl: 5\n    no-mail: on\n"
	                        "domain:\n  - id: t.example\n    policy: p\n  - id: a.example\n"
	                        "    alias: t.example\n");
	CU_ASSERT_EQUAL_FATAL(profile_of(&array.source, "domain a.example", &profile, NULL),
	                      KNOT_EOK);
	CU_ASSERT_EQUAL(mail_profile_number(profile, MAIL_ITEM_TTL, 9), 5);
	CU_ASSERT_EQUAL(mail_profile_number(profile, MAIL_ITEM_MTA_STS_MAX_AGE, 9), 9);
	CU_ASSERT_EQUAL(mail_profile_number(profile, MAIL_ITEM_NO_MAIL, 9), 9);
	CU_ASSERT(mail_profile_switch(profile, MAIL_ITEM_NO_MAIL));
	CU_ASSERT(!mail_profile_switch(profile, MAIL_ITEM_TARGET));
	CU_ASSERT_PTR_NULL(mail_profile_value(profile, MAIL_ITEM_MX).data);
	CU_ASSERT(mail_str_is(profile->domain, "a.example"));
	CU_ASSERT(mail_str_is(profile->dkim_owner, "t.example"));
	CU_ASSERT(profile->alias);
	mail_profile_free(profile);
	mail_profile_free(NULL);
	array_free(&array);
}

static void test_failing(void)
{
	static const char *const of[] = { "policy top", "alias t.example", "domain t.example",
		                          "domain a.example", "domain m.example" };
	array_t array;
	CU_ASSERT_FATAL(failing_linked());
	array_begin(&array);
	(void)array_put(&array, chain);
	(void)array_put(&array, "domain:\n  - id: t.example\n    policy: top\n    txt: own\n"
	                        "  - id: a.example\n    alias: t.example\n  - id: m.example\n"
	                        "    alias: a.example\n");
	for (size_t i = 0; i < COUNT(of); i++) {
		const int expected = i + 1 < COUNT(of) ? KNOT_EOK : KNOT_ELOOP;
		bool met = true;
		for (size_t n = 1; met && failing_on(n); n++) {
			mail_profile_t *profile = NULL;
			mail_diag_t diag = { 0 };
			int ret = profile_of(&array.source, of[i], &profile, &diag);
			met = failing_off();
			UNIT_CHECK(ret == (met ? KNOT_ENOMEM : expected), "%s: allocation %zu: %d",
			           of[i], n, ret);
			mail_profile_free(profile);
		}
		UNIT_CHECK(!met, "%s", of[i]);
	}
	array_free(&array);
}

static const unit_test_t tests[] = { { "layers merged", test_merged },
	                             { "chains, circles, aliases", test_chains },
	                             { "damaged entries", test_damaged },
	                             { "dependencies", test_dependencies },
	                             { "values", test_values },
	                             { "allocations that fail", test_failing },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("policy", tests);
}
