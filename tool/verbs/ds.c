/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ds: the DS records for the registrar.
 */

#include <search.h>
#include <stdlib.h>
#include <time.h>

#include "mail/encoding.h"
#include "mail/plan.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/*! \brief A plan that many domains have. */
typedef struct {
	mail_plan_t *plan; /*!< NULL: it cannot be made. */
	char policy[];
} shared_t;

typedef struct {
	int64_t now;
	unsigned digests[2];
	size_t digest_count;
	void *plans; /*!< Tree of shared_t. */
} ds_t;

static int shared_compare(const void *a, const void *b)
{
	return strcmp(((const shared_t *)a)->policy, ((const shared_t *)b)->policy);
}

static void shared_free(void *ptr)
{
	shared_t *shared = ptr;
	mail_plan_free(shared->plan);
	free(shared);
}

/*! \brief Return the plan of a policy or domain; NULL when there is none that can be served. */
static mail_plan_t *plan_of(tool_t *tool, mail_section_t section, mail_str_t id)
{
	const mail_source_t *source = tool_source(tool);
	mail_profile_t *profile = NULL;
	mail_plan_t *plan = NULL;
	int ret = section == MAIL_SECTION_POLICY
	                  ? mail_profile_of_policy(source, id, &profile, NULL)
	                  : mail_profile_of_domain(source, id, &profile, NULL);
	if (ret == KNOT_EOK && mail_plan_make(profile, false, &plan, NULL) == KNOT_EOK &&
	    plan->error != KNOT_EOK) {
		mail_plan_free(plan);
		plan = NULL;
	}
	mail_profile_free(profile);
	return plan;
}

/*! \brief Return the plan of a policy, made once. */
static const mail_plan_t *policy_plan(tool_t *tool, ds_t *ds, mail_str_t policy)
{
	shared_t *shared = tool_memory(tool, calloc(1, sizeof(*shared) + policy.len + 1));
	memcpy(shared->policy, policy.data, policy.len);
	shared_t **node = tool_memory(tool, tsearch(shared, &ds->plans, shared_compare));
	if (*node == shared) {
		shared->plan = plan_of(tool, MAIL_SECTION_POLICY, policy);
	} else {
		free(shared);
	}
	return (*node)->plan;
}

static void digest_print(const uint8_t *rdata, int len, char out[128])
{
	for (int i = 4; i < len; i++) {
		(void)snprintf(out + 2 * (i - 4), 3, "%02X", rdata[i]);
	}
}

/*! \brief Print an object for a key: its digests, and the key for registries that make them themselves. */
static void ds_json(const ds_t *ds, mail_str_t domain, const mail_dnskey_t *key,
                    const knot_dname_t *name)
{
	json_t *digests = json_array();
	mail_buf_t public = { 0 };
	for (size_t i = 0; i < ds->digest_count; i++) {
		uint8_t rdata[MAIL_DS_RDATA_MAX];
		char hex[128];
		digest_print(rdata, mail_dnskey_ds(key, name, ds->digests[i], rdata), hex);
		(void)json_array_append_new(digests, json_pack("{s:i, s:s}", "type",
		                                               (int)ds->digests[i], "digest", hex));
	}
	(void)mail_buf_base64(&public, key->public_key, key->public_len);
	(void)tool_json(json_pack("{s:o, s:i, s:i, s:s, s:o, s:i, s:o}", "domain",
	                          tool_json_str(domain), "tag", key->tag, "algorithm",
	                          (int)key->algorithm, "algorithm-name",
	                          mail_algorithm_name(key->algorithm), "digests", digests, "flags",
	                          257, "public-key", tool_json_str(mail_buf_view(&public))));
	mail_buf_free(&public);
}

static void ds_print(tool_t *tool, const ds_t *ds, mail_str_t domain, const mail_plan_t *plan)
{
	knot_dname_storage_t name;
	uint8_t rdata[MAIL_DS_RDATA_MAX];
	if (mail_name_parse(domain, name, NULL) != KNOT_EOK) {
		return;
	}
	for (size_t i = 0; i < (tool->json ? 1 : ds->digest_count); i++) {
		size_t pos = 0;
		int len;
		while ((len = mail_plan_ds(plan, name, ds->digests[i], ds->now, &pos, rdata)) > 0) {
			const mail_dnskey_t *key = &plan->keys[pos - 1];
			char hex[128];
			if (tool->json) {
				ds_json(ds, domain, key, name);
				continue;
			}
			digest_print(rdata, len, hex);
			(void)printf("%.*s. IN DS %u %u %u %s\n", (int)domain.len, domain.data,
			             key->tag, (unsigned)key->algorithm, ds->digests[i], hex);
		}
	}
}

/*! \brief Say why a domain has no DS to be given now. */
static int ds_none(tool_t *tool, const ds_t *ds, mail_str_t domain, const mail_plan_t *plan,
                   int64_t wait)
{
	int64_t from = INT64_MAX;
	for (size_t i = 0; i < plan->key_count; i++) {
		const mail_dnskey_t *key = &plan->keys[i];
		if (key->role != MAIL_ROLE_ZSK && key->ds_until > ds->now &&
		    key->remove > ds->now && key->ds < from) {
			from = key->ds;
		}
	}
	char why[64];
	if (plan->key_count == 0) {
		(void)snprintf(why, sizeof(why), "it has no keys: it is not signed");
	} else if (plan->leave <= ds->now) {
		(void)snprintf(why, sizeof(why), "it leaves DNSSEC: the parents should have no DS");
	} else {
		from = from < wait ? wait : from;
		(void)snprintf(why, sizeof(why), "no DS before %s",
		               from < INT64_MAX ? tool_time(from) : "its keys have one");
	}
	return tool_error(tool, KNOT_ENOENT, "domain %.*s: %s", (int)domain.len, domain.data, why);
}

/*! \brief Return whether a domain has all from its policy. */
static bool is_plain(const mail_entry_t *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (entry->members[i].item->id != MAIL_ITEM_POLICY &&
		    (entry->members[i].item->flags & MAIL_FLAG_KEPT) == 0) {
			return false;
		}
	}
	return true;
}

/*! \brief Print the DS of a domain. \param must There has to be one. */
static int ds_domain(tool_t *tool, ds_t *ds, const mail_entry_t *entry, bool must)
{
	const mail_str_t id = entry->id, policy = mail_entry_value(entry, MAIL_ITEM_POLICY);
	mail_plan_t *own = NULL;
	const mail_plan_t *plan;
	uint8_t rdata[MAIL_DS_RDATA_MAX];
	size_t pos = 0;
	int status = STATUS_DONE;
	if (is_plain(entry)) {
		plan = policy_plan(tool, ds, policy);
	} else {
		plan = own = plan_of(tool, MAIL_SECTION_DOMAIN, id);
	}
	if (plan == NULL) {
		status = tool_error(tool, KNOT_EINVAL,
		                    "domain %.*s: it cannot be served (check says why)",
		                    (int)id.len, id.data);
		mail_plan_free(own);
		return must ? status : STATUS_DONE;
	}
	const int64_t from = mail_plan_ds_from(plan, tool_get_time(entry, MAIL_ITEM_DS_FROM, 0));
	if (ds->now >= from &&
	    mail_plan_ds(plan, (const uint8_t *)"", MAIL_DS_SHA256, ds->now, &pos, rdata) > 0) {
		ds_print(tool, ds, id, plan);
	} else if (must) {
		status = ds_none(tool, ds, id, plan, from);
	}
	mail_plan_free(own);
	return must ? status : STATUS_DONE;
}

static void read_digests(tool_t *tool, ds_t *ds)
{
	const char *text = option_value(tool, OPT_DIGEST);
	char words[64];
	(void)snprintf(words, sizeof(words), "%s", text != NULL ? text : "sha256,sha384");
	char *rest = words, *word;
	while ((word = strsep(&rest, ",")) != NULL) {
		const bool sha256 = strcasecmp(word, "sha256") == 0;
		const uint8_t digest = sha256 ? MAIL_DS_SHA256 : MAIL_DS_SHA384;
		if (!sha256 && strcasecmp(word, "sha384") != 0) {
			tool_usage(tool,
			           "--digest does not take %s; it takes one of: sha256, sha384",
			           word);
		}
		for (size_t i = 0; i < ds->digest_count; i++) {
			if (ds->digests[i] == digest) {
				tool_usage(tool, "--digest: %s is given twice", word);
			}
		}
		ds->digests[ds->digest_count++] = digest;
	}
}

int verb_ds(tool_t *tool)
{
	ds_t ds = { 0 };
	tool_walk_t walk = { .section = MAIL_SECTION_DOMAIN };
	if (option_is(tool, OPT_ALL) == (tool->argc == 1)) {
		tool_usage(tool, "ds: a DOMAIN, or --all");
	}
	read_digests(tool, &ds);
	ds.now = option_time(tool, OPT_AT, time(NULL));
	tool_open(tool, MAIL_STORE_READ);
	if (tool->argc == 1) {
		walk.status = ds_domain(tool, &ds, tool_entry(tool, walk.section, tool->argv[0]),
		                        true);
	} else {
		while (tool_next(tool, &walk) != NULL) {
			(void)ds_domain(tool, &ds, walk.entry, false);
		}
	}
	tdestroy(ds.plans, shared_free);
	return walk.status;
}
