/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "caches.h"

#include <stdlib.h>

static void stretch_put(stretches_t *list, uint32_t keys, int64_t from, int64_t until, int64_t ttl)
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
	REQUIRE(list->count < COUNT(list->items));
	list->items[list->count++] = (stretch_t){ keys, from, end };
}

uint32_t bit(const mail_dnskey_t *key)
{
	return UINT32_C(1) << key->tag;
}

static int compare(const void *a_ptr, const void *b_ptr)
{
	const int64_t a = *(const int64_t *)a_ptr, b = *(const int64_t *)b_ptr;
	return (a > b) - (a < b);
}

/*! The seconds in which a set changes, within a stretch, both ends included. */
static size_t edges_of(const mail_keyset_t *set, int64_t from, int64_t until, int64_t *edges)
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

uint32_t asked_at(const mail_keyset_t *set, int64_t now)
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

static bool one_algorithm(const history_t *h, uint32_t keys)
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
static void parent_may(history_t *h, uint32_t asked, int64_t from, int64_t until)
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

/*! Write down all that can be fetched. */
static void fetch_all(history_t *h)
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

/*! Return whether some key of an algorithm is in all of these sets. */
static bool some_key(const history_t *h, uint32_t keys, unsigned algorithm, bool ksk)
{
	for (unsigned tag = 1; tag < 32; tag++) {
		if ((keys & UINT32_C(1) << tag) != 0 && h->keys[tag].algorithm == algorithm &&
		    (!ksk || h->keys[tag].role != MAIL_ROLE_ZSK)) {
			return true;
		}
	}
	return false;
}

const char *validate(const history_t *h, uint32_t ds, uint32_t dnskey, uint32_t rrsig)
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

const char *find_bogus(history_t *h, stretch_t found[3])
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
