/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ds: the DS records for the registrar.
 */

#include <search.h>
#include <stdlib.h>
#include <time.h>

#include "mail/encoding.h"
#include "mail/plan.h"
#include "tool/out.h"

/*! \brief A plan that many domains have. */
typedef struct {
	char *policy;
	mail_plan_t *plan; /*!< NULL: it cannot be made. */
} shared_t;

typedef struct {
	int64_t now;
	unsigned digests[2];
	size_t digest_count;
	bool all;
	void *plans; /*!< Tree of shared_t. */
	size_t domains;
} ds_t;

static int shared_compare(const void *a, const void *b)
{
	return strcmp(((const shared_t *)a)->policy, ((const shared_t *)b)->policy);
}

static void shared_free(void *ptr)
{
	shared_t *shared = ptr;
	mail_plan_free(shared->plan);
	free(shared->policy);
	free(shared);
}

static mail_plan_t *plan_make(mail_profile_t *profile)
{
	mail_plan_t *plan = NULL;
	if (profile != NULL && mail_plan_make(profile, false, &plan, NULL) == KNOT_EOK &&
	    plan->error != KNOT_EOK) {
		mail_plan_free(plan);
		plan = NULL;
	}
	mail_profile_free(profile);
	return plan;
}

/*! \brief The plan of a policy, made once. */
static const mail_plan_t *policy_plan(tool_t *tool, ds_t *ds, mail_str_t policy)
{
	shared_t *shared = calloc(1, sizeof(*shared));
	if (shared == NULL || (shared->policy = strndup(policy.data, policy.len)) == NULL) {
		free(shared);
		return NULL;
	}
	shared_t **node = tsearch(shared, &ds->plans, shared_compare);
	if (node == NULL || *node != shared) {
		shared_free(shared);
		return node != NULL ? (*node)->plan : NULL;
	}
	mail_profile_t *profile = NULL;
	int ret = mail_profile_of_policy(tool_source(tool), policy, &profile, NULL);
	if (ret != KNOT_EOK) {
		mail_profile_free(profile);
		profile = NULL;
	}
	shared->plan = plan_make(profile);
	return shared->plan;
}

static void digest_print(const uint8_t *rdata, int len, char out[128])
{
	for (int i = 4; i < len; i++) {
		(void)snprintf(out + 2 * (i - 4), 3, "%02X", rdata[i]);
	}
}

/*! \brief One object for each key: its digests, and the key for registries that make them themselves. */
static void ds_json(const ds_t *ds, mail_str_t domain, const mail_dnskey_t *key,
                    const knot_dname_t *name)
{
	json_t *object = json_object(), *digests = json_array();
	mail_buf_t public = { 0 };
	json_object_set_new(object, "domain", tool_json_str(domain));
	json_object_set_new(object, "tag", json_integer(key->tag));
	json_object_set_new(object, "algorithm", json_integer(key->algorithm));
	json_object_set_new(object, "algorithm-name",
	                    json_string(mail_algorithm_name(key->algorithm)));
	for (size_t i = 0; i < ds->digest_count; i++) {
		uint8_t rdata[MAIL_DS_RDATA_MAX];
		char hex[128];
		digest_print(rdata, mail_dnskey_ds(key, name, ds->digests[i], rdata), hex);
		json_t *digest = json_object();
		json_object_set_new(digest, "type", json_integer(ds->digests[i]));
		json_object_set_new(digest, "digest", json_string(hex));
		json_array_append_new(digests, digest);
	}
	json_object_set_new(object, "digests", digests);
	(void)mail_buf_base64(&public, key->public_key, key->public_len);
	json_object_set_new(object, "flags", json_integer(257));
	json_object_set_new(object, "public-key", tool_json_str(mail_buf_view(&public)));
	mail_buf_free(&public);
	(void)tool_json(object);
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

/*! \brief Says why a domain has no DS to be given now. */
static int ds_none(tool_t *tool, const ds_t *ds, mail_str_t domain, const mail_plan_t *plan)
{
	int64_t from = INT64_MAX;
	for (size_t i = 0; i < plan->key_count; i++) {
		const mail_dnskey_t *key = &plan->keys[i];
		if (key->role != MAIL_ROLE_ZSK && key->ds_until > ds->now &&
		    key->remove > ds->now) {
			from = key->ds < from ? key->ds : from;
		}
	}
	if (plan->key_count == 0) {
		return tool_error(tool, KNOT_ENOENT,
		                  "domain %.*s: it has no keys: it is not signed", (int)domain.len,
		                  domain.data);
	}
	if (plan->leave <= ds->now) {
		return tool_error(tool, KNOT_ENOENT,
		                  "domain %.*s: it leaves DNSSEC: the parents should have no DS",
		                  (int)domain.len, domain.data);
	}
	return tool_error(tool, KNOT_ENOENT, "domain %.*s: no DS before %s", (int)domain.len,
	                  domain.data, from < INT64_MAX ? tool_time(from) : "its keys have one");
}

static int ds_domain(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	ds_t *ds = ctx;
	const mail_str_t policy = mail_entry_value(entry, MAIL_ITEM_POLICY);
	const mail_plan_t *plan = NULL;
	mail_plan_t *own = NULL;
	int status = STATUS_DONE;
	if (entry->count == 1 && policy.len > 0) {
		plan = policy_plan(tool, ds, policy);
	} else {
		mail_profile_t *profile = NULL;
		if (mail_profile_of_domain(tool_source(tool), entry->id, &profile, NULL) !=
		    KNOT_EOK) {
			mail_profile_free(profile);
			profile = NULL;
		}
		plan = own = plan_make(profile);
	}
	uint8_t rdata[MAIL_DS_RDATA_MAX];
	size_t pos = 0;
	if (plan == NULL) {
		status = tool_error(tool, KNOT_EINVAL,
		                    "domain %.*s: it cannot be served (check says "
		                    "why)",
		                    (int)entry->id.len, entry->id.data);
	} else if (mail_plan_ds(plan, (const uint8_t *)"", MAIL_DS_SHA256, ds->now, &pos, rdata) >
	           0) {
		ds_print(tool, ds, entry->id, plan);
	} else if (!ds->all) {
		status = ds_none(tool, ds, entry->id, plan);
	}
	mail_plan_free(own);
	mail_entry_free(entry);
	return ds->all ? STATUS_DONE : status;
}

static int read_digests(tool_t *tool, ds_t *ds)
{
	const char *text = option_value(tool, OPT_DIGEST);
	char words[64];
	(void)snprintf(words, sizeof(words), "%s", text != NULL ? text : "sha256,sha384");
	char *rest = words, *word;
	while ((word = strsep(&rest, ",")) != NULL) {
		const unsigned digest = strcmp(word, "sha256") == 0   ? MAIL_DS_SHA256
		                        : strcmp(word, "sha384") == 0 ? MAIL_DS_SHA384
		                                                      : 0;
		if (digest == 0 || ds->digest_count == 2 ||
		    (ds->digest_count == 1 && ds->digests[0] == digest)) {
			return tool_usage(tool, "--digest: sha256, sha384, or sha256,sha384");
		}
		ds->digests[ds->digest_count++] = digest;
	}
	return STATUS_DONE;
}

int verb_ds(tool_t *tool, int argc, char **argv)
{
	ds_t ds = { .now = time(NULL), .all = option_is(tool, OPT_ALL) };
	int status = ds.all == (argc == 1) ? tool_usage(tool, "ds: a DOMAIN, or --all")
	                                   : STATUS_DONE;
	if (status == STATUS_DONE) {
		status = read_digests(tool, &ds);
	}
	if (status == STATUS_DONE) {
		status = option_time(tool, OPT_AT, ds.now, &ds.now);
	}
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status == STATUS_DONE && ds.all) {
		status = tool_walk(tool, MAIL_SECTION_DOMAIN, MAIL_STR(""), ds_domain, &ds);
	} else if (status == STATUS_DONE) {
		mail_entry_t *entry = NULL;
		status = tool_entry(tool, MAIL_SECTION_DOMAIN, argv[0], &entry);
		if (status == STATUS_DONE) {
			status = ds_domain(tool, entry, &ds);
		}
	}
	tdestroy(ds.plans, shared_free);
	return status;
}
