/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Changes of a store in a temporary directory, for tests.
 */
#pragma once

#include "mail/change.h"
#include "mail/text.h"
#include "store_fixture.h"

typedef struct {
	fixture_t at;
	mail_store_t *store;
} stored_t;

/* A change being made, and what came of it. */
typedef struct {
	mail_txn_t *txn;
	mail_change_t *change;
	mail_change_count_t count;
	mail_diag_t diag;
	mail_buf_t warnings;
	int ret;
} made_t;

static inline void warning_add(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* Puts entries in the dialect. */
static inline int put_text(made_t *made, const char *text)
{
	mail_entries_t entries = { 0 };
	mail_diag_t diag = { 0 };
	int ret = mail_text_parse(MAIL_STR(text), NULL, NULL, &entries, &diag);
	UNIT_CHECK(ret == KNOT_EOK, "line %u: %s", diag.line, diag.text);
	for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
		ret = mail_change_put(made->change, entries.entries[i], &made->diag);
	}
	mail_entries_free(&entries);
	return ret;
}

/* Deletes "SECTION ID", several separated by commas; the n-th is said to come from line 100 + n. */
static inline int put_deletes(made_t *made, const char *deletes)
{
	int ret = KNOT_EOK;
	for (uint32_t line = 101; *deletes != '\0' && ret == KNOT_EOK; line++) {
		size_t len = strcspn(deletes, ","), section = strcspn(deletes, " ");
		mail_entry_t *entry = mail_entry_new(
			mail_section_find((mail_str_t){ deletes, section }),
			(mail_str_t){ deletes + section + 1, len - section - 1 });
		if (entry == NULL) {
			return KNOT_ENOMEM;
		}
		entry->deleted = true;
		entry->line = line;
		ret = mail_change_put(made->change, entry, &made->diag);
		mail_entry_free(entry);
		deletes += len + (deletes[len] == ',');
	}
	return ret;
}

/* Makes a change in a transaction of its own: first deletes, then puts. */
static inline void make(const stored_t *s, const char *deletes, const char *text, made_t *made)
{
	*made = (made_t){ .txn = begin(s->store, MAIL_STORE_WRITE) };
	made->diag.warn = warning_add;
	made->diag.warn_ctx = &made->warnings;
	made->change = made->txn != NULL ? mail_change_begin(made->txn) : NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(made->change);
	made->ret = put_deletes(made, deletes);
	if (made->ret == KNOT_EOK) {
		made->ret = put_text(made, text);
	}
	if (made->ret == KNOT_EOK) {
		made->ret = mail_change_finish(made->change, &made->count, &made->diag);
	}
}

static inline void made_abort(made_t *made)
{
	mail_change_free(made->change);
	mail_txn_abort(made->txn);
	mail_buf_free(&made->warnings);
}

static inline void made_commit(made_t *made)
{
	mail_change_free(made->change);
	int ret = mail_txn_commit(made->txn);
	UNIT_CHECK(ret == KNOT_EOK, "commit: %d", ret);
	mail_buf_free(&made->warnings);
}
