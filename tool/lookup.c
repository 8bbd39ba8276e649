/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/lookup.h"

#include <errno.h>
#include <libknot/libknot.h>

#include "mail/profile.h"
#include "tool/key_file.h"
#include "tool/open.h"
#include "tool/out.h"

uint16_t lookup_parse(tool_t *tool, const char *name, const char *type, uint8_t *wire)
{
	uint16_t number;
	if (mail_name_parse(MAIL_STR(name), wire, tool_diag(tool)) != KNOT_EOK) {
		tool_usage(tool, "%s: %s", name, tool_reason(tool, KNOT_EINVAL));
	}
	if (knot_rrtype_from_string(type, &number) != 0) {
		tool_usage(tool, "%s is not a record type: write A, MX, TXT, TYPE65280", type);
	}
	knot_dname_to_lower(wire);
	return number;
}

void lookup_packet(tool_t *tool, lookup_t *lookup)
{
	knot_mm_t memory = mail_pool_mm(&lookup->pool);
	lookup->query = tool_memory(tool, knot_pkt_new(NULL, 512, NULL));
	tool_expect(tool, knot_pkt_put_question(lookup->query, lookup->name, KNOT_CLASS_IN,
	                                        lookup->type));
	lookup->pkt = tool_memory(
		tool, knot_pkt_new(NULL, lookup->udp ? LOOKUP_UDP : LOOKUP_TCP, &memory));
	tool_expect(tool, knot_pkt_init_response(lookup->pkt, lookup->query));
	/* knotd's OPT needs its room at the end. */
	tool_expect(tool, knot_pkt_reserve(lookup->pkt, KNOT_EDNS_MIN_SIZE));
}

/*! \brief Return the key set of a stored domain, or NULL when it has none. */
static const mail_entry_t *key_set_of(tool_t *tool, mail_str_t domain)
{
	mail_profile_t *profile = NULL;
	const mail_entry_t *set = NULL;
	if (mail_profile_of_domain(tool_source(tool), domain, &profile, NULL) != KNOT_EOK) {
		return NULL;
	}
	char id[256];
	const mail_str_t name = mail_profile_value(profile, MAIL_ITEM_KEY_SET);
	(void)snprintf(id, sizeof(id), "%.*s", (int)name.len, name.len > 0 ? name.data : "");
	mail_profile_free(profile);
	if (id[0] != '\0' && strcmp(id, "none") != 0) {
		set = tool_find_entry(tool, MAIL_SECTION_KEYSET, id);
	}
	return set;
}

/*! \brief Put the private keys of a domain into a ring: without those that are there, the answer would be SERVFAIL. */
static void load_keys(tool_t *tool, mail_str_t domain, mail_keyring_t *ring)
{
	const mail_entry_t *set = key_set_of(tool, domain);
	char path[KEY_FILE_MAX];
	if (set != NULL && key_file_load(tool, set, ring, path) == EACCES) {
		tool_fail(tool, KNOT_EACCES,
		          "%s: you may not read this private key, so what it signs is not known: "
		          "try it as root, or as a member of the group of the file",
		          path);
	}
}

void lookup_answer(tool_t *tool, lookup_t *lookup)
{
	mail_hosted_t hosted;
	mail_buf_t id = { 0 };
	lookup_packet(tool, lookup);
	lookup->reply = (mail_reply_t){ .outcome = MAIL_OUTCOME_NONE, .rcode = KNOT_RCODE_REFUSED };
	lookup->ours = mail_answer_find(tool_source(tool), lookup->pkt, &hosted) == KNOT_EOK;
	if (!lookup->ours) {
		return;
	}
	mail_keyring_t *ring = tool_memory(tool, mail_keyring_new());
	if (mail_entry_id_from_key(MAIL_SECTION_DOMAIN, hosted.apex, &id) == KNOT_EOK) {
		(void)mail_buf_u8(&id, '\0');
		lookup->domain = tool_id(tool, MAIL_SECTION_DOMAIN, (const char *)id.data);
		if (!lookup->plain) {
			load_keys(tool, lookup->domain, ring);
		}
	}
	mail_buf_free(&id);
	mail_signer_t *signer = tool_memory(tool, mail_signer_new(ring, NULL, 0));
	mail_cache_t *cache = tool_memory(tool, mail_cache_new(MAIL_CACHE_OCTETS));
	mail_signer_sync(signer, lookup->now);
	const mail_question_t question = { .source = tool_source(tool),
		                           .cache = cache,
		                           .now = lookup->now,
		                           .udp = lookup->udp,
		                           .dnssec = lookup->dnssec,
		                           .signer = signer,
		                           .plain = lookup->plain };
	mail_answer(&question, &hosted, lookup->pkt, &lookup->reply);
	mail_signer_free(signer);
	mail_keyring_free(ring);
	/* The packet points into plans: the cache has to stay as long. */
	lookup->cache = cache;
}

void lookup_free(lookup_t *lookup)
{
	knot_pkt_free(lookup->query);
	mail_cache_free(lookup->cache);
	mail_pool_free(&lookup->pool);
	lookup->query = lookup->pkt = NULL;
	lookup->cache = NULL;
}
