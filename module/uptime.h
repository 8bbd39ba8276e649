/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Clocks that no step of the system's time moves.
 */
#pragma once

#include <stdint.h>

/*! Return microseconds of uptime. */
int64_t mail_uptime_us(void);
/*! Return the microseconds for which this thread had a processor. */
int64_t mail_thread_us(void);
/*! Return seconds of uptime. */
int64_t mail_uptime(void);
