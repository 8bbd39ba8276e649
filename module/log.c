/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "uptime.h"

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

/*! What instances with the same interval share: there may be ten thousand of them. */
typedef struct table {
	struct table *next; /*!< In the registry. */
	unsigned refs;      /*!< Under the registry's mutex. */
	int64_t interval;   /*!< Microseconds. */
	line_t lines[LINES];
	line_t rest; /*!< All lines that found no room. */
} table_t;

struct mail_log {
	knotd_mod_t *mod;
	table_t *table;
	uint64_t salt; /*!< Tells the zones' lines apart: knotd writes the name in front. */
};

/*! The tables that are in use. */
static struct {
	pthread_mutex_t mutex;
	table_t *first;
} registry = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/*! Go on with a hash: FNV-1a, 64 bits. */
static uint64_t hash_add(uint64_t hash, const void *octets, size_t len)
{
	const uint8_t *octet = octets;
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ octet[i]) * 0x100000001b3;
	}
	return hash;
}

/*! Hash a line; never 0. */
static uint64_t hash_of(const mail_log_t *log, const char *text)
{
	uint64_t hash = hash_add(log->salt, text, strlen(text));
	return hash != 0 ? hash : 1;
}

/*! Return whether a line is still silenced; a time further ahead than the interval was never set. */
static bool is_silenced(const table_t *table, int64_t next, int64_t now)
{
	return next > now && next - now <= table->interval;
}

/*! Find the slot of a line: its own, else one that is free or whose interval is over, else the common one. */
static line_t *find_line(table_t *table, uint64_t hash, int64_t now)
{
	for (unsigned i = 0; i < PROBES; i++) {
		line_t *line = &table->lines[(hash + i) % LINES];
		if (atomic_load(&line->hash) == hash) {
			return line;
		}
	}
	for (unsigned i = 0; i < PROBES; i++) {
		line_t *line = &table->lines[(hash + i) % LINES];
		uint64_t old = atomic_load(&line->hash);
		if (old != 0 && is_silenced(table, atomic_load(&line->next), now)) {
			continue;
		}
		if (atomic_compare_exchange_strong(&line->hash, &old, hash)) {
			// What the old line still had to say is said by the common one.
			uint64_t suppressed = atomic_exchange(&line->suppressed, 0);
			atomic_fetch_add(&table->rest.suppressed, suppressed);
			atomic_store(&line->next, 0);
			return line;
		}
	}
	return &table->rest;
}

/*! Return whether the caller is to write the line now; else it is counted as suppressed. */
static bool may_write(table_t *table, line_t *line, int64_t now, uint64_t *suppressed)
{
	int64_t next = atomic_load(&line->next);
	if (is_silenced(table, next, now) ||
	    !atomic_compare_exchange_strong(&line->next, &next, now + table->interval)) {
		atomic_fetch_add(&line->suppressed, 1);
		return false;
	}
	*suppressed = atomic_exchange(&line->suppressed, 0);
	return true;
}

/*! Find the table for an interval, or make it. \return NULL without memory. */
static table_t *table_get(int64_t interval)
{
	(void)pthread_mutex_lock(&registry.mutex);
	table_t *table = registry.first;
	while (table != NULL && table->interval != interval) {
		table = table->next;
	}
	if (table == NULL) {
		table = calloc(1, sizeof(*table));
		if (table != NULL) {
			table->interval = interval;
			table->next = registry.first;
			registry.first = table;
		}
	}
	if (table != NULL) {
		table->refs++;
	}
	(void)pthread_mutex_unlock(&registry.mutex);
	return table;
}

static void table_put(table_t *table)
{
	(void)pthread_mutex_lock(&registry.mutex);
	if (--table->refs == 0) {
		table_t **link = &registry.first;
		while (*link != table) {
			link = &(*link)->next;
		}
		*link = table->next;
		free(table);
	}
	(void)pthread_mutex_unlock(&registry.mutex);
}

mail_log_t *mail_log_new(knotd_mod_t *mod, unsigned interval)
{
	mail_log_t *log = calloc(1, sizeof(*log));
	if (log == NULL) {
		return NULL;
	}
	log->mod = mod;
	log->table = table_get((int64_t)interval * 1000000);
	if (log->table == NULL) {
		free(log);
		return NULL;
	}
	const knot_dname_t *zone = knotd_mod_zone(mod);
	log->salt = hash_add(0xcbf29ce484222325, zone, zone != NULL ? knot_dname_size(zone) : 0);
	return log;
}

void mail_log_free(mail_log_t *log)
{
	if (log == NULL) {
		return;
	}
	table_put(log->table);
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

	int64_t now = mail_uptime_us();
	line_t *line = find_line(log->table, hash_of(log, text), now);
	uint64_t suppressed = 0;
	if (!may_write(log->table, line, now, &suppressed)) {
		return;
	}
	if (suppressed == 0) {
		knotd_mod_log(log->mod, priority, "%s", text);
	} else if (line == &log->table->rest) {
		knotd_mod_log(log->mod, priority, "%s (%" PRIu64 " other messages suppressed)",
		              text, suppressed);
	} else {
		knotd_mod_log(log->mod, priority, "%s (repeated %" PRIu64 " times since)", text,
		              suppressed);
	}
}
