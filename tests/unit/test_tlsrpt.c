/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/tlsrpt.h"

#include "rendered_sweep.h"

static const struct {
	const char *uris[3];
	int ret;
	unsigned column;
	const char *text;
} records[] = {
	/* What a guide publishes; RFC 8460 3.1. */
	{ { "mailto:postmaster@{domain}" }, 0, 0, "v=TLSRPTv1; rua=mailto:postmaster@example.org" },
	{ { "mailto:reports@example.com" }, 0, 0, "v=TLSRPTv1; rua=mailto:reports@example.com" },
	{ { "https://reporting.example.com/v1/tlsrpt" },
	  0,
	  0,
	  "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt" },
	{ { "mailto:a@x.example", "https://y.example/a,b!c;d" },
	  0,
	  0,
	  "v=TLSRPTv1; rua=mailto:a@x.example,https://y.example/a%2Cb%21c%3Bd" },
	{ { "mailto:a@x.example, mailto:b@y.example", "mailto:c@xn--bcher-kva.example" },
	  0,
	  0,
	  "v=TLSRPTv1; rua=mailto:a@x.example,mailto:b@y.example,mailto:c@xn--bcher-kva.example" },

	{ { NULL }, KNOT_EINVAL, 0, "" },
	{ { "" }, KNOT_EINVAL, 1, "" },
	{ { "postmaster@example.org" }, KNOT_EINVAL, 1, "" },
	{ { "mailto:a@x.example", "http://example.org/" }, KNOT_EINVAL, 1, "" },
	{ { "mailto:a@x.example!10m" }, KNOT_EINVAL, 19, "" },
	{ { "mailto:a;b@x.example" }, KNOT_EINVAL, 9, "" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		mail_str_t list[3];
		size_t n = 0;
		for (; n < 3 && records[i].uris[n] != NULL; n++) {
			list[n] = MAIL_STR(records[i].uris[n]);
		}
		rendered_diag_t d;
		mail_rdata_t rdata = { 0 };
		int ret = mail_tlsrpt_render(list, n, &rdata, rendered_diag(&d));
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(ret == records[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(strcmp(text, records[i].text) == 0, "case %zu: '%s'", i, text);
		UNIT_CHECK(d.diag.column == records[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		if (n == 1) {
			CU_ASSERT(mail_tlsrpt_uri_check(list[0], NULL) == records[i].ret);
		}
	}
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

static const unit_test_t tests[] = {
	{ "records", test_records },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("tlsrpt", tests);
}
