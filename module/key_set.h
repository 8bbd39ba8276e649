/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A key set of the store, with the private halves that were found of its keys.
 *
 * Thread rule: one thread at a time.
 */
#pragma once

#include "key_file.h"
#include "mail/entry.h"

/*! Writes a line of the log; equal ones may be left out for a while, but for those of LOG_DEBUG. */
typedef void (*mail_keys_say_f)(void *ctx, int priority, const char *text);

/*! A key that has something to sign, now or later. */
typedef struct {
	mail_private_t *half; /*!< NULL: not found, or its time is over. */
	int64_t until;        /*!< The second from which on it signs nothing more. */
} mail_key_member_t;

typedef enum {
	MAIL_KEY_SET_READY,
	MAIL_KEY_SET_STALE,  /*!< Its entry is to be read. */
	MAIL_KEY_SET_FAULTY, /*!< A private half is missing. */
} mail_key_set_state_t;

typedef struct {
	mail_stamp_t stamp;
	mail_key_set_state_t state;
	uint32_t walk;   /*!< Number of the last walk of the store that met it. */
	uint32_t said;   /*!< Hash of what was said about it; 0: nothing. */
	int64_t said_at; /*!< When, s of uptime. */
	uint16_t id_len;
	uint16_t count;
	mail_key_member_t *members;
	char id[];
} mail_key_set_t;

/*! Makes a set without keys, to be read. \return NULL without memory. */
mail_key_set_t *mail_key_set_new(const uint8_t *id, size_t len);
/*! Frees a set and its references to keys; NULL is fine. */
void mail_key_set_free(mail_key_set_t *set);
/*! Forgets when something was last said about it: so it will be said again, if it is still so. */
void mail_key_set_touch(mail_key_set_t *set);

/*! What it takes to read a set. */
typedef struct {
	mail_key_room_t *room;
	const char *directory; /*!< The key directory. */
	int64_t now;           /*!< Seconds since 1970. */
	unsigned interval;     /*!< Seconds after which a missing key is mentioned again. */
	mail_keys_say_f say;
	void *say_ctx;
} mail_key_reading_t;

/*!
 * Reads the keys of a set from its entry, and the private halves that it does not have yet from their files. What
 * is missing is said, and when it is there again.
 *
 * \param entry    The entry; NULL: it could not be read, for this
 * \param error    reason.
 * \param state    Out: MAIL_KEY_SET_READY or _FAULTY.
 * \param changed  Set to true when a private half came or went; else left alone.
 *
 * \return KNOT_EOK; KNOT_ENOMEM: nothing has changed.
 */
int mail_key_set_read(mail_key_set_t *set, const mail_entry_t *entry, int error,
                      const mail_key_reading_t *reading, mail_key_set_state_t *state,
                      bool *changed);
/*! The first second at which one of its private halves signs nothing more; INT64_MAX: never. */
int64_t mail_key_set_until(const mail_key_set_t *set);
/*!
 * Drops the halves of keys whose time is over.
 *
 * \param changed  As above.
 *
 * \return Whether it has to be read again: a clock that went back brings a key back.
 */
bool mail_key_set_expire(mail_key_set_t *set, int64_t now, bool *changed);
