/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The literal records of a domain (record, txt, delegation), rendered when they were written: a question looks its
 *        name up in the stored octets, in place. Their layout is at the top of lib/model/rows.c.
 *
 * No stored octet is trusted: a reader returns KNOT_EMALF for what no writer makes.
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/entry.h"
#include "mail/rdata.h"

/*! Items that are stored as rows, as bits 1 << mail_item_id_t. */
#define MAIL_ROWS_ITEMS                                                                            \
	(UINT64_C(1) << MAIL_ITEM_DELEGATION | UINT64_C(1) << MAIL_ITEM_TXT |                      \
	 UINT64_C(1) << MAIL_ITEM_RECORD)

/*! Stored rows. Zeroed: none. */
typedef struct {
	const uint8_t *data;
	size_t len;
	size_t count; /*!< Number of owners. */
	bool cuts;    /*!< Some row is an NS or a DNAME. */
} mail_rows_t;

/*! A stored row. */
typedef struct {
	mail_item_id_t item;
	uint16_t type;
	bool has_ttl;
	uint32_t ttl;
	mail_rdata_t rdata; /*!< Points into the stored octets. */
} mail_stored_row_t;

/*! The rows of an owner, which are read one by one. */
typedef struct {
	mail_lf_t name; /*!< Relative to the domain; in the stored octets. */
	uint64_t
		types; /*!< Types of the rows, as bits: those that do not fit share the last one. */
	size_t count;  /*!< Rows that are left. */
	mail_reader_t reader;
} mail_stored_owner_t;

/*!
 * Render the literal records of a domain.
 *
 * \param out  Out: the rows are appended.
 *
 * \return KNOT_EOK; KNOT_EINVAL (a value that cannot be rendered); KNOT_ENOMEM; KNOT_ESPACE.
 */
int mail_rows_encode(const mail_entry_t *entry, mail_buf_t *out);
/*! Look at stored rows. \return KNOT_EOK, KNOT_EMALF. */
int mail_rows_read(const uint8_t *data, size_t len, mail_rows_t *rows);
/*! Read the index-th owner, in canonical order. \return KNOT_EOK, KNOT_EMALF. */
int mail_rows_owner(const mail_rows_t *rows, size_t index, mail_stored_owner_t *owner);
/*! Read the next row of an owner. \return KNOT_EOK, KNOT_EMALF, KNOT_ENOENT (that was all). */
int mail_rows_next(mail_stored_owner_t *owner, mail_stored_row_t *row);
/*!
 * Find the owner of a name, which is relative to the domain.
 *
 * \param at  Out: the index at which the owner stands or would stand.
 *
 * \return KNOT_EOK, KNOT_ENOENT, KNOT_EMALF.
 */
int mail_rows_find(const mail_rows_t *rows, mail_lf_t name, size_t *at, mail_stored_owner_t *owner);
