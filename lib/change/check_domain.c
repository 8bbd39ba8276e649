/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What depends on the name of a domain and on its neighbours, and so cannot be checked when its plan is made: room for
 * names, and name servers and hosts with absolute names.
 */
#include "config.h"

#include "change/internal.h"
#include "plan/build.h"

static bool owner_has_address(const mail_owner_t *owner)
{
	for (size_t i = 0; owner != NULL && i < owner->count; i++) {
		if (owner->rows[i].type == KNOT_RRTYPE_A ||
		    owner->rows[i].type == KNOT_RRTYPE_AAAA) {
			return true;
		}
	}
	return false;
}

/*! Return whether another stored domain below an apex is nearer to a name: then the name is its business. */
static bool is_below_child(const mail_source_t *source, mail_lf_t name, mail_lf_t apex)
{
	mail_domain_t nearest;
	mail_lf_t above;
	return source->domain_above(source, name, &above, &nearest) == KNOT_EOK &&
	       above.len > apex.len;
}

/*!
 * An absolute ns that lies in this domain needs an address there, as a relative one does (plan/check.c); one in a
 * stored domain below is that domain's business.
 */
static int ns_check(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                    mail_diag_t *diag)
{
	const mail_owner_t *top = mail_owners_find(&plan->relative, (mail_lf_t){ 0 }, NULL);
	for (size_t i = 0; top != NULL && i < top->count; i++) {
		const mail_row_t *row = &top->rows[i];
		mail_lf_storage_t storage;
		if (row->type != KNOT_RRTYPE_NS || row->rdata.holes) {
			continue;
		}
		mail_name_lf(row->rdata.ops.data, &storage);
		const mail_lf_t name = mail_lf(&storage);
		if (!mail_lf_in(name, apex) || is_below_child(source, name, apex)) {
			continue;
		}
		if (!owner_has_address(mail_owners_find(&plan->absolute, name, NULL)) &&
		    !owner_has_address(mail_owners_find(&plan->relative,
		                                        mail_lf_relative(name, apex), NULL))) {
			mail_buf_t text = { 0 };
			(void)mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &text);
			int ret = mail_diag_error(
				diag, 0,
				"ns: %.*s. lies in the domain but is no host with an address: make a "
				"host of this name (kmailctl host-set), and name it in the item host",
				(int)text.len, (const char *)text.data);
			mail_buf_free(&text);
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Check hosts with absolute names against the records that the domain itself has there. */
static int absolute_check(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                          mail_diag_t *diag)
{
	for (size_t i = 0; i < plan->absolute.count; i++) {
		const mail_owner_t *owner = &plan->absolute.owners[i];
		if (!mail_lf_in(owner->name, apex) || is_below_child(source, owner->name, apex)) {
			continue;
		}
		const mail_owner_t *other = mail_owners_find(
			&plan->relative, mail_lf_relative(owner->name, apex), NULL);
		const mail_row_t *row = NULL;
		const char *what = NULL;
		if (other != NULL) {
			what = mail_owners_clash(owner, other, owner->name.len == apex.len, &row);
		}
		if (what != NULL) {
			mail_buf_t name = { 0 };
			(void)mail_entry_id_from_key(MAIL_SECTION_DOMAIN, owner->name, &name);
			int ret = mail_diag_error(diag, 0, "%s: %s at %.*s",
			                          mail_kinds[row->kind].name, what, (int)name.len,
			                          (const char *)name.data);
			mail_buf_free(&name);
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_change_ns_missing(mail_str_t policy, mail_diag_t *diag)
{
	return mail_diag_error(diag, 0,
	                       "ns: policy %.*s names no name server, which every domain needs: "
	                       "kmailctl policy-set %.*s ns=NAME",
	                       (int)policy.len, policy.data, (int)policy.len, policy.data);
}

int mail_change_ns_refuse(const mail_profile_t *profile, mail_diag_t *diag)
{
	const mail_layer_t *top = &profile->layers[profile->layer_count - 1];
	if (top->section == MAIL_SECTION_DOMAIN && top->entry != NULL &&
	    mail_entry_member(top->entry, MAIL_ITEM_NS, MAIL_OP_NONE) != NULL) {
		return mail_diag_error(
			diag, 0,
			"ns: none takes away the name servers, which every domain needs: "
			"kmailctl domain-unset %.*s ns",
			(int)top->entry->id.len, top->entry->id.data);
	}
	return mail_change_ns_missing(mail_profile_value(profile, MAIL_ITEM_POLICY), diag);
}

int mail_change_domain_check(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                             mail_diag_t *diag)
{
	knot_dname_storage_t name;
	int ret = mail_name_from_lf(apex, name);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (knot_dname_size(name) > plan->apex_max) {
		return mail_diag_error(diag, 0,
		                       "a record's name would grow past 255 octets: the policy has "
		                       "room for a domain of %zu",
		                       plan->apex_max);
	}
	ret = ns_check(source, plan, apex, diag);
	return ret == KNOT_EOK ? absolute_check(source, plan, apex, diag) : ret;
}
