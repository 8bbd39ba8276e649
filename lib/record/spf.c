/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SPF record (RFC 7208 4.5): terms in the order given, each text once, and all at the end. */
#include "config.h"

#include "mail/spf.h"

#include "mail/chars.h"

#include "record/spf_scan.h"

#define VERSION MAIL_SPF_VERSION
/* RFC 7208 3.4: a record and what else is at the name should fit an answer of 512 octets. */
#define LENGTH_ADVISED 450

/*! A record being written. */
typedef struct {
	mail_buf_t text;
	mail_spf_cost_t cost;
	mail_diag_t *diag;
} record_t;

static bool has_term(const record_t *record, mail_str_t term)
{
	size_t pos = strlen(VERSION);
	mail_str_t word;
	while (mail_str_word(mail_buf_view(&record->text), &pos, &word)) {
		if (mail_str_equal(word, term)) {
			return true;
		}
	}
	return false;
}

/*! A known modifier stands in a record once (RFC 7208 6). */
static int once_check(const record_t *record, mail_str_t term)
{
	mail_str_t name, word, other;
	if (!mail_spf_modifier_known(term, &name)) {
		return KNOT_EOK;
	}
	size_t pos = strlen(VERSION);
	while (mail_str_word(mail_buf_view(&record->text), &pos, &word)) {
		if (mail_spf_modifier_known(word, &other) && mail_str_same(name, other)) {
			return mail_diag_error(record->diag, 1, "a second %.*s= in the record",
			                       MAIL_SHOW(name));
		}
	}
	return KNOT_EOK;
}

/*! Append a term that was checked. */
static int term_append(record_t *record, mail_str_t term, const mail_spf_cost_t *cost)
{
	if (record->cost.all) {
		return mail_diag_error(record->diag, 1, "'%.*s' after all: nothing may follow it",
		                       MAIL_SHOW(term));
	}
	/* Fragments of one record that come from several places may say the same. */
	if (has_term(record, term)) {
		return KNOT_EOK;
	}
	int ret = once_check(record, term);
	if (ret != KNOT_EOK) {
		return ret;
	}
	record->cost.lookups += cost->lookups;
	record->cost.redirect = record->cost.redirect || cost->redirect;
	record->cost.all = cost->all;
	if (record->cost.lookups > MAIL_SPF_LOOKUPS_MAX) {
		return mail_diag_error(
			record->diag, 1,
			"with '%.*s' more than %d terms need a lookup: a permanent error",
			MAIL_SHOW(term), MAIL_SPF_LOOKUPS_MAX);
	}
	mail_buf_u8(&record->text, ' ');
	return mail_buf_put(&record->text, term.data, term.len);
}

/*! End the record with its `all`, if it needs one. */
static int all_add(record_t *record, mail_str_t all)
{
	bool none = all.len == 0 || mail_str_is(all, "none");
	if (record->cost.redirect) {
		if (record->cost.all) {
			mail_diag_warn(record->diag, "redirect= has no effect beside all");
		}
		return KNOT_EOK;
	}
	if (record->cost.all) {
		return KNOT_EOK;
	}
	if (none) {
		mail_diag_warn(record->diag,
		               "the SPF record says nothing of other servers: no all");
		return KNOT_EOK;
	}
	/* What it says to everybody is told of with its own item. */
	mail_diag_t own = { 0 };
	if (mail_spf_all_check(all, &own) != KNOT_EOK) {
		return mail_diag_error(record->diag, own.column, "%s", own.text);
	}
	mail_buf_u8(&record->text, ' ');
	return mail_buf_put(&record->text, all.data, all.len);
}

int mail_spf_render(const mail_str_t *terms, size_t n, mail_str_t all, mail_rdata_t *rdata,
                    mail_diag_t *diag)
{
	record_t record = { .diag = diag };
	mail_buf_str(&record.text, VERSION);
	int ret = KNOT_EOK;
	for (size_t i = 0; i < n; i++) {
		size_t pos = 0;
		mail_str_t term;
		while (mail_str_word(terms[i], &pos, &term)) {
			mail_spf_cost_t cost = { 0 };
			ret = mail_spf_term_check(term, &cost, diag);
			if (ret == KNOT_EOK) {
				ret = term_append(&record, term, &cost);
			}
			if (ret != KNOT_EOK) {
				(void)mail_diag_shift(diag, ret,
				                      (size_t)(term.data - terms[i].data));
				goto done;
			}
		}
	}
	bool empty = record.text.len == strlen(VERSION) && all.len == 0;
	ret = all_add(&record, empty ? MAIL_STR("-all") : all);
	if (ret != KNOT_EOK) {
		goto done;
	}
	ret = record.text.error;
	if (ret != KNOT_EOK) {
		goto done;
	}
	if (record.text.len > LENGTH_ADVISED) {
		mail_diag_warn(diag,
		               "the SPF record has %zu octets: above %d answers may not arrive",
		               record.text.len, LENGTH_ADVISED);
	}
	ret = mail_rdata_text(rdata, mail_buf_view(&record.text));
done:
	mail_buf_free(&record.text);
	return ret;
}

bool mail_spf_is(mail_str_t txt)
{
	size_t len = strlen(VERSION);
	return txt.len >= len && mail_str_is_nocase(mail_str_part(txt, 0, len), VERSION) &&
	       (txt.len == len || txt.data[len] == ' ');
}
