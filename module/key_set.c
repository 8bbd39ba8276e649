/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "key_set.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

/*! A second of uptime before all others. */
#define LONG_AGO (INT64_MIN / 2)

/*! What is wrong with a set, for one line. */
typedef struct {
	unsigned count; /*!< Keys that are missing. */
	bool now;       /*!< One of them signs already. */
	mail_buf_t text;
	char room[448];
} fault_t;

/*! Seconds of uptime, so that a step of the clock neither silences nor floods the log. */
static int64_t uptime(void)
{
	struct timespec ts = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*! FNV-1a, 32 bits; never 0. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 0x811c9dc5;
	for (const char *c = text; *c != '\0'; c++) {
		hash = (hash ^ (uint8_t)*c) * 0x01000193;
	}
	return hash != 0 ? hash : 1;
}

/* What is said */

/*! Notes that a key is missing; the first one is described. */
static void note(fault_t *fault, const mail_key_set_t *set, const mail_dnskey_t *key,
                 const char *path, int error, const char *reason)
{
	if (fault->count++ > 0) {
		return;
	}
	mail_buf_t *text = &fault->text;
	*text = MAIL_BUF_FIXED((uint8_t *)fault->room, sizeof(fault->room) - 1);
	if (error == KNOT_ENOENT) {
		(void)mail_buf_printf(text, "key set '%.*s': no private key %u (%s)", set->id_len,
		                      set->id, key->tag, path);
	} else {
		(void)mail_buf_printf(text, "key set '%.*s': private key %u is not used (%s: %s)",
		                      set->id_len, set->id, key->tag, path, reason);
	}
}

/*! Says what is wrong with a set, unless the same has just been said. */
static void say_fault(mail_key_set_t *set, fault_t *fault, const mail_key_reading_t *reading)
{
	if (fault->count > 1) {
		(void)mail_buf_printf(&fault->text, " and %u more", fault->count - 1);
	}
	(void)mail_buf_printf(&fault->text, ": its domains %s SERVFAIL",
	                      fault->now ? "answer" : "are going to answer");
	fault->room[fault->text.len] = '\0';

	uint32_t hash = hash_of(fault->room);
	int64_t now = uptime();
	if (set->said == hash && now - set->said_at < reading->interval) {
		return;
	}
	set->said = hash;
	set->said_at = now;
	reading->say(reading->say_ctx, fault->now ? LOG_ERR : LOG_WARNING, fault->room);
}

static void say_good(mail_key_set_t *set, const mail_key_reading_t *reading)
{
	if (set->said != 0) {
		char text[MAIL_LF_MAX + 64];
		(void)snprintf(text, sizeof(text),
		               "key set '%.*s': its private keys are there again", set->id_len,
		               set->id);
		reading->say(reading->say_ctx, LOG_INFO, text);
		set->said = 0;
	}
}

static void say_damaged(const mail_key_set_t *set, int error, const char *reason,
                        const mail_key_reading_t *reading)
{
	char text[448];
	(void)snprintf(text, sizeof(text), "key set '%.*s' cannot be read (%s)", set->id_len,
	               set->id, reason[0] != '\0' ? reason : knot_strerror(error));
	reading->say(reading->say_ctx, LOG_ERR, text);
}

/* Private halves */

/*! When a key has something to sign. */
static void period_of(const mail_dnskey_t *key, int64_t *from, int64_t *until)
{
	bool zone = key->role != MAIL_ROLE_KSK, apex = key->role != MAIL_ROLE_ZSK;
	*from = zone ? key->activate : key->publish;
	*until = zone ? key->retire : key->remove;
	if (zone && apex) {
		*from = key->publish < key->activate ? key->publish : key->activate;
		*until = key->remove > key->retire ? key->remove : key->retire;
	}
}

/*! The private half that a set has of a key, or NULL. */
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

/*! Reads a private half from the key directory. \return NULL: it is noted as missing. */
static mail_private_t *load_half(const mail_key_set_t *set, const mail_dnskey_t *key,
                                 const mail_key_reading_t *reading, fault_t *fault)
{
	char name[MAIL_LF_MAX + 32], path[PATH_MAX];
	mail_str_t id = { set->id, set->id_len };
	int ret = mail_private_file(id, key->algorithm, key->tag, name, sizeof(name));
	if (ret == KNOT_EOK) {
		int len = snprintf(path, sizeof(path), "%s/%s", reading->directory, name);
		ret = len >= 0 && (size_t)len < sizeof(path) ? KNOT_EOK : KNOT_ESPACE;
	}
	if (ret != KNOT_EOK) {
		note(fault, set, key, reading->directory, ret, knot_strerror(ret));
		return NULL;
	}
	mail_private_t *half = NULL;
	mail_diag_t diag = { 0 };
	ret = mail_key_file_read(reading->room, path, key, &half, &diag);
	if (ret != KNOT_EOK) {
		note(fault, set, key, path, ret,
		     diag.text[0] != '\0' ? diag.text : knot_strerror(ret));
	}
	return half;
}

static void drop_members(mail_key_set_t *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		mail_private_free(set->members[i].half);
	}
	free(set->members);
	set->members = NULL;
	set->count = 0;
}

static unsigned count_halves(const mail_key_set_t *set)
{
	unsigned count = 0;
	for (unsigned i = 0; i < set->count; i++) {
		count += set->members[i].half != NULL;
	}
	return count;
}

/*! Adds a key to what a set is going to have. \return Whether its private half was not there before. */
static bool add_member(mail_key_set_t *new, const mail_key_set_t *old, const mail_dnskey_t *key,
                       const mail_key_reading_t *reading, fault_t *fault)
{
	mail_key_member_t *member = &new->members[new->count++];
	int64_t from;
	period_of(key, &from, &member->until);
	if (reading->now >= member->until) {
		return false;
	}
	mail_private_t *half = find_half(old, key);
	if (half != NULL) {
		member->half = mail_private_ref(half);
		return false;
	}
	member->half = load_half(old, key, reading, fault);
	fault->now |= member->half == NULL && from <= reading->now;
	return member->half != NULL;
}

/*! Reads the members of a set anew. */
static int read_members(mail_key_set_t *set, const mail_member_t *values,
                        const mail_key_reading_t *reading, fault_t *fault, mail_diag_t *diag,
                        bool *changed)
{
	mail_key_set_t new = { 0 };
	size_t count = values != NULL ? values->count : 0;
	count = count <= UINT16_MAX ? count : UINT16_MAX;
	new.members = calloc(count + 1, sizeof(*new.members));
	if (new.members == NULL) {
		return KNOT_ENOMEM;
	}
	bool came = false;
	for (size_t i = 0; i < count; i++) {
		mail_dnskey_t key;
		int ret = mail_dnskey_parse(values->values[i].text, &key, diag);
		if (ret != KNOT_EOK) {
			drop_members(&new);
			return ret;
		}
		came |= add_member(&new, set, &key, reading, fault);
	}
	*changed |= came || count_halves(set) != count_halves(&new);
	drop_members(set);
	set->members = new.members;
	set->count = new.count;
	return KNOT_EOK;
}

int mail_key_set_read(mail_key_set_t *set, const mail_entry_t *entry, int error,
                      const mail_key_reading_t *reading, mail_key_set_state_t *state, bool *changed)
{
	fault_t fault = { 0 };
	mail_diag_t diag = { 0 };
	int ret = error;
	if (entry != NULL) {
		const mail_member_t *values = mail_entry_member(entry, MAIL_ITEM_DNSKEY,
		                                                MAIL_OP_SET);
		ret = read_members(set, values, reading, &fault, &diag, changed);
	}
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	*state = fault.count > 0 ? MAIL_KEY_SET_FAULTY : MAIL_KEY_SET_READY;
	if (ret != KNOT_EOK) {
		// Then it has no keys; where its domains are answered it shows as well.
		say_damaged(set, ret, diag.text, reading);
		*changed |= count_halves(set) > 0;
		drop_members(set);
		*state = MAIL_KEY_SET_READY;
	} else if (fault.count > 0) {
		say_fault(set, &fault, reading);
	} else {
		say_good(set, reading);
	}
	return KNOT_EOK;
}

/* The life of a set */

mail_key_set_t *mail_key_set_new(const uint8_t *id, size_t len)
{
	mail_key_set_t *set = calloc(1, sizeof(*set) + len);
	if (set != NULL) {
		memcpy(set->id, id, len);
		set->id_len = (uint16_t)len;
		set->said_at = LONG_AGO;
	}
	return set;
}

void mail_key_set_free(mail_key_set_t *set)
{
	if (set != NULL) {
		drop_members(set);
		free(set);
	}
}

void mail_key_set_touch(mail_key_set_t *set)
{
	set->said_at = LONG_AGO;
}

int64_t mail_key_set_until(const mail_key_set_t *set)
{
	int64_t until = INT64_MAX;
	for (unsigned i = 0; i < set->count; i++) {
		const mail_key_member_t *member = &set->members[i];
		if (member->half != NULL && member->until < until) {
			until = member->until;
		}
	}
	return until;
}

bool mail_key_set_expire(mail_key_set_t *set, int64_t now, bool *changed)
{
	bool back = false;
	for (unsigned i = 0; i < set->count; i++) {
		mail_key_member_t *member = &set->members[i];
		if (member->half == NULL) {
			back |= now < member->until;
		} else if (now >= member->until) {
			mail_private_free(member->half);
			member->half = NULL;
			*changed = true;
		}
	}
	return back;
}
