/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/bimi.h"

#include "rendered_sweep.h"

static const struct {
	const char *value;
	int ret;
	unsigned column;
	const char *selector;
	const char *text;
} cases[] = {
	{ "https://example.com/logo.svg", 0, 0, "default",
	  "v=BIMI1; l=https://example.com/logo.svg" },
	{ "https://{domain}/logo.svg  https://{domain}/vmc.pem", 0, 0, "default",
	  "v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/vmc.pem" },
	{ "brand2 https://example.com/a,b;c.svg https://xn--bcher-kva.example/vmc.pem", 0, 0,
	  "brand2",
	  "v=BIMI1; l=https://example.com/a%2Cb%3Bc.svg; a=https://xn--bcher-kva.example/vmc.pem" },
	{ "s.1 https://example.com/l.svg", 0, 0, "s.1", "v=BIMI1; l=https://example.com/l.svg" },
	{ "none", 0, 0, "default", "v=BIMI1; l=; a=;" },
	{ " brand none ", 0, 0, "brand", "v=BIMI1; l=; a=;" },
	{ "none none", 0, 0, "none", "v=BIMI1; l=; a=;" },

	{ "", KNOT_EINVAL, 1, NULL, "" },
	{ "brand", KNOT_EINVAL, 1, NULL, "" },
	{ "bra!nd https://example.com/l.svg", KNOT_EINVAL, 4, NULL, "" },
	{ " -a https://example.com/l.svg", KNOT_EINVAL, 2, NULL, "" },
	{ "http://example.com/l.svg", KNOT_EINVAL, 1, NULL, "" },
	{ "brand http://example.com/l.svg", KNOT_EINVAL, 7, NULL, "" },
	{ "https://example.com/l.svg mailto:a@example.com", KNOT_EINVAL, 27, NULL, "" },
	{ "brand none https://example.com/vmc.pem", KNOT_EINVAL, 7, NULL, "" },
	{ "https://example.com/l.svg https://example.com/vmc.pem https://example.com/", KNOT_EINVAL,
	  1, NULL, "" },
	{ "a https://example.com/l.svg https://example.com/vmc.pem x", KNOT_EINVAL, 1, NULL, "" },
	{ "https://logo/l.svg", KNOT_EINVAL, 9, NULL, "" },
};

static void test_records(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rendered_diag_t d;
		mail_rdata_t rdata = { 0 };
		mail_str_t selector;
		int ret = mail_bimi_render(MAIL_STR(cases[i].value), &selector, &rdata,
		                           rendered_diag(&d));
		const char *text = rendered_text(&rdata);
		UNIT_CHECK(ret == cases[i].ret, "case %zu: %d (%s)", i, ret, d.diag.text);
		UNIT_CHECK(strcmp(text, cases[i].text) == 0, "case %zu: '%s'", i, text);
		UNIT_CHECK(d.diag.column == cases[i].column, "case %zu: column %u (%s)", i,
		           d.diag.column, d.diag.text);
		UNIT_CHECK(ret != KNOT_EOK || mail_str_is(selector, cases[i].selector),
		           "case %zu: '%.*s'", i, (int)selector.len, selector.data);
	}
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

static const unit_test_t tests[] = {
	{ "records", test_records },
	{ "failing allocations", test_allocation },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bimi", tests);
}
