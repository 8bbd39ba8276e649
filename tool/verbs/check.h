/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What check finds, and the parts of check that look at what is valid, but risky.
 */
#pragma once

#include "tool/verb.h"

/*! The run of check. */
typedef struct {
	tool_t *tool;
	const char *section; /*!< Of the entry that is being looked at. */
	mail_str_t id;
	size_t errors, warnings;
	bool quiet;      /*!< Nothing is printed. */
	char first[800]; /*!< The first error. */
} check_t;

/*! Look at all that is stored. \return STATUS_DONE; STATUS_FAILED: an entry cannot be read, which was said. */
int check_store(check_t *check);

/*! Print an error or a warning about the entry that is being looked at, and count it. */
void check_report(check_t *check, bool error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*! Look at all records of a domain. \return false after a message when there are none that can be looked at. */
bool check_records(check_t *check, mail_str_t domain);
/*!
 * Look at a key set: private keys that are not there or that others can read, an end that nothing follows, algorithms
 * that are mixed for no reason.
 */
void check_keyset(check_t *check, const mail_entry_t *entry);
