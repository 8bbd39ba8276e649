/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * export: everything as NDJSON that import reads, or domains as zone files.
 *
 * An entry comes after those that it refers to, so that an import in batches, or line by line, always
 * finds them: certificates, hosts, key sets, policies with their bases first, domains, aliases, keys.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tool/access.h"
#include "tool/file.h"
#include "tool/key_file.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/progress.h"
#include "tool/records.h"

static const mail_section_t order[] = {
	MAIL_SECTION_CERTIFICATE, MAIL_SECTION_HOST,   MAIL_SECTION_KEYSET,
	MAIL_SECTION_POLICY,      MAIL_SECTION_DOMAIN, MAIL_SECTION_DKIM,
};

/* --- NDJSON --- */

/*! \brief Entries that come behind others: policies, aliases. NULL: it was printed. */
typedef struct {
	mail_entry_t **entries;
	size_t count;
} waiting_t;

/*! \brief Return whether an entry has to wait for others of its section. */
static bool waits(const mail_entry_t *entry)
{
	return entry->section == MAIL_SECTION_POLICY ||
	       (entry->section == MAIL_SECTION_DOMAIN &&
	        mail_entry_member(entry, MAIL_ITEM_ALIAS, MAIL_OP_SET) != NULL);
}

static bool is_waiting(const waiting_t *waiting, mail_str_t id)
{
	for (size_t i = 0; i < waiting->count; i++) {
		const mail_entry_t *entry = waiting->entries[i];
		if (entry != NULL && mail_str_equal(entry->id, id)) {
			return true;
		}
	}
	return false;
}

/*! \brief Print what waits: a policy whose base still waits comes in a later round. */
static void export_waiting(tool_t *tool, waiting_t *waiting)
{
	bool printed = true, all = false;
	while (printed) {
		printed = false;
		for (size_t i = 0; i < waiting->count; i++) {
			mail_entry_t *entry = waiting->entries[i];
			/* Aliases of aliases there are none, so their order does not matter. */
			if (entry == NULL ||
			    (!all && entry->section == MAIL_SECTION_POLICY &&
			     is_waiting(waiting, mail_entry_value(entry, MAIL_ITEM_BASE)))) {
				continue;
			}
			tool_json_entry(tool, entry, NULL);
			mail_entry_free(entry);
			waiting->entries[i] = NULL;
			printed = true;
		}
		/* A circle that replication made is exported, too: every entry once. */
		if (!printed && !all) {
			all = printed = true;
		}
	}
	free(waiting->entries);
	*waiting = (waiting_t){ 0 };
}

static int export_all(tool_t *tool, unsigned sections, progress_t *progress)
{
	int status = STATUS_DONE;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		tool_walk_t walk = { .section = order[i] };
		waiting_t waiting = { 0 };
		if ((sections & (1u << order[i])) == 0) {
			continue;
		}
		while (tool_next(tool, &walk) != NULL) {
			if (waits(walk.entry)) {
				/* Grown whenever the count reaches a power of two. */
				const size_t count = waiting.count++;
				if ((count & (count - 1)) == 0) {
					waiting.entries = tool_memory(
						tool,
						realloc(waiting.entries,
					                (2 * count + 1) * sizeof(mail_entry_t *)));
				}
				waiting.entries[count] = walk.entry;
				walk.entry = NULL;
			} else {
				tool_json_entry(tool, walk.entry, NULL);
				progress_step(tool, progress);
			}
		}
		export_waiting(tool, &waiting);
		status |= walk.status;
	}
	return status;
}

static int export_domain(tool_t *tool, unsigned sections, const char *text)
{
	const mail_entry_t *entry = tool_entry(tool, MAIL_SECTION_DOMAIN, text);
	tool_walk_t walk = { 0 };
	if ((sections & (1u << MAIL_SECTION_DOMAIN)) != 0) {
		tool_json_entry(tool, entry, NULL);
	}
	if ((sections & (1u << MAIL_SECTION_DKIM)) != 0) {
		tool_walk_keys(tool, entry->id, &walk);
		while (tool_next(tool, &walk) != NULL) {
			tool_json_entry(tool, walk.entry, NULL);
		}
	}
	return walk.status;
}

/* --- Zone files --- */

/*! \brief Write DIR/NAME.zone: complete, or not at all. */
static void write_zone(tool_t *tool, const char *directory, const records_t *records)
{
	const mail_str_t domain = records->domain;
	char *path = NULL, *part = NULL;
	if (memchr(domain.data, '/', domain.len) != NULL || domain.data[0] == '.') {
		tool_fail(tool, KNOT_EINVAL, "domain %.*s: no name for a file", (int)domain.len,
		          domain.data);
	}
	if (asprintf(&path, "%s/%.*s.zone", directory, (int)domain.len, domain.data) < 0 ||
	    asprintf(&part, "%s.part", path) < 0) {
		tool_fail(tool, KNOT_ENOMEM, "out of memory");
	}
	(void)unlink(part);
	FILE *file = fopen(part, "wxe");
	if (file == NULL) {
		file_fail(tool, part, errno);
	}
	files_note(tool, part);
	records_print_file(tool, records, file);
	bool bad = fflush(file) != 0 || ferror(file) != 0;
	bad = fclose(file) != 0 || bad;
	if (bad) {
		tool_fail(tool, KNOT_EFILE, "%s: cannot be written: %s", part, strerror(errno));
	}
	/* For who may enter the directory, whoever writes it, with whatever umask. */
	struct stat like;
	int error = stat(directory, &like) == 0
	                    ? access_give(part, &like, 0640 | ((like.st_mode & S_IXOTH) << 2))
	                    : errno;
	if (error != 0 && error != EPERM) {
		file_fail(tool, part, error);
	}
	if (rename(part, path) != 0) {
		file_fail(tool, path, errno);
	}
	files_keep(tool);
	free(path);
	free(part);
}

/*!
 * \brief Put the private keys of all key sets into a ring. One that is not there or cannot be read is no error: of the
 *        domains that need it the listing says so.
 */
static int load_keys(tool_t *tool, mail_keyring_t *ring)
{
	tool_walk_t walk = { .section = MAIL_SECTION_KEYSET };
	while (tool_next(tool, &walk) != NULL) {
		char path[KEY_FILE_MAX];
		(void)key_file_load(tool, walk.entry, ring, path);
	}
	return walk.status;
}

static int export_zones(tool_t *tool)
{
	const char *directory = option_value(tool, OPT_DIRECTORY);
	if (directory == NULL && tool->argc != 1) {
		tool_usage(tool, "one domain, or --directory DIR for a file each");
	}
	if (option_is(tool, OPT_SECTION)) {
		tool_usage(tool, "--section goes with NDJSON only");
	}
	if (option_is(tool, OPT_UNSIGNED) && option_is(tool, OPT_KEY_DIRECTORY)) {
		tool_usage(tool, "--key-directory does not go with --unsigned");
	}
	/* All of them with reports would read all domains for each. */
	records_t records = { .now = option_time(tool, OPT_AT, time(NULL)),
		              .reports = tool->argc > 0 || option_is(tool, OPT_REPORTS) };
	tool_open(tool, MAIL_STORE_READ);
	mail_keyring_t *ring = NULL;
	int status = STATUS_DONE;
	if (!option_is(tool, OPT_UNSIGNED)) {
		ring = tool_memory(tool, mail_keyring_new());
		records.signer = tool_memory(tool, mail_signer_new(ring, NULL, 0));
		status = load_keys(tool, ring);
		mail_signer_sync(records.signer, records.now);
	}
	for (int i = 0; i < tool->argc && status == STATUS_DONE; i++) {
		records.domain = tool_id(tool, MAIL_SECTION_DOMAIN, tool->argv[i]);
		if (directory != NULL) {
			write_zone(tool, directory, &records);
		} else {
			records_print_file(tool, &records, stdout);
		}
	}
	if (tool->argc == 0 && status == STATUS_DONE) {
		tool_walk_t walk = { .section = MAIL_SECTION_DOMAIN };
		progress_t progress;
		progress_begin(&progress, "zones", tool_count(tool, 1u << walk.section));
		while (tool_next(tool, &walk) != NULL) {
			records.domain = walk.entry->id;
			write_zone(tool, directory, &records);
			progress_step(tool, &progress);
		}
		progress_end(&progress);
		status = walk.status;
	}
	mail_signer_free(records.signer);
	mail_keyring_free(ring);
	return status;
}

int verb_export(tool_t *tool)
{
	const char *format = option_value(tool, OPT_FORMAT);
	if (format != NULL && strcmp(format, "zone") == 0) {
		return export_zones(tool);
	}
	if (option_is(tool, OPT_DIRECTORY) || option_is(tool, OPT_AT) ||
	    option_is(tool, OPT_REPORTS) || option_is(tool, OPT_UNSIGNED) ||
	    option_is(tool, OPT_KEY_DIRECTORY)) {
		tool_usage(tool, "--directory, --at, --reports, --unsigned and --key-directory go "
		                 "with --format zone only");
	}
	const unsigned sections = option_sections(tool, OPT_SECTION, ~0u);
	progress_t progress;
	int status = STATUS_DONE;
	tool_open(tool, MAIL_STORE_READ);
	progress_begin(&progress, "entries", tool->argc > 0 ? 0 : tool_count(tool, sections));
	if (tool->argc == 0) {
		status = export_all(tool, sections, &progress);
	}
	for (int i = 0; i < tool->argc && status == STATUS_DONE; i++) {
		status = export_domain(tool, sections, tool->argv[i]);
	}
	progress_end(&progress);
	return status;
}
