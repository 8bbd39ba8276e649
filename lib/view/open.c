/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Views opened: the plan of the domain's policy, and what the domain changes of it.
 */
#include "config.h"

#include <stdio.h>

#include "view/view.h"

/*! Return a plan that says why there is none, in the arena. */
static const mail_plan_t *plan_of_error(mail_view_t *view, int error, const char *what)
{
	mail_plan_t *plan = mail_arena_take(mail_cache_arena(view->cache), sizeof(*plan));
	if (plan != NULL) {
		memset(plan, 0, sizeof(*plan));
		plan->error = error;
		(void)snprintf(plan->reason, sizeof(plan->reason), "%s", what);
	}
	return plan;
}

/*! Read the target of an alias. \param what Out: why it is none. \return KNOT_EOK; KNOT_EMALF: it is none. */
static int target_read(const mail_view_t *view, mail_domain_t *target, mail_buf_t *what)
{
	mail_lf_t above;
	mail_lf_storage_t key;
	const mail_source_t *source = view->source;
	int ret = mail_entry_key(MAIL_SECTION_DOMAIN, view->domain.alias, &key);
	if (ret == KNOT_EOK) {
		ret = source->domain_above(source, mail_lf(&key), &above, target);
	}
	const mail_str_t name = view->domain.alias;
	if (ret == KNOT_ENOENT || (ret == KNOT_EOK && above.len < key.len)) {
		(void)mail_buf_printf(what, "domain %.*s does not exist", (int)name.len, name.data);
		return KNOT_EMALF;
	}
	if (ret == KNOT_EOK) {
		ret = target->error;
	}
	if (ret != KNOT_EOK) {
		(void)mail_buf_printf(what, "domain %.*s %s", (int)name.len, name.data,
		                      ret == KNOT_ENOTSUP ? "is of a newer format" : "is damaged");
		return KNOT_EMALF;
	}
	if (target->alias.len > 0) {
		(void)mail_buf_printf(what, "alias: %.*s is an alias itself", (int)name.len,
		                      name.data);
		return KNOT_EMALF;
	}
	return KNOT_EOK;
}

/*! Find the plan of the domain, and what it changes. */
static int plan_open(mail_view_t *view)
{
	mail_domain_t target;
	const mail_domain_t *of = &view->domain;
	const bool alias = of->alias.len > 0;
	char octets[sizeof(view->plan->reason)];
	mail_buf_t what = MAIL_BUF_FIXED((uint8_t *)octets, sizeof(octets) - 1);
	int ret = alias ? target_read(view, &target, &what) : KNOT_EOK;
	view->overlay = NULL;
	view->stamp = view->domain.stamp.timestamp;
	if (alias && ret == KNOT_EOK) {
		of = &target;
		if (target.stamp.timestamp > view->stamp) {
			view->stamp = target.stamp.timestamp;
		}
		if (target.ds_from > view->domain.ds_from) {
			view->domain.ds_from = target.ds_from;
		}
	}
	if (ret == KNOT_EOK && of->policy.len == 0) {
		(void)mail_buf_str(&what, "it follows no policy");
		ret = KNOT_EMALF;
	}
	if (ret != KNOT_EOK) {
		octets[what.len] = '\0';
		view->plan = plan_of_error(view, ret, octets);
		return view->plan != NULL ? KNOT_EOK : KNOT_ENOMEM;
	}
	ret = mail_cache_plan(view->cache, view->source, of->policy, &view->plan);
	if (ret != KNOT_EOK || of->plain || view->plan->error != KNOT_EOK) {
		return ret;
	}
	return mail_overlay_new(view->cache, view->plan, of, alias ? NULL : view->apex,
	                        &view->overlay);
}

void mail_view_of_plan(mail_view_t *view, const mail_plan_t *plan)
{
	view->plan = view->keyed = plan;
	view->overlay = NULL;
	view->records_ttl = plan->ttl;
	view->hosted = plan->hosted;
	view->cuts = plan->cuts;
}

/*! Find out what a domain changes that is to be known before any name is looked up. */
static int overlay_apply(mail_view_t *view, bool *no_keys)
{
	mail_overlay_t *overlay = view->overlay;
	/* Hosts may have any name, so every question needs them. */
	const mail_kinds_t hosts = MAIL_KIND_BIT(MAIL_KIND_A) | MAIL_KIND_BIT(MAIL_KIND_AAAA) |
	                           MAIL_KIND_BIT(MAIL_KIND_HELO_SPF) |
	                           MAIL_KIND_BIT(MAIL_KIND_TLSA);
	const mail_kinds_t zone = MAIL_KINDS_KEYS | MAIL_KIND_BIT(MAIL_KIND_SOA) |
	                          MAIL_KIND_BIT(MAIL_KIND_NS) | hosts;
	const mail_kinds_t literal = overlay->touched & MAIL_KINDS_LITERAL;
	view->cuts |= overlay->rows.cuts || literal != 0;
	if (mail_overlay_has(overlay, MAIL_ITEM_NO_MAIL) ||
	    mail_overlay_has(overlay, MAIL_ITEM_TTL)) {
		const mail_profile_t *profile = mail_overlay_profile(overlay);
		if (profile == NULL) {
			return KNOT_EMALF;
		}
		*no_keys = mail_profile_switch(profile, MAIL_ITEM_NO_MAIL);
		view->records_ttl = mail_profile_ttl(profile);
	}
	int ret = KNOT_EOK;
	if ((overlay->touched & zone) != 0) {
		ret = mail_overlay_make(overlay, zone);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if ((overlay->touched & MAIL_KINDS_KEYS) != 0) {
		view->keyed = overlay->own;
	}
	if ((overlay->touched & MAIL_KIND_BIT(MAIL_KIND_SOA)) != 0) {
		view->hosted = overlay->own->hosted;
	}
	return KNOT_EOK;
}

int mail_view_fault(mail_view_t *view, int error)
{
	const mail_overlay_t *overlay = view->overlay;
	const bool known = overlay != NULL && overlay->fault != NULL;
	const char *what = known ? overlay->fault->reason : "its entry cannot be read";
	view->plan = plan_of_error(view, error, what);
	view->overlay = NULL;
	return view->plan != NULL ? KNOT_EOK : KNOT_ENOMEM;
}

int mail_view_fill(mail_view_t *view, const knot_dname_t *name, mail_lf_t lf, mail_lf_t domain)
{
	mail_lf_copy(domain, &view->lf);
	view->text_len = 0;
	view->zone = false;
	view->type = 0;
	view->apex = name;
	/* Each label above the domain's begins with a 00; escaped ones do not look like that. */
	for (size_t i = domain.len; i < lf.len; i++) {
		if (lf.data[i] == 0) {
			view->apex = mail_name_parent(view->apex);
		}
	}
	view->own.len = 0;
	view->keys_known = false;
	int ret = plan_open(view);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_overlay_t *overlay = view->overlay;
	mail_view_of_plan(view, view->plan);
	bool no_keys = view->plan->no_keys;
	if (overlay != NULL) {
		view->overlay = overlay;
		ret = overlay_apply(view, &no_keys);
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOMEM ? ret : mail_view_fault(view, ret);
	}
	view->ds_from = mail_plan_ds_from(view->keyed, view->domain.ds_from);
	view->waits = view->now < view->ds_from && view->keyed->key_count > 0;
	if (no_keys) {
		return KNOT_EOK; /* A parked domain's old keys must not sign for it any more. */
	}
	if (view->domain.alias.len == 0) {
		mail_lf_copy(mail_lf(&view->lf), &view->own);
		return KNOT_EOK;
	}
	ret = mail_entry_key(MAIL_SECTION_DOMAIN, view->domain.alias, &view->own);
	return ret == KNOT_EOK ? KNOT_EOK : KNOT_EMALF;
}

int mail_view_open(mail_view_t *view, const knot_dname_t *name, mail_lf_t lf)
{
	mail_lf_t above;
	int ret = view->source->domain_above(view->source, lf, &above, &view->domain);
	if (ret == KNOT_EOK) {
		ret = view->domain.error;
	}
	return ret != KNOT_EOK ? ret : mail_view_fill(view, name, lf, above);
}

int mail_view_open_zone(mail_view_t *view, const knot_dname_t *apex, mail_str_t policy)
{
	mail_lf_storage_t storage;
	mail_lf_t above;
	mail_name_lf(apex, &storage);
	const mail_lf_t lf = mail_lf(&storage);
	int ret = view->source->domain_above(view->source, lf, &above, &view->domain);
	if (ret != KNOT_EOK && ret != KNOT_ENOENT) {
		return ret;
	}
	if (ret == KNOT_ENOENT || above.len < lf.len) {
		if (policy.len == 0) {
			return KNOT_ENOENT;
		}
		view->domain = (mail_domain_t){ .policy = policy, .plain = true };
	} else if (view->domain.error != KNOT_EOK) {
		return view->domain.error;
	}
	ret = mail_view_fill(view, apex, lf, lf);
	view->zone = true;
	return ret;
}
