/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/codec.h"

#include "lib/unit.h"
#include "lib/failing.h"
#include "lib/members.h"

#define OCTETS(s) s, sizeof(s) - 1

/* 1767225600 is 2026-01-01T00:00:00Z. */
#define TIME_2026 "\0\0\0\0\x69\x55\xb9\x00"
#define KEY_32 "0123456789abcdef0123456789abcdef"

/*! A member to add, by number: the section need not be asked for. */
typedef struct {
	mail_item_id_t item;
	mail_op_t op;
	const char *value;
} member_t;

#define MEMBER(op, item, value)                                                                    \
	{                                                                                          \
		MAIL_ITEM_##item, MAIL_OP_##op, value                                              \
	}
#define SET(item, value) MEMBER(SET, item, value)
#define ADD(item, value) MEMBER(ADD, item, value)
#define NONE(item) MEMBER(NONE, item, "")
#define MEMBERS_MAX 40

static mail_entry_t *make(mail_section_t section, const char *id, const member_t *members)
{
	mail_entry_t *entry = mail_entry_new(section, MAIL_STR(id));
	REQUIRE(entry != NULL);
	for (size_t i = 0; i < MEMBERS_MAX && members[i].value != NULL; i++) {
		int ret = mail_entry_add(entry, mail_item_get(members[i].item), members[i].op,
		                         MAIL_STR(members[i].value), i);
		CHECK(ret == KNOT_EOK, "%s: member %zu: %s", id, i, knot_strerror(ret));
	}
	return entry;
}

/* Entries with every type of value, every operation, and every item that is read in place. */
static const struct {
	mail_section_t section;
	const char *id;
	member_t members[MEMBERS_MAX];
} samples[] = {
	{ MAIL_SECTION_DOMAIN, "example.net", { SET(POLICY, "business") } },
	{ MAIL_SECTION_DOMAIN, "example.com", { SET(ALIAS, "example.net") } },
	{ MAIL_SECTION_DOMAIN, "example", { { 0, MAIL_OP_SET, NULL } } },
	{ MAIL_SECTION_DOMAIN,
	  "example.org",
	  { SET(POLICY, "business"), SET(TARGET, "off"), SET(DELEGATION, "sub NS ns.example.com."),
	    SET(DELEGATION, "sub NS ns2.example.com."), NONE(MX),
	    ADD(SPF, "include:_spf.crm.example"), SET(DMARC, "p=none"),
	    SET(DMARC, "rua=mailto:a@{domain}"),
	    SET(TXT, "gr\303\274n \342\202\254 \360\237\214\215"), ADD(TXT, "more"),
	    SET(NO_MAIL, "on"), SET(TTL, "2147483647") } },
	{ MAIL_SECTION_POLICY,
	  "business",
	  { SET(BASE, "default"), SET(HOST, "mail"), ADD(HOST, "ns1"), SET(MTA_STS, "none"),
	    SET(MTA_STS_MAX_AGE, "0") } },
	{ MAIL_SECTION_HOST,
	  "mail",
	  { SET(NAME, "mail"), SET(TLSA_PORT, "25"), SET(TLSA_PORT, "65535") } },
	{ MAIL_SECTION_CERTIFICATE,
	  "web",
	  { SET(DEPLOY_AT, "9999-12-31T23:59:59Z"), SET(PUBLISH, "1970-01-01T00:00:00Z") } },
	{ MAIL_SECTION_DKIM,
	  "example.net/s1",
	  { SET(PUBLISH, "2026-01-01T00:00:00Z"), SET(ACTIVATE, "2026-01-02T00:00:00Z"),
	    SET(RETIRE, "2026-01-03T00:00:00Z"), SET(REMOVE, "2026-01-04T00:00:00Z"),
	    SET(KEY, "\1\2\3\377 6789abcdef0123456789abcdef"), SET(TAGS, "t=s"),
	    SET(REVOKE, "on") } },
	{ MAIL_SECTION_DKIM, "policy:business/s1", { SET(CNAME, "k1.crm.example.") } },
};

#define SAMPLES (COUNT(samples))

static void encode_sample(size_t i, mail_entry_t **entry, mail_buf_t *out)
{
	*entry = make(samples[i].section, samples[i].id, samples[i].members);
	int ret = mail_codec_encode(*entry, out);
	CHECK(ret == KNOT_EOK, "sample %zu: %s", i, knot_strerror(ret));
}

static void test_round(void)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		mail_entry_t *entry, *back;
		mail_buf_t value = { 0 };
		encode_sample(i, &entry, &value);
		int ret = mail_codec_decode(entry->section, entry->id, value.data, value.len,
		                            &back);
		CHECK(ret == KNOT_EOK && mail_entry_equal(entry, back), "sample %zu: %d", i, ret);
		mail_entry_free(back);
		mail_entry_free(entry);
		mail_buf_free(&value);
	}
}

/*! The octets are the format: they must never change. */
static void test_layout(void)
{
	static const struct {
		mail_section_t section;
		member_t members[4];
		const char *value;
		size_t len;
	} cases[] = {
		{ MAIL_SECTION_DOMAIN,
		  { SET(POLICY, "business") },
		  OCTETS("\1\1\0\1\0\10business") },
		{ MAIL_SECTION_DOMAIN, { { 0, MAIL_OP_SET, NULL } }, OCTETS("\1") },
		{ MAIL_SECTION_DOMAIN,
		  { SET(ALIAS, "a.b"), SET(NO_MAIL, "on") },
		  OCTETS("\1\2\0\1\0\3a.b\35\0\1\1") },
		{ MAIL_SECTION_POLICY,
		  { SET(TTL, "66051"), ADD(TXT, "b"), NONE(MX) },
		  OCTETS("\1\14\2\0\33\1\1\0\1b\36\0\1\0\1\2\3") },
		{ MAIL_SECTION_POLICY,
		  { SET(TXT, "b"), SET(TXT, "a"), SET(NO_MAIL, "off") },
		  OCTETS("\1\33\0\2\0\1b\0\1a\35\0\1\0") },
		{ MAIL_SECTION_DKIM,
		  { SET(KEY, KEY_32), SET(PUBLISH, "2026-01-01T00:00:00Z") },
		  OCTETS("\1\74\0\1" TIME_2026 "\100\0\1\0\40" KEY_32) },
	};
	EACH(c, cases) {
		mail_entry_t *entry = make(c->section, "x", c->members);
		mail_buf_t value = { 0 };
		int ret = mail_codec_encode(entry, &value);
		CHECK(ret == KNOT_EOK && value.len == c->len &&
		              memcmp(value.data, c->value, value.len) == 0,
		      "%d, %zu octets", ret, value.len);
		mail_buf_free(&value);
		mail_entry_free(entry);
	}
}

/*! Values that mail_item_normalise() never writes. */
static void test_encode_refused(void)
{
	static const struct {
		mail_section_t section;
		member_t members[2];
	} cases[] = {
		{ MAIL_SECTION_POLICY, { SET(TTL, "2147483648") } },
		{ MAIL_SECTION_POLICY, { SET(TTL, "99999999999999999999999") } },
		{ MAIL_SECTION_POLICY, { SET(TTL, "1 ") } },
		{ MAIL_SECTION_POLICY, { SET(NO_MAIL, "true") } },
		{ MAIL_SECTION_POLICY, { SET(TXT, "a\nb") } },
		{ MAIL_SECTION_POLICY, { SET(TXT, "\377") } },
		{ MAIL_SECTION_HOST, { SET(TLSA_PORT, "0") } },
		{ MAIL_SECTION_DKIM, { SET(PUBLISH, "yesterday") } },
		{ MAIL_SECTION_DKIM, { SET(PUBLISH, "1969-12-31T23:59:59Z") } },
	};
	EACH(c, cases) {
		mail_entry_t *entry = make(c->section, "x", c->members);
		mail_buf_t value = { 0 };
		mail_buf_u8(&value, 7);
		CHECK(mail_codec_encode(entry, &value) == KNOT_EINVAL && value.len == 1 &&
		      value.data[0] == 7);
		mail_buf_free(&value);
		mail_entry_free(entry);
	}
	mail_entry_t *entry = make(samples[0].section, samples[0].id, samples[0].members);
	uint8_t room[13];
	mail_buf_t small = MAIL_BUF_FIXED(room, sizeof(room));
	CHECK_INT(mail_codec_encode(entry, &small), KNOT_ESPACE);
	CHECK_INT(small.len, 0);
	mail_entry_free(entry);
}

static void test_decode_refused(void)
{
	static const struct {
		mail_section_t section;
		const char *value;
		size_t len;
		int ret;
	} cases[] = {
		{ MAIL_SECTION_DOMAIN, OCTETS(""), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\3"), KNOT_ENOTSUP },
		{ MAIL_SECTION_POLICY, OCTETS("\2"), KNOT_ENOTSUP },
		{ MAIL_SECTION_DOMAIN, OCTETS("\2"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\377\1\0\1\0\1a"), KNOT_ENOTSUP },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\1"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\1\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\1\0\2a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\1\0\1a\2"), KNOT_EMALF },
		/* An empty value; a value over the limit. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\1\0\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\377\377a"), KNOT_EMALF },
		/* Item 0, an unknown item, an item of another section. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\0\0\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\10\0\1\0\1a"), KNOT_ENOTSUP },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\377\0\1\0\1a"), KNOT_ENOTSUP },
		{ MAIL_SECTION_POLICY, OCTETS("\1\1\0\1\0\1a"), KNOT_EMALF },
		/* An operation that there is not, that the item has not, and counts that do not fit it. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\3\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\36\1\1\0\0\0\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\2\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\2\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\1\0\2\0\1a\0\1b"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\101"), KNOT_ENOTSUP },
		/* Not sorted, twice, set beside none, a tag twice. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\2\0\1\0\1a\1\0\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\1\1\0\1a\33\0\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\0\1a\33\0\1\0\1a"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\0\1a\33\2\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\17\0\2\0\3p=a\0\3p=b"), KNOT_EMALF },
		/* Values out of bounds. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\35\0\1\2"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\36\0\1\200\0\0\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\0\1\n"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\0\2\302\200"), KNOT_EMALF },
		{ MAIL_SECTION_DKIM, OCTETS("\1\74\0\1\377\377\377\377\377\377\377\377"),
		  KNOT_EMALF },
		{ MAIL_SECTION_DKIM, OCTETS("\1\74\0\1\0\0\0\x3a\xff\xf4\x41\x80"), KNOT_EMALF },
		{ MAIL_SECTION_HOST, OCTETS("\1\54\0\1\0\0\0\0"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\5\0\1\0\0\0\x3a\xff\xf4\x41\x80"), KNOT_EMALF },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\5\0\1\0\0\0\0"), KNOT_EMALF },
		/* Right ones, beside the wrong ones. */
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\5\0\1\0\0\0\0\0\0\0\1"), KNOT_EOK },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\0\1\0\1a\33\1\1\0\1a"), KNOT_EOK },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\33\1\1\0\1a\33\2\0"), KNOT_EOK },
		{ MAIL_SECTION_DOMAIN, OCTETS("\1\17\0\2\0\3p=a\0\4sp=b"), KNOT_EOK },
		{ MAIL_SECTION_DKIM, OCTETS("\1\74\0\1\0\0\0\x3a\xff\xf4\x41\x7f"), KNOT_EOK },
	};
	EACH(c, cases) {
		mail_entry_t *entry = NULL;
		int ret = mail_codec_decode(c->section, MAIL_STR("x"), (const uint8_t *)c->value,
		                            c->len, &entry);
		CHECK(ret == c->ret, "%s", knot_strerror(ret));
		CHECK_INT((entry != NULL), (ret == KNOT_EOK));
		mail_entry_free(entry);
	}
}

static void test_domain(void)
{
	static const struct {
		const char *value;
		size_t len;
		int ret;
		const char *policy, *alias;
		bool plain;
	} cases[] = {
		{ OCTETS("\1\1\0\1\0\10business"), KNOT_EOK, "business", "", true },
		{ OCTETS("\1\2\0\1\0\3a.b"), KNOT_EOK, "", "a.b", true },
		{ OCTETS("\1\1\0\1\0\1p\2\0\1\0\1a"), KNOT_EOK, "p", "a", true },
		{ OCTETS("\1"), KNOT_EOK, "", "", true },
		{ OCTETS("\1\1\0\1\0\1p\33\0\1\0\1a"), KNOT_EOK, "p", "", false },
		{ OCTETS("\1\33\0\1\0\1a"), KNOT_EOK, "", "", false },
		/* Nobody knows what an item does that is not known here. */
		{ OCTETS("\1\1\0\1\0\1p\377\0\1\0\1a"), KNOT_ENOTSUP, "p", "", false },
		{ OCTETS(""), KNOT_EMALF, "", "", false },
		{ OCTETS("\2\1\0\1\0\1p"), KNOT_EMALF, "", "", false },
		{ OCTETS("\3\1\0\1\0\1p"), KNOT_ENOTSUP, "", "", false },
		{ OCTETS("\1\1\0\1\0\2p"), KNOT_EMALF, "", "", false },
		{ OCTETS("\1\1\0\1\0\0"), KNOT_EMALF, "", "", false },
		{ OCTETS("\1\1\2\0"), KNOT_EMALF, "", "", false },
		{ OCTETS("\1\1\1\1\0\1p"), KNOT_EMALF, "", "", false },
		{ OCTETS("\1\2\0\1\0\1a\1\0\1\0\1p"), KNOT_EMALF, "", "a", false },
		{ OCTETS("\1\1\0\1\0\1p\33"), KNOT_EMALF, "p", "", false },
	};
	EACH(c, cases) {
		mail_domain_t domain;
		memset(&domain, 0xff, sizeof(domain));
		int ret = mail_codec_domain((const uint8_t *)c->value, c->len, &domain);
		if (!CHECK(ret == c->ret, "%s", knot_strerror(ret)) || ret != KNOT_EOK) {
			continue;
		}
		CHECK_TEXT(domain.policy, c->policy);
		CHECK_TEXT(domain.alias, c->alias);
		CHECK(domain.plain == c->plain && domain.stamp.timestamp == 0);
	}
}

static void test_dkim(void)
{
	static const struct {
		const char *value;
		size_t len;
		int ret;
		const char *tags;
		int64_t publish, remove;
		bool key, revoke;
	} cases[] = {
		{ OCTETS("\1\100\0\1\0\40" KEY_32), KNOT_EOK, "h=sha256", 0, INT64_MAX, true,
		  false },
		{ OCTETS("\1\101\0\1\0\2a."), KNOT_EOK, "h=sha256", 0, INT64_MAX, false, false },
		{ OCTETS("\1\74\0\1" TIME_2026 "\77\0\1\0\0\0\0\0\0\0\7\100\0\1\0\40" KEY_32
		         "\102\0\1\0\4none\103\0\1\1"),
		  KNOT_EOK, "", 1767225600, 7, true, true },
		{ OCTETS("\1\100\0\1\0\40" KEY_32 "\102\0\1\0\3t=y\103\0\1\0"), KNOT_EOK, "t=y", 0,
		  INT64_MAX, true, false },
		/* Neither key nor cname, or both. */
		{ OCTETS("\1"), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\74\0\1" TIME_2026), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\1\0\1k\101\0\1\0\2a."), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS(""), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\2"), KNOT_ENOTSUP, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\1\0\1k\104\0\1\0\1a"), KNOT_ENOTSUP, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\1\0\1k\104\1\2\0\1a"), KNOT_ENOTSUP, "", 0, 0, false, false },
		{ OCTETS("\1\1\0\1\0\1p\100\0\1\0\1k"), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\100\1\1\0\1k"), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\2\0\1k\0\1l"), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\1\0\1k\103\0\1\2"), KNOT_EMALF, "", 0, 0, false, false },
		{ OCTETS("\1\100\0\1\0\1k\77\0\1" TIME_2026), KNOT_EMALF, "", 0, 0, false, false },
	};
	EACH(c, cases) {
		mail_dkim_t dkim;
		memset(&dkim, 0xff, sizeof(dkim));
		int ret = mail_codec_dkim((const uint8_t *)c->value, c->len, &dkim);
		if (!CHECK(ret == c->ret, "%s", knot_strerror(ret)) || ret != KNOT_EOK) {
			continue;
		}
		CHECK_TEXT(dkim.tags, c->tags);
		CHECK_TEXT(dkim.key, c->key ? KEY_32 : "");
		CHECK_TEXT(dkim.cname, c->key ? "" : "a.");
		CHECK(dkim.publish == c->publish && dkim.activate == 0 &&
		      dkim.retire == INT64_MAX && dkim.remove == c->remove &&
		      dkim.revoke == c->revoke && dkim.stamp.timestamp == 0);
	}
}

/*!
 * Feeds octets to all readers. They come in memory of just their length, so that a sanitizer sees
 * what is read beyond. What is decoded must be encoded to the same octets, and the readers in place
 * must agree.
 */
static int feed(mail_section_t section, const uint8_t *octets, size_t len, const char *what,
                size_t n)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	REQUIRE(copy != NULL);
	memcpy(copy, octets, len);
	mail_entry_t *entry;
	mail_domain_t domain;
	mail_dkim_t dkim;
	int ret = mail_codec_decode(section, MAIL_STR("x"), copy, len, &entry);
	int domain_ret = mail_codec_domain(copy, len, &domain);
	int dkim_ret = mail_codec_dkim(copy, len, &dkim);
	CHECK(ret == KNOT_EOK || ret == KNOT_EMALF || ret == KNOT_ENOTSUP, "%s %zu: %d", what, n,
	      ret);
	if (ret == KNOT_EOK) {
		CHECK(same_members(entry, copy, len), "%s %zu", what, n);
	}
	if (ret == KNOT_EOK && section == MAIL_SECTION_DOMAIN) {
		CHECK(domain_ret == KNOT_EOK &&
		              mail_str_equal(domain.policy,
		                             mail_entry_value(entry, MAIL_ITEM_POLICY)) &&
		              mail_str_equal(domain.alias,
		                             mail_entry_value(entry, MAIL_ITEM_ALIAS)),
		      "%s %zu: %d", what, n, domain_ret);
	} else if (ret == KNOT_EOK && section == MAIL_SECTION_DKIM) {
		mail_str_t key = mail_entry_value(entry, MAIL_ITEM_KEY);
		mail_str_t cname = mail_entry_value(entry, MAIL_ITEM_CNAME);
		CHECK((dkim_ret == KNOT_EOK) == ((key.len == 0) != (cname.len == 0)), "%s %zu: %d",
		      what, n, dkim_ret);
		CHECK(dkim_ret != KNOT_EOK ||
		              (mail_str_equal(dkim.key, key) && mail_str_equal(dkim.cname, cname)),
		      "%s %zu", what, n);
	}
	mail_entry_free(entry);
	free(copy);
	return ret;
}

static void test_truncated(void)
{
	size_t refused = 0;
	for (size_t i = 0; i < SAMPLES; i++) {
		mail_entry_t *entry;
		mail_buf_t value = { 0 };
		encode_sample(i, &entry, &value);
		for (size_t len = 0; len < value.len; len++) {
			refused += feed(entry->section, value.data, len, "truncated",
			                i * 1000 + len) != KNOT_EOK;
		}
		mail_buf_u8(&value, 0);
		CHECK(feed(entry->section, value.data, value.len, "longer", i) != KNOT_EOK);
		mail_buf_free(&value);
		mail_entry_free(entry);
	}
	CHECK(refused > 100);
}

static void test_flipped(void)
{
	size_t refused = 0;
	for (size_t i = 0; i < SAMPLES; i++) {
		mail_entry_t *entry;
		mail_buf_t value = { 0 };
		encode_sample(i, &entry, &value);
		for (size_t pos = 0; pos < value.len; pos++) {
			uint8_t right = value.data[pos];
			for (unsigned octet = 0; octet < 256; octet++) {
				value.data[pos] = octet;
				refused += feed(entry->section, value.data, value.len, "flipped",
				                i * 1000 + pos) != KNOT_EOK;
			}
			value.data[pos] = right;
		}
		mail_buf_free(&value);
		mail_entry_free(entry);
	}
	CHECK(refused > 1000);
}

/*! Octets that look like values: random heads with values that fit more often than not. */
static void test_random(void)
{
	unsigned seed = 1, read = 0;
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t value[96];
		size_t len = rand_r(&seed) % sizeof(value), pos = 0;
		for (size_t i = 0; i < len; i++) {
			value[i] = round % 4 == 0 ? rand_r(&seed) : 'a' + rand_r(&seed) % 26;
		}
		for (unsigned item = 0; pos + 6 < len && round % 4 != 0;) {
			item += 1 + rand_r(&seed) % 30;
			value[0] = 1;
			value[pos + 1] = item;
			value[pos + 2] = rand_r(&seed) % 8 == 0;
			value[pos + 3] = 1;
			value[pos + 4] = 0;
			value[pos + 5] = rand_r(&seed) % 8;
			pos += 5 + value[pos + 5];
			len = rand_r(&seed) % 4 == 0 && pos < len ? pos + 1 : len;
		}
		read += feed(rand_r(&seed) % MAIL_SECTION_COUNT, value, len, "random", round) ==
		        KNOT_EOK;
	}
	CHECK(read > 100);
}

static void test_allocation(void)
{
	REQUIRE(failing_linked());
	for (size_t s = 0; s < SAMPLES; s++) {
		mail_entry_t *entry;
		mail_buf_t value = { 0 };
		encode_sample(s, &entry, &value);
		bool met = true;
		size_t runs = 0;
		for (size_t i = 1; met && failing_on(i); i++) {
			mail_entry_t *back;
			mail_buf_t again = { 0 };
			int ret = mail_codec_decode(entry->section, entry->id, value.data,
			                            value.len, &back);
			int put = mail_codec_encode(entry, &again);
			met = failing_off();
			CHECK(ret == KNOT_EOK ? mail_entry_equal(entry, back)
			                      : ret == KNOT_ENOMEM && back == NULL,
			      "sample %zu allocation %zu: %d", s, i, ret);
			CHECK(put == KNOT_EOK || (put == KNOT_ENOMEM && again.len == 0),
			      "sample %zu allocation %zu: %d", s, i, put);
			CHECK(met == (ret != KNOT_EOK || put != KNOT_EOK),
			      "sample %zu allocation %zu", s, i);
			mail_entry_free(back);
			mail_buf_free(&again);
			runs++;
		}
		CHECK(runs > 3, "sample %zu", s);
		mail_buf_free(&value);
		mail_entry_free(entry);
	}
}

UNIT_MAIN("codec", TEST("encoded and decoded", test_round), TEST("the layout", test_layout),
          TEST("values that are not encoded", test_encode_refused),
          TEST("octets that are not decoded", test_decode_refused),
          TEST("domains in place", test_domain), TEST("DKIM keys in place", test_dkim),
          TEST("truncated values", test_truncated), TEST("every octet changed", test_flipped),
          TEST("random octets", test_random), TEST("failing allocations", test_allocation))
