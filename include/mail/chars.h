/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief ASCII characters, and the words and numbers in values.
 *
 * The grammars of the mail RFCs are ASCII. <ctype.h> and strncasecmp() follow the locale of the process; these
 * functions do not.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/str.h"

/*! Arguments of a "%.*s" that shows at most 64 octets of a value. */
#define MAIL_SHOW(s) (int)((s).len < 64 ? (s).len : 64), (s).len > 0 ? (s).data : ""

/*! Return a letter in lower case, and any other character as it is. */
static inline char mail_char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool mail_char_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool mail_char_alpha(char c)
{
	c = mail_char_lower(c);
	return c >= 'a' && c <= 'z';
}

static inline bool mail_char_alnum(char c)
{
	return mail_char_alpha(c) || mail_char_digit(c);
}

/*! Return the six bits of a base64 character (RFC 4648 4), or -1. */
static inline int mail_char_base64(char c)
{
	/* One more than the bits; 0: none. */
	static const uint8_t digits[256] = {
		['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
		['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
		['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
		['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
		['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
		['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
		['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
		['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
		['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
		['/'] = 64,
	};
	return digits[(uint8_t)c] - 1;
}

/*! Return whether a character is white space: blank, tab, CR or LF. */
static inline bool mail_char_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*! Return the value of a hexadecimal digit, or -1. */
static inline int mail_char_hex(char c)
{
	if (mail_char_digit(c)) {
		return c - '0';
	}
	c = mail_char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*! Return whether a character is in a set, a terminated string. */
static inline bool mail_char_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*! Return a part of a string. A string without data is returned as it is. */
static inline mail_str_t mail_str_part(mail_str_t s, size_t offset, size_t len)
{
	return s.data == NULL ? s : (mail_str_t){ s.data + offset, len };
}

/*! Return the part of a string from an offset to its end. */
static inline mail_str_t mail_str_from(mail_str_t s, size_t offset)
{
	return mail_str_part(s, offset, s.len - offset);
}

/*! Return whether a string starts with a terminated string. */
static inline bool mail_str_starts(mail_str_t s, const char *with)
{
	size_t len = strlen(with);
	return s.len >= len && memcmp(s.data, with, len) == 0;
}

/*! Return whether a string ends with a terminated string. */
static inline bool mail_str_ends(mail_str_t s, const char *with)
{
	size_t len = strlen(with);
	return s.len >= len && memcmp(s.data + s.len - len, with, len) == 0;
}

/*! A set of ASCII characters, where many are looked for in it. */
typedef struct {
	uint64_t bits[2];
} mail_charset_t;

/*! Add the characters of a terminated string to a set. */
static inline void mail_charset_add(mail_charset_t *set, const char *chars)
{
	for (; *chars != '\0'; chars++) {
		set->bits[(*chars >> 6) & 1] |= UINT64_C(1) << (*chars & 63);
	}
}

/*! Take those of a terminated string from a set. */
static inline void mail_charset_take(mail_charset_t *set, const char *chars)
{
	for (; *chars != '\0'; chars++) {
		set->bits[(*chars >> 6) & 1] &= ~(UINT64_C(1) << (*chars & 63));
	}
}

/*! Return whether a character is in a set. */
static inline bool mail_charset_has(const mail_charset_t *set, char c)
{
	return (uint8_t)c < 0x80 && (set->bits[c >> 6] >> (c & 63) & 1) != 0;
}

/*! Return the offset of the first character that is in a set, or the length of the string. */
static inline size_t mail_str_find(mail_str_t s, const char *set)
{
	if (set[0] != '\0' && set[1] == '\0') {
		const char *at = s.len > 0 ? (const char *)memchr(s.data, set[0], s.len) : NULL;
		return at != NULL ? (size_t)(at - s.data) : s.len;
	}
	mail_charset_t chars = { { 0, 0 } };
	mail_charset_add(&chars, set);
	size_t i = 0;
	while (i < s.len && !mail_charset_has(&chars, s.data[i])) {
		i++;
	}
	return i;
}

/*! Return whether two strings are equal without regard to the case of ASCII letters. */
static inline bool mail_str_same(mail_str_t a, mail_str_t b)
{
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (mail_char_lower(a.data[i]) != mail_char_lower(b.data[i])) {
			return false;
		}
	}
	return true;
}

/*! Compare as mail_str_same() does, with a terminated string. */
static inline bool mail_str_is_nocase(mail_str_t s, const char *with)
{
	return mail_str_same(s, MAIL_STR(with));
}

/*! Return whether all octets are ASCII. */
static inline bool mail_str_is_ascii(mail_str_t s)
{
	size_t i = mail_str_plain(s, 0);
	while (i < s.len && (uint8_t)s.data[i] < 0x80) {
		i++;
	}
	return i == s.len;
}

/*! Return a string without the white space at its ends. */
static inline mail_str_t mail_str_trim(mail_str_t s)
{
	while (s.len > 0 && mail_char_space(s.data[0])) {
		s = mail_str_from(s, 1);
	}
	while (s.len > 0 && mail_char_space(s.data[s.len - 1])) {
		s.len--;
	}
	return s;
}

/*!
 * Take the next word from a text.
 *
 * \param pos   In and out: where to go on; 0 at first.
 * \param word  Out: the word, a part of text.
 *
 * \return Whether there was a word.
 */
static inline bool mail_str_word(mail_str_t text, size_t *pos, mail_str_t *word)
{
	size_t i = *pos;
	while (i < text.len && mail_char_space(text.data[i])) {
		i++;
	}
	size_t start = i;
	while (i < text.len && !mail_char_space(text.data[i])) {
		i++;
	}
	*word = mail_str_part(text, start, i - start);
	*pos = i;
	return i > start;
}

/*! Take the first words of a text, at most max of them. \return The number of words taken. */
static inline size_t mail_str_words(mail_str_t text, mail_str_t *words, size_t max)
{
	size_t pos = 0, n = 0;
	while (n < max && mail_str_word(text, &pos, &words[n])) {
		n++;
	}
	return n;
}

/*!
 * Split "tag=value" at the first '=', and take the white space off both parts.
 *
 * \return Whether there is a '='. If not, both parts are empty.
 */
static inline bool mail_str_tag(mail_str_t s, mail_str_t *tag, mail_str_t *value)
{
	size_t equals = mail_str_find(s, "=");
	*tag = *value = mail_str_part(s, 0, 0);
	if (equals == s.len) {
		return false;
	}
	*tag = mail_str_trim(mail_str_part(s, 0, equals));
	*value = mail_str_trim(mail_str_from(s, equals + 1));
	return true;
}

/*!
 * Take the next element from a list, without the white space around it. An empty list has one empty element.
 *
 * \param separator  Character between two elements.
 * \param pos        In and out: where to go on; 0 at first, len + 1 at the end.
 * \param piece      Out: the element, a part of text.
 *
 * \return Whether there was an element.
 */
static inline bool mail_str_piece(mail_str_t text, char separator, size_t *pos, mail_str_t *piece)
{
	if (*pos > text.len) {
		return false;
	}
	size_t end = *pos;
	while (end < text.len && text.data[end] != separator) {
		end++;
	}
	*piece = mail_str_trim(mail_str_part(text, *pos, end - *pos));
	*pos = end + 1;
	return true;
}

/*! Read a decimal number that consists of digits only. \return Whether it is one, and at most max. */
static inline bool mail_str_number(mail_str_t text, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!mail_char_digit(text.data[i])) {
			return false;
		}
		value = value * 10 + (uint64_t)(text.data[i] - '0');
		if (value > max) {
			return false;
		}
	}
	*out = (uint32_t)value;
	return text.len > 0;
}
