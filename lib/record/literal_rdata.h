/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The second half of a literal record: what libzscanner reads. For literal.c and ulabel.c only.
 */
#pragma once

#include "mail/chars.h"
#include "record/literal.h"

/*! A record being read. */
typedef struct {
	mail_str_t text; /*!< All of it. */
	size_t pos;      /*!< Where reading goes on. */
	mail_str_t ttl;  /*!< As written; empty: none. */
	mail_str_t type; /*!< As written. */
	mail_record_t *record;
	mail_rdata_t *rdata;
	mail_diag_t *diag;
} mail_record_parse_t;

/*! Column of a place in the text, from 1. */
static inline size_t mail_record_column(const mail_record_parse_t *p, const char *at)
{
	return (size_t)(at - p->text.data) + 1;
}

/*! Return whether the RDATA of a type hold names. */
bool mail_record_has_names(uint16_t type);
/*!
 * Take the next piece of RDATA: white space, or a word, in which quotes may hold white space.
 *
 * \param pos     Is moved.
 * \param quoted  Out: the piece has a quote.
 *
 * \return KNOT_EOK; KNOT_EINVAL.
 */
int mail_record_piece(const mail_record_parse_t *p, size_t *pos, mail_str_t *piece, bool *quoted);
/*! Read what follows the type, if that is usual. \return KNOT_EOK; KNOT_ENOENT (the scanner must look at it); KNOT_ENOMEM. */
int mail_record_quick(const mail_record_parse_t *p);
/*! Read what follows the type; the type is one that is taken. \return As mail_record_parse(). */
int mail_record_body(const mail_record_parse_t *p);
