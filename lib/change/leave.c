/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes that others notice late: a DKIM key that mail on its way was signed with, an MTA-STS policy that senders keep.
 */
#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "change/internal.h"
#include "mail/profile.h"
#include "mail/time.h"

static int64_t entry_time(const mail_entry_t *entry, mail_item_id_t item, int64_t dflt)
{
	int64_t when;
	return mail_time_parse(mail_entry_value(entry, item), &when, NULL) == KNOT_EOK ? when
	                                                                               : dflt;
}

bool mail_change_replaces_key(const mail_entry_t *old, const mail_entry_t *entry, int64_t now)
{
	const bool same = mail_str_equal(mail_entry_value(old, MAIL_ITEM_KEY),
	                                 mail_entry_value(entry, MAIL_ITEM_KEY)) &&
	                  mail_str_equal(mail_entry_value(old, MAIL_ITEM_CNAME),
	                                 mail_entry_value(entry, MAIL_ITEM_CNAME));
	const bool revoked = mail_str_is(mail_entry_value(old, MAIL_ITEM_REVOKE), "on") &&
	                     entry_time(old, MAIL_ITEM_RETIRE, INT64_MAX) <= now;
	/* Which key is behind a CNAME, nobody here knows. */
	const bool known = mail_entry_value(old, MAIL_ITEM_KEY).len > 0;
	return known && !same && !revoked && entry_time(old, MAIL_ITEM_PUBLISH, 0) <= now &&
	       entry_time(old, MAIL_ITEM_ACTIVATE, 0) <= now &&
	       entry_time(old, MAIL_ITEM_REMOVE, INT64_MAX) > now;
}

void mail_change_key_replaced(const mail_entry_t *old, const mail_entry_t *entry, mail_diag_t *diag)
{
	if (!mail_change_replaces_key(old, entry, time(NULL))) {
		return;
	}
	mail_diag_warn(
		diag,
		"dkim %.*s: the key of a selector in use is replaced, and mail that was signed "
		"with the old key fails from now on: give a new key a new selector "
		"(dkim-generate), and end the old one with dkim-retire",
		(int)entry->id.len, entry->id.data);
}

/*! Return the profile of a policy or domain as it is stored, or NULL. */
static mail_profile_t *profile_of(mail_change_t *change, mail_section_t section, mail_str_t id)
{
	mail_profile_t *profile = NULL;
	int ret;
	if (section == MAIL_SECTION_POLICY) {
		ret = mail_profile_of_policy(change->base, id, &profile, NULL);
	} else {
		ret = mail_profile_of_domain(change->base, id, &profile, NULL);
	}
	if (ret != KNOT_EOK) {
		mail_profile_free(profile);
		return NULL;
	}
	return profile;
}

/*! Return whether the MTA-STS policy of a policy or domain is one that senders enforce. */
static bool enforces(mail_change_t *change, mail_section_t section, mail_str_t id, uint32_t *age)
{
	mail_profile_t *profile = profile_of(change, section, id);
	bool found = false;
	if (profile != NULL) {
		found = mail_str_is(mail_profile_value(profile, MAIL_ITEM_MTA_STS), "enforce") &&
		        !mail_profile_switch(profile, MAIL_ITEM_NO_MAIL);
		*age = mail_profile_number(profile, MAIL_ITEM_MTA_STS_MAX_AGE, 604800);
	}
	mail_profile_free(profile);
	return found;
}

/*! Return whether there is an MTA-STS policy of any mode. */
static bool has_policy(mail_change_t *change, mail_section_t section, mail_str_t id)
{
	mail_profile_t *profile = profile_of(change, section, id);
	bool found = false;
	if (profile != NULL) {
		const mail_str_t mode = mail_profile_value(profile, MAIL_ITEM_MTA_STS);
		found = mode.len > 0 && !mail_str_is(mode, "off") &&
		        !mail_profile_switch(profile, MAIL_ITEM_NO_MAIL);
	}
	mail_profile_free(profile);
	return found;
}

int mail_change_sts_note(mail_change_t *change, const mail_entry_t *entry)
{
	uint32_t age = 0;
	if ((entry->section != MAIL_SECTION_POLICY && entry->section != MAIL_SECTION_DOMAIN) ||
	    change->sts_count >= CHANGE_STS || !enforces(change, entry->section, entry->id, &age)) {
		return KNOT_EOK;
	}
	mail_change_sts_t *grown = realloc(change->sts, (change->sts_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		return KNOT_ENOMEM;
	}
	change->sts = grown;
	mail_entry_t *copy = mail_entry_new(entry->section, entry->id);
	if (copy == NULL) {
		return KNOT_ENOMEM;
	}
	grown[change->sts_count++] = (mail_change_sts_t){ copy, age };
	return KNOT_EOK;
}

void mail_change_sts_check(mail_change_t *change, mail_diag_t *diag)
{
	for (size_t i = 0; i < change->sts_count; i++) {
		const mail_entry_t *was = change->sts[i].entry;
		if (has_policy(change, was->section, was->id)) {
			continue;
		}
		mail_diag_warn(
			diag,
			"%s %.*s: mta-sts: the policy of mode enforce goes, but senders keep it for "
			"%u seconds: first set mta-sts=none and mta-sts-max-age=86400, and take it "
			"away when the old time has passed (RFC 8461 8.3)",
			mail_section_name(was->section), (int)was->id.len, was->id.data,
			(unsigned)change->sts[i].age);
	}
}

void mail_change_sts_free(mail_change_t *change)
{
	for (size_t i = 0; i < change->sts_count; i++) {
		mail_entry_free(change->sts[i].entry);
	}
	free(change->sts);
}
