/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look at all records of a plan.  Each row is filled in as for one domain, or for the name {domain}, which no domain can
 * have; what its names lead to is looked up in the plan itself and among the stored domains (lookup.c).
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "change/lint.h"
#include "mail/dkim_id.h"
#include "mail/kind.h"
#include "mail/spf.h"

struct mail_lint {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;
};

mail_lint_t *mail_lint_new(const mail_source_t *source)
{
	mail_lint_t *lint = calloc(1, sizeof(*lint));
	if (lint == NULL) {
		return NULL;
	}
	*lint = (mail_lint_t){ source, mail_cache_new(MAIL_CACHE_OCTETS), time(NULL) };
	if (lint->cache == NULL) {
		free(lint);
		return NULL;
	}
	return lint;
}

void mail_lint_free(mail_lint_t *lint)
{
	if (lint != NULL) {
		mail_cache_free(lint->cache);
		free(lint);
	}
}

/* --- Messages --- */

void mail_warning_keep(void *ctx, const char *text)
{
	(void)mail_buf_put(ctx, text, strlen(text) + 1);
}

const char *mail_warning_next(const mail_buf_t *kept, size_t *pos)
{
	if (*pos >= kept->len) {
		return NULL;
	}
	const char *text = (const char *)kept->data + *pos;
	*pos += strlen(text) + 1;
	return text;
}

/*! Return whether a text is another one, in which the domain may be written as its hole. */
static bool is_same(const char *kept, const char *text, mail_str_t domain)
{
	const size_t hole = strlen(MAIL_HOLE);
	while (*kept != '\0') {
		if (domain.len > 0 && strncmp(kept, MAIL_HOLE, hole) == 0 &&
		    strncmp(text, domain.data, domain.len) == 0) {
			kept += hole;
			text += domain.len;
		} else if (*kept++ != *text++) {
			return false;
		}
	}
	return *text == '\0';
}

bool mail_warning_kept(const mail_buf_t *kept, const char *text, mail_str_t domain)
{
	const char *other;
	for (size_t pos = 0; (other = mail_warning_next(kept, &pos)) != NULL;) {
		if (is_same(other, text, domain)) {
			return true;
		}
	}
	return false;
}

/*! Write "ITEM: ..." */
static void say(const mail_linted_t *of, char out[320], const char *fmt, va_list args)
{
	int len = snprintf(out, 320, "%.*s: ", (int)of->item.len, (const char *)of->item.data);
	if (len >= 0 && len < 320) {
		(void)vsnprintf(out + len, 320 - (size_t)len, fmt, args);
	}
}

void mail_lint_warn(const mail_linting_t *linting, const mail_linted_t *of, const char *fmt, ...)
{
	char text[320];
	va_list args;
	va_start(args, fmt);
	say(of, text, fmt, args);
	va_end(args);
	mail_diag_warn(linting->diag, "%s", text);
}

int mail_lint_refuse(const mail_linting_t *linting, const mail_linted_t *of, const char *fmt, ...)
{
	char text[320];
	va_list args;
	va_start(args, fmt);
	say(of, text, fmt, args);
	va_end(args);
	return mail_diag_error(linting->diag, 0, "%s", text);
}

/* --- Names --- */

const char *mail_lint_show(const mail_linting_t *linting, const knot_dname_t *name, bool relative,
                           mail_buf_t *out)
{
	knot_dname_storage_t labels;
	const int above = knot_dname_in_bailiwick(name, linting->at.apex);
	out->len = 0;
	if (relative && above == 0) {
		(void)mail_buf_str(out, "@");
	} else if (relative && above > 0) {
		const size_t len = knot_dname_prefixlen(name, (unsigned)above, NULL);
		memcpy(labels, name, len);
		labels[len] = 0;
		(void)mail_name_print(labels, out);
	} else if (above >= 0 && linting->at.policy) {
		/* The name that stands for any domain is written as it is in a policy. */
		const size_t len = knot_dname_prefixlen(name, (unsigned)above, NULL);
		memcpy(labels, name, len);
		labels[len] = 0;
		if (above > 0) {
			(void)mail_name_print(labels, out);
			(void)mail_buf_u8(out, '.');
		}
		(void)mail_buf_str(out, MAIL_HOLE ".");
	} else {
		(void)mail_name_print(name, out);
		if (*name != 0) {
			(void)mail_buf_u8(out, '.');
		}
	}
	(void)mail_buf_u8(out, '\0');
	return out->error == KNOT_EOK ? (const char *)out->data : "";
}

int mail_lint_name(const mail_linting_t *linting, mail_str_t text, knot_dname_storage_t name)
{
	mail_pattern_t pattern;
	int ret = mail_host_parse(text, true, &pattern, NULL);
	return ret == KNOT_EOK ? mail_pattern_name(&pattern, linting->at.apex, name) : ret;
}

bool mail_lint_varies(const mail_linting_t *linting, const knot_dname_t *name)
{
	if (!linting->at.policy || knot_dname_in_bailiwick(name, linting->at.apex) >= 0) {
		return false;
	}
	/* The apex is one label. */
	for (const uint8_t *label = name; *label != 0; label = mail_name_parent(label)) {
		if (*label == *linting->at.apex &&
		    memcmp(label + 1, linting->at.apex + 1, *label) == 0) {
			return true;
		}
	}
	return false;
}

/* --- Records --- */

/*! Names in RDATA that lead somewhere. */
static const struct {
	uint16_t type;
	uint8_t at; /* Octets before the name. */
} pointers[] = {
	{ KNOT_RRTYPE_NS, 0 },  { KNOT_RRTYPE_CNAME, 0 }, { KNOT_RRTYPE_SOA, 0 },
	{ KNOT_RRTYPE_PTR, 0 }, { KNOT_RRTYPE_MX, 2 },    { KNOT_RRTYPE_AFSDB, 2 },
	{ KNOT_RRTYPE_SRV, 6 }, { KNOT_RRTYPE_KX, 2 },    { KNOT_RRTYPE_DNAME, 0 },
	{ 64 /* SVCB */, 2 },   { 65 /* HTTPS */, 2 },
};

static int pointer_find(uint16_t type)
{
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		if (pointers[i].type == type) {
			return (int)i;
		}
	}
	return -1;
}

/*! Write what a record is told of as: its item, and for one among many its owner and type. */
static int item_write(mail_linted_t *of)
{
	const uint16_t kind = of->row->kind;
	char type[16] = "";
	knot_dname_storage_t name;
	of->item.len = 0;
	if (kind >= MAIL_KIND_SRV && kind < MAIL_KIND_AUTOCONFIG) {
		return mail_buf_str(&of->item, "srv");
	}
	if (kind == MAIL_KIND_SOA) {
		return mail_buf_str(&of->item, "soa-mname");
	}
	if (kind == MAIL_KIND_DKIM_CNAME) {
		(void)mail_buf_str(&of->item, "dkim");
	} else {
		(void)mail_buf_str(&of->item, mail_kinds[kind].name);
	}
	if (kind != MAIL_KIND_RECORD && kind != MAIL_KIND_DELEGATION &&
	    kind != MAIL_KIND_DKIM_CNAME) {
		return of->item.error;
	}
	(void)knot_rrtype_to_string(of->row->type, type, sizeof(type));
	(void)mail_buf_str(&of->item, ": ");
	if (of->owner->name.len == 0) {
		(void)mail_buf_str(&of->item, "@");
	} else if (mail_name_from_lf(of->owner->name, name) == KNOT_EOK) {
		(void)mail_name_print(name, &of->item);
	}
	return mail_buf_printf(&of->item, "%s %s", of->absolute ? "." : "", type);
}

/*! Look at the text of a TXT record. */
static int text_look(mail_linting_t *linting, const mail_linted_t *of, const uint8_t *rdata,
                     size_t len)
{
	mail_buf_t joined = { 0 };
	for (size_t at = 0; at < len; at += rdata[at] + 1u) {
		const size_t left = len - at - 1;
		(void)mail_buf_put(&joined, rdata + at + 1, rdata[at] < left ? rdata[at] : left);
	}
	const mail_str_t text = mail_buf_view(&joined);
	int ret = joined.error;
	if (ret == KNOT_EOK && mail_spf_is(text)) {
		ret = mail_lint_spf(linting, of, text);
	} else if (ret == KNOT_EOK &&
	           (of->row->kind == MAIL_KIND_DMARC || of->row->kind == MAIL_KIND_TLS_RPT)) {
		ret = mail_lint_reports(linting, of, text);
	}
	mail_buf_free(&joined);
	return ret;
}

static int row_look(mail_linting_t *linting, mail_linted_t *of)
{
	uint8_t rdata[MAIL_RDATA_MAX];
	const mail_row_t *row = of->row;
	const int pointer = pointer_find(row->type);
	int ret = item_write(of);
	if (ret == KNOT_EOK) {
		ret = mail_lint_owner(linting, of);
	}
	if (ret != KNOT_EOK || (pointer < 0 && row->type != KNOT_RRTYPE_TXT)) {
		return ret;
	}
	const int len = mail_rdata_fill(&row->rdata, &linting->apex, rdata, sizeof(rdata));
	if (len < 0) {
		return KNOT_EOK; /* Names that grow too long are refused elsewhere. */
	}
	if (row->type == KNOT_RRTYPE_TXT) {
		return text_look(linting, of, rdata, (size_t)len);
	}
	const size_t at = pointers[pointer].at;
	return (size_t)len > at ? mail_lint_target(linting, of, rdata + at) : KNOT_EOK;
}

static int owner_look(mail_linting_t *linting, mail_linted_t *of)
{
	for (size_t i = 0; i < of->owner->count; i++) {
		of->row = &of->owner->rows[i];
		int ret = row_look(linting, of);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int owners_look(mail_linting_t *linting, const mail_owners_t *owners, bool absolute)
{
	int ret = KNOT_EOK;
	mail_linted_t of = { .absolute = absolute };
	for (size_t i = 0; i < owners->count; i++) {
		of.owner = &owners->owners[i];
		ret = owner_look(linting, &of);
		if (ret != KNOT_EOK) {
			break;
		}
	}
	mail_buf_free(&of.item);
	return ret;
}

/*! Prepare to look at a plan. */
static int linting_begin(mail_linting_t *linting, const mail_lint_t *lint, const mail_lint_of_t *of,
                         mail_diag_t *diag)
{
	linting->at = (mail_lookup_t){ .source = lint->source,
		                       .cache = lint->cache,
		                       .now = lint->now,
		                       .policy = of->domain.len == 0,
		                       .plan = of->plan,
		                       .alias = of->alias };
	linting->diag = diag;
	linting->said = (mail_buf_t){ 0 };
	linting->names = of->names;
	const mail_str_t text = of->domain.len > 0 ? of->domain : MAIL_STR(MAIL_HOLE);
	if (text.len >= sizeof(linting->text)) {
		return KNOT_ESPACE;
	}
	memcpy(linting->text, text.data, text.len);
	linting->text[text.len] = '\0';
	if (linting->at.policy) {
		linting->at.apex[0] = (uint8_t)text.len;
		memcpy(linting->at.apex + 1, text.data, text.len);
		linting->at.apex[1 + text.len] = 0;
	} else {
		int ret = mail_name_parse(text, linting->at.apex, NULL);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	mail_name_lf(linting->at.apex, &linting->at.lf);
	linting->apex = (mail_apex_t){ linting->at.apex, { linting->text, text.len } };
	return KNOT_EOK;
}

int mail_lint(mail_lint_t *lint, const mail_lint_of_t *of, mail_diag_t *diag)
{
	mail_linting_t linting;
	int ret = linting_begin(&linting, lint, of, diag);
	if (ret != KNOT_EOK) {
		return KNOT_EOK; /* Nobody can ask for such a name. */
	}
	mail_cache_hold(lint->cache);
	ret = owners_look(&linting, &of->plan->relative, false);
	if (ret == KNOT_EOK) {
		ret = owners_look(&linting, &of->plan->absolute, true);
	}
	mail_cache_release(lint->cache);
	mail_buf_free(&linting.said);
	return ret;
}

int mail_lint_key(mail_lint_t *lint, mail_str_t id, mail_str_t cname, mail_diag_t *diag)
{
	mail_dkim_id_t parts;
	mail_lf_storage_t lf;
	mail_lf_t above;
	mail_domain_t domain;
	mail_linting_t linting;
	mail_lint_of_t of = { 0 };
	mail_rdata_t rdata = { 0 };
	uint8_t target[KNOT_DNAME_MAXLEN];
	const mail_source_t *source = lint->source;
	if (mail_dkim_id_parse(id, &parts, NULL) != KNOT_EOK ||
	    parts.section != MAIL_SECTION_DOMAIN ||
	    mail_entry_key(MAIL_SECTION_DOMAIN, parts.owner, &lf) != KNOT_EOK ||
	    source->domain_above(source, mail_lf(&lf), &above, &domain) != KNOT_EOK ||
	    above.len != lf.len || domain.error != KNOT_EOK) {
		return KNOT_EOK; /* Whose key it is, is told of elsewhere. */
	}
	mail_plan_t *plan;
	int ret = mail_plan_of_domain(source, parts.owner, &plan);
	if (ret != KNOT_EOK || plan->error != KNOT_EOK) {
		goto done;
	}
	mail_cache_hold(lint->cache);
	of.plan = plan;
	of.domain = parts.owner;
	of.alias = domain.alias;
	ret = linting_begin(&linting, lint, &of, diag);
	if (ret == KNOT_EOK) {
		ret = mail_rdata_name(&rdata, cname, NULL);
	}
	if (ret == KNOT_EOK && mail_rdata_fill(&rdata, &linting.apex, target, sizeof(target)) > 0) {
		const mail_row_t row = { .rdata = rdata,
			                 .type = KNOT_RRTYPE_CNAME,
			                 .kind = MAIL_KIND_DKIM_CNAME };
		mail_linted_t linted = { .row = &row };
		(void)mail_buf_str(&linted.item, "cname");
		ret = mail_lint_target(&linting, &linted, target);
		mail_buf_free(&linted.item);
		mail_buf_free(&linting.said);
	}
	mail_rdata_free(&rdata);
	mail_cache_release(lint->cache);
	ret = ret == KNOT_EINVAL || ret == KNOT_ENOMEM ? ret : KNOT_EOK;
done:
	mail_plan_free(plan);
	return ret;
}

void mail_lint_host(mail_lint_t *lint, mail_str_t name, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	knot_dname_storage_t labels;
	mail_lf_storage_t lf;
	if (mail_pattern_parse(name, &pattern, NULL) != KNOT_EOK || !pattern.hole ||
	    pattern.tail_len > 0) {
		return;
	}
	pattern.hole = false;
	(void)mail_pattern_name(&pattern, NULL, labels);
	mail_name_lf(labels, &lf);
	if (mail_lint_lacks_dot(lint->source, mail_lf(&lf), false)) {
		mail_diag_warn(diag,
		               "name: without a dot at its end it is %.*s." MAIL_HOLE
		               ": did you mean %.*s.?",
		               (int)name.len, name.data, (int)name.len, name.data);
	}
}

void mail_lint_note(mail_linting_t *linting, const knot_dname_t *name)
{
	mail_lf_storage_t lf;
	if (linting->names != NULL && knot_dname_in_bailiwick(name, linting->at.apex) < 0) {
		mail_name_lf(name, &lf);
		(void)mail_buf_u16(linting->names, (uint16_t)lf.len);
		(void)mail_buf_put(linting->names, lf.data, lf.len);
	}
}

bool mail_lint_concerns(const mail_buf_t *names, mail_lf_t domain)
{
	if (names->len == 0) {
		return false;
	}
	mail_reader_t r = MAIL_READER(names->data, names->len);
	while (mail_read_left(&r) > 0) {
		const size_t len = mail_read_u16(&r);
		const mail_lf_t name = { mail_read(&r, len), len };
		if (name.data != NULL && mail_lf_in(name, domain)) {
			return true;
		}
	}
	return false;
}
