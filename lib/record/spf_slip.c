/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What people write in place of an SPF term: "include=x.example", "redirect:x.example", "ip:192.0.2.1".  By the grammar
 * most of these are terms (an unknown modifier is ignored, RFC 7208 6), but nobody means them as they are.  What was stored
 * once is rendered all the same: only writers look here.
 */
#include "config.h"

#include "record/spf_scan.h"

#include "mail/chars.h"

/*! A term, taken apart at the first ':', '=' or '/'. */
typedef struct {
	mail_str_t qualifier; /*!< "+", "-", "?", "~" or empty. */
	mail_str_t name;
	char sign;           /*!< ':', '=', '/'; 0: nothing follows the name. */
	mail_str_t argument; /*!< What follows the sign. */
	unsigned
		address; /*!< 4 or 6: the argument is an address, with a prefix length or without. */
} slip_t;

/*! Return 4 or 6 when a text is an IP address, with a prefix length or without; else 0. */
static unsigned address_family(mail_str_t text)
{
	uint8_t octets[16];
	text.len = mail_str_find(text, "/");
	switch (mail_str_address(text, octets)) {
	case 4: return 4;
	case 16: return 6;
	default: return 0;
	}
}

static slip_t slip_read(mail_str_t term)
{
	slip_t slip = { 0 };
	const size_t start = term.len > 0 && mail_char_in(term.data[0], "+-?~") ? 1 : 0;
	const mail_str_t text = mail_str_from(term, start);
	const size_t end = mail_str_find(text, ":=/");
	slip.qualifier = mail_str_part(term, 0, start);
	slip.name = mail_str_part(text, 0, end);
	if (end < text.len) {
		slip.sign = text.data[end];
		slip.argument = mail_str_from(text, end + 1);
		slip.address = address_family(slip.argument);
	}
	return slip;
}

/*! Refuse a term whose name is known, but not with this sign: a mechanism has ':', a modifier '='. */
static int sign_check(const mail_spf_scan_t *scan, const slip_t *slip)
{
	const char *kind = NULL;
	char sign = 0;
	if (mail_str_is_nocase(slip->name, "all") && slip->sign != 0) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, slip->argument.data) - 1,
		                       "nothing can follow all");
	}
	if (slip->sign == '=' && mail_spf_is_mechanism(slip->name)) {
		kind = "a mechanism";
		sign = ':';
	} else if (slip->sign == ':' && mail_spf_is_modifier(slip->name)) {
		kind = "a modifier";
		sign = '=';
	}
	if (kind == NULL) {
		return KNOT_EOK;
	}
	return mail_diag_error(scan->diag, mail_spf_column(scan, slip->argument.data) - 1,
	                       "%.*s is %s and takes '%c': write %.*s%.*s%c%.*s",
	                       MAIL_SHOW(slip->name), kind, sign, MAIL_SHOW(slip->qualifier),
	                       MAIL_SHOW(slip->name), sign, MAIL_SHOW(slip->argument));
}

/*! Refuse an address where a domain must stand, or one of the other family. */
static int address_check(const mail_spf_scan_t *scan, const slip_t *slip)
{
	const bool four = mail_str_is_nocase(slip->name, "ip4"),
		   six = mail_str_is_nocase(slip->name, "ip6");
	const mail_str_t bare = mail_str_from(scan->term, slip->qualifier.len);
	const unsigned family = address_family(bare);
	if (family != 0) {
		return mail_diag_error(scan->diag, slip->qualifier.len + 1,
		                       "an address alone is no term: write %.*sip%u:%.*s",
		                       MAIL_SHOW(slip->qualifier), family, MAIL_SHOW(bare));
	}
	if (slip->address == 0 || (four && slip->address == 4) || (six && slip->address == 6)) {
		return KNOT_EOK;
	}
	if (!four && !six && !mail_spf_is_mechanism(slip->name) &&
	    !mail_str_is_nocase(slip->name, "redirect") && !mail_str_is_nocase(slip->name, "exp") &&
	    !(slip->name.len >= 2 && mail_str_is_nocase(mail_str_part(slip->name, 0, 2), "ip"))) {
		return KNOT_EOK;
	}
	return mail_diag_error(scan->diag, mail_spf_column(scan, slip->argument.data),
	                       "'%.*s' is an IPv%u address: write %.*sip%u:%.*s",
	                       MAIL_SHOW(slip->argument), slip->address, MAIL_SHOW(slip->qualifier),
	                       slip->address, MAIL_SHOW(slip->argument));
}

/*! Refuse a list in one term. A macro may hold a comma, and so may the value of a modifier that nobody knows. */
static int list_check(const mail_spf_scan_t *scan, const slip_t *slip)
{
	const mail_str_t term = scan->term;
	const size_t comma = mail_str_find(term, ",;");
	if (comma == term.len || memchr(term.data, '%', term.len) != NULL ||
	    (slip->sign == '=' && !mail_spf_is_modifier(slip->name))) {
		return KNOT_EOK;
	}
	return mail_diag_error(scan->diag, comma + 1,
	                       "'%c' in a term: a blank separates two terms, and each has its name",
	                       term.data[comma]);
}

/*! Refuse what is no domain in the argument of a term that takes one. */
static int argument_check(const mail_spf_scan_t *scan, const slip_t *slip)
{
	const mail_str_t argument = slip->argument;
	const size_t column = mail_spf_column(scan, argument.data);
	const bool network = mail_str_is_nocase(slip->name, "ip4") ||
	                     mail_str_is_nocase(slip->name, "ip6");
	const bool domain = mail_spf_is_mechanism(slip->name) ||
	                    mail_str_is_nocase(slip->name, "redirect") ||
	                    mail_str_is_nocase(slip->name, "exp");
	if (!domain || argument.len == 0) {
		return KNOT_EOK;
	}
	/* A macro may hold any of these characters. */
	if (memchr(argument.data, '%', argument.len) != NULL) {
		return KNOT_EOK;
	}
	if (mail_str_starts(argument, "http://") || mail_str_starts(argument, "https://")) {
		return mail_diag_error(scan->diag, column, "a URL, where a domain must stand");
	}
	if (mail_str_find(argument, "@") < argument.len) {
		return mail_diag_error(scan->diag, column,
		                       "'%.*s' is a mail address, where a domain must stand",
		                       MAIL_SHOW(argument));
	}
	const mail_str_t mask = mail_str_from(argument, mail_str_find(argument, "/"));
	if (mask.len > 1 && address_family(mail_str_from(mask, 1)) == 4) {
		return mail_diag_error(
			scan->diag, mail_spf_column(scan, mask.data) + 1,
			"'%.*s' is a netmask: write the length of the prefix, as /24",
			MAIL_SHOW(mail_str_from(mask, 1)));
	}
	if (network && slip->sign == ':' && slip->address == 0 &&
	    mail_spf_domain_check(&(mail_spf_scan_t){ argument, NULL }, argument) == KNOT_EOK) {
		return mail_diag_error(scan->diag, column,
		                       "'%.*s' is a name, and %.*s takes an address: write a:%.*s",
		                       MAIL_SHOW(argument), MAIL_SHOW(slip->name),
		                       MAIL_SHOW(argument));
	}
	return KNOT_EOK;
}

/*! Refuse a name that is nearly a known one, and what is only a domain; warn of any other unknown modifier. */
static int name_check(const mail_spf_scan_t *scan, const slip_t *slip)
{
	/* Shorter names are near to too many. */
	static const char *const names[] = { "include:", "exists:", "redirect=" };
	if (mail_spf_is_mechanism(slip->name) || mail_spf_is_modifier(slip->name)) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const mail_str_t known = mail_str_part(MAIL_STR(names[i]), 0, strlen(names[i]) - 1);
		if (slip->sign != 0 && mail_str_distance(slip->name, known) <= 2) {
			return mail_diag_error(scan->diag, slip->qualifier.len + 1,
			                       "there is no '%.*s': did you mean %s%.*s?",
			                       MAIL_SHOW(slip->name), names[i],
			                       MAIL_SHOW(slip->argument));
		}
	}
	if (slip->sign == 0 && memchr(slip->name.data, '.', slip->name.len) != NULL) {
		return mail_diag_error(scan->diag, slip->qualifier.len + 1,
		                       "a name alone is no term: write include:%.*s or a:%.*s",
		                       MAIL_SHOW(slip->name), MAIL_SHOW(slip->name));
	}
	if (slip->sign == '=' && slip->qualifier.len == 0 && slip->name.len > 0 &&
	    !mail_str_is_nocase(slip->name, "v")) {
		mail_diag_warn(scan->diag,
		               "'%.*s': receivers ignore a modifier that they do not know",
		               MAIL_SHOW(scan->term));
	}
	return KNOT_EOK;
}

int mail_spf_slip_check(mail_str_t term, mail_diag_t *diag)
{
	static int (*const checks[])(const mail_spf_scan_t *scan, const slip_t *slip) = {
		address_check, sign_check, list_check, argument_check, name_check,
	};
	const mail_spf_scan_t scan = { term, diag };
	const slip_t slip = slip_read(term);
	for (size_t i = 0; term.len > 0 && i < sizeof(checks) / sizeof(checks[0]); i++) {
		int ret = checks[i](&scan, &slip);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
