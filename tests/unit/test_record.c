/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "failing.h"

#include "record/literal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

/* The wire name of the domain. */
#define DOMAIN "\7example\3org\0"

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

static uint8_t out[MAIL_RDATA_MAX];

/*! Parses a record and compares its RDATA, filled, with octets. */
static void check_rdata(size_t i, const char *text, bool delegation, mail_str_t expected,
                        mail_record_t *record)
{
	mail_rdata_t rdata = { 0 };
	mail_diag_t diag = { 0 };
	int ret = mail_record_parse(MAIL_STR(text), delegation, record, &rdata, &diag);
	if (UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s: %d %s", i, text, ret, diag.text)) {
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)expected.len &&
		                   memcmp(out, expected.data, expected.len) == 0,
		           "case %zu: %s: %d octets", i, text, ret);
	}
	mail_rdata_free(&rdata);
}

static void test_head(void)
{
	static const struct {
		const char *text, *owner;
		uint16_t type;
		bool has_ttl;
		uint32_t ttl;
	} cases[] = {
		{ "www A 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "@ A 192.0.2.80", "example.org", KNOT_RRTYPE_A, false, 0 },
		{ "*.web A 192.0.2.80", "*.web.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "* A 192.0.2.80", "*.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "WWW.example.org. a 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "{domain}.x.example. A 192.0.2.80", "example.org.x.example", KNOT_RRTYPE_A, false,
		  0 },
		{ "www 300 A 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, true, 300 },
		{ "www 0 A 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, true, 0 },
		{ "www 1h30m IN A 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, true, 5400 },
		{ "www in 2147483647 A 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, true,
		  2147483647 },
		{ "  www\tIN   A\t192.0.2.80  ", "www.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "www TYPE1 \\# 4 c0000250", "www.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "www type1 192.0.2.80", "www.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "in IN A 192.0.2.80", "in.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "300 A 192.0.2.80", "300.example.org", KNOT_RRTYPE_A, false, 0 },
		{ "XN--BCHER-KVA A 192.0.2.80", "xn--bcher-kva.example.org", KNOT_RRTYPE_A, false,
		  0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_record_t record;
		check_rdata(i, cases[i].text, false, (mail_str_t)LIT("\300\0\2\120"), &record);
		UNIT_CHECK(record.type == cases[i].type && record.has_ttl == cases[i].has_ttl &&
		                   record.ttl == cases[i].ttl,
		           "case %zu: %u %d %u", i, record.type, record.has_ttl, record.ttl);
		knot_dname_storage_t name;
		mail_buf_t owner = { 0 };
		UNIT_CHECK(mail_pattern_name(&record.owner, apex.name, name) == KNOT_EOK,
		           "case %zu", i);
		mail_name_print(name, &owner);
		UNIT_CHECK(mail_str_is(mail_buf_view(&owner), cases[i].owner), "case %zu: %.*s", i,
		           (int)owner.len, (char *)owner.data);
		mail_buf_free(&owner);
	}
}

static void test_rdata(void)
{
	static const struct {
		const char *text;
		mail_str_t rdata;
	} cases[] = {
		{ "x AAAA 2001:db8::1", LIT("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1") },
		{ "x CNAME mail", LIT("\4mail" DOMAIN) },
		{ "x CNAME Mail.Example.COM.", LIT("\4mail\7example\3com\0") },
		{ "x CNAME @", LIT(DOMAIN) },
		{ "x CNAME {domain}", LIT(DOMAIN) },
		{ "x CNAME {domain}.", LIT(DOMAIN) },
		{ "x CNAME a.{domain}", LIT("\1a" DOMAIN) },
		{ "_acme-challenge CNAME {domain}.acme.example.com.",
		  LIT("\7example\3org\4acme\7example\3com\0") },
		{ "x CNAME xn--bcher-kva.example.", LIT("\15xn--bcher-kva\7example\0") },
		{ "x CNAME xn--bcher-kva", LIT("\15xn--bcher-kva" DOMAIN) },
		{ "x CNAME a\\.b\\000c", LIT("\5a.b\0c" DOMAIN) },
		{ "x DNAME other.example.", LIT("\5other\7example\0") },
		{ "x PTR a", LIT("\1a" DOMAIN) },
		{ "x MX 10 mail", LIT("\0\12\4mail" DOMAIN) },
		{ "x MX 0 .", LIT("\0\0\0") },
		{ "_x._tcp SRV 1 2 443 {domain}.srv.example.",
		  LIT("\0\1\0\2\1\273\7example\3org\3srv\7example\0") },
		{ "x RP host.master txt.{domain}", LIT("\4host\6master" DOMAIN "\3txt" DOMAIN) },
		{ "x NAPTR 100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" .",
		  LIT("\0\144\0\12\1u\7E2U+sip\14!^.*$!sip:x!\0") },
		{ "x NAPTR 1 2 \"\" \"\" \"\" a", LIT("\0\1\0\2\0\0\0\1a" DOMAIN) },
		{ "x HTTPS 1 . alpn=\"h2,h3\"", LIT("\0\1\0\0\1\0\6\2h2\2h3") },
		{ "x HTTPS 0 {domain}.cdn.example.", LIT("\0\0\7example\3org\3cdn\7example\0") },
		{ "x SVCB 1 svc port=53", LIT("\0\1\3svc" DOMAIN "\0\3\0\2\0\65") },
		{ "x CAA 0 issue \"ca.example;x=y\"", LIT("\0\5issueca.example;x=y") },
		{ "x TLSA 3 1 1 00", LIT("\3\1\1\0") },
		{ "x SSHFP 4 2 0102", LIT("\4\2\1\2") },
		{ "x TYPE65280 \\# 3 010203", LIT("\1\2\3") },
		{ "x IPSECKEY 10 3 2 gw.example. AQID", LIT("\12\3\2\2gw\7example\0\1\2\3") },
		/* TXT without a hole stays as it was written. */
		{ "@ TXT \"hello\" \"world\"", LIT("\5hello\5world") },
		{ "@ TXT hello world", LIT("\5hello\5world") },
		{ "@ TXT \"\"", LIT("\0") },
		{ "@ TXT \"v=DMARC1; p=none (x) \\\"y\\\" \\010\"",
		  LIT("\32v=DMARC1; p=none (x) \"y\" \n") },
		{ "@ TXT \"m\xc3\xbcnchen\"", LIT("\10m\303\274nchen") },
		{ "@ TXT a\\;b", LIT("\3a;b") },
		/* With a hole its strings become one text. */
		{ "@ TXT \"site={domain}\" \";x\"", LIT("\22site=example.org;x") },
		{ "@ TXT {domain} \"{domain}\"", LIT("\26example.orgexample.org") },
		{ "@ TXT \"{dom\" \"ain}\"", LIT("\13example.org") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_record_t record;
		check_rdata(i, cases[i].text, false, cases[i].rdata, &record);
		UNIT_CHECK(!record.has_ttl && record.ttl == 0, "case %zu", i);
	}
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
		UNIT_CHECK(ret == KNOT_EOK, "%zu: %d", len, ret);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		/* The scanner splits what is too long for a string, and leaves the next one alone. */
		size_t strings = len <= 255 ? 2 : 3;
		UNIT_CHECK(ret == (int)(len + 1 + strings) && out[0] == (len < 255 ? len : 255),
		           "%zu: %d", len, ret);
		UNIT_CHECK(out[len + strings - 1] == 1 && out[len + strings] == 'y', "%zu", len);
		mail_rdata_free(&rdata);

		snprintf(text + pos + len, sizeof(text) - pos - len, "\" \"{domain}\"");
		ret = mail_record_parse(MAIL_STR(text), false, &record, &rdata, NULL);
		UNIT_CHECK(ret == KNOT_EOK, "%zu: %d", len, ret);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)len + 11 + 2 && out[0] == 255 && out[256] == len + 11 - 255,
		           "%zu: %d", len, ret);
		mail_rdata_free(&rdata);
	}
}

static const struct {
	mail_str_t text;
	uint32_t column;
	const char *reason;
} refused[] = {
	{ LIT(""), 0, "OWNER [TTL] TYPE RDATA" },
	{ LIT("  "), 0, "OWNER [TTL] TYPE RDATA" },
	{ LIT("x"), 0, "needs a type" },
	{ LIT("x 300"), 0, "needs a type" },
	{ LIT("x IN"), 0, "needs a type" },
	{ LIT("x 300 300 A 192.0.2.1"), 7, "\"300\" is not a record type" },
	{ LIT("x IN IN A 192.0.2.1"), 6, "\"IN\" is not a record type" },
	{ LIT("x FOO 1"), 3, "\"FOO\" is not a record type" },
	{ LIT("x TYPE65536 1"), 3, "not a record type" },
	{ LIT("192.0.2.1"), 0, "needs a type" },
	{ LIT("a..b A 192.0.2.1"), 3, "empty label" },
	{ LIT(" x{domain} A 192.0.2.1"), 3, "cannot stand here" },
	{ LIT("x CH TXT a"), 3, "class \"CH\"" },
	{ LIT("x CLASS3 TXT a"), 3, "class \"CLASS3\"" },
	{ LIT("x 2147483648 A 192.0.2.1"), 3, "TTL 2147483648 is over" },
	{ LIT("x 4294967296 A 192.0.2.1"), 14, "32 bits" },
	{ LIT("x 3z A 192.0.2.1"), 6, "A record:" },
	/* Types that are not literal. */
	{ LIT("x SOA a b 1 2 3 4 5"), 3, "made from the policy" },
	{ LIT("sub NS ns1"), 5, "delegation" },
	{ LIT("x DS 1 13 2 00"), 3, "DNSSEC" },
	{ LIT("x RRSIG A"), 3, "DNSSEC" },
	{ LIT("x NSEC a A"), 3, "DNSSEC" },
	{ LIT("x NSEC3 1 0 0 - a A"), 3, "DNSSEC" },
	{ LIT("x NSEC3PARAM 1 0 0 -"), 3, "DNSSEC" },
	{ LIT("x DNSKEY 257 3 13 AA=="), 3, "DNSSEC" },
	{ LIT("x CDS 0 0 0 00"), 3, "DNSSEC" },
	{ LIT("x CDNSKEY 0 3 0 AA=="), 3, "DNSSEC" },
	{ LIT("x ZONEMD 1 1 1 00"), 3, "DNSSEC" },
	{ LIT("x TYPE47 \\# 0"), 3, "DNSSEC" },
	{ LIT("x SPF \"v=spf1 -all\""), 3, "RFC 7208" },
	{ LIT("x OPT \\# 0"), 3, "no data" },
	{ LIT("x ANY \\# 0"), 3, "no data" },
	{ LIT("x TYPE250 \\# 0"), 3, "no data" },
	{ LIT("x TYPE251 \\# 0"), 3, "no data" },
	{ LIT("x TYPE128 \\# 0"), 3, "no data" },
	{ LIT("x TYPE255 \\# 0"), 3, "no data" },
	{ LIT("x TYPE0 \\# 0"), 3, "no data" },
	{ LIT("x TYPE65535 \\# 0"), 3, "no data" },
	/* One record, one line. */
	{ LIT("x A 192.0.2.1\ny A 192.0.2.2"), 14, "one line" },
	{ LIT("x A 192.0.2.1\n"), 14, "one line" },
	{ LIT("x A 192.0.2.1\r"), 14, "one line" },
	{ LIT("x A 192.0.2.1\0"), 14, "\\000" },
	{ LIT("x TXT \"a\nb\""), 9, "one line" },
	{ LIT("x A ( 192.0.2.1 )"), 5, "groups lines" },
	{ LIT("x TXT a)"), 8, "groups lines" },
	{ LIT("x A 192.0.2.1 ; comment"), 15, "comment" },
	{ LIT("_dmarc TXT v=DMARC1; p=none"), 20, "quote the text" },
	{ LIT("$TTL 300"), 1, "\"$TTL\": directives" },
	{ LIT("$ORIGIN x A 192.0.2.1"), 1, "directives" },
	{ LIT(" $INCLUDE /etc/passwd"), 2, "directives" },
	{ LIT("x A 192.0.2.1 192.0.2.2"), 3, "A record: unexpected data" },
	/* RDATA. */
	{ LIT("x A"), 3, "A record:" },
	{ LIT("x A 192.0.2.256"), 3, "A record:" },
	{ LIT("x AAAA 192.0.2.1"), 3, "AAAA record:" },
	{ LIT("x TXT"), 3, "TXT record:" },
	{ LIT("x TXT \"a"), 8, "quote at the end" },
	{ LIT("x TXT a\\"), 8, "after the backslash" },
	{ LIT("x A \\# 3 010203"), 3, "malformed RDATA of A" },
	{ LIT("x A \\# 5 0102030405"), 3, "malformed RDATA of A" },
	{ LIT("x MX \\# 3 000a03"), 3, "malformed RDATA of MX" },
	{ LIT("x PTR \\# 4 01610000"), 3, "malformed RDATA of PTR" },
	{ LIT("x PTR \\# 2 c000"), 3, "malformed RDATA of PTR" },
	{ LIT("x NAPTR \\# 6 000000000502"), 3, "malformed RDATA of NAPTR" },
	{ LIT("x SVCB \\# 1 00"), 3, "malformed RDATA of SVCB" },
	{ LIT("x TXT \\# 2 09ff"), 3, "malformed RDATA of TXT" },
	{ LIT("x MX 10 192.0.2.1"), 9, "IP address" },
	{ LIT("x CNAME 2001:db8::1"), 9, "IP address" },
	{ LIT("x SRV 0 1 443 192.0.2.1"), 15, "IP address" },
	{ LIT("x CNAME *.x"), 9, "wildcard" },
	{ LIT("x CNAME"), 0, "CNAME needs a host name" },
	{ LIT("x MX mail"), 3, "MX record:" },
	{ LIT("x CNAME a b"), 3, "CNAME record:" },
	{ LIT("x CNAME {domain}.relay.example"), 30, "dot at its end" },
	{ LIT("x RP {domain}.{domain}. ."), 15, "twice" },
	{ LIT("x RP x{domain} ."), 7, "cannot stand here" },
	{ LIT("x IPSECKEY 10 3 2 gw AQID"), 0, "a relative name or {domain} in IPSECKEY" },
	/* The hole outside names and TXT. */
	{ LIT("x CAA 0 issue \"{domain}\""), 15, "{domain} in CAA" },
	{ LIT("x HINFO {domain} linux"), 9, "{domain} in HINFO" },
	{ LIT("x TYPE65280 \\# 1 {domain}"), 18, "{domain} in TYPE65280" },
	{ LIT("x NAPTR 1 2 \"u\" \"{domain}\" \"\" ."), 17, "{domain} in NAPTR" },
	{ LIT("x NAPTR 1 2 u {domain} x ."), 0, "{domain} in NAPTR" },
	{ LIT("x HTTPS 1 . alpn=\"{domain}\""), 13, "{domain} in HTTPS" },
	{ LIT("x HTTPS 1 . key65333={domain}"), 21, "'='" },
	/* The stand-in for the domain is nobody's label. */
	{ LIT("x CNAME \\255\\254\\253\\252\\251\\250\\249\\248"), 0, "kept for the module" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		mail_record_t record;
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_record_parse(refused[i].text, false, &record, &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == refused[i].column &&
		                   strstr(diag.text, refused[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		mail_rdata_free(&rdata);
		ret = mail_record_parse(refused[i].text, false, &record, &rdata, NULL);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

static void test_delegation(void)
{
	static const struct {
		const char *text;
		mail_str_t rdata;
	} good[] = {
		{ "sub NS ns1.sub", LIT("\3ns1\3sub" DOMAIN) },
		{ "a.b.sub 300 NS ns.example.", LIT("\2ns\7example\0") },
		{ "sub.example.org. NS ns.example.", LIT("\2ns\7example\0") },
		{ "sub DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118", /* RFC 4034 5.4 */
		  LIT("\354\105\5\1\53\261\203\257\137\42\130\201\171\245\73\12\230\143\37\255\32\51\41\30") },
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		mail_record_t record;
		check_rdata(i, good[i].text, true, good[i].rdata, &record);
	}
	static const struct {
		const char *text;
		uint32_t column;
		const char *reason;
	} bad[] = {
		{ "@ NS ns1", 1, "below the domain" },
		{ "{domain} NS ns1", 1, "below the domain" },
		{ "* NS ns1", 1, "wildcard" },
		{ "*.sub DS 1 13 2 00", 1, "wildcard" },
		{ "sub A 192.0.2.1", 5, "a delegation is NS and DS" },
		{ "sub SOA a b 1 2 3 4 5", 5, "a delegation is NS and DS" },
		{ "sub NS 192.0.2.1", 8, "IP address" },
		{ "sub NS", 0, "needs a host name" },
		{ "sub DS 1 13 2 00", 0, "type 2 has 32 octets, this has 1" },
		{ "sub DS 1 13 1 2BB183AF5F22588179A53B0A98631FAD1A2921", 0,
		  "20 octets, this has 19" },
		{ "sub DS \\# 4 00010d02", 5, "malformed RDATA of DS" },
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		mail_record_t record;
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_record_parse(MAIL_STR(bad[i].text), true, &record, &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == bad[i].column && strstr(diag.text, bad[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		mail_rdata_free(&rdata);
	}
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
	UNIT_CHECK(ret == KNOT_EOK, "%d", ret);
	size_t max = mail_rdata_apex_max(&rdata);
	UNIT_CHECK(max == 255 - 3 * 61, "%zu", max);
	for (size_t len = max; len <= max + 1; len++) {
		uint8_t wire[128] = { 40 };
		wire[41] = (uint8_t)(len - 43);
		mail_apex_t domain = { wire, { "", 0 } };
		UNIT_CHECK(knot_dname_size(wire) == len, "%zu", len);
		ret = mail_rdata_fill(&rdata, &domain, out, sizeof(out));
		UNIT_CHECK(ret == (len <= max ? 255 : KNOT_ESPACE), "domain of %zu: %d", len, ret);
	}
	mail_rdata_free(&rdata);
}

static void test_address(void)
{
	static const struct {
		const char *text;
		uint16_t type; /* 0: refused. */
		mail_str_t rdata;
	} cases[] = {
		{ "192.0.2.25", KNOT_RRTYPE_A, LIT("\300\0\2\31") },
		{ "255.255.255.255", KNOT_RRTYPE_A, LIT("\377\377\377\377") },
		{ "2001:db8::25", KNOT_RRTYPE_AAAA, LIT("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\45") },
		{ "2001:DB8:0:0:0:0:0:25", KNOT_RRTYPE_AAAA,
		  LIT("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\45") },
		{ "::ffff:192.0.2.1", KNOT_RRTYPE_AAAA,
		  LIT("\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1") },
		{ "", 0, LIT("") },
		{ "192.0.2", 0, LIT("") },
		{ "192.0.2.256", 0, LIT("") },
		{ "192.0.2.1 ", 0, LIT("") },
		{ "192.0.2.0/24", 0, LIT("") },
		{ "[2001:db8::1]", 0, LIT("") },
		{ "fe80::1%eth0", 0, LIT("") },
		{ "mail", 0, LIT("") },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", 0, LIT("") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		uint16_t type = 0;
		int ret = mail_address_render(MAIL_STR(cases[i].text), &type, &rdata, &diag);
		UNIT_CHECK(ret == (cases[i].type != 0 ? KNOT_EOK : KNOT_EINVAL) &&
		                   type == cases[i].type,
		           "case %zu: %d %u %s", i, ret, type, diag.text);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)cases[i].rdata.len &&
		                   memcmp(out, cases[i].rdata.data, cases[i].rdata.len) == 0,
		           "case %zu: %d", i, ret);
		UNIT_CHECK((diag.text[0] == '\0') == (cases[i].type != 0), "case %zu: %s", i,
		           diag.text);
		mail_rdata_free(&rdata);
	}
	mail_rdata_t rdata = { 0 };
	uint16_t type;
	mail_str_t nul = { "192.0.2.1\0x", 11 };
	UNIT_CHECK(mail_address_render(nul, &type, &rdata, NULL) == KNOT_EINVAL, "NUL");
	mail_rdata_free(&rdata);
}

/* Each allocation fails once: no leak, no crash, KNOT_ENOMEM. */
static void test_allocation(void)
{
	static const char *const texts[] = {
		"x MX 10 mail",
		"@ TXT \"site={domain}\" \"and another string that makes the buffers grow a little\"",
		"x CNAME {domain}.relay.example.with.a.long.name.that.makes.the.buffers.grow.example.",
	};
	UNIT_CHECK(failing_linked(), "linked without --wrap");
	for (size_t t = 0; t < COUNT(texts) && failing_linked(); t++) {
		size_t i = 1;
		for (; failing_on(i); i++) {
			mail_record_t record;
			mail_rdata_t rdata = { 0 };
			int ret = mail_record_parse(MAIL_STR(texts[t]), false, &record, &rdata,
			                            NULL);
			bool met = failing_off();
			UNIT_CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK),
			           "text %zu allocation %zu: %d", t, i, ret);
			mail_rdata_free(&rdata);
			if (!met) {
				break;
			}
		}
		UNIT_CHECK(i > 3, "text %zu: %zu allocations", t, i);
	}
}

static const unit_test_t tests[] = {
	{ "owner, TTL, class, type", test_head },
	{ "RDATA", test_rdata },
	{ "long strings", test_txt_long },
	{ "no records", test_refused },
	{ "delegations", test_delegation },
	{ "names that grow", test_room },
	{ "addresses", test_address },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("record", tests);
}
