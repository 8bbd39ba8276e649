/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is to be seen of key sets: key-list and key-plan.
 */

#include <time.h>

#include "tool/keyset.h"

/* --- key-list --- */

/*! \brief The next step of a key behind a time; NULL when there is none. */
static const mail_step_t *next_step(const mail_step_t *steps, size_t count,
                                    const mail_dnskey_t *key, int64_t now)
{
	for (size_t i = 0; i < count; i++) {
		if (steps[i].key == key && steps[i].time > now) {
			return &steps[i];
		}
	}
	return NULL;
}

static const char *step_name(mail_step_what_t what)
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
	return names[what];
}

/*! \brief Sets a member to a time; not when it is open or always. */
static void set_time(json_t *object, const char *name, int64_t when)
{
	if (when > 0 && when < INT64_MAX) {
		json_object_set_new(object, name, json_string(tool_time(when)));
	}
}

static json_t *key_json(mail_str_t set, const mail_dnskey_t *key)
{
	json_t *object = json_object();
	json_object_set_new(object, "set", tool_json_str(set));
	json_object_set_new(object, "tag", json_integer(key->tag));
	json_object_set_new(object, "algorithm", json_string(mail_algorithm_name(key->algorithm)));
	json_object_set_new(object, "role", json_string(mail_role_name(key->role)));
	return object;
}

static void list_json(mail_str_t set, const mail_dnskey_t *key, int64_t now,
                      const mail_step_t *next, const char *fault)
{
	json_t *object = key_json(set, key);
	json_object_set_new(object, "state", json_string(mail_rollover_state(key, now)));
	set_time(object, "publish", key->publish);
	set_time(object, "activate", key->role != MAIL_ROLE_KSK ? key->activate : 0);
	set_time(object, "ds", key->ds);
	set_time(object, "ds-seen", key->ds_seen);
	set_time(object, "ds-until", key->ds_until);
	set_time(object, "retire", key->role != MAIL_ROLE_KSK ? key->retire : 0);
	set_time(object, "remove", key->remove);
	if (next != NULL) {
		json_object_set_new(object, "next", json_string(step_name(next->what)));
		set_time(object, "next-time", next->time);
	}
	json_object_set_new(object, "private", json_boolean(fault == NULL));
	if (fault != NULL) {
		json_object_set_new(object, "fault", json_string(fault));
	}
	(void)tool_json(object);
}

/*! \brief What key-list works with. */
typedef struct {
	int64_t now;
	table_t table;
	size_t keys;
} list_t;

static void list_row(list_t *list, mail_str_t set, const mail_dnskey_t *key,
                     const mail_step_t *next, const char *fault)
{
	char tag[8], when[96];
	const char *cells[] = { tag, mail_algorithm_name(key->algorithm), mail_role_name(key->role),
		                mail_rollover_state(key, list->now), when };
	(void)snprintf(tag, sizeof(tag), "%u", key->tag);
	(void)snprintf(when, sizeof(when), "%s %s", next == NULL ? "" : step_name(next->what),
	               next == NULL              ? ""
	               : next->time == INT64_MAX ? "waits for your word"
	                                         : tool_time(next->time));
	(void)table_cell(&list->table, 7, set);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		(void)table_cell(&list->table, 7, MAIL_STR(cells[i]));
	}
	(void)table_cell(&list->table, 7, fault == NULL ? MAIL_STR("") : MAIL_STR(fault));
}

static int list_set(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	static mail_keyset_t set;
	static mail_step_t steps[MAIL_STEPS_MAX];
	list_t *list = ctx;
	mail_diag_t *diag = tool_diag(tool);
	int status = STATUS_DONE;
	if (mail_keyset_read(entry, &set, diag) != KNOT_EOK) {
		status = tool_error(tool, KNOT_EMALF, "key-set %.*s: %s", (int)entry->id.len,
		                    entry->id.data, diag->text);
		set.count = 0;
	}
	size_t count = mail_rollover_steps(&set, steps);
	for (size_t i = 0; i < set.count; i++) {
		const mail_dnskey_t *key = &set.keys[i];
		const mail_step_t *next = next_step(steps, count, key, list->now);
		const bool over = strcmp(mail_rollover_state(key, list->now), "removed") == 0;
		const char *fault = over ? NULL : keys_file_fault(tool, entry->id, key);
		if (tool->json) {
			list_json(entry->id, key, list->now, next, fault);
		} else {
			char text[128] = "";
			if (fault != NULL) {
				(void)snprintf(text, sizeof(text), "private key %s", fault);
			}
			list_row(list, entry->id, key, next, fault != NULL ? text : NULL);
		}
	}
	mail_entry_free(entry);
	return status;
}

int verb_key_list(tool_t *tool, int argc, char **argv)
{
	list_t list = { .now = time(NULL) };
	int status = option_time(tool, OPT_AT, list.now, &list.now);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status == STATUS_DONE && argc == 0) {
		status = tool_walk(tool, MAIL_SECTION_KEYSET, MAIL_STR(""), list_set, &list);
	} else if (status == STATUS_DONE) {
		mail_entry_t *entry = NULL;
		status = tool_entry(tool, MAIL_SECTION_KEYSET, argv[0], &entry);
		if (status == STATUS_DONE) {
			status = list_set(tool, entry, &list);
		}
	}
	table_print(&list.table);
	return status;
}

/* --- key-plan --- */

static void plan_json(mail_str_t set, const mail_step_t *step, int64_t now)
{
	json_t *object = step->key != NULL ? key_json(set, step->key) : json_object();
	if (step->key == NULL) {
		json_object_set_new(object, "set", tool_json_str(set));
	}
	json_object_set_new(object, "step", json_string(step_name(step->what)));
	set_time(object, "time", step->time);
	json_object_set_new(object, "done", json_boolean(step->time <= now));
	json_object_set_new(object, "words", json_string(keys_step_words(step)));
	(void)tool_json(object);
}

/*! \brief What happens when the operator has spoken. */
static void tell_waiting(const mail_keyset_t *set, const mail_dnskey_t *key, int64_t now)
{
	bool others = false, signers = false, first = true;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *other = &set->keys[i];
		const bool used = other != key && other->remove > now;
		others |= used && other->algorithm != key->algorithm;
		first &= !(used && other->role != MAIL_ROLE_ZSK);
		signers |= other->activate == INT64_MAX;
	}
	(void)printf("\nWhen the DS of %u is at all parents, say: key-ds-seen --tag %u\n", key->tag,
	             key->tag);
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

static void plan_text(const mail_keyset_t *set, const mail_step_t *steps, size_t count, int64_t now)
{
	table_t table = { 0 };
	for (size_t i = 0; i < count; i++) {
		const mail_step_t *step = &steps[i];
		char key[64] = "all keys";
		if (step->key != NULL) {
			(void)snprintf(key, sizeof(key), "%u %s %s", step->key->tag,
			               mail_algorithm_name(step->key->algorithm),
			               mail_role_name(step->key->role));
		}
		(void)table_cell(&table, 4,
		                 MAIL_STR(step->time == INT64_MAX ? "your word"
		                          : step->time == 0       ? "always"
		                                                  : tool_time(step->time)));
		(void)table_cell(&table, 4, MAIL_STR(step->time <= now ? "done" : "to come"));
		(void)table_cell(&table, 4, MAIL_STR(key));
		(void)table_cell(&table, 4, MAIL_STR(keys_step_words(step)));
	}
	table_print(&table);
	bool open = false;
	for (size_t i = 0; i < set->count; i++) {
		open |= set->keys[i].remove == INT64_MAX;
		if (mail_rollover_waits(set, &set->keys[i], now)) {
			tell_waiting(set, &set->keys[i], now);
		}
	}
	if (set->leave < INT64_MAX && open) {
		(void)puts(
			"\nThe zone leaves DNSSEC. When no parent has a DS any more, say: key-ds-seen "
			"--gone\nThen, behind the TTL of the DS, signing ends (RFC 6781 4.4, RFC 8078 "
			"4).");
	}
}

int verb_key_plan(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	static mail_keyset_t set;
	static mail_step_t steps[MAIL_STEPS_MAX];
	mail_entry_t *entry = NULL;
	int64_t now = time(NULL);
	int status = option_time(tool, OPT_AT, now, &now);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status == STATUS_DONE) {
		status = tool_entry(tool, MAIL_SECTION_KEYSET, argv[0], &entry);
	}
	if (status == STATUS_DONE) {
		mail_diag_t *diag = tool_diag(tool);
		int ret = mail_keyset_read(entry, &set, diag);
		if (ret != KNOT_EOK) {
			status = tool_error(tool, ret, "key-set %s: %s", argv[0], diag->text);
		}
	}
	if (status == STATUS_DONE) {
		size_t count = mail_rollover_steps(&set, steps);
		for (size_t i = 0; tool->json && i < count; i++) {
			plan_json(entry->id, &steps[i], now);
		}
		if (!tool->json) {
			plan_text(&set, steps, count, now);
		}
	}
	mail_entry_free(entry);
	return status;
}
