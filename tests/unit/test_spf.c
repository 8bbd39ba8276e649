/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/spf.h"

#include "lib/cases.h"

/* Terms that cost no lookup. */
static const case_t free_terms[] = {
	/* RFC 7208 5: mechanisms. */
	WARN("all", "", 1),
	GOOD("-all", ""),
	GOOD("~all", ""),
	WARN("?ALL", "", 1),
	WARN("+all", "", 1),
	GOOD("ip4:93.184.216.34", ""),
	GOOD("ip4:192.0.2.128/28", ""),
	WARN("ip4:0.0.0.0/0", "", 1),
	GOOD("ip6:2001:db8::cd30", ""),
	GOOD("ip6:2001:db8::/96", ""),
	GOOD("ip6:::1/128", ""),
	/* RFC 7208 6, RFC 6652 3: modifiers. */
	GOOD("exp=explain._spf.%{d}", ""),
	GOOD("ra=postmaster", ""),
	GOOD("rp=100", ""),
	GOOD("rr=all:e:F", ""),
	GOOD("moo.cow-far_out=man:dog/cat", ""),
	GOOD("empty=", ""),
};

/* Terms that cost one. */
static const case_t terms[] = {
	/* RFC 7208 5: mechanisms. */
	GOOD("a", ""),
	GOOD("mx", ""),
	GOOD("A:MAIL.example.com", ""),
	GOOD("a/24", ""),
	GOOD("a//64", ""),
	GOOD("a/24//64", ""),
	GOOD("a:offsite.example.com/24//64", ""),
	GOOD("mx:deferrals.domain.com/32", ""),
	GOOD("-mx:deferrals.domain.com./30", ""),
	GOOD("a:mail.{domain}", ""),
	GOOD("a:{domain}/24", ""),
	GOOD("a:{domain}.relay.example", ""),
	GOOD("include:_spf.google.com", ""),
	GOOD("?include:xn--bcher-kva.example", ""),
	GOOD("include:_spf.xn--bcher-kva.{domain}", ""),
	GOOD("a:xn--bcher-kva.example./24", ""),
	GOOD("exists:%{ir}.%{l1r+-}._spf.%{d}", ""),
	GOOD("exists:%{ir}.sbl.example.org", ""),
	GOOD("exists:%{i}._spf.{domain}", ""),
	GOOD("exists:%{H}.example.com", ""),
	GOOD("a:%{l/}.example.com/24", ""),
	GOOD("a:%{d2}", ""),
	GOOD("a:%%%_%-.example.com", ""),
	WARN("a:foo:8080.example.com", "", 1),
	WARN("include:%{p}.example.com", "", 1),
	GOOD("a:xn--p1ai.xn--p1ai", ""),
	/* RFC 7208 6, RFC 6652 3: modifiers. */
	GOOD("redirect=_spf.example.com", ""),
	GOOD("redirect=_spf.{domain}", ""),
	/* RFC 7208 7.1: macros. */
	GOOD("exists:%{d.-+,/_=}.example.org", ""),
	GOOD("exists:%{i}.example", ""),
};

static const case_t no_terms[] = {
	/* RFC 7208 5: mechanisms. */
	BAD("all:example.org", 4),
	/* RFC 7208 6, RFC 6652 3: modifiers. */
	BAD("tracking=%{t}", 10),
	/* What is refused. */
	BAD("", 1),
	BAD("+", 2),
	BAD("-", 2),
	BAD("ptr", 1),
	BAD("-ptr:example.org", 2),
	BAD("v=spf1", 1),
	BAD("192.0.2.1", 1),
	BAD("ipv4:192.0.2.1", 1),
	BAD("--all", 2),
	BAD("a:", 2),
	BAD("a:mail", 3),
	BAD("a:.", 3),
	BAD("a:.example.com", 3),
	BAD("a:mail..example.com", 8),
	BAD("a:example.com..", 15),
	BAD("a:example.123", 11),
	BAD("a:example.-com", 11),
	BAD("a:192.0.2.1", 11),
	BAD("a:x{domain}", 4),
	BAD("a:{domain}x", 3),
	BAD("a:{doman}.example", 3),
	BAD("a:bücher.%{d}", 4),
	BAD("a:bücher.example", 4),
	BAD("a:\xff.example", 3),
	BAD("a:mail example.com", 7),
	BAD("a:0123456789012345678901234567890123456789012345678901234567890123.example", 3),
	BAD("a/33", 3),
	BAD("a/", 3),
	BAD("a/024", 3),
	BAD("a//129", 4),
	BAD("a/24/64", 5),
	BAD("a/24//", 7),
	BAD("abc", 1),
	BAD("include", 8),
	BAD("include:", 8),
	BAD("include:example.com/24", 20),
	BAD("include:https://example.com", 15),
	BAD("exists", 7),
	BAD("ip4", 4),
	BAD("ip4:", 5),
	BAD("ip4:192.0.2", 5),
	BAD("ip4:192.0.2.256", 5),
	BAD("ip4:192.0.2.01", 5),
	BAD("ip4:192.0.2.1/33", 15),
	BAD("ip4:192.0.2.1/", 15),
	BAD("ip4:192.0.2.1//32", 15),
	BAD("ip4:2001:db8::1", 5),
	BAD("ip4:{domain}", 5),
	BAD("ip6:192.0.2.1", 5),
	BAD("ip6:2001:db8::/129", 16),
	BAD("ip6:2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", 5),
	BAD("redirect=", 9),
	BAD("redirect=example.com/24", 21),
	BAD("-redirect=example.com", 2),
	BAD("ra=", 4),
	BAD("ra=postmaster@example.org", 4),
	BAD("rp=101", 4),
	BAD("rr=all:x", 8),
	/* RFC 7208 7.1: macros. */
	BAD("exists:%(ir).sbl.example.org", 8),
	BAD("exists:%{i", 8),
	BAD("exists:%{", 8),
	BAD("exists:%", 8),
	BAD("exists:%{x}.example.org", 8),
	BAD("exists:%{c}.example.org", 8),
	BAD("exists:%{d0}.example.org", 11),
	BAD("exists:%{d1234}.example.org", 11),
	BAD("exists:%{dr1}.example.org", 8),
	BAD("exists:%{d;}.example.org", 8),
	BAD("exists:%{i}example", 8),
};

/* What people write in place of a term: refused with what to write, whatever the grammar says. */
static const case_t slips[] = {
	/* A mechanism with '=', a modifier with ':'. */
	BAD("include=x.example", 8, "write include:x.example"),
	BAD("-Include=x.example", 9, "write -Include:x.example"),
	BAD("ip4=192.0.2.1/24", 4, "write ip4:192.0.2.1/24"),
	BAD("ip6=2001:db8::1", 4, "write ip6:2001:db8::1"),
	BAD("a=mail.example.net", 2, "write a:mail.example.net"),
	BAD("mx=example.net", 3, "write mx:example.net"),
	BAD("exists=%{i}.x.example", 7, "write exists:%{i}.x.example"),
	BAD("ptr=example.net", 4, "a mechanism"),
	BAD("redirect:x.example", 9, "write redirect=x.example"),
	BAD("exp:x.example", 4, "write exp=x.example"),
	BAD("ra:postmaster", 3, "write ra=postmaster"),
	BAD("all=", 4, "nothing can follow all"),
	BAD("-all=x", 5, "nothing can follow all"),
	/* An address where a domain must stand, of the other family, under a name that is none, alone. */
	BAD("ip4:2001:db8::1", 5, "write ip6:2001:db8::1"),
	BAD("~ip6:192.0.2.1", 6, "write ~ip4:192.0.2.1"),
	BAD("ip6:192.0.2.0/24", 5, "write ip4:192.0.2.0/24"),
	BAD("include:192.0.2.1", 9, "write ip4:192.0.2.1"),
	BAD("a:192.0.2.1", 3, "write ip4:192.0.2.1"),
	BAD("mx:2001:db8::1", 4, "write ip6:2001:db8::1"),
	BAD("redirect=192.0.2.1", 10, "write ip4:192.0.2.1"),
	BAD("ip:192.0.2.1", 4, "write ip4:192.0.2.1"),
	BAD("ipv4:192.0.2.1", 6, "write ip4:192.0.2.1"),
	BAD("IPv6:2001:db8::/32", 6, "write ip6:2001:db8::/32"),
	BAD("ip4=2001:db8::1", 5, "write ip6:2001:db8::1"),
	BAD("192.0.2.1", 1, "write ip4:192.0.2.1"),
	BAD("-2001:db8::1", 2, "write -ip6:2001:db8::1"),
	/* A name where an address must stand, or alone. */
	BAD("ip4:mail.example.net", 5, "write a:mail.example.net"),
	BAD("ip6:mail.{domain}", 5, "write a:mail.{domain}"),
	BAD("spf.example.com", 1, "write include:spf.example.com"),
	/* Lists, URLs, mail addresses, netmasks, misspelt names. */
	BAD("ip4:192.0.2.1,192.0.2.2", 14, "a blank separates"),
	BAD("a,mx", 2, "a blank separates"),
	BAD("-all,mx", 5, "a blank separates"),
	BAD("include:x.example;", 18, "a blank separates"),
	BAD("include:https://x.example", 9, "a URL"),
	BAD("mx:bob@example.com", 4, "a mail address"),
	BAD("redirect=bob@example.com", 10, "a mail address"),
	BAD("ip4:192.0.2.0/255.255.255.0", 15, "a netmask"),
	BAD("includes:x.example", 1, "did you mean include:x.example?"),
	BAD("inlcude:x.example", 1, "did you mean include:x.example?"),
	BAD("redirct=x.example", 1, "did you mean redirect=x.example?"),
	BAD("exist:x.example", 1, "did you mean exists:x.example?"),
	/* Told of. */
	WARN("track=yes", "", 1),
	WARN("?all", "", 1),
	WARN("ip4:10.0.0.1", "", 1),
	WARN("ip4:127.0.0.1", "", 1),
	WARN("ip6:::ffff:192.0.2.1", "", 1),
	WARN("ip6:fd00::1", "", 1),
	/* What is right, and looks like one of these. */
	GOOD("exists:%{l1r+,}.x.example", ""),
	GOOD("ip4:172.32.0.1", ""),
	GOOD("ip4:10.0.0.0/8", ""),
	GOOD("a:192-0-2-1.example.net", ""),
	GOOD("include:_spf.{domain}", ""),
	GOOD("a:includes.example.net", ""),
	GOOD("exp=explain._spf.%{d}", ""),
	GOOD("rr=e:f", ""),
};

static int check_slip(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	int ret = mail_spf_slip_check(in, diag);
	return ret == KNOT_EOK ? mail_spf_term_check(in, NULL, diag) : ret;
}

static int check_term(unsigned lookups, mail_str_t in, mail_diag_t *diag)
{
	mail_spf_cost_t cost = { 0 };
	int ret = mail_spf_term_check(in, &cost, diag);
	if (ret == KNOT_EOK) {
		CHECK_INT(cost.lookups, lookups);
	}
	return ret;
}

static int check_free(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return check_term(0, in, diag);
}

static int check_lookup(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return check_term(1, in, diag);
}

static void test_terms(void)
{
	run_cases(free_terms, check_free);
	run_cases(terms, check_lookup);
	run_cases(no_terms, check_free);
	run_cases(slips, check_slip);
}

static void test_cost(void)
{
	mail_spf_cost_t cost = { 0 };
	CHECK_OK(mail_spf_term_check(MAIL_STR("mx"), &cost, NULL));
	CHECK(cost.lookups == 1 && !cost.redirect && !cost.all);
	CHECK_OK(mail_spf_term_check(MAIL_STR("redirect=a.example"), &cost, NULL));
	CHECK(cost.lookups == 2 && cost.redirect && !cost.all);
	CHECK_OK(mail_spf_term_check(MAIL_STR("~all"), &cost, NULL));
	CHECK(cost.lookups == 2 && cost.redirect && cost.all);
	CHECK_OK(mail_spf_term_check(MAIL_STR("mx"), NULL, NULL));
	CHECK_INT(mail_spf_term_check(MAIL_STR("my"), NULL, NULL), KNOT_EINVAL);
}

static const case_t alls[] = {
	GOOD("-all", ""),   GOOD("~all", ""), WARN("?all", "", 1), WARN("+all", "", 1),
	WARN("all", "", 1), GOOD("none", ""), BAD("", 1),          BAD("-", 1),
	BAD("mx", 1),       BAD("-none", 1),  BAD("-all -all", 1), BAD("all=", 1),
};

static int check_all(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	(void)out;
	return mail_spf_all_check(in, diag);
}

static void test_all(void)
{
	run_cases(alls, check_all);
}

/* Terms, then '/' and the item spf-all. */
static const case_t records[] = {
	/* What the guides publish. */
	GOOD("mx|ra=postmaster/-all", "v=spf1 mx ra=postmaster -all"),
	GOOD("a ra=postmaster -all/", "v=spf1 a ra=postmaster -all"),
	GOOD("ip4:93.184.216.34/-all", "v=spf1 ip4:93.184.216.34 -all"),
	GOOD("/-all", "v=spf1 -all"),
	GOOD("/", "v=spf1 -all"),
	GOOD("|/", "v=spf1 -all"),
	WARN("/none", "v=spf1", 1),
	/* RFC 7208 appendix A. */
	GOOD("mx:example.org/-all", "v=spf1 mx:example.org -all"),
	GOOD("ip4:192.0.2.128/28/-all", "v=spf1 ip4:192.0.2.128/28 -all"),
	GOOD("include:example.com|include:example.net/-all",
	     "v=spf1 include:example.com include:example.net -all"),
	WARN("-include:ip4._spf.%{d}|-include:ptr._spf.%{d}|+all/-all",
	     "v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all", 1),
	GOOD("mx|redirect=_spf.example.com/-all", "v=spf1 mx redirect=_spf.example.com"),
	WARN("redirect=_spf.example.com|-all/?all", "v=spf1 redirect=_spf.example.com -all", 1),
	/* The domain, spaces, what is given twice. */
	GOOD("a:mail.{domain}|include:{domain}.relay.example/~all",
	     "v=spf1 a:mail.example.org include:example.org.relay.example ~all"),
	GOOD("  mx   a |\tip6:2001:db8::1/?all", "v=spf1 mx a ip6:2001:db8::1 ?all"),
	GOOD("mx|a|mx|a/-all", "v=spf1 mx a -all"),
	GOOD("redirect=b.example|redirect=b.example/", "v=spf1 redirect=b.example"),
	GOOD("x=1|x=2/-all", "v=spf1 x=1 x=2 -all"),
	WARN("mx/", "v=spf1 mx", 1),
	WARN("mx/none", "v=spf1 mx", 1),
	GOOD("mx/+all", "v=spf1 mx +all"),
	GOOD("mx -all/+all", "v=spf1 mx -all"),
	GOOD("a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	     "a:i.example mx/-all",
	     "v=spf1 a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	     "a:i.example mx -all"),

	/* What is refused. */
	BAD("a a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example "
	    "a:i.example mx exists:%{i}.example/-all",
	    102),
	BAD("mx|a  ptr/-all", 4),
	BAD("-all|mx/-all", 1),
	BAD("mx -all -all/-all", 9),
	BAD("-all ra=postmaster/-all", 6),
	BAD("redirect=b.example|Redirect=c.example/", 1),
	BAD("exp=b.example|exp=c.example/", 1),
	BAD("ra=a mx ra=b/-all", 9),
	BAD("v=spf1 mx/-all", 1),
	BAD("mx/all=", 1),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t list[12];
	mail_rdata_t rdata = { 0 };
	const char *all = strrchr(in.data, '/');
	const size_t count = case_list((mail_str_t){ in.data, (size_t)(all - in.data) }, list,
	                               COUNT(list));
	int ret = mail_spf_render(list, count, MAIL_STR(all + 1), &rdata, diag);
	return case_rdata_text(ret, &rdata, out);
}

static void test_records(void)
{
	run_cases(records, render);
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
	CHECK_OK(mail_spf_render(&list, 1, MAIL_STR("-all"), &rdata, rendered_diag(&d)));
	CHECK_INT(d.warnings, 1);
	uint8_t wire[1024];
	int len = mail_rdata_fill(&rdata, rendered_apex(), wire, sizeof(wire));
	CHECK(len > 450 && wire[0] == 255 && wire[256] == 255);
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
	EACH(c, cases) {
		CHECK(mail_spf_is(MAIL_STR(c->txt)) == c->is, "'%s'", c->txt);
	}
	CHECK(!mail_spf_is((mail_str_t){ NULL, 0 }));
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

UNIT_MAIN("spf", TEST("terms", test_terms), TEST("what a record costs", test_cost),
          TEST("all", test_all), TEST("records", test_records), TEST("a long record", test_long),
          TEST("telling SPF from other texts", test_is),
          TEST("failing allocations", test_allocation))
