/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a hook and the housekeeping thread share a snapshot: the thread publishes a pointer to it. A worker
 * writes what it read there into its slot, and reads again; when both are the same, the snapshot is not freed
 * before the slot is empty, because the thread looks at the slots after it has published another one.
 */
#include "config.h"

#include "snapshot.h"

#include <stdlib.h>

mail_signers_t *mail_signers_new(mail_keyring_t *ring, mail_signatures_t *signatures,
                                 unsigned threads, unsigned budget)
{
	mail_signers_t *signers = calloc(1,
	                                 sizeof(*signers) + threads * sizeof(signers->signers[0]));
	if (signers == NULL) {
		mail_keyring_free(ring);
		return NULL;
	}
	signers->refs = 1;
	signers->ring = ring;
	signers->threads = threads;
	for (unsigned i = 0; i < threads; i++) {
		signers->signers[i] = mail_signer_new(ring, signatures, budget);
		if (signers->signers[i] == NULL) {
			mail_signers_free(signers);
			return NULL;
		}
	}
	return signers;
}

void mail_signers_free(mail_signers_t *signers)
{
	if (signers == NULL || --signers->refs > 0) {
		return;
	}
	for (unsigned i = 0; i < signers->threads; i++) {
		mail_signer_free(signers->signers[i]);
	}
	mail_keyring_free(signers->ring);
	free(signers);
}

static mail_snapshot_t *snapshot_new(mail_epoch_t *epoch, mail_signers_t *signers)
{
	mail_snapshot_t *snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot == NULL) {
		return NULL;
	}
	snapshot->epoch = epoch;
	epoch->refs++;
	snapshot->signers = signers;
	if (signers != NULL) {
		signers->refs++;
	}
	return snapshot;
}

static void snapshot_free(mail_snapshot_t *snapshot)
{
	mail_signers_free(snapshot->signers);
	mail_epoch_free(snapshot->epoch);
	free(snapshot);
}

int mail_shelf_init(mail_shelf_t *shelf, unsigned threads, size_t octets)
{
	shelf->slots = aligned_alloc(alignof(mail_slot_t), threads * sizeof(mail_slot_t));
	if (shelf->slots == NULL) {
		return KNOT_ENOMEM;
	}
	memset(shelf->slots, 0, threads * sizeof(mail_slot_t));
	shelf->threads = threads;
	for (unsigned i = 0; i < threads; i++) {
		shelf->slots[i].cache = mail_cache_new(octets / threads);
		if (shelf->slots[i].cache == NULL) {
			return KNOT_ENOMEM;
		}
	}
	return KNOT_EOK;
}

void mail_shelf_clear(mail_shelf_t *shelf)
{
	(void)mail_shelf_publish(shelf, NULL, NULL);
	while (shelf->retired != NULL) {
		mail_snapshot_t *snapshot = shelf->retired;
		shelf->retired = snapshot->next;
		snapshot_free(snapshot);
	}
	for (unsigned i = 0; i < shelf->threads; i++) {
		mail_cache_free(shelf->slots[i].cache);
	}
	free(shelf->slots);
	memset(shelf, 0, sizeof(*shelf));
}

int mail_shelf_publish(mail_shelf_t *shelf, mail_epoch_t *epoch, mail_signers_t *signers)
{
	mail_snapshot_t *snapshot = epoch != NULL ? snapshot_new(epoch, signers) : NULL;
	if (epoch != NULL && snapshot == NULL) {
		return KNOT_ENOMEM;
	}
	mail_snapshot_t *old = atomic_exchange(&shelf->current, snapshot);
	if (old != NULL) {
		old->next = shelf->retired;
		shelf->retired = old;
	}
	return KNOT_EOK;
}

static bool is_pinned(const mail_shelf_t *shelf, const mail_snapshot_t *snapshot)
{
	for (unsigned i = 0; i < shelf->threads; i++) {
		if (atomic_load(&shelf->slots[i].pinned) == snapshot) {
			return true;
		}
	}
	return false;
}

void mail_shelf_sweep(mail_shelf_t *shelf)
{
	mail_snapshot_t **link = &shelf->retired;
	while (*link != NULL) {
		mail_snapshot_t *snapshot = *link;
		if (is_pinned(shelf, snapshot)) {
			link = &snapshot->next;
		} else {
			*link = snapshot->next;
			snapshot_free(snapshot);
		}
	}
}

mail_epoch_t *mail_shelf_epoch(const mail_shelf_t *shelf)
{
	mail_snapshot_t *snapshot = atomic_load(&shelf->current);
	return snapshot != NULL ? snapshot->epoch : NULL;
}

mail_signers_t *mail_shelf_signers(const mail_shelf_t *shelf)
{
	mail_snapshot_t *snapshot = atomic_load(&shelf->current);
	return snapshot != NULL ? snapshot->signers : NULL;
}

bool mail_shelf_is_taken(const mail_shelf_t *shelf, unsigned thread)
{
	return atomic_load(&shelf->slots[thread].pinned) != NULL;
}
