/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The records of a domain as text: master file, table, JSON, and for a provider's web form.
 */
#pragma once

#include "mail/list.h"
#include "tool/out.h"

/*! Which records. */
typedef struct {
	mail_str_t domain; /*!< Normalised. */
	int64_t now;
	bool reports;          /*!< Also C._report._dmarc.D. */
	mail_signer_t *signer; /*!< A signed domain with RRSIG and NSEC; NULL: without. */
} zone_t;

/*! Writes a master file. \return STATUS_DONE, or STATUS_FAILED after a message. */
int zone_print_file(tool_t *tool, const zone_t *zone, FILE *file);
/*! Prints a table for people. */
int zone_print_table(tool_t *tool, const zone_t *zone);
/*! Prints a JSON object a record. */
int zone_print_json(tool_t *tool, const zone_t *zone);
/*! Prints what a provider's web form wants: owner, type, priority and value, separated by tabs. */
int zone_print_paste(tool_t *tool, const zone_t *zone);

/*! Says what mail_answer_list() failed on. \return STATUS_FAILED. */
int zone_error(tool_t *tool, const zone_t *zone, int code);
/*! The text of a TXT RDATA, joined. */
int zone_text(const knot_rdata_t *rdata, mail_buf_t *out);
