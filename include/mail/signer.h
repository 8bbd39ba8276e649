/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DNSSEC keys, the private half: reading, keeping, signing; and signatures cached by content.
 *
 * Private keys never enter the store and are never logged. Memory that held one is wiped when it is freed.
 */
#pragma once

#include "mail/dnskey.h"

/*! Longest signature: RSA of 4096 bits. */
#define MAIL_SIGNATURE_MAX 512

/*! A private key; counted references. Thread rule: immutable, references from any thread. */
typedef struct mail_private mail_private_t;

/*!
 * Make a key.
 *
 * \param bits  RSA: 2048 to 4096; 0: 2048. Not used for others.
 *
 * \return KNOT_EOK, KNOT_EINVAL, KNOT_ENOMEM, KNOT_ERROR (OpenSSL).
 */
int mail_private_generate(mail_algorithm_t algorithm, unsigned bits, mail_private_t **key);
/*!
 * Read a private key: PEM (PKCS#8 or the older forms that OpenSSL reads, not encrypted) or BIND's
 * "Private-key-format: v1.x" text. The algorithm is told by the key; RSA is RSASHA256.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (no key, a curve or size that is not signed with);
 *         KNOT_ENOMEM; KNOT_ERROR (OpenSSL).
 */
int mail_private_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag);
/*!
 * Check that the numbers of a key fit together. For keys that others made: it takes 40 ms for RSA of 2048 bits,
 * 300 ms for 4096. Without it, OpenSSL makes no bad signature of an RSA key whose public half is right: it
 * verifies each.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ERROR (OpenSSL).
 */
int mail_private_check(const mail_private_t *key, mail_diag_t *diag);
/*!
 * Write PKCS#8 PEM. The caller wipes it (OPENSSL_cleanse) after use.
 *
 * \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE, KNOT_ERROR (OpenSSL).
 */
int mail_private_print(const mail_private_t *key, mail_buf_t *pem);
/*! Its algorithm and public half: what a mail_dnskey_t has. Points into the key. */
mail_algorithm_t mail_private_algorithm(const mail_private_t *key);
mail_str_t mail_private_public(const mail_private_t *key);
/*! Take, and give back, a reference; the last one wipes. NULL is fine for free. */
mail_private_t *mail_private_ref(mail_private_t *key);
void mail_private_free(mail_private_t *key);
/*! Name of the file of a key in the key directory: "SET+015+12345.pem". \return KNOT_EOK, KNOT_ESPACE;
 *  KNOT_EINVAL (a set's name that is no file name). */
int mail_private_file(mail_str_t set, mail_algorithm_t algorithm, uint16_t tag, char *name,
                      size_t size);

/*!
 * A set of private keys, found by algorithm and public half. Thread rule: filled by one thread, then
 * published; from then on immutable, and read by any number of threads.
 */
typedef struct mail_keyring mail_keyring_t;

/*! Make an empty ring. \return NULL without memory. */
mail_keyring_t *mail_keyring_new(void);
/*! Add a key, with a reference of its own, unless it is there already. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_keyring_add(mail_keyring_t *ring, mail_private_t *key);
/*! Find a key, or NULL. No reference is taken. */
mail_private_t *mail_keyring_find(const mail_keyring_t *ring, mail_algorithm_t algorithm,
                                  mail_str_t public_key);
size_t mail_keyring_count(const mail_keyring_t *ring);
void mail_keyring_free(mail_keyring_t *ring);

/*!
 * Signatures by content: the key is a 128-bit keyed hash of the octets that are signed and of the public key. So
 * nothing ever needs invalidation. Bounded. Thread rule: any number of threads at once, without a lock; readers
 * write to no shared cache line that is not theirs (but for a mark of use that is set once).
 */
typedef struct mail_signatures mail_signatures_t;

/*! Make a cache. \param octets Its bound; memory is taken as it is used. \return NULL without memory. */
mail_signatures_t *mail_signatures_new(size_t octets);
void mail_signatures_free(mail_signatures_t *signatures);

/*! What a signer did, for counters. */
typedef struct {
	uint64_t made;    /*!< Signatures made. */
	uint64_t cached;  /*!< Signatures found. */
	uint64_t refused; /*!< Not made: over the budget. */
} mail_signer_counts_t;

/*!
 * Signs, for one thread: keeps OpenSSL's contexts of the keys that it used last.
 */
typedef struct mail_signer mail_signer_t;

/*! How a signature is made. */
typedef enum {
	MAIL_SIGN_CACHED = 0,
	/*! Not worth caching (RFC 4470 denials): within the budget only. */
	MAIL_SIGN_FLEETING = 1 << 0,
	/*! As FLEETING, but without the budget (TCP). */
	MAIL_SIGN_UNBOUNDED = 1 << 1
} mail_sign_flag_t;

/*!
 * Make a signer.
 *
 * \param ring        Keys. Outlives the signer.
 * \param signatures  Shared cache; NULL: none. Outlives the signer.
 * \param budget      Fleeting signatures per second; 0: no bound.
 *
 * \return NULL without memory.
 */
mail_signer_t *mail_signer_new(const mail_keyring_t *ring, mail_signatures_t *signatures,
                               unsigned budget);
void mail_signer_free(mail_signer_t *signer);
/*! Set the second of the coming questions, for the budget. */
void mail_signer_sync(mail_signer_t *signer, int64_t now);
/*! Return whether the private half of a key is there. */
bool mail_signer_has(const mail_signer_t *signer, const mail_dnskey_t *key);
/*!
 * Sign octets (RFC 4034 3.1.8.1: the RRSIG RDATA without the signature, then the canonical RRset), or find
 * the signature. ECDSA signatures are r and s, 32 octets each (RFC 6605 4).
 *
 * \param flags  mail_sign_flag_t.
 *
 * \return Length of the signature; KNOT_ENOENT (no private key); KNOT_ELIMIT (over the budget); KNOT_ENOMEM,
 *         KNOT_ERROR (OpenSSL).
 */
int mail_signer_sign(mail_signer_t *signer, const mail_dnskey_t *key, unsigned flags,
                     const uint8_t *octets, size_t len, uint8_t signature[MAIL_SIGNATURE_MAX]);
/*! What it did since the last call. */
mail_signer_counts_t mail_signer_counts(mail_signer_t *signer);
