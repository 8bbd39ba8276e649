/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a change notes of the DS of those who join a key set, and of the TTLs that were before. */

#include "lib/change_fixture.h"
#include "lib/source.h"

#define H 3600
#define DAY 86400
#define KEY(times) "'3613 ed25519 csk " times " l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4='"
#define SEEN "publish=2026-10-01T00:00:00Z ds=2026-10-01T02:00:00Z ds-seen=2026-10-02T00:00:00Z"
#define OUT "publish=2026-10-01T00:00:00Z ds=2026-10-01T02:00:00Z"
#define NS "| ns: ns1.example.com."
#define SETS "key-set k| key: " KEY(SEEN) "\nkey-set same| key: " KEY(SEEN) "\n"
/* A set that has domains, and an unsigned one. */
#define BASE                                                                                       \
	SETS "policy signed" NS "| key-set: k\npolicy plain" NS "\ndomain old.example| policy: "   \
	     "signed\ndomain d.example| policy: plain\n"

/* A row without text begins the next story. */
typedef struct {
	int64_t at; /*!< Seconds from NOW on. */
	const char *text;
	bool in_dns;
	const char
		*noted;   /*!< "SECTION ID" that is looked at; its notes are all others' want of. */
	const char *want; /*!< ds-from, seconds from NOW on, and ttl-was as "TTL SECONDS". */
} row_t;

static const row_t rows[] = {
	/* What comes together with its key set moves in. */
	{ 0, BASE, false, "domain old.example", "" },
	/* Joining by a policy; other changes leave it alone; back, and again. */
	{ 0, "domain d.example| policy: signed", false, "domain d.example", "ds 7200" },
	{ 100, "domain d.example| policy: signed| dmarc: p=none", false, "domain d.example",
	  "ds 7200" },
	{ 200, "domain d.example| policy: signed", false, "domain d.example", "ds 7200" },
	{ 300, "policy signed" NS "| key-set: k| dmarc: p=reject", false, "domain d.example",
	  "ds 7200" },
	{ 300, "policy signed" NS "| key-set: k| dmarc: p=none", false, "policy signed", "" },
	{ H, "domain d.example| policy: plain", false, "domain d.example", "ds 7200" },
	{ 2 * H, "domain d.example| policy: signed", false, "domain d.example", "ds 14400" },
	/* By being created, by an own key set, as an alias, by leaving one. */
	{ 0, "domain n.example| policy: signed", false, "domain n.example", "ds 7200" },
	{ 0, "domain o.example| policy: plain", false, "domain o.example", "" },
	{ 10, "domain o.example| policy: plain| key-set: k", false, "domain o.example", "ds 7210" },
	{ 20, "domain a.example| alias: old.example", false, "domain a.example", "ds 7220" },
	{ 20, "domain b.example| alias: o.example", false, "domain b.example", "ds 7220" },
	{ 30, "domain u.example| policy: plain\ndomain c.example| alias: u.example", false,
	  "domain c.example", "" },
	{ 40, "domain c.example| policy: signed", false, "domain c.example", "ds 7240" },
	/* An operator's word: an entry's own time, and all of a change. */
	{ 50, "domain w.example| policy: signed| ds-from: 2026-01-01T00:00:00Z", false,
	  "domain w.example", "ds -32774400" },
	{ 50, "domain x.example| policy: signed", true, "domain x.example", "" },
	/* From one policy with the set to another one; the keys in another set. */
	{ 60, "policy signed2" NS "| key-set: k\npolicy copy" NS "| key-set: same", false,
	  "policy signed2", "" },
	{ 70, "domain old.example| policy: signed2", false, "domain old.example", "" },
	{ 80, "domain old.example| policy: copy", false, "domain old.example", "" },
	{ 90, "domain n.example| policy: signed2", false, "domain n.example", "ds 7200" },
	{ 0, NULL, false, NULL, NULL },
	/* Joining by a policy that others follow: its own key set, that of its base, another base. */
	{ 0, BASE "policy low" NS "\npolicy high| base: low\ndomain h.example| policy: high", false,
	  "policy high", "" },
	{ 0, "policy plain" NS "| key-set: k", false, "policy plain", "ds 7200" },
	{ 10, "policy plain" NS "| key-set: k| dmarc: p=none", false, "policy plain", "ds 7200" },
	{ 20, "policy low" NS "| key-set: k", false, "policy low", "ds 7220" },
	{ 20, "policy low" NS "| key-set: k| spf: mx", false, "policy high", "" },
	{ 30, "policy other" NS "\ndomain i.example| policy: other", false, "policy other", "" },
	{ 40, "policy other| base: signed", false, "policy other", "ds 7240" },
	/* A policy that nobody follows yet waits for nothing; who comes then waits itself. */
	{ 50, "policy lonely" NS, false, "policy lonely", "" },
	{ 60, "policy lonely" NS "| key-set: k", false, "policy lonely", "" },
	{ 70, "domain l.example| policy: lonely", false, "domain l.example", "ds 7270" },
	{ 0, NULL, false, NULL, NULL },
	/* The longest TTL that caches hold: a record's own; one that was lowered; that of the policy before. */
	{ 0,
	  BASE "policy slow" NS "| ttl: 60| record: 'www 86400 A 192.0.2.1'\n"
	       "domain s.example| policy: slow\npolicy t" NS
	       "| ttl: 86400\ndomain t.example| policy: t\n"
	       "domain v.example| policy: t",
	  false, "policy slow", "" },
	{ 0, "domain s.example| policy: signed", false, "domain s.example", "ds 90000, 60 0" },
	{ 10, "policy t" NS "| ttl: 300", false, "policy t", "86400 10" },
	{ 3610, "domain t.example| policy: signed", false, "domain t.example",
	  "ds 90010, 86400 10, 300 3610" },
	{ 3620, "policy t" NS "| ttl: 300| key-set: k", false, "policy t", "ds 90010, 86400 10" },
	{ 3620, "policy t" NS "| ttl: 600| key-set: k", false, "policy t",
	  "ds 90010, 86400 10, 300 3620" },
	/* It is forgotten when it is over. */
	{ 100 * DAY, "policy t" NS "| ttl: 60| key-set: k", false, "policy t",
	  "ds 90010, 600 8640000" },
	{ 0, NULL, false, NULL, NULL },
	/* TTLs: of a base, set above it, taken away. */
	{ 0, "policy b| ttl: 7200\npolicy p| base: b" NS "\ndomain d.example| policy: p", false,
	  "policy b", "" },
	{ 10, "policy b| ttl: 300", false, "policy b", "7200 10" },
	{ 10, "policy b| ttl: 300", false, "policy p", "" },
	{ 20, "policy p| base: b| ttl: 60" NS, false, "policy p", "7200 10, 300 20" },
	{ 30, "domain d.example| policy: p| ttl: 10", false, "domain d.example",
	  "7200 10, 300 20, 60 30" },
	{ 40, "policy p| base: b" NS, false, "policy p", "7200 10, 300 20, 60 40" },
	{ 0, NULL, false, NULL, NULL },
	/* The DS of the set is not out: it has its own time; or nobody has the set, and it was seen. */
	{ 0, "key-set k| key: " KEY(OUT) "\npolicy signed" NS "| key-set: k", false,
	  "policy signed", "" },
	{ 0, "domain d.example| policy: signed", false, "domain d.example", "ds 7200" },
	{ 0, NULL, false, NULL, NULL },
	{ 0, SETS "policy signed" NS "| key-set: k", false, "policy signed", "" },
	{ 0, "domain d.example| policy: signed", false, "domain d.example", "" },
	{ 1, "domain e.example| policy: signed", false, "domain e.example", "ds 7201" },
	{ 0, NULL, false, NULL, NULL },
	{ 0,
	  "key-set k| key: " KEY(
		  "publish=2027-01-15T07:59:00Z ds=2027-01-15T09:00:30Z") "\npolicy plain" NS
	                                                                  "\ndomain d.example| policy: plain",
	  false, "policy plain", "" },
	{ 0, "policy plain" NS "| key-set: k", false, "policy plain", "" },
	{ 0, NULL, false, NULL, NULL },
	{ 0,
	  "key-set k| key: " KEY(
		  "publish=2027-01-15T07:50:00Z ds=2027-01-15T09:00:30Z") "\npolicy plain" NS
	                                                                  "\ndomain d.example| policy: plain",
	  false, "policy plain", "" },
	{ 0, "policy plain" NS "| key-set: k", false, "policy plain", "ds 7200" },
	{ 0, NULL, false, NULL, NULL },
	/* A plain domain stays plain: nothing is noted where nothing waits. */
	{ 0, BASE, false, "domain d.example", "" },
	{ 10, "policy plain2" NS, false, "policy plain2", "" },
	{ 10, "domain d.example| policy: plain2", false, "domain d.example", "" },
};

static void notes_show(const mail_entry_t *entry, mail_buf_t *out)
{
	const mail_profile_t alone = {
		.layers = &(mail_layer_t){ entry->section, (mail_entry_t *)entry }, .layer_count = 1
	};
	mail_ttl_was_t was[MAIL_TTL_WAS_MAX];
	const size_t count = mail_profile_ttl_was(&alone, was);
	if (mail_entry_value(entry, MAIL_ITEM_DS_FROM).len > 0) {
		(void)mail_buf_printf(out, "ds %lld",
		                      (long long)(mail_profile_ds_from(&alone) - NOW));
	}
	for (size_t i = 0; i < count; i++) {
		(void)mail_buf_printf(out, "%s%u %lld", out->len > 0 ? ", " : "",
		                      (unsigned)was[i].ttl, (long long)(was[i].until - NOW));
	}
}

static void look(const stored_t *s, const row_t *row)
{
	mail_entry_t *entry = NULL;
	mail_buf_t notes = { 0 };
	mail_txn_t *txn = begin(s->store, MAIL_STORE_READ);
	const size_t len = strcspn(row->noted, " ");
	const mail_section_t section = mail_section_find((mail_str_t){ row->noted, len });
	int ret = mail_txn_get(txn, section, MAIL_STR(row->noted + len + 1), &entry);
	if (CHECK_OK(ret)) {
		notes_show(entry, &notes);
		mail_entry_free(entry);
	}
	CHECK_BUF(&notes, row->want);
	mail_txn_abort(txn);
}

static void test_notes(void)
{
	stored_t s = { .store = NULL };
	EACH(row, rows) {
		made_t made;
		if (s.store == NULL) {
			stored_begin(&s, false, NULL);
		}
		if (row->text != NULL) {
			make_at(&s, NOW + row->at, row->in_dns, row->text, &made);
			CHECK(made.ret == KNOT_EOK, "%s", made.diag.text);
			made_commit(&made);
			look(&s, row);
		}
		if (row->text == NULL || row == &rows[COUNT(rows) - 1]) {
			stored_end(&s);
			s.store = NULL;
		}
	}
}

UNIT_MAIN("times", TEST("DS and TTLs", test_notes))
