/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/ulabel.h"

#include "dns/idna.h"
#include "mail/chars.h"
#include "record/literal_rdata.h"
#include "record/uri.h"

/*! A value being written. */
typedef struct {
	mail_str_t text;
	size_t done; /*!< Octets of text that are written. */
	mail_buf_t *out;
	mail_diag_t *diag;
} value_t;

/*! Write what stands before a name, and the name. */
static int name_write(value_t *value, mail_str_t name)
{
	size_t at = (size_t)(name.data - value->text.data);
	mail_buf_put(value->out, value->text.data + value->done, at - value->done);
	value->done = at + name.len;
	return mail_diag_shift(value->diag, mail_idna_write(name, value->out, value->diag), at);
}

/*! Write what stands after the last name. */
static int rest_write(value_t *value)
{
	return mail_buf_put(value->out, value->text.data + value->done,
	                    value->text.len - value->done);
}

int mail_ulabel_spf(mail_str_t terms, mail_buf_t *out, mail_diag_t *diag)
{
	value_t value = { terms, 0, out, diag };
	mail_str_t term;
	size_t pos = 0;
	while (mail_str_word(terms, &pos, &term)) {
		size_t mark = mail_str_find(term, ":=");
		mail_str_t name = mail_str_part(term, 0, mark);
		if (mark == term.len || memchr(term.data, '%', term.len) != NULL ||
		    (term.data[mark] == '=' && !mail_str_is_nocase(name, "redirect") &&
		     !mail_str_is_nocase(name, "exp"))) {
			continue;
		}
		mail_str_t domain = mail_str_from(term, mark + 1);
		domain.len = mail_str_find(domain, "/");
		int ret = name_write(&value, domain);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return rest_write(&value);
}

int mail_ulabel_uris(mail_str_t uris, mail_buf_t *out, mail_diag_t *diag)
{
	value_t value = { uris, 0, out, diag };
	mail_str_t word, uri, host;
	size_t pos = 0;
	while (mail_str_word(uris, &pos, &word)) {
		size_t mark = mail_str_find(word, "=:");
		if (mark < word.len && word.data[mark] == '=') {
			word = mail_str_from(word, mark + 1);
		}
		size_t at = 0;
		while (mail_uri_next(word, &at, &uri)) {
			unsigned scheme;
			mail_uri_parts(uri, &scheme, &host);
			int ret = name_write(&value, host);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return rest_write(&value);
}

int mail_ulabel_mailbox(mail_str_t mailbox, mail_buf_t *out, mail_diag_t *diag)
{
	value_t value = { mailbox, 0, out, diag };
	const char *at = memrchr(mailbox.data, '@', mailbox.len);
	size_t local = 0;
	if (at != NULL && (at == mailbox.data || at[-1] != '\\')) {
		local = (size_t)(at - mailbox.data) + 1;
	}
	return name_write(&value, mail_str_from(mailbox, local));
}

/*! Find the type of a record, which follows the owner, a TTL and a class. \param pos Is moved behind it. */
static uint16_t record_type(mail_str_t record, size_t *pos)
{
	mail_str_t word;
	while (mail_str_word(record, pos, &word)) {
		char name[16];
		uint16_t type;
		if (mail_char_digit(word.data[0]) || mail_str_is_nocase(word, "IN")) {
			continue;
		}
		if (word.len >= sizeof(name)) {
			return 0;
		}
		memcpy(name, word.data, word.len);
		name[word.len] = '\0';
		return knot_rrtype_from_string(name, &type) == 0 ? type : 0;
	}
	return 0;
}

int mail_ulabel_record(mail_str_t record, mail_buf_t *out, mail_diag_t *diag)
{
	value_t value = { record, 0, out, diag };
	mail_record_parse_t p = { .text = record, .diag = diag };
	mail_str_t owner, piece;
	bool quoted;
	if (!mail_str_word(record, &p.pos, &owner)) {
		return rest_write(&value);
	}
	int ret = name_write(&value, owner);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!mail_record_has_names(record_type(record, &p.pos))) {
		return rest_write(&value);
	}
	while (p.pos < record.len) {
		ret = mail_record_piece(&p, &p.pos, &piece, &quoted);
		if (ret == KNOT_EOK && !quoted) {
			ret = name_write(&value, piece);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return rest_write(&value);
}
