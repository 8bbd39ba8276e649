/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "unit.h"

#include "record/srv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

static const mail_apex_t apex = {
	.name = (const uint8_t *)"\7example\3org",
	.text = { "example.org", 11 },
};

/* The ports of RFC 8314 (mail), 5804 (sieve), 8620 (jmap), 6764 (caldav, carddav). */
static void test_services(void)
{
	static const struct {
		const char *name;
		uint16_t port;
	} services[] = {
		{ "imap", 143 },         { "imaps", 993 },      { "pop3", 110 },
		{ "pop3s", 995 },        { "submission", 587 }, { "submissions", 465 },
		{ "sieve", 4190 },       { "jmap", 443 },       { "caldav", 80 },
		{ "caldavs", 443 },      { "carddav", 80 },     { "carddavs", 443 },
		{ "autodiscover", 443 },
	};
	CU_ASSERT_EQUAL(MAIL_SRV_COUNT, COUNT(services));
	for (size_t i = 0; i < COUNT(services); i++) {
		mail_srv_t srv;
		int ret = mail_srv_parse(MAIL_STR(services[i].name), &srv, NULL);
		UNIT_CHECK(ret == KNOT_EOK && strcmp(srv.service->name, services[i].name) == 0,
		           "%s", services[i].name);
		UNIT_CHECK(srv.priority == 0 && srv.weight == 1 && srv.port == services[i].port &&
		                   !srv.has_target,
		           "%s: %u %u %u", services[i].name, srv.priority, srv.weight, srv.port);
	}
}

static void test_accepted(void)
{
	static const struct {
		const char *text, *service;
		bool has_target;
		mail_str_t rdata;
	} cases[] = {
		/* As a widely read guide has it. */
		{ "imap 0 1 110 mail", "imap", true, LIT("\0\0\0\1\0\156\4mail\7example\3org\0") },
		{ "imaps mail", "imaps", true, LIT("\0\0\0\1\3\341\4mail\7example\3org\0") },
		{ "imaps mail.example.com.", "imaps", true,
		  LIT("\0\0\0\1\3\341\4mail\7example\3com\0") },
		{ "submissions 65535 65535 65535 @", "submissions", true,
		  LIT("\377\377\377\377\377\377\7example\3org\0") },
		{ "\tIMAPS  5 0 1993  mail ", "imaps", true,
		  LIT("\0\5\0\0\7\311\4mail\7example\3org\0") },
		{ "_imaps mail", "imaps", true, LIT("\0\0\0\1\3\341\4mail\7example\3org\0") },
		{ "_imaps._tcp mail", "imaps", true, LIT("\0\0\0\1\3\341\4mail\7example\3org\0") },
		/* RFC 2782, RFC 6186 3.4: not offered. */
		{ "pop3 .", "pop3", true, LIT("\0\0\0\0\0\0\0") },
		{ "pop3 0 0 0 .", "pop3", true, LIT("\0\0\0\0\0\0\0") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_srv_t srv;
		mail_diag_t diag = { 0 };
		int ret = mail_srv_parse(MAIL_STR(cases[i].text), &srv, &diag);
		if (!UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text)) {
			continue;
		}
		UNIT_CHECK(strcmp(srv.service->name, cases[i].service) == 0, "case %zu: %s", i,
		           srv.service->name);
		UNIT_CHECK(srv.has_target == cases[i].has_target, "case %zu", i);
		mail_rdata_t rdata = { 0 };
		uint8_t out[300];
		UNIT_CHECK(mail_srv_render(&srv, &rdata) == KNOT_EOK, "case %zu", i);
		ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
		UNIT_CHECK(ret == (int)cases[i].rdata.len &&
		                   memcmp(out, cases[i].rdata.data, cases[i].rdata.len) == 0,
		           "case %zu: %d", i, ret);
		mail_rdata_free(&rdata);
	}
}

/* The host of a service without one is filled in by the caller. */
static void test_numbers_without_host(void)
{
	mail_srv_t srv;
	int ret = mail_srv_parse(MAIL_STR("imap 7 8 1143"), &srv, NULL);
	UNIT_CHECK(ret == KNOT_EOK && !srv.has_target && srv.priority == 7 && srv.weight == 8 &&
	                   srv.port == 1143,
	           "%d", ret);
	ret = mail_pattern_parse(MAIL_STR("mx1"), &srv.target, NULL);
	mail_rdata_t rdata = { 0 };
	uint8_t out[300];
	mail_srv_render(&srv, &rdata);
	ret = mail_rdata_fill(&rdata, &apex, out, sizeof(out));
	UNIT_CHECK(ret == 23 && memcmp(out, "\0\7\0\10\4\167\3mx1\7example\3org", 23) == 0, "%d",
	           ret);
	mail_rdata_free(&rdata);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t column;
		const char *reason;
	} cases[] = {
		{ "", 0, "service is missing" },
		{ "smtp", 1, "service \"smtp\" is not one of imap imaps" },
		{ "_imaps._udp mail", 1, "not one of" },
		{ " imapx mail", 2, "not one of" },
		{ "imap 1", 6, "PRIORITY WEIGHT PORT" },
		{ "imap 1 2", 6, "PRIORITY WEIGHT PORT" },
		{ "imap mail 143", 6, "PRIORITY WEIGHT PORT" },
		{ "imap x 1 143 mail", 6, "priority \"x\"" },
		{ "imap 0 x 143 mail", 8, "weight \"x\"" },
		{ "imap 0 1 x mail", 10, "port \"x\"" },
		{ "imap 0 1 65536 mail", 10, "port \"65536\"" },
		{ "imap 0 -1 143 mail", 8, "weight" },
		{ "imap 0 1 0 mail", 10, "port 0" },
		{ "imap 0 1 0", 10, "port 0" },
		{ "imap 0 1 143 .", 14, "write \"imap .\"" },
		{ "imap 0 1 143 192.0.2.1", 14, "IP address" },
		{ "imap *", 6, "wildcard" },
		{ "imap a..b", 8, "empty label" },
		{ "imap 0 1 143 mail x", 19, "\"x\" is too much" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_srv_t srv;
		mail_diag_t diag = { 0 };
		int ret = mail_srv_parse(MAIL_STR(cases[i].text), &srv, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(diag.column == cases[i].column &&
		                   strstr(diag.text, cases[i].reason) != NULL,
		           "case %zu: column %u: %s", i, diag.column, diag.text);
		UNIT_CHECK(mail_srv_parse(MAIL_STR(cases[i].text), &srv, NULL) == KNOT_EINVAL,
		           "case %zu", i);
	}
}

static const unit_test_t tests[] = {
	{ "the services", test_services },
	{ "values that are", test_accepted },
	{ "numbers without host", test_numbers_without_host },
	{ "values that are not", test_refused },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("srv", tests);
}
