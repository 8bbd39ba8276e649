/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/dkim_sum.h"

#include <stdlib.h>

#include "mail/dkim_id.h"

#define VERSION 1
#define STEP_LEN 8
/*! Seconds by which the clocks of servers may differ: steps that passed before are of no use for any of them. */
#define CLOCKS_APART 86400

unsigned mail_dkim_steps(const mail_dkim_t *dkim, int64_t steps[MAIL_DKIM_STEPS])
{
	unsigned count = 0;
	if (dkim->deleted || dkim->error != KNOT_EOK) {
		return 0;
	}
	if (dkim->publish > 0) {
		steps[count++] = dkim->publish;
	}
	if (dkim->revoke && dkim->retire < INT64_MAX) {
		steps[count++] = dkim->retire;
	}
	if (dkim->remove < INT64_MAX) {
		steps[count++] = dkim->remove;
	}
	return count;
}

static void step_note(mail_dkim_sum_t *sum, int64_t step, int64_t now)
{
	if (step > now) {
		sum->coming = step < sum->coming ? step : sum->coming;
	} else {
		sum->passed = step > sum->passed ? step : sum->passed;
	}
}

mail_dkim_sum_t mail_dkim_sum(const mail_source_t *source, mail_lf_t domain, int64_t now)
{
	mail_dkim_sum_t sum = { .coming = INT64_MAX };
	mail_dkim_summary_t summary;
	mail_dkim_walk_t walk;
	mail_dkim_t dkim;
	if (mail_dkim_walk_domain(&walk, source, domain) != KNOT_EOK) {
		return sum;
	}
	for (unsigned count = 1; mail_dkim_walk_next(&walk, &dkim) == KNOT_EOK; count++) {
		if (count == MAIL_DKIM_FEW + 1 && source->dkim_summary != NULL &&
		    source->dkim_summary(source, mail_lf(&walk.top), &summary) == KNOT_EOK &&
		    mail_dkim_summary_read(&summary, now, &sum) == KNOT_EOK) {
			break;
		}
		int64_t steps[MAIL_DKIM_STEPS];
		const unsigned step_count = mail_dkim_steps(&dkim, steps);
		for (unsigned i = 0; i < step_count; i++) {
			step_note(&sum, steps[i], now);
		}
		if (dkim.stamp.timestamp > sum.newest) {
			sum.newest = dkim.stamp.timestamp;
		}
		if (count == source->limit) {
			break;
		}
	}
	return sum;
}

static int step_compare(const void *a_ptr, const void *b_ptr)
{
	const int64_t a = *(const int64_t *)a_ptr, b = *(const int64_t *)b_ptr;
	return (a > b) - (a < b);
}

int mail_dkim_summary_write(int64_t *steps, size_t count, int64_t now, mail_buf_t *out)
{
	if (count > 0) {
		qsort(steps, count, sizeof(*steps), step_compare);
	}
	(void)mail_buf_u8(out, VERSION);
	for (size_t i = 0; i < count; i++) {
		const bool last = i + 1 == count;
		/* Of equal ones the last; of old ones that behind which the others are not old. */
		if (!last && (steps[i] == steps[i + 1] || steps[i + 1] < now - CLOCKS_APART)) {
			continue;
		}
		(void)mail_buf_u64(out, (uint64_t)steps[i]);
	}
	return out->error;
}

/*! Read a step of a summary. */
static int64_t step_at(const mail_dkim_summary_t *summary, size_t i)
{
	uint64_t step = 0;
	for (unsigned k = 0; k < STEP_LEN; k++) {
		step = step << 8 | summary->body[1 + i * STEP_LEN + k];
	}
	return (int64_t)step;
}

int mail_dkim_summary_read(const mail_dkim_summary_t *summary, int64_t now, mail_dkim_sum_t *sum)
{
	if (summary->len == 0 || summary->body[0] == 0 || (summary->len - 1) % STEP_LEN != 0) {
		return KNOT_EMALF;
	}
	if (summary->body[0] > VERSION) {
		return KNOT_ENOTSUP;
	}
	/* The first step that has not passed. */
	const size_t count = (summary->len - 1) / STEP_LEN;
	size_t low = 0, high = count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (step_at(summary, middle) <= now) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*sum = (mail_dkim_sum_t){
		.newest = summary->stamp.timestamp,
		.passed = low > 0 ? step_at(summary, low - 1) : 0,
		.coming = low < count ? step_at(summary, low) : INT64_MAX,
	};
	return KNOT_EOK;
}
