/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key sets: DNSKEY, CDS and CDNSKEY of a plan, and the DS that the parent should have. */

#include "failing.h"
#include "planned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* NOW is 2027-01-15T08:00:00Z. */
#define AT(minutes) "2027-01-15T08:" minutes ":00Z"

#define CSK "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define KSK "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs="
#define ZSK CSK
#define CSK_DIGEST "84626A41426088F04D5AA4413B888DAF26727A48E0B6C58EE3D2EE8B43CB304A"
#define KSK_DIGEST "45125B3A3DB0FC97414034DAD8510923E6913DAFEDDBFF60CCEBB00F8FA7FF9B"
#define CSK_DIGEST384                                                                              \
	"A92F42417418F888F8D1F993CF8F618A557C8F29DCEE36BACC11FC99E5602F39C2E956E8BD472C8E96B5E2203ACD01CB"
#define NS "    ns: \"ns2.example.net.\"\n    key-set: k\n"
#define SET(items) "key-set:\n  - id: k\n" items

typedef struct {
	const char *kind;
	const char *policy;   /* Items of policy p. */
	const char *others;   /* Other sections. */
	const char *expected; /* Rows of the kind. */
} case_t;

#define PAIR                                                                                       \
	SET("    key: [ \"3612 ed25519 zsk publish=" AT(                                           \
		"10") " " ZSK                                                                      \
	              "\", \"35217 ed25519 ksk publish=" AT("10") " ds=" AT("20") " " KSK          \
	                                                                          "\" ]\n")

static const case_t cases[] = {
	{ "dnskey", "    ns: \"ns2.example.net.\"\n",
	  SET("    key: \"3613 ed25519 csk " CSK "\"\n"), "" },
	{ "dnskey", NS, SET(""), "" },
	{ "cds", NS, SET("    leave: \"" AT("10") "\"\n"), "" },
	/* Only hosted domains are signed here. */
	{ "dnskey", "    key-set: k\n", SET("    key: \"3613 ed25519 csk " CSK "\"\n"), "" },
	{ "cds", "    key-set: k\n",
	  SET("    leave: \"" AT("10") "\"\n    key: \"3613 ed25519 csk " CSK "\"\n"), "" },
	{ "dnskey", NS, SET("    key: \"3613 ed25519 csk " CSK "\"\n"),
	  "@ DNSKEY 257 3 15 " CSK "\n" },
	/* A domain without mail is signed as any other. */
	{ "dnskey", NS "    no-mail: on\n", SET("    key: \"3613 ed25519 csk " CSK "\"\n"),
	  "@ DNSKEY 257 3 15 " CSK "\n" },
	{ "dnskey", NS, PAIR,
	  "@ [+600..] DNSKEY 257 3 15 " KSK "\n@ [+600..] DNSKEY 256 3 15 " ZSK "\n" },
	{ "cds", NS, PAIR, "@ [+1200..] CDS 35217 15 2 " KSK_DIGEST "\n" },
	{ "cdnskey", NS, PAIR, "@ [+1200..] CDNSKEY 257 3 15 " KSK "\n" },
	{ "dnskey", NS,
	  SET("    key: \"3613 ed25519 csk publish=" AT("10") " remove=" AT("30") " " CSK "\"\n"),
	  "@ [+600..+1800] DNSKEY 257 3 15 " CSK "\n" },
	/* No CDS names a key that never was, or is no more. */
	{ "cdnskey", NS, SET("    key: \"3613 ed25519 csk " CSK "\"\n"), "" },
	{ "cdnskey", NS,
	  SET("    key: \"3613 ed25519 csk remove=" AT("30") " ds=" AT("20") " " CSK "\"\n"),
	  "@ [+1200..+1800] CDNSKEY 257 3 15 " CSK "\n" },
	{ "cdnskey", NS,
	  SET("    key: \"3613 ed25519 csk ds=" AT("20") " ds-until=" AT("25") " " CSK "\"\n"),
	  "@ [+1200..+1500] CDNSKEY 257 3 15 " CSK "\n" },
	{ "cds", NS,
	  SET("    key: \"3613 ed25519 csk ds=" AT("20") " ds-until=" AT("20") " " CSK "\"\n"),
	  "" },
	/* RFC 8078 4: the way out, for as long as it can be signed. */
	{ "cds", NS,
	  SET("    leave: \"" AT("30") "\"\n    key: \"3613 ed25519 csk remove=" AT("50") " " CSK
	                                                                                  "\"\n"),
	  "@ [+1800..+3000] CDS 0 0 0 00\n" },
	{ "cdnskey", NS,
	  SET("    leave: \"" AT("30") "\"\n    key: \"3613 ed25519 csk publish=" AT(
		  "05") " ds=" AT("20") " " CSK "\"\n"),
	  "@ [+1200..+1800] CDNSKEY 257 3 15 " CSK "\n@ [+1800..] CDNSKEY 0 3 0 AA==\n" },
	{ "cdnskey", NS,
	  SET("    leave: \"" AT("01") "\"\n    key: \"3613 ed25519 csk publish=" AT(
		  "05") " ds=" AT("20") " " CSK "\"\n"),
	  "@ [+300..] CDNSKEY 0 3 0 AA==\n" },
};

static int plan_for(array_t *array, const char *policy, const char *others, bool strict,
                    mail_plan_t **plan, mail_diag_t *diag)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), "policy:\n  - id: p\n%s%s", policy, others);
	CU_ASSERT_TRUE_FATAL(array_put(array, text));
	return plan_of(&array->source, "p", strict, plan, diag);
}

static void test_cases(void)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		array_t array;
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		mail_buf_t rows = { 0 };
		array_begin(&array);
		int ret = plan_for(&array, cases[i].policy, cases[i].others, i % 2 == 0, &plan,
		                   &diag);
		if (UNIT_CHECK(ret == KNOT_EOK && plan->error == KNOT_EOK, "case %zu: %s", i,
		               diag.text)) {
			show_plan(plan, cases[i].kind, &rows);
			UNIT_CHECK(mail_str_is(mail_buf_view(&rows), cases[i].expected),
			           "case %zu: %.*s", i, (int)rows.len, (const char *)rows.data);
		}
		mail_buf_free(&rows);
		mail_plan_free(plan);
		array_free(&array);
	}
}

/*! The digest follows the domain, in small letters, whatever the case it was asked in. */
static void test_digest(void)
{
	array_t array;
	mail_plan_t *plan = NULL;
	mail_diag_t diag = { 0 };
	uint8_t out[64], pair[64];
	array_begin(&array);
	int ret = plan_for(&array, NS,
	                   SET("    key: \"3613 ed25519 csk ds=" AT("00") " " CSK "\"\n"), true,
	                   &plan, &diag);
	UNIT_CHECK(ret == KNOT_EOK, "%s", diag.text);
	const mail_row_t *row = NULL;
	for (size_t i = 0; plan != NULL && i < plan->relative.owners[0].count; i++) {
		const mail_row_t *other = &plan->relative.owners[0].rows[i];
		row = other->type == KNOT_RRTYPE_CDS ? other : row;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	const mail_apex_t lower = { (const uint8_t *)"\7example\3org", MAIL_STR("example.org") };
	const mail_apex_t upper = { (const uint8_t *)"\7eXAMple\3ORG", MAIL_STR("eXAMple.ORG") };
	const mail_apex_t other = { (const uint8_t *)"\7example\3net", MAIL_STR("example.net") };
	CU_ASSERT_EQUAL(mail_rdata_fill(&row->rdata, &lower, out, sizeof(out)), 36);
	CU_ASSERT_EQUAL(mail_rdata_fill(&row->rdata, &upper, pair, sizeof(pair)), 36);
	CU_ASSERT_EQUAL(memcmp(out, pair, 36), 0);
	CU_ASSERT_EQUAL(mail_rdata_fill(&row->rdata, &other, pair, sizeof(pair)), 36);
	CU_ASSERT_NOT_EQUAL(memcmp(out, pair, 36), 0);
	CU_ASSERT_EQUAL(mail_rdata_fill(&row->rdata, &lower, out, 35), KNOT_ESPACE);
	/* The same as DS RDATA is made elsewhere. */
	size_t pos = 0;
	CU_ASSERT_EQUAL(mail_plan_ds(plan, lower.name, MAIL_DS_SHA256, NOW, &pos, pair), 36);
	CU_ASSERT_EQUAL(pos, 1);
	CU_ASSERT_EQUAL(memcmp(out, pair, 36), 0);
	mail_plan_free(plan);
	array_free(&array);
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
		{ SET("    key: \"3613 ed25519 csk " CSK "\"\n"), 0, "" },
		{ SET("    key: [ \"3613 ed25519 csk ds=" AT("10") " ds-until=" AT(
			  "20") " " CSK "\", \"35217 ed25519 csk ds=" AT("15") " " KSK "\" ]\n"),
		  0, "" },
		{ SET("    key: [ \"35217 ed25519 csk ds=" AT(
			  "15") " " KSK
		                "\", \"3613 ed25519 csk ds=" AT("10") " ds-until=" AT(
					"20") " " CSK "\" ]\n"),
		  900, "3613 35217" },
		{ SET("    key: [ \"35217 ed25519 csk ds=" AT(
			  "15") " " KSK
		                "\", \"3613 ed25519 csk ds=" AT("10") " ds-until=" AT(
					"20") " " CSK "\" ]\n"),
		  1200, "35217" },
		/* The way out counts for stored parents, too. */
		{ SET("    leave: \"" AT("30") "\"\n    key: \"3613 ed25519 csk ds=" AT(
			  "20") " " CSK "\"\n"),
		  1799, "3613" },
		{ SET("    leave: \"" AT("30") "\"\n    key: \"3613 ed25519 csk ds=" AT(
			  "20") " " CSK "\"\n"),
		  1800, "" },
	};
	for (size_t i = 0; i < COUNT(ds); i++) {
		array_t array;
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		mail_buf_t tags = { 0 };
		uint8_t out[MAIL_DS_RDATA_MAX];
		size_t pos = 0;
		int ret;
		array_begin(&array);
		ret = plan_for(&array, NS, ds[i].set, true, &plan, &diag);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text);
		while (plan != NULL &&
		       (ret = mail_plan_ds(plan, (const uint8_t *)"\7example\3org", MAIL_DS_SHA384,
		                           NOW + ds[i].now, &pos, out)) > 0) {
			const mail_dnskey_t *key = &plan->keys[pos - 1];
			UNIT_CHECK(ret == 52 && out[3] == MAIL_DS_SHA384 && out[2] == 15 &&
			                   (out[0] << 8 | out[1]) == key->tag,
			           "case %zu", i);
			(void)mail_buf_printf(&tags, "%s%u", tags.len > 0 ? " " : "", key->tag);
		}
		UNIT_CHECK(ret == KNOT_ENOENT, "case %zu: %d", i, ret);
		UNIT_CHECK(mail_str_is(mail_buf_view(&tags), ds[i].tags), "case %zu: %.*s", i,
		           (int)tags.len, (const char *)tags.data);
		for (size_t j = 1; plan != NULL && j < plan->key_count; j++) {
			UNIT_CHECK(plan->keys[j].role >= plan->keys[j - 1].role, "case %zu", i);
		}
		mail_buf_free(&tags);
		mail_plan_free(plan);
		array_free(&array);
	}
}

/*! A set that is not there, or is damaged, is refused, and is a fault for readers, who see it come back. */
static void test_faults(void)
{
	array_t array;
	mail_plan_t *plan = NULL;
	mail_diag_t diag = { 0 };
	array_begin(&array);
	CU_ASSERT_NOT_EQUAL(plan_for(&array, NS, "", true, &plan, &diag), KNOT_EOK);
	CU_ASSERT_STRING_EQUAL(diag.text, "key-set: key-set k does not exist");
	CU_ASSERT_EQUAL(plan_of(&array.source, "p", false, &plan, NULL), KNOT_EOK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
	CU_ASSERT_NOT_EQUAL(plan->error, KNOT_EOK);
	CU_ASSERT_STRING_EQUAL(plan->reason, "key-set: key-set k does not exist");
	size_t noted = 0;
	for (size_t i = 0; i < plan->dependency_count; i++) {
		noted += plan->dependencies[i].section == MAIL_SECTION_KEYSET &&
		         mail_str_is(plan->dependencies[i].id, "k");
	}
	CU_ASSERT_EQUAL(noted, 1);
	mail_plan_free(plan);

	CU_ASSERT_TRUE(array_put(&array, SET("    key: \"3613 ed25519 csk " CSK "\"\n")));
	array_damage(&array, MAIL_SECTION_KEYSET, "k");
	CU_ASSERT_EQUAL(plan_of(&array.source, "p", false, &plan, NULL), KNOT_EOK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
	CU_ASSERT_STRING_EQUAL(plan->reason, "key-set: key-set k cannot be read");
	mail_plan_free(plan);
	array_free(&array);
}

/*! No allocation that fails is lost, or makes an unsigned plan. */
static void test_failing(void)
{
	array_t array;
	mail_plan_t *plan = NULL;
	mail_diag_t diag = { 0 };
	array_begin(&array);
	CU_ASSERT_EQUAL(plan_for(&array, NS, PAIR, true, &plan, &diag), KNOT_EOK);
	mail_plan_free(plan);
	CU_ASSERT_TRUE_FATAL(failing_linked());
	for (size_t i = 1; failing_on(i); i++) {
		int ret = plan_of(&array.source, "p", false, &plan, NULL);
		if (!failing_off()) {
			CU_ASSERT_EQUAL(ret, KNOT_EOK);
			mail_plan_free(plan);
			break;
		}
		UNIT_CHECK(ret == KNOT_ENOMEM && plan == NULL, "allocation %zu: %d", i, ret);
		mail_plan_free(plan);
	}
	array_free(&array);
}

int main(void)
{
	static const unit_test_t tests[] = {
		{ "rows", test_cases },
		{ "the digest of the domain", test_digest },
		{ "keys and DS", test_keys },
		{ "a set that is not there", test_faults },
		{ "allocations that fail", test_failing },
		{ NULL, NULL },
	};
	return unit_run("kind_key", tests);
}
