/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Inside of a private key, for those who read and sign with one.
 *
 * There may be a million keys, and OpenSSL's form of one takes kilobytes: only what it is made of is kept.
 */
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

#include "mail/signer.h"

/*! Octets of an Ed25519 key, and of a number of P-256. */
#define MAIL_SECRET_LEN 32

struct mail_private {
	atomic_uint refs;
	uint8_t algorithm;
	uint16_t public_len;
	uint16_t secret_len;
	/*! The public half as in a DNSKEY, then the secret: 32 octets; RSA: RSAPrivateKey (RFC 8017 A.1.2). */
	uint8_t octets[];
};

/*! The secret half. */
static inline const uint8_t *mail_private_secret(const mail_private_t *key)
{
	return key->octets + key->public_len;
}

/*! What went wrong in OpenSSL: KNOT_ENOMEM or KNOT_ERROR. Its errors are cleared. */
static inline int mail_openssl_error(void)
{
	int ret = KNOT_ERROR;
	for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
			ret = KNOT_ENOMEM;
		}
	}
	return ret;
}

/*! Make a key of its halves. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_private_new(mail_algorithm_t algorithm, mail_str_t public_key, mail_str_t secret,
                     mail_private_t **key);
/*!
 * Make a key of a secret of Ed25519 or P-256; its public half is calculated.
 *
 * \param octets  32 of them; of a number of P-256, leading zeros may be missing, or be too many.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ERROR.
 */
int mail_private_of_secret(mail_algorithm_t algorithm, mail_str_t octets, mail_private_t **key,
                           mail_diag_t *diag);
/*!
 * Make a key of PKCS#8. The numbers of an RSA key are not checked (mail_private_check()).
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (not signed with, damaged); KNOT_ENOMEM, KNOT_ERROR.
 */
int mail_private_take(const PKCS8_PRIV_KEY_INFO *info, mail_private_t **key, mail_diag_t *diag);
/*! The same of OpenSSL's form of a key. */
int mail_private_of_pkey(const EVP_PKEY *pkey, mail_private_t **key, mail_diag_t *diag);
/*! Make OpenSSL's form of a key, which the caller frees. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ERROR. */
int mail_private_open(const mail_private_t *key, EVP_PKEY **pkey);
/*! Note that a key is damaged. \return KNOT_EINVAL. */
static inline int mail_private_damaged(mail_diag_t *diag)
{
	return mail_diag_error(diag, 0, "the private key is damaged");
}

/*! Say what went wrong in OpenSSL, perhaps because of what it was given. \return KNOT_EINVAL, KNOT_ENOMEM. */
static inline int mail_openssl_damaged(mail_diag_t *diag)
{
	return mail_openssl_error() == KNOT_ENOMEM ? KNOT_ENOMEM : mail_private_damaged(diag);
}
