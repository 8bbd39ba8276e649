/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of key sets: made, ended, and the operator's word on their DS. Private keys go to files, first; then the store
 * says that they are there.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tool/keyset.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* Tags have 16 bits: that another key is needed is rare, that so many are is a fault. */
#define TRIES_MAX 100

/* --- key-generate --- */

/*! \brief What kinds of keys are wanted. */
typedef struct {
	mail_algorithm_t algorithm;
	unsigned bits;
	mail_role_t roles[2];
	size_t count;
} wanted_t;

static void read_wanted(tool_t *tool, const keyset_t *keys, wanted_t *wanted)
{
	const mail_dnskey_t *there = NULL;
	const char *name = option_value(tool, OPT_ALGORITHM);
	(void)keyset_in_use(keys, &there);
	/* RFC 8624 3.1: the one that every validator must know; its keys and signatures are small. */
	*wanted = (wanted_t){ .algorithm = MAIL_ALGORITHM_ECDSAP256SHA256 };
	if (name != NULL) {
		wanted->algorithm = mail_algorithm_find(MAIL_STR(name));
	} else if (there != NULL) {
		wanted->algorithm = there->algorithm;
	}
	if (option_is(tool, OPT_BITS) && wanted->algorithm != MAIL_ALGORITHM_RSASHA256) {
		tool_usage(tool, "--bits goes with --algorithm rsasha256 only");
	}
	wanted->bits = (unsigned)option_number(tool, OPT_BITS, 2048, 4096, 2048);

	/* The roles that are asked for; else those of the keys that are there. */
	const bool csk = option_is(tool, OPT_CSK);
	bool ksk = option_is(tool, OPT_KSK), zsk = option_is(tool, OPT_ZSK);
	if (csk && (ksk || zsk)) {
		tool_usage(tool, "--csk is a KSK and a ZSK in one: give it alone");
	}
	if (there != NULL && there->role != MAIL_ROLE_CSK && !csk && !ksk && !zsk) {
		if (there->algorithm == wanted->algorithm) {
			tool_usage(tool, "the set has a KSK and a ZSK: say --ksk, --zsk, or both");
		}
		ksk = zsk = true;
	}
	if (ksk) {
		wanted->roles[wanted->count++] = MAIL_ROLE_KSK;
	}
	if (zsk) {
		wanted->roles[wanted->count++] = MAIL_ROLE_ZSK;
	}
	if (!ksk && !zsk) {
		wanted->roles[wanted->count++] = MAIL_ROLE_CSK;
	}
}

/*! \brief Make the private halves of what is wanted. */
static void make_keys(tool_t *tool, const wanted_t *wanted, keyset_added_t added[2])
{
	for (size_t i = 0; i < wanted->count; i++) {
		int ret = mail_private_generate(wanted->algorithm, wanted->bits, &added[i].private);
		if (ret != KNOT_EOK) {
			tool_fail(tool, ret, "key-set %s: cannot make a key: %s", tool->argv[0],
			          knot_strerror(ret));
		}
	}
}

/*! \brief Make keys as they are going to be wanted, unless the set changes: others can write meanwhile. */
static void prepare(tool_t *tool, wanted_t *wanted, keyset_added_t added[2])
{
	static keyset_t keys;
	keys.timing.now = time(NULL);
	tool_open(tool, MAIL_STORE_READ);
	const mail_entry_t *entry = tool_find_entry(tool, MAIL_SECTION_KEYSET, tool->argv[0]);
	if (entry != NULL) {
		tool_expect_entry(tool, entry, mail_keyset_read(entry, &keys.set, tool_diag(tool)));
	}
	read_wanted(tool, &keys, wanted);
	tool_close(tool);
	make_keys(tool, wanted, added);
}

/*! \brief Return whether the same keys are wanted. */
static bool same_wanted(const wanted_t *a, const wanted_t *b)
{
	return a->algorithm == b->algorithm && a->bits == b->bits && a->count == b->count;
}

/*!
 * \brief Take the keys that were made, or make others until their tags are free, in the set and in the key directory, and
 *        add them.
 */
static const char *generate(tool_t *tool, keyset_t *keys, const wanted_t *wanted,
                            keyset_added_t added[2])
{
	const mail_keyset_t before = keys->set;
	mail_rollover_kind_t kind = MAIL_ROLLOVER_FIRST;
	mail_diag_t *diag = tool_diag(tool);
	int ret = KNOT_EEXIST;
	for (unsigned tries = 0; ret == KNOT_EEXIST && tries < TRIES_MAX; tries++) {
		mail_dnskey_t list[2];
		bool taken = false;
		if (tries > 0 || added[0].private == NULL) {
			keyset_added_free(added, 2);
			make_keys(tool, wanted, added);
		}
		for (size_t i = 0; i < wanted->count; i++) {
			keyset_fill(tool, keys, &added[i], wanted->roles[i]);
			/* A file of a key that was dropped from the set stays what it is. */
			taken = taken || access(added[i].path, F_OK) == 0;
			list[i] = added[i].key;
		}
		keys->set = before;
		ret = KNOT_EEXIST;
		if (!taken) {
			ret = mail_rollover_begin(&keys->set, list, wanted->count, &keys->timing,
			                          &kind, diag);
		}
	}
	tool_expect_entry(tool, keys->entry, ret);
	return mail_rollover_name(kind);
}

/*! \brief Return the time of --at, which is not before now. */
static int64_t read_at(tool_t *tool, int64_t now)
{
	int64_t at = option_time(tool, OPT_AT, now);
	if (at < now) {
		tool_fail(tool, KNOT_EINVAL, "--at: %s is over: what was cannot be changed",
		          tool_time(at));
	}
	return at;
}

int verb_key_generate(tool_t *tool)
{
	static keyset_added_t added[2];
	keyset_t keys;
	wanted_t wanted, before;
	prepare(tool, &before, added);
	tool_open(tool, MAIL_STORE_WRITE);
	keyset_open(tool, tool->argv[0], true, &keys);
	keys.timing.now = read_at(tool, keys.timing.now);
	read_wanted(tool, &keys, &wanted);
	if (!same_wanted(&wanted, &before)) {
		keyset_added_free(added, 2);
	}
	const char *what = generate(tool, &keys, &wanted, added);
	keyset_write(tool, &keys, added, wanted.count, what);
	keyset_added_free(added, wanted.count);
	return STATUS_DONE;
}

/* --- key-ds-seen, key-retire --- */

/*! \brief Return the tag that is given, or -1. */
static int read_tag(tool_t *tool)
{
	int tag = (int)option_number(tool, OPT_TAG, 0, UINT16_MAX, 0);
	return option_is(tool, OPT_TAG) ? tag : -1;
}

int verb_key_ds_seen(tool_t *tool)
{
	keyset_t keys;
	const bool gone = option_is(tool, OPT_GONE);
	if (gone && option_is(tool, OPT_TAG)) {
		tool_usage(tool, "--gone is about all keys of the set: leave --tag out");
	}
	const int tag = read_tag(tool);
	tool_open(tool, MAIL_STORE_WRITE);
	keyset_open(tool, tool->argv[0], false, &keys);
	if (!gone && keys.ds_from > keys.timing.now && !keys.timing.force) {
		tool_fail(tool, KNOT_EINVAL,
		          "key-set %s: the DS should not be at the parents before %s: caches hold "
		          "what is not signed",
		          tool->argv[0], tool_time(keys.ds_from));
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = gone ? mail_rollover_ds_gone(&keys.set, &keys.timing, diag)
	               : mail_rollover_ds_seen(&keys.set, tag, &keys.timing, diag);
	tool_expect_entry(tool, keys.entry, ret);
	keyset_write(tool, &keys, NULL, 0,
	             gone ? "no DS is at the parents" : "the DS is at the parents");
	return STATUS_DONE;
}

int verb_key_retire(tool_t *tool)
{
	keyset_t keys;
	const bool all = option_is(tool, OPT_ALL);
	if (all == option_is(tool, OPT_TAG)) {
		tool_usage(tool, "say --tag N for one key, or --all to leave DNSSEC");
	}
	const int tag = read_tag(tool);
	tool_open(tool, MAIL_STORE_WRITE);
	keyset_open(tool, tool->argv[0], false, &keys);
	const int64_t at = read_at(tool, keys.timing.now);
	mail_diag_t *diag = tool_diag(tool);
	int ret = all ? mail_rollover_leave(&keys.set, at, &keys.timing, diag)
	              : mail_rollover_retire(&keys.set, tag, at, &keys.timing, diag);
	tool_expect_entry(tool, keys.entry, ret);
	keyset_write(tool, &keys, NULL, 0,
	             all ? "leaves DNSSEC; when no parent has a DS any more, say key-ds-seen --gone"
	                 : "the key is retired");
	return STATUS_DONE;
}
