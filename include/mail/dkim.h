/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DKIM keys (RFC 6376, RFC 8463, RFC 8301).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! Octets of an Ed25519 key, which no RSA key has. */
#define MAIL_DKIM_ED25519_LEN 32

typedef enum { MAIL_DKIM_RSA, MAIL_DKIM_ED25519 } mail_dkim_algorithm_t;

/*!
 * Check a public key as it is stored.
 *
 * \param key, len   Ed25519: the 32 octets; RSA: a DER SubjectPublicKeyInfo.
 * \param algorithm  Out; may be NULL.
 * \param bits       Out: length of the key in bits; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (no key; RSA below 1024 bits). Warns below 2048 and above 4096 bits.
 */
int mail_dkim_key_check(const uint8_t *key, size_t len, mail_dkim_algorithm_t *algorithm,
                        unsigned *bits, mail_diag_t *diag);

/*!
 * Read a public key from text: base64 of what is stored (a p= value; a whole "v=DKIM1; ...; p=..."
 * too), or PEM, public or private (of a private key only the public part is kept). An Ed25519
 * SubjectPublicKeyInfo becomes its 32 octets.
 *
 * \param out  Gets the octets to store.
 */
int mail_dkim_key_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);

/*!
 * Read a key as mail_dkim_key_parse() does, and the tags of a record.
 *
 * \param key   Gets the octets to store.
 * \param tags  Gets the tags with which mail_dkim_render() writes the record as it was: "none", further tags, or a
 *              frame. Nothing is written when the text has no other tag than p=. May be NULL.
 */
int mail_dkim_record_parse(mail_str_t text, mail_buf_t *key, mail_buf_t *tags, mail_diag_t *diag);

/*!
 * Check the tags of a record: further ones ("h=sha256; t=s; n=note"), in which v, k and p are refused, or a frame: all
 * tags of a record, of which p= is empty ("v=DKIM1; h=sha256; k=rsa; p="). sha1 is refused in both.
 */
int mail_dkim_tags_check(mail_str_t tags, mail_diag_t *diag);
/*! Check that a frame says the algorithm of a key; further tags fit every key. */
int mail_dkim_tags_fit(mail_str_t tags, mail_str_t key, mail_diag_t *diag);
/*!
 * Write "v=DKIM1; k=...; TAGS; p=BASE64", or the frame with the key. Empty key: "v=DKIM1; p=" (revoked).
 * No allocation when the buffer of rdata is fixed. The key is only told by its length (32: Ed25519),
 * not checked again.
 */
int mail_dkim_render(const uint8_t *key, size_t len, mail_str_t tags, mail_rdata_t *rdata);

/*! Check a selector: labels joined by dots (RFC 6376 3.1), letters, digits, '-' and '_'. */
int mail_dkim_selector_check(mail_str_t selector, mail_diag_t *diag);

/*!
 * Make a key pair (OpenSSL).
 *
 * \param bits     RSA key size; not used for Ed25519.
 * \param private_pem  Out: PKCS#8 PEM; wipe it after use.
 * \param public_key   Out: what is stored.
 */
int mail_dkim_generate(mail_dkim_algorithm_t algorithm, unsigned bits, mail_buf_t *private_pem,
                       mail_buf_t *public_key);
