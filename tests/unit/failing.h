/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Allocations that fail on demand, for sweeps: the first, then the second, ... until all have.
 *
 * The program is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc, which turns the calls of
 * the library (not those of shared libraries) to the functions here. Without that, failing_linked() is
 * false, and a test that does not assert it tests nothing.
 *
 *     for (size_t i = 1; failing_on(i); i++) {
 *             ... run; every result must be KNOT_EOK or KNOT_ENOMEM ...
 *             bool met = failing_off();
 *             if (!met) { break; }        // i allocations were not made: all have failed once
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t count, size_t size) __attribute__((weak));
void *__real_realloc(void *memory, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/*! Most allocations that a sweep goes through: a run that makes more is not swept but lost. */
#define FAILING_MAX 100000

static size_t failing_left; /*!< Allocations to go until one fails; 0: none fails. */
static bool failing_met;    /*!< One has failed. */

static bool failing_now(void)
{
	if (failing_left == 0 || --failing_left > 0) {
		return false;
	}
	failing_met = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return failing_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return failing_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return failing_now() ? NULL : __real_realloc(memory, size);
}

/*! Says whether the program is linked as said above. */
static inline bool failing_linked(void)
{
	return __real_malloc != NULL && __real_calloc != NULL && __real_realloc != NULL;
}

/*! From here on, only the i-th allocation (from 1) fails. \return false beyond FAILING_MAX. */
static inline bool failing_on(size_t i)
{
	failing_left = i;
	failing_met = false;
	return i <= FAILING_MAX;
}

/*! From here on, no allocation fails. \return Whether one has failed since failing_on(). */
static inline bool failing_off(void)
{
	failing_left = 0;
	return failing_met;
}
