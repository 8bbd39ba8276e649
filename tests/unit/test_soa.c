/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "record/soa.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

/* serial 0, refresh 86400, retry 7200, expire 3600000, minimum 300 */
#define NUMBERS "\0\0\0\0\0\1\121\200\0\0\34\40\0\66\356\200\0\0\1\54"

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

static void test_accepted(void)
{
	static const struct {
		const char *mname, *rname;
		mail_str_t rdata;
	} cases[] = {
		{ "ns1", "hostmaster",
		  LIT("\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS) },
		{ "ns1", "hostmaster@{domain}",
		  LIT("\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS) },
		{ "ns1", "hostmaster.{domain}",
		  LIT("\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS) },
		/* RFC 1035 8: the dot of a local part belongs to the label. */
		{ "ns.x.", "Action.domains@ISI.EDU",
		  LIT("\2ns\1x\0\16action.domains\3isi\3edu\0" NUMBERS) },
		{ "ns.x.", "Action\\.domains.ISI.EDU.",
		  LIT("\2ns\1x\0\16action.domains\3isi\3edu\0" NUMBERS) },
		{ "ns.x.", "a+b@x.example.", LIT("\2ns\1x\0\3a+b\1x\7example\0" NUMBERS) },
		{ "ns.x.", "a@mail.{domain}", LIT("\2ns\1x\0\1a\4mail\7example\3org\0" NUMBERS) },
		{ "ns.x.", "a@{domain}.x", LIT("\2ns\1x\0\1a\7example\3org\1x\0" NUMBERS) },
		{ "ns.x.", "a@xn--bcher-kva.example",
		  LIT("\2ns\1x\0\1a\15xn--bcher-kva\7example\0" NUMBERS) },
		{ "@", ".", LIT("\7example\3org\0\0" NUMBERS) },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		uint8_t out[600];
		int ret = mail_soa_render(MAIL_STR(cases[i].mname), MAIL_STR(cases[i].rname),
		                          &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)cases[i].rdata.len &&
		                   memcmp(out, cases[i].rdata.data, cases[i].rdata.len) == 0,
		           "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

static void test_refused(void)
{
	static const char long_local[] =
		"a123456789b123456789c123456789d123456789e123456789f123456789g123"
		"@x.example";
	static const struct {
		const char *mname, *rname;
		uint32_t column;
		const char *reason;
	} cases[] = {
		{ "192.0.2.1", "a", 1, "soa-mname: \"192.0.2.1\" is an IP address" },
		{ "", "a", 0, "soa-mname" },
		{ "ns1", "", 0, "soa-rname" },
		{ "ns1", "a..b", 3, "soa-rname" },
		{ "ns1", "@x.example", 1, "local part" },
		{ "ns1", "a@", 3, "domain after its @" },
		{ "ns1", "a b@x.example", 2, "bad local part" },
		{ "ns1", ".a@x.example", 1, "bad local part" },
		{ "ns1", "a.@x.example", 2, "bad local part" },
		{ "ns1", "a..b@x.example", 3, "bad local part" },
		{ "ns1", "\"a b\"@x.example", 1, "bad local part" },
		{ "ns1", "{domain}@x.example", 1, "bad local part" },
		{ "ns1", "a@b@x.example", 2, "bad local part" },
		{ "ns1", "ä@x.example", 1, "bad local part" },
		{ "ns1", "a@x..example", 5, "empty label" },
		{ "ns1", "a@192.0.2.1", 3, "IP address" },
		{ "ns1", long_local, 1, "1 to 63 octets" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_soa_render(MAIL_STR(cases[i].mname), MAIL_STR(cases[i].rname),
		                          &rdata, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column &&
		                   strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		mail_rdata_free(&rdata);
		ret = mail_soa_render(MAIL_STR(cases[i].mname), MAIL_STR(cases[i].rname), &rdata,
		                      NULL);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

/* Local part and domain together must fit a name. */
static void test_length(void)
{
	char rname[512];
	for (size_t last = 20; last <= 63; last++) {
		memset(rname, 'x', sizeof(rname));
		rname[9] = '@'; /* 9 octets of local part */
		rname[9 + 1 + 63] = '.';
		rname[9 + 1 + 127] = '.';
		rname[9 + 1 + 191] = '.';
		rname[9 + 1 + 192 + last] = '\0';
		size_t len = 10 + 3 * 64 + 1 + last + 1;
		mail_rdata_t rdata = { 0 };
		mail_diag_t diag = { 0 };
		int ret = mail_soa_render(MAIL_STR("ns1"), MAIL_STR(rname), &rdata, &diag);
		UNIT_CHECK(ret == (len <= 255 ? KNOT_EOK : KNOT_EINVAL), "%zu octets: %d %s", len,
		           ret, diag.text);
		mail_rdata_free(&rdata);
	}
}

static const unit_test_t tests[] = {
	{ "names and addresses that are", test_accepted },
	{ "names and addresses that are not", test_refused },
	{ "the longest address", test_length },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("soa", tests);
}
