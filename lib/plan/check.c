/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What cannot stand in a plan: data beside a CNAME, two SPF records, names that lead to nothing.
 */
#include "config.h"

#include <stdio.h>

#include "mail/kind.h"
#include "plan/build.h"

/*! Return what two rows of one owner have against each other; NULL: nothing. */
static const char *row_conflict(const mail_row_t *a, const mail_row_t *b, bool apex)
{
	if (!mail_rows_overlap(a, b)) {
		return NULL;
	}
	const bool a_cname = a->type == KNOT_RRTYPE_CNAME, b_cname = b->type == KNOT_RRTYPE_CNAME;
	if (a_cname && b_cname) {
		return "two CNAMEs";
	}
	if (a_cname || b_cname) {
		return "a CNAME beside other data";
	}
	if (a->type != b->type || a->kind == b->kind) {
		return NULL;
	}
	if (a->kind == MAIL_KIND_RECORD || b->kind == MAIL_KIND_RECORD) {
		return apex && a->type == KNOT_RRTYPE_TXT
		               ? "a literal TXT record where SPF and txt are made"
		               : "a literal record of a type that is made there";
	}
	return NULL;
}

void mail_owner_print(mail_lf_t relative, mail_buf_t *out)
{
	knot_dname_storage_t name;
	if (relative.len == 0) {
		(void)mail_buf_str(out, "@");
	} else if (mail_name_from_lf(relative, name) == KNOT_EOK) {
		(void)mail_name_print(name, out);
	}
}

/*! Note the line that a row came from. */
static void line_note(mail_build_t *build, const mail_row_t *row)
{
	const mail_setting_t *setting = mail_build_origin(build, row);
	if (setting != NULL && setting->line != 0) {
		build->diag->line = setting->line;
	}
}

int mail_build_row_bad(mail_build_t *build, const mail_owner_t *owner, const mail_row_t *row,
                       const char *what)
{
	char name[KNOT_DNAME_TXT_MAXLEN + 1], type[16] = "", reason[sizeof(build->diag->text)];
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)name, sizeof(name));
	mail_owner_print(owner->name, &text);
	(void)knot_rrtype_to_string(row->type, type, sizeof(type));
	(void)snprintf(reason, sizeof(reason), "%s", what);
	line_note(build, row);
	return mail_diag_error(build->diag, 0, "%s: %.*s %s: %s", mail_kinds[row->kind].name,
	                       (int)text.len, name, type, reason);
}

/*! Return what to type about a record that is made where a literal one stands; NULL: nothing in few words. */
static const char *kind_remedy(const mail_row_t *made)
{
	if (made->kind >= MAIL_KIND_SRV && made->kind < MAIL_KIND_AUTOCONFIG) {
		return "write it as srv, or take away the made record with srv=none";
	}
	switch (made->kind) {
	case MAIL_KIND_SOA:
	case MAIL_KIND_NS: return "every domain has its own SOA and NS";
	case MAIL_KIND_MX: return "write it as mx";
	case MAIL_KIND_SPF: return "write its terms as spf, and any other text as txt";
	case MAIL_KIND_TXT: return "write it as txt";
	case MAIL_KIND_DMARC: return "dmarc=none takes away the made record";
	case MAIL_KIND_MTA_STS: return "mta-sts=off takes away the made record";
	case MAIL_KIND_MTA_STS_HOST: return "mta-sts-host=none takes away the made record";
	case MAIL_KIND_TLS_RPT: return "tls-rpt=none takes away the made record";
	case MAIL_KIND_AUTOCONFIG: return "autoconfig=none takes away the made record";
	case MAIL_KIND_AUTODISCOVER: return "autodiscover=none takes away the made record";
	case MAIL_KIND_BIMI: return "bimi=none takes away the made record";
	case MAIL_KIND_CAA: return "write it as caa, or take away the made record with caa=none";
	case MAIL_KIND_DKIM:
	case MAIL_KIND_DKIM_CNAME: return "kmailctl dkim-unset takes away the made record";
	case MAIL_KIND_A:
	case MAIL_KIND_AAAA:
	case MAIL_KIND_TLSA:
	case MAIL_KIND_HELO_SPF:
		return "this is the name of a host: change the host (kmailctl host-set), or take "
		       "another name";
	default: return NULL;
	}
}

/*! Return what to type about two rows that clash; NULL: it is plain, or nobody knows. */
static const char *clash_remedy(const mail_row_t *a, const mail_row_t *b)
{
	const bool a_literal = a->kind == MAIL_KIND_RECORD || a->kind == MAIL_KIND_DELEGATION;
	const bool b_literal = b->kind == MAIL_KIND_RECORD || b->kind == MAIL_KIND_DELEGATION;
	if (a_literal && b_literal) {
		return NULL;
	}
	if (a_literal || b_literal) {
		return kind_remedy(a_literal ? b : a);
	}
	/* Of two that are made, an alias is easily spared. */
	if (a->type == KNOT_RRTYPE_CNAME || b->type == KNOT_RRTYPE_CNAME) {
		return kind_remedy(a->type == KNOT_RRTYPE_CNAME ? a : b);
	}
	return NULL;
}

/*! Note a conflict: an error for writers; for readers only what a CNAME does not settle. */
static int conflict_note(mail_build_t *build, const mail_owner_t *owner, const mail_row_t *row,
                         const char *what, const char *remedy)
{
	/* Who only asks needs no remedy. */
	const bool tell = build->strict && remedy != NULL;
	char name[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)name, sizeof(name));
	mail_owner_print(owner->name, &text);
	int ret = mail_diag_error(build->diag, 0, "%s: %s at %.*s%s%s", mail_kinds[row->kind].name,
	                          what, (int)text.len, name, tell ? ": " : "", tell ? remedy : "");
	if (build->strict) {
		line_note(build, row);
		return ret;
	}
	build->plan->error = KNOT_ESEMCHECK;
	(void)snprintf(build->plan->reason, sizeof(build->plan->reason), "%s", build->diag->text);
	return KNOT_EOK;
}

static bool row_is_spf(const mail_row_t *row)
{
	return row->kind == MAIL_KIND_SPF || row->kind == MAIL_KIND_HELO_SPF;
}

static unsigned spf_overlapping(const mail_owner_t *owner, const mail_row_t *row)
{
	unsigned count = 0;
	for (size_t i = 0; i < owner->count; i++) {
		count += row_is_spf(&owner->rows[i]) && mail_rows_overlap(row, &owner->rows[i]);
	}
	return count;
}

const char *mail_owners_clash(const mail_owner_t *absolute, const mail_owner_t *relative, bool apex,
                              const mail_row_t **row)
{
	for (size_t i = 0; i < absolute->count; i++) {
		*row = &absolute->rows[i];
		for (size_t j = 0; j < relative->count; j++) {
			const mail_row_t *other = &relative->rows[j];
			if (mail_rows_same(*row, other)) {
				continue;
			}
			if (row_is_spf(*row) && row_is_spf(other) &&
			    mail_rows_overlap(*row, other)) {
				return "two SPF records";
			}
			const char *what = row_conflict(*row, other, apex);
			if (what == NULL) {
				what = mail_rows_clash(*row, other, NULL, absolute->name);
			}
			if (what != NULL) {
				return what;
			}
		}
	}
	return NULL;
}

static int owner_check(mail_build_t *build, const mail_owner_t *owner, bool apex)
{
	for (size_t i = 0; i < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i];
		if (apex && (row->type == KNOT_RRTYPE_CNAME || row->type == KNOT_RRTYPE_DNAME)) {
			return conflict_note(build, owner, row, "an alias of the whole domain",
			                     "it would take away the mail: write addresses, as "
			                     "\"@ A 192.0.2.1\"");
		}
		if (apex && row->kind == MAIL_KIND_DELEGATION && build->strict) {
			return conflict_note(build, owner, row,
			                     "a delegation, which is for a name below the domain,",
			                     "the domain's own name servers are the item ns");
		}
		if (row->kind == MAIL_KIND_HELO_SPF && spf_overlapping(owner, row) > 1) {
			return conflict_note(
				build, owner, row, "two SPF records",
				apex ? "the domain has its own there: kmailctl host-unset ID helo-spf"
				     : "the hosts of one name need the same helo-spf");
		}
		for (size_t j = i + 1; j < owner->count; j++) {
			const char *what = row_conflict(row, &owner->rows[j], apex);
			if (what == NULL && build->strict &&
			    !(mail_build_old(build, row) &&
			      mail_build_old(build, &owner->rows[j]))) {
				what = mail_rows_clash(row, &owner->rows[j], &build->apex,
				                       owner->name);
			}
			/* Readers: the CNAME wins, when the answer is made. */
			if (what != NULL && (build->strict || owner->rows[j].type == row->type)) {
				return conflict_note(build, owner, &owner->rows[j], what,
				                     clash_remedy(row, &owner->rows[j]));
			}
		}
	}
	return KNOT_EOK;
}

static bool owner_has(const mail_owner_t *owner, uint16_t type)
{
	for (size_t i = 0; i < owner->count; i++) {
		if (owner->rows[i].type == type) {
			return true;
		}
	}
	return false;
}

static int owners_check(mail_build_t *build, const mail_owners_t *owners, bool relative)
{
	for (size_t i = 0; i < owners->count; i++) {
		const mail_owner_t *owner = &owners->owners[i];
		const bool apex = relative && owner->name.len == 0;
		int ret = owner_check(build, owner, apex);
		if (ret != KNOT_EOK) {
			return ret;
		}
		build->plan->cuts |= !apex && (owner_has(owner, KNOT_RRTYPE_NS) ||
		                               owner_has(owner, KNOT_RRTYPE_DNAME));
		build->plan->hosted |= apex && owner_has(owner, KNOT_RRTYPE_SOA);
	}
	return KNOT_EOK;
}

/*! Warn of two ways to Autodiscover: Outlook takes the name first, and never comes to the SRV record. */
static void autodiscover_warn(mail_build_t *build)
{
	const mail_owners_t *owners = &build->plan->relative;
	if (mail_owners_find(owners, MAIL_LF("autodiscover"), NULL) != NULL &&
	    mail_owners_find(owners, MAIL_LF("_tcp\0_autodiscover"), NULL) != NULL) {
		mail_diag_warn(build->diag, "autodiscover: clients that find this name do not ask "
		                            "for the SRV record: leave out one of them");
	}
}

/*! For writers: what the rows say, and whether anybody can ask for them. */
static int contents_check(mail_build_t *build)
{
	const mail_owners_t *sets[] = { &build->plan->relative, &build->plan->absolute };
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < sets[i]->count; j++) {
			int ret = mail_owner_check(build, &sets[i]->owners[j], i == 1);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	autodiscover_warn(build);
	return mail_plan_check_hidden(build);
}

/*! Fill in the domain that the plan is checked as. */
static void apex_fill(mail_build_t *build)
{
	const mail_str_t domain = build->profile->domain;
	if (domain.len == 0 || mail_name_parse(domain, build->apex_name, NULL) != KNOT_EOK) {
		(void)mail_name_parse(MAIL_STR("domain.example"), build->apex_name, NULL);
	}
	build->apex = (mail_apex_t){ build->apex_name, MAIL_STR(MAIL_HOLE) };
	mail_name_lf(build->apex_name, &build->top);
}

/*!
 * Return what is wrong with a target that lies in the domain, so that it is refused; NULL: nothing. What is only risky is
 * looked at together with the rest of the store (lib/change/lint.c).
 */
static const char *target_fault(const mail_owner_t *owner, mail_item_id_t item)
{
	if (owner != NULL && owner_has(owner, KNOT_RRTYPE_CNAME)) {
		return "is an alias (RFC 2181 10.3)";
	}
	if (item == MAIL_ITEM_NS && (owner == NULL || !(owner_has(owner, KNOT_RRTYPE_A) ||
	                                                owner_has(owner, KNOT_RRTYPE_AAAA)))) {
		return "lies in the domain but is no host with an address";
	}
	return NULL;
}

static int targets_check(mail_build_t *build)
{
	for (size_t i = 0; i < build->target_count && build->strict; i++) {
		const mail_build_target_t *target = &build->targets[i];
		const mail_lf_t name = mail_lf(&target->name);
		const mail_owner_t *owner = mail_owners_find(&build->plan->relative, name, NULL);
		const char *fault = target_fault(owner, target->item);
		char text[KNOT_DNAME_TXT_MAXLEN + 1];
		mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
		if (fault == NULL) {
			continue;
		}
		mail_owner_print(name, &buf);
		if (owner == NULL && mail_lf_lacks_dot(name, true)) {
			(void)mail_diag_error(
				build->diag, 0,
				"%.*s %s: did you mean %.*s.? Without a dot at its end it "
				"is %.*s." MAIL_HOLE,
				(int)buf.len, text, fault, (int)buf.len, text, (int)buf.len, text);
		} else {
			(void)mail_diag_error(build->diag, 0, "%.*s %s", (int)buf.len, text, fault);
		}
		return mail_build_bad(build, target->item, target->setting, KNOT_EINVAL);
	}
	return KNOT_EOK;
}

/*! A name server below its own cut is found only through its address there: glue (RFC 1034 4.2.1). */
static int glue_check(mail_build_t *build, const mail_owner_t *owner)
{
	/* Any domain will do to see which name is meant. */
	static const uint8_t example[] = "\x07"
					 "example";
	const mail_apex_t apex = { example, { "example", 7 } };
	for (size_t i = 0; i < owner->count; i++) {
		uint8_t name[KNOT_DNAME_MAXLEN];
		mail_lf_storage_t lf;
		const mail_row_t *row = &owner->rows[i];
		if (row->type != KNOT_RRTYPE_NS ||
		    mail_rdata_fill(&row->rdata, &apex, name, sizeof(name)) < 0) {
			continue;
		}
		mail_name_lf(name, &lf);
		if (!mail_lf_below(mail_lf(&lf), MAIL_LF("example"))) {
			continue;
		}
		const mail_lf_t relative = mail_lf_relative(mail_lf(&lf), MAIL_LF("example"));
		if (!mail_lf_in(relative, owner->name)) {
			continue;
		}
		const mail_owner_t *host = mail_owners_find(&build->plan->relative, relative, NULL);
		if (host == NULL ||
		    !(owner_has(host, KNOT_RRTYPE_A) || owner_has(host, KNOT_RRTYPE_AAAA))) {
			return conflict_note(build, owner, row,
			                     "a name server below the delegation, "
			                     "without a record of its address,",
			                     NULL);
		}
	}
	return KNOT_EOK;
}

static int delegations_check(mail_build_t *build)
{
	const mail_owners_t *owners = &build->plan->relative;
	for (size_t i = 0; i < owners->count && build->strict; i++) {
		if (owners->owners[i].name.len == 0) {
			continue;
		}
		int ret = glue_check(build, &owners->owners[i]);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_plan_check(mail_build_t *build)
{
	if (build->strict) {
		apex_fill(build);
	}
	int ret = owners_check(build, &build->plan->relative, true);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = owners_check(build, &build->plan->absolute, false);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = targets_check(build);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = delegations_check(build);
	return ret == KNOT_EOK && build->strict ? contents_check(build) : ret;
}
