/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief SPF (RFC 7208, RFC 6652).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/rdata.h"

/*! Terms that make a receiver look something up: more are a permerror (RFC 7208 4.6.4). */
#define MAIL_SPF_LOOKUPS_MAX 10

/*! What a record costs the receiver. */
typedef struct {
	unsigned
		lookups; /*!< Terms of the record itself among include, a, mx, ptr, exists, redirect. */
	bool redirect; /*!< It has a redirect modifier. */
	bool all;      /*!< Its terms end with an all of their own (then spf-all is not added). */
} mail_spf_cost_t;

/*!
 * Check one term: a mechanism with optional qualifier (all, include, a, mx, ip4, ip6, exists) or a
 * modifier (redirect=, exp=, ra=, rp=, rr=, any unknown name=). Macros are checked (RFC 7208 7.1);
 * `{domain}` is our hole, not a macro. `ptr` is refused (RFC 7208 5.5). Domains are absolute ("a:mail"
 * is refused), in A-labels.
 *
 * \param cost  What the term costs is added to it; may be NULL.
 */
int mail_spf_term_check(mail_str_t term, mail_spf_cost_t *cost, mail_diag_t *diag);

/*!
 * Refuse a term that nobody means as it is written, though the grammar may take it ("include=x.example"), and say what
 * to write. Warns of a modifier that no receiver knows.
 */
int mail_spf_slip_check(mail_str_t term, mail_diag_t *diag);

/*! Check an `all` with its qualifier: "-all", "~all", "?all", "+all" (a warning), or "none". */
int mail_spf_all_check(mail_str_t all, mail_diag_t *diag);

/*!
 * Write "v=spf1 TERM TERM ... ALL" in the order given. With a redirect and no all of its own,
 * `all` is left out (RFC 7208 6.1). Terms whose text was already written are left out.
 *
 * \param terms, n  The terms; "a b" in one element are two terms.
 * \param all       As mail_spf_all_check; an empty string or "none": no all. Without any term, an
 *                  empty string is "-all".
 *
 * \return KNOT_EOK; KNOT_EINVAL (bad term, more than 10 lookups, a term after all, all twice,
 *         redirect twice); warns about redirect beside all, a missing all, what its terms give a warning for.
 */
int mail_spf_render(const mail_str_t *terms, size_t n, mail_str_t all, mail_rdata_t *rdata,
                    mail_diag_t *diag);

/*! Return whether a TXT value is an SPF record ("v=spf1" alone or followed by a space, RFC 7208 4.5). */
bool mail_spf_is(mail_str_t txt);

/*! What a term makes a receiver do. */
typedef enum {
	MAIL_SPF_OTHER, /*!< Nothing that needs a lookup. */
	MAIL_SPF_EVERY, /*!< `all`. */
	MAIL_SPF_INCLUDE,
	MAIL_SPF_A,
	MAIL_SPF_MX,
	MAIL_SPF_EXISTS,
	MAIL_SPF_PTR,
	MAIL_SPF_REDIRECT,
} mail_spf_does_t;

/*! A term of a record that somebody published. */
typedef struct {
	mail_spf_does_t does;
	mail_str_t domain; /*!< The domain that it names; empty: that of the record. */
	bool macro;        /*!< Which one that is depends on the message. */
} mail_spf_term_t;

/*! Read a term, which need not be valid. */
mail_spf_term_t mail_spf_term_read(mail_str_t term);
