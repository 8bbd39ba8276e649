/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Which content a service's store has now, readable by any thread at any time for a few instructions.
 *
 * It stands at one address for as long as the service lives: when the store is opened anew, its file is mapped
 * over what was there before. So nobody has to keep anything from being freed while he reads.
 *
 * Thread rule: one thread makes, sets and frees; any thread reads.
 */
#pragma once

#include <stdatomic.h>

#include "mail/store.h"

/*! Bits of the number of a transaction in a state; the rest is the environment's. */
#define MAIL_STATE_BITS 44

typedef struct {
	_Atomic uint64_t epoch; /*!< mail_store_epoch() in the upper bits; 0: not known. */
	_Atomic(const uint64_t *) numbers[2];
	void *memory;
} mail_beacon_t;

/*! Makes a beacon that knows nothing. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_beacon_init(mail_beacon_t *beacon);
/*! Frees what it has; nobody may read it any more. Safe on a zeroed one. */
void mail_beacon_clear(mail_beacon_t *beacon);
/*! Turns it to a store, before that is used; NULL: to none. What cannot be shown is not known. */
void mail_beacon_set(mail_beacon_t *beacon, const mail_store_t *store);

/*! The state of a snapshot's content. \return 0 when it cannot be told. */
static inline uint64_t mail_beacon_state_of(uint64_t epoch, uint64_t txnid)
{
	const uint64_t most = (uint64_t)1 << MAIL_STATE_BITS;
	return txnid < most && epoch < UINT64_MAX / most ? epoch << MAIL_STATE_BITS | txnid : 0;
}

/*! The number of the transaction in a state of an environment; 0: it is another's, or not known. */
static inline uint64_t mail_beacon_txnid(uint64_t state, uint64_t epoch)
{
	return state >> MAIL_STATE_BITS == epoch ? state & (((uint64_t)1 << MAIL_STATE_BITS) - 1)
	                                         : 0;
}

/*!
 * A number for what the store says now: the same number, the same content.
 *
 * \return What mail_beacon_state_of() says of no snapshot, when it is not known: the store is not open, or is
 *         just being changed.
 */
static inline uint64_t mail_beacon_state(const mail_beacon_t *beacon)
{
	const uint64_t first = mail_beacon_number(
		atomic_load_explicit(&beacon->numbers[0], memory_order_acquire));
	const uint64_t second = mail_beacon_number(
		atomic_load_explicit(&beacon->numbers[1], memory_order_acquire));
	const uint64_t newest = first > second ? first : second;
	/*
	 * If the epoch read last is that of a snapshot, its file has been there since before that was taken; the
	 * numbers may be of a file before it, but then that was there when this question had already come.
	 */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&beacon->epoch, memory_order_relaxed) | newest;
}
