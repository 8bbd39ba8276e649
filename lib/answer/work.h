/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The engine that answers a name of a view: shared by hosted domains (hosted.c, additional.c, dnssec.c) and
 *        zone mode (zone.c).
 *
 *     name at hand -> mail_view_place() -> what our node says: STEP_CNAME, STEP_TYPE or STEP_NODATA
 *          ^                                    |                     |
 *          |       STEP_FOLLOW                  |                     |
 *          +---- mail_work_cname() <------------+    mail_work_node() +-> the packet
 *
 * What precedes and follows is different: a hosted domain is the authority of all its names, a zone of knotd's has
 * answered already.
 */
#pragma once

#include "mail/answer.h"
#include "view/sign.h"

/*! Links of a chain of aliases that are followed, as knotd. */
#define MAIL_WORK_CHAIN_MAX 5

/*! How far the answer is. */
typedef enum {
	STEP_STANDS,   /*!< Zone mode: the zone's answer is right. */
	STEP_TYPE,     /*!< Our node has the type. */
	STEP_CNAME,    /*!< Our node is an alias. */
	STEP_FOLLOW,   /*!< An alias leads on. */
	STEP_HIT,      /*!< Answered. */
	STEP_NODATA,   /*!< The name exists, without the type. */
	STEP_MISS,     /*!< No such name. */
	STEP_REFERRAL, /*!< The name is at or below a cut. */
	STEP_TRUNCATED,
	STEP_FAILED
} mail_answer_step_t;

/*! What is to be known of an RRset of the packet to sign it. */
typedef struct {
	bool sign;
	unsigned flags;            /*!< mail_sign_flag_t. */
	uint32_t ttl;              /*!< Original TTL. */
	const knot_dname_t *owner; /*!< In the zone. */
} mail_sign_note_t;

/*! A question being answered. */
typedef struct {
	knot_pkt_t *pkt;
	bool udp;
	mail_view_t view;
	const knot_dname_t *name; /*!< The name at hand: the QNAME, then targets of aliases. */
	mail_lf_storage_t *lf;    /*!< The same. */
	mail_place_t place;       /*!< Where it leads. */
	unsigned chain;           /*!< Links that were followed. */
	uint16_t kind;            /*!< Of the first record; MAIL_KIND_COUNT: none. */
	uint16_t rcode;
	int ede;
	/*!
	 * All that was looked at is the plan's, and stays so: nothing of the domain's own was there, nothing comes or
	 * goes, and all had room.
	 */
	bool lasting;
	char *reason; /*!< Room for mail_reply_t.reason: why it failed; empty: it did not. */

	/* Of hosted domains only. */
	bool children; /*!< There may be stored domains between the view's and the first name. */
	mail_signer_t *signer; /*!< NULL: no private key is there. */
	bool signs;            /*!< The domain is signed. */
	bool dnssec;           /*!< And its DNSSEC records are asked for. */
	mail_sign_note_t
		*notes; /*!< Of the packet's RRsets, in their order; in the packet's memory. */
	size_t note_max;
	/*! Names that a wildcard stood for: the next closer names (RFC 5155 1.3). */
	const knot_dname_t *closer[MAIL_WORK_CHAIN_MAX + 1];
	unsigned closer_count;
} mail_work_t;

/* work.c */

/*! Begin with a packet and a name; the view is the caller's affair. \param lf Room for names in lookup format. */
void mail_work_begin(mail_work_t *work, knot_pkt_t *pkt, bool udp, mail_lf_storage_t *lf,
                     char *reason);
/*! Make a name the name at hand. */
void mail_work_name(mail_work_t *work, const knot_dname_t *name);
/*! Write why there is no answer for a name, as of mail_reply_t.reason. */
void mail_work_reason(char *reason, const knot_dname_t *name, int code, const char *what);
/*! Note why there is no answer. \return STEP_FAILED. */
mail_answer_step_t mail_work_fail(mail_work_t *work, int code, const char *what);
/*! Return what a put led to: done, truncated or failed. */
mail_answer_step_t mail_work_step(mail_work_t *work, int ret, mail_answer_step_t done);
/*! Return the flag for a put: KNOT_PF_NOTRUNC over TCP. */
uint16_t mail_work_flags(const mail_work_t *work);
/*! Return the RRset that the packet has already, or NULL. */
const knot_rrset_t *mail_work_seen(const mail_work_t *work, uint16_t type,
                                   const knot_dname_t *owner);
/*! Return whether a type of question follows an alias, as knotd does. */
bool mail_work_follows(uint16_t qtype);
/*! Return our node's type that answers the question: the lowest one for ANY (RFC 8482 4.1). */
uint16_t mail_work_type(const mail_work_t *work);
/*! Return what our node, or our wildcard, says to the question: STEP_CNAME, STEP_TYPE or STEP_NODATA. */
mail_answer_step_t mail_work_own(const mail_work_t *work);
/*!
 * \brief Make an RRset of our node.
 *
 * \param owner  Its owner; must stay.
 * \param until  Out, may be NULL: as mail_view_rrset().
 */
int mail_work_make(mail_work_t *work, uint16_t type, const knot_dname_t *owner, knot_rrset_t *rrset,
                   int64_t *until);
/*! Put an RRset of our node. \return As a put; KNOT_ENOENT: the node has no such type. */
int mail_work_node(mail_work_t *work, uint16_t type, const knot_dname_t *owner, uint16_t flags);
/*! Find out where a name leads, for the answer. \return As mail_view_place(). */
int mail_work_place(mail_work_t *work, mail_lf_t name, bool children, mail_place_t *place);
/*! Put an RRset, and note what is needed to sign it with its section. */
int mail_work_put(mail_work_t *work, uint16_t hint, const knot_rrset_t *rrset, uint16_t flags,
                  const mail_sign_note_t *note);
/*! Return whether the chain may go on at the name at hand, and count the link: it is short, and has not been here. */
bool mail_work_chain(mail_work_t *work);
/*! Put our alias at the name at hand and make its target the name at hand, if the chain may go on. */
mail_answer_step_t mail_work_cname(mail_work_t *work);
/*! Return the owner that an RRset of a place has in the zone; NULL: no memory. */
const knot_dname_t *mail_work_owner(mail_work_t *work, const mail_place_t *place);
/*! Return the part of a name that a place at or above it is for. */
const knot_dname_t *mail_work_above(const knot_dname_t *name, mail_lf_t lf,
                                    const mail_place_t *place);
/*! Return the outcome that a step stands for. */
mail_outcome_t mail_work_outcome(mail_answer_step_t step);

/* hosted.c */

/*! Make the RRset of the name servers of a stored domain below this one. */
int mail_work_child_ns(const mail_work_t *work, const knot_dname_t *owner, const mail_place_t *cut,
                       knot_rrset_t *rrset);
/*! Open the view of the stored domain nearest to a name, which is another one than the question's. */
int mail_work_other(const mail_work_t *work, const knot_dname_t *name, mail_lf_t lf,
                    mail_view_t *other);

/* additional.c */

/*! Fill the additional section: what does not fit is left out, but for glue, which comes first. */
mail_answer_step_t mail_work_additional(mail_work_t *work, mail_answer_step_t step);

/* dnssec.c */

/*! Remember that a wildcard stands for the name at hand. */
void mail_work_wildcard(mail_work_t *work);
/*! Put the signatures of the RRset with the lowest type: QTYPE RRSIG (RFC 8482 4.1). \return As a put. */
int mail_work_rrsig(mail_work_t *work);
/*! Put the NSEC of the name at hand: QTYPE NSEC. */
int mail_work_nsec(mail_work_t *work);
/*! Put the DS of a stored domain below, at a cut. */
int mail_work_child_ds(mail_work_t *work);
/*! Make the RRSIGs of an RRset. \return As mail_view_sign(); KNOT_ENOENT: there are none. */
int mail_work_rrsigs(mail_work_t *work, const knot_rrset_t *rrset, const mail_sign_note_t *note,
                     knot_rrset_t *rrsigs);
/*! Prove what the answer does not hold (RFC 4035 3.1.3), or what a referral leads to (3.1.4). */
int mail_work_prove(mail_work_t *work, mail_answer_step_t step);
/*! Sign the RRsets of the section from the first-th on; optional: those that fit. */
mail_answer_step_t mail_work_sign(mail_work_t *work, uint16_t first, bool optional,
                                  mail_answer_step_t step);
