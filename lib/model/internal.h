/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rollover.c and keyset.c share.
 */
#pragma once

#include "mail/rollover.h"

/*! Says whether a key has the part of a KSK. */
static inline bool mail_key_ksk(const mail_dnskey_t *key)
{
	return key->role != MAIL_ROLE_ZSK;
}

/*! Says whether a key has the part of a ZSK. */
static inline bool mail_key_zsk(const mail_dnskey_t *key)
{
	return key->role != MAIL_ROLE_KSK;
}

/*! Says whether a key does nothing any more. */
static inline bool mail_rollover_over(const mail_dnskey_t *key, int64_t now)
{
	return key->remove <= now &&
	       (!mail_key_zsk(key) || key->retire <= now || key->retire == INT64_MAX);
}

/*! Prints a time for a reason. \return text. */
const char *mail_rollover_time(int64_t when, char text[32]);
