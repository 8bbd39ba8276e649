/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/dmarc.h"

#include "mail/chars.h"

#include "lib/cases.h"

static const case_t tags[] = {
	GOOD("p=none", ""),
	GOOD("p=quarantine", ""),
	GOOD(" p = Reject ", ""),
	GOOD("p=", ""),
	GOOD("sp=reject", ""),
	GOOD("np=reject", ""),
	GOOD("adkim=r", ""),
	GOOD("aspf=s", ""),
	GOOD("t=y", ""),
	GOOD("psd=u", ""),
	GOOD("fo=1", ""),
	GOOD("fo=0:1:d:s", ""),
	GOOD("rua=mailto:postmaster@{domain}", ""),
	GOOD("rua=mailto:a@x.example,mailto:b@y.example", ""),
	GOOD("rua=https://x.example/dmarc", ""),
	GOOD("ruf=mailto:a@xn--bcher-kva.example", ""),
	WARN("rua=mailto:a@x.example!10m", "", 1),
	WARN("pct=0", "", 1),
	WARN("pct=100", "", 1),
	WARN("rf=afrf", "", 1),
	WARN("ri=4294967295", "", 1),

	BAD("", 1),
	BAD("p", 1),
	BAD("=none", 1),
	BAD("v=DMARC1", 1),
	BAD("policy=none", 1),
	BAD("  P=none", 3),
	BAD("p=rejected", 3),
	BAD("p=no", 3),
	BAD("p=none reject", 3),
	BAD("p=none;", 7),
	BAD("p=none; sp=none", 7),
	BAD("adkim=x", 7),
	BAD("t=1", 3),
	BAD("psd=x", 5),
	BAD("fo=2", 4),
	BAD("fo=1:", 6),
	BAD("fo=1:x", 6),
	BAD_WARN("pct=101", 1, 5),
	BAD_WARN("pct=-1", 1, 5),
	BAD_WARN("rf=iodef", 1, 4),
	BAD_WARN("ri=1h", 1, 4),
	BAD_WARN("ri=4294967296", 1, 4),
	BAD("rua=postmaster@example.org", 5),
	BAD("rua=mailto:x@y", 14),
	BAD("rua= mailto:a@x.example, mailto:b@", 35),
	BAD("rua=mailto:a;b@x.example", 13),
};

static int check(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return mail_dmarc_tag_check(in, diag);
}

static void test_checks(void)
{
	run_cases(tags, check);
}

static void test_split(void)
{
	mail_str_t name, value;
	CHECK(mail_str_tag(MAIL_STR(" rua = mailto:a=b@x.example "), &name, &value));
	CHECK_TEXT(name, "rua");
	CHECK_TEXT(value, "mailto:a=b@x.example");
	CHECK(mail_str_tag(MAIL_STR("="), &name, &value));
	CHECK(name.len == 0 && value.len == 0);
	CHECK(!mail_str_tag(MAIL_STR("p"), &name, &value));
	CHECK(!mail_str_tag((mail_str_t){ NULL, 0 }, &name, &value));
}

static const case_t records[] = {
	/* What the guides publish. */
	GOOD("p=reject|rua=mailto:postmaster@{domain}|ruf=mailto:postmaster@{domain}",
	     "v=DMARC1; p=reject; rua=mailto:postmaster@example.org; ruf=mailto:postmaster@example.org"),
	WARN("p=none|pct=100|rua=mailto:postmaster@example.com",
	     "v=DMARC1; p=none; pct=100; rua=mailto:postmaster@example.com", 1),
	GOOD("p=reject", "v=DMARC1; p=reject"),
	/* RFC 7489 appendix B, RFC 9989's tags: the order does not depend on that of the tags given. */
	GOOD("ruf=mailto:auth-reports@example.com|rua=mailto:dmarc-feedback@example.com|p=none",
	     "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; "
	     "ruf=mailto:auth-reports@example.com"),
	WARN("ruf=mailto:f@{domain}|rua=mailto:a@{domain}|fo=1|ri=86400|rf=afrf|pct=25|psd=n|t=y|aspf=r|adkim=s|np=reject|sp=reject|p=quarantine",
	     "v=DMARC1; p=quarantine; sp=reject; np=reject; adkim=s; aspf=r; t=y; psd=n; pct=25; rf=afrf; "
	     "ri=86400; fo=1; rua=mailto:a@example.org; ruf=mailto:f@example.org",
	     3),
	GOOD("", "v=DMARC1; p=none"),
	GOOD("p=reject|p=quarantine", "v=DMARC1; p=quarantine"),
	GOOD("p=reject|p=", "v=DMARC1; p=none"),
	GOOD("p=reject|rua=mailto:a@x.example|rua=", "v=DMARC1; p=reject"),
	/* An old tag that was taken back does not warn. */
	GOOD("p=reject|pct=50|pct=", "v=DMARC1; p=reject"),
	GOOD("p=reject|rua=mailto:a@x.example , mailto:b,c@xn--bcher-kva.example",
	     "v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:b%2Cc@xn--bcher-kva.example"),
	GOOD("p=reject|rua=mailto:a!b@x.example", "v=DMARC1; p=reject; rua=mailto:a%21b@x.example"),

	/* What warns. */
	WARN("p=reject|fo=1", "v=DMARC1; p=reject; fo=1", 1),
	WARN("p=none|sp=reject", "v=DMARC1; p=none; sp=reject", 1),
	WARN("sp=quarantine", "v=DMARC1; p=none; sp=quarantine", 1),
	GOOD("p=quarantine|sp=reject", "v=DMARC1; p=quarantine; sp=reject"),
	WARN("p=reject|sp=none|np=reject", "v=DMARC1; p=reject; sp=none; np=reject", 1),
	WARN("p=quarantine|np=reject", "v=DMARC1; p=quarantine; np=reject", 1),
	GOOD("p=reject|np=reject", "v=DMARC1; p=reject; np=reject"),
	WARN("p=reject|sp=none", "v=DMARC1; p=reject; sp=none", 1),
	WARN("p=reject|sp=reject|np=none", "v=DMARC1; p=reject; sp=reject; np=none", 1),
	GOOD("p=none|sp=none|np=none", "v=DMARC1; p=none; sp=none; np=none"),

	/* What is refused. */
	BAD("p=reject|x=y", 1),
	BAD("p=reject|sp", 1),
	BAD("p=all", 3),
	BAD("p=reject|rua = mailto:a@", 16),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t list[14];
	mail_rdata_t rdata = { 0 };
	int ret = mail_dmarc_render(list, case_list(in, list, COUNT(list)), &rdata, diag);
	return case_rdata_text(ret, &rdata, out);
}

static void test_records(void)
{
	run_cases(records, render);
}

static void test_reports(void)
{
	static const struct {
		const char *value;
		const char *hosts[4];
	} cases[] = {
		{ "mailto:a@x.example", { "x.example" } },
		{ "mailto:a@x.example!10m, mailto:b@{domain}", { "x.example", "{domain}" } },
		{ "https://w.example/,mailto:b@y.example?subject=x@z.example,c", { "y.example" } },
		{ "mailto:a,mailto:b@r.{domain}", { "r.{domain}" } },
		{ "nonsense", { NULL } },
		{ "", { NULL } },
		{ ",,,", { NULL } },
	};
	EACH(c, cases) {
		size_t pos = 0, n = 0;
		mail_str_t host;
		while (mail_dmarc_report_next(MAIL_STR(c->value), &pos, &host)) {
			CHECK(n < 4 && c->hosts[n] != NULL && mail_str_is(host, c->hosts[n]),
			      "host %zu: '%.*s'", n, (int)host.len, host.data);
			n++;
		}
		CHECK(n < 4 && c->hosts[n] == NULL, "%zu hosts", n);
	}
}

static int run_all(mail_rdata_t *rdata)
{
	const mail_str_t list[] = {
		MAIL_STR("p=reject"),
		MAIL_STR("fo=1:d"),
		MAIL_STR("ruf=mailto:forensic@{domain}"),
		MAIL_STR(
			"rua=mailto:a,b@xn--bcher-kva.example,https://reports.example/of/{domain}/in/a/long/path"),
	};
	return mail_dmarc_render(list, 4, rdata, NULL);
}

static void test_allocation(void)
{
	rendered_sweep(
		run_all,
		"v=DMARC1; p=reject; fo=1:d; rua=mailto:a%2Cb@xn--bcher-kva.example,"
		"https://reports.example/of/example.org/in/a/long/path; ruf=mailto:forensic@example.org");
}

UNIT_MAIN("dmarc", TEST("tags", test_checks), TEST("splitting a tag", test_split),
          TEST("records", test_records), TEST("report hosts", test_reports),
          TEST("failing allocations", test_allocation))
