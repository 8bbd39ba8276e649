/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an SPF record costs a receiver, counted through the records of stored domains (RFC 7208 4.6.4): names elsewhere count
 * one, whatever they hold.  All terms count, as if none matched before the last.
 */
#include "config.h"

#include "change/lint.h"
#include "mail/chars.h"
#include "mail/spf.h"

/* RFC 7208 4.6.4 */
#define VOIDS_MAX 2
#define MX_MAX 10
/* More than this need not be counted. */
#define COUNT_MAX 100
/* Each level costs a lookup. */
#define DEPTH_MAX (MAIL_SPF_LOOKUPS_MAX + 2)

typedef struct {
	mail_linting_t *linting;
	const mail_linted_t *of;
	unsigned lookups, voids;
	bool broken;                          /*!< A permanent error was told of. */
	knot_dname_storage_t path[DEPTH_MAX]; /*!< Records that led to the one at hand, and that. */
	size_t depth;
} walk_t;

static int record_walk(walk_t *walk, mail_str_t text);

/*! Warn of what a term has; below the record itself that is the business of the other domain, but for the path. */
#define term_warn(walk, term, fmt, ...)                                                            \
	mail_lint_warn((walk)->linting, (walk)->of, "%.*s" fmt, MAIL_SHOW(term), ##__VA_ARGS__)

/*! Take the SPF record out of a TXT RRset. \return KNOT_EOK; KNOT_ENOENT; KNOT_ESEMCHECK: two of them; KNOT_ENOMEM. */
static int record_read(walk_t *walk, const knot_dname_t *name, mail_buf_t *out)
{
	mail_looked_t *looked = &walk->linting->looked;
	knot_rrset_t rrset;
	uint16_t kind;
	int ret = mail_view_rrset(&looked->view, &looked->place.node, KNOT_RRTYPE_TXT, name, NULL,
	                          &rrset, &kind, NULL);
	if (ret != KNOT_EOK) {
		return ret == KNOT_ENOMEM ? ret : KNOT_ENOENT;
	}
	unsigned records = 0;
	knot_rdata_t *rdata = rrset.rrs.rdata;
	for (uint16_t i = 0; i < rrset.rrs.count; i++, rdata = knot_rdataset_next(rdata)) {
		mail_buf_t text = { 0 };
		for (size_t at = 0; at < rdata->len; at += rdata->data[at] + 1u) {
			(void)mail_buf_put(&text, rdata->data + at + 1, rdata->data[at]);
		}
		if (mail_spf_is(mail_buf_view(&text))) {
			records++;
			out->len = 0;
			(void)mail_buf_put(out, text.data, text.len);
		}
		mail_buf_free(&text);
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
	if (out->error != KNOT_EOK) {
		return out->error;
	}
	if (records == 0) {
		return KNOT_ENOENT;
	}
	return records == 1 ? KNOT_EOK : KNOT_ESEMCHECK;
}

/*! Return whether a record led to the one at hand, or is that. */
static bool is_on_path(const walk_t *walk, const knot_dname_t *name)
{
	for (size_t i = 0; i < walk->depth; i++) {
		if (knot_dname_is_case_equal(walk->path[i], name)) {
			return true;
		}
	}
	return false;
}

/*! A permanent error: once for a record, with the term of the record itself that leads there. */
static void broken_say(walk_t *walk, mail_str_t term, const char *what)
{
	mail_buf_t via = { 0 };
	if (!walk->broken && walk->depth > 1) {
		const char *shown = mail_lint_show(walk->linting, walk->path[walk->depth - 1],
		                                   false, &via);
		term_warn(walk, term, " in the record of %s, which is included, %s", shown, what);
	} else if (!walk->broken) {
		term_warn(walk, term, " %s", what);
	}
	walk->broken = true;
	mail_buf_free(&via);
}

/*! include and redirect: go on with the record there. */
static int other_walk(walk_t *walk, mail_str_t term, const knot_dname_t *name)
{
	static const char circle[] =
		"leads back to a record on the way: a circle, and so a permanent "
		"error (RFC 7208 4.6.4)";
	if (is_on_path(walk, name)) {
		if (walk->depth == 1) {
			return mail_lint_refuse(
				walk->linting, walk->of,
				"%.*s leads back to the record itself: a circle, and "
				"so a permanent error (RFC 7208 4.6.4)",
				MAIL_SHOW(term));
		}
		broken_say(walk, term, circle);
		return KNOT_EOK;
	}
	mail_looked_t *looked = &walk->linting->looked;
	int ret = mail_lookup(&walk->linting->at, name, MAIL_WANT_TXT, looked);
	if (ret != KNOT_EOK || looked->code == MAIL_LOOKUP_ELSEWHERE) {
		return ret;
	}
	mail_buf_t text = { 0 };
	ret = looked->code == MAIL_LOOKUP_FOUND ? record_read(walk, name, &text) : KNOT_ENOENT;
	if (ret == KNOT_EOK && walk->depth < DEPTH_MAX) {
		mail_lookup_copy(walk->path[walk->depth++], name);
		ret = record_walk(walk, mail_buf_view(&text));
		walk->depth--;
	} else if (ret == KNOT_ESEMCHECK) {
		broken_say(walk, term,
		           "leads to two SPF records: a permanent error (RFC 7208 4.5)");
		ret = KNOT_EOK;
	} else if (ret == KNOT_ENOENT) {
		broken_say(
			walk, term,
			"leads to a stored domain that has no SPF record there: a permanent error "
			"(RFC 7208 5.2)");
		ret = KNOT_EOK;
	}
	mail_buf_free(&text);
	return ret;
}

/*! RFC 7208 4.6.4: the hosts of an mx term are ten at most. */
static void exchanges_count(walk_t *walk, mail_str_t term, const knot_dname_t *name)
{
	mail_looked_t *looked = &walk->linting->looked;
	knot_rrset_t rrset;
	uint16_t kind;
	if (mail_view_rrset(&looked->view, &looked->place.node, KNOT_RRTYPE_MX, name, NULL, &rrset,
	                    &kind, NULL) != KNOT_EOK) {
		return;
	}
	if (rrset.rrs.count > MX_MAX) {
		broken_say(walk, term,
		           "has more than 10 hosts: a permanent error (RFC 7208 4.6.4)");
	}
	knot_rdataset_clear(&rrset.rrs, NULL);
}

/*! a, mx and exists: what is not there is a void lookup. */
static int host_walk(walk_t *walk, mail_str_t term, const mail_spf_term_t *read,
                     const knot_dname_t *name)
{
	mail_looked_t *looked = &walk->linting->looked;
	const mail_want_t want = read->does == MAIL_SPF_MX ? MAIL_WANT_MX : MAIL_WANT_ADDRESS;
	int ret = mail_lookup(&walk->linting->at, name, want, looked);
	if (ret != KNOT_EOK || looked->code == MAIL_LOOKUP_ELSEWHERE) {
		return ret;
	}
	if (looked->code == MAIL_LOOKUP_FOUND) {
		if (want == MAIL_WANT_MX) {
			exchanges_count(walk, term, name);
		}
		return KNOT_EOK;
	}
	walk->voids++;
	/* The addresses of a domain or of a host are often somebody else's business: one that finds nothing does no harm. */
	const bool bare = read->does == MAIL_SPF_A && read->domain.len == 0;
	if (walk->depth == 1 && !bare) {
		mail_buf_t shown = { 0 };
		const char *what = want == MAIL_WANT_MX ? "MX record" : "address";
		term_warn(walk, term, " finds nothing: %s has no %s",
		          mail_lint_show(walk->linting, name, false, &shown), what);
		mail_buf_free(&shown);
	}
	return KNOT_EOK;
}

static int term_walk(walk_t *walk, mail_str_t term, const mail_spf_term_t *read)
{
	knot_dname_storage_t name;
	walk->lookups++;
	if (read->macro || read->does == MAIL_SPF_PTR) {
		return KNOT_EOK;
	}
	if (read->domain.len == 0) {
		mail_lookup_copy(name, walk->path[walk->depth - 1]);
	} else if (mail_lint_name(walk->linting, read->domain, name) != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (mail_lint_varies(walk->linting, name)) {
		return KNOT_EOK;
	}
	mail_lint_note(walk->linting, name);
	if (read->does == MAIL_SPF_INCLUDE || read->does == MAIL_SPF_REDIRECT) {
		return read->domain.len > 0 ? other_walk(walk, term, name) : KNOT_EOK;
	}
	return host_walk(walk, term, read, name);
}

/*! Return whether a record has an `all`, beside which a redirect has no effect (RFC 7208 6.1). */
static bool has_all(mail_str_t text)
{
	mail_str_t word;
	for (size_t pos = 0; mail_str_word(text, &pos, &word);) {
		if (mail_spf_term_read(word).does == MAIL_SPF_EVERY) {
			return true;
		}
	}
	return false;
}

static int record_walk(walk_t *walk, mail_str_t text)
{
	const bool all = has_all(text);
	bool ended = false;
	mail_str_t word;
	size_t pos = 0;
	(void)mail_str_word(text, &pos, &word); /* v=spf1 */
	while (walk->lookups <= COUNT_MAX && mail_str_word(text, &pos, &word)) {
		const mail_spf_term_t read = mail_spf_term_read(word);
		ended |= read.does == MAIL_SPF_EVERY;
		if (ended || read.does == MAIL_SPF_OTHER ||
		    (read.does == MAIL_SPF_REDIRECT && all)) {
			continue;
		}
		int ret = term_walk(walk, word, &read);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Tell of terms that were stored before they were refused, or by somebody else. */
static void slips_look(const mail_linting_t *linting, const mail_linted_t *of, mail_str_t text)
{
	mail_str_t word;
	size_t pos = 0;
	(void)mail_str_word(text, &pos, &word);
	while (mail_str_word(text, &pos, &word)) {
		mail_diag_t diag = { 0 };
		if (mail_spf_slip_check(word, &diag) != KNOT_EOK) {
			mail_lint_warn(linting, of, "%s", diag.text);
		}
	}
}

/*! Warn of a term that stands twice: receivers pay for it twice. */
static void twice_look(const mail_linting_t *linting, const mail_linted_t *of, mail_str_t text)
{
	mail_str_t word, other;
	for (size_t pos = 0; mail_str_word(text, &pos, &word);) {
		bool twice = false;
		for (size_t next = pos; !twice && mail_str_word(text, &next, &other);) {
			twice = mail_str_same(word, other);
		}
		if (twice) {
			mail_lint_warn(linting, of, "%.*s stands twice: take one away",
			               MAIL_SHOW(word));
		}
	}
}

int mail_lint_spf(mail_linting_t *linting, const mail_linted_t *of, mail_str_t text)
{
	walk_t walk = { .linting = linting, .of = of, .depth = 1 };
	mail_lf_storage_t lf;
	if (of->absolute) {
		mail_lf_copy(of->owner->name, &lf);
	} else if (mail_lf_join(mail_lf(&linting->at.lf), of->owner->name, &lf) != KNOT_EOK) {
		return KNOT_EOK;
	}
	if (mail_name_from_lf(mail_lf(&lf), walk.path[0]) != KNOT_EOK) {
		return KNOT_EOK;
	}
	slips_look(linting, of, text);
	twice_look(linting, of, text);
	int ret = record_walk(&walk, text);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (walk.lookups > MAIL_SPF_LOOKUPS_MAX && !walk.broken) {
		mail_lint_warn(
			linting, of,
			"the record needs %s%u lookups, counted through the stored domains, and "
			"more than %d are a permanent error (RFC 7208 4.6.4)",
			walk.lookups > COUNT_MAX ? "more than " : "",
			walk.lookups > COUNT_MAX ? COUNT_MAX : walk.lookups, MAIL_SPF_LOOKUPS_MAX);
	}
	if (walk.voids > VOIDS_MAX) {
		mail_lint_warn(
			linting, of,
			"%u lookups find nothing, counted through the stored domains, and more "
			"than %d are a permanent error (RFC 7208 4.6.4)",
			walk.voids, VOIDS_MAX);
	}
	return KNOT_EOK;
}
