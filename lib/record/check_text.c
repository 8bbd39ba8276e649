/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TXT records that mail software reads, whoever wrote them.  A record is "tag=value; tag=value" with its version first,
 * but for SPF, which has words, and DKIM keys, which need no version.
 */
#include "config.h"

#include <stdio.h>

#include "record/check.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/dmarc.h"
#include "mail/encoding.h"
#include "mail/spf.h"
#include "record/bimi.h"
#include "record/mtasts.h"
#include "record/tlsrpt.h"

/* More tags than any of the records has. */
#define TAGS_MAX 32

/*! The tags of a record, behind its version. */
typedef struct {
	mail_str_t tags[TAGS_MAX]; /*!< "name=value" as written. */
	size_t count;
} tags_t;

static int spf_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
static int dkim_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
static int dmarc_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
static int mtasts_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
static int tlsrpt_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
static int bimi_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag);

static const struct {
	const char *name;
	const char *version; /*!< Value of v=; case counts. */
	bool spaced;         /*!< Blanks may stand around the "=" of the version. */
	const char *place;   /*!< Where readers look for it. */
	const char *twice;
	int (*check)(const tags_t *tags, mail_str_t text, mail_diag_t *diag);
} kinds[MAIL_TEXT_COUNT] = {
	[MAIL_TEXT_SPF] = { "SPF", "spf1", false, NULL,
	                    "two SPF records, with which receivers refuse mail (RFC 7208 4.5),",
	                    spf_check },
	[MAIL_TEXT_DKIM] = { "DKIM", "DKIM1", true, "SELECTOR._domainkey",
	                     "two DKIM keys with one selector (RFC 6376 3.6.2.2)", dkim_check },
	[MAIL_TEXT_DMARC] = { "DMARC", "DMARC1", true, "_dmarc",
	                      "two DMARC records, with which there is none (RFC 9989 4.10),",
	                      dmarc_check },
	[MAIL_TEXT_MTA_STS] = { "MTA-STS", "STSv1", false, "_mta-sts",
	                        "two MTA-STS records, with which there is none (RFC 8461 3.1),",
	                        mtasts_check },
	[MAIL_TEXT_TLS_RPT] = { "TLS-RPT", "TLSRPTv1", false, "_smtp._tls",
	                        "two TLS-RPT records, with which there is none (RFC 8460 3),",
	                        tlsrpt_check },
	[MAIL_TEXT_BIMI] = { "BIMI", "BIMI1", true, "SELECTOR._bimi", "two BIMI records",
	                     bimi_check },
};

/* --- Places and versions --- */

/*! Return the last label of a name and take it off: the leftmost one of the name as people write it. */
static mail_str_t label_take(mail_lf_t *name)
{
	const mail_lf_t parent = mail_lf_parent(*name), last = mail_lf_relative(*name, parent);
	const mail_str_t label = { (const char *)last.data, last.len };
	*name = parent;
	return label;
}

/*! Return what readers expect at a name. */
static mail_text_kind_t place_of(mail_lf_t owner)
{
	const mail_str_t first = label_take(&owner);
	mail_lf_t rest = owner;
	const mail_str_t second = label_take(&rest);
	if (mail_str_is(first, "_dmarc")) {
		return MAIL_TEXT_DMARC;
	}
	if (mail_str_is(first, "_mta-sts")) {
		return MAIL_TEXT_MTA_STS;
	}
	if (mail_str_is(first, "_smtp") && mail_str_is(second, "_tls")) {
		return MAIL_TEXT_TLS_RPT;
	}
	if (mail_str_is(second, "_bimi")) {
		return MAIL_TEXT_BIMI;
	}
	if (mail_str_is(second, "_domainkey") &&
	    (mail_str_is(first, "_adsp") || mail_str_is(first, "_report"))) {
		return MAIL_TEXT_OTHER; /* RFC 5617 4.1, RFC 6651 3.1: no keys. */
	}
	while (owner.len > 0) {
		if (mail_str_is(label_take(&owner), "_domainkey")) {
			return MAIL_TEXT_DKIM;
		}
	}
	return MAIL_TEXT_OTHER;
}

/*! Return whether a name is one at which a domain consents to reports (RFC 9990 3). */
static bool is_consent(mail_lf_t owner)
{
	while (owner.len > 0) {
		if (mail_str_is(label_take(&owner), "_report")) {
			return true;
		}
	}
	return false;
}

/*! Take the value of v= out of a text, of which it is the first tag. \return false: it has none there. */
static bool version_of(mail_str_t text, bool spaced, mail_str_t *version)
{
	mail_str_t first, name;
	size_t pos = 0;
	if (!spaced && !mail_str_starts(text, "v=")) {
		return false;
	}
	return mail_str_piece(text, ';', &pos, &first) && mail_str_tag(first, &name, version) &&
	       mail_str_is(name, "v");
}

static bool has_version(mail_text_kind_t kind, mail_str_t text)
{
	mail_str_t version;
	if (kind == MAIL_TEXT_SPF) {
		return mail_spf_is(text);
	}
	return version_of(text, kinds[kind].spaced, &version) &&
	       mail_str_is(version, kinds[kind].version);
}

mail_text_kind_t mail_text_kind(mail_lf_t owner, mail_str_t text)
{
	const mail_text_kind_t place = place_of(owner);
	if (place == MAIL_TEXT_DKIM || (place != MAIL_TEXT_OTHER && has_version(place, text))) {
		return place;
	}
	return mail_spf_is(text) ? MAIL_TEXT_SPF : MAIL_TEXT_OTHER;
}

const char *mail_text_twice(mail_text_kind_t kind)
{
	return kinds[kind].twice;
}

/* --- Tags --- */

/*! Return the value of a tag; data NULL: it is not there. */
static mail_str_t tag_value(const tags_t *tags, const char *wanted)
{
	mail_str_t name, value;
	for (size_t i = 0; i < tags->count; i++) {
		if (mail_str_tag(tags->tags[i], &name, &value) && mail_str_is(name, wanted)) {
			return value;
		}
	}
	return (mail_str_t){ NULL, 0 };
}

/*! Read the tags of a record, behind its version; each is there once (RFC 6376 3.2). */
static int tags_read(mail_str_t text, tags_t *tags, mail_diag_t *diag)
{
	mail_str_t piece, name, value;
	bool first = true;
	tags->count = 0;
	for (size_t pos = 0; mail_str_piece(text, ';', &pos, &piece); first = false) {
		if (piece.len == 0 && pos > text.len) {
			break; /* A semicolon at the end. */
		}
		if (!mail_str_tag(piece, &name, &value) || name.len == 0) {
			return mail_diag_error(diag, 0, "'%.*s' is not of the form TAG=VALUE",
			                       MAIL_SHOW(piece));
		}
		if (first && mail_str_is(name, "v")) {
			continue;
		}
		char wanted[64];
		(void)snprintf(wanted, sizeof(wanted), "%.*s", MAIL_SHOW(name));
		if (mail_str_is(name, "v") || tag_value(tags, wanted).data != NULL) {
			return mail_diag_error(diag, 0, "the tag %s is there twice, or not first",
			                       wanted);
		}
		if (tags->count == TAGS_MAX) {
			return mail_diag_error(diag, 0, "more than %d tags", TAGS_MAX);
		}
		tags->tags[tags->count++] = piece;
	}
	return KNOT_EOK;
}

/* --- The records --- */

static int spf_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	(void)tags;
	mail_rdata_t rdata = { 0 };
	mail_str_t term;
	size_t pos = 0;
	const mail_str_t terms = mail_str_from(text, strlen("v=spf1"));
	while (mail_str_word(terms, &pos, &term)) {
		int ret = mail_spf_slip_check(term, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	int ret = mail_spf_render(&terms, 1, MAIL_STR("none"), &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

/*! Check that a key stands in its p= as receivers read it, and is of the algorithm of its k=. */
static int key_check(mail_str_t p, mail_str_t k, mail_diag_t *diag)
{
	mail_buf_t key = { 0 }, written = { 0 };
	mail_dkim_algorithm_t algorithm = MAIL_DKIM_RSA;
	if (!mail_str_is(k, "rsa") && !mail_str_is(k, "ed25519")) {
		return mail_diag_error(diag, 0, "k=%.*s: a key is k=rsa or k=ed25519",
		                       MAIL_SHOW(k));
	}
	int ret = mail_dkim_key_parse(p, &key, diag);
	if (ret == KNOT_EOK) {
		/* Parsing has warned. */
		ret = mail_dkim_key_check(key.data, key.len, &algorithm, NULL, NULL);
	}
	if (ret == KNOT_EOK) {
		ret = mail_base64_parse(p, &written, diag);
	}
	if (ret != KNOT_EOK) {
		goto done;
	}
	if ((algorithm == MAIL_DKIM_RSA) != mail_str_is(k, "rsa")) {
		ret = mail_diag_error(diag, 0, "k=%.*s, but the key is of the other algorithm",
		                      MAIL_SHOW(k));
	} else if (!mail_str_equal(mail_buf_view(&key), mail_buf_view(&written))) {
		mail_buf_t text = { 0 };
		(void)mail_buf_base64(&text, key.data, key.len);
		ret = mail_diag_error(diag, 0, "p= is not in the form that receivers read: p=%.*s",
		                      (int)text.len, (const char *)text.data);
		mail_buf_free(&text);
	}
done:
	mail_buf_free(&key);
	mail_buf_free(&written);
	return ret;
}

static int dkim_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	const mail_str_t p = tag_value(tags, "p"), k = tag_value(tags, "k");
	mail_str_t version, name, value;
	mail_buf_t others = { 0 };
	if (version_of(text, true, &version) && !mail_str_is(version, "DKIM1")) {
		return mail_diag_error(diag, 0, "v=%.*s: a DKIM key has v=DKIM1",
		                       MAIL_SHOW(version));
	}
	if (p.data == NULL) {
		return mail_diag_error(diag, 0, "a DKIM key has p=, with a key or empty (revoked)");
	}
	for (size_t i = 0; i < tags->count; i++) {
		(void)mail_str_tag(tags->tags[i], &name, &value);
		if (!mail_str_is(name, "p") && !mail_str_is(name, "k")) {
			(void)mail_buf_printf(&others, "%.*s;", (int)tags->tags[i].len,
			                      tags->tags[i].data);
		}
	}
	int ret = others.error;
	if (ret == KNOT_EOK) {
		ret = mail_dkim_tags_check(mail_buf_view(&others), diag);
	}
	mail_buf_free(&others);
	if (ret != KNOT_EOK || p.len == 0) {
		return ret;
	}
	return key_check(p, k.data != NULL ? k : MAIL_STR("rsa"), diag);
}

static int dmarc_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	(void)text;
	mail_rdata_t rdata = { 0 };
	/* RFC 9989 4.7: without p there is rua at least. */
	if (tag_value(tags, "p").len == 0 && tag_value(tags, "rua").len == 0) {
		return mail_diag_error(diag, 0, "a DMARC record has p=none, quarantine or reject");
	}
	int ret = mail_dmarc_render(tags->tags, tags->count, &rdata, diag);
	mail_rdata_free(&rdata);
	return ret;
}

static int mtasts_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	(void)text;
	return mail_mtasts_id_check(tag_value(tags, "id"), diag);
}

static int tlsrpt_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	(void)text;
	const mail_str_t rua = tag_value(tags, "rua");
	return rua.len > 0 ? mail_tlsrpt_uri_check(rua, diag)
	                   : mail_diag_error(diag, 0, "TLS-RPT needs an address to report to");
}

static int bimi_check(const tags_t *tags, mail_str_t text, mail_diag_t *diag)
{
	(void)text;
	const mail_str_t l = tag_value(tags, "l"), a = tag_value(tags, "a");
	mail_buf_t value = { 0 };
	mail_rdata_t rdata = { 0 };
	mail_str_t selector;
	if (l.data == NULL) {
		return mail_diag_error(diag, 0, "a BIMI record has l=, with a URI or empty");
	}
	/* As the item has it; refused are both, or there is one of the two. */
	(void)mail_buf_printf(&value, "default %.*s %.*s", (int)l.len, l.data, (int)a.len,
	                      a.len > 0 ? a.data : "");
	int ret = value.error;
	if (ret == KNOT_EOK && l.len + a.len > 0) {
		ret = mail_bimi_render(mail_buf_view(&value), &selector, &rdata, diag);
	}
	mail_rdata_free(&rdata);
	mail_buf_free(&value);
	return ret;
}

/*! Warn of a record that stands where nobody looks for it. */
static void misplaced_warn(mail_lf_t owner, mail_str_t text, mail_diag_t *diag)
{
	for (unsigned i = MAIL_TEXT_DKIM; i < MAIL_TEXT_COUNT && !is_consent(owner); i++) {
		if (has_version(i, text)) {
			mail_diag_warn(diag, "no reader looks for %s here: write it at %s",
			               kinds[i].name, kinds[i].place);
		}
	}
}

/*! Check a text; diag->column counts in some part of it. */
static int text_check(mail_lf_t owner, mail_str_t text, mail_diag_t *diag)
{
	const mail_text_kind_t place = place_of(owner), kind = mail_text_kind(owner, text);
	mail_str_t version;
	tags_t tags = { .count = 0 };
	if (kind == MAIL_TEXT_OTHER && place == MAIL_TEXT_OTHER) {
		misplaced_warn(owner, text, diag);
		return KNOT_EOK;
	}
	if (kind != MAIL_TEXT_OTHER) {
		int ret = kind != MAIL_TEXT_SPF ? tags_read(text, &tags, diag) : KNOT_EOK;
		return ret == KNOT_EOK ? kinds[kind].check(&tags, text, diag) : ret;
	}
	/* Readers pass over a record of another version; one that was merely spelt wrong is meant to be read. */
	if (!version_of(text, true, &version) ||
	    mail_str_is_nocase(version, kinds[place].version)) {
		return mail_diag_error(diag, 0,
		                       "no reader takes this for %s: it must begin with v=%s;",
		                       kinds[place].name, kinds[place].version);
	}
	mail_diag_warn(diag, "readers pass over v=%.*s here: %s begins with v=%s",
	               MAIL_SHOW(version), kinds[place].name, kinds[place].version);
	return KNOT_EOK;
}

int mail_text_check(mail_lf_t owner, mail_str_t text, mail_diag_t *diag)
{
	int ret = text_check(owner, text, diag);
	if (ret != KNOT_EOK && diag != NULL) {
		diag->column = 0;
	}
	return ret;
}
