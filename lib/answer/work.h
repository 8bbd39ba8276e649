/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files that make an answer share: hosted.c (RFC 1034 4.3.2), additional.c (addresses),
 * dnssec.c (RRSIG, NSEC and DS).
 */
#pragma once

#include "mail/answer.h"
#include "view/sign.h"

/*! Links of a chain of aliases that are followed, as knotd. */
#define MAIL_WORK_CHAIN_MAX 5

/*! How far the answer is. */
typedef enum {
	STEP_FOLLOW, /*!< An alias leads on. */
	STEP_HIT,
	STEP_NODATA,
	STEP_MISS,
	STEP_REFERRAL,
	STEP_TRUNCATED,
	STEP_FAILED
} step_t;

/*! What is to be known of an RRset of the packet to sign it. */
typedef struct {
	bool sign;
	unsigned flags;            /*!< mail_sign_flag_t. */
	uint32_t ttl;              /*!< Original TTL. */
	const knot_dname_t *owner; /*!< In the zone. */
} note_t;

typedef struct {
	const mail_question_t *question;
	knot_pkt_t *pkt;
	mail_reply_t *reply;
	mail_view_t view;
	const knot_dname_t *name; /*!< The name at hand: the QNAME, then targets of aliases. */
	uint8_t key[MAIL_KEY_MAX];
	size_t key_len;
	mail_place_t place;
	unsigned chain;
	bool signs;    /*!< The domain is signed. */
	bool dnssec;   /*!< And its DNSSEC records are asked for. */
	note_t *notes; /*!< Of the packet's RRsets, in their order; in the packet's memory. */
	size_t note_max;
	/*! Names that a wildcard stood for: the next closer names (RFC 5155 1.3). */
	const knot_dname_t *closer[MAIL_WORK_CHAIN_MAX + 1];
	unsigned closer_count;
} work_t;

/*! Notes why there is no answer. \return STEP_FAILED. */
step_t mail_work_fail(work_t *work, int code, const char *what);
/*! What a put led to: done, truncated or failed. */
step_t mail_work_step(work_t *work, int ret, step_t done);
/*! The RRset that the answer has already, or NULL. */
const knot_rrset_t *mail_work_seen(const work_t *work, uint16_t type, const knot_dname_t *owner);
/*! The part of a name that a place at or above it is for. */
const knot_dname_t *mail_work_above(const knot_dname_t *name, const uint8_t *key, size_t len,
                                    const mail_place_t *place);
/*! Puts an RRset, and notes it to be signed with its section. */
int mail_work_put(work_t *work, uint16_t hint, const knot_rrset_t *rrset, uint16_t flags,
                  const note_t *note);
/*! KNOT_PF_NOTRUNC over TCP. */
uint16_t mail_work_flags(const work_t *work);

/*! The name servers of a stored domain below this one. */
int mail_work_child_ns(const work_t *work, const knot_dname_t *owner, const mail_place_t *cut,
                       knot_rrset_t *rrset);
/*! Opens the view of the stored domain nearest to a name, which is another one than the question's. */
int mail_work_other(const work_t *work, const knot_dname_t *name, const uint8_t *key, size_t len,
                    mail_view_t *other);

/*! The additional section: what does not fit is left out, but for glue, which comes first. */
step_t mail_work_additional(work_t *work, step_t step);

/*! Remembers that a wildcard stands for the name at hand. */
void mail_work_wildcard(work_t *work);
/*! The owner that an RRset of a place has in the zone; NULL: no memory. */
const knot_dname_t *mail_work_owner(work_t *work, const mail_place_t *place);
/*! QTYPE RRSIG: the signatures of the RRset with the lowest type (RFC 8482 4.1). \return as a put. */
int mail_work_rrsig(work_t *work);
/*! QTYPE NSEC. */
int mail_work_nsec(work_t *work);
/*! DS of a stored domain below, at a cut. */
int mail_work_child_ds(work_t *work);
/*! What the answer does not hold is proven (RFC 4035 3.1.3), or what a referral leads to (3.1.4). */
int mail_work_prove(work_t *work, step_t step);
/*! Signs the RRsets of the section from the first-th on; optional: those that fit. */
step_t mail_work_sign(work_t *work, uint16_t first, bool optional, step_t step);
