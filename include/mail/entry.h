/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief An entry of the store in memory: section, id, and the items that it sets.
 *
 * The id is text. For a domain it is the name, with A-labels, in lower case and without a dot at its end. For a
 * DKIM key it is "DOMAIN/SELECTOR" or "policy:POLICY/SELECTOR".
 *
 * Values have the form that mail_item_normalise() writes. An entry has at most one member for an item and an
 * operation. MAIL_OP_SET and MAIL_OP_NONE of an item exclude each other. MAIL_OP_ADD may stand beside either:
 * with `none` and `ITEM-add`, the added values replace the inherited ones.
 *
 * Thread rule: one thread at a time may use an entry, or any number of threads that only read it.
 */
#pragma once

#include "mail/item.h"
#include "mail/name.h"

/*! Greatest number of octets of an id: that of a DKIM key, two names as text. */
#define MAIL_ID_MAX (2 * (KNOT_DNAME_TXT_MAXLEN + 1))

/*! What a member does to inherited values. */
typedef enum {
	MAIL_OP_SET = 0,  /*!< Replaces inherited values; with MAIL_FLAG_BYTAG, tag by tag. */
	MAIL_OP_ADD = 1,  /*!< Appends to inherited values, or to the values that are set. */
	MAIL_OP_NONE = 2, /*!< Removes inherited values. */
} mail_op_t;

/*! A value of a member. */
typedef struct {
	mail_str_t text;
	uint32_t line; /*!< Line of the file, from 1; 0: unknown. */
} mail_value_t;

/*! The values of an item for an operation. */
typedef struct {
	const mail_item_t *item;
	mail_op_t op;
	mail_value_t *values;
	size_t count;
	uint32_t line; /*!< Line of the file, from 1; 0: unknown. */
} mail_member_t;

/*! Time of the last change of an entry, as in the native header of Lightning Stream. */
typedef struct {
	uint64_t timestamp; /*!< Nanoseconds since 1970; 0: the entry does not exist. */
	uint64_t txnid;     /*!< Number of the LMDB transaction that wrote the entry. */
} mail_stamp_t;

/*! An entry. It owns its id and its members. */
typedef struct {
	mail_section_t section;
	mail_str_t id;
	mail_member_t *members; /*!< Sorted by number of the item, then by operation. */
	size_t count;
	bool deleted;       /*!< In a file: the entry must be deleted. */
	uint32_t line;      /*!< Line of the file, from 1; 0: unknown. */
	mail_stamp_t stamp; /*!< Set if the entry was read from a store; else zero. */
} mail_entry_t;

/*! Make an empty entry with a copy of the id. \return The entry, which the caller frees; NULL without memory. */
mail_entry_t *mail_entry_new(mail_section_t section, mail_str_t id);
/*! Free an entry. NULL is allowed. */
void mail_entry_free(mail_entry_t *entry);
/*! Make a deep copy. \return The copy, which the caller frees; NULL without memory. */
mail_entry_t *mail_entry_copy(const mail_entry_t *entry);

/*! Return the octets of memory that an entry takes. */
size_t mail_entry_size(const mail_entry_t *entry);

/*! Return whether a section has an item, and the item has an operation. */
bool mail_entry_knows(mail_section_t section, const mail_item_t *item, mail_op_t op);

/*!
 * Append a value to a member. The member is made if it does not exist.
 *
 * After an error, the entry is as it was before.
 *
 * \param value  A normalised value, which is copied. It is ignored for MAIL_OP_NONE, whose members have no values.
 * \param line   Line of the file, from 1; 0: unknown.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_EEXIST (a second value for an item that is no list, a second value for a
 *         tag, or a value beside MAIL_OP_NONE); KNOT_ELIMIT (more than MAIL_LIST_MAX values, or more than
 *         MAIL_VALUE_MAX octets); KNOT_EINVAL (the section does not have the item, or the item does not have
 *         the operation).
 */
int mail_entry_add(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t value,
                   uint32_t line);
/*!
 * Normalise, check and append a value. The text "none" makes a member MAIL_OP_NONE, unless "none" is a value of
 * the item or there is nothing to remove.
 *
 * \param line  Line of the file, from 1; 0: unknown.
 * \param diag  Out: the reason of an error, without the name of the item; and the line, if diag has none.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_entry_parse(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t text,
                     uint32_t line, mail_diag_t *diag);
/*! Remove a member, if it exists. */
void mail_entry_remove(mail_entry_t *entry, mail_item_id_t item, mail_op_t op);
/*! Return the member of an item and an operation; NULL if there is none. */
const mail_member_t *mail_entry_member(const mail_entry_t *entry, mail_item_id_t item,
                                       mail_op_t op);
/*! Return the first or only value that an entry sets for an item; data is NULL if there is none. */
mail_str_t mail_entry_value(const mail_entry_t *entry, mail_item_id_t item);
/*! Return whether two members have the same values in the same order, whatever their items; false if one is NULL. */
bool mail_member_equal(const mail_member_t *a, const mail_member_t *b);
/*! Return whether two entries are equal, apart from lines and stamps. */
bool mail_entry_equal(const mail_entry_t *a, const mail_entry_t *b);

/*!
 * Check a whole entry by itself: it has all items that it needs, and no two items exclude each other.
 *
 * Call this after you read or edit an entry. The values must be checked before.
 *
 * \param diag  Out: the reason, without the name of the entry. Line and column are 0 if the whole entry is wrong.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason.
 */
int mail_entry_check(const mail_entry_t *entry, mail_diag_t *diag);

/*!
 * Check the id of an entry, and append it in its stored form.
 *
 * For a domain this is a name with A-labels in lower case. For a DKIM key it is "DOMAIN/SELECTOR" or
 * "policy:POLICY/SELECTOR" with the selector in lower case, and SELECTOR._domainkey.DOMAIN must not exceed 255
 * octets. In the other sections it is 1 to 63 letters, digits, '-', '_' and '.'; it does not begin with '-' or
 * '.', and is not "none".
 *
 * \param out  Out: the id is appended. After an error out is as it was before.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM; KNOT_ESPACE.
 */
int mail_entry_id_normalise(mail_section_t section, mail_str_t text, mail_buf_t *out,
                            mail_diag_t *diag);
/*!
 * Refuse what can never be meant as a domain, such as an address, a URL or a wildcard, and say what to write. Stored ids are
 * read as they are: this is for what is written.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason and column.
 */
int mail_domain_slip(mail_str_t text, mail_diag_t *diag);
/*! Warn of a new domain that has the name of a record, or a single label. */
void mail_domain_risk(mail_str_t id, mail_diag_t *diag);

/*!
 * \brief Write the key of an entry in its database (doc/mail-store.rst).
 *
 * For a domain this is the name in lookup format. For a DKIM key it is the lookup format of
 * SELECTOR._domainkey.DOMAIN; or 00, the id of the policy, 00, and the selector in lookup format. In the other
 * sections it is the id.
 *
 * \param id   A normalised id.
 * \param key  Out: the key.
 *
 * \return KNOT_EOK; KNOT_EINVAL (the id is malformed); KNOT_ESPACE (too long).
 */
int mail_entry_key(mail_section_t section, mail_str_t id, mail_lf_storage_t *key);
/*!
 * Append the id that a key in a database stands for. After an error out is as it was before.
 *
 * \return KNOT_EOK; KNOT_EMALF (no id has this key); KNOT_ENOMEM, KNOT_ESPACE.
 */
int mail_entry_id_from_key(mail_section_t section, mail_lf_t key, mail_buf_t *out);
