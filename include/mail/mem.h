/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Memory of what is made while a question is answered.
 *
 * Profiles, plans, records and buffers take their memory here. Mostly it is malloc()'s. While a thread has an arena open,
 * what it takes comes out of the arena, piece by piece, and is given back all at once: so what is made for a single
 * question costs no allocation. The code that makes it does not know the difference.
 *
 * What was taken from an arena may be freed only while that arena is open, where it is a word without effect; so nothing
 * that outlives the arena may grow meanwhile.
 *
 * Thread rule: an arena belongs to one thread. A thread has one arena open at most.
 */
#pragma once

#include <stddef.h>
#include <stdbool.h>

typedef struct mail_arena mail_arena_t;

/*! Make an empty arena. \return NULL without memory. */
mail_arena_t *mail_arena_new(void);
/*! Free an arena that is not open. NULL is allowed. */
void mail_arena_free(mail_arena_t *arena);
/*! Give back all that was taken, but keep some memory for the next time. */
void mail_arena_reset(mail_arena_t *arena);
/*! Open an arena: mail_malloc() and the others take from it. \return The one that was open before, for mail_arena_close(). */
mail_arena_t *mail_arena_open(mail_arena_t *arena);
/*! Close the open arena. \param before What mail_arena_open() returned. */
void mail_arena_close(mail_arena_t *before);
/*! Return the octets of memory that an arena holds. */
size_t mail_arena_size(const mail_arena_t *arena);

/*! Take memory from an arena, open or not. \return NULL without memory. */
void *mail_arena_take(mail_arena_t *arena, size_t size);

/*! How far an arena is taken. */
typedef struct {
	void *block;
	size_t used;
} mail_arena_mark_t;

/*! Return how far an arena is taken. */
mail_arena_mark_t mail_arena_mark(const mail_arena_t *arena);
/*! Give back what was taken since the mark. */
void mail_arena_rewind(mail_arena_t *arena, mail_arena_mark_t mark);

/*! malloc(), out of the open arena if there is one; so the others. */
void *mail_malloc(size_t size) __attribute__((malloc));
void *mail_calloc(size_t count, size_t size) __attribute__((malloc));
void *mail_realloc(void *memory, size_t size);
void mail_free(void *memory);
