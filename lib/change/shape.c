/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shape of a domain: what the checks of its records depend on.  Domains of one shape differ in addresses, in texts
 * that mean nothing here, and in their own name; so what was found of one of them holds for all, and of a million
 * customers with a web server and a verification string each, one is compiled.
 *
 *     shape  = policy *member
 *     member = item op count *value
 *     value  = "r" octets                 ; as it is; in reports, the domain's name is a hole
 *            / "a" number owner ttl type  ; an address at a name where the policy has none of that type
 *            / "t" number                 ; a text without a version
 *
 * The number is that of the first value of the member that is the same, since one that is given twice is told of.
 */
#include "config.h"

#include <string.h>

#include "change/shape.h"
#include "mail/chars.h"
#include "mail/kind.h"

/*! Items that may make addresses, or may hide those that are given. */
static bool makes_addresses(mail_item_id_t item)
{
	switch (item) {
	case MAIL_ITEM_HOST:
	case MAIL_ITEM_NS:
	case MAIL_ITEM_MTA_STS:
	case MAIL_ITEM_MTA_STS_HOST:
	case MAIL_ITEM_AUTOCONFIG:
	case MAIL_ITEM_AUTODISCOVER: return true;
	default: return false;
	}
}

/*! A literal record of an address, taken apart. */
typedef struct {
	mail_str_t owner, ttl, type, address;
} address_t;

/*! Take a record apart. \return false: it is none of an address, or not written as it is stored. */
static bool address_read(mail_str_t text, address_t *record)
{
	*record = (address_t){ 0 };
	size_t pos = 0;
	mail_str_t word;
	if (!mail_str_word(text, &pos, &record->owner) ||
	    !mail_str_word(text, &pos, &record->type) ||
	    !mail_str_word(text, &pos, &record->address)) {
		return false;
	}
	if (mail_str_word(text, &pos, &word)) {
		record->ttl = record->type;
		record->type = record->address;
		record->address = word;
	}
	return !mail_str_word(text, &pos, &word) &&
	       (mail_str_is(record->type, "A") || mail_str_is(record->type, "AAAA")) &&
	       (record->ttl.len == 0 || mail_char_digit(record->ttl.data[0]));
}

/*! Return whether a plan has an address of this type at a name. */
static bool plan_has(const mail_plan_t *plan, const address_t *record)
{
	mail_pattern_t owner;
	knot_dname_storage_t name;
	mail_lf_storage_t lf;
	const uint16_t type = mail_str_is(record->type, "A") ? KNOT_RRTYPE_A : KNOT_RRTYPE_AAAA;
	if (mail_pattern_parse(record->owner, &owner, NULL) != KNOT_EOK || !owner.hole ||
	    owner.tail_len > 0) {
		return true;
	}
	owner.hole = false;
	if (mail_pattern_name(&owner, NULL, name) != KNOT_EOK) {
		return true;
	}
	mail_name_lf(name, &lf);
	const mail_owner_t *there = mail_owners_find(&plan->relative, mail_lf(&lf), NULL);
	for (size_t i = 0; there != NULL && i < there->count; i++) {
		if (there->rows[i].type == type) {
			return true;
		}
	}
	return false;
}

/*! Return the number of an address in its member. Of one name, what is the same is written in the same way. */
static size_t address_number(const mail_member_t *member, size_t i, const address_t *record)
{
	for (size_t j = 0; j < i; j++) {
		address_t other;
		if (address_read(member->values[j].text, &other) &&
		    mail_str_equal(other.owner, record->owner) &&
		    mail_str_equal(other.type, record->type) &&
		    mail_str_equal(other.address, record->address)) {
			return j;
		}
	}
	return i;
}

/*! Return whether a text is one that no reader of mail's records takes for his. */
static bool is_opaque(mail_str_t text)
{
	if (memmem(text.data, text.len, MAIL_HOLE, strlen(MAIL_HOLE)) != NULL) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		size_t end = i;
		while (text.data[i] == '=' && end > 0 && mail_char_in(text.data[end - 1], " \t")) {
			end--;
		}
		if (text.data[i] == '=' && end > 0 &&
		    (text.data[end - 1] == 'v' || text.data[end - 1] == 'V')) {
			return false;
		}
	}
	return true;
}

/*! Return whether the apex of a plan has texts of the item txt. */
static bool has_texts(const mail_plan_t *plan)
{
	const mail_owner_t *apex = mail_owners_find(&plan->relative, (mail_lf_t){ NULL, 0 }, NULL);
	for (size_t i = 0; apex != NULL && i < apex->count; i++) {
		if (apex->rows[i].kind == MAIL_KIND_TXT) {
			return true;
		}
	}
	return false;
}

static size_t text_number(const mail_member_t *member, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (mail_str_equal(member->values[j].text, member->values[i].text)) {
			return j;
		}
	}
	return i;
}

static bool is_of_name(char c)
{
	return mail_char_alnum(c) || mail_char_in(c, "-_\\") || (uint8_t)c > '~';
}

/*! Write a value in which the name of the domain, as a whole name or the end of one, is a hole. */
static void holes_write(mail_str_t text, mail_str_t domain, mail_buf_t *out)
{
	size_t at = 0;
	while (at < text.len) {
		const mail_str_t rest = mail_str_from(text, at);
		const char *found = memmem(rest.data, rest.len, domain.data, domain.len);
		if (found == NULL) {
			break;
		}
		const size_t start = (size_t)(found - text.data), end = start + domain.len;
		const bool whole = (start == 0 || !is_of_name(text.data[start - 1])) &&
		                   (end == text.len ||
		                    (!is_of_name(text.data[end]) && text.data[end] != '.'));
		(void)mail_buf_put(out, text.data + at, start - at);
		if (whole) {
			(void)mail_buf_u8(out, '\0');
		} else {
			(void)mail_buf_put(out, found, domain.len);
		}
		at = end;
	}
	(void)mail_buf_put(out, text.data + at, text.len - at);
}

/*! Write a value as it is. \return false: what it leads to may be the domain's own DKIM keys. */
static bool raw_write(mail_item_id_t item, mail_str_t text, mail_str_t domain, mail_buf_t *out)
{
	static const char keys[] = "_domainkey";
	const bool reports = item == MAIL_ITEM_DMARC || item == MAIL_ITEM_TLS_RPT;
	if (memmem(text.data, text.len, keys, strlen(keys)) != NULL) {
		return false;
	}
	(void)mail_buf_u8(out, 'r');
	if (reports) {
		holes_write(text, domain, out);
	} else {
		(void)mail_buf_put(out, text.data, text.len);
	}
	/* No text has this octet. */
	(void)mail_buf_u8(out, '\n');
	return true;
}

/*! Return whether the addresses of records can be left out. */
static bool addresses_left_out(const mail_entry_t *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (makes_addresses(entry->members[i].item->id)) {
			return false;
		}
	}
	return true;
}

/*! What the values of a member are written with. */
typedef struct {
	const mail_entry_t *entry;
	const mail_plan_t *plan;
	bool addresses, texts; /*!< They can be left out. */
} writing_t;

static bool value_write(const writing_t *writing, const mail_member_t *member, size_t i,
                        mail_buf_t *out)
{
	const mail_str_t text = member->values[i].text;
	address_t record;
	if (member->item->id == MAIL_ITEM_TXT && writing->texts && is_opaque(text)) {
		(void)mail_buf_u8(out, 't');
		(void)mail_buf_u8(out, (uint8_t)text_number(member, i));
		return true;
	}
	if (member->item->id == MAIL_ITEM_RECORD && writing->addresses &&
	    address_read(text, &record) && !plan_has(writing->plan, &record)) {
		(void)mail_buf_u8(out, 'a');
		(void)mail_buf_u8(out, (uint8_t)address_number(member, i, &record));
		(void)mail_buf_put(out, text.data, (size_t)(record.address.data - text.data));
		(void)mail_buf_u8(out, '\n');
		return true;
	}
	return raw_write(member->item->id, text, writing->entry->id, out);
}

bool mail_change_shape(const mail_entry_t *entry, const mail_plan_t *plan, mail_buf_t *out)
{
	const writing_t writing = { entry, plan, addresses_left_out(entry), !has_texts(plan) };
	out->len = 0;
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		(void)mail_buf_u8(out, (uint8_t)member->item->id);
		(void)mail_buf_u8(out, (uint8_t)member->op);
		(void)mail_buf_u8(out, (uint8_t)member->count);
		for (size_t j = 0; j < member->count; j++) {
			if (!value_write(&writing, member, j, out)) {
				return false;
			}
		}
	}
	return out->error == KNOT_EOK;
}
