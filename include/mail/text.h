/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The dialect (libknot's yparser) as entries, and back.
 *
 * The reader of `apply` and `diff`; it gives normalised, self-checked entries, as that of JSON (mail/json.h) does.
 * References between entries are checked when they are written (mail/change.h). One thread at a time.
 *
 * A reason reads "policy guide: mx: ...", so that a caller only puts FILE:LINE: in front. diag->column
 * counts within the value. While diag->warn is called, diag->line is the line that the warning is about.
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
 * Read a text in the dialect.
 *
 * \param text  All of the file.
 * \param read_file  Reads a file named by a value (PEM); relative names are the caller's affair.
 *                   Returns KNOT_EOK and growing octets, which are freed here. NULL: such values are refused.
 * \param diag  line, column and reason of the first error.
 *
 * A value of `current` or `next` that does not look like "3 1 1 HEX", and a `key` that does not look like
 * a key, is the name of such a file; certificates are turned into TLSA data of every `form` of their entry.
 *
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM.
 */
int mail_text_parse(mail_str_t text, int (*read_file)(void *ctx, mail_str_t name, mail_buf_t *out),
                    void *ctx, mail_entries_t *entries, mail_diag_t *diag);

/*!
 * Write an entry in the dialect, as one list element of its section ("  - id: ..."), quoted where needed.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_ENOTSUP: the dialect cannot say it (a deleted entry; a value with a
 *         control character, with a backslash as its last character or before a quote, or over 32767
 *         octets) and only JSON can. What was appended to `out` is then of no use.
 */
int mail_text_print(const mail_entry_t *entry, mail_buf_t *out);

/*!
 * \brief Keep a name when it is nearer (Levenshtein) to a misspelt one than the best so far. A third of the letters may
 *        be wrong.
 *
 * \param best   In and out: the nearest name; NULL at first.
 * \param least  In and out: its distance; at first one more than may be.
 */
void mail_nearer(mail_str_t wrong, const char *name, const char **best, unsigned *least);
