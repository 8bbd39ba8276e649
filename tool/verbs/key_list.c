/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is to be seen of key sets: key-list and key-plan.
 */

#include <time.h>

#include "tool/keyset.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

static const char *step_name(const mail_step_t *step)
{
	static const char *const names[] = {
		[MAIL_STEP_ACTIVATE] = "activate",
		[MAIL_STEP_PUBLISH] = "publish",
		[MAIL_STEP_DS] = "ds",
		[MAIL_STEP_DS_SEEN] = "ds-seen",
		[MAIL_STEP_DS_UNTIL] = "ds-until",
		[MAIL_STEP_RETIRE] = "retire",
		[MAIL_STEP_REMOVE] = "remove",
		[MAIL_STEP_LEAVE] = "leave",
	};
	return names[step->what];
}

/*! \brief Return the members that name a key; of a set alone when key is NULL. */
static json_t *key_json(mail_str_t set, const mail_dnskey_t *key)
{
	if (key == NULL) {
		return json_pack("{s:o}", "set", tool_json_str(set));
	}
	return json_pack("{s:o, s:i, s:s, s:s}", "set", tool_json_str(set), "tag", key->tag,
	                 "algorithm", mail_algorithm_name(key->algorithm), "role",
	                 mail_role_name(key->role));
}

static void list_json(mail_str_t set, const mail_dnskey_t *key, int64_t now,
                      const mail_step_t *next, const char *fault)
{
	const bool signs = key->role != MAIL_ROLE_KSK;
	const struct {
		const char *name;
		int64_t time;
	} times[] = {
		{ "publish", key->publish },
		{ "activate", signs ? key->activate : 0 },
		{ "ds", key->ds },
		{ "ds-seen", key->ds_seen },
		{ "ds-until", key->ds_until },
		{ "retire", signs ? key->retire : 0 },
		{ "remove", key->remove },
	};
	json_t *object = key_json(set, key);
	(void)json_object_set_new(object, "state", json_string(mail_rollover_state(key, now)));
	/* A NULL, of a time that is open or always, is not set. */
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		(void)json_object_set_new(object, times[i].name, tool_json_time(times[i].time));
	}
	if (next != NULL) {
		(void)json_object_set_new(object, "next", json_string(step_name(next)));
		(void)json_object_set_new(object, "next-time", tool_json_time(next->time));
	}
	(void)json_object_set_new(object, "private", json_boolean(fault == NULL));
	(void)json_object_set_new(object, "fault", json_string(fault));
	(void)tool_json(object);
}

static void list_row(table_t *table, mail_str_t set, const mail_dnskey_t *key, int64_t now,
                     const mail_step_t *next, const char *fault)
{
	char tag[8], when[96] = "", text[128] = "";
	(void)snprintf(tag, sizeof(tag), "%u", key->tag);
	if (next != NULL) {
		(void)snprintf(when, sizeof(when), "%s %s", step_name(next),
		               next->time == INT64_MAX ? "waits for your word"
		                                       : tool_time(next->time));
	}
	if (fault != NULL) {
		(void)snprintf(text, sizeof(text), "private key %s", fault);
	}
	table_cell(table, set);
	table_cell(table, MAIL_STR(tag));
	table_cell(table, MAIL_STR(mail_algorithm_name(key->algorithm)));
	table_cell(table, MAIL_STR(mail_role_name(key->role)));
	table_cell(table, MAIL_STR(mail_rollover_state(key, now)));
	table_cell(table, MAIL_STR(when));
	table_cell(table, MAIL_STR(text));
}

/*! \brief List the keys of a set, each with its next step. \return STATUS_DONE, or STATUS_FAILED after a message. */
static int list_set(tool_t *tool, const mail_entry_t *entry, int64_t now, table_t *table)
{
	static mail_keyset_t set;
	static mail_step_t steps[MAIL_STEPS_MAX];
	if (mail_keyset_read(entry, &set, tool_diag(tool)) != KNOT_EOK) {
		return tool_error(tool, KNOT_EMALF, "key-set %.*s: %s", (int)entry->id.len,
		                  entry->id.data, tool->diag.text);
	}
	size_t count = mail_rollover_steps(&set, steps);
	for (size_t i = 0; i < set.count; i++) {
		const mail_dnskey_t *key = &set.keys[i];
		const mail_step_t *next = NULL;
		for (size_t j = 0; j < count && next == NULL; j++) {
			if (steps[j].key == key && steps[j].time > now) {
				next = &steps[j];
			}
		}
		const char *fault = NULL;
		if (strcmp(mail_rollover_state(key, now), "removed") != 0) {
			fault = key_file_fault(tool, entry->id, key);
		}
		if (tool->json) {
			list_json(entry->id, key, now, next, fault);
		} else {
			list_row(table, entry->id, key, now, next, fault);
		}
	}
	return STATUS_DONE;
}

int verb_key_list(tool_t *tool)
{
	const int64_t now = option_time(tool, OPT_AT, time(NULL));
	static const char *const head[] = { "SET",   "TAG",  "ALGORITHM", "ROLE",
		                            "STATE", "NEXT", "FAULT" };
	table_t table = { .columns = 7, .head = head };
	tool_walk_t walk = { .section = MAIL_SECTION_KEYSET };
	int status = STATUS_DONE;
	tool_open(tool, MAIL_STORE_READ);
	if (tool->argc > 0) {
		status = list_set(tool, tool_entry(tool, walk.section, tool->argv[0]), now, &table);
	} else {
		while (tool_next(tool, &walk) != NULL) {
			status |= list_set(tool, walk.entry, now, &table);
		}
	}
	table_print(tool, &table);
	return status | walk.status;
}

/* --- key-plan --- */

/*! \brief Say what happens when the operator has spoken. */
static void tell_waiting(mail_str_t name, const mail_keyset_t *set, const mail_dnskey_t *key,
                         int64_t now)
{
	bool others = false, signers = false, first = true;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *other = &set->keys[i];
		const bool used = other != key && other->remove > now;
		others |= used && other->algorithm != key->algorithm;
		first &= !(used && other->role != MAIL_ROLE_ZSK);
		signers |= other->activate == INT64_MAX;
	}
	(void)printf(
		"\nWhen the DS of %u is at all parents, type: kmailctl key-ds-seen %.*s --tag %u\n",
		key->tag, (int)name.len, name.data, key->tag);
	if (first) {
		(void)puts("Then the zone is secure; nothing else follows.");
	} else if (others) {
		(void)puts(
			"It takes the place of the old keys' DS, which must be gone as well. Then, "
			"behind the TTL of the DS,\nthe old DNSKEY are removed, and behind the TTL of "
			"DNSKEY the old keys sign no more (RFC 6781 4.1.4).");
	} else if (signers) {
		(void)puts(
			"Then, behind the TTL of the DS, the new key signs the records in place of "
			"the old one, which\nis removed when no cache has a signature of it "
			"(RFC 6781 4.1.3).");
	} else {
		(void)puts(
			"Then, behind the TTL of the DS, the old key is removed (RFC 6781 4.1.2).");
	}
}

static void plan_row(table_t *table, const mail_step_t *step, int64_t now)
{
	const char *when = tool_time(step->time);
	char key[64] = "all keys";
	if (step->time == INT64_MAX) {
		when = "your word";
	} else if (step->time == 0) {
		when = "always";
	}
	if (step->key != NULL) {
		(void)snprintf(key, sizeof(key), "%u %s %s", step->key->tag,
		               mail_algorithm_name(step->key->algorithm),
		               mail_role_name(step->key->role));
	}
	table_cell(table, MAIL_STR(when));
	table_cell(table, MAIL_STR(step->time <= now ? "done" : "to come"));
	table_cell(table, MAIL_STR(key));
	table_cell(table, MAIL_STR(keyset_step_words(step)));
}

int verb_key_plan(tool_t *tool)
{
	static mail_keyset_t set;
	static mail_step_t steps[MAIL_STEPS_MAX];
	const int64_t now = option_time(tool, OPT_AT, time(NULL));
	static const char *const head[] = { "TIME", "STATE", "KEY", "STEP" };
	table_t table = { .columns = 4, .head = head };
	tool_open(tool, MAIL_STORE_READ);
	const mail_entry_t *entry = tool_entry(tool, MAIL_SECTION_KEYSET, tool->argv[0]);
	tool_expect_entry(tool, entry, mail_keyset_read(entry, &set, tool_diag(tool)));
	size_t count = mail_rollover_steps(&set, steps);
	for (size_t i = 0; i < count; i++) {
		const mail_step_t *step = &steps[i];
		if (!tool->json) {
			plan_row(&table, step, now);
			continue;
		}
		json_t *object = key_json(entry->id, step->key);
		(void)json_object_set_new(object, "step", json_string(step_name(step)));
		(void)json_object_set_new(object, "time", tool_json_time(step->time));
		(void)json_object_set_new(object, "done", json_boolean(step->time <= now));
		(void)json_object_set_new(object, "words", json_string(keyset_step_words(step)));
		(void)tool_json(object);
	}
	table_print(tool, &table);
	if (tool->json) {
		return STATUS_DONE;
	}
	/* What waits for the operator. */
	bool open = false;
	for (size_t i = 0; i < set.count; i++) {
		open |= set.keys[i].remove == INT64_MAX;
		if (mail_rollover_waits(&set, &set.keys[i], now)) {
			tell_waiting(entry->id, &set, &set.keys[i], now);
		}
	}
	if (set.leave < INT64_MAX && open) {
		(void)printf("\nThe zone leaves DNSSEC. When no parent has a DS any more, type: "
		             "kmailctl key-ds-seen %.*s --gone\nSigning ends when no cache has a "
		             "DS any more (RFC 6781 4.4, RFC 8078 4).\n",
		             (int)entry->id.len, entry->id.data);
	}
	return STATUS_DONE;
}
