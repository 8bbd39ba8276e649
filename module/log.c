/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*! Different lines that are told apart within an interval. */
#define LINES 64
/*! Slots of the table in which a line may stand, from the one of its hash on. */
#define PROBES 8
/*! knotd cuts at 512 octets, its prefix included. */
#define LINE_MAX_LEN 480

typedef struct {
	_Atomic uint64_t hash;       /*!< Of the line; 0: free. */
	_Atomic int64_t next;        /*!< Second from which it may be written again. */
	_Atomic uint64_t suppressed; /*!< How often it was left out since it was written. */
} line_t;

struct mail_log {
	knotd_mod_t *mod;
	int64_t interval;
	line_t lines[LINES];
	line_t rest; /*!< All lines that found no room. */
};

/*! Monotonic seconds, so that a step of the clock neither silences nor floods the log. */
static int64_t uptime(void)
{
	struct timespec ts = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*! FNV-1a, 64 bits; never 0. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *c = text; *c != '\0'; c++) {
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
	}
	return hash != 0 ? hash : 1;
}

/*! Says whether a line is still silenced; a time further ahead than the interval was never set. */
static bool is_fresh(const mail_log_t *log, int64_t next, int64_t now)
{
	return next > now && next - now <= log->interval;
}

/*! The slot of a line: its own, else one that is free or whose interval is over, else the common one. */
static line_t *find_line(mail_log_t *log, uint64_t hash, int64_t now)
{
	for (unsigned i = 0; i < PROBES; i++) {
		line_t *line = &log->lines[(hash + i) % LINES];
		if (atomic_load(&line->hash) == hash) {
			return line;
		}
	}
	for (unsigned i = 0; i < PROBES; i++) {
		line_t *line = &log->lines[(hash + i) % LINES];
		uint64_t old = atomic_load(&line->hash);
		if (old != 0 && is_fresh(log, atomic_load(&line->next), now)) {
			continue;
		}
		if (atomic_compare_exchange_strong(&line->hash, &old, hash)) {
			// What the old line still had to say is said by the common one.
			uint64_t suppressed = atomic_exchange(&line->suppressed, 0);
			atomic_fetch_add(&log->rest.suppressed, suppressed);
			atomic_store(&line->next, 0);
			return line;
		}
	}
	return &log->rest;
}

/*! Says whether the caller is the one who writes the line now; the others are counted. */
static bool may_write(mail_log_t *log, line_t *line, int64_t now, uint64_t *suppressed)
{
	int64_t next = atomic_load(&line->next);
	if (is_fresh(log, next, now) ||
	    !atomic_compare_exchange_strong(&line->next, &next, now + log->interval)) {
		atomic_fetch_add(&line->suppressed, 1);
		return false;
	}
	*suppressed = atomic_exchange(&line->suppressed, 0);
	return true;
}

mail_log_t *mail_log_new(knotd_mod_t *mod, unsigned interval)
{
	mail_log_t *log = calloc(1, sizeof(*log));
	if (log != NULL) {
		log->mod = mod;
		log->interval = interval;
	}
	return log;
}

void mail_log_free(mail_log_t *log)
{
	free(log);
}

void mail_log_event(mail_log_t *log, int priority, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	knotd_mod_vlog(log->mod, priority, fmt, args);
	va_end(args);
}

void mail_log_write(mail_log_t *log, int priority, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0) {
		return;
	}

	int64_t now = uptime();
	line_t *line = find_line(log, hash_of(text), now);
	uint64_t suppressed = 0;
	if (!may_write(log, line, now, &suppressed)) {
		return;
	}
	if (suppressed == 0) {
		knotd_mod_log(log->mod, priority, "%s", text);
	} else if (line == &log->rest) {
		knotd_mod_log(log->mod, priority, "%s (%" PRIu64 " other messages suppressed)",
		              text, suppressed);
	} else {
		knotd_mod_log(log->mod, priority, "%s (repeated %" PRIu64 " times since)", text,
		              suppressed);
	}
}
