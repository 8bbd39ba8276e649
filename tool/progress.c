/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/progress.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "tool/out.h"

#define SHOW_EVERY_MS 250
#define LOOK_EVERY 64

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(progress_t *progress, const char *what, uint64_t total)
{
	*progress = (progress_t){
		.what = what, .total = total, .began = now_ms(), .on = isatty(STDERR_FILENO)
	};
	progress->shown = progress->began;
	/* Without SA_RESTART: a read that waits for input ends, too. */
	struct sigaction action = { .sa_handler = on_signal };
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

static void show(progress_t *progress, uint64_t done, int64_t now)
{
	int64_t spent = now - progress->began;
	uint64_t rate = spent > 0 ? progress->ticks * 1000 / (uint64_t)spent : 0;
	(void)fprintf(stderr, "\r\033[K%llu %s, %llu/s", (unsigned long long)progress->ticks,
	              progress->what, (unsigned long long)rate);
	if (progress->total > 0 && done > 0) {
		uint64_t upto = done < progress->total ? done : progress->total;
		double left = (double)spent * ((double)progress->total / (double)upto - 1.0) /
		              1000.0;
		(void)fprintf(stderr, ", %llu %%, %.0f s left",
		              (unsigned long long)(upto * 100 / progress->total), left);
	}
	(void)fflush(stderr);
	progress->shown = now;
}

bool progress_tick(progress_t *progress, uint64_t done)
{
	progress->ticks++;
	if (progress->on && progress->ticks % LOOK_EVERY == 0) {
		int64_t now = now_ms();
		if (now - progress->shown >= SHOW_EVERY_MS) {
			show(progress, done, now);
		}
	}
	return !interrupted;
}

void progress_step(tool_t *tool, progress_t *progress)
{
	if (!progress_tick(progress, progress->ticks)) {
		progress_end(progress);
		tool_fail(tool, KNOT_ERROR, "interrupted");
	}
}

bool progress_interrupted(void)
{
	return interrupted != 0;
}

void progress_end(progress_t *progress)
{
	if (progress->on && progress->shown != progress->began) {
		(void)fputs("\r\033[K", stderr);
	}
	progress->on = false;
}
