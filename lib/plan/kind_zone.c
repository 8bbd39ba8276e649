/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds that make a zone of a domain, and what it has besides mail: SOA, NS, CAA, other TXT strings, literal records.
 */
#include "config.h"

#include "plan/kinds.h"
#include "record/caa.h"
#include "record/literal.h"
#include "record/soa.h"

int mail_kind_soa(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_str_t ns = mail_profile_value(build->profile, MAIL_ITEM_NS);
	const mail_str_t mname = mail_profile_value(build->profile, MAIL_ITEM_SOA_MNAME);
	const mail_str_t rname = mail_profile_value(build->profile, MAIL_ITEM_SOA_RNAME);
	if (ns.len == 0) {
		return KNOT_EOK;
	}
	mail_rdata_t rdata = { 0 };
	const mail_kind_value_t value = { &rdata, MAIL_ITEM_SOA_RNAME, NULL };
	int ret = mail_soa_render(mname.len > 0 ? mname : ns,
	                          rname.len > 0 ? rname : MAIL_STR("hostmaster"), &rdata,
	                          build->diag);
	return mail_kind_put(build, kind, kind->owner, &value, ret);
}

int mail_kind_ns(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *ns = mail_kind_settings(build, MAIL_ITEM_NS);
	for (size_t i = 0; i < ns->count; i++) {
		mail_rdata_t rdata = { 0 };
		mail_pattern_t name;
		const mail_kind_value_t value = { &rdata, MAIL_ITEM_NS, &ns->values[i] };
		int ret = mail_pattern_parse(ns->values[i].text, &name, build->diag);
		if (ret == KNOT_EOK) {
			ret = mail_build_target(build, MAIL_ITEM_NS, &ns->values[i], &name);
		}
		if (ret == KNOT_EOK) {
			ret = mail_rdata_pattern(&rdata, &name);
		}
		ret = mail_kind_put(build, kind, kind->owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_kind_txt(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *txt = mail_kind_settings(build, MAIL_ITEM_TXT);
	for (size_t i = 0; i < txt->count; i++) {
		mail_rdata_t rdata = { 0 };
		const mail_kind_value_t value = { &rdata, MAIL_ITEM_TXT, &txt->values[i] };
		int ret = mail_rdata_text(&rdata, txt->values[i].text);
		ret = mail_kind_put(build, kind, kind->owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_kind_caa(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_settings_t *caa = mail_kind_settings(build, MAIL_ITEM_CAA);
	for (size_t i = 0; i < caa->count; i++) {
		mail_rdata_t rdata = { 0 };
		const mail_kind_value_t value = { &rdata, MAIL_ITEM_CAA, &caa->values[i] };
		int ret = mail_caa_render(caa->values[i].text, &rdata, build->diag);
		ret = mail_kind_put(build, kind, kind->owner, &value, ret);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*!
 * For writers, make an absolute owner in the domain a relative one, so that it meets all that stands there. A domain's
 * own record outside of it is nobody's: who asks for it is answered from elsewhere.
 */
static int owner_place(mail_build_t *build, const mail_setting_t *setting, mail_pattern_t *owner)
{
	const mail_str_t domain = build->profile->domain;
	knot_dname_storage_t name, apex;
	if (!build->strict || owner->hole || domain.len == 0 ||
	    mail_pattern_name(owner, NULL, name) != KNOT_EOK ||
	    mail_name_parse(domain, apex, NULL) != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (knot_dname_in_bailiwick(name, apex) >= 0) {
		owner->head_len -= knot_dname_size(apex) - 1;
		owner->hole = true;
		return KNOT_EOK;
	}
	/* A policy's is there for the one domain that it lies in. */
	if (!mail_build_own(build, setting) || build->profile->untouched) {
		return KNOT_EOK;
	}
	mail_buf_t text = { 0 };
	(void)mail_pattern_print(owner, &text);
	int ret = mail_diag_error(build->diag, 1,
	                          "%.*s. lies outside of the domain: without the dot at its end it "
	                          "is %.*s.%.*s., else it belongs to another domain's records",
	                          (int)text.len, (const char *)text.data, (int)text.len,
	                          (const char *)text.data, (int)domain.len, domain.data);
	mail_buf_free(&text);
	return ret;
}

int mail_kind_literal(mail_build_t *build, const mail_kind_t *kind)
{
	const mail_item_id_t item = kind->arg;
	const mail_settings_t *settings = mail_kind_settings(build, item);
	for (size_t i = 0; i < settings->count; i++) {
		mail_record_t record;
		mail_row_t row = { .until = INT64_MAX };
		int ret = mail_record_parse(settings->values[i].text, item == MAIL_ITEM_DELEGATION,
		                            &record, &row.rdata, build->diag);
		if (ret == KNOT_EOK) {
			row.type = record.type;
			row.ttl = record.has_ttl ? record.ttl : UINT32_MAX;
			build->setting = &settings->values[i];
			ret = owner_place(build, build->setting, &record.owner);
		}
		if (ret == KNOT_EOK) {
			ret = mail_build_row(build, &record.owner, &row);
		} else {
			mail_rdata_free(&row.rdata);
		}
		if (ret != KNOT_EOK) {
			return mail_build_bad(build, item, &settings->values[i], ret);
		}
	}
	return KNOT_EOK;
}
