/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "mail/json.h"
#include "mail/text.h"

#include "lib/failing.h"
#include "lib/samples.h"
#include "lib/unit.h"

/* A leaf and its issuer, made with openssl; the digests below are those of `openssl | sha256sum`. */
static const char pem_leaf[] = "-----BEGIN CERTIFICATE-----\n"
			       "MIHWMIGJAgECMAUGAytlcDASMRAwDgYDVQQDDAdUZXN0IENBMCAXDTI2MTEyMjE3\n"
			       "MjQwMFoYDzIxMjYxMDI5MTcyNDAwWjAbMRkwFwYDVQQDDBBtYWlsLmV4YW1wbGUu\n"
			       "b3JnMCowBQYDK2VwAyEAgH1lZdVREfhze62no0H3Vp6+IHj/lfJHZ/H1ItPYErAw\n"
			       "BQYDK2VwA0EA7G+FKHTZCj0j4WsbvW6M9Sem4nZJRFB64rBfTIWkQkG2KRdWipq5\n"
			       "at9vOmIa949+eMnfgAP831y+j7dgIB53CQ==\n"
			       "-----END CERTIFICATE-----\n";
static const char pem_issuer[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBOjCB7aADAgECAhQ7cfuAv3mC42NPoqgO99AokuwIgzAFBgMrZXAwEjEQMA4G\n"
	"A1UEAwwHVGVzdCBDQTAgFw0yNjExMjIxNzI0MDBaGA8yMTI2MTAyOTE3MjQwMFow\n"
	"EjEQMA4GA1UEAwwHVGVzdCBDQTAqMAUGAytlcAMhAHBKTkUw8AToiMslam39kext\n"
	"NiNWrAdSMEOA1cB36/cho1MwUTAdBgNVHQ4EFgQURcNDxHeKY2WA3hYOB4LDBqG/\n"
	"4+AwHwYDVR0jBBgwFoAURcNDxHeKY2WA3hYOB4LDBqG/4+AwDwYDVR0TAQH/BAUw\n"
	"AwEB/zAFBgMrZXADQQC4893Y/HeYcJpzhhhg9BsvJ/QOKQuO8lwFwJ4GQdyj7uJg\n"
	"ppSLq6kPAn3uRbX5m8dyFYX7yQoF4h/X3b8NtTcK\n"
	"-----END CERTIFICATE-----\n";
static const char pem_private[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIDgz7nQsaas6dnYyow8/eK35cskTYYFGZ+A9d2FKn9Z/\n"
	"-----END PRIVATE KEY-----\n";

#define LEAF_301 "3 0 1 c1b25a539b7841fcb98690c5e33c064203ce066135e2cd239583fee7263336a4"
#define LEAF_311 "3 1 1 017421a2fbfead619429d043b6e9e28831e65c9d621e2dd10aeaad6d641e40ea"
#define ISSUER_211 "2 1 1 31edfd38dddde4304c73feec2d63a8aed0892fe4d1c799970fdd978a45bad69f"
#define PRIVATE_P "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="

#define SLASH_KEY "/GLHd+qeszms7ZMsZnI5JvGB23jZ/zN0eb0eKQ7DDiE="
#define SLASH_FILE "/etc/mail/keys/of/example/net/the/first/private1"

/* The files that the texts below name. */
static int read_file(void *ctx, mail_str_t name, mail_buf_t *out)
{
	(void)ctx;
	if (mail_str_is(name, "/pem/chain.pem")) {
		mail_buf_str(out, pem_leaf);
		return mail_buf_str(out, pem_issuer);
	}
	if (mail_str_is(name, "leaf.pem")) {
		return mail_buf_str(out, pem_leaf);
	}
	if (mail_str_is(name, "keys/private") || mail_str_is(name, SLASH_FILE)) {
		return mail_buf_str(out, pem_private);
	}
	if (mail_str_is(name, "empty.pem")) {
		return KNOT_EOK;
	}
	return KNOT_ENOENT;
}

/* An entry begins; what follows is its first item, in line 3. */
#define P "policy:\n  - id: a\n    "

/* Texts that are good, and the entries that come of them as JSON with ' for ", one a line. */
static const struct {
	const char *text;
	const char *json;
} good[] = {
	{ "", "" },
	{ "\n\n# nothing\n", "" },
	{ "policy:\n", "" },
	{ "policy:\n  - id: a\n", "{'kind':'policy','id':'a'}\n" },
	{ "policy:\n  - id: a", "{'kind':'policy','id':'a'}\n" },
	{ "policy:\r\n  - id: a\r\n    ttl: 300\r\n", "{'kind':'policy','id':'a','ttl':300}\n" },
	{ "policy:\n- id: a\n  ttl: 300\n- id: b\n",
	  "{'kind':'policy','id':'a','ttl':300}\n{'kind':'policy','id':'b'}\n" },
	/* Lists with and without brackets; quotes, commas and comments. */
	{ "policy:\n  - id: a # the first\n    mx: \"10 mail\"   # one\n",
	  "{'kind':'policy','id':'a','mx':['10 mail']}\n" },
	{ P "mx: [ \"10 mail\",\"20 mx2\" , mx3 ]\n",
	  "{'kind':'policy','id':'a','mx':['10 mail','20 mx2','mx3']}\n" },
	{ P "txt: [ \"a, b\", \"c \\\"d\\\" [e] # f\" ]\n",
	  "{'kind':'policy','id':'a','txt':['a, b','c \\'d\\' [e] # f']}\n" },
	/* The order of sections is free, a section may come again. */
	{ "domain:\n  - id: Example.NET.\n    policy: a\npolicy:\n  - id: a\ndomain:\n  - id: example.org\n"
	  "    alias: EXAMPLE.net\n",
	  "{'kind':'domain','name':'example.net','policy':'a'}\n"
	  "{'kind':'policy','id':'a'}\n"
	  "{'kind':'domain','name':'example.org','alias':'example.net'}\n" },
	/* -add and none; an item that is taken away and then appended to. */
	{ "domain:\n  - id: a.example\n    policy: p\n    mx: none\n    mx-add: \"10 mail\"\n"
	  "    spf-add: [ mx, \"ip4:192.0.2.1\" ]\n    dmarc: [ p=none, \"sp=\" ]\n    mta-sts: none\n",
	  "{'kind':'domain','name':'a.example','policy':'p','+mx':['10 mail'],'mx':null,"
	  "'+spf':['mx','ip4:192.0.2.1'],'dmarc':{'p':'none','sp':null},'mta-sts':'none'}\n" },
	/* One id in two sections is no duplicate. */
	{ "host:\n  - id: a\n    name: mail\npolicy:\n  - id: a\n",
	  "{'kind':'host','id':'a','name':'mail'}\n{'kind':'policy','id':'a'}\n" },
	/* PEM files. `form` may follow. */
	{ "certificate:\n  - id: a\n    current: /pem/chain.pem\n",
	  "{'kind':'certificate','id':'a','current':['" LEAF_311 "']}\n" },
	{ "certificate:\n  - id: a\n    current: /pem/chain.pem\n    next: leaf.pem\n    form: [ \"3 0 1\" ]\n",
	  "{'kind':'certificate','id':'a','current':['" LEAF_301 "'],'next':['" LEAF_301
	  "'],'form':['3 0 1']}\n" },
	{ "certificate:\n  - id: a\n    form: [ \"3 1 1\", \"2 1 1\" ]\n    current: [ /pem/chain.pem ]\n",
	  "{'kind':'certificate','id':'a','current':['" LEAF_311 "','" ISSUER_211
	  "'],'form':['3 1 1','2 1 1']}\n" },
	{ "certificate:\n  - id: a\n    current: \"" LEAF_301 "\"\n",
	  "{'kind':'certificate','id':'a','current':['" LEAF_301 "']}\n" },
	{ "dkim:\n  - id: example.net/s1\n    key: \"" SAMPLE_KEY "\"\n",
	  "{'kind':'dkim','id':'example.net/s1','key':'" SAMPLE_KEY "'}\n" },
	{ "dkim:\n  - id: policy:business/s1\n    key: \"v=DKIM1; k=ed25519; p=" SAMPLE_KEY "\"\n",
	  "{'kind':'dkim','id':'policy:business/s1','key':'" SAMPLE_KEY "','tags':'none'}\n" },
	/* Tabs and a byte order mark, as editors make them; records as they were pasted, without quotes around them. */
	{ "\xef\xbb\xbfpolicy:\r\n  - id: a\r\n    mx:\t\"10\tmail\"\t# comment\r\n",
	  "{'kind':'policy','id':'a','mx':['10 mail']}\n" },
	{ "dkim:\n  - id: example.net/s1\n    key: s1._domainkey\tIN\tTXT\t( \"v=DKIM1; t=s; "
	  "n=\\\"x\\\"; k=ed25519; \" ; a comment\n\t  \"p=" SAMPLE_KEY
	  "\" )  ; ----- DKIM key s1\n    revoke: off\n",
	  "{'kind':'dkim','id':'example.net/s1','key':'" SAMPLE_KEY "','tags':'v=DKIM1; t=s; "
	  "n=\\'x\\'; k=ed25519; p=','revoke':false}\n" },
	{ "domain:\n  - id: example.net\n    policy: a\n    txt: example.net. IN TXT \"a # b; c\" ; d\n"
	  "    record: [ \"www A 192.0.2.1\" ]\n",
	  "{'kind':'domain','name':'example.net','policy':'a','txt':['a # b; c'],"
	  "'record':['www A 192.0.2.1']}\n" },
	/* A key may begin like the name of a file. */
	{ "dkim:\n  - id: example.net/s1\n    key: \"" SLASH_KEY "\"\n",
	  "{'kind':'dkim','id':'example.net/s1','key':'" SLASH_KEY "'}\n" },
	{ "dkim:\n  - id: example.net/s1\n    key: " SLASH_FILE "\n",
	  "{'kind':'dkim','id':'example.net/s1','key':'" PRIVATE_P "'}\n" },
	{ "dkim:\n  - id: example.net/s1\n    key: keys/private\n",
	  "{'kind':'dkim','id':'example.net/s1','key':'" PRIVATE_P "'}\n" },
};

/* Texts that are bad. What a reason that ends with ": " goes on with are other files' words. */
static const struct {
	const char *text;
	unsigned line, column;
	const char *reason;
} bad[] = {
	/* The usual slips. */
	{ P "mx: 10 mail\n", 3, 0,
	  "policy a: mx: a space inside a value: quote the value, as \"10 mail\"" },
	{ P "helo-spf: a -all\n", 3, 0,
	  "policy a: helo-spf: a space inside a value: quote the value, as \"10 mail\"" },
	{ P "mx: [ 10 mail ]\n", 3, 0,
	  "policy a: mx: a space inside a value: quote the value, or a comma or the closing bracket is missing" },
	{ "policy:\n  - id: a\n\tmx: mail\n", 3, 0,
	  "policy a: a tab in the indentation: use spaces" },
	{ "policy:\n  - id: a\n  \tmx: mail\n", 3, 0,
	  "policy a: a tab in the indentation: use spaces" },
	{ P "mx: [ a\tb ]\n", 3, 0,
	  "policy a: mx: a space inside a value: quote the value, or a comma or the closing bracket is missing" },
	/* A record that was pasted does not count other lines. */
	{ P "record: www IN TXT ( \"a\"\n   \"b\" )\n    ttl: x\n", 5, 1, "policy a: ttl: " },
	{ P "record: www IN TXT ( \"a\"\n   \"b\"\n    ttl: 5\n", 3, 12, "policy a: record: " },
	{ P "record: www IN TXT \"a\n", 3, 13, "policy a: record: " },
	{ P "mx: [ mail\n    ttl: 5\n", 3, 0,
	  "policy a: mx: a closing bracket is missing; a list ends on the line that it begins on" },
	{ P "mx: [ mail,\n", 3, 0, "policy a: mx: a closing bracket is missing" },
	{ P "mx: [\n", 3, 0, "policy a: mx: a closing bracket is missing" },
	{ P "mx: [ ]\n", 3, 0, "policy a: mx: " },
	{ P "mx: mail ]\n", 3, 0, "policy a: mx: a closing bracket without an opening one" },
	{ P "mx: ]\n", 3, 0, "policy a: mx: a closing bracket without an opening one" },
	{ P "mx: [ mail ] x\n", 3, 0, "policy a: mx: text after the closing bracket" },
	{ P "mx: [ a,,b ]\n", 3, 0, "policy a: mx: a value is missing in the list" },
	{ P "mx: a, b\n", 3, 0, "policy a: mx: several values stand in brackets: [ a, b ]" },
	{ P "mx: \"10 mail\n", 3, 0, "policy a: mx: a quote is not closed" },
	{ P "txt: \"a\\\"\n", 3, 0, "policy a: txt: a quote is not closed" },
	{ P "mx: '10 mail'\n", 3, 0, "policy a: mx: only double quotes quote" },
	{ P "mx: \"10 mail\" x\n", 3, 0,
	  "policy a: mx: text after a closing quote; inside quotes a quote is written \\\"" },
	{ P "caa: 0-issue\"x\"\n", 3, 0,
	  "policy a: caa: a quote inside a value: quote the whole value" },
	{ P "mx:mail\n", 3, 0, "policy a: mx: a space is missing after the colon" },
	{ P "mx mail\n", 3, 0, "policy a: expected \"item: value\"" },
	{ P "mx: a#b\n", 3, 0,
	  "policy a: mx: a comment needs a space before it, and a value with a # needs quotes" },
	{ P "txt: a\\\xc3\xa9\n", 3, 0, "policy a: txt: a backslash with nothing to escape" },
	{ P "txt: \"a\x01\"\n", 3, 0, "policy a: txt: a control character" },
	{ "policy:\n  -id: a\n", 2, 0, "policy: a space is missing after the dash" },
	{ "policy:\n  - id:\n", 2, 0, "policy: id: a value is missing" },
	{ P "ttl: 5\n   mx: mail\n", 4, 0,
	  "policy a: mx: the indentation differs from the lines above" },
	{ "policy:\n  - id: a\n - id: b\n", 3, 0,
	  "policy a: id: the indentation differs from the lines above" },
	{ P "mx:\n    ttl: 5\n", 3, 0, "policy a: mx: a value is missing" },
	{ P "mx: # none\n", 3, 0, "policy a: mx: a value is missing" },
	{ P "mx:", 3, 0, "policy a: mx: a value is missing" },
	/* Sections, ids and items that are none. */
	{ "polcy:\n", 1, 0, "unknown section \"polcy\", is \"policy\" meant?" },
	{ "zone:\n  - id: a\n", 1, 0, "unknown section \"zone\"" },
	{ "policy: a\n", 1, 0,
	  "policy: a section has no value, its entries follow on lines of their own" },
	{ "  - id: a\n", 1, 0, "an entry outside a section" },
	{ "    mx: a\n", 1, 0, "mx: an item outside a section" },
	{ "policy:\n    mx: a\n", 2, 0, "policy: mx: an item before the first \"- id: NAME\"" },
	{ "policy:\n    id: a\n", 2, 0, "policy: id: a dash is missing: \"- id: NAME\"" },
	{ "policy:\n  - name: a\n", 2, 0, "policy: name: an entry begins with \"- id: NAME\"" },
	{ "policy:\n  - id: \"a b\"\n", 2, 2, "policy: id: " },
	{ P "autoconfg: mail\n", 3, 0,
	  "policy a: autoconfg: unknown item, is \"autoconfig\" meant?" },
	{ P "mxx-add: mail\n", 3, 0, "policy a: mxx-add: unknown item, is \"mx\" meant?" },
	{ P "quota: 5\n", 3, 0, "policy a: quota: unknown item" },
	{ "host:\n  - id: a\n    name: a\n    mx: mail\n", 4, 0,
	  "host a: mx: not an item of this section, but of: policy, domain" },
	{ "key-set:\n  - id: a\n    key: x\n", 3, 1,
	  "key-set a: key: a key is written \"TAG ALGORITHM ROLE [TIMES] PUBLIC\"" },
	{ "key-set:\n  - id: a\n    leave: \"2027-01-31T12:00:00Z\"\n"
	  "    key: [ \"3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\", "
	  "\"3613 ed25519 ksk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\" ]\n",
	  4, 0, "key-set a: key: two keys with the tag 3613" },
	{ "key-set:\n  - id: a\n"
	  "    key: [ \"3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\", "
	  "\"3612 ed25519 zsk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\" ]\n",
	  3, 0, "key-set a: key: 3613 and 3612 are one key in two roles" },
	{ "key-set:\n  - id: a\n"
	  "    key: \"3612 ed25519 zsk publish=2999-01-01T00:00:00Z "
	  "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\"\n",
	  3, 0,
	  "key-set a: at 2999-01-01T00:00:00Z there are keys of ed25519, of which none signs the keys "
	  "themselves" },
	/* Twice. */
	{ "policy:\n  - id: a\n  - id: b\n  - id: a\n", 4, 0,
	  "policy a: given twice, first in line 2" },
	{ "domain:\n  - id: a.example\n    policy: p\ndomain:\n  - id: A.example.\n    policy: q\n",
	  5, 0, "domain a.example: given twice, first in line 2" },
	{ P "ttl: 5\n    mx: mail\n    ttl: 6\n", 5, 0,
	  "policy a: ttl: given twice, first in line 3" },
	{ P "mx: a\n    mx: b\n", 4, 0, "policy a: mx: given twice, first in line 3" },
	{ P "mx-add: a\n    mx-add: b\n", 4, 0, "policy a: mx-add: given twice, first in line 3" },
	{ P "mx: none\n    ttl: 5\n    mx: b\n", 5, 0,
	  "policy a: mx: given twice, first in line 3" },
	{ P "dmarc: [ p=none, p=reject ]\n", 3, 0, "policy a: dmarc: " },
	{ "certificate:\n  - id: a\n    current: leaf.pem\n    current: leaf.pem\n", 4, 0,
	  "certificate a: current: given twice, first in line 3" },
	{ P "ttl: [ 5, 6 ]\n", 3, 0, "policy a: ttl: takes one value, not a list" },
	{ P "mx: [ none, a ]\n", 3, 0, "policy a: mx: " },
	{ P "ttl-add: 5\n", 3, 0, "policy a: ttl-add: " },
	{ "host:\n  - id: a\n    name: a\n    address-add: 192.0.2.1\n", 4, 0,
	  "host a: address-add: " },
	/* Values: the column counts within the value. */
	{ P "ttl: 5x\n", 3, 2, "policy a: ttl: " },
	{ P "no-mail: yes\n", 3, 1, "policy a: no-mail: " },
	{ P "txt: [ ok, \"v=spf1 -all\" ]\n", 3, 1, "policy a: txt: " },
	{ P "txt: \"\"\n", 3, 0, "policy a: txt: " },
	{ P "txt: \"a\xff\"\n", 3, 2, "policy a: txt: " },
	/* Whole entries. */
	{ "policy:\n  - id: a\ndomain:\n  - id: a.example\n\n", 4, 0,
	  "domain a.example: needs a policy or an alias" },
	{ "domain:\n  - id: a.example\n    policy: p\n    alias: b.example\n", 3, 0,
	  "domain a.example: policy: an alias has all from its target and sets nothing itself" },
	{ "domain:\n  - id: a.example\n    alias: b.example\n    txt-add: x\n", 4, 0,
	  "domain a.example: txt: an alias has all from its target and sets nothing itself" },
	{ "domain:\n  - id: a.example\n    alias: A.example\n", 3, 0,
	  "domain a.example: alias: a domain cannot be an alias of itself" },
	{ "host:\n  - id: a\n    address: 192.0.2.1\n", 2, 0, "host a: needs a name" },
	{ "certificate:\n  - id: a\n    form: \"3 1 1\"\n", 2, 0,
	  "certificate a: needs current or next" },
	{ "dkim:\n  - id: a.example/s\n    revoke: on\n", 2, 0,
	  "dkim a.example/s: needs a key or a cname" },
	{ "dkim:\n  - id: a.example/s\n    cname: b\n    key: \"" SAMPLE_KEY "\"\n", 3, 0,
	  "dkim a.example/s: cname: there is a key already, and both cannot be" },
	{ "dkim:\n  - id: a.example/s\n    cname: b\n    publish: 2026-01-02T00:00:00Z\n"
	  "    remove: 2026-01-01T00:00:00Z\n",
	  5, 0, "dkim a.example/s: remove: is before publish" },
	/* Files. */
	{ "certificate:\n  - id: a\n    current: /none.pem\n    form: \"3 1 1\"\n", 3, 0,
	  "certificate a: current: cannot read the file \"/none.pem\" (not exists)" },
	{ "dkim:\n  - id: a.example/s\n    key: keys/s1\n", 3, 0,
	  "dkim a.example/s: key: cannot read the file \"keys/s1\" (not exists)" },
};

/* Compares a reason, or its beginning when it ends with ": ". */
static bool is_reason(const char *text, const char *want)
{
	size_t len = strlen(want);
	if (len < 2 || strcmp(want + len - 2, ": ") != 0) {
		return strcmp(text, want) == 0;
	}
	return strncmp(text, want, len) == 0 && strlen(text) > len;
}

static void print_json(const mail_entries_t *entries, mail_buf_t *out)
{
	for (size_t i = 0; i < entries->count; i++) {
		CHECK_OK(mail_json_print(entries->entries[i], out));
		mail_buf_u8(out, '\n');
	}
	for (size_t i = 0; i < out->len; i++) {
		out->data[i] = out->data[i] == '"' ? '\'' : out->data[i];
	}
}

static void test_good(void)
{
	EACH(c, good) {
		mail_entries_t entries;
		mail_diag_t diag = { 0 };
		mail_buf_t json = { 0 };
		int ret = mail_text_parse(MAIL_STR(c->text), read_file, NULL, &entries, &diag);
		CHECK(ret == KNOT_EOK, "%u: %s", diag.line, diag.text);
		print_json(&entries, &json);
		CHECK_BUF(&json, c->json);
		mail_entries_free(&entries);
	}
}

static void test_bad(void)
{
	EACH(c, bad) {
		mail_entries_t entries;
		mail_diag_t diag = { .line = 77, .column = 77 };
		int ret = mail_text_parse(MAIL_STR(c->text), read_file, NULL, &entries, &diag);
		CHECK_INT(ret, KNOT_EINVAL);
		CHECK(diag.line == c->line, "line %u", diag.line);
		CHECK(diag.column == c->column, "column %u", diag.column);
		CHECK(is_reason(diag.text, c->reason), "%s", diag.text);
		CHECK(entries.entries == NULL);
		CHECK_INT(entries.count, 0);
		/* Without anybody to tell it to, it is bad all the same. */
		CHECK_INT(mail_text_parse(MAIL_STR(c->text), read_file, NULL, &entries, NULL),
		          KNOT_EINVAL);
	}
}

/* Reasons that come from another file: what counts is that they name the file, and the line of the value. */
static void test_bad_file(void)
{
	static const char *const texts[] = {
		"certificate:\n  - id: a\n    current: leaf.pem\n    form: \"2 1 1\"\n",
		"certificate:\n  - id: a\n    current: empty.pem\n",
		"dkim:\n  - id: a.example/s\n    key: empty.pem\n",
		"dkim:\n  - id: a.example/s\n    key: leaf.pem.key\n",
	};
	EACH(c, texts) {
		mail_entries_t entries;
		mail_diag_t diag = { 0 };
		int ret = mail_text_parse(MAIL_STR(*c), read_file, NULL, &entries, &diag);
		CHECK_INT(ret, KNOT_EINVAL);
		CHECK(diag.line == 3, "line %u", diag.line);
		CHECK_HAS(diag.text, ".pem");
	}

	mail_entries_t entries;
	mail_diag_t diag = { 0 };
	mail_str_t text = MAIL_STR("dkim:\n  - id: a.example/s\n    key: ./x\n");
	CHECK_INT(mail_text_parse(text, NULL, NULL, &entries, &diag), KNOT_EINVAL);
	CHECK_STR(
		diag.text,
		"dkim a.example/s: key: \"./x\" is taken for a file, and files are not read here");
}

/* A value of as many octets as yparser takes, and one more; a name of as many, and one more. */
static void test_long(void)
{
	static const struct {
		const char *key;
		size_t key_len, value_len;
		const char *reason;
	} cases[] = {
		{ "txt", 3, 4000, NULL },
		{ "txt", 3, 4001, "policy a: txt: " },
		{ "txt", 3, 32767, "policy a: txt: " },
		{ "txt", 3, 32768, "policy a: txt: the value is too long" },
		{ "x", 127, 1,
		  "policy a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: unknown item" },
		{ "x", 128, 1,
		  "policy a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: the name is too long" },
	};
	EACH(c, cases) {
		mail_buf_t text = { 0 };
		mail_entries_t entries;
		mail_diag_t diag = { 0 };
		mail_buf_str(&text, "policy:\n  - id: a\n    ");
		for (size_t j = 0; j < c->key_len; j++) {
			mail_buf_u8(&text, j < strlen(c->key) ? c->key[j] : 'x');
		}
		mail_buf_str(&text, ": ");
		for (size_t j = 0; j < c->value_len; j++) {
			mail_buf_u8(&text, 'y');
		}
		int ret = mail_text_parse(mail_buf_view(&text), read_file, NULL, &entries, &diag);
		CHECK((ret == KNOT_EOK) == (c->reason == NULL), "%d %s", ret, diag.text);
		if (c->reason != NULL) {
			CHECK(is_reason(diag.text, c->reason), "%s", diag.text);
			CHECK_INT(diag.line, 3);
		}
		mail_entries_free(&entries);
		mail_buf_free(&text);
	}
}

/* A warning and the line that it was handed over with. */
typedef struct {
	mail_diag_t *diag;
	unsigned count, line;
	char text[320];
} warned_t;

static void take_warning(void *ctx, const char *text)
{
	warned_t *warned = ctx;
	warned->count++;
	warned->line = warned->diag->line;
	snprintf(warned->text, sizeof(warned->text), "%s", text);
}

static void test_warning(void)
{
	mail_entries_t entries;
	warned_t warned = { 0 };
	mail_diag_t diag = { .warn = take_warning, .warn_ctx = &warned };
	warned.diag = &diag;
	mail_str_t text = MAIL_STR("policy:\n  - id: a\n    ttl: 700000\n    mx: mail\n");
	CHECK_OK(mail_text_parse(text, NULL, NULL, &entries, &diag));
	CHECK_INT(warned.count, 1);
	CHECK_INT(warned.line, 3);
	CHECK(is_reason(warned.text, "policy a: ttl: "));
	mail_entries_free(&entries);
}

/* Prints an entry, reads it, and compares. */
static void check_round(const mail_entry_t *entry, const char *what)
{
	mail_buf_t text = { 0 };
	mail_entries_t entries;
	mail_diag_t diag = { 0 };
	mail_buf_printf(&text, "%s:\n", mail_section_name(entry->section));
	CHECK(mail_text_print(entry, &text) == KNOT_EOK, "%s", what);
	int ret = mail_text_parse(mail_buf_view(&text), NULL, NULL, &entries, &diag);
	if (CHECK(ret == KNOT_EOK, "%s: %s\n%.*s", what, diag.text, (int)text.len,
	          (char *)text.data)) {
		REQUIRE(entries.count == 1);
		CHECK(mail_entry_equal(entry, entries.entries[0]), "%s", what);
	}
	mail_entries_free(&entries);
	mail_buf_free(&text);
}

/* Every item, in every section that has it, with every operation that it knows. */
static void test_print_items(void)
{
	samples_each(check_round);
}

/* Texts with every combination of what needs care in the dialect. */
static void test_print_quoting(void)
{
	static const char chars[] = "\\\"#[,] a\xc3";
	const mail_item_t *txt = mail_item_get(MAIL_ITEM_TXT);
	size_t printed = 0, refused = 0;
	for (unsigned n = 0; n < 9 * 9 * 9 * 9; n++) {
		char value[16];
		size_t len = 0;
		for (unsigned i = 0, rest = n; i < 4; i++, rest /= 9) {
			value[len++] = chars[rest % 9];
			if (chars[rest % 9] == '\xc3') {
				value[len++] = '\xa9';
			}
		}
		mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("a"));
		REQUIRE(entry != NULL);
		REQUIRE(mail_entry_parse(entry, txt, MAIL_OP_SET, (mail_str_t){ value, len }, 0,
		                         NULL) == KNOT_EOK);
		mail_buf_t text = { 0 };
		int ret = mail_text_print(entry, &text);
		if (ret == KNOT_EOK) {
			check_round(entry, "quoting");
			printed++;
		} else {
			CHECK(ret == KNOT_ENOTSUP && memchr(value, '\\', len) != NULL, "%.*s: %d",
			      (int)len, value, ret);
			refused++;
		}
		mail_buf_free(&text);
		mail_entry_free(entry);
	}
	CHECK(printed > 4000);
	CHECK(refused > 100);
}

static void test_print_layout(void)
{
	mail_entries_t entries;
	mail_buf_t out = { 0 };
	mail_str_t text = MAIL_STR(
		"domain:\n  - id: example.net\n    mx-add: [ a, \"20 b\" ]\n    policy: guide\n"
		"    txt: none\n    ttl: 60\n    dmarc: p=none\n");
	REQUIRE(mail_text_parse(text, NULL, NULL, &entries, NULL) == KNOT_EOK);
	CHECK_OK(mail_text_print(entries.entries[0], &out));
	mail_buf_u8(&out, '\0');
	CHECK_STR((char *)out.data,
	          "  - id: example.net\n    policy: guide\n    mx-add: [ a, \"20 b\" ]\n"
	          "    dmarc: \"p=none\"\n    txt: none\n    ttl: 60\n");
	mail_buf_free(&out);
	entries.entries[0]->deleted = true;
	CHECK_INT(mail_text_print(entries.entries[0], &out), KNOT_ENOTSUP);
	mail_buf_free(&out);
	mail_entries_free(&entries);
}

/* A thousand entries: the array grows, and a duplicate among them is found. */
static void test_many(void)
{
	mail_buf_t text = { 0 };
	mail_entries_t entries;
	mail_diag_t diag = { 0 };
	mail_buf_str(&text, "domain:\n");
	for (unsigned i = 0; i < 1000; i++) {
		mail_buf_printf(&text, "- id: d%u.example\n  policy: p\n", (i * 7) % 1000);
	}
	CHECK_OK(mail_text_parse(mail_buf_view(&text), NULL, NULL, &entries, &diag));
	CHECK_INT(entries.count, 1000);
	mail_entries_free(&entries);
	mail_buf_str(&text, "- id: d999.example\n  policy: p\n- id: d0.example\n  policy: p\n");
	CHECK_INT(mail_text_parse(mail_buf_view(&text), NULL, NULL, &entries, &diag), KNOT_EINVAL);
	CHECK_INT(diag.line, 2002);
	CHECK_STR(diag.text, "domain d999.example: given twice, first in line 1716");
	mail_buf_free(&text);
}

/* What a sweep reads, prints and reads again. */
static int sweep_run(void)
{
	static const char text[] =
		"policy:\n  - id: a\n    mx: [ \"10 mail\", mx2 ]\n    dmarc: [ \"p=none\", \"sp=\" ]\n"
		"certificate:\n  - id: c\n    current: /pem/chain.pem\n    form: [ \"3 1 1\", \"2 1 1\" ]\n"
		"dkim:\n  - id: a.example/s\n    key: keys/private\n"
		"domain:\n  - id: a.example\n    policy: a\n  - id: b.example\n    alias: a.example\n";
	mail_entries_t entries;
	mail_diag_t diag = { 0 };
	int ret = mail_text_parse(MAIL_STR(text), read_file, NULL, &entries, &diag);
	for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
		mail_buf_t out = { 0 };
		mail_entry_t *again = NULL;
		ret = mail_text_print(entries.entries[i], &out);
		mail_buf_free(&out);
		if (ret == KNOT_EOK) {
			ret = mail_json_print(entries.entries[i], &out);
		}
		if (ret == KNOT_EOK) {
			ret = mail_json_parse(mail_buf_view(&out), &again, &diag);
		}
		mail_entry_free(again);
		mail_buf_free(&out);
	}
	mail_entries_free(&entries);
	return ret;
}

/* Whichever allocation fails, nothing leaks and the result says so (or the way that failed was not needed). */
static void test_no_memory(void)
{
	REQUIRE(failing_linked());
	REQUIRE(sweep_run() == KNOT_EOK);
	size_t failed = 0;
	for (size_t i = 1; failing_on(i); i++) {
		int ret = sweep_run();
		if (!failing_off()) {
			CHECK_OK(ret);
			break;
		}
		CHECK(ret == KNOT_ENOMEM || ret == KNOT_EOK, "allocation %zu: %d", i, ret);
		failed += ret == KNOT_ENOMEM;
	}
	CHECK(failed > 50);
}

/* What files are, and who reads them. */
static const struct {
	const char *text;
	mail_look_t look;
} looks[] = {
	{ "policy:\n  - id: a\n", MAIL_LOOK_DIALECT },
	{ "# a comment\n\n  domain : \n", MAIL_LOOK_DIALECT },
	{ "\xef\xbb\xbf"
	  "key-set:\r\n",
	  MAIL_LOOK_DIALECT },
	{ "{\"kind\":\"policy\",\"id\":\"a\"}\n", MAIL_LOOK_NDJSON },
	{ "\n{ \"kind\": \"policy\" }\r\n", MAIL_LOOK_NDJSON },
	{ "{\n \"kind\": \"policy\"\n}\n", MAIL_LOOK_JSON },
	{ "[ {} ]", MAIL_LOOK_JSON },
	{ "$TTL 3600\n", MAIL_LOOK_ZONE },
	{ "; a comment\nexample.net. IN MX 10 a\n", MAIL_LOOK_ZONE },
	{ "s1._domainkey IN TXT ( \"v=DKIM1; \"\n \"p=\" )\n", MAIL_LOOK_ZONE },
	{ "-----BEGIN CERTIFICATE-----\n", MAIL_LOOK_PEM },
	{ "\xff\xfe"
	  "p",
	  MAIL_LOOK_UTF16 },
	{ "words\n", MAIL_LOOK_UNKNOWN },
	{ "server:\n", MAIL_LOOK_UNKNOWN },
	{ "", MAIL_LOOK_UNKNOWN },
};

static void test_look(void)
{
	EACH(c, looks) {
		CHECK_INT(mail_text_look(MAIL_STR(c->text)), c->look);
		const bool unknown = c->look == MAIL_LOOK_UNKNOWN;
		CHECK((mail_text_misplaced(c->look, "apply") == NULL) ==
		      (unknown || c->look == MAIL_LOOK_DIALECT));
		CHECK((mail_text_misplaced(c->look, "import") == NULL) ==
		      (unknown || c->look == MAIL_LOOK_NDJSON));
	}
}

/* Values that are names of files. */
static const struct {
	const char *value;
	bool key, current;
} names[] = {
	{ "default.txt", true, true },
	{ "keys/s1.pem", true, true },
	{ "/etc/ssl/p=x.pem", true, true },
	{ "./v=DKIM1; p=", true, true },
	{ "s1", true, true },
	{ SAMPLE_KEY, false, true },
	{ SLASH_KEY, false, true },
	{ "p=" SAMPLE_KEY, false, true },
	{ "v=DKIM1; k=rsa", false, true },
	{ "v=spf1 -all", false, true },
	{ "\"v=DKIM1; \" \"p=\"", false, false },
	{ "s1._domainkey CNAME a.example.", false, false },
	{ "_25._tcp.a. IN TLSA 3 1 1 ab", false, false },
	{ "-----BEGIN PUBLIC KEY-----\n", false, true },
	{ "3 1 1 ab", true, false },
	{ "none", false, false },
};

static void test_names(void)
{
	EACH(c, names) {
		const mail_str_t value = MAIL_STR(c->value);
		CHECK_INT(mail_text_names_file(MAIL_SECTION_DKIM, mail_item_get(MAIL_ITEM_KEY),
		                               value),
		          c->key);
		CHECK_INT(mail_text_names_file(MAIL_SECTION_CERTIFICATE,
		                               mail_item_get(MAIL_ITEM_NEXT), value),
		          c->current);
		CHECK(!mail_text_names_file(MAIL_SECTION_DOMAIN, mail_item_get(MAIL_ITEM_TXT),
		                            value));
	}
}

UNIT_MAIN("text", TEST("what files are", test_look), TEST("names of files", test_names),
          TEST("texts that are good", test_good),
          TEST("texts that are bad: line, column, reason", test_bad),
          TEST("files that are bad", test_bad_file), TEST("long names and values", test_long),
          TEST("warnings have a place", test_warning),
          TEST("every item is printed and read", test_print_items),
          TEST("every quoting is printed and read", test_print_quoting),
          TEST("layout of what is printed", test_print_layout), TEST("many entries", test_many),
          TEST("allocations that fail", test_no_memory))
