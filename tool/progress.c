/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/progress.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tool/out.h"

#define SHOW_EVERY_MS 250
#define LOOK_EVERY 64

static volatile sig_atomic_t interrupted;

/* Whether the cursor stands behind a line of progress. */
static bool is_shown;

static void on_signal(int number)
{
	interrupted = number;
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
	/* Without SA_RESTART: a read that waits for input ends, too. A second signal ends the process at once. */
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction before;
		/* What the caller ignores, as nohup does, stays ignored. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
			(void)sigaction(signals[i], &action, NULL);
		}
	}
}

/*! \brief Return how many characters fit into a line of the terminal. */
static size_t line_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
		return 79;
	}
	/* Into the last column none is written: some terminals begin a new line behind it. */
	return size.ws_col - 1;
}

static void show(progress_t *progress, uint64_t done, int64_t now)
{
	int64_t spent = now - progress->began;
	uint64_t rate = spent > 0 ? progress->ticks * 1000 / (uint64_t)spent : 0;
	char line[160];
	int len = snprintf(line, sizeof(line), "%llu %s, %llu/s",
	                   (unsigned long long)progress->ticks, progress->what,
	                   (unsigned long long)rate);
	if (progress->total > 0 && done > 0) {
		uint64_t upto = done < progress->total ? done : progress->total;
		double left = (double)spent * ((double)progress->total / (double)upto - 1.0) /
		              1000.0;
		(void)snprintf(line + len, sizeof(line) - (size_t)len, ", %llu %%, %.0f s left",
		               (unsigned long long)(upto * 100 / progress->total), left);
	}
	(void)fprintf(stderr, "\r\033[K%.*s", (int)line_width(), line);
	(void)fflush(stderr);
	progress->shown = now;
	is_shown = true;
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

int progress_interrupted(void)
{
	return interrupted;
}

void progress_clear(void)
{
	if (is_shown) {
		(void)fputs("\r\033[K", stderr);
	}
	is_shown = false;
}

void progress_end(progress_t *progress)
{
	progress_clear();
	progress->on = false;
}
