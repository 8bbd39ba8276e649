/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A renderer under failing allocations. The program is linked as failing.h says.
 */
#pragma once

#include "failing.h"
#include "rendered.h"

/*!
 * Calls a renderer again and again, each time with another allocation failing: no crash, no leak, and
 * KNOT_ENOMEM, never a record that lacks something.
 *
 * \param run   Renders into the RDATA.
 * \param want  The text that is rendered when nothing fails.
 */
static void rendered_sweep(int (*run)(mail_rdata_t *rdata), const char *want)
{
	UNIT_CHECK(failing_linked(), "linked without --wrap");
	size_t i = 1;
	for (; failing_linked() && failing_on(i); i++) {
		mail_rdata_t rdata = { 0 };
		int ret = run(&rdata);
		bool met = failing_off();
		UNIT_CHECK(ret == (met ? KNOT_ENOMEM : KNOT_EOK), "allocation %zu: %d", i, ret);
		if (!met) {
			const char *text = rendered_text(&rdata);
			UNIT_CHECK(strcmp(text, want) == 0, "'%s'", text);
			break;
		}
		mail_rdata_free(&rdata);
	}
	UNIT_CHECK(i > 2, "only %zu allocations", i - 1);
}
