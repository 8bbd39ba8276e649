/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands beside what, and what nobody can see: refused for writers, and answered as before for readers. */

#include "lib/failing.h"
#include "lib/planned.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"

#define MAIL_HOST "host mail| name: mail| address: 192.0.2.25\n"
#define SUB(text) "domain example.org| policy: p| delegation: [ " text " ]"
#define OWN(text) "domain example.org| policy: p| record: [ " text " ]"

typedef struct {
	const char *policy;
	const char *others;
	const char *reason;   /* NULL: it is accepted. */
	const char *warnings; /* NULL: none. */
} writing_t;

/* Records of one owner, whoever made them. */
static const writing_t beside[] = {
	{ "record: [ 'w TXT \\'v=spf1 -all\\'', 'w TXT \\'v=spf1 mx -all\\'' ]", "",
	  "record: two SPF records, with which receivers refuse mail (RFC 7208 4.5), at w", NULL },
	{ "record: [ 'w TXT \\'v=spf1 -all\\'', 'w TXT \\'v=sp\\' \\'f1 mx -all\\'' ]", "",
	  "record: two SPF records, with which receivers refuse mail (RFC 7208 4.5), at w", NULL },
	{ "record: [ '* TXT \\'v=spf1 -all\\'', '* TXT \\'V=SPF1 mx -all\\'' ]", "",
	  "record: two SPF records, with which receivers refuse mail (RFC 7208 4.5), at *", NULL },
	{ "record: [ 'w TXT \\'v=spf1 -all\\'', 'w TXT \\'v=spf10\\'' ]", "", NULL, NULL },
	{ "record: [ 'w TXT \\'v=spf1 -all\\'', 'v TXT \\'v=spf1 mx -all\\'' ]", "", NULL, NULL },
	{ "spf: none| spf-all: none"
	  "| record: [ '@ TXT \\'v=spf1 -all\\'', '@ TXT \\'v=spf1 mx -all\\'' ]",
	  "", "record: two SPF records, with which receivers refuse mail (RFC 7208 4.5), at @",
	  NULL },
	/* The domain is known: its own owner may be written with all its labels. */
	{ "", OWN("'w TXT \\'v=spf1 -all\\'', 'w.example.org. TXT \\'v=spf1 mx -all\\''"),
	  "record: two SPF records, with which receivers refuse mail (RFC 7208 4.5), at w", NULL },
	{ "dmarc: none| record: [ '_dmarc TXT \\'v=DMARC1; p=none\\'', '_dmarc TXT \\'v=DMARC1; "
	  "p=reject\\'' ]",
	  "", "record: two DMARC records, with which there is none (RFC 9989 4.10), at _dmarc",
	  NULL },
	{ "record: [ '_mta-sts TXT \\'v=STSv1; id=1\\'', '_mta-sts TXT \\'v=STSv1; id=2\\'' ]", "",
	  "record: two MTA-STS records, with which there is none (RFC 8461 3.1), at _mta-sts",
	  NULL },
	{ "record: [ '_smtp._tls TXT \\'v=TLSRPTv1; rua=mailto:a@x.example\\'', "
	  "'_smtp._tls TXT \\'v=TLSRPTv1; rua=mailto:b@x.example\\'' ]",
	  "", "record: two TLS-RPT records, with which there is none (RFC 8460 3), at _smtp._tls",
	  NULL },
	{ "record: [ 'd._bimi TXT \\'v=BIMI1; l=\\'', 'd._bimi TXT \\'v=BIMI1; l=; a=\\'' ]", "",
	  "record: two BIMI records at d._bimi", NULL },
	{ "record: [ 's._domainkey TXT \\'p=\\'', 's._domainkey TXT \\'v=DKIM1; p=\\'' ]", "",
	  "record: two DKIM keys with one selector (RFC 6376 3.6.2.2) at s._domainkey", NULL },
	{ "record: [ 'w MX 0 .', 'w MX 10 mail' ]", "",
	  "record: a null MX beside another MX (RFC 7505 3) at w", NULL },
	{ "record: [ 'w MX 10 mail', 'w MX 10 mx.example.net.' ]", "", NULL, NULL },
	{ "srv: [ 'imaps mail', 'imaps .' ]", MAIL_HOST,
	  "srv-imaps: \".\" (not offered) beside a host (RFC 2782) at _imaps._tcp", NULL },
	{ "record: [ '_x._tcp SRV 0 0 0 .', '_x._tcp SRV 0 1 5 mail' ]", "",
	  "record: \".\" (not offered) beside a host (RFC 2782) at _x._tcp", NULL },
	{ "record: [ 'w DNAME a.example.', 'w DNAME b.example.' ]", "",
	  "record: two DNAMEs (RFC 6672 2.4) at w", NULL },
	{ "record: [ 'w 300 A 192.0.2.1', 'w 600 A 192.0.2.2' ]", "", NULL,
	  "record: w A: its records have different TTLs, and all get the lowest (RFC 2181 5.2)\n" },
	{ "record: [ 'w 300 A 192.0.2.1', 'w A 192.0.2.2' ]", "", NULL,
	  "record: w A: its records have different TTLs, and all get the lowest (RFC 2181 5.2)\n" },
	{ "record: [ 'w 300 A 192.0.2.1', 'w 600 A 192.0.2.1' ]", "", NULL,
	  "record: a record of w is given twice, and shown once, with the TTL that comes first\n" },
	{ "record: [ 'w 300 A 192.0.2.1', 'w 600 AAAA ::1' ]", "", NULL, NULL },
	{ "record: 'w A 192.0.2.1'",
	  OWN("'w.example.org. A 192.0.2.1' ]| record-add: [ 'w A 192.0.2.1'"), NULL,
	  "record: a record of w is given twice, and shown once\n" },
	/* What one record says: record/check.h. */
	{ "record: 'w MX 10 0.'", "",
	  "record: w MX: \"0.\" is no host: the last label of a name is never all digits (RFC 3696 2)",
	  NULL },
	{ "mx: '10 0.'", "",
	  "mx: @ MX: \"0.\" is no host: the last label of a name is never all digits (RFC 3696 2)",
	  NULL },
	{ "record: 'w TXT \\'v=spf1 foo -all\\''", "",
	  "record: w TXT: 'foo' is not one of all include a mx ip4 ip6 exists", NULL },
	{ "txt: 'v=DMARC1; p=none'", "", NULL,
	  "txt: @ TXT: no reader looks for DMARC here: write it at _dmarc\n" },
	/* A domain may be named as what stands at a name. */
	{ "record: 's TXT x'", "", NULL, NULL },
	/* A delegation has NS. */
	{ "", SUB("'sub DS 1 13 2 " HEX1 "'"),
	  "delegation: sub DS: a DS without NS at its name says nothing (RFC 4035 2.4): add the "
	  "delegation's NS",
	  NULL },
	{ "", SUB("'sub DS 1 13 2 " HEX1 "', 'a.sub NS ns.example.net.'"),
	  "delegation: sub DS: a DS without NS at its name says nothing (RFC 4035 2.4): add the "
	  "delegation's NS",
	  NULL },
	{ "", SUB("'sub DS 1 13 2 " HEX1 "', 'sub NS ns.example.net.'"), NULL, NULL },
	{ "", SUB("'example.org. NS ns.example.net.'"),
	  "delegation: a delegation, which is for a name below the domain, at @: the domain's own name servers are the item ns",
	  NULL },
	{ "", SUB("'w NS ns.example.net.'") "| record: 'w DNAME x.example.'",
	  "record: a DNAME beside NS (RFC 6672 2.3) at w", NULL },
	{ "ns: 'ns.example.net.'", OWN("'example.org. DNAME x.example.'"),
	  "record: a DNAME beside NS (RFC 6672 2.3) at @: every domain has its own SOA and NS",
	  NULL },
	/* Outside of the domain there is another one; what a policy has is there for it. */
	{ "", OWN("'w.example.net. A 192.0.2.1'"),
	  "record: w.example.net. lies outside of the domain: without the dot at its end it is "
	  "w.example.net.example.org., else it belongs to another domain's records",
	  NULL },
	{ "", SUB("'w.example.net. NS ns.example.net.'"),
	  "delegation: w.example.net. lies outside of the domain: without the dot at its end it is "
	  "w.example.net.example.org., else it belongs to another domain's records",
	  NULL },
	{ "", OWN("'xexample.org. A 192.0.2.1'"),
	  "record: xexample.org. lies outside of the domain: without the dot at its end it is "
	  "xexample.org.example.org., else it belongs to another domain's records",
	  NULL },
	{ "record: 'w.example.net. A 192.0.2.1'",
	  OWN("'v A 192.0.2.1' ]| record-add: [ 'u A 192.0.2.1'"), NULL, NULL },
	{ "", OWN("'w.example.org. A 192.0.2.1', 'example.org. A 192.0.2.1'"), NULL, NULL },
};

/* Below a delegation, a DNAME, a stored domain. */
static const writing_t hidden[] = {
	{ "", SUB("'sub NS ns.example.net.'") "| record: 'w.sub A 192.0.2.1'",
	  "record: w.sub A: nobody can see it, because the delegation of sub hides it: remove one of "
	  "them",
	  NULL },
	{ "", SUB("'sub NS ns.example.net.'") "| record: 'sub TXT x'",
	  "record: sub TXT: nobody can see it, because the delegation of sub hides it: remove one of "
	  "them",
	  NULL },
	{ "", SUB("'sub NS ns.example.net.'") "| record: 'w.sub.example.org. A 192.0.2.1'",
	  "record: w.sub A: nobody can see it, because the delegation of sub hides it: remove one of "
	  "them",
	  NULL },
	{ "", SUB("'sub NS ns.example.net.'") "| record: '*.sub A 192.0.2.1'",
	  "record: *.sub A: nobody can see it, because the delegation of sub hides it: remove one of "
	  "them",
	  NULL },
	{ "", SUB("'sub NS ns.example.net.', 'a.sub NS ns.example.net.'"),
	  "delegation: a.sub NS: nobody can see it, because the delegation of sub hides it: remove "
	  "one of them",
	  NULL },
	{ "",
	  SUB("'sub NS ns.example.net.'") "| record: [ 'xsub A 192.0.2.1', 'sub.x A 192.0.2.1' ]",
	  NULL, NULL },
	/* Glue is seen, and nothing else of that name. */
	{ "", SUB("'sub NS ns1.sub', 'lab NS ns1.sub'") "| record: 'ns1.sub A 192.0.2.1'", NULL,
	  NULL },
	{ "", SUB("'sub NS sub'") "| record: [ 'sub A 192.0.2.1', 'sub AAAA ::1' ]", NULL, NULL },
	{ "", SUB("'sub NS ns1.sub'") "| record: [ 'ns1.sub A 192.0.2.1', 'ns1.sub TXT x' ]",
	  "record: ns1.sub TXT: nobody can see it, because the delegation of sub hides it: remove "
	  "one of them",
	  NULL },
	{ "host: h", "host h| name: ns1.sub| address: 192.0.2.1\n" SUB("'sub NS ns1.sub'"), NULL,
	  NULL },
	/* Items of the domain's own, of every kind. */
	{ "", SUB("'_dmarc NS ns.example.net.'") "| dmarc: 'p=reject'",
	  "dmarc: _dmarc TXT: nobody can see it, because the delegation of _dmarc hides it: remove "
	  "one of them",
	  NULL },
	{ "mx: '10 mail'",
	  MAIL_HOST SUB("'_mta-sts NS ns.example.net.'") "| mta-sts: enforce| host-add: mail",
	  "mta-sts: _mta-sts TXT: nobody can see it, because the delegation of _mta-sts hides it: "
	  "remove one of them",
	  NULL },
	{ "", SUB("'_tls NS ns.example.net.'") "| tls-rpt: 'mailto:t@x.example'",
	  "tls-rpt: _smtp._tls TXT: nobody can see it, because the delegation of _tls hides it: "
	  "remove one of them",
	  NULL },
	{ "", OWN("'_tcp DNAME x.example.'") "| srv: 'imaps .'",
	  "srv-imaps: _imaps._tcp SRV: nobody can see it, because the DNAME at _tcp hides it: remove "
	  "one of them",
	  NULL },
	{ "", OWN("'_bimi DNAME x.example.'") "| bimi: none| bimi-add: 'default none'",
	  "bimi: default._bimi TXT: nobody can see it, because the DNAME at _bimi hides it: remove "
	  "one of them",
	  NULL },
	{ "", SUB("'autoconfig NS ns.example.net.'") "| autoconfig: x.example.",
	  "autoconfig: a CNAME beside other data at autoconfig: autoconfig=none takes away the made record",
	  NULL },
	{ "",
	  "host h| name: a.sub| address: 192.0.2.1\n" SUB(
		  "'sub NS ns.example.net.'") "| host-add: h",
	  "a: a.sub A: nobody can see it, because the delegation of sub hides it: remove one of them",
	  NULL },
	{ "",
	  "host h| name: h| tlsa: '3 1 1 " HEX1
	  "'\n" OWN("'_tcp.h DNAME x.example.'") "| host-add: h",
	  "tlsa: _25._tcp.h TLSA: nobody can see it, because the DNAME at _tcp.h hides it: remove "
	  "one of them",
	  NULL },
	/* What the policy has for all its domains, this one may hide: told, once for what hides it. */
	{ "dmarc: 'p=reject'", SUB("'_dmarc NS ns.example.net.'"), NULL,
	  "the delegation of _dmarc hides what the policy has there: dmarc at _dmarc\n" },
	{ "srv: [ 'imap .', 'pop3 .' ]", OWN("'_tcp DNAME x.example.'"), NULL,
	  "the DNAME at _tcp hides what the policy has there: srv-imap at _imap._tcp\n" },
	{ "host: mail", MAIL_HOST SUB("'mail NS ns.example.net.'"), NULL,
	  "the delegation of mail hides what the policy has there: a at mail\n" },
	{ "", "dkim policy:p/s| key: '" KEY1 "'\n" SUB("'_domainkey NS ns.example.net.'"), NULL,
	  "the delegation of _domainkey hides what the policy has there: dkim at s._domainkey\n" },
	{ "", "dkim policy:p/s| key: '" KEY1 "'\n" OWN("'_domainkey DNAME x.example.'"), NULL,
	  "the DNAME at _domainkey hides what the policy has there: dkim at s._domainkey\n" },
	{ "no-mail: on", OWN("'_domainkey DNAME x.example.'"), NULL,
	  "the DNAME at _domainkey hides what the policy has there: dkim-none at *._domainkey\n" },
	/* Nobody has asked for the DMARC record that every domain has. */
	{ "", SUB("'_dmarc NS ns.example.net.'"), NULL, NULL },
	/* In one policy it is a slip. */
	{ "record: '_domainkey DNAME x.example.'", "dkim policy:p/s| key: '" KEY1 "'",
	  "dkim: s._domainkey TXT: nobody can see it, because the DNAME at _domainkey hides it: "
	  "remove one of them",
	  NULL },
	{ "record: [ 'o.example.net. DNAME x.example.', 'w.o.example.net. A 192.0.2.1' ]", "",
	  "record: w.o.example.net A: nobody can see it, because the DNAME at o.example.net hides "
	  "it: remove one of them",
	  NULL },
	{ "record: [ 'o.example.net. DNAME x.example.', 'w A 192.0.2.1' ]", "", NULL, NULL },
	/* Stored domains below. */
	{ "", OWN("'w.sub A 192.0.2.1'") "\ndomain sub.example.org| policy: p", NULL,
	  "the stored domain sub.example.org hides what the domain has there: record at w.sub\n" },
	{ "", SUB("'sub NS ns.example.net.'") "\ndomain sub.example.org| policy: p", NULL,
	  "the stored domain sub.example.org hides what the domain has there: delegation at sub\n" },
	{ "", OWN("'w.sub A 192.0.2.1'") "\ndomain xsub.example.org| policy: p", NULL, NULL },
	{ "host: mail", MAIL_HOST OWN("'w A 192.0.2.1'") "\ndomain mail.example.org| policy: p",
	  NULL, "the stored domain mail.example.org hides what the policy has there: a at mail\n" },
	/* A host with an absolute name is there for the domain that it lies in. */
	{ "host: far",
	  "host far| name: 'mx.sub.example.org.'| address: 192.0.2.9\n" OWN(
		  "'w A 192.0.2.1'") "\ndomain sub.example.org| policy: p",
	  NULL, NULL },
	{ "host: far",
	  "host far| name: 'mx.sub.example.org.'| address: 192.0.2.9\n" SUB(
		  "'sub NS ns.example.net.'"),
	  NULL,
	  "the delegation of sub hides what the policy has there: a at mx.sub.example.org\n" },
};

static void check_writing(const writing_t *c)
{
	planned_t p;
	const bool good = planned_begin(&p, c->policy, c->others, true);
	CHECK(good == (c->reason == NULL), "%s| %s: %s", c->policy, c->others, p.diag.text);
	CHECK_STR(p.diag.text, c->reason != NULL ? c->reason : "");
	if (good) {
		CHECK_BUF(&p.warnings, c->warnings != NULL ? c->warnings : "");
	}
	/* What a store has already is answered as it was. */
	CHECK(planned_again(&p, false), "%s: %s", c->policy, p.plan != NULL ? p.plan->reason : "");
	planned_end(&p);
}

static void test_beside(void)
{
	EACH(c, beside) {
		check_writing(c);
	}
}

static void test_hidden(void)
{
	EACH(c, hidden) {
		check_writing(c);
	}
}

/* What hides a name, and how that is said. */
static void test_hider(void)
{
	static const struct {
		const char *name;
		mail_hides_t kind;
		const char *said;
	} cases[] = {
		{ "example.org.", MAIL_HIDES_NOT, "" },
		{ "w.example.org.", MAIL_HIDES_NOT, "" },
		{ "cut.example.org.", MAIL_HIDES_DELEGATION, "the delegation of cut" },
		{ "b.a.cut.example.org.", MAIL_HIDES_DELEGATION, "the delegation of cut" },
		{ "old.example.org.", MAIL_HIDES_NOT, "" },
		{ "a.old.example.org.", MAIL_HIDES_DNAME, "the DNAME at old" },
		{ "far.example.org.", MAIL_HIDES_NOT, "" },
		{ "a.far.example.org.", MAIL_HIDES_DNAME, "the DNAME at far" },
		{ "sub.example.org.", MAIL_HIDES_DOMAIN, "the stored domain sub.example.org" },
		{ "a.sub.example.org.", MAIL_HIDES_DOMAIN, "the stored domain sub.example.org" },
	};
	array_t array;
	mail_plan_t *plan = NULL;
	array_begin(&array);
	REQUIRE(array_put(&array,
	                  "policy p| record: [ 'old DNAME x.example.', "
	                  "'far.example.org. DNAME x.example.' ]\n"
	                  "domain example.org| policy: p| delegation: 'cut NS ns.example.net.'\n"
	                  "domain sub.example.org| policy: p"));
	REQUIRE(plan_of(&array.source, "example.org", false, &plan, NULL) == KNOT_EOK);
	const mail_lf_t apex = MAIL_LF("org\0example");
	EACH(c, cases) {
		knot_dname_storage_t name;
		mail_lf_storage_t lf;
		mail_hider_t hider;
		mail_buf_t said = { 0 };
		REQUIRE(mail_name_parse(MAIL_STR(c->name), name, NULL) == KNOT_EOK);
		mail_name_lf(name, &lf);
		const bool found = mail_hider_find(&array.source, plan, apex, mail_lf(&lf), &hider);
		CHECK(found == (c->kind != MAIL_HIDES_NOT), "%s", c->name);
		CHECK_INT(hider.kind, c->kind);
		if (found) {
			CHECK_OK(mail_hider_print(&hider, apex, &said));
		}
		CHECK_BUF(&said, c->said);
		mail_buf_free(&said);
		/* Nobody asks for other domains. */
		if (c->kind == MAIL_HIDES_DOMAIN) {
			CHECK(!mail_hider_find(NULL, plan, apex, mail_lf(&lf), &hider), "%s",
			      c->name);
		}
	}
	CHECK(mail_owners_below(&plan->relative, MAIL_LF("cut")) != NULL);
	CHECK(mail_owners_below(&plan->relative, MAIL_LF("cu")) == NULL);
	mail_plan_free(plan);
	array_free(&array);
}

static void test_failing(void)
{
	static const char stored[] = MAIL_HOST "policy p| srv: 'imap .'\n" OWN(
		"'_tcp DNAME x.example.', 'w TXT \\'v=spf1 mx -all\\'', "
		"'s._domainkey TXT \\'k=ed25519; p=" KEY1 "\\'', 'w CAA 0 issue \\'x.example\\'', "
		"'d._bimi TXT \\'v=BIMI1; l=https://x.example/l.svg\\''");
	array_t array;
	bool met = true;
	REQUIRE(failing_linked());
	array_begin(&array);
	REQUIRE(array_put(&array, stored));
	for (size_t n = 1; met && failing_on(n); n++) {
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		int ret = plan_of(&array.source, "example.org", true, &plan, &diag);
		met = failing_off();
		CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d %s", n, ret,
		      diag.text);
		mail_plan_free(plan);
	}
	CHECK(!met);
	array_free(&array);
}

UNIT_MAIN("hidden", TEST("records beside each other", test_beside),
          TEST("records that are hidden", test_hidden), TEST("what hides a name", test_hider),
          TEST("allocations that fail", test_failing))
