/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NSEC chain: neighbours as they are computed for a question, compared with a sorted list of the owners that
 * is written down here by hand.
 */

#include "mail/cache.h"
#include "view/chain.h"
#include "view/sign.h"
#include "lib/entries.h"
#include "lib/viewed.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const char stored[] =
	"host m| name: m| address: 192.0.2.1\n"
	"host far| name: 'far.b.example.org.'| address: 192.0.2.9\n"
	"policy p| ns: 'ns.example.net.'| mx: '10 m'| host: [ m, far ]"
	"| tls-rpt: 'mailto:t@{domain}'\n"
	"policy bare| ns: 'ns.example.net.'| dmarc: none| spf-all: none\n"
	"dkim policy:p/pk| key: '" KEY1 "'\ndkim example.org/a| key: '" KEY1 "'\n"
	"dkim example.org/soon| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'\n"
	"dkim example.org/z.y| key: '" KEY1 "'\n"
	"dkim example.org/gone| key: '" KEY1 "'| remove: '2027-01-15T07:00:00Z'\n"
	"domain example.org| policy: p"
	"| record: [ 'www A 192.0.2.1', 'x.y.ent A 192.0.2.2', '*.w A 192.0.2.3', "
	"'old DNAME q.example.', 'below.old A 192.0.2.4', 'glue.sub A 192.0.2.5', "
	"'zz A 192.0.2.6', 'in.kid A 192.0.2.7' ]| delegation: [ 'sub NS ns.example.net.' ]\n"
	"domain kid.example.org| policy: bare\n"
	"domain under.kid.example.org| policy: bare\n"
	"domain deep.er.example.org| policy: bare\ndomain bare.example| policy: bare\n"
	"domain com.example| policy: bare";

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

/*! A name relative to the domain, in presentation format. */
static mail_lf_t name_of(const viewed_t *f, const char *relative, mail_lf_storage_t *lf)
{
	char text[2 * KNOT_DNAME_TXT_MAXLEN], domain[KNOT_DNAME_TXT_MAXLEN + 1];
	knot_dname_storage_t name;
	(void)knot_dname_to_str(domain, f->name, sizeof(domain));
	(void)snprintf(text, sizeof(text), "%s%s%s", strcmp(relative, "@") == 0 ? "" : relative,
	               strcmp(relative, "@") == 0 ? "" : ".", domain);
	REQUIRE(knot_dname_from_str(name, text, sizeof(name)) != NULL);
	mail_name_lf(name, lf);
	return mail_lf(lf);
}

static bool name_is(const viewed_t *f, const knot_dname_t *name, const char *relative)
{
	mail_lf_storage_t a, b;
	mail_name_lf(name, &a);
	return mail_lf_equal(mail_lf(&a), name_of(f, relative, &b));
}

/*! What is looked for: the link of an owner, the one that covers a name, the one that covers what is below it. */
enum { MATCH, COVER, BELOW, FLEETING = 4 };

/*! Assert that a link leads from an owner to the next; FLEETING: that it was made for the question alone. */
static void check_link(const viewed_t *f, int how, const char *name, const char *owner,
                       const char *next)
{
	mail_lf_storage_t key;
	mail_link_t link = { 0 };
	const mail_lf_t lf = name_of(f, name, &key);
	const int which = how & ~FLEETING;
	int ret = which == MATCH ? mail_chain_match(&f->view, lf, &link)
	                         : mail_chain_cover(&f->view, lf, which == BELOW, &link);
	if (CHECK(ret == KNOT_EOK, "%s: %d", name, ret)) {
		CHECK(name_is(f, link.owner, owner), "%s: not from %s", name, owner);
		CHECK(name_is(f, link.next, next), "%s: not to %s", name, next);
		CHECK(link.fleeting == ((how & FLEETING) != 0), "%s", name);
	}
}

/*! What follows an owner in the chain. */
static const char *next_of(size_t i)
{
	return i == 1 ? "\\000._report._dmarc" : owners[(i + 1) % COUNT(owners)];
}

static void test_match(void)
{
	viewed_t f;
	viewed_begin(&f, stored, "example.org", NOW);
	for (size_t i = 0; i < COUNT(owners); i++) {
		if (i != 2) { /* No question leads there. */
			check_link(&f, MATCH, owners[i], owners[i], next_of(i));
		}
	}
	viewed_end(&f);
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
	viewed_t f;
	viewed_begin(&f, stored, "example.org", NOW);
	EACH(c, cases) {
		check_link(&f, c->below ? BELOW : COVER, c->name, owners[c->owner],
		           next_of(c->owner));
	}
	viewed_end(&f);
}

/* Below _report._dmarc every name is denied for itself. */
static void test_gap(void)
{
	static const char name[] = "com._report._dmarc", first[] = "\\000.com._report._dmarc";
	static const char before[] = "col\\255._report._dmarc";
	viewed_t f;
	viewed_begin(&f, stored, "example.org", NOW);
	check_link(&f, COVER | FLEETING, name, before, "com\\000._report._dmarc");
	check_link(&f, BELOW | FLEETING, name, before, first);
	check_link(&f, MATCH | FLEETING, name, name, first);
	viewed_end(&f);
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
	viewed_t f;
	viewed_begin(&f, stored, "example.org", NOW);
	EACH(c, cases) {
		mail_lf_storage_t key;
		mail_link_t link;
		CHECK_OK(mail_chain_cover(&f.view, name_of(&f, c->name, &key), false, &link));
		CHECK_INT(link.until, c->until == INT64_MAX ? INT64_MAX : NOW + c->until);
	}
	viewed_end(&f);
	viewed_begin(&f, stored, "example.org", NOW + 600);
	check_link(&f, COVER, "t._domainkey", "soon._domainkey", "z.y._domainkey");
	viewed_end(&f);
}

/* A domain with nothing but its apex (and the gap). */
static void test_bare(void)
{
	viewed_t f;
	viewed_begin(&f, stored, "bare.example", NOW);
	check_link(&f, MATCH, "@", "@", "\\000._report._dmarc");
	check_link(&f, COVER, "x", "\\255._report._dmarc", "@");
	viewed_end(&f);
}

/* More deleted domains behind a name than a question passes: the link says nothing but that. */
static void test_tombstones(void)
{
	static const char *const gone[] = { "domain n1.example.org", "domain n2.example.org",
		                            "domain n3.example.org" };
	viewed_t f;
	viewed_begin(&f, stored, "example.org", NOW);
	EACH(c, gone) {
		array_del(&f.array, *c);
	}
	for (f.array.source.limit = 2; f.array.source.limit < 5; f.array.source.limit += 2) {
		const bool over = f.array.source.limit == 2;
		check_link(&f, MATCH, "m", "m", over ? "\\000.m" : "old");
		check_link(&f, COVER | (over ? FLEETING : 0), "n0", over ? "n/\\255" : "m",
		           over ? "n0\\000" : "old");
	}
	viewed_end(&f);

	/* Those beside a domain are not its business, on either side. */
	static const char *const beside[] = { "domain bare0.example", "domain bare1.example",
		                              "domain a.b.example", "domain c.b.example" };
	viewed_begin(&f, stored, "bare.example", NOW);
	EACH(c, beside) {
		array_del(&f.array, *c);
	}
	f.array.source.limit = 1;
	check_link(&f, MATCH, "@", "@", "\\000._report._dmarc");
	check_link(&f, COVER, "x", "\\255._report._dmarc", "@");
	viewed_end(&f);
}

/* Beside a key that cannot be read, names are denied one by one. */
static void test_damaged(void)
{
	viewed_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	viewed_begin(&f, stored, "example.org", NOW);
	array_damage(&f.array, "dkim example.org/a");
	check_link(&f, COVER | FLEETING, "b._domainkey", "a\\255._domainkey", "b\\000._domainkey");
	/* It is not denied itself. */
	check_link(&f, COVER, "0._domainkey", "\\255._report._dmarc", "a._domainkey");
	CHECK_INT(mail_chain_match(&f.view, name_of(&f, "a._domainkey", &key), &link), KNOT_EMALF);
	viewed_end(&f);
}

/*! Assert which types the NSEC of a name has, of which no window but 0 and 1 has any. */
static void check_types(viewed_t *f, const char *name, const uint16_t *types, size_t count)
{
	mail_lf_storage_t key;
	mail_link_t link;
	knot_rrset_t nsec;
	uint32_t ttl;
	uint8_t expected[MAIL_NSEC_RDATA_MAX];
	CHECK_OK(mail_chain_match(&f->view, name_of(f, name, &key), &link));
	REQUIRE(mail_view_nsec(&f->view, &link, NULL, &nsec, &ttl) == KNOT_EOK);
	const size_t len = mail_nsec_rdata(link.next, types, count, expected);
	CHECK(nsec.rrs.rdata->len == len && memcmp(nsec.rrs.rdata->data, expected, len) == 0, "%s",
	      name);
	knot_rdataset_clear(&nsec.rrs, NULL);
}

/*! Write other octets of the same length over some of a value. */
static void damage(mail_buf_t *value, const char *good, const char *bad)
{
	uint8_t *at = memmem(value->data, value->len, good, strlen(good));
	REQUIRE(at != NULL, "%s", good);
	memcpy(at, bad, strlen(bad));
}

/*
 * Beside values that cannot be made, names are denied one by one, and no type is denied that such a value has. The owner of
 * such a value itself is not denied at all.
 */
static void test_bad_values(void)
{
	static const uint16_t apex[] = { KNOT_RRTYPE_NS,  KNOT_RRTYPE_SOA,   KNOT_RRTYPE_MX,
		                         KNOT_RRTYPE_TXT, KNOT_RRTYPE_RRSIG, KNOT_RRTYPE_NSEC,
		                         KNOT_RRTYPE_CAA };
	static const uint16_t www[] = { KNOT_RRTYPE_A, KNOT_RRTYPE_RRSIG, KNOT_RRTYPE_NSEC };
	static const uint16_t asked[] = { KNOT_RRTYPE_A, KNOT_RRTYPE_MX, KNOT_RRTYPE_AAAA };
	viewed_t f;
	mail_lf_storage_t key;
	mail_link_t link;
	mail_entries_t entries = { 0 };
	mail_buf_t value = { 0 };
	viewed_begin(&f, stored, "example.org", NOW);
	REQUIRE(entries_parse(
			"domain bad.example| policy: bare| mx: '5 mx.example.'| caa: '0 issue ca'"
			"| srv: 'imaps 0 1 993 mx'| spf: 'ip4:192.0.2.0/24'| record: 'www A 192.0.2.1'",
			&entries) == KNOT_EOK);
	CHECK_OK(mail_codec_encode(entries.entries[0], &value));
	damage(&value, "issue", "is-ue");
	damage(&value, "993", "99x");
	damage(&value, "0/24", "0/2x");
	array_octets(&f.array, "domain bad.example", value.data, value.len);
	viewed_put(&f, NULL);
	EACH(type, asked) {
		REQUIRE(viewed_open(&f, "bad.example") == KNOT_EOK);
		f.view.type = *type;
		check_link(&f, MATCH, "@", "@", "\\000");
		check_types(&f, "@", apex, COUNT(apex));
		check_link(&f, MATCH, "www", "www", "\\000.www");
		check_types(&f, "www", www, COUNT(www));
		check_link(&f, COVER | FLEETING, "x", "w\\255", "x\\000");
		check_link(&f, COVER | FLEETING, "_imap._tcp", "_imao\\255._tcp",
		           "_imap\\000._tcp");
		check_link(&f, BELOW | FLEETING, "_tcp", "_tco\\255", "\\000._tcp");
		CHECK(mail_chain_match(&f.view, name_of(&f, "_imaps._tcp", &key), &link) !=
		              KNOT_EOK,
		      "_imaps");
	}
	mail_buf_free(&value);
	mail_entries_free(&entries);
	viewed_end(&f);
}

/* What lies below a cut is not the domain's: no end of the gap either. */
static void test_gap_cut(void)
{
	static const char *const cuts[] = {
		"| delegation: [ '_dmarc NS ns.example.net.' ]",
		"| delegation: [ '_report._dmarc NS ns.example.net.' ]",
		"| record: [ '_dmarc DNAME d.example.net.' ]",
		"\ndomain _dmarc.cut.example| policy: bare",
	};
	EACH(c, cuts) {
		char text[512];
		viewed_t f;
		const char *cut = c - cuts == 1 ? "_report._dmarc" : "_dmarc";
		(void)snprintf(text, sizeof(text), "domain cut.example| policy: bare%s", *c);
		viewed_begin(&f, stored, "bare.example", NOW);
		viewed_put(&f, text);
		REQUIRE(viewed_open(&f, "cut.example") == KNOT_EOK);
		check_link(&f, MATCH, "@", "@", cut);
		check_link(&f, MATCH, cut, cut, "@");
		check_link(&f, COVER, "x", cut, "@");
		viewed_end(&f);
	}
}

/* Of a child that nobody can read nobody may say that it is not signed. */
static void test_child_unknown(void)
{
	static const char *const children[] = { "lost", "gone", "damaged", "open" };
	viewed_t f;
	viewed_begin(&f, stored, "bare.example", NOW);
	REQUIRE(array_put(&f.array, "domain lost.bare.example| policy: nope\n"
	                            "domain gone.bare.example| policy: bare| key-set: nope\n"
	                            "domain damaged.bare.example| policy: bare\n"
	                            "domain open.bare.example| policy: bare"));
	array_damage(&f.array, "domain damaged.bare.example");
	viewed_put(&f, NULL);
	mail_lf_storage_t key;
	REQUIRE(viewed_open(&f, "bare.example") == KNOT_EOK);
	EACH(c, children) {
		const bool open = c - children == 3;
		mail_link_t link;
		mail_ds_t ds;
		knot_rrset_t nsec;
		uint32_t ttl;
		const mail_lf_t lf = name_of(&f, *c, &key);
		REQUIRE(mail_chain_match(&f.view, lf, &link) == KNOT_EOK);
		int ret = mail_view_child_ds(&f.view, link.owner, lf, NULL, &ds);
		CHECK(ret == (open ? KNOT_ENOENT : KNOT_EMALF), "%s: %d", *c, ret);
		REQUIRE(mail_view_nsec(&f.view, &link, NULL, &nsec, &ttl) == KNOT_EOK);
		const size_t next_len = knot_dname_size(link.next);
		REQUIRE(nsec.rrs.rdata->len == next_len + 2 + 6);
		/* NS is 2, DS 43, RRSIG 46, NSEC 47. */
		const uint8_t *bits = nsec.rrs.rdata->data + next_len + 2;
		CHECK_INT(bits[0], 0x80 >> 2);
		CHECK_INT(bits[5], (open ? 0 : 0x80 >> 3) | 0x80 >> 6 | 0x80 >> 7);
		knot_rdataset_clear(&nsec.rrs, NULL);
	}
	viewed_end(&f);
}

UNIT_MAIN("chain", TEST("links of owners", test_match), TEST("links that cover", test_cover),
          TEST("below _report._dmarc", test_gap), TEST("what is ahead", test_until),
          TEST("nothing but an apex", test_bare), TEST("tombstones", test_tombstones),
          TEST("a cut at _dmarc", test_gap_cut),
          TEST("a child that cannot be read", test_child_unknown),
          TEST("a damaged key", test_damaged), TEST("bad values", test_bad_values))
