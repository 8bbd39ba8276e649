/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief ECDSA P-256 with keys that change from signature to signature.
 */
#pragma once

#include "mail/signer.h"

/*! One thread's. */
typedef struct mail_ecdsa mail_ecdsa_t;

/*! Make one. \return NULL without memory. */
mail_ecdsa_t *mail_ecdsa_new(void);
void mail_ecdsa_free(mail_ecdsa_t *ecdsa);
/*!
 * Sign a SHA-256.
 *
 * \param secret     32 octets, of a key that was checked when it was made. They stay there, as they are, as long as
 *                   `ecdsa` is used.
 * \param signature  Out: r and s (RFC 6605 4).
 *
 * \return 64, KNOT_ENOMEM, KNOT_ERROR.
 */
int mail_ecdsa_sign(mail_ecdsa_t *ecdsa, const uint8_t *secret, const uint8_t hash[32],
                    uint8_t *signature);
