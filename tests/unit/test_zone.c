/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a domain adds to a zone: beside a zone in an array, which is answered from as knotd does it. */

#include "lib/failing.h"
#include "lib/zoned.h"

static const char stored[] =
	"host mail| name: mail| address: 192.0.2.25\n"
	"host far| name: a.far.example.net.| address: 192.0.2.26\n"
	"policy p| host: [ mail, far ]| ns: ns.hosted.test.| mx: '10 mail'| spf: mx"
	"| dmarc: 'p=reject'| srv: imaps| autoconfig: mail| txt: 'ours'"
	"| record: [ 'out CNAME www.example.com.', 'a1 CNAME a2', 'a2 CNAME w', "
	"'loop CNAME loop', 'cut CNAME x.sub', '*.w4 A 192.0.2.4', 'down CNAME x.d', "
	"'tocov CNAME y.any', 'toapex CNAME @' ]\n"
	"policy broken| mx: '10 mail'| host: nope| ns: ns.hosted.test.\n"
	"domain example.net| policy: p| delegation: 'kid NS ns.kid.test.'\n"
	"domain listed.example| policy: p| dmarc: 'p=none'\n"
	"domain kid.example.net| policy: p\ndomain bad.example| policy: p";

static const record_t zone_of_all[] = {
	{ "@", KNOT_RRTYPE_NS, "ns" },
	{ "ns", KNOT_RRTYPE_A, "" },
	{ "w", KNOT_RRTYPE_A, "" },
	{ "own", KNOT_RRTYPE_TXT, "own" },
	{ "sub", KNOT_RRTYPE_NS, "ns.test" },
	{ "d", KNOT_RRTYPE_DNAME, "d.test" },
	{ "toapex2", KNOT_RRTYPE_CNAME, "@" },
	{ "tomail", KNOT_RRTYPE_CNAME, "mail" },
	{ "totcp", KNOT_RRTYPE_CNAME, "_tcp" },
	{ "toalias", KNOT_RRTYPE_CNAME, "a1" },
	{ "z1", KNOT_RRTYPE_CNAME, "z2" },
	{ "z2", KNOT_RRTYPE_CNAME, "z3" },
	{ "z3", KNOT_RRTYPE_CNAME, "z4" },
	{ "z4", KNOT_RRTYPE_CNAME, "z5" },
	{ "z5", KNOT_RRTYPE_CNAME, "a1" },
	{ "*.any", KNOT_RRTYPE_TXT, "any" },
	{ "*.any", KNOT_RRTYPE_MX, "any" },
	{ "a.b._dmarc", KNOT_RRTYPE_A, "" },
	{ "towild", KNOT_RRTYPE_CNAME, "_dmarc.c" },
	{ "*.w4", KNOT_RRTYPE_TXT, "w4" },
	{ NULL, 0, NULL },
};

/*! The zone as a whole lot of wildcards. */
static const record_t zone_of_wildcards[] = {
	{ "@", KNOT_RRTYPE_NS, "ns" },
	{ "@", KNOT_RRTYPE_TXT, "zone" },
	{ "*", KNOT_RRTYPE_TXT, "wild" },
	{ "*", KNOT_RRTYPE_MX, "wild" },
	{ NULL, 0, NULL },
};
static const record_t zone_of_aliases[] = {
	{ "@", KNOT_RRTYPE_NS, "ns" },
	{ "@", KNOT_RRTYPE_TXT, "V=SPF1 -all" },
	{ "*", KNOT_RRTYPE_CNAME, "www.example.com." },
	{ "c", KNOT_RRTYPE_CNAME, "_dmarc" },
	{ NULL, 0, NULL },
};

static bool work_try(work_t *work, const knot_dname_t *name, mail_zone_said_t said, uint16_t keep)
{
	work->question.name = name;
	work->question.said = said;
	work->question.keep = keep;
	work->question.wildcard = NULL;
	if (said == MAIL_ZONE_WILDCARD && knot_dname_is_wildcard(work->asked.pkt->rr[keep].owner)) {
		work->question.wildcard = work->asked.pkt->rr[keep].owner;
	}
	mail_zone_answer(&work->question, work->asked.pkt, &work->reply);
	return work->reply.outcome != MAIL_OUTCOME_NONE;
}

/*! An empty response to "NAME TYPE". */
static void packet_begin(asked_t *asked, const char *question)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	knot_dname_storage_t name;
	uint16_t type = 0;
	const char *space = strchr(question, ' ');
	(void)snprintf(text, sizeof(text), "%.*s", (int)(space - question), question);
	REQUIRE(knot_rrtype_from_string(space + 1, &type) == 0);
	REQUIRE(knot_dname_from_str(name, text, sizeof(name)) != NULL);
	asked->blocks = NULL;
	asked->query = knot_pkt_new(NULL, 512, NULL);
	REQUIRE(asked->query != NULL &&
	        knot_pkt_put_question(asked->query, name, KNOT_CLASS_IN, type) == KNOT_EOK);
	knot_mm_t mm = { .ctx = &asked->blocks, .alloc = asked_alloc, .free = asked_free };
	asked->pkt = knot_pkt_new(NULL, (uint16_t)asked->size, &mm);
	REQUIRE(asked->pkt != NULL && knot_pkt_init_response(asked->pkt, asked->query) == KNOT_EOK);
}

/*! Show the types of an NSEC, which must be of a name and the first one below it. */
static void show_proof(const knot_rrset_t *nsec, mail_buf_t *out)
{
	if (knot_rrset_empty(nsec)) {
		return;
	}
	const uint8_t *next = nsec->rrs.rdata->data;
	const uint8_t *const end = next + nsec->rrs.rdata->len;
	CHECK(next[0] == 1 && next[1] == 0 && knot_dname_is_equal(next + 2, nsec->owner));
	(void)mail_buf_str(out, "; proof");
	for (const uint8_t *window = next + knot_dname_size(next); window < end;
	     window += 2 + window[1]) {
		for (unsigned bit = 0; bit < 8U * window[1]; bit++) {
			if (window[2 + bit / 8] & 0x80 >> bit % 8) {
				(void)mail_buf_str(out, " ");
				show_type(window[0] * 256 + bit, out);
			}
		}
	}
}

/*! Ask, and show the answer section, or what else came out. */
static void work_ask(work_t *work, const char *text, mail_buf_t *out)
{
	asked_t *asked = &work->asked;
	const knot_dname_t *name;
	char question[2 * KNOT_DNAME_TXT_MAXLEN], apex[KNOT_DNAME_TXT_MAXLEN + 1];
	(void)knot_dname_to_str(apex, work->zone->apex, sizeof(apex));
	const char *space = strchr(text, ' ');
	(void)snprintf(question, sizeof(question), "%.*s%s%s%s",
	               text[0] == '@' ? 0 : (int)(space - text), text, text[0] == '@' ? "" : ".",
	               apex, space);
	packet_begin(asked, question);
	name = work_solve(work);
	const mail_zone_said_t said = work->said;
	const uint16_t count = asked->pkt->rrset_count;
	bool done = false;
	for (uint16_t i = 0; i < count && !done; i++) {
		done = work->wild[i] && work_try(work, work->names[i], MAIL_ZONE_WILDCARD, i);
	}
	if (!done && (said == MAIL_ZONE_MISS || said == MAIL_ZONE_NODATA)) {
		done = work_try(work, name, said, count);
	} else if (!done && said == MAIL_ZONE_HIT && count > 0) {
		done = work_try(work, work->names[count - 1], said, count - 1);
	}
	static const char *const words[] = { "stands", "answer", "nodata", "nxdomain",
		                             "?",      "tc",     "failed" };
	(void)mail_buf_printf(out, "%s", words[work->reply.outcome]);
	for (uint16_t i = 0; i < asked->pkt->rrset_count && done; i++) {
		const knot_rrset_t *rrset = &asked->pkt->rr[i];
		for (uint16_t j = 0; j < rrset->rrs.count; j++) {
			(void)mail_buf_printf(out, "; %u ", (unsigned)rrset->ttl);
			show_type(rrset->type, out);
			(void)mail_buf_str(out, " ");
			show_rdata(rrset, j, out);
		}
	}
	show_proof(&work->reply.nsec, out);
	/* The header and the wire say the same. */
	knot_pkt_t *sent = knot_pkt_new(asked->pkt->wire, (uint16_t)asked->pkt->size, NULL);
	CHECK(sent != NULL && knot_pkt_parse(sent, 0) == KNOT_EOK, "'%s' is malformed", text);
	knot_pkt_free(sent);
	asked_end(asked);
}

typedef struct {
	array_t array;
	zone_t zone;
	work_t work;
	mail_extent_t extent;
} fixture_t;

static void begin(fixture_t *f, const record_t *records, const char *apex)
{
	memset(f, 0, sizeof(*f));
	array_begin(&f->array);
	REQUIRE(array_put(&f->array, stored));
	array_damage(&f->array, "domain bad.example");
	zone_begin(&f->zone, records, apex);
	f->work.zone = &f->zone;
	f->work.asked.size = 4096;
	f->work.question = (mail_zone_question_t){
		.source = &f->array.source,
		.cache = mail_cache_new(MAIL_CACHE_OCTETS),
		.now = NOW,
		.udp = true,
		.apex = f->zone.apex,
		.policy = MAIL_STR("p"),
		.extent = &f->extent,
	};
	REQUIRE(f->work.question.cache != NULL);
	mail_cache_sync(f->work.question.cache, 1, f->array.txnid);
}

static void end(fixture_t *f)
{
	mail_cache_free(f->work.question.cache);
	zone_end(&f->zone);
	array_free(&f->array);
}

/*! What an answer is. */
typedef struct {
	const char *question;
	const char *blind;  /*!< On Knot 3.2. */
	const char *looked; /*!< On Knot 3.4; NULL: the same. */
} case_t;

static void run(const record_t *records, const char *apex, const case_t *cases, size_t count)
{
	for (unsigned looked = 0; looked < 2; looked++) {
		fixture_t f;
		begin(&f, records, apex);
		f.work.question.look = looked ? zone_look : NULL;
		f.work.question.look_ctx = &f.zone;
		for (size_t i = 0; i < count; i++) {
			mail_buf_t out = { 0 };
			const char *expected = looked && cases[i].looked != NULL ? cases[i].looked
			                                                         : cases[i].blind;
			work_ask(&f.work, cases[i].question, &out);
			shown_is(&out, expected, cases[i].question);
		}
		end(&f);
	}
}

#define DMARC "3600 TXT 'v=DMARC1; p=reject'"
#define A_OF_W "300 A 192.0.2.1"

static void test_all(void)
{
	static const case_t cases[] = {
		/* What the zone lacks. */
		{ "_dmarc TXT", "answer; " DMARC, NULL },
		{ "_DMARC TXT", "answer; " DMARC, NULL },
		{ "mail A", "answer; 3600 A 192.0.2.25", NULL },
		{ "a.far A", "answer; 3600 A 192.0.2.26", NULL },
		{ "@ MX", "answer; 3600 MX 10 mail.example.net.", NULL },
		{ "@ TXT", "answer; 3600 TXT 'ours'; 3600 TXT 'v=spf1 mx -all'", NULL },
		{ "@ ANY", "stands", NULL },
		{ "mail ANY", "answer; 3600 A 192.0.2.25", NULL },
		{ "out ANY", "answer; 3600 CNAME www.example.com.", NULL },
		{ "out CNAME", "answer; 3600 CNAME www.example.com.", NULL },
		{ "out A", "answer; 3600 CNAME www.example.com.", NULL },
		{ "out RRSIG", "nodata", NULL },
		{ "_dmarc MX", "stands", NULL }, /* The zone has a name below it. */
		{ "_tcp MX", "nodata", NULL },
		{ "_report._dmarc A", "nodata", NULL },
		{ "far A", "nodata", NULL },
		{ "x.far A", "stands", NULL },
		{ "x A", "stands", NULL },
		{ "x._tcp A", "stands", NULL },
		{ "x._domainkey TXT", "stands", NULL },
		/* What is the zone's alone. */
		{ "@ SOA", "stands", NULL },
		{ "@ NS", "stands", NULL },
		{ "@ DNSKEY", "stands", NULL },
		{ "kid NS", "stands", NULL },
		{ "kid A", "stands", NULL },
		{ "_dmarc.kid TXT", "stands", NULL },
		/* What the zone has. */
		{ "own TXT", "stands", NULL },
		{ "own MX", "stands", NULL },
		{ "b._dmarc TXT", "stands", NULL },
		/* Chains of the zone that end at ours. */
		{ "tomail A", "answer; 300 CNAME mail.example.net.; 3600 A 192.0.2.25", NULL },
		{ "tomail MX", "nodata; 300 CNAME mail.example.net.", NULL },
		{ "totcp A", "nodata; 300 CNAME _tcp.example.net.", NULL },
		{ "toapex2 MX", "answer; 300 CNAME example.net.; 3600 MX 10 mail.example.net.",
		  NULL },
		{ "toalias A", "answer; 300 CNAME a1.example.net.; 3600 CNAME a2.example.net.",
		  "answer; 300 CNAME a1.example.net.; 3600 CNAME a2.example.net.; 3600 CNAME w.example.net.; " A_OF_W },
		{ "z1 A",
		  "answer; 300 CNAME z2.example.net.; 300 CNAME z3.example.net.; 300 CNAME z4.example.net.; "
		  "300 CNAME z5.example.net.; 300 CNAME a1.example.net.",
		  NULL },
		/* Chains of ours: on 3.2 the alias alone. */
		{ "a1 A", "answer; 3600 CNAME a2.example.net.",
		  "answer; 3600 CNAME a2.example.net.; 3600 CNAME w.example.net.; " A_OF_W },
		{ "a1 MX", "answer; 3600 CNAME a2.example.net.",
		  "nodata; 3600 CNAME a2.example.net.; 3600 CNAME w.example.net." },
		{ "autoconfig A", "answer; 3600 CNAME mail.example.net.",
		  "answer; 3600 CNAME mail.example.net.; 3600 A 192.0.2.25" },
		{ "loop A", "answer; 3600 CNAME loop.example.net.", NULL },
		{ "cut A", "answer; 3600 CNAME x.sub.example.net.", NULL },
		{ "down A", "answer; 3600 CNAME x.d.example.net.", NULL },
		{ "tocov TXT", "answer; 3600 CNAME y.any.example.net.",
		  "answer; 3600 CNAME y.any.example.net.; 300 TXT 'any'" },
		{ "tocov A", "answer; 3600 CNAME y.any.example.net.",
		  "nodata; 3600 CNAME y.any.example.net." },
		{ "toapex TXT", "answer; 3600 CNAME example.net.",
		  "answer; 3600 CNAME example.net.; 3600 TXT 'ours'; 3600 TXT 'v=spf1 mx -all'" },
		/* Wildcards of ours, which the zone has, too. */
		{ "x.w4 A", "stands", "answer; 3600 A 192.0.2.4" },
		{ "x.w4 TXT", "stands", NULL },
		{ "x.y.w4 A", "stands", "answer; 3600 A 192.0.2.4" },
		{ "x.any MX", "stands", NULL },
	};
	run(zone_of_all, "example.net", cases, COUNT(cases));
}

static void test_wildcards(void)
{
	static const case_t cases[] = {
		{ "x TXT", "stands", NULL },
		{ "x MX", "stands", NULL },
		{ "x A", "stands", NULL },
		{ "* TXT", "stands", NULL },
		{ "_dmarc TXT", "answer; " DMARC, NULL },
		{ "_dmarc MX", "nodata", NULL },
		{ "_tcp TXT", "nodata", NULL },
		{ "x._tcp TXT", "nxdomain", NULL },
		{ "x._tcp A", "stands", "nxdomain" }, /* NODATA: perhaps a name of the zone's. */
		{ "x.mail MX", "nxdomain", NULL },
		{ "mail A", "answer; 3600 A 192.0.2.25", NULL },
		{ "autoconfig TXT", "answer; 3600 CNAME mail.example.net.",
		  "answer; 3600 CNAME mail.example.net.; 3600 TXT 'v=spf1 a -all'" },
		{ "autoconfig A", "stands",
		  "answer; 3600 CNAME mail.example.net.; 3600 A 192.0.2.25" },
		{ "x.w4 A", "stands", "answer; 3600 A 192.0.2.4" },
		{ "x.w4 TXT", "nodata", NULL },
		{ "_dmarc ANY", "answer; " DMARC, NULL },
		{ "@ TXT", "answer; 300 TXT 'ours'; 300 TXT 'zone'; 300 TXT 'v=spf1 mx -all'",
		  NULL },
	};
	run(zone_of_wildcards, "example.net", cases, COUNT(cases));
}

static void test_aliases(void)
{
	static const case_t cases[] = {
		{ "x A", "stands", NULL },
		{ "_dmarc TXT", "answer; " DMARC, NULL },
		{ "_dmarc A", "nodata", NULL },
		{ "_tcp A", "nodata", NULL },
		{ "x._tcp A", "stands", "nxdomain" }, /* Whose alias it is is not known. */
		{ "c TXT", "answer; 300 CNAME _dmarc.example.net.; " DMARC, NULL },
		{ "out CNAME", "answer; 3600 CNAME www.example.com.", NULL },
		/* The zone has SPF of its own. */
		{ "@ TXT", "answer; 300 TXT 'ours'; 300 TXT 'V=SPF1 -all'", NULL },
	};
	run(zone_of_aliases, "example.net", cases, COUNT(cases));
}

/*! With mod-onlinesign a denial where a wildcard had answered has a proof, and a chain of ours ends at what is true. */
static void test_online(void)
{
	static const case_t wild[] = {
		{ "_dmarc TXT", "answer; " DMARC, NULL },
		{ "_dmarc MX", "nodata; proof TXT RRSIG NSEC", NULL },
		{ "_tcp TXT", "nodata; proof RRSIG NSEC", NULL },
		{ "x._tcp TXT", "nxdomain; proof RRSIG NSEC", NULL },
		{ "x._tcp A", "stands", "nxdomain" },
		{ "mail MX", "nodata; proof A TXT RRSIG NSEC", NULL },
	};
	static const case_t all[] = {
		{ "mail MX", "nodata", NULL },
		{ "a1 MX", "answer; 3600 CNAME a2.example.net.",
		  "answer; 3600 CNAME a2.example.net.; 3600 CNAME w.example.net." },
		{ "totcp A", "nodata; 300 CNAME _tcp.example.net.", NULL },
	};
	static const struct {
		const record_t *records;
		const case_t *cases;
		size_t count;
	} zones[] = { { zone_of_wildcards, wild, COUNT(wild) }, { zone_of_all, all, COUNT(all) } };
	EACH(k, zones) {
		for (size_t j = 0; j < 2 * k->count; j++) {
			const case_t *c = &k->cases[j / 2];
			fixture_t f;
			mail_buf_t out = { 0 };
			begin(&f, k->records, "example.net");
			f.work.question.online = true;
			f.work.question.look = j % 2 ? zone_look : NULL;
			f.work.question.look_ctx = &f.zone;
			work_ask(&f.work, c->question, &out);
			shown_is(&out, j % 2 && c->looked != NULL ? c->looked : c->blind,
			         c->question);
			end(&f);
		}
	}
}

/*! The store's entry of the very zone, the section's policy, neither; what is wrong with them. */
static void test_entries(void)
{
	static const struct {
		const char *zone, *policy, *question, *expected;
		bool unlisted;
	} cases[] = {
		{ "listed.example", "", "_dmarc TXT", "answer; 3600 TXT 'v=DMARC1; p=none'",
		  false },
		{ "listed.example", "p", "_dmarc TXT", "answer; 3600 TXT 'v=DMARC1; p=none'",
		  false },
		{ "below.listed.example", "p", "_dmarc TXT", "answer; " DMARC, false },
		{ "below.listed.example", "", "_dmarc TXT", "stands", true },
		{ "other.example", "", "_dmarc TXT", "stands", true },
		{ "other.example", "none", "_dmarc TXT", "failed", false },
		{ "other.example", "none", "x A", "failed", false },
		{ "other.example", "none", "w MX", "failed", false },
		{ "other.example", "none", "w AAAA", "stands", false },
		{ "other.example", "none", "w A", "stands", false },
		{ "other.example", "none", "x.any TXT", "stands", false },
		{ "other.example", "broken", "_dmarc TXT", "failed", false },
		{ "bad.example", "p", "_dmarc TXT", "failed", false },
		{ "bad.example", "p", "@ NS", "stands", false },
		{ "below.bad.example", "p", "_dmarc TXT", "answer; " DMARC, false },
	};
	EACH(c, cases) {
		fixture_t f;
		mail_buf_t out = { 0 };
		begin(&f, zone_of_all, c->zone);
		f.work.question.policy = MAIL_STR(c->policy);
		work_ask(&f.work, c->question, &out);
		shown_is(&out, c->expected, c->zone);
		CHECK_INT(f.work.reply.unlisted, c->unlisted);
		bool reason = f.work.reply.outcome == MAIL_OUTCOME_FAILED;
		CHECK((f.work.reply.reason[0] != '\0') == reason, "'%s'", f.work.reply.reason);
		/* The same without a question. */
		mail_zone_reply_t reply;
		const bool readable = mail_zone_look(&f.work.question, &reply) == KNOT_EOK;
		CHECK(!reason || !readable, "%s", c->zone);
		CHECK(readable == (reply.reason[0] == '\0'), "'%s'", reply.reason);
		CHECK_INT(reply.unlisted, c->unlisted);
		end(&f);
	}
}

static void test_sizes(void)
{
	/* A header, a question, a record that begins with a pointer. */
	for (size_t size = 40; size < 160; size++) {
		for (unsigned udp = 0; udp < 2; udp++) {
			fixture_t f;
			begin(&f, zone_of_wildcards, "example.net");
			f.work.asked.size = size;
			f.work.question.udp = udp;
			packet_begin(&f.work.asked, "_dmarc.example.net TXT");
			bool done = work_try(&f.work, knot_pkt_qname(f.work.asked.query),
			                     MAIL_ZONE_MISS, 0);
			mail_outcome_t outcome = f.work.reply.outcome;
			bool fits = size >= 12 + 24 + 12 + 19;
			CHECK(done && outcome == (fits  ? MAIL_OUTCOME_ANSWER
			                          : udp ? MAIL_OUTCOME_TRUNCATED
			                                : MAIL_OUTCOME_FAILED),
			      "%zu octets, udp %u: %d", size, udp, outcome);
			CHECK(!knot_wire_get_tc(f.work.asked.pkt->wire) == (fits || !udp),
			      "%zu octets, udp %u", size, udp);
			asked_end(&f.work.asked);
			end(&f);
		}
	}
}

/*! Every label under which something is there is in the set; nearly none else is. */
static void test_extent(void)
{
	static const char *const ours[] = {
		"_dmarc", "_domainkey", "mail", "far",    "_tcp",
		"out",    "a1",         "w4",   "toapex", "autoconfig"
	};
	fixture_t f;
	begin(&f, zone_of_all, "example.net");
	mail_buf_t out = { 0 };
	work_ask(&f.work, "x A", &out);
	mail_buf_free(&out);
	for (size_t i = 0; i < COUNT(ours) + 10000; i++) {
		char text[80];
		knot_dname_storage_t name;
		if (i < COUNT(ours)) {
			(void)snprintf(text, sizeof(text), "%s.example.net", ours[i]);
		} else {
			(void)snprintf(text, sizeof(text), "host%zu.example.net", i);
		}
		REQUIRE(knot_dname_from_str(name, text, sizeof(name)) != NULL);
		const uint64_t hash = mail_label_hash(name);
		bool in = true;
		for (unsigned j = 0; j < MAIL_LABEL_BITS; j++) {
			in = in &&
			     mail_label_in(f.extent.labels.bits[mail_label_word(hash)], hash, j);
		}
		static size_t wrong;
		wrong += i >= COUNT(ours) && in;
		CHECK(i >= COUNT(ours) || in, "'%s'", text);
		CHECK(wrong < 50, "%zu of %zu", wrong, i);
	}
	static const uint16_t types[] = { KNOT_RRTYPE_A, KNOT_RRTYPE_MX, KNOT_RRTYPE_TXT,
		                          KNOT_RRTYPE_SRV };
	CHECK(f.extent.type_count == COUNT(types) &&
	              memcmp(f.extent.types, types, sizeof(types)) == 0,
	      "%zu types", f.extent.type_count);
	end(&f);
}

static void test_failing(void)
{
	REQUIRE(failing_linked());
	static const char *const questions[] = { "_dmarc TXT", "@ TXT", "a1 A", "x A" };
	for (size_t q = 0; q < COUNT(questions); q++) {
		for (size_t i = 1; i < FAILING_MAX; i++) {
			fixture_t f;
			begin(&f, zone_of_wildcards, "example.net");
			char text[80];
			const char *space = strchr(questions[q], ' ');
			(void)snprintf(text, sizeof(text), "%.*s%sexample.net%s",
			               questions[q][0] == '@' ? 0 : (int)(space - questions[q]),
			               questions[q], questions[q][0] == '@' ? "" : ".", space);
			packet_begin(&f.work.asked, text);
			(void)failing_on(i);
			(void)work_try(&f.work, knot_pkt_qname(f.work.asked.query), MAIL_ZONE_MISS,
			               0);
			bool met = failing_off();
			asked_end(&f.work.asked);
			end(&f);
			if (!met) {
				break;
			}
			mail_outcome_t outcome = f.work.reply.outcome;
			CHECK(outcome == MAIL_OUTCOME_FAILED || outcome == MAIL_OUTCOME_ANSWER ||
			              outcome == MAIL_OUTCOME_NONE,
			      "question %zu, allocation %zu: %d", q, i, outcome);
		}
	}
}

UNIT_MAIN("zone", TEST("a zone with everything", test_all), TEST("wildcards", test_wildcards),
          TEST("an alias of everything", test_aliases), TEST("signed afterwards", test_online),
          TEST("entries", test_entries), TEST("sizes", test_sizes),
          TEST("labels and types", test_extent), TEST("failing allocations", test_failing))
