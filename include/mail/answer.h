/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The answer to a question, from the store: RFC 1034 4.3.2 over the plan of a domain.
 *
 * There are two steps, so that the caller can decide in between: mail_answer_find() finds the domain that a
 * question is for, and mail_answer() answers the question.
 *
 * Thread rule: one thread at a time, with its own cache, source and signer.
 *
 * Memory: all of it comes from the memory pool of the packet, unless a plan must be made.
 */
#pragma once

#include "mail/cache.h"
#include "mail/signer.h"

/*! Outcome of a question. The module counts questions by outcome. */
typedef enum {
	MAIL_OUTCOME_NONE,   /*!< No stored domain is at or above the name. */
	MAIL_OUTCOME_ANSWER, /*!< There is a record of the type, or a CNAME. */
	MAIL_OUTCOME_NODATA,
	MAIL_OUTCOME_NXDOMAIN,
	MAIL_OUTCOME_REFERRAL,
	MAIL_OUTCOME_TRUNCATED,
	MAIL_OUTCOME_FAILED, /*!< SERVFAIL: an entry is damaged or inconsistent, or a private key is missing. */
	MAIL_OUTCOME_COUNT
} mail_outcome_t;

/*! The stored domain that a question is for. */
typedef struct {
	/*!
	 * Number of labels of the domain. 0: any zone of the caller goes before the domain, because the domain
	 * cannot be read, or because the question is for its own DS record and the store has no parent.
	 */
	size_t labels;
	int error; /*!< KNOT_EOK; KNOT_EMALF, KNOT_ENOTSUP: the domain cannot be read, and mail_answer() will fail. */
	bool children; /*!< The question is for DS: there may be a stored domain between this one and the QNAME. */
	mail_lf_storage_t lf; /*!< The QNAME. */
	/*! The name that the domain was found for: the QNAME, or for DS the name above. */
	const knot_dname_t *name;
	mail_lf_t found_for; /*!< The same name in lookup format, the first part of lf. */
	mail_lf_t apex;      /*!< The domain, the first part of found_for. */
	mail_domain_t domain;
} mail_hosted_t;

/*!
 * \brief Find the stored domain that a question is for.
 *
 * This is the longest stored domain at or above the QNAME. For DS it is the longest one above the QNAME, if
 * there is one (RFC 4035 3.1.4.1).
 *
 * \param pkt     A response with its question. Its QNAME must outlive hosted.
 * \param hosted  Out: the domain. It points into the memory of the source, and is valid as long as the snapshot.
 *
 * \return KNOT_EOK (hosted->error may be set); KNOT_ENOENT (no stored domain is at or above the QNAME).
 */
int mail_answer_find(const mail_source_t *source, const knot_pkt_t *pkt, mail_hosted_t *hosted);

/*! How a question is answered. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now; /*!< Seconds since 1970. */
	bool udp;    /*!< Over UDP an answer may be truncated; otherwise everything must fit. */
	bool dnssec; /*!< The DO bit (RFC 3225): the answer of a signed domain has DNSSEC records. */
	mail_signer_t *signer; /*!< Signer of the thread; NULL: there is no private key. */
	/*! The records alone are wanted, as a check does: no key is needed, and nothing is signed. Never for an answer. */
	bool plain;
} mail_question_t;

/*! Result of mail_answer(). */
typedef struct {
	mail_outcome_t outcome;
	uint16_t rcode;   /*!< KNOT_RCODE_*. */
	uint16_t kind;    /*!< Index in mail_kinds of the first record; MAIL_KIND_COUNT: none. */
	bool kept;        /*!< The answer was kept with the plan, and was not made anew. */
	int ede;          /*!< With MAIL_OUTCOME_FAILED: KNOT_EDNS_EDE_* (RFC 8914). */
	char reason[320]; /*!< With MAIL_OUTCOME_FAILED: the reason, with the name of the entry. */
} mail_reply_t;

/*!
 * \brief Answer the question of a packet: fill the answer, authority and additional sections, and set AA and TC.
 *
 * The RCODE is only in reply, because knotd writes it into the packet. If a private key of a signed domain is
 * missing, the answer fails, with or without DO: a signed domain never gets an unsigned answer.
 *
 * \param question  How to answer.
 * \param hosted    Result of mail_answer_find() for the same source and packet. You cannot use it again afterwards.
 * \param pkt       A response with its question and the space for OPT, at KNOT_ANSWER. Its memory pool owns the
 *                  RDATA.
 * \param reply     Out: the result. Errors are in it, too: the function itself cannot fail.
 */
void mail_answer(const mail_question_t *question, mail_hosted_t *hosted, knot_pkt_t *pkt,
                 mail_reply_t *reply);
