/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a verb has written: one line on stderr, "policy business changed (mx, spf); 12,345 domains follow it".
 *
 * tool_put() notes it, tool_commit() says it. -q silences it; with --json it is an object.
 */
#pragma once

#include "mail/change.h"
#include "tool/verb.h"

/*!
 * Note what becomes of one entry.
 *
 * \param old    What is stored; NULL: there is none.
 * \param entry  What is going to be stored; deleted: the entry goes.
 */
void done_note(tool_t *tool, const mail_entry_t *old, const mail_entry_t *entry,
               const mail_change_count_t *count);
/*! Add a part to the line: "; TEXT". */
void done_more(tool_t *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*! Say what was noted, and forget it. \param would It has not been done: a dry run. */
void done_say(tool_t *tool, bool would);
/*! With --json, say that a store was made or copied. */
void done_path(const tool_t *tool, const char *what, const char *path);
/*! Forget what was noted. */
void done_free(tool_t *tool);
