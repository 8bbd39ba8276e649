/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import: NDJSON into the store.
 *
 * One transaction, checked at its end; with --batch one after every N lines, so that what is stored is
 * always exactly a prefix of the input. With --keep-going every line is checked by itself, and one
 * that is refused is tried again at the end, when what it refers to may have come.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/guard.h"
#include "mail/change.h"
#include "mail/json.h"
#include "tool/out.h"

/* No entry is longer as JSON: all its values are bounded. */
#define LINE_MAX_OCTETS ((size_t)4 << 20)

/*! \brief A line that was refused. */
typedef struct {
	char *text;
	uint64_t number;
	char reason[320];
} refused_t;

typedef struct {
	tool_t *tool;
	FILE *input;
	char *line; /*!< The line that was read last, without its end. */
	size_t line_cap;
	size_t len;
	uint64_t number; /*!< Its number, from 1. */
	uint64_t octets;
	uint64_t batch;     /*!< 0: one transaction. */
	uint64_t committed; /*!< Lines up to this one are in the store. */
	mail_change_t *change;
	mail_change_count_t count;
	FILE *rejects; /*!< --keep-going; else NULL. */
	refused_t *refused;
	size_t refused_count;
	progress_t progress;
} import_t;

/*! \brief Reads a line. \return false at the end, or after an error (*status). */
static bool next_line(import_t *im, int *status)
{
	errno = 0;
	ssize_t got = getline(&im->line, &im->line_cap, im->input);
	if (got < 0) {
		if (ferror(im->input) && errno != EINTR) {
			*status = tool_error(im->tool, knot_map_errno_code(errno), "%s: %s",
			                     im->tool->file, strerror(errno));
		}
		return false;
	}
	im->number++;
	im->octets += (uint64_t)got;
	im->len = (size_t)got;
	while (im->len > 0 && (im->line[im->len - 1] == '\n' || im->line[im->len - 1] == '\r')) {
		im->line[--im->len] = '\0';
	}
	return true;
}

static bool is_blank(const import_t *im)
{
	return im->len == strspn(im->line, " \t");
}

static int parse_line(import_t *im, const char *text, size_t len, uint64_t number,
                      mail_entry_t **entry)
{
	mail_diag_t *diag = tool_diag(im->tool);
	*entry = NULL;
	int ret = len > LINE_MAX_OCTETS ? mail_diag_error(diag, 0, "the line is too long")
	                                : mail_json_parse((mail_str_t){ text, len }, entry, diag);
	diag->line = (uint32_t)number;
	if (ret == KNOT_EOK) {
		(*entry)->line = (uint32_t)number;
	}
	return ret;
}

static int begin(import_t *im)
{
	im->change = mail_change_begin(im->tool->txn);
	return im->change != NULL ? KNOT_EOK : KNOT_ENOMEM;
}

static int finish(import_t *im)
{
	mail_change_count_t count = { 0 };
	int ret = mail_change_finish(im->change, &count, tool_diag(im->tool));
	mail_change_free(im->change);
	im->change = NULL;
	if (ret == KNOT_EOK) {
		im->count.added += count.added;
		im->count.changed += count.changed;
		im->count.deleted += count.deleted;
		im->count.same += count.same;
	}
	return ret;
}

/*! \brief Commits what was read so far, and begins anew unless it is the end. */
static int commit(import_t *im, bool last)
{
	tool_t *tool = im->tool;
	int ret = im->change != NULL ? finish(im) : KNOT_EOK;
	if (ret != KNOT_EOK) {
		return tool_error_diag(tool, ret);
	}
	int status = tool_commit(tool);
	if (status != STATUS_DONE) {
		return status;
	}
	im->committed = im->number;
	if (last) {
		return STATUS_DONE;
	}
	ret = mail_txn_begin(tool->store, MAIL_STORE_WRITE, &tool->txn);
	if (ret == KNOT_EOK && im->rejects == NULL) {
		ret = begin(im);
	}
	return ret == KNOT_EOK ? STATUS_DONE : tool_error(tool, ret, "%s", knot_strerror(ret));
}

/*! \brief Says whether a failure is the line's own, so that others may go on. */
static bool is_refusal(int ret)
{
	return ret == KNOT_EINVAL || ret == KNOT_ENOENT || ret == KNOT_ELOOP || ret == KNOT_EEXIST;
}

/*! \brief Writes one entry with all checks, or leaves the transaction as it was. */
static int put_alone(import_t *im, const mail_entry_t *entry)
{
	mail_txn_t *txn = im->tool->txn;
	mail_entry_t *old = NULL;
	int ret = mail_txn_get(txn, entry->section, entry->id, &old);
	if (ret != KNOT_EOK && ret != KNOT_ENOENT) {
		return ret;
	}
	bool existed = ret == KNOT_EOK;
	mail_diag_t *diag = tool_diag(im->tool);
	ret = begin(im);
	if (ret == KNOT_EOK) {
		ret = mail_change_put(im->change, entry, diag);
	}
	if (ret == KNOT_EOK) {
		ret = finish(im);
	}
	mail_change_free(im->change);
	im->change = NULL;
	if (is_refusal(ret)) {
		int undone = existed ? mail_txn_put(txn, old)
		                     : mail_txn_del(txn, entry->section, entry->id);
		if (undone != KNOT_EOK && undone != KNOT_ENOENT) {
			ret = undone;
		}
	}
	mail_entry_free(old);
	return ret;
}

static int refuse(import_t *im)
{
	/* Grown whenever the count reaches a power of two. */
	size_t count = im->refused_count;
	if ((count & (count - 1)) == 0) {
		refused_t *grown = realloc(im->refused,
		                           (count == 0 ? 1 : 2 * count) * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		im->refused = grown;
	}
	refused_t *refused = &im->refused[count];
	refused->text = strndup(im->line, im->len);
	refused->number = im->number;
	memcpy(refused->reason, im->tool->diag.text, sizeof(refused->reason));
	if (refused->text == NULL) {
		return KNOT_ENOMEM;
	}
	im->refused_count++;
	return KNOT_EOK;
}

static int take_line(import_t *im)
{
	mail_entry_t *entry = NULL;
	int ret = parse_line(im, im->line, im->len, im->number, &entry);
	if (ret == KNOT_EOK) {
		ret = guard_note(im->tool, entry);
	}
	if (ret == KNOT_EOK) {
		ret = im->rejects != NULL ? put_alone(im, entry)
		                          : mail_change_put(im->change, entry, &im->tool->diag);
	}
	mail_entry_free(entry);
	if (ret != KNOT_EOK && im->rejects != NULL && is_refusal(ret)) {
		ret = refuse(im);
	}
	if (ret != KNOT_EOK) {
		if (im->tool->diag.line == 0) {
			im->tool->diag.line = (uint32_t)im->number;
		}
		return tool_error_diag(im->tool, ret);
	}
	return STATUS_DONE;
}

/*! \brief Tries the lines that were refused again, for as long as one is taken. */
static int retry(import_t *im)
{
	bool taken = true;
	while (taken) {
		taken = false;
		size_t left = 0;
		for (size_t i = 0; i < im->refused_count; i++) {
			refused_t *refused = &im->refused[i];
			mail_entry_t *entry = NULL;
			int ret = parse_line(im, refused->text, strlen(refused->text),
			                     refused->number, &entry);
			ret = ret == KNOT_EOK ? put_alone(im, entry) : ret;
			mail_entry_free(entry);
			if (ret == KNOT_EOK) {
				taken = true;
				free(refused->text);
				continue;
			}
			if (!is_refusal(ret)) {
				return tool_error_diag(im->tool, ret);
			}
			im->refused[left++] = *refused;
		}
		im->refused_count = left;
	}
	return STATUS_DONE;
}

static int write_rejects(import_t *im)
{
	for (size_t i = 0; i < im->refused_count; i++) {
		const refused_t *refused = &im->refused[i];
		(void)fprintf(im->rejects, "%s\n", refused->text);
		mail_diag_t *diag = tool_diag(im->tool);
		diag->line = (uint32_t)refused->number;
		memcpy(diag->text, refused->reason, sizeof(refused->reason));
		(void)tool_error_diag(im->tool, KNOT_EINVAL);
	}
	bool bad = ferror(im->rejects) != 0;
	bad = fclose(im->rejects) != 0 || bad;
	im->rejects = NULL;
	if (bad) {
		return tool_error(im->tool, KNOT_EFILE, "%s: cannot be written",
		                  option_value(im->tool, OPT_REJECTS));
	}
	return im->refused_count > 0 ? STATUS_FAILED : STATUS_DONE;
}

static int read_lines(import_t *im, uint64_t skip)
{
	int status = STATUS_DONE;
	uint64_t pending = 0;
	bool on = true;
	while (on && status == STATUS_DONE && next_line(im, &status)) {
		if (im->number <= skip) {
			im->committed = im->number;
			continue;
		}
		if (!is_blank(im)) {
			status = take_line(im);
		}
		pending++;
		if (status == STATUS_DONE && im->batch > 0 && pending >= im->batch) {
			status = commit(im, false);
			pending = 0;
		}
		on = progress_tick(&im->progress, im->octets);
	}
	progress_end(&im->progress);
	/* The signal may have come just before the read that met the end. */
	if (status == STATUS_DONE && (!on || progress_interrupted())) {
		status = tool_error(im->tool, KNOT_ERROR, "%s", "interrupted");
	}
	return status;
}

static int run(import_t *im, uint64_t skip)
{
	int status = tool_open(im->tool, MAIL_STORE_WRITE);
	if (status == STATUS_DONE && im->rejects == NULL && begin(im) != KNOT_EOK) {
		status = tool_error(im->tool, KNOT_ENOMEM, "out of memory");
	}
	if (status == STATUS_DONE) {
		status = read_lines(im, skip);
	}
	if (status == STATUS_DONE) {
		status = retry(im);
	}
	if (status == STATUS_DONE) {
		status = commit(im, true);
	}
	mail_change_free(im->change);
	im->change = NULL;
	return status;
}

static void report(import_t *im, int status, uint64_t skip)
{
	tool_t *tool = im->tool;
	if (status != STATUS_DONE) {
		if (im->batch > 0 && im->committed > skip) {
			tool_note(tool, "the lines up to %llu are imported; go on with --skip %llu",
			          (unsigned long long)im->committed,
			          (unsigned long long)im->committed);
		} else {
			tool_note(tool, "nothing was changed");
		}
		return;
	}
	const mail_change_count_t *count = &im->count;
	if (tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "lines", json_integer((json_int_t)im->number));
		json_object_set_new(object, "added", json_integer((json_int_t)count->added));
		json_object_set_new(object, "changed", json_integer((json_int_t)count->changed));
		json_object_set_new(object, "deleted", json_integer((json_int_t)count->deleted));
		json_object_set_new(object, "same", json_integer((json_int_t)count->same));
		json_object_set_new(object, "refused", json_integer((json_int_t)im->refused_count));
		(void)tool_json(object);
	} else {
		(void)printf("%llu lines: %zu added, %zu changed, %zu deleted, %zu unchanged",
		             (unsigned long long)im->number, count->added, count->changed,
		             count->deleted, count->same);
		(void)printf(im->refused_count > 0 ? ", %zu refused\n" : "\n", im->refused_count);
	}
}

static int open_files(import_t *im, const char *path)
{
	tool_t *tool = im->tool;
	bool standard = strcmp(path, "-") == 0;
	tool->file = standard ? "standard input" : path;
	im->input = standard ? stdin : fopen(path, "re");
	if (im->input == NULL) {
		return tool_error(tool, knot_map_errno_code(errno), "%s: %s", path,
		                  strerror(errno));
	}
	struct stat stat;
	bool regular = fstat(fileno(im->input), &stat) == 0 && S_ISREG(stat.st_mode);
	progress_begin(&im->progress, "lines", regular ? (uint64_t)stat.st_size : 0);

	const char *rejects = option_value(tool, OPT_REJECTS);
	if (rejects != NULL) {
		im->rejects = fopen(rejects, "wxe");
		if (im->rejects == NULL) {
			return tool_error(tool, knot_map_errno_code(errno), "%s: %s", rejects,
			                  strerror(errno));
		}
	}
	return STATUS_DONE;
}

int verb_import(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	import_t im = { .tool = tool };
	uint64_t skip = 0;
	if (option_is(tool, OPT_KEEP_GOING) != option_is(tool, OPT_REJECTS)) {
		return tool_usage(tool, "--keep-going and --rejects FILE go together");
	}
	int status = option_number(tool, OPT_BATCH, 1, UINT32_MAX, &im.batch);
	if (status == STATUS_DONE) {
		status = option_number(tool, OPT_SKIP, 0, UINT32_MAX, &skip);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	status = open_files(&im, argv[0]);
	if (status == STATUS_DONE) {
		status = run(&im, skip);
		report(&im, status, skip);
	}
	if (im.rejects != NULL) {
		int rejected = write_rejects(&im);
		status = status == STATUS_DONE ? rejected : status;
	}
	for (size_t i = 0; i < im.refused_count; i++) {
		free(im.refused[i].text);
	}
	free(im.refused);
	free(im.line);
	if (im.input != NULL && im.input != stdin) {
		(void)fclose(im.input);
	}
	return status;
}
