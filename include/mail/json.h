/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Entries as JSON (jansson), and back.
 *
 * `kmailctl import` reads entries with these functions. The entries are normalised, and each is checked by itself.
 * mail/change.h checks the references between entries, when it writes them. Reasons have the form of mail/text.h.
 *
 * Thread rule: one thread at a time uses an object; there is no global state.
 */
#pragma once

#include "mail/entry.h"

/*!
 * Parse one line of NDJSON.
 *
 * The member "name" has the id of a domain, and the member "id" has the id of any other entry. Where a section has no
 * item "name", that member may have the id, too.
 *
 * \param entry  Out: a new entry; the caller frees it with mail_entry_free(). NULL on an error.
 * \param diag   Out: the reason. The column counts octets in the line if the JSON is malformed, and octets in
 *               the value otherwise. The function leaves diag->line to the caller.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_json_parse(mail_str_t line, mail_entry_t **entry, mail_diag_t *diag);
/*!
 * Append an entry as one JSON object, the member "kind" first, without a line end.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EMALF (a value is not UTF-8, from a damaged store).
 */
int mail_json_print(const mail_entry_t *entry, mail_buf_t *out);
