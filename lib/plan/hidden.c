/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that nobody can ask for: a delegation, a DNAME or another stored domain stands above them.
 */
#include "config.h"

#include <stdio.h>

#include "mail/kind.h"
#include "plan/build.h"

static const mail_row_t *owner_row(const mail_owner_t *owner, uint16_t type)
{
	for (size_t i = 0; owner != NULL && i < owner->count; i++) {
		if (owner->rows[i].type == type) {
			return &owner->rows[i];
		}
	}
	return NULL;
}

/*! Return the NS or DNAME that an owner hides a name with. \param below The name is below the owner's. */
static const mail_row_t *owner_hides(const mail_owner_t *owner, bool below, mail_hides_t *kind)
{
	const mail_row_t *row = owner_row(owner, KNOT_RRTYPE_NS);
	*kind = MAIL_HIDES_DELEGATION;
	if (row == NULL && below) {
		row = owner_row(owner, KNOT_RRTYPE_DNAME);
		*kind = MAIL_HIDES_DNAME;
	}
	return row;
}

/*! Return the length of a name up to the end of the label that begins at `start`. */
static size_t label_end(mail_lf_t name, size_t start)
{
	const uint8_t *dot = memchr(name.data + start, 0, name.len - start);
	return dot != NULL ? (size_t)(dot - name.data) : name.len;
}

/*! Find what hides a name among the rows of a plan. \param apex The domain; NULL: the name is in another one. */
static bool plan_hides(const mail_plan_t *plan, const mail_lf_t *apex, mail_lf_t name,
                       mail_hider_t *hider)
{
	/* From the domain down, as a question goes. */
	for (size_t len = apex != NULL ? apex->len : 0; len < name.len;) {
		len = label_end(name, len + (len > 0));
		const mail_lf_t at = { name.data, len };
		hider->row = owner_hides(mail_owners_find(&plan->absolute, at, NULL),
		                         len < name.len, &hider->kind);
		if (hider->row == NULL && apex != NULL) {
			const mail_lf_t relative = mail_lf_relative(at, *apex);
			hider->row = owner_hides(mail_owners_find(&plan->relative, relative, NULL),
			                         len < name.len, &hider->kind);
		}
		if (hider->row != NULL) {
			mail_lf_copy(at, &hider->at);
			return true;
		}
	}
	hider->kind = MAIL_HIDES_NOT;
	return false;
}

bool mail_hider_find(const mail_source_t *source, const mail_plan_t *plan, mail_lf_t apex,
                     mail_lf_t name, mail_hider_t *hider)
{
	*hider = (mail_hider_t){ .kind = MAIL_HIDES_NOT };
	mail_lf_t above;
	mail_domain_t domain;
	if (source != NULL && name.len > apex.len &&
	    source->domain_above(source, name, &above, &domain) == KNOT_EOK &&
	    above.len > apex.len) {
		hider->kind = MAIL_HIDES_DOMAIN;
		mail_lf_copy(above, &hider->at);
		return true;
	}
	return plan_hides(plan, &apex, name, hider);
}

int mail_hider_print(const mail_hider_t *hider, mail_lf_t apex, mail_buf_t *out)
{
	static const char *const names[] = {
		[MAIL_HIDES_NOT] = "nothing",
		[MAIL_HIDES_DELEGATION] = "the delegation of",
		[MAIL_HIDES_DNAME] = "the DNAME at",
		[MAIL_HIDES_DOMAIN] = "the stored domain",
	};
	knot_dname_storage_t name;
	(void)mail_buf_printf(out, "%s ", names[hider->kind]);
	const mail_lf_t at = mail_lf(&hider->at);
	/* A stored domain is told by its own name. */
	const bool relative = hider->kind != MAIL_HIDES_DOMAIN && mail_lf_below(at, apex);
	if (mail_name_from_lf(relative ? mail_lf_relative(at, apex) : at, name) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	return mail_name_print(name, out);
}

const mail_owner_t *mail_owners_below(const mail_owners_t *owners, mail_lf_t name)
{
	size_t at = 0;
	(void)mail_owners_find(owners, name, &at);
	return at < owners->count && mail_lf_in(owners->owners[at].name, name) ? &owners->owners[at]
	                                                                       : NULL;
}

/* --- The check of a plan --- */

/*! The check of a plan's owners, one after the other. */
typedef struct {
	mail_build_t *build;
	const mail_source_t
		*source;        /*!< NULL: the plan is a policy's, or has no stored domain below. */
	mail_hider_t hider;     /*!< Of the owner at hand. */
	mail_lf_storage_t told; /*!< Hider that a warning was about. */
} hiding_t;

/*! Return whether a name is that of a name server of the plan, whose address is then seen as glue. */
static bool is_server(const mail_build_t *build, mail_lf_t name)
{
	const mail_owners_t *owners = &build->plan->relative;
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const mail_row_t *row = &owners->owners[i].rows[j];
			uint8_t target[KNOT_DNAME_MAXLEN];
			mail_lf_storage_t lf;
			if (row->type != KNOT_RRTYPE_NS ||
			    mail_rdata_fill(&row->rdata, &build->apex, target, sizeof(target)) <
			            0) {
				continue;
			}
			mail_name_lf(target, &lf);
			if (mail_lf_equal(mail_lf(&lf), name)) {
				return true;
			}
		}
	}
	return false;
}

/*! Return whether a row is seen though its owner is hidden. */
static bool row_seen(const hiding_t *hiding, const mail_row_t *row, mail_lf_t name)
{
	const bool cut = hiding->hider.kind == MAIL_HIDES_DELEGATION;
	if (cut && mail_lf_equal(name, mail_lf(&hiding->hider.at)) &&
	    (row->type == KNOT_RRTYPE_NS || row->type == KNOT_RRTYPE_DS)) {
		return true;
	}
	const bool address = row->type == KNOT_RRTYPE_A || row->type == KNOT_RRTYPE_AAAA;
	/* The SPF that every host has by itself is no loss. */
	return cut && (address || row->kind == MAIL_KIND_HELO_SPF) &&
	       is_server(hiding->build, name);
}

/*!
 * Return whether who hides a row may have meant to: a domain, and the row is one that its policy has for all. A stored
 * domain below may be somebody else's, and must not keep this one from being written.
 */
static bool is_override(const hiding_t *hiding, const mail_setting_t *origin)
{
	const mail_build_t *build = hiding->build;
	if (hiding->hider.kind == MAIL_HIDES_DOMAIN) {
		return true;
	}
	return build->profile->domain.len > 0 && !mail_build_own(build, origin) &&
	       mail_build_own(build, mail_build_origin(build, hiding->hider.row));
}

static int row_hidden(hiding_t *hiding, const mail_owner_t *owner, const mail_row_t *row)
{
	const mail_build_t *build = hiding->build;
	const mail_setting_t *origin = mail_build_origin(build, row);
	char text[sizeof(build->diag->text)], what[KNOT_DNAME_TXT_MAXLEN + 32];
	mail_buf_t hider = MAIL_BUF_FIXED((uint8_t *)what, sizeof(what));
	(void)mail_hider_print(&hiding->hider, mail_lf(&build->top), &hider);
	if (mail_build_old(build, row) && hiding->hider.row != NULL &&
	    mail_build_old(build, hiding->hider.row)) {
		return KNOT_EOK;
	}
	if (!is_override(hiding, origin)) {
		(void)snprintf(text, sizeof(text),
		               "nobody can see it, because %.*s hides it: remove one of them",
		               (int)hider.len, what);
		return mail_build_row_bad(hiding->build, owner, row, text);
	}
	/* What is built in has nobody asked for. */
	const bool built_in = origin != NULL && origin->layer == 0;
	if (built_in || mail_lf_equal(mail_lf(&hiding->told), mail_lf(&hiding->hider.at))) {
		return KNOT_EOK;
	}
	mail_lf_copy(mail_lf(&hiding->hider.at), &hiding->told);
	char name[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)name, sizeof(name));
	mail_owner_print(owner->name, &buf);
	mail_diag_warn(build->diag, "%.*s hides what the %s has there: %s at %.*s", (int)hider.len,
	               what, mail_build_own(build, origin) ? "domain" : "policy",
	               mail_kinds[row->kind].name, (int)buf.len, name);
	return KNOT_EOK;
}

static int owner_hidden(hiding_t *hiding, const mail_owner_t *owner, bool absolute)
{
	const mail_build_t *build = hiding->build;
	mail_lf_storage_t whole;
	const mail_lf_t top = mail_lf(&build->top);
	if (mail_lf_join(absolute ? (mail_lf_t){ NULL, 0 } : top, owner->name, &whole) !=
	    KNOT_EOK) {
		return KNOT_EOK;
	}
	const mail_lf_t name = mail_lf(&whole);
	/* An absolute host in a stored domain is there for that one. */
	hiding->hider = (mail_hider_t){ .kind = MAIL_HIDES_NOT };
	bool hidden;
	if (absolute) {
		const mail_lf_t *apex = mail_lf_below(name, top) ? &top : NULL;
		hidden = plan_hides(build->plan, apex, name, &hiding->hider);
	} else {
		hidden = mail_hider_find(hiding->source, build->plan, top, name, &hiding->hider);
	}
	if (!hidden) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < owner->count; i++) {
		const mail_row_t *row = &owner->rows[i];
		int ret = row_seen(hiding, row, name) ? KNOT_EOK : row_hidden(hiding, owner, row);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Return where stored domains below the plan's are looked for; NULL: there are none. */
static const mail_source_t *children_source(const mail_build_t *build)
{
	const mail_source_t *source = build->profile->source;
	mail_lf_storage_t next;
	if (build->profile->domain.len == 0) {
		return NULL;
	}
	int ret = source->domain_seek(source, mail_lf(&build->top), MAIL_SEEK_AFTER, &next, NULL);
	const bool found = ret == KNOT_EOK || ret == KNOT_ELIMIT;
	return found && mail_lf_below(mail_lf(&next), mail_lf(&build->top)) ? source : NULL;
}

int mail_plan_check_hidden(mail_build_t *build)
{
	hiding_t hiding = { .build = build, .source = children_source(build) };
	const mail_owners_t *sets[] = { &build->plan->relative, &build->plan->absolute };
	/* An absolute DNAME of a policy hides what lies in whatever domain it is in: cuts knows of it. */
	if (!build->plan->cuts && hiding.source == NULL) {
		return KNOT_EOK;
	}
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < sets[i]->count; j++) {
			int ret = owner_hidden(&hiding, &sets[i]->owners[j], i == 1);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}
