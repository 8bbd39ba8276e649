/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The items of the dialect: one table that text, JSON, the stored format, merging and the
 *        tool all read. A new item is a new row.
 *
 * Constant data; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! Most octets of one value, as stored. */
#define MAIL_VALUE_MAX 8192
/*! Most values of a list. */
#define MAIL_LIST_MAX 64
/*! Most octets of a `txt` value: 16 <character-string>s, within one UDP answer of common size. */
#define MAIL_TXT_MAX 4000
/*! A TTL above a week is accepted with a warning: a mistake stays in caches that long. */
#define MAIL_TTL_WARN 604800

/*! What an entry of the store is. Each section is a named database of its own. */
typedef enum {
	MAIL_SECTION_HOST,
	MAIL_SECTION_CERTIFICATE,
	MAIL_SECTION_POLICY,
	MAIL_SECTION_DKIM,
	MAIL_SECTION_DOMAIN,
	MAIL_SECTION_KEYSET,
	MAIL_SECTION_COUNT
} mail_section_t;

/*! The name of a section in the dialect and in JSON: "host", "certificate", ..., "key-set". */
const char *mail_section_name(mail_section_t section);
/*! The section of a name, or MAIL_SECTION_COUNT. */
mail_section_t mail_section_find(mail_str_t name);

/*! The items. The numbers are stored: never changed, never used again. */
typedef enum {
	MAIL_ITEM_POLICY = 1,
	MAIL_ITEM_ALIAS = 2,
	MAIL_ITEM_TARGET = 3,
	MAIL_ITEM_DELEGATION = 4,

	MAIL_ITEM_BASE = 10,
	MAIL_ITEM_HOST = 11,
	MAIL_ITEM_MX = 12,
	MAIL_ITEM_SPF = 13,
	MAIL_ITEM_SPF_ALL = 14,
	MAIL_ITEM_DMARC = 15,
	MAIL_ITEM_DMARC_RAMP = 16,
	MAIL_ITEM_TLS_RPT = 17,
	MAIL_ITEM_MTA_STS = 18,
	MAIL_ITEM_MTA_STS_MAX_AGE = 19,
	MAIL_ITEM_MTA_STS_ID = 20,
	MAIL_ITEM_MTA_STS_HOST = 21,
	MAIL_ITEM_SRV = 22,
	MAIL_ITEM_AUTOCONFIG = 23,
	MAIL_ITEM_AUTODISCOVER = 24,
	MAIL_ITEM_BIMI = 25,
	MAIL_ITEM_CAA = 26,
	MAIL_ITEM_TXT = 27,
	MAIL_ITEM_RECORD = 28,
	MAIL_ITEM_NO_MAIL = 29,
	MAIL_ITEM_TTL = 30,
	MAIL_ITEM_NS = 31,
	MAIL_ITEM_SOA_MNAME = 32,
	MAIL_ITEM_SOA_RNAME = 33,
	MAIL_ITEM_KEY_SET = 34,

	MAIL_ITEM_NAME = 40,
	MAIL_ITEM_ADDRESS = 41,
	MAIL_ITEM_CERTIFICATE = 42,
	MAIL_ITEM_TLSA = 43,
	MAIL_ITEM_TLSA_PORT = 44,
	MAIL_ITEM_HELO_SPF = 45,

	MAIL_ITEM_CURRENT = 50,
	MAIL_ITEM_NEXT = 51,
	MAIL_ITEM_DEPLOY_AT = 52,
	MAIL_ITEM_FORM = 53,

	MAIL_ITEM_PUBLISH = 60,
	MAIL_ITEM_ACTIVATE = 61,
	MAIL_ITEM_RETIRE = 62,
	MAIL_ITEM_REMOVE = 63,
	MAIL_ITEM_KEY = 64,
	MAIL_ITEM_CNAME = 65,
	MAIL_ITEM_TAGS = 66,
	MAIL_ITEM_REVOKE = 67,

	MAIL_ITEM_DNSKEY = 70,
	MAIL_ITEM_LEAVE = 71,

	MAIL_ITEM_MAX = 80
} mail_item_id_t;

/*! How a value is written, checked and stored. */
typedef enum {
	MAIL_TYPE_TEXT,   /*!< Free text, UTF-8. */
	MAIL_TYPE_NAME,   /*!< Domain name, relative or absolute, normalised. */
	MAIL_TYPE_DOMAIN, /*!< Absolute domain name without a dot at its end, normalised. */
	MAIL_TYPE_REF,    /*!< The id of an entry of item->ref. */
	MAIL_TYPE_NUMBER, /*!< Decimal, item->min to item->max. JSON: a number. */
	MAIL_TYPE_SWITCH, /*!< on, off. JSON: true, false. */
	MAIL_TYPE_TIME,   /*!< RFC 3339 UTC. */
	MAIL_TYPE_OCTETS  /*!< Any octets; text: base64. */
} mail_type_t;

typedef enum {
	MAIL_FLAG_LIST = 1 << 0,  /*!< Several values; "ITEM-add" appends. */
	MAIL_FLAG_BYTAG = 1 << 1, /*!< A list of tag=value that merges by tag; JSON: an object. */
	MAIL_FLAG_NONE = 1 << 2,  /*!< "none" is a value like any other. */
	MAIL_FLAG_UNSET = 1 << 3, /*!< Inherited or with a default, which "none" removes. */
} mail_item_flag_t;

typedef struct {
	mail_item_id_t id;
	const char *name;
	unsigned sections; /*!< Bits 1 << mail_section_t. */
	mail_type_t type;
	unsigned flags;     /*!< mail_item_flag_t. */
	mail_section_t ref; /*!< For MAIL_TYPE_REF. */
	uint32_t min, max;  /*!< For MAIL_TYPE_NUMBER. */
	const char *help;   /*!< One line, for people. */
} mail_item_t;

/*! All items in the order of their numbers; ended by a NULL name. */
extern const mail_item_t mail_items[];

/*! The item of a number, or NULL. */
const mail_item_t *mail_item_get(unsigned id);
/*! The item of a name within a section, or NULL. */
const mail_item_t *mail_item_find(mail_section_t section, mail_str_t name);

/*! Return the section whose entries the values of an item name; MAIL_SECTION_COUNT: they name none. */
static inline mail_section_t mail_item_names(const mail_item_t *item)
{
	if (item->id == MAIL_ITEM_ALIAS) {
		return MAIL_SECTION_DOMAIN;
	}
	return item->type == MAIL_TYPE_REF ? item->ref : MAIL_SECTION_COUNT;
}

/*!
 * Check one value and write it as it is stored in an entry: names normalised, with A-labels; times and
 * numbers in one spelling; octets raw (the text is base64; for a DKIM key also PEM or a whole
 * record). Blanks around a value are taken off, but for `txt`. Control characters and what is
 * not UTF-8 are refused. Refers to no other entry. Nothing stays in `out` of a value that is
 * refused.
 *
 * "none" is refused or taken as any other text: mail_entry_parse() gives it its meaning.
 *
 * \param out  The stored value is appended.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_item_normalise(const mail_item_t *item, mail_str_t value, mail_buf_t *out,
                        mail_diag_t *diag);

/*!
 * Write a stored value as text that mail_entry_parse() reads back to the same: octets as base64, a `txt` that looks like
 * a string in quotes or a record in quotes, others as they are.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_ESPACE.
 */
int mail_item_print(const mail_item_t *item, mail_str_t stored, mail_buf_t *out);
