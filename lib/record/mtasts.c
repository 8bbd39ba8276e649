/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MTA-STS.
 *
 *     record = "v=STSv1; id=" 1*32( ALPHA / DIGIT )    (RFC 8461 3.1)
 *
 * The body (RFC 8461 3.2) has CRLF at each line's end:
 *
 *     version: STSv1
 *     mode: enforce
 *     mx: mail.example.org
 *     max_age: 604800
 *
 * Without an id given, the id is the digest of the body, made when the domain is known: it changes
 * exactly when the body does.
 */
#include "config.h"

#include "record/mtasts.h"

#include "mail/chars.h"

#define ID_MAX 32

int mail_mtasts_id_check(mail_str_t id, mail_diag_t *diag)
{
	if (id.len == 0 || id.len > ID_MAX) {
		return mail_diag_error(
			diag, 1, "an MTA-STS id has 1 to 32 letters and digits, not %zu", id.len);
	}
	for (size_t i = 0; i < id.len; i++) {
		if (!mail_char_alnum(id.data[i])) {
			return mail_diag_error(diag, i + 1,
			                       "an MTA-STS id has letters and digits only");
		}
	}
	return KNOT_EOK;
}

static bool same_host(const mail_pattern_t *a, const mail_pattern_t *b)
{
	return a->hole == b->hole && a->head_len == b->head_len && a->tail_len == b->tail_len &&
	       memcmp(a->head, b->head, a->head_len) == 0 &&
	       memcmp(a->tail, b->tail, a->tail_len) == 0;
}

/*! Write the mx line of an exchange, unless there is one for the host already. */
static int mx_line(const mail_mtasts_t *sts, size_t i, mail_rdata_t *body)
{
	for (size_t j = 0; j < i; j++) {
		if (!sts->mx[j].null && same_host(&sts->mx[j].host, &sts->mx[i].host)) {
			return KNOT_EOK;
		}
	}
	mail_buf_t line = { 0 };
	mail_buf_str(&line, "mx: ");
	mail_pattern_print(&sts->mx[i].host, &line);
	int ret = mail_buf_str(&line, "\r\n");
	if (ret == KNOT_EOK) {
		ret = mail_rdata_text(body, mail_buf_view(&line));
	}
	mail_buf_free(&line);
	return ret;
}

int mail_mtasts_body(const mail_mtasts_t *sts, mail_rdata_t *body)
{
	bool none = mail_str_is(sts->mode, "none");
	if ((!none && !mail_str_is(sts->mode, "enforce") && !mail_str_is(sts->mode, "testing")) ||
	    sts->max_age > MAIL_MTASTS_MAX_AGE_MAX) {
		return KNOT_EINVAL;
	}

	mail_rdata_text(body, MAIL_STR("version: STSv1\r\nmode: "));
	mail_rdata_text(body, sts->mode);
	mail_rdata_text(body, MAIL_STR("\r\n"));
	size_t exchanges = 0;
	for (size_t i = 0; i < sts->mx_count; i++) {
		if (sts->mx[i].null) {
			continue;
		}
		exchanges++;
		int ret = mx_line(sts, i, body);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	/* RFC 8461 3.2: only with mode none there may be no mx. */
	if (exchanges == 0 && !none) {
		return KNOT_EINVAL;
	}

	uint8_t mem[32];
	mail_buf_t line = MAIL_BUF_FIXED(mem, sizeof(mem));
	mail_buf_printf(&line, "max_age: %u\r\n", (unsigned)sts->max_age);
	return mail_rdata_text(body, mail_buf_view(&line));
}

int mail_mtasts_render(const mail_mtasts_t *sts, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_rdata_t body = { 0 };
	int ret = mail_mtasts_body(sts, &body);
	if (ret == KNOT_EINVAL) {
		mail_diag_error(
			diag, 0,
			"MTA-STS needs a mode (enforce, testing, none), max_age up to %u, and, but"
			" for none, an MX that is not null",
			(unsigned)MAIL_MTASTS_MAX_AGE_MAX);
	}
	if (ret != KNOT_EOK) {
		goto done;
	}
	if (sts->id.len == 0) {
		mail_rdata_text(rdata, MAIL_STR("v=STSv1; id="));
		ret = mail_rdata_digest(rdata, &body);
		goto done;
	}
	ret = mail_mtasts_id_check(sts->id, diag);
	if (ret == KNOT_EOK) {
		mail_rdata_text(rdata, MAIL_STR("v=STSv1; id="));
		ret = mail_rdata_text(rdata, sts->id);
	}
done:
	mail_rdata_free(&body);
	return ret;
}
