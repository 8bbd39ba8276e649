/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief An entry of the store in memory: section, id, and the items that it sets.
 *
 * The id is text: a policy's, host's, certificate's or key set's id; a domain's name (A-labels,
 * small letters, no dot at the end); a DKIM key's "DOMAIN/SELECTOR" or "policy:POLICY/SELECTOR".
 *
 * Values are as mail_item_normalise() writes them. An entry has at most one member for an item
 * and an operation; MAIL_OP_SET and MAIL_OP_NONE of an item exclude each other, MAIL_OP_ADD may
 * stand beside either (`none` and `ITEM-add`: what is inherited goes, these come).
 *
 * Thread rule: one thread at a time, or any number that only read.
 */
#pragma once

#include "mail/item.h"
#include "mail/name.h"

typedef enum {
	MAIL_OP_SET = 0,  /*!< Replaces what is inherited (merges by tag for MAIL_FLAG_BYTAG). */
	MAIL_OP_ADD = 1,  /*!< Appends to what is inherited or set. */
	MAIL_OP_NONE = 2, /*!< Removes what is inherited. */
} mail_op_t;

typedef struct {
	mail_str_t text;
	uint32_t line; /*!< Line of the file that it came from, or 0. */
} mail_value_t;

typedef struct {
	const mail_item_t *item;
	mail_op_t op;
	mail_value_t *values;
	size_t count;
	uint32_t line;
} mail_member_t;

/*! When an entry was last changed: the native header of Lightning Stream. */
typedef struct {
	uint64_t timestamp; /*!< Nanoseconds since 1970; 0: the entry does not exist. */
	uint64_t txnid;     /*!< LMDB transaction that wrote it. */
} mail_stamp_t;

typedef struct {
	mail_section_t section;
	mail_str_t id;
	mail_member_t *members; /*!< Sorted by item number, then operation. */
	size_t count;
	bool deleted; /*!< In text: the entry is to be deleted. */
	uint32_t line;
	mail_stamp_t stamp; /*!< Of an entry that was read from a store. */
} mail_entry_t;

/*! Make an empty entry, freed by mail_entry_free(); the id is copied. \return NULL: no memory. */
mail_entry_t *mail_entry_new(mail_section_t section, mail_str_t id);
/*! Free an entry; NULL is fine. */
void mail_entry_free(mail_entry_t *entry);
/*! Make a deep copy. */
mail_entry_t *mail_entry_copy(const mail_entry_t *entry);

/*! Return whether an item of a section knows an operation. */
bool mail_entry_knows(mail_section_t section, const mail_item_t *item, mail_op_t op);

/*!
 * Append a value to a member, which is made if it does not exist. The value is copied as it is
 * (it is normalised already). A MAIL_OP_NONE member has no values: value is ignored.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EEXIST (a second value for an item that is no list, a
 *         second value for a tag, a value beside MAIL_OP_NONE); KNOT_ELIMIT (more than
 *         MAIL_LIST_MAX values, or more than MAIL_VALUE_MAX octets); KNOT_EINVAL (the section
 *         has no such item, the item no such operation). The entry is as before after any of
 *         these.
 */
int mail_entry_add(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t value,
                   uint32_t line);
/*!
 * Normalises, checks and appends a value. "none" makes a MAIL_OP_NONE member, where something
 * can be removed and "none" is no value.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EINVAL with the reason in diag (without the item's name),
 *         and its line, if diag has none yet.
 */
int mail_entry_parse(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t text,
                     uint32_t line, mail_diag_t *diag);
/*! Remove a member; nothing happens when it is not there. */
void mail_entry_remove(mail_entry_t *entry, mail_item_id_t item, mail_op_t op);
/*! The member of an item and an operation, or NULL. */
const mail_member_t *mail_entry_member(const mail_entry_t *entry, mail_item_id_t item,
                                       mail_op_t op);
/*! The only or first value that an entry sets for an item; empty (data NULL) when it sets none. */
mail_str_t mail_entry_value(const mail_entry_t *entry, mail_item_id_t item);
/*! Return whether two members, of whatever items, have the same values in the same order; false when one is NULL. */
bool mail_member_equal(const mail_member_t *a, const mail_member_t *b);
/*! Return whether two entries hold the same (lines and stamps apart). */
bool mail_entry_equal(const mail_entry_t *a, const mail_entry_t *b);

/*!
 * Check a whole entry by itself: that what it needs is there, that nothing excludes another thing. Every
 * reader and whoever edits an entry (`domain-set`) calls it; the values were checked one by one before.
 *
 * \param diag  The reason, without the entry's name; line and column 0 when the entry as a whole is at fault.
 *
 * \return KNOT_EOK; KNOT_EINVAL.
 */
int mail_entry_check(const mail_entry_t *entry, mail_diag_t *diag);

/*!
 * Check the id of an entry and write it as it is kept: a name with A-labels and small letters;
 * ids of other sections: 1 to 63 of letters, digits, '-', '_', '.', of which the first is no '-'
 * or '.', and not "none"; "DOMAIN/SELECTOR" or "policy:POLICY/SELECTOR" for DKIM keys, the
 * selector in small letters. A DKIM key whose SELECTOR._domainkey.DOMAIN has over 255 octets is
 * refused.
 *
 * \param out  The id is appended; nothing stays of one that is refused.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_entry_id_normalise(mail_section_t section, mail_str_t text, mail_buf_t *out,
                            mail_diag_t *diag);

/*!
 * \brief Write the key of an entry in its database: of a domain the name in lookup format; of a DKIM key that of
 *        SELECTOR._domainkey.DOMAIN, or 00, the policy's id, 00, the selector in lookup format; else the id.
 *
 * \param id  Normalised.
 *
 * \return KNOT_EOK, KNOT_EINVAL.
 */
int mail_entry_key(mail_section_t section, mail_str_t id, mail_lf_storage_t *key);
/*! Write the id that a key stands for. \return KNOT_EOK; KNOT_EMALF. */
int mail_entry_id_from_key(mail_section_t section, mail_lf_t key, mail_buf_t *out);
