/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/keyset.h"

#include <time.h>
#include <unistd.h>

#include "mail/plan.h"
#include "tool/done.h"
#include "tool/near.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* When nothing says otherwise. */
#define DELAY 3600
#define DS_TTL 86400
#define TTL 3600

static uint32_t largest(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void keyset_open(tool_t *tool, const char *name, bool make, keyset_t *keys)
{
	mail_timing_t *timing = &keys->timing;
	*keys = (keyset_t){ .timing = { .now = time(NULL), .force = option_is(tool, OPT_FORCE) } };
	timing->delay = option_duration(tool, OPT_DELAY, DELAY);
	timing->ds_ttl = option_duration(tool, OPT_DS_TTL, DS_TTL);

	keys->entry = make ? near_find(tool, MAIL_SECTION_KEYSET, name)
	                   : tool_entry(tool, MAIL_SECTION_KEYSET, name);
	if (keys->entry == NULL) {
		keys->entry = tool_new_entry(tool, MAIL_SECTION_KEYSET, name);
	}
	int ret = mail_keyset_read(keys->entry, &keys->set, tool_diag(tool));
	tool_expect_entry(tool, keys->entry, ret);

	/* The TTLs of whoever has the set. */
	tool_profiles_t profiles = { 0 };
	mail_profile_t *profile;
	while ((profile = tool_next_profile(tool, &profiles)) != NULL) {
		const mail_str_t set = mail_profile_value(profile, MAIL_ITEM_KEY_SET);
		mail_plan_t *plan = NULL;
		if (!mail_str_equal(set, keys->entry->id) ||
		    mail_plan_make(profile, false, &plan, NULL) != KNOT_EOK) {
			continue;
		}
		/* A TTL that was lowered counts until no cache has what came with it. */
		const int64_t held = mail_profile_held(profile, timing->now) - timing->now;
		timing->ttl = largest(timing->ttl, (uint32_t)held);
		timing->ttl_max = largest(timing->ttl_max, mail_plan_ttl_max(plan));
		timing->ttl_max = largest(timing->ttl_max, timing->ttl);
		if (keys->users == 0 || plan->ds_from < keys->ds_from) {
			keys->ds_from = plan->ds_from;
		}
		keys->users++;
		mail_plan_free(plan);
	}
	if (keys->users == 0) {
		timing->ttl = timing->ttl_max = TTL;
	}
}

bool keyset_in_use(const keyset_t *keys, const mail_dnskey_t **key)
{
	for (size_t i = 0; i < keys->set.count; i++) {
		if (keys->set.keys[i].remove > keys->timing.now) {
			if (key != NULL) {
				*key = &keys->set.keys[i];
			}
			return true;
		}
	}
	return false;
}

void keyset_fill(tool_t *tool, const keyset_t *keys, keyset_added_t *added, mail_role_t role)
{
	const mail_str_t public = mail_private_public(added->private);
	uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
	mail_dnskey_t *key = &added->key;
	tool_expect(tool, public.len > sizeof(key->public_key) ? KNOT_ESPACE : KNOT_EOK);
	key->algorithm = mail_private_algorithm(added->private);
	key->role = role;
	memcpy(key->public_key, public.data, public.len);
	key->public_len = (uint16_t) public.len;
	key->tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(key, rdata));
	tool_expect(tool, key_file_path(tool, keys->entry->id, key, added->path));
}

void keyset_added_free(keyset_added_t *added, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mail_private_free(added[i].private);
		added[i].private = NULL;
	}
}

/*! \brief Say what is to come; with --json, print the entry. */
static void tell(tool_t *tool, const keyset_t *keys)
{
	static mail_step_t steps[MAIL_STEPS_MAX];
	const mail_str_t id = keys->entry->id;
	if (tool->json) {
		tool_json_entry(tool, keys->entry, NULL);
		return;
	}
	size_t count = mail_rollover_steps(&keys->set, steps);
	for (size_t i = 0; i < count; i++) {
		const mail_step_t *step = &steps[i];
		if (step->time < keys->timing.now) {
			continue;
		}
		(void)printf("%-20s  ", step->time == INT64_MAX ? "then" : tool_time(step->time));
		if (step->key != NULL) {
			(void)printf("%5u %s: ", step->key->tag, mail_role_name(step->key->role));
		}
		(void)puts(keyset_step_words(step));
	}
	if (keys->users == 0) {
		tool_note(
			tool,
			"nothing names key-set %.*s yet: when a policy or a domain does, wait for its "
			"largest TTL before the DS goes to the parents",
			(int)id.len, id.data);
	}
}

void keyset_write(tool_t *tool, keyset_t *keys, const keyset_added_t *added, size_t count,
                  const char *what)
{
	tool_expect(tool, mail_keyset_write(&keys->set, keys->entry));
	tool_put(tool, &keys->entry, 1, NULL);
	for (size_t i = 0; i < count; i++) {
		/* It may have been put there by hand. */
		if (access(added[i].path, F_OK) != 0 ||
		    key_file_fault(tool, keys->entry->id, &added[i].key) != NULL) {
			key_file_put(tool, added[i].path, added[i].private);
		}
	}
	done_more(tool, "%s", what);
	tool_commit(tool);
	tell(tool, keys);
}

const char *keyset_step_words(const mail_step_t *step)
{
	const mail_dnskey_t *key = step->key;
	switch (step->what) {
	case MAIL_STEP_ACTIVATE:
		return step->time < key->publish ? "signs records, its DNSKEY is not there yet"
		                                 : "signs records";
	case MAIL_STEP_PUBLISH:
		return key->role == MAIL_ROLE_ZSK ? "DNSKEY is published"
		                                  : "DNSKEY is published, signs DNSKEY";
	case MAIL_STEP_DS: return "CDS and CDNSKEY name it: the parents should have its DS";
	case MAIL_STEP_DS_SEEN:
		return step->time == INT64_MAX ? "waits for key-ds-seen: its DS is at the parents"
		                               : "the DS was seen at the parents";
	case MAIL_STEP_DS_UNTIL: return "CDS and CDNSKEY name it no more: its DS can go";
	case MAIL_STEP_RETIRE: return "signs no more records";
	case MAIL_STEP_REMOVE: return "DNSKEY is removed";
	case MAIL_STEP_LEAVE: return "CDS and CDNSKEY ask the parents to remove all DS (RFC 8078)";
	}
	return "";
}
