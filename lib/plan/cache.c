/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plans of one thread: a hash table whose entries also stand in a list, the least recently used last.
 *
 * A plan is true for the store's transaction that it was checked in.  In a later one the stamps of the
 * entries that it was made from are compared first; they are few, and an unchanged plan costs no more.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "mail/cache.h"
#include "mail/mem.h"

/*! Octets of a usual plan, to have about as many buckets as plans. */
#define PLAN_USUAL 8192
#define BUCKETS_MIN 16
#define BUCKETS_MAX 65536
/*! Items that a domain may have, as bits of a word. */
#define ITEM_BITS 64

typedef struct slot slot_t;

struct slot {
	slot_t *next;          /*!< In its bucket. */
	slot_t *newer, *older; /*!< In the order of use. */
	mail_plan_t *plan;
	mail_kept_t *kept; /*!< What is kept with it, or NULL. */
	uint64_t checked;  /*!< Transaction in which the plan was true. */
	size_t size;       /*!< Octets of memory. */
	size_t kept_size;  /*!< Of these, those of what is kept. */
	uint32_t hash;
	size_t id_len;
	char id[];
};

struct mail_cache {
	slot_t **buckets;
	size_t bucket_count; /*!< A power of two. */
	slot_t *newest, *oldest;
	size_t size, max; /*!< Octets. */
	mail_arena_t *arena;
	uint64_t epoch, txnid;
	bool held;
	slot_t *retired;               /*!< Replaced or evicted while held. */
	mail_kinds_t kinds[ITEM_BITS]; /*!< Of each item. */
};

mail_kinds_t mail_cache_kinds(const mail_cache_t *cache, uint64_t items)
{
	mail_kinds_t kinds = 0;
	for (; items != 0; items &= items - 1) {
		kinds |= cache->kinds[__builtin_ctzll(items)];
	}
	return kinds;
}

mail_cache_t *mail_cache_new(size_t octets)
{
	mail_cache_t *cache = calloc(1, sizeof(*cache));
	if (cache == NULL) {
		return NULL;
	}
	cache->max = octets;
	cache->bucket_count = BUCKETS_MIN;
	while (cache->bucket_count < BUCKETS_MAX && cache->bucket_count < cache->max / PLAN_USUAL) {
		cache->bucket_count *= 2;
	}
	cache->buckets = calloc(cache->bucket_count, sizeof(*cache->buckets));
	cache->arena = mail_arena_new();
	for (unsigned i = 0; i < ITEM_BITS; i++) {
		cache->kinds[i] = mail_kinds_of(UINT64_C(1) << i);
	}
	if (cache->buckets == NULL || cache->arena == NULL) {
		mail_cache_free(cache);
		return NULL;
	}
	return cache;
}

static void slot_free(slot_t *slot)
{
	if (slot->kept != NULL) {
		slot->kept->free(slot->kept);
	}
	mail_plan_free(slot->plan);
	free(slot);
}

void mail_cache_hold(mail_cache_t *cache)
{
	cache->held = true;
}

void mail_cache_release(mail_cache_t *cache)
{
	while (cache->retired != NULL) {
		slot_t *slot = cache->retired;
		cache->retired = slot->next;
		slot_free(slot);
	}
	mail_arena_reset(cache->arena);
	cache->held = false;
}

mail_arena_t *mail_cache_arena(mail_cache_t *cache)
{
	return cache->arena;
}

static void list_unlink(mail_cache_t *cache, slot_t *slot)
{
	*(slot->newer != NULL ? &slot->newer->older : &cache->newest) = slot->older;
	*(slot->older != NULL ? &slot->older->newer : &cache->oldest) = slot->newer;
}

static void list_push(mail_cache_t *cache, slot_t *slot)
{
	slot->newer = NULL;
	slot->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = slot;
	cache->newest = slot;
}

static void slot_drop(mail_cache_t *cache, slot_t *slot)
{
	slot_t **at = &cache->buckets[slot->hash & (cache->bucket_count - 1)];
	while (*at != slot) {
		at = &(*at)->next;
	}
	*at = slot->next;
	list_unlink(cache, slot);
	cache->size -= slot->size;
	if (cache->held) {
		/* The question at hand may still look at the plan. */
		slot->next = cache->retired;
		cache->retired = slot;
	} else {
		slot_free(slot);
	}
}

static void cache_clear(mail_cache_t *cache)
{
	while (cache->oldest != NULL) {
		slot_drop(cache, cache->oldest);
	}
}

void mail_cache_free(mail_cache_t *cache)
{
	if (cache == NULL) {
		return;
	}
	cache->held = false;
	cache_clear(cache);
	if (cache->arena != NULL) {
		mail_cache_release(cache);
	}
	mail_arena_free(cache->arena);
	free(cache->buckets);
	free(cache);
}

void mail_cache_sync(mail_cache_t *cache, uint64_t epoch, uint64_t txnid)
{
	if (cache->epoch != epoch) {
		cache_clear(cache);
		cache->epoch = epoch;
	}
	cache->txnid = txnid;
}

/*! FNV-1a. */
static uint32_t id_hash(mail_str_t id)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < id.len; i++) {
		hash = (hash ^ (uint8_t)id.data[i]) * 16777619u;
	}
	return hash;
}

static slot_t *slot_find(mail_cache_t *cache, mail_str_t id, uint32_t hash)
{
	slot_t *slot = cache->buckets[hash & (cache->bucket_count - 1)];
	while (slot != NULL && !(slot->hash == hash && slot->id_len == id.len &&
	                         memcmp(slot->id, id.data, id.len) == 0)) {
		slot = slot->next;
	}
	if (slot != NULL && cache->newest != slot) {
		list_unlink(cache, slot);
		list_push(cache, slot);
	}
	return slot;
}

/*! Put a plan into the cache, and let others leave that have no room beside it. */
static slot_t *slot_add(mail_cache_t *cache, mail_str_t id, uint32_t hash, mail_plan_t *plan)
{
	slot_t *slot = calloc(1, sizeof(*slot) + id.len);
	if (slot == NULL) {
		return NULL;
	}
	slot->plan = plan;
	slot->size = sizeof(*slot) + id.len + mail_plan_size(plan);
	while (cache->oldest != NULL && cache->size + slot->size > cache->max) {
		slot_drop(cache, cache->oldest);
	}
	slot->hash = hash;
	slot->id_len = id.len;
	memcpy(slot->id, id.data, id.len);
	slot_t **bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	slot->next = *bucket;
	*bucket = slot;
	list_push(cache, slot);
	cache->size += slot->size;
	return slot;
}

static mail_stamp_t stamp_now(const mail_source_t *source, const mail_dependency_t *dependency)
{
	mail_stamp_t stamp = { 0 };
	mail_lf_storage_t key;
	if (dependency->section == MAIL_SECTION_DKIM) {
		(void)mail_plan_keys_stamp(source, dependency->id, &stamp);
		return stamp;
	}
	if (mail_entry_key(dependency->section, dependency->id, &key) == KNOT_EOK) {
		(void)source->get(source, dependency->section, mail_lf(&key), NULL, &stamp);
	}
	return stamp;
}

static bool plan_is_true(const mail_source_t *source, const mail_plan_t *plan)
{
	for (size_t i = 0; i < plan->dependency_count; i++) {
		const mail_stamp_t *then = &plan->dependencies[i].stamp;
		const mail_stamp_t now = stamp_now(source, &plan->dependencies[i]);
		if (now.timestamp != then->timestamp || now.txnid != then->txnid) {
			return false;
		}
	}
	return true;
}

/*! A plan that says why there is none; it depends on what was read until then. */
static mail_plan_t *plan_of_error(mail_profile_t *profile, int error, const mail_diag_t *diag)
{
	mail_plan_t *plan = mail_calloc(1, sizeof(*plan));
	if (plan == NULL) {
		return NULL;
	}
	plan->error = error;
	(void)snprintf(plan->reason, sizeof(plan->reason), "%s", diag->text);
	plan->dependencies = profile->dependencies;
	plan->dependency_count = profile->dependency_count;
	profile->dependencies = NULL;
	profile->dependency_count = 0;
	return plan;
}

/*! Make the plan of what a profile was made of, which the plan keeps if it is asked to. */
static int plan_compile(mail_profile_t *profile, int ret, bool keep, mail_diag_t *diag,
                        mail_plan_t **plan)
{
	*plan = NULL;
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, false, plan, diag);
	} else if (profile != NULL && ret != KNOT_ENOMEM) {
		*plan = plan_of_error(profile, ret, diag);
		ret = *plan != NULL ? KNOT_EOK : KNOT_ENOMEM;
	}
	if (*plan != NULL && keep) {
		(*plan)->profile = profile;
	} else {
		mail_profile_free(profile);
	}
	return ret;
}

int mail_plan_of_domain(const mail_source_t *source, mail_str_t domain, mail_plan_t **plan)
{
	mail_diag_t diag = { 0 };
	mail_profile_t *profile = NULL;
	int ret = mail_profile_of_domain(source, domain, &profile, &diag);
	return plan_compile(profile, ret, false, &diag, plan);
}

int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, mail_str_t policy,
                    const mail_plan_t **plan)
{
	const uint32_t hash = id_hash(policy);
	slot_t *slot = slot_find(cache, policy, hash);
	if (slot != NULL && slot->checked != cache->txnid) {
		if (plan_is_true(source, slot->plan)) {
			slot->checked = cache->txnid;
		} else {
			slot_drop(cache, slot);
			slot = NULL;
		}
	}
	if (slot == NULL) {
		mail_diag_t diag = { 0 };
		mail_profile_t *profile = NULL;
		mail_plan_t *made;
		int ret = mail_profile_of_policy(source, policy, &profile, &diag);
		ret = plan_compile(profile, ret, true, &diag, &made);
		if (ret != KNOT_EOK) {
			return ret;
		}
		slot = slot_add(cache, policy, hash, made);
		if (slot == NULL) {
			mail_plan_free(made);
			return KNOT_ENOMEM;
		}
		slot->checked = cache->txnid;
	}
	*plan = slot->plan;
	return KNOT_EOK;
}

mail_kept_t *mail_cache_kept(const mail_cache_t *cache, const mail_plan_t *plan)
{
	/* What was asked for last is the newest. */
	const slot_t *slot = cache->newest;
	return slot != NULL && slot->plan == plan ? slot->kept : NULL;
}

bool mail_cache_keep(mail_cache_t *cache, const mail_plan_t *plan, mail_kept_t *kept)
{
	slot_t *slot = cache->newest;
	if (slot == NULL || slot->plan != plan || (slot->kept != NULL && slot->kept != kept)) {
		return false;
	}
	const size_t grown = kept->octets - slot->kept_size;
	slot->kept = kept;
	slot->kept_size += grown;
	slot->size += grown;
	cache->size += grown;
	while (cache->oldest != slot && cache->size > cache->max) {
		slot_drop(cache, cache->oldest);
	}
	return true;
}
