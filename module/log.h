/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Log lines of a module instance, rate-limited.
 *
 * Equal lines appear once in an interval; the next one says how many were left out. Different lines
 * share a fixed table; when it is full, so that a flood of different lines cannot fill the log either,
 * the rest is counted in one line. All instances with the same interval share one table.
 *
 * Thread rule: mail_log_write() from any number of threads at once, without a lock. An object belongs
 * to one instance and ends with it. For a zone's instance only knotd's own threads may log, and not in
 * unload: the name of the zone may be freed before.
 */
#pragma once

#include "compat.h"

typedef struct mail_log mail_log_t;

/*!
 * Make the log of an instance.
 *
 * \param mod       The instance.
 * \param interval  Seconds between two equal lines.
 *
 * \return NULL without memory.
 */
mail_log_t *mail_log_new(knotd_mod_t *mod, unsigned interval);
/*! Free a log; NULL is fine. */
void mail_log_free(mail_log_t *log);

/*! Write a line in any case: for what happens once. */
void mail_log_event(mail_log_t *log, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*! Write a line, unless it has just been written. \param priority LOG_ERR, LOG_WARNING... */
void mail_log_write(mail_log_t *log, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
