/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plans of one thread.
 */
#pragma once

#include "mail/answer.h"

/*!
 * The plan of a domain: its policy's when the domain sets nothing of its own, that of its target's aliases, or
 * its own. Compiled when it is not there or no longer true.
 *
 * \param domain  The domain's entry.
 * \param key     Key of the domain.
 * \param plan    Out: valid until the next call for this cache.
 *
 * \return KNOT_EOK (look at plan->error); KNOT_ENOMEM.
 */
int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, const mail_domain_t *domain,
                    const uint8_t *key, size_t key_len, const mail_plan_t **plan);

/*!
 * Keeps the plans that are handed out from being evicted until mail_cache_release(): one question may look at
 * several domains.
 */
void mail_cache_hold(mail_cache_t *cache);
void mail_cache_release(mail_cache_t *cache);
