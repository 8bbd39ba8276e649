/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verb.h"

#include "tool/meaning.h"
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

const verb_t *verb_named(tool_t *tool, const char *name, const char *next)
{
	const verb_t *found = verb_find(name);
	meant_t meant;
	mail_buf_t list = { 0 };
	if (found != NULL) {
		return found;
	}
	meaning_find(name, next, &meant);
	for (size_t i = 0; i < meant.count; i++) {
		const char *between = i + 1 < meant.count ? ", " : " or ";
		(void)mail_buf_printf(&list, "%s%s", i > 0 ? between : "", meant.names[i]);
	}
	if (meant.count > 0) {
		tool_usage(tool, "unknown verb %s; did you mean %.*s?", name, (int)list.len,
		           (const char *)list.data);
	}
	tool_usage(tool, "unknown verb %s; kmailctl help lists all verbs", name);
}
