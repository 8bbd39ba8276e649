/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a verb says: messages, JSON, times, tables; and how it ends.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "tool/verb.h"

/*!
 * Close the store, write out what was printed, and return the exit status: a failure when the output is broken. Of a
 * signal that interrupted the verb, and of a pipe that nobody reads, the process dies.
 */
int tool_end(tool_t *tool, int status);
/*! End the process, as tool_end() does; memory goes with it. */
void tool_exit(tool_t *tool, int status) __attribute__((noreturn));

/*! Say what failed: "kmailctl: TEXT". \return STATUS_FAILED. */
int tool_error(tool_t *tool, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/*! Say what failed as tool->diag has it, with tool->file in front. \return STATUS_FAILED. */
int tool_error_diag(tool_t *tool, int code);
/*! Say what failed and end the process. */
void tool_fail(tool_t *tool, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
/*! Say what is wrong with the command line, and how the verb is used, and end the process with STATUS_USAGE. */
void tool_usage(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
/*! End the process with what the code means, unless it is KNOT_EOK. */
void tool_expect(tool_t *tool, int code);
/*! End the process with "SECTION ID: REASON", unless the code is KNOT_EOK. */
void tool_expect_entry(tool_t *tool, const mail_entry_t *entry, int code);
/*! Return memory that was allocated; NULL ends the process. */
void *tool_memory(tool_t *tool, void *memory);

/*! Warn. */
void tool_warn(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Print a JSON value on a line of stderr, and free it. */
void tool_json_message(json_t *value);
/*! Say something by the way, on stderr; silent with --json and --quiet. */
void tool_note(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Empty tool->diag, whose warnings are printed, and return it. */
mail_diag_t *tool_diag(tool_t *tool);
/*! Return the reason in tool->diag, or what the code means when there is none. */
const char *tool_reason(const tool_t *tool, int code);

/*! Print an octet string. */
void tool_put_str(FILE *file, mail_str_t text);
/*! Print a JSON value on one line and free it. \return false when stdout is broken. */
bool tool_json(json_t *value);
/*! Return a JSON string of octets (bad UTF-8 becomes U+FFFD). */
json_t *tool_json_str(mail_str_t text);
/*! Return a JSON string of a time; NULL when it is 0 (always) or INT64_MAX (never, open). */
json_t *tool_json_time(int64_t when);
/*! Print an entry as one JSON line, with more members (",\"a\":1") at its end, if not NULL. */
void tool_json_entry(tool_t *tool, const mail_entry_t *entry, const char *more);
/*!
 * Print a line about an entry, on a terminal the first one below a heading: its id, some text (or NULL), then " ITEM=VALUE" for each value of some items; one with blanks
 * is quoted. When something follows the id, it is padded to a width.
 */
void tool_put_items(const mail_entry_t *entry, int width, const char *text,
                    const mail_item_id_t items[], size_t count);
/*! Return a time as text; the static memory is used again by the fourth call after. */
const char *tool_time(int64_t seconds);
/*! Return a number with a comma between thousands. The static memory of the last eight is kept. */
const char *tool_number(uint64_t number);
/*! Return a number of things, "1 error" or "12 errors". The static memory of the last four is kept. */
const char *tool_number_of(uint64_t number, const char *what);

/*! Rows of cells, printed with columns as wide as they must be. Zeroed but for the number of columns is empty. */
typedef struct {
	unsigned columns;
	const char *const
		*head; /*!< A heading for each column, which stands above the first row; or NULL. */
	size_t count;
	mail_buf_t cells; /*!< Each with a terminator. */
} table_t;

/*! Add a cell; rows fill up by themselves. The text is copied. */
void table_cell(table_t *table, mail_str_t text);
/*! Print the rows and free them. */
void table_print(tool_t *tool, table_t *table);
