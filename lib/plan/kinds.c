/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one table of record kinds, and the renderers that look at a whole profile.  What a record looks like
 * is the business of the RFC's own file (spf.c, dmarc.c, ...); here is when it is there, and where.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "record/bimi.h"
#include "record/caa.h"
#include "mail/dmarc.h"
#include "mail/mtasts.h"
#include "record/mx.h"
#include "record/literal.h"
#include "record/soa.h"
#include "mail/spf.h"
#include "record/srv.h"
#include "mail/time.h"
#include "record/tlsrpt.h"
#include "plan/kinds.h"

static const mail_settings_t *settings_of(const mail_build_t *build, mail_item_id_t item)
{
	return &build->profile->items[item];
}

static bool no_mail(const mail_build_t *build)
{
	return mail_profile_switch(build->profile, MAIL_ITEM_NO_MAIL);
}

/*! Puts a row, or frees it and notes which item could not be rendered. */
static int put_or_bad(mail_build_t *build, const char *owner, uint16_t type, mail_rdata_t *rdata,
                      mail_item_id_t item, const mail_setting_t *setting, int ret)
{
	if (ret == KNOT_EOK) {
		return mail_build_put(build, owner, type, rdata);
	}
	mail_rdata_free(rdata);
	return mail_build_bad(build, item, setting, ret);
}

static int render_soa(mail_build_t *build, const mail_kind_t *kind)
{
	mail_str_t ns = mail_profile_value(build->profile, MAIL_ITEM_NS);
	mail_str_t mname = mail_profile_value(build->profile, MAIL_ITEM_SOA_MNAME);
	mail_str_t rname = mail_profile_value(build->profile, MAIL_ITEM_SOA_RNAME);
	if (ns.len == 0) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	int ret = mail_soa_render(mname.len > 0 ? mname : ns,
	                          rname.len > 0 ? rname : MAIL_STR("hostmaster"), &rdata,
	                          build->diag);
	return put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_SOA_RNAME, NULL, ret);
}

static int render_ns(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *ns = settings_of(build, MAIL_ITEM_NS);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < ns->count && ret == KNOT_EOK; i++) {
		mail_rdata_t rdata = { 0 };
		mail_pattern_t name;
		ret = mail_pattern_parse(ns->values[i].text, &name, build->diag);
		if (ret == KNOT_EOK) {
			ret = mail_build_target(build, MAIL_ITEM_NS, &ns->values[i], &name);
		}
		if (ret == KNOT_EOK) {
			ret = mail_rdata_pattern(&rdata, &name);
		}
		ret = put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_NS, &ns->values[i], ret);
	}
	return ret;
}

/*! The exchanges of the profile; null MX for a domain without mail. */
static int exchanges(mail_build_t *build, mail_mx_t *mx, size_t *count)
{
	const mail_settings_t *settings = settings_of(build, MAIL_ITEM_MX);
	*count = 0;
	if (no_mail(build)) {
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

static int render_mx(mail_build_t *build, const mail_kind_t *kind)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	size_t count;
	int ret = exchanges(build, mx, &count);
	for (size_t i = 0; i < count && ret == KNOT_EOK; i++) {
		mail_rdata_t rdata = { 0 };
		const mail_setting_t *setting =
			no_mail(build) ? NULL : &settings_of(build, MAIL_ITEM_MX)->values[i];
		ret = mx[i].null ? KNOT_EOK
		                 : mail_build_target(build, MAIL_ITEM_MX, setting, &mx[i].host);
		if (ret == KNOT_EOK) {
			ret = mail_mx_render(&mx[i], &rdata);
		}
		ret = put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_MX, setting, ret);
	}
	return ret;
}

/*! The profile's SPF terms; the word `hosts` becomes the addresses of the hosts, in `memory`. */
static int spf_terms(mail_build_t *build, mail_str_t *terms, size_t *count, mail_buf_t *memory)
{
	const mail_settings_t *spf = settings_of(build, MAIL_ITEM_SPF);
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

static int render_spf(mail_build_t *build, const mail_kind_t *kind)
{
	mail_str_t terms[MAIL_LIST_MAX],
		all = mail_profile_value(build->profile, MAIL_ITEM_SPF_ALL);
	mail_buf_t memory = { 0 };
	mail_rdata_t rdata = { 0 };
	size_t count = 0;
	int ret = KNOT_EOK;
	if (no_mail(build)) {
		all = MAIL_STR("-all");
	} else {
		ret = spf_terms(build, terms, &count, &memory);
	}
	if (count == 0 && all.len == 0 && ret == KNOT_EOK) {
		return KNOT_EOK; /* Every part was removed: no record. */
	}
	if (ret == KNOT_EOK) {
		ret = mail_spf_render(terms, count, all, &rdata, build->diag);
	}
	mail_buf_free(&memory);
	const mail_settings_t *spf = settings_of(build, MAIL_ITEM_SPF);
	return put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_SPF,
	                  spf->count > 0 ? &spf->values[0] : NULL, ret);
}

static int render_txt(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *txt = settings_of(build, MAIL_ITEM_TXT);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < txt->count && ret == KNOT_EOK; i++) {
		mail_rdata_t rdata = { 0 };
		ret = mail_rdata_text(&rdata, txt->values[i].text);
		ret = put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_TXT, &txt->values[i],
		                 ret);
	}
	return ret;
}

/*! Notes the hosts that reports of these tags go to, for C._report._dmarc.D. */
static int reports_note(mail_build_t *build, const mail_str_t *tags, size_t count)
{
	mail_plan_t *plan = build->plan;
	for (size_t i = 0; i < count; i++) {
		mail_str_t name, value, host;
		if (mail_dmarc_tag_split(tags[i], &name, &value) != KNOT_EOK ||
		    !(mail_str_is(name, "rua") || mail_str_is(name, "ruf"))) {
			continue;
		}
		for (size_t pos = 0; mail_dmarc_report_next(value, &pos, &host);) {
			size_t size = (plan->report_count + 1) * sizeof(*plan->reports);
			mail_str_t *grown = realloc(plan->reports, size);
			if (grown == NULL) {
				return KNOT_ENOMEM;
			}
			plan->reports = grown;
			/* A dot at its end makes the name absolute. */
			char *copy = malloc(host.len + 1);
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

/*! Renders one stretch of the DMARC record. */
static int dmarc_stretch(mail_build_t *build, const mail_str_t *tags, size_t count, int64_t from,
                         int64_t until)
{
	mail_pattern_t owner;
	mail_row_t row = {
		.from = from, .until = until, .ttl = UINT32_MAX, .type = KNOT_RRTYPE_TXT
	};
	int ret = mail_dmarc_render(tags, count, &row.rdata, build->diag);
	if (ret != KNOT_EOK) {
		const mail_settings_t *dmarc = settings_of(build, MAIL_ITEM_DMARC);
		mail_rdata_free(&row.rdata);
		return mail_build_bad(build, MAIL_ITEM_DMARC,
		                      dmarc->count > 0 ? &dmarc->values[dmarc->count - 1] : NULL,
		                      ret);
	}
	(void)mail_pattern_parse(MAIL_STR("_dmarc"), &owner, NULL);
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

/*! Reads the ramp in the order of time. */
static int ramp_read(mail_build_t *build, ramp_step_t *steps, size_t *count)
{
	const mail_settings_t *ramp = settings_of(build, MAIL_ITEM_DMARC_RAMP);
	*count = 0;
	for (size_t i = 0; i < ramp->count && i < MAIL_LIST_MAX; i++) {
		ramp_step_t *step = &steps[(*count)++];
		mail_str_t time;
		step->text = ramp->values[i].text;
		step->tags = 0;
		if (!mail_item_word(step->text, &step->tags, &time) ||
		    mail_time_parse(time, &step->from, build->diag) != KNOT_EOK) {
			return mail_build_bad(build, MAIL_ITEM_DMARC_RAMP, &ramp->values[i],
			                      KNOT_EINVAL);
		}
	}
	qsort(steps, *count, sizeof(*steps), ramp_compare);
	return KNOT_EOK;
}

#define DMARC_TAGS_MAX (4 * MAIL_LIST_MAX)

static int render_dmarc(mail_build_t *build, const mail_kind_t *kind)
{
	(void)kind;
	const mail_settings_t *dmarc = settings_of(build, MAIL_ITEM_DMARC);
	mail_str_t tags[DMARC_TAGS_MAX];
	ramp_step_t steps[MAIL_LIST_MAX];
	size_t count = 0, step_count = 0;
	if (dmarc->count == 0 && !no_mail(build)) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < dmarc->count && count < MAIL_LIST_MAX; i++) {
		tags[count++] = dmarc->values[i].text;
	}
	int ret = KNOT_EOK;
	if (no_mail(build)) {
		tags[count++] = MAIL_STR("p=reject");
	} else {
		ret = ramp_read(build, steps, &step_count);
	}
	int64_t from = 0;
	for (size_t i = 0; i <= step_count && ret == KNOT_EOK; i++) {
		int64_t until = i < step_count ? steps[i].from : INT64_MAX;
		if (from < until) {
			ret = dmarc_stretch(build, tags, count, from, until);
		}
		/* Tags given last count (mail_dmarc_render). */
		for (size_t pos = i < step_count ? steps[i].tags : 0;
		     i < step_count && count < DMARC_TAGS_MAX &&
		     mail_item_word(steps[i].text, &pos, &tags[count]);) {
			count++;
		}
		from = until;
	}
	return ret;
}

/*! Fills in what MTA-STS needs. \return KNOT_ENOENT when the mode is off. */
static int mtasts_fill(mail_build_t *build, mail_mx_t *mx, mail_mtasts_t *sts)
{
	*sts = (mail_mtasts_t){
		.mode = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS),
		.max_age = mail_profile_number(build->profile, MAIL_ITEM_MTA_STS_MAX_AGE,
		                               MAIL_MTASTS_MAX_AGE_DEFAULT),
		.mx = mx,
		.id = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS_ID),
	};
	if (sts->mode.len == 0 || mail_str_is(sts->mode, "off") || no_mail(build)) {
		return KNOT_ENOENT;
	}
	return exchanges(build, mx, &sts->mx_count);
}

static int render_mtasts(mail_build_t *build, const mail_kind_t *kind)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	mail_mtasts_t sts;
	int ret = mtasts_fill(build, mx, &sts);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	mail_rdata_t rdata = { 0 };
	ret = mail_mtasts_render(&sts, &rdata, build->diag);
	return put_or_bad(build, "_mta-sts", kind->type, &rdata, MAIL_ITEM_MTA_STS, NULL, ret);
}

int mail_build_mtasts_body(mail_profile_t *profile, mail_rdata_t *body, mail_diag_t *diag)
{
	mail_diag_t own = { 0 };
	mail_build_t build = { .profile = profile,
		               .strict = true,
		               .diag = diag != NULL ? diag : &own };
	mail_mx_t mx[MAIL_LIST_MAX];
	mail_mtasts_t sts;
	int ret = mtasts_fill(&build, mx, &sts);
	return ret == KNOT_EOK ? mail_mtasts_body(&sts, body) : ret;
}

/*! A CNAME at a fixed owner to the name that an item holds. */
static int render_cname(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_item_id_t item = kind->arg;
	const mail_settings_t *settings = settings_of(build, item);
	mail_str_t sts = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS);
	if (settings->count == 0 || no_mail(build) ||
	    (item == MAIL_ITEM_MTA_STS_HOST && (sts.len == 0 || mail_str_is(sts, "off")))) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	int ret = mail_rdata_name(&rdata, settings->values[0].text, build->diag);
	return put_or_bad(build, kind->owner, kind->type, &rdata, item, &settings->values[0], ret);
}

static int render_tlsrpt(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = settings_of(build, MAIL_ITEM_TLS_RPT);
	mail_str_t uris[MAIL_LIST_MAX];
	size_t count = 0;
	for (; count < settings->count && count < MAIL_LIST_MAX; count++) {
		uris[count] = settings->values[count].text;
	}
	if (count == 0 || no_mail(build)) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	int ret = mail_tlsrpt_render(uris, count, &rdata, build->diag);
	return put_or_bad(build, kind->owner, kind->type, &rdata, MAIL_ITEM_TLS_RPT,
	                  &settings->values[0], ret);
}

/*! Gives a service without a host the first exchange . */
static int srv_target(mail_build_t *build, mail_srv_t *srv)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	size_t count;
	if (srv->has_target) {
		return KNOT_EOK;
	}
	int ret = exchanges(build, mx, &count);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (count == 0 || mx[0].null) {
		return mail_diag_error(build->diag, 0,
		                       "%s names no host, and there is no mx to take",
		                       srv->service->name);
	}
	srv->target = mx[0].host;
	return KNOT_EOK;
}

static int render_srv(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = settings_of(build, MAIL_ITEM_SRV);
	const mail_srv_service_t *service = &mail_srv_services[kind->arg];
	int ret = KNOT_EOK;
	for (size_t i = 0; i < settings->count && ret == KNOT_EOK && !no_mail(build); i++) {
		mail_srv_t srv;
		mail_rdata_t rdata = { 0 };
		ret = mail_srv_parse(settings->values[i].text, &srv, build->diag);
		if (ret == KNOT_EOK && srv.service != service) {
			continue;
		}
		if (ret == KNOT_EOK) {
			ret = srv_target(build, &srv);
		}
		if (ret == KNOT_EOK && srv.has_target) {
			ret = mail_build_target(build, MAIL_ITEM_SRV, &settings->values[i],
			                        &srv.target);
		}
		if (ret == KNOT_EOK) {
			ret = mail_srv_render(&srv, &rdata);
		}
		ret = put_or_bad(build, kind->owner, kind->type, &rdata, MAIL_ITEM_SRV,
		                 &settings->values[i], ret);
	}
	return ret;
}

static int render_bimi(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = settings_of(build, MAIL_ITEM_BIMI);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < settings->count && ret == KNOT_EOK && !no_mail(build); i++) {
		mail_str_t selector;
		mail_rdata_t rdata = { 0 };
		char owner[KNOT_DNAME_TXT_MAXLEN];
		ret = mail_bimi_render(settings->values[i].text, &selector, &rdata, build->diag);
		if (ret == KNOT_EOK) {
			(void)snprintf(owner, sizeof(owner), "%.*s._bimi", (int)selector.len,
			               selector.data);
		}
		ret = put_or_bad(build, owner, kind->type, &rdata, MAIL_ITEM_BIMI,
		                 &settings->values[i], ret);
	}
	return ret;
}

static int render_caa(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = settings_of(build, MAIL_ITEM_CAA);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < settings->count && ret == KNOT_EOK; i++) {
		mail_rdata_t rdata = { 0 };
		ret = mail_caa_render(settings->values[i].text, &rdata, build->diag);
		ret = put_or_bad(build, "@", kind->type, &rdata, MAIL_ITEM_CAA,
		                 &settings->values[i], ret);
	}
	return ret;
}

/*! A domain without mail revokes every key that it may ever have had. */
static int render_no_keys(mail_build_t *build, const mail_kind_t *kind)
{
	if (!no_mail(build)) {
		return KNOT_EOK;
	}
	build->plan->no_keys = true;
	mail_rdata_t rdata = { 0 };
	int ret = mail_rdata_text(&rdata, MAIL_STR("v=DKIM1; p="));
	return put_or_bad(build, kind->owner, kind->type, &rdata, MAIL_ITEM_NO_MAIL, NULL, ret);
}

/*! Literal records and delegations. */
static int render_literal(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_item_id_t item = kind->arg;
	const mail_settings_t *settings = settings_of(build, item);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < settings->count && ret == KNOT_EOK; i++) {
		mail_record_t record;
		mail_row_t row = { .until = INT64_MAX };
		ret = mail_record_parse(settings->values[i].text, item == MAIL_ITEM_DELEGATION,
		                        &record, &row.rdata, build->diag);
		if (ret == KNOT_EOK) {
			row.type = record.type;
			row.ttl = record.has_ttl ? record.ttl : UINT32_MAX;
			ret = mail_build_row(build, &record.owner, &row);
		} else {
			mail_rdata_free(&row.rdata);
		}
		if (ret != KNOT_EOK) {
			ret = mail_build_bad(build, item, &settings->values[i], ret);
		}
	}
	return ret;
}

_Static_assert(MAIL_KIND_AUTOCONFIG == MAIL_KIND_SRV + MAIL_SRV_COUNT,
               "a kind for each SRV service");

#define SRV(id, service)                                                                           \
	[MAIL_KIND_SRV + MAIL_SRV_##id] = {                                                        \
		.name = "srv-" service,                                                            \
		.owner = "_" service "._tcp",                                                      \
		.type = KNOT_RRTYPE_SRV,                                                           \
		.render = render_srv,                                                              \
		.arg = MAIL_SRV_##id,                                                              \
		.help = "where clients find the service " service " (RFC 2782, RFC 6186)",         \
	}

/* The place in the table is the kind's number, so a row says its number itself. */
const mail_kind_t mail_kinds[] = {
	[MAIL_KIND_SOA] = {
		.name = "soa",
		.owner = "@",
		.type = KNOT_RRTYPE_SOA,
		.render = render_soa,
		.help = "start of authority; its serial is the second of the newest change (RFC 1035)",
	},
	[MAIL_KIND_NS] = {
		.name = "ns",
		.owner = "@",
		.type = KNOT_RRTYPE_NS,
		.render = render_ns,
		.help = "the domain's name servers (RFC 1035)",
	},
	[MAIL_KIND_A] = {
		.name = "a",
		.owner = "HOST",
		.type = KNOT_RRTYPE_A,
		.render = mail_host_address,
		.help = "IPv4 address of a host (RFC 1035)",
	},
	[MAIL_KIND_AAAA] = {
		.name = "aaaa",
		.owner = "HOST",
		.type = KNOT_RRTYPE_AAAA,
		.render = mail_host_address,
		.help = "IPv6 address of a host (RFC 3596)",
	},
	[MAIL_KIND_MX] = {
		.name = "mx",
		.owner = "@",
		.type = KNOT_RRTYPE_MX,
		.render = render_mx,
		.help = "where mail for the domain goes; or null MX (RFC 5321, RFC 7505)",
	},
	[MAIL_KIND_SPF] = {
		.name = "spf",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = render_spf,
		.help = "who may send mail of the domain (RFC 7208)",
	},
	[MAIL_KIND_TXT] = {
		.name = "txt",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = render_txt,
		.help = "other strings of the domain, beside SPF",
	},
	[MAIL_KIND_HELO_SPF] = {
		.name = "helo-spf",
		.owner = "HOST",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_host_helo,
		.help = "SPF of the name that a host says HELO with (RFC 7208 10.1.2)",
	},
	[MAIL_KIND_DKIM] = {
		.name = "dkim",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_policy_keys,
		.help = "public key that signatures are verified with (RFC 6376, RFC 8463)",
	},
	[MAIL_KIND_DKIM_CNAME] = {
		.name = "dkim-cname",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_policy_keys,
		.help = "the public key is published by somebody else (RFC 6376)",
	},
	[MAIL_KIND_DKIM_NONE] = {
		.name = "dkim-none",
		.owner = "*._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = render_no_keys,
		.help = "a domain without mail has no key (RFC 6376 3.6.1)",
	},
	[MAIL_KIND_DMARC] = {
		.name = "dmarc",
		.owner = "_dmarc",
		.type = KNOT_RRTYPE_TXT,
		.render = render_dmarc,
		.help = "what to do with mail that fails, and where reports go (RFC 9989)",
	},
	[MAIL_KIND_REPORT] = {
		.name = "dmarc-report",
		.owner = "DOMAIN._report._dmarc",
		.type = KNOT_RRTYPE_TXT,
		.help = "the domain takes reports of another one (RFC 9990)",
	},
	[MAIL_KIND_MTA_STS] = {
		.name = "mta-sts",
		.owner = "_mta-sts",
		.type = KNOT_RRTYPE_TXT,
		.render = render_mtasts,
		.help = "there is an MTA-STS policy, and which version (RFC 8461)",
	},
	[MAIL_KIND_MTA_STS_HOST] = {
		.name = "mta-sts-host",
		.owner = "mta-sts",
		.type = KNOT_RRTYPE_CNAME,
		.render = render_cname,
		.arg = MAIL_ITEM_MTA_STS_HOST,
		.help = "the web server of the MTA-STS policy (RFC 8461)",
	},
	[MAIL_KIND_TLS_RPT] = {
		.name = "tls-rpt",
		.owner = "_smtp._tls",
		.type = KNOT_RRTYPE_TXT,
		.render = render_tlsrpt,
		.help = "where reports on TLS go (RFC 8460)",
	},
	SRV(IMAP, "imap"),
	SRV(IMAPS, "imaps"),
	SRV(POP3, "pop3"),
	SRV(POP3S, "pop3s"),
	SRV(SUBMISSION, "submission"),
	SRV(SUBMISSIONS, "submissions"),
	SRV(SIEVE, "sieve"),
	SRV(JMAP, "jmap"),
	SRV(CALDAV, "caldav"),
	SRV(CALDAVS, "caldavs"),
	SRV(CARDDAV, "carddav"),
	SRV(CARDDAVS, "carddavs"),
	SRV(AUTODISCOVER, "autodiscover"),
	[MAIL_KIND_AUTOCONFIG] = {
		.name = "autoconfig",
		.owner = "autoconfig",
		.type = KNOT_RRTYPE_CNAME,
		.render = render_cname,
		.arg = MAIL_ITEM_AUTOCONFIG,
		.help = "web server that configures Thunderbird and others",
	},
	[MAIL_KIND_AUTODISCOVER] = {
		.name = "autodiscover",
		.owner = "autodiscover",
		.type = KNOT_RRTYPE_CNAME,
		.render = render_cname,
		.arg = MAIL_ITEM_AUTODISCOVER,
		.help = "web server that configures Outlook",
	},
	[MAIL_KIND_TLSA] = {
		.name = "tlsa",
		.owner = "_PORT._tcp.HOST",
		.type = KNOT_RRTYPE_TLSA,
		.render = mail_host_tlsa,
		.help = "which certificate a host shows, now and next (RFC 6698, RFC 7672)",
	},
	[MAIL_KIND_BIMI] = {
		.name = "bimi",
		.owner = "SELECTOR._bimi",
		.type = KNOT_RRTYPE_TXT,
		.render = render_bimi,
		.help = "the domain's logo (BIMI)",
	},
	[MAIL_KIND_CAA] = {
		.name = "caa",
		.owner = "@",
		.type = KNOT_RRTYPE_CAA,
		.render = render_caa,
		.help = "which CA may issue certificates (RFC 8659)",
	},
	[MAIL_KIND_DNSKEY] = {
		.name = "dnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_DNSKEY,
		.render = mail_key_row,
		.help = "the keys that the domain is signed with (RFC 4034)",
	},
	[MAIL_KIND_CDS] = {
		.name = "cds",
		.owner = "@",
		.type = KNOT_RRTYPE_CDS,
		.render = mail_key_row,
		.help = "the DS that the parent should have, or none (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_CDNSKEY] = {
		.name = "cdnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_CDNSKEY,
		.render = mail_key_row,
		.help = "the keys that the parent should make DS of (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_RECORD] = {
		.name = "record",
		.owner = "any",
		.render = render_literal,
		.arg = MAIL_ITEM_RECORD,
		.help = "literal records of a domain",
	},
	[MAIL_KIND_DELEGATION] = {
		.name = "delegation",
		.owner = "any",
		.render = render_literal,
		.arg = MAIL_ITEM_DELEGATION,
		.help = "a name below the domain that other servers answer for: NS and DS",
	},
	[MAIL_KIND_CHILD] = {
		.name = "child",
		.owner = "DOMAIN",
		.type = KNOT_RRTYPE_NS,
		.help = "a stored domain below this one: its name servers",
	},
};
_Static_assert(sizeof(mail_kinds) / sizeof(mail_kinds[0]) == MAIL_KIND_COUNT,
               "a row for each kind");
