/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listings: all that is answered, in order, and nothing else. */

#include "lib/asked.h"
#include "lib/failing.h"
#include "lib/zoned.h"
#include "mail/list.h"

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"

static const char stored[] =
	"host mail| name: mail| address: [ 192.0.2.25, '2001:db8::25' ]| certificate: c\n"
	"host ns1| name: ns1| address: 192.0.2.53\n"
	"host far| name: 'far.child.example.org.'| address: 192.0.2.9\n"
	"certificate c| current: '3 1 1 " HEX1 "'| next: '3 1 1 " HEX2 "'"
	"| publish: '2027-01-15T08:15:00Z'| deploy-at: '2027-01-15T08:20:00Z'\n"
	"policy p| host: [ mail, ns1, far ]| ns: [ ns1, 'ns.example.net.' ]| ttl: 300"
	"| mx: [ '10 mail', '20 far.child.example.org.' ]| spf: mx| srv: [ imaps, 'pop3 .' ]"
	"| autoconfig: mail| mta-sts: testing| mta-sts-id: x1| tls-rpt: 'mailto:t@{domain}'"
	"| dmarc: [ 'rua=mailto:d@example.org', 'p=none' ]"
	"| dmarc-ramp: [ '2027-01-15T08:10:00Z p=quarantine', '2027-01-15T08:20:00Z p=reject' ]"
	"| caa: '0 issue \\'ca.example\\''\npolicy plain| ns: 'ns.example.net.'\n"
	"policy parked| base: plain| no-mail: on\ndkim policy:p/s1| key: '" KEY1 "'\n"
	"dkim policy:p/s2| key: '" KEY1 "'| publish: '2027-01-15T08:10:00Z'\n"
	"dkim policy:p/mine| key: '" KEY1 "'\n"
	"dkim example.org/mine| key: '" KEY2 "'| publish: '2027-01-15T08:05:00Z'"
	"| retire: '2027-01-15T08:10:00Z'| remove: '2027-01-15T08:20:00Z'| revoke: on\n"
	"dkim example.org/a.b| cname: 'a.example.net.'\n"
	"dkim parked.example/old| key: '" KEY1 "'\ndomain example.org| policy: p"
	"| record: [ 'www 60 A 192.0.2.80', '*.w MX 0 mail', 'a.b.c A 192.0.2.1', "
	"'old DNAME example.net.', 'alias CNAME www', 'ns.sub A 192.0.2.54', "
	"'ns.sub AAAA 2001:db8::54' ]"
	"| delegation: [ 'sub NS ns.sub', 'sub DS 1 13 2 " HEX1 "' ]| txt: 'a=1'\n"
	"domain child.example.org| policy: p\n"
	"domain under.child.example.org| policy: plain\n"
	"domain kid.ent.example.org| policy: plain\n"
	"domain alias.example| alias: example.org\n"
	"domain parked.example| policy: parked\ndomain lost.example| policy: nope";

static void begin(served_t *f)
{
	served_begin(f, stored);
	f->asked.size = 60000;
	f->asked.tcp = true;
}

/* What a listing gave. */
typedef struct {
	mail_buf_t lines;       /* Records as answers are shown, "\n" before and after each. */
	mail_buf_t owners;      /* "OWNER TYPE", ended by 00. */
	size_t count;           /* RRsets. */
	int64_t now, until;     /* until: the first change. */
	mail_lf_storage_t last; /* The owner before. */
	uint16_t last_type;
	size_t stop; /* RRsets after which `each` ends the walk; 0: never. */
	int stop_with;
} listing_t;

static int each(const mail_listed_t *listed, void *ctx)
{
	listing_t *listing = ctx;
	mail_lf_storage_t key;
	const knot_rrset_t *rrset = listed->rrset;
	mail_name_lf(rrset->owner, &key);
	if (listing->count == 0) {
		CHECK_INT(rrset->type, KNOT_RRTYPE_SOA);
	} else {
		/* Canonical order, but for the SOA. */
		int order = mail_lf_compare(mail_lf(&listing->last), mail_lf(&key));
		CHECK(order < 0 || (order == 0 && (listing->last_type < rrset->type ||
		                                   listing->last_type == KNOT_RRTYPE_SOA)),
		      "%zu: type %u", listing->count, rrset->type);
	}
	listing->count++;
	listing->last = key;
	listing->last_type = rrset->type;

	CHECK(rrset->rrs.count > 0 && listed->kind >= mail_kinds &&
	              listed->kind < mail_kinds + MAIL_KIND_COUNT,
	      "%zu", listing->count);
	/* Of a child, there are addresses beside its name servers. */
	CHECK(listed->kind->type == 0 || listed->kind->type == rrset->type ||
	              strcmp(listed->kind->name, "child") == 0,
	      "%s: %u", listed->kind->name, rrset->type);
	CHECK(listed->until > listing->now, "%zu", listing->count);
	CHECK((int64_t)rrset->ttl <= listed->until - listing->now, "%zu", listing->count);
	listing->until = listed->until < listing->until ? listed->until : listing->until;

	show_rrset(rrset, "", &listing->lines);
	show_name(rrset->owner, &listing->owners);
	(void)mail_buf_str(&listing->owners, " ");
	show_type(rrset->type, &listing->owners);
	(void)mail_buf_u8(&listing->owners, 0);
	return listing->count == listing->stop ? listing->stop_with : KNOT_EOK;
}

static int list(const served_t *f, const char *domain, int64_t now, bool reports,
                listing_t *listing, mail_diag_t *diag)
{
	*listing = (listing_t){ .now = now,
		                .until = INT64_MAX,
		                .stop = listing->stop,
		                .stop_with = listing->stop_with };
	(void)mail_buf_str(&listing->lines, "\n");
	const mail_listing_t wanted = { .source = &f->array.source,
		                        .now = now,
		                        .reports = reports,
		                        .each = each,
		                        .ctx = listing,
		                        .diag = diag };
	return mail_answer_list(&wanted, MAIL_STR(domain));
}

static void listing_free(listing_t *listing)
{
	mail_buf_free(&listing->lines);
	mail_buf_free(&listing->owners);
}

/* One listing, whole. */
static void test_whole(void)
{
	static const char expected[] =
		"\n"
		"child.example.org 300 SOA 1700000001\n"
		"child.example.org 300 NS ns.example.net.\n"
		"child.example.org 300 NS ns1.child.example.org.\n"
		"child.example.org 300 MX 10 mail.child.example.org.\n"
		"child.example.org 300 MX 20 far.child.example.org.\n"
		"child.example.org 300 TXT 'v=spf1 mx -all'\n"
		"child.example.org 300 CAA 0 issue 'ca.example'\n"
		"_dmarc.child.example.org 300 TXT 'v=DMARC1; p=none; rua=mailto:d@example.org'\n"
		"mine._domainkey.child.example.org 300 TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1
		"'\n"
		"s1._domainkey.child.example.org 300 TXT 'v=DKIM1; k=ed25519; h=sha256; p=" KEY1
		"'\n"
		"_mta-sts.child.example.org 300 TXT 'v=STSv1; id=x1'\n"
		"_imaps._tcp.child.example.org 300 SRV 0 1 993 mail.child.example.org.\n"
		"_pop3._tcp.child.example.org 300 SRV 0 0 0 .\n"
		"_smtp._tls.child.example.org 300 TXT 'v=TLSRPTv1; rua=mailto:t@child.example.org'\n"
		"autoconfig.child.example.org 300 CNAME mail.child.example.org.\n"
		"far.child.example.org 300 A 192.0.2.9\n"
		"far.child.example.org 300 TXT 'v=spf1 a -all'\n"
		"mail.child.example.org 300 A 192.0.2.25\n"
		"mail.child.example.org 300 TXT 'v=spf1 a -all'\n"
		"mail.child.example.org 300 AAAA 2001:db8::25\n"
		"_25._tcp.mail.child.example.org 300 TLSA 3 1 1 " HEX1 "\n"
		"ns1.child.example.org 300 A 192.0.2.53\n"
		"ns1.child.example.org 300 TXT 'v=spf1 a -all'\n"
		"under.child.example.org 3600 NS ns.example.net.\n";
	served_t f;
	listing_t listing = { 0 };
	mail_diag_t diag = { 0 };
	begin(&f);
	CHECK_OK(list(&f, "child.example.org", NOW, false, &listing, &diag));
	shown_is(&listing.lines, expected, "listing");
	CHECK_INT(listing.until, NOW + 600);
	listing_free(&listing);
	served_end(&f);
}

static bool listed_has(const listing_t *listing, const char *line, size_t len)
{
	char text[1024];
	(void)snprintf(text, sizeof(text), "\n%.*s\n", (int)len, line);
	return strstr((const char *)listing->lines.data, text) != NULL;
}

static bool listed_owner(const listing_t *listing, const char *owner, size_t len)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "\n%.*s ", (int)len, owner);
	return strstr((const char *)listing->lines.data, text) != NULL;
}

/* Every record of an answer is listed, but those of names that are not. \return Records that were. */
static size_t answer_is_listed(const listing_t *listing, const asked_t *asked, const char *question)
{
	mail_buf_t got = { 0 };
	size_t known = 0;
	show_answer(asked, &got);
	for (const char *line = strchr(shown(&got), '\n') + 1; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		/* The SOA of a denial has another TTL. */
		if (!(line[0] == '^' && memmem(line, len, " SOA ", 5) != NULL) &&
		    listed_owner(listing, line + 2, strcspn(line + 2, " "))) {
			CHECK(listed_has(listing, line + 2, len - 2), "%s: '%.*s' is not listed",
			      question, (int)len, line);
			known++;
		}
		line += len + 1;
	}
	mail_buf_free(&got);
	return known;
}

/* Says whether a name belongs to another stored domain, below the listed one. */
static bool is_childs(const served_t *f, const char *domain, const char *name, size_t len)
{
	mail_lf_storage_t key;
	knot_dname_storage_t wire;
	mail_domain_t above;
	(void)mail_name_parse((mail_str_t){ name, len }, wire, NULL);
	mail_lf_t nearest;
	mail_name_lf(wire, &key);
	if (f->array.source.domain_above(&f->array.source, mail_lf(&key), &nearest, &above) !=
	    KNOT_EOK) {
		return true;
	}
	const size_t len_above = nearest.len;
	return mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR(domain), &key) != KNOT_EOK ||
	       key.len != len_above;
}

/* The listing and the answers say the same, at each second that changes something and between. */
static void test_answers(void)
{
	static const char *const domains[] = { "example.org", "child.example.org", "alias.example",
		                               "under.child.example.org", "parked.example" };
	static const char *const types[] = { "A",   "NS",    "CNAME", "SOA",  "MX",  "TXT", "AAAA",
		                             "SRV", "DNAME", "DS",    "TLSA", "CAA", "ANY" };
	static const int64_t seconds[] = { 0, 299, 300, 599, 600, 900, 1200, 1799, 1800, 86400 };
	served_t f;
	begin(&f);
	for (size_t i = 0; i < COUNT(domains) * COUNT(seconds); i++) {
		const char *domain = domains[i % COUNT(domains)];
		listing_t listing = { 0 };
		mail_diag_t diag = { 0 };
		f.asked.now = NOW + seconds[i / COUNT(domains)];
		int ret = list(&f, domain, f.asked.now, true, &listing, &diag);
		CHECK(ret == KNOT_EOK && listing.count > 3, "%s: %d %s", domain, ret, diag.text);
		(void)shown(&listing.lines);
		/* What is listed is answered; */
		const char *at = (const char *)listing.owners.data, *stop = at + listing.owners.len;
		for (; at < stop; at += strlen(at) + 1) {
			CHECK_OK(asked_begin(&f.asked, at));
			mail_outcome_t outcome = f.asked.reply.outcome;
			CHECK(outcome == MAIL_OUTCOME_ANSWER || outcome == MAIL_OUTCOME_REFERRAL,
			      "%s: %d", at, outcome);
			CHECK(answer_is_listed(&listing, &f.asked, at) > 0, "%s", at);
			asked_end(&f.asked);
			/* and nothing else is: */
			char question[512];
			int owner = (int)strcspn(at, " ");
			if (is_childs(&f, domain, at, (size_t)owner)) {
				continue;
			}
			EACH(c, types) {
				(void)snprintf(question, sizeof(question), "%.*s %s", owner, at,
				               *c);
				CHECK_OK(asked_begin(&f.asked, question));
				CHECK(f.asked.reply.outcome != MAIL_OUTCOME_NXDOMAIN &&
				              f.asked.reply.outcome != MAIL_OUTCOME_FAILED,
				      "%s", question);
				(void)answer_is_listed(&listing, &f.asked, question);
				asked_end(&f.asked);
			}
			/* no name below one that has none below it, but for what a DNAME or a cut covers. */
			(void)snprintf(question, sizeof(question), "no-such.%.*s MX", owner, at);
			CHECK_OK(asked_begin(&f.asked, question));
			CHECK(f.asked.reply.outcome != MAIL_OUTCOME_NODATA, "%s", question);
			(void)answer_is_listed(&listing, &f.asked, question);
			asked_end(&f.asked);
		}
		listing_free(&listing);
	}
	served_end(&f);
}

/* Who reports here is listed when it is asked for. */
static void test_reports(void)
{
	served_t f;
	listing_t listing = { 0 };
	begin(&f);
	CHECK_OK(list(&f, "example.org", NOW, false, &listing, NULL));
	(void)shown(&listing.lines);
	CHECK(strstr((const char *)listing.lines.data, "_report") == NULL);
	listing_free(&listing);
	CHECK_OK(list(&f, "example.org", NOW, true, &listing, NULL));
	static const char *const lines[] = {
		"alias.example._report._dmarc.example.org 300 TXT 'v=DMARC1'",
		"child.example.org._report._dmarc.example.org 300 TXT 'v=DMARC1'",
	};
	(void)shown(&listing.lines);
	EACH(c, lines) {
		CHECK(listed_has(&listing, *c, strlen(*c)), "%s", *c);
	}
	CHECK(strstr((const char *)listing.lines.data, "\nparked.example._report") == NULL);
	CHECK(strstr((const char *)listing.lines.data, "\nlost.example._report") == NULL);
	CHECK(strstr((const char *)listing.lines.data, "\nexample.org._report") == NULL);
	listing_free(&listing);
	served_end(&f);
}

/* 229 octets of a name: 11 are left for a reporter. */
#define LONG_LABEL "a23456789b23456789c23456789d23456789e23456789f234567890"
#define LONG LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".abc"

/* Who has no room in front of a long domain is passed over, however many they are. */
static void test_long(void)
{
	served_t f;
	listing_t listing = { 0 };
	served_begin(&f, "policy p| ns: 'ns.example.net.'\npolicy r| ns: 'ns.example.net.'"
	                 "| dmarc: 'rua=mailto:d@" LONG "'\ndomain " LONG "| policy: p\n"
	                 "domain a.bc| policy: r\ndomain abc.example| policy: r\n"
	                 "domain zz.example| policy: r\ndomain long.zz.example| policy: r\n"
	                 "domain a.zz.example| policy: r\ndomain " LONG_LABEL ".org| policy: r\n"
	                 "domain 12345678901.org| policy: r\ndomain zz| policy: r");
	for (unsigned i = 0; i < 200; i++) {
		char text[80];
		(void)snprintf(text, sizeof(text), "domain x%03u-long.example| policy: r", i);
		served_put(&f, text);
	}
	CHECK_OK(list(&f, LONG, NOW, true, &listing, NULL));
	(void)shown(&listing.lines);
	static const char *const lines[] = {
		"a.bc._report._dmarc." LONG " 3600 TXT 'v=DMARC1'",
		"zz.example._report._dmarc." LONG " 3600 TXT 'v=DMARC1'",
		"zz._report._dmarc." LONG " 3600 TXT 'v=DMARC1'",
	};
	EACH(c, lines) {
		CHECK(listed_has(&listing, *c, strlen(*c)), "%s", *c);
	}
	size_t reports = 0;
	const char *at = (const char *)listing.lines.data;
	while ((at = strstr(at, "._report.")) != NULL) {
		reports++;
		at++;
	}
	CHECK_INT(reports, 3);
	listing_free(&listing);
	served_end(&f);
}

static int each_added(const mail_listed_t *listed, void *ctx)
{
	show_rrset(listed->rrset, "", ctx);
	return KNOT_EOK;
}

static int list_beside(const served_t *f, zone_t *zone, bool looks, const char *domain,
                       const char *policy, mail_buf_t *out)
{
	mail_diag_t diag = { 0 };
	const mail_listing_t listing = { .source = &f->array.source,
		                         .now = NOW,
		                         .each = each_added,
		                         .ctx = out,
		                         .diag = &diag };
	const mail_zone_listing_t beside = {
		.look = zone_look, .look_ctx = zone, .looks = looks, .policy = MAIL_STR(policy)
	};
	out->len = 0;
	(void)mail_buf_str(out, "\n");
	return mail_zone_list(&listing, &beside, MAIL_STR(domain));
}

/* Beside a zone: what it has is left out, and what makes a zone. */
static void test_beside(void)
{
	static const record_t records[] = {
		{ "@", KNOT_RRTYPE_SOA, "@" },        { "@", KNOT_RRTYPE_NS, "ns1" },
		{ "@", KNOT_RRTYPE_TXT, "v=spf1 a" }, { "_dmarc", KNOT_RRTYPE_TXT, "own" },
		{ "mail", KNOT_RRTYPE_CNAME, "www" }, { "cut", KNOT_RRTYPE_NS, "ns1" },
		{ "*.wild", KNOT_RRTYPE_CNAME, "@" }, { NULL, 0, NULL },
	};
	static const char stored_here[] =
		"host mail| name: mail| address: 192.0.2.25\n"
		"policy p| ns: 'ns.example.org.'| host: mail| mx: '10 mail'| spf: mx| txt: ours"
		"| record: [ 'x.cut A 192.0.2.1', 'www TXT x', 'a.wild A 192.0.2.2' ]\n"
		"domain example.net| policy: p";
	served_t f;
	zone_t zone;
	mail_buf_t got = { 0 };
	served_begin(&f, stored_here);
	zone_begin(&zone, records, "example.net");
	for (unsigned looks = 0; looks < 2; looks++) {
		got = (mail_buf_t){ 0 };
		CHECK_OK(list_beside(&f, &zone, looks != 0, "example.net", "", &got));
		shown_is(&got,
		         "\nexample.net 3600 MX 10 mail.example.net.\n"
		         "example.net 300 TXT 'ours'\n"
		         "a.wild.example.net 3600 A 192.0.2.2\n"
		         "www.example.net 3600 TXT 'x'\n",
		         looks != 0 ? "looked" : "blind");
	}
	zone_end(&zone);
	/* A zone that is not stored: the policy of the section, or nothing. */
	got = (mail_buf_t){ 0 };
	zone_begin(&zone, records, "example.com");
	CHECK_INT(list_beside(&f, &zone, true, "example.com", "", &got), KNOT_ENOENT);
	CHECK_OK(list_beside(&f, &zone, true, "example.com", "p", &got));
	(void)shown(&got);
	CHECK(strstr((const char *)got.data, "\nexample.com 3600 MX 10 mail.example.com.\n") !=
	      NULL);
	mail_buf_free(&got);
	zone_end(&zone);
	served_end(&f);
}

/* The walk ends with what `each` says, whatever that is. */
static void test_ended(void)
{
	static const int codes[] = { KNOT_ESPACE, KNOT_ENOENT, KNOT_EINVAL };
	served_t f;
	begin(&f);
	for (size_t i = 0; i < COUNT(codes); i++) {
		for (size_t stop = 1; stop < 28; stop += 2) {
			listing_t listing = { .stop = stop, .stop_with = codes[i] };
			int ret = list(&f, "example.org", NOW, false, &listing, NULL);
			CHECK(ret == codes[i], "code %zu, %zu: %d", i, stop, ret);
			CHECK(listing.count == stop, "code %zu, %zu: %zu", i, stop, listing.count);
			listing_free(&listing);
		}
	}
	served_end(&f);
}

static void test_faults(void)
{
	static const struct {
		const char *domain;
		const char *damaged;
		int ret;
		const char *reason;
	} cases[] = {
		{ "nope.example", NULL, KNOT_ENOENT, "no domain nope.example" },
		{ "www.example.org", NULL, KNOT_ENOENT, "no domain www.example.org" },
		{ "lost.example", NULL, KNOT_ENOENT,
		  "domain lost.example: policy nope does not exist" },
		{ "a..b", NULL, KNOT_EINVAL, "a..b is no domain name" },
		{ "example.org", "policy p", KNOT_EMALF,
		  "domain example.org: policy p is damaged" },
		{ "example.org", "domain example.org", KNOT_EMALF, NULL },
		{ "example.org", "dkim example.org/mine", KNOT_EMALF, NULL },
	};
	EACH(c, cases) {
		served_t f;
		listing_t listing = { 0 };
		mail_diag_t diag = { 0 };
		begin(&f);
		if (c->damaged != NULL) {
			array_damage(&f.array, c->damaged);
		}
		int ret = list(&f, c->domain, NOW, false, &listing, &diag);
		CHECK_INT(ret, c->ret);
		CHECK(c->reason != NULL ? strcmp(diag.text, c->reason) == 0 : diag.text[0] != '\0',
		      "'%s'", diag.text);
		listing_free(&listing);
		served_end(&f);
	}
}

static void keep_warning(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* A stored domain below that cannot be served: its parent is listed all the same, and it is said what lacks. */
static void test_bad_child(void)
{
	static const struct {
		const char *damaged, *put;
		const char *warning;
	} cases[] = {
		{ NULL, "domain kid.ent.example.org| policy: plain", "" },
		{ "domain kid.ent.example.org", "", "malformed data" },
		{ "policy plain", "", "policy plain is damaged" },
		{ NULL, "domain kid.ent.example.org| policy: nope", "policy nope does not exist" },
		{ NULL, "policy bare\ndomain kid.ent.example.org| policy: bare",
		  "its policy has no ns" },
	};
	EACH(c, cases) {
		served_t f;
		listing_t listing = { 0 };
		mail_buf_t warnings = { 0 };
		char expected[160] = "";
		mail_diag_t diag = { .warn = keep_warning, .warn_ctx = &warnings };
		begin(&f);
		if (c->damaged != NULL) {
			array_damage(&f.array, c->damaged);
		} else {
			(void)array_put(&f.array, c->put);
		}
		int ret = list(&f, "example.org", NOW, false, &listing, &diag);
		CHECK_OK(ret);
		const bool cut = strstr(shown(&listing.lines), "kid.ent.example.org ") != NULL;
		const bool rest = strstr(shown(&listing.lines), "www.example.org ") != NULL;
		CHECK(rest && cut == (c->warning[0] == '\0'));
		if (c->warning[0] != '\0') {
			(void)snprintf(expected, sizeof(expected),
			               "kid.ent.example.org. is a stored domain, but its name "
			               "servers are not known: %s\n",
			               c->warning);
		}
		shown_is(&warnings, expected, "case");
		listing_free(&listing);
		served_end(&f);
	}
}

static int each_nothing(const mail_listed_t *listed, void *ctx)
{
	*(size_t *)ctx += listed->rrset->rrs.count;
	return KNOT_EOK;
}

static void test_failing(void)
{
	served_t f;
	bool met = true;
	REQUIRE(failing_linked());
	begin(&f);
	for (size_t n = 1; met && failing_on(n); n += n < 400 ? 1 : 13) {
		size_t count = 0;
		mail_diag_t diag = { 0 };
		const mail_listing_t listing = { .source = &f.array.source,
			                         .now = NOW,
			                         .reports = true,
			                         .each = each_nothing,
			                         .ctx = &count,
			                         .diag = &diag };
		int ret = mail_answer_list(&listing, MAIL_STR("example.org"));
		met = failing_off();
		CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d", n, ret);
	}
	CHECK(!met);
	served_end(&f);
}

UNIT_MAIN("list", TEST("a whole listing", test_whole), TEST("listings equal answers", test_answers),
          TEST("reports", test_reports), TEST("reports to a long domain", test_long),
          TEST("beside a zone", test_beside), TEST("ended early", test_ended),
          TEST("faults", test_faults), TEST("a child that cannot be served", test_bad_child),
          TEST("allocations that fail", test_failing))
