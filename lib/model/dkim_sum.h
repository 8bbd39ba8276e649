/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What all DKIM keys of a domain together come to: when the newest of them changed, and when the clock changes
 *        one, as the serial of the domain wants it.
 *
 * A domain has few keys, which are looked at one by one. For a domain with more than MAIL_DKIM_FEW, tombstones
 * included, a writer notes the result beside the keys: a summary.
 *
 *     summary = %x01 *step       ; its stamp: that of the newest change of a key, or later
 *     step    = 64 bits, seconds since 1970, ascending: a key appears, is revoked or goes
 *
 * It has all steps to come, and of those that have passed the last one at least.
 *
 * Thread rule: all functions are pure, but for the source.
 */
#pragma once

#include "mail/source.h"

/*! So many keys of a domain, tombstones included, need no summary. */
#define MAIL_DKIM_FEW 8
/*! Steps of a key at most. */
#define MAIL_DKIM_STEPS 3

/*! What the keys of a domain come to at a second. */
typedef struct {
	uint64_t newest; /*!< Timestamp of the newest change, ns; 0: there is no key. */
	int64_t passed;  /*!< The last step that has passed; 0: none. */
	int64_t coming;  /*!< The next one; INT64_MAX: none. */
} mail_dkim_sum_t;

/*! Write the seconds at which the clock changes a key. \return Their number. */
unsigned mail_dkim_steps(const mail_dkim_t *dkim, int64_t steps[MAIL_DKIM_STEPS]);
/*!
 * Sum up the keys of a domain. Of a domain with very many keys that has no summary, only so many are looked at as the
 * source allows a question to look at.
 *
 * \param domain  Its key in the store, which need not exist.
 * \param now     Seconds since 1970.
 */
mail_dkim_sum_t mail_dkim_sum(const mail_source_t *source, mail_lf_t domain, int64_t now);

/*!
 * Append a summary.
 *
 * \param steps  Of all keys, sorted here.
 * \param now    Steps that have passed since long are left out, but for the last.
 *
 * \return KNOT_EOK, KNOT_ENOMEM.
 */
int mail_dkim_summary_write(int64_t *steps, size_t count, int64_t now, mail_buf_t *out);
/*! Sum up the keys of a domain by their summary. \return KNOT_EOK; KNOT_EMALF; KNOT_ENOTSUP. */
int mail_dkim_summary_read(const mail_dkim_summary_t *summary, int64_t now, mail_dkim_sum_t *sum);
