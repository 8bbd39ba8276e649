/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a plan: every kind writes its rows, which are then sorted into canonical order (RFC 4034 6.1),
 * grouped by owner, and looked over for what cannot stand beside each other (check.c).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "mail/kind.h"
#include "plan/build.h"

/*! A row and where it belongs, before they are grouped. */
struct mail_build_row {
	mail_lf_t name; /*!< Its octets belong to the build, then to the plan. */
	size_t order;   /*!< As they were appended. */
	bool absolute;
	mail_row_t row;
};

int mail_build_target(mail_build_t *build, mail_item_id_t item, const mail_setting_t *setting,
                      const mail_pattern_t *target)
{
	if (!target->hole || target->tail_len > 0) {
		return KNOT_EOK;
	}
	mail_build_target_t *grown = realloc(build->targets,
	                                     (build->target_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		return KNOT_ENOMEM;
	}
	build->targets = grown;
	mail_build_target_t *noted = &grown[build->target_count++];
	mail_pattern_t labels = *target;
	knot_dname_storage_t name;
	labels.hole = false;
	(void)mail_pattern_name(&labels, NULL, name);
	mail_name_lf(name, &noted->name);
	noted->item = item;
	noted->setting = setting;
	return KNOT_EOK;
}

int mail_build_row(mail_build_t *build, const mail_pattern_t *owner, mail_row_t *row)
{
	knot_dname_storage_t name;
	mail_lf_storage_t lf;
	mail_build_row_t *grown = NULL;
	uint8_t *copy = NULL;
	int ret = row->rdata.ops.error;
	if (ret == KNOT_EOK && owner->hole && owner->tail_len > 0) {
		ret = mail_diag_error(build->diag, 0, "an owner may not hold %s", MAIL_HOLE);
	}
	if (ret == KNOT_EOK) {
		/* Of a relative owner only its own labels are kept. */
		mail_pattern_t labels = *owner;
		labels.hole = false;
		ret = mail_pattern_name(&labels, NULL, name);
	}
	if (ret != KNOT_EOK) {
		mail_rdata_free(&row->rdata);
		return ret;
	}
	mail_name_lf(name, &lf);
	grown = realloc(build->rows, (build->row_count + 1) * sizeof(*grown));
	build->rows = grown != NULL ? grown : build->rows;
	copy = malloc(lf.len + 1);
	if (grown == NULL || copy == NULL) {
		free(copy);
		mail_rdata_free(&row->rdata);
		return KNOT_ENOMEM;
	}
	memcpy(copy, lf.data, lf.len);
	row->kind = build->kind;
	row->ttl = row->ttl == UINT32_MAX ? build->plan->ttl : row->ttl;
	grown[build->row_count] = (mail_build_row_t){
		{ copy, lf.len }, build->row_count, !owner->hole, *row
	};
	build->row_count++;

	size_t room = mail_rdata_apex_max(&row->rdata);
	if (owner->hole && KNOT_DNAME_MAXLEN - (size_t)owner->head_len < room) {
		room = KNOT_DNAME_MAXLEN - owner->head_len;
	}
	if (room < build->plan->apex_max) {
		build->plan->apex_max = room;
	}
	return KNOT_EOK;
}

int mail_build_put(mail_build_t *build, const char *owner, uint16_t type, mail_rdata_t *rdata)
{
	mail_pattern_t pattern;
	mail_row_t row = { .rdata = *rdata, .until = INT64_MAX, .ttl = UINT32_MAX, .type = type };
	int ret = mail_pattern_parse(MAIL_STR(owner), &pattern, build->diag);
	if (ret != KNOT_EOK) {
		mail_rdata_free(rdata);
		return ret;
	}
	return mail_build_row(build, &pattern, &row);
}

int mail_build_bad(mail_build_t *build, mail_item_id_t item, const mail_setting_t *setting, int ret)
{
	mail_diag_t *diag = build->diag;
	char reason[sizeof(diag->text)];
	(void)snprintf(reason, sizeof(reason), "%s", diag->text);
	(void)mail_diag_error(diag, diag->column, "%s: %s", mail_item_get(item)->name, reason);
	if (setting != NULL && setting->line != 0) {
		diag->line = setting->line;
	}
	return ret;
}

void mail_build_free(mail_build_t *build)
{
	for (size_t i = 0; i < build->row_count; i++) {
		free((void *)build->rows[i].name.data);
		mail_rdata_free(&build->rows[i].row.rdata);
	}
	free(build->rows);
	free(build->targets);
	for (size_t i = 0; i < build->host_count; i++) {
		mail_entry_free(build->hosts[i].entry);
	}
	free(build->hosts);
}

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

const mail_owner_t *mail_owners_find(const mail_owners_t *owners, mail_lf_t name, size_t *at)
{
	const uint64_t prefix = mail_lf_prefix(name);
	size_t low = 0, high = owners->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const mail_owner_t *owner = &owners->owners[middle];
		int diff = (owner->prefix > prefix) - (owner->prefix < prefix);
		if (diff == 0) {
			diff = mail_lf_compare(owner->name, name);
		}
		if (diff == 0) {
			if (at != NULL) {
				*at = middle;
			}
			return owner;
		}
		if (diff < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (at != NULL) {
		*at = low;
	}
	return NULL;
}

bool mail_rows_same(const mail_row_t *a, const mail_row_t *b)
{
	return a->type == b->type && a->rdata.holes == b->rdata.holes &&
	       a->rdata.text == b->rdata.text &&
	       mail_str_equal(mail_buf_view(&a->rdata.ops), mail_buf_view(&b->rdata.ops));
}

bool mail_rows_overlap(const mail_row_t *a, const mail_row_t *b)
{
	return a->from < b->until && b->from < a->until;
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

/*! Moves the sorted rows [first, last) of one owner into the plan, equal ones once. */
static int owner_fill(mail_build_t *build, size_t first, size_t last, mail_owner_t *owner)
{
	owner->name = build->rows[first].name;
	owner->prefix = mail_lf_prefix(owner->name);
	build->rows[first].name.data = NULL;
	owner->rows = calloc(last - first, sizeof(*owner->rows));
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
			}
		}
		if (!known) {
			owner->rows[owner->count++] = *row;
			memset(row, 0, sizeof(*row));
		}
	}
	owner->steady = owner_steady(owner);
	return KNOT_EOK;
}

static int owners_fill(mail_build_t *build, size_t first, size_t last, mail_owners_t *owners)
{
	if (first == last) {
		return KNOT_EOK;
	}
	owners->owners = calloc(last - first, sizeof(*owners->owners));
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
	plan->steps = calloc(2 * build->row_count + 1, sizeof(*plan->steps));
	if (plan->steps == NULL) {
		return KNOT_ENOMEM;
	}
	plan->step_count = steps_of(&plan->relative, plan->steps);
	plan->step_count += steps_of(&plan->absolute, plan->steps + plan->step_count);
	qsort(plan->steps, plan->step_count, sizeof(*plan->steps), step_compare);
	return KNOT_EOK;
}

/*! Takes the profile's dependencies over and notes the newest. */
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

static int kinds_render(mail_build_t *build)
{
	for (unsigned i = 0; i < MAIL_KIND_COUNT; i++) {
		build->kind = i;
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

int mail_plan_make(mail_profile_t *profile, bool strict, mail_plan_t **plan, mail_diag_t *diag)
{
	mail_diag_t own = { 0 };
	mail_build_t build = { .profile = profile,
		               .strict = strict,
		               .diag = diag != NULL ? diag : &own };
	*plan = build.plan = calloc(1, sizeof(**plan));
	if (*plan == NULL) {
		return KNOT_ENOMEM;
	}
	(*plan)->ttl = mail_profile_number(profile, MAIL_ITEM_TTL, 3600);
	(*plan)->apex_max = KNOT_DNAME_MAXLEN;
	int ret = kinds_render(&build);
	if (ret == KNOT_EOK) {
		ret = rows_group(&build);
	}
	if (ret == KNOT_EOK) {
		ret = mail_plan_check(&build);
	}
	if (ret == KNOT_EOK) {
		ret = steps_fill(&build);
	}
	mail_build_free(&build);
	if (ret != KNOT_EOK) {
		mail_plan_free(*plan);
		*plan = NULL;
		return ret;
	}
	dependencies_take(*plan, profile);
	return KNOT_EOK;
}

static void owners_free(mail_owners_t *owners)
{
	for (size_t i = 0; i < owners->count; i++) {
		mail_owner_t *owner = &owners->owners[i];
		for (size_t j = 0; j < owner->count; j++) {
			mail_rdata_free(&owner->rows[j].rdata);
		}
		free(owner->rows);
		free((void *)owner->name.data);
	}
	free(owners->owners);
}

void mail_plan_free(mail_plan_t *plan)
{
	if (plan == NULL) {
		return;
	}
	owners_free(&plan->relative);
	owners_free(&plan->absolute);
	for (size_t i = 0; i < plan->dependency_count; i++) {
		free((void *)plan->dependencies[i].id.data);
	}
	free(plan->dependencies);
	for (size_t i = 0; i < plan->report_count; i++) {
		free((void *)plan->reports[i].data);
	}
	free(plan->reports);
	free(plan->keys);
	free(plan->steps);
	free(plan);
}
