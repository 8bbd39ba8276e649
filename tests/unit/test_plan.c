/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans: order, conflicts, room for the domain, steps of the clock, what they were made from. */

#include <stdio.h>

#include "lib/failing.h"
#include "lib/planned.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"

/* A policy that has a bit of everything. */
static const char full[] =
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]| certificate: c\n"
	"host far| name: 'far.example.'| address: 192.0.2.9\n"
	"certificate c| current: '3 1 1 " HEX1 "'| next: '2 1 1 " HEX1 "'"
	"| publish: '2027-01-15T08:05:00Z'| deploy-at: '2027-01-15T08:40:00Z'\n"
	"policy low| ns: [ mail, 'ns.example.net.' ]| mx: [ '20 b', '10 mail' ]\n"
	"policy p| base: low| host: [ mail, far ]| spf: hosts| ttl: 300"
	"| dmarc: 'rua=mailto:d@r.example'| dmarc-ramp: '2027-01-15T08:10:00Z p=reject'"
	"| mta-sts: testing| mta-sts-id: abc| tls-rpt: 'mailto:t@{domain}'| srv: imaps"
	"| autoconfig: mail| txt: 'a=1'\n"
	"dkim policy:p/s1| key: '" KEY1 "'| remove: '2027-01-15T08:20:00Z'\n"
	"dkim policy:low/s2| cname: 's2.example.net.'\n"
	"domain example.org| policy: p| record: [ 'www 60 A 192.0.2.80', '*.w CNAME www' ]"
	"| delegation: 'sub NS ns.example.net.'\n"
	"domain alias.example| alias: example.org\n"
	"domain broken.example| policy: p| host-add: nope";

/* Everything, in canonical order. */
static void test_whole(void)
{
	static const char expected[] =
		"ns: @ NS mail.example.org.\n"
		"ns: @ NS ns.example.net.\n"
		"soa: @ SOA mail.example.org. hostmaster.example.org. 0 86400 7200 3600000 300\n"
		"mx: @ MX 20 b.example.org.\n"
		"mx: @ MX 10 mail.example.org.\n"
		"spf: @ TXT 'v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip4:192.0.2.9 -all'\n"
		"txt: @ TXT 'a=1'\n"
		"dmarc: _dmarc [..+600] TXT 'v=DMARC1; p=none; rua=mailto:d@r.example'\n"
		"dmarc: _dmarc [+600..] TXT 'v=DMARC1; p=reject; rua=mailto:d@r.example'\n"
		"dkim: s1._domainkey [..+1200] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n"
		"dkim-cname: s2._domainkey CNAME s2.example.net.\n"
		"mta-sts: _mta-sts TXT 'v=STSv1; id=abc'\n"
		"srv-imaps: _imaps._tcp SRV 0 1 993 b.example.org.\n"
		"tls-rpt: _smtp._tls TXT 'v=TLSRPTv1; rua=mailto:t@example.org'\n"
		"autoconfig: autoconfig CNAME mail.example.org.\n"
		"a: mail A 192.0.2.25\n"
		"helo-spf: mail TXT 'v=spf1 a -all'\n"
		"aaaa: mail AAAA 2001:db8::25\n"
		"tlsa: _25._tcp.mail [..+3000] TLSA 3 1 1 " HEX1 "\n"
		"tlsa: _25._tcp.mail [+300..] TLSA 2 1 1 " HEX1 "\n"
		"delegation: sub NS ns.example.net.\n"
		"record: *.w CNAME www.example.org.\n"
		"record: www 60 A 192.0.2.80\n"
		"a: far.example. A 192.0.2.9\n"
		"helo-spf: far.example. TXT 'v=spf1 a -all'\n";
	array_t array;
	mail_plan_t *plan = NULL;
	mail_diag_t diag = { 0 };
	mail_buf_t got = { 0 };
	array_begin(&array);
	REQUIRE(array_put(&array, full));
	REQUIRE(plan_of(&array.source, "example.org", true, &plan, &diag) == KNOT_EOK);
	show_plan(plan, NULL, &got);
	shown_is(&got, expected, "plan");

	CHECK_INT(plan->ttl, 300);
	CHECK(plan->hosted);
	CHECK(plan->cuts);
	CHECK_INT(plan->stamp, (ARRAY_EPOCH + 1) * UINT64_C(1000000000));
	/* The steps of the clock: certificate, ramp, key. */
	static const int64_t steps[] = { 300, 600, 600, 1200, 3000 };
	REQUIRE(plan->step_count == COUNT(steps));
	for (size_t i = 0; i < COUNT(steps); i++) {
		CHECK(plan->steps[i] == NOW + steps[i], "step %zu: %+lld", i,
		      (long long)(plan->steps[i] - NOW));
	}
	/* One address, noted for each stretch of the ramp. */
	CHECK_INT(plan->report_count, 2);
	for (size_t i = 0; i < plan->report_count; i++) {
		CHECK(mail_str_is(plan->reports[i], "r.example."), "report %zu", i);
	}
	/* All that it was made from. */
	for (size_t i = 0; i < plan->dependency_count; i++) {
		const mail_dependency_t *d = &plan->dependencies[i];
		(void)mail_buf_printf(&got, "%s %.*s\n", mail_section_name(d->section),
		                      (int)d->id.len, d->id.data);
	}
	shown_is(&got,
	         "domain example.org\npolicy p\npolicy low\nhost mail\nhost far\ndkim low\ndkim p\n"
	         "dkim low\ndkim p\ncertificate c\n",
	         "dependencies");
	mail_plan_free(plan);

	/* The policy alone has no cut. */
	REQUIRE(plan_of(&array.source, "p", true, &plan, &diag) == KNOT_EOK);
	CHECK(!plan->cuts);
	mail_plan_free(plan);
	array_free(&array);
}

static void test_find(void)
{
	static const struct {
		const char *key;
		size_t len;
		bool found;
		size_t at;
	} cases[] = {
		{ "", 0, true, 0 },
		{ "_dmarc", 6, true, 1 },
		{ "_dmar", 5, false, 1 },
		{ "_dmarc0", 7, false, 2 },
		{ "_domainkey", 10, false, 2 },
		{ "_domainkey\0s1", 13, true, 2 },
		{ "mail", 4, true, 8 },
		{ "mail\0_tcp", 9, false, 9 },
		{ "zzz", 3, false, 13 },
	};
	array_t array;
	mail_plan_t *plan = NULL;
	array_begin(&array);
	REQUIRE(array_put(&array, full));
	REQUIRE(plan_of(&array.source, "example.org", true, &plan, NULL) == KNOT_EOK);
	CHECK_INT(plan->relative.count, 13);
	EACH(c, cases) {
		size_t at = 99;
		const mail_owner_t *owner = mail_owners_find(
			&plan->relative, (mail_lf_t){ (const uint8_t *)c->key, c->len }, &at);
		CHECK_INT((owner != NULL), c->found);
		CHECK_INT(at, c->at);
		CHECK(owner == NULL || owner == &plan->relative.owners[at]);
	}
	const mail_owners_t none = { NULL, 0 };
	CHECK(mail_owners_find(&none, MAIL_LF("a"), NULL) == NULL);
	mail_plan_free(plan);
	mail_plan_free(NULL);
	array_free(&array);
}

static void test_live(void)
{
	static const struct {
		int64_t from, until;
		bool live;
	} cases[] = {
		{ 0, INT64_MAX, true }, { NOW, INT64_MAX, true }, { NOW + 1, INT64_MAX, false },
		{ 0, NOW, false },      { 0, NOW + 1, true },     { NOW - 5, NOW - 1, false },
	};
	EACH(c, cases) {
		const mail_row_t row = { .from = c->from, .until = c->until };
		CHECK_INT(mail_row_live(&row, NOW), c->live);
	}
}

/* What cannot stand beside each other. Readers: the CNAME wins, anything else is a fault. */
static const struct {
	const char *policy;
	const char *others;
	const char *reason; /* NULL: it is no conflict. Behind '|' for writers: the remedy. */
	bool fault;         /* Readers do not answer, either. */
} conflicts[] = {
	{ "record: [ 'www A 192.0.2.1', 'www AAAA ::1', 'www A 192.0.2.2' ]", "", NULL, false },
	{ "record: [ 'www A 192.0.2.1', 'www CNAME x' ]", "",
	  "record: a CNAME beside other data at www", false },
	{ "record: [ 'www CNAME x', 'www CNAME y' ]", "", "record: two CNAMEs at www", true },
	{ "record: 'www CNAME x'| record-add: 'www CNAME x'", "", NULL, false },
	{ "record: [ 'www CNAME x', 'a.www A 192.0.2.1' ]", "", NULL, false },
	/* A literal record where a kind is. */
	{ "autoconfig: mail| record: 'autoconfig A 192.0.2.1'", "",
	  "autoconfig: a CNAME beside other data at autoconfig|: autoconfig=none takes away the made record",
	  false },
	{ "autoconfig: mail| record: 'autoconfig CNAME other'", "",
	  "record: two CNAMEs at autoconfig|: autoconfig=none takes away the made record", true },
	{ "autoconfig: mail| record: 'autoconfig CNAME mail'", "", NULL, false },
	{ "record: '_dmarc TXT \\'v=DMARC1; p=none\\''", "",
	  "record: a literal record of a type that is made there at _dmarc|: dmarc=none takes away the made record",
	  true },
	{ "record: '_dmarc TXT \\'v=DMARC1; p=reject\\''", "",
	  "record: a literal record of a type that is made there at _dmarc|: dmarc=none takes away the made record",
	  true },
	{ "record: '_dmarc A 192.0.2.1'", "", NULL, false },
	{ "record: '_dmarc CNAME d.example.'", "",
	  "dmarc: a CNAME beside other data at _dmarc|: dmarc=none takes away the made record",
	  false },
	{ "dmarc: none| record: '_dmarc CNAME d.example.'", "", NULL, false },
	{ "mx: '10 a'| mta-sts: testing| record: '_mta-sts CNAME d.example.'", "",
	  "mta-sts: a CNAME beside other data at _mta-sts|: mta-sts=off takes away the made record",
	  false },
	{ "srv: 'imap mail'| record: '_imap._tcp SRV 0 2 143 m'", "",
	  "record: a literal record of a type that is made there at _imap._tcp|: write it as srv, or take away the made record with srv=none",
	  true },
	{ "caa: '0 issue a.example'| record: '@ CAA 0 issue b.example'", "",
	  "record: a literal record of a type that is made there at @|: write it as caa, or take away the made record with caa=none",
	  true },
	{ "srv: [ 'imap mail', 'imap .' ]", "",
	  "srv-imap: \".\" (not offered) beside a host (RFC 2782) at _imap._tcp", false },
	{ "record: '@ TXT \\'x\\''", "",
	  "record: a literal TXT record where SPF and txt are made at @|: write its terms as spf, and any other text as txt",
	  true },
	{ "record: '@ CAA 0 issue \\'ca.example\\''", "", NULL, false },
	{ "mx: '10 a'| record: '@ MX 20 b'", "",
	  "record: a literal record of a type that is made there at @|: write it as mx", true },
	{ "host: h| record: 'h A 192.0.2.2'", "host h| name: h| address: 192.0.2.1",
	  "record: a literal record of a type that is made there at h|: this is the name of a host: change the host (kmailctl host-set), or take another name",
	  true },
	/* The whole domain is no alias. */
	{ "record: '@ CNAME x.example.net.'", "",
	  "record: an alias of the whole domain at @|: it would take away the mail: write addresses, as \"@ A 192.0.2.1\"",
	  true },
	{ "record: '@ DNAME example.net.'", "",
	  "record: an alias of the whole domain at @|: it would take away the mail: write addresses, as \"@ A 192.0.2.1\"",
	  true },
	/* Two hosts of one name. */
	{ "host: [ h, i ]",
	  "host h| name: h| address: 192.0.2.1\nhost i| name: h| address: 192.0.2.2", NULL, false },
	{ "host: [ h, i ]", "host h| name: h\nhost i| name: h| helo-spf: 'mx -all'",
	  "helo-spf: two SPF records at h|: the hosts of one name need the same helo-spf", true },
	{ "host: [ h, i ]",
	  "host h| name: 'h.example.'\nhost i| name: 'h.example.'| helo-spf: 'mx -all'",
	  "helo-spf: two SPF records at h.example|: the hosts of one name need the same helo-spf",
	  true },
	/* DKIM keys: delegated at one time and shown at another is none, at the same time it is. */
	{ "",
	  "dkim policy:p/s1| cname: 's1.example.net.'| retire: '2027-01-15T08:10:00Z'| revoke: on",
	  NULL, false },
	{ "record: 's1._domainkey TXT \\'x\\''", "dkim policy:p/s1| cname: 's1.example.net.'",
	  "record: a CNAME beside other data at s1._domainkey|: kmailctl dkim-unset takes away the made record",
	  false },
	{ "record: 's1._domainkey TXT \\'x\\''", "dkim policy:p/s1| key: '" KEY1 "'",
	  "record: a literal record of a type that is made there at s1._domainkey|: kmailctl dkim-unset takes away the made record",
	  true },
	/* Below a DNAME nothing can be reached. */
	{ "record: [ 'old DNAME example.net.', 'old A 192.0.2.1' ]", "", NULL, false },
	{ "record: [ 'old DNAME example.net.', 'older A 192.0.2.1' ]", "", NULL, false },
	{ "record: [ 'old DNAME example.net.', 'www.old A 192.0.2.1' ]", "",
	  "record: www.old A: nobody can see it, because the DNAME at old hides it: remove one of them",
	  false },
	{ "record: '_tcp DNAME example.net.'| srv: 'imap mail'", "",
	  "srv-imap: _imap._tcp SRV: nobody can see it, because the DNAME at _tcp hides it: remove one of them",
	  false },
	{ "record: [ 'o.example. DNAME example.net.', 'w.o.example. A 192.0.2.1' ]", "",
	  "record: w.o.example A: nobody can see it, because the DNAME at o.example hides it: remove one of them",
	  false },
	/* A name server of the domain's own names needs an address there. */
	{ "ns: ns1", "", "ns: ns1 lies in the domain but is no host with an address", false },
	{ "ns: [ 'ns.example.net.', 'ns1.{domain}.' ]", "",
	  "ns: ns1 lies in the domain but is no host with an address", false },
	{ "ns: ns1| host: h", "host h| name: ns1",
	  "ns: ns1 lies in the domain but is no host with an address", false },
	{ "ns: ns1| host: h", "host h| name: ns1| address: '2001:db8::1'", NULL, false },
	{ "ns: ns1| record: 'ns1 A 192.0.2.1'", "", NULL, false },
	{ "ns: '@'| record: '@ A 192.0.2.1'", "", NULL, false },
	{ "ns: 'ns1.{domain}.dns.example.'", "", NULL, false },
	/* No target is an alias (RFC 2181 10.3). */
	{ "mx: '10 www'| record: 'www CNAME x'", "", "mx: www is an alias (RFC 2181 10.3)", false },
	{ "ns: autoconfig| autoconfig: mail", "", "ns: autoconfig is an alias (RFC 2181 10.3)",
	  false },
	{ "srv: 'imap www.x'| record: 'www.x CNAME y'", "",
	  "srv: www.x is an alias (RFC 2181 10.3)", false },
	{ "mx: '10 www.example.net.'| record: 'www CNAME x'", "", NULL, false },
	/* A name server below its own delegation needs glue. */
	{ "", "domain example.org| policy: p| delegation: 'sub NS ns.sub'",
	  "delegation: a name server below the delegation, without a record of its address, at sub",
	  false },
	{ "",
	  "domain example.org| policy: p| delegation: 'sub NS ns.x.sub'"
	  "| record: 'ns.x.sub AAAA ::1'",
	  NULL, false },
	{ "", "domain example.org| policy: p| delegation: 'sub NS sub'",
	  "delegation: a name server below the delegation, without a record of its address, at sub",
	  false },
	{ "", "domain example.org| policy: p| delegation: 'sub NS ns.xsub'", NULL, false },
	{ "", "domain example.org| policy: p| delegation: 'sub NS ns.sub.example.net.'", NULL,
	  false },
	{ "key-set: nope", "", "key-set: key-set nope does not exist", false },
};

static void test_conflicts(void)
{
	EACH(c, conflicts) {
		planned_t p;
		const char *reason = c->reason != NULL ? c->reason : "";
		const size_t plain = strcspn(reason, "|");
		char whole[320], first[320];
		(void)snprintf(first, sizeof(first), "%.*s", (int)plain, reason);
		(void)snprintf(whole, sizeof(whole), "%s%s", first,
		               reason[plain] != '\0' ? reason + plain + 1 : "");
		(void)planned_begin(&p, c->policy, c->others, true);
		CHECK_INT(p.ret, c->reason == NULL ? KNOT_EOK : KNOT_EINVAL);
		CHECK_STR(p.diag.text, whole);
		CHECK(planned_again(&p, false) == !c->fault && p.plan != NULL, "%d", p.ret);
		if (p.plan != NULL && c->fault) {
			CHECK_STR(p.plan->reason, first);
		}
		planned_end(&p);
	}
}

#define LABEL50 "l2345678901234567890123456789012345678901234567890"

/* The longest domain, in wire octets, that every name has room for. */
static void test_room(void)
{
	static const struct {
		const char *policy;
		const char *others;
		size_t room;
	} cases[] = {
		/* _dmarc is in every plan. */
		{ "dmarc: none", "", 255 },
		{ "", "", 255 - 7 },
		{ "mx: '10 mx.example.net.'", "", 255 - 7 },
		/* Owners, */
		{ "record: '" LABEL50 " A 192.0.2.1'", "", 255 - 51 },
		{ "record: '" LABEL50 "." LABEL50 " A 192.0.2.1'", "", 255 - 102 },
		{ "record: '" LABEL50 ".example.net. A 192.0.2.1'", "", 255 - 7 },
		{ "host: h", "host h| name: " LABEL50 "| tlsa: '3 1 1 " HEX1 "'",
		  255 - 51 - 4 - 5 },
		{ "", "dkim policy:p/" LABEL50 "| key: '" KEY1 "'", 255 - 51 - 11 },
		/* and names in RDATA, before the hole and after it. */
		{ "mx: '10 " LABEL50 "'", "", 255 - 51 },
		{ "mx: '10 a.{domain}." LABEL50 ".'", "", 255 - 2 - 51 },
		{ "ns: 'ns.example.net.'", "", 255 - 11 }, /* hostmaster */
	};
	EACH(c, cases) {
		planned_t p;
		if (CHECK(planned_begin(&p, c->policy, c->others, true), "%s", p.diag.text)) {
			CHECK_INT(p.plan->apex_max, c->room);
		}
		planned_end(&p);
	}
}

/* The stamp of all keys of a policy moves whenever one of them does. */
static void test_keys_stamp(void)
{
	array_t array;
	mail_stamp_t stamp, before;
	array_begin(&array);
	CHECK_OK(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp));
	CHECK_INT(stamp.timestamp, 0);
	CHECK_INT(stamp.txnid, 0);
	(void)array_put(&array,
	                "dkim policy:p/a| key: '" KEY1 "'\ndkim policy:p/b| key: '" KEY1 "'");
	CHECK_OK(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp));
	CHECK_INT(stamp.timestamp, array.entries[0].stamp.timestamp);
	CHECK_INT(stamp.txnid, 2);
	/* Keys of others do not count: of a policy whose name goes on, of one before, of a domain. */
	before = stamp;
	(void)array_put(&array,
	                "dkim policy:p2/a| key: '" KEY1 "'\ndkim policy:o/a| key: '" KEY1 "'\n"
	                "dkim p.example/a| key: '" KEY1 "'");
	CHECK_OK(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp));
	CHECK(stamp.timestamp == before.timestamp && stamp.txnid == before.txnid);
	/* Changed, deleted, one more. */
	(void)array_put(&array, "dkim policy:p/a| cname: 'x.example.'");
	CHECK_OK(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp));
	CHECK(stamp.timestamp > before.timestamp && stamp.txnid == 2);
	before = stamp;
	array_del(&array, "dkim policy:p/b");
	CHECK_OK(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp));
	CHECK(stamp.timestamp > before.timestamp && stamp.txnid == 2);
	/* A damaged one is an error, and the stamp then is none that good keys can have. */
	array_damage(&array, "dkim policy:p/b");
	CHECK_INT(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EMALF);
	CHECK_INT(stamp.txnid, UINT64_MAX);
	array_free(&array);
}

static void test_failing(void)
{
	static const struct {
		const char *of;
		bool strict;
		int ret;
	} cases[] = {
		{ "example.org", true, KNOT_EOK },
		{ "alias.example", false, KNOT_EOK },
		{ "broken.example", true, KNOT_ENOENT },
		{ "broken.example", false, KNOT_EOK },
	};
	array_t array;
	REQUIRE(failing_linked());
	array_begin(&array);
	REQUIRE(array_put(&array, full));
	EACH(c, cases) {
		bool met = true;
		for (size_t n = 1; met && failing_on(n); n++) {
			mail_plan_t *plan = NULL;
			mail_diag_t diag = { 0 };
			int ret = plan_of(&array.source, c->of, c->strict, &plan, &diag);
			met = failing_off();
			CHECK(ret == (met ? KNOT_ENOMEM : c->ret), "allocation %zu: %d", n, ret);
			CHECK((plan != NULL) == (ret == KNOT_EOK), "allocation %zu", n);
			mail_plan_free(plan);
		}
		CHECK(!met);
	}
	array_free(&array);
}

UNIT_MAIN("plan", TEST("a whole plan", test_whole), TEST("owners found", test_find),
          TEST("rows that are shown", test_live), TEST("conflicts", test_conflicts),
          TEST("room for the domain", test_room), TEST("stamp of a policy's keys", test_keys_stamp),
          TEST("allocations that fail", test_failing))
