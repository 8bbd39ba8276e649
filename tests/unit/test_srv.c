/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/srv.h"

#include "lib/cases.h"
#include "lib/samples.h"

/* The ports of RFC 8314 (mail), 5804 (sieve), 8620 (jmap), 6764 (caldav, carddav). */
static void test_services(void)
{
	CHECK_INT(MAIL_SRV_COUNT, COUNT(sample_services));
	EACH(s, sample_services) {
		mail_srv_t srv;
		CHECK_OK(mail_srv_parse(MAIL_STR(s->name), &srv, NULL));
		CHECK_STR(srv.service->name, s->name);
		CHECK(srv.priority == 0 && srv.weight == 1 && !srv.has_target, "%s", s->name);
		CHECK_INT(srv.port, s->port);
	}
}

/* The service, then the RDATA; RFC 2782, RFC 6186 3.4. */
static const case_t cases[] = {
	/* As a widely read guide has it. */
	GOOD("imap 0 1 110 mail", "imap: \0\0\0\1\0\156\4mail\7example\3org\0"),
	GOOD("imaps mail", "imaps: \0\0\0\1\3\341\4mail\7example\3org\0"),
	GOOD("imaps mail.example.com.", "imaps: \0\0\0\1\3\341\4mail\7example\3com\0"),
	GOOD("submissions 65535 65535 65535 @",
	     "submissions: \377\377\377\377\377\377\7example\3org\0"),
	GOOD("\tIMAPS  5 0 1993  mail ", "imaps: \0\5\0\0\7\311\4mail\7example\3org\0"),
	GOOD("_imaps mail", "imaps: \0\0\0\1\3\341\4mail\7example\3org\0"),
	GOOD("_imaps._tcp mail", "imaps: \0\0\0\1\3\341\4mail\7example\3org\0"),
	/* RFC 2782, RFC 6186 3.4: not offered. */
	GOOD("pop3 .", "pop3: \0\0\0\0\0\0\0"),
	GOOD("pop3 0 0 0 .", "pop3: \0\0\0\0\0\0\0"),
	BAD("", 0, "service is missing"),
	BAD("smtp", 1, "service \"smtp\" is not one of imap imaps"),
	BAD("_imaps._udp mail", 1, "not one of"),
	BAD(" imapx mail", 2, "not one of"),
	BAD("imap 1", 6, "PRIORITY WEIGHT PORT"),
	BAD("imap 1 2", 6, "PRIORITY WEIGHT PORT"),
	BAD("imap mail 143", 6, "PRIORITY WEIGHT PORT"),
	BAD("imap x 1 143 mail", 6, "priority \"x\""),
	BAD("imap 0 x 143 mail", 8, "weight \"x\""),
	BAD("imap 0 1 x mail", 10, "port \"x\""),
	BAD("imap 0 1 65536 mail", 10, "port \"65536\""),
	BAD("imap 0 -1 143 mail", 8, "weight"),
	BAD("imap 0 1 0 mail", 10, "port 0"),
	BAD("imap 0 1 0", 10, "port 0"),
	BAD("imap 0 1 143 .", 14, "write \"imap .\""),
	BAD("imap 0 1 143 192.0.2.1", 14, "IP address"),
	BAD("imap *", 6, "wildcard"),
	BAD("imap a..b", 8, "empty label"),
	BAD("imap 0 1 143 mail x", 19, "\"x\" is too much"),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_srv_t srv;
	mail_rdata_t rdata = { 0 };
	int ret = mail_srv_parse(in, &srv, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	CHECK(srv.has_target);
	(void)mail_buf_printf(out, "%s: ", srv.service->name);
	return case_octets(mail_srv_render(&srv, &rdata), &rdata, out);
}

static void test_values(void)
{
	run_cases(cases, render);
}

/* The host of a service without one is filled in by the caller. */
static void test_numbers_without_host(void)
{
	mail_srv_t srv;
	int ret = mail_srv_parse(MAIL_STR("imap 7 8 1143"), &srv, NULL);
	CHECK(ret == KNOT_EOK && !srv.has_target && srv.priority == 7 && srv.weight == 8 &&
	              srv.port == 1143,
	      "%d", ret);
	ret = mail_pattern_parse(MAIL_STR("mx1"), &srv.target, NULL);
	mail_rdata_t rdata = { 0 };
	uint8_t out[300];
	mail_srv_render(&srv, &rdata);
	ret = mail_rdata_fill(&rdata, rendered_apex(), out, sizeof(out));
	CHECK(ret == 23 && memcmp(out, "\0\7\0\10\4\167\3mx1\7example\3org", 23) == 0, "%d", ret);
	mail_rdata_free(&rdata);
}

UNIT_MAIN("srv", TEST("the services", test_services),
          TEST("values that are, and that are not", test_values),
          TEST("numbers without host", test_numbers_without_host))
