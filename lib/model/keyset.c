/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key set in memory: from an entry and back, what it must not be at any time, and its steps for people.
 */
#include "config.h"

#include "mail/time.h"
#include "model/internal.h"

const char *mail_rollover_time(int64_t when, char text[32])
{
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, 31);
	if (when <= 0 || when > MAIL_TIME_MAX || mail_time_print(when, &buf) != KNOT_EOK) {
		buf.len = 0;
		(void)mail_buf_str(&buf, when <= 0 ? "always" : "never");
	}
	text[buf.len] = '\0';
	return text;
}

int mail_keyset_read(const mail_entry_t *entry, mail_keyset_t *set, mail_diag_t *diag)
{
	const mail_member_t *member = mail_entry_member(entry, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	const mail_str_t leave = mail_entry_value(entry, MAIL_ITEM_LEAVE);
	set->count = 0;
	set->leave = INT64_MAX;
	if (leave.len > 0) {
		int ret = mail_time_parse(leave, &set->leave, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		if (i == MAIL_LIST_MAX) {
			return mail_diag_error(diag, 0, "too many keys");
		}
		int ret = mail_dnskey_parse(member->values[i].text, &set->keys[i], diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
		set->count++;
	}
	return KNOT_EOK;
}

/*! Set an item to what was printed, and empty the text. */
static int item_put(mail_entry_t *entry, mail_item_id_t item, mail_buf_t *text)
{
	int ret = text->error;
	if (ret == KNOT_EOK) {
		ret = mail_entry_add(entry, mail_item_get(item), MAIL_OP_SET, mail_buf_view(text),
		                     0);
	}
	mail_buf_free(text);
	return ret;
}

int mail_keyset_write(const mail_keyset_t *set, mail_entry_t *entry)
{
	mail_buf_t text = { 0 };
	mail_entry_remove(entry, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	mail_entry_remove(entry, MAIL_ITEM_LEAVE, MAIL_OP_SET);
	for (size_t i = 0; i < set->count; i++) {
		(void)mail_dnskey_print(&set->keys[i], &text);
		int ret = item_put(entry, MAIL_ITEM_DNSKEY, &text);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	if (set->leave < INT64_MAX) {
		(void)mail_time_print(set->leave, &text);
		return item_put(entry, MAIL_ITEM_LEAVE, &text);
	}
	return KNOT_EOK;
}

mail_dnskey_t *mail_keyset_find(mail_keyset_t *set, uint16_t tag, unsigned algorithm)
{
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (key->tag == tag && (algorithm == 0 || key->algorithm == algorithm)) {
			return key;
		}
	}
	return NULL;
}

/*! Return whether a set has a key, published. */
static bool has_published(const mail_keyset_t *set, const mail_dnskey_t *key, int64_t now)
{
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *same = &set->keys[i];
		if (same->tag == key->tag && same->algorithm == key->algorithm) {
			return same->role == key->role && mail_dnskey_published(same, now) &&
			       same->public_len == key->public_len &&
			       memcmp(same->public_key, key->public_key, key->public_len) == 0;
		}
	}
	return false;
}

bool mail_keyset_goes_on(const mail_keyset_t *before, const mail_keyset_t *after, int64_t now)
{
	for (size_t i = 0; i < before->count; i++) {
		const mail_dnskey_t *key = &before->keys[i];
		const bool needed = mail_dnskey_signs_zone(key, now) || key->ds_seen <= now;
		if (needed && mail_dnskey_published(key, now) && !has_published(after, key, now)) {
			return false;
		}
	}
	for (size_t i = 0; i < after->count; i++) {
		const mail_dnskey_t *key = &after->keys[i];
		if (mail_dnskey_signs_zone(key, now) && mail_dnskey_published(key, now) &&
		    !has_published(before, key, now)) {
			return false;
		}
	}
	return true;
}

const mail_dnskey_t *mail_keyset_anchor(const mail_keyset_t *set, int64_t now)
{
	const mail_dnskey_t *found = NULL;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (mail_dnskey_signs_keys(key, now) && key->ds <= now &&
		    (found == NULL || (key->ds_seen <= now && found->ds_seen > now))) {
			found = key;
		}
	}
	return found;
}

int64_t mail_keyset_ds(const mail_keyset_t *set, int64_t now)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (mail_key_ksk(key) && key->remove > now && key->ds_until > now &&
		    key->ds < first) {
			first = key->ds;
		}
	}
	return first;
}

/*! What of an algorithm is there at a time. */
typedef struct {
	bool published, keys, zone;
} algorithm_state_t;

static algorithm_state_t algorithm_at(const mail_keyset_t *set, unsigned algorithm, int64_t now)
{
	algorithm_state_t state = { false, false, false };
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (key->algorithm == algorithm && mail_dnskey_published(key, now)) {
			state.published = true;
			state.keys |= mail_key_ksk(key);
			state.zone |= mail_dnskey_signs_zone(key, now);
		}
	}
	return state;
}

/*! Check one second. */
static int check_at(const mail_keyset_t *set, int64_t now, mail_diag_t *diag)
{
	const mail_dnskey_t *trusted = NULL;
	bool anchored = false;
	char text[32];
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		const algorithm_state_t state = algorithm_at(set, key->algorithm, now);
		if (state.published && !(state.keys && state.zone)) {
			return mail_diag_error(
				diag, 0, "at %s there are keys of %s, of which none signs %s",
				mail_rollover_time(now, text), mail_algorithm_name(key->algorithm),
				state.keys ? "records" : "the keys themselves");
		}
		if (mail_key_ksk(key) && key->ds_seen <= now) {
			trusted = key;
			anchored |= mail_dnskey_published(key, now);
		}
	}
	if (trusted != NULL && !anchored && now < set->leave) {
		return mail_diag_error(diag, 0,
		                       "at %s the key %u is gone whose DS was seen at the parent, "
		                       "and the DS of no other was seen",
		                       mail_rollover_time(now, text), trusted->tag);
	}
	return KNOT_EOK;
}

int mail_keyset_check(const mail_keyset_t *set, int64_t from, mail_diag_t *diag)
{
	int ret = check_at(set, from, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		const int64_t times[] = { key->publish, key->activate, key->retire, key->remove,
			                  key->ds_seen };
		for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); j++) {
			if (times[j] <= from || times[j] == INT64_MAX) {
				continue;
			}
			ret = check_at(set, times[j], diag);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

/* --- For people --- */

/*! Put a step at its place; of one time the order in which they were put stays. */
static size_t step_put(mail_step_t *steps, size_t count, mail_step_t step)
{
	size_t at = count;
	while (at > 0 && steps[at - 1].time > step.time) {
		steps[at] = steps[at - 1];
		at--;
	}
	steps[at] = step;
	return count + 1;
}

size_t mail_rollover_steps(const mail_keyset_t *set, mail_step_t steps[MAIL_STEPS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		const struct {
			int64_t time;
			mail_step_what_t what;
			bool has;
		} times[] = {
			{ key->activate, MAIL_STEP_ACTIVATE, mail_key_zsk(key) },
			{ key->publish, MAIL_STEP_PUBLISH, true },
			{ key->ds, MAIL_STEP_DS, mail_key_ksk(key) },
			{ key->ds_seen, MAIL_STEP_DS_SEEN, mail_key_ksk(key) },
			{ key->ds_until, MAIL_STEP_DS_UNTIL, mail_key_ksk(key) },
			{ key->retire, MAIL_STEP_RETIRE, mail_key_zsk(key) },
			{ key->remove, MAIL_STEP_REMOVE, true },
		};
		for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); j++) {
			const bool open = times[j].what == MAIL_STEP_DS_SEEN &&
			                  mail_rollover_waits(set, key, 0);
			if (times[j].has && (times[j].time < INT64_MAX || open)) {
				count = step_put(
					steps, count,
					(mail_step_t){ times[j].time, times[j].what, key });
			}
		}
	}
	if (set->leave < INT64_MAX) {
		count = step_put(steps, count, (mail_step_t){ set->leave, MAIL_STEP_LEAVE, NULL });
	}
	return count;
}

const char *mail_rollover_state(const mail_dnskey_t *key, int64_t now)
{
	const bool signs = mail_dnskey_signs_zone(key, now);
	if (mail_rollover_over(key, now)) {
		return "removed";
	}
	if (!mail_dnskey_published(key, now)) {
		return signs ? "signs without DNSKEY" : "pending";
	}
	if (key->role == MAIL_ROLE_KSK) {
		return now < key->ds_until ? "active" : "retired";
	}
	if (signs) {
		return "active";
	}
	return now < key->activate ? "published" : "retired";
}
