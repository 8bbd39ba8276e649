/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question answered as knotd answers it from a zone: RFC 1034 4.3.2, RFC 2308 for negative answers,
 * RFC 6672 for DNAME.  What a section holds, and what happens when it does not fit, follows knotd's
 * nameserver/internet.c, so that nobody can tell a hosted domain from a zone.
 */
#include "config.h"

#include <stdio.h>

#include "answer/work.h"
#include "plan/cache.h"
#include "mail/kind.h"

step_t mail_work_fail(work_t *work, int code, const char *what)
{
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, work->name, sizeof(name));
	if (work->reply->reason[0] == '\0') {
		(void)snprintf(work->reply->reason, sizeof(work->reply->reason), "%.100s: %s (%s)",
		               name, what, knot_strerror(code));
	}
	return STEP_FAILED;
}

uint16_t mail_work_flags(const work_t *work)
{
	return work->question->udp ? KNOT_PF_NULL : KNOT_PF_NOTRUNC;
}

/*! Puts an RRset of the place's node; the first one of the packet echoes the question's spelling. */
static int put(work_t *work, mail_node_t *node, uint16_t type, const knot_dname_t *owner,
               uint16_t flags)
{
	knot_rrset_t rrset;
	uint16_t kind;
	int64_t until;
	int ret = mail_view_rrset(&work->view, node, type, owner, &work->pkt->mm, &rrset, &kind,
	                          &until);
	if (ret != KNOT_EOK) {
		/* No room in a name is not the packet's fault. */
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	if (work->place.where == MAIL_WILDCARD && work->pkt->current == KNOT_ANSWER) {
		/* A name that appears takes the wildcard's answer away. */
		rrset.ttl = mail_ttl_cap(rrset.ttl, work->view.now, work->place.until);
	}
	if (work->pkt->rrset_count == 0) {
		work->reply->kind = kind;
	}
	uint16_t hint = work->pkt->rrset_count == 0 && work->pkt->current == KNOT_ANSWER &&
	                                owner == knot_pkt_qname(work->pkt)
	                        ? KNOT_COMPR_HINT_QNAME
	                        : KNOT_COMPR_HINT_NONE;
	const bool expanded = work->place.where == MAIL_WILDCARD &&
	                      work->pkt->current == KNOT_ANSWER;
	const note_t note = { .sign = work->pkt->current == KNOT_ANSWER,
		              .ttl = work->view.ttl,
		              .owner = expanded && work->dnssec
		                               ? mail_work_owner(work, &work->place)
		                               : owner };
	return note.owner != NULL ? mail_work_put(work, hint, &rrset, flags, &note) : KNOT_ENOMEM;
}

step_t mail_work_step(work_t *work, int ret, step_t done)
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

const knot_rrset_t *mail_work_seen(const work_t *work, uint16_t type, const knot_dname_t *owner)
{
	for (uint16_t i = 0; i < work->pkt->rrset_count; i++) {
		const knot_rrset_t *rrset = &work->pkt->rr[i];
		if (rrset->type == type && knot_dname_is_equal(rrset->owner, owner)) {
			return rrset;
		}
	}
	return NULL;
}

static void name_set(work_t *work, const knot_dname_t *name)
{
	work->name = name;
	work->key_len = mail_name_key(name, work->key);
}

static step_t follow_cname(work_t *work)
{
	if (++work->chain > MAIL_WORK_CHAIN_MAX ||
	    mail_work_seen(work, KNOT_RRTYPE_CNAME, work->name) != NULL) {
		return STEP_HIT;
	}
	int ret = put(work, &work->place.node, KNOT_RRTYPE_CNAME, work->name, KNOT_PF_NULL);
	if (ret == KNOT_EOK) {
		const knot_rrset_t *cname = &work->pkt->rr[work->pkt->rrset_count - 1];
		name_set(work, knot_cname_name(cname->rrs.rdata));
	}
	return mail_work_step(work, ret, STEP_FOLLOW);
}

/*! Makes the CNAME that a DNAME stands for (RFC 6672 3.1). */
static step_t dname_cname(work_t *work, const knot_rrset_t *dname)
{
	const size_t labels = knot_dname_labels(dname->owner, NULL);
	const knot_dname_t *target = knot_dname_target(dname->rrs.rdata);
	if (knot_dname_size(work->name) - knot_dname_size(dname->owner) + knot_dname_size(target) >
	    KNOT_DNAME_MAXLEN) {
		work->reply->rcode = KNOT_RCODE_YXDOMAIN;
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
		const note_t unsigned_note = { .sign = false };
		ret = mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL,
		                    &unsigned_note);
	}
	if (ret == KNOT_EOK && knot_pkt_qtype(work->pkt) == KNOT_RRTYPE_CNAME) {
		return STEP_HIT;
	}
	if (ret == KNOT_EOK) {
		name_set(work, knot_cname_name(rrset.rrs.rdata));
	}
	return mail_work_step(work, ret, STEP_FOLLOW);
}

const knot_dname_t *mail_work_above(const knot_dname_t *name, const uint8_t *key, size_t len,
                                    const mail_place_t *place)
{
	unsigned above = mail_key_labels(key, len) - mail_key_labels(place->key, place->key_len);
	while (above-- > 0) {
		name = mail_name_parent(name);
	}
	return name;
}

static step_t follow_dname(work_t *work)
{
	const knot_dname_t *owner = mail_work_above(work->name, work->key, work->key_len,
	                                            &work->place);
	if (++work->chain > MAIL_WORK_CHAIN_MAX) {
		return STEP_HIT;
	}
	/* A chain may come by the same DNAME again, with another name below it. */
	const knot_rrset_t *there = mail_work_seen(work, KNOT_RRTYPE_DNAME, owner);
	if (there == NULL) {
		int ret = put(work, &work->place.node, KNOT_RRTYPE_DNAME, owner, KNOT_PF_NULL);
		if (ret != KNOT_EOK) {
			return mail_work_step(work, ret, STEP_FAILED);
		}
		there = &work->pkt->rr[work->pkt->rrset_count - 1];
	}
	const knot_rrset_t dname = *there; /* The packet's array moves when it grows. */
	return dname_cname(work, &dname);
}

/*! The node is found: its records of the type, or its alias, or nothing. */
static step_t name_found(work_t *work)
{
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	mail_node_t *node = &work->place.node;
	const uint16_t first = mail_node_type(&work->view, node, 0);
	if (first == KNOT_RRTYPE_CNAME && qtype != KNOT_RRTYPE_CNAME && qtype != KNOT_RRTYPE_ANY &&
	    qtype != KNOT_RRTYPE_RRSIG && qtype != KNOT_RRTYPE_NSEC) {
		if (work->place.where == MAIL_WILDCARD) {
			mail_work_wildcard(work);
		}
		return follow_cname(work);
	}
	if (work->place.where == MAIL_WILDCARD) {
		mail_work_wildcard(work);
	}
	if (work->signs && first != 0 &&
	    (qtype == KNOT_RRTYPE_RRSIG || qtype == KNOT_RRTYPE_NSEC)) {
		int made = qtype == KNOT_RRTYPE_RRSIG ? mail_work_rrsig(work)
		                                      : mail_work_nsec(work);
		return mail_work_step(work, made, STEP_HIT);
	}
	/* ANY: one RRset, that of the lowest type (RFC 8482 4.1). */
	const uint16_t type = qtype == KNOT_RRTYPE_ANY ? first : qtype;
	int ret = put(work, node, type, work->name, mail_work_flags(work));
	return ret == KNOT_ENOENT ? STEP_NODATA : mail_work_step(work, ret, STEP_HIT);
}

/*! The name is at or below a cut. DS belongs to the parent's side of it (RFC 4035 3.1.4.1). */
static step_t name_cut(work_t *work)
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

/*! Looks up the name at hand, which lies in the domain. */
static step_t name_step(work_t *work, bool children)
{
	int ret = mail_view_place(&work->view, work->key, work->key_len, children, &work->place);
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

/*! The answer section: the question's name and the chain of aliases from there. */
static step_t answer_section(work_t *work, bool children)
{
	step_t step = name_step(work, children);
	if (step != STEP_REFERRAL) {
		knot_wire_set_aa(work->pkt->wire);
	}
	while (step == STEP_FOLLOW) {
		if (!mail_key_in(work->key, work->key_len, work->view.key, work->view.key_len)) {
			return STEP_HIT; /* The chain leaves the domain. */
		}
		step = name_step(work, true);
	}
	return step;
}

/*! The SOA of a negative answer (RFC 2308 3); one that does not fit is left out. */
static int put_soa(work_t *work)
{
	mail_node_t apex;
	knot_rrset_t rrset;
	uint16_t kind;
	int ret = mail_view_node(&work->view, work->view.key, work->view.key_len, &apex);
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&work->view, &apex, KNOT_RRTYPE_SOA, work->view.apex,
		                      &work->pkt->mm, &rrset, &kind, NULL);
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE ? KNOT_EMALF : ret;
	}
	/* Steps of the clock that do not touch the name do not shorten its denial. */
	const note_t note = { .sign = true, .ttl = work->view.plan->ttl, .owner = work->view.apex };
	rrset.ttl = mail_ttl_cap(mail_view_negative_ttl(&work->view), work->view.now,
	                         work->place.until);
	ret = mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NOTRUNC, &note);
	return ret == KNOT_ESPACE ? KNOT_EOK : ret;
}

int mail_work_other(const work_t *work, const knot_dname_t *name, const uint8_t *key, size_t len,
                    mail_view_t *other)
{
	other->source = work->view.source;
	other->cache = work->view.cache;
	other->now = work->view.now;
	int ret = mail_view_open(other, name, key, len);
	return ret == KNOT_EOK ? other->plan->error : ret;
}

int mail_work_child_ns(const work_t *work, const knot_dname_t *owner, const mail_place_t *cut,
                       knot_rrset_t *rrset)
{
	mail_view_t child;
	mail_node_t apex;
	uint16_t kind;
	int ret = mail_work_other(work, owner, cut->key, cut->key_len, &child);
	if (ret == KNOT_EOK) {
		ret = mail_view_node(&child, child.key, child.key_len, &apex);
	}
	return ret == KNOT_EOK ? mail_view_rrset(&child, &apex, KNOT_RRTYPE_NS, owner,
	                                         &work->pkt->mm, rrset, &kind, NULL)
	                       : ret;
}

/*! The name servers of a cut: those of a `delegation`, or of the stored domain there. */
static int put_delegation(work_t *work)
{
	const knot_dname_t *owner = mail_work_above(work->name, work->key, work->key_len,
	                                            &work->place);
	if (!work->place.node.child) {
		return put(work, &work->place.node, KNOT_RRTYPE_NS, owner, KNOT_PF_NULL);
	}
	knot_rrset_t rrset;
	const note_t unsigned_note = { .sign = false };
	int ret = mail_work_child_ns(work, owner, &work->place, &rrset);
	return ret == KNOT_EOK ? mail_work_put(work, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL,
	                                       &unsigned_note)
	                       : ret;
}

/*! The authority section. */
static step_t authority_section(work_t *work, step_t step)
{
	int ret = KNOT_EOK;
	if (step == STEP_MISS || step == STEP_NODATA) {
		work->reply->rcode = step == STEP_MISS ? KNOT_RCODE_NXDOMAIN : work->reply->rcode;
		ret = put_soa(work);
	} else if (step == STEP_REFERRAL) {
		ret = put_delegation(work);
	}
	if (ret == KNOT_EOK && work->dnssec) {
		ret = mail_work_prove(work, step);
	}
	return mail_work_step(work, ret, step);
}

static mail_outcome_t sections(work_t *work, bool children)
{
	step_t step = mail_work_sign(work, 0, false, answer_section(work, children));
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
	static const mail_outcome_t outcomes[] = {
		[STEP_FOLLOW] = MAIL_OUTCOME_ANSWER,     [STEP_HIT] = MAIL_OUTCOME_ANSWER,
		[STEP_NODATA] = MAIL_OUTCOME_NODATA,     [STEP_MISS] = MAIL_OUTCOME_NXDOMAIN,
		[STEP_REFERRAL] = MAIL_OUTCOME_REFERRAL, [STEP_TRUNCATED] = MAIL_OUTCOME_TRUNCATED,
		[STEP_FAILED] = MAIL_OUTCOME_FAILED,
	};
	return knot_wire_get_tc(work->pkt->wire) ? MAIL_OUTCOME_TRUNCATED : outcomes[step];
}

/*!
 * Opens the domain that the question is for.  DS is asked of the parent, where there is one (RFC 4035 3.1.4.1).
 *
 * \return KNOT_EOK; KNOT_ENOENT when the question is not ours; or why the domain cannot answer.
 */
static int domain_open(work_t *work, bool *children)
{
	const mail_question_t *question = work->question;
	const bool ds = knot_pkt_qtype(work->pkt) == KNOT_RRTYPE_DS && work->key_len > 0;
	size_t len = ds ? mail_key_parent(work->key, work->key_len) : work->key_len;
	const knot_dname_t *name = ds ? mail_name_parent(work->name) : work->name;
	int found = len > 0 ? mail_view_find(&work->view, work->key, len) : KNOT_ENOENT;
	/* Any zone of knotd is better than a domain that cannot be read. */
	size_t labels = found >= 0 ? mail_key_labels(work->key, found) : 0;
	*children = ds;
	if (found == KNOT_ENOENT && ds) {
		/* No parent here, and none in knotd: the domain itself says that it has no DS. */
		name = work->name;
		len = work->key_len;
		found = mail_view_find(&work->view, work->key, len);
		*children = false;
	}
	if (found == KNOT_ENOENT ||
	    (question->above != NULL && !question->above(question->above_ctx, labels))) {
		return KNOT_ENOENT;
	}
	work->view.cache = question->cache;
	work->view.now = question->now;
	mail_cache_hold(question->cache);
	return found >= 0 ? mail_view_fill(&work->view, name, work->key, len, found) : found;
}

/*! Says why a domain that was opened cannot answer; NULL: it can. */
static const char *domain_fault(const work_t *work, int code)
{
	if (code != KNOT_EOK) {
		return knot_strerror(code);
	}
	if (work->view.plan->error != KNOT_EOK) {
		return work->view.plan->reason;
	}
	return work->view.plan->hosted ? NULL : "the policy has no ns";
}

/*! Looks whether the domain is signed, and can be. */
static const char *domain_keys(work_t *work)
{
	const mail_dnskey_t *missing;
	work->signs = mail_view_signed(&work->view);
	work->dnssec = work->signs && work->question->dnssec;
	if (!work->signs || mail_view_signable(&work->view, work->question->signer, &missing)) {
		return NULL;
	}
	if (missing == NULL) {
		return "its key set has keys, but none that signs its records now";
	}
	work->reply->ede = KNOT_EDNS_EDE_NOT_READY;
	return "a private key of its key set is missing";
}

/*! Notes why a domain cannot answer. The domain's name is told if it is known, so that many questions are one line. */
static void domain_failed(work_t *work, const knot_dname_t *domain, const char *what)
{
	mail_reply_t *reply = work->reply;
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, domain, sizeof(name));
	reply->outcome = MAIL_OUTCOME_FAILED;
	(void)snprintf(reply->reason, sizeof(reply->reason), "%.100s: %.200s", name, what);
}

int mail_answer(const mail_question_t *question, knot_pkt_t *pkt, mail_reply_t *reply)
{
	work_t work; /* Several KiB of keys: what is read is set. */
	bool children = false;
	work.question = question;
	work.pkt = pkt;
	work.reply = reply;
	work.chain = 0;
	work.notes = NULL;
	work.note_max = 0;
	work.closer_count = 0;
	reply->outcome = MAIL_OUTCOME_NONE;
	reply->rcode = KNOT_RCODE_NOERROR;
	reply->kind = mail_kind_count;
	reply->ede = KNOT_EDNS_EDE_INV_DATA;
	reply->reason[0] = '\0';
	work.view.source = question->source;
	name_set(&work, knot_pkt_qname(pkt));

	int ret = domain_open(&work, &children);
	if (ret != KNOT_ENOENT) {
		const char *fault = domain_fault(&work, ret);
		fault = fault == NULL ? domain_keys(&work) : fault;
		if (fault == NULL) {
			(void)knot_pkt_begin(pkt, KNOT_ANSWER);
			reply->outcome = sections(&work, children);
		} else {
			domain_failed(&work, ret == KNOT_EOK ? work.view.apex : work.name, fault);
		}
		if (reply->outcome == MAIL_OUTCOME_FAILED) {
			reply->rcode = KNOT_RCODE_SERVFAIL;
		}
		mail_cache_release(question->cache);
	}
	return KNOT_EOK;
}
