/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RRsets of a view: the rows of a node that are shown now, with their holes filled, and the SOA's serial.
 */
#include "config.h"

#include "plan/kinds.h"
#include "mail/dkim.h"
#include "model/dkim_sum.h"
#include "view/view.h"

/*! Longest record that a DKIM key makes: RSA-16384 in base64, tags, and room. */
#define DKIM_ROW_MAX 16384

/*! An RRset being made. */
typedef struct {
	mail_view_t *view;
	knot_mm_t *mm;
	knot_rrset_t *rrset;
	int64_t until;
	uint16_t kind;
} making_t;

/*! The domain that holes are filled with; its text is made when it is first needed. */
static int view_apex(mail_view_t *view, bool spelt, mail_apex_t *apex)
{
	if (spelt && view->text_len == 0) {
		mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)view->text, sizeof(view->text));
		int ret = mail_name_print(view->apex, &buf);
		if (ret != KNOT_EOK) {
			return ret;
		}
		view->text_len = buf.len;
	}
	*apex = (mail_apex_t){ view->apex, { view->text, view->text_len } };
	return KNOT_EOK;
}

int mail_view_rdata(knot_rrset_t *rrset, const uint8_t *rdata, uint16_t len, knot_mm_t *mm)
{
	knot_rdataset_t *rrs = &rrset->rrs;
	if (rrs->count > 1 || mm == NULL || mm->alloc == NULL) {
		return knot_rrset_add_rdata(rrset, rdata, len, mm);
	}
	/* Mostly there are one or two. */
	const uint32_t size = (uint32_t)knot_rdata_size(len), before = rrs->size;
	uint8_t *block = mm->alloc(mm->ctx, before + size);
	if (block == NULL) {
		return KNOT_ENOMEM;
	}
	knot_rdata_t *added = (knot_rdata_t *)(block + before);
	knot_rdata_init(added, len, rdata);
	if (rrs->count == 1) {
		const int order = knot_rdata_cmp(rrs->rdata, added);
		if (order == 0) {
			return KNOT_EOK;
		}
		if (order > 0) {
			knot_rdata_init((knot_rdata_t *)block, len, rdata);
		}
		memcpy(block + (order > 0 ? size : 0), rrs->rdata, before);
	}
	rrs->rdata = (knot_rdata_t *)block;
	rrs->count++;
	rrs->size = before + size;
	return KNOT_EOK;
}

int mail_view_row(mail_view_t *view, const mail_row_t *row, uint8_t *rdata, size_t cap)
{
	mail_apex_t apex = { 0 };
	int ret = row->rdata.holes ? view_apex(view, row->rdata.spelt, &apex) : KNOT_EOK;
	return ret == KNOT_EOK ? mail_rdata_fill(&row->rdata, &apex, rdata, cap) : ret;
}

/*! Append a row to the RRset. */
static int row_add(making_t *making, const mail_row_t *row, uint32_t ttl)
{
	uint8_t rdata[MAIL_RDATA_MAX];
	int len = mail_view_row(making->view, row, rdata, sizeof(rdata));
	if (len < 0) {
		return len;
	}
	if ((MAIL_KINDS_LITERAL & MAIL_KIND_BIT(row->kind)) != 0 &&
	    !mail_rdata_fits(row->type, rdata, len)) {
		return KNOT_EMALF; /* Stored octets, which nobody has looked at. */
	}
	knot_rrset_t *rrset = making->rrset;
	const uint16_t before = rrset->rrs.count;
	int ret = mail_view_rdata(rrset, rdata, len, making->mm);
	/* One TTL for the RRset (RFC 2181 5.2); of a record that is given twice, the first. */
	if (before == 0 || (rrset->rrs.count > before && ttl < rrset->ttl)) {
		rrset->ttl = ttl;
	}
	/* Wherever the rows come from, the RRset is counted as the kind that comes first in the table. */
	if (row->kind < making->kind) {
		making->kind = row->kind;
	}
	return ret;
}

static void until_note(making_t *making, int64_t second)
{
	mail_until_min(&making->until, second, making->view->now);
}

static uint32_t row_ttl(const making_t *making, const mail_row_t *row)
{
	return row->common ? making->view->records_ttl : row->ttl;
}

static int rows_add(making_t *making, const mail_node_t *node, unsigned stand, uint16_t type)
{
	const mail_owner_t *owner = node->stands[stand].owner;
	for (size_t i = 0; i < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i];
		if (row->type != type || mail_row_hidden(node, stand, row)) {
			continue;
		}
		until_note(making, row->from);
		until_note(making, row->until);
		if (!mail_row_live(row, making->view->now) ||
		    (type == KNOT_RRTYPE_CNAME && !knot_rrset_empty(making->rrset))) {
			continue;
		}
		int ret = row_add(making, row, row_ttl(making, row));
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int own_key_add(making_t *making, const mail_node_t *node, uint16_t type)
{
	uint8_t memory[DKIM_ROW_MAX];
	mail_row_t row = { .rdata.ops = MAIL_BUF_FIXED(memory, sizeof(memory)) };
	int ret = mail_dkim_state(&node->dkim, making->view->now, &row);
	until_note(making, row.from);
	until_note(making, row.until);
	if (ret != KNOT_EOK || row.type != type) {
		return KNOT_EOK;
	}
	ret = mail_dkim_row(&node->dkim, making->view->now, &row);
	if (ret != KNOT_EOK) {
		return ret;
	}
	row.kind = type == KNOT_RRTYPE_CNAME ? MAIL_KIND_DKIM_CNAME : MAIL_KIND_DKIM;
	return row_add(making, &row, making->view->records_ttl);
}

/*! The word that reports are welcome (RFC 9990 3). */
static int report_add(making_t *making)
{
	static const uint8_t rdata[] = "\x08v=DMARC1";
	making->kind = MAIL_KIND_REPORT;
	making->rrset->ttl = making->view->records_ttl;
	return mail_view_rdata(making->rrset, rdata, sizeof(rdata) - 1, making->mm);
}

/*! The rows of a stand that are all shown for ever. */
static int steady_add(making_t *making, const mail_stand_t *stand, uint16_t type)
{
	const mail_owner_t *owner = stand->owner;
	for (size_t i = 0; i < owner->count && owner->rows[i].type <= type; i++) {
		const mail_row_t *row = &owner->rows[i];
		if (row->type != type || (stand->hidden & MAIL_KIND_BIT(row->kind)) != 0) {
			continue;
		}
		int ret = row_add(making, row, row_ttl(making, row));
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Rows of two plans' owners, a key of the domain's own, a report: whatever the node has of the type. */
static int node_add(making_t *making, const mail_node_t *node, uint16_t type)
{
	int ret = KNOT_EOK;
	for (unsigned i = 0; i < node->count; i++) {
		ret = node->steady ? steady_add(making, &node->stands[i], type)
		                   : rows_add(making, node, i, type);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (ret == KNOT_EOK && node->own_key) {
		ret = own_key_add(making, node, type);
	}
	if (ret == KNOT_EOK && node->report && type == KNOT_RRTYPE_TXT) {
		ret = report_add(making);
	}
	return ret;
}

/*! Sort a step of the clock: the newest that has passed, the next that has not. */
static void step_note(int64_t step, int64_t now, int64_t *newest, int64_t *next)
{
	if (step <= now && step > *newest) {
		*newest = step;
	} else if (step > now && step < *next) {
		*next = step;
	}
}

const mail_dkim_sum_t *mail_view_keys(mail_view_t *view)
{
	if (!view->keys_known) {
		view->keys = view->own.len > 0
		                     ? mail_dkim_sum(view->source, mail_lf(&view->own), view->now)
		                     : (mail_dkim_sum_t){ .coming = INT64_MAX };
		view->keys_known = true;
	}
	return &view->keys;
}

/*! Take the newest change among the domain's own DKIM keys, and their steps, into account. */
static void own_keys_steps(mail_view_t *view, int64_t *newest, int64_t *coming)
{
	const mail_dkim_sum_t *sum = mail_view_keys(view);
	const int64_t changed = (int64_t)(sum->newest / 1000000000);
	*newest = changed > *newest ? changed : *newest;
	step_note(sum->passed, view->now, newest, coming);
	step_note(sum->coming, view->now, newest, coming);
}

/*! Take the newest change of a plan's entries into account, and its steps: the last that has passed, and the next. */
static void plan_steps(const mail_view_t *view, const mail_plan_t *plan, int64_t *newest,
                       int64_t *coming)
{
	const int64_t changed = (int64_t)(plan->stamp / 1000000000);
	size_t low = 0, high = plan->step_count;
	*newest = changed > *newest ? changed : *newest;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (plan->steps[middle] <= view->now) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low > 0) {
		step_note(plan->steps[low - 1], view->now, newest, coming);
	}
	if (low < plan->step_count) {
		step_note(plan->steps[low], view->now, newest, coming);
	}
}

/*! Return those of a domain's own kinds that come of other entries than its own, or by steps. */
static mail_kinds_t moving_kinds(const mail_overlay_t *overlay)
{
	const mail_kinds_t kinds = MAIL_KIND_BIT(MAIL_KIND_A) | MAIL_KIND_BIT(MAIL_KIND_TLSA) |
	                           MAIL_KIND_BIT(MAIL_KIND_DKIM) |
	                           MAIL_KIND_BIT(MAIL_KIND_DKIM_CNAME) | MAIL_KINDS_KEYS;
	const bool ramp = mail_overlay_has(overlay, MAIL_ITEM_DMARC_RAMP) ||
	                  overlay->plan->profile->items[MAIL_ITEM_DMARC_RAMP].count > 0;
	return ramp ? kinds | MAIL_KIND_BIT(MAIL_KIND_DMARC) : kinds;
}

bool mail_view_moves(const mail_view_t *view)
{
	return view->overlay != NULL && (moving_kinds(view->overlay) & view->overlay->touched) != 0;
}

/*! The serial, and the next second at which it changes by itself. */
static uint32_t serial(mail_view_t *view, int64_t *until)
{
	int64_t newest = view->stamp / 1000000000;
	plan_steps(view, view->plan, &newest, until);
	if (view->overlay != NULL) {
		/* What cannot be made fails where it is asked for. */
		(void)mail_overlay_make(view->overlay, moving_kinds(view->overlay));
		if (view->overlay->own != NULL) {
			plan_steps(view, view->overlay->own, &newest, until);
		}
	}
	if (view->keyed->key_count > 0) {
		step_note(view->ds_from, view->now, &newest, until);
	}
	own_keys_steps(view, &newest, until);
	return newest;
}

int mail_view_rrset(mail_view_t *view, const mail_node_t *node, uint16_t type,
                    const knot_dname_t *owner, knot_mm_t *mm, knot_rrset_t *rrset, uint16_t *kind,
                    int64_t *until)
{
	const bool plain = node->steady &&
	                   !node->child; /* Nothing hides what it has of the type. */
	if (type == 0 || (!plain && !mail_node_has(view, node, type))) {
		return KNOT_ENOENT;
	}
	knot_rrset_init(rrset, (knot_dname_t *)owner, type, KNOT_CLASS_IN, 0);
	making_t making = { view, mm, rrset, INT64_MAX, MAIL_KIND_COUNT };
	int ret = node_add(&making, node, type);
	if (ret != KNOT_EOK || knot_rrset_empty(rrset)) {
		return ret != KNOT_EOK ? ret : KNOT_ENOENT;
	}
	if (type == KNOT_RRTYPE_SOA) {
		knot_soa_serial_set(rrset->rrs.rdata, serial(view, &making.until));
	}
	view->ttl = rrset->ttl;
	rrset->ttl = mail_ttl_cap(rrset->ttl, view->now, making.until);
	*kind = making.kind;
	if (until != NULL) {
		*until = making.until;
	}
	return KNOT_EOK;
}

uint32_t mail_view_serial(mail_view_t *view)
{
	int64_t until = INT64_MAX;
	return serial(view, &until);
}
