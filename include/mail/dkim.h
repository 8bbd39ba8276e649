/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DKIM keys (RFC 6376, RFC 8463, RFC 8301).
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/rdata.h"

/*! Number of octets of an Ed25519 key. No RSA key has as few. */
#define MAIL_DKIM_ED25519_LEN 32

/*! Algorithms of keys. */
typedef enum { MAIL_DKIM_RSA, MAIL_DKIM_ED25519 } mail_dkim_algorithm_t;

/*!
 * Check a public key in its stored form.
 *
 * \param key        The 32 octets of an Ed25519 key (RFC 8463 3), or a DER SubjectPublicKeyInfo of an RSA key.
 * \param algorithm  Out: algorithm of the key; may be NULL.
 * \param bits       Out: size of the key in bits; may be NULL.
 * \param diag       Out: the reason of an error. It also takes warnings about RSA below 2048 and above 4096 bits.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (no key, or RSA below 1024 bits, RFC 8301 3.2).
 */
int mail_dkim_key_check(const uint8_t *key, size_t len, mail_dkim_algorithm_t *algorithm,
                        unsigned *bits, mail_diag_t *diag);

/*!
 * Parse a public key.
 *
 * The text is base64, a whole record ("v=DKIM1; ...; p=..."), or a public or private key in PEM. Of a private
 * key only the public half is kept. An Ed25519 key in a SubjectPublicKeyInfo becomes its 32 octets.
 *
 * \param out  Out: the stored form of the key is appended. After an error out is as it was before.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_dkim_key_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);

/*!
 * Parse a public key as mail_dkim_key_parse() does, and the tags of a record.
 *
 * \param key   Out: the stored form of the key is appended.
 * \param tags  Out: the tags with which mail_dkim_render() writes the same record are appended: "none", further
 *              tags, or a frame. Nothing is appended if the text has no tag but p=. May be NULL.
 *
 * \return As mail_dkim_key_parse().
 */
int mail_dkim_record_parse(mail_str_t text, mail_buf_t *key, mail_buf_t *tags, mail_diag_t *diag);

/*!
 * Check the tags of a record (RFC 6376 3.6.1).
 *
 * They are either further tags ("h=sha256; t=s; n=note") without v, k and p; or a frame, that is, all tags of a
 * record with an empty p= ("v=DKIM1; h=sha256; k=rsa; p="). Both refuse sha1 (RFC 8301 3.1).
 *
 * \return KNOT_EOK; KNOT_EINVAL with reason and column.
 */
int mail_dkim_tags_check(mail_str_t tags, mail_diag_t *diag);
/*!
 * Check that a frame names the algorithm of a key. Further tags fit every key.
 *
 * \param key  Stored form of the key.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason.
 */
int mail_dkim_tags_fit(mail_str_t tags, mail_str_t key, mail_diag_t *diag);
/*!
 * Append a record: "v=DKIM1; k=...; TAGS; p=BASE64", or the frame with the key in it.
 *
 * An empty key gives "v=DKIM1; p=", which revokes the key (RFC 6376 3.6.1). The function does not allocate
 * memory if the buffer of rdata is fixed.
 *
 * \param key   Stored form of the key. It is not checked: a length of 32 octets means Ed25519.
 * \param tags  Further tags, or a frame.
 *
 * \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_dkim_render(const uint8_t *key, size_t len, mail_str_t tags, mail_rdata_t *rdata);

/*!
 * Check a selector: labels with dots between them (RFC 6376 3.1), of letters, digits, '-' and '_'.
 *
 * \return KNOT_EOK; KNOT_EINVAL with reason and column.
 */
int mail_dkim_selector_check(mail_str_t selector, mail_diag_t *diag);

/*!
 * Generate a key pair (OpenSSL).
 *
 * \param bits         Bits of an RSA key. Ed25519 ignores it.
 * \param private_pem  Out: the private key is appended as PKCS#8 in PEM. The caller must wipe the buffer after use.
 * \param public_key   Out: the stored form of the public key is appended.
 *
 * \return KNOT_EOK; KNOT_EINVAL (another size); KNOT_ENOMEM (also an error of OpenSSL); KNOT_ESPACE.
 */
int mail_dkim_generate(mail_dkim_algorithm_t algorithm, unsigned bits, mail_buf_t *private_pem,
                       mail_buf_t *public_key);
