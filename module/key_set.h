/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A key set of the store, with the private halves that were found of its keys.
 *
 * Thread rule: one thread at a time.
 */
#pragma once

#include "key_file.h"
#include "mail/source.h"

/*! Write a line of the log; equal ones may be left out for a while, but for those of LOG_DEBUG. */
typedef void (*mail_keys_say_f)(void *ctx, int priority, const char *text);

/*! A key that has something to sign, now or later. */
typedef struct {
	mail_private_t *half; /*!< NULL: not found, or its time is over. */
	int64_t until;        /*!< The second from which on it signs nothing more. */
} mail_key_member_t;

typedef enum {
	MAIL_KEY_SET_STALE, /*!< Its entry is to be read. */
	MAIL_KEY_SET_READY,
	MAIL_KEY_SET_FAULTY, /*!< A private half is missing. */
	MAIL_KEY_SET_STATES,
} mail_key_set_state_t;

typedef struct mail_key_set {
	struct mail_key_set *next;
	mail_stamp_t stamp;
	mail_key_set_state_t state;
	uint32_t said;   /*!< Hash of what was said about it; 0: nothing. */
	int64_t said_at; /*!< When, s of uptime. */
	int64_t until; /*!< The first second at which one of its private halves signs nothing more. */
	uint16_t id_len;
	uint16_t count;
	mail_key_member_t *members;
	char id[];
} mail_key_set_t;

/*! Make a set without keys, STALE. \return NULL without memory. */
mail_key_set_t *mail_key_set_new(mail_lf_t id);
/*! Free a set and its references to keys; NULL is fine. */
void mail_key_set_free(mail_key_set_t *set);
/*! Return the id of a set, as the store has it. */
static inline mail_lf_t mail_key_set_id(const mail_key_set_t *set)
{
	return (mail_lf_t){ (const uint8_t *)set->id, set->id_len };
}
/*! Forget when something was last said about a set: so it will be said again, if it is still so. */
void mail_key_set_touch(mail_key_set_t *set);
/*! Return whether a set lacks a private half: one that is missing, or of a key whose time is over. */
bool mail_key_set_lacks(const mail_key_set_t *set);

/*! What it takes to read a set. */
typedef struct {
	const mail_source_t *source; /*!< The store. */
	mail_key_room_t *room;
	const char *directory; /*!< The key directory. */
	int64_t now;           /*!< Seconds since 1970. */
	unsigned interval;     /*!< Seconds after which a missing key is mentioned again. */
	mail_keys_say_f say;
	void *say_ctx;
} mail_key_reading_t;

/*!
 * Read the keys of a set from its entry, and the private halves that it does not have yet from their files; drop
 * those of keys whose time is over. Say what is missing, and when it is there again.
 *
 * \param changes  One is added when a private half came or went.
 *
 * \return MAIL_KEY_SET_READY, MAIL_KEY_SET_FAULTY: the state that the caller gives it; KNOT_ENOMEM: nothing has
 *         changed.
 */
int mail_key_set_read(mail_key_set_t *set, const mail_key_reading_t *reading, size_t *changes);
