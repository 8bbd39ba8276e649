/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Literal records as they are stored: their octets, what is found in them, and what of damaged ones. */
#include "mail/codec.h"
#include "mail/encoding.h"

#include "lib/entries.h"
#include "lib/failing.h"
#include "lib/unit.h"

#define OCTETS(s) s, sizeof(s) - 1

static const char many[] =
	"domain example.org| policy: p| txt: [ 'a=1', 'of {domain}' ]| txt-add: 'b=2'"
	"| record: [ '@ A 192.0.2.1', 'www 60 A 192.0.2.80', 'www AAAA 2001:db8::80', "
	"'www 60 A 192.0.2.79', '*.w MX 0 mail', 'a.b.c TXT x', 'shop CNAME {domain}.x.example.', "
	"'in.example.org. TXT in', 'out.example.net. A 192.0.2.9', 'ns.sub A 192.0.2.5', "
	"'\\000\\001.e TYPE65280 \\# 2 0102', 'old DNAME new' ]"
	"| delegation: [ 'sub NS ns.sub', 'sub DS 1 13 2 "
	"C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4' ]";

/*! Read the first of some entries. */
static mail_entries_t parse(const char *text)
{
	mail_entries_t entries = { 0 };
	REQUIRE(entries_parse(text, &entries) == KNOT_EOK && entries.count == 1, "%s", text);
	return entries;
}

static void encode(const char *text, mail_buf_t *rows)
{
	mail_entries_t entries = parse(text);
	CHECK_OK(mail_rows_encode(entries.entries[0], rows));
	mail_entries_free(&entries);
}

/* The octets are the format: they must never change. */
static void test_layout(void)
{
	static const struct {
		const char *text;
		const char *octets;
		size_t len;
	} cases[] = {
		/* flags, number of owners, offsets, then of each: name, number of rows, rows. */
		{ "domain example.org| policy: p", OCTETS("\0\0\0") },
		{ "domain example.org| policy: p| txt: a",
		  OCTETS("\0\0\1\0\0\0\7\0\0\0\0\0\0\0\1\0\0\0\1\x1b\1\0\x10\0\0\0\0\0\1"
		         "a") },
		{ "domain example.org| policy: p| record: 'www 60 A 192.0.2.80'",
		  OCTETS("\0\0\1\0\0\0\7\0\3\0\0\0\0\0\0\0\2\0\1www\x1c\x08\0\1\0\0\0\x3c\0\4\xc0\0\2\x50") },
		/* Holes; a cut. */
		{ "domain example.org| policy: p| delegation: 'sub NS ns.sub'",
		  OCTETS("\1\0\1\0\0\0\7\0\3\0\0\0\0\0\0\0\4\0\1sub\4\2\0\2\0\0\0\0\0\x0a\2\7\2ns\3sub\0") },
		{ "domain example.org| policy: p| record: 'x TXT {domain}'| txt: '{domain}'",
		  OCTETS("\0\0\2\0\0\0\x0b\0\0\0\x22\0\0\0\0\0\0\0\1\0\0\0\1\x1b\7\0\x10\0\0\0\0\0\1\3"
		         "\0\1\0\0\0\0\0\1\0\0\0\1x\x1c\7\0\x10\0\0\0\0\0\1\3") },
		/* Of other owners, and absolute ones of the domain's. */
		{ "domain example.org| policy: p| record: [ 'x.example.org. A 192.0.2.1', "
		  "'example.net. A 192.0.2.2' ]",
		  OCTETS("\0\0\1\0\0\0\7\0\1\0\0\0\0\0\0\0\2\0\1x\x1c\0\0\1\0\0\0\0\0\4\xc0\0\2\1") },
	};
	EACH(c, cases) {
		mail_buf_t rows = { 0 }, got = { 0 }, want = { 0 };
		encode(c->text, &rows);
		(void)mail_buf_hex(&got, rows.data, rows.len);
		(void)mail_buf_hex(&want, (const uint8_t *)c->octets, c->len);
		(void)mail_buf_u8(&want, 0);
		CHECK_BUF(&got, (const char *)want.data);
		mail_buf_free(&want);
		mail_buf_free(&rows);
	}
}

/*! Append "OWNER TYPE[/TTL] ..." of an owner. */
static int show_owner(mail_stored_owner_t *owner, mail_buf_t *out)
{
	mail_stored_row_t row;
	knot_dname_storage_t name;
	int ret = mail_name_from_lf(owner->name, name);
	if (ret == KNOT_EOK) {
		(void)mail_name_print(name, out);
	}
	while ((ret = mail_rows_next(owner, &row)) == KNOT_EOK) {
		char type[32] = "";
		(void)knot_rrtype_to_string(row.type, type, sizeof(type));
		(void)mail_buf_printf(out, row.has_ttl ? " %s/%u" : " %s", type, (unsigned)row.ttl);
	}
	(void)mail_buf_str(out, "\n");
	return ret;
}

/* Owners are in canonical order, their rows in that of types, then as they were written; each is found. */
static void test_find(void)
{
	mail_buf_t octets = { 0 }, out = { 0 };
	mail_rows_t rows;
	mail_stored_owner_t owner;
	size_t at;
	encode(many, &octets);
	CHECK_OK(mail_rows_read(octets.data, octets.len, &rows));
	CHECK(rows.cuts);
	for (size_t i = 0; i < rows.count; i++) {
		CHECK_OK(mail_rows_owner(&rows, i, &owner));
		const mail_lf_t name = owner.name;
		CHECK(show_owner(&owner, &out) == KNOT_ENOENT, "%zu", i);
		CHECK_OK(mail_rows_find(&rows, name, &at, &owner));
		CHECK_INT(at, i);
		/* What lies just behind it is not there, and would stand there. */
		mail_lf_storage_t behind;
		mail_lf_copy(name, &behind);
		mail_lf_behind(&behind);
		behind.data[behind.len++] = '!';
		const bool there = mail_rows_find(&rows, mail_lf(&behind), &at, &owner) == KNOT_EOK;
		CHECK(!there && at > i, "%zu", i);
	}
	CHECK_BUF(
		&out,
		". A TXT TXT TXT\na.b.c TXT\n\\000\\001.e TYPE65280\nin TXT\nold DNAME\nshop CNAME\n"
		"sub NS DS\nns.sub A\n*.w MX\nwww A/60 A/60 AAAA\n");
	mail_buf_free(&octets);
}

/* A value that no reader could render is left to readers, which say why. */
static void test_refused(void)
{
	static const char *const refused[] = {
		"domain example.org| policy: p| record: '{domain}.x. A 192.0.2.1'",
	};
	EACH(text, refused) {
		mail_entries_t entries = parse(*text);
		mail_buf_t rows = { 0 }, value = { 0 };
		CHECK_INT(mail_rows_encode(entries.entries[0], &rows), KNOT_EINVAL);
		CHECK_OK(mail_codec_encode(entries.entries[0], &value));
		CHECK(value.len > 0 && value.data[0] == 1);
		mail_buf_free(&rows);
		mail_buf_free(&value);
		mail_entries_free(&entries);
	}
}

/*! Read all that there is of rows, in whatever octets. \return How much was read; 0 after an error. */
static size_t walk(const uint8_t *data, size_t len)
{
	mail_rows_t rows;
	size_t read = 1, at;
	int ret = mail_rows_read(data, len, &rows);
	for (size_t i = 0; ret == KNOT_EOK && i < rows.count; i++) {
		mail_stored_owner_t owner;
		mail_stored_row_t row;
		ret = mail_rows_owner(&rows, i, &owner);
		while (ret == KNOT_EOK && (ret = mail_rows_next(&owner, &row)) == KNOT_EOK) {
			uint8_t rdata[512];
			const mail_apex_t apex = { (const uint8_t *)"\7example\3org",
				                   { "example.org", 11 } };
			(void)mail_rdata_fill(&row.rdata, &apex, rdata, sizeof(rdata));
			read++;
		}
		ret = ret == KNOT_ENOENT ? KNOT_EOK : ret;
		if (ret == KNOT_EOK) {
			ret = mail_rows_find(&rows, MAIL_LF("www"), &at, &owner);
			ret = ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
	}
	CHECK(ret == KNOT_EOK || ret == KNOT_EMALF, "%d", ret);
	return ret == KNOT_EOK ? read : 0;
}

/*! Walk octets in memory of exactly their size, so that a sanitizer sees a read past their end. */
static size_t walk_exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	REQUIRE(copy != NULL);
	memcpy(copy, data, len);
	const size_t read = walk(copy, len);
	free(copy);
	return read;
}

/* Every octet changed, every end cut off: no more is read than there is, and no more rows than can be stored. */
static void test_damaged(void)
{
	mail_buf_t octets = { 0 };
	encode(many, &octets);
	const size_t whole = walk_exact(octets.data, octets.len);
	CHECK(whole > 14, "%zu", whole);
	for (size_t i = 0; i < octets.len; i++) {
		CHECK(walk_exact(octets.data, i) == 0, "%zu", i);
		const uint8_t octet = octets.data[i];
		for (unsigned change = 1; change < 256; change++) {
			octets.data[i] = octet ^ change;
			CHECK(walk_exact(octets.data, octets.len) < 100 * whole, "%zu: %u", i,
			      change);
		}
		octets.data[i] = octet;
	}
	mail_buf_free(&octets);
}

/* A value with rows: what it says of its items is what it has. */
static void test_value(void)
{
	mail_entries_t entries = parse(many);
	mail_buf_t value = { 0 };
	mail_domain_t domain;
	mail_entry_t *entry;
	CHECK_OK(mail_codec_encode(entries.entries[0], &value));
	CHECK_INT(value.data[0], 2);
	CHECK_OK(mail_codec_domain(value.data, value.len, &domain));
	CHECK_INT(domain.rows.count, 10);
	CHECK_INT(domain.set, MAIL_ROWS_ITEMS);
	CHECK_INT(domain.added, 1u << MAIL_ITEM_TXT);
	CHECK(!domain.plain);
	CHECK_TEXT(domain.policy, "p");
	/* A bit that no member has, and a member that no bit has. */
	static const size_t places[] = { 1 + 7 - MAIL_ITEM_POLICY / 8, 1 + 7 - MAIL_ITEM_MX / 8,
		                         9 + 7 - MAIL_ITEM_TXT / 8 };
	EACH(place, places) {
		value.data[*place] ^= 2;
		CHECK_INT(mail_codec_decode(MAIL_SECTION_DOMAIN, MAIL_STR("example.org"),
		                            value.data, value.len, &entry),
		          KNOT_EMALF);
		value.data[*place] ^= 2;
	}
	/* An item that is not known, and a layout that is not. */
	value.data[1] ^= 0x80;
	CHECK_INT(mail_codec_domain(value.data, value.len, &domain), KNOT_ENOTSUP);
	value.data[1] ^= 0x80;
	value.data[0] = 3;
	CHECK_INT(mail_codec_domain(value.data, value.len, &domain), KNOT_ENOTSUP);
	value.data[0] = 2;
	/* Other sections have none. */
	CHECK_INT(mail_codec_decode(MAIL_SECTION_POLICY, MAIL_STR("p"), value.data, value.len,
	                            &entry),
	          KNOT_ENOTSUP);
	mail_buf_free(&value);
	mail_entries_free(&entries);
}

/* The items that are known are those of the table. */
static void test_known(void)
{
	uint64_t items = 0;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << MAIL_SECTION_DOMAIN)) != 0) {
			CHECK(item->id < MAIL_CODEC_ITEMS, "%s", item->name);
			items |= UINT64_C(1) << item->id;
		}
	}
	CHECK(items == MAIL_CODEC_KNOWN, "%llx, %llx", (unsigned long long)items,
	      (unsigned long long)MAIL_CODEC_KNOWN);
	CHECK((MAIL_CODEC_UNSEEN & ~items) == 0 && (MAIL_ROWS_ITEMS & ~items) == 0);
	/* All that stand before the others in a value, where a question reads them. */
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		const bool unseen = item->id < 64 && (MAIL_CODEC_UNSEEN >> item->id & 1) != 0;
		CHECK(!unseen || item->id <= MAIL_ITEM_TTL_WAS, "%s", item->name);
	}
}

/* Without memory there is no value, and never half of one. */
static void test_failing(void)
{
	REQUIRE(failing_linked());
	mail_entries_t entries = parse(many);
	bool met = true;
	for (size_t n = 1; met && failing_on(n); n++) {
		mail_buf_t value = { 0 };
		int ret = mail_codec_encode(entries.entries[0], &value);
		met = failing_off();
		CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "%zu: %d", n, ret);
		CHECK(ret == KNOT_EOK || value.len == 0, "%zu", n);
		mail_buf_free(&value);
	}
	mail_entries_free(&entries);
}

UNIT_MAIN("rows", TEST("octets", test_layout), TEST("found", test_find),
          TEST("what cannot be rendered", test_refused), TEST("damaged", test_damaged),
          TEST("a value with rows", test_value), TEST("items that are known", test_known),
          TEST("allocations that fail", test_failing))
