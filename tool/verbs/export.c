/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * export: everything as NDJSON that import reads, or domains as zone files.
 *
 * An entry comes after those that it refers to, so that an import in batches, or line by line, always
 * finds them: certificates, hosts, key sets, policies with their bases first, domains, aliases, keys.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/verbs/signer.h"
#include "tool/records.h"

static const mail_section_t order[] = {
	MAIL_SECTION_CERTIFICATE, MAIL_SECTION_HOST,   MAIL_SECTION_KEYSET,
	MAIL_SECTION_POLICY,      MAIL_SECTION_DOMAIN, MAIL_SECTION_DKIM,
};

typedef struct {
	unsigned sections;      /*!< Bits. */
	mail_entry_t **waiting; /*!< Entries that come behind others: policies, aliases. */
	size_t count;
	const char *directory;
	zone_t zone;
	progress_t progress;
} export_t;

static int tick(tool_t *tool, export_t *ex)
{
	if (progress_tick(&ex->progress, ex->progress.ticks)) {
		return STATUS_DONE;
	}
	progress_end(&ex->progress);
	return tool_error(tool, KNOT_ERROR, "interrupted");
}

static int keep(tool_t *tool, export_t *ex, mail_entry_t *entry)
{
	/* Grown whenever the count reaches a power of two. */
	if ((ex->count & (ex->count - 1)) == 0) {
		size_t cap = ex->count == 0 ? 1 : 2 * ex->count;
		mail_entry_t **grown = realloc(ex->waiting, cap * sizeof(*grown));
		if (grown == NULL) {
			mail_entry_free(entry);
			return tool_error(tool, KNOT_ENOMEM, "out of memory");
		}
		ex->waiting = grown;
	}
	ex->waiting[ex->count++] = entry;
	return STATUS_DONE;
}

static int export_entry(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	export_t *ex = ctx;
	if (entry->section == MAIL_SECTION_POLICY ||
	    (entry->section == MAIL_SECTION_DOMAIN &&
	     mail_entry_member(entry, MAIL_ITEM_ALIAS, MAIL_OP_SET) != NULL)) {
		return keep(tool, ex, entry);
	}
	int status = tool_json_entry(tool, entry);
	mail_entry_free(entry);
	return status == STATUS_DONE ? tick(tool, ex) : status;
}

static bool is_waiting(const export_t *ex, mail_str_t id)
{
	for (size_t i = 0; i < ex->count; i++) {
		if (ex->waiting[i] != NULL && mail_str_equal(ex->waiting[i]->id, id)) {
			return true;
		}
	}
	return false;
}

/*! \brief Prints what waits: what refers to something that still waits comes in a later round. */
static int export_waiting(tool_t *tool, export_t *ex, mail_item_id_t reference)
{
	int status = STATUS_DONE;
	bool printed = true, all = false;
	while (printed && status == STATUS_DONE) {
		printed = false;
		for (size_t i = 0; i < ex->count && status == STATUS_DONE; i++) {
			mail_entry_t *entry = ex->waiting[i];
			if (entry == NULL || (!all && reference != 0 &&
			                      is_waiting(ex, mail_entry_value(entry, reference)))) {
				continue;
			}
			status = tool_json_entry(tool, entry);
			mail_entry_free(entry);
			ex->waiting[i] = NULL;
			printed = true;
		}
		/* A circle that replication made is exported, too: every entry once. */
		if (!printed && !all) {
			all = printed = true;
		}
	}
	for (size_t i = 0; i < ex->count; i++) {
		mail_entry_free(ex->waiting[i]);
	}
	free(ex->waiting);
	ex->waiting = NULL;
	ex->count = 0;
	return status;
}

static int export_all(tool_t *tool, export_t *ex)
{
	int status = STATUS_DONE, worst = STATUS_DONE;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if ((ex->sections & (1u << order[i])) == 0) {
			continue;
		}
		status = tool_walk(tool, order[i], MAIL_STR(""), export_entry, ex);
		if (status != STATUS_DONE) {
			worst = status;
		}
		/* Aliases of aliases there are none, so their order does not matter. */
		status = export_waiting(tool, ex,
		                        order[i] == MAIL_SECTION_POLICY ? MAIL_ITEM_BASE : 0);
		if (status != STATUS_DONE || ferror(stdout)) {
			return STATUS_FAILED;
		}
	}
	return worst;
}

static int export_domain(tool_t *tool, export_t *ex, const char *text)
{
	mail_entry_t *entry = NULL;
	int status = tool_entry(tool, MAIL_SECTION_DOMAIN, text, &entry);
	if (status == STATUS_DONE && (ex->sections & (1u << MAIL_SECTION_DOMAIN)) != 0) {
		status = tool_json_entry(tool, entry);
	}
	if (status == STATUS_DONE && (ex->sections & (1u << MAIL_SECTION_DKIM)) != 0) {
		status = tool_walk_keys(tool, entry->id, export_entry, ex);
	}
	mail_entry_free(entry);
	return status;
}

/*! \brief Writes DIR/NAME.zone: complete, or not at all. */
static int write_zone(tool_t *tool, export_t *ex)
{
	mail_str_t domain = ex->zone.domain;
	if (memchr(domain.data, '/', domain.len) != NULL || domain.data[0] == '.') {
		return tool_error(tool, KNOT_EINVAL, "domain %.*s: no name for a file",
		                  (int)domain.len, domain.data);
	}
	char *path = NULL, *part = NULL;
	FILE *file = NULL;
	int status = STATUS_DONE;
	if (asprintf(&path, "%s/%.*s.zone", ex->directory, (int)domain.len, domain.data) < 0 ||
	    asprintf(&part, "%s.part", path) < 0) {
		free(path);
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	(void)unlink(part);
	file = fopen(part, "wxe");
	if (file == NULL) {
		status = tool_error(tool, knot_map_errno_code(errno), "%s: %s", part,
		                    strerror(errno));
	} else {
		status = zone_print_file(tool, &ex->zone, file);
		bool bad = fflush(file) != 0 || ferror(file) != 0;
		bad = fclose(file) != 0 || bad;
		if (bad && status == STATUS_DONE) {
			status = tool_error(tool, KNOT_EFILE, "%s: cannot be written: %s", part,
			                    strerror(errno));
		}
		if (status == STATUS_DONE && rename(part, path) != 0) {
			status = tool_error(tool, knot_map_errno_code(errno), "%s: %s", path,
			                    strerror(errno));
		}
		if (status != STATUS_DONE) {
			(void)unlink(part);
		}
	}
	free(path);
	free(part);
	return status;
}

static int export_zone_entry(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	export_t *ex = ctx;
	ex->zone.domain = entry->id;
	int status = write_zone(tool, ex);
	mail_entry_free(entry);
	return status == STATUS_DONE ? tick(tool, ex) : status;
}

static int export_zone(tool_t *tool, export_t *ex, const char *text)
{
	mail_buf_t name = { 0 };
	int status = tool_id(tool, MAIL_SECTION_DOMAIN, text, &name);
	if (status == STATUS_DONE) {
		ex->zone.domain = mail_buf_view(&name);
		status = ex->directory != NULL ? write_zone(tool, ex)
		                               : zone_print_file(tool, &ex->zone, stdout);
	}
	mail_buf_free(&name);
	return status;
}

static int export_zones(tool_t *tool, export_t *ex, int argc, char **argv)
{
	ex->directory = option_value(tool, OPT_DIRECTORY);
	if (ex->directory == NULL && argc != 1) {
		return tool_usage(tool, "one domain, or --directory DIR for a file each");
	}
	if (option_is(tool, OPT_SECTION)) {
		return tool_usage(tool, "--section goes with NDJSON only");
	}
	if (option_is(tool, OPT_UNSIGNED) && option_is(tool, OPT_KEY_DIRECTORY)) {
		return tool_usage(tool, "--key-directory does not go with --unsigned");
	}
	ex->zone.now = time(NULL);
	/* All of them with reports would read all domains for each. */
	ex->zone.reports = argc > 0 || option_is(tool, OPT_REPORTS);
	int status = option_time(tool, OPT_AT, ex->zone.now, &ex->zone.now);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	tool_signer_t signer = { 0 };
	if (status == STATUS_DONE && !option_is(tool, OPT_UNSIGNED)) {
		status = tool_signer_open(tool, option_value(tool, OPT_KEY_DIRECTORY), ex->zone.now,
		                          &signer);
		ex->zone.signer = signer.signer;
	}
	if (status == STATUS_DONE && argc == 0) {
		mail_store_stat_t stat = { 0 };
		(void)mail_txn_stat(tool->txn, &stat);
		progress_begin(&ex->progress, "zones", stat.entries[MAIL_SECTION_DOMAIN]);
		status = tool_walk(tool, MAIL_SECTION_DOMAIN, MAIL_STR(""), export_zone_entry, ex);
		progress_end(&ex->progress);
	}
	for (int i = 0; i < argc && status == STATUS_DONE; i++) {
		status = export_zone(tool, ex, argv[i]);
	}
	tool_signer_close(&signer);
	return status;
}

static int read_sections(tool_t *tool, export_t *ex)
{
	const given_t *given = &tool->given[OPT_SECTION];
	ex->sections = given->count == 0 ? ~0u : 0;
	for (size_t i = 0; i < given->count; i++) {
		mail_section_t section = mail_section_find(MAIL_STR(given->values[i]));
		if (section == MAIL_SECTION_COUNT) {
			return tool_usage(tool, "--section: there is no section %s",
			                  given->values[i]);
		}
		ex->sections |= 1u << section;
	}
	return STATUS_DONE;
}

int verb_export(tool_t *tool, int argc, char **argv)
{
	export_t ex = { 0 };
	const char *format = option_value(tool, OPT_FORMAT);
	if (format != NULL && strcmp(format, "zone") == 0) {
		return export_zones(tool, &ex, argc, argv);
	}
	if (format != NULL && strcmp(format, "ndjson") != 0 && strcmp(format, "json") != 0) {
		return tool_usage(tool, "--format: %s is none of ndjson, zone", format);
	}
	if (option_is(tool, OPT_DIRECTORY) || option_is(tool, OPT_AT) ||
	    option_is(tool, OPT_REPORTS) || option_is(tool, OPT_UNSIGNED) ||
	    option_is(tool, OPT_KEY_DIRECTORY)) {
		return tool_usage(tool,
		                  "--directory, --at, --reports, --unsigned and --key-directory "
		                  "go with --format zone only");
	}
	int status = read_sections(tool, &ex);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	mail_store_stat_t stat = { 0 };
	uint64_t total = 0;
	(void)mail_txn_stat(tool->txn, &stat);
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		total += (ex.sections & (1u << i)) != 0 ? stat.entries[i] : 0;
	}
	progress_begin(&ex.progress, "entries", argc > 0 ? 0 : total);
	if (argc == 0) {
		status = export_all(tool, &ex);
	}
	for (int i = 0; i < argc && status == STATUS_DONE; i++) {
		status = export_domain(tool, &ex, argv[i]);
	}
	progress_end(&ex.progress);
	return status;
}
