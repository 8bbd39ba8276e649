/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The records of a domain as text: master file, table, JSON, and for a provider's web form.
 *
 * A domain without records to print ends the process after a message.
 */
#pragma once

#include <stdio.h>

#include "mail/list.h"
#include "tool/verb.h"

/*! Which records. */
typedef struct {
	mail_str_t domain; /*!< Normalised. */
	int64_t now;
	bool reports;          /*!< Also C._report._dmarc.D. */
	mail_signer_t *signer; /*!< A signed domain with RRSIG and NSEC; NULL: without. */
	const mail_zone_listing_t
		*zone; /*!< What the domain adds to this zone; NULL: it is hosted. */
} records_t;

/*! Write a master file. What cannot be written is the caller's to look for. */
void records_print_file(tool_t *tool, const records_t *records, FILE *file);
/*! Print a table for people. */
void records_print_table(tool_t *tool, const records_t *records);
/*! Print a JSON object a record. */
void records_print_json(tool_t *tool, const records_t *records);
/*! Print what a provider's web form wants: owner, type, priority and value, separated by tabs. */
void records_print_paste(tool_t *tool, const records_t *records);

/*! Say why a domain's profile or records could not be made. \return STATUS_FAILED. */
int records_error(tool_t *tool, mail_str_t domain, int code);
/*! Append the text of a TXT RDATA, joined. */
void records_text(const knot_rdata_t *rdata, mail_buf_t *out);
