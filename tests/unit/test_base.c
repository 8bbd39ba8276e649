/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <limits.h>

#include "lib/unit.h"

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
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_diag_t diag = { .line = 7 };
		int ret = mail_diag_error(&diag, i + 1, "%s", cases[i].in);
		CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		CHECK(diag.column == i + 1 && diag.line == 7, "case %zu", i);
		CHECK(strcmp(diag.text, cases[i].out) == 0, "case %zu: %s", i, diag.text);
	}
	CHECK(mail_diag_error(NULL, 1, "%d", 1) == KNOT_EINVAL, "no diag");
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
		CHECK(len == sizeof(diag.text) - 1, "before %zu: %zu", before, len);
		bool half = (uint8_t)diag.text[len - 1] == 0xc3;
		CHECK(!half, "before %zu", before);
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
	CHECK_STR(got, "value 5?");
	CHECK(diag.text[0] == '\0', "a warning is no error: %s", diag.text);
	diag.warn = NULL;
	mail_diag_warn(&diag, "nobody listens");
	mail_diag_warn(NULL, "nobody is there");
}

static void test_buf_grows(void)
{
	mail_buf_t buf = { 0 };
	for (unsigned i = 0; i < 5000; i++) {
		CHECK(mail_buf_u8(&buf, (uint8_t)i) == KNOT_EOK, "octet %u", i);
	}
	CHECK_INT(buf.len, 5000);
	unsigned wrong = 0;
	for (unsigned i = 0; i < 5000; i++) {
		wrong += buf.data[i] != (uint8_t)i;
	}
	CHECK(wrong == 0, "%u octets differ", wrong);
	mail_buf_free(&buf);
	CHECK(buf.data == NULL && buf.len == 0 && buf.cap == 0, "freed");
	mail_buf_free(&buf);

	CHECK(mail_buf_put(&buf, NULL, 0) == KNOT_EOK && buf.len == 0, "nothing");
	CHECK(mail_buf_view(&buf).len == 0, "an empty view");
	CHECK(mail_buf_put(&buf, "x", SIZE_MAX - 1) == KNOT_ENOMEM, "too much");
	CHECK(mail_buf_u8(&buf, 1) == KNOT_ENOMEM && buf.len == 0, "errors stick");
	mail_buf_free(&buf);
	CHECK(mail_buf_u8(&buf, 1) == KNOT_EOK, "until it is freed");
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
	CHECK_OK(buf.error);
	CHECK(buf.len == sizeof(expected) && memcmp(buf.data, expected, buf.len) == 0, "%zu",
	      buf.len);

	mail_reader_t r = MAIL_READER(buf.data, buf.len);
	CHECK(mail_read_u8(&r) == 0x12, "u8");
	CHECK(mail_read_u16(&r) == 0x3456, "u16");
	CHECK(mail_read_u32(&r) == 0x789abcde, "u32");
	CHECK(mail_read_u64(&r) == 0x0102030405060708, "u64");
	CHECK(mail_read_left(&r) == 4, "%zu left", mail_read_left(&r));
	const uint8_t *rest = mail_read(&r, 4);
	CHECK(rest != NULL && memcmp(rest, "ab-7", 4) == 0, "rest");
	CHECK(r.error == KNOT_EOK && mail_read_left(&r) == 0, "the end is no error");
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
		CHECK(buf.error == ret, "room %zu: %d", room, buf.error);
		CHECK(buf.len <= room && mem[room] == 0xee, "room %zu: %zu", room, buf.len);
		CHECK(mail_buf_put(&buf, "", 0) == ret, "room %zu: sticks", room);
		mail_buf_free(&buf);
		CHECK(buf.data == mem && buf.cap == room && buf.len == 0, "room %zu", room);
		CHECK(buf.error == KNOT_EOK, "room %zu: can be used again", room);
	}
}

static void test_buf_printf(void)
{
	static const size_t lengths[] = { 0, 1, 63, 64, 65, 510, 511, 512, 513, 1023, 1024, 4000 };
	char text[4001];
	memset(text, 'x', sizeof(text));
	EACH(c, lengths) {
		size_t n = *c;
		mail_buf_t buf = { 0 };
		int ret = mail_buf_printf(&buf, "<%.*s>", (int)n, text);
		CHECK(ret == KNOT_EOK && buf.len == n + 2, "length %zu: %d %zu", n, ret, buf.len);
		CHECK(buf.data[0] == '<' && buf.data[n + 1] == '>', "length %zu", n);
		CHECK(n == 0 || memcmp(buf.data + 1, text, n) == 0, "length %zu", n);
		mail_buf_free(&buf);

		uint8_t mem[4100] = { 0 };
		mail_buf_t fixed = MAIL_BUF_FIXED(mem, n + 1);
		CHECK(mail_buf_printf(&fixed, "<%.*s>", (int)n, text) == KNOT_ESPACE, "length %zu",
		      n);
		CHECK(fixed.len == 0 && mem[n + 1] == 0, "length %zu: nothing is written", n);
	}
}

static void test_reader_ends(void)
{
	static const uint8_t octets[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	for (size_t len = 0; len <= sizeof(octets); len++) {
		mail_reader_t r = MAIL_READER(octets, len);
		CHECK((mail_read_u8(&r) != 0) == (len >= 1), "u8 of %zu", len);
		r = MAIL_READER(octets, len);
		CHECK((mail_read_u16(&r) != 0) == (len >= 2), "u16 of %zu", len);
		r = MAIL_READER(octets, len);
		CHECK((mail_read_u32(&r) != 0) == (len >= 4), "u32 of %zu", len);
		CHECK(r.error == (len >= 4 ? KNOT_EOK : KNOT_EMALF), "u32 of %zu", len);
		r = MAIL_READER(octets, len);
		CHECK((mail_read_u64(&r) != 0) == (len >= 8), "u64 of %zu", len);
		r = MAIL_READER(octets, len);
		CHECK(mail_read(&r, len + 1) == NULL && r.error == KNOT_EMALF, "%zu", len);
		CHECK(mail_read(&r, 0) == NULL && mail_read_left(&r) == 0, "%zu: sticks", len);
		r = MAIL_READER(octets, len);
		CHECK(mail_read(&r, SIZE_MAX) == NULL, "%zu", len);
	}
}

static void test_strings(void)
{
	CHECK(mail_str_equal((mail_str_t){ NULL, 0 }, (mail_str_t){ "", 0 }), "empty");
	CHECK(mail_str_is((mail_str_t){ "abc", 2 }, "ab"), "a part");
	CHECK(!mail_str_is(MAIL_STR("ab"), "abc"), "shorter");
	CHECK(!mail_str_equal((mail_str_t){ "a\0b", 3 }, (mail_str_t){ "a\0c", 3 }), "NUL");
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
	EACH(c, cases) {
		size_t column = 0;
		bool ok = mail_str_is_text(MAIL_STR(c->text), &column);
		CHECK(ok == (c->column == 0) && column == c->column, "%zu", column);
		CHECK_INT(mail_str_is_text(MAIL_STR(c->text), NULL), ok);
	}
	CHECK(!mail_str_is_text((mail_str_t){ "a\0b", 3 }, NULL));
}

/* Many characters are looked at in one step: each octet is seen in each place. */
static void test_plain(void)
{
	char text[24];
	const mail_str_t s = { text, sizeof(text) };
	memset(text, 'x', sizeof(text));
	for (size_t at = 0; at < sizeof(text); at++) {
		for (unsigned octet = 0; octet < 256; octet++) {
			text[at] = (char)octet;
			const size_t end = octet >= 0x20 && octet < 0x7f ? sizeof(text) : at;
			size_t column = 0;
			CHECK_INT(mail_str_plain(s, 0), end);
			CHECK_INT(mail_str_plain(s, at + 1), sizeof(text));
			CHECK_INT(mail_str_is_text(s, &column), end == sizeof(text));
			CHECK_INT(column, end == sizeof(text) ? 0 : at + 1);
			CHECK_INT(mail_str_is_ascii(s), octet < 0x80);
		}
		text[at] = 'x';
	}
	CHECK_INT(mail_str_plain((mail_str_t){ NULL, 0 }, 0), 0);
}

/* Addresses are those of inet_pton(). */
static void test_address(void)
{
	static const char *const texts[] = {
		"192.0.2.1",
		"0.0.0.0",
		"255.255.255.255",
		"256.0.0.1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.4.",
		".1.2.3.4",
		"1..2.3",
		"01.2.3.4",
		"1.2.3.00",
		"1.2.3.0",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4567",
		"1.2.3.4a",
		"0x1.2.3.4",
		"1.2.3.-4",
		"+1.2.3.4",
		"1",
		"",
		"::",
		"2001:db8::1",
		"::192.0.2.1",
		"::ffff:1.2.3.256",
		"2001:db8::g",
		"999.1.1.1",
		"1.2.3.1000",
		"1.2.3.4/24",
		"1,2,3,4",
	};
	EACH(text, texts) {
		uint8_t address[16], expected[16];
		size_t len = 0;
		if (inet_pton(AF_INET, *text, expected) == 1) {
			len = 4;
		} else if (inet_pton(AF_INET6, *text, expected) == 1) {
			len = 16;
		}
		CHECK(mail_str_address(MAIL_STR(*text), address) == len &&
		              memcmp(address, expected, len) == 0,
		      "%s", *text);
	}
	uint8_t address[16];
	CHECK_INT(mail_str_address((mail_str_t){ "1.2.3.45", 7 }, address), 4);
	CHECK_INT(address[3], 4);
	CHECK_INT(mail_str_address((mail_str_t){ "1.2.3.4\0", 8 }, address), 0);
}

static void test_number_text(void)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 12345, "12,345" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	EACH(c, cases) {
		char out[MAIL_NUMBER_TEXT];
		CHECK_STR(mail_number_text(c->number, out), c->text);
	}
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
	EACH(c, cases) {
		mail_str_t a = MAIL_STR(c->a), b = MAIL_STR(c->b);
		CHECK_INT(mail_str_distance(a, b), c->distance);
		CHECK_INT(mail_str_distance(b, a), c->distance);
	}
}

static void test_hex(void)
{
	uint8_t mem[6];
	mail_buf_t out = MAIL_BUF_FIXED(mem, sizeof(mem));
	CHECK_OK(mail_buf_hex(&out, (const uint8_t *)"\0\x9f\xa8", 3));
	CHECK_TEXT(mail_buf_view(&out), "009fa8");
	CHECK_OK(mail_buf_hex(&out, (const uint8_t *)"", 0));
	CHECK_INT(mail_buf_hex(&out, (const uint8_t *)"a", 1), KNOT_ESPACE);
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
	EACH(c, cases) {
		uint32_t number = 0;
		bool good = mail_str_number(MAIL_STR(c->text), c->max, &number);
		CHECK(good == c->good && (!good || number == c->number), "%u", number);
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
	EACH(c, cases) {
		mail_buf_t out = { 0 }, back = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_base64_parse(MAIL_STR(c->text), &out, &diag);
		CHECK(ret == (c->octets != NULL ? KNOT_EOK : KNOT_EINVAL), "%d", ret);
		if (c->octets != NULL) {
			CHECK_TEXT(mail_buf_view(&out), c->octets);
			CHECK_OK(mail_buf_base64(&back, out.data, out.len));
			CHECK(strchr(c->text, ' ') != NULL ||
			              mail_str_is(mail_buf_view(&back), c->text),
			      "%.*s", (int)back.len, (const char *)back.data);
		} else {
			CHECK(diag.column == c->column, "column %u", diag.column);
		}
		mail_buf_free(&out);
		mail_buf_free(&back);
	}
	/* Long ones; of all octets, and with a blank anywhere. */
	uint8_t octets[600];
	char text[900];
	for (size_t i = 0; i < sizeof(octets); i++) {
		octets[i] = (uint8_t)(i * 7 + i / 256);
	}
	for (size_t len = 1; len <= sizeof(octets); len++) {
		mail_buf_t out = { 0 }, back = { 0 };
		CHECK_OK(mail_buf_base64(&out, octets, len));
		const size_t blank = len * 5 % out.len;
		(void)snprintf(text, sizeof(text), "%.*s %.*s", (int)blank, (const char *)out.data,
		               (int)(out.len - blank), (const char *)out.data + blank);
		CHECK_OK(mail_base64_parse(mail_buf_view(&out), &back, NULL));
		CHECK(back.len == len && memcmp(back.data, octets, len) == 0, "%zu octets", len);
		back.len = 0;
		CHECK_OK(mail_base64_parse(MAIL_STR(text), &back, NULL));
		CHECK(back.len == len && memcmp(back.data, octets, len) == 0, "%zu octets", len);
		mail_buf_free(&out);
		mail_buf_free(&back);
	}
	uint8_t memory[2];
	mail_buf_t small = MAIL_BUF_FIXED(memory, sizeof(memory));
	CHECK_INT(mail_base64_parse(MAIL_STR("Zm9v"), &small, NULL), KNOT_ESPACE);
}

UNIT_MAIN("base", TEST("reasons are printable", test_diag),
          TEST("reasons that are cut", test_diag_cut), TEST("warnings", test_warn),
          TEST("a growing buffer", test_buf_grows), TEST("numbers", test_buf_numbers),
          TEST("a fixed buffer", test_buf_fixed), TEST("formatted text", test_buf_printf),
          TEST("the reader at the end", test_reader_ends), TEST("strings", test_strings),
          TEST("UTF-8", test_text), TEST("printable ASCII", test_plain),
          TEST("addresses", test_address), TEST("distances", test_distance),
          TEST("thousands", test_number_text), TEST("numbers in text", test_number),
          TEST("hexadecimal", test_hex), TEST("base64", test_base64))
