/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that are the name of a file, and what becomes of such a file. */
#include "mail/text.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "record/tlsa.h"
#include "record/paste.h"

/* No public key is shorter: base64 of the 32 octets of Ed25519. */
#define KEY_CHARS_MIN 44

/*
 * Return whether a text looks like a key: base64 of whole quads and of 32 octets at least. Blanks and quotes are passed
 * over, as people break long keys (RFC 6376 3.2). The name of a file may look like base64, but is short.
 */
static bool is_base64(mail_str_t text)
{
	size_t chars = 0, pads = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (mail_char_space(c) || c == '"') {
			continue;
		}
		if (c == '=') {
			pads++;
		} else if (pads > 0 || mail_char_base64(c) < 0) {
			return false;
		}
		chars++;
	}
	return pads <= 2 && chars % 4 == 0 && chars >= KEY_CHARS_MIN;
}

static bool is_key(mail_str_t text)
{
	mail_buf_t key = { 0 };
	bool good = mail_dkim_key_parse(text, &key, NULL) == KNOT_EOK &&
	            mail_dkim_key_check(key.data, key.len, NULL, NULL, NULL) == KNOT_EOK;
	mail_buf_free(&key);
	return good;
}

/* Return whether a text is a record with a type, or a string in quotes. */
static bool is_pasted(mail_str_t text)
{
	mail_paste_t paste;
	/* What begins as a record and does not end as one is meant as such. */
	const int ret = mail_paste_read(text, &paste, NULL);
	const bool pasted = ret == KNOT_EINVAL ||
	                    (ret == KNOT_EOK && paste.count > 0 &&
	                     (paste.records[0].type != 0 || paste.records[0].quoted));
	mail_paste_free(&paste);
	return pasted;
}

bool mail_text_names_file(mail_section_t section, const mail_item_t *item, mail_str_t value)
{
	const bool certificate = section == MAIL_SECTION_CERTIFICATE &&
	                         (item->id == MAIL_ITEM_CURRENT || item->id == MAIL_ITEM_NEXT);
	if (mail_str_is(value, "none") ||
	    (!certificate && (section != MAIL_SECTION_DKIM || item->id != MAIL_ITEM_KEY))) {
		return false;
	}
	value = mail_str_trim(value);
	if (mail_str_starts(value, "/") || mail_str_starts(value, "./") ||
	    mail_str_starts(value, "../")) {
		/* Every 64th key begins with a slash. */
		return certificate || !is_base64(value) || !is_key(value);
	}
	if (certificate) {
		/* What begins as "3 1 1 " is meant as TLSA data, however it goes on. */
		const bool data = value.len > 1 && mail_char_digit(value.data[0]) &&
		                  mail_char_space(value.data[1]);
		return !data && !is_pasted(value);
	}
	if (is_base64(value) || memmem(value.data, value.len, "-----BEGIN ", 11) != NULL) {
		return false;
	}
	if (mail_str_ends(value, ".pem") || mail_str_ends(value, ".key") ||
	    mail_str_ends(value, ".pub") || mail_str_ends(value, ".txt")) {
		return true;
	}
	return memmem(value.data, value.len, "p=", 2) == NULL &&
	       mail_str_find(value, ";=") == value.len && !is_pasted(value);
}

/* The i-th form that a certificate set asks for; empty behind the last. "3 1 1" when it asks for none. */
static mail_str_t form_of(const mail_entry_t *entry, size_t i)
{
	const mail_member_t *forms = mail_entry_member(entry, MAIL_ITEM_FORM, MAIL_OP_SET);
	if (forms == NULL) {
		return MAIL_STR(i == 0 ? "3 1 1" : "");
	}
	return i < forms->count ? forms->values[i].text : MAIL_STR("");
}

/* Add the TLSA data of a chain in every form that the entry asks for. */
static int add_certificate(mail_entry_t *entry, const mail_item_t *item, mail_str_t pem,
                           uint32_t line, mail_diag_t *diag)
{
	/* A new member moves the others, so the forms are looked up anew each time. */
	for (size_t i = 0;; i++) {
		mail_tlsa_form_t form;
		mail_buf_t out = { 0 };
		mail_str_t text = form_of(entry, i);
		if (text.len == 0) {
			return KNOT_EOK;
		}
		int ret = mail_tlsa_form_parse(text, &form, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
		ret = mail_tlsa_from_pem(pem, &form, &out, diag);
		if (ret == KNOT_EOK) {
			ret = mail_entry_parse(entry, item, MAIL_OP_SET, mail_buf_view(&out), line,
			                       diag);
		}
		mail_buf_free(&out);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
}

int mail_text_add_file(mail_entry_t *entry, const mail_item_t *item, mail_str_t contents,
                       uint32_t line, mail_diag_t *diag)
{
	/* A file may hold TLSA records, as a tool wrote them. */
	if (entry->section == MAIL_SECTION_CERTIFICATE &&
	    mail_text_names_file(entry->section, item, contents)) {
		return add_certificate(entry, item, contents, line, diag);
	}
	return mail_entry_parse(entry, item, MAIL_OP_SET, contents, line, diag);
}

int mail_text_dkim_id(mail_str_t owner, mail_str_t text, mail_buf_t *id, mail_diag_t *diag)
{
	static const char label[] = "._domainkey";
	mail_paste_t paste;
	int ret = mail_paste_read(text, &paste, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	mail_paste_inner(&paste);
	ret = KNOT_ENOENT;
	for (size_t i = 0; i < paste.count && ret != KNOT_EOK; i++) {
		const mail_str_t name = mail_buf_view(&paste.records[i].owner);
		const char *end = name.len > 0 ? memmem(name.data, name.len, label, strlen(label))
		                               : NULL;
		if (end != NULL) {
			mail_buf_put(id, owner.data, owner.len);
			mail_buf_u8(id, '/');
			ret = mail_buf_put(id, name.data, (size_t)(end - name.data));
		}
	}
	if (ret == KNOT_ENOENT) {
		ret = mail_diag_error(diag, 0,
		                      "the record does not say its selector: give %.*s/SELECTOR",
		                      MAIL_SHOW(owner));
	}
done:
	mail_paste_free(&paste);
	return ret;
}
