/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The view of a domain of an array, for tests. Names are texts.
 */
#pragma once

#include "mail/cache.h"
#include "source.h"
#include "view/view.h"

typedef struct {
	array_t array;
	mail_cache_t *cache;
	mail_view_t view;
	knot_dname_storage_t name;
} viewed_t;

/*! Fill the array with entries (entries.h) and view a domain; leave the test when that fails. */
void viewed_begin(viewed_t *v, const char *stored, const char *domain, int64_t now);

/*! Put entries, or with NULL: what was changed in the array counts from here on. */
void viewed_put(viewed_t *v, const char *text);

/*! View another domain, or the same again. \return As mail_view_open(). */
int viewed_open(viewed_t *v, const char *domain);

/*! Return whether the domain is the nearest stored one of a name. */
bool viewed_nearest(const viewed_t *v, const char *name);

/*! As mail_view_place(). */
int viewed_place(const viewed_t *v, const char *name, bool children, mail_place_t *place);

/*! Append TTL, change and RDATA of an RRset: "KIND TTL[+SECONDS] RDATA ...", or the error as a number. */
void show_viewed(viewed_t *v, const char *name, uint16_t type, mail_buf_t *out);

void viewed_end(viewed_t *v);
