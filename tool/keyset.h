/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Key sets for the verbs of DNSSEC keys: read, timed, written; and the files of private keys.
 */
#pragma once

#include "mail/rollover.h"
#include "mail/signer.h"
#include "tool/out.h"

/*! A key set that a verb works on. */
typedef struct {
	mail_entry_t *entry;
	bool made; /*!< It is not in the store yet. */
	mail_keyset_t set;
	mail_timing_t timing;
	size_t users; /*!< Policies, and domains with overrides, that name it. */
} keys_t;

/*!
 * Reads a key set and the options of its times; the store is open. What TTLs matter is found out from the policies
 * and domains that name it.
 *
 * \param make  A set that does not exist is an empty one.
 *
 * \return STATUS_DONE; else after a message. The caller calls keys_close() in any case.
 */
int keys_open(tool_t *tool, const char *name, bool make, keys_t *keys);
void keys_close(keys_t *keys);
/*! Writes the set, without a commit. \return STATUS_DONE, or STATUS_FAILED after a message. */
int keys_put(tool_t *tool, keys_t *keys);

/*! A file with a private key: read into memory that is wiped, and copied nowhere. */
typedef struct {
	char text[16384];
	size_t len;
} keys_secret_t;

/*! Reads a file. \return 0 or an errno. */
int keys_secret_read(const char *path, keys_secret_t *secret);
void keys_secret_wipe(keys_secret_t *secret);
/*! Directory of the private keys. */
void keys_directory(const tool_t *tool, char *path, size_t size);
/*! Path of the file of a private key. \return KNOT_EOK, KNOT_ESPACE, KNOT_EINVAL. */
int keys_path(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key, char *path,
              size_t size);
/*!
 * Puts a private key into its file, which must not exist: written, synchronised, and only then under its name; group
 * and modes as the store's.
 */
int keys_file_put(tool_t *tool, const char *path, const mail_private_t *key);
/*!
 * Says what is wrong with the file of a private key: it is missing, others can read it, it holds another key.
 *
 * \return NULL: nothing. Else the reason; static memory.
 */
const char *keys_file_fault(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key);

/*! A key that goes into a set, with its private half. */
typedef struct {
	mail_private_t *private;
	mail_dnskey_t key;
	char path[4096]; /*!< Of its file. */
	bool written;
} keys_added_t;

void keys_added_free(keys_added_t *added, size_t count);
/*! Fills in algorithm, role, public half and tag. \return KNOT_EOK, KNOT_ESPACE. */
int keys_fill(keys_added_t *added, mail_role_t role);
/*! Writes the set, then the files that are not there, then commits; takes them away again when that fails. */
int keys_write(tool_t *tool, keys_t *keys, keys_added_t *added, size_t count);

/*! What happens in a step, in words. */
const char *keys_step_words(const mail_step_t *step);
/*! Says what was done, and what is to come; with --json, prints the entry. */
void keys_tell(tool_t *tool, const keys_t *keys, const char *what);
