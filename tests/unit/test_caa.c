/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/caa.h"

#include "lib/cases.h"

static const case_t cases[] = {
	/* RFC 8659 4.1.1, 4.2, 4.3, 4.4 */
	GOOD("0 issue \"ca1.example.net\"", "\0\5issueca1.example.net"),
	GOOD("0 issue \"ca1.example.net; account=230123\"",
	     "\0\5issueca1.example.net; account=230123"),
	GOOD("0 issue \";\"", "\0\5issue;"),
	GOOD("0 issuewild \"ca2.example.org\"", "\0\11issuewildca2.example.org"),
	GOOD("0 iodef \"mailto:security@example.com\"", "\0\5iodefmailto:security@example.com"),
	GOOD("0 iodef \"https://iodef.example.com/\"", "\0\5iodefhttps://iodef.example.com/"),
	WARN("128 tbs \"Unknown\"", "\200\3tbsUnknown", 1),
	GOOD("0 issue \"ca.example; a=b; c=\"", "\0\5issueca.example; a=b; c="),
	/* RFC 9495 */
	GOOD("0 issuemail ca.example", "\0\11issuemailca.example"),
	GOOD("issue ca.example", "\0\5issueca.example"),
	GOOD("issue ;", "\0\5issue;"),
	GOOD(" 0\tISSUE  \"ca.example\" ", "\0\5issueca.example"),
	GOOD("iodef mailto:ca@{domain}", "\0\5iodefmailto:ca@example.org"),
	GOOD("issue letsencrypt.org; validationmethods=dns-01",
	     "\0\5issueletsencrypt.org; validationmethods=dns-01"),
	WARN("1 issue ca.example", "\1\5issueca.example", 1),
	WARN("0 tbs \"a \\\"quote\\\" and \\\\\"", "\0\3tbsa \"quote\" and \\", 1),
	GOOD("0 contactemail \"\"", "\0\14contactemail"),
	BAD("", 0, "TAG VALUE"),
	BAD("0", 0, "TAG VALUE"),
	BAD("issue", 0, "TAG VALUE"),
	BAD("0 issue", 0, "TAG VALUE"),
	BAD("256 issue ca.example", 1, "flags \"256\""),
	BAD("0x1 issue ca.example", 1, "flags \"0x1\""),
	BAD("0 is-sue ca.example", 5, "letters and digits"),
	BAD("0 a23456789012345x ca.example", 3, "longer than 15"),
	BAD("0 issue \"ca.example", 19, "quote at the end"),
	BAD("0 issue \"ca.example\" x", 21, "more text"),
	BAD("0 issue ca\"example", 11, "quote within"),
	BAD("0 issue \"ca\\046example\"", 12, "backslash"),
	BAD("0 issue \"ca\\", 12, "backslash"),
	BAD("0 issue \"\"", 10, "issuer is missing"),
	BAD("0 issue \"ca..example\"", 13, "empty label"),
	BAD("0 issue \"ca.example; account\"", 22, "\"account\" is not TAG=VALUE"),
	BAD("0 issue \"ca.example; =x\"", 22, "TAG=VALUE"),
	BAD("0 issue \";;\"", 11, "TAG=VALUE"),
	BAD("0 issue \"{domain}\"", 10, "cannot stand here"),
	BAD("0 iodef \"security@example.com\"", 10, "mailto:"),
	BAD("0 iodef \"\"", 10, "mailto:"),
	BAD("0 tbs b\xc3\xbc", 8, "ASCII"),
	BAD("0 tbs \"a\tb\"", 9, "ASCII"),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	return case_octets(mail_caa_render(in, &rdata, diag), &rdata, out);
}

static void test_records(void)
{
	run_cases(cases, render);
}

UNIT_MAIN("caa", TEST("records that are, and that are not", test_records))
