/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of a zone that holds its own records and those of a domain: the zone has answered, and what is
 * different with the domain's names and records in it is made good (RFC 1034 4.3.2, RFC 4592).
 *
 * Names of ours take away what a wildcard of the zone says to them and to names below them.  Whether a name is
 * one of the zone's is not always known (mail_zone_question_t.look); what is not known to be ours is the zone's.
 */
#include "config.h"

#include <stdio.h>

#include "plan/cache.h"
#include "mail/kind.h"
#include "dns/nsec.h"
#include "answer/zone_extent.h"

/*! Links of a chain of aliases that are followed, as knotd. */
#define CHAIN_MAX 5

typedef enum {
	STEP_STANDS, /*!< The zone's answer is right. */
	STEP_TYPE,   /*!< Our node has the type. */
	STEP_CNAME,  /*!< Our node is an alias. */
	STEP_FOLLOW, /*!< An alias leads on. */
	STEP_HIT,
	STEP_NODATA,
	STEP_MISS,
	STEP_TRUNCATED,
	STEP_FAILED
} step_t;

/*! What is known of a name in the zone. */
typedef struct {
	mail_zone_said_t said;
	bool node;    /*!< It is, or may be, a name of the zone's. */
	int encloser; /*!< If not: labels of the nearest name above it that is; -1: not known. */
} there_t;

typedef struct {
	const mail_zone_question_t *question;
	knot_pkt_t *pkt;
	mail_zone_reply_t *reply;
	mail_view_t view;
	const knot_dname_t *name; /*!< The name at hand. */
	uint8_t key[MAIL_KEY_MAX];
	size_t key_len;
	mail_place_t place;
	unsigned chain;
} work_t;

static step_t fail(work_t *work, int code, const char *what)
{
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, work->name, sizeof(name));
	(void)snprintf(work->reply->reason, sizeof(work->reply->reason), "%.100s: %.140s (%.60s)",
	               name, what, knot_strerror(code));
	return STEP_FAILED;
}

static void name_set(work_t *work, const knot_dname_t *name)
{
	work->name = name;
	work->key_len = mail_name_key(name, work->key);
}

/*! Takes back all RRsets of the answer section but the first ones. */
static void take_back(knot_pkt_t *pkt, uint16_t keep)
{
	if (pkt->rrset_count <= keep) {
		return;
	}
	uint16_t records = 0;
	for (uint16_t i = 0; i < keep; i++) {
		records += pkt->rr[i].rrs.count;
	}
	/* Their memory is the packet's pool; compression begins anew at the question. */
	pkt->size = pkt->rr_info[keep].pos;
	pkt->compr.suffix.pos = 0;
	pkt->compr.suffix.labels = 0;
	pkt->rrset_count = keep;
	pkt->sections[KNOT_ANSWER].count = keep;
	knot_wire_set_ancount(pkt->wire, records);
}

/*! Puts an RRset. \return done, or why it cannot be. */
static step_t put(work_t *work, const knot_rrset_t *rrset, step_t done)
{
	const uint16_t hint = work->pkt->rrset_count == 0 ? KNOT_COMPR_HINT_QNAME
	                                                  : KNOT_COMPR_HINT_NONE;
	const uint16_t flags = work->question->udp ? KNOT_PF_NULL : KNOT_PF_NOTRUNC;
	int ret = knot_pkt_put(work->pkt, hint, rrset, flags);
	if (ret == KNOT_ESPACE && work->question->udp) {
		return STEP_TRUNCATED;
	}
	return ret == KNOT_EOK ? done : fail(work, ret, "a record does not fit");
}

/*! Makes an RRset of our node at the name at hand. */
static int make(work_t *work, uint16_t type, knot_rrset_t *rrset, int64_t *until)
{
	uint16_t kind;
	int ret = mail_view_rrset(&work->view, &work->place.node, type, work->name, &work->pkt->mm,
	                          rrset, &kind, until);
	if (ret == KNOT_EOK && work->place.where == MAIL_WILDCARD) {
		/* A name that appears takes the wildcard's answer away. */
		rrset->ttl = mail_ttl_cap(rrset->ttl, work->view.now, work->place.until);
	}
	if (ret == KNOT_EOK && work->reply->kind == mail_kind_count) {
		work->reply->kind = kind;
	}
	return ret;
}

static step_t put_own(work_t *work, uint16_t type, step_t done)
{
	knot_rrset_t rrset;
	int ret = make(work, type, &rrset, NULL);
	return ret == KNOT_EOK ? put(work, &rrset, done)
	                       : fail(work, ret, "a record cannot be rendered");
}

/*! Says whether an alias is followed for a question, as knotd does. */
static bool is_followed(uint16_t qtype)
{
	return qtype != KNOT_RRTYPE_CNAME && qtype != KNOT_RRTYPE_ANY &&
	       qtype != KNOT_RRTYPE_RRSIG && qtype != KNOT_RRTYPE_NSEC;
}

/*! The type of ours that answers the question: the lowest for ANY (RFC 8482 4.1). */
static uint16_t own_type(const work_t *work)
{
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	return qtype == KNOT_RRTYPE_ANY ? mail_node_type(&work->view, &work->place.node, 0) : qtype;
}

/*! What our node at the name at hand, or our wildcard, says to the question. */
static step_t own_step(const work_t *work)
{
	const mail_node_t *node = &work->place.node;
	const uint16_t first = mail_node_type(&work->view, node, 0), type = own_type(work);
	if (first == KNOT_RRTYPE_CNAME && is_followed(knot_pkt_qtype(work->pkt))) {
		return STEP_CNAME;
	}
	const bool has = type > 0 && first != 0 &&
	                 mail_node_type(&work->view, node, type - 1) == type;
	return has ? STEP_TYPE : STEP_NODATA;
}

/*! Labels of the nearest of our names at or above a name that is none of them. */
static int own_encloser(const work_t *work)
{
	return (int)mail_key_labels(work->place.key, work->place.key_len) - 1;
}

/*! The name is none of ours, but perhaps a wildcard of ours covers it, or a name of ours cuts the zone's off. */
static step_t uncovered_step(const work_t *work, const there_t *there)
{
	const int ours = own_encloser(work);
	const bool miss = there->said == MAIL_ZONE_MISS;
	int theirs = there->encloser;
	if (theirs < 0 && miss) {
		/* It is above the name: at most as near as our one, if that is the parent. */
		theirs = (int)knot_dname_labels(work->name, NULL) - 1;
	}
	if (theirs < 0 || ours < theirs) {
		return STEP_STANDS;
	}
	const bool nearer = miss || ours > theirs;
	if (work->place.where != MAIL_WILDCARD) {
		return miss || !nearer ? STEP_STANDS : STEP_MISS;
	}
	step_t step = own_step(work);
	if (!nearer) {
		/* Both have the wildcard: the zone's records win, and no alias of ours stands beside them. */
		return step == STEP_TYPE && there->said == MAIL_ZONE_NODATA &&
		                       own_type(work) != KNOT_RRTYPE_CNAME
		               ? step
		               : STEP_STANDS;
	}
	return step;
}

/*! What is right at the name at hand, for which a place was found. */
static step_t right_step(const work_t *work, const there_t *there)
{
	if (work->place.where != MAIL_FOUND) {
		return there->node ? STEP_STANDS : uncovered_step(work, there);
	}
	const step_t step = own_step(work);
	if (there->node) {
		/* The zone's name has other records, or may have; its own alias looks like a wildcard's. */
		return step == STEP_TYPE && own_type(work) != KNOT_RRTYPE_CNAME &&
		                       there->said != MAIL_ZONE_WILDCARD
		               ? step
		               : STEP_STANDS;
	}
	if (step != STEP_NODATA || there->said == MAIL_ZONE_MISS) {
		return step;
	}
	return there->said == MAIL_ZONE_NODATA ? STEP_STANDS : step;
}

static int look(const work_t *work, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset)
{
	knot_rrset_init_empty(rrset);
	int ret = work->question->look(work->question->look_ctx, name, type, rrset);
	/* knotd finds a record's addresses by the node that its own answer ended at, which may be none. */
	rrset->additional = NULL;
	return ret;
}

/*! The nearest name of the zone's above one that is none. */
static const knot_dname_t *look_encloser(const work_t *work, const knot_dname_t *name)
{
	knot_rrset_t rrset;
	do {
		name = mail_name_parent(name);
	} while (*name != 0 && look(work, name, KNOT_RRTYPE_NS, &rrset) != KNOT_EOK);
	return name;
}

/*! What is known of the question's name. */
static there_t there_first(const work_t *work)
{
	const mail_zone_question_t *question = work->question;
	there_t there = { question->said, false, -1 };
	knot_rrset_t rrset;
	if (question->said == MAIL_ZONE_HIT) {
		there.node = true;
	} else if (question->look != NULL) {
		there.node = look(work, work->name, KNOT_RRTYPE_NS, &rrset) == KNOT_EOK;
		there.encloser = there.node ? -1
		                            : (int)knot_dname_labels(
						      look_encloser(work, work->name), NULL);
	} else if (question->said == MAIL_ZONE_NODATA) {
		there.node = true;
	} else if (question->wildcard != NULL) {
		there.encloser = (int)knot_dname_labels(question->wildcard, NULL) - 1;
	}
	return there;
}

/*! Follows an alias that was put. */
static step_t alias_put(work_t *work, step_t step)
{
	if (step == STEP_FOLLOW) {
		const knot_rrset_t *cname = &work->pkt->rr[work->pkt->rrset_count - 1];
		name_set(work, knot_cname_name(cname->rrs.rdata));
	}
	return step;
}

/*! Says whether the chain may go on: it is short, and has not been here. */
static bool chain_grows(work_t *work)
{
	for (uint16_t i = 0; i < work->pkt->rrset_count; i++) {
		const knot_rrset_t *rrset = &work->pkt->rr[i];
		if (rrset->type == KNOT_RRTYPE_CNAME &&
		    knot_dname_is_case_equal(rrset->owner, work->name)) {
			return false;
		}
	}
	return ++work->chain <= CHAIN_MAX;
}

static step_t put_alias(work_t *work)
{
	return chain_grows(work) ? alias_put(work, put_own(work, KNOT_RRTYPE_CNAME, STEP_FOLLOW))
	                         : STEP_HIT;
}

/*! Does what is right at the name at hand. */
static step_t own_put(work_t *work, step_t step)
{
	switch (step) {
	case STEP_TYPE: return put_own(work, own_type(work), STEP_HIT);
	case STEP_CNAME: return put_alias(work);
	default: return step;
	}
}

/*! Merges the TXT RRset of the zone's apex, the last one of the answer, with ours (TTL: the zone's). */
static step_t merge_txt(work_t *work, const knot_rrset_t *txt, step_t stands)
{
	knot_rrset_t ours, merged;
	int64_t until = INT64_MAX;
	if (own_step(work) != STEP_TYPE) {
		return stands;
	}
	int ret = make(work, KNOT_RRTYPE_TXT, &ours, &until);
	if (ret == KNOT_EOK) {
		ret = mail_zone_txt(txt, &ours, &work->pkt->mm, &merged);
	}
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? stands : fail(work, ret, "TXT cannot be merged");
	}
	merged.ttl = mail_ttl_cap(merged.ttl, work->view.now, until);
	take_back(work->pkt, work->question->keep);
	return put(work, &merged, STEP_HIT);
}

/*! The name itself has answered: only the apex's TXT is shared, and ANY is whatever comes first. */
static step_t hit_step(work_t *work)
{
	const knot_rrset_t *rrset = &work->pkt->rr[work->question->keep];
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	if (work->place.where != MAIL_FOUND || work->pkt->rrset_count != work->question->keep + 1) {
		return STEP_STANDS;
	}
	if (qtype == KNOT_RRTYPE_TXT && work->key_len == work->view.key_len) {
		const knot_rrset_t txt = *rrset;
		return merge_txt(work, &txt, STEP_STANDS);
	}
	const uint16_t first = own_type(work);
	return qtype == KNOT_RRTYPE_ANY && rrset->type != KNOT_RRTYPE_CNAME && first != 0 &&
	                       first != KNOT_RRTYPE_CNAME && first < rrset->type
	               ? STEP_TYPE
	               : STEP_STANDS;
}

/*! Says whether a name lies at or below a cut of the zone, or below a DNAME: what is there is not ours. */
static bool is_cut_off(const work_t *work, const knot_dname_t *name)
{
	knot_rrset_t rrset;
	const size_t apex = knot_dname_labels(work->question->apex, NULL);
	for (size_t labels = knot_dname_labels(name, NULL); labels >= apex && labels > 0;
	     labels--, name = mail_name_parent(name)) {
		if (labels > apex && look(work, name, KNOT_RRTYPE_NS, &rrset) == KNOT_EOK &&
		    !knot_rrset_empty(&rrset)) {
			return true;
		}
		if (name != work->name && look(work, name, KNOT_RRTYPE_DNAME, &rrset) == KNOT_EOK &&
		    !knot_rrset_empty(&rrset)) {
			return true;
		}
	}
	return false;
}

/*! Puts what a node of the zone's has for the question: its alias, its records or nothing. */
static step_t put_theirs(work_t *work, const knot_dname_t *node)
{
	knot_rrset_t rrset;
	(void)look(work, node, KNOT_RRTYPE_CNAME, &rrset);
	if (!knot_rrset_empty(&rrset)) {
		rrset.owner = (knot_dname_t *)work->name;
		return chain_grows(work) ? alias_put(work, put(work, &rrset, STEP_FOLLOW))
		                         : STEP_HIT;
	}
	(void)look(work, node, knot_pkt_qtype(work->pkt), &rrset);
	if (knot_rrset_empty(&rrset)) {
		return STEP_NODATA;
	}
	rrset.owner = (knot_dname_t *)work->name;
	if (rrset.type == KNOT_RRTYPE_TXT && work->key_len == work->view.key_len) {
		knot_rrset_t ours, merged;
		int64_t until = INT64_MAX;
		if (own_step(work) == STEP_TYPE &&
		    make(work, KNOT_RRTYPE_TXT, &ours, &until) == KNOT_EOK &&
		    mail_zone_txt(&rrset, &ours, &work->pkt->mm, &merged) == KNOT_EOK) {
			merged.ttl = mail_ttl_cap(merged.ttl, work->view.now, until);
			rrset = merged;
		}
	}
	return put(work, &rrset, STEP_HIT);
}

/*! A wildcard of the zone's for a name below its encloser. \return NULL: there is none. */
static const knot_dname_t *look_wildcard(const work_t *work, const knot_dname_t *encloser,
                                         knot_dname_storage_t wildcard)
{
	knot_rrset_t rrset;
	const size_t size = knot_dname_size(encloser);
	if (size + 2 > KNOT_DNAME_MAXLEN) {
		return NULL;
	}
	memcpy(wildcard, "\x01*", 2);
	memcpy(wildcard + 2, encloser, size);
	return look(work, wildcard, KNOT_RRTYPE_NS, &rrset) == KNOT_EOK ? wildcard : NULL;
}

/*! A link of the chain, in a zone whose names can be looked up. */
static step_t link_looked(work_t *work)
{
	knot_rrset_t rrset;
	knot_dname_storage_t storage;
	if (is_cut_off(work, work->name)) {
		return STEP_HIT;
	}
	there_t there = { MAIL_ZONE_MISS, true, -1 };
	const knot_dname_t *node = work->name;
	if (look(work, node, KNOT_RRTYPE_NS, &rrset) != KNOT_EOK) {
		const knot_dname_t *encloser = look_encloser(work, node);
		there.node = false;
		there.encloser = (int)knot_dname_labels(encloser, NULL);
		node = look_wildcard(work, encloser, storage);
	}
	if (node != NULL) {
		/* What the zone says is known when it is tried; it is taken back if it is not right. */
		const uint16_t keep = work->pkt->rrset_count;
		const work_t before = *work;
		const step_t theirs = put_theirs(work, node);
		there.said = theirs == STEP_NODATA ? MAIL_ZONE_NODATA
		             : there.node          ? MAIL_ZONE_HIT
		                                   : MAIL_ZONE_WILDCARD;
		if (theirs >= STEP_TRUNCATED || there.said == MAIL_ZONE_HIT) {
			return theirs;
		}
		step_t right = right_step(&before, &there);
		if (right == STEP_STANDS) {
			return theirs;
		}
		take_back(work->pkt, keep);
		name_set(work, before.name);
		work->chain = before.chain;
		work->place = before.place;
		return own_put(work, right);
	}
	step_t right = right_step(work, &there);
	return right == STEP_STANDS ? STEP_MISS : own_put(work, right);
}

/*! The chain of aliases behind the first name. */
static step_t chain(work_t *work, step_t step)
{
	const bool led = step == STEP_FOLLOW;
	while (step == STEP_FOLLOW) {
		if (!mail_key_in(work->key, work->key_len, work->view.key, work->view.key_len)) {
			return STEP_HIT; /* The chain leaves the zone. */
		}
		if (work->question->look == NULL) {
			/* The zone may have records of its own there, or a cut above. */
			return STEP_HIT;
		}
		int ret = mail_view_place(&work->view, work->key, work->key_len, false,
		                          &work->place);
		if (ret != KNOT_EOK) {
			return fail(work, ret, "an entry of the domain is damaged");
		}
		step = link_looked(work);
	}
	/* The signer's proof is for the node that knotd's own answer ended at. The alias alone is true, too. */
	return led && work->question->online && (step == STEP_NODATA || step == STEP_MISS)
	               ? STEP_HIT
	               : step;
}

/*! Says whether the zone's answer stands although the domain cannot be read: nothing else could come of it. */
static bool stands_anyway(const mail_zone_question_t *question, uint16_t qtype)
{
	switch (question->said) {
	case MAIL_ZONE_MISS: return false;
	case MAIL_ZONE_NODATA: break;
	default: return true;
	}
	/* To a name that the zone has, no kind but a literal record adds an address or the like. */
	return qtype != KNOT_RRTYPE_MX && qtype != KNOT_RRTYPE_TXT && qtype != KNOT_RRTYPE_SRV &&
	       qtype != KNOT_RRTYPE_TLSA && qtype != KNOT_RRTYPE_CAA;
}

/*!
 * Makes the NSEC of a denial that a wildcard's answer gives way to (RFC 4034 4): mod-onlinesign's would have the
 * types of the wildcard.
 *
 * \return step; STEP_STANDS: there is no next name.
 */
static step_t prove(work_t *work, step_t step)
{
	uint16_t types[MAIL_NSEC_TYPES_MAX], type = 0;
	size_t count = 0;
	bool proof = false;
	const bool node = work->place.where == MAIL_FOUND || work->place.where == MAIL_WILDCARD;
	while (count + 2 < MAIL_NSEC_TYPES_MAX) {
		type = node ? mail_node_type(&work->view, &work->place.node, type) : 0;
		if (!proof && (type == 0 || type > KNOT_RRTYPE_NSEC)) {
			types[count++] = KNOT_RRTYPE_RRSIG;
			types[count++] = KNOT_RRTYPE_NSEC;
			proof = true;
		}
		if (type == 0) {
			break;
		}
		types[count++] = type;
	}

	knot_dname_storage_t next;
	uint8_t rdata[MAIL_NSEC_RDATA_MAX];
	if (mail_nsec_first(work->name, next) != KNOT_EOK) {
		return STEP_STANDS;
	}
	const size_t len = mail_nsec_rdata(next, types, count, rdata);
	knot_rrset_t *nsec = &work->reply->nsec;
	knot_rrset_init(nsec, (knot_dname_t *)work->name, KNOT_RRTYPE_NSEC, KNOT_CLASS_IN, 0);
	int ret = knot_rrset_add_rdata(nsec, rdata, len, &work->pkt->mm);
	return ret == KNOT_EOK ? step : fail(work, ret, "no memory for a proof");
}

static step_t first_step(work_t *work)
{
	int ret = mail_view_place(&work->view, work->key, work->key_len, false, &work->place);
	if (ret != KNOT_EOK) {
		return stands_anyway(work->question, knot_pkt_qtype(work->pkt))
		               ? STEP_STANDS
		               : fail(work, ret, "an entry of the domain is damaged");
	}
	step_t step;
	if (work->question->said == MAIL_ZONE_HIT) {
		step = hit_step(work);
	} else {
		const there_t there = there_first(work);
		step = right_step(work, &there);
		if (work->question->online && there.said == MAIL_ZONE_WILDCARD &&
		    (step == STEP_NODATA || step == STEP_MISS)) {
			step = prove(work, step);
		}
	}
	if (step == STEP_STANDS || step == STEP_FAILED || step == STEP_HIT) {
		return step;
	}
	take_back(work->pkt, work->question->keep);
	for (uint16_t i = 0; i < work->pkt->rrset_count; i++) {
		work->chain += work->pkt->rr[i].type == KNOT_RRTYPE_CNAME;
	}
	return chain(work, own_put(work, step));
}

/*! Opens the view of the domain. \return What the answer is if it cannot be opened; else STEP_FOLLOW. */
static step_t open_step(work_t *work)
{
	const mail_zone_question_t *question = work->question;
	int ret = mail_view_open_zone(&work->view, question->apex, question->policy);
	if (ret == KNOT_ENOENT) {
		work->reply->unlisted = true;
		if (question->extent != NULL) {
			memset(question->extent, 0, sizeof(*question->extent));
		}
		return STEP_STANDS;
	}
	const bool bad = ret != KNOT_EOK || work->view.plan->error != KNOT_EOK;
	if (question->extent != NULL) {
		if (bad) {
			mail_extent_all(question->extent);
		} else {
			mail_extent_fill(&work->view, question->extent);
		}
	}
	if (!bad) {
		return STEP_FOLLOW;
	}
	if (stands_anyway(question, knot_pkt_qtype(work->pkt))) {
		return STEP_STANDS;
	}
	if (ret != KNOT_EOK) {
		return fail(work, ret, "the domain's entry cannot be read");
	}
	return fail(work, work->view.plan->error, work->view.plan->reason);
}

int mail_zone_answer(const mail_zone_question_t *question, knot_pkt_t *pkt,
                     mail_zone_reply_t *reply)
{
	static const mail_outcome_t outcomes[] = {
		[STEP_STANDS] = MAIL_OUTCOME_NONE,   [STEP_HIT] = MAIL_OUTCOME_ANSWER,
		[STEP_NODATA] = MAIL_OUTCOME_NODATA, [STEP_MISS] = MAIL_OUTCOME_NXDOMAIN,
		[STEP_FAILED] = MAIL_OUTCOME_FAILED, [STEP_TRUNCATED] = MAIL_OUTCOME_TRUNCATED,
	};
	work_t work; /* Several KiB of keys: what is read is set. */
	work.question = question;
	work.pkt = pkt;
	work.reply = reply;
	work.chain = 0;
	work.view.source = question->source;
	work.view.cache = question->cache;
	work.view.now = question->now;
	reply->kind = mail_kind_count;
	reply->unlisted = false;
	knot_rrset_init_empty(&reply->nsec);
	reply->reason[0] = '\0';
	name_set(&work, question->name);

	mail_cache_hold(question->cache);
	step_t step = open_step(&work);
	if (step == STEP_FOLLOW) {
		step = first_step(&work);
	}
	mail_cache_release(question->cache);
	reply->outcome = outcomes[step];
	reply->name = work.name;
	return KNOT_EOK;
}
