/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A question answered from the store: RFC 1034 4.3.2 over the plan of a domain.
 *
 * Thread rule: a mail_cache_t belongs to one thread. No allocation outside the packet's memory pool but
 * where a plan is compiled for the first time or anew.
 */
#pragma once

#include "mail/plan.h"
#include "mail/signer.h"

/*! Plans of one thread, found by policy or domain; bounded, least recently used leaves first. */
typedef struct mail_cache mail_cache_t;

/*! Makes a cache. \param plans Most plans it keeps. \return NULL without memory. */
mail_cache_t *mail_cache_new(size_t plans);
void mail_cache_free(mail_cache_t *cache);

/*!
 * Tells the cache which state of the store the coming questions see.
 *
 * \param epoch  Number of the open environment: another number drops all plans.
 * \param txnid  mail_txn_id(): when it moved, plans check their dependencies' stamps before use.
 */
void mail_cache_sync(mail_cache_t *cache, uint64_t epoch, uint64_t txnid);

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

/*! A question. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now; /*!< Seconds since 1970. */
	bool udp;    /*!< UDP: truncate; else everything must fit. */
	bool dnssec; /*!< The DO bit (RFC 3225): a signed domain's answer has its DNSSEC records. */
	mail_signer_t *signer; /*!< Of the thread; NULL: no private key is there. */
	/*!
	 * Optional: asked with the label count of the matching domain, before anything is put, and before cache, now and
	 * signer are looked at, so that it may still set them; false: leave it to knotd.
	 */
	bool (*above)(void *ctx, size_t labels);
	void *above_ctx;
} mail_question_t;

/*! How it was answered. */
typedef struct {
	mail_outcome_t outcome;
	uint16_t rcode;   /*!< KNOT_RCODE_*. */
	uint16_t kind;    /*!< Index in mail_kinds of the first record; mail_kind_count: none. */
	int ede;          /*!< For FAILED: KNOT_EDNS_EDE_* (RFC 8914). */
	char reason[320]; /*!< For FAILED: what is wrong, with the entry's name. */
} mail_reply_t;

/*!
 * Answers the question of a packet: fills answer, authority and additional section, sets AA and TC.
 * The RCODE goes into reply only (knotd writes it). A signed domain whose private keys are not all there fails,
 * whether DNSSEC is asked for or not: never an unsigned answer for a signed domain.
 *
 * \param pkt  A response with its question and OPT reserve, at KNOT_ANSWER; RDATA are allocated in pkt->mm.
 *
 * \return KNOT_EOK, with the outcome in reply.
 */
int mail_answer(const mail_question_t *question, knot_pkt_t *pkt, mail_reply_t *reply);

/*! One RRset of a domain, for listings. */
typedef struct {
	const knot_rrset_t *rrset;
	const mail_kind_t *kind; /*!< NULL: RRSIG, NSEC. */
	int64_t until;           /*!< Next second at which it changes, or INT64_MAX. */
} mail_listed_t;

/*! What to list, and for whom. */
typedef struct {
	const mail_source_t *source;
	int64_t now;           /*!< Seconds since 1970. */
	bool reports;          /*!< Also C._report._dmarc.D (reads all domains once). */
	mail_signer_t *signer; /*!< A signed domain with its RRSIGs and NSECs; NULL: without. */
	/*! Called for each RRset; another result than KNOT_EOK ends the walk. */
	int (*each)(const mail_listed_t *listed, void *ctx);
	void *ctx;
	mail_diag_t *diag;
} mail_listing_t;

/*!
 * Walks all RRsets of a domain at a time, in canonical order, SOA first; what an export writes and `records`
 * prints. RRSIGs follow their RRset, the NSEC is the last of its name. The NSEC chain is that of the answers,
 * but closed in its gap below _report._dmarc (RFC 4470): the ends of the gap are names with an NSEC alone.
 *
 * \param domain  Name as text.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such domain); KNOT_EMALF... with diag; KNOT_EINVAL (a private key is
 *         missing); or what each returned.
 */
int mail_answer_list(const mail_listing_t *listing, mail_str_t domain);
