/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The additional section: addresses of the names in RDATA, as knotd has them (RFC 1034 4.3.2, RFC 9471).
 */
#include "config.h"

#include "answer/work.h"

/*! A name in RDATA whose addresses are wanted. */
typedef struct {
	const knot_dname_t *name;
	mail_lf_storage_t lf;
	mail_place_t place;
	bool glue;  /*!< It lies below a cut whose name servers are asked for. */
	bool below; /*!< It lies at or below a cut: its addresses are not signed (RFC 4035 2.2). */
	uint16_t hint;  /*!< Where the name stands in the packet, for compression as knotd's. */
	uint16_t flags; /*!< Whether the addresses may be left out. */
} target_t;

/*!
 * \brief Put the addresses of a node.
 *
 * \param view  What the node is of: the question's, or that of a stored domain below.
 * \param put   What the last put said; as it was, when there was none.
 */
static int put_addresses(mail_work_t *work, mail_view_t *view, const mail_node_t *node,
                         const target_t *target, int *put)
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
		if (ret != KNOT_EOK) {
			return ret == KNOT_ESPACE ? KNOT_EOK : ret;
		}
		mail_sign_note_t note = { .sign = view == &work->view && !target->below,
			                  .ttl = view->ttl,
			                  .owner = target->name };
		if (work->dnssec && target->place.where == MAIL_WILDCARD) {
			/* What the wildcard has is signed as the wildcard's (RFC 4035 2.2). */
			note.owner = mail_work_owner(work, &target->place);
			if (note.owner == NULL) {
				*put = KNOT_ENOMEM;
				return KNOT_ENOMEM;
			}
		}
		*put = mail_work_put(work, target->hint, &rrset, target->flags, &note);
		if (*put != KNOT_EOK) {
			return *put == KNOT_ESPACE ? KNOT_EOK : *put;
		}
	}
	return KNOT_EOK;
}

/*! Return whether a stored domain below, at the target's cut, names the target as a name server. */
static bool is_child_ns(mail_work_t *work, const target_t *target)
{
	knot_rrset_t ns;
	const knot_dname_t *owner = mail_work_above(target->name, mail_lf(&target->lf),
	                                            &target->place);
	if (mail_work_child_ns(work, owner, &target->place, &ns) != KNOT_EOK) {
		return false;
	}
	knot_rdata_t *rdata = ns.rrs.rdata;
	for (uint16_t i = 0; i < ns.rrs.count; i++) {
		if (knot_dname_is_case_equal(knot_ns_name(rdata), target->name)) {
			return true;
		}
		rdata = knot_rdataset_next(rdata);
	}
	return false;
}

/*!
 * \brief Put the addresses of one target.
 *
 * Of a target in a stored domain below this one, what this domain knows is what a zone would have as glue: the
 * addresses of the child's name servers. A child that is damaged gives none.
 */
static int put_target(mail_work_t *work, target_t *target, int *put)
{
	mail_place_t *place = &target->place;
	mail_view_t nearest;
	mail_node_t node;
	int ret;
	switch (place->where) {
	case MAIL_FOUND:
	case MAIL_WILDCARD: return put_addresses(work, &work->view, &place->node, target, put);
	case MAIL_CUT: break;
	default: return KNOT_EOK;
	}
	if (!place->node.child) {
		ret = mail_view_node(&work->view, mail_lf(&target->lf), &node);
		return ret == KNOT_EOK ? put_addresses(work, &work->view, &node, target, put) : ret;
	}
	if (!is_child_ns(work, target) ||
	    mail_work_other(work, target->name, mail_lf(&target->lf), &nearest) != KNOT_EOK ||
	    mail_view_node(&nearest, mail_lf(&target->lf), &node) != KNOT_EOK) {
		return KNOT_EOK;
	}
	return put_addresses(work, &nearest, &node, target, put);
}

/*!
 * \brief Put addresses for the targets of one RRset, which is the index-th of the packet: those of one pass.
 *
 *     pass    targets                                     what does not fit
 *     glue    name servers below the cut that they serve  of a referral: truncates (RFC 9471); else is left out
 *     others  all others in the domain                    is left out, and does not keep out smaller ones
 *
 * \param glue  The pass.
 * \param put   Out: what the last put said.
 */
static int additional_of(mail_work_t *work, uint16_t index, mail_answer_step_t step, bool glue,
                         int *put)
{
	/* The packet's arrays move when it grows. */
	const knot_rrset_t rrset = work->pkt->rr[index];
	const bool servers = rrset.type == KNOT_RRTYPE_NS;
	mail_lf_storage_t owner;
	if (servers) {
		mail_name_lf(rrset.owner, &owner);
	}
	knot_rdata_t *rdata = rrset.rrs.rdata;
	for (uint16_t i = 0; i < rrset.rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		target_t target; /* Two names: what is read is set. */
		target.name = knot_rdata_name(rdata, rrset.type);
		mail_name_lf(target.name, &target.lf);
		const mail_lf_t lf = mail_lf(&target.lf);
		if (!mail_lf_in(lf, mail_lf(&work->view.lf))) {
			continue;
		}
		int ret = mail_work_place(work, lf, true, &target.place);
		if (ret != KNOT_EOK) {
			return ret;
		}
		target.below = target.place.where == MAIL_CUT;
		target.glue = target.below && servers && mail_lf_in(lf, mail_lf(&owner));
		if (target.glue != glue) {
			continue;
		}
		target.hint = knot_compr_hint(&work->pkt->rr_info[index],
		                              KNOT_COMPR_HINT_RDATA + i);
		target.flags = glue && step == STEP_REFERRAL ? KNOT_PF_NULL : KNOT_PF_NOTRUNC;
		ret = put_target(work, &target, put);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

mail_answer_step_t mail_work_additional(mail_work_t *work, mail_answer_step_t step)
{
	const uint16_t count = work->pkt->rrset_count;
	int put = KNOT_EOK;
	for (uint16_t i = 0; i < count; i++) {
		const uint16_t type = work->pkt->rr[i].type;
		if (!knot_rrtype_additional_needed(type)) {
			continue;
		}
		int ret = KNOT_EOK;
		if (type == KNOT_RRTYPE_NS) {
			ret = additional_of(work, i, step, true, &put);
		}
		if (ret == KNOT_EOK) {
			ret = additional_of(work, i, step, false, &put);
		}
		if (ret != KNOT_EOK) {
			return mail_work_fail(work, ret, "an address cannot be rendered");
		}
		if (put != KNOT_EOK) {
			break;
		}
	}
	return step;
}
