/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Merging: built-in defaults < base policies < policy < domain.
 *
 * A profile is what a domain (or a policy by itself) ends up with: for every item its values and the
 * layer that gave each.  Made where something is compiled, checked or explained, never per question.
 * Thread rule: a finished profile is read by any number of threads.
 */
#pragma once

#include "mail/source.h"

/*! A chain of policies is at most this long. */
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
	uint32_t line;
} mail_setting_t;

typedef struct {
	mail_setting_t *values;
	size_t count;
} mail_settings_t;

/*! An entry that a profile was made from, and its stamp then (zero: it did not exist). */
typedef struct {
	mail_section_t section;
	mail_str_t id;
	mail_stamp_t stamp;
} mail_dependency_t;

typedef struct {
	mail_layer_t *layers; /*!< Bottom first; 0 is built in. */
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
} mail_profile_t;

/*!
 * Make the profile of a policy by itself.
 *
 * \param diag  Gets the reason: a policy or base that is missing, a circle, a chain that is too long.
 *
 * \param profile  Out: the caller frees it, also after an error: the dependencies that were met are noted
 *                 in it, so that a cached failure can be looked at again. NULL: no memory.
 *
 * \return KNOT_EOK; KNOT_ENOENT, KNOT_ELOOP, KNOT_EMALF, KNOT_ENOTSUP, KNOT_ENOMEM.
 */
int mail_profile_of_policy(const mail_source_t *source, mail_str_t policy, mail_profile_t **profile,
                           mail_diag_t *diag);
/*! Make the profile that all aliases of a domain share: the domain's, without its own txt, record and delegation. */
int mail_profile_of_alias(const mail_source_t *source, mail_str_t target, mail_profile_t **profile,
                          mail_diag_t *diag);
/*! Make the profile of a stored domain, with its overrides; of an alias: as mail_profile_of_alias() for its target. */
int mail_profile_of_domain(const mail_source_t *source, mail_str_t domain, mail_profile_t **profile,
                           mail_diag_t *diag);
/*!
 * Read an entry that a profile refers to and note that the profile depends on it (also when it does
 * not exist).
 *
 * \param entry  Out: the caller frees it.
 *
 * \return As mail_source_t.get.
 */
int mail_profile_fetch(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                       mail_entry_t **entry);
/*!
 * Note one more thing that a plan was made from. For MAIL_SECTION_DKIM the id is a policy's, and the
 * stamp stands for all keys of that policy (mail_plan_keys_stamp()).
 */
int mail_profile_depend(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                        mail_stamp_t stamp);
/*! Free a profile; NULL is fine. */
void mail_profile_free(mail_profile_t *profile);

/*! The first value of an item; data NULL when there is none. */
mail_str_t mail_profile_value(const mail_profile_t *profile, mail_item_id_t item);
/*! A number, or the default. */
uint32_t mail_profile_number(const mail_profile_t *profile, mail_item_id_t item, uint32_t dflt);
/*! A switch (off when not set). */
bool mail_profile_switch(const mail_profile_t *profile, mail_item_id_t item);
/*! "built-in", "policy NAME" or "domain NAME". */
int mail_profile_layer_print(const mail_profile_t *profile, unsigned layer, mail_buf_t *out);
