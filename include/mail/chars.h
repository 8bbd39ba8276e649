/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief ASCII characters, words and numbers of values.
 *
 * The grammars of the mail RFCs are ASCII, whatever the locale of the process is: <ctype.h> and
 * strncasecmp() follow the locale, these do not. Pure functions; any thread.
 */
#pragma once

#include "mail/str.h"

/*! Arguments of a "%.*s" that shows a piece of a value, cut short. */
#define MAIL_SHOW(s) (int)((s).len < 64 ? (s).len : 64), (s).len > 0 ? (s).data : ""

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

/*! The six bits that a character of base64 stands for, or -1 (RFC 4648 4). */
static inline int mail_char_base64(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (mail_char_digit(c)) {
		return c - '0' + 52;
	}
	if (c == '+') {
		return 62;
	}
	return c == '/' ? 63 : -1;
}

static inline bool mail_char_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*! Value of a hexadecimal digit, or -1. */
static inline int mail_char_hex(char c)
{
	if (mail_char_digit(c)) {
		return c - '0';
	}
	c = mail_char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*! Return whether the character is in a terminated set. */
static inline bool mail_char_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*! A part of a string; of a string without data, that string. */
static inline mail_str_t mail_str_part(mail_str_t s, size_t offset, size_t len)
{
	return s.data == NULL ? s : (mail_str_t){ s.data + offset, len };
}

/*! The part of a string from an offset on. */
static inline mail_str_t mail_str_from(mail_str_t s, size_t offset)
{
	return mail_str_part(s, offset, s.len - offset);
}

/*! Return whether a string starts with a terminated one. */
static inline bool mail_str_starts(mail_str_t s, const char *with)
{
	size_t len = strlen(with);
	return s.len >= len && memcmp(s.data, with, len) == 0;
}

/*! Return whether a string ends with a terminated one. */
static inline bool mail_str_ends(mail_str_t s, const char *with)
{
	size_t len = strlen(with);
	return s.len >= len && memcmp(s.data + s.len - len, with, len) == 0;
}

/*! Return where the first of a terminated set of characters stands, or the length of the string. */
static inline size_t mail_str_find(mail_str_t s, const char *set)
{
	size_t i = 0;
	while (i < s.len && !mail_char_in(s.data[i], set)) {
		i++;
	}
	return i;
}

/*! Return whether two strings are equal, ASCII letters of either case being equal. */
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

/*! As mail_str_same() with a terminated string. */
static inline bool mail_str_is_nocase(mail_str_t s, const char *with)
{
	return mail_str_same(s, MAIL_STR(with));
}

/*! Return whether all octets are ASCII. */
static inline bool mail_str_is_ascii(mail_str_t s)
{
	size_t i = 0;
	while (i < s.len && (uint8_t)s.data[i] < 0x80) {
		i++;
	}
	return i == s.len;
}

/*! Take the white space off both ends. */
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

/*! Take the next word from a text. \param pos Starts at 0 and is moved. \return false at the end. */
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

/*! Take the first words of a text, up to max. \return Their number. */
static inline size_t mail_str_words(mail_str_t text, mail_str_t *words, size_t max)
{
	size_t pos = 0, n = 0;
	while (n < max && mail_str_word(text, &pos, &words[n])) {
		n++;
	}
	return n;
}

/*! Split "tag=value" at the first '=' and take the white space off both. \return false, and both empty, without '='. */
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
 * Take the next piece from a list whose elements a character separates; white space around a piece
 * is taken off. An empty list has one empty piece.
 *
 * \param pos  Starts at 0 and is moved; len + 1 at the end.
 *
 * \return false at the end.
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

/*! Read a decimal number, digits only. \return false when it is none or greater than max. */
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
