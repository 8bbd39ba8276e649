/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each source keeps its names in the order of lookup format, and so knows the neighbours of any name. Most have
 * names in a part of the domain only, their scope: a search that begins outside of it enters at its edge.
 */
#include "config.h"

#include "view/names.h"

/*! So many times a question passes over reporters whose names are too long; behind that it is not worth its time. */
#define REPORTS_PASSED_MAX 64

/*! Return whether a name is not too long: what a domain hides of its policy may be. */
static bool has_room(const mail_lf_storage_t *lf)
{
	knot_dname_storage_t name;
	/* In the wire it has two octets more, or less where some are escaped. */
	return lf->len + 2 <= KNOT_DNAME_MAXLEN || mail_name_from_lf(mail_lf(lf), name) == KNOT_EOK;
}

/*! Owners of a plan. */
typedef struct {
	const mail_owners_t *owners;
	mail_lf_t origin; /*!< What their names are relative to. */
} placed_t;

/*! Find a neighbour among the owners of a plan. */
static int owners_seek(const mail_view_t *view, placed_t placed, mail_lf_t name, mail_seek_t seek,
                       mail_lf_storage_t *found)
{
	const mail_owners_t *owners = placed.owners;
	const bool back = seek == MAIL_SEEK_BEFORE;
	size_t at = 0;
	const bool there = mail_owners_find(owners, mail_lf_relative(name, placed.origin), &at) !=
	                   NULL;
	if (there && seek == MAIL_SEEK_AFTER) {
		at++;
	}
	while (back ? at > 0 : at < owners->count) {
		const mail_owner_t *owner = &owners->owners[back ? --at : at++];
		if (mail_lf_join(placed.origin, owner->name, found) == KNOT_EOK &&
		    has_room(found)) {
			return mail_lf_in(mail_lf(found), mail_lf(&view->lf)) ? KNOT_EOK
			                                                      : KNOT_ENOENT;
		}
	}
	return KNOT_ENOENT;
}

static int plan_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                     mail_lf_storage_t *found)
{
	const placed_t placed = { &view->plan->relative, mail_lf(&view->lf) };
	return owners_seek(view, placed, name, seek, found);
}

static int absolute_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                         mail_lf_storage_t *found)
{
	const placed_t placed = { .owners = &view->plan->absolute };
	return owners_seek(view, placed, name, seek, found);
}

static int own_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                    mail_lf_storage_t *found)
{
	const placed_t placed = { &view->overlay->own->relative, mail_lf(&view->lf) };
	return owners_seek(view, placed, name, seek, found);
}

static int own_absolute_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                             mail_lf_storage_t *found)
{
	const placed_t placed = { .owners = &view->overlay->own->absolute };
	return owners_seek(view, placed, name, seek, found);
}

static int records_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                        mail_lf_storage_t *found)
{
	const mail_rows_t *rows = &view->overlay->rows;
	const bool back = seek == MAIL_SEEK_BEFORE;
	const mail_lf_t relative = mail_view_relative(view, name);
	mail_stored_owner_t owner;
	size_t at;
	int ret = mail_rows_find(rows, relative, &at, &owner);
	if (ret != KNOT_EOK && ret != KNOT_ENOENT) {
		return ret;
	}
	if (ret == KNOT_EOK && seek == MAIL_SEEK_AFTER) {
		at++;
	}
	while (back ? at > 0 : at < rows->count) {
		ret = mail_rows_owner(rows, back ? --at : at++, &owner);
		if (ret != KNOT_EOK) {
			return ret;
		}
		/* Damaged octets may be in another order: who walks them must not come by one twice. */
		const int diff = mail_lf_compare(owner.name, relative);
		if (back ? diff >= 0 : diff < 0 || (diff == 0 && seek == MAIL_SEEK_AFTER)) {
			return KNOT_EMALF;
		}
		/* A name that does not fit below this domain is passed over. */
		if (mail_lf_join(mail_lf(&view->lf), owner.name, found) == KNOT_EOK &&
		    has_room(found)) {
			return KNOT_EOK;
		}
	}
	return KNOT_ENOENT;
}

static int gap_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                    mail_lf_storage_t *found)
{
	const bool back = seek == MAIL_SEEK_BEFORE;
	const mail_lf_t ends[] = { back ? MAIL_GAP_LAST : MAIL_GAP_FIRST,
		                   back ? MAIL_GAP_FIRST : MAIL_GAP_LAST };
	for (size_t i = 0; i < 2 && mail_view_has_reports(view); i++) {
		const int diff = mail_lf_compare(ends[i], mail_view_relative(view, name));
		if (back ? diff < 0 : diff > 0 || (diff == 0 && seek == MAIL_SEEK_FROM)) {
			int ret = mail_lf_join(mail_lf(&view->lf), ends[i], found);
			return ret == KNOT_ESPACE ? KNOT_ENOENT : ret;
		}
	}
	return KNOT_ENOENT;
}

/*! Write how far a search came, as far as it fits into a name. */
static void far_join(const mail_view_t *view, mail_lf_t relative, mail_lf_storage_t *found)
{
	const size_t room = MAIL_LF_MAX - view->lf.len - 1;
	mail_lf_copy(mail_lf(&view->lf), found);
	relative.len = relative.len < room ? relative.len : room;
	found->data[found->len] = 0;
	memcpy(found->data + found->len + 1, relative.data, relative.len);
	found->len += 1 + relative.len;
}

static int keys_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                     mail_lf_storage_t *found)
{
	mail_lf_storage_t key;
	if (mail_lf_join(mail_lf(&view->own), mail_view_relative(view, name), &key) != KNOT_EOK) {
		return KNOT_ENOENT;
	}
	for (unsigned passed = 1;; passed++) {
		mail_dkim_t dkim;
		int ret = view->source->dkim_seek(view->source, mail_lf(&key), seek, &key, &dkim);
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (!mail_lf_in(mail_lf(&key), mail_lf(&view->own))) {
			return KNOT_ENOENT;
		}
		const mail_lf_t relative = mail_lf_relative(mail_lf(&key), mail_lf(&view->own));
		if (!mail_lf_in(relative, MAIL_DOMAINKEY)) {
			return KNOT_ENOENT;
		}
		if (!dkim.deleted &&
		    mail_lf_join(mail_lf(&view->lf), relative, found) == KNOT_EOK) {
			return KNOT_EOK;
		}
		if (passed == view->source->limit) {
			far_join(view, relative, found);
			return KNOT_ELIMIT;
		}
		seek = seek == MAIL_SEEK_FROM ? MAIL_SEEK_AFTER : seek;
	}
}

/*! Find the topmost stored domain below the view's and at or above a name. */
static int child_above(const mail_view_t *view, mail_lf_t name, mail_lf_t *child)
{
	*child = (mail_lf_t){ 0 };
	while (name.len > view->lf.len) {
		mail_lf_t above;
		mail_domain_t domain;
		int ret = view->source->domain_above(view->source, name, &above, &domain);
		if (ret == KNOT_ENOENT || (ret == KNOT_EOK && above.len <= view->lf.len)) {
			break;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		*child = above;
		name = mail_lf_parent(above);
	}
	return KNOT_EOK;
}

int mail_view_has_children(const mail_view_t *view, bool *children)
{
	if (view->domain.alone) {
		*children = false;
		return KNOT_EOK;
	}
	mail_lf_storage_t next;
	int ret = view->source->domain_seek(view->source, mail_lf(&view->lf), MAIL_SEEK_AFTER,
	                                    &next, NULL);
	*children = false;
	if (ret == KNOT_EOK || ret == KNOT_ELIMIT) {
		*children = mail_lf_in(mail_lf(&next), mail_lf(&view->lf));
		return KNOT_EOK;
	}
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

int mail_view_child(const mail_view_t *view, mail_lf_t name, mail_lf_t *child)
{
	bool children = false;
	*child = (mail_lf_t){ 0 };
	int ret = name.len > view->lf.len ? mail_view_has_children(view, &children) : KNOT_EOK;
	return ret == KNOT_EOK && children ? child_above(view, name, child) : ret;
}

static int children_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                         mail_lf_storage_t *found)
{
	mail_lf_storage_t at;
	mail_lf_copy(name, &at);
	while (true) {
		int ret = view->source->domain_seek(view->source, mail_lf(&at), seek, found, NULL);
		if (ret != KNOT_EOK && ret != KNOT_ELIMIT) {
			return ret;
		}
		if (mail_lf_equal(mail_lf(found), mail_lf(&view->lf)) && seek == MAIL_SEEK_FROM) {
			seek = MAIL_SEEK_AFTER; /* The domain itself. */
			continue;
		}
		if (!mail_lf_below(mail_lf(found), mail_lf(&view->lf))) {
			return KNOT_ENOENT;
		}
		if (ret == KNOT_ELIMIT) {
			return ret;
		}
		mail_lf_t child;
		ret = child_above(view, mail_lf(found), &child);
		if (ret != KNOT_EOK || child.len == 0) {
			return ret != KNOT_EOK ? ret : KNOT_ENOENT;
		}
		found->len = child.len;
		const int diff = mail_lf_compare(mail_lf(found), mail_lf(&at));
		if (seek == MAIL_SEEK_BEFORE || diff > 0 || (diff == 0 && seek == MAIL_SEEK_FROM)) {
			return KNOT_EOK;
		}
		/* The search began at or below this one: the next is behind all that lies below it. */
		mail_lf_copy(mail_lf(found), &at);
		mail_lf_behind(&at);
	}
}

/*!
 * \brief Return how many octets a name in lookup format may begin with so that every name that does is too long for a
 *        room of wire octets; 0: the name has room.
 */
static size_t octets_too_long(mail_lf_t name, size_t room)
{
	/* A separator stands for the length of the label behind it; the first label has none. */
	size_t octets = 1;
	for (size_t i = 0; i < name.len; i++) {
		/* 01 and the octet behind it are one octet. */
		i += name.data[i] == 1;
		if (++octets > room) {
			return i < name.len ? i + 1 : name.len;
		}
	}
	return 0;
}

/*! Turn a name into an edge behind all names that begin with its first octets. \return Whether there is one. */
static bool edge_behind(mail_lf_storage_t *lf, size_t octets)
{
	while (octets > 0 && lf->data[octets - 1] == 0xff) {
		octets--;
	}
	lf->len = octets;
	if (octets > 0) {
		lf->data[octets - 1]++;
	}
	return octets > 0;
}

static int reports_seek(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
                        mail_lf_storage_t *found)
{
	if (!mail_view_has_reports(view)) {
		return KNOT_ENOENT;
	}
	const size_t room = KNOT_DNAME_MAXLEN - knot_dname_size(view->apex) -
	                    (sizeof("\x07_report\x06_dmarc") - 1);
	mail_lf_storage_t reporter;
	mail_lf_copy(mail_lf_relative(mail_view_relative(view, name), MAIL_REPORT), &reporter);
	for (unsigned passed = 0;; passed++) {
		int ret = view->source->domain_seek(view->source, mail_lf(&reporter), seek,
		                                    &reporter, NULL);
		if (ret != KNOT_EOK && ret != KNOT_ELIMIT) {
			return ret;
		}
		/* A name that leaves no room for the domain's has no such record, and nor has any that begins so. */
		const size_t octets = octets_too_long(mail_lf(&reporter), room);
		if (octets > 0 && !edge_behind(&reporter, octets)) {
			return KNOT_ENOENT;
		}
		if (octets > 0 && passed < REPORTS_PASSED_MAX && ret == KNOT_EOK) {
			seek = MAIL_SEEK_FROM;
			continue;
		}
		int joined = mail_lf_join(mail_lf(&view->lf), MAIL_REPORT, found);
		if (joined == KNOT_EOK) {
			joined = mail_lf_join(mail_lf(found), mail_lf(&reporter), found);
		}
		if (joined != KNOT_EOK) {
			return KNOT_ENOENT;
		}
		return octets > 0 ? KNOT_ELIMIT : ret;
	}
}

static const struct {
	mail_lf_t scope; /*!< Relative to the domain: all names of the source lie at or below it. */
	int (*seek)(const mail_view_t *view, mail_lf_t name, mail_seek_t seek,
	            mail_lf_storage_t *found);
} sources[] = {
	[MAIL_NAMES_PLAN] = { { 0 }, plan_seek },
	[MAIL_NAMES_ABSOLUTE] = { { 0 }, absolute_seek },
	[MAIL_NAMES_OWN] = { { 0 }, own_seek },
	[MAIL_NAMES_OWN_ABSOLUTE] = { { 0 }, own_absolute_seek },
	[MAIL_NAMES_RECORDS] = { { 0 }, records_seek },
	[MAIL_NAMES_GAP] = { MAIL_REPORT, gap_seek },
	[MAIL_NAMES_KEYS] = { MAIL_DOMAINKEY, keys_seek },
	[MAIL_NAMES_CHILDREN] = { { 0 }, children_seek },
	[MAIL_NAMES_REPORTS] = { MAIL_REPORT, reports_seek },
};
_Static_assert(sizeof(sources) / sizeof(sources[0]) == MAIL_NAMES_COUNT, "a row for each source");

int mail_names_seek(const mail_view_t *view, mail_names_t source, mail_lf_t name, mail_seek_t seek,
                    mail_lf_storage_t *found)
{
	const mail_lf_t scope = sources[source].scope;
	const mail_lf_t relative = mail_view_relative(view, name);
	if (!mail_names_any(view, source)) {
		return KNOT_ENOENT;
	}
	if (mail_lf_in(relative, scope)) {
		return sources[source].seek(view, name, seek, found);
	}
	/* The search enters the scope at its first name, or from behind its last one; or it goes away from it. */
	const bool after = mail_lf_compare(relative, scope) > 0;
	mail_lf_storage_t edge;
	if (after != (seek == MAIL_SEEK_BEFORE) ||
	    mail_lf_join(mail_lf(&view->lf), scope, &edge) != KNOT_EOK) {
		return KNOT_ENOENT;
	}
	if (after) {
		mail_lf_behind(&edge);
		return sources[source].seek(view, mail_lf(&edge), MAIL_SEEK_BEFORE, found);
	}
	return sources[source].seek(view, mail_lf(&edge), MAIL_SEEK_FROM, found);
}
