/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The check of a changed domain against its own DKIM keys, which stand beside its plan.
 */
#include "config.h"

#include <stdio.h>

#include "change/internal.h"
#include "mail/kind.h"

static const uint8_t keys_top[] = "_domainkey";
#define KEYS_TOP_LEN (sizeof(keys_top) - 1)

static bool is_key_kind(const mail_row_t *row)
{
	return strncmp(mail_kinds[row->kind].name, "dkim", 4) == 0;
}

/*! Says whether some record of a plan could meet a DKIM key. */
static bool meets_keys(const mail_plan_t *plan)
{
	size_t at = 0;
	(void)mail_owners_find(&plan->relative, keys_top, KEYS_TOP_LEN, &at);
	for (; at < plan->relative.count; at++) {
		const mail_owner_t *owner = &plan->relative.owners[at];
		if (!mail_key_in(owner->key, owner->key_len, keys_top, KEYS_TOP_LEN)) {
			return false;
		}
		for (size_t i = 0; i < owner->count; i++) {
			if (!is_key_kind(&owner->rows[i])) {
				return true;
			}
		}
	}
	return false;
}

static int refuse(const char *what, const uint8_t *key, size_t len, const char *why,
                  mail_diag_t *diag)
{
	mail_buf_t id = { 0 };
	(void)mail_entry_id_from_key(MAIL_SECTION_DKIM, key, len, &id);
	int ret = mail_diag_error(diag, 0, "%sthe DKIM key %.*s %s", what, (int)id.len,
	                          (const char *)id.data, why);
	mail_buf_free(&id);
	return ret;
}

/*!
 * Checks one key.
 *
 * \param key   Its key in the store.
 * \param base  Length of the part that names the domain that has it.
 * \param grow  Octets by which the name of the domain that shows it is longer.
 */
static int key_check(const mail_plan_t *plan, const uint8_t *key, size_t len, size_t base, int grow,
                     mail_diag_t *diag)
{
	knot_dname_storage_t name;
	int ret = mail_name_from_key(key, len, name);
	if (ret != KNOT_EOK) {
		return KNOT_EOK; /* Whatever it is, nobody can ask for it. */
	}
	if ((int)knot_dname_size(name) + grow > KNOT_DNAME_MAXLEN) {
		return refuse("the name of ", key, len, "would grow past 255 octets", diag);
	}
	const mail_owner_t *owner = mail_owners_find(&plan->relative, key + base + 1,
	                                             len - base - 1, NULL);
	for (size_t i = 0; owner != NULL && i < owner->count; i++) {
		if (!is_key_kind(&owner->rows[i])) {
			char what[64];
			(void)snprintf(what, sizeof(what), "a %s and ",
			               mail_kinds[owner->rows[i].kind].name);
			return refuse(what, key, len, "have the same owner", diag);
		}
	}
	return KNOT_EOK;
}

/*! Size of the name of a key. */
static int name_size(const uint8_t *key, size_t len)
{
	knot_dname_storage_t name;
	return mail_name_from_key(key, len, name) == KNOT_EOK ? (int)knot_dname_size(name) : 0;
}

int mail_change_keys_check(mail_change_t *change, const mail_plan_t *plan, const uint8_t *key,
                           size_t len, mail_str_t alias, mail_diag_t *diag)
{
	uint8_t top[MAIL_KEY_MAX], after[MAIL_KEY_MAX], next[MAIL_KEY_MAX];
	int grow = 0;
	size_t base = len;
	memcpy(top, key, len);
	if (alias.len > 0) {
		/* An alias shows the keys of its target. */
		int ret = mail_entry_key(MAIL_SECTION_DOMAIN, alias, top);
		if (ret < 0) {
			return ret;
		}
		base = ret;
		grow = name_size(key, len) - name_size(top, base);
	}
	if (plan->no_keys || base + 1 + KEYS_TOP_LEN > sizeof(top) ||
	    (grow <= 0 && !meets_keys(plan))) {
		return KNOT_EOK;
	}
	top[base] = 0;
	memcpy(top + base + 1, keys_top, KEYS_TOP_LEN);
	const size_t top_len = base + 1 + KEYS_TOP_LEN;
	size_t after_len = top_len;
	memcpy(after, top, top_len);
	for (;;) {
		mail_dkim_t dkim;
		bool deleted = false;
		int ret = change->base->dkim_next(change->base, after, after_len, false, next,
		                                  &dkim, &deleted);
		if (ret < 0 || !mail_key_in(next, ret, top, top_len)) {
			return KNOT_EOK;
		}
		after_len = ret;
		memcpy(after, next, after_len);
		ret = deleted ? KNOT_EOK : key_check(plan, next, after_len, base, grow, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
}
