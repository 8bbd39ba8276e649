/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of a domain, from every source of names.
 */
#include "config.h"

#include <stdlib.h>

#include "answer/list_names.h"
#include "view/names.h"

static int name_add(list_t *list, mail_lf_t name)
{
	if (list->count == list->max) {
		const size_t max = list->max * 2 + 32;
		listed_name_t *grown = realloc(list->names, max * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		list->names = grown;
		list->max = max;
	}
	uint8_t *copy = malloc(name.len);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	memcpy(copy, name.data, name.len);
	list->names[list->count++] = (listed_name_t){ { copy, name.len }, false };
	return KNOT_EOK;
}

/*! Add the names of a source. \param view The list's, or a copy of it. */
static int names_add(list_t *list, const mail_view_t *view, mail_names_t source)
{
	mail_lf_storage_t at = view->lf;
	mail_seek_t seek = MAIL_SEEK_FROM;
	int ret = mail_view_make(view, MAIL_KINDS_ALL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	while ((ret = mail_names_seek(view, source, mail_lf(&at), seek, &at)) != KNOT_ENOENT) {
		mail_node_t node = { .report = true };
		if (ret == KNOT_ELIMIT && source == MAIL_NAMES_REPORTS) {
			/* A question would end here; a list goes on. */
			seek = MAIL_SEEK_FROM;
			continue;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		if (source == MAIL_NAMES_REPORTS) {
			ret = mail_view_node(view, mail_lf(&at), &node);
		}
		/* Whether a domain that cannot be read reports is not known. */
		if (ret != KNOT_EOK && ret != KNOT_EMALF && ret != KNOT_ENOTSUP) {
			return ret;
		}
		ret = node.report ? name_add(list, mail_lf(&at)) : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
		seek = MAIL_SEEK_AFTER;
	}
	return KNOT_EOK;
}

/*! Add the names of the domains that report to this one: all stored domains are asked. */
static int reports_add(list_t *list)
{
	/* A cache of its own: any number of plans may pass through. */
	mail_view_t asked = list->view;
	asked.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	if (asked.cache == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = names_add(list, &asked, MAIL_NAMES_REPORTS);
	mail_cache_free(asked.cache);
	return ret;
}

static int name_compare(const void *a_ptr, const void *b_ptr)
{
	const listed_name_t *a = a_ptr, *b = b_ptr;
	return mail_lf_compare(a->lf, b->lf);
}

int mail_list_names(list_t *list)
{
	int ret = name_add(list, mail_lf(&list->view.lf));
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (mail_names_t source = 0; source < MAIL_NAMES_COUNT; source++) {
		if ((source == MAIL_NAMES_GAP && !list->signs) ||
		    (source == MAIL_NAMES_REPORTS && !list->listing->reports)) {
			continue;
		}
		ret = source == MAIL_NAMES_REPORTS ? reports_add(list)
		                                   : names_add(list, &list->view, source);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	qsort(list->names, list->count, sizeof(*list->names), name_compare);
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && name_compare(&list->names[kept - 1], &list->names[i]) == 0) {
			free((void *)list->names[i].lf.data);
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
		free((void *)list->names[i].lf.data);
	}
	free(list->names);
}
