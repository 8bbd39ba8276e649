/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Domains that change something of their policies' plans, for tests: policies of all kinds, values to set, and what a
 *        view makes of a name.
 */
#pragma once

#include "viewed.h"

#define OVERLAID_L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
/*! A long name that leaves room for some of what a policy makes. */
#define OVERLAID_LONG OVERLAID_L63 "." OVERLAID_L63 "." OVERLAID_L63 ".example"

/*! Policies: from one that says nothing to one that says all. */
extern const char *const overlaid_policies[6];

/*! A value that a domain may set. */
typedef struct {
	mail_item_id_t item;
	const char *value;
} overlaid_value_t;

/*! Values beside the samples. What clashes with what else is set makes no plan. */
extern const overlaid_value_t overlaid_values[73];

typedef struct {
	viewed_t v;
	const char *what; /*!< Of the entry, for messages. */
	mail_plan_t *plan;
	size_t compared; /*!< Entries. */
	size_t passed;   /*!< Those that make no plan. */
} overlaid_t;

/*! Store the policies, with what they name. */
void overlaid_begin(overlaid_t *o);
void overlaid_end(overlaid_t *o);
/*! View a domain afresh: nothing of it was made yet. */
void overlaid_anew(overlaid_t *o, const char *domain);
/*! Make the entry of a domain that follows a policy. */
mail_entry_t *overlaid_entry(const char *domain, const char *policy);
/*! Append all that a question for a name could be told. \return Until when its link of the chain stays as it is. */
int64_t overlaid_show(mail_view_t *view, mail_lf_t name, mail_buf_t *out);
