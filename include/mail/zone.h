/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Zone mode: the records that a domain adds to a zone of knotd.
 *
 * For each owner and type, the zone's own records win. The result is the answer of a zone that has the records
 * of both (RFC 1034 4.3.2, RFC 4592), as far as the names of the zone are known. Knot DNS 3.4 and later can
 * look up names of the zone (mail_zone_question_t.look). With older versions only the zone's answer is known;
 * if it does not suffice, it stays as it is.
 *
 * A domain never adds SOA, NS, DS, DNAME, DNSKEY, CDS or CDNSKEY, nor anything to the additional section.
 *
 * Thread rule: as in mail/answer.h.
 */
#pragma once

#include "mail/answer.h"

/*! Number of words of a mail_labels_t. */
#define MAIL_LABELS_WORDS 16
/*! Number of bits of a label, all in one word. */
#define MAIL_LABEL_BITS 4

/*!
 * A set of labels, as a Bloom filter: the labels directly below the zone's apex at or below which the domain may have
 * names, at any time. It has every such label, and possibly others.
 */
typedef struct {
	uint64_t bits[MAIL_LABELS_WORDS];
} mail_labels_t;

/*! Octets of a name that mail_label_hash() reads at once. The name of the zone must be as long. */
#define MAIL_LABEL_READ 8

/*!
 * Return a hash of the label below the apex of a zone. The same label has another hash in another zone.
 *
 * \param label  The label from its length octet on, within a wire name in lower case. The name of the zone
 *               follows it, and has at least MAIL_LABEL_READ octets.
 */
static inline uint64_t mail_label_hash(const uint8_t *label)
{
	uint64_t first, last;
	memcpy(&first, label, MAIL_LABEL_READ);
	if (label[0] >= MAIL_LABEL_READ) {
		// Long labels often differ only at their ends.
		memcpy(&last, label + 1 + label[0] - MAIL_LABEL_READ, MAIL_LABEL_READ);
		first ^= last << 23 | last >> 41;
	}
	return first * 0x9e3779b97f4a7c15;
}

/*! Return the number of the word that has the bits of a label. */
static inline unsigned mail_label_word(uint64_t hash)
{
	return hash >> 60;
}

/*! Return the number of one of the bits of a label. */
static inline unsigned mail_label_bit(uint64_t hash, unsigned which)
{
	return hash >> (54 - 6 * which) & 63;
}

/*! Return whether one of the bits of a label is in its word. */
static inline bool mail_label_in(uint64_t word, uint64_t hash, unsigned which)
{
	return word >> mail_label_bit(hash, which) & 1;
}

/*! Greatest number of record types in a mail_extent_t. */
#define MAIL_EXTENT_TYPES 24

/*! The names and types that a domain may add to its zone, at any time. */
typedef struct {
	mail_labels_t labels;
	uint16_t types[MAIL_EXTENT_TYPES]; /*!< Ascending, without CNAME, as many as fit. */
	size_t type_count;
} mail_extent_t;

/*! Answer of the zone itself to a name. */
typedef enum {
	MAIL_ZONE_MISS, /*!< The name does not exist, and no wildcard, cut or DNAME is above it. */
	MAIL_ZONE_NODATA, /*!< The name, or the wildcard that covers it, has no record of the type. */
	MAIL_ZONE_WILDCARD, /*!< A wildcard has the record. */
	MAIL_ZONE_HIT,      /*!< The name itself has the record. */
} mail_zone_said_t;

/*! A name of a zone that a question has led to, and the zone's answer to it. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now; /*!< Seconds since 1970. */
	bool udp;    /*!< Over UDP an answer may be truncated; otherwise all must fit. */
	bool online; /*!< mod-onlinesign signs the answer afterwards. */
	const knot_dname_t *apex; /*!< Name of the zone; not the root. */
	mail_str_t policy;        /*!< Policy of a zone that the store does not list; or empty. */
	const knot_dname_t *name; /*!< The current name, at or below the apex. */
	mail_zone_said_t said;
	uint16_t
		keep; /*!< Number of RRsets in the answer section that led to the name; they stay. */
	/*! With MAIL_ZONE_WILDCARD: owner of the wildcard; NULL if it is unknown. */
	const knot_dname_t *wildcard;
	/*!
	 * Optional: looks up an RRset in the zone.
	 *
	 * \return KNOT_EOK (an RRset without records: the name exists, but not the type); KNOT_ENONODE (neither
	 *         the name nor a name below it exists).
	 */
	int (*look)(void *ctx, const knot_dname_t *name, uint16_t type, knot_rrset_t *rrset);
	void *look_ctx;        /*!< Argument of look. */
	mail_extent_t *extent; /*!< Out, optional: what the domain may add, if it is known. */
} mail_zone_question_t;

/*! Result of mail_zone_answer(). */
typedef struct {
	mail_outcome_t outcome; /*!< NONE: the zone's answer stays. REFERRAL does not occur. */
	uint16_t kind;          /*!< As in mail_reply_t. */
	bool unlisted;          /*!< The store does not list the zone, and there is no policy. */
	/*!
	 * With question->online, if NODATA or NXDOMAIN replaces the answer of a wildcard: the proof, in the
	 * memory pool of the packet. The caller sets its TTL. Else empty.
	 */
	knot_rrset_t nsec;
	const knot_dname_t *name; /*!< End of the chain of aliases: question->name, or RDATA. */
	char reason[320];         /*!< With FAILED: the reason. */
} mail_zone_reply_t;

/*!
 * \brief Complete the answer of a zone with the records of the domain, or leave it as it is.
 *
 * If the domain adds records, the RRsets after the first question->keep ones leave the packet before. NODATA
 * and NXDOMAIN are only in reply->outcome: knotd adds the SOA and the proof, unless the zone's answer came from
 * a wildcard (then see reply->nsec). Without question->look, a CNAME of the domain is not followed, because the
 * zone may have records at its target, which no answer may hide.
 *
 * The outcome is FAILED if the domain cannot be read and the zone has no answer of its own.
 *
 * \param pkt    A response at KNOT_ANSWER with the zone's answer. Its memory pool owns what is added.
 * \param reply  Out: the result.
 */
void mail_zone_answer(const mail_zone_question_t *question, knot_pkt_t *pkt,
                      mail_zone_reply_t *reply);
/*!
 * Check before a question comes whether the domain can be read.
 *
 * \param question  Only source, cache, now, apex, policy and extent are used.
 * \param reply     Out: only unlisted and reason are set.
 *
 * \return KNOT_EOK (reply->unlisted may be set); or an error with the reason: KNOT_EMALF, KNOT_ENOTSUP,
 *         KNOT_ENOMEM, or that of the plan.
 */
int mail_zone_look(const mail_zone_question_t *question, mail_zone_reply_t *reply);
