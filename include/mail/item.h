/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The one table of items. Text, JSON, the stored format, merging and the tool read it. A new item is a
 * new row.
 *
 * Thread rule: the table is constant, and all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"

/*! Greatest number of octets of one stored value. */
#define MAIL_VALUE_MAX 8192
/*! Greatest number of values of a list. */
#define MAIL_LIST_MAX 64
/*! Greatest number of octets of a `txt` value: 16 <character-string>s (RFC 1035 3.3). */
#define MAIL_TXT_MAX 4000
/*! A TTL above a week is accepted with a warning, because a mistake stays in caches as long. Seconds. */
#define MAIL_TTL_WARN 604800

/*! Section of an entry. Each section is a named database of the store. */
typedef enum {
	MAIL_SECTION_HOST,
	MAIL_SECTION_CERTIFICATE,
	MAIL_SECTION_POLICY,
	MAIL_SECTION_DKIM,
	MAIL_SECTION_DOMAIN,
	MAIL_SECTION_KEYSET,
	MAIL_SECTION_COUNT
} mail_section_t;

/*! Return the name of a section in the dialect and in JSON, a constant: "host", "certificate", ..., "key-set". */
const char *mail_section_name(mail_section_t section);
/*! Return the section of a name; MAIL_SECTION_COUNT if there is none. */
mail_section_t mail_section_find(mail_str_t name);

/*! Numbers of the items. They are stored, so a number never changes, and is never used again. */
typedef enum {
	MAIL_ITEM_POLICY = 1,
	MAIL_ITEM_ALIAS = 2,
	MAIL_ITEM_TARGET = 3,
	MAIL_ITEM_DELEGATION = 4,
	/* The next two leave a domain plain: it shares the plan of its policy all the same (mail_codec_domain()). */
	MAIL_ITEM_DS_FROM = 5,
	MAIL_ITEM_TTL_WAS = 6,

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
	MAIL_ITEM_VISIBLE = 54,

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

/*! Type of an item: how its values are written, checked and stored. */
typedef enum {
	MAIL_TYPE_TEXT,   /*!< Text in UTF-8. */
	MAIL_TYPE_NAME,   /*!< Domain name, relative or absolute, normalised. */
	MAIL_TYPE_DOMAIN, /*!< Absolute domain name without a dot at its end, normalised. */
	MAIL_TYPE_REF,    /*!< Id of an entry in section item->ref. */
	MAIL_TYPE_NUMBER, /*!< Decimal number from item->min to item->max. JSON: a number. */
	MAIL_TYPE_SWITCH, /*!< on or off. JSON: true or false. */
	MAIL_TYPE_TIME,   /*!< RFC 3339 in UTC. */
	MAIL_TYPE_OCTETS  /*!< Any octets. As text: base64. */
} mail_type_t;

/*! Properties of an item. */
typedef enum {
	MAIL_FLAG_LIST = 1 << 0,  /*!< Several values; "ITEM-add" appends. */
	MAIL_FLAG_BYTAG = 1 << 1, /*!< A list of tag=value that merges by tag; JSON: an object. */
	MAIL_FLAG_NONE = 1 << 2,  /*!< "none" is a value like any other. */
	MAIL_FLAG_UNSET = 1 << 3, /*!< Inherited or with a default, which "none" removes. */
	MAIL_FLAG_KEPT =
		1 << 4, /*!< Set by the writer itself; stays while an entry does not name it. */
} mail_item_flag_t;

/*! An item. */
typedef struct {
	mail_item_id_t id;
	const char *name;
	unsigned sections; /*!< Bits 1 << mail_section_t. */
	mail_type_t type;
	unsigned flags;     /*!< mail_item_flag_t. */
	mail_section_t ref; /*!< With MAIL_TYPE_REF: section of the entry. */
	uint32_t min, max;  /*!< With MAIL_TYPE_NUMBER: least and greatest value. */
	const char *help;   /*!< Purpose of the item, in one line. */
} mail_item_t;

/*! All items in the order of their numbers. A NULL name ends the table. */
extern const mail_item_t mail_items[];

/*! Return the item of a number; NULL if there is none. */
const mail_item_t *mail_item_get(unsigned id);
/*! Return the item of a name in a section; NULL if there is none. */
const mail_item_t *mail_item_find(mail_section_t section, mail_str_t name);

/*! Return the section of the entries that an item refers to; MAIL_SECTION_COUNT if it refers to none. */
static inline mail_section_t mail_item_names(const mail_item_t *item)
{
	if (item->id == MAIL_ITEM_ALIAS) {
		return MAIL_SECTION_DOMAIN;
	}
	return item->type == MAIL_TYPE_REF ? item->ref : MAIL_SECTION_COUNT;
}

/*!
 * Check one value, and append it in its stored form.
 *
 * Names are normalised, with A-labels. Times and numbers get their only spelling. Octets become raw: their text
 * is base64, and for a DKIM key also PEM or a whole record. White space around a value is removed, but not for
 * `txt`. Control characters and malformed UTF-8 are refused. The function does not look at other entries, and
 * gives "none" no meaning: mail_entry_parse() does.
 *
 * \param out  Out: the stored value is appended. After an error out is as it was before.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
int mail_item_normalise(const mail_item_t *item, mail_str_t value, mail_buf_t *out,
                        mail_diag_t *diag);

/*!
 * Append a stored value as text that mail_entry_parse() reads back as the same value.
 *
 * Octets become base64. A `txt` that looks like a quoted string or like a record is quoted. Any other value
 * stays as it is.
 *
 * \return KNOT_EOK; KNOT_ENOMEM; KNOT_ESPACE.
 */
int mail_item_print(const mail_item_t *item, mail_str_t stored, mail_buf_t *out);
