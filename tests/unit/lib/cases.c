/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cases.h"

#include "failing.h"

static void rendered_warn(void *ctx, const char *text)
{
	rendered_diag_t *d = ctx;
	d->warnings++;
	snprintf(d->last, sizeof(d->last), "%s", text);
}

mail_diag_t *rendered_diag(rendered_diag_t *d)
{
	memset(d, 0, sizeof(*d));
	d->diag.warn = rendered_warn;
	d->diag.warn_ctx = d;
	return &d->diag;
}

const mail_apex_t *rendered_apex(void)
{
	static const mail_apex_t apex = { (const knot_dname_t *)"\7example\3org",
		                          LIT("example.org") };
	return &apex;
}

/* Append the RDATA, as octets or as text. */
static int fill(int ret, mail_rdata_t *rdata, bool text, mail_buf_t *out)
{
	static uint8_t octets[MAIL_RDATA_MAX];
	int len = text ? mail_rdata_fill_text(rdata, rendered_apex(), octets, sizeof(octets))
	               : mail_rdata_fill(rdata, rendered_apex(), octets, sizeof(octets));
	mail_rdata_free(rdata);
	if (len > 0) {
		(void)mail_buf_put(out, octets, (size_t)len);
	}
	return len < 0 && ret == KNOT_EOK ? len : ret;
}

int case_octets(int ret, mail_rdata_t *rdata, mail_buf_t *out)
{
	if (ret != KNOT_EOK) {
		mail_rdata_free(rdata);
		return ret;
	}
	return fill(ret, rdata, false, out);
}

int case_rdata_text(int ret, mail_rdata_t *rdata, mail_buf_t *out)
{
	return fill(ret, rdata, true, out);
}

const char *rendered_text(mail_rdata_t *rdata)
{
	static char text[8192];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text) - 1);
	(void)case_rdata_text(KNOT_EOK, rdata, &buf);
	text[buf.len] = '\0';
	return text;
}

size_t case_list(mail_str_t in, mail_str_t *list, size_t max)
{
	size_t count = 0;
	for (size_t at = 0, end; at < in.len; at = end + 1) {
		const char *stop = memchr(in.data + at, '|', in.len - at);
		end = stop != NULL ? (size_t)(stop - in.data) : in.len;
		REQUIRE(count < max);
		list[count++] = (mail_str_t){ in.data + at, end - at };
	}
	return count;
}

/* Octets as a message shows them. */
static const char *show(mail_str_t octets, char *text, size_t size)
{
	size_t pos = 0;
	for (size_t i = 0; i < octets.len && pos + 5 < size; i++) {
		const unsigned char c = (unsigned char)octets.data[i];
		pos += (size_t)snprintf(text + pos, size - pos, c < ' ' ? "\\%03o" : "%c", c);
	}
	text[pos] = '\0';
	return text;
}

void unit_run_cases(const case_t *cases, size_t count, case_run_t run, const char *file,
                    unsigned line)
{
	const case_t *c = cases;
	for (; unit_case((size_t)(c - cases), count); c++) {
		char in[100], got[300];
		rendered_diag_t d;
		mail_buf_t out = { 0 };
		const char *reason = d.diag.text;
		const int ret = run(c->in, &out, rendered_diag(&d));
		const mail_str_t want = c->want.data != NULL ? c->want : c->in;
		show(c->in, in, sizeof(in));
		show(mail_buf_view(&out), got, sizeof(got));
		unit_check(ret == c->ret, "result", file, line, " '%s': %d: %s", in, ret, reason);
		unit_check(mail_str_equal(mail_buf_view(&out), want), "what is written", file, line,
		           " '%s': %zu octets: '%s'", in, out.len, got);
		unit_check(ret == KNOT_EOK ? reason[0] == '\0'
		                           : reason[0] != '\0' && strstr(reason, c->reason) != NULL,
		           "reason", file, line, " '%s': '%s'", in, reason);
		unit_check(d.diag.column == c->column, "column", file, line, " '%s': %u: %s", in,
		           d.diag.column, reason);
		unit_check(d.warnings == c->warnings, "warnings", file, line, " '%s': %u (%s)", in,
		           d.warnings, d.last);
		out.len = 0;
		unit_check(run(c->in, &out, NULL) == c->ret, "result without a diag", file, line,
		           " '%s'", in);
		mail_buf_free(&out);
	}
}

void rendered_sweep(int (*run)(mail_rdata_t *rdata), const char *want)
{
	CHECK(failing_linked(), "linked without --wrap");
	size_t i = 1;
	for (; failing_linked() && failing_on(i); i++) {
		mail_rdata_t rdata = { 0 };
		int ret = run(&rdata);
		bool met = failing_off();
		CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d", i, ret);
		if (!met) {
			CHECK_STR(rendered_text(&rdata), want);
			break;
		}
		mail_rdata_free(&rdata);
	}
	CHECK(i > 2, "only %zu allocations", i - 1);
}
