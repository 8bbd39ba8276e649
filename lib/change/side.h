/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The state of the store before a change, and that after it: what policies and domains are there.
 *
 * One thread: the one that owns the transactions.
 */
#pragma once

#include "mail/plan.h"
#include "mail/rollover.h"
#include "mail/store.h"

/*! What a policy comes to, or a domain that sets something itself. */
typedef struct {
	mail_profile_t *profile; /*!< NULL: there is none, or none that can be made. */
	mail_str_t set;          /*!< Its key set; empty: it is not signed, or not here. */
	int64_t ds;              /*!< When the DS of a key of the set is due (mail_keyset_ds()). */
	uint32_t ttl_max; /*!< Largest TTL of its records, once asked for (mail_side_held()). */
	int shows;        /*!< For ready.c: whether it shows a certificate set; 0: not known yet. */
	bool full;        /*!< For certs.c: all that it shows was noted as new. */
	bool followed;    /*!< Of a policy: some domain follows it (mail_side_walk()). */
} mail_state_t;

typedef struct {
	mail_txn_t *txn;
	const mail_source_t *source;
	int64_t now;
	void *policies; /*!< Tree of those that were asked for. */
	void *own;      /*!< Tree of key sets that domains name themselves (mail_side_walk()). */
	bool walked;
} mail_side_t;

/*! A domain in one of the states. */
typedef struct {
	bool exists;
	mail_entry_t *entry;
	mail_state_t *state; /*!< That of its policy, or its own; NULL: it does not exist. */
	mail_state_t own;
	int64_t ds_from; /*!< From then on its DS may be named; 0: at once. */
} mail_side_domain_t;

/*! Look at a policy. \return NULL: no memory. */
mail_state_t *mail_side_policy(mail_side_t *side, mail_str_t id);
/*! Look at a domain. \param domain Out: freed by mail_side_domain_free(), also after an error. */
int mail_side_domain(mail_side_t *side, mail_str_t id, mail_side_domain_t *domain);
/*! Return the policy that a profile is of, or is above; empty: none. */
mail_str_t mail_side_policy_of(const mail_profile_t *profile);
void mail_side_domain_free(mail_side_domain_t *domain);
/*! Find out which policies are followed, and which key sets are used. Once; later calls do nothing. */
int mail_side_walk(mail_side_t *side);
/*! Return whether a domain is signed with a key set; after mail_side_walk(). */
bool mail_side_uses(const mail_side_t *side, mail_str_t set);
/*! Call for each policy that was asked for; a result that is not KNOT_EOK ends it. */
typedef int (*mail_side_f)(mail_str_t id, const mail_state_t *state, void *ctx);
int mail_side_policies(const mail_side_t *side, mail_side_f each, void *ctx);
/*! Read the keys of a state. \return false: there are none that can be read. */
bool mail_side_keys(const mail_side_t *side, const mail_state_t *state, mail_keyset_t *keys);
/*! Return how long caches may hold records of a state, seconds. */
int64_t mail_side_held(const mail_side_t *side, mail_state_t *state);
/*! Forget what was asked for: the state of the store has changed. */
void mail_side_forget(mail_side_t *side);
void mail_side_free(mail_side_t *side);
