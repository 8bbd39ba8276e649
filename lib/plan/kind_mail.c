/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds that say how mail of a domain is delivered and authenticated: MX, SPF, DMARC, BIMI, and that there is none.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "mail/chars.h"
#include "mail/dmarc.h"
#include "mail/spf.h"
#include "mail/time.h"
#include "mail/mem.h"
#include "plan/kinds.h"
#include "record/bimi.h"

int mail_kind_exchanges(mail_build_t *build, mail_mx_t mx[MAIL_LIST_MAX], size_t *count)
{
	const mail_settings_t *settings = mail_kind_settings(build, MAIL_ITEM_MX);
	*count = 0;
	if (mail_kind_no_mail(build)) {
		*count = 1;
		return mail_mx_parse(MAIL_STR("."), mx, build->diag);
	}
	for (size_t i = 0; i < settings->count && i < MAIL_LIST_MAX; i++) {
		int ret = mail_mx_parse(settings->values[i].text, &mx[i], build->diag);
		if (ret == KNOT_EOK && mx[i].null && settings->count > 1) {
			ret = mail_diag_error(build->diag, 0, "a null MX stands alone (RFC 7505)");
		}
		if (ret != KNOT_EOK) {
			return mail_build_bad(build, MAIL_ITEM_MX, &settings->values[i], ret);
		}
		*count = i + 1;
	}
	return KNOT_EOK;
}

int mail_kind_mx(mail_build_t *build, const mail_kind_t *kind)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	size_t count;
	int ret = mail_kind_exchanges(build, mx, &count);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < count; i++) {
		mail_rdata_t rdata = { 0 };
		mail_kind_value_t value = { &rdata, MAIL_ITEM_MX, NULL };
		if (!mail_kind_no_mail(build)) {
			value.setting = &mail_kind_settings(build, MAIL_ITEM_MX)->values[i];
		}
		if (!mx[i].null) {
			ret = mail_build_target(build, MAIL_ITEM_MX, value.setting, &mx[i].host);
		}
		if (ret == KNOT_EOK) {
			ret = mail_mx_render(&mx[i], &rdata);
		}
		ret = mail_kind_put(build, kind, kind->owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Collect the profile's SPF terms; the word `hosts` becomes the addresses of the hosts, in `memory`. */
static int spf_terms(mail_build_t *build, mail_str_t terms[MAIL_LIST_MAX], size_t *count,
                     mail_buf_t *memory)
{
	const mail_settings_t *spf = mail_kind_settings(build, MAIL_ITEM_SPF);
	*count = 0;
	for (size_t i = 0; i < spf->count && i < MAIL_LIST_MAX; i++) {
		terms[*count] = spf->values[i].text;
		if (mail_str_is(spf->values[i].text, "hosts")) {
			int ret = memory->len == 0 ? mail_hosts_spf(build, memory) : KNOT_EOK;
			if (ret != KNOT_EOK) {
				return ret;
			}
			terms[*count] = mail_buf_view(memory);
		}
		(*count)++;
	}
	return KNOT_EOK;
}

int mail_kind_spf(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *spf = mail_kind_settings(build, MAIL_ITEM_SPF);
	mail_str_t terms[MAIL_LIST_MAX];
	mail_str_t all = mail_profile_value(build->profile, MAIL_ITEM_SPF_ALL);
	mail_buf_t memory = { 0 };
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, MAIL_ITEM_SPF,
		                          spf->count > 0 ? &spf->values[0] : NULL };
	size_t count = 0;
	int ret = KNOT_EOK;
	if (mail_kind_no_mail(build)) {
		all = MAIL_STR("-all");
	} else {
		ret = spf_terms(build, terms, &count, &memory);
	}
	if (ret == KNOT_EOK && count == 0 && all.len == 0) {
		return KNOT_EOK; /* Every part was removed: no record. */
	}
	if (ret == KNOT_EOK) {
		ret = mail_spf_render(terms, count, all, &rdata, build->diag);
	}
	if (ret == KNOT_EOK && all.len > 0) {
		build->item = MAIL_ITEM_SPF_ALL;
		ret = mail_spf_all_check(all, build->diag);
		build->item = 0;
	}
	mail_buf_free(&memory);
	return mail_kind_put(build, kind, kind->owner, &value, ret);
}

/*! Note the hosts that reports of these tags go to, for C._report._dmarc.D. */
static int reports_note(mail_build_t *build, const mail_str_t *tags, size_t count)
{
	mail_plan_t *plan = build->plan;
	for (size_t i = 0; i < count; i++) {
		mail_str_t name, value, host;
		if (!mail_str_tag(tags[i], &name, &value) ||
		    !(mail_str_is(name, "rua") || mail_str_is(name, "ruf"))) {
			continue;
		}
		for (size_t pos = 0; mail_dmarc_report_next(value, &pos, &host);) {
			size_t size = (plan->report_count + 1) * sizeof(*plan->reports);
			mail_str_t *grown = mail_realloc(plan->reports, size);
			if (grown == NULL) {
				return KNOT_ENOMEM;
			}
			plan->reports = grown;
			/* A dot at its end makes the name absolute. */
			char *copy = mail_malloc(host.len + 1);
			if (copy == NULL) {
				return KNOT_ENOMEM;
			}
			memcpy(copy, host.data, host.len);
			copy[host.len] = '.';
			grown[plan->report_count++] = (mail_str_t){ copy, host.len + 1 };
		}
	}
	return KNOT_EOK;
}

/*! Render one stretch of the DMARC record. */
static int dmarc_stretch(mail_build_t *build, const mail_str_t *tags, size_t count, int64_t from,
                         int64_t until)
{
	const mail_settings_t *dmarc = mail_kind_settings(build, MAIL_ITEM_DMARC);
	mail_pattern_t owner;
	mail_row_t row = {
		.from = from, .until = until, .ttl = UINT32_MAX, .type = KNOT_RRTYPE_TXT
	};
	int ret = mail_dmarc_render(tags, count, &row.rdata, build->diag);
	if (ret != KNOT_EOK) {
		mail_rdata_free(&row.rdata);
		return mail_build_bad(build, MAIL_ITEM_DMARC,
		                      dmarc->count > 0 ? &dmarc->values[dmarc->count - 1] : NULL,
		                      ret);
	}
	(void)mail_pattern_parse(MAIL_STR("_dmarc"), &owner, NULL);
	build->setting = dmarc->count > 0 ? &dmarc->values[dmarc->count - 1] : NULL;
	ret = mail_build_row(build, &owner, &row);
	return ret == KNOT_EOK ? reports_note(build, tags, count) : ret;
}

/*! A step of a ramp: from `from` on, the tags of the text override. */
typedef struct {
	int64_t from;
	mail_str_t text;
	size_t tags; /*!< Where the tags begin. */
} ramp_step_t;

static int ramp_compare(const void *a_ptr, const void *b_ptr)
{
	const ramp_step_t *a = a_ptr, *b = b_ptr;
	return (a->from > b->from) - (a->from < b->from);
}

/*! Read the ramp in the order of time. */
static int ramp_read(mail_build_t *build, ramp_step_t *steps, size_t *count)
{
	const mail_settings_t *ramp = mail_kind_settings(build, MAIL_ITEM_DMARC_RAMP);
	*count = 0;
	for (size_t i = 0; i < ramp->count && i < MAIL_LIST_MAX; i++) {
		ramp_step_t *step = &steps[(*count)++];
		mail_str_t time;
		step->text = ramp->values[i].text;
		step->tags = 0;
		if (!mail_str_word(step->text, &step->tags, &time) ||
		    mail_time_parse(time, &step->from, build->diag) != KNOT_EOK) {
			return mail_build_bad(build, MAIL_ITEM_DMARC_RAMP, &ramp->values[i],
			                      KNOT_EINVAL);
		}
	}
	qsort(steps, *count, sizeof(*steps), ramp_compare);
	return KNOT_EOK;
}

#define DMARC_TAGS_MAX (4 * MAIL_LIST_MAX)

int mail_kind_dmarc(mail_build_t *build, const mail_kind_t *kind)
{
	(void)kind;
	const mail_settings_t *dmarc = mail_kind_settings(build, MAIL_ITEM_DMARC);
	const bool no_mail = mail_kind_no_mail(build);
	mail_str_t tags[DMARC_TAGS_MAX];
	ramp_step_t steps[MAIL_LIST_MAX];
	size_t count = 0, step_count = 0;
	if (dmarc->count == 0 && !no_mail) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < dmarc->count && count < MAIL_LIST_MAX; i++) {
		tags[count++] = dmarc->values[i].text;
	}
	if (no_mail) {
		tags[count++] = MAIL_STR("p=reject");
		return dmarc_stretch(build, tags, count, 0, INT64_MAX);
	}
	int ret = ramp_read(build, steps, &step_count);
	if (ret != KNOT_EOK) {
		return ret;
	}
	int64_t from = 0;
	for (size_t i = 0; i < step_count; i++) {
		if (from < steps[i].from) {
			ret = dmarc_stretch(build, tags, count, from, steps[i].from);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
		/* Tags given last count (mail_dmarc_render). */
		size_t pos = steps[i].tags;
		while (count < DMARC_TAGS_MAX && mail_str_word(steps[i].text, &pos, &tags[count])) {
			count++;
		}
		from = steps[i].from;
	}
	return dmarc_stretch(build, tags, count, from, INT64_MAX);
}

int mail_kind_bimi(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *bimi = mail_kind_settings(build, MAIL_ITEM_BIMI);
	for (size_t i = 0; i < bimi->count && !mail_kind_no_mail(build); i++) {
		mail_str_t selector;
		mail_rdata_t rdata = { 0 };
		const mail_kind_value_t value = { &rdata, MAIL_ITEM_BIMI, &bimi->values[i] };
		char owner[KNOT_DNAME_TXT_MAXLEN] = "";
		int ret = mail_bimi_render(bimi->values[i].text, &selector, &rdata, build->diag);
		if (ret == KNOT_EOK) {
			(void)snprintf(owner, sizeof(owner), "%.*s._bimi", (int)selector.len,
			               selector.data);
		}
		ret = mail_kind_put(build, kind, owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_kind_no_keys(mail_build_t *build, const mail_kind_t *kind)
{
	if (!mail_kind_no_mail(build)) {
		return KNOT_EOK;
	}
	build->plan->no_keys = true;
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, MAIL_ITEM_NO_MAIL, NULL };
	int ret = mail_rdata_text(&rdata, MAIL_STR("v=DKIM1; p="));
	return mail_kind_put(build, kind, kind->owner, &value, ret);
}
