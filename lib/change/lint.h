/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A look at the records of a plan (lint.c), and its parts.
 */
#pragma once

#include "change/lookup.h"
#include "mail/lint.h"

/*! A plan being looked at. */
typedef struct {
	mail_lookup_t at;
	mail_diag_t *diag;
	mail_apex_t apex;
	char text[KNOT_DNAME_TXT_MAXLEN + 1]; /*!< Of the apex. */
	mail_buf_t *
		names; /*!< Absolute names that were met, in lookup format, each after its length; or NULL. */
	mail_buf_t
		said; /*!< Names that were told of, each after the item that it was told of for. */
	mail_looked_t looked; /*!< The last lookup: it is large, and made often. */
} mail_linting_t;

/*! A record of the plan. */
typedef struct {
	const mail_owner_t *owner;
	bool absolute; /*!< The owner is. */
	const mail_row_t *row;
	mail_buf_t item; /*!< What it is told of as: "mx", "record: www CNAME". */
} mail_linted_t;

/*! Look at a name that stands in a record. \param name Filled in. \param relative The record has a hole there. */
int mail_lint_target(mail_linting_t *linting, const mail_linted_t *of, const knot_dname_t *name);
/*! Look at the mail domains that a record sends reports to. \param text Of the record. */
int mail_lint_reports(mail_linting_t *linting, const mail_linted_t *of, mail_str_t text);
/*! Look at the owner of a literal record, which may lack the dot at its end. */
int mail_lint_owner(mail_linting_t *linting, const mail_linted_t *of);
/*! Return whether a relative name would be one of a stored domain, or looks like an absolute one. */
bool mail_lint_lacks_dot(const mail_source_t *source, mail_lf_t relative, bool missing);
/*! Look at an SPF record. \param text Of the record. */
int mail_lint_spf(mail_linting_t *linting, const mail_linted_t *of, mail_str_t text);

/*! Warn of what an item has, "ITEM: ...". */
void mail_lint_warn(const mail_linting_t *linting, const mail_linted_t *of, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*! Refuse what an item has. \return KNOT_EINVAL. */
int mail_lint_refuse(const mail_linting_t *linting, const mail_linted_t *of, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*! Write a name as people read it: relative to the domain, or with a dot at its end. */
const char *mail_lint_show(const mail_linting_t *linting, const knot_dname_t *name, bool relative,
                           mail_buf_t *out);
/*! Parse an absolute name that may hold the domain. \return KNOT_EOK; KNOT_EINVAL; KNOT_ESPACE. */
int mail_lint_name(const mail_linting_t *linting, mail_str_t text, knot_dname_storage_t name);
/*! Note an absolute name that a record leads to. */
void mail_lint_note(mail_linting_t *linting, const knot_dname_t *name);
/*! Return whether a name depends on which domain follows the policy at hand, and lies in no such domain. */
bool mail_lint_varies(const mail_linting_t *linting, const knot_dname_t *name);
