/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/synopsis.h"

#include "tool/options.h"

/* A line of the help is not longer, if that can be. */
#define LINE_MAX_LENGTH 100

void synopsis_print(const verb_t *verb, FILE *out)
{
	int at = fprintf(out, "kmailctl %s%s%s", verb->name, verb->args[0] != '\0' ? " " : "",
	                 verb->args);
	for (int i = 0; i < OPT_COUNT; i++) {
		if ((verb->options & TAKES(i)) == 0) {
			continue;
		}
		const option_t *option = &tool_options[i];
		char text[80];
		bool required = (verb->required & TAKES(i)) != 0;
		int len = snprintf(text, sizeof(text), "%s--%s%s%s%s%s", required ? "" : "[",
		                   option->name, option->arg != NULL ? " " : "",
		                   option->arg != NULL ? option->arg : "", required ? "" : "]",
		                   option->list ? "..." : "");
		if (at + 1 + len > LINE_MAX_LENGTH) {
			(void)fputs("\n       ", out);
			at = 7;
		}
		at += 1 + len;
		(void)fprintf(out, " %s", text);
	}
	(void)fputc('\n', out);
}
