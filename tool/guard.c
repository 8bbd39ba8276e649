/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/guard.h"

#include <stdlib.h>
#include <time.h>

#include "mail/plan.h"
#include "mail/rollover.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* Of more domains at once only their policies are looked at. */
#define NOTED_MAX 100000

struct guard {
	mail_txn_t *before; /*!< What is stored now. */
	bool policies, sets;
	char **domains; /*!< Names of noted domains; some more than once. */
	size_t count;
};

void guard_free(tool_t *tool)
{
	struct guard *guard = tool->guard;
	if (guard == NULL) {
		return;
	}
	mail_txn_abort(guard->before);
	for (size_t i = 0; i < guard->count; i++) {
		free(guard->domains[i]);
	}
	free(guard->domains);
	free(guard);
	tool->guard = NULL;
}

/*! \brief Return whether two entries set an item differently. */
static bool differs(const mail_entry_t *a, const mail_entry_t *b, mail_item_id_t item)
{
	return !mail_str_equal(mail_entry_value(a, item), mail_entry_value(b, item)) ||
	       (mail_entry_member(a, item, MAIL_OP_NONE) != NULL) !=
	               (mail_entry_member(b, item, MAIL_OP_NONE) != NULL);
}

static int note_domain(struct guard *guard, mail_str_t id)
{
	/* Grown whenever the count reaches a power of two. */
	if ((guard->count & (guard->count - 1)) == 0) {
		char **grown = realloc(guard->domains, (2 * guard->count + 1) * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		guard->domains = grown;
	}
	char *name = strndup(id.data, id.len);
	if (name == NULL) {
		return KNOT_ENOMEM;
	}
	guard->domains[guard->count++] = name;
	return KNOT_EOK;
}

int guard_note(tool_t *tool, const mail_entry_t *entry)
{
	int ret = KNOT_EOK;
	if (entry->section != MAIL_SECTION_POLICY && entry->section != MAIL_SECTION_DOMAIN &&
	    entry->section != MAIL_SECTION_KEYSET) {
		return KNOT_EOK;
	}
	if (tool->guard == NULL) {
		tool->guard = tool_memory(tool, calloc(1, sizeof(*tool->guard)));
		ret = mail_txn_begin(tool->store, MAIL_STORE_READ, &tool->guard->before);
	}
	struct guard *guard = tool->guard;
	guard->policies |= entry->section == MAIL_SECTION_POLICY;
	guard->sets |= entry->section == MAIL_SECTION_KEYSET;
	/* Only a domain that is there already can lose anything. */
	mail_entry_t *old = NULL;
	if (ret != KNOT_EOK || entry->section != MAIL_SECTION_DOMAIN || guard->count >= NOTED_MAX ||
	    mail_txn_get(guard->before, entry->section, entry->id, &old) != KNOT_EOK) {
		return ret;
	}
	if (entry->deleted || differs(old, entry, MAIL_ITEM_POLICY) ||
	    differs(old, entry, MAIL_ITEM_ALIAS) || differs(old, entry, MAIL_ITEM_KEY_SET)) {
		ret = note_domain(guard, entry->id);
	}
	mail_entry_free(old);
	return ret;
}

/*! \brief The keys of a policy or domain, or of a key set itself. */
typedef struct {
	mail_keyset_t set; /*!< Empty: there is none. */
	int64_t ds_from;   /*!< Whatever its keys say, its DS is not named before. */
} keys_t;

/*! \brief Read the keys that an entry has in a transaction. */
static void keys_of(mail_txn_t *txn, mail_section_t section, mail_str_t id, keys_t *keys)
{
	const mail_source_t *source = mail_txn_source(txn);
	mail_profile_t *profile = NULL;
	mail_entry_t *entry = NULL;
	int ret = KNOT_EOK;
	*keys = (keys_t){ .set = { .leave = INT64_MAX } };
	if (section == MAIL_SECTION_DOMAIN) {
		ret = mail_profile_of_domain(source, id, &profile, NULL);
	} else if (section == MAIL_SECTION_POLICY) {
		ret = mail_profile_of_policy(source, id, &profile, NULL);
	}
	if (ret == KNOT_EOK && profile != NULL) {
		id = mail_profile_value(profile, MAIL_ITEM_KEY_SET);
		keys->ds_from = mail_profile_ds_from(profile);
	}
	if (ret == KNOT_EOK && id.len > 0 &&
	    mail_txn_get(txn, MAIL_SECTION_KEYSET, id, &entry) == KNOT_EOK &&
	    mail_keyset_read(entry, &keys->set, NULL) != KNOT_EOK) {
		keys->set.count = 0;
	}
	mail_entry_free(entry);
	mail_profile_free(profile);
}

/*!
 * \brief Say from when on the DS of something that begins to be signed is named: caches have what is not. The time of
 *        the keys themselves was said when they were made.
 */
static void note_wait(tool_t *tool, const char *what, const keys_t *after, int64_t now)
{
	int64_t from = mail_keyset_ds(&after->set, now);
	if (from < after->ds_from) {
		from = after->ds_from;
	}
	if (after->ds_from > now && from < INT64_MAX) {
		tool_warn(tool,
		          "%s is signed from now on. Its parents should not have the DS before %s, "
		          "when no cache has unsigned records; DS, CDS and CDNSKEY appear by "
		          "themselves then",
		          what, tool_time(from));
	}
}

/*! \brief Compare the keys of a policy, domain or key set before and after the change. */
static int compare(tool_t *tool, mail_section_t section, mail_str_t id)
{
	static keys_t before, after;
	const int64_t now = time(NULL);
	mail_entry_t *entry = NULL;
	const bool deleted = mail_txn_get(tool->txn, section, id, &entry) != KNOT_EOK;
	mail_entry_free(entry);
	/* Nobody follows a policy or set that is deleted. */
	if (deleted && section != MAIL_SECTION_DOMAIN) {
		return STATUS_DONE;
	}
	char what[320];
	(void)snprintf(what, sizeof(what), "%s %.*s", mail_section_name(section), (int)id.len,
	               id.data);
	keys_of(tool->guard->before, section, id, &before);
	keys_of(tool->txn, section, id, &after);
	if (before.set.count == 0) {
		if (after.set.count > 0 && section != MAIL_SECTION_KEYSET) {
			note_wait(tool, what, &after, now);
		}
		return STATUS_DONE;
	}
	const mail_dnskey_t *key = mail_keyset_anchor(&before.set, now);
	if (key == NULL || before.ds_from > now) {
		return STATUS_DONE;
	}
	const bool seen = key->ds_seen <= now;
	const bool on = mail_keyset_goes_on(&before.set, &after.set, now);
	if (deleted) {
		tool_warn(tool, "%s is deleted; the DS of key %u %s at its parents", what, key->tag,
		          seen ? "is" : "may be");
		return STATUS_DONE;
	}
	if (on && after.ds_from > now && !option_is(tool, OPT_FORCE)) {
		return tool_error(
			tool, KNOT_EINVAL,
			"%s: the DS of key %u %s at the parents, and would be named no more "
			"until %s, from when on what it follows now may have a DS: wait "
			"until then, or --force",
			what, key->tag, seen ? "is" : "may be", tool_time(after.ds_from));
	}
	if (on) {
		return STATUS_DONE;
	}
	if (!seen || option_is(tool, OPT_FORCE)) {
		tool_warn(tool,
		          "%s: the keys change while the DS of key %u %s at the parents: "
		          "validators refuse every answer as long as it is there",
		          what, key->tag, seen ? "is" : "may be");
		return STATUS_DONE;
	}
	return tool_error(tool, KNOT_EINVAL,
	                  "%s: the DS of key %u is at the parents, and the keys change: validators "
	                  "would refuse every answer. Import the old keys into the new set first "
	                  "(key-import --ds-seen), or leave DNSSEC (key-retire --all), or --force",
	                  what, key->tag);
}

/*! \brief Compare all stored entries of a section. */
static int compare_section(tool_t *tool, mail_section_t section)
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
			status = compare(tool, section, entry->id);
		}
		mail_entry_free(entry);
	}
	return status;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int guard_check(tool_t *tool)
{
	struct guard *guard = tool->guard;
	int status = STATUS_DONE;
	if (guard == NULL) {
		return STATUS_DONE;
	}
	if (guard->sets) {
		status = compare_section(tool, MAIL_SECTION_KEYSET);
	}
	if (guard->policies && status == STATUS_DONE) {
		status = compare_section(tool, MAIL_SECTION_POLICY);
	}
	if (guard->count > 0) {
		qsort(guard->domains, guard->count, sizeof(*guard->domains), by_name);
	}
	for (size_t i = 0; i < guard->count && status == STATUS_DONE; i++) {
		if (i == 0 || strcmp(guard->domains[i], guard->domains[i - 1]) != 0) {
			status = compare(tool, MAIL_SECTION_DOMAIN, MAIL_STR(guard->domains[i]));
		}
	}
	guard_free(tool);
	return status;
}
