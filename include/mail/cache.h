/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The plans of one thread, found by policy or domain; bounded, the least recently used leaves first.
 *
 * Thread rule: a cache belongs to one thread.
 */
#pragma once

#include "mail/plan.h"

typedef struct mail_cache mail_cache_t;

/*! Make a cache. \param plans Most plans it keeps. \return NULL without memory. */
mail_cache_t *mail_cache_new(size_t plans);
/*! Free a cache and its plans; NULL is fine. */
void mail_cache_free(mail_cache_t *cache);

/*!
 * \brief Tell the cache which state of the store the coming questions see.
 *
 * \param epoch  Number of the open environment: another number drops all plans.
 * \param txnid  mail_txn_id(): when it moved, plans check their dependencies' stamps before use.
 */
void mail_cache_sync(mail_cache_t *cache, uint64_t epoch, uint64_t txnid);

/*!
 * \brief Get the plan of a domain: its policy's when the domain sets nothing of its own, that of its target's
 *        aliases, or its own. Compiled when it is not there or no longer true.
 *
 * \param domain  The domain's entry.
 * \param name    Its name.
 * \param plan    Out: valid until the next call for this cache.
 *
 * \return KNOT_EOK (look at plan->error); KNOT_ENOMEM.
 */
int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, const mail_domain_t *domain,
                    mail_lf_t name, const mail_plan_t **plan);

/*! Keep the plans that are handed out from being evicted: one question may look at several domains. */
void mail_cache_hold(mail_cache_t *cache);
/*! Allow plans to be evicted again; what mail_cache_plan() gave is not to be used any more. */
void mail_cache_release(mail_cache_t *cache);
