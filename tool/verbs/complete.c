/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shell completes: `kmailctl completion WORD...` prints what may stand where the last word is,
 * one a line, out of the same tables that parse the command line. A line ":file" asks for file names.
 */

#include "mail/chars.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* A list of more is of no use at a prompt, and takes time. */
#define NAMES_MAX 200
#define LOOK_MAX 20000

static void print(const char *word, const char *prefix, const char *after)
{
	if (strncmp(word, prefix, strlen(prefix)) == 0) {
		(void)printf("%s%s\n", word, after);
	}
}

/*!
 * \brief Print the ids of a section that begin with a prefix, between two texts. Without a store there are none, which is
 *        no error here.
 */
static void complete_names(tool_t *tool, mail_section_t section, const char *prefix,
                           const char *before, const char *after)
{
	if (tool->store == NULL &&
	    mail_store_open(tool->path, MAIL_STORE_READ, 1, &tool->store, NULL) != KNOT_EOK) {
		tool->store = NULL;
		return;
	}
	if (tool->txn == NULL &&
	    mail_txn_begin(tool->store, MAIL_STORE_READ, &tool->txn) != KNOT_EOK) {
		tool->txn = NULL;
		return;
	}
	tool_walk_t walk = { .section = section };
	size_t printed = 0;
	for (size_t seen = 0; seen < LOOK_MAX && printed < NAMES_MAX; seen++) {
		const mail_entry_t *entry = tool_next(tool, &walk);
		if (entry == NULL) {
			break;
		}
		if (mail_str_starts(entry->id, prefix)) {
			(void)printf("%s%.*s%s\n", before, (int)entry->id.len, entry->id.data,
			             after);
			printed++;
		}
	}
	mail_entry_free(walk.entry);
}

/*! \brief Print the verbs that are listed. */
static void complete_verbs(const char *word)
{
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (verb->group != NULL) {
			print(verb->name, word, "");
		}
	}
}

/*! \brief Print what can be done with an item: "ITEM=", "ITEM+=". */
static void complete_item(const verb_t *verb, const mail_item_t *item, const char *word)
{
	const bool set = verb->run == verb_set, list = (item->flags & MAIL_FLAG_LIST) != 0;
	char name[64];
	print(item->name, word, set ? "=" : "");
	if (set && list) {
		(void)snprintf(name, sizeof(name), "%s+=", item->name);
		print(name, word, "");
		(void)snprintf(name, sizeof(name), "%s-=", item->name);
		print(name, word, "");
	}
	if (mail_entry_knows(verb->section, item, MAIL_OP_ADD)) {
		(void)snprintf(name, sizeof(name), "%s-add", item->name);
		print(name, word, set ? "=" : "");
	}
}

/*! \brief Return the item of "ITEM", "ITEM+", "ITEM-", "ITEM-add"; NULL: there is none. */
static const mail_item_t *item_of(const verb_t *verb, mail_str_t name)
{
	static const char *const ends[] = { "", "+", "-", "-add" };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const size_t len = strlen(ends[i]);
		if (mail_str_ends(name, ends[i])) {
			const mail_item_t *item = mail_item_find(
				verb->section, (mail_str_t){ name.data, name.len - len });
			if (item != NULL) {
				return item;
			}
		}
	}
	return NULL;
}

static void complete_items(tool_t *tool, const verb_t *verb, const char *word)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL) {
		for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
			if ((item->sections & (1u << verb->section)) != 0) {
				complete_item(verb, item, word);
			}
		}
		return;
	}
	const mail_item_t *item = item_of(verb, (mail_str_t){ word, (size_t)(equals - word) });
	if (item == NULL) {
		return;
	}
	char before[80];
	(void)snprintf(before, sizeof(before), "%.*s", (int)(equals + 1 - word), word);
	if (mail_item_names(item) < MAIL_SECTION_COUNT) {
		complete_names(tool, mail_item_names(item), equals + 1, before, "");
	} else if (item->type == MAIL_TYPE_SWITCH) {
		(void)printf("%son\n%soff\n", before, before);
	}
}

/*! \brief Take the n-th word of a synopsis; the last one when it may be repeated. */
static void argument_word(const verb_t *verb, size_t n, char *out, size_t size)
{
	const char *pos = verb->args;
	out[0] = '\0';
	for (size_t i = 0; *pos != '\0'; i++) {
		pos += strspn(pos, " ");
		size_t len = strcspn(pos, " ");
		bool repeated = len > 3 && memmem(pos, len, "...", 3) != NULL;
		if (i == n || (repeated && i < n)) {
			(void)snprintf(out, size, "%.*s", (int)len, pos);
			return;
		}
		pos += len;
	}
}

static void complete_argument(tool_t *tool, const verb_t *verb, size_t n, const char *word)
{
	char what[64];
	argument_word(verb, n, what, sizeof(what));
	const char *after = strstr(what, "SELECTOR") != NULL ? "/" : "";
	if (strstr(what, "ITEM") != NULL) {
		complete_items(tool, verb, word);
	} else if (strstr(what, "VERB") != NULL) {
		complete_verbs(word);
	} else if (strstr(what, "FILE") != NULL || strstr(what, "DIRECTORY") != NULL) {
		(void)puts(":file");
	} else if (strstr(what, "OWNER") != NULL) {
		if (strcmp(verb->name, "dkim-retire") == 0) {
			complete_names(tool, MAIL_SECTION_DKIM, word, "", "");
			return;
		}
		complete_names(tool, MAIL_SECTION_DOMAIN, word, "", after);
		if (strncmp(word, "policy:", 7) == 0) {
			complete_names(tool, MAIL_SECTION_POLICY, word + 7, "policy:", after);
		} else {
			print("policy:", word, "");
		}
	} else if (strstr(what, "DOMAIN") != NULL) {
		complete_names(tool, MAIL_SECTION_DOMAIN, word, "", "");
	} else if (strstr(what, "ID") != NULL || strstr(what, "NAME") != NULL) {
		complete_names(tool, verb->section, word, "", "");
	}
}

/*! \brief Return the option that a word is, when a value must follow it; or NULL. */
static const option_t *option_before(const char *word)
{
	if (strncmp(word, "--", 2) != 0 || strchr(word, '=') != NULL) {
		return NULL;
	}
	for (int i = 0; i < OPT_COUNT; i++) {
		if (tool_options[i].arg != NULL && strcmp(tool_options[i].name, word + 2) == 0) {
			return &tool_options[i];
		}
	}
	return NULL;
}

static bool is_store_option(const char *word)
{
	return strcmp(word, "-s") == 0 || strcmp(word, "--store") == 0;
}

static void complete_option(const verb_t *verb, const char *word)
{
	static const char *const global[] = { "--store", "--json", "--quiet", "--help",
		                              "--version" };
	for (int i = 0; verb != NULL && i < OPT_COUNT; i++) {
		if ((verb->options & TAKES(i)) != 0) {
			char name[40];
			(void)snprintf(name, sizeof(name), "--%s", tool_options[i].name);
			print(name, word, "");
		}
	}
	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++) {
		print(global[i], word, "");
	}
}

static void complete_value(tool_t *tool, const verb_t *verb, const option_t *option,
                           const char *word)
{
	const mail_item_t *item = mail_item_get(option->item);
	if (item != NULL) {
		complete_names(tool, mail_item_names(item), word, "", "");
		return;
	}
	const char *possible = option_words(verb, (option_id_t)(option - tool_options));
	if (possible == NULL) {
		(void)puts(":file");
		return;
	}
	char words[128];
	(void)snprintf(words, sizeof(words), "%s", possible);
	char *rest = words, *value;
	while ((value = strsep(&rest, " ")) != NULL) {
		print(value, word, "");
	}
}

/*! \brief What the words before the last one say. */
typedef struct {
	const verb_t *verb;
	const option_t *option; /*!< The last word is its value. */
	bool store;             /*!< The last word is that of --store. */
	size_t arguments;       /*!< Of the verb, before the last word. */
} line_t;

static void read_line(tool_t *tool, line_t *line)
{
	for (int i = 0; i + 1 < tool->argc; i++) {
		const char *word = tool->argv[i];
		bool value = i + 2 < tool->argc; /* There is another word before the last one. */
		if (is_store_option(word)) {
			line->store = !value;
			if (value) {
				tool->path = tool->argv[++i];
			}
		} else if (option_before(word) != NULL) {
			line->option = value ? NULL : option_before(word);
			i += value;
		} else if (word[0] == '-' && word[1] != '\0') {
			continue;
		} else if (line->verb == NULL) {
			line->verb = verb_find(word);
		} else {
			line->arguments++;
		}
	}
}

int verb_completion(tool_t *tool)
{
	tool->path = options_store();
	line_t line = { 0 };
	const char *word = tool->argc > 0 ? tool->argv[tool->argc - 1] : "";
	read_line(tool, &line);
	if (line.store) {
		(void)puts(":file");
	} else if (line.option != NULL) {
		complete_value(tool, line.verb, line.option, word);
	} else if (word[0] == '-' && word[1] != '\0') {
		complete_option(line.verb, word);
	} else if (line.verb == NULL) {
		complete_verbs(word);
	} else {
		complete_argument(tool, line.verb, line.arguments, word);
	}
	return STATUS_DONE;
}
