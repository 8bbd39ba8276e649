/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM key records (RFC 6376 3.6.1, RFC 8463 4):
 *
 *     record = "v=DKIM1; k=" ( "rsa" / "ed25519" ) [ "; " tags ] "; p=" base64
 *     tags   = tag *( ";" tag ) [ ";" ]
 *     tag    = name "=" value
 *
 * A record that was pasted is served as it was. When it has not the form above, its tags are a frame: all of the
 * record, in which p= is empty and takes the key ("v=DKIM1; h=sha256; k=rsa; p=; t=s").
 *
 * Keys themselves are in dkim_key.c.
 */
#include "config.h"

#include "mail/dkim.h"

#include "mail/chars.h"
#include "mail/encoding.h"
#include "record/dkim_record.h"

#define LABEL_MAX 63
/* A name has 253 characters at most; "._domainkey" and a domain ("._domainkey.x") must find room. */
#define SELECTOR_MAX (253 - 13)
/* Octets that are encoded at a time: a multiple of 3. */
#define CHUNK 192

/* --- Tags --- */

/*! Check an element of the list that h=, s= or t= has for its value (RFC 6376 3.6.1). */
static int element_check(char tag, mail_str_t element, mail_diag_t *diag)
{
	switch (tag) {
	case 'h':
		if (mail_str_is_nocase(element, "sha1")) {
			return mail_diag_error(diag, 1, "SHA-1 is not used any more (RFC 8301)");
		}
		if (!mail_str_is(element, "sha256")) {
			return mail_diag_error(diag, 1, "h= takes sha256, not '%.*s'",
			                       MAIL_SHOW(element));
		}
		return KNOT_EOK;
	case 's':
		if (mail_str_is(element, "email")) {
			mail_diag_warn(
				diag, "s=email makes the key useless for TLS reports (RFC 8460 3)");
		} else if (!mail_str_is(element, "*") && !mail_str_is(element, "tlsrpt")) {
			return mail_diag_error(diag, 1, "s= takes *, email, tlsrpt, not '%.*s'",
			                       MAIL_SHOW(element));
		}
		return KNOT_EOK;
	default:
		if (mail_str_is(element, "y")) {
			mail_diag_warn(diag, "t=y: receivers treat mail as if it were not signed");
		} else if (!mail_str_is(element, "s")) {
			return mail_diag_error(diag, 1, "t= takes s and y, not '%.*s'",
			                       MAIL_SHOW(element));
		}
		return KNOT_EOK;
	}
}

/*!
 * Check a tag; those with other names than these are taken as they are.
 *
 *     tag   = name "=" value
 *     name  = ALPHA *( ALPHA / DIGIT / "_" )
 *     value = *( %x21-3A / %x3C-7E / SP )
 */
int mail_dkim_tag_check(mail_str_t tag, mail_diag_t *diag)
{
	mail_str_t name, value, element;
	(void)mail_str_tag(tag, &name, &value);
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
	if (name.len != 1 || !mail_char_in(name.data[0], "hst")) {
		return KNOT_EOK;
	}
	size_t pos = 0;
	while (mail_str_piece(value, ':', &pos, &element)) {
		int ret = element_check(name.data[0], element, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(element.data - tag.data));
		}
	}
	return KNOT_EOK;
}

/*! Return whether a tag before `end` has the name. */
static bool tag_before(mail_str_t tags, size_t end, mail_str_t name)
{
	size_t pos = 0;
	mail_str_t tag, other, value;
	while (mail_str_piece(tags, ';', &pos, &tag) && pos <= end) {
		if (mail_str_tag(tag, &other, &value) && mail_str_equal(name, other)) {
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

size_t mail_dkim_frame(mail_str_t tags)
{
	size_t pos = 0;
	mail_str_t tag;
	/* Most tags hold no such letters: the record is made while a question waits. */
	if (tags.len < 2 || memmem(tags.data, tags.len, "p=", 2) == NULL) {
		return 0;
	}
	while (mail_str_piece(tags, ';', &pos, &tag)) {
		if (mail_str_is(tag, "p=")) {
			return (size_t)(tag.data - tags.data) + tag.len;
		}
	}
	return 0;
}

/*! Check a tag that every record has: it is a frame's, or made from the key. */
static int own_tag_check(mail_str_t tag, bool frame, bool first, mail_diag_t *diag)
{
	mail_str_t name, value;
	(void)mail_str_tag(tag, &name, &value);
	if (name.len != 1 || !mail_char_in(name.data[0], "vkp")) {
		return KNOT_EOK;
	}
	if (!frame) {
		return mail_diag_error(diag, 1,
		                       "the tag %.*s is made from the key: leave it out, or write "
		                       "the whole record with an empty p=",
		                       MAIL_SHOW(name));
	}
	if (name.data[0] == 'p' && value.len > 0) {
		return mail_diag_error(diag, 1, "p= is empty here: the item key has the key");
	}
	return mail_dkim_own_tag(name, value, first, diag);
}

int mail_dkim_own_tag(mail_str_t name, mail_str_t value, bool first, mail_diag_t *diag)
{
	if (mail_str_is(name, "v") && (!first || !mail_str_is(value, "DKIM1"))) {
		return mail_diag_error(diag, 1,
		                       first ? "'v=%.*s' is no DKIM record"
		                             : "'v=%.*s' comes first in a record (RFC 6376 3.6.1)",
		                       MAIL_SHOW(value));
	}
	if (mail_str_is(name, "k") && !mail_str_is(value, "rsa") &&
	    !mail_str_is(value, "ed25519")) {
		return mail_diag_error(diag, 1, "k=%.*s: DKIM has keys of rsa and ed25519 only",
		                       MAIL_SHOW(value));
	}
	return KNOT_EOK;
}

int mail_dkim_tags_check(mail_str_t tags, mail_diag_t *diag)
{
	mail_str_t list = tags_trim(tags);
	/* p= alone says nothing of the record. */
	const bool frame = mail_dkim_frame(list) > 0 && !mail_str_is(list, "p=");
	size_t pos = 0, start = 0;
	mail_str_t tag, name, value;
	while (list.len > 0 && mail_str_piece(list, ';', &pos, &tag)) {
		size_t offset = (size_t)(tag.data - tags.data);
		int ret = mail_dkim_tag_check(tag, diag);
		if (ret == KNOT_EOK) {
			ret = own_tag_check(tag, frame, start == 0, diag);
		}
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, offset);
		}
		(void)mail_str_tag(tag, &name, &value);
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
	const size_t frame = mail_dkim_frame(tags);
	if (frame > 0) {
		mail_rdata_text(rdata, mail_str_part(tags, 0, frame));
		(void)base64_text(key, len, rdata);
		return mail_rdata_text(rdata, mail_str_from(tags, frame));
	}
	mail_rdata_text(rdata, len == MAIL_DKIM_ED25519_LEN ? MAIL_STR("v=DKIM1; k=ed25519; ")
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
