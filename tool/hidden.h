/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DKIM keys that are stored, and that nobody can see.
 */
#pragma once

#include "mail/plan.h"
#include "tool/verb.h"

/*! Looks at keys, one after the other. Zeroed is its start. */
typedef struct {
	mail_plan_t *plan; /*!< Of the domain that was looked at last. */
	mail_lf_storage_t domain;
	bool slip; /*!< Out: the key and what hides it do not belong together; else it was once of use. */
	char why[400]; /*!< Out: what hides the key that was asked for last ("the DNAME at _domainkey.example.org"). */
} hidden_t;

/*!
 * Return whether a key is hidden at whatever time it is published. A key whose owner does not exist, or cannot be read,
 * is not.
 *
 * \param id  Normalised.
 */
bool hidden_key(tool_t *tool, hidden_t *hidden, mail_str_t id);
/*! Free what it has. */
void hidden_free(hidden_t *hidden);
