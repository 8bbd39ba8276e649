/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/signatures.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/unit.h"

#define SET_LEN 576
#define WAYS 7
#define KEPT 200

static mail_digest_t digest_of(const mail_signatures_t *signatures, const char *public_key,
                               const void *octets, size_t len)
{
	return mail_signatures_digest(signatures, MAIL_STR(public_key), octets, len);
}

static mail_digest_t digest_number(const mail_signatures_t *signatures, uint64_t number)
{
	return digest_of(signatures, "key", &number, sizeof(number));
}

static bool digest_equal(mail_digest_t a, mail_digest_t b)
{
	return a.low == b.low && a.high == b.high;
}

/*! A signature whose octets tell its number. */
static void signature_make(uint64_t number, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		out[i] = (uint8_t)((number * 31 + i * 7) >> (i % 3));
	}
}

static bool signature_is(uint64_t number, const uint8_t *signature, size_t len)
{
	uint8_t expected[MAIL_SIGNATURE_MAX];
	signature_make(number, expected, len);
	return memcmp(signature, expected, len) == 0;
}

static void put(mail_signatures_t *signatures, uint64_t number, size_t len)
{
	uint8_t signature[MAIL_SIGNATURE_MAX];
	signature_make(number, signature, len);
	mail_signatures_put(signatures, digest_number(signatures, number), signature, len, 0);
}

static bool get(mail_signatures_t *signatures, uint64_t number, size_t len)
{
	uint8_t signature[MAIL_SIGNATURE_MAX];
	if (!mail_signatures_get(signatures, digest_number(signatures, number), signature, len)) {
		return false;
	}
	CHECK(signature_is(number, signature, len), "number %llu", (unsigned long long)number);
	return true;
}

/* Texts that are no others: by an octet anywhere, by zeros at the end, by where the key ends. */
static void test_digest(void)
{
	mail_signatures_t *signatures = mail_signatures_new(0);
	mail_signatures_t *others = mail_signatures_new(0);
	REQUIRE(signatures != NULL && others != NULL);
	static uint8_t octets[3000];
	static mail_digest_t seen[3000];
	for (size_t len = 0; len < 3000; len++) {
		seen[len] = digest_of(signatures, "key", octets, len);
		CHECK(digest_equal(seen[len], digest_of(signatures, "key", octets, len)));
		CHECK(!digest_equal(seen[len], digest_of(others, "key", octets, len)));
		for (size_t k = 0; k < len; k++) {
			if (digest_equal(seen[k], seen[len])) {
				CHECK(false, "%zu and %zu octets", k, len);
			}
		}
	}
	CHECK(!digest_equal(digest_of(signatures, "key", "abc", 3),
	                    digest_of(signatures, "keya", "bc", 2)));
	CHECK(!digest_equal(digest_of(signatures, "0123456789abcdef", "abc", 3),
	                    digest_of(signatures, "", "0123456789abcdefabc", 19)));

	static const size_t lengths[] = { 1, 15, 16, 17, 200, 976, 1020, 1024, 1040, 2999 };
	EACH(c, lengths) {
		mail_digest_t digest = digest_of(signatures, "key", octets, *c);
		for (size_t k = 0; k < *c * 8; k++) {
			octets[k / 8] ^= 1u << k % 8;
			CHECK(!digest_equal(digest, digest_of(signatures, "key", octets, *c)),
			      "%zu octets, bit %zu", *c, k);
			octets[k / 8] ^= 1u << k % 8;
		}
	}

	/* Both halves are spread: as many ones as zeros, about, of 3,000 words of 64 bits. */
	size_t ones = 0;
	for (size_t i = 0; i < 3000; i++) {
		ones += (size_t)__builtin_popcountll(seen[i].low) +
		        (size_t)__builtin_popcountll(seen[i].high);
	}
	CHECK(ones > 190000 && ones < 194000, "%zu of 384000", ones);

	/* Where they lie in memory does not matter. */
	memset(octets, 0xa5, sizeof(octets));
	mail_digest_t digest = digest_of(signatures, "key", octets, 200);
	for (size_t i = 1; i < 16; i++) {
		CHECK(digest_equal(digest, digest_of(signatures, "key", octets + i, 200)));
	}
	mail_signatures_free(signatures);
	mail_signatures_free(others);
}

static void test_kept(void)
{
	static const size_t lengths[] = { 64, 256, 257, 384, 512 };
	EACH(c, lengths) {
		mail_signatures_t *signatures = mail_signatures_new(32 << 20);
		REQUIRE(signatures != NULL);
		for (uint64_t number = 0; number < KEPT; number++) {
			CHECK(!get(signatures, number, *c));
			put(signatures, number, *c);
			CHECK(get(signatures, number, *c), "%zu octets, number %u", *c,
			      (unsigned)number);
		}
		size_t found = 0;
		for (uint64_t number = 0; number < KEPT; number++) {
			found += get(signatures, number, *c);
			put(signatures, number, *c); /* Once more is once. */
		}
		/* Room is for 25,000 chunks: no set is full. */
		CHECK(found == KEPT, "%zu octets: %zu", *c, found);
		mail_signatures_free(signatures);
	}
}

/* However much is put, the bound is kept; and below the first set nothing is. */
static void test_bound(void)
{
	static const size_t bounds[] = { 0, 1, SET_LEN - 1, SET_LEN, 2 * SET_LEN - 1, 4096, 65536 };
	EACH(c, bounds) {
		mail_signatures_t *signatures = mail_signatures_new(*c);
		REQUIRE(signatures != NULL);
		size_t found = 0, count = 20 * (*c / SET_LEN + 1) * WAYS;
		for (uint64_t number = 0; number < count; number++) {
			put(signatures, number, 64);
			CHECK_INT(get(signatures, number, 64), (*c >= SET_LEN));
		}
		for (uint64_t number = 0; number < count; number++) {
			found += get(signatures, number, 64);
		}
		size_t sets = *c / SET_LEN;
		CHECK(found == sets * WAYS, "bound %zu: %zu found", *c, found);
		mail_signatures_free(signatures);
	}
	CHECK(mail_signatures_new(SIZE_MAX / 2) == NULL);
	mail_signatures_free(NULL);
}

/* It becomes larger when it is too small, and only then; what the smaller one had is found. */
static void test_growth(void)
{
	enum { MOST = 64 << 20, FEW = 10000, MANY = 300000 };
	mail_signatures_t *signatures = mail_signatures_new(MOST);
	REQUIRE(signatures != NULL);
	const size_t first = mail_signatures_used(signatures);
	CHECK(first <= 2 << 20 && first > 1 << 20, "%zu", first);
	for (uint64_t number = 0; number < FEW; number++) {
		put(signatures, number, 64);
	}
	CHECK_INT(mail_signatures_used(signatures), first);

	/* As many as are signed anew within days, one by one, find room in the place of others. */
	uint8_t signature[64] = { 0 };
	for (uint64_t i = 0; i < 10 * FEW; i++) {
		mail_signatures_put(signatures, digest_number(signatures, MANY + i), signature, 64,
		                    (int64_t)i * 10);
	}
	CHECK_INT(mail_signatures_used(signatures), first);

	size_t found = 0, last = first;
	for (uint64_t number = 0; number < MANY; number++) {
		put(signatures, number, 64);
		const size_t used = mail_signatures_used(signatures);
		CHECK(used == last || (used >= 2 * last && used <= 2 * last + SET_LEN), "%zu, %zu",
		      last, used);
		/* What was just put is found, also when it made the table larger. */
		found += get(signatures, number, 64);
		last = used;
	}
	CHECK_INT(found, MANY);
	CHECK(last > MANY * SET_LEN / WAYS && last <= MOST, "%zu", last);
	found = 0;
	for (unsigned turn = 0; turn < 2; turn++) {
		found = 0;
		for (uint64_t number = 0; number < MANY; number++) {
			found += get(signatures, number, 64);
			put(signatures, number, 64);
		}
	}
	CHECK(found > MANY * 0.98, "%zu of %d", found, MANY);
	mail_signatures_free(signatures);
}

/* What is asked for stays, whatever else comes once; and what is asked for no more goes. */
static void test_hot(void)
{
	mail_signatures_t *signatures = mail_signatures_new(100 * SET_LEN);
	REQUIRE(signatures != NULL);
	uint64_t flood = 1000000;
	for (uint64_t round = 0; round < 3; round++) {
		unsigned missed = 0;
		/* 100 in room for 700, asked for again and again, among 60,000 others. */
		for (unsigned turn = 0; turn < 200; turn++) {
			for (uint64_t i = 0; i < 100; i++) {
				uint64_t number = round * 1000 + i;
				if (!get(signatures, number, 64)) {
					missed += turn > 5;
					put(signatures, number, 64);
				}
			}
			for (unsigned i = 0; i < 300; i++) {
				put(signatures, flood++, 64);
			}
		}
		/* First come, first gone: half would be missed. */
		CHECK(missed < 4850, "round %u: %u of 19,400 missed", (unsigned)round, missed);
	}
	mail_signatures_free(signatures);
}

/* --- Threads --- */

#define THREADS 4
#define TURNS 100000
#define NUMBERS 64

static struct {
	mail_signatures_t *signatures;
	atomic_uint torn, found;
} shared;

/* All threads read and write few sets. Of every number there are many versions, as of ECDSA. */
static void *thread_run(void *arg)
{
	uint32_t turn = (uint32_t)(uintptr_t)arg;
	for (unsigned i = 0; i < TURNS; i++) {
		turn = turn * 1103515245 + 12345;
		uint8_t signature[64];
		mail_digest_t digest = digest_number(shared.signatures, (turn >> 8) % NUMBERS);
		if (mail_signatures_get(shared.signatures, digest, signature, 64)) {
			bool whole = true;
			for (size_t k = 1; k < 64; k++) {
				whole = whole && signature[k] == signature[0];
			}
			atomic_fetch_add(&shared.torn, !whole);
			atomic_fetch_add(&shared.found, 1);
		}
		if (turn >> 28 < 8) {
			memset(signature, (int)(turn >> 16 & 0xff), sizeof(signature));
			mail_signatures_put(shared.signatures, digest, signature, 64, 0);
		}
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	shared.signatures = mail_signatures_new(2 * SET_LEN);
	REQUIRE(shared.signatures != NULL);
	for (size_t i = 0; i < THREADS; i++) {
		REQUIRE(pthread_create(&threads[i], NULL, thread_run, (void *)(uintptr_t)(i + 1)) ==
		        0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	CHECK(atomic_load(&shared.torn) == 0, "%u torn", atomic_load(&shared.torn));
	CHECK(atomic_load(&shared.found) > TURNS / 10, "%u found", atomic_load(&shared.found));
	mail_signatures_free(shared.signatures);
}

UNIT_MAIN("signatures", TEST("digests", test_digest), TEST("what is kept", test_kept),
          TEST("the bound", test_bound), TEST("growth", test_growth), TEST("what stays", test_hot),
          TEST("threads", test_threads))
