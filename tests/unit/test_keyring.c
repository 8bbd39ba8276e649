/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/keyring.h"

#include "failing.h"
#include "crypto/private.h"
#include "unit.h"

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
	CU_ASSERT_FATAL(mail_private_new(MAIL_ALGORITHM_ED25519, half, half, &key) == KNOT_EOK);
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

static int take_out(mail_keyring_t *ring, unsigned i)
{
	return mail_keyring_remove(ring, MAIL_ALGORITHM_ED25519, mail_private_public(keys[i]));
}

/* Keys that come and go: what is found is what was added and not taken out. */
static void test_ring(void)
{
	static bool there[KEYS];
	keys_make();
	mail_keyring_t *ring = mail_keyring_new(NULL);
	CU_ASSERT_FATAL(ring != NULL);
	size_t count = 0;
	unsigned turn = 1;
	for (unsigned step = 0; step < 5000; step++) {
		turn = turn * 1103515245 + 12345;
		unsigned i = (turn >> 8) % KEYS;
		/* First it fills, then it empties. */
		if ((turn >> 20) % 100 < (step < 2500 ? 80 : 20)) {
			CU_ASSERT(mail_keyring_add(ring, keys[i]) == KNOT_EOK);
			count += !there[i];
			there[i] = true;
		} else {
			UNIT_CHECK(take_out(ring, i) == (there[i] ? KNOT_EOK : KNOT_ENOENT),
			           "step %u", step);
			count -= there[i];
			there[i] = false;
		}
		CU_ASSERT(mail_keyring_count(ring) == count);
		for (unsigned k = 0; step % 100 == 0 && k < KEYS; k++) {
			UNIT_CHECK(find(ring, k) == (there[k] ? keys[k] : NULL), "step %u, key %u",
			           step, k);
		}
	}
	mail_keyring_free(ring);
	keys_free();
}

static void test_copy(void)
{
	keys_make();
	mail_keyring_t *base = mail_keyring_new(NULL);
	CU_ASSERT_FATAL(base != NULL);
	for (unsigned i = 0; i < 100; i++) {
		CU_ASSERT(mail_keyring_add(base, keys[i]) == KNOT_EOK);
	}
	mail_keyring_t *ring = mail_keyring_new(base);
	CU_ASSERT_FATAL(ring != NULL);
	CU_ASSERT(mail_keyring_count(ring) == 100);
	CU_ASSERT(mail_keyring_serial(ring) != mail_keyring_serial(base));
	CU_ASSERT(mail_keyring_serial(ring) != 0);
	CU_ASSERT(mail_keyring_serial(NULL) == 0);
	CU_ASSERT(take_out(ring, 7) == KNOT_EOK);
	CU_ASSERT(mail_keyring_add(ring, keys[200]) == KNOT_EOK);
	CU_ASSERT(find(base, 7) == keys[7]);
	CU_ASSERT(find(base, 200) == NULL);
	mail_keyring_free(base);

	/* The copy has references of its own. */
	keys_free();
	CU_ASSERT(mail_keyring_count(ring) == 100);
	for (unsigned i = 0; i < 100; i++) {
		mail_private_t *key = key_make(i);
		mail_private_t *found = mail_keyring_find(ring, MAIL_ALGORITHM_ED25519,
		                                          mail_private_public(key));
		CU_ASSERT((found == NULL) == (i == 7));
		CU_ASSERT(found == NULL || mail_private_public(found).len == 32);
		mail_private_free(key);
	}
	mail_keyring_free(ring);
	mail_keyring_free(NULL);
}

/* The same octets of another algorithm are another key; short and empty ones are none. */
static void test_other(void)
{
	mail_private_t *key = key_make(1);
	mail_keyring_t *ring = mail_keyring_new(NULL);
	CU_ASSERT_FATAL(ring != NULL);
	CU_ASSERT(mail_keyring_add(ring, key) == KNOT_EOK);
	CU_ASSERT(mail_keyring_add(ring, key) == KNOT_EOK);
	CU_ASSERT(mail_keyring_count(ring) == 1);
	mail_str_t octets = mail_private_public(key);
	CU_ASSERT(mail_keyring_find(ring, MAIL_ALGORITHM_ECDSAP256SHA256, octets) == NULL);
	for (size_t len = 0; len < octets.len; len++) {
		CU_ASSERT(mail_keyring_find(ring, MAIL_ALGORITHM_ED25519,
		                            (mail_str_t){ octets.data, len }) == NULL);
	}
	mail_keyring_free(ring);
	mail_private_free(key);
}

static void test_memory(void)
{
	CU_ASSERT_FATAL(failing_linked());
	keys_make();
	for (size_t i = 1; failing_on(i); i++) {
		mail_keyring_t *ring = mail_keyring_new(NULL), *copy = NULL;
		size_t added = 0;
		for (unsigned k = 0; ring != NULL && k < 50; k++) {
			int ret = mail_keyring_add(ring, keys[k]);
			CU_ASSERT(ret == KNOT_EOK || ret == KNOT_ENOMEM);
			CU_ASSERT((ret == KNOT_EOK) == (find(ring, k) != NULL));
			added += ret == KNOT_EOK;
		}
		if (ring != NULL) {
			CU_ASSERT(mail_keyring_count(ring) == added);
			copy = mail_keyring_new(ring);
			CU_ASSERT(copy == NULL || mail_keyring_count(copy) == added);
		}
		mail_keyring_free(ring);
		mail_keyring_free(copy);
		if (!failing_off()) {
			CU_ASSERT(i > 5);
			break;
		}
	}
	keys_free();
}

int main(void)
{
	static const unit_test_t tests[] = {
		{ "adding, finding, removing", test_ring },
		{ "a copy", test_copy },
		{ "other keys", test_other },
		{ "memory", test_memory },
		{ NULL, NULL },
	};
	return unit_run("keyring", tests);
}
