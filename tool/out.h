/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a verb says: messages, JSON, tables, progress; and the store that it opens.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "mail/store.h"
#include "tool/verb.h"

/*! Says what failed: "kmailctl: TEXT". \return STATUS_FAILED. */
int tool_error(tool_t *tool, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*! Says what failed as tool->diag has it, with tool->file in front. \return STATUS_FAILED. */
int tool_error_diag(tool_t *tool, int code);
/*! Says that an entry cannot be decoded. \return STATUS_FAILED. */
int tool_error_damaged(tool_t *tool, mail_section_t section, mail_lf_t key, int code);
/*! Says what is wrong with the command line, and how the verb is used. \return STATUS_USAGE. */
int tool_usage(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Warns. */
void tool_warn(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Says something by the way, on stderr; silent with --json. */
void tool_note(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Empties tool->diag, whose warnings are printed, and gives it. */
mail_diag_t *tool_diag(tool_t *tool);

/*! Says in words what the status code of a KNOT_E* is in JSON errors ("not-found"). */
const char *tool_code(int code);

/*! Opens the store and begins a transaction. \return STATUS_DONE, or STATUS_FAILED after a message. */
int tool_open(tool_t *tool, mail_store_mode_t mode);
/*! Commits. \return STATUS_DONE, or STATUS_FAILED after a message. */
int tool_commit(tool_t *tool);
/*! Ends what is open without writing. */
void tool_close(tool_t *tool);
/*! The source of the transaction that is open. */
const mail_source_t *tool_source(tool_t *tool);
/*! Reads an entry: its id as people write it. \return STATUS_DONE, or STATUS_FAILED after a message. */
int tool_entry(tool_t *tool, mail_section_t section, const char *id, mail_entry_t **entry);
/*! Normalises an id; out is terminated (its length does not count that). \return As tool_entry(). */
int tool_id(tool_t *tool, mail_section_t section, const char *text, mail_buf_t *out);
/*! Writes entries with every check, in the open transaction, without a commit. */
int tool_put(tool_t *tool, mail_entry_t *const *entries, size_t count);

/*!
 * Walks the live entries of a section, below a key when prefix_len > 0. Damaged ones are reported and
 * passed over.
 *
 * \param each  Takes the entry over; another result than STATUS_DONE ends the walk.
 *
 * \return STATUS_DONE; STATUS_FAILED when an entry was damaged; or what each returned.
 */
int tool_walk(tool_t *tool, mail_section_t section, mail_str_t prefix,
              int (*each)(tool_t *tool, mail_entry_t *entry, void *ctx), void *ctx);
/*! Walks the DKIM keys of an owner: a domain's id, or "policy:ID". */
int tool_walk_keys(tool_t *tool, mail_str_t owner,
                   int (*each)(tool_t *tool, mail_entry_t *entry, void *ctx), void *ctx);

/*! Reads a whole file ("-": standard input). \return STATUS_DONE, or STATUS_FAILED after a message. */
int tool_read(tool_t *tool, const char *path, mail_buf_t *out);
/*! Makes a file that must not be there, as `mode` says whatever the umask, and writes it to the disk. */
int tool_write_new(tool_t *tool, const char *path, unsigned mode, mail_str_t text);

/*! Prints an octet string. */
void tool_put_str(FILE *file, mail_str_t text);
/*! Prints a JSON value on one line and frees it. \return false when stdout is broken. */
bool tool_json(json_t *value);
/*! A JSON string of octets (bad UTF-8 becomes U+FFFD). */
json_t *tool_json_str(mail_str_t text);
/*! Prints an entry as one JSON line. \return STATUS_DONE or STATUS_FAILED. */
int tool_json_entry(tool_t *tool, const mail_entry_t *entry);
/*! Prints how an entry changes (NULL: there is none). \return true when it does. */
bool tool_difference(const tool_t *tool, const mail_entry_t *old, const mail_entry_t *new);
/*! A time as text; the static memory is used again by the fourth call after. */
const char *tool_time(int64_t seconds);

/*! Rows of cells, printed with columns as wide as they must be. Zeroed is empty. */
typedef struct {
	char **cells;
	size_t count, cap;
	unsigned columns;
} table_t;

/*! Adds a cell; rows fill up by themselves. The text is copied. */
int table_cell(table_t *table, unsigned columns, mail_str_t text);
/*! Prints the rows and frees them. */
void table_print(table_t *table);

/*! Progress of something long, on a terminal. */
typedef struct {
	const char *what; /*!< "lines", "entries". */
	uint64_t total;   /*!< Steps (or octets) in all; 0: not known. */
	uint64_t ticks;
	int64_t began, shown; /*!< Milliseconds. */
	bool on;
} progress_t;

void progress_begin(progress_t *progress, const char *what, uint64_t total);
/*! One more `what` is done, `done` of total. \return false when the user has interrupted. */
bool progress_tick(progress_t *progress, uint64_t done);
/*! Says whether the user has interrupted since progress_begin(). */
bool progress_interrupted(void);
void progress_end(progress_t *progress);
