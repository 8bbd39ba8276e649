/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Changes of a store in a temporary directory, for tests.
 */
#pragma once

#include "mail/change.h"
#include "store_fixture.h"

/*! A store. */
typedef struct {
	fixture_t at;
	mail_store_t *store;
} stored_t;

/*! A change being made, and what came of it. */
typedef struct {
	mail_txn_t *txn;
	mail_change_t *change;
	mail_change_count_t count;
	mail_diag_t diag;
	mail_buf_t warnings;
	int ret;
} made_t;

/*! Make a store and open it for writing; leave the test when that fails. \param text Is written as by make(); or NULL. */
void stored_begin(stored_t *s, bool replicated, const char *text);

/*! Close the store and remove everything. */
void stored_end(stored_t *s);

/*!
 * Make a change in a transaction of its own.
 *
 * \param text  First what is deleted, "-SECTION ID" a line, the n-th of which is said to come from line 100 + n; then
 *              entries, as entries.h has them.
 */
void make(const stored_t *s, const char *text, made_t *made);

/*! The same at a time; 0: now. \param in_dns mail_change_in_dns(). */
void make_at(const stored_t *s, int64_t now, bool in_dns, const char *text, made_t *made);

/*! End it without writing. */
void made_abort(made_t *made);

/*! Write it. */
void made_commit(made_t *made);
