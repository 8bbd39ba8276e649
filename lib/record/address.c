/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/address.h"

#include <stdbool.h>
#include <string.h>

/*! A block of addresses (RFC 6890, and the registries that it made). */
typedef struct {
	uint8_t prefix[16];
	uint8_t len;  /*!< Octets of an address. */
	uint8_t bits; /*!< Of the prefix. */
	const char *what;
} block_t;

/* The first that matches counts. */
static const block_t blocks[] = {
	{ { 0 }, 4, 8, "not an address of a host (RFC 1122)" },
	{ { 10 }, 4, 8, "a private address (RFC 1918)" },
	{ { 100, 64 }, 4, 10, "an address between a provider and its customers (RFC 6598)" },
	{ { 127 }, 4, 8, "a loopback address" },
	{ { 169, 254 }, 4, 16, "a link-local address (RFC 3927)" },
	{ { 172, 16 }, 4, 12, "a private address (RFC 1918)" },
	{ { 192, 168 }, 4, 16, "a private address (RFC 1918)" },
	{ { 224 }, 4, 4, "a multicast address" },
	{ { 240 }, 4, 4, "a reserved address" },
	{ { [15] = 0 }, 16, 128, "not an address of a host (RFC 4291)" },
	{ { [15] = 1 }, 16, 128, "a loopback address" },
	{ { [10] = 0xff, [11] = 0xff }, 16, 96, "an IPv4 address mapped to IPv6" },
	{ { 0xfc }, 16, 7, "a private address (RFC 4193)" },
	{ { 0xfe, 0x80 }, 16, 10, "a link-local address (RFC 4291)" },
	{ { 0xfe, 0xc0 }, 16, 10, "a site-local address (RFC 3879)" },
	{ { 0xff }, 16, 8, "a multicast address" },
};

static bool is_in(const block_t *block, const uint8_t *address)
{
	const size_t octets = block->bits / 8, bits = block->bits % 8;
	const uint8_t mask = (uint8_t)(0xff00u >> bits);
	return memcmp(address, block->prefix, octets) == 0 &&
	       (bits == 0 || ((address[octets] ^ block->prefix[octets]) & mask) == 0);
}

const char *mail_address_special(const uint8_t *address, size_t len)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (blocks[i].len == len && is_in(&blocks[i], address)) {
			return blocks[i].what;
		}
	}
	return NULL;
}
