/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's key sets: a list in the order of their ids, as the store has them, so that the two are compared by
 * walking both side by side. With each set stand its keys that have something to sign, and of these the private
 * halves that were found. A look finds out what is to be read, and then reads, a million sets in many looks:
 *
 *     what happens                    how a look sees it              what is read
 *     an entry comes, changes         the store's number moved, and   the set (STALE)
 *                                     the entry's stamp is another
 *     an entry goes                   ... and it is not met           none: the set is dropped
 *     a key's time is over            set->until has come             the set (STALE)
 *     a key's time is back            the system's clock went back    sets that lack a private half (STALE)
 *     a file appears                  the directory's time moved      all sets that miss a file (FAULTY)
 *     a file becomes good in place    it does not                     RETRIES of those, by turns
 *
 * There is one clock: what has to be done again and again (to compare, to try files in vain, to make a ring) is
 * followed by a rest REST times as long as the processor was at it. So neither commits nor missing files, however
 * many, take more than a tenth of a processor. What is read once is read without a rest.
 */
#include "config.h"

#include "keys.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "uptime.h"

/*! What is done again and again is followed by a rest so many times as long. */
#define REST 9
/*! FAULTY sets that a look tries although the directory has not changed. */
#define RETRIES 1000

struct mail_keys {
	mail_key_reading_t reading; /*!< How sets are read. */

	mail_key_set_t *first;
	mail_key_set_t *next; /*!< Where reading goes on; NULL: at the first one. */
	size_t counts[MAIL_KEY_SET_STATES];
	int64_t until; /*!< The least of all sets. */

	uint64_t epoch, txnid; /*!< The state of the store that the list was compared with. */
	struct timespec mtime; /*!< Of the directory; zero: there is none. */
	size_t retries;        /*!< FAULTY sets that are still to be tried. */

	size_t changes;   /*!< Sets whose private halves are others than in the last ring. */
	size_t published; /*!< Private halves in that ring. */

	int64_t ended;  /*!< When the last look ended, us of uptime. */
	int64_t effort; /*!< What is to be rested from, us of the processor. */

	char directory[];
};

/*! Give a set another state. */
static void mark(mail_keys_t *keys, mail_key_set_t *set, mail_key_set_state_t state)
{
	keys->counts[set->state]--;
	keys->counts[state]++;
	set->state = state;
}

/*! Drop a set from the list. */
static void drop(mail_keys_t *keys, mail_key_set_t **link)
{
	mail_key_set_t *set = *link;
	*link = set->next;
	if (keys->next == set) {
		keys->next = set->next;
	}
	keys->counts[set->state]--;
	keys->changes += set->count > 0;
	mail_key_set_free(set);
}

/* What is to be read */

typedef struct {
	mail_keys_t *keys;
	mail_key_set_t **link; /*!< To the first set that the pass has not reached. */
} pass_t;

/*! Bring the list up to date as far as an entry of the store. */
static int meet(mail_lf_t id, const mail_stamp_t *stamp, void *ctx)
{
	pass_t *pass = ctx;
	while (*pass->link != NULL && mail_lf_compare(mail_key_set_id(*pass->link), id) < 0) {
		drop(pass->keys, pass->link);
	}
	if (*pass->link == NULL || mail_lf_compare(mail_key_set_id(*pass->link), id) > 0) {
		mail_key_set_t *new = mail_key_set_new(id);
		if (new == NULL) {
			return KNOT_ENOMEM;
		}
		new->next = *pass->link;
		*pass->link = new;
		pass->keys->counts[new->state]++;
	}
	mail_key_set_t *set = *pass->link;
	if (memcmp(&set->stamp, stamp, sizeof(*stamp)) != 0) {
		// What it has is kept until its entry is read.
		set->stamp = *stamp;
		mail_key_set_touch(set);
		mark(pass->keys, set, MAIL_KEY_SET_STALE);
	}
	pass->link = &set->next;
	return KNOT_EOK;
}

/*! Compare the list with the store. A pass that fails leaves a list that the next one can go on with. */
static void compare_store(mail_keys_t *keys, const mail_keys_look_t *look)
{
	uint64_t txnid = mail_txn_id(look->txn);
	if (keys->epoch == look->epoch && keys->txnid == txnid) {
		return;
	}
	pass_t pass = { .keys = keys, .link = &keys->first };
	if (mail_txn_stamps(look->txn, MAIL_SECTION_KEYSET, meet, &pass) != KNOT_EOK) {
		return;
	}
	while (*pass.link != NULL) {
		drop(keys, pass.link);
	}
	keys->epoch = look->epoch;
	keys->txnid = txnid;
}

/*! Find the sets of which the time makes others. */
static void compare_time(mail_keys_t *keys, int64_t now)
{
	bool back = now < keys->reading.now;
	keys->reading.now = now;
	if (now < keys->until && !back) {
		return;
	}
	keys->until = INT64_MAX;
	for (mail_key_set_t *set = keys->first; set != NULL; set = set->next) {
		if (now >= set->until || (back && mail_key_set_lacks(set))) {
			mark(keys, set, MAIL_KEY_SET_STALE);
		} else if (set->until < keys->until) {
			keys->until = set->until;
		}
	}
}

/*! Find out how many FAULTY sets are to be tried. */
static void compare_directory(mail_keys_t *keys)
{
	struct stat st;
	if (stat(keys->directory, &st) != 0) {
		memset(&st, 0, sizeof(st));
	}
	// Its time is coarse: what comes right after this look need not move it, and is found by turns.
	if (memcmp(&st.st_mtim, &keys->mtime, sizeof(keys->mtime)) != 0) {
		keys->mtime = st.st_mtim;
		keys->retries = SIZE_MAX;
	} else if (keys->retries < RETRIES) {
		keys->retries = RETRIES;
	}
}

/* Reading */

/*! Read what is STALE, and what is to be tried again, for some time. \return Whether there is more that is STALE. */
static bool read_sets(mail_keys_t *keys, unsigned patience)
{
	const size_t *counts = keys->counts, faulty = counts[MAIL_KEY_SET_FAULTY];
	size_t left = counts[MAIL_KEY_SET_READY] + counts[MAIL_KEY_SET_STALE] + faulty;
	int64_t end = mail_uptime_us() + (int64_t)patience * 1000;
	keys->retries = keys->retries < faulty ? keys->retries : faulty;
	for (; left > 0 && counts[MAIL_KEY_SET_STALE] + keys->retries > 0; left--) {
		mail_key_set_t *set = keys->next != NULL ? keys->next : keys->first;
		keys->next = set->next;
		bool again = set->state == MAIL_KEY_SET_FAULTY && keys->retries > 0;
		if (set->state != MAIL_KEY_SET_STALE && !again) {
			continue;
		}
		keys->retries -= again;
		int64_t before = again ? mail_thread_us() : 0;
		int state = mail_key_set_read(set, &keys->reading, &keys->changes);
		if (state < 0) {
			// There is no memory: it is read in the next look.
			return false;
		}
		mark(keys, set, state);
		keys->until = set->until < keys->until ? set->until : keys->until;
		if (again && state == MAIL_KEY_SET_FAULTY) {
			keys->effort += mail_thread_us() - before;
		}
		if (mail_uptime_us() >= end) {
			break;
		}
	}
	return counts[MAIL_KEY_SET_STALE] > 0;
}

unsigned mail_keys_follow(mail_keys_t *keys, const mail_keys_look_t *look)
{
	bool resting = mail_uptime_us() - keys->ended < REST * keys->effort;
	if (resting && keys->counts[MAIL_KEY_SET_STALE] == 0 && look->epoch == keys->epoch) {
		return 0;
	}
	if (mail_txn_renew(look->txn) != KNOT_EOK) {
		return 0;
	}
	const int64_t begun = mail_thread_us();
	// The directory first, so that no file is missed that comes meanwhile.
	compare_directory(keys);
	compare_store(keys, look);
	compare_time(keys, look->now);
	keys->effort = mail_thread_us() - begun;

	keys->reading.source = mail_txn_source(look->txn);
	keys->reading.interval = look->interval;
	bool more = read_sets(keys, look->patience);
	mail_txn_reset(look->txn);
	keys->ended = mail_uptime_us();

	// While there is more to read, a ring is made when half as many keys have come again: so all of these rings
	// take no longer than three times the last one.
	bool due = keys->changes > (more ? keys->published / 2 : 0);
	return (more ? MAIL_KEYS_MORE : 0) | (due ? MAIL_KEYS_CHANGED : 0);
}

mail_keyring_t *mail_keys_ring(mail_keys_t *keys)
{
	const int64_t begun = mail_thread_us();
	mail_keyring_t *ring = mail_keyring_new();
	if (ring == NULL) {
		return NULL;
	}
	size_t count = 0;
	for (const mail_key_set_t *set = keys->first; set != NULL; set = set->next) {
		for (unsigned i = 0; i < set->count; i++) {
			mail_private_t *half = set->members[i].half;
			if (half != NULL && mail_keyring_add(ring, half) != KNOT_EOK) {
				mail_keyring_free(ring);
				return NULL;
			}
			count += half != NULL;
		}
	}
	keys->changes = 0;
	keys->published = count;
	keys->ended = mail_uptime_us();
	keys->effort += mail_thread_us() - begun;
	return ring;
}

mail_keys_t *mail_keys_new(const char *directory, mail_keys_say_f say, void *ctx)
{
	size_t size = strlen(directory) + 1;
	mail_keys_t *keys = calloc(1, sizeof(*keys) + size);
	if (keys == NULL) {
		return NULL;
	}
	memcpy(keys->directory, directory, size);
	keys->until = INT64_MAX;
	keys->reading = (mail_key_reading_t){
		.room = mail_key_room_new(),
		.directory = keys->directory,
		.say = say,
		.say_ctx = ctx,
	};
	if (keys->reading.room == NULL) {
		free(keys);
		return NULL;
	}
	return keys;
}

void mail_keys_free(mail_keys_t *keys)
{
	if (keys == NULL) {
		return;
	}
	while (keys->first != NULL) {
		drop(keys, &keys->first);
	}
	mail_key_room_free(keys->reading.room);
	free(keys);
}
