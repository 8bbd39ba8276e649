/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a name leads (RFC 1034 4.3.2, RFC 4592, RFC 8020).
 *
 * A name exists when it has a record or one below it has.  Besides the plan's rows there are three sources
 * of names: the domain's own DKIM keys, the stored domains below it, and the stored domains that may report to
 * it: X._report._dmarc.D is an empty non-terminal when some stored domain lies at or below X.
 *
 * The walk goes down from the domain and stops at the first label that does not exist: what lies below costs
 * nothing, however many labels a question has.
 */
#include "config.h"

#include "plan/cache.h"
#include "plan/kinds.h"
#include "view/view.h"

mail_str_t mail_view_relative(const mail_view_t *view, const uint8_t *key, size_t len)
{
	if (len == view->key_len) {
		return (mail_str_t){ (const char *)key + len, 0 };
	}
	return (mail_str_t){ (const char *)key + view->key_len + 1, len - view->key_len - 1 };
}

static bool str_below(mail_str_t key, const char *top, size_t top_len)
{
	return key.len > top_len &&
	       mail_key_in((const uint8_t *)key.data, key.len, (const uint8_t *)top, top_len);
}

int mail_view_fill(mail_view_t *view, const knot_dname_t *name, const uint8_t *key, size_t len,
                   size_t key_len)
{
	memmove(view->key, key, key_len);
	view->key_len = key_len;
	view->text_len = 0;
	view->zone = false;
	view->apex = name;
	/* Each label above the domain's begins with a 00 in the key; escaped ones do not look like that. */
	for (size_t i = key_len; i < len; i++) {
		if (key[i] == 0) {
			view->apex = mail_name_parent(view->apex);
		}
	}
	if (view->domain.alias.len > 0) {
		int ret = mail_entry_key(MAIL_SECTION_DOMAIN, view->domain.alias, view->keys);
		if (ret < 0) {
			return KNOT_EMALF;
		}
		view->keys_len = ret;
	} else {
		memcpy(view->keys, view->key, key_len);
		view->keys_len = key_len;
	}
	int ret = mail_cache_plan(view->cache, view->source, &view->domain, view->key, key_len,
	                          &view->plan);
	if (ret == KNOT_EOK && view->plan->no_keys) {
		view->keys_len = 0; /* A parked domain's old keys must not sign for it any more. */
	}
	return ret;
}

int mail_view_find(mail_view_t *view, const uint8_t *key, size_t len)
{
	int ret = view->source->domain_above(view->source, key, len, &view->domain);
	return ret >= 0 && view->domain.error != KNOT_EOK ? view->domain.error : ret;
}

int mail_view_open(mail_view_t *view, const knot_dname_t *name, const uint8_t *key, size_t len)
{
	int ret = mail_view_find(view, key, len);
	return ret < 0 ? ret : mail_view_fill(view, name, key, len, ret);
}

int mail_view_open_zone(mail_view_t *view, const knot_dname_t *apex, mail_str_t policy)
{
	uint8_t key[MAIL_KEY_MAX];
	const size_t len = mail_name_key(apex, key);
	int ret = view->source->domain_above(view->source, key, len, &view->domain);
	if (ret < 0 && ret != KNOT_ENOENT) {
		return ret;
	}
	if (ret < 0 || (size_t)ret < len) {
		if (policy.len == 0) {
			return KNOT_ENOENT;
		}
		view->domain = (mail_domain_t){ .policy = policy, .plain = true };
	} else if (view->domain.error != KNOT_EOK) {
		return view->domain.error;
	}
	ret = mail_view_fill(view, apex, key, len, len);
	view->zone = true;
	return ret;
}

bool mail_view_shows(const mail_view_t *view, uint16_t type)
{
	if (!view->zone) {
		return true;
	}
	switch (type) {
	case KNOT_RRTYPE_SOA:
	case KNOT_RRTYPE_NS:
	case KNOT_RRTYPE_DS:
	case KNOT_RRTYPE_DNAME:
	case KNOT_RRTYPE_DNSKEY:
	case KNOT_RRTYPE_CDS:
	case KNOT_RRTYPE_CDNSKEY: return false;
	default: return true;
	}
}

size_t mail_view_own_key(const mail_view_t *view, mail_str_t rel, uint8_t *key)
{
	if (view->keys_len == 0 || view->keys_len + 1 + rel.len > MAIL_KEY_MAX) {
		return 0;
	}
	memcpy(key, view->keys, view->keys_len);
	key[view->keys_len] = 0;
	memcpy(key + view->keys_len + 1, rel.data, rel.len);
	return view->keys_len + 1 + rel.len;
}

static bool kind_is_key(uint16_t kind)
{
	return kind == MAIL_KIND_DKIM || kind == MAIL_KIND_DKIM_CNAME;
}

bool mail_row_hidden(const mail_node_t *node, const mail_row_t *row)
{
	return node->own_key && kind_is_key(row->kind);
}

/*! Takes a shown type into account. */
static void type_note(uint16_t type, uint16_t after, uint32_t *lowest, bool *cname)
{
	*cname |= type == KNOT_RRTYPE_CNAME;
	if (type > after && type < *lowest) {
		*lowest = type;
	}
}

uint16_t mail_node_type(const mail_view_t *view, const mail_node_t *node, uint16_t after)
{
	if (node->steady && !node->child) {
		const mail_owner_t *owner = node->owner[0];
		for (size_t i = 0; i < owner->count; i++) {
			if (owner->rows[i].type > after) {
				return owner->rows[i].type;
			}
		}
		return 0;
	}
	uint32_t lowest = UINT32_MAX;
	bool cname = false;
	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0; node->owner[i] != NULL && j < node->owner[i]->count; j++) {
			const mail_row_t *row = &node->owner[i]->rows[j];
			if (mail_row_live(row, view->now) && !mail_row_hidden(node, row) &&
			    mail_view_shows(view, row->type)) {
				type_note(row->type, after, &lowest, &cname);
			}
		}
	}
	mail_row_t row;
	if (node->own_key && mail_dkim_state(&node->dkim, view->now, &row) == KNOT_EOK) {
		type_note(row.type, after, &lowest, &cname);
	}
	if (node->report) {
		type_note(KNOT_RRTYPE_TXT, after, &lowest, &cname);
	}
	if (node->child) {
		type_note(KNOT_RRTYPE_NS, after, &lowest, &cname);
	}
	if (cname) {
		/* Beside other data, which no writer of ours writes, the CNAME wins. */
		return after < KNOT_RRTYPE_CNAME ? KNOT_RRTYPE_CNAME : 0;
	}
	return lowest != UINT32_MAX ? lowest : 0;
}

int mail_view_reports(const mail_view_t *view, const uint8_t *key, size_t len,
                      const mail_domain_t *domain, bool *reports)
{
	*reports = false;
	if (len == view->key_len && memcmp(key, view->key, len) == 0) {
		return KNOT_EOK; /* A domain's reports to itself need no word (RFC 9990 3). */
	}
	if (memchr(key, 0xff, len) != NULL || memchr(key, 0x01, len) != NULL) {
		/* No host's name: such names belong to the denials of RFC 4470 (view/chain.h). */
		return KNOT_EOK;
	}
	const mail_plan_t *plan = NULL;
	int ret = mail_cache_plan(view->cache, view->source, domain, key, len, &plan);
	for (size_t i = 0; ret == KNOT_EOK && i < plan->report_count && !*reports; i++) {
		mail_pattern_t pattern;
		knot_dname_storage_t name, reporter;
		uint8_t there[MAIL_KEY_MAX];
		if (mail_name_from_key(key, len, reporter) != KNOT_EOK ||
		    mail_pattern_parse(plan->reports[i], &pattern, NULL) != KNOT_EOK ||
		    mail_pattern_name(&pattern, reporter, name) != KNOT_EOK) {
			continue;
		}
		size_t there_len = mail_name_key(name, there);
		*reports = there_len == view->key_len && memcmp(there, view->key, there_len) == 0;
	}
	return ret;
}

/*! Looks for the reporter C of a name C._report._dmarc.D. */
static int report_find(const mail_view_t *view, mail_str_t rel, mail_node_t *node)
{
	const uint8_t *reporter = (const uint8_t *)rel.data + MAIL_REPORT_KEY_LEN + 1;
	const size_t len = rel.len - MAIL_REPORT_KEY_LEN - 1;
	mail_domain_t domain;
	int ret = view->source->domain_above(view->source, reporter, len, &domain);
	if (ret < 0) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	if ((size_t)ret != len) {
		return KNOT_EOK;
	}
	return domain.error == KNOT_EOK
	               ? mail_view_reports(view, reporter, len, &domain, &node->report)
	               : domain.error;
}

int mail_view_node(const mail_view_t *view, const uint8_t *key, size_t len, mail_node_t *node)
{
	const mail_str_t rel = mail_view_relative(view, key, len);
	int ret = KNOT_EOK;
	*node = (mail_node_t){ 0 };
	node->owner[0] = mail_owners_find(&view->plan->relative, (const uint8_t *)rel.data, rel.len,
	                                  NULL);
	if (view->plan->absolute.count > 0) {
		node->owner[1] = mail_owners_find(&view->plan->absolute, key, len, NULL);
	}
	if (str_below(rel, MAIL_DOMAINKEY_KEY, MAIL_DOMAINKEY_KEY_LEN)) {
		uint8_t own[MAIL_KEY_MAX];
		size_t own_len = mail_view_own_key(view, rel, own);
		ret = own_len > 0 ? view->source->dkim_get(view->source, own, own_len, &node->dkim)
		                  : KNOT_ENOENT;
		node->own_key = ret == KNOT_EOK;
		ret = ret == KNOT_ENOENT ? KNOT_EOK : ret;
	} else if (str_below(rel, MAIL_REPORT_KEY, MAIL_REPORT_KEY_LEN)) {
		ret = report_find(view, rel, node);
	}
	node->steady = node->owner[0] != NULL && view->now >= node->owner[0]->steady &&
	               node->owner[1] == NULL && !node->own_key && !node->report && !view->zone;
	node->exists = mail_node_type(view, node, 0) != 0;
	return ret;
}

/*! Says whether the domain has a key of its own at an owner of policy's keys. */
static bool own_key_hides(const mail_view_t *view, const mail_owner_t *owner)
{
	uint8_t key[MAIL_KEY_MAX];
	mail_dkim_t dkim;
	size_t len = mail_view_own_key(
		view, (mail_str_t){ (const char *)owner->key, owner->key_len }, key);
	return len > 0 && view->source->dkim_get(view->source, key, len, &dkim) == KNOT_EOK;
}

/*! Looks for a shown row among the owners below a name, and when the next one appears. */
static bool rows_below(const mail_view_t *view, const mail_owners_t *owners, const uint8_t *key,
                       size_t len, int64_t *until)
{
	size_t at = 0;
	(void)mail_owners_find(owners, key, len, &at);
	for (; at < owners->count; at++) {
		const mail_owner_t *owner = &owners->owners[at];
		if (!mail_key_in(owner->key, owner->key_len, key, len)) {
			break;
		}
		for (size_t i = 0; i < owner->count; i++) {
			const mail_row_t *row = &owner->rows[i];
			if (!mail_view_shows(view, row->type) ||
			    (kind_is_key(row->kind) && own_key_hides(view, owner))) {
				continue;
			}
			if (mail_row_live(row, view->now)) {
				return true;
			}
			mail_until_min(until, row->from, view->now);
		}
	}
	return false;
}

/*! Looks for a shown key of the domain's own at or below a name. */
static int own_keys_below(const mail_view_t *view, mail_str_t rel, int64_t *until, bool *found)
{
	uint8_t top[MAIL_KEY_MAX], key[MAIL_KEY_MAX], next[MAIL_KEY_MAX];
	size_t top_len = mail_view_own_key(view, rel, top), len = top_len;
	mail_node_t node = { .own_key = true };
	bool deleted = false, from = true;
	mail_row_t row;

	memcpy(key, top, top_len);
	for (*found = false; top_len > 0 && !*found; from = false) {
		int ret = view->source->dkim_next(view->source, key, len, from, next, &node.dkim,
		                                  &deleted);
		if (ret < 0) {
			return ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
		if (!mail_key_in(next, ret, top, top_len)) {
			return KNOT_EOK;
		}
		memcpy(key, next, ret);
		len = ret;
		/* One that cannot be read is there: NXDOMAIN would deny what its own name does not. */
		*found = !deleted && (node.dkim.error != KNOT_EOK ||
		                      mail_dkim_state(&node.dkim, view->now, &row) == KNOT_EOK);
		if (!deleted && !*found) {
			mail_until_min(until, row.from, view->now);
		}
	}
	return KNOT_EOK;
}

static int domains_below(const mail_view_t *view, const uint8_t *key, size_t len, bool *found)
{
	uint8_t next[MAIL_KEY_MAX];
	mail_domain_t domain;
	int ret = view->source->domain_next(view->source, key, len, true, next, &domain);
	/*
	 * After more tombstones than may be passed, and still below the name, nobody knows whether a live domain
	 * is behind them. Then the name is said to exist: a wrong NODATA denies one type for a while, a wrong
	 * NXDOMAIN all names below (RFC 8020), live domains among them.
	 */
	*found = (ret >= 0 && mail_key_in(next, ret, key, len)) ||
	         (ret == KNOT_ELIMIT && mail_key_in(next, domain.passed, key, len));
	return ret >= 0 || ret == KNOT_ENOENT || ret == KNOT_ELIMIT ? KNOT_EOK : ret;
}

bool mail_view_has_reports(const mail_view_t *view)
{
	/* Any stored domain may report, and this one is stored. */
	return knot_dname_size(view->apex) + sizeof("\x01*\x07_report\x06_dmarc") - 1 <=
	       KNOT_DNAME_MAXLEN;
}

/*! Looks for names at or below a name, in every source of names. */
static int names_below(const mail_view_t *view, const uint8_t *key, size_t len, int64_t *until,
                       bool *found)
{
	const mail_str_t rel = mail_view_relative(view, key, len);
	const uint8_t *rel_key = (const uint8_t *)rel.data;
	int ret = KNOT_EOK;
	*found = rows_below(view, &view->plan->relative, rel_key, rel.len, until) ||
	         (view->plan->absolute.count > 0 &&
	          rows_below(view, &view->plan->absolute, key, len, until));
	if (*found) {
		return KNOT_EOK;
	}
	if (mail_key_in(rel_key, rel.len, (const uint8_t *)MAIL_DOMAINKEY_KEY,
	                MAIL_DOMAINKEY_KEY_LEN)) {
		ret = own_keys_below(view, rel, until, found);
	} else if (mail_str_is(rel, "_dmarc") ||
	           mail_str_equal(rel, (mail_str_t){ MAIL_REPORT_KEY, MAIL_REPORT_KEY_LEN })) {
		*found = mail_view_has_reports(view);
	} else if (str_below(rel, MAIL_REPORT_KEY, MAIL_REPORT_KEY_LEN)) {
		ret = domains_below(view, rel_key + MAIL_REPORT_KEY_LEN + 1,
		                    rel.len - MAIL_REPORT_KEY_LEN - 1, found);
	}
	if (ret == KNOT_EOK && !*found && !view->zone) {
		ret = domains_below(view, key, len, found);
	}
	return ret;
}

/*! Looks whether a name without records has names below it; until: when it will, if it has none now. */
static int exists_below(const mail_view_t *view, const uint8_t *key, size_t len, int64_t *until,
                        bool *found)
{
	int64_t coming = INT64_MAX;
	int ret = names_below(view, key, len, &coming, found);
	if (!*found) {
		mail_until_min(until, coming, view->now);
	}
	return ret;
}

/*! Notes when rows that are not shown yet appear at a node. */
static void node_until(const mail_view_t *view, const mail_node_t *node, int64_t *until)
{
	if (node->steady) {
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0; node->owner[i] != NULL && j < node->owner[i]->count; j++) {
			if (!mail_row_hidden(node, &node->owner[i]->rows[j])) {
				mail_until_min(until, node->owner[i]->rows[j].from, view->now);
			}
		}
	}
	mail_row_t row;
	if (node->own_key && mail_dkim_state(&node->dkim, view->now, &row) != KNOT_EOK) {
		mail_until_min(until, row.from, view->now);
	}
}

/*! Looks for a wildcard below the closest encloser, whose key is the first part of key. */
static int wildcard_place(const mail_view_t *view, const uint8_t *encloser, size_t len,
                          mail_place_t *place)
{
	place->where = MAIL_NOTHING;
	if (len + 2 > MAIL_KEY_MAX) {
		return KNOT_EOK;
	}
	memcpy(place->key, encloser, len);
	place->key[len] = 0;
	place->key[len + 1] = '*';
	place->key_len = len + 2;
	int ret = mail_view_node(view, place->key, place->key_len, &place->node);
	if (ret != KNOT_EOK) {
		return ret;
	}
	node_until(view, &place->node, &place->until);
	if (place->node.exists) {
		place->where = MAIL_WILDCARD;
	} else {
		/* A wildcard that is an empty non-terminal covers names, too (RFC 4592 4.9). */
		bool below = false;
		ret = exists_below(view, place->key, place->key_len, &place->until, &below);
		place->where = below ? MAIL_WILDCARD : MAIL_NOTHING;
	}
	return ret;
}

/*!
 * Says whether there may be stored domains below: a look at the domain's neighbour, which is mostly where the cursor
 * has just been, and no descent.
 */
static bool has_children(const mail_view_t *view)
{
	uint8_t next[MAIL_KEY_MAX];
	mail_domain_t domain;
	int ret = view->source->domain_next(view->source, view->key, view->key_len, false, next,
	                                    &domain);
	return ret >= 0 ? mail_key_in(next, ret, view->key, view->key_len) : ret != KNOT_ENOENT;
}

int mail_view_child(const mail_view_t *view, const uint8_t *key, size_t len)
{
	int child = 0;
	if (len > view->key_len && !has_children(view)) {
		return 0;
	}
	while (len > view->key_len) {
		mail_domain_t domain;
		int ret = view->source->domain_above(view->source, key, len, &domain);
		if (ret < 0 && ret != KNOT_ENOENT) {
			return ret;
		}
		if (ret <= (int)view->key_len) {
			break;
		}
		child = ret;
		len = mail_key_parent(key, ret);
	}
	return child;
}

/*! End of the label of a key that begins at `start`. */
static size_t label_end(const uint8_t *key, size_t start, size_t len)
{
	const uint8_t *dot = start < len ? memchr(key + start, 0, len - start) : NULL;
	return dot != NULL ? (size_t)(dot - key) : len;
}

static int place_at(const mail_view_t *view, const uint8_t *key, size_t len, mail_place_t *place)
{
	memcpy(place->key, key, len);
	place->key_len = len;
	return mail_view_node(view, key, len, &place->node);
}

/*! One label of the walk. \return KNOT_EOK with *done set at the end of the walk. */
static int step_down(const mail_view_t *view, const uint8_t *key, size_t len, size_t at, int child,
                     mail_place_t *place, bool *done)
{
	int ret = place_at(view, key, at, place);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_node_t *node = &place->node;
	*done = true;
	node->child = child > 0 && (size_t)child == at;
	if (at > view->key_len && (node->child || mail_node_has(view, node, KNOT_RRTYPE_NS))) {
		place->where = MAIL_CUT;
		place->at_cut = at == len;
		return KNOT_EOK;
	}
	if (at < len && at > view->key_len && mail_node_has(view, node, KNOT_RRTYPE_DNAME)) {
		place->where = MAIL_DNAME;
		return KNOT_EOK;
	}
	node_until(view, node, &place->until);
	if (!node->exists && at > view->key_len) {
		ret = exists_below(view, key, at, &place->until, &node->exists);
		if (ret == KNOT_EOK && !node->exists) {
			/* The label before this one is the closest encloser. */
			return wildcard_place(view, key, mail_key_parent(key, at), place);
		}
	}
	if (at == len) {
		place->where = MAIL_FOUND;
		return ret;
	}
	*done = false;
	return ret;
}

int mail_view_place(const mail_view_t *view, const uint8_t *key, size_t len, bool children,
                    mail_place_t *place)
{
	place->until = INT64_MAX;
	place->at_cut = false;
	place->where = MAIL_FOUND;
	int child = children ? mail_view_child(view, key, len) : 0;
	if (child < 0) {
		return child;
	}
	if (child == 0 && !view->plan->cuts) {
		/* Most questions end here: the name has records, and no cut can be above it. */
		int ret = place_at(view, key, len, place);
		if (ret != KNOT_EOK || place->node.exists) {
			node_until(view, &place->node, &place->until);
			return ret;
		}
		place->until = INT64_MAX;
	}
	size_t at = view->key_len;
	for (bool done = false; !done; at = label_end(key, at + 1, len)) {
		/* Only what is at or below the last label of the walk decides the answer. */
		place->until = INT64_MAX;
		int ret = step_down(view, key, len, at, child, place, &done);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
