/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include <time.h>

#include "mail/time.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01Z", 1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "2026-01-31T12:00:00Z", 1769860800 },
		{ "2000-02-29T00:00:00Z", 951782400 },
		{ "1990-12-31T23:59:59Z", 662687999 },
		{ "1985-04-12T23:20:50Z", 482196050 }, /* RFC 3339 5.8, without the fraction. */
		{ "2038-01-19T03:14:08Z", 2147483648 },
		{ "2106-02-07T06:28:16Z", 4294967296 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
		{ "0000-01-01T00:00:00Z", -62167219200 },
		{ "2026-01-31t12:00:00z", 1769860800 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = 42;
		int ret = mail_time_parse(MAIL_STR(cases[i].text), &seconds, NULL);
		UNIT_CHECK(ret == KNOT_EOK && seconds == cases[i].seconds, "case %zu: %d %lld", i,
		           ret, (long long)seconds);
		mail_buf_t buf = { 0 };
		ret = mail_time_print(seconds, &buf);
		UNIT_CHECK(ret == KNOT_EOK && buf.len == 20, "case %zu: %d %zu", i, ret, buf.len);
		bool same = true;
		for (size_t k = 0; k < buf.len && buf.len == 20; k++) {
			same = same && (buf.data[k] | 0x20) == (cases[i].text[k] | 0x20);
		}
		UNIT_CHECK(same && buf.data[10] == 'T' && buf.data[19] == 'Z', "case %zu: %.*s", i,
		           (int)buf.len, (char *)buf.data);
		mail_buf_free(&buf);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t column;
	} cases[] = {
		{ "", 1 },
		{ "2026", 5 },
		{ "2026-01-31", 11 },
		{ "2026-01-31 12:00:00Z", 11 },
		{ "2026-01-31T12:00:00", 20 },
		{ "2026-01-31T12:00:00+01:00", 20 },
		{ "2026-01-31T12:00:00+00:00", 20 },
		{ "2026-01-31T12:00:00.5Z", 20 },
		{ "2026-01-31T12:00:00Zx", 21 },
		{ "2026-1-31T12:00:00Z", 7 },
		{ " 2026-01-31T12:00:00Z", 1 },
		{ "-026-01-31T12:00:00Z", 1 },
		{ "2026-00-31T12:00:00Z", 6 },
		{ "2026-13-31T12:00:00Z", 6 },
		{ "2026-01-00T12:00:00Z", 9 },
		{ "2026-01-32T12:00:00Z", 9 },
		{ "2026-04-31T12:00:00Z", 9 },
		{ "2026-02-29T12:00:00Z", 9 },
		{ "1900-02-29T12:00:00Z", 9 },
		{ "2026-01-31T24:00:00Z", 12 },
		{ "2026-01-31T12:60:00Z", 15 },
		{ "1990-12-31T23:59:60Z", 18 }, /* A leap second, RFC 3339 5.8. */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds;
		mail_diag_t diag = { 0 };
		int ret = mail_time_parse(MAIL_STR(cases[i].text), &seconds, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column && diag.text[0] != '\0',
		           "case %zu: %u %s", i, diag.column, diag.text);
		UNIT_CHECK(mail_time_parse(MAIL_STR(cases[i].text), &seconds, NULL) == KNOT_EINVAL,
		           "case %zu without diag", i);
	}
}

/* Against the C library, over all lengths of months and years. */
static void test_libc(void)
{
	unsigned wrong = 0, count = 0;
	for (int64_t t = -62167219200; t < 253402300800; t += 86400 * 13 + 12345) {
		time_t when = (time_t)t;
		struct tm tm;
		char text[32] = "";
		if (gmtime_r(&when, &tm) == NULL || tm.tm_year + 1900 < 1000) {
			continue;
		}
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		mail_buf_t buf = { 0 };
		int64_t back = 0;
		bool same = mail_time_print(t, &buf) == KNOT_EOK &&
		            mail_str_is(mail_buf_view(&buf), text) &&
		            mail_time_parse(MAIL_STR(text), &back, NULL) == KNOT_EOK && back == t;
		wrong += !same;
		count++;
		mail_buf_free(&buf);
	}
	UNIT_CHECK(wrong == 0 && count > 100000, "%u of %u differ", wrong, count);
}

static void test_range(void)
{
	static const int64_t cases[] = { -62167219201, 253402300800, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mail_buf_t buf = { 0 };
		int ret = mail_time_print(cases[i], &buf);
		UNIT_CHECK(ret == KNOT_ERANGE && buf.len == 0, "case %zu: %d", i, ret);
		mail_buf_free(&buf);
	}
	uint8_t mem[19];
	mail_buf_t small = MAIL_BUF_FIXED(mem, sizeof(mem));
	UNIT_CHECK(mail_time_print(0, &small) == KNOT_ESPACE, "19 octets");
}

static const unit_test_t tests[] = {
	{ "times that are", test_parse },
	{ "times that are not", test_refused },
	{ "as the C library", test_libc },
	{ "out of range", test_range },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("time", tests);
}
