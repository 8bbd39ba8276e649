/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question answered as knotd answers it from a zone: RFC 1034 4.3.2, RFC 2308 for negative answers,
 * RFC 6672 for DNAME.  What a section holds, and what happens when it does not fit, follows knotd's
 * nameserver/internet.c, so that nobody can tell a hosted domain from a zone.
 */
#include "config.h"

#include <stdio.h>

#include "answer/rendered.h"
#include "mail/kind.h"

/*! Make the CNAME that a DNAME stands for, and follow it (RFC 6672 3.1). */
static mail_answer_step_t dname_cname(mail_work_t *work, const knot_rrset_t *dname)
{
	const size_t labels = knot_dname_labels(dname->owner, NULL);
	const knot_dname_t *target = knot_dname_target(dname->rrs.rdata);
	if (knot_dname_size(work->name) - knot_dname_size(dname->owner) + knot_dname_size(target) >
	    KNOT_DNAME_MAXLEN) {
		work->rcode = KNOT_RCODE_YXDOMAIN;
		return STEP_HIT;
	}
	knot_dname_t *cname = knot_dname_replace_suffix(work->name, labels, target, &work->pkt->mm);
	if (cname == NULL) {
		return mail_work_fail(work, KNOT_ENOMEM, "a DNAME cannot be followed");
	}
	knot_rrset_t rrset;
	knot_rrset_init(&rrset, (knot_dname_t *)work->name, KNOT_RRTYPE_CNAME, KNOT_CLASS_IN,
	                dname->ttl);
	int ret = knot_rrset_add_rdata(&rrset, cname, knot_dname_size(cname), &work->pkt->mm);
	if (ret == KNOT_EOK) {
		/* It is not signed: the DNAME's signature vouches for it (RFC 6672 5.3.1). */
		const mail_sign_note_t unsigned_note = { .sign = false };
		ret = mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL,
		                    &unsigned_note);
	}
	if (ret != KNOT_EOK) {
		return mail_work_step(work, ret, STEP_FAILED);
	}
	if (knot_pkt_qtype(work->pkt) == KNOT_RRTYPE_CNAME) {
		return STEP_HIT;
	}
	mail_work_name(work, knot_cname_name(rrset.rrs.rdata));
	return STEP_FOLLOW;
}

static mail_answer_step_t follow_dname(mail_work_t *work)
{
	const knot_dname_t *owner = mail_work_above(work->name, mail_lf(work->lf), &work->place);
	if (++work->chain > MAIL_WORK_CHAIN_MAX) {
		return STEP_HIT;
	}
	/* A chain may come by the same DNAME again, with another name below it. */
	const knot_rrset_t *there = mail_work_seen(work, KNOT_RRTYPE_DNAME, owner);
	if (there == NULL) {
		int ret = mail_work_node(work, KNOT_RRTYPE_DNAME, owner, KNOT_PF_NULL);
		if (ret != KNOT_EOK) {
			return mail_work_step(work, ret, STEP_FAILED);
		}
		there = &work->pkt->rr[work->pkt->rrset_count - 1];
	}
	const knot_rrset_t dname = *there; /* The packet's array moves when it grows. */
	return dname_cname(work, &dname);
}

/*! The node is found: its records of the type, or its alias, or nothing. */
static mail_answer_step_t name_found(mail_work_t *work)
{
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	if (work->place.where == MAIL_WILDCARD) {
		mail_work_wildcard(work);
	}
	const uint16_t first = work->place.node.first;
	const bool proof = qtype == KNOT_RRTYPE_RRSIG || qtype == KNOT_RRTYPE_NSEC;
	if (work->signs && proof && first != 0) {
		int ret = qtype == KNOT_RRTYPE_RRSIG ? mail_work_rrsig(work) : mail_work_nsec(work);
		return mail_work_step(work, ret, STEP_HIT);
	}
	if (first == KNOT_RRTYPE_CNAME && mail_work_follows(qtype)) {
		return mail_work_cname(work);
	}
	/* ANY: one RRset, that of the lowest type (RFC 8482 4.1). */
	const uint16_t type = qtype == KNOT_RRTYPE_ANY ? first : qtype;
	int ret = mail_work_node(work, type, work->name, mail_work_flags(work));
	return ret == KNOT_ENOENT ? STEP_NODATA : mail_work_step(work, ret, STEP_HIT);
}

/*! The name is at or below a cut. DS belongs to the parent's side of it (RFC 4035 3.1.4.1). */
static mail_answer_step_t name_cut(mail_work_t *work)
{
	if (!work->place.at_cut || knot_pkt_qtype(work->pkt) != KNOT_RRTYPE_DS) {
		return STEP_REFERRAL;
	}
	if (!work->place.node.child) {
		return name_found(work);
	}
	int ret = mail_work_child_ds(work);
	return ret == KNOT_ENOENT ? STEP_NODATA : mail_work_step(work, ret, STEP_HIT);
}

/*! Look up the name at hand, which lies in the domain. */
static mail_answer_step_t name_step(mail_work_t *work, bool children)
{
	int ret = mail_work_place(work, mail_lf(work->lf), children, &work->place);
	if (ret != KNOT_EOK) {
		return mail_work_fail(work, ret, "an entry below the domain is damaged");
	}
	switch (work->place.where) {
	case MAIL_FOUND:
	case MAIL_WILDCARD: return name_found(work);
	case MAIL_DNAME: return follow_dname(work);
	case MAIL_CUT: return name_cut(work);
	default: return STEP_MISS;
	}
}

/*! Fill the answer section: the question's name and the chain of aliases from there. */
static mail_answer_step_t answer_section(mail_work_t *work)
{
	mail_answer_step_t step = name_step(work, work->children);
	if (step != STEP_REFERRAL) {
		knot_wire_set_aa(work->pkt->wire);
	}
	while (step == STEP_FOLLOW) {
		if (!mail_lf_in(mail_lf(work->lf), mail_lf(&work->view.lf))) {
			return STEP_HIT; /* The chain leaves the domain. */
		}
		step = name_step(work, true);
	}
	return step;
}

/*! Put the SOA of a negative answer (RFC 2308 3); one that does not fit is left out. */
static int put_soa(mail_work_t *work)
{
	mail_node_t apex;
	knot_rrset_t rrset;
	uint16_t kind;
	/* Whatever else the domain's own name has, or cannot have. */
	const uint16_t asked = work->view.type;
	work->view.type = KNOT_RRTYPE_SOA;
	int ret = mail_view_node(&work->view, mail_lf(&work->view.lf), &apex);
	work->view.type = asked;
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&work->view, &apex, KNOT_RRTYPE_SOA, work->view.apex,
		                      &work->pkt->mm, &rrset, &kind, NULL);
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	/* Steps of the clock that do not touch the name do not shorten its denial. */
	const mail_sign_note_t note = { .sign = true,
		                        .ttl = work->view.records_ttl,
		                        .owner = work->view.apex };
	rrset.ttl = mail_ttl_cap(mail_view_negative_ttl(&work->view), work->view.now,
	                         work->place.until);
	ret = mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NOTRUNC, &note);
	return ret == KNOT_ESPACE ? KNOT_EOK : ret;
}

int mail_work_other(const mail_work_t *work, const knot_dname_t *name, mail_lf_t lf,
                    mail_view_t *other)
{
	other->source = work->view.source;
	other->cache = work->view.cache;
	other->now = work->view.now;
	int ret = mail_view_open(other, name, lf);
	return ret == KNOT_EOK ? other->plan->error : ret;
}

int mail_work_child_ns(const mail_work_t *work, const knot_dname_t *owner, const mail_place_t *cut,
                       knot_rrset_t *rrset)
{
	mail_view_t child;
	mail_node_t apex;
	uint16_t kind;
	int ret = mail_work_other(work, owner, mail_lf(&cut->lf), &child);
	if (ret == KNOT_EOK) {
		ret = mail_view_node(&child, mail_lf(&child.lf), &apex);
	}
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&child, &apex, KNOT_RRTYPE_NS, owner, &work->pkt->mm, rrset,
		                      &kind, NULL);
	}
	return ret;
}

/*! Put the name servers of a cut: those of a `delegation`, or of the stored domain there. */
static int put_delegation(mail_work_t *work)
{
	const knot_dname_t *owner = mail_work_above(work->name, mail_lf(work->lf), &work->place);
	if (!work->place.node.child) {
		return mail_work_node(work, KNOT_RRTYPE_NS, owner, KNOT_PF_NULL);
	}
	knot_rrset_t rrset;
	int ret = mail_work_child_ns(work, owner, &work->place, &rrset);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const mail_sign_note_t unsigned_note = { .sign = false };
	return mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL, &unsigned_note);
}

/*! Fill the authority section. */
static mail_answer_step_t authority_section(mail_work_t *work, mail_answer_step_t step)
{
	int ret = KNOT_EOK;
	if (step == STEP_MISS) {
		work->rcode = KNOT_RCODE_NXDOMAIN;
	}
	if (step == STEP_MISS || step == STEP_NODATA) {
		ret = put_soa(work);
	} else if (step == STEP_REFERRAL) {
		ret = put_delegation(work);
	}
	if (ret == KNOT_EOK && work->dnssec) {
		ret = mail_work_prove(work, step);
	}
	return mail_work_step(work, ret, step);
}

/*! Fill all sections, each followed by its signatures. */
static mail_answer_step_t sections(mail_work_t *work)
{
	(void)knot_pkt_begin(work->pkt, KNOT_ANSWER);
	mail_answer_step_t step = mail_work_sign(work, 0, false, answer_section(work));
	if (step < STEP_TRUNCATED) {
		const uint16_t first = work->pkt->rrset_count;
		(void)knot_pkt_begin(work->pkt, KNOT_AUTHORITY);
		step = mail_work_sign(work, first, false, authority_section(work, step));
	}
	if (step < STEP_TRUNCATED) {
		const uint16_t first = work->pkt->rrset_count;
		(void)knot_pkt_begin(work->pkt, KNOT_ADDITIONAL);
		step = mail_work_sign(work, first, true, mail_work_additional(work, step));
	}
	return knot_wire_get_tc(work->pkt->wire) ? STEP_TRUNCATED : step;
}

/*! Answer with what is kept with the plan, or make the answer. */
static mail_outcome_t answer(mail_work_t *work, bool *kept)
{
	const mail_lf_t name = mail_lf_relative(mail_lf(work->lf), mail_lf(&work->view.lf));
	bool keep;
	mail_outcome_t outcome;
	*kept = mail_rendered_answer(work, name, &outcome, &keep);
	if (*kept) {
		return outcome;
	}
	const mail_answer_step_t step = sections(work);
	if (keep) {
		/* The chain may have led to another name. */
		mail_name_lf(knot_pkt_qname(work->pkt), work->lf);
		mail_rendered_keep(work, name, step);
	}
	return mail_work_outcome(step);
}

int mail_answer_find(const mail_source_t *source, const knot_pkt_t *pkt, mail_hosted_t *hosted)
{
	const knot_dname_t *qname = knot_pkt_qname(pkt);
	mail_name_lf(qname, &hosted->lf);
	const mail_lf_t lf = mail_lf(&hosted->lf);
	const bool ds = knot_pkt_qtype(pkt) == KNOT_RRTYPE_DS && lf.len > 0;
	int ret = KNOT_ENOENT;
	if (ds) {
		hosted->name = mail_name_parent(qname);
		hosted->found_for = mail_lf_parent(lf);
		ret = source->domain_above(source, hosted->found_for, &hosted->apex,
		                           &hosted->domain);
	}
	hosted->children = ret != KNOT_ENOENT;
	if (!hosted->children) {
		/* DS: no parent is here, and none in knotd, so the domain itself says that it has no DS. */
		hosted->name = qname;
		hosted->found_for = lf;
		ret = source->domain_above(source, lf, &hosted->apex, &hosted->domain);
	}
	if (ret == KNOT_ENOENT) {
		return ret;
	}
	hosted->error = ret != KNOT_EOK ? ret : hosted->domain.error;
	const bool child = ds && !hosted->children;
	hosted->labels = hosted->error == KNOT_EOK && !child ? mail_lf_labels(hosted->apex) : 0;
	return KNOT_EOK;
}

/*! Open the view of the domain. \return Why it cannot answer, or NULL: it can. */
static const char *domain_open(mail_work_t *work, const mail_hosted_t *hosted)
{
	mail_view_t *view = &work->view;
	const mail_dnskey_t *missing;
	int ret = hosted->error;
	if (ret == KNOT_EOK) {
		view->domain = hosted->domain;
		ret = mail_view_fill(view, hosted->name, hosted->found_for, hosted->apex);
	}
	if (ret != KNOT_EOK) {
		return knot_strerror(ret);
	}
	/* From here on the domain's name is known, so that many questions are one line of the log. */
	work->name = view->apex;
	if (view->plan->error != KNOT_EOK) {
		return view->plan->reason;
	}
	if (!view->hosted) {
		return "the policy has no ns";
	}
	work->signs = work->signs && mail_view_signed(view);
	if (!work->signs || mail_view_signable(view, work->signer, &missing)) {
		return NULL;
	}
	if (missing == NULL) {
		return "its key set has keys, but none that signs its records now";
	}
	work->ede = KNOT_EDNS_EDE_NOT_READY;
	return "a private key of its key set is missing";
}

/*! Return the type that a question asks for; 0: an answer depends on which other types there are. */
static uint16_t only_type(const knot_pkt_t *pkt)
{
	const uint16_t type = knot_pkt_qtype(pkt);
	return mail_work_follows(type) ? type : 0;
}

void mail_answer(const mail_question_t *question, mail_hosted_t *hosted, knot_pkt_t *pkt,
                 mail_reply_t *reply)
{
	mail_work_t work;
	mail_work_begin(&work, pkt, question->udp, &hosted->lf, reply->reason);
	work.view.source = question->source;
	work.view.cache = question->cache;
	work.view.now = question->now;
	work.signer = question->signer;
	work.signs = !question->plain;
	work.children = hosted->children;
	work.name = knot_pkt_qname(pkt);

	mail_cache_hold(question->cache);
	const char *fault = domain_open(&work, hosted);
	if (fault == NULL) {
		work.dnssec = work.signs && question->dnssec;
		work.name = knot_pkt_qname(pkt);
		work.view.type = only_type(pkt);
		reply->outcome = answer(&work, &reply->kept);
	} else {
		knot_dname_txt_storage_t name = "?";
		(void)knot_dname_to_str(name, work.name, sizeof(name));
		(void)snprintf(reply->reason, sizeof(reply->reason), "%.100s: %.200s", name, fault);
		reply->outcome = MAIL_OUTCOME_FAILED;
		reply->kept = false;
	}
	mail_cache_release(question->cache);
	reply->rcode = reply->outcome == MAIL_OUTCOME_FAILED ? KNOT_RCODE_SERVFAIL : work.rcode;
	reply->kind = work.kind;
	reply->ede = work.ede;
}
