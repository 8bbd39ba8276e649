/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A change while it is being made (change.c) and checked (check.c).
 */
#pragma once

#include "change/side.h"
#include "mail/change.h"
#include "mail/lint.h"
#include "mail/mem.h"
#include "mail/plan.h"
#include "mail/time.h"

/*! Entries that a change remembers one by one. */
#define CHANGE_LISTED 100000

/*
 * What is looked at when a change is finished follows from what was put:
 *
 *     put                                       noted in            looked at in the end
 *     policy, host, certificate, key set        touched             the policies that read it; all domains, and checked are
 *                                                                   those of such policies and those with overrides
 *     DKIM key of a policy                      policy_keys         the policies; all domains if one of them reads it
 *     domain                                    listed              itself
 *     domain that goes                          removes             its aliases: there must be none (use.c)
 *     domain that was there, key of one         targets             its aliases
 *     more domains than CHANGE_LISTED           all                 all domains; checked are those that were written, aliases
 */
/*! Policies and domains with an MTA-STS policy of mode enforce that a change looks at. */
#define CHANGE_STS 1000

/*! A policy or domain that had one. */
typedef struct {
	mail_entry_t *entry; /*!< Its section and id alone. */
	uint32_t age;        /*!< Seconds for which senders keep it. */
} mail_change_sts_t;

/*! What was compiled for a change: a policy, or the first domain of a shape. */
typedef struct {
	mail_str_t id;     /*!< Of the policy; or the shape. */
	mail_plan_t *plan; /*!< NULL: it was bad before, and has nothing to do with this change. */
	bool affected; /*!< It was made from an entry that changed, other than the domain itself. */
	mail_buf_t warnings; /*!< All that it has, of whatever entry. */
	mail_buf_t names;    /*!< For mail_lint_concerns(). */
} mail_checked_t;

struct mail_change {
	mail_txn_t *txn;
	mail_txn_t *before; /*!< What was stored before it; NULL: nobody has asked for that. */
	const mail_source_t *base; /*!< The transaction's. */
	mail_source_t source;      /*!< The same, with the lines of changed entries. */
	void *listed;              /*!< Tree (tsearch) of copies of the changed entries. */
	size_t listed_count;
	bool policy_keys; /*!< A DKIM key of a policy was changed. */
	size_t deleted_domains;
	size_t domain_puts; /*!< Domains written or deleted. */
	bool all;           /*!< Too many domains to list: all are looked at. */
	mail_entry_t *const *
		put; /*!< Entries of the caller whose lines are told of, unchanged ones too; or NULL. */
	size_t put_count;
	uint32_t
		again; /*!< Line that wrote the entry before which was written last; 0: none did. */
	unsigned
		removes; /*!< Sections of what was deleted, a bit each: what others name must not go. */
	bool targets; /*!< One that aliases may have as their target was changed, or a key of it. */
	bool touched[MAIL_SECTION_COUNT];
	int64_t now;             /*!< When it began: the time of all that is noted. */
	bool in_dns;             /*!< mail_change_in_dns(): what comes is in DNS already. */
	bool alone;              /*!< mail_change_alone(): the caller undoes what is refused. */
	void *plans;             /*!< Tree of the policies that were compiled. */
	mail_checked_t **shapes; /*!< What was compiled of shapes, by their hash; or NULL. */
	mail_buf_t shape;        /*!< That of the domain that is checked. */
	mail_arena_t *arena;     /*!< Of its entry, if that is not listed; or NULL. */
	/*
	 * Of entries that are put alone, one after another: what was found of a shape may not hold any more when another
	 * domain has changed. So it is not kept when it led to one, and is forgotten when one comes that it asked for.
	 */
	mail_lf_t watched; /*!< The domain whose shape is compiled; empty: none. */
	bool led;          /*!< It led to another stored domain. */
	mail_buf_t
		asked; /*!< Names that it asked for and that nobody has, as mail_lint_concerns() reads them. */
	mail_lint_t *
		lint; /*!< While it is finished; of one entry alone after another: up to the end. */
	mail_lf_storage_t above; /*!< Domain above others whose plan was made last. */
	mail_plan_t *above_plan;
	mail_change_sts_t *sts;
	size_t sts_count;
	mail_change_count_t count;
	mail_lint_rsa_t rsa; /*!< Of the domains that were looked at. */
};

/*! Compare entries by section and id, for trees. */
int mail_change_compare(const void *a_ptr, const void *b_ptr);
/*! The changed entry of a section and an id, or NULL. */
const mail_entry_t *mail_change_find(const mail_change_t *change, mail_section_t section,
                                     mail_str_t id);
/*! One of the changed DKIM keys of a domain, always the same one while nothing is put; or NULL. */
const mail_entry_t *mail_change_key_of(const mail_change_t *change, mail_str_t domain);
/*! A domain whose DKIM keys are checked. */
typedef struct {
	mail_lf_t name;
	mail_str_t alias; /*!< Its target, whose keys count; empty: it is none. */
	bool put;         /*!< Its entry is among what changed. */
	bool changed;     /*!< The same, or a key of it is. */
	bool hides; /*!< It did not change, and may hide its keys with records of its own, as old stores do. */
} mail_keys_of_t;
/*! Check the own DKIM keys of a domain against its plan: their names, what else stands there, and what hides them. */
int mail_change_keys_check(const mail_change_t *change, const mail_plan_t *plan,
                           const mail_keys_of_t *of, mail_diag_t *diag);
/*! Return whether a domain has records of its own that might hide others. */
bool mail_change_hides(const mail_profile_t *profile);
/*! Warn of what a changed domain hides from the stored domain above it. */
int mail_change_above_check(mail_change_t *change, mail_lf_t name, mail_diag_t *diag);
/*! Check the name servers, the hosts with absolute names and the length of names of a domain. \return KNOT_EOK; KNOT_EINVAL. */
int mail_change_domain_check(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                             mail_diag_t *diag);
/*! Say that a policy names no name server. \return KNOT_EINVAL. */
int mail_change_ns_missing(mail_str_t policy, mail_diag_t *diag);
/*! Say why a domain that sets something itself has no name server. \return KNOT_EINVAL. */
int mail_change_ns_refuse(const mail_profile_t *profile, mail_diag_t *diag);
/*! Refuse to delete what is in use: say by whom, and what lists them. \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM, KNOT_EMALF. */
int mail_change_uses_check(mail_change_t *change, mail_diag_t *diag);
/*! Append what to do to a reason that says that an entry does not exist. */
void mail_change_remedy(mail_change_t *change, mail_diag_t *diag);
/*!
 * Hand on warnings with the name of the entry that they are about, but for those that are about what it inherits: they were
 * given when that was written.
 *
 * \param kept   From mail_warning_keep().
 * \param above  Warnings of the policy that is inherited from; NULL: there is none.
 */
void mail_change_warn(const mail_buf_t *kept, const mail_buf_t *above, mail_section_t section,
                      mail_str_t id, mail_diag_t *diag);
/*! Look at the name of a changed host. */
void mail_change_host_lint(const mail_change_t *change, const mail_entry_t *entry,
                           mail_diag_t *diag);
/*! Look at where a changed DKIM key of a domain's own leads. \return KNOT_EOK; KNOT_EINVAL; KNOT_ENOMEM. */
int mail_change_key_lint(const mail_change_t *change, const mail_entry_t *entry, mail_diag_t *diag);
/*! Warn when the key of a selector in use is replaced: mail on its way was signed with the old one. */
void mail_change_key_replaced(const mail_entry_t *old, const mail_entry_t *entry,
                              mail_diag_t *diag);
/*! Note that a policy or domain is going to be written whose MTA-STS policy senders enforce. \return KNOT_EOK, KNOT_ENOMEM. */
int mail_change_sts_note(mail_change_t *change, const mail_entry_t *entry);
/*! Warn of those that have no MTA-STS policy any more (RFC 8461 8.3). */
void mail_change_sts_check(mail_change_t *change, mail_diag_t *diag);
/*! Forget what was noted. */
void mail_change_sts_free(mail_change_t *change);
/*!
 * Note what has to wait for caches because of a change that is checked: see times.c and certs.c.
 *
 * \return KNOT_EOK; KNOT_ENOMEM, KNOT_ESPACE...
 */
int mail_change_times(mail_change_t *change, mail_diag_t *diag);
/*!
 * Note since when the domains of a policy show the next certificate of a set, where that is later than its `publish`,
 * and warn of certificates that are deployed too early: see certs.c.
 *
 * \return KNOT_EOK; KNOT_ENOMEM, KNOT_ESPACE...
 */
int mail_change_places(mail_change_t *change, mail_side_t *before, mail_side_t *after,
                       mail_diag_t *diag);
/*! Return since when all places of a policy, that of a profile, show the next certificate of a set. */
int64_t mail_change_since(const mail_entry_t *certificate, const mail_profile_t *profile);
/*!
 * Compile a policy, once for a change.
 *
 * \param ours  A failure has to do with this change. In: of one that is known not to, the reason is wanted.
 */
int mail_change_policy(mail_change_t *change, mail_str_t id, const mail_checked_t **out, bool *ours,
                       mail_diag_t *diag);
/*!
 * Compile all policies: any of them may refer to what changed.  One that was bad before and has nothing to do with this
 * change does not stand in its way; `check` reports it.
 *
 * \param affected  Out: set when one was made from an entry that changed.
 */
int mail_change_policies(mail_change_t *change, bool *affected, mail_diag_t *diag);
/*! Return whether what policies are made from was changed, other than their DKIM keys. */
bool mail_change_has_layers(const mail_change_t *change);
/*! Return whether a policy was made from an entry that changed, or was not compiled. */
bool mail_change_follows(const mail_change_t *change, mail_str_t policy);
/*! Return whether one of the entries that something was made from belongs to this change. */
bool mail_change_affects(const mail_change_t *change, const mail_dependency_t *dependencies,
                         size_t count);
/*! Put "SECTION ID: " before the reason of an error, and the line of the entry if there is none yet. */
int mail_change_named(mail_change_t *change, mail_section_t section, mail_str_t id,
                      mail_diag_t *diag, int ret);
/*! Return the warnings of the policy that the top layer of a profile inherits from; NULL: there is none, or it is bad. */
const mail_buf_t *mail_change_warnings_above(mail_change_t *change, const mail_profile_t *profile,
                                             const mail_diag_t *given);
/*!
 * Write the shape of a domain that was written and is no alias into change->shape.
 *
 * \param domain  As it is stored.
 *
 * \return false: it has none.
 */
bool mail_change_shape_write(mail_change_t *change, mail_lf_t name, mail_str_t id,
                             const mail_domain_t *domain);
/*! Return what was found of a domain of the same shape, if it holds for this one; NULL: compile it. */
const mail_checked_t *mail_change_shape_find(mail_change_t *change, mail_lf_t name);
/*!
 * Keep what was found of a domain that has this shape, and nothing against it.
 *
 * \param plan   Its plan, which the change takes.
 * \param names  For mail_lint_concerns(); the change takes it.
 *
 * \return false: there was no memory, and nothing was taken.
 */
bool mail_change_shape_keep(mail_change_t *change, mail_str_t domain, mail_plan_t *plan,
                            mail_buf_t *names);
/*! Free what was compiled. */
void mail_change_plans_free(mail_change_t *change);
/*! Free what was compiled and may not hold any more after the entry that was put alone. */
void mail_change_plans_renew(mail_change_t *change);
/*! Give the transaction that sees what was stored before. The change ends it. \return As mail_txn_before(). */
int mail_change_before(mail_change_t *change, mail_txn_t **before);
