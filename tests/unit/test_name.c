/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "mail/name.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*! A string literal with its length, so that it can hold NUL. */
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

/*! n times a character, within a text that is being built. */
static size_t fill(char *text, size_t pos, char c, size_t n)
{
	memset(text + pos, c, n);
	return pos + n;
}

/*! A name of four labels with the lengths given, as text without a dot at its end. */
static mail_str_t four_labels(char text[512], size_t a, size_t b, size_t c, size_t d)
{
	size_t pos = fill(text, 0, 'a', a);
	pos = fill(text, pos, '.', 1);
	pos = fill(text, pos, 'b', b);
	pos = fill(text, pos, '.', 1);
	pos = fill(text, pos, 'c', c);
	pos = fill(text, pos, '.', 1);
	pos = fill(text, pos, 'd', d);
	return (mail_str_t){ text, pos };
}

static void test_parse(void)
{
	static const struct {
		mail_str_t text, wire;
		const char *print; /* NULL: as text. */
	} cases[] = {
		{ LIT("."), LIT("\0"), NULL },
		{ LIT("org"), LIT("\3org\0"), NULL },
		{ LIT("example.org"), LIT("\7example\3org\0"), NULL },
		{ LIT("example.org."), LIT("\7example\3org\0"), "example.org" },
		{ LIT("ExAmPlE.ORG"), LIT("\7example\3org\0"), "example.org" },
		{ LIT("*.web.example"), LIT("\1*\3web\7example\0"), NULL },
		{ LIT("_25._tcp.0/26.x-y"),
		  LIT("\3_25\4_tcp\4"
		      "0/26\3x-y\0"),
		  NULL },
		/* Any octet, RFC 1035 5.1 and RFC 2181 11. */
		{ LIT("org\\000example"), LIT("\13org\0example\0"), NULL },
		{ LIT("a\\.b.c"), LIT("\3a.b\1c\0"), NULL },
		{ LIT("a\\\\b"), LIT("\3a\\b\0"), NULL },
		{ LIT("a\\046b"), LIT("\3a.b\0"), "a\\.b" },
		{ LIT("\\097\\065"), LIT("\2aa\0"), "aa" },
		{ LIT("\\255\\128\\127\\032\\001"), LIT("\5\377\200\177 \1\0"), NULL },
		{ LIT("\\@\\{\\}\\;\\\"\\$\\("), LIT("\7@{};\"$(\0"), NULL },
		{ LIT("XN--BCHER-KVA"), LIT("\15xn--bcher-kva\0"), "xn--bcher-kva" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		knot_dname_storage_t name;
		mail_diag_t diag = { 0 };
		int ret = mail_name_parse(cases[i].text, name, &diag);
		if (!UNIT_CHECK(ret == KNOT_EOK, "case %zu: %d %s", i, ret, diag.text)) {
			continue;
		}
		size_t len = knot_dname_size(name);
		UNIT_CHECK(len == cases[i].wire.len && memcmp(name, cases[i].wire.data, len) == 0,
		           "case %zu: %zu octets", i, len);
		mail_buf_t out = { 0 };
		ret = mail_name_print(name, &out);
		const char *print = cases[i].print != NULL ? cases[i].print : cases[i].text.data;
		UNIT_CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), print),
		           "case %zu: %.*s", i, (int)out.len, (char *)out.data);
		mail_buf_free(&out);
	}
}

static void test_refused(void)
{
	static const struct {
		mail_str_t text;
		uint32_t column;
		const char *reason; /* A part of it. */
	} cases[] = {
		{ LIT(""), 0, "missing" },
		{ LIT(".."), 1, "empty label" },
		{ LIT(".org"), 1, "empty label" },
		{ LIT("a..b"), 3, "empty label" },
		{ LIT("a.."), 3, "empty label" },
		{ LIT("a b"), 2, "white space" },
		{ LIT("a\tb"), 2, "white space" },
		{ LIT("a\nb"), 2, "\\010" },
		{ LIT("a\0b"), 2, "\\000" },
		{ LIT("@"), 1, "address" },
		{ LIT("me@example.org"), 3, "address" },
		{ LIT("mail:25"), 5, "':'" },
		{ LIT("\"mail\""), 1, "'\"'" },
		{ LIT("(mail)"), 1, "'('" },
		{ LIT("{domain}"), 1, "{domain} cannot stand here" },
		{ LIT("mail.{domain}"), 6, "{domain} cannot stand here" },
		{ LIT("{domian}.org"), 1, "not known" },
		{ LIT("a\\"), 2, "backslash" },
		{ LIT("a\\2"), 2, "backslash" },
		{ LIT("a\\25"), 2, "backslash" },
		{ LIT("a\\256"), 2, "255" },
		{ LIT("a\\999"), 2, "255" },
		{ LIT("a\\ b"), 2, "backslash" },
		/* U-labels are for dns/idna.h. */
		{ LIT("a.b\xc3\xbc"), 4, "\\195" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		knot_dname_storage_t name;
		mail_diag_t diag = { 0 };
		int ret = mail_name_parse(cases[i].text, name, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column, "case %zu: column %u: %s", i,
		           diag.column, diag.text);
		UNIT_CHECK(strstr(diag.text, cases[i].reason) != NULL, "case %zu: %s", i,
		           diag.text);
		UNIT_CHECK(mail_name_parse(cases[i].text, name, NULL) == KNOT_EINVAL, "case %zu",
		           i);
	}
}

static void test_lengths(void)
{
	static const struct {
		size_t a, b, c, d;
		int ret;
		uint32_t column;
	} cases[] = {
		{ 63, 63, 63, 61, KNOT_EOK, 0 },      /* 255 octets. */
		{ 63, 63, 63, 62, KNOT_EINVAL, 193 }, /* 256 octets. */
		{ 63, 63, 63, 63, KNOT_EINVAL, 193 }, { 64, 1, 1, 1, KNOT_EINVAL, 1 },
		{ 1, 64, 1, 1, KNOT_EINVAL, 3 },      { 1, 1, 1, 64, KNOT_EINVAL, 7 },
		{ 1, 1, 1, 300, KNOT_EINVAL, 7 },     { 63, 1, 1, 63, KNOT_EOK, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512];
		mail_str_t name_text = four_labels(text, cases[i].a, cases[i].b, cases[i].c,
		                                   cases[i].d);
		knot_dname_storage_t name;
		mail_diag_t diag = { 0 };
		int ret = mail_name_parse(name_text, name, &diag);
		UNIT_CHECK(ret == cases[i].ret && diag.column == cases[i].column,
		           "case %zu: %d column %u %s", i, ret, diag.column, diag.text);
		if (ret == KNOT_EOK) {
			size_t len = name_text.len + 2;
			UNIT_CHECK(knot_dname_size(name) == len, "case %zu", i);
		}
		/* A dot at the end takes no room. */
		text[name_text.len++] = '.';
		UNIT_CHECK(mail_name_parse(name_text, name, NULL) == cases[i].ret, "case %zu", i);
	}
}

static void test_many_labels(void)
{
	char text[512];
	for (size_t labels = 120; labels <= 130; labels++) {
		for (size_t i = 0; i < labels; i++) {
			text[2 * i] = (char)('a' + i % 26);
			text[2 * i + 1] = '.';
		}
		knot_dname_storage_t name;
		int ret = mail_name_parse((mail_str_t){ text, 2 * labels }, name, NULL);
		UNIT_CHECK(ret == (labels <= 127 ? KNOT_EOK : KNOT_EINVAL), "%zu labels: %d",
		           labels, ret);
		if (ret != KNOT_EOK) {
			continue;
		}
		UNIT_CHECK(knot_dname_labels(name, NULL) == labels, "%zu labels", labels);
		mail_lf_storage_t key;
		mail_name_lf(name, &key);
		UNIT_CHECK(key.len == 2 * labels - 1, "%zu labels: %zu octets", labels, key.len);
		UNIT_CHECK(mail_lf_labels(mail_lf(&key)) == labels, "%zu labels", labels);
		knot_dname_storage_t back;
		UNIT_CHECK(mail_name_from_lf(mail_lf(&key), back) == KNOT_EOK &&
		                   knot_dname_is_equal(name, back),
		           "%zu labels", labels);
	}
}

static void test_key(void)
{
	static const struct {
		mail_str_t wire, key;
		unsigned labels;
		size_t parent;
	} cases[] = {
		{ LIT("\0"), LIT(""), 0, 0 },
		{ LIT("\3org\0"), LIT("org"), 1, 0 },
		{ LIT("\7example\3org\0"), LIT("org\0example"), 2, 3 },
		{ LIT("\4MAIL\7eXample\3ORG\0"), LIT("org\0example\0mail"), 3, 11 },
		/* One label with NUL is not two labels. */
		{ LIT("\13org\0example\0"), LIT("org\1\1example"), 1, 0 },
		{ LIT("\3a.b\1c\0"), LIT("c\0a.b"), 2, 1 },
		{ LIT("\2\0\1\2\1\2\0"), LIT("\1\2\2\0\1\1\1\2"), 2, 3 },
		{ LIT("\4@[`{\4Z\377\200z\0"), LIT("z\377\200z\0@[`{"), 2, 4 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_lf_storage_t key;
		mail_name_lf((const uint8_t *)cases[i].wire.data, &key);
		UNIT_CHECK(mail_str_equal((mail_str_t){ (char *)key.data, key.len }, cases[i].key),
		           "case %zu: %zu octets", i, key.len);
		UNIT_CHECK(mail_lf_labels(mail_lf(&key)) == cases[i].labels, "case %zu", i);
		const mail_lf_t parent = mail_lf_parent(mail_lf(&key));
		UNIT_CHECK(parent.len == cases[i].parent, "case %zu: %zu", i, parent.len);
		knot_dname_storage_t back;
		UNIT_CHECK(mail_name_from_lf(mail_lf(&key), back) == KNOT_EOK, "case %zu", i);
		UNIT_CHECK(knot_dname_is_case_equal(back, (const uint8_t *)cases[i].wire.data),
		           "case %zu", i);
	}
}

static void test_key_longest(void)
{
	/* Every octet of the name doubles in the key; nothing longer exists. */
	uint8_t wire[KNOT_DNAME_MAXLEN] = { 63 };
	wire[64] = 63;
	wire[128] = 63;
	wire[192] = 61;
	mail_lf_storage_t key;
	memset(&key, 0xee, sizeof(key));
	mail_name_lf(wire, &key);
	UNIT_CHECK(key.len == 503 && key.data[key.len] == 0xee, "%zu", key.len);
	knot_dname_storage_t back;
	UNIT_CHECK(mail_name_from_lf(mail_lf(&key), back) == KNOT_EOK, "back");
	UNIT_CHECK(memcmp(back, wire, sizeof(wire)) == 0, "the same name");
}

static void test_key_refused(void)
{
	static const mail_str_t cases[] = {
		LIT("\0"),      LIT("org\0"),  LIT("\0org"), LIT("org\0\0example"),
		LIT("\1"),      LIT("org\1"),  LIT("\1\0"),  LIT("\1\3"),
		LIT("a\1\377"), LIT("\1\1\1"), LIT("Org"),   LIT("org\0Example"),
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		knot_dname_storage_t name;
		const mail_lf_t lf = { (const uint8_t *)cases[i].data, cases[i].len };
		int ret = mail_name_from_lf(lf, name);
		UNIT_CHECK(ret == KNOT_EMALF, "case %zu: %d", i, ret);
	}

	mail_lf_storage_t key;
	memset(key.data, 'a', sizeof(key.data));
	knot_dname_storage_t name;
	UNIT_CHECK(mail_name_from_lf((mail_lf_t){ key.data, 63 }, name) == KNOT_EOK, "63");
	UNIT_CHECK(mail_name_from_lf((mail_lf_t){ key.data, 64 }, name) == KNOT_EMALF, "64");
	key.data[63] = key.data[127] = key.data[191] = 0;
	UNIT_CHECK(mail_name_from_lf((mail_lf_t){ key.data, 253 }, name) == KNOT_EOK, "255 octets");
	UNIT_CHECK(knot_dname_size(name) == 255, "%zu", knot_dname_size(name));
	UNIT_CHECK(mail_name_from_lf((mail_lf_t){ key.data, 254 }, name) == KNOT_EMALF,
	           "256 octets");
	UNIT_CHECK(mail_name_from_lf((mail_lf_t){ key.data, MAIL_LF_MAX }, name) == KNOT_EMALF,
	           "more");
}

/*! Pseudo-random numbers, the same in every run. */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/*! A name of up to 4 labels of up to 3 octets from a small set, so that names often agree. */
static void random_name(uint32_t *state, uint8_t *wire)
{
	static const uint8_t octets[] = { 0, 1, 2, '.', 'A', 'a', 'b', 'Z', 0xff };
	unsigned labels = next_number(state) % 5;
	for (unsigned i = 0; i < labels; i++) {
		uint8_t len = 1 + next_number(state) % 3;
		*wire++ = len;
		while (len-- > 0) {
			*wire++ = octets[next_number(state) % COUNT(octets)];
		}
	}
	*wire = 0;
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static int octets_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int ret = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return ret != 0 ? sign(ret) : (a_len > b_len) - (a_len < b_len);
}

static const uint8_t *label_at(const uint8_t *name, size_t n)
{
	while (n-- > 0) {
		name += *name + 1;
	}
	return name;
}

/*!
 * RFC 4034 6.1, label by label from the right. Not knot_dname_cmp(), for which the one label
 * "org\000example" equals the two of "example.org".
 */
static int name_compare(const uint8_t *a, const uint8_t *b)
{
	size_t a_labels = knot_dname_labels(a, NULL), b_labels = knot_dname_labels(b, NULL);
	for (size_t n = 1; n <= a_labels && n <= b_labels; n++) {
		const uint8_t *x = label_at(a, a_labels - n);
		const uint8_t *y = label_at(b, b_labels - n);
		int ret = octets_compare(x + 1, *x, y + 1, *y);
		if (ret != 0) {
			return ret;
		}
	}
	return (a_labels > b_labels) - (a_labels < b_labels);
}

/* Keys sort as RFC 4034 6.1 sorts names, are equal when names are, and tell what lies below what. */
static void test_key_order(void)
{
	uint32_t state = 20260131;
	unsigned order = 0, below = 0, back = 0, equal = 0, inside = 0, prefix = 0, decided = 0;
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t a[64], b[64];
		mail_lf_storage_t room_a, room_b, joined;
		random_name(&state, a);
		random_name(&state, b);
		mail_name_lf(a, &room_a);
		mail_name_lf(b, &room_b);
		const mail_lf_t lf_a = mail_lf(&room_a), lf_b = mail_lf(&room_b);
		knot_dname_to_lower(a);
		knot_dname_to_lower(b);

		const int diff = octets_compare(lf_a.data, lf_a.len, lf_b.data, lf_b.len);
		order += diff != name_compare(a, b) || diff != sign(mail_lf_compare(lf_a, lf_b)) ||
		         (diff == 0) != mail_lf_equal(lf_a, lf_b);
		const uint64_t first_a = mail_lf_prefix(lf_a);
		const uint64_t first_b = mail_lf_prefix(lf_b);
		prefix += first_a != first_b && (first_a < first_b) != (diff < 0);
		decided += first_a != first_b;
		bool in = knot_dname_in_bailiwick(a, b) >= 0;
		below += mail_lf_in(lf_a, lf_b) != in ||
		         mail_lf_below(lf_a, lf_b) != (in && diff != 0);
		/* What a name has below another one, joined with that, is the name; and lies between its edges. */
		if (in) {
			mail_lf_storage_t ahead = room_b, behind = room_b;
			mail_lf_ahead(&ahead);
			mail_lf_behind(&behind);
			below += mail_lf_join(lf_b, mail_lf_relative(lf_a, lf_b), &joined) !=
			                 KNOT_EOK ||
			         !mail_lf_equal(mail_lf(&joined), lf_a);
			below += diff != 0 && lf_b.len > 0 &&
			         (mail_lf_compare(mail_lf(&ahead), lf_a) >= 0 ||
			          mail_lf_compare(lf_a, mail_lf(&behind)) >= 0);
		}
		inside += in;
		equal += knot_dname_is_equal(a, b);
		knot_dname_storage_t name;
		back += mail_name_from_lf(lf_a, name) != KNOT_EOK ||
		        !knot_dname_is_equal(a, name) ||
		        mail_lf_labels(lf_a) != knot_dname_labels(a, NULL);
		if (a[0] != 0) {
			mail_lf_storage_t up;
			mail_name_lf(a + a[0] + 1, &up);
			below += !mail_lf_equal(mail_lf_parent(lf_a), mail_lf(&up));
		}
	}
	UNIT_CHECK(order == 0, "%u pairs sort otherwise", order);
	UNIT_CHECK(prefix == 0, "%u prefixes sort otherwise", prefix);
	UNIT_CHECK(decided > 1000, "%u decided by their prefixes: too few", decided);
	UNIT_CHECK(below == 0, "%u relations differ", below);
	UNIT_CHECK(back == 0, "%u names do not come back", back);
	UNIT_CHECK(equal > 1000 && inside > 1000, "%u equal, %u inside: too few", equal, inside);
}

static void test_pattern(void)
{
	static const struct {
		mail_str_t text;
		mail_str_t wire;    /* For example.org. */
		const char *normal; /* NULL: as text. */
		const char *print;
		bool hole;
	} cases[] = {
		{ LIT("mail"), LIT("\4mail\7example\3org\0"), NULL, "mail.{domain}", true },
		{ LIT("a.b"), LIT("\1a\1b\7example\3org\0"), NULL, "a.b.{domain}", true },
		{ LIT("@"), LIT("\7example\3org\0"), NULL, "{domain}", true },
		{ LIT("{domain}"), LIT("\7example\3org\0"), "@", "{domain}", true },
		{ LIT("{domain}."), LIT("\7example\3org\0"), "@", "{domain}", true },
		{ LIT("mail.{domain}"), LIT("\4mail\7example\3org\0"), "mail", "mail.{domain}",
		  true },
		{ LIT("mail.{domain}."), LIT("\4mail\7example\3org\0"), "mail", "mail.{domain}",
		  true },
		{ LIT("{domain}.relay.example."), LIT("\7example\3org\5relay\7example\0"), NULL,
		  "{domain}.relay.example", true },
		{ LIT("X.{domain}.Relay.example."), LIT("\1x\7example\3org\5relay\7example\0"),
		  "x.{domain}.relay.example.", "x.{domain}.relay.example", true },
		{ LIT("mail.example.com."), LIT("\4mail\7example\3com\0"), NULL, "mail.example.com",
		  false },
		{ LIT("."), LIT("\0"), NULL, ".", false },
		{ LIT("*.web"), LIT("\1*\3web\7example\3org\0"), NULL, "*.web.{domain}", true },
		{ LIT("\\{domain\\}.x."), LIT("\10{domain}\1x\0"), NULL, "\\{domain\\}.x", false },
		{ LIT("\\@"), LIT("\1@\7example\3org\0"), NULL, "\\@.{domain}", true },
		{ LIT("a\\."), LIT("\2a.\7example\3org\0"), NULL, "a\\..{domain}", true },
	};
	static const knot_dname_t *apex = (const uint8_t *)"\7example\3org";
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_pattern_t pattern;
		mail_diag_t diag = { 0 };
		int ret = mail_pattern_parse(cases[i].text, &pattern, &diag);
		if (!UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text)) {
			continue;
		}
		UNIT_CHECK(pattern.hole == cases[i].hole, "case %zu", i);
		knot_dname_storage_t name;
		ret = mail_pattern_name(&pattern, apex, name);
		UNIT_CHECK(ret == KNOT_EOK && knot_dname_size(name) == cases[i].wire.len &&
		                   memcmp(name, cases[i].wire.data, cases[i].wire.len) == 0,
		           "case %zu: %d", i, ret);
		ret = mail_pattern_name(&pattern, NULL, name);
		UNIT_CHECK(ret == (cases[i].hole ? KNOT_EINVAL : KNOT_EOK), "case %zu: %d", i, ret);

		mail_buf_t out = { 0 };
		ret = mail_pattern_print(&pattern, &out);
		UNIT_CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), cases[i].print),
		           "case %zu: %.*s", i, (int)out.len, (char *)out.data);
		mail_buf_free(&out);

		/* Normalising is done once: doing it again changes nothing. */
		mail_buf_t again = { 0 };
		const char *normal = cases[i].normal != NULL ? cases[i].normal : cases[i].text.data;
		ret = mail_name_normalise(cases[i].text, &out, NULL);
		UNIT_CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), normal),
		           "case %zu: %.*s", i, (int)out.len, (char *)out.data);
		ret = mail_name_normalise(mail_buf_view(&out), &again, NULL);
		UNIT_CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&again), normal),
		           "case %zu: %.*s", i, (int)again.len, (char *)again.data);
		mail_buf_free(&out);
		mail_buf_free(&again);
	}
}

static void test_pattern_refused(void)
{
	static const struct {
		mail_str_t text;
		uint32_t column;
		const char *reason;
	} cases[] = {
		{ LIT(""), 0, "missing" },
		{ LIT("a..b"), 3, "empty label" },
		{ LIT("{domain}.relay.example"), 22, "dot at its end" },
		{ LIT("{domain}.{domain}."), 10, "twice" },
		{ LIT("x{domain}"), 2, "cannot stand here" },
		{ LIT("{domain}x."), 1, "cannot stand here" },
		{ LIT("{Domain}"), 1, "not known" },
		{ LIT("{domain"), 1, "not known" },
		{ LIT("@.x"), 1, "address" },
		{ LIT("postmaster@{domain}"), 11, "address" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_pattern_t pattern;
		mail_diag_t diag = { 0 };
		int ret = mail_pattern_parse(cases[i].text, &pattern, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column &&
		                   strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: column %u %s", i, diag.column, diag.text);
		mail_buf_t out = { 0 };
		UNIT_CHECK(mail_name_normalise(cases[i].text, &out, NULL) == KNOT_EINVAL &&
		                   out.len == 0,
		           "case %zu", i);
		mail_buf_free(&out);
	}
}

/* With the hole filled, a name has 255 octets and not one more. */
static void test_pattern_room(void)
{
	char text[512];
	mail_str_t relative = four_labels(text, 63, 63, 63, 1); /* 194 octets, and the root. */
	mail_pattern_t pattern;
	UNIT_CHECK(mail_pattern_parse(relative, &pattern, NULL) == KNOT_EOK, "relative");
	for (uint8_t label = 50; label <= 63; label++) {
		uint8_t apex[KNOT_DNAME_MAXLEN] = { label };
		memset(apex + 1, 'x', label);
		knot_dname_storage_t name;
		int ret = mail_pattern_name(&pattern, apex, name);
		size_t len = 194 + 1 + label + 1;
		UNIT_CHECK(ret == (len <= 255 ? KNOT_EOK : KNOT_ESPACE), "%zu octets: %d", len,
		           ret);
		if (ret == KNOT_EOK) {
			UNIT_CHECK(knot_dname_size(name) == len, "%zu octets", len);
		}
	}
	/* A pattern that no domain fits is refused: 2 octets are the least. */
	UNIT_CHECK(mail_pattern_parse(four_labels(text, 63, 63, 63, 59), &pattern, NULL) ==
	                   KNOT_EOK,
	           "2 octets left");
	UNIT_CHECK(mail_pattern_parse(four_labels(text, 63, 63, 63, 60), &pattern, NULL) ==
	                   KNOT_EINVAL,
	           "1 octet left");
}

static void test_host(void)
{
	static const struct {
		const char *text;
		const char *reason; /* NULL: accepted. */
	} cases[] = {
		{ "mail", NULL },
		{ "mail.example.com.", NULL },
		{ "@", NULL },
		{ ".", NULL },
		{ "192", NULL },
		{ "1.2.3.4.5", NULL },
		{ "192.0.2.1", "IP address" },
		{ "192.0.2.1.", "IP address" },
		{ "2001:db8::1", "IP address" },
		{ "::", "IP address" },
		{ "[192.0.2.1]", "IP address" },
		{ "*", "wildcard" },
		{ "*.mail", "wildcard" },
		{ "a.{domain}.*.x.", "wildcard" },
		{ "", "missing" },
		{ "mail:25", "':'" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_pattern_t pattern;
		mail_diag_t diag = { 0 };
		int ret = mail_host_parse(MAIL_STR(cases[i].text), false, &pattern, &diag);
		UNIT_CHECK(ret == (cases[i].reason == NULL ? KNOT_EOK : KNOT_EINVAL),
		           "case %zu: %d", i, ret);
		UNIT_CHECK(cases[i].reason == NULL || strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: %s", i, diag.text);
	}
}

/* Every octet in a label goes to text and back. */
static void test_all_octets(void)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t wire[] = { 3, 'a', (uint8_t)c, 'b', 1, (uint8_t)c, 0 };
		mail_buf_t out = { 0 };
		UNIT_CHECK(mail_name_print(wire, &out) == KNOT_EOK, "octet %u", c);
		knot_dname_storage_t name;
		int ret = mail_name_parse(mail_buf_view(&out), name, NULL);
		knot_dname_to_lower(wire);
		UNIT_CHECK(ret == KNOT_EOK && memcmp(name, wire, sizeof(wire)) == 0,
		           "octet %u: %.*s", c, (int)out.len, (char *)out.data);
		mail_buf_free(&out);
		mail_lf_storage_t key;
		mail_name_lf(wire, &key);
		UNIT_CHECK(mail_name_from_lf(mail_lf(&key), name) == KNOT_EOK &&
		                   memcmp(name, wire, sizeof(wire)) == 0,
		           "octet %u", c);
	}
	uint8_t mem[8];
	mail_buf_t small = MAIL_BUF_FIXED(mem, sizeof(mem));
	UNIT_CHECK(mail_name_print((const uint8_t *)"\7example\3org", &small) == KNOT_ESPACE,
	           "room");
}

static const unit_test_t tests[] = {
	{ "names that are", test_parse },
	{ "names that are not", test_refused },
	{ "lengths", test_lengths },
	{ "127 labels", test_many_labels },
	{ "keys", test_key },
	{ "the longest key", test_key_longest },
	{ "keys of no name", test_key_refused },
	{ "the order of keys", test_key_order },
	{ "patterns", test_pattern },
	{ "patterns that are not", test_pattern_refused },
	{ "patterns that grow", test_pattern_room },
	{ "hosts", test_host },
	{ "all octets", test_all_octets },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("name", tests);
}
