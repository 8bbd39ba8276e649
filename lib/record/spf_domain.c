/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Macros and domains of SPF terms (RFC 7208 7.1).  The domains are absolute, as SPF has it, not relative
 * to the domain as host names in other items are: "a:mail" is refused, "a:mail.{domain}" is meant.
 */
#include "config.h"

#include "record/spf_scan.h"

#include "mail/chars.h"

#define LABEL_MAX 63
#define NAME_MAX_TEXT 253

/*!
 * Measure a macro.
 *
 *     macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
 *     transformers = *DIGIT [ "r" ]
 *     delimiter    = "." / "-" / "+" / "," / "/" / "_" / "="
 *
 * \param text  Starts with "%".
 * \param len   Out: length of the macro.
 */
int mail_spf_macro_check(const mail_spf_scan_t *scan, mail_str_t text, size_t *len)
{
	size_t i = 3, digits = 0;
	bool zero = true;
	*len = 2;
	if (text.len >= 2 && mail_char_in(text.data[1], "%_-")) {
		return KNOT_EOK;
	}
	if (text.len < 4 || text.data[1] != '{' ||
	    !mail_char_in(mail_char_lower(text.data[2]), "slodiphv")) {
		return mail_diag_error(
			scan->diag, mail_spf_column(scan, text.data),
			"a macro is %%{LETTER...} with one of s l o d i p h v, or %%%%");
	}
	for (; i < text.len && mail_char_digit(text.data[i]); i++, digits++) {
		zero = zero && text.data[i] == '0';
	}
	if ((digits > 0 && zero) || digits > 3) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, text.data + 3),
		                       "a macro keeps 1 to 127 labels or more, not this number");
	}
	if (i < text.len && mail_char_lower(text.data[i]) == 'r') {
		i++;
	}
	while (i < text.len && mail_char_in(text.data[i], ".-+,/_=")) {
		i++;
	}
	if (i == text.len || text.data[i] != '}') {
		return mail_diag_error(scan->diag, mail_spf_column(scan, text.data),
		                       "the macro is not closed by '}'");
	}
	*len = i + 1;
	if (mail_char_lower(text.data[2]) == 'p') {
		mail_diag_warn(scan->diag,
		               "'%.*s': the macro p is slow and should not be published",
		               MAIL_SHOW(scan->term));
	}
	return KNOT_EOK;
}

/*! What a walk over the octets of a domain-spec found. */
typedef struct {
	bool macro; /*!< A macro that expands to a value. */
	bool open;  /*!< It ends with a macro or with the hole. */
	bool hole;
	bool odd;     /*!< Characters that no host name has. */
	size_t label; /*!< Where the last label starts. */
	size_t labels;
} domain_t;

/*! End a label of a domain-spec. \param end Where it ends. */
static int label_end(const mail_spf_scan_t *scan, mail_str_t spec, domain_t *d, size_t end)
{
	mail_str_t label = mail_str_part(spec, d->label, end - d->label);
	if (label.len == 0) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, label.data),
		                       "an empty label in the domain '%.*s'", MAIL_SHOW(spec));
	}
	if (label.len > LABEL_MAX && !d->macro) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, label.data),
		                       "a label of %zu octets, more than 63", label.len);
	}
	d->labels++;
	return KNOT_EOK;
}

/*! The hole stands for whole labels. */
static int hole_check(const mail_spf_scan_t *scan, mail_str_t spec, size_t at)
{
	size_t end = at + strlen(MAIL_HOLE);
	if ((at > 0 && spec.data[at - 1] != '.') || (end < spec.len && spec.data[end] != '.')) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, spec.data + at),
		                       MAIL_HOLE " must be whole labels of the domain");
	}
	return KNOT_EOK;
}

static int bad_character(const mail_spf_scan_t *scan, const char *at)
{
	const char *why = "a character that cannot be part of a domain";
	if (*at == '{' || *at == '}') {
		why = "a brace in a domain: only " MAIL_HOLE " is replaced";
	} else if (*at == '/') {
		why = "'/' in a domain";
	} else if ((uint8_t)*at >= 0x80) {
		/* Where such a label ends depends on the message. */
		why = "beside a macro, write labels as A-labels (xn--...)";
	}
	return mail_diag_error(scan->diag, mail_spf_column(scan, at), "%s", why);
}

/*!
 * Walk over a domain-spec.
 *
 *     macro-string  = *( macro-expand / macro-literal )
 *     macro-literal = %x21-24 / %x26-7E
 */
static int domain_walk(const mail_spf_scan_t *scan, mail_str_t spec, domain_t *d)
{
	size_t step;
	for (size_t i = 0; i < spec.len; i += step) {
		mail_str_t left = mail_str_from(spec, i);
		char c = left.data[0];
		int ret = KNOT_EOK;
		step = 1;
		if (c == '%') {
			ret = mail_spf_macro_check(scan, left, &step);
			d->macro = d->macro || step > 2;
		} else if (mail_str_starts(left, MAIL_HOLE)) {
			step = strlen(MAIL_HOLE);
			d->hole = true;
			ret = hole_check(scan, spec, i);
		} else if (c == '.') {
			bool last = i + 1 == spec.len;
			if (!last || d->label == i) {
				ret = label_end(scan, spec, d, i);
			}
			d->label = last ? d->label : i + 1;
		} else if (mail_char_in(c, "{}/") || c < 0x21 || c == 0x7f) {
			ret = bad_character(scan, left.data);
		} else {
			d->odd = d->odd || (!mail_char_alnum(c) && !mail_char_in(c, "-_"));
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		/* A dot at the end says nothing new. */
		d->open = c == '.' ? d->open && i + 1 == spec.len : step > 1;
	}
	return KNOT_EOK;
}

/*!
 *     toplabel = ( *alphanum ALPHA *alphanum ) /
 *                ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
 */
static bool is_toplabel(mail_str_t label)
{
	bool digits = true;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.data[i];
		if (!mail_char_alnum(c) && (c != '-' || i == 0 || i + 1 == label.len)) {
			return false;
		}
		digits = digits && mail_char_digit(c);
	}
	return label.len > 0 && !digits;
}

/*!
 * Check a domain.
 *
 *     domain-spec = macro-string domain-end
 *     domain-end  = ( "." toplabel [ "." ] ) / macro-expand
 */
int mail_spf_domain_check(const mail_spf_scan_t *scan, mail_str_t spec)
{
	domain_t d = { 0 };
	if (spec.len == 0) {
		return mail_diag_error(scan->diag, scan->term.len, "a domain must follow in '%.*s'",
		                       MAIL_SHOW(scan->term));
	}
	int ret = domain_walk(scan, spec, &d);
	if (ret != KNOT_EOK) {
		return ret;
	}
	size_t end = spec.data[spec.len - 1] == '.' ? spec.len - 1 : spec.len;
	ret = label_end(scan, spec, &d, end);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!d.open && d.labels < 2) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, spec.data),
		                       "'%.*s' is not a full domain ('%.*s." MAIL_HOLE "'?)",
		                       MAIL_SHOW(spec), MAIL_SHOW(spec));
	}
	mail_str_t top = mail_str_part(spec, d.label, end - d.label);
	if (!d.open && !is_toplabel(top)) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, top.data),
		                       "'%.*s' is no top-level label of a domain", MAIL_SHOW(top));
	}
	if (end > NAME_MAX_TEXT && !d.macro) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, spec.data),
		                       "the domain is longer than 253 octets");
	}
	if (d.odd) {
		mail_diag_warn(scan->diag, "'%.*s': not only letters, digits and '-' in the domain",
		               MAIL_SHOW(scan->term));
	}
	return KNOT_EOK;
}
