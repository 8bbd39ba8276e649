/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of a real store: what is refused, with which reason and line; what is counted; what is warned of. */

#include "change_fixture.h"
#include "failing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SMALL ((size_t)64 << 20)

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"
#define X50 "x2345678901234567890123456789012345678901234567890"
#define X200 X50 "." X50 "." X50 "." X50

static const char stored[] =
	"host:\n"
	"  - id: mail\n    name: mail\n    address: 192.0.2.25\n    certificate: c\n"
	"  - id: spare\n    name: spare\n    address: 192.0.2.26\n"
	"  - id: extra\n    name: extra\n    address: 192.0.2.27\n"
	"certificate:\n"
	"  - id: c\n    current: \"3 1 1 " HEX1 "\"\n"
	"policy:\n"
	"  - id: low\n    ttl: 100\n"
	"  - id: business\n    base: low\n    host: mail\n    ns: \"ns.example.net.\"\n    mx: \"10 mail\"\n"
	"  - id: other\n    ns: \"ns.example.net.\"\n"
	"  - id: bare\n    mx: \"10 mx.example.net.\"\n"
	"  - id: unused\n    base: low\n    key-set: k\n"
	"key-set:\n  - id: k\n  - id: own\n"
	"dkim:\n"
	"  - id: \"policy:business/s1\"\n    key: \"" KEY1 "\"\n"
	"  - id: \"policy:unused/s1\"\n    key: \"" KEY1 "\"\n"
	"  - id: example.org/k1\n    key: \"" KEY1 "\"\n"
	"  - id: example.org/k2\n    key: \"" KEY1 "\"\n"
	"domain:\n"
	"  - id: example.org\n    policy: business\n"
	"  - id: example.com\n    policy: business\n"
	"  - id: own.example\n    policy: business\n    host-add: extra\n    key-set: own\n"
	"  - id: alias.example\n    alias: example.org\n"
	"  - id: o1.example\n    policy: other\n"
	"  - id: o2.example\n    policy: other\n"
	"  - id: " X200 ".wide.example\n    policy: other\n";

static void setup(stored_t *s, bool replicated)
{
	made_t made;
	CU_ASSERT_FATAL(fixture_make(&s->at, replicated, SMALL));
	s->store = fixture_open(&s->at, MAIL_STORE_WRITE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->store);
	make(s, "", stored, &made);
	CU_ASSERT_EQUAL_FATAL(made.ret, KNOT_EOK);
	made_commit(&made);
}

static void teardown(stored_t *s)
{
	mail_store_close(s->store);
	fixture_remove(&s->at);
}

/* The number of the last transaction: the same, if nothing was written. */
static uint64_t last_id(const stored_t *s)
{
	mail_txn_t *txn = begin(s->store, MAIL_STORE_READ);
	uint64_t id = mail_txn_id(txn);
	mail_txn_abort(txn);
	return id;
}

static const struct {
	const char *deletes;
	const char *text;
	const char *reason;
	uint32_t line;
} refused[] = {
	/* References to nothing, with the line that makes them. */
	{ "", "domain:\n  - id: new.example\n    policy: nope\n",
	  "domain new.example: policy nope does not exist", 3 },
	{ "", "domain:\n  - id: new.example\n    txt: x\n    policy: nope\n",
	  "domain new.example: policy nope does not exist", 4 },
	{ "", "domain:\n  - id: new.example\n    alias: nope.example\n",
	  "domain new.example: domain nope.example does not exist", 3 },
	{ "", "policy:\n  - id: new\n    ttl: 5\n    base: nope\n",
	  "policy new: base: policy nope does not exist", 4 },
	{ "", "policy:\n  - id: new\n    host: [ mail, nope ]\n",
	  "policy new: host: host nope does not exist", 3 },
	{ "", "host:\n  - id: mail\n    name: mail\n    certificate: nope\n",
	  "policy business: host mail: certificate: certificate nope does not exist", 4 },
	{ "", "domain:\n  - id: new.example\n    policy: other\n    host-add: nope\n",
	  "domain new.example: host: host nope does not exist", 4 },
	{ "", "policy:\n  - id: new\n    key-set: nope\n",
	  "policy new: key-set: key-set nope does not exist", 3 },
	{ "", "dkim:\n  - id: nope.example/s\n    key: \"" KEY1 "\"\n",
	  "dkim nope.example/s: domain nope.example does not exist", 2 },
	{ "", "dkim:\n  - id: sub.example.org/s\n    key: \"" KEY1 "\"\n",
	  "dkim sub.example.org/s: domain sub.example.org does not exist", 2 },
	{ "", "dkim:\n  - id: \"policy:nope/s\"\n    key: \"" KEY1 "\"\n",
	  "dkim policy:nope/s: policy nope does not exist", 2 },
	{ "", "dkim:\n  - id: alias.example/s\n    key: \"" KEY1 "\"\n",
	  "dkim alias.example/s: alias.example is an alias: the keys of its target count", 2 },

	/* What others refer to cannot be deleted. */
	{ "policy business", "", "domain example.com: policy business does not exist", 0 },
	{ "policy other", "", "policy other does not exist", 0 },
	{ "policy low", "", "policy business: base: policy low does not exist", 0 },
	{ "host mail", "", "policy business: host: host mail does not exist", 0 },
	{ "host extra", "", "domain own.example: host: host extra does not exist", 0 },
	{ "certificate c", "",
	  "policy business: host mail: certificate: certificate c does not exist", 0 },
	{ "key-set k", "", "policy unused: key-set: key-set k does not exist", 0 },
	{ "key-set own", "", "domain own.example: key-set: key-set own does not exist", 0 },
	{ "domain example.org", "", "domain alias.example: domain example.org does not exist", 0 },
	/* What is not there, neither. */
	{ "domain nope.example", "", "domain nope.example does not exist", 101 },
	{ "host spare,host spare", "", "host spare does not exist", 102 },
	{ "dkim example.org/nope", "", "dkim example.org/nope does not exist", 101 },

	/* Circles, chains, aliases of aliases. */
	{ "", "policy:\n  - id: low\n    base: business\n",
	  "policy business: policy business is its own base", 0 },
	{ "", "domain:\n  - id: new.example\n    alias: alias.example\n",
	  "domain new.example: alias: alias.example is an alias itself", 3 },
	{ "", "domain:\n  - id: example.org\n    alias: example.com\n",
	  "domain alias.example: alias: example.org is an alias itself", 0 },
	{ "",
	  "policy:\n  - id: p1\n  - id: p2\n    base: p1\n  - id: p3\n    base: p2\n  - id: p4\n    base: p3\n"
	  "  - id: p5\n    base: p4\n  - id: p6\n    base: p5\n  - id: p7\n    base: p6\n  - id: p8\n    base: p7\n"
	  "  - id: p9\n    base: p8\n",
	  "policy p9: policy p9 has more than 7 bases above each other", 17 },

	/* A hosted domain needs name servers. */
	{ "", "domain:\n  - id: new.example\n    policy: bare\n",
	  "domain new.example: ns: its policy has none", 3 },
	{ "", "policy:\n  - id: other\n    ttl: 5\n", "ns: its policy has none", 0 },
	{ "", "domain:\n  - id: new.example\n    policy: business\n    ns: none\n",
	  "domain new.example: ns: its policy has none", 3 },
	{ "", "policy:\n  - id: new\n    ns: [ \"ns.example.net.\", ns1 ]\n",
	  "policy new: ns: ns1 lies in the domain but is no host with an address", 3 },
	{ "", "domain:\n  - id: example.net\n    policy: other\n",
	  "domain example.net: ns: a name server lies in the domain but is no host with an address",
	  3 },

	/* Conflicts. */
	{ "", "policy:\n  - id: new\n    record: [ \"x CNAME a\", \"x A 192.0.2.1\" ]\n",
	  "policy new: record: a CNAME beside other data at x", 2 },
	{ "", "policy:\n  - id: new\n    autoconfig: a\n    record: \"autoconfig A 192.0.2.1\"\n",
	  "policy new: autoconfig: a CNAME beside other data at autoconfig", 2 },
	{ "",
	  "domain:\n  - id: new.example\n    policy: business\n    record: \"mail A 192.0.2.1\"\n",
	  "domain new.example: record: a literal record of a type that is made there at mail", 3 },
	{ "", "policy:\n  - id: new\n    mx: \"10 a\"\n    record: \"a CNAME b\"\n",
	  "policy new: mx: a is an alias (RFC 2181 10.3)", 3 },
	{ "", "policy:\n  - id: new\n    srv: imap\n",
	  "policy new: srv: imap names no host, and there is no mx to take", 3 },
	/* In a host, with the line there: the policy that meets it is an old one. */
	{ "", "host:\n  - id: mail\n    name: mail\n    helo-spf: [ \"a -all\", mx ]\n",
	  "policy business: host mail: helo-spf: ", 4 },
	/* A domain's own keys, beside records of its own and of its policy, whichever came first. */
	{ "",
	  "domain:\n  - id: example.org\n    policy: business\n    record: \"k1._domainkey TXT \\\"x\\\"\"\n",
	  "domain example.org: a record and the DKIM key example.org/k1 have the same owner", 3 },
	{ "",
	  "policy:\n  - id: business\n    base: low\n    host: mail\n    ns: \"ns.example.net.\"\n"
	  "    record: \"k2._domainkey A 192.0.2.1\"\n",
	  "a record and the DKIM key example.org/k2 have the same owner", 0 },
	{ "",
	  "policy:\n  - id: unused\n    ns: \"ns.example.net.\"\n    record: \"k2._domainkey A 192.0.2.1\"\n"
	  "domain:\n  - id: example.org\n    policy: unused\n",
	  "domain example.org: a record and the DKIM key example.org/k2 have the same owner", 7 },
	/* Hosts with absolute names, where a domain has that name itself. */
	{ "",
	  "host:\n  - id: abs\n    name: \"new.example.\"\n    address: 192.0.2.1\n"
	  "policy:\n  - id: new\n    ns: \"ns.example.net.\"\n    host: abs\n"
	  "domain:\n  - id: new.example\n    policy: new\n",
	  "domain new.example: helo-spf: two SPF records at new.example", 11 },
	{ "",
	  "host:\n  - id: abs\n    name: \"a.new.example.\"\n    address: 192.0.2.1\n"
	  "policy:\n  - id: new\n    ns: \"ns.example.net.\"\n    host: abs\n    record: \"a CNAME b\"\n"
	  "domain:\n  - id: new.example\n    policy: new\n",
	  "domain new.example: a: a CNAME beside other data at a.new.example", 12 },

	/* Names that grow past 255 octets: of a new domain, of old ones. */
	{ "",
	  "domain:\n  - id: " X200 ".broad.example\n    policy: other\n    mx: \"10 " X50 "\"\n",
	  "domain " X200
	  ".broad.example: a record's name would grow past 255 octets: the policy has room",
	  3 },
	{ "", "policy:\n  - id: other\n    ns: \"ns.example.net.\"\n    mx: \"10 " X50 "\"\n",
	  "domain " X200
	  ".wide.example: a record's name would grow past 255 octets: the policy has room",
	  0 },
	{ "", "dkim:\n  - id: \"policy:other/" X50 "\"\n    key: \"" KEY1 "\"\n",
	  "domain " X200
	  ".wide.example: a record's name would grow past 255 octets: the policy has room",
	  0 },
};

static bool reason_is(const char *reason, const char *expected)
{
	/* Of "SECTION ID: ..." that domains share, which comes first is not said. */
	return strncmp(reason, expected, strlen(expected)) == 0 ||
	       (strncmp(reason, "domain ", 7) == 0 && strchr(reason, ':') != NULL &&
	        strncmp(strchr(reason, ':') + 2, expected, strlen(expected)) == 0);
}

static void test_refused(void)
{
	stored_t s;
	setup(&s, false);
	const uint64_t id = last_id(&s);
	for (size_t i = 0; i < COUNT(refused); i++) {
		made_t made;
		make(&s, refused[i].deletes, refused[i].text, &made);
		UNIT_CHECK(made.ret == KNOT_EINVAL || made.ret == KNOT_ENOENT, "case %zu: %d", i,
		           made.ret);
		UNIT_CHECK(reason_is(made.diag.text, refused[i].reason), "case %zu: '%s'", i,
		           made.diag.text);
		UNIT_CHECK(made.diag.line == refused[i].line, "case %zu: line %u: %s", i,
		           made.diag.line, refused[i].reason);
		made_abort(&made);
		UNIT_CHECK(last_id(&s) == id, "case %zu: the store was written", i);
	}
	teardown(&s);
}

static const struct {
	const char *deletes;
	const char *text;
	size_t added, changed, deleted, same, domains;
	const char *warnings;
} accepted[] = {
	{ "", "", 0, 0, 0, 0, 0, "" },
	{ "", stored, 0, 0, 0, 22, 0, "" },
	/* Domains alone. */
	{ "", "domain:\n  - id: new.example\n    policy: business\n", 1, 0, 0, 0, 1, "" },
	{ "", "domain:\n  - id: o1.example\n    policy: business\n", 0, 1, 0, 0, 1, "" },
	{ "",
	  "domain:\n  - id: o1.example\n    policy: other\n  - id: o2.example\n    policy: business\n",
	  0, 1, 0, 1, 1, "" },
	{ "domain o1.example", "", 0, 0, 1, 0, 1, "" },
	{ "domain o1.example", "domain:\n  - id: o1.example\n    policy: business\n", 1, 0, 1, 0, 1,
	  "" },
	{ "domain alias.example,domain example.org", "", 0, 0, 4, 0, 2, "" },
	{ "domain alias.example", "domain:\n  - id: alias2.example\n    alias: example.com\n", 1, 0,
	  1, 0, 2, "" },
	/* Policies: all that follow them, by a base, by an alias. */
	{ "", "policy:\n  - id: low\n    ttl: 200\n", 0, 1, 0, 0, 4, "" },
	{ "", "policy:\n  - id: other\n    ns: \"ns.example.net.\"\n    ttl: 200\n", 0, 1, 0, 0, 3,
	  "" },
	{ "", "policy:\n  - id: bare\n    ttl: 200\n", 0, 1, 0, 0, 0, "" },
	{ "", "policy:\n  - id: new\n    base: business\n", 1, 0, 0, 0, 0, "" },
	{ "policy unused", "", 0, 0, 2, 0, 0, "" },
	{ "policy unused,policy bare", "policy:\n  - id: unused\n", 1, 0, 3, 0, 0, "" },
	/* Hosts and certificates: those whose policy, or who themselves, have them. */
	{ "", "host:\n  - id: mail\n    name: mail\n    address: 192.0.2.99\n", 0, 1, 0, 0, 4, "" },
	{ "", "host:\n  - id: extra\n    name: extra\n    address: 192.0.2.99\n", 0, 1, 0, 0, 1,
	  "" },
	{ "host spare", "", 0, 0, 1, 0, 0, "" },
	{ "", "certificate:\n  - id: c\n    current: \"3 1 1 " HEX2 "\"\n", 0, 1, 0, 0, 4, "" },
	/* Keys: of a policy, of a domain. */
	{ "", "dkim:\n  - id: \"policy:other/s\"\n    key: \"" KEY1 "\"\n", 1, 0, 0, 0, 3, "" },
	{ "", "dkim:\n  - id: \"policy:low/s\"\n    key: \"" KEY1 "\"\n", 1, 0, 0, 0, 4, "" },
	{ "", "dkim:\n  - id: o1.example/s\n    key: \"" KEY1 "\"\n", 1, 0, 0, 0, 1, "" },
	{ "",
	  "dkim:\n  - id: o1.example/s\n    key: \"" KEY1
	  "\"\n  - id: o1.example/t\n    key: \"" KEY1 "\"\n"
	  "  - id: o2.example/s\n    key: \"" KEY1 "\"\n",
	  3, 0, 0, 0, 2, "" },
	{ "",
	  "dkim:\n  - id: o1.example/s\n    key: \"" KEY1
	  "\"\ndomain:\n  - id: o1.example\n    policy: business\n",
	  1, 1, 0, 0, 1, "" },
	{ "",
	  "dkim:\n  - id: o1.example/s\n    key: \"" KEY1 "\"\npolicy:\n  - id: bare\n    ttl: 5\n",
	  1, 1, 0, 0, 1, "" },
	{ "",
	  "dkim:\n  - id: o1.example/s\n    key: \"" KEY1 "\"\npolicy:\n  - id: other\n    ttl: 5\n"
	  "    ns: \"ns.example.net.\"\n",
	  1, 1, 0, 0, 3, "" },
	{ "dkim policy:unused/s1", "", 0, 0, 1, 0, 0, "" },
	{ "dkim policy:unused/s1,policy unused", "", 0, 0, 2, 0, 0, "" },
	{ "policy unused,dkim policy:unused/s1", "", 0, 0, 2, 0, 0, "" },
	/* With its alias. */
	{ "dkim example.org/k1", "", 0, 0, 1, 0, 2, "" },
	{ "domain alias.example,domain example.org,dkim example.org/k2,dkim example.org/k1", "", 0,
	  0, 4, 0, 2, "" },
	{ "dkim example.org/k1,domain alias.example,domain example.org", "", 0, 0, 4, 0, 2, "" },
	/* Any order: what is referred to may come later, and what refers goes with it. */
	{ "",
	  "domain:\n  - id: new.example\n    policy: new\npolicy:\n  - id: new\n    host: new\n"
	  "    ns: \"ns.example.net.\"\nhost:\n  - id: new\n    name: new\n",
	  3, 0, 0, 0, 1, "" },
	{ "host extra", "domain:\n  - id: own.example\n    policy: business\n", 0, 1, 1, 0, 1, "" },
	{ "policy other,domain o1.example,domain o2.example,domain " X200 ".wide.example", "", 0, 0,
	  4, 0, 3, "" },
	/* Warnings: with the name of the entry, only of what is touched. */
	{ "", "policy:\n  - id: new\n    mx: \"10 gone\"\n", 1, 0, 0, 0, 0,
	  "policy new: mx: gone lies in the domain but is no host with an address\n" },
	{ "", "domain:\n  - id: new.example\n    policy: business\n    mx-add: \"20 gone\"\n", 1, 0,
	  0, 0, 1,
	  "domain new.example: mx: gone lies in the domain but is no host with an address\n" },
};

static void test_accepted(void)
{
	stored_t s;
	setup(&s, false);
	for (size_t i = 0; i < COUNT(accepted); i++) {
		made_t made;
		make(&s, accepted[i].deletes, accepted[i].text, &made);
		const mail_change_count_t *count = &made.count;
		if (UNIT_CHECK(made.ret == KNOT_EOK, "case %zu: %d %s", i, made.ret,
		               made.diag.text)) {
			UNIT_CHECK(count->added == accepted[i].added &&
			                   count->changed == accepted[i].changed &&
			                   count->deleted == accepted[i].deleted &&
			                   count->same == accepted[i].same,
			           "case %zu: %zu added, %zu changed, %zu deleted, %zu same", i,
			           count->added, count->changed, count->deleted, count->same);
			UNIT_CHECK(count->domains == accepted[i].domains, "case %zu: %zu domains",
			           i, count->domains);
		}
		(void)mail_buf_u8(&made.warnings, 0);
		UNIT_CHECK(strcmp((const char *)made.warnings.data, accepted[i].warnings) == 0,
		           "case %zu: %s", i, (const char *)made.warnings.data);
		made_abort(&made);
	}
	teardown(&s);
}

static int live(mail_txn_t *txn, mail_section_t section, const char *id)
{
	mail_entry_t *entry = NULL;
	int ret = mail_txn_get(txn, section, MAIL_STR(id), &entry);
	mail_entry_free(entry);
	return ret;
}

/* The keys of what is deleted go with it, and none of others; a new domain of that name has none. */
static void test_cascade(void)
{
	for (unsigned replicated = 0; replicated < 2; replicated++) {
		stored_t s;
		made_t made;
		setup(&s, replicated);
		make(&s, "",
		     "domain:\n  - id: sub.example.org\n    policy: other\n  - id: xexample.org\n    policy: other\n"
		     "policy:\n  - id: unused2\n"
		     "dkim:\n  - id: sub.example.org/k1\n    key: \"" KEY1 "\"\n"
		     "  - id: xexample.org/k1\n    key: \"" KEY1 "\"\n"
		     "  - id: \"policy:unused2/s1\"\n    key: \"" KEY1 "\"\n",
		     &made);
		CU_ASSERT_EQUAL(made.ret, KNOT_EOK);
		made_commit(&made);
		make(&s, "domain alias.example,domain example.org,policy unused", "", &made);
		UNIT_CHECK(made.ret == KNOT_EOK, "%d %s", made.ret, made.diag.text);
		CU_ASSERT_EQUAL(made.count.deleted, 6);
		made_commit(&made);
		make(&s, "", "domain:\n  - id: example.org\n    policy: other\n", &made);
		CU_ASSERT_EQUAL(made.ret, KNOT_EOK);
		made_commit(&made);
		mail_txn_t *txn = begin(s.store, MAIL_STORE_READ);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "example.org/k1"), KNOT_ENOENT);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "example.org/k2"), KNOT_ENOENT);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "policy:unused/s1"), KNOT_ENOENT);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "policy:unused2/s1"), KNOT_EOK);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "sub.example.org/k1"), KNOT_EOK);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DKIM, "xexample.org/k1"), KNOT_EOK);
		CU_ASSERT_EQUAL(live(txn, MAIL_SECTION_DOMAIN, "example.org"), KNOT_EOK);
		mail_txn_abort(txn);
		teardown(&s);
	}
}

/* What is changed at a domain is changed at its aliases: they are checked, and counted once. */
static void test_aliases(void)
{
	static const char aliased[] = "domain:\n  - id: t.example\n    policy: other\n"
				      "  - id: " X200 ".al.example\n    alias: t.example\n"
				      "  - id: short.example\n    alias: t.example\n"
				      "dkim:\n  - id: t.example/k\n    key: \"" KEY1 "\"\n";
	static const struct {
		const char *deletes;
		const char *text;
		const char *reason; /* NULL: accepted. */
		size_t domains;
	} cases[] = {
		{ "", "domain:\n  - id: t.example\n    policy: other\n    ttl: 300\n", NULL, 3 },
		{ "", "domain:\n  - id: t.example\n    policy: business\n", NULL, 3 },
		{ "", "dkim:\n  - id: t.example/s\n    key: \"" KEY1 "\"\n", NULL, 3 },
		{ "dkim t.example/k", "", NULL, 3 },
		{ "",
		  "domain:\n  - id: t.example\n    policy: business\n"
		  "  - id: short.example\n    alias: example.org\n",
		  NULL, 3 },
		{ "domain short.example", "domain:\n  - id: t.example\n    policy: business\n",
		  NULL, 3 },
		{ "",
		  "domain:\n  - id: new.example\n    policy: business\n"
		  "dkim:\n  - id: new.example/s\n    key: \"" KEY1 "\"\n",
		  NULL, 1 },
		{ "", "domain:\n  - id: t.example\n    policy: other\n    mx: \"10 " X50 "\"\n",
		  "domain " X200 ".al.example: a record's name would grow past 255 octets", 0 },
		{ "", "dkim:\n  - id: t.example/" X50 "\n    key: \"" KEY1 "\"\n",
		  "domain " X200 ".al.example: the name of the DKIM key t.example/", 0 },
		{ "", "domain:\n  - id: " X200 ".new.example\n    alias: t.example\n", NULL, 1 },
	};
	stored_t s;
	made_t made;
	setup(&s, false);
	make(&s, "", aliased, &made);
	CU_ASSERT_EQUAL(made.ret, KNOT_EOK);
	made_commit(&made);
	for (size_t i = 0; i < COUNT(cases); i++) {
		make(&s, cases[i].deletes, cases[i].text, &made);
		if (cases[i].reason == NULL) {
			UNIT_CHECK(made.ret == KNOT_EOK, "case %zu: %s", i, made.diag.text);
			UNIT_CHECK(made.count.domains == cases[i].domains, "case %zu: %zu domains",
			           i, made.count.domains);
		} else {
			UNIT_CHECK(made.ret == KNOT_EINVAL &&
			                   strncmp(made.diag.text, cases[i].reason,
			                           strlen(cases[i].reason)) == 0,
			           "case %zu: %d %s", i, made.ret, made.diag.text);
		}
		made_abort(&made);
	}
	teardown(&s);
}

/* Since when the next certificate is known. */
static void test_publish(void)
{
	static const struct {
		const char *text;
		int kept; /* 1: publish as before; 0: as set here; -1: there is none. */
	} steps[] = {
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1 "\"\n", -1 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1
		  "\"\n    next: \"3 1 1 " HEX2 "\"\n",
		  0 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1
		  "\"\n    next: \"3 1 1 " HEX2 "\"\n"
		  "    deploy-at: \"2027-01-15T08:00:00Z\"\n",
		  1 },
		{ "certificate:\n  - id: n\n    next: \"3 1 1 " HEX2 "\"\n", 1 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX2 "\"\n", -1 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1
		  "\"\n    next: \"3 1 1 " HEX2 "\"\n"
		  "    publish: \"2027-01-15T09:00:00Z\"\n",
		  0 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1
		  "\"\n    next: \"3 1 1 " HEX2 "\"\n",
		  1 },
		{ "certificate:\n  - id: n\n    current: \"3 1 1 " HEX1
		  "\"\n    next: \"3 1 1 " HEX1 "\"\n",
		  0 },
	};
	stored_t s;
	char before[32] = "";
	setup(&s, false);
	for (size_t i = 0; i < COUNT(steps); i++) {
		made_t made;
		mail_entry_t *entry = NULL;
		make(&s, "", steps[i].text, &made);
		UNIT_CHECK(made.ret == KNOT_EOK, "step %zu: %s", i, made.diag.text);
		CU_ASSERT_EQUAL_FATAL(
			mail_txn_get(made.txn, MAIL_SECTION_CERTIFICATE, MAIL_STR("n"), &entry),
			KNOT_EOK);
		mail_str_t publish = mail_entry_value(entry, MAIL_ITEM_PUBLISH);
		UNIT_CHECK((publish.len > 0) == (steps[i].kept >= 0), "step %zu", i);
		UNIT_CHECK(steps[i].kept != 1 || mail_str_is(publish, before), "step %zu", i);
		UNIT_CHECK(steps[i].kept != 0 || !mail_str_is(publish, before), "step %zu", i);
		(void)snprintf(before, sizeof(before), "%.*s", (int)publish.len, publish.data);
		mail_entry_free(entry);
		made_commit(&made);
		/* The same text again changes nothing. */
		make(&s, "", steps[i].text, &made);
		UNIT_CHECK(made.count.same == 1 && made.count.changed == 0, "step %zu", i);
		made_abort(&made);
	}
	teardown(&s);
}

/* Entries that were bad before, as replication may leave them, do not stand in the way of others. */
static void test_bad_before(void)
{
	static const struct {
		const char *deletes;
		const char *text;
		const char *reason; /* NULL: it is accepted. */
	} cases[] = {
		{ "", "domain:\n  - id: new.example\n    policy: other\n", NULL },
		{ "", "policy:\n  - id: other\n    ns: \"ns.example.net.\"\n    ttl: 5\n", NULL },
		{ "", "host:\n  - id: spare\n    name: spare\n", NULL },
		{ "", "host:\n  - id: extra\n    name: extra\n", NULL },
		{ "", "certificate:\n  - id: c\n    current: \"3 1 1 " HEX2 "\"\n", NULL },
		{ "", "dkim:\n  - id: \"policy:other/s\"\n    key: \"" KEY1 "\"\n", NULL },
		{ "domain o1.example", "", NULL },
		{ "domain lost.example", "", NULL },
		{ "domain badder.example,domain bad.example,policy bad", "", NULL },
		/* They are repaired, or touched and refused. */
		{ "", "policy:\n  - id: nope\n    ns: \"ns.example.net.\"\n", NULL },
		{ "", "host:\n  - id: nope\n    name: nope\n", NULL },
		{ "", "domain:\n  - id: lost.example\n    policy: nope\n    txt: x\n",
		  "domain lost.example: policy nope does not exist" },
		{ "", "domain:\n  - id: new.example\n    policy: bad\n",
		  "domain new.example: policy bad: host: host nope does not exist" },
		{ "", "policy:\n  - id: bad\n    host: nope\n    ttl: 5\n",
		  "policy bad: host: host nope does not exist" },
	};
	stored_t s;
	setup(&s, false);
	mail_txn_t *txn = begin(s.store, MAIL_STORE_WRITE);
	CU_ASSERT_EQUAL(put_domain(txn, "lost.example", "nope"), KNOT_EOK);
	CU_ASSERT_EQUAL(put_domain(txn, "bad.example", "bad"), KNOT_EOK);
	mail_entry_t *bad = entry_of(MAIL_SECTION_POLICY, "bad", MAIL_ITEM_HOST, "nope");
	CU_ASSERT_EQUAL(mail_entry_add(bad, mail_item_get(MAIL_ITEM_NS), MAIL_OP_SET,
	                               MAIL_STR("ns.example.net."), 0),
	                KNOT_EOK);
	CU_ASSERT_EQUAL(mail_txn_put(txn, bad), KNOT_EOK);
	mail_entry_free(bad);
	CU_ASSERT_EQUAL(
		put(txn, MAIL_SECTION_DOMAIN, "lostalias.example", MAIL_ITEM_ALIAS, "nope.example"),
		KNOT_EOK);
	mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, "badder.example", MAIL_ITEM_POLICY,
	                               "bad");
	CU_ASSERT_EQUAL(
		mail_entry_add(entry, mail_item_get(MAIL_ITEM_TXT), MAIL_OP_SET, MAIL_STR("x"), 0),
		KNOT_EOK);
	CU_ASSERT_EQUAL(mail_txn_put(txn, entry), KNOT_EOK);
	mail_entry_free(entry);
	CU_ASSERT_EQUAL(mail_txn_commit(txn), KNOT_EOK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		made_t made;
		make(&s, cases[i].deletes, cases[i].text, &made);
		if (cases[i].reason == NULL) {
			UNIT_CHECK(made.ret == KNOT_EOK, "case %zu: %d %s", i, made.ret,
			           made.diag.text);
		} else {
			UNIT_CHECK(made.ret == KNOT_EINVAL, "case %zu: %d", i, made.ret);
			UNIT_CHECK(strcmp(made.diag.text, cases[i].reason) == 0, "case %zu: '%s'",
			           i, made.diag.text);
		}
		made_abort(&made);
	}
	teardown(&s);
}

/* Damaged entries: they can be written anew and deleted; of a newer format they are left alone, with a reason. */
static void test_damaged(void)
{
	static const struct {
		const char *deletes;
		const char *text;
		int ret;
	} cases[] = {
		{ "", "domain:\n  - id: example.com\n    policy: other\n", KNOT_EOK },
		{ "domain example.com", "", KNOT_EOK },
		{ "", "domain:\n  - id: o1.example\n    policy: business\n", KNOT_EOK },
		{ "", "policy:\n  - id: unused\n    ttl: 9\n", KNOT_EOK },
		{ "", "policy:\n  - id: bare\n    ttl: 9\n", KNOT_EOK },
		{ "", "domain:\n  - id: own.example\n    policy: other\n", KNOT_ENOTSUP },
		{ "domain own.example", "", KNOT_ENOTSUP },
	};
	static const uint8_t header[HEADER] = { 0x17, 0xa0 };
	uint8_t value[HEADER + 1];
	mail_lf_storage_t key;
	stored_t s;
	setup(&s, false);
	mail_store_close(s.store);
	memcpy(value, header, HEADER);
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("example.com"), &key);
	value[HEADER] = 0;
	CU_ASSERT(raw_put(s.at.path, "domain", key.data, key.len, value, sizeof(value)));
	CU_ASSERT(raw_put(s.at.path, "policy", "unused", 6, value, sizeof(value)));
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("own.example"), &key);
	value[HEADER] = 0xff;
	CU_ASSERT(raw_put(s.at.path, "domain", key.data, key.len, value, sizeof(value)));
	s.store = fixture_open(&s.at, MAIL_STORE_WRITE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		made_t made;
		make(&s, cases[i].deletes, cases[i].text, &made);
		UNIT_CHECK(made.ret == cases[i].ret, "case %zu: %d %s", i, made.ret,
		           made.diag.text);
		UNIT_CHECK((made.diag.text[0] == '\0') == (cases[i].ret == KNOT_EOK),
		           "case %zu: '%s'", i, made.diag.text);
		made_abort(&made);
	}
	teardown(&s);
}

/* Of a change with more domains than are remembered, each is checked all the same. */
static void test_many(void)
{
	stored_t s;
	made_t made;
	setup(&s, false);
	make(&s, "", "", &made);
	int ret = KNOT_EOK;
	for (unsigned i = 0; i < 100002 && ret == KNOT_EOK; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "d%06u.example", i);
		mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, name, MAIL_ITEM_POLICY,
		                               "other");
		ret = mail_change_put(made.change, entry, &made.diag);
		mail_entry_free(entry);
	}
	CU_ASSERT_EQUAL(ret, KNOT_EOK);
	CU_ASSERT_EQUAL(mail_change_finish(made.change, &made.count, &made.diag), KNOT_EOK);
	CU_ASSERT_EQUAL(made.count.added, 100002);
	CU_ASSERT_EQUAL(made.count.domains, 100002);
	mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, "z.example", MAIL_ITEM_POLICY, "nope");
	CU_ASSERT_EQUAL(mail_change_put(made.change, entry, &made.diag), KNOT_EOK);
	CU_ASSERT_EQUAL(mail_change_finish(made.change, &made.count, &made.diag), KNOT_EINVAL);
	CU_ASSERT_STRING_EQUAL(made.diag.text, "domain z.example: policy nope does not exist");
	mail_entry_free(entry);
	made_abort(&made);
	teardown(&s);
}

/* Without memory: an error, and the transaction can be aborted. */
static void test_failing(void)
{
	static const char text[] =
		"host:\n  - id: mail\n    name: mail\n    address: 192.0.2.99\n"
		"policy:\n  - id: low\n    ttl: 200\n"
		"dkim:\n  - id: o1.example/s\n    key: \"" KEY1 "\"\n"
		"domain:\n  - id: example.com\n    policy: business\n    mx-add: \"20 gone\"\n";
	stored_t s;
	mail_entries_t entries = { 0 };
	bool met = true;
	CU_ASSERT_FATAL(failing_linked());
	setup(&s, false);
	const uint64_t id = last_id(&s);
	CU_ASSERT_EQUAL_FATAL(mail_text_parse(MAIL_STR(text), NULL, NULL, &entries, NULL),
	                      KNOT_EOK);
	for (size_t n = 1; met && failing_on(0); n += n < 200 ? 1 : 17) {
		mail_txn_t *txn = begin(s.store, MAIL_STORE_WRITE);
		mail_diag_t diag = { 0 };
		mail_change_count_t count;
		(void)failing_on(n);
		mail_change_t *change = mail_change_begin(txn);
		int ret = change != NULL ? KNOT_EOK : KNOT_ENOMEM;
		for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
			ret = mail_change_put(change, entries.entries[i], &diag);
		}
		if (ret == KNOT_EOK) {
			ret = mail_change_finish(change, &count, &diag);
		}
		met = failing_off();
		/* The tree of libc and warnings do without. */
		UNIT_CHECK(ret == KNOT_ENOMEM || ret == KNOT_EOK, "allocation %zu: %d %s", n, ret,
		           diag.text);
		UNIT_CHECK(met || ret == KNOT_EOK, "allocation %zu: %d", n, ret);
		mail_change_free(change);
		mail_txn_abort(txn);
	}
	CU_ASSERT(!met);
	CU_ASSERT_EQUAL(last_id(&s), id);
	mail_change_free(NULL);
	mail_entries_free(&entries);
	teardown(&s);
}

static const unit_test_t tests[] = { { "refused", test_refused },
	                             { "accepted, counted, warned of", test_accepted },
	                             { "aliases of what is changed", test_aliases },
	                             { "keys go with their owner", test_cascade },
	                             { "since when a certificate is known", test_publish },
	                             { "bad before", test_bad_before },
	                             { "damaged entries", test_damaged },
	                             { "more than is remembered", test_many },
	                             { "allocations that fail", test_failing },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("change", tests);
}
