/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of keys: that of LMDB, so that every other program reads and writes the same tree. It is here because
 * half of what a descent costs is comparing: names share long beginnings ("example", "d000..."), and where keys are
 * this short, words compared in place are faster than a call of memcmp().
 */
#include <endian.h>

#include <lmdb.h>

#include "store/internal.h"

#define WORD sizeof(uint64_t)

/*! Compares two different words by their octets. */
static inline int order_words(uint64_t x, uint64_t y)
{
	return be64toh(x) < be64toh(y) ? -1 : 1;
}

/*! Compares octets where there is no word of them. */
static inline int order_octets(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i]) {
			return a[i] < b[i] ? -1 : 1;
		}
	}
	return 0;
}

/*! Compares keys that are not decided by their first two words, or shorter. */
__attribute__((noinline)) static int order_all(const MDB_val *first, const MDB_val *second)
{
	const uint8_t *a = first->mv_data, *b = second->mv_data;
	const size_t len = first->mv_size < second->mv_size ? first->mv_size : second->mv_size;
	int order = 0;
	if (len < WORD) {
		order = order_octets(a, b, len);
	}
	for (size_t i = 0; i < len && len >= WORD && order == 0; i += WORD) {
		/* The last word ends with the last octet, and has some octets of the one before. */
		const size_t at = i + WORD <= len ? i : len - WORD;
		const uint64_t x = mail_word_at(a + at), y = mail_word_at(b + at);
		order = x != y ? order_words(x, y) : 0;
	}
	return order != 0 ? order
	                  : (first->mv_size > second->mv_size) - (first->mv_size < second->mv_size);
}

int mail_store_order(const MDB_val *first, const MDB_val *second)
{
	if (first->mv_size >= 2 * WORD && second->mv_size >= 2 * WORD) {
		const uint8_t *a = first->mv_data, *b = second->mv_data;
		uint64_t x = mail_word_at(a), y = mail_word_at(b);
		if (x == y) {
			x = mail_word_at(a + WORD);
			y = mail_word_at(b + WORD);
		}
		if (x != y) {
			return order_words(x, y);
		}
	}
	return order_all(first, second);
}
