/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of a real store: what is refused, with which reason and line; what is counted; what is warned of. */

#include "lib/change_fixture.h"
#include "lib/failing.h"
#include "lib/entries.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"
#define X50 "x2345678901234567890123456789012345678901234567890"
#define X200 X50 "." X50 "." X50 "." X50

static const char stored[] =
	"host mail| name: mail| address: 192.0.2.25| certificate: c\n"
	"host spare| name: spare| address: 192.0.2.26\n"
	"host extra| name: extra| address: 192.0.2.27\n"
	"certificate c| current: '3 1 1 " HEX1 "'\npolicy low| ttl: 100\n"
	"policy business| base: low| host: mail| ns: 'ns.example.net.'| mx: '10 mail'\n"
	"policy other| ns: 'ns.example.net.'\npolicy bare| mx: '10 mx.example.net.'\n"
	"policy unused| base: low| key-set: k\nkey-set k\nkey-set own\n"
	"dkim policy:business/s1| key: '" KEY1 "'\n"
	"dkim policy:unused/s1| key: '" KEY1 "'\ndkim example.org/k1| key: '" KEY1 "'\n"
	"dkim example.org/k2| key: '" KEY1 "'\ndomain example.org| policy: business\n"
	"domain example.com| policy: business\n"
	"domain own.example| policy: business| host-add: extra| key-set: own\n"
	"domain alias.example| alias: example.org\ndomain o1.example| policy: other\n"
	"domain o2.example| policy: other\ndomain " X200 ".wide.example| policy: other\n"
	"policy parked| no-mail: on| ns: 'ns.example.net.'\ndomain parked.example| policy: parked";

/* The number of the last transaction: the same, if nothing was written. */
static uint64_t last_id(const stored_t *s)
{
	mail_txn_t *txn = begin(s->store, MAIL_STORE_READ);
	uint64_t id = mail_txn_id(txn);
	mail_txn_abort(txn);
	return id;
}

static const struct {
	const char *text;
	const char *reason;
	uint32_t line;
} refused[] = {
	/* References to nothing, with the line that makes them. */
	{ "domain new.example| policy: nope",
	  "domain new.example: policy nope does not exist: kmailctl policy-set nope ns=NAME mx=MX makes it",
	  3 },
	{ "domain new.example| txt: x| policy: nope",
	  "domain new.example: policy nope does not exist", 4 },
	{ "domain new.example| alias: nope.example",
	  "domain new.example: domain nope.example does not exist", 3 },
	{ "policy new| ttl: 5| base: nope", "policy new: base: policy nope does not exist", 4 },
	{ "policy new| host: [ mail, nope ]",
	  "policy new: host: host nope does not exist: kmailctl host-set nope name=NAME", 3 },
	{ "policy new| host: [ mail, extro ]",
	  "policy new: host: host extro does not exist: did you mean extra?", 3 },
	{ "host mail| name: mail| certificate: nope",
	  "policy business: host mail: certificate: certificate nope does not exist", 4 },
	{ "domain new.example| policy: other| host-add: nope",
	  "domain new.example: host: host nope does not exist", 4 },
	{ "policy new| key-set: nope",
	  "policy new: key-set: key-set nope does not exist: kmailctl key-generate nope makes it",
	  3 },
	{ "dkim nope.example/s| key: '" KEY1 "'",
	  "dkim nope.example/s: domain nope.example does not exist: did you mean o1.example?", 2 },
	{ "dkim sub.example.org/s| key: '" KEY1 "'",
	  "dkim sub.example.org/s: domain sub.example.org does not exist", 2 },
	{ "dkim policy:nope/s| key: '" KEY1 "'", "dkim policy:nope/s: policy nope does not exist",
	  2 },
	{ "dkim alias.example/s| key: '" KEY1 "'",
	  "dkim alias.example/s: alias.example is an alias: the keys of its target count", 2 },

	/* What others refer to cannot be deleted. */
	{ "-policy business",
	  "policy business is in use: by domain example.com and 2 more (kmailctl domain-list --policy business)",
	  101 },
	{ "-policy other",
	  "policy other is in use: by domain o1.example and 2 more (kmailctl domain-list --policy other)",
	  101 },
	{ "-policy low",
	  "policy low is in use: by policy business and 1 more (kmailctl policy-list --base low)",
	  101 },
	{ "-host mail",
	  "host mail is in use: by policy business (kmailctl policy-list --host mail)", 101 },
	{ "-host mail\npolicy business| host: extra| ns: ns.example.net.\npolicy new| ttl: 7| host: mail",
	  "host mail is in use: by policy new (kmailctl policy-list --host mail)", 101 },
	{ "-host extra\npolicy new| host: extra",
	  "host extra is in use: by policy new and 1 more (kmailctl policy-list --host extra, kmailctl domain-list --host extra)",
	  101 },
	{ "-host extra",
	  "host extra is in use: by domain own.example (kmailctl domain-list --host extra)", 101 },
	{ "-certificate c",
	  "certificate c is in use: by host mail (kmailctl host-list --certificate c)", 101 },
	{ "-key-set k", "key-set k is in use: by policy unused (kmailctl policy-list --key-set k)",
	  101 },
	{ "-key-set own",
	  "key-set own is in use: by domain own.example (kmailctl domain-list --key-set own)",
	  101 },
	{ "-domain example.org",
	  "domain example.org is in use: by domain alias.example (kmailctl domain-list --alias example.org)",
	  101 },
	/* What is not there, neither. */
	{ "-domain nope.example", "domain nope.example does not exist", 101 },
	{ "-host spare\n-host spare", "host spare does not exist", 102 },
	{ "-dkim example.org/nope", "dkim example.org/nope does not exist", 101 },

	/* Circles, chains, aliases of aliases. */
	{ "policy low| base: business", "policy business: policy business is its own base", 0 },
	{ "domain new.example| alias: alias.example",
	  "domain new.example: alias: alias.example is an alias itself", 3 },
	{ "domain example.org| alias: example.com",
	  "domain alias.example: alias: example.org is an alias itself", 0 },
	{ "policy p1\npolicy p2| base: p1\npolicy p3| base: p2\npolicy p4| base: p3\n"
	  "policy p5| base: p4\npolicy p6| base: p5\npolicy p7| base: p6\n"
	  "policy p8| base: p7\npolicy p9| base: p8",
	  "policy p9: policy p9 has more than 7 bases above each other", 17 },

	/* A hosted domain needs name servers. */
	{ "domain new.example| policy: bare",
	  "domain new.example: ns: policy bare names no name server, which every domain needs: kmailctl policy-set bare ns=NAME",
	  3 },
	{ "policy other| ttl: 5", "ns: policy other names no name server", 0 },
	{ "domain new.example| policy: business| ns: none",
	  "domain new.example: ns: none takes away the name servers, which every domain needs: "
	  "kmailctl domain-unset new.example ns",
	  3 },
	{ "policy new| ns: [ 'ns.example.net.', ns1 ]",
	  "policy new: ns: ns1 lies in the domain but is no host with an address", 3 },
	{ "domain example.net| policy: other",
	  "domain example.net: ns: ns.example.net. lies in the domain but is no host with an address: make a host of this name (kmailctl host-set)",
	  3 },

	/* Conflicts. */
	{ "policy new| record: [ 'x CNAME a', 'x A 192.0.2.1' ]",
	  "policy new: record: a CNAME beside other data at x", 3 },
	{ "policy new| autoconfig: a| record: 'autoconfig A 192.0.2.1'",
	  "policy new: autoconfig: a CNAME beside other data at autoconfig", 3 },
	{ "domain new.example| policy: business| record: 'mail A 192.0.2.1'",
	  "domain new.example: record: a literal record of a type that is made there at mail", 4 },
	{ "policy new| mx: '10 a'| record: 'a CNAME b'",
	  "policy new: mx: a is an alias (RFC 2181 10.3)", 3 },
	{ "policy new| srv: imap",
	  "policy new: srv: imap names no host, and there is no mx to take", 3 },
	/* In a host, with the line there: the policy that meets it is an old one. */
	{ "host mail| name: mail| helo-spf: [ 'a -all', mx ]",
	  "policy business: host mail: helo-spf: ", 4 },
	/* A domain's own keys, beside records of its own and of its policy, whichever came first. */
	{ "domain example.org| policy: business| record: 'k1._domainkey TXT \\'p=\\''",
	  "domain example.org: a record and the DKIM key example.org/k1 have the same owner", 3 },
	{ "policy business| base: low| host: mail| ns: 'ns.example.net.'"
	  "| record: 'k2._domainkey A 192.0.2.1'",
	  "a record and the DKIM key example.org/k2 have the same owner", 0 },
	{ "policy unused| ns: 'ns.example.net.'| record: 'k2._domainkey A 192.0.2.1'\n"
	  "domain example.org| policy: unused",
	  "domain example.org: a record and the DKIM key example.org/k2 have the same owner", 7 },
	/* Or hidden by one of the domain's, by its policy's, by a domain below. */
	{ "domain example.org| policy: business| record: '_domainkey DNAME x.example.'",
	  "domain example.org: the DKIM key example.org/k1 cannot be seen by anybody, because the "
	  "DNAME at _domainkey.example.org hides it: remove one of them",
	  3 },
	{ "policy business| base: low| host: mail| ns: 'ns.example.net.'"
	  "| record: '_domainkey.example.org. DNAME x.example.'",
	  "the DKIM key example.org/k1 cannot be seen by anybody, because the DNAME at ", 0 },
	{ "domain new.example| policy: business| record: '_domainkey DNAME x.example.'\n"
	  "dkim new.example/a.b| key: '" KEY1 "'",
	  "domain new.example: the DKIM key new.example/a.b cannot be seen by anybody, because the "
	  "DNAME at _domainkey.new.example hides it",
	  3 },
	{ "domain new.example| policy: business\ndkim new.example/s| key: '" KEY1 "'\n"
	  "domain _domainkey.new.example| policy: business",
	  "domain new.example: the DKIM key new.example/s cannot be seen by anybody, because the "
	  "stored domain _domainkey.new.example hides it",
	  3 },
	/* Without mail there is no key; one of a policy is only warned of. */
	{ "dkim parked.example/s| key: '" KEY1 "'",
	  "domain parked.example: the DKIM key parked.example/s cannot be seen by anybody, because "
	  "no-mail hides it",
	  0 },
	/* Hosts with absolute names, where a domain has that name itself. */
	{ "host abs| name: 'new.example.'| address: 192.0.2.1\n"
	  "policy new| ns: 'ns.example.net.'| host: abs\ndomain new.example| policy: new",
	  "domain new.example: helo-spf: two SPF records at new.example", 11 },
	{ "host abs| name: 'a.new.example.'| address: 192.0.2.1\n"
	  "policy new| ns: 'ns.example.net.'| host: abs| record: 'a CNAME b'\n"
	  "domain new.example| policy: new",
	  "domain new.example: a: a CNAME beside other data at a.new.example", 12 },

	/* Names that grow past 255 octets: of a new domain, of old ones. */
	{ "domain " X200 ".broad.example| policy: other| mx: '10 " X50 "'",
	  "domain " X200
	  ".broad.example: a record's name would grow past 255 octets: the policy has room",
	  3 },
	{ "policy other| ns: 'ns.example.net.'| mx: '10 " X50 "'",
	  "domain " X200
	  ".wide.example: a record's name would grow past 255 octets: the policy has room",
	  0 },
	{ "dkim policy:other/" X50 "| key: '" KEY1 "'",
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
	stored_begin(&s, false, stored);
	const uint64_t id = last_id(&s);
	EACH(c, refused) {
		made_t made;
		make(&s, c->text, &made);
		CHECK(made.ret == KNOT_EINVAL || made.ret == KNOT_ENOENT, "%d", made.ret);
		CHECK(reason_is(made.diag.text, c->reason), "'%s'", made.diag.text);
		CHECK(made.diag.line == c->line, "line %u: %s", made.diag.line, c->reason);
		made_abort(&made);
		CHECK(last_id(&s) == id, "the store was written");
	}
	stored_end(&s);
}

static const struct {
	const char *text;
	size_t added, changed, deleted, same, domains;
	const char *warnings;
} accepted[] = {
	{ "", 0, 0, 0, 0, 0, "" },
	{ stored, 0, 0, 0, 24, 0, "" },
	/* Domains alone. */
	{ "domain new.example| policy: business", 1, 0, 0, 0, 1, "" },
	{ "domain o1.example| policy: business", 0, 1, 0, 0, 1, "" },
	{ "domain o1.example| policy: other\ndomain o2.example| policy: business", 0, 1, 0, 1, 1,
	  "" },
	{ "-domain o1.example", 0, 0, 1, 0, 1, "" },
	{ "-domain o1.example\ndomain o1.example| policy: business", 1, 0, 1, 0, 1, "" },
	{ "-domain alias.example\n-domain example.org", 0, 0, 4, 0, 2, "" },
	{ "-domain alias.example\ndomain alias2.example| alias: example.com", 1, 0, 1, 0, 2, "" },
	/* Policies: all that follow them, by a base, by an alias. */
	{ "policy low| ttl: 200", 0, 1, 0, 0, 4, "" },
	{ "policy other| ns: 'ns.example.net.'| ttl: 200", 0, 1, 0, 0, 3, "" },
	{ "policy bare| ttl: 200", 0, 1, 0, 0, 0, "" },
	{ "policy new| base: business", 1, 0, 0, 0, 0, "" },
	{ "-policy unused", 0, 0, 2, 0, 0, "" },
	{ "-policy unused\n-policy bare\npolicy unused", 1, 0, 3, 0, 0, "" },
	/* Hosts and certificates: those whose policy, or who themselves, have them. */
	{ "host mail| name: mail| address: 192.0.2.99", 0, 1, 0, 0, 4, "" },
	{ "host extra| name: extra| address: 192.0.2.99", 0, 1, 0, 0, 1, "" },
	{ "-host spare", 0, 0, 1, 0, 0, "" },
	{ "certificate c| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'", 0, 1, 0, 0, 4, "" },
	/* Keys: of a policy, of a domain. */
	{ "dkim policy:other/s| key: '" KEY1 "'", 1, 0, 0, 0, 3, "" },
	{ "dkim policy:low/s| key: '" KEY1 "'", 1, 0, 0, 0, 4, "" },
	{ "dkim o1.example/s| key: '" KEY1 "'", 1, 0, 0, 0, 1, "" },
	{ "dkim o1.example/s| key: '" KEY1 "'\ndkim o1.example/t| key: '" KEY1 "'\n"
	  "dkim o2.example/s| key: '" KEY1 "'",
	  3, 0, 0, 0, 2, "" },
	{ "dkim o1.example/s| key: '" KEY1 "'\ndomain o1.example| policy: business", 1, 1, 0, 0, 1,
	  "" },
	{ "dkim o1.example/s| key: '" KEY1 "'\npolicy bare| ttl: 5", 1, 1, 0, 0, 1, "" },
	{ "dkim o1.example/s| key: '" KEY1 "'\npolicy other| ttl: 5| ns: 'ns.example.net.'", 1, 1,
	  0, 0, 3, "" },
	{ "-dkim policy:unused/s1", 0, 0, 1, 0, 0, "" },
	{ "-dkim policy:unused/s1\n-policy unused", 0, 0, 2, 0, 0, "" },
	{ "-policy unused\n-dkim policy:unused/s1", 0, 0, 2, 0, 0, "" },
	/* With its alias. */
	{ "-dkim example.org/k1", 0, 0, 1, 0, 2, "" },
	{ "-domain alias.example\n-domain example.org\n-dkim example.org/k2\n-dkim example.org/k1",
	  0, 0, 4, 0, 2, "" },
	{ "-dkim example.org/k1\n-domain alias.example\n-domain example.org", 0, 0, 4, 0, 2, "" },
	/* Any order: what is referred to may come later, and what refers goes with it. */
	{ "domain new.example| policy: new\n"
	  "policy new| host: new| ns: 'ns.example.net.'\nhost new| name: new",
	  3, 0, 0, 0, 1, "" },
	{ "-host extra\ndomain own.example| policy: business", 0, 1, 1, 0, 1, "" },
	{ "-policy other\n-domain o1.example\n-domain o2.example\n-domain " X200 ".wide.example", 0,
	  0, 4, 0, 3, "" },
	/* Warnings: with the name of the entry, only of what is touched. */
	{ "policy new| mx: '10 gone'", 1, 0, 0, 0, 0,
	  "policy new: mx: gone lies in the domain but is no host with an address: make a host of this name (kmailctl host-set), and name it in the item host\n" },
	{ "domain new.example| policy: business| mx-add: '20 gone'", 1, 0, 0, 0, 1,
	  "domain new.example: mx: gone lies in the domain but is no host with an address: make a host of this name (kmailctl host-set), and name it in the item host\n" },
	/* What is hidden by a domain, from the one above it and by its own keys. */
	{ "domain mail.own.example| policy: other", 1, 0, 0, 0, 1,
	  "domain mail.own.example: it hides what own.example has there: a at mail\n" },
	{ "domain mail.example.org| policy: other\ndomain extra.example.com| policy: other", 2, 0,
	  0, 0, 2, "domain mail.example.org: it hides what example.org has there: a at mail\n" },
	{ "domain _domainkey.example.org| policy: other", 1, 0, 0, 0, 1,
	  "domain _domainkey.example.org: this is a record's name: did you mean one of domain "
	  "example.org?\ndomain _domainkey.example.org: it hides what example.org has there: dkim at "
	  "s1._domainkey\ndomain _domainkey.example.org: it hides the DKIM keys that example.org has "
	  "there\n" },
	{ "domain deep.x.own.example| policy: other", 1, 0, 0, 0, 1, "" },
	{ "dkim example.org/s1| key: '" KEY2 "'", 1, 0, 0, 0, 2,
	  "dkim example.org/s1: it hides the key of its policy with this selector\n" },
	{ "domain example.org| policy: parked", 0, 1, 0, 0, 2,
	  "domain example.org: no-mail hides its DKIM keys, such as example.org/k1\n" },
	{ "domain new.example| policy: parked\ndkim new.example/s| key: '" KEY1 "'", 2, 0, 0, 0, 1,
	  "domain new.example: no-mail hides its DKIM keys, such as new.example/s\n" },
	{ "dkim policy:parked/s| key: '" KEY1 "'", 1, 0, 0, 0, 1,
	  "policy parked: dkim: no-mail hides the DKIM keys of the policy\n" },
};

static void test_accepted(void)
{
	stored_t s;
	stored_begin(&s, false, stored);
	EACH(c, accepted) {
		made_t made;
		make(&s, c->text, &made);
		const mail_change_count_t *count = &made.count;
		if (CHECK(made.ret == KNOT_EOK, "%d %s", made.ret, made.diag.text)) {
			CHECK(count->added == c->added && count->changed == c->changed &&
			              count->deleted == c->deleted && count->same == c->same,
			      "%zu added, %zu changed, %zu deleted, %zu same", count->added,
			      count->changed, count->deleted, count->same);
			CHECK(count->domains == c->domains, "%zu domains", count->domains);
		}
		(void)mail_buf_u8(&made.warnings, 0);
		CHECK_STR((const char *)made.warnings.data, c->warnings);
		made_abort(&made);
	}
	stored_end(&s);
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
		stored_begin(&s, replicated, stored);
		make(&s,
		     "domain sub.example.org| policy: other\ndomain xexample.org| policy: other\n"
		     "policy unused2\ndkim sub.example.org/k1| key: '" KEY1 "'\n"
		     "dkim xexample.org/k1| key: '" KEY1 "'\ndkim policy:unused2/s1| key: '" KEY1
		     "'",
		     &made);
		CHECK_OK(made.ret);
		made_commit(&made);
		make(&s, "-domain alias.example\n-domain example.org\n-policy unused", &made);
		CHECK(made.ret == KNOT_EOK, "%d %s", made.ret, made.diag.text);
		CHECK_INT(made.count.deleted, 6);
		made_commit(&made);
		make(&s, "domain example.org| policy: other", &made);
		CHECK_OK(made.ret);
		made_commit(&made);
		mail_txn_t *txn = begin(s.store, MAIL_STORE_READ);
		CHECK_INT(live(txn, MAIL_SECTION_DKIM, "example.org/k1"), KNOT_ENOENT);
		CHECK_INT(live(txn, MAIL_SECTION_DKIM, "example.org/k2"), KNOT_ENOENT);
		CHECK_INT(live(txn, MAIL_SECTION_DKIM, "policy:unused/s1"), KNOT_ENOENT);
		CHECK_OK(live(txn, MAIL_SECTION_DKIM, "policy:unused2/s1"));
		CHECK_OK(live(txn, MAIL_SECTION_DKIM, "sub.example.org/k1"));
		CHECK_OK(live(txn, MAIL_SECTION_DKIM, "xexample.org/k1"));
		CHECK_OK(live(txn, MAIL_SECTION_DOMAIN, "example.org"));
		mail_txn_abort(txn);
		stored_end(&s);
	}
}

/* What is changed at a domain is changed at its aliases: they are checked, and counted once. */
static void test_aliases(void)
{
	static const char aliased[] =
		"domain t.example| policy: other\n"
		"domain " X200 ".al.example| alias: t.example\n"
		"domain short.example| alias: t.example\ndkim t.example/k| key: '" KEY1 "'";
	static const struct {
		const char *text;
		const char *reason; /* NULL: accepted. */
		size_t domains;
	} cases[] = {
		{ "domain t.example| policy: other| ttl: 300", NULL, 3 },
		{ "domain t.example| policy: business", NULL, 3 },
		{ "dkim t.example/s| key: '" KEY1 "'", NULL, 3 },
		{ "-dkim t.example/k", NULL, 3 },
		{ "domain t.example| policy: business\ndomain short.example| alias: example.org",
		  NULL, 3 },
		{ "-domain short.example\ndomain t.example| policy: business", NULL, 3 },
		{ "domain new.example| policy: business\ndkim new.example/s| key: '" KEY1 "'", NULL,
		  1 },
		{ "domain t.example| policy: other| mx: '10 " X50 "'",
		  "domain " X200 ".al.example: a record's name would grow past 255 octets", 0 },
		{ "dkim t.example/" X50 "| key: '" KEY1 "'",
		  "domain " X200 ".al.example: the name of the DKIM key t.example/", 0 },
		{ "domain " X200 ".new.example| alias: t.example", NULL, 1 },
	};
	stored_t s;
	made_t made;
	stored_begin(&s, false, stored);
	make(&s, aliased, &made);
	CHECK_OK(made.ret);
	made_commit(&made);
	EACH(c, cases) {
		make(&s, c->text, &made);
		if (c->reason == NULL) {
			CHECK(made.ret == KNOT_EOK, "%s", made.diag.text);
			CHECK(made.count.domains == c->domains, "%zu domains", made.count.domains);
		} else {
			CHECK(made.ret == KNOT_EINVAL &&
			              strncmp(made.diag.text, c->reason, strlen(c->reason)) == 0,
			      "%d %s", made.ret, made.diag.text);
		}
		made_abort(&made);
	}
	stored_end(&s);
}

/* Since when the next certificate is known. */
static void test_publish(void)
{
	static const struct {
		const char *text;
		int kept; /* 1: publish as before; 0: as set here; -1: there is none. */
	} steps[] = {
		{ "certificate n| current: '3 1 1 " HEX1 "'", -1 },
		{ "certificate n| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'", 0 },
		{ "certificate n| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'"
		  "| deploy-at: '2027-01-15T08:00:00Z'",
		  1 },
		{ "certificate n| next: '3 1 1 " HEX2 "'", 1 },
		{ "certificate n| current: '3 1 1 " HEX2 "'", -1 },
		{ "certificate n| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'"
		  "| publish: '2027-01-15T09:00:00Z'",
		  0 },
		{ "certificate n| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'", 1 },
		{ "certificate n| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX1 "'", 0 },
	};
	stored_t s;
	char before[32] = "";
	stored_begin(&s, false, stored);
	EACH(c, steps) {
		made_t made;
		mail_entry_t *entry = NULL;
		make(&s, c->text, &made);
		CHECK(made.ret == KNOT_EOK, "%s", made.diag.text);
		REQUIRE(mail_txn_get(made.txn, MAIL_SECTION_CERTIFICATE, MAIL_STR("n"), &entry) ==
		        KNOT_EOK);
		mail_str_t publish = mail_entry_value(entry, MAIL_ITEM_PUBLISH);
		CHECK_INT((publish.len > 0), (c->kept >= 0));
		CHECK(c->kept != 1 || mail_str_is(publish, before));
		CHECK(c->kept != 0 || !mail_str_is(publish, before));
		(void)snprintf(before, sizeof(before), "%.*s", (int)publish.len, publish.data);
		mail_entry_free(entry);
		made_commit(&made);
		/* The same text again changes nothing. */
		make(&s, c->text, &made);
		CHECK(made.count.same == 1 && made.count.changed == 0);
		made_abort(&made);
	}
	stored_end(&s);
}

/* Store literal records without a check. */
static void put_records(mail_txn_t *txn, mail_section_t section, const char *id, const char *first,
                        const char *second)
{
	const bool policy = section == MAIL_SECTION_POLICY;
	const mail_item_t *record = mail_item_get(MAIL_ITEM_RECORD);
	mail_entry_t *entry = entry_of(section, id, policy ? MAIL_ITEM_NS : MAIL_ITEM_POLICY,
	                               policy ? "ns.example.net." : "other");
	CHECK_OK(mail_entry_add(entry, record, MAIL_OP_ADD, MAIL_STR(first), 0));
	if (second != NULL) {
		CHECK_OK(mail_entry_add(entry, record, MAIL_OP_ADD, MAIL_STR(second), 0));
	}
	CHECK_OK(mail_txn_put(txn, entry));
	mail_entry_free(entry);
}

/* Entries that were bad before, as replication may leave them, do not stand in the way of others. */
static void test_bad_before(void)
{
	static const struct {
		const char *text;
		const char *reason; /* NULL: it is accepted. */
	} cases[] = {
		{ "domain new.example| policy: other", NULL },
		{ "policy other| ns: 'ns.example.net.'| ttl: 5", NULL },
		{ "host spare| name: spare", NULL },
		{ "host extra| name: extra", NULL },
		{ "certificate c| current: '3 1 1 " HEX2 "'", NULL },
		{ "dkim policy:other/s| key: '" KEY1 "'", NULL },
		{ "-domain o1.example", NULL },
		{ "-domain lost.example", NULL },
		{ "-domain badder.example\n-domain bad.example\n-policy bad", NULL },
		/* They are repaired, or touched and refused. */
		{ "policy nope| ns: 'ns.example.net.'", NULL },
		{ "host nope| name: nope", NULL },
		{ "domain lost.example| policy: nope| txt: x",
		  "domain lost.example: policy nope does not exist: "
		  "kmailctl policy-set nope ns=NAME mx=MX makes it" },
		{ "domain new.example| policy: bad",
		  "domain new.example: policy bad: host: host nope does not exist" },
		{ "policy bad| host: nope| ttl: 5",
		  "policy bad: host: host nope does not exist: "
		  "kmailctl host-set nope name=NAME address=ADDRESS makes it" },
		/* Literal records that nobody checked, and a key that nobody can see, from before. */
		{ "policy other| ns: 'ns.example.net.'| txt: y", NULL },
		{ "policy other| ns: 'ns.example.net.'| record: 'w CNAME x'",
		  "domain dup.example: record: a CNAME beside other data at w" },
		{ "domain new.example| policy: old",
		  "domain new.example: policy old: record: two SPF records, with which receivers "
		  "refuse mail (RFC 7208 4.5), at w" },
		{ "policy old| ns: 'ns.example.net.'| record: 'w TXT \\'v=spf1 -all\\''", NULL },
		{ "domain hid.example| policy: other| txt: x| record: '_domainkey DNAME x.example.'",
		  "domain hid.example: the DKIM key hid.example/s cannot be seen by anybody, because "
		  "the DNAME at _domainkey.hid.example hides it: remove one of them" },
		{ "domain hid.example| policy: other", NULL },
		{ "-dkim hid.example/s", NULL },
	};
	stored_t s;
	stored_begin(&s, false, stored);
	mail_txn_t *txn = begin(s.store, MAIL_STORE_WRITE);
	put_records(txn, MAIL_SECTION_POLICY, "old", "w TXT \"v=spf1 -all\"",
	            "w TXT \"v=spf1 mx -all\"");
	CHECK_OK(put_domain(txn, "old.example", "old"));
	put_records(txn, MAIL_SECTION_DOMAIN, "hid.example", "_domainkey DNAME x.example.", NULL);
	put_records(txn, MAIL_SECTION_DOMAIN, "dup.example", "w MX 0 .", "w MX 10 .");
	CHECK_OK(put(txn, MAIL_SECTION_DKIM, "hid.example/s", MAIL_ITEM_CNAME, "s.example."));
	CHECK_OK(put_domain(txn, "lost.example", "nope"));
	CHECK_OK(put_domain(txn, "bad.example", "bad"));
	mail_entry_t *bad = entry_of(MAIL_SECTION_POLICY, "bad", MAIL_ITEM_HOST, "nope");
	CHECK_OK(mail_entry_add(bad, mail_item_get(MAIL_ITEM_NS), MAIL_OP_SET,
	                        MAIL_STR("ns.example.net."), 0));
	CHECK_OK(mail_txn_put(txn, bad));
	mail_entry_free(bad);
	CHECK_OK(put(txn, MAIL_SECTION_DOMAIN, "lostalias.example", MAIL_ITEM_ALIAS,
	             "nope.example"));
	mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, "badder.example", MAIL_ITEM_POLICY,
	                               "bad");
	CHECK_OK(
		mail_entry_add(entry, mail_item_get(MAIL_ITEM_TXT), MAIL_OP_SET, MAIL_STR("x"), 0));
	CHECK_OK(mail_txn_put(txn, entry));
	mail_entry_free(entry);
	CHECK_OK(mail_txn_commit(txn));
	EACH(c, cases) {
		made_t made;
		make(&s, c->text, &made);
		if (c->reason == NULL) {
			CHECK(made.ret == KNOT_EOK, "%d %s", made.ret, made.diag.text);
		} else {
			CHECK_INT(made.ret, KNOT_EINVAL);
			CHECK_STR(made.diag.text, c->reason);
		}
		made_abort(&made);
	}
	stored_end(&s);
}

/* Damaged entries: they can be written anew and deleted; of a newer format they are left alone, with a reason. */
static void test_damaged(void)
{
	static const struct {
		const char *text;
		int ret;
	} cases[] = {
		{ "domain example.com| policy: other", KNOT_EOK },
		{ "-domain example.com", KNOT_EOK },
		{ "domain o1.example| policy: business", KNOT_EOK },
		{ "policy unused| ttl: 9", KNOT_EOK },
		{ "policy bare| ttl: 9", KNOT_EOK },
		{ "domain own.example| policy: other", KNOT_ENOTSUP },
		{ "-domain own.example", KNOT_ENOTSUP },
	};
	static const uint8_t header[HEADER] = { 0x17, 0xa0 };
	uint8_t value[HEADER + 1];
	mail_lf_storage_t key;
	stored_t s;
	stored_begin(&s, false, stored);
	mail_store_close(s.store);
	memcpy(value, header, HEADER);
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("example.com"), &key);
	value[HEADER] = 0;
	CHECK(raw_put(s.at.path, "domain", key.data, key.len, value, sizeof(value)));
	CHECK(raw_put(s.at.path, "policy", "unused", 6, value, sizeof(value)));
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("own.example"), &key);
	value[HEADER] = 0xff;
	CHECK(raw_put(s.at.path, "domain", key.data, key.len, value, sizeof(value)));
	s.store = fixture_open(&s.at, MAIL_STORE_WRITE);
	EACH(c, cases) {
		made_t made;
		make(&s, c->text, &made);
		CHECK(made.ret == c->ret, "%d %s", made.ret, made.diag.text);
		CHECK((made.diag.text[0] == '\0') == (c->ret == KNOT_EOK), "'%s'", made.diag.text);
		made_abort(&made);
	}
	stored_end(&s);
}

/* Of a change with more domains than are remembered, each is checked all the same. */
static void test_many(void)
{
	stored_t s;
	made_t made;
	stored_begin(&s, false, stored);
	make(&s, "", &made);
	int ret = KNOT_EOK;
	for (unsigned i = 0; i < 100002 && ret == KNOT_EOK; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "d%06u.example", i);
		mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, name, MAIL_ITEM_POLICY,
		                               "other");
		ret = mail_change_put(made.change, entry, &made.diag);
		mail_entry_free(entry);
	}
	CHECK_OK(ret);
	CHECK_OK(mail_change_finish(made.change, &made.count, &made.diag));
	CHECK_INT(made.count.added, 100002);
	CHECK_INT(made.count.domains, 100002);
	mail_entry_t *entry = entry_of(MAIL_SECTION_DOMAIN, "z.example", MAIL_ITEM_POLICY, "nope");
	CHECK_OK(mail_change_put(made.change, entry, &made.diag));
	CHECK_INT(mail_change_finish(made.change, &made.count, &made.diag), KNOT_EINVAL);
	CHECK_STR(made.diag.text, "domain z.example: policy nope does not exist");
	mail_entry_free(entry);
	made_abort(&made);
	stored_end(&s);
}

/* Without memory: an error, and the transaction can be aborted. */
static void test_failing(void)
{
	static const char text[] =
		"host mail| name: mail| address: 192.0.2.99\npolicy low| ttl: 200\n"
		"dkim o1.example/s| key: '" KEY1 "'\n"
		"domain example.com| policy: business| mx-add: '20 gone'";
	stored_t s;
	mail_entries_t entries = { 0 };
	bool met = true;
	REQUIRE(failing_linked());
	stored_begin(&s, false, stored);
	const uint64_t id = last_id(&s);
	REQUIRE(entries_parse(text, &entries) == KNOT_EOK);
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
		CHECK(ret == KNOT_ENOMEM || ret == KNOT_EOK, "allocation %zu: %d %s", n, ret,
		      diag.text);
		CHECK(met || ret == KNOT_EOK, "allocation %zu: %d", n, ret);
		mail_change_free(change);
		mail_txn_abort(txn);
	}
	CHECK(!met);
	CHECK_INT(last_id(&s), id);
	mail_change_free(NULL);
	mail_entries_free(&entries);
	stored_end(&s);
}

UNIT_MAIN("change", TEST("refused", test_refused),
          TEST("accepted, counted, warned of", test_accepted),
          TEST("aliases of what is changed", test_aliases),
          TEST("keys go with their owner", test_cascade),
          TEST("since when a certificate is known", test_publish),
          TEST("bad before", test_bad_before), TEST("damaged entries", test_damaged),
          TEST("more than is remembered", test_many), TEST("allocations that fail", test_failing))
