/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one table of record kinds. What a record looks like is the business of the RFC's own file in record/; when it
 * is there, and where, that of its renderer in kind_*.c.
 */
#include "config.h"

#include "plan/kinds.h"
#include "record/srv.h"

int mail_kind_put(mail_build_t *build, const mail_kind_t *kind, const char *owner,
                  const mail_kind_value_t *value, int ret)
{
	if (ret == KNOT_EOK) {
		build->setting = value->setting;
		return mail_build_put(build, owner, kind->type, value->rdata);
	}
	mail_rdata_free(value->rdata);
	return mail_build_bad(build, value->item, value->setting, ret);
}

_Static_assert(MAIL_KIND_AUTOCONFIG == MAIL_KIND_SRV + MAIL_SRV_COUNT,
               "a kind for each SRV service");

#define SRV(id, service)                                                                           \
	[MAIL_KIND_SRV + MAIL_SRV_##id] = {                                                        \
		.name = "srv-" service,                                                            \
		.owner = "_" service "._tcp",                                                      \
		.type = KNOT_RRTYPE_SRV,                                                           \
		.render = mail_kind_srv,                                                           \
		.arg = MAIL_SRV_##id,                                                              \
		.help = "where clients find the service " service " (RFC 2782, RFC 6186)",         \
	}

/* The place in the table is the kind's number, so a row says its number itself. */
const mail_kind_t mail_kinds[] = {
	[MAIL_KIND_SOA] = {
		.name = "soa",
		.owner = "@",
		.type = KNOT_RRTYPE_SOA,
		.render = mail_kind_soa,
		.help = "start of authority; its serial is the second of the newest change (RFC 1035)",
	},
	[MAIL_KIND_NS] = {
		.name = "ns",
		.owner = "@",
		.type = KNOT_RRTYPE_NS,
		.render = mail_kind_ns,
		.help = "the domain's name servers (RFC 1035)",
	},
	[MAIL_KIND_A] = {
		.name = "a",
		.owner = "HOST",
		.type = KNOT_RRTYPE_A,
		.render = mail_kind_address,
		.help = "IPv4 address of a host (RFC 1035)",
	},
	[MAIL_KIND_AAAA] = {
		.name = "aaaa",
		.owner = "HOST",
		.type = KNOT_RRTYPE_AAAA,
		.render = mail_kind_address,
		.help = "IPv6 address of a host (RFC 3596)",
	},
	[MAIL_KIND_MX] = {
		.name = "mx",
		.owner = "@",
		.type = KNOT_RRTYPE_MX,
		.render = mail_kind_mx,
		.help = "where mail for the domain goes; or null MX (RFC 5321, RFC 7505)",
	},
	[MAIL_KIND_SPF] = {
		.name = "spf",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_spf,
		.help = "who may send mail of the domain (RFC 7208)",
	},
	[MAIL_KIND_TXT] = {
		.name = "txt",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_txt,
		.help = "other strings of the domain, beside SPF",
	},
	[MAIL_KIND_HELO_SPF] = {
		.name = "helo-spf",
		.owner = "HOST",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_helo,
		.help = "SPF of the name that a host says HELO with (RFC 7208 10.1.2)",
	},
	[MAIL_KIND_DKIM] = {
		.name = "dkim",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_dkim,
		.help = "public key that signatures are verified with (RFC 6376, RFC 8463)",
	},
	[MAIL_KIND_DKIM_CNAME] = {
		.name = "dkim-cname",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_dkim,
		.help = "the public key is published by somebody else (RFC 6376)",
	},
	[MAIL_KIND_DKIM_NONE] = {
		.name = "dkim-none",
		.owner = "*._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_no_keys,
		.help = "a domain without mail has no key (RFC 6376 3.6.1)",
	},
	[MAIL_KIND_DMARC] = {
		.name = "dmarc",
		.owner = "_dmarc",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_dmarc,
		.help = "what to do with mail that fails, and where reports go (RFC 9989)",
	},
	[MAIL_KIND_REPORT] = {
		.name = "dmarc-report",
		.owner = "DOMAIN._report._dmarc",
		.type = KNOT_RRTYPE_TXT,
		.help = "the domain takes reports of another one (RFC 9990)",
	},
	[MAIL_KIND_MTA_STS] = {
		.name = "mta-sts",
		.owner = "_mta-sts",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_mtasts,
		.help = "there is an MTA-STS policy, and which version (RFC 8461)",
	},
	[MAIL_KIND_MTA_STS_HOST] = {
		.name = "mta-sts-host",
		.owner = "mta-sts",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_cname,
		.arg = MAIL_ITEM_MTA_STS_HOST,
		.help = "the web server of the MTA-STS policy (RFC 8461)",
	},
	[MAIL_KIND_TLS_RPT] = {
		.name = "tls-rpt",
		.owner = "_smtp._tls",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_tlsrpt,
		.help = "where reports on TLS go (RFC 8460)",
	},
	SRV(IMAP, "imap"),
	SRV(IMAPS, "imaps"),
	SRV(POP3, "pop3"),
	SRV(POP3S, "pop3s"),
	SRV(SUBMISSION, "submission"),
	SRV(SUBMISSIONS, "submissions"),
	SRV(SIEVE, "sieve"),
	SRV(JMAP, "jmap"),
	SRV(CALDAV, "caldav"),
	SRV(CALDAVS, "caldavs"),
	SRV(CARDDAV, "carddav"),
	SRV(CARDDAVS, "carddavs"),
	SRV(AUTODISCOVER, "autodiscover"),
	[MAIL_KIND_AUTOCONFIG] = {
		.name = "autoconfig",
		.owner = "autoconfig",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_cname,
		.arg = MAIL_ITEM_AUTOCONFIG,
		.help = "web server that configures Thunderbird and others",
	},
	[MAIL_KIND_AUTODISCOVER] = {
		.name = "autodiscover",
		.owner = "autodiscover",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_cname,
		.arg = MAIL_ITEM_AUTODISCOVER,
		.help = "web server that configures Outlook",
	},
	[MAIL_KIND_TLSA] = {
		.name = "tlsa",
		.owner = "_PORT._tcp.HOST",
		.type = KNOT_RRTYPE_TLSA,
		.render = mail_kind_tlsa,
		.help = "which certificate a host shows, now and next (RFC 6698, RFC 7672)",
	},
	[MAIL_KIND_BIMI] = {
		.name = "bimi",
		.owner = "SELECTOR._bimi",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_bimi,
		.help = "the domain's logo (BIMI)",
	},
	[MAIL_KIND_CAA] = {
		.name = "caa",
		.owner = "@",
		.type = KNOT_RRTYPE_CAA,
		.render = mail_kind_caa,
		.help = "which CA may issue certificates (RFC 8659)",
	},
	[MAIL_KIND_DNSKEY] = {
		.name = "dnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_DNSKEY,
		.render = mail_kind_dnskey,
		.help = "the keys that the domain is signed with (RFC 4034)",
	},
	[MAIL_KIND_CDS] = {
		.name = "cds",
		.owner = "@",
		.type = KNOT_RRTYPE_CDS,
		.render = mail_kind_dnskey,
		.help = "the DS that the parent should have, or none (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_CDNSKEY] = {
		.name = "cdnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_CDNSKEY,
		.render = mail_kind_dnskey,
		.help = "the keys that the parent should make DS of (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_RECORD] = {
		.name = "record",
		.owner = "any",
		.render = mail_kind_literal,
		.arg = MAIL_ITEM_RECORD,
		.help = "literal records of a domain",
	},
	[MAIL_KIND_DELEGATION] = {
		.name = "delegation",
		.owner = "any",
		.render = mail_kind_literal,
		.arg = MAIL_ITEM_DELEGATION,
		.help = "a name below the domain that other servers answer for: NS and DS",
	},
	[MAIL_KIND_CHILD] = {
		.name = "child",
		.owner = "DOMAIN",
		.type = KNOT_RRTYPE_NS,
		.help = "a stored domain below this one: its name servers",
	},
};
_Static_assert(sizeof(mail_kinds) / sizeof(mail_kinds[0]) == MAIL_KIND_COUNT,
               "a row for each kind");
