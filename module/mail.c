/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mod-mail: the adapter between knotd and the library. Hosted mode is a whole answer in the BEGIN hook of
 * the global module.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compat.h"
#include "log.h"
#include "mail/kind.h"
#include "service.h"

// The first octet is the length of the name, as libknot has it.
// clang-format off
#define MOD_STORE		"\x05""store"
#define MOD_KEY_DIRECTORY	"\x0D""key-directory"
#define MOD_POLICY		"\x06""policy"
#define MOD_SIGNATURE_CACHE	"\x0F""signature-cache"
#define MOD_LOG_INTERVAL	"\x0C""log-interval"
#define MOD_ZONE_STATS		"\x0A""zone-stats"
// clang-format on

#define STORE_DEFAULT "/var/lib/knot/mail"
#define MEBI (1024 * 1024)
/*! Room for "/data.mdb" behind the directory. */
#define PATH_LIMIT (PATH_MAX - 16)

static int check_path(knotd_conf_check_args_t *args)
{
	const char *path = (const char *)args->data;
	if (path[0] != '/') {
		args->err_str = "an absolute path is needed";
		return KNOT_EINVAL;
	}
	if (strlen(path) > PATH_LIMIT) {
		args->err_str = "the path is too long";
		return KNOT_EINVAL;
	}
	return KNOT_EOK;
}

static int check_policy(knotd_conf_check_args_t *args)
{
	mail_str_t id = MAIL_STR((const char *)args->data);
	mail_buf_t out = { 0 };
	int ret = mail_entry_id_normalise(MAIL_SECTION_POLICY, id, &out, NULL);
	mail_buf_free(&out);
	if (ret != KNOT_EOK) {
		args->err_str = "the id of a policy has 1 to 63 letters, digits, '-', '_' or '.'";
		return KNOT_EINVAL;
	}
	return KNOT_EOK;
}

// clang-format off
static const yp_item_t mail_conf[] = {
	{ MOD_STORE,           YP_TSTR,  YP_VSTR = { STORE_DEFAULT }, YP_FNONE, { check_path } },
	{ MOD_KEY_DIRECTORY,   YP_TSTR,  YP_VNONE, YP_FNONE, { check_path } },
	{ MOD_POLICY,          YP_TSTR,  YP_VNONE, YP_FNONE, { check_policy } },
	{ MOD_SIGNATURE_CACHE, YP_TINT,  YP_VINT = { .min = MEBI, .max = INT64_MAX,
	                                             .dflt = 64 * MEBI, .unit = YP_SSIZE } },
	{ MOD_LOG_INTERVAL,    YP_TINT,  YP_VINT = { .min = 1, .max = 86400, .dflt = 60,
	                                             .unit = YP_STIME } },
	{ MOD_ZONE_STATS,      YP_TBOOL, YP_VBOOL = { false } },
	{ .name = NULL }
};
// clang-format on

/*! An instance of the module. */
typedef struct {
	mail_log_t *log;
	mail_service_t *service; /*!< NULL: it could not be started. */
	bool counting;           /*!< The counters are registered. */
	unsigned threads;        /*!< knotd_mod_threads() as of load: it is not cheap to ask. */
} context_t;

/*! Counters, in the order of their registration. */
enum {
	COUNTER_QUERY,
	COUNTER_OUTCOME,
};

/*! What came of a question, beyond what mail_answer() says. */
enum { OUTCOME_NOT_READY = MAIL_OUTCOME_COUNT, OUTCOME_BADKEY, OUTCOME_COUNT };

static const char *const outcome_names[OUTCOME_COUNT] = {
	[MAIL_OUTCOME_NONE] = "none",         [MAIL_OUTCOME_ANSWER] = "answer",
	[MAIL_OUTCOME_NODATA] = "nodata",     [MAIL_OUTCOME_NXDOMAIN] = "nxdomain",
	[MAIL_OUTCOME_REFERRAL] = "referral", [MAIL_OUTCOME_TRUNCATED] = "truncated",
	[MAIL_OUTCOME_FAILED] = "failed",     [OUTCOME_NOT_READY] = "not-ready",
	[OUTCOME_BADKEY] = "badkey",
};

static char *kind_to_str(uint32_t index, uint32_t count)
{
	(void)count;
	return strdup(index < mail_kind_count ? mail_kinds[index].name : "none");
}

static char *outcome_to_str(uint32_t index, uint32_t count)
{
	return strdup(index < count ? outcome_names[index] : "");
}

static bool add_counters(knotd_mod_t *mod)
{
	return knotd_mod_stats_add(mod, "query", mail_kind_count + 1, kind_to_str) == KNOT_EOK &&
	       knotd_mod_stats_add(mod, "outcome", OUTCOME_COUNT, outcome_to_str) == KNOT_EOK;
}

static void count(knotd_mod_t *mod, unsigned thread, unsigned counter, unsigned index)
{
	const context_t *ctx = knotd_mod_ctx(mod);
	if (ctx->counting && thread < ctx->threads) {
		knotd_mod_stats_incr(mod, thread, counter, index, 1);
	}
}

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

/*! No snapshot of the store: zones answer from their own data, the rest might be hosted. */
static knotd_state_t not_ready(knotd_state_t state, knotd_qdata_t *qdata, knotd_mod_t *mod,
                               int error)
{
	context_t *ctx = knotd_mod_ctx(mod);
	// Why a store is not open has been logged where it was tried.
	if (error != KNOT_ENOENT && ctx->service != NULL) {
		mail_log_write(ctx->log, LOG_ERR, "no snapshot of the store (%s)",
		               knot_strerror(error));
	}
	count(mod, qdata->params->thread_id, COUNTER_OUTCOME, OUTCOME_NOT_READY);
	return knotd_qdata_zone_name(qdata) == NULL ? fail(qdata, KNOT_EDNS_EDE_NOT_READY) : state;
}

/*! Gives knotd what mail_answer() made. */
static knotd_state_t finish(knotd_state_t state, const mail_reply_t *reply, const claim_t *claim,
                            knotd_qdata_t *qdata, knotd_mod_t *mod)
{
	unsigned thread = qdata->params->thread_id;
	if (claim->badkey) {
		count(mod, thread, COUNTER_OUTCOME, OUTCOME_BADKEY);
		qdata->rcode = KNOT_RCODE_NOTAUTH;
		qdata->rcode_tsig = KNOT_RCODE_BADKEY;
		return KNOTD_STATE_FAIL;
	}
	count(mod, thread, COUNTER_OUTCOME, reply->outcome);
	if (reply->outcome == MAIL_OUTCOME_NONE) {
		return state;
	}
	if (reply->outcome == MAIL_OUTCOME_FAILED) {
		context_t *ctx = knotd_mod_ctx(mod);
		mail_log_write(ctx->log, LOG_ERR, "%s", reply->reason);
		// A zone of knotd is not ours as long as no hosted domain is known to be longer.
		return claim->has_zone && !claim->asked ? state
		                                        : fail(qdata, KNOT_EDNS_EDE_INV_DATA);
	}
	count(mod, thread, COUNTER_QUERY,
	      reply->kind < mail_kind_count ? reply->kind : mail_kind_count);
	qdata->rcode = reply->rcode;
	return KNOTD_STATE_DONE;
}

static knotd_state_t answer_hosted(knotd_state_t state, knot_pkt_t *pkt, knotd_qdata_t *qdata,
                                   knotd_mod_t *mod)
{
	if (!is_question(state, qdata)) {
		return state;
	}

	context_t *ctx = knotd_mod_ctx(mod);
	unsigned thread = qdata->params->thread_id;
	mail_pin_t pin = { 0 };
	int ret = ctx->service != NULL ? mail_service_pin(ctx->service, thread, &pin) : KNOT_ENOMEM;
	if (ret != KNOT_EOK) {
		return not_ready(state, qdata, mod, ret);
	}

	claim_t claim = claim_of(qdata);
	mail_question_t question = {
		.source = pin.source,
		.cache = pin.cache,
		.now = time(NULL),
		.udp = qdata->params->proto == KNOTD_QUERY_PROTO_UDP,
		.above = is_hosted,
		.above_ctx = &claim,
	};
	mail_reply_t reply = { .outcome = MAIL_OUTCOME_NONE, .kind = mail_kind_count };
	ret = mail_answer(&question, pkt, &reply);
	if (ret != KNOT_EOK) {
		reply.outcome = MAIL_OUTCOME_FAILED;
		(void)snprintf(reply.reason, sizeof(reply.reason), "%s", knot_strerror(ret));
	}
	// The packet points into its own memory and into plans, not into the map.
	mail_service_unpin(ctx->service, thread, &pin);

	return finish(state, &reply, &claim, qdata, mod);
}

static void mail_unload(knotd_mod_t *mod);

static int load_hosted(knotd_mod_t *mod)
{
	context_t *ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL) {
		return KNOT_ENOMEM;
	}
	ctx->log = mail_log_new(mod, knotd_conf_mod(mod, MOD_LOG_INTERVAL).single.integer);
	if (ctx->log == NULL) {
		free(ctx);
		return KNOT_ENOMEM;
	}
	knotd_mod_ctx_set(mod, ctx);

	ctx->threads = knotd_mod_threads(mod);
	ctx->counting = add_counters(mod);
	if (!ctx->counting) {
		knotd_mod_log(mod, LOG_WARNING, "no memory for counters");
	}
	const char *store = knotd_conf_mod(mod, MOD_STORE).single.string;
	int ret = mail_service_attach(store, ctx->threads, ctx->log, &ctx->service);
	if (ret != KNOT_EOK) {
		// If load failed, knotd would go on without the module, and refuse what is hosted.
		ctx->service = NULL;
		knotd_mod_log(mod, LOG_ERR,
		              "store '%s' cannot be served until the next reload (%s)", store,
		              knot_strerror(ret));
	}
	ret = knotd_mod_hook(mod, KNOTD_STAGE_BEGIN, answer_hosted);
	if (ret != KNOT_EOK) {
		mail_unload(mod);  // knotd does not, when load fails.
	}
	return ret;
}

static int mail_load(knotd_mod_t *mod)
{
	if (knotd_mod_zone(mod) != NULL) {
		knotd_mod_log(mod, LOG_NOTICE,
		              "zone mode is not in this version, "
		              "the zone is served without the module");
		return KNOT_EOK;
	}
	return load_hosted(mod);
}

/* No log and no zone name here: knotd has freed a zone's name before its module is unloaded. */
static void mail_unload(knotd_mod_t *mod)
{
	context_t *ctx = knotd_mod_ctx(mod);
	if (ctx == NULL) {
		return;
	}
	mail_service_detach(ctx->service, ctx->log);
	mail_log_free(ctx->log);
	free(ctx);
	knotd_mod_ctx_set(mod, NULL);
}

KNOTD_MOD_API(mail, KNOTD_MOD_FLAG_SCOPE_ANY | KNOTD_MOD_FLAG_OPT_CONF, mail_load, mail_unload,
              mail_conf, NULL);
