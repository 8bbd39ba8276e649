/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief ECDSA P-256 with keys that change from signature to signature.
 *
 * OpenSSL's EVP builds the curve anew for each key, which costs nearly as much as a signature; with a key set for
 * each domain that would halve the speed. Here the curve is kept and only the secret number changes, which needs
 * functions that OpenSSL 3 deprecates. Where they are not there, nothing is made, and the signer takes EVP.
 */
#pragma once

#include "mail/signer.h"

/*! One thread's. */
typedef struct mail_ecdsa mail_ecdsa_t;

/*! Makes one. \return NULL without memory, or without those functions. */
mail_ecdsa_t *mail_ecdsa_new(void);
void mail_ecdsa_free(mail_ecdsa_t *ecdsa);
/*!
 * Signs a SHA-256.
 *
 * \param secret     32 octets, of a key that was checked when it was made. They stay there, as they are, until
 *                   mail_ecdsa_forget().
 * \param signature  Out: r and s (RFC 6605 4).
 *
 * \return 64, KNOT_ENOMEM, KNOT_ERROR.
 */
int mail_ecdsa_sign(mail_ecdsa_t *ecdsa, const uint8_t *secret, const uint8_t hash[32],
                    uint8_t *signature);
/*! Wipes the secret used last. */
void mail_ecdsa_forget(mail_ecdsa_t *ecdsa);
