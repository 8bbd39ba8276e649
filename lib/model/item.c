/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/item.h"

#include <assert.h>

#include "record/bimi.h"
#include "record/caa.h"
#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/dmarc.h"
#include "mail/dnskey.h"
#include "mail/entry.h"
#include "mail/mtasts.h"
#include "record/mx.h"
#include "record/literal.h"
#include "record/soa.h"
#include "mail/spf.h"
#include "record/srv.h"
#include "mail/time.h"
#include "mail/tlsa.h"
#include "record/tlsrpt.h"

/*! A PEM file with the longest key that anybody makes is shorter than this. */
#define OCTETS_TEXT_MAX 65536

static_assert(MAIL_VALUE_MAX <= UINT16_MAX, "the length of a stored value has 16 bits");
static_assert(MAIL_LIST_MAX <= UINT8_MAX, "the number of stored values has 8 bits");
static_assert(MAIL_ITEM_MAX <= UINT8_MAX, "the number of an item has 8 bits");

/* clang-format off */
static const char *const section_names[MAIL_SECTION_COUNT] = {
	[MAIL_SECTION_HOST]        = "host",
	[MAIL_SECTION_CERTIFICATE] = "certificate",
	[MAIL_SECTION_POLICY]      = "policy",
	[MAIL_SECTION_DKIM]        = "dkim",
	[MAIL_SECTION_DOMAIN]      = "domain",
	[MAIL_SECTION_KEYSET]      = "key-set",
};
/* clang-format on */

const char *mail_section_name(mail_section_t section)
{
	return (unsigned)section < MAIL_SECTION_COUNT ? section_names[section] : "";
}

mail_section_t mail_section_find(mail_str_t name)
{
	unsigned i = 0;
	while (i < MAIL_SECTION_COUNT && !mail_str_is(name, section_names[i])) {
		i++;
	}
	return (mail_section_t)i;
}

bool mail_item_word(mail_str_t value, size_t *pos, mail_str_t *word)
{
	return mail_str_word(value, pos, word);
}

/*
 * Length of the character that starts a text, or 0 when it is none that may be kept (RFC 3629 4; C0
 * and C1 controls and DEL, which would move the cursor of whoever lists the value, are none).
 *
 *   UTF8-1 = %x00-7F
 *   UTF8-2 = %xC2-DF UTF8-tail
 *   UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *            %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 *   UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 */
static size_t character_len(const uint8_t *text, size_t len)
{
	uint8_t first = text[0];
	if (first < 0x80) {
		return first >= 0x20 && first != 0x7f ? 1 : 0;
	}
	size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || len < want) {
		return 0;
	}
	uint8_t low = first == 0xe0 || first == 0xc2 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (text[1] < low || text[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < want; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return want;
}

bool mail_item_is_text(mail_str_t value, size_t *column)
{
	size_t pos = 0;
	while (pos < value.len) {
		size_t len = character_len((const uint8_t *)value.data + pos, value.len - pos);
		if (len == 0) {
			if (column != NULL) {
				*column = pos + 1;
			}
			return false;
		}
		pos += len;
	}
	return true;
}

/* Checks and own parsers of the items. */

static int check_target(mail_str_t value, mail_diag_t *diag)
{
	if (mail_str_is(value, "on")) {
		return mail_diag_error(diag, 0, "target domains are not served by this version");
	}
	return KNOT_EOK;
}

static int check_literal(mail_str_t value, bool delegation, mail_diag_t *diag)
{
	mail_record_t record;
	mail_rdata_t rdata = { 0 };
	int ret = mail_record_parse(value, delegation, &record, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_delegation(mail_str_t value, mail_diag_t *diag)
{
	return check_literal(value, true, diag);
}

static int check_record(mail_str_t value, mail_diag_t *diag)
{
	return check_literal(value, false, diag);
}

static int check_mx(mail_str_t value, mail_diag_t *diag)
{
	mail_mx_t mx;
	return mail_mx_parse(value, &mx, diag);
}

/*! Checks the SPF terms of a value; `hosts` stands for the addresses of a policy's hosts. */
static int check_terms(mail_str_t value, bool hosts, mail_diag_t *diag)
{
	mail_spf_cost_t cost = { 0 };
	mail_str_t word;
	size_t pos = 0;
	while (mail_str_word(value, &pos, &word)) {
		int ret;
		if (mail_str_is_nocase(word, "v=spf1")) {
			ret = mail_diag_error(diag, 1,
			                      "v=spf1 is written by itself, give the terms");
		} else if (hosts && mail_str_is(word, "hosts")) {
			continue;
		} else {
			ret = mail_spf_term_check(word, &cost, diag);
		}
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, word.data - value.data);
		}
	}
	return KNOT_EOK;
}

static int check_spf(mail_str_t value, mail_diag_t *diag)
{
	return check_terms(value, true, diag);
}

static int check_helo_spf(mail_str_t value, mail_diag_t *diag)
{
	return check_terms(value, false, diag);
}

/*! Appends "tag=value" without blanks around tag or value. Case counts in tags (RFC 6376 3.2). */
static int put_tag(mail_str_t tag, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t name, value;
	int ret = mail_dmarc_tag_check(tag, diag);
	if (ret == KNOT_EOK) {
		ret = mail_dmarc_tag_split(tag, &name, &value);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_put(out, name.data, name.len);
	mail_buf_u8(out, '=');
	return mail_buf_put(out, value.data, value.len);
}

static int parse_dmarc(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	return put_tag(text, out, diag);
}

static int parse_time(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	int64_t seconds;
	int ret = mail_time_parse(text, &seconds, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (seconds < 0 || seconds > MAIL_TIME_MAX) {
		return mail_diag_error(diag, 1, "a time before 1970 or after 9999");
	}
	return mail_time_print(seconds, out);
}

/*
 * ramp = time 1*( 1*blank tag "=" value )      ; a time as RFC 3339, no blanks in a value
 */
static int parse_ramp(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t word;
	size_t pos = 0;
	if (!mail_str_word(text, &pos, &word)) {
		return mail_diag_error(diag, 1, "no time");
	}
	int ret = parse_time(word, out, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, word.data - text.data);
	}
	size_t tags = 0;
	while (mail_str_word(text, &pos, &word)) {
		mail_buf_u8(out, ' ');
		ret = put_tag(word, out, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, word.data - text.data);
		}
		tags++;
	}
	return tags > 0 ? KNOT_EOK
	                : mail_diag_error(diag, text.len, "no tag=value behind the time");
}

static int check_mta_sts(mail_str_t value, mail_diag_t *diag)
{
	static const char *const modes[] = { "enforce", "testing", "none", "off" };
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (mail_str_is(value, modes[i])) {
			return KNOT_EOK;
		}
	}
	return mail_diag_error(diag, 1, "not one of enforce, testing, none, off");
}

static int check_srv(mail_str_t value, mail_diag_t *diag)
{
	mail_srv_t srv;
	return mail_srv_parse(value, &srv, diag);
}

static int check_bimi(mail_str_t value, mail_diag_t *diag)
{
	mail_str_t selector;
	mail_rdata_t rdata = { 0 };
	int ret = mail_bimi_render(value, &selector, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_caa(mail_str_t value, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	int ret = mail_caa_render(value, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

/*! A text is kept to the letter, blanks at its ends too. */
static int parse_txt(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	if (text.len > MAIL_TXT_MAX) {
		return mail_diag_error(diag, MAIL_TXT_MAX + 1, "longer than %d octets",
		                       MAIL_TXT_MAX);
	}
	if (mail_spf_is(text)) {
		return mail_diag_error(diag, 1, "an SPF record: its terms belong in spf");
	}
	return mail_buf_put(out, text.data, text.len);
}

static int check_ttl(mail_str_t value, mail_diag_t *diag)
{
	uint32_t ttl;
	if (mail_str_number(value, UINT32_MAX, &ttl) && ttl > MAIL_TTL_WARN) {
		mail_diag_warn(diag, "a TTL of more than a week: caches keep a mistake that long");
	}
	return KNOT_EOK;
}

static int check_soa_rname(mail_str_t value, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	int ret = mail_soa_render(MAIL_STR("@"), value, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_address(mail_str_t value, mail_diag_t *diag)
{
	uint16_t type;
	mail_rdata_t rdata = { 0 };
	int ret = mail_address_render(value, &type, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_tlsa(mail_str_t value, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	int ret = mail_tlsa_render(value, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int check_form(mail_str_t value, mail_diag_t *diag)
{
	mail_tlsa_form_t form;
	return mail_tlsa_form_parse(value, &form, diag);
}

static int check_key(mail_str_t value, mail_diag_t *diag)
{
	return mail_dkim_key_check((const uint8_t *)value.data, value.len, NULL, NULL, diag);
}

static int check_tags(mail_str_t value, mail_diag_t *diag)
{
	return mail_str_is(value, "none") ? KNOT_EOK : mail_dkim_tags_check(value, diag);
}

static int parse_dnskey(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_dnskey_t key;
	int ret = mail_dnskey_parse(text, &key, diag);
	return ret == KNOT_EOK ? mail_dnskey_print(&key, out) : ret;
}

/* The table. */

#define IN(section) (1u << MAIL_SECTION_##section)
/* A domain can override whatever a policy says. */
#define IN_BOTH (IN(POLICY) | IN(DOMAIN))
#define ONE MAIL_FLAG_UNSET
#define LIST (MAIL_FLAG_UNSET | MAIL_FLAG_LIST)

const mail_item_t mail_items[] = {
	{ MAIL_ITEM_POLICY, "policy", IN(DOMAIN), MAIL_TYPE_REF, .ref = MAIL_SECTION_POLICY,
	  .help = "policy that the domain follows" },
	{ MAIL_ITEM_ALIAS, "alias", IN(DOMAIN), MAIL_TYPE_DOMAIN,
	  .help = "domain whose records this one has under its own name" },
	{ MAIL_ITEM_TARGET, "target", IN(DOMAIN), MAIL_TYPE_SWITCH, .check = check_target,
	  .help = "answer below this name for domains whose DNS is elsewhere" },
	{ MAIL_ITEM_DELEGATION, "delegation", IN(DOMAIN), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .check = check_delegation,
	  .help = "NS or DS record that hands a name below the domain to other servers" },

	{ MAIL_ITEM_BASE, "base", IN(POLICY), MAIL_TYPE_REF, .ref = MAIL_SECTION_POLICY,
	  .help = "policy that this one inherits from" },
	{ MAIL_ITEM_HOST, "host", IN_BOTH, MAIL_TYPE_REF, LIST, .ref = MAIL_SECTION_HOST,
	  .help = "hosts whose addresses and TLSA records are served" },
	{ MAIL_ITEM_MX, "mx", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_mx,
	  .help = "mail exchange as \"PREFERENCE HOST\"; \".\" takes no mail" },
	{ MAIL_ITEM_SPF, "spf", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_spf,
	  .help = "SPF term; \"hosts\" stands for the addresses of the policy's hosts" },
	{ MAIL_ITEM_SPF_ALL, "spf-all", IN_BOTH, MAIL_TYPE_TEXT, ONE, .check = mail_spf_all_check,
	  .help = "end of the SPF record: -all, ~all, ?all, +all or none" },
	{ MAIL_ITEM_DMARC, "dmarc", IN_BOTH, MAIL_TYPE_TEXT, LIST | MAIL_FLAG_BYTAG,
	  .parse = parse_dmarc, .help = "DMARC tag as \"tag=value\"" },
	{ MAIL_ITEM_DMARC_RAMP, "dmarc-ramp", IN_BOTH, MAIL_TYPE_TEXT, LIST, .parse = parse_ramp,
	  .help = "DMARC tags from a time on, as \"TIME tag=value ...\"" },
	{ MAIL_ITEM_TLS_RPT, "tls-rpt", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .check = mail_tlsrpt_uri_check, .help = "where TLS reports go: a mailto: or https: URI" },
	{ MAIL_ITEM_MTA_STS, "mta-sts", IN_BOTH, MAIL_TYPE_TEXT, ONE | MAIL_FLAG_NONE,
	  .check = check_mta_sts, .help = "MTA-STS mode: enforce, testing, none or off" },
	{ MAIL_ITEM_MTA_STS_MAX_AGE, "mta-sts-max-age", IN_BOTH, MAIL_TYPE_NUMBER, ONE,
	  .max = MAIL_MTASTS_MAX_AGE_MAX, .help = "seconds that senders keep the MTA-STS policy" },
	{ MAIL_ITEM_MTA_STS_ID, "mta-sts-id", IN_BOTH, MAIL_TYPE_TEXT, ONE,
	  .check = mail_mtasts_id_check,
	  .help = "MTA-STS id in place of one made from the policy" },
	{ MAIL_ITEM_MTA_STS_HOST, "mta-sts-host", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "web server of the MTA-STS policy, target of the CNAME" },
	{ MAIL_ITEM_SRV, "srv", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_srv,
	  .help = "service as \"SERVICE [PRIORITY WEIGHT PORT] [HOST]\"; host \".\": not offered" },
	{ MAIL_ITEM_AUTOCONFIG, "autoconfig", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "target of the autoconfig CNAME" },
	{ MAIL_ITEM_AUTODISCOVER, "autodiscover", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "target of the autodiscover CNAME" },
	{ MAIL_ITEM_BIMI, "bimi", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_bimi,
	  .help = "BIMI indicator as \"[SELECTOR] L-URI [A-URI]\"" },
	{ MAIL_ITEM_CAA, "caa", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_caa,
	  .help = "CAA record as \"FLAGS TAG VALUE\"" },
	{ MAIL_ITEM_TXT, "txt", IN_BOTH, MAIL_TYPE_TEXT, LIST, .parse = parse_txt,
	  .help = "further text beside SPF at the domain itself" },
	{ MAIL_ITEM_RECORD, "record", IN_BOTH, MAIL_TYPE_TEXT, LIST, .check = check_record,
	  .help = "literal record as \"OWNER [TTL] TYPE RDATA\"" },
	{ MAIL_ITEM_NO_MAIL, "no-mail", IN_BOTH, MAIL_TYPE_SWITCH, ONE,
	  .help = "the domain neither takes nor sends mail" },
	{ MAIL_ITEM_TTL, "ttl", IN_BOTH, MAIL_TYPE_NUMBER, ONE, .max = INT32_MAX, /* RFC 2181 8 */
	  .check = check_ttl, .help = "TTL of all records, seconds" },
	{ MAIL_ITEM_NS, "ns", IN_BOTH, MAIL_TYPE_NAME, LIST, .help = "name server of the domain" },
	{ MAIL_ITEM_SOA_MNAME, "soa-mname", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "primary server in the SOA in place of the first ns" },
	{ MAIL_ITEM_SOA_RNAME, "soa-rname", IN_BOTH, MAIL_TYPE_TEXT, ONE, .check = check_soa_rname,
	  .help = "mailbox in the SOA, as an address or a name" },
	{ MAIL_ITEM_KEY_SET, "key-set", IN_BOTH, MAIL_TYPE_REF, ONE, .ref = MAIL_SECTION_KEYSET,
	  .help = "DNSSEC keys of the domain" },

	{ MAIL_ITEM_NAME, "name", IN(HOST), MAIL_TYPE_NAME,
	  .help = "name of the host, relative to the domain or absolute" },
	{ MAIL_ITEM_ADDRESS, "address", IN(HOST), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .check = check_address, .help = "IPv4 or IPv6 address" },
	{ MAIL_ITEM_CERTIFICATE, "certificate", IN(HOST), MAIL_TYPE_REF, MAIL_FLAG_LIST,
	  .ref = MAIL_SECTION_CERTIFICATE,
	  .help = "certificate sets that the TLSA records follow" },
	{ MAIL_ITEM_TLSA, "tlsa", IN(HOST), MAIL_TYPE_TEXT, MAIL_FLAG_LIST, .check = check_tlsa,
	  .help = "TLSA record as \"USAGE SELECTOR MATCHING HEX\"" },
	{ MAIL_ITEM_TLSA_PORT, "tlsa-port", IN(HOST), MAIL_TYPE_NUMBER, LIST, .min = 1,
	  .max = UINT16_MAX, .help = "ports with TLSA records" },
	{ MAIL_ITEM_HELO_SPF, "helo-spf", IN(HOST), MAIL_TYPE_TEXT, LIST, .check = check_helo_spf,
	  .help = "SPF terms of the host's own name, all included" },

	{ MAIL_ITEM_CURRENT, "current", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .check = check_tlsa, .help = "what servers show now: a PEM file, or TLSA records" },
	{ MAIL_ITEM_NEXT, "next", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .check = check_tlsa, .help = "what servers will show: a PEM file, or TLSA records" },
	{ MAIL_ITEM_DEPLOY_AT, "deploy-at", IN(CERTIFICATE), MAIL_TYPE_TIME,
	  .help = "when next takes the place of current" },
	{ MAIL_ITEM_FORM, "form", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .check = check_form, .help = "TLSA records to make, as \"USAGE SELECTOR MATCHING\"" },

	{ MAIL_ITEM_PUBLISH, "publish", IN(CERTIFICATE) | IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when the record appears" },
	{ MAIL_ITEM_ACTIVATE, "activate", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when signers begin to use the key" },
	{ MAIL_ITEM_RETIRE, "retire", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when signers cease to use the key" },
	{ MAIL_ITEM_REMOVE, "remove", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when the record disappears" },
	{ MAIL_ITEM_KEY, "key", IN(DKIM), MAIL_TYPE_OCTETS, .parse = mail_dkim_key_parse,
	  .check = check_key, .help = "public key, as in p=, or a PEM file" },
	{ MAIL_ITEM_CNAME, "cname", IN(DKIM), MAIL_TYPE_NAME,
	  .help = "name at which somebody else publishes the key" },
	{ MAIL_ITEM_TAGS, "tags", IN(DKIM), MAIL_TYPE_TEXT, MAIL_FLAG_NONE, .check = check_tags,
	  .help = "further tags of the record, or none" },
	{ MAIL_ITEM_REVOKE, "revoke", IN(DKIM), MAIL_TYPE_SWITCH,
	  .help = "publish an empty p= from retire to remove" },

	{ MAIL_ITEM_DNSKEY, "key", IN(KEYSET), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .parse = parse_dnskey, .help = "DNSSEC key as \"TAG ALGORITHM ROLE [TIMES] PUBLIC\"" },
	{ MAIL_ITEM_LEAVE, "leave", IN(KEYSET), MAIL_TYPE_TIME,
	  .help = "from when the parent is asked to remove the DS: the way out of DNSSEC" },

	{ .name = NULL }
};

#undef IN
#undef IN_BOTH
#undef ONE
#undef LIST

#define ITEM_COUNT (sizeof(mail_items) / sizeof(*mail_items) - 1)

const mail_item_t *mail_item_get(unsigned id)
{
	size_t low = 0, high = ITEM_COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (mail_items[middle].id == id) {
			return &mail_items[middle];
		}
		if (mail_items[middle].id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const mail_item_t *mail_item_find(mail_section_t section, mail_str_t name)
{
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << section)) != 0 && mail_str_is(name, item->name)) {
			return item;
		}
	}
	return NULL;
}

/* Values by type. */

static int put_domain(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	return mail_entry_id_normalise(MAIL_SECTION_DOMAIN, text, out, diag);
}

static int put_number(const mail_item_t *item, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	uint64_t number = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (!mail_char_digit(text.data[i])) {
			return mail_diag_error(diag, i + 1, "not a decimal number");
		}
		number = number * 10 + (text.data[i] - '0');
		if (number > item->max) {
			return mail_diag_error(diag, 1, "more than %u", (unsigned)item->max);
		}
	}
	if (number < item->min) {
		return mail_diag_error(diag, 1, "less than %u", (unsigned)item->min);
	}
	return mail_buf_printf(out, "%u", (unsigned)number);
}

static int put_switch(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	if (!mail_str_is(text, "on") && !mail_str_is(text, "off")) {
		return mail_diag_error(diag, 1, "neither on nor off");
	}
	return mail_buf_put(out, text.data, text.len);
}

/*! Appends the stored form of a text that is trimmed and free of control characters. */
static int put_value(const mail_item_t *item, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	if (item->parse != NULL) {
		return item->parse(text, out, diag);
	}
	switch (item->type) {
	case MAIL_TYPE_NAME: return mail_name_normalise(text, out, diag);
	case MAIL_TYPE_DOMAIN: return put_domain(text, out, diag);
	case MAIL_TYPE_REF: return mail_entry_id_normalise(item->ref, text, out, diag);
	case MAIL_TYPE_NUMBER: return put_number(item, text, out, diag);
	case MAIL_TYPE_SWITCH: return put_switch(text, out, diag);
	case MAIL_TYPE_TIME: return parse_time(text, out, diag);
	case MAIL_TYPE_TEXT:
	case MAIL_TYPE_OCTETS: break;
	}
	return mail_buf_put(out, text.data, text.len);
}

/*! Refuses what no value of its type can be, before anything parses it. */
static int check_text(const mail_item_t *item, mail_str_t text, mail_diag_t *diag)
{
	size_t max = item->type == MAIL_TYPE_OCTETS ? OCTETS_TEXT_MAX : MAIL_VALUE_MAX;
	if (text.len == 0) {
		return mail_diag_error(diag, 0, "an empty value");
	}
	if (text.len > max) {
		return mail_diag_error(diag, max + 1, "longer than %zu octets", max);
	}
	/* PEM has lines; what comes of it is checked as octets. */
	size_t column;
	if (item->type != MAIL_TYPE_OCTETS && !mail_item_is_text(text, &column)) {
		const char *reason = text.data[column - 1] == '\t'
		                             ? "a tab: use spaces"
		                             : "a control character, or no UTF-8";
		return mail_diag_error(diag, column, "%s", reason);
	}
	return KNOT_EOK;
}

int mail_item_normalise(const mail_item_t *item, mail_str_t value, mail_buf_t *out,
                        mail_diag_t *diag)
{
	mail_str_t text = item->id == MAIL_ITEM_TXT ? value : mail_str_trim(value);
	size_t start = out->len;
	int ret = check_text(item, text, diag);
	if (ret == KNOT_EOK) {
		ret = put_value(item, text, out, diag);
	}
	if (ret == KNOT_EOK) {
		ret = out->error;
	}
	if (ret == KNOT_EOK) {
		mail_str_t stored = { (const char *)out->data + start, out->len - start };
		if (stored.len == 0 || stored.len > MAIL_VALUE_MAX) {
			ret = mail_diag_error(diag, 0, "longer than %d octets", MAIL_VALUE_MAX);
		} else if (item->check != NULL) {
			ret = item->check(stored, diag);
		}
	}
	if (ret != KNOT_EOK) {
		out->len = start;
		(void)mail_diag_shift(diag, ret, text.data - value.data);
	}
	return ret;
}

int mail_item_print(const mail_item_t *item, mail_str_t stored, mail_buf_t *out)
{
	if (item->type == MAIL_TYPE_OCTETS) {
		return mail_buf_base64(out, (const uint8_t *)stored.data, stored.len);
	}
	return mail_buf_put(out, stored.data, stored.len);
}
