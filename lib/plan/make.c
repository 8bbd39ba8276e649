/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a plan: every kind writes its rows, which are then sorted into canonical order (RFC 4034 6.1),
 * grouped by owner, and looked over for what cannot stand beside each other (check.c).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "mail/kind.h"
#include "mail/mem.h"
#include "plan/build.h"

static int row_compare(const void *a_ptr, const void *b_ptr)
{
	const mail_build_row_t *a = a_ptr, *b = b_ptr;
	if (a->absolute != b->absolute) {
		return a->absolute ? 1 : -1;
	}
	int diff = mail_lf_compare(a->name, b->name);
	if (diff != 0) {
		return diff;
	}
	if (a->row.type != b->row.type) {
		return a->row.type < b->row.type ? -1 : 1;
	}
	return a->order < b->order ? -1 : 1;
}

static int64_t owner_steady(const mail_owner_t *owner)
{
	int64_t steady = 0;
	for (size_t i = 0; i < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i];
		if (row->until < INT64_MAX ||
		    (row->type == KNOT_RRTYPE_CNAME && owner->count > 1)) {
			return INT64_MAX;
		}
		steady = row->from > steady ? row->from : steady;
	}
	return steady;
}

/*! Warn of a record that is given twice. */
static void twice_warn(mail_build_t *build, const mail_owner_t *owner, const mail_row_t *there,
                       const mail_row_t *row)
{
	if (!build->strict || !mail_row_literal(there) || !mail_row_literal(row)) {
		return;
	}
	char name[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)name, sizeof(name));
	mail_owner_print(owner->name, &text);
	mail_diag_warn(build->diag, "%s: a record of %.*s is given twice, and shown once%s",
	               mail_kinds[row->kind].name, (int)text.len, name,
	               there->ttl != row->ttl ? ", with the TTL that comes first" : "");
}

/*! Move the sorted rows [first, last) of one owner into the plan, equal ones once. */
static int owner_fill(mail_build_t *build, size_t first, size_t last, mail_owner_t *owner)
{
	owner->name = build->rows[first].name;
	owner->prefix = mail_lf_prefix(owner->name);
	build->rows[first].name.data = NULL;
	owner->rows = mail_calloc(last - first, sizeof(*owner->rows));
	if (owner->rows == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = first; i < last; i++) {
		mail_row_t *row = &build->rows[i].row;
		bool known = false;
		for (size_t j = 0; j < owner->count && !known; j++) {
			mail_row_t *there = &owner->rows[j];
			known = mail_rows_same(there, row) && mail_rows_overlap(there, row);
			if (known) {
				there->from = row->from < there->from ? row->from : there->from;
				there->until = row->until > there->until ? row->until
				                                         : there->until;
				twice_warn(build, owner, there, row);
			}
		}
		if (!known) {
			owner->rows[owner->count++] = *row;
			memset(row, 0, sizeof(*row));
		}
	}
	owner->steady = owner_steady(owner);
	owner->types = 0;
	for (size_t i = 0; i < owner->count; i++) {
		owner->types |= mail_type_bit(owner->rows[i].type);
	}
	return KNOT_EOK;
}

static int owners_fill(mail_build_t *build, size_t first, size_t last, mail_owners_t *owners)
{
	if (first == last) {
		return KNOT_EOK;
	}
	owners->owners = mail_calloc(last - first, sizeof(*owners->owners));
	if (owners->owners == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = first; i < last;) {
		const mail_build_row_t *row = &build->rows[i];
		size_t end = i + 1;
		while (end < last && mail_lf_equal(row->name, build->rows[end].name)) {
			end++;
		}
		int ret = owner_fill(build, i, end, &owners->owners[owners->count++]);
		if (ret != KNOT_EOK) {
			return ret;
		}
		i = end;
	}
	return KNOT_EOK;
}

static int step_compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static size_t steps_of(const mail_owners_t *owners, int64_t *steps)
{
	size_t count = 0;
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const mail_row_t *row = &owners->owners[i].rows[j];
			if (row->from > 0) {
				steps[count++] = row->from;
			}
			if (row->until < INT64_MAX) {
				steps[count++] = row->until;
			}
		}
	}
	return count;
}

static int steps_fill(mail_build_t *build)
{
	mail_plan_t *plan = build->plan;
	plan->steps = mail_calloc(2 * build->row_count + 1, sizeof(*plan->steps));
	if (plan->steps == NULL) {
		return KNOT_ENOMEM;
	}
	plan->step_count = steps_of(&plan->relative, plan->steps);
	plan->step_count += steps_of(&plan->absolute, plan->steps + plan->step_count);
	qsort(plan->steps, plan->step_count, sizeof(*plan->steps), step_compare);
	return KNOT_EOK;
}

/*! Take the profile's dependencies over and note the newest. */
static void dependencies_take(mail_plan_t *plan, mail_profile_t *profile)
{
	plan->dependencies = profile->dependencies;
	plan->dependency_count = profile->dependency_count;
	profile->dependencies = NULL;
	profile->dependency_count = 0;
	for (size_t i = 0; i < plan->dependency_count; i++) {
		if (plan->dependencies[i].stamp.timestamp > plan->stamp) {
			plan->stamp = plan->dependencies[i].stamp.timestamp;
		}
	}
}

/*! Hand a warning on with the item that it is about. */
static void warn_item(void *ctx, const char *text)
{
	const mail_build_t *build = ctx;
	if (build->kind == MAIL_KIND_COUNT) {
		mail_diag_warn(build->given, "%s", text);
		return;
	}
	const char *item = mail_kinds[build->kind].name;
	if (build->item != 0) {
		item = mail_item_get(build->item)->name;
	} else if (build->kind >= MAIL_KIND_SRV && build->kind < MAIL_KIND_AUTOCONFIG) {
		item = mail_item_get(MAIL_ITEM_SRV)->name;
	}
	if (build->host != NULL) {
		mail_diag_warn(build->given, "host %.*s: %s: %s", (int)build->host->id.len,
		               build->host->id.data, item, text);
		return;
	}
	mail_diag_warn(build->given, "%s: %s", item, text);
}

static int kinds_render(mail_build_t *build)
{
	for (unsigned i = 0; i < MAIL_KIND_COUNT; i++) {
		if ((build->kinds >> i & 1) == 0) {
			continue;
		}
		build->kind = i;
		build->setting = NULL;
		build->item = 0;
		build->host = NULL;
		int ret = mail_kinds[i].render != NULL ? mail_kinds[i].render(build, &mail_kinds[i])
		                                       : KNOT_EOK;
		if (ret == KNOT_ENOMEM || (ret != KNOT_EOK && build->strict)) {
			return ret;
		}
		if (ret != KNOT_EOK && build->plan->error == KNOT_EOK) {
			build->plan->error = ret;
			(void)snprintf(build->plan->reason, sizeof(build->plan->reason), "%s",
			               build->diag->text);
		}
	}
	return KNOT_EOK;
}

static int rows_group(mail_build_t *build)
{
	if (build->row_count > 0) {
		qsort(build->rows, build->row_count, sizeof(*build->rows), row_compare);
	}
	size_t relative = 0;
	while (relative < build->row_count && !build->rows[relative].absolute) {
		relative++;
	}
	int ret = owners_fill(build, 0, relative, &build->plan->relative);
	if (ret == KNOT_EOK) {
		ret = owners_fill(build, relative, build->row_count, &build->plan->absolute);
	}
	return ret;
}

/*! Make a plan of what a build has been given. */
static int plan_fill(mail_build_t *build)
{
	build->plan->ttl = mail_profile_ttl(build->profile);
	build->plan->apex_max = KNOT_DNAME_MAXLEN;
	int ret = kinds_render(build);
	build->kind = MAIL_KIND_COUNT;
	if (ret == KNOT_EOK) {
		ret = rows_group(build);
	}
	if (ret == KNOT_EOK) {
		ret = mail_plan_check(build);
	}
	return ret == KNOT_EOK ? steps_fill(build) : ret;
}

/*! Make a plan by a build that has its profile and kinds. */
static int plan_make(mail_build_t *build, mail_plan_t **plan)
{
	*plan = build->plan = mail_calloc(1, sizeof(**plan));
	if (*plan == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = plan_fill(build);
	mail_build_free(build);
	if (ret != KNOT_EOK) {
		mail_plan_free(*plan);
		*plan = NULL;
		return ret;
	}
	dependencies_take(*plan, build->profile);
	return KNOT_EOK;
}

int mail_plan_make(mail_profile_t *profile, bool strict, mail_plan_t **plan, mail_diag_t *diag)
{
	mail_diag_t own = { 0 };
	mail_build_t build = { .profile = profile,
		               .kinds = MAIL_KINDS_ALL,
		               .strict = strict,
		               .diag = &own,
		               .given = diag };
	if (diag != NULL) {
		own = *diag;
		own.warn = diag->warn != NULL ? warn_item : NULL;
		own.warn_ctx = &build;
	}
	int ret = plan_make(&build, plan);
	if (diag != NULL) {
		diag->line = own.line;
		diag->column = own.column;
		memcpy(diag->text, own.text, sizeof(diag->text));
	}
	return ret;
}

int mail_plan_make_kinds(mail_profile_t *profile, uint64_t kinds, mail_plan_t **plan)
{
	mail_diag_t diag = { 0 };
	mail_build_t build = { .profile = profile, .kinds = kinds, .diag = &diag };
	return plan_make(&build, plan);
}
