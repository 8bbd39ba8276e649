/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/dmarc.h"

#include "mail/chars.h"

#include "rendered_sweep.h"

static const struct {
	const char *tag;
	int ret;
	unsigned column;
	unsigned warnings;
} checks[] = {
	{ "p=none", 0, 0, 0 },
	{ "p=quarantine", 0, 0, 0 },
	{ " p = Reject ", 0, 0, 0 },
	{ "p=", 0, 0, 0 },
	{ "sp=reject", 0, 0, 0 },
	{ "np=reject", 0, 0, 0 },
	{ "adkim=r", 0, 0, 0 },
	{ "aspf=s", 0, 0, 0 },
	{ "t=y", 0, 0, 0 },
	{ "psd=u", 0, 0, 0 },
	{ "fo=1", 0, 0, 0 },
	{ "fo=0:1:d:s", 0, 0, 0 },
	{ "rua=mailto:postmaster@{domain}", 0, 0, 0 },
	{ "rua=mailto:a@x.example,mailto:b@y.example", 0, 0, 0 },
	{ "rua=https://x.example/dmarc", 0, 0, 0 },
	{ "ruf=mailto:a@xn--bcher-kva.example", 0, 0, 0 },
	{ "rua=mailto:a@x.example!10m", 0, 0, 1 },
	{ "pct=0", 0, 0, 1 },
	{ "pct=100", 0, 0, 1 },
	{ "rf=afrf", 0, 0, 1 },
	{ "ri=4294967295", 0, 0, 1 },

	{ "", KNOT_EINVAL, 1, 0 },
	{ "p", KNOT_EINVAL, 1, 0 },
	{ "=none", KNOT_EINVAL, 1, 0 },
	{ "v=DMARC1", KNOT_EINVAL, 1, 0 },
	{ "policy=none", KNOT_EINVAL, 1, 0 },
	{ "  P=none", KNOT_EINVAL, 3, 0 },
	{ "p=rejected", KNOT_EINVAL, 3, 0 },
	{ "p=no", KNOT_EINVAL, 3, 0 },
	{ "p=none reject", KNOT_EINVAL, 3, 0 },
	{ "p=none;", KNOT_EINVAL, 7, 0 },
	{ "p=none; sp=none", KNOT_EINVAL, 7, 0 },
	{ "adkim=x", KNOT_EINVAL, 7, 0 },
	{ "t=1", KNOT_EINVAL, 3, 0 },
	{ "psd=x", KNOT_EINVAL, 5, 0 },
	{ "fo=2", KNOT_EINVAL, 4, 0 },
	{ "fo=1:", KNOT_EINVAL, 6, 0 },
	{ "fo=1:x", KNOT_EINVAL, 6, 0 },
	{ "pct=101", KNOT_EINVAL, 5, 1 },
	{ "pct=-1", KNOT_EINVAL, 5, 1 },
	{ "rf=iodef", KNOT_EINVAL, 4, 1 },
	{ "ri=1h", KNOT_EINVAL, 4, 1 },
	{ "ri=4294967296", KNOT_EINVAL, 4, 1 },
	{ "rua=postmaster@example.org", KNOT_EINVAL, 5, 0 },
	{ "rua=mailto:x@y", KNOT_EINVAL, 14, 0 },
	{ "rua= mailto:a@x.example, mailto:b@", KNOT_EINVAL, 35, 0 },
	{ "rua=mailto:a;b@x.example", KNOT_EINVAL, 13, 0 },
};

static void test_checks(void)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		rendered_diag_t d;
		int ret = mail_dmarc_tag_check(MAIL_STR(checks[i].tag), rendered_diag(&d));
		UNIT_CHECK(ret == checks[i].ret, "case %zu: '%s': %d (%s)", i, checks[i].tag, ret,
		           d.diag.text);
		UNIT_CHECK(d.diag.column == checks[i].column, "case %zu: '%s': column %u (%s)", i,
		           checks[i].tag, d.diag.column, d.diag.text);
		UNIT_CHECK(d.warnings == checks[i].warnings, "case %zu: '%s': %u warnings (%s)", i,
		           checks[i].tag, d.warnings, d.last);
	}
}

static void test_split(void)
{
	mail_str_t name, value;
	CU_ASSERT(mail_str_tag(MAIL_STR(" rua = mailto:a=b@x.example "), &name, &value));
	CU_ASSERT(mail_str_is(name, "rua"));
	CU_ASSERT(mail_str_is(value, "mailto:a=b@x.example"));
	CU_ASSERT(mail_str_tag(MAIL_STR("="), &name, &value));
	CU_ASSERT(name.len == 0 && value.len == 0);
	CU_ASSERT(!mail_str_tag(MAIL_STR("p"), &name, &value));
	CU_ASSERT(!mail_str_tag((mail_str_t){ NULL, 0 }, &name, &value));
}

static const struct {
	const char *tags[14];
	int ret;
	unsigned column;
	unsigned warnings;
	const char *text;
} records[] = {
	/* What the guides publish. */
	{ { "p=reject", "rua=mailto:postmaster@{domain}", "ruf=mailto:postmaster@{domain}" },
	  0,
	  0,
	  0,
	  "v=DMARC1; p=reject; rua=mailto:postmaster@example.org; ruf=mailto:postmaster@example.org" },
	{ { "p=none", "pct=100", "rua=mailto:postmaster@example.com" },
	  0,
	  0,
	  1,
	  "v=DMARC1; p=none; pct=100; rua=mailto:postmaster@example.com" },
	{ { "p=reject" }, 0, 0, 0, "v=DMARC1; p=reject" },
	/* RFC 7489 appendix B, RFC 9989's tags: the order does not depend on that of the tags given. */
	{ { "ruf=mailto:auth-reports@example.com", "rua=mailto:dmarc-feedback@example.com",
	    "p=none" },
	  0,
	  0,
	  0,
	  "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; "
	  "ruf=mailto:auth-reports@example.com" },
	{ { "ruf=mailto:f@{domain}", "rua=mailto:a@{domain}", "fo=1", "ri=86400", "rf=afrf",
	    "pct=25", "psd=n", "t=y", "aspf=r", "adkim=s", "np=reject", "sp=reject",
	    "p=quarantine" },
	  0,
	  0,
	  3,
	  "v=DMARC1; p=quarantine; sp=reject; np=reject; adkim=s; aspf=r; t=y; psd=n; pct=25; rf=afrf; "
	  "ri=86400; fo=1; rua=mailto:a@example.org; ruf=mailto:f@example.org" },
	{ { NULL }, 0, 0, 0, "v=DMARC1; p=none" },
	{ { "p=reject", "p=quarantine" }, 0, 0, 0, "v=DMARC1; p=quarantine" },
	{ { "p=reject", "p=" }, 0, 0, 0, "v=DMARC1; p=none" },
	{ { "p=reject", "rua=mailto:a@x.example", "rua=" }, 0, 0, 0, "v=DMARC1; p=reject" },
	/* An old tag that was taken back does not warn. */
	{ { "p=reject", "pct=50", "pct=" }, 0, 0, 0, "v=DMARC1; p=reject" },
	{ { "p=reject", "rua=mailto:a@x.example , mailto:b,c@xn--bcher-kva.example" },
	  0,
	  0,
	  0,
	  "v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:b%2Cc@xn--bcher-kva.example" },
	{ { "p=reject", "rua=mailto:a!b@x.example" },
	  0,
	  0,
	  0,
	  "v=DMARC1; p=reject; rua=mailto:a%21b@x.example" },

	/* What warns. */
	{ { "p=reject", "fo=1" }, 0, 0, 1, "v=DMARC1; p=reject; fo=1" },
	{ { "p=none", "sp=reject" }, 0, 0, 1, "v=DMARC1; p=none; sp=reject" },
	{ { "sp=quarantine" }, 0, 0, 1, "v=DMARC1; p=none; sp=quarantine" },
	{ { "p=quarantine", "sp=reject" }, 0, 0, 0, "v=DMARC1; p=quarantine; sp=reject" },
	{ { "p=reject", "sp=none", "np=reject" },
	  0,
	  0,
	  1,
	  "v=DMARC1; p=reject; sp=none; np=reject" },
	{ { "p=quarantine", "np=reject" }, 0, 0, 1, "v=DMARC1; p=quarantine; np=reject" },
	{ { "p=reject", "np=reject" }, 0, 0, 0, "v=DMARC1; p=reject; np=reject" },
	{ { "p=reject", "sp=reject", "np=none" },
	  0,
	  0,
	  0,
	  "v=DMARC1; p=reject; sp=reject; np=none" },

	/* What is refused. */
	{ { "p=reject", "x=y" }, KNOT_EINVAL, 1, 0, "" },
	{ { "p=reject", "sp" }, KNOT_EINVAL, 1, 0, "" },
	{ { "p=all" }, KNOT_EINVAL, 3, 0, "" },
	{ { "p=reject", "rua = mailto:a@" }, KNOT_EINVAL, 16, 0, "" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		mail_str_t list[14];
		size_t n = 0;
		for (; n < 14 && records[i].tags[n] != NULL; n++) {
			list[n] = MAIL_STR(records[i].tags[n]);
		}
		rendered_diag_t d;
		mail_rdata_t rdata = { 0 };
		int ret = mail_dmarc_render(list, n, &rdata, rendered_diag(&d));
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(ret == records[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(strcmp(text, records[i].text) == 0, "case %zu: '%s'", i, text);
		UNIT_CHECK(d.diag.column == records[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(d.warnings == records[i].warnings, "case %zu: %u warnings (%s)", i,
		           d.warnings, d.last);
	}
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
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t pos = 0, n = 0;
		mail_str_t host;
		while (mail_dmarc_report_next(MAIL_STR(cases[i].value), &pos, &host)) {
			UNIT_CHECK(n < 4 && cases[i].hosts[n] != NULL &&
			                   mail_str_is(host, cases[i].hosts[n]),
			           "case %zu, host %zu: '%.*s'", i, n, (int)host.len, host.data);
			n++;
		}
		UNIT_CHECK(n < 4 && cases[i].hosts[n] == NULL, "case %zu: %zu hosts", i, n);
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

static const unit_test_t tests[] = {
	{ "tags", test_checks },
	{ "splitting a tag", test_split },
	{ "records", test_records },
	{ "report hosts", test_reports },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("dmarc", tests);
}
