/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Octet strings, and words of octets.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*! A word of eight equal octets. */
#define MAIL_WORD(octet) (UINT64_C(0x0101010101010101) * (octet))

/*! Return eight octets as a word, in the byte order of the machine. */
static inline uint64_t mail_word_at(const uint8_t *octets)
{
	uint64_t word;
	memcpy(&word, octets, sizeof(word));
	return word;
}

/*! An octet string without terminator. Another object owns the octets. */
typedef struct {
	const char *data;
	size_t len;
} mail_str_t;

/*! Make a mail_str_t of a string literal or a terminated string. */
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

/*!
 * Return the length of a UTF-8 sequence (RFC 3629 4).
 *
 * \param text  The first octet of the sequence.
 * \param left  Number of octets that may be read, at least 1.
 *
 * \return Octets, 1 to 4; 0 if the sequence is malformed or cut off.
 */
size_t mail_utf8_len(const uint8_t *text, size_t left);

/*! Return where the row of printable ASCII characters ends that begins at an offset. */
size_t mail_str_plain(mail_str_t s, size_t from);

/*!
 * Return whether a string is UTF-8 without control characters.
 *
 * \param column  Out: position of the first bad octet, from 1; set only if the result is false. May be NULL.
 */
bool mail_str_is_text(mail_str_t s, size_t *column);

/*!
 * Return the Levenshtein distance of two words, to suggest a word that may be meant.
 *
 * \return Number of edits; UINT_MAX if a word is longer than 63 octets.
 */
unsigned mail_str_distance(mail_str_t a, mail_str_t b);

/*!
 * Read an IPv4 or IPv6 address from text.
 *
 * \param address  Out: 4 or 16 octets in network order.
 *
 * \return Number of octets; 0 if the text is no address.
 */
size_t mail_str_address(mail_str_t s, uint8_t address[16]);

/*! Octets of the longest number that mail_number_text() writes, with its terminator. */
#define MAIL_NUMBER_TEXT 32

/*! Write a number with a comma between thousands, "12,345". \return out. */
const char *mail_number_text(uint64_t number, char out[MAIL_NUMBER_TEXT]);
