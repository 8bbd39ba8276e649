/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/access.h"
#include "tool/done.h"
#include "tool/file.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/*! \brief Read "32G". \return Octets, or 0. */
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

/*! \brief End with the reason in tool->diag, or with the path and what the code means. */
static void fail_path(tool_t *tool, const char *path, int code)
{
	if (tool->diag.text[0] != '\0') {
		tool_fail(tool, code, "%s", tool->diag.text);
	}
	tool_fail(tool, code, "%s: %s", path, knot_strerror(code));
}

int verb_init(tool_t *tool)
{
	mail_store_options_t options = {
		.map_size = MAIL_STORE_MAP_SIZE,
		.replicated = option_is(tool, OPT_REPLICATED),
		.owner = option_value(tool, OPT_OWNER),
		.user = user_name(),
	};
	const char *size = option_value(tool, OPT_MAP_SIZE);
	if (size != NULL) {
		options.map_size = parse_size(size);
		if (options.map_size < (size_t)1 << 20) {
			tool_usage(tool, "--map-size: %s is no size of at least 1M; write 32G",
			           size);
		}
	}
	int ret = mail_store_init(tool->path, &options, tool_diag(tool));
	if (ret != KNOT_EOK) {
		fail_path(tool, tool->path, ret);
	}
	access_warn(tool, tool->path);
	tool_note(tool, "made the store %s", tool->path);
	done_path(tool, "created", tool->path);
	return STATUS_DONE;
}

/*! Take the tombstones out of the numbers of entries. \return How many they are. */
static size_t count_tombstones(tool_t *tool, mail_store_stat_t *stat)
{
	size_t all = 0;
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		int64_t count = mail_txn_tombstones(tool->txn, (mail_section_t)i);
		if (count < 0) {
			tool_fail(tool, (int)count, "%s: %s", tool->path,
			          knot_strerror((int)count));
		}
		stat->entries[i] -= (size_t)count;
		all += (size_t)count;
	}
	return all;
}

int verb_store_info(tool_t *tool)
{
	mail_store_stat_t stat;
	size_t tombstones = 0;
	json_t *entries = json_object();
	tool_open(tool, MAIL_STORE_READ);
	int ret = mail_txn_stat(tool->txn, &stat);
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s: %s", tool->path, knot_strerror(ret));
	}
	if (stat.replicated) {
		tombstones = count_tombstones(tool, &stat);
	}
	if (!tool->json) {
		(void)printf("path:          %s\n", tool->path);
		(void)printf("format:        %u\n", (unsigned)stat.format);
		(void)printf("replicated:    %s\n", stat.replicated ? "yes" : "no");
		(void)printf("map size:      %zu MiB\n", stat.map_size >> 20);
		(void)printf("used:          %zu KiB\n", stat.used >> 10);
		(void)printf("transaction:   %llu\n", (unsigned long long)stat.txnid);
		(void)printf("readers:       %u of %u\n", stat.readers, stat.readers_max);
	}
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		const char *name = mail_section_name((mail_section_t)i);
		(void)json_object_set_new(entries, name, json_integer((json_int_t)stat.entries[i]));
		if (!tool->json) {
			(void)printf("%s:%*s%zu\n", name, 14 - (int)strlen(name), "",
			             stat.entries[i]);
		}
	}
	if (!tool->json && stat.replicated) {
		(void)printf("tombstones:    %zu\n", tombstones);
	}
	if (tool->json) {
		(void)tool_json(json_pack(
			"{s:o, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:O, s:I}", "path",
			tool_json_str(MAIL_STR(tool->path)), "format", (json_int_t)stat.format,
			"replicated", stat.replicated, "map-size", (json_int_t)stat.map_size,
			"used", (json_int_t)stat.used, "transaction", (json_int_t)stat.txnid,
			"readers", (json_int_t)stat.readers, "readers-max",
			(json_int_t)stat.readers_max, "entries", entries, "tombstones",
			(json_int_t)tombstones));
	}
	json_decref(entries);
	return STATUS_DONE;
}

/*! \brief Warn of a directory that knotd could not enter if it took the place of the store. */
static void warn_copy(tool_t *tool, const char *directory, const struct stat *store)
{
	char owner[160], group[64];
	struct stat copy;
	if (stat(directory, &copy) != 0 ||
	    (copy.st_gid == store->st_gid && (copy.st_mode & 070) == 070)) {
		return;
	}
	tool_warn(tool,
	          "%s is %s: before it takes the place of the store, chgrp %s %s && chmod 2770 %s",
	          directory, access_text(&copy, owner), access_group(store->st_gid, group),
	          directory, directory);
}

int verb_backup(tool_t *tool)
{
	const char *directory = tool->argv[0];
	tool_open(tool, MAIL_STORE_READ);
	/* The copy takes a snapshot of its own. */
	mail_txn_abort(tool->txn);
	tool->txn = NULL;
	struct stat store;
	bool made = mkdir(directory, 0700) == 0;
	if ((!made && errno != EEXIST) || stat(tool->path, &store) != 0) {
		file_fail(tool, directory, errno);
	}
	/* As init makes one, whatever the umask: a store is its group's. */
	int error = made ? access_give(directory, &store, 02770) : 0;
	if (error != 0 && error != EPERM) {
		(void)rmdir(directory);
		file_fail(tool, directory, error);
	}
	int ret = mail_store_backup(tool->store, directory, tool_diag(tool));
	if (ret != KNOT_EOK) {
		if (made) {
			(void)rmdir(directory);
		}
		fail_path(tool, directory, ret);
	}
	warn_copy(tool, directory, &store);
	tool_note(tool, "copied %s to %s", tool->path, directory);
	done_path(tool, "copied", directory);
	return STATUS_DONE;
}

int verb_purge(tool_t *tool)
{
	const uint64_t ago = option_number(tool, OPT_OLDER_THAN, 0, 36500, 0) * 86400;
	const uint64_t now = (uint64_t)time(NULL);
	tool_open(tool, MAIL_STORE_WRITE);
	int removed = mail_txn_purge(tool->txn, now > ago ? (now - ago) * UINT64_C(1000000000) : 0);
	if (removed < 0) {
		tool_fail(tool, removed, "%s: %s", tool->path, knot_strerror(removed));
	}
	tool_commit(tool);
	if (tool->json) {
		(void)tool_json(json_pack("{s:i}", "removed", removed));
	} else {
		tool_note(tool, "%s removed", tool_number_of((uint64_t)removed, "tombstone"));
	}
	return STATUS_DONE;
}
