/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A question answered from the store: RFC 1034 4.3.2 over the plan of a domain.
 *
 * Two steps, so that the caller can decide in between: mail_answer_find() says whose question it is, and
 * mail_answer() answers it.
 *
 * Thread rule: as of mail/cache.h. No allocation outside the packet's memory pool but where a plan is compiled for
 * the first time or anew.
 */
#pragma once

#include "mail/cache.h"
#include "mail/signer.h"

/*! What came of a question; counters are kept by it. */
typedef enum {
	MAIL_OUTCOME_NONE,   /*!< No stored domain is at or above the name: not ours. */
	MAIL_OUTCOME_ANSWER, /*!< Positive. */
	MAIL_OUTCOME_NODATA,
	MAIL_OUTCOME_NXDOMAIN,
	MAIL_OUTCOME_REFERRAL,
	MAIL_OUTCOME_TRUNCATED,
	MAIL_OUTCOME_FAILED, /*!< SERVFAIL: damaged or inconsistent entries. */
	MAIL_OUTCOME_COUNT
} mail_outcome_t;

/*! The stored domain that a question is for. */
typedef struct {
	/*!
	 * Labels of the domain. 0: any zone that the caller has is better; the domain cannot be read, or all that is
	 * there is the child of a DS question.
	 */
	size_t labels;
	int error; /*!< KNOT_EOK, or why the domain cannot be read (KNOT_EMALF, KNOT_ENOTSUP): it can only fail. */
	bool children; /*!< There may be stored domains between it and the QNAME: the question is for its DS. */
	mail_lf_storage_t lf; /*!< The QNAME; mail_answer() goes on from there. */
	const knot_dname_t
		*name; /*!< What the domain was found for: the QNAME, or for DS the name above. */
	mail_lf_t found_for; /*!< The same in lookup format, the first part of lf. */
	mail_lf_t apex;      /*!< The domain, the first part of that. */
	mail_domain_t domain;
} mail_hosted_t;

/*!
 * \brief Find the stored domain that a question is for: the longest at or above the QNAME; for DS the one above,
 *        where there is one (RFC 4035 3.1.4.1).
 *
 * \param pkt     A response with its question; its QNAME must stay.
 * \param hosted  Out; it points into the source's memory.
 *
 * \return KNOT_EOK, also with hosted->error; KNOT_ENOENT: the question is not ours.
 */
int mail_answer_find(const mail_source_t *source, const knot_pkt_t *pkt, mail_hosted_t *hosted);

/*! How a question is answered. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now; /*!< Seconds since 1970. */
	bool udp;    /*!< UDP: truncate; else everything must fit. */
	bool dnssec; /*!< The DO bit (RFC 3225): a signed domain's answer has its DNSSEC records. */
	mail_signer_t *signer; /*!< Of the thread; NULL: no private key is there. */
} mail_question_t;

/*! How it was answered. */
typedef struct {
	mail_outcome_t outcome;
	uint16_t rcode;   /*!< KNOT_RCODE_*. */
	uint16_t kind;    /*!< Index in mail_kinds of the first record; MAIL_KIND_COUNT: none. */
	int ede;          /*!< For FAILED: KNOT_EDNS_EDE_* (RFC 8914). */
	char reason[320]; /*!< For FAILED: what is wrong, with the entry's name. */
} mail_reply_t;

/*!
 * \brief Answer the question of a packet: fill answer, authority and additional section, set AA and TC.
 *
 * The RCODE goes into reply only (knotd writes it). A signed domain whose private keys are not all there fails,
 * whether DNSSEC is asked for or not: never an unsigned answer for a signed domain.
 *
 * \param hosted  What mail_answer_find() found in the same source for the same packet; it is used up.
 * \param pkt     A response with its question and OPT reserve, at KNOT_ANSWER; RDATA are allocated in pkt->mm.
 * \param reply   Out.
 */
void mail_answer(const mail_question_t *question, mail_hosted_t *hosted, knot_pkt_t *pkt,
                 mail_reply_t *reply);
