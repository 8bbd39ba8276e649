/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/time.h"

#include "mail/chars.h"

#define TIME_LEN 20 /* "2026-01-31T12:00:00Z" */
#define DAY 86400

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*! Days from the first of January of year 0 (proleptic Gregorian) to that of a year. */
static int64_t year_days(int64_t year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

#define EPOCH_DAYS year_days(1970)

/*!
 * Check the shape of a time, RFC 3339 5.6, of which only UTC is taken:
 *
 *     date-time = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT "Z"
 */
static int shape_check(mail_str_t text, mail_diag_t *diag)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	for (size_t i = 0; i < TIME_LEN; i++) {
		char c = i < text.len ? text.data[i] : '\0';
		bool fits = shape[i] == 'd' ? c >= '0' && c <= '9' : c == shape[i];
		/* RFC 3339 5.6 note: "t" and "z" may be small letters. */
		fits = fits || (c == 't' && shape[i] == 'T') || (c == 'z' && shape[i] == 'Z');
		if (!fits) {
			bool zone = i == TIME_LEN - 1 && i < text.len;
			return mail_diag_error(diag, i + 1,
			                       "\"%.*s\" is not a time%s: "
			                       "write it as 2026-01-31T12:00:00Z",
			                       (int)(text.len < 64 ? text.len : 64), text.data,
			                       zone ? " in UTC and whole seconds" : "");
		}
	}
	if (text.len > TIME_LEN) {
		return mail_diag_error(diag, TIME_LEN + 1, "more text after the time");
	}
	return KNOT_EOK;
}

/*! Return the number of len digits at a place whose shape was checked. */
static unsigned digits(mail_str_t text, size_t pos, size_t len)
{
	uint32_t value = 0;
	(void)mail_str_number(mail_str_part(text, pos, len), 9999, &value);
	return value;
}

int mail_time_parse(mail_str_t text, int64_t *out, mail_diag_t *diag)
{
	int ret = shape_check(text, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}

	unsigned year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
	unsigned hour = digits(text, 11, 2), minute = digits(text, 14, 2);
	unsigned second = digits(text, 17, 2);
	if (month < 1 || month > 12) {
		return mail_diag_error(diag, 6, "there is no month %u", month);
	}
	if (day < 1 || day > month_days(year, month)) {
		return mail_diag_error(diag, 9, "month %04u-%02u has no day %u", year, month, day);
	}
	if (hour > 23) {
		return mail_diag_error(diag, 12, "there is no hour %u", hour);
	}
	if (minute > 59) {
		return mail_diag_error(diag, 15, "there is no minute %u", minute);
	}
	/* A leap second has no number of seconds since 1970 of its own. */
	if (second > 59) {
		return mail_diag_error(diag, 18, "second %u is over 59", second);
	}

	int64_t days = year_days(year) - EPOCH_DAYS + day - 1;
	for (unsigned m = 1; m < month; m++) {
		days += month_days(year, m);
	}
	*out = days * DAY + hour * 3600 + minute * 60 + second;
	return KNOT_EOK;
}

int mail_time_print(int64_t seconds, mail_buf_t *out)
{
	/* Four digits of a year are all that the format has. */
	if (seconds < -EPOCH_DAYS * DAY || seconds >= (year_days(10000) - EPOCH_DAYS) * DAY) {
		return KNOT_ERANGE;
	}
	int64_t days = seconds / DAY + EPOCH_DAYS;
	int64_t rest = seconds % DAY;
	if (rest < 0) {
		rest += DAY;
		days--;
	}

	/* 365.2425 days make a year; the guess is off by one at most. */
	int64_t year = days * 400 / 146097;
	while (year_days(year) > days) {
		year--;
	}
	while (year_days(year + 1) <= days) {
		year++;
	}
	days -= year_days(year);
	unsigned month = 1;
	while (days >= month_days((unsigned)year, month)) {
		days -= month_days((unsigned)year, month++);
	}
	return mail_buf_printf(out, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year, month,
	                       (unsigned)days + 1, (unsigned)(rest / 3600),
	                       (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
}
