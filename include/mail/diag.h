/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The message that goes with an error.
 *
 * Functions that read what people wrote take a mail_diag_t, and leave the reason of an error there.
 *
 * Thread rule: one thread at a time uses an object; there is no global state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <libknot/libknot.h>

/*! The reason of an error, for people. */
typedef struct mail_diag {
	uint32_t line;   /*!< Line in the file, from 1; 0: unknown. */
	uint32_t column; /*!< Octet in the value, from 1; 0: unknown. */
	char text[320];  /*!< The reason, without a full stop. */
	/*! Optional: is called for each warning about a value that is accepted although it is risky. */
	void (*warn)(void *ctx, const char *text);
	void *warn_ctx;
} mail_diag_t;

/*!
 * Write the reason of an error.
 *
 * \param diag    Out: the reason; may be NULL.
 * \param column  Octet in the value, from 1; 0: unknown.
 * \param fmt     printf format of the reason.
 *
 * \return KNOT_EINVAL, always, so that the caller can return this call's result.
 */
int mail_diag_error(mail_diag_t *diag, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*! Call diag->warn with a warning, if it is set. diag may be NULL. */
void mail_diag_warn(mail_diag_t *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*!
 * Move the column of an error in a part of a value, so that it counts from the start of the value.
 *
 * \param ret     Result of the check of the part.
 * \param offset  Octets of the value before the part.
 *
 * \return ret.
 */
static inline int mail_diag_shift(mail_diag_t *diag, int ret, size_t offset)
{
	if (ret != KNOT_EOK && diag != NULL && diag->column > 0) {
		diag->column += (uint32_t)offset;
	}
	return ret;
}
