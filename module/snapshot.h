/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What hooks use: a store as it was opened (an epoch), and a ring of private keys with a signer for each
 *        worker thread. Published, pinned and taken back as one.
 *
 * Both halves are counted: a new ring leaves the epoch as it is, and the other way round. Signers belong to their
 * ring, so that no thread, however idle, holds a key that left.
 *
 * Thread rule: made, counted, published and freed by one thread (counts are no atomics). mail_shelf_take() and
 * _put() by the worker thread that has the index; they take no lock, allocate nothing and do not block.
 */
#pragma once

#include <stdalign.h>

#include "epoch.h"
#include "mail/answer.h"
#include "mail/signer.h"

typedef struct {
	unsigned refs;
	mail_keyring_t *ring;
	unsigned threads;
	mail_signer_t *signers[]; /*!< One for each thread. */
} mail_signers_t;

/*!
 * Make signers for a ring.
 *
 * \param ring        Owned from now on, also after a failure.
 * \param signatures  Outlives them.
 * \param budget      As of mail_signer_new().
 *
 * \return NULL without memory.
 */
mail_signers_t *mail_signers_new(mail_keyring_t *ring, mail_signatures_t *signatures,
                                 unsigned threads, unsigned budget);
/*! Give back a reference; the last one frees. NULL is fine. */
void mail_signers_free(mail_signers_t *signers);

typedef struct mail_snapshot mail_snapshot_t;

struct mail_snapshot {
	mail_epoch_t *epoch;
	mail_signers_t *signers; /*!< NULL: nothing is signed. */
	mail_snapshot_t *next;   /*!< In a list of snapshots that wait for their readers. */
};

/*! What belongs to a worker thread; a cache line of its own. */
typedef struct {
	alignas(64) _Atomic(mail_snapshot_t *) pinned;
	mail_cache_t *cache;
} mail_slot_t;

/*! Where the present snapshot is, and those before it that are still in use. */
typedef struct {
	_Atomic(mail_snapshot_t *) current; /*!< NULL: the store is not open. */
	mail_snapshot_t *retired;
	unsigned threads;
	mail_slot_t *slots;
} mail_shelf_t;

/*! Make an empty shelf. \param octets Of the plans of all threads together. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_shelf_init(mail_shelf_t *shelf, unsigned threads, size_t octets);
/*! Free everything; no hook may run any more. Safe on a zeroed or half-built one. */
void mail_shelf_clear(mail_shelf_t *shelf);

/*!
 * Publish an epoch with signers; takes references of its own. What was there before waits for its readers.
 *
 * \param epoch  NULL: nothing is open. That always works.
 *
 * \return KNOT_EOK; KNOT_ENOMEM: all is as it was.
 */
int mail_shelf_publish(mail_shelf_t *shelf, mail_epoch_t *epoch, mail_signers_t *signers);
/*! Free the snapshots that no worker uses any more. */
void mail_shelf_sweep(mail_shelf_t *shelf);
/*! The epoch that is published, or NULL. By the thread that publishes. */
mail_epoch_t *mail_shelf_epoch(const mail_shelf_t *shelf);
/*! The signers that are, or NULL. */
mail_signers_t *mail_shelf_signers(const mail_shelf_t *shelf);

/*! Keep the present snapshot from being freed until it is put back; NULL: none. */
static inline const mail_snapshot_t *mail_shelf_take(mail_shelf_t *shelf, unsigned thread)
{
	mail_slot_t *slot = &shelf->slots[thread];
	mail_snapshot_t *snapshot, *again = atomic_load(&shelf->current);
	do {
		snapshot = again;
		atomic_store(&slot->pinned, snapshot);
		again = atomic_load(&shelf->current);
	} while (again != snapshot);
	return snapshot;
}

/*! Let go of it. */
static inline void mail_shelf_put(mail_shelf_t *shelf, unsigned thread)
{
	atomic_store_explicit(&shelf->slots[thread].pinned, NULL, memory_order_release);
}

/*! Return whether a thread has taken a snapshot. Any thread. */
bool mail_shelf_is_taken(const mail_shelf_t *shelf, unsigned thread);
/*! The cache of a thread. */
static inline mail_cache_t *mail_shelf_cache(const mail_shelf_t *shelf, unsigned thread)
{
	return shelf->slots[thread].cache;
}
