/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Zone mode: what a domain adds to a zone that knotd has.
 *
 * The zone's own records win, per owner and type.  What comes out is the answer of a zone that holds both
 * (RFC 1034 4.3.2, RFC 4592), as far as the zone's names are known: Knot DNS 3.4 and later can be asked for
 * them (mail_zone_question_t.look), before that only what the answer tells is known, and where that is not
 * enough the zone's answer stands.
 *
 * Never added: SOA, NS, DS, DNAME, DNSKEY, CDS, CDNSKEY, and anything to the additional section.
 *
 * Thread rule: as of mail/answer.h.
 */
#pragma once

#include "mail/answer.h"

/*! Words of a mail_labels_t. */
#define MAIL_LABELS_WORDS 8

/*!
 * A set of labels (a Bloom filter of two bits for each): the labels below the zone's apex under which the
 * domain may have names, at any time.  It never says no where the domain has something.
 */
typedef struct {
	uint64_t bits[MAIL_LABELS_WORDS];
} mail_labels_t;

/*! A number for a label of a wire name in small letters; the label's length octet is its first. */
static inline uint64_t mail_label_hash(const uint8_t *label)
{
	const size_t len = *label++;
	uint64_t first = 0, last = 0;
	if (len >= sizeof(first)) {
		memcpy(&first, label, sizeof(first));
		memcpy(&last, label + len - sizeof(last), sizeof(last));
	} else if (len >= sizeof(uint32_t)) {
		memcpy(&first, label, sizeof(uint32_t));
		memcpy(&last, label + len - sizeof(uint32_t), sizeof(uint32_t));
	} else if (len > 0) {
		first = label[0];
		last = (uint64_t)label[len / 2] << 8 | label[len - 1];
	}
	first += len;
	return (first * 0x9e3779b97f4a7c15 ^ last) * 0xd6e8feb86659fd93;
}

/*! Positions of the two bits of a label. */
static inline unsigned mail_label_bit(uint64_t hash, unsigned which)
{
	return hash >> (which == 0 ? 55 : 46) & (MAIL_LABELS_WORDS * 64 - 1);
}

/*! Types of records that are remembered of a domain. */
#define MAIL_EXTENT_TYPES 24

/*! What a domain may add to its zone: names and types, at any time. */
typedef struct {
	mail_labels_t labels;
	uint16_t types
		[MAIL_EXTENT_TYPES]; /*!< Ascending, CNAME left out, as many as there is room for. */
	size_t type_count;
} mail_extent_t;

/*! What the zone itself says to a name. */
typedef enum {
	MAIL_ZONE_MISS,   /*!< No such name, and no wildcard, cut or DNAME above it. */
	MAIL_ZONE_NODATA, /*!< The name, or the wildcard that covers it, has no record of the type. */
	MAIL_ZONE_WILDCARD, /*!< A wildcard has answered. */
	MAIL_ZONE_HIT,      /*!< The name itself has answered. */
} mail_zone_said_t;

/*! A name of a zone that a question has led to, and what the zone says to it. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;              /*!< Seconds since 1970. */
	bool udp;                 /*!< UDP: truncate; else everything must fit. */
	bool online;              /*!< mod-onlinesign signs the answer afterwards. */
	const knot_dname_t *apex; /*!< The zone; not the root. */
	mail_str_t policy;        /*!< Of a zone that the store does not list; or empty. */
	const knot_dname_t *name; /*!< The name at hand, at or below the apex. */
	mail_zone_said_t said;
	uint16_t keep; /*!< RRsets of the answer section that led to the name: they stay. */
	/*! MAIL_ZONE_WILDCARD: owner of the wildcard, or NULL when it is not known. */
	const knot_dname_t *wildcard;
	/*!
	 * Optional: reads the zone. An RRset without records: the node has no such type.
	 *
	 * \return KNOT_EOK; KNOT_ENONODE: no such name, nor one below it.
	 */
	int (*look)(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset);
	void *look_ctx;
	mail_extent_t *extent; /*!< Optional, out: what the domain may add, when it is known. */
} mail_zone_question_t;

/*! What was done. */
typedef struct {
	mail_outcome_t outcome; /*!< NONE: the zone's answer stands. REFERRAL does not occur. */
	uint16_t kind;          /*!< As of mail_reply_t. */
	bool unlisted;          /*!< The store does not list the zone, and there is no policy. */
	const knot_dname_t
		*name;    /*!< Where a chain of aliases has ended: question->name, or RDATA. */
	char reason[320]; /*!< For FAILED. */
} mail_zone_reply_t;

/*!
 * Completes an answer: puts what the domain adds, after everything behind question->keep is taken back; or
 * leaves all as it is.
 *
 * NODATA and NXDOMAIN are only said: the SOA is the zone's.  With question->online a wildcard's answer gives
 * way only to records, because the proof that its signer makes does not fit another denial (it takes the
 * types of the wildcard).  Without question->look a CNAME of ours is followed only to names of ours.
 *
 * FAILED: the domain cannot be read, and the zone has no answer of its own.
 *
 * \param pkt  A response at KNOT_ANSWER, which holds the zone's answer.
 *
 * \return KNOT_EOK, with the outcome in reply.
 */
int mail_zone_answer(const mail_zone_question_t *question, knot_pkt_t *pkt,
                     mail_zone_reply_t *reply);
