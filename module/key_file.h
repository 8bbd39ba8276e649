/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief One private key's file, read with care: what lies in the key directory is input.
 *
 * Thread rule: a mail_key_room_t belongs to one thread.
 */
#pragma once

#include "mail/signer.h"

/*! Octets of the largest file that is read: a key of RSA-4096 in BIND's format has 3300. */
#define MAIL_KEY_FILE_MAX 16384

/*! Where files are read to: memory that is not written to swap or a core, where the system allows that. */
typedef struct mail_key_room mail_key_room_t;

/*! Make room for a file. \return NULL without memory. */
mail_key_room_t *mail_key_room_new(void);
/*! Wipe and free; NULL is fine. */
void mail_key_room_free(mail_key_room_t *room);

/*!
 * Read a private key. The file must be a regular one (a link to one is fine) that the world cannot access.
 *
 * \param path  Its absolute path.
 * \param want  The key that it must hold: algorithm and public half are compared.
 * \param key   Out: the caller frees it.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such file); KNOT_EACCES (not readable for us, or accessible for everybody);
 *         KNOT_EINVAL (no regular file, too large, no key, another key); KNOT_ENOMEM; KNOT_ERROR (the system);
 *         diag->text says what, without the path.
 */
int mail_key_file_read(mail_key_room_t *room, const char *path, const mail_dnskey_t *want,
                       mail_private_t **key, mail_diag_t *diag);
