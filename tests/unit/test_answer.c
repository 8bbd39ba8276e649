/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole answers: sections, chains, cuts, sizes, TTLs, and what is wrong when there is none. */

#include "lib/asked.h"
#include "lib/failing.h"

#define KSK "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs="
#define ZSK "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define X50 "x2345678901234567890123456789012345678901234567890"
#define X49 "x234567890123456789012345678901234567890123456789"
#define X200 X50 "." X50 "." X50 "." X50

static const char stored[] =
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]\n"
	"host ns1| name: ns1| address: 192.0.2.53\n"
	"policy p| host: [ mail, ns1 ]| ns: [ ns1, 'ns.example.net.' ]| mx: '10 mail'| spf: mx"
	"| srv: imaps| autoconfig: mail\n"
	"policy plain| ns: 'ns.example.net.'| dmarc: none| spf: none| spf-all: none\n"
	"policy ramp| base: plain| dmarc: 'p=none'"
	"| dmarc-ramp: '2027-01-15T08:10:00Z p=reject'\npolicy bare\n"
	"policy circle| base: circle2\npolicy circle2| base: circle\n"
	"dkim example.org/new| key: '" KEY1 "'| publish: '2027-01-15T08:05:00Z'\n"
	"dkim wild.example/new| key: '" KEY1 "'| publish: '2027-01-15T08:05:00Z'\n"
	"domain example.org| policy: p"
	"| record: [ 'www A 192.0.2.80', 'a1 CNAME a2', 'a2 CNAME www', "
	"'out CNAME x.example.net.', 'dead CNAME nope', 'empty CNAME b.c', "
	"'a.b.c A 192.0.2.1', 'loop CNAME loop', 'l1 CNAME l2', 'l2 CNAME l1', 'c1 CNAME c2', "
	"'c2 CNAME c3', 'c3 CNAME c4', 'c4 CNAME c5', 'c5 CNAME c6', 'c6 CNAME www', "
	"'*.w 600 CNAME www', 'down CNAME x.sub', 'kid CNAME www.child', 'old DNAME new', "
	"'www.new A 192.0.2.81', 'gone DNAME gone.example.net.', "
	"'long DNAME " X200 ".example.net.', 'ring DNAME ring.ring', 'ns.sub A 192.0.2.54', "
	"'*.t TXT \\'t\\'', 'over TYPE65534 \\# 1 00' ]"
	"| delegation: [ 'sub NS ns.sub', 'sub NS ns.example.net.', "
	"'sub DS 1 13 2 C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4' ]\n"
	"domain child.example.org| policy: p\n"
	"domain kid.ent.example.org| policy: plain\n"
	"domain ramp.example| policy: ramp| ttl: 3600\n"
	"domain short.example| policy: plain| ttl: 60| mx: '5 mx.example.net.'\n"
	"domain parked.example| policy: plain| no-mail: on\n"
	"domain wild.example| policy: plain| record: '*._domainkey TXT \\'w\\''\n"
	"domain alias.example| alias: example.org\n"
	"domain big.example| policy: plain| txt: [ '" X200 X200 "', '" X200 "' ]\n"
	/* Faults. */
	"domain lost.example| policy: nope\ndomain round.example| policy: circle\n"
	"domain bare.example| policy: bare\n"
	"domain alias2.example| alias: alias.example\n"
	"domain hostless.example| policy: plain| host: nope\n"
	"domain two.example| policy: plain| record: [ 'x CNAME a', 'x CNAME b' ]\n"
	"domain both.example| policy: plain"
	"| record: [ 'x CNAME a.example.net.', 'x A 192.0.2.1' ]\n"
	"domain bad.example| policy: plain\ndomain newer.example| policy: plain\n"
	"domain lost.example.org| policy: nope\n"
	"domain " X200 ".wide.example| policy: plain| mx: '10 " X50 "'";

static void begin(served_t *f)
{
	served_begin(f, stored);
	array_damage(&f->array, "domain bad.example");
	array_newer(&f->array, "domain newer.example");
	served_put(f, NULL);
}

#define MAIL_ADDRESSES                                                                             \
	"+ mail.example.org 3600 A 192.0.2.25\n+ mail.example.org 3600 AAAA 2001:db8::25\n"
#define WWW "> www.example.org 3600 A 192.0.2.80\n"
/* The TTL of a denial is the SOA's minimum. */
#define SOA "^ example.org 300 SOA 1700000001\n"
#define SUB                                                                                        \
	"^ sub.example.org 3600 NS ns.sub.example.org.\n^ sub.example.org 3600 NS ns.example.net.\n"
#define CHILD_NS                                                                                            \
	"^ child.example.org 3600 NS ns.example.net.\n^ child.example.org 3600 NS ns1.child.example.org.\n" \
	"+ ns1.child.example.org 3600 A 192.0.2.53\n"

typedef struct {
	const char *question;
	mail_outcome_t outcome;
	const char *kind; /* Of the first record. */
	const char *expected;
} asking_t;

static const asking_t cases[] = {
	{ "example.com MX", MAIL_OUTCOME_NONE, NULL, "not ours\n" },
	{ "org MX", MAIL_OUTCOME_NONE, NULL, "not ours\n" },
	{ ". MX", MAIL_OUTCOME_NONE, NULL, "not ours\n" },
	{ "xexample.org MX", MAIL_OUTCOME_NONE, NULL, "not ours\n" },

	/* Positive, with the addresses of what is pointed to. */
	{ "example.org MX", MAIL_OUTCOME_ANSWER, "mx",
	  "NOERROR aa\n> example.org 3600 MX 10 mail.example.org.\n" MAIL_ADDRESSES },
	{ "_imaps._tcp.example.org SRV", MAIL_OUTCOME_ANSWER, "srv-imaps",
	  "NOERROR aa\n> _imaps._tcp.example.org 3600 SRV 0 1 993 mail.example.org.\n" MAIL_ADDRESSES },
	{ "example.org NS", MAIL_OUTCOME_ANSWER, "ns",
	  "NOERROR aa\n> example.org 3600 NS ns.example.net.\n> example.org 3600 NS ns1.example.org.\n"
	  "+ ns1.example.org 3600 A 192.0.2.53\n" },
	{ "example.org TXT", MAIL_OUTCOME_ANSWER, "spf",
	  "NOERROR aa\n> example.org 3600 TXT 'v=spf1 mx -all'\n" },
	{ "example.org SOA", MAIL_OUTCOME_ANSWER, "soa",
	  "NOERROR aa\n> example.org 300 SOA 1700000001\n" },
	{ "over.example.org TYPE65534", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> over.example.org 3600 TYPE65534 \\# 1 00\n" },
	{ "short.example MX", MAIL_OUTCOME_ANSWER, "mx",
	  "NOERROR aa\n> short.example 60 MX 5 mx.example.net.\n" },

	/* Negative. */
	{ "example.org CAA", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "b.c.example.org A", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "nope.example.org A", MAIL_OUTCOME_NXDOMAIN, NULL, "NXDOMAIN aa\n" SOA },
	{ "x.www.example.org A", MAIL_OUTCOME_NXDOMAIN, NULL, "NXDOMAIN aa\n" SOA },
	/* With a TTL below the minimum, that. */
	{ "nope.short.example A", MAIL_OUTCOME_NXDOMAIN, NULL,
	  "NXDOMAIN aa\n^ short.example 60 SOA 1700000001\n" },
	{ "www.alias.example A", MAIL_OUTCOME_NXDOMAIN, NULL,
	  "NXDOMAIN aa\n^ alias.example 300 SOA 1700000001\n" },
	{ "alias.example MX", MAIL_OUTCOME_ANSWER, "mx",
	  "NOERROR aa\n> alias.example 3600 MX 10 mail.alias.example.\n+ mail.alias.example 3600 A 192.0.2.25\n"
	  "+ mail.alias.example 3600 AAAA 2001:db8::25\n" },

	/* Aliases are followed in the domain, for every type. */
	{ "a1.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> a1.example.org 3600 CNAME a2.example.org.\n"
	  "> a2.example.org 3600 CNAME www.example.org.\n" WWW },
	{ "a1.example.org CNAME", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> a1.example.org 3600 CNAME a2.example.org.\n" },
	{ "autoconfig.example.org AAAA", MAIL_OUTCOME_ANSWER, "autoconfig",
	  "NOERROR aa\n> autoconfig.example.org 3600 CNAME mail.example.org.\n"
	  "> mail.example.org 3600 AAAA 2001:db8::25\n" },
	{ "a1.example.org MX", MAIL_OUTCOME_NODATA, "record",
	  "NOERROR aa\n> a1.example.org 3600 CNAME a2.example.org.\n"
	  "> a2.example.org 3600 CNAME www.example.org.\n" SOA },
	{ "out.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> out.example.org 3600 CNAME x.example.net.\n" },
	{ "dead.example.org A", MAIL_OUTCOME_NXDOMAIN, "record",
	  "NXDOMAIN aa\n> dead.example.org 3600 CNAME nope.example.org.\n" SOA },
	{ "empty.example.org A", MAIL_OUTCOME_NODATA, "record",
	  "NOERROR aa\n> empty.example.org 3600 CNAME b.c.example.org.\n" SOA },
	{ "loop.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> loop.example.org 3600 CNAME loop.example.org.\n" },
	{ "l1.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> l1.example.org 3600 CNAME l2.example.org.\n> l2.example.org 3600 CNAME l1.example.org.\n" },
	/* Five links, as knotd. */
	{ "c1.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> c1.example.org 3600 CNAME c2.example.org.\n> c2.example.org 3600 CNAME c3.example.org.\n"
	  "> c3.example.org 3600 CNAME c4.example.org.\n> c4.example.org 3600 CNAME c5.example.org.\n"
	  "> c5.example.org 3600 CNAME c6.example.org.\n" },
	{ "c2.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> c2.example.org 3600 CNAME c3.example.org.\n> c3.example.org 3600 CNAME c4.example.org.\n"
	  "> c4.example.org 3600 CNAME c5.example.org.\n> c5.example.org 3600 CNAME c6.example.org.\n"
	  "> c6.example.org 3600 CNAME www.example.org.\n" WWW },

	/* Wildcards answer with the question's name. */
	{ "any.t.example.org TXT", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> any.t.example.org 3600 TXT 't'\n" },
	{ "any.t.example.org A", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "x.y.w.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> x.y.w.example.org 600 CNAME www.example.org.\n" WWW },

	/* DNAME: with the CNAME that it stands for; not at its own name; too long. */
	{ "www.old.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> old.example.org 3600 DNAME new.example.org.\n"
	  "> www.old.example.org 3600 CNAME www.new.example.org.\n> www.new.example.org 3600 A 192.0.2.81\n" },
	{ "x.gone.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> gone.example.org 3600 DNAME gone.example.net.\n"
	  "> x.gone.example.org 3600 CNAME x.gone.example.net.\n" },
	{ "x.gone.example.org CNAME", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> gone.example.org 3600 DNAME gone.example.net.\n"
	  "> x.gone.example.org 3600 CNAME x.gone.example.net.\n" },
	{ "old.example.org DNAME", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> old.example.org 3600 DNAME new.example.org.\n" },
	{ "old.example.org A", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ X50 ".long.example.org A", MAIL_OUTCOME_ANSWER, "record",
	  "YXDOMAIN aa\n> long.example.org 3600 DNAME " X200 ".example.net.\n" },

	/* Cuts: a delegation, stored domains below this one. */
	{ "sub.example.org A", MAIL_OUTCOME_REFERRAL, "delegation",
	  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "x.y.sub.example.org MX", MAIL_OUTCOME_REFERRAL, "delegation",
	  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "ns.sub.example.org A", MAIL_OUTCOME_REFERRAL, "delegation",
	  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "sub.example.org ANY", MAIL_OUTCOME_REFERRAL, "delegation",
	  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "sub.example.org DS", MAIL_OUTCOME_ANSWER, "delegation",
	  "NOERROR aa\n> sub.example.org 3600 DS 1 13 2 "
	  "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4\n" },
	{ "x.sub.example.org DS", MAIL_OUTCOME_REFERRAL, "delegation",
	  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "down.example.org A", MAIL_OUTCOME_REFERRAL, "record",
	  "NOERROR aa\n> down.example.org 3600 CNAME x.sub.example.org.\n" SUB
	  "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
	{ "kid.example.org A", MAIL_OUTCOME_REFERRAL, "record",
	  "NOERROR aa\n> kid.example.org 3600 CNAME www.child.example.org.\n" CHILD_NS },
	{ "child.example.org MX", MAIL_OUTCOME_ANSWER, "mx",
	  "NOERROR aa\n> child.example.org 3600 MX 10 mail.child.example.org.\n"
	  "+ mail.child.example.org 3600 A 192.0.2.25\n+ mail.child.example.org 3600 AAAA 2001:db8::25\n" },
	{ "ent.example.org A", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "x.ent.example.org A", MAIL_OUTCOME_NXDOMAIN, NULL, "NXDOMAIN aa\n" SOA },
	/* DS is the parent's, where there is one. */
	{ "child.example.org DS", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "kid.ent.example.org DS", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "example.org DS", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "www.example.org DS", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
	{ "nope.example.org DS", MAIL_OUTCOME_NXDOMAIN, NULL, "NXDOMAIN aa\n" SOA },
	{ "org DS", MAIL_OUTCOME_NONE, NULL, "not ours\n" },
	{ ". DS", MAIL_OUTCOME_NONE, NULL, "not ours\n" },
	{ "x.child.example.org DS", MAIL_OUTCOME_NXDOMAIN, NULL,
	  "NXDOMAIN aa\n^ child.example.org 300 SOA 1700000001\n" },

	/* ANY: the RRset of the lowest type (RFC 8482). */
	{ "mail.example.org ANY", MAIL_OUTCOME_ANSWER, "a",
	  "NOERROR aa\n> mail.example.org 3600 A 192.0.2.25\n" },
	{ "a1.example.org ANY", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> a1.example.org 3600 CNAME a2.example.org.\n" },
	{ "b.c.example.org ANY", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },

	/* What changes soon is not kept longer: a name that appears, */
	{ "new._domainkey.example.org TXT", MAIL_OUTCOME_NXDOMAIN, NULL, "NXDOMAIN aa\n" SOA },
	{ "_dmarc.ramp.example TXT", MAIL_OUTCOME_ANSWER, "dmarc",
	  "NOERROR aa\n> _dmarc.ramp.example 600 TXT 'v=DMARC1; p=none'\n" },
	/* a wildcard's answer for it. */
	{ "new._domainkey.wild.example TXT", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> new._domainkey.wild.example 300 TXT 'w'\n" },
	{ "other._domainkey.wild.example TXT", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> other._domainkey.wild.example 3600 TXT 'w'\n" },
	{ "other._domainkey.parked.example TXT", MAIL_OUTCOME_ANSWER, "dkim-none",
	  "NOERROR aa\n> other._domainkey.parked.example 3600 TXT 'v=DKIM1; p='\n" },

	/* The CNAME wins over data beside it. */
	{ "x.both.example A", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> x.both.example 3600 CNAME a.example.net.\n" },

	/* Whatever else is wrong is SERVFAIL, with the reason. */
	{ "x.lost.example A", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nlost.example.: policy nope does not exist\n" },
	{ "round.example A", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nround.example.: policy circle is its own base\n" },
	{ "bare.example A", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nbare.example.: the policy has no ns\n" },
	{ "alias2.example A", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nalias2.example.: alias: alias.example is an alias itself\n" },
	{ "hostless.example MX", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nhostless.example.: host: host nope does not exist\n" },
	/* Two aliases, which no writer of ours writes: the first one counts, and all else is answered. */
	{ "x.two.example CNAME", MAIL_OUTCOME_ANSWER, "record",
	  "NOERROR aa\n> x.two.example 3600 CNAME a.two.example.\n" },
	{ "bad.example A", MAIL_OUTCOME_FAILED, NULL, "SERVFAIL\nbad.example.: malformed data\n" },
	{ "newer.example A", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL\nnewer.example.: operation not supported\n" },
	/* A name that has no room for what the policy puts before it: that record alone. */
	{ X200 ".wide.example MX", MAIL_OUTCOME_FAILED, NULL,
	  "SERVFAIL aa\n" X50 "." X49 ": a record cannot be rendered (malformed data)\n" },
	{ X200 ".wide.example NS", MAIL_OUTCOME_ANSWER, "ns",
	  "NOERROR aa\n> " X200 ".wide.example 3600 NS ns.example.net.\n" },
	/* A child that cannot be read: the referral to it. */
	{ "lost.example.org DS", MAIL_OUTCOME_NODATA, NULL, "NOERROR aa\n" SOA },
};

static void ask_case(served_t *f, const asking_t *c)
{
	mail_buf_t got = { 0 };
	CHECK_OK(asked_begin(&f->asked, c->question));
	CHECK(f->asked.reply.outcome == c->outcome, "%s: %d", c->question, f->asked.reply.outcome);
	const char *kind = f->asked.reply.kind < MAIL_KIND_COUNT
	                           ? mail_kinds[f->asked.reply.kind].name
	                           : NULL;
	if (c->outcome != MAIL_OUTCOME_FAILED) {
		CHECK(kind == c->kind ||
		              (kind != NULL && c->kind != NULL && strcmp(kind, c->kind) == 0),
		      "%s: kind %s", c->question, kind != NULL ? kind : "none");
	}
	show_answer(&f->asked, &got);
	shown_is(&got, c->expected, c->question);
	asked_end(&f->asked);
}

/* What is answered for a stored domain below is counted as its delegation. */
static void test_child_kind(void)
{
	served_t f;
	begin(&f);
	served_put(
		&f,
		"key-set k"
		"| key: '3613 ed25519 csk ds=2027-01-15T07:00:00Z l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4='\n"
		"policy signed| ns: 'ns.example.net.'| key-set: k\n"
		"domain child.example.org| policy: signed");
	CHECK_OK(asked_begin(&f.asked, "child.example.org DS"));
	CHECK_INT(f.asked.reply.outcome, MAIL_OUTCOME_ANSWER);
	const uint16_t kind = f.asked.reply.kind;
	CHECK(kind < MAIL_KIND_COUNT && strcmp(mail_kinds[kind].name, "child") == 0);
	asked_end(&f.asked);
	served_end(&f);
}

static void test_cases(void)
{
	served_t f;
	begin(&f);
	EACH(c, cases) {
		ask_case(&f, c);
	}
	/* In the other order: nothing hangs on what was asked before. */
	for (size_t i = COUNT(cases); i-- > 0;) {
		ask_case(&f, &cases[i]);
	}
	served_end(&f);
	/* With a cache of one plan. */
	begin(&f);
	mail_cache_free(f.asked.cache);
	f.asked.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	mail_cache_sync(f.asked.cache, 1, f.array.txnid);
	EACH(c, cases) {
		ask_case(&f, c);
	}
	served_end(&f);
}

/* The question's spelling comes back, in the answer's owner, too. */
static void test_spelling(void)
{
	served_t f;
	begin(&f);
	CHECK_OK(asked_begin(&f.asked, "eXaMpLe.OrG MX"));
	const knot_pktsection_t *answer = knot_pkt_section(f.asked.pkt, KNOT_ANSWER);
	REQUIRE(answer->count == 1);
	/* The owner is a pointer to the question. */
	const uint8_t *owner = f.asked.pkt->wire + KNOT_WIRE_HEADER_SIZE + 13 + 4;
	CHECK_INT(owner[0], 0xc0);
	CHECK_INT(owner[1], KNOT_WIRE_HEADER_SIZE);
	CHECK_INT(memcmp(f.asked.pkt->wire + KNOT_WIRE_HEADER_SIZE,
	                 "\x07"
	                 "eXaMpLe\x03OrG",
	                 12),
	          0);
	asked_end(&f.asked);
	served_end(&f);
}

/* What does not fit: TC over UDP where it is missed, silence where it is not. */
static void test_sizes(void)
{
	static const struct {
		const char *question;
		size_t size;
		bool tcp;
		mail_outcome_t outcome;
		const char *expected;
	} sizes[] = {
		{ "big.example TXT", 512, false, MAIL_OUTCOME_TRUNCATED, "NOERROR aa tc\n" },
		{ "big.example TXT", 4096, true, MAIL_OUTCOME_ANSWER,
		  "NOERROR aa\n> big.example 3600 TXT '" X200 "'\n> big.example 3600 TXT '" X200
		  "x2345678901234567890123456789012345678901234567890.x' '"
		  "2345678901234567890123456789012345678901234567890." X50 "." X50 "'\n" },
		/* Addresses may be left out; an A that fits goes without the AAAA. */
		{ "example.org MX", 50, false, MAIL_OUTCOME_ANSWER,
		  "NOERROR aa\n> example.org 3600 MX 10 mail.example.org.\n" },
		{ "example.org MX", 66, false, MAIL_OUTCOME_ANSWER,
		  "NOERROR aa\n> example.org 3600 MX 10 mail.example.org.\n+ mail.example.org 3600 A 192.0.2.25\n" },
		{ "example.org MX", 48, false, MAIL_OUTCOME_TRUNCATED, "NOERROR aa tc\n" },
		/* So may the SOA of a denial. */
		{ "nope.example.org A", 60, false, MAIL_OUTCOME_NXDOMAIN, "NXDOMAIN aa\n" },
		/* Of a chain there is as much as fits. */
		{ "a1.example.org A", 56, false, MAIL_OUTCOME_TRUNCATED,
		  "NOERROR aa tc\n> a1.example.org 3600 CNAME a2.example.org.\n" },
		/* Glue may not (RFC 9471). */
		{ "x.sub.example.org A", 100, false, MAIL_OUTCOME_REFERRAL,
		  "NOERROR\n" SUB "+ ns.sub.example.org 3600 A 192.0.2.54\n" },
		{ "x.sub.example.org A", 92, false, MAIL_OUTCOME_TRUNCATED, "NOERROR tc\n" SUB },
	};
	served_t f;
	begin(&f);
	EACH(c, sizes) {
		mail_buf_t got = { 0 };
		f.asked.size = c->size;
		f.asked.tcp = c->tcp;
		CHECK_OK(asked_begin(&f.asked, c->question));
		CHECK(f.asked.reply.outcome == c->outcome, "%s %zu: %d", c->question, c->size,
		      f.asked.reply.outcome);
		CHECK(f.asked.pkt->size <= c->size, "%s: %zu octets", c->question,
		      f.asked.pkt->size);
		show_answer(&f.asked, &got);
		shown_is(&got, c->expected, c->question);
		asked_end(&f.asked);
	}
	served_end(&f);
}

/* Every size from a header on: no answer grows past it, and with TC only one that is whole elsewhere. */
static void test_every_size(void)
{
	served_t f;
	begin(&f);
	EACH(c, cases) {
		const size_t least = KNOT_WIRE_HEADER_SIZE + strlen(c->question) + 6;
		bool whole = false;
		for (size_t size = least; size < 700; size += 7) {
			f.asked.size = size;
			CHECK_OK(asked_begin(&f.asked, c->question));
			const mail_reply_t *reply = &f.asked.reply;
			const bool tc = knot_wire_get_tc(f.asked.pkt->wire);
			CHECK(f.asked.pkt->size <= size, "%s %zu", c->question, size);
			CHECK(tc == (reply->outcome == MAIL_OUTCOME_TRUNCATED), "%s %zu",
			      c->question, size);
			CHECK(reply->outcome == c->outcome || tc, "%s %zu", c->question, size);
			/* Once it fits, it fits in more. */
			CHECK(!whole || !tc, "%s %zu", c->question, size);
			whole = !tc;
			asked_end(&f.asked);
		}
	}
	served_end(&f);
}

/* Through time: TTLs of answers and of denials shrink to the second that changes them. */
static void test_times(void)
{
	static const struct {
		int64_t second;
		const char *question;
		const char *expected;
	} times[] = {
		{ 0, "new._domainkey.example.org TXT",
		  "NXDOMAIN aa\n^ example.org 300 SOA 1700000001\n" },
		{ 100, "new._domainkey.example.org TXT",
		  "NXDOMAIN aa\n^ example.org 200 SOA 1700000001\n" },
		{ 299, "new._domainkey.example.org TXT",
		  "NXDOMAIN aa\n^ example.org 1 SOA 1700000001\n" },
		{ 300, "new._domainkey.example.org TXT",
		  "NOERROR aa\n> new._domainkey.example.org 3600 TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1
		  "'\n" },
		/* Other denials do not hang on it; the SOA itself does. */
		{ 299, "nope.example.org TXT", "NXDOMAIN aa\n^ example.org 300 SOA 1700000001\n" },
		{ 299, "example.org SOA", "NOERROR aa\n> example.org 1 SOA 1700000001\n" },
		{ 300, "example.org SOA", "NOERROR aa\n> example.org 3600 SOA 1800000300\n" },
		{ 599, "_dmarc.ramp.example TXT",
		  "NOERROR aa\n> _dmarc.ramp.example 1 TXT 'v=DMARC1; p=none'\n" },
		{ 600, "_dmarc.ramp.example TXT",
		  "NOERROR aa\n> _dmarc.ramp.example 3600 TXT 'v=DMARC1; p=reject'\n" },
		{ 600, "x.ramp.example TXT", "NXDOMAIN aa\n^ ramp.example 300 SOA 1800000600\n" },
		{ 299, "new._domainkey.wild.example TXT",
		  "NOERROR aa\n> new._domainkey.wild.example 1 TXT 'w'\n" },
		{ 299, "new._domainkey.wild.example A",
		  "NOERROR aa\n^ wild.example 1 SOA 1700000001\n" },
	};
	served_t f;
	begin(&f);
	EACH(c, times) {
		f.asked.now = NOW + c->second;
		(void)served_answer(&f, c->question, c->expected);
	}
	served_end(&f);
}

/* Who asks is told whose question it is, so that he can decide; nothing is put before. */
static void test_find(void)
{
	static const struct {
		const char *question;
		int ret;
		size_t labels;
	} cases_find[] = {
		{ "example.com A", KNOT_ENOENT, 0 },
		{ "x.y.example.org A", KNOT_EOK, 2 },
		{ "x.child.example.org A", KNOT_EOK, 3 },
		{ "child.example.org DS", KNOT_EOK, 2 },
		/* Of the question's own domain alone no zone above can be nearer. */
		{ "example.org DS", KNOT_EOK, 0 },
		{ "lost.example A", KNOT_EOK, 2 },
		/* Any zone is better than a domain that cannot be read. */
		{ "bad.example A", KNOT_EOK, 0 },
	};
	served_t f;
	begin(&f);
	EACH(c, cases_find) {
		CHECK_OK(asked_packet(&f.asked, c->question));
		int ret = mail_answer_find(f.asked.source, f.asked.pkt, &f.asked.hosted);
		CHECK(ret == c->ret, "%s: %d", c->question, ret);
		CHECK(ret != KNOT_EOK || f.asked.hosted.labels == c->labels, "%s: %zu", c->question,
		      f.asked.hosted.labels);
		CHECK(f.asked.pkt->rrset_count == 0 && !knot_wire_get_aa(f.asked.pkt->wire), "%s",
		      c->question);
		asked_end(&f.asked);
		CHECK_OK(asked_begin(&f.asked, c->question));
		CHECK((f.asked.reply.outcome == MAIL_OUTCOME_NONE) == (c->ret == KNOT_ENOENT),
		      "%s: %d", c->question, f.asked.reply.outcome);
		asked_end(&f.asked);
	}
	served_end(&f);
}

/* Without memory: SERVFAIL with a reason, and the next question is answered. */
static void test_failing(void)
{
	served_t f;
	REQUIRE(failing_linked());
	begin(&f);
	/* A part of the cases: what compiling a plan takes is swept in test_cache.c. */
	for (size_t i = 0; i < COUNT(cases); i += 5) {
		bool met = true;
		for (size_t n = 1; met; n++) {
			mail_cache_free(f.asked.cache);
			f.asked.cache = mail_cache_new(MAIL_CACHE_OCTETS);
			mail_cache_sync(f.asked.cache, 1, f.array.txnid);
			(void)failing_on(n);
			int ret = asked_begin(&f.asked, cases[i].question);
			met = failing_off();
			const mail_outcome_t outcome = f.asked.reply.outcome;
			CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM, "%s %zu: %d",
			      cases[i].question, n, ret);
			if (ret == KNOT_EOK && outcome == MAIL_OUTCOME_FAILED) {
				CHECK(f.asked.reply.reason[0] != '\0' &&
				              f.asked.reply.rcode == KNOT_RCODE_SERVFAIL,
				      "%s %zu", cases[i].question, n);
			} else if (ret == KNOT_EOK) {
				CHECK(outcome == cases[i].outcome ||
				              outcome == MAIL_OUTCOME_TRUNCATED,
				      "%s %zu: %d", cases[i].question, n, outcome);
			}
			asked_end(&f.asked);
			if (met && n % 16 == 1) {
				ask_case(&f, &cases[i]);
			}
		}
	}
	served_end(&f);
}

/* Nothing unsigned of a signed domain, whatever its key set lacks. */
static void test_unsignable(void)
{
	static const struct {
		const char *question;
		const char *expected;
	} unsignable[] = {
		{ "over.example SOA", "SERVFAIL\nover.example.: its key set has keys, but none "
		                      "that signs its records now\n" },
		{ "x.keyless.example A", "SERVFAIL\nkeyless.example.: key-set: key-set gone does "
		                         "not exist\n" },
		{ "bad.example MX", "SERVFAIL\nbad.example.: key-set: key-set bad cannot be "
		                    "read\n" },
		{ "absent.example MX", "SERVFAIL\nabsent.example.: a private key of its key set "
		                       "is missing\n" },
	};
	served_t f;
	begin(&f);
	/* Seen from before: what was once does not matter to who writes it. */
	f.asked.now = 1600000000;
	served_put(&f,
	           "key-set over| key: [ '3612 ed25519 zsk activate=2021-01-01T00:00:00Z " ZSK "', "
	           "'35217 ed25519 ksk publish=2021-01-01T00:00:00Z " KSK "' ]\n"
	           "key-set bad| key: '3613 ed25519 csk " ZSK "'\n"
	           "key-set absent| key: '3613 ed25519 csk " ZSK "'\n"
	           "domain over.example| policy: plain| key-set: over\n"
	           "domain keyless.example| policy: plain| key-set: gone\n"
	           "domain bad.example| policy: plain| key-set: bad\n"
	           "domain absent.example| policy: plain| key-set: absent");
	array_damage(&f.array, "key-set bad");
	served_put(&f, NULL);
	EACH(c, unsignable) {
		(void)served_answer(&f, c->question, c->expected);
	}
	served_end(&f);
}

/* A SOA that has no room is not a packet that has none. */
static void test_wide_soa(void)
{
	static const char domain[] = X200 ".wide.x2345678901234567890123456789012345";
	char text[512];
	served_t f;
	mail_buf_t got = { 0 };
	begin(&f);
	(void)snprintf(text, sizeof(text), "domain %s| policy: plain", domain);
	served_put(&f, text);
	(void)snprintf(text, sizeof(text), "%s A", domain);
	CHECK_OK(asked_begin(&f.asked, text));
	show_answer(&f.asked, &got);
	CHECK_INT(f.asked.reply.outcome, MAIL_OUTCOME_FAILED);
	CHECK_INT(f.asked.reply.rcode, KNOT_RCODE_SERVFAIL);
	mail_buf_free(&got);
	asked_end(&f.asked);
	served_end(&f);
}

UNIT_MAIN("answer", TEST("answers", test_cases), TEST("a stored domain below", test_child_kind),
          TEST("the question's spelling", test_spelling), TEST("what does not fit", test_sizes),
          TEST("every size", test_every_size), TEST("through time", test_times),
          TEST("zones that are nearer", test_find),
          TEST("key sets that cannot sign", test_unsignable),
          TEST("a SOA without room", test_wide_soa), TEST("allocations that fail", test_failing))
