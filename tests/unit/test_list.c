/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listings: all that is answered, in order, and nothing else. */

#include "asked.h"
#include "failing.h"
#include "mail/list.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"
#define HEX2 "017421A2FBFEAD619429D043B6E9E28831E65C9D621E2DD10AEAAD6D641E40EA"
#define AT(minutes) "2027-01-15T08:" minutes ":00Z"

static const char stored[] =
	"host:\n"
	"  - id: mail\n    name: mail\n    address: [ 192.0.2.25, \"2001:db8::25\" ]\n    certificate: c\n"
	"  - id: ns1\n    name: ns1\n    address: 192.0.2.53\n"
	"  - id: far\n    name: \"far.child.example.org.\"\n    address: 192.0.2.9\n"
	"certificate:\n"
	"  - id: c\n    current: \"3 1 1 " HEX1 "\"\n    next: \"3 1 1 " HEX2 "\"\n"
	"    publish: \"" AT("15") "\"\n    deploy-at: \"" AT(
		"20") "\"\n"
		      "policy:\n"
		      "  - id: p\n    host: [ mail, ns1, far ]\n    ns: [ ns1, \"ns.example.net.\" ]\n    ttl: 300\n"
		      "    mx: [ \"10 mail\", \"20 far.child.example.org.\" ]\n    spf: mx\n    srv: [ imaps, \"pop3 .\" ]\n"
		      "    autoconfig: mail\n    mta-sts: testing\n    mta-sts-id: x1\n    tls-rpt: \"mailto:t@{domain}\"\n"
		      "    dmarc: [ \"rua=mailto:d@example.org\", \"p=none\" ]\n"
		      "    dmarc-ramp: [ \"" AT("10") " p=quarantine\", \"" AT(
			      "20") " p=reject\" ]\n"
				    "    caa: \"0 issue \\\"ca.example\\\"\"\n"
				    "  - id: plain\n    ns: \"ns.example.net.\"\n"
				    "  - id: parked\n    base: plain\n    no-mail: on\n"
				    "dkim:\n"
				    "  - id: \"policy:p/s1\"\n    key: \"" KEY1 "\"\n"
				    "  - id: \"policy:p/s2\"\n    key: \"" KEY1
				    "\"\n    publish: \"" AT(
					    "10") "\"\n"
						  "  - id: \"policy:p/mine\"\n    key: \"" KEY1
						  "\"\n"
						  "  - id: example.org/mine\n    key: \"" KEY2
						  "\"\n    publish: \"" AT(
							  "05") "\"\n"
								"    retire: \"" AT("10") "\"\n    remove: \"" AT(
									"20") "\"\n    revoke: on\n"
									      "  - id: example.org/a.b\n    cname: \"a.example.net.\"\n"
									      "  - id: parked.example/old\n    key: \"" KEY1
									      "\"\n"
									      "domain:\n"
									      "  - id: example.org\n    policy: p\n"
									      "    record: [ \"www 60 A 192.0.2.80\", \"*.w MX 0 mail\", \"a.b.c A 192.0.2.1\", \"old DNAME example.net.\", "
									      "\"alias CNAME www\", \"ns.sub A 192.0.2.54\", \"ns.sub AAAA 2001:db8::54\" ]\n"
									      "    delegation: [ \"sub NS ns.sub\", \"sub DS 1 13 2 " HEX1
									      "\" ]\n"
									      "    txt: \"a=1\"\n"
									      "  - id: child.example.org\n    policy: p\n"
									      "  - id: under.child.example.org\n    policy: plain\n"
									      "  - id: kid.ent.example.org\n    policy: plain\n"
									      "  - id: alias.example\n    alias: example.org\n"
									      "  - id: parked.example\n    policy: parked\n"
									      "  - id: lost.example\n    policy: nope\n";

typedef struct {
	array_t array;
	asked_t asked;
} fixture_t;

static void begin(fixture_t *f)
{
	array_begin(&f->array);
	CU_ASSERT_FATAL(array_put(&f->array, stored));
	f->asked = (asked_t){ .source = &f->array.source,
		              .cache = mail_cache_new(16),
		              .now = NOW,
		              .size = 60000,
		              .tcp = true };
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->asked.cache);
	mail_cache_sync(f->asked.cache, 1, f->array.txnid);
}

static void end(fixture_t *f)
{
	mail_cache_free(f->asked.cache);
	array_free(&f->array);
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
		CU_ASSERT_EQUAL(rrset->type, KNOT_RRTYPE_SOA);
	} else {
		/* Canonical order, but for the SOA. */
		int order = mail_lf_compare(mail_lf(&listing->last), mail_lf(&key));
		UNIT_CHECK(order < 0 || (order == 0 && (listing->last_type < rrset->type ||
		                                        listing->last_type == KNOT_RRTYPE_SOA)),
		           "%zu: type %u", listing->count, rrset->type);
	}
	listing->count++;
	listing->last = key;
	listing->last_type = rrset->type;

	UNIT_CHECK(rrset->rrs.count > 0 && listed->kind >= mail_kinds &&
	                   listed->kind < mail_kinds + MAIL_KIND_COUNT,
	           "%zu", listing->count);
	/* Of a child, there are addresses beside its name servers. */
	UNIT_CHECK(listed->kind->type == 0 || listed->kind->type == rrset->type ||
	                   strcmp(listed->kind->name, "child") == 0,
	           "%s: %u", listed->kind->name, rrset->type);
	UNIT_CHECK(listed->until > listing->now, "%zu", listing->count);
	UNIT_CHECK((int64_t)rrset->ttl <= listed->until - listing->now, "%zu", listing->count);
	listing->until = listed->until < listing->until ? listed->until : listing->until;

	show_rrset(rrset, "", &listing->lines);
	show_name(rrset->owner, &listing->owners);
	(void)mail_buf_str(&listing->owners, " ");
	show_type(rrset->type, &listing->owners);
	(void)mail_buf_u8(&listing->owners, 0);
	return listing->count == listing->stop ? listing->stop_with : KNOT_EOK;
}

static int list(const fixture_t *f, const char *domain, int64_t now, bool reports,
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
	fixture_t f;
	listing_t listing = { 0 };
	mail_diag_t diag = { 0 };
	begin(&f);
	CU_ASSERT_EQUAL(list(&f, "child.example.org", NOW, false, &listing, &diag), KNOT_EOK);
	(void)shown_is(&listing.lines, expected, "listing", 0);
	CU_ASSERT_EQUAL(listing.until, NOW + 600);
	listing_free(&listing);
	end(&f);
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
			UNIT_CHECK(listed_has(listing, line + 2, len - 2),
			           "%s: '%.*s' is not listed", question, (int)len, line);
			known++;
		}
		line += len + 1;
	}
	mail_buf_free(&got);
	return known;
}

/* Says whether a name belongs to another stored domain, below the listed one. */
static bool is_childs(const fixture_t *f, const char *domain, const char *name, size_t len)
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
	fixture_t f;
	begin(&f);
	for (size_t i = 0; i < COUNT(domains) * COUNT(seconds); i++) {
		const char *domain = domains[i % COUNT(domains)];
		listing_t listing = { 0 };
		mail_diag_t diag = { 0 };
		f.asked.now = NOW + seconds[i / COUNT(domains)];
		int ret = list(&f, domain, f.asked.now, true, &listing, &diag);
		UNIT_CHECK(ret == KNOT_EOK && listing.count > 3, "%s: %d %s", domain, ret,
		           diag.text);
		(void)shown(&listing.lines);
		/* What is listed is answered; */
		const char *at = (const char *)listing.owners.data, *stop = at + listing.owners.len;
		for (; at < stop; at += strlen(at) + 1) {
			CU_ASSERT_EQUAL(asked_begin(&f.asked, at), KNOT_EOK);
			mail_outcome_t outcome = f.asked.reply.outcome;
			UNIT_CHECK(outcome == MAIL_OUTCOME_ANSWER ||
			                   outcome == MAIL_OUTCOME_REFERRAL,
			           "%s: %d", at, outcome);
			UNIT_CHECK(answer_is_listed(&listing, &f.asked, at) > 0, "%s", at);
			asked_end(&f.asked);
			/* and nothing else is: */
			char question[512];
			int owner = (int)strcspn(at, " ");
			if (is_childs(&f, domain, at, (size_t)owner)) {
				continue;
			}
			for (size_t t = 0; t < COUNT(types); t++) {
				(void)snprintf(question, sizeof(question), "%.*s %s", owner, at,
				               types[t]);
				CU_ASSERT_EQUAL(asked_begin(&f.asked, question), KNOT_EOK);
				UNIT_CHECK(f.asked.reply.outcome != MAIL_OUTCOME_NXDOMAIN &&
				                   f.asked.reply.outcome != MAIL_OUTCOME_FAILED,
				           "%s", question);
				(void)answer_is_listed(&listing, &f.asked, question);
				asked_end(&f.asked);
			}
			/* no name below one that has none below it, but for what a DNAME or a cut covers. */
			(void)snprintf(question, sizeof(question), "no-such.%.*s MX", owner, at);
			CU_ASSERT_EQUAL(asked_begin(&f.asked, question), KNOT_EOK);
			UNIT_CHECK(f.asked.reply.outcome != MAIL_OUTCOME_NODATA, "%s", question);
			(void)answer_is_listed(&listing, &f.asked, question);
			asked_end(&f.asked);
		}
		listing_free(&listing);
	}
	end(&f);
}

/* Who reports here is listed when it is asked for. */
static void test_reports(void)
{
	fixture_t f;
	listing_t listing = { 0 };
	begin(&f);
	CU_ASSERT_EQUAL(list(&f, "example.org", NOW, false, &listing, NULL), KNOT_EOK);
	(void)shown(&listing.lines);
	CU_ASSERT_PTR_NULL(strstr((const char *)listing.lines.data, "_report"));
	listing_free(&listing);
	CU_ASSERT_EQUAL(list(&f, "example.org", NOW, true, &listing, NULL), KNOT_EOK);
	static const char *const lines[] = {
		"alias.example._report._dmarc.example.org 300 TXT 'v=DMARC1'",
		"child.example.org._report._dmarc.example.org 300 TXT 'v=DMARC1'",
	};
	(void)shown(&listing.lines);
	for (size_t i = 0; i < COUNT(lines); i++) {
		UNIT_CHECK(listed_has(&listing, lines[i], strlen(lines[i])), "%s", lines[i]);
	}
	CU_ASSERT_PTR_NULL(strstr((const char *)listing.lines.data, "\nparked.example._report"));
	CU_ASSERT_PTR_NULL(strstr((const char *)listing.lines.data, "\nlost.example._report"));
	CU_ASSERT_PTR_NULL(strstr((const char *)listing.lines.data, "\nexample.org._report"));
	listing_free(&listing);
	end(&f);
}

/* The walk ends with what `each` says, whatever that is. */
static void test_ended(void)
{
	static const int codes[] = { KNOT_ESPACE, KNOT_ENOENT, KNOT_EINVAL };
	fixture_t f;
	begin(&f);
	for (size_t i = 0; i < COUNT(codes); i++) {
		for (size_t stop = 1; stop < 28; stop += 2) {
			listing_t listing = { .stop = stop, .stop_with = codes[i] };
			int ret = list(&f, "example.org", NOW, false, &listing, NULL);
			UNIT_CHECK(ret == codes[i], "code %zu, %zu: %d", i, stop, ret);
			UNIT_CHECK(listing.count == stop, "code %zu, %zu: %zu", i, stop,
			           listing.count);
			listing_free(&listing);
		}
	}
	end(&f);
}

static void test_faults(void)
{
	static const struct {
		const char *domain;
		mail_section_t section;
		const char *damaged;
		int ret;
		const char *reason;
	} cases[] = {
		{ "nope.example", 0, NULL, KNOT_ENOENT, "no domain nope.example" },
		{ "www.example.org", 0, NULL, KNOT_ENOENT, "no domain www.example.org" },
		{ "lost.example", 0, NULL, KNOT_ENOENT,
		  "domain lost.example: policy nope does not exist" },
		{ "a..b", 0, NULL, KNOT_EINVAL, "a..b is no domain name" },
		{ "example.org", MAIL_SECTION_POLICY, "p", KNOT_EMALF,
		  "domain example.org: policy p is damaged" },
		{ "example.org", MAIL_SECTION_DOMAIN, "example.org", KNOT_EMALF, NULL },
		{ "example.org", MAIL_SECTION_DKIM, "example.org/mine", KNOT_EMALF, NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture_t f;
		listing_t listing = { 0 };
		mail_diag_t diag = { 0 };
		begin(&f);
		if (cases[i].damaged != NULL) {
			array_damage(&f.array, cases[i].section, cases[i].damaged);
		}
		int ret = list(&f, cases[i].domain, NOW, false, &listing, &diag);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d", i, ret);
		UNIT_CHECK(cases[i].reason != NULL ? strcmp(diag.text, cases[i].reason) == 0
		                                   : diag.text[0] != '\0',
		           "case %zu: '%s'", i, diag.text);
		listing_free(&listing);
		end(&f);
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
		mail_section_t section;
		const char *damaged, *put;
		const char *warning;
	} cases[] = {
		{ 0, NULL, "domain:\n  - id: kid.ent.example.org\n    policy: plain\n", "" },
		{ MAIL_SECTION_DOMAIN, "kid.ent.example.org", "", "malformed data" },
		{ MAIL_SECTION_POLICY, "plain", "", "policy plain is damaged" },
		{ 0, NULL, "domain:\n  - id: kid.ent.example.org\n    policy: nope\n",
		  "policy nope does not exist" },
		{ 0, NULL,
		  "policy:\n  - id: bare\ndomain:\n  - id: kid.ent.example.org\n    policy: bare\n",
		  "its policy has no ns" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture_t f;
		listing_t listing = { 0 };
		mail_buf_t warnings = { 0 };
		char expected[160] = "";
		mail_diag_t diag = { .warn = keep_warning, .warn_ctx = &warnings };
		begin(&f);
		if (cases[i].damaged != NULL) {
			array_damage(&f.array, cases[i].section, cases[i].damaged);
		} else {
			(void)array_put(&f.array, cases[i].put);
		}
		int ret = list(&f, "example.org", NOW, false, &listing, &diag);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d", i, ret);
		const bool cut = strstr(shown(&listing.lines), "kid.ent.example.org ") != NULL;
		const bool rest = strstr(shown(&listing.lines), "www.example.org ") != NULL;
		UNIT_CHECK(rest && cut == (cases[i].warning[0] == '\0'), "case %zu", i);
		if (cases[i].warning[0] != '\0') {
			(void)snprintf(expected, sizeof(expected),
			               "kid.ent.example.org. is a stored domain, but its name "
			               "servers are not known: %s\n",
			               cases[i].warning);
		}
		(void)shown_is(&warnings, expected, "case", i);
		listing_free(&listing);
		end(&f);
	}
}

static int each_nothing(const mail_listed_t *listed, void *ctx)
{
	*(size_t *)ctx += listed->rrset->rrs.count;
	return KNOT_EOK;
}

static void test_failing(void)
{
	fixture_t f;
	bool met = true;
	CU_ASSERT_FATAL(failing_linked());
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
		UNIT_CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d", n, ret);
	}
	CU_ASSERT(!met);
	end(&f);
}

static const unit_test_t tests[] = { { "a whole listing", test_whole },
	                             { "listings equal answers", test_answers },
	                             { "reports", test_reports },
	                             { "ended early", test_ended },
	                             { "faults", test_faults },
	                             { "a child that cannot be served", test_bad_child },
	                             { "allocations that fail", test_failing },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("list", tests);
}
