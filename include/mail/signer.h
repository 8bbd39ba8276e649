/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The private half of DNSSEC keys: reading, keeping and signing, and a cache of signatures.
 *
 * A private key never enters the store, and is never logged. Memory with a private key is wiped before it is freed.
 */
#pragma once

#include "mail/dnskey.h"

/*! Longest signature: with RSA of 4096 bits. */
#define MAIL_SIGNATURE_MAX 512

/*!
 * A private key, with counted references.
 *
 * Thread rule: a key is immutable; any thread may use it, and may take and give back references.
 */
typedef struct mail_private mail_private_t;

/*!
 * Generate a key.
 *
 * \param bits  Bits of an RSA key: 2048 to 4096; 0 means 2048. Other algorithms ignore it.
 * \param key   Out: the key, with one reference that belongs to the caller.
 *
 * \return KNOT_EOK; KNOT_EINVAL (another algorithm or size); KNOT_ENOMEM; KNOT_ERROR (OpenSSL).
 */
int mail_private_generate(mail_algorithm_t algorithm, unsigned bits, mail_private_t **key);
/*!
 * Read a private key from text.
 *
 * The text is PEM (PKCS#8, or the older forms that OpenSSL reads, unencrypted), or BIND's
 * "Private-key-format: v1.x". The key itself determines the algorithm; an RSA key is RSASHA256.
 *
 * \param key   Out: the key, with one reference that belongs to the caller.
 * \param diag  Out: the reason of an error.
 *
 * \return KNOT_EOK; KNOT_EINVAL (no key, or a curve or size that is not supported); KNOT_ENOMEM; KNOT_ERROR
 *         (OpenSSL).
 */
int mail_private_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag);
/*!
 * Check that the numbers of a key fit together.
 *
 * Call this for a key that another program made. It takes 40 ms for RSA of 2048 bits, and 300 ms for 4096 bits.
 * Even without this check OpenSSL makes no bad signature with an RSA key whose public half is right, because it
 * verifies each signature.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM; KNOT_ERROR (OpenSSL).
 */
int mail_private_check(const mail_private_t *key, mail_diag_t *diag);
/*!
 * Append a key as PKCS#8 in PEM. The caller must wipe the buffer (OPENSSL_cleanse) after use.
 *
 * \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE, KNOT_ERROR (OpenSSL).
 */
int mail_private_print(const mail_private_t *key, mail_buf_t *pem);
/*! Return the algorithm of a key. */
mail_algorithm_t mail_private_algorithm(const mail_private_t *key);
/*! Return the public half of a key, as in DNSKEY RDATA. It points into the key. */
mail_str_t mail_private_public(const mail_private_t *key);
/*! Take a reference. \return key. */
mail_private_t *mail_private_ref(mail_private_t *key);
/*! Give back a reference. The last one wipes and frees the key. NULL is allowed. */
void mail_private_free(mail_private_t *key);
/*!
 * Write the name of a key's file in the key directory: "SET+015+12345.pem".
 *
 * \param set   Id of the key set.
 * \param name  Out: the name, terminated.
 * \param size  Octets that name has room for.
 *
 * \return KNOT_EOK; KNOT_EINVAL (the id cannot be part of a file name); KNOT_ESPACE.
 */
int mail_private_file(mail_str_t set, mail_algorithm_t algorithm, uint16_t tag, char *name,
                      size_t size);

/*!
 * A set of private keys, found by algorithm and public half.
 *
 * Thread rule: one thread fills a ring. When all keys are in it, any number of threads may read it, and no thread may
 * change it.
 */
typedef struct mail_keyring mail_keyring_t;

/*! Make an empty ring. \return The ring, which the caller frees; NULL without memory. */
mail_keyring_t *mail_keyring_new(void);
/*! Add a key, unless the ring has it. The ring takes a reference. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_keyring_add(mail_keyring_t *ring, mail_private_t *key);
/*! Find a key. \return The key, without a new reference; NULL if the ring does not have it. */
mail_private_t *mail_keyring_find(const mail_keyring_t *ring, mail_algorithm_t algorithm,
                                  mail_str_t public_key);
/*! Return the number of keys. */
size_t mail_keyring_count(const mail_keyring_t *ring);
/*! Free a ring, and give back its references. NULL is allowed. */
void mail_keyring_free(mail_keyring_t *ring);

/*!
 * A bounded cache of signatures. Its key is a keyed hash of 128 bits over the signed octets and the public key. So no
 * signature ever becomes invalid.
 *
 * Thread rule: any number of threads may use it at once, without a lock. A thread that finds a signature writes to no
 * shared cache line, apart from a mark of use that is set once.
 */
typedef struct mail_signatures mail_signatures_t;

/*!
 * Make a cache.
 *
 * \param octets  Greatest size of the cache. It begins with 2 MiB, and becomes larger when signatures find no room.
 *
 * \return The cache, which the caller frees; NULL without memory.
 */
mail_signatures_t *mail_signatures_new(size_t octets);
/*! Free a cache. NULL is allowed. */
void mail_signatures_free(mail_signatures_t *signatures);

/*! Counts of a signer. */
typedef struct {
	uint64_t made;    /*!< Signatures made. */
	uint64_t cached;  /*!< Signatures found in the cache. */
	uint64_t refused; /*!< Signatures not made, because the budget was spent. */
} mail_signer_counts_t;

/*!
 * A signer, which keeps OpenSSL's contexts of the keys that it used last.
 *
 * Thread rule: a signer belongs to one thread.
 */
typedef struct mail_signer mail_signer_t;

/*! How to make a signature. */
typedef enum {
	/*! Look in the cache first, and keep a new signature there. */
	MAIL_SIGN_CACHED = 0,
	/*! Do not cache the signature (a denial of RFC 4470). */
	MAIL_SIGN_FLEETING = 1 << 0,
	/*! Ignore the budget (TCP). */
	MAIL_SIGN_UNBOUNDED = 1 << 1
} mail_sign_flag_t;

/*! Which part of the budget MAIL_SIGN_FLEETING signatures may spend: one in so many. */
#define MAIL_SIGN_FLEETING_PART 10

/*!
 * Make a signer.
 *
 * \param ring        The private keys. The ring must outlive the signer.
 * \param signatures  The shared cache, which must outlive the signer; NULL: none.
 * \param budget      Greatest number of new signatures per second; 0: no bound. MAIL_SIGN_FLEETING signatures have a
 *                    budget of their own, a part of this number. A signature of RSA counts for as many of ECDSA as
 *                    the work that it takes.
 *
 * \return The signer, which the caller frees; NULL without memory.
 */
mail_signer_t *mail_signer_new(const mail_keyring_t *ring, mail_signatures_t *signatures,
                               unsigned budget);
/*! Free a signer. NULL is allowed. */
void mail_signer_free(mail_signer_t *signer);
/*! Set the time of the next questions, in seconds since 1970. A new second renews the budget. */
void mail_signer_sync(mail_signer_t *signer, int64_t now);
/*! Return whether the ring has the private half of a key. */
bool mail_signer_has(const mail_signer_t *signer, const mail_dnskey_t *key);
/*!
 * Sign octets, or find their signature in the cache.
 *
 * The octets are the RRSIG RDATA without the signature, and then the canonical RRset (RFC 4034 3.1.8.1). A
 * signature of ECDSA is r and s, 32 octets each (RFC 6605 4).
 *
 * \param key        The key to sign with.
 * \param flags      mail_sign_flag_t.
 * \param signature  Out: the signature.
 *
 * \return The number of octets; KNOT_ENOENT (the private half is missing); KNOT_ELIMIT (the budget is spent);
 *         KNOT_ENOMEM; KNOT_ERROR (OpenSSL).
 */
int mail_signer_sign(mail_signer_t *signer, const mail_dnskey_t *key, unsigned flags,
                     const uint8_t *octets, size_t len, uint8_t signature[MAIL_SIGNATURE_MAX]);
/*! Return the counts since the last call. */
mail_signer_counts_t mail_signer_counts(mail_signer_t *signer);
