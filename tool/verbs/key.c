/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of key sets: made, ended, and the operator's word on their DS. Private keys go to files, first; then the store
 * says that they are there.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tool/keyset.h"

/* Tags have 16 bits: that another key is needed is rare, that so many are is a fault. */
#define TRIES_MAX 100

/* --- key-generate --- */

/*! \brief What kinds of keys are wanted. */
typedef struct {
	mail_algorithm_t algorithm;
	uint64_t bits;
	mail_role_t roles[2];
	size_t count;
} wanted_t;

/*! \brief A key of the set that is in use, or NULL. */
static const mail_dnskey_t *key_in_use(const keys_t *keys)
{
	for (size_t i = 0; i < keys->set.count; i++) {
		if (keys->set.keys[i].remove > keys->timing.now) {
			return &keys->set.keys[i];
		}
	}
	return NULL;
}

static int read_algorithm(tool_t *tool, const mail_dnskey_t *there, wanted_t *wanted)
{
	const char *name = option_value(tool, OPT_ALGORITHM);
	/* RFC 8624 3.1: the one that every validator must know; its keys and signatures are small. */
	wanted->algorithm = there != NULL ? there->algorithm : MAIL_ALGORITHM_ECDSAP256SHA256;
	if (name != NULL) {
		wanted->algorithm = mail_algorithm_find(MAIL_STR(name));
	}
	if (wanted->algorithm == 0) {
		return tool_usage(tool,
		                  "--algorithm: %s is none of ed25519, ecdsap256sha256, rsasha256",
		                  name);
	}
	if (option_is(tool, OPT_BITS) && wanted->algorithm != MAIL_ALGORITHM_RSASHA256) {
		return tool_usage(tool, "--bits goes with --algorithm rsasha256 only");
	}
	wanted->bits = 2048;
	return option_number(tool, OPT_BITS, 2048, 4096, &wanted->bits);
}

static int read_wanted(tool_t *tool, const keys_t *keys, wanted_t *wanted)
{
	const mail_dnskey_t *there = key_in_use(keys);
	const bool csk = option_is(tool, OPT_CSK), ksk = option_is(tool, OPT_KSK),
		   zsk = option_is(tool, OPT_ZSK);
	int status = read_algorithm(tool, there, wanted);
	if (status != STATUS_DONE) {
		return status;
	}
	if (csk && (ksk || zsk)) {
		return tool_usage(tool, "--csk is a KSK and a ZSK in one: give it alone");
	}
	const bool split = there != NULL && there->role != MAIL_ROLE_CSK;
	const bool other = there != NULL && there->algorithm != wanted->algorithm;
	if (split && !other && !csk && !ksk && !zsk) {
		return tool_usage(tool, "the set has a KSK and a ZSK: say --ksk, --zsk, or both");
	}
	const bool pair = split && other && !csk && !ksk && !zsk;
	wanted->count = 0;
	if (ksk || pair) {
		wanted->roles[wanted->count++] = MAIL_ROLE_KSK;
	}
	if (zsk || pair) {
		wanted->roles[wanted->count++] = MAIL_ROLE_ZSK;
	}
	if (wanted->count == 0) {
		wanted->roles[wanted->count++] = MAIL_ROLE_CSK;
	}
	return STATUS_DONE;
}

/*! \brief Makes keys until their tags are free, in the set and in the key directory, and adds them. */
static int generate(tool_t *tool, keys_t *keys, const wanted_t *wanted, keys_added_t *added,
                    mail_rollover_kind_t *kind)
{
	mail_keyset_t before = keys->set;
	mail_diag_t *diag = tool_diag(tool);
	int ret = KNOT_EEXIST;
	for (unsigned tries = 0; ret == KNOT_EEXIST && tries < TRIES_MAX; tries++) {
		mail_dnskey_t list[2];
		ret = KNOT_EOK;
		keys_added_free(added, wanted->count);
		for (size_t i = 0; i < wanted->count && ret == KNOT_EOK; i++) {
			ret = mail_private_generate(wanted->algorithm, (unsigned)wanted->bits,
			                            &added[i].private);
			if (ret == KNOT_EOK) {
				ret = keys_fill(&added[i], wanted->roles[i]);
			}
			if (ret == KNOT_EOK) {
				ret = keys_path(tool, keys->entry->id, &added[i].key, added[i].path,
				                sizeof(added[i].path));
			}
			/* A file of a key that was dropped from the set stays what it is. */
			if (ret == KNOT_EOK && access(added[i].path, F_OK) == 0) {
				ret = KNOT_EEXIST;
			}
			list[i] = added[i].key;
		}
		if (ret == KNOT_EOK) {
			keys->set = before;
			ret = mail_rollover_begin(&keys->set, list, wanted->count, &keys->timing,
			                          kind, diag);
		}
	}
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "key-set %.*s: %s", (int)keys->entry->id.len,
		                  keys->entry->id.data,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	return STATUS_DONE;
}

/*! \brief Takes --at, which is not before now. */
static int read_at(tool_t *tool, int64_t *at)
{
	const int64_t now = *at;
	int status = option_time(tool, OPT_AT, now, at);
	if (status == STATUS_DONE && *at < now) {
		return tool_error(tool, KNOT_EINVAL, "--at: %s is over: what was cannot be changed",
		                  tool_time(*at));
	}
	return status;
}

int verb_key_generate(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	keys_t keys = { 0 };
	wanted_t wanted;
	mail_rollover_kind_t kind = MAIL_ROLLOVER_FIRST;
	keys_added_t *added = calloc(2, sizeof(*added));
	int status = added == NULL ? tool_error(tool, KNOT_ENOMEM, "out of memory")
	                           : tool_open(tool, MAIL_STORE_WRITE);
	if (status == STATUS_DONE) {
		status = keys_open(tool, argv[0], true, &keys);
	}
	if (status == STATUS_DONE) {
		status = read_at(tool, &keys.timing.now);
	}
	if (status == STATUS_DONE) {
		status = read_wanted(tool, &keys, &wanted);
	}
	if (status == STATUS_DONE) {
		status = generate(tool, &keys, &wanted, added, &kind);
	}
	if (status == STATUS_DONE) {
		status = keys_write(tool, &keys, added, wanted.count);
	}
	if (status == STATUS_DONE) {
		keys_tell(tool, &keys, mail_rollover_name(kind));
	}
	if (added != NULL) {
		keys_added_free(added, 2);
	}
	free(added);
	keys_close(&keys);
	return status;
}

/* --- key-ds-seen, key-retire --- */

static int read_tag(tool_t *tool, int *tag)
{
	uint64_t number = 0;
	int status = option_number(tool, OPT_TAG, 0, UINT16_MAX, &number);
	*tag = option_is(tool, OPT_TAG) ? (int)number : -1;
	return status;
}

/*! \brief Writes a set that was changed, or says why it was not. */
static int finish(tool_t *tool, keys_t *keys, int ret, const char *what)
{
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "key-set %.*s: %s", (int)keys->entry->id.len,
		                  keys->entry->id.data,
		                  tool->diag.text[0] != '\0' ? tool->diag.text
		                                             : knot_strerror(ret));
	}
	int status = keys_put(tool, keys);
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	if (status == STATUS_DONE) {
		keys_tell(tool, keys, what);
	}
	return status;
}

int verb_key_ds_seen(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	keys_t keys = { 0 };
	int tag = -1;
	const bool gone = option_is(tool, OPT_GONE);
	int status = gone && option_is(tool, OPT_TAG)
	                     ? tool_usage(tool, "--gone is said of all keys: without --tag")
	                     : read_tag(tool, &tag);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = keys_open(tool, argv[0], false, &keys);
	}
	if (status == STATUS_DONE) {
		mail_diag_t *diag = tool_diag(tool);
		int ret = gone ? mail_rollover_ds_gone(&keys.set, &keys.timing, diag)
		               : mail_rollover_ds_seen(&keys.set, tag, &keys.timing, diag);
		status = finish(tool, &keys, ret,
		                gone ? "no DS is at the parents" : "the DS is at the parents");
	}
	keys_close(&keys);
	return status;
}

int verb_key_retire(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	keys_t keys = { 0 };
	int tag = -1;
	const bool all = option_is(tool, OPT_ALL);
	int status = all == option_is(tool, OPT_TAG)
	                     ? tool_usage(tool, "say --tag N for one key, or --all to leave DNSSEC")
	                     : read_tag(tool, &tag);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = keys_open(tool, argv[0], false, &keys);
	}
	int64_t at = keys.timing.now;
	if (status == STATUS_DONE) {
		status = read_at(tool, &at);
	}
	if (status == STATUS_DONE) {
		mail_diag_t *diag = tool_diag(tool);
		int ret = all ? mail_rollover_leave(&keys.set, at, &keys.timing, diag)
		              : mail_rollover_retire(&keys.set, tag, at, &keys.timing, diag);
		status = finish(tool, &keys, ret,
		                all ? "leaves DNSSEC; when no parent has a DS any more, say "
		                      "key-ds-seen --gone"
		                    : "the key is retired");
	}
	keys_close(&keys);
	return status;
}
