/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test of the runner: each case is a child process whose exit status is looked at, because a
 * runner that cannot fail would pass every other test here as well. */
#include <sys/types.h>
#include <sys/wait.h>
#include <string.h>
#include <unistd.h>

#include "lib/cases.h"

static void pass(void)
{
	CU_ASSERT(1 + 1 == 2);
}

static void fail(void)
{
	CU_ASSERT(1 + 1 == 3);
}

static void fail_fatal(void)
{
	CU_ASSERT_FATAL(1 + 1 == 3);
}

static void fail_with_index(void)
{
	CHECK(1 + 1 == 3, "case %d", 7);
}

static void fail_in_array(void)
{
	static const int numbers[] = { 5, 6, 7 };
	EACH(c, numbers) {
		CHECK_INT(*c < 7 ? 5 : *c, 5);
	}
	CHECK_STR("left", "right");
}

static int copy(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	if (in.len == 0) {
		return mail_diag_error(diag, 3, "nothing there");
	}
	mail_diag_warn(in.data[0] == '!' ? diag : NULL, "loud");
	return mail_buf_put(out, in.data, in.len);
}

static void pass_cases(void)
{
	static const case_t rows[] = { SAME("a"), GOOD("a", "a"), WARN("!", "!", 1),
		                       BAD("", 3, "nothing") };
	run_cases(rows, copy);
}

/* One row for each thing that run_cases() looks at. */
#define FAIL_CASE(name, row)                                                                       \
	static void name(void)                                                                     \
	{                                                                                          \
		static const case_t rows[] = { SAME("a"), row };                                   \
		run_cases(rows, copy);                                                             \
	}
FAIL_CASE(fail_result, GOOD("", ""))
FAIL_CASE(fail_octets, GOOD("a", "b"))
FAIL_CASE(fail_column, BAD("", 4))
FAIL_CASE(fail_reason, BAD("", 3, "something"))
FAIL_CASE(fail_warnings, SAME("!"))

static void assert_nothing(void)
{
}

static const unit_test_t table_pass[] = { { "pass", pass }, { NULL, NULL } };
static const unit_test_t table_fail[] = { { "fail", fail }, { NULL, NULL } };
static const unit_test_t table_fatal[] = { { "fatal", fail_fatal }, { NULL, NULL } };
static const unit_test_t table_index[] = { { "index", fail_with_index }, { NULL, NULL } };
static const unit_test_t table_first[] = { { "fail", fail }, { "pass", pass }, { NULL, NULL } };
static const unit_test_t table_last[] = { { "pass", pass }, { "fail", fail }, { NULL, NULL } };
static const unit_test_t table_array[] = { TEST("array", fail_in_array), { NULL, NULL } };
static const unit_test_t table_cases[] = { TEST("cases", pass_cases), { NULL, NULL } };
static const unit_test_t table_result[] = { TEST("result", fail_result), { NULL, NULL } };
static const unit_test_t table_octets[] = { TEST("octets", fail_octets), { NULL, NULL } };
static const unit_test_t table_column[] = { TEST("column", fail_column), { NULL, NULL } };
static const unit_test_t table_reason[] = { TEST("reason", fail_reason), { NULL, NULL } };
static const unit_test_t table_warnings[] = { TEST("warnings", fail_warnings), { NULL, NULL } };
static const unit_test_t table_nothing[] = { { "nothing", assert_nothing }, { NULL, NULL } };
static const unit_test_t table_empty[] = { { NULL, NULL } };

static const struct {
	const char *name;
	const unit_test_t *tests;
	bool passes;
	const char *says; /* Text that must be in the output. */
} cases[] = {
	{ "one that passes", table_pass, true, "passed" },
	{ "one that fails", table_fail, false, "1 + 1 == 3" },
	{ "one that fails and leaves", table_fatal, false, "1 + 1 == 3" },
	{ "a failure with its index", table_index, false, "1 + 1 == 3 -- case 7" },
	{ "a failure in an array", table_array, false, "-- case 2: 7, not 5" },
	{ "a text that is another", table_array, false, "expected\nright\ngot\nleft" },
	{ "cases that are as they should be", table_cases, true, "passed" },
	{ "a case with another result", table_result, false, "result -- case 1: '': -" },
	{ "a case with other octets", table_octets, false, "case 1: 'a': 1 octets: 'a'" },
	{ "a case with another column", table_column, false, "column -- case 1: '': 3" },
	{ "a case with another reason", table_reason, false,
	  "reason -- case 1: '': 'nothing there'" },
	{ "a case with a warning", table_warnings, false, "warnings -- case 1: '!': 1 (loud)" },
	{ "failure, then success", table_first, false, "1 + 1 == 3" },
	{ "success, then failure", table_last, false, "1 + 1 == 3" },
	{ "nothing asserted", table_nothing, false, "" },
	{ "no test at all", table_empty, false, "" },
};

/* Runs a table in a child and gives its exit status, -1 when it did not exit by itself. */
static int run_child(const unit_test_t *tests, char *out, size_t size)
{
	int ends[2];
	if (pipe(ends) != 0) {
		return -1;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		return -1;
	}
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		int status = unit_run("child", tests);
		fflush(NULL);
		_exit(status);
	}

	close(ends[1]);
	size_t used = 0;
	ssize_t got;
	while (used + 1 < size && (got = read(ends[0], out + used, size - used - 1)) > 0) {
		used += (size_t)got;
	}
	out[used] = '\0';
	close(ends[0]);

	int status;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return -1;
	}
	return WEXITSTATUS(status);
}

/* Not run by unit_run(), which is what is under test here. */
int main(void)
{
	char out[8192];
	int wrong = 0;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = run_child(cases[i].tests, out, sizeof(out));
		bool ok = status >= 0 && (status == 0) == cases[i].passes &&
		          strstr(out, cases[i].says) != NULL;
		printf("%s: case %zu: %s: exit status %d\n", ok ? "ok" : "FAILED", i, cases[i].name,
		       status);
		if (!ok) {
			fputs(out, stdout);
			wrong++;
		}
	}
	return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
