/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "mail/str.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

/* Words that are compared are shorter than this. */
#define WORD_MAX_LEN 64

/*
 *     UTF8-1 = %x00-7F
 *     UTF8-2 = %xC2-DF UTF8-tail
 *     UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *              %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 *     UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 */
size_t mail_utf8_len(const uint8_t *text, size_t left)
{
	static const struct {
		uint8_t first, last; /* Range of the first octet. */
		uint8_t low, high;   /* Range of the second. */
		uint8_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	if (text[0] < 0x80) {
		return 1;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last) {
			continue;
		}
		if (forms[i].len > left || text[1] < forms[i].low || text[1] > forms[i].high) {
			return 0;
		}
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((text[k] & 0xc0) != 0x80) {
				return 0;
			}
		}
		return forms[i].len;
	}
	return 0;
}

/*! Return whether eight octets are printable ASCII characters. */
static bool is_plain_word(const uint8_t *octets)
{
	/* Of an octet below 0x80, adding carries into its upmost bit from 0x20, or from 0x7f on. */
	const uint64_t word = mail_word_at(octets);
	return ((word | (word + MAIL_WORD(1)) | ~(word + MAIL_WORD(0x60))) & MAIL_WORD(0x80)) == 0;
}

size_t mail_str_plain(mail_str_t s, size_t from)
{
	const uint8_t *text = (const uint8_t *)s.data;
	const size_t step = sizeof(uint64_t);
	size_t pos = from;
	while (pos + step <= s.len && is_plain_word(text + pos)) {
		pos += step;
	}
	/* The last word may begin before. */
	if (pos + step > s.len && pos < s.len && s.len >= from + step &&
	    is_plain_word(text + s.len - step)) {
		return s.len;
	}
	while (pos < s.len && text[pos] >= 0x20 && text[pos] < 0x7f) {
		pos++;
	}
	return pos;
}

bool mail_str_is_text(mail_str_t s, size_t *column)
{
	const uint8_t *text = (const uint8_t *)s.data;
	for (size_t pos = mail_str_plain(s, 0), len; pos < s.len;
	     pos = mail_str_plain(s, pos + len)) {
		len = mail_utf8_len(text + pos, s.len - pos);
		/* C0, DEL and C1 would move the cursor of whoever lists the text. */
		if (len == 0 || text[pos] < 0x20 || text[pos] == 0x7f ||
		    (text[pos] == 0xc2 && text[pos + 1] < 0xa0)) {
			if (column != NULL) {
				*column = pos + 1;
			}
			return false;
		}
	}
	return true;
}

unsigned mail_str_distance(mail_str_t a, mail_str_t b)
{
	unsigned row[WORD_MAX_LEN];
	if (a.len >= WORD_MAX_LEN || b.len >= WORD_MAX_LEN) {
		return UINT_MAX;
	}
	for (unsigned j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			const unsigned change = corner + (a.data[i - 1] != b.data[j - 1]);
			const unsigned shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			corner = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[b.len];
}

/*! Read an IPv4 address as inet_pton() reads it, which wants a terminator and counts digits with strchr(). */
static bool ipv4_parse(mail_str_t s, uint8_t address[4])
{
	size_t pos = 0;
	for (size_t i = 0; i < 4; i++) {
		const size_t start = pos;
		unsigned number = 0;
		while (pos < s.len && s.data[pos] >= '0' && s.data[pos] <= '9' && pos - start < 3) {
			number = 10 * number + (unsigned)(s.data[pos++] - '0');
		}
		const bool last = i == 3;
		const bool led = pos - start > 1 && s.data[start] == '0';
		if (pos == start || led || number > 255 || (pos == s.len) != last ||
		    (!last && s.data[pos] != '.')) {
			return false;
		}
		address[i] = (uint8_t)number;
		pos += !last;
	}
	return true;
}

size_t mail_str_address(mail_str_t s, uint8_t address[16])
{
	char text[INET6_ADDRSTRLEN];
	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.data, '\0', s.len) != NULL) {
		return 0;
	}
	if (ipv4_parse(s, address)) {
		return 4;
	}
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}

const char *mail_number_text(uint64_t number, char out[MAIL_NUMBER_TEXT])
{
	char digits[24];
	const int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	char *pos = out;
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			*pos++ = ',';
		}
		*pos++ = digits[i];
	}
	*pos = '\0';
	return out;
}
