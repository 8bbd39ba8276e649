/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The one table of record kinds: owner, type, when it is present, who renders it.
 *
 * Answering, NODATA and NXDOMAIN, the NSEC chain, the tool's listings, zone export, counters and the
 * documentation read this table. Constant data; any thread.
 */
#pragma once

#include "mail/plan.h"

/*! A kind of record. */
typedef struct mail_kind {
	const char *name; /*!< Short name: counters, listings ("mx", "srv-imaps"). */
	const char *
		owner; /*!< The owner for people: "@", "_dmarc", "SEL._domainkey", "_PORT._tcp.HOST". */
	uint16_t type; /*!< RR type; 0: any (literal records). */
	/*! Writes the kind's rows into a plan, or none when the profile does not call for any. */
	int (*render)(mail_build_t *build, const struct mail_kind *kind);
	uint16_t arg;     /*!< For render: the index of a service. */
	const char *help; /*!< What the record is for, one line. */
} mail_kind_t;

/*! All kinds, ended by a NULL name. The index is the kind's number in rows and counters. */
extern const mail_kind_t mail_kinds[];
/*! Number of kinds. */
extern const unsigned mail_kind_count;
