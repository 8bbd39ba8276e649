/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/mem.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*! Octets of the first block. */
#define BLOCK_FIRST ((size_t)64 * 1024)
/*! A block of more octets is not kept from one time to the next. */
#define BLOCK_KEPT ((size_t)1024 * 1024)

typedef struct block block_t;

struct block {
	block_t *before; /*!< The block that was full; NULL: this is the first. */
	size_t size, used;
	alignas(max_align_t) uint8_t memory[];
};

struct mail_arena {
	block_t *last;
};

/*! What stands before a piece. */
typedef union {
	size_t size;
	max_align_t align;
} head_t;

static _Thread_local mail_arena_t *open_arena;

static block_t *block_new(size_t size, block_t *before)
{
	block_t *block = size <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + size) : NULL;
	if (block != NULL) {
		block->before = before;
		block->size = size;
		block->used = 0;
	}
	return block;
}

mail_arena_t *mail_arena_new(void)
{
	mail_arena_t *arena = malloc(sizeof(*arena));
	if (arena == NULL) {
		return NULL;
	}
	arena->last = block_new(BLOCK_FIRST, NULL);
	if (arena->last == NULL) {
		free(arena);
		return NULL;
	}
	return arena;
}

void mail_arena_free(mail_arena_t *arena)
{
	if (arena == NULL) {
		return;
	}
	while (arena->last != NULL) {
		block_t *before = arena->last->before;
		free(arena->last);
		arena->last = before;
	}
	free(arena);
}

void mail_arena_rewind(mail_arena_t *arena, mail_arena_mark_t mark)
{
	while (arena->last != mark.block) {
		block_t *before = arena->last->before;
		free(arena->last);
		arena->last = before;
	}
	arena->last->used = mark.used;
}

void mail_arena_reset(mail_arena_t *arena)
{
	/* The last block is the largest: with it alone the next time needs no other. */
	while (arena->last->size > BLOCK_KEPT && arena->last->before != NULL) {
		block_t *before = arena->last->before;
		free(arena->last);
		arena->last = before;
	}
	while (arena->last->before != NULL) {
		block_t *before = arena->last->before;
		arena->last->before = before->before;
		free(before);
	}
	arena->last->used = 0;
}

mail_arena_mark_t mail_arena_mark(const mail_arena_t *arena)
{
	return (mail_arena_mark_t){ arena->last, arena->last->used };
}

size_t mail_arena_size(const mail_arena_t *arena)
{
	size_t size = sizeof(*arena);
	for (const block_t *block = arena->last; block != NULL; block = block->before) {
		size += sizeof(*block) + block->size;
	}
	return size;
}

mail_arena_t *mail_arena_open(mail_arena_t *arena)
{
	mail_arena_t *before = open_arena;
	open_arena = arena;
	return before;
}

void mail_arena_close(mail_arena_t *before)
{
	open_arena = before;
}

/*! Return whether a piece is one of an arena's. */
static bool is_piece(const mail_arena_t *arena, const void *memory)
{
	const uintptr_t at = (uintptr_t)memory;
	for (const block_t *block = arena->last; block != NULL; block = block->before) {
		const uintptr_t start = (uintptr_t)block->memory;
		if (at >= start && at < start + block->size) {
			return true;
		}
	}
	return false;
}

void *mail_arena_take(mail_arena_t *arena, size_t size)
{
	if (size > SIZE_MAX / 4) {
		return NULL;
	}
	const size_t align = alignof(max_align_t);
	const size_t need = sizeof(head_t) + (size + align - 1) / align * align;
	block_t *block = arena->last;
	if (block->size - block->used < need) {
		size_t more = 2 * block->size;
		block = block_new(more < need ? need : more, block);
		if (block == NULL) {
			return NULL;
		}
		arena->last = block;
	}
	head_t *head = (head_t *)(block->memory + block->used);
	head->size = size;
	block->used += need;
	return head + 1;
}

void *mail_malloc(size_t size)
{
	return open_arena != NULL ? mail_arena_take(open_arena, size) : malloc(size);
}

void *mail_calloc(size_t count, size_t size)
{
	if (open_arena == NULL) {
		return calloc(count, size);
	}
	if (size != 0 && count > SIZE_MAX / size) {
		return NULL;
	}
	void *memory = mail_arena_take(open_arena, count * size);
	return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void *mail_realloc(void *memory, size_t size)
{
	if (open_arena == NULL || (memory != NULL && !is_piece(open_arena, memory))) {
		return realloc(memory, size);
	}
	const size_t old = memory != NULL ? ((head_t *)memory - 1)->size : 0;
	if (memory != NULL && size <= old) {
		return memory;
	}
	void *grown = mail_arena_take(open_arena, size);
	return grown != NULL && old > 0 ? memcpy(grown, memory, old) : grown;
}

void mail_free(void *memory)
{
	if (open_arena == NULL || !is_piece(open_arena, memory)) {
		free(memory);
	}
}
