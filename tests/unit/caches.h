/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What resolvers can have in their caches while a key set changes, and whether it validates.
 *
 * A history is a row of versions of a key set, each with the second in which it was committed; a server uses a version
 * until it has the next one, which takes up to D seconds.  Within a version, what a server answers changes at the
 * times of the keys only.  So all that can be fetched is a finite number of contents, each with the stretches of time
 * in which some server gives it; in some cache it is until its TTL after the end of such a stretch.  The parent's DS
 * is modelled likewise: at any time from when it is asked for until the operator says that it is there, it may or may
 * not be; what is asked to be added may replace, what is asked to replace may be added first.
 *
 * Whenever a DS, a DNSKEY RRset and any other RRset can be in caches in the same second, they must validate, and by the
 * strictest reading: with every algorithm of the DS (RFC 6840 5.11 lets validators insist), and every algorithm of the
 * DNSKEY RRset (RFC 4035 2.2).  As contents are constant within their stretches, looking at all of them is a proof for
 * every second, not a sample.
 */
#pragma once

#include <stdlib.h>

#include "mail/rollover.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FOREVER (INT64_MAX / 4)
#define START 1000000000

/* --- What is in caches --- */

/*! A content (keys, by their tags as bits), and when some cache may have it. */
typedef struct {
	uint32_t keys;
	int64_t from, until;
} stretch_t;

typedef struct {
	stretch_t items[2048];
	size_t count;
} stretches_t;

/*! A key set and when it was committed. */
typedef struct {
	mail_keyset_t set;
	int64_t at;
} version_t;

/*! What the operator has said of the parent: from `at` on these keys have a DS there, or of them that one alone. */
typedef struct {
	int64_t at;
	uint32_t keys, alone;
} word_t;

#define VERSIONS_MAX 32

typedef struct {
	version_t versions[VERSIONS_MAX];
	size_t count;
	word_t words[VERSIONS_MAX];
	size_t word_count;
	mail_timing_t real;     /*!< TTLs and delay as they are, whatever the tool was told. */
	mail_dnskey_t keys[32]; /*!< All that ever were, by tag. */
	stretches_t ds, dnskey, rrsig; /*!< When they can be in caches. */
	unsigned next_tag;
	size_t met; /*!< Mixtures with a DS that were looked at. */
} history_t;

static inline void stretch_put(stretches_t *list, uint32_t keys, int64_t from, int64_t until,
                               int64_t ttl)
{
	const int64_t end = until + ttl;
	if (from >= until) {
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		stretch_t *there = &list->items[i];
		if (there->keys == keys && there->from <= end && from <= there->until) {
			there->from = from < there->from ? from : there->from;
			there->until = end > there->until ? end : there->until;
			return;
		}
	}
	CU_ASSERT_FATAL(list->count < COUNT(list->items));
	list->items[list->count++] = (stretch_t){ keys, from, end };
}

static inline uint32_t bit(const mail_dnskey_t *key)
{
	return UINT32_C(1) << key->tag;
}

static inline int compare(const void *a_ptr, const void *b_ptr)
{
	const int64_t a = *(const int64_t *)a_ptr, b = *(const int64_t *)b_ptr;
	return (a > b) - (a < b);
}

/*! The seconds in which a set changes, within a stretch, both ends included. */
static inline size_t edges_of(const mail_keyset_t *set, int64_t from, int64_t until, int64_t *edges)
{
	size_t count = 0;
	edges[count++] = from;
	edges[count++] = until;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		const int64_t times[] = { key->publish, key->activate, key->retire, key->remove,
			                  key->ds,      key->ds_until, set->leave };
		for (size_t j = 0; j < COUNT(times); j++) {
			if (from < times[j] && times[j] < until) {
				edges[count++] = times[j];
			}
		}
	}
	qsort(edges, count, sizeof(*edges), compare);
	return count;
}

/*! Keys that the parent is asked to have a DS of: what the plan puts into CDS (kind_key.c). */
static inline uint32_t asked_at(const mail_keyset_t *set, int64_t now)
{
	uint32_t keys = 0;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (key->role != MAIL_ROLE_ZSK && key->ds <= now && now < key->ds_until &&
		    now < key->remove && now < set->leave) {
			keys |= bit(key);
		}
	}
	return keys;
}

static inline bool one_algorithm(const history_t *h, uint32_t keys)
{
	unsigned algorithm = 0;
	for (unsigned tag = 1; tag < 32; tag++) {
		if ((keys & UINT32_C(1) << tag) != 0) {
			if (algorithm != 0 && h->keys[tag].algorithm != algorithm) {
				return false;
			}
			algorithm = h->keys[tag].algorithm;
		}
	}
	return true;
}

/*! The parent may have what is asked for from then on until the operator speaks next. */
static inline void parent_may(history_t *h, uint32_t asked, int64_t from, int64_t until)
{
	for (size_t i = 0; i < h->word_count; i++) {
		const word_t *word = &h->words[i];
		const int64_t end = i + 1 < h->word_count ? word[1].at : FOREVER;
		const int64_t begin = from > word->at ? from : word->at;
		if (until <= word->at || from >= end) {
			continue;
		}
		stretch_put(&h->ds, asked, begin, end, h->real.ds_ttl);
		if (asked == 0 || word->keys == 0) {
			continue;
		}
		/* Added where it should replace, or replaced where it should be added. */
		const uint32_t added = asked | word->keys, fresh = asked & ~word->keys;
		if (fresh != 0) {
			stretch_put(&h->ds, added, begin, end, h->real.ds_ttl);
		}
		if (fresh != 0 && one_algorithm(h, added)) {
			stretch_put(&h->ds, fresh, begin, end, h->real.ds_ttl);
		}
	}
}

/*! Writes down all that can be fetched. */
static inline void fetch_all(history_t *h)
{
	static int64_t edges[8 * MAIL_LIST_MAX];
	h->ds.count = h->dnskey.count = h->rrsig.count = 0;
	for (size_t i = 0; i < h->word_count; i++) {
		const word_t *word = &h->words[i];
		const int64_t end = i + 1 < h->word_count ? word[1].at : FOREVER;
		stretch_put(&h->ds, word->keys, word->at, end, h->real.ds_ttl);
		stretch_put(&h->ds, word->alone, word->at, end, h->real.ds_ttl);
	}
	for (size_t v = 0; v < h->count; v++) {
		const version_t *version = &h->versions[v];
		const int64_t until = v + 1 < h->count ? version[1].at + h->real.delay : FOREVER;
		size_t count = edges_of(&version->set, version->at, until, edges);
		for (size_t i = 0; i + 1 < count; i++) {
			uint32_t dnskey = 0, rrsig = 0;
			for (size_t k = 0; k < version->set.count; k++) {
				const mail_dnskey_t *key = &version->set.keys[k];
				dnskey |= mail_dnskey_published(key, edges[i]) ? bit(key) : 0;
				rrsig |= mail_dnskey_signs_zone(key, edges[i]) ? bit(key) : 0;
			}
			stretch_put(&h->dnskey, dnskey, edges[i], edges[i + 1], h->real.ttl);
			stretch_put(&h->rrsig, rrsig, edges[i], edges[i + 1], h->real.ttl_max);
			if (edges[i] < edges[i + 1]) {
				parent_may(h, asked_at(&version->set, edges[i]), edges[i],
				           edges[i + 1]);
			}
		}
	}
}

/*! Says whether some key of an algorithm is in all of these sets. */
static inline bool some_key(const history_t *h, uint32_t keys, unsigned algorithm, bool ksk)
{
	for (unsigned tag = 1; tag < 32; tag++) {
		if ((keys & UINT32_C(1) << tag) != 0 && h->keys[tag].algorithm == algorithm &&
		    (!ksk || h->keys[tag].role != MAIL_ROLE_ZSK)) {
			return true;
		}
	}
	return false;
}

/*! NULL, or what is bogus. */
static inline const char *validate(const history_t *h, uint32_t ds, uint32_t dnskey, uint32_t rrsig)
{
	static const unsigned algorithms[] = { 8, 13, 15 };
	if (ds == 0) {
		return NULL; /* Insecure. */
	}
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		const unsigned algorithm = algorithms[i];
		/* A DS leads to a key that the DNSKEY RRset has, and is signed with. */
		if (some_key(h, ds, algorithm, false) &&
		    !some_key(h, ds & dnskey, algorithm, true)) {
			return "no key for the DS";
		}
		if (!some_key(h, dnskey, algorithm, false)) {
			continue;
		}
		if (!some_key(h, dnskey, algorithm, true)) {
			return "DNSKEY not signed with an algorithm of its own";
		}
		if (!some_key(h, dnskey & rrsig, algorithm, false)) {
			return "no signature of an algorithm";
		}
	}
	return NULL;
}

/*! Looks at whatever can be in caches in the same second. \return The first that is bogus, or NULL. */
static inline const char *find_bogus(history_t *h, stretch_t found[3])
{
	fetch_all(h);
	for (size_t i = 0; i < h->ds.count; i++) {
		const stretch_t *a = &h->ds.items[i];
		for (size_t j = 0; j < h->dnskey.count; j++) {
			const stretch_t *b = &h->dnskey.items[j];
			const int64_t from = a->from > b->from ? a->from : b->from;
			const int64_t until = a->until < b->until ? a->until : b->until;
			for (size_t k = 0; k < h->rrsig.count && from < until; k++) {
				const stretch_t *c = &h->rrsig.items[k];
				if (c->from >= until || from >= c->until) {
					continue;
				}
				h->met += a->keys != 0;
				const char *what = validate(h, a->keys, b->keys, c->keys);
				if (what != NULL) {
					found[0] = *a;
					found[1] = *b;
					found[2] = *c;
					return what;
				}
			}
		}
	}
	return NULL;
}
