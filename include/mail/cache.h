/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The plans of one thread, found by policy, and the memory of the question that it answers.
 *
 * A cache is bounded in octets. The plan that was used least recently leaves first. What a domain itself changes of its
 * policy's plan is in no cache: it is made while a question is answered, in the arena (mail/mem.h).
 *
 * Thread rule: a cache belongs to one thread.
 */
#pragma once

#include "mail/kind.h"
#include "mail/mem.h"
#include "mail/plan.h"

typedef struct mail_cache mail_cache_t;

/*! Octets of plans that a cache of a thread has room for, where nobody says otherwise. */
#define MAIL_CACHE_OCTETS ((size_t)16 * 1024 * 1024)

/*!
 * Make a cache.
 *
 * \param octets  Memory that its plans may take together. A plan that alone takes more has room, too.
 *
 * \return The cache, which the caller frees; NULL without memory.
 */
mail_cache_t *mail_cache_new(size_t octets);
/*! Free a cache and its plans. NULL is allowed. */
void mail_cache_free(mail_cache_t *cache);

/*!
 * \brief Tell the cache which state of the store the next questions see.
 *
 * \param epoch  mail_store_epoch(), the number of the open environment. Another number than before drops all plans.
 * \param txnid  mail_txn_id(). With another number than before, the cache checks the stamps of a plan's dependencies
 *               before it uses the plan.
 */
void mail_cache_sync(mail_cache_t *cache, uint64_t epoch, uint64_t txnid);

/*!
 * \brief Get the plan of a policy, which all domains share that follow the policy.
 *
 * The function makes the plan if the cache has none, or if an entry that the plan was made from has changed.
 *
 * \param plan  Out: the plan, which the cache owns. It is valid until the next call; after mail_cache_hold(), until
 *              mail_cache_release().
 *
 * \return KNOT_EOK (plan->error may be set); KNOT_ENOMEM.
 */
int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, mail_str_t policy,
                    const mail_plan_t **plan);

/*! What is kept with a plan, and goes with it: the first member of what its owner makes. */
typedef struct mail_kept mail_kept_t;

struct mail_kept {
	size_t octets; /*!< What it takes. */
	void (*free)(mail_kept_t *kept);
};

/*! Return what is kept with the plan that mail_cache_plan() gave last; NULL: nothing, or another plan was asked for. */
mail_kept_t *mail_cache_kept(const mail_cache_t *cache, const mail_plan_t *plan);
/*!
 * \brief Keep something with the plan that mail_cache_plan() gave last, or tell that what is kept takes more or less
 *        memory than before.
 *
 * \return Whether it is kept: not if another plan was asked for, or something else is kept.
 */
bool mail_cache_keep(mail_cache_t *cache, const mail_plan_t *plan, mail_kept_t *kept);

/*!
 * Keep all plans that mail_cache_plan() gives valid, because one question may look at several domains; and all that is taken
 * from the arena.
 */
void mail_cache_hold(mail_cache_t *cache);
/*! Let plans leave the cache again, and reset the arena. Do not use the plans that mail_cache_plan() gave before. */
void mail_cache_release(mail_cache_t *cache);
/*! As mail_kinds_of(), which would look at every kind for each question. */
mail_kinds_t mail_cache_kinds(const mail_cache_t *cache, uint64_t items);
/*! Return the arena of the question at hand. */
mail_arena_t *mail_cache_arena(mail_cache_t *cache);
