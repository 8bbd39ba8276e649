/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All records of a domain, as an export writes them and `records` prints them.  The names are gathered from
 * every source that the view knows, sorted, and each is looked up as a question would be: so a list shows what
 * is answered.
 */
#include "config.h"

#include <stdlib.h>

#include "cache.h"
#include "kind.h"
#include "view.h"

typedef struct {
	uint8_t *key;
	size_t len;
} listed_name_t;

typedef struct {
	mail_view_t view;
	listed_name_t *names;
	size_t count, max;
	int (*each)(const mail_listed_t *listed, void *ctx);
	void *ctx;
	mail_diag_t *diag;
	bool ended; /*!< By what `each` returned. */
} list_t;

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
	list->names[list->count++] = (listed_name_t){ copy, len };
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

static int name_compare(const void *a_ptr, const void *b_ptr)
{
	const listed_name_t *a = a_ptr, *b = b_ptr;
	size_t common = a->len < b->len ? a->len : b->len;
	int diff = memcmp(a->key, b->key, common);
	return diff != 0 ? diff : (a->len > b->len) - (a->len < b->len);
}

/*! Hands out one RRset of a node. */
static int rrset_list(list_t *list, mail_view_t *view, const mail_node_t *node, uint16_t type,
                      const knot_dname_t *owner)
{
	knot_rrset_t rrset;
	uint16_t kind = mail_kind_count;
	int64_t until = INT64_MAX;
	knot_rrset_init_empty(&rrset);
	int ret = mail_view_rrset(view, node, type, owner, NULL, &rrset, &kind, &until);
	if (ret == KNOT_EOK) {
		if (view != &list->view) {
			kind = mail_kind_find("child");
		}
		const mail_listed_t listed = { &rrset, &mail_kinds[kind], until };
		ret = list->each(&listed, list->ctx);
		list->ended = ret != KNOT_EOK;
	} else if (ret == KNOT_ENOENT) {
		ret = KNOT_EOK;
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
	return ret;
}

/*! Opens a stored domain below. \return KNOT_ENOENT: its name servers are not known, which was said. */
static int child_open(list_t *list, const knot_dname_t *owner, const uint8_t *key, size_t len,
                      mail_view_t *child)
{
	int ret = mail_view_open(child, owner, key, len);
	const char *why = ret != KNOT_EOK                  ? knot_strerror(ret)
	                  : child->plan->error != KNOT_EOK ? child->plan->reason
	                  : !child->plan->hosted           ? "its policy has no ns"
	                                                   : NULL;
	if (why == NULL || ret == KNOT_ENOMEM) {
		return ret;
	}
	/* The parent is sound. Its zone lacks the delegation, and all else is right. */
	knot_dname_txt_storage_t name = "?";
	(void)knot_dname_to_str(name, owner, sizeof(name));
	mail_diag_warn(list->diag, "%s is a stored domain, but its name servers are not known: %s",
	               name, why);
	return KNOT_ENOENT;
}

/*! A stored domain below: its name servers, and their addresses as glue. */
static int child_list(list_t *list, const knot_dname_t *owner, const uint8_t *key, size_t len)
{
	mail_view_t child = list->view;
	mail_node_t apex;
	knot_rrset_t ns;
	uint16_t kind;
	knot_rrset_init_empty(&ns);
	int ret = child_open(list, owner, key, len, &child);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOENT ? KNOT_EOK : ret;
	}
	ret = mail_view_node(&child, key, len, &apex);
	if (ret == KNOT_EOK) {
		ret = rrset_list(list, &child, &apex, KNOT_RRTYPE_NS, owner);
	}
	if (ret == KNOT_EOK) {
		ret = mail_view_rrset(&child, &apex, KNOT_RRTYPE_NS, owner, NULL, &ns, &kind, NULL);
	}
	knot_rdata_t *rdata = ns.rrs.rdata;
	for (uint16_t i = 0; i < ns.rrs.count && ret == KNOT_EOK; i++) {
		const knot_dname_t *target = knot_ns_name(rdata);
		uint8_t target_key[MAIL_KEY_MAX];
		mail_node_t node;
		size_t target_len = mail_name_key(target, target_key);
		rdata = knot_rdataset_next(rdata);
		if (!mail_key_in(target_key, target_len, key, len)) {
			continue;
		}
		ret = mail_view_node(&child, target_key, target_len, &node);
		if (ret == KNOT_EOK) {
			ret = rrset_list(list, &child, &node, KNOT_RRTYPE_A, target);
		}
		if (ret == KNOT_EOK) {
			ret = rrset_list(list, &child, &node, KNOT_RRTYPE_AAAA, target);
		}
	}
	knot_rdataset_clear(&ns.rrs, NULL);
	return ret;
}

/*! Says whether a type is shown at a place: at and below a cut there are NS, DS and glue. */
static bool type_is_shown(const mail_place_t *place, uint16_t type)
{
	return place->where != MAIL_CUT || type == KNOT_RRTYPE_A || type == KNOT_RRTYPE_AAAA ||
	       (place->at_cut && (type == KNOT_RRTYPE_NS || type == KNOT_RRTYPE_DS));
}

static int name_list(list_t *list, const uint8_t *key, size_t len)
{
	mail_view_t *view = &list->view;
	mail_place_t place;
	knot_dname_storage_t owner;
	int ret = mail_name_from_key(key, len, owner);
	if (ret == KNOT_EOK) {
		ret = mail_view_place(view, key, len, true, &place);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (place.where == MAIL_CUT && place.node.child) {
		return place.at_cut ? child_list(list, owner, key, len) : KNOT_EOK;
	}
	if (place.where == MAIL_CUT) {
		ret = mail_view_node(view, key, len, &place.node);
	} else if (place.where != MAIL_FOUND) {
		return KNOT_EOK;
	}
	/* An apex begins with its SOA, as zone files do. */
	const bool apex = len == view->key_len;
	if (ret == KNOT_EOK && apex) {
		ret = rrset_list(list, view, &place.node, KNOT_RRTYPE_SOA, owner);
	}
	for (uint16_t type = 0;
	     ret == KNOT_EOK && (type = mail_node_type(view, &place.node, type)) != 0;) {
		if (!(apex && type == KNOT_RRTYPE_SOA) && type_is_shown(&place, type)) {
			ret = rrset_list(list, view, &place.node, type, owner);
		}
	}
	return ret;
}

static int names_list(list_t *list)
{
	int ret = KNOT_EOK;
	qsort(list->names, list->count, sizeof(*list->names), name_compare);
	for (size_t i = 0; i < list->count && ret == KNOT_EOK; i++) {
		if (i == 0 || name_compare(&list->names[i - 1], &list->names[i]) != 0) {
			ret = name_list(list, list->names[i].key, list->names[i].len);
		}
	}
	return ret;
}

static int domain_list(list_t *list, bool reports)
{
	int ret = plan_names(list);
	if (ret == KNOT_EOK) {
		ret = own_key_names(list);
	}
	if (ret == KNOT_EOK) {
		ret = child_names(list);
	}
	if (ret == KNOT_EOK && reports) {
		ret = report_names(list);
	}
	return ret == KNOT_EOK ? names_list(list) : ret;
}

int mail_answer_list(const mail_source_t *source, mail_str_t domain, int64_t now, bool reports,
                     int (*each)(const mail_listed_t *listed, void *ctx), void *ctx,
                     mail_diag_t *diag)
{
	uint8_t key[MAIL_KEY_MAX];
	knot_dname_storage_t apex;
	list_t list = { .each = each, .ctx = ctx, .diag = diag };
	int len = mail_entry_key(MAIL_SECTION_DOMAIN, domain, key);
	if (len <= 0 || mail_name_from_key(key, len, apex) != KNOT_EOK) {
		return mail_diag_error(diag, 0, "%.*s is no domain name", (int)domain.len,
		                       domain.data);
	}
	list.view.source = source;
	list.view.now = now;
	list.view.cache = mail_cache_new(1024);
	if (list.view.cache == NULL) {
		return KNOT_ENOMEM;
	}
	mail_cache_hold(list.view.cache);
	bool broken = false;
	int ret = mail_view_open(&list.view, apex, key, len);
	if (ret == KNOT_EOK && list.view.key_len != (size_t)len) {
		ret = KNOT_ENOENT;
	}
	if (ret == KNOT_ENOENT) {
		(void)mail_diag_error(diag, 0, "no domain %.*s", (int)domain.len, domain.data);
	} else if (ret == KNOT_EOK && list.view.plan->error != KNOT_EOK) {
		ret = list.view.plan->error;
		(void)mail_diag_error(diag, 0, "domain %.*s: %s", (int)domain.len, domain.data,
		                      list.view.plan->reason);
	} else if (ret == KNOT_EOK) {
		ret = domain_list(&list, reports);
		broken = ret != KNOT_EOK && !list.ended;
	} else {
		broken = true;
	}
	if (broken) {
		(void)mail_diag_error(diag, 0, "domain %.*s: an entry cannot be read (%s)",
		                      (int)domain.len, domain.data, knot_strerror(ret));
	}
	for (size_t i = 0; i < list.count; i++) {
		free(list.names[i].key);
	}
	free(list.names);
	mail_cache_free(list.view.cache);
	return ret;
}
