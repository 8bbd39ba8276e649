/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where names lead, what stands there, and until when. */

#include "lib/viewed.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="

static const char stored[] =
	"host far| name: 'mx.far.example.'| address: 192.0.2.9\n"
	"policy p| ns: 'ns.example.net.'| mx: '10 mx.far.example.'| host: far"
	"| dmarc: 'rua=mailto:d@example.org'| tls-rpt: 'mailto:t@{domain}'\n"
	"policy quiet| ns: 'ns.example.net.'| dmarc: none\n"
	"policy self| ns: 'ns.example.net.'| dmarc: 'rua=mailto:d@{domain}'\n"
	"policy parked| ns: 'ns.example.net.'| no-mail: on| dmarc: none\n"
	/* Of the policy: shown; shown later; shown, but the domain has its own. */
	"dkim policy:p/s1| key: '" KEY1 "'\n"
	"dkim policy:p/later| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'\n"
	"dkim policy:p/mine| key: '" KEY1 "'\n"
	"dkim policy:p/kept.back| key: '" KEY1 "'\n"
	"dkim policy:p/held| key: '" KEY1 "'\n"
	"dkim example.org/held| key: '" KEY2 "'| publish: '2027-01-15T08:20:00Z'\n"
	/* Of the domain. */
	"dkim example.org/mine| cname: 'mine.example.net.'\n"
	"dkim example.org/kept.back| key: '" KEY2 "'| publish: '2027-01-15T08:20:00Z'\n"
	"dkim example.org/gone.old| key: '" KEY2 "'| remove: '2027-01-15T07:30:00Z'\n"
	"dkim example.org/own.deep| key: '" KEY2 "'| retire: '2027-01-15T08:30:00Z'"
	"| remove: '2027-01-15T08:40:00Z'| revoke: on\n"
	"dkim example.org/soon.late| key: '" KEY2 "'| publish: '2027-01-15T08:05:00Z'\n"
	"dkim parked.example/was| key: '" KEY2 "'\ndomain example.org| policy: p"
	"| record: [ 'www A 192.0.2.1', 'www AAAA ::1', 'a.b.c A 192.0.2.2', '*.w MX 0 m', "
	"'x.*.v A 192.0.2.3', 'old DNAME example.net.', 'old A 192.0.2.4', "
	"'glue.sub A 192.0.2.5', 'c.w A 192.0.2.6', 'alias CNAME www' ]"
	"| delegation: [ 'sub NS ns.example.net.', "
	"'sub DS 1 13 2 C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4', "
	"'in.deep NS ns.example.net.' ]\ndomain child.example.org| policy: quiet\n"
	"domain under.child.example.org| policy: quiet\n"
	"domain kid.ent.example.org| policy: quiet\ndomain far.example| policy: p\n"
	"domain self.example| policy: self\ndomain deep.below.example| policy: p\n"
	"domain alias.example| alias: example.org\n"
	"domain parked.example| policy: parked";

static void show_types(const mail_view_t *view, const mail_node_t *node, mail_buf_t *out)
{
	for (uint16_t type = 0; (type = mail_node_type(view, node, type)) != 0;) {
		(void)mail_buf_str(out, " ");
		show_type(type, out);
	}
}

/* Where a name leads: "found TYPES", "wildcard OWNER TYPES", ..., and when that changes. */
static void show_place(const viewed_t *v, const char *text, bool children, mail_buf_t *out)
{
	static const char *const where[] = {
		[MAIL_FOUND] = "found", [MAIL_WILDCARD] = "wildcard", [MAIL_CUT] = "cut",
		[MAIL_DNAME] = "dname", [MAIL_NOTHING] = "nothing",
	};
	knot_dname_storage_t owner;
	mail_place_t place;
	int ret = viewed_place(v, text, children, &place);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, ret == KNOT_EMALF ? "malformed" : "error %d", ret);
		return;
	}
	(void)mail_buf_str(out, where[place.where]);
	if (place.where != MAIL_NOTHING && place.where != MAIL_FOUND &&
	    mail_name_from_lf(mail_lf(&place.lf), owner) == KNOT_EOK) {
		(void)mail_buf_str(out, " ");
		show_name(owner, out);
		(void)mail_buf_str(out, ":");
	}
	if (place.where != MAIL_NOTHING) {
		show_types(&v->view, &place.node, out);
	}
	if (place.where == MAIL_CUT && place.at_cut) {
		(void)mail_buf_str(out, " (itself)");
	}
	if (place.until != INT64_MAX) {
		(void)mail_buf_printf(out, " %+lld", (long long)(place.until - v->view.now));
	}
}

/* `children` is needed for names that are not at or below the nearest stored domain alone. */
static const struct {
	const char *domain;
	const char *name;
	const char *expected;
} places[] = {
	{ "example.org", "example.org", "found NS SOA MX TXT" },
	{ "example.org", "www.example.org", "found A AAAA" },
	{ "example.org", "alias.example.org", "found CNAME" },
	{ "example.org", "nope.example.org", "nothing" },
	{ "example.org", "below.www.example.org", "nothing" },
	{ "example.org", "very.far.below.www.example.org", "nothing" },
	/* Empty non-terminals (RFC 8020). */
	{ "example.org", "b.c.example.org", "found" },
	{ "example.org", "c.example.org", "found" },
	{ "example.org", "a.b.c.example.org", "found A" },
	{ "example.org", "x.c.example.org", "nothing" },
	{ "example.org", "_tls.example.org", "found" },
	{ "example.org", "_smtp._tls.example.org", "found TXT" },
	{ "example.org", "_dmarc.example.org", "found TXT" },
	{ "child.example.org", "_dmarc.child.example.org", "found" },
	{ "example.org", "_report._dmarc.example.org", "found" },
	/* Wildcards (RFC 4592): they do not cover what exists, or what has something below. */
	{ "example.org", "x.w.example.org", "wildcard *.w.example.org: MX" },
	{ "example.org", "x.y.w.example.org", "wildcard *.w.example.org: MX" },
	{ "example.org", "*.w.example.org", "found MX" },
	{ "example.org", "x.*.w.example.org", "nothing" },
	{ "example.org", "c.w.example.org", "found A" },
	{ "example.org", "x.c.w.example.org", "nothing" },
	{ "example.org", "w.example.org", "found" },
	/* One without records covers names, too. */
	{ "example.org", "y.v.example.org", "wildcard *.v.example.org:" },
	{ "example.org", "x.*.v.example.org", "found A" },
	/* Cuts. */
	{ "example.org", "sub.example.org", "cut sub.example.org: NS DS (itself)" },
	{ "example.org", "glue.sub.example.org", "cut sub.example.org: NS DS" },
	{ "example.org", "x.y.sub.example.org", "cut sub.example.org: NS DS" },
	{ "example.org", "in.deep.example.org", "cut in.deep.example.org: NS (itself)" },
	{ "example.org", "deep.example.org", "found" },
	{ "example.org", "out.deep.example.org", "nothing" },
	/* DNAME (RFC 6672): below it, not at it. */
	{ "example.org", "old.example.org", "found A DNAME" },
	{ "example.org", "x.old.example.org", "dname old.example.org: A DNAME" },
	{ "example.org", "y.x.old.example.org", "dname old.example.org: A DNAME" },
	/* Stored domains below: the topmost is the cut; what is between is empty. */
	{ "example.org", "child.example.org", "cut child.example.org: NS (itself)" },
	{ "example.org", "x.child.example.org", "cut child.example.org: NS" },
	{ "example.org", "under.child.example.org", "cut child.example.org: NS" },
	{ "example.org", "x.under.child.example.org", "cut child.example.org: NS" },
	{ "example.org", "ent.example.org", "found" },
	{ "example.org", "x.ent.example.org", "nothing" },
	{ "example.org", "kid.ent.example.org", "cut kid.ent.example.org: NS (itself)" },
	{ "example.org", "x.kid.ent.example.org", "cut kid.ent.example.org: NS" },
	{ "child.example.org", "under.child.example.org",
	  "cut under.child.example.org: NS (itself)" },
	{ "child.example.org", "child.example.org", "found NS SOA TXT" },
	/* Absolute hosts, in the domain that they lie in. */
	{ "far.example", "mx.far.example", "found A TXT" },
	{ "far.example", "x.mx.far.example", "nothing" },
	{ "example.org", "mx.far.example.example.org", "nothing" },
	/* DKIM keys of the policy. */
	{ "example.org", "_domainkey.example.org", "found" },
	{ "example.org", "s1._domainkey.example.org", "found TXT" },
	{ "example.org", "x.s1._domainkey.example.org", "nothing" },
	{ "example.org", "later._domainkey.example.org", "nothing +600" },
	{ "example.org", "x.later._domainkey.example.org", "nothing +600" },
	{ "far.example", "mine._domainkey.far.example", "found TXT" },
	{ "child.example.org", "_domainkey.child.example.org", "nothing" },
	/* The domain's own hide the policy's, whether they are shown or not. */
	{ "example.org", "mine._domainkey.example.org", "found CNAME" },
	{ "example.org", "held._domainkey.example.org", "nothing +1200" },
	{ "far.example", "held._domainkey.far.example", "found TXT" },
	{ "example.org", "kept.back._domainkey.example.org", "nothing +1200" },
	{ "example.org", "back._domainkey.example.org", "nothing +1200" },
	{ "far.example", "kept.back._domainkey.far.example", "found TXT" },
	{ "far.example", "back._domainkey.far.example", "found" },
	{ "example.org", "old._domainkey.example.org", "nothing" },
	{ "example.org", "gone.old._domainkey.example.org", "nothing" },
	{ "example.org", "deep._domainkey.example.org", "found" },
	{ "example.org", "own.deep._domainkey.example.org", "found TXT" },
	{ "example.org", "late._domainkey.example.org", "nothing +300" },
	{ "example.org", "soon.late._domainkey.example.org", "nothing +300" },
	/* An alias has its target's keys, but not its records. */
	{ "alias.example", "mine._domainkey.alias.example", "found CNAME" },
	{ "alias.example", "own.deep._domainkey.alias.example", "found TXT" },
	{ "alias.example", "www.alias.example", "nothing" },
	{ "alias.example", "child.alias.example", "nothing" },
	/* Without mail every selector has an empty key. */
	{ "parked.example", "any._domainkey.parked.example",
	  "wildcard *._domainkey.parked.example: TXT" },
	{ "parked.example", "_domainkey.parked.example", "found" },
	/* The domain's own keys do not count then. */
	{ "parked.example", "was._domainkey.parked.example",
	  "wildcard *._domainkey.parked.example: TXT" },
	/* Who reports here: of the stored domains, those that say so; names above stored ones are empty. */
	{ "example.org", "far.example._report._dmarc.example.org", "found TXT" },
	{ "example.org", "alias.example._report._dmarc.example.org", "found TXT" },
	{ "example.org", "deep.below.example._report._dmarc.example.org", "found TXT" },
	{ "example.org", "below.example._report._dmarc.example.org", "found" },
	{ "example.org", "example._report._dmarc.example.org", "found" },
	{ "example.org", "x.far.example._report._dmarc.example.org", "nothing" },
	{ "example.org", "nowhere.test._report._dmarc.example.org", "nothing" },
	/* The ends of the gap in the NSEC chain are names of the chain alone. */
	{ "example.org", "\\000._report._dmarc.example.org", "nothing" },
	{ "example.org", "\\255._report._dmarc.example.org", "nothing" },
	{ "example.org", "self.example._report._dmarc.example.org", "found" },
	/* Not to itself. */
	{ "example.org", "example.org._report._dmarc.example.org", "found" },
	{ "self.example", "self.example._report._dmarc.self.example", "found" },
	{ "far.example", "example.org._report._dmarc.far.example", "found" },
};

static void test_places(void)
{
	EACH(c, places) {
		viewed_t v;
		mail_buf_t got = { 0 };
		viewed_begin(&v, stored, c->domain, NOW);
		show_place(&v, c->name, true, &got);
		shown_is(&got, c->expected, c->name);
		/* The question's own name needs no look for stored domains in between. */
		if (viewed_nearest(&v, c->name)) {
			show_place(&v, c->name, false, &got);
			shown_is(&got, c->expected, c->name);
		}
		viewed_end(&v);
	}
}

/* The view of a name is that of the longest stored domain. */
static void test_open(void)
{
	static const struct {
		const char *name;
		const char *domain; /* NULL: none. */
	} cases[] = {
		{ "example.org", "example.org" },
		{ "a.b.example.org", "example.org" },
		{ "x.child.example.org", "child.example.org" },
		{ "under.child.example.org", "under.child.example.org" },
		{ "ent.example.org", "example.org" },
		{ "org", NULL },
		{ "example.com", NULL },
		{ "xexample.org", NULL },
		{ "alias.example", "alias.example" },
	};
	viewed_t v;
	viewed_begin(&v, stored, "example.org", NOW);
	EACH(c, cases) {
		mail_buf_t got = { 0 };
		int ret = viewed_open(&v, c->name);
		if (c->domain == NULL) {
			CHECK_INT(ret, KNOT_ENOENT);
		} else if (CHECK_OK(ret)) {
			show_name(v.view.apex, &got);
			shown_is(&got, c->domain, c->name);
		}
	}
	viewed_end(&v);
}

/* RRsets: TTLs are capped by the next change, and holes are filled for the domain. */
static const struct {
	const char *domain;
	const char *name;
	uint16_t type;
	const char *expected;
} rrsets[] = {
	{ "example.org", "example.org", KNOT_RRTYPE_MX, "mx 3600 10 mx.far.example." },
	{ "example.org", "example.org", KNOT_RRTYPE_A, "-2" },
	{ "example.org", "nope.example.org", KNOT_RRTYPE_A, "-2" },
	{ "example.org", "www.example.org", KNOT_RRTYPE_AAAA, "record 3600 ::1" },
	{ "example.org", "_smtp._tls.example.org", KNOT_RRTYPE_TXT,
	  "tls-rpt 3600 'v=TLSRPTv1; rua=mailto:t@example.org'" },
	{ "alias.example", "_smtp._tls.alias.example", KNOT_RRTYPE_TXT,
	  "tls-rpt 3600 'v=TLSRPTv1; rua=mailto:t@alias.example'" },
	{ "example.org", "s1._domainkey.example.org", KNOT_RRTYPE_TXT,
	  "dkim 3600 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1 "'" },
	{ "example.org", "mine._domainkey.example.org", KNOT_RRTYPE_CNAME,
	  "dkim-cname 3600 mine.example.net." },
	{ "example.org", "mine._domainkey.example.org", KNOT_RRTYPE_TXT, "-2" },
	{ "alias.example", "mine._domainkey.alias.example", KNOT_RRTYPE_CNAME,
	  "dkim-cname 3600 mine.example.net." },
	{ "example.org", "own.deep._domainkey.example.org", KNOT_RRTYPE_TXT,
	  "dkim 1800+1800 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'" },
	{ "example.org", "far.example._report._dmarc.example.org", KNOT_RRTYPE_TXT,
	  "dmarc-report 3600 'v=DMARC1'" },
	/* The SOA's serial moves at every step: of the plan's keys, and of the domain's own. */
	{ "far.example", "far.example", KNOT_RRTYPE_SOA,
	  "soa 600+600 ns.example.net. hostmaster.far.example. 1700000001 86400 7200 3600000 300" },
	{ "example.org", "example.org", KNOT_RRTYPE_SOA,
	  "soa 300+300 ns.example.net. hostmaster.example.org. 1799998200 86400 7200 3600000 300" },
	{ "self.example", "self.example", KNOT_RRTYPE_SOA,
	  "soa 3600 ns.example.net. hostmaster.self.example. 1700000001 86400 7200 3600000 300" },
};

static void test_rrsets(void)
{
	EACH(c, rrsets) {
		viewed_t v;
		mail_buf_t got = { 0 };
		viewed_begin(&v, stored, c->domain, NOW);
		show_viewed(&v, c->name, c->type, &got);
		shown_is(&got, c->expected, c->name);
		viewed_end(&v);
	}
}

/* The same name at several seconds: a key that is announced, used, revoked and gone. */
static void test_times(void)
{
	static const struct {
		int64_t second;
		const char *
			place; /* Of the domain's own; the policy's gives a second that does no harm. */
		const char *rrset;
		int64_t step; /* Of the serial; 0: none yet. */
	} cases[] = {
		{ 0, "nothing +600", "-2", 0 },
		{ 599, "nothing +1", "-2", 0 },
		{ 600, "found TXT", "dkim 1200+1200 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'",
		  600 },
		{ 1799, "found TXT", "dkim 1+1 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'", 600 },
		{ 1800, "found TXT", "dkim 600+600 'v=DKIM1; p='", 1800 },
		{ 2399, "found TXT", "dkim 1+1 'v=DKIM1; p='", 1800 },
		{ 2400, "nothing", "-2", 2400 },
	};
	EACH(c, cases) {
		/* The domain's own; then the policy's, with the same result. */
		for (unsigned of_policy = 0; of_policy < 2; of_policy++) {
			static const char name[] = "t._domainkey.self.example";
			viewed_t v;
			char text[512];
			mail_buf_t got = { 0 };
			viewed_begin(&v, stored, "self.example", NOW + c->second);
			(void)snprintf(
				text, sizeof(text),
				"dkim %s/t| key: '" KEY2 "'| publish: '2027-01-15T08:10:00Z'"
				"| retire: '2027-01-15T08:30:00Z'| remove: '2027-01-15T08:40:00Z'| revoke: on",
				of_policy ? "policy:self" : "self.example");
			viewed_put(&v, text);
			CHECK_OK(viewed_open(&v, "self.example"));
			show_place(&v, name, true, &got);
			if (of_policy && strcmp(c->place, "found TXT") == 0) {
				got.len = got.len > 9 ? 9 : got.len;
			}
			shown_is(&got, c->place, of_policy ? "policy's" : "own");
			show_viewed(&v, name, KNOT_RRTYPE_TXT, &got);
			shown_is(&got, c->rrset, of_policy ? "policy's" : "own");
			/* The serial is the second of the last step. */
			CHECK_INT(mail_view_serial(&v.view),
			          c->step > 0 ? NOW + c->step : ARRAY_EPOCH + 2);
			viewed_end(&v);
		}
	}
}

/* Damaged entries: what needs them fails, nothing else does. */
static void test_damaged(void)
{
	static const struct {
		const char *entry;
		const char *name;
		const char *expected;
	} cases[] = {
		{ "dkim example.org/mine", "mine._domainkey.example.org", "malformed" },
		{ "dkim example.org/mine", "own.deep._domainkey.example.org", "found TXT" },
		{ "dkim example.org/mine", "www.example.org", "found A AAAA" },
		{ "domain child.example.org", "www.example.org", "found A AAAA" },
		/* A name all the same: a cut, which says nothing about its neighbours and what is between. */
		{ "domain child.example.org", "x.child.example.org", "cut child.example.org: NS" },
		{ "domain child.example.org", "child.example.org",
		  "cut child.example.org: NS (itself)" },
		{ "domain child.example.org", "chi.example.org", "nothing" },
		{ "domain kid.ent.example.org", "ent.example.org", "found" },
		{ "domain kid.ent.example.org", "x.ent.example.org", "nothing" },
		{ "domain far.example", "zz.example.org", "nothing" },
		{ "domain far.example", "far.example._report._dmarc.example.org", "malformed" },
		{ "domain far.example", "self.example._report._dmarc.example.org", "found" },
		{ "domain far.example", "example._report._dmarc.example.org", "found" },
		/* Keys: the one that cannot be read is there, its neighbours are untouched. */
		{ "dkim example.org/own.deep", "deep._domainkey.example.org", "found" },
		{ "dkim example.org/own.deep", "dee._domainkey.example.org", "nothing" },
		{ "dkim example.org/own.deep", "www.example.org", "found A AAAA" },
		{ "dkim policy:parked/s", "s1._domainkey.example.org", "found TXT" },
		{ "dkim policy:a/s", "s1._domainkey.example.org", "found TXT" },
	};
	EACH(c, cases) {
		viewed_t v;
		mail_buf_t got = { 0 };
		viewed_begin(&v, stored, "example.org", NOW);
		array_damage(&v.array, c->entry);
		viewed_put(&v, NULL);
		CHECK_OK(viewed_open(&v, "example.org"));
		CHECK_OK(v.view.plan->error);
		show_place(&v, c->name, true, &got);
		shown_is(&got, c->expected, c->name);
		viewed_end(&v);
	}
}

/* Tombstones: past too many of them below a name nobody looks, and the name is said to exist. */
static void test_tombstones(void)
{
	static const struct {
		unsigned limit;
		const char *name;
		const char *expected;
	} cases[] = {
		{ 0, "gone.example.org", "nothing" },
		{ 4, "gone.example.org", "nothing" },
		{ 3, "gone.example.org", "found" },
		{ 1, "x.c.gone.example.org", "nothing" },
		/* Those of others do not count. */
		{ 1, "go.example.org", "nothing" },
		{ 1, "x.ent.example.org", "nothing" },
		{ 1, "ent.example.org", "found" },
	};
	EACH(c, cases) {
		viewed_t v;
		mail_buf_t got = { 0 };
		viewed_begin(&v, stored, "example.org", NOW);
		array_del(&v.array, "domain a.gone.example.org");
		array_del(&v.array, "domain b.gone.example.org");
		array_del(&v.array, "domain c.gone.example.org");
		array_del(&v.array, "domain d.other.example.org");
		v.array.source.limit = c->limit;
		show_place(&v, c->name, true, &got);
		shown_is(&got, c->expected, c->name);
		viewed_end(&v);
	}
}

/* 229 octets of a name: 11 are left for a reporter. */
#define LONG_LABEL "a23456789b23456789c23456789d23456789e23456789f234567890"
#define LONG LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".abc"

/* A name above reporters exists if one of them has room in front of the domain. */
static void test_reporters_too_long(void)
{
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{ "example._report._dmarc." LONG, "found" },
		{ "org._report._dmarc." LONG, "nothing" },
		{ "net._report._dmarc." LONG, "nothing" },
		/* Too many that are too long: not known, so it is not denied. */
		{ "test._report._dmarc." LONG, "found" },
		{ "a.bc._report._dmarc." LONG, "found TXT" },
		{ "bc._report._dmarc." LONG, "found" },
	};
	viewed_t v;
	viewed_begin(&v,
	             "policy p| ns: 'ns.example.net.'\npolicy r| ns: 'ns.example.net.'"
	             "| dmarc: 'rua=mailto:d@" LONG "'\ndomain " LONG "| policy: p\n"
	             "domain a.bc| policy: r\ndomain abc.example| policy: r\n"
	             "domain zz.example| policy: r\ndomain " LONG_LABEL ".org| policy: r\n"
	             "domain 12345678901.org| policy: r\ndomain long-name.net| policy: r",
	             LONG, NOW);
	for (unsigned i = 0; i < 200; i++) {
		char text[80];
		(void)snprintf(text, sizeof(text), "domain x%03u-long.test| policy: r", i);
		viewed_put(&v, text);
	}
	REQUIRE(viewed_open(&v, LONG) == KNOT_EOK);
	EACH(c, cases) {
		mail_buf_t got = { 0 };
		show_place(&v, c->name, true, &got);
		shown_is(&got, c->expected, c->name);
	}
	viewed_end(&v);
}

static void test_ttl(void)
{
	static const struct {
		uint32_t ttl;
		int64_t until;
		uint32_t capped;
	} cases[] = {
		{ 3600, INT64_MAX, 3600 },  { 3600, NOW + 3600, 3600 },
		{ 3600, NOW + 3599, 3599 }, { 3600, NOW + 2, 2 },
		{ 3600, NOW + 1, 1 },       { 3600, NOW, 1 },
		{ 0, INT64_MAX, 0 },        { UINT32_MAX, INT64_MAX, UINT32_MAX },
	};
	EACH(c, cases) {
		uint32_t ttl = mail_ttl_cap(c->ttl, NOW, c->until);
		CHECK_INT(ttl, c->capped);
	}
}

UNIT_MAIN("view", TEST("the domain of a name", test_open), TEST("where names lead", test_places),
          TEST("RRsets", test_rrsets), TEST("a key through time", test_times),
          TEST("damaged entries", test_damaged), TEST("too many tombstones", test_tombstones),
          TEST("reporters without room", test_reporters_too_long), TEST("TTLs capped", test_ttl))
