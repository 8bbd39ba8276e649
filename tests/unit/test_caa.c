/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "record/caa.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

/*! Counts warnings. */
static void warning_count(void *ctx, const char *text)
{
	(void)text;
	++*(unsigned *)ctx;
}

static void test_accepted(void)
{
	static const struct {
		const char *text;
		mail_str_t rdata;
		unsigned warnings;
	} cases[] = {
		/* RFC 8659 4.1.1, 4.2, 4.3, 4.4 */
		{ "0 issue \"ca1.example.net\"", LIT("\0\5issueca1.example.net"), 0 },
		{ "0 issue \"ca1.example.net; account=230123\"",
		  LIT("\0\5issueca1.example.net; account=230123"), 0 },
		{ "0 issue \";\"", LIT("\0\5issue;"), 0 },
		{ "0 issuewild \"ca2.example.org\"", LIT("\0\11issuewildca2.example.org"), 0 },
		{ "0 iodef \"mailto:security@example.com\"",
		  LIT("\0\5iodefmailto:security@example.com"), 0 },
		{ "0 iodef \"https://iodef.example.com/\"",
		  LIT("\0\5iodefhttps://iodef.example.com/"), 0 },
		{ "128 tbs \"Unknown\"", LIT("\200\3tbsUnknown"), 1 },
		{ "0 issue \"ca.example; a=b; c=\"", LIT("\0\5issueca.example; a=b; c="), 0 },
		/* RFC 9495 */
		{ "0 issuemail ca.example", LIT("\0\11issuemailca.example"), 0 },
		{ "issue ca.example", LIT("\0\5issueca.example"), 0 },
		{ "issue ;", LIT("\0\5issue;"), 0 },
		{ " 0\tISSUE  \"ca.example\" ", LIT("\0\5issueca.example"), 0 },
		{ "iodef mailto:ca@{domain}", LIT("\0\5iodefmailto:ca@example.org"), 0 },
		{ "issue letsencrypt.org; validationmethods=dns-01",
		  LIT("\0\5issueletsencrypt.org; validationmethods=dns-01"), 0 },
		{ "1 issue ca.example", LIT("\1\5issueca.example"), 1 },
		{ "0 tbs \"a \\\"quote\\\" and \\\\\"", LIT("\0\3tbsa \"quote\" and \\"), 1 },
		{ "0 contactemail \"\"", LIT("\0\14contactemail"), 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned warnings = 0;
		mail_diag_t diag = { .warn = warning_count, .warn_ctx = &warnings };
		mail_rdata_t rdata = { 0 };
		uint8_t out[300];
		int ret = mail_caa_render(MAIL_STR(cases[i].text), &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text);
		UNIT_CHECK(warnings == cases[i].warnings, "case %zu: %u warnings", i, warnings);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)cases[i].rdata.len &&
		                   memcmp(out, cases[i].rdata.data, cases[i].rdata.len) == 0,
		           "case %zu: %d %.*s", i, ret, ret > 0 ? ret : 0, out);
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
		{ "", 0, "TAG VALUE" },
		{ "0", 0, "TAG VALUE" },
		{ "issue", 0, "TAG VALUE" },
		{ "0 issue", 0, "TAG VALUE" },
		{ "256 issue ca.example", 1, "flags \"256\"" },
		{ "0x1 issue ca.example", 1, "flags \"0x1\"" },
		{ "0 is-sue ca.example", 5, "letters and digits" },
		{ "0 a23456789012345x ca.example", 3, "longer than 15" },
		{ "0 issue \"ca.example", 19, "quote at the end" },
		{ "0 issue \"ca.example\" x", 21, "more text" },
		{ "0 issue ca\"example", 11, "quote within" },
		{ "0 issue \"ca\\046example\"", 12, "backslash" },
		{ "0 issue \"ca\\", 12, "backslash" },
		{ "0 issue \"\"", 10, "issuer is missing" },
		{ "0 issue \"ca..example\"", 13, "empty label" },
		{ "0 issue \"ca.example; account\"", 22, "\"account\" is not TAG=VALUE" },
		{ "0 issue \"ca.example; =x\"", 22, "TAG=VALUE" },
		{ "0 issue \";;\"", 11, "TAG=VALUE" },
		{ "0 issue \"{domain}\"", 10, "cannot stand here" },
		{ "0 iodef \"security@example.com\"", 10, "mailto:" },
		{ "0 iodef \"\"", 10, "mailto:" },
		{ "0 tbs b\xc3\xbc", 8, "ASCII" },
		{ "0 tbs \"a\tb\"", 9, "ASCII" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_caa_render(MAIL_STR(cases[i].text), &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column &&
		                   strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		mail_rdata_free(&rdata);
		ret = mail_caa_render(MAIL_STR(cases[i].text), &rdata, NULL);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

static const unit_test_t tests[] = {
	{ "records that are", test_accepted },
	{ "records that are not", test_refused },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("caa", tests);
}
