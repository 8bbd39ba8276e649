/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module for a zone, between a knotd that is not there (knotd_stub.h) and a store. */
#include "lib/knotd_stub.h"

/*! A zone's instance says what happens to the store while knotd calls it, and never else. */
static void test_zone_instance(void)
{
	knotd_mod_t mod = { .zone = (const knot_dname_t *)"\3org",
		            .store = "/nonexistent",
		            .interval = 60 };
	logged.count = 0;
	CHECK(knotd_mod_api.load(&mod) == KNOT_EOK, "load");
	CHECK(mod.hook == NULL && mod.in_hook != NULL && mod.stage == KNOTD_STAGE_ANSWER,
	      "a hook for answers alone");
	CHECK(logged.count == 1 && logged_is("store not opened"), "'%s'", logged.last);
	CHECK(mod.counters == 0, "no counters");
	/* The thread tries again, and keeps to itself what it finds. */
	(void)nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 200000000 }, NULL);
	CHECK(logged.count == 1, "%u lines", logged.count);
	knotd_mod_api.unload(&mod);
	CHECK(logged.count == 1 && mod.ctx == NULL, "no line while a zone is freed");
}

/*! Ask a zone's instance about a name that the zone does not have. \return Whether it has added to the answer. */
static bool is_added(knotd_mod_t *mod, const char *text)
{
	knot_mm_t mm = arena_mm();
	knot_dname_storage_t name;
	knot_dname_from_str(name, text, sizeof(name));
	knot_pkt_t *query = knot_pkt_new(NULL, 512, NULL);
	knot_pkt_t *pkt = knot_pkt_new(NULL, 512, &mm);
	knot_pkt_put_question(query, name, KNOT_CLASS_IN, KNOT_RRTYPE_TXT);
	knot_pkt_init_response(pkt, query);
	knot_pkt_begin(pkt, KNOT_ANSWER);
	struct knotd_qdata_extra extra = { .zone = mod->zone };
	knotd_qdata_params_t params = { .proto = KNOTD_QUERY_PROTO_UDP };
	knotd_qdata_t qdata = {
		.query = query, .name = knot_pkt_qname(query), .params = &params, .extra = &extra
	};
	knotd_in_state_t state = mod->in_hook(KNOTD_IN_STATE_MISS, pkt, &qdata, mod);
	knot_pkt_free(query);
	knot_pkt_free(pkt);
	return state != KNOTD_IN_STATE_MISS;
}

/*! Write the domain's policy anew. */
static int write_policy(const fixture_t *f, mail_item_id_t item, const char *value)
{
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	int ret = put(txn, MAIL_SECTION_POLICY, "one", item, value);
	if (mail_txn_commit(txn) != KNOT_EOK) {
		ret = KNOT_ERROR;
	}
	mail_store_close(store);
	return ret;
}

/*! At each letter: TLS-RPT is there, and is gone again. */
static int change_policy(const fixture_t *f, int in, int out)
{
	for (unsigned i = 0; hear(in, 'c'); i++) {
		int ret = i % 2 == 0 ? write_policy(f, MAIL_ITEM_TLS_RPT, "mailto:a@example.org")
		                     : write_policy(f, MAIL_ITEM_NS, "ns.hosted.test.");
		if (ret != KNOT_EOK || !say(out, 'd')) {
			return 1;
		}
	}
	return 0;
}

/*! Which labels a zone lacks is known for one content of one store: the first question after a commit is right. */
static void test_zone_follows(void)
{
	static const char *const name = "_smtp._tls.example.org.";
	fixture_t f, g;
	other_t other;
	knotd_mod_t mod = { .zone = (const knot_dname_t *)"\7example\3org", .interval = 60 };
	if (!fixture_make(&f, false, 1 << 24) || !fixture_make(&g, false, 1 << 24)) {
		return;
	}
	fill(&f);
	fill(&g);
	CHECK(write_policy(&g, MAIL_ITEM_TLS_RPT, "mailto:b@example.org") == KNOT_EOK, "g");
	mod.store = f.path;
	if (!CHECK(other_start(&other, change_policy, &f), "another process") ||
	    !CHECK(knotd_mod_api.load(&mod) == KNOT_EOK, "load")) {
		return;
	}
	char away[sizeof(f.path) + 8];
	snprintf(away, sizeof(away), "%s.away", f.path);
	for (unsigned step = 0; step < 6; step++) {
		for (unsigned i = 0; i < 3; i++) {
			CHECK(!is_added(&mod, "www.example.org."), "step %u.%u: www", step, i);
			CHECK(is_added(&mod, name) == (step % 2 == 1), "step %u.%u", step, i);
		}
		if (step < 4) {
			CHECK(say(other.to, 'c') && hear(other.from, 'd'), "step %u", step);
		} else if (step == 4) {
			/* Another store, which has it. */
			CHECK(rename(f.path, away) == 0 && rename(g.path, f.path) == 0, "rename");
			for (int i = 0; i < 500 && !is_added(&mod, name); i++) {
				(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
			}
		}
	}
	knotd_mod_api.unload(&mod);
	other_end(&other, false);
	fixture_remove(&f);
	fixture_remove(&g);
}

/*! The number of a store's newest transaction. */
static size_t newest_of(const fixture_t *f)
{
	mail_store_t *store = fixture_open(f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const size_t number = mail_txn_id(txn);
	mail_txn_abort(txn);
	mail_store_close(store);
	return number;
}

/*! Replace a number where LMDB keeps that of the newest transaction, in its first two pages. */
static bool renumber(const fixture_t *f, size_t from, size_t to)
{
	static uint8_t pages[8192];
	unsigned found = 0;
	int fd = open(f->data, O_RDWR);
	bool ok = fd >= 0 && pread(fd, pages, sizeof(pages), 0) == sizeof(pages);
	for (size_t at = 0; ok && at + sizeof(from) <= sizeof(pages); at += sizeof(from)) {
		size_t number;
		memcpy(&number, pages + at, sizeof(number));
		if (number == from || number == from - 1) {
			number = number - from + to;
			memcpy(pages + at, &number, sizeof(number));
			found++;
		}
	}
	ok = ok && found == 2 && pwrite(fd, pages, sizeof(pages), 0) == sizeof(pages);
	close(fd);
	(void)unlink(f->lock);
	return ok;
}

/*! A store whose state has no number: two that are not known are not the same, and the domain's names are answered. */
static void test_zone_unknown_state(void)
{
	fixture_t f;
	knotd_mod_t mod = { .zone = (const knot_dname_t *)"\7example\3org", .interval = 60 };
	if (!fixture_make(&f, false, 1 << 24)) {
		return;
	}
	mod.store = f.path;
	fill(&f);
	/* A number that nothing else in these pages has. */
	size_t number = 0;
	for (int ret = KNOT_EOK; ret == KNOT_EOK && number < 300; number = newest_of(&f)) {
		ret = write_policy(&f, MAIL_ITEM_TLS_RPT, "mailto:a@example.org");
	}
	CHECK(renumber(&f, number, SIZE_MAX / 2), "number");
	CHECK(knotd_mod_api.load(&mod) == KNOT_EOK, "load");
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!is_added(&mod, "www.example.org."), "%u: www", i);
		CHECK(is_added(&mod, "_smtp._tls.example.org."), "%u: TLS-RPT", i);
	}
	knotd_mod_api.unload(&mod);
	fixture_remove(&f);
}

UNIT_MAIN("module_zone", TEST("a zone's instance", test_zone_instance),
          TEST("it follows the store", test_zone_follows),
          TEST("a store of no known state", test_zone_unknown_state))
