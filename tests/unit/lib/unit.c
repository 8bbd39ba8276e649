/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

/* The case that is checked; SIZE_MAX: none. */
static size_t current = SIZE_MAX;

bool unit_case(size_t i, size_t count)
{
	current = i < count ? i : SIZE_MAX;
	return i < count;
}

static bool result(bool ok, const char *text, const char *file, unsigned line)
{
	CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, line, text, file, "", CU_FALSE);
	return ok;
}

void unit_leave(void)
{
	CU_assertImplementation(CU_FALSE, __LINE__, "cannot go on", __FILE__, "", CU_TRUE);
}

bool unit_check(bool ok, const char *cond, const char *file, unsigned line, const char *fmt, ...)
{
	char text[512] = "";
	if (!ok) {
		int used = current == SIZE_MAX
		                   ? snprintf(text, sizeof(text), "%s --", cond)
		                   : snprintf(text, sizeof(text), "%s -- case %zu:", cond, current);
		if (used >= 0 && (size_t)used < sizeof(text)) {
			va_list args;
			va_start(args, fmt);
			vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, args);
			va_end(args);
		}
	}
	return result(ok, text, file, line);
}

bool unit_check_int(long long got, long long want, const char *cond, const char *file,
                    unsigned line)
{
	return unit_check(got == want, cond, file, line, " %lld, not %lld", got, want);
}

bool unit_check_ok(int ret, const char *cond, const char *file, unsigned line)
{
	return unit_check(ret == KNOT_EOK, cond, file, line, " %d (%s)", ret, knot_strerror(ret));
}

bool unit_check_str(const char *got, const char *want, const char *cond, const char *file,
                    unsigned line)
{
	return unit_check_text(MAIL_STR(got), want, cond, file, line);
}

bool unit_check_text(mail_str_t got, const char *want, const char *cond, const char *file,
                     unsigned line)
{
	bool same = mail_str_is(got, want);
	if (!same) {
		/* CUnit keeps only what is short. */
		printf("\n%s: expected\n%s\ngot\n%.*s\n", cond, want, (int)got.len, got.data);
	}
	return unit_check(same, cond, file, line, " '%.*s'", (int)got.len, got.data);
}

bool unit_check_buf(mail_buf_t *buf, const char *want, const char *cond, const char *file,
                    unsigned line)
{
	mail_str_t got = buf->error == KNOT_EOK ? mail_buf_view(buf) : MAIL_STR("no memory");
	bool same = unit_check_text(got, want, cond, file, line);
	mail_buf_free(buf);
	return same;
}

int unit_run(const char *suite, const unit_test_t *tests)
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
