/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What caches may hold of the domains with a profile: records with a TTL that is in force no more. A writer notes the
 * TTL that was before each change of it (lib/change/times.c):
 *
 *     TTL        86400         |        3600         |   300
 *     time --------------------+---------------------+----------- now
 *     ttl-was    "86400 T1"    T1     "3600 T2"      T2
 *
 * So what was answered up to T1 may be held until T1 + 86400, and what was answered up to T2 until T2 + 3600.
 */
#include "config.h"

#include "mail/chars.h"
#include "mail/profile.h"
#include "mail/time.h"

/*! The TTL when nothing says otherwise, which the defaults do. */
#define TTL_DEFAULT 3600

uint32_t mail_profile_ttl(const mail_profile_t *profile)
{
	return mail_profile_number(profile, MAIL_ITEM_TTL, TTL_DEFAULT);
}

/*! Return the entry of a layer; behind the last one that of an alias itself, or NULL. */
static const mail_entry_t *layer_entry(const mail_profile_t *profile, unsigned layer)
{
	return layer < profile->layer_count ? profile->layers[layer].entry : profile->own;
}

/*! Return the lowest layer that has a say about an item: the one that sets it. */
static unsigned lowest(const mail_profile_t *profile, mail_item_id_t item)
{
	const mail_settings_t *settings = &profile->items[item];
	return settings->count > 0 ? settings->values[0].layer : 0;
}

int64_t mail_profile_ds_from(const mail_profile_t *profile)
{
	int64_t from = 0;
	for (unsigned i = lowest(profile, MAIL_ITEM_KEY_SET); i <= profile->layer_count; i++) {
		const mail_entry_t *entry = layer_entry(profile, i);
		int64_t when;
		if (entry != NULL &&
		    mail_time_parse(mail_entry_value(entry, MAIL_ITEM_DS_FROM), &when, NULL) ==
		            KNOT_EOK &&
		    when > from) {
			from = when;
		}
	}
	return from;
}

/*! Put a TTL at its place in the order of time. */
static size_t was_put(mail_ttl_was_t *was, size_t count, mail_ttl_was_t one)
{
	size_t at = count;
	if (count == MAIL_TTL_WAS_MAX) {
		return count;
	}
	while (at > 0 && was[at - 1].until > one.until) {
		was[at] = was[at - 1];
		at--;
	}
	was[at] = one;
	return count + 1;
}

/*! Read "TTL TIME". */
static bool was_read(mail_str_t text, mail_ttl_was_t *out)
{
	mail_str_t ttl, when;
	size_t pos = 0;
	return mail_str_word(text, &pos, &ttl) && mail_str_word(text, &pos, &when) &&
	       mail_str_number(ttl, UINT32_MAX, &out->ttl) &&
	       mail_time_parse(when, &out->until, NULL) == KNOT_EOK;
}

size_t mail_profile_ttl_was(const mail_profile_t *profile, mail_ttl_was_t was[MAIL_TTL_WAS_MAX])
{
	size_t count = 0;
	for (unsigned i = lowest(profile, MAIL_ITEM_TTL); i <= profile->layer_count; i++) {
		const mail_entry_t *entry = layer_entry(profile, i);
		const mail_member_t *member = entry != NULL
		                                      ? mail_entry_member(entry, MAIL_ITEM_TTL_WAS,
		                                                          MAIL_OP_SET)
		                                      : NULL;
		for (size_t j = 0; member != NULL && j < member->count; j++) {
			mail_ttl_was_t one;
			if (was_read(member->values[j].text, &one)) {
				count = was_put(was, count, one);
			}
		}
	}
	return count;
}

int64_t mail_profile_held(const mail_profile_t *profile, int64_t now)
{
	mail_ttl_was_t was[MAIL_TTL_WAS_MAX];
	const size_t count = mail_profile_ttl_was(profile, was);
	int64_t held = now + mail_profile_ttl(profile);
	for (size_t i = 0; i < count; i++) {
		const int64_t last = was[i].until < now ? was[i].until : now;
		held = last + was[i].ttl > held ? last + was[i].ttl : held;
	}
	return held;
}

int64_t mail_profile_two_ttls(const mail_profile_t *profile, int64_t since)
{
	mail_ttl_was_t was[MAIL_TTL_WAS_MAX];
	const size_t count = mail_profile_ttl_was(profile, was);
	const uint32_t now = mail_profile_ttl(profile);
	int64_t held = 0;
	size_t i = 0;
	/* What was fetched before the change, with the TTLs before. */
	for (; i < count && was[i].until <= since; i++) {
		const int64_t end = was[i].until + was[i].ttl;
		held = end > held ? end : held;
	}
	int64_t ready = since + 2 * (int64_t)now;
	if (i < count) {
		/* The TTL at the change. If it was lowered since, no cache holds more than the last of it. */
		const uint32_t next = i + 1 < count ? was[i + 1].ttl : now;
		const int64_t short_of = since + 2 * (int64_t)next;
		int64_t end = was[i].until + was[i].ttl;
		end = end > short_of ? end : short_of;
		ready = since + 2 * (int64_t)was[i].ttl;
		ready = next < was[i].ttl && end < ready ? end : ready;
	}
	return held > ready ? held : ready;
}
