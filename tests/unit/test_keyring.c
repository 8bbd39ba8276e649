/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/keyring.h"

#include "lib/failing.h"
#include "crypto/private.h"
#include "lib/unit.h"

#define KEYS 500

static mail_private_t *keys[KEYS];

/*! A key that nobody signs with. All have the home of one of eight others. */
static mail_private_t *key_make(unsigned i)
{
	mail_private_t *key = NULL;
	uint8_t octets[MAIL_SECRET_LEN] = { 0 };
	knot_wire_write_u32(octets, i);
	octets[sizeof(octets) - 1] = i % 8;
	mail_str_t half = { (const char *)octets, sizeof(octets) };
	REQUIRE(mail_private_new(MAIL_ALGORITHM_ED25519, half, half, &key) == KNOT_EOK);
	return key;
}

static void keys_make(void)
{
	for (unsigned i = 0; i < KEYS; i++) {
		keys[i] = key_make(i);
	}
}

static void keys_free(void)
{
	for (unsigned i = 0; i < KEYS; i++) {
		mail_private_free(keys[i]);
	}
}

static mail_private_t *find(const mail_keyring_t *ring, unsigned i)
{
	return mail_keyring_find(ring, MAIL_ALGORITHM_ED25519, mail_private_public(keys[i]));
}

/* What is found is what was added; the ring has references of its own. */
static void test_ring(void)
{
	keys_make();
	mail_keyring_t *ring = mail_keyring_new();
	REQUIRE(ring != NULL);
	for (unsigned i = 0; i < KEYS; i++) {
		CHECK(find(ring, i) == NULL);
		CHECK_OK(mail_keyring_add(ring, keys[i]));
		CHECK_INT(mail_keyring_count(ring), i + 1);
		for (unsigned k = 0; i % 50 == 0 && k < KEYS; k++) {
			CHECK(find(ring, k) == (k <= i ? keys[k] : NULL), "%u keys, key %u", i + 1,
			      k);
		}
	}
	keys_free();
	for (unsigned i = 0; i < KEYS; i++) {
		mail_private_t *key = key_make(i);
		mail_private_t *found = mail_keyring_find(ring, MAIL_ALGORITHM_ED25519,
		                                          mail_private_public(key));
		CHECK(found != NULL && mail_private_public(found).len == 32, "key %u", i);
		mail_private_free(key);
	}
	mail_keyring_free(ring);
	mail_keyring_free(NULL);
}

/* The same octets of another algorithm are another key; short and empty ones are none. */
static void test_other(void)
{
	mail_private_t *key = key_make(1);
	mail_keyring_t *ring = mail_keyring_new();
	REQUIRE(ring != NULL);
	CHECK_OK(mail_keyring_add(ring, key));
	CHECK_OK(mail_keyring_add(ring, key));
	CHECK_INT(mail_keyring_count(ring), 1);
	mail_str_t octets = mail_private_public(key);
	CHECK(mail_keyring_find(ring, MAIL_ALGORITHM_ECDSAP256SHA256, octets) == NULL);
	for (size_t len = 0; len < octets.len; len++) {
		CHECK(mail_keyring_find(ring, MAIL_ALGORITHM_ED25519,
		                        (mail_str_t){ octets.data, len }) == NULL);
	}
	mail_keyring_free(ring);
	mail_private_free(key);
}

static void test_memory(void)
{
	REQUIRE(failing_linked());
	keys_make();
	for (size_t i = 1; failing_on(i); i++) {
		mail_keyring_t *ring = mail_keyring_new();
		size_t added = 0;
		for (unsigned k = 0; ring != NULL && k < 50; k++) {
			int ret = mail_keyring_add(ring, keys[k]);
			CHECK(ret == KNOT_EOK || ret == KNOT_ENOMEM);
			CHECK((ret == KNOT_EOK) == (find(ring, k) != NULL));
			added += ret == KNOT_EOK;
		}
		if (ring != NULL) {
			CHECK_INT(mail_keyring_count(ring), added);
		}
		mail_keyring_free(ring);
		if (!failing_off()) {
			CHECK(i > 5);
			break;
		}
	}
	keys_free();
}

UNIT_MAIN("keyring", TEST("adding, finding", test_ring), TEST("other keys", test_other),
          TEST("memory", test_memory))
