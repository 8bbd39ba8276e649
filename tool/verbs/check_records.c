/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/verbs/check.h"

#include <stdlib.h>
#include <time.h>

#include "mail/chars.h"
#include "mail/dmarc.h"
#include "mail/plan.h"
#include "mail/spf.h"

/* RFC 7208 3.4: an answer of more octets may not fit 512 with what else it holds. */
#define APEX_TXT_MAX 450

typedef struct {
	tool_t *tool;
	mail_str_t domain;
	knot_dname_storage_t apex;
	knot_rrset_t **rrsets;
	size_t count;
	void (*say)(void *ctx, const char *text);
	void *ctx;
} lint_t;

static void say(const lint_t *lint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const lint_t *lint, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	lint->say(lint->ctx, text);
}

static int collect(const mail_listed_t *listed, void *ctx)
{
	lint_t *lint = ctx;
	knot_rrset_t *copy = knot_rrset_copy(listed->rrset, NULL);
	knot_rrset_t **grown = realloc(lint->rrsets, (lint->count + 1) * sizeof(*grown));
	if (grown != NULL) {
		lint->rrsets = grown;
	}
	if (grown == NULL || copy == NULL) {
		knot_rrset_free(copy, NULL);
		return KNOT_ENOMEM;
	}
	lint->rrsets[lint->count++] = copy;
	return KNOT_EOK;
}

static const knot_rrset_t *find(const lint_t *lint, const knot_dname_t *owner, uint16_t type)
{
	for (size_t i = 0; i < lint->count; i++) {
		if (lint->rrsets[i]->type == type &&
		    knot_dname_is_case_equal(lint->rrsets[i]->owner, owner)) {
			return lint->rrsets[i];
		}
	}
	return NULL;
}

/*! \brief Finds the RRset of an owner given as labels before the domain ("_dmarc"). */
static const knot_rrset_t *find_below(const lint_t *lint, const char *labels, uint16_t type)
{
	mail_buf_t text = { 0 };
	knot_dname_storage_t owner;
	(void)mail_buf_str(&text, labels);
	(void)mail_buf_str(&text, ".");
	(void)mail_buf_put(&text, lint->domain.data, lint->domain.len);
	bool good = text.error == KNOT_EOK &&
	            mail_name_parse(mail_buf_view(&text), owner, NULL) == KNOT_EOK;
	mail_buf_free(&text);
	return good ? find(lint, owner, type) : NULL;
}

/*! \brief The text of the first TXT record of an owner that is there; empty when there is none. */
static void text_below(const lint_t *lint, const char *labels, mail_buf_t *out)
{
	const knot_rrset_t *rrset = find_below(lint, labels, KNOT_RRTYPE_TXT);
	if (rrset != NULL) {
		(void)zone_text(rrset->rrs.rdata, out);
	}
}

/*! \brief A name that something is delivered to must have an address and be no alias (RFC 5321 5.1). */
static void check_target(const lint_t *lint, const knot_rrset_t *rrset, const knot_dname_t *target)
{
	knot_dname_txt_storage_t name;
	char type[16];
	if (*target == 0 || knot_dname_in_bailiwick(target, lint->apex) < 0 ||
	    knot_dname_to_str(name, target, sizeof(name)) == NULL ||
	    knot_rrtype_to_string(rrset->type, type, sizeof(type)) < 0) {
		return;
	}
	if (find(lint, target, KNOT_RRTYPE_CNAME) != NULL) {
		say(lint, "the %s target %s is an alias (CNAME), which RFC 2181 10.3 forbids", type,
		    name);
	} else if (find(lint, target, KNOT_RRTYPE_A) == NULL &&
	           find(lint, target, KNOT_RRTYPE_AAAA) == NULL) {
		say(lint, "the %s target %s lies in the domain and has no address here", type,
		    name);
	}
}

static void check_targets(const lint_t *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		const knot_rrset_t *rrset = lint->rrsets[i];
		knot_rdata_t *rdata = rrset->rrs.rdata;
		for (uint16_t j = 0; j < rrset->rrs.count; j++, rdata = knot_rdataset_next(rdata)) {
			switch (rrset->type) {
			case KNOT_RRTYPE_MX: check_target(lint, rrset, knot_mx_name(rdata)); break;
			case KNOT_RRTYPE_SRV:
				check_target(lint, rrset, knot_srv_name(rdata));
				break;
			case KNOT_RRTYPE_NS:
				/* Of a delegation, the glue may be anywhere. */
				if (knot_dname_is_case_equal(rrset->owner, lint->apex)) {
					check_target(lint, rrset, knot_ns_name(rdata));
				}
				break;
			default: break;
			}
		}
	}
}

static void check_apex(const lint_t *lint)
{
	const knot_rrset_t *rrset = find(lint, lint->apex, KNOT_RRTYPE_TXT);
	bool spf = false;
	size_t octets = 0;
	knot_rdata_t *rdata = rrset != NULL ? rrset->rrs.rdata : NULL;
	for (uint16_t i = 0; rrset != NULL && i < rrset->rrs.count; i++) {
		mail_buf_t text = { 0 };
		(void)zone_text(rdata, &text);
		spf = spf || mail_spf_is(mail_buf_view(&text));
		mail_buf_free(&text);
		octets += rdata->len;
		rdata = knot_rdataset_next(rdata);
	}
	if (!spf) {
		say(lint, "there is no SPF record");
	}
	if (octets > APEX_TXT_MAX) {
		say(lint,
		    "the TXT records of the domain itself have %zu octets, above %d: the answer may "
		    "not fit a small UDP packet (RFC 7208 3.4)",
		    octets, APEX_TXT_MAX);
	}
}

/*! \brief Takes the value of a tag out of a "tag=value; tag=value" record. */
static mail_str_t tag_of(mail_str_t record, const char *wanted)
{
	while (record.len > 0) {
		const char *end = memchr(record.data, ';', record.len);
		mail_str_t part = { record.data,
			            end != NULL ? (size_t)(end - record.data) : record.len };
		mail_str_t name, value;
		if (mail_str_tag(part, &name, &value) && mail_str_is(name, wanted)) {
			return value;
		}
		size_t used = part.len + (end != NULL);
		record.data += used;
		record.len -= used;
	}
	return (mail_str_t){ NULL, 0 };
}

/*! \brief A report address elsewhere needs the consent of that domain (RFC 9990 3). */
static void check_reports(const lint_t *lint, mail_str_t uris)
{
	size_t pos = 0;
	mail_str_t host;
	while (mail_dmarc_report_next(uris, &pos, &host)) {
		knot_dname_storage_t name;
		mail_lf_storage_t lf;
		mail_lf_t above;
		mail_domain_t stored;
		if (mail_name_parse(host, name, NULL) != KNOT_EOK ||
		    knot_dname_in_bailiwick(name, lint->apex) >= 0) {
			continue;
		}
		const mail_source_t *source = tool_source(lint->tool);
		mail_name_lf(name, &lf);
		if (source->domain_above(source, mail_lf(&lf), &above, &stored) != KNOT_EOK) {
			say(lint,
			    "DMARC reports go to %.*s, which must publish %.*s._report._dmarc.%.*s TXT "
			    "\"v=DMARC1\" and is not in this store",
			    (int)host.len, host.data, (int)lint->domain.len, lint->domain.data,
			    (int)host.len, host.data);
		}
	}
}

static bool has_wildcard(const lint_t *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		const knot_dname_t *owner = lint->rrsets[i]->owner;
		if (knot_dname_is_wildcard(owner) &&
		    knot_dname_is_case_equal(mail_name_parent(owner), lint->apex)) {
			return true;
		}
	}
	return false;
}

static void check_dmarc(const lint_t *lint)
{
	mail_buf_t text = { 0 }, bimi = { 0 };
	text_below(lint, "_dmarc", &text);
	text_below(lint, "default._bimi", &bimi);
	mail_str_t record = mail_buf_view(&text);
	if (record.len == 0) {
		say(lint, "there is no DMARC record");
	} else {
		bool weak = mail_str_is(tag_of(record, "p"), "none");
		if (weak && tag_of(mail_buf_view(&bimi), "l").len > 0) {
			say(lint, "BIMI has no effect while DMARC says p=none");
		}
		if (tag_of(record, "np").data != NULL && has_wildcard(lint)) {
			say(lint, "DMARC's np has no effect beside a wildcard: every name exists");
		}
		check_reports(lint, tag_of(record, "rua"));
		check_reports(lint, tag_of(record, "ruf"));
	}
	mail_buf_free(&text);
	mail_buf_free(&bimi);
}

static void check_mta_sts(const lint_t *lint)
{
	if (find_below(lint, "_mta-sts", KNOT_RRTYPE_TXT) != NULL &&
	    find_below(lint, "mta-sts", KNOT_RRTYPE_CNAME) == NULL &&
	    find_below(lint, "mta-sts", KNOT_RRTYPE_A) == NULL &&
	    find_below(lint, "mta-sts", KNOT_RRTYPE_AAAA) == NULL) {
		say(lint,
		    "MTA-STS is announced, and mta-sts.%.*s has no address here: set mta-sts-host",
		    (int)lint->domain.len, lint->domain.data);
	}
}

/*! \brief Many receivers cannot verify Ed25519 yet: an RSA key belongs beside it (RFC 8463 5). */
static void check_dkim(const lint_t *lint)
{
	bool ed25519 = false, other = false;
	for (size_t i = 0; i < lint->count; i++) {
		const knot_rrset_t *rrset = lint->rrsets[i];
		if (knot_dname_in_bailiwick(rrset->owner, lint->apex) < 2 ||
		    knot_dname_is_wildcard(rrset->owner)) {
			continue;
		}
		knot_dname_txt_storage_t owner;
		if (knot_dname_to_str(owner, rrset->owner, sizeof(owner)) == NULL ||
		    strstr(owner, "._domainkey.") == NULL) {
			continue;
		}
		if (rrset->type != KNOT_RRTYPE_TXT) {
			other = true;
			continue;
		}
		mail_buf_t text = { 0 };
		(void)zone_text(rrset->rrs.rdata, &text);
		if (mail_str_is(tag_of(mail_buf_view(&text), "k"), "ed25519")) {
			ed25519 = true;
		} else if (tag_of(mail_buf_view(&text), "p").len > 0) {
			other = true;
		}
		mail_buf_free(&text);
	}
	if (ed25519 && !other) {
		say(lint,
		    "the only DKIM keys are Ed25519, which many receivers cannot verify: publish an RSA "
		    "key beside them");
	}
}

static void check_tlsa(const lint_t *lint)
{
	if (find(lint, lint->apex, KNOT_RRTYPE_DNSKEY) != NULL) {
		return;
	}
	for (size_t i = 0; i < lint->count; i++) {
		if (lint->rrsets[i]->type == KNOT_RRTYPE_TLSA) {
			say(lint,
			    "TLSA records have no effect as long as the domain is not signed");
			return;
		}
	}
}

/*! \brief Says whether a stored domain is signed. */
static bool is_signed(const lint_t *lint, mail_str_t domain)
{
	mail_profile_t *profile = NULL;
	mail_plan_t *plan = NULL;
	bool found = false;
	if (mail_profile_of_domain(tool_source(lint->tool), domain, &profile, NULL) == KNOT_EOK &&
	    mail_plan_make(profile, false, &plan, NULL) == KNOT_EOK) {
		for (size_t i = 0; i < plan->key_count; i++) {
			found |= mail_dnskey_published(&plan->keys[i], time(NULL));
		}
	}
	mail_plan_free(plan);
	mail_profile_free(profile);
	return found;
}

/*! \brief DANE holds where the MX record and the host's TLSA are both signed (RFC 7672 2.2). Others' hosts are not known. */
static void check_mx_signed(const lint_t *lint)
{
	const knot_rrset_t *mx = find(lint, lint->apex, KNOT_RRTYPE_MX);
	if (mx == NULL || find(lint, lint->apex, KNOT_RRTYPE_DNSKEY) == NULL) {
		return;
	}
	knot_rdata_t *rdata = mx->rrs.rdata;
	for (uint16_t i = 0; i < mx->rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		const knot_dname_t *host = knot_mx_name(rdata);
		const mail_source_t *source = tool_source(lint->tool);
		knot_dname_txt_storage_t name;
		mail_lf_storage_t lf;
		mail_lf_t above;
		mail_domain_t stored;
		mail_buf_t domain = { 0 };
		if (*host == 0 || knot_dname_in_bailiwick(host, lint->apex) >= 0) {
			continue;
		}
		mail_name_lf(host, &lf);
		if (source->domain_above(source, mail_lf(&lf), &above, &stored) == KNOT_EOK &&
		    knot_dname_to_str(name, host, sizeof(name)) != NULL &&
		    mail_entry_id_from_key(MAIL_SECTION_DOMAIN, above, &domain) == KNOT_EOK &&
		    !is_signed(lint, mail_buf_view(&domain))) {
			say(lint,
			    "it is signed, but not the domain %.*s of its MX host %s: senders cannot "
			    "use DANE (RFC 7672 2.2)",
			    (int)domain.len, (const char *)domain.data, name);
		}
		mail_buf_free(&domain);
	}
}

/*! \brief RFC 8624 3.3: SHA-1 must not be used for DS any more. */
static void check_ds(const lint_t *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		const knot_rrset_t *rrset = lint->rrsets[i];
		knot_rdata_t *rdata = rrset->rrs.rdata;
		for (uint16_t j = 0; rrset->type == KNOT_RRTYPE_DS && j < rrset->rrs.count; j++) {
			knot_dname_txt_storage_t name;
			if (rdata->len > 4 && rdata->data[3] == MAIL_DS_SHA1 &&
			    knot_dname_to_str(name, rrset->owner, sizeof(name)) != NULL) {
				say(lint,
				    "the DS of %s has a SHA-1 digest, which validators no longer trust "
				    "(RFC 8624 3.3): use SHA-256",
				    name);
			}
			rdata = knot_rdataset_next(rdata);
		}
	}
}

int lint_domain(tool_t *tool, mail_str_t domain, void (*report)(void *ctx, const char *text),
                void *ctx)
{
	lint_t lint = { .tool = tool, .domain = domain, .say = report, .ctx = ctx };
	int ret = mail_name_parse(domain, lint.apex, tool_diag(tool));
	if (ret == KNOT_EOK) {
		const mail_listing_t listing = { .source = tool_source(tool),
			                         .now = time(NULL),
			                         .each = collect,
			                         .ctx = &lint,
			                         .diag = tool_diag(tool) };
		ret = mail_answer_list(&listing, domain);
	}
	int status = STATUS_DONE;
	if (ret == KNOT_EOK) {
		check_targets(&lint);
		check_apex(&lint);
		check_dmarc(&lint);
		check_mta_sts(&lint);
		check_dkim(&lint);
		check_tlsa(&lint);
		check_mx_signed(&lint);
		check_ds(&lint);
	} else {
		status = zone_error(tool, &(zone_t){ .domain = domain }, ret);
	}
	for (size_t i = 0; i < lint.count; i++) {
		knot_rrset_free(lint.rrsets[i], NULL);
	}
	free(lint.rrsets);
	return status;
}
