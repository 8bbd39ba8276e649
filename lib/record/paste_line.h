/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Pieces and headers of a line that was pasted. For paste.c and paste_line.c only.
 */
#pragma once

#include "record/paste.h"

/*! Most pieces that a header has: an owner, the words of a tool, TTL, class and type. */
#define MAIL_PASTE_HEADER 8

/*! A text being taken apart. */
typedef struct {
	mail_str_t text;
	size_t pos;
	unsigned depth; /*!< Of brackets, in which line ends are blanks. */
	size_t bracket; /*!< Where the first of them is. */
	bool strings;   /*!< A quote ends a word: it begins a string. */
} mail_lexer_t;

/*! A word or string. */
typedef struct {
	mail_str_t text; /*!< Without its quotes. */
	bool quoted;
	mail_lexer_t after; /*!< Where reading goes on. */
} mail_piece_t;

/*! What a line says before its RDATA. */
typedef struct {
	mail_str_t owner;
	mail_str_t ttl;
	uint16_t type;
	bool absolute; /*!< All names are, with or without a dot. */
	bool certain;
	bool below; /*!< RDATA may stand in the lines below (nslookup of Windows). */
	unsigned
		skip; /*!< Words of RDATA that are to be passed over: all between the first and the last. */
	mail_lexer_t after;
} mail_header_t;

/*!
 * Take the next piece of a line.
 *
 * \return KNOT_EOK; KNOT_EOF at the end of the line; KNOT_EINVAL: a quote is not closed.
 */
int mail_piece_next(mail_lexer_t *lexer, mail_piece_t *piece);

/*! Read what stands before the RDATA of a line. \return false: it is no record, or has no RDATA. */
bool mail_header_read(const mail_lexer_t *lexer, mail_header_t *header);
