/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief IP addresses that the rest of the world cannot reach. Pure functions; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*!
 * \brief Return what is special about an address, as "a private address (RFC 1918)"; NULL: nothing is.
 *
 * Addresses that are reserved for documentation are none of these: every example has them.
 *
 * \param len  4 or 16 octets.
 */
const char *mail_address_special(const uint8_t *address, size_t len);
