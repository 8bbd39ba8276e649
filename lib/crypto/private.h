/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Inside of a private key, for those who read and sign with one.
 *
 * Of a key only what cannot be made again is kept, as there may be a million of them.
 */
#pragma once

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

#include "mail/signer.h"

/*! Octets of an Ed25519 key, and of a number of P-256. */
#define MAIL_SECRET_LEN 32
/*! Longest PKCS#8 of an RSA key: two numbers of 512 octets, five of 256, and what is around them. */
#define MAIL_PKCS8_MAX 2560

struct mail_private {
	atomic_uint refs;
	uint8_t algorithm;
	uint16_t public_len;
	uint16_t secret_len;
	/*! The public half as in a DNSKEY, then the secret: 32 octets; RSA: PKCS#8. */
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
	unsigned long error = ERR_peek_last_error();
	ERR_clear_error();
	return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? KNOT_ENOMEM : KNOT_ERROR;
}

/*! Makes a key of its halves. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_private_new(mail_algorithm_t algorithm, mail_str_t public_key, mail_str_t secret,
                     mail_private_t **key);
/*! Makes a key of 32 secret octets. \return KNOT_EOK, KNOT_EINVAL (no number of the curve), KNOT_ENOMEM, KNOT_ERROR. */
int mail_private_of_secret(mail_algorithm_t algorithm, const uint8_t secret[MAIL_SECRET_LEN],
                           mail_private_t **key);
/*! Makes OpenSSL's form of a key, which the caller frees. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ERROR. */
int mail_private_open(const mail_private_t *key, EVP_PKEY **pkey);

/*! Numbers of an RSA key, in the order of RSAPrivateKey (RFC 8017 A.1.2). */
enum {
	MAIL_RSA_N,
	MAIL_RSA_E,
	MAIL_RSA_D,
	MAIL_RSA_P,
	MAIL_RSA_Q,
	MAIL_RSA_DP,
	MAIL_RSA_DQ,
	MAIL_RSA_QI,
	MAIL_RSA_NUMBERS
};
typedef struct {
	BIGNUM *number[MAIL_RSA_NUMBERS];
} mail_rsa_t;

/*! Sets a number of at most 512 octets. \return KNOT_EOK, KNOT_EINVAL (too long), KNOT_ENOMEM. */
int mail_rsa_set(mail_rsa_t *rsa, unsigned i, mail_str_t octets);
/*! Reads RSAPrivateKey. \return KNOT_EOK, KNOT_EMALF, KNOT_ENOMEM. */
int mail_rsa_read(mail_reader_t *der, mail_rsa_t *rsa);
/*! Takes the numbers of OpenSSL's form. \return KNOT_EOK, KNOT_ERROR. */
int mail_rsa_take(const EVP_PKEY *pkey, mail_rsa_t *rsa);
/*! Makes OpenSSL's form. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ERROR. */
int mail_rsa_open(const mail_rsa_t *rsa, EVP_PKEY **pkey);
/*! Checks the numbers against each other, and makes a key. \return KNOT_EOK, KNOT_EINVAL with the reason, KNOT_ENOMEM. */
int mail_rsa_private(const mail_rsa_t *rsa, mail_private_t **key, mail_diag_t *diag);
/*! Wipes the numbers. */
void mail_rsa_clear(mail_rsa_t *rsa);

/*! Tags of DER. */
enum {
	MAIL_DER_INTEGER = 0x02,
	MAIL_DER_OCTETS = 0x04,
	MAIL_DER_OID = 0x06,
	MAIL_DER_SEQUENCE = 0x30
};

/*! The content of a DER value with this tag; on error the reader's error sticks, and the result's. */
mail_reader_t mail_der_enter(mail_reader_t *der, uint8_t tag);
/*!
 * The private key in PKCS#8 (RFC 5958 2).
 *
 * \param oid         Out: its algorithm.
 * \param parameters  Out: what follows the algorithm.
 */
mail_reader_t mail_pkcs8_enter(mail_reader_t *der, mail_reader_t *oid, mail_reader_t *parameters);
