/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "hosted.h"

/*!
 * \brief Return whether a hosted domain answers, and not the zone that knotd has found.
 *
 * The longer name wins, and the zone if they are equal. For a DS question the owner of the DS itself is the child,
 * which both sides match only where they have no parent of it: any parent wins (RFC 4035 3.1.4.1).
 *
 * \param labels  Of the hosted domain, as of mail_hosted_t.
 */
static bool is_longer(const knotd_qdata_t *qdata, size_t labels)
{
	const knot_dname_t *zone_name = knotd_qdata_zone_name((knotd_qdata_t *)qdata);
	if (zone_name == NULL) {
		return true;
	}
	const size_t qname = knot_dname_labels(knot_pkt_qname(qdata->query), NULL);
	const size_t zone = knot_dname_labels(zone_name, NULL);
	const bool ds = knot_pkt_qtype(qdata->query) == KNOT_RRTYPE_DS;
	const bool child = labels == 0 || labels == qname;
	const size_t hosted_rank = ds && child ? 0 : labels + 1;
	const size_t zone_rank = ds && zone == qname ? 0 : zone + 1;
	return hosted_rank > zone_rank;
}

/*! Return whether a question is one that we look at: transfers, NOTIFY and UPDATE are knotd's. */
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

/*! Count the signatures of a question. */
static void count_signatures(knotd_mod_t *mod, unsigned thread, mail_signer_t *signer)
{
	if (signer == NULL) {
		return;
	}
	mail_signer_counts_t counts = mail_signer_counts(signer);
	if ((counts.made | counts.cached | counts.refused) == 0) {
		return;
	}
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

/*! Give knotd what mail_answer() made. */
static knotd_state_t finish(knotd_qdata_t *qdata, knotd_mod_t *mod, const mail_reply_t *reply)
{
	const unsigned thread = qdata->params->thread_id;
	mail_count(mod, thread, MAIL_COUNTER_OUTCOME, reply->outcome);
	if (reply->outcome == MAIL_OUTCOME_FAILED) {
		mail_instance_t *instance = knotd_mod_ctx(mod);
		// A private key that is missing is told once for its key set, not for each domain.
		if (reply->ede != KNOT_EDNS_EDE_NOT_READY) {
			mail_log_write(instance->log, LOG_ERR, "%s", reply->reason);
		}
		return fail(qdata, reply->ede);
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

	// Pin a snapshot of the store.
	mail_instance_t *instance = knotd_mod_ctx(mod);
	mail_service_t *service = instance->service;
	const unsigned thread = qdata->params->thread_id;
	mail_pin_t pin;
	int ret = service != NULL ? mail_service_pin(service, thread, &pin) : KNOT_ENOMEM;
	if (ret != KNOT_EOK) {
		return not_ready(state, qdata, mod, ret);
	}

	// Find the hosted domain, and decide whether it answers.
	mail_hosted_t hosted;
	ret = mail_answer_find(pin.source, pkt, &hosted);
	if (ret != KNOT_EOK || !is_longer(qdata, hosted.labels)) {
		mail_service_unpin(service, thread, &pin);
		mail_count(mod, thread, MAIL_COUNTER_OUTCOME, MAIL_OUTCOME_NONE);
		return state;
	}
	if (qdata->query->tsig_rr != NULL) {
		// We know no key (RFC 8945 5.2.1); knotd checks them for its own zones only.
		mail_service_unpin(service, thread, &pin);
		mail_count(mod, thread, MAIL_COUNTER_OUTCOME, MAIL_OUTCOME_BADKEY);
		qdata->rcode = KNOT_RCODE_NOTAUTH;
		qdata->rcode_tsig = KNOT_RCODE_BADKEY;
		return KNOTD_STATE_FAIL;
	}

	// Equip the question with what only an answer needs, and answer.
	mail_service_equip(service, thread, &pin);
	const mail_question_t question = {
		.source = pin.source,
		.cache = pin.cache,
		.now = pin.now,
		.udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP,
		.dnssec = knot_pkt_has_dnssec(qdata->query),
		.signer = pin.signer,
	};
	mail_reply_t reply;  // The room for a reason is left as it is.
	mail_answer(&question, &hosted, pkt, &reply);
	count_signatures(mod, thread, pin.signer);

	// The packet points into its own memory and into plans, not into the map.
	mail_service_unpin(service, thread, &pin);
	return finish(qdata, mod, &reply);
}
