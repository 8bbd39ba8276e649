/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A source of entries in an array, filled from the dialect, for tests of what stands above the store.
 *
 * Values are kept as the store keeps them, so the model reads the same octets in the same way; they can be
 * damaged, and deleted ones stay as tombstones. Every array_put() is a transaction of its own, one second
 * after the last.
 */
#pragma once

#include "mail/plan.h"
#include "unit.h"

/*! Second of the stamps before the first transaction: 2023-11-14T22:13:20Z. */
#define ARRAY_EPOCH 1700000000

/*! The second at which most tests look: 2027-01-15T08:00:00Z. */
#define NOW 1800000000

/*! A stored entry. */
typedef struct {
	mail_section_t section;
	mail_lf_storage_t key;
	mail_buf_t value; /*!< As mail_codec_encode() writes it. */
	mail_stamp_t stamp;
	bool deleted;
} array_entry_t;

/*! Entries in no order. */
typedef struct {
	mail_source_t source;
	array_entry_t *entries;
	size_t count;
	uint64_t txnid;
	size_t reads; /*!< Whole entries that were read. */
} array_t;

/*! Make an empty array. It must not move while its source is used. */
void array_begin(array_t *array);

/*! Free what it holds; it can be begun again. */
void array_free(array_t *array);

/*! Add entries, or put them in the place of those with the same ids. \param text As entries.h has it. */
bool array_put(array_t *array, const char *text);

/*! Store octets that no writer may have written. \param entry  "SECTION ID", here and below. */
void array_octets(array_t *array, const char *entry, const void *octets, size_t len);

/*! Damages an entry: its version is one that never was. */
void array_damage(array_t *array, const char *entry);

/*! Make an entry one of a newer format. */
void array_newer(array_t *array, const char *entry);

/*! Delete an entry, which leaves a tombstone. */
void array_del(array_t *array, const char *entry);

/*! Append the RDATA of a record as text, `"` as `'`, so that cases in C read well. */
void show_rdata(const knot_rrset_t *rrset, uint16_t at, mail_buf_t *out);

/*! Append a name as text, without the dot at its end. */
void show_name(const knot_dname_t *name, mail_buf_t *out);

/*! Append a type. */
void show_type(uint16_t type, mail_buf_t *out);

/*! What a buffer holds as a terminated string, valid until it grows. */
const char *shown(mail_buf_t *buf);

/*! Assert that a buffer holds a text; free it. \param what  Of the case, for the message. */
#define shown_is(buf, want, what) unit_check_buf((buf), (want), (what), __FILE__, __LINE__)
