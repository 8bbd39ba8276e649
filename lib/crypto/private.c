/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys.  Every octet of one, and of what it was made from, is wiped before its memory is given back.
 */
#include "config.h"

#include "crypto/private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#define RSA_BITS_DEFAULT 2048
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
/* A point of P-256: 04, x, y; a DNSKEY has x and y alone (RFC 6605 4). */
#define POINT_LEN (1 + 2 * MAIL_SECRET_LEN)
#define POINT_UNCOMPRESSED 4
#define P256_NAME "prime256v1"
/* Characters in a line of PEM (RFC 7468 2), and the octets that they stand for. */
#define PEM_LINE 64
#define PEM_LINE_OCTETS (PEM_LINE / 4 * 3)

static const char pem_begin[] = "-----BEGIN PRIVATE KEY-----\n";
static const char pem_end[] = "-----END PRIVATE KEY-----\n";

/* What stands before the 32 octets in PKCS#8 (RFC 8410 7). */
static const uint8_t ed25519_head[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
	                                0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
/* The same for P-256 (RFC 5480, RFC 5915), and what stands between the secret and the point. */
static const uint8_t p256_head[] = { 0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
	                             0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
	                             0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
	                             0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const uint8_t p256_middle[] = { 0xa1, 0x44, 0x03, 0x42, 0x00, POINT_UNCOMPRESSED };

/* --- Public halves --- */

/*! Calculates the point of a secret number of P-256. */
static int p256_point(const uint8_t *secret, uint8_t point[POINT_LEN])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *number = BN_secure_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *public_key = group != NULL ? EC_POINT_new(group) : NULL;
	int ret = KNOT_EOK;
	if (ctx == NULL || number == NULL || public_key == NULL ||
	    BN_bin2bn(secret, MAIL_SECRET_LEN, number) == NULL) {
		ret = KNOT_ENOMEM;
	} else if (BN_is_zero(number) || BN_cmp(number, EC_GROUP_get0_order(group)) >= 0) {
		ret = KNOT_EINVAL;
	} else if (EC_POINT_mul(group, public_key, number, NULL, NULL, ctx) != 1 ||
	           EC_POINT_point2oct(group, public_key, POINT_CONVERSION_UNCOMPRESSED, point,
	                              POINT_LEN, ctx) != POINT_LEN) {
		ret = mail_openssl_error();
	}
	EC_POINT_free(public_key);
	EC_GROUP_free(group);
	BN_clear_free(number);
	BN_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

static int ed25519_point(const uint8_t *secret, uint8_t point[MAIL_SECRET_LEN])
{
	size_t len = MAIL_SECRET_LEN;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, len);
	int ret = KNOT_EOK;
	if (pkey == NULL || EVP_PKEY_get_raw_public_key(pkey, point, &len) != 1) {
		ret = mail_openssl_error();
	}
	EVP_PKEY_free(pkey);
	return ret;
}

/* --- Making --- */

int mail_private_new(mail_algorithm_t algorithm, mail_str_t public_key, mail_str_t secret,
                     mail_private_t **key)
{
	mail_private_t *made = malloc(sizeof(*made) + public_key.len + secret.len);
	if (made == NULL) {
		return KNOT_ENOMEM;
	}
	atomic_init(&made->refs, 1);
	made->algorithm = algorithm;
	made->public_len = (uint16_t)public_key.len;
	made->secret_len = (uint16_t)secret.len;
	memcpy(made->octets, public_key.data, public_key.len);
	memcpy(made->octets + public_key.len, secret.data, secret.len);
	*key = made;
	return KNOT_EOK;
}

int mail_private_of_secret(mail_algorithm_t algorithm, const uint8_t secret[MAIL_SECRET_LEN],
                           mail_private_t **key)
{
	uint8_t point[POINT_LEN];
	bool p256 = algorithm == MAIL_ALGORITHM_ECDSAP256SHA256;
	int ret = p256 ? p256_point(secret, point) : ed25519_point(secret, point);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_str_t public_key = p256 ? (mail_str_t){ (const char *)point + 1, POINT_LEN - 1 }
	                             : (mail_str_t){ (const char *)point, MAIL_SECRET_LEN };
	return mail_private_new(algorithm, public_key,
	                        (mail_str_t){ (const char *)secret, MAIL_SECRET_LEN }, key);
}

static int rsa_generate(unsigned bits, mail_private_t **key)
{
	mail_rsa_t rsa = { 0 };
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	int ret = pkey != NULL ? mail_rsa_take(pkey, &rsa) : mail_openssl_error();
	if (ret == KNOT_EOK) {
		ret = mail_rsa_private(&rsa, key, NULL);
	}
	mail_rsa_clear(&rsa);
	EVP_PKEY_free(pkey);
	return ret;
}

/*! A secret is 32 random octets; one in 2^32 is too large for P-256. */
static int secret_generate(mail_algorithm_t algorithm, mail_private_t **key)
{
	uint8_t secret[MAIL_SECRET_LEN];
	int ret;
	do {
		ret = RAND_priv_bytes(secret, sizeof(secret)) == 1
		              ? mail_private_of_secret(algorithm, secret, key)
		              : mail_openssl_error();
	} while (ret == KNOT_EINVAL);
	OPENSSL_cleanse(secret, sizeof(secret));
	return ret;
}

/* --- Opening --- */

static int evp_make(const char *type, OSSL_PARAM *params, EVP_PKEY **pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	int ret = KNOT_EOK;
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, pkey, EVP_PKEY_KEYPAIR, params) != 1) {
		ret = mail_openssl_error();
	}
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

static int p256_open(const mail_private_t *key, EVP_PKEY **pkey)
{
	uint8_t point[POINT_LEN] = { POINT_UNCOMPRESSED };
	uint8_t native[MAIL_SECRET_LEN];
	char group[] = P256_NAME;
	memcpy(point + 1, key->octets, POINT_LEN - 1);
	memcpy(native, mail_private_secret(key), sizeof(native));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (size_t i = 0; i < sizeof(native) / 2; i++) {
		uint8_t octet = native[i];
		native[i] = native[sizeof(native) - 1 - i];
		native[sizeof(native) - 1 - i] = octet;
	}
#endif
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native)),
		OSSL_PARAM_construct_end(),
	};
	int ret = evp_make("EC", params, pkey);
	OPENSSL_cleanse(native, sizeof(native));
	return ret;
}

static int ed25519_open(const mail_private_t *key, EVP_PKEY **pkey)
{
	/* With the public half, it is not calculated again. OpenSSL writes to neither. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)key->octets,
		                                  MAIL_SECRET_LEN),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
		                                  (void *)mail_private_secret(key),
		                                  MAIL_SECRET_LEN),
		OSSL_PARAM_construct_end(),
	};
	return evp_make("ED25519", params, pkey);
}

static int rsa_open(const mail_private_t *key, EVP_PKEY **pkey)
{
	mail_rsa_t rsa = { 0 };
	mail_reader_t der = MAIL_READER(mail_private_secret(key), key->secret_len);
	mail_reader_t oid, parameters;
	mail_reader_t inside = mail_pkcs8_enter(&der, &oid, &parameters);
	int ret = mail_rsa_read(&inside, &rsa);
	if (ret == KNOT_EOK) {
		ret = mail_rsa_open(&rsa, pkey);
	}
	mail_rsa_clear(&rsa);
	return ret;
}

int mail_private_open(const mail_private_t *key, EVP_PKEY **pkey)
{
	*pkey = NULL;
	switch (key->algorithm) {
	case MAIL_ALGORITHM_RSASHA256: return rsa_open(key, pkey);
	case MAIL_ALGORITHM_ECDSAP256SHA256: return p256_open(key, pkey);
	default: return ed25519_open(key, pkey);
	}
}

/* --- Printing --- */

/*! Writes PKCS#8 into fixed memory. */
static void pkcs8_put(const mail_private_t *key, mail_buf_t *out)
{
	const uint8_t *secret = mail_private_secret(key);
	switch (key->algorithm) {
	case MAIL_ALGORITHM_RSASHA256: mail_buf_put(out, secret, key->secret_len); break;
	case MAIL_ALGORITHM_ECDSAP256SHA256:
		mail_buf_put(out, p256_head, sizeof(p256_head));
		mail_buf_put(out, secret, key->secret_len);
		mail_buf_put(out, p256_middle, sizeof(p256_middle));
		mail_buf_put(out, key->octets, key->public_len);
		break;
	default:
		mail_buf_put(out, ed25519_head, sizeof(ed25519_head));
		mail_buf_put(out, secret, key->secret_len);
	}
}

int mail_private_print(const mail_private_t *key, mail_buf_t *pem)
{
	uint8_t der[MAIL_PKCS8_MAX];
	uint8_t text[(MAIL_PKCS8_MAX / PEM_LINE_OCTETS + 1) * (PEM_LINE + 1) + sizeof(pem_begin) +
	             sizeof(pem_end)];
	mail_buf_t octets = MAIL_BUF_FIXED(der, sizeof(der));
	/* All at once: a buffer that grows leaves copies behind. */
	mail_buf_t all = MAIL_BUF_FIXED(text, sizeof(text));
	pkcs8_put(key, &octets);
	mail_buf_str(&all, pem_begin);
	for (size_t i = 0; i < octets.len; i += PEM_LINE_OCTETS) {
		uint8_t line[PEM_LINE + 1];
		size_t left = octets.len - i;
		int len = EVP_EncodeBlock(line, der + i,
		                          (int)(left < PEM_LINE_OCTETS ? left : PEM_LINE_OCTETS));
		mail_buf_put(&all, line, len);
		mail_buf_u8(&all, '\n');
		OPENSSL_cleanse(line, sizeof(line));
	}
	mail_buf_str(&all, pem_end);

	int ret = octets.error != KNOT_EOK ? octets.error : all.error;
	if (ret == KNOT_EOK) {
		ret = mail_buf_put(pem, all.data, all.len);
	}
	OPENSSL_cleanse(der, sizeof(der));
	OPENSSL_cleanse(text, sizeof(text));
	return ret;
}

/* --- API --- */

int mail_private_generate(mail_algorithm_t algorithm, unsigned bits, mail_private_t **key)
{
	*key = NULL;
	switch (algorithm) {
	case MAIL_ALGORITHM_RSASHA256:
		bits = bits != 0 ? bits : RSA_BITS_DEFAULT;
		return bits < RSA_BITS_MIN || bits > RSA_BITS_MAX ? KNOT_EINVAL
		                                                  : rsa_generate(bits, key);
	case MAIL_ALGORITHM_ECDSAP256SHA256:
	case MAIL_ALGORITHM_ED25519: return secret_generate(algorithm, key);
	default: return KNOT_EINVAL;
	}
}

mail_algorithm_t mail_private_algorithm(const mail_private_t *key)
{
	return key->algorithm;
}

mail_str_t mail_private_public(const mail_private_t *key)
{
	return (mail_str_t){ (const char *)key->octets, key->public_len };
}

mail_private_t *mail_private_ref(mail_private_t *key)
{
	atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
	return key;
}

void mail_private_free(mail_private_t *key)
{
	if (key != NULL && atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) == 1) {
		OPENSSL_cleanse(key->octets, (size_t)key->public_len + key->secret_len);
		free(key);
	}
}

int mail_private_file(mail_str_t set, mail_algorithm_t algorithm, uint16_t tag, char *name,
                      size_t size)
{
	/* Not to leave the directory, nor to hide in it. */
	if (set.len == 0 || set.data[0] == '.' || memchr(set.data, '/', set.len) != NULL ||
	    memchr(set.data, '\0', set.len) != NULL) {
		return KNOT_EINVAL;
	}
	int len = snprintf(name, size, "%.*s+%03u+%05u.pem", (int)set.len, set.data,
	                   (unsigned)algorithm, tag);
	return len >= 0 && (size_t)len < size ? KNOT_EOK : KNOT_ESPACE;
}
