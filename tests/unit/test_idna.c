/* SPDX-License-Identifier: GPL-3.0-or-later */
/* International names: U-labels as people write them in ids and values, A-labels as they are stored. */
#include "dns/idna.h"

#include "mail/entry.h"

#include "lib/failing.h"
#include "lib/unit.h"

#define BUECHER "xn--bcher-kva"
#define TXT "gr\303\274n"
#define LABEL63 "012345678901234567890123456789012345678901234567890123456789012"

/*! Names, and what they become. */
static const struct {
	const char *text, *written;
} names[] = {
	{ "", "" },
	{ "example.org", "example.org" },
	{ "Mail.{domain}", "Mail.{domain}" },
	/* RFC 3492 7.1, and UTS 46. */
	{ "bücher.example", BUECHER ".example" },
	{ "BÜCHER.Example.", BUECHER ".Example." },
	{ "bu\xcc\x88"
	  "cher",
	  BUECHER },
	{ "faß.de", "xn--fa-hia.de" },
	{ "_25._tcp.例え", "_25._tcp.xn--r8jz45g" },
	{ "bücher.{domain}.例え.", BUECHER ".{domain}.xn--r8jz45g." },
	{ "10 bücher  例え ", "10 " BUECHER "  xn--r8jz45g " },
	{ "a\\.b.bücher", "a\\.b." BUECHER },
	{ "XN--BCHER-KVA", "XN--BCHER-KVA" },
};

static void test_names(void)
{
	EACH(c, names) {
		mail_buf_t out = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_idna_write(MAIL_STR(c->text), &out, &diag);
		CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->written),
		      "%d %s '%.*s'", ret, diag.text, (int)out.len, (char *)out.data);
		mail_buf_free(&out);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t column;
		const char *reason; /* A part of it. */
	} cases[] = {
		{ "b\\252cher\xc3\xbc", 1, "a backslash in an international" },
		{ "a\\.b\xc3\xbc", 1, "a backslash in an international" },
		{ "a.-b\xc3\xbc", 3, "international label" },
		{ "a.\xc3", 3, "international label" },
		{ "a.\xff\xfe", 3, "international label" },
		{ "a\xe3\x80\x82org", 1, "one label" }, /* Ideographic full stop. */
		{ "\xc2\xad", 1, "label" },             /* Soft hyphen alone: nothing. */
		{ "a." LABEL63 "\xc3\xbc", 3, "label" },
		{ LABEL63 LABEL63 LABEL63 LABEL63 "\xc3\xbc", 1, "longer than 63" },
	};
	EACH(c, cases) {
		mail_buf_t out = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_idna_write(MAIL_STR(c->text), &out, &diag);
		CHECK_INT(ret, KNOT_EINVAL);
		CHECK(diag.column == c->column, "column %u: %s", diag.column, diag.text);
		CHECK_HAS(diag.text, c->reason);
		mail_buf_free(&out);
	}
}

/*! Values of items with names, and what is stored of them; NULL: refused at the column. */
static const struct {
	mail_section_t section;
	const char *item, *text, *stored;
	uint32_t column;
} values[] = {
	{ MAIL_SECTION_POLICY, "mx", "10 Bücher", "10 " BUECHER, 0 },
	{ MAIL_SECTION_POLICY, "mx", "10 bücher.{domain}", "10 " BUECHER ".{domain}", 0 },
	{ MAIL_SECTION_POLICY, "srv", "imap 0 1 110 bücher.example.",
	  "imap 0 1 110 " BUECHER ".example.", 0 },
	{ MAIL_SECTION_POLICY, "ns", "ns.Bücher.example.", "ns." BUECHER ".example.", 0 },
	{ MAIL_SECTION_POLICY, "soa-rname", "a@bücher.example", "a@" BUECHER ".example", 0 },
	{ MAIL_SECTION_POLICY, "soa-rname", "bücher.example.", BUECHER ".example.", 0 },
	{ MAIL_SECTION_POLICY, "soa-rname", "büro@x.example", NULL, 2 },
	{ MAIL_SECTION_POLICY, "soa-rname", "a\\@bücher.example", NULL, 1 },
	{ MAIL_SECTION_POLICY, "spf", "?include:bücher.example mx",
	  "?include:" BUECHER ".example mx", 0 },
	{ MAIL_SECTION_POLICY, "spf", "include:_spf.BÜCHER.{domain}",
	  "include:_spf." BUECHER ".{domain}", 0 },
	{ MAIL_SECTION_POLICY, "spf", "a:bücher.example./24", "a:" BUECHER ".example./24", 0 },
	{ MAIL_SECTION_POLICY, "spf", "redirect=bücher.example", "redirect=" BUECHER ".example",
	  0 },
	{ MAIL_SECTION_POLICY, "spf", "mx a:bücher.%{d}", NULL, 7 },
	{ MAIL_SECTION_POLICY, "spf", "note=bücher.example", NULL, 7 },
	{ MAIL_SECTION_HOST, "helo-spf", "a:bücher.example", "a:" BUECHER ".example", 0 },
	{ MAIL_SECTION_POLICY, "dmarc", "ruf=mailto:a@bücher.example",
	  "ruf=mailto:a@" BUECHER ".example", 0 },
	{ MAIL_SECTION_POLICY, "dmarc", "rua = mailto:a@x.example , mailto:b,c@bücher.example!10m",
	  "rua=mailto:a@x.example , mailto:b,c@" BUECHER ".example!10m", 0 },
	{ MAIL_SECTION_POLICY, "dmarc-ramp",
	  "2026-06-01T00:00:00Z p=none rua=mailto:a@bücher.example",
	  "2026-06-01T00:00:00Z p=none rua=mailto:a@" BUECHER ".example", 0 },
	{ MAIL_SECTION_POLICY, "dmarc", "p=bücher", NULL, 3 },
	{ MAIL_SECTION_POLICY, "tls-rpt", "mailto:büro@bücher.example, https://bücher.example/ü",
	  "mailto:büro@" BUECHER ".example, https://" BUECHER ".example/ü", 0 },
	{ MAIL_SECTION_POLICY, "bimi", "brand2 https://bücher.example:1/ü https://x.例え/vmc.pem",
	  "brand2 https://" BUECHER ".example:1/ü https://x.xn--r8jz45g/vmc.pem", 0 },
	{ MAIL_SECTION_POLICY, "record", "Bücher 300 IN A 192.0.2.80",
	  BUECHER " 300 IN A 192.0.2.80", 0 },
	{ MAIL_SECTION_POLICY, "record", "bücher MX 10 bücher.example.",
	  BUECHER " MX 10 " BUECHER ".example.", 0 },
	{ MAIL_SECTION_POLICY, "record", "x NAPTR 1 1 \"u\" \"ü\" \"\" bücher",
	  "x NAPTR 1 1 \"u\" \"ü\" \"\" " BUECHER, 0 },
	{ MAIL_SECTION_POLICY, "record", "x TXT " TXT " \"" TXT "\"", "x TXT " TXT " \"" TXT "\"",
	  0 },
	{ MAIL_SECTION_POLICY, "record", "x CNAME -bü", NULL, 9 },
	{ MAIL_SECTION_POLICY, "record", "x CNAME bü\"", NULL, 12 },
	{ MAIL_SECTION_POLICY, "record", "bü", NULL, 0 },
	{ MAIL_SECTION_DOMAIN, "delegation", "bücher NS ns.bücher.example.",
	  BUECHER " NS ns." BUECHER ".example.", 0 },
	{ MAIL_SECTION_DOMAIN, "alias", "bücher.example", BUECHER ".example", 0 },
	{ MAIL_SECTION_DOMAIN, "policy", "bücher", NULL, 2 },
	{ MAIL_SECTION_POLICY, "caa", "0 issue bücher.example", NULL, 10 },
	{ MAIL_SECTION_POLICY, "txt", TXT, TXT, 0 },
	{ MAIL_SECTION_HOST, "name", "Bücher", BUECHER, 0 },
	{ MAIL_SECTION_DKIM, "cname", "s1.bücher.example.", "s1." BUECHER ".example.", 0 },
};

static void test_values(void)
{
	EACH(c, values) {
		const mail_item_t *item = mail_item_find(c->section, MAIL_STR(c->item));
		REQUIRE(item != NULL);
		mail_buf_t out = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_item_normalise(item, MAIL_STR(c->text), &out, &diag);
		if (c->stored == NULL) {
			CHECK(ret == KNOT_EINVAL && diag.column == c->column, "%d column %u: %s",
			      ret, diag.column, diag.text);
		} else {
			CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->stored),
			      "%d %s '%.*s'", ret, diag.text, (int)out.len, (char *)out.data);
		}
		mail_buf_free(&out);
	}
}

static void test_ids(void)
{
	static const struct {
		mail_section_t section;
		const char *text, *id; /* NULL: refused. */
	} cases[] = {
		{ MAIL_SECTION_DOMAIN, "Bücher.Example.", BUECHER ".example" },
		{ MAIL_SECTION_DKIM, "bücher.рф/S1", BUECHER ".xn--p1ai/s1" },
		{ MAIL_SECTION_DKIM, "bücher.example/sü", NULL },
		{ MAIL_SECTION_DKIM, "policy:bücher/s1", NULL },
		{ MAIL_SECTION_DKIM, "bücher.example", NULL },
		{ MAIL_SECTION_POLICY, "bücher", NULL },
	};
	EACH(c, cases) {
		mail_buf_t out = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_entry_id_normalise(c->section, MAIL_STR(c->text), &out, &diag);
		if (c->id == NULL) {
			CHECK(ret == KNOT_EINVAL && out.len == 0, "%d", ret);
		} else {
			CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->id), "%d %s",
			      ret, diag.text);
		}
		mail_buf_free(&out);
	}
}

/*! Every allocation of every value fails once: KNOT_ENOMEM, and nothing is left behind. */
static void test_allocation(void)
{
	REQUIRE(failing_linked());
	EACH(c, values) {
		const mail_item_t *item = mail_item_find(c->section, MAIL_STR(c->item));
		bool met = c->stored != NULL;
		for (size_t n = 1; met && failing_on(n); n++) {
			mail_buf_t out = { 0 };
			int ret = mail_item_normalise(item, MAIL_STR(c->text), &out, NULL);
			met = failing_off();
			CHECK(!met || ret == KNOT_ENOMEM, ", allocation %zu: %d", n, ret);
			mail_buf_free(&out);
		}
	}
}

UNIT_MAIN("idna", TEST("names", test_names), TEST("names that are not", test_refused),
          TEST("values", test_values), TEST("ids", test_ids),
          TEST("failing allocations", test_allocation))
