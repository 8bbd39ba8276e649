/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A signer with the private keys of the key directory, for exports of signed domains.
 */
#pragma once

#include "mail/signer.h"
#include "tool/out.h"

typedef struct {
	mail_keyring_t *ring;
	mail_signer_t *signer;
} tool_signer_t;

/*!
 * Reads the private keys of all key sets. One that is not there or cannot be read is no error: of the domains that
 * need it the listing says so.
 *
 * \param directory  The key directory; NULL: that of the store.
 * \param now        The second that is signed for.
 *
 * \return STATUS_DONE, or STATUS_FAILED after a message.
 */
int tool_signer_open(tool_t *tool, const char *directory, int64_t now, tool_signer_t *signer);
void tool_signer_close(tool_signer_t *signer);
