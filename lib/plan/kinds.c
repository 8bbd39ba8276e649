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

#define ITEM(item) (UINT64_C(1) << MAIL_ITEM_##item)

#define SRV(id, service)                                                                           \
	[MAIL_KIND_SRV + MAIL_SRV_##id] = {                                                        \
		.name = "srv-" service,                                                            \
		.owner = "_" service "._tcp",                                                      \
		.type = KNOT_RRTYPE_SRV,                                                           \
		.render = mail_kind_srv,                                                           \
		.scope = MAIL_SCOPE_AT,                                                            \
		.place = MAIL_LF("_tcp\0_" service),                                               \
		.items = ITEM(SRV) | ITEM(MX) | ITEM(NO_MAIL),                                     \
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
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(NS) | ITEM(SOA_MNAME) | ITEM(SOA_RNAME),
		.help = "start of authority; its serial is the second of the newest change (RFC 1035)",
	},
	[MAIL_KIND_NS] = {
		.name = "ns",
		.owner = "@",
		.type = KNOT_RRTYPE_NS,
		.render = mail_kind_ns,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(NS),
		.help = "the domain's name servers (RFC 1035)",
	},
	[MAIL_KIND_A] = {
		.name = "a",
		.owner = "HOST",
		.type = KNOT_RRTYPE_A,
		.render = mail_kind_address,
		.items = ITEM(HOST),
		.help = "IPv4 address of a host (RFC 1035)",
	},
	[MAIL_KIND_AAAA] = {
		.name = "aaaa",
		.owner = "HOST",
		.type = KNOT_RRTYPE_AAAA,
		.render = mail_kind_address,
		.items = ITEM(HOST),
		.help = "IPv6 address of a host (RFC 3596)",
	},
	[MAIL_KIND_MX] = {
		.name = "mx",
		.owner = "@",
		.type = KNOT_RRTYPE_MX,
		.render = mail_kind_mx,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(MX) | ITEM(NO_MAIL),
		.help = "where mail for the domain goes; or null MX (RFC 5321, RFC 7505)",
	},
	[MAIL_KIND_SPF] = {
		.name = "spf",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_spf,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(SPF) | ITEM(SPF_ALL) | ITEM(HOST) | ITEM(NO_MAIL),
		.help = "who may send mail of the domain (RFC 7208)",
	},
	[MAIL_KIND_TXT] = {
		.name = "txt",
		.owner = "@",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_txt,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(TXT),
		.help = "other strings of the domain, beside SPF",
	},
	[MAIL_KIND_HELO_SPF] = {
		.name = "helo-spf",
		.owner = "HOST",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_helo,
		.items = ITEM(HOST) | ITEM(NO_MAIL),
		.help = "SPF of the name that a host says HELO with (RFC 7208 10.1.2)",
	},
	[MAIL_KIND_DKIM] = {
		.name = "dkim",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_dkim,
		.scope = MAIL_SCOPE_BELOW,
		.place = MAIL_LF("_domainkey"),
		.items = ITEM(NO_MAIL),
		.help = "public key that signatures are verified with (RFC 6376, RFC 8463)",
	},
	[MAIL_KIND_DKIM_CNAME] = {
		.name = "dkim-cname",
		.owner = "SELECTOR._domainkey",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_dkim,
		.scope = MAIL_SCOPE_BELOW,
		.place = MAIL_LF("_domainkey"),
		.items = ITEM(NO_MAIL),
		.help = "the public key is published by somebody else (RFC 6376)",
	},
	[MAIL_KIND_DKIM_NONE] = {
		.name = "dkim-none",
		.owner = "*._domainkey",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_no_keys,
		.scope = MAIL_SCOPE_BELOW,
		.place = MAIL_LF("_domainkey"),
		.items = ITEM(NO_MAIL),
		.help = "a domain without mail has no key (RFC 6376 3.6.1)",
	},
	[MAIL_KIND_DMARC] = {
		.name = "dmarc",
		.owner = "_dmarc",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_dmarc,
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("_dmarc"),
		.items = ITEM(DMARC) | ITEM(DMARC_RAMP) | ITEM(NO_MAIL),
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
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("_mta-sts"),
		.items = ITEM(MTA_STS) | ITEM(MTA_STS_MAX_AGE) | ITEM(MTA_STS_ID) | ITEM(MX) | ITEM(NO_MAIL),
		.help = "there is an MTA-STS policy, and which version (RFC 8461)",
	},
	[MAIL_KIND_MTA_STS_HOST] = {
		.name = "mta-sts-host",
		.owner = "mta-sts",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_cname,
		.arg = MAIL_ITEM_MTA_STS_HOST,
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("mta-sts"),
		.items = ITEM(MTA_STS) | ITEM(MTA_STS_HOST) | ITEM(NO_MAIL),
		.help = "the web server of the MTA-STS policy (RFC 8461)",
	},
	[MAIL_KIND_TLS_RPT] = {
		.name = "tls-rpt",
		.owner = "_smtp._tls",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_tlsrpt,
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("_tls\0_smtp"),
		.items = ITEM(TLS_RPT) | ITEM(NO_MAIL),
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
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("autoconfig"),
		.items = ITEM(AUTOCONFIG) | ITEM(NO_MAIL),
		.help = "web server that configures Thunderbird and others",
	},
	[MAIL_KIND_AUTODISCOVER] = {
		.name = "autodiscover",
		.owner = "autodiscover",
		.type = KNOT_RRTYPE_CNAME,
		.render = mail_kind_cname,
		.arg = MAIL_ITEM_AUTODISCOVER,
		.scope = MAIL_SCOPE_AT,
		.place = MAIL_LF("autodiscover"),
		.items = ITEM(AUTODISCOVER) | ITEM(NO_MAIL),
		.help = "web server that configures Outlook",
	},
	[MAIL_KIND_TLSA] = {
		.name = "tlsa",
		.owner = "_PORT._tcp.HOST",
		.type = KNOT_RRTYPE_TLSA,
		.render = mail_kind_tlsa,
		.items = ITEM(HOST) | ITEM(NO_MAIL) | ITEM(TTL),
		.help = "which certificate a host shows, now and next (RFC 6698, RFC 7672)",
	},
	[MAIL_KIND_BIMI] = {
		.name = "bimi",
		.owner = "SELECTOR._bimi",
		.type = KNOT_RRTYPE_TXT,
		.render = mail_kind_bimi,
		.scope = MAIL_SCOPE_BELOW,
		.place = MAIL_LF("_bimi"),
		.items = ITEM(BIMI) | ITEM(NO_MAIL),
		.help = "the domain's logo (BIMI)",
	},
	[MAIL_KIND_CAA] = {
		.name = "caa",
		.owner = "@",
		.type = KNOT_RRTYPE_CAA,
		.render = mail_kind_caa,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(CAA),
		.help = "which CA may issue certificates (RFC 8659)",
	},
	[MAIL_KIND_DNSKEY] = {
		.name = "dnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_DNSKEY,
		.render = mail_kind_dnskey,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(KEY_SET) | ITEM(NS),
		.help = "the keys that the domain is signed with (RFC 4034)",
	},
	[MAIL_KIND_CDS] = {
		.name = "cds",
		.owner = "@",
		.type = KNOT_RRTYPE_CDS,
		.render = mail_kind_dnskey,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(KEY_SET) | ITEM(NS),
		.help = "the DS that the parent should have, or none (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_CDNSKEY] = {
		.name = "cdnskey",
		.owner = "@",
		.type = KNOT_RRTYPE_CDNSKEY,
		.render = mail_kind_dnskey,
		.scope = MAIL_SCOPE_AT,
		.items = ITEM(KEY_SET) | ITEM(NS),
		.help = "the keys that the parent should make DS of (RFC 7344, RFC 8078)",
	},
	[MAIL_KIND_RECORD] = {
		.name = "record",
		.owner = "any",
		.render = mail_kind_literal,
		.arg = MAIL_ITEM_RECORD,
		.items = ITEM(RECORD),
		.help = "literal records of a domain",
	},
	[MAIL_KIND_DELEGATION] = {
		.name = "delegation",
		.owner = "any",
		.render = mail_kind_literal,
		.arg = MAIL_ITEM_DELEGATION,
		.items = ITEM(DELEGATION),
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
_Static_assert(MAIL_KIND_COUNT < 64, "kinds are bits of a word");

mail_kinds_t mail_kinds_of(uint64_t items)
{
	mail_kinds_t kinds = 0;
	for (unsigned i = 0; i < MAIL_KIND_COUNT && items != 0; i++) {
		if ((mail_kinds[i].items & items) != 0) {
			kinds |= MAIL_KIND_BIT(i);
		}
	}
	return kinds;
}

/*! Return whether a kind may have an owner at a name. */
static bool is_at(const mail_kind_t *kind, mail_lf_t relative)
{
	switch (kind->scope) {
	case MAIL_SCOPE_AT: return mail_lf_equal(kind->place, relative);
	case MAIL_SCOPE_BELOW: return relative.len > 0 && mail_lf_in(relative, kind->place);
	default: return true;
	}
}

/*! Return those of the kinds that may have an owner at a name, or below one that is not the domain. */
static inline mail_kinds_t kinds_from(mail_kinds_t kinds, mail_lf_t relative, bool below)
{
	mail_kinds_t found = 0;
	for (mail_kinds_t left = kinds; left != 0; left &= left - 1) {
		const unsigned i = (unsigned)__builtin_ctzll(left);
		const mail_kind_t *kind = &mail_kinds[i];
		const bool may = is_at(kind, relative) ||
		                 (below && relative.len > 0 && mail_lf_in(kind->place, relative));
		found |= may ? MAIL_KIND_BIT(i) : 0;
	}
	return found;
}

mail_kinds_t mail_kinds_near(mail_kinds_t kinds, mail_lf_t relative)
{
	return kinds_from(kinds, relative, true);
}

mail_kinds_t mail_kinds_at(mail_kinds_t kinds, mail_lf_t relative)
{
	return kinds_from(kinds, relative, false);
}

mail_kinds_t mail_kinds_typed(mail_kinds_t kinds, uint16_t type)
{
	mail_kinds_t typed = 0;
	for (mail_kinds_t left = kinds; left != 0; left &= left - 1) {
		const unsigned kind = (unsigned)__builtin_ctzll(left);
		const bool may = mail_kinds[kind].type == type || mail_kinds[kind].type == 0;
		typed |= may ? MAIL_KIND_BIT(kind) : 0;
	}
	return typed;
}
