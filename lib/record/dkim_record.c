/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A DKIM key record (RFC 6376 3.6.1) taken apart into key and tags, so that mail_dkim_render() writes it as it was:
 *
 *     record = tag *( ";" tag ) [ ";" ]      ; of which one is p=
 *     tag    = [FWS] name [FWS] "=" [FWS] value [FWS]
 */
#include "config.h"

#include "record/dkim_record.h"

#include "mail/chars.h"

/*! What a record says. */
typedef struct {
	mail_str_t text;
	mail_str_t k, p;
	size_t p_at, p_end; /*!< Where the tag p= stands. */
	bool has_k, has_p;
	bool other; /*!< It has tags beside p=. */
} record_t;

/*! Return whether a tag before `end` has a name. */
static bool tag_before(mail_str_t text, size_t end, mail_str_t name)
{
	size_t pos = 0;
	mail_str_t tag, other, value;
	while (mail_str_piece(text, ';', &pos, &tag) && pos <= end) {
		if (mail_str_tag(tag, &other, &value) && mail_str_equal(name, other)) {
			return true;
		}
	}
	return false;
}

/*! Note a tag of a record; p= is checked as a key. */
static int tag_note(record_t *record, mail_str_t tag, size_t start, size_t end, mail_diag_t *diag)
{
	mail_str_t name, value;
	(void)mail_str_tag(tag, &name, &value);
	if (tag_before(record->text, start, name)) {
		return mail_diag_error(diag, 1, "%.*s= twice", MAIL_SHOW(name));
	}
	if (mail_str_is(name, "p")) {
		record->p = value;
		record->p_at = (size_t)(tag.data - record->text.data);
		record->p_end = end;
		record->has_p = true;
		return KNOT_EOK;
	}
	record->other = true;
	if (mail_str_is(name, "k")) {
		record->k = value;
		record->has_k = true;
	}
	int ret = mail_dkim_own_tag(name, value, start == 0, diag);
	return ret != KNOT_EOK ? ret : mail_dkim_tag_check(tag, diag);
}

/*! Read the tags of a record. */
static int record_scan(record_t *record, mail_diag_t *diag)
{
	size_t pos = 0, start = 0;
	mail_str_t tag;
	for (; mail_str_piece(record->text, ';', &pos, &tag); start = pos) {
		/* One semicolon may follow the last tag. */
		if (tag.len == 0 && start > 0 && pos > record->text.len) {
			break;
		}
		const size_t end = pos - 1;
		int ret = tag_note(record, tag, start, end, diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(tag.data - record->text.data));
		}
	}
	if (!record->has_p || record->p.len == 0) {
		return mail_diag_error(diag, 0, "the record has no key: p= is %s",
		                       record->has_p ? "empty" : "missing");
	}
	return KNOT_EOK;
}

/*! Write a part of a record, with blanks for line ends and tabs. */
static void part_put(mail_str_t part, mail_buf_t *out)
{
	for (size_t i = 0; i < part.len; i++) {
		const char c = part.data[i];
		(void)mail_buf_u8(out, (uint8_t)(mail_char_space(c) ? ' ' : c));
	}
}

/*! Write the record with an empty p=: what the key is put into. */
static int frame_write(const record_t *record, mail_buf_t *out)
{
	mail_str_t end = mail_str_from(record->text, record->p_end);
	part_put(mail_str_part(record->text, 0, record->p_at), out);
	(void)mail_buf_str(out, "p=");
	part_put(end, out);
	return out->error;
}

/*! Return what stands between the tags that mail_dkim_render() writes by itself; data NULL: not so written. */
static mail_str_t frame_tags(mail_str_t frame, size_t key_len)
{
	const char *before = key_len == MAIL_DKIM_ED25519_LEN ? "v=DKIM1; k=ed25519; "
	                                                      : "v=DKIM1; k=rsa; ";
	if (!mail_str_starts(frame, before) || !mail_str_ends(frame, "p=")) {
		return (mail_str_t){ NULL, 0 };
	}
	mail_str_t tags = mail_str_from(frame, strlen(before));
	tags.len -= 2;
	if (tags.len == 0) {
		return MAIL_STR("none");
	}
	/* The renderer writes "; " behind them, and blanks around them not at all. */
	if (!mail_str_ends(tags, "; ")) {
		return (mail_str_t){ NULL, 0 };
	}
	tags.len -= 2;
	return mail_str_equal(mail_str_trim(tags), tags) && !mail_str_ends(tags, ";")
	               ? tags
	               : (mail_str_t){ NULL, 0 };
}

/*! Write the tags with which the record of a key is the one that was read. */
static int tags_write(const record_t *record, size_t key_len, mail_buf_t *out)
{
	mail_buf_t frame = { 0 };
	int ret = frame_write(record, &frame);
	if (ret == KNOT_EOK) {
		const mail_str_t whole = mail_str_trim(mail_buf_view(&frame));
		const mail_str_t tags = frame_tags(whole, key_len);
		const mail_str_t put = tags.data != NULL ? tags : whole;
		ret = mail_buf_put(out, put.data, put.len);
	}
	mail_buf_free(&frame);
	return ret;
}

/*! RFC 8463 4.1: without k= a key is one of RSA. */
static int type_check(const record_t *record, size_t key_len, mail_diag_t *diag)
{
	if (record->other && !record->has_k && key_len == MAIL_DKIM_ED25519_LEN) {
		return mail_diag_error(diag, 0,
		                       "without k= the key is taken for one of RSA, but it is of "
		                       "Ed25519: write k=ed25519");
	}
	return KNOT_EOK;
}

static int record_read(record_t *record, mail_buf_t *key, mail_buf_t *tags, mail_diag_t *diag)
{
	int ret = record_scan(record, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const size_t start = key->len;
	ret = mail_dkim_base64_parse(record->p, record->k, key, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, (size_t)(record->p.data - record->text.data));
	}
	ret = type_check(record, key->len - start, diag);
	if (ret == KNOT_EOK && tags != NULL && record->other) {
		ret = tags_write(record, key->len - start, tags);
	}
	return ret;
}

int mail_dkim_record_parse(mail_str_t text, mail_buf_t *key, mail_buf_t *tags, mail_diag_t *diag)
{
	if (text.len == 0) {
		return mail_diag_error(diag, 0, "no key");
	}
	const size_t start = key->len;
	record_t record = { .text = text };
	int ret;
	if (memmem(text.data, text.len, MAIL_PEM_BEGIN, strlen(MAIL_PEM_BEGIN)) != NULL) {
		ret = mail_dkim_pem_parse(text, key, diag);
	} else if (memchr(text.data, ';', text.len) == NULL &&
	           !mail_str_starts(mail_str_trim(text), "p=")) {
		ret = mail_dkim_base64_parse(text, mail_str_part(text, 0, 0), key, diag);
	} else {
		ret = record_read(&record, key, tags, diag);
	}
	if (ret != KNOT_EOK) {
		key->len = start;
	}
	return ret;
}

int mail_dkim_key_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	return mail_dkim_record_parse(text, out, NULL, diag);
}

int mail_dkim_tags_fit(mail_str_t tags, mail_str_t key, mail_diag_t *diag)
{
	size_t pos = 0;
	mail_str_t tag, name, value, k = MAIL_STR("rsa");
	if (mail_dkim_frame(tags) == 0 || key.len == 0) {
		return KNOT_EOK;
	}
	while (mail_str_piece(tags, ';', &pos, &tag)) {
		if (mail_str_tag(tag, &name, &value) && mail_str_is(name, "k")) {
			k = value;
		}
	}
	const char *type = key.len == MAIL_DKIM_ED25519_LEN ? "ed25519" : "rsa";
	if (!mail_str_is(k, type)) {
		return mail_diag_error(
			diag, 0,
			"tags: the record is one of k=%.*s, but the key is of %s: set "
			"tags with the key",
			MAIL_SHOW(k), type);
	}
	return KNOT_EOK;
}
