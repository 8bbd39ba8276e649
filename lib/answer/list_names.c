/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of a domain, from every source of names.
 */
#include "config.h"

#include <stdlib.h>

#include "plan/cache.h"
#include "view/chain.h"
#include "answer/list_names.h"

static int name_add(list_t *list, const uint8_t *key, size_t len)
{
	if (list->count == list->max) {
		size_t max = list->max * 2 + 32;
		listed_name_t *grown = realloc(list->names, max * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		list->names = grown;
		list->max = max;
	}
	uint8_t *copy = malloc(len);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	memcpy(copy, key, len);
	list->names[list->count++] = (listed_name_t){ copy, len, false };
	return KNOT_EOK;
}

/*! Adds a name that is given relative to the domain. */
static int relative_add(list_t *list, const uint8_t *rel, size_t len)
{
	uint8_t key[MAIL_KEY_MAX];
	const mail_view_t *view = &list->view;
	if (len == 0) {
		return name_add(list, view->key, view->key_len);
	}
	if (view->key_len + 1 + len > sizeof(key)) {
		return KNOT_ESPACE;
	}
	memcpy(key, view->key, view->key_len);
	key[view->key_len] = 0;
	memcpy(key + view->key_len + 1, rel, len);
	return name_add(list, key, view->key_len + 1 + len);
}

/*! Names of the plan. An absolute one counts where no other stored domain is nearer to it. */
static int plan_names(list_t *list)
{
	const mail_view_t *view = &list->view;
	int ret = relative_add(list, NULL, 0);
	for (size_t i = 0; i < view->plan->relative.count && ret == KNOT_EOK; i++) {
		const mail_owner_t *owner = &view->plan->relative.owners[i];
		ret = relative_add(list, owner->key, owner->key_len);
	}
	for (size_t i = 0; i < view->plan->absolute.count && ret == KNOT_EOK; i++) {
		const mail_owner_t *owner = &view->plan->absolute.owners[i];
		mail_domain_t domain;
		if (mail_key_in(owner->key, owner->key_len, view->key, view->key_len) &&
		    view->source->domain_above(view->source, owner->key, owner->key_len, &domain) ==
		            (int)view->key_len) {
			ret = name_add(list, owner->key, owner->key_len);
		}
	}
	return ret;
}

/*! Names of the domain's own DKIM keys. */
static int own_key_names(list_t *list)
{
	const mail_view_t *view = &list->view;
	uint8_t key[MAIL_KEY_MAX], next[MAIL_KEY_MAX];
	memcpy(key, view->keys, view->keys_len);
	for (size_t len = view->keys_len; view->keys_len > 0;) {
		mail_dkim_t dkim;
		bool deleted = false;
		int ret = view->source->dkim_next(view->source, key, len, false, next, &dkim,
		                                  &deleted);
		if (ret < 0) {
			return ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
		memcpy(key, next, ret);
		len = ret;
		if (!mail_key_in(key, len, view->keys, view->keys_len)) {
			return KNOT_EOK;
		}
		const uint8_t *rel = key + view->keys_len + 1;
		const size_t rel_len = len - view->keys_len - 1;
		if (!mail_key_in(rel, rel_len, (const uint8_t *)MAIL_DOMAINKEY_KEY,
		                 MAIL_DOMAINKEY_KEY_LEN)) {
			continue;
		}
		ret = deleted ? KNOT_EOK : relative_add(list, rel, rel_len);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! The topmost stored domains below this one. */
static int child_names(list_t *list)
{
	const mail_view_t *view = &list->view;
	uint8_t key[MAIL_KEY_MAX + 1], next[MAIL_KEY_MAX];
	size_t len = view->key_len;
	bool from = false;
	memcpy(key, view->key, len);
	for (;;) {
		mail_domain_t domain;
		int ret = view->source->domain_next(view->source, key, len, from, next, &domain);
		if (ret < 0) {
			return ret == KNOT_ENOENT ? KNOT_EOK : ret;
		}
		if (!mail_key_in(next, ret, view->key, view->key_len)) {
			return KNOT_EOK;
		}
		len = ret;
		ret = name_add(list, next, len);
		if (ret != KNOT_EOK) {
			return ret;
		}
		/* Past all names below the child: 01 never begins what follows a whole key. */
		memcpy(key, next, len);
		key[len++] = 1;
		from = true;
	}
}

/*! Adds C._report._dmarc of a domain C; one whose name leaves no room for that has no such record. */
static int reporter_add(list_t *list, const uint8_t *key, size_t len)
{
	uint8_t rel[MAIL_REPORT_KEY_LEN + 1 + MAIL_KEY_MAX];
	memcpy(rel, MAIL_REPORT_KEY, MAIL_REPORT_KEY_LEN);
	rel[MAIL_REPORT_KEY_LEN] = 0;
	memcpy(rel + MAIL_REPORT_KEY_LEN + 1, key, len);
	int ret = relative_add(list, rel, MAIL_REPORT_KEY_LEN + 1 + len);
	return ret == KNOT_ESPACE ? KNOT_EOK : ret;
}

/*! Names of the domains that report to this one: all stored domains are asked. */
static int report_names(list_t *list)
{
	/* A cache of its own: any number of plans may pass through. */
	mail_view_t asked = list->view;
	asked.cache = mail_cache_new(256);
	if (asked.cache == NULL) {
		return KNOT_ENOMEM;
	}
	uint8_t key[MAIL_KEY_MAX], next[MAIL_KEY_MAX];
	int ret = KNOT_EOK;
	for (size_t len = 0; ret == KNOT_EOK;) {
		mail_domain_t domain;
		bool reports = false;
		ret = asked.source->domain_next(asked.source, key, len, false, next, &domain);
		if (ret < 0) {
			break;
		}
		len = ret;
		memcpy(key, next, len);
		/* Whether one that cannot be read reports is not known. */
		ret = domain.error == KNOT_EOK
		              ? mail_view_reports(&asked, key, len, &domain, &reports)
		              : KNOT_EOK;
		if (ret == KNOT_EOK && reports) {
			ret = reporter_add(list, key, len);
		}
	}
	mail_cache_free(asked.cache);
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

/*! The ends of the gap in the chain of a signed domain (view/chain.h), where its name leaves room for them. */
static int gap_names(list_t *list)
{
	static const struct {
		const char *key;
		size_t len;
	} ends[] = { { MAIL_GAP_FIRST_KEY, MAIL_GAP_FIRST_KEY_LEN },
		     { MAIL_GAP_LAST_KEY, MAIL_GAP_LAST_KEY_LEN } };
	bool has = false;
	int ret = mail_chain_has_gap(&list->view, &has);
	for (size_t i = 0; i < 2 && ret == KNOT_EOK && has; i++) {
		ret = relative_add(list, (const uint8_t *)ends[i].key, ends[i].len);
	}
	return ret;
}

static int name_compare(const void *a_ptr, const void *b_ptr)
{
	const listed_name_t *a = a_ptr, *b = b_ptr;
	return mail_key_compare(a->key, a->len, b->key, b->len);
}

int mail_list_names(list_t *list)
{
	int ret = plan_names(list);
	if (ret == KNOT_EOK) {
		ret = own_key_names(list);
	}
	if (ret == KNOT_EOK) {
		ret = child_names(list);
	}
	if (ret == KNOT_EOK && list->listing->reports) {
		ret = report_names(list);
	}
	if (ret == KNOT_EOK && list->signs) {
		ret = gap_names(list);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	qsort(list->names, list->count, sizeof(*list->names), name_compare);
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && name_compare(&list->names[kept - 1], &list->names[i]) == 0) {
			free(list->names[i].key);
		} else {
			list->names[kept++] = list->names[i];
		}
	}
	list->count = kept;
	return KNOT_EOK;
}

void mail_list_free(list_t *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->names[i].key);
	}
	free(list->names);
}
