/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a name leads (RFC 1034 4.3.2, RFC 4592, RFC 8020).
 *
 * A name exists when it has a record or one below it has; view/names.h says where names come from. So
 * X._report._dmarc.D is an empty non-terminal when some stored domain lies at or below X.
 *
 * The walk goes down from the domain and stops at the first label that settles it: what lies below costs nothing,
 * however many labels a question has.  For a.b.c.example.org in example.org it looks at
 *
 *     c.example.org   b.c.example.org   a.b.c.example.org
 *     a step          a step            the name asked for
 *
 * and at each the first of these that holds decides:
 *
 *     a stored domain, or an NS record is there       MAIL_CUT        a delegation (at_cut: at the name itself)
 *     a DNAME record is there, the name is below      MAIL_DNAME      RFC 6672 3.2
 *     neither a record, nor a name below it           MAIL_WILDCARD   if *.PARENT exists (RFC 4592 3.3.1), else
 *                                                     MAIL_NOTHING    NXDOMAIN
 *     it is the name asked for                        MAIL_FOUND      with records, or an empty non-terminal
 *     otherwise                                                       the next step
 */
#include "config.h"

#include "plan/kinds.h"
#include "view/names.h"

/*! Return whether a type tells the parent of keys that are newer than what caches hold. */
static bool is_held(const mail_view_t *view, uint16_t type)
{
	return view->waits && (type == KNOT_RRTYPE_CDS || type == KNOT_RRTYPE_CDNSKEY);
}

bool mail_view_shows(const mail_view_t *view, uint16_t type)
{
	if (!view->zone) {
		return !is_held(view, type);
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

static bool kind_is_key(uint16_t kind)
{
	return kind == MAIL_KIND_DKIM || kind == MAIL_KIND_DKIM_CNAME;
}

/*! Return whether a domain's own record stands in the place of a row that is made. */
static bool is_replaced(const mail_node_t *node, unsigned stand, const mail_row_t *row)
{
	if (!node->clash || stand + 1 == node->count ||
	    (MAIL_KINDS_LITERAL & MAIL_KIND_BIT(row->kind)) != 0) {
		return false;
	}
	const mail_owner_t *records = node->stands[node->count - 1].owner;
	for (size_t i = 0; i < records->count; i++) {
		/* At the domain itself, texts of any purpose stand beside each other. */
		if (records->rows[i].type == row->type &&
		    (row->type != KNOT_RRTYPE_TXT || records->name.len > 0)) {
			return true;
		}
	}
	return false;
}

bool mail_row_hidden(const mail_node_t *node, unsigned stand, const mail_row_t *row)
{
	return (node->stands[stand].hidden & MAIL_KIND_BIT(row->kind)) != 0 ||
	       (node->own_key && kind_is_key(row->kind)) || is_replaced(node, stand, row);
}

/*! Take a shown type into account. */
static void type_note(uint16_t type, uint16_t after, uint32_t *lowest, bool *cname)
{
	*cname |= type == KNOT_RRTYPE_CNAME;
	if (type > after && type < *lowest) {
		*lowest = type;
	}
}

/*! Return the next type of a node whose rows are all shown. */
static uint16_t steady_type(const mail_node_t *node, uint16_t after)
{
	uint32_t lowest = UINT32_MAX;
	for (unsigned i = 0; i < node->count; i++) {
		const mail_stand_t *stand = &node->stands[i];
		for (size_t j = 0; j < stand->owner->count; j++) {
			const mail_row_t *row = &stand->owner->rows[j];
			if (row->type > after && (stand->hidden & MAIL_KIND_BIT(row->kind)) == 0) {
				lowest = row->type < lowest ? row->type : lowest;
				break;
			}
		}
	}
	return lowest != UINT32_MAX ? lowest : 0;
}

uint16_t mail_node_type(const mail_view_t *view, const mail_node_t *node, uint16_t after)
{
	if (node->steady && !node->child) {
		return steady_type(node, after);
	}
	uint32_t lowest = UINT32_MAX;
	bool cname = false;
	for (unsigned i = 0; i < node->count; i++) {
		const mail_owner_t *owner = node->stands[i].owner;
		for (size_t j = 0; j < owner->count; j++) {
			const mail_row_t *row = &owner->rows[j];
			if (mail_row_live(row, view->now) && !mail_row_hidden(node, i, row) &&
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

/*! Return whether reports of a domain go to the view's. */
static bool plan_reports_to(const mail_plan_t *plan, const knot_dname_t *apex,
                            const mail_view_t *view)
{
	for (size_t i = 0; i < plan->report_count; i++) {
		mail_pattern_t pattern;
		knot_dname_storage_t name;
		mail_lf_storage_t there;
		if (mail_pattern_parse(plan->reports[i], &pattern, NULL) != KNOT_EOK ||
		    mail_pattern_name(&pattern, apex, name) != KNOT_EOK) {
			continue;
		}
		mail_name_lf(name, &there);
		if (mail_lf_equal(mail_lf(&there), mail_lf(&view->lf))) {
			return true;
		}
	}
	return false;
}

/*! Find out whether a stored domain reports to the view's domain (RFC 9990 4). */
static int reports_to(const mail_view_t *view, mail_lf_t reporter, const mail_domain_t *domain,
                      bool *reports)
{
	if (mail_lf_equal(reporter, mail_lf(&view->lf))) {
		return KNOT_EOK; /* A domain's reports to itself need no word. */
	}
	if (memchr(reporter.data, 0xff, reporter.len) != NULL ||
	    memchr(reporter.data, 0x01, reporter.len) != NULL) {
		/* No host's name: such names belong to the denials of RFC 4470 (view/chain.h). */
		return KNOT_EOK;
	}
	mail_view_t other;
	knot_dname_storage_t apex;
	other.source = view->source;
	other.cache = view->cache;
	other.now = view->now;
	other.domain = *domain;
	int ret = mail_name_from_lf(reporter, apex);
	if (ret == KNOT_EOK) {
		ret = mail_view_fill(&other, apex, reporter, reporter);
	}
	if (ret == KNOT_EOK) {
		ret = mail_view_make(&other, MAIL_KIND_BIT(MAIL_KIND_DMARC));
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOMEM ? ret : KNOT_EMALF;
	}
	const bool own = other.overlay != NULL &&
	                 (other.overlay->touched & MAIL_KIND_BIT(MAIL_KIND_DMARC)) != 0;
	*reports = plan_reports_to(own ? other.overlay->own : other.plan, apex, view);
	return KNOT_EOK;
}

/*! Look for the reporter C of a name C._report._dmarc.D. */
static int report_find(const mail_view_t *view, mail_lf_t reporter, mail_node_t *node)
{
	mail_domain_t domain;
	mail_lf_t above;
	int ret = view->source->domain_above(view->source, reporter, &above, &domain);
	if (ret == KNOT_ENOENT || (ret == KNOT_EOK && above.len != reporter.len)) {
		return KNOT_EOK;
	}
	if (ret == KNOT_EOK) {
		ret = domain.error;
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* A listing asks for millions of them. */
	mail_arena_t *arena = mail_cache_arena(view->cache);
	const mail_arena_mark_t mark = mail_arena_mark(arena);
	ret = reports_to(view, reporter, &domain, &node->report);
	mail_arena_rewind(arena, mark);
	return ret;
}

/*! Note rows that stand at a node. */
static void stand_add(mail_node_t *node, const mail_owner_t *owner, mail_kinds_t hidden)
{
	if (owner != NULL) {
		node->stands[node->count++] = (mail_stand_t){ owner, hidden };
	}
}

/*! Note the rows of a plan. */
static void stands_find(mail_node_t *node, const mail_plan_t *plan, mail_kinds_t hidden,
                        mail_lf_t relative, mail_lf_t name)
{
	stand_add(node, mail_owners_find(&plan->relative, relative, NULL), hidden);
	if (plan->absolute.count > 0) {
		stand_add(node, mail_owners_find(&plan->absolute, name, NULL), hidden);
	}
}

/*! Note what the domain itself has at a name. */
static int own_find(const mail_view_t *view, mail_lf_t relative, mail_lf_t name, mail_node_t *node)
{
	mail_overlay_t *overlay = view->overlay;
	if (overlay->touched != 0) {
		mail_kinds_t kinds = mail_kinds_at(overlay->touched, relative);
		if (relative.len == 0 && view->type != 0) {
			kinds = mail_kinds_typed(kinds, view->type);
		}
		int ret = mail_overlay_make(overlay, kinds);
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (overlay->own != NULL) {
			stands_find(node, overlay->own, 0, relative, name);
		}
	}
	if (overlay->rows.count == 0) {
		return KNOT_EOK;
	}
	const mail_owner_t *records;
	int ret = mail_overlay_rows(overlay, relative, &records);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	/* At the domain itself, texts of any purpose stand beside each other. */
	const uint64_t types = relative.len == 0 ? records->types & ~mail_type_bit(KNOT_RRTYPE_TXT)
	                                         : records->types;
	for (unsigned i = 0; i < node->count; i++) {
		node->clash |= (node->stands[i].owner->types & types) != 0;
	}
	stand_add(node, records, 0);
	return KNOT_EOK;
}

/*! Return whether all rows of a node are shown from now on, for ever. */
static bool is_steady(const mail_view_t *view, const mail_node_t *node)
{
	if (node->count == 0 || node->own_key || node->report || node->clash || view->zone ||
	    view->waits) {
		return false;
	}
	for (unsigned i = 0; i < node->count; i++) {
		const mail_owner_t *owner = node->stands[i].owner;
		if (view->now < owner->steady ||
		    (node->count > 1 && (owner->types & mail_type_bit(KNOT_RRTYPE_CNAME)) != 0)) {
			return false;
		}
	}
	return true;
}

int mail_view_node(const mail_view_t *view, mail_lf_t name, mail_node_t *node)
{
	const mail_lf_t relative = mail_view_relative(view, name);
	node->count = node->first = 0;
	node->clash = node->own_key = false;
	node->report = node->child = node->exists = node->steady = false;
	stands_find(node, view->plan, view->overlay != NULL ? view->overlay->hidden : 0, relative,
	            name);
	int ret = view->overlay != NULL ? own_find(view, relative, name, node) : KNOT_EOK;
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (mail_lf_below(relative, MAIL_DOMAINKEY)) {
		mail_lf_storage_t key;
		if (view->own.len > 0 &&
		    mail_lf_join(mail_lf(&view->own), relative, &key) == KNOT_EOK) {
			ret = view->source->dkim_get(view->source, mail_lf(&key), &node->dkim);
			node->own_key = ret == KNOT_EOK;
			ret = ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
	} else if (mail_lf_below(relative, MAIL_REPORT)) {
		ret = report_find(view, mail_lf_relative(relative, MAIL_REPORT), node);
	}
	node->steady = is_steady(view, node);
	node->first = mail_node_type(view, node, 0);
	node->exists = node->first != 0;
	return ret;
}

bool mail_view_has_reports(const mail_view_t *view)
{
	/* Any stored domain may report, and this one is stored. */
	return knot_dname_size(view->apex) + sizeof("\x01*\x07_report\x06_dmarc") - 1 <=
	       KNOT_DNAME_MAXLEN;
}

int64_t mail_view_row_from(const mail_view_t *view, const mail_row_t *row)
{
	return is_held(view, row->type) && row->from < view->ds_from ? view->ds_from : row->from;
}

/*! Note when rows that are not shown yet appear at a node. */
static void node_until(const mail_view_t *view, const mail_node_t *node, int64_t *until)
{
	if (node->steady) {
		return;
	}
	for (unsigned i = 0; i < node->count; i++) {
		const mail_owner_t *owner = node->stands[i].owner;
		for (size_t j = 0; j < owner->count; j++) {
			if (!mail_row_hidden(node, i, &owner->rows[j])) {
				mail_until_min(until, mail_view_row_from(view, &owner->rows[j]),
				               view->now);
			}
		}
	}
	mail_row_t row;
	if (node->own_key && mail_dkim_state(&node->dkim, view->now, &row) != KNOT_EOK) {
		mail_until_min(until, row.from, view->now);
	}
}

/*! Find out whether a name that a source has is shown now; else until when it is not. */
static int name_shown(const mail_view_t *view, mail_names_t source, mail_lf_t name, int64_t *until,
                      bool *shown)
{
	mail_node_t node;
	*shown = true;
	if (source == MAIL_NAMES_GAP || source == MAIL_NAMES_CHILDREN ||
	    source == MAIL_NAMES_REPORTS) {
		return KNOT_EOK;
	}
	int ret = mail_view_node(view, name, &node);
	if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
		/* One that cannot be read is there: NXDOMAIN would deny what its own name does not. */
		return KNOT_EOK;
	}
	*shown = node.exists;
	node_until(view, &node, until);
	return ret;
}

/*! Find out whether a name without records has names below it; until: when it will, if it has none now. */
static int exists_below(const mail_view_t *view, mail_lf_t name, int64_t *until, bool *found)
{
	const mail_lf_t relative = mail_view_relative(view, name);
	int64_t coming = INT64_MAX;
	*found = false;
	if (view->overlay != NULL) {
		int ret = mail_overlay_make(view->overlay,
		                            mail_kinds_near(view->overlay->touched, relative));
		if (ret != KNOT_EOK) {
			/* What cannot be made is there: it fails at its own name. */
			*found = ret != KNOT_ENOMEM;
			return *found ? KNOT_EOK : ret;
		}
	}
	for (mail_names_t source = 0; source < MAIL_NAMES_COUNT; source++) {
		if (!mail_names_reach(view, source, relative)) {
			continue;
		}
		mail_lf_storage_t at;
		mail_lf_copy(name, &at);
		/* The ends of the gap are denied as all names in it. */
		mail_seek_t seek = source == MAIL_NAMES_GAP ? MAIL_SEEK_AFTER : MAIL_SEEK_FROM;
		unsigned passed = 0;
		int ret;
		while ((ret = mail_names_seek(view, source, mail_lf(&at), seek, &at)) !=
		       KNOT_ENOENT) {
			if (ret != KNOT_EOK && ret != KNOT_ELIMIT) {
				return ret;
			}
			if (!mail_lf_in(mail_lf(&at), name)) {
				break;
			}
			/*
			 * After more tombstones, or names that are not shown now, than may be passed, and still below
			 * the name, nobody knows what is behind them. Then the name is said to exist: a wrong NODATA
			 * denies one type for a while, a wrong NXDOMAIN all names below (RFC 8020), live ones among
			 * them.
			 */
			*found = ret == KNOT_ELIMIT;
			if (ret == KNOT_EOK) {
				ret = name_shown(view, source, mail_lf(&at), &coming, found);
				*found |= ++passed == view->source->limit;
			}
			if (*found || ret != KNOT_EOK) {
				return ret == KNOT_ELIMIT ? KNOT_EOK : ret;
			}
			seek = MAIL_SEEK_AFTER;
		}
	}
	mail_until_min(until, coming, view->now);
	return KNOT_EOK;
}

/*! Look for a wildcard below the closest encloser, which is the first part of the name at hand. */
static int wildcard_place(const mail_view_t *view, mail_lf_t encloser, mail_place_t *place)
{
	place->where = MAIL_NOTHING;
	if (mail_lf_join(encloser, MAIL_LF("*"), &place->lf) != KNOT_EOK) {
		return KNOT_EOK;
	}
	int ret = mail_view_node(view, mail_lf(&place->lf), &place->node);
	if (ret != KNOT_EOK) {
		return ret;
	}
	node_until(view, &place->node, &place->until);
	bool exists = place->node.exists;
	if (!exists) {
		/* A wildcard that is an empty non-terminal covers names, too (RFC 4592 4.9). */
		ret = exists_below(view, mail_lf(&place->lf), &place->until, &exists);
	}
	place->where = exists ? MAIL_WILDCARD : MAIL_NOTHING;
	return ret;
}

/*! Return the length of a name up to the end of the label that begins at `start`. */
static size_t label_end(mail_lf_t name, size_t start)
{
	const uint8_t *dot = start < name.len ? memchr(name.data + start, 0, name.len - start)
	                                      : NULL;
	return dot != NULL ? (size_t)(dot - name.data) : name.len;
}

static int place_at(const mail_view_t *view, mail_lf_t name, mail_place_t *place)
{
	mail_lf_copy(name, &place->lf);
	return mail_view_node(view, name, &place->node);
}

/*!
 * \brief One label of the walk down to a name.
 *
 * \param name   The name that is looked for.
 * \param at     Its first part that the walk has come to.
 * \param child  The topmost stored domain at or above it, or empty.
 * \param done   Out: the walk has ended.
 */
static int step_down(const mail_view_t *view, mail_lf_t name, mail_lf_t at, mail_lf_t child,
                     mail_place_t *place, bool *done)
{
	int ret = place_at(view, at, place);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_node_t *node = &place->node;
	const bool apex = at.len == view->lf.len;
	*done = true;
	node->child = child.len > 0 && child.len == at.len;
	if (!apex && (node->child || mail_node_has(view, node, KNOT_RRTYPE_NS))) {
		place->where = MAIL_CUT;
		place->at_cut = at.len == name.len;
		return KNOT_EOK;
	}
	if (!apex && at.len < name.len && mail_node_has(view, node, KNOT_RRTYPE_DNAME)) {
		place->where = MAIL_DNAME;
		return KNOT_EOK;
	}
	node_until(view, node, &place->until);
	if (!apex && !node->exists) {
		ret = exists_below(view, at, &place->until, &node->exists);
		if (ret == KNOT_EOK && !node->exists) {
			/* The label before this one is the closest encloser. */
			return wildcard_place(view, mail_lf_parent(at), place);
		}
	}
	place->where = MAIL_FOUND;
	*done = at.len == name.len;
	return ret;
}

int mail_view_place(const mail_view_t *view, mail_lf_t name, bool children, mail_place_t *place)
{
	mail_lf_t child = { 0 };
	place->until = INT64_MAX;
	place->at_cut = false;
	place->where = MAIL_FOUND;
	int ret = children ? mail_view_child(view, name, &child) : KNOT_EOK;
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (child.len == 0 && !view->cuts) {
		/* Most questions end here: the name has records, and no cut can be above it. */
		ret = place_at(view, name, place);
		if (ret != KNOT_EOK || place->node.exists) {
			node_until(view, &place->node, &place->until);
			return ret;
		}
	}
	mail_lf_t at = mail_lf(&view->lf);
	at.data = name.data;
	if (at.len < name.len) {
		/* The domain itself is there, and decides nothing. */
		at.len = label_end(name, at.len + 1);
	}
	for (bool done = false; !done; at.len = label_end(name, at.len + 1)) {
		/* Only what is at or below the last label of the walk decides the answer. */
		place->until = INT64_MAX;
		ret = step_down(view, name, at, child, place, &done);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
