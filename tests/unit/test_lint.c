/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What records lead to, in changes of a real store: names that are not there, circles, SPF records that cost too much. */

#include "lib/change_fixture.h"
#include "lib/failing.h"
#include "mail/lint.h"

#define KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define D "domain example.net| policy: p| "
#define DOT(name) ": did you mean " name ".? Without a dot at its end it is " name ".example.net\n"
#define NO_HOST " lies in the domain but is no host with an address"
#define MAKE ": make a host of this name (kmailctl host-set), and name it in the item host"
#define PERMERROR " a permanent error (RFC 7208 4.6.4)"

static const char stored[] =
	"host mail| name: mail| address: 192.0.2.25\n"
	"policy p| host: mail| ns: 'ns1.example.com.'| mx: '10 mail'| spf: mx\n"
	"policy nomail| ns: 'ns1.example.com.'| no-mail: on\n"
	"domain example.net| policy: p\n"
	"domain other.org| policy: p| record: [ 'www CNAME mail', 'b CNAME a.example.net.' ]\n"
	"domain parked.org| policy: nomail\n"
	"domain many.org| policy: p| spf: 'a:a.com a:b.com a:c.com a:d.com a:e.com a:f.com'\n"
	"domain back.org| policy: p| spf: 'include:example.net'\n"
	"domain on.org| policy: p| spf: 'redirect=back.org'\n"
	"domain void.org| policy: p| spf: 'a:x.other.org mx:y.other.org'\n"
	"domain spf.org| policy: p| spf: none| spf-all: none| record: [ "
	"'_spf TXT \\'v=spf1 ip4:192.0.2.9 -all\\'' ]\n"
	"dkim other.org/s1| key: '" KEY "'\n"
	"dkim other.org/later| key: '" KEY "'| publish: '2100-01-01T00:00:00Z'";

/* A row: what is written, and all warnings; or the reason of the refusal, with '!' before. */
typedef struct {
	const char *text;
	const char *expected;
} row_t;

static void run_in(const stored_t *s, const row_t *row, size_t count)
{
	for (size_t i = 0; i < count; i++, row++) {
		made_t made;
		const bool refused = row->expected[0] == '!';
		make(s, row->text, &made);
		(void)mail_buf_u8(&made.warnings, 0);
		CHECK(made.ret == (refused ? KNOT_EINVAL : KNOT_EOK), "%s: %d %s", row->text,
		      made.ret, made.diag.text);
		const char *got = refused ? made.diag.text : (const char *)made.warnings.data;
		CHECK(strcmp(got, row->expected + refused) == 0, "%s:\n%s\nnot\n%s", row->text, got,
		      row->expected);
		made_abort(&made);
	}
}

static void run(const row_t *row, size_t count)
{
	stored_t s;
	stored_begin(&s, false, stored);
	run_in(&s, row, count);
	stored_end(&s);
}

#define RUN(rows) run((rows), COUNT(rows))

/* Names in the domain, of every kind; names that are good are not told of. */
static const row_t relative[] = {
	{ D "mx: '10 mail'", "" },
	{ D "mx: '10 gone'", "domain example.net: mx: gone" NO_HOST MAKE "\n" },
	{ D "mx: '10 mail.example.com'",
	  "domain example.net: mx: mail.example.com" NO_HOST DOT("mail.example.com") },
	{ D "mx: '10 mail.example.net'",
	  "domain example.net: mx: mail.example.net" NO_HOST DOT("mail.example.net") },
	/* The end of a stored domain, whatever its top label. */
	{ "domain corp.zz9| policy: p\n" D "mx: '10 mail.corp.zz9'",
	  "domain example.net: mx: mail.corp.zz9" NO_HOST DOT("mail.corp.zz9") },
	{ D "mx: '10 mail.sub'", "domain example.net: mx: mail.sub" NO_HOST MAKE "\n" },
	{ D "mx: '10 mail.sub'| record: 'mail.sub A 192.0.2.1'", "" },
	{ D "mx: '10 mx.de'| record: 'mx.de A 192.0.2.1'", "" },
	{ D "mx: '10 mx.de'", "domain example.net: mx: mx.de" NO_HOST DOT("mx.de") },
	{ D "mx: '10 x.web'| record: '*.web A 192.0.2.1'", "" },
	{ D "mx: '10 mail.'",
	  "domain example.net: mx: mail. is a name at the top: did you mean mail, without the dot at its "
	  "end?\n" },
	/* Of a service that takes the host of mx, the mx is told of, once. */
	{ D "mx: '10 gone'| srv: [ imaps, submissions, 'pop3 lost' ]",
	  "domain example.net: mx: gone" NO_HOST MAKE "\ndomain example.net: srv: lost" NO_HOST MAKE
	  "\n" },
	{ D "srv: [ 'imap 0 1 143 mail.example.com', 'imaps mail.example.com' ]",
	  "domain example.net: srv: mail.example.com" NO_HOST DOT("mail.example.com") },
	{ D "ns: ns1.example.com",
	  "!domain example.net: ns: ns1.example.com" NO_HOST
	  ": did you mean ns1.example.com.? Without a dot at its end it is ns1.example.com.{domain}" },
	{ D "soa-mname: ns1.example.com",
	  "domain example.net: soa-mname: ns1.example.com" NO_HOST DOT("ns1.example.com") },
	{ D "autoconfig: mail", "" },
	{ D "autoconfig: auto.example.com",
	  "domain example.net: autoconfig: auto.example.com" NO_HOST DOT("auto.example.com") },
	{ D "autodiscover: auto.example.com",
	  "domain example.net: autodiscover: auto.example.com" NO_HOST DOT("auto.example.com") },
	{ D "mta-sts: testing| mta-sts-host: web.example.com",
	  "domain example.net: mta-sts-host: web.example.com" NO_HOST DOT("web.example.com") },
	{ D "record: 'www CNAME web.example.com'",
	  "domain example.net: record: www CNAME: web.example.com lies in the domain but does not "
	  "exist" DOT("web.example.com") },
	{ D "record: 'www CNAME mail'", "" },
	{ D "record: 'x MX 10 mail.example.com'",
	  "domain example.net: record: x MX: mail.example.com" NO_HOST DOT("mail.example.com") },
	{ D "record: '_sip._tcp SRV 0 0 5060 sip.example.com'",
	  "domain example.net: record: _sip._tcp SRV: sip.example.com" NO_HOST DOT(
		  "sip.example.com") },
	{ D "record: 'x HTTPS 1 web.example.com'",
	  "domain example.net: record: x HTTPS: web.example.com" NO_HOST DOT("web.example.com") },
	{ D "record: 'x HTTPS 1 .'", "" },
	{ D "record: 'x DNAME y.example.com'",
	  "domain example.net: record: x DNAME: y.example.com lies in the domain but does not "
	  "exist" DOT("y.example.com") },
	{ D "delegation: 'sub NS ns1.example.com'",
	  "domain example.net: delegation: sub NS: ns1.example.com" NO_HOST DOT(
		  "ns1.example.com") },
	{ D "record: 's._domainkey CNAME s._domainkey.provider.example'",
	  "domain example.net: record: s._domainkey CNAME: s._domainkey.provider.example lies in the "
	  "domain but does not exist" DOT("s._domainkey.provider.example") },
	{ "dkim example.net/s| cname: s._domainkey.provider.example",
	  "dkim example.net/s: cname: s._domainkey.provider.example lies in the domain but does not "
	  "exist" DOT("s._domainkey.provider.example") },
	{ "dkim policy:p/s| cname: s._domainkey.provider.example",
	  "policy p: dkim: s._domainkey CNAME: s._domainkey.provider.example lies in the domain but "
	  "does not exist: did you mean s._domainkey.provider.example.? Without a dot at its end it is "
	  "s._domainkey.provider.example.{domain}\n" },
	/* Owners. */
	{ D "record: 'www.example.net A 192.0.2.1'",
	  "domain example.net: record: www.example.net A: without a dot at its end the owner is "
	  "www.example.net.example.net: did you mean www.example.net.?\n" },
	{ D "record: [ 'www.dev A 192.0.2.1', 'mx.de A 192.0.2.1', '*.web A 192.0.2.1' ]", "" },
	{ "host h| name: mail.example.org| address: 192.0.2.1",
	  "host h: name: without a dot at its end it is mail.example.org.{domain}: did you mean "
	  "mail.example.org.?\n" },
	{ "host h| name: 'mail.example.org.'| address: 192.0.2.1", "" },
	{ "host h| name: mx1.de| address: 192.0.2.1", "" },
};

#define SRV(owner) "domain example.net: srv-" owner ": _" owner "._tcp SRV: port "
#define ORDER ": the order is PRIORITY WEIGHT PORT HOST: did you mean 0 1 "

/* The ports of services, and the order of the numbers. */
static const row_t services[] = {
	{ D "srv: [ 'imaps 0 1 993 mail', 'imap 0 1 143 mail', 'caldav 0 1 443 mail' ]", "" },
	{ D "srv: [ 'imaps 10 993 9993 mail', 'jmap 0 1 8443 mail', 'pop3 .' ]",
	  SRV("imaps") "9993" ORDER "993?\n" },
	{ D "srv: [ 'imap 0 1 110 mail', imaps ]", "" },
	{ D "srv: 'imaps 993 0 1 mail'", SRV("imaps") "1" ORDER "993?\n" },
	{ D "srv: 'imaps 0 993 1 mail'", SRV("imaps") "1" ORDER "993?\n" },
	{ D "srv: 'imap 0 1 993 mail'", SRV("imap") "993 is that of imaps: imap has port 143\n" },
	{ D "srv: 'imaps 0 1 143 mail'", SRV("imaps") "143 is that of imap: imaps has port 993\n" },
	{ D "srv: 'submissions 0 1 587 mail'",
	  SRV("submissions") "587 is that of submission: submissions has port 465\n" },
	{ D "srv: 'submission 0 1 25 mail'",
	  SRV("submission") "25 is that of smtp, between servers: submission has port 587\n" },
	{ D "record: [ '_imaps._tcp SRV 0 1 143 mail', '_sip._tcp SRV 0 0 25 mail' ]",
	  "domain example.net: record: _imaps._tcp SRV: port 143 is that of imap: imaps has port 993\n" },
	{ D "autodiscover: mail", "" },
	{ D "srv: 'autodiscover 0 0 443 mail'", "" },
	{ D "autodiscover: mail| srv: 'autodiscover 0 0 443 mail'",
	  "domain example.net: autodiscover: clients that find this name do not ask for the SRV record: "
	  "leave out one of them\n" },
};

/* Names in another stored domain. */
static const row_t others[] = {
	{ D "mx: '10 mail.other.org.'", "" },
	{ D "mx: '10 mail.elsewhere.org.'", "" },
	{ D "mx: '10 gone.other.org.'",
	  "domain example.net: mx: gone.other.org. does not exist in the stored domain other.org\n" },
	{ D "mx: '10 other.org.'",
	  "domain example.net: mx: other.org. has no address in the stored domain other.org\n" },
	{ D "mx: '10 www.other.org.'",
	  "domain example.net: mx: www.other.org. is an alias (RFC 2181 10.3)\n" },
	{ D "ns: 'gone.other.org.'",
	  "domain example.net: ns: gone.other.org. does not exist in the stored domain other.org\n" },
	{ D "ns: [ 'ns1.example.com.', 'www.other.org.' ]",
	  "domain example.net: ns: www.other.org. is an alias (RFC 2181 10.3)\n" },
	{ D "srv: 'imaps gone.other.org.'",
	  "domain example.net: srv: gone.other.org. does not exist in the stored domain other.org\n" },
	{ D "soa-mname: 'gone.other.org.'",
	  "domain example.net: soa-mname: gone.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ D "autoconfig: 'www.other.org.'", "" },
	{ D "autoconfig: 'gone.other.org.'",
	  "domain example.net: autoconfig: gone.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ D "autodiscover: 'other.org.'",
	  "domain example.net: autodiscover: other.org. has no address in the stored domain "
	  "other.org\n" },
	{ D "mta-sts: enforce| mta-sts-host: 'gone.other.org.'",
	  "domain example.net: mta-sts-host: gone.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ D "record: [ 'www CNAME web', 'web CNAME gone.other.org.' ]",
	  "domain example.net: record: web CNAME: gone.other.org. does not exist in the stored domain "
	  "other.org\n"
	  "domain example.net: record: www CNAME: web leads to gone.other.org., which does not exist in "
	  "the stored domain other.org\n" },
	{ D "delegation: 'sub NS gone.other.org.'",
	  "domain example.net: delegation: sub NS: gone.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ "dkim example.net/s| cname: 's1._domainkey.other.org.'", "" },
	{ "dkim example.net/s| cname: mail",
	  "dkim example.net/s: cname: mail has a TXT record, but none is a DKIM record\n" },
	{ "dkim example.net/s| cname: 'mail.other.org.'",
	  "dkim example.net/s: cname: mail.other.org. has a TXT record, but none is a DKIM record\n" },
	{ D "record: 's._domainkey CNAME other.org.'",
	  "domain example.net: record: s._domainkey CNAME: other.org. has a TXT record, but none is a "
	  "DKIM record\n" },
	{ D "dmarc: none| record: '_dmarc CNAME _dmarc.other.org.'", "" },
	{ D "dmarc: none| record: '_dmarc CNAME mail.other.org.'",
	  "domain example.net: record: _dmarc CNAME: mail.other.org. has a TXT record, but none is a "
	  "DMARC record\n" },
	{ "dkim example.net/s| cname: 'later._domainkey.other.org.'", "" },
	{ "dkim example.net/s| cname: 's2._domainkey.other.org.'",
	  "dkim example.net/s: cname: s2._domainkey.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ D "mx: '10 mx.x.parked.org.'",
	  "domain example.net: mx: mx.x.parked.org. does not exist in the stored domain parked.org\n" },
	{ D "mx: '10 {domain}.other.org.'",
	  "domain example.net: mx: example.net.other.org. does not exist in the stored domain "
	  "other.org\n" },
	{ "policy q| ns: 'ns1.example.com.'| mx: '10 {domain}.other.org.'", "" },
	/* What the other domain gives to other servers, nobody here knows. */
	{ "domain other.org| policy: p| delegation: 'sub NS ns1.example.com.'\n" D
	  "mx: '10 mx.sub.other.org.'",
	  "" },
	/* Where reports go. */
	{ D "dmarc: 'rua=mailto:a@other.org'| tls-rpt: 'mailto:a@{domain}'", "" },
	{ D "dmarc: 'rua=mailto:a@reports.other.org'",
	  "domain example.net: dmarc: reports go to reports.other.org., which does not exist in the "
	  "stored domain other.org\n" },
	{ D "dmarc: 'ruf=mailto:a@parked.org'| tls-rpt: 'mailto:a@parked.org'",
	  "domain example.net: dmarc: reports go to parked.org., which takes no mail\n"
	  "domain example.net: tls-rpt: reports go to parked.org., which takes no mail\n" },
};

/* Aliases in a circle. */
static const row_t circles[] = {
	{ D "record: 'a CNAME a'",
	  "domain example.net: record: a CNAME: a leads in a circle of aliases\n" },
	{ D "record: 'a CNAME a.example.net.'",
	  "domain example.net: record: a CNAME: a.example.net. leads in a circle of aliases\n" },
	{ D "record: [ 'a CNAME b', 'b CNAME c', 'c CNAME a' ]",
	  "domain example.net: record: a CNAME: b leads in a circle of aliases\n"
	  "domain example.net: record: b CNAME: c leads in a circle of aliases\n"
	  "domain example.net: record: c CNAME: a leads in a circle of aliases\n" },
	{ "policy q| ns: 'ns1.example.com.'| record: [ 'a CNAME b', 'b CNAME a' ]",
	  "policy q: record: a CNAME: b leads in a circle of aliases\n"
	  "policy q: record: b CNAME: a leads in a circle of aliases\n" },
	{ D "autoconfig: x| record: 'x CNAME autoconfig'",
	  "domain example.net: autoconfig: x leads in a circle of aliases\n"
	  "domain example.net: record: x CNAME: autoconfig leads in a circle of aliases\n" },
	{ D "record: '* CNAME x'",
	  "domain example.net: record: * CNAME: x leads in a circle of aliases\n" },
	{ "dkim example.net/s| cname: s._domainkey",
	  "dkim example.net/s: cname: s._domainkey leads in a circle of aliases\n" },
	{ D "record: 'a CNAME b.other.org.'",
	  "domain example.net: record: a CNAME: b.other.org. leads in a circle of aliases\n" },
	{ D "record: [ 'a CNAME b', 'b CNAME c', 'c CNAME mail' ]", "" },
};

/* SPF, counted through what is stored. */
static const row_t spf[] = {
	{ D "spf: [ mx, 'a:mail.{domain}', 'include:_spf.spf.org' ]", "" },
	{ D "spf: 'include:{domain}'",
	  "!domain example.net: spf: include:example.net leads back to the record itself: a circle, and "
	  "so" PERMERROR },
	{ D "spf: 'redirect=example.net'",
	  "!domain example.net: spf: redirect=example.net leads back to the record itself: a circle, and "
	  "so" PERMERROR },
	{ "policy q| spf: 'include:{domain}'",
	  "!policy q: spf: include:{domain} leads back to the record itself: a circle, and so" PERMERROR },
	{ D "spf: 'include:back.org'",
	  "domain example.net: spf: include:example.net in the record of back.org., which is included, "
	  "leads back to a record on the way: a circle, and so" PERMERROR "\n" },
	{ D "spf: 'include:on.org'",
	  "domain example.net: spf: include:example.net in the record of back.org., which is included, "
	  "leads back to a record on the way: a circle, and so" PERMERROR "\n" },
	/* A redirect beside all has no effect. */
	{ D "spf: [ 'redirect=example.net', '-all' ]",
	  "domain example.net: spf: redirect= has no effect beside all\n" },
	/* A domain that its policy names closes the circle. */
	{ "policy q| ns: 'ns1.example.com.'| spf: 'include:new.org'\ndomain new.org| policy: q",
	  "!domain new.org: spf: include:new.org leads back to the record itself: a circle, and so" PERMERROR },
	{ "policy q| ns: 'ns1.example.com.'| spf: 'include:new.org'\n"
	  "domain new.org| policy: q| spf: 'ip4:192.0.2.1'\ndomain follows.org| policy: q",
	  "" },
	/* Ten lookups are good, eleven are not; names elsewhere cost one. */
	{ D "spf: 'include:many.org a:1.com a:2.com a:3.com'", "" },
	{ D "spf: 'include:many.org a:1.com a:2.com a:3.com include:4.com'",
	  "domain example.net: spf: the record needs 11 lookups, counted through the stored domains, and "
	  "more than 10 are" PERMERROR "\n" },
	{ D "spf: 'include:many.org include:many.org. redirect=many.org'| spf-all: none",
	  "domain example.net: spf: the record needs 21 lookups, counted through the stored domains, and "
	  "more than 10 are" PERMERROR "\n" },
	{ "policy q| spf: [ 'include:many.org', 'a:1.com a:2.com a:3.com a:4.com' ]",
	  "policy q: spf: the record needs 11 lookups, counted through the stored domains, and more than "
	  "10 are" PERMERROR "\n" },
	{ D "spf: 'include:a.com mx Include:A.com'",
	  "domain example.net: spf: include:a.com stands twice: take one away\n" },
	/* Void lookups. */
	{ D "spf: 'a:x.other.org'",
	  "domain example.net: spf: a:x.other.org finds nothing: x.other.org. has no address\n" },
	{ D "spf: 'mx:mail.other.org'",
	  "domain example.net: spf: mx:mail.other.org finds nothing: mail.other.org. has no MX record\n" },
	{ D "spf: 'include:void.org'", "" },
	{ D "spf: 'include:void.org exists:z.other.org'",
	  "domain example.net: spf: exists:z.other.org finds nothing: z.other.org. has no address\n"
	  "domain example.net: spf: 3 lookups find nothing, counted through the stored domains, and more "
	  "than 2 are" PERMERROR "\n" },
	{ "policy q| spf: mx", "policy q: spf: mx finds nothing: {domain}. has no MX record\n" },
	/* No record there. */
	{ D "spf: 'include:gone.other.org'",
	  "domain example.net: spf: include:gone.other.org leads to a stored domain that has no SPF "
	  "record there: a permanent error (RFC 7208 5.2)\n" },
	{ D "spf: 'include:spf.org'",
	  "domain example.net: spf: include:spf.org leads to a stored domain that has no SPF record "
	  "there: a permanent error (RFC 7208 5.2)\n" },
	/* Macros are for the receiver. */
	{ D "spf: 'exists:%{i}.x.other.org include:%{d}.other.org'", "" },
	/* Literal records and the records of hosts. */
	{ D "record: 'sub TXT \\'v=spf1 include:sub.example.net -all\\''",
	  "!domain example.net: record: sub TXT: include:sub.example.net leads back to the record itself: "
	  "a circle, and so" PERMERROR },
	{ D "record: 'sub TXT \\'v=spf1 include=x.example -all\\''",
	  "!domain example.net: record: sub TXT: include is a mechanism and takes ':': write "
	  "include:x.example" },
	{ "host mail| name: mail| address: 192.0.2.25| helo-spf: 'include:{domain} -all'", "" },
	{ "domain al.org| alias: example.net", "" },
};

/* A warning is given with the layer that has the reason, and with no other. */
static const row_t layers[] = {
	{ "policy q| base: p| mx: '10 gone'\npolicy a| base: q",
	  "policy q: mx: gone" NO_HOST MAKE "\n" },
	{ "policy q| base: p| mx: '10 gone'\npolicy r| base: q\ndomain new.org| policy: r| txt: x",
	  "policy q: mx: gone" NO_HOST MAKE "\n" },
	{ "policy p| ns: 'ns1.example.com.'| mx: '10 gone'\ndomain new.org| policy: p| txt: x\n"
	  "domain new2.org| policy: p",
	  "policy p: mx: gone" NO_HOST MAKE "\n" },
	{ "policy p| ns: 'ns1.example.com.'| mx: '10 mail.other.org.'| spf: mx| host: mail", "" },
	{ "domain new.org| policy: p| host: none", "domain new.org: mx: mail" NO_HOST MAKE "\n" },
};

#define KEYOF "| key: '" KEY "'"
#define RECORD(name) "domain " name ": this is the name of a record: did you mean the item "

/* New domains, and the owners of new keys. */
static const row_t ids[] = {
	{ "domain example.edu| policy: p", "" },
	{ "domain 123.de| policy: p", "" },
	{ "domain example_1.com| policy: p", "" },
	{ "domain 2.0.192.in-addr.arpa| policy: p", "" },
	{ "domain 0/25.2.0.192.in-addr.arpa| policy: p", "" },
	{ "domain _dmarc.example.com| policy: p",
	  RECORD("_dmarc.example.com") "dmarc of domain example.com?\n" },
	{ "domain _smtp._tls.example.com| policy: p",
	  RECORD("_smtp._tls.example.com") "tls-rpt of domain example.com?\n" },
	{ "domain _imaps._tcp.example.com| policy: p",
	  RECORD("_imaps._tcp.example.com") "srv of domain example.com?\n" },
	{ "domain default._bimi.example.com| policy: p",
	  RECORD("default._bimi.example.com") "bimi of domain example.com?\n" },
	{ "domain s1._domainkey.example.com| policy: p",
	  "domain s1._domainkey.example.com: this is the name of a DKIM key: did you mean dkim-set "
	  "example.com/s1?\n" },
	{ "domain _acme-challenge.example.com| policy: p",
	  "domain _acme-challenge.example.com: this is a record's name: did you mean one of domain example.com?\n" },
	{ "domain localhost| policy: p",
	  "domain localhost: a name of one label is hardly a mail domain: did you mean a name below it, "
	  "or localhost with its domain behind?\n" },
	{ "domain 192.0.2.1| policy: p",
	  "!domain 192.0.2.1: an IP address is no domain: it belongs to a host (kmailctl host-set ID "
	  "name=NAME address=192.0.2.1)" },
	{ "domain *.example.com| policy: p",
	  "!domain *.example.com: a wildcard is no domain, but a record of one: kmailctl domain-set "
	  "example.com record=\"* MX 10 HOST\"" },
	{ "domain www.example.com/| policy: p",
	  "!domain www.example.com/: a domain ends with its last letter: write www.example.com" },
	{ "domain example.com/s1| policy: p",
	  "!domain example.com/s1: a domain ends with its last letter: write example.com" },
	{ "domain example.123| policy: p",
	  "!domain example.123: no domain: the last label of a name is never all digits (RFC 3696 2)" },
	/* What is stored stays, whatever its name. */
	{ "domain _dmarc.other.org| policy: nomail",
	  "domain _dmarc.other.org: it hides what other.org has there: dmarc at _dmarc\n" },
	{ "-domain *.other.org", "" },
	/* Keys of nobody. */
	{ "dkim s1/example.net" KEYOF,
	  "!dkim s1/example.net: domain s1 does not exist: did you mean example.net/s1?" },
	{ "dkim p/s1" KEYOF, "!dkim p/s1: domain p does not exist: did you mean policy:p/s1?" },
	{ "dkim unknown.org/s1" KEYOF,
	  "!dkim unknown.org/s1: domain unknown.org does not exist: kmailctl domain-set unknown.org "
	  "policy=POLICY makes it" },
};

/* Such ids were stored once. */
static void put_old(const stored_t *s)
{
	static const char *const olds[] = { "_dmarc.other.org", "*.other.org" };
	mail_txn_t *txn = begin(s->store, MAIL_STORE_WRITE);
	EACH(old, olds) {
		mail_entry_t *entry = mail_entry_new(MAIL_SECTION_DOMAIN, MAIL_STR(*old));
		CHECK_OK(mail_entry_add(entry, mail_item_get(MAIL_ITEM_POLICY), MAIL_OP_SET,
		                        MAIL_STR("p"), 0));
		CHECK_OK(mail_txn_put(txn, entry));
		mail_entry_free(entry);
	}
	CHECK_OK(mail_txn_commit(txn));
}

static void test_relative(void)
{
	RUN(relative);
}

static void test_others(void)
{
	RUN(others);
}

static void test_services(void)
{
	RUN(services);
}

static void test_circles(void)
{
	RUN(circles);
}

static void test_spf(void)
{
	RUN(spf);
}

static void test_ids(void)
{
	stored_t s;
	stored_begin(&s, false, stored);
	put_old(&s);
	run_in(&s, ids, COUNT(ids));
	stored_end(&s);
}

static void test_layers(void)
{
	RUN(layers);
}

/* A failing allocation ends a change, or it is made as a whole: it is never written in part, and nothing leaks. */
static void test_allocation(void)
{
	stored_t s;
	stored_begin(&s, false, stored);
	CHECK(failing_linked());
	mail_txn_t *txn = begin(s.store, MAIL_STORE_READ);
	for (size_t i = 1; failing_on(i); i++) {
		mail_lint_t *lint = mail_lint_new(mail_txn_source(txn));
		mail_profile_t *profile = NULL;
		mail_plan_t *plan = NULL;
		int ret = KNOT_ENOMEM;
		if (lint != NULL) {
			ret = mail_profile_of_domain(mail_txn_source(txn), MAIL_STR("back.org"),
			                             &profile, NULL);
		}
		if (ret == KNOT_EOK) {
			ret = mail_plan_make(profile, true, &plan, NULL);
		}
		if (ret == KNOT_EOK) {
			const mail_lint_of_t of = { .plan = plan, .domain = MAIL_STR("back.org") };
			ret = mail_lint(lint, &of, NULL);
		}
		bool met = failing_off();
		CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM, "%zu: %d", i, ret);
		mail_plan_free(plan);
		mail_profile_free(profile);
		mail_lint_free(lint);
		if (!met) {
			break;
		}
	}
	mail_txn_abort(txn);
	stored_end(&s);
}

UNIT_MAIN("lint", TEST("names in the domain", test_relative),
          TEST("names in other domains", test_others), TEST("services", test_services),
          TEST("circles of aliases", test_circles), TEST("SPF through stored domains", test_spf),
          TEST("layers", test_layers), TEST("ids", test_ids),
          TEST("failing allocations", test_allocation))
