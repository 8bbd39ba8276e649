/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ids of entries, and the keys that they have in the store.
 *
 *   domain     the name in lookup format (mail/name.h)
 *   DKIM key   of a domain: SELECTOR._domainkey.DOMAIN in lookup format, so that a domain's keys are
 *              contiguous; of a policy: 00, the policy's id, 00, the selector in lookup format
 *   others     the id
 */
#include "mail/entry.h"

#include "mail/chars.h"
#include "mail/dkim_id.h"
#include "model/internal.h"

/*! Most octets of an id that is no name. */
#define ID_MAX 63

/*
 * id = ( ALPHA / DIGIT / "_" ) *62( ALPHA / DIGIT / "_" / "-" / "." )      ; but not "none"
 */
int mail_id_check(mail_str_t id, mail_diag_t *diag)
{
	if (id.len == 0) {
		return mail_diag_error(diag, 0, "an empty id");
	}
	for (size_t i = 0; i < id.len; i++) {
		char c = id.data[i];
		if (!mail_char_alnum(c) && c != '_' && (i == 0 || (c != '-' && c != '.'))) {
			return mail_diag_error(diag, i + 1,
			                       i == 0 ? "an id begins with a letter, a digit or _"
			                              : "an id has letters, digits, - _ . only");
		}
	}
	if (id.len > ID_MAX) {
		return mail_diag_error(diag, ID_MAX + 1, "an id has at most %d octets", ID_MAX);
	}
	if (mail_str_is(id, "none")) {
		return mail_diag_error(
			diag, 1, "\"none\" cannot be an id: it means that an item has no value");
	}
	return KNOT_EOK;
}

int mail_domain_parse(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag)
{
	int ret = mail_name_parse(text, name, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return name[0] != '\0' ? KNOT_EOK : mail_diag_error(diag, 1, "the root is no mail domain");
}

int mail_entry_id_write(mail_section_t section, mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	knot_dname_storage_t name;
	const size_t start = out->len;
	int ret;
	switch (section) {
	case MAIL_SECTION_DOMAIN:
		ret = mail_domain_parse(text, name, diag);
		if (ret == KNOT_EOK) {
			ret = mail_name_print(name, out);
		}
		break;
	case MAIL_SECTION_DKIM: ret = mail_dkim_id_normalise(text, out, diag); break;
	default:
		ret = mail_id_check(text, diag);
		if (ret == KNOT_EOK) {
			ret = mail_buf_put(out, text.data, text.len);
		}
		break;
	}
	if (ret != KNOT_EOK) {
		out->len = start;
	}
	return ret;
}

int mail_entry_key(mail_section_t section, mail_str_t id, mail_lf_storage_t *key)
{
	knot_dname_storage_t name;
	switch (section) {
	case MAIL_SECTION_DOMAIN:
		if (mail_domain_parse(id, name, NULL) != KNOT_EOK) {
			return KNOT_EINVAL;
		}
		mail_name_lf(name, key);
		return KNOT_EOK;
	case MAIL_SECTION_DKIM: return mail_dkim_id_key(id, key);
	default:
		if (mail_id_check(id, NULL) != KNOT_EOK) {
			return KNOT_EINVAL;
		}
		memcpy(key->data, id.data, id.len);
		key->len = id.len;
		return KNOT_EOK;
	}
}

/*! Print the id of a key, of which nobody knows yet whether it has that key. */
static int key_print(mail_section_t section, mail_lf_t key, mail_buf_t *out)
{
	knot_dname_storage_t name;
	switch (section) {
	case MAIL_SECTION_DOMAIN:
		return mail_name_from_lf(key, name) == KNOT_EOK ? mail_name_print(name, out)
		                                                : KNOT_EMALF;
	case MAIL_SECTION_DKIM: return mail_dkim_id_from_key(key, out);
	default: return mail_buf_put(out, key.data, key.len);
	}
}

int mail_entry_id_from_key(mail_section_t section, mail_lf_t key, mail_buf_t *out)
{
	const size_t start = out->len;
	if (key.len == 0 || key.len > MAIL_LF_MAX) {
		return KNOT_EMALF;
	}
	int ret = key_print(section, key, out);
	if (ret == KNOT_EOK) {
		/* A key that the id would not have, as with a selector that is none, is nobody's. */
		mail_lf_storage_t again;
		const mail_str_t id = { (const char *)out->data + start, out->len - start };
		if (mail_entry_key(section, id, &again) == KNOT_EOK &&
		    mail_lf_equal(mail_lf(&again), key)) {
			return KNOT_EOK;
		}
		ret = KNOT_EMALF;
	}
	out->len = start;
	return ret;
}
