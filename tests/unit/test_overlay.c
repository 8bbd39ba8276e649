/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a domain changes of its policy's plan.  The whole plan of the domain (mail_plan_of_domain()), made of nothing that
 * is shared, says what is right: for entries of every kind, each name near what either has must lead to the same place, with
 * the same records, for as long, and with the same neighbours in the chain.
 */
#include "lib/entries.h"
#include "lib/samples.h"
#include "lib/viewed.h"
#include "mail/kind.h"
#include "mail/list.h"
#include "view/chain.h"
#include "view/names.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"
#define DNSKEY1 "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define DNSKEY2                                                                                     \
	"55648 ecdsap256sha256 csk GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP" \
	"+e+MAnLr+Wi9xMWyQLc8NAA=="
#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

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

static const char *const policies[] = { "nothing", "hosted", "full", "based", "parked", "small" };

/*! A long name that leaves room for some of what a policy makes. */
#define LONG_DOMAIN L63 "." L63 "." L63 ".example"

/* Values that a domain may set, beside the samples. What clashes with what else is set makes no plan, and is passed over. */
static const struct {
	mail_item_id_t item;
	const char *value;
} values[] = {
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

/* Names. */

typedef struct {
	mail_lf_storage_t *names;
	size_t count, max;
} names_t;

/*! Add a name, if it is one: below a long domain some have no room. */
static void name_add(names_t *names, mail_lf_t name)
{
	knot_dname_storage_t wire;
	if (mail_name_from_lf(name, wire) != KNOT_EOK) {
		return;
	}
	if (names->count == names->max) {
		names->max = 2 * names->max + 64;
		names->names = realloc(names->names, names->max * sizeof(*names->names));
		REQUIRE(names->names != NULL);
	}
	mail_lf_copy(name, &names->names[names->count++]);
}

static void below_add(names_t *names, mail_lf_t name, mail_lf_t label)
{
	mail_lf_storage_t below;
	if (mail_lf_join(name, label, &below) == KNOT_EOK) {
		name_add(names, mail_lf(&below));
	}
}

/*! Add a name, what is just behind and below it, and the same of all names above it. */
static void near_add(names_t *names, const mail_view_t *view, mail_lf_t name)
{
	for (; name.len >= view->lf.len; name = mail_lf_parent(name)) {
		name_add(names, name);
		below_add(names, name, MAIL_LF("*"));
		below_add(names, name, MAIL_LF("\1\1"));
		below_add(names, name, MAIL_LF("m\0x"));
		if (name.len == view->lf.len) {
			break;
		}
		mail_lf_storage_t beside;
		mail_lf_copy(name, &beside);
		beside.data[beside.len++] = '!';
		name_add(names, mail_lf(&beside));
	}
}

static void owners_near(names_t *names, const mail_view_t *view, const mail_owners_t *owners,
                        bool absolute)
{
	for (size_t i = 0; i < owners->count; i++) {
		mail_lf_storage_t name;
		const mail_lf_t owner = owners->owners[i].name;
		if (!absolute && mail_lf_join(mail_lf(&view->lf), owner, &name) == KNOT_EOK) {
			near_add(names, view, mail_lf(&name));
		} else if (absolute && mail_lf_in(owner, mail_lf(&view->lf))) {
			near_add(names, view, owner);
		}
	}
}

/*! Add the names of a view's sources. */
static void sources_near(names_t *names, const mail_view_t *view)
{
	CHECK_OK(mail_view_make(view, MAIL_KINDS_ALL));
	for (mail_names_t source = 0; source < MAIL_NAMES_COUNT; source++) {
		mail_lf_storage_t at = view->lf;
		mail_seek_t seek = MAIL_SEEK_FROM;
		while (mail_names_seek(view, source, mail_lf(&at), seek, &at) == KNOT_EOK) {
			near_add(names, view, mail_lf(&at));
			seek = MAIL_SEEK_AFTER;
		}
	}
}

static int name_compare(const void *a, const void *b)
{
	return mail_lf_compare(mail_lf(a), mail_lf(b));
}

/*! Sort names, each once. */
static void names_sort(names_t *names)
{
	size_t kept = 0;
	qsort(names->names, names->count, sizeof(*names->names), name_compare);
	for (size_t i = 0; i < names->count; i++) {
		if (kept == 0 || name_compare(&names->names[kept - 1], &names->names[i]) != 0) {
			names->names[kept++] = names->names[i];
		}
	}
	names->count = kept;
}

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
	int ret = mail_view_rrset(view, node, type, owner, NULL, &rrset, &kind, &until);
	(void)mail_buf_str(out, "  ");
	show_type(type, out);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, " error %d\n", ret);
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

/*! Append all that a question for a name could be told. \return Until when its link of the chain stays as it is. */
static int64_t show_asked(mail_view_t *view, mail_lf_t name, mail_buf_t *out)
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
		CHECK_OK(mail_name_from_lf(mail_lf(&place.lf), owner));
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

/* The comparison. */

typedef struct {
	viewed_t v;
	const char *what; /*!< Of the entry, for messages. */
	mail_plan_t *plan;
	size_t compared; /*!< Entries. */
	size_t passed;   /*!< Those that make no plan. */
} oracle_t;

/*! Make the view that the whole plan of the domain gives. */
static void plan_view(const oracle_t *o, mail_view_t *view)
{
	*view = o->v.view;
	mail_view_of_plan(view, o->plan);
	view->ds_from = mail_plan_ds_from(view->keyed, view->domain.ds_from);
	view->waits = view->now < view->ds_from && view->keyed->key_count > 0;
	view->own.len = 0;
	view->text_len = 0;
	if (!o->plan->no_keys) {
		mail_lf_copy(mail_lf(&view->lf), &view->own);
		if (view->domain.alias.len > 0) {
			CHECK_OK(mail_entry_key(MAIL_SECTION_DOMAIN, view->domain.alias,
			                        &view->own));
		}
	}
}

/*! View the domain afresh: nothing of it was made yet. */
static void view_anew(oracle_t *o, const char *domain)
{
	mail_cache_release(o->v.cache);
	mail_cache_hold(o->v.cache);
	REQUIRE(viewed_open(&o->v, domain) == KNOT_EOK, "%s: %s", domain, o->what);
}

/*! Later at most, and then only by what a policy makes and the domain hides. */
static void serials_check(oracle_t *o, mail_view_t *whole)
{
	const uint32_t got = mail_view_serial(&o->v.view), want = mail_view_serial(whole);
	CHECK(got >= want, "%u, %u: %s", got, want, o->what);
	CHECK(got == want || o->v.view.plan->step_count > 0 ||
	              o->v.view.plan->stamp / 1000000000 == got,
	      "%u, %u: %s", got, want, o->what);
}

/*! Compare what two views made of a name. On failure the message has the lines that differ first. */
static bool shown_same(mail_buf_t *got, mail_buf_t *want, const char *what)
{
	const char *a = shown(got), *b = shown(want);
	if (strcmp(a, b) == 0) {
		return true;
	}
	const int name = (int)strcspn(a, " ");
	const char *line = a;
	size_t at = 0;
	for (; a[at] == b[at]; at++) {
		line = a[at] == '\n' ? &a[at + 1] : line;
	}
	const char *other = b + (line - a);
	return CHECK(false, "%s\n%.*s: %.*s\nnot %.*s", what, name, a, (int)strcspn(line, "\n"),
	             line, (int)strcspn(other, "\n"), other);
}

/*! Compare what both views make of all names near what they have. */
static void domain_compare(oracle_t *o, const char *domain)
{
	names_t names = { 0 };
	mail_view_t whole;
	mail_buf_t got = { 0 }, want = { 0 };
	view_anew(o, domain);
	CHECK(o->v.view.plan->error == KNOT_EOK, "%s: %s", o->v.view.plan->reason, o->what);
	plan_view(o, &whole);
	CHECK_INT(o->v.view.hosted, whole.hosted);
	CHECK(o->v.view.cuts || !whole.cuts, "%s", o->what);
	CHECK_INT(o->v.view.records_ttl, whole.records_ttl);
	CHECK_INT(o->v.view.ds_from, whole.ds_from);
	CHECK_INT(o->v.view.waits, whole.waits);
	CHECK(mail_lf_equal(mail_lf(&o->v.view.own), mail_lf(&whole.own)), "%s", o->what);
	CHECK_INT(o->v.view.keyed->key_count, whole.keyed->key_count);
	serials_check(o, &whole);
	owners_near(&names, &whole, &o->plan->relative, false);
	owners_near(&names, &whole, &o->plan->absolute, true);
	sources_near(&names, &o->v.view);
	names_sort(&names);
	bool same = true;
	for (size_t i = 0; i < names.count && same; i++) {
		view_anew(o, domain);
		plan_view(o, &whole);
		got.len = want.len = 0;
		const int64_t until = show_asked(&o->v.view, mail_lf(&names.names[i]), &got);
		/* A search of several sources may come by a name that is not the nearest: its time may shorten the TTL. */
		const int64_t latest = show_asked(&whole, mail_lf(&names.names[i]), &want);
		same = shown_same(&got, &want, o->what) && CHECK(until <= latest, "%s", o->what);
	}
	mail_buf_free(&got);
	mail_buf_free(&want);
	free(names.names);
}

/*! Print an entry, for messages. */
static void what_print(const mail_entry_t *entry, unsigned version, mail_buf_t *out)
{
	static const char *const ops[] = { "", "-add", "=none" };
	(void)mail_buf_printf(out, "version %u of %.*s", version, (int)entry->id.len,
	                      entry->id.data);
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		(void)mail_buf_printf(out, "| %s%s:", member->item->name, ops[member->op]);
		for (size_t j = 0; j < member->count; j++) {
			(void)mail_buf_printf(out, " '%.*s'", (int)member->values[j].text.len,
			                      member->values[j].text.data);
		}
	}
}

/*! Store an entry in both layouts, and compare each with the whole plan; and an alias of it. */
static void entry_compare(oracle_t *o, const mail_entry_t *entry)
{
	for (unsigned version = 1; version <= MAIL_CODEC_VERSION; version++) {
		mail_buf_t value = { 0 }, what = { 0 }, name = { 0 };
		char domain[KNOT_DNAME_TXT_MAXLEN + 1];
		CHECK_OK(mail_codec_encode_as(entry, version, &value));
		if (value.data[0] != version) {
			/* Without literal records it is as before. */
			mail_buf_free(&value);
			continue;
		}
		(void)snprintf(domain, sizeof(domain), "%.*s", (int)entry->id.len, entry->id.data);
		(void)mail_buf_printf(&name, "domain %s", domain);
		array_octets(&o->v.array, shown(&name), value.data, value.len);
		viewed_put(&o->v, NULL);
		what_print(entry, version, &what);
		o->what = shown(&what);
		static const char *const asked[] = { NULL, "alias.example" };
		for (size_t i = 0; i < 2; i++) {
			const char *of = asked[i] != NULL ? asked[i] : domain;
			if (i == 1 && strcmp(domain, "example.org") != 0) {
				continue;
			}
			CHECK_OK(mail_plan_of_domain(&o->v.array.source, MAIL_STR(of), &o->plan));
			if (o->plan->error == KNOT_EOK) {
				domain_compare(o, of);
				o->compared++;
			} else {
				o->passed++;
			}
			mail_plan_free(o->plan);
		}
		mail_buf_free(&value);
		mail_buf_free(&what);
		mail_buf_free(&name);
	}
}

static void begin(oracle_t *o)
{
	*o = (oracle_t){ 0 };
	array_begin(&o->v.array);
	o->v.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	o->v.view.now = NOW;
	REQUIRE(o->v.cache != NULL);
	viewed_put(&o->v, stored);
}

static void end(oracle_t *o)
{
	viewed_end(&o->v);
}

static mail_entry_t *entry_of(const char *domain, const char *policy)
{
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_DOMAIN, MAIL_STR(domain));
	REQUIRE(entry != NULL);
	CHECK_OK(mail_entry_parse(entry, mail_item_get(MAIL_ITEM_POLICY), MAIL_OP_SET,
	                          MAIL_STR(policy), 0, NULL));
	return entry;
}

/* Each item alone, set, added, removed, over each policy. */
static void test_items(void)
{
	oracle_t o;
	size_t tried = 0;
	begin(&o);
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		for (unsigned op = MAIL_OP_SET; op <= MAIL_OP_NONE; op++) {
			if (!mail_entry_knows(MAIL_SECTION_DOMAIN, item, op) ||
			    item->id <= MAIL_ITEM_ALIAS) {
				continue;
			}
			EACH(policy, policies) {
				mail_entry_t *entry = entry_of("example.org", *policy);
				int ret = op == MAIL_OP_NONE
				                  ? mail_entry_add(entry, item, op, MAIL_STR(""), 0)
				                  : sample_add(entry, item->id, op, NULL);
				if (ret == KNOT_EOK) {
					entry_compare(&o, entry);
					tried++;
				}
				mail_entry_free(entry);
			}
		}
	}
	CHECK(tried > 350, "%zu", tried);
	CHECK(o.compared > 4 * o.passed, "%zu, %zu", o.compared, o.passed);
	end(&o);
}

/* Each value alone. */
static void test_values(void)
{
	static const char *const domains[] = { "example.org", LONG_DOMAIN };
	static const char *const over[] = { "nothing", "full" };
	oracle_t o;
	begin(&o);
	EACH(domain, domains) {
		EACH(policy, over) {
			EACH(value, values) {
				mail_entry_t *entry = entry_of(*domain, *policy);
				mail_diag_t diag = { 0 };
				int ret = mail_entry_parse(entry, mail_item_get(value->item),
				                           MAIL_OP_SET, MAIL_STR(value->value), 0,
				                           &diag);
				CHECK(ret == KNOT_EOK, "%s: %s", value->value, diag.text);
				entry_compare(&o, entry);
				mail_entry_free(entry);
			}
		}
	}
	CHECK(o.compared > 3 * o.passed, "%zu, %zu", o.compared, o.passed);
	end(&o);
}

/* Random. */

static uint64_t random_state;

static unsigned random_below(unsigned end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % end;
}

static mail_entry_t *entry_random(void)
{
	mail_entry_t *entry = entry_of(random_below(8) > 0 ? "example.org" : LONG_DOMAIN,
	                               policies[random_below(COUNT(policies))]);
	for (unsigned left = 1 + random_below(9); left > 0; left--) {
		const unsigned at = random_below(COUNT(values));
		const mail_item_t *item = mail_item_get(values[at].item);
		const unsigned op = random_below(12);
		/* What cannot be beside what is there is left out. */
		if (op == 0) {
			(void)mail_entry_add(entry, item, MAIL_OP_NONE, MAIL_STR(""), 0);
		} else if (op < 4) {
			(void)mail_entry_parse(entry, item, MAIL_OP_ADD, MAIL_STR(values[at].value),
			                       0, NULL);
		} else {
			(void)mail_entry_parse(entry, item, MAIL_OP_SET, MAIL_STR(values[at].value),
			                       0, NULL);
		}
	}
	return entry;
}

/* Several of them together. OVERLAY_ROUNDS=1000000 OVERLAY_SEED=7 look further. */
static void test_random(void)
{
	oracle_t o;
	const char *rounds = getenv("OVERLAY_ROUNDS"), *seed = getenv("OVERLAY_SEED");
	random_state = 88172645463325252u + (seed != NULL ? strtoull(seed, NULL, 10) : 0);
	begin(&o);
	for (unsigned long left = rounds != NULL ? strtoul(rounds, NULL, 10) : 60; left > 0;
	     left--) {
		mail_entry_t *entry = entry_random();
		entry_compare(&o, entry);
		mail_entry_free(entry);
	}
	CHECK(o.compared > o.passed, "%zu, %zu", o.compared, o.passed);
	end(&o);
}

UNIT_MAIN("overlay", TEST("each item alone", test_items), TEST("each value alone", test_values),
          TEST("values together", test_random))
