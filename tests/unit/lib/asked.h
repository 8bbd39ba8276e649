/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Questions to a source of entries, and their answers as text, for tests.
 */
#pragma once

#include "mail/answer.h"
#include "mail/kind.h"
#include "source.h"

/*! Memory of a packet: freed with it, as knotd's. */
typedef struct asked_block asked_block_t;

struct asked_block {
	asked_block_t *next;
	max_align_t memory[];
};

/*! A question, how it is asked, and what comes of it. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;
	size_t size; /*!< Room of the answer. */
	bool tcp;
	bool dnssec;
	mail_signer_t *signer;
	mail_hosted_t hosted; /*!< Out: the domain that was found. */
	mail_reply_t reply;   /*!< Out. */
	knot_pkt_t *pkt;      /*!< Out: until asked_end(). */
	knot_pkt_t *query;
	asked_block_t *blocks;
} asked_t;

/*! Memory of a packet, for its knot_mm_t; ctx: the first block. */
void *asked_alloc(void *ctx, size_t size);

void asked_free(void *memory);

/*! Make the packet of a question "NAME TYPE". \return KNOT_EOK; KNOT_ENOMEM when there was no packet. */
int asked_packet(asked_t *asked, const char *question);

/*! Ask for "NAME TYPE". \return KNOT_EOK; KNOT_ENOMEM when there was no packet. */
int asked_begin(asked_t *asked, const char *question);

/*! Free the packets. */
void asked_end(asked_t *asked);

/*! Append one RRset, a line for each record: "> OWNER TTL TYPE RDATA"; of an SOA only the serial. */
void show_rrset(const knot_rrset_t *rrset, const char *mark, mail_buf_t *out);

/*!
 * Append an answer: "RCODE [aa] [tc]", then the records: ">" of the answer section, "^" of the authority
 * section, "+" of the additional section. "not ours" when nothing was answered.
 */
void show_answer(const asked_t *asked, mail_buf_t *out);

/*! Entries in an array, and questions to them. */
typedef struct {
	array_t array;
	asked_t asked;
} served_t;

/*! Serve entries (entries.h) at NOW, with room for answers of 4096 octets; leave the test when that fails. */
void served_begin(served_t *s, const char *stored);

/*! Put entries, or with NULL: what was changed in the array counts from here on. */
void served_put(served_t *s, const char *text);

void served_end(served_t *s);

/*! Ask, and assert what show_answer() makes of it. \return The outcome. */
mail_outcome_t served_answer(served_t *s, const char *question, const char *expected);
