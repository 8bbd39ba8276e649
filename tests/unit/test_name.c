/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "lib/cases.h"

#include "mail/name.h"

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

/* The name as it is written, and the wire format. */
static const case_t names[] = {
	GOOD(".", ".| \0"),
	GOOD("org", "org| \3org\0"),
	GOOD("example.org", "example.org| \7example\3org\0"),
	GOOD("example.org.", "example.org| \7example\3org\0"),
	GOOD("ExAmPlE.ORG", "example.org| \7example\3org\0"),
	GOOD("*.web.example", "*.web.example| \1*\3web\7example\0"),
	GOOD("_25._tcp.0/26.x-y", "_25._tcp.0/26.x-y| \3_25\4_tcp\4"
	                          "0/26\3x-y\0"),
	/* Any octet, RFC 1035 5.1 and RFC 2181 11. */
	GOOD("org\\000example", "org\\000example| \13org\0example\0"),
	GOOD("a\\.b.c", "a\\.b.c| \3a.b\1c\0"),
	GOOD("a\\\\b", "a\\\\b| \3a\\b\0"),
	GOOD("a\\046b", "a\\.b| \3a.b\0"),
	GOOD("\\097\\065", "aa| \2aa\0"),
	GOOD("\\255\\128\\127\\032\\001", "\\255\\128\\127\\032\\001| \5\377\200\177 \1\0"),
	GOOD("\\@\\{\\}\\;\\\"\\$\\(", "\\@\\{\\}\\;\\\"\\$\\(| \7@{};\"$(\0"),
	GOOD("XN--BCHER-KVA", "xn--bcher-kva| \15xn--bcher-kva\0"),

	/* What is refused. */
	BAD("", 0, "missing"),
	BAD("..", 1, "empty label"),
	BAD(".org", 1, "empty label"),
	BAD("a..b", 3, "empty label"),
	BAD("a..", 3, "empty label"),
	BAD("a b", 2, "white space"),
	BAD("a\tb", 2, "white space"),
	BAD("a\nb", 2, "\\010"),
	BAD("a\0b", 2, "\\000"),
	BAD("@", 1, "address"),
	BAD("me@example.org", 3, "address"),
	BAD("mail:25", 5, "a name has no port: write mail"),
	BAD("mail:x", 5, "':'"),
	BAD("https://mail.example.org/x", 6, "a URL is no name: write mail.example.org"),
	BAD("\"mail\"", 1, "'\"'"),
	BAD("(mail)", 1, "'('"),
	BAD("{domain}", 1, "{domain} cannot stand here"),
	BAD("mail.{domain}", 6, "{domain} cannot stand here"),
	BAD("{domian}.org", 1, "not known"),
	BAD("a\\", 2, "backslash"),
	BAD("a\\2", 2, "backslash"),
	BAD("a\\25", 2, "backslash"),
	BAD("a\\256", 2, "255"),
	BAD("a\\999", 2, "255"),
	BAD("a\\ b", 2, "backslash"),
	/* U-labels are for dns/idna.h. */
	BAD("a.b\xc3\xbc", 4, "\\195"),
};

static int parse(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	knot_dname_storage_t name;
	int ret = mail_name_parse(in, name, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	CHECK_OK(mail_name_print(name, out));
	(void)mail_buf_str(out, "| ");
	return mail_buf_put(out, name, knot_dname_size(name));
}

static void test_parse(void)
{
	run_cases(names, parse);
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
	EACH(k, cases) {
		char text[512];
		mail_str_t name_text = four_labels(text, k->a, k->b, k->c, k->d);
		knot_dname_storage_t name;
		mail_diag_t diag = { 0 };
		int ret = mail_name_parse(name_text, name, &diag);
		CHECK(ret == k->ret && diag.column == k->column, "%d column %u %s", ret,
		      diag.column, diag.text);
		if (ret == KNOT_EOK) {
			size_t len = name_text.len + 2;
			CHECK_INT(knot_dname_size(name), len);
		}
		/* A dot at the end takes no room. */
		text[name_text.len++] = '.';
		CHECK_INT(mail_name_parse(name_text, name, NULL), k->ret);
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
		CHECK(ret == (labels <= 127 ? KNOT_EOK : KNOT_EINVAL), "%zu labels: %d", labels,
		      ret);
		if (ret != KNOT_EOK) {
			continue;
		}
		CHECK(knot_dname_labels(name, NULL) == labels, "%zu labels", labels);
		mail_lf_storage_t key;
		mail_name_lf(name, &key);
		CHECK(key.len == 2 * labels - 1, "%zu labels: %zu octets", labels, key.len);
		CHECK(mail_lf_labels(mail_lf(&key)) == labels, "%zu labels", labels);
		knot_dname_storage_t back;
		CHECK(mail_name_from_lf(mail_lf(&key), back) == KNOT_EOK &&
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
	EACH(c, cases) {
		mail_lf_storage_t key;
		mail_name_lf((const uint8_t *)c->wire.data, &key);
		CHECK(mail_str_equal((mail_str_t){ (char *)key.data, key.len }, c->key),
		      "%zu octets", key.len);
		CHECK_INT(mail_lf_labels(mail_lf(&key)), c->labels);
		const mail_lf_t parent = mail_lf_parent(mail_lf(&key));
		CHECK_INT(parent.len, c->parent);
		knot_dname_storage_t back;
		CHECK_OK(mail_name_from_lf(mail_lf(&key), back));
		CHECK(knot_dname_is_case_equal(back, (const uint8_t *)c->wire.data));
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
	CHECK(key.len == 503 && key.data[key.len] == 0xee, "%zu", key.len);
	knot_dname_storage_t back;
	CHECK(mail_name_from_lf(mail_lf(&key), back) == KNOT_EOK, "back");
	CHECK(memcmp(back, wire, sizeof(wire)) == 0, "the same name");
}

static void test_key_refused(void)
{
	static const mail_str_t cases[] = {
		LIT("\0"),      LIT("org\0"),  LIT("\0org"), LIT("org\0\0example"),
		LIT("\1"),      LIT("org\1"),  LIT("\1\0"),  LIT("\1\3"),
		LIT("a\1\377"), LIT("\1\1\1"), LIT("Org"),   LIT("org\0Example"),
	};
	EACH(c, cases) {
		knot_dname_storage_t name;
		const mail_lf_t lf = { (const uint8_t *)c->data, c->len };
		int ret = mail_name_from_lf(lf, name);
		CHECK_INT(ret, KNOT_EMALF);
	}

	mail_lf_storage_t key;
	memset(key.data, 'a', sizeof(key.data));
	knot_dname_storage_t name;
	CHECK(mail_name_from_lf((mail_lf_t){ key.data, 63 }, name) == KNOT_EOK, "63");
	CHECK(mail_name_from_lf((mail_lf_t){ key.data, 64 }, name) == KNOT_EMALF, "64");
	key.data[63] = key.data[127] = key.data[191] = 0;
	CHECK(mail_name_from_lf((mail_lf_t){ key.data, 253 }, name) == KNOT_EOK, "255 octets");
	CHECK_INT(knot_dname_size(name), 255);
	CHECK(mail_name_from_lf((mail_lf_t){ key.data, 254 }, name) == KNOT_EMALF, "256 octets");
	CHECK(mail_name_from_lf((mail_lf_t){ key.data, MAIL_LF_MAX }, name) == KNOT_EMALF, "more");
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
	CHECK(order == 0, "%u pairs sort otherwise", order);
	CHECK(prefix == 0, "%u prefixes sort otherwise", prefix);
	CHECK(decided > 1000, "%u decided by their prefixes: too few", decided);
	CHECK(below == 0, "%u relations differ", below);
	CHECK(back == 0, "%u names do not come back", back);
	CHECK(equal > 1000 && inside > 1000, "%u equal, %u inside: too few", equal, inside);
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
	EACH(c, cases) {
		mail_pattern_t pattern;
		mail_diag_t diag = { 0 };
		int ret = mail_pattern_parse(c->text, &pattern, &diag);
		if (!CHECK(ret == KNOT_EOK, "%s", diag.text)) {
			continue;
		}
		CHECK_INT(pattern.hole, c->hole);
		knot_dname_storage_t name;
		ret = mail_pattern_name(&pattern, apex, name);
		CHECK(ret == KNOT_EOK && knot_dname_size(name) == c->wire.len &&
		              memcmp(name, c->wire.data, c->wire.len) == 0,
		      "%d", ret);
		ret = mail_pattern_name(&pattern, NULL, name);
		CHECK_INT(ret, (c->hole ? KNOT_EINVAL : KNOT_EOK));

		mail_buf_t out = { 0 };
		ret = mail_pattern_print(&pattern, &out);
		CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), c->print), "%.*s",
		      (int)out.len, (char *)out.data);
		mail_buf_free(&out);

		/* Normalising is done once: doing it again changes nothing. */
		mail_buf_t again = { 0 };
		const char *normal = c->normal != NULL ? c->normal : c->text.data;
		ret = mail_name_normalise(c->text, &out, NULL);
		CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&out), normal), "%.*s",
		      (int)out.len, (char *)out.data);
		ret = mail_name_normalise(mail_buf_view(&out), &again, NULL);
		CHECK(ret == KNOT_EOK && mail_str_is(mail_buf_view(&again), normal), "%.*s",
		      (int)again.len, (char *)again.data);
		mail_buf_free(&out);
		mail_buf_free(&again);
	}
}

static const case_t no_patterns[] = {
	BAD("", 0, "missing"),
	BAD("a..b", 3, "empty label"),
	BAD("{domain}.relay.example", 22, "dot at its end"),
	BAD("{domain}.{domain}.", 10, "twice"),
	BAD("x{domain}", 2, "cannot stand here"),
	BAD("{domain}x.", 1, "cannot stand here"),
	BAD("{Domain}", 1, "not known"),
	BAD("{domain", 1, "not known"),
	BAD("@.x", 1, "address"),
	BAD("postmaster@{domain}", 11, "address"),
};

static int parse_pattern(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	CHECK_INT(mail_name_normalise(in, out, NULL), KNOT_EINVAL);
	return mail_pattern_parse(in, &pattern, diag);
}

static void test_pattern_refused(void)
{
	run_cases(no_patterns, parse_pattern);
}

/* With the hole filled, a name has 255 octets and not one more. */
static void test_pattern_room(void)
{
	char text[512];
	mail_str_t relative = four_labels(text, 63, 63, 63, 1); /* 194 octets, and the root. */
	mail_pattern_t pattern;
	CHECK(mail_pattern_parse(relative, &pattern, NULL) == KNOT_EOK, "relative");
	for (uint8_t label = 50; label <= 63; label++) {
		uint8_t apex[KNOT_DNAME_MAXLEN] = { label };
		memset(apex + 1, 'x', label);
		knot_dname_storage_t name;
		int ret = mail_pattern_name(&pattern, apex, name);
		size_t len = 194 + 1 + label + 1;
		CHECK(ret == (len <= 255 ? KNOT_EOK : KNOT_ESPACE), "%zu octets: %d", len, ret);
		if (ret == KNOT_EOK) {
			CHECK(knot_dname_size(name) == len, "%zu octets", len);
		}
	}
	/* A pattern that no domain fits is refused: 2 octets are the least. */
	CHECK(mail_pattern_parse(four_labels(text, 63, 63, 63, 59), &pattern, NULL) == KNOT_EOK,
	      "2 octets left");
	CHECK(mail_pattern_parse(four_labels(text, 63, 63, 63, 60), &pattern, NULL) == KNOT_EINVAL,
	      "1 octet left");
}

static const case_t hosts[] = {
	GOOD("mail", ""),
	GOOD("mail.example.com.", ""),
	GOOD("@", ""),
	GOOD(".", ""),
	GOOD("192", ""),
	GOOD("1.2.3.4.5", ""),
	BAD("192.0.2.1", 1, "IP address"),
	BAD("192.0.2.1.", 1, "IP address"),
	BAD("2001:db8::1", 1, "IP address"),
	BAD("::", 1, "IP address"),
	BAD("[192.0.2.1]", 1, "IP address"),
	BAD("*", 1, "wildcard"),
	BAD("*.mail", 1, "wildcard"),
	BAD("a.{domain}.*.x.", 1, "wildcard"),
	BAD("", 0, "missing"),
	BAD("mail:25", 5, "a name has no port: write mail"),
	BAD("mail:x", 5, "':'"),
	BAD("https://mail.example.org/x", 6, "a URL is no name: write mail.example.org"),
};

static int parse_host(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	(void)out;
	return mail_host_parse(in, false, &pattern, diag);
}

static void test_host(void)
{
	run_cases(hosts, parse_host);
}

/* Every octet in a label goes to text and back. */
static void test_all_octets(void)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t wire[] = { 3, 'a', (uint8_t)c, 'b', 1, (uint8_t)c, 0 };
		mail_buf_t out = { 0 };
		CHECK(mail_name_print(wire, &out) == KNOT_EOK, "octet %u", c);
		knot_dname_storage_t name;
		int ret = mail_name_parse(mail_buf_view(&out), name, NULL);
		knot_dname_to_lower(wire);
		CHECK(ret == KNOT_EOK && memcmp(name, wire, sizeof(wire)) == 0, "octet %u: %.*s", c,
		      (int)out.len, (char *)out.data);
		mail_buf_free(&out);
		mail_lf_storage_t key;
		mail_name_lf(wire, &key);
		CHECK(mail_name_from_lf(mail_lf(&key), name) == KNOT_EOK &&
		              memcmp(name, wire, sizeof(wire)) == 0,
		      "octet %u", c);
	}
	uint8_t mem[8];
	mail_buf_t small = MAIL_BUF_FIXED(mem, sizeof(mem));
	CHECK(mail_name_print((const uint8_t *)"\7example\3org", &small) == KNOT_ESPACE, "room");
}

UNIT_MAIN("name", TEST("names that are, and that are not", test_parse),
          TEST("lengths", test_lengths), TEST("127 labels", test_many_labels),
          TEST("keys", test_key), TEST("the longest key", test_key_longest),
          TEST("keys of no name", test_key_refused), TEST("the order of keys", test_key_order),
          TEST("patterns", test_pattern), TEST("patterns that are not", test_pattern_refused),
          TEST("patterns that grow", test_pattern_room), TEST("hosts", test_host),
          TEST("all octets", test_all_octets))
