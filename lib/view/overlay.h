/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a domain itself changes of the plan that it shares with all that follow its policy.
 *
 *     plan of the policy      shared, kept in a cache                hidden: kinds that the domain makes otherwise
 *        + rows               its literal records, rendered when they were written, looked up in place
 *        + own                kinds that its items change, made while the question is answered, as they are asked for
 *
 * An overlay lives in the arena of the cache (mail/mem.h), so it costs no allocation and no plan of its own, however many
 * such domains there are.
 */
#pragma once

#include "mail/cache.h"
#include "mail/kind.h"

typedef struct {
	const mail_plan_t *plan; /*!< The shared plan. */
	/*! Of the entry whose items count, that of the domain itself or the target of an alias: mail_domain_t. */
	uint64_t set, added;
	mail_rows_t rows;
	mail_str_t value;
	mail_kinds_t touched;     /*!< Kinds that are made for the domain. */
	mail_kinds_t hidden;      /*!< Kinds of the shared plan that are not shown. */
	mail_kinds_t made;        /*!< Those of touched that were made so far. */
	mail_profile_t *profile;  /*!< The merged values, once they were needed. */
	const mail_plan_t *own;   /*!< The rows of what was made. */
	mail_kinds_t bad;         /*!< Those of touched that cannot be made. */
	const mail_plan_t *fault; /*!< Says why. */
	mail_arena_t *arena;
} mail_overlay_t;

/*!
 * \brief Begin with what a domain changes.
 *
 * \param plan     Of its policy; there is no error.
 * \param domain   Not plain.
 * \param apex     Its name; NULL: it is the target of an alias, and what is the target's alone is left out.
 * \param overlay  Out; NULL: nothing is changed.
 *
 * \return KNOT_EOK; KNOT_ENOMEM.
 */
int mail_overlay_new(mail_cache_t *cache, const mail_plan_t *plan, const mail_domain_t *domain,
                     const knot_dname_t *apex, mail_overlay_t **overlay);

/*!
 * \brief Make kinds, if they are the domain's own, and were not made before. Those that can be made are, whatever the
 *        others.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EMALF, KNOT_ENOTSUP (the entry is damaged); or why some value cannot be rendered:
 *         overlay->fault->reason says it.
 */
int mail_overlay_make(mail_overlay_t *overlay, mail_kinds_t kinds);

/*! Return the merged values; NULL: the entry is damaged, or there is no memory. */
const mail_profile_t *mail_overlay_profile(mail_overlay_t *overlay);

/*! Return whether the domain has an item of its own. */
static inline bool mail_overlay_has(const mail_overlay_t *overlay, mail_item_id_t item)
{
	return ((overlay->set | overlay->added) >> item & 1) != 0;
}

/*!
 * \brief Find the stored rows of a name, or those next to it.
 *
 * \param name   Relative to the domain.
 * \param owner  Out: in the arena.
 *
 * \return KNOT_EOK; KNOT_ENOENT; KNOT_EMALF; KNOT_ENOMEM.
 */
int mail_overlay_rows(const mail_overlay_t *overlay, mail_lf_t name, const mail_owner_t **owner);
