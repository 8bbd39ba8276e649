/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/out.h"

/*! \brief Reads "32G". \return Octets, or 0. */
static size_t parse_size(const char *text)
{
	static const char letters[] = "KMGT";
	char *end = NULL;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (errno != 0 || text[0] < '0' || text[0] > '9') {
		return 0;
	}
	unsigned shift = 0;
	if (*end != '\0') {
		const char *letter = strchr(letters, *end);
		if (letter == NULL || end[1] != '\0') {
			return 0;
		}
		shift = 10 * (unsigned)(letter - letters + 1);
	}
	return number > SIZE_MAX >> shift ? 0 : (size_t)number << shift;
}

int verb_init(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mail_store_options_t options = {
		.map_size = MAIL_STORE_MAP_SIZE,
		.replicated = option_is(tool, OPT_REPLICATED),
		.owner = option_value(tool, OPT_OWNER),
	};
	const char *size = option_value(tool, OPT_MAP_SIZE);
	if (size != NULL) {
		options.map_size = parse_size(size);
		if (options.map_size < (size_t)1 << 20) {
			return tool_usage(
				tool, "--map-size: %s is no size of at least 1M; write 32G", size);
		}
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_store_init(tool->path, &options, diag);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s%s%s", diag->text[0] != '\0' ? "" : tool->path,
		                  diag->text[0] != '\0' ? "" : ": ",
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	tool_note(tool, "made the store %s", tool->path);
	return STATUS_DONE;
}

static void print_stat(const mail_store_stat_t *stat, const char *path)
{
	(void)printf("path:          %s\n", path);
	(void)printf("format:        %u\n", (unsigned)stat->format);
	(void)printf("replicated:    %s\n", stat->replicated ? "yes" : "no");
	(void)printf("map size:      %zu MiB\n", stat->map_size >> 20);
	(void)printf("used:          %zu KiB\n", stat->used >> 10);
	(void)printf("transaction:   %llu\n", (unsigned long long)stat->txnid);
	(void)printf("readers:       %u of %u\n", stat->readers, stat->readers_max);
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "%s:", mail_section_name((mail_section_t)i));
		(void)printf("%-14s %zu\n", name, stat->entries[i]);
	}
}

int verb_store_info(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status != STATUS_DONE) {
		return status;
	}
	mail_store_stat_t stat;
	int ret = mail_txn_stat(tool->txn, &stat);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s: %s", tool->path, knot_strerror(ret));
	}
	if (!tool->json) {
		print_stat(&stat, tool->path);
		return STATUS_DONE;
	}
	json_t *entries = json_object();
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		json_object_set_new(entries, mail_section_name((mail_section_t)i),
		                    json_integer((json_int_t)stat.entries[i]));
	}
	json_t *object = json_object();
	json_object_set_new(object, "path", tool_json_str(MAIL_STR(tool->path)));
	json_object_set_new(object, "format", json_integer(stat.format));
	json_object_set_new(object, "replicated", json_boolean(stat.replicated));
	json_object_set_new(object, "map-size", json_integer((json_int_t)stat.map_size));
	json_object_set_new(object, "used", json_integer((json_int_t)stat.used));
	json_object_set_new(object, "transaction", json_integer((json_int_t)stat.txnid));
	json_object_set_new(object, "readers", json_integer(stat.readers));
	json_object_set_new(object, "readers-max", json_integer(stat.readers_max));
	json_object_set_new(object, "entries", entries);
	(void)tool_json(object);
	return STATUS_DONE;
}

int verb_backup(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	int status = tool_open(tool, MAIL_STORE_READ);
	if (status != STATUS_DONE) {
		return status;
	}
	/* The copy takes a snapshot of its own. */
	mail_txn_abort(tool->txn);
	tool->txn = NULL;
	bool made = mkdir(argv[0], 0770) == 0;
	if (!made && errno != EEXIST) {
		return tool_error(tool, knot_map_errno_code(errno), "%s: %s", argv[0],
		                  strerror(errno));
	}
	/* As init makes one, whatever the umask: a store is its group's. */
	if (made && chmod(argv[0], 02770) != 0) {
		return tool_error(tool, knot_map_errno_code(errno), "%s: %s", argv[0],
		                  strerror(errno));
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_store_backup(tool->store, argv[0], diag);
	if (ret != KNOT_EOK) {
		if (made) {
			(void)rmdir(argv[0]);
		}
		return tool_error(tool, ret, "%s%s%s", diag->text[0] != '\0' ? "" : argv[0],
		                  diag->text[0] != '\0' ? "" : ": ",
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	tool_note(tool, "copied %s to %s", tool->path, argv[0]);
	return STATUS_DONE;
}

int verb_purge(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	uint64_t days = 0;
	int status = option_number(tool, OPT_OLDER_THAN, 0, 36500, &days);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	uint64_t now = (uint64_t)time(NULL);
	uint64_t before = now > days * 86400 ? (now - days * 86400) * UINT64_C(1000000000) : 0;
	int removed = mail_txn_purge(tool->txn, before);
	if (removed < 0) {
		return tool_error(tool, removed, "%s: %s", tool->path, knot_strerror(removed));
	}
	status = tool_commit(tool);
	if (status == STATUS_DONE && tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "removed", json_integer(removed));
		(void)tool_json(object);
	} else if (status == STATUS_DONE) {
		(void)printf("%d tombstones removed\n", removed);
	}
	return status;
}
