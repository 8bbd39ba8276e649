/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <time.h>

#include "mail/time.h"

#include "lib/cases.h"

/* Seconds, and the time as it is written. */
static const case_t times[] = {
	GOOD("1970-01-01T00:00:00Z", "0 1970-01-01T00:00:00Z"),
	GOOD("1970-01-01T00:00:01Z", "1 1970-01-01T00:00:01Z"),
	GOOD("1969-12-31T23:59:59Z", "-1 1969-12-31T23:59:59Z"),
	GOOD("2026-01-31T12:00:00Z", "1769860800 2026-01-31T12:00:00Z"),
	GOOD("2000-02-29T00:00:00Z", "951782400 2000-02-29T00:00:00Z"),
	GOOD("1990-12-31T23:59:59Z", "662687999 1990-12-31T23:59:59Z"),
	GOOD("1985-04-12T23:20:50Z",
	     "482196050 1985-04-12T23:20:50Z"), /* RFC 3339 5.8, without the fraction. */
	GOOD("2038-01-19T03:14:08Z", "2147483648 2038-01-19T03:14:08Z"),
	GOOD("2106-02-07T06:28:16Z", "4294967296 2106-02-07T06:28:16Z"),
	GOOD("9999-12-31T23:59:59Z", "253402300799 9999-12-31T23:59:59Z"),
	GOOD("0000-01-01T00:00:00Z", "-62167219200 0000-01-01T00:00:00Z"),
	GOOD("2026-01-31t12:00:00z", "1769860800 2026-01-31T12:00:00Z"),
	BAD("", 1),
	BAD("2026", 5),
	BAD("2026-01-31", 11),
	BAD("2026-01-31 12:00:00Z", 11),
	BAD("2026-01-31T12:00:00", 20),
	BAD("2026-01-31T12:00:00+01:00", 20),
	BAD("2026-01-31T12:00:00+00:00", 20),
	BAD("2026-01-31T12:00:00.5Z", 20),
	BAD("2026-01-31T12:00:00Zx", 21),
	BAD("2026-1-31T12:00:00Z", 7),
	BAD(" 2026-01-31T12:00:00Z", 1),
	BAD("-026-01-31T12:00:00Z", 1),
	BAD("2026-00-31T12:00:00Z", 6),
	BAD("2026-13-31T12:00:00Z", 6),
	BAD("2026-01-00T12:00:00Z", 9),
	BAD("2026-01-32T12:00:00Z", 9),
	BAD("2026-04-31T12:00:00Z", 9),
	BAD("2026-02-29T12:00:00Z", 9),
	BAD("1900-02-29T12:00:00Z", 9),
	BAD("2026-01-31T24:00:00Z", 12),
	BAD("2026-01-31T12:60:00Z", 15),
	BAD("1990-12-31T23:59:60Z", 18), /* A leap second, RFC 3339 5.8. */
};

static int parse(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	int64_t seconds = 42;
	int ret = mail_time_parse(in, &seconds, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	(void)mail_buf_printf(out, "%lld ", (long long)seconds);
	return mail_time_print(seconds, out);
}

static void test_parse(void)
{
	run_cases(times, parse);
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
	CHECK(wrong == 0 && count > 100000, "%u of %u differ", wrong, count);
}

static void test_range(void)
{
	static const int64_t cases[] = { -62167219201, 253402300800, INT64_MIN, INT64_MAX };
	EACH(c, cases) {
		mail_buf_t buf = { 0 };
		int ret = mail_time_print(*c, &buf);
		CHECK(ret == KNOT_ERANGE && buf.len == 0, "%d", ret);
		mail_buf_free(&buf);
	}
	uint8_t mem[19];
	mail_buf_t small = MAIL_BUF_FIXED(mem, sizeof(mem));
	CHECK(mail_time_print(0, &small) == KNOT_ESPACE, "19 octets");
}

UNIT_MAIN("time", TEST("times that are, and that are not", test_parse),
          TEST("as the C library", test_libc), TEST("out of range", test_range))
