/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/spf.h"

#include "rendered_sweep.h"

static const struct {
	const char *term;
	int ret;
	unsigned column;
	unsigned lookups;
	unsigned warnings;
	const char *written; /* NULL: as it is. */
} terms[] = {
	/* RFC 7208 5: mechanisms. */
	{ "all", KNOT_EOK, 0, 0, 1, NULL },
	{ "-all", KNOT_EOK, 0, 0, 0, NULL },
	{ "~all", KNOT_EOK, 0, 0, 0, NULL },
	{ "?ALL", KNOT_EOK, 0, 0, 0, NULL },
	{ "+all", KNOT_EOK, 0, 0, 1, NULL },
	{ "all:example.org", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "a", KNOT_EOK, 0, 1, 0, NULL },
	{ "mx", KNOT_EOK, 0, 1, 0, NULL },
	{ "A:MAIL.example.com", KNOT_EOK, 0, 1, 0, NULL },
	{ "a/24", KNOT_EOK, 0, 1, 0, NULL },
	{ "a//64", KNOT_EOK, 0, 1, 0, NULL },
	{ "a/24//64", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:offsite.example.com/24//64", KNOT_EOK, 0, 1, 0, NULL },
	{ "mx:deferrals.domain.com/32", KNOT_EOK, 0, 1, 0, NULL },
	{ "-mx:deferrals.domain.com./30", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:mail.{domain}", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:{domain}/24", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:{domain}.relay.example", KNOT_EOK, 0, 1, 0, NULL },
	{ "include:_spf.google.com", KNOT_EOK, 0, 1, 0, NULL },
	{ "?include:xn--bcher-kva.example", KNOT_EOK, 0, 1, 0, NULL },
	{ "include:_spf.xn--bcher-kva.{domain}", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:xn--bcher-kva.example./24", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{ir}.%{l1r+-}._spf.%{d}", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{ir}.sbl.example.org", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{i}._spf.{domain}", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{H}.example.com", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:%{l/}.example.com/24", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:%{d2}", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:%%%_%-.example.com", KNOT_EOK, 0, 1, 0, NULL },
	{ "a:foo:8080.example.com", KNOT_EOK, 0, 1, 1, NULL },
	{ "include:%{p}.example.com", KNOT_EOK, 0, 1, 1, NULL },
	{ "a:xn--p1ai.xn--p1ai", KNOT_EOK, 0, 1, 0, NULL },
	{ "ip4:93.184.216.34", KNOT_EOK, 0, 0, 0, NULL },
	{ "ip4:192.0.2.128/28", KNOT_EOK, 0, 0, 0, NULL },
	{ "ip4:0.0.0.0/0", KNOT_EOK, 0, 0, 1, NULL },
	{ "ip6:2001:db8::cd30", KNOT_EOK, 0, 0, 0, NULL },
	{ "ip6:2001:db8::/96", KNOT_EOK, 0, 0, 0, NULL },
	{ "ip6:::1/128", KNOT_EOK, 0, 0, 0, NULL },

	/* RFC 7208 6, RFC 6652 3: modifiers. */
	{ "redirect=_spf.example.com", KNOT_EOK, 0, 1, 0, NULL },
	{ "redirect=_spf.{domain}", KNOT_EOK, 0, 1, 0, NULL },
	{ "exp=explain._spf.%{d}", KNOT_EOK, 0, 0, 0, NULL },
	{ "ra=postmaster", KNOT_EOK, 0, 0, 0, NULL },
	{ "rp=100", KNOT_EOK, 0, 0, 0, NULL },
	{ "rr=all:e:F", KNOT_EOK, 0, 0, 0, NULL },
	{ "moo.cow-far_out=man:dog/cat", KNOT_EOK, 0, 0, 0, NULL },
	{ "empty=", KNOT_EOK, 0, 0, 0, NULL },
	{ "tracking=%{t}", KNOT_EINVAL, 10, 0, 0, NULL },

	/* What is refused. */
	{ "", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "+", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "-", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "ptr", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "-ptr:example.org", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "v=spf1", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "192.0.2.1", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "ipv4:192.0.2.1", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "--all", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "a:", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "a:mail", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:.", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:.example.com", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:mail..example.com", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "a:example.com..", KNOT_EINVAL, 15, 0, 0, NULL },
	{ "a:example.123", KNOT_EINVAL, 11, 0, 0, NULL },
	{ "a:example.-com", KNOT_EINVAL, 11, 0, 0, NULL },
	{ "a:192.0.2.1", KNOT_EINVAL, 11, 0, 0, NULL },
	{ "a:x{domain}", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "a:{domain}x", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:{doman}.example", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:bücher.%{d}", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "a:bücher.example", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "a:\xff.example", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a:mail example.com", KNOT_EINVAL, 7, 0, 0, NULL },
	{ "a:0123456789012345678901234567890123456789012345678901234567890123.example", KNOT_EINVAL,
	  3, 0, 0, NULL },
	{ "a/33", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a/", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a/024", KNOT_EINVAL, 3, 0, 0, NULL },
	{ "a//129", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "a/24/64", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "a/24//", KNOT_EINVAL, 7, 0, 0, NULL },
	{ "abc", KNOT_EINVAL, 1, 0, 0, NULL },
	{ "include", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "include:", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "include:example.com/24", KNOT_EINVAL, 20, 0, 0, NULL },
	{ "include:https://example.com", KNOT_EINVAL, 15, 0, 0, NULL },
	{ "exists", KNOT_EINVAL, 7, 0, 0, NULL },
	{ "ip4", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "ip4:", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip4:192.0.2", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip4:192.0.2.256", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip4:192.0.2.01", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip4:192.0.2.1/33", KNOT_EINVAL, 15, 0, 0, NULL },
	{ "ip4:192.0.2.1/", KNOT_EINVAL, 15, 0, 0, NULL },
	{ "ip4:192.0.2.1//32", KNOT_EINVAL, 15, 0, 0, NULL },
	{ "ip4:2001:db8::1", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip4:{domain}", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip6:192.0.2.1", KNOT_EINVAL, 5, 0, 0, NULL },
	{ "ip6:2001:db8::/129", KNOT_EINVAL, 16, 0, 0, NULL },
	{ "ip6:2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", KNOT_EINVAL, 5, 0, 0,
	  NULL },
	{ "redirect=", KNOT_EINVAL, 9, 0, 0, NULL },
	{ "redirect=example.com/24", KNOT_EINVAL, 21, 0, 0, NULL },
	{ "-redirect=example.com", KNOT_EINVAL, 2, 0, 0, NULL },
	{ "ra=", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "ra=postmaster@example.org", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "rp=101", KNOT_EINVAL, 4, 0, 0, NULL },
	{ "rr=all:x", KNOT_EINVAL, 8, 0, 0, NULL },
	/* RFC 7208 7.1: macros. */
	{ "exists:%(ir).sbl.example.org", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{i", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{x}.example.org", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{c}.example.org", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{d0}.example.org", KNOT_EINVAL, 11, 0, 0, NULL },
	{ "exists:%{d1234}.example.org", KNOT_EINVAL, 11, 0, 0, NULL },
	{ "exists:%{dr1}.example.org", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{d.-+,/_=}.example.org", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{d;}.example.org", KNOT_EINVAL, 8, 0, 0, NULL },
	{ "exists:%{i}.example", KNOT_EOK, 0, 1, 0, NULL },
	{ "exists:%{i}example", KNOT_EINVAL, 8, 0, 0, NULL },
};

static void test_terms(void)
{
	for (size_t i = 0; i < sizeof(terms) / sizeof(*terms); i++) {
		rendered_diag_t d;
		mail_spf_cost_t cost = { 0 };
		mail_str_t term = MAIL_STR(terms[i].term);
		int ret = mail_spf_term_check(term, &cost, rendered_diag(&d));
		UNIT_CHECK(ret == terms[i].ret, "case %zu: '%s': %d (%s)", i, terms[i].term, ret,
		           d.diag.text);
		UNIT_CHECK(d.diag.column == terms[i].column, "case %zu: '%s': column %u (%s)", i,
		           terms[i].term, d.diag.column, d.diag.text);
		UNIT_CHECK((ret == KNOT_EOK) == (d.diag.text[0] == '\0'),
		           "case %zu: '%s': reason '%s'", i, terms[i].term, d.diag.text);
		UNIT_CHECK(d.warnings == terms[i].warnings, "case %zu: '%s': %u warnings (%s)", i,
		           terms[i].term, d.warnings, d.last);
		if (ret != KNOT_EOK) {
			continue;
		}
		UNIT_CHECK(cost.lookups == terms[i].lookups, "case %zu: '%s': %u lookups", i,
		           terms[i].term, cost.lookups);

		mail_buf_t out = { 0 };
		const char *want = terms[i].written != NULL ? terms[i].written : terms[i].term;
		CU_ASSERT(mail_spf_term_write(term, &cost, &out, NULL) == KNOT_EOK);
		const char *got = rendered_buf(&out);
		UNIT_CHECK(strcmp(got, want) == 0, "case %zu: '%s'", i, got);
	}
}

static void test_cost(void)
{
	mail_spf_cost_t cost = { 0 };
	CU_ASSERT(mail_spf_term_check(MAIL_STR("mx"), &cost, NULL) == KNOT_EOK);
	CU_ASSERT(cost.lookups == 1 && !cost.redirect && !cost.all);
	CU_ASSERT(mail_spf_term_check(MAIL_STR("redirect=a.example"), &cost, NULL) == KNOT_EOK);
	CU_ASSERT(cost.lookups == 2 && cost.redirect && !cost.all);
	CU_ASSERT(mail_spf_term_check(MAIL_STR("~all"), &cost, NULL) == KNOT_EOK);
	CU_ASSERT(cost.lookups == 2 && cost.redirect && cost.all);
	CU_ASSERT(mail_spf_term_check(MAIL_STR("mx"), NULL, NULL) == KNOT_EOK);
	CU_ASSERT(mail_spf_term_check(MAIL_STR("my"), NULL, NULL) == KNOT_EINVAL);
}

static void test_all(void)
{
	static const struct {
		const char *all;
		int ret;
		unsigned warnings;
	} cases[] = {
		{ "-all", KNOT_EOK, 0 },         { "~all", KNOT_EOK, 0 },
		{ "?all", KNOT_EOK, 0 },         { "+all", KNOT_EOK, 1 },
		{ "all", KNOT_EOK, 1 },          { "none", KNOT_EOK, 0 },
		{ "", KNOT_EINVAL, 0 },          { "-", KNOT_EINVAL, 0 },
		{ "mx", KNOT_EINVAL, 0 },        { "-none", KNOT_EINVAL, 0 },
		{ "-all -all", KNOT_EINVAL, 0 }, { "all=", KNOT_EINVAL, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		int ret = mail_spf_all_check(MAIL_STR(cases[i].all), rendered_diag(&d));
		UNIT_CHECK(ret == cases[i].ret, "case %zu: '%s': %d", i, cases[i].all, ret);
		UNIT_CHECK(d.warnings == cases[i].warnings, "case %zu: '%s': %u", i, cases[i].all,
		           d.warnings);
	}
}

static const struct {
	const char *terms[12];
	const char *all;
	int ret;
	unsigned column;
	unsigned warnings;
	const char *text;
} records[] = {
	/* What the guides publish. */
	{ { "mx", "ra=postmaster" }, "-all", 0, 0, 0, "v=spf1 mx ra=postmaster -all" },
	{ { "a ra=postmaster -all" }, "", 0, 0, 0, "v=spf1 a ra=postmaster -all" },
	{ { "ip4:93.184.216.34" }, "-all", 0, 0, 0, "v=spf1 ip4:93.184.216.34 -all" },
	{ { NULL }, "-all", 0, 0, 0, "v=spf1 -all" },
	{ { NULL }, "", 0, 0, 0, "v=spf1 -all" },
	{ { "" }, "", 0, 0, 0, "v=spf1 -all" },
	{ { NULL }, "none", 0, 0, 1, "v=spf1" },
	/* RFC 7208 appendix A. */
	{ { "mx:example.org" }, "-all", 0, 0, 0, "v=spf1 mx:example.org -all" },
	{ { "ip4:192.0.2.128/28" }, "-all", 0, 0, 0, "v=spf1 ip4:192.0.2.128/28 -all" },
	{ { "include:example.com", "include:example.net" },
	  "-all",
	  0,
	  0,
	  0,
	  "v=spf1 include:example.com include:example.net -all" },
	{ { "-include:ip4._spf.%{d}", "-include:ptr._spf.%{d}", "+all" },
	  "-all",
	  0,
	  0,
	  1,
	  "v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all" },
	{ { "mx", "redirect=_spf.example.com" },
	  "-all",
	  0,
	  0,
	  0,
	  "v=spf1 mx redirect=_spf.example.com" },
	{ { "redirect=_spf.example.com", "-all" },
	  "?all",
	  0,
	  0,
	  1,
	  "v=spf1 redirect=_spf.example.com -all" },
	/* The domain, spaces, what is given twice. */
	{ { "a:mail.{domain}", "include:{domain}.relay.example" },
	  "~all",
	  0,
	  0,
	  0,
	  "v=spf1 a:mail.example.org include:example.org.relay.example ~all" },
	{ { "  mx   a ", "\tip6:2001:db8::1" },
	  "?all",
	  0,
	  0,
	  0,
	  "v=spf1 mx a ip6:2001:db8::1 ?all" },
	{ { "mx", "a", "mx", "a" }, "-all", 0, 0, 0, "v=spf1 mx a -all" },
	{ { "redirect=b.example", "redirect=b.example" },
	  "",
	  0,
	  0,
	  0,
	  "v=spf1 redirect=b.example" },
	{ { "x=1", "x=2" }, "-all", 0, 0, 0, "v=spf1 x=1 x=2 -all" },
	{ { "mx" }, "", 0, 0, 1, "v=spf1 mx" },
	{ { "mx" }, "none", 0, 0, 1, "v=spf1 mx" },
	{ { "mx" }, "+all", 0, 0, 1, "v=spf1 mx +all" },
	{ { "mx -all" }, "+all", 0, 0, 0, "v=spf1 mx -all" },
	{ { "a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	    "a:i.example mx" },
	  "-all",
	  0,
	  0,
	  0,
	  "v=spf1 a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	  "a:i.example mx -all" },

	/* What is refused. */
	{ { "a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	    "a:i.example mx exists:%{i}.example" },
	  "-all",
	  KNOT_EINVAL,
	  102,
	  0,
	  "" },
	{ { "mx", "a  ptr" }, "-all", KNOT_EINVAL, 4, 0, "" },
	{ { "-all", "mx" }, "-all", KNOT_EINVAL, 1, 0, "" },
	{ { "mx -all -all" }, "-all", KNOT_EINVAL, 9, 0, "" },
	{ { "-all ra=postmaster" }, "-all", KNOT_EINVAL, 6, 0, "" },
	{ { "redirect=b.example", "Redirect=c.example" }, "", KNOT_EINVAL, 1, 0, "" },
	{ { "exp=b.example", "exp=c.example" }, "", KNOT_EINVAL, 1, 0, "" },
	{ { "ra=a mx ra=b" }, "-all", KNOT_EINVAL, 9, 0, "" },
	{ { "v=spf1 mx" }, "-all", KNOT_EINVAL, 1, 0, "" },
	{ { "mx" }, "all=", KNOT_EINVAL, 1, 0, "" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		mail_str_t list[12];
		size_t n = 0;
		for (; n < 12 && records[i].terms[n] != NULL; n++) {
			list[n] = MAIL_STR(records[i].terms[n]);
		}
		rendered_diag_t d;
		mail_rdata_t rdata = { 0 };
		int ret = mail_spf_render(list, n, MAIL_STR(records[i].all), &rdata,
		                          rendered_diag(&d));
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(ret == records[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(strcmp(text, records[i].text) == 0, "case %zu: '%s'", i, text);
		UNIT_CHECK(d.diag.column == records[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(d.warnings == records[i].warnings, "case %zu: %u warnings (%s)", i,
		           d.warnings, d.last);
	}
}

static void test_long(void)
{
	char text[1024] = "";
	for (unsigned i = 0; i < 40; i++) {
		char term[32];
		snprintf(term, sizeof(term), "ip4:192.0.2.%u ", i);
		strcat(text, term);
	}
	mail_str_t list = MAIL_STR(text);
	rendered_diag_t d;
	mail_rdata_t rdata = { 0 };
	CU_ASSERT(mail_spf_render(&list, 1, MAIL_STR("-all"), &rdata, rendered_diag(&d)) ==
	          KNOT_EOK);
	CU_ASSERT(d.warnings == 1);
	uint8_t wire[1024];
	int len = mail_rdata_fill(&rdata, rendered_apex(), wire, sizeof(wire));
	CU_ASSERT(len > 450 && wire[0] == 255 && wire[256] == 255);
	mail_rdata_free(&rdata);
}

static void test_is(void)
{
	static const struct {
		const char *txt;
		bool is;
	} cases[] = {
		{ "v=spf1", true },        { "v=spf1 ", true },
		{ "V=SPF1 -all", true },   { "v=spf10", false },
		{ "v=spf1\t-all", false }, { " v=spf1", false },
		{ "v=spf", false },        { "", false },
		{ "v=spf1-all", false },   { "spf2.0/pra", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		UNIT_CHECK(mail_spf_is(MAIL_STR(cases[i].txt)) == cases[i].is, "case %zu: '%s'", i,
		           cases[i].txt);
	}
	CU_ASSERT(!mail_spf_is((mail_str_t){ NULL, 0 }));
}

static int run_all(mail_rdata_t *rdata)
{
	const mail_str_t list[] = {
		MAIL_STR("mx a:mail.{domain} ip6:2001:db8::25 exists:%{ir}.%{l1r+-}._spf.%{d}"),
		MAIL_STR(
			"include:xn--bcher-kva.example include:a.very.long.name.that.makes.the.buffer.grow.example"),
	};
	return mail_spf_render(list, 2, MAIL_STR("-all"), rdata, NULL);
}

static void test_allocation(void)
{
	rendered_sweep(
		run_all,
		"v=spf1 mx a:mail.example.org ip6:2001:db8::25 exists:%{ir}.%{l1r+-}._spf.%{d} "
		"include:xn--bcher-kva.example include:a.very.long.name.that.makes.the.buffer.grow.example -all");
}

static const unit_test_t tests[] = {
	{ "terms", test_terms },
	{ "what a record costs", test_cost },
	{ "all", test_all },
	{ "records", test_records },
	{ "a long record", test_long },
	{ "telling SPF from other texts", test_is },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("spf", tests);
}
