/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys: what is kept of one, and OpenSSL's form of it, which makes, checks and prints it. What is kept is
 * wiped before its memory is given back.
 *
 * A key comes as PKCS#8. The secret of a curve is taken out of it here, and its point calculated: for each key of a
 * million that knotd reads at start, OpenSSL's decoder would take 0.12 to 0.23 ms in place of 0.03 to 0.05 (3.0), and
 * would leave a copy behind in memory that it gave back. RSA keys go through the decoder.
 */
#include "config.h"

#include "crypto/private.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "mail/chars.h"

/* RFC 5702 2.1 allows shorter ones; nobody should make one (RFC 8624 3.1). */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_BITS_DEFAULT 2048
/* Longer ones are not verified by everybody. */
#define RSA_EXPONENT_MAX 8
#define P256_NAME "prime256v1"
/* A point of P-256: 04, x, y. */
#define POINT_LEN (1 + 2 * MAIL_SECRET_LEN)

/* --- Out of PKCS#8 --- */

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

/*! Write the public half: the length of the exponent, the exponent, the modulus (RFC 3110 2). */
static int rsa_public(const BIGNUM *n, const BIGNUM *e, mail_buf_t *out, mail_diag_t *diag)
{
	int bits = BN_num_bits(n);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		return mail_diag_error(diag, 0,
		                       "an RSA key of %d bits; mod-mail signs with %d to %d", bits,
		                       RSA_BITS_MIN, RSA_BITS_MAX);
	}
	if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bytes(e) > RSA_EXPONENT_MAX) {
		return mail_diag_error(diag, 0, "an RSA key with a bad public exponent");
	}
	mail_buf_u8(out, (uint8_t)BN_num_bytes(e));
	out->len += BN_bn2bin(e, out->data + out->len);
	out->len += BN_bn2bin(n, out->data + out->len);
	return KNOT_EOK;
}

/*! Take RSAPrivateKey (RFC 8017 A.1.2), which is kept as it is. */
static int rsa_take(const uint8_t *der, int len, mail_private_t **key, mail_diag_t *diag)
{
	uint8_t room[1 + RSA_EXPONENT_MAX + RSA_BITS_MAX / 8];
	mail_buf_t public_key = MAIL_BUF_FIXED(room, sizeof(room));
	BIGNUM *n = NULL, *e = NULL;
	const uint8_t *pos = der;
	EVP_PKEY *pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &pos, len);
	int ret;
	if (pkey == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
		ret = mail_openssl_damaged(diag);
		goto done;
	}
	ret = rsa_public(n, e, &public_key, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	if (pos != der + len || len > UINT16_MAX) {
		ret = mail_private_damaged(diag);
		goto done;
	}
	ret = mail_private_new(MAIL_ALGORITHM_RSASHA256, mail_buf_view(&public_key),
	                       (mail_str_t){ (const char *)der, (size_t)len }, key);
done:
	BN_free(e);
	BN_free(n);
	EVP_PKEY_free(pkey);
	return ret;
}

/*!
 * Calculate the point of a secret number of P-256.
 *
 * \return KNOT_EOK; KNOT_EINVAL: no number of the curve; KNOT_ENOMEM, KNOT_ERROR.
 */
static int p256_point(const uint8_t *secret, uint8_t point[POINT_LEN])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *number = BN_secure_new();
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *public_key = NULL;
	int ret = KNOT_EOK;
	if (ctx == NULL || number == NULL || group == NULL ||
	    (public_key = EC_POINT_new(group)) == NULL ||
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

int mail_private_of_secret(mail_algorithm_t algorithm, mail_str_t octets, mail_private_t **key,
                           mail_diag_t *diag)
{
	bool p256 = algorithm == MAIL_ALGORITHM_ECDSAP256SHA256;
	while (p256 && octets.len > MAIL_SECRET_LEN && octets.data[0] == 0) {
		octets = mail_str_from(octets, 1);
	}
	if (octets.len == 0 || octets.len > MAIL_SECRET_LEN ||
	    (!p256 && octets.len != MAIL_SECRET_LEN)) {
		return mail_private_damaged(diag);
	}
	uint8_t secret[MAIL_SECRET_LEN] = { 0 }, point[POINT_LEN];
	memcpy(secret + sizeof(secret) - octets.len, octets.data, octets.len);

	/* A DNSKEY has x and y alone (RFC 6605 4). */
	mail_str_t public_key = { (const char *)point, MAIL_SECRET_LEN };
	int ret;
	if (p256) {
		ret = p256_point(secret, point);
		public_key = (mail_str_t){ (const char *)point + 1, POINT_LEN - 1 };
	} else {
		ret = ed25519_point(secret, point);
	}
	if (ret == KNOT_EINVAL) {
		ret = mail_private_damaged(diag);
	}
	if (ret == KNOT_EOK) {
		ret = mail_private_new(algorithm, public_key,
		                       (mail_str_t){ (const char *)secret, sizeof(secret) }, key);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return ret;
}

/*!
 * Take a key of P-256: the parameters of PKCS#8 name the curve (RFC 5480 2.1.1), and
 *
 *     ECPrivateKey ::= SEQUENCE { version INTEGER 1, privateKey OCTET STRING, ... }    (RFC 5915 3)
 */
static int p256_take(const X509_ALGOR *algorithm, const uint8_t *der, int len, mail_private_t **key,
                     mail_diag_t *diag)
{
	static const uint8_t inside[] = { 0x02, 0x01, 0x01, 0x04 };
	const void *curve = NULL;
	int type;
	X509_ALGOR_get0(NULL, &type, &curve, algorithm);
	if (type != V_ASN1_OBJECT || OBJ_obj2nid(curve) != NID_X9_62_prime256v1) {
		return mail_diag_error(diag, 0, "an elliptic curve that is not P-256 by its name");
	}
	/* Of all keys of P-256, the lengths of the sequence and of the secret have one octet. */
	if (len < 7 || der[0] != 0x30 || memcmp(der + 2, inside, sizeof(inside)) != 0 ||
	    der[6] > len - 7) {
		return mail_private_damaged(diag);
	}
	return mail_private_of_secret(MAIL_ALGORITHM_ECDSAP256SHA256,
	                              (mail_str_t){ (const char *)der + 7, der[6] }, key, diag);
}

int mail_private_take(const PKCS8_PRIV_KEY_INFO *info, mail_private_t **key, mail_diag_t *diag)
{
	const ASN1_OBJECT *oid = NULL;
	const X509_ALGOR *algorithm = NULL;
	const uint8_t *der = NULL;
	int len = 0;
	if (PKCS8_pkey_get0(&oid, &der, &len, &algorithm, info) != 1) {
		return mail_openssl_damaged(diag);
	}
	switch (OBJ_obj2nid(oid)) {
	case NID_rsaEncryption: return rsa_take(der, len, key, diag);
	case NID_X9_62_id_ecPublicKey: return p256_take(algorithm, der, len, key, diag);
	case NID_ED25519:
		/* OCTET STRING (RFC 8410 7). */
		if (len < 2 || der[0] != 0x04 || der[1] != len - 2) {
			return mail_private_damaged(diag);
		}
		return mail_private_of_secret(MAIL_ALGORITHM_ED25519,
		                              (mail_str_t){ (const char *)der + 2, der[1] }, key,
		                              diag);
	default:
		return mail_diag_error(
			diag, 0,
			"mod-mail does not sign with an algorithm of this kind, only with "
			"Ed25519, ECDSA P-256 and RSA");
	}
}

int mail_private_of_pkey(const EVP_PKEY *pkey, mail_private_t **key, mail_diag_t *diag)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	if (info == NULL) {
		return mail_openssl_damaged(diag);
	}
	int ret = mail_private_take(info, key, diag);
	PKCS8_PRIV_KEY_INFO_free(info);
	return ret;
}

/* --- Into OpenSSL's form --- */

static EVP_PKEY *p256_open(const uint8_t secret[MAIL_SECRET_LEN])
{
	/* PKCS#8 (RFC 5958, RFC 5480) around an ECPrivateKey without its point (RFC 5915). */
	uint8_t der[] = { 0x30, 0x41, 0x02, 0x01, 0x00, 0x30,
		          0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
		          0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
		          0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
		          0x01, 0x07, 0x04, 0x27, 0x30, 0x25,
		          0x02, 0x01, 0x01, 0x04, 0x20, [35 + MAIL_SECRET_LEN - 1] = 0 };
	memcpy(der + 35, secret, MAIL_SECRET_LEN);
	const uint8_t *pos = der;
	EVP_PKEY *pkey = d2i_PrivateKey(EVP_PKEY_EC, NULL, &pos, sizeof(der));
	OPENSSL_cleanse(der, sizeof(der));
	/* For print: as keys are written that had their point from the beginning. */
	if (pkey != NULL &&
	    EVP_PKEY_set_int_param(pkey, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1) != 1) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

/*! With the public half, OpenSSL need not calculate it again, which takes as long as a signature. */
static EVP_PKEY *ed25519_open(const mail_private_t *key)
{
	/* OpenSSL writes to neither. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)key->octets,
		                                  MAIL_SECRET_LEN),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
		                                  (void *)mail_private_secret(key),
		                                  MAIL_SECRET_LEN),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "ED25519", NULL);
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

int mail_private_open(const mail_private_t *key, EVP_PKEY **pkey)
{
	const uint8_t *secret = mail_private_secret(key);
	switch (key->algorithm) {
	case MAIL_ALGORITHM_RSASHA256:
		*pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &secret, key->secret_len);
		break;
	case MAIL_ALGORITHM_ECDSAP256SHA256: *pkey = p256_open(secret); break;
	default: *pkey = ed25519_open(key);
	}
	return *pkey != NULL ? KNOT_EOK : mail_openssl_error();
}

/* --- API --- */

int mail_private_generate(mail_algorithm_t algorithm, unsigned bits, mail_private_t **key)
{
	*key = NULL;
	EVP_PKEY *pkey;
	switch (algorithm) {
	case MAIL_ALGORITHM_RSASHA256:
		bits = bits != 0 ? bits : RSA_BITS_DEFAULT;
		if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
			return KNOT_EINVAL;
		}
		pkey = EVP_RSA_gen(bits);
		break;
	case MAIL_ALGORITHM_ECDSAP256SHA256: pkey = EVP_EC_gen(P256_NAME); break;
	case MAIL_ALGORITHM_ED25519: pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
	default: return KNOT_EINVAL;
	}
	if (pkey == NULL) {
		return mail_openssl_error();
	}
	int ret = mail_private_of_pkey(pkey, key, NULL);
	EVP_PKEY_free(pkey);
	return ret;
}

int mail_private_check(const mail_private_t *key, mail_diag_t *diag)
{
	EVP_PKEY *pkey;
	int ret = mail_private_open(key, &pkey);
	if (ret != KNOT_EOK) {
		return ret;
	}
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL) {
		ret = mail_openssl_error();
	} else if (EVP_PKEY_check(ctx) != 1) {
		ret = mail_openssl_error();
		if (ret != KNOT_ENOMEM) {
			ret = mail_diag_error(diag, 0,
			                      "the numbers of the key do not fit together");
		}
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ret;
}

int mail_private_print(const mail_private_t *key, mail_buf_t *pem)
{
	EVP_PKEY *pkey;
	int ret = mail_private_open(key, &pkey);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* Wipes what it held when it is freed. */
	BIO *bio = BIO_new(BIO_s_secmem());
	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		ret = mail_openssl_error();
		goto done;
	}
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	ret = mail_buf_put(pem, text, (size_t)len);
done:
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return ret;
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
