/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "record/mx.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

static void test_accepted(void)
{
	static const struct {
		const char *text;
		uint16_t preference;
		bool null;
		mail_str_t rdata;
	} cases[] = {
		{ "10 mail", 10, false, LIT("\0\12\4mail\7example\3org\0") },
		{ "mail", 10, false, LIT("\0\12\4mail\7example\3org\0") },
		{ " 20\tmail ", 20, false, LIT("\0\24\4mail\7example\3org\0") },
		{ "0 mail", 0, false, LIT("\0\0\4mail\7example\3org\0") },
		{ "65535 mx.example.com.", 65535, false, LIT("\377\377\2mx\7example\3com\0") },
		{ "10 @", 10, false, LIT("\0\12\7example\3org\0") },
		{ "10 {domain}.mx.example.", 10, false, LIT("\0\12\7example\3org\2mx\7example\0") },
		{ "10 XN--BCHER-KVA", 10, false, LIT("\0\12\15xn--bcher-kva\7example\3org\0") },
		/* RFC 7505 3 */
		{ ".", 0, true, LIT("\0\0\0") },
		{ "0 .", 0, true, LIT("\0\0\0") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_mx_t mx;
		mail_diag_t diag = { 0 };
		int ret = mail_mx_parse(MAIL_STR(cases[i].text), &mx, &diag);
		if (!UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text)) {
			continue;
		}
		UNIT_CHECK(mx.preference == cases[i].preference && mx.null == cases[i].null,
		           "case %zu: %u %d", i, mx.preference, mx.null);
		mail_rdata_t rdata = { 0 };
		uint8_t out[300];
		UNIT_CHECK(mail_mx_render(&mx, &rdata) == KNOT_EOK, "case %zu", i);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)cases[i].rdata.len &&
		                   memcmp(out, cases[i].rdata.data, cases[i].rdata.len) == 0,
		           "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t column;
		const char *reason;
	} cases[] = {
		{ "", 0, "needs a host" },
		{ "  ", 0, "needs a host" },
		{ "10", 1, "no host after preference 10" },
		{ "mail 10", 1, "it comes first" },
		{ "ten mail", 1, "not a number" },
		{ "-1 mail", 1, "not a number" },
		{ "65536 mail", 1, "over 65535" },
		{ "99999999999999999999 mail", 1, "over 65535" },
		{ "10 mail backup", 9, "\"backup\" is too much" },
		{ "10 192.0.2.1", 4, "IP address" },
		{ "2001:db8::1", 1, "IP address" },
		{ " 10 [192.0.2.1]", 5, "IP address" },
		{ "10 *", 4, "wildcard" },
		{ "10 a..b", 6, "empty label" },
		{ "10 postmaster@example.org", 14, "address" },
		{ "10 .", 1, "RFC 7505" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_mx_t mx;
		mail_diag_t diag = { 0 };
		int ret = mail_mx_parse(MAIL_STR(cases[i].text), &mx, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column &&
		                   strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		UNIT_CHECK(mail_mx_parse(MAIL_STR(cases[i].text), &mx, NULL) == KNOT_EINVAL,
		           "case %zu", i);
	}
}

static const unit_test_t tests[] = {
	{ "exchanges that are", test_accepted },
	{ "exchanges that are not", test_refused },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("mx", tests);
}
