/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apply and diff: a file in the dialect and the store.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool/guard.h"
#include "mail/change.h"
#include "mail/text.h"
#include "tool/out.h"

/*! \brief A file, and what is to be deleted besides it. */
typedef struct {
	mail_entries_t entries;
	mail_entry_t **sorted; /*!< The same, by section and id. */
	mail_entries_t pruned; /*!< Entries to delete. */
	unsigned sections;     /*!< Bits of --prune. */
	size_t pruned_cap;
} file_t;

/*! \brief Reads a PEM file that a value names; relative names begin at the directory of the file. */
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
	FILE *file = ret == KNOT_EOK ? fopen((const char *)path.data, "re") : NULL;
	if (ret == KNOT_EOK && file == NULL) {
		ret = knot_map_errno_code(errno);
	}
	mail_buf_free(&path);
	char part[4096];
	size_t got;
	while (file != NULL && ret == KNOT_EOK && (got = fread(part, 1, sizeof(part), file)) > 0) {
		ret = out->len + got > 1 << 20 ? KNOT_ERANGE : mail_buf_put(out, part, got);
	}
	if (file != NULL) {
		if (ret == KNOT_EOK && ferror(file)) {
			ret = KNOT_EFILE;
		}
		explicit_bzero(part, sizeof(part));
		(void)fclose(file);
	}
	return ret;
}

static int compare(const mail_entry_t *a, mail_section_t section, mail_str_t id)
{
	if (a->section != section) {
		return a->section < section ? -1 : 1;
	}
	size_t len = a->id.len < id.len ? a->id.len : id.len;
	int order = memcmp(a->id.data, id.data, len);
	return order != 0 ? order : (a->id.len > id.len) - (a->id.len < id.len);
}

static int compare_entries(const void *a, const void *b)
{
	const mail_entry_t *other = *(mail_entry_t *const *)b;
	return compare(*(mail_entry_t *const *)a, other->section, other->id);
}

static bool has_entry(const file_t *file, const mail_entry_t *entry)
{
	size_t low = 0, high = file->entries.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(file->sorted[middle], entry->section, entry->id);
		if (order == 0) {
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

static int prune_one(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	file_t *file = ctx;
	mail_entries_t *pruned = &file->pruned;
	if (has_entry(file, entry)) {
		mail_entry_free(entry);
		return STATUS_DONE;
	}
	if (pruned->count == file->pruned_cap) {
		size_t cap = file->pruned_cap == 0 ? 64 : file->pruned_cap * 2;
		mail_entry_t **grown = realloc(pruned->entries, cap * sizeof(*grown));
		if (grown == NULL) {
			mail_entry_free(entry);
			return tool_error(tool, KNOT_ENOMEM, "out of memory");
		}
		pruned->entries = grown;
		file->pruned_cap = cap;
	}
	pruned->entries[pruned->count++] = entry;
	return STATUS_DONE;
}

static int parse_sections(tool_t *tool, option_id_t id, unsigned *bits)
{
	*bits = 0;
	for (size_t i = 0; i < tool->given[id].count; i++) {
		const char *name = tool->given[id].values[i];
		mail_section_t section = mail_section_find(MAIL_STR(name));
		if (section == MAIL_SECTION_COUNT) {
			return tool_usage(tool, "--%s: there is no section %s",
			                  tool_options[id].name, name);
		}
		*bits |= 1u << section;
	}
	return STATUS_DONE;
}

static int read_file(tool_t *tool, const char *path, file_t *file)
{
	mail_buf_t text = { 0 };
	int status = parse_sections(tool, OPT_PRUNE, &file->sections);
	if (status == STATUS_DONE) {
		status = tool_read(tool, path, &text);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	tool->file = path;
	int ret = mail_text_parse(mail_buf_view(&text), read_pem, tool, &file->entries,
	                          tool_diag(tool));
	mail_buf_free(&text);
	if (ret != KNOT_EOK) {
		return tool_error_diag(tool, ret);
	}
	size_t count = file->entries.count;
	file->sorted = calloc(count + 1, sizeof(*file->sorted));
	if (file->sorted == NULL) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	if (count > 0) {
		memcpy(file->sorted, file->entries.entries, count * sizeof(*file->sorted));
		qsort(file->sorted, count, sizeof(*file->sorted), compare_entries);
	}
	return STATUS_DONE;
}

static void free_file(file_t *file)
{
	free(file->sorted);
	mail_entries_free(&file->entries);
	mail_entries_free(&file->pruned);
}

/*! \brief Finds what --prune deletes. */
static int find_pruned(tool_t *tool, file_t *file)
{
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		if ((file->sections & (1u << i)) == 0) {
			continue;
		}
		int status = tool_walk(tool, (mail_section_t)i, MAIL_STR(""), prune_one, file);
		if (status != STATUS_DONE) {
			return status;
		}
	}
	return STATUS_DONE;
}

/*!
 * \brief Gives a certificate set of the file the time of publication that writing it keeps: a file
 *        that says nothing of it does not change it while `next` stays (mail/change.h).
 */
static int keep_publish(const mail_entry_t *old, mail_entry_t *new)
{
	if (old == NULL || new->section != MAIL_SECTION_CERTIFICATE || new->deleted ||
	    mail_entry_member(new, MAIL_ITEM_PUBLISH, MAIL_OP_SET) != NULL) {
		return KNOT_EOK;
	}
	const mail_member_t *publish = mail_entry_member(old, MAIL_ITEM_PUBLISH, MAIL_OP_SET);
	const mail_member_t *was = mail_entry_member(old, MAIL_ITEM_NEXT, MAIL_OP_SET);
	const mail_member_t *is = mail_entry_member(new, MAIL_ITEM_NEXT, MAIL_OP_SET);
	if (publish == NULL || was == NULL || is == NULL || was->count != is->count) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < was->count; i++) {
		if (!mail_str_equal(was->values[i].text, is->values[i].text)) {
			return KNOT_EOK;
		}
	}
	return mail_entry_add(new, publish->item, MAIL_OP_SET, publish->values[0].text, 0);
}

/*! \brief Prints how the store would change. \param different Out. */
static int print_difference(tool_t *tool, const file_t *file, bool *different)
{
	*different = false;
	for (size_t i = 0; i < file->entries.count && !ferror(stdout); i++) {
		mail_entry_t *new = file->entries.entries[i], *old = NULL;
		int ret = mail_txn_get(tool->txn, new->section, new->id, &old);
		if (ret == KNOT_EOK) {
			ret = keep_publish(old, new);
		} else if (ret == KNOT_ENOENT || ret == KNOT_EMALF) {
			/* A damaged one is replaced as if it were not there. */
			old = NULL;
			ret = KNOT_EOK;
		}
		if (ret != KNOT_EOK) {
			mail_entry_free(old);
			return tool_error(tool, ret, "%s %.*s: the stored entry cannot be read: %s",
			                  mail_section_name(new->section), (int)new->id.len,
			                  new->id.data, knot_strerror(ret));
		}
		*different = tool_difference(tool, old, new) || *different;
		mail_entry_free(old);
	}
	for (size_t i = 0; i < file->pruned.count && !ferror(stdout); i++) {
		*different = tool_difference(tool, file->pruned.entries[i], NULL) || *different;
	}
	return STATUS_DONE;
}

static int write_all(tool_t *tool, const file_t *file, mail_change_count_t *count)
{
	mail_diag_t *diag = tool_diag(tool);
	mail_change_t *change = mail_change_begin(tool->txn);
	int ret = change == NULL ? KNOT_ENOMEM : KNOT_EOK;
	for (size_t i = 0; i < file->entries.count && ret == KNOT_EOK; i++) {
		ret = guard_note(tool, file->entries.entries[i]);
		ret = ret == KNOT_EOK ? mail_change_put(change, file->entries.entries[i], diag)
		                      : ret;
	}
	for (size_t i = 0; i < file->pruned.count && ret == KNOT_EOK; i++) {
		file->pruned.entries[i]->deleted = true;
		ret = guard_note(tool, file->pruned.entries[i]);
		ret = ret == KNOT_EOK ? mail_change_put(change, file->pruned.entries[i], diag)
		                      : ret;
	}
	if (ret == KNOT_EOK) {
		ret = mail_change_finish(change, count, diag);
	}
	mail_change_free(change);
	return ret == KNOT_EOK ? STATUS_DONE : tool_error_diag(tool, ret);
}

static void print_count(const tool_t *tool, const mail_change_count_t *count, bool done)
{
	if (tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "added", json_integer((json_int_t)count->added));
		json_object_set_new(object, "changed", json_integer((json_int_t)count->changed));
		json_object_set_new(object, "deleted", json_integer((json_int_t)count->deleted));
		json_object_set_new(object, "same", json_integer((json_int_t)count->same));
		json_object_set_new(object, "domains", json_integer((json_int_t)count->domains));
		json_object_set_new(object, "done", json_boolean(done));
		(void)tool_json(object);
		return;
	}
	(void)printf("%zu added, %zu changed, %zu deleted, %zu unchanged; %zu %s%s\n", count->added,
	             count->changed, count->deleted, count->same, count->domains,
	             count->domains == 1 ? "domain concerned" : "domains concerned",
	             done ? "" : " (dry run: nothing is written)");
}

static int apply(tool_t *tool, const char *path, file_t *file)
{
	bool dry = option_is(tool, OPT_DRY_RUN), different;
	mail_change_count_t count = { 0 };
	int status = read_file(tool, path, file);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = find_pruned(tool, file);
	}
	if (status == STATUS_DONE && dry) {
		status = print_difference(tool, file, &different);
	}
	if (status == STATUS_DONE) {
		status = write_all(tool, file, &count);
	}
	if (status == STATUS_DONE && !dry) {
		status = tool_commit(tool);
	}
	if (status == STATUS_DONE) {
		print_count(tool, &count, !dry);
	}
	return status;
}

int verb_apply(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	file_t file = { 0 };
	int status = apply(tool, argv[0], &file);
	free_file(&file);
	return status;
}

int verb_diff(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	file_t file = { 0 };
	bool different = false;
	int status = read_file(tool, argv[0], &file);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status == STATUS_DONE) {
		status = find_pruned(tool, &file);
	}
	if (status == STATUS_DONE) {
		status = print_difference(tool, &file, &different);
	}
	free_file(&file);
	return status != STATUS_DONE ? tool->verb->failed : different ? 1 : 0;
}
