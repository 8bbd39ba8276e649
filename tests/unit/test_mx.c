/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/mx.h"

#include "lib/cases.h"

static const case_t cases[] = {
	GOOD("10 mail", "\0\12\4mail\7example\3org\0"),
	GOOD("mail", "\0\12\4mail\7example\3org\0"),
	GOOD(" 20\tmail ", "\0\24\4mail\7example\3org\0"),
	GOOD("0 mail", "\0\0\4mail\7example\3org\0"),
	GOOD("65535 mx.example.com.", "\377\377\2mx\7example\3com\0"),
	GOOD("10 @", "\0\12\7example\3org\0"),
	GOOD("10 {domain}.mx.example.", "\0\12\7example\3org\2mx\7example\0"),
	GOOD("10 XN--BCHER-KVA", "\0\12\15xn--bcher-kva\7example\3org\0"),
	/* RFC 7505 3 */
	GOOD(".", "\0\0\0"),
	GOOD("0 .", "\0\0\0"),
	BAD("", 0, "needs a host"),
	BAD("  ", 0, "needs a host"),
	BAD("10", 1, "no host after preference 10"),
	BAD("mail 10", 1, "it comes first"),
	BAD("ten mail", 1, "not a number"),
	BAD("-1 mail", 1, "not a number"),
	BAD("65536 mail", 1, "over 65535"),
	BAD("99999999999999999999 mail", 1, "over 65535"),
	BAD("10 mail backup", 9, "\"backup\" is too much"),
	BAD("10 192.0.2.1", 4, "IP address"),
	BAD("2001:db8::1", 1, "IP address"),
	BAD(" 10 [192.0.2.1]", 5, "IP address"),
	BAD("10 *", 4, "wildcard"),
	BAD("10 a..b", 6, "empty label"),
	BAD("10 postmaster@example.org", 14, "address"),
	BAD("10 .", 1, "RFC 7505"),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_mx_t mx;
	mail_rdata_t rdata = { 0 };
	int ret = mail_mx_parse(in, &mx, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = case_octets(mail_mx_render(&mx, &rdata), &rdata, out);
	CHECK(out->len >= 3 && mx.preference == out->data[0] * 256 + out->data[1]);
	/* RFC 7505 3 */
	CHECK(mx.null == (out->len == 3 && mx.preference == 0));
	return ret;
}

static void test_exchanges(void)
{
	run_cases(cases, render);
}

UNIT_MAIN("mx", TEST("exchanges that are, and that are not", test_exchanges))
