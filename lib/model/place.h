/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Where a value goes: an item of an entry. Shared by the sources that read what people wrote.
 */
#pragma once

#include "mail/entry.h"
#include "record/paste.h"

/*! Where a value goes. */
typedef struct {
	mail_entry_t *entry;
	const mail_item_t *item;
	mail_op_t op;
	uint32_t line; /*!< Of the file that the value came from, or 0. */
	mail_diag_t *diag;
} mail_place_t;

/*! Normalise, check and add one value. \return As mail_entry_parse(). */
int mail_place_add(const mail_place_t *place, mail_str_t text);
/*! Add a value that is normalised and checked. \return As mail_place_add(). */
int mail_place_put(const mail_place_t *place, mail_str_t value);

/*!
 * Add what somebody pasted: a record as a zone file, a tool or a web page has it, or several.
 *
 * \param taken  Out: false when the text is a plain value, which mail_place_add() is for; nothing was done then.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_place_paste(const mail_place_t *place, mail_str_t text, bool *taken);

/*! Return whether mail_place_paste() would take a text for `txt` as it is. */
bool mail_place_literal(mail_str_t text);

/*!
 * Check that a record that was pasted is one of the entry.
 *
 * \param owner  As it was pasted; empty: anybody's.
 * \param want   The labels before the domain, '*' for one of any kind, "" for the domain itself; NULL: every owner fits.
 * \param host   The owner lies below (or is) the host of the entry.
 *
 * \return KNOT_EOK; KNOT_EINVAL with a reason that names both; KNOT_ENOMEM.
 */
int mail_place_owner(const mail_place_t *place, mail_str_t owner, const char *want, bool host);

typedef struct mail_form mail_form_t;
/*! Add the values of one record. */
typedef int (*mail_form_put_t)(const mail_place_t *place, const mail_form_t *form,
                               const mail_pasted_t *record);

/*! How an item is pasted. */
struct mail_form {
	mail_item_id_t item;
	uint16_t types[2];   /*!< That it takes; none: all. */
	const char *owner;   /*!< As mail_place_owner() has it. */
	bool host;           /*!< The owner is a host's. */
	const char *version; /*!< Of a TXT record that has tags or terms; NULL: none. */
	mail_form_put_t put;
	const char
		*tag; /*!< With which tags may begin that have no version; NULL: they have one. */
};

/*! All of them; the last has no put(). */
extern const mail_form_t mail_forms[];

/*! Return what follows the version of a text, with which it begins; all of a text that has none. */
mail_str_t mail_form_behind(mail_str_t text, const char *version);
