/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The neighbours of a name in the chain are looked for in each source of names by itself: the nearest name of the
 * source that is an owner now is offered, and the nearest of all offers is taken.
 *
 *     sources     PLAN ABSOLUTE OWN RECORDS GAP KEYS CHILDREN   each in its order, from the name on
 *                   |     |      |    |     |   |      |
 *                   v     v      v    v     v   v      v
 *     no owners   nothing shown now (its time shortens the TTL); in the gap; below a cut, which is passed as a whole
 *                   |     |      |    |     |   |      |
 *                   +-----+------+----+-----+---+------+--> the nearest one; none: the apex
 *
 * Of a domain in which some value cannot be made, or some stored octets cannot be read, nobody knows all names. Then a name
 * is denied for itself (RFC 4470), as where there are more tombstones than a question passes: a minimal link says nothing of
 * other names. That the name does not exist, or which types it has, was found out without what is bad; else the question
 * has failed before.
 */
#include "config.h"

#include "view/chain.h"
#include "plan/kinds.h"
#include "dns/nsec.h"
#include "view/names.h"

/*! A search for the nearest owner after a name, or before it. */
typedef struct {
	const mail_view_t *view;
	bool back;
	bool children; /*!< There is a stored domain below. */
	bool unknown;  /*!< Some names of the domain are not known. */
	bool found;
	bool damaged;           /*!< What the best offer has cannot be read. */
	mail_lf_storage_t best; /*!< The best offer. */
	int64_t until;
} search_t;

/*! Return whether a name below the domain is in the gap, or one of its ends. */
static bool in_gap(const mail_view_t *view, mail_lf_t name)
{
	return mail_lf_below(mail_view_relative(view, name), MAIL_REPORT);
}

bool mail_chain_is_gap(const mail_view_t *view, mail_lf_t name)
{
	const mail_lf_t relative = mail_view_relative(view, name);
	return mail_lf_equal(relative, MAIL_GAP_FIRST) || mail_lf_equal(relative, MAIL_GAP_LAST);
}

/*! Return whether an offer would not be nearer than the best one. */
static bool is_worse(const search_t *search, mail_lf_t name)
{
	if (!search->found) {
		return false;
	}
	const int diff = mail_lf_compare(name, mail_lf(&search->best));
	return search->back ? diff <= 0 : diff >= 0;
}

static void step_note(search_t *search, int64_t step)
{
	mail_until_min(&search->until, step, search->view->now);
}

/*! Note when what stands at a node changes. */
static void node_steps(search_t *search, const mail_node_t *node)
{
	for (unsigned i = 0; i < node->count; i++) {
		const mail_owner_t *owner = node->stands[i].owner;
		for (size_t j = 0; j < owner->count; j++) {
			if (!mail_row_hidden(node, i, &owner->rows[j])) {
				step_note(search,
				          mail_view_row_from(search->view, &owner->rows[j]));
				step_note(search, owner->rows[j].until);
			}
		}
	}
	if (node->own_key) {
		mail_row_t row;
		(void)mail_dkim_state(&node->dkim, search->view->now, &row);
		step_note(search, row.from);
		step_note(search, row.until);
	}
}

/*! Find the nearest delegation or DNAME of the domain above a name. \param cut Out: the first part of it, or empty. */
static int cut_above(const mail_view_t *view, mail_lf_t name, mail_lf_t *cut)
{
	*cut = (mail_lf_t){ 0 };
	if (!view->cuts) {
		return KNOT_EOK;
	}
	for (mail_lf_t at = mail_lf_parent(name); at.len > view->lf.len; at = mail_lf_parent(at)) {
		mail_node_t node;
		int ret = mail_view_node(view, at, &node);
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (mail_node_has(view, &node, KNOT_RRTYPE_NS) ||
		    mail_node_has(view, &node, KNOT_RRTYPE_DNAME)) {
			*cut = at;
			return KNOT_EOK;
		}
	}
	return KNOT_EOK;
}

/*! Return whether stored octets, or a value that was made of them, are no good. */
static bool is_fault(int ret)
{
	return ret == KNOT_EMALF || ret == KNOT_ENOTSUP;
}

/*!
 * \brief Find out whether a name of a source is an owner of the chain.
 *
 * \param owner    Out.
 * \param damaged  Out: what the owner has cannot be read.
 * \param cut      Out: the cut that it lies below, the first part of it; or empty.
 */
static int name_owns(search_t *search, mail_names_t source, mail_lf_t name, bool *owner,
                     bool *damaged, mail_lf_t *cut)
{
	const mail_view_t *view = search->view;
	*cut = (mail_lf_t){ 0 };
	*damaged = false;
	*owner = name.len == view->lf.len;
	/* Names in the gap are denied one by one, whatever they have. */
	if (*owner || in_gap(view, name) != (source == MAIL_NAMES_GAP)) {
		return KNOT_EOK;
	}
	/* What lies below a stored domain, a delegation or a DNAME is the business of others. */
	mail_lf_t child = { 0 };
	int ret = search->children ? mail_view_child(view, name, &child) : KNOT_EOK;
	if (ret == KNOT_EOK && child.len > 0 && child.len < name.len) {
		*cut = child;
		return KNOT_EOK;
	}
	if (ret == KNOT_EOK) {
		ret = cut_above(view, name, cut);
	}
	if (ret != KNOT_EOK || cut->len > 0) {
		return ret;
	}
	if (child.len > 0 || source == MAIL_NAMES_GAP) {
		*owner = true;
		return KNOT_EOK;
	}
	mail_node_t node;
	ret = mail_view_node(view, name, &node);
	if (is_fault(ret)) {
		/* A key that cannot be read is there; questions for it fail by themselves. */
		*owner = *damaged = true;
		return KNOT_EOK;
	}
	node_steps(search, &node);
	*owner = node.exists;
	return ret;
}

/*! Search one source. */
static int source_search(search_t *search, mail_names_t source, mail_lf_t name)
{
	const mail_seek_t seek = search->back ? MAIL_SEEK_BEFORE : MAIL_SEEK_AFTER;
	mail_lf_storage_t at;
	mail_lf_copy(name, &at);
	for (unsigned passed = 1;; passed++) {
		int ret = mail_names_seek(search->view, source, mail_lf(&at), seek, &at);
		if (ret == KNOT_ENOENT || (ret == KNOT_EOK && is_worse(search, mail_lf(&at)))) {
			return KNOT_EOK;
		}
		bool owner, damaged;
		mail_lf_t cut;
		if (ret == KNOT_EOK) {
			ret = name_owns(search, source, mail_lf(&at), &owner, &damaged, &cut);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (owner) {
			mail_lf_copy(mail_lf(&at), &search->best);
			search->found = true;
			search->damaged = damaged;
			return KNOT_EOK;
		}
		if (passed == search->view->source->limit) {
			return KNOT_ELIMIT;
		}
		if (cut.len > 0) {
			/* There may be very many names below a cut: all are passed together. */
			at.len = cut.len;
			if (search->back) {
				mail_lf_ahead(&at);
			} else {
				mail_lf_behind(&at);
			}
		}
	}
}

/*!
 * Find the nearest owner on one side of a name; the apex is before all, and after the last.
 *
 * \return KNOT_EOK; KNOT_ELIMIT: nobody knows; an error of the tree; KNOT_ENOMEM.
 */
static int search_run(search_t *search, mail_lf_t name)
{
	search->found = false;
	if (search->unknown) {
		return KNOT_ELIMIT;
	}
	for (mail_names_t source = 0; source <= MAIL_NAMES_CHILDREN; source++) {
		if (source == MAIL_NAMES_CHILDREN && !search->children) {
			continue;
		}
		int ret = source_search(search, source, name);
		if (ret != KNOT_EOK) {
			return is_fault(ret) ? KNOT_ELIMIT : ret;
		}
	}
	if (!search->found) {
		mail_lf_copy(mail_lf(&search->view->lf), &search->best);
		search->damaged = false;
	}
	return KNOT_EOK;
}

/*! Begin a search: there may be stored domains below, and the name itself changes with time. */
static int search_begin(search_t *search, const mail_view_t *view, mail_lf_t name)
{
	*search = (search_t){ .view = view, .until = INT64_MAX };
	int ret = mail_view_has_children(view, &search->children);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_view_make(view, MAIL_KINDS_ALL);
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	search->unknown = ret != KNOT_EOK;
	mail_node_t node;
	ret = mail_view_node(view, name, &node);
	if (ret == KNOT_EOK) {
		node_steps(search, &node);
	}
	return ret;
}

/*! Make a denial that covers nothing but a name (and, unless it exists, what is below). RFC 4470. */
static int link_minimal(mail_lf_t lf, bool below, mail_link_t *link)
{
	knot_dname_storage_t name;
	link->until = INT64_MAX;
	link->fleeting = true;
	int ret = mail_name_from_lf(lf, name);
	if (ret == KNOT_EOK) {
		ret = mail_nsec_before(name, link->owner);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_name_lf(link->owner, &link->lf);
	return below ? mail_nsec_first(name, link->next) : mail_nsec_after(name, link->next);
}

int mail_chain_match(const mail_view_t *view, mail_lf_t name, mail_link_t *link)
{
	search_t search;
	mail_lf_copy(name, &link->lf);
	link->fleeting = in_gap(view, name);
	int ret = mail_name_from_lf(name, link->owner);
	if (ret == KNOT_EOK) {
		ret = search_begin(&search, view, name);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* Where nobody knows what is next, the link is a minimal one, too. */
	ret = link->fleeting ? KNOT_ELIMIT : search_run(&search, name);
	link->until = search.until;
	if (ret == KNOT_EOK) {
		return mail_name_from_lf(mail_lf(&search.best), link->next);
	}
	if (ret != KNOT_ELIMIT) {
		return ret;
	}
	ret = mail_nsec_first(link->owner, link->next);
	/* No room for a name below: the next one is beside it. */
	return ret == KNOT_ESPACE ? mail_nsec_after(link->owner, link->next) : ret;
}

/*! Find both owners around a name without records. \return KNOT_ELIMIT: nobody knows them. */
static int cover_search(search_t *search, mail_lf_t name, mail_link_t *link)
{
	search->back = true;
	int ret = search_run(search, name);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (search->damaged) {
		return KNOT_ELIMIT; /* Nobody knows what types it has. */
	}
	mail_lf_copy(mail_lf(&search->best), &link->lf);
	ret = mail_name_from_lf(mail_lf(&link->lf), link->owner);
	if (ret != KNOT_EOK) {
		return ret;
	}
	search->back = false;
	ret = search_run(search, name);
	return ret != KNOT_EOK ? ret : mail_name_from_lf(mail_lf(&search->best), link->next);
}

int mail_chain_cover(const mail_view_t *view, mail_lf_t name, bool below, mail_link_t *link)
{
	if (in_gap(view, name)) {
		return link_minimal(name, below, link);
	}
	search_t search;
	link->fleeting = false;
	int ret = search_begin(&search, view, name);
	if (ret == KNOT_EOK) {
		ret = cover_search(&search, name, link);
	}
	if (ret == KNOT_ELIMIT) {
		ret = link_minimal(name, below, link);
	}
	link->until = search.until;
	return ret;
}
