/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/signer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/failing.h"
#include "crypto/keyring.h"
#include "lib/signing.h"

/* As many keys as no signer keeps ready. */
#define MANY 300

static const mail_algorithm_t algorithms[] = {
	MAIL_ALGORITHM_RSASHA256,
	MAIL_ALGORITHM_ECDSAP256SHA256,
	MAIL_ALGORITHM_ED25519,
};

/*! A new key in a new ring. */
static mail_private_t *key_make(mail_algorithm_t algorithm, mail_keyring_t **ring)
{
	mail_private_t *key = NULL;
	*ring = mail_keyring_new();
	REQUIRE(*ring != NULL);
	REQUIRE(mail_private_generate(algorithm, 0, &key) == KNOT_EOK);
	REQUIRE(mail_keyring_add(*ring, key) == KNOT_EOK);
	return key;
}

/* Ed25519 signs the same every time: the octets and signatures of RFC 8080 6.1. */
static void test_published(void)
{
	static const struct {
		const char *private, *public_key, *signature;
		uint16_t tag;
	} cases[] = {
		{ "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=",
		  "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
		  "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqN"
		  "Ag==",
		  3613 },
		{ "DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY=",
		  "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=",
		  "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pc"
		  "Bg==",
		  35217 },
	};
	EACH(c, cases) {
		char text[256];
		snprintf(text, sizeof(text),
		         "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: %s\n",
		         c->private);
		mail_private_t *private = NULL;
		mail_keyring_t *ring = mail_keyring_new();
		mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
		REQUIRE(ring != NULL && signer != NULL);
		CHECK_OK(mail_private_read(MAIL_STR(text), &private, NULL));
		CHECK_OK(mail_keyring_add(ring, private));

		uint8_t memory[64], octets[512], signature[MAIL_SIGNATURE_MAX];
		uint8_t expected[MAIL_SIGNATURE_MAX];
		static const uint8_t mx[] = "\0\x0a\4mail\7example\3com";
		mail_dnskey_t key = signing_dnskey(MAIL_ALGORITHM_ED25519, c->tag, c->public_key);
		knot_dname_t *zone = signing_name("example.com");
		mail_rrsig_t rrsig = { zone, zone, 3600, 1438207200, 1440021600, key.tag, 15 };
		knot_rrset_t rrset;
		knot_rrset_init(&rrset, NULL, KNOT_RRTYPE_MX, KNOT_CLASS_IN, 3600);
		rrset.rrs.count = 1;
		rrset.rrs.rdata = (knot_rdata_t *)memory;
		knot_rdata_init(rrset.rrs.rdata, sizeof(mx), mx);
		size_t rdata_len;
		int len = mail_rrsig_octets(&rrsig, &rrset, octets, sizeof(octets), &rdata_len);
		REQUIRE(len > 0);
		for (size_t k = 0; k < 3; k++) {
			int ret = mail_signer_sign(signer, &key, 0, octets, len, signature);
			CHECK(ret == 64 && signing_base64(c->signature, expected) == 64 &&
			              memcmp(signature, expected, 64) == 0,
			      ", time %zu: %d", k, ret);
		}
		knot_dname_free(zone, NULL);
		mail_signer_free(signer);
		mail_keyring_free(ring);
		mail_private_free(private);
	}
}

static void test_algorithms(void)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 200, 1023, 1024, 1025, 65535 };
	EACH(c, algorithms) {
		mail_keyring_t *ring;
		mail_private_t *private = key_make(*c, &ring);
		mail_dnskey_t key = signing_public(private);
		mail_signatures_t *signatures = mail_signatures_new(1 << 20);
		mail_signer_t *signer = mail_signer_new(ring, signatures, 0);
		REQUIRE(signatures != NULL && signer != NULL);
		uint8_t *octets = calloc(1, 65535);
		EACH(e, lengths) {
			uint8_t first[MAIL_SIGNATURE_MAX], second[MAIL_SIGNATURE_MAX];
			int ret = mail_signer_sign(signer, &key, 0, octets, *e, first);
			CHECK(ret == (*c == MAIL_ALGORITHM_RSASHA256 ? 256 : 64),
			      "algorithm %u: %d", *c, ret);
			CHECK(ret > 0 && signing_verify(&key, octets, *e, first, ret),
			      "algorithm %u, %zu octets", *c, *e);
			/* From the cache, ECDSA's too are the same. */
			CHECK_INT(mail_signer_sign(signer, &key, 0, octets, *e, second), ret);
			CHECK(ret > 0 && memcmp(first, second, ret) == 0,
			      "algorithm %u, %zu octets", *c, *e);
		}
		mail_signer_counts_t counts = mail_signer_counts(signer);
		CHECK(counts.made == 10 && counts.cached == 10 && counts.refused == 0,
		      "%llu made, %llu found", (unsigned long long)counts.made,
		      (unsigned long long)counts.cached);
		counts = mail_signer_counts(signer);
		CHECK(counts.made == 0 && counts.cached == 0);
		free(octets);
		mail_signer_free(signer);
		mail_signatures_free(signatures);
		mail_keyring_free(ring);
		mail_private_free(private);
	}
}

/* Short numbers of an ECDSA signature get their zeros back: one in 128 has one. */
static void test_ecdsa_short(void)
{
	mail_keyring_t *ring;
	mail_private_t *private = key_make(MAIL_ALGORITHM_ECDSAP256SHA256, &ring);
	mail_dnskey_t key = signing_public(private);
	mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
	REQUIRE(signer != NULL);
	unsigned found = 0;
	for (uint32_t i = 0; i < 20000 && found < 5; i++) {
		uint8_t signature[MAIL_SIGNATURE_MAX];
		int ret = mail_signer_sign(signer, &key, 0, (uint8_t *)&i, sizeof(i), signature);
		if (ret == 64 && (signature[0] == 0 || signature[32] == 0)) {
			found++;
			CHECK(signing_verify(&key, (uint8_t *)&i, sizeof(i), signature, 64));
		}
	}
	CHECK_INT(found, 5);
	mail_signer_free(signer);
	mail_keyring_free(ring);
	mail_private_free(private);
}

/* A key that is not in the ring, and one that is. */
static void test_ring(void)
{
	mail_keyring_t *ring, *empty = mail_keyring_new();
	mail_private_t *private = key_make(MAIL_ALGORITHM_ED25519, &ring);
	mail_dnskey_t key = signing_public(private);
	mail_private_free(private);
	mail_signatures_t *signatures = mail_signatures_new(1 << 16);
	mail_signer_t *signer = mail_signer_new(ring, signatures, 0);
	mail_signer_t *none = mail_signer_new(empty, signatures, 0);
	REQUIRE(signatures != NULL && signer != NULL && none != NULL);
	uint8_t out[MAIL_SIGNATURE_MAX];
	const uint8_t octets[] = "octets", others[] = "others";

	CHECK(!mail_signer_has(none, &key));
	CHECK_INT(mail_signer_sign(none, &key, 0, octets, 6, out), KNOT_ENOENT);
	CHECK_INT(mail_signer_sign(none, &key, MAIL_SIGN_FLEETING, octets, 6, out), KNOT_ENOENT);

	CHECK(mail_signer_has(signer, &key));
	CHECK_INT(mail_signer_sign(signer, &key, 0, octets, 6, out), 64);
	CHECK(mail_signer_has(signer, &key));
	mail_dnskey_t other = key;
	other.public_key[0] ^= 1;
	CHECK(!mail_signer_has(signer, &other));
	other = key;
	other.algorithm = MAIL_ALGORITHM_ECDSAP256SHA256;
	CHECK(!mail_signer_has(signer, &other));
	mail_signer_free(signer);
	mail_keyring_free(ring);

	/* What was signed stays in the cache, for signers of other rings too. */
	CHECK_INT(mail_signer_sign(none, &key, 0, others, 6, out), KNOT_ENOENT);
	CHECK_INT(mail_signer_sign(none, &key, 0, octets, 6, out), 64);
	CHECK(signing_verify(&key, octets, 6, out, 64));

	mail_signer_free(none);
	mail_signatures_free(signatures);
	mail_keyring_free(empty);
}

static void test_budget(void)
{
	mail_keyring_t *ring;
	mail_private_t *private = key_make(MAIL_ALGORITHM_ED25519, &ring);
	mail_dnskey_t key = signing_public(private);
	mail_signatures_t *signatures = mail_signatures_new(1 << 16);
	mail_signer_t *signer = mail_signer_new(ring, signatures, 3 * MAIL_SIGN_FLEETING_PART);
	REQUIRE(signatures != NULL && signer != NULL);
	uint8_t out[MAIL_SIGNATURE_MAX] = { 0 };
	for (int64_t now = 100; now < 104; now++) {
		/* In the second second nothing is signed: that is not carried over. */
		int count = now == 101 ? 0 : 6;
		for (int i = 0; i < count; i++) {
			mail_signer_sync(signer, now);
			int ret = mail_signer_sign(signer, &key, MAIL_SIGN_FLEETING, out, 6, out);
			CHECK(ret == (i < 3 ? 64 : KNOT_ELIMIT), "second %d, %d: %d", (int)now, i,
			      ret);
		}
		CHECK_INT(mail_signer_sign(signer, &key, MAIL_SIGN_FLEETING | MAIL_SIGN_UNBOUNDED,
		                           out, 6, out),
		          64);
	}
	/* None of them was kept; what is kept has a budget of its own, and what is found costs nothing of it. */
	uint8_t again[MAIL_SIGNATURE_MAX];
	const uint8_t octets[] = "octets";
	CHECK_INT(mail_signer_sign(signer, &key, MAIL_SIGN_FLEETING | MAIL_SIGN_UNBOUNDED, octets,
	                           6, out),
	          64);
	mail_signer_sync(signer, 103);
	CHECK_INT(mail_signer_sign(signer, &key, 0, octets, 6, again), 64);
	CHECK_INT(mail_signer_sign(signer, &key, 0, octets, 6, again), 64);
	mail_signer_counts_t counts = mail_signer_counts(signer);
	CHECK_INT(counts.refused, 9);
	CHECK(counts.made == 9 + 4 + 2 && counts.cached == 1);
	mail_signer_free(signer);

	signer = mail_signer_new(ring, NULL, 0);
	REQUIRE(signer != NULL);
	for (int i = 0; i < 10; i++) {
		CHECK_INT(mail_signer_sign(signer, &key, MAIL_SIGN_FLEETING, out, 6, out), 64);
	}
	mail_signer_free(signer);
	mail_signatures_free(signatures);
	mail_keyring_free(ring);
	mail_private_free(private);
}

/* What is kept has a budget too, of work: so many signatures of ECDSA, fewer of RSA. */
static void test_budget_kept(void)
{
	enum { BUDGET = 100 };
	static const unsigned most[] = {
		[MAIL_ALGORITHM_RSASHA256] = (BUDGET + 15) / 16,
		[MAIL_ALGORITHM_ECDSAP256SHA256] = BUDGET,
		[MAIL_ALGORITHM_ED25519] = BUDGET,
	};
	EACH(c, algorithms) {
		mail_keyring_t *ring;
		mail_private_t *private = key_make(*c, &ring);
		mail_dnskey_t key = signing_public(private);
		mail_signatures_t *signatures = mail_signatures_new(1 << 20);
		mail_signer_t *signer = mail_signer_new(ring, signatures, BUDGET);
		REQUIRE(signatures != NULL && signer != NULL);
		uint8_t out[MAIL_SIGNATURE_MAX];
		uint32_t text = 0;
		for (int64_t now = 100; now < 102; now++) {
			mail_signer_sync(signer, now);
			int ret = 0;
			unsigned made = 0;
			for (; made <= BUDGET && ret != KNOT_ELIMIT; made++, text++) {
				ret = mail_signer_sign(signer, &key, MAIL_SIGN_CACHED,
				                       (uint8_t *)&text, sizeof(text), out);
			}
			CHECK(made == most[*c] + 1 && ret == KNOT_ELIMIT, "algorithm %u: %u, %d",
			      *c, made, ret);
			/* Over TCP it is made, and kept. */
			for (unsigned i = 0; i < 2; i++) {
				ret = mail_signer_sign(signer, &key,
				                       i == 0 ? MAIL_SIGN_UNBOUNDED
				                              : MAIL_SIGN_CACHED,
				                       (uint8_t *)&text, sizeof(text), out);
				CHECK(ret > 0, "algorithm %u, time %u: %d", *c, i, ret);
			}
			text++;
		}
		const mail_signer_counts_t counts = mail_signer_counts(signer);
		CHECK_INT(counts.refused, 2);
		CHECK_INT(counts.cached, 2);
		mail_signer_free(signer);
		mail_signatures_free(signatures);
		mail_keyring_free(ring);
		mail_private_free(private);
	}
}

/* More keys than are kept ready. */
static void test_many(void)
{
	static mail_dnskey_t keys[MANY];
	mail_keyring_t *ring = mail_keyring_new();
	mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
	REQUIRE(ring != NULL && signer != NULL);
	for (size_t i = 0; i < MANY; i++) {
		mail_private_t *private = NULL;
		REQUIRE(mail_private_generate(i % 2 ? MAIL_ALGORITHM_ED25519
		                                    : MAIL_ALGORITHM_ECDSAP256SHA256,
		                              0, &private) == KNOT_EOK);
		CHECK_OK(mail_keyring_add(ring, private));
		keys[i] = signing_public(private);
		mail_private_free(private);
	}
	for (size_t i = 0; i < 2 * MANY; i++) {
		const mail_dnskey_t *key = &keys[i % MANY];
		uint8_t out[MAIL_SIGNATURE_MAX];
		CHECK(mail_signer_has(signer, key));
		int ret = mail_signer_sign(signer, key, 0, (const uint8_t *)"octets", 6, out);
		CHECK(ret == 64 && signing_verify(key, (const uint8_t *)"octets", 6, out, ret),
		      "key %zu: %d", i, ret);
	}
	mail_signer_free(signer);
	mail_keyring_free(ring);
}

#define THREADS 4
#define TURNS 300

/*! What threads share. */
static struct {
	mail_signatures_t *signatures;
	mail_keyring_t *rings[2];
	mail_dnskey_t keys[2];
	atomic_uint bad;
} shared;

static void *thread_run(void *arg)
{
	(void)arg;
	mail_signer_t *signers[2] = { mail_signer_new(shared.rings[0], shared.signatures, 0),
		                      mail_signer_new(shared.rings[1], shared.signatures, 0) };
	bool made = signers[0] != NULL && signers[1] != NULL;
	for (unsigned i = 0; made && i < TURNS; i++) {
		const mail_dnskey_t *key = &shared.keys[i % 2];
		uint8_t signature[MAIL_SIGNATURE_MAX], octets[] = { (uint8_t)(i / 4) };
		int ret = mail_signer_sign(signers[i / 50 % 2], key, 0, octets, 1, signature);
		if (ret != 64 || !signing_verify(key, octets, 1, signature, 64)) {
			atomic_fetch_add(&shared.bad, 1);
		}
	}
	atomic_fetch_add(&shared.bad, !made);
	mail_signer_free(signers[0]);
	mail_signer_free(signers[1]);
	return NULL;
}

/* Threads share rings, keys and the cache. */
static void test_threads(void)
{
	pthread_t threads[THREADS];
	shared.signatures = mail_signatures_new(1 << 20);
	shared.rings[0] = mail_keyring_new();
	shared.rings[1] = mail_keyring_new();
	REQUIRE(shared.signatures != NULL && shared.rings[0] != NULL && shared.rings[1] != NULL);
	for (size_t i = 0; i < 2; i++) {
		mail_private_t *key = NULL;
		REQUIRE(mail_private_generate(algorithms[1 + i], 0, &key) == KNOT_EOK);
		CHECK_OK(mail_keyring_add(shared.rings[0], key));
		CHECK_OK(mail_keyring_add(shared.rings[1], key));
		shared.keys[i] = signing_public(key);
		mail_private_free(key);
	}
	for (size_t i = 0; i < THREADS; i++) {
		REQUIRE(pthread_create(&threads[i], NULL, thread_run, NULL) == 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	CHECK(atomic_load(&shared.bad) == 0, "%u bad", atomic_load(&shared.bad));
	mail_keyring_free(shared.rings[0]);
	mail_keyring_free(shared.rings[1]);
	mail_signatures_free(shared.signatures);
}

/* Every allocation of ours fails once. */
static void test_memory(void)
{
	REQUIRE(failing_linked());
	for (size_t i = 1; failing_on(i); i++) {
		mail_private_t *private = NULL;
		mail_keyring_t *ring = mail_keyring_new();
		mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
		int ret = mail_private_generate(MAIL_ALGORITHM_ED25519, 0, &private);
		CHECK(ret == KNOT_EOK ? private != NULL : ret == KNOT_ENOMEM);
		if (ret == KNOT_EOK && ring != NULL && signer != NULL) {
			uint8_t out[MAIL_SIGNATURE_MAX];
			mail_dnskey_t key = signing_public(private);
			CHECK_OK(mail_keyring_add(ring, private));
			CHECK_INT(mail_signer_sign(signer, &key, 0, out, 0, out), 64);
		}
		mail_signer_free(signer);
		mail_keyring_free(ring);
		mail_private_free(private);
		if (!failing_off()) {
			CHECK(i > 3);
			break;
		}
	}
}

UNIT_MAIN("signer", TEST("published signatures", test_published),
          TEST("algorithms", test_algorithms), TEST("short numbers of ECDSA", test_ecdsa_short),
          TEST("rings", test_ring), TEST("budget", test_budget),
          TEST("budget of what is kept", test_budget_kept), TEST("many keys", test_many),
          TEST("threads", test_threads), TEST("memory", test_memory))
