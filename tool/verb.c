/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verb.h"

#include "tool/out.h"

const verb_t *verb_find(const char *name)
{
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (strcmp(verb->name, name) == 0) {
			return verb;
		}
	}
	return NULL;
}

const verb_t *verb_named(tool_t *tool, const char *name)
{
	const verb_t *found = verb_find(name);
	const char *nearest = NULL;
	unsigned least = 4;
	if (found != NULL) {
		return found;
	}
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (verb->group != NULL) {
			mail_nearer(MAIL_STR(name), verb->name, &nearest, &least);
		}
	}
	if (nearest != NULL) {
		tool_usage(tool, "unknown verb %s; did you mean %s?", name, nearest);
	}
	tool_usage(tool, "unknown verb %s", name);
}
