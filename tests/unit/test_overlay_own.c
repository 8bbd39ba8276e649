/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an overlay stands on: the table of kinds; and what no whole plan tells: records in the place of others, faults, damage. */
#include "lib/entries.h"
#include "lib/overlaid.h"
#include "lib/planned.h"
#include "lib/samples.h"
#include "mail/list.h"

/* The table of kinds: which items a kind is made of, and where it has its rows. */

/*! Make the plan of example.org as an entry has it. */
static mail_plan_t *plan_with(overlaid_t *o, const mail_entry_t *entry)
{
	mail_buf_t value = { 0 };
	mail_plan_t *plan = NULL;
	CHECK_OK(mail_codec_encode(entry, &value));
	array_octets(&o->v.array, "domain example.org", value.data, value.len);
	CHECK_OK(mail_plan_of_domain(&o->v.array.source, MAIL_STR("example.org"), &plan));
	mail_buf_free(&value);
	return plan;
}

/*! Whether an owner of a kind is where the table says, and the names between it and the domain are near it. */
static void place_check(const mail_owners_t *owners, bool absolute)
{
	for (size_t i = 0; i < owners->count; i++) {
		const mail_owner_t *owner = &owners->owners[i];
		for (size_t j = 0; j < owner->count; j++) {
			const mail_kind_t *kind = &mail_kinds[owner->rows[j].kind];
			const mail_kinds_t bit = MAIL_KIND_BIT(owner->rows[j].kind);
			CHECK(!absolute || kind->scope == MAIL_SCOPE_ANY, "%s", kind->name);
			CHECK(mail_kinds_near(bit, owner->name) == bit, "%s", kind->name);
			CHECK(mail_kinds_at(bit, owner->name) == bit, "%s", kind->name);
			mail_lf_t above = mail_lf_parent(owner->name);
			for (; above.len > 0 && !absolute; above = mail_lf_parent(above)) {
				CHECK(mail_kinds_near(bit, above) == bit, "%s", kind->name);
			}
		}
	}
}

/*! Check that an item changes no kind that the table does not say it changes. */
static void kinds_compare(const mail_plan_t *with, const mail_plan_t *without, mail_item_id_t item)
{
	const mail_kinds_t kinds = mail_kinds_of(UINT64_C(1) << item);
	for (unsigned k = 0; k < MAIL_KIND_COUNT; k++) {
		mail_buf_t a = { 0 }, b = { 0 };
		show_plan(with, mail_kinds[k].name, &a);
		show_plan(without, mail_kinds[k].name, &b);
		CHECK(strcmp(shown(&a), shown(&b)) == 0 || (kinds >> k & 1) != 0, "%s changes %s",
		      mail_item_get(item)->name, mail_kinds[k].name);
		mail_buf_free(&a);
		mail_buf_free(&b);
	}
	const bool keys = with->key_count != without->key_count || with->leave != without->leave;
	CHECK(!keys || (kinds & MAIL_KINDS_KEYS) != 0, "%d", item);
	CHECK(with->hosted == without->hosted || (kinds >> MAIL_KIND_SOA & 1) != 0, "%d", item);
	CHECK(with->report_count == without->report_count || (kinds >> MAIL_KIND_DMARC & 1) != 0,
	      "%d", item);
	place_check(&with->relative, false);
	place_check(&with->absolute, true);
}

static void kinds_try(overlaid_t *o, const char *policy, mail_entry_t *entry, mail_item_id_t item)
{
	mail_entry_t *none = overlaid_entry("example.org", policy);
	mail_plan_t *with = plan_with(o, entry), *without = plan_with(o, none);
	if (with->error == KNOT_EOK && without->error == KNOT_EOK) {
		kinds_compare(with, without, item);
		o->compared++;
	}
	mail_plan_free(with);
	mail_plan_free(without);
	mail_entry_free(none);
	mail_entry_free(entry);
}

static void test_kinds(void)
{
	overlaid_t o;
	overlaid_begin(&o);
	EACH(policy, overlaid_policies) {
		for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
			for (unsigned op = MAIL_OP_SET; op <= MAIL_OP_NONE; op++) {
				mail_entry_t *entry = overlaid_entry("example.org", *policy);
				int ret = KNOT_ENOENT;
				if (item->id > MAIL_ITEM_ALIAS &&
				    mail_entry_knows(MAIL_SECTION_DOMAIN, item, op)) {
					ret = op == MAIL_OP_NONE
					              ? mail_entry_add(entry, item, op,
					                               MAIL_STR(""), 0)
					              : sample_add(entry, item->id, op, NULL);
				}
				if (ret == KNOT_EOK) {
					kinds_try(&o, *policy, entry, item->id);
				} else {
					mail_entry_free(entry);
				}
			}
		}
		for (size_t i = 0; i < COUNT(overlaid_values); i++) {
			mail_entry_t *entry = overlaid_entry("example.org", *policy);
			const mail_item_t *item = mail_item_get(overlaid_values[i].item);
			CHECK_OK(mail_entry_parse(entry, item, MAIL_OP_SET,
			                          MAIL_STR(overlaid_values[i].value), 0, NULL));
			kinds_try(&o, *policy, entry, item->id);
		}
	}
	CHECK(o.compared > 500, "%zu", o.compared);
	overlaid_end(&o);
}

/* What a whole plan would refuse: a record of the domain's own stands in the place of a made one of its type. */
static void test_replaced(void)
{
	static const struct {
		const char *items;
		const char *name;
		uint16_t type;
		const char *expected;
	} cases[] = {
		{ "record: 'mail 5 A 192.0.2.99'", "mail.example.org", KNOT_RRTYPE_A,
		  "record 5 192.0.2.99" },
		{ "record: 'mail 5 A 192.0.2.99'", "mail.example.org", KNOT_RRTYPE_AAAA,
		  "aaaa 300 2001:db8::25" },
		{ "record: '_dmarc TXT own'", "_dmarc.example.org", KNOT_RRTYPE_TXT,
		  "record 300 'own'" },
		{ "record: '@ MX 7 own'", "example.org", KNOT_RRTYPE_MX,
		  "record 300 7 own.example.org." },
		{ "record: 'autoconfig CNAME own'", "autoconfig.example.org", KNOT_RRTYPE_CNAME,
		  "record 300 own.example.org." },
		/* What was rendered for the domain alone is replaced, too. */
		{ "mx: '5 mail'| record: '@ MX 7 own'", "example.org", KNOT_RRTYPE_MX,
		  "record 300 7 own.example.org." },
		/* Texts at the domain itself are for many purposes. */
		{ "txt: none| record: '@ TXT own'", "example.org", KNOT_RRTYPE_TXT,
		  "spf 300 'own' 'v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ip4:192.0.2.53 "
		  "ip4:192.0.2.9 mx -all'" },
		/* Literal records stand beside each other, the policy's too; of two aliases the first counts. */
		{ "record-add: 'www 5 A 192.0.2.99'", "www.example.org", KNOT_RRTYPE_A,
		  "record 5 192.0.2.80 192.0.2.99" },
		{ "record: 'www 5 A 192.0.2.99'", "www.example.org", KNOT_RRTYPE_A,
		  "record 5 192.0.2.99" },
		{ "record: [ 'two CNAME a', 'two CNAME b' ]", "two.example.org", KNOT_RRTYPE_CNAME,
		  "record 300 a.example.org." },
		/* An alias hides what else stands there. */
		{ "record: 'autoconfig A 192.0.2.99'", "autoconfig.example.org", KNOT_RRTYPE_A,
		  "-2" },
		{ "record: 'autoconfig A 192.0.2.99'", "autoconfig.example.org", KNOT_RRTYPE_CNAME,
		  "autoconfig 300 mail.example.org." },
	};
	EACH(c, cases) {
		for (unsigned version = 1; version <= MAIL_CODEC_VERSION; version++) {
			overlaid_t o;
			char text[512];
			mail_entries_t entries = { 0 };
			mail_buf_t value = { 0 }, got = { 0 };
			overlaid_begin(&o);
			(void)snprintf(text, sizeof(text), "domain example.org| policy: full| %s",
			               c->items);
			REQUIRE(entries_parse(text, &entries) == KNOT_EOK, "%s", text);
			CHECK_OK(mail_codec_encode_as(entries.entries[0], version, &value));
			CHECK_INT(value.data[0], version);
			array_octets(&o.v.array, "domain example.org", value.data, value.len);
			viewed_put(&o.v, NULL);
			overlaid_anew(&o, "example.org");
			show_viewed(&o.v, c->name, c->type, &got);
			shown_is(&got, c->expected, c->items);
			mail_buf_free(&value);
			mail_entries_free(&entries);
			overlaid_end(&o);
		}
	}
}

/* A value that cannot be rendered fails the questions that come near its own names, and no others. */
static void test_faults(void)
{
	overlaid_t o;
	mail_place_t place;
	overlaid_begin(&o);
	viewed_put(&o.v,
	           "domain example.org| policy: nothing| srv: imaps| record: 'www A 192.0.2.1'");
	static const struct {
		const char *name;
		mail_where_t where;
	} fine[] = { { "example.org", MAIL_FOUND },
		     { "www.example.org", MAIL_FOUND },
		     { "_dmarc.example.org", MAIL_FOUND },
		     { "x.example.org", MAIL_NOTHING },
		     { "x.www.example.org", MAIL_NOTHING },
		     /* Something is below it, whatever it is. */
		     { "_tcp.example.org", MAIL_FOUND },
		     { "_imap._tcp.example.org", MAIL_NOTHING } };
	static const char *const failing[] = { "_imaps._tcp.example.org",
		                               "x._imaps._tcp.example.org" };
	EACH(c, fine) {
		overlaid_anew(&o, "example.org");
		CHECK_OK(o.v.view.plan->error);
		CHECK_OK(viewed_place(&o.v, c->name, true, &place));
		CHECK(place.where == c->where, "%s: %d", c->name, place.where);
	}
	EACH(name, failing) {
		overlaid_anew(&o, "example.org");
		CHECK(viewed_place(&o.v, *name, true, &place) != KNOT_EOK, "%s", *name);
		CHECK_STR(o.v.view.overlay->fault->reason,
		          "srv: imaps names no host, and there is no mx to take");
		/* Nor do others fail that the same question comes to afterwards. */
		EACH(c, fine) {
			CHECK_OK(viewed_place(&o.v, c->name, true, &place));
			CHECK(place.where == c->where, "%s: %d", c->name, place.where);
		}
		CHECK(viewed_place(&o.v, *name, true, &place) != KNOT_EOK, "%s", *name);
	}
	overlaid_end(&o);
}

/* Damaged values. */

static int count_listed(const mail_listed_t *listed, void *ctx)
{
	(void)listed;
	return ++*(size_t *)ctx < 1000 ? KNOT_EOK : KNOT_ELIMIT;
}

/* Every octet changed: whatever comes of it, no more is read than there is, and all of it comes to an end. */
static void test_damaged(void)
{
	static const char *const names[] = { "example.org", "www.example.org", "x.sub.example.org",
		                             "y.z.example.org", "a.b.c.example.org" };
	overlaid_t o;
	overlaid_begin(&o);
	mail_entries_t entries = { 0 };
	mail_buf_t value = { 0 }, out = { 0 };
	REQUIRE(entries_parse("domain example.org| policy: full| txt: '{domain}'| record: [ 'www A "
	                      "192.0.2.1', '*.z MX 5 m', 'a.b.c CNAME x', 'x.b SRV 0 0 1 y' ]"
	                      "| delegation: [ 'sub NS ns.sub', 'old NS ns.example.net.' ]",
	                      &entries) == KNOT_EOK);
	CHECK_OK(mail_codec_encode(entries.entries[0], &value));
	for (size_t i = 0; i < 2 * value.len; i++) {
		uint8_t *octet = &value.data[i / 2], was = *octet;
		*octet ^= i % 2 == 0 ? 0xff : 1u << i / 2 % 8;
		array_octets(&o.v.array, "domain example.org", value.data, value.len);
		viewed_put(&o.v, NULL);
		for (size_t j = 0; j < COUNT(names); j++) {
			mail_lf_storage_t lf;
			knot_dname_storage_t name;
			mail_cache_release(o.v.cache);
			mail_cache_hold(o.v.cache);
			out.len = 0;
			if (viewed_open(&o.v, "example.org") != KNOT_EOK ||
			    o.v.view.plan->error != KNOT_EOK) {
				continue;
			}
			CHECK_OK(mail_name_parse(MAIL_STR(names[j]), name, NULL));
			mail_name_lf(name, &lf);
			(void)overlaid_show(&o.v.view, mail_lf(&lf), &out);
		}
		size_t listed = 0;
		mail_diag_t diag = { 0 };
		const mail_listing_t listing = { .source = &o.v.array.source,
			                         .now = NOW,
			                         .each = count_listed,
			                         .ctx = &listed,
			                         .diag = &diag };
		(void)mail_answer_list(&listing, MAIL_STR("example.org"));
		CHECK(listed < 1000, "%zu", i);
		*octet = was;
	}
	mail_buf_free(&value);
	mail_buf_free(&out);
	mail_entries_free(&entries);
	overlaid_end(&o);
}

UNIT_MAIN("overlay_own", TEST("kinds of items", test_kinds),
          TEST("records in the place of others", test_replaced),
          TEST("faults are of their own names", test_faults), TEST("damaged", test_damaged))
