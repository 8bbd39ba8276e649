/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where in its zone a domain may have something: so that most questions are known at once not to be ours.
 */
#include "config.h"

#include "answer/zone_extent.h"

/*! Add the label below the apex. */
static void label_add(mail_labels_t *labels, const mail_view_t *view, const uint8_t *label)
{
	uint8_t name[1 + KNOT_DNAME_MAXLABELLEN + KNOT_DNAME_MAXLEN];
	if (label[0] == 1 && label[1] == '*') {
		/* A wildcard is any label. */
		memset(labels, 0xff, sizeof(*labels));
		return;
	}
	memcpy(name, label, 1 + label[0]);
	memcpy(name + 1 + label[0], view->apex, knot_dname_size(view->apex));
	const uint64_t hash = mail_label_hash(name);
	for (unsigned i = 0; i < MAIL_LABEL_BITS; i++) {
		labels->bits[mail_label_word(hash)] |= (uint64_t)1 << mail_label_bit(hash, i);
	}
}

/*! Add the topmost label of each owner; of absolute ones in the zone the label below its apex. */
static void owners_add(mail_extent_t *extent, const mail_view_t *view, const mail_owners_t *owners,
                       bool absolute)
{
	for (size_t i = 0; i < owners->count; i++) {
		mail_lf_t relative = owners->owners[i].name;
		knot_dname_storage_t name;
		if (absolute) {
			if (!mail_lf_in(relative, mail_lf(&view->lf))) {
				continue;
			}
			relative = mail_view_relative(view, relative);
		}
		if (relative.len == 0 || mail_name_from_lf(relative, name) != KNOT_EOK) {
			continue;
		}
		const uint8_t *label = name;
		while (*mail_name_parent(label) != 0) {
			label = mail_name_parent(label);
		}
		label_add(&extent->labels, view, label);
	}
}

static void type_add(mail_extent_t *extent, uint16_t type)
{
	size_t at = 0;
	while (at < extent->type_count && extent->types[at] < type) {
		at++;
	}
	if (type == KNOT_RRTYPE_CNAME || extent->type_count == MAIL_EXTENT_TYPES ||
	    (at < extent->type_count && extent->types[at] == type)) {
		return;
	}
	memmove(&extent->types[at + 1], &extent->types[at],
	        (extent->type_count - at) * sizeof(extent->types[0]));
	extent->types[at] = type;
	extent->type_count++;
}

static void types_add(mail_extent_t *extent, const mail_view_t *view, const mail_owners_t *owners)
{
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const uint16_t type = owners->owners[i].rows[j].type;
			if (mail_view_shows(view, type)) {
				type_add(extent, type);
			}
		}
	}
}

void mail_extent_all(mail_extent_t *extent)
{
	memset(extent, 0, sizeof(*extent));
	memset(&extent->labels, 0xff, sizeof(extent->labels));
}

/*! Add what a plan has. */
static void plan_add(mail_extent_t *extent, const mail_view_t *view, const mail_plan_t *plan)
{
	owners_add(extent, view, &plan->relative, false);
	owners_add(extent, view, &plan->absolute, true);
	types_add(extent, view, &plan->relative);
	types_add(extent, view, &plan->absolute);
}

/*! Add what the domain itself has. */
static int overlay_add(mail_extent_t *extent, const mail_view_t *view)
{
	const mail_overlay_t *overlay = view->overlay;
	if (overlay == NULL) {
		return KNOT_EOK;
	}
	if (overlay->own != NULL) {
		plan_add(extent, view, overlay->own);
	}
	for (size_t i = 0; i < overlay->rows.count; i++) {
		mail_stored_owner_t stored;
		const mail_owner_t *owner;
		int ret = mail_rows_owner(&overlay->rows, i, &stored);
		if (ret == KNOT_EOK) {
			ret = mail_overlay_rows(overlay, stored.name, &owner);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		const mail_owners_t owners = { (mail_owner_t *)owner, 1 };
		owners_add(extent, view, &owners, false);
		types_add(extent, view, &owners);
	}
	return KNOT_EOK;
}

void mail_extent_fill(const mail_view_t *view, mail_extent_t *extent)
{
	if (view->plan->error != KNOT_EOK || mail_view_make(view, MAIL_KINDS_ALL) != KNOT_EOK) {
		mail_extent_all(extent);
		return;
	}
	memset(extent, 0, sizeof(*extent));
	/* Own DKIM keys, and words for other domains' reports, are in no plan. */
	label_add(&extent->labels, view, (const uint8_t *)"\x0A_domainkey");
	label_add(&extent->labels, view, (const uint8_t *)"\x06_dmarc");
	type_add(extent, KNOT_RRTYPE_TXT);
	plan_add(extent, view, view->plan);
	if (overlay_add(extent, view) != KNOT_EOK) {
		mail_extent_all(extent);
	}
}
