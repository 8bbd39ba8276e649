/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/tlsrpt.h"

#include "lib/cases.h"

static const case_t cases[] = {
	/* What a guide publishes; RFC 8460 3.1. */
	GOOD("mailto:postmaster@{domain}", "v=TLSRPTv1; rua=mailto:postmaster@example.org"),
	GOOD("mailto:reports@example.com", "v=TLSRPTv1; rua=mailto:reports@example.com"),
	GOOD("https://reporting.example.com/v1/tlsrpt",
	     "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"),
	GOOD("mailto:a@x.example|https://y.example/a,b!c;d",
	     "v=TLSRPTv1; rua=mailto:a@x.example,https://y.example/a%2Cb%21c%3Bd"),
	GOOD("mailto:a@x.example, mailto:b@y.example|mailto:c@xn--bcher-kva.example",
	     "v=TLSRPTv1; rua=mailto:a@x.example,mailto:b@y.example,mailto:c@xn--bcher-kva.example"),

	BAD("", 0),
	BAD("|", 1),
	BAD("postmaster@example.org", 1),
	BAD("mailto:a@x.example|http://example.org/", 1),
	BAD("mailto:a@x.example!10m", 19),
	BAD("mailto:a;b@x.example", 9),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t list[3];
	mail_rdata_t rdata = { 0 };
	size_t count = case_list(in, list, COUNT(list));
	int ret = mail_tlsrpt_render(list, count, &rdata, diag);
	CHECK(count != 1 || mail_tlsrpt_uri_check(list[0], NULL) == ret);
	return case_rdata_text(ret, &rdata, out);
}

static void test_records(void)
{
	run_cases(cases, render);
}

static int run_all(mail_rdata_t *rdata)
{
	const mail_str_t list[] = {
		MAIL_STR("mailto:tls@{domain}"),
		MAIL_STR(
			"https://reports.example/of/{domain}/in/a/long/path/that/makes/buffers/grow"),
	};
	return mail_tlsrpt_render(list, 2, rdata, NULL);
}

static void test_allocation(void)
{
	rendered_sweep(
		run_all,
		"v=TLSRPTv1; rua=mailto:tls@example.org,"
		"https://reports.example/of/example.org/in/a/long/path/that/makes/buffers/grow");
}

UNIT_MAIN("tlsrpt", TEST("records", test_records), TEST("failing allocations", test_allocation))
