/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "change/lookup.h"

/*! Open the view of the domain at hand. */
static int own_open(const mail_lookup_t *lookup, mail_view_t *view)
{
	mail_view_of_plan(view, lookup->plan);
	view->apex = lookup->apex;
	view->lf = lookup->lf;
	view->text_len = 0;
	view->zone = false;
	view->own.len = 0;
	if (lookup->policy || lookup->plan->no_keys) {
		return KNOT_EOK;
	}
	if (lookup->alias.len > 0) {
		return mail_entry_key(MAIL_SECTION_DOMAIN, lookup->alias, &view->own);
	}
	view->own = lookup->lf;
	return KNOT_EOK;
}

/*! Open the view of the domain that answers for a name. \return KNOT_EOK; KNOT_ENOENT: none does. */
static int domain_open(const mail_lookup_t *lookup, const knot_dname_t *name, mail_lf_t lf,
                       mail_looked_t *looked, bool *own)
{
	mail_view_t *view = &looked->view;
	mail_lf_t above = { 0 };
	*view = (mail_view_t){ .source = lookup->source,
		               .cache = lookup->cache,
		               .now = lookup->now };
	int ret = lookup->source->domain_above(lookup->source, lf, &above, &view->domain);
	if (ret != KNOT_EOK && ret != KNOT_ENOENT) {
		return ret;
	}
	*own = mail_lf_in(lf, mail_lf(&lookup->lf)) &&
	       (ret == KNOT_ENOENT || above.len <= lookup->lf.len);
	if (*own) {
		return own_open(lookup, view);
	}
	if (ret == KNOT_EOK) {
		/* What is damaged is told of in its own turn. */
		ret = view->domain.error == KNOT_EOK ? mail_view_fill(view, name, lf, above)
		                                     : KNOT_ENOENT;
	}
	return ret == KNOT_EOK && view->plan->error != KNOT_EOK ? KNOT_ENOENT : ret;
}

static bool node_has(const mail_looked_t *looked, uint16_t type)
{
	return mail_node_has(&looked->view, &looked->place.node, type);
}

static bool is_wanted(const mail_looked_t *looked, mail_want_t want)
{
	const bool address = node_has(looked, KNOT_RRTYPE_A) || node_has(looked, KNOT_RRTYPE_AAAA);
	switch (want) {
	case MAIL_WANT_ADDRESS: return address;
	case MAIL_WANT_TXT: return node_has(looked, KNOT_RRTYPE_TXT);
	case MAIL_WANT_MX: return node_has(looked, KNOT_RRTYPE_MX);
	case MAIL_WANT_MAIL: return address || node_has(looked, KNOT_RRTYPE_MX);
	case MAIL_WANT_NAME: break;
	}
	return true;
}

/*! Read the name that a CNAME or DNAME of the place holds. */
static int target_read(mail_looked_t *looked, uint16_t type, knot_dname_storage_t target)
{
	knot_rrset_t rrset;
	knot_dname_storage_t owner;
	uint16_t kind;
	int ret = mail_name_from_lf(mail_lf(&looked->place.lf), owner);
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&looked->view, &looked->place.node, type, owner, NULL, &rrset,
		                      &kind, NULL);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_lookup_copy(target, rrset.rrs.rdata->data);
	knot_rdataset_clear(&rrset.rrs, NULL);
	return KNOT_EOK;
}

/*! Move a name below a DNAME to where that leads (RFC 6672 2.2). */
static int dname_follow(mail_looked_t *looked)
{
	knot_dname_storage_t target, moved;
	int ret = target_read(looked, KNOT_RRTYPE_DNAME, target);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const size_t keep = knot_dname_labels(looked->name, NULL) -
	                    mail_lf_labels(mail_lf(&looked->place.lf));
	const size_t head = knot_dname_prefixlen(looked->name, keep, NULL);
	if (head + knot_dname_size(target) > KNOT_DNAME_MAXLEN) {
		return KNOT_ESPACE;
	}
	memcpy(moved, looked->name, head);
	mail_lookup_copy(moved + head, target);
	mail_lookup_copy(looked->name, moved);
	return KNOT_EOK;
}

/*!
 * \brief Look at the name that the chain has come to.
 *
 * \return KNOT_EOK: it has ended; KNOT_EAGAIN: looked->name is another one now.
 */
static int link_look(const mail_lookup_t *lookup, mail_want_t want, mail_looked_t *looked)
{
	mail_lf_storage_t storage;
	bool own = false;
	mail_name_lf(looked->name, &storage);
	const mail_lf_t lf = mail_lf(&storage);
	int ret = domain_open(lookup, looked->name, lf, looked, &own);
	looked->domain.len = 0;
	looked->code = MAIL_LOOKUP_ELSEWHERE;
	if (ret == KNOT_ENOENT) {
		return KNOT_EOK;
	}
	if (ret == KNOT_EOK) {
		looked->domain = looked->view.lf;
		ret = mail_view_place(&looked->view, lf, false, &looked->place);
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOMEM ? ret : KNOT_EOK;
	}

	switch (looked->place.where) {
	case MAIL_CUT: return KNOT_EOK; /* Other servers know. */
	case MAIL_DNAME: ret = dname_follow(looked); return ret == KNOT_EOK ? KNOT_EAGAIN : ret;
	case MAIL_NOTHING: looked->code = MAIL_LOOKUP_NO_NAME; break;
	case MAIL_FOUND:
	case MAIL_WILDCARD:
		if (node_has(looked, KNOT_RRTYPE_CNAME)) {
			ret = target_read(looked, KNOT_RRTYPE_CNAME, looked->name);
			return ret == KNOT_EOK ? KNOT_EAGAIN : ret;
		}
		looked->code = is_wanted(looked, want) ? MAIL_LOOKUP_FOUND : MAIL_LOOKUP_NO_DATA;
		break;
	}
	/* What comes by itself, as a key that is published tomorrow, is as good as there. */
	if (looked->code != MAIL_LOOKUP_FOUND && looked->place.until < INT64_MAX) {
		looked->code = MAIL_LOOKUP_ELSEWHERE;
	}
	return KNOT_EOK;
}

int mail_lookup(const mail_lookup_t *lookup, const knot_dname_t *name, mail_want_t want,
                mail_looked_t *looked)
{
	looked->alias = false;
	mail_lookup_copy(looked->name, name);
	for (unsigned i = 0; i < MAIL_LOOKUP_CHAIN; i++) {
		int ret = link_look(lookup, want, looked);
		if (ret != KNOT_EAGAIN) {
			return ret == KNOT_ENOMEM ? ret : KNOT_EOK;
		}
		looked->alias |= i == 0;
	}
	looked->code = MAIL_LOOKUP_LOOP;
	return KNOT_EOK;
}
