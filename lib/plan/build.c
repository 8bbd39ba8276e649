/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan being made: what the renderers of the kinds (kinds.c) add to it. */
#include "config.h"

#include <stdio.h>

#include "plan/build.h"
#include "mail/mem.h"

int mail_build_target(mail_build_t *build, mail_item_id_t item, const mail_setting_t *setting,
                      const mail_pattern_t *target)
{
	if (!target->hole || target->tail_len > 0) {
		return KNOT_EOK;
	}
	mail_build_target_t *grown = mail_realloc(build->targets,
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
	grown = mail_realloc(build->rows, (build->row_count + 1) * sizeof(*grown));
	build->rows = grown != NULL ? grown : build->rows;
	copy = mail_malloc(lf.len + 1);
	if (grown == NULL || copy == NULL) {
		mail_free(copy);
		mail_rdata_free(&row->rdata);
		return KNOT_ENOMEM;
	}
	memcpy(copy, lf.data, lf.len);
	row->kind = build->kind;
	row->common = row->ttl == UINT32_MAX;
	row->ttl = row->common ? build->plan->ttl : row->ttl;
	grown[build->row_count] = (mail_build_row_t){
		.name = { copy, lf.len },
		.order = build->row_count,
		.absolute = !owner->hole,
		.row = *row,
		.octets = row->rdata.ops.data,
		.setting = build->setting,
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

const mail_setting_t *mail_build_origin(const mail_build_t *build, const mail_row_t *row)
{
	for (size_t i = 0; i < build->row_count; i++) {
		if (build->rows[i].octets == row->rdata.ops.data) {
			return build->rows[i].setting;
		}
	}
	return NULL;
}

bool mail_build_old(const mail_build_t *build, const mail_row_t *row)
{
	return build->profile->untouched && mail_build_own(build, mail_build_origin(build, row));
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
		mail_free((void *)build->rows[i].name.data);
		mail_rdata_free(&build->rows[i].row.rdata);
	}
	mail_free(build->rows);
	mail_free(build->targets);
	for (size_t i = 0; i < build->host_count; i++) {
		mail_entry_free(build->hosts[i].entry);
	}
	mail_free(build->hosts);
}
