/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The files of private keys in the key directory.
 */
#pragma once

#include "mail/signer.h"
#include "tool/verb.h"

/*! Room for the path of a file. */
#define KEY_FILE_MAX 4096

/*! Write the path of the file of a private key. \return KNOT_EOK; KNOT_ESPACE; KNOT_EINVAL (a set's name that is no file name). */
int key_file_path(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key,
                  char path[KEY_FILE_MAX]);
/*! Read a private key. \return 0 or an errno; EINVAL when the file holds none. */
int key_file_read(const char *path, mail_private_t **key);
/*!
 * Put the private keys of a key set that are there and can be read into a ring.
 *
 * \param path  Out: the first file that cannot be read.
 *
 * \return 0, or the errno of that file; ENOENT does not count, as long as there is nothing worse.
 */
int key_file_load(tool_t *tool, const mail_entry_t *set, mail_keyring_t *ring,
                  char path[KEY_FILE_MAX]);
/*!
 * Put a private key into its file, which must not exist: written, synchronised, and only then under its name; group
 * and modes as the store's. The file goes away again when the verb fails.
 */
void key_file_put(tool_t *tool, const char *path, const mail_private_t *key);
/*!
 * Look whether the file of a private key is missing, can be read by others, or holds another key.
 *
 * \return NULL: it is as it should be, or cannot be looked at. Else what is wrong with it, as "is missing"; static
 *         memory.
 */
const char *key_file_fault(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key);
