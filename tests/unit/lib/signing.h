/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What the tests of keys and signatures share: base64, RRsets, and OpenSSL's word on a signature.
 */
#pragma once

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "dns/rrsig.h"
#include "mail/signer.h"

#include "unit.h"

/*! Decodes base64 without white space. \return Octets. */
__attribute__((unused)) static size_t signing_base64(const char *text, uint8_t *out)
{
	size_t len = strlen(text);
	int octets = EVP_DecodeBlock(out, (const uint8_t *)text, (int)len);
	REQUIRE(octets >= 0);
	return octets - (len > 0 && text[len - 1] == '=') - (len > 1 && text[len - 2] == '=');
}

/*! A DNSKEY of an algorithm and base64; the tag is given. */
__attribute__((unused)) static mail_dnskey_t signing_dnskey(mail_algorithm_t algorithm,
                                                            uint16_t tag, const char *base64)
{
	mail_dnskey_t key = { .algorithm = algorithm, .tag = tag };
	key.public_len = (uint16_t)signing_base64(base64, key.public_key);
	return key;
}

/*! The DNSKEY of a private key; the tag is any. */
__attribute__((unused)) static mail_dnskey_t signing_public(const mail_private_t *private)
{
	mail_dnskey_t key = { .algorithm = mail_private_algorithm(private), .tag = 12345 };
	mail_str_t octets = mail_private_public(private);
	key.public_len = (uint16_t)octets.len;
	memcpy(key.public_key, octets.data, octets.len);
	return key;
}

/*! Make OpenSSL's form of a public key, RSA's of its numbers. */
static EVP_PKEY *signing_evp(const mail_dnskey_t *key)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	uint8_t point[1 + MAIL_DNSKEY_PUBLIC_MAX] = { 4 };
	BIGNUM *n = NULL, *e = NULL;
	const char *type;
	switch (key->algorithm) {
	case MAIL_ALGORITHM_RSASHA256:
		type = "RSA";
		e = BN_bin2bn(key->public_key + 1, key->public_key[0], NULL);
		n = BN_bin2bn(key->public_key + 1 + key->public_key[0],
		              key->public_len - 1 - key->public_key[0], NULL);
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
		break;
	case MAIL_ALGORITHM_ECDSAP256SHA256:
		type = "EC";
		memcpy(point + 1, key->public_key, key->public_len);
		OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
		                                 key->public_len + 1);
		break;
	default:
		type = "ED25519";
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, key->public_key,
		                                 key->public_len);
	}
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	REQUIRE(params != NULL && ctx != NULL);
	CHECK_INT(EVP_PKEY_fromdata_init(ctx), 1);
	CHECK_INT(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return pkey;
}

/*! Return whether OpenSSL takes a signature for good. */
__attribute__((unused)) static bool signing_verify(const mail_dnskey_t *key, const uint8_t *octets,
                                                   size_t len, const uint8_t *signature,
                                                   size_t signature_len)
{
	uint8_t *der = NULL;
	if (key->algorithm == MAIL_ALGORITHM_ECDSAP256SHA256) {
		if (signature_len != 64) {
			return false;
		}
		ECDSA_SIG *pair = ECDSA_SIG_new();
		ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL),
		               BN_bin2bn(signature + 32, 32, NULL));
		signature_len = (size_t)i2d_ECDSA_SIG(pair, &der);
		ECDSA_SIG_free(pair);
		signature = der;
	}
	EVP_PKEY *pkey = signing_evp(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *hash = key->algorithm == MAIL_ALGORITHM_ED25519 ? NULL : "SHA256";
	bool good = EVP_DigestVerifyInit_ex(ctx, NULL, hash, NULL, NULL, pkey, NULL) == 1 &&
	            EVP_DigestVerify(ctx, signature, signature_len, octets, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	OPENSSL_free(der);
	return good;
}

/*! A wire name of text, to be freed. */
__attribute__((unused)) static knot_dname_t *signing_name(const char *text)
{
	knot_dname_t *name = knot_dname_from_str_alloc(text);
	REQUIRE(name != NULL);
	return name;
}
