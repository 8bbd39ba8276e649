/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hook stands behind knotd's own answer. Most answers are none of its business, which has to be seen at
 * once: a name of the zone has answered; or the label below the apex is none that the domain has anything
 * at. The labels are those of the store's content as of the last time that somebody looked, so its number is
 * compared first.
 *
 *     knotd's answer                                  goes to               which leaves it as it is if
 *     one RRset, no wildcard's; not TXT or ANY asked  nobody: returned
 *     one RRset, else                                 consider()            no name of the domain is there: lacks()
 *     no RRset, NXDOMAIN or NODATA                    consider()            the same
 *     more RRsets: CNAME, DNAME, a referral           consider_chain()      no link is a wildcard's; not TXT or ANY asked
 *     an error, or nothing                            consider_other()      always
 *
 * and what remains to complete(): it pins a snapshot, asks the domain about each name of the chain in turn (try_all()),
 * and gives knotd what came out (finish()). mod-onlinesign comes after us: mail_zone_prove() gives it the NSEC.
 */
#include "config.h"

#include "zone.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "mail/kind.h"
#include "mail/zone.h"

/*!
 * The labels under which the domain may have names, for all threads. Bits are only added, and before the state
 * is: who reads the state first has all bits that belong to it, perhaps some of before.
 */
typedef struct {
	_Atomic uint64_t state; /*!< mail_pin_t.state that they are right for; 0: none. */
	_Atomic uint64_t bits[MAIL_LABELS_WORDS];
} labels_t;

/*! The instance of a zone; there may be ten thousand. */
typedef struct {
	mail_instance_t instance;
	knotd_mod_t *mod;
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
	zone->mod = mod;
	zone->online = setting->online;
	const size_t apex_size = knot_dname_size(knotd_mod_zone(mod));
	zone->apex_size = apex_size >= MAIL_LABEL_READ ? apex_size : UINT8_MAX;
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

/*! Return whether an RRset of the answer is, or may be, from a wildcard or a DNAME: knotd marks it. */
static inline bool is_expanded(const knot_pkt_t *pkt, uint16_t index)
{
	return memcmp(pkt->rr[index].owner, "\x01*", 2) == 0 ||
	       (pkt->rr_info[index].flags & KNOT_PF_FREE) != 0;
}

/*! Return whether the records of a name may be the zone's and ours. */
static inline bool is_shared(const knot_pkt_t *pkt)
{
	const uint16_t qtype = knot_pkt_qtype(pkt);
	return qtype == KNOT_RRTYPE_TXT || qtype == KNOT_RRTYPE_ANY;
}

/*! Return whether all bits of a label but the first are in a word, which is rare. */
__attribute__((noinline, cold)) static bool has_rest(uint64_t word, uint64_t hash)
{
	bool all = true;
	for (unsigned i = 1; i < MAIL_LABEL_BITS; i++) {
		all = all && mail_label_in(word, hash, i);
	}
	return all;
}

/*! Return whether it is sure that the domain has nothing at or below the QNAME. */
static inline bool lacks(const zone_t *zone, const knot_pkt_t *pkt, unsigned thread)
{
	// The label below the apex; a name that ends otherwise is the apex itself, or too short.
	const uint8_t *const apex = pkt->lower_qname + pkt->qname_size - zone->apex_size;
	const uint8_t *label = pkt->lower_qname, *next = label + 1 + *label;
	while (next < apex) {
		label = next;
		next += 1 + *next;
	}
	if (next != apex) {
		return false;
	}
	const labels_t *labels = &zone->labels;
	const uint64_t hash = mail_label_hash(label);
	const uint64_t state = atomic_load_explicit(&labels->state, memory_order_acquire);
	const uint64_t word = atomic_load_explicit(&labels->bits[mail_label_word(hash)],
	                                           memory_order_relaxed);
	if (mail_label_in(word, hash, 0) && has_rest(word, hash)) {
		return false;
	}
	return mail_service_is_current(zone->instance.service, thread, state);
}

/*! Note the labels that are right for a state of the store. */
static void note_labels(labels_t *labels, const mail_labels_t *from, uint64_t state)
{
	bool full = true;
	for (size_t i = 0; i < MAIL_LABELS_WORDS; i++) {
		full = full && from->bits[i] == UINT64_MAX;
	}
	if (full || state == 0) {
		return;  // Of a domain that may have anything there is nothing to note.
	}
	for (size_t i = 0; i < MAIL_LABELS_WORDS; i++) {
		atomic_fetch_or_explicit(&labels->bits[i], from->bits[i], memory_order_relaxed);
	}
	atomic_store_explicit(&labels->state, state, memory_order_release);
}

/*! Say something once. */
static void say_once(zone_t *zone, atomic_bool *told, int priority, const char *text)
{
	if (!atomic_exchange(told, true)) {
		mail_log_event(zone->instance.log, priority, "%s", text);
	}
}

static void tell_signed(zone_t *zone)
{
	say_once(
		zone, &zone->told_signed, LOG_ERR,
		"nothing is added: the zone is signed already, and its proofs would deny what is added; "
		"load an unsigned zone and set module: [mod-mail, mod-onlinesign]");
}

/*! Return whether the zone was signed before it came here: then its proofs deny whatever is added. */
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
	tell_signed(zone);
	return true;
}

/*! Warns when mod-onlinesign's proofs deny a type that the domain has, and most domains have not. */
static void check_types(zone_t *zone, const mail_extent_t *extent)
{
	char text[160];
	mail_buf_t out = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text) - 1);
	for (size_t i = 0; i < extent->type_count; i++) {
		bool listed = mail_zone_is_needed(extent->types[i]);
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

/*! Say that nothing says what to add. */
static void tell_unlisted(zone_t *zone)
{
	say_once(zone, &zone->told_unlisted, LOG_WARNING,
	         "nothing is added: the store has no domain of this name, and the module's "
	         "section has no policy; type kmailctl domain-set with this name and policy=ID");
}

/*! Keep what the domain may add, as of a state of the store. */
static void keep_extent(zone_t *zone, const mail_extent_t *extent, uint64_t state)
{
	note_labels(&zone->labels, &extent->labels, state);
	if (zone->online) {
		check_types(zone, extent);
	}
}

void mail_zone_look_ahead(mail_instance_t *instance)
{
	zone_t *zone = (zone_t *)instance;
	mail_pin_t pin;
	if (!zone->online && mail_zone_is_signed_file(zone->mod)) {
		tell_signed(zone);
		return;
	}
	if (instance->service == NULL || mail_service_look(instance->service, &pin) != KNOT_EOK) {
		return;  // Why the store is not open has been logged; the first question looks again.
	}
	mail_extent_t extent;
	mail_zone_reply_t reply;
	const mail_zone_question_t question = {
		.source = pin.source,
		.cache = pin.cache,
		.now = pin.now,
		.apex = knotd_mod_zone(zone->mod),
		.policy = policy_of(zone),
		.extent = &extent,
	};
	int ret = mail_zone_look(&question, &reply);
	const uint64_t state = pin.state;
	mail_service_look_end(instance->service, &pin);

	if (ret != KNOT_EOK) {
		mail_log_write(instance->log, LOG_ERR, "%s", reply.reason);
		return;
	}
	if (reply.unlisted) {
		tell_unlisted(zone);
	}
	keep_extent(zone, &extent, state);
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
} attempt_t;

/*! Ask the domain about one name of the chain. \return Whether the zone's answer was replaced. */
static bool try(attempt_t *attempt, const knot_dname_t *name, mail_zone_said_t said, uint16_t keep)
{
	attempt->question.name = name;
	attempt->question.said = said;
	attempt->question.keep = keep;
	attempt->question.wildcard = NULL;
	if (said == MAIL_ZONE_WILDCARD) {
		const knot_dname_t *owner = attempt->pkt->rr[keep].owner;
		attempt->question.wildcard = owner[0] == 1 && owner[1] == '*' ? owner : NULL;
	}
	mail_zone_answer(&attempt->question, attempt->pkt, &attempt->reply);
	return attempt->reply.outcome != MAIL_OUTCOME_NONE;
}

/*! Return whether a name that was found may share its answer. */
static bool may_share(const attempt_t *attempt, const knot_rrset_t *rrset)
{
	const uint16_t qtype = knot_pkt_qtype(attempt->pkt);
	return qtype == KNOT_RRTYPE_ANY ||
	       (qtype == KNOT_RRTYPE_TXT && rrset->type == KNOT_RRTYPE_TXT &&
	        knot_dname_is_case_equal(rrset->owner, attempt->question.apex));
}

/*! Go through the chain of the zone's answer, to the first name at which it is not right. */
static void try_all(attempt_t *attempt, knotd_in_state_t state)
{
	const knot_pkt_t *pkt = attempt->pkt;
	const knot_dname_t *name = knot_pkt_qname(attempt->qdata->query);
	const uint16_t count = pkt->rrset_count;
	bool dname = false;
	for (uint16_t i = 0; i < count; i++) {
		const knot_rrset_t *rrset = &pkt->rr[i];
		// knotd answers a question for a wildcard itself as if it expanded it; where names cannot
		// be looked up, it is taken for what it most likely is.
		const bool star = attempt->question.look == NULL && knot_dname_is_wildcard(name);
		const bool own = knot_dname_is_case_equal(rrset->owner, name) &&
		                 (star || !(pkt->rr_info[i].flags & KNOT_PF_FREE));
		if (!dname && rrset->type != KNOT_RRTYPE_DNAME) {
			if (!own && is_expanded(pkt, i)) {
				if (try(attempt, name, MAIL_ZONE_WILDCARD, i)) {
					return;
				}
			} else if (i + 1 == count && state == KNOTD_IN_STATE_HIT &&
			           may_share(attempt, rrset)) {
				(void)try(attempt, name, MAIL_ZONE_HIT, i);
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
		(void)try(attempt, attempt->qdata->name,
		          state == KNOTD_IN_STATE_MISS ? MAIL_ZONE_MISS : MAIL_ZONE_NODATA, count);
	}
}

/*! The proof of the denial that this thread has at hand, from ANSWER to AUTHORITY of one question. */
static _Thread_local knot_rrset_t proof;

/*! Give knotd what came out. */
static knotd_in_state_t finish(attempt_t *attempt, knotd_in_state_t state)
{
	knotd_qdata_t *qdata = attempt->qdata;
	const mail_zone_reply_t *reply = &attempt->reply;
	if (reply->outcome == MAIL_OUTCOME_NONE) {
		return state;
	}
	if (reply->outcome == MAIL_OUTCOME_FAILED) {
		mail_log_write(attempt->zone->instance.log, LOG_ERR, "%s", reply->reason);
		qdata->rcode = KNOT_RCODE_SERVFAIL;
		qdata->rcode_ede = KNOT_EDNS_EDE_INV_DATA;
		return KNOTD_IN_STATE_ERROR;
	}
	knot_wire_set_aa(attempt->pkt->wire);
	qdata->rcode = KNOT_RCODE_NOERROR;
	qdata->name = reply->name;
	proof = reply->nsec;
	if (attempt->zone->online && attempt->question.udp &&
	    (attempt->pkt->rrset_count > 0 || !knot_rrset_empty(&proof))) {
		// Without it, mod-onlinesign answers SERVFAIL where the data fit and their signature does not.
		qdata->err_truncated = true;
	}
	switch (reply->outcome) {
	case MAIL_OUTCOME_ANSWER: return KNOTD_IN_STATE_HIT;
	case MAIL_OUTCOME_NODATA: return KNOTD_IN_STATE_NODATA;
	case MAIL_OUTCOME_TRUNCATED: return KNOTD_IN_STATE_TRUNC;
	default: return KNOTD_IN_STATE_MISS;
	}
}

/*! Count for the instance, or for the global one if it has no counters. */
static void count(const attempt_t *attempt)
{
	const unsigned thread = attempt->qdata->params->thread_id;
	mail_instance_t *instance = &attempt->zone->instance;
	if (attempt->reply.outcome == MAIL_OUTCOME_NONE) {
		return;
	}
	knotd_mod_t *counter = instance->counting ? attempt->zone->mod
	                                          : mail_service_counter(instance->service);
	mail_count(counter, thread, MAIL_COUNTER_OUTCOME, attempt->reply.outcome);
	if (attempt->reply.outcome != MAIL_OUTCOME_FAILED) {
		mail_count(counter, thread, MAIL_COUNTER_QUERY, attempt->reply.kind);
	}
}

/*! The way of a question that may be ours. */
__attribute__((noinline)) static knotd_in_state_t complete(knotd_in_state_t state, knot_pkt_t *pkt,
                                                           knotd_qdata_t *qdata, zone_t *zone)
{
	mail_instance_t *instance = &zone->instance;
	const unsigned thread = qdata->params->thread_id;
	mail_pin_t pin;
	if (instance->service == NULL) {
		return state;
	}
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
	mail_service_equip(instance->service, thread, &pin);

	mail_extent_t extent;
	attempt_t attempt = {
		.zone = zone,
		.pkt = pkt,
		.qdata = qdata,
		.question = {
			.source = pin.source,
			.cache = pin.cache,
			.now = pin.now,
			.udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP,
			.online = zone->online,
			.apex = knotd_qdata_zone_name(qdata),
			.policy = policy_of(zone),
			.look = LOOK,
			.look_ctx = qdata,
		},
		.reply = { .outcome = MAIL_OUTCOME_NONE, .kind = MAIL_KIND_COUNT },
	};
	const bool stale = atomic_load(&zone->labels.state) != pin.state;
	attempt.question.extent = stale ? &extent : NULL;
	try_all(&attempt, state);
	count(&attempt);
	mail_service_unpin(instance->service, thread, &pin);

	if (attempt.reply.unlisted) {
		tell_unlisted(zone);
	}
	if (stale && attempt.question.name != NULL) {
		keep_extent(zone, &extent, pin.state);
	}
	return finish(&attempt, state);
}

/*! The way of a question for one name, to which the zone has said nothing, or a wildcard has answered. */
__attribute__((noinline)) static knotd_in_state_t consider(knotd_in_state_t state, knot_pkt_t *pkt,
                                                           knotd_qdata_t *qdata, knotd_mod_t *mod)
{
	zone_t *zone = knotd_mod_ctx(mod);
	if (lacks(zone, pkt, qdata->params->thread_id)) {
		return state;
	}
	return complete(state, pkt, qdata, zone);
}

/*! The way of an answer to more than one name: a chain of aliases. */
__attribute__((noinline)) static knotd_in_state_t consider_chain(knotd_in_state_t state,
                                                                 knot_pkt_t *pkt,
                                                                 knotd_qdata_t *qdata,
                                                                 knotd_mod_t *mod)
{
	bool settled = state == KNOTD_IN_STATE_HIT || state == KNOTD_IN_STATE_DELEG;
	for (uint16_t i = 0; i < pkt->rrset_count && settled; i++) {
		settled = !is_expanded(pkt, i);
	}
	return settled && !is_shared(pkt) ? state : complete(state, pkt, qdata, knotd_mod_ctx(mod));
}

/*! The way of any other answer: a chain of aliases, a referral, or none at all. */
__attribute__((noinline)) static knotd_in_state_t consider_other(knotd_in_state_t state,
                                                                 knot_pkt_t *pkt,
                                                                 knotd_qdata_t *qdata,
                                                                 knotd_mod_t *mod)
{
	const bool solved = state == KNOTD_IN_STATE_MISS || state == KNOTD_IN_STATE_NODATA ||
	                    state == KNOTD_IN_STATE_HIT || state == KNOTD_IN_STATE_DELEG;
	return solved && pkt->rrset_count > 0 ? consider_chain(state, pkt, qdata, mod) : state;
}

/*
 * Instructions are counted here (bench/run --zone-cost): nearly all questions have to leave by the
 * return of one RRset of the zone's own, or by the first return in consider(). What is rarer is out of
 * line.
 */
knotd_in_state_t mail_zone_complete(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                    knotd_mod_t *mod)
{
	if (state == KNOTD_IN_STATE_HIT && pkt->rrset_count == 1) {
		return is_expanded(pkt, 0) || is_shared(pkt) ? consider(state, pkt, qdata, mod)
		                                             : state;
	}
	if ((state == KNOTD_IN_STATE_MISS || state == KNOTD_IN_STATE_NODATA) &&
	    pkt->rrset_count == 0) {
		return consider(state, pkt, qdata, mod);
	}
	return consider_other(state, pkt, qdata, mod);
}

knotd_in_state_t mail_zone_complete_signed(knotd_in_state_t state, knot_pkt_t *pkt,
                                           knotd_qdata_t *qdata, knotd_mod_t *mod)
{
	knot_rrset_init_empty(&proof);
	return mail_zone_complete(state, pkt, qdata, mod);
}

/*
 * mod-onlinesign makes the NSEC of a denial of the node that knotd's own answer ended at, here a wildcard's. It
 * makes none for HIT, but signs what is there.
 */
knotd_in_state_t mail_zone_prove(knotd_in_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                 knotd_mod_t *mod)
{
	(void)mod;
	if (knot_rrset_empty(&proof) || !knot_pkt_has_dnssec(qdata->query) ||
	    (state != KNOTD_IN_STATE_NODATA && state != KNOTD_IN_STATE_MISS)) {
		return state;
	}
	const knot_rrset_t soa = knotd_qdata_zone_apex_rrset(qdata, KNOT_RRTYPE_SOA);
	const uint32_t minimum = knot_soa_minimum(soa.rrs.rdata);
	proof.ttl = soa.ttl < minimum ? soa.ttl : minimum;  // RFC 9077 3.1
	const bool udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP;
	int ret = knot_pkt_put(pkt, KNOT_COMPR_HINT_NONE, &proof,
	                       udp ? KNOT_PF_NULL : KNOT_PF_NOTRUNC);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ESPACE && udp ? KNOTD_IN_STATE_TRUNC : KNOTD_IN_STATE_ERROR;
	}
	// A name that has a proof of its own exists, as mod-onlinesign has it.
	qdata->rcode = KNOT_RCODE_NOERROR;
	return KNOTD_IN_STATE_HIT;
}
