/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RSA keys: eight numbers, and their DER.
 *
 *     RSAPrivateKey ::= SEQUENCE { version INTEGER 0, n, e, d, p, q, dp, dq, qi INTEGER }    (RFC 8017 A.1.2)
 *     PrivateKeyInfo ::= SEQUENCE { version INTEGER 0, SEQUENCE { rsaEncryption, NULL },
 *                                   OCTET STRING { RSAPrivateKey } }                         (RFC 5958 2)
 */
#include "config.h"

#include "crypto/private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

/* RFC 5702 2.1 allows shorter ones; nobody should make one (RFC 8624 3.1). */
#define BITS_MIN 2048
#define BITS_MAX 4096
#define NUMBER_MAX (BITS_MAX / 8)
/* Longer ones are not verified by everybody. */
#define EXPONENT_MAX 8
/* SEQUENCE or OCTET STRING with a length of two octets. */
#define FRAME_LEN 4

static const uint8_t version[] = { MAIL_DER_INTEGER, 1, 0 };
static const uint8_t rsa_encryption[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
	                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

static const char *const names[MAIL_RSA_NUMBERS] = {
	[MAIL_RSA_N] = OSSL_PKEY_PARAM_RSA_N,
	[MAIL_RSA_E] = OSSL_PKEY_PARAM_RSA_E,
	[MAIL_RSA_D] = OSSL_PKEY_PARAM_RSA_D,
	[MAIL_RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[MAIL_RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[MAIL_RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[MAIL_RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
	[MAIL_RSA_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* --- Numbers --- */

int mail_rsa_set(mail_rsa_t *rsa, unsigned i, mail_str_t octets)
{
	while (octets.len > 0 && octets.data[0] == 0) {
		octets.data++;
		octets.len--;
	}
	if (octets.len == 0 || octets.len > NUMBER_MAX) {
		return KNOT_EINVAL;
	}
	/* Of secure numbers, what is made of them is wiped too (OSSL_PARAM_BLD_push_BN(3)). */
	BIGNUM *number = BN_secure_new();
	if (number == NULL ||
	    BN_bin2bn((const uint8_t *)octets.data, (int)octets.len, number) == NULL) {
		BN_clear_free(number);
		ERR_clear_error();
		return KNOT_ENOMEM;
	}
	BN_clear_free(rsa->number[i]);
	rsa->number[i] = number;
	return KNOT_EOK;
}

int mail_rsa_take(const EVP_PKEY *pkey, mail_rsa_t *rsa)
{
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		rsa->number[i] = BN_secure_new();
		if (rsa->number[i] == NULL ||
		    EVP_PKEY_get_bn_param(pkey, names[i], &rsa->number[i]) != 1) {
			return mail_openssl_error();
		}
	}
	return KNOT_EOK;
}

void mail_rsa_clear(mail_rsa_t *rsa)
{
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		BN_clear_free(rsa->number[i]);
		rsa->number[i] = NULL;
	}
}

int mail_rsa_open(const mail_rsa_t *rsa, EVP_PKEY **pkey)
{
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	bool done = ctx != NULL && build != NULL;
	for (unsigned i = 0; done && i < MAIL_RSA_NUMBERS; i++) {
		done = OSSL_PARAM_BLD_push_BN(build, names[i], rsa->number[i]) == 1;
	}
	done = done && (params = OSSL_PARAM_BLD_to_param(build)) != NULL &&
	       EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, pkey, EVP_PKEY_KEYPAIR, params) == 1;
	int ret = done ? KNOT_EOK : mail_openssl_error();
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

/* --- DER --- */

int mail_rsa_read(mail_reader_t *der, mail_rsa_t *rsa)
{
	mail_reader_t sequence = mail_der_enter(der, MAIL_DER_SEQUENCE);
	(void)mail_der_enter(&sequence, MAIL_DER_INTEGER);
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		mail_reader_t number = mail_der_enter(&sequence, MAIL_DER_INTEGER);
		size_t len = mail_read_left(&number);
		if (len == 0 || (number.pos[0] & 0x80) != 0) {
			return KNOT_EMALF;
		}
		int ret = mail_rsa_set(rsa, i, (mail_str_t){ (const char *)number.pos, len });
		if (ret != KNOT_EOK) {
			return ret == KNOT_EINVAL ? KNOT_EMALF : ret;
		}
	}
	return KNOT_EOK;
}

/*! Puts a tag and a length of two octets. */
static void frame_put(mail_buf_t *out, uint8_t tag, size_t len)
{
	mail_buf_u8(out, tag);
	mail_buf_u8(out, 0x82);
	mail_buf_u16(out, (uint16_t)len);
}

/*! Octets of an INTEGER's content: its highest bit is the sign. */
static size_t number_len(const BIGNUM *number)
{
	return (size_t)BN_num_bits(number) / 8 + 1;
}

/*! Puts an INTEGER. */
static void number_put(mail_buf_t *out, const BIGNUM *number)
{
	uint8_t octets[NUMBER_MAX + 1];
	size_t len = number_len(number);
	(void)BN_bn2binpad(number, octets, (int)len);
	mail_buf_u8(out, MAIL_DER_INTEGER);
	if (len >= 0x100) {
		mail_buf_u8(out, 0x82);
		mail_buf_u16(out, (uint16_t)len);
	} else if (len >= 0x80) {
		mail_buf_u8(out, 0x81);
		mail_buf_u8(out, (uint8_t)len);
	} else {
		mail_buf_u8(out, (uint8_t)len);
	}
	mail_buf_put(out, octets, len);
	OPENSSL_cleanse(octets, sizeof(octets));
}

/*! Writes PKCS#8 into fixed memory. All lengths have two octets, as the numbers are long. */
static void pkcs8_put(const mail_rsa_t *rsa, mail_buf_t *out)
{
	size_t numbers = sizeof(version);
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		size_t len = number_len(rsa->number[i]);
		numbers += len + (len >= 0x100 ? 4 : len >= 0x80 ? 3 : 2);
	}
	frame_put(out, MAIL_DER_SEQUENCE,
	          sizeof(version) + sizeof(rsa_encryption) + 2 * FRAME_LEN + numbers);
	mail_buf_put(out, version, sizeof(version));
	mail_buf_put(out, rsa_encryption, sizeof(rsa_encryption));
	frame_put(out, MAIL_DER_OCTETS, FRAME_LEN + numbers);
	frame_put(out, MAIL_DER_SEQUENCE, numbers);
	mail_buf_put(out, version, sizeof(version));
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		number_put(out, rsa->number[i]);
	}
}

/* --- Keys --- */

/*!
 * Says whether two exponents undo each other with a prime: a b = 1 mod (prime - 1).
 *
 * \return KNOT_EOK, KNOT_EMALF; KNOT_ENOMEM, KNOT_ERROR.
 */
static int exponents_check(const BIGNUM *a, const BIGNUM *b, const BIGNUM *prime, BN_CTX *ctx)
{
	BN_CTX_start(ctx);
	BIGNUM *order = BN_CTX_get(ctx), *product = BN_CTX_get(ctx);
	int ret = KNOT_EOK;
	if (product == NULL || BN_copy(order, prime) == NULL || BN_sub_word(order, 1) != 1 ||
	    BN_mod_mul(product, a, b, order, ctx) != 1) {
		ret = mail_openssl_error();
	} else if (!BN_is_one(product)) {
		ret = KNOT_EMALF;
	}
	BN_CTX_end(ctx);
	return ret;
}

/*! Checks that the modulus is the product of the primes, and the coefficient q's inverse. */
static int primes_check(BIGNUM *const number[], BN_CTX *ctx)
{
	const BIGNUM *p = number[MAIL_RSA_P], *q = number[MAIL_RSA_Q];
	if (BN_is_one(p) || BN_is_one(q)) {
		return KNOT_EMALF;
	}
	BN_CTX_start(ctx);
	BIGNUM *product = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx);
	int ret = KNOT_EOK;
	if (rest == NULL || BN_mul(product, p, q, ctx) != 1 ||
	    BN_mod_mul(rest, number[MAIL_RSA_QI], q, p, ctx) != 1) {
		ret = mail_openssl_error();
	} else if (BN_cmp(product, number[MAIL_RSA_N]) != 0 || !BN_is_one(rest)) {
		ret = KNOT_EMALF;
	}
	BN_CTX_end(ctx);
	return ret;
}

/*! Checks that the numbers belong together. */
static int numbers_fit(BIGNUM *const number[])
{
	static const struct {
		unsigned exponent, prime;
	} pairs[] = {
		{ MAIL_RSA_D, MAIL_RSA_P },
		{ MAIL_RSA_D, MAIL_RSA_Q },
		{ MAIL_RSA_DP, MAIL_RSA_P },
		{ MAIL_RSA_DQ, MAIL_RSA_Q },
	};
	BN_CTX *ctx = BN_CTX_secure_new();
	int ret = ctx != NULL ? primes_check(number, ctx) : mail_openssl_error();
	for (size_t i = 0; ret == KNOT_EOK && i < sizeof(pairs) / sizeof(*pairs); i++) {
		ret = exponents_check(number[pairs[i].exponent], number[MAIL_RSA_E],
		                      number[pairs[i].prime], ctx);
	}
	BN_CTX_free(ctx);
	return ret;
}

static int numbers_check(const mail_rsa_t *rsa, mail_diag_t *diag)
{
	int bits = BN_num_bits(rsa->number[MAIL_RSA_N]);
	if (bits < BITS_MIN || bits > BITS_MAX) {
		return mail_diag_error(diag, 0, "an RSA key of %d bits; %d to %d are signed with",
		                       bits, BITS_MIN, BITS_MAX);
	}
	const BIGNUM *e = rsa->number[MAIL_RSA_E];
	if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bytes(e) > EXPONENT_MAX) {
		return mail_diag_error(diag, 0, "an RSA key with a bad public exponent");
	}
	int ret = numbers_fit(rsa->number);
	return ret == KNOT_EMALF
	               ? mail_diag_error(diag, 0, "the numbers of the RSA key do not fit together")
	               : ret;
}

int mail_rsa_private(const mail_rsa_t *rsa, mail_private_t **key, mail_diag_t *diag)
{
	int ret = numbers_check(rsa, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}

	/* Length of the exponent, exponent, modulus (RFC 3110 2). */
	uint8_t public_key[1 + EXPONENT_MAX + NUMBER_MAX];
	size_t len = 1;
	public_key[0] = (uint8_t)BN_bn2bin(rsa->number[MAIL_RSA_E], public_key + len);
	len += public_key[0];
	len += BN_bn2bin(rsa->number[MAIL_RSA_N], public_key + len);

	uint8_t der[MAIL_PKCS8_MAX];
	mail_buf_t out = MAIL_BUF_FIXED(der, sizeof(der));
	pkcs8_put(rsa, &out);
	ret = out.error;
	if (ret == KNOT_EOK) {
		ret = mail_private_new(MAIL_ALGORITHM_RSASHA256,
		                       (mail_str_t){ (const char *)public_key, len },
		                       mail_buf_view(&out), key);
	}
	OPENSSL_cleanse(der, sizeof(der));
	return ret;
}
