/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/soa.h"

#include "lib/cases.h"

/* serial 0, refresh 86400, retry 7200, expire 3600000, minimum 300 */
#define NUMBERS "\0\0\0\0\0\1\121\200\0\0\34\40\0\66\356\200\0\0\1\54"

#define LONG_LOCAL "a123456789b123456789c123456789d123456789e123456789f123456789g123@x.example"

/* mname|rname */
static const case_t cases[] = {
	GOOD("ns1|hostmaster", "\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS),
	GOOD("ns1|hostmaster@{domain}",
	     "\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS),
	GOOD("ns1|hostmaster.{domain}",
	     "\3ns1\7example\3org\0\12hostmaster\7example\3org\0" NUMBERS),
	/* RFC 1035 8: the dot of a local part belongs to the label. */
	GOOD("ns.x.|Action.domains@ISI.EDU", "\2ns\1x\0\16action.domains\3isi\3edu\0" NUMBERS),
	GOOD("ns.x.|Action\\.domains.ISI.EDU.", "\2ns\1x\0\16action.domains\3isi\3edu\0" NUMBERS),
	GOOD("ns.x.|a+b@x.example.", "\2ns\1x\0\3a+b\1x\7example\0" NUMBERS),
	GOOD("ns.x.|a@mail.{domain}", "\2ns\1x\0\1a\4mail\7example\3org\0" NUMBERS),
	GOOD("ns.x.|a@{domain}.x", "\2ns\1x\0\1a\7example\3org\1x\0" NUMBERS),
	GOOD("ns.x.|a@xn--bcher-kva.example", "\2ns\1x\0\1a\15xn--bcher-kva\7example\0" NUMBERS),
	GOOD("@|.", "\7example\3org\0\0" NUMBERS),
	BAD("192.0.2.1|a", 1, "soa-mname: \"192.0.2.1\" is an IP address"),
	BAD("|a", 0, "soa-mname"),
	BAD("ns1|", 0, "soa-rname"),
	BAD("ns1|a..b", 3, "soa-rname"),
	BAD("ns1|@x.example", 1, "local part"),
	BAD("ns1|a@", 3, "domain after its @"),
	BAD("ns1|a b@x.example", 2, "bad local part"),
	BAD("ns1|.a@x.example", 1, "bad local part"),
	BAD("ns1|a.@x.example", 2, "bad local part"),
	BAD("ns1|a..b@x.example", 3, "bad local part"),
	BAD("ns1|\"a b\"@x.example", 1, "bad local part"),
	BAD("ns1|{domain}@x.example", 1, "bad local part"),
	BAD("ns1|a@b@x.example", 2, "bad local part"),
	BAD("ns1|ä@x.example", 1, "bad local part"),
	BAD("ns1|a@x..example", 5, "empty label"),
	BAD("ns1|a@192.0.2.1", 3, "IP address"),
	BAD("ns1"
	    "|" LONG_LOCAL,
	    1, "1 to 63 octets"),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	mail_str_t names[2] = { 0 };
	case_list(in, names, 2);
	return case_octets(mail_soa_render(names[0], names[1], &rdata, diag), &rdata, out);
}

static void test_records(void)
{
	run_cases(cases, render);
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
		CHECK(ret == (len <= 255 ? KNOT_EOK : KNOT_EINVAL), "%zu octets: %d %s", len, ret,
		      diag.text);
		mail_rdata_free(&rdata);
	}
}

UNIT_MAIN("soa", TEST("names and addresses that are, and that are not", test_records),
          TEST("the longest address", test_length))
