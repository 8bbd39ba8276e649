/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check: what is damaged, refers to nothing, or is risky. Reads everything that is stored, which what
 * other writers replicated into the store is part of.
 */

#include "tool/verbs/check.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "mail/codec.h"
#include "mail/dkim_id.h"
#include "mail/plan.h"
#include "tool/access.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/progress.h"

/* A store of which so many hundredths are used is worth a word, and so is a disk that has no more room than this. */
#define MAP_USED_MAX 90
#define DISK_FREE_MIN ((uint64_t)64 << 20)

/*! \brief What was found in the records of a policy or a domain. */
typedef struct {
	mail_buf_t warnings;
	mail_buf_t names; /*!< For mail_lint_concerns(). */
} found_t;

/*! \brief A policy that was looked at. */
typedef struct {
	mail_entry_t *entry;
	size_t apex_max;     /*!< Longest domain that fits. */
	mail_lint_rsa_t rsa; /*!< One domain, if those that follow it are signed with RSA. */
	bool bad;            /*!< It cannot be served, which was said. */
	bool linted;   /*!< Its records were looked at, as those of a domain that sets nothing. */
	bool followed; /*!< The same, as those of a domain with items of its own. */
	found_t found;
} seen_t;

/*! \brief All policies, in the order of their ids. */
typedef struct {
	seen_t *policies;
	size_t count;
} seen_all_t;

void check_report(check_t *check, bool error, const char *fmt, ...)
{
	char text[512];
	const char *level = error ? "error" : "warning";
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	check->errors += error;
	check->warnings += !error;
	if (error && check->first[0] == '\0') {
		(void)snprintf(check->first, sizeof(check->first), "%s %.*s: %s", check->section,
		               (int)check->id.len, check->id.data, text);
	}
	if (check->quiet) {
		return;
	}
	if (check->tool->json) {
		(void)tool_json(json_pack("{s:s, s:s, s:o, s:o}", "level", level, "section",
		                          check->section, "id", tool_json_str(check->id), "message",
		                          tool_json_str(MAIL_STR(text))));
	} else {
		(void)printf("%s: %s %.*s: %s\n", level, check->section, (int)check->id.len,
		             check->id.data, text);
	}
}

static void on_warning(void *ctx, const char *text)
{
	check_report(ctx, false, "%s", text);
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

/*! \brief Look whether what an entry refers to exists. */
static void check_references(check_t *check, const mail_entry_t *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		for (size_t j = 0; member->item->type == MAIL_TYPE_REF && j < member->count; j++) {
			const mail_str_t id = member->values[j].text;
			check_unused_mark(check, member->item->ref, id);
			if (!exists(check, member->item->ref, id)) {
				check_report(
					check, true, "%s: there is no %s %.*s", member->item->name,
					mail_section_name(member->item->ref), (int)id.len, id.data);
			}
		}
	}
}

/*! \brief Look whether the owner of a DKIM key exists, whether anybody can see the key, and where an alias leads. */
static void check_dkim(check_t *check, const mail_entry_t *entry)
{
	const bool removed = tool_get_time(entry, MAIL_ITEM_REMOVE, INT64_MAX) <= time(NULL);
	mail_dkim_id_t id;
	const mail_str_t cname = mail_entry_value(entry, MAIL_ITEM_CNAME);
	mail_diag_t diag = check_diag(check);
	if (mail_dkim_id_parse(entry->id, &id, NULL) != KNOT_EOK) {
		return;
	}
	if (!exists(check, id.section, id.owner)) {
		check_report(check, true, "there is no %s %.*s", mail_section_name(id.section),
		             (int)id.owner.len, id.owner.data);
	} else if (!removed && hidden_key(check->tool, &check->hidden, entry->id)) {
		check_report(check, check->hidden.slip, "nobody can see the key: %s hides it",
		             check->hidden.why);
	} else if (cname.len > 0 &&
	           mail_lint_key(check->lint, entry->id, cname, &diag) != KNOT_EOK) {
		check_report(check, true, "%s", diag.text);
	}
}

static void found_free(found_t *found)
{
	mail_buf_free(&found->warnings);
	mail_buf_free(&found->names);
}

/*! \brief Report warnings, but for those of the policy that is inherited from (NULL: of none). */
static void found_report(check_t *check, const found_t *found, const found_t *above)
{
	const char *text;
	for (size_t pos = 0; (text = mail_warning_next(&found->warnings, &pos)) != NULL;) {
		if (above == NULL || !mail_warning_kept(&above->warnings, text, check->id)) {
			check_report(check, false, "%s", text);
		}
	}
}

/*!
 * \brief Make the plan of a policy or domain, as strictly as a writer, and look at its records.
 *
 * \return NULL when that fails, which is said.
 */
static mail_plan_t *plan_of(check_t *check, const mail_entry_t *entry, found_t *found)
{
	const mail_source_t *source = tool_source(check->tool);
	const bool policy = entry->section == MAIL_SECTION_POLICY;
	mail_diag_t diag = { .warn = mail_warning_keep, .warn_ctx = &found->warnings };
	mail_profile_t *profile = NULL;
	mail_plan_t *plan = NULL;
	int ret = policy ? mail_profile_of_policy(source, entry->id, &profile, &diag)
	                 : mail_profile_of_domain(source, entry->id, &profile, &diag);
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, true, &plan, &diag);
	}
	if (ret == KNOT_EOK && plan->error != KNOT_EOK) {
		ret = plan->error;
		(void)snprintf(diag.text, sizeof(diag.text), "%s", plan->reason);
	}
	if (ret == KNOT_EOK) {
		const mail_lint_of_t of = { .plan = plan,
			                    .domain = policy ? MAIL_STR("") : entry->id,
			                    .alias = mail_entry_value(entry, MAIL_ITEM_ALIAS),
			                    .names = &found->names };
		ret = mail_lint(check->lint, &of, &diag);
	}
	if (ret != KNOT_EOK) {
		check_report(check, true, "%s",
		             diag.text[0] != '\0' ? diag.text : knot_strerror(ret));
		mail_plan_free(plan);
		plan = NULL;
	}
	mail_profile_free(profile);
	return plan;
}

/*! \brief Look at a policy, and remember it: the entry is taken over. */
static void check_policy(check_t *check, seen_all_t *seen, mail_entry_t *entry)
{
	/* Grown whenever the count reaches a power of two. */
	if ((seen->count & (seen->count - 1)) == 0) {
		seen->policies = tool_memory(
			check->tool,
			realloc(seen->policies, (2 * seen->count + 1) * sizeof(seen_t)));
	}
	seen_t *policy = &seen->policies[seen->count++];
	*policy = (seen_t){ .entry = entry };
	mail_plan_t *plan = plan_of(check, entry, &policy->found);
	policy->bad = plan == NULL;
	policy->apex_max = plan != NULL ? plan->apex_max : 0;
	if (plan != NULL) {
		mail_lint_rsa_count(&policy->rsa, plan, time(NULL));
	}
	mail_plan_free(plan);
}

static int compare_seen(const void *key, const void *row)
{
	return tool_compare(*(const mail_str_t *)key, ((const seen_t *)row)->entry->id);
}

static seen_t *seen_find(const seen_all_t *seen, mail_str_t policy)
{
	return seen->count == 0 ? NULL
	                        : bsearch(&policy, seen->policies, seen->count, sizeof(seen_t),
	                                  compare_seen);
}

/*! \brief Report what was found in policies, each thing with the one that has it first. */
static void policies_report(check_t *check, const seen_all_t *seen)
{
	for (size_t i = 0; i < seen->count; i++) {
		const seen_t *policy = &seen->policies[i];
		const seen_t *base = seen_find(seen,
		                               mail_entry_value(policy->entry, MAIL_ITEM_BASE));
		check->section = mail_section_name(MAIL_SECTION_POLICY);
		check->id = policy->entry->id;
		found_report(check, &policy->found, base != NULL ? &base->found : NULL);
	}
}

static void check_alias(check_t *check, mail_str_t alias)
{
	mail_entry_t *target = NULL;
	int ret = mail_txn_get(check->tool->txn, MAIL_SECTION_DOMAIN, alias, &target);
	if (ret == KNOT_ENOENT) {
		check_report(check, true, "alias: there is no domain %.*s", (int)alias.len,
		             alias.data);
	} else if (ret == KNOT_EOK && mail_entry_value(target, MAIL_ITEM_ALIAS).len > 0) {
		check_report(check, true, "alias: %.*s is an alias itself", (int)alias.len,
		             alias.data);
	}
	mail_entry_free(target);
}

/*!
 * \brief Look at a domain that its policy alone does not tell all of.
 *
 * \param is_plain  It sets nothing else.
 *
 * \return Whether its records can be looked at.
 */
static bool check_own(check_t *check, const seen_t *follows, const mail_entry_t *entry,
                      bool is_plain)
{
	found_t found = { 0 };
	mail_plan_t *plan = plan_of(check, entry, &found);
	const bool good = plan != NULL;
	if (plan != NULL && !is_plain) {
		mail_lint_rsa_count(&check->rsa, plan, time(NULL));
	}
	mail_plan_free(plan);
	found_report(check, &found, follows != NULL ? &follows->found : NULL);
	found_free(&found);
	return good;
}

/*! \brief Look at a domain with items of its own, and at all records of the first that follows a policy. */
static void check_overrides(check_t *check, seen_t *follows, const mail_entry_t *entry)
{
	const bool first = follows != NULL && !follows->linted && !follows->followed;
	if (!check_own(check, follows, entry, false)) {
		return;
	}
	if (first) {
		follows->followed = true;
	}
	check->errors += !check_records(check, entry, first);
}

/*! \brief Return whether the rendered records of a domain, if it is stored with some, are those of its items. */
static bool rows_are_right(tool_t *tool, const mail_entry_t *entry)
{
	const mail_source_t *source = tool_source(tool);
	mail_lf_storage_t key;
	mail_lf_t above;
	mail_domain_t domain;
	mail_buf_t value = { 0 };
	if (mail_entry_key(MAIL_SECTION_DOMAIN, entry->id, &key) != KNOT_EOK ||
	    source->domain_above(source, mail_lf(&key), &above, &domain) != KNOT_EOK ||
	    domain.error != KNOT_EOK || domain.rows.data == NULL) {
		return true;
	}
	tool_expect(tool, mail_codec_encode(entry, &value));
	const bool right = mail_str_equal(domain.value, mail_buf_view(&value));
	mail_buf_free(&value);
	return right;
}

static void check_domain(check_t *check, seen_all_t *seen, const mail_entry_t *entry)
{
	if (!rows_are_right(check->tool, entry)) {
		check_report(check, true,
		             "its rendered records are not those of its items, so answers may be "
		             "wrong: kmailctl check --repair renders them anew");
	}
	const mail_str_t alias = mail_entry_value(entry, MAIL_ITEM_ALIAS),
			 policy = mail_entry_value(entry, MAIL_ITEM_POLICY);
	seen_t *follows = seen_find(seen, policy);
	if (alias.len > 0) {
		check_alias(check, alias);
		return;
	}
	if (entry->count > 1 || policy.len == 0) {
		check_overrides(check, follows, entry);
		return;
	}
	/* It only follows a policy, which says all, but whether the name is short enough. */
	mail_lf_storage_t lf;
	knot_dname_storage_t name;
	if (follows == NULL || follows->bad) {
		return;
	}
	if (mail_name_parse(entry->id, name, NULL) != KNOT_EOK ||
	    knot_dname_size(name) > follows->apex_max) {
		check_report(check, true,
		             "its name is so long that a record of policy %.*s has no room",
		             (int)policy.len, policy.data);
		return;
	}
	mail_lint_rsa_add(&check->rsa, &follows->rsa);
	mail_name_lf(name, &lf);
	if (mail_lint_concerns(&follows->found.names, mail_lf(&lf))) {
		(void)check_own(check, follows, entry, true);
	}
	if (!follows->linted) {
		follows->linted = true;
		check->errors += !check_records(check, entry, true);
	}
}

static void check_entry(check_t *check, seen_all_t *seen, tool_walk_t *walk)
{
	const mail_entry_t *entry = walk->entry;
	check->section = mail_section_name(entry->section);
	check->id = entry->id;
	mail_diag_t diag = check_diag(check);
	if (mail_entry_check(entry, &diag) != KNOT_EOK) {
		check_report(check, true, "%s", diag.text);
	}
	check_references(check, entry);
	switch (entry->section) {
	case MAIL_SECTION_HOST:
		mail_lint_host(check->lint, mail_entry_value(entry, MAIL_ITEM_NAME), &diag);
		break;
	case MAIL_SECTION_DKIM: check_dkim(check, entry); break;
	case MAIL_SECTION_DOMAIN: check_domain(check, seen, entry); break;
	case MAIL_SECTION_KEYSET: check_keyset(check, entry); break;
	case MAIL_SECTION_POLICY:
		check_policy(check, seen, walk->entry);
		walk->entry = NULL;
		break;
	default: break;
	}
}

static void on_fault(void *ctx, const access_fault_t *fault)
{
	check_report(ctx, fault->error, "%s%s%s", fault->text, fault->remedy != NULL ? ": " : "",
	             fault->remedy != NULL ? fault->remedy : "");
}

/*! \brief Look at the files of the store: whether knotd may use them, and whether there is room for more. */
static void check_files(check_t *check)
{
	tool_t *tool = check->tool;
	user_t user;
	mail_store_stat_t stat = { 0 };
	struct statvfs fs;
	check->section = "store";
	check->id = MAIL_STR(tool->path);
	if (user_find(user_name(), &user)) {
		(void)access_check(tool->path, &user, on_fault, check);
	}
	if (mail_txn_stat(tool->txn, &stat) == KNOT_EOK &&
	    stat.used > stat.map_size / 100 * MAP_USED_MAX) {
		check_report(check, false,
		             "%zu MiB of %zu are used: export, make a store with a larger "
		             "--map-size, and import",
		             stat.used >> 20, stat.map_size >> 20);
	}
	if (statvfs(tool->path, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_FREE_MIN) {
		check_report(check, false, "only %llu MiB are free on its disk",
		             (unsigned long long)fs.f_bavail * fs.f_frsize >> 20);
	}
}

/*! \brief Look whether what writers find by an index is there. */
static void check_index(check_t *check)
{
	tool_t *tool = check->tool;
	mail_diag_t diag = { 0 };
	check->section = "store";
	check->id = MAIL_STR(tool->path);
	if (mail_txn_index_check(tool->txn, &diag) == KNOT_EMALF) {
		check_report(check, true, "%s: kmailctl check --repair makes it anew", diag.text);
	}
}

/*! \brief Warn of many domains that are signed with RSA, with their key set as the entry. */
static void rsa_report(check_t *check)
{
	mail_diag_t diag = check_diag(check);
	check->section = mail_section_name(MAIL_SECTION_KEYSET);
	check->id = MAIL_STR(check->rsa.set);
	mail_lint_rsa_warn(&check->rsa, &diag);
}

int check_store(check_t *check)
{
	tool_t *tool = check->tool;
	seen_all_t seen = { 0 };
	size_t entries = 0;
	progress_t progress;
	int status = STATUS_DONE;
	check->lint = tool_memory(tool, mail_lint_new(tool_source(tool)));
	if (!check->quiet) {
		check_files(check);
	}
	check_index(check);
	check_unused_begin(check);
	progress_begin(&progress, "entries", tool_count(tool, ~0u));
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		tool_walk_t walk = { .section = (mail_section_t)i };
		while (tool_next(tool, &walk) != NULL) {
			entries++;
			check_entry(check, &seen, &walk);
			progress_step(tool, &progress);
		}
		status |= walk.status;
		if (i == MAIL_SECTION_POLICY) {
			policies_report(check, &seen);
		}
	}
	progress_end(&progress);
	check_unused_end(check);
	rsa_report(check);
	hidden_free(&check->hidden);
	if (!tool->json && !check->quiet) {
		(void)printf("%s %s, %s, %s\n", tool_number(entries),
		             entries == 1 ? "entry" : "entries",
		             tool_number_of(check->errors, "error"),
		             tool_number_of(check->warnings, "warning"));
	}
	for (size_t i = 0; i < seen.count; i++) {
		mail_entry_free(seen.policies[i].entry);
		found_free(&seen.policies[i].found);
	}
	free(seen.policies);
	mail_lint_free(check->lint);
	return status;
}

/*! \brief Look at a domain alone, with its records. */
static int check_one(check_t *check, const char *text)
{
	const mail_entry_t *entry = tool_entry(check->tool, MAIL_SECTION_DOMAIN, text);
	check->section = mail_section_name(MAIL_SECTION_DOMAIN);
	check->id = entry->id;
	check_references(check, entry);
	found_t found = { 0 };
	check->lint = tool_memory(check->tool, mail_lint_new(tool_source(check->tool)));
	mail_plan_t *plan = plan_of(check, entry, &found);
	mail_lint_free(check->lint);
	found_report(check, &found, NULL);
	found_free(&found);
	bool failed = plan != NULL && !check_records(check, entry, true);
	mail_plan_free(plan);
	return failed ? STATUS_FAILED : STATUS_DONE;
}

/*! \brief Make the indexes anew, and the rendered records that are not those of their domain's items. */
static void repair(tool_t *tool)
{
	size_t rendered = 0;
	tool_open(tool, MAIL_STORE_WRITE);
	tool_expect(tool, mail_txn_index(tool->txn, true));
	tool_walk_t walk = { .section = MAIL_SECTION_DOMAIN };
	const mail_entry_t *entry;
	while ((entry = tool_next(tool, &walk)) != NULL) {
		if (!rows_are_right(tool, entry)) {
			tool_expect(tool, mail_txn_put(tool->txn, entry));
			rendered++;
		}
	}
	tool_commit(tool);
	tool_close(tool);
	tool_note(tool, "the indexes of the store are made anew");
	if (rendered > 0) {
		tool_note(tool, "records of %s are rendered anew",
		          tool_number_of(rendered, "domain"));
	}
}

int verb_check(tool_t *tool)
{
	check_t check = { .tool = tool };
	if (option_is(tool, OPT_REPAIR)) {
		repair(tool);
	}
	tool_open(tool, MAIL_STORE_READ);
	int status = tool->argc == 0 ? check_store(&check) : STATUS_DONE;
	for (int i = 0; i < tool->argc && status == STATUS_DONE; i++) {
		status = check_one(&check, tool->argv[i]);
	}
	hidden_free(&check.hidden);
	return status == STATUS_DONE && check.errors > 0 ? STATUS_FAILED : status;
}
