/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/mtasts.h"

#include "rendered_sweep.h"

#define MX_MAX 4

static void test_id(void)
{
	static const struct {
		const char *id;
		int ret;
		unsigned column;
	} cases[] = {
		{ "16561011793845132961", 0, 0 },
		{ "a", 0, 0 },
		{ "20160831085700Z", 0, 0 },
		{ "01234567890123456789012345678901", 0, 0 },
		{ "012345678901234567890123456789012", KNOT_EINVAL, 1 },
		{ "", KNOT_EINVAL, 1 },
		{ "2016-08", KNOT_EINVAL, 5 },
		{ "{domain}", KNOT_EINVAL, 1 },
		{ "a;", KNOT_EINVAL, 2 },
		{ "ü", KNOT_EINVAL, 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		int ret = mail_mtasts_id_check(MAIL_STR(cases[i].id), rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d", i, ret);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u", i,
		           d.diag.column);
	}
}

static const struct {
	const char *mode;
	uint32_t max_age;
	const char *mx[MX_MAX + 1]; /* Hosts; "." is the null MX. */
	const char *id;
	int ret;
	const char *body;
	const char *text;
} cases[] = {
	/* The ids were made with sha256sum. */
	{ "enforce",
	  604800,
	  { "mail" },
	  "",
	  0,
	  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n",
	  "v=STSv1; id=d06fe1c1cd7004a7686cccb397ba414b" },
	{ "enforce",
	  604800,
	  { "mail.example.org." },
	  "",
	  0,
	  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n",
	  "v=STSv1; id=d06fe1c1cd7004a7686cccb397ba414b" },
	{ "testing",
	  86400,
	  { "@", "mx2.example.net.", "{domain}.relay.example." },
	  "",
	  0,
	  "version: STSv1\r\nmode: testing\r\nmx: example.org\r\nmx: mx2.example.net\r\n"
	  "mx: example.org.relay.example\r\nmax_age: 86400\r\n",
	  "v=STSv1; id=2184e2b0cddf2f0035618e04afeba9f5" },
	{ "enforce",
	  604800,
	  { "mail" },
	  "16561011793845132961",
	  0,
	  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n",
	  "v=STSv1; id=16561011793845132961" },
	{ "enforce",
	  604800,
	  { "mail", "mail2", "mail" },
	  "x",
	  0,
	  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmx: mail2.example.org\r\n"
	  "max_age: 604800\r\n",
	  "v=STSv1; id=x" },
	{ "none",
	  0,
	  { NULL },
	  "x",
	  0,
	  "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n",
	  "v=STSv1; id=x" },
	{ "none",
	  MAIL_MTASTS_MAX_AGE_MAX,
	  { "." },
	  "x",
	  0,
	  "version: STSv1\r\nmode: none\r\nmax_age: 31557600\r\n",
	  "v=STSv1; id=x" },

	{ "enforce", 604800, { NULL }, "", KNOT_EINVAL, NULL, NULL },
	{ "enforce", 604800, { NULL }, "x", KNOT_EINVAL, NULL, NULL },
	{ "testing", 604800, { "." }, "", KNOT_EINVAL, NULL, NULL },
	{ "off", 604800, { "mail" }, "", KNOT_EINVAL, NULL, NULL },
	{ "", 604800, { "mail" }, "", KNOT_EINVAL, NULL, NULL },
	{ "enforce", MAIL_MTASTS_MAX_AGE_MAX + 1, { "mail" }, "", KNOT_EINVAL, NULL, NULL },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mail_mx_t mx[MX_MAX];
		size_t n = 0;
		for (; n < MX_MAX && cases[i].mx[n] != NULL; n++) {
			memset(&mx[n], 0, sizeof(mx[n]));
			mx[n].null = strcmp(cases[i].mx[n], ".") == 0;
			CU_ASSERT(mail_pattern_parse(MAIL_STR(cases[i].mx[n]), &mx[n].host, NULL) ==
			          KNOT_EOK);
		}
		mail_mtasts_t sts = { MAIL_STR(cases[i].mode), cases[i].max_age, mx, n,
			              MAIL_STR(cases[i].id) };
		mail_rdata_t body = { 0 }, rdata = { 0 };
		int ret = mail_mtasts_body(&sts, &body);
		const char *text = rendered_text(&body);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d", i, ret);
		UNIT_CHECK(cases[i].body == NULL || strcmp(text, cases[i].body) == 0,
		           "case %zu: '%s'", i, text);

		rendered_diag_t d;
		ret = mail_mtasts_render(&sts, &rdata, rendered_diag(&d));
		text = rendered_text(&rdata);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK((ret == KNOT_EOK) == (d.diag.text[0] == '\0'), "case %zu: '%s'", i,
		           d.diag.text);
		UNIT_CHECK(cases[i].text == NULL || strcmp(text, cases[i].text) == 0,
		           "case %zu: '%s'", i, text);
	}
}

/* An id made from the body changes with each part of it, and with the domain. */
static void test_changes(void)
{
	mail_mx_t mx[2] = { { .preference = 10 }, { .preference = 20 } };
	CU_ASSERT(mail_pattern_parse(MAIL_STR("mail"), &mx[0].host, NULL) == KNOT_EOK);
	CU_ASSERT(mail_pattern_parse(MAIL_STR("mail2"), &mx[1].host, NULL) == KNOT_EOK);
	const mail_mtasts_t variants[] = {
		{ MAIL_STR("enforce"), 604800, mx, 1, { NULL, 0 } },
		{ MAIL_STR("testing"), 604800, mx, 1, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604801, mx, 1, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604800, mx, 2, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604800, mx + 1, 1, { NULL, 0 } },
	};
	enum { COUNT = sizeof(variants) / sizeof(*variants) };
	char ids[COUNT + 1][64];
	for (size_t i = 0; i < COUNT; i++) {
		mail_rdata_t rdata = { 0 };
		CU_ASSERT(mail_mtasts_render(&variants[i], &rdata, NULL) == KNOT_EOK);
		if (i == 0) {
			static const mail_apex_t other = { (const knot_dname_t *)"\7example\3com",
				                           { "example.com", 11 } };
			int len = mail_rdata_fill_text(&rdata, &other, (uint8_t *)ids[COUNT], 63);
			ids[COUNT][len > 0 ? len : 0] = '\0';
		}
		snprintf(ids[i], sizeof(ids[i]), "%.63s", rendered_text(&rdata));
	}
	for (size_t i = 0; i <= COUNT; i++) {
		UNIT_CHECK(strlen(ids[i]) == strlen("v=STSv1; id=") + 32, "case %zu: '%s'", i,
		           ids[i]);
		for (size_t j = 0; j < i; j++) {
			UNIT_CHECK(strcmp(ids[i], ids[j]) != 0, "cases %zu, %zu: '%s'", i, j,
			           ids[i]);
		}
	}
}

static int run_all(mail_rdata_t *rdata)
{
	static mail_mx_t mx[2];
	const mail_mtasts_t sts = { MAIL_STR("enforce"), 604800, mx, 2, { NULL, 0 } };
	mail_pattern_parse(MAIL_STR("mail"), &mx[0].host, NULL);
	mail_pattern_parse(MAIL_STR("mail2.a.long.name.that.makes.buffers.grow"), &mx[1].host,
	                   NULL);
	return mail_mtasts_render(&sts, rdata, NULL);
}

static void test_allocation(void)
{
	rendered_sweep(run_all, "v=STSv1; id=df3c18becd319be37f73c1ae85d2683a");
}

static const unit_test_t tests[] = {
	{ "ids", test_id },
	{ "bodies and records", test_records },
	{ "when an id changes", test_changes },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("mtasts", tests);
}
