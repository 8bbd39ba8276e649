/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verb.h"

const verb_t *verb_find(const char *name)
{
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		if (strcmp(verb->name, name) == 0) {
			return verb;
		}
	}
	return NULL;
}

const verb_t *verb_nearest(const char *name)
{
	const verb_t *nearest = NULL;
	unsigned least = 4;
	for (const verb_t *verb = tool_verbs; verb->name != NULL; verb++) {
		unsigned far = mail_str_distance(MAIL_STR(verb->name), MAIL_STR(name));
		if (far < least && far < strlen(verb->name) && verb->group != NULL) {
			least = far;
			nearest = verb;
		}
	}
	return nearest;
}
