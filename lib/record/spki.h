/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A quick look at the public RSA keys that everybody writes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*! What a key is checked for. */
typedef struct {
	unsigned bits; /*!< Of its modulus. */
	bool odd; /*!< Modulus and exponent are odd, and the exponent is not 1, as those of a real key. */
} mail_rsa_look_t;

/*!
 * Look at the SubjectPublicKeyInfo of an RSA key in DER, which OpenSSL reads as a key and writes with the same octets.
 *
 * \return false: it is something else, or it is written in another way.
 */
bool mail_spki_rsa(const uint8_t *der, size_t len, mail_rsa_look_t *look);
