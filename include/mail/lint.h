/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What is valid and risky in the records of a policy or a domain, seen together with all that is stored: names
 *        that lead nowhere, aliases in circles, SPF records that cost too much.
 *
 * Warnings go to diag->warn, as "ITEM: REASON". One thread: that of the source.
 */
#pragma once

#include "mail/plan.h"

typedef struct mail_lint mail_lint_t;

/*!
 * \brief Begin to look.
 *
 * \param source  Its entries must not change as long as this is used.
 *
 * \return NULL without memory.
 */
mail_lint_t *mail_lint_new(const mail_source_t *source);
/*! Free it; NULL is fine. */
void mail_lint_free(mail_lint_t *lint);

/*! Whose records are looked at. */
typedef struct {
	const mail_plan_t *plan;
	mail_str_t domain; /*!< Empty: the plan is that of a policy, for any domain. */
	mail_str_t alias;  /*!< Its target; empty: the domain is no alias. */
	mail_buf_t *
		names; /*!< Out, may be NULL: absolute names that the records lead to, for mail_lint_concerns(). */
} mail_lint_of_t;

/*!
 * \brief Look at all records.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason: what nobody can mean, as aliases of one domain in a circle, or an
 *         SPF record that includes itself; KNOT_ENOMEM.
 */
int mail_lint(mail_lint_t *lint, const mail_lint_of_t *of, mail_diag_t *diag);
/*! Look at a DKIM key of a domain's own that is an alias. \param id "DOMAIN/SELECTOR". \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM. */
int mail_lint_key(mail_lint_t *lint, mail_str_t id, mail_str_t cname, mail_diag_t *diag);
/*! Look at the name of a host. */
void mail_lint_host(mail_lint_t *lint, mail_str_t name, mail_diag_t *diag);
/*!
 * Return whether a plan that many domains share names this one, so that what was found for the plan may not hold for
 * the domain: it might be the one that an SPF record leads back to.
 *
 * \param names  Of the plan, from mail_lint().
 */
bool mail_lint_concerns(const mail_buf_t *names, mail_lf_t domain);

/*! Domains that are signed with RSA. */
typedef struct {
	char set[64]; /*!< Id of the key set of one of them. */
	size_t domains;
} mail_lint_rsa_t;

/*! Count a domain with a plan, if it is signed with RSA at a second, or later. */
void mail_lint_rsa_count(mail_lint_rsa_t *rsa, const mail_plan_t *plan, int64_t now);
/*! Add what was counted elsewhere. */
void mail_lint_rsa_add(mail_lint_rsa_t *rsa, const mail_lint_rsa_t *more);
/*! Warn if there are so many domains that RSA is a burden; the warning is about the key set. */
void mail_lint_rsa_warn(const mail_lint_rsa_t *rsa, mail_diag_t *diag);

/*! Keep a warning, for mail_diag_t.warn. \param ctx mail_buf_t, to which the text and a 00 are appended. */
void mail_warning_keep(void *ctx, const char *text);
/*! Return the next warning that was kept, or NULL. \param pos Starts at 0 and is moved. */
const char *mail_warning_next(const mail_buf_t *kept, size_t *pos);
/*! Return whether a warning was kept. \param domain What `{domain}` stands for in a kept one; empty: nothing. */
bool mail_warning_kept(const mail_buf_t *kept, const char *text, mail_str_t domain);
