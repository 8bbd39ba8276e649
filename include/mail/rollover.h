/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The life of the keys of a key set: when each of them is published, signs, and is named to the parent, so
 *        that no validator ever meets a chain that is broken (RFC 6781 4, RFC 7583).
 *
 * Everything that is known when a rollover begins is written into the times of the keys; what waits for the
 * operator's word (that the DS is at the parent, or gone) stays open until mail_rollover_ds_seen() or
 * mail_rollover_ds_gone(). From then on the clock does all.
 *
 * Pure functions on a set in memory; one thread.
 */
#pragma once

#include "mail/dnskey.h"
#include "mail/entry.h"

/*! A key set in memory. */
typedef struct {
	mail_dnskey_t keys[MAIL_LIST_MAX];
	size_t count;
	int64_t leave; /*!< From then on the parent is asked for no DS; INT64_MAX: never. */
} mail_keyset_t;

/*! What times are computed from; seconds. */
typedef struct {
	int64_t now;
	uint32_t ttl;     /*!< Largest TTL of the DNSKEY RRset of any domain with these keys. */
	uint32_t ttl_max; /*!< Largest TTL of any RRset of those domains. */
	uint32_t delay;   /*!< Until a change is on every server. */
	uint32_t ds_ttl;  /*!< Largest TTL of a DS RRset at a parent. */
	bool force; /*!< The operator knows better: of what is refused, what can be done is done. */
} mail_timing_t;

/*! What the keys that are added to a set are. */
typedef enum {
	MAIL_ROLLOVER_FIRST, /*!< The first: the zone goes from unsigned to signed. */
	MAIL_ROLLOVER_ZSK,   /*!< Pre-publication (RFC 6781 4.1.1.1). */
	MAIL_ROLLOVER_KSK, /*!< Double-DS, both keys in DNSKEY (RFC 6781 4.1.2, RFC 7583 2.2 Double-RRset). */
	MAIL_ROLLOVER_CSK, /*!< As KSK, and the other records are signed anew behind it (RFC 6781 4.1.3). */
	MAIL_ROLLOVER_ALGORITHM /*!< Signatures first, the conservative way (RFC 6781 4.1.4). */
} mail_rollover_kind_t;

/*! "first keys", "ZSK rollover (pre-publication)", ... */
const char *mail_rollover_name(mail_rollover_kind_t kind);

/*! Read the keys of an entry. \return KNOT_EOK; KNOT_EINVAL with the reason. */
int mail_keyset_read(const mail_entry_t *entry, mail_keyset_t *set, mail_diag_t *diag);
/*! Replace the keys of an entry. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_keyset_write(const mail_keyset_t *set, mail_entry_t *entry);
/*!
 * Look for moments in which a set would break the chain, whatever the TTLs: a DNSKEY is published, but none with the
 * part of a KSK, or of its algorithm nothing signs (RFC 4035 2.2); or the key whose DS was seen goes before another's
 * DS was seen, or before the zone leaves DNSSEC.
 *
 * \param from  What was before does not matter.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason and the time.
 */
int mail_keyset_check(const mail_keyset_t *set, int64_t from, mail_diag_t *diag);
/*! The key of a tag, or NULL. \param algorithm 0: any; of several the first that was not removed by now. */
mail_dnskey_t *mail_keyset_find(mail_keyset_t *set, uint16_t tag, unsigned algorithm);

/*!
 * Add keys, of which algorithm, role and public half are set, and set the times of all that can be known now.
 * Keys that were removed longer ago than any TTL are dropped.
 *
 * \param kind  Out: what it is.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason (roles that do not go together, a rollover that is running, a zone
 *         that is leaving DNSSEC); KNOT_EEXIST (a tag that is there already: make another key); KNOT_ELIMIT.
 */
int mail_rollover_begin(mail_keyset_t *set, const mail_dnskey_t *added, size_t count,
                        const mail_timing_t *timing, mail_rollover_kind_t *kind, mail_diag_t *diag);
/*!
 * The operator saw the DS of a key at all parents (of an algorithm rollover: and that of the old keys is gone): sets
 * what comes after.
 *
 * \param tag  -1: of the only key that waits for it.
 *
 * \return KNOT_EOK; KNOT_ENOENT, KNOT_EINVAL with the reason.
 */
int mail_rollover_ds_seen(mail_keyset_t *set, int tag, const mail_timing_t *timing,
                          mail_diag_t *diag);
/*! Begin to leave DNSSEC at a time (RFC 8078 4). \return KNOT_EOK; KNOT_EINVAL with the reason. */
int mail_rollover_leave(mail_keyset_t *set, int64_t at, const mail_timing_t *timing,
                        mail_diag_t *diag);
/*! The operator saw that no parent has a DS any more: sets when signing ends. \return As mail_rollover_leave(). */
int mail_rollover_ds_gone(mail_keyset_t *set, const mail_timing_t *timing, mail_diag_t *diag);
/*!
 * End a key by hand, from a time on: it signs no more, is named to no parent, and goes when nothing that it signed is
 * in a cache.
 *
 * \return KNOT_EOK; KNOT_ENOENT; KNOT_EINVAL with the reason.
 */
int mail_rollover_retire(mail_keyset_t *set, int tag, int64_t at, const mail_timing_t *timing,
                         mail_diag_t *diag);

/*! What happens to a key at a time. */
typedef enum {
	MAIL_STEP_ACTIVATE, /*!< It begins to sign records. */
	MAIL_STEP_PUBLISH,  /*!< Its DNSKEY appears. */
	MAIL_STEP_DS,       /*!< The parent is asked to have its DS. */
	MAIL_STEP_DS_SEEN,  /*!< The operator saw the DS. */
	MAIL_STEP_DS_UNTIL, /*!< The parent is asked for its DS no more. */
	MAIL_STEP_RETIRE,   /*!< It signs no more records. */
	MAIL_STEP_REMOVE,   /*!< Its DNSKEY goes. */
	MAIL_STEP_LEAVE     /*!< The parent is asked to have no DS at all; of no key. */
} mail_step_what_t;

typedef struct {
	int64_t time; /*!< INT64_MAX: waits for the operator's word. */
	mail_step_what_t what;
	const mail_dnskey_t *key; /*!< NULL for MAIL_STEP_LEAVE. */
} mail_step_t;

/*! Most steps of a set. */
#define MAIL_STEPS_MAX (7 * MAIL_LIST_MAX + 1)

/*!
 * Write all steps of a set in the order of time, those that are known and those that wait for the operator's word
 * (DS_SEEN of a key that waits; LEAVE's counterpart is that no key has a remove time yet).
 *
 * \return Their number.
 */
size_t mail_rollover_steps(const mail_keyset_t *set, mail_step_t steps[MAIL_STEPS_MAX]);
/*! Say in words what a key is at a time: "active", "published", "waits for its DS", ... */
const char *mail_rollover_state(const mail_dnskey_t *key, int64_t now);
/*! Return whether a key waits for the operator's word that its DS was seen. */
bool mail_rollover_waits(const mail_keyset_t *set, const mail_dnskey_t *key, int64_t now);
