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

/*! What a domain has to do with a change. */
typedef struct {
	mail_keys_of_t of;
	bool differs; /*!< It was made from something that changed. */
	bool must;    /*!< It must be good: it differs, or nobody remembers whether it does. */
	bool shaped;  /*!< The change holds its shape. */
} concern_t;

/*! Check a plan with name servers against the name of a domain and its own keys, and count the domain. */
static int plan_check(mail_change_t *change, const mail_plan_t *plan, const concern_t *concern,
                      mail_diag_t *diag)
{
	mail_lint_rsa_count(&change->rsa, plan, change->now);
	int ret = mail_change_domain_check(&change->source, plan, concern->of.name, diag);
	return ret == KNOT_EOK ? mail_change_keys_check(change, plan, &concern->of, diag) : ret;
}

/*! What was made of a domain. */
typedef struct {
	mail_profile_t *profile;
	mail_plan_t *plan;
	mail_buf_t warnings, names;
	mail_diag_t diag; /*!< Has the reason; its warnings are kept. */
} made_t;

/*! Make the plan of a domain, and look at its records if it was written. */
static int domain_make(mail_change_t *change, mail_str_t id, concern_t *concern, made_t *made)
{
	made->diag = (mail_diag_t){ .warn = mail_warning_keep, .warn_ctx = &made->warnings };
	int ret = mail_profile_of_domain(&change->source, id, &made->profile, &made->diag);
	if (ret == KNOT_EOK) {
		made->profile->untouched = !concern->of.put && !change->all;
		concern->of.hides = !concern->of.changed && !change->all &&
		                    mail_change_hides(made->profile);
		ret = mail_plan_make(made->profile, true, &made->plan, &made->diag);
	}
	if (made->plan != NULL) {
		concern->differs |= mail_change_affects(change, made->plan->dependencies,
		                                        made->plan->dependency_count);
	} else if (made->profile != NULL) {
		concern->differs |= mail_change_affects(change, made->profile->dependencies,
		                                        made->profile->dependency_count);
	}
	if (ret == KNOT_EOK && concern->of.put) {
		const mail_lint_of_t of = {
			.plan = made->plan,
			.domain = id,
			.alias = concern->of.alias,
			.names = &made->names,
		};
		ret = mail_lint(change->lint, &of, &made->diag);
	}
	return ret;
}

/*! Compile a domain with overrides, or an alias. concern->differs is set when it was made from what changed. */
static int domain_compile(mail_change_t *change, mail_str_t id, concern_t *concern,
                          mail_diag_t *diag)
{
	made_t made = { .plan = NULL };
	if (change->alone && concern->shaped) {
		change->watched = concern->of.name;
		change->led = false;
	}
	int ret = domain_make(change, id, concern, &made);
	change->watched.len = 0;
	if (ret != KNOT_EOK) {
		diag->line = made.diag.line;
		(void)mail_diag_error(diag, made.diag.column, "%s", made.diag.text);
	} else if (made.warnings.len > 0 && concern->of.put) {
		mail_change_warn(&made.warnings,
		                 mail_change_warnings_above(change, made.profile, diag),
		                 MAIL_SECTION_DOMAIN, id, diag);
	}
	if (ret == KNOT_EOK) {
		ret = made.plan->hosted ? plan_check(change, made.plan, concern, diag)
		                        : mail_change_ns_refuse(made.profile, diag);
	}
	/* Warnings name the domain: of another one they are written anew. */
	const bool keep = ret == KNOT_EOK && concern->shaped && made.warnings.len == 0 &&
	                  !change->led;
	if (!keep || !mail_change_shape_keep(change, id, made.plan, &made.names)) {
		mail_plan_free(made.plan);
	}
	mail_buf_free(&made.warnings);
	mail_buf_free(&made.names);
	mail_profile_free(made.profile);
	return ret;
}

/*! Check a domain with items of its own: as another one of the same shape, if there was one. */
static int own_check(mail_change_t *change, mail_str_t id, const mail_domain_t *domain,
                     concern_t *concern, mail_diag_t *diag)
{
	const mail_checked_t *known = NULL;
	concern->shaped = concern->of.changed && concern->of.alias.len == 0 &&
	                  mail_change_shape_write(change, concern->of.name, id, domain);
	if (concern->shaped) {
		/* Of one that was not written itself, less is looked at. */
		(void)mail_buf_u8(&change->shape, concern->of.put);
		known = mail_change_shape_find(change, concern->of.name);
	}
	if (known == NULL) {
		return domain_compile(change, id, concern, diag);
	}
	concern->differs |= known->affected;
	return plan_check(change, known->plan, concern, diag);
}

/*! Return whether a domain, or a key of its own, is among the changed entries. */
static bool is_changed(const mail_change_t *change, mail_str_t id)
{
	return mail_change_find(change, MAIL_SECTION_DOMAIN, id) != NULL ||
	       mail_change_key_of(change, id) != NULL;
}

/*! Return whether a domain was written by this transaction, of which there are too many to be listed. */
static bool is_written(const mail_change_t *change, const mail_domain_t *domain)
{
	return change->all && domain->stamp.txnid == mail_txn_id(change->txn);
}

/*! Look at a domain that has all from its policy, but is named there. */
static int plain_lint(mail_change_t *change, mail_str_t id, const mail_checked_t *checked,
                      mail_diag_t *diag)
{
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	const mail_lint_of_t of = { .plan = checked->plan, .domain = id };
	int ret = mail_lint(change->lint, &of, &own);
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
	const mail_checked_t *checked = NULL;
	int ret = mail_change_policy(change, policy, &checked, &concern->must, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	concern->differs |= checked->affected;
	ret = checked->plan->hosted ? plan_check(change, checked->plan, concern, diag)
	                            : mail_change_ns_missing(policy, diag);
	/* What is refused needs no warnings. */
	if (ret == KNOT_EOK && concern->of.put &&
	    mail_lint_concerns(&checked->names, concern->of.name)) {
		ret = plain_lint(change, id, checked, diag);
	}
	return ret;
}

/*!
 * Check one domain, and count it if its records may differ.  One that was made from nothing that changed
 * may be bad: it was so before.
 */
static int domain_check(mail_change_t *change, mail_lf_t name, const mail_domain_t *domain,
                        mail_diag_t *diag)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	int ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id);
	concern_t concern = { .of = { .name = name, .alias = domain->alias } };
	concern.of.put = is_written(change, domain) ||
	                 mail_change_find(change, MAIL_SECTION_DOMAIN, mail_buf_view(&id)) != NULL;
	concern.of.changed = concern.of.put || is_changed(change, mail_buf_view(&id));
	concern.differs = concern.of.changed ||
	                  (domain->alias.len > 0 && is_changed(change, domain->alias));
	concern.must = concern.differs || (change->all && domain->alias.len > 0);
	if (ret == KNOT_EOK && domain->plain && domain->alias.len == 0) {
		ret = plain_check(change, mail_buf_view(&id), domain->policy, &concern, diag);
	} else if (ret == KNOT_EOK) {
		ret = own_check(change, mail_buf_view(&id), domain, &concern, diag);
	}
	if (ret == KNOT_EOK && concern.of.put) {
		ret = mail_change_above_check(change, name, diag);
	}
	change->count.domains += concern.differs;
	if (ret == KNOT_ENOMEM || (ret != KNOT_EOK && (concern.must || concern.differs))) {
		ret = mail_change_named(change, MAIL_SECTION_DOMAIN, mail_buf_view(&id), diag, ret);
	} else if (ret != KNOT_EOK) {
		diag->line = diag->column = 0;
		ret = KNOT_EOK;
	}
	return ret;
}

bool mail_change_has_layers(const mail_change_t *change)
{
	return change->touched[MAIL_SECTION_POLICY] || change->touched[MAIL_SECTION_HOST] ||
	       change->touched[MAIL_SECTION_CERTIFICATE] || change->touched[MAIL_SECTION_KEYSET];
}

/*! Return whether a domain may differ after the change; looks only at what is cheap. */
static bool domain_affected(mail_change_t *change, mail_lf_t name, const mail_domain_t *domain)
{
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t id = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (is_written(change, domain) || domain->alias.len > 0) {
		/* What the target of an alias follows is not known here: few domains are aliases. */
		return true;
	}
	if (mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &id) != KNOT_EOK) {
		return false;
	}
	if (is_changed(change, mail_buf_view(&id))) {
		return true;
	}
	if (!mail_change_has_layers(change) && !change->policy_keys) {
		return false;
	}
	return mail_change_follows(change, domain->policy) ||
	       (!domain->plain &&
	        (change->touched[MAIL_SECTION_HOST] || change->touched[MAIL_SECTION_CERTIFICATE] ||
	         change->touched[MAIL_SECTION_KEYSET]));
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
	if (domain->error != KNOT_EOK || !domain_affected(checks->change, name, domain)) {
		return KNOT_EOK; /* What is damaged was so before. */
	}
	return domain_check(checks->change, name, domain, checks->diag);
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
	const mail_checked_t *checked;
	bool ours = true;
	if (entry->deleted) {
		return KNOT_EOK;
	}
	int ret = mail_change_policy(change, policy, &checked, &ours, diag);
	return ret == KNOT_EOK ? ret
	                       : mail_change_named(change, MAIL_SECTION_DKIM, entry->id, diag, ret);
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
		return mail_change_named(change, entry->section, entry->id, diag, KNOT_EINVAL);
	}
	if (is_key && !entry->deleted && domain.alias.len > 0) {
		(void)mail_diag_error(diag, 0, "%.*s is an alias: the keys of its target count",
		                      (int)owner.len, owner.data);
		return mail_change_named(change, entry->section, entry->id, diag, KNOT_EINVAL);
	}

	if (is_key && !entry->deleted) {
		int ret = mail_change_key_lint(change, entry, diag);
		if (ret != KNOT_EOK) {
			return mail_change_named(change, MAIL_SECTION_DKIM, entry->id, diag, ret);
		}
	}

	/* Once for a domain: of its own entry, or else of one of its keys. */
	if (is_key && (mail_change_find(change, MAIL_SECTION_DOMAIN, owner) != NULL ||
	               mail_change_key_of(change, owner) != entry)) {
		return KNOT_EOK;
	}
	/* Of too many to be listed, all that were written are looked at in one walk. */
	return is_written(change, &domain) ? KNOT_EOK
	                                   : domain_check(change, mail_lf(&lf), &domain, diag);
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
	/* Of an entry alone, that was done when it was put. */
	int ret = change->alone ? KNOT_EOK : mail_change_uses_check(change, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (change->lint == NULL) {
		change->lint = mail_lint_new(&change->source);
	}
	if (change->lint == NULL) {
		return KNOT_ENOMEM;
	}
	const bool layers = mail_change_has_layers(change);
	if (layers || change->policy_keys) {
		ret = mail_change_policies(change, &affected, diag);
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

/*! Warn if very many of the domains that were looked at are signed with RSA. */
static void rsa_check(const mail_change_t *change, mail_diag_t *diag)
{
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	/* They are known to be so when only a host changes. */
	if (change->touched[MAIL_SECTION_KEYSET] || change->touched[MAIL_SECTION_POLICY] ||
	    change->touched[MAIL_SECTION_DOMAIN]) {
		mail_lint_rsa_warn(&change->rsa, &own);
	}
	mail_change_warn(&warnings, NULL, MAIL_SECTION_KEYSET, MAIL_STR(change->rsa.set), diag);
	mail_buf_free(&warnings);
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
		rsa_check(change, diag);
	}
	if (!change->alone) {
		mail_lint_free(change->lint);
		change->lint = NULL;
	}
	return ret;
}
