/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The additional section: addresses of the names in RDATA, as knotd has them (RFC 1034 4.3.2, RFC 9471).
 */
#include "config.h"

#include "answer/work.h"

/*! A name in RDATA whose addresses are wanted. */
typedef struct {
	const knot_dname_t *name;
	uint8_t key[MAIL_KEY_MAX];
	size_t len;
	mail_place_t place;
	bool glue;  /*!< It lies below a cut whose name servers are asked for. */
	bool below; /*!< It lies at or below a cut: its addresses are not signed (RFC 4035 2.2). */
	uint16_t hint;  /*!< Where the name stands in the packet, for compression as knotd's. */
	uint16_t flags; /*!< Whether the addresses may be left out. */
} target_t;

/*! Puts the addresses of a node; *done is what the last put said. */
static int put_addresses(work_t *work, mail_view_t *view, const mail_node_t *node,
                         const target_t *target, int *done)
{
	static const uint16_t types[] = { KNOT_RRTYPE_A, KNOT_RRTYPE_AAAA };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		knot_rrset_t rrset;
		uint16_t kind;
		if (mail_work_seen(work, types[i], target->name) != NULL) {
			continue;
		}
		int ret = mail_view_rrset(view, node, types[i], target->name, &work->pkt->mm,
		                          &rrset, &kind, NULL);
		if (ret == KNOT_ENOENT) {
			continue;
		}
		if (ret == KNOT_EOK) {
			note_t note = { .sign = view == &work->view && !target->below,
				        .ttl = view->ttl,
				        .owner = target->name };
			if (work->dnssec && target->place.where == MAIL_WILDCARD) {
				/* What the wildcard has is signed as the wildcard's (RFC 4035 2.2). */
				note.owner = mail_work_owner(work, &target->place);
			}
			ret = note.owner != NULL ? mail_work_put(work, target->hint, &rrset,
			                                         target->flags, &note)
			                         : KNOT_ENOMEM;
			*done = ret;
		}
		if (ret != KNOT_EOK) {
			return ret == KNOT_ESPACE ? KNOT_EOK : ret;
		}
	}
	return KNOT_EOK;
}

/*!
 * Puts the addresses of a target in a stored domain below this one. What this domain knows of them is what
 * a zone would have as glue: those of the child's name servers. A child that is damaged gives none.
 */
static int put_child_glue(work_t *work, const target_t *target, int *done)
{
	knot_rrset_t ns;
	const knot_dname_t *owner = mail_work_above(target->name, target->key, target->len,
	                                            &target->place);
	bool named = false;
	if (mail_work_child_ns(work, owner, &target->place, &ns) == KNOT_EOK) {
		knot_rdata_t *rdata = ns.rrs.rdata;
		for (uint16_t i = 0; i < ns.rrs.count && !named; i++) {
			named = knot_dname_is_case_equal(knot_ns_name(rdata), target->name);
			rdata = knot_rdataset_next(rdata);
		}
	}
	mail_view_t nearest;
	mail_node_t node;
	if (!named ||
	    mail_work_other(work, target->name, target->key, target->len, &nearest) != KNOT_EOK ||
	    mail_view_node(&nearest, target->key, target->len, &node) != KNOT_EOK) {
		return KNOT_EOK;
	}
	return put_addresses(work, &nearest, &node, target, done);
}

/*! Puts the addresses of one target. */
static int put_target(work_t *work, target_t *target, int *done)
{
	mail_place_t *place = &target->place;
	int ret = KNOT_EOK;
	if (place->where == MAIL_CUT && place->node.child) {
		return put_child_glue(work, target, done);
	}
	if (place->where == MAIL_CUT) {
		/* Addresses below a cut are glue. */
		ret = mail_view_node(&work->view, target->key, target->len, &place->node);
	} else if (place->where != MAIL_FOUND && place->where != MAIL_WILDCARD) {
		return KNOT_EOK;
	}
	return ret == KNOT_EOK ? put_addresses(work, &work->view, &place->node, target, done) : ret;
}

/*!
 * Addresses for the targets of one RRset, which is the index-th of the packet: those of one pass.
 *
 * \param glue  The pass: name servers below their own cut, or all the others.
 * \param done  Out: what the last put said. One that does not fit does not keep out smaller ones.
 */
static int additional_of(work_t *work, uint16_t index, step_t step, bool glue, int *done)
{
	/* The packet's arrays move when it grows. */
	const knot_rrset_t rrset = work->pkt->rr[index];
	const mail_view_t *view = &work->view;
	uint8_t owner[MAIL_KEY_MAX];
	const size_t owner_len = rrset.type == KNOT_RRTYPE_NS ? mail_name_key(rrset.owner, owner)
	                                                      : 0;
	knot_rdata_t *rdata = rrset.rrs.rdata;
	for (uint16_t i = 0; i < rrset.rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		target_t target; /* Two keys: what is read is set. */
		target.name = knot_rdata_name(rdata, rrset.type);
		target.len = mail_name_key(target.name, target.key);
		target.hint = knot_compr_hint(&work->pkt->rr_info[index],
		                              KNOT_COMPR_HINT_RDATA + i);
		if (!mail_key_in(target.key, target.len, view->key, view->key_len)) {
			continue;
		}
		int ret = mail_view_place(view, target.key, target.len, true, &target.place);
		target.below = target.place.where == MAIL_CUT;
		target.glue = target.place.where == MAIL_CUT && rrset.type == KNOT_RRTYPE_NS &&
		              mail_key_in(target.key, target.len, owner, owner_len);
		/* Without its glue a referral is of no use (RFC 9471). */
		target.flags = target.glue && step == STEP_REFERRAL ? KNOT_PF_NULL
		                                                    : KNOT_PF_NOTRUNC;
		if (ret == KNOT_EOK && target.glue == glue) {
			ret = put_target(work, &target, done);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! The additional section: what does not fit is left out, but for glue, which comes first. */
step_t mail_work_additional(work_t *work, step_t step)
{
	const uint16_t count = work->pkt->rrset_count;
	int done = KNOT_EOK;
	for (uint16_t i = 0; i < count && done == KNOT_EOK; i++) {
		const uint16_t type = work->pkt->rr[i].type;
		if (!knot_rrtype_additional_needed(type)) {
			continue;
		}
		int ret = type == KNOT_RRTYPE_NS ? additional_of(work, i, step, true, &done)
		                                 : KNOT_EOK;
		if (ret == KNOT_EOK) {
			ret = additional_of(work, i, step, false, &done);
		}
		if (ret != KNOT_EOK) {
			return mail_work_fail(work, ret, "an address cannot be rendered");
		}
	}
	return step;
}
