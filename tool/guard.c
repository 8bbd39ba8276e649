/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/guard.h"

#include <search.h>
#include <stdlib.h>
#include <time.h>

#include "mail/plan.h"
#include "mail/rollover.h"

/* Of more domains at once only their policies are looked at. */
#define NOTED_MAX 100000
/* As long as keyset.c waits for every server. */
#define DELAY 3600

struct guard {
	mail_txn_t *before; /*!< What is stored now. */
	bool policies, sets;
	void *domains; /*!< Tree of the names of noted domains. */
	size_t count;
};

/*! \brief What is looked at, for messages. */
typedef struct {
	tool_t *tool;
	mail_section_t section;
	const char *id;
	bool deleted;
	int status;
} subject_t;

static int guard_begin(tool_t *tool)
{
	if (tool->guard != NULL) {
		return KNOT_EOK;
	}
	tool->guard = calloc(1, sizeof(*tool->guard));
	return tool->guard != NULL
	               ? mail_txn_begin(tool->store, MAIL_STORE_READ, &tool->guard->before)
	               : KNOT_ENOMEM;
}

void guard_free(tool_t *tool)
{
	if (tool->guard != NULL) {
		mail_txn_abort(tool->guard->before);
		tdestroy(tool->guard->domains, free);
		free(tool->guard);
		tool->guard = NULL;
	}
}

/*! \brief Says whether two entries set an item differently. */
static bool differs(const mail_entry_t *a, const mail_entry_t *b, mail_item_id_t item)
{
	return !mail_str_equal(mail_entry_value(a, item), mail_entry_value(b, item)) ||
	       (mail_entry_member(a, item, MAIL_OP_NONE) != NULL) !=
	               (mail_entry_member(b, item, MAIL_OP_NONE) != NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int guard_note(tool_t *tool, const mail_entry_t *entry)
{
	mail_entry_t *old = NULL;
	if (entry->section != MAIL_SECTION_POLICY && entry->section != MAIL_SECTION_DOMAIN &&
	    entry->section != MAIL_SECTION_KEYSET) {
		return KNOT_EOK;
	}
	int ret = guard_begin(tool);
	if (ret != KNOT_EOK) {
		return ret;
	}
	struct guard *guard = tool->guard;
	guard->policies |= entry->section == MAIL_SECTION_POLICY;
	guard->sets |= entry->section == MAIL_SECTION_KEYSET;
	if (entry->section != MAIL_SECTION_DOMAIN) {
		return KNOT_EOK;
	}
	/* Only what is there already can lose anything. */
	if (guard->count >= NOTED_MAX ||
	    mail_txn_get(guard->before, entry->section, entry->id, &old) != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (entry->deleted || differs(old, entry, MAIL_ITEM_POLICY) ||
	    differs(old, entry, MAIL_ITEM_ALIAS) || differs(old, entry, MAIL_ITEM_KEY_SET)) {
		char *name = strndup(entry->id.data, entry->id.len);
		char **node = name != NULL ? tsearch(name, &guard->domains, by_name) : NULL;
		ret = node != NULL ? KNOT_EOK : KNOT_ENOMEM;
		guard->count += node != NULL && *node == name;
		if (node == NULL || *node != name) {
			free(name);
		}
	}
	mail_entry_free(old);
	return ret;
}

/*! \brief The key set that a policy or domain has in a transaction; empty when it has none. */
static void set_of(mail_txn_t *txn, const subject_t *subject, mail_keyset_t *set, uint32_t *ttl)
{
	mail_profile_t *profile = NULL;
	mail_str_t id = MAIL_STR(subject->id);
	int ret = subject->section == MAIL_SECTION_KEYSET ? KNOT_ENOENT
	          : subject->section == MAIL_SECTION_DOMAIN
	                  ? mail_profile_of_domain(mail_txn_source(txn), id, &profile, NULL)
	                  : mail_profile_of_policy(mail_txn_source(txn), id, &profile, NULL);
	mail_entry_t *entry = NULL;
	*set = (mail_keyset_t){ .leave = INT64_MAX };
	*ttl = 0;
	if (subject->section != MAIL_SECTION_KEYSET) {
		id = ret == KNOT_EOK ? mail_profile_value(profile, MAIL_ITEM_KEY_SET)
		                     : (mail_str_t){ NULL, 0 };
	}
	if (id.len > 0 && mail_txn_get(txn, MAIL_SECTION_KEYSET, id, &entry) == KNOT_EOK &&
	    mail_keyset_read(entry, set, NULL) != KNOT_EOK) {
		set->count = 0;
	}
	if (ret == KNOT_EOK) {
		*ttl = mail_profile_number(profile, MAIL_ITEM_TTL, 3600);
	}
	mail_entry_free(entry);
	mail_profile_free(profile);
}

/*! \brief Says whether a set has a key, published. */
static bool has(mail_keyset_t *set, const mail_dnskey_t *key, int64_t now)
{
	const mail_dnskey_t *same = mail_keyset_find(set, key->tag, key->algorithm);
	return same != NULL && same->role == key->role && mail_dnskey_published(same, now) &&
	       same->public_len == key->public_len &&
	       memcmp(same->public_key, key->public_key, key->public_len) == 0;
}

/*!
 * \brief Says whether the keys of b go on where those of a are: who has records of the one and keys of the other in
 * his cache must be able to validate.
 */
static bool goes_on(mail_keyset_t *a, mail_keyset_t *b, int64_t now)
{
	for (size_t i = 0; i < a->count; i++) {
		const mail_dnskey_t *key = &a->keys[i];
		const bool needed = mail_dnskey_signs_zone(key, now) ||
		                    (key->ds_seen <= now && mail_dnskey_published(key, now));
		if (needed && mail_dnskey_published(key, now) && !has(b, key, now)) {
			return false;
		}
	}
	for (size_t i = 0; i < b->count; i++) {
		const mail_dnskey_t *key = &b->keys[i];
		if (mail_dnskey_signs_zone(key, now) && mail_dnskey_published(key, now) &&
		    !has(a, key, now)) {
			return false;
		}
	}
	return true;
}

/*! \brief A key whose DS is, or may be, at the parent; or NULL. */
static const mail_dnskey_t *anchored(const mail_keyset_t *set, int64_t now, bool *seen)
{
	const mail_dnskey_t *found = NULL;
	*seen = false;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (key->role == MAIL_ROLE_ZSK || !mail_dnskey_published(key, now) ||
		    key->ds > now) {
			continue;
		}
		if (found == NULL || (key->ds_seen <= now && !*seen)) {
			found = key;
		}
		*seen |= key->ds_seen <= now;
	}
	return found;
}

/*! \brief A domain begins to be signed: caches have what is not. */
static void warn_early(const subject_t *subject, const mail_keyset_t *set, int64_t now,
                       uint32_t ttl)
{
	const int64_t from = now + DELAY + ttl;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (key->role != MAIL_ROLE_ZSK && key->ds < from && key->remove > now) {
			tool_warn(subject->tool,
			          "%s %s is signed from now on: its parents should not have the DS "
			          "before %s, when no cache has unsigned records",
			          mail_section_name(subject->section), subject->id,
			          tool_time(from));
			return;
		}
	}
}

static void compare(subject_t *subject)
{
	static mail_keyset_t before, after;
	tool_t *tool = subject->tool;
	const int64_t now = time(NULL);
	uint32_t ttl, new_ttl;
	bool seen;
	set_of(tool->guard->before, subject, &before, &ttl);
	set_of(tool->txn, subject, &after, &new_ttl);
	const mail_dnskey_t *key = anchored(&before, now, &seen);
	if (before.count == 0) {
		if (after.count > 0 && !subject->deleted && ttl > 0) {
			warn_early(subject, &after, now, ttl);
		}
		return;
	}
	if (key == NULL || goes_on(&before, &after, now)) {
		return;
	}
	const char *section = mail_section_name(subject->section);
	if (subject->deleted) {
		tool_warn(tool, "%s %s is deleted; the DS of key %u %s at its parents", section,
		          subject->id, key->tag, seen ? "is" : "may be");
	} else if (seen && !option_is(tool, OPT_FORCE)) {
		subject->status = tool_error(
			tool, KNOT_EINVAL,
			"%s %s: the DS of key %u is at the parents, and the keys change: validators "
			"would refuse every answer. Import the old keys into the new set first "
			"(key-import --ds-seen), or leave DNSSEC (key-retire --all), or --force",
			section, subject->id, key->tag);
	} else {
		tool_warn(tool,
		          "%s %s: the keys change while the DS of key %u %s at the parents: "
		          "validators refuse every answer as long as it is there",
		          section, subject->id, key->tag, seen ? "is" : "may be");
	}
}

/*! \brief Looks at a policy or key set that is there now. */
static int check_entry(tool_t *tool, const mail_entry_t *entry)
{
	char *id = strndup(entry->id.data, entry->id.len);
	mail_entry_t *new = NULL;
	subject_t subject = {
		.tool = tool, .section = entry->section, .id = id, .status = STATUS_DONE
	};
	if (id == NULL) {
		return tool_error(tool, KNOT_ENOMEM, "out of memory");
	}
	/* Nobody follows one that is deleted. */
	if (mail_txn_get(tool->txn, entry->section, entry->id, &new) == KNOT_EOK) {
		compare(&subject);
	}
	mail_entry_free(new);
	free(id);
	return subject.status;
}

static void check_domain(const void *node, VISIT visit, void *closure)
{
	subject_t *subject = closure;
	mail_entry_t *new = NULL;
	if (visit != postorder && visit != leaf) {
		return;
	}
	subject->id = *(const char *const *)node;
	subject->deleted = mail_txn_get(subject->tool->txn, MAIL_SECTION_DOMAIN,
	                                MAIL_STR(subject->id), &new) != KNOT_EOK;
	mail_entry_free(new);
	if (subject->status == STATUS_DONE) {
		compare(subject);
	}
}

static int check_section(tool_t *tool, mail_section_t section)
{
	mail_lf_storage_t key = { 0 };
	int status = STATUS_DONE;
	while (status == STATUS_DONE) {
		mail_entry_t *entry = NULL;
		int ret = mail_txn_next(tool->guard->before, section, &key, &entry);
		if (ret == KNOT_ENOENT || ret == KNOT_ENOMEM) {
			break;
		}
		if (ret == KNOT_EOK) {
			status = check_entry(tool, entry);
		}
		mail_entry_free(entry);
	}
	return status;
}

int guard_check(tool_t *tool)
{
	struct guard *guard = tool->guard;
	int status = STATUS_DONE;
	if (guard != NULL && guard->sets) {
		status = check_section(tool, MAIL_SECTION_KEYSET);
	}
	if (guard != NULL && guard->policies && status == STATUS_DONE) {
		status = check_section(tool, MAIL_SECTION_POLICY);
	}
	if (guard != NULL && status == STATUS_DONE) {
		subject_t subject = { .tool = tool,
			              .section = MAIL_SECTION_DOMAIN,
			              .status = STATUS_DONE };
		twalk_r(guard->domains, check_domain, &subject);
		status = subject.status;
	}
	guard_free(tool);
	return status;
}
