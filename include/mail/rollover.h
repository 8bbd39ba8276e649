/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The life of the keys of a key set: when each key is published, signs, and is named to the parent, so that no
 *        validator ever meets a broken chain (RFC 6781 4, RFC 7583).
 *
 * When a rollover begins, all times that are known are written into the keys. Times that wait for the operator
 * (who sees that the DS is at the parent, or gone) stay open until mail_rollover_ds_seen() or
 * mail_rollover_ds_gone(). From then on the clock does everything.
 *
 * Thread rule: all functions are pure on a set in memory; one thread at a time uses a set.
 */
#pragma once

#include "mail/dnskey.h"
#include "mail/entry.h"

/*! How long a change takes to every server, seconds, when nobody says otherwise. */
#define MAIL_DELAY 3600

/*! A key set in memory. */
typedef struct {
	mail_dnskey_t keys[MAIL_LIST_MAX];
	size_t count;
	int64_t leave; /*!< From then on the parent is asked for no DS; INT64_MAX: never. */
} mail_keyset_t;

/*! The values from which times are computed, in seconds. */
typedef struct {
	int64_t now;
	uint32_t ttl;     /*!< Largest TTL of the DNSKEY RRset of any domain with these keys. */
	uint32_t ttl_max; /*!< Largest TTL of any RRset of those domains. */
	uint32_t delay;   /*!< Time until a change is on every server. */
	uint32_t ds_ttl;  /*!< Largest TTL of a DS RRset at a parent. */
	bool force; /*!< Do what is refused for the operator's safety, if it can be done at all. */
} mail_timing_t;

/*! What the keys that are added to a set are. */
typedef enum {
	MAIL_ROLLOVER_FIRST, /*!< The first: the zone goes from unsigned to signed. */
	MAIL_ROLLOVER_ZSK,   /*!< Pre-publication (RFC 6781 4.1.1.1). */
	MAIL_ROLLOVER_KSK, /*!< Double-KSK: the DNSKEY first, then its DS (RFC 6781 4.1.2, RFC 7583 2.2, 3.3.1). */
	MAIL_ROLLOVER_CSK, /*!< As KSK, and the other records are signed anew behind it (RFC 6781 4.1.3). */
	MAIL_ROLLOVER_ALGORITHM /*!< Signatures first, the conservative way (RFC 6781 4.1.4). */
} mail_rollover_kind_t;

/*! Return the name of a kind, a constant: "first keys", "ZSK rollover (pre-publication)", ... */
const char *mail_rollover_name(mail_rollover_kind_t kind);

/*! Read the keys of an entry. \return KNOT_EOK; KNOT_EINVAL with the reason. */
int mail_keyset_read(const mail_entry_t *entry, mail_keyset_t *set, mail_diag_t *diag);
/*! Replace the keys of an entry. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_keyset_write(const mail_keyset_t *set, mail_entry_t *entry);
/*!
 * Check that a set never breaks the chain, whatever the TTLs are.
 *
 * At each time at which a DNSKEY is published, a KSK or CSK must be published, and each algorithm must sign
 * (RFC 4035 2.2). A key whose DS was seen must stay until the DS of another key was seen, or until the zone
 * leaves DNSSEC.
 *
 * \param from  Check from this second on.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason and the time.
 */
int mail_keyset_check(const mail_keyset_t *set, int64_t from, mail_diag_t *diag);
/*!
 * Return whether the keys of a set go on where those of another were at a time: whoever has records of the one and keys
 * of the other in a cache can validate.
 */
bool mail_keyset_goes_on(const mail_keyset_t *before, const mail_keyset_t *after, int64_t now);
/*! Return a key whose DS was seen at the parent by a time, else one whose DS may be there; or NULL. */
const mail_dnskey_t *mail_keyset_anchor(const mail_keyset_t *set, int64_t now);
/*! Return the earliest time from which the parent has, or is to have, the DS of a key that is in use; INT64_MAX: none. */
int64_t mail_keyset_ds(const mail_keyset_t *set, int64_t now);
/*! The key of a tag, or NULL. \param algorithm 0: any; of several the first that was not removed by now. */
mail_dnskey_t *mail_keyset_find(mail_keyset_t *set, uint16_t tag, unsigned algorithm);

/*!
 * Begin a rollover: add keys, and set all times that are known now. Keys that were removed longer ago than any
 * TTL leave the set.
 *
 * \param added  The keys, count of them. Their algorithm, role and public half must be set.
 * \param kind   Out: the kind of rollover.
 * \param diag   Out: the reason of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (roles that do not go together, a rollover is running, or the zone is leaving
 *         DNSSEC); KNOT_EEXIST (the set has a key with this tag: generate another key); KNOT_ELIMIT (too many
 *         keys).
 */
int mail_rollover_begin(mail_keyset_t *set, const mail_dnskey_t *added, size_t count,
                        const mail_timing_t *timing, mail_rollover_kind_t *kind, mail_diag_t *diag);
/*!
 * Go on after the operator saw the DS of a key at all parents: set the times of all further steps. In an algorithm
 * rollover, the DS of the old keys must be gone, too.
 *
 * \param tag  Tag of the key; -1: the only key that waits for its DS.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such key), KNOT_EINVAL, both with the reason.
 */
int mail_rollover_ds_seen(mail_keyset_t *set, int tag, const mail_timing_t *timing,
                          mail_diag_t *diag);
/*! Begin to leave DNSSEC at a time (RFC 8078 4). \return KNOT_EOK; KNOT_EINVAL with the reason. */
int mail_rollover_leave(mail_keyset_t *set, int64_t at, const mail_timing_t *timing,
                        mail_diag_t *diag);
/*!
 * Go on after the operator saw that no parent has a DS any more: set the time at which signing ends.
 *
 * \return As mail_rollover_leave().
 */
int mail_rollover_ds_gone(mail_keyset_t *set, const mail_timing_t *timing, mail_diag_t *diag);
/*!
 * Retire one key at a time. From then on it does not sign, and no parent should have its DS. It is removed when
 * no cache has a signature of it.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no such key); KNOT_EINVAL with the reason.
 */
int mail_rollover_retire(mail_keyset_t *set, int tag, int64_t at, const mail_timing_t *timing,
                         mail_diag_t *diag);

/*! Step of a key at a time. */
typedef enum {
	MAIL_STEP_ACTIVATE, /*!< It begins to sign records. */
	MAIL_STEP_PUBLISH,  /*!< Its DNSKEY appears. */
	MAIL_STEP_DS,       /*!< The parent is asked to have its DS. */
	MAIL_STEP_DS_SEEN,  /*!< The operator saw the DS. */
	MAIL_STEP_DS_UNTIL, /*!< The parent is no longer asked to have its DS. */
	MAIL_STEP_RETIRE,   /*!< It no longer signs records. */
	MAIL_STEP_REMOVE,   /*!< Its DNSKEY goes. */
	MAIL_STEP_LEAVE     /*!< The parent is asked to have no DS at all; belongs to no key. */
} mail_step_what_t;

/*! A step. */
typedef struct {
	int64_t time; /*!< Seconds since 1970; INT64_MAX: it waits for the operator. */
	mail_step_what_t what;
	const mail_dnskey_t *key; /*!< NULL for MAIL_STEP_LEAVE. */
} mail_step_t;

/*! Greatest number of steps of a set. */
#define MAIL_STEPS_MAX (7 * MAIL_LIST_MAX + 1)

/*!
 * Write all steps of a set in the order of time: the known ones, and those that wait for the operator. If the
 * zone leaves DNSSEC, no key has a time of removal before mail_rollover_ds_gone().
 *
 * \return The number of steps.
 */
size_t mail_rollover_steps(const mail_keyset_t *set, mail_step_t steps[MAIL_STEPS_MAX]);
/*! Return the state of a key at a time, a constant text: "active", "published", "waits for its DS", ... */
const char *mail_rollover_state(const mail_dnskey_t *key, int64_t now);
/*! Return whether a key waits for the operator to see its DS. */
bool mail_rollover_waits(const mail_keyset_t *set, const mail_dnskey_t *key, int64_t now);
