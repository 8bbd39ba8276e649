/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of a zone that holds its own records and those of a domain: the zone has answered, and what is
 * different with the domain's names and records in it is made good (RFC 1034 4.3.2, RFC 4592).
 *
 * Names of ours take away what a wildcard of the zone says to them and to names below them.  Whether a name is
 * one of the zone's is not always known (mail_zone_question_t.look); what is not known to be ours is the zone's.
 */
#include "config.h"

#include "answer/work.h"
#include "answer/zone_extent.h"
#include "answer/zone_look.h"
#include "mail/kind.h"

/*! What is known of a name in the zone. */
typedef struct {
	mail_zone_said_t said;
	bool node;    /*!< It is, or may be, a name of the zone's. */
	int encloser; /*!< If not: labels of the nearest name above it that is; -1: not known. */
} there_t;

/*! An answer of the zone's being completed. */
typedef struct {
	mail_work_t work;
	const mail_zone_question_t *question;
	mail_zone_reply_t *reply;
} completion_t;

/*! Take back all RRsets of the answer section but the first ones. */
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

/*! Return what a put led to. Nothing is left out over TCP: what does not fit there has failed. */
static mail_answer_step_t put_step(mail_work_t *work, int ret, mail_answer_step_t done)
{
	if (ret == KNOT_EOK) {
		return done;
	}
	return ret == KNOT_ESPACE && work->udp
	               ? STEP_TRUNCATED
	               : mail_work_fail(work, ret, "a record cannot be put");
}

/*! Put an RRset of the zone's, or one that both share. */
static mail_answer_step_t put(mail_work_t *work, const knot_rrset_t *rrset, mail_answer_step_t done)
{
	const uint16_t hint = work->pkt->rrset_count == 0 ? KNOT_COMPR_HINT_QNAME
	                                                  : KNOT_COMPR_HINT_NONE;
	const mail_sign_note_t unsigned_note = { .sign = false };
	return put_step(work,
	                mail_work_put(work, hint, rrset, mail_work_flags(work), &unsigned_note),
	                done);
}

/*! Return the labels of the nearest of our names at or above a name that is none of them. */
static int own_encloser(const mail_work_t *work)
{
	return (int)mail_lf_labels(mail_lf(&work->place.lf)) - 1;
}

/*!
 * \brief Return what is right at a name that is none of ours, and none of the zone's: perhaps a wildcard of ours
 *        covers it, or a name of ours cuts the zone's wildcard off.
 *
 *     nearest name above it   a wildcard of ours covers it    none does
 *     nobody knows, or the    stands                          stands
 *       zone's is nearer
 *     ours is nearer, or the  what our wildcard says          a miss, unless the zone says so itself
 *       zone has no wildcard
 *     both have the same      our type, if the zone's         stands
 *                             wildcard has not answered
 */
static mail_answer_step_t uncovered_step(const mail_work_t *work, const there_t *there)
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
	const mail_answer_step_t step = mail_work_own(work);
	if (nearer) {
		return step;
	}
	/* Both have the wildcard: the zone's records win, and no alias of ours stands beside them. */
	const bool adds = step == STEP_TYPE && there->said == MAIL_ZONE_NODATA &&
	                  mail_work_type(work) != KNOT_RRTYPE_CNAME;
	return adds ? step : STEP_STANDS;
}

/*! Return what is right at the name at hand, for which a place was found. */
static mail_answer_step_t right_step(const mail_work_t *work, const there_t *there)
{
	if (work->place.where != MAIL_FOUND) {
		return there->node ? STEP_STANDS : uncovered_step(work, there);
	}
	const mail_answer_step_t step = mail_work_own(work);
	if (there->node) {
		/* The zone's name has other records, or may have; its own alias looks like a wildcard's. */
		const bool adds = step == STEP_TYPE && mail_work_type(work) != KNOT_RRTYPE_CNAME &&
		                  there->said != MAIL_ZONE_WILDCARD;
		return adds ? step : STEP_STANDS;
	}
	/* Our node is empty here: only what the zone's wildcard has answered is wrong. */
	return step == STEP_NODATA && there->said == MAIL_ZONE_NODATA ? STEP_STANDS : step;
}

/*! Return what is known of the question's name. */
static there_t there_first(const completion_t *c)
{
	const mail_zone_question_t *question = c->question;
	there_t there = { question->said, false, -1 };
	if (question->said == MAIL_ZONE_HIT) {
		there.node = true;
	} else if (question->look != NULL) {
		there.node = mail_look_node(question, c->work.name);
		if (!there.node) {
			there.encloser = (int)knot_dname_labels(
				mail_look_encloser(question, c->work.name), NULL);
		}
	} else if (question->said == MAIL_ZONE_NODATA) {
		there.node = true;
	} else if (question->wildcard != NULL) {
		there.encloser = (int)knot_dname_labels(question->wildcard, NULL) - 1;
	}
	return there;
}

/*! Do what is right at the name at hand. */
static mail_answer_step_t own_put(mail_work_t *work, mail_answer_step_t step)
{
	switch (step) {
	case STEP_TYPE:
		return put_step(work,
		                mail_work_node(work, mail_work_type(work), work->name,
		                               mail_work_flags(work)),
		                STEP_HIT);
	case STEP_CNAME: return mail_work_cname(work);
	default: return step;
	}
}

/*!
 * \brief Merge the TXT RRset of the zone's apex with ours; its TTL is the zone's, while ours does not change.
 *
 * \return KNOT_EOK; KNOT_ENOENT: the zone's has all; or an error.
 */
static int merge_txt(mail_work_t *work, const knot_rrset_t *txt, knot_rrset_t *merged)
{
	knot_rrset_t ours;
	int64_t until = INT64_MAX;
	if (mail_work_own(work) != STEP_TYPE) {
		return KNOT_ENOENT;
	}
	int ret = mail_work_make(work, KNOT_RRTYPE_TXT, work->name, &ours, &until);
	if (ret == KNOT_EOK) {
		ret = mail_zone_txt(txt, &ours, &work->pkt->mm, merged);
	}
	if (ret == KNOT_EOK) {
		merged->ttl = mail_ttl_cap(merged->ttl, work->view.now, until);
	}
	return ret;
}

/*! Return whether the name at hand is the apex, where the zone and the domain share a TXT RRset. */
static bool is_apex(const mail_work_t *work)
{
	return work->lf->len == work->view.lf.len;
}

/*! The name itself has answered: only the apex's TXT is shared, and ANY is whatever comes first. */
static mail_answer_step_t hit_step(completion_t *c)
{
	mail_work_t *work = &c->work;
	const uint16_t keep = c->question->keep, qtype = knot_pkt_qtype(work->pkt);
	if (work->place.where != MAIL_FOUND || work->pkt->rrset_count != keep + 1) {
		return STEP_STANDS;
	}
	const knot_rrset_t rrset = work->pkt->rr[keep];
	if (qtype == KNOT_RRTYPE_TXT && is_apex(work)) {
		knot_rrset_t merged;
		int ret = merge_txt(work, &rrset, &merged);
		if (ret == KNOT_ENOENT) {
			return STEP_STANDS;
		}
		if (ret != KNOT_EOK) {
			return mail_work_fail(work, ret, "TXT cannot be merged");
		}
		take_back(work->pkt, keep);
		return put(work, &merged, STEP_HIT);
	}
	const uint16_t first = mail_work_type(work);
	const bool earlier = first != 0 && first != KNOT_RRTYPE_CNAME && first < rrset.type;
	return qtype == KNOT_RRTYPE_ANY && rrset.type != KNOT_RRTYPE_CNAME && earlier ? STEP_TYPE
	                                                                              : STEP_STANDS;
}

/*! Put what a node of the zone's has for the question: its alias, its records or nothing. */
static mail_answer_step_t put_theirs(completion_t *c, const knot_dname_t *node)
{
	mail_work_t *work = &c->work;
	knot_rrset_t rrset, merged;
	(void)mail_look_rrset(c->question, node, KNOT_RRTYPE_CNAME, &rrset);
	if (!knot_rrset_empty(&rrset)) {
		rrset.owner = (knot_dname_t *)work->name;
		if (!mail_work_chain(work)) {
			return STEP_HIT;
		}
		const mail_answer_step_t step = put(work, &rrset, STEP_FOLLOW);
		if (step == STEP_FOLLOW) {
			mail_work_name(work, knot_cname_name(rrset.rrs.rdata));
		}
		return step;
	}
	(void)mail_look_rrset(c->question, node, knot_pkt_qtype(work->pkt), &rrset);
	if (knot_rrset_empty(&rrset)) {
		return STEP_NODATA;
	}
	rrset.owner = (knot_dname_t *)work->name;
	if (rrset.type == KNOT_RRTYPE_TXT && is_apex(work) &&
	    merge_txt(work, &rrset, &merged) == KNOT_EOK) {
		rrset = merged;
	}
	return put(work, &rrset, STEP_HIT);
}

/*!
 * \brief Answer a link of the chain, in a zone whose names can be looked up.
 *
 * The zone's own answer is tried first, since what it says decides what is right; it is taken back if that is ours.
 */
static mail_answer_step_t link_looked(completion_t *c)
{
	mail_work_t *work = &c->work;
	const knot_dname_t *const name = work->name;
	if (mail_look_cut(c->question, name)) {
		return STEP_HIT;
	}
	/* What the zone has at the name: a node, or a wildcard, or nothing. */
	knot_dname_storage_t storage;
	there_t there = { MAIL_ZONE_MISS, mail_look_node(c->question, name), -1 };
	const knot_dname_t *node = name;
	if (!there.node) {
		const knot_dname_t *encloser = mail_look_encloser(c->question, name);
		there.encloser = (int)knot_dname_labels(encloser, NULL);
		node = mail_look_wildcard(c->question, encloser, storage);
	}
	if (node == NULL) {
		const mail_answer_step_t right = right_step(work, &there);
		return right == STEP_STANDS ? STEP_MISS : own_put(work, right);
	}
	/* What we would say there; the name at hand is another one when the zone has an alias. */
	const uint16_t keep = work->pkt->rrset_count;
	const unsigned links = work->chain;
	const mail_answer_step_t theirs = put_theirs(c, node);
	if (theirs == STEP_NODATA) {
		there.said = MAIL_ZONE_NODATA;
	} else {
		there.said = there.node ? MAIL_ZONE_HIT : MAIL_ZONE_WILDCARD;
	}
	if (theirs >= STEP_TRUNCATED || there.said == MAIL_ZONE_HIT) {
		return theirs;
	}
	const knot_dname_t *const next = work->name;
	mail_work_name(work, name);
	const mail_answer_step_t right = right_step(work, &there);
	if (right == STEP_STANDS) {
		mail_work_name(work, next);
		return theirs;
	}
	take_back(work->pkt, keep);
	work->chain = links;
	return own_put(work, right);
}

/*! Follow the chain of aliases behind the first name. */
static mail_answer_step_t chain(completion_t *c, mail_answer_step_t step)
{
	mail_work_t *work = &c->work;
	if (step != STEP_FOLLOW) {
		return step;
	}
	while (step == STEP_FOLLOW) {
		if (!mail_lf_in(mail_lf(work->lf), mail_lf(&work->view.lf))) {
			return STEP_HIT; /* The chain leaves the zone. */
		}
		if (c->question->look == NULL) {
			/* The zone may have records of its own there, or a cut above. */
			return STEP_HIT;
		}
		int ret = mail_view_place(&work->view, mail_lf(work->lf), false, &work->place);
		if (ret != KNOT_EOK) {
			return mail_work_fail(work, ret, "an entry of the domain is damaged");
		}
		step = link_looked(c);
	}
	/* The signer's proof is for the node that knotd's own answer ended at. The alias alone is true, too. */
	const bool denied = step == STEP_NODATA || step == STEP_MISS;
	return denied && c->question->online ? STEP_HIT : step;
}

/*! Return whether the zone's answer stands although the domain cannot be read: nothing else could come of it. */
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
 * \brief Make the NSEC of a denial that a wildcard's answer gives way to (RFC 4034 4): mod-onlinesign's would have
 *        the types of the wildcard.
 *
 * \return step; STEP_STANDS: there is no next name, or more types than a bitmap holds.
 */
static mail_answer_step_t prove(completion_t *c, mail_answer_step_t step)
{
	mail_work_t *work = &c->work;
	const bool node = work->place.where == MAIL_FOUND || work->place.where == MAIL_WILDCARD;
	uint16_t types[MAIL_NSEC_TYPES_MAX];
	size_t count = 0;
	knot_dname_storage_t next;
	uint8_t rdata[MAIL_NSEC_RDATA_MAX];
	if (mail_view_types(&work->view, node ? &work->place.node : NULL, types, &count) !=
	            KNOT_EOK ||
	    mail_nsec_first(work->name, next) != KNOT_EOK) {
		return STEP_STANDS;
	}
	const size_t len = mail_nsec_rdata(next, types, count, rdata);
	knot_rrset_t *nsec = &c->reply->nsec;
	knot_rrset_init(nsec, (knot_dname_t *)work->name, KNOT_RRTYPE_NSEC, KNOT_CLASS_IN, 0);
	int ret = knot_rrset_add_rdata(nsec, rdata, len, &work->pkt->mm);
	return ret == KNOT_EOK ? step : mail_work_fail(work, ret, "no memory for a proof");
}

/*! Answer the first name, and what it leads to. */
static mail_answer_step_t first_step(completion_t *c)
{
	mail_work_t *work = &c->work;
	const mail_zone_question_t *question = c->question;
	int ret = mail_view_place(&work->view, mail_lf(work->lf), false, &work->place);
	if (ret != KNOT_EOK) {
		return stands_anyway(question, knot_pkt_qtype(work->pkt))
		               ? STEP_STANDS
		               : mail_work_fail(work, ret, "an entry of the domain is damaged");
	}
	mail_answer_step_t step;
	if (question->said == MAIL_ZONE_HIT) {
		step = hit_step(c);
	} else {
		const there_t there = there_first(c);
		step = right_step(work, &there);
		if (question->online && there.said == MAIL_ZONE_WILDCARD &&
		    (step == STEP_NODATA || step == STEP_MISS)) {
			step = prove(c, step);
		}
	}
	if (step == STEP_STANDS || step == STEP_FAILED || step == STEP_HIT) {
		return step;
	}
	take_back(work->pkt, question->keep);
	for (uint16_t i = 0; i < work->pkt->rrset_count; i++) {
		work->chain += work->pkt->rr[i].type == KNOT_RRTYPE_CNAME;
	}
	return chain(c, own_put(work, step));
}

/*!
 * Open the view of the domain, and note what it may add.
 *
 * \param unlisted  Out: nothing says what to add; then there is no view.
 * \param reason    Out: of an error.
 *
 * \return KNOT_EOK, also when it is unlisted; or an error: the domain cannot be read.
 */
static int domain_open(mail_view_t *view, const mail_zone_question_t *question, bool *unlisted,
                       const char **reason)
{
	view->source = question->source;
	view->cache = question->cache;
	view->now = question->now;
	int ret = mail_view_open_zone(view, question->apex, question->policy);
	*unlisted = ret == KNOT_ENOENT;
	if (*unlisted) {
		if (question->extent != NULL) {
			memset(question->extent, 0, sizeof(*question->extent));
		}
		return KNOT_EOK;
	}
	*reason = "the domain's entry cannot be read";
	if (ret == KNOT_EOK) {
		ret = view->plan->error;
		*reason = view->plan->reason;
	}
	if (question->extent != NULL) {
		if (ret == KNOT_EOK) {
			mail_extent_fill(view, question->extent);
		} else {
			mail_extent_all(question->extent);
		}
	}
	return ret;
}

/*! Open the view of the domain. \return What the answer is if it cannot be opened; else STEP_FOLLOW. */
static mail_answer_step_t open_step(completion_t *c)
{
	mail_work_t *work = &c->work;
	const char *reason;
	int ret = domain_open(&work->view, c->question, &c->reply->unlisted, &reason);
	if (ret == KNOT_EOK) {
		return c->reply->unlisted ? STEP_STANDS : STEP_FOLLOW;
	}
	if (stands_anyway(c->question, knot_pkt_qtype(work->pkt))) {
		return STEP_STANDS;
	}
	return mail_work_fail(work, ret, reason);
}

int mail_zone_look(const mail_zone_question_t *question, mail_zone_reply_t *reply)
{
	mail_view_t view = { 0 };
	const char *reason;
	reply->reason[0] = '\0';
	mail_cache_hold(question->cache);
	int ret = domain_open(&view, question, &reply->unlisted, &reason);
	if (ret != KNOT_EOK) {
		mail_work_reason(reply->reason, question->apex, ret, reason);
	}
	mail_cache_release(question->cache);
	return ret;
}

void mail_zone_answer(const mail_zone_question_t *question, knot_pkt_t *pkt,
                      mail_zone_reply_t *reply)
{
	mail_lf_storage_t lf;
	completion_t c;
	c.question = question;
	c.reply = reply;
	reply->unlisted = false;
	knot_rrset_init_empty(&reply->nsec);
	mail_work_begin(&c.work, pkt, question->udp, &lf, reply->reason);
	mail_work_name(&c.work, question->name);

	mail_cache_hold(question->cache);
	mail_answer_step_t step = open_step(&c);
	if (step == STEP_FOLLOW) {
		step = first_step(&c);
	}
	mail_cache_release(question->cache);
	reply->outcome = mail_work_outcome(step);
	reply->kind = c.work.kind;
	reply->name = c.work.name;
}
