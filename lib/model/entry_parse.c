/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ids and values as somebody wrote them, as those of an entry. */

#include "mail/entry.h"

#include "dns/idna.h"
#include "mail/chars.h"
#include "model/internal.h"
#include "model/place.h"
#include "record/paste.h"

/*! Convert the names of an id to A-labels, and write it. */
static int id_convert(mail_section_t section, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	bool names = section == MAIL_SECTION_DOMAIN || section == MAIL_SECTION_DKIM;
	if (!names || mail_str_is_ascii(text) || mail_str_starts(text, "policy:")) {
		return mail_entry_id_write(section, text, out, diag);
	}
	/* A selector has letters, digits, - and _ only; the last slash stands before it. */
	mail_str_t name = text;
	const char *slash = memrchr(text.data, '/', text.len);
	if (section == MAIL_SECTION_DKIM && slash != NULL) {
		name.len = (size_t)(slash - text.data);
	}
	mail_buf_t ascii = { 0 };
	int ret = mail_idna_write(name, &ascii, diag);
	if (ret == KNOT_EOK) {
		ret = mail_buf_put(&ascii, text.data + name.len, text.len - name.len);
	}
	if (ret == KNOT_EOK) {
		ret = mail_entry_id_write(section, mail_buf_view(&ascii), out, diag);
	}
	mail_buf_free(&ascii);
	return ret;
}

int mail_entry_id_normalise(mail_section_t section, mail_str_t text, mail_buf_t *out,
                            mail_diag_t *diag)
{
	int ret = id_convert(section, text, out, diag);
	if (ret == KNOT_EINVAL && section == MAIL_SECTION_DOMAIN) {
		/* A better reason, if there is one. */
		(void)mail_domain_slip(text, diag);
	}
	return ret;
}

/*! Give the reason for what mail_entry_add() refused. */
static int add_refused(int ret, const mail_entry_t *entry, const mail_item_t *item, mail_op_t op,
                       mail_diag_t *diag)
{
	const mail_member_t *member = mail_entry_member(entry, item->id, op);
	switch (ret) {
	case KNOT_ENOMEM: return ret;
	case KNOT_ELIMIT: return mail_diag_error(diag, 0, "more than %d values", MAIL_LIST_MAX);
	case KNOT_EEXIST:
		if (op == MAIL_OP_NONE || member == NULL) {
			return mail_diag_error(diag, 0, "none stands alone");
		}
		return mail_diag_error(diag, 0,
		                       (item->flags & MAIL_FLAG_BYTAG) != 0 ? "a tag is given twice"
		                                                            : "takes one value");
	default: break;
	}
	if ((item->sections & (1u << entry->section)) == 0) {
		return mail_diag_error(diag, 0, "no item of section %s",
		                       mail_section_name(entry->section));
	}
	if (op == MAIL_OP_NONE) {
		return mail_diag_error(
			diag, 0,
			"none removes what is inherited, but %s is not inherited: leave the item out",
			item->name);
	}
	if ((item->flags & MAIL_FLAG_BYTAG) != 0) {
		return mail_diag_error(diag, 0, "its tags are merged already: write %s",
		                       item->name);
	}
	return mail_diag_error(diag, 0, "it is no list: write %s", item->name);
}

/*! Return whether a list has a value already. Tags tell for themselves. */
static bool has_value(const mail_entry_t *entry, const mail_item_t *item, mail_op_t op,
                      mail_str_t value)
{
	const mail_member_t *member = mail_entry_member(entry, item->id, op);
	if ((item->flags & MAIL_FLAG_LIST) == 0 || (item->flags & MAIL_FLAG_BYTAG) != 0) {
		return false;
	}
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		if (mail_str_equal(member->values[i].text, value)) {
			return true;
		}
	}
	return false;
}

int mail_place_put(const mail_place_t *place, mail_str_t value)
{
	const mail_item_t *item = place->item;
	if (has_value(place->entry, item, place->op, value)) {
		/* Of a person, another one was meant. In a chain two issuers may have the same key. */
		return item->id == MAIL_ITEM_CURRENT || item->id == MAIL_ITEM_NEXT
		               ? KNOT_EOK
		               : mail_diag_error(place->diag, 0, "the same value is given twice");
	}
	int ret = mail_entry_add(place->entry, item, place->op, value, place->line);
	return ret == KNOT_EOK ? ret : add_refused(ret, place->entry, item, place->op, place->diag);
}

int mail_place_add(const mail_place_t *place, mail_str_t text)
{
	mail_entry_t *entry = place->entry;
	const mail_item_t *item = place->item;
	mail_diag_t *diag = place->diag;
	mail_op_t op = place->op;
	mail_buf_t value = { 0 };
	int ret;
	if (op != MAIL_OP_NONE && mail_str_is(text, "none") &&
	    (item->flags & MAIL_FLAG_NONE) == 0) {
		if (op == MAIL_OP_ADD) {
			ret = mail_diag_error(diag, 1, "none cannot be added to a list");
			goto done;
		}
		op = MAIL_OP_NONE;
	}
	if (op != MAIL_OP_NONE && mail_entry_knows(entry->section, item, op)) {
		ret = mail_item_normalise(item, text, &value, diag);
		if (ret == KNOT_EOK) {
			ret = mail_place_put(place, mail_buf_view(&value));
		}
		goto done;
	}
	ret = mail_entry_add(entry, item, op, mail_buf_view(&value), place->line);
	if (ret != KNOT_EOK) {
		ret = add_refused(ret, entry, item, op, diag);
	}
done:
	mail_buf_free(&value);
	return ret;
}

/*! Replace what looks like a plain character, and say so; a text is kept to the letter. */
static int clean(const mail_place_t *place, mail_str_t *text, mail_buf_t *cleaned)
{
	if (mail_str_is_ascii(*text) || !mail_paste_clean(*text, cleaned)) {
		return cleaned->error;
	}
	const bool mark = mail_str_starts(*text, "\xef\xbb\xbf");
	if (place->item->id == MAIL_ITEM_TXT && !mark) {
		mail_diag_warn(place->diag,
		               "typographic quotes, dashes or blanks stay in the text: "
		               "were plain ones meant?");
		return cleaned->error;
	}
	if (!mark) {
		mail_diag_warn(place->diag,
		               "typographic quotes, dashes or blanks are read as plain ones");
	}
	*text = mail_buf_view(cleaned);
	return cleaned->error;
}

int mail_entry_parse(mail_entry_t *entry, const mail_item_t *item, mail_op_t op, mail_str_t text,
                     uint32_t line, mail_diag_t *diag)
{
	const mail_place_t place = { entry, item, op, line, diag };
	mail_buf_t cleaned = { 0 };
	bool taken = false;
	int ret = clean(&place, &text, &cleaned);
	if (ret == KNOT_EOK && mail_entry_knows(entry->section, item, op)) {
		ret = mail_place_paste(&place, text, &taken);
	}
	if (ret == KNOT_EOK && !taken) {
		ret = mail_place_add(&place, text);
	}
	mail_buf_free(&cleaned);
	if (ret == KNOT_EINVAL && diag != NULL && diag->line == 0) {
		diag->line = line;
	}
	return ret;
}
