/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief JSON (jansson) as entries, and back.
 *
 * The reader of `import`; it gives normalised, self-checked entries. References between entries are checked when
 * they are written (mail/change.h). One thread at a time. The reason and diag->line are as in mail/text.h.
 */
#pragma once

#include "mail/entry.h"

/*!
 * Read one line of NDJSON. A domain's id is its member "name"; the id of any other entry is "id" ("name" is
 * an item of hosts), and "name" is understood where no such item exists.
 *
 * \param entry  Out: the caller frees it.
 * \param diag   column: octet within the line where the JSON itself is bad, else within the value. Its line
 *               is the caller's affair and left alone.
 *
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM.
 */
int mail_json_parse(mail_str_t line, mail_entry_t **entry, mail_diag_t *diag);
/*!
 * Write an entry as one JSON object, "kind" first, without a line end.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EMALF: a value that is no UTF-8 (from a damaged store).
 */
int mail_json_print(const mail_entry_t *entry, mail_buf_t *out);
