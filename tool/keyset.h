/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Key sets for the verbs of DNSSEC keys: read, timed, written.
 *
 * What fails ends the process after a message.
 */
#pragma once

#include "mail/rollover.h"
#include "tool/key_file.h"

/*! A key set that a verb works on. */
typedef struct {
	mail_entry_t *entry; /*!< The tool's. */
	mail_keyset_t set;
	mail_timing_t timing;
	size_t users; /*!< Policies, and domains with overrides, that name it. */
	int64_t ds_from; /*!< Before that no user may have a DS, whatever the keys' times; 0: that is not so. */
} keyset_t;

/*!
 * Read a key set and the options of its times; the store is open. What TTLs matter is found out from the policies
 * and domains that name it.
 *
 * \param make  A set that does not exist is an empty one.
 */
void keyset_open(tool_t *tool, const char *name, bool make, keyset_t *keys);
/*! Return whether some key of the set was not removed by now, and the first of them. \param key Out; may be NULL. */
bool keyset_in_use(const keyset_t *keys, const mail_dnskey_t **key);

/*! A key that goes into a set, with its private half. */
typedef struct {
	mail_private_t *private;
	mail_dnskey_t key;
	char path[KEY_FILE_MAX]; /*!< Of its file. */
} keyset_added_t;

/*! Fill in algorithm, role, public half, tag and path of a key whose private half is there. */
void keyset_fill(tool_t *tool, const keyset_t *keys, keyset_added_t *added, mail_role_t role);
/*! Free the private halves. */
void keyset_added_free(keyset_added_t *added, size_t count);
/*!
 * Write the set, then the files of keys that are not there, and commit; say what was done and what is to come, or with
 * --json, print the entry.
 */
void keyset_write(tool_t *tool, keyset_t *keys, const keyset_added_t *added, size_t count,
                  const char *what);

/*! Return what happens in a step, in words. */
const char *keyset_step_words(const mail_step_t *step);
