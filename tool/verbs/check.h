/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What is risky in the records of a domain, though each of them is valid.
 */
#pragma once

#include "tool/records.h"

/*!
 * Looks at all records of a domain.
 *
 * \param say  Called for each finding.
 * \return STATUS_DONE; STATUS_FAILED after a message when the domain has no records to look at.
 */
int lint_domain(tool_t *tool, mail_str_t domain, void (*say)(void *ctx, const char *text),
                void *ctx);
/*!
 * Looks at a key set: private keys that are not there or that others can read, an end that nothing follows, algorithms
 * that are mixed for no reason.
 */
void lint_keys(tool_t *tool, const mail_entry_t *entry, void (*say)(void *ctx, const char *text),
               void *ctx);
