/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rendered answer is for domains that are like the first one, as far as it matters: they have as much in common with the
 * other names in the answer (render.c), and what they set themselves is elsewhere.
 *
 *     other names        mx.provider.net, ns.provider.net
 *     first domain       shop.net          above: net       strangers: provider    so all below net, not below provider.net
 *     first domain       shop.example      above: (root)    strangers: net         so all that are not below net
 */
#include "config.h"

#include "answer/render_scope.h"

void mail_render_scope_begin(mail_render_scope_t *scope, mail_lf_t domain, uint16_t qtype)
{
	scope->domain = domain;
	/* An alias, or a cut, changes all. */
	scope->always = mail_type_bit(qtype) | mail_type_bit(KNOT_RRTYPE_CNAME) |
	                mail_type_bit(KNOT_RRTYPE_DNAME);
	scope->name_count = scope->look_count = 0;
}

bool mail_render_scope_name(mail_render_scope_t *scope, mail_lf_t name)
{
	if (scope->name_count == MAIL_RENDER_NAMES_MAX) {
		return false;
	}
	mail_lf_copy(name, &scope->names[scope->name_count++]);
	return true;
}

bool mail_render_scope_look(mail_render_scope_t *scope, mail_lf_t name, uint64_t types)
{
	/* Who reports to a domain is the affair of other domains. */
	if (scope->look_count == MAIL_RENDER_LOOKS_MAX || mail_lf_in(name, MAIL_REPORT)) {
		return false;
	}
	mail_lf_copy(name, &scope->looked[scope->look_count]);
	scope->looks[scope->look_count].types = types | scope->always;
	scope->look_count++;
	return true;
}

/* --- Other names --- */

static size_t common_labels(mail_lf_t a, mail_lf_t b)
{
	size_t n = 0, labels = 0;
	while (n < a.len && n < b.len && a.data[n] == b.data[n]) {
		labels = a.data[n] == 0 ? n : labels;
		n++;
	}
	const bool whole = (n == a.len || a.data[n] == 0) && (n == b.len || b.data[n] == 0);
	return whole ? n : labels;
}

/*! Lower the domains that the answer is for by a name that does not depend on the domain: what it has in common. */
static bool note_above(const mail_render_scope_t *scope, mail_rendered_t *out, mail_lf_t name)
{
	const size_t common = common_labels(name, scope->domain);
	if (common > out->above.len) {
		out->above.len = common;
	}
	return common < scope->domain.len;
}

/*! The same: what it has not. */
static bool note_stranger(const mail_render_scope_t *scope, mail_rendered_t *out, mail_lf_t name)
{
	(void)scope;
	if (!mail_lf_below(name, out->above)) {
		return true;
	}
	mail_lf_t label = mail_lf_relative(name, out->above);
	const uint8_t *end = memchr(label.data, 0, label.len);
	label.len = end != NULL ? (size_t)(end - label.data) : label.len;
	for (size_t i = 0; i < out->stranger_count; i++) {
		if (mail_lf_equal(out->strangers[i], label)) {
			return true;
		}
	}
	if (out->stranger_count == MAIL_RENDER_STRANGERS_MAX) {
		return false;
	}
	out->strangers[out->stranger_count++] = label;
	return true;
}

static bool names_end(const mail_render_scope_t *scope, const mail_owners_t *absolute,
                      mail_rendered_t *out)
{
	static bool (*const notes[])(const mail_render_scope_t *, mail_rendered_t *,
	                             mail_lf_t) = { note_above, note_stranger };
	out->above = (mail_lf_t){ scope->domain.data, 0 };
	for (size_t turn = 0; turn < sizeof(notes) / sizeof(notes[0]); turn++) {
		for (size_t i = 0; i < scope->name_count; i++) {
			if (!notes[turn](scope, out, mail_lf(&scope->names[i]))) {
				return false;
			}
		}
		/* Hosts with names of their own are found in the domain that they lie in. */
		for (size_t i = 0; i < absolute->count; i++) {
			if (!notes[turn](scope, out, absolute->owners[i].name)) {
				return false;
			}
		}
	}
	return true;
}

/* --- Names that were looked at --- */

/*! Return the kinds of an owner's rows. */
static mail_kinds_t owner_kinds(const mail_owner_t *owner)
{
	mail_kinds_t kinds = 0;
	for (size_t i = 0; i < owner->count; i++) {
		kinds |= MAIL_KIND_BIT(owner->rows[i].kind);
	}
	return kinds;
}

/*! Return the kinds of all rows at and below a name. */
static mail_kinds_t kinds_below(const mail_owners_t *owners, mail_lf_t name)
{
	mail_kinds_t kinds = 0;
	for (size_t i = 0; i < owners->count; i++) {
		if (mail_lf_in(owners->owners[i].name, name)) {
			kinds |= owner_kinds(&owners->owners[i]);
		}
	}
	return kinds;
}

/*! Return the owner of the plan at a name, if it is shown for ever, so that the walk to the name ends there. */
static const mail_owner_t *owner_at(const mail_view_t *view, mail_lf_t name)
{
	const mail_owner_t *owner = mail_owners_find(&view->plan->relative, name, NULL);
	return owner != NULL && view->now >= owner->steady ? owner : NULL;
}

/*!
 * What the domain has at a name of the plan does not matter but for the types that were looked for. Of another name it
 * matters whatever is below the same first label, and a wildcard.
 */
static bool looks_end(mail_render_scope_t *scope, const mail_view_t *view, mail_rendered_t *out)
{
	bool wildcard = false;
	for (size_t i = 0; i < scope->look_count; i++) {
		mail_render_look_t *look = &scope->looks[i];
		look->name = mail_lf(&scope->looked[i]);
		out->keyless |= mail_lf_in(look->name, MAIL_DOMAINKEY);
		const mail_owner_t *owner = owner_at(view, look->name);
		look->below = owner == NULL && look->name.len > 0;
		if (owner != NULL) {
			out->kinds |= owner_kinds(owner);
		}
		if (!look->below) {
			continue;
		}
		const uint8_t *dot = memchr(look->name.data, 0, look->name.len);
		look->name.len = dot != NULL ? (size_t)(dot - look->name.data) : look->name.len;
		/* What exists only because of names below must not be hidden. */
		out->kinds |= kinds_below(&view->plan->relative, look->name);
		if (!wildcard && !mail_render_scope_look(scope, MAIL_LF("*"), 0)) {
			return false;
		}
		wildcard = true;
	}
	out->looks = scope->looks;
	out->look_count = scope->look_count;
	return true;
}

bool mail_render_scope_end(mail_render_scope_t *scope, const mail_view_t *view,
                           mail_rendered_t *out)
{
	return names_end(scope, &view->plan->absolute, out) && looks_end(scope, view, out);
}

int64_t mail_render_scope_until(const mail_view_t *view, uint32_t ttl)
{
	int64_t until = INT64_MAX;
	for (size_t i = 0; i < view->plan->step_count; i++) {
		mail_until_min(&until, view->plan->steps[i], view->now);
	}
	return until != INT64_MAX ? until - ttl : until;
}
