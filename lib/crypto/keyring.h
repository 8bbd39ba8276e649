/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a signer asks of a ring.
 */
#pragma once

#include "mail/signer.h"

/*!
 * A hash of a public half for tables that fewer than 2^32 keys are in: its last octets, which nobody chooses
 * freely (in an RSA key they are the modulus').
 */
static inline uint32_t mail_public_hash(const uint8_t *public_key, size_t len)
{
	uint64_t last = 0;
	if (len >= sizeof(last)) {
		memcpy(&last, public_key + len - sizeof(last), sizeof(last));
	}
	return (uint32_t)(last * 0x9e3779b97f4a7c15u >> 32);
}
