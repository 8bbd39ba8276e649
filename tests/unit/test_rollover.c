/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rollovers: no bogus moment in any of them (caches.h says how that is proved), and what is refused. */

#include "lib/caches.h"

/* --- Histories --- */

static mail_keyset_t *latest(history_t *h)
{
	return &h->versions[h->count - 1].set;
}

static void history_begin(history_t *h, const mail_timing_t *real)
{
	memset(h, 0, sizeof(*h));
	h->real = *real;
	h->next_tag = 1;
	h->count = h->word_count = 1;
	h->versions[0].at = h->words[0].at = START - 1000000;
	h->versions[0].set.leave = INT64_MAX;
}

/*! A new version, to be changed; dropped again when the change is refused. */
static mail_keyset_t *history_next(history_t *h, int64_t now)
{
	REQUIRE(h->count < VERSIONS_MAX);
	h->versions[h->count] = h->versions[h->count - 1];
	h->versions[h->count].at = now;
	h->count++;
	return latest(h);
}

static void word_put(history_t *h, int64_t at, uint32_t keys, uint32_t alone)
{
	REQUIRE(h->word_count < VERSIONS_MAX);
	h->words[h->word_count++] = (word_t){ at, keys, alone };
}

/*! The last known time of a set. */
static int64_t last_step(const mail_keyset_t *set)
{
	static mail_step_t steps[MAIL_STEPS_MAX];
	int64_t last = 0;
	size_t count = mail_rollover_steps(set, steps);
	for (size_t i = 0; i < count; i++) {
		last = steps[i].time < INT64_MAX && steps[i].time > last ? steps[i].time : last;
	}
	return last;
}

/*! Add keys: 'c', 'k', 'z', or 'p' for a pair, of an algorithm. */
static int begin(history_t *h, char role, unsigned algorithm, const mail_timing_t *timing,
                 mail_diag_t *diag)
{
	mail_dnskey_t added[2];
	size_t count = 0;
	mail_rollover_kind_t kind;
	memset(added, 0, sizeof(added));
	if (role != 'z') {
		added[count++].role = role == 'c' ? MAIL_ROLE_CSK : MAIL_ROLE_KSK;
	}
	if (role == 'z' || role == 'p') {
		added[count++].role = MAIL_ROLE_ZSK;
	}
	for (size_t i = 0; i < count; i++) {
		added[i].tag = (uint16_t)(h->next_tag + i);
		added[i].algorithm = (mail_algorithm_t)algorithm;
		REQUIRE(added[i].tag < 32);
		h->keys[added[i].tag] = added[i];
	}
	int ret = mail_rollover_begin(history_next(h, timing->now), added, count, timing, &kind,
	                              diag);
	h->next_tag += ret == KNOT_EOK ? count : 0;
	h->count -= ret != KNOT_EOK;
	return ret;
}

/*! The time at which the key that waits asks for its DS. */
static mail_dnskey_t *waiting_key(mail_keyset_t *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (mail_rollover_waits(set, &set->keys[i], 0)) {
			return &set->keys[i];
		}
	}
	return NULL;
}

/*!
 * Carry out a step of a history: "Rc13": add a CSK of algorithm 13, when what runs has come to its end; "rz13": at
 * once; "S": the DS was seen; "L": leave; "G": the DS is gone; "X": end the newest key.
 */
static int step(history_t *h, const char *op, int64_t *now, int64_t wait, const mail_timing_t *told,
                mail_diag_t *diag)
{
	mail_timing_t timing = *told;
	mail_keyset_t *set = latest(h);
	mail_dnskey_t *key = waiting_key(set);
	int ret;
	if (*op == 'R' && last_step(set) > *now) {
		*now = last_step(set);
	}
	if (*op == 'S' && key != NULL && key->ds > *now) {
		*now = key->ds;
	}
	/* What is not yet on all servers cannot have been heeded. */
	if (*op == 'G' && set->leave < INT64_MAX && set->leave + told->delay > *now) {
		*now = set->leave + told->delay;
	}
	*now += wait;
	timing.now = *now;
	switch (*op) {
	case 'R':
	case 'r': return begin(h, op[1], (unsigned)atoi(op + 2), &timing, diag);
	case 'S': {
		/* The keys that have a DS are those that are asked for, just before. */
		const uint32_t asked = asked_at(set, *now);
		const uint32_t alone = key != NULL ? bit(key) : 0;
		ret = mail_rollover_ds_seen(history_next(h, *now), -1, &timing, diag);
		word_put(h, *now, asked, alone);
		return ret;
	}
	case 'L': return mail_rollover_leave(history_next(h, *now), *now, &timing, diag);
	case 'G':
		ret = mail_rollover_ds_gone(history_next(h, *now), &timing, diag);
		word_put(h, *now, 0, 0);
		return ret;
	case 'X':
		return mail_rollover_retire(history_next(h, *now), (int)h->next_tag - 1, *now,
		                            &timing, diag);
	default: return KNOT_EINVAL;
	}
}

/*! Carry out a history. \return false after a message. */
static bool run(history_t *h, const char *ops, int64_t wait, const mail_timing_t *told,
                const mail_timing_t *real)
{
	static const int64_t mixed[] = { 0, 7201, 1, 86401, 59, 3600, 5 };
	int64_t now = START;
	size_t n = wait < 0 ? (size_t)-wait : 0;
	history_begin(h, real);
	for (const char *op = ops; *op != '\0'; op += strcspn(op, " "), op += strspn(op, " ")) {
		mail_diag_t diag = { 0 };
		const int64_t pause = wait < 0 ? mixed[n++ * 3 % COUNT(mixed)] : wait;
		int ret = step(h, op, &now, pause, told, &diag);
		if (!CHECK(ret == KNOT_EOK, "%s, at %s: %s", ops, op, diag.text)) {
			return false;
		}
		if (!CHECK(mail_keyset_check(latest(h), now, &diag) == KNOT_EOK, "%s, at %s: %s",
		           ops, op, diag.text)) {
			return false;
		}
	}
	return true;
}

static const char *const histories[] = {
	/* Unsigned to signed, and back. */
	"Rc15 S L G",
	"Rp13 S L G",
	"Rc13 L G",
	"Rc15 S L G Rc13 S",
	/* CSK. */
	"Rc13 S Rc13 S Rc13 S",
	/* ZSK, alone and twice. */
	"Rp13 S Rz13 Rz13",
	"Rp13 rz13 S",
	/* KSK; and with a ZSK rollover at the same time, either first. */
	"Rp13 S Rk13 S Rk13 S",
	"Rp8 S Rk8 rz8 S",
	"Rp8 S Rz8 rk8 S",
	/* From one key to two, from two to one, and two at once. */
	"Rc13 S Rp13 S Rz13 Rk13 S",
	"Rp13 S Rc13 S Rc13 S",
	"Rp13 S Rp13 S",
	/* Algorithm: all forms. */
	"Rc8 S Rc15 S",
	"Rp8 S Rp13 S Rz13",
	"Rc13 S Rp15 S",
	"Rp8 S Rc13 S Rc15 S Rc13 S",
	/* Leaving in the middle of something. */
	"Rp13 S Rz13 L G",
	"Rp13 S Rk13 L G",
	"Rp13 S Rk13 S L G",
	"Rc13 S Rc13 L G",
	"Rc13 S Rc13 S L G Rp13 S",
	"Rc13 S Rc15 L G",
	"Rc13 S Rc15 S L G Rc8 S Rc13 S",
};

static const uint32_t ttls[][2] = { { 0, 0 },       { 1, 1 },       { 300, 300 },
	                            { 300, 86400 }, { 3600, 7200 }, { 60, 604800 } };
static const uint32_t ds_ttls[] = { 1, 300, 86400 };
static const uint32_t delays[] = { 0, 1, 3600, 100000 };
/* From one word to the next; below zero: each time another one. */
static const int64_t waits[] = { 0, 1, 299, 3601, 90000, 10000000, -1, -2, -3, -4, -5 };

/*! No history has a moment in which anything that is in caches does not validate. */
static void test_no_bogus(void)
{
	static history_t h;
	size_t met = 0;
	EACH(k, histories) {
		for (size_t n = 0; n < COUNT(ttls) * COUNT(ds_ttls) * COUNT(delays) * COUNT(waits);
		     n++) {
			const size_t a = n % COUNT(ttls), b = n / COUNT(ttls) % COUNT(ds_ttls);
			const size_t c = n / COUNT(ttls) / COUNT(ds_ttls) % COUNT(delays);
			const int64_t wait =
				waits[n / COUNT(ttls) / COUNT(ds_ttls) / COUNT(delays)];
			const mail_timing_t timing = { .ttl = ttls[a][0],
				                       .ttl_max = ttls[a][1],
				                       .ds_ttl = ds_ttls[b],
				                       .delay = delays[c] };
			stretch_t found[3] = { 0 };
			if (!run(&h, *k, wait, &timing, &timing)) {
				return;
			}
			const char *what = find_bogus(&h, found);
			met += h.met;
			if (!CHECK(what == NULL,
			           "%s, TTLs %u %u %u, delay %u, wait %lld: %s: "
			           "DS %x [%lld, %lld), DNSKEY %x [%lld, %lld), RRSIG %x [%lld, %lld)",
			           *k, timing.ttl, timing.ttl_max, timing.ds_ttl, timing.delay,
			           (long long)wait, what, found[0].keys,
			           (long long)found[0].from - START,
			           (long long)found[0].until - START, found[1].keys,
			           (long long)found[1].from - START,
			           (long long)found[1].until - START, found[2].keys,
			           (long long)found[2].from - START,
			           (long long)found[2].until - START)) {
				return;
			}
		}
	}
	CHECK(met > 100000, "%zu", met);
}

/*! The proof is worth something: what the tool is told too low by a second is found out. */
static void test_proof_can_fail(void)
{
	static history_t h;
	static const struct {
		const char *ops;
		bool ttl, ttl_max, ds_ttl, delay; /* Whether it matters in this history. */
	} cases[] = {
		{ "Rc15 S", false, true, false, true },
		{ "Rc15 S L G", false, true, true, true },
		{ "Rp13 S Rz13", true, true, false, true },
		{ "Rp13 S Rk13 S", true, true, true, true },
		{ "Rc13 S Rc13 S", true, true, true, true },
		{ "Rc13 S Rc15 S", true, true, true, true },
	};
	const mail_timing_t real = { .ttl = 5000, .ttl_max = 7200, .ds_ttl = 86400, .delay = 3600 };
	EACH(c, cases) {
		for (unsigned which = 0; which < 4; which++) {
			mail_timing_t told = real;
			stretch_t found[3] = { 0 };
			/* Where a margin covers more than a second, all of it is taken. */
			uint32_t *fields[] = { &told.ttl, &told.ttl_max, &told.ds_ttl,
				               &told.delay };
			const bool matters[] = { c->ttl, c->ttl_max, c->ds_ttl, c->delay };
			bool bogus = false;
			for (uint32_t less = 1; !bogus && *fields[which] > 0; less *= 4) {
				*fields[which] -= less < *fields[which] ? less : *fields[which];
				REQUIRE(run(&h, c->ops, 0, &told, &real));
				bogus = find_bogus(&h, found) != NULL;
			}
			CHECK(bogus == matters[which], "%s: %u", c->ops, which);
		}
	}
}

/*! A rollover whose steps are taken away one by one: the proof sees each of them. */
static void test_each_time_matters(void)
{
	static history_t h;
	const mail_timing_t real = { .ttl = 300, .ttl_max = 7200, .ds_ttl = 86400, .delay = 3600 };
	static const char *const ops[] = { "Rc13 S Rc13 S", "Rp13 S Rz13", "Rc13 S Rc15 S" };
	size_t seen = 0;
	EACH(c, ops) {
		REQUIRE(run(&h, *c, 0, &real, &real));
		const size_t keys = latest(&h)->count;
		for (size_t k = 0; k < keys; k++) {
			stretch_t found[3] = { 0 };
			REQUIRE(run(&h, *c, 0, &real, &real));
			CHECK(find_bogus(&h, found) == NULL);
			mail_dnskey_t *key = &latest(&h)->keys[k];
			if (key->remove == INT64_MAX) {
				continue;
			}
			/* The old key goes at once. */
			key->remove = key->retire = h.versions[h.count - 1].at;
			CHECK(find_bogus(&h, found) != NULL, "%s: key %u", *c, key->tag);
			seen++;
		}
	}
	CHECK(seen >= 3);
}

/* --- What is refused --- */

static void test_refused(void)
{
	static history_t h;
	static const struct {
		const char *before, *op, *reason;
	} cases[] = {
		{ "", "Rk13", "the first keys are" },
		{ "", "Rz13", "the first keys are" },
		{ "", "L", "no key is in use" },
		{ "", "G", "does not leave DNSSEC" },
		{ "", "X", "there is no key" },
		{ "", "S", "no key waits" },
		{ "Rc13 S", "S", "no key waits" },
		{ "Rc13", "rc13", "the DS of 1 was not seen yet" },
		{ "Rc13 S", "rz13", "the key there is a CSK" },
		{ "Rc13 S", "rk13", "the key there is a CSK" },
		{ "Rp13 S", "rz15", "of another algorithm" },
		{ "Rp13 S", "rk15", "of another algorithm" },
		{ "Rc13 S Rc13", "rc13", "a rollover is running" },
		{ "Rc13 S Rc13 S", "rc13", "a rollover is running" },
		{ "Rc13 S Rc15", "rc15", "a rollover is running" },
		{ "Rp13 S Rz13", "rz13", "a rollover is running that 2" },
		{ "Rp13 S Rk13", "rp13", "a rollover is running" },
		{ "Rp13 S Rz13", "rc15", "a rollover is running" },
		{ "Rc13 S L", "rc13", "leaves DNSSEC" },
		{ "Rc13 S L", "L", "already" },
		{ "Rc13 S L G", "G", "said before" },
		{ "Rc13 S", "G", "does not leave" },
		{ "Rc13 S", "X", "at the parent" },
		{ "Rc13", "X", "is the only key" },
		{ "Rp13 S", "X", "none signs records" },
		{ "Rp13 S Rz13", "X", "none signs records" },
		{ "Rp13 S Rk13 S", "X", "at the parent" },
	};
	const mail_timing_t timing = { .ttl = 300, .ttl_max = 7200, .ds_ttl = 86400, .delay = 60 };
	EACH(c, cases) {
		mail_diag_t diag = { 0 };
		if (!run(&h, c->before, 0, &timing, &timing)) {
			continue;
		}
		int64_t now = h.versions[h.count - 1].at + (c->before[0] == '\0' ? 1000000 : 0);
		/* Steps that wait for a time go there; others are at once. */
		int ret = step(&h, c->op, &now, 0, &timing, &diag);
		CHECK(ret != KNOT_EOK && strstr(diag.text, c->reason) != NULL, "%s, then %s: %d %s",
		      c->before, c->op, ret, diag.text);
	}
}

/*! The DS is not seen before it could be, but with force; a new key can be given up before its DS is out. */
static void test_by_hand(void)
{
	static history_t h;
	mail_timing_t timing = { .ttl = 300, .ttl_max = 7200, .ds_ttl = 86400, .delay = 60 };
	stretch_t found[3] = { 0 };
	mail_diag_t diag = { 0 };
	REQUIRE(run(&h, "Rc13", 0, &timing, &timing));
	mail_keyset_t *set = latest(&h);
	CHECK_INT(set->keys[0].ds, START + 60 + 7200);
	timing.now = set->keys[0].ds - 1;
	CHECK_INT(mail_rollover_ds_seen(set, -1, &timing, &diag), KNOT_EINVAL);
	CHECK_HAS(diag.text, "should not be at the parent before");
	CHECK_INT(mail_rollover_ds_seen(set, 2, &timing, &diag), KNOT_ENOENT);
	timing.force = true;
	CHECK_OK(mail_rollover_ds_seen(set, 1, &timing, &diag));
	CHECK_INT(set->keys[0].ds_seen, timing.now);
	CHECK_INT(set->keys[0].ds, timing.now);
	timing.force = false;

	static const char *const given_up[] = { "Rc13 S Rc13 X",        "Rc13 S Rc15 X",
		                                "Rp13 S Rk13 X",        "Rp13 S Rp15 X",
		                                "Rc13 S Rc13 X Rc13 S", "Rc13 S Rc15 X Rc15 S" };
	EACH(c, given_up) {
		if (run(&h, *c, 0, &timing, &timing)) {
			CHECK(find_bogus(&h, found) == NULL, "%s", *c);
		}
	}
	/* Once it may be at the parent, force is needed. */
	REQUIRE(run(&h, "Rc13 S Rc13", 0, &timing, &timing));
	set = latest(&h);
	timing.now = set->keys[1].ds;
	mail_keyset_t copy = *set;
	CHECK_INT(mail_rollover_retire(&copy, 2, timing.now, &timing, &diag), KNOT_EINVAL);
	timing.force = true;
	copy = *set;
	CHECK_OK(mail_rollover_retire(&copy, 2, timing.now, &timing, &diag));
	CHECK_INT(copy.keys[1].ds_until, timing.now);
	CHECK_OK(mail_rollover_retire(&copy, 2, timing.now, &timing, &diag));
	CHECK_INT(mail_rollover_retire(&copy, 9, timing.now, &timing, &diag), KNOT_ENOENT);
}

/*! Old keys are dropped when nobody can remember them; their tags are free again. */
static void test_dropped(void)
{
	static history_t h;
	mail_timing_t timing = { .ttl = 300, .ttl_max = 7200, .ds_ttl = 86400, .delay = 60 };
	mail_diag_t diag = { 0 };
	mail_rollover_kind_t kind;
	REQUIRE(run(&h, "Rc13 S Rc13 S", 0, &timing, &timing));
	mail_keyset_t set = *latest(&h);
	mail_dnskey_t added = { .tag = 1, .algorithm = 13, .role = MAIL_ROLE_CSK };
	CHECK_INT(set.count, 2);
	timing.now = set.keys[0].remove;
	CHECK_INT(mail_rollover_begin(&set, &added, 1, &timing, &kind, &diag), KNOT_EEXIST);
	timing.now = set.keys[0].remove + 60 + 7200 + 86400 + 1;
	CHECK_OK(mail_rollover_begin(&set, &added, 1, &timing, &kind, &diag));
	CHECK_INT(kind, MAIL_ROLLOVER_CSK);
	CHECK_INT(set.count, 2);
	CHECK_INT(set.keys[0].tag, 2);
	CHECK_STR(mail_rollover_name(kind), "CSK rollover (double-KSK)");
}

/*! Sets that nobody should write. */
static void test_check(void)
{
#define NEVER INT64_MAX
#define KEY(tag, algorithm, role, publish, activate, retire, remove, ds, seen)                     \
	{                                                                                          \
		tag, algorithm, MAIL_ROLE_##role, publish, activate, retire, remove, ds, seen,     \
			NEVER, 0,                                                                  \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define SET(leave, from, reason, ...)                                                              \
	{                                                                                          \
		{ __VA_ARGS__ }, leave, from, reason                                               \
	}
	static const struct {
		mail_dnskey_t keys[3];
		int64_t leave;
		int64_t from;
		const char *reason; /* NULL: accepted. */
	} cases[] = {
		SET(NEVER, 0, NULL, KEY(1, 13, CSK, 0, 0, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, "the keys themselves",
		    KEY(1, 13, ZSK, 0, 0, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, "signs records", KEY(1, 13, KSK, 0, 0, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, "signs records", KEY(1, 13, CSK, 0, 50, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 50, NULL, KEY(1, 13, CSK, 0, 50, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, NULL, KEY(1, 13, CSK, 50, 0, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, "1970-01-01T00:00:50Z", KEY(1, 13, CSK, 0, 0, 50, 60, NEVER, NEVER)),
		SET(NEVER, 0, NULL, KEY(1, 13, CSK, 0, 0, 50, 50, NEVER, NEVER)),
		/* Whose DS was seen stays, but for another whose DS was, or on the way out. */
		SET(NEVER, 0, "the key 1 is gone", KEY(1, 13, CSK, 0, 0, 50, 50, 10, 20)),
		SET(50, 0, NULL, KEY(1, 13, CSK, 0, 0, 50, 50, 10, 20)),
		SET(NEVER, 0, "the key 1 is gone", KEY(1, 13, CSK, 0, 0, 50, 50, 10, 20),
		    KEY(2, 13, CSK, 30, 40, NEVER, NEVER, 40, NEVER)),
		SET(NEVER, 0, NULL, KEY(1, 13, CSK, 0, 0, 50, 50, 10, 20),
		    KEY(2, 13, CSK, 30, 40, NEVER, NEVER, 40, 45)),
		/* An algorithm in DNSKEY signs all. */
		SET(NEVER, 0, "keys of ed25519, of which none signs the keys",
		    KEY(1, 13, CSK, 0, 0, NEVER, NEVER, NEVER, NEVER),
		    KEY(2, 15, ZSK, 0, 0, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, "keys of ed25519, of which none signs records",
		    KEY(1, 13, CSK, 0, 0, NEVER, NEVER, NEVER, NEVER),
		    KEY(2, 15, CSK, 0, 10, NEVER, NEVER, NEVER, NEVER)),
		SET(NEVER, 0, NULL, KEY(1, 13, CSK, 0, 0, NEVER, NEVER, NEVER, NEVER),
		    KEY(2, 15, CSK, 10, 0, NEVER, NEVER, NEVER, NEVER)),
	};
	EACH(c, cases) {
		mail_keyset_t set = { .leave = c->leave };
		mail_diag_t diag = { 0 };
		for (size_t k = 0; k < 3 && c->keys[k].tag != 0; k++) {
			set.keys[set.count++] = c->keys[k];
		}
		int ret = mail_keyset_check(&set, c->from, &diag);
		CHECK((ret == KNOT_EOK) == (c->reason == NULL), "%s", diag.text);
		CHECK(c->reason == NULL || strstr(diag.text, c->reason) != NULL, "%s", diag.text);
	}
}

/*! Steps are in the order of time; what waits comes last. States are those of the clock. */
static void test_steps(void)
{
	static history_t h;
	static mail_step_t steps[MAIL_STEPS_MAX];
	const mail_timing_t timing = { .ttl = 300, .ttl_max = 7200, .ds_ttl = 86400, .delay = 60 };
	REQUIRE(run(&h, "Rc13 S Rc15", 0, &timing, &timing));
	const mail_keyset_t *set = latest(&h);
	size_t count = mail_rollover_steps(set, steps);
	static const mail_step_what_t expected[] = { MAIL_STEP_ACTIVATE, MAIL_STEP_PUBLISH,
		                                     MAIL_STEP_DS,       MAIL_STEP_DS_SEEN,
		                                     MAIL_STEP_ACTIVATE, MAIL_STEP_PUBLISH,
		                                     MAIL_STEP_DS_UNTIL, MAIL_STEP_DS,
		                                     MAIL_STEP_DS_SEEN };
	REQUIRE(count == COUNT(expected));
	for (size_t i = 0; i < count; i++) {
		CHECK(steps[i].what == expected[i], "step %zu: %d", i, steps[i].what);
		CHECK(i == 0 || steps[i].time >= steps[i - 1].time, "step %zu", i);
	}
	CHECK_INT(steps[count - 1].time, INT64_MAX);
	const mail_dnskey_t *new = &set->keys[1];
	CHECK_STR(mail_rollover_state(new, new->activate - 1), "pending");
	CHECK_STR(mail_rollover_state(new, new->activate), "signs without DNSKEY");
	CHECK_STR(mail_rollover_state(new, new->publish), "active");
	REQUIRE(run(&h, "Rc13 S Rc13 S", 0, &timing, &timing));
	const mail_dnskey_t *old = &latest(&h)->keys[0];
	new = &latest(&h)->keys[1];
	CHECK_STR(mail_rollover_state(new, new->publish), "published");
	CHECK_STR(mail_rollover_state(old, old->retire), "retired");
	CHECK_STR(mail_rollover_state(old, old->remove), "removed");
}

/*! What is written into an entry is what is read. */
static void test_entry(void)
{
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_KEYSET, MAIL_STR("k"));
	mail_diag_t diag = { 0 };
	mail_keyset_t set, back;
	REQUIRE(entry != NULL);
	int ret = mail_entry_parse(entry, mail_item_find(MAIL_SECTION_KEYSET, MAIL_STR("key")),
	                           MAIL_OP_SET,
	                           MAIL_STR("3613 ed25519 csk activate=never "
	                                    "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="),
	                           0, &diag);
	CHECK(ret == KNOT_EOK, "%s", diag.text);
	CHECK_OK(mail_keyset_read(entry, &set, &diag));
	CHECK_INT(set.count, 1);
	CHECK_INT(set.keys[0].activate, INT64_MAX);
	CHECK_INT(set.leave, INT64_MAX);
	set.leave = START;
	set.keys[0].remove = START;
	CHECK_OK(mail_keyset_write(&set, entry));
	CHECK_OK(mail_keyset_read(entry, &back, &diag));
	CHECK_INT(back.leave, START);
	CHECK_INT(back.count, 1);
	CHECK_INT(back.keys[0].remove, START);
	CHECK_INT(back.keys[0].activate, INT64_MAX);
	CHECK(mail_keyset_find(&back, 3613, 15) == &back.keys[0]);
	CHECK(mail_keyset_find(&back, 3613, 13) == NULL);
	mail_entry_free(entry);
}

UNIT_MAIN("rollover", TEST("no bogus moment", test_no_bogus),
          TEST("the proof can fail", test_proof_can_fail),
          TEST("each time matters", test_each_time_matters), TEST("what is refused", test_refused),
          TEST("by hand", test_by_hand), TEST("old keys", test_dropped),
          TEST("sets that nobody should write", test_check), TEST("steps and states", test_steps),
          TEST("entries", test_entry))
