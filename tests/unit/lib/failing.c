/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "failing.h"

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t count, size_t size) __attribute__((weak));
void *__real_realloc(void *memory, size_t size) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static size_t failing_left; /* Allocations to go until one fails; 0: none fails. */
static bool failing_met;    /* One has failed. */

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

bool failing_linked(void)
{
	return __real_malloc != NULL && __real_calloc != NULL && __real_realloc != NULL;
}

bool failing_on(size_t i)
{
	failing_left = i;
	failing_met = false;
	return i <= FAILING_MAX;
}

bool failing_off(void)
{
	failing_left = 0;
	return failing_met;
}
