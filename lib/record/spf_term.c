/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Terms of SPF.
 *
 *     term      = directive / modifier                        (RFC 7208 4.6.1)
 *     directive = [ "+" / "-" / "?" / "~" ] mechanism
 *     modifier  = name "=" macro-string
 *     name      = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
 */
#include "config.h"

#include "record/spf_scan.h"

#include "mail/chars.h"
#include "record/address.h"

#define QUALIFIERS "+-?~"
/* RFC 6652 3: percentage of messages to report. */
#define PERCENT_MAX 100

/*! A mechanism. \see RFC 7208 5. */
typedef struct {
	const char *name;
	bool lookup; /*!< Counts against MAIL_SPF_LOOKUPS_MAX. */
	/*! Check what follows the name. */
	int (*argument)(const mail_spf_scan_t *scan, mail_str_t argument);
} mechanism_t;

/*! A modifier that is known, and may stand in a record once. \see RFC 7208 6, RFC 6652 3. */
typedef struct {
	const char *name;
	bool lookup;
	int (*value)(const mail_spf_scan_t *scan, mail_str_t value);
} modifier_t;

/* --- Arguments of mechanisms --- */

/*! ip4-cidr-length = "/" ( "0" / %x31-39 0*1DIGIT ), ip6-cidr-length likewise. \param text After "/". */
static int prefix_check(const mail_spf_scan_t *scan, mail_str_t text, uint32_t max)
{
	uint32_t prefix;
	if (!mail_str_number(text, max, &prefix) || (text.len > 1 && text.data[0] == '0')) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, text.data),
		                       "'%.*s' is no prefix length from 0 to %u", MAIL_SHOW(text),
		                       (unsigned)max);
	}
	if (prefix == 0) {
		mail_diag_warn(scan->diag, "'%.*s' lets every address pass", MAIL_SHOW(scan->term));
	}
	return KNOT_EOK;
}

/*! dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static int dual_prefix(const mail_spf_scan_t *scan, mail_str_t text)
{
	mail_str_t left = text;
	if (left.len > 0 && !mail_str_starts(left, "//")) {
		mail_str_t four = mail_str_from(left, 1);
		size_t len = 0;
		while (len < four.len && four.data[len] != '/') {
			len++;
		}
		left = mail_str_from(four, len);
		four.len = len;
		int ret = prefix_check(scan, four, 32);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (left.len > 0) {
		if (!mail_str_starts(left, "//")) {
			return mail_diag_error(scan->diag, mail_spf_column(scan, left.data),
			                       "the prefix length for IPv6 is written after '//'");
		}
		return prefix_check(scan, mail_str_from(left, 2), 128);
	}
	return KNOT_EOK;
}

static int argument_none(const mail_spf_scan_t *scan, mail_str_t argument)
{
	if (argument.len > 0) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, argument.data),
		                       "nothing can follow all, not '%.*s'", MAIL_SHOW(argument));
	}
	return KNOT_EOK;
}

static int argument_domain(const mail_spf_scan_t *scan, mail_str_t argument)
{
	if (argument.len == 0 || argument.data[0] != ':') {
		return mail_diag_error(scan->diag, mail_spf_column(scan, argument.data),
		                       "':' and a domain must follow in '%.*s'",
		                       MAIL_SHOW(scan->term));
	}
	return mail_spf_domain_check(scan, mail_str_from(argument, 1));
}

/*! Where the prefix lengths of a host start: at the first "/" outside of a macro. */
static size_t prefix_start(mail_str_t s)
{
	bool macro = false;
	size_t i = 0;
	for (; i < s.len && (macro || s.data[i] != '/'); i++) {
		if (s.data[i] == '{' && i > 0 && s.data[i - 1] == '%') {
			macro = true;
		} else if (s.data[i] == '}') {
			macro = false;
		}
	}
	return i;
}

/*! [ ":" domain-spec ] [ dual-cidr-length ] */
static int argument_host(const mail_spf_scan_t *scan, mail_str_t argument)
{
	size_t slash = prefix_start(argument);
	mail_str_t host = mail_str_part(argument, 0, slash);
	if (host.len > 0) {
		int ret = argument_domain(scan, host);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return dual_prefix(scan, mail_str_from(argument, slash));
}

/*! ":" ( ip4-network [ ip4-cidr-length ] / ip6-network [ ip6-cidr-length ] ). \param len Octets of the address. */
static int argument_network(const mail_spf_scan_t *scan, mail_str_t argument, size_t len)
{
	uint8_t address[16];
	if (argument.len == 0 || argument.data[0] != ':') {
		return mail_diag_error(scan->diag, mail_spf_column(scan, argument.data),
		                       "':' and an address must follow in '%.*s'",
		                       MAIL_SHOW(scan->term));
	}
	mail_str_t network = mail_str_from(argument, 1);
	size_t slash = prefix_start(network);
	mail_str_t host = mail_str_part(network, 0, slash);
	if (mail_str_address(host, address) != len) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, host.data),
		                       "'%.*s' is no IPv%c address", MAIL_SHOW(host),
		                       len == 4 ? '4' : '6');
	}
	const char *special = mail_address_special(address, len);
	if (special != NULL && slash == network.len) {
		mail_diag_warn(scan->diag, "'%.*s' is %s: no mail comes to others from there",
		               MAIL_SHOW(scan->term), special);
	}
	if (slash < network.len) {
		int ret = prefix_check(scan, mail_str_from(network, slash + 1), 8 * (uint32_t)len);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int argument_ip4(const mail_spf_scan_t *scan, mail_str_t argument)
{
	return argument_network(scan, argument, 4);
}

static int argument_ip6(const mail_spf_scan_t *scan, mail_str_t argument)
{
	return argument_network(scan, argument, 16);
}

static const mechanism_t mechanisms[] = {
	{ "all", false, argument_none },     { "include", true, argument_domain },
	{ "a", true, argument_host },        { "mx", true, argument_host },
	{ "ip4", false, argument_ip4 },      { "ip6", false, argument_ip6 },
	{ "exists", true, argument_domain },
};

/* --- Values of modifiers --- */

/*! A value that is not a domain: a macro-string. */
static int value_macro(const mail_spf_scan_t *scan, mail_str_t value)
{
	size_t step;
	for (size_t i = 0; i < value.len; i += step) {
		mail_str_t left = mail_str_from(value, i);
		step = 1;
		if (left.data[0] == '%') {
			int ret = mail_spf_macro_check(scan, left, &step);
			if (ret != KNOT_EOK) {
				return ret;
			}
		} else if (left.data[0] < 0x21 || left.data[0] > 0x7e) {
			return mail_diag_error(scan->diag, mail_spf_column(scan, left.data),
			                       "a character that cannot be in a term");
		}
	}
	return KNOT_EOK;
}

/*! ra=: the local part of an address in the domain. */
static int value_local(const mail_spf_scan_t *scan, mail_str_t value)
{
	if (value.len == 0 || memchr(value.data, '@', value.len) != NULL) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, value.data),
		                       "ra= takes the part of an address before its '@'");
	}
	return value_macro(scan, value);
}

static int value_percent(const mail_spf_scan_t *scan, mail_str_t value)
{
	uint32_t percent;
	if (!mail_str_number(value, PERCENT_MAX, &percent)) {
		return mail_diag_error(scan->diag, mail_spf_column(scan, value.data),
		                       "rp= takes a percentage from 0 to 100");
	}
	return KNOT_EOK;
}

static int value_results(const mail_spf_scan_t *scan, mail_str_t value)
{
	size_t pos = 0;
	mail_str_t word;
	while (mail_str_piece(value, ':', &pos, &word)) {
		if (!mail_str_is_nocase(word, "all") &&
		    !(word.len == 1 && mail_char_in(mail_char_lower(word.data[0]), "efsn"))) {
			return mail_diag_error(scan->diag, mail_spf_column(scan, word.data),
			                       "rr= takes all, e, f, s, n, joined by ':'");
		}
	}
	return KNOT_EOK;
}

static const modifier_t modifiers[] = {
	{ "redirect", true, mail_spf_domain_check },
	{ "exp", false, mail_spf_domain_check },
	{ "ra", false, value_local },
	{ "rp", false, value_percent },
	{ "rr", false, value_results },
};

/* --- Terms --- */

static const modifier_t *modifier_find(mail_str_t name)
{
	for (size_t i = 0; i < sizeof(modifiers) / sizeof(*modifiers); i++) {
		if (mail_str_is_nocase(name, modifiers[i].name)) {
			return &modifiers[i];
		}
	}
	return NULL;
}

static const mechanism_t *mechanism_find(mail_str_t name)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++) {
		if (mail_str_is_nocase(name, mechanisms[i].name)) {
			return &mechanisms[i];
		}
	}
	return NULL;
}

/*! Length of the name that a string starts with. */
static size_t name_len(mail_str_t s)
{
	size_t i = 0;
	while (i < s.len &&
	       (mail_char_alpha(s.data[i]) ||
	        (i > 0 && (mail_char_digit(s.data[i]) || mail_char_in(s.data[i], "-_."))))) {
		i++;
	}
	return i;
}

static int modifier_scan(const mail_spf_scan_t *scan, size_t name, mail_spf_cost_t *cost)
{
	mail_str_t called = mail_str_part(scan->term, 0, name);
	mail_str_t value = mail_str_from(scan->term, name + 1);
	if (mail_str_is_nocase(called, "v")) {
		return mail_diag_error(scan->diag, 1,
		                       MAIL_SPF_VERSION " is written by itself: leave it out");
	}
	const modifier_t *modifier = modifier_find(called);
	if (modifier == NULL) {
		return value_macro(scan, value);
	}
	cost->lookups += modifier->lookup;
	cost->redirect = cost->redirect || modifier->lookup;
	return modifier->value(scan, value);
}

static int mechanism_scan(const mail_spf_scan_t *scan, mail_spf_cost_t *cost)
{
	size_t start = scan->term.len > 0 && mail_char_in(scan->term.data[0], QUALIFIERS) ? 1 : 0;
	mail_str_t text = mail_str_from(scan->term, start);
	mail_str_t name = mail_str_part(text, 0, name_len(text));
	if (mail_str_is_nocase(name, "ptr")) {
		return mail_diag_error(scan->diag, start + 1,
		                       "ptr is slow and unreliable, and must not be published");
	}
	const mechanism_t *mechanism = mechanism_find(name);
	if (mechanism == NULL) {
		return mail_diag_error(scan->diag, start + 1,
		                       "'%.*s' is not one of all include a mx ip4 ip6 exists",
		                       MAIL_SHOW(text));
	}
	cost->lookups += mechanism->lookup;
	if (mechanism->argument == argument_none) {
		cost->all = true;
		if (text.len == name.len && (start == 0 || scan->term.data[0] == '+')) {
			mail_diag_warn(scan->diag, "'%.*s' lets every server of the world pass",
			               MAIL_SHOW(scan->term));
		} else if (start == 1 && scan->term.data[0] == '?') {
			mail_diag_warn(scan->diag,
			               "'%.*s' says nothing of other servers: write ~all or -all",
			               MAIL_SHOW(scan->term));
		}
	}
	return mechanism->argument(scan, mail_str_from(text, name.len));
}

int mail_spf_term_check(mail_str_t term, mail_spf_cost_t *cost, mail_diag_t *diag)
{
	mail_spf_cost_t none = { 0 };
	const mail_spf_scan_t scan = { term, diag };
	const size_t name = name_len(term);
	cost = cost != NULL ? cost : &none;
	if (name > 0 && name < term.len && term.data[name] == '=') {
		return modifier_scan(&scan, name, cost);
	}
	return mechanism_scan(&scan, cost);
}

int mail_spf_all_check(mail_str_t all, mail_diag_t *diag)
{
	if (mail_str_is(all, "none")) {
		return KNOT_EOK;
	}
	mail_str_t name = all;
	if (all.len > 0 && mail_char_in(all.data[0], QUALIFIERS)) {
		name = mail_str_from(all, 1);
	}
	if (!mail_str_is_nocase(name, "all")) {
		return mail_diag_error(diag, 1, "'%.*s' is not one of -all, ~all, ?all, none",
		                       MAIL_SHOW(all));
	}
	return mail_spf_term_check(all, NULL, diag);
}

bool mail_spf_is_mechanism(mail_str_t name)
{
	return mechanism_find(name) != NULL || mail_str_is_nocase(name, "ptr");
}

bool mail_spf_is_modifier(mail_str_t name)
{
	return modifier_find(name) != NULL;
}

bool mail_spf_modifier_known(mail_str_t term, mail_str_t *name)
{
	size_t len = name_len(term);
	*name = mail_str_part(term, 0, len);
	return len > 0 && len < term.len && term.data[len] == '=' && modifier_find(*name) != NULL;
}
