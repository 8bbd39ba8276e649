/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/mtasts.h"

#include "lib/cases.h"

static const case_t id_cases[] = {
	GOOD("16561011793845132961", ""),
	GOOD("a", ""),
	GOOD("20160831085700Z", ""),
	GOOD("01234567890123456789012345678901", ""),
	BAD("012345678901234567890123456789012", 1),
	BAD("", 1),
	BAD("2016-08", 5),
	BAD("{domain}", 1),
	BAD("a;", 2),
	BAD("ü", 1),
};

static int check_id(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return mail_mtasts_id_check(in, diag);
}

static void test_id(void)
{
	run_cases(id_cases, check_id);
}

/* mode|max_age|id|hosts ("." is the null MX): the body, then the record. The ids were made with sha256sum. */
static const case_t cases[] = {
	/* The ids were made with sha256sum. */
	GOOD("enforce|604800||mail",
	     "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
	     "v=STSv1; id=d06fe1c1cd7004a7686cccb397ba414b"),
	GOOD("enforce|604800||mail.example.org.",
	     "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
	     "v=STSv1; id=d06fe1c1cd7004a7686cccb397ba414b"),
	GOOD("testing|86400||@|mx2.example.net.|{domain}.relay.example.",
	     "version: STSv1\r\nmode: testing\r\nmx: example.org\r\nmx: mx2.example.net\r\nmx: example.org.relay.example\r\nmax_age: 86400\r\n"
	     "v=STSv1; id=2184e2b0cddf2f0035618e04afeba9f5"),
	GOOD("enforce|604800|16561011793845132961|mail",
	     "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
	     "v=STSv1; id=16561011793845132961"),
	GOOD("enforce|604800|x|mail|mail2|mail",
	     "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmx: mail2.example.org\r\nmax_age: 604800\r\n"
	     "v=STSv1; id=x"),
	GOOD("none|0|x|", "version: STSv1\r\nmode: none\r\nmax_age: 0\r\nv=STSv1; id=x"),
	GOOD("none|31557600|x|.", "version: STSv1\r\nmode: none\r\nmax_age: 31557600\r\n"
	                          "v=STSv1; id=x"),

	BAD("enforce|604800||", 0),
	BAD("enforce|604800|x|", 0),
	BAD("testing|604800||.", 0),
	BAD("off|604800||mail", 0),
	BAD("|604800||mail", 0),
	BAD("enforce|31557601||mail", 0),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t list[7];
	mail_mx_t mx[4] = { 0 };
	mail_rdata_t body = { 0 }, rdata = { 0 };
	const size_t count = case_list(in, list, COUNT(list));
	for (size_t i = 3; i < count; i++) {
		mx[i - 3].null = mail_str_is(list[i], ".");
		CHECK_OK(mail_pattern_parse(list[i], &mx[i - 3].host, NULL));
	}
	const mail_mtasts_t sts = { list[0], (uint32_t)strtoul(list[1].data, NULL, 10), mx,
		                    count - 3, list[2] };
	int ret = case_rdata_text(mail_mtasts_body(&sts, &body), &body, out);
	CHECK_INT(mail_mtasts_render(&sts, &rdata, diag), ret);
	ret = case_rdata_text(ret, &rdata, out);
	out->len = ret == KNOT_EOK ? out->len : 0;
	return ret;
}

static void test_records(void)
{
	run_cases(cases, render);
}

/* An id made from the body changes with each part of it, and with the domain. */
static void test_changes(void)
{
	mail_mx_t mx[2] = { { .preference = 10 }, { .preference = 20 } };
	CHECK_OK(mail_pattern_parse(MAIL_STR("mail"), &mx[0].host, NULL));
	CHECK_OK(mail_pattern_parse(MAIL_STR("mail2"), &mx[1].host, NULL));
	const mail_mtasts_t variants[] = {
		{ MAIL_STR("enforce"), 604800, mx, 1, { NULL, 0 } },
		{ MAIL_STR("testing"), 604800, mx, 1, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604801, mx, 1, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604800, mx, 2, { NULL, 0 } },
		{ MAIL_STR("enforce"), 604800, mx + 1, 1, { NULL, 0 } },
	};
	enum { VARIANTS = COUNT(variants) };
	char ids[VARIANTS + 1][64];
	for (size_t i = 0; i < VARIANTS; i++) {
		mail_rdata_t rdata = { 0 };
		CHECK_OK(mail_mtasts_render(&variants[i], &rdata, NULL));
		if (i == 0) {
			static const mail_apex_t other = { (const knot_dname_t *)"\7example\3com",
				                           { "example.com", 11 } };
			int len = mail_rdata_fill_text(&rdata, &other, (uint8_t *)ids[VARIANTS],
			                               63);
			ids[VARIANTS][len > 0 ? len : 0] = '\0';
		}
		snprintf(ids[i], sizeof(ids[i]), "%.63s", rendered_text(&rdata));
	}
	for (size_t i = 0; i <= VARIANTS; i++) {
		CHECK(strlen(ids[i]) == strlen("v=STSv1; id=") + 32, "case %zu: '%s'", i, ids[i]);
		for (size_t j = 0; j < i; j++) {
			CHECK(strcmp(ids[i], ids[j]) != 0, "cases %zu, %zu: '%s'", i, j, ids[i]);
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

UNIT_MAIN("mtasts", TEST("ids", test_id), TEST("bodies and records", test_records),
          TEST("when an id changes", test_changes), TEST("failing allocations", test_allocation))
