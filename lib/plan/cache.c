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

/*! What a plan is for. */
typedef enum {
	PLAN_POLICY = 'p', /*!< All domains that follow a policy and set nothing. */
	PLAN_ALIAS = 'a',  /*!< All aliases of a domain. */
	PLAN_DOMAIN = 'd', /*!< A domain with overrides. */
} plan_type_t;

typedef struct slot slot_t;

struct slot {
	slot_t *next;          /*!< In its bucket. */
	slot_t *newer, *older; /*!< In the order of use. */
	mail_plan_t *plan;
	uint64_t checked; /*!< Transaction in which the plan was true. */
	plan_type_t type;
	uint32_t hash;
	size_t id_len;
	char id[];
};

struct mail_cache {
	slot_t **buckets;
	size_t bucket_count; /*!< A power of two. */
	slot_t *newest, *oldest;
	size_t count, max;
	uint64_t epoch, txnid;
	bool held;
	slot_t *retired; /*!< Replaced or evicted while held. */
};

mail_cache_t *mail_cache_new(size_t plans)
{
	mail_cache_t *cache = calloc(1, sizeof(*cache));
	if (cache == NULL) {
		return NULL;
	}
	cache->max = plans > 0 ? plans : 1;
	cache->bucket_count = 16;
	while (cache->bucket_count < cache->max) {
		cache->bucket_count *= 2;
	}
	cache->buckets = calloc(cache->bucket_count, sizeof(*cache->buckets));
	if (cache->buckets == NULL) {
		free(cache);
		return NULL;
	}
	return cache;
}

static void slot_free(slot_t *slot)
{
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
	cache->held = false;
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
	cache->count--;
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
	mail_cache_release(cache);
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
static uint32_t id_hash(plan_type_t type, const void *id, size_t len)
{
	const uint8_t *octet = id;
	uint32_t hash = (2166136261u ^ (uint32_t)type) * 16777619u;
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ octet[i]) * 16777619u;
	}
	return hash;
}

static slot_t *slot_find(mail_cache_t *cache, plan_type_t type, const void *id, size_t len,
                         uint32_t hash)
{
	slot_t *slot = cache->buckets[hash & (cache->bucket_count - 1)];
	while (slot != NULL && !(slot->hash == hash && slot->type == type && slot->id_len == len &&
	                         memcmp(slot->id, id, len) == 0)) {
		slot = slot->next;
	}
	if (slot != NULL && cache->newest != slot) {
		list_unlink(cache, slot);
		list_push(cache, slot);
	}
	return slot;
}

static slot_t *slot_add(mail_cache_t *cache, plan_type_t type, const void *id, size_t len,
                        uint32_t hash)
{
	slot_t *slot = calloc(1, sizeof(*slot) + len);
	if (slot == NULL) {
		return NULL;
	}
	while (cache->count >= cache->max) {
		slot_drop(cache, cache->oldest);
	}
	slot->type = type;
	slot->hash = hash;
	slot->id_len = len;
	memcpy(slot->id, id, len);
	slot_t **bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	slot->next = *bucket;
	*bucket = slot;
	list_push(cache, slot);
	cache->count++;
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
	mail_plan_t *plan = calloc(1, sizeof(*plan));
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

static int plan_compile(const mail_source_t *source, plan_type_t type, mail_str_t id,
                        mail_plan_t **plan)
{
	mail_diag_t diag = { 0 };
	mail_profile_t *profile = NULL;
	int ret = KNOT_EOK;
	*plan = NULL;
	switch (type) {
	case PLAN_POLICY: ret = mail_profile_of_policy(source, id, &profile, &diag); break;
	case PLAN_ALIAS: ret = mail_profile_of_alias(source, id, &profile, &diag); break;
	case PLAN_DOMAIN: ret = mail_profile_of_domain(source, id, &profile, &diag); break;
	}
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, false, plan, &diag);
	} else if (profile != NULL && ret != KNOT_ENOMEM) {
		*plan = plan_of_error(profile, ret, &diag);
		ret = *plan != NULL ? KNOT_EOK : KNOT_ENOMEM;
	}
	mail_profile_free(profile);
	return ret;
}

int mail_cache_plan(mail_cache_t *cache, const mail_source_t *source, const mail_domain_t *domain,
                    mail_lf_t name, const mail_plan_t **plan)
{
	/* A domain that follows nothing, which no writer of ours writes, gets a plan that says so. */
	plan_type_t type = PLAN_DOMAIN;
	mail_str_t id = { (const char *)name.data, name.len };
	char room[KNOT_DNAME_TXT_MAXLEN + 1];
	if (domain->plain && domain->alias.len > 0) {
		type = PLAN_ALIAS;
		id = domain->alias;
	} else if (domain->plain && domain->policy.len > 0) {
		type = PLAN_POLICY;
		id = domain->policy;
	}
	uint32_t hash = id_hash(type, id.data, id.len);
	slot_t *slot = slot_find(cache, type, id.data, id.len, hash);
	if (slot != NULL && slot->checked != cache->txnid) {
		if (plan_is_true(source, slot->plan)) {
			slot->checked = cache->txnid;
		} else {
			slot_drop(cache, slot);
			slot = NULL;
		}
	}
	if (slot == NULL) {
		mail_plan_t *made = NULL;
		mail_str_t text = id;
		if (type == PLAN_DOMAIN) {
			mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)room, sizeof(room));
			int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &buf);
			if (ret != KNOT_EOK) {
				return ret;
			}
			text = mail_buf_view(&buf);
		}
		int ret = plan_compile(source, type, text, &made);
		if (ret != KNOT_EOK) {
			return ret;
		}
		slot = slot_add(cache, type, id.data, id.len, hash);
		if (slot == NULL) {
			mail_plan_free(made);
			return KNOT_ENOMEM;
		}
		slot->plan = made;
		slot->checked = cache->txnid;
	}
	*plan = slot->plan;
	return KNOT_EOK;
}
