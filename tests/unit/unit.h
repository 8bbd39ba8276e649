/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The runner of the unit tests: one program per source file, one suite per program.
 *
 *     static const unit_test_t tests[] = {
 *             { "what is tested", test_function },
 *             { NULL, NULL }
 *     };
 *
 *     int main(void)
 *     {
 *             return unit_run("name", tests);
 *     }
 *
 * The exit status comes from the number of failures, because CU_get_error() is 0 after a failed
 * assertion.  A program that ran nothing, or asserted nothing, has failed too.  test_unit.c proves
 * all of it.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

/*! A row of the table of tests; the table ends with a row whose name is NULL. */
typedef struct {
	const char *name;
	void (*run)(void);
} unit_test_t;

/*! See UNIT_CHECK. */
__attribute__((format(printf, 5, 6))) static inline bool unit_check(bool ok, const char *cond,
                                                                    const char *file, unsigned line,
                                                                    const char *fmt, ...)
{
	char text[512];
	int used = snprintf(text, sizeof(text), "%s -- ", cond);
	if (used >= 0 && (size_t)used < sizeof(text)) {
		va_list args;
		va_start(args, fmt);
		vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, args);
		va_end(args);
	}
	CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, line, text, file, "", CU_FALSE);
	return ok;
}

/*!
 * Asserts a condition and says on failure, in printf's manner, which case of a table it was.
 *
 * Does not leave the function; gives the truth of the condition:
 *
 *     if (!UNIT_CHECK(ret == c->ret, "case %zu: '%s': %d", i, c->in, ret)) {
 *             continue;
 *     }
 */
#define UNIT_CHECK(cond, ...) unit_check((cond), #cond, __FILE__, __LINE__, __VA_ARGS__)

/*!
 * Runs a table of tests as one suite.
 *
 * \param suite  Name of the suite.
 * \param tests  The table.
 *
 * \return Exit status of the program: 0 only when something was asserted and nothing failed.
 */
static inline int unit_run(const char *suite, const unit_test_t *tests)
{
	if (CU_initialize_registry() != CUE_SUCCESS) {
		return EXIT_FAILURE;
	}

	bool ok = false;
	CU_pSuite added = CU_add_suite(suite, NULL, NULL);
	if (added == NULL) {
		goto done;
	}
	for (const unit_test_t *test = tests; test->name != NULL; test++) {
		if (CU_add_test(added, test->name, test->run) == NULL) {
			fprintf(stderr, "%s: %s: %s\n", suite, test->name, CU_get_error_msg());
			goto done;
		}
	}

	/* CUnit buffers what it prints; a crash would swallow the name of the test. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (CU_basic_run_tests() != CUE_SUCCESS) {
		goto done;
	}
	ok = CU_get_number_of_failures() == 0 && CU_get_number_of_failure_records() == 0 &&
	     CU_get_number_of_tests_run() > 0 && CU_get_number_of_asserts() > 0;
done:
	CU_cleanup_registry();
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
