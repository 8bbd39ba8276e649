/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <signal.h>

#include "tool/out.h"

/*! \brief What was printed must have arrived: a full disk or a closed pipe is a failure. */
static int end_output(tool_t *tool, int status)
{
	bool bad = ferror(stdout) != 0;
	errno = 0;
	bad = fflush(stdout) != 0 || bad;
	if (fclose(stdout) != 0) {
		bad = true;
	}
	if (!bad) {
		return status;
	}
	(void)tool_error(tool, KNOT_ERROR, "cannot write the output%s%s", errno != 0 ? ": " : "",
	                 errno != 0 ? strerror(errno) : "");
	return tool->verb != NULL && tool->verb->failed > 0 ? tool->verb->failed : STATUS_FAILED;
}

int main(int argc, char **argv)
{
	tool_t tool = { 0 };
	/* A reader that goes away is an error of a write, which is reported, not a silent death. */
	(void)signal(SIGPIPE, SIG_IGN);

	/* The words of completion are another command line: its options are not ours. */
	if (argc > 1 && strcmp(argv[1], "completion") == 0) {
		tool.verb = verb_find("completion");
		return end_output(&tool, verb_completion(&tool, argc - 2, argv + 2));
	}
	int status = options_parse(&tool, &argc, &argv);
	if (status == STATUS_DONE) {
		status = tool.verb->run(&tool, argc, argv);
		tool_close(&tool);
	}
	status = end_output(&tool, status);
	options_free(&tool);
	return status;
}
