/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "record/literal.h"

#include "record/literal_rdata.h"

/* RFC 6895 3.1: data types end here, Q and meta types follow. */
#define META_FIRST 128
#define META_LAST 255

#define TYPE_ZONEMD 63

/*! Control characters would let one value be several lines of a zone file. */
static int octets_check(const mail_record_parse_t *p)
{
	for (size_t i = mail_str_plain(p->text, 0); i < p->text.len; i++) {
		uint8_t c = (uint8_t)p->text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return mail_diag_error(p->diag, i + 1,
			                       "octet \\%03u in a record: "
			                       "a record is one line",
			                       c);
		}
	}
	return KNOT_EOK;
}

static int owner_parse(mail_record_parse_t *p)
{
	mail_str_t owner;
	if (!mail_str_word(p->text, &p->pos, &owner)) {
		return mail_diag_error(
			p->diag, 0, "a record is OWNER [TTL] TYPE RDATA, as \"www A 192.0.2.80\"");
	}
	if (owner.data[0] == '$') {
		return mail_diag_error(p->diag, mail_record_column(p, owner.data),
		                       "\"%.*s\": directives have no place here", MAIL_SHOW(owner));
	}
	int ret = mail_pattern_parse(owner, &p->record->owner, p->diag);
	return mail_diag_shift(p->diag, ret, mail_record_column(p, owner.data) - 1);
}

/*! RFC 3597 5: CLASSn. */
static bool is_other_class(mail_str_t word)
{
	return mail_str_is_nocase(word, "CH") || mail_str_is_nocase(word, "CS") ||
	       mail_str_is_nocase(word, "HS") || mail_str_is_nocase(word, "NONE") ||
	       (word.len > 5 && mail_str_is_nocase((mail_str_t){ word.data, 5 }, "CLASS"));
}

/*!
 * Read what stands between owner and RDATA, RFC 1035 5.1:
 *
 *     [ TTL ] [ class ] type / [ class ] [ TTL ] type
 */
static int header_parse(mail_record_parse_t *p)
{
	mail_str_t word;
	bool class_seen = false;
	while (mail_str_word(p->text, &p->pos, &word)) {
		if (mail_char_digit(word.data[0]) && p->ttl.len == 0) {
			p->ttl = word;
		} else if (mail_str_is_nocase(word, "IN") && !class_seen) {
			class_seen = true;
		} else if (is_other_class(word)) {
			return mail_diag_error(p->diag, mail_record_column(p, word.data),
			                       "class \"%.*s\": only IN is served",
			                       MAIL_SHOW(word));
		} else {
			p->type = word;
			break;
		}
	}
	if (p->type.len == 0) {
		return mail_diag_error(p->diag, 0,
		                       "a record needs a type, as \"www A 192.0.2.80\"");
	}
	char name[16];
	if (p->type.len < sizeof(name)) {
		memcpy(name, p->type.data, p->type.len);
		name[p->type.len] = '\0';
		if (knot_rrtype_from_string(name, &p->record->type) == 0) {
			return KNOT_EOK;
		}
	}
	return mail_diag_error(p->diag, mail_record_column(p, p->type.data),
	                       "\"%.*s\" is not a record type", MAIL_SHOW(p->type));
}

/*! Return why a type cannot be a literal record, or NULL. */
static const char *type_refusal(uint16_t type)
{
	if (type == KNOT_RRTYPE_SOA) {
		return "the SOA is made from the policy";
	}
	if (type == KNOT_RRTYPE_NS) {
		return "NS of the domain are the item ns, of names below it the item delegation";
	}
	if (type == KNOT_RRTYPE_SPF) {
		return "SPF records are TXT (RFC 7208 3.1)";
	}
	if (knot_rrtype_is_dnssec(type) || type == KNOT_RRTYPE_DS || type == KNOT_RRTYPE_NXT ||
	    type == TYPE_ZONEMD) {
		return "DNSSEC records are made where they are needed";
	}
	if (type == 0 || type == UINT16_MAX || type == KNOT_RRTYPE_OPT ||
	    type == KNOT_RRTYPE_NULL || knot_rrtype_is_metatype(type) ||
	    (type >= META_FIRST && type <= META_LAST)) {
		return "no data have this type";
	}
	return NULL;
}

/*! Check type and owner against what the record is for. */
static int purpose_check(const mail_record_parse_t *p, bool delegation)
{
	const mail_pattern_t *owner = &p->record->owner;
	uint16_t type = p->record->type;
	if (!delegation) {
		const char *why = type_refusal(type);
		if (why != NULL) {
			return mail_diag_error(p->diag, mail_record_column(p, p->type.data),
			                       "type %.*s: %s", MAIL_SHOW(p->type), why);
		}
		return KNOT_EOK;
	}
	if (type != KNOT_RRTYPE_NS && type != KNOT_RRTYPE_DS) {
		return mail_diag_error(p->diag, mail_record_column(p, p->type.data),
		                       "type %.*s: a delegation is NS and DS", MAIL_SHOW(p->type));
	}
	if (owner->hole && owner->head_len == 0 && owner->tail_len == 0) {
		return mail_diag_error(p->diag, 1, "a delegation is for a name below the domain");
	}
	/* RFC 4592 4.2 */
	if (owner->head_len > 1 && owner->head[0] == 1 && owner->head[1] == '*') {
		return mail_diag_error(p->diag, 1, "a wildcard cannot be delegated");
	}
	return KNOT_EOK;
}

int mail_record_parse(mail_str_t text, bool delegation, mail_record_t *record, mail_rdata_t *rdata,
                      mail_diag_t *diag)
{
	mail_record_parse_t p = { .text = text, .record = record, .rdata = rdata, .diag = diag };
	memset(record, 0, sizeof(*record));
	int ret = octets_check(&p);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = owner_parse(&p);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = header_parse(&p);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = purpose_check(&p, delegation);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_record_body(&p);
}

int mail_address_render(mail_str_t text, uint16_t *type, mail_rdata_t *rdata, mail_diag_t *diag)
{
	uint8_t address[16];
	const size_t len = mail_str_address(text, address);
	if (len == 0) {
		return mail_diag_error(diag, text.len > 0,
		                       "\"%.*s\" is not an IPv4 or IPv6 address", MAIL_SHOW(text));
	}
	*type = len == 4 ? KNOT_RRTYPE_A : KNOT_RRTYPE_AAAA;
	return mail_rdata_octets(rdata, address, len);
}
