/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "mail/buf.h"
#include "mail/chars.h"

static void test_diag(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "tab\tline\nescape\x1b[31m\x7f", "tab?line?escape?[31m?" },
		{ "m\xc3\xbcnchen", "m\xc3\xbcnchen" },
		{ "\xe4\xbe\x8b \xf0\x9f\x93\xa7", "\xe4\xbe\x8b \xf0\x9f\x93\xa7" },
		{ "\xc3", "?" }, /* Cut off. */
		{ "\xe4\xbe", "??" },
		{ "\xf0\x9f\x93", "???" },
		{ "\xc3(", "?(" },
		{ "\xc0\xaf", "??" }, /* Overlong. */
		{ "\xe0\x80\xaf", "???" },
		{ "\xf0\x80\x80\xaf", "????" },
		{ "\xed\xa0\x80", "???" },      /* A surrogate. */
		{ "\xf4\x90\x80\x80", "????" }, /* Above U+10FFFF. */
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "\xff\xfe", "??" },
		{ "\x80", "?" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mail_diag_t diag = { .line = 7 };
		int ret = mail_diag_error(&diag, i + 1, "%s", cases[i].in);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == i + 1 && diag.line == 7, "case %zu", i);
		UNIT_CHECK(strcmp(diag.text, cases[i].out) == 0, "case %zu: %s", i, diag.text);
	}
	UNIT_CHECK(mail_diag_error(NULL, 1, "%d", 1) == KNOT_EINVAL, "no diag");
}

static void test_diag_cut(void)
{
	/* A sequence of two octets that the end of the text cuts in two must not stay in halves. */
	for (size_t before = 300; before < 330; before++) {
		char text[400] = "";
		memset(text, 'a', before);
		for (size_t i = before; i < before + 40; i += 2) {
			memcpy(text + i, "\xc3\xbc", 2);
		}
		text[before + 40] = '\0';
		mail_diag_t diag = { 0 };
		(void)mail_diag_error(&diag, 0, "%s", text);
		size_t len = strlen(diag.text);
		UNIT_CHECK(len == sizeof(diag.text) - 1, "before %zu: %zu", before, len);
		bool half = (uint8_t)diag.text[len - 1] == 0xc3;
		UNIT_CHECK(!half, "before %zu", before);
	}
}

static void warning_take(void *ctx, const char *text)
{
	char *out = ctx;
	snprintf(out, 64, "%s", text);
}

static void test_warn(void)
{
	char got[64] = "";
	mail_diag_t diag = { .warn = warning_take, .warn_ctx = got };
	mail_diag_warn(&diag, "value %d\n", 5);
	UNIT_CHECK(strcmp(got, "value 5?") == 0, "%s", got);
	UNIT_CHECK(diag.text[0] == '\0', "a warning is no error: %s", diag.text);
	diag.warn = NULL;
	mail_diag_warn(&diag, "nobody listens");
	mail_diag_warn(NULL, "nobody is there");
}

static void test_buf_grows(void)
{
	mail_buf_t buf = { 0 };
	for (unsigned i = 0; i < 5000; i++) {
		UNIT_CHECK(mail_buf_u8(&buf, (uint8_t)i) == KNOT_EOK, "octet %u", i);
	}
	UNIT_CHECK(buf.len == 5000, "%zu", buf.len);
	unsigned wrong = 0;
	for (unsigned i = 0; i < 5000; i++) {
		wrong += buf.data[i] != (uint8_t)i;
	}
	UNIT_CHECK(wrong == 0, "%u octets differ", wrong);
	mail_buf_free(&buf);
	UNIT_CHECK(buf.data == NULL && buf.len == 0 && buf.cap == 0, "freed");
	mail_buf_free(&buf);

	UNIT_CHECK(mail_buf_put(&buf, NULL, 0) == KNOT_EOK && buf.len == 0, "nothing");
	UNIT_CHECK(mail_buf_view(&buf).len == 0, "an empty view");
	UNIT_CHECK(mail_buf_put(&buf, "x", SIZE_MAX - 1) == KNOT_ENOMEM, "too much");
	UNIT_CHECK(mail_buf_u8(&buf, 1) == KNOT_ENOMEM && buf.len == 0, "errors stick");
	mail_buf_free(&buf);
	UNIT_CHECK(mail_buf_u8(&buf, 1) == KNOT_EOK, "until it is freed");
	mail_buf_free(&buf);
}

static void test_buf_numbers(void)
{
	static const uint8_t expected[] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde,
		                            0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		                            0x08, 'a',  'b',  '-',  '7' };
	mail_buf_t buf = { 0 };
	mail_buf_u8(&buf, 0x12);
	mail_buf_u16(&buf, 0x3456);
	mail_buf_u32(&buf, 0x789abcde);
	mail_buf_u64(&buf, 0x0102030405060708);
	mail_buf_str(&buf, "ab");
	mail_buf_printf(&buf, "-%d", 7);
	UNIT_CHECK(buf.error == KNOT_EOK, "%d", buf.error);
	UNIT_CHECK(buf.len == sizeof(expected) && memcmp(buf.data, expected, buf.len) == 0, "%zu",
	           buf.len);

	mail_reader_t r = MAIL_READER(buf.data, buf.len);
	UNIT_CHECK(mail_read_u8(&r) == 0x12, "u8");
	UNIT_CHECK(mail_read_u16(&r) == 0x3456, "u16");
	UNIT_CHECK(mail_read_u32(&r) == 0x789abcde, "u32");
	UNIT_CHECK(mail_read_u64(&r) == 0x0102030405060708, "u64");
	UNIT_CHECK(mail_read_left(&r) == 4, "%zu left", mail_read_left(&r));
	const uint8_t *rest = mail_read(&r, 4);
	UNIT_CHECK(rest != NULL && memcmp(rest, "ab-7", 4) == 0, "rest");
	UNIT_CHECK(r.error == KNOT_EOK && mail_read_left(&r) == 0, "the end is no error");
	mail_buf_free(&buf);
}

static void test_buf_fixed(void)
{
	/* Room for every number of octets up to all: never more is written, and the error sticks. */
	for (size_t room = 0; room <= 16; room++) {
		uint8_t mem[17];
		memset(mem, 0xee, sizeof(mem));
		mail_buf_t buf = MAIL_BUF_FIXED(mem, room);
		mail_buf_u64(&buf, 1);
		mail_buf_u32(&buf, 2);
		mail_buf_str(&buf, "abcd");
		int ret = room < 16 ? KNOT_ESPACE : KNOT_EOK;
		UNIT_CHECK(buf.error == ret, "room %zu: %d", room, buf.error);
		UNIT_CHECK(buf.len <= room && mem[room] == 0xee, "room %zu: %zu", room, buf.len);
		UNIT_CHECK(mail_buf_put(&buf, "", 0) == ret, "room %zu: sticks", room);
		mail_buf_free(&buf);
		UNIT_CHECK(buf.data == mem && buf.cap == room && buf.len == 0, "room %zu", room);
		UNIT_CHECK(buf.error == KNOT_EOK, "room %zu: can be used again", room);
	}
}

static void test_buf_printf(void)
{
	static const size_t lengths[] = { 0, 1, 63, 64, 65, 510, 511, 512, 513, 1023, 1024, 4000 };
	char text[4001];
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t n = lengths[i];
		mail_buf_t buf = { 0 };
		int ret = mail_buf_printf(&buf, "<%.*s>", (int)n, text);
		UNIT_CHECK(ret == KNOT_EOK && buf.len == n + 2, "length %zu: %d %zu", n, ret,
		           buf.len);
		UNIT_CHECK(buf.data[0] == '<' && buf.data[n + 1] == '>', "length %zu", n);
		UNIT_CHECK(n == 0 || memcmp(buf.data + 1, text, n) == 0, "length %zu", n);
		mail_buf_free(&buf);

		uint8_t mem[4100] = { 0 };
		mail_buf_t fixed = MAIL_BUF_FIXED(mem, n + 1);
		UNIT_CHECK(mail_buf_printf(&fixed, "<%.*s>", (int)n, text) == KNOT_ESPACE,
		           "length %zu", n);
		UNIT_CHECK(fixed.len == 0 && mem[n + 1] == 0, "length %zu: nothing is written", n);
	}
}

static void test_reader_ends(void)
{
	static const uint8_t octets[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	for (size_t len = 0; len <= sizeof(octets); len++) {
		mail_reader_t r = MAIL_READER(octets, len);
		UNIT_CHECK((mail_read_u8(&r) != 0) == (len >= 1), "u8 of %zu", len);
		r = MAIL_READER(octets, len);
		UNIT_CHECK((mail_read_u16(&r) != 0) == (len >= 2), "u16 of %zu", len);
		r = MAIL_READER(octets, len);
		UNIT_CHECK((mail_read_u32(&r) != 0) == (len >= 4), "u32 of %zu", len);
		UNIT_CHECK(r.error == (len >= 4 ? KNOT_EOK : KNOT_EMALF), "u32 of %zu", len);
		r = MAIL_READER(octets, len);
		UNIT_CHECK((mail_read_u64(&r) != 0) == (len >= 8), "u64 of %zu", len);
		r = MAIL_READER(octets, len);
		UNIT_CHECK(mail_read(&r, len + 1) == NULL && r.error == KNOT_EMALF, "%zu", len);
		UNIT_CHECK(mail_read(&r, 0) == NULL && mail_read_left(&r) == 0, "%zu: sticks", len);
		r = MAIL_READER(octets, len);
		UNIT_CHECK(mail_read(&r, SIZE_MAX) == NULL, "%zu", len);
	}
}

static void test_strings(void)
{
	UNIT_CHECK(mail_str_equal((mail_str_t){ NULL, 0 }, (mail_str_t){ "", 0 }), "empty");
	UNIT_CHECK(mail_str_is((mail_str_t){ "abc", 2 }, "ab"), "a part");
	UNIT_CHECK(!mail_str_is(MAIL_STR("ab"), "abc"), "shorter");
	UNIT_CHECK(!mail_str_equal((mail_str_t){ "a\0b", 3 }, (mail_str_t){ "a\0c", 3 }), "NUL");
}

/*! RFC 4648 10, and what is no base64. */
static void test_base64(void)
{
	static const struct {
		const char *text, *octets; /* NULL: refused. */
		size_t column;
	} cases[] = {
		{ "Zg==", "f", 0 },
		{ "Zm8=", "fo", 0 },
		{ "Zm9v", "foo", 0 },
		{ "Zm9vYg==", "foob", 0 },
		{ "Zm9vYmE=", "fooba", 0 },
		{ "Zm9vYmFy", "foobar", 0 },
		{ " Zm9v\tYm\r\nFy ", "foobar", 0 },
		{ "", NULL, 0 },
		{ "  ", NULL, 2 },
		{ "Z", NULL, 1 },
		{ "Zg", NULL, 2 },
		{ "Zg=", NULL, 3 },
		{ "Zg===", NULL, 5 },
		{ "Zm8", NULL, 3 },
		{ "Zm9v=", NULL, 5 },
		{ "=", NULL, 1 },
		{ "Zg==Zg==", NULL, 5 },
		{ "Zm-v", NULL, 3 },
		/* Bits that no octet takes. */
		{ "Zh==", NULL, 4 },
		{ "Zm9=", NULL, 4 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mail_buf_t out = { 0 }, back = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_base64_parse(MAIL_STR(cases[i].text), &out, &diag);
		UNIT_CHECK(ret == (cases[i].octets != NULL ? KNOT_EOK : KNOT_EINVAL),
		           "case %zu: %d", i, ret);
		if (cases[i].octets != NULL) {
			UNIT_CHECK(mail_str_is(mail_buf_view(&out), cases[i].octets), "case %zu",
			           i);
			CU_ASSERT_EQUAL(mail_buf_base64(&back, out.data, out.len), KNOT_EOK);
			UNIT_CHECK(strchr(cases[i].text, ' ') != NULL ||
			                   mail_str_is(mail_buf_view(&back), cases[i].text),
			           "case %zu: %.*s", i, (int)back.len, (const char *)back.data);
		} else {
			UNIT_CHECK(diag.column == cases[i].column, "case %zu: column %u", i,
			           diag.column);
		}
		mail_buf_free(&out);
		mail_buf_free(&back);
	}
	uint8_t memory[2];
	mail_buf_t small = MAIL_BUF_FIXED(memory, sizeof(memory));
	CU_ASSERT_EQUAL(mail_base64_parse(MAIL_STR("Zm9v"), &small, NULL), KNOT_ESPACE);
}

static const unit_test_t tests[] = {
	{ "reasons are printable", test_diag },
	{ "reasons that are cut", test_diag_cut },
	{ "warnings", test_warn },
	{ "a growing buffer", test_buf_grows },
	{ "numbers", test_buf_numbers },
	{ "a fixed buffer", test_buf_fixed },
	{ "formatted text", test_buf_printf },
	{ "the reader at the end", test_reader_ends },
	{ "strings", test_strings },
	{ "base64", test_base64 },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("base", tests);
}
