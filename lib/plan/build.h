/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What plan.c and check.c share.
 */
#pragma once

#include "mail/plan.h"

/*! A name in the domain that a record points to. */
struct mail_build_target {
	mail_lf_storage_t name; /*!< Relative. */
	mail_item_id_t item;
	const mail_setting_t *setting;
};

/*! Says whether there is a second in which both rows are shown. */
bool mail_rows_overlap(const mail_row_t *a, const mail_row_t *b);
/*! Says whether two rows are the same record. */
bool mail_rows_same(const mail_row_t *a, const mail_row_t *b);

/*!
 * Says what an absolute owner has against the relative one that has the same name in some domain.
 *
 * \param row  Out: the row of the absolute owner.
 *
 * \return NULL: nothing.
 */
const char *mail_owners_clash(const mail_owner_t *absolute, const mail_owner_t *relative, bool apex,
                              const mail_row_t **row);

/*!
 * Looks a plan over whose rows are grouped: what stands beside what, what points where, and what refers
 * to nothing. Also fills in plan->hosted and plan->cuts.
 *
 * \return KNOT_EOK; strict: why it is refused, with the reason in diag. For readers a conflict that a CNAME
 *         does not settle makes plan->error.
 */
int mail_plan_check(mail_build_t *build);
