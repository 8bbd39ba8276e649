/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a change makes others wait for. Caches hold what was answered before it; who reads the store later no longer
 * sees what that was, so the writer, which has both states before it, notes the times in the entries:
 *
 *     ttl-was    at a policy or domain that was written and has another TTL now: the one before (model/held.c)
 *     ds-from    at a policy or domain that was written and is signed with another key set now, the DS of whose keys is
 *                out, or is going to be before caches have let go of what was not signed: from then on it may be named
 *     visible    at a certificate set (certs.c)
 *
 * A time that an entry names itself, other than the stored one, is its writer's word and stays.
 *
 * DS is never taken from a domain that had it: only who gets another key set waits, and keys that go on where those
 * before were make no difference. Nor does a new domain wait that comes together with its key set, or as the first one
 * into a set whose DS was seen: it moves in with its keys.
 */
#include "config.h"

#include <search.h>
#include <stdlib.h>

#include "change/internal.h"
#include "change/side.h"

/*! Most TTLs that an entry remembers; of more, the two oldest become one. */
#define WAS_MAX 8
/*! So long after a key set was made it counts as made for those who name it, seconds. */
#define TOGETHER 300

typedef struct {
	mail_change_t *change;
	mail_side_t before, after;
	int64_t now;
	mail_section_t section; /*!< Of the entries that are looked at. */
	int ret;
} times_t;

/* --- TTLs --- */

static bool was_has(const mail_ttl_was_t *was, size_t count, mail_ttl_was_t one)
{
	for (size_t i = 0; i < count; i++) {
		if (was[i].until == one.until && was[i].ttl == one.ttl) {
			return true;
		}
	}
	return false;
}

/*! Make one of the two oldest, until they are few enough. */
static size_t was_shorten(mail_ttl_was_t *was, size_t count)
{
	for (; count > WAS_MAX; count--) {
		was[1].ttl = was[0].ttl > was[1].ttl ? was[0].ttl : was[1].ttl;
		memmove(was, was + 1, (count - 1) * sizeof(*was));
	}
	return count;
}

/*! Return whether two of the longest TTLs around a change of the TTL have passed: nothing depends on it any more. */
static bool is_over(const times_t *times, mail_ttl_was_t was, uint32_t ttl)
{
	const int64_t longest = was.ttl > ttl ? was.ttl : ttl;
	return was.until + 2 * longest <= times->now;
}

/*!
 * \brief Find out which TTLs a written entry has to remember besides those that its layers remember already.
 *
 * \return Their number.
 */
static size_t ttls_to_note(const times_t *times, const mail_profile_t *before,
                           const mail_profile_t *after, mail_ttl_was_t out[MAIL_TTL_WAS_MAX + 1])
{
	mail_ttl_was_t there[MAIL_TTL_WAS_MAX];
	const uint32_t old = mail_profile_ttl(before), new = mail_profile_ttl(after);
	const size_t there_count = mail_profile_ttl_was(after, there);
	size_t count = mail_profile_ttl_was(before, out), kept = 0;
	if (old != new) {
		out[count++] = (mail_ttl_was_t){ times->now, old };
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_over(times, out[i], old > new ? old : new) &&
		    !was_has(there, there_count, out[i])) {
			out[kept++] = out[i];
		}
	}
	return kept;
}

/*! Replace the TTLs that an entry remembers. */
static int ttls_write(mail_entry_t *entry, const mail_ttl_was_t *was, size_t count)
{
	mail_entry_remove(entry, MAIL_ITEM_TTL_WAS, MAIL_OP_SET);
	for (size_t i = 0; i < count; i++) {
		char text[48];
		mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
		(void)mail_buf_printf(&buf, "%u ", (unsigned)was[i].ttl);
		(void)mail_time_print(was[i].until, &buf);
		int ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_TTL_WAS), MAIL_OP_SET,
		                         mail_buf_view(&buf), 0);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Add TTLs to those that an entry remembers, and forget what is over. */
static int ttls_add(const times_t *times, mail_entry_t *entry, const mail_ttl_was_t *added,
                    size_t count)
{
	mail_ttl_was_t all[2 * MAIL_TTL_WAS_MAX + 1];
	mail_layer_t layer = { entry->section, entry };
	const mail_profile_t alone = { .layers = &layer, .layer_count = 1 };
	const size_t old = mail_profile_ttl_was(&alone, all);
	size_t own = 0;
	for (size_t i = 0; i < old; i++) {
		if (!is_over(times, all[i], added[count - 1].ttl)) {
			all[own++] = all[i];
		}
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = own++;
		for (; at > 0 && all[at - 1].until > added[i].until; at--) {
			all[at] = all[at - 1];
		}
		all[at] = added[i];
	}
	return ttls_write(entry, all, was_shorten(all, own));
}

/* --- DS --- */

/*! Return whether the keys before go on behind the change, and the parent has the DS of one of them. */
static bool keys_go_on(const times_t *times, const mail_state_t *before, const mail_state_t *after)
{
	mail_keyset_t old, new;
	return mail_side_keys(&times->before, before, &old) &&
	       mail_side_keys(&times->after, after, &new) &&
	       mail_keyset_anchor(&old, times->now) != NULL &&
	       mail_keyset_goes_on(&old, &new, times->now);
}

/*!
 * \brief Return whether domains that come move in together with a set: it comes itself, or its DS was seen while no domain
 *        was signed with it.
 */
static bool moves_in(times_t *times, const mail_state_t *after)
{
	mail_keyset_t keys;
	mail_lf_storage_t key;
	const mail_source_t *before = times->before.source;
	if (mail_entry_key(MAIL_SECTION_KEYSET, after->set, &key) == KNOT_EOK &&
	    before->get(before, MAIL_SECTION_KEYSET, mail_lf(&key), NULL, NULL) == KNOT_ENOENT) {
		return true;
	}
	if (!mail_side_keys(&times->after, after, &keys)) {
		return false;
	}
	const mail_dnskey_t *anchor = mail_keyset_anchor(&keys, times->now);
	if (anchor == NULL || anchor->ds_seen > times->now) {
		return false;
	}
	times->ret = mail_side_walk(&times->before);
	return times->ret == KNOT_EOK && !mail_side_uses(&times->before, after->set);
}

/*!
 * \brief Return whether a set was just made, for those who name it now: its own time counts, which the operator's delay is
 *        in, if caches let go in time.
 */
static bool just_made(const times_t *times, const mail_state_t *after, int64_t held)
{
	mail_keyset_t keys;
	if (after->ds < times->now + held || !mail_side_keys(&times->after, after, &keys)) {
		return false;
	}
	int64_t made = INT64_MAX;
	for (size_t i = 0; i < keys.count; i++) {
		const mail_dnskey_t *key = &keys.keys[i];
		made = key->remove > times->now && key->publish < made ? key->publish : made;
	}
	return made >= times->now - TOGETHER;
}

/*!
 * \brief Return from when on the DS may be named of who comes from one state to another.
 *
 * \param before   NULL: it did not exist.
 * \param ds_from  From when it could be named before.
 *
 * \return 0: there is nothing to wait for.
 */
static int64_t ds_wait(times_t *times, mail_state_t *before, int64_t ds_from, mail_state_t *after)
{
	if (after->profile == NULL || after->ds == INT64_MAX || times->change->in_dns) {
		return 0;
	}
	if (before != NULL && before->profile == NULL) {
		before = NULL;
	}
	if (before != NULL && mail_str_equal(before->set, after->set)) {
		return ds_from > times->now ? ds_from : 0;
	}
	const int64_t held = before != NULL ? mail_side_held(&times->before, before)
	                                    : mail_profile_ttl(after->profile);
	const int64_t from = times->now + MAIL_DELAY + held;
	if (after->ds >= from || just_made(times, after, held)) {
		return 0;
	}
	const bool at_once = before != NULL
	                             ? ds_from <= times->now && keys_go_on(times, before, after)
	                             : moves_in(times, after);
	return at_once ? 0 : from;
}

/*! Return whether an entry names another time than the stored one. */
static bool names_time(const mail_entry_t *before, const mail_entry_t *after)
{
	const mail_str_t text = mail_entry_value(after, MAIL_ITEM_DS_FROM);
	return text.len > 0 && (before == NULL ||
	                        !mail_str_equal(mail_entry_value(before, MAIL_ITEM_DS_FROM), text));
}

/* --- Both --- */

/*! Write the notes of an entry that is stored, if there are any. */
static int notes_write(times_t *times, mail_entry_t *entry, const mail_ttl_was_t *was, size_t count,
                       int64_t ds_from)
{
	char text[32];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	int ret = KNOT_EOK;
	if (count == 0 && ds_from == 0) {
		return KNOT_EOK;
	}
	if (count > 0) {
		ret = ttls_add(times, entry, was, count);
	}
	if (ret == KNOT_EOK && ds_from > 0) {
		mail_entry_remove(entry, MAIL_ITEM_DS_FROM, MAIL_OP_SET);
		(void)mail_time_print(ds_from, &buf);
		ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_DS_FROM), MAIL_OP_SET,
		                     mail_buf_view(&buf), 0);
	}
	return ret == KNOT_EOK ? mail_txn_put(times->change->txn, entry) : ret;
}

static int domain_notes(times_t *times, mail_str_t id)
{
	mail_side_domain_t before = { 0 }, after = { 0 };
	mail_ttl_was_t was[MAIL_TTL_WAS_MAX + 1];
	int64_t ds_from = 0;
	size_t count = 0;
	int ret = mail_side_domain(&times->after, id, &after);
	if (ret == KNOT_EOK) {
		ret = mail_side_domain(&times->before, id, &before);
	}
	if (ret == KNOT_EOK && after.exists && after.state->profile != NULL) {
		if (before.exists && before.state->profile != NULL) {
			count = ttls_to_note(times, before.state->profile, after.state->profile,
			                     was);
		}
		if (!names_time(before.entry, after.entry)) {
			ds_from = ds_wait(times, before.state, before.ds_from, after.state);
		}
		/* What its layers say is noted already. */
		ds_from = ds_from > after.ds_from ? ds_from : 0;
		ret = times->ret;
		if (ret == KNOT_EOK) {
			ret = notes_write(times, after.entry, was, count, ds_from);
		}
	}
	mail_side_domain_free(&after);
	mail_side_domain_free(&before);
	return ret;
}

/*! What is looked for among followed policies. */
typedef struct {
	times_t *times;
	mail_str_t base;
} followed_t;

/*! End the walk at a policy that some domain followed before, and that has another one as a base now, or is it. */
static int each_followed(mail_str_t id, const mail_state_t *state, void *ctx)
{
	const followed_t *wanted = ctx;
	const mail_state_t *after = state->followed ? mail_side_policy(&wanted->times->after, id)
	                                            : NULL;
	for (size_t i = 1;
	     after != NULL && after->profile != NULL && i < after->profile->layer_count; i++) {
		if (mail_str_equal(after->profile->layers[i].entry->id, wanted->base)) {
			return KNOT_EEXIST;
		}
	}
	return KNOT_EOK;
}

/*! Return whether some domain had to do with a policy before: one that comes is noted itself. */
static bool is_followed(times_t *times, mail_str_t id)
{
	followed_t wanted = { times, id };
	times->ret = mail_side_walk(&times->before);
	return times->ret == KNOT_EOK &&
	       mail_side_policies(&times->before, each_followed, &wanted) != KNOT_EOK;
}

static int policy_notes(times_t *times, mail_str_t id)
{
	mail_state_t *before = mail_side_policy(&times->before, id);
	mail_state_t *after = mail_side_policy(&times->after, id);
	mail_entry_t *old = NULL, *new = NULL;
	mail_ttl_was_t was[MAIL_TTL_WAS_MAX + 1];
	if (before == NULL || after == NULL) {
		return KNOT_ENOMEM;
	}
	if (before->profile == NULL || after->profile == NULL) {
		return KNOT_EOK; /* Domains that come to a new one are noted themselves. */
	}
	int ret = mail_txn_get(times->before.txn, MAIL_SECTION_POLICY, id, &old);
	if (ret == KNOT_EOK) {
		ret = mail_txn_get(times->after.txn, MAIL_SECTION_POLICY, id, &new);
	}
	if (ret == KNOT_EOK) {
		const size_t count = ttls_to_note(times, before->profile, after->profile, was);
		int64_t from = 0;
		if (!names_time(old, new)) {
			from = ds_wait(times, before, mail_profile_ds_from(before->profile), after);
		}
		if (from <= mail_profile_ds_from(after->profile) || !is_followed(times, id)) {
			from = 0;
		}
		ret = times->ret != KNOT_EOK ? times->ret
		                             : notes_write(times, new, was, count, from);
	}
	mail_entry_free(old);
	mail_entry_free(new);
	return ret;
}

static void listed_walk(const void *node, VISIT visit, void *closure)
{
	times_t *times = closure;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	if (times->ret != KNOT_EOK || (visit != postorder && visit != leaf) || entry->deleted) {
		return;
	}
	if (entry->section == times->section) {
		times->ret = entry->section == MAIL_SECTION_POLICY ? policy_notes(times, entry->id)
		                                                   : domain_notes(times, entry->id);
	}
}

/*! Look at all policies or domains that were written. */
static int listed_notes(times_t *times, mail_section_t section)
{
	times->section = section;
	twalk_r(times->change->listed, listed_walk, times);
	return times->ret;
}

/*! Look at all domains that this transaction has written: of so many nobody kept a list. */
static int written_walk(times_t *times)
{
	const mail_source_t *source = times->change->base;
	const uint64_t txnid = mail_txn_id(times->change->txn);
	mail_lf_storage_t at = { 0 };
	mail_domain_t domain;
	int ret;
	while ((ret = source->domain_seek(source, mail_lf(&at), MAIL_SEEK_AFTER, &at, &domain)) ==
	       KNOT_EOK) {
		mail_buf_t id = { 0 };
		if (domain.error != KNOT_EOK || domain.stamp.txnid != txnid) {
			continue;
		}
		ret = mail_entry_id_from_key(MAIL_SECTION_DOMAIN, mail_lf(&at), &id);
		if (ret == KNOT_EOK) {
			ret = domain_notes(times, mail_buf_view(&id));
		}
		mail_buf_free(&id);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

int mail_change_times(mail_change_t *change, mail_diag_t *diag)
{
	times_t times = { .change = change, .now = change->now };
	if (!change->touched[MAIL_SECTION_POLICY] && !change->touched[MAIL_SECTION_DOMAIN] &&
	    !change->touched[MAIL_SECTION_HOST] && !change->touched[MAIL_SECTION_CERTIFICATE]) {
		return KNOT_EOK;
	}
	int ret = mail_change_before(change, &times.before.txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	times.before.source = mail_txn_source(times.before.txn);
	times.before.now = times.after.now = times.now;
	times.after.txn = change->txn;
	times.after.source = change->base;
	ret = listed_notes(&times, MAIL_SECTION_POLICY);
	/* Domains have in their layers what was just noted of policies. */
	mail_side_forget(&times.after);
	/* Domains that come to a store without any have nothing before, and are in DNS already. */
	if (ret == KNOT_EOK && !change->in_dns) {
		ret = change->all ? written_walk(&times)
		                  : listed_notes(&times, MAIL_SECTION_DOMAIN);
	}
	if (ret == KNOT_EOK) {
		mail_side_forget(&times.after);
		ret = mail_change_places(change, &times.before, &times.after, diag);
	}
	mail_side_free(&times.after);
	mail_side_free(&times.before);
	return ret;
}
