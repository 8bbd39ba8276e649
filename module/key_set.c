/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "key_set.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "uptime.h"

/*! A second of uptime before all others. */
#define LONG_AGO (INT64_MIN / 2)

/*! What reading a set came to. */
typedef struct {
	bool came;        /*!< A private half was not there before. */
	unsigned missing; /*!< Keys that lack theirs. */
	bool now;         /*!< One of those signs already. */
	char text[400];   /*!< What is wrong with the first of them, or with the entry. */
} outcome_t;

/* What is said */

/*! Hash a line: FNV-1a, 32 bits; never 0. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 0x811c9dc5;
	for (const char *c = text; *c != '\0'; c++) {
		hash = (hash ^ (uint8_t)*c) * 0x01000193;
	}
	return hash != 0 ? hash : 1;
}

/*! Say which keys of a set are missing, unless the same has just been said. */
static void say_missing(mail_key_set_t *set, const mail_key_reading_t *reading,
                        const outcome_t *outcome)
{
	char text[480], more[32] = "";
	if (outcome->missing > 1) {
		(void)snprintf(more, sizeof(more), " and %u more", outcome->missing - 1);
	}
	(void)snprintf(text, sizeof(text), "%s%s: its domains %s SERVFAIL", outcome->text, more,
	               outcome->now ? "answer" : "are going to answer");
	uint32_t hash = hash_of(text);
	int64_t now = mail_uptime();
	if (set->said == hash && now - set->said_at < reading->interval) {
		return;
	}
	set->said = hash;
	set->said_at = now;
	reading->say(reading->say_ctx, outcome->now ? LOG_ERR : LOG_WARNING, text);
}

static void say_good(mail_key_set_t *set, const mail_key_reading_t *reading)
{
	char text[MAIL_LF_MAX + 64];
	if (set->said == 0) {
		return;
	}
	(void)snprintf(text, sizeof(text), "key set '%.*s': its private keys are there again",
	               set->id_len, set->id);
	reading->say(reading->say_ctx, LOG_INFO, text);
	set->said = 0;
}

static void say_damaged(const mail_key_set_t *set, const mail_key_reading_t *reading,
                        const char *reason)
{
	char text[448];
	(void)snprintf(text, sizeof(text), "key set '%.*s' cannot be read (%s)", set->id_len,
	               set->id, reason);
	reading->say(reading->say_ctx, LOG_ERR, text);
}

/* Private halves */

/*! Find the private half that a set has of a key. \return NULL: it has none. */
static mail_private_t *find_half(const mail_key_set_t *set, const mail_dnskey_t *key)
{
	mail_str_t public_key = { (const char *)key->public_key, key->public_len };
	for (unsigned i = 0; i < set->count; i++) {
		mail_private_t *half = set->members[i].half;
		if (half != NULL && mail_private_algorithm(half) == key->algorithm &&
		    mail_str_equal(mail_private_public(half), public_key)) {
			return half;
		}
	}
	return NULL;
}

/*! Read a private half from the key directory. \return NULL: it it is missing. */
static mail_private_t *load_half(const mail_key_set_t *set, const mail_dnskey_t *key,
                                 const mail_key_reading_t *reading, outcome_t *outcome)
{
	char name[MAIL_LF_MAX + 32], path[PATH_MAX];
	mail_private_t *half = NULL;
	mail_diag_t diag = { 0 };
	int ret = mail_private_file((mail_str_t){ set->id, set->id_len }, key->algorithm, key->tag,
	                            name, sizeof(name));
	if (ret == KNOT_EOK &&
	    snprintf(path, sizeof(path), "%s/%s", reading->directory, name) >= PATH_MAX) {
		ret = KNOT_ESPACE;
	}
	if (ret == KNOT_EOK) {
		ret = mail_key_file_read(reading->room, path, key, &half, &diag);
	} else {
		(void)snprintf(path, sizeof(path), "%s", reading->directory);
	}
	if (ret == KNOT_EOK || outcome->missing++ > 0) {
		return half;
	}
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)outcome->text, sizeof(outcome->text) - 1);
	if (ret == KNOT_ENOENT) {
		(void)mail_buf_printf(&text, "key set '%.*s': no private key %u (%s)", set->id_len,
		                      set->id, key->tag, path);
	} else {
		(void)mail_buf_printf(&text, "key set '%.*s': private key %u is not used (%s: %s)",
		                      set->id_len, set->id, key->tag, path,
		                      diag.text[0] != '\0' ? diag.text : knot_strerror(ret));
	}
	return NULL;
}

static void drop_members(mail_key_set_t *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		mail_private_free(set->members[i].half);
	}
	free(set->members);
	set->members = NULL;
	set->count = 0;
	set->until = INT64_MAX;
}

static unsigned count_halves(const mail_key_set_t *set)
{
	unsigned count = 0;
	for (unsigned i = 0; i < set->count; i++) {
		count += set->members[i].half != NULL;
	}
	return count;
}

/*! Add a key to what a set is going to have. */
static void add_member(mail_key_set_t *new, const mail_key_set_t *old, const mail_dnskey_t *key,
                       const mail_key_reading_t *reading, outcome_t *outcome)
{
	const int64_t now = reading->now;
	mail_key_member_t *member = &new->members[new->count++];
	switch (key->role) {
	case MAIL_ROLE_KSK: member->until = key->remove; break;
	case MAIL_ROLE_ZSK: member->until = key->retire; break;
	default: member->until = key->remove > key->retire ? key->remove : key->retire;
	}
	if (now >= member->until) {
		return;
	}
	mail_private_t *half = find_half(old, key);
	if (half != NULL) {
		member->half = mail_private_ref(half);
	} else {
		member->half = load_half(old, key, reading, outcome);
		outcome->came |= member->half != NULL;
	}
	if (member->half == NULL) {
		outcome->now |= mail_dnskey_signs_keys(key, now) ||
		                mail_dnskey_signs_zone(key, now);
	} else if (member->until < new->until) {
		new->until = member->until;
	}
}

/*! Read the keys of an entry. \return KNOT_EOK, KNOT_ENOMEM; else the entry is damaged, outcome->text says how. */
static int read_members(mail_key_set_t *new, const mail_key_set_t *old, const mail_entry_t *entry,
                        const mail_key_reading_t *reading, outcome_t *outcome)
{
	const mail_member_t *values = mail_entry_member(entry, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	size_t count = values != NULL ? values->count : 0;
	count = count <= UINT16_MAX ? count : UINT16_MAX;
	new->members = calloc(count + 1, sizeof(*new->members));
	if (new->members == NULL) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		mail_dnskey_t key;
		mail_diag_t diag = { 0 };
		int ret = mail_dnskey_parse(values->values[i].text, &key, &diag);
		if (ret != KNOT_EOK) {
			(void)snprintf(outcome->text, sizeof(outcome->text), "%s", diag.text);
			drop_members(new);
			return ret;
		}
		add_member(new, old, &key, reading, outcome);
	}
	return KNOT_EOK;
}

int mail_key_set_read(mail_key_set_t *set, const mail_key_reading_t *reading, size_t *changes)
{
	const mail_source_t *source = reading->source;
	mail_key_set_t new = { .until = INT64_MAX };
	outcome_t outcome = { .came = false };
	mail_entry_t *entry = NULL;
	int ret = source->get(source, MAIL_SECTION_KEYSET, mail_key_set_id(set), &entry, NULL);
	if (ret == KNOT_ENOENT) {
		// It was deleted since the walk; the next one drops it.
		return MAIL_KEY_SET_READY;
	}
	if (ret == KNOT_EOK) {
		ret = read_members(&new, set, entry, reading, &outcome);
		mail_entry_free(entry);
	}
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	// Of a damaged entry there are no keys.
	*changes += outcome.came || count_halves(set) != count_halves(&new);
	drop_members(set);
	set->members = new.members;
	set->count = new.count;
	set->until = new.until;
	if (ret != KNOT_EOK) {
		// Where its domains are answered it shows as well.
		say_damaged(set, reading,
		            outcome.text[0] != '\0' ? outcome.text : knot_strerror(ret));
		return MAIL_KEY_SET_READY;
	}
	if (outcome.missing > 0) {
		say_missing(set, reading, &outcome);
		return MAIL_KEY_SET_FAULTY;
	}
	say_good(set, reading);
	return MAIL_KEY_SET_READY;
}

/* The life of a set */

mail_key_set_t *mail_key_set_new(mail_lf_t id)
{
	mail_key_set_t *set = calloc(1, sizeof(*set) + id.len);
	if (set == NULL) {
		return NULL;
	}
	memcpy(set->id, id.data, id.len);
	set->id_len = (uint16_t)id.len;
	set->state = MAIL_KEY_SET_STALE;
	set->until = INT64_MAX;
	mail_key_set_touch(set);
	return set;
}

void mail_key_set_free(mail_key_set_t *set)
{
	if (set == NULL) {
		return;
	}
	drop_members(set);
	free(set);
}

void mail_key_set_touch(mail_key_set_t *set)
{
	set->said_at = LONG_AGO;
}

bool mail_key_set_lacks(const mail_key_set_t *set)
{
	return count_halves(set) < set->count;
}
