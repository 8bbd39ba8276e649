/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that a record leads to: whether they are there, and whether their last dot is. */
#include "config.h"

#include <stdio.h>

#include "change/lint.h"
#include "mail/chars.h"
#include "mail/dkim_id.h"
#include "mail/dmarc.h"
#include "mail/kind.h"

/*! Note that a name was told of. \return Whether it was before, for the same item; for SRV also as an MX. */
static bool is_said(mail_linting_t *linting, const mail_linted_t *of, const char *shown)
{
	char wanted[2][KNOT_DNAME_TXT_MAXLEN + 80];
	(void)snprintf(wanted[0], sizeof(wanted[0]), "%.*s %s", (int)of->item.len,
	               (const char *)of->item.data, shown);
	/* Without a host of its own a service is at the first exchange, the SOA at the first name server. */
	(void)snprintf(wanted[1], sizeof(wanted[1]), "%s %s",
	               of->row->type == KNOT_RRTYPE_SOA ? "ns" : "mx", shown);
	if (mail_warning_kept(&linting->said, wanted[0], MAIL_STR("")) ||
	    ((of->row->type == KNOT_RRTYPE_SRV || of->row->type == KNOT_RRTYPE_SOA) &&
	     mail_warning_kept(&linting->said, wanted[1], MAIL_STR("")))) {
		return true;
	}
	mail_warning_keep(&linting->said, wanted[0]);
	return false;
}

/*! Return what the end of the chain must have, of the record at hand. */
static mail_want_t want_of(const mail_linted_t *of)
{
	switch (of->row->kind) {
	case MAIL_KIND_MTA_STS_HOST:
	case MAIL_KIND_AUTOCONFIG:
	case MAIL_KIND_AUTODISCOVER: return MAIL_WANT_ADDRESS;
	case MAIL_KIND_DKIM_CNAME: return MAIL_WANT_TXT;
	default: break;
	}
	switch (of->row->type) {
	case KNOT_RRTYPE_CNAME:
		/* What people ask for there is a text. */
		return mail_lf_in(of->owner->name, MAIL_DOMAINKEY) ||
		                       mail_lf_in(of->owner->name, MAIL_LF("_dmarc"))
		               ? MAIL_WANT_TXT
		               : MAIL_WANT_NAME;
	case KNOT_RRTYPE_DNAME:
	case KNOT_RRTYPE_PTR: return MAIL_WANT_NAME;
	default: return MAIL_WANT_ADDRESS;
	}
}

/*! Return whether a record must name a host by the name that has its addresses (RFC 2181 10.3, RFC 2782). */
static bool wants_canonical(uint16_t type)
{
	return type == KNOT_RRTYPE_NS || type == KNOT_RRTYPE_MX || type == KNOT_RRTYPE_SRV ||
	       type == KNOT_RRTYPE_KX || type == KNOT_RRTYPE_AFSDB;
}

static const char *want_text(mail_want_t want)
{
	switch (want) {
	case MAIL_WANT_ADDRESS: return "address";
	case MAIL_WANT_TXT: return "TXT record";
	case MAIL_WANT_MX: return "MX record";
	case MAIL_WANT_MAIL: return "MX record and no address";
	case MAIL_WANT_NAME: break;
	}
	return "record";
}

/*! Return whether what was looked up lies in the domain that is looked at. */
static bool in_own_domain(const mail_linting_t *linting)
{
	return mail_lf_equal(mail_lf(&linting->looked.domain), mail_lf(&linting->at.lf));
}

/*! Write what is wrong with where a name leads, after the name itself. */
static void fault_write(const mail_linting_t *linting, const mail_linted_t *of, mail_want_t want,
                        mail_buf_t *out)
{
	const mail_looked_t *looked = &linting->looked;
	mail_buf_t end = { 0 };
	if (looked->alias && wants_canonical(of->row->type)) {
		(void)mail_buf_str(out, "is an alias (RFC 2181 10.3)");
		return;
	}
	if (looked->alias) {
		(void)mail_buf_printf(out, "leads to %s, which ",
		                      mail_lint_show(linting, looked->name, false, &end));
		mail_buf_free(&end);
	}
	if (in_own_domain(linting)) {
		if (want == MAIL_WANT_ADDRESS) {
			(void)mail_buf_str(out,
			                   "lies in the domain but is no host with an address");
		} else if (looked->code == MAIL_LOOKUP_NO_NAME) {
			(void)mail_buf_str(out, "lies in the domain but does not exist");
		} else {
			(void)mail_buf_printf(out, "lies in the domain but has no %s",
			                      want_text(want));
		}
		return;
	}
	(void)mail_buf_str(out, looked->code == MAIL_LOOKUP_NO_NAME ? "does not exist" : "has no ");
	if (looked->code != MAIL_LOOKUP_NO_NAME) {
		(void)mail_buf_str(out, want_text(want));
	}
	(void)mail_buf_str(out, " in the stored domain ");
	(void)mail_entry_id_from_key(MAIL_SECTION_DOMAIN, mail_lf(&looked->domain), out);
}

bool mail_lint_lacks_dot(const mail_source_t *source, mail_lf_t relative, bool missing)
{
	mail_lf_t above;
	mail_domain_t domain;
	return mail_lf_lacks_dot(relative, missing) ||
	       (mail_lf_labels(relative) > 1 &&
	        source->domain_above(source, relative, &above, &domain) == KNOT_EOK &&
	        mail_lf_labels(above) > 1);
}

/*! Append the question whether a dot was forgotten, or is too much. \return Whether there is one. */
static bool dot_write(const mail_linting_t *linting, const knot_dname_t *name, const char *shown,
                      bool relative, mail_buf_t *out)
{
	mail_lf_storage_t lf;
	mail_name_lf(name, &lf);
	if (!relative || !mail_lf_below(mail_lf(&lf), mail_lf(&linting->at.lf)) ||
	    !mail_lint_lacks_dot(linting->at.source,
	                         mail_lf_relative(mail_lf(&lf), mail_lf(&linting->at.lf)), true)) {
		return false;
	}
	(void)mail_buf_printf(out, ": did you mean %s.? Without a dot at its end it is %s.%s",
	                      shown, shown, linting->text);
	return true;
}

/*! Return whether a TXT record is of the kind that is looked for at a name below _domainkey, or at _dmarc. */
static bool text_serves(const knot_rdata_t *rdata, bool dkim)
{
	mail_buf_t text = { 0 };
	mail_str_t part, tag, value;
	bool serves = false;
	for (size_t at = 0; at < rdata->len; at += rdata->data[at] + 1u) {
		(void)mail_buf_put(&text, rdata->data + at + 1, rdata->data[at]);
	}
	const mail_str_t whole = mail_buf_view(&text);
	for (size_t pos = 0; dkim && mail_str_piece(whole, ';', &pos, &part);) {
		serves |= mail_str_tag(part, &tag, &value) && mail_str_is(tag, "p");
	}
	serves |= !dkim && mail_str_starts(whole, "v=DMARC1");
	serves |= text.error != KNOT_EOK;
	mail_buf_free(&text);
	return serves;
}

/*! Tell of a CNAME that leads to text of another kind than receivers look for. */
static void text_look(mail_linting_t *linting, const mail_linted_t *of, bool dkim,
                      const char *shown)
{
	mail_looked_t *looked = &linting->looked;
	knot_rrset_t rrset;
	uint16_t kind;
	if (looked->code != MAIL_LOOKUP_FOUND ||
	    mail_view_rrset(&looked->view, &looked->place.node, KNOT_RRTYPE_TXT, looked->name, NULL,
	                    &rrset, &kind, NULL) != KNOT_EOK) {
		return;
	}
	bool serves = false;
	knot_rdata_t *rdata = rrset.rrs.rdata;
	for (uint16_t i = 0; i < rrset.rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		serves |= text_serves(rdata, dkim);
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
	if (!serves && !is_said(linting, of, shown)) {
		mail_lint_warn(linting, of, "%s has a TXT record, but none is a %s record", shown,
		               dkim ? "DKIM" : "DMARC");
	}
}

int mail_lint_target(mail_linting_t *linting, const mail_linted_t *of, const knot_dname_t *name)
{
	mail_looked_t *looked = &linting->looked;
	const mail_want_t want = want_of(of);
	const bool relative = of->row->rdata.holes;
	if (*name == 0 || mail_lint_varies(linting, name)) {
		return KNOT_EOK;
	}
	mail_lint_note(linting, name);
	int ret = mail_lookup(&linting->at, name, want, looked);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool canonical = !looked->alias || !wants_canonical(of->row->type);
	const bool top = looked->code == MAIL_LOOKUP_ELSEWHERE && canonical &&
	                 knot_dname_labels(name, NULL) == 1;
	const bool good = canonical && !top &&
	                  (looked->code == MAIL_LOOKUP_FOUND ||
	                   looked->code == MAIL_LOOKUP_ELSEWHERE);
	if (good && want != MAIL_WANT_TXT) {
		return KNOT_EOK;
	}

	mail_buf_t shown = { 0 }, fault = { 0 };
	const char *text = mail_lint_show(linting, name, relative, &shown);
	if (good) {
		const bool dkim = of->row->kind == MAIL_KIND_DKIM_CNAME ||
		                  mail_lf_in(of->owner->name, MAIL_DOMAINKEY);
		text_look(linting, of, dkim, text);
		mail_buf_free(&shown);
		return KNOT_EOK;
	}
	if (is_said(linting, of, text)) {
		/* Once is enough. */
	} else if (looked->code == MAIL_LOOKUP_LOOP) {
		mail_lint_warn(linting, of, "%s leads in a circle of aliases", text);
	} else if (top) {
		mail_lint_warn(
			linting, of,
			"%s is a name at the top: did you mean %.*s, without the dot at its end?",
			text, (int)strlen(text) - 1, text);
	} else {
		fault_write(linting, of, want, &fault);
		if (!dot_write(linting, name, text, relative, &fault) && canonical &&
		    want == MAIL_WANT_ADDRESS && in_own_domain(linting)) {
			(void)mail_buf_str(&fault, ": make a host of this name (kmailctl "
			                           "host-set), and name it in the item host");
		}
		mail_lint_warn(linting, of, "%s %.*s", text, (int)fault.len,
		               (const char *)fault.data);
	}
	mail_buf_free(&shown);
	mail_buf_free(&fault);
	return ret;
}

/*! Return whether the MX record that was found says that there is no mail (RFC 7505). */
static bool is_null_mx(mail_looked_t *looked, const knot_dname_t *name)
{
	knot_rrset_t rrset;
	uint16_t kind;
	if (looked->code != MAIL_LOOKUP_FOUND ||
	    mail_view_rrset(&looked->view, &looked->place.node, KNOT_RRTYPE_MX, name, NULL, &rrset,
	                    &kind, NULL) != KNOT_EOK) {
		return false;
	}
	const bool null = *knot_mx_name(rrset.rrs.rdata) == 0;
	knot_rdataset_clear(&rrset.rrs, NULL);
	return null;
}

static int report_look(mail_linting_t *linting, const mail_linted_t *of, mail_str_t host)
{
	mail_looked_t *looked = &linting->looked;
	knot_dname_storage_t name;
	if (mail_lint_name(linting, host, name) != KNOT_EOK || mail_lint_varies(linting, name)) {
		return KNOT_EOK;
	}
	int ret = mail_lookup(&linting->at, name, MAIL_WANT_MAIL, looked);
	if (ret != KNOT_EOK || looked->code == MAIL_LOOKUP_ELSEWHERE) {
		return ret;
	}
	const bool null = is_null_mx(looked, name);
	if (looked->code == MAIL_LOOKUP_FOUND && !null) {
		return KNOT_EOK;
	}
	mail_buf_t shown = { 0 }, fault = { 0 };
	const char *text = mail_lint_show(linting, name, false, &shown);
	if (null) {
		(void)mail_buf_str(&fault, "takes no mail");
	} else if (looked->code == MAIL_LOOKUP_LOOP) {
		(void)mail_buf_str(&fault, "leads in a circle of aliases");
	} else {
		fault_write(linting, of, MAIL_WANT_MAIL, &fault);
	}
	if (!is_said(linting, of, text)) {
		mail_lint_warn(linting, of, "reports go to %s, which %.*s", text, (int)fault.len,
		               (const char *)fault.data);
	}
	mail_buf_free(&shown);
	mail_buf_free(&fault);
	return KNOT_EOK;
}

int mail_lint_reports(mail_linting_t *linting, const mail_linted_t *of, mail_str_t text)
{
	mail_str_t part, tag, value, host;
	for (size_t pos = 0; mail_str_piece(text, ';', &pos, &part);) {
		if (!mail_str_tag(part, &tag, &value) ||
		    !(mail_str_is(tag, "rua") || mail_str_is(tag, "ruf"))) {
			continue;
		}
		for (size_t at = 0; mail_dmarc_report_next(value, &at, &host);) {
			int ret = report_look(linting, of, host);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

int mail_lint_owner(mail_linting_t *linting, const mail_linted_t *of)
{
	const uint16_t kind = of->row->kind;
	mail_buf_t shown = { 0 };
	knot_dname_storage_t name;
	if (of->absolute || (kind != MAIL_KIND_RECORD && kind != MAIL_KIND_DELEGATION) ||
	    !mail_lint_lacks_dot(linting->at.source, of->owner->name, false) ||
	    mail_name_from_lf(of->owner->name, name) != KNOT_EOK) {
		return KNOT_EOK;
	}
	(void)mail_name_print(name, &shown);
	(void)mail_buf_u8(&shown, '\0');
	const char *text = (const char *)shown.data;
	if (shown.error == KNOT_EOK && !is_said(linting, of, text)) {
		mail_lint_warn(linting, of,
		               "without a dot at its end the owner is %s.%s: did you mean %s.?",
		               text, linting->text, text);
	}
	const int ret = shown.error;
	mail_buf_free(&shown);
	return ret;
}
