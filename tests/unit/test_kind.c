/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every row of the table of kinds: when it is there, when not, and what it looks like. */

#include "plan/kinds.h"
#include "failing.h"
#include "record/srv.h"
#include "planned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"

/* NOW is 2027-01-15T08:00:00Z. */
#define AT(minutes) "2027-01-15T08:" minutes ":00Z"

#define HOSTS                                                                                      \
	"host:\n"                                                                                  \
	"  - id: mail\n    name: mail\n    address: [ 192.0.2.25, \"2001:db8::25\" ]\n"            \
	"  - id: apex\n    name: \"@\"\n    address: 192.0.2.80\n"                                 \
	"  - id: far\n    name: \"mx.far.example.\"\n    address: \"2001:db8::53\"\n"              \
	"  - id: bare\n    name: bare\n"

#define TWO_KEYS                                                                                   \
	"dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n"                                  \
	"  - id: \"policy:p/s2.x\"\n    cname: \"s2.dkim.example.net.\"\n"

#define CERT(items)                                                                                \
	HOSTS "  - id: t\n    name: t\n    certificate: c\n"                                       \
	      "certificate:\n  - id: c\n" items

#define DNSKEY "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define SIGNED "    ns: \"ns2.example.net.\"\n    key-set: k\n"
#define KEY_SET                                                                                    \
	"key-set:\n  - id: k\n    leave: \"" AT("00") "\"\n    key: \"3613 ed25519 csk " DNSKEY    \
						      "\"\n"

typedef struct {
	const char *kind;
	const char *policy;   /* Items of policy p. */
	const char *others;   /* Other sections. */
	const char *expected; /* Rows of the kind. */
} case_t;

static const case_t cases[] = {
	/* Hosted domains have an SOA; others do not. */
	{ "soa", "    mx: \"10 mail\"\n", "", "" },
	{ "soa", "    ns: [ ns1, \"ns2.example.net.\" ]\n", "",
	  "@ SOA ns1.example.org. hostmaster.example.org. 0 86400 7200 3600000 300\n" },
	{ "soa",
	  "    ns: \"ns2.example.net.\"\n    soa-mname: \"hidden.example.net.\"\n"
	  "    soa-rname: \"dns@example.net\"\n",
	  "", "@ SOA hidden.example.net. dns.example.net. 0 86400 7200 3600000 300\n" },
	{ "ns", "", "", "" },
	{ "ns", "    ns: [ ns1, \"ns2.example.net.\", \"ns.{domain}.dns.example.\" ]\n", "",
	  "@ NS ns1.example.org.\n@ NS ns2.example.net.\n@ NS ns.example.org.dns.example.\n" },
	/* Said twice, shown once. */
	{ "ns", "    ns: \"ns2.example.net.\"\n    ns-add: \"NS2.example.net.\"\n", "",
	  "@ NS ns2.example.net.\n" },

	/* Addresses of hosts: relative, of the domain, absolute, none. */
	{ "a", "", HOSTS, "" },
	{ "a", "    host: [ mail, far ]\n", HOSTS, "mail A 192.0.2.25\n" },
	{ "a", "    host: [ mail, apex ]\n", HOSTS, "@ A 192.0.2.80\nmail A 192.0.2.25\n" },
	{ "aaaa", "    host: apex\n", HOSTS, "" },
	{ "aaaa", "    host: [ mail, far, bare ]\n", HOSTS,
	  "mail AAAA 2001:db8::25\nmx.far.example. AAAA 2001:db8::53\n" },
	/* A domain without mail may have hosts. */
	{ "a", "    host: mail\n    no-mail: on\n", HOSTS, "mail A 192.0.2.25\n" },

	{ "mx", "", "", "" },
	{ "mx", "    mx: [ \"10 mail\", \"20 mx.example.net.\" ]\n", "",
	  "@ MX 10 mail.example.org.\n@ MX 20 mx.example.net.\n" },
	{ "mx", "    mx: \".\"\n", "", "@ MX 0 .\n" },
	{ "mx", "    mx: \"10 mail\"\n    no-mail: on\n", "", "@ MX 0 .\n" },
	{ "mx", "    mx: \"10 mail\"\n    no-mail: off\n", "", "@ MX 10 mail.example.org.\n" },

	/* Exactly one SPF record. */
	{ "spf", "", "", "@ TXT 'v=spf1 -all'\n" },
	{ "spf", "    spf: [ mx, \"ra=postmaster\" ]\n", "",
	  "@ TXT 'v=spf1 mx ra=postmaster -all'\n" },
	{ "spf", "    spf: \"mx a\"\n    spf-all: \"~all\"\n", "", "@ TXT 'v=spf1 mx a ~all'\n" },
	{ "spf", "    spf: mx\n    spf-all: none\n", "", "@ TXT 'v=spf1 mx'\n" },
	{ "spf", "    spf: \"redirect=_spf.example.net\"\n", "",
	  "@ TXT 'v=spf1 redirect=_spf.example.net'\n" },
	{ "spf", "    spf: none\n    spf-all: none\n", "", "" },
	{ "spf", "    spf: mx\n    no-mail: on\n", "", "@ TXT 'v=spf1 -all'\n" },
	/* The addresses of the hosts cost a receiver nothing. */
	{ "spf", "    host: [ mail, far ]\n    spf: [ hosts, \"include:x.example\" ]\n", HOSTS,
	  "@ TXT 'v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip6:2001:db8::53 include:x.example -all'\n" },
	{ "spf", "    spf: hosts\n", "", "@ TXT 'v=spf1 -all'\n" },

	{ "txt", "", "", "" },
	{ "txt", "    txt: [ \"site=1\", \"a {domain} b\" ]\n", "",
	  "@ TXT 'site=1'\n@ TXT 'a example.org b'\n" },
	{ "txt", "    txt: \"kept\"\n    no-mail: on\n", "", "@ TXT 'kept'\n" },

	/* SPF of a HELO name: default, given, none; not at the domain itself, not without mail. */
	{ "helo-spf", "", HOSTS, "" },
	{ "helo-spf", "    host: [ mail, far, apex ]\n", HOSTS,
	  "mail TXT 'v=spf1 a -all'\nmx.far.example. TXT 'v=spf1 a -all'\n" },
	{ "helo-spf", "    host: h\n",
	  "host:\n  - id: h\n    name: h\n    helo-spf: \"a ra=postmaster -all\"\n",
	  "h TXT 'v=spf1 a ra=postmaster -all'\n" },
	{ "helo-spf", "    host: h\n",
	  "host:\n  - id: h\n    name: h\n    helo-spf: [ \"ip4:192.0.2.1\", \"-all\" ]\n",
	  "h TXT 'v=spf1 ip4:192.0.2.1 -all'\n" },
	{ "helo-spf", "    host: h\n", "host:\n  - id: h\n    name: h\n    helo-spf: none\n", "" },
	{ "helo-spf", "    host: mail\n    no-mail: on\n", HOSTS, "" },

	/* A policy's DKIM keys and their times. */
	{ "dkim", "", "", "" },
	{ "dkim", "", TWO_KEYS, "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim-cname", "", "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n", "" },
	{ "dkim-cname", "", TWO_KEYS, "s2.x._domainkey CNAME s2.dkim.example.net.\n" },
	{ "dkim-cname", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    cname: \"s1.{domain}.example.net.\"\n",
	  "s1._domainkey CNAME s1.example.org.example.net.\n" },
	{ "dkim", "", "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n    tags: none\n",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; p=" KEY1 "'\n" },
	{ "dkim", "", "dkim:\n  - id: \"policy:other/s1\"\n    key: \"" KEY1 "\"\n", "" },
	{ "dkim", "", "dkim:\n  - id: example.org/s1\n    key: \"" KEY1 "\"\n", "" },
	/* Of the base, unless the policy has the same selector itself. */
	{ "dkim", "    base: b\n",
	  "policy:\n  - id: b\ndkim:\n  - id: \"policy:b/s1\"\n    key: \"" KEY1 "\"\n",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim", "    base: b\n",
	  "policy:\n  - id: b\ndkim:\n  - id: \"policy:b/s1\"\n    key: \"" KEY1 "\"\n"
	  "  - id: \"policy:p/s1\"\n    key: \"" KEY2
	  "\"\n  - id: \"policy:b/s2\"\n    key: \"" KEY2 "\"\n",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'\n"
	  "s2._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'\n" },
	/* Only publish and remove count, */
	{ "dkim", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1
	  "\"\n    publish: \"" AT("10") "\"\n"
	                                 "    activate: \"" AT("20") "\"\n    retire: \"" AT(
						 "30") "\"\n    remove: \"" AT("40") "\"\n",
	  "s1._domainkey [+600..+2400] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	/* unless the key is to be revoked. */
	{ "dkim", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1
	  "\"\n    publish: \"" AT("10") "\"\n"
	                                 "    retire: \"" AT("30") "\"\n    remove: \"" AT(
						 "40") "\"\n    revoke: on\n",
	  "s1._domainkey [+600..+1800] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n"
	  "s1._domainkey [+1800..+2400] TXT 'v=DKIM1; p='\n" },
	{ "dkim", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1
	  "\"\n    retire: \"" AT("30") "\"\n"
	                                "    revoke: on\n",
	  "s1._domainkey [..+1800] TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n"
	  "s1._domainkey [+1800..] TXT 'v=DKIM1; p='\n" },
	{ "dkim", "", "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n    revoke: on\n",
	  "s1._domainkey TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'\n" },
	{ "dkim", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    key: \"" KEY1
	  "\"\n    publish: \"" AT("10") "\"\n"
	                                 "    remove: \"" AT("10") "\"\n",
	  "" },
	/* A delegated key that is revoked is a TXT from then on. */
	{ "dkim", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    cname: \"s1.dkim.example.net.\"\n    retire: \"" AT(
		  "30") "\"\n"
	                "    remove: \"" AT("40") "\"\n    revoke: on\n",
	  "s1._domainkey [+1800..+2400] TXT 'v=DKIM1; p='\n" },
	{ "dkim-cname", "",
	  "dkim:\n  - id: \"policy:p/s1\"\n    cname: \"s1.dkim.example.net.\"\n    retire: \"" AT(
		  "30") "\"\n"
	                "    remove: \"" AT("40") "\"\n    revoke: on\n",
	  "s1._domainkey [..+1800] CNAME s1.dkim.example.net.\n" },
	/* Without mail there is the wildcard, and nothing else. */
	{ "dkim-none", "", "", "" },
	{ "dkim-none", "    no-mail: on\n", "", "*._domainkey TXT 'v=DKIM1; p='\n" },
	{ "dkim", "    no-mail: on\n", TWO_KEYS, "" },
	{ "dkim-cname", "    no-mail: on\n", TWO_KEYS, "" },

	{ "dmarc", "    dmarc: none\n", "", "" },
	{ "dmarc", "", "", "_dmarc TXT 'v=DMARC1; p=none'\n" },
	{ "dmarc", "    dmarc: [ \"rua=mailto:d@{domain}\", \"p=reject\", \"np=reject\" ]\n", "",
	  "_dmarc TXT 'v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org'\n" },
	{ "dmarc", "    dmarc: [ \"p=none\", \"rua=mailto:d@{domain}\" ]\n    no-mail: on\n", "",
	  "_dmarc TXT 'v=DMARC1; p=reject; rua=mailto:d@example.org'\n" },
	{ "dmarc", "    dmarc: none\n    no-mail: on\n", "", "_dmarc TXT 'v=DMARC1; p=reject'\n" },
	/* A ramp: each step overrides the tags that it names, from its time on. Steps in any order. */
	{ "dmarc",
	  "    dmarc: \"rua=mailto:d@{domain}\"\n    dmarc-ramp: [ \"" AT(
		  "20") " p=reject\", \"" AT("10") " p=quarantine sp=none\" ]\n",
	  "",
	  "_dmarc [..+600] TXT 'v=DMARC1; p=none; rua=mailto:d@example.org'\n"
	  "_dmarc [+600..+1200] TXT 'v=DMARC1; p=quarantine; sp=none; rua=mailto:d@example.org'\n"
	  "_dmarc [+1200..] TXT 'v=DMARC1; p=reject; sp=none; rua=mailto:d@example.org'\n" },
	{ "dmarc", "    dmarc-ramp: [ \"" AT("10") " p=quarantine\", \"" AT("10") " sp=none\" ]\n",
	  "",
	  "_dmarc [..+600] TXT 'v=DMARC1; p=none'\n_dmarc [+600..] TXT 'v=DMARC1; p=quarantine; sp=none'\n" },
	{ "dmarc",
	  "    dmarc: \"p=quarantine\"\n    dmarc-ramp: \"" AT(
		  "10") " p=reject\"\n    no-mail: on\n",
	  "", "_dmarc TXT 'v=DMARC1; p=reject'\n" },

	{ "mta-sts", "    mx: \"10 mail\"\n", "", "" },
	{ "mta-sts",
	  "    mta-sts: enforce\n    mta-sts-id: \"16561011793845132961\"\n    mx: \"10 mail\"\n",
	  "", "_mta-sts TXT 'v=STSv1; id=16561011793845132961'\n" },
	/* Derived: the first half of the SHA-256 of the body (RFC 8461 3.2), by sha256sum's word. */
	{ "mta-sts", "    mta-sts: testing\n    mta-sts-max-age: 86400\n    mx: \"10 mail\"\n", "",
	  "_mta-sts TXT 'v=STSv1; id=b9b047279ec2b01a9ab87c3e77015aed'\n" },
	{ "mta-sts", "    mta-sts: none\n    mta-sts-id: x\n", "",
	  "_mta-sts TXT 'v=STSv1; id=x'\n" },
	{ "mta-sts", "    mta-sts: enforce\n    mx: \"10 mail\"\n    no-mail: on\n", "", "" },
	{ "mta-sts-host", "    mta-sts-host: mail\n", "", "" },
	{ "mta-sts-host", "    mta-sts: enforce\n    mx: \"10 mail\"\n", "", "" },
	{ "mta-sts-host", "    mta-sts: enforce\n    mx: \"10 mail\"\n    mta-sts-host: mail\n", "",
	  "mta-sts CNAME mail.example.org.\n" },
	{ "mta-sts-host",
	  "    mta-sts: enforce\n    mx: \"10 mail\"\n    mta-sts-host: mail\n    no-mail: on\n",
	  "", "" },

	{ "tls-rpt", "", "", "" },
	{ "tls-rpt", "    tls-rpt: [ \"mailto:t@{domain}\", \"https://t.example/\" ]\n", "",
	  "_smtp._tls TXT 'v=TLSRPTv1; rua=mailto:t@example.org,https://t.example/'\n" },
	{ "tls-rpt", "    tls-rpt: \"mailto:t@{domain}\"\n    no-mail: on\n", "", "" },

	/* Services: of the first exchange unless a host is named; not offered; another one. */
	{ "srv-imap", "    srv: [ \"imap 0 1 110 mail\", imaps ]\n    mx: \"10 mx\"\n", "",
	  "_imap._tcp SRV 0 1 110 mail.example.org.\n" },
	{ "srv-imap", "    srv: [ \"imap a\", \"imap 5 2 144 b\" ]\n", "",
	  "_imap._tcp SRV 0 1 143 a.example.org.\n_imap._tcp SRV 5 2 144 b.example.org.\n" },
	{ "srv-imaps",
	  "    srv: [ \"imap 0 1 110 mail\", imaps ]\n    mx: [ \"10 mx\", \"5 mx2\" ]\n", "",
	  "_imaps._tcp SRV 0 1 993 mx.example.org.\n" },
	{ "srv-pop3", "    srv: \"pop3 .\"\n", "", "_pop3._tcp SRV 0 0 0 .\n" },
	{ "srv-imap", "    srv: \"imap mail\"\n    no-mail: on\n", "", "" },

	{ "autoconfig", "", "", "" },
	{ "autoconfig", "    autoconfig: mail\n", "", "autoconfig CNAME mail.example.org.\n" },
	{ "autoconfig", "    autoconfig: mail\n    no-mail: on\n", "", "" },
	{ "autodiscover", "    autoconfig: mail\n", "", "" },
	{ "autodiscover", "    autodiscover: \"ad.example.net.\"\n", "",
	  "autodiscover CNAME ad.example.net.\n" },
	{ "autodiscover", "    autodiscover: mail\n    no-mail: on\n", "", "" },

	/* TLSA: raw, at ports, of certificates now and next. */
	{ "tlsa", "    host: mail\n", HOSTS, "" },
	{ "tlsa", "    host: h\n",
	  "host:\n  - id: h\n    name: h\n    tlsa: [ \"3 0 1 " HEX1 "\", \"2 1 1 " HEX2 "\" ]\n"
	  "    tlsa-port: [ 25, 465 ]\n",
	  "_25._tcp.h TLSA 3 0 1 " HEX1 "\n_25._tcp.h TLSA 2 1 1 " HEX2 "\n"
	  "_465._tcp.h TLSA 3 0 1 " HEX1 "\n_465._tcp.h TLSA 2 1 1 " HEX2 "\n" },
	{ "tlsa", "    host: h\n",
	  "host:\n  - id: h\n    name: \"h.far.example.\"\n    tlsa: \"3 0 1 " HEX1 "\"\n",
	  "_25._tcp.h.far.example. TLSA 3 0 1 " HEX1 "\n" },
	{ "tlsa", "    host: h\n",
	  "host:\n  - id: h\n    name: \"@\"\n    tlsa: \"3 0 1 " HEX1 "\"\n",
	  "_25._tcp TLSA 3 0 1 " HEX1 "\n" },
	{ "tlsa", "    host: h\n    no-mail: on\n",
	  "host:\n  - id: h\n    name: h\n    tlsa: \"3 0 1 " HEX1 "\"\n", "" },
	{ "tlsa", "    host: t\n", CERT("    current: \"3 1 1 " HEX1 "\"\n"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	{ "tlsa", "    host: t\n",
	  CERT("    next: \"3 1 1 " HEX1 "\"\n    publish: \"" AT("10") "\"\n"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	/* Both until it is known when the next is deployed; */
	{ "tlsa", "    host: t\n",
	  CERT("    current: \"3 1 1 " HEX1 "\"\n    next: \"3 1 1 " HEX2
	       "\"\n    publish: \"" AT("10") "\"\n"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },
	/* the current one until two TTLs after that; */
	{ "tlsa", "    host: t\n    ttl: 300\n",
	  CERT("    current: \"3 1 1 " HEX1 "\"\n    next: \"3 1 1 " HEX2
	       "\"\n    publish: \"" AT("10") "\"\n"
	                                      "    deploy-at: \"" AT("40") "\"\n"),
	  "_25._tcp.t [..+3000] TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },
	/* a time alone changes nothing; */
	{ "tlsa", "    host: t\n",
	  CERT("    current: \"3 1 1 " HEX1 "\"\n    deploy-at: \"" AT("40") "\"\n"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n" },
	/* what is the same now and next is there once, always. */
	{ "tlsa", "    host: t\n",
	  CERT("    current: \"3 1 1 " HEX1 "\"\n    next: [ \"3 1 1 " HEX1 "\", \"3 1 1 " HEX2
	       "\" ]\n"
	       "    publish: \"" AT("10") "\"\n    deploy-at: \"" AT("40") "\"\n"),
	  "_25._tcp.t TLSA 3 1 1 " HEX1 "\n_25._tcp.t [+600..] TLSA 3 1 1 " HEX2 "\n" },

	{ "bimi", "", "", "" },
	{ "bimi",
	  "    dmarc: \"p=reject\"\n    bimi: [ \"https://example.net/l.svg\", \"s2 none\" ]\n", "",
	  "default._bimi TXT 'v=BIMI1; l=https://example.net/l.svg'\ns2._bimi TXT 'v=BIMI1; l=; a=;'\n" },
	{ "bimi", "    bimi: \"https://example.net/l.svg\"\n    no-mail: on\n", "", "" },

	{ "caa", "", "", "" },
	{ "caa",
	  "    caa: [ \"0 issue \\\"ca.example\\\"\", \"128 iodef \\\"mailto:c@{domain}\\\"\" ]\n",
	  "", "@ CAA 0 issue 'ca.example'\n@ CAA 128 iodef 'mailto:c@example.org'\n" },
	{ "caa", "    caa: \"0 issue \\\"ca.example\\\"\"\n    no-mail: on\n", "",
	  "@ CAA 0 issue 'ca.example'\n" },

	{ "record", "", "", "" },
	{ "record",
	  "    record: [ \"www 60 A 192.0.2.80\", \"x CNAME www\", \"abs.example.net. A 192.0.2.81\" ]\n",
	  "", "www 60 A 192.0.2.80\nx CNAME www.example.org.\nabs.example.net. A 192.0.2.81\n" },
	{ "delegation", "", "", "" },
	{ "delegation", "",
	  "domain:\n  - id: example.org\n    policy: p\n"
	  "    delegation: [ \"sub NS ns.sub\", \"sub DS 1 13 2 " HEX1 "\" ]\n"
	  "    record: \"ns.sub A 192.0.2.1\"\n",
	  "sub NS ns.sub.example.org.\nsub DS 1 13 2 " HEX1 "\n" },

	/* Key sets: test_kind_key.c. */
	{ "dnskey", "", "", "" },
	{ "dnskey", SIGNED, KEY_SET, "@ DNSKEY 257 3 15 " DNSKEY "\n" },
	{ "cds", "", "", "" },
	{ "cds", SIGNED, KEY_SET, "@ [+0..] CDS 0 0 0 00\n" },
	{ "cdnskey", "", "", "" },
	{ "cdnskey", SIGNED, KEY_SET, "@ [+0..] CDNSKEY 0 3 0 AA==\n" },
};

/*! Makes the plan of policy p, or of example.org when the case has it. */
static int case_plan(const case_t *c, array_t *array, bool strict, mail_plan_t **plan,
                     mail_diag_t *diag)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), "policy:\n  - id: p\n%s", c->policy);
	array_begin(array);
	*plan = NULL;
	if (!array_put(array, text) || !array_put(array, c->others)) {
		return KNOT_EINVAL;
	}
	const bool domain = strstr(c->others, "- id: example.org\n") != NULL;
	return plan_of(&array->source, domain ? "example.org" : "p", strict, plan, diag);
}

static void test_cases(void)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		/* What writers take, readers show. */
		for (int strict = 0; strict <= 1; strict++) {
			array_t array;
			mail_plan_t *plan = NULL;
			mail_diag_t diag = { 0 };
			int ret = case_plan(&cases[i], &array, strict, &plan, &diag);
			if (strict && strstr(cases[i].policy, " ns: [ ns1,") != NULL) {
				/* Name servers without an address are tested where that is refused. */
			} else if (UNIT_CHECK(ret == KNOT_EOK && plan->error == KNOT_EOK,
			                      "case %zu %s: %d %s", i, cases[i].kind, ret,
			                      diag.text)) {
				mail_buf_t got = { 0 };
				show_plan(plan, cases[i].kind, &got);
				(void)shown_is(&got, cases[i].expected, cases[i].kind, i);
			}
			mail_plan_free(plan);
			array_free(&array);
		}
	}
}

/* Services are all made by one function: each stands where it should, with its port. */
static void test_services(void)
{
	static const struct {
		const char *service;
		unsigned port;
	} services[] = {
		{ "imap", 143 },         { "imaps", 993 },      { "pop3", 110 },
		{ "pop3s", 995 },        { "submission", 587 }, { "submissions", 465 },
		{ "sieve", 4190 },       { "jmap", 443 },       { "caldav", 80 },
		{ "caldavs", 443 },      { "carddav", 80 },     { "carddavs", 443 },
		{ "autodiscover", 443 },
	};
	for (size_t i = 0; i < COUNT(services); i++) {
		char policy[64], kind[32], expected[128];
		array_t array;
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		(void)snprintf(policy, sizeof(policy), "    srv: \"%s h\"\n", services[i].service);
		(void)snprintf(kind, sizeof(kind), "srv-%s", services[i].service);
		(void)snprintf(expected, sizeof(expected), "_%s._tcp SRV 0 1 %u h.example.org.\n",
		               services[i].service, services[i].port);
		CU_ASSERT_STRING_EQUAL(mail_srv_services[i].name, services[i].service);
		const case_t c = { kind, policy, "", expected };
		int ret = case_plan(&c, &array, true, &plan, &diag);
		if (UNIT_CHECK(ret == KNOT_EOK, "%s: %s", kind, diag.text)) {
			mail_buf_t got = { 0 };
			for (unsigned k = 0; k < MAIL_KIND_COUNT; k++) {
				/* No other service gets it. */
				if (strncmp(mail_kinds[k].name, "srv-", 4) == 0) {
					show_plan(plan, mail_kinds[k].name, &got);
				}
			}
			(void)shown_is(&got, expected, kind, i);
		}
		mail_plan_free(plan);
		array_free(&array);
	}
	CU_ASSERT_EQUAL(MAIL_SRV_COUNT, COUNT(services));
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
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *name = mail_kinds[places[i].place].name;
		UNIT_CHECK(name != NULL && strcmp(name, places[i].name) == 0, "%s", places[i].name);
	}
	for (unsigned i = 0; i < MAIL_KIND_COUNT; i++) {
		UNIT_CHECK(mail_kinds[i].name != NULL, "%u", i);
	}
	for (unsigned k = 0; k < MAIL_KIND_COUNT; k++) {
		const mail_kind_t *kind = &mail_kinds[k];
		bool present = false, absent = false;
		for (unsigned j = 0; j < k; j++) {
			UNIT_CHECK(strcmp(kind->name, mail_kinds[j].name) != 0, "%s twice",
			           kind->name);
		}
		UNIT_CHECK(kind->owner != NULL && kind->help != NULL && kind->help[0] != '\0', "%s",
		           kind->name);
		for (size_t i = 0; i < COUNT(cases); i++) {
			if (strcmp(cases[i].kind, kind->name) == 0) {
				present |= cases[i].expected[0] != '\0';
				absent |= cases[i].expected[0] == '\0';
			}
		}
		/* Services are tested one by one; what the view makes, in test_view.c and test_answer.c. */
		bool elsewhere = strncmp(kind->name, "srv-", 4) == 0 || kind->render == NULL;
		UNIT_CHECK(elsewhere || (present && absent), "%s: present %d, absent %d",
		           kind->name, present, absent);
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
		{ "    mx: [ \"10 mail\", \".\" ]\n", "", "mx: a null MX stands alone (RFC 7505)" },
		{ "    srv: imaps\n", "", "srv: imaps names no host, and there is no mx to take" },
		{ "    mx: \".\"\n    srv: [ \"imap a\", imaps ]\n", "",
		  "srv: imaps names no host, and there is no mx to take" },
		{ "    host: nope\n", "", "host: host nope does not exist" },
		{ "    host: h\n", "host:\n  - id: h\n    name: h\n    certificate: nope\n",
		  "host h: certificate: certificate nope does not exist" },
		{ "    host: h\n",
		  "host:\n  - id: h\n    name: \"{domain}.example.net.\"\n    address: 192.0.2.1\n",
		  "an owner may not hold {domain}" },
		{ "    mta-sts: enforce\n", "",
		  "mta-sts: MTA-STS needs a mode (enforce, testing, none), max_age up to 31557600, and, but for "
		  "none, an MX that is not null" },
		{ "    record: \"{domain}.x. A 192.0.2.1\"\n", "",
		  "record: an owner may not hold {domain}" },
	};
	for (size_t i = 0; i < COUNT(refused); i++) {
		const case_t c = { "", refused[i].policy, refused[i].others, "" };
		array_t array;
		mail_plan_t *plan = NULL;
		mail_diag_t diag = { 0 };
		int ret = case_plan(&c, &array, true, &plan, &diag);
		UNIT_CHECK(ret != KNOT_EOK && plan == NULL, "case %zu: %d", i, ret);
		UNIT_CHECK(strcmp(diag.text, refused[i].reason) == 0, "case %zu: '%s'", i,
		           diag.text);
		mail_plan_free(plan);
		ret = plan_of(&array.source, "p", false, &plan, NULL);
		UNIT_CHECK(ret == KNOT_EOK && plan->error != KNOT_EOK, "case %zu: %d", i, ret);
		UNIT_CHECK(plan != NULL && strcmp(plan->reason, refused[i].reason) == 0,
		           "case %zu: '%s'", i, plan != NULL ? plan->reason : "");
		mail_plan_free(plan);
		array_free(&array);
	}
}

static const unit_test_t tests[] = { { "each kind, present and absent", test_cases },
	                             { "services", test_services },
	                             { "the table", test_table },
	                             { "what cannot be rendered", test_refused },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("kind", tests);
}
