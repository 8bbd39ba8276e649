/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What check finds, and the parts of check that look at what is valid, but risky.
 */
#pragma once

#include "mail/lint.h"
#include "tool/hidden.h"
#include "tool/verb.h"

/*! The run of check. */
typedef struct {
	tool_t *tool;
	mail_lint_t *lint;
	const char *section; /*!< Of the entry that is being looked at. */
	mail_str_t id;
	size_t errors, warnings;
	bool quiet;      /*!< Nothing is printed. */
	char first[800]; /*!< The first error. */
	hidden_t hidden;
	mail_lint_rsa_t rsa; /*!< Domains that were met. */
	/*! Hosts and certificates, until something is found that names them. */
	struct check_unused *unused;
	size_t unused_count;
} check_t;

/*! Look at all that is stored. \return STATUS_DONE; STATUS_FAILED: an entry cannot be read, which was said. */
int check_store(check_t *check);

/*! Print an error or a warning about the entry that is being looked at, and count it. */
void check_report(check_t *check, bool error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*! Remember all hosts and certificates. */
void check_unused_begin(check_t *check);
/*! Note that an entry is named by another one. */
void check_unused_mark(check_t *check, mail_section_t section, mail_str_t id);
/*! Tell of those that nothing names, whose records nobody can see. */
void check_unused_end(check_t *check);

/*! What a resolver finds at a name. */
typedef enum {
	CHECK_NOTHING, /*!< The store answers, and there is no such record. */
	CHECK_FOUND,   /*!< It is in the store. */
	CHECK_ELSEWHERE, /*!< Others answer: no stored domain, a delegation, an alias that leads out. */
} check_asked_t;

/*!
 * Ask for records as a resolver does.
 *
 * \param texts  The texts of TXT records are appended, each with a 00; may be NULL.
 */
check_asked_t check_ask(check_t *check, const knot_dname_t *name, uint16_t type, mail_buf_t *texts);
/*! Find the first of some texts that begins with a version. \param text Out: empty, if there is none. */
bool check_ask_text(const mail_buf_t *texts, const char *version, mail_str_t *text);

/*!
 * Look at the records of a domain.
 *
 * \param all  Not only at those that the domain's own items make or change.
 *
 * \return false after a message when there are none that can be looked at.
 */
bool check_records(check_t *check, const mail_entry_t *entry, bool all);
/*!
 * Look at a key set: private keys that are not there or that others can read, an end that nothing follows, algorithms
 * that are mixed for no reason.
 */
void check_keyset(check_t *check, const mail_entry_t *entry);
