/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM key records (RFC 6376 3.6.1, RFC 8463 4):
 *
 *     record = "v=DKIM1; k=" ( "rsa" / "ed25519" ) [ "; " tags ] "; p=" base64
 *     tags   = tag *( ";" tag ) [ ";" ]
 *     tag    = name "=" value
 *
 * Keys themselves are in dkim_key.c.
 */
#include "config.h"

#include "mail/dkim.h"

#include "mail/chars.h"
#include "mail/encoding.h"

#define ED25519_LEN 32
#define LABEL_MAX 63
/* A name has 253 characters at most; "._domainkey" and a domain ("._domainkey.x") must find room. */
#define SELECTOR_MAX (253 - 13)
/* Octets that are encoded at a time: a multiple of 3. */
#define CHUNK 192

/* --- Tags --- */

/*! Call for each element of a list with ':', until one is refused. */
static int words_check(mail_str_t value, int (*check)(mail_str_t word, mail_diag_t *diag),
                       mail_diag_t *diag)
{
	size_t pos = 0;
	mail_str_t word;
	while (mail_str_piece(value, ':', &pos, &word)) {
		int ret = check(word, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(word.data - value.data));
		}
	}
	return KNOT_EOK;
}

static int hash_check(mail_str_t word, mail_diag_t *diag)
{
	if (mail_str_is_nocase(word, "sha1")) {
		return mail_diag_error(diag, 1, "SHA-1 is not used any more (RFC 8301)");
	}
	if (!mail_str_is(word, "sha256")) {
		return mail_diag_error(diag, 1, "h= takes sha256, not '%.*s'", MAIL_SHOW(word));
	}
	return KNOT_EOK;
}

static int service_check(mail_str_t word, mail_diag_t *diag)
{
	if (mail_str_is(word, "email")) {
		mail_diag_warn(diag, "s=email makes the key useless for TLS reports (RFC 8460 3)");
	} else if (!mail_str_is(word, "*") && !mail_str_is(word, "tlsrpt")) {
		return mail_diag_error(diag, 1, "s= takes *, email, tlsrpt, not '%.*s'",
		                       MAIL_SHOW(word));
	}
	return KNOT_EOK;
}

static int flag_check(mail_str_t word, mail_diag_t *diag)
{
	if (mail_str_is(word, "y")) {
		mail_diag_warn(diag, "t=y: receivers treat mail as if it were not signed");
	} else if (!mail_str_is(word, "s")) {
		return mail_diag_error(diag, 1, "t= takes s and y, not '%.*s'", MAIL_SHOW(word));
	}
	return KNOT_EOK;
}

static int refuse(mail_str_t name, mail_diag_t *diag)
{
	return mail_diag_error(diag, 1, "the tag %.*s is made from the key: leave it out",
	                       MAIL_SHOW(name));
}

/*! Check the value of a tag by its name; other names are taken as they are (RFC 6376 3.6.1). */
static int value_check(mail_str_t name, mail_str_t value, mail_diag_t *diag)
{
	if (mail_str_is(name, "h")) {
		return words_check(value, hash_check, diag);
	}
	if (mail_str_is(name, "s")) {
		return words_check(value, service_check, diag);
	}
	if (mail_str_is(name, "t")) {
		return words_check(value, flag_check, diag);
	}
	return KNOT_EOK;
}

/*!
 *     name  = ALPHA *( ALPHA / DIGIT / "_" )
 *     value = *( %x21-3A / %x3C-7E / SP )
 */
static int syntax_check(mail_str_t tag, mail_str_t name, mail_str_t value, mail_diag_t *diag)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (!mail_char_alpha(c) && (i == 0 || (!mail_char_digit(c) && c != '_'))) {
			return mail_diag_error(diag, (size_t)(name.data - tag.data) + i + 1,
			                       "'%.*s' is no name of a tag", MAIL_SHOW(name));
		}
	}
	if (name.len == 0) {
		return mail_diag_error(diag, 1, "'%.*s' is not of the form TAG=VALUE",
		                       MAIL_SHOW(tag));
	}
	for (size_t i = 0; i < value.len; i++) {
		bool hole = mail_str_starts(mail_str_from(value, i), MAIL_HOLE);
		if (hole || value.data[i] < ' ' || value.data[i] > '~') {
			return mail_diag_error(diag, (size_t)(value.data - tag.data) + i + 1,
			                       hole ? MAIL_HOLE " cannot be in a tag of a key"
			                            : "a character that cannot be in a tag");
		}
	}
	return KNOT_EOK;
}

static bool tag_split(mail_str_t tag, mail_str_t *name, mail_str_t *value)
{
	const char *equals = tag.len > 0 ? memchr(tag.data, '=', tag.len) : NULL;
	if (equals == NULL) {
		*name = *value = mail_str_part(tag, 0, 0);
		return false;
	}
	size_t len = (size_t)(equals - tag.data);
	*name = mail_str_trim(mail_str_part(tag, 0, len));
	*value = mail_str_trim(mail_str_from(tag, len + 1));
	return true;
}

static int tag_check(mail_str_t tag, mail_diag_t *diag)
{
	mail_str_t name, value;
	tag_split(tag, &name, &value);
	int ret = syntax_check(tag, name, value, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (mail_str_is(name, "v") || mail_str_is(name, "k") || mail_str_is(name, "p")) {
		return refuse(name, diag);
	}
	return mail_diag_shift(diag, value_check(name, value, diag),
	                       (size_t)(value.data - tag.data));
}

/*! Return whether a tag before `end` has the name. */
static bool tag_before(mail_str_t tags, size_t end, mail_str_t name)
{
	size_t pos = 0;
	mail_str_t tag, other, value;
	while (mail_str_piece(tags, ';', &pos, &tag) && pos <= end) {
		if (tag_split(tag, &other, &value) && mail_str_equal(name, other)) {
			return true;
		}
	}
	return false;
}

/*! Take off what may stand around tags; nothing is left of "none". */
static mail_str_t tags_trim(mail_str_t tags)
{
	tags = mail_str_trim(tags);
	if (tags.len > 0 && tags.data[tags.len - 1] == ';') {
		tags.len--;
		tags = mail_str_trim(tags);
	}
	return mail_str_is(tags, "none") ? mail_str_part(tags, 0, 0) : tags;
}

int mail_dkim_tags_check(mail_str_t tags, mail_diag_t *diag)
{
	mail_str_t list = tags_trim(tags);
	size_t pos = 0, start = 0;
	mail_str_t tag, name, value;
	while (list.len > 0 && mail_str_piece(list, ';', &pos, &tag)) {
		size_t offset = (size_t)(tag.data - tags.data);
		int ret = mail_diag_shift(diag, tag_check(tag, diag), offset);
		if (ret != KNOT_EOK) {
			return ret;
		}
		tag_split(tag, &name, &value);
		if (tag_before(list, start, name)) {
			return mail_diag_error(diag, offset + 1, "the tag %.*s is there twice",
			                       MAIL_SHOW(name));
		}
		start = pos;
	}
	return KNOT_EOK;
}

/* --- The record --- */

/*! Append base64 to a text: in pieces, so that nothing is allocated. */
static int base64_text(const uint8_t *data, size_t len, mail_rdata_t *rdata)
{
	for (size_t pos = 0; pos < len; pos += CHUNK) {
		uint8_t text[CHUNK / 3 * 4];
		mail_buf_t buf = MAIL_BUF_FIXED(text, sizeof(text));
		(void)mail_buf_base64(&buf, data + pos, len - pos < CHUNK ? len - pos : CHUNK);
		(void)mail_rdata_octets(rdata, text, buf.len);
	}
	return rdata->ops.error;
}

int mail_dkim_render(const uint8_t *key, size_t len, mail_str_t tags, mail_rdata_t *rdata)
{
	/* RFC 6376 3.6.1: an empty p= says that the key is revoked. */
	if (len == 0) {
		return mail_rdata_text(rdata, MAIL_STR("v=DKIM1; p="));
	}
	mail_rdata_text(rdata, len == ED25519_LEN ? MAIL_STR("v=DKIM1; k=ed25519; ")
	                                          : MAIL_STR("v=DKIM1; k=rsa; "));
	tags = tags_trim(tags);
	if (tags.len > 0) {
		mail_rdata_text(rdata, tags);
		mail_rdata_text(rdata, MAIL_STR("; "));
	}
	mail_rdata_text(rdata, MAIL_STR("p="));
	return base64_text(key, len, rdata);
}

/*!
 *     selector   = sub-domain *( "." sub-domain )         (RFC 6376 3.1)
 *     sub-domain = letter, digit or "_", between them "-" too
 */
int mail_dkim_selector_check(mail_str_t selector, mail_diag_t *diag)
{
	if (selector.len > SELECTOR_MAX) {
		return mail_diag_error(diag, 1, "the selector leaves no room for a domain");
	}
	size_t start = 0;
	for (size_t i = 0; i <= selector.len; i++) {
		char c = i < selector.len ? selector.data[i] : '.';
		if (c == '.') {
			size_t len = i - start;
			if (len == 0 || len > LABEL_MAX) {
				return mail_diag_error(
					diag, start + 1,
					"a label of a selector has 1 to 63 characters, not %zu",
					len);
			}
			if (selector.data[start] == '-' || selector.data[i - 1] == '-') {
				return mail_diag_error(
					diag, start + 1,
					"a label of a selector cannot start or end with '-'");
			}
			start = i + 1;
		} else if (!mail_char_alnum(c) && c != '-' && c != '_') {
			return mail_diag_error(
				diag, i + 1,
				"a selector has letters, digits, '-', '_' and dots only");
		}
	}
	return KNOT_EOK;
}
