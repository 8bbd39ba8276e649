/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "overlaid.h"

#include "mail/kind.h"
#include "view/chain.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"
#define DNSKEY1 "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define DNSKEY2                                                                                     \
	"55648 ecdsap256sha256 csk GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP" \
	"+e+MAnLr+Wi9xMWyQLc8NAA=="
#define L63 OVERLAID_L63

/* Two hosts with absolute names lie in example.org; certificates, keys and ramps change soon after NOW. */
static const char stored[] =
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]| certificate: c\n"
	"host ns1| name: ns1| address: 192.0.2.53\n"
	"host far| name: 'mx.far.example.org.'| address: 192.0.2.9| tlsa: '3 1 1 " HEX1 "'\n"
	"host apex| name: '@'| address: 192.0.2.10| tlsa: '3 1 1 " HEX1 "'\n"
	"host odd| name: 'a.b.www'| address: 192.0.2.11| helo-spf: none\n"
	"certificate c| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'"
	"| publish: '2027-01-15T08:15:00Z'| deploy-at: '2027-01-15T08:20:00Z'\n"
	"key-set k| key: '" DNSKEY1 "'\nkey-set k2| leave: '2027-01-15T08:30:00Z'| key: '" DNSKEY2
	"'\n"
	"policy nothing\npolicy hosted| ns: 'ns.example.net.'\n"
	"policy full| host: [ mail, ns1, far ]| ns: [ ns1, 'ns.example.net.' ]| ttl: 300"
	"| mx: [ '10 mail', '20 mx.example.net.' ]| spf: [ hosts, mx ]| srv: [ imaps, 'pop3 .' ]"
	"| autoconfig: mail| autodiscover: 'ad.example.net.'| mta-sts: testing| mta-sts-host: mail"
	"| tls-rpt: 'mailto:t@{domain}'| bimi: 'https://example.net/l.svg'"
	"| dmarc: [ 'rua=mailto:d@other.example', 'p=none' ]"
	"| dmarc-ramp: [ '2027-01-15T08:10:00Z p=quarantine', '2027-01-15T08:20:00Z p=reject' ]"
	"| caa: '0 issue \\'ca.example\\''| txt: 'policy of {domain}'| key-set: k"
	"| record: [ 'www A 192.0.2.80', '*.w TXT w', 'c CNAME www', 'far.example.org. TXT far' ]\n"
	"policy based| base: full| ttl: 7200| dmarc: 'sp=reject'| host-add: odd| key-set: k2\n"
	"policy parked| base: full| no-mail: on\n"
	"policy small| mx: '10 mx.example.net.'| record: 'www CNAME web.example.net.'\n"
	"dkim policy:full/s1| key: '" KEY1 "'\ndkim policy:full/mine| key: '" KEY1 "'\n"
	"dkim policy:full/s2| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'\n"
	"dkim policy:based/s3| cname: 's3.{domain}.dkim.example.'\n"
	"dkim example.org/mine| key: '" KEY2 "'| publish: '2027-01-15T08:05:00Z'"
	"| retire: '2027-01-15T08:10:00Z'| remove: '2027-01-15T08:20:00Z'| revoke: on\n"
	"dkim example.org/a.b| cname: 'a.example.net.'\n"
	"domain kid.ent.example.org| policy: hosted\ndomain www.kid.ent.example.org| policy: full\n"
	"domain other.example| policy: full| dmarc: 'rua=mailto:d@example.org'\n"
	"domain alias.example| alias: example.org\n";

const char *const overlaid_policies[] = { "nothing", "hosted", "full", "based", "parked", "small" };

const overlaid_value_t overlaid_values[] = {
	{ MAIL_ITEM_TXT, "own={domain}" },
	{ MAIL_ITEM_TXT, "policy of {domain}" },
	{ MAIL_ITEM_RECORD, "@ A 192.0.2.1" },
	{ MAIL_ITEM_RECORD, "@ 60 AAAA 2001:db8::1" },
	{ MAIL_ITEM_RECORD, "@ 60 AAAA 2001:db8::2" },
	{ MAIL_ITEM_RECORD, "www A 192.0.2.2" },
	{ MAIL_ITEM_RECORD, "www 60 A 192.0.2.80" },
	{ MAIL_ITEM_RECORD, "WWW 7 A 192.0.2.2" },
	{ MAIL_ITEM_RECORD, "www 5 A 192.0.2.2" },
	{ MAIL_ITEM_RECORD, "shop CNAME www" },
	{ MAIL_ITEM_RECORD, "shop 7 CNAME shops.example.net." },
	{ MAIL_ITEM_RECORD, "shop TXT beside" },
	{ MAIL_ITEM_RECORD, "* A 192.0.2.3" },
	{ MAIL_ITEM_RECORD, "*.w MX 0 mail" },
	{ MAIL_ITEM_RECORD, "*._tcp SRV 0 0 1 {domain}." },
	{ MAIL_ITEM_RECORD, "a.b.c.d TXT 'deep' \"{domain}\"" },
	{ MAIL_ITEM_RECORD, "b.c.d TXT 'less deep'" },
	{ MAIL_ITEM_RECORD, "old DNAME new.example.net." },
	{ MAIL_ITEM_RECORD, "x.old A 192.0.2.4" },
	{ MAIL_ITEM_RECORD, "ns.sub A 192.0.2.5" },
	{ MAIL_ITEM_RECORD, "ns.sub AAAA 2001:db8::5" },
	{ MAIL_ITEM_RECORD, "x.y.sub TXT 'below the cut'" },
	{ MAIL_ITEM_RECORD, "in.example.org. TXT 'absolute'" },
	{ MAIL_ITEM_RECORD, "example.org. LOC 52 22 23.000 N 4 53 32.000 E -2.00m" },
	{ MAIL_ITEM_RECORD, "out.example.net. A 192.0.2.6" },
	{ MAIL_ITEM_RECORD, "xexample.org. A 192.0.2.6" },
	{ MAIL_ITEM_RECORD, "far.example.org. TXT 'more'" },
	{ MAIL_ITEM_RECORD, "mx.far.example.org. HINFO a b" },
	{ MAIL_ITEM_RECORD, L63 "." L63 "." L63 ".x TXT 'long'" },
	{ MAIL_ITEM_RECORD, "i234567890123456789012345678901.x TXT 'as long as may be'" },
	{ MAIL_ITEM_RECORD, "\\000\\001\\002.e TXT 'escaped'" },
	{ MAIL_ITEM_RECORD, "a\\.b.e TXT 'a dot'" },
	{ MAIL_ITEM_RECORD, "\\255 TYPE65280 \\# 4 00000000" },
	{ MAIL_ITEM_RECORD, "_x._domainkey TXT 'v=DKIM1; p='" },
	{ MAIL_ITEM_RECORD, "below._dmarc TXT 'below'" },
	{ MAIL_ITEM_RECORD, "other.example._report._dmarc TXT 'v=DMARC1'" },
	{ MAIL_ITEM_RECORD, "x._report._dmarc TXT 'gap'" },
	{ MAIL_ITEM_RECORD, "x.kid.ent TXT 'below a stored domain'" },
	{ MAIL_ITEM_RECORD, "_25._tcp.www TLSA 3 1 1 " HEX1 },
	{ MAIL_ITEM_RECORD, "alias CNAME {domain}." },
	{ MAIL_ITEM_DELEGATION, "sub NS ns.sub" },
	{ MAIL_ITEM_DELEGATION, "sub NS ns.{domain}.example." },
	{ MAIL_ITEM_DELEGATION, "sub DS 1 13 2 " HEX1 },
	{ MAIL_ITEM_DELEGATION, "x.b.c NS ns.example.net." },
	{ MAIL_ITEM_HOST, "mail" },
	{ MAIL_ITEM_HOST, "apex" },
	{ MAIL_ITEM_HOST, "far" },
	{ MAIL_ITEM_HOST, "odd" },
	{ MAIL_ITEM_MX, "5 mail" },
	{ MAIL_ITEM_SPF, "hosts" },
	{ MAIL_ITEM_SPF, "include:x.example" },
	{ MAIL_ITEM_SPF_ALL, "?all" },
	{ MAIL_ITEM_DMARC, "p=reject" },
	{ MAIL_ITEM_DMARC, "np=reject" },
	{ MAIL_ITEM_DMARC, "rua=mailto:d@{domain}" },
	{ MAIL_ITEM_DMARC_RAMP, "2027-01-15T08:05:00Z p=quarantine" },
	{ MAIL_ITEM_DMARC_RAMP, "2027-01-15T07:05:00Z sp=quarantine" },
	{ MAIL_ITEM_MTA_STS, "none" },
	{ MAIL_ITEM_MTA_STS, "off" },
	{ MAIL_ITEM_SRV, "jmap 0 1 443 mail" },
	{ MAIL_ITEM_SRV, "imap mail" },
	{ MAIL_ITEM_BIMI, "s2 https://example.net/x.svg" },
	{ MAIL_ITEM_NO_MAIL, "on" },
	{ MAIL_ITEM_NO_MAIL, "off" },
	{ MAIL_ITEM_TTL, "60" },
	{ MAIL_ITEM_TTL, "100000" },
	{ MAIL_ITEM_NS, "ns7.example.net." },
	{ MAIL_ITEM_KEY_SET, "k" },
	{ MAIL_ITEM_KEY_SET, "k2" },
	{ MAIL_ITEM_DS_FROM, "2027-01-15T08:20:00Z" },
	{ MAIL_ITEM_DS_FROM, "2027-01-15T07:20:00Z" },
	{ MAIL_ITEM_TTL_WAS, "86400 2027-01-15T07:50:00Z" },
	{ MAIL_ITEM_CAA, "0 iodef \"mailto:c@{domain}\"" },
};

/* What a view makes of a name. */

static void show_until(const mail_view_t *view, int64_t until, mail_buf_t *out)
{
	if (until != INT64_MAX) {
		(void)mail_buf_printf(out, " until %+lld", (long long)(until - view->now));
	}
}

static void show_type_of(mail_view_t *view, const mail_node_t *node, uint16_t type,
                         const knot_dname_t *owner, mail_buf_t *out)
{
	knot_rrset_t rrset;
	uint16_t kind = MAIL_KIND_COUNT;
	int64_t until = 0;
	knot_rrset_init_empty(&rrset);
	int ret = mail_view_rrset(view, node, type, owner, NULL, &rrset, &kind, &until);
	(void)mail_buf_str(out, "  ");
	show_type(type, out);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, " error %d\n", ret);
		knot_rdataset_clear(&rrset.rrs, NULL);
		return;
	}
	if (type == KNOT_RRTYPE_SOA) {
		/* Its serial may count what the domain hides (serials_check()). */
		knot_soa_serial_set(rrset.rrs.rdata, 0);
		until = INT64_MAX;
		rrset.ttl = view->ttl;
	}
	(void)mail_buf_printf(out, " %s %u %u", mail_kinds[kind].name, (unsigned)rrset.ttl,
	                      (unsigned)view->ttl);
	show_until(view, until, out);
	for (uint16_t i = 0; i < rrset.rrs.count; i++) {
		(void)mail_buf_str(out, " | ");
		show_rdata(&rrset, i, out);
	}
	(void)mail_buf_str(out, "\n");
	knot_rdataset_clear(&rrset.rrs, NULL);
}

static void show_link(int ret, const mail_link_t *link, mail_buf_t *out)
{
	(void)mail_buf_printf(out, "  chain %d", ret);
	if (ret == KNOT_EOK) {
		(void)mail_buf_str(out, link->fleeting ? " fleeting " : " ");
		show_name(link->owner, out);
		(void)mail_buf_str(out, " ");
		show_name(link->next, out);
	}
	(void)mail_buf_str(out, "\n");
}

int64_t overlaid_show(mail_view_t *view, mail_lf_t name, mail_buf_t *out)
{
	static const char *const where[] = { [MAIL_FOUND] = "found",
		                             [MAIL_WILDCARD] = "wildcard",
		                             [MAIL_CUT] = "cut",
		                             [MAIL_DNAME] = "dname",
		                             [MAIL_NOTHING] = "nothing" };
	mail_place_t place;
	mail_link_t link;
	knot_dname_storage_t owner, wire;
	int ret = mail_view_place(view, name, true, &place);
	CHECK_OK(mail_name_from_lf(name, wire));
	show_name(wire, out);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, " error %d\n", ret);
		return 0;
	}
	(void)mail_buf_printf(out, " %s%s", where[place.where], place.at_cut ? " at" : "");
	show_until(view, place.until, out);
	bool records = false;
	if (place.where != MAIL_NOTHING) {
		(void)mail_buf_str(out, " ");
		REQUIRE(mail_name_from_lf(mail_lf(&place.lf), owner) == KNOT_EOK);
		show_name(owner, out);
		(void)mail_buf_printf(out, "%s\n", place.node.child ? " child" : "");
		uint16_t type = mail_node_type(view, &place.node, 0);
		for (; type != 0; type = mail_node_type(view, &place.node, type)) {
			if (!place.node.child) {
				show_type_of(view, &place.node, type, owner, out);
			}
			records = true;
		}
	} else {
		(void)mail_buf_str(out, "\n");
	}
	if (place.where == MAIL_DNAME || (place.where == MAIL_CUT && !place.at_cut)) {
		return 0;
	}
	if (place.where == MAIL_CUT || (place.where == MAIL_FOUND && records)) {
		ret = mail_chain_match(view, name, &link);
	} else {
		ret = mail_chain_cover(view, name, place.where == MAIL_FOUND, &link);
	}
	show_link(ret, &link, out);
	return link.until;
}

void overlaid_begin(overlaid_t *o)
{
	*o = (overlaid_t){ 0 };
	array_begin(&o->v.array);
	o->v.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	o->v.view.now = NOW;
	REQUIRE(o->v.cache != NULL);
	viewed_put(&o->v, stored);
}

void overlaid_end(overlaid_t *o)
{
	viewed_end(&o->v);
}

mail_entry_t *overlaid_entry(const char *domain, const char *policy)
{
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_DOMAIN, MAIL_STR(domain));
	REQUIRE(entry != NULL);
	CHECK_OK(mail_entry_parse(entry, mail_item_get(MAIL_ITEM_POLICY), MAIL_OP_SET,
	                          MAIL_STR(policy), 0, NULL));
	return entry;
}

void overlaid_anew(overlaid_t *o, const char *domain)
{
	mail_cache_release(o->v.cache);
	mail_cache_hold(o->v.cache);
	REQUIRE(viewed_open(&o->v, domain) == KNOT_EOK, "%s: %s", domain, o->what);
}
