/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lookup: what the module would answer, printed as kdig prints it. The module's own code answers; knotd need not run.
 */

#include <libknot/libknot.h>
#include <time.h>

#include "tool/lookup.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* Longest text of an RDATA: every octet as \DDD, and some quotes. */
#define DATA_MAX (4 * 65536 + 4096)

static const char *const section_names[] = { "ANSWER", "AUTHORITY", "ADDITIONAL" };
static const char *const json_names[] = { "answer", "authority", "additional" };

/*! \brief The texts of a record. */
typedef struct {
	knot_dname_txt_storage_t owner;
	char type[16];
	char data[DATA_MAX];
} record_t;

/*! \brief Write the parts of a record as master files have them. \return NULL when that cannot be. */
static const record_t *record_text(const knot_rrset_t *rrset, uint16_t index)
{
	static record_t record;
	if (knot_dname_to_str(record.owner, rrset->owner, sizeof(record.owner)) == NULL ||
	    knot_rrtype_to_string(rrset->type, record.type, sizeof(record.type)) < 0) {
		return NULL;
	}
	int len = knot_rrset_txt_dump_data(rrset, index, record.data, DATA_MAX,
	                                   &KNOT_DUMP_STYLE_DEFAULT);
	while (len > 0 && record.data[len - 1] == ' ') {
		record.data[--len] = '\0';
	}
	return len >= 0 ? &record : NULL;
}

/*! \brief Return the answer as it goes over the wire, parsed again; free it with knot_pkt_free(). */
static knot_pkt_t *sent(tool_t *tool, const lookup_t *lookup)
{
	knot_pkt_t *pkt = tool_memory(
		tool, knot_pkt_new(lookup->pkt->wire, (uint16_t)lookup->pkt->size, NULL));
	knot_wire_set_rcode(pkt->wire, (uint8_t)lookup->reply.rcode);
	tool_expect(tool, knot_pkt_parse(pkt, 0));
	return pkt;
}

static const char *name_of(const knot_lookup_t *names, int id)
{
	const knot_lookup_t *found = knot_lookup_by_id(names, id);
	return found != NULL ? found->name : "?";
}

/*! \brief Print a section, as kdig does. */
static void print_section(tool_t *tool, const knot_pkt_t *pkt, unsigned which)
{
	const knot_pktsection_t *section = knot_pkt_section(pkt, (knot_section_t)which);
	if (section->count > 0) {
		(void)printf("\n;; %s SECTION:\n", section_names[which]);
	}
	for (uint16_t i = 0; i < section->count; i++) {
		const knot_rrset_t *rrset = knot_pkt_rr(section, i);
		for (uint16_t j = 0; j < rrset->rrs.count; j++) {
			const record_t *record = record_text(rrset, j);
			if (record == NULL) {
				tool_fail(tool, KNOT_EMALF, "a record cannot be printed");
			}
			(void)printf("%-20s\t%u\tIN\t%s\t%s\n", record->owner, rrset->ttl,
			             record->type, record->data);
		}
	}
}

static json_t *json_section(const knot_pkt_t *pkt, unsigned which)
{
	const knot_pktsection_t *section = knot_pkt_section(pkt, (knot_section_t)which);
	json_t *records = json_array();
	for (uint16_t i = 0; i < section->count; i++) {
		const knot_rrset_t *rrset = knot_pkt_rr(section, i);
		for (uint16_t j = 0; j < rrset->rrs.count; j++) {
			const record_t *record = record_text(rrset, j);
			if (record != NULL) {
				(void)json_array_append_new(
					records,
					json_pack("{s:s, s:I, s:s, s:s}", "owner", record->owner,
				                  "ttl", (json_int_t)rrset->ttl, "type",
				                  record->type, "data", record->data));
			}
		}
	}
	return records;
}

/*! \brief Print a question that no stored domain is there for. */
static void print_foreign(const tool_t *tool, const char *name, const char *type)
{
	if (tool->json) {
		(void)tool_json(json_pack("{s:s, s:s, s:s}", "name", name, "type", type, "status",
		                          "not-ours"));
		return;
	}
	(void)printf(";; %s %s: no stored domain is at or above this name. knotd answers from a "
	             "zone of its own, or with REFUSED.\n",
	             name, type);
}

/*! \brief Print an answer. \param truncated It does not fit over UDP. */
static void print_answer(tool_t *tool, const lookup_t *lookup, bool truncated)
{
	knot_pkt_t *pkt = sent(tool, lookup);
	const char *status = name_of(knot_rcode_names, lookup->reply.rcode);
	const bool aa = knot_wire_get_aa(pkt->wire) != 0;
	(void)printf(";; ->>HEADER<<- opcode: QUERY; status: %s; id: 0\n"
	             ";; Flags: qr%s%s; QUERY: 1; ANSWER: %u; AUTHORITY: %u; ADDITIONAL: %u\n",
	             status, aa ? " aa" : "", truncated ? " tc" : "",
	             knot_wire_get_ancount(pkt->wire), knot_wire_get_nscount(pkt->wire),
	             knot_wire_get_arcount(pkt->wire));
	if (truncated) {
		(void)printf(";; Over UDP (%u octets) it does not fit: TC is set, and whoever asks "
		             "asks again over TCP, where it is:\n",
		             LOOKUP_UDP);
	}
	knot_dname_txt_storage_t name = "?";
	char type[16] = "?";
	(void)knot_dname_to_str(name, lookup->name, sizeof(name));
	(void)knot_rrtype_to_string(lookup->type, type, sizeof(type));
	(void)printf("\n;; QUESTION SECTION:\n;; %-20s\t\tIN\t%s\n", name, type);
	if (lookup->reply.outcome == MAIL_OUTCOME_FAILED) {
		const mail_reply_t *reply = &lookup->reply;
		(void)printf("\n;; EDE: %d (%s)\n;; %s\n", reply->ede,
		             name_of(knot_edns_ede_names, reply->ede), reply->reason);
	}
	for (unsigned i = 0; i < 3; i++) {
		print_section(tool, pkt, i);
	}
	knot_pkt_free(pkt);
}

static void json_answer(tool_t *tool, const lookup_t *lookup, bool truncated)
{
	knot_pkt_t *pkt = sent(tool, lookup);
	const bool failed = lookup->reply.outcome == MAIL_OUTCOME_FAILED;
	knot_dname_txt_storage_t name = "?";
	char type[16] = "?";
	(void)knot_dname_to_str(name, lookup->name, sizeof(name));
	(void)knot_rrtype_to_string(lookup->type, type, sizeof(type));
	json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "name", name, "type", type,
	                           "status", name_of(knot_rcode_names, lookup->reply.rcode), "aa",
	                           knot_wire_get_aa(pkt->wire) != 0, "tc", truncated, "domain",
	                           tool_json_str(lookup->domain));
	for (unsigned i = 0; i < 3; i++) {
		(void)json_object_set_new(object, json_names[i], json_section(pkt, i));
	}
	if (failed) {
		(void)json_object_set_new(object, "ede", json_integer(lookup->reply.ede));
		(void)json_object_set_new(object, "reason",
		                          tool_json_str(MAIL_STR(lookup->reply.reason)));
	}
	(void)tool_json(object);
	knot_pkt_free(pkt);
}

/*! \brief Answer one question and print that. \return STATUS_DONE; STATUS_FAILED: SERVFAIL, or it is not ours. */
static int lookup_one(tool_t *tool, const char *name, const char *type)
{
	knot_dname_storage_t wire;
	lookup_t lookup = { .name = wire,
		            .type = lookup_parse(tool, name, type, wire),
		            .now = option_time(tool, OPT_AT, time(NULL)),
		            .dnssec = option_is(tool, OPT_DNSSEC),
		            .udp = true };
	lookup_answer(tool, &lookup);
	if (!lookup.ours) {
		print_foreign(tool, name, type);
		lookup_free(&lookup);
		return STATUS_FAILED;
	}
	const bool truncated = knot_wire_get_tc(lookup.pkt->wire) != 0;
	if (truncated) {
		lookup_free(&lookup);
		lookup.udp = false;
		lookup_answer(tool, &lookup);
	}
	(tool->json ? json_answer : print_answer)(tool, &lookup, truncated);
	const bool failed = lookup.reply.outcome == MAIL_OUTCOME_FAILED;
	lookup_free(&lookup);
	return failed ? STATUS_FAILED : STATUS_DONE;
}

int verb_lookup(tool_t *tool)
{
	int status = STATUS_DONE;
	if (tool->argc % 2 != 0) {
		tool_usage(tool, "lookup wants pairs of a name and a type: %s what?",
		           tool->argv[tool->argc - 1]);
	}
	tool_open(tool, MAIL_STORE_READ);
	for (int i = 0; i < tool->argc; i += 2) {
		if (i > 0 && !tool->json) {
			(void)putchar('\n');
		}
		status |= lookup_one(tool, tool->argv[i], tool->argv[i + 1]);
	}
	return status;
}
