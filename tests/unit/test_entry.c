/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/entry.h"
#include "mail/name.h"

#include "lib/unit.h"
#include "lib/failing.h"

/*! An item of a section, by its name. */
static const mail_item_t *item_of(mail_section_t section, const char *name)
{
	const mail_item_t *item = mail_item_find(section, MAIL_STR(name));
	CHECK(item != NULL, "%s in %s", name, mail_section_name(section));
	return item;
}

static int add(mail_entry_t *entry, const char *item, mail_op_t op, const char *value)
{
	return mail_entry_add(entry, item_of(entry->section, item), op, MAIL_STR(value), 7);
}

/*! An entry with an item of every operation, made out of order. */
static mail_entry_t *sample(void)
{
	static const struct {
		const char *item;
		mail_op_t op;
		const char *value;
	} members[] = {
		{ "txt", MAIL_OP_ADD, "second" },
		{ "dmarc", MAIL_OP_SET, "p=none" },
		{ "policy", MAIL_OP_SET, "business" },
		{ "mx", MAIL_OP_NONE, "" },
		{ "txt", MAIL_OP_SET, "first" },
		{ "dmarc", MAIL_OP_SET, "rua=mailto:a@example.org" },
		{ "ttl", MAIL_OP_SET, "300" },
		{ "txt", MAIL_OP_ADD, "third" },
		{ "mx", MAIL_OP_ADD, "10 mail" },
	};
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_DOMAIN, MAIL_STR("example.net"));
	REQUIRE(entry != NULL);
	EACH(c, members) {
		int ret = add(entry, c->item, c->op, c->value);
		CHECK_OK(ret);
	}
	return entry;
}

static void test_order(void)
{
	static const struct {
		mail_item_id_t item;
		mail_op_t op;
		size_t count;
		const char *values[2];
	} expected[] = {
		{ MAIL_ITEM_POLICY, MAIL_OP_SET, 1, { "business" } },
		{ MAIL_ITEM_MX, MAIL_OP_ADD, 1, { "10 mail" } },
		{ MAIL_ITEM_MX, MAIL_OP_NONE, 0, { NULL } },
		{ MAIL_ITEM_DMARC, MAIL_OP_SET, 2, { "p=none", "rua=mailto:a@example.org" } },
		{ MAIL_ITEM_TXT, MAIL_OP_SET, 1, { "first" } },
		{ MAIL_ITEM_TXT, MAIL_OP_ADD, 2, { "second", "third" } },
		{ MAIL_ITEM_TTL, MAIL_OP_SET, 1, { "300" } },
	};
	mail_entry_t *entry = sample();
	REQUIRE(entry->count == COUNT(expected));
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		CHECK(member->item->id == expected[i].item && member->op == expected[i].op &&
		              member->count == expected[i].count && member->line == 7,
		      "case %zu: item %d op %d count %zu", i, member->item->id, member->op,
		      member->count);
		for (size_t j = 0; j < member->count && j < expected[i].count; j++) {
			CHECK(mail_str_is(member->values[j].text, expected[i].values[j]),
			      "case %zu value %zu: %s", i, j, member->values[j].text.data);
		}
		CHECK(mail_entry_member(entry, expected[i].item, expected[i].op) == member,
		      "case %zu", i);
	}
	CHECK(mail_entry_member(entry, MAIL_ITEM_MX, MAIL_OP_SET) == NULL);
	CHECK(mail_entry_member(entry, MAIL_ITEM_SPF, MAIL_OP_SET) == NULL);
	CHECK_TEXT(mail_entry_value(entry, MAIL_ITEM_TXT), "first");
	CHECK(mail_entry_value(entry, MAIL_ITEM_MX).data == NULL);
	CHECK(mail_entry_value(entry, MAIL_ITEM_SPF).data == NULL);
	mail_entry_free(entry);
	mail_entry_free(NULL);
}

static void test_refused(void)
{
	static const struct {
		mail_section_t section;
		const char *item;
		mail_op_t op;
		const char *value;
		int ret;
	} cases[] = {
		{ MAIL_SECTION_DOMAIN, "policy", MAIL_OP_SET, "other", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "ttl", MAIL_OP_SET, "301", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "ttl", MAIL_OP_ADD, "301", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "mx", MAIL_OP_NONE, "", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "mx", MAIL_OP_SET, "10 mail", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "txt", MAIL_OP_NONE, "", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "dmarc", MAIL_OP_SET, "p=reject", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "dmarc", MAIL_OP_ADD, "sp=reject", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "dmarc", MAIL_OP_NONE, "", KNOT_EEXIST },
		{ MAIL_SECTION_DOMAIN, "delegation", MAIL_OP_ADD, "a NS b.", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "delegation", MAIL_OP_NONE, "", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "alias", MAIL_OP_NONE, "", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "mta-sts", MAIL_OP_NONE, "", KNOT_EINVAL },
		{ MAIL_SECTION_DOMAIN, "spf", MAIL_OP_SET, "", KNOT_EINVAL },
		{ MAIL_SECTION_POLICY, "base", MAIL_OP_SET, "x", KNOT_EINVAL },
		{ MAIL_SECTION_HOST, "address", MAIL_OP_SET, "192.0.2.1", KNOT_EINVAL },
		/* Allowed. */
		{ MAIL_SECTION_DOMAIN, "dmarc", MAIL_OP_SET, "pct=5", KNOT_EOK },
		{ MAIL_SECTION_DOMAIN, "spf", MAIL_OP_NONE, "", KNOT_EOK },
	};
	EACH(c, cases) {
		mail_entry_t *entry = sample();
		mail_entry_t *before = mail_entry_copy(entry);
		REQUIRE(before != NULL);
		int ret = mail_entry_add(entry, item_of(c->section, c->item), c->op,
		                         MAIL_STR(c->value), 0);
		CHECK(ret == c->ret, "%s", knot_strerror(ret));
		CHECK_INT(mail_entry_equal(entry, before), (c->ret != KNOT_EOK));
		mail_entry_free(entry);
		mail_entry_free(before);
	}
}

static void test_limits(void)
{
	static char big[MAIL_VALUE_MAX + 1];
	memset(big, 'a', sizeof(big));
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("p"));
	REQUIRE(entry != NULL);
	const mail_item_t *txt = item_of(MAIL_SECTION_POLICY, "txt");
	CHECK_INT(mail_entry_add(entry, txt, MAIL_OP_SET, (mail_str_t){ big, sizeof(big) }, 0),
	          KNOT_ELIMIT);
	CHECK_INT(entry->count, 0);
	for (size_t i = 0; i < MAIL_LIST_MAX; i++) {
		CHECK(mail_entry_add(entry, txt, MAIL_OP_SET,
		                     (mail_str_t){ big, MAIL_VALUE_MAX - i }, 0) == KNOT_EOK,
		      "value %zu", i);
	}
	CHECK_INT(add(entry, "txt", MAIL_OP_SET, "one more"), KNOT_ELIMIT);
	CHECK_INT(entry->members[0].count, MAIL_LIST_MAX);
	for (size_t i = 0; i < MAIL_LIST_MAX; i++) {
		CHECK(entry->members[0].values[i].text.len == MAIL_VALUE_MAX - i, "value %zu", i);
	}
	mail_diag_t diag = { 0 };
	CHECK_INT(mail_entry_parse(entry, txt, MAIL_OP_SET, MAIL_STR("one more"), 3, &diag),
	          KNOT_EINVAL);
	CHECK_HAS(diag.text, "64");
	mail_entry_free(entry);
}

static void test_parse(void)
{
	static const struct {
		const char *item;
		mail_op_t op;
		const char *text;
		const char *
			stored; /*!< Of the last value of the operation; NULL: refused; "": MAIL_OP_NONE. */
		const char *reason; /*!< Part of it. */
	} cases[] = {
		{ "no-mail", MAIL_OP_SET, " on ", "on", NULL },
		{ "ttl", MAIL_OP_SET, "0060", "60", NULL },
		{ "ttl", MAIL_OP_SET, "none", "", NULL },
		{ "txt", MAIL_OP_NONE, "ignored", "", NULL },
		{ "txt", MAIL_OP_ADD, "more", "more", NULL },
		{ "mta-sts", MAIL_OP_SET, "none", "none", NULL },
		{ "host", MAIL_OP_SET, "mail", "mail", NULL },
		{ "host", MAIL_OP_SET, "none", "", NULL },
		{ "autoconfig", MAIL_OP_SET, "Mail", "mail", NULL },
		{ "txt", MAIL_OP_ADD, "none", NULL, "none cannot be added to a list" },
		{ "ttl", MAIL_OP_ADD, "60", NULL, "it is no list: write ttl" },
		{ "dmarc", MAIL_OP_ADD, "p=none", NULL, "its tags are merged" },
		{ "base", MAIL_OP_SET, "none", NULL, "base is not inherited" },
		{ "ttl", MAIL_OP_SET, "x", NULL, "decimal" },
		{ "txt", MAIL_OP_SET, "", NULL, "empty" },
		{ "host", MAIL_OP_SET, "a b", NULL, "letters" },
	};
	EACH(c, cases) {
		mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("p"));
		REQUIRE(entry != NULL);
		mail_diag_t diag = { 0 };
		const mail_item_t *item = item_of(MAIL_SECTION_POLICY, c->item);
		int ret = mail_entry_parse(entry, item, c->op, MAIL_STR(c->text), 5, &diag);
		if (c->stored == NULL) {
			CHECK(ret == KNOT_EINVAL && entry->count == 0, "%d", ret);
			CHECK(strstr(diag.text, c->reason) != NULL && diag.line == 5, "line %u: %s",
			      (unsigned)diag.line, diag.text);
		} else if (CHECK(ret == KNOT_EOK && entry->count == 1, "%s", diag.text)) {
			const mail_member_t *member = &entry->members[0];
			bool none = c->stored[0] == '\0';
			CHECK((member->op == MAIL_OP_NONE) == none &&
			      member->count == (none ? 0 : 1) && member->line == 5);
			mail_str_t value = none ? MAIL_STR("") : member->values[0].text;
			CHECK_TEXT(value, c->stored);
		}
		mail_entry_free(entry);
	}
}

/*! What a second value of the same item says. */
static void test_parse_twice(void)
{
	static const struct {
		const char *item, *first, *second, *reason;
	} cases[] = {
		{ "ttl", "60", "61", "one value" },
		{ "txt", "none", "a", "alone" },
		{ "txt", "a", "none", "alone" },
		{ "txt", "none", "none", "alone" },
	};
	EACH(c, cases) {
		mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR("p"));
		REQUIRE(entry != NULL);
		mail_diag_t diag = { 0 };
		const mail_item_t *item = item_of(MAIL_SECTION_POLICY, c->item);
		int ret = mail_entry_parse(entry, item, MAIL_OP_SET, MAIL_STR(c->first), 1, &diag);
		CHECK(ret == KNOT_EOK, "%s", diag.text);
		ret = mail_entry_parse(entry, item, MAIL_OP_SET, MAIL_STR(c->second), 2, &diag);
		CHECK(ret == KNOT_EINVAL && strstr(diag.text, c->reason) != NULL && diag.line == 2,
		      "%d: line %u: %s", ret, (unsigned)diag.line, diag.text);
		mail_entry_free(entry);
	}
}

static void test_remove(void)
{
	mail_entry_t *entry = sample();
	mail_entry_remove(entry, MAIL_ITEM_SPF, MAIL_OP_SET);
	mail_entry_remove(entry, MAIL_ITEM_TXT, MAIL_OP_NONE);
	CHECK_INT(entry->count, 7);
	mail_entry_remove(entry, MAIL_ITEM_TXT, MAIL_OP_SET);
	CHECK_INT(entry->count, 6);
	CHECK(mail_entry_member(entry, MAIL_ITEM_TXT, MAIL_OP_SET) == NULL);
	CHECK(mail_entry_member(entry, MAIL_ITEM_TXT, MAIL_OP_ADD) != NULL);
	CHECK_OK(add(entry, "txt", MAIL_OP_SET, "again"));
	CHECK_TEXT(mail_entry_value(entry, MAIL_ITEM_TXT), "again");
	while (entry->count > 0) {
		mail_entry_remove(entry, entry->members[0].item->id, entry->members[0].op);
	}
	/* The array's room is told by the count: it must not be less after removals. */
	for (unsigned i = 0; i < 9; i++) {
		static const char *const items[] = { "ttl", "mx",   "spf", "txt", "ns",
			                             "caa", "bimi", "srv", "host" };
		CHECK(add(entry, items[i], MAIL_OP_SET, "1") == KNOT_EOK, "item %u", i);
	}
	CHECK_INT(entry->count, 9);
	mail_entry_free(entry);
}

static void test_equal(void)
{
	mail_entry_t *a = sample();
	a->stamp.timestamp = 5;
	a->line = 9;
	mail_entry_t *b = mail_entry_copy(a);
	REQUIRE(b != NULL);
	CHECK(b->stamp.timestamp == 5 && b->line == 9 && b->members[0].line == 7);
	CHECK(b->members[0].values[0].text.data != a->members[0].values[0].text.data);
	b->stamp.timestamp = 6;
	b->line = 1;
	b->members[0].line = 1;
	CHECK(mail_entry_equal(a, b));
	b->deleted = true;
	CHECK(!mail_entry_equal(a, b));
	b->deleted = false;
	CHECK_OK(add(b, "txt", MAIL_OP_ADD, "fourth"));
	CHECK(!mail_entry_equal(a, b));
	CHECK_OK(add(a, "txt", MAIL_OP_ADD, "vierte"));
	CHECK(!mail_entry_equal(a, b));
	mail_entry_free(b);

	b = mail_entry_copy(a);
	REQUIRE(b != NULL);
	b->section = MAIL_SECTION_POLICY;
	CHECK(!mail_entry_equal(a, b));
	b->section = a->section;
	mail_entry_remove(b, MAIL_ITEM_MX, MAIL_OP_NONE);
	CHECK(!mail_entry_equal(a, b));
	mail_entry_free(b);
	b = mail_entry_new(a->section, MAIL_STR("example.com"));
	REQUIRE(b != NULL);
	CHECK(!mail_entry_equal(a, b));
	mail_entry_free(a);
	mail_entry_free(b);
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* 241 octets in wire form leave room for a selector of two octets: 3 + 11 + 241 = 255. */
#define D241                                                                                       \
	L63 "." L63 "." L63 "."                                                                    \
	    "ccccccccccccccccccccccccccccccccccccccccccccccc"

static void test_id(void)
{
	static const struct {
		mail_section_t section;
		const char *text;
		const char *id; /*!< NULL: refused. */
		uint32_t column;
	} cases[] = {
		{ MAIL_SECTION_DOMAIN, "Example.NET.", "example.net", 0 },
		{ MAIL_SECTION_DOMAIN, "b\303\274cher.example", "xn--bcher-kva.example", 0 },
		{ MAIL_SECTION_DOMAIN, "none", "none", 0 },
		{ MAIL_SECTION_DOMAIN, ".", NULL, 1 },
		{ MAIL_SECTION_DOMAIN, "", NULL, 0 },
		{ MAIL_SECTION_DOMAIN, "a..b", NULL, 3 },
		{ MAIL_SECTION_POLICY, "Business_1.a-b", "Business_1.a-b", 0 },
		{ MAIL_SECTION_HOST, L63, L63, 0 },
		{ MAIL_SECTION_HOST, L63 "a", NULL, 64 },
		{ MAIL_SECTION_HOST, "", NULL, 0 },
		{ MAIL_SECTION_HOST, "none", NULL, 1 },
		{ MAIL_SECTION_HOST, "none1", "none1", 0 },
		{ MAIL_SECTION_KEYSET, "..", NULL, 1 },
		{ MAIL_SECTION_KEYSET, "-a", NULL, 1 },
		{ MAIL_SECTION_CERTIFICATE, "a/b", NULL, 2 },
		{ MAIL_SECTION_POLICY, "a b", NULL, 2 },
		{ MAIL_SECTION_DKIM, "Example.net/S1", "example.net/s1", 0 },
		{ MAIL_SECTION_DKIM, "example.net/a.b", "example.net/a.b", 0 },
		{ MAIL_SECTION_DKIM, "0/25.2.0.192.in-addr.arpa/s1", "0/25.2.0.192.in-addr.arpa/s1",
		  0 },
		{ MAIL_SECTION_DKIM, "_domainkey.example.net/s1", "_domainkey.example.net/s1", 0 },
		{ MAIL_SECTION_DKIM, "policy:Business/S1.x", "policy:Business/s1.x", 0 },
		{ MAIL_SECTION_DKIM, "example.net", NULL, 0 },
		{ MAIL_SECTION_DKIM, "", NULL, 0 },
		{ MAIL_SECTION_DKIM, "./s1", NULL, 1 },
		{ MAIL_SECTION_DKIM, "policy:/s1", NULL, 0 },
		{ MAIL_SECTION_DKIM, "policy:a b/s1", NULL, 9 },
		/* As they are written elsewhere. */
		{ MAIL_SECTION_DKIM, "example.net/s1._domainkey", "example.net/s1", 0 },
		{ MAIL_SECTION_DKIM, "example.net/a.b._DomainKey.Example.net.", "example.net/a.b",
		  0 },
		{ MAIL_SECTION_DKIM, "policy:p/s1._domainkey", "policy:p/s1", 0 },
		{ MAIL_SECTION_DKIM, "s1._domainkey.example.net", "example.net/s1", 0 },
		{ MAIL_SECTION_DKIM, "A.b._domainkey.Example.net.", "example.net/a.b", 0 },
		{ MAIL_SECTION_DKIM, "s1._domainkey.b\303\274cher.example",
		  "xn--bcher-kva.example/s1", 0 },
		{ MAIL_SECTION_DKIM, "example.net/s1._domainkey.example.org", NULL, 13 },
		{ MAIL_SECTION_DKIM, "_domainkey.example.net", NULL, 0 },
		{ MAIL_SECTION_DKIM, "s 1._domainkey.example.net", NULL, 2 },
		{ MAIL_SECTION_DKIM, "s1._domainkey", NULL, 0 },
		{ MAIL_SECTION_DKIM, "s1._domainkey.", NULL, 0 },
		{ MAIL_SECTION_DKIM, "example.net/_DomainKey.x", NULL, 13 },
		{ MAIL_SECTION_DKIM, D241 "/s1", D241 "/s1", 0 },
		{ MAIL_SECTION_DKIM, D241 "/s10", NULL, 0 },
	};
	EACH(c, cases) {
		mail_diag_t diag = { 0 };
		mail_buf_t out = { 0 };
		mail_buf_u8(&out, '>');
		int ret = mail_entry_id_normalise(c->section, MAIL_STR(c->text), &out, &diag);
		mail_lf_storage_t key;
		if (c->id == NULL) {
			CHECK(ret == KNOT_EINVAL && diag.text[0] != '\0' && out.len == 1, "%d %s",
			      ret, diag.text);
			CHECK(diag.column == c->column, "column %u", (unsigned)diag.column);
			CHECK_INT(mail_entry_key(c->section, MAIL_STR(c->text), &key), KNOT_EINVAL);
			mail_buf_free(&out);
			continue;
		}
		mail_str_t id = { (char *)out.data + 1, out.len - 1 };
		CHECK(ret == KNOT_EOK && mail_str_is(id, c->id), "%s %.*s", diag.text, (int)id.len,
		      id.data);

		mail_buf_t back = { 0 };
		ret = mail_entry_key(c->section, id, &key);
		if (ret == KNOT_EOK) {
			ret = mail_entry_id_from_key(c->section, mail_lf(&key), &back);
		}
		CHECK(ret == KNOT_EOK && mail_str_equal(mail_buf_view(&back), id), "%d %.*s", ret,
		      (int)back.len, (char *)back.data);
		mail_buf_free(&back);
		mail_buf_free(&out);
	}
}

/*! A name with an escaped octet has an id that can be read again. */
static void test_id_escaped(void)
{
	static const char *const texts[] = { "a\\.b.example", "a\\000b.example",
		                             "policy\\:x.example" };
	EACH(c, texts) {
		for (unsigned dkim = 0; dkim < 2; dkim++) {
			char text[64];
			snprintf(text, sizeof(text), "%s%s", *c, dkim ? "/s1" : "");
			mail_section_t section = dkim ? MAIL_SECTION_DKIM : MAIL_SECTION_DOMAIN;
			mail_buf_t once = { 0 }, again = { 0 }, back = { 0 };
			mail_lf_storage_t key;
			CHECK_OK(mail_entry_id_normalise(section, MAIL_STR(text), &once, NULL));
			CHECK(mail_entry_id_normalise(section, mail_buf_view(&once), &again,
			                              NULL) == KNOT_EOK &&
			      mail_str_equal(mail_buf_view(&once), mail_buf_view(&again)));
			int ret = mail_entry_key(section, mail_buf_view(&once), &key);
			CHECK(ret == KNOT_EOK &&
			              mail_entry_id_from_key(section, mail_lf(&key), &back) ==
			                      KNOT_EOK &&
			              mail_str_equal(mail_buf_view(&once), mail_buf_view(&back)),
			      "%.*s", (int)back.len, (char *)back.data);
			mail_buf_free(&once);
			mail_buf_free(&again);
			mail_buf_free(&back);
		}
	}
}

#define KEY(s) s, sizeof(s) - 1

static void test_key(void)
{
	static const struct {
		mail_section_t section;
		const char *id; /*!< NULL: nobody's key. */
		const char *key;
		size_t len;
	} cases[] = {
		{ MAIL_SECTION_DOMAIN, "example.net", KEY("net\0example") },
		{ MAIL_SECTION_POLICY, "business", KEY("business") },
		{ MAIL_SECTION_DKIM, "example.net/s1", KEY("net\0example\0_domainkey\0s1") },
		{ MAIL_SECTION_DKIM, "example.net/a.b", KEY("net\0example\0_domainkey\0b\0a") },
		{ MAIL_SECTION_DKIM, "policy:business/s1", KEY("\0business\0s1") },
		{ MAIL_SECTION_DKIM, "policy:business/a.b", KEY("\0business\0b\0a") },
		{ MAIL_SECTION_DOMAIN, NULL, KEY("") },
		{ MAIL_SECTION_DOMAIN, NULL, KEY("\0") },
		{ MAIL_SECTION_DOMAIN, NULL, KEY("net\0Example") },
		{ MAIL_SECTION_DOMAIN, NULL, KEY("net\0") },
		{ MAIL_SECTION_DOMAIN, NULL, KEY("net\0\1") },
		{ MAIL_SECTION_POLICY, NULL, KEY("") },
		{ MAIL_SECTION_POLICY, NULL, KEY("a b") },
		{ MAIL_SECTION_POLICY, NULL, KEY("none") },
		{ MAIL_SECTION_POLICY, NULL, KEY(L63 "a") },
		{ MAIL_SECTION_DKIM, NULL, KEY("net\0example") },
		{ MAIL_SECTION_DKIM, NULL, KEY("net\0example\0_domainkey") },
		{ MAIL_SECTION_DKIM, NULL, KEY("_domainkey\0s1") },
		{ MAIL_SECTION_DKIM, NULL, KEY("net\0example\0_domainkey\0s 1") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0business") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0business\0") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0\0s1") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0business\0s 1") },
		{ MAIL_SECTION_DKIM, NULL, KEY("\0business\0_domainkey") },
	};
	EACH(c, cases) {
		const mail_lf_t octets = { (const uint8_t *)c->key, c->len };
		mail_buf_t out = { 0 };
		int ret = mail_entry_id_from_key(c->section, octets, &out);
		if (c->id == NULL) {
			CHECK(ret == KNOT_EMALF && out.len == 0, "%d %.*s", ret, (int)out.len,
			      (char *)out.data);
		} else {
			mail_lf_storage_t key;
			int made = mail_entry_key(c->section, MAIL_STR(c->id), &key);
			CHECK(made == KNOT_EOK && mail_lf_equal(mail_lf(&key), octets), "%d", made);
			CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->id), "%d",
			      ret);
		}
		mail_buf_free(&out);
	}
}

/*! Keys of random octets give an id with that key, or none. */
static void test_key_random(void)
{
	static const char alphabet[] = "\0\0\0\1\2ab_domainkey-A.";
	unsigned seed = 1, named = 0;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t key[MAIL_LF_MAX + 8];
		mail_lf_storage_t again;
		size_t len = rand_r(&seed) % (i % 100 == 0 ? sizeof(key) : 24);
		for (size_t j = 0; j < len; j++) {
			key[j] = alphabet[rand_r(&seed) % sizeof(alphabet)];
		}
		if (i % 2 == 0 && len > 12) {
			memcpy(key + 1, "\0_domainkey", 11);
		}
		mail_section_t section = i % 3 == 0   ? MAIL_SECTION_POLICY
		                         : i % 3 == 1 ? MAIL_SECTION_DOMAIN
		                                      : MAIL_SECTION_DKIM;
		mail_buf_t id = { 0 };
		const mail_lf_t octets = { key, len };
		int ret = mail_entry_id_from_key(section, octets, &id);
		if (ret == KNOT_EOK) {
			named++;
			ret = mail_entry_key(section, mail_buf_view(&id), &again);
			CHECK(ret == KNOT_EOK && mail_lf_equal(mail_lf(&again), octets), "round %u",
			      i);
		} else {
			CHECK(ret == KNOT_EMALF, "round %u: %d", i, ret);
		}
		mail_buf_free(&id);
	}
	CHECK(named > 100);
}

static void test_allocation(void)
{
	REQUIRE(failing_linked());
	size_t runs = 0;
	bool met = true;
	mail_entry_t *from = sample();
	for (size_t i = 1; met && failing_on(i); i++) {
		mail_entry_t *entry = mail_entry_copy(from);
		int ret = entry != NULL ? KNOT_EOK : KNOT_ENOMEM;
		if (ret == KNOT_EOK) {
			const mail_item_t *item = mail_item_get(MAIL_ITEM_TXT);
			ret = mail_entry_parse(entry, item, MAIL_OP_ADD, MAIL_STR("fourth"), 1,
			                       NULL);
			size_t count = mail_entry_member(entry, MAIL_ITEM_TXT, MAIL_OP_ADD)->count;
			CHECK(count == (ret == KNOT_EOK ? 3 : 2), "allocation %zu", i);
		}
		mail_buf_t id = { 0 };
		int id_ret = mail_entry_id_normalise(MAIL_SECTION_DKIM, MAIL_STR("example.net/s1"),
		                                     &id, NULL);
		met = failing_off();
		CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM, "allocation %zu: %d", i, ret);
		CHECK(id_ret == KNOT_EOK || id_ret == KNOT_ENOMEM, "allocation %zu: %d", i, id_ret);
		CHECK(met == (ret != KNOT_EOK || id_ret != KNOT_EOK), "allocation %zu", i);
		mail_entry_free(entry);
		mail_buf_free(&id);
		runs++;
	}
	CHECK(runs > 10);
	mail_entry_free(from);
}

/* A value that a list has already: a slip of a person, but nothing wrong in a chain of certificates. */
static void test_twice(void)
{
	static const struct {
		mail_section_t section;
		mail_item_id_t item;
		const char *value, *again;
		const char *reason; /* NULL: accepted. */
		size_t count;
	} cases[] = {
		{ MAIL_SECTION_POLICY, MAIL_ITEM_TXT, "a", "a", "the same value is given twice",
		  1 },
		{ MAIL_SECTION_POLICY, MAIL_ITEM_TXT, "a", "A", NULL, 2 },
		{ MAIL_SECTION_DOMAIN, MAIL_ITEM_NS, "a.example.", "A.example.",
		  "the same value is given twice", 1 },
		{ MAIL_SECTION_POLICY, MAIL_ITEM_DMARC, "p=none", "p=none", "a tag is given twice",
		  1 },
		{ MAIL_SECTION_CERTIFICATE, MAIL_ITEM_CURRENT,
		  "2 1 1 C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4",
		  "2 1 1 C1B25A539B7841FCB98690C5E33C064203CE066135E2CD239583FEE7263336A4", NULL,
		  1 },
		{ MAIL_SECTION_CERTIFICATE, MAIL_ITEM_FORM, "3 1 1", "3 1 1",
		  "the same value is given twice", 1 },
	};
	EACH(c, cases) {
		mail_entry_t *entry = mail_entry_new(c->section, MAIL_STR("x"));
		const mail_item_t *item = mail_item_get(c->item);
		mail_diag_t diag = { 0 };
		REQUIRE(entry != NULL);
		int ret = mail_entry_parse(entry, item, MAIL_OP_SET, MAIL_STR(c->value), 7, &diag);
		CHECK(ret == KNOT_EOK, "%d %s", ret, diag.text);
		ret = mail_entry_parse(entry, item, MAIL_OP_SET, MAIL_STR(c->again), 8, &diag);
		if (c->reason == NULL) {
			CHECK(ret == KNOT_EOK, "%d %s", ret, diag.text);
		} else {
			CHECK(ret == KNOT_EINVAL && diag.line == 8 &&
			              strcmp(diag.text, c->reason) == 0,
			      "%d %u %s", ret, diag.line, diag.text);
		}
		const mail_member_t *member = mail_entry_member(entry, c->item, MAIL_OP_SET);
		CHECK(member != NULL && member->count == c->count);
		mail_entry_free(entry);
	}
}

/* A tag of DMARC has one value from a time on. */
static void test_ramps(void)
{
	static const struct {
		mail_section_t section;
		mail_op_t op;
		const char *value, *other;
		bool good;
	} cases[] = {
		{ MAIL_SECTION_POLICY, MAIL_OP_SET, "2027-01-01T00:00:00Z p=none",
		  "2027-01-01T00:00:00Z p=reject", false },
		{ MAIL_SECTION_POLICY, MAIL_OP_ADD, "2027-01-01T00:00:00Z sp=none p=none",
		  "2027-01-01T00:00:00Z p=reject", false },
		{ MAIL_SECTION_DOMAIN, MAIL_OP_SET, "2027-01-01T00:00:00Z p=none",
		  "2027-01-01T00:00:00Z sp=none p=none", false },
		{ MAIL_SECTION_DOMAIN, MAIL_OP_SET, "2027-01-01T00:00:00Z p=none",
		  "2027-01-01T00:00:00Z sp=none", true },
		{ MAIL_SECTION_POLICY, MAIL_OP_SET, "2027-01-01T00:00:00Z p=none",
		  "2027-01-02T00:00:00Z p=reject", true },
	};
	EACH(c, cases) {
		mail_entry_t *entry = mail_entry_new(c->section, MAIL_STR("a.example"));
		const mail_item_t *item = mail_item_get(MAIL_ITEM_DMARC_RAMP);
		mail_diag_t diag = { 0 };
		REQUIRE(entry != NULL);
		if (c->section == MAIL_SECTION_DOMAIN) {
			CHECK(mail_entry_add(entry, mail_item_get(MAIL_ITEM_POLICY), MAIL_OP_SET,
			                     MAIL_STR("p"), 6) == KNOT_EOK);
		}
		CHECK(mail_entry_add(entry, item, c->op, MAIL_STR(c->value), 7) == KNOT_EOK);
		CHECK(mail_entry_add(entry, item, c->op, MAIL_STR(c->other), 8) == KNOT_EOK);
		int ret = mail_entry_check(entry, &diag);
		if (c->good) {
			CHECK(ret == KNOT_EOK, "%s", diag.text);
		} else {
			CHECK(ret == KNOT_EINVAL && diag.line == 8, "%d %u", ret, diag.line);
			CHECK_STR(diag.text, "dmarc-ramp: a tag is given twice for the same time");
		}
		mail_entry_free(entry);
	}
}

UNIT_MAIN("entry", TEST("members are sorted", test_order),
          TEST("what an entry cannot take", test_refused), TEST("limits", test_limits),
          TEST("values as people write them", test_parse), TEST("second values", test_parse_twice),
          TEST("removing members", test_remove), TEST("equal entries and copies", test_equal),
          TEST("ids", test_id), TEST("ids with escapes", test_id_escaped), TEST("keys", test_key),
          TEST("random keys", test_key_random), TEST("failing allocations", test_allocation),
          TEST("a value twice", test_twice), TEST("two steps of a ramp at one time", test_ramps))
