/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Tables of what people write and what comes of it: for renderers, checks and parsers.
 *
 *     static int render(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
 *     {
 *             mail_rdata_t rdata = { 0 };
 *             return case_octets(mail_caa_render(in, &rdata, diag), &rdata, out);
 *     }
 *
 *     static const case_t records[] = {
 *             GOOD("0 issue \";\"", "\0\5issue;"),
 *             WARN("1 issue ca.example", "\1\5issueca.example", 1),
 *             BAD("256 issue ca.example", 1, "flags \"256\""),
 *     };
 *
 *     run_cases(records, render);
 */
#pragma once

#include "mail/rdata.h"

#include "unit.h"

typedef struct {
	mail_str_t in;
	mail_str_t want; /*!< Octets that come out; data NULL: those of `in`. */
	unsigned warnings;
	int ret;
	uint32_t column;    /*!< Of the error. */
	const char *reason; /*!< A part of the error's text. */
} case_t;

/*! Accepted, without a warning. */
#define GOOD(text, out) WARN(text, out, 0)
/*! Accepted and written as it is. */
#define SAME(text)                                                                                 \
	{                                                                                          \
		LIT(text), { NULL, 0 }, 0, KNOT_EOK, 0, ""                                         \
	}
/*! Accepted with so many warnings. */
#define WARN(text, out, count)                                                                     \
	{                                                                                          \
		LIT(text), LIT(out), (count), KNOT_EOK, 0, ""                                      \
	}
/*! Refused: BAD(text, column) or BAD(text, column, reason). */
#define BAD(text, at, ...) BAD_WARN(text, 0, at, __VA_ARGS__)
/*! Refused after so many warnings. */
#define BAD_WARN(text, count, at, ...)                                                             \
	{                                                                                          \
		LIT(text), LIT(""), (count), KNOT_EINVAL, (at), "" __VA_ARGS__                     \
	}

/*! What is tested: appends what comes of a value; nothing after an error. */
typedef int (*case_run_t)(mail_str_t in, mail_buf_t *out, mail_diag_t *diag);

/*!
 * Run a table of cases, each with a diag and without one: the result, what was written, column and reason of an error
 * (and none without one), and the number of warnings. On failure the message has the index and the input.
 */
#define run_cases(cases, run) unit_run_cases((cases), COUNT(cases), (run), __FILE__, __LINE__)

void unit_run_cases(const case_t *cases, size_t count, case_run_t run, const char *file,
                    unsigned line);

/*! Values of a list, each ended by '|' or the end: "" is none, "|" an empty one. \return Their number. */
size_t case_list(mail_str_t in, mail_str_t *list, size_t max);

/*! A diag that counts warnings. */
typedef struct {
	mail_diag_t diag;
	unsigned warnings;
	char last[320];
} rendered_diag_t;

/*! Make it ready for a call. */
mail_diag_t *rendered_diag(rendered_diag_t *d);

/*! The domain that holes are filled with: example.org. */
const mail_apex_t *rendered_apex(void);

/*! Append the octets of RDATA for example.org, unless ret is an error; free the RDATA. \return ret, or what filling gave. */
int case_octets(int ret, mail_rdata_t *rdata, mail_buf_t *out);

/*! Append the text of RDATA for example.org, which an error leaves empty; free the RDATA. \return As case_octets(). */
int case_rdata_text(int ret, mail_rdata_t *rdata, mail_buf_t *out);

/*! The text of RDATA for example.org; frees the RDATA. Valid until the next call. */
const char *rendered_text(mail_rdata_t *rdata);

/*!
 * Call a renderer again and again, each time with another allocation failing: no crash, no leak, and KNOT_ENOMEM, never
 * a record that lacks something. The program is linked as failing.h says.
 *
 * \param run   Renders into the RDATA.
 * \param want  The text that is rendered when nothing fails.
 */
void rendered_sweep(int (*run)(mail_rdata_t *rdata), const char *want);
