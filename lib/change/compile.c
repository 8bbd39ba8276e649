/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a change compiles once: policies, and the first domain of each shape (shape.c).
 */
#include "config.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "change/internal.h"
#include "change/shape.h"
#include "mail/codec.h"
#include "mail/dkim_id.h"

/*! Shapes that are remembered; a power of two. One that comes later may take the place of another. */
#define SHAPES 256
/*! Octets of names that were asked for. */
#define ASKED_MAX 4096

static int checked_compare(const void *a_ptr, const void *b_ptr)
{
	const mail_checked_t *a = a_ptr, *b = b_ptr;
	size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	int diff = common > 0 ? memcmp(a->id.data, b->id.data, common) : 0;
	return diff != 0 ? diff : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

static void checked_free(void *ptr)
{
	mail_checked_t *checked = ptr;
	if (checked == NULL) {
		return;
	}
	mail_plan_free(checked->plan);
	mail_buf_free(&checked->warnings);
	mail_buf_free(&checked->names);
	free((void *)checked->id.data);
	free(checked);
}

static void shapes_free(mail_change_t *change)
{
	for (size_t i = 0; change->shapes != NULL && i < SHAPES; i++) {
		checked_free(change->shapes[i]);
	}
	free(change->shapes);
	change->shapes = NULL;
	change->asked.len = 0;
}

void mail_change_plans_free(mail_change_t *change)
{
	tdestroy(change->plans, checked_free);
	change->plans = NULL;
	shapes_free(change);
	mail_buf_free(&change->shape);
	mail_buf_free(&change->asked);
	mail_arena_free(change->arena);
	change->arena = NULL;
	mail_plan_free(change->above_plan);
	change->above_plan = NULL;
}

/*! Return whether a domain is stored now, or was, that names lie in which were asked for. */
static bool was_asked(const mail_change_t *change, const mail_entry_t *put)
{
	mail_lf_storage_t key;
	mail_dkim_id_t id;
	mail_str_t domain = put->id;
	if (put->section == MAIL_SECTION_DKIM) {
		domain = mail_dkim_id_parse(put->id, &id, NULL) == KNOT_EOK ? id.owner : domain;
	}
	return mail_entry_key(MAIL_SECTION_DOMAIN, domain, &key) != KNOT_EOK ||
	       mail_lint_concerns(&change->asked, mail_lf(&key));
}

void mail_change_plans_renew(mail_change_t *change)
{
	if (change->policy_keys || mail_change_has_layers(change)) {
		mail_change_plans_free(change);
		mail_lint_free(change->lint);
		change->lint = NULL;
		return;
	}
	/* The tree has one entry, if any. */
	const mail_entry_t *put = change->listed != NULL ? *(mail_entry_t *const *)change->listed
	                                                 : NULL;
	if (change->asked.len > ASKED_MAX || change->asked.error != KNOT_EOK ||
	    (put != NULL && was_asked(change, put))) {
		shapes_free(change);
		mail_buf_free(&change->asked);
	}
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

int mail_change_named(mail_change_t *change, mail_section_t section, mail_str_t id,
                      mail_diag_t *diag, int ret)
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

bool mail_change_affects(const mail_change_t *change, const mail_dependency_t *dependencies,
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

const mail_buf_t *mail_change_warnings_above(mail_change_t *change, const mail_profile_t *profile,
                                             const mail_diag_t *given)
{
	const mail_checked_t *above = NULL;
	bool ours = false;
	/* It may be compiled here for the first time: then its own warnings are given, but it refuses nothing. */
	mail_diag_t diag = { .warn = given->warn, .warn_ctx = given->warn_ctx };
	if (profile->layer_count < 3) {
		return NULL; /* The defaults, and the layer itself. */
	}
	const mail_entry_t *entry = profile->layers[profile->layer_count - 2].entry;
	return mail_change_policy(change, entry->id, &above, &ours, &diag) == KNOT_EOK
	               ? &above->warnings
	               : NULL;
}

static mail_checked_t *checked_new(mail_str_t id)
{
	mail_checked_t *checked = calloc(1, sizeof(*checked));
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
static int policy_make(mail_change_t *change, mail_checked_t *checked, mail_profile_t **profile,
                       mail_diag_t *diag)
{
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &checked->warnings };
	int ret = mail_profile_of_policy(&change->source, checked->id, profile, &own);
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(*profile, true, &checked->plan, &own);
	}
	if (ret == KNOT_EOK) {
		const mail_lint_of_t of = { .plan = checked->plan, .names = &checked->names };
		checked->affected = mail_change_affects(change, checked->plan->dependencies,
		                                        checked->plan->dependency_count);
		ret = mail_lint(change->lint, &of, &own);
	}
	if (ret != KNOT_EOK) {
		mail_plan_free(checked->plan);
		checked->plan = NULL;
		diag->line = own.line;
		(void)mail_diag_error(diag, own.column, "%s", own.text);
	} else if (checked->affected && checked->warnings.len > 0) {
		mail_change_warn(&checked->warnings,
		                 mail_change_warnings_above(change, *profile, diag),
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
	*ours |= mail_change_affects(change, profile->dependencies, profile->dependency_count);
	/* Without a layer of its own the policy is not there, and the reason has its name. */
	return profile->layer_count > 1
	               ? mail_change_named(change, MAIL_SECTION_POLICY, id, diag, ret)
	               : KNOT_EINVAL;
}

int mail_change_policy(mail_change_t *change, mail_str_t id, const mail_checked_t **out, bool *ours,
                       mail_diag_t *diag)
{
	const mail_checked_t wanted = { .id = id };
	mail_checked_t *const *known = tfind(&wanted, &change->plans, checked_compare);
	if (known != NULL && ((*known)->plan != NULL || !*ours)) {
		*out = *known;
		return (*known)->plan != NULL ? KNOT_EOK : KNOT_EINVAL;
	}
	mail_checked_t *checked = checked_new(id);
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

bool mail_change_follows(const mail_change_t *change, mail_str_t policy)
{
	const mail_checked_t wanted = { .id = policy };
	mail_checked_t *const *checked = tfind(&wanted, &change->plans, checked_compare);
	return checked == NULL || (*checked)->affected;
}

int mail_change_policies(mail_change_t *change, bool *affected, mail_diag_t *diag)
{
	mail_lf_storage_t key = { 0 };
	for (;;) {
		mail_entry_t *entry = NULL;
		const mail_checked_t *checked = NULL;
		bool ours = false;
		int ret = mail_txn_next(change->txn, MAIL_SECTION_POLICY, &key, &entry);
		if (ret == KNOT_ENOENT) {
			return KNOT_EOK;
		}
		if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
			continue;
		}
		if (ret == KNOT_EOK) {
			ret = mail_change_policy(change, entry->id, &checked, &ours, diag);
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

/* --- Shapes --- */

/*! The place of a shape (FNV-1a). */
static mail_checked_t **shape_place(mail_change_t *change)
{
	uint32_t hash = 2166136261u;
	if (change->shapes == NULL) {
		change->shapes = calloc(SHAPES, sizeof(*change->shapes));
	}
	for (size_t i = 0; i < change->shape.len; i++) {
		hash = (hash ^ change->shape.data[i]) * 16777619u;
	}
	return change->shapes != NULL ? &change->shapes[(hash ^ hash >> 16) & (SHAPES - 1)] : NULL;
}

/*! Return whether there is a stored domain below one. */
static bool has_child(const mail_change_t *change, mail_lf_t name)
{
	mail_lf_storage_t next;
	const int ret = change->base->domain_seek(change->base, name, MAIL_SEEK_AFTER, &next, NULL);
	return ret == KNOT_EOK && mail_lf_below(mail_lf(&next), name);
}

/*! Return the entry of a domain that was written, until that of the next one is wanted; NULL: it cannot be read. */
static const mail_entry_t *written_entry(mail_change_t *change, mail_str_t id, mail_str_t value)
{
	mail_entry_t *entry = NULL;
	/* Most of very many are not listed, and to look for one takes longer than to read it. */
	const mail_entry_t *listed = change->all
	                                     ? NULL
	                                     : mail_change_find(change, MAIL_SECTION_DOMAIN, id);
	if (listed != NULL) {
		return listed;
	}
	if (change->arena == NULL) {
		change->arena = mail_arena_new();
	}
	if (change->arena == NULL) {
		return NULL;
	}
	mail_arena_reset(change->arena);
	mail_arena_t *before = mail_arena_open(change->arena);
	int ret = mail_codec_decode(MAIL_SECTION_DOMAIN, id, (const uint8_t *)value.data, value.len,
	                            &entry);
	mail_arena_close(before);
	return ret == KNOT_EOK ? entry : NULL;
}

bool mail_change_shape_write(mail_change_t *change, mail_lf_t name, mail_str_t id,
                             const mail_domain_t *domain)
{
	const mail_checked_t *policy = NULL;
	mail_diag_t quiet = { 0 };
	bool ours = false;
	if (!domain->alone && has_child(change, name)) {
		return false;
	}
	const mail_entry_t *entry = written_entry(change, id, domain->value);
	return entry != NULL &&
	       mail_change_policy(change, mail_entry_value(entry, MAIL_ITEM_POLICY), &policy, &ours,
	                          &quiet) == KNOT_EOK &&
	       mail_change_shape(entry, policy->plan, &change->shape);
}

const mail_checked_t *mail_change_shape_find(mail_change_t *change, mail_lf_t name)
{
	mail_checked_t **place = shape_place(change);
	const mail_checked_t *known = place != NULL ? *place : NULL;
	if (known == NULL || !mail_str_equal(known->id, mail_buf_view(&change->shape)) ||
	    mail_lint_concerns(&known->names, name)) {
		return NULL;
	}
	/* A host with a name in the domain meets what the domain has there, whatever the shape. */
	for (size_t i = 0; i < known->plan->absolute.count; i++) {
		if (mail_lf_in(known->plan->absolute.owners[i].name, name)) {
			return NULL;
		}
	}
	return known;
}

bool mail_change_shape_keep(mail_change_t *change, mail_str_t domain, mail_plan_t *plan,
                            mail_buf_t *names)
{
	mail_checked_t **place = shape_place(change);
	mail_checked_t *checked = place != NULL ? checked_new(mail_buf_view(&change->shape)) : NULL;
	if (checked == NULL) {
		return false;
	}
	for (size_t i = 0; i < plan->dependency_count; i++) {
		const mail_dependency_t *dependency = &plan->dependencies[i];
		const bool self = dependency->section == MAIL_SECTION_DOMAIN &&
		                  mail_str_equal(dependency->id, domain);
		checked->affected |= !self && mail_change_affects(change, dependency, 1);
	}
	checked->plan = plan;
	checked->names = *names;
	*names = (mail_buf_t){ 0 };
	checked_free(*place);
	*place = checked;
	return true;
}
