/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What every instance of the module has, and its counters.
 */
#pragma once

#include "mail/kind.h"
#include "service.h"

/*! An instance of the module: what knotd_mod_ctx() points to begins with it. */
typedef struct {
	mail_log_t *log;
	mail_service_t *service; /*!< NULL: it could not be started. */
	unsigned threads;        /*!< knotd_mod_threads() as of load: it is not cheap to ask. */
	bool counting;           /*!< The counters are registered. */
	bool global;             /*!< Loaded globally, not for a zone. */
} mail_instance_t;

/*! Counters, in the order of their registration. */
enum {
	MAIL_COUNTER_QUERY,
	MAIL_COUNTER_OUTCOME,
	MAIL_COUNTER_SIGNATURE, /*!< Of instances that sign. */
};

/*! What came of a signature that was needed, as mail_signer_counts_t has it. */
enum { MAIL_SIGNATURE_MADE, MAIL_SIGNATURE_CACHED, MAIL_SIGNATURE_REFUSED, MAIL_SIGNATURES };

/*! What came of a question, beyond what mail_outcome_t says. */
enum { MAIL_OUTCOME_NOT_READY = MAIL_OUTCOME_COUNT, MAIL_OUTCOME_BADKEY, MAIL_OUTCOMES };

/*! Register the counters of an instance. \return False: no memory. */
bool mail_counters_add(knotd_mod_t *mod);
/*!
 * Count something, so many times.
 *
 * \param mod    An instance; NULL: nothing is counted.
 * \param index  Of the kind (MAIL_KIND_COUNT and more: none), the outcome, or what came of a signature.
 */
static inline void mail_count_add(knotd_mod_t *mod, unsigned thread, unsigned counter,
                                  unsigned index, uint64_t times)
{
	const mail_instance_t *instance = mod != NULL && times > 0 ? knotd_mod_ctx(mod) : NULL;
	if (instance == NULL || !instance->counting || thread >= instance->threads) {
		return;
	}
	if (counter == MAIL_COUNTER_QUERY && index > MAIL_KIND_COUNT) {
		index = MAIL_KIND_COUNT;
	}
	knotd_mod_stats_incr(mod, thread, counter, index, times);
}

/*! The same, once. */
static inline void mail_count(knotd_mod_t *mod, unsigned thread, unsigned counter, unsigned index)
{
	mail_count_add(mod, thread, counter, index, 1);
}
