/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ids of entries, and the keys that they have in the store.
 *
 *   domain     key of the name (mail/name.h)
 *   DKIM key   of a domain: key of the name SELECTOR._domainkey.DOMAIN, so that a domain's keys are
 *              contiguous; of a policy: 00, the policy's id, 00, key of the selector as a name
 *   others     the id
 */
#include "mail/entry.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/name.h"

/*! Most octets of an id that is no name. */
#define ID_MAX 63

#define DKIM_LABEL "_domainkey"
#define DKIM_POLICY "policy:"
#define DKIM_LABEL_LEN (sizeof(DKIM_LABEL) - 1)

/*! The two parts of a DKIM key's id. */
typedef struct {
	mail_str_t owner; /*!< Domain, or policy without the prefix. */
	mail_str_t selector;
	bool policy;
} dkim_id_t;

/*
 * id = ( ALPHA / DIGIT / "_" ) *62( ALPHA / DIGIT / "_" / "-" / "." )      ; but not "none"
 */
static int check_id(mail_str_t id, mail_diag_t *diag)
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
		return mail_diag_error(diag, 1, "none is no id, it means that there is none");
	}
	return KNOT_EOK;
}

/*! Parses the name of a domain; the root has no key, so it is none. */
static int parse_domain(mail_str_t text, knot_dname_storage_t name, mail_diag_t *diag)
{
	int ret = mail_name_parse(text, name, diag);
	if (ret == KNOT_EOK && name[0] == '\0') {
		ret = mail_diag_error(diag, 1, "the root is no mail domain");
	}
	return ret;
}

/*!
 * Splits the id of a DKIM key. A selector has no '/', a domain may have one (RFC 2317), so the last
 * one counts; `policy:` cannot begin a domain, whose colon would be written with a backslash.
 */
static int split_dkim(mail_str_t id, dkim_id_t *parts, mail_diag_t *diag)
{
	const char *slash = id.len > 0 ? memrchr(id.data, '/', id.len) : NULL;
	if (slash == NULL) {
		return mail_diag_error(diag, 0,
		                       "a key's id is DOMAIN/SELECTOR or policy:POLICY/SELECTOR");
	}
	size_t len = slash - id.data;
	parts->owner = mail_str_part(id, 0, len);
	parts->selector = mail_str_from(id, len + 1);
	parts->policy = mail_str_starts(parts->owner, DKIM_POLICY);
	if (parts->policy) {
		parts->owner = mail_str_from(parts->owner, strlen(DKIM_POLICY));
	}
	return KNOT_EOK;
}

/*!
 * Parses a selector as the name SELECTOR._domainkey, without the root at its end. A label
 * `_domainkey` inside would make two ids of one name.
 *
 * \param name  Room for a name.
 * \param len   Out: octets of it, without the root.
 * \param selector_len  Out: octets of the selector's labels.
 */
static int parse_selector(mail_str_t selector, knot_dname_storage_t name, size_t *len,
                          size_t *selector_len, mail_diag_t *diag)
{
	int ret = mail_dkim_selector_check(selector, diag);
	if (ret == KNOT_EOK) {
		ret = mail_name_parse(selector, name, diag);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	const uint8_t *label = name;
	while (label[0] != 0) {
		if (label[0] == DKIM_LABEL_LEN &&
		    memcmp(label + 1, DKIM_LABEL, DKIM_LABEL_LEN) == 0) {
			return mail_diag_error(diag, 1, "a selector without %s", DKIM_LABEL);
		}
		label += 1 + label[0];
	}
	*selector_len = label - name;
	*len = *selector_len + 1 + DKIM_LABEL_LEN;
	/* Three octets at least are the shortest domain. */
	if (*len + 3 > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 1, "a selector that leaves no room for a domain");
	}
	name[*selector_len] = DKIM_LABEL_LEN;
	memcpy(name + *selector_len + 1, DKIM_LABEL, DKIM_LABEL_LEN + 1);
	return KNOT_EOK;
}

/*! Parses the id of a domain's DKIM key as the name SELECTOR._domainkey.DOMAIN. */
static int parse_dkim_name(const dkim_id_t *parts, knot_dname_storage_t name, mail_diag_t *diag)
{
	size_t len, selector_len;
	int ret = parse_selector(parts->selector, name, &len, &selector_len, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, parts->owner.len + 1);
	}
	knot_dname_storage_t domain;
	ret = parse_domain(parts->owner, domain, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	size_t domain_len = knot_dname_size(domain);
	if (len + domain_len > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 0, "SELECTOR.%s.DOMAIN has more than 255 octets",
		                       DKIM_LABEL);
	}
	memcpy(name + len, domain, domain_len);
	return KNOT_EOK;
}

/*! Appends the id of a DKIM key, made of a name that parse_dkim_name() could have made. */
static int print_dkim_name(const knot_dname_t *name, mail_buf_t *out)
{
	const uint8_t *label = name;
	while (label[0] != DKIM_LABEL_LEN || memcmp(label + 1, DKIM_LABEL, DKIM_LABEL_LEN) != 0) {
		if (label[0] == 0) {
			return KNOT_EMALF;
		}
		label += 1 + label[0];
	}
	const uint8_t *domain = label + 1 + DKIM_LABEL_LEN;
	size_t selector_len = label - name;
	if (selector_len == 0 || domain[0] == 0) {
		return KNOT_EMALF;
	}
	knot_dname_storage_t selector;
	memcpy(selector, name, selector_len);
	selector[selector_len] = '\0';
	mail_name_print(domain, out);
	mail_buf_u8(out, '/');
	return mail_name_print(selector, out);
}

static int normalise_dkim(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	dkim_id_t parts;
	knot_dname_storage_t name;
	int ret = split_dkim(text, &parts, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!parts.policy) {
		ret = parse_dkim_name(&parts, name, diag);
		return ret == KNOT_EOK ? print_dkim_name(name, out) : ret;
	}

	ret = check_id(parts.owner, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, parts.owner.data - text.data);
	}
	size_t len, selector_len;
	ret = parse_selector(parts.selector, name, &len, &selector_len, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, parts.selector.data - text.data);
	}
	name[selector_len] = '\0';
	mail_buf_str(out, DKIM_POLICY);
	mail_buf_put(out, parts.owner.data, parts.owner.len);
	mail_buf_u8(out, '/');
	return mail_name_print(name, out);
}

int mail_entry_id_normalise(mail_section_t section, mail_str_t text, mail_buf_t *out,
                            mail_diag_t *diag)
{
	knot_dname_storage_t name;
	size_t start = out->len;
	int ret;
	switch (section) {
	case MAIL_SECTION_DOMAIN:
		ret = parse_domain(text, name, diag);
		if (ret == KNOT_EOK) {
			ret = mail_name_print(name, out);
		}
		break;
	case MAIL_SECTION_DKIM: ret = normalise_dkim(text, out, diag); break;
	default:
		ret = check_id(text, diag);
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

static int dkim_key(mail_str_t id, uint8_t *key)
{
	dkim_id_t parts;
	knot_dname_storage_t name;
	if (split_dkim(id, &parts, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	if (!parts.policy) {
		int ret = parse_dkim_name(&parts, name, NULL);
		return ret == KNOT_EOK ? (int)mail_name_key(name, key) : KNOT_EINVAL;
	}

	size_t len, selector_len;
	if (check_id(parts.owner, NULL) != KNOT_EOK ||
	    parse_selector(parts.selector, name, &len, &selector_len, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	/* No key of a name begins with 00, so the keys of policies stand apart from those of domains. */
	name[selector_len] = '\0';
	size_t owner_len = parts.owner.len;
	key[0] = 0;
	memcpy(key + 1, parts.owner.data, owner_len);
	key[1 + owner_len] = 0;
	return 2 + owner_len + mail_name_key(name, key + 2 + owner_len);
}

int mail_entry_key(mail_section_t section, mail_str_t id, uint8_t *key)
{
	knot_dname_storage_t name;
	switch (section) {
	case MAIL_SECTION_DOMAIN:
		return parse_domain(id, name, NULL) == KNOT_EOK ? (int)mail_name_key(name, key)
		                                                : KNOT_EINVAL;
	case MAIL_SECTION_DKIM: return dkim_key(id, key);
	default:
		if (check_id(id, NULL) != KNOT_EOK) {
			return KNOT_EINVAL;
		}
		memcpy(key, id.data, id.len);
		return id.len;
	}
}

static int dkim_policy_id(const uint8_t *key, size_t len, mail_buf_t *out)
{
	const uint8_t *end = len > 1 ? memchr(key + 1, 0, len - 1) : NULL;
	if (end == NULL) {
		return KNOT_EMALF;
	}
	mail_str_t policy = { (const char *)key + 1, end - key - 1 };
	knot_dname_storage_t name;
	int ret = check_id(policy, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_name_from_key(end + 1, key + len - end - 1, name);
	}
	if (ret != KNOT_EOK) {
		return KNOT_EMALF;
	}
	mail_buf_str(out, DKIM_POLICY);
	mail_buf_put(out, policy.data, policy.len);
	mail_buf_u8(out, '/');
	return mail_name_print(name, out);
}

int mail_entry_id_from_key(mail_section_t section, const uint8_t *key, size_t len, mail_buf_t *out)
{
	knot_dname_storage_t name;
	uint8_t again[MAIL_KEY_MAX];
	size_t start = out->len;
	int ret = KNOT_EMALF;
	if (len == 0 || len > MAIL_KEY_MAX) {
		return ret;
	}
	if (section == MAIL_SECTION_DKIM && key[0] == 0) {
		ret = dkim_policy_id(key, len, out);
	} else if (section == MAIL_SECTION_DKIM || section == MAIL_SECTION_DOMAIN) {
		ret = mail_name_from_key(key, len, name);
		if (ret == KNOT_EOK) {
			ret = section == MAIL_SECTION_DKIM ? print_dkim_name(name, out)
			                                   : mail_name_print(name, out);
		}
	} else {
		ret = mail_buf_put(out, key, len);
	}
	/* A key that the id would not have, as with a selector that is none, is nobody's. */
	if (ret == KNOT_EOK) {
		mail_str_t id = { (const char *)out->data + start, out->len - start };
		if (mail_entry_key(section, id, again) != (int)len ||
		    memcmp(again, key, len) != 0) {
			ret = KNOT_EMALF;
		}
	}
	if (ret != KNOT_EOK) {
		out->len = start;
	}
	return ret;
}
