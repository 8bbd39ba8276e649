/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The literal records that most domains have, without libzscanner, whose start costs far more than all else about them:
 *
 *     rdata  = address / name / preference " " name / DQUOTE *255text DQUOTE    ; by the type
 *     name   = "@" / 1*( ALPHA / DIGIT / "-" / "_" / "." )
 *     text   = %x20-21 / %x23-5B / %x5D-7E                                      ; no hole in it
 *
 * What is read here is read as the scanner reads it, but whatever is unusual or wrong is left to that.
 */
#include "record/literal_rdata.h"

/*! No name is so long that the stand-in of the scanner does not fit. */
#define NAME_TEXT_MAX 200
/*! A <character-string>, RFC 1035 3.3. */
#define STRING_MAX 255
/*! RFC 2181 8 */
#define TTL_MAX 0x7fffffff

/* What reads RDATA returns false when the scanner has to. Errors of memory stick to the buffer. */

static bool address_read(const mail_record_parse_t *p, mail_str_t rest)
{
	uint8_t address[16];
	const size_t len = mail_str_address(rest, address);
	if (len != (p->record->type == KNOT_RRTYPE_A ? 4 : 16)) {
		return false;
	}
	(void)mail_rdata_octets(p->rdata, address, len);
	return true;
}

static bool host_read(mail_str_t rest, mail_pattern_t *pattern)
{
	bool plain = rest.len > 0 && rest.len <= NAME_TEXT_MAX;
	for (size_t i = 0; i < rest.len && plain; i++) {
		plain = mail_char_alnum(rest.data[i]) || mail_char_in(rest.data[i], "-_.");
	}
	return (plain || mail_str_is(rest, "@")) &&
	       mail_host_parse(rest, false, pattern, NULL) == KNOT_EOK;
}

static bool name_read(const mail_record_parse_t *p, mail_str_t rest)
{
	mail_pattern_t pattern;
	if (!host_read(rest, &pattern)) {
		return false;
	}
	(void)mail_rdata_pattern(p->rdata, &pattern);
	return true;
}

static bool mx_read(const mail_record_parse_t *p, mail_str_t rest)
{
	mail_str_t words[3];
	mail_pattern_t pattern;
	uint32_t preference;
	if (mail_str_words(rest, words, 3) != 2 || words[0].len > 5 ||
	    !mail_str_number(words[0], UINT16_MAX, &preference) || !host_read(words[1], &pattern)) {
		return false;
	}
	(void)mail_rdata_u16(p->rdata, (uint16_t)preference);
	(void)mail_rdata_pattern(p->rdata, &pattern);
	return true;
}

static bool txt_read(const mail_record_parse_t *p, mail_str_t rest)
{
	if (rest.len < 3 || rest.data[0] != '"' || rest.data[rest.len - 1] != '"') {
		return false;
	}
	const mail_str_t text = mail_str_part(rest, 1, rest.len - 2);
	if (text.len > STRING_MAX || mail_str_plain(text, 0) != text.len ||
	    memchr(text.data, '"', text.len) != NULL || memchr(text.data, '\\', text.len) != NULL ||
	    memmem(text.data, text.len, MAIL_HOLE, strlen(MAIL_HOLE)) != NULL) {
		return false;
	}
	(void)mail_rdata_u8(p->rdata, (uint8_t)text.len);
	(void)mail_rdata_octets(p->rdata, text.data, text.len);
	return true;
}

static bool rdata_read(const mail_record_parse_t *p, mail_str_t rest)
{
	switch (p->record->type) {
	case KNOT_RRTYPE_A:
	case KNOT_RRTYPE_AAAA: return address_read(p, rest);
	case KNOT_RRTYPE_CNAME:
	case KNOT_RRTYPE_NS: return name_read(p, rest);
	case KNOT_RRTYPE_MX: return mx_read(p, rest);
	case KNOT_RRTYPE_TXT: return txt_read(p, rest);
	default: return false;
	}
}

int mail_record_quick(const mail_record_parse_t *p)
{
	const mail_str_t rest = mail_str_trim(mail_str_from(p->text, p->pos));
	uint32_t ttl = 0;
	if ((p->ttl.len > 0 && !mail_str_number(p->ttl, TTL_MAX, &ttl)) || !rdata_read(p, rest)) {
		return KNOT_ENOENT;
	}
	p->record->has_ttl = p->ttl.len > 0;
	p->record->ttl = ttl;
	return p->rdata->ops.error;
}
