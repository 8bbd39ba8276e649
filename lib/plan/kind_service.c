/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds that lead clients and senders to services: SRV, autoconfig and autodiscover, MTA-STS, reports on TLS.
 */
#include "config.h"

#include "record/mtasts.h"
#include "plan/kinds.h"
#include "record/srv.h"
#include "record/tlsrpt.h"

/*! Fill in what MTA-STS needs. \return KNOT_ENOENT when the mode is off. */
static int mtasts_fill(mail_build_t *build, mail_mx_t mx[MAIL_LIST_MAX], mail_mtasts_t *sts)
{
	*sts = (mail_mtasts_t){
		.mode = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS),
		.max_age = mail_profile_number(build->profile, MAIL_ITEM_MTA_STS_MAX_AGE,
		                               MAIL_MTASTS_MAX_AGE_DEFAULT),
		.mx = mx,
		.id = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS_ID),
	};
	if (sts->mode.len == 0 || mail_str_is(sts->mode, "off") || mail_kind_no_mail(build)) {
		return KNOT_ENOENT;
	}
	return mail_kind_exchanges(build, mx, &sts->mx_count);
}

int mail_kind_mtasts(mail_build_t *build, const mail_kind_t *kind)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	mail_mtasts_t sts;
	int ret = mtasts_fill(build, mx, &sts);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, MAIL_ITEM_MTA_STS,
		                          mail_kind_settings(build, MAIL_ITEM_MTA_STS)->values };
	ret = mail_mtasts_render(&sts, &rdata, build->diag);
	return mail_kind_put(build, kind, kind->owner, &value, ret);
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

int mail_kind_cname(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_item_id_t item = kind->arg;
	const mail_settings_t *settings = mail_kind_settings(build, item);
	const mail_str_t sts = mail_profile_value(build->profile, MAIL_ITEM_MTA_STS);
	const bool sts_off = sts.len == 0 || mail_str_is(sts, "off");
	if (settings->count == 0 || mail_kind_no_mail(build) ||
	    (item == MAIL_ITEM_MTA_STS_HOST && sts_off)) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, item, &settings->values[0] };
	int ret = mail_rdata_name(&rdata, settings->values[0].text, build->diag);
	return mail_kind_put(build, kind, kind->owner, &value, ret);
}

int mail_kind_tlsrpt(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = mail_kind_settings(build, MAIL_ITEM_TLS_RPT);
	mail_str_t uris[MAIL_LIST_MAX];
	size_t count = 0;
	for (; count < settings->count && count < MAIL_LIST_MAX; count++) {
		uris[count] = settings->values[count].text;
	}
	if (count == 0 || mail_kind_no_mail(build)) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, MAIL_ITEM_TLS_RPT, &settings->values[0] };
	int ret = mail_tlsrpt_render(uris, count, &rdata, build->diag);
	return mail_kind_put(build, kind, kind->owner, &value, ret);
}

/*! Find the target of a service: without a host of its own it is the first exchange. */
static int srv_target(mail_build_t *build, const mail_setting_t *setting, mail_srv_t *srv)
{
	mail_mx_t mx[MAIL_LIST_MAX];
	size_t count;
	if (srv->has_target) {
		return mail_build_target(build, MAIL_ITEM_SRV, setting, &srv->target);
	}
	int ret = mail_kind_exchanges(build, mx, &count);
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

int mail_kind_srv(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *settings = mail_kind_settings(build, MAIL_ITEM_SRV);
	for (size_t i = 0; i < settings->count && !mail_kind_no_mail(build); i++) {
		mail_srv_t srv = { 0 };
		mail_rdata_t rdata = { 0 };
		const mail_kind_value_t value = { &rdata, MAIL_ITEM_SRV, &settings->values[i] };
		int ret = mail_srv_parse(settings->values[i].text, &srv, build->diag);
		if (srv.service != NULL && srv.service != &mail_srv_services[kind->arg]) {
			continue; /* Whatever is wrong with it. */
		}
		if (ret == KNOT_EOK) {
			ret = srv_target(build, &settings->values[i], &srv);
		}
		if (ret == KNOT_EOK) {
			ret = mail_srv_render(&srv, &rdata);
		}
		ret = mail_kind_put(build, kind, kind->owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
