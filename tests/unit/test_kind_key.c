/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key sets: DNSKEY, CDS and CDNSKEY of a plan, and the DS that the parent should have. */

#include "lib/failing.h"
#include "lib/planned.h"

#define CSK "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define KSK "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs="
#define ZSK CSK
#define CSK_DIGEST "84626A41426088F04D5AA4413B888DAF26727A48E0B6C58EE3D2EE8B43CB304A"
#define KSK_DIGEST "45125B3A3DB0FC97414034DAD8510923E6913DAFEDDBFF60CCEBB00F8FA7FF9B"
#define CSK_DIGEST384                                                                              \
	"A92F42417418F888F8D1F993CF8F618A557C8F29DCEE36BACC11FC99E5602F39C2E956E8BD472C8E96B5E2203ACD01CB"
#define NS "ns: 'ns2.example.net.'| key-set: k"
#define SET(items) "key-set k| " items

#define PAIR                                                                                       \
	SET("key: [ '3612 ed25519 zsk publish=2027-01-15T08:10:00Z " ZSK "', "                     \
	    "'35217 ed25519 ksk publish=2027-01-15T08:10:00Z ds=2027-01-15T08:20:00Z " KSK "' ]")

static const struct {
	const char *kind;
	const char *policy;   /* Items of policy p. */
	const char *others;   /* Other sections. */
	const char *expected; /* Rows of the kind. */
} cases[] = {
	{ "dnskey", "ns: 'ns2.example.net.'", SET("key: '3613 ed25519 csk " CSK "'"), "" },
	{ "dnskey", NS, SET(""), "" },
	{ "cds", NS, SET("leave: '2027-01-15T08:10:00Z'"), "" },
	/* Only hosted domains are signed here. */
	{ "dnskey", "key-set: k", SET("key: '3613 ed25519 csk " CSK "'"), "" },
	{ "cds", "key-set: k",
	  SET("leave: '2027-01-15T08:10:00Z'| key: '3613 ed25519 csk " CSK "'"), "" },
	{ "dnskey", NS, SET("key: '3613 ed25519 csk " CSK "'"), "@ DNSKEY 257 3 15 " CSK "\n" },
	/* A domain without mail is signed as any other. */
	{ "dnskey", NS "| no-mail: on", SET("key: '3613 ed25519 csk " CSK "'"),
	  "@ DNSKEY 257 3 15 " CSK "\n" },
	{ "dnskey", NS, PAIR,
	  "@ [+600..] DNSKEY 257 3 15 " KSK "\n@ [+600..] DNSKEY 256 3 15 " ZSK "\n" },
	{ "cds", NS, PAIR, "@ [+1200..] CDS 35217 15 2 " KSK_DIGEST "\n" },
	{ "cdnskey", NS, PAIR, "@ [+1200..] CDNSKEY 257 3 15 " KSK "\n" },
	{ "dnskey", NS,
	  SET("key: '3613 ed25519 csk publish=2027-01-15T08:10:00Z remove=2027-01-15T08:30:00Z " CSK
	      "'"),
	  "@ [+600..+1800] DNSKEY 257 3 15 " CSK "\n" },
	/* No CDS names a key that never was, or is no more. */
	{ "cdnskey", NS, SET("key: '3613 ed25519 csk " CSK "'"), "" },
	{ "cdnskey", NS,
	  SET("key: '3613 ed25519 csk remove=2027-01-15T08:30:00Z ds=2027-01-15T08:20:00Z " CSK
	      "'"),
	  "@ [+1200..+1800] CDNSKEY 257 3 15 " CSK "\n" },
	{ "cdnskey", NS,
	  SET("key: '3613 ed25519 csk ds=2027-01-15T08:20:00Z ds-until=2027-01-15T08:25:00Z " CSK
	      "'"),
	  "@ [+1200..+1500] CDNSKEY 257 3 15 " CSK "\n" },
	{ "cds", NS,
	  SET("key: '3613 ed25519 csk ds=2027-01-15T08:20:00Z ds-until=2027-01-15T08:20:00Z " CSK
	      "'"),
	  "" },
	/* RFC 8078 4: the way out, for as long as it can be signed. */
	{ "cds", NS,
	  SET("leave: '2027-01-15T08:30:00Z'| key: '3613 ed25519 csk remove=2027-01-15T08:50:00Z " CSK
	      "'"),
	  "@ [+1800..+3000] CDS 0 0 0 00\n" },
	{ "cdnskey", NS,
	  SET("leave: '2027-01-15T08:30:00Z'| key: '3613 ed25519 csk publish=2027-01-15T08:05:00Z ds=2027-01-15T08:20:00Z " CSK
	      "'"),
	  "@ [+1200..+1800] CDNSKEY 257 3 15 " CSK "\n@ [+1800..] CDNSKEY 0 3 0 AA==\n" },
	{ "cdnskey", NS,
	  SET("leave: '2027-01-15T08:01:00Z'| key: '3613 ed25519 csk publish=2027-01-15T08:05:00Z ds=2027-01-15T08:20:00Z " CSK
	      "'"),
	  "@ [+300..] CDNSKEY 0 3 0 AA==\n" },
};

static void test_cases(void)
{
	EACH(c, cases) {
		planned_t p;
		mail_buf_t rows = { 0 };
		if (CHECK(planned_begin(&p, c->policy, c->others, (c - cases) % 2 == 0), "%s",
		          p.diag.text)) {
			show_plan(p.plan, c->kind, &rows);
			CHECK_BUF(&rows, c->expected);
		}
		planned_end(&p);
	}
}

/*! The digest follows the domain, in small letters, whatever the case it was asked in. */
static void test_digest(void)
{
	planned_t p;
	uint8_t out[64], pair[64];
	CHECK(planned_begin(&p, NS, SET("key: '3613 ed25519 csk ds=2027-01-15T08:00:00Z " CSK "'"),
	                    true),
	      "%s", p.diag.text);
	const mail_plan_t *plan = p.plan;
	const mail_row_t *row = NULL;
	for (size_t i = 0; plan != NULL && i < plan->relative.owners[0].count; i++) {
		const mail_row_t *other = &plan->relative.owners[0].rows[i];
		row = other->type == KNOT_RRTYPE_CDS ? other : row;
	}
	REQUIRE(row != NULL);
	const mail_apex_t lower = { (const uint8_t *)"\7example\3org", MAIL_STR("example.org") };
	const mail_apex_t upper = { (const uint8_t *)"\7eXAMple\3ORG", MAIL_STR("eXAMple.ORG") };
	const mail_apex_t other = { (const uint8_t *)"\7example\3net", MAIL_STR("example.net") };
	CHECK_INT(mail_rdata_fill(&row->rdata, &lower, out, sizeof(out)), 36);
	CHECK_INT(mail_rdata_fill(&row->rdata, &upper, pair, sizeof(pair)), 36);
	CHECK_INT(memcmp(out, pair, 36), 0);
	CHECK_INT(mail_rdata_fill(&row->rdata, &other, pair, sizeof(pair)), 36);
	CHECK(memcmp(out, pair, 36) != 0);
	CHECK_INT(mail_rdata_fill(&row->rdata, &lower, out, 35), KNOT_ESPACE);
	/* The same as DS RDATA is made elsewhere. */
	size_t pos = 0;
	CHECK_INT(mail_plan_ds(plan, lower.name, MAIL_DS_SHA256, NOW, &pos, pair), 36);
	CHECK_INT(pos, 1);
	CHECK_INT(memcmp(out, pair, 36), 0);
	planned_end(&p);
}

/*! The keys of a plan, and what the parent should have. */
static void test_keys(void)
{
	static const struct {
		const char *set;
		int64_t now;      /* Seconds behind NOW. */
		const char *tags; /* Those of the DS. */
	} ds[] = {
		{ PAIR, 1199, "" },
		{ PAIR, 1200, "35217" },
		{ SET("key: '3613 ed25519 csk " CSK "'"), 0, "" },
		{ SET("key: [ '3613 ed25519 csk ds=2027-01-15T08:10:00Z ds-until=2027-01-15T08:20:00Z " CSK
		      "', '35217 ed25519 csk ds=2027-01-15T08:15:00Z " KSK "' ]"),
		  0, "" },
		{ SET("key: [ '35217 ed25519 csk ds=2027-01-15T08:15:00Z " KSK
		      "', '3613 ed25519 csk ds=2027-01-15T08:10:00Z ds-until=2027-01-15T08:20:00Z " CSK
		      "' ]"),
		  900, "3613 35217" },
		{ SET("key: [ '35217 ed25519 csk ds=2027-01-15T08:15:00Z " KSK
		      "', '3613 ed25519 csk ds=2027-01-15T08:10:00Z ds-until=2027-01-15T08:20:00Z " CSK
		      "' ]"),
		  1200, "35217" },
		/* The way out counts for stored parents, too. */
		{ SET("leave: '2027-01-15T08:30:00Z'| key: '3613 ed25519 csk ds=2027-01-15T08:20:00Z " CSK
		      "'"),
		  1799, "3613" },
		{ SET("leave: '2027-01-15T08:30:00Z'| key: '3613 ed25519 csk ds=2027-01-15T08:20:00Z " CSK
		      "'"),
		  1800, "" },
	};
	EACH(c, ds) {
		planned_t p;
		mail_buf_t tags = { 0 };
		uint8_t out[MAIL_DS_RDATA_MAX];
		size_t pos = 0;
		int ret = KNOT_EOK;
		CHECK(planned_begin(&p, NS, c->set, true), "%s", p.diag.text);
		const mail_plan_t *plan = p.plan;
		while (plan != NULL &&
		       (ret = mail_plan_ds(plan, (const uint8_t *)"\7example\3org", MAIL_DS_SHA384,
		                           NOW + c->now, &pos, out)) > 0) {
			const mail_dnskey_t *key = &plan->keys[pos - 1];
			CHECK(ret == 52 && out[3] == MAIL_DS_SHA384 && out[2] == 15 &&
			      (out[0] << 8 | out[1]) == key->tag);
			(void)mail_buf_printf(&tags, "%s%u", tags.len > 0 ? " " : "", key->tag);
		}
		CHECK_INT(ret, KNOT_ENOENT);
		CHECK_TEXT(mail_buf_view(&tags), c->tags);
		for (size_t j = 1; plan != NULL && j < plan->key_count; j++) {
			CHECK(plan->keys[j].role >= plan->keys[j - 1].role);
		}
		mail_buf_free(&tags);
		planned_end(&p);
	}
}

/*! A set that is not there, or is damaged, is refused, and is a fault for readers, who see it come back. */
static void test_faults(void)
{
	planned_t p;
	CHECK(!planned_begin(&p, NS, "", true) && p.ret != KNOT_EOK);
	CHECK_STR(p.diag.text, "key-set: key-set k does not exist");
	CHECK(!planned_again(&p, false));
	CHECK_OK(p.ret);
	REQUIRE(p.plan != NULL);
	CHECK_STR(p.plan->reason, "key-set: key-set k does not exist");
	size_t noted = 0;
	for (size_t i = 0; i < p.plan->dependency_count; i++) {
		noted += p.plan->dependencies[i].section == MAIL_SECTION_KEYSET &&
		         mail_str_is(p.plan->dependencies[i].id, "k");
	}
	CHECK_INT(noted, 1);

	CHECK(array_put(&p.array, SET("key: '3613 ed25519 csk " CSK "'")));
	array_damage(&p.array, "key-set k");
	CHECK(!planned_again(&p, false));
	REQUIRE(p.plan != NULL);
	CHECK_STR(p.plan->reason, "key-set: key-set k cannot be read");
	planned_end(&p);
}

/*! No allocation that fails is lost, or makes an unsigned plan. */
static void test_failing(void)
{
	planned_t p;
	CHECK(planned_begin(&p, NS, PAIR, true), "%s", p.diag.text);
	REQUIRE(failing_linked());
	bool met = true;
	for (size_t i = 1; met && failing_on(i); i++) {
		(void)planned_again(&p, false);
		met = failing_off();
		CHECK(p.ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d", i, p.ret);
		CHECK((p.plan == NULL) == met, "allocation %zu", i);
	}
	planned_end(&p);
}

UNIT_MAIN("kind_key", TEST("rows", test_cases), TEST("the digest of the domain", test_digest),
          TEST("keys and DS", test_keys), TEST("a set that is not there", test_faults),
          TEST("allocations that fail", test_failing))
