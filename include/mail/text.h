/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The dialect (libknot's yparser) and JSON (jansson) as entries, and back.
 *
 * One reader for `apply` and `diff`, one for `import`; both give normalised, self-checked entries.
 * References between entries are checked when they are written (mail/change.h). One thread at a time.
 */
#pragma once

#include "mail/entry.h"

/*! Entries read from a file. */
typedef struct {
	mail_entry_t **entries;
	size_t count;
} mail_entries_t;

void mail_entries_free(mail_entries_t *entries);

/*!
 * Reads a text in the dialect.
 *
 * \param text  All of the file.
 * \param read_file  Reads a file named by a value (PEM); relative names are the caller's affair.
 *                   Returns KNOT_EOK and growing octets, which are freed here. NULL: such values are refused.
 * \param diag  line, column and reason of the first error.
 *
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM.
 */
int mail_text_parse(mail_str_t text, int (*read_file)(void *ctx, mail_str_t name, mail_buf_t *out),
                    void *ctx, mail_entries_t *entries, mail_diag_t *diag);

/*! Writes an entry in the dialect, as one list element of its section ("  - id: ..."), quoted where needed. */
int mail_text_print(const mail_entry_t *entry, mail_buf_t *out);

/*! Reads one line of NDJSON. \param entry Out: the caller frees it. Same errors as above. */
int mail_json_parse(mail_str_t line, mail_entry_t **entry, mail_diag_t *diag);
/*! Writes an entry as one JSON object, "kind" first, without a line end. */
int mail_json_print(const mail_entry_t *entry, mail_buf_t *out);
