/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/item.h"

#include <assert.h>

#include "record/mtasts.h"

static_assert(MAIL_VALUE_MAX <= UINT16_MAX, "the length of a stored value has 16 bits");
static_assert(MAIL_LIST_MAX <= UINT8_MAX, "the number of stored values has 8 bits");
static_assert(MAIL_ITEM_MAX <= UINT8_MAX, "the number of an item has 8 bits");

/* clang-format off */
static const char *const section_names[MAIL_SECTION_COUNT] = {
	[MAIL_SECTION_HOST]        = "host",
	[MAIL_SECTION_CERTIFICATE] = "certificate",
	[MAIL_SECTION_POLICY]      = "policy",
	[MAIL_SECTION_DKIM]        = "dkim",
	[MAIL_SECTION_DOMAIN]      = "domain",
	[MAIL_SECTION_KEYSET]      = "key-set",
};
/* clang-format on */

const char *mail_section_name(mail_section_t section)
{
	return (unsigned)section < MAIL_SECTION_COUNT ? section_names[section] : "";
}

mail_section_t mail_section_find(mail_str_t name)
{
	unsigned i = 0;
	while (i < MAIL_SECTION_COUNT && !mail_str_is(name, section_names[i])) {
		i++;
	}
	return (mail_section_t)i;
}

/* The table. */

#define IN(section) (1u << MAIL_SECTION_##section)
/* A domain can override whatever a policy says. */
#define IN_BOTH (IN(POLICY) | IN(DOMAIN))
#define ONE MAIL_FLAG_UNSET
#define LIST (MAIL_FLAG_UNSET | MAIL_FLAG_LIST)

const mail_item_t mail_items[] = {
	{ MAIL_ITEM_POLICY, "policy", IN(DOMAIN), MAIL_TYPE_REF, .ref = MAIL_SECTION_POLICY,
	  .help = "policy that the domain follows" },
	{ MAIL_ITEM_ALIAS, "alias", IN(DOMAIN), MAIL_TYPE_DOMAIN,
	  .help = "domain whose records this one has under its own name" },
	{ MAIL_ITEM_TARGET, "target", IN(DOMAIN), MAIL_TYPE_SWITCH,
	  .help = "answer below this name for domains whose DNS is elsewhere" },
	{ MAIL_ITEM_DELEGATION, "delegation", IN(DOMAIN), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "NS or DS record that hands a name below the domain to other servers" },

	{ MAIL_ITEM_DS_FROM, "ds-from", IN_BOTH, MAIL_TYPE_TIME, MAIL_FLAG_KEPT,
	  .help = "from when the parents may have the DS; set by itself" },
	{ MAIL_ITEM_TTL_WAS, "ttl-was", IN_BOTH, MAIL_TYPE_TEXT, MAIL_FLAG_LIST | MAIL_FLAG_KEPT,
	  .help = "TTL before a time, which caches may still hold, as \"TTL TIME\"; set by itself" },

	{ MAIL_ITEM_BASE, "base", IN(POLICY), MAIL_TYPE_REF, .ref = MAIL_SECTION_POLICY,
	  .help = "policy that this one inherits from" },
	{ MAIL_ITEM_HOST, "host", IN_BOTH, MAIL_TYPE_REF, LIST, .ref = MAIL_SECTION_HOST,
	  .help = "hosts whose addresses and TLSA records are served" },
	{ MAIL_ITEM_MX, "mx", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "mail exchange as \"PREFERENCE HOST\"; \".\" takes no mail" },
	{ MAIL_ITEM_SPF, "spf", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "SPF term; \"hosts\" stands for the addresses of the policy's hosts" },
	{ MAIL_ITEM_SPF_ALL, "spf-all", IN_BOTH, MAIL_TYPE_TEXT, ONE,
	  .help = "end of the SPF record: -all, ~all, ?all, +all or none" },
	{ MAIL_ITEM_DMARC, "dmarc", IN_BOTH, MAIL_TYPE_TEXT, LIST | MAIL_FLAG_BYTAG,
	  .help = "DMARC tag as \"tag=value\"" },
	{ MAIL_ITEM_DMARC_RAMP, "dmarc-ramp", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "DMARC tags from a time on, as \"TIME tag=value ...\"" },
	{ MAIL_ITEM_TLS_RPT, "tls-rpt", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "where TLS reports go: a mailto: or https: URI" },
	{ MAIL_ITEM_MTA_STS, "mta-sts", IN_BOTH, MAIL_TYPE_TEXT, ONE | MAIL_FLAG_NONE,
	  .help = "MTA-STS mode: enforce, testing, none or off" },
	{ MAIL_ITEM_MTA_STS_MAX_AGE, "mta-sts-max-age", IN_BOTH, MAIL_TYPE_NUMBER, ONE,
	  .max = MAIL_MTASTS_MAX_AGE_MAX, .help = "seconds that senders keep the MTA-STS policy" },
	{ MAIL_ITEM_MTA_STS_ID, "mta-sts-id", IN_BOTH, MAIL_TYPE_TEXT, ONE,
	  .help = "MTA-STS id in place of one made from the policy" },
	{ MAIL_ITEM_MTA_STS_HOST, "mta-sts-host", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "web server of the MTA-STS policy, target of the CNAME" },
	{ MAIL_ITEM_SRV, "srv", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "service as \"SERVICE [PRIORITY WEIGHT PORT] [HOST]\"; host \".\": not offered" },
	{ MAIL_ITEM_AUTOCONFIG, "autoconfig", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "target of the autoconfig CNAME" },
	{ MAIL_ITEM_AUTODISCOVER, "autodiscover", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "target of the autodiscover CNAME" },
	{ MAIL_ITEM_BIMI, "bimi", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "BIMI indicator as \"[SELECTOR] L-URI [A-URI]\"" },
	{ MAIL_ITEM_CAA, "caa", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "CAA record as \"FLAGS TAG VALUE\"" },
	{ MAIL_ITEM_TXT, "txt", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "further text beside SPF at the domain itself" },
	{ MAIL_ITEM_RECORD, "record", IN_BOTH, MAIL_TYPE_TEXT, LIST,
	  .help = "literal record as \"OWNER [TTL] TYPE RDATA\"" },
	{ MAIL_ITEM_NO_MAIL, "no-mail", IN_BOTH, MAIL_TYPE_SWITCH, ONE,
	  .help = "the domain neither takes nor sends mail" },
	{ MAIL_ITEM_TTL, "ttl", IN_BOTH, MAIL_TYPE_NUMBER, ONE, .max = INT32_MAX, /* RFC 2181 8 */
	  .help = "TTL of all records, seconds" },
	{ MAIL_ITEM_NS, "ns", IN_BOTH, MAIL_TYPE_NAME, LIST, .help = "name server of the domain" },
	{ MAIL_ITEM_SOA_MNAME, "soa-mname", IN_BOTH, MAIL_TYPE_NAME, ONE,
	  .help = "primary server in the SOA in place of the first ns" },
	{ MAIL_ITEM_SOA_RNAME, "soa-rname", IN_BOTH, MAIL_TYPE_TEXT, ONE,
	  .help = "mailbox in the SOA, as an address or a name" },
	{ MAIL_ITEM_KEY_SET, "key-set", IN_BOTH, MAIL_TYPE_REF, ONE, .ref = MAIL_SECTION_KEYSET,
	  .help = "DNSSEC keys of the domain" },

	{ MAIL_ITEM_NAME, "name", IN(HOST), MAIL_TYPE_NAME,
	  .help = "name of the host, relative to the domain or absolute" },
	{ MAIL_ITEM_ADDRESS, "address", IN(HOST), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "IPv4 or IPv6 address" },
	{ MAIL_ITEM_CERTIFICATE, "certificate", IN(HOST), MAIL_TYPE_REF, MAIL_FLAG_LIST,
	  .ref = MAIL_SECTION_CERTIFICATE,
	  .help = "certificate sets that the TLSA records follow" },
	{ MAIL_ITEM_TLSA, "tlsa", IN(HOST), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "TLSA record as \"USAGE SELECTOR MATCHING HEX\"" },
	{ MAIL_ITEM_TLSA_PORT, "tlsa-port", IN(HOST), MAIL_TYPE_NUMBER, LIST, .min = 1,
	  .max = UINT16_MAX, .help = "ports with TLSA records" },
	{ MAIL_ITEM_HELO_SPF, "helo-spf", IN(HOST), MAIL_TYPE_TEXT, LIST,
	  .help = "SPF terms of the host's own name, all included" },

	{ MAIL_ITEM_CURRENT, "current", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "what servers show now: a PEM file, or TLSA records" },
	{ MAIL_ITEM_NEXT, "next", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "what servers will show: a PEM file, or TLSA records" },
	{ MAIL_ITEM_DEPLOY_AT, "deploy-at", IN(CERTIFICATE), MAIL_TYPE_TIME,
	  .help = "when next takes the place of current" },
	{ MAIL_ITEM_FORM, "form", IN(CERTIFICATE), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "TLSA records to make, as \"USAGE SELECTOR MATCHING\"" },
	{ MAIL_ITEM_VISIBLE, "visible", IN(CERTIFICATE), MAIL_TYPE_TEXT,
	  MAIL_FLAG_LIST | MAIL_FLAG_KEPT,
	  .help = "since when domains of a policy show next, as \"POLICY TIME\"; set by itself" },

	{ MAIL_ITEM_PUBLISH, "publish", IN(CERTIFICATE) | IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when the record appears" },
	{ MAIL_ITEM_ACTIVATE, "activate", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when signers begin to use the key" },
	{ MAIL_ITEM_RETIRE, "retire", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when signers stop using the key" },
	{ MAIL_ITEM_REMOVE, "remove", IN(DKIM), MAIL_TYPE_TIME,
	  .help = "when the record disappears" },
	{ MAIL_ITEM_KEY, "key", IN(DKIM), MAIL_TYPE_OCTETS,
	  .help = "public key, as in p=, or a PEM file" },
	{ MAIL_ITEM_CNAME, "cname", IN(DKIM), MAIL_TYPE_NAME,
	  .help = "name at which somebody else publishes the key" },
	{ MAIL_ITEM_TAGS, "tags", IN(DKIM), MAIL_TYPE_TEXT, MAIL_FLAG_NONE,
	  .help = "further tags of the record, or none" },
	{ MAIL_ITEM_REVOKE, "revoke", IN(DKIM), MAIL_TYPE_SWITCH,
	  .help = "publish an empty p= from retire to remove" },

	{ MAIL_ITEM_DNSKEY, "key", IN(KEYSET), MAIL_TYPE_TEXT, MAIL_FLAG_LIST,
	  .help = "DNSSEC key as \"TAG ALGORITHM ROLE [TIMES] PUBLIC\"" },
	{ MAIL_ITEM_LEAVE, "leave", IN(KEYSET), MAIL_TYPE_TIME,
	  .help = "when to ask the parent to remove the DS, to leave DNSSEC" },

	{ .name = NULL }
};

#undef IN
#undef IN_BOTH
#undef ONE
#undef LIST

#define ITEM_COUNT (sizeof(mail_items) / sizeof(*mail_items) - 1)

const mail_item_t *mail_item_get(unsigned id)
{
	size_t low = 0, high = ITEM_COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (mail_items[middle].id == id) {
			return &mail_items[middle];
		}
		if (mail_items[middle].id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const mail_item_t *mail_item_find(mail_section_t section, mail_str_t name)
{
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		if ((item->sections & (1u << section)) != 0 && name.len > 0 &&
		    item->name[0] == name.data[0] && mail_str_is(name, item->name)) {
			return item;
		}
	}
	return NULL;
}
