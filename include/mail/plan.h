/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A plan: all records of a policy, or of a domain with overrides, in canonical order. They are rendered, apart
 *        from the name of the domain. A question looks its name up in a plan.
 *
 * Thread rule: a plan is immutable when it is made; any thread may read it.
 */
#pragma once

#include "mail/dnskey.h"
#include "mail/profile.h"
#include "mail/rdata.h"

/*! One record: the RDATA of an owner and a type, for a period of time. */
typedef struct {
	mail_rdata_t rdata;
	int64_t from;  /*!< It is shown from this second on; 0: always. */
	int64_t until; /*!< It is shown before this second; INT64_MAX: always. */
	uint32_t ttl;
	bool common; /*!< Its TTL is not its own, but that of all records. */
	uint16_t type;
	uint16_t kind; /*!< Index in mail_kinds. */
} mail_row_t;

/*! All records of an owner. */
typedef struct {
	mail_lf_t name;   /*!< Relative to the domain, or absolute; the plan owns its octets. */
	uint64_t prefix;  /*!< mail_lf_prefix() of the name. */
	mail_row_t *rows; /*!< Sorted by type. */
	size_t count;
	/*!
	 * From this second on, all rows are always shown; for most owners it is 0. INT64_MAX: some row ends, or
	 * a CNAME stands beside other rows.
	 */
	int64_t steady;
	uint64_t types; /*!< Types of the rows, as bits mail_type_bit(). */
} mail_owner_t;

/*! A sorted set of owners. */
typedef struct {
	mail_owner_t *owners;
	size_t count;
} mail_owners_t;

typedef struct {
	mail_owners_t relative; /*!< Owners below (or at) any domain that follows the plan. */
	mail_owners_t absolute; /*!< Hosts with absolute names, for the domain they lie in. */
	mail_dependency_t *dependencies;
	size_t dependency_count;
	uint64_t stamp; /*!< Newest timestamp of all dependencies, ns. */
	int64_t *steps; /*!< Seconds at which a row appears or goes, ascending. */
	size_t step_count;
	uint32_t ttl;
	size_t apex_max;  /*!< Longest domain (wire octets) that every name here has room for. */
	bool no_keys;     /*!< No DKIM key of a domain counts: it has no mail. */
	bool hosted;      /*!< It has ns, and so SOA. */
	bool cuts;        /*!< Some row is a delegation or a DNAME. */
	int error;        /*!< KNOT_EOK; else questions for the domain are SERVFAIL. */
	char reason[320]; /*!< Why, for the EDE and the log. */
	/*! Hosts of rua and ruf, absolute (may hold {domain}), for C._report._dmarc.D. */
	mail_str_t *reports;
	size_t report_count;
	/*!
	 * All keys of the domain's key set, those with the part of a KSK first, whatever their times; none: it has no
	 * key set. No key's ds_until is after the time at which the zone leaves DNSSEC.
	 */
	mail_dnskey_t *keys;
	size_t key_count;
	int64_t leave; /*!< From then on the parent is asked for no DS (RFC 8078 4); INT64_MAX: never. */
	/*!
	 * From then on the DS of keys may be named, whatever their own times: so long some caches hold what was answered
	 * before the keys came. Rows of CDS and CDNSKEY do not know of it: a domain may have a later time of its own
	 * (mail_plan_ds_from()).
	 */
	int64_t ds_from;
	/*! Of a plan in a cache: what it was made from, for domains that change some of it (mail_plan_make_kinds()). */
	mail_profile_t *profile;
} mail_plan_t;

/*!
 * Make the plan of a profile.
 *
 * \param profile  The profile. If there is no error, the plan takes its dependencies.
 * \param strict   True for a writer: the first bad value is an error. False for a reader: a bad value sets
 *                 plan->error.
 * \param plan     Out: the plan; the caller frees it.
 * \param diag     Out: reason and line of an error.
 *
 * \return KNOT_EOK (plan->error may be set); KNOT_ENOMEM; if strict also KNOT_EINVAL, or the error of a reference.
 */
int mail_plan_make(mail_profile_t *profile, bool strict, mail_plan_t **plan, mail_diag_t *diag);
/*!
 * Make a part of the plan of a profile, for readers: the rows of some kinds.
 *
 * \param kinds  The kinds, as bits (mail/kind.h).
 *
 * \return KNOT_EOK (plan->error may be set); KNOT_ENOMEM.
 */
int mail_plan_make_kinds(mail_profile_t *profile, uint64_t kinds, mail_plan_t **plan);
/*! Make the plan of a stored domain, for readers. \return As mail_cache_plan(); the caller frees it. */
int mail_plan_of_domain(const mail_source_t *source, mail_str_t domain, mail_plan_t **plan);
/*! Return the octets of memory that a plan takes. */
size_t mail_plan_size(const mail_plan_t *plan);
/*! Free a plan. NULL is allowed. */
void mail_plan_free(mail_plan_t *plan);

/*! Return whether a row is shown at a time. */
static inline bool mail_row_live(const mail_row_t *row, int64_t now)
{
	return row->from <= now && now < row->until;
}

/*!
 * Find the owner of a name.
 *
 * \param at  Out: the index at which the owner stands or would stand; may be NULL.
 *
 * \return The owner; NULL if there is none.
 */
const mail_owner_t *mail_owners_find(const mail_owners_t *owners, mail_lf_t name, size_t *at);

/*! What hides a name of a domain: the name may have records, but nobody is answered with them. */
typedef enum {
	MAIL_HIDES_NOT,
	MAIL_HIDES_DELEGATION, /*!< NS at or above the name: other servers answer. */
	MAIL_HIDES_DNAME,      /*!< A DNAME above the name (RFC 6672 2.4). */
	MAIL_HIDES_DOMAIN,     /*!< A stored domain at or above the name, and below the domain. */
} mail_hides_t;

typedef struct {
	mail_hides_t kind;
	mail_lf_storage_t at;  /*!< The name that it stands at. */
	const mail_row_t *row; /*!< The NS or DNAME; NULL: a stored domain, or nothing. */
} mail_hider_t;

/*!
 * \brief Find what hides a name. A delegation leaves NS and DS at its own name, and the addresses of its servers.
 *
 * \param source  Where other domains are stored; NULL: do not look.
 * \param apex    The domain.
 * \param name    At or below it.
 * \param hider   Out.
 *
 * \return Whether there is something.
 */
bool mail_hider_find(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                     mail_lf_t name, mail_hider_t *hider);
/*! Write "the DNAME at _tcp.example.org". \param apex The name is written relative to it, if it lies there; may be empty. */
int mail_hider_print(const mail_hider_t *hider, mail_lf_t apex, mail_buf_t *out);
/*! Return the first owner of a plan at or below a name, which is relative to the domain; NULL: there is none. */
const mail_owner_t *mail_owners_below(const mail_owners_t *owners, mail_lf_t name);

/*!
 * Make a stamp of all DKIM keys of a policy, which changes when one of them changes.
 *
 * \param stamp  Out: the newest time of a key, and the number of keys in place of the transaction. If a key is
 *               damaged, txnid is UINT64_MAX.
 *
 * \return KNOT_EOK; or the error of a damaged key.
 */
int mail_plan_keys_stamp(const mail_source_t *source, mail_str_t policy, mail_stamp_t *stamp);

/*!
 * Append the body of the MTA-STS policy of a profile (RFC 8461 3.2), a text with holes.
 *
 * \return KNOT_EOK; KNOT_ENOENT (MTA-STS is off); KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_build_mtasts_body(mail_profile_t *profile, mail_rdata_t *body, mail_diag_t *diag);
/*! Return the largest TTL of any record of a plan. */
uint32_t mail_plan_ttl_max(const mail_plan_t *plan);

/*!
 * Return from when on the DS, CDS and CDNSKEY of a domain are shown: not before it, nor before the keys' own times.
 *
 * \param own  The ds_from of the domain's entry, or 0.
 */
static inline int64_t mail_plan_ds_from(const mail_plan_t *plan, int64_t own)
{
	const int64_t from = own > plan->ds_from ? own : plan->ds_from;
	/* From leave on no key's DS is named, and to ask for none needs no wait. */
	return from < plan->leave ? from : plan->leave;
}

/*!
 * Give, one by one, the DS RDATA that the parent of a domain should have: those of the keys with
 * ds <= now < ds_until that sign, or are going to; from mail_plan_ds_from() on. No allocation.
 *
 * \param apex    Wire name of the domain, small letters.
 * \param digest  MAIL_DS_*.
 * \param pos     Starts at 0 and is moved; the key is plan->keys[*pos - 1].
 *
 * \return Length of the RDATA; KNOT_ENOENT at the end; KNOT_ENOTSUP for another digest.
 */
int mail_plan_ds(const mail_plan_t *plan, const knot_dname_t *apex, unsigned digest, int64_t now,
                 size_t *pos, uint8_t out[MAIL_DS_RDATA_MAX]);
