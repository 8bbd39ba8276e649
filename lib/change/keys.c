/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The check of a changed domain against its own DKIM keys, which stand beside its plan.
 */
#include "config.h"

#include <stdio.h>

#include "change/internal.h"
#include "mail/dkim_id.h"
#include "mail/kind.h"

static bool is_key_kind(const mail_row_t *row)
{
	return row->kind == MAIL_KIND_DKIM || row->kind == MAIL_KIND_DKIM_CNAME ||
	       row->kind == MAIL_KIND_DKIM_NONE;
}

/*! Return whether some record of a plan could meet a DKIM key, or hide it. */
static bool meets_keys(const mail_plan_t *plan)
{
	size_t at = 0;
	if (plan->cuts && plan->absolute.count > 0) {
		return true;
	}
	(void)mail_owners_find(&plan->relative, MAIL_DOMAINKEY, &at);
	for (; at < plan->relative.count; at++) {
		const mail_owner_t *owner = &plan->relative.owners[at];
		if (!mail_lf_in(owner->name, MAIL_DOMAINKEY)) {
			return false;
		}
		for (size_t i = 0; i < owner->count; i++) {
			if (!is_key_kind(&owner->rows[i])) {
				return true;
			}
		}
	}
	return false;
}

static int refuse(const char *what, mail_lf_t key, const char *why, mail_diag_t *diag)
{
	mail_buf_t id = { 0 };
	(void)mail_entry_id_from_key(MAIL_SECTION_DKIM, key, &id);
	int ret = mail_diag_error(diag, 0, "%sthe DKIM key %.*s %s", what, (int)id.len,
	                          (const char *)id.data, why);
	mail_buf_free(&id);
	return ret;
}

/*! Refuse a key that nobody can see. */
static int refuse_hidden(mail_lf_t key, const mail_hider_t *hider, mail_diag_t *diag)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 96];
	mail_buf_t why = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text) - 1);
	(void)mail_buf_str(&why, "cannot be seen by anybody, because ");
	(void)mail_hider_print(hider, (mail_lf_t){ NULL, 0 }, &why);
	(void)mail_buf_str(&why, " hides it: remove one of them");
	text[why.len] = '\0';
	return refuse("", key, text, diag);
}

/*! Return the changed entry of a key that stays; NULL: it is not changed. */
static const mail_entry_t *changed_key(const mail_change_t *change, mail_lf_t key)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (mail_entry_id_from_key(MAIL_SECTION_DKIM, key, &id) != KNOT_EOK) {
		return NULL;
	}
	return mail_change_find(change, MAIL_SECTION_DKIM, mail_buf_view(&id));
}

/*! Warn that a key which is being written takes the place of one that the policy has for all its domains. */
static void override_warn(const mail_change_t *change, mail_lf_t key, mail_diag_t *diag)
{
	const mail_entry_t *entry = changed_key(change, key);
	if (entry != NULL) {
		mail_diag_warn(diag, "dkim %.*s: it hides the key of its policy with this selector",
		               (int)entry->id.len, entry->id.data);
	}
}

/*! Check the key that a walk is at. */
static int key_check(const mail_change_t *change, const mail_plan_t *plan, const mail_keys_of_t *of,
                     const mail_dkim_walk_t *walk, mail_diag_t *diag)
{
	const mail_lf_t key = mail_lf(&walk->key);
	const mail_lf_t relative = mail_lf_relative(key, mail_lf_parent(mail_lf(&walk->top)));
	knot_dname_storage_t name;
	mail_lf_storage_t shown;
	mail_hider_t hider;
	if (mail_name_from_lf(key, name) != KNOT_EOK) {
		return KNOT_EOK; /* Whatever it is, nobody can ask for it. */
	}
	if (mail_lf_join(of->name, relative, &shown) != KNOT_EOK ||
	    mail_name_from_lf(mail_lf(&shown), name) != KNOT_EOK) {
		return refuse("the name of ", key, "would grow past 255 octets", diag);
	}
	/* A stored domain below may be somebody else's: only a key that is written now can avoid it. */
	const mail_source_t *source = changed_key(change, key) != NULL ? change->base : NULL;
	if (!of->hides && mail_hider_find(source, plan, of->name, mail_lf(&shown), &hider)) {
		return refuse_hidden(key, &hider, diag);
	}
	const mail_owner_t *owner = mail_owners_find(&plan->relative, relative, NULL);
	for (size_t i = 0; owner != NULL && i < owner->count; i++) {
		if (!is_key_kind(&owner->rows[i])) {
			char what[64];
			(void)snprintf(what, sizeof(what), "a %s and ",
			               mail_kinds[owner->rows[i].kind].name);
			return refuse(
				what, key,
				"have the same owner: remove one of them (kmailctl dkim-unset)",
				diag);
		}
	}
	if (owner != NULL && of->alias.len == 0) {
		override_warn(change, key, diag);
	}
	return KNOT_EOK;
}

/*! A domain without mail shows no key: refuse one that is written now, warn of those that it had. */
static int no_mail_check(const mail_change_t *change, const mail_keys_of_t *of, mail_diag_t *diag)
{
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	bool told = false;
	if (!of->changed || of->alias.len > 0 ||
	    mail_dkim_walk_domain(&walk, change->base, of->name) != KNOT_EOK) {
		return KNOT_EOK;
	}
	while (mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK) {
		const mail_lf_t key = mail_lf(&walk.key);
		if (dkim.deleted) {
			continue;
		}
		if (!of->put && changed_key(change, key) != NULL) {
			return refuse(
				"", key,
				"cannot be seen by anybody, because no-mail hides it: the domain "
				"has no mail to sign",
				diag);
		}
		if (!told) {
			mail_buf_t id = { 0 }, domain = { 0 };
			(void)mail_entry_id_from_key(MAIL_SECTION_DKIM, key, &id);
			(void)mail_entry_id_from_key(MAIL_SECTION_DOMAIN, of->name, &domain);
			mail_diag_warn(diag,
			               "domain %.*s: no-mail hides its DKIM keys, such as %.*s",
			               (int)domain.len, (const char *)domain.data, (int)id.len,
			               (const char *)id.data);
			mail_buf_free(&id);
			mail_buf_free(&domain);
			told = true;
		}
	}
	return KNOT_EOK;
}

/*! Return the size of a wire name. */
static int name_size(mail_lf_t lf)
{
	knot_dname_storage_t name;
	return mail_name_from_lf(lf, name) == KNOT_EOK ? (int)knot_dname_size(name) : 0;
}

int mail_change_keys_check(const mail_change_t *change, const mail_plan_t *plan,
                           const mail_keys_of_t *of, mail_diag_t *diag)
{
	mail_lf_storage_t target;
	mail_lf_t base = of->name;
	if (of->alias.len > 0) {
		/* An alias shows the keys of its target. */
		int ret = mail_entry_key(MAIL_SECTION_DOMAIN, of->alias, &target);
		if (ret != KNOT_EOK) {
			return ret;
		}
		base = mail_lf(&target);
	}
	if (plan->no_keys) {
		return no_mail_check(change, of, diag);
	}
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	if ((!of->changed && name_size(of->name) <= name_size(base) && !meets_keys(plan)) ||
	    mail_dkim_walk_domain(&walk, change->base, base) != KNOT_EOK) {
		return KNOT_EOK;
	}
	while (mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK) {
		int ret = dkim.deleted ? KNOT_EOK : key_check(change, plan, of, &walk, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

bool mail_change_hides(const mail_profile_t *profile)
{
	static const mail_item_id_t items[] = { MAIL_ITEM_RECORD, MAIL_ITEM_DELEGATION };
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		const mail_settings_t *settings = &profile->items[items[i]];
		for (size_t j = 0; j < settings->count; j++) {
			const unsigned layer = settings->values[j].layer;
			if (profile->layers[layer].section == MAIL_SECTION_DOMAIN) {
				return true;
			}
		}
	}
	return false;
}
