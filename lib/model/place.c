/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records that were pasted in place of values: which of them an item takes. record/paste.c takes the text apart,
 * place_owner.c looks at its names, place_put.c has the table of what each item takes, and makes its values.
 */
#include "model/place.h"

#include "mail/chars.h"

#define TXT KNOT_RRTYPE_TXT
#define PEM_BEGIN "-----BEGIN "
/* No type of a record has as many characters, nor has a word that tools print. */
#define KEY_TEXT_MIN 40

static const mail_form_t *form_of(mail_item_id_t item)
{
	for (size_t i = 0; mail_forms[i].put != NULL; i++) {
		if (mail_forms[i].item == item) {
			return &mail_forms[i];
		}
	}
	return NULL;
}

static bool has_version(mail_str_t text, const char *version)
{
	text = mail_str_trim(text);
	return mail_form_behind(text, version).len < text.len;
}

static bool takes_type(const mail_form_t *form, uint16_t type)
{
	if (form->types[0] == 0) {
		return type != KNOT_RRTYPE_RRSIG;
	}
	return type == form->types[0] || type == form->types[1];
}

/*! Return the item that a text with a version belongs to, or NULL. */
static const char *item_of(mail_str_t text)
{
	for (size_t i = 0; mail_forms[i].put != NULL; i++) {
		if (mail_forms[i].version != NULL && has_version(text, mail_forms[i].version) &&
		    mail_forms[i].item != MAIL_ITEM_MTA_STS) {
			return mail_forms[i].item == MAIL_ITEM_KEY
			               ? "a dkim entry"
			               : mail_item_get(mail_forms[i].item)->name;
		}
	}
	return NULL;
}

/* --- Records with a type --- */

/*! Return whether the text of a record is one of the item: it may leave the version out, but has no other. */
static bool is_version(const mail_form_t *form, const mail_pasted_t *record)
{
	const mail_str_t text = mail_buf_view(&record->text);
	if (form->version == NULL || (record->type != 0 && record->type != TXT) ||
	    has_version(text, form->version)) {
		return true;
	}
	/* A key record need not have one (RFC 6376 3.6.1). */
	return form->item == MAIL_ITEM_KEY && !mail_str_starts(mail_str_trim(text), "v=");
}

/*! Say what none of the records was. */
static int refuse_all(const mail_place_t *place, const mail_form_t *form, const mail_paste_t *paste)
{
	const mail_pasted_t *first = &paste->records[0];
	char type[16] = "", want[16] = "";
	(void)knot_rrtype_to_string(first->type, type, sizeof(type));
	(void)knot_rrtype_to_string(form->types[0], want, sizeof(want));
	if (!takes_type(form, first->type)) {
		return mail_diag_error(place->diag, first->at + 1,
		                       "%s takes records of type %s, and this one is %s",
		                       place->item->name, want, type);
	}
	const char *other = item_of(mail_buf_view(&first->text));
	if (other != NULL) {
		return mail_diag_error(place->diag, first->at + 1,
		                       "this record does not begin with %s: it belongs to %s",
		                       form->version, other);
	}
	return mail_diag_error(place->diag, first->at + 1,
	                       "this record does not begin with %s, as one of %s does",
	                       form->version, place->item->name);
}

/*! Say at which record a value was refused: of the value nobody has seen more than that. \return ret. */
static int at_record(const mail_place_t *place, const mail_pasted_t *record, int ret)
{
	if (place->diag != NULL) {
		place->diag->column = (uint32_t)record->at + 1;
	}
	return ret;
}

/*! Put each record that the item takes. */
static int put_records(const mail_place_t *place, const mail_form_t *form,
                       const mail_paste_t *paste)
{
	const bool list = (place->item->flags & MAIL_FLAG_LIST) != 0;
	size_t used = 0, misfits = 0, others = 0;
	int ret = KNOT_EOK;
	mail_place_t quiet = *place;
	quiet.diag = NULL;
	for (size_t i = 0; i < paste->count; i++) {
		const mail_pasted_t *record = &paste->records[i];
		const mail_str_t owner = mail_buf_view(&record->owner);
		if (!takes_type(form, record->type) || !is_version(form, record)) {
			others += record->type != KNOT_RRTYPE_RRSIG;
			continue;
		}
		/* Of several, one may be meant; of a list, all are. */
		if (!list && i + 1 < paste->count &&
		    mail_place_owner(&quiet, owner, form->owner, form->host) != KNOT_EOK) {
			misfits++;
			continue;
		}
		if (!list && used > 0 &&
		    mail_place_owner(&quiet, owner, form->owner, form->host) != KNOT_EOK) {
			misfits++;
			continue;
		}
		ret = mail_place_owner(place, owner, form->owner, form->host);
		if (ret == KNOT_EOK) {
			ret = form->put(place, form, record);
		}
		if (ret != KNOT_EOK) {
			return at_record(place, record, ret);
		}
		used++;
	}
	if (used == 0) {
		return refuse_all(place, form, paste);
	}
	if (others + misfits > 0) {
		mail_diag_warn(
			place->diag,
			"%zu of the %zu pasted records do not belong here, and were left out",
			others + misfits, paste->count);
	}
	if (paste->stray > 0) {
		mail_diag_warn(place->diag, "a line that is no record was passed over");
	}
	return KNOT_EOK;
}

/* --- RDATA alone --- */

/*! Join the texts of all lines: a long record has several. */
static int join(const mail_paste_t *paste, mail_pasted_t *whole)
{
	*whole = (mail_pasted_t){ .quoted = true };
	for (size_t i = 0; i < paste->count; i++) {
		const mail_pasted_t *record = &paste->records[i];
		if (i > 0 && !record->quoted) {
			mail_buf_u8(&whole->text, ' ');
		}
		if (record->text.len > 0) {
			mail_buf_put(&whole->text, record->text.data, record->text.len);
		}
		whole->quoted = whole->quoted && record->quoted;
	}
	return whole->text.error;
}

/*! Put a text of tags or terms that has no type before it. */
static int put_bare_text(const mail_place_t *place, const mail_form_t *form,
                         const mail_paste_t *paste, mail_str_t text, bool *taken)
{
	mail_pasted_t whole = { .at = 0 };
	int ret = KNOT_EOK;
	*taken = true;
	/* dig +short prints all TXT records of a name, each on a line: one of them is meant. */
	for (size_t i = 0; i < paste->count && form->item != MAIL_ITEM_KEY; i++) {
		if (paste->count > 1 && paste->records[i].quoted &&
		    has_version(mail_buf_view(&paste->records[i].text), form->version)) {
			return form->put(place, form, &paste->records[i]);
		}
	}
	ret = join(paste, &whole);
	if (ret != KNOT_EOK) {
		goto done;
	}
	const mail_str_t said = mail_str_trim(mail_buf_view(&whole.text));
	const char *other = item_of(said);
	const bool versed = has_version(said, form->version);
	/* A plain value of DMARC is one tag. */
	const bool tags = (form->tag != NULL && mail_str_starts(said, form->tag)) ||
	                  (form->item == MAIL_ITEM_DMARC && mail_str_find(said, ";") < said.len);
	if (other != NULL && !versed) {
		ret = mail_diag_error(place->diag, 1,
		                      "this is no record that begins with %s: it belongs to %s",
		                      form->version, other);
	} else if (versed || tags || form->item == MAIL_ITEM_KEY) {
		ret = form->put(place, form, &whole);
	} else if (!mail_str_equal(said, mail_str_trim(text))) {
		ret = mail_place_add(place, said);
	} else {
		*taken = false;
	}
	if (ret != KNOT_EOK && !mail_str_equal(said, mail_str_trim(text))) {
		(void)at_record(place, &paste->records[0], ret);
	}
done:
	mail_buf_free(&whole.text);
	return ret;
}

/*! Put lines of RDATA that have no type before them. */
static int put_bare_rdata(const mail_place_t *place, const mail_form_t *form,
                          const mail_paste_t *paste, mail_str_t text, bool *taken)
{
	const bool list = (place->item->flags & MAIL_FLAG_LIST) != 0;
	*taken = paste->count > 1 ||
	         (paste->count == 1 &&
	          !mail_str_equal(mail_buf_view(&paste->records[0].text), mail_str_trim(text)));
	if (!*taken || (paste->count > 1 && !list)) {
		*taken = false;
		return KNOT_EOK;
	}
	for (size_t i = 0; i < paste->count; i++) {
		int ret = form->put(place, form, &paste->records[i]);
		if (ret != KNOT_EOK) {
			return at_record(place, &paste->records[i], ret);
		}
	}
	return KNOT_EOK;
}

/*! Return whether a text for txt is strings in quotes, or has a record of such: else it is a text to the letter. */
static bool is_txt(const mail_paste_t *paste)
{
	for (size_t i = 0; i < paste->count; i++) {
		const mail_pasted_t *record = &paste->records[i];
		const bool said = record->text.len > 0 &&
		                  (record->quoted || (record->type == TXT && record->certain));
		if (record->type == 0 && !said) {
			return false;
		}
		if (record->type == TXT && said) {
			return true;
		}
	}
	return paste->count > 0 && paste->records[0].type == 0;
}

static int put_all(const mail_place_t *place, const mail_form_t *form, const mail_paste_t *paste,
                   mail_str_t text, bool *taken)
{
	const mail_pasted_t *first = paste->records;
	*taken = paste->count > 0;
	if (paste->count == 0 || (form->item == MAIL_ITEM_TXT && !is_txt(paste)) ||
	    (first->type != 0 && !first->certain && !takes_type(form, first->type))) {
		*taken = false;
		return KNOT_EOK;
	}
	if (first->type != 0) {
		return put_records(place, form, paste);
	}
	if (form->version != NULL) {
		return put_bare_text(place, form, paste, text, taken);
	}
	return put_bare_rdata(place, form, paste, text, taken);
}

static void note_warning(void *ctx, const char *text)
{
	(void)text;
	*(bool *)ctx = true;
}

/*!
 * Return whether a text is a value as it stands. Some items take nearly all, so nothing can be told by that.
 *
 * \param value   Out: the value, normalised.
 * \param warned  Out: somebody has to be warned of it.
 */
static bool is_plain(const mail_item_t *item, mail_str_t text, mail_buf_t *value, bool *warned)
{
	mail_diag_t diag = { .warn = note_warning, .warn_ctx = warned };
	mail_str_t word;
	size_t pos = 0;
	/* The type CAA passes for a tag, the class for an owner; but a name may be "in", as values are stored. */
	if (item->id == MAIL_ITEM_KEY || item->id == MAIL_ITEM_TXT || item->id == MAIL_ITEM_CAA ||
	    (mail_str_word(text, &pos, &word) && mail_str_is(word, "IN"))) {
		return false;
	}
	return mail_item_normalise(item, text, value, &diag) == KNOT_EOK;
}

/*! Return whether a text for txt is one word without quotes: no record is, so that it is one to the letter. */
static bool is_word(const mail_place_t *place, mail_str_t text)
{
	if (place->item->id != MAIL_ITEM_TXT) {
		return false;
	}
	return mail_str_plain(text, 0) == text.len && memchr(text.data, ' ', text.len) == NULL &&
	       memchr(text.data, '"', text.len) == NULL;
}

/*! Return whether a text is the base64 of a key in one piece, and nothing else. */
static bool is_base64_key(const mail_place_t *place, mail_str_t text)
{
	if (place->item->id != MAIL_ITEM_KEY || text.len < KEY_TEXT_MIN) {
		return false;
	}
	while (text.len > 0 && text.data[text.len - 1] == '=') {
		text.len--;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (mail_char_base64(text.data[i]) < 0) {
			return false;
		}
	}
	return true;
}

int mail_place_paste(const mail_place_t *place, mail_str_t text, bool *taken)
{
	const mail_form_t *form = form_of(place->item->id);
	mail_paste_t paste;
	mail_buf_t value = { 0 };
	bool warned = false;
	int ret = KNOT_EOK;
	*taken = false;
	if (form == NULL || place->op == MAIL_OP_NONE || is_word(place, text)) {
		return KNOT_EOK;
	}
	if (is_base64_key(place, text)) {
		const mail_pasted_t key = {
			.text = { .data = (uint8_t *)text.data, .len = text.len },
		};
		*taken = true;
		return form->put(place, form, &key);
	}
	if (is_plain(place->item, text, &value, &warned)) {
		/* To check it once is enough, unless there is something to tell. */
		*taken = !warned && !mail_str_is(text, "none");
		if (*taken) {
			ret = mail_place_put(place, mail_buf_view(&value));
		}
		mail_buf_free(&value);
		return ret;
	}
	mail_buf_free(&value);
	ret = mail_paste_read(text, &paste, place->diag);
	if (ret == KNOT_EINVAL && form->item == MAIL_ITEM_TXT) {
		mail_paste_free(&paste);
		return KNOT_EOK;
	}
	if (ret != KNOT_EOK) {
		*taken = true;
		goto done;
	}
	/* What stands in quotes is all of a text, whatever it is. */
	if (form->item != MAIL_ITEM_TXT) {
		mail_paste_inner(&paste);
	}
	/* A file of PEM alone is read as such. */
	if (form->item == MAIL_ITEM_KEY && text.len > 0 &&
	    memmem(text.data, text.len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL &&
	    (paste.count == 0 || paste.records[0].type == 0)) {
		goto done;
	}
	ret = put_all(place, form, &paste, text, taken);
done:
	mail_paste_free(&paste);
	return ret;
}

bool mail_place_literal(mail_str_t text)
{
	mail_paste_t paste;
	int ret = mail_paste_read(text, &paste, NULL);
	const bool literal = ret != KNOT_EOK || paste.count == 0 || !is_txt(&paste);
	mail_paste_free(&paste);
	return literal;
}
