/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that is taken piece by piece and given back all at once; and malloc()'s, where no arena is open. */
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/mem.h"

#include "lib/failing.h"
#include "lib/unit.h"

#define PIECES 2000

/*! Write to all of a piece, so that a sanitizer sees where it ends; each has octets of its own. */
static void fill(uint8_t *piece, size_t size, size_t number)
{
	memset(piece, (int)(number % 251), size);
}

static bool is_filled(const uint8_t *piece, size_t size, size_t number)
{
	for (size_t i = 0; i < size; i++) {
		if (piece[i] != number % 251) {
			return false;
		}
	}
	return true;
}

/* Pieces of all sizes lie apart, and are aligned; more than a block has are taken. */
static void test_take(void)
{
	mail_arena_t *arena = mail_arena_new();
	REQUIRE(arena != NULL);
	uint8_t *pieces[PIECES];
	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = mail_arena_take(arena, i % 997);
		REQUIRE(pieces[i] != NULL);
		CHECK((uintptr_t)pieces[i] % alignof(max_align_t) == 0, "%zu", i);
		fill(pieces[i], i % 997, i);
	}
	for (size_t i = 0; i < PIECES; i++) {
		CHECK(is_filled(pieces[i], i % 997, i), "%zu", i);
	}
	CHECK(mail_arena_size(arena) > PIECES / 2 * 997 / 2);
	CHECK(mail_arena_take(arena, SIZE_MAX) == NULL);
	CHECK(mail_arena_take(arena, SIZE_MAX / 2) == NULL);
	mail_arena_free(arena);
	mail_arena_free(NULL);
}

/* What was needed once needs no allocation again; what was very much is given back. */
static void test_reset(void)
{
	REQUIRE(failing_linked());
	mail_arena_t *arena = mail_arena_new();
	REQUIRE(arena != NULL);
	const size_t first = mail_arena_size(arena);
	for (unsigned round = 0; round < 5; round++) {
		/* The first two rounds may still grow, to the size that all of it has room in. */
		(void)failing_on(round > 1 ? 1 : 0);
		for (size_t i = 0; i < 500; i++) {
			uint8_t *piece = mail_arena_take(arena, 1000);
			CHECK(piece != NULL, "round %u", round);
			if (piece != NULL) {
				fill(piece, 1000, i);
			}
		}
		(void)failing_off();
		mail_arena_reset(arena);
	}
	const size_t kept = mail_arena_size(arena);
	CHECK(kept > first && kept < 2500000, "%zu", kept);
	REQUIRE(mail_arena_take(arena, 50000000) != NULL);
	CHECK(mail_arena_size(arena) > 50000000);
	mail_arena_reset(arena);
	CHECK(mail_arena_size(arena) <= kept, "%zu", mail_arena_size(arena));
	mail_arena_free(arena);
}

/* What was taken since a mark goes, and what was before it stays, whether or not it lies in the same block. */
static void test_rewind(void)
{
	static const size_t sizes[] = { 0, 16, 1000, 200000, 3000000 };
	EACH(size, sizes) {
		mail_arena_t *arena = mail_arena_new();
		REQUIRE(arena != NULL);
		uint8_t *before = mail_arena_take(arena, 100);
		REQUIRE(before != NULL);
		fill(before, 100, 7);
		const mail_arena_mark_t mark = mail_arena_mark(arena);
		uint8_t *first = mail_arena_take(arena, *size);
		REQUIRE(first != NULL);
		fill(first, *size, 9);
		const size_t grown = mail_arena_size(arena);
		for (unsigned again = 0; again < 10; again++) {
			mail_arena_rewind(arena, mark);
			uint8_t *piece = mail_arena_take(arena, *size);
			REQUIRE(piece != NULL);
			fill(piece, *size, 9);
			CHECK_INT(mail_arena_size(arena), grown);
		}
		CHECK(is_filled(before, 100, 7), "%zu", *size);
		mail_arena_free(arena);
	}
}

/* Only the open arena is taken from; what came from elsewhere goes back where it came from. */
static void test_open(void)
{
	mail_arena_t *arena = mail_arena_new(), *other = mail_arena_new();
	REQUIRE(arena != NULL && other != NULL);
	void *heap = mail_malloc(10), *grown = mail_malloc(10);
	mail_arena_t *before = mail_arena_open(arena);
	CHECK(before == NULL);
	grown = mail_realloc(grown, 100000); /* malloc()'s stays malloc()'s. */
	mail_free(heap);
	const size_t taken = mail_arena_mark(arena).used;
	uint8_t *piece = mail_calloc(10, 10);
	REQUIRE(piece != NULL && grown != NULL);
	CHECK(mail_arena_mark(arena).used > taken);
	CHECK(is_filled(piece, 100, 0));
	CHECK(mail_calloc(SIZE_MAX / 2, 3) == NULL);
	fill(piece, 100, 3);
	/* One within the other. */
	mail_arena_t *outer = mail_arena_open(other);
	CHECK(outer == arena);
	CHECK(mail_malloc(10) != NULL);
	mail_arena_close(outer);
	uint8_t *smaller = mail_realloc(piece, 50);
	CHECK(smaller == piece);
	uint8_t *larger = mail_realloc(piece, 100000);
	REQUIRE(larger != NULL);
	CHECK(is_filled(larger, 50, 3));
	fill(larger, 100000, 4);
	CHECK(is_filled(piece, 100, 3));
	CHECK(mail_realloc(NULL, 10) != NULL);
	mail_free(larger);
	mail_free(piece);
	mail_free(NULL);
	CHECK(is_filled(larger, 100000, 4)); /* It was a word without effect. */
	mail_arena_close(before);
	heap = mail_calloc(3, 3);
	CHECK(heap != NULL && is_filled(heap, 9, 0));
	heap = mail_realloc(heap, 1000);
	mail_free(heap);
	mail_free(grown);
	mail_arena_free(arena);
	mail_arena_free(other);
}

/* Without memory there is NULL, and what was taken stays. */
static void test_failing(void)
{
	REQUIRE(failing_linked());
	for (size_t n = 1; n <= 2; n++) {
		(void)failing_on(n);
		CHECK(mail_arena_new() == NULL, "%zu", n);
		(void)failing_off();
	}
	mail_arena_t *arena = mail_arena_new();
	REQUIRE(arena != NULL);
	uint8_t *piece = mail_arena_take(arena, 1000);
	REQUIRE(piece != NULL);
	fill(piece, 1000, 5);
	mail_arena_t *before = mail_arena_open(arena);
	(void)failing_on(1);
	CHECK(mail_arena_take(arena, 1000000) == NULL);
	(void)failing_on(1);
	CHECK(mail_realloc(piece, 1000000) == NULL);
	(void)failing_on(1);
	CHECK(mail_calloc(1000, 1000) == NULL);
	/* There is still room for less. */
	CHECK(mail_malloc(1000) != NULL);
	(void)failing_off();
	CHECK(is_filled(piece, 1000, 5));
	mail_arena_close(before);
	mail_arena_free(arena);
}

UNIT_MAIN("mem", TEST("pieces", test_take), TEST("from one time to the next", test_reset),
          TEST("marks", test_rewind), TEST("an open arena, and none", test_open),
          TEST("allocations that fail", test_failing))
