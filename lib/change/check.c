/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The checks of a finished change. See change.c for what is looked at, and why that is enough.
 */
#include "config.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "change/internal.h"
#include "mail/dkim_id.h"
#include "mail/kind.h"
#include "plan/build.h"

/*! A policy that was compiled for this change. */
typedef struct {
	mail_str_t id;
	mail_plan_t *plan; /*!< NULL: it was bad before, and has nothing to do with this change. */
	bool affected;     /*!< It was made from an entry that changed. */
	mail_buf_t warnings; /*!< All that it has, of whatever entry. */
	mail_buf_t names;    /*!< For mail_lint_concerns(). */
} checked_t;

static int policy_compile(mail_change_t *change, mail_str_t id, const checked_t **out, bool *ours,
                          mail_diag_t *diag);

static int checked_compare(const void *a_ptr, const void *b_ptr)
{
	const checked_t *a = a_ptr, *b = b_ptr;
	size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	int diff = common > 0 ? memcmp(a->id.data, b->id.data, common) : 0;
	return diff != 0 ? diff : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

static void checked_free(void *ptr)
{
	checked_t *checked = ptr;
	mail_plan_free(checked->plan);
	mail_buf_free(&checked->warnings);
	mail_buf_free(&checked->names);
	free((void *)checked->id.data);
	free(checked);
}

void mail_change_plans_free(mail_change_t *change)
{
	tdestroy(change->plans, checked_free);
	change->plans = NULL;
	mail_plan_free(change->above_plan);
	change->above_plan = NULL;
}

/*! The line to blame when no value is to blame alone: of a domain, where it names what it follows. */
static uint32_t line_of(const mail_entry_t *entry)
{
	static const mail_item_id_t refs[] = { MAIL_ITEM_POLICY, MAIL_ITEM_ALIAS };
	for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		const mail_member_t *member = mail_entry_member(entry, refs[i], MAIL_OP_SET);
		if (member != NULL && member->line != 0) {
			return member->line;
		}
	}
	return entry->line;
}

/*! Put "SECTION ID: " before the reason of an error, and the line of the entry if there is none yet. */
static int named(mail_change_t *change, mail_section_t section, mail_str_t id, mail_diag_t *diag,
                 int ret)
{
	char reason[sizeof(diag->text)];
	(void)snprintf(reason, sizeof(reason), "%s", diag->text);
	const mail_entry_t *entry = mail_change_find(change, section, id);
	if (diag->line == 0 && entry != NULL) {
		diag->line = line_of(entry);
	}
	(void)mail_diag_error(diag, diag->column, "%s %.*s: %s", mail_section_name(section),
	                      (int)id.len, id.data, reason);
	return ret == KNOT_ENOMEM ? ret : KNOT_EINVAL;
}

/*! Return whether one of the entries that something was made from belongs to this change. */
static bool affected_by(const mail_change_t *change, const mail_dependency_t *dependencies,
                        size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const mail_dependency_t *dependency = &dependencies[i];
		char text[80];
		mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
		mail_str_t id = dependency->id;
		if (dependency->section == MAIL_SECTION_DKIM) {
			(void)mail_buf_printf(&buf, "policy:%.*s", (int)id.len, id.data);
			id = mail_buf_view(&buf);
		}
		if (mail_change_find(change, dependency->section, id) != NULL) {
			return true;
		}
	}
	return false;
}

/*! Return the warnings of the policy that the top layer of a profile inherits from; NULL: there is none, or it is bad. */
static const mail_buf_t *warnings_above(mail_change_t *change, const mail_profile_t *profile,
                                        const mail_diag_t *given)
{
	const checked_t *above = NULL;
	bool ours = false;
	/* It may be compiled here for the first time: then its own warnings are given, but it refuses nothing. */
	mail_diag_t diag = { .warn = given->warn, .warn_ctx = given->warn_ctx };
	if (profile->layer_count < 3) {
		return NULL; /* The defaults, and the layer itself. */
	}
	const mail_entry_t *entry = profile->layers[profile->layer_count - 2].entry;
	return policy_compile(change, entry->id, &above, &ours, &diag) == KNOT_EOK
	               ? &above->warnings
	               : NULL;
}

static checked_t *checked_new(mail_str_t id)
{
	checked_t *checked = calloc(1, sizeof(*checked));
	char *copy = malloc(id.len + 1);
	if (checked == NULL || copy == NULL) {
		free(checked);
		free(copy);
		return NULL;
	}
	memcpy(copy, id.data, id.len);
	checked->id = (mail_str_t){ copy, id.len };
	return checked;
}

/*! Make the plan of a policy; warnings of one that this change touches are given. */
static int policy_make(mail_change_t *change, checked_t *checked, mail_profile_t **profile,
                       mail_diag_t *diag)
{
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &checked->warnings };
	int ret = mail_profile_of_policy(&change->source, checked->id, profile, &own);
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(*profile, true, &checked->plan, &own);
	}
	if (ret == KNOT_EOK) {
		const mail_lint_of_t of = { .plan = checked->plan, .names = &checked->names };
		checked->affected = affected_by(change, checked->plan->dependencies,
		                                checked->plan->dependency_count);
		ret = mail_lint(change->lint, &of, &own);
	}
	if (ret != KNOT_EOK) {
		mail_plan_free(checked->plan);
		checked->plan = NULL;
		diag->line = own.line;
		(void)mail_diag_error(diag, own.column, "%s", own.text);
	} else if (checked->affected && checked->warnings.len > 0) {
		mail_change_warn(&checked->warnings, warnings_above(change, *profile, diag),
		                 MAIL_SECTION_POLICY, checked->id, diag);
	}
	return ret;
}

/*! Say why a policy is bad. \param ours Out: that has to do with this change. */
static int policy_refuse(mail_change_t *change, mail_str_t id, const mail_profile_t *profile,
                         int ret, bool *ours, mail_diag_t *diag)
{
	if (profile == NULL || ret == KNOT_ENOMEM) {
		return KNOT_ENOMEM;
	}
	*ours |= affected_by(change, profile->dependencies, profile->dependency_count);
	/* Without a layer of its own the policy is not there, and the reason has its name. */
	return profile->layer_count > 1 ? named(change, MAIL_SECTION_POLICY, id, diag, ret)
	                                : KNOT_EINVAL;
}

/*!
 * Compile a policy, once for a change.
 *
 * \param ours  A failure has to do with this change. In: of one that is known not to, the reason is wanted.
 */
static int policy_compile(mail_change_t *change, mail_str_t id, const checked_t **out, bool *ours,
                          mail_diag_t *diag)
{
	const checked_t wanted = { .id = id };
	checked_t *const *known = tfind(&wanted, &change->plans, checked_compare);
	if (known != NULL && ((*known)->plan != NULL || !*ours)) {
		*out = *known;
		return (*known)->plan != NULL ? KNOT_EOK : KNOT_EINVAL;
	}
	checked_t *checked = checked_new(id);
	if (checked == NULL) {
		return KNOT_ENOMEM;
	}
	mail_profile_t *profile = NULL;
	int ret = policy_make(change, checked, &profile, diag);
	if (ret != KNOT_EOK) {
		*ours |= checked->affected;
		ret = policy_refuse(change, id, profile, ret, ours, diag);
	}
	mail_profile_free(profile);
	/* What is not ours is remembered, too: many domains may follow it. */
	const bool keep = known == NULL && (ret == KNOT_EOK || (ret == KNOT_EINVAL && !*ours));
	if (!keep || tsearch(checked, &change->plans, checked_compare) == NULL) {
		checked_free(checked);
		return ret != KNOT_EOK ? ret : KNOT_ENOMEM;
	}
	*out = checked;
	return ret;
}

/*!
 * Compile all policies: any of them may refer to what changed.  One that was bad before and has nothing to do
 * with this change does not stand in its way; `check` reports it.
 */
static int policies_check(mail_change_t *change, bool *affected, mail_diag_t *diag)
{
	mail_lf_storage_t key = { 0 };
	for (;;) {
		mail_entry_t *entry = NULL;
		const checked_t *checked = NULL;
		bool ours = false;
		int ret = mail_txn_next(change->txn, MAIL_SECTION_POLICY, &key, &entry);
		if (ret == KNOT_ENOENT) {
			return KNOT_EOK;
		}
		if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
			continue;
		}
		if (ret == KNOT_EOK) {
			ret = policy_compile(change, entry->id, &checked, &ours, diag);
			mail_entry_free(entry);
		}
		if (ret == KNOT_EINVAL && !ours) {
			diag->line = diag->column = 0;
			continue;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		*affected |= checked->affected;
	}
}

/*! What a domain has to do with a change. */
typedef struct {
	mail_keys_of_t of;
	bool differs; /*!< It was made from something that changed. */
	bool must;    /*!< It must be good: it differs, or nobody remembers whether it does. */
} concern_t;

/*! Look at the records of a domain that was written. */
static int domain_lint(mail_change_t *change, mail_str_t id, const concern_t *concern,
                       const mail_plan_t *plan, mail_diag_t *diag)
{
	const mail_lint_of_t of = { .plan = plan, .domain = id, .alias = concern->of.alias };
	return concern->of.put ? mail_lint(change->lint, &of, diag) : KNOT_EOK;
}

/*! Compile a domain with overrides, or an alias. concern->differs is set when it was made from what changed. */
static int domain_compile(mail_change_t *change, mail_str_t id, concern_t *concern,
                          mail_diag_t *diag)
{
	mail_profile_t *profile = NULL;
	mail_plan_t *plan = NULL;
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	int ret = mail_profile_of_domain(&change->source, id, &profile, &own);
	if (ret == KNOT_EOK) {
		profile->untouched = !concern->of.put && !change->all;
		concern->of.hides = !concern->of.changed && !change->all &&
		                    mail_change_hides(profile);
		ret = mail_plan_make(profile, true, &plan, &own);
	}
	if (plan != NULL) {
		concern->differs |= affected_by(change, plan->dependencies, plan->dependency_count);
	} else if (profile != NULL) {
		concern->differs |= affected_by(change, profile->dependencies,
		                                profile->dependency_count);
	}
	if (ret == KNOT_EOK) {
		ret = domain_lint(change, id, concern, plan, &own);
	}
	if (ret != KNOT_EOK) {
		diag->line = own.line;
		(void)mail_diag_error(diag, own.column, "%s", own.text);
	} else if (warnings.len > 0 && concern->of.put) {
		mail_change_warn(&warnings, warnings_above(change, profile, diag),
		                 MAIL_SECTION_DOMAIN, id, diag);
	}
	mail_buf_free(&warnings);
	if (ret == KNOT_EOK) {
		ret = plan->hosted ? mail_change_domain_check(&change->source, plan,
		                                              concern->of.name, diag)
		                   : mail_change_ns_refuse(profile, diag);
	}
	if (ret == KNOT_EOK) {
		ret = mail_change_keys_check(change, plan, &concern->of, diag);
	}
	mail_plan_free(plan);
	mail_profile_free(profile);
	return ret;
}

/*! Return whether a domain, or a key of its own, is among the changed entries. */
static bool is_changed(const mail_change_t *change, mail_str_t id)
{
	return mail_change_find(change, MAIL_SECTION_DOMAIN, id) != NULL ||
	       mail_change_key_of(change, id) != NULL;
}

/*! Look at a domain that has all from its policy, but is named there. */
static int plain_lint(mail_change_t *change, mail_str_t id, const concern_t *concern,
                      const checked_t *checked, mail_diag_t *diag)
{
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	int ret = domain_lint(change, id, concern, checked->plan, &own);
	if (ret != KNOT_EOK) {
		(void)mail_diag_error(diag, 0, "%s", own.text);
	} else {
		mail_change_warn(&warnings, &checked->warnings, MAIL_SECTION_DOMAIN, id, diag);
	}
	mail_buf_free(&warnings);
	return ret;
}

/*! Check a domain that has all from its policy. */
static int plain_check(mail_change_t *change, mail_str_t id, mail_str_t policy, concern_t *concern,
                       mail_diag_t *diag)
{
	const checked_t *checked = NULL;
	int ret = policy_compile(change, policy, &checked, &concern->must, diag);
	if (ret == KNOT_EOK) {
		concern->differs |= checked->affected;
		ret = checked->plan->hosted
		              ? mail_change_domain_check(&change->source, checked->plan,
		                                         concern->of.name, diag)
		              : mail_change_ns_missing(policy, diag);
	}
	if (ret == KNOT_EOK && concern->of.put &&
	    mail_lint_concerns(&checked->names, concern->of.name)) {
		ret = plain_lint(change, id, concern, checked, diag);
	}
	return ret == KNOT_EOK ? mail_change_keys_check(change, checked->plan, &concern->of, diag)
	                       : ret;
}

/*!
 * Check one domain, and count it if its records may differ.  One that was made from nothing that changed
 * may be bad: it was so before.
 */
static int domain_check(mail_change_t *change, mail_lf_t name, const mail_domain_t *domain,
                        mail_diag_t *diag)
{
	mail_buf_t id = { 0 };
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id);
	concern_t concern = { .of = { .name = name, .alias = domain->alias } };
	concern.of.put = mail_change_find(change, MAIL_SECTION_DOMAIN, mail_buf_view(&id)) != NULL;
	concern.of.changed = is_changed(change, mail_buf_view(&id));
	concern.differs = concern.of.changed ||
	                  (domain->alias.len > 0 && is_changed(change, domain->alias));
	concern.must = concern.differs || change->all;
	if (ret == KNOT_EOK && domain->plain && domain->alias.len == 0) {
		ret = plain_check(change, mail_buf_view(&id), domain->policy, &concern, diag);
	} else if (ret == KNOT_EOK) {
		ret = domain_compile(change, mail_buf_view(&id), &concern, diag);
	}
	if (ret == KNOT_EOK && concern.of.put) {
		ret = mail_change_above_check(change, name, diag);
	}
	change->count.domains += concern.differs;
	if (ret == KNOT_ENOMEM || (ret != KNOT_EOK && (concern.must || concern.differs))) {
		ret = named(change, MAIL_SECTION_DOMAIN, mail_buf_view(&id), diag, ret);
	} else if (ret != KNOT_EOK) {
		diag->line = diag->column = 0;
		ret = KNOT_EOK;
	}
	mail_buf_free(&id);
	return ret;
}

/*! Return whether a domain may differ after the change; looks only at what is cheap. */
static bool domain_affected(mail_change_t *change, mail_str_t id, const mail_domain_t *domain)
{
	if (change->all || is_changed(change, id)) {
		return true;
	}
	if (domain->alias.len > 0) {
		/* What its target follows is not known here: few domains are aliases. */
		return true;
	}
	const checked_t wanted = { .id = domain->policy };
	checked_t *const *checked = tfind(&wanted, &change->plans, checked_compare);
	if (checked == NULL || (*checked)->affected) {
		return true;
	}
	return !domain->plain &&
	       (change->touched[MAIL_SECTION_HOST] || change->touched[MAIL_SECTION_CERTIFICATE] ||
	        change->touched[MAIL_SECTION_KEYSET]);
}

/*! What the walks over domains and over the listed entries need besides them. */
typedef struct {
	mail_change_t *change;
	mail_diag_t *diag;
	int ret;
} checks_t;

/*! Check a domain that may differ. */
static int each_domain(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	const checks_t *checks = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (domain->error != KNOT_EOK) {
		return KNOT_EOK; /* It was so before. */
	}
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id);
	if (ret == KNOT_EOK && domain_affected(checks->change, mail_buf_view(&id), domain)) {
		ret = domain_check(checks->change, name, domain, checks->diag);
	}
	return ret;
}

/*! Check an alias whose target was changed; one that was changed itself has been checked. */
static int each_alias(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	const checks_t *checks = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id);
	return ret != KNOT_EOK || is_changed(checks->change, mail_buf_view(&id))
	               ? ret
	               : domain_check(checks->change, name, domain, checks->diag);
}

/*! Check the aliases of a changed domain, or of one with changed keys. */
static void targets_walk(const void *node, VISIT visit, void *closure)
{
	checks_t *checks = closure;
	mail_change_t *change = checks->change;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	mail_lf_storage_t key;
	mail_str_t target = entry->id;
	mail_dkim_id_t id;
	if (checks->ret != KNOT_EOK || (visit != postorder && visit != leaf)) {
		return;
	}
	if (entry->section == MAIL_SECTION_DKIM) {
		/* Once for a domain, as in listed_check(). */
		if (mail_dkim_id_parse(entry->id, &id, NULL) != KNOT_EOK ||
		    id.section != MAIL_SECTION_DOMAIN ||
		    mail_change_find(change, MAIL_SECTION_DOMAIN, id.owner) != NULL ||
		    mail_change_key_of(change, id.owner) != entry) {
			return;
		}
		target = id.owner;
	} else if (entry->section != MAIL_SECTION_DOMAIN) {
		return;
	}
	if (mail_entry_key(MAIL_SECTION_DOMAIN, target, &key) == KNOT_EOK) {
		checks->ret = mail_txn_aliases(change->txn, mail_lf(&key), each_alias, checks);
	}
}

/*! Check the policy of a changed DKIM key; that of a deleted one may be gone. */
static int policy_key_check(mail_change_t *change, const mail_entry_t *entry, mail_str_t policy,
                            mail_diag_t *diag)
{
	const checked_t *checked;
	bool ours = true;
	if (entry->deleted) {
		return KNOT_EOK;
	}
	int ret = policy_compile(change, policy, &checked, &ours, diag);
	return ret == KNOT_EOK ? ret : named(change, MAIL_SECTION_DKIM, entry->id, diag, ret);
}

/*! Check a changed domain, or the owner of a changed DKIM key. */
static int listed_check(mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag)
{
	const bool is_key = entry->section == MAIL_SECTION_DKIM;
	mail_str_t owner = entry->id;
	if (is_key) {
		mail_dkim_id_t id;
		if (mail_dkim_id_parse(entry->id, &id, NULL) != KNOT_EOK) {
			return KNOT_EOK; /* It stands for all keys of a policy. */
		}
		if (id.section == MAIL_SECTION_POLICY) {
			return policy_key_check(change, entry, id.owner, diag);
		}
		owner = id.owner;
	} else if (entry->section == MAIL_SECTION_HOST && !entry->deleted) {
		mail_change_host_lint(change, entry, diag);
		return KNOT_EOK;
	} else if (entry->section != MAIL_SECTION_DOMAIN) {
		return KNOT_EOK;
	}

	/* Does the domain exist? */
	mail_lf_storage_t lf;
	mail_lf_t above;
	mail_domain_t domain;
	const bool exists = mail_entry_key(MAIL_SECTION_DOMAIN, owner, &lf) == KNOT_EOK &&
	                    change->base->domain_above(change->base, mail_lf(&lf), &above,
	                                               &domain) == KNOT_EOK &&
	                    above.len == lf.len;
	if (!exists || domain.error != KNOT_EOK) {
		if (entry->deleted) {
			change->deleted_domains += !is_key;
			change->count.domains += !is_key;
			return KNOT_EOK;
		}
		(void)mail_diag_error(diag, 0, "domain %.*s %s", (int)owner.len, owner.data,
		                      exists ? "is damaged: write the domain again first"
		                             : "does not exist");
		return named(change, entry->section, entry->id, diag, KNOT_EINVAL);
	}
	if (is_key && !entry->deleted && domain.alias.len > 0) {
		(void)mail_diag_error(diag, 0, "%.*s is an alias: the keys of its target count",
		                      (int)owner.len, owner.data);
		return named(change, entry->section, entry->id, diag, KNOT_EINVAL);
	}

	if (is_key && !entry->deleted) {
		int ret = mail_change_key_lint(change, entry, diag);
		if (ret != KNOT_EOK) {
			return named(change, MAIL_SECTION_DKIM, entry->id, diag, ret);
		}
	}

	/* Once for a domain: of its own entry, or else of one of its keys. */
	if (is_key && (mail_change_find(change, MAIL_SECTION_DOMAIN, owner) != NULL ||
	               mail_change_key_of(change, owner) != entry)) {
		return KNOT_EOK;
	}
	return domain_check(change, mail_lf(&lf), &domain, diag);
}

static void listed_walk(const void *node, VISIT visit, void *closure)
{
	checks_t *checks = closure;
	if (checks->ret == KNOT_EOK && (visit == postorder || visit == leaf)) {
		checks->ret = listed_check(checks->change, *(mail_entry_t *const *)node,
		                           checks->diag);
	}
}

/*! Check all, as mail_change_finish() does. */
static int finish(mail_change_t *change, mail_diag_t *diag)
{
	bool affected = false;
	int ret = mail_change_uses_check(change, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	change->lint = mail_lint_new(&change->source);
	if (change->lint == NULL) {
		return KNOT_ENOMEM;
	}
	const bool layers = change->touched[MAIL_SECTION_POLICY] ||
	                    change->touched[MAIL_SECTION_HOST] ||
	                    change->touched[MAIL_SECTION_CERTIFICATE] ||
	                    change->touched[MAIL_SECTION_KEYSET];
	if (layers || change->policy_keys) {
		ret = policies_check(change, &affected, diag);
	}
	checks_t checks = { change, diag, ret };
	/* It stops at once after an error. */
	twalk_r(change->listed, listed_walk, &checks);
	ret = checks.ret;
	/* Overrides may refer to a host or a key set. */
	if (ret == KNOT_EOK && (affected || change->all || layers)) {
		change->count.domains = change->deleted_domains;
		ret = mail_txn_domains(change->txn, each_domain, &checks);
	} else if (ret == KNOT_EOK && change->targets) {
		twalk_r(change->listed, targets_walk, &checks);
		ret = checks.ret;
	}
	if (change->all && !affected) {
		change->count.domains = change->domain_puts; /* Not all of them are remembered. */
	}
	return ret == KNOT_EOK ? mail_change_times(change, diag) : ret;
}

int mail_change_finish(mail_change_t *change, mail_change_count_t *count, mail_diag_t *diag)
{
	int ret = finish(change, diag);
	if (ret == KNOT_EINVAL) {
		mail_change_remedy(change, diag);
	}
	if (count != NULL) {
		*count = change->count;
	}
	if (ret == KNOT_EOK) {
		mail_change_sts_check(change, diag);
	}
	mail_lint_free(change->lint);
	change->lint = NULL;
	return ret;
}
