/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the rows of an owner say, whichever kind they are of: a literal record is checked as the item that could have made
 * it.  For writers alone: what a store has already is answered as it is.
 */
#include "config.h"

#include <stdio.h>

#include "mail/kind.h"
#include "plan/build.h"
#include "record/check.h"

bool mail_row_literal(const mail_row_t *row)
{
	return row->kind == MAIL_KIND_RECORD || row->kind == MAIL_KIND_DELEGATION ||
	       row->kind == MAIL_KIND_TXT;
}

/*! Fill the RDATA of a row. \return Their length, or an error: then a domain's name is too long, which is told elsewhere. */
static int row_fill(const mail_row_t *row, const mail_apex_t *apex, uint8_t octets[MAIL_RDATA_MAX])
{
	/* Of rows that were checked for any domain. */
	static const mail_apex_t any = { (const uint8_t *)"\x06"
		                                          "domain\x07"
		                                          "example",
		                         { MAIL_HOLE, sizeof(MAIL_HOLE) - 1 } };
	return mail_rdata_fill(&row->rdata, apex != NULL ? apex : &any, octets, MAIL_RDATA_MAX);
}

/*! Join the strings of a TXT record in their place. \return The text. */
static mail_str_t strings_join(uint8_t *octets, int len)
{
	size_t out = 0;
	for (int at = 0; at < len;) {
		/* A string moves to the front, and so never over the next one. */
		const int string = octets[at] < len - at ? octets[at] : len - at - 1;
		memmove(octets + out, octets + at + 1, (size_t)string);
		out += (size_t)string;
		at += 1 + string;
	}
	return (mail_str_t){ (const char *)octets, out };
}

static mail_text_kind_t row_text_kind(const mail_row_t *row, const mail_apex_t *apex,
                                      mail_lf_t owner)
{
	uint8_t octets[MAIL_RDATA_MAX];
	const int len = row_fill(row, apex, octets);
	return len < 0 ? MAIL_TEXT_OTHER : mail_text_kind(owner, strings_join(octets, len));
}

static bool row_is_none(const mail_row_t *row, const mail_apex_t *apex)
{
	uint8_t octets[MAIL_RDATA_MAX];
	const int len = row_fill(row, apex, octets);
	return len >= 0 && mail_rdata_is_none(row->type, octets, len);
}

const char *mail_rows_clash(const mail_row_t *a, const mail_row_t *b, const mail_apex_t *apex,
                            mail_lf_t owner)
{
	if (!mail_rows_overlap(a, b)) {
		return NULL;
	}
	if (a->type != b->type) {
		const bool ns = a->type == KNOT_RRTYPE_NS || b->type == KNOT_RRTYPE_NS;
		const bool dname = a->type == KNOT_RRTYPE_DNAME || b->type == KNOT_RRTYPE_DNAME;
		return ns && dname ? "a DNAME beside NS (RFC 6672 2.3)" : NULL;
	}
	switch (a->type) {
	case KNOT_RRTYPE_DNAME: return "two DNAMEs (RFC 6672 2.4)";
	case KNOT_RRTYPE_MX:
		return row_is_none(a, apex) || row_is_none(b, apex)
		               ? "a null MX beside another MX (RFC 7505 3)"
		               : NULL;
	case KNOT_RRTYPE_SRV:
		return row_is_none(a, apex) || row_is_none(b, apex)
		               ? "\".\" (not offered) beside a host (RFC 2782)"
		               : NULL;
	case KNOT_RRTYPE_TXT: break;
	default: return NULL;
	}
	const mail_text_kind_t kind = mail_row_literal(a) || mail_row_literal(b)
	                                      ? row_text_kind(a, apex, owner)
	                                      : MAIL_TEXT_OTHER;
	return kind != MAIL_TEXT_OTHER && kind == row_text_kind(b, apex, owner)
	               ? mail_text_twice(kind)
	               : NULL;
}

/*! Where warnings of a row go. */
typedef struct {
	mail_build_t *build;
	const mail_owner_t *owner;
	const mail_row_t *row;
} warned_t;

static void row_warn(void *ctx, const char *text)
{
	const warned_t *warned = ctx;
	char name[KNOT_DNAME_TXT_MAXLEN + 1], type[16] = "";
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)name, sizeof(name));
	mail_owner_print(warned->owner->name, &buf);
	(void)knot_rrtype_to_string(warned->row->type, type, sizeof(type));
	mail_diag_warn(warned->build->diag, "%s: %.*s %s: %s", mail_kinds[warned->row->kind].name,
	               (int)buf.len, name, type, text);
}

/*! Check the RDATA of a row. \param name The owner, whole. */
static int row_check(mail_build_t *build, const mail_owner_t *owner, const mail_row_t *row,
                     mail_lf_t name)
{
	uint8_t octets[MAIL_RDATA_MAX];
	warned_t warned = { build, owner, row };
	mail_diag_t diag = { .warn = row_warn, .warn_ctx = &warned };
	const int len = row_fill(row, &build->apex, octets);
	if (len < 0) {
		return KNOT_EOK;
	}
	int ret = KNOT_EOK;
	if (row->type != KNOT_RRTYPE_TXT) {
		const mail_octets_t rdata = { name, row->type, mail_row_literal(row), octets,
			                      (size_t)len };
		ret = mail_rdata_check(&rdata, &diag);
	} else if (mail_row_literal(row)) {
		ret = mail_text_check(name, strings_join(octets, len), &diag);
	}
	return ret == KNOT_EINVAL ? mail_build_row_bad(build, owner, row, diag.text) : ret;
}

/*! Warn of an RRset whose records have several TTLs: it is shown with the lowest. */
static void ttls_warn(mail_build_t *build, const mail_owner_t *owner)
{
	for (size_t i = 0; i + 1 < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i], *next = row + 1;
		if (row->type == next->type && row->ttl != next->ttl) {
			warned_t warned = { build, owner, row };
			row_warn(&warned, "its records have different TTLs, and all get the lowest "
			                  "(RFC 2181 5.2)");
			return;
		}
	}
}

int mail_owner_check(mail_build_t *build, const mail_owner_t *owner, bool absolute)
{
	mail_lf_storage_t whole;
	const mail_row_t *ds = NULL;
	bool ns = false;
	if (mail_lf_join(absolute ? (mail_lf_t){ NULL, 0 } : mail_lf(&build->top), owner->name,
	                 &whole) != KNOT_EOK) {
		return KNOT_EOK;
	}
	ttls_warn(build, owner);
	for (size_t i = 0; i < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i];
		ns |= row->type == KNOT_RRTYPE_NS;
		if (mail_build_old(build, row)) {
			continue;
		}
		ds = row->type == KNOT_RRTYPE_DS ? row : ds;
		int ret = row_check(build, owner, row, mail_lf(&whole));
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return ds == NULL || ns ? KNOT_EOK
	                        : mail_build_row_bad(build, owner, ds,
	                                             "a DS without NS at its name says nothing "
	                                             "(RFC 4035 2.4): add the delegation's NS");
}
