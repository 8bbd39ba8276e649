/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DMARC (RFC 9989 4.8, RFC 7489 6.4 for the tags that are gone).
 *
 *     record = "v=DMARC1" *( ";" SP tag "=" value )
 */
#include "config.h"

#include "mail/dmarc.h"

#include "mail/chars.h"
#include "record/uri.h"

#define PERCENT_MAX 100

/*! Where a tag has its place: the order of rendering (old receivers want p right after v). */
typedef enum {
	TAG_P,
	TAG_SP,
	TAG_NP,
	TAG_ADKIM,
	TAG_ASPF,
	TAG_T,
	TAG_PSD,
	TAG_PCT,
	TAG_RF,
	TAG_RI,
	TAG_FO,
	TAG_RUA,
	TAG_RUF,
	TAG_COUNT
} tag_id_t;

typedef struct {
	const char *name;
	const char *words; /*!< The values that it takes, or NULL. */
	bool list;         /*!< Several of the words, joined by ':'. */
	bool old;          /*!< Gone since RFC 9989. */
	/*! Check a value that is not of words, and write it. */
	int (*write)(mail_str_t value, mail_buf_t *out, mail_diag_t *diag);
} tag_t;

static int percent_write(mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	uint32_t percent;
	if (!mail_str_number(value, PERCENT_MAX, &percent)) {
		return mail_diag_error(diag, 1, "pct takes a percentage from 0 to 100");
	}
	return mail_buf_put(out, value.data, value.len);
}

static int seconds_write(mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	uint32_t seconds;
	if (!mail_str_number(value, UINT32_MAX, &seconds)) {
		return mail_diag_error(diag, 1, "ri takes a number of seconds");
	}
	return mail_buf_put(out, value.data, value.len);
}

static int uris_write(mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	/* RFC 9990 2: mailto: is what every reporter knows; ';' would end the tag, and is refused. */
	static const mail_uri_form_t form = {
		.schemes = MAIL_URI_MAILTO | MAIL_URI_HTTPS,
		.escape = ",!",
		.size = true,
	};
	return mail_uri_list_write(value, &form, out, diag);
}

static const tag_t tags[TAG_COUNT] = {
	[TAG_P] = { "p", "none quarantine reject", false, false, NULL },
	[TAG_SP] = { "sp", "none quarantine reject", false, false, NULL },
	[TAG_NP] = { "np", "none quarantine reject", false, false, NULL },
	[TAG_ADKIM] = { "adkim", "r s", false, false, NULL },
	[TAG_ASPF] = { "aspf", "r s", false, false, NULL },
	[TAG_T] = { "t", "y n", false, false, NULL },
	[TAG_PSD] = { "psd", "y n u", false, false, NULL },
	[TAG_PCT] = { "pct", NULL, false, true, percent_write },
	[TAG_RF] = { "rf", "afrf", true, true, NULL },
	[TAG_RI] = { "ri", NULL, false, true, seconds_write },
	[TAG_FO] = { "fo", "0 1 d s", true, false, NULL },
	[TAG_RUA] = { "rua", NULL, false, false, uris_write },
	[TAG_RUF] = { "ruf", NULL, false, false, uris_write },
};

/*! Place of a word among those that a tag takes, or -1. */
static int word_find(const tag_t *tag, mail_str_t value)
{
	size_t pos = 0;
	mail_str_t word;
	for (int i = 0; mail_str_word(MAIL_STR(tag->words), &pos, &word); i++) {
		if (mail_str_same(word, value)) {
			return i;
		}
	}
	return -1;
}

static int words_write(const tag_t *tag, mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	/* No value has a NUL: one that is no list is one word. */
	const char separator = tag->list ? ':' : '\0';
	size_t pos = 0;
	mail_str_t word;
	while (mail_str_piece(value, separator, &pos, &word)) {
		if (word_find(tag, word) < 0) {
			return mail_diag_error(diag, (size_t)(word.data - value.data) + 1,
			                       "%s takes %s%s, not '%.*s'", tag->name,
			                       tag->list ? "some, joined by ':', of " : "one of ",
			                       tag->words, MAIL_SHOW(word));
		}
	}
	return mail_buf_put(out, value.data, value.len);
}

/*! Check the value of a tag and write it. */
static int value_write(const tag_t *tag, mail_str_t value, mail_buf_t *out, mail_diag_t *diag)
{
	if (value.len == 0) {
		return KNOT_EOK;
	}
	if (tag->old) {
		mail_diag_warn(
			diag,
			"the DMARC tag %s is gone since RFC 9989; only old receivers look at it",
			tag->name);
	}
	const char *semicolon = memchr(value.data, ';', value.len);
	if (semicolon != NULL) {
		return mail_diag_error(diag, (size_t)(semicolon - value.data) + 1,
		                       "';' in a value: each tag is an element of its own%s",
		                       tag->write == uris_write ? " (in a URI write %3B)" : "");
	}
	if (tag->words != NULL) {
		return words_write(tag, value, out, diag);
	}
	return tag->write(value, out, diag);
}

/*! Read "tag=value". \param id Out: one of TAG_*. */
static int tag_parse(mail_str_t text, tag_id_t *id, mail_str_t *value, mail_diag_t *diag)
{
	mail_str_t name;
	if (!mail_str_tag(text, &name, value)) {
		return mail_diag_error(diag, 1, "'%.*s' is not of the form TAG=VALUE",
		                       MAIL_SHOW(text));
	}
	for (unsigned i = 0; i < TAG_COUNT; i++) {
		if (mail_str_is(name, tags[i].name)) {
			*id = (tag_id_t)i;
			return KNOT_EOK;
		}
	}
	size_t column = name.len > 0 ? (size_t)(name.data - text.data) + 1 : 1;
	if (mail_str_is(name, "v")) {
		return mail_diag_error(diag, column, "v=DMARC1 is written by itself: leave it out");
	}
	return mail_diag_error(diag, column, "DMARC has no tag '%.*s'", MAIL_SHOW(name));
}

int mail_dmarc_tag_check(mail_str_t tag, mail_diag_t *diag)
{
	tag_id_t id;
	mail_str_t value;
	int ret = tag_parse(tag, &id, &value, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_buf_t out = { 0 };
	ret = value_write(&tags[id], value, &out, diag);
	mail_buf_free(&out);
	return mail_diag_shift(diag, ret, (size_t)(value.data - tag.data));
}

/*! How strict a policy tag is: 0 none, 1 quarantine, 2 reject; -1: not given. */
static int strictness(const mail_str_t *values, tag_id_t id)
{
	return values[id].len > 0 ? word_find(&tags[id], values[id]) : -1;
}

/*! Warn of values that do not go together. */
static void values_warn(const mail_str_t *values, mail_diag_t *diag)
{
	int p = strictness(values, TAG_P), sp = strictness(values, TAG_SP);
	int np = strictness(values, TAG_NP);
	p = p < 0 ? 0 : p;
	if (values[TAG_FO].len > 0 && values[TAG_RUF].len == 0) {
		mail_diag_warn(diag, "fo means nothing without ruf");
	}
	if (p == 0 && sp > 0) {
		mail_diag_warn(diag,
		               "sp=%.*s guards subdomains better than p=none guards the domain",
		               MAIL_SHOW(values[TAG_SP]));
	}
	if (sp >= 0 && sp < p && np <= sp) {
		mail_diag_warn(diag,
		               "sp=%.*s is weaker than p=%.*s: names below the domain are open",
		               MAIL_SHOW(values[TAG_SP]), MAIL_SHOW(values[TAG_P]));
	}
	if (np >= 0 && np < (sp < 0 ? p : sp)) {
		mail_diag_warn(diag, "np=%.*s is weaker than %s: names that do not exist are open",
		               MAIL_SHOW(values[TAG_NP]), sp < 0 ? "p" : "sp");
	}
	/* np acts on NXDOMAIN alone; a wildcard or a signer that says NODATA leaves it to sp, or p. */
	if (np > (sp < 0 ? p : sp)) {
		mail_diag_warn(diag, "%s is weaker than np=%.*s, which a wildcard makes useless",
		               sp < 0 ? "p" : "sp", MAIL_SHOW(values[TAG_NP]));
	}
}

/*! Collect the last value of each tag; where each came from is left in from. */
static int values_collect(const mail_str_t *texts, size_t n, mail_str_t *values, size_t *from,
                          mail_diag_t *diag)
{
	for (size_t i = 0; i < n; i++) {
		tag_id_t id;
		mail_str_t value;
		int ret = tag_parse(texts[i], &id, &value, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
		values[id] = value;
		from[id] = (size_t)(value.data - texts[i].data);
	}
	return KNOT_EOK;
}

int mail_dmarc_render(const mail_str_t *texts, size_t n, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_str_t values[TAG_COUNT] = { { NULL, 0 } };
	size_t from[TAG_COUNT] = { 0 };
	int ret = values_collect(texts, n, values, from, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (values[TAG_P].len == 0) {
		values[TAG_P] = MAIL_STR("none");
	}

	mail_buf_t out = { 0 };
	mail_buf_str(&out, MAIL_DMARC_VERSION);
	for (unsigned i = 0; i < TAG_COUNT; i++) {
		if (values[i].len == 0) {
			continue;
		}
		mail_buf_str(&out, "; ");
		mail_buf_str(&out, tags[i].name);
		mail_buf_str(&out, "=");
		ret = value_write(&tags[i], values[i], &out, diag);
		if (ret != KNOT_EOK) {
			(void)mail_diag_shift(diag, ret, from[i]);
			goto done;
		}
	}
	ret = out.error;
	if (ret == KNOT_EOK) {
		values_warn(values, diag);
		ret = mail_rdata_text(rdata, mail_buf_view(&out));
	}
done:
	mail_buf_free(&out);
	return ret;
}

bool mail_dmarc_report_next(mail_str_t value, size_t *pos, mail_str_t *host)
{
	mail_str_t uri;
	while (mail_uri_next(value, pos, &uri)) {
		unsigned scheme;
		mail_uri_parts(uri, &scheme, host);
		if (scheme == MAIL_URI_MAILTO && host->len > 0) {
			return true;
		}
	}
	return false;
}
