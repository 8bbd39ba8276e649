/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The message that goes with an error.
 *
 * Functions that read what people wrote take a mail_diag_t and leave the reason there. Thread rule: one
 * thread at a time; there is no global state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <libknot/libknot.h>

/*! What is wrong, for people. */
typedef struct mail_diag {
	uint32_t line;   /*!< Line in the file, from 1; 0 is unknown. */
	uint32_t column; /*!< Octet within the value, from 1; 0 is unknown. */
	char text[320];  /*!< The reason, without a full stop. */
	/*! Optional: takes each warning (a risky value that is accepted). */
	void (*warn)(void *ctx, const char *text);
	void *warn_ctx;
} mail_diag_t;

/*!
 * Note an error.
 *
 * \param diag    Where to; may be NULL.
 * \param column  Octet within the value, from 1; 0 is unknown.
 * \param fmt     printf format of the reason.
 *
 * \return KNOT_EINVAL, always, so that a caller can return it.
 */
int mail_diag_error(mail_diag_t *diag, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*! Hand a warning to diag->warn, if there is one; diag may be NULL. */
void mail_diag_warn(mail_diag_t *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*!
 * Move the column of an error that was found in a part of a value.
 *
 * \param ret     What the check of the part returned; handed through.
 * \param offset  Where in the value the part starts.
 */
static inline int mail_diag_shift(mail_diag_t *diag, int ret, size_t offset)
{
	if (ret != KNOT_EOK && diag != NULL && diag->column > 0) {
		diag->column += (uint32_t)offset;
	}
	return ret;
}
