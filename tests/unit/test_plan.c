/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans: order, conflicts, room for the domain, steps of the clock, what they were made from. */

#include "failing.h"
#include "planned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define AT(minutes) "2027-01-15T08:" minutes ":00Z"

/* A policy that has a bit of everything. */
static const char full[] =
	"host:\n"
	"  - id: mail\n    name: mail\n    address: [ 192.0.2.25, \"2001:db8::25\" ]\n    certificate: c\n"
	"  - id: far\n    name: \"far.example.\"\n    address: 192.0.2.9\n"
	"certificate:\n"
	"  - id: c\n    current: \"3 1 1 " HEX1 "\"\n    next: \"2 1 1 " HEX1 "\"\n"
	"    publish: \"" AT("05") "\"\n    deploy-at: \"" AT(
		"40") "\"\n"
		      "policy:\n"
		      "  - id: low\n    ns: [ mail, \"ns.example.net.\" ]\n    mx: [ \"20 b\", \"10 mail\" ]\n"
		      "  - id: p\n    base: low\n    host: [ mail, far ]\n    spf: hosts\n    ttl: 300\n"
		      "    dmarc: \"rua=mailto:d@r.example\"\n    dmarc-ramp: \"" AT(
			      "10") " p=reject\"\n"
				    "    mta-sts: testing\n    mta-sts-id: abc\n    tls-rpt: \"mailto:t@{domain}\"\n    srv: imaps\n    autoconfig: mail\n"
				    "    txt: \"a=1\"\n"
				    "dkim:\n"
				    "  - id: \"policy:p/s1\"\n    key: \"" KEY1
				    "\"\n    remove: \"" AT(
					    "20") "\"\n"
						  "  - id: \"policy:low/s2\"\n    cname: \"s2.example.net.\"\n"
						  "domain:\n"
						  "  - id: example.org\n    policy: p\n    record: [ \"www 60 A 192.0.2.80\", \"*.w CNAME www\" ]\n"
						  "    delegation: \"sub NS ns.example.net.\"\n"
						  "  - id: alias.example\n    alias: example.org\n"
						  "  - id: broken.example\n    policy: p\n    host-add: nope\n";

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
	CU_ASSERT_FATAL(array_put(&array, full));
	CU_ASSERT_EQUAL_FATAL(plan_of(&array.source, "example.org", true, &plan, &diag), KNOT_EOK);
	show_plan(plan, NULL, &got);
	(void)shown_is(&got, expected, "plan", 0);

	CU_ASSERT_EQUAL(plan->ttl, 300);
	CU_ASSERT(plan->hosted);
	CU_ASSERT(plan->cuts);
	CU_ASSERT_EQUAL(plan->stamp, (ARRAY_EPOCH + 1) * UINT64_C(1000000000));
	/* The steps of the clock: certificate, ramp, key. */
	static const int64_t steps[] = { 300, 600, 600, 1200, 3000 };
	CU_ASSERT_EQUAL_FATAL(plan->step_count, COUNT(steps));
	for (size_t i = 0; i < COUNT(steps); i++) {
		UNIT_CHECK(plan->steps[i] == NOW + steps[i], "step %zu: %+lld", i,
		           (long long)(plan->steps[i] - NOW));
	}
	/* One address, noted for each stretch of the ramp. */
	CU_ASSERT_EQUAL(plan->report_count, 2);
	for (size_t i = 0; i < plan->report_count; i++) {
		UNIT_CHECK(mail_str_is(plan->reports[i], "r.example."), "report %zu", i);
	}
	/* All that it was made from. */
	for (size_t i = 0; i < plan->dependency_count; i++) {
		const mail_dependency_t *d = &plan->dependencies[i];
		(void)mail_buf_printf(&got, "%s %.*s\n", mail_section_name(d->section),
		                      (int)d->id.len, d->id.data);
	}
	(void)shown_is(
		&got,
		"domain example.org\npolicy p\npolicy low\nhost mail\nhost far\ndkim low\ndkim p\n"
		"dkim low\ndkim p\ncertificate c\n",
		"dependencies", 0);
	mail_plan_free(plan);

	/* The policy alone has no cut. */
	CU_ASSERT_EQUAL_FATAL(plan_of(&array.source, "p", true, &plan, &diag), KNOT_EOK);
	CU_ASSERT(!plan->cuts);
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
	CU_ASSERT_FATAL(array_put(&array, full));
	CU_ASSERT_EQUAL_FATAL(plan_of(&array.source, "example.org", true, &plan, NULL), KNOT_EOK);
	CU_ASSERT_EQUAL(plan->relative.count, 13);
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t at = 99;
		const mail_owner_t *owner = mail_owners_find(
			&plan->relative, (mail_lf_t){ (const uint8_t *)cases[i].key, cases[i].len },
			&at);
		UNIT_CHECK((owner != NULL) == cases[i].found, "case %zu", i);
		UNIT_CHECK(at == cases[i].at, "case %zu: %zu", i, at);
		UNIT_CHECK(owner == NULL || owner == &plan->relative.owners[at], "case %zu", i);
	}
	const mail_owners_t none = { NULL, 0 };
	CU_ASSERT_PTR_NULL(mail_owners_find(&none, MAIL_LF("a"), NULL));
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
	for (size_t i = 0; i < COUNT(cases); i++) {
		const mail_row_t row = { .from = cases[i].from, .until = cases[i].until };
		UNIT_CHECK(mail_row_live(&row, NOW) == cases[i].live, "case %zu", i);
	}
}

/* What cannot stand beside each other. Readers: the CNAME wins, anything else is a fault. */
static const struct {
	const char *policy;
	const char *others;
	const char *reason; /* NULL: it is no conflict. */
	bool fault;         /* Readers do not answer, either. */
} conflicts[] = {
	{ "    record: [ \"www A 192.0.2.1\", \"www AAAA ::1\", \"www A 192.0.2.2\" ]\n", "", NULL,
	  false },
	{ "    record: [ \"www A 192.0.2.1\", \"www CNAME x\" ]\n", "",
	  "record: a CNAME beside other data at www", false },
	{ "    record: [ \"www CNAME x\", \"www CNAME y\" ]\n", "", "record: two CNAMEs at www",
	  true },
	{ "    record: \"www CNAME x\"\n    record-add: \"www CNAME x\"\n", "", NULL, false },
	{ "    record: [ \"www CNAME x\", \"a.www A 192.0.2.1\" ]\n", "", NULL, false },
	/* A literal record where a kind is. */
	{ "    autoconfig: mail\n    record: \"autoconfig A 192.0.2.1\"\n", "",
	  "autoconfig: a CNAME beside other data at autoconfig", false },
	{ "    autoconfig: mail\n    record: \"autoconfig CNAME other\"\n", "",
	  "record: two CNAMEs at autoconfig", true },
	{ "    autoconfig: mail\n    record: \"autoconfig CNAME mail\"\n", "", NULL, false },
	{ "    record: \"_dmarc TXT \\\"v=DMARC1; p=none\\\"\"\n", "",
	  "record: a literal record of a type that is made there at _dmarc", true },
	{ "    record: \"_dmarc TXT \\\"v=DMARC1; p=reject\\\"\"\n", "",
	  "record: a literal record of a type that is made there at _dmarc", true },
	{ "    record: \"_dmarc A 192.0.2.1\"\n", "", NULL, false },
	{ "    record: \"@ TXT \\\"x\\\"\"\n", "",
	  "record: a literal TXT record where SPF and txt are made (write it as txt) at @", true },
	{ "    record: \"@ CAA 0 issue \\\"ca.example\\\"\"\n", "", NULL, false },
	{ "    mx: \"10 a\"\n    record: \"@ MX 20 b\"\n", "",
	  "record: a literal record of a type that is made there at @", true },
	{ "    host: h\n    record: \"h A 192.0.2.2\"\n",
	  "host:\n  - id: h\n    name: h\n    address: 192.0.2.1\n",
	  "record: a literal record of a type that is made there at h", true },
	/* The whole domain is no alias. */
	{ "    record: \"@ CNAME x.example.net.\"\n", "",
	  "record: an alias of the whole domain at @", true },
	{ "    record: \"@ DNAME example.net.\"\n", "", "record: an alias of the whole domain at @",
	  true },
	/* Two hosts of one name. */
	{ "    host: [ h, i ]\n",
	  "host:\n  - id: h\n    name: h\n    address: 192.0.2.1\n  - id: i\n    name: h\n"
	  "    address: 192.0.2.2\n",
	  NULL, false },
	{ "    host: [ h, i ]\n",
	  "host:\n  - id: h\n    name: h\n  - id: i\n    name: h\n    helo-spf: \"mx -all\"\n",
	  "helo-spf: two SPF records at h", true },
	{ "    host: [ h, i ]\n",
	  "host:\n  - id: h\n    name: \"h.example.\"\n  - id: i\n    name: \"h.example.\"\n"
	  "    helo-spf: \"mx -all\"\n",
	  "helo-spf: two SPF records at h.example", true },
	/* DKIM keys: delegated at one time and shown at another is none, at the same time it is. */
	{ "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    cname: \"s1.example.net.\"\n    retire: \"" AT(
		  "10") "\"\n"
	                "    revoke: on\n",
	  NULL, false },
	{ "    record: \"s1._domainkey TXT \\\"x\\\"\"\n",
	  "dkim:\n  - id: \"policy:p/s1\"\n    cname: \"s1.example.net.\"\n",
	  "record: a CNAME beside other data at s1._domainkey", false },
	{ "    record: \"s1._domainkey TXT \\\"x\\\"\"\n",
	  "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n",
	  "record: a literal record of a type that is made there at s1._domainkey", true },
	/* Below a DNAME nothing can be reached. */
	{ "    record: [ \"old DNAME example.net.\", \"old A 192.0.2.1\" ]\n", "", NULL, false },
	{ "    record: [ \"old DNAME example.net.\", \"older A 192.0.2.1\" ]\n", "", NULL, false },
	{ "    record: [ \"old DNAME example.net.\", \"www.old A 192.0.2.1\" ]\n", "",
	  "record: data below a DNAME at www.old", false },
	{ "    record: \"_tcp DNAME example.net.\"\n    srv: \"imap mail\"\n", "",
	  "srv-imap: data below a DNAME at _imap._tcp", false },
	{ "    record: [ \"o.example. DNAME example.net.\", \"w.o.example. A 192.0.2.1\" ]\n", "",
	  "record: data below a DNAME at w.o.example", false },
	/* A name server of the domain's own names needs an address there. */
	{ "    ns: ns1\n", "", "ns: ns1 lies in the domain but is no host with an address", false },
	{ "    ns: [ \"ns.example.net.\", \"ns1.{domain}.\" ]\n", "",
	  "ns: ns1 lies in the domain but is no host with an address", false },
	{ "    ns: ns1\n    host: h\n", "host:\n  - id: h\n    name: ns1\n",
	  "ns: ns1 lies in the domain but is no host with an address", false },
	{ "    ns: ns1\n    host: h\n",
	  "host:\n  - id: h\n    name: ns1\n    address: \"2001:db8::1\"\n", NULL, false },
	{ "    ns: ns1\n    record: \"ns1 A 192.0.2.1\"\n", "", NULL, false },
	{ "    ns: \"@\"\n    record: \"@ A 192.0.2.1\"\n", "", NULL, false },
	{ "    ns: \"ns1.{domain}.dns.example.\"\n", "", NULL, false },
	/* No target is an alias (RFC 2181 10.3). */
	{ "    mx: \"10 www\"\n    record: \"www CNAME x\"\n", "",
	  "mx: www is an alias (RFC 2181 10.3)", false },
	{ "    ns: autoconfig\n    autoconfig: mail\n", "",
	  "ns: autoconfig is an alias (RFC 2181 10.3)", false },
	{ "    srv: \"imap www.x\"\n    record: \"www.x CNAME y\"\n", "",
	  "srv: www.x is an alias (RFC 2181 10.3)", false },
	{ "    mx: \"10 www.example.net.\"\n    record: \"www CNAME x\"\n", "", NULL, false },
	/* A name server below its own delegation needs glue. */
	{ "", "domain:\n  - id: example.org\n    policy: p\n    delegation: \"sub NS ns.sub\"\n",
	  "delegation: a name server below the delegation, without a record of its address, at sub",
	  false },
	{ "",
	  "domain:\n  - id: example.org\n    policy: p\n    delegation: \"sub NS ns.x.sub\"\n"
	  "    record: \"ns.x.sub AAAA ::1\"\n",
	  NULL, false },
	{ "", "domain:\n  - id: example.org\n    policy: p\n    delegation: \"sub NS sub\"\n",
	  "delegation: a name server below the delegation, without a record of its address, at sub",
	  false },
	{ "", "domain:\n  - id: example.org\n    policy: p\n    delegation: \"sub NS ns.xsub\"\n",
	  NULL, false },
	{ "",
	  "domain:\n  - id: example.org\n    policy: p\n    delegation: \"sub NS ns.sub.example.net.\"\n",
	  NULL, false },
	{ "    key-set: nope\n", "", "key-set: key-set nope does not exist", false },
};

static void test_conflicts(void)
{
	for (size_t i = 0; i < COUNT(conflicts); i++) {
		char text[1024];
		array_t array;
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		const char *reason = conflicts[i].reason;
		(void)snprintf(text, sizeof(text), "policy:\n  - id: p\n%s", conflicts[i].policy);
		array_begin(&array);
		if (array_put(&array, text) && array_put(&array, conflicts[i].others)) {
			const bool domain = strstr(conflicts[i].others, "- id: example.org\n") !=
			                    NULL;
			const char *of = domain ? "example.org" : "p";
			int ret = plan_of(&array.source, of, true, &plan, &diag);
			UNIT_CHECK(ret == (reason == NULL ? KNOT_EOK : KNOT_EINVAL), "case %zu: %d",
			           i, ret);
			UNIT_CHECK(strcmp(diag.text, reason != NULL ? reason : "") == 0,
			           "case %zu: '%s'", i, diag.text);
			mail_plan_free(plan);
			ret = plan_of(&array.source, of, false, &plan, NULL);
			UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d", i, ret);
			UNIT_CHECK(plan != NULL && (plan->error != KNOT_EOK) == conflicts[i].fault,
			           "case %zu: %s", i, plan != NULL ? plan->reason : "");
			if (plan != NULL && conflicts[i].fault) {
				UNIT_CHECK(strcmp(plan->reason, reason) == 0, "case %zu: '%s'", i,
				           plan->reason);
			}
			mail_plan_free(plan);
		}
		array_free(&array);
	}
}

static void warning_add(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* What is taken with a warning. */
static void test_warnings(void)
{
	static const struct {
		const char *policy;
		const char *expected;
	} cases[] = {
		{ "    mx: \"10 mx.example.net.\"\n", "" },
		{ "    mx: \"10 mail\"\n    srv: [ imaps, \"imap x\" ]\n",
		  "mx: mail lies in the domain but is no host with an address\n"
		  "srv: x lies in the domain but is no host with an address\n" },
		{ "    mx: \"10 mail\"\n    record: \"mail A 192.0.2.1\"\n", "" },
		{ "    mx: \".\"\n    srv: \"imap .\"\n", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		array_t array;
		mail_plan_t *plan = NULL;
		mail_buf_t got = { 0 };
		mail_diag_t diag = { .warn = warning_add, .warn_ctx = &got };
		(void)snprintf(text, sizeof(text), "policy:\n  - id: p\n%s", cases[i].policy);
		array_begin(&array);
		(void)array_put(&array, text);
		UNIT_CHECK(plan_of(&array.source, "p", true, &plan, &diag) == KNOT_EOK,
		           "case %zu: %s", i, diag.text);
		(void)shown_is(&got, cases[i].expected, "case", i);
		mail_plan_free(plan);
		array_free(&array);
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
		{ "    dmarc: none\n", "", 255 },
		{ "", "", 255 - 7 },
		{ "    mx: \"10 mx.example.net.\"\n", "", 255 - 7 },
		/* Owners, */
		{ "    record: \"" LABEL50 " A 192.0.2.1\"\n", "", 255 - 51 },
		{ "    record: \"" LABEL50 "." LABEL50 " A 192.0.2.1\"\n", "", 255 - 102 },
		{ "    record: \"" LABEL50 ".example.net. A 192.0.2.1\"\n", "", 255 - 7 },
		{ "    host: h\n",
		  "host:\n  - id: h\n    name: " LABEL50 "\n    tlsa: \"3 1 1 " HEX1 "\"\n",
		  255 - 51 - 4 - 5 },
		{ "", "dkim:\n  - id: \"policy:p/" LABEL50 "\"\n    key: \"" KEY1 "\"\n",
		  255 - 51 - 11 },
		/* and names in RDATA, before the hole and after it. */
		{ "    mx: \"10 " LABEL50 "\"\n", "", 255 - 51 },
		{ "    mx: \"10 a.{domain}." LABEL50 ".\"\n", "", 255 - 2 - 51 },
		{ "    ns: \"ns.example.net.\"\n", "", 255 - 11 }, /* hostmaster */
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];
		array_t array;
		mail_plan_t *plan = NULL;
		(void)snprintf(text, sizeof(text), "policy:\n  - id: p\n%s", cases[i].policy);
		array_begin(&array);
		if (array_put(&array, text) && array_put(&array, cases[i].others) &&
		    UNIT_CHECK(plan_of(&array.source, "p", true, &plan, NULL) == KNOT_EOK,
		               "case %zu", i)) {
			UNIT_CHECK(plan->apex_max == cases[i].room, "case %zu: %zu", i,
			           plan->apex_max);
		}
		mail_plan_free(plan);
		array_free(&array);
	}
}

/* The stamp of all keys of a policy moves whenever one of them does. */
static void test_keys_stamp(void)
{
	static const mail_section_t dkim = MAIL_SECTION_DKIM;
	array_t array;
	mail_stamp_t stamp, before;
	array_begin(&array);
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EOK);
	CU_ASSERT_EQUAL(stamp.timestamp, 0);
	CU_ASSERT_EQUAL(stamp.txnid, 0);
	(void)array_put(&array, "dkim:\n  - id: \"policy:p/a\"\n    key: \"" KEY1 "\"\n"
	                        "  - id: \"policy:p/b\"\n    key: \"" KEY1 "\"\n");
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EOK);
	CU_ASSERT_EQUAL(stamp.timestamp, array.entries[0].stamp.timestamp);
	CU_ASSERT_EQUAL(stamp.txnid, 2);
	/* Keys of others do not count: of a policy whose name goes on, of one before, of a domain. */
	before = stamp;
	(void)array_put(&array, "dkim:\n  - id: \"policy:p2/a\"\n    key: \"" KEY1 "\"\n"
	                        "  - id: \"policy:o/a\"\n    key: \"" KEY1 "\"\n"
	                        "  - id: p.example/a\n    key: \"" KEY1 "\"\n");
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EOK);
	CU_ASSERT(stamp.timestamp == before.timestamp && stamp.txnid == before.txnid);
	/* Changed, deleted, one more. */
	(void)array_put(&array, "dkim:\n  - id: \"policy:p/a\"\n    cname: \"x.example.\"\n");
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EOK);
	CU_ASSERT(stamp.timestamp > before.timestamp && stamp.txnid == 2);
	before = stamp;
	array_del(&array, dkim, "policy:p/b");
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EOK);
	CU_ASSERT(stamp.timestamp > before.timestamp && stamp.txnid == 2);
	/* A damaged one is an error, and the stamp then is none that good keys can have. */
	array_damage(&array, dkim, "policy:p/b");
	CU_ASSERT_EQUAL(mail_plan_keys_stamp(&array.source, MAIL_STR("p"), &stamp), KNOT_EMALF);
	CU_ASSERT_EQUAL(stamp.txnid, UINT64_MAX);
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
	CU_ASSERT_FATAL(failing_linked());
	array_begin(&array);
	CU_ASSERT_FATAL(array_put(&array, full));
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool met = true;
		for (size_t n = 1; met && failing_on(n); n++) {
			mail_plan_t *plan = NULL;
			mail_diag_t diag = { 0 };
			int ret = plan_of(&array.source, cases[i].of, cases[i].strict, &plan,
			                  &diag);
			met = failing_off();
			UNIT_CHECK(ret == (met ? KNOT_ENOMEM : cases[i].ret),
			           "case %zu: allocation %zu: %d", i, n, ret);
			UNIT_CHECK((plan != NULL) == (ret == KNOT_EOK), "case %zu: allocation %zu",
			           i, n);
			mail_plan_free(plan);
		}
		UNIT_CHECK(!met, "case %zu", i);
	}
	array_free(&array);
}

static const unit_test_t tests[] = { { "a whole plan", test_whole },
	                             { "owners found", test_find },
	                             { "rows that are shown", test_live },
	                             { "conflicts", test_conflicts },
	                             { "warnings", test_warnings },
	                             { "room for the domain", test_room },
	                             { "stamp of a policy's keys", test_keys_stamp },
	                             { "allocations that fail", test_failing },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("plan", tests);
}
