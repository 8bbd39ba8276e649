/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NSEC chain: neighbours as they are computed for a question, compared with a sorted list of the owners that
 * is written down here by hand.
 */

#include "mail/cache.h"
#include "view/chain.h"
#include "view/sign.h"
#include "source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char stored[] =
	"host:\n"
	"  - id: m\n    name: m\n    address: 192.0.2.1\n"
	"  - id: far\n    name: \"far.b.example.org.\"\n    address: 192.0.2.9\n"
	"policy:\n"
	"  - id: p\n    ns: \"ns.example.net.\"\n    mx: \"10 m\"\n    host: [ m, far ]\n"
	"    tls-rpt: \"mailto:t@{domain}\"\n"
	"  - id: bare\n    ns: \"ns.example.net.\"\n    dmarc: none\n    spf-all: none\n"
	"dkim:\n"
	"  - id: \"policy:p/pk\"\n    key: \"" KEY1 "\"\n"
	"  - id: example.org/a\n    key: \"" KEY1 "\"\n"
	"  - id: example.org/soon\n    key: \"" KEY1 "\"\n    publish: \"2027-01-15T08:10:00Z\"\n"
	"  - id: example.org/z.y\n    key: \"" KEY1 "\"\n"
	"  - id: example.org/gone\n    key: \"" KEY1 "\"\n    remove: \"2027-01-15T07:00:00Z\"\n"
	"domain:\n"
	"  - id: example.org\n    policy: p\n"
	"    record: [ \"www A 192.0.2.1\", \"x.y.ent A 192.0.2.2\", \"*.w A 192.0.2.3\", \"old DNAME q.example.\", "
	"\"below.old A 192.0.2.4\", \"glue.sub A 192.0.2.5\", \"zz A 192.0.2.6\", \"in.kid A 192.0.2.7\" ]\n"
	"    delegation: [ \"sub NS ns.example.net.\" ]\n"
	"  - id: kid.example.org\n    policy: bare\n"
	"  - id: under.kid.example.org\n    policy: bare\n"
	"  - id: deep.er.example.org\n    policy: bare\n"
	"  - id: bare.example\n    policy: bare\n"
	"  - id: com.example\n    policy: bare\n";

/* In canonical order (RFC 4034 6.1); relative names. */
static const char *const owners[] = {
	"@",
	"_dmarc",
	"\\255._report._dmarc",
	"a._domainkey",
	"pk._domainkey",
	"z.y._domainkey",
	"_smtp._tls",
	"far.b",
	"x.y.ent",
	"deep.er",
	"kid",
	"m",
	"old",
	"sub",
	"*.w",
	"www",
	"zz",
};

typedef struct {
	array_t array;
	mail_cache_t *cache;
	mail_view_t view;
	knot_dname_storage_t name;
} fixture_t;

static void begin(fixture_t *f, const char *domain, int64_t now)
{
	mail_lf_storage_t key;
	array_begin(&f->array);
	f->cache = mail_cache_new(16);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->cache);
	f->view = (mail_view_t){ .source = &f->array.source, .cache = f->cache, .now = now };
	CU_ASSERT_FATAL(array_put(&f->array, stored));
	mail_cache_sync(f->cache, 1, f->array.txnid);
	mail_cache_hold(f->cache);
	CU_ASSERT_EQUAL_FATAL(mail_name_parse(MAIL_STR(domain), f->name, NULL), KNOT_EOK);
	mail_name_lf(f->name, &key);
	CU_ASSERT_EQUAL_FATAL(mail_view_open(&f->view, f->name, mail_lf(&key)), KNOT_EOK);
	CU_ASSERT_EQUAL_FATAL(f->view.plan->error, KNOT_EOK);
}

static void end(fixture_t *f)
{
	mail_cache_free(f->cache);
	array_free(&f->array);
}

/*! A name relative to a domain, in presentation format. */
static mail_lf_t name_of(const char *relative, const char *domain, mail_lf_storage_t *lf)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	knot_dname_storage_t name;
	(void)snprintf(text, sizeof(text), "%s%s%s.", strcmp(relative, "@") == 0 ? "" : relative,
	               strcmp(relative, "@") == 0 ? "" : ".", domain);
	CU_ASSERT_PTR_NOT_NULL_FATAL(knot_dname_from_str(name, text, sizeof(name)));
	mail_name_lf(name, lf);
	return mail_lf(lf);
}

static bool name_is(const knot_dname_t *name, const char *relative, const char *domain)
{
	mail_lf_storage_t a, b;
	mail_name_lf(name, &a);
	return mail_lf_equal(mail_lf(&a), name_of(relative, domain, &b));
}

/*! What follows an owner in the chain. */
static const char *next_of(size_t i)
{
	return i == 1 ? "\\000._report._dmarc" : owners[(i + 1) % COUNT(owners)];
}

static void test_match(void)
{
	fixture_t f;
	begin(&f, "example.org", NOW);
	for (size_t i = 0; i < COUNT(owners); i++) {
		mail_lf_storage_t key;
		mail_link_t link;
		if (i == 2) {
			continue; /* No question leads there. */
		}
		(void)name_of(owners[i], "example.org", &key);
		int ret = mail_chain_match(&f.view, mail_lf(&key), &link);
		UNIT_CHECK(ret == KNOT_EOK && name_is(link.owner, owners[i], "example.org") &&
		                   name_is(link.next, next_of(i), "example.org") && !link.fleeting,
		           "%s: %d", owners[i], ret);
	}
	end(&f);
}

static void test_cover(void)
{
	static const struct {
		const char *name;
		size_t owner; /* Index. */
		bool below;
	} cases[] = {
		{ "\\000", 0, false },
		{ "_a", 0, false },
		{ "a", 6, false },
		{ "a._dmarc", 2, false },
		{ "_report._dmarc", 1, true },
		{ "_domainkey", 2, true },
		{ "_dmarcx", 2, false },
		{ "b._domainkey", 3, false },
		{ "0._domainkey", 2, false },
		{ "soon._domainkey", 4, false },
		{ "gone._domainkey", 3, false },
		{ "y._domainkey", 4, true },
		{ "a.y._domainkey", 4, false },
		{ "_tls", 5, true },
		{ "_tlsx", 6, false },
		{ "b", 6, true },
		{ "a.b", 6, false },
		{ "z.b", 7, false },
		{ "er", 8, true },
		{ "ent", 7, true },
		{ "y.ent", 7, true },
		{ "a.er", 8, false },
		{ "x.er", 9, false },
		{ "l", 10, false },
		{ "n", 11, false },
		{ "w", 13, true },
		{ "sua", 12, false },
		{ "t", 13, false },
		{ "a.w", 14, false },
		{ "zzz", 16, false },
		{ "a.www", 15, false },
		{ "q.m", 11, false },
	};
	fixture_t f;
	begin(&f, "example.org", NOW);
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_lf_storage_t key;
		mail_link_t link;
		(void)name_of(cases[i].name, "example.org", &key);
		int ret = mail_chain_cover(&f.view, mail_lf(&key), cases[i].below, &link);
		UNIT_CHECK(ret == KNOT_EOK &&
		                   name_is(link.owner, owners[cases[i].owner], "example.org") &&
		                   name_is(link.next, next_of(cases[i].owner), "example.org") &&
		                   !link.fleeting,
		           "%s: %d", cases[i].name, ret);
	}
	end(&f);
}

/* Below _report._dmarc every name is denied for itself. */
static void test_gap(void)
{
	fixture_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	begin(&f, "example.org", NOW);
	(void)name_of("com._report._dmarc", "example.org", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(link.fleeting && name_is(link.owner, "col\\255._report._dmarc", "example.org") &&
	          name_is(link.next, "com\\000._report._dmarc", "example.org"));
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), true, &link), KNOT_EOK);
	CU_ASSERT(link.fleeting && name_is(link.owner, "col\\255._report._dmarc", "example.org") &&
	          name_is(link.next, "\\000.com._report._dmarc", "example.org"));
	CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
	CU_ASSERT(link.fleeting && name_is(link.owner, "com._report._dmarc", "example.org") &&
	          name_is(link.next, "\\000.com._report._dmarc", "example.org"));
	end(&f);
}

/* What is ahead shortens the TTL of the links that it touches, and of no other. */
static void test_until(void)
{
	static const struct {
		const char *name;
		int64_t until;
	} cases[] = {
		{ "r._domainkey", 600 },       { "soon._domainkey", 600 }, { "t._domainkey", 600 },
		{ "b._domainkey", INT64_MAX }, { "l", INT64_MAX },
	};
	fixture_t f;
	begin(&f, "example.org", NOW);
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_lf_storage_t key;
		mail_link_t link;
		(void)name_of(cases[i].name, "example.org", &key);
		int ret = mail_chain_cover(&f.view, mail_lf(&key), false, &link);
		const int64_t until = link.until == INT64_MAX ? link.until : link.until - NOW;
		UNIT_CHECK(ret == KNOT_EOK && until == cases[i].until, "%s: %d, %lld",
		           cases[i].name, ret, (long long)until);
	}
	end(&f);
	begin(&f, "example.org", NOW + 600);
	mail_lf_storage_t key;
	mail_link_t link;
	(void)name_of("t._domainkey", "example.org", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(name_is(link.owner, "soon._domainkey", "example.org"));
	CU_ASSERT(name_is(link.next, "z.y._domainkey", "example.org"));
	end(&f);
}

/* A domain with nothing but its apex (and the gap). */
static void test_bare(void)
{
	fixture_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	begin(&f, "bare.example", NOW);
	(void)name_of("@", "bare.example", &key);
	CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
	CU_ASSERT(name_is(link.next, "\\000._report._dmarc", "bare.example"));
	(void)name_of("x", "bare.example", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(name_is(link.owner, "\\255._report._dmarc", "bare.example"));
	CU_ASSERT(name_is(link.next, "@", "bare.example"));
	end(&f);
}

/* More deleted domains behind a name than a question passes: the link says nothing but that. */
static void test_tombstones(void)
{
	static const char *const gone[] = { "n1.example.org", "n2.example.org", "n3.example.org" };
	fixture_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	begin(&f, "example.org", NOW);
	for (size_t i = 0; i < COUNT(gone); i++) {
		array_del(&f.array, MAIL_SECTION_DOMAIN, gone[i]);
	}
	for (f.array.limit = 2; f.array.limit < 5; f.array.limit += 2) {
		const bool over = f.array.limit == 2;
		(void)name_of("m", "example.org", &key);
		CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
		CU_ASSERT(name_is(link.owner, "m", "example.org") && !link.fleeting);
		CU_ASSERT(name_is(link.next, over ? "\\000.m" : "old", "example.org"));
		(void)name_of("n0", "example.org", &key);
		CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
		CU_ASSERT(link.fleeting == over);
		CU_ASSERT(name_is(link.owner, over ? "n/\\255" : "m", "example.org"));
		CU_ASSERT(name_is(link.next, over ? "n0\\000" : "old", "example.org"));
	}
	end(&f);

	/* Those beside a domain are not its business, on either side. */
	static const char *const beside[] = { "bare0.example", "bare1.example", "a.b.example",
		                              "c.b.example" };
	begin(&f, "bare.example", NOW);
	for (size_t i = 0; i < COUNT(beside); i++) {
		array_del(&f.array, MAIL_SECTION_DOMAIN, beside[i]);
	}
	f.array.limit = 1;
	(void)name_of("@", "bare.example", &key);
	CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
	CU_ASSERT(name_is(link.next, "\\000._report._dmarc", "bare.example"));
	(void)name_of("x", "bare.example", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(!link.fleeting && name_is(link.next, "@", "bare.example"));
	end(&f);
}

/* Beside a key that cannot be read, names are denied one by one. */
static void test_damaged(void)
{
	fixture_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	begin(&f, "example.org", NOW);
	array_damage(&f.array, MAIL_SECTION_DKIM, "example.org/a");
	(void)name_of("b._domainkey", "example.org", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(link.fleeting && name_is(link.owner, "a\\255._domainkey", "example.org"));
	CU_ASSERT(name_is(link.next, "b\\000._domainkey", "example.org"));
	/* It is not denied itself. */
	(void)name_of("0._domainkey", "example.org", &key);
	CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
	CU_ASSERT(!link.fleeting && name_is(link.next, "a._domainkey", "example.org"));
	(void)name_of("a._domainkey", "example.org", &key);
	CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EMALF);
	end(&f);
}

/* What lies below a cut is not the domain's: no end of the gap either. */
static void test_gap_cut(void)
{
	static const char *const cuts[] = {
		"    delegation: [ \"_dmarc NS ns.example.net.\" ]\n",
		"    delegation: [ \"_report._dmarc NS ns.example.net.\" ]\n",
		"    record: [ \"_dmarc DNAME d.example.net.\" ]\n",
		"  - id: _dmarc.cut.example\n    policy: bare\n",
	};
	for (size_t i = 0; i < COUNT(cuts); i++) {
		char text[512];
		fixture_t f;
		mail_lf_storage_t key;
		mail_link_t link;
		(void)snprintf(text, sizeof(text),
		               "domain:\n  - id: cut.example\n    policy: bare\n%s", cuts[i]);
		begin(&f, "bare.example", NOW);
		CU_ASSERT_FATAL(array_put(&f.array, text));
		mail_cache_sync(f.cache, 1, f.array.txnid);
		mail_cache_hold(f.cache);
		(void)name_of("@", "cut.example", &key);
		CU_ASSERT_EQUAL_FATAL(mail_name_parse(MAIL_STR("cut.example"), f.name, NULL),
		                      KNOT_EOK);
		CU_ASSERT_EQUAL_FATAL(mail_view_open(&f.view, f.name, mail_lf(&key)), KNOT_EOK);
		const char *cut = i == 1 ? "_report._dmarc" : "_dmarc";
		CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
		CU_ASSERT(name_is(link.next, cut, "cut.example"));
		(void)name_of(cut, "cut.example", &key);
		CU_ASSERT_EQUAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
		CU_ASSERT(name_is(link.next, "@", "cut.example"));
		(void)name_of("x", "cut.example", &key);
		CU_ASSERT_EQUAL(mail_chain_cover(&f.view, mail_lf(&key), false, &link), KNOT_EOK);
		CU_ASSERT(name_is(link.owner, cut, "cut.example"));
		CU_ASSERT(name_is(link.next, "@", "cut.example"));
		end(&f);
	}
}

/* Of a child that nobody can read nobody may say that it is not signed. */
static void test_child_unknown(void)
{
	static const char *const children[] = { "lost", "gone", "damaged", "open" };
	fixture_t f;
	begin(&f, "bare.example", NOW);
	CU_ASSERT_FATAL(array_put(&f.array,
	                          "domain:\n"
	                          "  - id: lost.bare.example\n    policy: nope\n"
	                          "  - id: gone.bare.example\n    policy: bare\n    key-set: nope\n"
	                          "  - id: damaged.bare.example\n    policy: bare\n"
	                          "  - id: open.bare.example\n    policy: bare\n"));
	array_damage(&f.array, MAIL_SECTION_DOMAIN, "damaged.bare.example");
	mail_cache_sync(f.cache, 1, f.array.txnid);
	mail_cache_hold(f.cache);
	mail_lf_storage_t apex;
	CU_ASSERT_EQUAL_FATAL(mail_view_open(&f.view, f.name, name_of("@", "bare.example", &apex)),
	                      KNOT_EOK);
	for (size_t i = 0; i < COUNT(children); i++) {
		const bool open = i == 3;
		mail_lf_storage_t key;
		mail_link_t link;
		mail_ds_t ds;
		knot_rrset_t nsec;
		uint32_t ttl;
		(void)name_of(children[i], "bare.example", &key);
		CU_ASSERT_EQUAL_FATAL(mail_chain_match(&f.view, mail_lf(&key), &link), KNOT_EOK);
		int ret = mail_view_child_ds(&f.view, link.owner, mail_lf(&key), NULL, &ds);
		UNIT_CHECK(ret == (open ? KNOT_ENOENT : KNOT_EMALF), "%s: %d", children[i], ret);
		CU_ASSERT_EQUAL_FATAL(mail_view_nsec(&f.view, &link, NULL, &nsec, &ttl), KNOT_EOK);
		const size_t next_len = knot_dname_size(link.next);
		CU_ASSERT_EQUAL_FATAL(nsec.rrs.rdata->len, next_len + 2 + 6);
		/* NS is 2, DS 43, RRSIG 46, NSEC 47. */
		const uint8_t *bits = nsec.rrs.rdata->data + next_len + 2;
		CU_ASSERT_EQUAL(bits[0], 0x80 >> 2);
		CU_ASSERT_EQUAL(bits[5], (open ? 0 : 0x80 >> 3) | 0x80 >> 6 | 0x80 >> 7);
		knot_rdataset_clear(&nsec.rrs, NULL);
	}
	end(&f);
}

static const unit_test_t tests[] = {
	{ "links of owners", test_match },    { "links that cover", test_cover },
	{ "below _report._dmarc", test_gap }, { "what is ahead", test_until },
	{ "nothing but an apex", test_bare }, { "tombstones", test_tombstones },
	{ "a cut at _dmarc", test_gap_cut },  { "a child that cannot be read", test_child_unknown },
	{ "a damaged key", test_damaged },    { NULL, NULL }
};

int main(void)
{
	return unit_run("chain", tests);
}
