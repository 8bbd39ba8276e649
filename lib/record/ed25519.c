/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether octets are a point of edwards25519 (RFC 8032 5.1.3).
 *
 * A key is the y of a point on -x^2 + y^2 = 1 + d x^2 y^2, and so x^2 = u / v with u = y^2 - 1 and v = d y^2 + 1.  There is
 * such an x if u / v is a square modulo p = 2^255 - 19, and that is one if u v is: if the Jacobi symbol (u v / p) is 1.
 * libcrypto has that for numbers of any size, and takes ten times as long: longer than all else that an imported line
 * takes.
 *
 * Public keys are no secret, so nothing here takes the same time for all of them.
 */
#include "record/ed25519.h"

#include <stddef.h>
#include <string.h>

/*! A number modulo p, below 2^256, the lowest word first. */
#define WORDS 8
typedef struct {
	uint32_t word[WORDS];
} number_t;

/*! d = -121665/121666 modulo p (RFC 8032 5.1). */
static const number_t curve_d = { {
	0x135978a3,
	0x75eb4dca,
	0x4141d8ab,
	0x00700a4d,
	0x7779e898,
	0x8cc74079,
	0x2b6ffe73,
	0x52036cee,
} };

#define P_LOWEST 0xffffffedu
#define P_OTHERS 0xffffffffu
#define P_HIGHEST 0x7fffffffu

/*! Return whether a number is p or more. */
static bool is_over(const number_t *a)
{
	for (size_t i = 1; i < WORDS - 1; i++) {
		if (a->word[i] != P_OTHERS) {
			return false;
		}
	}
	return a->word[0] >= P_LOWEST && a->word[WORDS - 1] >= P_HIGHEST;
}

/*! Return whether a number below p is so small a one. */
static bool is_small(const number_t *a, uint32_t small)
{
	uint32_t others = 0;
	for (size_t i = 1; i < WORDS; i++) {
		others |= a->word[i];
	}
	return others == 0 && a->word[0] == small;
}

/*! Add a small number, and what is over 2^255. */
static void fold(number_t *a, uint64_t carry)
{
	carry += 19 * (uint64_t)(a->word[WORDS - 1] >> 31);
	a->word[WORDS - 1] &= P_HIGHEST;
	for (size_t i = 0; i < WORDS; i++) {
		carry += a->word[i];
		a->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/*! Multiply, modulo p. \param out  Out: below p. May be a or b. */
static void multiply(const number_t *a, const number_t *b, number_t *out)
{
	uint32_t wide[2 * WORDS] = { 0 };
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t carry = 0;
		for (size_t j = 0; j < WORDS; j++) {
			carry += (uint64_t)a->word[i] * b->word[j] + wide[i + j];
			wide[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		wide[i + WORDS] = (uint32_t)carry;
	}
	/* 2^256 is 38 modulo p. */
	uint64_t carry = 0;
	for (size_t i = 0; i < WORDS; i++) {
		carry += 38 * (uint64_t)wide[i + WORDS] + wide[i];
		out->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	fold(out, 38 * carry);
	fold(out, 0);
	/* It is below 2^255: p to p + 18 are 0 to 18. */
	if (is_over(out)) {
		const uint32_t rest = out->word[0] - P_LOWEST;
		*out = (number_t){ { rest } };
	}
}

/*! A number that is halved and taken from another, the lowest word first. */
#define HALVES (WORDS / 2)
typedef struct {
	uint64_t word[HALVES];
} half_t;

static half_t half_of(const number_t *a)
{
	half_t half;
	for (size_t i = 0; i < HALVES; i++) {
		half.word[i] = (uint64_t)a->word[2 * i + 1] << 32 | a->word[2 * i];
	}
	return half;
}

/*! Divide a number that is not 0 by 2 until it is odd. \return How often. */
static unsigned make_odd(half_t *a)
{
	unsigned count = 0;
	while (a->word[0] == 0) {
		memmove(a->word, a->word + 1, sizeof(a->word) - sizeof(a->word[0]));
		a->word[HALVES - 1] = 0;
		count += 64;
	}
	const unsigned bits = (unsigned)__builtin_ctzll(a->word[0]);
	if (bits == 0) {
		return count;
	}
	for (size_t i = 0; i + 1 < HALVES; i++) {
		a->word[i] = a->word[i] >> bits | a->word[i + 1] << (64 - bits);
	}
	a->word[HALVES - 1] >>= bits;
	return count + bits;
}

/*! Take b from a. \return Whether b is the greater one: then a is not what it should be. */
static bool subtract(half_t *a, const half_t *b)
{
	bool borrow = false;
	for (size_t i = 0; i < HALVES; i++) {
		const uint64_t from = a->word[i], less = from - b->word[i];
		const bool under = from < b->word[i];
		a->word[i] = less - borrow;
		borrow = under || (borrow && less == 0);
	}
	return borrow;
}

/*! Return whether a number below p, but not 0, is a square modulo p. */
static bool is_square(const number_t *number)
{
	static const number_t p = { { P_LOWEST, P_OTHERS, P_OTHERS, P_OTHERS, P_OTHERS, P_OTHERS,
		                      P_OTHERS, P_HIGHEST } };
	half_t a = half_of(number), n = half_of(&p);
	bool negative = false;
	/* (a / n), n odd. Each round takes a bit at least off one of both. */
	for (;;) {
		const uint64_t low = n.word[0];
		/* (2 / n) = -1 if n is 3 or 5 modulo 8. */
		const unsigned odd = make_odd(&a) & 1;
		negative ^= (odd & (unsigned)(low >> 1 ^ low >> 2)) != 0;
		const half_t before = a;
		if (subtract(&a, &n)) {
			/* (a / n) = (n / a), or -(n / a) if both are 3 modulo 4. */
			negative ^= (before.word[0] & low & 2) != 0;
			a = n;
			n = before;
			(void)subtract(&a, &n);
		}
		if ((a.word[0] | a.word[1] | a.word[2] | a.word[3]) == 0) {
			return !negative; /* p is prime: n is 1. */
		}
	}
}

bool mail_ed25519_is_key(const uint8_t key[MAIL_DKIM_ED25519_LEN])
{
	number_t y, u, v;
	for (size_t i = 0; i < WORDS; i++) {
		const uint8_t *at = key + 4 * i;
		y.word[i] = (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 |
		            at[0];
	}
	y.word[WORDS - 1] &= P_HIGHEST; /* The sign of x. */
	/* y = 0 and x = 0 (y = 1 or -1) are points of order 4, 1 and 2: no keys. */
	if (is_over(&y) || is_small(&y, 0)) {
		return false;
	}
	multiply(&y, &y, &u);
	if (is_small(&u, 1)) {
		return false;
	}
	multiply(&curve_d, &u, &v);
	fold(&v, 1);
	/* u is not 0, because y is not. */
	for (size_t i = 0; u.word[i]-- == 0;) {
		i++;
	}
	multiply(&u, &v, &u);
	return is_square(&u);
}
