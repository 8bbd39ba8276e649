/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a domain hides from the stored domain above it: that one has records, but who asks for them is answered by the
 * new domain.  The domain above need not be part of the change, and so nothing is refused.
 */
#include "config.h"

#include "change/internal.h"
#include "mail/dkim_id.h"
#include "mail/kind.h"

/*! Make the plan of the domain above, unless it is the one that was asked for last. */
static int above_plan(mail_change_t *change, mail_lf_t above, mail_str_t id)
{
	if (change->above_plan != NULL && mail_lf_equal(mail_lf(&change->above), above)) {
		return KNOT_EOK;
	}
	mail_profile_t *profile = NULL;
	mail_plan_free(change->above_plan);
	change->above_plan = NULL;
	int ret = mail_profile_of_domain(&change->source, id, &profile, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, false, &change->above_plan, NULL);
	}
	mail_profile_free(profile);
	mail_lf_copy(above, &change->above);
	return ret;
}

/*! Return whether the domain above has a DKIM key at or below a name. */
static bool has_keys(const mail_change_t *change, mail_lf_t above, mail_lf_t name)
{
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	if (!mail_lf_in(mail_lf_relative(name, above), MAIL_DOMAINKEY) ||
	    mail_dkim_walk_domain(&walk, change->base, above) != KNOT_EOK) {
		return false;
	}
	while (mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK) {
		if (!dkim.deleted && mail_lf_in(mail_lf(&walk.key), name)) {
			return true;
		}
	}
	return false;
}

int mail_change_above_check(mail_change_t *change, mail_lf_t name, mail_diag_t *diag)
{
	mail_lf_t above;
	mail_domain_t domain;
	mail_buf_t id = { 0 }, own = { 0 }, where = { 0 };
	const mail_lf_t parent = mail_lf_parent(name);
	if (parent.len == 0 ||
	    change->base->domain_above(change->base, parent, &above, &domain) != KNOT_EOK ||
	    domain.error != KNOT_EOK) {
		return KNOT_EOK;
	}
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, above, &id);
	if (ret == KNOT_EOK) {
		ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &own);
	}
	/* A domain with items of its own that is written now looks below itself (plan/hidden.c). */
	if (ret == KNOT_EOK && (domain.plain || mail_change_find(change, MAIL_SECTION_DOMAIN,
	                                                         mail_buf_view(&id)) == NULL)) {
		ret = above_plan(change, above, mail_buf_view(&id));
	} else {
		goto done;
	}
	if (ret != KNOT_EOK) {
		ret = ret == KNOT_ENOMEM ? ret : KNOT_EOK; /* It was bad before. */
		goto done;
	}
	const mail_owner_t *owner = mail_owners_below(&change->above_plan->relative,
	                                              mail_lf_relative(name, above));
	knot_dname_storage_t wire;
	if (owner != NULL && owner->count > 0 && mail_name_from_lf(owner->name, wire) == KNOT_EOK &&
	    mail_name_print(wire, &where) == KNOT_EOK) {
		mail_diag_warn(diag, "domain %.*s: it hides what %.*s has there: %s at %.*s",
		               (int)own.len, (const char *)own.data, (int)id.len,
		               (const char *)id.data, mail_kinds[owner->rows[0].kind].name,
		               (int)where.len, (const char *)where.data);
	}
	if (has_keys(change, above, name)) {
		mail_diag_warn(diag, "domain %.*s: it hides the DKIM keys that %.*s has there",
		               (int)own.len, (const char *)own.data, (int)id.len,
		               (const char *)id.data);
	}
done:
	mail_buf_free(&id);
	mail_buf_free(&own);
	mail_buf_free(&where);
	return ret;
}
