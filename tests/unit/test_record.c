/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/literal.h"

#include "lib/cases.h"
#include "lib/failing.h"

/* The wire name of the domain. */
#define DOMAIN "\7example\3org\0"

static uint8_t out[MAIL_RDATA_MAX];

/* Owner, type, and the TTL if there is one. */
static const case_t heads[] = {
	GOOD("www A 192.0.2.80", "www.example.org A"),
	GOOD("@ A 192.0.2.80", "example.org A"),
	GOOD("*.web A 192.0.2.80", "*.web.example.org A"),
	GOOD("* A 192.0.2.80", "*.example.org A"),
	GOOD("WWW.example.org. a 192.0.2.80", "www.example.org A"),
	GOOD("{domain}.x.example. A 192.0.2.80", "example.org.x.example A"),
	GOOD("www 300 A 192.0.2.80", "www.example.org A 300"),
	GOOD("www 0 A 192.0.2.80", "www.example.org A 0"),
	GOOD("www 1h30m IN A 192.0.2.80", "www.example.org A 5400"),
	GOOD("www in 2147483647 A 192.0.2.80", "www.example.org A 2147483647"),
	GOOD("  www\tIN   A\t192.0.2.80  ", "www.example.org A"),
	GOOD("www TYPE1 \\# 4 c0000250", "www.example.org A"),
	GOOD("www type1 192.0.2.80", "www.example.org A"),
	GOOD("in IN A 192.0.2.80", "in.example.org A"),
	GOOD("300 A 192.0.2.80", "300.example.org A"),
	GOOD("XN--BCHER-KVA A 192.0.2.80", "xn--bcher-kva.example.org A"),
};

static int parse_head(mail_str_t in, mail_buf_t *text, mail_diag_t *diag)
{
	mail_record_t record;
	mail_rdata_t rdata = { 0 };
	mail_buf_t octets = { 0 };
	knot_dname_storage_t name;
	int ret = case_octets(mail_record_parse(in, false, &record, &rdata, diag), &rdata, &octets);
	CHECK(octets.len == 4 && memcmp(octets.data, "\300\0\2\120", 4) == 0);
	mail_buf_free(&octets);
	CHECK_OK(mail_pattern_name(&record.owner, rendered_apex()->name, name));
	(void)mail_name_print(name, text);
	CHECK_INT(record.type, KNOT_RRTYPE_A);
	(void)mail_buf_str(text, " A");
	if (record.has_ttl) {
		(void)mail_buf_printf(text, " %u", (unsigned)record.ttl);
	} else {
		CHECK_INT(record.ttl, 0);
	}
	return ret;
}

static void test_head(void)
{
	run_cases(heads, parse_head);
}

static const case_t records[] = {
	GOOD("x AAAA 2001:db8::1", "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"),
	GOOD("x CNAME mail", "\4mail" DOMAIN),
	GOOD("x CNAME Mail.Example.COM.", "\4mail\7example\3com\0"),
	GOOD("x CNAME @", DOMAIN),
	GOOD("x CNAME {domain}", DOMAIN),
	GOOD("x CNAME {domain}.", DOMAIN),
	GOOD("x CNAME a.{domain}", "\1a" DOMAIN),
	GOOD("_acme-challenge CNAME {domain}.acme.example.com.",
	     "\7example\3org\4acme\7example\3com\0"),
	GOOD("x CNAME xn--bcher-kva.example.", "\15xn--bcher-kva\7example\0"),
	GOOD("x CNAME xn--bcher-kva", "\15xn--bcher-kva" DOMAIN),
	GOOD("x CNAME a\\.b\\000c", "\5a.b\0c" DOMAIN),
	GOOD("x DNAME other.example.", "\5other\7example\0"),
	GOOD("x PTR a", "\1a" DOMAIN),
	GOOD("x MX 10 mail", "\0\12\4mail" DOMAIN),
	GOOD("x MX 0 .", "\0\0\0"),
	GOOD("_x._tcp SRV 1 2 443 {domain}.srv.example.",
	     "\0\1\0\2\1\273\7example\3org\3srv\7example\0"),
	GOOD("x RP host.master txt.{domain}", "\4host\6master" DOMAIN "\3txt" DOMAIN),
	GOOD("x NAPTR 100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" .",
	     "\0\144\0\12\1u\7E2U+sip\14!^.*$!sip:x!\0"),
	GOOD("x NAPTR 1 2 \"\" \"\" \"\" a", "\0\1\0\2\0\0\0\1a" DOMAIN),
	GOOD("x HTTPS 1 . alpn=\"h2,h3\"", "\0\1\0\0\1\0\6\2h2\2h3"),
	GOOD("x HTTPS 0 {domain}.cdn.example.", "\0\0\7example\3org\3cdn\7example\0"),
	GOOD("x SVCB 1 svc port=53", "\0\1\3svc" DOMAIN "\0\3\0\2\0\65"),
	GOOD("x CAA 0 issue \"ca.example;x=y\"", "\0\5issueca.example;x=y"),
	GOOD("x TLSA 3 1 1 00", "\3\1\1\0"),
	GOOD("x SSHFP 4 2 0102", "\4\2\1\2"),
	GOOD("x TYPE65280 \\# 3 010203", "\1\2\3"),
	GOOD("x IPSECKEY 10 3 2 gw.example. AQID", "\12\3\2\2gw\7example\0\1\2\3"),
	/* TXT without a hole stays as it was written. */
	GOOD("@ TXT \"hello\" \"world\"", "\5hello\5world"),
	GOOD("@ TXT hello world", "\5hello\5world"),
	GOOD("@ TXT \"\"", "\0"),
	GOOD("@ TXT \"v=DMARC1; p=none (x) \\\"y\\\" \\010\"", "\32v=DMARC1; p=none (x) \"y\" \n"),
	GOOD("@ TXT \"m\xc3\xbcnchen\"", "\10m\303\274nchen"),
	GOOD("@ TXT a\\;b", "\3a;b"),
	/* With a hole its strings become one text. */
	GOOD("@ TXT \"site={domain}\" \";x\"", "\22site=example.org;x"),
	GOOD("@ TXT {domain} \"{domain}\"", "\26example.orgexample.org"),
	GOOD("@ TXT \"{dom\" \"ain}\"", "\13example.org"),
};

static const case_t no_records[] = {
	BAD("", 0, "OWNER [TTL] TYPE RDATA"),
	BAD("  ", 0, "OWNER [TTL] TYPE RDATA"),
	BAD("x", 0, "needs a type"),
	BAD("x 300", 0, "needs a type"),
	BAD("x IN", 0, "needs a type"),
	BAD("x 300 300 A 192.0.2.1", 7, "\"300\" is not a record type"),
	BAD("x IN IN A 192.0.2.1", 6, "\"IN\" is not a record type"),
	BAD("x FOO 1", 3, "\"FOO\" is not a record type"),
	BAD("x TYPE65536 1", 3, "not a record type"),
	BAD("192.0.2.1", 0, "needs a type"),
	BAD("a..b A 192.0.2.1", 3, "empty label"),
	BAD(" x{domain} A 192.0.2.1", 3, "cannot stand here"),
	BAD("x CH TXT a", 3, "class \"CH\""),
	BAD("x CLASS3 TXT a", 3, "class \"CLASS3\""),
	BAD("x 2147483648 A 192.0.2.1", 3, "TTL 2147483648 is over"),
	BAD("x 4294967296 A 192.0.2.1", 14, "32 bits"),
	BAD("x 3z A 192.0.2.1", 6, "A record:"),
	/* Types that are not literal. */
	BAD("x SOA a b 1 2 3 4 5", 3, "made from the policy"),
	BAD("sub NS ns1", 5, "delegation"),
	BAD("x DS 1 13 2 00", 3, "DNSSEC"),
	BAD("x RRSIG A", 3, "DNSSEC"),
	BAD("x NSEC a A", 3, "DNSSEC"),
	BAD("x NSEC3 1 0 0 - a A", 3, "DNSSEC"),
	BAD("x NSEC3PARAM 1 0 0 -", 3, "DNSSEC"),
	BAD("x DNSKEY 257 3 13 AA==", 3, "DNSSEC"),
	BAD("x CDS 0 0 0 00", 3, "DNSSEC"),
	BAD("x CDNSKEY 0 3 0 AA==", 3, "DNSSEC"),
	BAD("x ZONEMD 1 1 1 00", 3, "DNSSEC"),
	BAD("x TYPE47 \\# 0", 3, "DNSSEC"),
	BAD("x SPF \"v=spf1 -all\"", 3, "RFC 7208"),
	BAD("x OPT \\# 0", 3, "no data"),
	BAD("x ANY \\# 0", 3, "no data"),
	BAD("x TYPE250 \\# 0", 3, "no data"),
	BAD("x TYPE251 \\# 0", 3, "no data"),
	BAD("x TYPE128 \\# 0", 3, "no data"),
	BAD("x TYPE255 \\# 0", 3, "no data"),
	BAD("x TYPE0 \\# 0", 3, "no data"),
	BAD("x TYPE65535 \\# 0", 3, "no data"),
	/* One record, one line. */
	BAD("x A 192.0.2.1\ny A 192.0.2.2", 14, "one line"),
	BAD("x A 192.0.2.1\n", 14, "one line"),
	BAD("x A 192.0.2.1\r", 14, "one line"),
	BAD("x A 192.0.2.1\0", 14, "\\000"),
	BAD("x TXT \"a\nb\"", 9, "one line"),
	BAD("x A ( 192.0.2.1 )", 5, "groups lines"),
	BAD("x TXT a)", 8, "groups lines"),
	BAD("x A 192.0.2.1 ; comment", 15, "comment"),
	BAD("_dmarc TXT v=DMARC1; p=none", 20, "quote the text"),
	BAD("$TTL 300", 1, "\"$TTL\": directives"),
	BAD("$ORIGIN x A 192.0.2.1", 1, "directives"),
	BAD(" $INCLUDE /etc/passwd", 2, "directives"),
	BAD("x A 192.0.2.1 192.0.2.2", 3, "A record: unexpected data"),
	/* RDATA. */
	BAD("x A", 3, "A record:"),
	BAD("x A 192.0.2.256", 3, "A record:"),
	BAD("x AAAA 192.0.2.1", 3, "AAAA record:"),
	BAD("x TXT", 3, "TXT record:"),
	BAD("x TXT \"a", 8, "quote at the end"),
	BAD("x TXT a\\", 8, "after the backslash"),
	BAD("x A \\# 3 010203", 3, "malformed RDATA of A"),
	BAD("x A \\# 5 0102030405", 3, "malformed RDATA of A"),
	BAD("x MX \\# 3 000a03", 3, "malformed RDATA of MX"),
	BAD("x PTR \\# 4 01610000", 3, "malformed RDATA of PTR"),
	BAD("x PTR \\# 2 c000", 3, "malformed RDATA of PTR"),
	BAD("x NAPTR \\# 6 000000000502", 3, "malformed RDATA of NAPTR"),
	BAD("x SVCB \\# 1 00", 3, "malformed RDATA of SVCB"),
	BAD("x TXT \\# 2 09ff", 3, "malformed RDATA of TXT"),
	BAD("x MX 10 192.0.2.1", 9, "IP address"),
	BAD("x CNAME 2001:db8::1", 9, "IP address"),
	BAD("x SRV 0 1 443 192.0.2.1", 15, "IP address"),
	BAD("x CNAME *.x", 9, "wildcard"),
	BAD("x CNAME", 0, "CNAME needs a host name"),
	BAD("x MX mail", 3, "MX record:"),
	BAD("x CNAME a b", 3, "CNAME record:"),
	BAD("x CNAME {domain}.relay.example", 30, "dot at its end"),
	BAD("x RP {domain}.{domain}. .", 15, "twice"),
	BAD("x RP x{domain} .", 7, "cannot stand here"),
	BAD("x IPSECKEY 10 3 2 gw AQID", 0, "a relative name or {domain} in IPSECKEY"),
	/* The hole outside names and TXT. */
	BAD("x CAA 0 issue \"{domain}\"", 15, "{domain} in CAA"),
	BAD("x HINFO {domain} linux", 9, "{domain} in HINFO"),
	BAD("x TYPE65280 \\# 1 {domain}", 18, "{domain} in TYPE65280"),
	BAD("x NAPTR 1 2 \"u\" \"{domain}\" \"\" .", 17, "{domain} in NAPTR"),
	BAD("x NAPTR 1 2 u {domain} x .", 0, "{domain} in NAPTR"),
	BAD("x HTTPS 1 . alpn=\"{domain}\"", 13, "{domain} in HTTPS"),
	BAD("x HTTPS 1 . key65333={domain}", 21, "'='"),
	/* The stand-in for the domain is nobody's label. */
	BAD("x CNAME \\255\\254\\253\\252\\251\\250\\249\\248", 0, "kept for the module"),
};

static int parse(mail_str_t in, bool delegation, mail_record_t *record, mail_buf_t *octets,
                 mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	return case_octets(mail_record_parse(in, delegation, record, &rdata, diag), &rdata, octets);
}

static int parse_record(mail_str_t in, mail_buf_t *octets, mail_diag_t *diag)
{
	mail_record_t record;
	int ret = parse(in, false, &record, octets, diag);
	CHECK(ret != KNOT_EOK || (!record.has_ttl && record.ttl == 0));
	return ret;
}

static void test_records(void)
{
	run_cases(records, parse_record);
	run_cases(no_records, parse_record);
}

/* Strings of 255 octets as written; a text with a hole is split anew. */
static void test_txt_long(void)
{
	char text[2048];
	for (size_t len = 253; len <= 257; len++) {
		size_t pos = (size_t)snprintf(text, sizeof(text), "@ TXT \"");
		memset(text + pos, 'x', len);
		snprintf(text + pos + len, sizeof(text) - pos - len, "\" \"y\"");
		mail_record_t record;
		mail_rdata_t rdata = { 0 };
		int ret = mail_record_parse(MAIL_STR(text), false, &record, &rdata, NULL);
		CHECK(ret == KNOT_EOK, "%zu: %d", len, ret);
		ret = mail_rdata_fill(&rdata, rendered_apex(), out, sizeof(out));
		/* The scanner splits what is too long for a string, and leaves the next one alone. */
		size_t strings = len <= 255 ? 2 : 3;
		CHECK(ret == (int)(len + 1 + strings) && out[0] == (len < 255 ? len : 255),
		      "%zu: %d", len, ret);
		CHECK(out[len + strings - 1] == 1 && out[len + strings] == 'y', "%zu", len);
		mail_rdata_free(&rdata);

		snprintf(text + pos + len, sizeof(text) - pos - len, "\" \"{domain}\"");
		ret = mail_record_parse(MAIL_STR(text), false, &record, &rdata, NULL);
		CHECK(ret == KNOT_EOK, "%zu: %d", len, ret);
		ret = mail_rdata_fill(&rdata, rendered_apex(), out, sizeof(out));
		CHECK(ret == (int)len + 11 + 2 && out[0] == 255 && out[256] == len + 11 - 255,
		      "%zu: %d", len, ret);
		mail_rdata_free(&rdata);
	}
}

static const case_t delegations[] = {
	GOOD("sub NS ns1.sub", "\3ns1\3sub" DOMAIN),
	GOOD("a.b.sub 300 NS ns.example.", "\2ns\7example\0"),
	GOOD("sub.example.org. NS ns.example.", "\2ns\7example\0"),
	GOOD("sub DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
	     "\354\105\5\1\53\261\203\257\137\42\130\201\171\245\73\12\230\143\37\255\32\51\41\30"),
	BAD("@ NS ns1", 1, "below the domain"),
	BAD("{domain} NS ns1", 1, "below the domain"),
	BAD("* NS ns1", 1, "wildcard"),
	BAD("*.sub DS 1 13 2 00", 1, "wildcard"),
	BAD("sub A 192.0.2.1", 5, "a delegation is NS and DS"),
	BAD("sub SOA a b 1 2 3 4 5", 5, "a delegation is NS and DS"),
	BAD("sub NS 192.0.2.1", 8, "IP address"),
	BAD("sub NS", 0, "needs a host name"),
	BAD("sub DS 1 13 2 00", 0, "type 2 has 32 octets, this has 1"),
	BAD("sub DS 1 13 1 2BB183AF5F22588179A53B0A98631FAD1A2921", 0, "20 octets, this has 19"),
	BAD("sub DS \\# 4 00010d02", 5, "malformed RDATA of DS"),
};

static int parse_delegation(mail_str_t in, mail_buf_t *octets, mail_diag_t *diag)
{
	mail_record_t record;
	return parse(in, true, &record, octets, diag);
}

static void test_delegation(void)
{
	run_cases(delegations, parse_delegation);
}

/* A name in RDATA grows past 255 octets with a domain that is too long: found when it is filled. */
static void test_room(void)
{
	char text[512] = "x CNAME ";
	size_t pos = strlen(text);
	for (int i = 0; i < 3; i++) {
		memset(text + pos, 'a', 60);
		text[pos + 60] = '.';
		pos += 61;
	}
	snprintf(text + pos, sizeof(text) - pos, "{domain}");
	mail_record_t record;
	mail_rdata_t rdata = { 0 };
	int ret = mail_record_parse(MAIL_STR(text), false, &record, &rdata, NULL);
	CHECK_OK(ret);
	size_t max = mail_rdata_apex_max(&rdata);
	CHECK_INT(max, 255 - 3 * 61);
	for (size_t len = max; len <= max + 1; len++) {
		uint8_t wire[128] = { 40 };
		wire[41] = (uint8_t)(len - 43);
		mail_apex_t domain = { wire, { "", 0 } };
		CHECK(knot_dname_size(wire) == len, "%zu", len);
		ret = mail_rdata_fill(&rdata, &domain, out, sizeof(out));
		CHECK(ret == (len <= max ? 255 : KNOT_ESPACE), "domain of %zu: %d", len, ret);
	}
	mail_rdata_free(&rdata);
}

static const case_t addresses[] = {
	GOOD("192.0.2.25", "A \300\0\2\31"),
	GOOD("255.255.255.255", "A \377\377\377\377"),
	GOOD("2001:db8::25", "AAAA \40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\45"),
	GOOD("2001:DB8:0:0:0:0:0:25", "AAAA \40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\45"),
	GOOD("::ffff:192.0.2.1", "AAAA \0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1"),
	BAD("", 0),
	BAD("192.0.2", 1),
	BAD("192.0.2.256", 1),
	BAD("192.0.2.1 ", 1),
	BAD("192.0.2.0/24", 1),
	BAD("[2001:db8::1]", 1),
	BAD("fe80::1%eth0", 1),
	BAD("mail", 1),
	BAD("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", 1),
	BAD("192.0.2.1\0x", 1),
};

static int render_address(mail_str_t in, mail_buf_t *octets, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	uint16_t type = 0;
	int ret = mail_address_render(in, &type, &rdata, diag);
	if (ret == KNOT_EOK) {
		(void)mail_buf_str(octets, type == KNOT_RRTYPE_A      ? "A "
		                           : type == KNOT_RRTYPE_AAAA ? "AAAA "
		                                                      : "?");
	} else {
		CHECK_INT(type, 0);
	}
	return case_octets(ret, &rdata, octets);
}

static void test_address(void)
{
	run_cases(addresses, render_address);
}

/* Each allocation fails once: no leak, no crash, KNOT_ENOMEM. */
static void test_allocation(void)
{
	static const char *const texts[] = {
		"x MX 10 m\\097il",
		"@ TXT \"site={domain}\" \"and another string that makes the buffers grow a little\"",
		"x CNAME {domain}.relay.example.with.a.long.name.that.makes.the.buffers.grow.example.",
	};
	CHECK(failing_linked(), "linked without --wrap");
	for (size_t t = 0; t < COUNT(texts) && failing_linked(); t++) {
		size_t i = 1;
		for (; failing_on(i); i++) {
			mail_record_t record;
			mail_rdata_t rdata = { 0 };
			int ret = mail_record_parse(MAIL_STR(texts[t]), false, &record, &rdata,
			                            NULL);
			bool met = failing_off();
			CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "text %zu allocation %zu: %d",
			      t, i, ret);
			mail_rdata_free(&rdata);
			if (!met) {
				break;
			}
		}
		CHECK(i > 3, "text %zu: %zu allocations", t, i);
	}
}

/* What is read without the scanner is what the scanner reads: the second text has something in it that needs it. */
static void test_quick(void)
{
	static const struct {
		const char *quick, *scanned;
		bool delegation;
	} cases[] = {
		{ "x CNAME www", "x CNAME \\119ww", false },
		{ "x CNAME Mail.Example.NET.", "x CNAME \\077ail.Example.NET.", false },
		{ "x CNAME _a.b-c.d_e", "x CNAME _a.b-c.\\100_e", false },
		{ "x CNAME @", "x CNAME {domain}.", false },
		{ "x 300 CNAME www", "x 5m CNAME www", false },
		{ "x 0 A 192.0.2.1", "x 0m A 192.0.2.1", false },
		{ "x 2147483647 AAAA 2001:db8::1", "x 2147483647s AAAA 2001:db8::1", false },
		{ "x IN 60 A 192.0.2.1", "x IN 1m A 192.0.2.1", false },
		{ "x NS ns1.example.net.", "x NS ns\\049.example.net.", true },
		{ "x 60 NS ns1", "x 1m NS ns\\049", true },
		{ "x MX 10 mail", "x MX 10 \\109ail", false },
		{ "x MX  65535\tmail.example.net. ", "x MX 65535 mail.example.ne\\116.", false },
		{ "x MX 0 @", "x MX 0 {domain}.", false },
		{ "x MX 00010 mail", "x MX 00010 \\109ail", false },
		{ "x TXT \"some text; (more) of it\"", "x TXT \"\\115ome text; (more) of it\"",
		  false },
		{ "x TXT \"v=spf1 -all\"", "x TXT \"v=spf1 -al\\l\"", false },
		{ "x TXT \" \"", "x TXT \"\\032\"", false },
		{ "x TXT \"{domai}\"", "x TXT \"{domai\\}\"", false },
	};
	EACH(c, cases) {
		mail_record_t record[2];
		mail_rdata_t rdata[2] = { 0 };
		const char *const texts[] = { c->quick, c->scanned };
		for (size_t i = 0; i < 2; i++) {
			CHECK_OK(mail_record_parse(MAIL_STR(texts[i]), c->delegation, &record[i],
			                           &rdata[i], NULL));
		}
		CHECK(record[0].type == record[1].type && record[0].ttl == record[1].ttl &&
		              record[0].has_ttl == record[1].has_ttl,
		      "%s", c->quick);
		CHECK(rdata[0].ops.len == rdata[1].ops.len &&
		              memcmp(rdata[0].ops.data, rdata[1].ops.data, rdata[0].ops.len) == 0 &&
		              rdata[0].holes == rdata[1].holes && rdata[0].text == rdata[1].text &&
		              rdata[0].spelt == rdata[1].spelt,
		      "%s", c->quick);
		mail_rdata_free(&rdata[0]);
		mail_rdata_free(&rdata[1]);
	}
}

UNIT_MAIN("record", TEST("owner, TTL, class, type", test_head),
          TEST("RDATA, and what is none", test_records), TEST("long strings", test_txt_long),
          TEST("delegations", test_delegation), TEST("names that grow", test_room),
          TEST("addresses", test_address), TEST("without the scanner", test_quick),
          TEST("failing allocations", test_allocation))
