/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Lines that wait for somebody who can write them to the log.
 *
 * Thread rule: one thread at a time adds; any thread writes, without a lock. Zero octets are an empty object.
 */
#pragma once

#include <stdatomic.h>

#include "log.h"

/*! Octets of the longest line, its end included. */
#define MAIL_NOTE_MAX 480

typedef struct {
	_Atomic(struct mail_note *) newest; /*!< A list, the newest first. */
	atomic_uint count;
	char last[MAIL_NOTE_MAX]; /*!< The line that was added last. */
} mail_notes_t;

/*! Keep a line until somebody can write it, once in a row; of too many the last are lost. */
void mail_notes_add(mail_notes_t *notes, int priority, const char *text);
/*! Write all lines, the oldest first, and forget them. Cheap when there is none. \param log  NULL: only forget. */
void mail_notes_write(mail_notes_t *notes, mail_log_t *log);
