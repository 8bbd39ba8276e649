/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A value or two for every item of the dialect, for tests that walk the table of items.
 */
#pragma once

#include "mail/entry.h"

#define SAMPLE_KEY "N/BkJD6xbEiMb39v7JW6AwdPHO5gKB3fcCnod4zQ31U="

/*! Add an item's samples. \return What mail_entry_parse() returned. */
int sample_add(mail_entry_t *entry, mail_item_id_t id, mail_op_t op, mail_diag_t *diag);

/*!
 * Make the entry that tests an item in a section with an operation: with what else it needs.
 *
 * \return NULL when the item does not know the operation.
 */
mail_entry_t *sample_entry(mail_section_t section, const mail_item_t *item, mail_op_t op,
                           mail_diag_t *diag);

/*!
 * Check an entry for every item, in every section that has it, with every operation that it knows.
 *
 * \param check  Called with the entry and the item's name.
 */
void samples_each(void (*check)(const mail_entry_t *entry, const char *what));

/*! A service of the item srv, and its port. */
typedef struct {
	const char *name;
	uint16_t port;
} sample_service_t;

/*! All that there are, in the order of mail_services[]. */
extern const sample_service_t sample_services[13];
