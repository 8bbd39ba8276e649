/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include <jansson.h>

#include "mail/json.h"

#include "lib/samples.h"
#include "lib/unit.h"

/* Lines that are good, with ' for ", and the canonical spelling of each (NULL: the line itself). */
static const struct {
	const char *line;
	const char *canonical;
} good[] = {
	{ "{'kind':'domain','name':'example.net','policy':'business'}", NULL },
	{ "{'kind':'domain','name':'example.net','policy':'business','dmarc':{'p':'none'}}", NULL },
	{ "{'kind':'domain','name':'example.net','alias':'example.org'}", NULL },
	{ "{'kind':'domain','name':'example.net','deleted':true}", NULL },
	{ "{'kind':'policy','id':'a'}", NULL },
	{ "{'kind':'host','id':'a','name':'mail','address':['192.0.2.1'],'tlsa-port':[25,465]}",
	  NULL },
	/* The order of members, white space, a line end. */
	{ " { 'policy' : 'b' , 'name':'a.example', 'kind':'domain' }\r\n",
	  "{'kind':'domain','name':'a.example','policy':'b'}" },
	{ "{'kind':'policy','ttl':60,'spf':['mx'],'mx':['mail'],'id':'a'}",
	  "{'kind':'policy','id':'a','mx':['mail'],'spf':['mx'],'ttl':60}" },
	/* "name" for "id" and the other way round. */
	{ "{'kind':'policy','name':'a'}", "{'kind':'policy','id':'a'}" },
	{ "{'kind':'dkim','name':'a.example/s','cname':'x'}",
	  "{'kind':'dkim','id':'a.example/s','cname':'x'}" },
	/* Ids and values are normalised. */
	{ "{'kind':'domain','name':'EXAMPLE.net.','policy':'b'}",
	  "{'kind':'domain','name':'example.net','policy':'b'}" },
	{ "{'kind':'domain','name':'b\xc3\xbc"
	  "cher.example','policy':'b'}",
	  "{'kind':'domain','name':'xn--bcher-kva.example','policy':'b'}" },
	{ "{'kind':'domain','name':'b\\u00fccher.example','policy':'b'}",
	  "{'kind':'domain','name':'xn--bcher-kva.example','policy':'b'}" },
	/* A list of one without brackets; appending; "none" and null. */
	{ "{'kind':'policy','id':'a','mx':'mail','+spf':'mx'}",
	  "{'kind':'policy','id':'a','mx':['mail'],'+spf':['mx']}" },
	{ "{'kind':'policy','id':'a','mx':'none','ttl':'none','no-mail':'none','dmarc':'none'}",
	  "{'kind':'policy','id':'a','mx':null,'dmarc':null,'no-mail':null,'ttl':null}" },
	{ "{'kind':'policy','id':'a','mta-sts':null}",
	  "{'kind':'policy','id':'a','mta-sts':'none'}" },
	/* Tags: null and "" both take one away. */
	{ "{'kind':'policy','id':'a','dmarc':{'p':'reject','sp':'','np':null}}",
	  "{'kind':'policy','id':'a','dmarc':{'p':'reject','sp':null,'np':null}}" },
	/* Switches. */
	{ "{'kind':'policy','id':'a','no-mail':true}", NULL },
	{ "{'kind':'policy','id':'a','no-mail':false}", NULL },
	{ "{'kind':'policy','id':'a','deleted':false}", "{'kind':'policy','id':'a'}" },
	/* Escapes. */
	{ "{'kind':'policy','id':'a','txt':['\\'a\\\\b\\u0041\xc3\xa9\\/']}",
	  "{'kind':'policy','id':'a','txt':['\\'a\\\\bA\xc3\xa9/']}" },
};

/* Lines that are no JSON, or none that we take; the words are jansson's, so only those that matter. */
static const struct {
	const char *line;
	unsigned column; /* 0: anywhere. */
	const char *reason;
} broken[] = {
	{ "", 0, "expected near end of file" },
	{ "{'kind':'domain',}", 18, "expected near '}'" },
	{ "{'kind':'domain'", 16, "'}' expected near end of file" },
	{ "{'kind':'domain'} x", 19, "end of file expected near 'x'" },
	{ "{'kind':'domain' \x1b[0m", 0, "expected near '?'" },
	{ "{'kind':'policy','id':'a','id':'b'}", 0, "duplicate object key near '\"id\"'" },
	{ "{'kind':'policy','id':'a','mx':['m'],'mx':['n']}", 0,
	  "duplicate object key near '\"mx\"'" },
	{ "{'kind':'policy','id':'a','dmarc':{'p':'none','p':'none'}}", 0,
	  "duplicate object key near '\"p\"'" },
	{ "{'kind':'policy','id':'a\xff'}", 0, "unable to decode byte 0xff" },
	{ "{'kind':'policy','id':'a\\u0000'}", 0, "\\u0000 is not allowed" },
	{ "{'kind':'policy','id':'a','ttl':9223372036854775808}", 0, "too big integer" },
};

/* Lines that are bad. What a reason that ends with ": " goes on with are other files' words. A column of ANY is not ours to say. */
#define ANY 9999
static const struct {
	const char *line;
	unsigned column;
	const char *reason;
} bad[] = {
	{ "[1]", 1, "expected an object, as {\"kind\":\"domain\",...}" },
	{ "{}", 0, "kind: missing" },
	{ "{'kind':1}", 0, "kind: expected a string" },
	{ "{'kind':'domian','name':'x'}", 0,
	  "kind: unknown section \"domian\", is \"domain\" meant?" },
	{ "{'kind':'domain'}", 0, "domain: name: missing" },
	{ "{'kind':'host','name':'a'}", 0, "host: id: missing" },
	{ "{'kind':'policy','id':['a']}", 0, "policy: id: expected a string" },
	{ "{'kind':'policy','id':'a b'}", 2, "policy: id: " },
	{ "{'kind':'policy','id':'a','name':'b'}", 0,
	  "policy a: name: not an item of this section, but of: host" },
	{ "{'kind':'key-set','id':'a','key':['1 ed25519 csk AAAA']}", 0,
	  "key-set a: key: a key of 3 octets; one of ed25519 has 32" },
	{ "{'kind':'policy','id':'a','autoconfg':'x'}", 0,
	  "policy a: autoconfg: unknown item, is \"autoconfig\" meant?" },
	{ "{'kind':'policy','id':'a','':'x'}", 0, "policy a: unknown item" },
	{ "{'kind':'policy','id':'a','a\\u001bb':'x'}", 0, "policy a: a?b: unknown item" },
	{ "{'kind':'policy','id':'a','+ttl':5}", 0, "policy a: +ttl: " },
	{ "{'kind':'policy','id':'a','+mx':null}", 1, "policy a: +mx: " },
	{ "{'kind':'policy','id':'a','+dmarc':{'p':'none'}}", 0,
	  "policy a: +dmarc: expected a string or a list of strings" },
	/* Wrong types. */
	{ "{'kind':'policy','id':'a','mx':5}", 0,
	  "policy a: mx: expected a string or a list of strings" },
	{ "{'kind':'policy','id':'a','mx':[5]}", 0,
	  "policy a: mx: expected a string or a list of strings" },
	{ "{'kind':'policy','id':'a','mx':[null]}", 0,
	  "policy a: mx: expected a string or a list of strings" },
	{ "{'kind':'policy','id':'a','mx':[['m']]}", 0,
	  "policy a: mx: expected a string or a list of strings" },
	{ "{'kind':'policy','id':'a','mx':[]}", 0,
	  "policy a: mx: an empty list; null removes what is inherited" },
	{ "{'kind':'policy','id':'a','mx':['none','m']}", 0, "policy a: mx: " },
	{ "{'kind':'policy','id':'a','mx':{'m':'x'}}", 0,
	  "policy a: mx: expected a string or a list of strings" },
	{ "{'kind':'policy','id':'a','spf-all':['-all']}", 0,
	  "policy a: spf-all: takes one value, not a list" },
	{ "{'kind':'policy','id':'a','spf-all':true}", 0, "policy a: spf-all: expected a string" },
	{ "{'kind':'policy','id':'a','ttl':'60'}", 0, "policy a: ttl: expected a whole number" },
	{ "{'kind':'policy','id':'a','ttl':60.5}", 0, "policy a: ttl: expected a whole number" },
	{ "{'kind':'policy','id':'a','ttl':-1}", 1, "policy a: ttl: " },
	{ "{'kind':'policy','id':'a','ttl':9223372036854775807}", 1, "policy a: ttl: " },
	{ "{'kind':'policy','id':'a','no-mail':'on'}", 0,
	  "policy a: no-mail: expected true or false" },
	{ "{'kind':'policy','id':'a','no-mail':1}", 0,
	  "policy a: no-mail: expected true or false" },
	{ "{'kind':'policy','id':'a','deleted':1}", 0,
	  "policy a: deleted: expected true or false" },
	{ "{'kind':'policy','id':'a','dmarc':['p=none']}", 0,
	  "policy a: dmarc: expected an object of tags, as {\"p\":\"none\"}" },
	{ "{'kind':'policy','id':'a','dmarc':{}}", 0,
	  "policy a: dmarc: expected an object of tags, as {\"p\":\"none\"}" },
	{ "{'kind':'policy','id':'a','dmarc':{'pct':5}}", 0,
	  "policy a: dmarc: pct: expected a string, or null" },
	{ "{'kind':'policy','id':'a','dmarc':{'p=x':'none'}}", 0,
	  "policy a: dmarc: a tag is empty or has a = in it" },
	{ "{'kind':'policy','id':'a','dmarc':{'p':'none',' p':'none'}}", 0, "policy a: dmarc: " },
	/* Whole entries. */
	{ "{'kind':'domain','name':'a.example'}", 0,
	  "domain a.example: needs a policy or an alias" },
	{ "{'kind':'domain','name':'a.example','policy':'p','alias':'b.example'}", 0,
	  "domain a.example: policy: an alias has all from its target and sets nothing itself" },
	{ "{'kind':'domain','name':'a.example','policy':'p','deleted':true}", 0,
	  "domain a.example: policy: a deleted entry has no items" },
	{ "{'kind':'certificate','id':'a','current':['/pem/x.pem']}", ANY,
	  "certificate a: current: " },
};

/* A line of the tables above, with its quotes; valid until the next call but one. */
static const char *json(const char *line)
{
	static char texts[2][512];
	static unsigned next;
	char *text = texts[next++ % 2];
	(void)snprintf(text, sizeof(texts[0]), "%s", line);
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	return text;
}

/* Compares a reason, or its beginning when it ends with ": ". */
static bool is_reason(const char *text, const char *want)
{
	size_t len = strlen(want);
	if (len < 2 || strcmp(want + len - 2, ": ") != 0) {
		return strcmp(text, want) == 0;
	}
	return strncmp(text, want, len) == 0 && strlen(text) > len;
}

static void test_good(void)
{
	EACH(c, good) {
		const char *line = json(c->line),
			   *canonical = c->canonical != NULL ? json(c->canonical) : line;
		mail_entry_t *entry, *again = NULL;
		mail_diag_t diag = { .line = 7 };
		mail_buf_t out = { 0 };
		int ret = mail_json_parse(MAIL_STR(line), &entry, &diag);
		if (!CHECK(ret == KNOT_EOK, "%s", diag.text)) {
			continue;
		}
		CHECK_INT(diag.line, 7);
		CHECK_OK(mail_json_print(entry, &out));
		CHECK_TEXT(mail_buf_view(&out), canonical);
		CHECK_OK(mail_json_parse(mail_buf_view(&out), &again, NULL));
		CHECK(again != NULL && mail_entry_equal(entry, again));
		mail_buf_free(&out);
		mail_entry_free(entry);
		mail_entry_free(again);
	}
}

static void test_broken(void)
{
	EACH(c, broken) {
		const char *line = json(c->line);
		mail_entry_t *entry = NULL;
		mail_diag_t diag = { .line = 7, .column = 77 };
		int ret = mail_json_parse(MAIL_STR(line), &entry, &diag);
		CHECK(ret == KNOT_EINVAL && entry == NULL, "%d", ret);
		CHECK(c->column == 0 || diag.column == c->column, "column %u", diag.column);
		CHECK(diag.column <= strlen(line), "column %u", diag.column);
		CHECK_HAS(diag.text, c->reason);
	}
}

static void test_bad(void)
{
	EACH(c, bad) {
		const char *line = json(c->line);
		mail_entry_t *entry = (mail_entry_t *)&entry;
		mail_diag_t diag = { .line = 7, .column = 77 };
		int ret = mail_json_parse(MAIL_STR(line), &entry, &diag);
		CHECK_INT(ret, KNOT_EINVAL);
		CHECK(entry == NULL);
		CHECK_INT(diag.line, 7);
		CHECK(c->column == ANY || diag.column == c->column, "column %u", diag.column);
		CHECK(is_reason(diag.text, c->reason), "%s", diag.text);
		CHECK_INT(mail_json_parse(MAIL_STR(line), &entry, NULL), KNOT_EINVAL);
	}
}

/* Prints an entry, reads it, compares; and what is printed is JSON as jansson would write it. */
static void check_round(const mail_entry_t *entry, const char *what)
{
	mail_buf_t out = { 0 };
	mail_entry_t *again = NULL;
	mail_diag_t diag = { 0 };
	CHECK(mail_json_print(entry, &out) == KNOT_EOK, "%s", what);
	int ret = mail_json_parse(mail_buf_view(&out), &again, &diag);
	CHECK(ret == KNOT_EOK && mail_entry_equal(entry, again), "%s: %.*s: %s", what, (int)out.len,
	      (char *)out.data, diag.text);
	json_t *root = json_loadb((char *)out.data, out.len, 0, NULL);
	char *dumped = json_dumps(root, JSON_COMPACT);
	CHECK(dumped != NULL && mail_str_is(mail_buf_view(&out), dumped), "%s: %s", what, dumped);
	free(dumped);
	json_decref(root);
	mail_entry_free(again);
	mail_buf_free(&out);
}

/* Every item, in every section that has it, with every operation that it knows. */
static void test_items(void)
{
	samples_each(check_round);
}

/* All items of a policy in one entry. */
static void test_all_items(void)
{
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("all"));
	REQUIRE(entry != NULL);
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if (item->sections & (1u << MAIL_SECTION_POLICY)) {
			CHECK_OK(sample_add(entry, item->id, MAIL_OP_SET, NULL));
		}
	}
	CHECK(entry->count > 20);
	check_round(entry, "all");
	mail_entry_free(entry);
}

/* A value that no reader lets in, as a damaged store may hold it: never bad JSON. */
static void test_print_damaged(void)
{
	static const char *const values[] = { "\xff", "a\xc3", "\x01", "\xed\xa0\x80", "\x7f" };
	EACH(c, values) {
		mail_buf_t out = { 0 };
		mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("a"));
		REQUIRE(entry != NULL);
		CHECK_OK(mail_entry_add(entry, mail_item_get(MAIL_ITEM_TXT), MAIL_OP_SET,
		                        MAIL_STR(*c), 0));
		CHECK_INT(mail_json_print(entry, &out), KNOT_EMALF);
		mail_buf_free(&out);
		mail_entry_free(entry);
	}
}

/*
 * The line that is read without jansson gives what the general parser gives: a space in front of it is all that
 * leads there.
 */
static void test_plain_domain(void)
{
	static const char *const names[] = {
		"example.net",
		"EXAMPLE.net.",
		("b\xc3\xbc"
		 "cher.example"),
		"xn--bcher-kva.example",
		"a\\\\.b.example",
		"a\\u0041.example",
		"",
		".",
		"a..b",
		"-",
		"a b",
		"none",
		"*.example",
		"1.2.3.4",
		"a\x01",
		"{domain}",
		"0123456789012345678901234567890123456789012345678901234567890123.example",
		"a\xff.example",
		"a.example\\u0000",
		"a\\",
		"a\"",
	};
	static const char *const items[] = { "policy",  "alias", "base",    "mx",
		                             "deleted", "name",  "+policy", "kind" };
	static const char *const values[] = {
		"business",
		"none",
		"",
		"example.net",
		"EXAMPLE.NET.",
		"a b",
		"..",
		"-a",
		"\\\"",
		"\xc3\xa9",
		"\xff",
		"\x7f",
		"\t",
		"0123456789012345678901234567890123456789012345678901234567890123",
	};
	static const char *const ends[] = { "}",  "}\n", "}\r\n",       "} ",
		                            "}}", "",    ",\"ttl\":5}", "}\n\n" };
	size_t good_lines = 0, bad_lines = 0;
	for (size_t i = 0; i < COUNT(names) * COUNT(items) * COUNT(values) * COUNT(ends); i++) {
		size_t rest = i;
		const char *name = names[rest % COUNT(names)];
		const char *item = items[(rest /= COUNT(names)) % COUNT(items)];
		const char *value = values[(rest /= COUNT(items)) % COUNT(values)];
		const char *end = ends[rest / COUNT(values)];
		char line[512];
		int len = snprintf(line, sizeof(line),
		                   " {\"kind\":\"domain\",\"name\":\"%s\",\"%s\":\"%s\"%s", name,
		                   item, value, end);
		mail_entry_t *general = NULL, *plain = NULL;
		mail_diag_t one = { .line = 7 }, two = { .line = 7 };
		int want = mail_json_parse((mail_str_t){ line, (size_t)len }, &general, &one);
		int got = mail_json_parse((mail_str_t){ line + 1, (size_t)len - 1 }, &plain, &two);
		CHECK(want == got && strcmp(one.text, two.text) == 0, "%s: %d %d %s", line, want,
		      got, two.text);
		CHECK(want != KNOT_EOK || mail_entry_equal(general, plain), "%s", line);
		good_lines += want == KNOT_EOK;
		bad_lines += want != KNOT_EOK;
		mail_entry_free(general);
		mail_entry_free(plain);
	}
	CHECK(good_lines > 100);
	CHECK(bad_lines > 1000);
}

static void note_text(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* The same of all that is read without jansson; what it says, too. */
static void test_quick(void)
{
	static const char *const members[] = {
		"\"record\":[\"@ A 192.0.2.1\",\"www A 192.0.2.1\"]",
		"\"record\":\"@ A 192.0.2.1\"",
		"\"record\":[\"@ A 192.0.2.1\",\"@ A 192.0.2.1\"]",
		"\"record\":[\"@ A 192.0.2.300\"]",
		"\"record\":[]",
		"\"record\":[\"@ A 192.0.2.1\",]",
		"\"record\":[\"@ A 192.0.2.1\",5]",
		"\"record\":[\"@ A 192.0.2.1\"",
		"\"+record\":[\"@ A 192.0.2.1\"]",
		"\"record\":[\"@ A 192.0.2.1\"],\"+record\":[\"www A 192.0.2.1\"]",
		"\"record\":[\"@ A 192.0.2.1\"],\"record\":[\"www A 192.0.2.1\"]",
		"\"record\":null",
		"\"record\":\"none\"",
		"\"txt\":[\"google-site-verification=abc\",\"MS=ms1\"]",
		"\"txt\":[\"a b\",\"c\\\"d\"]",
		"\"txt\":[\"TXT\",\"--\",\"#\",\";\",\"'a'\",\"(a)\",\"a\\\\b\"]",
		"\"txt\":[\"v=spf1 -all\"]",
		"\"txt\":[\"v=DMARC1;p=none\"]",
		"\"dmarc\":{\"p\":\"none\",\"rua\":\"mailto:a@example.net\"}",
		"\"dmarc\":{\"p\":\"none\",\"p\":\"reject\"}",
		"\"dmarc\":{\"p\":null}",
		"\"dmarc\":{\"p\":\"\"}",
		"\"dmarc\":{\"=\":\"none\"}",
		"\"dmarc\":{}",
		"\"dmarc\":\"p=none\"",
		"\"dmarc\":[\"p=none\"]",
		"\"no-mail\":true",
		"\"no-mail\":false",
		"\"no-mail\":\"on\"",
		"\"no-mail\":\"none\"",
		"\"no-mail\":trues",
		"\"ttl\":5",
		"\"ttl\":\"5\"",
		"\"mx\":[\"10 mail\",\"20 mail2\"]",
		"\"mta-sts\":\"enforce\"",
		"\"mta-sts\":[\"enforce\"]",
		"\"nothing\":\"x\"",
		"\"deleted\":true",
		"\"policy\":\"p\"",
		"",
	};
	size_t read = 0;
	for (size_t i = 0; i < COUNT(members) * COUNT(members); i++) {
		const char *one = members[i / COUNT(members)], *two = members[i % COUNT(members)];
		char line[512];
		mail_entry_t *general = NULL, *quick = NULL;
		mail_buf_t said[2] = { { 0 } };
		mail_diag_t a = { .line = 7, .warn = note_text, .warn_ctx = &said[0] };
		mail_diag_t b = { .line = 7, .warn = note_text, .warn_ctx = &said[1] };
		int len = snprintf(
			line, sizeof(line),
			" {\"kind\":\"domain\",\"name\":\"a.example\",\"policy\":\"p\",%s,%s}", one,
			two);
		int want = mail_json_parse((mail_str_t){ line, (size_t)len }, &general, &a);
		int got = mail_json_parse((mail_str_t){ line + 1, (size_t)len - 1 }, &quick, &b);
		CHECK(want == got && strcmp(a.text, b.text) == 0, "%s: %d %d %s", line, want, got,
		      b.text);
		CHECK(want != KNOT_EOK || mail_entry_equal(general, quick), "%s", line);
		CHECK(mail_str_equal(mail_buf_view(&said[0]), mail_buf_view(&said[1])), "%s: %.*s",
		      line, (int)said[1].len, said[1].data);
		read += want == KNOT_EOK;
		mail_entry_free(general);
		mail_entry_free(quick);
		mail_buf_free(&said[0]);
		mail_buf_free(&said[1]);
	}
	CHECK(read > 100, "%zu", read);
}

/* A warning and how often. */
typedef struct {
	unsigned count;
	char text[320];
} warned_t;

static void take_warning(void *ctx, const char *text)
{
	warned_t *warned = ctx;
	warned->count++;
	snprintf(warned->text, sizeof(warned->text), "%s", text);
}

static void test_warning(void)
{
	mail_entry_t *entry;
	warned_t warned = { 0 };
	mail_diag_t diag = { .line = 7, .warn = take_warning, .warn_ctx = &warned };
	mail_str_t line = MAIL_STR(
		"{\"kind\":\"domain\",\"name\":\"a.example\",\"policy\":\"p\",\"ttl\":700000}");
	CHECK_OK(mail_json_parse(line, &entry, &diag));
	CHECK_INT(warned.count, 1);
	CHECK_INT(diag.line, 7);
	CHECK(is_reason(warned.text, "domain a.example: ttl: "));
	mail_entry_free(entry);
}

UNIT_MAIN("json", TEST("lines that are good", test_good),
          TEST("lines that are no JSON", test_broken),
          TEST("lines that are bad: column and reason", test_bad),
          TEST("every item is printed and read", test_items),
          TEST("all items at once", test_all_items),
          TEST("lines that are read without jansson", test_plain_domain),
          TEST("all that is", test_quick),
          TEST("damaged values are not printed", test_print_damaged),
          TEST("warnings have a place", test_warning))
