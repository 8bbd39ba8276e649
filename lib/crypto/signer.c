/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signer of one thread. OpenSSL's contexts of the RSA and Ed25519 keys used last are kept in a small table, because
 * to make one takes time; what OpenSSL looks up by name is looked up once.
 */
#include "config.h"

#include <openssl/crypto.h>
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
/* Of Ed25519 and of ECDSA P-256 (RFC 8080 4, RFC 6605 4). */
#define CURVE_LEN 64

/*! A key that is ready to sign. */
typedef struct {
	const mail_private_t *key; /*!< One of the ring; NULL: free. */
	uint64_t used;             /*!< When it was used last. */
	EVP_PKEY_CTX *rsa;         /*!< RSA: signs a hash. */
	EVP_MD_CTX *ed25519;       /*!< Ed25519: signs the octets. */
} ready_t;

struct mail_signer {
	const mail_keyring_t *ring;
	mail_signatures_t *signatures;
	uint64_t uses;
	int64_t now;
	unsigned budget;
	unsigned
		spent[2]; /*!< In this second: of the budget, and of that for what is not cached. */
	mail_signer_counts_t counts;
	EVP_MD *sha256;
	EVP_MD_CTX *hash;
	mail_ecdsa_t *ecdsa;
	ready_t ready[SETS][WAYS];
};

/* --- Ready keys --- */

static void ready_clear(ready_t *ready)
{
	EVP_PKEY_CTX_free(ready->rsa);
	EVP_MD_CTX_free(ready->ed25519);
	*ready = (ready_t){ 0 };
}

/*! Make a key ready. */
static int ready_make(ready_t *ready, const mail_private_t *key, const EVP_MD *sha256)
{
	EVP_PKEY *pkey;
	int ret = mail_private_open(key, &pkey);
	if (ret != KNOT_EOK) {
		return ret;
	}
	bool done;
	if (key->algorithm == MAIL_ALGORITHM_RSASHA256) {
		ready->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
		done = ready->rsa != NULL && EVP_PKEY_sign_init(ready->rsa) == 1 &&
		       EVP_PKEY_CTX_set_rsa_padding(ready->rsa, RSA_PKCS1_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_signature_md(ready->rsa, sha256) == 1;
	} else {
		ready->ed25519 = EVP_MD_CTX_new();
		done = ready->ed25519 != NULL &&
		       EVP_DigestSignInit(ready->ed25519, NULL, NULL, NULL, pkey) == 1;
	}
	EVP_PKEY_free(pkey); /* The context has a reference. */
	if (!done) {
		ret = mail_openssl_error();
		ready_clear(ready);
		return ret;
	}
	ready->key = key;
	return KNOT_EOK;
}

/*! Get a key of RSA or Ed25519 ready; the one of its set that was not used for longest makes room. */
static int ready_get(mail_signer_t *signer, const mail_private_t *key, ready_t **out)
{
	uint32_t hash = mail_public_hash(key->octets, key->public_len);
	ready_t *set = signer->ready[hash >> (32 - SETS_BITS)], *ready = &set[0];
	for (unsigned i = 0; i < WAYS && ready->key != key; i++) {
		if (set[i].key == key || set[i].used < ready->used) {
			ready = &set[i];
		}
	}
	if (ready->key != key) {
		ready_clear(ready);
		int ret = ready_make(ready, key, signer->sha256);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	ready->used = ++signer->uses;
	*out = ready;
	return KNOT_EOK;
}

/* --- Signing --- */

static const mail_private_t *private_find(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	mail_str_t public_key = { (const char *)key->public_key, key->public_len };
	return mail_keyring_find(signer->ring, key->algorithm, public_key);
}

/*! Make the hash that ECDSA and RSA sign. */
static bool hash_make(const mail_signer_t *signer, const uint8_t *octets, size_t len,
                      uint8_t hash[SHA256_LEN])
{
	return EVP_DigestInit_ex2(signer->hash, signer->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(signer->hash, octets, len) == 1 &&
	       EVP_DigestFinal_ex(signer->hash, hash, NULL) == 1;
}

/*! Sign with a key of P-256, which need not be made ready. */
static int ecdsa_sign(const mail_signer_t *signer, const mail_private_t *key, const uint8_t *octets,
                      size_t len, uint8_t *signature)
{
	uint8_t hash[SHA256_LEN];
	if (!hash_make(signer, octets, len, hash)) {
		return mail_openssl_error();
	}
	return mail_ecdsa_sign(signer->ecdsa, mail_private_secret(key), hash, signature);
}

/*! Sign with a key of RSA or Ed25519. */
static int ready_sign(mail_signer_t *signer, const mail_private_t *key, const uint8_t *octets,
                      size_t len, uint8_t *signature)
{
	ready_t *ready;
	int ret = ready_get(signer, key, &ready);
	if (ret != KNOT_EOK) {
		return ret;
	}
	size_t made = MAIL_SIGNATURE_MAX;
	bool done;
	if (ready->rsa != NULL) {
		uint8_t hash[SHA256_LEN];
		done = hash_make(signer, octets, len, hash) &&
		       EVP_PKEY_sign(ready->rsa, signature, &made, hash, sizeof(hash)) == 1;
	} else {
		/* Begins anew with the same key: a context that has signed is not to be used again without. */
		done = EVP_DigestSignInit(ready->ed25519, NULL, NULL, NULL, NULL) == 1 &&
		       EVP_DigestSign(ready->ed25519, signature, &made, octets, len) == 1;
	}
	if (!done) {
		ready_clear(ready); /* Who knows what state it is in. */
		return mail_openssl_error();
	}
	return (int)made;
}

static int signature_make(mail_signer_t *signer, const mail_dnskey_t *dnskey, const uint8_t *octets,
                          size_t len, uint8_t *signature)
{
	const mail_private_t *key = private_find(signer, dnskey);
	if (key == NULL) {
		return KNOT_ENOENT;
	}
	int ret;
	if (key->algorithm == MAIL_ALGORITHM_ECDSAP256SHA256) {
		ret = ecdsa_sign(signer, key, octets, len, signature);
	} else {
		ret = ready_sign(signer, key, octets, len, signature);
	}
	signer->counts.made += ret > 0;
	return ret;
}

/*! Return the octets of a signature. */
static size_t signature_len(const mail_dnskey_t *key)
{
	if (key->algorithm != MAIL_ALGORITHM_RSASHA256) {
		return CURVE_LEN;
	}
	/*
	 * As long as the modulus, which stands behind the exponent (RFC 3110 2). The exponents of keys that sign here
	 * have a length of one octet.
	 */
	return key->public_len - 1 - (size_t)key->public_key[0];
}

/*!
 * Return the work of a signature, in signatures of ECDSA P-256, of which a core makes some 30,000 in a second. With RSA
 * it grows with the third power of the key's size: 16 of 2048 bits, 128 of 4096 bits.
 */
static unsigned signature_work(const mail_dnskey_t *key)
{
	if (key->algorithm != MAIL_ALGORITHM_RSASHA256) {
		return 1;
	}
	const unsigned size = (unsigned)(signature_len(key) + 127) / 128;
	return 2 * size * size * size;
}

/*! Make a signature within the budget. */
static int signature_afford(mail_signer_t *signer, const mail_dnskey_t *key, unsigned flags,
                            const uint8_t *octets, size_t len, uint8_t *signature)
{
	if (signer->budget == 0 || (flags & MAIL_SIGN_UNBOUNDED) != 0) {
		return signature_make(signer, key, octets, len, signature);
	}
	const bool fleeting = (flags & MAIL_SIGN_FLEETING) != 0;
	unsigned *spent = &signer->spent[fleeting];
	if (*spent >= (fleeting ? signer->budget / MAIL_SIGN_FLEETING_PART : signer->budget)) {
		signer->counts.refused++;
		return KNOT_ELIMIT;
	}
	int ret = signature_make(signer, key, octets, len, signature);
	*spent += ret > 0 ? signature_work(key) : 0;
	return ret;
}

/* --- API --- */

mail_signer_t *mail_signer_new(const mail_keyring_t *ring, mail_signatures_t *signatures,
                               unsigned budget)
{
	mail_signer_t *signer = calloc(1, sizeof(*signer));
	if (signer == NULL) {
		return NULL;
	}
	signer->ring = ring;
	signer->signatures = signatures;
	signer->budget = budget;
	signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	signer->hash = EVP_MD_CTX_new();
	signer->ecdsa = mail_ecdsa_new();
	if (signer->sha256 == NULL || signer->hash == NULL || signer->ecdsa == NULL) {
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

void mail_signer_sync(mail_signer_t *signer, int64_t now)
{
	if (now != signer->now) {
		signer->now = now;
		signer->spent[0] = signer->spent[1] = 0;
	}
}

bool mail_signer_has(const mail_signer_t *signer, const mail_dnskey_t *key)
{
	return private_find(signer, key) != NULL;
}

int mail_signer_sign(mail_signer_t *signer, const mail_dnskey_t *key, unsigned flags,
                     const uint8_t *octets, size_t len, uint8_t signature[MAIL_SIGNATURE_MAX])
{
	if (signer->signatures == NULL || (flags & MAIL_SIGN_FLEETING) != 0) {
		return signature_afford(signer, key, flags, octets, len, signature);
	}
	mail_str_t public_key = { (const char *)key->public_key, key->public_len };
	mail_digest_t digest = mail_signatures_digest(signer->signatures, public_key, octets, len);
	size_t made = signature_len(key);
	if (mail_signatures_get(signer->signatures, digest, signature, made)) {
		signer->counts.cached++;
		return (int)made;
	}
	int ret = signature_afford(signer, key, flags, octets, len, signature);
	if (ret == (int)made) {
		mail_signatures_put(signer->signatures, digest, signature, made, signer->now);
	}
	return ret;
}

mail_signer_counts_t mail_signer_counts(mail_signer_t *signer)
{
	mail_signer_counts_t counts = signer->counts;
	signer->counts = (mail_signer_counts_t){ 0 };
	return counts;
}
