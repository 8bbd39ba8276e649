/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries that are put alone, one after another: all is said and done as if each had a change of its own. */

#include "lib/change_fixture.h"
#include "lib/entries.h"

#define SMALL ((size_t)64 << 20)
#define KEY1 "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="
#define KEY2 "fjUtQeSwR0X98Br31HjA+krMSndzz0Tn9IKT0h1VIC4="
#define HEX1 "C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4"

static const char stored[] =
	"host mail| name: mail| address: 192.0.2.25| certificate: c\n"
	"certificate c| current: '3 1 1 " HEX1 "'\npolicy low| ttl: 100\n"
	"policy business| base: low| host: mail| ns: 'ns.example.net.'| mx: '10 mail'\n"
	"policy other| ns: 'ns.example.net.'\n"
	"dkim policy:business/s1| key: '" KEY1 "'\n"
	"policy parked| no-mail: on| ns: 'ns.example.net.'\ndomain parked.example| policy: parked\n"
	"domain example.com| policy: business\n";

static void setup(stored_t *s)
{
	made_t made;
	REQUIRE(fixture_make(&s->at, false, SMALL));
	s->store = fixture_open(&s->at, MAIL_STORE_WRITE);
	REQUIRE(s->store != NULL);
	make(s, stored, &made);
	REQUIRE(made.ret == KNOT_EOK);
	made_commit(&made);
}

static void teardown(stored_t *s)
{
	mail_store_close(s->store);
	fixture_remove(&s->at);
}

/* What is put alone, one after another, in an order that chance gives. A text that begins with '-' is deleted. */
static const char *const singles[] = {
	/* Domains of few shapes, some of which lead to others, or lack a dot. */
	"domain a1.example| policy: other| record: [ '@ A 192.0.2.1', 'www A 192.0.2.1' ]",
	"domain a2.example| policy: other| record: [ '@ A 192.0.2.2', 'www A 192.0.2.2' ]",
	"domain a3.example| policy: business| record: [ '@ A 192.0.2.3', 'www A 192.0.2.3' ]",
	"domain a4.example| policy: business| record: 'mail A 192.0.2.3'",
	"domain b1.example| policy: other| record: 'www CNAME site.web.example.'",
	"domain b2.example| policy: other| record: 'www CNAME site.web.example.'",
	"domain b3.example| policy: other| record: 'www CNAME www.a1.example.'",
	"domain b4.example| policy: other| record: 'www CNAME www.a1.example.'",
	"domain b5.example| policy: other| record: 'www CNAME www.b3.example.'",
	"domain b6.example| policy: other| record: 'www CNAME www.b3.example.'",
	"domain c1.example| policy: other| record: 'www.web.example A 192.0.2.1'",
	"domain c2.example| policy: other| record: 'www.web.example A 192.0.2.1'",
	"domain d1.example| policy: other| spf: 'include:a1.example'",
	"domain d2.example| policy: other| spf: 'include:a1.example'",
	"domain a1.example| policy: other| spf: 'include:a1.example'",
	"domain a1.example| policy: other| spf: 'include:d1.example'",
	"domain a1.example| policy: other",
	"domain a2.example| policy: business| mx: '10 mx.web.example.'",
	"domain d3.example| policy: business| mx: '10 mx.web.example.'",
	"domain d3.example| policy: business| mx-add: '20 gone'",
	"domain d4.example| policy: business| mx-add: '20 gone'",
	"domain d5.example| policy: parked",
	"domain d5.example| policy: nope",
	"domain d6.example| policy: shaky",
	"domain d7.example| policy: shaky| txt: x",
	/* What the others lead to, and what stands below them. */
	"domain web.example| policy: other| record: 'site A 192.0.2.7'",
	"domain web.example| policy: other",
	"domain web.example| alias: a1.example",
	"domain site.web.example| policy: other",
	"domain www.a1.example| policy: other",
	"domain www.b3.example| policy: business",
	"domain l1.example| alias: a1.example",
	"domain l2.example| alias: b1.example",
	"domain l2.example| alias: l1.example",
	"-domain a1.example",
	"-domain b1.example",
	"-domain b3.example",
	"-domain web.example",
	"-domain site.web.example",
	"-domain www.a1.example",
	"-domain l1.example",
	"-domain l2.example",
	"-domain nope.example",
	/* Keys. */
	"dkim a1.example/k1| key: '" KEY1 "'",
	"dkim a1.example/k1| key: '" KEY2 "'",
	"dkim a2.example/k1| cname: k1._domainkey.a1.example.",
	"dkim a3.example/s1| key: '" KEY1 "'",
	"dkim d5.example/s1| key: '" KEY1 "'",
	"dkim l1.example/s1| key: '" KEY1 "'",
	"dkim nope.example/s1| key: '" KEY1 "'",
	"-dkim a1.example/k1",
	"-dkim a2.example/k1",
	/* What they share. */
	"policy other| ns: 'ns.example.net.'| ttl: 300",
	"policy other| ns: 'ns.example.net.'| record: 'www AAAA 2001:db8::1'",
	"policy other| ns: 'ns.example.net.'",
	"policy other| mx: '10 mx.web.example.'",
	"policy shaky| ns: 'ns.web.example.'| mx: '10 mx.web.example.'",
	"policy shaky| mx: '10 mail'",
	"-policy shaky",
	"-policy other",
	"host mail| name: mail| address: 192.0.2.26",
	"host mail| name: www| address: 192.0.2.26",
	"host mail| name: mail| address: 192.0.2.25| certificate: c",
	"dkim policy:other/s1| key: '" KEY1 "'",
	"dkim policy:other/s2| key: '" KEY2 "'",
	"-dkim policy:other/s1",
};
#define SINGLES (sizeof(singles) / sizeof(singles[0]))
#define ALONE_AT 1800000000

/* Put an entry alone; what is refused is put back. */
static void put_alone(made_t *made, const mail_entry_t *entry)
{
	mail_entry_t *old = NULL;
	(void)mail_txn_get(made->txn, entry->section, entry->id, &old);
	made->diag.text[0] = '\0';
	made->diag.line = 0;
	made->warnings.len = 0;
	made->count = (mail_change_count_t){ 0 };
	mail_change_at(made->change, ALONE_AT);
	made->ret = mail_change_put(made->change, entry, &made->diag);
	if (made->ret == KNOT_EOK) {
		made->ret = mail_change_finish(made->change, &made->count, &made->diag);
	}
	if (made->ret != KNOT_EOK && old != NULL) {
		CHECK_OK(mail_txn_put(made->txn, old));
	} else if (made->ret != KNOT_EOK) {
		(void)mail_txn_del(made->txn, entry->section, entry->id);
	}
	mail_entry_free(old);
}

static mail_entry_t *single_of(const char *text)
{
	mail_entries_t entries = { 0 };
	mail_entry_t *entry = NULL;
	if (*text == '-') {
		const size_t section = strcspn(text + 1, " ");
		entry = mail_entry_new(mail_section_find((mail_str_t){ text + 1, section }),
		                       MAIL_STR(text + section + 2));
		entry->deleted = true;
		return entry;
	}
	if (CHECK_OK(entries_parse(text, &entries))) {
		entry = mail_entry_copy(entries.entries[0]);
	}
	mail_entries_free(&entries);
	return entry;
}

/* Check that two transactions have the same entries. */
static void check_same(mail_txn_t *one, mail_txn_t *other)
{
	for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
		mail_lf_storage_t at = { 0 }, other_at = { 0 };
		int ret = KNOT_EOK;
		while (ret == KNOT_EOK) {
			mail_entry_t *a = NULL, *b = NULL;
			ret = mail_txn_next(one, section, &at, &a);
			CHECK_INT(mail_txn_next(other, section, &other_at, &b), ret);
			CHECK((a == NULL) == (b == NULL) &&
			              (a == NULL || b == NULL || mail_entry_equal(a, b)),
			      "section %u", section);
			mail_entry_free(a);
			mail_entry_free(b);
		}
		CHECK_INT(ret, KNOT_ENOENT);
	}
}

/* One change for many entries, each put alone, does with each what a change of its own does. */
static void test_alone(void)
{
	stored_t one, other;
	setup(&one);
	setup(&other);
	unsigned refused_count = 0, warned = 0, taken = 0;
	for (unsigned seed = 1; seed <= 12; seed++) {
		made_t a, b;
		uint32_t random = seed * 2654435761u;
		make(&one, "", &a);
		make(&other, "", &b);
		mail_change_alone(a.change);
		for (unsigned i = 0; i < 400; i++) {
			random = random * 1664525u + 1013904223u;
			/* In some runs the domains alone change: then much is kept. */
			const size_t pick = (random >> 8) %
			                    (seed % 3 == 0 ? SINGLES - 13 : SINGLES);
			mail_entry_t *entry = single_of(singles[pick]);
			/* What is the same as before is not looked at: so the domains go, too. */
			entry->deleted |= entry->section == MAIL_SECTION_DOMAIN &&
			                  (random >> 4 & 3) == 0;
			mail_change_free(b.change);
			b.change = mail_change_begin(b.txn);
			mail_change_alone(b.change);
			mail_change_next(a.change);
			put_alone(&a, entry);
			put_alone(&b, entry);
			(void)mail_buf_u8(&a.warnings, 0);
			(void)mail_buf_u8(&b.warnings, 0);
			CHECK(a.ret == b.ret && strcmp(a.diag.text, b.diag.text) == 0 &&
			              a.diag.line == b.diag.line,
			      "seed %u, %u: %s: '%s', not '%s'", seed, i, singles[pick],
			      a.diag.text, b.diag.text);
			CHECK(strcmp((char *)a.warnings.data, (char *)b.warnings.data) == 0,
			      "seed %u, %u: %s: warnings '%s', not '%s'", seed, i, singles[pick],
			      (char *)a.warnings.data, (char *)b.warnings.data);
			CHECK(memcmp(&a.count, &b.count, sizeof(a.count)) == 0,
			      "seed %u, %u: %s: other counts", seed, i, singles[pick]);
			refused_count += a.ret == KNOT_EINVAL;
			taken += a.ret == KNOT_EOK;
			warned += a.warnings.len > 1;
			mail_entry_free(entry);
		}
		check_same(a.txn, b.txn);
		made_abort(&a);
		made_abort(&b);
	}
	CHECK(refused_count > 100 && warned > 100 && taken > 1000,
	      "%u refused, %u warned, %u taken", refused_count, warned, taken);
	teardown(&one);
	teardown(&other);
}

UNIT_MAIN("alone", TEST("one after another", test_alone))
