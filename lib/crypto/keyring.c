/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys by their public halves: an open table with linear probing, at most three quarters full.
 */
#include "config.h"

#include "crypto/keyring.h"

#include <stdlib.h>

#include "crypto/private.h"

#define SLOTS_FIRST 8

struct mail_keyring {
	size_t count;
	size_t mask; /*!< Slots, a power of two, less one. */
	mail_private_t **slots;
};

static size_t slot_home(const mail_keyring_t *ring, mail_str_t public_key)
{
	return mail_public_hash((const uint8_t *)public_key.data, public_key.len) & ring->mask;
}

/*! Return the slot of a key, or the free one that it would have. */
static size_t slot_find(const mail_keyring_t *ring, mail_algorithm_t algorithm,
                        mail_str_t public_key)
{
	size_t i = slot_home(ring, public_key);
	for (; ring->slots[i] != NULL; i = (i + 1) & ring->mask) {
		if (ring->slots[i]->algorithm == algorithm &&
		    mail_str_equal(mail_private_public(ring->slots[i]), public_key)) {
			break;
		}
	}
	return i;
}

/*! Move the keys to a table of twice the size. */
static int slots_grow(mail_keyring_t *ring)
{
	mail_keyring_t larger = { .mask = ring->mask * 2 + 1 };
	larger.slots = calloc(larger.mask + 1, sizeof(*larger.slots));
	if (larger.slots == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i <= ring->mask; i++) {
		mail_private_t *key = ring->slots[i];
		if (key != NULL) {
			size_t slot = slot_find(&larger, key->algorithm, mail_private_public(key));
			larger.slots[slot] = key;
		}
	}
	free(ring->slots);
	ring->slots = larger.slots;
	ring->mask = larger.mask;
	return KNOT_EOK;
}

mail_keyring_t *mail_keyring_new(void)
{
	mail_keyring_t *ring = calloc(1, sizeof(*ring));
	if (ring == NULL) {
		return NULL;
	}
	ring->mask = SLOTS_FIRST - 1;
	ring->slots = calloc(SLOTS_FIRST, sizeof(*ring->slots));
	if (ring->slots == NULL) {
		free(ring);
		return NULL;
	}
	return ring;
}

int mail_keyring_add(mail_keyring_t *ring, mail_private_t *key)
{
	size_t slot = slot_find(ring, key->algorithm, mail_private_public(key));
	if (ring->slots[slot] != NULL) {
		return KNOT_EOK;
	}
	if ((ring->count + 1) * 4 > (ring->mask + 1) * 3) {
		int ret = slots_grow(ring);
		if (ret != KNOT_EOK) {
			return ret;
		}
		slot = slot_find(ring, key->algorithm, mail_private_public(key));
	}
	ring->slots[slot] = mail_private_ref(key);
	ring->count++;
	return KNOT_EOK;
}

mail_private_t *mail_keyring_find(const mail_keyring_t *ring, mail_algorithm_t algorithm,
                                  mail_str_t public_key)
{
	return ring->slots[slot_find(ring, algorithm, public_key)];
}

size_t mail_keyring_count(const mail_keyring_t *ring)
{
	return ring->count;
}

void mail_keyring_free(mail_keyring_t *ring)
{
	if (ring == NULL) {
		return;
	}
	for (size_t i = 0; i <= ring->mask; i++) {
		mail_private_free(ring->slots[i]);
	}
	free(ring->slots);
	free(ring);
}
