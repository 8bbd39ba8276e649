/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ids of DKIM keys, their keys in the store, and the keys of one owner.
 *
 *   id                        key in the store
 *   DOMAIN/SELECTOR           SELECTOR._domainkey.DOMAIN in lookup format
 *   policy:POLICY/SELECTOR    00, POLICY, 00, SELECTOR in lookup format
 *
 * People also write SELECTOR._domainkey.DOMAIN, and DOMAIN/SELECTOR._domainkey: nothing else can be meant.
 *
 * So the keys of one owner are contiguous: they lie below _domainkey.DOMAIN, or below 00 POLICY. No name in
 * lookup format begins with 00, so the keys of policies stand apart from those of domains.
 */
#include "mail/dkim_id.h"

#include "mail/chars.h"
#include "mail/dkim.h"
#include "model/internal.h"

#define LABEL "_domainkey"
#define LABEL_LEN (sizeof(LABEL) - 1)
#define POLICY "policy:"

/*! Find "._domainkey" as whole labels. \return Where it begins; the length of the text: it is not there. */
static size_t label_find(mail_str_t text)
{
	static const char label[] = "." LABEL;
	const size_t len = sizeof(label) - 1;
	for (size_t i = 0; i + len <= text.len; i++) {
		if (text.data[i] == '.' && mail_str_is_nocase(mail_str_part(text, i, len), label) &&
		    (i + len == text.len || text.data[i + len] == '.')) {
			return i;
		}
	}
	return text.len;
}

/*! Take apart SELECTOR._domainkey.DOMAIN. \return false: it is none. */
static bool name_split(mail_str_t text, mail_dkim_id_t *id)
{
	const size_t at = label_find(text), end = at + 1 + LABEL_LEN;
	if (at == 0 || end + 1 >= text.len) {
		return false;
	}
	*id = (mail_dkim_id_t){ MAIL_SECTION_DOMAIN, mail_str_from(text, end + 1),
		                mail_str_part(text, 0, at) };
	return true;
}

/*! Take "._domainkey", and the domain behind it, off a selector. */
static mail_str_t selector_cut(mail_str_t selector, mail_str_t owner)
{
	const size_t at = label_find(selector), end = at + 1 + LABEL_LEN;
	mail_str_t behind = end < selector.len ? mail_str_from(selector, end + 1)
	                                       : mail_str_part(selector, 0, 0);
	if (behind.len > 0 && mail_str_ends(behind, ".")) {
		behind.len--;
	}
	return behind.len == 0 || mail_str_same(behind, owner) ? mail_str_part(selector, 0, at)
	                                                       : selector;
}

/*
 * A selector has no '/', a domain may have one (RFC 2317), so the last one counts; `policy:` cannot begin a
 * domain, whose colon would be written with a backslash.
 */
int mail_dkim_id_parse(mail_str_t text, mail_dkim_id_t *id, mail_diag_t *diag)
{
	const char *slash = text.len > 0 ? memrchr(text.data, '/', text.len) : NULL;
	if (slash == NULL && name_split(text, id)) {
		return KNOT_EOK;
	}
	if (slash == NULL) {
		return mail_diag_error(diag, 0,
		                       "a key's id is DOMAIN/SELECTOR or policy:POLICY/SELECTOR");
	}
	const size_t len = slash - text.data;
	id->owner = mail_str_part(text, 0, len);
	id->selector = mail_str_from(text, len + 1);
	id->section = MAIL_SECTION_DOMAIN;
	if (mail_str_starts(id->owner, POLICY)) {
		id->owner = mail_str_from(id->owner, strlen(POLICY));
		id->section = MAIL_SECTION_POLICY;
	}
	id->selector = selector_cut(id->selector, id->owner);
	return KNOT_EOK;
}

int mail_dkim_id_print(const mail_dkim_id_t *id, mail_buf_t *out)
{
	if (id->section == MAIL_SECTION_POLICY) {
		mail_buf_str(out, POLICY);
	}
	mail_buf_put(out, id->owner.data, id->owner.len);
	mail_buf_u8(out, '/');
	return mail_buf_put(out, id->selector.data, id->selector.len);
}

/*!
 * \brief Parse a selector as the name SELECTOR._domainkey, without the root at its end.
 *
 * A label `_domainkey` inside would make two ids of one name.
 *
 * \param name  Out: the name.
 * \param len   Out: octets of the selector's labels.
 */
static int parse_selector(mail_str_t selector, knot_dname_storage_t name, size_t *len,
                          mail_diag_t *diag)
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
		if (label[0] == LABEL_LEN && memcmp(label + 1, LABEL, LABEL_LEN) == 0) {
			return mail_diag_error(diag, 1, "a selector without %s", LABEL);
		}
		label = mail_name_parent(label);
	}
	*len = label - name;
	/* Three octets at least are the shortest domain. */
	if (*len + 1 + LABEL_LEN + 3 > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 1, "a selector that leaves no room for a domain");
	}
	name[*len] = LABEL_LEN;
	memcpy(name + *len + 1, LABEL, LABEL_LEN);
	return KNOT_EOK;
}

/*! Parse the id of a domain's DKIM key as the name SELECTOR._domainkey.DOMAIN. */
static int parse_name(const mail_dkim_id_t *id, knot_dname_storage_t name, mail_diag_t *diag)
{
	size_t len;
	int ret = parse_selector(id->selector, name, &len, diag);
	if (ret != KNOT_EOK) {
		return id->selector.data < id->owner.data
		               ? ret
		               : mail_diag_shift(diag, ret, id->owner.len + 1);
	}
	knot_dname_storage_t domain;
	ret = mail_domain_parse(id->owner, domain, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	len += 1 + LABEL_LEN;
	const size_t domain_len = knot_dname_size(domain);
	if (len + domain_len > KNOT_DNAME_MAXLEN) {
		return mail_diag_error(diag, 0, "SELECTOR.%s.DOMAIN has more than 255 octets",
		                       LABEL);
	}
	memcpy(name + len, domain, domain_len);
	return KNOT_EOK;
}

/*! Print the id of a domain's DKIM key, from a name that parse_name() could have made. */
static int print_name(const knot_dname_t *name, mail_buf_t *out)
{
	const uint8_t *label = name;
	while (label[0] != LABEL_LEN || memcmp(label + 1, LABEL, LABEL_LEN) != 0) {
		if (label[0] == 0) {
			return KNOT_EMALF;
		}
		label = mail_name_parent(label);
	}
	const uint8_t *domain = mail_name_parent(label);
	const size_t selector_len = label - name;
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

int mail_dkim_id_normalise(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	mail_dkim_id_t id;
	knot_dname_storage_t name;
	int ret = mail_dkim_id_parse(text, &id, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (id.section == MAIL_SECTION_DOMAIN) {
		ret = parse_name(&id, name, diag);
		return ret != KNOT_EOK ? ret : print_name(name, out);
	}

	ret = mail_id_check(id.owner, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, id.owner.data - text.data);
	}
	size_t len;
	ret = parse_selector(id.selector, name, &len, diag);
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, id.selector.data - text.data);
	}
	name[len] = '\0';
	mail_buf_str(out, POLICY);
	mail_buf_put(out, id.owner.data, id.owner.len);
	mail_buf_u8(out, '/');
	return mail_name_print(name, out);
}

/*! Write what the keys of an owner lie below in the store. */
static int keys_top(const mail_dkim_id_t *id, mail_lf_storage_t *top)
{
	if (id->section == MAIL_SECTION_POLICY) {
		if (mail_id_check(id->owner, NULL) != KNOT_EOK) {
			return KNOT_EINVAL;
		}
		top->data[0] = 0;
		memcpy(top->data + 1, id->owner.data, id->owner.len);
		top->len = 1 + id->owner.len;
		return KNOT_EOK;
	}
	int ret = mail_entry_key(MAIL_SECTION_DOMAIN, id->owner, top);
	return ret != KNOT_EOK ? ret : mail_lf_join(mail_lf(top), MAIL_DOMAINKEY, top);
}

int mail_dkim_id_key(mail_str_t text, mail_lf_storage_t *key)
{
	mail_dkim_id_t id;
	knot_dname_storage_t name;
	if (mail_dkim_id_parse(text, &id, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	if (id.section == MAIL_SECTION_DOMAIN) {
		if (parse_name(&id, name, NULL) != KNOT_EOK) {
			return KNOT_EINVAL;
		}
		mail_name_lf(name, key);
		return KNOT_EOK;
	}
	size_t len;
	mail_lf_storage_t selector;
	if (keys_top(&id, key) != KNOT_EOK ||
	    parse_selector(id.selector, name, &len, NULL) != KNOT_EOK) {
		return KNOT_EINVAL;
	}
	name[len] = '\0';
	mail_name_lf(name, &selector);
	return mail_lf_join(mail_lf(key), mail_lf(&selector), key);
}

int mail_dkim_id_from_key(mail_lf_t key, mail_buf_t *out)
{
	knot_dname_storage_t name;
	if (key.len == 0 || key.data[0] != 0) {
		return mail_name_from_lf(key, name) == KNOT_EOK ? print_name(name, out)
		                                                : KNOT_EMALF;
	}
	const uint8_t *end = key.len > 1 ? memchr(key.data + 1, 0, key.len - 1) : NULL;
	if (end == NULL) {
		return KNOT_EMALF;
	}
	const mail_str_t policy = { (const char *)key.data + 1, end - key.data - 1 };
	const mail_lf_t selector = { end + 1, key.data + key.len - end - 1 };
	if (mail_id_check(policy, NULL) != KNOT_EOK ||
	    mail_name_from_lf(selector, name) != KNOT_EOK) {
		return KNOT_EMALF;
	}
	mail_buf_str(out, POLICY);
	mail_buf_put(out, policy.data, policy.len);
	mail_buf_u8(out, '/');
	return mail_name_print(name, out);
}

int mail_dkim_walk_begin(mail_dkim_walk_t *walk, const mail_source_t *source,
                         mail_section_t section, mail_str_t owner)
{
	const mail_dkim_id_t id = { .section = section, .owner = owner };
	walk->source = source;
	int ret = keys_top(&id, &walk->top);
	if (ret == KNOT_EOK) {
		walk->key = walk->top;
	}
	return ret;
}

int mail_dkim_walk_domain(mail_dkim_walk_t *walk, const mail_source_t *source, mail_lf_t domain)
{
	walk->source = source;
	int ret = mail_lf_join(domain, MAIL_DOMAINKEY, &walk->top);
	if (ret == KNOT_EOK) {
		walk->key = walk->top;
	}
	return ret;
}

int mail_dkim_walk_next(mail_dkim_walk_t *walk, mail_dkim_t *dkim)
{
	int ret = walk->source->dkim_seek(walk->source, mail_lf(&walk->key), MAIL_SEEK_AFTER,
	                                  &walk->key, dkim);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_lf_in(mail_lf(&walk->key), mail_lf(&walk->top)) ? KNOT_EOK : KNOT_ENOENT;
}
