/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Merged layers: built-in defaults < base policies < policy < domain.
 *
 * A profile has the values that count for a domain, or for a policy alone, and the layer of each value.
 * Profiles are made to make a plan, to check or to explain, never for a question.
 *
 * Thread rule: one thread makes a profile. Any number of threads may read it when it is finished.
 */
#pragma once

#include "mail/source.h"

/*! Greatest length of a chain of policies. */
#define MAIL_POLICY_CHAIN_MAX 8

/*! A layer of a profile. */
typedef struct {
	mail_section_t section; /*!< MAIL_SECTION_POLICY or MAIL_SECTION_DOMAIN. */
	mail_entry_t *entry;    /*!< Owned by the profile; NULL: the built-in defaults. */
} mail_layer_t;

/*! One value of a profile. */
typedef struct {
	mail_str_t text;
	unsigned layer; /*!< Index in the profile's layers. */
	uint32_t line;  /*!< Line of the file, from 1; 0: unknown. */
} mail_setting_t;

/*! The values of an item. */
typedef struct {
	mail_setting_t *values;
	size_t count;
} mail_settings_t;

/*! An entry that a profile was made from, and its stamp at that time. Zero: the entry did not exist. */
typedef struct {
	mail_section_t section;
	mail_str_t id;
	mail_stamp_t stamp;
} mail_dependency_t;

/*! A profile. */
typedef struct {
	mail_layer_t *layers; /*!< From the bottom to the top. The first one is built in. */
	size_t layer_count;
	mail_settings_t items[MAIL_ITEM_MAX];
	mail_dependency_t *dependencies;
	size_t dependency_count;
	const mail_source_t *source;
	mail_str_t
		domain; /*!< Name of the domain that the profile is for, or empty (a policy alone). */
	mail_str_t
		dkim_owner; /*!< Domain whose own DKIM keys count: itself, or the alias's target. */
	bool alias;
	/*! For writers: the entry of the domain does not change, and so what its own values say was accepted before. */
	bool untouched;
	mail_entry_t *
		own; /*!< Entry of the alias that the profile is for; NULL: it is for none, or for all of a target. */
} mail_profile_t;

/*!
 * Make the profile of a policy alone.
 *
 * \param profile  Out: the profile; the caller frees it, also after an error. After an error it has the
 *                 dependencies that were met, so that a cached failure can be checked again. NULL without
 *                 memory.
 * \param diag     Out: the reason of an error.
 *
 * \return KNOT_EOK; KNOT_ENOENT (a policy or base is missing); KNOT_ELOOP (a circle, or a chain that is too long);
 *         KNOT_EMALF, KNOT_ENOTSUP (an entry cannot be read); KNOT_ENOMEM.
 */
int mail_profile_of_policy(const mail_source_t *source, mail_str_t policy, mail_profile_t **profile,
                           mail_diag_t *diag);
/*!
 * Make the profile that all aliases of a domain share: the profile of the domain, without its own txt, record and
 * delegation.
 *
 * \return As mail_profile_of_policy().
 */
int mail_profile_of_alias(const mail_source_t *source, mail_str_t target, mail_profile_t **profile,
                          mail_diag_t *diag);
/*!
 * Make the profile of a stored domain. For an alias this is the profile of mail_profile_of_alias() for its target.
 *
 * \return As mail_profile_of_policy().
 */
int mail_profile_of_domain(const mail_source_t *source, mail_str_t domain, mail_profile_t **profile,
                           mail_diag_t *diag);
/*!
 * Read an entry that a profile refers to, and note it as a dependency of the profile, even if it does not exist.
 *
 * \param entry  Out: the caller frees it.
 *
 * \return As mail_source_t.get.
 */
int mail_profile_fetch(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                       mail_entry_t **entry);
/*!
 * Note one more dependency. For MAIL_SECTION_DKIM the id is the id of a policy, and the stamp is that of all
 * keys of the policy (mail_plan_keys_stamp()).
 *
 * \return KNOT_EOK, KNOT_ENOMEM.
 */
int mail_profile_depend(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                        mail_stamp_t stamp);
/*!
 * Put a domain's entry on top of the profile of its policy. Call this with an open arena (mail/mem.h), in which the result
 * lies. It is used as long as base is there, and is not freed.
 *
 * \param base   Of mail_profile_of_policy().
 * \param entry  The domain's, or that of the target of an alias without what is the target's alone; in the arena.
 *
 * \return KNOT_EOK; KNOT_ENOMEM.
 */
int mail_profile_over(const mail_profile_t *base, mail_entry_t *entry, mail_profile_t **profile);
/*! Return the octets of memory that a profile takes. */
size_t mail_profile_size(const mail_profile_t *profile);
/*! Free a profile. NULL is allowed. */
void mail_profile_free(mail_profile_t *profile);

/*! Return the first value of an item; data is NULL if there is none. */
mail_str_t mail_profile_value(const mail_profile_t *profile, mail_item_id_t item);
/*! Return the number of an item; dflt if there is none. */
uint32_t mail_profile_number(const mail_profile_t *profile, mail_item_id_t item, uint32_t dflt);
/*! A switch (off when not set). */
bool mail_profile_switch(const mail_profile_t *profile, mail_item_id_t item);

/*!
 * \brief Return from when on the DS of the domain may be named, as far as its layers say: the latest `ds-from` of the
 *        layer that gives the key set and of those above it. Each was noted when whoever it is about got the key set.
 *
 * \return Seconds; 0: since ever.
 */
int64_t mail_profile_ds_from(const mail_profile_t *profile);

/*! Most `ttl-was` values that are looked at. */
#define MAIL_TTL_WAS_MAX 64

/*! A TTL that was in force until a time, seconds. */
typedef struct {
	int64_t until;
	uint32_t ttl;
} mail_ttl_was_t;

/*!
 * \brief Read the TTLs that the records had before, in the order of time: the `ttl-was` of the layer that gives the
 *        TTL and of those above it.
 *
 * \return Their number.
 */
size_t mail_profile_ttl_was(const mail_profile_t *profile, mail_ttl_was_t was[MAIL_TTL_WAS_MAX]);
/*! Return the TTL of the records. */
uint32_t mail_profile_ttl(const mail_profile_t *profile);
/*! Return until when some cache may hold what was answered at `now` or before, whatever the TTL was then. */
int64_t mail_profile_held(const mail_profile_t *profile, int64_t now);
/*!
 * \brief Return when two TTLs have passed since something changed (RFC 7671 8.1), and no cache holds what was before.
 *
 * \param since  When it changed.
 */
int64_t mail_profile_two_ttls(const mail_profile_t *profile, int64_t since);

/*! "built-in", "policy NAME" or "domain NAME". */
int mail_profile_layer_print(const mail_profile_t *profile, unsigned layer, mail_buf_t *out);
