/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "asked.h"

void *asked_alloc(void *ctx, size_t size)
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

void asked_free(void *memory)
{
	(void)memory;
}

int asked_packet(asked_t *asked, const char *question)
{
	char name[KNOT_DNAME_TXT_MAXLEN + 1];
	uint16_t type = 0;
	const char *space = strchr(question, ' ');
	(void)snprintf(name, sizeof(name), "%.*s", (int)(space - question), question);
	REQUIRE(knot_rrtype_from_string(space + 1, &type) == 0);
	asked->blocks = NULL;
	asked->pkt = NULL;
	asked->query = knot_pkt_new(NULL, 512, NULL);
	knot_dname_t *qname = knot_dname_from_str_alloc(name);
	REQUIRE(asked->query != NULL && qname != NULL);
	int ret = knot_pkt_put_question(asked->query, qname, KNOT_CLASS_IN, type);
	free(qname);
	REQUIRE(ret == KNOT_EOK);
	knot_mm_t mm = { .ctx = &asked->blocks, .alloc = asked_alloc, .free = asked_free };
	asked->pkt = knot_pkt_new(NULL, (uint16_t)asked->size, &mm);
	if (asked->pkt == NULL || knot_pkt_init_response(asked->pkt, asked->query) != KNOT_EOK) {
		return KNOT_ENOMEM;
	}
	return KNOT_EOK;
}

int asked_begin(asked_t *asked, const char *question)
{
	int ret = asked_packet(asked, question);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const mail_question_t q = { .source = asked->source,
		                    .cache = asked->cache,
		                    .now = asked->now,
		                    .udp = !asked->tcp,
		                    .dnssec = asked->dnssec,
		                    .signer = asked->signer };
	asked->reply = (mail_reply_t){ .outcome = MAIL_OUTCOME_NONE, .kind = MAIL_KIND_COUNT };
	if (mail_answer_find(asked->source, asked->pkt, &asked->hosted) == KNOT_EOK) {
		mail_answer(&q, &asked->hosted, asked->pkt, &asked->reply);
	}
	return KNOT_EOK;
}

void asked_end(asked_t *asked)
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

void show_rrset(const knot_rrset_t *rrset, const char *mark, mail_buf_t *out)
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

void show_answer(const asked_t *asked, mail_buf_t *out)
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

void served_put(served_t *s, const char *text)
{
	REQUIRE(text == NULL || array_put(&s->array, text));
	mail_cache_sync(s->asked.cache, 1, s->array.txnid);
}

void served_begin(served_t *s, const char *stored)
{
	array_begin(&s->array);
	s->asked = (asked_t){ .source = &s->array.source,
		              .cache = mail_cache_new(MAIL_CACHE_OCTETS),
		              .now = NOW,
		              .size = 4096 };
	REQUIRE(s->asked.cache != NULL);
	served_put(s, stored);
}

void served_end(served_t *s)
{
	mail_cache_free(s->asked.cache);
	array_free(&s->array);
}

mail_outcome_t served_answer(served_t *s, const char *question, const char *expected)
{
	mail_buf_t got = { 0 };
	CHECK_OK(asked_begin(&s->asked, question));
	const mail_outcome_t outcome = s->asked.reply.outcome;
	show_answer(&s->asked, &got);
	shown_is(&got, expected, question);
	asked_end(&s->asked);
	return outcome;
}
