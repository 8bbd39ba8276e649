/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an entry must and must not hold as a whole. That its members are such as its section knows, with the
 * operations that their items know, is seen to by mail_entry_add().
 */
#include "mail/entry.h"

#include <stdio.h>
#include <time.h>

#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/rollover.h"
#include "mail/time.h"

/* Notes a reason at a member (or at none). */
#define FAIL(diag, member, ...) fail_at((diag), (member), mail_diag_error((diag), 0, __VA_ARGS__))

static int fail_at(mail_diag_t *diag, const mail_member_t *member, int ret)
{
	if (diag != NULL) {
		diag->line = member != NULL ? member->line : 0;
	}
	return ret;
}

static const mail_member_t *set_of(const mail_entry_t *entry, mail_item_id_t item)
{
	return mail_entry_member(entry, item, MAIL_OP_SET);
}

/*! Return whether two values of dmarc-ramp say what a tag is from the same time on. */
static bool same_step(mail_str_t a, mail_str_t b)
{
	mail_str_t time, word, tag, value;
	size_t pos = 0, at = 0;
	if (!mail_str_word(a, &pos, &time) || !mail_str_word(b, &at, &word) ||
	    !mail_str_equal(time, word)) {
		return false;
	}
	while (mail_str_word(a, &pos, &word)) {
		mail_str_t other, name;
		if (!mail_str_tag(word, &tag, &value)) {
			continue;
		}
		for (size_t next = at; mail_str_word(b, &next, &other);) {
			if (mail_str_tag(other, &name, &value) && mail_str_equal(name, tag)) {
				return true;
			}
		}
	}
	return false;
}

/*! A tag can have one value from a time on. */
static int check_ramp(const mail_member_t *ramp, mail_diag_t *diag)
{
	for (size_t i = 0; ramp != NULL && i < ramp->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!same_step(ramp->values[j].text, ramp->values[i].text)) {
				continue;
			}
			(void)FAIL(diag, ramp,
			           "dmarc-ramp: a tag is given twice for the same time");
			if (diag != NULL && ramp->values[i].line != 0) {
				diag->line = ramp->values[i].line;
			}
			return KNOT_EINVAL;
		}
	}
	return KNOT_EOK;
}

static int check_ramps(const mail_entry_t *entry, mail_diag_t *diag)
{
	int ret = check_ramp(set_of(entry, MAIL_ITEM_DMARC_RAMP), diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return check_ramp(mail_entry_member(entry, MAIL_ITEM_DMARC_RAMP, MAIL_OP_ADD), diag);
}

static int check_domain(const mail_entry_t *entry, mail_diag_t *diag)
{
	const mail_member_t *policy = set_of(entry, MAIL_ITEM_POLICY);
	const mail_member_t *alias = set_of(entry, MAIL_ITEM_ALIAS);
	if (policy == NULL && alias == NULL) {
		return FAIL(diag, NULL, "needs a policy or an alias");
	}
	if (alias == NULL) {
		return check_ramps(entry, diag);
	}
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *other = &entry->members[i];
		if (other->item->id != MAIL_ITEM_ALIAS &&
		    (other->item->flags & MAIL_FLAG_KEPT) == 0) {
			return FAIL(diag, other,
			            "%s: an alias has all from its target and sets nothing itself",
			            other->item->name);
		}
	}
	if (mail_str_equal(alias->values[0].text, entry->id)) {
		return FAIL(diag, alias, "alias: a domain cannot be an alias of itself");
	}
	return KNOT_EOK;
}

/* publish <= activate <= retire <= remove, as far as they are given. */
static int check_times(const mail_entry_t *entry, mail_diag_t *diag)
{
	static const mail_item_id_t order[] = { MAIL_ITEM_PUBLISH, MAIL_ITEM_ACTIVATE,
		                                MAIL_ITEM_RETIRE, MAIL_ITEM_REMOVE };
	const mail_member_t *before = NULL;
	int64_t then = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const mail_member_t *member = set_of(entry, order[i]);
		int64_t when;
		if (member == NULL ||
		    mail_time_parse(member->values[0].text, &when, NULL) != KNOT_EOK) {
			continue;
		}
		if (before != NULL && when < then) {
			return FAIL(diag, member, "%s: is before %s", member->item->name,
			            before->item->name);
		}
		before = member;
		then = when;
	}
	return KNOT_EOK;
}

static int check_dkim(const mail_entry_t *entry, mail_diag_t *diag)
{
	const mail_member_t *key = set_of(entry, MAIL_ITEM_KEY);
	const mail_member_t *cname = set_of(entry, MAIL_ITEM_CNAME);
	if (key == NULL && cname == NULL) {
		return FAIL(diag, NULL, "needs a key or a cname");
	}
	if (key != NULL && cname != NULL) {
		return FAIL(diag, cname, "cname: there is a key already, and both cannot be");
	}
	const mail_member_t *tags = set_of(entry, MAIL_ITEM_TAGS);
	if (tags != NULL && key != NULL &&
	    mail_dkim_tags_fit(tags->values[0].text, key->values[0].text, diag) != KNOT_EOK) {
		return fail_at(diag, tags, KNOT_EINVAL);
	}
	return check_times(entry, diag);
}

/*! Check that a key is none of the count keys before it, and has a tag of its own. */
static int check_differs(const mail_dnskey_t *key, const mail_dnskey_t *before, size_t count,
                         mail_diag_t *diag)
{
	for (size_t i = 0; i < count; i++) {
		if (key->algorithm != before[i].algorithm) {
			continue;
		}
		if (key->tag == before[i].tag) {
			return mail_diag_error(diag, 0, "two keys with the tag %u", key->tag);
		}
		if (key->public_len == before[i].public_len &&
		    memcmp(key->public_key, before[i].public_key, key->public_len) == 0) {
			return mail_diag_error(diag, 0, "%u and %u are one key in two roles",
			                       before[i].tag, key->tag);
		}
	}
	return KNOT_EOK;
}

/*! Keys are told apart by algorithm and tag: in RRSIG and DS, and in the names of their files. */
static int check_keys(const mail_entry_t *entry, mail_diag_t *diag)
{
	const mail_member_t *member = set_of(entry, MAIL_ITEM_DNSKEY);
	mail_dnskey_t keys[MAIL_LIST_MAX];
	for (size_t i = 0; member != NULL && i < member->count && i < MAIL_LIST_MAX; i++) {
		int ret = mail_dnskey_parse(member->values[i].text, &keys[i], diag);
		if (ret == KNOT_EOK) {
			ret = check_differs(&keys[i], keys, i, diag);
		}
		if (ret != KNOT_EOK) {
			char reason[sizeof(diag->text)];
			(void)snprintf(reason, sizeof(reason), "%s",
			               diag != NULL ? diag->text : "");
			(void)fail_at(diag, member, ret);
			if (diag != NULL && member->values[i].line != 0) {
				diag->line = member->values[i].line;
			}
			return mail_diag_error(diag, 0, "key: %s", reason);
		}
	}
	/* What was is over; what is to come must not break the chain. */
	mail_keyset_t set;
	int ret = mail_keyset_read(entry, &set, diag);
	if (ret == KNOT_EOK) {
		ret = mail_keyset_check(&set, time(NULL), diag);
	}
	return ret == KNOT_EOK ? ret : fail_at(diag, member, ret);
}

int mail_entry_check(const mail_entry_t *entry, mail_diag_t *diag)
{
	if (entry->deleted) {
		return entry->count == 0
		               ? KNOT_EOK
		               : FAIL(diag, &entry->members[0], "%s: a deleted entry has no items",
		                      entry->members[0].item->name);
	}
	switch (entry->section) {
	case MAIL_SECTION_HOST:
		if (set_of(entry, MAIL_ITEM_NAME) == NULL) {
			return FAIL(diag, NULL, "needs a name");
		}
		return KNOT_EOK;
	case MAIL_SECTION_CERTIFICATE:
		if (set_of(entry, MAIL_ITEM_CURRENT) == NULL &&
		    set_of(entry, MAIL_ITEM_NEXT) == NULL) {
			return FAIL(diag, NULL, "needs current or next");
		}
		return KNOT_EOK;
	case MAIL_SECTION_DKIM: return check_dkim(entry, diag);
	case MAIL_SECTION_KEYSET: return check_keys(entry, diag);
	case MAIL_SECTION_DOMAIN: return check_domain(entry, diag);
	case MAIL_SECTION_POLICY: return check_ramps(entry, diag);
	default: return KNOT_EOK;
	}
}
