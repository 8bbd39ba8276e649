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

static inline void *asked_alloc(void *ctx, size_t size)
{
	asked_block_t **first = ctx;
	asked_block_t *block = malloc(sizeof(*block) + size);
	if (block == NULL) {
		return NULL;
	}
	block->next = *first;
	*first = block;
	return block->memory;
}

static inline void asked_free(void *memory)
{
	(void)memory;
}

/*! A question, how it is asked, and what comes of it. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;
	size_t size; /*!< Room of the answer. */
	bool tcp;
	mail_hosted_t hosted; /*!< Out: the domain that was found. */
	mail_reply_t reply;   /*!< Out. */
	knot_pkt_t *pkt;      /*!< Out: until asked_end(). */
	knot_pkt_t *query;
	asked_block_t *blocks;
} asked_t;

/*! Makes the packet of a question "NAME TYPE". \return KNOT_EOK; KNOT_ENOMEM when there was no packet. */
static inline int asked_packet(asked_t *asked, const char *question)
{
	char name[KNOT_DNAME_TXT_MAXLEN + 1];
	uint16_t type = 0;
	const char *space = strchr(question, ' ');
	(void)snprintf(name, sizeof(name), "%.*s", (int)(space - question), question);
	CU_ASSERT_FATAL(knot_rrtype_from_string(space + 1, &type) == 0);
	asked->blocks = NULL;
	asked->pkt = NULL;
	asked->query = knot_pkt_new(NULL, 512, NULL);
	knot_dname_t *qname = knot_dname_from_str_alloc(name);
	CU_ASSERT_FATAL(asked->query != NULL && qname != NULL);
	int ret = knot_pkt_put_question(asked->query, qname, KNOT_CLASS_IN, type);
	free(qname);
	CU_ASSERT_EQUAL_FATAL(ret, KNOT_EOK);
	knot_mm_t mm = { .ctx = &asked->blocks, .alloc = asked_alloc, .free = asked_free };
	asked->pkt = knot_pkt_new(NULL, (uint16_t)asked->size, &mm);
	if (asked->pkt == NULL || knot_pkt_init_response(asked->pkt, asked->query) != KNOT_EOK) {
		return KNOT_ENOMEM;
	}
	return KNOT_EOK;
}

/*! Asks for "NAME TYPE". \return KNOT_EOK; KNOT_ENOMEM when there was no packet. */
static inline int asked_begin(asked_t *asked, const char *question)
{
	int ret = asked_packet(asked, question);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const mail_question_t q = { .source = asked->source,
		                    .cache = asked->cache,
		                    .now = asked->now,
		                    .udp = !asked->tcp };
	asked->reply = (mail_reply_t){ .outcome = MAIL_OUTCOME_NONE, .kind = MAIL_KIND_COUNT };
	if (mail_answer_find(asked->source, asked->pkt, &asked->hosted) == KNOT_EOK) {
		mail_answer(&q, &asked->hosted, asked->pkt, &asked->reply);
	}
	return KNOT_EOK;
}

static inline void asked_end(asked_t *asked)
{
	/* All of the packet lies in the blocks. */
	knot_pkt_free(asked->query);
	while (asked->blocks != NULL) {
		asked_block_t *next = asked->blocks->next;
		free(asked->blocks);
		asked->blocks = next;
	}
	asked->pkt = asked->query = NULL;
}

/*! Appends one RRset, a line for each record: "> OWNER TTL TYPE RDATA"; of an SOA only the serial. */
static inline void show_rrset(const knot_rrset_t *rrset, const char *mark, mail_buf_t *out)
{
	for (uint16_t i = 0; i < rrset->rrs.count; i++) {
		(void)mail_buf_str(out, mark);
		show_name(rrset->owner, out);
		(void)mail_buf_printf(out, " %u ", (unsigned)rrset->ttl);
		show_type(rrset->type, out);
		(void)mail_buf_str(out, " ");
		if (rrset->type == KNOT_RRTYPE_SOA) {
			(void)mail_buf_printf(out, "%u",
			                      (unsigned)knot_soa_serial(rrset->rrs.rdata));
		} else {
			show_rdata(rrset, i, out);
		}
		(void)mail_buf_str(out, "\n");
	}
}

/*!
 * Appends an answer: "RCODE [aa] [tc]", then the records: ">" of the answer section, "^" of the authority
 * section, "+" of the additional section. "not ours" when nothing was answered.
 */
static inline void show_answer(const asked_t *asked, mail_buf_t *out)
{
	static const char *const marks[] = { "> ", "^ ", "+ " };
	if (asked->reply.outcome == MAIL_OUTCOME_NONE) {
		(void)mail_buf_str(out, "not ours\n");
		return;
	}
	const knot_lookup_t *rcode = knot_lookup_by_id(knot_rcode_names, asked->reply.rcode);
	(void)mail_buf_printf(out, "%s%s%s\n", rcode != NULL ? rcode->name : "?",
	                      knot_wire_get_aa(asked->pkt->wire) ? " aa" : "",
	                      knot_wire_get_tc(asked->pkt->wire) ? " tc" : "");
	if (asked->reply.outcome == MAIL_OUTCOME_FAILED) {
		(void)mail_buf_printf(out, "%s\n", asked->reply.reason);
		return;
	}
	/* As it goes over the wire. */
	knot_pkt_t *sent = knot_pkt_new(asked->pkt->wire, (uint16_t)asked->pkt->size, NULL);
	if (sent == NULL || knot_pkt_parse(sent, 0) != KNOT_EOK) {
		(void)mail_buf_str(out, "malformed\n");
	}
	for (unsigned s = KNOT_ANSWER; sent != NULL && s <= KNOT_ADDITIONAL; s++) {
		const knot_pktsection_t *section = knot_pkt_section(sent, s);
		for (uint16_t i = 0; i < section->count; i++) {
			show_rrset(knot_pkt_rr(section, i), marks[s], out);
		}
	}
	knot_pkt_free(sent);
}
