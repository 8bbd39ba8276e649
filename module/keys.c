/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table of the store's key sets, in the order of their ids, as the store has them: so the two are compared by
 * walking both. An entry's stamp tells whether it has changed; only then it is read. With each set stand its keys
 * that have something to sign, and of these the private halves that were found.
 *
 * A million key sets take a while: what is to be read is marked first, and then read in turns.
 */
#include "config.h"

#include "keys.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "key_set.h"

/*! What takes time again and again is followed by a rest so many times as long. */
#define REST 9
/*! Microseconds between two attempts to find what is missing, and how many sets are tried then. */
#define RETRY_PERIOD 1000000
#define RETRIES 1000
/*! A directory that was changed so many seconds ago may be changed again without showing it. */
#define SETTLED 2
/*! Microseconds of reading after which what there is so far is published, the first time. */
#define PUBLISH_PERIOD 2000000

struct mail_keys {
	mail_keys_say_f say;
	void *say_ctx;
	mail_key_room_t *room;

	mail_key_set_t **sets;
	size_t count;
	size_t stale, faulty; /*!< How many are. */
	size_t first;         /*!< Where the next look begins. */
	int64_t until;        /*!< The first second at which some key's time is over. */
	int64_t now;          /*!< Of the last look. */

	bool walked; /*!< Of this state of the store: */
	uint64_t epoch, txnid;
	uint32_t walks;

	struct stat files; /*!< The directory, as it was last; zero: none. */
	bool settled;      /*!< A change since would show. */
	int64_t retried;   /*!< When what is missing was last tried. */
	size_t retries;    /*!< Faulty sets that are still to be tried. */

	bool changed;                  /*!< The ring is to be made anew. */
	int64_t busy_since;            /*!< Reading since; 0: it is done. */
	int64_t publish_at;            /*!< While reading: when to publish what there is. */
	int64_t rest_from, rest_until; /*!< No look meanwhile. */

	char directory[];
};

/*! Microseconds of uptime. */
static int64_t uptime_us(void)
{
	struct timespec ts = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/*! Gives a set another state, and keeps the counts. */
static void mark(mail_keys_t *keys, mail_key_set_t *set, mail_key_set_state_t state)
{
	keys->stale += (state == MAIL_KEY_SET_STALE) - (set->state == MAIL_KEY_SET_STALE);
	keys->faulty += (state == MAIL_KEY_SET_FAULTY) - (set->state == MAIL_KEY_SET_FAULTY);
	set->state = state;
}

/*! As LMDB compares keys. */
static int compare(const mail_key_set_t *set, const uint8_t *id, size_t len)
{
	size_t common = set->id_len < len ? set->id_len : len;
	int order = memcmp(set->id, id, common);
	return order != 0 ? order : (set->id_len > len) - (set->id_len < len);
}

/* The walk: which sets there are */

typedef struct {
	mail_keys_t *keys;
	size_t old; /*!< Sets of the old table that were passed. */
	mail_key_set_t **sets;
	size_t count, cap;
} walk_t;

static int append(walk_t *walk, mail_key_set_t *set)
{
	if (walk->count == walk->cap) {
		size_t cap = walk->cap > 0 ? 2 * walk->cap : 64;
		mail_key_set_t **sets = realloc(walk->sets, cap * sizeof(*sets));
		if (sets == NULL) {
			return KNOT_ENOMEM;
		}
		walk->sets = sets;
		walk->cap = cap;
	}
	walk->sets[walk->count++] = set;
	return KNOT_EOK;
}

static int meet(mail_lf_t id, const mail_stamp_t *stamp, void *ctx)
{
	walk_t *walk = ctx;
	mail_keys_t *keys = walk->keys;
	while (walk->old < keys->count && compare(keys->sets[walk->old], id.data, id.len) < 0) {
		walk->old++;
	}
	bool known = walk->old < keys->count &&
	             compare(keys->sets[walk->old], id.data, id.len) == 0;
	mail_key_set_t *set = known ? keys->sets[walk->old] : mail_key_set_new(id.data, id.len);
	if (set == NULL || append(walk, set) != KNOT_EOK) {
		if (!known) {
			mail_key_set_free(set);
		}
		return KNOT_ENOMEM;
	}
	set->walk = keys->walks;
	if (!known || memcmp(&set->stamp, stamp, sizeof(*stamp)) != 0) {
		// What it has is kept until its entry is read.
		mark(keys, set, MAIL_KEY_SET_STALE);
		set->stamp = *stamp;
		mail_key_set_touch(set);
	}
	return KNOT_EOK;
}

/*! Frees the sets of a table that another table does not have: the walk did, or did not, meet them. */
static void drop_sets(mail_keys_t *keys, mail_key_set_t **sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (sets[i]->walk != keys->walks) {
			mark(keys, sets[i], MAIL_KEY_SET_READY);
			keys->changed |= sets[i]->count > 0;
			mail_key_set_free(sets[i]);
		}
	}
}

/*! Compares the table with the store. */
static int walk_sets(mail_keys_t *keys, mail_txn_t *txn)
{
	walk_t walk = { .keys = keys };
	keys->walks++;
	int ret = mail_txn_stamps(txn, MAIL_SECTION_KEYSET, meet, &walk);
	if (ret != KNOT_EOK) {
		// The old table stays; what was met for the first time goes.
		for (size_t i = 0; i < keys->count; i++) {
			keys->sets[i]->walk = keys->walks + 1;
		}
		for (size_t i = 0; i < walk.count; i++) {
			if (walk.sets[i]->walk == keys->walks) {
				mark(keys, walk.sets[i], MAIL_KEY_SET_READY);
				mail_key_set_free(walk.sets[i]);
			}
		}
		keys->walks++;
		free(walk.sets);
		return ret;
	}
	drop_sets(keys, keys->sets, keys->count);
	free(keys->sets);
	keys->sets = walk.sets;
	keys->count = walk.count;
	keys->first = 0;
	return KNOT_EOK;
}

/*! Reads a set's entry, and the private halves that it has not. \return KNOT_ENOMEM: try again later. */
static int read_set(mail_keys_t *keys, mail_key_set_t *set, const mail_keys_look_t *look)
{
	const mail_source_t *source = mail_txn_source(look->txn);
	mail_entry_t *entry = NULL;
	const mail_lf_t id = { (const uint8_t *)set->id, set->id_len };
	int ret = source->get(source, MAIL_SECTION_KEYSET, id, &entry, NULL);
	if (ret == KNOT_ENOENT) {
		// Deleted since the walk; the next one drops it.
		mark(keys, set, MAIL_KEY_SET_READY);
		return KNOT_EOK;
	}
	if (ret == KNOT_ENOMEM) {
		return ret;
	}
	const mail_key_reading_t reading = {
		.room = keys->room,
		.directory = keys->directory,
		.now = look->now,
		.interval = look->interval,
		.say = keys->say,
		.say_ctx = keys->say_ctx,
	};
	mail_key_set_state_t state = set->state;
	ret = mail_key_set_read(set, entry, ret, &reading, &state, &keys->changed);
	mail_entry_free(entry);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mark(keys, set, state);
	int64_t until = mail_key_set_until(set);
	keys->until = until < keys->until ? until : keys->until;
	return KNOT_EOK;
}

/* What time and the directory do */

/*! Drops the halves of keys whose time is over. */
static void expire(mail_keys_t *keys, int64_t now)
{
	keys->until = INT64_MAX;
	for (size_t i = 0; i < keys->count; i++) {
		mail_key_set_t *set = keys->sets[i];
		if (mail_key_set_expire(set, now, &keys->changed)) {
			mark(keys, set, MAIL_KEY_SET_STALE);
		}
		int64_t until = mail_key_set_until(set);
		keys->until = until < keys->until ? until : keys->until;
	}
}

/*! Says whether files may have appeared in the directory. Asked before any file is read. */
static bool directory_moved(mail_keys_t *keys)
{
	struct stat st;
	if (stat(keys->directory, &st) != 0) {
		memset(&st, 0, sizeof(st));
	}
	bool moved = !keys->settled || st.st_dev != keys->files.st_dev ||
	             st.st_ino != keys->files.st_ino ||
	             st.st_mtim.tv_sec != keys->files.st_mtim.tv_sec ||
	             st.st_mtim.tv_nsec != keys->files.st_mtim.tv_nsec;
	keys->files = st;
	// Its time stamp is coarse: a file that is made right now may not move it.
	keys->settled = time(NULL) - st.st_mtim.tv_sec > SETTLED;
	return moved;
}

/*! Sets how many of the faulty sets are to be tried: a file may also become good without its directory's knowing. */
static void plan_retries(mail_keys_t *keys, bool moved, int64_t uptime)
{
	bool due = uptime < keys->retried || uptime - keys->retried >= RETRY_PERIOD;
	if (moved) {
		keys->retries = keys->faulty;
	} else if (due && keys->retries < RETRIES) {
		keys->retries = RETRIES;
	}
	keys->retried = due ? uptime : keys->retried;
	if (keys->retries > keys->faulty) {
		keys->retries = keys->faulty;
	}
}

/*!
 * Reads what is marked, and what is to be tried again.
 *
 * \param once  Out: time spent on what is read for the first time, us.
 *
 * \return Whether there is more of what is marked.
 */
static bool read_marked(mail_keys_t *keys, const mail_keys_look_t *look, int64_t *once)
{
	int64_t now = uptime_us(), end = now + (int64_t)look->patience * 1000;
	size_t first = keys->first;
	for (size_t n = 0; n < keys->count && (keys->stale > 0 || keys->retries > 0); n++) {
		size_t i = (first + n) % keys->count;
		mail_key_set_t *set = keys->sets[i];
		bool stale = set->state == MAIL_KEY_SET_STALE;
		if (!stale && (set->state != MAIL_KEY_SET_FAULTY || keys->retries == 0)) {
			continue;
		}
		keys->retries -= stale ? 0 : 1;
		keys->first = (i + 1) % keys->count;
		if (read_set(keys, set, look) != KNOT_EOK) {
			return false;
		}
		int64_t before = now;
		now = uptime_us();
		*once += stale ? now - before : 0;
		if (now >= end) {
			return keys->stale > 0;
		}
	}
	return false;
}

/*! Says whether the ring is to be published: when all is read, or after a while, and then ever more seldom. */
static bool is_due(mail_keys_t *keys, bool more, int64_t begun, int64_t uptime)
{
	if (!more) {
		keys->busy_since = 0;
		return keys->changed;
	}
	if (keys->busy_since == 0) {
		keys->busy_since = begun;
		keys->publish_at = begun + PUBLISH_PERIOD;
	}
	if (!keys->changed || uptime < keys->publish_at) {
		return false;
	}
	keys->publish_at = uptime + (uptime - keys->busy_since);
	return true;
}

/*! Sees to it that what takes time does not take all of it. */
static void rest(mail_keys_t *keys, int64_t effort)
{
	keys->rest_from = uptime_us();
	keys->rest_until = keys->rest_from + REST * effort;
}

/*! Finds out what is to be read. */
static void mark_all(mail_keys_t *keys, const mail_keys_look_t *look, int64_t uptime)
{
	// First of all, so that nothing is missed that happens meanwhile.
	bool moved = directory_moved(keys);
	uint64_t txnid = mail_txn_id(look->txn);
	if ((!keys->walked || keys->epoch != look->epoch || keys->txnid != txnid) &&
	    walk_sets(keys, look->txn) == KNOT_EOK) {
		keys->walked = true;
		keys->epoch = look->epoch;
		keys->txnid = txnid;
	}
	if (look->now >= keys->until || look->now < keys->now) {
		expire(keys, look->now);
	}
	keys->now = look->now;
	plan_retries(keys, moved, uptime);
}

unsigned mail_keys_follow(mail_keys_t *keys, const mail_keys_look_t *look)
{
	int64_t begun = uptime_us(), once = 0;
	bool resting = begun >= keys->rest_from && begun < keys->rest_until;
	if ((resting && look->epoch == keys->epoch) || mail_txn_renew(look->txn) != KNOT_EOK) {
		return 0;
	}
	mark_all(keys, look, begun);
	bool more = read_marked(keys, look, &once);
	mail_txn_reset(look->txn);

	int64_t ended = uptime_us();
	rest(keys, more ? 0 : ended - begun - once);
	bool due = is_due(keys, more, begun, ended);
	return (more ? MAIL_KEYS_MORE : 0) | (due ? MAIL_KEYS_CHANGED : 0);
}

mail_keyring_t *mail_keys_ring(mail_keys_t *keys)
{
	int64_t begun = uptime_us();
	mail_keyring_t *ring = mail_keyring_new();
	for (size_t i = 0; ring != NULL && i < keys->count; i++) {
		const mail_key_set_t *set = keys->sets[i];
		for (unsigned k = 0; ring != NULL && k < set->count; k++) {
			if (set->members[k].half != NULL &&
			    mail_keyring_add(ring, set->members[k].half) != KNOT_EOK) {
				mail_keyring_free(ring);
				ring = NULL;
			}
		}
	}
	keys->changed = ring == NULL;
	if (keys->busy_since == 0) {
		rest(keys, uptime_us() - begun);
	}
	return ring;
}

mail_keys_t *mail_keys_new(const char *directory, mail_keys_say_f say, void *ctx)
{
	size_t len = strlen(directory) + 1;
	mail_keys_t *keys = calloc(1, sizeof(*keys) + len);
	if (keys == NULL) {
		return NULL;
	}
	memcpy(keys->directory, directory, len);
	keys->say = say;
	keys->say_ctx = ctx;
	keys->until = INT64_MAX;
	keys->room = mail_key_room_new();
	if (keys->room == NULL) {
		mail_keys_free(keys);
		return NULL;
	}
	return keys;
}

void mail_keys_free(mail_keys_t *keys)
{
	if (keys == NULL) {
		return;
	}
	for (size_t i = 0; i < keys->count; i++) {
		mail_key_set_free(keys->sets[i]);
	}
	free(keys->sets);
	mail_key_room_free(keys->room);
	free(keys);
}
