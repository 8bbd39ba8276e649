/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "samples.h"

#include "unit.h"

#define SAMPLE_TLSA "3 0 1 064dbc632f1ba7d0a2a3faeadeedfebd6f90f850dfb852c97ee9df9b6e5c5e7c"

/*! Values of an item, as people write them. */
typedef struct {
	mail_item_id_t id;
	const char *values[3]; /*!< Only the first is used for what is no list. */
} sample_t;

static const sample_t samples[] = {
	{ MAIL_ITEM_POLICY, { "business" } },
	{ MAIL_ITEM_ALIAS, { "example.org" } },
	{ MAIL_ITEM_TARGET, { "off" } },
	{ MAIL_ITEM_DELEGATION, { "sub NS ns.other.example.", "sub NS ns2.other.example." } },
	{ MAIL_ITEM_DS_FROM, { "2026-01-01T00:00:00Z" } },
	{ MAIL_ITEM_TTL_WAS, { "86400 2026-01-01T00:00:00Z", "7200 2026-01-02T00:00:00Z" } },
	{ MAIL_ITEM_BASE, { "guide" } },
	{ MAIL_ITEM_HOST, { "mail", "ns1" } },
	{ MAIL_ITEM_MX, { "10 mail", "20 mx2.example.net." } },
	{ MAIL_ITEM_SPF, { "mx", "include:_spf.example.net", "ra=postmaster" } },
	{ MAIL_ITEM_SPF_ALL, { "~all" } },
	{ MAIL_ITEM_DMARC, { "p=reject", "rua=mailto:postmaster@{domain}", "sp=" } },
	{ MAIL_ITEM_DMARC_RAMP,
	  { "2026-02-01T00:00:00Z p=quarantine", "2026-03-01T00:00:00Z p=reject" } },
	{ MAIL_ITEM_TLS_RPT, { "mailto:postmaster@{domain}", "https://report.example/tls" } },
	{ MAIL_ITEM_MTA_STS, { "enforce" } },
	{ MAIL_ITEM_MTA_STS_MAX_AGE, { "86400" } },
	{ MAIL_ITEM_MTA_STS_ID, { "16561011793845132961" } },
	{ MAIL_ITEM_MTA_STS_HOST, { "mail" } },
	{ MAIL_ITEM_SRV, { "imap 0 1 110 mail", "imaps", "pop3 ." } },
	{ MAIL_ITEM_AUTOCONFIG, { "mail" } },
	{ MAIL_ITEM_AUTODISCOVER, { "autodiscover.example.net." } },
	{ MAIL_ITEM_BIMI, { "https://example.org/logo.svg" } },
	{ MAIL_ITEM_CAA, { "0 issue \"ca.example\"", "0 iodef \"mailto:caa@example.org\"" } },
	{ MAIL_ITEM_TXT, { "plain", "with \"quotes\", a \\ and # [x] \xc3\xa9", " blanks " } },
	{ MAIL_ITEM_RECORD, { "www A 192.0.2.80", "x TXT \"a \\034b\\034 c\"" } },
	{ MAIL_ITEM_NO_MAIL, { "on" } },
	{ MAIL_ITEM_TTL, { "3600" } },
	{ MAIL_ITEM_NS, { "ns1", "ns2.example.com." } },
	{ MAIL_ITEM_SOA_MNAME, { "ns1" } },
	{ MAIL_ITEM_SOA_RNAME, { "hostmaster@{domain}" } },
	{ MAIL_ITEM_KEY_SET, { "shared" } },
	{ MAIL_ITEM_NAME, { "mail" } },
	{ MAIL_ITEM_ADDRESS, { "192.0.2.25", "2001:db8::25" } },
	{ MAIL_ITEM_CERTIFICATE, { "web", "web2" } },
	{ MAIL_ITEM_TLSA, { SAMPLE_TLSA } },
	{ MAIL_ITEM_TLSA_PORT, { "25", "465" } },
	{ MAIL_ITEM_HELO_SPF, { "a ra=postmaster -all" } },
	{ MAIL_ITEM_CURRENT, { SAMPLE_TLSA } },
	{ MAIL_ITEM_NEXT, { SAMPLE_TLSA } },
	{ MAIL_ITEM_DEPLOY_AT, { "2026-03-01T12:00:00Z" } },
	{ MAIL_ITEM_FORM, { "3 1 1", "2 1 1" } },
	{ MAIL_ITEM_VISIBLE, { "business 2026-01-01T00:00:00Z", "* 2026-01-02T00:00:00Z" } },
	{ MAIL_ITEM_PUBLISH, { "2026-01-01T00:00:00Z" } },
	{ MAIL_ITEM_ACTIVATE, { "2026-01-02T00:00:00Z" } },
	{ MAIL_ITEM_RETIRE, { "2026-01-03T00:00:00Z" } },
	{ MAIL_ITEM_REMOVE, { "2026-01-04T00:00:00Z" } },
	{ MAIL_ITEM_KEY, { SAMPLE_KEY } },
	{ MAIL_ITEM_CNAME, { "s1.dkim.example.net." } },
	{ MAIL_ITEM_TAGS, { "h=sha256; t=s" } },
	{ MAIL_ITEM_REVOKE, { "on" } },
	{ MAIL_ITEM_DNSKEY,
	  { "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
	    "55648 ecdsap256sha256 csk GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wN"
	    "cP+e+MAnLr+Wi9xMWyQLc8NAA==" } },
	{ MAIL_ITEM_LEAVE, { "2026-01-04T00:00:00Z" } },
};

/*! The sample of an item, or NULL. */
static const sample_t *sample_find(mail_item_id_t id)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		if (samples[i].id == id) {
			return &samples[i];
		}
	}
	return NULL;
}

/*! An id that a section takes. */
static const char *sample_id(mail_section_t section)
{
	return section == MAIL_SECTION_DOMAIN ? "example.net"
	       : section == MAIL_SECTION_DKIM ? "example.net/s1"
	                                      : "some-id";
}

/*! What an entry needs beside the item that is tested, so that the whole of it is accepted; 0: nothing. */
static mail_item_id_t sample_needed(mail_section_t section, mail_item_id_t tested)
{
	switch (section) {
	case MAIL_SECTION_HOST: return tested == MAIL_ITEM_NAME ? 0 : MAIL_ITEM_NAME;
	case MAIL_SECTION_CERTIFICATE:
		return tested == MAIL_ITEM_CURRENT || tested == MAIL_ITEM_NEXT ? 0
		                                                               : MAIL_ITEM_CURRENT;
	case MAIL_SECTION_DKIM:
		return tested == MAIL_ITEM_KEY || tested == MAIL_ITEM_CNAME ? 0 : MAIL_ITEM_KEY;
	case MAIL_SECTION_DOMAIN:
		return tested == MAIL_ITEM_POLICY || tested == MAIL_ITEM_ALIAS ? 0
		                                                               : MAIL_ITEM_POLICY;
	default: return 0;
	}
}

int sample_add(mail_entry_t *entry, mail_item_id_t id, mail_op_t op, mail_diag_t *diag)
{
	const mail_item_t *item = mail_item_get(id);
	const sample_t *sample = sample_find(id);
	if (item == NULL || sample == NULL) {
		return KNOT_ENOENT;
	}
	size_t count = item->flags & MAIL_FLAG_LIST ? 3 : 1;
	int ret = KNOT_EOK;
	for (size_t i = 0; i < count && sample->values[i] != NULL && ret == KNOT_EOK; i++) {
		ret = mail_entry_parse(entry, item, op, MAIL_STR(sample->values[i]), 0, diag);
	}
	return ret;
}

mail_entry_t *sample_entry(mail_section_t section, const mail_item_t *item, mail_op_t op,
                           mail_diag_t *diag)
{
	mail_entry_t *entry = mail_entry_new(section, MAIL_STR(sample_id(section)));
	mail_item_id_t needed = sample_needed(section, item->id);
	int ret = entry == NULL ? KNOT_ENOMEM : KNOT_EOK;
	if (ret == KNOT_EOK && needed != 0) {
		ret = sample_add(entry, needed, MAIL_OP_SET, diag);
	}
	if (ret == KNOT_EOK) {
		ret = op == MAIL_OP_NONE ? mail_entry_add(entry, item, op, MAIL_STR(""), 0)
		                         : sample_add(entry, item->id, op, diag);
	}
	if (ret != KNOT_EOK) {
		mail_entry_free(entry);
		return NULL;
	}
	return entry;
}

void samples_each(void (*check)(const mail_entry_t *entry, const char *what))
{
	size_t tested = 0, operations = 0;
	for (const mail_item_t *item = mail_items; item->name != NULL; item++) {
		for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
			if (!(item->sections & (1u << section))) {
				continue;
			}
			for (unsigned op = MAIL_OP_SET; op <= MAIL_OP_NONE; op++) {
				mail_diag_t diag = { 0 };
				mail_entry_t *entry = sample_entry(section, item, op, &diag);
				if (entry != NULL) {
					operations += op != MAIL_OP_SET;
					check(entry, item->name);
				}
				CHECK(entry != NULL || op != MAIL_OP_SET, "%s: %s", item->name,
				      diag.text);
				mail_entry_free(entry);
			}
			tested++;
		}
	}
	CHECK(tested > 60, "%zu", tested);
	CHECK(operations > 40, "%zu", operations);
}

const sample_service_t sample_services[] = {
	{ "imap", 143 },         { "imaps", 993 },       { "pop3", 110 },   { "pop3s", 995 },
	{ "submission", 587 },   { "submissions", 465 }, { "sieve", 4190 }, { "jmap", 443 },
	{ "caldav", 80 },        { "caldavs", 443 },     { "carddav", 80 }, { "carddavs", 443 },
	{ "autodiscover", 443 },
};
