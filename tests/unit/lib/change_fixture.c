/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "change_fixture.h"

#include "entries.h"

static void warning_add(void *ctx, const char *text)
{
	(void)mail_buf_printf(ctx, "%s\n", text);
}

/* Put entries. */
static int put_entries(made_t *made, const char *text)
{
	mail_entries_t entries = { 0 };
	int ret = entries_parse(text, &entries);
	for (size_t i = 0; i < entries.count && ret == KNOT_EOK; i++) {
		ret = mail_change_put(made->change, entries.entries[i], &made->diag);
	}
	mail_entries_free(&entries);
	return ret;
}

/* Delete what the lines that begin with '-' name; the n-th is said to come from line 100 + n. */
static int put_deletes(made_t *made, const char **text)
{
	int ret = KNOT_EOK;
	for (uint32_t line = 101; **text == '-' && ret == KNOT_EOK; line++) {
		const char *at = *text + 1;
		const size_t section = strcspn(at, " "), len = strcspn(at, "\n");
		mail_entry_t *entry = mail_entry_new(
			mail_section_find((mail_str_t){ at, section }),
			(mail_str_t){ at + section + 1, len - section - 1 });
		if (entry == NULL) {
			return KNOT_ENOMEM;
		}
		entry->deleted = true;
		entry->line = line;
		ret = mail_change_put(made->change, entry, &made->diag);
		mail_entry_free(entry);
		*text = at + len + (at[len] == '\n');
	}
	return ret;
}

void stored_begin(stored_t *s, bool replicated, const char *text)
{
	s->store = store_begin(&s->at, replicated, (size_t)64 << 20);
	if (text != NULL) {
		made_t made;
		make(s, text, &made);
		REQUIRE(made.ret == KNOT_EOK);
		made_commit(&made);
	}
}

void stored_end(stored_t *s)
{
	store_end(&s->at, s->store);
}

void make(const stored_t *s, const char *text, made_t *made)
{
	make_at(s, 0, false, text, made);
}

void make_at(const stored_t *s, int64_t now, bool in_dns, const char *text, made_t *made)
{
	*made = (made_t){ .txn = begin(s->store, MAIL_STORE_WRITE) };
	made->diag.warn = warning_add;
	made->diag.warn_ctx = &made->warnings;
	made->change = made->txn != NULL ? mail_change_begin(made->txn) : NULL;
	REQUIRE(made->change != NULL);
	if (now > 0) {
		mail_change_at(made->change, now);
	}
	if (in_dns) {
		mail_change_in_dns(made->change);
	}
	made->ret = put_deletes(made, &text);
	if (made->ret == KNOT_EOK) {
		made->ret = put_entries(made, text);
	}
	if (made->ret == KNOT_EOK) {
		made->ret = mail_change_finish(made->change, &made->count, &made->diag);
	}
}

void made_abort(made_t *made)
{
	mail_change_free(made->change);
	mail_txn_abort(made->txn);
	mail_buf_free(&made->warnings);
}

void made_commit(made_t *made)
{
	mail_change_free(made->change);
	int ret = mail_txn_commit(made->txn);
	CHECK(ret == KNOT_EOK, "commit: %d", ret);
	mail_buf_free(&made->warnings);
}
