/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What a service signs with: the cache of signatures, the keys, and the signers that are to be published.
 *
 * Thread rule: one thread at a time; signers are used as snapshot.h says.
 */
#pragma once

#include "keys.h"
#include "snapshot.h"

typedef struct mail_signing mail_signing_t;

/*! What a service signs with. */
typedef struct {
	const char *directory; /*!< The key directory. */
	size_t cache;          /*!< Bound of the cache of signatures, octets. */
	unsigned budget;       /*!< Of a thread, as of mail_signer_new(). */
	unsigned threads;      /*!< Worker threads. */
} mail_signing_conf_t;

/*! Make what a service signs with: no keys yet. \return NULL without memory. */
mail_signing_t *mail_signing_new(const mail_signing_conf_t *conf, mail_keys_say_f say, void *ctx);
/*! Free; all snapshots with its signers are freed already. NULL is fine. */
void mail_signing_free(mail_signing_t *signing);

/*!
 * Follow the store and the key directory for some time at most.
 *
 * \param interval  Seconds after which a missing key is mentioned again.
 * \param patience  Milliseconds.
 *
 * \return Whether there is more to do at once.
 */
bool mail_signing_follow(mail_signing_t *signing, const mail_epoch_t *epoch, unsigned interval,
                         unsigned patience);
/*! Return the present signers, to be published when they are others than those that are; never NULL. */
mail_signers_t *mail_signing_signers(const mail_signing_t *signing);
