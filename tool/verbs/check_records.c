/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is risky in the records of a domain, though each of them is valid.
 */

#include <stdlib.h>
#include <time.h>

#include "mail/chars.h"
#include "mail/dmarc.h"
#include "mail/plan.h"
#include "mail/spf.h"
#include "tool/open.h"
#include "tool/out.h"
#include "tool/records.h"
#include "tool/verbs/check.h"

/* RFC 7208 3.4: an answer of more octets may not fit 512 with what else it holds. */
#define APEX_TXT_MAX 450

typedef struct {
	check_t *check;
	mail_str_t domain;
	knot_dname_storage_t apex;
	knot_rrset_t **rrsets;
	size_t count;
} lint_t;

#define warn(lint, ...) check_report((lint)->check, false, __VA_ARGS__)

static int collect(const mail_listed_t *listed, void *ctx)
{
	lint_t *lint = ctx;
	knot_rrset_t **grown = realloc(lint->rrsets, (lint->count + 1) * sizeof(*grown));
	if (grown == NULL) {
		return KNOT_ENOMEM;
	}
	lint->rrsets = grown;
	grown[lint->count] = knot_rrset_copy(listed->rrset, NULL);
	if (grown[lint->count] == NULL) {
		return KNOT_ENOMEM;
	}
	lint->count++;
	return KNOT_EOK;
}

/*! \brief A record. Zeroed is before the first one. */
typedef struct {
	const knot_rrset_t *rrset;
	knot_rdata_t *rdata;
	size_t next;   /*!< Index of the RRset that comes then. */
	uint16_t left; /*!< Records that are left in this one. */
} record_t;

/*! \brief Move to the next record, of an owner unless that is NULL, of a type unless that is 0. \return false at the end. */
static bool next_record(const lint_t *lint, const knot_dname_t *owner, uint16_t type,
                        record_t *record)
{
	if (record->left > 0) {
		record->left--;
		record->rdata = knot_rdataset_next(record->rdata);
		return true;
	}
	while (record->next < lint->count) {
		const knot_rrset_t *rrset = lint->rrsets[record->next++];
		if ((type == 0 || rrset->type == type) &&
		    (owner == NULL || knot_dname_is_case_equal(rrset->owner, owner))) {
			record->rrset = rrset;
			record->rdata = rrset->rrs.rdata;
			record->left = rrset->rrs.count - 1;
			return true;
		}
	}
	return false;
}

static bool has(const lint_t *lint, const knot_dname_t *owner, uint16_t type)
{
	return next_record(lint, owner, type, &(record_t){ 0 });
}

/*! \brief Write the name of labels before the domain ("_dmarc"). \return false: it is too long. */
static bool name_below(const lint_t *lint, const char *labels, knot_dname_storage_t name)
{
	mail_buf_t text = { 0 };
	(void)mail_buf_printf(&text, "%s.%.*s", labels, (int)lint->domain.len, lint->domain.data);
	bool good = text.error == KNOT_EOK &&
	            mail_name_parse(mail_buf_view(&text), name, NULL) == KNOT_EOK;
	mail_buf_free(&text);
	return good;
}

/*! \brief Ask for the TXT records of labels before the domain. \return As check_ask(). */
static check_asked_t ask_below(const lint_t *lint, const char *labels, mail_buf_t *texts)
{
	knot_dname_storage_t name;
	return name_below(lint, labels, name) ? check_ask(lint->check, name, KNOT_RRTYPE_TXT, texts)
	                                      : CHECK_NOTHING;
}

static void check_apex(const lint_t *lint)
{
	bool spf = false;
	size_t octets = 0;
	record_t record = { 0 };
	while (next_record(lint, lint->apex, KNOT_RRTYPE_TXT, &record)) {
		mail_buf_t text = { 0 };
		records_text(record.rdata, &text);
		spf = spf || mail_spf_is(mail_buf_view(&text));
		mail_buf_free(&text);
		octets += record.rdata->len;
	}
	if (!spf) {
		warn(lint, "there is no SPF record");
	}
	if (octets > APEX_TXT_MAX) {
		warn(lint,
		     "the TXT records of the domain itself have %zu octets, above %d: the answer may "
		     "not fit a small UDP packet (RFC 7208 3.4)",
		     octets, APEX_TXT_MAX);
	}
}

/*! \brief Take the value of a tag out of a "tag=value; tag=value" record; data NULL: it has none. */
static mail_str_t tag_of(mail_str_t record, const char *wanted)
{
	mail_str_t part, name, value;
	for (size_t pos = 0; mail_str_piece(record, ';', &pos, &part);) {
		if (mail_str_tag(part, &name, &value) && mail_str_is(name, wanted)) {
			return value;
		}
	}
	return (mail_str_t){ NULL, 0 };
}

/*! \brief A report address elsewhere needs the consent of that domain (RFC 9990 3). */
static void check_consent(const lint_t *lint, mail_str_t host)
{
	knot_dname_storage_t name, wire;
	mail_buf_t owner = { 0 }, texts = { 0 };
	mail_str_t text;
	if (mail_name_parse(host, wire, NULL) != KNOT_EOK ||
	    knot_dname_in_bailiwick(wire, lint->apex) >= 0) {
		return;
	}
	(void)mail_buf_printf(&owner, "%.*s._report._dmarc.%.*s", (int)lint->domain.len,
	                      lint->domain.data, (int)host.len, host.data);
	if (owner.error != KNOT_EOK ||
	    mail_name_parse(mail_buf_view(&owner), name, NULL) != KNOT_EOK) {
		goto done;
	}
	const check_asked_t asked = check_ask(lint->check, name, KNOT_RRTYPE_TXT, &texts);
	if (asked == CHECK_ELSEWHERE) {
		warn(lint,
		     "DMARC reports go to %.*s, which must publish %.*s TXT \"v=DMARC1\" and is not "
		     "in this store",
		     (int)host.len, host.data, (int)owner.len, (const char *)owner.data);
	} else if (!check_ask_text(&texts, "v=DMARC1", &text)) {
		warn(lint,
		     "DMARC reports go to %.*s, which does not consent: this store answers without "
		     "%.*s TXT \"v=DMARC1\". Store the domain %.*s, or add it as a record",
		     (int)host.len, host.data, (int)owner.len, (const char *)owner.data,
		     (int)host.len, host.data);
	}
done:
	mail_buf_free(&owner);
	mail_buf_free(&texts);
}

static void check_reports(const lint_t *lint, mail_str_t uris)
{
	size_t pos = 0;
	mail_str_t host;
	while (mail_dmarc_report_next(uris, &pos, &host)) {
		check_consent(lint, host);
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
	mail_buf_t texts = { 0 }, logos = { 0 };
	mail_str_t record, bimi;
	const check_asked_t asked = ask_below(lint, "_dmarc", &texts);
	(void)ask_below(lint, "default._bimi", &logos);
	(void)check_ask_text(&logos, "v=BIMI1", &bimi);
	const bool found = check_ask_text(&texts, "v=DMARC1", &record);
	/* One that others publish, by an alias or a delegation, is not known here. */
	if (!found && asked != CHECK_ELSEWHERE) {
		warn(lint, "there is no DMARC record");
	} else if (found) {
		bool weak = mail_str_is(tag_of(record, "p"), "none");
		if (weak && tag_of(bimi, "l").len > 0) {
			warn(lint, "BIMI has no effect while DMARC says p=none");
		}
		if (tag_of(record, "np").data != NULL && has_wildcard(lint)) {
			warn(lint, "DMARC's np has no effect beside a wildcard: every name exists");
		}
		check_reports(lint, tag_of(record, "rua"));
		check_reports(lint, tag_of(record, "ruf"));
	}
	mail_buf_free(&texts);
	mail_buf_free(&logos);
}

static void check_mta_sts(const lint_t *lint)
{
	mail_buf_t texts = { 0 };
	mail_str_t record;
	knot_dname_storage_t host;
	const check_asked_t asked = ask_below(lint, "_mta-sts", &texts);
	const bool announced = check_ask_text(&texts, "v=STSv1", &record);
	mail_buf_free(&texts);
	if ((asked != CHECK_ELSEWHERE && !announced) || !name_below(lint, "mta-sts", host)) {
		return;
	}
	if (check_ask(lint->check, host, KNOT_RRTYPE_A, NULL) == CHECK_NOTHING &&
	    check_ask(lint->check, host, KNOT_RRTYPE_AAAA, NULL) == CHECK_NOTHING) {
		warn(lint,
		     "MTA-STS is announced%s, and mta-sts.%.*s has no address here: set mta-sts-host",
		     announced ? "" : " by others", (int)lint->domain.len, lint->domain.data);
	}
}

/*! \brief Many receivers cannot verify Ed25519 yet: an RSA key belongs beside it (RFC 8463 5). */
static void check_dkim(const lint_t *lint)
{
	bool ed25519 = false, other = false;
	for (size_t i = 0; i < lint->count; i++) {
		const knot_rrset_t *rrset = lint->rrsets[i];
		knot_dname_txt_storage_t owner;
		if (knot_dname_in_bailiwick(rrset->owner, lint->apex) < 2 ||
		    knot_dname_is_wildcard(rrset->owner) ||
		    knot_dname_to_str(owner, rrset->owner, sizeof(owner)) == NULL ||
		    strstr(owner, "._domainkey.") == NULL) {
			continue;
		}
		mail_buf_t text = { 0 };
		if (rrset->type == KNOT_RRTYPE_TXT) {
			records_text(rrset->rrs.rdata, &text);
		}
		if (mail_str_is(tag_of(mail_buf_view(&text), "k"), "ed25519")) {
			ed25519 = true;
		} else if (rrset->type != KNOT_RRTYPE_TXT ||
		           tag_of(mail_buf_view(&text), "p").len > 0) {
			other = true;
		}
		mail_buf_free(&text);
	}
	if (ed25519 && !other) {
		warn(lint,
		     "the only DKIM keys are Ed25519, which many receivers cannot verify: publish an RSA "
		     "key beside them");
	}
}

static void check_tlsa(const lint_t *lint)
{
	if (!has(lint, lint->apex, KNOT_RRTYPE_DNSKEY) && has(lint, NULL, KNOT_RRTYPE_TLSA)) {
		warn(lint, "TLSA records have no effect as long as the domain is not signed");
	}
}

/*! \brief Return whether a stored domain is signed. */
static bool is_signed(tool_t *tool, mail_str_t domain)
{
	mail_profile_t *profile = NULL;
	mail_plan_t *plan = NULL;
	bool found = false;
	if (mail_profile_of_domain(tool_source(tool), domain, &profile, NULL) == KNOT_EOK &&
	    mail_plan_make(profile, false, &plan, NULL) == KNOT_EOK) {
		for (size_t i = 0; i < plan->key_count; i++) {
			found |= mail_dnskey_published(&plan->keys[i], time(NULL));
		}
	}
	mail_plan_free(plan);
	mail_profile_free(profile);
	return found;
}

/*!
 * \brief DANE holds where the MX record and the host's TLSA are both signed (RFC 7672 2.2). Hosts of others are not
 *        known.
 */
static void check_mx_signed(const lint_t *lint)
{
	const mail_source_t *source = tool_source(lint->check->tool);
	record_t record = { 0 };
	if (!has(lint, lint->apex, KNOT_RRTYPE_DNSKEY)) {
		return;
	}
	while (next_record(lint, lint->apex, KNOT_RRTYPE_MX, &record)) {
		const knot_dname_t *host = knot_mx_name(record.rdata);
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
		    !is_signed(lint->check->tool, mail_buf_view(&domain))) {
			warn(lint,
			     "it is signed, but not the domain %.*s of its MX host %s: senders cannot "
			     "use DANE (RFC 7672 2.2)",
			     (int)domain.len, (const char *)domain.data, name);
		}
		mail_buf_free(&domain);
	}
}

/*! What is looked at, and the items of a domain's own that may make a difference. */
static const struct {
	void (*look)(const lint_t *lint);
	mail_item_id_t items[4]; /*!< None: only keys, policies and hosts do. */
} parts[] = {
	{ check_apex, { MAIL_ITEM_SPF, MAIL_ITEM_SPF_ALL, MAIL_ITEM_TXT } },
	{ check_dmarc, { MAIL_ITEM_DMARC, MAIL_ITEM_DMARC_RAMP, MAIL_ITEM_BIMI } },
	{ check_mta_sts, { MAIL_ITEM_MTA_STS, MAIL_ITEM_MTA_STS_HOST } },
	{ check_dkim, { 0 } },
	{ check_tlsa, { MAIL_ITEM_HOST, MAIL_ITEM_KEY_SET } },
	{ check_mx_signed, { MAIL_ITEM_MX, MAIL_ITEM_KEY_SET } },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/*! \brief Return whether an entry sets one of the items that make a difference to a part. */
static bool sets_part(const mail_entry_t *entry, size_t part)
{
	const size_t most = sizeof(parts[part].items) / sizeof(parts[part].items[0]);
	for (size_t i = 0; i < most && parts[part].items[i] != 0; i++) {
		for (size_t j = 0; j < entry->count; j++) {
			if (entry->members[j].item->id == parts[part].items[i]) {
				return true;
			}
		}
	}
	return false;
}

bool check_records(check_t *check, const mail_entry_t *entry, bool all)
{
	tool_t *tool = check->tool;
	const mail_str_t domain = entry->id;
	lint_t lint = { .check = check, .domain = domain };
	bool wanted[PARTS], any = false;
	for (size_t i = 0; i < PARTS; i++) {
		wanted[i] = all || sets_part(entry, i);
		any |= wanted[i];
	}
	if (!any) {
		return true;
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_name_parse(domain, lint.apex, diag);
	if (ret == KNOT_EOK) {
		const mail_listing_t listing = { .source = tool_source(tool),
			                         .now = time(NULL),
			                         .each = collect,
			                         .ctx = &lint,
			                         .diag = diag };
		ret = mail_answer_list(&listing, domain);
	}
	if (ret == KNOT_EOK) {
		for (size_t i = 0; i < PARTS; i++) {
			if (wanted[i]) {
				parts[i].look(&lint);
			}
		}
	} else {
		(void)records_error(tool, domain, ret);
	}
	for (size_t i = 0; i < lint.count; i++) {
		knot_rrset_free(lint.rrsets[i], NULL);
	}
	free(lint.rrsets);
	return ret == KNOT_EOK;
}
