/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import: NDJSON into the store.
 *
 * One transaction, checked at its end; with --batch one after every N lines, so that what is stored is
 * always exactly a prefix of the input. With --keep-going every line is checked by itself, and one
 * that is refused is tried again at the end, when what it refers to may have come.
 *
 * No transaction is open while a line may have to be waited for. The lines of a batch are read and parsed first, and then
 * written at once. Of one transaction they are as many as there are: so what does not come from a regular file is copied
 * to a temporary one, in which every line has been parsed before the store is asked.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/chars.h"
#include "mail/json.h"
#include "mail/text.h"
#include "tool/file.h"
#include "tool/guard.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/progress.h"
#include "tool/wait.h"

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

/*! \brief A line that was read. */
typedef struct {
	line_t line;         /*!< Its text is kept with --keep-going alone. */
	mail_entry_t *entry; /*!< What it says; NULL: it was refused. */
	char *reason;        /*!< Why it was. */
} taken_t;

/*! \brief Lines that wait. */
typedef struct {
	taken_t *lines;
	size_t count, cap;
} lines_t;

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
	bool counted;       /*!< in_dns is known. */
	bool stalls;        /*!< Whoever writes the input may let it wait. */
	lines_t taken;      /*!< Read, and not written yet. */
	lines_t refused;    /*!< --keep-going: tried again in the end. */
	mail_change_t *change;
	mail_change_count_t count;
	FILE *rejects; /*!< --keep-going; else NULL. */
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

/*! \brief Begin to write, when it is our turn. */
static int begin(import_t *im)
{
	if (wait_begin(im->tool) != STATUS_DONE) {
		return STATUS_FAILED;
	}
	/* A store without domains is filled: with what was exported elsewhere, or with domains that are new to it. */
	if (!im->counted) {
		im->counted = true;
		im->in_dns = option_is(im->tool, OPT_DS_SEEN) ||
		             tool_count(im->tool, 1u << MAIL_SECTION_DOMAIN) == 0;
	}
	if (im->rejects == NULL) {
		begin_change(im);
	}
	return STATUS_DONE;
}

/*! \brief Check what was written, and count it. */
static int finish_change(import_t *im)
{
	mail_change_count_t count = { 0 };
	int ret = mail_change_finish(im->change, &count, tool_diag(im->tool));
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
	int ret = KNOT_EOK;
	if (im->change != NULL && im->rejects == NULL) {
		ret = finish_change(im);
	}
	mail_change_free(im->change);
	im->change = NULL;
	if (ret != KNOT_EOK) {
		return tool_error_diag(im->tool, ret);
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
	if (im->change == NULL) {
		begin_change(im);
		mail_change_alone(im->change);
	} else {
		mail_change_next(im->change);
	}
	int ret = mail_change_put(im->change, entry, tool_diag(im->tool));
	if (ret == KNOT_EOK) {
		ret = finish_change(im);
	}
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

/*! \brief Read the entry of a line. The caller frees it. */
static int parse_line(import_t *im, const line_t *line, mail_entry_t **entry)
{
	mail_diag_t *diag = tool_diag(im->tool);
	*entry = NULL;
	int ret = look(im, line);
	if (ret == KNOT_EOK) {
		ret = line->len > LINE_MAX_OCTETS ? mail_diag_error(diag, 0, "the line is too long")
		                                  : mail_json_parse(line_text(line), entry, diag);
	}
	diag->line = (uint32_t)line->number;
	if (ret == KNOT_EOK) {
		(*entry)->line = (uint32_t)line->number;
	}
	return ret;
}

/*! \brief Write the entry of a line. */
static int put_line(import_t *im, const taken_t *taken)
{
	mail_diag_t *diag = tool_diag(im->tool);
	diag->line = (uint32_t)taken->line.number;
	int ret = guard_note(im->tool, taken->entry);
	if (ret == KNOT_EOK) {
		ret = im->rejects != NULL ? put_alone(im, taken->entry)
		                          : mail_change_put(im->change, taken->entry, diag);
	}
	return ret;
}

static void taken_free(taken_t *taken)
{
	free(taken->line.text);
	mail_entry_free(taken->entry);
	free(taken->reason);
}

static void lines_free(lines_t *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		taken_free(&lines->lines[i]);
	}
	free(lines->lines);
	*lines = (lines_t){ .count = 0 };
}

static void lines_add(import_t *im, lines_t *lines, const taken_t *taken)
{
	if (lines->count == lines->cap) {
		lines->cap = 2 * lines->cap + 1;
		lines->lines = tool_memory(
			im->tool, realloc(lines->lines, lines->cap * sizeof(*lines->lines)));
	}
	lines->lines[lines->count++] = *taken;
}

/*! \brief Note why a line is refused: the reason that was given last. */
static void note_reason(import_t *im, taken_t *taken)
{
	free(taken->reason);
	taken->reason = tool_memory(im->tool, strdup(im->tool->diag.text));
}

/*! \brief End with the reason why a line cannot be taken. */
static int fail_line(import_t *im, const line_t *line, int ret)
{
	mail_diag_t *diag = &im->tool->diag;
	if (diag->line == 0) {
		diag->line = (uint32_t)line->number;
	}
	return tool_error_diag(im->tool, ret);
}

/*! \brief Parse the line that was read last; it waits to be written. Blank ones say nothing. */
static int take_line(import_t *im)
{
	taken_t taken = { .line = { NULL, 0, im->line.number } };
	if (im->line.len == strspn(im->line.text, " \t")) {
		return STATUS_DONE;
	}
	int ret = parse_line(im, &im->line, &taken.entry);
	if (ret != KNOT_EOK && (im->rejects == NULL || !is_refusal(ret))) {
		return fail_line(im, &im->line, ret);
	}
	if (ret != KNOT_EOK) {
		note_reason(im, &taken);
	}
	if (im->rejects != NULL) {
		taken.line.text = tool_memory(im->tool, strndup(im->line.text, im->line.len));
		taken.line.len = strlen(taken.line.text);
	}
	lines_add(im, &im->taken, &taken);
	return STATUS_DONE;
}

/*! \brief Write the lines that wait. After a failure those that were refused stay so. */
static int write_lines(import_t *im)
{
	lines_t *lines = &im->taken;
	int status = STATUS_DONE;
	for (size_t i = 0; i < lines->count; i++) {
		taken_t *taken = &lines->lines[i];
		bool refused = taken->reason != NULL;
		if (taken->entry != NULL && status == STATUS_DONE) {
			int ret = put_line(im, taken);
			refused = im->rejects != NULL && is_refusal(ret);
			if (refused) {
				note_reason(im, taken);
			} else if (ret != KNOT_EOK) {
				status = fail_line(im, &taken->line, ret);
			}
		}
		if (refused) {
			lines_add(im, &im->refused, taken);
		} else {
			taken_free(taken);
		}
	}
	lines->count = 0;
	return status;
}

/*! \brief Write the lines that wait in a transaction of their own. */
static int write_batch(import_t *im)
{
	if (begin(im) != STATUS_DONE || write_lines(im) != STATUS_DONE) {
		return STATUS_FAILED;
	}
	return commit(im);
}

/*! \brief Return STATUS_DONE, unless reading has failed or was interrupted. */
static int ended(import_t *im, int status)
{
	/* The signal may have come just before the read that met the end. */
	if (status == STATUS_DONE && progress_interrupted() != 0) {
		return tool_error(im->tool, KNOT_ERROR, "%s", "interrupted");
	}
	return status;
}

static int read_lines(import_t *im)
{
	int status = STATUS_DONE;
	uint64_t pending = 0;
	bool on = true;
	while (on && status == STATUS_DONE && next_line(im, &status)) {
		if (im->line.number <= im->skip) {
			im->committed = im->line.number;
			continue;
		}
		status = take_line(im);
		if (status == STATUS_DONE && im->batch == 0) {
			status = write_lines(im);
		} else if (status == STATUS_DONE && ++pending >= im->batch) {
			status = write_batch(im);
			pending = 0;
		}
		on = progress_tick(&im->progress, im->octets);
	}
	progress_end(&im->progress);
	return ended(im, status);
}

/*! \brief Open a file that has no name. It may become large: /tmp is memory on many machines. */
static FILE *open_copy(tool_t *tool)
{
	char path[PATH_MAX];
	const char *directory = getenv("TMPDIR");
	directory = directory != NULL && directory[0] != '\0' ? directory : "/var/tmp";
	(void)snprintf(path, sizeof(path), "%s/kmailctl.XXXXXX", directory);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		file_fail(tool, path, errno);
	}
	(void)unlink(path);
	return tool_memory(tool, fdopen(fd, "w+"));
}

/*! \brief Copy the input, so that it can be read without waiting; what is wrong with a line is said at once. */
static int copy_input(import_t *im)
{
	FILE *copy = open_copy(im->tool);
	int status = STATUS_DONE;
	while (status == STATUS_DONE && progress_interrupted() == 0 && next_line(im, &status)) {
		if (im->line.number > im->skip && im->rejects == NULL) {
			status = take_line(im);
			lines_free(&im->taken);
		}
		(void)fwrite(im->line.text, 1, im->line.len, copy);
		(void)fputc('\n', copy);
	}
	status = ended(im, status);
	bool bad = ferror(copy) != 0;
	bad = fflush(copy) != 0 || bad;
	if (bad && status == STATUS_DONE) {
		status = tool_error(im->tool, knot_map_errno_code(errno),
		                    "a temporary file cannot be written: %s; $TMPDIR says where",
		                    strerror(errno));
	}
	if (im->input != stdin) {
		(void)fclose(im->input);
	}
	im->input = copy;
	if (status == STATUS_DONE) {
		progress_begin(&im->progress, "lines", (uint64_t)ftello(copy));
		rewind(copy);
		im->octets = im->line.number = 0;
	}
	return status;
}

/*! \brief Write what is left, and try the lines that were refused again, for as long as one is taken. */
static int finish(import_t *im)
{
	if (im->batch > 0 && im->taken.count + im->refused.count > 0 && begin(im) != STATUS_DONE) {
		return STATUS_FAILED;
	}
	int status = write_lines(im);
	size_t before = SIZE_MAX;
	while (status == STATUS_DONE && im->refused.count > 0 && im->refused.count < before) {
		before = im->refused.count;
		free(im->taken.lines);
		im->taken = im->refused;
		im->refused = (lines_t){ .count = 0 };
		status = write_lines(im);
	}
	if (status == STATUS_DONE && im->tool->txn != NULL) {
		status = commit(im);
	} else if (status == STATUS_DONE) {
		im->committed = im->line.number;
	}
	return status;
}

/*! \brief Write the lines that are refused to their file, and say why each was. */
static int write_rejects(import_t *im)
{
	for (size_t i = 0; i < im->refused.count; i++) {
		const taken_t *refused = &im->refused.lines[i];
		mail_diag_t *diag = tool_diag(im->tool);
		(void)fprintf(im->rejects, "%s\n", refused->line.text);
		diag->line = (uint32_t)refused->line.number;
		(void)snprintf(diag->text, sizeof(diag->text), "%s", refused->reason);
		(void)tool_error_diag(im->tool, KNOT_EINVAL);
	}
	bool bad = ferror(im->rejects) != 0;
	bad = fclose(im->rejects) != 0 || bad;
	if (bad) {
		return tool_error(im->tool, KNOT_EFILE, "%s: cannot be written",
		                  option_value(im->tool, OPT_REJECTS));
	}
	return im->refused.count > 0 ? STATUS_FAILED : STATUS_DONE;
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
			(json_int_t)im->refused.count));
	} else {
		char refused[40] = "";
		if (im->refused.count > 0) {
			(void)snprintf(refused, sizeof(refused), ", %s refused",
			               tool_number(im->refused.count));
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
	im->stalls = !regular;
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
	tool_open_store(tool, MAIL_STORE_WRITE);
	int status = STATUS_DONE;
	if (im.batch == 0 && im.stalls) {
		status = copy_input(&im);
	}
	if (status == STATUS_DONE && im.batch == 0) {
		status = begin(&im);
	}
	if (status == STATUS_DONE) {
		status = read_lines(&im);
	}
	if (status == STATUS_DONE) {
		status = finish(&im);
	}
	mail_change_free(im.change);
	/* Nobody waits while reasons are written. */
	tool_abort(tool);
	const int refused = im.rejects != NULL ? write_rejects(&im) : STATUS_DONE;
	report(&im, status);
	status |= refused;
	lines_free(&im.taken);
	lines_free(&im.refused);
	free(im.line.text);
	if (im.input != stdin) {
		(void)fclose(im.input);
	}
	return status;
}
