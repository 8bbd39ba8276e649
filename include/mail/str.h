/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Octet strings and words of octets. Pure functions; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*! A word of eight equal octets. */
#define MAIL_WORD(octet) (UINT64_C(0x0101010101010101) * (octet))

/*! Eight octets as a word, in the order of the machine. */
static inline uint64_t mail_word_at(const uint8_t *octets)
{
	uint64_t word;
	memcpy(&word, octets, sizeof(word));
	return word;
}

/*! Octets that somebody else owns; not terminated. */
typedef struct {
	const char *data;
	size_t len;
} mail_str_t;

/*! A mail_str_t of a string literal or a terminated string. */
#define MAIL_STR(s) ((mail_str_t){ (s), strlen(s) })

/*! Return whether two octet strings are equal. */
static inline bool mail_str_equal(mail_str_t a, mail_str_t b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*! Return whether an octet string equals a terminated string. */
static inline bool mail_str_is(mail_str_t a, const char *b)
{
	return mail_str_equal(a, MAIL_STR(b));
}

/*! Return the length of the UTF-8 sequence at text (RFC 3629 4), 0 when it is none or is cut off. \param left Octets, 1 at least. */
size_t mail_utf8_len(const uint8_t *text, size_t left);

/*!
 * Return whether a string is UTF-8 without control characters.
 *
 * \param column  Out: the first octet that is not, from 1; may be NULL.
 */
bool mail_str_is_text(mail_str_t s, size_t *column);

/*! Return Levenshtein's distance of two words, to tell people what may be meant; UINT_MAX: one is over 63 octets. */
unsigned mail_str_distance(mail_str_t a, mail_str_t b);

/*!
 * Read an IPv4 or IPv6 address.
 *
 * \param address  Out: 4 or 16 octets.
 *
 * \return Their number; 0: it is none.
 */
size_t mail_str_address(mail_str_t s, uint8_t address[16]);
