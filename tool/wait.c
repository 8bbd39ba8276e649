/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/wait.h"

#include <time.h>
#include <unistd.h>

#include "mail/chars.h"
#include "mail/turn.h"
#include "tool/file.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/progress.h"

/* A terminal is told of a wait that is longer. */
#define TELL_MS 1000

/*! \brief A wait. */
typedef struct {
	tool_t *tool;
	int64_t limit; /*!< Milliseconds; negative: none. */
	bool told;
	mail_writer_t writer; /*!< Who is waited for. */
} wait_t;

/*! \brief Return the verb that a process runs, by its command line; NULL: that cannot be told. */
static const char *verb_of(mail_str_t command)
{
	bool value = false;
	mail_str_t word;
	for (size_t pos = 0; mail_str_piece(command, '\0', &pos, &word);) {
		const verb_t *verb = value || word.len == 0 ? NULL : verb_find(word.data);
		if (verb != NULL) {
			return verb->name;
		}
		value = mail_str_is(word, "-s") || mail_str_is(word, "--store");
	}
	return NULL;
}

/*! \brief Return whether a process is stopped: the letter behind "(COMMAND) " in its stat. */
static bool is_stopped(mail_str_t stat)
{
	for (size_t i = stat.len; i > 2; i--) {
		if (stat.data[i - 3] == ')') {
			return stat.data[i - 1] == 'T' || stat.data[i - 1] == 't';
		}
	}
	return false;
}

/*! \brief Append what /proc knows of a process, for who may look. */
static void put_process(pid_t pid, const char *since, mail_buf_t *out)
{
	char path[64];
	mail_buf_t command = { 0 }, stat = { 0 };
	(void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	const bool known = file_read(path, &command) == 0 && mail_buf_u8(&command, 0) == KNOT_EOK;
	const char *verb = known ? verb_of(mail_buf_view(&command)) : NULL;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	const bool stopped = file_read(path, &stat) == 0 && is_stopped(mail_buf_view(&stat));
	(void)mail_buf_printf(out, "pid %ld%s%s, since %s%s", (long)pid, verb != NULL ? ", " : "",
	                      verb != NULL ? verb : "", since, stopped ? ", stopped" : "");
	mail_buf_free(&command);
	mail_buf_free(&stat);
}

/*! \brief Write who is waited for: "pid 850, import, since 04:05:51". */
static void put_writer(const mail_writer_t *writer, mail_buf_t *out)
{
	const time_t now = time(NULL), since = (time_t)writer->since;
	char text[32] = "";
	struct tm tm, today;
	if (writer->pid == 0) {
		(void)mail_buf_str(out, "another program than kmailctl");
		return;
	}
	if (localtime_r(&since, &tm) != NULL && localtime_r(&now, &today) != NULL) {
		const bool is_today = tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year;
		(void)strftime(text, sizeof(text), is_today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S",
		               &tm);
	}
	put_process(writer->pid, text, out);
}

/*! \brief Say who is waited for. \param busy  For the last time: the wait is over. */
static void tell(wait_t *wait, bool busy)
{
	mail_buf_t who = { 0 };
	put_writer(&wait->writer, &who);
	if (busy) {
		(void)tool_error(wait->tool, KNOT_EBUSY,
		                 "%s: the store is busy: another writer (%.*s) has not ended; try "
		                 "again later, or with a longer --wait",
		                 wait->tool->path, (int)who.len, (const char *)who.data);
	} else {
		progress_clear();
		tool_note(wait->tool, "waiting for another writer (%.*s)", (int)who.len,
		          (const char *)who.data);
	}
	mail_buf_free(&who);
}

static bool go_on(const mail_writer_t *writer, int64_t waited, void *ctx)
{
	wait_t *wait = ctx;
	wait->writer = *writer;
	if (progress_interrupted() != 0 || (wait->limit >= 0 && waited >= wait->limit)) {
		return false;
	}
	if (!wait->told && waited >= TELL_MS && isatty(STDERR_FILENO)) {
		wait->told = true;
		tell(wait, false);
	}
	return true;
}

void wait_check(tool_t *tool)
{
	(void)option_duration(tool, OPT_WAIT, 0);
}

int wait_begin(tool_t *tool)
{
	wait_t wait = { .tool = tool, .limit = -1 };
	if (option_is(tool, OPT_WAIT)) {
		wait.limit = (int64_t)option_duration(tool, OPT_WAIT, 0) * 1000;
	}
	int ret = mail_txn_take_turn(tool->store, go_on, &wait, &tool->txn);
	if (ret == KNOT_EBUSY && progress_interrupted() != 0) {
		return tool_error(tool, KNOT_ERROR, "%s", "interrupted");
	}
	if (ret == KNOT_EBUSY) {
		tell(&wait, true);
		return STATUS_FAILED;
	}
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s: cannot begin a transaction: %s", tool->path,
		                  knot_strerror(ret));
	}
	/* What is written to files that were replaced is seen by nobody. */
	if (mail_store_is_current(tool->store) != KNOT_EOK) {
		mail_txn_abort(tool->txn);
		tool->txn = NULL;
		return tool_error(tool, KNOT_EAGAIN,
		                  "%s: the store was replaced while this command waited; run the "
		                  "command again",
		                  tool->path);
	}
	return STATUS_DONE;
}
