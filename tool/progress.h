/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Progress of something long, on a terminal, and its interruption.
 */
#pragma once

#include "tool/verb.h"

typedef struct {
	const char *what; /*!< "lines", "entries". */
	uint64_t total;   /*!< Steps (or octets) in all; 0: not known. */
	uint64_t ticks;
	int64_t began, shown; /*!< Milliseconds. */
	bool on;
} progress_t;

/*! Begin; from now on a signal does not end the process, but the ticks. */
void progress_begin(progress_t *progress, const char *what, uint64_t total);
/*! Count one more `what`; `done` of total is behind. \return false when the user has interrupted. */
bool progress_tick(progress_t *progress, uint64_t done);
/*! As progress_tick() where each tick is a step of total; an interruption ends the process. */
void progress_step(tool_t *tool, progress_t *progress);
/*! Return the signal by which the user has interrupted since progress_begin(), or 0. */
int progress_interrupted(void);
/*! Take the line off the terminal, for something else that is printed there. */
void progress_clear(void);
/*! The same, and show no more. */
void progress_end(progress_t *progress);
