/* SPDX-License-Identifier: GPL-3.0-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mail/store.h"
#include "tool/meaning.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/synopsis.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define STRING(x) #x
#define NUMBER(x) STRING(x)
#define LIBKNOT NUMBER(KNOT_VERSION_MAJOR) "." NUMBER(KNOT_VERSION_MINOR)

/*! \brief Print what a -set can do with an item. */
static void print_ways(mail_section_t section, const mail_item_t *item)
{
	char ways[32] = "";
	if ((item->flags & MAIL_FLAG_LIST) != 0) {
		(void)snprintf(ways, sizeof(ways), "+= -=%s%s",
		               mail_entry_knows(section, item, MAIL_OP_ADD) ? " -add" : "",
		               mail_entry_knows(section, item, MAIL_OP_NONE) ? " none" : "");
	} else if (mail_entry_knows(section, item, MAIL_OP_NONE)) {
		(void)snprintf(ways, sizeof(ways), "none");
	}
	(void)printf("  %-16s %-15s %s\n", item->name, ways, item->help != NULL ? item->help : "");
}

static void list_items(mail_section_t section)
{
	bool add = false, none = false, list = false;
	(void)printf("\nItems of a %s:\n", mail_section_name(section));
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << section)) != 0) {
			print_ways(section, item);
			list |= (item->flags & MAIL_FLAG_LIST) != 0;
			add |= mail_entry_knows(section, item, MAIL_OP_ADD);
			none |= mail_entry_knows(section, item, MAIL_OP_NONE);
		}
	}
	(void)puts("\nITEM=VALUE replaces what the item had.");
	if (list) {
		(void)puts(
			"An item with += -= is a list: give ITEM=VALUE once for each value. ITEM+=VALUE "
			"adds one value,\nITEM-=VALUE takes one away.");
	}
	if (add) {
		(void)puts(
			"ITEM-add=VALUE adds to an inherited list, and so does += where the list is "
			"inherited.");
	}
	if (none) {
		(void)puts("ITEM=none removes what is inherited, or the default.");
	}
}

static void help_verb(const verb_t *verb)
{
	synopsis_print(verb, stdout);
	(void)printf("\n  %s\n", verb->help);
	if (verb->options != 0) {
		(void)putchar('\n');
	}
	for (int i = 0; i < OPT_COUNT; i++) {
		if ((verb->options & TAKES(i)) != 0) {
			const option_t *option = &tool_options[i];
			char name[48];
			(void)snprintf(name, sizeof(name), "--%s%s%s", option->name,
			               option->arg != NULL ? " " : "",
			               option->arg != NULL ? option->arg : "");
			(void)printf("  %-26s %s\n", name, option->help);
			if (option->one_of) {
				(void)printf("  %-26s one of: %s\n", "",
				             option_words(verb, (option_id_t)i));
			}
		}
	}
	if (verb->run == verb_set || verb->run == verb_unset) {
		list_items(verb->section);
	}
}

static void help_all(void)
{
	(void)fputs(
		"usage: kmailctl [-s STORE] [--json] VERB [ARGUMENT...] [OPTION...]\n\n"
		"  -s, --store STORE    directory of the store "
		"($KMAIL_STORE, else /var/lib/knot/mail)\n"
		"      --json           NDJSON for lists, an object for single things, "
		"errors as objects\n"
		"  -q, --quiet          do not say what was done; warnings and errors are said\n"
		"  -h, --help           this, or the help of VERB\n"
		"  -V, --version        the version\n",
		stdout);
	const char *group = "";
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (verb->group == NULL) {
			continue;
		}
		if (strcmp(group, verb->group) != 0) {
			group = verb->group;
			(void)printf("\n%s:\n", group);
		}
		(void)printf("  %-15s %-26s %s\n", verb->name, verb->args, verb->help);
	}
	(void)fputs("\nExit status: 0 done, 1 failed, 2 usage; of diff: 0 same, 1 different, "
	            "2 anything else.\n",
	            stdout);
}

static void print_json(const verb_t *verb)
{
	json_t *options = json_array();
	for (int i = 0; i < OPT_COUNT; i++) {
		if ((verb->options & TAKES(i)) != 0) {
			(void)json_array_append_new(options, json_string(tool_options[i].name));
		}
	}
	(void)tool_json(json_pack("{s:s, s:s*, s:s, s:s, s:o}", "verb", verb->name, "group",
	                          verb->group, "arguments", verb->args, "help", verb->help,
	                          "options", options));
}

/*! \brief Return whether a verb is in the group of a noun. */
static bool is_grouped(const verb_t *verb, const char *noun)
{
	static const struct {
		const char *noun, *group;
	} groups[] = {
		{ "store", "Store" },
		{ "file", "Files" },
		{ "key", "DNSSEC keys" },
	};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strcmp(groups[i].noun, noun) == 0 &&
		    strcmp(groups[i].group, verb->group) == 0) {
			return true;
		}
	}
	return false;
}

/*! \brief Return whether a verb is about a noun: it begins with it, is in its group, or takes a domain. */
static bool is_about(const verb_t *verb, const char *noun)
{
	const size_t len = strlen(noun);
	const bool named = strncmp(verb->name, noun, len) == 0 && verb->name[len] == '-';
	const bool domain = strcmp(noun, "domain") == 0 && strstr(verb->args, "DOMAIN") != NULL;
	return verb->group != NULL && (named || domain || is_grouped(verb, noun));
}

/*! \brief Print the verbs of a noun. */
static void help_noun(tool_t *tool, const char *noun)
{
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (is_about(verb, noun) && tool->json) {
			print_json(verb);
		} else if (is_about(verb, noun)) {
			(void)printf("  %-15s %-26s %s\n", verb->name, verb->args, verb->help);
		}
	}
	if (!tool->json) {
		(void)fputs("\nkmailctl help VERB prints options and items.\n", stdout);
	}
}

int verb_help(tool_t *tool)
{
	const char *about = tool->argc > 0 ? tool->argv[0] : NULL;
	const verb_t *verb = about != NULL ? verb_find(about) : NULL;
	const char *noun = about != NULL ? meaning_noun(about) : NULL;
	if (about != NULL && verb == NULL && noun != NULL) {
		help_noun(tool, noun);
		return STATUS_DONE;
	}
	verb = about != NULL ? verb_named(tool, about, NULL) : NULL;
	if (verb != NULL && tool->json) {
		print_json(verb);
	} else if (verb != NULL) {
		help_verb(verb);
	} else if (!tool->json) {
		help_all();
	}
	for (verb = tool_verbs; about == NULL && tool->json && verb->name != NULL; verb++) {
		if (verb->group != NULL) {
			print_json(verb);
		}
	}
	return STATUS_DONE;
}

int verb_version(tool_t *tool)
{
	if (tool->json) {
		(void)tool_json(json_pack("{s:s, s:i, s:s}", "version", PACKAGE_VERSION,
		                          "store-format", MAIL_STORE_FORMAT, "libknot", LIBKNOT));
	} else {
		(void)printf("kmailctl (mod-mail) %s, store format %d, built with libknot %s\n",
		             PACKAGE_VERSION, MAIL_STORE_FORMAT, LIBKNOT);
	}
	return STATUS_DONE;
}
