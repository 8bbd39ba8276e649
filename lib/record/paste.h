/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Records as people paste them: lines of a zone file, what tools print, RDATA alone, with or without quotes.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! A record that was pasted. */
typedef struct {
	mail_buf_t
		owner; /*!< As written, with a dot at its end where a tool leaves that out; empty: none. */
	mail_str_t ttl;   /*!< As written, a part of what was pasted; empty: none. */
	uint16_t type;    /*!< 0: there is no more than RDATA. */
	mail_buf_t rdata; /*!< In master file syntax, on one line, without brackets and comments. */
	mail_buf_t text;  /*!< What the strings say, joined; of what has no quotes: as it is. */
	bool quoted;      /*!< There are strings in quotes, and nothing else. */
	bool certain; /*!< It says more than owner and type: a class, a TTL, an owner with a dot, a string. */
	size_t at; /*!< Where it begins in what was pasted, in octets. */
} mail_pasted_t;

typedef struct {
	mail_pasted_t *records;
	size_t count;
	size_t stray; /*!< Where the first line is that is no record, from 1; 0: there is none. */
} mail_paste_t;

/*!
 * Take apart what was pasted.
 *
 * Lines that name a type are records. If there are none, each line is RDATA. Comments, PEM, and what tools print around
 * their answers are passed over.
 *
 * \param text  UTF-8, cleaned.
 *
 * \return KNOT_EOK; KNOT_EINVAL: a quote or bracket of a record is not closed; KNOT_ENOMEM. Freed by
 *         mail_paste_free() after any.
 */
int mail_paste_read(mail_str_t text, mail_paste_t *paste, mail_diag_t *diag);
void mail_paste_free(mail_paste_t *paste);
/*! Take a record out of the one string that it stands in, as JSON and shells have it. Nothing happens to any other. */
void mail_paste_inner(mail_paste_t *paste);

/*!
 * Copy a text, and write plain characters for those that web pages and word processors put in their place: quotes,
 * dashes, blanks, a byte order mark.
 *
 * \return Whether there was anything to replace; out->error is set when memory failed.
 */
bool mail_paste_clean(mail_str_t text, mail_buf_t *out);

/*! Write a text as one string of a master file, in quotes. */
int mail_paste_quote(mail_str_t text, mail_buf_t *out);
