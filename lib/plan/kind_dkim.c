/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM keys as rows.  A policy's keys are part of its plan; a domain's own are looked up when they are
 * asked for (view/view.c).  Both come through mail_dkim_row().
 */
#include "config.h"

#include <stdio.h>

#include "mail/dkim.h"
#include "mail/dkim_id.h"
#include "plan/kinds.h"

static bool is_revoked(const mail_dkim_t *dkim, int64_t now)
{
	return dkim->revoke && now >= dkim->retire;
}

int mail_dkim_state(const mail_dkim_t *dkim, int64_t now, mail_row_t *row)
{
	row->from = dkim->publish;
	row->until = dkim->remove;
	row->type = dkim->cname.len > 0 ? KNOT_RRTYPE_CNAME : KNOT_RRTYPE_TXT;
	if (now >= dkim->remove) {
		row->from = INT64_MAX;
		return KNOT_ENOENT;
	}
	if (now < dkim->publish) {
		return KNOT_ENOENT;
	}
	if (is_revoked(dkim, now)) {
		row->from = dkim->retire > dkim->publish ? dkim->retire : dkim->publish;
		row->type = KNOT_RRTYPE_TXT;
	} else if (dkim->revoke && dkim->retire < dkim->remove) {
		row->until = dkim->retire;
	}
	return KNOT_EOK;
}

int mail_dkim_row(const mail_dkim_t *dkim, int64_t now, mail_row_t *row)
{
	int ret = mail_dkim_state(dkim, now, row);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (row->type == KNOT_RRTYPE_CNAME) {
		return mail_rdata_name(&row->rdata, dkim->cname, NULL);
	}
	return mail_dkim_render((const uint8_t *)dkim->key.data,
	                        is_revoked(dkim, now) ? 0 : dkim->key.len, dkim->tags, &row->rdata);
}

int mail_plan_keys_stamp(const mail_source_t *source, mail_str_t policy, mail_stamp_t *stamp)
{
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	*stamp = (mail_stamp_t){ 0 };
	int ret = mail_dkim_walk_begin(&walk, source, MAIL_SECTION_POLICY, policy);
	while (ret == KNOT_EOK) {
		ret = mail_dkim_walk_next(&walk, &dkim);
		if (ret != KNOT_EOK) {
			break;
		}
		ret = dkim.error;
		if (dkim.stamp.timestamp > stamp->timestamp) {
			stamp->timestamp = dkim.stamp.timestamp;
		}
		stamp->txnid++;
	}
	if (ret != KNOT_ENOENT) {
		stamp->txnid = UINT64_MAX;
		return ret;
	}
	return KNOT_EOK;
}

/*! Write the owner of a selector: SELECTOR._domainkey. */
static int key_owner(mail_lf_t selector, mail_pattern_t *owner)
{
	static const char parent[] = "\x0a_domainkey";
	knot_dname_storage_t name;
	int ret = mail_name_from_lf(selector, name);
	if (ret != KNOT_EOK) {
		return ret;
	}
	size_t labels = knot_dname_size(name) - 1;
	if (labels + sizeof(parent) > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	memset(owner, 0, sizeof(*owner));
	memcpy(owner->head, name, labels);
	memcpy(owner->head + labels, parent, sizeof(parent) - 1);
	owner->head_len = labels + sizeof(parent) - 1;
	owner->hole = true;
	return KNOT_EOK;
}

/*! Append every stretch of time of a key whose type is the kind's. */
static int key_rows(mail_build_t *build, const mail_kind_t *kind, const mail_dkim_t *dkim,
                    const mail_pattern_t *owner)
{
	int64_t now = dkim->publish;
	while (now < dkim->remove) {
		mail_row_t row = { .ttl = UINT32_MAX };
		int ret = mail_dkim_row(dkim, now, &row);
		now = row.until;
		if (ret != KNOT_EOK || row.type != kind->type) {
			mail_rdata_free(&row.rdata);
			if (ret != KNOT_EOK) {
				return ret;
			}
			continue;
		}
		ret = mail_build_row(build, owner, &row);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Return whether a policy above `layer` has a key with the same selector: that one counts. */
static bool key_hidden(mail_build_t *build, size_t layer, mail_lf_t selector)
{
	const mail_source_t *source = build->profile->source;
	for (size_t i = layer + 1; i < build->profile->layer_count; i++) {
		const mail_layer_t *above = &build->profile->layers[i];
		mail_dkim_walk_t walk;
		mail_dkim_t dkim;
		if (above->section == MAIL_SECTION_POLICY &&
		    mail_dkim_walk_begin(&walk, source, MAIL_SECTION_POLICY, above->entry->id) ==
		            KNOT_EOK &&
		    mail_lf_join(mail_lf(&walk.top), selector, &walk.key) == KNOT_EOK &&
		    source->dkim_get(source, mail_lf(&walk.key), &dkim) == KNOT_EOK) {
			return true;
		}
	}
	return false;
}

/*! Append the rows of all keys of the policy of a layer. */
static int layer_keys(mail_build_t *build, const mail_kind_t *kind, size_t layer)
{
	const mail_str_t policy = build->profile->layers[layer].entry->id;
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	int ret = mail_dkim_walk_begin(&walk, build->profile->source, MAIL_SECTION_POLICY, policy);
	while (ret == KNOT_EOK) {
		mail_pattern_t owner;
		ret = mail_dkim_walk_next(&walk, &dkim);
		if (ret == KNOT_ENOENT) {
			return KNOT_EOK;
		}
		if (ret == KNOT_EOK) {
			ret = dkim.error;
		}
		const mail_lf_t selector = mail_dkim_walk_selector(&walk);
		if (ret != KNOT_EOK || dkim.deleted || key_hidden(build, layer, selector)) {
			continue;
		}
		ret = key_owner(selector, &owner);
		if (ret == KNOT_EOK) {
			ret = key_rows(build, kind, &dkim, &owner);
		}
	}
	(void)mail_diag_error(build->diag, 0, "a DKIM key of policy %.*s cannot be rendered",
	                      (int)policy.len, policy.data);
	return ret;
}

/*! For writers, warn of keys of a policy without mail: no domain that follows it shows them. */
static int no_mail_warn(mail_build_t *build)
{
	mail_profile_t *profile = build->profile;
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	mail_stamp_t stamp;
	if (!build->strict || profile->domain.len > 0 || profile->layer_count < 2) {
		return KNOT_EOK;
	}
	const mail_str_t policy = profile->layers[profile->layer_count - 1].entry->id;
	int ret = mail_dkim_walk_begin(&walk, profile->source, MAIL_SECTION_POLICY, policy);
	while (ret == KNOT_EOK) {
		ret = mail_dkim_walk_next(&walk, &dkim);
		if (ret == KNOT_EOK && !dkim.deleted) {
			mail_diag_warn(build->diag, "no-mail hides the DKIM keys of the policy");
			break;
		}
	}
	/* Who writes such a key is told. */
	(void)mail_plan_keys_stamp(profile->source, policy, &stamp);
	return mail_profile_depend(profile, MAIL_SECTION_DKIM, policy, stamp);
}

int mail_kind_dkim(mail_build_t *build, const mail_kind_t *kind)
{
	mail_profile_t *profile = build->profile;
	if (mail_profile_switch(profile, MAIL_ITEM_NO_MAIL)) {
		return kind->type == KNOT_RRTYPE_TXT
		               ? no_mail_warn(build)
		               : KNOT_EOK; /* A wildcard says that there is no key, and a key's own name would escape it. */
	}
	for (size_t i = 1; i < profile->layer_count; i++) {
		if (profile->layers[i].section != MAIL_SECTION_POLICY) {
			continue;
		}
		mail_stamp_t stamp;
		mail_str_t policy = profile->layers[i].entry->id;
		/* Noted also when a key is damaged: the plan is bad until that changes. */
		(void)mail_plan_keys_stamp(profile->source, policy, &stamp);
		int ret = mail_profile_depend(profile, MAIL_SECTION_DKIM, policy, stamp);
		if (ret == KNOT_EOK) {
			ret = layer_keys(build, kind, i);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
