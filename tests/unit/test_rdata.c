/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "lib/unit.h"

#include <openssl/evp.h>

#include "mail/rdata.h"

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

static uint8_t room[MAIL_RDATA_MAX + 16];

/*! Fill RDATA and compare them with octets, in room for exactly that much, and in one less. */
static void check_fill(const char *what, const mail_rdata_t *rdata, const void *octets, size_t len)
{
	memset(room, 0xee, len + 1);
	int ret = mail_rdata_fill(rdata, &apex, room, len);
	CHECK(ret == (int)len && memcmp(room, octets, len) == 0, "%s: %d", what, ret);
	CHECK(room[len] == 0xee, "%s: written past the end", what);
	for (size_t cap = 0; cap < len && cap < 600; cap++) {
		room[cap] = 0xee;
		ret = mail_rdata_fill(rdata, &apex, room, cap);
		CHECK(ret == KNOT_ESPACE && room[cap] == 0xee, "%s: room %zu: %d", what, cap, ret);
	}
}

/*! The same for the value without the split. */
static void check_text(const char *what, const mail_rdata_t *rdata, const char *text)
{
	size_t len = strlen(text);
	room[len] = 0xee;
	int ret = mail_rdata_fill_text(rdata, &apex, room, len);
	CHECK(ret == (int)len && memcmp(room, text, len) == 0 && room[len] == 0xee, "%s: %d %.*s",
	      what, ret, ret > 0 ? ret : 0, room);
	CHECK(len == 0 || mail_rdata_fill_text(rdata, &apex, room, len - 1) == KNOT_ESPACE,
	      "%s: too little room", what);
}

static void test_plain(void)
{
	static const uint8_t expected[] = { 1,   0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 'x',
		                            'y', 1,    'm',  3,    'c',  'o',  'm',  0 };
	mail_rdata_t rdata = { 0 };
	mail_pattern_t name;
	mail_rdata_u8(&rdata, 1);
	mail_rdata_u16(&rdata, 0x1234);
	mail_rdata_u32(&rdata, 0xdeadbeef);
	mail_rdata_octets(&rdata, "xy", 2);
	mail_pattern_parse(MAIL_STR("m.com."), &name, NULL);
	CHECK(mail_rdata_pattern(&rdata, &name) == KNOT_EOK, "a name");
	CHECK(!rdata.holes && !rdata.text, "plain octets");
	CHECK(rdata.ops.len == sizeof(expected) &&
	              memcmp(rdata.ops.data, expected, sizeof(expected)) == 0,
	      "as written");
	check_fill("plain", &rdata, expected, sizeof(expected));
	CHECK(mail_rdata_fill(&rdata, NULL, room, sizeof(room)) == sizeof(expected),
	      "no domain is needed");
	CHECK_INT(mail_rdata_apex_max(&rdata), 255);
	mail_rdata_free(&rdata);
	CHECK(mail_rdata_fill(&rdata, NULL, room, 0) == 0, "empty");
}

static void test_names(void)
{
	static const struct {
		const char *before, *name, *after;
		mail_str_t wire;
		size_t apex_max;
	} cases[] = {
		{ "", "mail", "", { "\4mail\7example\3org\0", 18 }, 250 },
		{ "ab", "mail", "", { "ab\4mail\7example\3org\0", 20 }, 250 },
		{ "", "@", "cd", { "\7example\3org\0cd", 15 }, 255 },
		{ "ab", "{domain}.relay.x.", "cd", { "ab\7example\3org\5relay\1x\0cd", 25 }, 247 },
		{ "ab", "a.{domain}.b.", "cd", { "ab\1a\7example\3org\1b\0cd", 21 }, 251 },
		{ "ab", ".", "cd", { "ab\0cd", 5 }, 255 },
	};
	EACH(k, cases) {
		mail_rdata_t rdata = { 0 };
		mail_rdata_octets(&rdata, k->before, strlen(k->before));
		int ret = mail_rdata_name(&rdata, MAIL_STR(k->name), NULL);
		/* In pieces, so that they must go on in one run. */
		for (const char *c = k->after; *c != '\0'; c++) {
			mail_rdata_u8(&rdata, (uint8_t)*c);
		}
		CHECK(ret == KNOT_EOK && rdata.ops.error == KNOT_EOK, "%d", ret);
		check_fill(k->name, &rdata, k->wire.data, k->wire.len);
		CHECK_INT(mail_rdata_apex_max(&rdata), k->apex_max);
		ret = mail_rdata_fill(&rdata, NULL, room, sizeof(room));
		CHECK(rdata.holes ? ret == KNOT_EINVAL : ret > 0, "%d", ret);
		mail_rdata_free(&rdata);
	}

	mail_rdata_t rdata = { 0 };
	mail_diag_t diag = { 0 };
	int ret = mail_rdata_name(&rdata, MAIL_STR("a..b"), &diag);
	CHECK(ret == KNOT_EINVAL && diag.column == 3 && rdata.ops.len == 0, "%d", ret);
	mail_rdata_free(&rdata);
}

/* Two names in one RDATA, as in SOA and RP; the longer one counts. */
static void test_two_names(void)
{
	mail_rdata_t rdata = { 0 };
	mail_rdata_name(&rdata, MAIL_STR("ns"), NULL);
	mail_rdata_name(&rdata, MAIL_STR("host.master"), NULL);
	mail_rdata_u32(&rdata, 0x01020304);
	check_fill("two names", &rdata,
	           "\2ns\7example\3org\0\4host\6master\7example\3org\0\1\2\3\4", 16 + 25 + 4);
	CHECK_INT(mail_rdata_apex_max(&rdata), 243);
	mail_rdata_free(&rdata);
}

/* The domain that apex_max says still fits, and the next longer one does not. */
static void test_apex_max(void)
{
	static const char *const names[] = { "a", "mail", "{domain}.relay.example.", "@",
		                             "a23456789.b23456789.c23456789.d23456789" };
	EACH(c, names) {
		mail_rdata_t rdata = { 0 };
		mail_rdata_name(&rdata, MAIL_STR(*c), NULL);
		size_t max = mail_rdata_apex_max(&rdata);
		for (size_t len = max; len <= max + 1 && len <= KNOT_DNAME_MAXLEN; len++) {
			/* Labels of one octet, and of two in front where the length is even. */
			uint8_t wire[KNOT_DNAME_MAXLEN + 1] = { 0 };
			size_t pos = 0;
			if (len % 2 == 0) {
				memcpy(wire, "\2yy", 3);
				pos = 3;
			}
			for (; pos + 1 < len; pos += 2) {
				memcpy(wire + pos, "\1x", 2);
			}
			CHECK_INT(knot_dname_size(wire), len);
			mail_apex_t domain = { wire, { "", 0 } };
			int ret = mail_rdata_fill(&rdata, &domain, room, sizeof(room));
			CHECK(len <= max ? ret > 0 && ret <= 255 : ret == KNOT_ESPACE,
			      "domain of %zu: %d", len, ret);
		}
		mail_rdata_free(&rdata);
	}
}

/*! What a text looks like as <character-string>s. */
static size_t split(const char *text, size_t len, uint8_t *out)
{
	size_t pos = 0;
	do {
		size_t n = len < 255 ? len : 255;
		out[pos++] = (uint8_t)n;
		memcpy(out + pos, text, n);
		pos += n;
		text += n;
		len -= n;
	} while (len > 0);
	return pos;
}

/* RFC 1035 3.3: 255 octets in a string; an empty text is one empty string. */
static void test_split(void)
{
	static const size_t lengths[] = { 0, 1, 254, 255, 256, 257, 509, 510, 511, 765, 766, 4096 };
	static char text[4200];
	static uint8_t expected[4300];
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)('a' + i % 26);
	}
	EACH(c, lengths) {
		/* As a whole, and in pieces of 7. */
		mail_rdata_t whole = { 0 }, pieces = { 0 };
		CHECK(mail_rdata_text(&whole, (mail_str_t){ text, *c }) == KNOT_EOK, "%zu", *c);
		mail_rdata_text(&pieces, (mail_str_t){ NULL, 0 });
		for (size_t pos = 0; pos < *c; pos += 7) {
			size_t n = *c - pos < 7 ? *c - pos : 7;
			mail_rdata_text(&pieces, (mail_str_t){ text + pos, n });
		}
		size_t len = split(text, *c, expected);
		char what[32];
		snprintf(what, sizeof(what), "text of %zu", *c);
		CHECK(whole.text && !whole.holes, "%s", what);
		check_fill(what, &whole, expected, len);
		check_fill(what, &pieces, expected, len);
		mail_rdata_free(&whole);
		mail_rdata_free(&pieces);
	}
}

/* With the hole at every place around the edges of strings. */
static void test_split_hole(void)
{
	for (size_t before = 230; before <= 520; before++) {
		for (size_t after = 0; after <= 3; after += 3) {
			char text[600], filled[600];
			memset(text, 'b', before);
			memcpy(filled, text, before);
			memcpy(text + before, MAIL_HOLE, strlen(MAIL_HOLE));
			memcpy(filled + before, apex.text.data, apex.text.len);
			memset(text + before + strlen(MAIL_HOLE), 'a', after);
			memset(filled + before + apex.text.len, 'a', after);
			size_t len = before + apex.text.len + after;

			mail_rdata_t rdata = { 0 };
			mail_rdata_text(&rdata,
			                (mail_str_t){ text, before + strlen(MAIL_HOLE) + after });
			uint8_t expected[600];
			size_t octets = split(filled, len, expected);
			int ret = mail_rdata_fill(&rdata, &apex, room, octets);
			CHECK(ret == (int)octets && memcmp(room, expected, octets) == 0,
			      "before %zu: %d", before, ret);
			ret = mail_rdata_fill(&rdata, &apex, room, octets - 1);
			CHECK(ret == KNOT_ESPACE, "before %zu: %d", before, ret);
			mail_rdata_free(&rdata);
		}
	}
}

static void test_text_holes(void)
{
	static const struct {
		const char *in, *out;
		bool holes;
	} cases[] = {
		{ "v=spf1 -all", "v=spf1 -all", false },
		{ "{domain}", "example.org", true },
		{ "{domain}{domain}", "example.orgexample.org", true },
		{ "rua=mailto:dmarc@{domain},mailto:{domain}@x.example; ruf=mailto:a@{domain}",
		  "rua=mailto:dmarc@example.org,mailto:example.org@x.example; ruf=mailto:a@example.org",
		  true },
		{ "{domain", "{domain", false },
		{ "{{domain}}", "{example.org}", true },
		{ "{Domain}", "{Domain}", false },
		{ "%{d}", "%{d}", false },
	};
	EACH(c, cases) {
		mail_rdata_t rdata = { 0 };
		CHECK_OK(mail_rdata_text(&rdata, MAIL_STR(c->in)));
		CHECK(rdata.holes == c->holes && rdata.text);
		check_text(c->in, &rdata, c->out);
		uint8_t expected[300];
		size_t len = split(c->out, strlen(c->out), expected);
		check_fill(c->in, &rdata, expected, len);
		mail_rdata_free(&rdata);
	}
}

/* A value that fills the rest of RDATA is not split. */
static void test_value(void)
{
	mail_rdata_t rdata = { 0 };
	mail_rdata_u8(&rdata, 0);
	mail_rdata_octets(&rdata, "\5iodef", 6);
	CHECK(mail_rdata_value(&rdata, MAIL_STR("mailto:ca@{domain}")) == KNOT_EOK, "value");
	CHECK(!rdata.text && rdata.holes, "a value is no text");
	check_fill("value", &rdata, "\0\5iodefmailto:ca@example.org", 28);
	mail_rdata_free(&rdata);

	mail_rdata_u8(&rdata, 1);
	int ret = mail_rdata_text(&rdata, MAIL_STR("x"));
	CHECK(ret == KNOT_EINVAL, "octets do not become a text: %d", ret);
	CHECK(mail_rdata_u8(&rdata, 2) == KNOT_EINVAL, "errors stick");
	CHECK(mail_rdata_fill(&rdata, &apex, room, sizeof(room)) == KNOT_EINVAL, "to the end");
	mail_rdata_free(&rdata);
}

/*! 32 digits of the SHA-256 of a text, by another interface of the library. */
static void digest_of(const char *text, char out[33])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	}
}

static void test_digest(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "mx: mail.{domain}\r\n", "mx: mail.example.org\r\n" },
		{ "{domain}{domain}", "example.orgexample.org" },
	};
	EACH(c, cases) {
		mail_rdata_t body = { 0 }, rdata = { 0 };
		mail_rdata_text(&body, MAIL_STR(c->in));
		mail_rdata_text(&rdata, MAIL_STR("v=STSv1; id="));
		int ret = mail_rdata_digest(&rdata, &body);
		CHECK(ret == KNOT_EOK && rdata.holes == body.holes, "%d", ret);
		mail_rdata_text(&rdata, MAIL_STR("; {domain}"));
		mail_rdata_free(&body);

		char digest[33], text[96];
		digest_of(c->out, digest);
		snprintf(text, sizeof(text), "v=STSv1; id=%s; example.org", digest);
		check_text(c->in, &rdata, text);
		uint8_t expected[128];
		check_fill(c->in, &rdata, expected, split(text, strlen(text), expected));
		mail_rdata_free(&rdata);
	}

	/* FIPS 180-2, "abc". */
	mail_rdata_t body = { 0 }, rdata = { 0 };
	mail_rdata_text(&body, MAIL_STR("abc"));
	mail_rdata_digest(&rdata, &body);
	check_text("abc", &rdata, "ba7816bf8f01cfea414140de5dae2223");
	mail_rdata_free(&rdata);

	/* A body that could not be written gives no digest. */
	body.ops.error = KNOT_ENOMEM;
	CHECK(mail_rdata_digest(&rdata, &body) == KNOT_ENOMEM, "a failed body");
	mail_rdata_free(&rdata);
	mail_rdata_free(&body);
}

/* A digest of a text that has a digest: to a depth that bounds the stack. */
static void test_digest_deep(void)
{
	mail_rdata_t inner = { 0 };
	mail_rdata_text(&inner, MAIL_STR("{domain}"));
	char text[64] = "example.org", digest[33];
	for (unsigned depth = 1; depth <= 6; depth++) {
		mail_rdata_t outer = { 0 };
		mail_rdata_digest(&outer, &inner);
		digest_of(text, digest);
		strcpy(text, digest);
		if (depth <= 4) {
			check_text("deep", &outer, text);
		} else {
			int ret = mail_rdata_fill_text(&outer, &apex, room, sizeof(room));
			CHECK(ret == KNOT_EMALF, "depth %u: %d", depth, ret);
		}
		mail_rdata_free(&inner);
		inner = outer;
	}
	mail_rdata_free(&inner);
}

static void test_bad_ops(void)
{
	static const struct {
		const char *ops;
		size_t len;
		int ret;
	} cases[] = {
		{ "", 0, 0 },
		{ "\0", 1, KNOT_EMALF },
		{ "\6", 1, KNOT_EMALF },
		{ "\1", 1, KNOT_EMALF },
		{ "\1\0\0\0", 4, KNOT_EMALF },
		{ "\1\0\0\0\0", 5, 0 },
		{ "\1\0\0\0\1", 5, KNOT_EMALF },
		{ "\1\0\0\0\1x", 6, 1 },
		{ "\1\377\377\377\377x", 6, KNOT_EMALF },
		{ "\2", 1, KNOT_EMALF },
		{ "\2\0", 2, KNOT_EMALF },
		{ "\2\0\0", 3, 13 },
		{ "\2\377\0", 3, KNOT_EMALF },
		{ "\2\0\377", 3, KNOT_EMALF },
		{ "\2\1", 2, KNOT_EMALF },
		{ "\3", 1, 11 },
		{ "\3\3", 2, 22 },
		{ "\4", 1, KNOT_EMALF },
		{ "\4\0\0\0\0", 5, 32 },
		{ "\4\0\0\0\1", 5, KNOT_EMALF },
		{ "\4\0\0\0\1\7", 6, KNOT_EMALF },
		{ "\4\0\0\0\1\1", 6, KNOT_EMALF },
		{ "\4\377\377\377\377", 5, KNOT_EMALF },
		/* A digest of the owner: of no known length, cut short. */
		{ "\5\1\1\0\0\0\0", 7, KNOT_EMALF },
		{ "\5\1\0\0\0\0\1", 7, KNOT_EMALF },
		{ "\5\1", 2, KNOT_EMALF },
	};
	EACH(c, cases) {
		/* On the heap and without a spare octet, for the sanitiser. */
		mail_rdata_t rdata = { .holes = true };
		rdata.ops.data = malloc(c->len > 0 ? c->len : 1);
		memcpy(rdata.ops.data, c->ops, c->len);
		rdata.ops.len = rdata.ops.cap = c->len;
		int ret = mail_rdata_fill(&rdata, &apex, room, sizeof(room));
		CHECK_INT(ret, c->ret);
		CHECK(mail_rdata_apex_max(&rdata) <= 255);
		rdata.text = true;
		ret = mail_rdata_fill_text(&rdata, &apex, room, sizeof(room));
		CHECK_INT(ret, c->ret);
		mail_rdata_free(&rdata);
	}
	/* A name without a domain to fill it with. */
	static const mail_apex_t no_name = { NULL, { "x", 1 } };
	mail_rdata_t rdata = { 0 };
	mail_rdata_name(&rdata, MAIL_STR("a"), NULL);
	CHECK(mail_rdata_fill(&rdata, &no_name, room, sizeof(room)) == KNOT_EINVAL, "no name");
	mail_rdata_free(&rdata);
}

/* The longest RDATA, and one octet more. */
static void test_longest(void)
{
	mail_rdata_t rdata = { 0 };
	for (unsigned i = 0; i < MAIL_RDATA_MAX; i++) {
		mail_rdata_u8(&rdata, (uint8_t)i);
	}
	int ret = mail_rdata_fill(&rdata, &apex, room, sizeof(room));
	CHECK_INT(ret, MAIL_RDATA_MAX);
	mail_rdata_u8(&rdata, 0);
	ret = mail_rdata_fill(&rdata, &apex, room, sizeof(room));
	CHECK_INT(ret, KNOT_ESPACE);
	mail_rdata_free(&rdata);
}

/*! Write one of everything. */
static int build_all(mail_rdata_t *rdata, const mail_rdata_t *body)
{
	mail_rdata_text(rdata, MAIL_STR("before {domain}"));
	mail_rdata_octets(rdata, "abc", 3);
	mail_rdata_digest(rdata, body);
	mail_rdata_octets(rdata, "def", 3);
	return mail_rdata_name(rdata, MAIL_STR("mail"), NULL);
}

/* A builder over memory of the caller: whatever the room, it fails cleanly or writes the same. */
static void test_fixed(void)
{
	mail_rdata_t body = { 0 }, free_one = { 0 };
	mail_rdata_text(&body, MAIL_STR("{domain}"));
	CHECK(build_all(&free_one, &body) == KNOT_EOK, "growing");
	for (size_t cap = 0; cap <= free_one.ops.len; cap++) {
		uint8_t *mem = malloc(cap > 0 ? cap : 1);
		mail_rdata_t rdata = { .ops = MAIL_BUF_FIXED(mem, cap) };
		int ret = build_all(&rdata, &body);
		bool fits = cap == free_one.ops.len;
		CHECK(ret == (fits ? KNOT_EOK : KNOT_ESPACE), "room %zu: %d", cap, ret);
		CHECK(!fits || memcmp(mem, free_one.ops.data, cap) == 0, "room %zu", cap);
		ret = mail_rdata_fill(&rdata, &apex, room, sizeof(room));
		CHECK(fits ? ret > 0 : ret == KNOT_ESPACE, "room %zu: %d", cap, ret);
		mail_rdata_free(&rdata);
		CHECK(!rdata.text && !rdata.holes && rdata.ops.data == mem, "room %zu", cap);
		free(mem);
	}
	mail_rdata_free(&free_one);
	mail_rdata_free(&body);
}

UNIT_MAIN("rdata", TEST("plain octets", test_plain), TEST("names", test_names),
          TEST("two names", test_two_names), TEST("the longest domain", test_apex_max),
          TEST("texts are split", test_split), TEST("texts with a hole are split", test_split_hole),
          TEST("holes in texts", test_text_holes), TEST("values", test_value),
          TEST("digests", test_digest), TEST("digests of digests", test_digest_deep),
          TEST("bad operations", test_bad_ops), TEST("the longest RDATA", test_longest),
          TEST("fixed memory", test_fixed))
