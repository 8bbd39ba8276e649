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

#include "mail/rollover.h"
#include "unit.h"

#define FOREVER (INT64_MAX / 4)
#define START 1000000000

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

/*! A key as a bit of a set. */
uint32_t bit(const mail_dnskey_t *key);

/*! Keys that the parent is asked to have a DS of: what the plan puts into CDS (kind_key.c). */
uint32_t asked_at(const mail_keyset_t *set, int64_t now);

/*! NULL, or what is bogus. */
const char *validate(const history_t *h, uint32_t ds, uint32_t dnskey, uint32_t rrsig);

/*! Look at whatever can be in caches in the same second. \return The first that is bogus, or NULL. */
const char *find_bogus(history_t *h, stretch_t found[3]);
