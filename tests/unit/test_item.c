/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/item.h"

#include "mail/chars.h"

#include "lib/unit.h"
#include "lib/failing.h"

#define HOST MAIL_SECTION_HOST
#define CERT MAIL_SECTION_CERTIFICATE
#define POLICY MAIL_SECTION_POLICY
#define DKIM MAIL_SECTION_DKIM
#define DOMAIN MAIL_SECTION_DOMAIN

#define ED25519 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define HEX32 "064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"

static const mail_item_t *item_of(mail_section_t section, const char *name)
{
	const mail_item_t *item = mail_item_find(section, MAIL_STR(name));
	CHECK(item != NULL, "%s in %s", name, mail_section_name(section));
	REQUIRE(item != NULL);
	return item;
}

static void test_table(void)
{
	size_t n = 0;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++, n++) {
		CHECK(item == mail_items || item[-1].id < item->id, "%s is out of order",
		      item->name);
		CHECK(item->id > 0 && item->id < MAIL_ITEM_MAX, "%s", item->name);
		CHECK(mail_item_get(item->id) == item, "%s", item->name);
		CHECK(item->sections != 0 && item->sections < 1u << MAIL_SECTION_COUNT, "%s",
		      item->name);
		CHECK(item->help != NULL && item->help[0] != '\0' &&
		              strchr(item->help, '\n') == NULL,
		      "%s", item->name);
		CHECK(item->type != MAIL_TYPE_NUMBER || item->min < item->max, "%s", item->name);
		CHECK((item->flags & MAIL_FLAG_BYTAG) == 0 || (item->flags & MAIL_FLAG_LIST) != 0,
		      "%s", item->name);
		for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
			bool in = (item->sections & (1u << section)) != 0;
			const mail_item_t *found = mail_item_find(section, MAIL_STR(item->name));
			/* Other sections may have another item of the name. */
			CHECK(in == (found == item), "%s in section %u", item->name, section);
			CHECK(found == NULL || (found->sections & (1u << section)) != 0,
			      "%s in section %u", item->name, section);
		}
		/* A domain overrides whatever a policy says, but not what the policy is made of. */
		bool policy = (item->sections & (1u << POLICY)) != 0 && item->id != MAIL_ITEM_BASE;
		CHECK(!policy || (item->sections & (1u << DOMAIN)) != 0, "%s", item->name);
	}
	CHECK(n > 45);
	static const unsigned nobody[] = { 0, 7, 9, 79, MAIL_ITEM_MAX, 255, 65536 + 1 };
	EACH(c, nobody) {
		CHECK(mail_item_get(*c) == NULL, "%u", *c);
	}
	CHECK(mail_item_find(POLICY, MAIL_STR("policy")) == NULL);
	CHECK(mail_item_find(POLICY, MAIL_STR("MX")) == NULL);
	CHECK(mail_item_find(POLICY, MAIL_STR("")) == NULL);
}

/*! The items of the dialect, with the sections they are in. */
static void test_dialect(void)
{
	static const struct {
		mail_section_t section;
		const char *names;
	} cases[] = {
		{ HOST, "name address certificate tlsa tlsa-port helo-spf" },
		{ CERT, "current next deploy-at form visible publish" },
		{ POLICY,
		  "ds-from ttl-was base host mx spf spf-all dmarc dmarc-ramp tls-rpt mta-sts mta-sts-max-age "
		  "mta-sts-id mta-sts-host srv autoconfig autodiscover bimi caa txt record no-mail "
		  "ttl ns soa-mname soa-rname key-set" },
		{ DKIM, "publish activate retire remove key cname tags revoke" },
		{ DOMAIN,
		  "policy alias target delegation ds-from ttl-was host mx spf spf-all dmarc dmarc-ramp tls-rpt "
		  "mta-sts mta-sts-max-age mta-sts-id mta-sts-host srv autoconfig autodiscover bimi "
		  "caa txt record no-mail ttl ns soa-mname soa-rname key-set" },
		{ MAIL_SECTION_KEYSET, "key leave" },
	};
	EACH(c, cases) {
		size_t pos = 0, named = 0, there = 0;
		mail_str_t name;
		while (mail_str_word(MAIL_STR(c->names), &pos, &name)) {
			CHECK(mail_item_find(c->section, name) != NULL, "%.*s", (int)name.len,
			      name.data);
			named++;
		}
		for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
			there += (item->sections >> c->section) & 1;
		}
		CHECK(named == there, "%zu named, %zu there", named, there);
	}
}

static void test_sections(void)
{
	for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
		const char *name = mail_section_name(section);
		CHECK(name[0] != '\0' && mail_section_find(MAIL_STR(name)) == section, "%u",
		      section);
	}
	CHECK_STR(mail_section_name(MAIL_SECTION_KEYSET), "key-set");
	CHECK_STR(mail_section_name(MAIL_SECTION_COUNT), "");
	CHECK_INT(mail_section_find(MAIL_STR("keyset")), MAIL_SECTION_COUNT);
	CHECK_INT(mail_section_find(MAIL_STR("")), MAIL_SECTION_COUNT);
}

/*! What is stored can be written again and gives the same. */
static void check_again(const mail_item_t *item, mail_str_t stored, size_t n)
{
	mail_buf_t printed = { 0 }, again = { 0 };
	CHECK(mail_item_print(item, stored, &printed) == KNOT_EOK, "case %zu", n);
	int ret = mail_item_normalise(item, mail_buf_view(&printed), &again, NULL);
	CHECK(ret == KNOT_EOK && mail_str_equal(stored, mail_buf_view(&again)), "case %zu: %d %.*s",
	      n, ret, (int)again.len, (char *)again.data);
	mail_buf_free(&printed);
	mail_buf_free(&again);
}

/*! Values of every item, and what is stored of them. */
static const struct {
	mail_section_t section;
	const char *item, *text, *stored;
} good[] = {
	{ DOMAIN, "policy", " business ", "business" },
	{ DOMAIN, "alias", "Example.NET.", "example.net" },
	{ DOMAIN, "alias", "b\303\274cher.example", "xn--bcher-kva.example" },
	{ DOMAIN, "target", "off", "off" },
	{ DOMAIN, "delegation", "sub NS ns.example.com.", "sub NS ns.example.com." },
	{ POLICY, "base", "default", "default" },
	{ POLICY, "host", "mail", "mail" },
	{ POLICY, "mx", " 10 mail ", "10 mail" },
	{ POLICY, "mx", ".", "." },
	{ POLICY, "spf", "mx", "mx" },
	{ POLICY, "spf", "hosts", "hosts" },
	{ POLICY, "spf", "ip4:192.0.2.0/24 include:_spf.example.com",
	  "ip4:192.0.2.0/24 include:_spf.example.com" },
	{ POLICY, "spf", "ra=postmaster", "ra=postmaster" },
	{ POLICY, "spf-all", "~all", "~all" },
	{ POLICY, "dmarc", "p = reject", "p=reject" },
	{ POLICY, "dmarc", "rua=mailto:postmaster@{domain}", "rua=mailto:postmaster@{domain}" },
	{ POLICY, "dmarc", "rua=", "rua=" },
	{ POLICY, "dmarc-ramp", "2026-06-01t00:00:00z  p=quarantine pct=20 ",
	  "2026-06-01T00:00:00Z p=quarantine pct=20" },
	{ POLICY, "tls-rpt", "mailto:postmaster@{domain}", "mailto:postmaster@{domain}" },
	{ POLICY, "mta-sts", "enforce", "enforce" },
	{ POLICY, "mta-sts", "none", "none" },
	{ POLICY, "mta-sts-max-age", "031557600", "31557600" },
	{ POLICY, "mta-sts-max-age", "0", "0" },
	{ POLICY, "mta-sts-id", "16561011793845132961", "16561011793845132961" },
	{ POLICY, "mta-sts-host", "Mail", "mail" },
	{ POLICY, "mta-sts-host", "@", "@" },
	{ POLICY, "mta-sts-host", "{domain}.sts.example.", "{domain}.sts.example." },
	{ POLICY, "srv", "imaps", "imaps" },
	{ POLICY, "srv", "imap 0 1 110 mail", "imap 0 1 110 mail" },
	{ POLICY, "srv", "pop3 .", "pop3 ." },
	{ POLICY, "bimi", "default https://example.org/logo.svg",
	  "default https://example.org/logo.svg" },
	{ POLICY, "caa", "0 issue \"ca.example\"", "0 issue \"ca.example\"" },
	{ POLICY, "txt", "  kept to the letter ", "  kept to the letter " },
	{ POLICY, "txt", "v=spf10", "v=spf10" },
	{ POLICY, "txt", "gr\303\274n", "gr\303\274n" },
	{ POLICY, "record", "www A 192.0.2.80", "www A 192.0.2.80" },
	{ POLICY, "no-mail", "on", "on" },
	{ POLICY, "ttl", "2147483647", "2147483647" },
	{ POLICY, "ns", "NS2.Example.com.", "ns2.example.com." },
	{ POLICY, "soa-rname", "hostmaster@{domain}", "hostmaster@{domain}" },
	{ POLICY, "key-set", "main", "main" },
	{ MAIL_SECTION_KEYSET, "key",
	  "03613  Ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
	  "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=" },
	{ MAIL_SECTION_KEYSET, "leave", "2027-01-31t12:00:00z", "2027-01-31T12:00:00Z" },
	{ HOST, "name", "mail", "mail" },
	{ HOST, "address", "192.0.2.25", "192.0.2.25" },
	{ HOST, "address", "2001:db8::25", "2001:db8::25" },
	{ HOST, "tlsa", "3 0 1 " HEX32, "3 0 1 " HEX32 },
	{ HOST, "tlsa-port", "25", "25" },
	{ HOST, "helo-spf", "a ra=postmaster -all", "a ra=postmaster -all" },
	{ CERT, "current", "3 1 1 " HEX32, "3 1 1 " HEX32 },
	{ CERT, "form", "3 1 1", "3 1 1" },
	{ CERT, "deploy-at", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
	{ DKIM, "publish", "1970-01-01t00:00:00z", "1970-01-01T00:00:00Z" },
	{ DKIM, "cname", "S1.crm.example.", "s1.crm.example." },
	{ DKIM, "tags", "none", "none" },
	{ DKIM, "tags", "h=sha256; t=s", "h=sha256; t=s" },
	{ DKIM, "revoke", "on", "on" },
};
static void test_values(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		const mail_item_t *item = item_of(good[i].section, good[i].item);
		mail_diag_t diag = { 0 };
		mail_buf_t out = { 0 };
		int ret = mail_item_normalise(item, MAIL_STR(good[i].text), &out, &diag);
		if (CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), good[i].stored),
		          "case %zu: %s: %d %s '%.*s'", i, good[i].item, ret, diag.text,
		          (int)out.len, (char *)out.data)) {
			check_again(item, mail_buf_view(&out), i);
		}
		mail_buf_free(&out);
	}
}

static void test_allocation(void)
{
	REQUIRE(failing_linked());
	size_t failed = 0;
	EACH(c, good) {
		const mail_item_t *item = item_of(c->section, c->item);
		bool met = true;
		for (size_t i = 1; met && failing_on(i); i++) {
			mail_buf_t out = { 0 };
			int ret = mail_item_normalise(item, MAIL_STR(c->text), &out, NULL);
			met = failing_off();
			failed += met;
			CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), ", allocation %zu: %d", i,
			      ret);
			CHECK(ret == KNOT_EOK || out.len == 0, "allocation %zu", i);
			mail_buf_free(&out);
		}
	}
	CHECK(failed > COUNT(good));
}

static void test_refused(void)
{
	static const struct {
		mail_section_t section;
		const char *item, *text;
		uint32_t column;    /*!< 0: whatever it is. */
		const char *reason; /*!< Part of it, where it is given here. */
	} cases[] = {
		{ DOMAIN, "policy", "", 0, "empty" },
		{ DOMAIN, "policy", "   ", 0, "empty" },
		{ DOMAIN, "policy", " a b", 3, "letters" },
		{ DOMAIN, "alias", ".", 1, "root" },
		{ DOMAIN, "target", "on", 0, "not served by this version" },
		{ DOMAIN, "target", "yes", 1, "neither on nor off" },
		{ DOMAIN, "delegation", "www A 192.0.2.1", 0, "" },
		{ POLICY, "mx", "10 192.0.2.1", 0, "" },
		{ POLICY, "mx", "10\tmail", 3, "a tab" },
		{ POLICY, "spf", "mx  ptr", 5, "" },
		{ POLICY, "spf", "v=spf1 mx", 1, "written by itself" },
		{ POLICY, "spf", "mx V=SPF1", 4, "written by itself" },
		{ POLICY, "spf-all", "all of them", 0, "" },
		{ POLICY, "dmarc", "reject", 0, "" },
		{ POLICY, "dmarc", "p=maybe", 0, "" },
		{ POLICY, "dmarc", "colour=blue", 0, "" },
		{ POLICY, "dmarc", "p=none; sp=none", 0, "" },
		{ POLICY, "dmarc-ramp", "p=none", 1, "" },
		{ POLICY, "dmarc-ramp", "2026-06-01T00:00:00Z", 0, "no tag=value" },
		{ POLICY, "dmarc-ramp", "2026-06-01T00:00:00Z p=none colour=blue", 0, "" },
		{ POLICY, "dmarc-ramp", "2026-06-01T00:00:00Z p=none p=reject", 29, "given twice" },
		{ POLICY, "dmarc-ramp", "2026-06-31T00:00:00Z p=none", 0, "" },
		{ POLICY, "dmarc-ramp", "1969-12-31T23:59:59Z p=none", 1, "1970" },
		{ POLICY, "tls-rpt", "ftp://example.org", 0, "" },
		{ POLICY, "mta-sts", "ENFORCE", 1, "not one of" },
		{ POLICY, "mta-sts-max-age", "31557601", 1, "more than 31557600" },
		{ POLICY, "mta-sts-max-age", "99999999999999999999999999", 1, "more than" },
		{ POLICY, "mta-sts-max-age", "-1", 1, "decimal" },
		{ POLICY, "mta-sts-max-age", "1h", 2, "decimal" },
		{ POLICY, "mta-sts-id", "a-b", 0, "" },
		{ POLICY, "mta-sts-host", "a..b", 0, "" },
		{ POLICY, "srv", "gopher", 0, "" },
		{ POLICY, "bimi", "default http://example.org/logo.svg", 0, "" },
		{ POLICY, "caa", "256 issue ca.example", 0, "" },
		{ POLICY, "txt", "v=spf1 -all", 1, "belong in spf" },
		{ POLICY, "txt", "v=spf1", 1, "belong in spf" },
		{ POLICY, "txt", "a\nb", 2, "control" },
		{ POLICY, "txt", "a\177", 2, "control" },
		{ POLICY, "txt", "a\302\233", 2, "control" },
		{ POLICY, "txt", "ab\303", 3, "UTF-8" },
		{ POLICY, "txt", " \355\240\200", 2, "UTF-8" },
		{ POLICY, "record", "@ SOA a. b. 1 2 3 4 5", 0, "" },
		{ POLICY, "record", "sub NS ns.example.com.", 0, "" },
		{ POLICY, "no-mail", "true", 1, "neither on nor off" },
		{ POLICY, "ttl", "2147483648", 1, "more than" },
		{ POLICY, "soa-rname", "a@b@c", 0, "" },
		{ POLICY, "key-set", "none", 1, "cannot be an id" },
		{ HOST, "address", "192.0.2.256", 0, "" },
		{ HOST, "tlsa", "3 1 1 00", 0, "" },
		{ HOST, "tlsa-port", "0", 1, "less than 1" },
		{ HOST, "tlsa-port", "65536", 1, "more than 65535" },
		{ HOST, "helo-spf", "hosts -all", 1, "" },
		{ CERT, "current", "/etc/ssl/mail.pem", 0, "" },
		{ CERT, "form", "3 1 0", 0, "" },
		{ CERT, "deploy-at", "2026-01-01", 0, "" },
		{ CERT, "deploy-at", "1969-12-31T23:59:59Z", 1, "1970" },
		{ DKIM, "key", "AAAA", 0, "" },
		{ DKIM, "key", "no key", 0, "" },
		{ DKIM, "tags", "v=DKIM1", 0, "" },
		{ MAIL_SECTION_KEYSET, "key", "1 ed25519 csk AAAA", 0, "has 32" },
		{ MAIL_SECTION_KEYSET, "leave", "soon", 1, "not a time" },
	};
	EACH(c, cases) {
		const mail_item_t *item = item_of(c->section, c->item);
		mail_diag_t diag = { 0 };
		mail_buf_t out = { 0 };
		mail_buf_u8(&out, '>');
		int ret = mail_item_normalise(item, MAIL_STR(c->text), &out, &diag);
		CHECK(ret == KNOT_EINVAL && out.len == 1 && out.error == KNOT_EOK &&
		              diag.text[0] != '\0',
		      "%s: %d", c->item, ret);
		CHECK(strstr(diag.text, c->reason) != NULL &&
		              (c->column == 0 || c->column == diag.column),
		      "%s: column %u: %s", c->item, (unsigned)diag.column, diag.text);
		CHECK(mail_item_normalise(item, MAIL_STR(c->text), &out, NULL) == KNOT_EINVAL,
		      "without diag");
		mail_buf_free(&out);
	}
}

static void test_long(void)
{
	static const struct {
		const char *item;
		size_t len, max;
	} cases[] = {
		{ "txt", MAIL_TXT_MAX, MAIL_TXT_MAX },
		{ "txt", MAIL_TXT_MAX + 1, MAIL_TXT_MAX },
		{ "txt", MAIL_VALUE_MAX + 1, MAIL_TXT_MAX },
		{ "mta-sts", MAIL_VALUE_MAX + 1, 0 },
		{ "host", 63, 63 },
		{ "host", 64, 63 },
		{ "autoconfig", 63, 63 },
		{ "autoconfig", 64, 63 },
	};
	static char text[2 * MAIL_VALUE_MAX];
	memset(text, 'a', sizeof(text));
	EACH(c, cases) {
		mail_buf_t out = { 0 };
		int ret = mail_item_normalise(item_of(POLICY, c->item),
		                              (mail_str_t){ text, c->len }, &out, NULL);
		CHECK_INT(ret, (c->len <= c->max ? KNOT_EOK : KNOT_EINVAL));
		CHECK_INT(out.len, (ret == KNOT_EOK ? c->len : 0));
		mail_buf_free(&out);
	}
}

/*! However a key is written, the same octets are stored. */
static void test_key(void)
{
	static const char *const texts[] = {
		ED25519,
		"  " ED25519 "\n",
		("v=DKIM1; k=ed25519; h=sha256; p=" ED25519),
	};
	const mail_item_t *item = item_of(DKIM, "key");
	EACH(c, texts) {
		mail_diag_t diag = { 0 };
		mail_buf_t out = { 0 }, text = { 0 };
		int ret = mail_item_normalise(item, MAIL_STR(*c), &out, &diag);
		CHECK(ret == KNOT_EOK && out.len == 32 && out.data[0] == 0x37, "%s", diag.text);
		CHECK(mail_item_print(item, mail_buf_view(&out), &text) == KNOT_EOK &&
		              mail_str_is(mail_buf_view(&text), ED25519),
		      "%.*s", (int)text.len, (char *)text.data);
		mail_buf_free(&out);
		mail_buf_free(&text);
	}
}

/*! RFC 4648 10. */
static void test_print(void)
{
	static const struct {
		const char *octets, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\373\377\277", "+/+/" },
	};
	EACH(c, cases) {
		mail_buf_t out = { 0 };
		int ret = mail_item_print(item_of(DKIM, "key"), MAIL_STR(c->octets), &out);
		CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->text),
		      "%d, %zu characters", ret, out.len);
		mail_buf_free(&out);
	}
	uint8_t room[3];
	mail_buf_t small = MAIL_BUF_FIXED(room, sizeof(room));
	CHECK_INT(mail_item_print(item_of(DKIM, "key"), MAIL_STR("f"), &small), KNOT_ESPACE);
}

static void count_warning(void *ctx, const char *text)
{
	*(unsigned *)ctx += text[0] != '\0';
}

static void test_warned(void)
{
	static const struct {
		const char *item, *text;
		unsigned warnings;
	} cases[] = {
		{ "ttl", "604800", 0 },   { "ttl", "604801", 1 },   { "ttl", "2147483647", 1 },
		{ "dmarc", "p=none", 0 }, { "dmarc", "pct=50", 1 }, { "spf-all", "-all", 0 },
		{ "spf-all", "+all", 1 },
	};
	EACH(c, cases) {
		unsigned warnings = 0;
		mail_diag_t diag = { .warn = count_warning, .warn_ctx = &warnings };
		mail_buf_t out = { 0 };
		int ret = mail_item_normalise(item_of(POLICY, c->item), MAIL_STR(c->text), &out,
		                              &diag);
		CHECK(ret == KNOT_EOK && warnings == c->warnings, "%d, %u warnings", ret, warnings);
		mail_buf_free(&out);
	}
}

UNIT_MAIN("item", TEST("the table", test_table), TEST("the dialect", test_dialect),
          TEST("sections", test_sections), TEST("values", test_values),
          TEST("refused values", test_refused), TEST("long values", test_long),
          TEST("keys", test_key), TEST("octets as text", test_print), TEST("warnings", test_warned),
          TEST("failing allocations", test_allocation))
