/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check: what is damaged, refers to nothing, or is risky. Reads everything that is stored, which what
 * other writers replicated into the store is part of.
 */

#include <stdlib.h>

#include "tool/verbs/check.h"
#include "mail/dkim_id.h"
#include "mail/plan.h"

/*! \brief A policy that was looked at. */
typedef struct {
	char *id;
	size_t apex_max; /*!< Longest domain that fits. */
	bool bad;        /*!< It cannot be served, which was said. */
	bool linted;     /*!< Its records were looked at, as those of some domain. */
} seen_t;

typedef struct {
	tool_t *tool;
	const char *section; /*!< What is being looked at. */
	mail_str_t id;
	size_t errors, warnings, entries;
	seen_t *policies; /*!< In the order of their ids. */
	size_t policy_count;
	progress_t progress;
} check_t;

static void report(check_t *check, bool error, const char *text)
{
	error ? check->errors++ : check->warnings++;
	if (check->tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "level", json_string(error ? "error" : "warning"));
		json_object_set_new(object, "section", json_string(check->section));
		json_object_set_new(object, "id", tool_json_str(check->id));
		json_object_set_new(object, "message", tool_json_str(MAIL_STR(text)));
		(void)tool_json(object);
		return;
	}
	(void)printf("%s: %s %.*s: %s\n", error ? "error" : "warning", check->section,
	             (int)check->id.len, check->id.data, text);
}

static void report_error(check_t *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void report_error(check_t *check, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report(check, true, text);
}

static void on_warning(void *ctx, const char *text)
{
	report(ctx, false, text);
}

static mail_diag_t check_diag(check_t *check)
{
	return (mail_diag_t){ .warn = on_warning, .warn_ctx = check };
}

static bool exists(check_t *check, mail_section_t section, mail_str_t id)
{
	mail_lf_storage_t key;
	mail_stamp_t stamp;
	const mail_source_t *source = tool_source(check->tool);
	/* One that is damaged exists: it is reported in its own turn. */
	return mail_entry_key(section, id, &key) == KNOT_EOK &&
	       source->get(source, section, mail_lf(&key), NULL, &stamp) != KNOT_ENOENT;
}

/*! \brief Looks whether what an entry refers to exists. */
static void check_references(check_t *check, const mail_entry_t *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		if (member->item->type != MAIL_TYPE_REF) {
			continue;
		}
		for (size_t j = 0; j < member->count; j++) {
			mail_str_t id = member->values[j].text;
			if (!exists(check, member->item->ref, id)) {
				report_error(check, "%s: there is no %s %.*s", member->item->name,
				             mail_section_name(member->item->ref), (int)id.len,
				             id.data);
			}
		}
	}
}

static void check_alias(check_t *check, mail_str_t target)
{
	mail_entry_t *entry = NULL;
	int ret = mail_txn_get(check->tool->txn, MAIL_SECTION_DOMAIN, target, &entry);
	if (ret == KNOT_ENOENT) {
		report_error(check, "alias: there is no domain %.*s", (int)target.len, target.data);
	} else if (ret == KNOT_EOK && mail_entry_value(entry, MAIL_ITEM_ALIAS).len > 0) {
		report_error(check, "alias: %.*s is an alias itself", (int)target.len, target.data);
	}
	mail_entry_free(entry);
}

static void check_key(check_t *check, const mail_entry_t *entry)
{
	mail_dkim_id_t id;
	if (mail_dkim_id_parse(entry->id, &id, NULL) == KNOT_EOK &&
	    !exists(check, id.section, id.owner)) {
		report_error(check, "there is no %s %.*s", mail_section_name(id.section),
		             (int)id.owner.len, id.owner.data);
	}
}

/*! \brief Makes the plan of a profile, as strictly as a writer. \return NULL when that fails, which is said. */
static mail_plan_t *plan_of(check_t *check, int ret, mail_profile_t *profile, mail_diag_t *diag)
{
	mail_plan_t *plan = NULL;
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, true, &plan, diag);
	}
	if (ret == KNOT_EOK && plan->error != KNOT_EOK) {
		ret = plan->error;
		(void)snprintf(diag->text, sizeof(diag->text), "%s", plan->reason);
	}
	if (ret != KNOT_EOK) {
		report_error(check, "%s", diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
		mail_plan_free(plan);
		return NULL;
	}
	return plan;
}

static int see_policy(check_t *check, const mail_entry_t *entry)
{
	/* Grown whenever the count reaches a power of two. */
	size_t count = check->policy_count;
	if ((count & (count - 1)) == 0) {
		seen_t *grown = realloc(check->policies,
		                        (count == 0 ? 1 : 2 * count) * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		check->policies = grown;
	}
	seen_t *seen = &check->policies[count];
	*seen = (seen_t){ .id = strndup(entry->id.data, entry->id.len) };
	if (seen->id == NULL) {
		return KNOT_ENOMEM;
	}
	check->policy_count++;

	mail_diag_t diag = check_diag(check);
	mail_profile_t *profile = NULL;
	int ret = mail_profile_of_policy(tool_source(check->tool), entry->id, &profile, &diag);
	mail_plan_t *plan = plan_of(check, ret, profile, &diag);
	seen->bad = plan == NULL;
	seen->apex_max = plan != NULL ? plan->apex_max : 0;
	mail_plan_free(plan);
	mail_profile_free(profile);
	return KNOT_EOK;
}

static int compare_seen(const void *key, const void *row)
{
	const mail_str_t *id = key;
	const seen_t *seen = row;
	size_t len = strlen(seen->id);
	int order = memcmp(id->data, seen->id, id->len < len ? id->len : len);
	return order != 0 ? order : (id->len > len) - (id->len < len);
}

/*! \brief A domain that only follows a policy: the policy says all, but whether the name is short enough. */
static void check_plain(check_t *check, const mail_entry_t *entry, mail_str_t policy)
{
	seen_t *seen = check->policy_count == 0
	                       ? NULL
	                       : bsearch(&policy, check->policies, check->policy_count,
	                                 sizeof(*seen), compare_seen);
	knot_dname_storage_t name;
	if (seen == NULL || seen->bad) {
		return;
	}
	if (mail_name_parse(entry->id, name, NULL) != KNOT_EOK ||
	    knot_dname_size(name) > seen->apex_max) {
		report_error(check, "its name is so long that a record of policy %s has no room",
		             seen->id);
		return;
	}
	if (!seen->linted) {
		seen->linted = true;
		if (lint_domain(check->tool, entry->id, on_warning, check) != STATUS_DONE) {
			check->errors++;
		}
	}
}

static void check_domain(check_t *check, const mail_entry_t *entry)
{
	mail_str_t alias = mail_entry_value(entry, MAIL_ITEM_ALIAS);
	mail_str_t policy = mail_entry_value(entry, MAIL_ITEM_POLICY);
	if (alias.len > 0) {
		check_alias(check, alias);
		return;
	}
	if (entry->count == 1 && policy.len > 0) {
		check_plain(check, entry, policy);
		return;
	}
	mail_diag_t diag = check_diag(check);
	mail_profile_t *profile = NULL;
	int ret = mail_profile_of_domain(tool_source(check->tool), entry->id, &profile, &diag);
	mail_plan_t *plan = plan_of(check, ret, profile, &diag);
	mail_plan_free(plan);
	mail_profile_free(profile);
}

static int check_entry(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	check_t *check = ctx;
	int ret = KNOT_EOK;
	check->section = mail_section_name(entry->section);
	check->id = entry->id;
	check->entries++;
	mail_diag_t diag = check_diag(check);
	if (mail_entry_check(entry, &diag) != KNOT_EOK) {
		report_error(check, "%s", diag.text);
	}
	check_references(check, entry);
	if (entry->section == MAIL_SECTION_DKIM) {
		check_key(check, entry);
	} else if (entry->section == MAIL_SECTION_DOMAIN) {
		check_domain(check, entry);
	} else if (entry->section == MAIL_SECTION_POLICY) {
		ret = see_policy(check, entry);
	} else if (entry->section == MAIL_SECTION_KEYSET) {
		lint_keys(tool, entry, on_warning, check);
	}
	mail_entry_free(entry);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s", knot_strerror(ret));
	}
	if (!progress_tick(&check->progress, check->entries)) {
		progress_end(&check->progress);
		return tool_error(tool, KNOT_ERROR, "interrupted");
	}
	return STATUS_DONE;
}

static int check_all(tool_t *tool, check_t *check)
{
	mail_store_stat_t stat = { 0 };
	uint64_t total = 0;
	(void)mail_txn_stat(tool->txn, &stat);
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		total += stat.entries[i];
	}
	progress_begin(&check->progress, "entries", total);
	int status = STATUS_DONE;
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		if (tool_walk(tool, (mail_section_t)i, MAIL_STR(""), check_entry, check) !=
		    STATUS_DONE) {
			status = STATUS_FAILED;
		}
	}
	progress_end(&check->progress);
	if (!tool->json) {
		(void)printf("%zu entries, %zu errors, %zu warnings\n", check->entries,
		             check->errors, check->warnings);
	}
	return status;
}

static int check_one(tool_t *tool, check_t *check, const char *text)
{
	mail_entry_t *entry = NULL;
	int status = tool_entry(tool, MAIL_SECTION_DOMAIN, text, &entry);
	if (status != STATUS_DONE) {
		return status;
	}
	check->section = mail_section_name(MAIL_SECTION_DOMAIN);
	check->id = entry->id;
	check_references(check, entry);
	mail_diag_t diag = check_diag(check);
	mail_profile_t *profile = NULL;
	int ret = mail_profile_of_domain(tool_source(tool), entry->id, &profile, &diag);
	mail_plan_t *plan = plan_of(check, ret, profile, &diag);
	if (plan != NULL) {
		status = lint_domain(tool, entry->id, on_warning, check);
	}
	mail_plan_free(plan);
	mail_profile_free(profile);
	mail_entry_free(entry);
	return status;
}

int verb_check(tool_t *tool, int argc, char **argv)
{
	check_t check = { .tool = tool };
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status == STATUS_DONE && argc == 0) {
		status = check_all(tool, &check);
	}
	for (int i = 0; i < argc && status == STATUS_DONE; i++) {
		status = check_one(tool, &check, argv[i]);
	}
	for (size_t i = 0; i < check.policy_count; i++) {
		free(check.policies[i].id);
	}
	free(check.policies);
	return status == STATUS_DONE && check.errors > 0 ? STATUS_FAILED : status;
}
