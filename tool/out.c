/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/out.h"

#include <stdlib.h>

#include "mail/json.h"
#include "mail/time.h"
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

const char *tool_code(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code) {
			return codes[i].name;
		}
	}
	return "failed";
}

/*! \brief A message and where it belongs. */
typedef struct {
	const char *error; /*!< Its name in JSON. */
	const char *file;
	uint32_t line;
	uint32_t column;
	const char *text;
} message_t;

static void print_message(const tool_t *tool, const message_t *msg)
{
	if (tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "error", json_string(msg->error));
		json_object_set_new(object, "message", tool_json_str(MAIL_STR(msg->text)));
		if (msg->file != NULL) {
			json_object_set_new(object, "file", tool_json_str(MAIL_STR(msg->file)));
		}
		if (msg->line > 0) {
			json_object_set_new(object, "line", json_integer(msg->line));
		}
		if (msg->column > 0) {
			json_object_set_new(object, "column", json_integer(msg->column));
		}
		(void)json_dumpf(object, stderr, JSON_COMPACT);
		(void)fputc('\n', stderr);
		json_decref(object);
		return;
	}
	(void)fputs("kmailctl: ", stderr);
	if (msg->file != NULL) {
		(void)fprintf(stderr, "%s:", msg->file);
		if (msg->line > 0) {
			(void)fprintf(stderr, "%u:", msg->line);
		}
		(void)fputc(' ', stderr);
	}
	(void)fputs(msg->text, stderr);
	if (msg->column > 0) {
		/* In NDJSON it may be the line's own column. */
		bool value = tool->verb == NULL || tool->verb->run != verb_import;
		(void)fprintf(stderr, " (column %u%s)", msg->column, value ? " of the value" : "");
	}
	(void)fputc('\n', stderr);
}

int tool_error(tool_t *tool, int code, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	print_message(tool, &(message_t){ .error = tool_code(code), .text = text });
	return STATUS_FAILED;
}

int tool_error_diag(tool_t *tool, int code)
{
	const mail_diag_t *diag = &tool->diag;
	const char *text = diag->text;
	if (code == KNOT_ESPACE && text[0] == '\0') {
		text = "the store or its file system is full: free space on the disk, or export, "
		       "make a store with a larger --map-size, and import";
	} else if (text[0] == '\0') {
		text = knot_strerror(code);
	}
	print_message(tool, &(message_t){
				    .error = tool_code(code),
				    .file = tool->file,
				    .line = diag->line,
				    .column = diag->column,
				    .text = text,
			    });
	return STATUS_FAILED;
}

int tool_usage(tool_t *tool, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	print_message(tool, &(message_t){ .error = "usage", .text = text });
	if (!tool->json) {
		if (tool->verb != NULL) {
			(void)fputs("usage: ", stderr);
			synopsis_print(tool->verb, stderr);
		} else {
			(void)fputs(
				"usage: kmailctl [-s STORE] [--json] VERB ...  (kmailctl help)\n",
				stderr);
		}
	}
	return STATUS_USAGE;
}

void tool_warn(tool_t *tool, const char *fmt, ...)
{
	if (++tool->warnings > WARNINGS_MAX) {
		return;
	}
	char text[1024];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (tool->json) {
		json_t *object = json_object();
		json_object_set_new(object, "warning", tool_json_str(MAIL_STR(text)));
		(void)json_dumpf(object, stderr, JSON_COMPACT);
		(void)fputc('\n', stderr);
		json_decref(object);
	} else {
		(void)fprintf(stderr, "warning: %s\n", text);
	}
	if (tool->warnings == WARNINGS_MAX && !tool->json) {
		(void)fputs("warning: further warnings are not shown\n", stderr);
	}
}

void tool_note(tool_t *tool, const char *fmt, ...)
{
	if (tool->json) {
		return;
	}
	va_list args;
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

static void take_warning(void *ctx, const char *text)
{
	tool_t *tool = ctx;
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

bool tool_json(json_t *value)
{
	(void)json_dumpf(value, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(value);
	return !ferror(stdout);
}

int tool_json_entry(tool_t *tool, const mail_entry_t *entry)
{
	mail_buf_t line = { 0 };
	int ret = mail_json_print(entry, &line);
	if (ret == KNOT_EOK) {
		(void)mail_buf_u8(&line, '\n');
		tool_put_str(stdout, mail_buf_view(&line));
	}
	mail_buf_free(&line);
	return ret == KNOT_EOK ? STATUS_DONE : tool_error(tool, ret, "%s", knot_strerror(ret));
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

int table_cell(table_t *table, unsigned columns, mail_str_t text)
{
	table->columns = columns;
	if (table->count == table->cap) {
		size_t cap = table->cap == 0 ? 64 : table->cap * 2;
		char **cells = realloc(table->cells, cap * sizeof(*cells));
		if (cells == NULL) {
			return KNOT_ENOMEM;
		}
		table->cells = cells;
		table->cap = cap;
	}
	char *copy = strndup(text.len > 0 ? text.data : "", text.len);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	table->cells[table->count++] = copy;
	return KNOT_EOK;
}

void table_print(table_t *table)
{
	size_t width[16] = { 0 };
	unsigned columns = table->columns;
	for (size_t i = 0; i < table->count; i++) {
		size_t len = strlen(table->cells[i]);
		if (len > width[i % columns]) {
			width[i % columns] = len;
		}
	}
	for (size_t i = 0; i < table->count; i++) {
		/* The last cell is not padded, and no row ends in white space. */
		bool last = true;
		for (size_t j = i + 1; j % columns != 0 && j < table->count; j++) {
			last = last && table->cells[j][0] == '\0';
		}
		if (last) {
			(void)fputs(table->cells[i], stdout);
			(void)putchar('\n');
			i += columns - 1 - i % columns;
		} else {
			(void)printf("%-*s  ", (int)width[i % columns], table->cells[i]);
		}
	}
	for (size_t i = 0; i < table->count; i++) {
		free(table->cells[i]);
	}
	free(table->cells);
	*table = (table_t){ 0 };
}
