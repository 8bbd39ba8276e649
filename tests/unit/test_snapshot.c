/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signers and stores, published and pinned as one. */

#include <pthread.h>
#include <stdatomic.h>

#include "lib/key_fixture.h"

/*! Signers belong to their ring: who pinned it signs on, the next one does not. */
static void test_signing(void)
{
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	const mail_signing_conf_t conf = { b.directory, 1 << 20, 0, 2 };
	mail_signing_t *signing = mail_signing_new(&conf, note_line, &b.said);
	mail_shelf_t shelf = { .current = NULL };
	CHECK_OK(mail_shelf_init(&shelf, 2, 4));
	REQUIRE(signing != NULL);
	put_file(&b, "x", &pair, &pair);
	put_one(&b, "x", &pair);
	CHECK(!mail_signing_follow(signing, b.epoch, INTERVAL, PATIENCE));
	CHECK_STR(b.said.last, "private keys: 1");
	CHECK_OK(mail_shelf_publish(&shelf, b.epoch, mail_signing_signers(signing)));

	const mail_snapshot_t *snapshot = mail_shelf_take(&shelf, 1);
	mail_signer_t *signer = snapshot->signers->signers[1];
	mail_signer_sync(signer, NOW);
	CHECK(mail_signer_has(signer, &pair.key));
	uint8_t signature[MAIL_SIGNATURE_MAX];
	CHECK_INT(
		mail_signer_sign(signer, &pair.key, MAIL_SIGN_CACHED, (uint8_t *)"x", 1, signature),
		64);
	/* The set goes while a worker signs: it goes on, the next question does not. */
	del_set(&b, "x");
	for (unsigned i = 0;
	     mail_keyring_count(mail_signing_signers(signing)->ring) > 0 && i < 1000; i++) {
		(void)mail_signing_follow(signing, b.epoch, INTERVAL, PATIENCE);
		usleep(1000);
	}
	CHECK_INT(mail_keyring_count(mail_signing_signers(signing)->ring), 0);
	CHECK_OK(mail_shelf_publish(&shelf, b.epoch, mail_signing_signers(signing)));
	mail_shelf_sweep(&shelf);
	CHECK(shelf.retired != NULL);
	CHECK(mail_signer_has(signer, &pair.key));
	mail_shelf_put(&shelf, 1);
	mail_shelf_sweep(&shelf);
	CHECK(shelf.retired == NULL);
	snapshot = mail_shelf_take(&shelf, 1);
	mail_signer_sync(snapshot->signers->signers[1], NOW);
	CHECK(!(mail_signer_has(snapshot->signers->signers[1], &pair.key)));
	mail_shelf_put(&shelf, 1);

	mail_shelf_clear(&shelf);
	mail_signing_free(signing);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/* Workers */

enum { WORKERS = 3, RINGS = 300 };

typedef struct {
	mail_shelf_t shelf;
	const pair_t *pair;
	atomic_bool ended;
	atomic_uint next;              /*!< Index of the next worker. */
	atomic_uint made, missed, bad; /*!< Signatures, rings without the key, what must not be. */
} work_t;

static void *work(void *ctx)
{
	work_t *w = ctx;
	unsigned thread = atomic_fetch_add(&w->next, 1);
	for (uint32_t i = 0; !atomic_load(&w->ended); i++) {
		const mail_snapshot_t *snapshot = mail_shelf_take(&w->shelf, thread);
		if (snapshot != NULL) {
			mail_signer_t *signer = snapshot->signers->signers[thread];
			mail_signer_sync(signer, NOW);
			bool there = mail_keyring_count(snapshot->signers->ring) > 0;
			uint8_t signature[MAIL_SIGNATURE_MAX];
			/* Each is asked for once: a cached one needs no key. */
			const uint32_t octets[] = { thread, i };
			int ret = mail_signer_sign(signer, &w->pair->key, MAIL_SIGN_CACHED,
			                           (const uint8_t *)octets, sizeof(octets),
			                           signature);
			atomic_fetch_add(ret == 64 ? &w->made : &w->missed, 1);
			atomic_fetch_add(&w->bad, ret != (there ? 64 : KNOT_ENOENT));
		}
		mail_shelf_put(&w->shelf, thread);
	}
	return NULL;
}

/*! Rings and stores are replaced all the time, and a worker has one of them as long as it signs. */
static void test_workers(void)
{
	static work_t w;
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	w.pair = &pair;
	mail_signatures_t *signatures = mail_signatures_new(1 << 20);
	CHECK_OK(mail_shelf_init(&w.shelf, WORKERS, 4));
	pthread_t threads[WORKERS];
	for (unsigned i = 0; i < WORKERS; i++) {
		CHECK_INT(pthread_create(&threads[i], NULL, work, &w), 0);
	}
	for (unsigned i = 0; i < RINGS || (atomic_load(&w.made) < 10 && i < 100 * RINGS); i++) {
		mail_keyring_t *ring = mail_keyring_new();
		if (i % 2 == 0) {
			CHECK_OK(mail_keyring_add(ring, pair.half));
		}
		mail_signers_t *signers = mail_signers_new(ring, signatures, WORKERS, 0);
		CHECK_OK(mail_shelf_publish(&w.shelf, i % 7 == 6 ? NULL : b.epoch, signers));
		mail_signers_free(signers);
		mail_shelf_sweep(&w.shelf);
		usleep(200);
	}
	atomic_store(&w.ended, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
	}
	CHECK(w.made >= 10 && w.missed > 0 && w.bad == 0, "%u made, %u missed, %u bad", w.made,
	      w.missed, w.bad);
	mail_shelf_clear(&w.shelf);
	mail_signatures_free(signatures);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*! The same number for the same content only, and none for what is not known. */
static void test_states(void)
{
	static const struct {
		uint64_t epoch, txnid, state;
	} cases[] = {
		{ 1, 1, (uint64_t)1 << 44 | 1 },
		{ 3, 7, (uint64_t)3 << 44 | 7 },
		{ 0xffffe, 7, (uint64_t)0xffffe << 44 | 7 },
		{ 1, 0, 0 },
		{ 1 << 20, 7, 0 },
		{ UINT64_MAX, 7, 0 },
		{ 1, (uint64_t)1 << 44, 0 },
		{ 1, UINT64_MAX, 0 },
	};
	EACH(c, cases) {
		uint64_t state = mail_state_of(c->epoch, c->txnid);
		CHECK(state == c->state, "%llx", (unsigned long long)state);
	}
}

UNIT_MAIN("snapshot", TEST("states", test_states), TEST("signers of a ring", test_signing),
          TEST("workers, while rings are replaced", test_workers))
