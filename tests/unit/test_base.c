/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>

#include "unit.h"

#include "mail/buf.h"
#include "mail/chars.h"
#include "mail/encoding.h"

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

static void test_text(void)
{
	static const struct {
		const char *text;
		size_t column; /*!< 0: fine. */
	} cases[] = {
		{ "", 0 },
		{ " ~", 0 },
		{ "\302\240", 0 },
		{ "\337\277", 0 },
		{ "\340\240\200", 0 },
		{ "\355\237\277", 0 },
		{ "\356\200\200", 0 },
		{ "\357\277\277", 0 },
		{ "\360\220\200\200", 0 },
		{ "\364\217\277\277", 0 },
		{ "\1", 1 },
		{ "ab\033[0m", 3 },
		{ "\177", 1 },
		{ "\200", 1 },
		{ "\302\237", 1 },
		{ "\301\277", 1 },
		{ "\340\237\277", 1 },
		{ "\355\240\200", 1 },
		{ "\360\217\277\277", 1 },
		{ "\364\220\200\200", 1 },
		{ "\365\200\200\200", 1 },
		{ "\302", 1 },
		{ "\342\202", 1 },
		{ "\342\202(", 1 },
		{ "a\360\237\214(", 2 },
		{ "\302\302", 1 },
		{ "\377", 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t column = 0;
		bool ok = mail_str_is_text(MAIL_STR(cases[i].text), &column);
		UNIT_CHECK(ok == (cases[i].column == 0) && column == cases[i].column,
		           "case %zu: %zu", i, column);
		UNIT_CHECK(mail_str_is_text(MAIL_STR(cases[i].text), NULL) == ok, "case %zu", i);
	}
	CU_ASSERT_FALSE(mail_str_is_text((mail_str_t){ "a\0b", 3 }, NULL));
}

static void test_distance(void)
{
	static const char word63[] =
		"012345678901234567890123456789012345678901234567890123456789012";
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 },
		{ "", "mx", 2 },
		{ "dmarc", "dmarc", 0 },
		{ "dmrac", "dmarc", 2 },
		{ "kitten", "sitting", 3 },
		{ "spf-al", "spf-all", 1 },
		{ word63, word63, 0 },
		{ word63, "", 63 },
		{ "mx", "0123456789012345678901234567890123456789012345678901234567890123",
		  UINT_MAX },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mail_str_t a = MAIL_STR(cases[i].a), b = MAIL_STR(cases[i].b);
		UNIT_CHECK(mail_str_distance(a, b) == cases[i].distance, "case %zu: %u", i,
		           mail_str_distance(a, b));
		UNIT_CHECK(mail_str_distance(b, a) == cases[i].distance, "case %zu: %u", i,
		           mail_str_distance(b, a));
	}
}

static void test_hex(void)
{
	uint8_t mem[6];
	mail_buf_t out = MAIL_BUF_FIXED(mem, sizeof(mem));
	CU_ASSERT_EQUAL(mail_buf_hex(&out, (const uint8_t *)"\0\x9f\xa8", 3), KNOT_EOK);
	CU_ASSERT(mail_str_is(mail_buf_view(&out), "009fa8"));
	CU_ASSERT_EQUAL(mail_buf_hex(&out, (const uint8_t *)"", 0), KNOT_EOK);
	CU_ASSERT_EQUAL(mail_buf_hex(&out, (const uint8_t *)"a", 1), KNOT_ESPACE);
}

/*! Decimal numbers: digits only, and not greater than asked for. */
static void test_number(void)
{
	static const struct {
		const char *text;
		uint32_t max, number;
		bool good;
	} cases[] = {
		{ "0", 0, 0, true },
		{ "0000000042", 42, 42, true },
		{ "4294967295", UINT32_MAX, UINT32_MAX, true },
		{ "4294967296", UINT32_MAX, 0, false },
		{ "9999999999", UINT32_MAX, 0, false },
		{ "43", 42, 0, false },
		{ "", 42, 0, false },
		{ "-1", 42, 0, false },
		{ " 1", 42, 0, false },
		{ "1 ", 42, 0, false },
		{ "0x1", 42, 0, false },
		{ "00000000001", 42, 1, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t number = 0;
		bool good = mail_str_number(MAIL_STR(cases[i].text), cases[i].max, &number);
		UNIT_CHECK(good == cases[i].good && (!good || number == cases[i].number),
		           "case %zu: %u", i, number);
	}
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
	{ "UTF-8", test_text },
	{ "distances", test_distance },
	{ "numbers in text", test_number },
	{ "hexadecimal", test_hex },
	{ "base64", test_base64 },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("base", tests);
}
