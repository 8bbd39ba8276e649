/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The store that a verb works on, and its entries.
 *
 * What fails ends the process after a message, but where a status is returned.
 */
#pragma once

#include "mail/change.h"
#include "mail/profile.h"
#include "tool/verb.h"

/*!
 * Open the store and begin a transaction.
 *
 * Nobody else can write while a writing transaction is open: read files, wait for input, ask and make keys before.
 */
void tool_open(tool_t *tool, mail_store_mode_t mode);
/*! Open the store without a transaction. */
void tool_open_store(tool_t *tool, mail_store_mode_t mode);
/*! Begin a transaction of the open store; a writing one waits for its turn (tool/wait.h). */
void tool_begin(tool_t *tool, mail_store_mode_t mode);
/*! Commit; the files that were written stay (tool/file.h). \return STATUS_DONE, or STATUS_FAILED after a message. */
int tool_try_commit(tool_t *tool);
/*! As tool_try_commit(), but a failure ends the process. */
void tool_commit(tool_t *tool);
/*! End the transaction without writing, so that others can write. The store stays open. */
void tool_abort(tool_t *tool);
/*! End what is open without writing, and free the entries that the store has given. */
void tool_close(tool_t *tool);
/*! Return the source of the transaction. */
const mail_source_t *tool_source(tool_t *tool);

/* Entries and ids that these functions return are freed by tool_close(). */

/*! Make an entry one of these, and return it; NULL ends the process. */
mail_entry_t *tool_own(tool_t *tool, mail_entry_t *entry);
/*! Return an empty entry with an id as people write it. */
mail_entry_t *tool_new_entry(tool_t *tool, mail_section_t section, const char *text);
/*! Return the id alone, normalised and terminated. */
mail_str_t tool_id(tool_t *tool, mail_section_t section, const char *text);
/*! Return a stored entry, or NULL when there is none. */
mail_entry_t *tool_find_entry(tool_t *tool, mail_section_t section, const char *text);
/*! Return a stored entry, which must exist. */
mail_entry_t *tool_entry(tool_t *tool, mail_section_t section, const char *text);
/*!
 * Write entries with every check, without a commit; what becomes of a single one is noted (tool/done.h).
 *
 * \param count  Out; may be NULL.
 */
void tool_put(tool_t *tool, mail_entry_t *const *entries, size_t entry_count,
              mail_change_count_t *count);

/*! Return the time that an entry sets for an item; the default when it sets none that can be read. */
int64_t tool_get_time(const mail_entry_t *entry, mail_item_id_t item, int64_t dflt);
/*! Set an item of an entry to a time. */
void tool_set_time(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, int64_t when);
/*! Return how many entries some sections have; deleted ones count as well. */
uint64_t tool_count(tool_t *tool, unsigned sections);
/*! Return the order of two ids, as strcmp() does. */
int tool_compare(mail_str_t a, mail_str_t b);

/*! A walk over the live entries of a section, in the order of their keys. Zeroed but for the section is its start. */
typedef struct {
	mail_section_t section;
	bool strict; /*!< A damaged entry ends the process; else it is told of and passed over. */
	int status; /*!< Out: STATUS_FAILED when an entry was damaged, or nobody reads the output. */
	mail_lf_storage_t prefix, key; /*!< Keys that begin with the prefix; that of the entry. */
	mail_entry_t *entry;           /*!< Freed by the next call; NULL it to keep the entry. */
} tool_walk_t;

/*! Return the next entry, or NULL at the end. */
mail_entry_t *tool_next(tool_t *tool, tool_walk_t *walk);
/*! Begin a walk over the DKIM keys of an owner: a domain's id, or "policy:ID". */
void tool_walk_keys(tool_t *tool, mail_str_t owner, tool_walk_t *walk);

/*! A walk over the profiles of all policies, then of the domains that set something themselves. Zeroed is its start. */
typedef struct {
	tool_walk_t walk;
	mail_profile_t *profile; /*!< Freed by the next call. */
} tool_profiles_t;

/*! Return the next profile that can be made, or NULL at the end. */
mail_profile_t *tool_next_profile(tool_t *tool, tool_profiles_t *profiles);
