/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rollovers.  M is the largest TTL of the zone, T that of DNSKEY, P that of DS, D the delay until every server has a
 * change; S is the second in which the operator says that the DS was seen.
 *
 *     first keys     publish, activate: now.  ds: now + D + M (no cache has an unsigned answer any more).
 *     ZSK            new: publish now, activate now + D + T.  old: retire then, remove D + M later.
 *     KSK            new: publish now, ds now + D + T.  At S, with R = S + P:
 *                    old: ds-until R, remove R + D.
 *     CSK            as KSK, and new: activate R.  old: retire R, remove R + D + M.
 *     algorithm      new: activate now, publish now + D + M, ds D + T later.  old: ds-until then.  At S:
 *                    old: remove S + P + D, retire D + T later.
 *     leaving        leave.  When the DS is gone, at S: all keys: retire and remove S + P + T + D: a validator goes on
 *                    trusting a DNSKEY RRset that it has validated by the last DS until that RRset leaves its cache.
 *
 * tests/unit/test_rollover.c proves for each of them that whatever mixture of DS, DNSKEY and signatures is in a cache
 * validates.
 */
#include "config.h"

#include "model/internal.h"

#define NEVER INT64_MAX

const char *mail_rollover_name(mail_rollover_kind_t kind)
{
	static const char *const names[] = {
		[MAIL_ROLLOVER_FIRST] = "first keys",
		[MAIL_ROLLOVER_ZSK] = "ZSK rollover (pre-publication)",
		[MAIL_ROLLOVER_KSK] = "KSK rollover (double-KSK)",
		[MAIL_ROLLOVER_CSK] = "CSK rollover (double-KSK)",
		[MAIL_ROLLOVER_ALGORITHM] = "algorithm rollover (signatures first)",
	};
	return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

/*! The last second of a key that is over. */
static int64_t end_of(const mail_dnskey_t *key)
{
	const bool signs = mail_key_zsk(key) && key->retire < NEVER && key->retire > key->remove;
	return signs ? key->retire : key->remove;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* --- Beginning --- */

/*! What of a set is in use, or is going to be. */
typedef struct {
	size_t ksk, zsk, csk; /*!< Keys with the part of a KSK; of a ZSK; with both. */
	unsigned algorithm;   /*!< Of one of them. */
	const mail_dnskey_t *leaving, *unseen;
} census_t;

static void census_add(census_t *census, const mail_dnskey_t *key)
{
	census->ksk += mail_key_ksk(key);
	census->zsk += mail_key_zsk(key);
	census->csk += mail_key_ksk(key) && mail_key_zsk(key);
	census->algorithm = key->algorithm;
	if (key->remove < NEVER || (mail_key_zsk(key) && key->retire < NEVER)) {
		census->leaving = key;
	}
	if (mail_key_ksk(key) && key->ds_seen == NEVER) {
		census->unseen = key;
	}
}

static census_t census_of(const mail_keyset_t *set, int64_t now)
{
	census_t census = { 0 };
	for (size_t i = 0; i < set->count; i++) {
		if (!mail_rollover_over(&set->keys[i], now)) {
			census_add(&census, &set->keys[i]);
		}
	}
	return census;
}

/*! Drop what nobody can have in a cache any more. */
static void drop_old(mail_keyset_t *set, const mail_timing_t *timing)
{
	const int64_t memory = (int64_t)timing->delay + timing->ttl_max + timing->ds_ttl;
	size_t kept = 0, used = 0;
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (mail_rollover_over(key, timing->now) && end_of(key) + memory < timing->now) {
			continue;
		}
		used += !mail_rollover_over(key, timing->now);
		set->keys[kept++] = *key;
	}
	set->count = kept;
	if (used == 0 && set->leave <= timing->now) {
		set->leave = NEVER;
		/* A life that ended; nothing of it is trusted in the next. */
		for (size_t i = 0; i < set->count; i++) {
			set->keys[i].ds_seen = NEVER;
		}
	}
}

/*! Return what adding keys is, or why it cannot be. */
static int kind_of(const census_t *there, const census_t *added, bool force,
                   mail_rollover_kind_t *kind, mail_diag_t *diag)
{
	const bool both = added->ksk > 0 && added->zsk > 0;
	if (added->ksk > 1 || added->zsk > 1) {
		return mail_diag_error(diag, 0, "one CSK, KSK or ZSK, or one KSK and one ZSK");
	}
	if (there->ksk + there->zsk == 0) {
		*kind = MAIL_ROLLOVER_FIRST;
		return both ? KNOT_EOK
		            : mail_diag_error(diag, 0,
		                              "the first keys are a CSK, or a KSK and a ZSK");
	}
	if ((added->ksk > 0 && there->ksk > 1) || (added->zsk > 0 && there->zsk > 1)) {
		const mail_dnskey_t *key = there->leaving != NULL ? there->leaving : there->unseen;
		return mail_diag_error(diag, 0,
		                       "a rollover is running that %u has a part in: let it come "
		                       "to its end first",
		                       key != NULL ? key->tag : 0);
	}
	if (there->leaving != NULL && ((added->ksk > 0 && mail_key_ksk(there->leaving)) ||
	                               (added->zsk > 0 && mail_key_zsk(there->leaving)))) {
		return mail_diag_error(diag, 0, "%u is on its way out already",
		                       there->leaving->tag);
	}
	if (added->ksk > 0 && there->unseen != NULL && !force) {
		return mail_diag_error(diag, 0,
		                       "the DS of %u was not seen yet: say key-ds-seen first, or "
		                       "give --force if there never was one",
		                       there->unseen->tag);
	}
	if (there->algorithm != added->algorithm) {
		*kind = MAIL_ROLLOVER_ALGORITHM;
		return both ? KNOT_EOK
		            : mail_diag_error(diag, 0,
		                              "keys of another algorithm: a CSK, or both a KSK and "
		                              "a ZSK, for all is signed with it");
	}
	if (!both && there->csk > 0) {
		return mail_diag_error(diag, 0,
		                       "the key there is a CSK: it is replaced by a CSK, or by a "
		                       "KSK and a ZSK together");
	}
	if (both) {
		*kind = MAIL_ROLLOVER_CSK;
	} else {
		*kind = added->ksk > 0 ? MAIL_ROLLOVER_KSK : MAIL_ROLLOVER_ZSK;
	}
	return KNOT_EOK;
}

/*! Times of a key that is added. */
static void added_times(mail_dnskey_t *key, mail_rollover_kind_t kind, const mail_timing_t *t)
{
	const int64_t everywhere = t->now + t->delay;
	key->publish = key->activate = t->now;
	key->retire = key->remove = key->ds = key->ds_seen = key->ds_until = NEVER;
	int64_t ds = everywhere + t->ttl;
	switch (kind) {
	case MAIL_ROLLOVER_FIRST: ds = everywhere + later(t->ttl_max, t->ttl); break;
	case MAIL_ROLLOVER_ZSK: key->activate = everywhere + t->ttl; break;
	case MAIL_ROLLOVER_KSK: break;
	case MAIL_ROLLOVER_CSK: key->activate = NEVER; break;
	case MAIL_ROLLOVER_ALGORITHM:
		key->publish = everywhere + t->ttl_max;
		ds = key->publish + t->delay + t->ttl;
		break;
	}
	if (!mail_key_zsk(key)) {
		key->activate = 0;
	}
	key->ds = mail_key_ksk(key) ? ds : NEVER;
}

/*! Times of the keys that were there, as far as they are known when a rollover begins. */
static void replaced_times(mail_keyset_t *set, size_t count, const mail_dnskey_t *added,
                           mail_rollover_kind_t kind, const mail_timing_t *t)
{
	for (size_t i = 0; i < count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (mail_rollover_over(key, t->now)) {
			continue;
		}
		if (kind == MAIL_ROLLOVER_ZSK && key->role == MAIL_ROLE_ZSK) {
			key->retire = earlier(key->retire, added->activate);
			key->remove = earlier(key->remove, added->activate + t->delay + t->ttl_max);
		} else if (kind == MAIL_ROLLOVER_ALGORITHM && mail_key_ksk(key)) {
			/* A parent with both would want both to be signed with: one for the other. */
			key->ds_until = later(key->ds, earlier(key->ds_until, added->ds));
		}
	}
}

int mail_rollover_begin(mail_keyset_t *set, const mail_dnskey_t *added, size_t count,
                        const mail_timing_t *timing, mail_rollover_kind_t *kind, mail_diag_t *diag)
{
	census_t coming = { 0 };
	const mail_dnskey_t *lead = NULL;
	char text[32];
	drop_old(set, timing);
	if (set->leave < NEVER) {
		return mail_diag_error(diag, 0, "the zone leaves DNSSEC at %s",
		                       mail_rollover_time(set->leave, text));
	}
	if (set->count + count > MAIL_LIST_MAX) {
		(void)mail_diag_error(diag, 0, "more than %d keys", MAIL_LIST_MAX);
		return KNOT_ELIMIT;
	}
	for (size_t i = 0; i < count; i++) {
		if (mail_keyset_find(set, added[i].tag, 0) != NULL ||
		    (i > 0 && added[i].tag == added[0].tag)) {
			(void)mail_diag_error(diag, 0, "a second key with the tag %u",
			                      added[i].tag);
			return KNOT_EEXIST;
		}
		if (added[i].algorithm != added[0].algorithm) {
			return mail_diag_error(diag, 0, "keys of two algorithms at once");
		}
		census_add(&coming, &added[i]);
	}
	const census_t there = census_of(set, timing->now);
	int ret = kind_of(&there, &coming, timing->force, kind, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const size_t before = set->count;
	for (size_t i = 0; i < count; i++) {
		mail_dnskey_t *key = &set->keys[set->count++];
		*key = added[i];
		added_times(key, *kind, timing);
		lead = lead == NULL || mail_key_ksk(key) ? key : lead;
	}
	replaced_times(set, before, lead, *kind, timing);
	return mail_keyset_check(set, timing->now, diag);
}

/* --- The operator's word --- */

bool mail_rollover_waits(const mail_keyset_t *set, const mail_dnskey_t *key, int64_t now)
{
	return mail_key_ksk(key) && key->ds < NEVER && key->ds_seen == NEVER &&
	       key->remove == NEVER && key->ds_until == NEVER && set->leave > now;
}

/*! The key that waits, of a tag or alone. */
static mail_dnskey_t *waiting(mail_keyset_t *set, int tag, int64_t now, mail_diag_t *diag)
{
	mail_dnskey_t *found = NULL;
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (!mail_rollover_waits(set, key, now) || (tag >= 0 && key->tag != tag)) {
			continue;
		}
		if (found != NULL) {
			(void)mail_diag_error(diag, 0, "%u and %u wait: say which", found->tag,
			                      key->tag);
			return NULL;
		}
		found = key;
	}
	if (found == NULL && tag >= 0) {
		const mail_dnskey_t *key = mail_keyset_find(set, (uint16_t)tag, 0);
		(void)mail_diag_error(diag, 0,
		                      key == NULL ? "there is no key %d"
		                                  : "the key %d does not wait for its DS",
		                      tag);
	} else if (found == NULL) {
		(void)mail_diag_error(diag, 0, "no key waits for its DS");
	}
	return found;
}

/*! The new key takes over from those of its own algorithm. */
static void take_over(mail_keyset_t *set, const mail_dnskey_t *seen, const mail_timing_t *t)
{
	const int64_t ready = t->now + t->ds_ttl;
	bool signers = false;
	/* New keys that wait to sign: the key itself, or the ZSK that came with it. */
	for (size_t i = 0; i < set->count; i++) {
		signers |= mail_key_zsk(&set->keys[i]) && set->keys[i].activate == NEVER;
	}
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (mail_rollover_over(key, t->now)) {
			continue;
		}
		if (mail_key_zsk(key) && key->activate == NEVER) {
			key->activate = ready;
			continue;
		}
		if (key == seen || (!mail_key_ksk(key) && !signers)) {
			continue;
		}
		if (mail_key_ksk(key)) {
			key->ds_until = later(key->ds, earlier(key->ds_until, ready));
		}
		if (mail_key_zsk(key)) {
			key->retire = earlier(key->retire, ready);
		}
		key->remove = earlier(key->remove,
		                      ready + t->delay + (signers ? (int64_t)t->ttl_max : 0));
	}
}

/*! Keys of other algorithms go: first from DNSKEY, then their signatures. */
static void outlive(mail_keyset_t *set, const mail_dnskey_t *seen, const mail_timing_t *t)
{
	const int64_t ready = t->now + t->ds_ttl + t->delay;
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (mail_rollover_over(key, t->now) || key->algorithm == seen->algorithm) {
			continue;
		}
		key->remove = earlier(key->remove, ready);
		if (mail_key_ksk(key)) {
			key->ds_until = later(key->ds, earlier(key->ds_until, t->now));
		}
		if (mail_key_zsk(key)) {
			key->retire = earlier(key->retire, ready + t->delay + t->ttl);
		}
	}
}

int mail_rollover_ds_seen(mail_keyset_t *set, int tag, const mail_timing_t *timing,
                          mail_diag_t *diag)
{
	mail_dnskey_t *key = waiting(set, tag, timing->now, diag);
	char text[32];
	bool others = false;
	if (key == NULL) {
		return tag >= 0 ? KNOT_ENOENT : KNOT_EINVAL;
	}
	if (key->ds > timing->now && !timing->force) {
		return mail_diag_error(diag, 0,
		                       "the DS of %u should not be at the parent before %s: until "
		                       "then caches hold records that do not fit it",
		                       key->tag, mail_rollover_time(key->ds, text));
	}
	key->ds = earlier(key->ds, timing->now);
	key->ds_seen = timing->now;
	for (size_t i = 0; i < set->count; i++) {
		others |= !mail_rollover_over(&set->keys[i], timing->now) &&
		          set->keys[i].algorithm != key->algorithm;
	}
	if (others) {
		outlive(set, key, timing);
	} else {
		take_over(set, key, timing);
	}
	return mail_keyset_check(set, timing->now, diag);
}

int mail_rollover_leave(mail_keyset_t *set, int64_t at, const mail_timing_t *timing,
                        mail_diag_t *diag)
{
	const census_t there = census_of(set, timing->now);
	char text[32];
	if (there.ksk == 0) {
		return mail_diag_error(diag, 0, "no key is in use");
	}
	if (set->leave < NEVER) {
		return mail_diag_error(diag, 0, "the zone leaves DNSSEC at %s already",
		                       mail_rollover_time(set->leave, text));
	}
	set->leave = later(at, timing->now);
	return KNOT_EOK;
}

int mail_rollover_ds_gone(mail_keyset_t *set, const mail_timing_t *timing, mail_diag_t *diag)
{
	const int64_t end = timing->now + timing->ds_ttl + timing->ttl + timing->delay;
	char text[32];
	if (set->leave == NEVER) {
		return mail_diag_error(diag, 0,
		                       "the zone does not leave DNSSEC: say key-retire --all "
		                       "first");
	}
	if (set->leave + timing->delay > timing->now && !timing->force) {
		return mail_diag_error(diag, 0,
		                       "not every server asks for it before %s: a parent could "
		                       "still add the DS again",
		                       mail_rollover_time(set->leave + timing->delay, text));
	}
	bool open = false;
	for (size_t i = 0; i < set->count; i++) {
		open |= set->keys[i].remove == NEVER;
	}
	if (!open) {
		int64_t last = 0;
		for (size_t i = 0; i < set->count; i++) {
			last = later(last, set->keys[i].remove);
		}
		return mail_diag_error(diag, 0, "that was said before: signing ends at %s",
		                       mail_rollover_time(last, text));
	}
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *key = &set->keys[i];
		if (mail_rollover_over(key, timing->now)) {
			continue;
		}
		key->remove = earlier(key->remove, end);
		key->publish = earlier(key->publish, key->remove);
		if (mail_key_zsk(key)) {
			key->retire = earlier(key->retire, end);
			key->activate = earlier(key->activate, key->retire);
		}
	}
	return mail_keyset_check(set, timing->now, diag);
}

/* --- By hand --- */

/*! Return whether another key with the part of a KSK, whose DS is in every cache by then, stays. */
static bool has_successor(const mail_keyset_t *set, const mail_dnskey_t *gone, int64_t at,
                          const mail_timing_t *t)
{
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *key = &set->keys[i];
		if (key != gone && mail_key_ksk(key) && key->remove > gone->remove &&
		    key->ds_seen < NEVER && key->ds_seen + t->ds_ttl <= at) {
			return true;
		}
	}
	return false;
}

static void end_key(mail_dnskey_t *key, bool last, int64_t at, const mail_timing_t *t)
{
	if (mail_key_ksk(key) && key->ds < NEVER) {
		key->ds_until = later(key->ds, earlier(key->ds_until, at));
	}
	if (key->publish >= at) {
		/* It was never seen. */
		key->publish = key->remove = at;
	} else {
		/* Of an algorithm that goes altogether, the DNSKEY goes first; else the signatures. */
		const int64_t cached = mail_key_zsk(key) ? t->ttl_max : t->ttl;
		key->remove = earlier(key->remove, last ? at : at + t->delay + cached);
	}
	if (mail_key_zsk(key)) {
		key->retire = earlier(key->retire, last ? at + t->delay + t->ttl : at);
		key->activate = earlier(key->activate, key->retire);
	}
}

/*
 * What is refused, in this order, and what force makes of it:
 *
 *     the key is over, or its removal is planned        refused                       force: planned anew if not over
 *     its DS may be at the parent, unseen by us         refused                       force: done, the DS is forgotten
 *     its DS was seen, and no successor's will be
 *     in every cache by then                            refused                       force: done, the DS is forgotten
 *     no key with the part of a KSK would be left       refused                       force: done
 *     the set would break the chain at some time        refused                       refused
 *
 * If no other key of its algorithm and role stays, while another algorithm does, all keys of the algorithm end with it:
 * signatures go after the DNSKEYs (RFC 6840 5.11).
 */
int mail_rollover_retire(mail_keyset_t *set, int tag, int64_t at, const mail_timing_t *timing,
                         mail_diag_t *diag)
{
	mail_dnskey_t *key = mail_keyset_find(set, (uint16_t)tag, 0);
	bool same = false, others = false;
	if (key == NULL) {
		(void)mail_diag_error(diag, 0, "there is no key %d", tag);
		return KNOT_ENOENT;
	}
	if (mail_rollover_over(key, timing->now) || (key->remove < NEVER && !timing->force)) {
		char text[32];
		return mail_diag_error(diag, 0, "the key %d is removed at %s already", tag,
		                       mail_rollover_time(key->remove, text));
	}
	for (size_t i = 0; i < set->count; i++) {
		const mail_dnskey_t *other = &set->keys[i];
		if (other != key && !mail_rollover_over(other, timing->now)) {
			const bool alike = other->algorithm == key->algorithm;
			same |= alike && other->remove == NEVER && other->role == key->role;
			others |= !alike;
		}
	}
	const bool last = others && !same;
	if (mail_key_ksk(key) && key->ds <= at && key->ds_seen == NEVER && !timing->force) {
		return mail_diag_error(diag, 0,
		                       "the DS of %d may be at the parent already: see that it is "
		                       "not, then give --force",
		                       tag);
	}
	for (size_t i = 0; i < set->count; i++) {
		mail_dnskey_t *other = &set->keys[i];
		if (other == key || (last && other->algorithm == key->algorithm &&
		                     !mail_rollover_over(other, timing->now))) {
			end_key(other, last, at, timing);
		}
	}
	if (timing->force) {
		key->ds_seen = NEVER;
	} else if (mail_key_ksk(key) && key->ds_seen < NEVER && at < set->leave &&
	           !has_successor(set, key, at, timing)) {
		return mail_diag_error(
			diag, 0,
			"the DS of %d is at the parent, and no cache is sure to have "
			"that of another key",
			tag);
	}
	if (census_of(set, key->remove).ksk == 0 && !timing->force) {
		return mail_diag_error(diag, 0,
		                       "%d is the only key: key-retire --all is the way out of "
		                       "DNSSEC",
		                       tag);
	}
	return mail_keyset_check(set, timing->now, diag);
}
