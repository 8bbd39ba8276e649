/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Answers that are kept with a plan as they go to the wire (rendered.c), and how one is made (render.c).
 */
#pragma once

#include "answer/work.h"
#include "mail/kind.h"

/*! What comes next in the wire. */
typedef enum {
	RENDER_OCTETS, /*!< So many octets as they are. */
	RENDER_NUMBER, /*!< A number of 16 bits, and so many times the length of the domain's labels. */
	RENDER_DOMAIN, /*!< The domain's labels, without so many octets of their end. */
	RENDER_RDATA,  /*!< The next RDATA of the RRset, with its length before it. */
	RENDER_SERIAL, /*!< The serial of the SOA. */
	RENDER_RRSET,  /*!< Nothing: the next RRset begins. */
} mail_render_op_t;

typedef struct {
	uint8_t op; /*!< mail_render_op_t. */
	uint8_t times;
	uint16_t value;
} mail_render_step_t;

/*! An RRset of the answer, for who looks at the packet afterwards. */
typedef struct {
	uint16_t type;
	uint16_t count; /*!< Of its records. */
	uint32_t ttl;
	size_t owner_at;  /*!< Where its owner stands in the QNAME; SIZE_MAX: nowhere. */
	mail_str_t owner; /*!< Then the owner's labels above the domain, wire. */
	const mail_row_t *
		*rows; /*!< Rows with holes, in the order of the RDATA; NULL: rrs is the RDATA. */
	int covered;   /*!< Index of the RRset that these RRSIGs sign, or -1. */
	bool opaque;   /*!< The wire has the RDATA of the rows as it is. */
	size_t room;   /*!< Octets that the RDATA of the rows takes at most. */
	knot_rdataset_t rrs;
} mail_render_rrset_t;

/*! With the type of a question: the answer has DNSSEC records. */
#define MAIL_RENDER_DNSSEC (UINT32_C(1) << 16)

/*! A name that was looked at: what the domain itself has there may change the answer. */
typedef struct {
	mail_lf_t name; /*!< Relative to the domain. */
	uint64_t types; /*!< Types that do, as bits. */
	bool below;     /*!< Whatever stands at the name or below it does. */
} mail_render_look_t;

/*! Names that may have been looked at. */
#define MAIL_RENDER_LOOKS_MAX 12
/*! Greatest wire length of a domain: with such a one there is room for whatever a question looks for. */
#define MAIL_RENDER_DOMAIN_MAX 200
/*! Greatest length of an answer. */
#define MAIL_RENDER_MAX 2048
/*! Labels that no domain may have (mail_rendered_t). */
#define MAIL_RENDER_STRANGERS_MAX 8

typedef struct mail_rendered mail_rendered_t;

/*! An answer with holes for the domain. */
struct mail_rendered {
	/* The question. */
	mail_rendered_t *next; /*!< In its bucket. */
	uint32_t hash;
	uint32_t type; /*!< QTYPE, and MAIL_RENDER_DNSSEC. */
	bool rare; /*!< There is no end of such questions: its plan does not have the name, or not the type. */
	mail_lf_t name; /*!< The QNAME, relative to the domain. */
	size_t head;    /*!< Octets of the same in the wire. */

	/* When, and for which domains, it is right. */
	int64_t from, until; /*!< from <= now < until. */
	bool alone;          /*!< Those that have no stored domain below. */
	bool keyless;        /*!< Those that have no DKIM key of their own. */
	/*! Those below this name: no other name here has more in common with them. */
	mail_lf_t above;
	/*! And there with none of these labels, which other names here have. */
	mail_lf_t strangers[MAIL_RENDER_STRANGERS_MAX];
	size_t stranger_count;
	/*! Of those that change something themselves, those that have nothing there, and show all these kinds. */
	const mail_render_look_t *looks;
	size_t look_count;
	mail_kinds_t kinds;

	/* The answer. */
	mail_outcome_t outcome;
	uint16_t rcode;
	uint16_t kind;
	uint8_t records[3 * sizeof(uint16_t)]; /*!< ANCOUNT, NSCOUNT and ARCOUNT, wire. */
	uint16_t sections[KNOT_PKT_SECTIONS];  /*!< RRsets of each. */
	int soa;        /*!< Index of the RRset whose serial is a hole, or -1. */
	size_t len;     /*!< Octets of it without the domain's and without those of RENDER_RDATA. */
	size_t domains; /*!< How often the domain's labels are in it. */
	size_t room;    /*!< Octets of what the RRsets need. */
	size_t rrset_count;
	const mail_render_rrset_t *rrsets;
	size_t step_count;
	const mail_render_step_t *steps;
	const uint8_t *octets;
	size_t size; /*!< Octets of all this. */
};

/*!
 * \brief Render the answer that a packet has: find in it where the domain is.
 *
 * \param name  The QNAME, relative to the domain.
 * \param step  How far the answer came.
 *
 * \return The answer, one block of memory; NULL: it cannot be rendered, or there is no memory.
 */
mail_rendered_t *mail_render(mail_work_t *work, mail_lf_t name, mail_answer_step_t step);

/*!
 * \brief Answer with what is kept with the plan, if there is an answer that is right.
 *
 * \param name     The QNAME, relative to the domain.
 * \param outcome  Out: the outcome; rcode and kind are in work.
 * \param keep     Out: the answer should be kept once it is made: the question came before.
 *
 * \return Whether the question is answered. If not, the packet is as it was.
 */
bool mail_rendered_answer(mail_work_t *work, mail_lf_t name, mail_outcome_t *outcome, bool *keep);
/*! Keep the answer that the packet has. */
void mail_rendered_keep(mail_work_t *work, mail_lf_t name, mail_answer_step_t step);
