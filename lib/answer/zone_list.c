/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that a domain adds to a zone of knotd's. For each RRset that the domain has, knotd's answer from the zone is
 * made as knotd makes it, and completed as the module completes it: what is ours in what comes out is added.
 */
#include "config.h"

#include "answer/zone_look.h"
#include "mail/list.h"
#include "mail/pool.h"

/*! A listing beside a zone. */
typedef struct {
	const mail_listing_t *listing; /*!< The caller's. */
	const mail_zone_listing_t *zone;
	mail_zone_question_t question; /*!< With a zone that can be looked at. */
	knot_dname_storage_t wildcard; /*!< That has answered. */
} beside_t;

/*! Put what knotd answers from the zone, which decides what is right. */
static int put_theirs(beside_t *beside, const mail_listed_t *listed, knot_pkt_t *pkt,
                      mail_zone_question_t *question)
{
	const knot_dname_t *const name = listed->rrset->owner, *node = name;
	knot_rrset_t rrset;
	question->said = MAIL_ZONE_HIT;
	if (!mail_look_node(&beside->question, name)) {
		const knot_dname_t *encloser = mail_look_encloser(&beside->question, name);
		node = mail_look_wildcard(&beside->question, encloser, beside->wildcard);
		question->said = MAIL_ZONE_WILDCARD;
	}
	if (node == NULL) {
		question->said = MAIL_ZONE_MISS;
		return KNOT_EOK;
	}
	knot_rrset_init_empty(&rrset);
	if (listed->rrset->type != KNOT_RRTYPE_CNAME) {
		(void)mail_look_rrset(&beside->question, node, KNOT_RRTYPE_CNAME, &rrset);
	}
	const bool alias = !knot_rrset_empty(&rrset);
	if (!alias) {
		(void)mail_look_rrset(&beside->question, node, listed->rrset->type, &rrset);
	}
	if (knot_rrset_empty(&rrset)) {
		question->said = MAIL_ZONE_NODATA;
		return KNOT_EOK;
	}
	/* Before 3.4, the owner of a wildcard's records tells which it was, but not that of its alias. */
	if (alias && !beside->zone->looks && knot_dname_is_wildcard(name)) {
		/* There it cannot be told from an alias at the wildcard itself, which stands. */
		question->said = MAIL_ZONE_HIT;
	}
	question->wildcard = question->said == MAIL_ZONE_WILDCARD && !alias ? node : NULL;
	rrset.owner = (knot_dname_t *)name;
	return knot_pkt_put(pkt, KNOT_COMPR_HINT_QNAME, &rrset, KNOT_PF_NOTRUNC);
}

/*! Hand out the records of an RRset that the zone has not. */
static int hand_out(const beside_t *beside, const mail_listed_t *listed, const knot_rrset_t *answer,
                    knot_mm_t *mm)
{
	knot_rrset_t theirs, rest;
	(void)mail_look_rrset(&beside->question, answer->owner, answer->type, &theirs);
	knot_rrset_init(&rest, answer->owner, answer->type, answer->rclass, answer->ttl);
	knot_rdata_t *rdata = answer->rrs.rdata;
	for (uint16_t i = 0; i < answer->rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		if (!knot_rrset_empty(&theirs) && knot_rdataset_member(&theirs.rrs, rdata)) {
			continue;
		}
		int ret = knot_rrset_add_rdata(&rest, rdata->data, rdata->len, mm);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (knot_rrset_empty(&rest)) {
		return KNOT_EOK;
	}
	const mail_listed_t added = { &rest, listed->kind, listed->until };
	return beside->listing->each(&added, beside->listing->ctx);
}

/*! Complete knotd's answer for an RRset of the domain in a packet. */
static int complete(beside_t *beside, const mail_listed_t *listed, mail_pool_t *pool,
                    knot_pkt_t *query, knot_pkt_t *pkt)
{
	const knot_rrset_t *rrset = listed->rrset;
	mail_zone_question_t question = beside->question;
	mail_zone_reply_t reply;
	int ret = knot_pkt_put_question(query, rrset->owner, KNOT_CLASS_IN, rrset->type);
	if (ret == KNOT_EOK) {
		ret = knot_pkt_init_response(pkt, query);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	(void)knot_pkt_begin(pkt, KNOT_ANSWER);
	question.name = knot_pkt_qname(pkt);
	if (!beside->zone->looks) {
		question.look = NULL;
	}
	ret = put_theirs(beside, listed, pkt, &question);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_zone_answer(&question, pkt, &reply);
	if (reply.outcome == MAIL_OUTCOME_FAILED) {
		return mail_diag_error(beside->listing->diag, 0, "%s", reply.reason);
	}
	if (reply.outcome != MAIL_OUTCOME_ANSWER || pkt->rrset_count == 0 ||
	    pkt->rr[0].type != rrset->type) {
		return KNOT_EOK;
	}
	knot_mm_t mm = mail_pool_mm(pool);
	return hand_out(beside, listed, &pkt->rr[0], &mm);
}

/*! Ask what the zone with the domain's records answers for one of their RRsets. */
static int each(const mail_listed_t *listed, void *ctx)
{
	beside_t *beside = ctx;
	if (mail_look_cut(&beside->question, listed->rrset->owner)) {
		return KNOT_EOK;
	}
	mail_pool_t pool = { 0 };
	knot_mm_t mm = mail_pool_mm(&pool);
	int ret = KNOT_ENOMEM;
	knot_pkt_t *query = knot_pkt_new(NULL, 512, &mm);
	knot_pkt_t *pkt = knot_pkt_new(NULL, UINT16_MAX, &mm);
	if (query != NULL && pkt != NULL) {
		ret = complete(beside, listed, &pool, query, pkt);
	}
	mail_pool_free(&pool);
	return ret;
}

int mail_zone_list(const mail_listing_t *listing, const mail_zone_listing_t *zone,
                   mail_str_t domain)
{
	knot_dname_storage_t apex;
	beside_t beside = { .listing = listing, .zone = zone };
	int ret = mail_name_parse(domain, apex, listing->diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	beside.question = (mail_zone_question_t){ .source = listing->source,
		                                  .now = listing->now,
		                                  .apex = apex,
		                                  .policy = zone->policy,
		                                  .look = zone->look,
		                                  .look_ctx = zone->look_ctx };
	beside.question.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	if (beside.question.cache == NULL) {
		return KNOT_ENOMEM;
	}
	mail_listing_t inner = *listing;
	inner.zone = zone;
	inner.signer = NULL;
	inner.each = each;
	inner.ctx = &beside;
	ret = mail_answer_list(&inner, domain);
	mail_cache_free(beside.question.cache);
	return ret;
}
