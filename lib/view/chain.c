/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The neighbours of a name are looked for in each source of names by itself: the nearest candidate that is
 * shown now is offered, and the nearest of all offers is taken.  What is passed over because its time has not
 * come shortens the TTL.
 */
#include "config.h"

#include "view/chain.h"
#include "plan/kinds.h"
#include "dns/nsec.h"

/*! A search for the nearest owner after a name, or before it. */
typedef struct {
	const mail_view_t *view;
	bool back;
	bool children; /*!< There is a stored domain below. */
	bool found;
	bool damaged;              /*!< What the best offer has cannot be read. */
	uint8_t key[MAIL_KEY_MAX]; /*!< The best offer. */
	size_t key_len;
	int64_t until;
} search_t;

static bool in_gap(mail_str_t rel)
{
	return rel.len > MAIL_REPORT_KEY_LEN &&
	       mail_key_in((const uint8_t *)rel.data, rel.len, (const uint8_t *)MAIL_REPORT_KEY,
	                   MAIL_REPORT_KEY_LEN);
}

/*! Says whether an offer would not be nearer than the best one. */
static bool is_worse(const search_t *search, const uint8_t *key, size_t len)
{
	if (!search->found) {
		return false;
	}
	const int diff = mail_key_compare(key, len, search->key, search->key_len);
	return search->back ? diff <= 0 : diff >= 0;
}

static void offer(search_t *search, const uint8_t *key, size_t len, bool damaged)
{
	if (!is_worse(search, key, len)) {
		memcpy(search->key, key, len);
		search->key_len = len;
		search->found = true;
		search->damaged = damaged;
	}
}

/*! The key of a relative one. \return Its length, 0: too long to be one. */
static size_t full_key(const mail_view_t *view, const uint8_t *rel, size_t len, uint8_t *key)
{
	memcpy(key, view->key, view->key_len);
	if (len == 0) {
		return view->key_len;
	}
	if (view->key_len + 1 + len > MAIL_KEY_MAX) {
		return 0;
	}
	key[view->key_len] = 0;
	memcpy(key + view->key_len + 1, rel, len);
	return view->key_len + 1 + len;
}

static void step_note(search_t *search, int64_t step)
{
	mail_until_min(&search->until, step, search->view->now);
}

/*! Notes when what stands at a node changes. */
static void node_steps(search_t *search, const mail_node_t *node)
{
	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0; node->owner[i] != NULL && j < node->owner[i]->count; j++) {
			if (!mail_row_hidden(node, &node->owner[i]->rows[j])) {
				step_note(search, node->owner[i]->rows[j].from);
				step_note(search, node->owner[i]->rows[j].until);
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

/*! The same of the name itself that a link is for. */
static int name_steps(search_t *search, const uint8_t *key, size_t len)
{
	mail_node_t node;
	int ret = mail_view_node(search->view, key, len, &node);
	if (ret == KNOT_EOK) {
		node_steps(search, &node);
	}
	return ret;
}

/*! Finds a delegation or a DNAME of the domain above a name: length of its key, or 0. */
static int cut_above(const mail_view_t *view, const uint8_t *key, size_t len, size_t *cut)
{
	*cut = 0;
	if (!view->plan->cuts) {
		return KNOT_EOK;
	}
	for (size_t at = mail_key_parent(key, len); at > view->key_len && *cut == 0;
	     at = mail_key_parent(key, at)) {
		mail_node_t node;
		int ret = mail_view_node(view, key, at, &node);
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (mail_node_has(view, &node, KNOT_RRTYPE_NS) ||
		    mail_node_has(view, &node, KNOT_RRTYPE_DNAME)) {
			*cut = at;
		}
	}
	return KNOT_EOK;
}

/*! Offers a name if it is an owner of the chain. */
static int key_try(search_t *search, const uint8_t *key, size_t len, bool *taken)
{
	const mail_view_t *view = search->view;
	bool damaged = false;
	*taken = len == view->key_len;
	if (!*taken && !in_gap(mail_view_relative(view, key, len))) {
		int child = search->children ? mail_view_child(view, key, len) : 0;
		bool below = child > 0 && (size_t)child < len;
		int ret = child < 0 ? child : KNOT_EOK;
		if (ret == KNOT_EOK && !below) {
			size_t cut;
			ret = cut_above(view, key, len, &cut);
			below = cut > 0;
		}
		*taken = !below && child > 0 && (size_t)child == len;
		if (ret == KNOT_EOK && !below && !*taken) {
			mail_node_t node;
			ret = mail_view_node(view, key, len, &node);
			if (ret == KNOT_EOK) {
				node_steps(search, &node);
				*taken = node.exists;
			} else if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
				/* A key that cannot be read is there; questions for it fail by themselves. */
				*taken = damaged = true;
				ret = KNOT_EOK;
			}
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (*taken) {
		offer(search, key, len, damaged);
	}
	return KNOT_EOK;
}

/*! The owners of a plan. */
static int owners_search(search_t *search, const mail_owners_t *owners, bool absolute,
                         const uint8_t *key, size_t len)
{
	const mail_view_t *view = search->view;
	const mail_str_t rel = mail_view_relative(view, key, len);
	size_t at = 0;
	const bool there = mail_owners_find(owners, absolute ? key : (const uint8_t *)rel.data,
	                                    absolute ? len : rel.len, &at) != NULL;
	if (!search->back && there) {
		at++;
	}
	bool taken = false;
	while (!taken && (search->back ? at > 0 : at < owners->count)) {
		const mail_owner_t *owner = &owners->owners[search->back ? --at : at++];
		uint8_t full[MAIL_KEY_MAX];
		size_t full_len = owner->key_len;
		if (absolute) {
			memcpy(full, owner->key, full_len);
		} else {
			full_len = full_key(view, owner->key, owner->key_len, full);
		}
		if (full_len == 0) {
			continue;
		}
		if (!mail_key_in(full, full_len, view->key, view->key_len) ||
		    is_worse(search, full, full_len)) {
			return KNOT_EOK;
		}
		int ret = key_try(search, full, full_len, &taken);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*!
 * Where a search among the domain's own DKIM keys begins.
 *
 * \return Length of the key, 0: none of them is on that side.
 */
static size_t own_keys_start(const search_t *search, const uint8_t *key, size_t len, uint8_t *start)
{
	static const uint8_t top[] = MAIL_DOMAINKEY_KEY;
	const size_t top_len = MAIL_DOMAINKEY_KEY_LEN;
	const mail_str_t rel = mail_view_relative(search->view, key, len);
	const uint8_t *rel_key = (const uint8_t *)rel.data;
	if (mail_key_in(rel_key, rel.len, top, top_len)) {
		return mail_view_own_key(search->view, rel, start);
	}
	const bool after = mail_key_compare(rel_key, rel.len, top, top_len) > 0;
	if (after != search->back) {
		return 0;
	}
	size_t start_len = mail_view_own_key(search->view,
	                                     (mail_str_t){ MAIL_DOMAINKEY_KEY, top_len }, start);
	if (after && start_len > 0 && start_len < MAIL_KEY_MAX) {
		/* 01 begins nothing that follows a whole key: it stands behind all names below. */
		start[start_len++] = 1;
	}
	return start_len;
}

static int own_keys_search(search_t *search, const uint8_t *key, size_t len)
{
	const mail_view_t *view = search->view;
	const mail_source_t *source = view->source;
	uint8_t at[MAIL_KEY_MAX], near[MAIL_KEY_MAX], full[MAIL_KEY_MAX];
	size_t at_len = own_keys_start(search, key, len, at);
	bool taken = false;
	while (at_len > 0 && !taken) {
		mail_dkim_t dkim;
		bool deleted = false;
		int ret = search->back
		                  ? source->dkim_prev(source, at, at_len, near, &dkim, &deleted)
		                  : source->dkim_next(source, at, at_len, false, near, &dkim,
		                                      &deleted);
		if (ret < 0) {
			return ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
		if (!mail_key_in(near, ret, view->keys, view->keys_len)) {
			return KNOT_EOK;
		}
		at_len = ret;
		memcpy(at, near, at_len);
		const uint8_t *rel = at + view->keys_len + 1;
		const size_t rel_len = at_len - view->keys_len - 1;
		if (at_len <= view->keys_len ||
		    !mail_key_in(rel, rel_len, (const uint8_t *)MAIL_DOMAINKEY_KEY,
		                 MAIL_DOMAINKEY_KEY_LEN)) {
			return KNOT_EOK;
		}
		const size_t full_len = full_key(view, rel, rel_len, full);
		if (full_len > 0 && is_worse(search, full, full_len)) {
			return KNOT_EOK;
		}
		ret = deleted || full_len == 0 ? KNOT_EOK : key_try(search, full, full_len, &taken);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*!
 * The topmost stored domains below: a contiguous range of keys.  Those below a delegation or a DNAME are the
 * business of others, and passed together.
 */
static int children_search(search_t *search, const uint8_t *key, size_t len)
{
	const mail_view_t *view = search->view;
	const mail_source_t *source = view->source;
	uint8_t at[MAIL_KEY_MAX + 1], near[MAIL_KEY_MAX];
	mail_domain_t domain;
	memcpy(at, key, len);
	int child = search->back ? 0 : mail_view_child(view, key, len);
	if (child < 0) {
		return child;
	}
	size_t passed = child;
	while (true) {
		if (passed > 0) {
			len = passed;
			if (!search->back) {
				at[len++] = 1; /* Behind all that lies below it. */
			}
		}
		int ret = search->back
		                  ? source->domain_prev(source, at, len, near, &domain)
		                  : source->domain_next(source, at, len, passed > 0, near, &domain);
		if (ret == KNOT_ELIMIT &&
		    !mail_key_in(near, domain.passed, view->key, view->key_len)) {
			return KNOT_EOK; /* What was deleted there is not below the domain. */
		}
		if (ret < 0) {
			return ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
		if ((size_t)ret <= view->key_len ||
		    !mail_key_in(near, ret, view->key, view->key_len)) {
			return KNOT_EOK;
		}
		child = mail_view_child(view, near, ret);
		ret = child > 0 ? cut_above(view, near, child, &passed) : child;
		if (ret != KNOT_EOK || child == 0) {
			return ret;
		}
		if (passed == 0) {
			bool taken;
			return key_try(search, near, child, &taken);
		}
		memcpy(at, near, passed);
	}
}

/*! Says whether the gap is there; children: there are stored domains below. */
static int gap_find(const mail_view_t *view, bool children, bool *has)
{
	uint8_t end[MAIL_KEY_MAX];
	const size_t end_len = full_key(view, (const uint8_t *)MAIL_GAP_FIRST_KEY,
	                                MAIL_GAP_FIRST_KEY_LEN, end);
	*has = end_len > 0 && mail_view_has_reports(view);
	if (!*has) {
		return KNOT_EOK;
	}
	size_t cut;
	int ret = cut_above(view, end, end_len, &cut);
	const int child = ret == KNOT_EOK && children ? mail_view_child(view, end, end_len) : 0;
	*has = cut == 0 && child == 0;
	return child < 0 ? child : ret;
}

int mail_chain_has_gap(const mail_view_t *view, bool *has)
{
	return gap_find(view, true, has);
}

bool mail_chain_is_gap(const mail_view_t *view, const uint8_t *key, size_t len)
{
	const mail_str_t rel = mail_view_relative(view, key, len);
	return mail_str_equal(rel, (mail_str_t){ MAIL_GAP_FIRST_KEY, MAIL_GAP_FIRST_KEY_LEN }) ||
	       mail_str_equal(rel, (mail_str_t){ MAIL_GAP_LAST_KEY, MAIL_GAP_LAST_KEY_LEN });
}

/*! The gap below _report._dmarc: its first name is before, its last one after nothing of it. */
static int gap_search(search_t *search, const uint8_t *key, size_t len)
{
	uint8_t end[MAIL_KEY_MAX];
	const size_t end_len = search->back
	                               ? full_key(search->view, (const uint8_t *)MAIL_GAP_LAST_KEY,
	                                          MAIL_GAP_LAST_KEY_LEN, end)
	                               : full_key(search->view, (const uint8_t *)MAIL_GAP_FIRST_KEY,
	                                          MAIL_GAP_FIRST_KEY_LEN, end);
	const int diff = mail_key_compare(end, end_len, key, len);
	if (end_len == 0 || (search->back ? diff >= 0 : diff <= 0) ||
	    is_worse(search, end, end_len)) {
		return KNOT_EOK;
	}
	bool has;
	int ret = gap_find(search->view, search->children, &has);
	if (ret == KNOT_EOK && has) {
		offer(search, end, end_len, false);
	}
	return ret;
}

/*! Looks whether there is a stored domain below. */
static int has_children(const mail_view_t *view, bool *children)
{
	uint8_t next[MAIL_KEY_MAX];
	mail_domain_t domain;
	int ret = view->source->domain_next(view->source, view->key, view->key_len, false, next,
	                                    &domain);
	/* Behind more tombstones than are passed there may be one. */
	*children = (ret >= 0 && mail_key_in(next, ret, view->key, view->key_len)) ||
	            (ret == KNOT_ELIMIT &&
	             mail_key_in(next, domain.passed, view->key, view->key_len));
	return ret >= 0 || ret == KNOT_ENOENT || ret == KNOT_ELIMIT ? KNOT_EOK : ret;
}

/*! Finds the nearest owner on one side of a name; the apex is before all, and after the last. */
static int search_run(search_t *search, const uint8_t *key, size_t len)
{
	const mail_view_t *view = search->view;
	search->found = false;
	int ret = owners_search(search, &view->plan->relative, false, key, len);
	if (ret == KNOT_EOK && view->plan->absolute.count > 0) {
		ret = owners_search(search, &view->plan->absolute, true, key, len);
	}
	if (ret == KNOT_EOK) {
		ret = gap_search(search, key, len);
	}
	if (ret == KNOT_EOK) {
		ret = own_keys_search(search, key, len);
	}
	if (ret == KNOT_EOK && search->children) {
		ret = children_search(search, key, len);
	}
	if (ret == KNOT_EOK && !search->found) {
		offer(search, view->key, view->key_len, false);
	}
	return ret;
}

/*! A denial that covers nothing but a name (and, unless it exists, what is below). RFC 4470. */
static int link_minimal(const uint8_t *key, size_t len, bool below, mail_link_t *link)
{
	knot_dname_storage_t name;
	int ret = mail_name_from_key(key, len, name);
	if (ret == KNOT_EOK) {
		ret = mail_nsec_before(name, link->owner);
	}
	if (ret == KNOT_EOK) {
		ret = below ? mail_nsec_first(name, link->next) : mail_nsec_after(name, link->next);
	}
	link->key_len = mail_name_key(link->owner, link->key);
	link->until = INT64_MAX;
	link->fleeting = true;
	return ret;
}

int mail_chain_match(const mail_view_t *view, const uint8_t *key, size_t len, mail_link_t *link)
{
	search_t search = { .view = view, .until = INT64_MAX };
	memmove(link->key, key, len);
	link->key_len = len;
	link->fleeting = in_gap(mail_view_relative(view, key, len));
	int ret = mail_name_from_key(key, len, link->owner);
	if (ret == KNOT_EOK) {
		ret = has_children(view, &search.children);
	}
	bool minimal = link->fleeting;
	if (ret == KNOT_EOK && !minimal) {
		ret = search_run(&search, key, len);
		/* Too many tombstones for a search. */
		minimal = ret == KNOT_ELIMIT;
		ret = minimal ? KNOT_EOK : ret;
	}
	if (ret == KNOT_EOK) {
		ret = name_steps(&search, key, len);
	}
	link->until = search.until;
	if (ret != KNOT_EOK || !minimal) {
		return ret == KNOT_EOK ? mail_name_from_key(search.key, search.key_len, link->next)
		                       : ret;
	}
	ret = mail_nsec_first(link->owner, link->next);
	/* No room for a name below: the next one is beside it. */
	return ret == KNOT_ESPACE ? mail_nsec_after(link->owner, link->next) : ret;
}

int mail_chain_cover(const mail_view_t *view, const uint8_t *key, size_t len, bool below,
                     mail_link_t *link)
{
	if (in_gap(mail_view_relative(view, key, len))) {
		return link_minimal(key, len, below, link);
	}
	search_t search = { .view = view, .back = true, .until = INT64_MAX };
	link->fleeting = false;
	int ret = has_children(view, &search.children);
	if (ret == KNOT_EOK) {
		ret = name_steps(&search, key, len);
	}
	if (ret == KNOT_EOK) {
		ret = search_run(&search, key, len);
	}
	if (ret == KNOT_EOK && search.damaged) {
		ret = KNOT_ELIMIT; /* Nobody knows what types it has. */
	}
	if (ret == KNOT_EOK) {
		memcpy(link->key, search.key, search.key_len);
		link->key_len = search.key_len;
		ret = mail_name_from_key(link->key, link->key_len, link->owner);
	}
	if (ret == KNOT_EOK) {
		search.back = false;
		ret = search_run(&search, key, len);
	}
	if (ret == KNOT_ELIMIT) {
		/* Too many tombstones for a search, or nothing that can be said of the owner. */
		ret = link_minimal(key, len, below, link);
		link->until = search.until;
		return ret;
	}
	link->until = search.until;
	return ret == KNOT_EOK ? mail_name_from_key(search.key, search.key_len, link->next) : ret;
}
