/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every row of the table of kinds: when it is there, when not, and what it looks like. */

#include "plan/kinds.h"
#include "lib/failing.h"
#include "record/srv.h"
#include "lib/planned.h"
#include "lib/samples.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"

#define HOSTS                                                                                      \
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]\n"                         \
	"host apex| name: '@'| address: 192.0.2.80\n"                                              \
	"host far| name: 'mx.far.example.'| address: '2001:db8::53'\n"                             \
	"host bare| name: bare\n"

#define TWO_KEYS                                                                                   \
	"dkim policy:p/s1| key: '" KEY1 "'\ndkim policy:p/s2.x| cname: 's2.dkim.example.net.'"

#define CERT(items) HOSTS "host t| name: t| certificate: c\ncertificate c| " items

#define DNSKEY "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define SIGNED "ns: 'ns2.example.net.'| key-set: k"
#define KEY_SET "key-set k| leave: '2027-01-15T08:00:00Z'| key: '3613 ed25519 csk " DNSKEY "'"

static const struct {
	const char *kind;
	const char *policy;   /* Items of policy p. */
	const char *others;   /* Other sections. */
	const char *expected; /* Rows of the kind. */
} cases[] = {
	/* Hosted domains have an SOA; others do not. */
	{ "soa", "mx: '10 mail'", "", "" },
	{ "soa", "ns: [ ns1, 'ns2.example.net.' ]", "",
	  "@ SOA ns1.example.org. hostmaster.example.org. 0 86400 7200 3600000 300\n" },
	{ "soa",
	  "ns: 'ns2.example.net.'| soa-mname: 'hidden.example.net.'| soa-rname: 'dns@example.net'",
	  "", "@ SOA hidden.example.net. dns.example.net. 0 86400 7200 3600000 300\n" },
	{ "ns", "", "", "" },
	{ "ns", "ns: [ ns1, 'ns2.example.net.', 'ns.{domain}.dns.example.' ]", "",
	  "@ NS ns1.example.org.\n@ NS ns2.example.net.\n@ NS ns.example.org.dns.example.\n" },
	/* Said twice, shown once. */
	{ "ns", "ns: 'ns2.example.net.'| ns-add: 'NS2.example.net.'", "",
	  "@ NS ns2.example.net.\n" },

	/* Addresses of hosts: relative, of the domain, absolute, none. */
	{ "a", "", HOSTS, "" },
	{ "a", "host: [ mail, far ]", HOSTS, "mail A 192.0.2.25\n" },
	{ "a", "host: [ mail, apex ]", HOSTS, "@ A 192.0.2.80\nmail A 192.0.2.25\n" },
	{ "aaaa", "host: apex", HOSTS, "" },
	{ "aaaa", "host: [ mail, far, bare ]", HOSTS,
	  "mail AAAA 2001:db8::25\nmx.far.example. AAAA 2001:db8::53\n" },
	/* A domain without mail may have hosts. */
	{ "a", "host: mail| no-mail: on", HOSTS, "mail A 192.0.2.25\n" },

	{ "mx", "", "", "" },
	{ "mx", "mx: [ '10 mail', '20 mx.example.net.' ]", "",
	  "@ MX 10 mail.example.org.\n@ MX 20 mx.example.net.\n" },
	{ "mx", "mx: '.'", "", "@ MX 0 .\n" },
	{ "mx", "mx: '10 mail'| no-mail: on", "", "@ MX 0 .\n" },
	{ "mx", "mx: '10 mail'| no-mail: off", "", "@ MX 10 mail.example.org.\n" },

	/* Exactly one SPF record. */
	{ "spf", "", "", "@ TXT 'v=spf1 -all'\n" },
	{ "spf", "spf: [ mx, 'ra=postmaster' ]", "", "@ TXT 'v=spf1 mx ra=postmaster -all'\n" },
	{ "spf", "spf: 'mx a'| spf-all: '~all'", "", "@ TXT 'v=spf1 mx a ~all'\n" },
	{ "spf", "spf: mx| spf-all: none", "", "@ TXT 'v=spf1 mx'\n" },
	{ "spf", "spf: 'redirect=_spf.example.net'", "",
	  "@ TXT 'v=spf1 redirect=_spf.example.net'\n" },
	{ "spf", "spf: none| spf-all: none", "", "" },
	{ "spf", "spf: mx| no-mail: on", "", "@ TXT 'v=spf1 -all'\n" },
	/* The addresses of the hosts cost a receiver nothing. */
	{ "spf", "host: [ mail, far ]| spf: [ hosts, 'include:x.example' ]", HOSTS,
	  "@ TXT 'v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip6:2001:db8::53 include:x.example -all'\n" },
	{ "spf", "spf: hosts", "", "@ TXT 'v=spf1 -all'\n" },

	{ "txt", "", "", "" },
	{ "txt", "txt: [ 'site=1', 'a {domain} b' ]", "",
	  "@ TXT 'site=1'\n@ TXT 'a example.org b'\n" },
	{ "txt", "txt: 'kept'| no-mail: on", "", "@ TXT 'kept'\n" },

	/* SPF of a HELO name: default, given, none; not at the domain itself, not without mail. */
	{ "helo-spf", "", HOSTS, "" },
	{ "helo-spf", "host: [ mail, far, apex ]", HOSTS,
	  "mail TXT 'v=spf1 a -all'\nmx.far.example. TXT 'v=spf1 a -all'\n" },
	{ "helo-spf", "host: h", "host h| name: h| helo-spf: 'a ra=postmaster -all'",
	  "h TXT 'v=spf1 a ra=postmaster -all'\n" },
	{ "helo-spf", "host: h", "host h| name: h| helo-spf: [ 'ip4:192.0.2.1', '-all' ]",
	  "h TXT 'v=spf1 ip4:192.0.2.1 -all'\n" },
	{ "helo-spf", "host: h", "host h| name: h| helo-spf: none", "" },
	{ "helo-spf", "host: mail| no-mail: on", HOSTS, "" },

	/* A policy's DKIM keys and their times. */
	{ "dkim", "", "", "" },
	{ "dkim", "", TWO_KEYS, "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim-cname", "", "dkim policy:p/s1| key: '" KEY1 "'", "" },
	{ "dkim-cname", "", TWO_KEYS, "s2.x._domainkey CNAME s2.dkim.example.net.\n" },
	{ "dkim-cname", "", "dkim policy:p/s1| cname: 's1.{domain}.example.net.'",
	  "s1._domainkey CNAME s1.example.org.example.net.\n" },
	{ "dkim", "", "dkim policy:p/s1| key: '" KEY1 "'| tags: none",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; p=" KEY1 "'\n" },
	{ "dkim", "", "dkim policy:other/s1| key: '" KEY1 "'", "" },
	{ "dkim", "", "dkim example.org/s1| key: '" KEY1 "'", "" },
	/* Of the base, unless the policy has the same selector itself. */
	{ "dkim", "base: b", "policy b\ndkim policy:b/s1| key: '" KEY1 "'",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim", "base: b",
	  "policy b\ndkim policy:b/s1| key: '" KEY1 "'\n"
	  "dkim policy:p/s1| key: '" KEY2 "'\ndkim policy:b/s2| key: '" KEY2 "'",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'\n"
	  "s2._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'\n" },
	/* Only publish and remove count, */
	{ "dkim", "",
	  "dkim policy:p/s1| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'"
	  "| activate: '2027-01-15T08:20:00Z'| retire: '2027-01-15T08:30:00Z'"
	  "| remove: '2027-01-15T08:40:00Z'",
	  "s1._domainkey [+600..+2400] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	/* unless the key is to be revoked. */
	{ "dkim", "",
	  "dkim policy:p/s1| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'"
	  "| retire: '2027-01-15T08:30:00Z'| remove: '2027-01-15T08:40:00Z'| revoke: on",
	  "s1._domainkey [+600..+1800] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n"
	  "s1._domainkey [+1800..+2400] TXT 'v=DKIM1; p='\n" },
	{ "dkim", "",
	  "dkim policy:p/s1| key: '" KEY1 "'| retire: '2027-01-15T08:30:00Z'| revoke: on",
	  "s1._domainkey [..+1800] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n"
	  "s1._domainkey [+1800..] TXT 'v=DKIM1; p='\n" },
	{ "dkim", "", "dkim policy:p/s1| key: '" KEY1 "'| revoke: on",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim", "",
	  "dkim policy:p/s1| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'"
	  "| remove: '2027-01-15T08:10:00Z'",
	  "" },
	/* A delegated key that is revoked is a TXT from then on. */
	{ "dkim", "",
	  "dkim policy:p/s1| cname: 's1.dkim.example.net.'| retire: '2027-01-15T08:30:00Z'"
	  "| remove: '2027-01-15T08:40:00Z'| revoke: on",
	  "s1._domainkey [+1800..+2400] TXT 'v=DKIM1; p='\n" },
	{ "dkim-cname", "",
	  "dkim policy:p/s1| cname: 's1.dkim.example.net.'| retire: '2027-01-15T08:30:00Z'"
	  "| remove: '2027-01-15T08:40:00Z'| revoke: on",
	  "s1._domainkey [..+1800] CNAME s1.dkim.example.net.\n" },
	/* Without mail there is the wildcard, and nothing else. */
	{ "dkim-none", "", "", "" },
	{ "dkim-none", "no-mail: on", "", "*._domainkey TXT 'v=DKIM1; p='\n" },
	{ "dkim", "no-mail: on", TWO_KEYS, "" },
	{ "dkim-cname", "no-mail: on", TWO_KEYS, "" },

	{ "dmarc", "dmarc: none", "", "" },
	{ "dmarc", "", "", "_dmarc TXT 'v=DMARC1; p=none'\n" },
	{ "dmarc", "dmarc: [ 'rua=mailto:d@{domain}', 'p=reject', 'np=reject' ]", "",
	  "_dmarc TXT 'v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org'\n" },
	{ "dmarc", "dmarc: [ 'p=none', 'rua=mailto:d@{domain}' ]| no-mail: on", "",
	  "_dmarc TXT 'v=DMARC1; p=reject; rua=mailto:d@example.org'\n" },
	{ "dmarc", "dmarc: none| no-mail: on", "", "_dmarc TXT 'v=DMARC1; p=reject'\n" },
	/* A ramp: each step overrides the tags that it names, from its time on. Steps in any order. */
	{ "dmarc",
	  "dmarc: 'rua=mailto:d@{domain}'| dmarc-ramp: [ '2027-01-15T08:20:00Z p=reject', '2027-01-15T08:10:00Z p=quarantine sp=none' ]",
	  "",
	  "_dmarc [..+600] TXT 'v=DMARC1; p=none; rua=mailto:d@example.org'\n"
	  "_dmarc [+600..+1200] TXT 'v=DMARC1; p=quarantine; sp=none; rua=mailto:d@example.org'\n"
	  "_dmarc [+1200..] TXT 'v=DMARC1; p=reject; sp=none; rua=mailto:d@example.org'\n" },
	{ "dmarc",
	  "dmarc-ramp: [ '2027-01-15T08:10:00Z p=quarantine', '2027-01-15T08:10:00Z sp=none' ]", "",
	  "_dmarc [..+600] TXT 'v=DMARC1; p=none'\n_dmarc [+600..] TXT 'v=DMARC1; p=quarantine; sp=none'\n" },
	{ "dmarc",
	  "dmarc: 'p=quarantine'| dmarc-ramp: '2027-01-15T08:10:00Z p=reject'| no-mail: on", "",
	  "_dmarc TXT 'v=DMARC1; p=reject'\n" },

	{ "mta-sts", "mx: '10 mail'", "", "" },
	{ "mta-sts", "mta-sts: enforce| mta-sts-id: '16561011793845132961'| mx: '10 mail'", "",
	  "_mta-sts TXT 'v=STSv1; id=16561011793845132961'\n" },
	/* Derived: the first half of the SHA-256 of the body (RFC 8461 3.2), by sha256sum's word. */
	{ "mta-sts", "mta-sts: testing| mta-sts-max-age: 86400| mx: '10 mail'", "",
	  "_mta-sts TXT 'v=STSv1; id=b9b047279ec2b01a9ab87c3e77015aed'\n" },
	{ "mta-sts", "mta-sts: none| mta-sts-id: x", "", "_mta-sts TXT 'v=STSv1; id=x'\n" },
	{ "mta-sts", "mta-sts: enforce| mx: '10 mail'| no-mail: on", "", "" },
	{ "mta-sts-host", "mta-sts-host: mail", "", "" },
	{ "mta-sts-host", "mta-sts: enforce| mx: '10 mail'", "", "" },
	{ "mta-sts-host", "mta-sts: enforce| mx: '10 mail'| mta-sts-host: mail", "",
	  "mta-sts CNAME mail.example.org.\n" },
	{ "mta-sts-host", "mta-sts: enforce| mx: '10 mail'| mta-sts-host: mail| no-mail: on", "",
	  "" },

	{ "tls-rpt", "", "", "" },
	{ "tls-rpt", "tls-rpt: [ 'mailto:t@{domain}', 'https://t.example/' ]", "",
	  "_smtp._tls TXT 'v=TLSRPTv1; rua=mailto:t@example.org,https://t.example/'\n" },
	{ "tls-rpt", "tls-rpt: 'mailto:t@{domain}'| no-mail: on", "", "" },

	/* Services: of the first exchange unless a host is named; not offered; another one. */
	{ "srv-imap", "srv: [ 'imap 0 1 110 mail', imaps ]| mx: '10 mx'", "",
	  "_imap._tcp SRV 0 1 110 mail.example.org.\n" },
	{ "srv-imap", "srv: [ 'imap a', 'imap 5 2 144 b' ]", "",
	  "_imap._tcp SRV 0 1 143 a.example.org.\n_imap._tcp SRV 5 2 144 b.example.org.\n" },
	{ "srv-imaps", "srv: [ 'imap 0 1 110 mail', imaps ]| mx: [ '10 mx', '5 mx2' ]", "",
	  "_imaps._tcp SRV 0 1 993 mx.example.org.\n" },
	{ "srv-pop3", "srv: 'pop3 .'", "", "_pop3._tcp SRV 0 0 0 .\n" },
	{ "srv-imap", "srv: 'imap mail'| no-mail: on", "", "" },

	{ "autoconfig", "", "", "" },
	{ "autoconfig", "autoconfig: mail", "", "autoconfig CNAME mail.example.org.\n" },
	{ "autoconfig", "autoconfig: mail| no-mail: on", "", "" },
	{ "autodiscover", "autoconfig: mail", "", "" },
	{ "autodiscover", "autodiscover: 'ad.example.net.'", "",
	  "autodiscover CNAME ad.example.net.\n" },
	{ "autodiscover", "autodiscover: mail| no-mail: on", "", "" },

	/* TLSA: raw, at ports, of certificates now and next. */
	{ "tlsa", "host: mail", HOSTS, "" },
	{ "tlsa", "host: h",
	  "host h| name: h| tlsa: [ '3 0 1 " HEX1 "', '2 1 1 " HEX2 "' ]| tlsa-port: [ 25, 465 ]",
	  "_25._tcp.h TLSA 3 0 1 " HEX1 "\n_25._tcp.h TLSA 2 1 1 " HEX2 "\n"
	  "_465._tcp.h TLSA 3 0 1 " HEX1 "\n_465._tcp.h TLSA 2 1 1 " HEX2 "\n" },
	{ "tlsa", "host: h", "host h| name: 'h.far.example.'| tlsa: '3 0 1 " HEX1 "'",
	  "_25._tcp.h.far.example. TLSA 3 0 1 " HEX1 "\n" },
	{ "tlsa", "host: h", "host h| name: '@'| tlsa: '3 0 1 " HEX1 "'",
	  "_25._tcp TLSA 3 0 1 " HEX1 "\n" },
	{ "tlsa", "host: h| no-mail: on", "host h| name: h| tlsa: '3 0 1 " HEX1 "'", "" },
	{ "tlsa", "host: t", CERT("current: '3 1 1 " HEX1 "'"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	{ "tlsa", "host: t", CERT("next: '3 1 1 " HEX1 "'| publish: '2027-01-15T08:10:00Z'"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	/* Both until it is known when the next is deployed; */
	{ "tlsa", "host: t",
	  CERT("current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2
	       "'| publish: '2027-01-15T08:10:00Z'"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },
	/* the current one until two TTLs after that; */
	{ "tlsa", "host: t| ttl: 300",
	  CERT("current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2
	       "'| publish: '2027-01-15T08:10:00Z'| deploy-at: '2027-01-15T08:40:00Z'"),
	  "_25._tcp.t [..+3000] TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },
	/* a time alone changes nothing; */
	{ "tlsa", "host: t", CERT("current: '3 1 1 " HEX1 "'| deploy-at: '2027-01-15T08:40:00Z'"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	/* what is the same now and next is there once, always. */
	{ "tlsa", "host: t",
	  CERT("current: '3 1 1 " HEX1 "'| next: [ '3 1 1 " HEX1 "', '3 1 1 " HEX2
	       "' ]| publish: '2027-01-15T08:10:00Z'| deploy-at: '2027-01-15T08:40:00Z'"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },

	{ "bimi", "", "", "" },
	{ "bimi", "dmarc: 'p=reject'| bimi: [ 'https://example.net/l.svg', 's2 none' ]", "",
	  "default._bimi TXT 'v=BIMI1; l=https://example.net/l.svg'\ns2._bimi TXT 'v=BIMI1; l=; a=;'\n" },
	{ "bimi", "bimi: 'https://example.net/l.svg'| no-mail: on", "", "" },

	{ "caa", "", "", "" },
	{ "caa", "caa: [ '0 issue \\'ca.example\\'', '128 iodef \\'mailto:c@{domain}\\'' ]", "",
	  "@ CAA 0 issue 'ca.example'\n@ CAA 128 iodef 'mailto:c@example.org'\n" },
	{ "caa", "caa: '0 issue \\'ca.example\\''| no-mail: on", "",
	  "@ CAA 0 issue 'ca.example'\n" },

	{ "record", "", "", "" },
	{ "record",
	  "record: [ 'www 60 A 192.0.2.80', 'x CNAME www', 'abs.example.net. A 192.0.2.81' ]", "",
	  "www 60 A 192.0.2.80\nx CNAME www.example.org.\nabs.example.net. A 192.0.2.81\n" },
	{ "delegation", "", "", "" },
	{ "delegation", "",
	  "domain example.org| policy: p"
	  "| delegation: [ 'sub NS ns.sub', 'sub DS 1 13 2 " HEX1 "' ]"
	  "| record: 'ns.sub A 192.0.2.1'",
	  "sub NS ns.sub.example.org.\nsub DS 1 13 2 " HEX1 "\n" },

	/* Key sets: test_kind_key.c. */
	{ "dnskey", "", "", "" },
	{ "dnskey", SIGNED, KEY_SET, "@ DNSKEY 257 3 15 " DNSKEY "\n" },
	{ "cds", "", "", "" },
	{ "cds", SIGNED, KEY_SET, "@ [+0..] CDS 0 0 0 00\n" },
	{ "cdnskey", "", "", "" },
	{ "cdnskey", SIGNED, KEY_SET, "@ [+0..] CDNSKEY 0 3 0 AA==\n" },
};

static void test_cases(void)
{
	EACH(c, cases) {
		/* What writers take, readers show. Name servers without an address are tested where that is refused. */
		const int lax = strstr(c->policy, "ns: [ ns1,") != NULL;
		for (int strict = 0; strict <= 1 - lax; strict++) {
			planned_t p;
			mail_buf_t got = { 0 };
			if (CHECK(planned_begin(&p, c->policy, c->others, strict), "%s: %s",
			          c->kind, p.diag.text)) {
				show_plan(p.plan, c->kind, &got);
				shown_is(&got, c->expected, c->kind);
			}
			planned_end(&p);
		}
	}
}

/* Services are all made by one function: each stands where it should, with its port. */
static void test_services(void)
{
	for (size_t i = 0; i < COUNT(sample_services); i++) {
		char policy[64], expected[128];
		planned_t p;
		mail_buf_t got = { 0 };
		(void)snprintf(policy, sizeof(policy), "srv: '%s h'", sample_services[i].name);
		(void)snprintf(expected, sizeof(expected), "_%s._tcp SRV 0 1 %u h.example.org.\n",
		               sample_services[i].name, sample_services[i].port);
		CHECK_STR(mail_srv_services[i].name, sample_services[i].name);
		if (CHECK(planned_begin(&p, policy, "", true), "%s: %s", policy, p.diag.text)) {
			for (unsigned k = 0; k < MAIL_KIND_COUNT; k++) {
				/* No other service gets it. */
				if (strncmp(mail_kinds[k].name, "srv-", 4) == 0) {
					show_plan(p.plan, mail_kinds[k].name, &got);
				}
			}
			shown_is(&got, expected, policy);
		}
		planned_end(&p);
	}
	CHECK_INT(MAIL_SRV_COUNT, COUNT(sample_services));
}

/* The table itself: names are unique, and each kind that is rendered is tested present and absent above. */
static void test_table(void)
{
	static const struct {
		unsigned place;
		const char *name;
	} places[] = {
		{ MAIL_KIND_DKIM, "dkim" },
		{ MAIL_KIND_DKIM_CNAME, "dkim-cname" },
		{ MAIL_KIND_REPORT, "dmarc-report" },
		{ MAIL_KIND_CHILD, "child" },
	};
	EACH(c, places) {
		const char *name = mail_kinds[c->place].name;
		CHECK(name != NULL && strcmp(name, c->name) == 0, "%s", c->name);
	}
	for (unsigned i = 0; i < MAIL_KIND_COUNT; i++) {
		CHECK(mail_kinds[i].name != NULL, "%u", i);
	}
	for (unsigned k = 0; k < MAIL_KIND_COUNT; k++) {
		const mail_kind_t *kind = &mail_kinds[k];
		bool present = false, absent = false;
		for (unsigned j = 0; j < k; j++) {
			CHECK(strcmp(kind->name, mail_kinds[j].name) != 0, "%s twice", kind->name);
		}
		CHECK(kind->owner != NULL && kind->help != NULL && kind->help[0] != '\0', "%s",
		      kind->name);
		EACH(c, cases) {
			if (strcmp(c->kind, kind->name) == 0) {
				present |= c->expected[0] != '\0';
				absent |= c->expected[0] == '\0';
			}
		}
		/* Services are tested one by one; what the view makes, in test_view.c and test_answer.c. */
		bool elsewhere = strncmp(kind->name, "srv-", 4) == 0 || kind->render == NULL;
		CHECK(elsewhere || (present && absent), "%s: present %d, absent %d", kind->name,
		      present, absent);
	}
}

/* What cannot be rendered is refused, and is a fault of the plan for readers. */
static void test_refused(void)
{
	static const struct {
		const char *policy;
		const char *others;
		const char *reason;
	} refused[] = {
		{ "mx: [ '10 mail', '.' ]", "", "mx: a null MX stands alone (RFC 7505)" },
		{ "srv: imaps", "", "srv: imaps names no host, and there is no mx to take" },
		{ "mx: '.'| srv: [ 'imap a', imaps ]", "",
		  "srv: imaps names no host, and there is no mx to take" },
		{ "host: nope", "", "host: host nope does not exist" },
		{ "host: h", "host h| name: h| certificate: nope",
		  "host h: certificate: certificate nope does not exist" },
		{ "host: h", "host h| name: '{domain}.example.net.'| address: 192.0.2.1",
		  "an owner may not hold {domain}" },
		{ "mta-sts: enforce", "",
		  "mta-sts: MTA-STS needs a mode (enforce, testing, none), max_age up to 31557600, and, but for "
		  "none, an MX that is not null" },
		{ "record: '{domain}.x. A 192.0.2.1'", "",
		  "record: an owner may not hold {domain}" },
	};
	EACH(c, refused) {
		planned_t p;
		(void)planned_begin(&p, c->policy, c->others, true);
		CHECK(p.ret != KNOT_EOK && p.plan == NULL, "%d", p.ret);
		CHECK_STR(p.diag.text, c->reason);
		(void)planned_again(&p, false);
		CHECK(p.ret == KNOT_EOK && p.plan->error != KNOT_EOK, "%d", p.ret);
		CHECK_STR(p.plan != NULL ? p.plan->reason : "", c->reason);
		planned_end(&p);
	}
}

UNIT_MAIN("kind", TEST("each kind, present and absent", test_cases),
          TEST("services", test_services), TEST("the table", test_table),
          TEST("what cannot be rendered", test_refused))
