/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sources of this folder share.
 */
#pragma once

#include "mail/entry.h"
#include "mail/rollover.h"

/*! Check an id that is no name. \return KNOT_EOK; KNOT_EINVAL with the reason and column. */
int mail_id_check(mail_str_t id, mail_diag_t *diag);
/*! Parse the name of a domain, which is not the root. \return As mail_name_parse(). */
int mail_domain_parse(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag);

/*! As mail_entry_id_normalise(), of an id whose names have A-labels. */
int mail_entry_id_write(mail_section_t section, mail_str_t id, mail_buf_t *out, mail_diag_t *diag);

/*! Return whether a key has the part of a KSK. */
static inline bool mail_key_ksk(const mail_dnskey_t *key)
{
	return key->role != MAIL_ROLE_ZSK;
}

/*! Return whether a key has the part of a ZSK. */
static inline bool mail_key_zsk(const mail_dnskey_t *key)
{
	return key->role != MAIL_ROLE_KSK;
}

/*! Return whether a key does nothing any more. */
static inline bool mail_rollover_over(const mail_dnskey_t *key, int64_t now)
{
	return key->remove <= now &&
	       (!mail_key_zsk(key) || key->retire <= now || key->retire == INT64_MAX);
}

/*! Print a time for a reason. \return text. */
const char *mail_rollover_time(int64_t when, char text[32]);
