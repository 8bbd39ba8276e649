/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the shell completes: `kmailctl completion WORD...` prints what may stand where the last word is,
 * one a line, out of the same tables that parse the command line. A line ":file" asks for file names.
 */

#include <stdlib.h>

#include "tool/out.h"

/* A list of more is of no use at a prompt, and takes time. */
#define NAMES_MAX 200
#define LOOK_MAX 20000

typedef struct {
	const char *prefix;
	size_t printed, seen;
	const char *before; /*!< Printed before each ("policy=", "policy:"). */
	const char *after;
} names_t;

static void print(const char *word, const char *prefix, const char *after)
{
	if (strncmp(word, prefix, strlen(prefix)) == 0) {
		(void)printf("%s%s\n", word, after);
	}
}

static int print_name(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	(void)tool;
	names_t *names = ctx;
	size_t len = strlen(names->prefix);
	if (entry->id.len >= len && memcmp(entry->id.data, names->prefix, len) == 0) {
		(void)printf("%s%.*s%s\n", names->before, (int)entry->id.len, entry->id.data,
		             names->after);
		names->printed++;
	}
	mail_entry_free(entry);
	names->seen++;
	return names->printed >= NAMES_MAX || names->seen >= LOOK_MAX ? STATUS_FAILED : STATUS_DONE;
}

/*! \brief Prints ids of a section. Without a store there are none, which is no error here. */
static void complete_names(tool_t *tool, mail_section_t section, names_t *names)
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
	(void)tool_walk(tool, section, MAIL_STR(""), print_name, names);
}

static void complete_items(tool_t *tool, const verb_t *verb, const char *word)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL) {
		for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
			if ((item->sections & (1u << verb->section)) == 0) {
				continue;
			}
			const char *after = verb->run == verb_set ? "=" : "";
			print(item->name, word, after);
			if ((item->flags & MAIL_FLAG_LIST) != 0) {
				char add[64];
				(void)snprintf(add, sizeof(add), "%s-add", item->name);
				print(add, word, after);
			}
		}
		return;
	}
	const mail_item_t *item = mail_item_find(verb->section,
	                                         (mail_str_t){ word, (size_t)(equals - word) });
	if (item == NULL) {
		return;
	}
	char before[64];
	(void)snprintf(before, sizeof(before), "%s=", item->name);
	if (item->type == MAIL_TYPE_REF) {
		complete_names(tool, item->ref,
		               &(names_t){ .prefix = equals + 1, .before = before, .after = "" });
	} else if (item->type == MAIL_TYPE_SWITCH) {
		(void)printf("%son\n%soff\n", before, before);
	}
}

/*! \brief Takes the n-th word of a synopsis; the last one when it may be repeated. */
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
	names_t names = { .prefix = word, .before = "", .after = "" };
	argument_word(verb, n, what, sizeof(what));
	if (strstr(what, "ITEM") != NULL) {
		complete_items(tool, verb, word);
	} else if (strstr(what, "VERB") != NULL) {
		for (const verb_t *row = tool_verbs; row->name != NULL; row++) {
			if (row->group != NULL) {
				print(row->name, word, "");
			}
		}
	} else if (strstr(what, "FILE") != NULL || strstr(what, "DIRECTORY") != NULL) {
		(void)puts(":file");
	} else if (strstr(what, "OWNER") != NULL) {
		if (strcmp(verb->name, "dkim-retire") == 0) {
			complete_names(tool, MAIL_SECTION_DKIM, &names);
			return;
		}
		names.after = strstr(what, "SELECTOR") != NULL ? "/" : "";
		complete_names(tool, MAIL_SECTION_DOMAIN, &names);
		if (strncmp(word, "policy:", 7) == 0) {
			names.prefix = word + 7;
			names.before = "policy:";
			complete_names(tool, MAIL_SECTION_POLICY, &names);
		} else {
			print("policy:", word, "");
		}
	} else if (strstr(what, "DOMAIN") != NULL) {
		complete_names(tool, MAIL_SECTION_DOMAIN, &names);
	} else if (strstr(what, "ID") != NULL || strstr(what, "NAME") != NULL) {
		complete_names(tool, verb->section, &names);
	}
}

/*! \brief The option that a word is, when a value must follow it; or NULL. */
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
	static const char *const global[] = { "--store", "--json", "--help", "--version" };
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

static void complete_value(tool_t *tool, const option_t *option, const char *word)
{
	if (option == &tool_options[OPT_POLICY]) {
		complete_names(tool, MAIL_SECTION_POLICY,
		               &(names_t){ .prefix = word, .before = "", .after = "" });
		return;
	}
	if (option->words == NULL) {
		(void)puts(":file");
		return;
	}
	char words[128];
	(void)snprintf(words, sizeof(words), "%s", option->words);
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

static void read_line(tool_t *tool, int argc, char **argv, line_t *line)
{
	for (int i = 0; i + 1 < argc; i++) {
		const char *word = argv[i];
		bool value = i + 2 < argc; /* There is another word before the last one. */
		if (is_store_option(word)) {
			line->store = !value;
			if (value) {
				tool->path = argv[++i];
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

int verb_completion(tool_t *tool, int argc, char **argv)
{
	const char *env = getenv("KMAIL_STORE");
	tool->path = env != NULL && env[0] != '\0' ? env : tool_store_default;
	line_t line = { 0 };
	const char *word = argc > 0 ? argv[argc - 1] : "";
	read_line(tool, argc, argv, &line);
	if (line.store) {
		(void)puts(":file");
	} else if (line.option != NULL) {
		complete_value(tool, line.option, word);
	} else if (word[0] == '-' && word[1] != '\0') {
		complete_option(line.verb, word);
	} else if (line.verb == NULL) {
		for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
			if (verb->group != NULL) {
				print(verb->name, word, "");
			}
		}
	} else {
		complete_argument(tool, line.verb, line.arguments, word);
	}
	tool_close(tool);
	return STATUS_DONE;
}
