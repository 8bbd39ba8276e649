/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/out.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "mail/json.h"
#include "mail/lint.h"
#include "mail/time.h"
#include "tool/file.h"
#include "tool/open.h"
#include "tool/progress.h"
#include "tool/synopsis.h"

/* More warnings than this say nothing new. */
#define WARNINGS_MAX 100

static const struct {
	int code;
	const char *name;
} codes[] = {
	{ KNOT_EINVAL, "invalid" }, { KNOT_ENOENT, "not-found" }, { KNOT_EEXIST, "exists" },
	{ KNOT_EACCES, "access" },  { KNOT_EMALF, "malformed" },  { KNOT_ENOTSUP, "not-supported" },
	{ KNOT_ENOMEM, "memory" },  { KNOT_ESPACE, "full" },      { KNOT_ELOOP, "circle" },
	{ KNOT_EFILE, "file" },     { KNOT_EBUSY, "busy" },
};

/*! \brief Return the name of a KNOT_E* in JSON errors. */
static const char *code_name(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code) {
			return codes[i].name;
		}
	}
	return "failed";
}

/*! \brief Return the exit status of a failure. */
static int failed(const tool_t *tool)
{
	return tool->verb != NULL && tool->verb->failed > 0 ? tool->verb->failed : STATUS_FAILED;
}

/*! \brief Die by a signal, so that a shell sees it and ends its loop. */
static void die_by(int number)
{
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/*! \brief Return whether standard output is a pipe that nobody reads any more. */
static bool is_unread(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

int tool_end(tool_t *tool, int status)
{
	const int interrupted = progress_interrupted();
	tool_close(tool);
	mail_buf_free(&tool->warned);
	files_remove(tool);
	if (interrupted != 0) {
		(void)fflush(stdout);
		die_by(interrupted);
	}
	/* What was printed must have arrived: a full disk is a failure. */
	bool bad = ferror(stdout) != 0;
	errno = 0;
	bad = fflush(stdout) != 0 || bad;
	if (bad && is_unread()) {
		/* Whoever has read enough wants to hear no more. */
		die_by(SIGPIPE);
	}
	bad = fclose(stdout) != 0 || bad;
	if (!bad) {
		return status;
	}
	(void)tool_error(tool, KNOT_ERROR, "cannot write the output%s%s", errno != 0 ? ": " : "",
	                 errno != 0 ? strerror(errno) : "");
	return failed(tool);
}

void tool_exit(tool_t *tool, int status)
{
	_exit(tool_end(tool, status == STATUS_FAILED ? failed(tool) : status));
}

/*! \brief A message and where it belongs. */
typedef struct {
	const char *error; /*!< Its name in JSON. */
	const char *file;
	uint32_t line, column;
	const char *text;
} message_t;

void tool_json_message(json_t *value)
{
	(void)json_dumpf(value, stderr, JSON_COMPACT);
	(void)fputc('\n', stderr);
	json_decref(value);
}

static void print_message(const tool_t *tool, const message_t *msg)
{
	const mail_str_t text = MAIL_STR(msg->text);
	if (tool->json) {
		tool_json_message(
			json_pack("{s:s, s:o, s:o*, s:o*, s:o*}", "error", msg->error, "message",
		                  tool_json_str(text), "file",
		                  msg->file != NULL ? tool_json_str(MAIL_STR(msg->file)) : NULL,
		                  "line", msg->line > 0 ? json_integer(msg->line) : NULL, "column",
		                  msg->column > 0 ? json_integer(msg->column) : NULL));
		return;
	}
	(void)fputs("kmailctl: ", stderr);
	if (msg->file != NULL && msg->line > 0) {
		(void)fprintf(stderr, "%s:%u: ", msg->file, msg->line);
	} else if (msg->file != NULL) {
		(void)fprintf(stderr, "%s: ", msg->file);
	}
	(void)fputs(msg->text, stderr);
	if (msg->column > 0) {
		(void)fprintf(stderr, " (column %u%s)", msg->column,
		              tool->file_columns ? "" : " of the value");
	}
	(void)fputc('\n', stderr);
}

/*! \brief Print a message made of a format. */
static void print_error(const tool_t *tool, const char *error, const char *fmt, va_list args)
{
	char text[1024];
	(void)vsnprintf(text, sizeof(text), fmt, args);
	print_message(tool, &(message_t){ .error = error, .text = text });
}

int tool_error(tool_t *tool, int code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print_error(tool, code_name(code), fmt, args);
	va_end(args);
	return STATUS_FAILED;
}

int tool_error_diag(tool_t *tool, int code)
{
	const mail_diag_t *diag = &tool->diag;
	message_t msg = { .error = code_name(code),
		          .file = tool->file,
		          .line = diag->line,
		          .column = diag->column,
		          .text = tool_reason(tool, code) };
	if (code == KNOT_ESPACE && diag->text[0] == '\0') {
		msg.text = "the store or its file system is full: free space on the disk, or "
			   "export, make a store with a larger --map-size, and import";
	}
	print_message(tool, &msg);
	return STATUS_FAILED;
}

void tool_fail(tool_t *tool, int code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print_error(tool, code_name(code), fmt, args);
	va_end(args);
	tool_exit(tool, STATUS_FAILED);
}

void tool_usage(tool_t *tool, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print_error(tool, "usage", fmt, args);
	va_end(args);
	if (!tool->json && tool->verb != NULL) {
		(void)fputs("usage: ", stderr);
		synopsis_print(tool->verb, stderr);
	} else if (!tool->json) {
		(void)fputs("usage: kmailctl [-s STORE] [--json] VERB ...  (kmailctl help)\n",
		            stderr);
	}
	tool_exit(tool, STATUS_USAGE);
}

void tool_expect(tool_t *tool, int code)
{
	if (code != KNOT_EOK) {
		tool_fail(tool, code, "%s", knot_strerror(code));
	}
}

void tool_expect_entry(tool_t *tool, const mail_entry_t *entry, int code)
{
	if (code != KNOT_EOK) {
		tool_fail(tool, code, "%s %.*s: %s", mail_section_name(entry->section),
		          (int)entry->id.len, entry->id.data, tool_reason(tool, code));
	}
}

void *tool_memory(tool_t *tool, void *memory)
{
	if (memory == NULL) {
		tool_fail(tool, KNOT_ENOMEM, "out of memory");
	}
	return memory;
}

/*! \brief Return whether a warning was printed already; else note it. */
static bool was_warned(tool_t *tool, const char *text)
{
	for (size_t pos = 0; pos < tool->warned.len;) {
		const char *before = (const char *)tool->warned.data + pos;
		if (strcmp(before, text) == 0) {
			return true;
		}
		pos += strlen(before) + 1;
	}
	(void)mail_buf_put(&tool->warned, text, strlen(text) + 1);
	return false;
}

void tool_warn(tool_t *tool, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	if (tool->warnings >= WARNINGS_MAX) {
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (was_warned(tool, text)) {
		return;
	}
	tool->warnings++;
	if (tool->json) {
		tool_json_message(json_pack("{s:o}", "warning", tool_json_str(MAIL_STR(text))));
		return;
	}
	(void)fprintf(stderr, "warning: %s\n", text);
	if (tool->warnings == WARNINGS_MAX) {
		(void)fputs("warning: further warnings are not shown\n", stderr);
	}
}

void tool_note(tool_t *tool, const char *fmt, ...)
{
	if (tool->json || tool->quiet) {
		return;
	}
	va_list args;
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

/*!
 * \brief Return whether a warning was given before, perhaps without the entry that it is about: a value is looked at when it
 *        is read, and again when records are made of it.
 */
static bool is_given(const mail_buf_t *given, const char *text)
{
	const size_t len = strlen(text);
	const char *other;
	for (size_t pos = 0; (other = mail_warning_next(given, &pos)) != NULL;) {
		const size_t tail = strlen(other);
		if (tail > len) {
			continue;
		}
		if ((len == tail ||
		     (len > tail + 1 && memcmp(text + len - tail - 2, ": ", 2) == 0)) &&
		    strcmp(text + len - tail, other) == 0) {
			return true;
		}
	}
	return false;
}

static void take_warning(void *ctx, const char *text)
{
	static mail_buf_t given;
	tool_t *tool = ctx;
	/* With a line of a file, it is about that line. */
	if (tool->diag.line == 0 && is_given(&given, text)) {
		return;
	}
	if (tool->warnings < WARNINGS_MAX) {
		mail_warning_keep(&given, text);
	}
	if (tool->file != NULL && tool->diag.line > 0) {
		tool_warn(tool, "%s:%u: %s", tool->file, tool->diag.line, text);
	} else {
		tool_warn(tool, "%s", text);
	}
}

mail_diag_t *tool_diag(tool_t *tool)
{
	tool->diag = (mail_diag_t){ .warn = take_warning, .warn_ctx = tool };
	return &tool->diag;
}

const char *tool_reason(const tool_t *tool, int code)
{
	return tool->diag.text[0] != '\0' ? tool->diag.text : knot_strerror(code);
}

void tool_put_str(FILE *file, mail_str_t text)
{
	if (text.len > 0) {
		(void)fwrite(text.data, 1, text.len, file);
	}
}

json_t *tool_json_str(mail_str_t text)
{
	json_t *string = json_stringn(text.data != NULL ? text.data : "", text.len);
	if (string != NULL) {
		return string;
	}
	/* Not UTF-8: every octet above 7F becomes U+FFFD, which is three octets. */
	mail_buf_t clean = { 0 };
	for (size_t i = 0; i < text.len; i++) {
		if ((uint8_t)text.data[i] < 0x80) {
			(void)mail_buf_u8(&clean, (uint8_t)text.data[i]);
		} else {
			(void)mail_buf_str(&clean, "\xef\xbf\xbd");
		}
	}
	string = json_stringn((const char *)clean.data, clean.len);
	mail_buf_free(&clean);
	return string;
}

json_t *tool_json_time(int64_t when)
{
	return when > 0 && when < INT64_MAX ? json_string(tool_time(when)) : NULL;
}

bool tool_json(json_t *value)
{
	(void)json_dumpf(value, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(value);
	return !ferror(stdout);
}

void tool_json_entry(tool_t *tool, const mail_entry_t *entry, const char *more)
{
	mail_buf_t line = { 0 };
	tool_expect(tool, mail_json_print(entry, &line));
	if (more != NULL) {
		line.len--; /* Into the object, before the brace that closes it. */
		(void)mail_buf_printf(&line, "%s}", more);
	}
	tool_expect(tool, mail_buf_u8(&line, '\n'));
	tool_put_str(stdout, mail_buf_view(&line));
	mail_buf_free(&line);
}

/*! \brief Print a heading for a terminal, once. */
static void put_head(const mail_entry_t *entry, int width, bool text)
{
	static bool done = false;
	if (!done && isatty(STDOUT_FILENO)) {
		char name[32];
		(void)snprintf(name, sizeof(name), "%s", mail_section_name(entry->section));
		for (char *c = name; *c != '\0'; c++) {
			*c = (char)toupper((unsigned char)*c);
		}
		(void)printf("%-*s %s\n", width, name, text ? "KIND     STATE" : "ITEMS");
	}
	done = true;
}

void tool_put_items(const mail_entry_t *entry, int width, const char *text,
                    const mail_item_id_t items[], size_t count)
{
	mail_buf_t line = { 0 };
	put_head(entry, width, text != NULL);
	if (text != NULL) {
		(void)mail_buf_printf(&line, " %s", text);
	}
	for (size_t i = 0; i < count; i++) {
		const mail_member_t *member = mail_entry_member(entry, items[i], MAIL_OP_SET);
		for (size_t j = 0; member != NULL && j < member->count; j++) {
			const mail_str_t value = member->values[j].text;
			bool blank = memchr(value.data, ' ', value.len) != NULL;
			(void)mail_buf_printf(&line, blank ? " %s=\"%.*s\"" : " %s=%.*s",
			                      member->item->name, (int)value.len, value.data);
		}
	}
	(void)printf("%-*.*s", line.len > 0 ? width : 0, (int)entry->id.len, entry->id.data);
	tool_put_str(stdout, mail_buf_view(&line));
	(void)putchar('\n');
	mail_buf_free(&line);
}

const char *tool_time(int64_t seconds)
{
	static char memory[4][32];
	static unsigned next = 0;
	char *out = memory[next++ % 4];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)out, sizeof(memory[0]) - 1);
	if (mail_time_print(seconds, &buf) != KNOT_EOK) {
		buf.len = 0;
	}
	out[buf.len] = '\0';
	return out;
}

const char *tool_number(uint64_t number)
{
	static char memory[8][MAIL_NUMBER_TEXT];
	static unsigned next = 0;
	return mail_number_text(number, memory[next++ % 8]);
}

const char *tool_number_of(uint64_t number, const char *what)
{
	static char memory[4][MAIL_NUMBER_TEXT + 32];
	static unsigned next = 0;
	char *out = memory[next++ % 4];
	(void)snprintf(out, sizeof(memory[0]), "%s %.24s%s", tool_number(number), what,
	               number == 1 ? "" : "s");
	return out;
}

void table_cell(table_t *table, mail_str_t text)
{
	(void)mail_buf_put(&table->cells, text.data, text.len);
	(void)mail_buf_u8(&table->cells, '\0');
	table->count++;
}

void table_print(tool_t *tool, table_t *table)
{
	tool_expect(tool, table->cells.error);
	const char *cell = (const char *)table->cells.data;
	size_t width[16] = { 0 };
	bool head = table->head != NULL && table->count > 0;
	for (size_t i = 0; head && i < table->columns; i++) {
		width[i] = strlen(table->head[i]);
	}
	for (size_t i = 0; i < table->count; i++) {
		size_t len = strlen(cell), *wide = &width[i % table->columns];
		*wide = len > *wide ? len : *wide;
		cell += len + 1;
	}
	for (size_t i = 0; head && i < table->columns; i++) {
		const bool last = i + 1 == table->columns;
		(void)printf("%-*s%s", last ? 0 : (int)width[i], table->head[i],
		             last ? "\n" : "  ");
	}
	/* A cell is padded when another one follows in its row: no row ends in white space. */
	cell = (const char *)table->cells.data;
	size_t blanks = 0;
	for (size_t i = 0; i < table->count; i++) {
		const size_t column = i % table->columns, len = strlen(cell);
		if (len > 0) {
			(void)printf("%*s%s", (int)blanks, "", cell);
			blanks = 0;
		}
		blanks += width[column] - len + 2;
		if (column + 1 == table->columns) {
			(void)putchar('\n');
			blanks = 0;
		}
		cell += len + 1;
	}
	mail_buf_free(&table->cells);
	table->count = 0;
}
