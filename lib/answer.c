/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question answered as knotd answers it from a zone: RFC 1034 4.3.2, RFC 2308 for negative answers,
 * RFC 6672 for DNAME.  What a section holds, and what happens when it does not fit, follows knotd's
 * nameserver/internet.c, so that nobody can tell a hosted domain from a zone.
 */
#include "config.h"

#include <stdio.h>

#include "cache.h"
#include "mail/kind.h"
#include "mail/soa.h"
#include "view.h"

/*! Links of a chain of aliases that are followed, as knotd. */
#define CHAIN_MAX 5

/*! How far the answer is. */
typedef enum {
	STEP_FOLLOW, /*!< An alias leads on. */
	STEP_HIT,
	STEP_NODATA,
	STEP_MISS,
	STEP_REFERRAL,
	STEP_TRUNCATED,
	STEP_FAILED
} step_t;

typedef struct {
	const mail_question_t *question;
	knot_pkt_t *pkt;
	mail_reply_t *reply;
	mail_view_t view;
	const knot_dname_t *name; /*!< The name at hand: the QNAME, then targets of aliases. */
	uint8_t key[MAIL_KEY_MAX];
	size_t key_len;
	mail_place_t place;
	unsigned chain;
} work_t;

static step_t fail(work_t *work, int code, const char *what)
{
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, work->name, sizeof(name));
	if (work->reply->reason[0] == '\0') {
		(void)snprintf(work->reply->reason, sizeof(work->reply->reason), "%.100s: %s (%s)",
		               name, what, knot_strerror(code));
	}
	return STEP_FAILED;
}

static uint16_t put_flags(const work_t *work)
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
	return knot_pkt_put(work->pkt, hint, &rrset, flags);
}

static step_t put_step(work_t *work, int ret, step_t done)
{
	switch (ret) {
	case KNOT_EOK: return done;
	case KNOT_ESPACE: return STEP_TRUNCATED;
	default: return fail(work, ret, "a record cannot be rendered");
	}
}

/*! The RRset that the answer has already, or NULL. */
static const knot_rrset_t *seen(const work_t *work, uint16_t type, const knot_dname_t *owner)
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
	if (++work->chain > CHAIN_MAX || seen(work, KNOT_RRTYPE_CNAME, work->name) != NULL) {
		return STEP_HIT;
	}
	int ret = put(work, &work->place.node, KNOT_RRTYPE_CNAME, work->name, KNOT_PF_NULL);
	if (ret == KNOT_EOK) {
		const knot_rrset_t *cname = &work->pkt->rr[work->pkt->rrset_count - 1];
		name_set(work, knot_cname_name(cname->rrs.rdata));
	}
	return put_step(work, ret, STEP_FOLLOW);
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
		return fail(work, KNOT_ENOMEM, "a DNAME cannot be followed");
	}
	knot_rrset_t rrset;
	knot_rrset_init(&rrset, (knot_dname_t *)work->name, KNOT_RRTYPE_CNAME, KNOT_CLASS_IN,
	                dname->ttl);
	int ret = knot_rrset_add_rdata(&rrset, cname, knot_dname_size(cname), &work->pkt->mm);
	if (ret == KNOT_EOK) {
		ret = knot_pkt_put(work->pkt, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL);
	}
	if (ret == KNOT_EOK && knot_pkt_qtype(work->pkt) == KNOT_RRTYPE_CNAME) {
		return STEP_HIT;
	}
	if (ret == KNOT_EOK) {
		name_set(work, knot_cname_name(rrset.rrs.rdata));
	}
	return put_step(work, ret, STEP_FOLLOW);
}

/*! The part of a name that a place at or above it is for. */
static const knot_dname_t *name_of_place(const knot_dname_t *name, const uint8_t *key, size_t len,
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
	const knot_dname_t *owner = name_of_place(work->name, work->key, work->key_len,
	                                          &work->place);
	if (++work->chain > CHAIN_MAX) {
		return STEP_HIT;
	}
	/* A chain may come by the same DNAME again, with another name below it. */
	const knot_rrset_t *there = seen(work, KNOT_RRTYPE_DNAME, owner);
	if (there == NULL) {
		int ret = put(work, &work->place.node, KNOT_RRTYPE_DNAME, owner, KNOT_PF_NULL);
		if (ret != KNOT_EOK) {
			return put_step(work, ret, STEP_FAILED);
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
		return follow_cname(work);
	}
	/* ANY: one RRset, that of the lowest type (RFC 8482 4.1). */
	const uint16_t type = qtype == KNOT_RRTYPE_ANY ? first : qtype;
	int ret = put(work, node, type, work->name, put_flags(work));
	return ret == KNOT_ENOENT ? STEP_NODATA : put_step(work, ret, STEP_HIT);
}

/*! Looks up the name at hand, which lies in the domain. */
static step_t name_step(work_t *work, bool children)
{
	int ret = mail_view_place(&work->view, work->key, work->key_len, children, &work->place);
	if (ret != KNOT_EOK) {
		return fail(work, ret, "an entry below the domain is damaged");
	}
	switch (work->place.where) {
	case MAIL_FOUND:
	case MAIL_WILDCARD: return name_found(work);
	case MAIL_DNAME: return follow_dname(work);
	case MAIL_CUT:
		/* DS belongs to the parent's side of a cut (RFC 4035 3.1.4.1). */
		return work->place.at_cut && knot_pkt_qtype(work->pkt) == KNOT_RRTYPE_DS
		               ? name_found(work)
		               : STEP_REFERRAL;
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
		return ret;
	}
	/* Steps of the clock that do not touch the name do not shorten its denial. */
	rrset.ttl = mail_ttl_cap(work->view.plan->ttl, work->view.now, work->place.until);
	ret = knot_pkt_put(work->pkt, KNOT_COMPR_HINT_NONE, &rrset,
	                   KNOT_PF_NOTRUNC | KNOT_PF_SOAMINTTL);
	return ret == KNOT_ESPACE ? KNOT_EOK : ret;
}

/*! Opens the view of the stored domain nearest to a name, which is another one than the question's. */
static int other_open(const work_t *work, const knot_dname_t *name, const uint8_t *key, size_t len,
                      mail_view_t *other)
{
	other->source = work->view.source;
	other->cache = work->view.cache;
	other->now = work->view.now;
	int ret = mail_view_open(other, name, key, len);
	return ret == KNOT_EOK ? other->plan->error : ret;
}

/*! The name servers of a stored domain below this one. */
static int child_ns(const work_t *work, const knot_dname_t *owner, const mail_place_t *cut,
                    knot_rrset_t *rrset)
{
	mail_view_t child;
	mail_node_t apex;
	uint16_t kind;
	int ret = other_open(work, owner, cut->key, cut->key_len, &child);
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
	const knot_dname_t *owner = name_of_place(work->name, work->key, work->key_len,
	                                          &work->place);
	if (!work->place.node.child) {
		return put(work, &work->place.node, KNOT_RRTYPE_NS, owner, KNOT_PF_NULL);
	}
	knot_rrset_t rrset;
	int ret = child_ns(work, owner, &work->place, &rrset);
	return ret == KNOT_EOK ? knot_pkt_put(work->pkt, KNOT_COMPR_HINT_NONE, &rrset, KNOT_PF_NULL)
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
	return put_step(work, ret, step);
}

/*! A name in RDATA whose addresses are wanted. */
typedef struct {
	const knot_dname_t *name;
	uint8_t key[MAIL_KEY_MAX];
	size_t len;
	mail_place_t place;
	bool glue;      /*!< It lies below a cut whose name servers are asked for. */
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
		if (seen(work, types[i], target->name) != NULL) {
			continue;
		}
		int ret = mail_view_rrset(view, node, types[i], target->name, &work->pkt->mm,
		                          &rrset, &kind, NULL);
		if (ret == KNOT_ENOENT) {
			continue;
		}
		if (ret == KNOT_EOK) {
			ret = knot_pkt_put(work->pkt, target->hint, &rrset, target->flags);
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
	const knot_dname_t *owner = name_of_place(target->name, target->key, target->len,
	                                          &target->place);
	bool named = false;
	if (child_ns(work, owner, &target->place, &ns) == KNOT_EOK) {
		knot_rdata_t *rdata = ns.rrs.rdata;
		for (uint16_t i = 0; i < ns.rrs.count && !named; i++) {
			named = knot_dname_is_case_equal(knot_ns_name(rdata), target->name);
			rdata = knot_rdataset_next(rdata);
		}
	}
	mail_view_t nearest;
	mail_node_t node;
	if (!named ||
	    other_open(work, target->name, target->key, target->len, &nearest) != KNOT_EOK ||
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
	const size_t owner_len = mail_name_key(rrset.owner, owner);
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
static step_t additional_section(work_t *work, step_t step)
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
			return fail(work, ret, "an address cannot be rendered");
		}
	}
	return step;
}

static mail_outcome_t sections(work_t *work, bool children)
{
	step_t step = answer_section(work, children);
	if (step < STEP_TRUNCATED) {
		(void)knot_pkt_begin(work->pkt, KNOT_AUTHORITY);
		step = authority_section(work, step);
	}
	if (step < STEP_TRUNCATED) {
		(void)knot_pkt_begin(work->pkt, KNOT_ADDITIONAL);
		step = additional_section(work, step);
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
	int ret = len > 0 ? mail_view_open(&work->view, name, work->key, len) : KNOT_ENOENT;
	/* Any zone of knotd is better than a domain that cannot be read. */
	size_t labels = ret == KNOT_EOK ? mail_key_labels(work->view.key, work->view.key_len) : 0;
	*children = ds;
	if (ret == KNOT_ENOENT && ds) {
		/* No parent here, and none in knotd: the domain itself says that it has no DS. */
		ret = mail_view_open(&work->view, work->name, work->key, work->key_len);
		*children = false;
	}
	if (ret != KNOT_ENOENT && question->above != NULL &&
	    !question->above(question->above_ctx, labels)) {
		return KNOT_ENOENT;
	}
	return ret;
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

/*! Notes why a domain cannot answer. */
static void domain_failed(work_t *work, const char *what)
{
	mail_reply_t *reply = work->reply;
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, work->name, sizeof(name));
	reply->outcome = MAIL_OUTCOME_FAILED;
	reply->rcode = KNOT_RCODE_SERVFAIL;
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
	reply->outcome = MAIL_OUTCOME_NONE;
	reply->rcode = KNOT_RCODE_NOERROR;
	reply->kind = mail_kind_count;
	reply->reason[0] = '\0';
	work.view.source = question->source;
	work.view.cache = question->cache;
	work.view.now = question->now;
	name_set(&work, knot_pkt_qname(pkt));

	mail_cache_hold(question->cache);
	int ret = domain_open(&work, &children);
	if (ret != KNOT_ENOENT) {
		const char *fault = domain_fault(&work, ret);
		if (fault == NULL) {
			(void)knot_pkt_begin(pkt, KNOT_ANSWER);
			reply->outcome = sections(&work, children);
		} else {
			domain_failed(&work, fault);
		}
		if (reply->outcome == MAIL_OUTCOME_FAILED) {
			reply->rcode = KNOT_RCODE_SERVFAIL;
		}
	}
	mail_cache_release(question->cache);
	return KNOT_EOK;
}
