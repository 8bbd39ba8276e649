/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The plans of one thread, found by policy or domain.
 *
 * The cache is bounded. The plan that was used least recently leaves first.
 *
 * Thread rule: a cache belongs to one thread.
 */
#pragma once

#include "mail/plan.h"

typedef struct mail_cache mail_cache_t;

/*!
 * Make a cache.
 *
 * \param plans  Greatest number of plans in the cache.
 *
 * \return The cache, which the caller frees; NULL without memory.
 */
mail_cache_t *mail_cache_new(size_t plans);
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
 * \brief Get the plan of a domain.
 *
 * A domain that sets nothing but its policy shares the plan of the policy. An alias shares the plan of all aliases
 * of its target. Any other domain has a plan of its own. The function makes the plan if the cache has none, or if an
 * entry that the plan was made from has changed.
 *
 * \param domain  Entry of the domain.
 * \param name    Name of the domain.
 * \param plan    Out: the plan, which the cache owns. It is valid until the next call; after
 *                mail_cache_hold(), until mail_cache_release().
 *
 * \return KNOT_EOK (plan->error may be set); KNOT_EMALF (name is no domain's key); KNOT_ENOMEM.
 */
int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, const mail_domain_t *domain,
                    mail_lf_t name, const mail_plan_t **plan);

/*! Keep all plans that mail_cache_plan() gives valid, because one question may look at several domains. */
void mail_cache_hold(mail_cache_t *cache);
/*! Let plans leave the cache again. Do not use the plans that mail_cache_plan() gave before. */
void mail_cache_release(mail_cache_t *cache);
