/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "uptime.h"

#include <time.h>

static int64_t clock_us(clockid_t id)
{
	struct timespec ts = { 0 };
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t mail_uptime_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t mail_thread_us(void)
{
	return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t mail_uptime(void)
{
	return mail_uptime_us() / 1000000;
}
