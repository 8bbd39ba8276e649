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
#define MAIL_LABELS_WORDS 16
/*! Bits of a label, all in one word. */
#define MAIL_LABEL_BITS 4

/*!
 * A set of labels (a Bloom filter): the labels below the zone's apex under
 * which the domain may have names, at any time.  It never says no where the domain has something.
 */
typedef struct {
	uint64_t bits[MAIL_LABELS_WORDS];
} mail_labels_t;

/*! Octets of a name that mail_label_hash() reads at once: no zone has a shorter name. */
#define MAIL_LABEL_READ 8

/*!
 * A number for the label below the apex of a zone; names of other zones have other numbers for it.
 *
 * \param label  Within a wire name in small letters, from the length octet; the zone's name is behind it, and has
 *               MAIL_LABEL_READ octets at least.
 */
static inline uint64_t mail_label_hash(const uint8_t *label)
{
	uint64_t first, last;
	memcpy(&first, label, MAIL_LABEL_READ);
	if (label[0] >= MAIL_LABEL_READ) {
		// Long labels often differ at their ends only.
		memcpy(&last, label + 1 + label[0] - MAIL_LABEL_READ, MAIL_LABEL_READ);
		first ^= last << 23 | last >> 41;
	}
	return first * 0x9e3779b97f4a7c15;
}

/*! The word that the bits of a label are in. */
static inline unsigned mail_label_word(uint64_t hash)
{
	return hash >> 60;
}

/*! The number of one of the bits of a label. */
static inline unsigned mail_label_bit(uint64_t hash, unsigned which)
{
	return hash >> (54 - 6 * which) & 63;
}

/*! Return whether one of the bits of a label is in its word. */
static inline bool mail_label_in(uint64_t word, uint64_t hash, unsigned which)
{
	return word >> mail_label_bit(hash, which) & 1;
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
	/*! For NODATA and NXDOMAIN instead of a wildcard's answer, with question->online: the proof, in the
	 *  packet's memory; its TTL is to be set. Else empty. */
	knot_rrset_t nsec;
	const knot_dname_t
		*name;    /*!< Where a chain of aliases has ended: question->name, or RDATA. */
	char reason[320]; /*!< For FAILED. */
} mail_zone_reply_t;

/*!
 * \brief Complete an answer: put what the domain adds, after everything behind question->keep is taken back; or
 *        leave all as it is.
 *
 * NODATA and NXDOMAIN are only said: the SOA is the zone's, and so is the proof, but where a wildcard had
 * answered (reply->nsec).  Without question->look a CNAME of ours is not followed: the zone may have records of
 * its own at its target, which no answer may hide.
 *
 * FAILED: the domain cannot be read, and the zone has no answer of its own.
 *
 * \param pkt    A response at KNOT_ANSWER, which holds the zone's answer.
 * \param reply  Out.
 */
void mail_zone_answer(const mail_zone_question_t *question, knot_pkt_t *pkt,
                      mail_zone_reply_t *reply);
/*!
 * Look whether the domain can be read, before a question comes. Of the question, source, cache, now, apex, policy and
 * extent count; of the reply, unlisted and reason.
 *
 * \return KNOT_EOK, also when it is unlisted; or an error, with a reason.
 */
int mail_zone_look(const mail_zone_question_t *question, mail_zone_reply_t *reply);
