/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Where a reader of entries is, so that reasons and warnings can say it. Shared by text.c and json.c.
 */
#pragma once

#include "mail/entry.h"

/*! What is being read: a section, an entry, an item, and where it stands. */
typedef struct {
	mail_diag_t *diag;      /*!< The caller's; may be NULL. */
	mail_diag_t own;        /*!< What checks write into: a reason alone. */
	mail_section_t section; /*!< MAIL_SECTION_COUNT: none yet. */
	mail_str_t id;          /*!< Of the entry; empty: none yet. */
	mail_str_t item;        /*!< As written; empty: the entry as a whole. */
	uint32_t line;          /*!< 0: unknown, and diag->line is left as the caller set it. */
} mail_subject_t;

/*! Begin nowhere. Warnings that checks hand to subject->own come out of diag->warn with what they are about. */
void mail_subject_begin(mail_subject_t *subject, mail_diag_t *diag);

/*! Note an error of the subject. \return KNOT_EINVAL, always. */
int mail_subject_error(mail_subject_t *subject, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*!
 * Note the error that a check left in subject->own.
 *
 * \param ret  What the check returned: KNOT_ENOMEM stays what it is, and with KNOT_EOK nothing happens.
 *
 * \return KNOT_EOK, KNOT_ENOMEM or KNOT_EINVAL.
 */
int mail_subject_pass(mail_subject_t *subject, int ret);

/*! Copy text for a message: what does not print becomes '?', and a long text is cut. \return out. */
const char *mail_subject_quote(mail_str_t text, char out[64]);

/*! Find a section by its name, or suggest the nearest. \return KNOT_EOK or KNOT_EINVAL. */
int mail_subject_section(mail_subject_t *subject, mail_str_t name, mail_section_t *section);

/*!
 * Find an item of the section at hand, or say where it belongs or what the nearest is called.
 *
 * \param name  Without a mark for appending.
 *
 * \return KNOT_EOK or KNOT_EINVAL.
 */
int mail_subject_item(mail_subject_t *subject, mail_str_t name, const mail_item_t **item);
/*! Make the empty entry of an id, which it normalises. \return KNOT_EOK; KNOT_EINVAL or KNOT_ENOMEM, noted. */
int mail_subject_entry(mail_subject_t *subject, mail_str_t id, mail_entry_t **entry);
