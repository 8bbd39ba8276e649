/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief A plan being made.
 */
#pragma once

#include "mail/kind.h"

/*! A host of the profile that is being rendered. */
typedef struct {
	mail_entry_t *entry;
	mail_pattern_t name;
	unsigned setting; /*!< Index in the profile's host settings. */
} mail_build_host_t;

/*! A row and where it belongs, before rows are grouped by owner. */
typedef struct {
	mail_lf_t name; /*!< Its octets belong to the build, then to the plan. */
	size_t order;   /*!< As they were appended. */
	bool absolute;
	mail_row_t row;
	const uint8_t *octets; /*!< Of its RDATA, by which a row of the plan is known again. */
	const mail_setting_t *setting; /*!< What it was made from; NULL: nothing alone. */
} mail_build_row_t;

/*! A name in the domain that a record points to. */
typedef struct {
	mail_lf_storage_t name; /*!< Relative. */
	mail_item_id_t item;
	const mail_setting_t *setting;
} mail_build_target_t;

/*! A plan being made. */
struct mail_build {
	mail_plan_t *plan;
	mail_profile_t *profile;
	bool strict;    /*!< For writers: every doubt is an error. */
	uint64_t kinds; /*!< The kinds that are made, as bits. */
	mail_diag_t *diag;
	mail_diag_t *
		given; /*!< Takes the warnings, each with the item that it is about; may be NULL. */
	uint16_t kind; /*!< Index of the kind that is being rendered; MAIL_KIND_COUNT: all are. */
	const mail_setting_t *setting; /*!< What is being rendered, as of mail_build_row_t. */
	mail_item_id_t item; /*!< What is rendered is a value of this one; 0: of the kind's own. */
	const mail_entry_t *host; /*!< What is rendered is a host's; NULL: it is not. */
	mail_build_row_t *rows;
	size_t row_count;
	mail_build_host_t *hosts;
	size_t host_count;
	mail_build_target_t *targets;
	size_t target_count;
	/* For writers: the domain that the plan is checked as, and a stand-in where it is for any. */
	knot_dname_storage_t apex_name;
	mail_apex_t apex;      /*!< Holes for its text are filled with {domain}. */
	mail_lf_storage_t top; /*!< The same in lookup format. */
};

/*!
 * Append a row of the kind that is being rendered; takes over rdata's memory in any case.
 *
 * \param owner  Relative or absolute.
 * \param row    Its kind is filled in here; a ttl of UINT32_MAX means the plan's.
 */
int mail_build_row(mail_build_t *build, const mail_pattern_t *owner, mail_row_t *row);
/*! The same for an owner in text ("_dmarc", "@"), shown always, with the plan's TTL. */
int mail_build_put(mail_build_t *build, const char *owner, uint16_t type, mail_rdata_t *rdata);
/*!
 * Note a name that an NS, MX or SRV record points to: in the domain it must be no alias (RFC 2181 10.3), and
 * should have an address; a name server must (RFC 1034 4.2.1: glue). Looked at when all rows are there.
 */
int mail_build_target(mail_build_t *build, mail_item_id_t item, const mail_setting_t *setting,
                      const mail_pattern_t *target);
/*! Return whether a setting is the domain's own, and not one that many domains have from a policy. */
static inline bool mail_build_own(const mail_build_t *build, const mail_setting_t *setting)
{
	const mail_profile_t *profile = build->profile;
	return setting != NULL && !profile->alias &&
	       profile->layers[setting->layer].section == MAIL_SECTION_DOMAIN;
}
/*! Return whether a row is the domain's own, and was so before this change: old stores have what is refused now. */
bool mail_build_old(const mail_build_t *build, const mail_row_t *row);
/*! Return what a row of the plan was made from; NULL: nothing alone. */
const mail_setting_t *mail_build_origin(const mail_build_t *build, const mail_row_t *row);
/*! Note that a value cannot be rendered (diag has the reason). \return ret. */
int mail_build_bad(mail_build_t *build, mail_item_id_t item, const mail_setting_t *setting,
                   int ret);
/*! Free what a build holds besides the plan. */
void mail_build_free(mail_build_t *build);

/*! Return whether there is a second in which both rows are shown. */
bool mail_rows_overlap(const mail_row_t *a, const mail_row_t *b);
/*! Return whether two rows are the same record. */
bool mail_rows_same(const mail_row_t *a, const mail_row_t *b);

/*! Write an owner of the plan as a zone file would have it: "@" is the domain. */
void mail_owner_print(mail_lf_t name, mail_buf_t *out);
/*! Note what is wrong with a row: "KIND: OWNER TYPE: WHAT", and the line that it came from. \return KNOT_EINVAL. */
int mail_build_row_bad(mail_build_t *build, const mail_owner_t *owner, const mail_row_t *row,
                       const char *what);
/*! Return whether a row was given as it is, and no item knows what it is for. */
bool mail_row_literal(const mail_row_t *row);
/*! Return what the contents of two rows of one owner have against each other; NULL: nothing. */
const char *mail_rows_clash(const mail_row_t *a, const mail_row_t *b, const mail_apex_t *apex,
                            mail_lf_t owner);
/*! Check the contents of an owner's rows as the items do that could have made them. */
int mail_owner_check(mail_build_t *build, const mail_owner_t *owner, bool absolute);
/*!
 * Check that every row can be asked for. What is hidden by what stands beside it in one entry is refused; what a policy
 * has and its domain hides, on purpose perhaps, is warned of.
 */
int mail_plan_check_hidden(mail_build_t *build);

/*!
 * Return what an absolute owner has against the relative one that has the same name in some domain.
 *
 * \param row  Out: the row of the absolute owner.
 *
 * \return NULL: nothing.
 */
const char *mail_owners_clash(const mail_owner_t *absolute, const mail_owner_t *relative, bool apex,
                              const mail_row_t **row);

/*!
 * Check a plan whose rows are grouped: what stands beside what, what points where, and what refers
 * to nothing. Also fills in plan->hosted and plan->cuts.
 *
 * \return KNOT_EOK; strict: why it is refused, with the reason in diag. For readers a conflict that a CNAME
 *         does not settle makes plan->error.
 */
int mail_plan_check(mail_build_t *build);
