/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "answer/work.h"
#include "mail/kind.h"

/*! Notes of so many RRsets at first: most answers have less. */
#define NOTES_FEW 16

void mail_work_begin(mail_work_t *work, knot_pkt_t *pkt, bool udp, mail_lf_storage_t *lf,
                     char *reason)
{
	/* Several KiB of names: what is read is set. */
	work->pkt = pkt;
	work->udp = udp;
	work->lf = lf;
	work->chain = 0;
	work->kind = MAIL_KIND_COUNT;
	work->rcode = KNOT_RCODE_NOERROR;
	work->ede = KNOT_EDNS_EDE_INV_DATA;
	work->lasting = true;
	work->reason = reason;
	work->reason[0] = '\0';
	work->children = work->signs = work->dnssec = false;
	work->signer = NULL;
	work->notes = NULL;
	work->note_max = 0;
	work->closer_count = 0;
}

void mail_work_name(mail_work_t *work, const knot_dname_t *name)
{
	work->name = name;
	mail_name_lf(name, work->lf);
}

void mail_work_reason(char *reason, const knot_dname_t *name, int code, const char *what)
{
	knot_dname_txt_storage_t text = "?";
	(void)knot_dname_to_str(text, name, sizeof(text));
	(void)snprintf(reason, sizeof(((mail_reply_t *)NULL)->reason), "%.100s: %.140s (%.60s)",
	               text, what, knot_strerror(code));
}

mail_answer_step_t mail_work_fail(mail_work_t *work, int code, const char *what)
{
	if (work->reason[0] == '\0') {
		mail_work_reason(work->reason, work->name, code, what);
	}
	return STEP_FAILED;
}

mail_answer_step_t mail_work_step(mail_work_t *work, int ret, mail_answer_step_t done)
{
	switch (ret) {
	case KNOT_EOK: return done;
	case KNOT_ESPACE: return STEP_TRUNCATED;
	case KNOT_ELIMIT:
		/* Over TCP nobody can hide who he is: there is no limit. */
		knot_wire_set_tc(work->pkt->wire);
		return STEP_TRUNCATED;
	default: return mail_work_fail(work, ret, "a record cannot be rendered");
	}
}

uint16_t mail_work_flags(const mail_work_t *work)
{
	return work->udp ? KNOT_PF_NULL : KNOT_PF_NOTRUNC;
}

const knot_rrset_t *mail_work_seen(const mail_work_t *work, uint16_t type,
                                   const knot_dname_t *owner)
{
	for (uint16_t i = 0; i < work->pkt->rrset_count; i++) {
		const knot_rrset_t *rrset = &work->pkt->rr[i];
		if (rrset->type == type && knot_dname_is_case_equal(rrset->owner, owner)) {
			return rrset;
		}
	}
	return NULL;
}

bool mail_work_follows(uint16_t qtype)
{
	return qtype != KNOT_RRTYPE_CNAME && qtype != KNOT_RRTYPE_ANY &&
	       qtype != KNOT_RRTYPE_RRSIG && qtype != KNOT_RRTYPE_NSEC;
}

uint16_t mail_work_type(const mail_work_t *work)
{
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	return qtype == KNOT_RRTYPE_ANY ? mail_node_type(&work->view, &work->place.node, 0) : qtype;
}

mail_answer_step_t mail_work_own(const mail_work_t *work)
{
	const mail_node_t *node = &work->place.node;
	const uint16_t first = mail_node_type(&work->view, node, 0);
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	if (first == KNOT_RRTYPE_CNAME && mail_work_follows(qtype)) {
		return STEP_CNAME;
	}
	const uint16_t type = qtype == KNOT_RRTYPE_ANY ? first : qtype;
	if (first == 0 || type == 0) {
		return STEP_NODATA;
	}
	return first == type || mail_node_has(&work->view, node, type) ? STEP_TYPE : STEP_NODATA;
}

int mail_work_make(mail_work_t *work, uint16_t type, const knot_dname_t *owner, knot_rrset_t *rrset,
                   int64_t *until)
{
	uint16_t kind;
	int ret = mail_view_rrset(&work->view, &work->place.node, type, owner, &work->pkt->mm,
	                          rrset, &kind, until);
	if (ret != KNOT_EOK) {
		/* No room in a name is not the packet's fault. */
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	if (work->place.where == MAIL_WILDCARD && work->pkt->current == KNOT_ANSWER) {
		/* A name that appears takes the wildcard's answer away. */
		rrset->ttl = mail_ttl_cap(rrset->ttl, work->view.now, work->place.until);
	}
	if (work->kind == MAIL_KIND_COUNT) {
		work->kind = kind;
	}
	return KNOT_EOK;
}

int mail_work_place(mail_work_t *work, mail_lf_t name, bool children, mail_place_t *place)
{
	int ret = mail_view_place(&work->view, name, children, place);
	const bool cut = place->where == MAIL_CUT || place->where == MAIL_DNAME;
	if (ret != KNOT_EOK || cut || place->until != INT64_MAX || place->node.own_key ||
	    place->node.report) {
		work->lasting = false;
	}
	return ret;
}

/*! Make room for the note of one more RRset. The packet's memory ends with the packet. */
static int notes_grow(mail_work_t *work)
{
	knot_mm_t *mm = &work->pkt->mm;
	const size_t max = work->note_max == 0 ? NOTES_FEW : 2 * work->note_max;
	mail_sign_note_t *notes = mm->alloc(mm->ctx, max * sizeof(*notes));
	if (notes == NULL) {
		return KNOT_ENOMEM;
	}
	if (work->note_max > 0) {
		memcpy(notes, work->notes, work->note_max * sizeof(*notes));
	}
	memset(notes + work->note_max, 0, (max - work->note_max) * sizeof(*notes));
	work->notes = notes;
	work->note_max = max;
	return KNOT_EOK;
}

int mail_work_put(mail_work_t *work, uint16_t hint, const knot_rrset_t *rrset, uint16_t flags,
                  const mail_sign_note_t *note)
{
	const uint16_t index = work->pkt->rrset_count;
	if (work->dnssec && index >= work->note_max && notes_grow(work) != KNOT_EOK) {
		return KNOT_ENOMEM;
	}
	int ret = knot_pkt_put(work->pkt, hint, rrset, flags);
	if (ret != KNOT_EOK) {
		work->lasting = false;
		return ret;
	}
	if (work->dnssec) {
		work->notes[index] = *note;
	}
	return KNOT_EOK;
}

int mail_work_node(mail_work_t *work, uint16_t type, const knot_dname_t *owner, uint16_t flags)
{
	knot_rrset_t rrset;
	int ret = mail_work_make(work, type, owner, &rrset, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool answer = work->pkt->current == KNOT_ANSWER;
	mail_sign_note_t note = { .sign = answer, .ttl = work->view.ttl, .owner = owner };
	if (work->dnssec && answer && work->place.where == MAIL_WILDCARD) {
		/* What the wildcard has is signed as the wildcard's (RFC 4035 2.2). */
		note.owner = mail_work_owner(work, &work->place);
		if (note.owner == NULL) {
			return KNOT_ENOMEM;
		}
	}
	/* The first RRset of the packet echoes the question's spelling. */
	const knot_dname_t *qname = knot_pkt_qname(work->pkt);
	const bool echo = work->pkt->rrset_count == 0 && answer &&
	                  (owner == qname || knot_dname_is_equal(owner, qname));
	return mail_work_put(work, echo ? KNOT_COMPR_HINT_QNAME : KNOT_COMPR_HINT_NONE, &rrset,
	                     flags, &note);
}

bool mail_work_chain(mail_work_t *work)
{
	return ++work->chain <= MAIL_WORK_CHAIN_MAX &&
	       mail_work_seen(work, KNOT_RRTYPE_CNAME, work->name) == NULL;
}

mail_answer_step_t mail_work_cname(mail_work_t *work)
{
	if (!mail_work_chain(work)) {
		return STEP_HIT;
	}
	int ret = mail_work_node(work, KNOT_RRTYPE_CNAME, work->name, KNOT_PF_NULL);
	if (ret == KNOT_EOK) {
		const knot_rrset_t *cname = &work->pkt->rr[work->pkt->rrset_count - 1];
		mail_work_name(work, knot_cname_name(cname->rrs.rdata));
	}
	return mail_work_step(work, ret, STEP_FOLLOW);
}

const knot_dname_t *mail_work_owner(mail_work_t *work, const mail_place_t *place)
{
	knot_dname_storage_t name;
	if (mail_name_from_lf(mail_lf(&place->lf), name) != KNOT_EOK) {
		return NULL;
	}
	knot_mm_t *mm = &work->pkt->mm;
	const size_t len = knot_dname_size(name);
	knot_dname_t *copy = mm->alloc(mm->ctx, len);
	return copy != NULL ? memcpy(copy, name, len) : NULL;
}

const knot_dname_t *mail_work_above(const knot_dname_t *name, mail_lf_t lf,
                                    const mail_place_t *place)
{
	unsigned above = mail_lf_labels(lf) - mail_lf_labels(mail_lf(&place->lf));
	while (above-- > 0) {
		name = mail_name_parent(name);
	}
	return name;
}

mail_outcome_t mail_work_outcome(mail_answer_step_t step)
{
	switch (step) {
	case STEP_STANDS: return MAIL_OUTCOME_NONE;
	case STEP_NODATA: return MAIL_OUTCOME_NODATA;
	case STEP_MISS: return MAIL_OUTCOME_NXDOMAIN;
	case STEP_REFERRAL: return MAIL_OUTCOME_REFERRAL;
	case STEP_TRUNCATED: return MAIL_OUTCOME_TRUNCATED;
	case STEP_FAILED: return MAIL_OUTCOME_FAILED;
	default: return MAIL_OUTCOME_ANSWER;
	}
}
