/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Allocations that fail on demand, for sweeps: the first, then the second, ... until all have.
 *
 * The program is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc, which turns the calls of the library (not
 * those of shared libraries) to the functions here. Without that, failing_linked() is false, and a test that does not
 * assert it tests nothing.
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

/*! Most allocations that a sweep goes through: a run that makes more is not swept but lost. */
#define FAILING_MAX 100000

/*! Return whether the program is linked as said above. */
bool failing_linked(void);

/*! From here on, only the i-th allocation (from 1) fails. \return false beyond FAILING_MAX. */
bool failing_on(size_t i);

/*! From here on, no allocation fails. \return Whether one has failed since failing_on(). */
bool failing_off(void);
