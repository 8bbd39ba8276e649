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

/*! Return whether some record of a plan could meet a DKIM key. */
static bool meets_keys(const mail_plan_t *plan)
{
	size_t at = 0;
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

/*!
 * \brief Check one key.
 *
 * \param key   Its key in the store.
 * \param base  The domain that has it.
 * \param grow  Octets by which the name of the domain that shows it is longer.
 */
static int key_check(const mail_plan_t *plan, mail_lf_t key, mail_lf_t base, int grow,
                     mail_diag_t *diag)
{
	knot_dname_storage_t name;
	if (mail_name_from_lf(key, name) != KNOT_EOK) {
		return KNOT_EOK; /* Whatever it is, nobody can ask for it. */
	}
	if ((int)knot_dname_size(name) + grow > KNOT_DNAME_MAXLEN) {
		return refuse("the name of ", key, "would grow past 255 octets", diag);
	}
	const mail_owner_t *owner = mail_owners_find(&plan->relative, mail_lf_relative(key, base),
	                                             NULL);
	for (size_t i = 0; owner != NULL && i < owner->count; i++) {
		if (!is_key_kind(&owner->rows[i])) {
			char what[64];
			(void)snprintf(what, sizeof(what), "a %s and ",
			               mail_kinds[owner->rows[i].kind].name);
			return refuse(what, key, "have the same owner", diag);
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

int mail_change_keys_check(mail_change_t *change, const mail_plan_t *plan, mail_lf_t name,
                           mail_str_t alias, mail_diag_t *diag)
{
	mail_lf_storage_t target;
	mail_lf_t base = name;
	if (alias.len > 0) {
		/* An alias shows the keys of its target. */
		int ret = mail_entry_key(MAIL_SECTION_DOMAIN, alias, &target);
		if (ret != KNOT_EOK) {
			return ret;
		}
		base = mail_lf(&target);
	}
	const int grow = name_size(name) - name_size(base);
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	if (plan->no_keys || (grow <= 0 && !meets_keys(plan)) ||
	    mail_dkim_walk_domain(&walk, change->base, base) != KNOT_EOK) {
		return KNOT_EOK;
	}
	while (mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK) {
		int ret = dkim.deleted ? KNOT_EOK
		                       : key_check(plan, mail_lf(&walk.key), base, grow, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
