/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module between a knotd that is not there (knotd_stub.h) and a store. */
#include "lib/failing.h"
#include "lib/knotd_stub.h"
#include "mail/answer.h"

/* Questions */

typedef struct {
	const char *name;
	uint16_t type, rclass;
	knotd_query_type_t kind;
	knotd_state_t state;
	unsigned thread;
	const char *zone; /*!< knotd's, or NULL. */
} question_t;

typedef struct {
	knotd_state_t state;
	uint16_t rcode;
	int ede;
	unsigned answers;
	bool aa;
} answer_t;

static answer_t ask(knotd_mod_t *mod, const question_t *question)
{
	knot_mm_t mm = arena_mm();
	knot_dname_storage_t name, zone;
	knot_dname_from_str(name, question->name, sizeof(name));
	knot_pkt_t *query = knot_pkt_new(NULL, 512, NULL);
	knot_pkt_t *pkt = knot_pkt_new(NULL, 512, &mm);
	knot_pkt_put_question(query, name, question->rclass, question->type);
	knot_pkt_init_response(pkt, query);

	struct knotd_qdata_extra extra = { 0 };
	if (question->zone != NULL) {
		extra.zone = knot_dname_from_str(zone, question->zone, sizeof(zone));
	}
	knotd_qdata_params_t params = { .proto = KNOTD_QUERY_PROTO_UDP,
		                        .thread_id = question->thread };
	knotd_qdata_t qdata = { .query = query,
		                .type = question->kind,
		                .rcode_ede = KNOT_EDNS_EDE_NONE,
		                .params = &params,
		                .extra = &extra };
	answer_t answer = { 0 };
	answer.state = mod->hook(question->state, pkt, &qdata, mod);
	answer.rcode = qdata.rcode;
	answer.ede = qdata.rcode_ede;
	answer.answers = knot_wire_get_ancount(pkt->wire);
	answer.aa = knot_wire_get_aa(pkt->wire);
	knot_pkt_free(query);
	knot_pkt_free(pkt);
	return answer;
}

static question_t question_of(const char *name, uint16_t type)
{
	return (question_t){ .name = name,
		             .type = type,
		             .rclass = KNOT_CLASS_IN,
		             .kind = KNOTD_QUERY_TYPE_NORMAL,
		             .state = UNDECIDED };
}

static bool load(knotd_mod_t *mod, const char *store)
{
	memset(mod, 0, sizeof(*mod));
	mod->store = store;
	mod->interval = 60;
	int ret = knotd_mod_api.load(mod);
	return CHECK(ret == KNOT_EOK, "load: %d", ret) &&
	       CHECK(mod->hook != NULL && mod->stage == KNOTD_STAGE_BEGIN, "hook");
}

static void test_no_store(void)
{
	static const struct {
		const char *zone;
		uint16_t rclass;
		knotd_query_type_t kind;
		knotd_state_t state, result;
	} cases[] = {
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, UNDECIDED, KNOTD_STATE_FAIL },
		{ NULL, KNOT_CLASS_ANY, KNOTD_QUERY_TYPE_NORMAL, UNDECIDED, KNOTD_STATE_FAIL },
		{ NULL, KNOT_CLASS_CH, KNOTD_QUERY_TYPE_NORMAL, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_AXFR, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_IXFR, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NOTIFY, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_UPDATE, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_INVALID, UNDECIDED, UNDECIDED },
		{ "org.", KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, UNDECIDED, UNDECIDED },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, KNOTD_STATE_NOOP,
		  KNOTD_STATE_NOOP },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, KNOTD_STATE_DONE,
		  KNOTD_STATE_DONE },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, KNOTD_STATE_FAIL,
		  KNOTD_STATE_FAIL },
		{ NULL, KNOT_CLASS_IN, KNOTD_QUERY_TYPE_NORMAL, KNOTD_STATE_FINAL,
		  KNOTD_STATE_FINAL },
	};
	knotd_mod_t mod;
	if (!load(&mod, "/nonexistent/store")) {
		return;
	}
	EACH(c, cases) {
		question_t question = question_of("example.org.", KNOT_RRTYPE_SOA);
		question.zone = c->zone;
		question.rclass = c->rclass;
		question.kind = c->kind;
		question.state = c->state;
		answer_t answer = ask(&mod, &question);
		CHECK_INT(answer.state, c->result);
		/* Who did not decide left no trace. */
		bool failed = c->result == KNOTD_STATE_FAIL && c->state == UNDECIDED;
		CHECK(answer.rcode == (failed ? KNOT_RCODE_SERVFAIL : KNOT_RCODE_NOERROR),
		      "rcode %u", answer.rcode);
		CHECK(answer.ede == (failed ? KNOT_EDNS_EDE_NOT_READY : KNOT_EDNS_EDE_NONE),
		      "EDE %d", answer.ede);
	}
	knotd_mod_api.unload(&mod);
	CHECK(mod.ctx == NULL, "context");
}

static void test_answers(void)
{
	fixture_t f;
	knotd_mod_t mod;
	if (!fixture_make(&f, false, 1 << 24)) {
		return;
	}
	fill(&f);
	if (!load(&mod, f.path)) {
		return;
	}
	question_t soa = question_of("example.org.", KNOT_RRTYPE_SOA);
	for (soa.thread = 0; soa.thread < THREADS; soa.thread++) {
		answer_t answer = ask(&mod, &soa);
		CHECK(answer.state == KNOTD_STATE_DONE && answer.answers == 1 && answer.aa,
		      "thread %u: state %d", soa.thread, answer.state);
	}
	/* A thread that there was not at load: nothing is there for it. */
	answer_t answer = ask(&mod, &soa);
	CHECK(answer.state == KNOTD_STATE_FAIL && answer.rcode == KNOT_RCODE_SERVFAIL,
	      "thread %u: state %d", soa.thread, answer.state);
	question_t other = question_of("example.com.", KNOT_RRTYPE_SOA);
	CHECK(ask(&mod, &other).state == UNDECIDED, "not ours");
	question_t longer = question_of("a.example.org.", KNOT_RRTYPE_A);
	longer.zone = "org.";
	CHECK(ask(&mod, &longer).rcode == KNOT_RCODE_NXDOMAIN, "below a zone");
	longer.zone = "example.org.";
	CHECK(ask(&mod, &longer).state == UNDECIDED, "equal to a zone");
	CHECK(mod.counts[1][MAIL_OUTCOME_ANSWER] == THREADS, "answers counted");
	knotd_mod_api.unload(&mod);
	fixture_remove(&f);
}

static void test_instances_share(void)
{
	fixture_t f;
	knotd_mod_t mods[3];
	if (!fixture_make(&f, false, 1 << 24)) {
		return;
	}
	fill(&f);
	logged.count = 0;
	for (size_t i = 0; i < 3; i++) {
		(void)load(&mods[i], f.path);
	}
	CHECK(logged.count == 1, "opened once: %u lines, '%s'", logged.count, logged.last);
	question_t soa = question_of("example.org.", KNOT_RRTYPE_SOA);
	for (size_t i = 0; i < 3; i++) {
		CHECK(ask(&mods[i], &soa).state == KNOTD_STATE_DONE, "instance %zu", i);
		/* The others go on when one goes. */
		knotd_mod_api.unload(&mods[i]);
		for (size_t j = i + 1; j < 3; j++) {
			CHECK(ask(&mods[j], &soa).state == KNOTD_STATE_DONE,
			      "instance %zu without %zu", j, i);
		}
	}
	/* All is closed: it can be opened for writing, which it could not beside a reader. */
	mail_store_close(fixture_open(&f, MAIL_STORE_WRITE));
	fixture_remove(&f);
}

/*! A worker thread of knotd. */
typedef struct {
	knotd_mod_t *mod;
	unsigned thread;
	atomic_bool *stop;
	atomic_uint done, other;
} worker_t;

static void *work(void *ctx)
{
	worker_t *worker = ctx;
	question_t soa = question_of("example.org.", KNOT_RRTYPE_SOA);
	soa.thread = worker->thread;
	while (!atomic_load(worker->stop)) {
		bool good = ask(worker->mod, &soa).state == KNOTD_STATE_DONE;
		atomic_fetch_add(good ? &worker->done : &worker->other, 1);
	}
	return NULL;
}

static bool wait_logged(const char *text)
{
	for (int i = 0; i < 3000 && !logged_is(text); i++) {
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return logged_is(text);
}

/*! Workers, while other instances come and go and the store is replaced: no question is lost. */
static void test_workers(void)
{
	fixture_t f, g;
	knotd_mod_t mod, other;
	if (!fixture_make(&f, false, 1 << 24) || !fixture_make(&g, false, 1 << 24)) {
		return;
	}
	fill(&f);
	fill(&g);
	if (!load(&mod, f.path)) {
		return;
	}
	atomic_bool stop = false;
	worker_t workers[THREADS] = { 0 };
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].mod = &mod;
		workers[i].thread = i;
		workers[i].stop = &stop;
		CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0, "thread");
	}
	for (int i = 0; i < 100; i++) {
		(void)load(&other, f.path);
		knotd_mod_api.unload(&other);
	}
	char away[sizeof(f.path) + 8];
	snprintf(away, sizeof(away), "%s.away", f.path);
	CHECK(rename(f.path, away) == 0, "away");
	CHECK(wait_logged("still served"), "'%s'", logged.last);
	CHECK(rename(g.path, f.path) == 0, "in its place");
	CHECK(wait_logged("replaced"), "'%s'", logged.last);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		CHECK(workers[i].done > 100 && workers[i].other == 0, "thread %u: %u, %u", i,
		      workers[i].done, workers[i].other);
	}
	CHECK_INT(misused, 0);
	knotd_mod_api.unload(&mod);
	fixture_remove(&f);
	fixture_remove(&g);
}

#define TINY ((size_t)1 << 20)

/*! Make the map larger than the module knows, and use all of it. */
static int grow(const fixture_t *f, int in, int out)
{
	static uint8_t value[8192] = { [7] = 1 };
	raw_t raw;
	if (!hear(in, 'g') || !raw_open(&raw, f->path, "domain", 9 * TINY)) {
		return 1;
	}
	for (unsigned i = 0; i < 4 * TINY / sizeof(value); i++) {
		char key[32];
		MDB_val k = { (size_t)snprintf(key, sizeof(key), "grown%u", i), key };
		MDB_val v = { sizeof(value), value };
		if (mdb_put(raw.txn, raw.dbi, &k, &v, 0) != 0) {
			return 2;
		}
	}
	raw_close(&raw, true);
	return say(out, 'r') ? 0 : 3;
}

/*! Threads that may not take over a larger map before another one gives its snapshot back: their answers are late. */
static void test_map_in_use(void)
{
	fixture_t f;
	knotd_mod_t mod;
	other_t other;
	if (!fixture_make(&f, false, TINY)) {
		return;
	}
	fill(&f);
	CHECK(other_start(&other, grow, &f));
	if (!load(&mod, f.path)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *held_up = begin(store, MAIL_STORE_READ);
	CHECK(say(other.to, 'g') && hear(other.from, 'r'));
	other_end(&other, false);

	atomic_bool stop = false;
	worker_t workers[THREADS] = { 0 };
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (worker_t){ .mod = &mod, .thread = i, .stop = &stop };
		CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0, "thread");
	}
	(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_INT(atomic_load(&workers[i].done) + atomic_load(&workers[i].other), 0);
	}
	mail_txn_abort(held_up);
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned j = 0; j < 3000 && atomic_load(&workers[i].done) == 0; j++) {
			(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		}
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		CHECK(workers[i].done > 0 && workers[i].other == 0, "thread %u: %u, %u", i,
		      workers[i].done, workers[i].other);
	}
	CHECK(!logged_is("cannot be read"), "'%s'", logged.last);
	mail_store_close(store);
	knotd_mod_api.unload(&mod);
	fixture_remove(&f);
}

/*! knotd has no memory for a hook or for counters: the first fails load, the second does not. */
static void test_knotd_without_memory(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, 1 << 24)) {
		return;
	}
	fill(&f);
	knotd_mod_t mod = { .store = f.path, .interval = 60, .hook_fails = true };
	CHECK(knotd_mod_api.load(&mod) == KNOT_ENOMEM, "load without a hook");
	CHECK(mod.ctx == NULL, "nothing stays");
	/* As knotd does not unload what failed to load, nothing may still be open. */
	mail_store_close(fixture_open(&f, MAIL_STORE_WRITE));

	mod = (knotd_mod_t){ .store = f.path, .interval = 60, .stats_fail = true };
	CHECK(knotd_mod_api.load(&mod) == KNOT_EOK, "load without counters");
	question_t soa = question_of("example.org.", KNOT_RRTYPE_SOA);
	CHECK(ask(&mod, &soa).state == KNOTD_STATE_DONE, "answer without counters");
	knotd_mod_api.unload(&mod);
	fixture_remove(&f);
}

static void test_failing_allocations(void)
{
	fixture_t f;
	CHECK(failing_linked(), "linked with --wrap");
	if (!failing_linked() || !fixture_make(&f, false, 1 << 24)) {
		return;
	}
	fill(&f);
	question_t soa = question_of("example.org.", KNOT_RRTYPE_SOA);
	for (size_t i = 1; failing_on(i); i++) {
		knotd_mod_t mod = { .store = f.path, .interval = 60 };
		int ret = knotd_mod_api.load(&mod);
		bool met = failing_off();
		if (!CHECK(ret == KNOT_EOK || (met && ret == KNOT_ENOMEM && mod.ctx == NULL),
		           "allocation %zu: %d", i, ret)) {
			break;
		}
		if (ret == KNOT_EOK) {
			answer_t answer = ask(&mod, &soa);
			CHECK(answer.state == KNOTD_STATE_DONE ||
			              (met && answer.rcode == KNOT_RCODE_SERVFAIL &&
			               answer.ede == KNOT_EDNS_EDE_NOT_READY),
			      "allocation %zu: state %d, rcode %u", i, answer.state, answer.rcode);
			knotd_mod_api.unload(&mod);
		}
		if (!met) {
			CHECK(i > 10, "only %zu allocations", i);
			break;
		}
	}
	fixture_remove(&f);
}

/*! The checks of items, found through the schema as knotd finds them. */
static void test_item_checks(void)
{
	static const struct {
		const char *item, *value;
		int result;
	} cases[] = {
		{ "store", "/var/lib/knot/mail", KNOT_EOK },
		{ "store", "/", KNOT_EOK },
		{ "store", "", KNOT_EINVAL },
		{ "store", "mail", KNOT_EINVAL },
		{ "store", "../mail", KNOT_EINVAL },
		{ "key-directory", "/keys", KNOT_EOK },
		{ "key-directory", "keys", KNOT_EINVAL },
		{ "policy", "business", KNOT_EOK },
		{ "policy", "a.b-c_d", KNOT_EOK },
		{ "policy", "", KNOT_EINVAL },
		{ "policy", "a/b", KNOT_EINVAL },
		{ "policy", "a b", KNOT_EINVAL },
	};
	EACH(c, cases) {
		const yp_item_t *item = knotd_mod_api.config;
		while (item->name != NULL && strcmp(item->name + 1, c->item) != 0) {
			item++;
		}
		if (!CHECK(item->name != NULL)) {
			continue;
		}
		CHECK((size_t)item->name[0] == strlen(item->name + 1), "length");
		knotd_conf_check_args_t args = { .item = item,
			                         .data = (const uint8_t *)c->value,
			                         .data_len = strlen(c->value) + 1 };
		int (*check)(knotd_conf_check_args_t *) = (int (*)(
			knotd_conf_check_args_t *))item->misc[0];
		int ret = check(&args);
		CHECK_INT(ret, c->result);
		CHECK((args.err_str != NULL) == (ret != KNOT_EOK), "reason");
	}
	for (const yp_item_t *item = knotd_mod_api.config; item->name != NULL; item++) {
		CHECK((size_t)item->name[0] == strlen(item->name + 1), "%s", item->name + 1);
	}
}

UNIT_MAIN("module", TEST("no store", test_no_store), TEST("answers, threads, zones", test_answers),
          TEST("instances share a store", test_instances_share), TEST("workers", test_workers),
          TEST("a larger map that a thread keeps others from", test_map_in_use),
          TEST("knotd without memory", test_knotd_without_memory),
          TEST("failing allocations", test_failing_allocations),
          TEST("checks of items", test_item_checks))
