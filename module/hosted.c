/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "hosted.h"

#include <stdio.h>

#include "mail/kind.h"

/*! Who answers: the hosted domain that was found, or a zone of knotd. */
typedef struct {
	size_t qname; /*!< Labels of the question. */
	size_t zone;  /*!< Labels of knotd's zone. */
	bool has_zone;
	bool ds;     /*!< A DS question belongs to the parent's side of a cut (RFC 4035 3.1.4.1). */
	bool tsig;   /*!< The question is signed. */
	bool asked;  /*!< Out: a hosted domain was found. */
	bool badkey; /*!< Out: the question is ours, and refused. */
} claim_t;

/*!
 * The longer name wins, and the zone if they are equal. For a DS question the owner of the DS itself is
 * the child, which both sides match only where they have no parent of it: any parent wins.
 */
static bool is_hosted(void *ctx, size_t labels)
{
	claim_t *claim = ctx;
	claim->asked = true;
	if (claim->has_zone) {
		// mail_answer() says 0 when all it has is the child.
		bool child = labels == 0 || labels == claim->qname;
		size_t hosted_rank = claim->ds && child ? 0 : labels + 1;
		size_t zone_rank = claim->ds && claim->zone == claim->qname ? 0 : claim->zone + 1;
		if (hosted_rank <= zone_rank) {
			return false;
		}
	}
	// We know no key (RFC 8945 5.2.1); knotd checks them for its own zones only.
	claim->badkey = claim->tsig;
	return !claim->badkey;
}

static claim_t claim_of(knotd_qdata_t *qdata)
{
	const knot_dname_t *zone = knotd_qdata_zone_name(qdata);
	return (claim_t){
		.qname = knot_dname_labels(knot_pkt_qname(qdata->query), NULL),
		.zone = zone != NULL ? knot_dname_labels(zone, NULL) : 0,
		.has_zone = zone != NULL,
		.ds = knot_pkt_qtype(qdata->query) == KNOT_RRTYPE_DS,
		.tsig = qdata->query->tsig_rr != NULL,
	};
}

/*! Says whether a question is one that we look at: transfers, NOTIFY and UPDATE are knotd's. */
static bool is_question(knotd_state_t state, const knotd_qdata_t *qdata)
{
	if (!mail_state_undecided(state) || qdata->type != KNOTD_QUERY_TYPE_NORMAL ||
	    knot_wire_get_opcode(qdata->query->wire) != KNOT_OPCODE_QUERY ||
	    knot_wire_get_qdcount(qdata->query->wire) != 1 ||
	    knot_pkt_qname(qdata->query) == NULL) {
		return false;
	}
	uint16_t rclass = knot_pkt_qclass(qdata->query);
	return rclass == KNOT_CLASS_IN || rclass == KNOT_CLASS_ANY;
}

/*! SERVFAIL with an Extended DNS Error (RFC 8914); knotd makes the packet anew. */
static knotd_state_t fail(knotd_qdata_t *qdata, int ede)
{
	qdata->rcode = KNOT_RCODE_SERVFAIL;
	qdata->rcode_ede = ede;
	return KNOTD_STATE_FAIL;
}

/*! Counts the signatures of a question. */
static void count_signatures(knotd_mod_t *mod, unsigned thread, mail_signer_t *signer)
{
	if (signer == NULL) {
		return;
	}
	mail_signer_counts_t counts = mail_signer_counts(signer);
	mail_count_add(mod, thread, MAIL_COUNTER_SIGNATURE, MAIL_SIGNATURE_MADE, counts.made);
	mail_count_add(mod, thread, MAIL_COUNTER_SIGNATURE, MAIL_SIGNATURE_CACHED, counts.cached);
	mail_count_add(mod, thread, MAIL_COUNTER_SIGNATURE, MAIL_SIGNATURE_REFUSED, counts.refused);
}

/*! No snapshot of the store: zones answer from their own data, the rest might be hosted. */
static knotd_state_t not_ready(knotd_state_t state, knotd_qdata_t *qdata, knotd_mod_t *mod,
                               int error)
{
	mail_instance_t *instance = knotd_mod_ctx(mod);
	// Why a store is not open has been logged where it was tried.
	if (error != KNOT_ENOENT && instance->service != NULL) {
		mail_log_write(instance->log, LOG_ERR, "no snapshot of the store (%s)",
		               knot_strerror(error));
	}
	mail_count(mod, qdata->params->thread_id, MAIL_COUNTER_OUTCOME, MAIL_OUTCOME_NOT_READY);
	return knotd_qdata_zone_name(qdata) == NULL ? fail(qdata, KNOT_EDNS_EDE_NOT_READY) : state;
}

/*! Gives knotd what mail_answer() made. */
static knotd_state_t finish(knotd_state_t state, const mail_reply_t *reply, const claim_t *claim,
                            knotd_qdata_t *qdata, knotd_mod_t *mod)
{
	unsigned thread = qdata->params->thread_id;
	if (claim->badkey) {
		mail_count(mod, thread, MAIL_COUNTER_OUTCOME, MAIL_OUTCOME_BADKEY);
		qdata->rcode = KNOT_RCODE_NOTAUTH;
		qdata->rcode_tsig = KNOT_RCODE_BADKEY;
		return KNOTD_STATE_FAIL;
	}
	mail_count(mod, thread, MAIL_COUNTER_OUTCOME, reply->outcome);
	if (reply->outcome == MAIL_OUTCOME_NONE) {
		return state;
	}
	if (reply->outcome == MAIL_OUTCOME_FAILED) {
		mail_instance_t *instance = knotd_mod_ctx(mod);
		// A private key that is missing is told once for its key set, not for each domain.
		if (reply->ede != KNOT_EDNS_EDE_NOT_READY) {
			mail_log_write(instance->log, LOG_ERR, "%s", reply->reason);
		}
		// A zone of knotd is not ours as long as no hosted domain is known to be longer.
		return claim->has_zone && !claim->asked ? state : fail(qdata, reply->ede);
	}
	mail_count(mod, thread, MAIL_COUNTER_QUERY, reply->kind);
	qdata->rcode = reply->rcode;
	return KNOTD_STATE_DONE;
}

knotd_state_t mail_hosted_answer(knotd_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod)
{
	if (!is_question(state, qdata)) {
		return state;
	}

	mail_instance_t *instance = knotd_mod_ctx(mod);
	unsigned thread = qdata->params->thread_id;
	mail_pin_t pin = { 0 };
	int ret = instance->service != NULL ? mail_service_pin(instance->service, thread, &pin)
	                                    : KNOT_ENOMEM;
	if (ret != KNOT_EOK) {
		return not_ready(state, qdata, mod, ret);
	}

	claim_t claim = claim_of(qdata);
	mail_question_t question = {
		.source = pin.source,
		.cache = pin.cache,
		.now = pin.now,
		.udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP,
		.dnssec = knot_pkt_has_dnssec(qdata->query),
		.signer = pin.signer,
		.above = is_hosted,
		.above_ctx = &claim,
	};
	mail_reply_t reply = { .outcome = MAIL_OUTCOME_NONE, .kind = mail_kind_count };
	ret = mail_answer(&question, pkt, &reply);
	if (ret != KNOT_EOK) {
		reply.outcome = MAIL_OUTCOME_FAILED;
		(void)snprintf(reply.reason, sizeof(reply.reason), "%s", knot_strerror(ret));
	}
	count_signatures(mod, thread, pin.signer);
	// The packet points into its own memory and into plans, not into the map.
	mail_service_unpin(instance->service, thread, &pin);

	return finish(state, &reply, &claim, qdata, mod);
}
