/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The runner of the unit tests: one program per source file, one suite per program.
 *
 *     UNIT_MAIN("name", TEST("what is tested", test_function), TEST("what else", test_other))
 *
 * The exit status comes from the number of failures, because CU_get_error() is 0 after a failed assertion.  A program
 * that ran nothing, or asserted nothing, has failed too.  test_unit.c proves all of it.
 *
 * Cases stand in arrays that EACH() walks; whatever is checked in the loop says on failure which case it was:
 *
 *     EACH(c, cases) {
 *             int ret = mail_mx_parse(MAIL_STR(c->text), &mx, &diag);
 *             if (CHECK_INT(ret, c->ret)) {
 *                     CHECK(mx.preference == c->preference, "%u", mx.preference);
 *             }
 *     }
 *
 * Checks do not leave the function; they give their truth.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

#include "mail/buf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*! A mail_str_t of a string literal, which can hold NUL. */
#define LIT(s)                                                                                     \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

/*! A row of the table of tests; the table ends with a row whose name is NULL. */
typedef struct {
	const char *name;
	void (*run)(void);
} unit_test_t;

/*!
 * Run a table of tests as one suite.
 *
 * \return Exit status of the program: 0 only when something was asserted and nothing failed.
 */
int unit_run(const char *suite, const unit_test_t *tests);

#define TEST(name, run)                                                                            \
	{                                                                                          \
		name, run                                                                          \
	}

/*! The program: a suite of TEST(name, function). */
#define UNIT_MAIN(suite, ...)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		static const unit_test_t tests[] = { __VA_ARGS__, { NULL, NULL } };                \
		return unit_run(suite, tests);                                                     \
	}

/*! Walk an array of cases. */
#define EACH(c, cases)                                                                             \
	for (__typeof__(&(cases)[0]) c = (cases); unit_case((size_t)(c - (cases)), COUNT(cases));  \
	     c++)

/*! Note the case that is checked from here on. \return false, and there is none, past the last. */
bool unit_case(size_t i, size_t count);

/*! Assert a condition; on failure say, in printf's manner, what there was instead. */
#define CHECK(cond, ...) unit_check((cond), #cond, __FILE__, __LINE__, " " __VA_ARGS__)

/*! The same, and leave the test when it fails. */
#define REQUIRE(cond, ...)                                                                         \
	do {                                                                                       \
		if (!CHECK(cond, __VA_ARGS__)) {                                                   \
			unit_leave();                                                              \
		}                                                                                  \
	} while (0)

/*! Leave the test that runs. */
void unit_leave(void);

__attribute__((format(printf, 5, 6))) bool unit_check(bool ok, const char *cond, const char *file,
                                                      unsigned line, const char *fmt, ...);

/*! Assert that a number is what it should be. */
#define CHECK_INT(got, want)                                                                       \
	unit_check_int((long long)(got), (long long)(want), #got " == " #want, __FILE__, __LINE__)

bool unit_check_int(long long got, long long want, const char *cond, const char *file,
                    unsigned line);

/*! Assert that what was called gave KNOT_EOK. */
#define CHECK_OK(ret) unit_check_ok((ret), #ret, __FILE__, __LINE__)

bool unit_check_ok(int ret, const char *cond, const char *file, unsigned line);

/*! Assert that a text is what it should be. */
#define CHECK_STR(got, want) unit_check_str((got), (want), #got, __FILE__, __LINE__)

bool unit_check_str(const char *got, const char *want, const char *cond, const char *file,
                    unsigned line);

/*! The same with a mail_str_t. */
#define CHECK_TEXT(got, want) unit_check_text((got), (want), #got, __FILE__, __LINE__)

bool unit_check_text(mail_str_t got, const char *want, const char *cond, const char *file,
                     unsigned line);

/*! Assert that a buffer holds a text; free it. */
#define CHECK_BUF(buf, want) unit_check_buf((buf), (want), #buf, __FILE__, __LINE__)

bool unit_check_buf(mail_buf_t *buf, const char *want, const char *cond, const char *file,
                    unsigned line);

/*! Assert that a text has a part. */
#define CHECK_HAS(text, part) CHECK(strstr((text), (part)) != NULL, "'%s'", (text))
