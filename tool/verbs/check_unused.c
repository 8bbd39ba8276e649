/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hosts and certificates that nothing names: they are stored, and have no records anywhere.
 */

#include <stdlib.h>

#include "tool/open.h"
#include "tool/out.h"
#include "tool/verbs/check.h"

struct check_unused {
	mail_section_t section;
	char *id;
	bool used;
};

static int compare(const void *a_ptr, const void *b_ptr)
{
	const struct check_unused *a = a_ptr, *b = b_ptr;
	return a->section != b->section ? (a->section > b->section) - (a->section < b->section)
	                                : strcmp(a->id, b->id);
}

static void remember(check_t *check, mail_section_t section, mail_str_t id)
{
	const size_t count = check->unused_count;
	/* Grown whenever the count reaches a power of two. */
	if ((count & (count - 1)) == 0) {
		check->unused = tool_memory(
			check->tool,
			realloc(check->unused, (2 * count + 1) * sizeof(*check->unused)));
	}
	check->unused[count] = (struct check_unused){
		.section = section,
		.id = tool_memory(check->tool, strndup(id.data, id.len)),
	};
	check->unused_count++;
}

void check_unused_begin(check_t *check)
{
	static const mail_section_t sections[] = { MAIL_SECTION_HOST, MAIL_SECTION_CERTIFICATE };
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		mail_lf_storage_t key = { 0 };
		mail_entry_t *entry = NULL;
		int ret;
		/* A damaged one is told of in its own turn. */
		while ((ret = mail_txn_next(check->tool->txn, sections[i], &key, &entry)) !=
		               KNOT_ENOENT &&
		       ret != KNOT_ENOMEM) {
			if (ret == KNOT_EOK) {
				remember(check, sections[i], entry->id);
				mail_entry_free(entry);
			}
		}
	}
	if (check->unused_count > 0) {
		qsort(check->unused, check->unused_count, sizeof(*check->unused), compare);
	}
}

void check_unused_mark(check_t *check, mail_section_t section, mail_str_t id)
{
	char text[256];
	const struct check_unused wanted = { .section = section, .id = text };
	if (check->unused_count == 0 || id.len >= sizeof(text)) {
		return;
	}
	memcpy(text, id.data, id.len);
	text[id.len] = '\0';
	struct check_unused *found = bsearch(&wanted, check->unused, check->unused_count,
	                                     sizeof(wanted), compare);
	if (found != NULL) {
		found->used = true;
	}
}

void check_unused_end(check_t *check)
{
	for (size_t i = 0; i < check->unused_count; i++) {
		const struct check_unused *entry = &check->unused[i];
		check->section = mail_section_name(entry->section);
		check->id = MAIL_STR(entry->id);
		if (!entry->used) {
			check_report(check, false, "%s, so nobody can see its records",
			             entry->section == MAIL_SECTION_HOST
			                     ? "no policy or domain lists the host"
			                     : "no host names the certificate");
		}
		free(entry->id);
	}
	free(check->unused);
	check->unused = NULL;
	check->unused_count = 0;
}
