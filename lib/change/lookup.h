/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Look names up among the stored domains, as a resolver would that knows no others.
 *
 * One domain may be looked at that is not stored as it is: a policy for any domain, whose name is then `{domain}`.
 */
#pragma once

#include "view/view.h"

/*! Links of a chain of aliases that are followed; resolvers give up about there. */
#define MAIL_LOOKUP_CHAIN 16

/*! Where names are looked up. */
typedef struct {
	const mail_source_t *source;
	mail_cache_t *cache;
	int64_t now;
	bool policy;             /*!< The plan at hand is that of any domain. */
	const mail_plan_t *plan; /*!< The plan at hand. */
	knot_dname_storage_t apex;
	mail_lf_storage_t lf; /*!< Of the apex. */
	mail_str_t alias;     /*!< The domain whose keys it has; empty: its own. */
} mail_lookup_t;

/*! What is wanted at the end of a chain of aliases. */
typedef enum {
	MAIL_WANT_ADDRESS, /*!< A or AAAA. */
	MAIL_WANT_TXT,
	MAIL_WANT_MX,
	MAIL_WANT_MAIL, /*!< MX, or else an address (RFC 5321 5.1). */
	MAIL_WANT_NAME, /*!< That the name exists. */
} mail_want_t;

typedef enum {
	MAIL_LOOKUP_ELSEWHERE, /*!< No stored domain answers for the name, or nobody can know. */
	MAIL_LOOKUP_FOUND,
	MAIL_LOOKUP_NO_DATA, /*!< The name exists, what is wanted does not. */
	MAIL_LOOKUP_NO_NAME,
	MAIL_LOOKUP_LOOP, /*!< Its aliases lead in a circle, or are too many. */
} mail_lookup_code_t;

/*! What a lookup found. */
typedef struct {
	mail_lookup_code_t code;
	bool alias;                /*!< The name itself is an alias. */
	knot_dname_storage_t name; /*!< Where the aliases lead. */
	mail_lf_storage_t domain; /*!< The stored domain that answers for that name; empty: none. */
	mail_view_t view;         /*!< FOUND, but by a wish for a name: that domain, ... */
	mail_place_t place;       /*!< ... and what stands there. */
} mail_looked_t;

/*! Copy a name. */
static inline void mail_lookup_copy(knot_dname_storage_t to, const knot_dname_t *from)
{
	memcpy(to, from, knot_dname_size(from));
}

/*! Look a name up. \return KNOT_EOK; KNOT_ENOMEM; an error of the tree. */
int mail_lookup(const mail_lookup_t *lookup, const knot_dname_t *name, mail_want_t want,
                mail_looked_t *looked);
