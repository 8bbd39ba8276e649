/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found of one domain holds for others of its shape: each of these domains beside each other one. */

#include "change/shape.h"
#include "lib/change_fixture.h"
#include "lib/entries.h"
#include "lib/planned.h"
#include "mail/chars.h"

#define KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

/* Stored before: a policy with hosts, of which one has a name in domain b.example; a domain below c.example. */
static const char stored[] =
	"host mail| name: mail| address: 192.0.2.25\n"
	"host inside| name: in.b.example.| address: 192.0.2.26\n"
	"policy p| ns: ns.provider.test.| host: [ mail, inside ]| mx: '10 mail'| txt: policys\n"
	"policy q| base: p| txt: none| record: 'web A 192.0.2.80'\n"
	"domain other.test| policy: q\ndomain sub.c.example| policy: q\n"
	"domain null.test| policy: q| no-mail: on\n";

/* Items of a domain; D is its name. */
static const char *const items[] = {
	"policy: p",
	"policy: q",
	"policy: q| record: [ '@ A 192.0.2.1', 'www A 192.0.2.1' ]",
	"policy: q| record: [ '@ A 192.0.2.2', 'www A 192.0.2.3' ]",
	"policy: q| record: [ '@ A 192.0.2.2', '@ A 192.0.2.3' ]",
	"policy: q| record: [ '@ A 192.0.2.2', '@ 60 A 192.0.2.2' ]",
	"policy: q| record: [ '@ 60 A 192.0.2.2', 'www A 192.0.2.3' ]",
	"policy: q| record: [ '@ AAAA 2001:db8::1', 'www A 192.0.2.3' ]",
	/* Where the policy has an address, or a host. */
	"policy: q| record-add: 'web A 192.0.2.80'",
	"policy: q| record-add: 'web A 192.0.2.81'",
	"policy: q| record: 'mail A 192.0.2.25'",
	"policy: q| record: 'mail A 192.0.2.99'",
	"policy: q| record: 'in A 192.0.2.26'",
	"policy: q| record: 'in A 192.0.2.99'",
	"policy: q| record: 'sub A 192.0.2.99'",
	"policy: q| record: 'sub A 192.0.2.98'",
	"policy: q| record: '*.sub A 192.0.2.98'",
	/* Texts. */
	"policy: q| txt: one",
	"policy: q| txt: another",
	"policy: q| txt: [ one, two ]",
	"policy: q| txt: 'v=DMARC1; p=none'",
	"policy: p| txt-add: policys",
	"policy: p| txt-add: mine",
	"policy: q| txt: 'for {domain}'",
	/* Names. */
	"policy: q| record: 'www CNAME D.'",
	"policy: q| record: 'www CNAME mail.D.'",
	"policy: q| record: 'www CNAME none.D.'",
	"policy: q| record: 'www CNAME other.test.'",
	"policy: q| record: 'www CNAME none.other.test.'",
	"policy: q| record: 'www CNAME a.example.'",
	"policy: q| record: 'www CNAME xa.example.'",
	"policy: q| record: 'www CNAME www'",
	"policy: q| record: '@ CNAME other.test.'",
	"policy: q| record: [ 'www A 192.0.2.1', 'www CNAME other.test.' ]",
	"policy: q| record: 'x CNAME s._domainkey.D.'",
	"policy: q| mx: '10 mail.D.'",
	"policy: q| mx: '10 none.D.'",
	"policy: q| ns: ns.D.",
	"policy: q| ns: mail.D.",
	"policy: q| ns: in.b.example.",
	"policy: q| delegation: 'sub NS ns.other.test.'",
	/* Reports. */
	"policy: q| dmarc: 'rua=mailto:a@D'",
	"policy: q| dmarc: 'rua=mailto:a@xD'",
	"policy: q| dmarc: 'rua=mailto:a@a.example'",
	"policy: q| dmarc: 'rua=mailto:a@null.test'",
	"policy: q| no-mail: on",
	"policy: q| no-mail: on| record: '@ A 192.0.2.1'",
	"policy: q| no-mail: on| dmarc: 'rua=mailto:a@D'",
	"alias: other.test",
};

/* Write an entry of a domain. */
static void write_domain(const char *items_text, const char *domain, char *out, size_t size)
{
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)out, size - 1);
	(void)mail_buf_printf(&buf, "domain %s| ", domain);
	for (const char *c = items_text; *c != '\0'; c++) {
		const bool name = *c == 'D' && (c[1] == '.' || c[1] == '\'') && c[-1] != 'P';
		if (name) {
			(void)mail_buf_str(&buf, domain);
		} else {
			(void)mail_buf_u8(&buf, (uint8_t)*c);
		}
	}
	out[buf.len] = '\0';
}

/* What comes of a change. */
typedef struct {
	int ret;
	mail_diag_t diag;
	mail_buf_t warnings;
} outcome_t;

static void note_warning(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* Make a change of one entry, or of two. */
static void change(mail_txn_t *txn, const mail_entry_t *first, const mail_entry_t *second,
                   outcome_t *outcome)
{
	mail_change_t *made = mail_change_begin(txn);
	*outcome = (outcome_t){ .diag.warn = note_warning, .diag.warn_ctx = &outcome->warnings };
	outcome->ret = mail_change_put(made, first, &outcome->diag);
	if (outcome->ret == KNOT_EOK && second != NULL) {
		outcome->ret = mail_change_put(made, second, &outcome->diag);
	}
	if (outcome->ret == KNOT_EOK) {
		outcome->ret = mail_change_finish(made, NULL, &outcome->diag);
	}
	mail_change_free(made);
}

/* Count the warnings that name a domain. */
static size_t told_of(const outcome_t *outcome, const char *domain)
{
	char prefix[64];
	size_t count = 0;
	snprintf(prefix, sizeof(prefix), "domain %s: ", domain);
	const mail_str_t all = mail_buf_view(&outcome->warnings);
	for (size_t at = 0; at < all.len; at += mail_str_find(mail_str_from(all, at), "\n") + 1) {
		count += mail_str_starts(mail_str_from(all, at), prefix);
	}
	return count;
}

/* Write two domains in one change, and one after the other. */
static void check_pair(const stored_t *s, const mail_entry_t *first, const mail_entry_t *second,
                       const char *what, const char *domain)
{
	outcome_t before, after, pair;
	mail_txn_t *txn = begin(s->store, MAIL_STORE_WRITE);
	change(txn, first, NULL, &before);
	change(txn, second, NULL, &after);
	mail_txn_abort(txn);
	txn = begin(s->store, MAIL_STORE_WRITE);
	change(txn, first, second, &pair);
	mail_txn_abort(txn);
	if (before.ret == KNOT_EOK) {
		CHECK(pair.ret == after.ret, "%s: %d for %d: %s", what, pair.ret, after.ret,
		      pair.diag.text);
		CHECK(pair.ret == KNOT_EOK || strcmp(pair.diag.text, after.diag.text) == 0,
		      "%s: '%s' for '%s'", what, pair.diag.text, after.diag.text);
		CHECK(pair.ret != KNOT_EOK || told_of(&pair, domain) == told_of(&after, domain),
		      "%s: %zu warnings for %zu", what, told_of(&pair, domain),
		      told_of(&after, domain));
	}
	mail_buf_free(&before.warnings);
	mail_buf_free(&after.warnings);
	mail_buf_free(&pair.warnings);
}

/* Read all items as entries of a domain. */
static void read_all(const char *domain, mail_entries_t all[COUNT(items)])
{
	for (size_t i = 0; i < COUNT(items); i++) {
		char text[512];
		write_domain(items[i], domain, text, sizeof(text));
		REQUIRE(entries_parse(text, &all[i]) == KNOT_EOK && all[i].count == 1);
	}
}

/* b.example has a host of the policy in it, and c.example a domain below. */
static void check_after(const char *first_domain, const char *second_domain)
{
	stored_t s;
	mail_entries_t first[COUNT(items)], second[COUNT(items)];
	stored_begin(&s, false, stored);
	read_all(first_domain, first);
	read_all(second_domain, second);
	for (size_t i = 0; i < COUNT(items); i++) {
		for (size_t k = 0; k < COUNT(items); k++) {
			char what[1024];
			snprintf(what, sizeof(what), "%s: %s; %s: %s", first_domain, items[i],
			         second_domain, items[k]);
			check_pair(&s, first[i].entries[0], second[k].entries[0], what,
			           second_domain);
		}
	}
	for (size_t i = 0; i < COUNT(items); i++) {
		mail_entries_free(&first[i]);
		mail_entries_free(&second[i]);
	}
	stored_end(&s);
}

static void test_pairs(void)
{
	/* In the order in which they are checked. */
	check_after("a.example", "d.example");
	check_after("a.example", "b.example");
	check_after("a.example", "c.example");
}

/* --- Which have the same shape --- */

/* Change a key of a domain, alone or after one of another domain that has the same items. */
static void key_after(const stored_t *s, const mail_entries_t *pair, const mail_entries_t *keys,
                      bool alone, outcome_t *outcome)
{
	outcome_t before;
	mail_txn_t *txn = begin(s->store, MAIL_STORE_WRITE);
	change(txn, pair->entries[0], pair->entries[1], &before);
	*outcome = (outcome_t){ .ret = KNOT_ENOENT };
	if (before.ret == KNOT_EOK) {
		change(txn, keys->entries[alone ? 1 : 0], alone ? NULL : keys->entries[1], outcome);
	}
	mail_buf_free(&before.warnings);
	mail_txn_abort(txn);
}

/* What is found of a key does not depend on the keys of other domains in the same change. */
static void test_keys(void)
{
	static const char *const keys[] = { "s1| key: '" KEY "'", "s1| cname: s1.other.test.",
		                            "www| key: '" KEY "'", "s1.mail| key: '" KEY "'" };
	static const char *const seconds[] = { "d.example", "b.example", "c.example" };
	stored_t s;
	unsigned looked_at = 0, refused = 0;
	stored_begin(&s, false, stored);
	for (size_t i = 0; i < COUNT(items) * COUNT(keys) * COUNT(seconds); i++) {
		const char *key = keys[i / COUNT(items) % COUNT(keys)];
		const char *second = seconds[i / COUNT(items) / COUNT(keys)];
		char text[2][512], both[1024], ids[512];
		mail_entries_t pair = { 0 }, changed = { 0 };
		outcome_t alone, after;
		write_domain(items[i % COUNT(items)], "a.example", text[0], sizeof(text[0]));
		write_domain(items[i % COUNT(items)], second, text[1], sizeof(text[1]));
		snprintf(both, sizeof(both), "%s\n%s", text[0], text[1]);
		snprintf(ids, sizeof(ids), "dkim a.example/%s\ndkim %s/%s", key, second, key);
		REQUIRE(entries_parse(both, &pair) == KNOT_EOK && pair.count == 2);
		REQUIRE(entries_parse(ids, &changed) == KNOT_EOK && changed.count == 2);
		key_after(&s, &pair, &changed, true, &alone);
		key_after(&s, &pair, &changed, false, &after);
		/* Of two, the first may be what is refused. */
		if (alone.ret == KNOT_EOK || after.ret == KNOT_EOK) {
			CHECK(alone.ret == after.ret, "%s: '%s' alone, '%s' after", both,
			      alone.diag.text, after.diag.text);
			CHECK(told_of(&alone, second) == told_of(&after, second), "%s", both);
		}
		looked_at += alone.ret != KNOT_ENOENT;
		refused += alone.ret == KNOT_EINVAL;
		mail_buf_free(&alone.warnings);
		mail_buf_free(&after.warnings);
		mail_entries_free(&pair);
		mail_entries_free(&changed);
	}
	CHECK(looked_at > 100 && refused > 10, "%u looked at, %u refused", looked_at, refused);
	stored_end(&s);
}

static const struct {
	const char *a, *b;
	bool same;
} shapes[] = {
	{ "record: [ '@ A 192.0.2.1', 'www A 192.0.2.1' ]",
	  "record: [ '@ A 192.0.2.2', 'www A 192.0.2.3' ]", true },
	{ "record: '@ AAAA 2001:db8::1'", "record: '@ AAAA 2001:db8::2'", true },
	{ "record: '@ 60 A 192.0.2.1'", "record: '@ 60 A 192.0.2.2'", true },
	{ "record: '@ 60 A 192.0.2.1'", "record: '@ A 192.0.2.1'", false },
	{ "record: 'www A 192.0.2.1'", "record: 'web A 192.0.2.1'", false },
	{ "record: 'www A 192.0.2.1'", "record: 'www AAAA 2001:db8::1'", false },
	{ "record: [ '@ A 192.0.2.1', '@ 60 A 192.0.2.1' ]",
	  "record: [ '@ A 192.0.2.1', '@ 60 A 192.0.2.2' ]", false },
	{ "record: 'mail A 192.0.2.1'", "record: 'mail A 192.0.2.2'", false },
	{ "record: 'www A 192.0.2.1'| host: mail", "record: 'www A 192.0.2.2'| host: mail", false },
	{ "txt: google-site-verification=a", "txt: MS=b", true },
	{ "txt: [ a, b ]", "txt: [ c, d ]", true },
	{ "txt: a", "txt: [ a, b ]", false },
	{ "txt: 'v =x'", "txt: 'v =y'", false },
	{ "txt: '{domain}'", "txt: b", false },
	{ "txt: a", "txt-add: a", false },
	{ "dmarc: 'rua=mailto:x@a.example'", "dmarc: 'rua=mailto:x@b.example'", true },
	{ "dmarc: 'rua=mailto:x@m.a.example'", "dmarc: 'rua=mailto:x@m.b.example'", true },
	{ "dmarc: 'rua=mailto:x@a.example'", "dmarc: 'rua=mailto:x@a.example'", false },
	{ "dmarc: 'rua=mailto:x@xa.example'", "dmarc: 'rua=mailto:x@xb.example'", false },
	{ "dmarc: 'rua=mailto:x@a.example.org'", "dmarc: 'rua=mailto:x@b.example.org'", false },
	{ "dmarc: 'rua=mailto:x@other.test'", "dmarc: 'rua=mailto:x@other.test'", true },
	{ "no-mail: on", "no-mail: on", true },
	{ "mx: '10 mx.other.test.'", "mx: '10 mx.other.test.'", true },
	{ "mx: '10 mx.a.example.'", "mx: '10 mx.b.example.'", false },
};

/* Write the shape of a domain that follows a policy with the host mail. */
static bool shape_of(const char *domain, const char *text, mail_buf_t *out)
{
	char line[512];
	planned_t planned;
	mail_entries_t entries = { 0 };
	snprintf(line, sizeof(line), "domain %s| policy: p| %s", domain, text);
	bool shaped = planned_begin(&planned, "ns: ns.test.| host: mail| mx: '10 mail'",
	                            "host mail| name: mail| address: 192.0.2.25", true) &&
	              entries_parse(line, &entries) == KNOT_EOK &&
	              mail_change_shape(entries.entries[0], planned.plan, out);
	mail_entries_free(&entries);
	planned_end(&planned);
	return shaped;
}

static void test_same(void)
{
	EACH(c, shapes) {
		mail_buf_t a = { 0 }, b = { 0 };
		CHECK(shape_of("a.example", c->a, &a) && shape_of("b.example", c->b, &b), "%s",
		      c->a);
		CHECK(mail_str_equal(mail_buf_view(&a), mail_buf_view(&b)) == c->same, "%s, %s",
		      c->a, c->b);
		mail_buf_free(&a);
		mail_buf_free(&b);
	}
	mail_buf_t none = { 0 };
	CHECK(!shape_of("a.example", "record: 'x CNAME s._domainkey.a.example.'", &none));
	mail_buf_free(&none);
}

UNIT_MAIN("shape", TEST("the same shape", test_same), TEST("each beside each", test_pairs),
          TEST("keys", test_keys))
