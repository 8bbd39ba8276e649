/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a value that somebody wrote becomes the one that is stored: international names as A-labels, one spelling of
 * times and numbers, checked by the renderer of its record.
 */
#include "mail/item.h"

#include "dns/idna.h"
#include "record/address.h"
#include "record/bimi.h"
#include "record/caa.h"
#include "record/check.h"
#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/dmarc.h"
#include "mail/dnskey.h"
#include "mail/encoding.h"
#include "mail/entry.h"
#include "model/place.h"
#include "record/mtasts.h"
#include "record/mx.h"
#include "record/literal.h"
#include "record/paste.h"
#include "record/soa.h"
#include "mail/spf.h"
#include "record/srv.h"
#include "mail/time.h"
#include "record/tlsa.h"
#include "record/tlsrpt.h"
#include "record/ulabel.h"

/*! A PEM file with the longest key that anybody makes is shorter than this. */
#define OCTETS_TEXT_MAX 65536

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

/*! Check the SPF terms of a value; `hosts` stands for the addresses of a policy's hosts. */
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
			ret = mail_spf_slip_check(word, diag);
			if (ret == KNOT_EOK) {
				ret = mail_spf_term_check(word, &cost, diag);
			}
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

/*! Append "tag=value" without blanks around tag or value. Case counts in tags (RFC 6376 3.2). */
static int put_tag(mail_str_t tag, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t name, value;
	int ret = mail_dmarc_tag_check(tag, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	(void)mail_str_tag(tag, &name, &value);
	mail_buf_put(out, name.data, name.len);
	mail_buf_u8(out, '=');
	return mail_buf_put(out, value.data, value.len);
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

/*! Return whether a text has a "tag=value" of a tag. */
static bool has_tag(mail_str_t text, mail_str_t tagged)
{
	mail_str_t word, name, wanted, value;
	if (!mail_str_tag(tagged, &wanted, &value)) {
		return false;
	}
	for (size_t pos = 0; mail_str_word(text, &pos, &word);) {
		if (mail_str_tag(word, &name, &value) && mail_str_equal(name, wanted)) {
			return true;
		}
	}
	return false;
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
		if (has_tag(mail_str_part(text, 0, (size_t)(word.data - text.data)), word)) {
			return mail_diag_error(diag, (size_t)(word.data - text.data) + 1,
			                       "a tag is given twice");
		}
		ret = put_tag(word, out, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, word.data - text.data);
		}
		tags++;
	}
	if (tags == 0) {
		return mail_diag_error(diag, text.len, "no tag=value behind the time");
	}
	return KNOT_EOK;
}

/*! Write a word and a time with one blank between them. */
static int put_timed(mail_str_t text, const char *what, mail_str_t *word, mail_buf_t *out,
                     mail_diag_t *diag)
{
	mail_str_t time;
	size_t pos = 0;
	(void)mail_str_word(text, &pos, word);
	if (!mail_str_word(text, &pos, &time) || mail_str_trim(mail_str_from(text, pos)).len > 0) {
		return mail_diag_error(diag, text.len, "not \"%s TIME\"", what);
	}
	mail_buf_put(out, word->data, word->len);
	mail_buf_u8(out, ' ');
	return mail_diag_shift(diag, parse_time(time, out, diag), time.data - text.data);
}

static int parse_ttl_was(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t word;
	uint32_t ttl;
	int ret = put_timed(text, "TTL", &word, out, diag);
	if (ret == KNOT_EOK && !mail_str_number(word, INT32_MAX, &ttl)) {
		ret = mail_diag_error(diag, 1, "not a TTL");
	}
	return ret;
}

static int parse_visible(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_str_t word;
	mail_buf_t id = { 0 };
	int ret = put_timed(text, "POLICY", &word, out, diag);
	if (ret == KNOT_EOK && !mail_str_is(word, "*")) {
		ret = mail_entry_id_normalise(MAIL_SECTION_POLICY, word, &id, diag);
		mail_buf_free(&id);
	}
	return ret;
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
	if (!mail_str_number(value, UINT32_MAX, &ttl)) {
		return KNOT_EOK;
	}
	if (ttl > MAIL_TTL_WARN) {
		mail_diag_warn(diag, "a TTL of more than a week: caches keep a mistake that long");
	} else if (ttl == 0) {
		mail_diag_warn(diag,
		               "a TTL of 0: no cache keeps an answer, and every question comes to "
		               "your servers");
	}
	return KNOT_EOK;
}

/*! A name that something leads to is no address and no wildcard. */
static int check_host(mail_str_t value, mail_diag_t *diag)
{
	mail_pattern_t pattern;
	return mail_host_parse(value, false, &pattern, diag);
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
	const char *special = ret == KNOT_EOK ? mail_address_special(rdata.ops.data, rdata.ops.len)
	                                      : NULL;
	if (special != NULL) {
		mail_diag_warn(diag, "%.*s is %s: nobody else can reach the host there",
		               MAIL_SHOW(value), special);
	}
	mail_rdata_free(&rdata);
	return ret;
}

static int check_tlsa(mail_str_t value, mail_diag_t *diag)
{
	mail_rdata_t rdata = { 0 };
	int ret = mail_tlsa_render(value, &rdata, diag);
	if (ret == KNOT_EOK) {
		ret = mail_digest_check(rdata.ops.data + 3, rdata.ops.len - 3, diag);
	}
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
	if (mail_str_is(value, "none")) {
		return KNOT_EOK;
	}
	return mail_dkim_tags_check(value, diag);
}

static int parse_dnskey(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_dnskey_t key;
	int ret = mail_dnskey_parse(text, &key, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_dnskey_print(&key, out);
}

/* The rules. */

/*! What an item asks of its values beside what its type says. */
typedef struct {
	/*! Write a value with the U-labels of its names as A-labels; NULL: it has no names, or others take care of them. */
	int (*names)(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
	/*! Write the text of a value (trimmed) as it is stored; NULL: as the type says. */
	int (*parse)(mail_str_t text, mail_buf_t *out, mail_diag_t *diag);
	/*! Check one stored value with the renderer of its record; NULL: the type says it all. */
	int (*check)(mail_str_t value, mail_diag_t *diag);
} rule_t;

/* clang-format off */
static const rule_t rules[MAIL_ITEM_MAX] = {
	[MAIL_ITEM_TARGET] = { .check = check_target },
	[MAIL_ITEM_DELEGATION] = { .names = mail_ulabel_record, .check = check_delegation },
	[MAIL_ITEM_TTL_WAS] = { .parse = parse_ttl_was },
	[MAIL_ITEM_MX] = { .names = mail_idna_write, .check = check_mx },
	[MAIL_ITEM_SPF] = { .names = mail_ulabel_spf, .check = check_spf },
	[MAIL_ITEM_SPF_ALL] = { .check = mail_spf_all_check },
	[MAIL_ITEM_DMARC] = { .names = mail_ulabel_uris, .parse = put_tag },
	[MAIL_ITEM_DMARC_RAMP] = { .names = mail_ulabel_uris, .parse = parse_ramp },
	[MAIL_ITEM_TLS_RPT] = { .names = mail_ulabel_uris, .check = mail_tlsrpt_uri_check },
	[MAIL_ITEM_MTA_STS] = { .check = check_mta_sts },
	[MAIL_ITEM_MTA_STS_ID] = { .check = mail_mtasts_id_check },
	[MAIL_ITEM_MTA_STS_HOST] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_SRV] = { .names = mail_idna_write, .check = check_srv },
	[MAIL_ITEM_AUTOCONFIG] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_AUTODISCOVER] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_BIMI] = { .names = mail_ulabel_uris, .check = check_bimi },
	[MAIL_ITEM_CAA] = { .check = check_caa },
	[MAIL_ITEM_TXT] = { .parse = parse_txt },
	[MAIL_ITEM_RECORD] = { .names = mail_ulabel_record, .check = check_record },
	[MAIL_ITEM_TTL] = { .check = check_ttl },
	[MAIL_ITEM_NS] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_SOA_MNAME] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_SOA_RNAME] = { .names = mail_ulabel_mailbox, .check = check_soa_rname },
	[MAIL_ITEM_NAME] = { .names = mail_idna_write },
	[MAIL_ITEM_ADDRESS] = { .check = check_address },
	[MAIL_ITEM_TLSA] = { .check = check_tlsa },
	[MAIL_ITEM_HELO_SPF] = { .names = mail_ulabel_spf, .check = check_helo_spf },
	[MAIL_ITEM_CURRENT] = { .check = check_tlsa },
	[MAIL_ITEM_NEXT] = { .check = check_tlsa },
	[MAIL_ITEM_FORM] = { .check = check_form },
	[MAIL_ITEM_VISIBLE] = { .parse = parse_visible },
	[MAIL_ITEM_KEY] = { .parse = mail_dkim_key_parse, .check = check_key },
	[MAIL_ITEM_CNAME] = { .names = mail_idna_write, .check = check_host },
	[MAIL_ITEM_TAGS] = { .check = check_tags },
	[MAIL_ITEM_DNSKEY] = { .parse = parse_dnskey },
};
/* clang-format on */

/* Values by type. */

static int put_number(const mail_item_t *item, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	uint32_t number;
	for (size_t i = 0; i < text.len; i++) {
		if (!mail_char_digit(text.data[i])) {
			return mail_diag_error(diag, i + 1, "not a decimal number");
		}
	}
	if (!mail_str_number(text, item->max, &number)) {
		return mail_diag_error(diag, 1, "more than %u", (unsigned)item->max);
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

/*! Append the stored form of a text that is trimmed and free of control characters. */
static int put_value(const mail_item_t *item, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	if (rules[item->id].parse != NULL) {
		return rules[item->id].parse(text, out, diag);
	}
	switch (item->type) {
	case MAIL_TYPE_NAME: return mail_name_normalise(text, out, diag);
	case MAIL_TYPE_DOMAIN: return mail_entry_id_normalise(MAIL_SECTION_DOMAIN, text, out, diag);
	case MAIL_TYPE_REF: return mail_entry_id_normalise(item->ref, text, out, diag);
	case MAIL_TYPE_NUMBER: return put_number(item, text, out, diag);
	case MAIL_TYPE_SWITCH: return put_switch(text, out, diag);
	case MAIL_TYPE_TIME: return parse_time(text, out, diag);
	case MAIL_TYPE_TEXT:
	case MAIL_TYPE_OCTETS: break;
	}
	return mail_buf_put(out, text.data, text.len);
}

/*! Refuse what no value of its type can be, before anything parses it. */
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
	if (item->type != MAIL_TYPE_OCTETS && !mail_str_is_text(text, &column)) {
		const char *reason = text.data[column - 1] == '\t'
		                             ? "a tab: use spaces"
		                             : "a control character, or no UTF-8";
		return mail_diag_error(diag, column, "%s", reason);
	}
	return KNOT_EOK;
}

/*! Append the stored form of a text that was trimmed. */
static int value_write(const mail_item_t *item, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	int ret = check_text(item, text, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const rule_t *rule = &rules[item->id];
	if (rule->names == NULL || mail_str_is_ascii(text)) {
		return put_value(item, text, out, diag);
	}
	mail_buf_t ascii = { 0 };
	ret = rule->names(text, &ascii, diag);
	if (ret == KNOT_EOK) {
		ret = put_value(item, mail_buf_view(&ascii), out, diag);
	}
	mail_buf_free(&ascii);
	return ret;
}

int mail_item_normalise(const mail_item_t *item, mail_str_t value, mail_buf_t *out,
                        mail_diag_t *diag)
{
	mail_str_t text = item->id == MAIL_ITEM_TXT ? value : mail_str_trim(value);
	const size_t start = out->len;
	int ret = value_write(item, text, out, diag);
	if (ret == KNOT_EOK) {
		ret = out->error;
	}
	if (ret != KNOT_EOK) {
		goto refused;
	}
	mail_str_t stored = mail_str_from(mail_buf_view(out), start);
	if (stored.len == 0 || stored.len > MAIL_VALUE_MAX) {
		ret = mail_diag_error(diag, 0, "longer than %d octets", MAIL_VALUE_MAX);
	} else if (rules[item->id].check != NULL) {
		ret = rules[item->id].check(stored, diag);
	}
refused:
	if (ret != KNOT_EOK) {
		out->len = start;
	}
	return mail_diag_shift(diag, ret, text.data - value.data);
}

int mail_item_print(const mail_item_t *item, mail_str_t stored, mail_buf_t *out)
{
	if (item->type == MAIL_TYPE_OCTETS) {
		return mail_buf_base64(out, (const uint8_t *)stored.data, stored.len);
	}
	/* A text that looks like something pasted would be read as that. */
	if (item->id == MAIL_ITEM_TXT && !mail_place_literal(stored)) {
		return mail_paste_quote(stored, out);
	}
	return mail_buf_put(out, stored.data, stored.len);
}
