/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The words of a -set or -unset: ITEM=VALUE, ITEM+=VALUE, ITEM-=VALUE, ITEM-add=VALUE.
 *
 * What is wrong with a word ends the process after a message.
 */
#pragma once

#include "tool/verb.h"

typedef struct assign assign_t;

/*! Read the words of a command line for a section, that of the verb. The caller frees them. */
assign_t *assign_read(tool_t *tool, int count, char **words);
/*! Read the files that words name. Before the store is open: a pipe may let its reader wait. */
void assign_files(assign_t *assign);
/*! Free what assign_read() made. */
void assign_free(assign_t *assign);
/*!
 * Set items of an entry as words say; the store is open.
 *
 * ITEM=VALUE replaces what the entry has; words about one item make one list. ITEM-add=VALUE and ITEM+=VALUE add to what
 * is there, ITEM-=VALUE takes away. Each thing can be said once.
 */
void assign_set(tool_t *tool, mail_entry_t *entry, const assign_t *assign);
/*! Take items, or values of lists, away from an entry: ITEM, ITEM=VALUE. */
void assign_unset(tool_t *tool, mail_entry_t *entry, const assign_t *assign);
