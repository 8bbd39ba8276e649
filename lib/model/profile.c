/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Merging.  A profile starts with the built-in defaults; each layer above then replaces a scalar or a
 * list as a whole and dmarc tag by tag, appends to a list (ITEM-add), or removes ("none").  Values
 * point into the layers' entries, which the profile owns.
 */
#include "config.h"

#include <stdio.h>

#include "mail/chars.h"
#include "mail/dmarc.h"
#include "mail/profile.h"
#include "mail/mem.h"

/*! The bottom layer. */
static const struct {
	mail_item_id_t item;
	const char *value;
} defaults[] = {
	{ MAIL_ITEM_TTL, "3600" },
	{ MAIL_ITEM_SPF_ALL, "-all" },
	{ MAIL_ITEM_DMARC, "p=none" },
	{ MAIL_ITEM_MTA_STS, "off" },
};

static int setting_put(mail_settings_t *settings, size_t at, const mail_setting_t *setting)
{
	if (at == settings->count) {
		mail_setting_t *grown = mail_realloc(settings->values, (at + 1) * sizeof(*grown));
		if (grown == NULL) {
			return KNOT_ENOMEM;
		}
		settings->values = grown;
		settings->count++;
	}
	settings->values[at] = *setting;
	return KNOT_EOK;
}

/*! Where a tag stands among the settings; their count when it is not there. */
static size_t tag_find(const mail_settings_t *settings, mail_str_t tagged)
{
	mail_str_t name, value, other;
	if (!mail_str_tag(tagged, &name, &value)) {
		return settings->count;
	}
	for (size_t i = 0; i < settings->count; i++) {
		if (mail_str_tag(settings->values[i].text, &other, &value) &&
		    mail_str_equal(name, other)) {
			return i;
		}
	}
	return settings->count;
}

static int member_merge(mail_profile_t *profile, const mail_member_t *member, unsigned layer)
{
	mail_settings_t *settings = &profile->items[member->item->id];
	const bool bytag = member->item->flags & MAIL_FLAG_BYTAG;
	if (member->op == MAIL_OP_NONE || (member->op == MAIL_OP_SET && !bytag)) {
		settings->count = 0;
	}
	for (size_t i = 0; i < member->count && member->op != MAIL_OP_NONE; i++) {
		mail_setting_t setting = { member->values[i].text, layer, member->values[i].line };
		size_t at = bytag ? tag_find(settings, setting.text) : settings->count;
		int ret = setting_put(settings, at, &setting);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Items of an alias's target that are the target's alone. */
static bool alias_leaves_out(mail_item_id_t item)
{
	return item == MAIL_ITEM_TXT || item == MAIL_ITEM_RECORD || item == MAIL_ITEM_DELEGATION;
}

/*! Merge one layer. Of one item, what removes goes before what sets, and that before what adds. */
static int layer_merge(mail_profile_t *profile, unsigned layer)
{
	static const mail_op_t order[] = { MAIL_OP_NONE, MAIL_OP_SET, MAIL_OP_ADD };

	const mail_layer_t *from = &profile->layers[layer];
	const bool target = profile->alias && from->section == MAIL_SECTION_DOMAIN;
	for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
		for (size_t i = 0; i < from->entry->count; i++) {
			const mail_member_t *member = &from->entry->members[i];
			if (member->op != order[o] || (member->item->flags & MAIL_FLAG_KEPT) != 0 ||
			    (target && alias_leaves_out(member->item->id))) {
				continue;
			}
			int ret = member_merge(profile, member, layer);
			if (ret != KNOT_EOK) {
				return ret;
			}
		}
	}
	return KNOT_EOK;
}

static int defaults_merge(mail_profile_t *profile)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		mail_setting_t setting = { .text = MAIL_STR(defaults[i].value) };
		int ret = setting_put(&profile->items[defaults[i].item], 0, &setting);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static mail_str_t str_copy(mail_str_t text)
{
	char *copy = mail_malloc(text.len + 1);
	if (copy != NULL) {
		memcpy(copy, text.data, text.len);
		copy[text.len] = '\0';
	}
	return (mail_str_t){ copy, copy != NULL ? text.len : 0 };
}

static int dependency_put(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                          mail_stamp_t stamp)
{
	size_t size = (profile->dependency_count + 1) * sizeof(mail_dependency_t);
	mail_dependency_t *grown = mail_realloc(profile->dependencies, size);
	if (grown == NULL) {
		return KNOT_ENOMEM;
	}
	profile->dependencies = grown;
	mail_str_t copy = str_copy(id);
	if (copy.data == NULL) {
		return KNOT_ENOMEM;
	}
	grown[profile->dependency_count++] = (mail_dependency_t){ section, copy, stamp };
	return KNOT_EOK;
}

int mail_profile_fetch(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                       mail_entry_t **entry)
{
	mail_lf_storage_t key;
	int ret = mail_entry_key(section, id, &key);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_stamp_t stamp = { 0 };
	const mail_source_t *source = profile->source;
	ret = source->get(source, section, mail_lf(&key), entry, &stamp);
	int noted = dependency_put(profile, section, id, stamp);
	if (ret == KNOT_EOK && noted != KNOT_EOK) {
		mail_entry_free(*entry);
		*entry = NULL;
	}
	return noted != KNOT_EOK ? noted : ret;
}

static mail_profile_t *profile_new(const mail_source_t *source)
{
	mail_profile_t *profile = mail_calloc(1, sizeof(*profile));
	if (profile == NULL) {
		return NULL;
	}
	profile->source = source;
	/* The defaults, a chain of policies, a domain. */
	profile->layers = mail_calloc(MAIL_POLICY_CHAIN_MAX + 2, sizeof(*profile->layers));
	if (profile->layers == NULL) {
		mail_profile_free(profile);
		return NULL;
	}
	profile->layers[0].section = MAIL_SECTION_POLICY;
	profile->layer_count = 1;
	return profile;
}

/*! Say why an entry could not be read. \return The code that was given. */
static int refuse(int code, mail_diag_t *diag, mail_section_t section, mail_str_t id)
{
	const char *why = "is damaged";
	switch (code) {
	case KNOT_ENOENT: why = "does not exist"; break;
	case KNOT_ENOTSUP: why = "is of a newer format"; break;
	case KNOT_ENOMEM: why = "needs more memory"; break;
	default: break;
	}
	(void)mail_diag_error(diag, 0, "%s %.*s %s", mail_section_name(section), (int)id.len,
	                      id.data, why);
	return code;
}

/*! Say why a policy, or the base of one, could not be read. */
static int refuse_ref(int code, mail_diag_t *diag, const mail_entry_t *from, mail_str_t id)
{
	(void)refuse(code, diag, MAIL_SECTION_POLICY, id);
	const mail_member_t *base = from != NULL
	                                    ? mail_entry_member(from, MAIL_ITEM_BASE, MAIL_OP_SET)
	                                    : NULL;
	if (base != NULL && diag != NULL) {
		char reason[sizeof(diag->text)];
		(void)snprintf(reason, sizeof(reason), "%s", diag->text);
		(void)mail_diag_error(diag, 0, "base: %s", reason);
		diag->line = base->line;
	}
	return code;
}

/*! Read a policy and its bases; layers[1] becomes the bottom one. */
static int chain_read(mail_profile_t *profile, mail_str_t policy, mail_diag_t *diag)
{
	size_t count = 0;
	mail_layer_t *chain = profile->layers + 1;
	for (mail_str_t id = policy; id.len > 0;) {
		for (size_t i = 0; i < count; i++) {
			if (mail_str_equal(chain[i].entry->id, id)) {
				(void)mail_diag_error(diag, 0, "policy %.*s is its own base",
				                      (int)id.len, id.data);
				return KNOT_ELOOP;
			}
		}
		if (count == MAIL_POLICY_CHAIN_MAX) {
			(void)mail_diag_error(
				diag, 0, "policy %.*s has more than %d bases above each other",
				(int)policy.len, policy.data, MAIL_POLICY_CHAIN_MAX - 1);
			return KNOT_ELOOP;
		}
		mail_entry_t *entry = NULL;
		int ret = mail_profile_fetch(profile, MAIL_SECTION_POLICY, id, &entry);
		if (ret != KNOT_EOK) {
			return refuse_ref(ret, diag, count > 0 ? chain[count - 1].entry : NULL, id);
		}
		chain[count++] = (mail_layer_t){ MAIL_SECTION_POLICY, entry };
		profile->layer_count++;
		id = mail_entry_value(entry, MAIL_ITEM_BASE);
	}
	for (size_t i = 0; i < count / 2; i++) {
		mail_layer_t top = chain[i];
		chain[i] = chain[count - 1 - i];
		chain[count - 1 - i] = top;
	}
	return KNOT_EOK;
}

static int profile_merge(mail_profile_t *profile)
{
	int ret = defaults_merge(profile);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (size_t i = 1; i < profile->layer_count; i++) {
		ret = layer_merge(profile, i);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_profile_of_policy(const mail_source_t *source, mail_str_t policy, mail_profile_t **profile,
                           mail_diag_t *diag)
{
	*profile = profile_new(source);
	if (*profile == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = chain_read(*profile, policy, diag);
	return ret == KNOT_EOK ? profile_merge(*profile) : ret;
}

/*! Make the profile of a domain that is no alias, or of one for its aliases. */
static int profile_fill(mail_profile_t *profile, mail_entry_t *entry, mail_diag_t *diag)
{
	/* The domain is the top layer, above the chain; from here on the profile owns its entry. */
	mail_str_t policy = mail_entry_value(entry, MAIL_ITEM_POLICY);
	int ret = KNOT_ENOENT;
	if (policy.len == 0) {
		(void)mail_diag_error(diag, 0, "domain %.*s follows no policy", (int)entry->id.len,
		                      entry->id.data);
	} else {
		ret = chain_read(profile, policy, diag);
	}
	profile->layers[profile->layer_count++] = (mail_layer_t){ MAIL_SECTION_DOMAIN, entry };
	profile->dkim_owner = entry->id;
	return ret == KNOT_EOK ? profile_merge(profile) : ret;
}

/*! Read an alias's target and make its profile. */
static int target_fill(mail_profile_t *profile, mail_str_t target, mail_diag_t *diag)
{
	mail_entry_t *entry = NULL;
	profile->alias = true;
	int ret = mail_profile_fetch(profile, MAIL_SECTION_DOMAIN, target, &entry);
	if (ret != KNOT_EOK) {
		return refuse(ret, diag, MAIL_SECTION_DOMAIN, target);
	}
	if (mail_entry_value(entry, MAIL_ITEM_ALIAS).len > 0) {
		(void)mail_diag_error(diag, 0, "alias: %.*s is an alias itself", (int)target.len,
		                      target.data);
		mail_entry_free(entry);
		return KNOT_ELOOP;
	}
	return profile_fill(profile, entry, diag);
}

int mail_profile_of_alias(const mail_source_t *source, mail_str_t target, mail_profile_t **profile,
                          mail_diag_t *diag)
{
	*profile = profile_new(source);
	return *profile != NULL ? target_fill(*profile, target, diag) : KNOT_ENOMEM;
}

int mail_profile_of_domain(const mail_source_t *source, mail_str_t domain, mail_profile_t **profile,
                           mail_diag_t *diag)
{
	*profile = profile_new(source);
	if (*profile == NULL) {
		return KNOT_ENOMEM;
	}
	(*profile)->domain = str_copy(domain);
	if ((*profile)->domain.data == NULL) {
		return KNOT_ENOMEM;
	}
	mail_entry_t *entry = NULL;
	int ret = mail_profile_fetch(*profile, MAIL_SECTION_DOMAIN, domain, &entry);
	if (ret != KNOT_EOK) {
		return refuse(ret, diag, MAIL_SECTION_DOMAIN, domain);
	}
	mail_str_t target = mail_entry_value(entry, MAIL_ITEM_ALIAS);
	if (target.len == 0) {
		return profile_fill(*profile, entry, diag);
	}
	(*profile)->own = entry;
	return target_fill(*profile, target, diag);
}

int mail_profile_over(const mail_profile_t *base, mail_entry_t *entry, mail_profile_t **profile)
{
	mail_profile_t *over = profile_new(base->source);
	if (over == NULL) {
		return KNOT_ENOMEM;
	}
	memcpy(over->layers, base->layers, base->layer_count * sizeof(*over->layers));
	memcpy(over->items, base->items, sizeof(over->items));
	over->layer_count = base->layer_count + 1;
	over->layers[base->layer_count] = (mail_layer_t){ MAIL_SECTION_DOMAIN, entry };
	/* What is changed is a copy: the policy's own stays for others. */
	for (size_t i = 0; i < entry->count; i++) {
		mail_settings_t *settings = &over->items[entry->members[i].item->id];
		const size_t size = settings->count * sizeof(*settings->values);
		mail_setting_t *copy = mail_malloc(size);
		if (copy == NULL) {
			return KNOT_ENOMEM;
		}
		if (size > 0) {
			memcpy(copy, settings->values, size);
		}
		settings->values = copy;
	}
	*profile = over;
	return layer_merge(over, base->layer_count);
}

size_t mail_profile_size(const mail_profile_t *profile)
{
	size_t size = sizeof(*profile) + (MAIL_POLICY_CHAIN_MAX + 2) * sizeof(*profile->layers);
	for (size_t i = 0; i < profile->layer_count; i++) {
		size += profile->layers[i].entry != NULL ? mail_entry_size(profile->layers[i].entry)
		                                         : 0;
	}
	for (size_t i = 0; i < MAIL_ITEM_MAX; i++) {
		size += profile->items[i].count * sizeof(*profile->items[i].values);
	}
	return size;
}

int mail_profile_depend(mail_profile_t *profile, mail_section_t section, mail_str_t id,
                        mail_stamp_t stamp)
{
	return dependency_put(profile, section, id, stamp);
}

void mail_profile_free(mail_profile_t *profile)
{
	if (profile == NULL) {
		return;
	}
	for (size_t i = 0; profile->layers != NULL && i < profile->layer_count; i++) {
		mail_entry_free(profile->layers[i].entry);
	}
	mail_free(profile->layers);
	mail_entry_free(profile->own);
	for (size_t i = 0; i < MAIL_ITEM_MAX; i++) {
		mail_free(profile->items[i].values);
	}
	for (size_t i = 0; i < profile->dependency_count; i++) {
		mail_free((void *)profile->dependencies[i].id.data);
	}
	mail_free(profile->dependencies);
	mail_free((void *)profile->domain.data);
	mail_free(profile);
}

mail_str_t mail_profile_value(const mail_profile_t *profile, mail_item_id_t item)
{
	const mail_settings_t *settings = &profile->items[item];
	return settings->count > 0 ? settings->values[0].text : (mail_str_t){ NULL, 0 };
}

uint32_t mail_profile_number(const mail_profile_t *profile, mail_item_id_t item, uint32_t dflt)
{
	uint32_t number;
	return mail_str_number(mail_profile_value(profile, item), UINT32_MAX, &number) ? number
	                                                                               : dflt;
}

bool mail_profile_switch(const mail_profile_t *profile, mail_item_id_t item)
{
	return mail_str_is(mail_profile_value(profile, item), "on");
}

int mail_profile_layer_print(const mail_profile_t *profile, unsigned layer, mail_buf_t *out)
{
	const mail_layer_t *from = &profile->layers[layer];
	if (from->entry == NULL) {
		return mail_buf_str(out, "built-in");
	}
	return mail_buf_printf(out, "%s %.*s", mail_section_name(from->section),
	                       (int)from->entry->id.len, from->entry->id.data);
}
