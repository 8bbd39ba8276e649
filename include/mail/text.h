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
 * Values that name a file are told by mail_text_names_file(), and added by mail_text_add_file().
 *
 * \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM.
 */
int mail_text_parse(mail_str_t text, int (*read_file)(void *ctx, mail_str_t name, mail_buf_t *out),
                    void *ctx, mail_entries_t *entries, mail_diag_t *diag);

/*!
 * Return whether a value of `current`, `next` or a DKIM `key` is the name of a file: it does not look like TLSA data,
 * like a key, or like a record.
 */
bool mail_text_names_file(mail_section_t section, const mail_item_t *item, mail_str_t value);
/*!
 * Add what is in a file that a value names: a DKIM key in any form; a certificate chain, which is turned into TLSA data of
 * every `form` that the entry has by then.
 *
 * \return As mail_entry_parse().
 */
int mail_text_add_file(mail_entry_t *entry, const mail_item_t *item, mail_str_t contents,
                       uint32_t line, mail_diag_t *diag);
/*!
 * Write the id of a DKIM key, whose selector a record says that was pasted: OWNER/SELECTOR.
 *
 * \param owner  DOMAIN or policy:POLICY.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_text_dkim_id(mail_str_t owner, mail_str_t text, mail_buf_t *id, mail_diag_t *diag);

/*! What a file is that was given in place of another one. */
typedef enum {
	MAIL_LOOK_UNKNOWN,
	MAIL_LOOK_DIALECT,
	MAIL_LOOK_NDJSON,
	MAIL_LOOK_JSON, /*!< JSON over several lines, or an array. */
	MAIL_LOOK_ZONE, /*!< A zone file, or records of one. */
	MAIL_LOOK_PEM,
	MAIL_LOOK_UTF16, /*!< Text of Windows in two octets a character. */
} mail_look_t;

/*! Tell by its beginning what a file is. */
mail_look_t mail_text_look(mail_str_t text);
/*!
 * Say why a verb cannot read a file that looks like something else.
 *
 * \param verb  "apply" or "import".
 *
 * \return NULL: it looks like what the verb reads, or like nothing that is known.
 */
const char *mail_text_misplaced(mail_look_t look, const char *verb);

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
