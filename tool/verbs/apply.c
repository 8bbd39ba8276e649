/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apply and diff: a file in the dialect and the store.
 */

#include <stdlib.h>

#include "tool/difference.h"
#include "tool/done.h"
#include "tool/file.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* A certificate chain or key is not larger. */
#define PEM_MAX ((size_t)1 << 20)

/*! \brief Read a PEM file that a value names; relative names begin at the directory of the file. */
static int read_pem(void *ctx, mail_str_t name, mail_buf_t *out)
{
	const tool_t *tool = ctx;
	const char *slash = strrchr(tool->file, '/');
	mail_buf_t path = { 0 };
	if (name.len > 0 && name.data[0] != '/' && slash != NULL) {
		(void)mail_buf_put(&path, tool->file, (size_t)(slash - tool->file) + 1);
	}
	(void)mail_buf_put(&path, name.data, name.len);
	int ret = mail_buf_u8(&path, '\0');
	if (ret == KNOT_EOK) {
		int error = file_read((const char *)path.data, out);
		ret = error != 0 ? knot_map_errno_code(error) : KNOT_EOK;
	}
	mail_buf_free(&path);
	return ret == KNOT_EOK && out->len > PEM_MAX ? KNOT_ERANGE : ret;
}

static int compare_entries(const void *a, const void *b)
{
	const mail_entry_t *one = *(mail_entry_t *const *)a, *other = *(mail_entry_t *const *)b;
	if (one->section != other->section) {
		return one->section < other->section ? -1 : 1;
	}
	return tool_compare(one->id, other->id);
}

/*! \brief Add what --prune deletes: the stored entries of its sections that are not among the entries. */
static void prune(tool_t *tool, mail_entries_t *entries)
{
	const unsigned sections = option_sections(tool, OPT_PRUNE, 0);
	const size_t count = entries->count, size = sizeof(mail_entry_t *);
	size_t cap = count;
	mail_entry_t **sorted = tool_memory(tool, calloc(count + 1, size));
	if (count > 0) {
		memcpy(sorted, entries->entries, count * size);
		qsort(sorted, count, size, compare_entries);
	}
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		tool_walk_t walk = { .section = (mail_section_t)i, .strict = true };
		while ((sections & (1u << i)) != 0 && tool_next(tool, &walk) != NULL) {
			if (bsearch(&walk.entry, sorted, count, size, compare_entries) != NULL) {
				continue;
			}
			if (entries->count == cap) {
				cap = 2 * cap + 64;
				entries->entries = tool_memory(
					tool, realloc(entries->entries, cap * size));
			}
			walk.entry->deleted = true;
			entries->entries[entries->count++] = walk.entry;
			walk.entry = NULL;
		}
	}
	free(sorted);
}

/*! \brief Read a file. The store is opened afterwards: a pipe may let its reader wait. */
static void read_entries(tool_t *tool, const char *path, mail_entries_t *entries)
{
	mail_buf_t text = { 0 };
	tool_read(tool, path, &text);
	tool->file = path;
	const char *misplaced = mail_text_misplaced(mail_text_look(mail_buf_view(&text)), "apply");
	if (misplaced != NULL) {
		tool_fail(tool, KNOT_EINVAL, "%s: %s", path, misplaced);
	}
	int ret = mail_text_parse(mail_buf_view(&text), read_pem, tool, entries, tool_diag(tool));
	mail_buf_free(&text);
	if (ret != KNOT_EOK) {
		tool_exit(tool, tool_error_diag(tool, ret));
	}
}

/*! \brief Print how the store would change. \return false: not at all. */
static bool print_difference(tool_t *tool, const mail_entries_t *entries)
{
	bool different = false;
	for (size_t i = 0; i < entries->count && !ferror(stdout); i++) {
		mail_entry_t *new = entries->entries[i], *old = NULL;
		int ret = mail_txn_get(tool->txn, new->section, new->id, &old);
		if (ret == KNOT_EOK) {
			/* What a file says nothing of stays as the writer keeps it. */
			ret = mail_change_keep(old, new);
		} else if (ret == KNOT_ENOENT || ret == KNOT_EMALF) {
			/* A damaged one is replaced as if it were not there. */
			ret = KNOT_EOK;
		}
		if (ret != KNOT_EOK) {
			tool_fail(tool, ret, "%s %.*s: the stored entry cannot be read: %s",
			          mail_section_name(new->section), (int)new->id.len, new->id.data,
			          knot_strerror(ret));
		}
		different |= difference_print(tool, old, new);
		mail_entry_free(old);
	}
	return different;
}

int verb_apply(tool_t *tool)
{
	const bool dry = option_is(tool, OPT_DRY_RUN);
	mail_entries_t entries = { 0 };
	mail_change_count_t count = { 0 };
	read_entries(tool, tool->argv[0], &entries);
	tool_open_store(tool, MAIL_STORE_WRITE);
	if (dry) {
		/* Whoever reads it may take long: nobody waits for that. */
		tool_begin(tool, MAIL_STORE_READ);
		prune(tool, &entries);
		(void)print_difference(tool, &entries);
		(void)fflush(stdout);
		tool_abort(tool);
	}
	tool_begin(tool, MAIL_STORE_WRITE);
	if (!dry) {
		prune(tool, &entries);
	}
	tool_put(tool, entries.entries, entries.count, &count);
	/* Of a file the sum is said, also when it has one entry. */
	done_free(tool);
	if (!dry) {
		tool_commit(tool);
	}
	tool_abort(tool);
	if (tool->json) {
		(void)tool_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "added",
		                          (json_int_t)count.added, "changed",
		                          (json_int_t)count.changed, "deleted",
		                          (json_int_t)count.deleted, "same", (json_int_t)count.same,
		                          "domains", (json_int_t)count.domains, "done", !dry));
	} else {
		tool_note(tool, "%s %sadded, %s changed, %s deleted, %s unchanged; %s %s%s",
		          tool_number(count.added), dry ? "would be " : "",
		          tool_number(count.changed), tool_number(count.deleted),
		          tool_number(count.same), tool_number(count.domains),
		          count.domains == 1 ? "domain concerned" : "domains concerned",
		          dry ? " (dry run: nothing is written)" : "");
	}
	mail_entries_free(&entries);
	return STATUS_DONE;
}

int verb_diff(tool_t *tool)
{
	mail_entries_t entries = { 0 };
	read_entries(tool, tool->argv[0], &entries);
	tool_open(tool, MAIL_STORE_READ);
	prune(tool, &entries);
	bool different = print_difference(tool, &entries);
	mail_entries_free(&entries);
	return different ? 1 : 0;
}
