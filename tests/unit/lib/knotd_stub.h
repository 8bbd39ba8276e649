/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The functions of knotd that the module calls, without a knotd; and a store to answer from.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <knot/module.h>

#include "mail/kind.h"
#include "store_fixture.h"

#define THREADS 3
/*! What newer versions do not change. */
#if KNOTD_MOD_ABI_VERSION >= 600
#define CONST const
#else
#define CONST
#endif
/*! The state that knotd gives a BEGIN hook: KNOT_STATE_PRODUCE. */
#define UNDECIDED 2

extern const knotd_mod_api_t knotd_mod_api;

struct knotd_mod {
	void *ctx;
	const knot_dname_t *zone;
	const char *store;
	int64_t interval;
	knotd_mod_hook_f hook;
	knotd_mod_in_hook_f in_hook;
	knotd_stage_t stage;
	bool hook_fails, stats_fail;
	unsigned counters;
	uint32_t sizes[4];
	_Atomic uint64_t counts[4][64];
};

struct knotd_qdata_extra {
	const knot_dname_t *zone;
};

/*! Lines that were logged, from any thread. */
static struct {
	pthread_mutex_t mutex;
	unsigned count;
	char last[512];
} logged = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/*! Counters that do not exist, from any thread. */
static atomic_uint misused;

void *knotd_mod_ctx(CONST knotd_mod_t *mod)
{
	return mod->ctx;
}

void knotd_mod_ctx_set(knotd_mod_t *mod, void *ctx)
{
	mod->ctx = ctx;
}

const knot_dname_t *knotd_mod_zone(CONST knotd_mod_t *mod)
{
	return mod->zone;
}

void knotd_mod_vlog(knotd_mod_t *mod, int priority, const char *fmt, va_list args)
{
	(void)mod;
	(void)priority;
	pthread_mutex_lock(&logged.mutex);
	vsnprintf(logged.last, sizeof(logged.last), fmt, args);
	logged.count++;
	pthread_mutex_unlock(&logged.mutex);
}

void knotd_mod_log(knotd_mod_t *mod, int priority, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	knotd_mod_vlog(mod, priority, fmt, args);
	va_end(args);
}

int knotd_mod_stats_add(knotd_mod_t *mod, const char *name, uint32_t count,
                        knotd_mod_idx_to_str_f to_str)
{
	(void)name;
	if (mod->stats_fail) {
		return KNOT_ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		char *text = to_str(i, count);
		CHECK(text == NULL || text[0] != '\0', "counter %u.%u", mod->counters, i);
		free(text);
	}
	mod->sizes[mod->counters++] = count;
	return KNOT_EOK;
}

void knotd_mod_stats_incr(knotd_mod_t *mod, unsigned thread, uint32_t counter, uint32_t index,
                          uint64_t value)
{
	if (thread >= THREADS || counter >= mod->counters || index >= mod->sizes[counter]) {
		atomic_fetch_add(&misused, 1);
		return;
	}
	atomic_fetch_add(&mod->counts[counter][index], value);
}

int knotd_mod_hook(knotd_mod_t *mod, knotd_stage_t stage, knotd_mod_hook_f hook)
{
	if (mod->hook_fails) {
		return KNOT_ENOMEM;
	}
	mod->stage = stage;
	mod->hook = hook;
	return KNOT_EOK;
}

int knotd_mod_in_hook(knotd_mod_t *mod, knotd_stage_t stage, knotd_mod_in_hook_f hook)
{
	if (mod->hook_fails) {
		return KNOT_ENOMEM;
	}
	mod->stage = stage;
	mod->in_hook = hook;
	return KNOT_EOK;
}

unsigned knotd_mod_threads(knotd_mod_t *mod)
{
	(void)mod;
	return THREADS;
}

knotd_conf_t knotd_conf_mod(knotd_mod_t *mod, const yp_name_t *item)
{
	knotd_conf_t conf = { .count = 1 };
	if (strcmp(item + 1, "store") == 0) {
		conf.single.string = mod->store;
	} else if (strcmp(item + 1, "log-interval") == 0) {
		conf.single.integer = mod->interval;
	}
	return conf;
}

knotd_conf_t knotd_conf_zone(knotd_mod_t *mod, const yp_name_t *item, const knot_dname_t *zone)
{
	(void)mod;
	(void)item;
	(void)zone;
	return (knotd_conf_t){ .count = 0 };
}

knotd_conf_t knotd_conf(knotd_mod_t *mod, const yp_name_t *section, const yp_name_t *item,
                        const knotd_conf_t *id)
{
	(void)mod;
	(void)section;
	(void)item;
	(void)id;
	return (knotd_conf_t){ .count = 0 };
}

void knotd_conf_free(knotd_conf_t *conf)
{
	(void)conf;
}

knot_rrset_t knotd_qdata_zone_apex_rrset(CONST knotd_qdata_t *qdata, uint16_t type)
{
	(void)qdata;
	(void)type;
	knot_rrset_t none;
	knot_rrset_init_empty(&none);
	return none;
}

#if KNOTD_MOD_ABI_VERSION >= 600
int knotd_qdata_zone_rrset(const knotd_qdata_t *qdata, const knot_dname_t *zone_name,
                           const knot_dname_t *node_name, uint16_t type, knot_rrset_t *rrset)
{
	(void)qdata;
	(void)zone_name;
	(void)node_name;
	(void)type;
	knot_rrset_init_empty(rrset);
	return KNOT_ENONODE;
}
#endif

const knot_dname_t *knotd_qdata_zone_name(CONST knotd_qdata_t *qdata)
{
	return qdata->extra->zone;
}

/*! Fill a store with one domain. */
static inline void fill(const fixture_t *f)
{
	static const struct {
		mail_section_t section;
		const char *id;
		mail_item_id_t item;
		const char *value;
	} rows[] = {
		{ MAIL_SECTION_POLICY, "one", MAIL_ITEM_NS, "ns.hosted.test." },
		{ MAIL_SECTION_DOMAIN, "example.org", MAIL_ITEM_POLICY, "one" },
	};
	mail_store_t *store = fixture_open(f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_WRITE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = put(txn, rows[i].section, rows[i].id, rows[i].item, rows[i].value);
		CHECK(ret == KNOT_EOK, "row %zu: %d", i, ret);
	}
	CHECK(mail_txn_commit(txn) == KNOT_EOK, "commit");
	mail_store_close(store);
}

/*! Return whether the last line that was logged has a text in it. */
static inline bool logged_is(const char *text)
{
	pthread_mutex_lock(&logged.mutex);
	bool is = strstr(logged.last, text) != NULL;
	pthread_mutex_unlock(&logged.mutex);
	return is;
}

/*! Memory of a question, as knotd has it: gone at its end, whatever is in it. */
typedef struct {
	_Alignas(16) uint8_t octets[1 << 18];
	size_t used;
} arena_t;

static inline void *arena_alloc(void *ctx, size_t size)
{
	arena_t *arena = ctx;
	size_t rounded = (size + 15) & ~(size_t)15;
	if (rounded > sizeof(arena->octets) - arena->used) {
		return NULL;
	}
	arena->used += rounded;
	return arena->octets + arena->used - rounded;
}

static inline void arena_free(void *memory)
{
	(void)memory;
}

/*! The memory of this thread's question, empty. */
static inline knot_mm_t arena_mm(void)
{
	static _Thread_local arena_t arena;
	arena.used = 0;
	return (knot_mm_t){ .ctx = &arena, .alloc = arena_alloc, .free = arena_free };
}
