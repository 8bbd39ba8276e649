/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merging: what a policy, a domain or the aliases of a domain end up with. */

#include "lib/failing.h"
#include "lib/source.h"

/* What most cases start from: a chain low < middle < top. */
static const char chain[] =
	"policy low| ttl: 100| mx: [ '10 a', '20 b' ]| spf: mx"
	"| dmarc: [ 'p=quarantine', 'rua=mailto:r@low.example', 'sp=none' ]| txt: low"
	"| autoconfig: auto\n"
	"policy middle| base: low| mx: '30 c'| spf-add: a| dmarc: 'sp=reject'"
	"| autoconfig: none\n"
	"policy top| base: middle| ttl: 300| spf-add: [ 'ip4:192.0.2.1', 'ip4:192.0.2.2' ]"
	"| txt: none";

/*! Make the profile of "policy X", "alias X" or "domain X". */
static int profile_of(const mail_source_t *source, const char *what, mail_profile_t **profile,
                      mail_diag_t *diag)
{
	mail_str_t id = MAIL_STR(strchr(what, ' ') + 1);
	return what[0] == 'p'   ? mail_profile_of_policy(source, id, profile, diag)
	       : what[0] == 'a' ? mail_profile_of_alias(source, id, profile, diag)
	                        : mail_profile_of_domain(source, id, profile, diag);
}

/*! Append "VALUE (LAYER)" of an item, one a line. */
static void show_item(const mail_profile_t *profile, const char *name, mail_buf_t *out)
{
	const mail_item_t *item = mail_item_find(MAIL_SECTION_POLICY, MAIL_STR(name));
	if (item == NULL) {
		item = mail_item_find(MAIL_SECTION_DOMAIN, MAIL_STR(name));
	}
	REQUIRE(item != NULL);
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
	{ "policy x", "policy x", "ttl", "3600 (built-in)\n" },
	{ "policy x", "policy x", "spf-all", "-all (built-in)\n" },
	{ "policy x", "policy x", "dmarc", "p=none (built-in)\n" },
	{ "policy x", "policy x", "mta-sts", "off (built-in)\n" },
	{ "policy x", "policy x", "mx", "" },
	{ "policy x", "policy x", "no-mail", "" },

	/* A scalar replaces. */
	{ "", "policy low", "ttl", "100 (policy low)\n" },
	{ "", "policy middle", "ttl", "100 (policy low)\n" },
	{ "", "policy top", "ttl", "300 (policy top)\n" },
	{ "domain d.example| policy: top| ttl: 400", "domain d.example", "ttl",
	  "400 (domain d.example)\n" },
	{ "domain d.example| policy: top", "domain d.example", "ttl", "300 (policy top)\n" },

	/* A list replaces, -add appends. */
	{ "", "policy low", "mx", "10 a (policy low)\n20 b (policy low)\n" },
	{ "", "policy top", "mx", "30 c (policy middle)\n" },
	{ "", "policy top", "spf",
	  "mx (policy low)\na (policy middle)\nip4:192.0.2.1 (policy top)\nip4:192.0.2.2 (policy top)\n" },
	{ "domain d.example| policy: top| mx-add: '40 d'", "domain d.example", "mx",
	  "30 c (policy middle)\n40 d (domain d.example)\n" },
	/* Both in one entry, in either order: what replaces goes first. */
	{ "domain d.example| policy: top| mx-add: '40 d'| mx: '50 e'", "domain d.example", "mx",
	  "50 e (domain d.example)\n40 d (domain d.example)\n" },
	{ "policy x| mx-add: '1 only'", "policy x", "mx", "1 only (policy x)\n" },

	/* none removes: what is inherited, what is built in; and then -add. */
	{ "", "policy middle", "autoconfig", "" },
	{ "", "policy top", "txt", "" },
	{ "policy x| spf-all: none", "policy x", "spf-all", "" },
	{ "policy x| dmarc: none", "policy x", "dmarc", "" },
	{ "policy x| base: x2| dmarc: 'p=reject'\npolicy x2| dmarc: none", "policy x", "dmarc",
	  "p=reject (policy x)\n" },
	{ "domain d.example| policy: top| spf-add: 'ip4:192.0.2.9'| spf: none", "domain d.example",
	  "spf", "ip4:192.0.2.9 (domain d.example)\n" },
	/* Further up, it can be set again. */
	{ "policy x| base: top| txt: again", "policy x", "txt", "again (policy x)\n" },

	/* dmarc merges by tag, in the order that the tags came in. */
	{ "", "policy top", "dmarc",
	  "p=quarantine (policy low)\nrua=mailto:r@low.example (policy low)\nsp=reject (policy middle)\n" },
	{ "domain d.example| policy: top| dmarc: [ 'np=reject', 'p=none' ]", "domain d.example",
	  "dmarc",
	  "p=none (domain d.example)\nrua=mailto:r@low.example (policy low)\nsp=reject (policy middle)\n"
	  "np=reject (domain d.example)\n" },
	/* A tag with an empty value takes one away (it is left out when the record is made). */
	{ "domain d.example| policy: low| dmarc: 'sp='", "domain d.example", "dmarc",
	  "p=quarantine (policy low)\nrua=mailto:r@low.example (policy low)\nsp= (domain d.example)\n" },

	/* An alias has what its target has, but not what is the target's alone. */
	{ "domain t.example| policy: low| mx: '5 own'\ndomain a.example| alias: t.example",
	  "domain a.example", "mx", "5 own (domain t.example)\n" },
	{ "domain t.example| policy: low| txt: own\ndomain a.example| alias: t.example",
	  "domain a.example", "txt", "low (policy low)\n" },
	{ "domain t.example| policy: low| txt: none", "alias t.example", "txt",
	  "low (policy low)\n" },
	{ "domain t.example| policy: low| txt-add: own", "alias t.example", "txt",
	  "low (policy low)\n" },
	{ "domain t.example| policy: low| record: 'www A 192.0.2.1'", "alias t.example", "record",
	  "" },
	{ "domain t.example| policy: low| record: 'www A 192.0.2.1'", "domain t.example", "record",
	  "www A 192.0.2.1 (domain t.example)\n" },
	{ "domain t.example| policy: low| delegation: 'sub NS ns.example.net.'", "alias t.example",
	  "delegation", "" },
	/* The policy's records are every domain's. */
	{ "policy x| record: 'www A 192.0.2.1'\ndomain t.example| policy: x", "alias t.example",
	  "record", "www A 192.0.2.1 (policy x)\n" },
};

static void test_merged(void)
{
	EACH(c, merged) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, chain);
		(void)array_put(&array, c->text);
		int ret = profile_of(&array.source, c->of, &profile, &diag);
		if (CHECK(ret == KNOT_EOK, "%d %s", ret, diag.text)) {
			mail_buf_t got = { 0 };
			show_item(profile, c->item, &got);
			shown_is(&got, c->expected, "case");
		}
		mail_profile_free(profile);
		array_free(&array);
	}
}

#define POLICY(id, base) "policy " id "| base: " base "\n"
#define CHAIN7                                                                                     \
	POLICY("p7", "p6")                                                                         \
	POLICY("p6", "p5")                                                                         \
	POLICY("p5", "p4")                                                                         \
	POLICY("p4", "p3")                                                                         \
	POLICY("p3", "p2") POLICY("p2", "p1") "policy p1| ttl: 77\n"

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
	{ CHAIN7 POLICY("p8", "p7") "domain d.example| policy: p8| ttl: 1", "domain d.example",
	  KNOT_EOK, "" },
	{ POLICY("a", "a"), "policy a", KNOT_ELOOP, "policy a is its own base" },
	{ POLICY("a", "b") POLICY("b", "a"), "policy a", KNOT_ELOOP, "policy a is its own base" },
	{ POLICY("a", "b") POLICY("b", "c") POLICY("c", "b"), "policy a", KNOT_ELOOP,
	  "policy b is its own base" },
	{ POLICY("a", "b"), "policy a", KNOT_ENOENT, "base: policy b does not exist" },
	{ "", "policy a", KNOT_ENOENT, "policy a does not exist" },
	{ "", "domain d.example", KNOT_ENOENT, "domain d.example does not exist" },
	{ "", "alias d.example", KNOT_ENOENT, "domain d.example does not exist" },
	{ "domain d.example| policy: nope", "domain d.example", KNOT_ENOENT,
	  "policy nope does not exist" },
	{ "domain a.example| alias: b.example", "domain a.example", KNOT_ENOENT,
	  "domain b.example does not exist" },
	{ "domain a.example| alias: b.example\ndomain b.example| alias: c.example\n"
	  "domain c.example| policy: nope",
	  "domain a.example", KNOT_ELOOP, "alias: b.example is an alias itself" },
	{ "domain a.example| alias: b.example\ndomain b.example| alias: a.example",
	  "domain a.example", KNOT_ELOOP, "alias: b.example is an alias itself" },
};

static void test_chains(void)
{
	EACH(c, chains) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, c->text);
		int ret = profile_of(&array.source, c->of, &profile, &diag);
		CHECK_INT(ret, c->ret);
		CHECK_STR(diag.text, c->reason);
		if (ret == KNOT_EOK) {
			CHECK(mail_profile_number(profile, MAIL_ITEM_TTL, 0) ==
			      (strstr(c->text, "policy: p8| ttl: 1") != NULL ? 1 : 77));
		}
		mail_profile_free(profile);
		array_free(&array);
	}
}

/* Entries that cannot be read. */
static void test_damaged(void)
{
	static const struct {
		const char *entry;
		bool newer;
		int ret;
		const char *reason;
	} cases[] = {
		{ "policy top", false, KNOT_EMALF, "policy top is damaged" },
		{ "policy low", false, KNOT_EMALF, "base: policy low is damaged" },
		{ "policy middle", true, KNOT_ENOTSUP, "base: policy middle is of a newer format" },
		{ "domain t.example", false, KNOT_EMALF, "domain t.example is damaged" },
		{ "domain a.example", true, KNOT_ENOTSUP, "domain a.example is of a newer format" },
	};
	EACH(c, cases) {
		array_t array;
		mail_profile_t *profile = NULL;
		mail_diag_t diag = { 0 };
		array_begin(&array);
		(void)array_put(&array, chain);
		(void)array_put(
			&array,
			"domain t.example| policy: top\ndomain a.example| alias: t.example");
		(c->newer ? array_newer : array_damage)(&array, c->entry);
		int ret = mail_profile_of_domain(&array.source, MAIL_STR("a.example"), &profile,
		                                 &diag);
		CHECK_INT(ret, c->ret);
		CHECK_STR(diag.text, c->reason);
		mail_profile_free(profile);
		array_free(&array);
	}
	/* A domain that follows nothing: no writer of ours makes it. */
	array_t array;
	mail_profile_t *profile = NULL;
	mail_diag_t diag = { 0 };
	array_begin(&array);
	array_octets(&array, "domain d.example", "\x01", 1);
	CHECK_INT(mail_profile_of_domain(&array.source, MAIL_STR("d.example"), &profile, &diag),
	          KNOT_ENOENT);
	CHECK_STR(diag.text, "domain d.example follows no policy");
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
	(void)array_put(&array,
	                "domain t.example| policy: top\ndomain a.example| alias: t.example\n"
	                "domain m.example| policy: nope");
	array_del(&array, "policy gone");
	EACH(c, cases) {
		mail_profile_t *profile = NULL;
		mail_buf_t got = { 0 };
		(void)profile_of(&array.source, c->of, &profile, NULL);
		for (size_t j = 0; j < profile->dependency_count; j++) {
			const mail_dependency_t *dependency = &profile->dependencies[j];
			(void)mail_buf_printf(&got, "%s %.*s %d\n",
			                      mail_section_name(dependency->section),
			                      (int)dependency->id.len, dependency->id.data,
			                      (int)dependency->stamp.txnid);
			uint64_t seconds = dependency->stamp.timestamp / 1000000000;
			CHECK(seconds == (dependency->stamp.txnid == 0
			                          ? 0
			                          : ARRAY_EPOCH + dependency->stamp.txnid),
			      "%zu", j);
		}
		shown_is(&got, c->expected, "case");
		mail_profile_free(profile);
	}
	/* What a renderer fetches is noted, too. */
	mail_profile_t *profile = NULL;
	mail_entry_t *entry = NULL;
	REQUIRE(profile_of(&array.source, "policy low", &profile, NULL) == KNOT_EOK);
	CHECK_INT(mail_profile_fetch(profile, MAIL_SECTION_HOST, MAIL_STR("h"), &entry),
	          KNOT_ENOENT);
	CHECK_INT(profile->dependency_count, 2);
	CHECK_INT(profile->dependencies[1].section, MAIL_SECTION_HOST);
	CHECK_INT(profile->dependencies[1].stamp.timestamp, 0);
	CHECK_OK(mail_profile_depend(profile, MAIL_SECTION_DKIM, MAIL_STR("low"),
	                             (mail_stamp_t){ 5, 6 }));
	CHECK_INT(profile->dependencies[2].stamp.timestamp, 5);
	CHECK_TEXT(profile->dependencies[2].id, "low");
	mail_profile_free(profile);
	array_free(&array);
}

static void test_values(void)
{
	array_t array;
	mail_profile_t *profile = NULL;
	array_begin(&array);
	(void)array_put(&array, "policy p| ttl: 5| no-mail: on\ndomain t.example| policy: p\n"
	                        "domain a.example| alias: t.example");
	REQUIRE(profile_of(&array.source, "domain a.example", &profile, NULL) == KNOT_EOK);
	CHECK_INT(mail_profile_number(profile, MAIL_ITEM_TTL, 9), 5);
	CHECK_INT(mail_profile_number(profile, MAIL_ITEM_MTA_STS_MAX_AGE, 9), 9);
	CHECK_INT(mail_profile_number(profile, MAIL_ITEM_NO_MAIL, 9), 9);
	CHECK(mail_profile_switch(profile, MAIL_ITEM_NO_MAIL));
	CHECK(!mail_profile_switch(profile, MAIL_ITEM_TARGET));
	CHECK(mail_profile_value(profile, MAIL_ITEM_MX).data == NULL);
	CHECK_TEXT(profile->domain, "a.example");
	CHECK_TEXT(profile->dkim_owner, "t.example");
	CHECK(profile->alias);
	mail_profile_free(profile);
	mail_profile_free(NULL);
	array_free(&array);
}

static void test_failing(void)
{
	static const char *const of[] = { "policy top", "alias t.example", "domain t.example",
		                          "domain a.example", "domain m.example" };
	array_t array;
	REQUIRE(failing_linked());
	array_begin(&array);
	(void)array_put(&array, chain);
	(void)array_put(
		&array,
		"domain t.example| policy: top| txt: own\ndomain a.example| alias: t.example\n"
		"domain m.example| alias: a.example");
	for (size_t i = 0; i < COUNT(of); i++) {
		const int expected = i + 1 < COUNT(of) ? KNOT_EOK : KNOT_ELOOP;
		bool met = true;
		for (size_t n = 1; met && failing_on(n); n++) {
			mail_profile_t *profile = NULL;
			mail_diag_t diag = { 0 };
			int ret = profile_of(&array.source, of[i], &profile, &diag);
			met = failing_off();
			CHECK(ret == (met ? KNOT_ENOMEM : expected), "%s: allocation %zu: %d",
			      of[i], n, ret);
			mail_profile_free(profile);
		}
		CHECK(!met, "%s", of[i]);
	}
	array_free(&array);
}

UNIT_MAIN("policy", TEST("layers merged", test_merged),
          TEST("chains, circles, aliases", test_chains), TEST("damaged entries", test_damaged),
          TEST("dependencies", test_dependencies), TEST("values", test_values),
          TEST("allocations that fail", test_failing))
