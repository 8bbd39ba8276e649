/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

struct mail_signing {
	mail_signatures_t *signatures;
	mail_keys_t *keys;
	mail_signers_t *signers;
	unsigned threads;
	unsigned budget;
	bool late;   /*!< There was no memory for new signers. */
	bool loaded; /*!< All keys were read once. */
	mail_keys_say_f say;
	void *say_ctx;
};

/*! Make signers of the keys that there are now. \return Whether there was memory for them. */
static bool renew(mail_signing_t *signing)
{
	mail_keyring_t *ring = mail_keys_ring(signing->keys);
	if (ring == NULL) {
		return false;
	}
	mail_signers_t *signers = mail_signers_new(ring, signing->signatures, signing->threads,
	                                           signing->budget);
	if (signers == NULL) {
		return false;
	}
	mail_signers_free(signing->signers);
	signing->signers = signers;
	return true;
}

mail_signing_t *mail_signing_new(const mail_signing_conf_t *conf, mail_keys_say_f say, void *ctx)
{
	mail_signing_t *signing = calloc(1, sizeof(*signing));
	if (signing == NULL) {
		return NULL;
	}
	signing->threads = conf->threads;
	signing->budget = conf->budget;
	signing->say = say;
	signing->say_ctx = ctx;
	signing->signatures = mail_signatures_new(conf->cache);
	signing->keys = mail_keys_new(conf->directory, say, ctx);
	if (signing->signatures == NULL || signing->keys == NULL || !renew(signing)) {
		mail_signing_free(signing);
		return NULL;
	}
	return signing;
}

void mail_signing_free(mail_signing_t *signing)
{
	if (signing == NULL) {
		return;
	}
	mail_signers_free(signing->signers);
	mail_keys_free(signing->keys);
	mail_signatures_free(signing->signatures);
	free(signing);
}

/*! Log how many keys there are: at first in any case, then for those who want to know. */
static void say_count(mail_signing_t *signing, bool more)
{
	size_t count = mail_keyring_count(signing->signers->ring);
	char text[80];
	(void)snprintf(text, sizeof(text), "private keys: %zu%s", count,
	               more ? " so far, reading on" : "");
	signing->say(signing->say_ctx, signing->loaded ? LOG_DEBUG : LOG_INFO, text);
	signing->loaded |= !more;
}

bool mail_signing_follow(mail_signing_t *signing, const mail_epoch_t *epoch, unsigned interval,
                         unsigned patience)
{
	const mail_keys_look_t look = {
		.txn = epoch->txn,
		.epoch = epoch->number,
		.now = time(NULL),
		.interval = interval,
		.patience = patience,
	};
	unsigned result = mail_keys_follow(signing->keys, &look);
	if ((result & MAIL_KEYS_CHANGED) != 0 || signing->late) {
		signing->late = !renew(signing);
		say_count(signing, (result & MAIL_KEYS_MORE) != 0);
	}
	return (result & MAIL_KEYS_MORE) != 0;
}

mail_signers_t *mail_signing_signers(const mail_signing_t *signing)
{
	return signing->signers;
}
