/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The dialect, read: knot.conf's two levels of sections and items, by libknot's yparser.
 *
 * yparser hands over one value at a time, with the line. It takes an item that is given twice for a
 * list, and the first half of `mx: 10 mail` for a value. So a value that follows on the same line
 * belongs to the same list, one on another line is a second item and refused; and when a value
 * is bad, the rest of its line is parsed before that is said, because a slip of syntax on the line
 * is the better reason.
 */
#include "mail/text.h"

#include <stdlib.h>

#include <libknot/yparser/yparser.h>

#include "mail/chars.h"
#include "dialect/subject.h"
#include "dialect/text_ready.h"
#include "dialect/text_slip.h"

/* A value that names a file, kept until its entry is complete. */
typedef struct {
	const mail_item_t *item;
	char *name;
	size_t len;
	uint32_t line;
} file_value_t;

typedef struct {
	yp_parser_t *yp;
	mail_str_t text;
	int (*read_file)(void *ctx, mail_str_t name, mail_buf_t *out);
	void *ctx;
	mail_subject_t subject;
	mail_entries_t *entries;
	mail_entry_t *entry;     /* Being read; NULL before the first id of a section. */
	const mail_item_t *item; /* Of the last value. */
	mail_op_t op;
	uint32_t line; /* Of the last value. */
	file_value_t *files;
	size_t file_count;
} reader_t;

/* When an entry has an item already: its line, else 0. */
static uint32_t line_of_item(const reader_t *r, const mail_item_t *item, mail_op_t op)
{
	const mail_member_t *member = mail_entry_member(r->entry, item->id, op);
	if (member == NULL && op == MAIL_OP_SET) {
		member = mail_entry_member(r->entry, item->id, MAIL_OP_NONE);
	}
	if (member != NULL) {
		return member->line;
	}
	for (size_t i = 0; i < r->file_count && op == MAIL_OP_SET; i++) {
		if (r->files[i].item == item) {
			return r->files[i].line;
		}
	}
	return 0;
}

static void files_clear(reader_t *r)
{
	for (size_t i = 0; i < r->file_count; i++) {
		free(r->files[i].name);
	}
	free(r->files);
	r->files = NULL;
	r->file_count = 0;
}

static int file_keep(reader_t *r, const mail_item_t *item, mail_str_t name, uint32_t line)
{
	file_value_t *files = realloc(r->files, (r->file_count + 1) * sizeof(*files));
	if (files == NULL) {
		return KNOT_ENOMEM;
	}
	r->files = files;
	files += r->file_count;
	*files = (file_value_t){
		.item = item, .name = malloc(name.len + 1), .len = name.len, .line = line
	};
	if (files->name == NULL) {
		return KNOT_ENOMEM;
	}
	memcpy(files->name, name.data, name.len);
	r->file_count++;
	return KNOT_EOK;
}

static int file_resolve(reader_t *r, const file_value_t *file)
{
	mail_str_t name = { file->name, file->len };
	mail_buf_t pem = { 0 };
	char quoted[64];
	mail_subject_quote(name, quoted);
	r->subject.item = MAIL_STR(file->item->name);
	r->subject.line = file->line;
	if (r->read_file == NULL) {
		return mail_subject_error(&r->subject, 0,
		                          "\"%s\" is taken for a file, and files are not read here",
		                          quoted);
	}
	int ret = r->read_file(r->ctx, name, &pem);
	if (ret != KNOT_EOK) {
		mail_buf_free(&pem);
		if (ret == KNOT_ENOMEM) {
			return mail_subject_pass(&r->subject, ret);
		}
		return mail_subject_error(&r->subject, 0, "cannot read the file \"%s\" (%s)",
		                          quoted, knot_strerror(ret));
	}
	r->subject.own.text[0] = '\0';
	ret = mail_text_add_file(r->entry, file->item, mail_buf_view(&pem), file->line,
	                         &r->subject.own);
	if (pem.data != NULL) {
		/* It may have been a private key. */
		explicit_bzero(pem.data, pem.len);
	}
	mail_buf_free(&pem);
	if (ret != KNOT_EOK && ret != KNOT_ENOMEM) {
		return mail_subject_error(&r->subject, 0, "\"%s\": %s", quoted,
		                          r->subject.own.text);
	}
	return mail_subject_pass(&r->subject, ret);
}

static int entries_push(mail_entries_t *entries, mail_entry_t *entry)
{
	/* Grown whenever the count reaches a power of two. */
	if ((entries->count & (entries->count - 1)) == 0) {
		size_t cap = entries->count == 0 ? 1 : 2 * entries->count;
		mail_entry_t **grown = realloc(entries->entries, cap * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		entries->entries = grown;
	}
	entries->entries[entries->count++] = entry;
	return KNOT_EOK;
}

/* The entry is complete: its files are read, it is checked as a whole. */
static int entry_finish(reader_t *r)
{
	mail_subject_t *subject = &r->subject;
	int ret = KNOT_EOK;
	if (r->entry == NULL) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < r->file_count; i++) {
		ret = file_resolve(r, &r->files[i]);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	files_clear(r);

	subject->item.len = 0;
	subject->own.line = 0;
	ret = mail_entry_check(r->entry, &subject->own);
	subject->line = subject->own.line != 0 ? subject->own.line : r->entry->line;
	if (ret == KNOT_EOK) {
		ret = entries_push(r->entries, r->entry);
	}
	if (ret != KNOT_EOK) {
		return mail_subject_pass(subject, ret);
	}
	r->entry = NULL;
	r->item = NULL;
	subject->id.len = 0;
	return KNOT_EOK;
}

static int on_section(reader_t *r)
{
	mail_subject_t *subject = &r->subject;
	mail_str_t name = { r->yp->key, r->yp->key_len };
	subject->section = MAIL_SECTION_COUNT;
	int ret = mail_subject_section(subject, name, &subject->section);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (r->yp->data_len > 0) {
		return mail_subject_error(
			subject, 0,
			"a section has no value, its entries follow on lines of their own");
	}
	return KNOT_EOK;
}

static int on_id(reader_t *r)
{
	mail_subject_t *subject = &r->subject;
	mail_str_t key = { r->yp->key, r->yp->key_len };
	if (subject->section == MAIL_SECTION_COUNT) {
		return mail_subject_error(subject, 0, "an entry outside a section");
	}
	if (!mail_str_is(key, "id")) {
		subject->item = key;
		return mail_subject_error(subject, 0, "an entry begins with \"- id: NAME\"");
	}
	subject->item = MAIL_STR("id");
	int ret = mail_subject_entry(subject, (mail_str_t){ r->yp->data, r->yp->data_len },
	                             &r->entry);
	if (ret != KNOT_EOK) {
		return ret;
	}
	r->entry->line = subject->line;
	subject->item.len = 0;
	return KNOT_EOK;
}

/* Find the item of a key, and whether the value goes on with a list. */
static int find_item(reader_t *r, mail_str_t key, const mail_item_t **item, mail_op_t *op)
{
	mail_subject_t *subject = &r->subject;
	mail_str_t name = key;
	*op = MAIL_OP_SET;
	if (mail_str_ends(key, "-add")) {
		name.len -= 4;
		*op = MAIL_OP_ADD;
	}
	int ret = mail_subject_item(subject, name, item);
	if (ret != KNOT_EOK) {
		return ret;
	}
	uint32_t first = line_of_item(r, *item, *op);
	if (first == 0) {
		return KNOT_EOK;
	}
	if (r->item != *item || r->op != *op || r->line != subject->line) {
		return mail_subject_error(subject, 0, "given twice, first in line %u", first);
	}
	if (!((*item)->flags & (MAIL_FLAG_LIST | MAIL_FLAG_BYTAG))) {
		return mail_subject_error(subject, 0, "takes one value, not a list");
	}
	return KNOT_EOK;
}

/* Return whether yparser reports a key that has no value, and not the value "". */
static bool is_bare(const yp_parser_t *yp)
{
	const char *pos = yp->input.current;
	if (yp->data_len > 0) {
		return false;
	}
	/* At the end yparser reads a line end of its own. */
	pos -= yp->input.eof || pos == yp->input.start ? 0 : 1;
	while (pos > yp->input.start && (pos[-1] == ' ' || pos[-1] == '\r')) {
		pos--;
	}
	return pos == yp->input.start || pos[-1] != '"';
}

static int on_item(reader_t *r)
{
	mail_subject_t *subject = &r->subject;
	mail_str_t key = { r->yp->key, r->yp->key_len };
	mail_str_t value = { r->yp->data, r->yp->data_len };
	const mail_item_t *item;
	mail_op_t op;
	subject->item = key;
	if (mail_str_is(key, "id")) {
		return mail_subject_error(subject, 0, "a dash is missing: \"- id: NAME\"");
	}
	if (r->entry == NULL) {
		return mail_subject_error(subject, 0,
		                          subject->section == MAIL_SECTION_COUNT
		                                  ? "an item outside a section"
		                                  : "an item before the first \"- id: NAME\"");
	}
	int ret = find_item(r, key, &item, &op);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (is_bare(r->yp)) {
		return mail_subject_error(subject, 0, "a value is missing");
	}
	r->item = item;
	r->op = op;
	r->line = subject->line;
	if (op == MAIL_OP_SET && mail_text_names_file(subject->section, item, value)) {
		return mail_subject_pass(subject, file_keep(r, item, value, subject->line));
	}
	return mail_subject_pass(
		subject, mail_entry_parse(r->entry, item, op, value, subject->line, &subject->own));
}

/* One step of yparser: a section, an id, or one value of an item. */
static int on_event(reader_t *r)
{
	mail_subject_t *subject = &r->subject;
	int ret = KNOT_EOK;
	if (r->yp->event != YP_EKEY1) {
		ret = entry_finish(r);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	subject->own.text[0] = '\0';
	subject->own.column = 0;
	subject->item.len = 0;
	subject->line = (uint32_t)r->yp->line_count;
	switch (r->yp->event) {
	case YP_EKEY0: return on_section(r);
	case YP_EID: return on_id(r);
	case YP_EKEY1: return on_item(r);
	default: return mail_subject_error(subject, 0, "does not parse");
	}
}

/* An error was noted at a line; yparser's own error on that line, if there is one, says more. */
static int prefer_slip(reader_t *r, int noted)
{
	uint32_t line = (uint32_t)r->yp->line_count;
	if (noted != KNOT_EINVAL || r->subject.line != line) {
		return noted;
	}
	while (true) {
		int ret = yp_parse(r->yp);
		if (ret == KNOT_EOF || r->yp->line_count != line) {
			return noted;
		}
		if (ret != KNOT_EOK) {
			return mail_text_slip(&r->subject, r->text, ret);
		}
	}
}

static int read_all(reader_t *r)
{
	while (true) {
		int ret = yp_parse(r->yp);
		if (ret == KNOT_EOF) {
			return entry_finish(r);
		}
		if (ret != KNOT_EOK) {
			r->subject.line = (uint32_t)r->yp->line_count;
			return mail_text_slip(&r->subject, r->text, ret);
		}
		ret = on_event(r);
		if (ret != KNOT_EOK) {
			return prefer_slip(r, ret);
		}
	}
}

static int compare_ids(const void *a, const void *b)
{
	const mail_entry_t *one = *(mail_entry_t *const *)a, *two = *(mail_entry_t *const *)b;
	if (one->section != two->section) {
		return one->section < two->section ? -1 : 1;
	}
	size_t len = one->id.len < two->id.len ? one->id.len : two->id.len;
	int order = memcmp(one->id.data, two->id.data, len);
	if (order != 0) {
		return order;
	}
	if (one->id.len != two->id.len) {
		return one->id.len < two->id.len ? -1 : 1;
	}
	return one->line < two->line ? -1 : 1;
}

/* No two entries of a section may have the same id. */
static int check_ids(reader_t *r)
{
	size_t count = r->entries->count;
	mail_entry_t **sorted = malloc((count + 1) * sizeof(*sorted));
	if (sorted == NULL) {
		return mail_subject_pass(&r->subject, KNOT_ENOMEM);
	}
	if (count > 0) {
		memcpy(sorted, r->entries->entries, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare_ids);
	}
	int ret = KNOT_EOK;
	uint32_t least = UINT32_MAX;
	for (size_t i = 1; i < count; i++) {
		const mail_entry_t *one = sorted[i - 1], *two = sorted[i];
		if (one->section != two->section || !mail_str_equal(one->id, two->id) ||
		    two->line >= least) {
			continue;
		}
		least = two->line;
		r->subject.line = two->line;
		r->subject.section = two->section;
		r->subject.id = two->id;
		r->subject.item.len = 0;
		ret = mail_subject_error(&r->subject, 0, "given twice, first in line %u",
		                         one->line);
	}
	free(sorted);
	return ret;
}

void mail_entries_free(mail_entries_t *entries)
{
	if (entries == NULL) {
		return;
	}
	for (size_t i = 0; i < entries->count; i++) {
		mail_entry_free(entries->entries[i]);
	}
	free(entries->entries);
	*entries = (mail_entries_t){ 0 };
}

int mail_text_parse(mail_str_t text, int (*read_file)(void *ctx, mail_str_t name, mail_buf_t *out),
                    void *ctx, mail_entries_t *entries, mail_diag_t *diag)
{
	*entries = (mail_entries_t){ 0 };
	reader_t r = { .read_file = read_file, .ctx = ctx, .entries = entries };
	mail_buf_t ready = { 0 };
	mail_subject_begin(&r.subject, diag);
	if (diag != NULL) {
		diag->line = 0;
	}
	r.yp = malloc(sizeof(*r.yp));
	if (r.yp == NULL || mail_text_ready(text, &ready) != KNOT_EOK) {
		free(r.yp);
		mail_buf_free(&ready);
		return mail_subject_pass(&r.subject, KNOT_ENOMEM);
	}
	r.text = mail_buf_view(&ready);
	yp_init(r.yp);
	int ret = yp_set_input_string(r.yp, r.text.data != NULL ? r.text.data : "", r.text.len);
	if (ret == KNOT_EOK) {
		ret = read_all(&r);
	}
	yp_deinit(r.yp);
	free(r.yp);
	if (ret == KNOT_EOK) {
		ret = check_ids(&r);
	}
	mail_entry_free(r.entry);
	files_clear(&r);
	mail_buf_free(&ready);
	if (ret != KNOT_EOK) {
		mail_entries_free(entries);
	}
	return ret;
}
