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

#include "mail/chars.h"
#include "mail/json.h"
#include "mail/text.h"
#include "tool/file.h"
#include "tool/guard.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/progress.h"

/* No entry is longer as JSON: all its values are bounded. */
#define LINE_MAX_OCTETS ((size_t)4 << 20)

/* Windows writes it at the start of a file. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/*! \brief A line of the input. */
typedef struct {
	char *text;
	size_t len;
	uint64_t number; /*!< From 1. */
} line_t;

/*! \brief A line that was refused. */
typedef struct {
	line_t line;
	char reason[320];
} refused_t;

typedef struct {
	tool_t *tool;
	FILE *input;
	line_t line; /*!< The line that was read last, without its end. */
	size_t line_cap;
	bool looked; /*!< The first line was looked at. */
	uint64_t octets;
	uint64_t skip;
	uint64_t batch;     /*!< 0: one transaction. */
	uint64_t committed; /*!< Lines up to this one are in the store. */
	bool in_dns;        /*!< What comes is in DNS as it says. */
	mail_change_t *change;
	mail_change_count_t count;
	FILE *rejects; /*!< --keep-going; else NULL. */
	refused_t *refused;
	size_t refused_count;
	progress_t progress;
} import_t;

static mail_str_t line_text(const line_t *line)
{
	return (mail_str_t){ line->text, line->len };
}

/*! \brief Read a line. \return false at the end, or after an error (*status). */
static bool next_line(import_t *im, int *status)
{
	errno = 0;
	ssize_t got = getline(&im->line.text, &im->line_cap, im->input);
	if (got < 0) {
		if (ferror(im->input) && errno != EINTR) {
			*status = tool_error(im->tool, knot_map_errno_code(errno), "%s: %s",
			                     im->tool->file, strerror(errno));
		}
		return false;
	}
	im->line.number++;
	im->octets += (uint64_t)got;
	while (got > 0 && (im->line.text[got - 1] == '\n' || im->line.text[got - 1] == '\r')) {
		im->line.text[--got] = '\0';
	}
	im->line.len = (size_t)got;
	if (im->line.number == 1 && mail_str_starts(line_text(&im->line), BYTE_ORDER_MARK)) {
		im->line.len -= strlen(BYTE_ORDER_MARK);
		memmove(im->line.text, im->line.text + strlen(BYTE_ORDER_MARK), im->line.len + 1);
	}
	return true;
}

/*! \brief Note what the file is, when it is no NDJSON: of the first line that says anything. */
static int look(import_t *im, const line_t *line)
{
	mail_diag_t *diag = &im->tool->diag;
	if (im->looked) {
		return KNOT_EOK;
	}
	im->looked = true;
	if (line->text[0] == '#') {
		return mail_diag_error(diag, 0,
		                       "NDJSON has no comments; a file that is written like "
		                       "knot.conf is read by kmailctl apply FILE");
	}
	const char *misplaced = mail_text_misplaced(mail_text_look(line_text(line)), "import");
	return misplaced != NULL ? mail_diag_error(diag, 0, "%s", misplaced) : KNOT_EOK;
}

static void begin_change(import_t *im)
{
	im->change = tool_memory(im->tool, mail_change_begin(im->tool->txn));
	if (im->in_dns) {
		mail_change_in_dns(im->change);
	}
}

/*! \brief Check what was written, and count it. */
static int finish_change(import_t *im)
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

/*! \brief Commit what was read so far. */
static int commit(import_t *im)
{
	if (im->change != NULL) {
		int ret = finish_change(im);
		if (ret != KNOT_EOK) {
			return tool_error_diag(im->tool, ret);
		}
	}
	int status = tool_try_commit(im->tool);
	if (status == STATUS_DONE) {
		im->committed = im->line.number;
	}
	return status;
}

/*! \brief Return whether a failure is the line's own, so that others may go on. */
static bool is_refusal(int ret)
{
	return ret == KNOT_EINVAL || ret == KNOT_ENOENT || ret == KNOT_ELOOP || ret == KNOT_EEXIST;
}

/*! \brief Write one entry with all checks, or leave the transaction as it was. */
static int put_alone(import_t *im, const mail_entry_t *entry)
{
	mail_txn_t *txn = im->tool->txn;
	mail_entry_t *old = NULL;
	int found = mail_txn_get(txn, entry->section, entry->id, &old);
	if (found != KNOT_EOK && found != KNOT_ENOENT) {
		return found;
	}
	begin_change(im);
	int ret = mail_change_put(im->change, entry, tool_diag(im->tool));
	if (ret == KNOT_EOK) {
		ret = finish_change(im);
	}
	mail_change_free(im->change);
	im->change = NULL;
	if (is_refusal(ret)) {
		int undone = old != NULL ? mail_txn_put(txn, old)
		                         : mail_txn_del(txn, entry->section, entry->id);
		if (undone != KNOT_EOK && undone != KNOT_ENOENT) {
			ret = undone;
		}
	}
	mail_entry_free(old);
	return ret;
}

/*! \brief Read the entry of a line and write it. */
static int put_line(import_t *im, const line_t *line)
{
	mail_diag_t *diag = tool_diag(im->tool);
	mail_entry_t *entry = NULL;
	int ret = look(im, line);
	if (ret == KNOT_EOK) {
		ret = line->len > LINE_MAX_OCTETS ? mail_diag_error(diag, 0, "the line is too long")
		                                  : mail_json_parse(line_text(line), &entry, diag);
	}
	diag->line = (uint32_t)line->number;
	if (ret != KNOT_EOK) {
		return ret;
	}
	entry->line = (uint32_t)line->number;
	ret = guard_note(im->tool, entry);
	if (ret == KNOT_EOK) {
		ret = im->rejects != NULL ? put_alone(im, entry)
		                          : mail_change_put(im->change, entry, diag);
	}
	mail_entry_free(entry);
	return ret;
}

/*! \brief Keep the line that was read last, and why it was refused. */
static void refuse(import_t *im)
{
	/* Grown whenever the count reaches a power of two. */
	const size_t count = im->refused_count;
	if ((count & (count - 1)) == 0) {
		im->refused = tool_memory(
			im->tool, realloc(im->refused, (2 * count + 1) * sizeof(*im->refused)));
	}
	refused_t *refused = &im->refused[count];
	refused->line = im->line;
	refused->line.text = tool_memory(im->tool, strndup(im->line.text, im->line.len));
	refused->line.len = strlen(refused->line.text);
	memcpy(refused->reason, im->tool->diag.text, sizeof(refused->reason));
	im->refused_count++;
}

static int read_lines(import_t *im)
{
	tool_t *tool = im->tool;
	int status = STATUS_DONE;
	uint64_t pending = 0;
	bool on = true;
	while (on && status == STATUS_DONE && next_line(im, &status)) {
		if (im->line.number <= im->skip) {
			im->committed = im->line.number;
			continue;
		}
		if (im->line.len > strspn(im->line.text, " \t")) {
			int ret = put_line(im, &im->line);
			if (im->rejects != NULL && is_refusal(ret)) {
				refuse(im);
			} else if (ret != KNOT_EOK) {
				if (tool->diag.line == 0) {
					tool->diag.line = (uint32_t)im->line.number;
				}
				status = tool_error_diag(tool, ret);
				break;
			}
		}
		if (im->batch > 0 && ++pending >= im->batch) {
			status = commit(im);
			pending = 0;
			if (status == STATUS_DONE) {
				tool_begin(tool, MAIL_STORE_WRITE);
				if (im->rejects == NULL) {
					begin_change(im);
				}
			}
		}
		on = progress_tick(&im->progress, im->octets);
	}
	progress_end(&im->progress);
	/* The signal may have come just before the read that met the end. */
	if (status == STATUS_DONE && (!on || progress_interrupted() != 0)) {
		status = tool_error(tool, KNOT_ERROR, "%s", "interrupted");
	}
	return status;
}

/*! \brief Try the lines that were refused again, for as long as one is taken. */
static int retry(import_t *im)
{
	int status = STATUS_DONE;
	size_t before;
	do {
		before = im->refused_count;
		im->refused_count = 0;
		for (size_t i = 0; i < before; i++) {
			refused_t *refused = &im->refused[i];
			/* After another failure the rest stays refused. */
			int ret = status == STATUS_DONE ? put_line(im, &refused->line)
			                                : KNOT_EINVAL;
			if (ret == KNOT_EOK) {
				free(refused->line.text);
				continue;
			}
			if (!is_refusal(ret)) {
				status = tool_error_diag(im->tool, ret);
			}
			im->refused[im->refused_count++] = *refused;
		}
	} while (status == STATUS_DONE && im->refused_count < before);
	return status;
}

/*! \brief Write the lines that are refused to their file, and say why each was. */
static int write_rejects(import_t *im)
{
	for (size_t i = 0; i < im->refused_count; i++) {
		refused_t *refused = &im->refused[i];
		mail_diag_t *diag = tool_diag(im->tool);
		(void)fprintf(im->rejects, "%s\n", refused->line.text);
		diag->line = (uint32_t)refused->line.number;
		memcpy(diag->text, refused->reason, sizeof(refused->reason));
		(void)tool_error_diag(im->tool, KNOT_EINVAL);
		free(refused->line.text);
	}
	bool bad = ferror(im->rejects) != 0;
	bad = fclose(im->rejects) != 0 || bad;
	if (bad) {
		return tool_error(im->tool, KNOT_EFILE, "%s: cannot be written",
		                  option_value(im->tool, OPT_REJECTS));
	}
	return im->refused_count > 0 ? STATUS_FAILED : STATUS_DONE;
}

static void report(const import_t *im, int status)
{
	const mail_change_count_t *count = &im->count;
	const unsigned long long lines = im->line.number, committed = im->committed;
	/* How to go on after a failure belongs to its message. */
	im->tool->quiet = im->tool->quiet && status == STATUS_DONE;
	if (status != STATUS_DONE && im->batch > 0 && im->committed > im->skip) {
		tool_note(im->tool, "the lines up to %llu are imported; go on with --skip %llu",
		          committed, committed);
	} else if (status != STATUS_DONE) {
		tool_note(im->tool, "nothing was changed");
	} else if (im->tool->json) {
		(void)tool_json(json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I}", "lines", (json_int_t)lines, "added",
			(json_int_t)count->added, "changed", (json_int_t)count->changed, "deleted",
			(json_int_t)count->deleted, "same", (json_int_t)count->same, "refused",
			(json_int_t)im->refused_count));
	} else {
		char refused[40] = "";
		if (im->refused_count > 0) {
			(void)snprintf(refused, sizeof(refused), ", %s refused",
			               tool_number(im->refused_count));
		}
		tool_note(im->tool, "%s %s: %s added, %s changed, %s deleted, %s unchanged%s",
		          tool_number(lines), lines == 1 ? "line" : "lines",
		          tool_number(count->added), tool_number(count->changed),
		          tool_number(count->deleted), tool_number(count->same), refused);
	}
}

static void open_files(import_t *im, const char *path)
{
	const char *rejects = option_value(im->tool, OPT_REJECTS);
	bool standard = strcmp(path, "-") == 0;
	im->tool->file = standard ? "standard input" : path;
	im->tool->file_columns = true;
	im->input = standard ? stdin : fopen(path, "re");
	if (im->input == NULL) {
		file_fail(im->tool, path, errno);
	}
	struct stat stat;
	bool regular = fstat(fileno(im->input), &stat) == 0 && S_ISREG(stat.st_mode);
	progress_begin(&im->progress, "lines", regular ? (uint64_t)stat.st_size : 0);
	if (rejects != NULL) {
		im->rejects = fopen(rejects, "wxe");
		if (im->rejects == NULL) {
			file_fail(im->tool, rejects, errno);
		}
	}
}

int verb_import(tool_t *tool)
{
	import_t im = { .tool = tool };
	if (option_is(tool, OPT_KEEP_GOING) != option_is(tool, OPT_REJECTS)) {
		tool_usage(tool, "--keep-going and --rejects FILE go together");
	}
	im.batch = option_number(tool, OPT_BATCH, 1, UINT32_MAX, 0);
	im.skip = option_number(tool, OPT_SKIP, 0, UINT32_MAX, 0);
	open_files(&im, tool->argv[0]);
	tool_open(tool, MAIL_STORE_WRITE);
	/* A store without domains is filled: with what was exported elsewhere, or with domains that are new to it. */
	im.in_dns = option_is(tool, OPT_DS_SEEN) ||
	            tool_count(tool, 1u << MAIL_SECTION_DOMAIN) == 0;
	if (im.rejects == NULL) {
		begin_change(&im);
	}
	int status = read_lines(&im);
	if (status == STATUS_DONE) {
		status = retry(&im);
	}
	if (status == STATUS_DONE) {
		status = commit(&im);
	}
	mail_change_free(im.change);
	const int refused = im.rejects != NULL ? write_rejects(&im) : STATUS_DONE;
	report(&im, status);
	status |= refused;
	free(im.refused);
	free(im.line.text);
	if (im.input != stdin) {
		(void)fclose(im.input);
	}
	return status;
}
