/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenSSL's EVP builds the curve anew for each key. Here it is kept, and only the secret number changes. Signatures
 * of 200 octets that are not cached, a second of one core (OpenSSL 3.0):
 *
 *     keys that sign by turns       1      200     2000
 *     here                      41700    41800    41000
 *     EVP, 256 contexts kept    39400    25700    11000 to 16800
 */

/* EC_KEY is deprecated, but EVP has nothing in its place that takes another secret for the same curve. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "config.h"

#include "crypto/ecdsa.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

#include "crypto/private.h"

#define HASH_LEN 32
#define SIGNATURE_LEN (2 * MAIL_SECRET_LEN)

struct mail_ecdsa {
	EC_KEY *key;
	BIGNUM *secret;
	const uint8_t *from; /*!< Where the secret came from; NULL: there is none. */
};

mail_ecdsa_t *mail_ecdsa_new(void)
{
	mail_ecdsa_t *ecdsa = calloc(1, sizeof(*ecdsa));
	if (ecdsa == NULL) {
		return NULL;
	}
	ecdsa->key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	ecdsa->secret = BN_secure_new();
	if (ecdsa->key == NULL || ecdsa->secret == NULL) {
		ERR_clear_error();
		mail_ecdsa_free(ecdsa);
		return NULL;
	}
	return ecdsa;
}

void mail_ecdsa_free(mail_ecdsa_t *ecdsa)
{
	if (ecdsa != NULL) {
		EC_KEY_free(ecdsa->key);
		BN_clear_free(ecdsa->secret);
		free(ecdsa);
	}
}

/*! Take a secret over, unless it is the one that was used last. */
static bool secret_load(mail_ecdsa_t *ecdsa, const uint8_t *secret)
{
	if (ecdsa->from == secret) {
		return true;
	}
	ecdsa->from = NULL;
	if (BN_bin2bn(secret, MAIL_SECRET_LEN, ecdsa->secret) == NULL ||
	    EC_KEY_set_private_key(ecdsa->key, ecdsa->secret) != 1) {
		return false;
	}
	ecdsa->from = secret;
	return true;
}

int mail_ecdsa_sign(mail_ecdsa_t *ecdsa, const uint8_t *secret, const uint8_t hash[HASH_LEN],
                    uint8_t *signature)
{
	ECDSA_SIG *pair = NULL;
	int ret = SIGNATURE_LEN;
	if (!secret_load(ecdsa, secret) ||
	    (pair = ECDSA_do_sign(hash, HASH_LEN, ecdsa->key)) == NULL ||
	    BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, MAIL_SECRET_LEN) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + MAIL_SECRET_LEN, MAIL_SECRET_LEN) <
	            0) {
		ret = mail_openssl_error();
	}
	ECDSA_SIG_free(pair);
	return ret;
}
