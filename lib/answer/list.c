/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All records of a domain, as an export writes them and `records` prints them.  The names are gathered from
 * every source that the view knows, sorted, and each is looked up as a question would be: so a list shows what
 * is answered.
 */
#include "config.h"

#include <stdlib.h>

#include "plan/kinds.h"
#include "answer/list_names.h"
#include "view/sign.h"

static int each(list_t *list, const knot_rrset_t *rrset, const mail_kind_t *kind, int64_t until)
{
	const mail_listed_t listed = { rrset, kind, until };
	int ret = list->listing->each(&listed, list->listing->ctx);
	list->ended = ret != KNOT_EOK;
	return ret;
}

/*! Hand out the RRSIGs of an RRset. */
static int rrsigs_out(list_t *list, const knot_rrset_t *rrset, uint32_t ttl)
{
	knot_rrset_t rrsigs;
	const mail_signing_t signing = { rrset, rrset->owner, ttl,
		                         MAIL_SIGN_FLEETING | MAIL_SIGN_UNBOUNDED };
	int ret = mail_view_sign(&list->view, list->listing->signer, &signing, NULL, &rrsigs);
	if (ret == KNOT_EOK) {
		ret = each(list, &rrsigs, NULL, INT64_MAX);
	}
	knot_rdataset_clear(&rrsigs.rrs, NULL);
	return ret;
}

/*! Hand out an RRset; authoritative ones of a signed domain with their RRSIGs. */
static int rrset_out(list_t *list, const knot_rrset_t *rrset, uint16_t kind, int64_t until,
                     uint32_t ttl)
{
	int ret = each(list, rrset, &mail_kinds[kind], until);
	return ret == KNOT_EOK && list->signs ? rrsigs_out(list, rrset, ttl) : ret;
}

/*! Hand out one RRset of a node. */
static int rrset_list(list_t *list, mail_view_t *view, const mail_node_t *node, uint16_t type,
                      const knot_dname_t *owner, bool authoritative)
{
	knot_rrset_t rrset;
	uint16_t kind = MAIL_KIND_COUNT;
	int64_t until = INT64_MAX;
	knot_rrset_init_empty(&rrset);
	int ret = mail_view_rrset(view, node, type, owner, NULL, &rrset, &kind, &until);
	if (ret == KNOT_EOK) {
		if (view != &list->view) {
			kind = MAIL_KIND_CHILD;
		}
		ret = authoritative ? rrset_out(list, &rrset, kind, until, view->ttl)
		                    : each(list, &rrset, &mail_kinds[kind], until);
	} else if (ret == KNOT_ENOENT) {
		ret = KNOT_EOK;
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
	return ret;
}

/*! Open a stored domain below. \return KNOT_ENOENT: its name servers are not known, which was said. */
static int child_open(list_t *list, const knot_dname_t *owner, mail_lf_t lf, mail_view_t *child)
{
	int ret = mail_view_open(child, owner, lf);
	const char *why = NULL;
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	if (ret != KNOT_EOK) {
		why = knot_strerror(ret);
	} else if (child->plan->error != KNOT_EOK) {
		why = child->plan->reason;
	} else if (!child->hosted) {
		why = "its policy has no ns";
	} else {
		return KNOT_EOK;
	}
	/* The parent is sound. Its zone lacks the delegation, and all else is right. */
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, owner, sizeof(name));
	mail_diag_warn(list->listing->diag,
	               "%s is a stored domain, but its name servers are not known: %s", name, why);
	return KNOT_ENOENT;
}

/*! DS of a stored domain below. */
static int child_ds_list(list_t *list, const knot_dname_t *owner, mail_lf_t lf)
{
	mail_ds_t ds;
	int ret = mail_view_child_ds(&list->view, owner, lf, NULL, &ds);
	if (ret == KNOT_EOK) {
		ret = rrset_out(list, &ds.rrset, MAIL_KIND_CHILD, ds.until, ds.ttl);
	}
	knot_rdataset_clear(&ds.rrset.rrs, NULL);
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

/*! List the addresses of a name server of a stored domain below, if it lies there: glue. */
static int glue_list(list_t *list, mail_view_t *child, const knot_dname_t *target)
{
	mail_lf_storage_t lf;
	mail_node_t node;
	mail_name_lf(target, &lf);
	if (!mail_lf_in(mail_lf(&lf), mail_lf(&child->lf))) {
		return KNOT_EOK;
	}
	int ret = mail_view_node(child, mail_lf(&lf), &node);
	if (ret == KNOT_EOK) {
		ret = rrset_list(list, child, &node, KNOT_RRTYPE_A, target, false);
	}
	if (ret == KNOT_EOK) {
		ret = rrset_list(list, child, &node, KNOT_RRTYPE_AAAA, target, false);
	}
	return ret;
}

/*! List what the parent has of a stored domain below: its name servers, its DS, glue. */
static int child_list(list_t *list, const knot_dname_t *owner, mail_lf_t lf)
{
	mail_view_t child = list->view;
	mail_node_t apex;
	knot_rrset_t ns;
	uint16_t kind;
	knot_rrset_init_empty(&ns);
	int ret = child_open(list, owner, lf, &child);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	ret = mail_view_node(&child, lf, &apex);
	if (ret == KNOT_EOK) {
		ret = rrset_list(list, &child, &apex, KNOT_RRTYPE_NS, owner, false);
	}
	if (ret == KNOT_EOK) {
		ret = child_ds_list(list, owner, lf);
	}
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&child, &apex, KNOT_RRTYPE_NS, owner, NULL, &ns, &kind, NULL);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	knot_rdata_t *rdata = ns.rrs.rdata;
	for (uint16_t i = 0; i < ns.rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		ret = glue_list(list, &child, knot_ns_name(rdata));
		if (ret != KNOT_EOK) {
			break;
		}
	}
	knot_rdataset_clear(&ns.rrs, NULL);
	return ret;
}

/*! Return whether a type is shown at a place: at and below a cut there are NS, DS and glue. */
static bool type_is_shown(const mail_place_t *place, uint16_t type)
{
	return place->where != MAIL_CUT || type == KNOT_RRTYPE_A || type == KNOT_RRTYPE_AAAA ||
	       (place->at_cut && (type == KNOT_RRTYPE_NS || type == KNOT_RRTYPE_DS));
}

/*! Look a name up as a question would. */
static int name_place(list_t *list, mail_lf_t name, mail_place_t *place)
{
	mail_view_t *view = &list->view;
	/* A zone has cuts of its own. */
	int ret = mail_view_place(view, name, !view->zone, place);
	if (ret == KNOT_EOK && place->where == MAIL_CUT && !place->node.child) {
		/* Below a delegation there is glue. */
		ret = mail_view_node(view, name, &place->node);
	}
	return ret;
}

/*! List the records of a name, if it is one of the domain's or a cut. */
static int name_list(list_t *list, mail_lf_t name)
{
	mail_view_t *view = &list->view;
	mail_place_t place;
	knot_dname_storage_t owner;
	int ret = mail_name_from_lf(name, owner);
	if (ret == KNOT_EOK) {
		ret = name_place(list, name, &place);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool cut = place.where == MAIL_CUT;
	if (cut && place.node.child) {
		return place.at_cut ? child_list(list, owner, name) : KNOT_EOK;
	}
	if (!cut && place.where != MAIL_FOUND) {
		return KNOT_EOK;
	}
	/* An apex begins with its SOA, as zone files do. */
	const bool apex = name.len == view->lf.len;
	if (apex && !view->zone) {
		ret = rrset_list(list, view, &place.node, KNOT_RRTYPE_SOA, owner, true);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	uint16_t type = mail_node_type(view, &place.node, 0);
	for (; type != 0; type = mail_node_type(view, &place.node, type)) {
		if ((apex && type == KNOT_RRTYPE_SOA) || !type_is_shown(&place, type)) {
			continue;
		}
		ret = rrset_list(list, view, &place.node, type, owner,
		                 !cut || type == KNOT_RRTYPE_DS);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Find out whether a name has an NSEC: it has records of the domain's, or is a cut; or an end of the gap. */
static int name_owns(list_t *list, listed_name_t *name)
{
	mail_place_t place;
	int ret = name_place(list, name->lf, &place);
	if (ret != KNOT_EOK) {
		return ret;
	}
	switch (place.where) {
	case MAIL_FOUND: name->owner = mail_node_type(&list->view, &place.node, 0) != 0; break;
	case MAIL_CUT: name->owner = place.at_cut; break;
	case MAIL_DNAME: name->owner = false; break;
	default: name->owner = mail_chain_is_gap(&list->view, name->lf); break;
	}
	return KNOT_EOK;
}

/*! Hand out the NSEC of the index-th name. Next is the next in the list: a file's chain is closed. */
static int nsec_list(list_t *list, size_t index)
{
	const listed_name_t *name = &list->names[index], *next = &list->names[0];
	for (size_t i = index + 1; i < list->count; i++) {
		if (list->names[i].owner) {
			next = &list->names[i];
			break;
		}
	}
	mail_link_t link;
	knot_rrset_t rrset;
	uint32_t ttl;
	int ret = mail_chain_match(&list->view, name->lf, &link);
	if (ret == KNOT_EOK) {
		ret = mail_name_from_lf(next->lf, link.next);
	}
	if (ret == KNOT_EOK) {
		ret = mail_view_nsec(&list->view, &link, NULL, &rrset, &ttl);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = each(list, &rrset, NULL, link.until);
	if (ret == KNOT_EOK) {
		ret = rrsigs_out(list, &rrset, ttl);
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
	return ret;
}

static int domain_list(list_t *list)
{
	list->signs = list->listing->signer != NULL && mail_view_signed(&list->view);
	const mail_dnskey_t *missing;
	if (list->signs && !mail_view_signable(&list->view, list->listing->signer, &missing)) {
		list->ended = true;
		if (missing == NULL) {
			return mail_diag_error(list->listing->diag, 0,
			                       "its key set has keys, but none that signs its "
			                       "records now");
		}
		return mail_diag_error(list->listing->diag, 0,
		                       "the private key %u of its key set is not there",
		                       missing->tag);
	}
	int ret = mail_list_names(list);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < list->count && list->signs; i++) {
		ret = name_owns(list, &list->names[i]);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	for (size_t i = 0; i < list->count; i++) {
		ret = name_list(list, list->names[i].lf);
		if (ret == KNOT_EOK && list->names[i].owner) {
			ret = nsec_list(list, i);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_answer_list(const mail_listing_t *listing, mail_str_t domain)
{
	mail_lf_storage_t lf;
	knot_dname_storage_t apex;
	list_t list = { .listing = listing };
	if (mail_entry_key(MAIL_SECTION_DOMAIN, domain, &lf) != KNOT_EOK ||
	    mail_name_from_lf(mail_lf(&lf), apex) != KNOT_EOK) {
		return mail_diag_error(listing->diag, 0, "%.*s is no domain name", (int)domain.len,
		                       domain.data);
	}
	list.view.source = listing->source;
	list.view.now = listing->now;
	list.view.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	if (list.view.cache == NULL) {
		return KNOT_ENOMEM;
	}
	mail_cache_hold(list.view.cache);
	bool broken = false;
	int ret = listing->zone != NULL
	                  ? mail_view_open_zone(&list.view, apex, listing->zone->policy)
	                  : mail_view_open(&list.view, apex, mail_lf(&lf));
	if (ret == KNOT_EOK && list.view.lf.len != lf.len) {
		ret = KNOT_ENOENT;
	}
	if (ret == KNOT_ENOENT) {
		(void)mail_diag_error(listing->diag, 0, "no domain %.*s", (int)domain.len,
		                      domain.data);
	} else if (ret == KNOT_EOK && list.view.plan->error != KNOT_EOK) {
		ret = list.view.plan->error;
		(void)mail_diag_error(listing->diag, 0, "domain %.*s: %s", (int)domain.len,
		                      domain.data, list.view.plan->reason);
	} else if (ret == KNOT_EOK) {
		ret = domain_list(&list);
		broken = ret != KNOT_EOK && !list.ended;
	} else {
		broken = true;
	}
	if (broken) {
		(void)mail_diag_error(listing->diag, 0, "domain %.*s: an entry cannot be read (%s)",
		                      (int)domain.len, domain.data, knot_strerror(ret));
	}
	mail_list_free(&list);
	mail_cache_free(list.view.cache);
	return ret;
}
