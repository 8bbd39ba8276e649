/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hook stands behind knotd's own answer. Most answers are none of its business, which has to be seen at
 * once: a name of the zone has answered; or the label below the apex is none that the domain has anything
 * at. The labels are those of the store's content as of the last time that somebody looked, so its number is
 * compared first.
 */
#include "config.h"

#include "zone.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "mail/kind.h"
#include "mail/zone.h"

/*! The labels under which the domain may have names, for all threads. */
typedef struct {
	_Atomic uint64_t state; /*!< mail_service_state() that they are right for; 0: none. */
	_Atomic uint64_t bits[MAIL_LABELS_WORDS];
	atomic_flag writing;
} labels_t;

/*! The instance of a zone; there may be ten thousand. */
typedef struct {
	mail_instance_t instance;
	labels_t labels;
	atomic_bool told_unlisted, told_signed, told_types; /*!< It has been said. */
	bool online;                                        /*!< mod-onlinesign signs after us. */
	uint8_t apex_size;                                  /*!< Of the zone's name. */
	uint8_t bitmap_count; /*!< Types of its nsec-bitmap: at the end. */
	uint8_t policy_len;   /*!< Behind them. */
	uint16_t bitmap[];
} zone_t;

mail_instance_t *mail_zone_new(knotd_mod_t *mod, const mail_zone_setting_t *setting,
                               const char *policy)
{
	const size_t bitmap = setting->bitmap_count * sizeof(setting->bitmap[0]);
	const size_t policy_len = policy != NULL ? strlen(policy) : 0;
	zone_t *zone = calloc(1, sizeof(*zone) + bitmap + policy_len);
	if (zone == NULL) {
		return NULL;
	}
	atomic_flag_clear(&zone->labels.writing);
	zone->online = setting->online;
	zone->apex_size = knot_dname_size(knotd_mod_zone(mod));
	zone->bitmap_count = setting->bitmap_count;
	zone->policy_len = policy_len;
	memcpy(zone->bitmap, setting->bitmap, bitmap);
	if (policy_len > 0) {
		memcpy(zone->bitmap + zone->bitmap_count, policy, policy_len);
	}
	return &zone->instance;
}

static mail_str_t policy_of(const zone_t *zone)
{
	return (mail_str_t){ (const char *)(zone->bitmap + zone->bitmap_count), zone->policy_len };
}

/*! Says whether an RRset of the answer is, or may be, from a wildcard or a DNAME (TRAPS 12). */
static inline bool is_expanded(const knot_pkt_t *pkt, uint16_t index)
{
	const knot_dname_t *owner = pkt->rr[index].owner;
	return (owner[0] == 1 && owner[1] == '*') || (pkt->rr_info[index].flags & KNOT_PF_FREE);
}

/*! Says whether the zone's answer is right in any case. */
static inline bool stands(knotd_in_state_t state, const knot_pkt_t *pkt)
{
	if (state == KNOTD_IN_STATE_MISS || state == KNOTD_IN_STATE_NODATA) {
		return false;
	}
	if (state != KNOTD_IN_STATE_HIT && state != KNOTD_IN_STATE_DELEG) {
		return true;
	}
	for (uint16_t i = 0; i < pkt->rrset_count; i++) {
		if (is_expanded(pkt, i)) {
			return false;
		}
	}
	const uint16_t qtype = knot_pkt_qtype(pkt);
	return qtype != KNOT_RRTYPE_TXT && qtype != KNOT_RRTYPE_ANY;
}

/*! The label below the apex of a name in the zone; NULL: the name is the apex. */
static inline const uint8_t *top_label(const uint8_t *name, size_t size, size_t apex_size)
{
	const uint8_t *const apex = name + size - apex_size;
	const uint8_t *label = NULL;
	while (name < apex) {
		label = name;
		name += 1 + *name;
	}
	return name == apex ? label : NULL;
}

/*! Says whether it is sure that the domain has nothing at or below a label. */
static inline bool lacks(const labels_t *labels, const uint8_t *label, uint64_t state)
{
	const uint64_t hash = mail_label_hash(label);
	const unsigned first = mail_label_bit(hash, 0), second = mail_label_bit(hash, 1);
	if (state == 0 || atomic_load_explicit(&labels->state, memory_order_acquire) != state) {
		return false;
	}
	const uint64_t bits = atomic_load_explicit(&labels->bits[first / 64],
	                                           memory_order_relaxed) >>
	                              first % 64 &
	                      atomic_load_explicit(&labels->bits[second / 64],
	                                           memory_order_relaxed) >>
	                              second % 64;
	// Nobody has begun to write them since.
	atomic_thread_fence(memory_order_acquire);
	return (bits & 1) == 0 &&
	       atomic_load_explicit(&labels->state, memory_order_relaxed) == state;
}

/*! Notes the labels that are right for a state of the store; one thread at a time, others leave it. */
static void write_labels(labels_t *labels, const mail_labels_t *from, uint64_t state)
{
	if (state == 0 || atomic_flag_test_and_set(&labels->writing)) {
		return;
	}
	atomic_store_explicit(&labels->state, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < MAIL_LABELS_WORDS; i++) {
		atomic_store_explicit(&labels->bits[i], from->bits[i], memory_order_relaxed);
	}
	atomic_store_explicit(&labels->state, state, memory_order_release);
	atomic_flag_clear(&labels->writing);
}

/*! Says something once. */
static void say_once(zone_t *zone, atomic_bool *told, int priority, const char *text)
{
	if (!atomic_exchange(told, true)) {
		mail_log_event(zone->instance.log, priority, "%s", text);
	}
}

/*! Says whether the zone was signed before it came here: then its proofs deny whatever is added. */
static bool is_signed(zone_t *zone, knotd_qdata_t *qdata)
{
	if (zone->online) {
		return false;
	}
	knot_rrset_t dnskey = knotd_qdata_zone_apex_rrset(qdata, KNOT_RRTYPE_DNSKEY);
	if (knot_rrset_empty(&dnskey)) {
		if (atomic_load_explicit(&zone->told_signed, memory_order_relaxed)) {
			atomic_store(&zone->told_signed, false);
		}
		return false;
	}
	say_once(zone, &zone->told_signed, LOG_ERR,
	         "the zone is signed already: its proofs would deny what is added, so nothing is; "
	         "use an unsigned zone with module: [mod-mail, mod-onlinesign] instead");
	return true;
}

/*! Warns when mod-onlinesign's proofs deny a type that the domain has. */
static void check_types(zone_t *zone, const mail_extent_t *extent)
{
	char text[160];
	mail_buf_t out = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text) - 1);
	for (size_t i = 0; i < extent->type_count; i++) {
		bool listed = false;
		for (size_t j = 0; j < zone->bitmap_count && !listed; j++) {
			listed = zone->bitmap[j] == extent->types[i];
		}
		char name[16];
		if (!listed && knot_rrtype_to_string(extent->types[i], name, sizeof(name)) > 0) {
			(void)mail_buf_printf(&out, "%s%s", out.len > 0 ? ", " : "", name);
		}
	}
	text[out.len] = '\0';
	if (out.len > 0 && !atomic_exchange(&zone->told_types, true)) {
		mail_log_event(zone->instance.log, LOG_WARNING,
		               "nsec-bitmap of mod-onlinesign lacks %s, which the domain has: its "
		               "proofs deny these records",
		               text);
	}
}

#if KNOTD_MOD_ABI_VERSION >= 600
static int look(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset)
{
	return knotd_qdata_zone_rrset(ctx, NULL, name, type, rrset);
}
#define LOOK look
#else
#define LOOK NULL
#endif

/*! A question at the hook. */
typedef struct {
	zone_t *zone;
	knot_pkt_t *pkt;
	knotd_qdata_t *qdata;
	mail_zone_question_t question;
	mail_zone_reply_t reply;
} work_t;

/*! Asks the domain about one name of the chain. \return Whether the zone's answer was replaced. */
static bool try(work_t *work, const knot_dname_t *name, mail_zone_said_t said, uint16_t keep)
{
	work->question.name = name;
	work->question.said = said;
	work->question.keep = keep;
	work->question.wildcard = NULL;
	if (said == MAIL_ZONE_WILDCARD) {
		const knot_dname_t *owner = work->pkt->rr[keep].owner;
		work->question.wildcard = owner[0] == 1 && owner[1] == '*' ? owner : NULL;
	}
	return mail_zone_answer(&work->question, work->pkt, &work->reply) == KNOT_EOK &&
	       work->reply.outcome != MAIL_OUTCOME_NONE;
}

/*! Says whether a name that was found may share its answer. */
static bool may_share(const work_t *work, const knot_rrset_t *rrset)
{
	const uint16_t qtype = knot_pkt_qtype(work->pkt);
	return qtype == KNOT_RRTYPE_ANY ||
	       (qtype == KNOT_RRTYPE_TXT && rrset->type == KNOT_RRTYPE_TXT &&
	        knot_dname_is_case_equal(rrset->owner, work->question.apex));
}

/*! Goes through the chain of the zone's answer, to the first name at which it is not right. */
static void try_all(work_t *work, knotd_in_state_t state)
{
	const knot_pkt_t *pkt = work->pkt;
	const knot_dname_t *name = knot_pkt_qname(work->qdata->query);
	const uint16_t count = pkt->rrset_count;
	bool dname = false;
	for (uint16_t i = 0; i < count; i++) {
		const knot_rrset_t *rrset = &pkt->rr[i];
		const bool own = knot_dname_is_case_equal(rrset->owner, name) &&
		                 !(pkt->rr_info[i].flags & KNOT_PF_FREE);
		if (!dname && rrset->type != KNOT_RRTYPE_DNAME) {
			if (!own && is_expanded(pkt, i)) {
				if (try(work, name, MAIL_ZONE_WILDCARD, i)) {
					return;
				}
			} else if (i + 1 == count && state == KNOTD_IN_STATE_HIT &&
			           may_share(work, rrset)) {
				(void)try(work, name, MAIL_ZONE_HIT, i);
				return;
			}
		}
		// What follows a DNAME is the CNAME that it stands for.
		dname = rrset->type == KNOT_RRTYPE_DNAME;
		if (rrset->type == KNOT_RRTYPE_CNAME) {
			name = knot_cname_name(rrset->rrs.rdata);
		}
	}
	if (state == KNOTD_IN_STATE_MISS || state == KNOTD_IN_STATE_NODATA) {
		(void)try(work, work->qdata->name,
		          state == KNOTD_IN_STATE_MISS ? MAIL_ZONE_MISS : MAIL_ZONE_NODATA, count);
	}
}

/*! Gives knotd what came out. */
static knotd_in_state_t finish(work_t *work, knotd_in_state_t state)
{
	knotd_qdata_t *qdata = work->qdata;
	const mail_zone_reply_t *reply = &work->reply;
	if (reply->outcome == MAIL_OUTCOME_NONE) {
		return state;
	}
	if (reply->outcome == MAIL_OUTCOME_FAILED) {
		mail_log_write(work->zone->instance.log, LOG_ERR, "%s", reply->reason);
		qdata->rcode = KNOT_RCODE_SERVFAIL;
		qdata->rcode_ede = KNOT_EDNS_EDE_INV_DATA;
		return KNOTD_IN_STATE_ERROR;
	}
	knot_wire_set_aa(work->pkt->wire);
	qdata->rcode = KNOT_RCODE_NOERROR;
	qdata->name = reply->name;
	if (work->zone->online && work->pkt->rrset_count > 0 && work->question.udp) {
		// A signature that does not fit is truncation, not failure (TRAPS 18).
		qdata->err_truncated = true;
	}
	switch (reply->outcome) {
	case MAIL_OUTCOME_ANSWER: return KNOTD_IN_STATE_HIT;
	case MAIL_OUTCOME_NODATA: return KNOTD_IN_STATE_NODATA;
	case MAIL_OUTCOME_TRUNCATED: return KNOTD_IN_STATE_TRUNC;
	default: return KNOTD_IN_STATE_MISS;
	}
}

/*! Counts for the instance, or for the global one if it has no counters. */
static void count(const work_t *work, knotd_mod_t *mod)
{
	const unsigned thread = work->qdata->params->thread_id;
	mail_instance_t *instance = &work->zone->instance;
	if (work->reply.outcome == MAIL_OUTCOME_NONE) {
		return;
	}
	knotd_mod_t *counter = instance->counting ? mod : mail_service_counter(instance->service);
	mail_count(counter, thread, MAIL_COUNTER_OUTCOME, work->reply.outcome);
	if (work->reply.outcome != MAIL_OUTCOME_FAILED) {
		mail_count(counter, thread, MAIL_COUNTER_QUERY, work->reply.kind);
	}
}

/*! The way of a question that may be ours. */
static knotd_in_state_t complete(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod)
{
	zone_t *zone = knotd_mod_ctx(mod);
	mail_instance_t *instance = &zone->instance;
	const unsigned thread = qdata->params->thread_id;
	mail_pin_t pin = { 0 };
	mail_service_tell(instance->service, instance->log);
	if (is_signed(zone, qdata)) {
		return state;
	}
	int ret = mail_service_pin(instance->service, thread, &pin);
	if (ret != KNOT_EOK) {
		// Why a store is not open has been logged where it was tried.
		if (ret != KNOT_ENOENT) {
			mail_log_write(instance->log, LOG_ERR, "no snapshot of the store (%s)",
			               knot_strerror(ret));
		}
		return state;
	}

	mail_extent_t extent;
	work_t work = {
		.zone = zone,
		.pkt = pkt,
		.qdata = qdata,
		.question = {
			.source = pin.source,
			.cache = pin.cache,
			.now = time(NULL),
			.udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP,
			.online = zone->online,
			.apex = knotd_qdata_zone_name(qdata),
			.policy = policy_of(zone),
			.look = LOOK,
			.look_ctx = qdata,
		},
		.reply = { .outcome = MAIL_OUTCOME_NONE, .kind = mail_kind_count },
	};
	const bool stale = atomic_load(&zone->labels.state) != pin.state;
	work.question.extent = stale ? &extent : NULL;
	try_all(&work, state);
	count(&work, mod);
	mail_service_unpin(instance->service, thread, &pin);

	if (work.reply.unlisted) {
		say_once(
			zone, &zone->told_unlisted, LOG_NOTICE,
			"the store does not list the zone, and the module's section has no policy: "
			"nothing is added");
	}
	if (stale && work.question.name != NULL) {
		write_labels(&zone->labels, &extent.labels, pin.state);
		if (zone->online) {
			check_types(zone, &extent);
		}
	}
	return finish(&work, state);
}

knotd_in_state_t mail_zone_complete(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                    knotd_mod_t *mod)
{
	if (stands(state, pkt)) {
		return state;
	}
	const zone_t *zone = knotd_mod_ctx(mod);
	mail_service_t *service = zone->instance.service;
	if (service == NULL) {
		return state;
	}
	// A chain of aliases is rare, and has more than one name.
	if (pkt->rrset_count == 0 || (pkt->rrset_count == 1 && state == KNOTD_IN_STATE_HIT)) {
		const uint8_t *label = top_label(knot_pkt_qname(qdata->query), pkt->qname_size,
		                                 zone->apex_size);
		if (label != NULL && lacks(&zone->labels, label,
		                           mail_service_state(service, qdata->params->thread_id))) {
			return state;
		}
	}
	return complete(state, pkt, qdata, mod);
}
