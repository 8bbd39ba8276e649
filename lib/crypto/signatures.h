/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Inside of the cache of signatures, for the signer. Any thread.
 */
#pragma once

#include "mail/signer.h"

/*! A signature's key: a keyed hash of what is signed and of the public key. */
typedef struct {
	uint64_t low;
	uint64_t high;
} mail_digest_t;

/*! Make the key of a signature. */
mail_digest_t mail_signatures_digest(const mail_signatures_t *signatures, mail_str_t public_key,
                                     const uint8_t *octets, size_t len);
/*! Find a signature of len octets, at most MAIL_SIGNATURE_MAX. */
bool mail_signatures_get(mail_signatures_t *signatures, mail_digest_t digest, uint8_t *signature,
                         size_t len);
/*! Keep a signature, or not, when another thread is at the same place. \param now Seconds since any time. */
void mail_signatures_put(mail_signatures_t *signatures, mail_digest_t digest,
                         const uint8_t *signature, size_t len, int64_t now);
/*! Return how many octets of the cache are in use. */
size_t mail_signatures_used(const mail_signatures_t *signatures);
