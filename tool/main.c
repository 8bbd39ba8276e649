/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <signal.h>

#include "tool/options.h"
#include "tool/out.h"

int main(int argc, char **argv)
{
	tool_t tool = { 0 };
	/* When a reader goes away, the store is closed and files go before the process dies of it: tool_end(). */
	(void)signal(SIGPIPE, SIG_IGN);

	/* The words of completion are another command line: its options are not ours. */
	if (argc > 1 && strcmp(argv[1], "completion") == 0) {
		tool.verb = verb_find("completion");
		tool.argc = argc - 2;
		tool.argv = argv + 2;
	} else {
		options_parse(&tool, argc, argv);
	}
	int status = tool_end(&tool, tool.verb->run(&tool));
	options_free(&tool);
	return status;
}
