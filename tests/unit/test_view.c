/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where names lead, what stands there, and until when. */

#include "mail/cache.h"
#include "view/view.h"
#include "failing.h"
#include "mail/kind.h"
#include "source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define AT(minutes) "2027-01-15T08:" minutes ":00Z"
#define BEFORE(minutes) "2027-01-15T07:" minutes ":00Z"

static const char stored[] =
	"host:\n"
	"  - id: far\n    name: \"mx.far.example.\"\n    address: 192.0.2.9\n"
	"policy:\n"
	"  - id: p\n    ns: \"ns.example.net.\"\n    mx: \"10 mx.far.example.\"\n    host: far\n"
	"    dmarc: \"rua=mailto:d@example.org\"\n    tls-rpt: \"mailto:t@{domain}\"\n"
	"  - id: quiet\n    ns: \"ns.example.net.\"\n    dmarc: none\n"
	"  - id: self\n    ns: \"ns.example.net.\"\n    dmarc: \"rua=mailto:d@{domain}\"\n"
	"  - id: parked\n    ns: \"ns.example.net.\"\n    no-mail: on\n    dmarc: none\n"
	"dkim:\n"
	/* Of the policy: shown; shown later; shown, but the domain has its own. */
	"  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n"
	"  - id: \"policy:p/later\"\n    key: \"" KEY1 "\"\n    publish: \"" AT(
		"10") "\"\n"
		      "  - id: \"policy:p/mine\"\n    key: \"" KEY1 "\"\n"
		      "  - id: \"policy:p/kept.back\"\n    key: \"" KEY1 "\"\n"
		      "  - id: \"policy:p/held\"\n    key: \"" KEY1 "\"\n"
		      "  - id: example.org/held\n    key: \"" KEY2 "\"\n"
		      "    publish: \"2027-01-15T08:20:00Z\"\n"
		      /* Of the domain. */
		      "  - id: example.org/mine\n    cname: \"mine.example.net.\"\n"
		      "  - id: example.org/kept.back\n    key: \"" KEY2 "\"\n    publish: \"" AT(
			      "20") "\"\n"
				    "  - id: example.org/gone.old\n    key: \"" KEY2
				    "\"\n    remove: \"" BEFORE(
					    "30") "\"\n"
						  "  - id: example.org/own.deep\n    key: \"" KEY2
						  "\"\n    retire: \"" AT(
							  "30") "\"\n"
								"    remove: \"" AT(
									"40") "\"\n    revoke: on\n"
									      "  - id: example.org/soon.late\n    key: \"" KEY2
									      "\"\n    publish: \"" AT(
										      "05") "\"\n"
											    "  - id: parked.example/was\n    key: \"" KEY2
											    "\"\n"
											    "domain:\n"
											    "  - id: example.org\n    policy: p\n"
											    "    record: [ \"www A 192.0.2.1\", \"www AAAA ::1\", \"a.b.c A 192.0.2.2\", \"*.w MX 0 m\", "
											    "\"x.*.v A 192.0.2.3\", \"old DNAME example.net.\", \"old A 192.0.2.4\", "
											    "\"glue.sub A 192.0.2.5\", \"c.w A 192.0.2.6\", \"alias CNAME www\" ]\n"
											    "    delegation: [ \"sub NS ns.example.net.\", \"sub DS 1 13 2 "
											    "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4\", \"in.deep NS ns.example.net.\" ]\n"
											    "  - id: child.example.org\n    policy: quiet\n"
											    "  - id: under.child.example.org\n    policy: quiet\n"
											    "  - id: kid.ent.example.org\n    policy: quiet\n"
											    "  - id: far.example\n    policy: p\n"
											    "  - id: self.example\n    policy: self\n"
											    "  - id: deep.below.example\n    policy: p\n"
											    "  - id: alias.example\n    alias: example.org\n"
											    "  - id: parked.example\n    policy: parked\n";

typedef struct {
	array_t array;
	mail_cache_t *cache;
	mail_view_t view;
	knot_dname_storage_t name;
} fixture_t;

static bool view_begin(fixture_t *f, const char *domain)
{
	mail_lf_storage_t key;
	array_begin(&f->array);
	f->cache = mail_cache_new(16);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->cache);
	f->view = (mail_view_t){ .source = &f->array.source, .cache = f->cache, .now = NOW };
	CU_ASSERT_FATAL(array_put(&f->array, stored));
	mail_cache_sync(f->cache, 1, f->array.txnid);
	mail_cache_hold(f->cache);
	CU_ASSERT_EQUAL_FATAL(mail_name_parse(MAIL_STR(domain), f->name, NULL), KNOT_EOK);
	mail_name_lf(f->name, &key);
	int ret = mail_view_open(&f->view, f->name, mail_lf(&key));
	return UNIT_CHECK(ret == KNOT_EOK && f->view.lf.len == key.len &&
	                          f->view.plan->error == KNOT_EOK,
	                  "%s: %d", domain, ret);
}

static void view_end(fixture_t *f)
{
	mail_cache_free(f->cache);
	array_free(&f->array);
}

static void show_types(const mail_view_t *view, const mail_node_t *node, mail_buf_t *out)
{
	for (uint16_t type = 0; (type = mail_node_type(view, node, type)) != 0;) {
		(void)mail_buf_str(out, " ");
		show_type(type, out);
	}
}

/* Where a name leads: "found TYPES", "wildcard OWNER TYPES", ..., and when that changes. */
static void show_place(const mail_view_t *view, const char *text, bool children, mail_buf_t *out)
{
	static const char *const where[] = {
		[MAIL_FOUND] = "found", [MAIL_WILDCARD] = "wildcard", [MAIL_CUT] = "cut",
		[MAIL_DNAME] = "dname", [MAIL_NOTHING] = "nothing",
	};
	knot_dname_storage_t name, owner;
	mail_lf_storage_t key;
	mail_place_t place;
	CU_ASSERT_EQUAL_FATAL(mail_name_parse(MAIL_STR(text), name, NULL), KNOT_EOK);
	mail_name_lf(name, &key);
	int ret = mail_view_place(view, mail_lf(&key), children, &place);
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(out, "error %d", ret);
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
		show_types(view, &place.node, out);
	}
	if (place.where == MAIL_CUT && place.at_cut) {
		(void)mail_buf_str(out, " (itself)");
	}
	if (place.until != INT64_MAX) {
		(void)mail_buf_printf(out, " %+lld", (long long)(place.until - NOW));
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
	fixture_t f;
	for (size_t i = 0; i < COUNT(places); i++) {
		mail_buf_t got = { 0 };
		if (view_begin(&f, places[i].domain)) {
			show_place(&f.view, places[i].name, true, &got);
			(void)shown_is(&got, places[i].expected, places[i].name, i);
			/* The question's own name needs no look for stored domains in between. */
			knot_dname_storage_t name;
			mail_lf_storage_t key;
			mail_domain_t domain;
			(void)mail_name_parse(MAIL_STR(places[i].name), name, NULL);
			mail_name_lf(name, &key);
			mail_lf_t above = { 0 };
			(void)f.array.source.domain_above(&f.array.source, mail_lf(&key), &above,
			                                  &domain);
			if (above.len == f.view.lf.len) {
				show_place(&f.view, places[i].name, false, &got);
				(void)shown_is(&got, places[i].expected, places[i].name, i);
			}
		}
		view_end(&f);
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
	fixture_t f;
	(void)view_begin(&f, "example.org");
	for (size_t i = 0; i < COUNT(cases); i++) {
		knot_dname_storage_t name;
		mail_lf_storage_t key;
		mail_view_t view = { .source = &f.array.source, .cache = f.cache, .now = NOW };
		mail_buf_t got = { 0 };
		(void)mail_name_parse(MAIL_STR(cases[i].name), name, NULL);
		mail_name_lf(name, &key);
		int ret = mail_view_open(&view, name, mail_lf(&key));
		if (cases[i].domain == NULL) {
			UNIT_CHECK(ret == KNOT_ENOENT, "case %zu: %d", i, ret);
		} else if (UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d", i, ret)) {
			show_name(view.apex, &got);
			(void)shown_is(&got, cases[i].domain, "case", i);
		}
	}
	view_end(&f);
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
	fixture_t f;
	for (size_t i = 0; i < COUNT(rrsets); i++) {
		knot_dname_storage_t name;
		mail_lf_storage_t key;
		mail_node_t node;
		knot_rrset_t rrset;
		mail_buf_t got = { 0 };
		uint16_t kind = MAIL_KIND_COUNT;
		int64_t until = 0;
		if (view_begin(&f, rrsets[i].domain)) {
			(void)mail_name_parse(MAIL_STR(rrsets[i].name), name, NULL);
			mail_name_lf(name, &key);
			int ret = mail_view_node(&f.view, mail_lf(&key), &node);
			UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d", i, ret);
			ret = mail_view_rrset(&f.view, &node, rrsets[i].type, name, NULL, &rrset,
			                      &kind, &until);
			if (ret != KNOT_EOK) {
				(void)mail_buf_printf(&got, "%d", ret);
			} else {
				(void)mail_buf_printf(&got, "%s %u", mail_kinds[kind].name,
				                      (unsigned)rrset.ttl);
				if (until != INT64_MAX) {
					(void)mail_buf_printf(&got, "%+lld",
					                      (long long)(until - NOW));
				}
				for (uint16_t j = 0; j < rrset.rrs.count; j++) {
					(void)mail_buf_str(&got, " ");
					show_rdata(&rrset, j, &got);
				}
				knot_rdataset_clear(&rrset.rrs, NULL);
			}
			(void)shown_is(&got, rrsets[i].expected, rrsets[i].name, i);
		}
		view_end(&f);
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
	} cases[] = {
		{ 0, "nothing +600", "" },
		{ 599, "nothing +600", "" },
		{ 600, "found TXT", "1200 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'" },
		{ 1799, "found TXT", "1 'v=DKIM1; k=ed25519; h=sha256; p=" KEY2 "'" },
		{ 1800, "found TXT", "600 'v=DKIM1; p='" },
		{ 2399, "found TXT", "1 'v=DKIM1; p='" },
		{ 2400, "nothing", "" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		/* The domain's own; then the policy's, with the same result. */
		for (unsigned of_policy = 0; of_policy < 2; of_policy++) {
			fixture_t f;
			char text[512];
			mail_buf_t got = { 0 };
			knot_dname_storage_t name;
			mail_lf_storage_t key;
			mail_node_t node;
			knot_rrset_t rrset;
			uint16_t kind;
			(void)view_begin(&f, "self.example");
			(void)snprintf(
				text, sizeof(text),
				"dkim:\n  - id: \"%s/t\"\n    key: \"" KEY2 "\"\n"
				"    publish: \"" AT("10") "\"\n    retire: \"" AT(
					"30") "\"\n"
					      "    remove: \"" AT("40") "\"\n    revoke: on\n",
				of_policy ? "policy:self" : "self.example");
			(void)array_put(&f.array, text);
			mail_cache_sync(f.cache, 1, f.array.txnid);
			(void)mail_name_parse(MAIL_STR("self.example"), f.name, NULL);
			mail_name_lf(f.name, &key);
			f.view.now = NOW + cases[i].second;
			CU_ASSERT_EQUAL(mail_view_open(&f.view, f.name, mail_lf(&key)), KNOT_EOK);
			show_place(&f.view, "t._domainkey.self.example", true, &got);
			if (of_policy && strcmp(cases[i].place, "found TXT") == 0) {
				got.len = got.len > 9 ? 9 : got.len;
			}
			(void)shown_is(&got, cases[i].place, of_policy ? "policy's" : "own", i);
			(void)mail_name_parse(MAIL_STR("t._domainkey.self.example"), name, NULL);
			mail_name_lf(name, &key);
			CU_ASSERT_EQUAL(mail_view_node(&f.view, mail_lf(&key), &node), KNOT_EOK);
			if (mail_view_rrset(&f.view, &node, KNOT_RRTYPE_TXT, name, NULL, &rrset,
			                    &kind, NULL) == KNOT_EOK) {
				(void)mail_buf_printf(&got, "%u ", (unsigned)rrset.ttl);
				show_rdata(&rrset, 0, &got);
				knot_rdataset_clear(&rrset.rrs, NULL);
			}
			(void)shown_is(&got, cases[i].rrset, of_policy ? "policy's" : "own", i);
			/* The serial is the second of the last step. */
			int64_t step = cases[i].second >= 2400   ? 2400
			               : cases[i].second >= 1800 ? 1800
			               : cases[i].second >= 600  ? 600
			                                         : 0;
			uint32_t serial = mail_view_serial(&f.view);
			UNIT_CHECK(serial == (step > 0 ? NOW + step : ARRAY_EPOCH + 2),
			           "case %zu %u: %u", i, of_policy, (unsigned)serial);
			view_end(&f);
		}
	}
}

/* Damaged entries: what needs them fails, nothing else does. */
static void test_damaged(void)
{
	static const struct {
		mail_section_t section;
		const char *id;
		const char *name;
		const char *expected;
	} cases[] = {
		{ MAIL_SECTION_DKIM, "example.org/mine", "mine._domainkey.example.org",
		  "error -19" },
		{ MAIL_SECTION_DKIM, "example.org/mine", "own.deep._domainkey.example.org",
		  "found TXT" },
		{ MAIL_SECTION_DKIM, "example.org/mine", "www.example.org", "found A AAAA" },
		{ MAIL_SECTION_DOMAIN, "child.example.org", "www.example.org", "found A AAAA" },
		/* A name all the same: a cut, which says nothing about its neighbours and what is between. */
		{ MAIL_SECTION_DOMAIN, "child.example.org", "x.child.example.org",
		  "cut child.example.org: NS" },
		{ MAIL_SECTION_DOMAIN, "child.example.org", "child.example.org",
		  "cut child.example.org: NS (itself)" },
		{ MAIL_SECTION_DOMAIN, "child.example.org", "chi.example.org", "nothing" },
		{ MAIL_SECTION_DOMAIN, "kid.ent.example.org", "ent.example.org", "found" },
		{ MAIL_SECTION_DOMAIN, "kid.ent.example.org", "x.ent.example.org", "nothing" },
		{ MAIL_SECTION_DOMAIN, "far.example", "zz.example.org", "nothing" },
		{ MAIL_SECTION_DOMAIN, "far.example", "far.example._report._dmarc.example.org",
		  "error -19" },
		{ MAIL_SECTION_DOMAIN, "far.example", "self.example._report._dmarc.example.org",
		  "found" },
		{ MAIL_SECTION_DOMAIN, "far.example", "example._report._dmarc.example.org",
		  "found" },
		/* Keys: the one that cannot be read is there, its neighbours are untouched. */
		{ MAIL_SECTION_DKIM, "example.org/own.deep", "deep._domainkey.example.org",
		  "found" },
		{ MAIL_SECTION_DKIM, "example.org/own.deep", "dee._domainkey.example.org",
		  "nothing" },
		{ MAIL_SECTION_DKIM, "example.org/own.deep", "www.example.org", "found A AAAA" },
		{ MAIL_SECTION_DKIM, "policy:parked/s", "s1._domainkey.example.org", "found TXT" },
		{ MAIL_SECTION_DKIM, "policy:a/s", "s1._domainkey.example.org", "found TXT" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture_t f;
		mail_buf_t got = { 0 };
		char expected[64];
		(void)view_begin(&f, "example.org");
		array_damage(&f.array, cases[i].section, cases[i].id);
		mail_cache_sync(f.cache, 1, f.array.txnid);
		CU_ASSERT_EQUAL(mail_view_open(&f.view, f.name, mail_lf(&f.view.lf)), KNOT_EOK);
		CU_ASSERT_EQUAL(f.view.plan->error, KNOT_EOK);
		show_place(&f.view, cases[i].name, true, &got);
		(void)snprintf(expected, sizeof(expected), "%s", cases[i].expected);
		if (strncmp(expected, "error", 5) == 0) {
			(void)snprintf(expected, sizeof(expected), "error %d", KNOT_EMALF);
		}
		(void)shown_is(&got, expected, "case", i);
		view_end(&f);
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
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture_t f;
		mail_buf_t got = { 0 };
		(void)view_begin(&f, "example.org");
		array_del(&f.array, MAIL_SECTION_DOMAIN, "a.gone.example.org");
		array_del(&f.array, MAIL_SECTION_DOMAIN, "b.gone.example.org");
		array_del(&f.array, MAIL_SECTION_DOMAIN, "c.gone.example.org");
		array_del(&f.array, MAIL_SECTION_DOMAIN, "d.other.example.org");
		f.array.limit = cases[i].limit;
		show_place(&f.view, cases[i].name, true, &got);
		(void)shown_is(&got, cases[i].expected, "case", i);
		view_end(&f);
	}
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
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t ttl = mail_ttl_cap(cases[i].ttl, NOW, cases[i].until);
		UNIT_CHECK(ttl == cases[i].capped, "case %zu: %u", i, (unsigned)ttl);
	}
}

static const unit_test_t tests[] = { { "the domain of a name", test_open },
	                             { "where names lead", test_places },
	                             { "RRsets", test_rrsets },
	                             { "a key through time", test_times },
	                             { "damaged entries", test_damaged },
	                             { "too many tombstones", test_tombstones },
	                             { "TTLs capped", test_ttl },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("view", tests);
}
