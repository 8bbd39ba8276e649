/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The rows of a plan as text, for tests.
 */
#pragma once

#include "mail/kind.h"
#include "source.h"

/*! The domain that rows are shown for. */
#define APEX "example.org"

/*!
 * Append one line per row: owner ("@": the domain; a dot at its end: absolute), [from, until] when it is not
 * always shown, TTL when it is not the plan's, type, RDATA.
 *
 * \param kind  Only rows of this kind; NULL: all, with the kind's name in front.
 */
void show_plan(const mail_plan_t *plan, const char *kind, mail_buf_t *out);

/*! Make the plan of a policy, or of a domain (a name with a dot). */
int plan_of(const mail_source_t *source, const char *of, bool strict, mail_plan_t **plan,
            mail_diag_t *diag);

/*! Policy p, or example.org that follows it, and what comes of its plan. */
typedef struct {
	array_t array;
	bool domain; /*!< It is the plan of example.org. */
	mail_plan_t *plan;
	mail_diag_t diag;
	mail_buf_t warnings; /*!< A line each. */
	int ret;
} planned_t;

/*!
 * Make the plan of policy p.
 *
 * \param items   Of the policy, as entries.h has them.
 * \param others  Entries beside it; when example.org is among them, the plan is the domain's.
 *
 * \return Whether there is a plan without a fault.
 */
bool planned_begin(planned_t *planned, const char *items, const char *others, bool strict);

/*! Make the plan anew. */
bool planned_again(planned_t *planned, bool strict);

void planned_end(planned_t *planned);
