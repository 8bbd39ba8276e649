/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/bimi.h"

#include "lib/cases.h"

/* The selector, then the record. */
static const case_t cases[] = {
	GOOD("https://example.com/logo.svg", "default: v=BIMI1; l=https://example.com/logo.svg"),
	GOOD("https://{domain}/logo.svg  https://{domain}/vmc.pem",
	     "default: v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/vmc.pem"),
	GOOD("brand2 https://example.com/a,b;c.svg https://xn--bcher-kva.example/vmc.pem",
	     "brand2: v=BIMI1; l=https://example.com/a%2Cb%3Bc.svg; a=https://xn--bcher-kva.example/vmc.pem"),
	GOOD("s.1 https://example.com/l.svg", "s.1: v=BIMI1; l=https://example.com/l.svg"),
	GOOD("none", "default: v=BIMI1; l=; a=;"),
	GOOD(" brand none ", "brand: v=BIMI1; l=; a=;"),
	GOOD("none none", "none: v=BIMI1; l=; a=;"),

	BAD("", 1),
	BAD("brand", 1),
	BAD("bra!nd https://example.com/l.svg", 4),
	BAD(" -a https://example.com/l.svg", 2),
	BAD("http://example.com/l.svg", 1),
	BAD("brand http://example.com/l.svg", 7),
	BAD("https://example.com/l.svg mailto:a@example.com", 27),
	BAD("brand none https://example.com/vmc.pem", 7),
	BAD("https://example.com/l.svg https://example.com/vmc.pem https://example.com/", 1),
	BAD("a https://example.com/l.svg https://example.com/vmc.pem x", 1),
	BAD("https://logo/l.svg", 9),
};

static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t selector;
	mail_rdata_t rdata = { 0 };
	int ret = mail_bimi_render(in, &selector, &rdata, diag);
	if (ret == KNOT_EOK) {
		(void)mail_buf_printf(out, "%.*s: ", (int)selector.len, selector.data);
	}
	return case_rdata_text(ret, &rdata, out);
}

static void test_records(void)
{
	run_cases(cases, render);
}

static int run_all(mail_rdata_t *rdata)
{
	mail_str_t selector;
	return mail_bimi_render(
		MAIL_STR("x https://{domain}/logo.svg https://{domain}/in/a/long/path.pem"),
		&selector, rdata, NULL);
}

static void test_allocation(void)
{
	rendered_sweep(
		run_all,
		"v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/in/a/long/path.pem");
}

UNIT_MAIN("bimi", TEST("records", test_records), TEST("failing allocations", test_allocation))
