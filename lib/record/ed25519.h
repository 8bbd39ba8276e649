/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Whether octets are an Ed25519 public key.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mail/dkim.h"

/*!
 * Return whether 32 octets are an Ed25519 public key: half of all values are no point of the curve, so a key that was
 * mangled on its way is often found out.
 */
bool mail_ed25519_is_key(const uint8_t key[MAIL_DKIM_ED25519_LEN]);
