/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A descent of the tree takes 2,000 instructions, and most questions are for few domains.  So each reading transaction
 * remembers where it found domains, as long as it keeps its snapshot: neither the map nor a page of it moves meanwhile.
 *
 *     name      www.shop.example
 *     depths    2, 3                        labels that domains have which were found
 *     places    shop.example, then www.shop.example
 *
 * Only a domain without an entry below is noted, so nothing longer can match.  When few look-ups are met, because there
 * are many domains, or many commits, none are made for a while.
 */
#include "config.h"

#include <stdlib.h>

#include <lmdb.h>

#include "store/memo.h"

#define PLACES_BITS 12
#define PLACES (1u << PLACES_BITS)
/*! After so many look-ups it is seen whether a part of them was met; if not, so many are left out. */
#define SAMPLE PLACES
#define SAMPLE_PART 4
#define REST (16 * SAMPLE)
/*! Domains of more labels are not noted; and of one name so many parts are looked for. */
#define DEPTHS 32
#define TRIED_MAX 3

/*! Where a domain is stored: two to a line of the processor's cache. */
typedef struct {
	uint64_t taken; /*!< The snapshot, as txn->taken counts them. */
	const uint8_t *key;
	const void *value;
	uint32_t value_len;
	uint16_t key_len;
} place_t;

struct mail_memo {
	uint64_t taken;  /*!< The snapshot that was noted last. */
	uint32_t depths; /*!< How many labels its domains have, a bit each. */
	unsigned asked, met, rest;
	place_t places[PLACES];
};

static place_t *place_of(mail_memo_t *memo, mail_lf_t name)
{
	return &memo->places[mail_lf_hash(name, 0) >> (64 - PLACES_BITS)];
}

/*! Count a look-up. */
static void count(mail_memo_t *memo, bool met)
{
	memo->met += met;
	if (++memo->asked < SAMPLE) {
		return;
	}
	memo->rest = memo->met < SAMPLE / SAMPLE_PART ? REST : 0;
	memo->asked = memo->met = 0;
}

/*! Return where a domain is noted, or NULL. */
static const place_t *noted(const mail_txn_t *txn, mail_lf_t domain)
{
	const place_t *place = place_of(txn->memo, domain);
	const bool met = place->taken == txn->taken &&
	                 mail_lf_equal((mail_lf_t){ place->key, place->key_len }, domain);
	return met ? place : NULL;
}

bool mail_memo_find(mail_txn_t *txn, mail_lf_t name, mail_lf_t *above, MDB_val *value)
{
	mail_memo_t *memo = txn->memo;
	if (memo == NULL || memo->taken != txn->taken || name.len == 0) {
		return false;
	}
	if (memo->rest > 0) {
		memo->rest--;
		return false;
	}
	const place_t *place = NULL;
	mail_lf_t part = { name.data, 0 };
	unsigned tried = 0;
	for (unsigned labels = 1; labels < DEPTHS && tried < TRIED_MAX; labels++) {
		const uint8_t *end = memchr(name.data + part.len, 0, name.len - part.len);
		part.len = end != NULL ? (size_t)(end - name.data) : name.len;
		if ((memo->depths >> labels & 1) != 0) {
			place = noted(txn, part);
			tried++;
		}
		if (place != NULL || part.len == name.len) {
			break;
		}
		part.len++; /* The 00 between two labels. */
	}
	count(memo, place != NULL);
	if (place != NULL) {
		*above = part;
		*value = (MDB_val){ place->value_len, (void *)place->value };
	}
	return place != NULL;
}

bool mail_memo_wants(const mail_txn_t *txn)
{
	return !txn->write && (txn->memo == NULL || txn->memo->rest == 0);
}

void mail_memo_note(mail_txn_t *txn, const MDB_val *key, const MDB_val *value)
{
	const mail_lf_t domain = { key->mv_data, key->mv_size };
	const unsigned labels = mail_lf_labels(domain);
	if (txn->memo == NULL) {
		txn->memo = calloc(1, sizeof(*txn->memo));
	}
	mail_memo_t *memo = txn->memo;
	if (memo == NULL || labels >= DEPTHS || value->mv_size > UINT32_MAX) {
		return;
	}
	if (memo->taken != txn->taken) {
		memo->taken = txn->taken;
		memo->depths = 0;
	}
	memo->depths |= UINT32_C(1) << labels;
	*place_of(memo, domain) = (place_t){
		.taken = txn->taken,
		.key = domain.data,
		.value = value->mv_data,
		.value_len = (uint32_t)value->mv_size,
		.key_len = (uint16_t)domain.len,
	};
}
