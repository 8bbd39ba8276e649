/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DNSSEC records of an answer (RFC 4035 3.1): RRSIGs come behind the RRsets of their section, as knotd has
 * them; denials are links of the domain's NSEC chain.
 */
#include "config.h"

#include "answer/work.h"
#include "plan/kinds.h"

/*! Labels of the closest encloser of the name at hand, when the place is its wildcard, or none. */
static size_t encloser_labels(const mail_work_t *work)
{
	return mail_lf_labels(mail_lf(&work->place.lf)) - 1;
}

/*! The next closer name of the name at hand: one label more than its closest encloser. */
static const knot_dname_t *closer_name(const mail_work_t *work)
{
	const knot_dname_t *name = work->name;
	for (size_t labels = mail_lf_labels(mail_lf(work->lf)); labels > encloser_labels(work) + 1;
	     labels--) {
		name = mail_name_parent(name);
	}
	return name;
}

void mail_work_wildcard(mail_work_t *work)
{
	if (work->closer_count < sizeof(work->closer) / sizeof(work->closer[0])) {
		work->closer[work->closer_count++] = closer_name(work);
	}
}

/*! Return whether signatures are made within the budget only: over TCP nobody can hide who he is. */
static unsigned sign_bound(const mail_work_t *work)
{
	return work->udp ? 0 : MAIL_SIGN_UNBOUNDED;
}

/*! Make the NSEC of a link, in the packet's memory. */
static int nsec_make(mail_work_t *work, mail_link_t *link, knot_rrset_t *rrset,
                     mail_sign_note_t *note)
{
	note->sign = true;
	/* What is of no use for another question is not cached. */
	note->flags = link->fleeting ? MAIL_SIGN_FLEETING : MAIL_SIGN_CACHED;
	int ret = mail_view_nsec(&work->view, link, &work->pkt->mm, rrset, &note->ttl);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF
		                          : ret; /* It is not the packet that has no room. */
	}
	knot_mm_t *mm = &work->pkt->mm;
	const size_t len = knot_dname_size(link->owner);
	rrset->owner = mm->alloc(mm->ctx, len);
	if (rrset->owner == NULL) {
		return KNOT_ENOMEM;
	}
	memcpy(rrset->owner, link->owner, len);
	note->owner = rrset->owner;
	return KNOT_EOK;
}

/*! Put the NSEC of a link, once. \param ret What finding the link returned. */
static int nsec_put(mail_work_t *work, int ret, mail_link_t *link)
{
	knot_rrset_t rrset;
	mail_sign_note_t note;
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	if (mail_work_seen(work, KNOT_RRTYPE_NSEC, link->owner) != NULL) {
		return KNOT_EOK;
	}
	ret = nsec_make(work, link, &rrset, &note);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL, &note);
}

static int prove_match(mail_work_t *work, mail_lf_t name)
{
	mail_link_t link;
	return nsec_put(work, mail_chain_match(&work->view, name, &link), &link);
}

static int prove_cover(mail_work_t *work, mail_lf_t name, bool below)
{
	mail_link_t link;
	return nsec_put(work, mail_chain_cover(&work->view, name, below, &link), &link);
}

/*! Prove that a name has records, but not of the type: or none at all, but names below. */
static int prove_nodata(mail_work_t *work)
{
	const mail_place_t *place = &work->place;
	if (place->where == MAIL_CUT || mail_node_type(&work->view, &place->node, 0) != 0) {
		return prove_match(work, mail_lf(&place->lf));
	}
	return prove_cover(work, mail_lf(&place->lf), true);
}

/*! Prove that no name is nearer to the question than the wildcard that answered. */
static int prove_wildcards(mail_work_t *work)
{
	for (unsigned i = 0; i < work->closer_count; i++) {
		mail_lf_storage_t lf;
		mail_name_lf(work->closer[i], &lf);
		int ret = prove_cover(work, mail_lf(&lf), false);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Prove that there is neither the name nor a wildcard for it (RFC 4035 3.1.3.2). */
static int prove_nothing(mail_work_t *work)
{
	mail_lf_storage_t lf;
	mail_name_lf(closer_name(work), &lf);
	int ret = prove_cover(work, mail_lf(&lf), false);
	if (ret != KNOT_EOK || work->place.lf.len == 0) {
		return ret;
	}
	return prove_cover(work, mail_lf(&work->place.lf), false);
}

/*! The DS of a cut, from a stored domain there or from its `delegation`. */
static int cut_ds(mail_work_t *work, knot_rrset_t *rrset, mail_sign_note_t *note)
{
	knot_mm_t *mm = &work->pkt->mm;
	mail_place_t *cut = &work->place;
	const knot_dname_t *owner = mail_work_above(work->name, mail_lf(work->lf), cut);
	*note = (mail_sign_note_t){ .sign = true, .owner = owner };
	if (cut->node.child) {
		mail_ds_t ds;
		int ret = mail_view_child_ds(&work->view, owner, mail_lf(&cut->lf), mm, &ds);
		*rrset = ds.rrset;
		note->ttl = ds.ttl;
		/* Of a child that cannot be read nothing is signed that could be wrong. */
		return ret == KNOT_EMALF && !work->signs ? KNOT_ENOENT : ret;
	}
	uint16_t kind;
	int ret = mail_view_rrset(&work->view, &cut->node, KNOT_RRTYPE_DS, owner, mm, rrset, &kind,
	                          NULL);
	note->ttl = work->view.ttl;
	return ret;
}

int mail_work_child_ds(mail_work_t *work)
{
	knot_rrset_t rrset;
	mail_sign_note_t note;
	int ret = cut_ds(work, &rrset, &note);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool first = work->pkt->rrset_count == 0;
	if (first && work->place.node.child) {
		work->kind = MAIL_KIND_CHILD;
	}
	return mail_work_put(work, first ? KNOT_COMPR_HINT_QNAME : KNOT_COMPR_HINT_NONE, &rrset,
	                     mail_work_flags(work), &note);
}

/*! A referral says whether the other side of the cut is signed (RFC 4035 3.1.4). */
static int prove_cut(mail_work_t *work)
{
	knot_rrset_t rrset;
	mail_sign_note_t note;
	int ret = cut_ds(work, &rrset, &note);
	if (ret == KNOT_EOK) {
		return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL, &note);
	}
	return ret == KNOT_ENOENT ? prove_match(work, mail_lf(&work->place.lf)) : ret;
}

int mail_work_prove(mail_work_t *work, mail_answer_step_t step)
{
	int ret = KNOT_EOK;
	switch (step) {
	case STEP_MISS: ret = prove_nothing(work); break;
	case STEP_NODATA: ret = prove_nodata(work); break;
	case STEP_REFERRAL: ret = prove_cut(work); break;
	default: break;
	}
	return ret == KNOT_EOK ? prove_wildcards(work) : ret;
}

int mail_work_rrsig(mail_work_t *work)
{
	knot_rrset_t rrset, rrsigs;
	mail_signing_t signing = { .rrset = &rrset,
		                   .owner = work->name,
		                   .flags = sign_bound(work) };
	const mail_node_t *node = &work->place.node;
	uint16_t kind;
	int ret = mail_view_rrset(&work->view, node, mail_node_type(&work->view, node, 0),
	                          work->name, &work->pkt->mm, &rrset, &kind, NULL);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	signing.ttl = work->view.ttl;
	if (work->place.where == MAIL_WILDCARD) {
		signing.owner = mail_work_owner(work, &work->place);
		if (signing.owner == NULL) {
			return KNOT_ENOMEM;
		}
	}
	ret = mail_view_sign(&work->view, work->signer, &signing, &work->pkt->mm, &rrsigs);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const mail_sign_note_t note = { .sign = false };
	return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrsigs, mail_work_flags(work), &note);
}

int mail_work_nsec(mail_work_t *work)
{
	mail_link_t link;
	knot_rrset_t rrset;
	mail_sign_note_t note;
	int ret = mail_chain_match(&work->view, mail_lf(&work->place.lf), &link);
	if (ret == KNOT_EOK) {
		ret = nsec_make(work, &link, &rrset, &note);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (work->place.where == MAIL_WILDCARD) {
		rrset.owner = (knot_dname_t *)work->name;
	}
	return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, mail_work_flags(work), &note);
}

int mail_work_rrsigs(mail_work_t *work, const knot_rrset_t *rrset, const mail_sign_note_t *note,
                     knot_rrset_t *rrsigs)
{
	const mail_signing_t signing = { rrset, note->owner, note->ttl,
		                         note->flags | sign_bound(work) };
	int ret = mail_view_sign(&work->view, work->signer, &signing, &work->pkt->mm, rrsigs);
	return ret == KNOT_EOK && knot_rrset_empty(rrsigs) ? KNOT_ENOENT : ret;
}

/*! Put the RRSIGs of one RRset of the packet. */
static int sign_one(mail_work_t *work, uint16_t index, uint16_t flags)
{
	const knot_rrset_t rrset = work->pkt->rr[index]; /* The array moves when it grows. */
	const mail_sign_note_t unsigned_note = { .sign = false };
	knot_rrset_t rrsigs;
	int ret = mail_work_rrsigs(work, &rrset, &work->notes[index], &rrsigs);
	if (ret != KNOT_EOK) {
		work->lasting = false;
		return ret;
	}
	const uint16_t hint = knot_compr_hint(&work->pkt->rr_info[index], KNOT_COMPR_HINT_OWNER);
	return mail_work_put(work, hint, &rrsigs, flags, &unsigned_note);
}

mail_answer_step_t mail_work_sign(mail_work_t *work, uint16_t first, bool optional,
                                  mail_answer_step_t step)
{
	const uint16_t count = work->pkt->rrset_count;
	if (!work->dnssec || step >= STEP_TRUNCATED) {
		return step;
	}
	for (uint16_t i = first; i < count; i++) {
		if (!work->notes[i].sign) {
			continue;
		}
		int ret = sign_one(work, i, optional ? KNOT_PF_NOTRUNC : KNOT_PF_NULL);
		if (optional && (ret == KNOT_ESPACE || ret == KNOT_ELIMIT)) {
			return step;
		}
		if (ret != KNOT_EOK && ret != KNOT_ESPACE && ret != KNOT_ELIMIT) {
			return mail_work_fail(work, ret, "a record cannot be signed");
		}
		if (ret != KNOT_EOK) {
			return mail_work_step(work, ret, step);
		}
	}
	return step;
}
