/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planned.h"

/*! Append a second as what is between it and NOW. */
static void show_second(int64_t second, mail_buf_t *out)
{
	if (second != 0 && second != INT64_MAX) {
		(void)mail_buf_printf(out, "%+lld", (long long)(second - NOW));
	}
}

/*! Append the RDATA of a row with its holes filled. */
static void show_row_rdata(const mail_row_t *row, mail_buf_t *out)
{
	static uint8_t octets[MAIL_RDATA_MAX];
	static uint8_t wire[] = "\x07"
				"example"
				"\x03"
				"org";
	const mail_apex_t apex = { wire, MAIL_STR(APEX) };
	int len = mail_rdata_fill(&row->rdata, &apex, octets, sizeof(octets));
	knot_rrset_t rrset;
	knot_rrset_init(&rrset, wire, row->type, KNOT_CLASS_IN, 0);
	if (len < 0 || knot_rrset_add_rdata(&rrset, octets, (uint16_t)len, NULL) != KNOT_EOK) {
		(void)mail_buf_printf(out, "cannot be filled: %d", len);
		return;
	}
	show_rdata(&rrset, 0, out);
	knot_rdataset_clear(&rrset.rrs, NULL);
}

static void show_rows(const mail_plan_t *plan, const mail_owners_t *owners, const char *kind,
                      mail_buf_t *out)
{
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const mail_owner_t *owner = &owners->owners[i];
			const mail_row_t *row = &owner->rows[j];
			const char *row_kind = mail_kinds[row->kind].name;
			knot_dname_storage_t name;
			if (kind != NULL && strcmp(kind, row_kind) != 0) {
				continue;
			}
			if (kind == NULL) {
				(void)mail_buf_printf(out, "%s: ", row_kind);
			}
			if (owner->name.len == 0) {
				(void)mail_buf_str(out, "@");
			} else if (mail_name_from_lf(owner->name, name) == KNOT_EOK) {
				show_name(name, out);
				(void)mail_buf_str(out, owners == &plan->absolute ? "." : "");
			}
			if (row->from != 0 || row->until != INT64_MAX) {
				(void)mail_buf_str(out, " [");
				show_second(row->from, out);
				(void)mail_buf_str(out, "..");
				show_second(row->until, out);
				(void)mail_buf_str(out, "]");
			}
			if (row->ttl != plan->ttl) {
				(void)mail_buf_printf(out, " %u", (unsigned)row->ttl);
			}
			(void)mail_buf_str(out, " ");
			show_type(row->type, out);
			(void)mail_buf_str(out, " ");
			show_row_rdata(row, out);
			(void)mail_buf_str(out, "\n");
		}
	}
}

void show_plan(const mail_plan_t *plan, const char *kind, mail_buf_t *out)
{
	show_rows(plan, &plan->relative, kind, out);
	show_rows(plan, &plan->absolute, kind, out);
}

int plan_of(const mail_source_t *source, const char *of, bool strict, mail_plan_t **plan,
            mail_diag_t *diag)
{
	mail_profile_t *profile = NULL;
	int ret = strchr(of, '.') == NULL
	                  ? mail_profile_of_policy(source, MAIL_STR(of), &profile, diag)
	                  : mail_profile_of_domain(source, MAIL_STR(of), &profile, diag);
	*plan = NULL;
	if (ret == KNOT_EOK) {
		ret = mail_plan_make(profile, strict, plan, diag);
	}
	mail_profile_free(profile);
	return ret;
}

static void warning_add(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

bool planned_again(planned_t *planned, bool strict)
{
	mail_plan_free(planned->plan);
	planned->warnings.len = 0;
	planned->diag = (mail_diag_t){ .warn = warning_add, .warn_ctx = &planned->warnings };
	planned->ret = plan_of(&planned->array.source, planned->domain ? APEX : "p", strict,
	                       &planned->plan, &planned->diag);
	return planned->ret == KNOT_EOK && planned->plan->error == KNOT_EOK;
}

bool planned_begin(planned_t *planned, const char *items, const char *others, bool strict)
{
	char text[4096];
	memset(planned, 0, sizeof(*planned));
	(void)snprintf(text, sizeof(text), "policy p| %s", items);
	array_begin(&planned->array);
	REQUIRE(array_put(&planned->array, text) && array_put(&planned->array, others));
	planned->domain = strstr(others, "domain " APEX "|") != NULL;
	return planned_again(planned, strict);
}

void planned_end(planned_t *planned)
{
	mail_plan_free(planned->plan);
	mail_buf_free(&planned->warnings);
	array_free(&planned->array);
}
