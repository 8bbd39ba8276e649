/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the next certificate of a set may be deployed: stories of changes, with the time that is told after each. */

#include "lib/change_fixture.h"
#include "lib/source.h"

#define HEX(d) d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d d
#define OLD "'3 1 1 " HEX("11") "'"
#define NEW "'3 1 1 " HEX("22") "'"
#define OTHER "'3 1 1 " HEX("33") "'"
#define SET "certificate web| current: " OLD "| next: " NEW "\n"
#define H 3600
#define DAY 86400
/* The policy of the stories. */
#define P "policy p| ns: ns1.example.com.| mx: '10 mail'| host: "
#define MAIL P "mail\n"
#define HOST "host mail| name: mail| address: 192.0.2.1| certificate: web\n"
#define BARE "host mail| name: mail| address: 192.0.2.1\n"
#define DOMAIN "domain d.example| policy: p\n"

/* A row without text begins the next story with an empty store. */
typedef struct {
	int64_t at; /*!< Seconds from NOW on. */
	const char *text;
	const char *why; /*!< NULL: it is ready at... */
	int64_t ready;   /*!< Seconds from NOW on; -1: not looked at. */
} row_t;

static const row_t rows[] = {
	/* A host that first names the set at 03:00: 05:00. What else is changed does not matter. */
	{ 0, SET MAIL BARE DOMAIN, "no host names it", 0 },
	{ 3 * H, HOST, NULL, 5 * H },
	{ 4 * H, MAIL "policy q| base: p", NULL, 5 * H },
	{ 4 * H, P "mail| dmarc: p=reject\n", NULL, 5 * H },
	{ 4 * H, "domain d.example| policy: p| dmarc: p=none", NULL, 5 * H },
	{ 6 * H, DOMAIN, NULL, 5 * H },
	{ 6 * H, "host mail| name: mail| address: 192.0.2.2| certificate: web", NULL, 5 * H },
	/* A port, a name, another next certificate. */
	{ 7 * H, "host mail| name: mail| certificate: web| tlsa-port: 465", NULL, 9 * H },
	{ 8 * H, "host mail| name: mail| certificate: web| tlsa-port: [ 465, 25 ]", NULL, 10 * H },
	{ 9 * H, "host mail| name: mail| certificate: web| tlsa-port: 25", NULL, 10 * H },
	{ 10 * H, "host mail| name: mx| certificate: web| tlsa-port: 25", NULL, 12 * H },
	{ 11 * H, "certificate web| current: " OLD "| next: " OTHER, NULL, 13 * H },
	{ 12 * H, "certificate web| current: " OLD "| next: " OTHER, NULL, 13 * H },
	{ 0, NULL, NULL, 0 },
	/* A policy begins to list the host, by itself and by its base; then a domain follows it. */
	{ 0, SET HOST "policy p| ns: ns1.example.com.\n" DOMAIN,
	  "no policy lists host mail, which names it", 0 },
	{ 1 * H, MAIL, NULL, 3 * H },
	{ 2 * H, "policy q| ns: ns1.example.com.| ttl: 60", NULL, 3 * H },
	{ 4 * H, "policy q| base: p| ttl: 60", NULL, 3 * H },
	{ 5 * H, "domain e.example| policy: q", NULL, 5 * H + 120 },
	{ 0, NULL, NULL, 0 },
	{ 0, SET HOST MAIL "domain e.example| policy: q\npolicy q| ns: ns1.example.com.",
	  "no domain follows policy p", 0 },
	{ 3 * H, DOMAIN, NULL, 5 * H },
	{ 4 * H, "domain alias.example| alias: d.example", NULL, 6 * H },
	{ 5 * H, "domain e.example| policy: p", NULL, 7 * H },
	{ 6 * H, "domain e.example| policy: p| host: mail", NULL, 7 * H },
	{ 7 * H, "-domain e.example", NULL, 7 * H },
	{ 0, NULL, NULL, 0 },
	/* A domain with hosts of its own; no mail, and mail again. */
	{ 0, SET HOST "policy p| ns: ns1.example.com.\n" DOMAIN,
	  "no policy lists host mail, which names it", 0 },
	{ 1 * H, "domain d.example| policy: p| host: mail", NULL, 3 * H },
	{ 4 * H, "domain d.example| policy: p| host: mail| no-mail: on",
	  "no policy lists host mail, which names it", 0 },
	{ 5 * H, "domain d.example| policy: p| host: mail", NULL, 7 * H },
	{ 0, NULL, NULL, 0 },
	{ 0, SET HOST "policy p| ns: ns1.example.com.| host: mail| no-mail: on\n" DOMAIN,
	  "policy p has no-mail, and so no TLSA records", 0 },
	{ 3 * H, MAIL, NULL, 5 * H },
	{ 0, NULL, NULL, 0 },
	/* A name that is absolute lies in one domain. */
	{ 0,
	  SET MAIL "host mail| name: mx.d.example.| certificate: web\ndomain e.example| policy: p",
	  "its host has an absolute name, which lies in no domain that follows policy p", 0 },
	{ 1 * H, DOMAIN, NULL, 3 * H },
	{ 2 * H, "domain f.example| policy: p", NULL, 3 * H },
	{ 0, NULL, NULL, 0 },
	/* TTLs: lowered a minute before, lowered after, raised after. */
	{ 0, MAIL HOST DOMAIN "certificate web| current: " OLD "\npolicy day| ttl: 86400", NULL,
	  -1 },
	{ 0, P "mail| base: day", NULL, -1 },
	{ 10 * DAY, P "mail| ttl: 300", NULL, -1 },
	{ 10 * DAY + 60, SET, NULL, 11 * DAY },
	{ 11 * DAY + H, P "mail| ttl: 86400", NULL, 11 * DAY },
	{ 0, NULL, NULL, 0 },
	{ 0, P "mail| ttl: 86400\n" HOST DOMAIN SET, NULL, 2 * DAY },
	{ 3 * H, P "mail| ttl: 300", NULL, DAY + 3 * H },
	{ 0, NULL, NULL, 0 },
	/* A domain moves from a policy with a long TTL, where the place was, to one with a short one. */
	{ 0,
	  P "mail| ttl: 300\npolicy slow| ns: ns1.example.com.| host: mail| ttl: 86400\n" HOST
	    "domain d.example| policy: slow\ncertificate web| current: " OLD,
	  NULL, -1 },
	{ 10 * DAY, DOMAIN, NULL, -1 },
	{ 10 * DAY + 60, SET, NULL, 11 * DAY },
	{ 0, NULL, NULL, 0 },
	/* publish in the future; in the past, although it was not there. */
	{ 0,
	  MAIL HOST DOMAIN "certificate web| current: " OLD "| next: " NEW
	                   "| publish: 2027-01-15T10:00:00Z",
	  NULL, 4 * H },
	{ H, "domain e.example| policy: p", NULL, 4 * H },
	{ 3 * H,
	  "certificate web| current: " OLD "| next: " OTHER "| publish: 2026-01-15T10:00:00Z", NULL,
	  5 * H },
	/* What an entry says itself. */
	{ 3 * H,
	  "certificate web| current: " OLD "| next: " OTHER "| visible: 'p 2027-01-15T09:00:00Z'"
	  "| publish: 2026-01-15T10:00:00Z",
	  NULL, 3 * H },
};

/* What is told after a row. */
static void look(const stored_t *s, const row_t *row)
{
	mail_entry_t *entry = NULL;
	mail_ready_t ready;
	mail_txn_t *txn = begin(s->store, MAIL_STORE_READ);
	CHECK_OK(mail_txn_get(txn, MAIL_SECTION_CERTIFICATE, MAIL_STR("web"), &entry));
	CHECK_OK(mail_change_ready(txn, entry, NOW + row->at, &ready));
	CHECK_STR(ready.why, row->why != NULL ? row->why : "");
	if (row->why == NULL) {
		CHECK_INT(ready.at - NOW, row->ready);
	}
	mail_entry_free(entry);
	mail_txn_abort(txn);
}

static void test_ready(void)
{
	stored_t s = { .store = NULL };
	EACH(row, rows) {
		made_t made;
		if (s.store == NULL) {
			stored_begin(&s, false, NULL);
		}
		if (row->text != NULL) {
			make_at(&s, NOW + row->at, false, row->text, &made);
			CHECK(made.ret == KNOT_EOK, "%s", made.diag.text);
			made_commit(&made);
		}
		if (row->text != NULL && row->ready >= 0) {
			look(&s, row);
		}
		if (row->text == NULL || row == &rows[COUNT(rows) - 1]) {
			stored_end(&s);
			s.store = NULL;
		}
	}
}

/* What becomes current too early is warned of, with the time. */
static const struct {
	int64_t at;
	const char *text;
	const char *warning; /*!< Its beginning; empty: none. */
} early[] = {
	{ 0, "certificate web| current: " NEW,
	  "certificate web: the next certificate should not be deployed before 2027-01-15T10:00:00Z: "
	  "until then senders may have TLSA records without it in their caches" },
	{ 2 * H, "certificate web| current: " NEW, "" },
	{ 2 * H, "certificate web| current: " OLD "| next: " OTHER, "" },
	{ 2 * H, "certificate web| current: " OTHER,
	  "certificate web: the current certificate was not announced as next, and should not be "
	  "deployed before 2027-01-15T11:00:00Z" },
};

static void test_early(void)
{
	stored_t s;
	made_t made;
	stored_begin(&s, false, NULL);
	make_at(&s, NOW, false, MAIL HOST DOMAIN SET, &made);
	CHECK_OK(made.ret);
	CHECK_INT(made.warnings.len, 0);
	made_commit(&made);
	EACH(c, early) {
		make_at(&s, NOW + c->at, false, c->text, &made);
		CHECK_OK(made.ret);
		(void)mail_buf_u8(&made.warnings, 0);
		const char *got = (const char *)made.warnings.data;
		CHECK(c->warning[0] != '\0' ? strncmp(got, c->warning, strlen(c->warning)) == 0
		                            : got[0] == '\0',
		      "%s", got);
		made_abort(&made);
	}
	stored_end(&s);
}

/* What comes into a store that is restored is in DNS as it says. */
static void test_restored(void)
{
	const row_t row = { .at = H, .ready = -20 * DAY + 2 * H };
	stored_t s;
	made_t made;
	stored_begin(&s, false, NULL);
	make_at(&s, NOW, true,
	        MAIL HOST DOMAIN "certificate web| current: " OLD "| next: " NEW
	                         "| publish: 2026-12-26T08:00:00Z",
	        &made);
	CHECK_OK(made.ret);
	made_commit(&made);
	look(&s, &row);
	stored_end(&s);
}

UNIT_MAIN("certs", TEST("when the next certificate is ready", test_ready),
          TEST("deployed too early", test_early), TEST("a restored store", test_restored))
