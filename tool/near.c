/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/near.h"

#include <unistd.h>

#include "mail/chars.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* A shorter id is no word: mx1, web. */
#define LETTERS_MIN 5

/*! \brief Return whether a part of an id has digits alone. */
static bool is_number(mail_str_t part)
{
	for (size_t i = 0; i < part.len; i++) {
		if (!mail_char_digit(part.data[i])) {
			return false;
		}
	}
	return true;
}

bool near_is(mail_str_t a, mail_str_t b)
{
	/* What is left between the same beginning and the same end. */
	while (a.len > 0 && b.len > 0 && a.data[0] == b.data[0]) {
		a = mail_str_from(a, 1);
		b = mail_str_from(b, 1);
	}
	while (a.len > 0 && b.len > 0 && a.data[a.len - 1] == b.data[b.len - 1]) {
		a.len--;
		b.len--;
	}
	if (is_number(a) && is_number(b)) {
		return false;
	}
	const bool swapped = a.len == 2 && b.len == 2 && a.data[0] == b.data[1] &&
	                     a.data[1] == b.data[0];
	return (a.len <= 1 && b.len <= 1) || swapped;
}

/*! \brief Return an entry of a section whose id is near; NULL: there is none. */
static const mail_entry_t *nearest(tool_t *tool, mail_section_t section, mail_str_t id)
{
	tool_walk_t walk = { .section = section };
	while (tool_next(tool, &walk) != NULL) {
		if (near_is(id, walk.entry->id)) {
			return tool_own(tool, walk.entry); /* The walk ends here. */
		}
	}
	return NULL;
}

/*! \brief Ask a terminal; anything but a yes ends the process. */
static void ask(tool_t *tool, mail_section_t section, mail_str_t id, mail_str_t other)
{
	const char *name = mail_section_name(section);
	char answer[16] = "";
	(void)fprintf(stderr, "There is no %s %.*s, but a %s %.*s. Make a new %s? [y/N] ", name,
	              (int)id.len, id.data, name, (int)other.len, other.data, name);
	(void)fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL) {
		(void)fputc('\n', stderr);
	}
	if (answer[0] != 'y' && answer[0] != 'Y') {
		tool_fail(tool, KNOT_ENOENT, "%s %.*s was not made; nothing was changed", name,
		          (int)id.len, id.data);
	}
}

mail_entry_t *near_find(tool_t *tool, mail_section_t section, const char *text)
{
	mail_entry_t *entry = tool_find_entry(tool, section, text);
	const mail_str_t id = tool_id(tool, section, text);
	if (entry != NULL || option_is(tool, OPT_CREATE) || section == MAIL_SECTION_DOMAIN ||
	    section == MAIL_SECTION_DKIM || id.len < LETTERS_MIN) {
		return entry;
	}
	const mail_entry_t *other = nearest(tool, section, id);
	if (other == NULL) {
		return NULL;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		tool_fail(tool, KNOT_ENOENT,
		          "%s %.*s does not exist; did you mean %.*s? --create makes a new %s",
		          mail_section_name(section), (int)id.len, id.data, (int)other->id.len,
		          other->id.data, mail_section_name(section));
	}
	/* Nobody else can write while a transaction waits for a person. */
	mail_buf_t ids[2] = { { 0 } };
	(void)mail_buf_put(&ids[0], id.data, id.len);
	(void)mail_buf_put(&ids[1], other->id.data, other->id.len);
	tool_close(tool);
	ask(tool, section, mail_buf_view(&ids[0]), mail_buf_view(&ids[1]));
	mail_buf_free(&ids[0]);
	mail_buf_free(&ids[1]);
	tool_open(tool, MAIL_STORE_WRITE);
	return tool_find_entry(tool, section, text);
}
