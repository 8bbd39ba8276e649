/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/same.h"

#include "mail/chars.h"

/*! \brief Return whether case counts in the values of an item: ids, texts and URIs. */
static bool case_counts(const mail_item_t *item)
{
	return item->type == MAIL_TYPE_REF || item->type == MAIL_TYPE_OCTETS ||
	       item->id == MAIL_ITEM_TXT || item->id == MAIL_ITEM_TLS_RPT ||
	       item->id == MAIL_ITEM_BIMI || item->id == MAIL_ITEM_DMARC ||
	       item->id == MAIL_ITEM_DMARC_RAMP || item->id == MAIL_ITEM_CAA ||
	       item->id == MAIL_ITEM_DNSKEY;
}

/*! \brief Return whether case counts in what follows a type of record. */
static bool type_has_text(mail_str_t word)
{
	static const char *const types[] = { "TXT",  "SPF",    "CAA",        "HINFO",  "NAPTR",
		                             "URI",  "DNSKEY", "OPENPGPKEY", "CERT",   "KEY",
		                             "SVCB", "HTTPS",  "SSHFP",      "CDNSKEY" };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (mail_str_is_nocase(word, types[i])) {
			return true;
		}
	}
	return false;
}

/*! \brief Take the quotes off a word that has them at both its ends. */
static mail_str_t unquoted(mail_str_t word)
{
	const bool quoted = word.len >= 2 && word.data[0] == '"' && word.data[word.len - 1] == '"';
	return quoted ? mail_str_part(word, 1, word.len - 2) : word;
}

/*! \brief Take the '+' off an SPF term: it is what counts without a qualifier (RFC 7208 4.6.2). */
static mail_str_t bare_term(const mail_item_t *item, mail_str_t word)
{
	const bool term = item->id == MAIL_ITEM_SPF || item->id == MAIL_ITEM_HELO_SPF;
	return term && word.len > 1 && word.data[0] == '+' ? mail_str_from(word, 1) : word;
}

static bool same_word(mail_str_t a, mail_str_t b, bool case_of)
{
	uint8_t left[16], right[16];
	const size_t len = mail_str_address(a, left);
	if (len > 0) {
		return len == mail_str_address(b, right) && memcmp(left, right, len) == 0;
	}
	a = unquoted(a);
	b = unquoted(b);
	return case_of ? mail_str_equal(a, b) : mail_str_same(a, b);
}

bool same_value(const mail_item_t *item, mail_str_t a, mail_str_t b)
{
	if (mail_str_equal(a, b)) {
		return true;
	}
	/* White space is part of a text. */
	if (item->id == MAIL_ITEM_TXT || item->type == MAIL_TYPE_OCTETS) {
		return false;
	}
	bool case_of = case_counts(item);
	mail_str_t one, other;
	size_t pos = 0, pos_of_other = 0;
	while (mail_str_word(a, &pos, &one)) {
		if (!mail_str_word(b, &pos_of_other, &other) ||
		    !same_word(bare_term(item, one), bare_term(item, other), case_of)) {
			return false;
		}
		case_of = case_of || (item->id == MAIL_ITEM_RECORD && type_has_text(one));
	}
	return !mail_str_word(b, &pos_of_other, &other);
}
