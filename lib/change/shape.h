/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The shape of a domain: what the checks of its records depend on.
 */
#pragma once

#include "mail/plan.h"

/*!
 * Write the shape of a domain. Two domains with the same shape, neither of which has a stored domain below it or is one
 * that records of theirs lead to, have records that are good or bad for the same reasons.
 *
 * \param entry  Its entry: no alias.
 * \param plan   The plan of its policy.
 * \param out    Out: replaced by the shape.
 *
 * \return false: it has none, and is checked by itself.
 */
bool mail_change_shape(const mail_entry_t *entry, const mail_plan_t *plan, mail_buf_t *out);
