/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a record that was pasted: the values of its item, and of the items that belong to it. */
#include "model/place.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/dmarc.h"

/* No port of TLSA is given: that of SMTP. */
#define TLSA_PORT_DEFAULT 25

/* --- Values --- */

/*! Add a value to an item beside the one that is pasted into. */
static int add_to(const mail_place_t *place, mail_item_id_t item, mail_op_t op, mail_str_t text)
{
	mail_place_t other = *place;
	other.item = mail_item_get(item);
	other.op = op;
	const mail_member_t *member = mail_entry_member(place->entry, item, op);
	if (member != NULL && member->count == 1 && mail_str_equal(member->values[0].text, text)) {
		return KNOT_EOK;
	}
	if (member != NULL) {
		return mail_diag_error(place->diag, 0,
		                       "the record says %s \"%.*s\", but you give %s, too: leave "
		                       "one of them out",
		                       other.item->name, MAIL_SHOW(text), other.item->name);
	}
	return mail_place_add(&other, text);
}

/*! Add what a buffer holds, and free it. */
static int add_buf(const mail_place_t *place, mail_buf_t *value)
{
	int ret = value->error;
	if (ret == KNOT_EOK) {
		ret = mail_place_add(place, mail_buf_view(value));
	}
	mail_buf_free(value);
	return ret;
}

static int put_rdata(const mail_place_t *place, const mail_form_t *form,
                     const mail_pasted_t *record)
{
	(void)form;
	return mail_place_add(place, mail_buf_view(&record->rdata));
}

static int put_text(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	(void)form;
	return mail_place_add(place, mail_buf_view(&record->text));
}

/*! OWNER [TTL] TYPE RDATA, as mail_record_parse() reads it. */
static int put_record(const mail_place_t *place, const mail_form_t *form,
                      const mail_pasted_t *record)
{
	char type[16];
	mail_buf_t value = { 0 };
	(void)form;
	if (record->type == 0) {
		return put_rdata(place, form, record);
	}
	if (record->owner.len == 0) {
		return mail_diag_error(place->diag, record->at + 1,
		                       "the record has no owner: write OWNER TYPE RDATA, with @ "
		                       "for the domain itself");
	}
	if (knot_rrtype_to_string(record->type, type, sizeof(type)) < 0) {
		return KNOT_EINVAL;
	}
	mail_buf_put(&value, record->owner.data, record->owner.len);
	if (record->ttl.len > 0) {
		mail_buf_printf(&value, " %.*s", MAIL_SHOW(record->ttl));
	}
	mail_buf_printf(&value, " %s ", type);
	mail_buf_put(&value, record->rdata.data, record->rdata.len);
	return add_buf(place, &value);
}

/*! SERVICE PRIORITY WEIGHT PORT HOST: the service is the first label of the owner. */
static int put_srv(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	mail_str_t owner = mail_buf_view(&record->owner);
	mail_buf_t value = { 0 };
	(void)form;
	if (owner.len > 0) {
		mail_buf_put(&value, owner.data, mail_str_find(owner, "."));
		mail_buf_u8(&value, ' ');
	}
	mail_buf_put(&value, record->rdata.data, record->rdata.len);
	return add_buf(place, &value);
}

/*! Warn of a record for a port at which the host has none. */
static void warn_port(const mail_place_t *place, mail_str_t owner)
{
	const mail_member_t *ports = mail_entry_member(place->entry, MAIL_ITEM_TLSA_PORT,
	                                               MAIL_OP_SET);
	uint32_t port, other;
	if (place->item->id != MAIL_ITEM_TLSA || !mail_str_starts(owner, "_") ||
	    !mail_str_number(mail_str_part(owner, 1, mail_str_find(owner, ".") - 1), UINT16_MAX,
	                     &port)) {
		return;
	}
	bool served = ports == NULL && port == TLSA_PORT_DEFAULT;
	for (size_t i = 0; ports != NULL && i < ports->count; i++) {
		served = served || (mail_str_number(ports->values[i].text, UINT16_MAX, &other) &&
		                    other == port);
	}
	if (!served) {
		mail_diag_warn(place->diag,
		               "the record is of port %u: tlsa-port says at which ports a host has "
		               "its TLSA records (25 without it)",
		               (unsigned)port);
	}
}

/*! USAGE SELECTOR MATCHING HEX; tools write the digits in groups. */
static int put_tlsa(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	mail_buf_t value = { 0 };
	mail_str_t word;
	size_t pos = 0;
	(void)form;
	for (size_t i = 0; mail_str_word(mail_buf_view(&record->rdata), &pos, &word); i++) {
		if (i > 0 && i <= 3) {
			mail_buf_u8(&value, ' ');
		}
		mail_buf_put(&value, word.data, word.len);
	}
	int ret = add_buf(place, &value);
	if (ret == KNOT_EOK) {
		warn_port(place, mail_buf_view(&record->owner));
	}
	return ret;
}

/* --- Texts with a version --- */

mail_str_t mail_form_behind(mail_str_t text, const char *version)
{
	const size_t len = strlen(version);
	text = mail_str_trim(text);
	if (text.len >= len && mail_str_is_nocase(mail_str_part(text, 0, len), version)) {
		return mail_str_trim(mail_str_from(text, len));
	}
	return text;
}

/*! Return whether a term of SPF is "all" with a qualifier. */
static bool is_all(mail_str_t term)
{
	return term.len == 4 && mail_char_in(term.data[0], "+-?~") &&
	       mail_str_is_nocase(mail_str_from(term, 1), "all");
}

static bool is_modifier(mail_str_t term)
{
	const size_t mark = mail_str_find(term, ":=/");
	return mark < term.len && term.data[mark] == '=';
}

/*! Write the terms of a record without "all", if only modifiers follow that. \param all Out: data NULL: it stays. */
static int terms_write(mail_str_t terms, mail_buf_t *out, mail_str_t *all, bool *redirect)
{
	mail_str_t term;
	size_t pos = 0, count = 0;
	*all = (mail_str_t){ NULL, 0 };
	while (mail_str_word(terms, &pos, &term)) {
		if (all->data != NULL && !is_modifier(term)) {
			*all = (mail_str_t){ NULL, 0 };
			break;
		}
		*redirect = *redirect ||
		            mail_str_is_nocase(mail_str_part(term, 0, mail_str_find(term, "=")),
		                               "redirect");
		if (is_all(term)) {
			*all = term;
			continue;
		}
		if (count++ > 0) {
			mail_buf_u8(out, ' ');
		}
		mail_buf_put(out, term.data, term.len);
	}
	if (all->data == NULL || out->len == 0) {
		out->len = 0;
		*all = (mail_str_t){ NULL, 0 };
		mail_buf_put(out, terms.data, terms.len);
	}
	return out->error;
}

/*! A whole record is its terms, and spf-all as the record ends. */
static int put_spf(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	const mail_str_t terms = mail_form_behind(mail_buf_view(&record->text), form->version);
	mail_str_t all, word;
	mail_buf_t value = { 0 };
	bool redirect = false, ends = false;
	size_t pos = 0;
	if (place->op == MAIL_OP_ADD) {
		return mail_diag_error(
			place->diag, 1,
			"a whole SPF record cannot be added to another one: give its "
			"terms, without v=spf1 and all");
	}
	int ret = terms_write(terms, &value, &all, &redirect);
	while (mail_str_word(terms, &pos, &word)) {
		ends = ends || is_all(word) || mail_str_is_nocase(word, "all");
	}
	if (ret != KNOT_EOK) {
		mail_buf_free(&value);
		return ret;
	}
	ret = add_buf(place, &value);
	if (ret == KNOT_EOK && all.data != NULL) {
		ret = add_to(place, MAIL_ITEM_SPF_ALL, MAIL_OP_SET, all);
	} else if (ret == KNOT_EOK && !ends && !redirect) {
		ret = add_to(place, MAIL_ITEM_SPF_ALL, MAIL_OP_NONE, MAIL_STR("none"));
	}
	return ret;
}

static int put_terms(const mail_place_t *place, const mail_form_t *form,
                     const mail_pasted_t *record)
{
	return mail_place_add(place, mail_form_behind(mail_buf_view(&record->text), form->version));
}

/*! Take the next tag of a record behind its version. \return false at the end. */
static bool tag_next(mail_str_t tags, size_t *pos, mail_str_t *name, mail_str_t *value,
                     mail_str_t *tag)
{
	while (tags.len > 0 && mail_str_piece(tags, ';', pos, tag)) {
		if (tag->len > 0) {
			(void)mail_str_tag(*tag, name, value);
			return true;
		}
	}
	return false;
}

/*! Each tag of DMARC is a value of its own. */
static int put_dmarc(const mail_place_t *place, const mail_form_t *form,
                     const mail_pasted_t *record)
{
	const mail_str_t tags = mail_form_behind(mail_buf_view(&record->text), form->version);
	mail_str_t tag, name, value;
	size_t pos = 0, count = 0;
	for (; tag_next(tags, &pos, &name, &value, &tag); count++) {
		int ret = mail_place_add(place, tag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return count > 0 ? KNOT_EOK
	                 : mail_diag_error(place->diag, 1, "the DMARC record has no tags");
}

/*! A tag that the item has no place for. */
static int tag_refuse(const mail_place_t *place, mail_str_t tag)
{
	return mail_diag_error(place->diag, 1,
	                       "the record has a tag '%.*s' that %s does not know; a record "
	                       "(item record) can have it",
	                       MAIL_SHOW(tag), place->item->name);
}

static int put_tlsrpt(const mail_place_t *place, const mail_form_t *form,
                      const mail_pasted_t *record)
{
	const mail_str_t tags = mail_form_behind(mail_buf_view(&record->text), form->version);
	mail_str_t tag, name, value, uri;
	size_t pos = 0;
	while (tag_next(tags, &pos, &name, &value, &tag)) {
		size_t at = 0;
		if (!mail_str_is(name, "rua")) {
			return tag_refuse(place, tag);
		}
		while (mail_str_piece(value, ',', &at, &uri)) {
			int ret = mail_place_add(place, uri);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

static int put_sts(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	const mail_str_t tags = mail_form_behind(mail_buf_view(&record->text), form->version);
	mail_str_t tag, name, value;
	size_t pos = 0;
	if (place->item->id == MAIL_ITEM_MTA_STS) {
		return mail_diag_error(place->diag, 1,
		                       "the record says no mode: mta-sts is enforce, testing, none "
		                       "or off; its id belongs to mta-sts-id");
	}
	while (tag_next(tags, &pos, &name, &value, &tag)) {
		if (!mail_str_is(name, "id")) {
			return tag_refuse(place, tag);
		}
		int ret = mail_place_add(place, value);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! [SELECTOR] L-URI [A-URI]: the selector is the first label of the owner. */
static int put_bimi(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	const mail_str_t tags = mail_form_behind(mail_buf_view(&record->text), form->version);
	const mail_str_t owner = mail_buf_view(&record->owner);
	mail_str_t tag, name, value, l = { NULL, 0 }, a = { NULL, 0 };
	mail_buf_t out = { 0 };
	size_t pos = 0;
	while (tag_next(tags, &pos, &name, &value, &tag)) {
		if (mail_str_is(name, "l")) {
			l = value;
		} else if (mail_str_is(name, "a")) {
			a = value;
		} else {
			return tag_refuse(place, tag);
		}
	}
	if (l.len == 0 && a.len > 0) {
		return mail_diag_error(place->diag, 1, "the record has no logo: l= is empty");
	}
	mail_buf_printf(&out, "%.*s ", (int)mail_str_find(owner, "."),
	                owner.len > 0 ? owner.data : "");
	if (l.len == 0) {
		mail_buf_str(&out, "none");
	} else {
		mail_buf_put(&out, l.data, l.len);
	}
	if (a.len > 0 && !mail_str_is(a, "self")) {
		mail_buf_u8(&out, ' ');
		mail_buf_put(&out, a.data, a.len);
	}
	return add_buf(place, &out);
}

/*! Add octets that were checked. */
static int add_checked(const mail_place_t *place, mail_item_id_t item, mail_str_t value)
{
	const mail_item_t *to = mail_item_get(item);
	const mail_member_t *member = mail_entry_member(place->entry, item, MAIL_OP_SET);
	if (member != NULL && mail_str_equal(member->values[0].text, value)) {
		return KNOT_EOK;
	}
	if (member != NULL && item == MAIL_ITEM_TAGS) {
		return mail_diag_error(place->diag, 0,
		                       "the record has tags of its own, but the item tags says "
		                       "\"%.*s\": leave that out, or paste the key (p=) alone",
		                       MAIL_SHOW(member->values[0].text));
	}
	int ret = mail_entry_add(place->entry, to, MAIL_OP_SET, value, place->line);
	switch (ret) {
	case KNOT_EEXIST: return mail_diag_error(place->diag, 0, "takes one value");
	case KNOT_ELIMIT:
		return mail_diag_error(place->diag, 0, "longer than %d octets", MAIL_VALUE_MAX);
	default: return ret;
	}
}

/*! A key, with the tags of its record; or the name at which somebody else has it. */
static int put_key(const mail_place_t *place, const mail_form_t *form, const mail_pasted_t *record)
{
	mail_buf_t key = { 0 }, tags = { 0 };
	(void)form;
	if (record->type == KNOT_RRTYPE_CNAME) {
		return add_to(place, MAIL_ITEM_CNAME, MAIL_OP_SET, mail_buf_view(&record->rdata));
	}
	int ret = mail_dkim_record_parse(mail_str_trim(mail_buf_view(&record->text)), &key, &tags,
	                                 place->diag);
	if (ret == KNOT_EOK) {
		ret = add_checked(place, MAIL_ITEM_KEY, mail_buf_view(&key));
	}
	if (ret == KNOT_EOK && tags.len > 0) {
		ret = add_checked(place, MAIL_ITEM_TAGS, mail_buf_view(&tags));
	}
	mail_buf_free(&key);
	mail_buf_free(&tags);
	return ret;
}

/* --- The table --- */

#define TXT KNOT_RRTYPE_TXT

/* clang-format off */
const mail_form_t mail_forms[] = {
	{ MAIL_ITEM_DELEGATION, .types = { KNOT_RRTYPE_NS, KNOT_RRTYPE_DS }, .put = put_record },
	{ MAIL_ITEM_MX, .types = { KNOT_RRTYPE_MX }, .owner = "", .put = put_rdata },
	{ MAIL_ITEM_SPF, .types = { TXT, KNOT_RRTYPE_SPF }, .owner = "", .version = "v=spf1",
	  .put = put_spf },
	{ MAIL_ITEM_DMARC, .types = { TXT }, .owner = "_dmarc", .version = MAIL_DMARC_VERSION,
	  .put = put_dmarc },
	{ MAIL_ITEM_TLS_RPT, .types = { TXT }, .owner = "_smtp._tls", .version = "v=TLSRPTv1",
	  .tag = "rua=", .put = put_tlsrpt },
	{ MAIL_ITEM_MTA_STS, .types = { TXT }, .owner = "_mta-sts", .version = "v=STSv1",
	  .put = put_sts },
	{ MAIL_ITEM_MTA_STS_ID, .types = { TXT }, .owner = "_mta-sts", .version = "v=STSv1",
	  .tag = "id=", .put = put_sts },
	{ MAIL_ITEM_MTA_STS_HOST, .types = { KNOT_RRTYPE_CNAME }, .owner = "mta-sts",
	  .put = put_rdata },
	{ MAIL_ITEM_SRV, .types = { KNOT_RRTYPE_SRV }, .owner = "*._tcp", .put = put_srv },
	{ MAIL_ITEM_AUTOCONFIG, .types = { KNOT_RRTYPE_CNAME }, .owner = "autoconfig",
	  .put = put_rdata },
	{ MAIL_ITEM_AUTODISCOVER, .types = { KNOT_RRTYPE_CNAME }, .owner = "autodiscover",
	  .put = put_rdata },
	{ MAIL_ITEM_BIMI, .types = { TXT }, .owner = "*._bimi", .version = "v=BIMI1",
	  .tag = "l=", .put = put_bimi },
	{ MAIL_ITEM_CAA, .types = { KNOT_RRTYPE_CAA }, .owner = "", .put = put_rdata },
	{ MAIL_ITEM_TXT, .types = { TXT }, .owner = "", .put = put_text },
	{ MAIL_ITEM_RECORD, .put = put_record },
	{ MAIL_ITEM_NS, .types = { KNOT_RRTYPE_NS }, .owner = "", .put = put_rdata },
	{ MAIL_ITEM_ADDRESS, .types = { KNOT_RRTYPE_A, KNOT_RRTYPE_AAAA }, .owner = "",
	  .host = true, .put = put_rdata },
	{ MAIL_ITEM_TLSA, .types = { KNOT_RRTYPE_TLSA }, .owner = "*._tcp", .host = true,
	  .put = put_tlsa },
	{ MAIL_ITEM_HELO_SPF, .types = { TXT, KNOT_RRTYPE_SPF }, .owner = "", .host = true,
	  .version = "v=spf1", .put = put_terms },
	{ MAIL_ITEM_CURRENT, .types = { KNOT_RRTYPE_TLSA }, .put = put_tlsa },
	{ MAIL_ITEM_NEXT, .types = { KNOT_RRTYPE_TLSA }, .put = put_tlsa },
	{ MAIL_ITEM_KEY, .types = { TXT, KNOT_RRTYPE_CNAME }, .owner = "", .version = "v=DKIM1",
	  .put = put_key },
	{ MAIL_ITEM_CNAME, .types = { KNOT_RRTYPE_CNAME }, .owner = "", .put = put_rdata },
	{ .put = NULL },
};
/* clang-format on */
