/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan as it is used: owners are found, rows compared. make.c makes it. */
#include "config.h"

#include "plan/build.h"
#include "mail/mem.h"

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

static uint32_t owners_ttl_max(const mail_owners_t *owners, uint32_t ttl)
{
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const mail_row_t *row = &owners->owners[i].rows[j];
			ttl = row->ttl > ttl ? row->ttl : ttl;
		}
	}
	return ttl;
}

uint32_t mail_plan_ttl_max(const mail_plan_t *plan)
{
	return owners_ttl_max(&plan->absolute, owners_ttl_max(&plan->relative, plan->ttl));
}

static size_t owners_size(const mail_owners_t *owners)
{
	size_t size = owners->count * sizeof(*owners->owners);
	for (size_t i = 0; i < owners->count; i++) {
		const mail_owner_t *owner = &owners->owners[i];
		size += owner->name.len + owner->count * sizeof(*owner->rows);
		for (size_t j = 0; j < owner->count; j++) {
			size += owner->rows[j].rdata.ops.cap;
		}
	}
	return size;
}

size_t mail_plan_size(const mail_plan_t *plan)
{
	size_t size = sizeof(*plan) + owners_size(&plan->relative) + owners_size(&plan->absolute);
	for (size_t i = 0; i < plan->dependency_count; i++) {
		size += sizeof(*plan->dependencies) + plan->dependencies[i].id.len;
	}
	for (size_t i = 0; i < plan->report_count; i++) {
		size += sizeof(*plan->reports) + plan->reports[i].len;
	}
	size += plan->key_count * sizeof(*plan->keys) + plan->step_count * sizeof(*plan->steps);
	return plan->profile != NULL ? size + mail_profile_size(plan->profile) : size;
}

static void owners_free(mail_owners_t *owners)
{
	for (size_t i = 0; i < owners->count; i++) {
		mail_owner_t *owner = &owners->owners[i];
		for (size_t j = 0; j < owner->count; j++) {
			mail_rdata_free(&owner->rows[j].rdata);
		}
		mail_free(owner->rows);
		mail_free((void *)owner->name.data);
	}
	mail_free(owners->owners);
}

void mail_plan_free(mail_plan_t *plan)
{
	if (plan == NULL) {
		return;
	}
	owners_free(&plan->relative);
	owners_free(&plan->absolute);
	for (size_t i = 0; i < plan->dependency_count; i++) {
		mail_free((void *)plan->dependencies[i].id.data);
	}
	mail_free(plan->dependencies);
	for (size_t i = 0; i < plan->report_count; i++) {
		mail_free((void *)plan->reports[i].data);
	}
	mail_free(plan->reports);
	mail_free(plan->keys);
	mail_free(plan->steps);
	mail_profile_free(plan->profile);
	mail_free(plan);
}
