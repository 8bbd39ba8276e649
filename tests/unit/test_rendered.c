/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers that are kept with a plan are octet for octet those that are made anew, whatever the domain: and so is all that
 * the packet tells of them.
 */

#include "lib/asked.h"
#include "lib/failing.h"

#define ZSK "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define ZSK_PRIVATE                                                                                \
	"Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n"                                      \
	"PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n"
#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define X60 "x23456789012345678901234567890123456789012345678901234567890"
#define X63 X60 "123"

static const char stored[] =
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]"
	"| tlsa: '3 1 1 064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c'\n"
	"host out| name: 'out.provider.net.'| address: 192.0.2.26\n"
	"host ns1| name: ns1| address: 192.0.2.53\n"
	"policy bench| host: mail| ns: 'ns1.provider.net.'| mx: '10 mail'| spf: mx"
	"| dmarc: [ 'p=reject', 'rua=mailto:postmaster@{domain}' ]| mta-sts: enforce"
	"| mta-sts-host: mail| tls-rpt: 'mailto:postmaster@{domain}'| srv: [ imaps, submissions ]"
	"| autoconfig: mail| autodiscover: mail\n"
	"dkim policy:bench/s1| key: '" KEY1 "'\n"
	"policy mixed| host: [ mail, ns1, out ]| ns: [ 'ns2.provider.net.', ns1 ]"
	"| mx: [ '10 mail', '10 mx.provider.net.', '20 out.provider.net.', '30 {domain}.relay.test.' ]"
	"| caa: [ '0 issue \\'ca.example\\'', '128 iodef \\'mailto:c@{domain}\\'' ]"
	"| spf: [ 'include:_spf.provider.net', 'exists:%{i}.{domain}' ]| txt: [ 'a={domain}', 'z' ]"
	"| dmarc: 'p=none'\n"
	"policy ordered| ns: [ a, b, 'c.example.' ]| mx: [ '10 a', '10 b', '20 c.example.' ]"
	"| spf: mx| dmarc: 'p=none'| record: [ 'a A 192.0.2.1', 'b AAAA 2001:db8::1', 'www CNAME a', "
	"'w2 CNAME www', 'gone CNAME nope', 'away CNAME x.example.', '* A 192.0.2.9', "
	"'*.w MX 5 a', 'e.n.t TXT \\'t\\'', 'sub.a HTTPS 1 . alpn=h2', '_x._domainkey CNAME k._domainkey', "
	"'far TXT \\'" X60 X60 X60 X60 X60 X60 "\\'' ]\n"
	"domain cut0.test| policy: bench| delegation: 'sub NS ns.sub'| record: [ 'ns.sub A 192.0.2.3', "
	"'old DNAME new' ]\n"
	"policy later| base: bench| dmarc: 'p=none'| dmarc-ramp: '2027-01-15T10:00:00Z p=reject'\n"
	"domain a.test| policy: bench\ndomain b.test| policy: bench\n"
	"domain long-label-of-a-customer.co.test| policy: bench\n"
	"domain net| policy: bench\ndomain provider.net| policy: bench\n"
	"domain c.net| policy: bench\ndomain xprovider.net| policy: bench\n"
	"domain deep.ns1.provider.net| policy: bench\n"
	"domain t| policy: bench\n"
	"domain " X63 "." X63 "." X63 ".test| policy: bench\n"
	"domain " X63 "." X63 "." X60 ".x| policy: bench\n"
	"domain key.test| policy: bench\ndkim key.test/own| key: '" KEY1 "'\n"
	"domain key2.test| policy: bench\ndkim key2.test/s1| key: '" KEY1 "'\n"
	"domain above.test| policy: bench\ndomain mail.above.test| policy: bench\n"
	"domain one.test| alias: a.test\ndomain two.test| alias: a.test\n"
	"domain own.test| policy: bench| txt: own\n"
	"domain m1.test| policy: mixed\ndomain m22.test| policy: mixed\ndomain mm.net| policy: mixed\n"
	"domain out.provider.net| policy: mixed\ndomain zz.provider.net| policy: mixed\n"
	"domain relay.test| policy: mixed\n"
	"domain o1.test| policy: ordered\ndomain o22.test| policy: ordered\n"
	"domain o.example| policy: ordered\ndomain x.example| policy: ordered\n"
	"domain c.example| policy: ordered\ndomain k.o22.test| policy: ordered\n"
	"domain w.kin.test| policy: ordered\ndomain kin.test| policy: ordered\n"
	"domain cut1.test| alias: cut0.test\ndomain cut22.test| alias: cut0.test\n"
	"domain l1.test| policy: later\ndomain l22.test| policy: later\n"
	"domain nohost.test| policy: gone\n"
	/* What a domain sets itself. */
	"domain r1.test| policy: bench| record: [ '@ A 192.0.2.80', 'www A 192.0.2.80' ]| txt: v\n"
	"domain r2.test| policy: bench| record: [ 'mail AAAA 2001:db8::2', '* A 192.0.2.9', "
	"'_dmarc A 192.0.2.7', 'x.y A 192.0.2.8', 'y._domainkey TXT \\'k\\'' ]\n"
	"domain r3.test| policy: bench| dmarc: 'pct=50'\ndomain r4.test| policy: bench| ttl: 60\n"
	"domain r5.test| policy: bench| no-mail: on\n"
	"domain r6.test| policy: bench| mx: '5 mx.out.test.'| spf: 'ip4:192.0.2.0/24'\n"
	"domain r7.test| policy: bench| host: out\ndomain r8.test| policy: ordered| srv: imaps\n"
	"domain r9.test| policy: ordered| record: [ 'www A 192.0.2.4', 'nope CNAME a', 'n A 192.0.2.5' ]\n"
	"domain r10.test| policy: bench| mta-sts: none| record: 'autodiscover CNAME x.out.test.'\n"
	"domain r11.test| policy: bench| ns: [ 'ns.out.test.', mail ]\n"
	"domain r12.test| policy: bench| record-add: 'www TYPE65280 \\# 1 00'\n"
	"policy lost| ns: 'ns.provider.org.'| mx: '10 mx.nowhere'| spf: none| dmarc: 'p=none'\n"
	"domain n1.test| policy: lost\ndomain n2.test| policy: lost\ndomain n3.test| policy: lost\n"
	"domain n4.test| policy: lost| record: '* A 192.0.2.9'\n"
	"domain n5.test| policy: lost| record: 'x.mx.nowhere A 192.0.2.9'\n"
	"domain n6.test| policy: lost| record: '*.nowhere AAAA 2001:db8::9'\n"
	"domain n7.test| policy: lost| record: 'nowhere A 192.0.2.1'\n"
	"key-set k| key: '3613 ed25519 csk " ZSK "'\n"
	"policy signed| base: bench| key-set: k| record: '*.w A 192.0.2.9'\n"
	"domain s1.test| policy: signed\ndomain s22.test| policy: signed\n"
	"domain s3.co.test| policy: signed\ndomain s4.net| policy: mixed| key-set: k\n"
	"domain s5.test| policy: signed| record: 'www A 192.0.2.80'| txt: v\n"
	"domain s6.test| policy: mixed| key-set: k\ndomain s7.test| alias: s1.test\n"
	"domain s8.test| policy: signed| ttl: 60| record: [ '* A 192.0.2.1', 'b.a CNAME www' ]\n"
	"domain s9.test| policy: signed| mx: '5 mx'| record: [ 'mx A 192.0.2.8', 'x.y MX 1 mx' ]\n"
	"domain b.s9.test| policy: signed\ndkim s9.test/own| key: '" KEY1 "'\n"
	"domain s10.test| policy: signed| delegation: 'sub NS ns.sub'| record: 'ns.sub A 192.0.2.3'"
	"| dmarc: 'p=none'| txt-add: [ a, b ]\n"
	"domain s11.test| alias: s10.test\n"
	"domain r13.test| alias: r1.test\ndomain r14.test| alias: r6.test\n"
	/* A policy whose domains all have something of their own. */
	"policy customers| base: bench\n"
	"domain c1.test| policy: customers| record: [ '@ A 192.0.2.80', 'www A 192.0.2.80' ]| txt: v\n"
	"domain c2.test| policy: customers| record: 'www A 192.0.2.81'| txt: w\n"
	"domain c3.test| policy: customers| record: [ '@ A 192.0.2.80', 'www A 192.0.2.80' ]| txt: v\n";

static const char *const domains[] = {
	"a.test",     "b.test",        "long-label-of-a-customer.co.test",
	"net",        "provider.net",  "c.net",
	"t",          "xprovider.net", "deep.ns1.provider.net",
	"key.test",   "key2.test",     "above.test",
	"one.test",   "two.test",      "own.test",
	"m1.test",    "m22.test",      "mm.net",
	"relay.test", "o1.test",       "out.provider.net",
	"o22.test",   "o.example",     "zz.provider.net",
	"x.example",  "c.example",     "k.o22.test",
	"kin.test",   "cut1.test",     "w.kin.test",
	"cut22.test", "l1.test",       "mail.above.test",
	"l22.test",   "nohost.test",   X63 "." X63 "." X63 ".test",
	"b.test",     "a.test",        X63 "." X63 "." X60 ".x",
	"r1.test",    "r2.test",       "r3.test",
	"r4.test",    "r5.test",       "r6.test",
	"r7.test",    "r8.test",       "r9.test",
	"r10.test",   "r11.test",      "r12.test",
	"r13.test",   "r14.test",      "c1.test",
	"n1.test",    "n2.test",       "n3.test",
	"n4.test",    "n5.test",       "n6.test",
	"n7.test",    "c2.test",       "c3.test",
};

/* Names of the policies' records, and others; empty: the domain. */
static const char *const owners[] = {
	"",
	"mail.",
	"_dmarc.",
	"s1._domainkey.",
	"own._domainkey.",
	"_domainkey.",
	"_mta-sts.",
	"mta-sts.",
	"_25._tcp.mail.",
	"_tcp.mail.",
	"autoconfig.",
	"autodiscover.",
	"_smtp._tls.",
	"_imaps._tcp.",
	"_submissions._tcp.",
	"_tcp.",
	"ns1.",
	"www.",
	"w2.",
	"gone.",
	"away.",
	"a.",
	"b.",
	"x.w.",
	"w.",
	"n.t.",
	"e.n.t.",
	"sub.a.",
	"_x._domainkey.",
	"nowhere.",
	"mx.nowhere.",
	"far.",
	"nope.",
	"x.y.",
	"sub.",
	"x.sub.",
	"ns.sub.",
	"x.old.",
	"new.",
	"_report._dmarc.",
	"x._report._dmarc.",
	"test._report._dmarc.",
	"x._dmarc.",
	"MAIL.",
	"_DmArC.",
};
static const char *const types[] = {
	"A",    "AAAA", "MX",    "TXT", "NS",     "SOA", "CNAME",     "SRV",
	"TLSA", "CAA",  "HTTPS", "DS",  "DNSKEY", "ANY", "TYPE65280",
};

typedef struct {
	served_t served;
	size_t asked, kept;
	bool back; /* The last domain first. */
} fixture_t;

static bool same_rrset(const knot_rrset_t *a, const knot_rrset_t *b)
{
	return knot_dname_is_equal(a->owner, b->owner) && a->ttl == b->ttl && a->type == b->type &&
	       a->rclass == b->rclass && a->rrs.count == b->rrs.count &&
	       a->rrs.size == b->rrs.size && memcmp(a->rrs.rdata, b->rrs.rdata, a->rrs.size) == 0;
}

/* RDATA of an odd length is followed by an octet that nobody sets. */
static void clear_padding(const knot_rrset_t *rrset)
{
	knot_rdata_t *rdata = rrset->rrs.rdata;
	for (uint16_t i = 0; i < rrset->rrs.count; i++) {
		if (rdata->len % 2 == 1) {
			rdata->data[rdata->len] = 0;
		}
		rdata = knot_rdataset_next(rdata);
	}
}

/* Return what two packets differ in, or NULL. */
static const char *difference(const asked_t *a, const asked_t *b)
{
	const knot_pkt_t *one = a->pkt, *other = b->pkt;
	if (a->reply.outcome != b->reply.outcome || a->reply.kind != b->reply.kind ||
	    a->reply.rcode != b->reply.rcode) {
		return "reply";
	}
	if (a->reply.outcome <= MAIL_OUTCOME_NONE || a->reply.outcome == MAIL_OUTCOME_FAILED) {
		return NULL;
	}
	if (one->size != other->size || memcmp(one->wire, other->wire, one->size) != 0) {
		return "wire";
	}
	if (one->rrset_count != other->rrset_count || one->current != other->current ||
	    one->rrset_allocd < one->rrset_count) {
		return "state";
	}
	for (unsigned s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
		const knot_pktsection_t *section = knot_pkt_section(one, s);
		if (section->pkt != (other->sections[s].pkt != NULL ? one : NULL) ||
		    section->pos != other->sections[s].pos ||
		    section->count != other->sections[s].count) {
			return "section";
		}
	}
	for (uint16_t i = 0; i < one->rrset_count; i++) {
		clear_padding(&one->rr[i]);
		clear_padding(&other->rr[i]);
		if (!same_rrset(&one->rr[i], &other->rr[i])) {
			return "RRset";
		}
		if (one->rr_info[i].pos != other->rr_info[i].pos) {
			return "place";
		}
	}
	return NULL;
}

/* Ask with the cache, and with one that has no answer. */
static void ask_both(fixture_t *f, mail_cache_t *none, const char *question)
{
	asked_t *known = &f->served.asked, anew = *known;
	anew.cache = none;
	CHECK_OK(asked_begin(known, question));
	CHECK_OK(asked_begin(&anew, question));
	const char *differs = difference(known, &anew);
	CHECK(!anew.reply.kept && differs == NULL, "%s, %zu octets%s: %s", question, known->size,
	      known->reply.kept ? ", kept" : "", differs);
	f->asked++;
	f->kept += known->reply.kept;
	asked_end(known);
	asked_end(&anew);
}

static mail_cache_t *none_new(const fixture_t *f)
{
	mail_cache_t *none = mail_cache_new(16);
	REQUIRE(none != NULL);
	mail_cache_sync(none, 1, f->served.array.txnid);
	return none;
}

static void ask(fixture_t *f, const char *question)
{
	mail_cache_t *none = none_new(f);
	ask_both(f, none, question);
	mail_cache_free(none);
}

/*
 * Ask all domains for a name and all types.  Each is asked for once, so a cache for each domain that is new for each name
 * has the plan, and no answer to give.
 */
static void ask_all(fixture_t *f, const char *owner)
{
	mail_cache_t *none[COUNT(domains)];
	for (size_t d = 0; d < COUNT(domains); d++) {
		none[d] = none_new(f);
	}
	for (size_t i = 0; i < COUNT(types) * COUNT(domains); i++) {
		const size_t d = i % COUNT(domains), at = f->back ? COUNT(domains) - 1 - d : d;
		char question[400];
		(void)snprintf(question, sizeof(question), "%s%s. %s", owner, domains[at],
		               types[i / COUNT(domains)]);
		if (strlen(owner) + strlen(domains[at]) < 250) {
			ask_both(f, none[at], question);
		}
	}
	for (size_t d = 0; d < COUNT(domains); d++) {
		mail_cache_free(none[d]);
	}
}

static void begin(fixture_t *f)
{
	*f = (fixture_t){ .asked = 0 };
	served_begin(&f->served, stored);
}

static void test_all(void)
{
	static const size_t sizes[] = { 4096, 512, 290 };
	fixture_t f;
	begin(&f);
	EACH(size, sizes) {
		f.served.asked.size = *size;
		f.served.asked.tcp = *size == 4096;
		/* Those that have something of their own come first, too. */
		f.back = *size == 512;
		EACH(owner, owners) {
			ask_all(&f, *owner);
		}
	}
	/* Most of it is asked for in vain, or asked for once in a domain that is like no other. */
	CHECK(f.kept > f.asked / 4, "%zu of %zu", f.kept, f.asked);
	served_end(&f.served);
}

static const char *const kinds[] = {
	"%s MX",
	"%s TXT",
	"%s A",
	"%s SOA",
	"%s NS",
	"mail.%s A",
	"_dmarc.%s TXT",
	"_mta-sts.%s TXT",
	"s1._domainkey.%s TXT",
	"www.%s A",
	"_imaps._tcp.%s SRV",
	"default._domainkey.%s TXT",
	"_tcp.%s SRV",
	"autodiscover.%s A",
	"_25._tcp.mail.%s TLSA",
};

/*
 * All is kept from the third question on, whichever domains they are for; but for a domain with something of its own, not
 * what that may change.
 */
static void test_kept(void)
{
	static const struct {
		const char *domain;
		const char *unlike; /* A letter for each kind: x is not kept. */
	} asked_for[] = {
		{ "a.test", "xxxxxxxxxxxxxxx" },
		{ "b.test", "xxxxxxxxxxxxxxx" },
		{ "long-label-of-a-customer.co.test", "" },
		{ "a.test", "" },
		{ "t", "" },
		/* What is in other names, too. */
		{ "deep.ns1.provider.net", "..xxx....x.xx.." },
		/* Own DKIM keys. */
		{ "key.test", "........x..x" },
		/* Own records. */
		{ "own.test", ".x............." },
		{ "r1.test", ".xx......x....." },
		{ "r2.test", "x........xxxxx." },
		/* Own values. */
		{ "r3.test", "......x" },
		{ "r4.test", "xxxxxxxxxxxxxxx" },
		{ "r7.test", "xxxxxxxxxxxxxxx" },
		{ "r13.test", "" },
		/* What none of them changes is kept, too. */
		{ "c1.test", "xxxxxxxxxxxxxxx" },
		{ "c2.test", "xxxxxxxxxxxxxxx" },
		{ "c3.test", ".xx......x....." },
	};
	fixture_t f;
	begin(&f);
	EACH(c, asked_for) {
		for (size_t k = 0; k < COUNT(kinds); k++) {
			char question[400];
			(void)snprintf(question, sizeof(question), kinds[k], c->domain);
			const size_t before = f.kept;
			ask(&f, question);
			const bool kept = k >= strlen(c->unlike) || c->unlike[k] != 'x';
			CHECK((f.kept > before) == kept, "%s: %s", question,
			      kept ? "not kept" : "kept");
		}
	}
	served_end(&f.served);
}

/* Make a ring with the private key of the key set. */
static mail_keyring_t *ring_make(void)
{
	mail_private_t *private = NULL;
	mail_keyring_t *ring = mail_keyring_new();
	REQUIRE(ring != NULL &&
	        mail_private_read(MAIL_STR(ZSK_PRIVATE), &private, NULL) == KNOT_EOK &&
	        mail_keyring_add(ring, private) == KNOT_EOK);
	mail_private_free(private);
	return ring;
}

/* Signed: the signatures are those of the domain, and Ed25519 makes the same each time. */
static void test_signed(void)
{
	static const char *const signed_domains[] = { "s1.test",   "s22.test", "s3.co.test",
		                                      "s4.net",    "s5.test",  "s6.test",
		                                      "s7.test",   "s8.test",  "s9.test",
		                                      "b.s9.test", "s10.test", "s11.test" };
	static const size_t sizes[] = { 4096, 600, 350 };
	fixture_t f;
	begin(&f);
	mail_keyring_t *ring = ring_make();
	asked_t *asked = &f.served.asked;
	asked->signer = mail_signer_new(ring, NULL, 0);
	REQUIRE(asked->signer != NULL);
	EACH(size, sizes) {
		asked->size = *size;
		for (size_t i = 0; i < COUNT(owners) * COUNT(types) * COUNT(signed_domains) * 2;
		     i++) {
			const size_t d = i / 2 % COUNT(signed_domains);
			const size_t t = i / 2 / COUNT(signed_domains) % COUNT(types);
			const size_t o = i / 2 / COUNT(signed_domains) / COUNT(types);
			char question[400];
			(void)snprintf(question, sizeof(question), "%s%s. %s", owners[o],
			               signed_domains[d], types[t]);
			asked->dnssec = i % 2 == 0;
			ask(&f, question);
		}
	}
	CHECK(f.kept > f.asked / 6, "%zu of %zu", f.kept, f.asked);
	/* Those with signatures, too. */
	static const char *const positive[] = { "s1.test MX", "mail.s22.test AAAA",
		                                "s3.co.test DNSKEY" };
	asked->size = 4096;
	asked->dnssec = true;
	EACH(question, positive) {
		for (unsigned turn = 0; turn < 3; turn++) {
			const size_t before = f.kept;
			ask(&f, *question);
			CHECK(turn < 2 || f.kept > before, "%s", *question);
		}
	}
	mail_signer_free(asked->signer);
	mail_keyring_free(ring);
	served_end(&f.served);
}

#define BUDGET 20

/* Leave so many signatures of the budget of another second. */
static void leave(asked_t *asked, int64_t second, unsigned left)
{
	mail_signer_sync(asked->signer, second);
	for (unsigned i = left; i < BUDGET; i++) {
		CHECK_OK(asked_begin(asked, "_dmarc.s1.test TXT"));
		asked_end(asked);
	}
	CHECK_INT(mail_signer_counts(asked->signer).refused, 0);
}

/* What is over the budget is asked for once, and is left out of the additional section, or means TC: kept as made. */
static void test_budget(void)
{
	/* MX of s1.test has three signatures: one of the answer section, two of the additional one. */
	static const struct {
		unsigned left;
		uint16_t additional;
	} cases[] = { { 4, 4 }, { 3, 4 }, { 2, 3 }, { 1, 2 } };
	fixture_t f;
	begin(&f);
	mail_keyring_t *ring = ring_make();
	asked_t *known = &f.served.asked, anew;
	known->dnssec = true;
	known->signer = mail_signer_new(ring, NULL, BUDGET);
	anew = *known;
	anew.signer = mail_signer_new(ring, NULL, BUDGET);
	REQUIRE(known->signer != NULL && anew.signer != NULL);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(asked_begin(known, "s22.test MX"));
		asked_end(known);
	}
	EACH(c, cases) {
		anew.cache = mail_cache_new(16);
		REQUIRE(anew.cache != NULL);
		mail_cache_sync(anew.cache, 1, f.served.array.txnid);
		leave(known, NOW + c->left, c->left);
		leave(&anew, NOW + c->left, c->left);
		CHECK_OK(asked_begin(known, "s1.test MX"));
		CHECK_OK(asked_begin(&anew, "s1.test MX"));
		CHECK(known->reply.kept && !anew.reply.kept);
		const char *differs = difference(known, &anew);
		CHECK(differs == NULL, "%u left: %s", c->left, differs);
		CHECK_INT(knot_wire_get_arcount(known->pkt->wire), c->additional);
		CHECK_INT(mail_signer_counts(known->signer).refused, c->left < 3);
		CHECK_INT(mail_signer_counts(anew.signer).refused, c->left < 3);
		asked_end(known);
		asked_end(&anew);
		mail_cache_free(anew.cache);
	}
	leave(known, NOW, 0);
	CHECK_OK(asked_begin(known, "s1.test MX"));
	CHECK(known->reply.kept && known->reply.outcome == MAIL_OUTCOME_TRUNCATED);
	CHECK(known->reply.rcode == KNOT_RCODE_NOERROR && knot_wire_get_tc(known->pkt->wire) &&
	      knot_wire_get_aa(known->pkt->wire) && known->pkt->rrset_count == 0);
	CHECK_INT(mail_signer_counts(known->signer).refused, 1);
	asked_end(known);
	mail_signer_free(known->signer);
	mail_signer_free(anew.signer);
	mail_keyring_free(ring);
	served_end(&f.served);
}

/* What changes in the store counts at once; what is newer than the answer, too. */
static void test_changes(void)
{
	static const char *const changes[] = {
		"policy bench| host: mail| ns: 'ns1.provider.net.'| mx: '20 mail'| spf: mx",
		"domain mail.a.test| policy: bench",
		"dkim a.test/default| key: '" KEY1 "'",
		"domain a.test| policy: bench| txt: new",
		"domain a.test| policy: mixed",
	};
	fixture_t f;
	begin(&f);
	for (size_t i = 0; i <= COUNT(changes); i++) {
		for (size_t turn = 0; turn < 3; turn++) {
			for (size_t k = 0; k < COUNT(kinds); k++) {
				char question[400];
				(void)snprintf(question, sizeof(question), kinds[k], "a.test");
				ask(&f, question);
			}
		}
		if (i < COUNT(changes)) {
			served_put(&f.served, changes[i]);
		}
	}
	CHECK(f.kept > 0);
	served_end(&f.served);
}

/* Steps of the clock: nothing is kept past one that it depends on, and nothing is given when the clock goes back. */
static void test_times(void)
{
	fixture_t f;
	begin(&f);
	/* The ramp is at NOW + 7200. */
	static const int64_t seconds[] = { 0, 1, 6899, 6900, 6950, 7199, 7200, 7201, 9000, 5, 0 };
	EACH(second, seconds) {
		f.served.asked.now = NOW + *second;
		for (size_t turn = 0; turn < 3; turn++) {
			for (size_t k = 0; k < COUNT(kinds); k++) {
				char question[400];
				(void)snprintf(question, sizeof(question), kinds[k],
				               turn % 2 == 0 ? "l1.test" : "l22.test");
				ask(&f, question);
			}
		}
	}
	CHECK(f.kept > f.asked / 4, "%zu of %zu", f.kept, f.asked);
	served_end(&f.served);
}

/* However many names strangers make up, little is kept, and what domains have stays. */
static void test_flood(void)
{
	fixture_t f;
	begin(&f);
	for (unsigned i = 0; i < 3; i++) {
		ask(&f, "a.test MX");
	}
	for (unsigned i = 0; i < 3000; i++) {
		char question[400];
		(void)snprintf(question, sizeof(question), "n%u.%s A", i / 3,
		               i % 2 == 0 ? "a.test" : "b.test");
		CHECK_OK(asked_begin(&f.served.asked, question));
		asked_end(&f.served.asked);
	}
	const size_t before = f.kept;
	ask(&f, "b.test MX");
	CHECK(f.kept == before + 1);
	served_end(&f.served);
}

/* Memory of a packet that is there before it is asked for. */
static struct {
	_Alignas(max_align_t) uint8_t octets[32768];
	size_t used;
} pool;

static void *pool_alloc(void *ctx, size_t size)
{
	(void)ctx;
	const size_t need = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	REQUIRE(need <= sizeof(pool.octets) - pool.used);
	void *memory = pool.octets + pool.used;
	pool.used += need;
	return memory;
}

/* Return whether an answer takes memory besides the packet's. */
static bool allocates(asked_t *asked, const char *question)
{
	CHECK_OK(asked_packet(asked, question));
	asked->pkt->mm = (knot_mm_t){ .alloc = pool_alloc, .free = asked_free };
	pool.used = 0;
	(void)failing_on(1);
	const mail_question_t q = {
		.source = asked->source, .cache = asked->cache, .now = asked->now, .udp = true
	};
	if (mail_answer_find(asked->source, asked->pkt, &asked->hosted) == KNOT_EOK) {
		mail_answer(&q, &asked->hosted, asked->pkt, &asked->reply);
	}
	const bool met = failing_off();
	CHECK(asked->reply.outcome != MAIL_OUTCOME_FAILED, "%s: %s", question, asked->reply.reason);
	asked_end(asked);
	return met;
}

/* Ask: at first for the answers to be kept, then without an allocation. */
static void ask_steadily(fixture_t *f, const char *question, bool warm)
{
	if (warm) {
		CHECK(!allocates(&f->served.asked, question), "%s", question);
	} else {
		ask(f, question);
	}
}

/* Once all was asked for, nothing is allocated any more: also not for what cannot be kept, however often that is tried. */
static void test_steady(void)
{
	static const char *const customers[] = { "a.test",  "one.test", "key.test", "own.test",
		                                 "r1.test", "r3.test",  "r13.test", "c1.test" };
	fixture_t f;
	begin(&f);
	CHECK(failing_linked());
	for (unsigned minute = 0; minute < 120; minute++) {
		f.served.asked.now += 61;
		EACH(domain, customers) {
			for (size_t k = 0; k < COUNT(kinds); k++) {
				char question[400];
				(void)snprintf(question, sizeof(question), kinds[k], *domain);
				ask_steadily(&f, question, minute >= 4);
			}
		}
		ask_steadily(&f, "own._domainkey.key.test TXT", minute >= 4);
	}
	served_end(&f.served);
}

UNIT_MAIN("rendered", TEST("all domains, names, types and sizes", test_all),
          TEST("what is kept", test_kept), TEST("signed", test_signed), TEST("budget", test_budget),
          TEST("changes", test_changes), TEST("times", test_times),
          TEST("made-up names", test_flood), TEST("the steady state", test_steady))
