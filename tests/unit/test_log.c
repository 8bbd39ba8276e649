/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <time.h>

#include "module/log.h"

#include "lib/unit.h"

/* A knotd that only keeps what is logged. */

struct knotd_mod {
	const knot_dname_t *zone;
	unsigned count;
	char last[512];
};

void knotd_mod_vlog(knotd_mod_t *mod, int priority, const char *fmt, va_list args)
{
	(void)priority;
	vsnprintf(mod->last, sizeof(mod->last), fmt, args);
	mod->count++;
}

void knotd_mod_log(knotd_mod_t *mod, int priority, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	knotd_mod_vlog(mod, priority, fmt, args);
	va_end(args);
}

#if KNOTD_MOD_ABI_VERSION >= 600
const knot_dname_t *knotd_mod_zone(const knotd_mod_t *mod)
#else
const knot_dname_t *knotd_mod_zone(knotd_mod_t *mod)
#endif
{
	return mod->zone;
}

/*! Monotonic seconds and milliseconds of the log, instead of the C library's. */
static int64_t now;
static long now_ms;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	*ts = (struct timespec){ .tv_sec = now, .tv_nsec = now_ms * 1000000 };
	return 0;
}

static void test_equal_lines(void)
{
	static const struct {
		int64_t at;
		unsigned times;
		unsigned lines; /*!< Written so far. */
		const char *last;
	} cases[] = {
		{ 1000, 1, 1, "store 7" },
		{ 1000, 5, 1, "store 7" },
		{ 1059, 2, 1, "store 7" },
		{ 1060, 1, 2, "store 7 (repeated 7 times since)" },
		{ 1061, 1, 2, "store 7 (repeated 7 times since)" },
		{ 5000, 1, 3, "store 7 (repeated 1 times since)" },
		{ 6000, 1, 4, "store 7" },
		/* A clock that went back does not silence a line for longer than the interval. */
		{ 100, 1, 5, "store 7" },
		{ 101, 1, 5, "store 7" },
	};
	knotd_mod_t mod = { 0 };
	mail_log_t *log = mail_log_new(&mod, 60);
	EACH(c, cases) {
		now = c->at;
		for (unsigned n = 0; n < c->times; n++) {
			mail_log_write(log, LOG_ERR, "store %d", 7);
		}
		CHECK(mod.count == c->lines, "%u lines", mod.count);
		CHECK_STR(mod.last, c->last);
	}
	mail_log_free(log);
}

static void test_different_lines(void)
{
	knotd_mod_t mod = { 0 };
	mail_log_t *log = mail_log_new(&mod, 60);
	now = 1000;
	for (int i = 0; i < 8; i++) {
		mail_log_write(log, LOG_ERR, "domain %d", i);
		mail_log_write(log, LOG_ERR, "domain %d", i);
	}
	CHECK(mod.count == 8, "%u lines", mod.count);
	mail_log_free(log);
}

/*! However many different lines there are: no more than the table holds, and one that counts the rest. */
static void test_flood(void)
{
	knotd_mod_t mod = { 0 };
	mail_log_t *log = mail_log_new(&mod, 60);
	now = 1000;
	for (int i = 0; i < 100000; i++) {
		mail_log_write(log, LOG_ERR, "domain %d", i);
	}
	unsigned first = mod.count;
	CHECK(first >= 32 && first <= 65, "%u lines", first);
	/* All intervals are over; every line finds room, the rest is still to be said. */
	now = 1061;
	unsigned said = 0;
	for (int i = 0; i < 100000; i++) {
		mail_log_write(log, LOG_ERR, "other %d", i);
		unsigned rest = 0;
		const char *open = strchr(mod.last, '(');
		if (open != NULL && sscanf(open, "(%u other messages suppressed)", &rest) == 1) {
			said = rest;
		}
	}
	CHECK(said >= 100000 - first, "said %u, first %u", said, first);
	CHECK(mod.count <= first + 65, "%u lines", mod.count);
	mail_log_free(log);
}

/*! Two zones' lines are told apart, although instances share their memory. */
static void test_zones(void)
{
	knotd_mod_t mods[] = { { .zone = (const knot_dname_t *)"\3org" },
		               { .zone = (const knot_dname_t *)"\3com" },
		               { .zone = (const knot_dname_t *)"\3org" } };
	mail_log_t *logs[3];
	now = 1000;
	for (size_t i = 0; i < 3; i++) {
		logs[i] = mail_log_new(&mods[i], 60);
		mail_log_write(logs[i], LOG_ERR, "damaged");
	}
	CHECK(mods[0].count == 1 && mods[1].count == 1, "each zone has its line");
	CHECK(mods[2].count == 0, "a second instance of the zone does not repeat it");
	/* Another interval is another table. */
	mail_log_t *other = mail_log_new(&mods[2], 61);
	mail_log_write(other, LOG_ERR, "damaged");
	CHECK_INT(mods[2].count, 1);
	for (size_t i = 0; i < 3; i++) {
		mail_log_free(logs[i]);
	}
	mail_log_free(other);
}

/* A second is a whole one, whenever it begins. */
static void test_part_of_a_second(void)
{
	static const struct {
		int64_t at;
		long ms;
		const char *last;
	} cases[] = {
		{ 1000, 999, "damaged" },
		{ 1001, 0, "" },
		{ 1001, 998, "" },
		{ 1001, 999, "damaged (repeated 2 times since)" },
	};
	knotd_mod_t mod = { 0 };
	mail_log_t *log = mail_log_new(&mod, 1);
	EACH(c, cases) {
		mod.last[0] = '\0';
		now = c->at;
		now_ms = c->ms;
		mail_log_write(log, LOG_ERR, "damaged");
		CHECK_STR(mod.last, c->last);
	}
	now_ms = 0;
	mail_log_free(log);
}

static void test_long_line(void)
{
	knotd_mod_t mod = { 0 };
	mail_log_t *log = mail_log_new(&mod, 60);
	char text[2000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mail_log_write(log, LOG_ERR, "%s%%", text);
	CHECK(mod.count == 1 && strlen(mod.last) < sizeof(mod.last) - 20, "%zu", strlen(mod.last));
	mail_log_event(log, LOG_INFO, "%d", 1);
	mail_log_event(log, LOG_INFO, "%d", 1);
	CHECK(mod.count == 3, "events are always written: %u", mod.count);
	mail_log_free(log);
}

UNIT_MAIN("log", TEST("equal lines", test_equal_lines),
          TEST("different lines", test_different_lines), TEST("a flood of lines", test_flood),
          TEST("zones", test_zones), TEST("part of a second", test_part_of_a_second),
          TEST("a long line, events", test_long_line))
