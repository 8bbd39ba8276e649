/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A plan: all records of a policy (or of a domain with overrides), rendered but for the domain's
 *        name, in canonical order. What the hot path looks names up in.
 *
 * Thread rule: a plan is immutable once made.
 */
#pragma once

#include "mail/policy.h"
#include "mail/rdata.h"

typedef struct mail_kind mail_kind_t;

/*! One record: one RDATA of an owner and a type, for a stretch of time. */
typedef struct {
	mail_rdata_t rdata;
	int64_t from;       /*!< Shown from this second on; 0: always. */
	int64_t until;      /*!< Shown before this second; INT64_MAX: always. */
	uint32_t ttl;
	uint16_t type;
	uint16_t kind;      /*!< Index in mail_kinds. */
} mail_row_t;

/*! All records of an owner. */
typedef struct {
	uint8_t *key;       /*!< Relative: the key without the domain's (no leading 00); absolute: the whole key. */
	uint16_t key_len;
	mail_row_t *rows;   /*!< Sorted by type. */
	size_t count;
} mail_owner_t;

/*! A sorted set of owners. */
typedef struct {
	mail_owner_t *owners;
	size_t count;
} mail_owners_t;

typedef struct {
	mail_owners_t relative;   /*!< Owners below (or at) any domain that follows the plan. */
	mail_owners_t absolute;   /*!< Hosts with absolute names: shown in the domain that they lie in. */
	mail_dependency_t *dependencies;
	size_t dependency_count;
	uint64_t stamp;           /*!< Newest timestamp of all dependencies, ns. */
	uint32_t ttl;
	size_t apex_max;          /*!< Longest wire name of a domain that every name here has room for. */
	int error;                /*!< KNOT_EOK; else questions for the domain are SERVFAIL. */
	char reason[128];         /*!< Why, for the EDE and the log. */
	/* Report addresses (rua, ruf), to answer C._report._dmarc.D. */
	mail_str_t *reports;      /*!< Hosts as text, may hold {domain}. */
	size_t report_count;
} mail_plan_t;

/*! A plan being made. */
typedef struct {
	mail_plan_t *plan;
	mail_profile_t *profile;
	bool strict;              /*!< For writers: every doubt is an error. */
	mail_diag_t *diag;
	unsigned warnings;
	int kind;                 /*!< Index of the kind that is being rendered. */
} mail_build_t;

/*!
 * Makes the plan of a profile.
 *
 * \param strict  true for writers: the first bad value ends it, with the reason in diag and its
 *                line. false for readers: what cannot be rendered makes plan->error.
 *
 * \return KNOT_EOK (a plan with plan->error set is one, too); KNOT_EINVAL (strict); KNOT_ENOMEM.
 */
int mail_plan_make(mail_profile_t *profile, bool strict, mail_plan_t **plan, mail_diag_t *diag);
/*! Frees a plan; NULL is fine. */
void mail_plan_free(mail_plan_t *plan);

/*! Appends a row to the plan being made; takes over rdata's memory in any case. */
int mail_build_row(mail_build_t *build, const mail_pattern_t *owner, const mail_row_t *row);
