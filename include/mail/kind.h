/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The one table of record kinds: owner, type, and the function that decides and renders.
 *
 * Answers, NODATA and NXDOMAIN, the NSEC chain, listings, zone export, counters and the documentation follow from
 * this table.
 *
 * Thread rule: the table is constant; any thread may read it.
 */
#pragma once

#include "mail/plan.h"

/*! The kinds, in the order of listings and counters. */
typedef enum {
	MAIL_KIND_SOA,
	MAIL_KIND_NS,
	MAIL_KIND_A,
	MAIL_KIND_AAAA,
	MAIL_KIND_MX,
	MAIL_KIND_SPF,
	MAIL_KIND_TXT,
	MAIL_KIND_HELO_SPF,
	MAIL_KIND_DKIM,
	MAIL_KIND_DKIM_CNAME,
	MAIL_KIND_DKIM_NONE,
	MAIL_KIND_DMARC,
	MAIL_KIND_REPORT, /*!< The view makes it, no renderer. */
	MAIL_KIND_MTA_STS,
	MAIL_KIND_MTA_STS_HOST,
	MAIL_KIND_TLS_RPT,
	MAIL_KIND_SRV, /*!< The first of the SRV services, in the order of mail_srv_id_t (record/srv.h). */
	MAIL_KIND_AUTOCONFIG = MAIL_KIND_SRV + 13,
	MAIL_KIND_AUTODISCOVER,
	MAIL_KIND_TLSA,
	MAIL_KIND_BIMI,
	MAIL_KIND_CAA,
	MAIL_KIND_DNSKEY,
	MAIL_KIND_CDS,
	MAIL_KIND_CDNSKEY,
	MAIL_KIND_RECORD,
	MAIL_KIND_DELEGATION,
	MAIL_KIND_CHILD, /*!< The view makes it, no renderer. */
	MAIL_KIND_COUNT  /*!< Number of kinds. In place of a kind: none. */
} mail_kind_id_t;

typedef struct mail_kind mail_kind_t;
/*! A plan while it is made. Only renderers use it. */
typedef struct mail_build mail_build_t;

/*! Where owners of a kind are. */
typedef enum {
	MAIL_SCOPE_ANY = 0, /*!< Anywhere. */
	MAIL_SCOPE_AT,      /*!< At one place. */
	MAIL_SCOPE_BELOW    /*!< Below a place. */
} mail_scope_t;

/*! A kind of record. */
struct mail_kind {
	const char *name; /*!< Short name in counters and listings ("mx", "srv-imaps"). */
	const char *
		owner; /*!< Owner as people write it: "@", "_dmarc", "SEL._domainkey", "_PORT._tcp.HOST". */
	uint16_t type; /*!< RR type; 0: any (literal records). */
	/*!
	 * Write the rows that the profile calls for into a plan. NULL: the rows are made elsewhere.
	 *
	 * \return KNOT_EOK; KNOT_ENOMEM; or another error, with the reason in build->diag.
	 */
	int (*render)(mail_build_t *build, const mail_kind_t *kind);
	mail_scope_t scope;
	mail_lf_t place;  /*!< With a scope but ANY, relative to the domain. */
	uint64_t items;   /*!< Items that render looks at, as bits 1 << mail_item_id_t. */
	uint16_t arg;     /*!< For render: number of the SRV service, or of the item. */
	const char *help; /*!< Purpose of the record, in one line. */
};

/*! All kinds. The index is the number of the kind in rows and counters. */
extern const mail_kind_t mail_kinds[MAIL_KIND_COUNT];

/*! A row of kinds, as bits 1 << mail_kind_id_t. */
typedef uint64_t mail_kinds_t;

#define MAIL_KIND_BIT(kind) (UINT64_C(1) << (kind))
/*! All kinds. */
#define MAIL_KINDS_ALL (MAIL_KIND_BIT(MAIL_KIND_COUNT) - 1)
/*! The kinds of literal records. */
#define MAIL_KINDS_LITERAL                                                                         \
	(MAIL_KIND_BIT(MAIL_KIND_TXT) | MAIL_KIND_BIT(MAIL_KIND_RECORD) |                          \
	 MAIL_KIND_BIT(MAIL_KIND_DELEGATION))
/*! The kinds that a key set makes; they are rendered together. */
#define MAIL_KINDS_KEYS                                                                            \
	(MAIL_KIND_BIT(MAIL_KIND_DNSKEY) | MAIL_KIND_BIT(MAIL_KIND_CDS) |                          \
	 MAIL_KIND_BIT(MAIL_KIND_CDNSKEY))

/*! Return the kinds that are made of some of these items, which are bits 1 << mail_item_id_t. */
mail_kinds_t mail_kinds_of(uint64_t items);
/*! Return those of the kinds that may have an owner at a name; of a name that is not the domain also below it. */
mail_kinds_t mail_kinds_near(mail_kinds_t kinds, mail_lf_t relative);
/*! Return those of the kinds that may have an owner at a name. */
mail_kinds_t mail_kinds_at(mail_kinds_t kinds, mail_lf_t relative);
/*! Return those of the kinds that may make records of a type. */
mail_kinds_t mail_kinds_typed(mail_kinds_t kinds, uint16_t type);
