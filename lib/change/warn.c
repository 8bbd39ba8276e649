/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Warnings of a change, and what is risky in its hosts and DKIM keys alone. */
#include "config.h"

#include "change/internal.h"

void mail_change_warn(const mail_buf_t *kept, const mail_buf_t *above, mail_section_t section,
                      mail_str_t id, mail_diag_t *diag)
{
	const mail_str_t domain = section == MAIL_SECTION_DOMAIN ? id : MAIL_STR("");
	const char *text;
	for (size_t pos = 0; (text = mail_warning_next(kept, &pos)) != NULL;) {
		if (above == NULL || !mail_warning_kept(above, text, domain)) {
			mail_diag_warn(diag, "%s %.*s: %s", mail_section_name(section), (int)id.len,
			               id.data, text);
		}
	}
}

void mail_change_host_lint(const mail_change_t *change, const mail_entry_t *entry,
                           mail_diag_t *diag)
{
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	mail_lint_host(change->lint, mail_entry_value(entry, MAIL_ITEM_NAME), &own);
	mail_change_warn(&warnings, NULL, MAIL_SECTION_HOST, entry->id, diag);
	mail_buf_free(&warnings);
}

int mail_change_key_lint(const mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag)
{
	const mail_str_t cname = mail_entry_value(entry, MAIL_ITEM_CNAME);
	mail_buf_t warnings = { 0 };
	mail_diag_t own = { .warn = mail_warning_keep, .warn_ctx = &warnings };
	if (cname.len == 0) {
		return KNOT_EOK;
	}
	int ret = mail_lint_key(change->lint, entry->id, cname, &own);
	mail_change_warn(&warnings, NULL, MAIL_SECTION_DKIM, entry->id, diag);
	mail_buf_free(&warnings);
	return ret == KNOT_EINVAL ? mail_diag_error(diag, 0, "%s", own.text) : ret;
}
