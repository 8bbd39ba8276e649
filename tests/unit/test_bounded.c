/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However many entries are stored around a name, a question for it takes so many steps in the tree and no more. */

#include "lib/asked.h"
#include "lib/steps.h"
#include "lib/store_fixture.h"
#include "view/chain.h"

#define ROOM ((size_t)256 << 20)
/*! As in module/epoch.c. */
#define LIMIT 64
#define NOW 1800000000
#define POLICY "policy p| ns: [ ns1.example.net., ns2.example.net. ]| mx: '10 mail'\n"

/* --- Many entries --- */

/*! What there is much of. */
typedef struct {
	const char *what;
	const char *format; /*!< An entry; the number of it is put in. */
	bool deleted;
} crowd_t;

#define DKIM_OLD "| key: '" KEY "'| remove: '2020-01-01T00:00:00Z'"
#define DKIM_NEW "| key: '" KEY "'| publish: '2030-01-01T00:00:00Z'"
/* An Ed25519 key. */
#define KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

static const crowd_t crowds[] = {
	{ "keys", "dkim example.org/k%05u| key: '" KEY "'", false },
	{ "keys that are gone", "dkim example.org/k%05u" DKIM_OLD, false },
	{ "keys to come", "dkim example.org/k%05u" DKIM_NEW, false },
	{ "deleted keys", "dkim example.org/k%05u| key: '" KEY "'", true },
	{ "keys of another selector", "dkim example.org/k%05u.x" DKIM_OLD, false },
	{ "deleted keys of an alias", "dkim alias.example/k%05u| key: '" KEY "'", true },
	{ "keys of the policy that are gone", "dkim policy:p/k%05u" DKIM_OLD, false },
	{ "keys of the policy to come", "dkim policy:p/k%05u" DKIM_NEW, false },
	{ "domains below", "domain d%05u.example.org| policy: p", false },
	{ "deleted domains below", "domain d%05u.example.org| policy: p", true },
	{ "deleted domains behind", "domain d%05u.example.orh| policy: p", true },
	{ "deleted domains before", "domain d%05u.example.ore| policy: p", true },
	{ "domains in the gap", "domain d%05u._report._dmarc.example.org| policy: p", false },
	{ "domains that might report", "domain d%05u.t.example| policy: p", false },
	{ "deleted domains that might report", "domain d%05u.t.example| policy: p", true },
};

static const char *const questions[] = {
	"example.org SOA",
	"example.org AAAA",
	"example.org ANY",
	"nothing.example.org A",
	"a.b.c.d.nothing.example.org A",
	"zzz.example.org A",
	"_domainkey.example.org TXT",
	"a._domainkey.example.org TXT",
	"k00007._domainkey.example.org TXT",
	"k00007._domainkey.example.org AAAA",
	"x._domainkey.example.org TXT",
	"zzz._domainkey.example.org TXT",
	"_dmarc.example.org TXT",
	"_report._dmarc.example.org TXT",
	"t.example._report._dmarc.example.org TXT",
	"d00007.t.example._report._dmarc.example.org TXT",
	"example._report._dmarc.example.org A",
	"www.d00007.example.org A",
	"alias.example SOA",
	"_domainkey.alias.example TXT",
	"nothing.alias.example A",
	"d00007.example.org DS",
};

/*! Delete the entries that lines of text are of. */
static int delete_lines(mail_txn_t *txn, const char *text)
{
	int ret = KNOT_EOK;
	while (*text != '\0' && ret == KNOT_EOK) {
		const mail_section_t section = text[1] == 'k' ? MAIL_SECTION_DKIM
		                                              : MAIL_SECTION_DOMAIN;
		text = strchr(text, ' ') + 1;
		ret = mail_txn_del(txn, section, (mail_str_t){ text, strcspn(text, "|") });
		text = strchr(text, '\n') + 1;
	}
	return ret;
}

/*! Store so many of them, a hundred at a time, and what the questions are for. */
static mail_store_t *fill(fixture_t *f, const crowd_t *crowd, unsigned count)
{
	mail_store_t *store = store_begin(f, true, ROOM);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	mail_buf_t text = { 0 };
	int ret = put_text(txn, POLICY "domain example.org| policy: p\n"
	                               "domain alias.example| alias: example.org\n"
	                               "domain t.example| policy: p");
	for (unsigned i = 0; i < count && ret == KNOT_EOK; i++) {
		(void)mail_buf_printf(&text, crowd->format, i);
		(void)mail_buf_str(&text, "\n");
		if (i % 100 < 99 && i + 1 < count) {
			continue;
		}
		ret = mail_buf_u8(&text, 0);
		ret = ret == KNOT_EOK ? put_text(txn, (char *)text.data) : ret;
		if (ret == KNOT_EOK && crowd->deleted) {
			ret = delete_lines(txn, (char *)text.data);
		}
		text.len = 0;
	}
	mail_buf_free(&text);
	CHECK(ret == KNOT_EOK, "%s: %d", crowd->what, ret);
	CHECK_OK(mail_txn_commit(txn));
	return store;
}

/*! Count the steps of what the chain of NSEC needs for a name. */
static size_t chain_steps(const mail_source_t *source, mail_cache_t *cache, const char *question)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	knot_dname_storage_t name;
	mail_lf_storage_t lf;
	mail_link_t link;
	mail_view_t view;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(question, " "), question);
	REQUIRE(knot_dname_from_str(name, text, sizeof(name)) != NULL);
	mail_name_lf(name, &lf);
	view.source = source;
	view.cache = cache;
	view.now = NOW;
	CHECK_OK(mail_view_open(&view, name, mail_lf(&lf)));
	steps = 0;
	(void)mail_chain_match(&view, mail_lf(&lf), &link);
	(void)mail_chain_cover(&view, mail_lf(&lf), false, &link);
	return steps;
}

/*! Count the steps of all questions. */
static void count_steps(const crowd_t *crowd, unsigned count, size_t *answers, size_t *chains)
{
	fixture_t f;
	mail_store_t *store = fill(&f, crowd, count);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	mail_txn_limit(txn, LIMIT);
	mail_cache_t *cache = mail_cache_new(64 << 20);
	mail_cache_sync(cache, 1, mail_txn_id(txn));
	asked_t asked = {
		.source = mail_txn_source(txn), .cache = cache, .now = NOW, .size = 4096
	};
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		for (unsigned turn = 0; turn < 2; turn++) {
			/* The plans are there in the second turn. */
			steps = 0;
			CHECK_OK(asked_begin(&asked, questions[i]));
			answers[i] = steps;
			CHECK(asked.reply.outcome != MAIL_OUTCOME_FAILED, "%s, %u %s: %s",
			      questions[i], count, crowd->what, asked.reply.reason);
			asked_end(&asked);
		}
		chains[i] = chain_steps(asked.source, cache, questions[i]);
	}
	mail_cache_free(cache);
	mail_txn_abort(txn);
	store_end(&f, store);
}

/* Ten keys or ten thousand, live or deleted: the serial takes the same. */
static void check_serial(const crowd_t *crowd, const size_t *few, const size_t *all)
{
	static const char *const same[] = { "example.org SOA", "nothing.example.org A",
		                            "_dmarc.example.org AAAA", "alias.example SOA" };
	EACH(name, same) {
		for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
			CHECK(strcmp(*name, questions[i]) != 0 || all[i] == few[i],
			      "%s: %s: %zu, %zu", crowd->what, *name, few[i], all[i]);
		}
	}
}

static void test_bounded(void)
{
	enum { COUNT = sizeof(questions) / sizeof(questions[0]) };
	EACH(c, crowds) {
		size_t few[COUNT], many[COUNT], all[COUNT], few_chain[COUNT], many_chain[COUNT],
			all_chain[COUNT];
		count_steps(c, 10, few, few_chain);
		count_steps(c, 1000, many, many_chain);
		count_steps(c, 10000, all, all_chain);
		for (size_t i = 0; i < COUNT; i++) {
			/* What is passed over, in each of a few searches, is passed over so many times. */
			CHECK(all[i] <= many[i] + 4 && all[i] <= few[i] + 7 * LIMIT,
			      "10, 1,000, 10,000 %s: %s takes %zu, %zu, %zu steps", c->what,
			      questions[i], few[i], many[i], all[i]);
			CHECK(all_chain[i] <= many_chain[i] + 4 &&
			              all_chain[i] <= few_chain[i] + 40 * LIMIT,
			      "10, 1,000, 10,000 %s: NSEC of %s takes %zu, %zu, %zu steps", c->what,
			      questions[i], few_chain[i], many_chain[i], all_chain[i]);
		}
		if (c < crowds + 5) {
			check_serial(c, few, all);
		}
	}
}

UNIT_MAIN("bounded", TEST("steps of a question", test_bounded))
