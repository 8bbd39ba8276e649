/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The private keys that a service signs with: those of the store's key sets that sign now or will.
 *
 * Follow the store and the key directory: a key set that comes, changes or goes, a file that appears or
 * becomes good, a key whose time is over. The result is a ring of keys, made anew when anything changed.
 *
 * Thread rule: an object is used by one thread at a time.
 */
#pragma once

#include "key_set.h"
#include "mail/store.h"

typedef struct mail_keys mail_keys_t;

/*!
 * Make an object without keys.
 *
 * \param directory  The key directory: absolute; it need not be there.
 * \param say        Writes a line of the log.
 *
 * \return NULL without memory.
 */
mail_keys_t *mail_keys_new(const char *directory, mail_keys_say_f say, void *ctx);
/*! Free; NULL is fine. */
void mail_keys_free(mail_keys_t *keys);

/*! One look at store and directory. */
typedef struct {
	mail_txn_t *txn;   /*!< A reading transaction that is reset, and is so again afterwards. */
	uint64_t epoch;    /*!< mail_store_epoch() of its store. */
	int64_t now;       /*!< Seconds since 1970. */
	unsigned interval; /*!< Seconds after which a key that is missing is mentioned again. */
	unsigned patience; /*!< Milliseconds after which the rest is left to the next call. */
} mail_keys_look_t;

/*! What a look came to: */
typedef enum {
	MAIL_KEYS_CHANGED = 1 << 0, /*!< mail_keys_ring() would give another ring than last time. */
	MAIL_KEYS_MORE = 1 << 1,    /*!< There is more to do at once. */
} mail_keys_result_t;

/*!
 * Follow the store and the directory. Cheap when nothing has changed; takes at most about a tenth of a processor
 * over time, but for key sets whose entry has not been read yet.
 *
 * \return mail_keys_result_t, or-ed.
 */
unsigned mail_keys_follow(mail_keys_t *keys, const mail_keys_look_t *look);

/*! Make a ring of all keys that are there; the caller frees it. \return NULL without memory: ask again. */
mail_keyring_t *mail_keys_ring(mail_keys_t *keys);
