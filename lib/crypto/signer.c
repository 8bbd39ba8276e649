/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signer of one thread.  OpenSSL's forms of the keys used last are kept in a small table, because to make one
 * takes time; what OpenSSL looks up by name is looked up once.
 */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "crypto/ecdsa.h"
#include "crypto/keyring.h"
#include "crypto/private.h"
#include "crypto/signatures.h"

/* Keys that are kept: sets of the table, and the keys that may be in each. */
#define SETS_BITS 6
#define SETS (1u << SETS_BITS)
#define WAYS 4
#define SHA256_LEN 32
/* SEQUENCE { INTEGER, INTEGER } of two numbers of 32 octets with a sign each. */
#define ECDSA_DER_MAX (2 + 2 * (2 + MAIL_SECRET_LEN + 1))
#define ECDSA_LEN (2 * MAIL_SECRET_LEN)
#define ED25519_LEN 64

/*! A key that is ready to sign. */
typedef struct {
	mail_private_t *key; /*!< A reference; NULL: free. */
	uint64_t used;       /*!< When it was used last. */
	EVP_PKEY_CTX *sign;  /*!< RSA, and ECDSA if need be: signs a hash. */
	EVP_MD_CTX *whole;   /*!< Ed25519: signs the octets. */
} ready_t;

struct mail_signer {
	mail_signatures_t *signatures;
	const mail_keyring_t *ring;
	uint64_t serial; /*!< Of the ring. */
	uint64_t uses;
	int64_t now;
	unsigned budget;
	unsigned spent; /*!< Of the budget, in this second. */
	mail_signer_counts_t counts;
	EVP_MD *sha256;
	EVP_MD_CTX *hash;
	mail_ecdsa_t *ecdsa; /*!< NULL: ECDSA keys are made ready as others are. */
	ready_t ready[SETS][WAYS];
};

/* --- Ready keys --- */

static void ready_clear(ready_t *ready)
{
	EVP_PKEY_CTX_free(ready->sign);
	EVP_MD_CTX_free(ready->whole);
	mail_private_free(ready->key);
	*ready = (ready_t){ 0 };
}

/*! Sets a context for a signature of octets. */
static int ready_whole(ready_t *ready, EVP_PKEY *pkey)
{
	ready->whole = EVP_MD_CTX_new();
	return ready->whole != NULL && EVP_DigestSignInit(ready->whole, NULL, NULL, NULL, pkey) == 1
	               ? KNOT_EOK
	               : mail_openssl_error();
}

/*! Sets a context for a signature of a hash. */
static int ready_hash(ready_t *ready, EVP_PKEY *pkey, const EVP_MD *sha256)
{
	bool rsa = ready->key->algorithm == MAIL_ALGORITHM_RSASHA256;
	ready->sign = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	return ready->sign != NULL && EVP_PKEY_sign_init(ready->sign) == 1 &&
	                       (!rsa || (EVP_PKEY_CTX_set_rsa_padding(ready->sign,
	                                                              RSA_PKCS1_PADDING) == 1 &&
	                                 EVP_PKEY_CTX_set_signature_md(ready->sign, sha256) == 1))
	               ? KNOT_EOK
	               : mail_openssl_error();
}

/*! Makes a key ready. */
static int ready_make(ready_t *ready, mail_private_t *key, const EVP_MD *sha256)
{
	EVP_PKEY *pkey;
	int ret = mail_private_open(key, &pkey);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ready->key = mail_private_ref(key);
	ret = key->algorithm == MAIL_ALGORITHM_ED25519 ? ready_whole(ready, pkey)
	                                               : ready_hash(ready, pkey, sha256);
	EVP_PKEY_free(pkey); /* The context has a reference. */
	if (ret != KNOT_EOK) {
		ready_clear(ready);
	}
	return ret;
}

static inline bool key_same(const mail_private_t *mine, const mail_dnskey_t *key)
{
	return mine->algorithm == key->algorithm && mine->public_len == key->public_len &&
	       memcmp(mine->octets, key->public_key, key->public_len) == 0;
}

static ready_t *ready_set(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	uint32_t hash = mail_public_hash(key->public_key, key->public_len);
	return (ready_t *)signer->ready[hash >> (32 - SETS_BITS)];
}

/*! The place of a key, or NULL. */
static ready_t *ready_find(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	ready_t *set = ready_set(signer, key);
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].key != NULL && key_same(set[i].key, key)) {
			return &set[i];
		}
	}
	return NULL;
}

static mail_private_t *private_find(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	mail_str_t public_key = { (const char *)key->public_key, key->public_len };
	return signer->ring != NULL ? mail_keyring_find(signer->ring, key->algorithm, public_key)
	                            : NULL;
}

/*! The key, made ready; the one of the set that was not used for longest makes room. */
static int ready_get(mail_signer_t *signer, const mail_dnskey_t *key, ready_t **out)
{
	ready_t *ready = ready_find(signer, key);
	if (ready == NULL) {
		mail_private_t *mine = private_find(signer, key);
		if (mine == NULL) {
			return KNOT_ENOENT;
		}
		ready_t *set = ready_set(signer, key);
		ready = &set[0];
		for (unsigned i = 1; i < WAYS; i++) {
			ready = set[i].used < ready->used ? &set[i] : ready;
		}
		ready_clear(ready);
		int ret = ready_make(ready, mine, signer->sha256);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	ready->used = ++signer->uses;
	*out = ready;
	return KNOT_EOK;
}

/* --- Signing --- */

/*! Copies a number of DER to 32 octets. */
static bool number_copy(mail_reader_t *der, uint8_t out[MAIL_SECRET_LEN])
{
	mail_reader_t number = mail_der_enter(der, MAIL_DER_INTEGER);
	size_t len = mail_read_left(&number);
	const uint8_t *pos = number.pos;
	if (len == MAIL_SECRET_LEN + 1 && *pos == 0) {
		pos++;
		len--;
	}
	if (len == 0 || len > MAIL_SECRET_LEN) {
		return false;
	}
	memset(out, 0, MAIL_SECRET_LEN - len);
	memcpy(out + MAIL_SECRET_LEN - len, pos, len);
	return true;
}

/*! Turns the DER of an ECDSA signature into r and s (RFC 6605 4). */
static int ecdsa_flatten(const uint8_t *octets, size_t len, uint8_t *signature)
{
	mail_reader_t der = MAIL_READER(octets, len);
	mail_reader_t sequence = mail_der_enter(&der, MAIL_DER_SEQUENCE);
	return number_copy(&sequence, signature) &&
	                       number_copy(&sequence, signature + MAIL_SECRET_LEN)
	               ? ECDSA_LEN
	               : KNOT_ERROR;
}

/*! Makes the hash that ECDSA and RSA sign. */
static bool hash_make(const mail_signer_t *signer, const uint8_t *octets, size_t len,
                      uint8_t hash[SHA256_LEN])
{
	return EVP_DigestInit_ex2(signer->hash, signer->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(signer->hash, octets, len) == 1 &&
	       EVP_DigestFinal_ex(signer->hash, hash, NULL) == 1;
}

static int hash_sign(const mail_signer_t *signer, const ready_t *ready, const uint8_t *octets,
                     size_t len, uint8_t *signature)
{
	uint8_t hash[SHA256_LEN];
	if (!hash_make(signer, octets, len, hash)) {
		return mail_openssl_error();
	}
	if (ready->key->algorithm == MAIL_ALGORITHM_RSASHA256) {
		size_t made = MAIL_SIGNATURE_MAX;
		return EVP_PKEY_sign(ready->sign, signature, &made, hash, sizeof(hash)) == 1
		               ? (int)made
		               : mail_openssl_error();
	}
	uint8_t der[ECDSA_DER_MAX];
	size_t made = sizeof(der);
	return EVP_PKEY_sign(ready->sign, der, &made, hash, sizeof(hash)) == 1
	               ? ecdsa_flatten(der, made, signature)
	               : mail_openssl_error();
}

/*! Signs with a key of P-256, which need not be made ready. */
static int ecdsa_sign(const mail_signer_t *signer, const mail_dnskey_t *key, const uint8_t *octets,
                      size_t len, uint8_t *signature)
{
	uint8_t hash[SHA256_LEN];
	const mail_private_t *mine = private_find(signer, key);
	if (mine == NULL) {
		return KNOT_ENOENT;
	}
	if (!hash_make(signer, octets, len, hash)) {
		return mail_openssl_error();
	}
	return mail_ecdsa_sign(signer->ecdsa, mail_private_secret(mine), hash, signature);
}

static int whole_sign(const ready_t *ready, const uint8_t *octets, size_t len, uint8_t *signature)
{
	/* Begins anew with the same key: a context that has signed is not to be used again without. */
	size_t made = MAIL_SIGNATURE_MAX;
	return EVP_DigestSignInit(ready->whole, NULL, NULL, NULL, NULL) == 1 &&
	                       EVP_DigestSign(ready->whole, signature, &made, octets, len) == 1
	               ? (int)made
	               : mail_openssl_error();
}

static int ready_sign(mail_signer_t *signer, const mail_dnskey_t *key, const uint8_t *octets,
                      size_t len, uint8_t *signature)
{
	ready_t *ready;
	int ret = ready_get(signer, key, &ready);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = ready->whole != NULL ? whole_sign(ready, octets, len, signature)
	                           : hash_sign(signer, ready, octets, len, signature);
	if (ret < 0) {
		ready_clear(ready); /* Who knows what state it is in. */
	}
	return ret;
}

static int signature_make(mail_signer_t *signer, const mail_dnskey_t *key, const uint8_t *octets,
                          size_t len, uint8_t *signature)
{
	bool direct = key->algorithm == MAIL_ALGORITHM_ECDSAP256SHA256 && signer->ecdsa != NULL;
	int ret = direct ? ecdsa_sign(signer, key, octets, len, signature)
	                 : ready_sign(signer, key, octets, len, signature);
	signer->counts.made += ret > 0;
	return ret;
}

/*! Octets of a signature, or 0 of a key that makes none. */
static size_t signature_len(const mail_dnskey_t *key)
{
	if (key->algorithm != MAIL_ALGORITHM_RSASHA256) {
		return ED25519_LEN; /* As ECDSA_LEN. */
	}
	/* As long as the modulus, which stands behind the exponent (RFC 3110 2). */
	size_t head = key->public_len > 0 ? 1 + (size_t)key->public_key[0] : 0;
	size_t len = head > 1 && head < key->public_len ? key->public_len - head : 0;
	return len <= MAIL_SIGNATURE_MAX ? len : 0;
}

/* --- API --- */

mail_signer_t *mail_signer_new(mail_signatures_t *signatures, unsigned budget)
{
	mail_signer_t *signer = calloc(1, sizeof(*signer));
	if (signer == NULL) {
		return NULL;
	}
	signer->signatures = signatures;
	signer->budget = budget;
	signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	signer->hash = EVP_MD_CTX_new();
	signer->ecdsa = mail_ecdsa_new();
	if (signer->sha256 == NULL || signer->hash == NULL) {
		ERR_clear_error();
		mail_signer_free(signer);
		return NULL;
	}
	return signer;
}

void mail_signer_free(mail_signer_t *signer)
{
	if (signer == NULL) {
		return;
	}
	for (unsigned i = 0; i < SETS * WAYS; i++) {
		ready_clear(&signer->ready[i / WAYS][i % WAYS]);
	}
	mail_ecdsa_free(signer->ecdsa);
	EVP_MD_CTX_free(signer->hash);
	EVP_MD_free(signer->sha256);
	free(signer);
}

void mail_signer_sync(mail_signer_t *signer, const mail_keyring_t *ring, int64_t now)
{
	if (now != signer->now) {
		signer->now = now;
		signer->spent = 0;
	}
	uint64_t serial = mail_keyring_serial(ring);
	signer->ring = ring;
	if (serial == signer->serial) {
		return;
	}

	/* Keys that left the ring do not stay here. */
	signer->serial = serial;
	mail_ecdsa_forget(signer->ecdsa);
	for (unsigned i = 0; i < SETS * WAYS; i++) {
		ready_t *ready = &signer->ready[i / WAYS][i % WAYS];
		mail_private_t *key = ready->key;
		if (key != NULL &&
		    (ring == NULL ||
		     mail_keyring_find(ring, key->algorithm, mail_private_public(key)) != key)) {
			ready_clear(ready);
		}
	}
}

bool mail_signer_has(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	return ready_find(signer, key) != NULL || private_find(signer, key) != NULL;
}

int mail_signer_sign(mail_signer_t *signer, const mail_dnskey_t *key, unsigned flags,
                     const uint8_t *octets, size_t len, uint8_t signature[MAIL_SIGNATURE_MAX])
{
	if ((flags & (MAIL_SIGN_FLEETING | MAIL_SIGN_UNBOUNDED)) != 0) {
		bool bounded = signer->budget > 0 && (flags & MAIL_SIGN_UNBOUNDED) == 0;
		if (bounded && signer->spent >= signer->budget) {
			signer->counts.refused++;
			return KNOT_ELIMIT;
		}
		int ret = signature_make(signer, key, octets, len, signature);
		signer->spent += bounded && ret > 0;
		return ret;
	}

	size_t made = signature_len(key);
	if (signer->signatures == NULL || made == 0) {
		return signature_make(signer, key, octets, len, signature);
	}
	mail_str_t public_key = { (const char *)key->public_key, key->public_len };
	mail_digest_t digest = mail_signatures_digest(signer->signatures, public_key, octets, len);
	if (mail_signatures_get(signer->signatures, digest, signature, made)) {
		signer->counts.cached++;
		return (int)made;
	}
	int ret = signature_make(signer, key, octets, len, signature);
	if (ret == (int)made) {
		mail_signatures_put(signer->signatures, digest, signature, made);
	}
	return ret;
}

mail_signer_counts_t mail_signer_counts(mail_signer_t *signer)
{
	mail_signer_counts_t counts = signer->counts;
	signer->counts = (mail_signer_counts_t){ 0 };
	return counts;
}
