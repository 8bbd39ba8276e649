/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is in use cannot be deleted: a change that deletes is searched for entries that go on naming what goes.
 */
#include "config.h"

#include <search.h>
#include <stdio.h>
#include <string.h>

#include "change/internal.h"

/*! Sections whose entries a domain names that is no alias. Of the others, nothing names a DKIM key. */
#define NAMED_BY_DOMAINS                                                                           \
	(1u << MAIL_SECTION_POLICY | 1u << MAIL_SECTION_HOST | 1u << MAIL_SECTION_KEYSET)
/*! Sections whose entries a host or a policy names. */
#define NAMED_BY_OTHERS (NAMED_BY_DOMAINS | 1u << MAIL_SECTION_CERTIFICATE)

/*! The first deleted entry that is found in use, and who uses it. */
typedef struct {
	mail_change_t *change;
	const mail_entry_t *gone; /*!< NULL: none was found yet. */
	mail_section_t section;   /*!< Of the first that uses it. */
	mail_buf_t id;
	/*! By which those of a section use it; NULL: none does. */
	const mail_item_t *items[MAIL_SECTION_COUNT];
	size_t count;
	uint32_t line; /*!< Where it is named, if a line of this change does that. */
	int ret;
} uses_t;

/*! Return the line at which an entry of this change names another one; 0: it does not, or has none. */
static uint32_t line_of_use(const mail_change_t *change, mail_section_t section, mail_str_t id,
                            const mail_item_t *item, mail_str_t value)
{
	for (size_t i = 0; i < change->put_count; i++) {
		const mail_entry_t *entry = change->put[i];
		if (entry->section != section || !mail_str_equal(entry->id, id)) {
			continue;
		}
		for (size_t j = 0; j < entry->count; j++) {
			const mail_member_t *member = &entry->members[j];
			for (size_t k = 0; member->item == item && k < member->count; k++) {
				if (mail_str_equal(member->values[k].text, value)) {
					return member->values[k].line;
				}
			}
		}
	}
	return 0;
}

/*! Look whether a value of an entry names what is deleted. \return true: it is what is being told of. */
static bool use_note(uses_t *uses, mail_section_t section, mail_str_t id, const mail_item_t *item,
                     mail_str_t value)
{
	const mail_entry_t *gone = mail_change_find(uses->change, mail_item_names(item), value);
	if (gone == NULL || !gone->deleted || (uses->gone != NULL && uses->gone != gone)) {
		return false;
	}
	if (uses->gone == NULL) {
		uses->gone = gone;
		uses->section = section;
		uses->ret = mail_buf_put(&uses->id, id.data, id.len);
	}
	/* Of the first one alone: a file may have a million of them. */
	if (uses->count == 0) {
		uses->line = line_of_use(uses->change, section, id, item, value);
	}
	if (uses->items[section] == NULL) {
		uses->items[section] = item;
	}
	return true;
}

/*! Look at all values of an entry. */
static void use_entry(uses_t *uses, const mail_entry_t *entry)
{
	bool found = false;
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		if (mail_item_names(member->item) == MAIL_SECTION_COUNT) {
			continue;
		}
		for (size_t j = 0; j < member->count; j++) {
			found |= use_note(uses, entry->section, entry->id, member->item,
			                  member->values[j].text);
		}
	}
	uses->count += found;
}

/*! Look at all entries of a section. */
static int use_section(uses_t *uses, mail_section_t section)
{
	mail_lf_storage_t key = { 0 };
	for (;;) {
		mail_entry_t *entry = NULL;
		int ret = mail_txn_next(uses->change->txn, section, &key, &entry);
		if (ret == KNOT_ENOENT) {
			return KNOT_EOK;
		}
		if (ret == KNOT_EMALF || ret == KNOT_ENOTSUP) {
			continue;
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		use_entry(uses, entry);
		mail_entry_free(entry);
		if (uses->ret != KNOT_EOK) {
			return uses->ret;
		}
	}
}

/*! Look at a domain; few set more than what they follow. */
static int use_domain(mail_lf_t name, const mail_domain_t *domain, void *ctx)
{
	uses_t *uses = ctx;
	char text[KNOT_DNAME_TXT_MAXLEN + 1];
	mail_buf_t buf = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text));
	if (domain->error != KNOT_EOK ||
	    mail_entry_id_from_key(MAIL_SECTION_DOMAIN, name, &buf) != KNOT_EOK) {
		return KNOT_EOK;
	}
	const mail_str_t id = mail_buf_view(&buf);
	if (domain->alias.len > 0 || domain->plain) {
		const bool alias = domain->alias.len > 0;
		uses->count += use_note(uses, MAIL_SECTION_DOMAIN, id,
		                        mail_item_get(alias ? MAIL_ITEM_ALIAS : MAIL_ITEM_POLICY),
		                        alias ? domain->alias : domain->policy);
		return uses->ret;
	}
	mail_entry_t *entry = NULL;
	int ret = mail_txn_get(uses->change->txn, MAIL_SECTION_DOMAIN, id, &entry);
	if (ret == KNOT_EOK) {
		use_entry(uses, entry);
		mail_entry_free(entry);
	}
	return ret == KNOT_ENOMEM ? ret : uses->ret;
}

/*! Say what is in use, by whom, and what lists them. */
static int use_refuse(const uses_t *uses, mail_diag_t *diag)
{
	const mail_entry_t *gone = uses->gone;
	char more[48] = "", number[MAIL_NUMBER_TEXT], lists[256] = "";
	size_t len = 0;
	if (uses->count > 1) {
		(void)snprintf(more, sizeof(more), " and %s more",
		               mail_number_text(uses->count - 1, number));
	}
	for (unsigned i = 0; i < MAIL_SECTION_COUNT && len < sizeof(lists); i++) {
		if (uses->items[i] != NULL) {
			len += (size_t)snprintf(lists + len, sizeof(lists) - len,
			                        "%skmailctl %s-list --%s %.*s", len > 0 ? ", " : "",
			                        mail_section_name(i), uses->items[i]->name,
			                        (int)gone->id.len, gone->id.data);
		}
	}
	diag->line = gone->line != 0 ? gone->line : uses->line;
	return mail_diag_error(diag, 0, "%s %.*s is in use: by %s %.*s%s (%s)",
	                       mail_section_name(gone->section), (int)gone->id.len, gone->id.data,
	                       mail_section_name(uses->section), (int)uses->id.len,
	                       (const char *)uses->id.data, more, lists);
}

/*! Look at the aliases of a domain that was deleted. */
static void aliases_walk(const void *node, VISIT visit, void *closure)
{
	uses_t *uses = closure;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	mail_lf_storage_t key;
	if ((visit != postorder && visit != leaf) || uses->ret != KNOT_EOK || !entry->deleted ||
	    entry->section != MAIL_SECTION_DOMAIN ||
	    mail_entry_key(MAIL_SECTION_DOMAIN, entry->id, &key) != KNOT_EOK) {
		return;
	}
	uses->ret = mail_txn_aliases(uses->change->txn, mail_lf(&key), use_domain, uses);
}

/*! Look at all entries that may name one of those that were deleted. */
static int uses_find(uses_t *uses)
{
	const mail_change_t *change = uses->change;
	int ret = KNOT_EOK;
	if ((change->removes & NAMED_BY_OTHERS) != 0) {
		ret = use_section(uses, MAIL_SECTION_HOST);
	}
	if (ret == KNOT_EOK && (change->removes & NAMED_BY_OTHERS) != 0) {
		ret = use_section(uses, MAIL_SECTION_POLICY);
	}
	if (ret == KNOT_EOK && (change->removes & NAMED_BY_DOMAINS) != 0) {
		/* Of all domains: aliases, too. */
		ret = mail_txn_domains(change->txn, use_domain, uses);
	} else if (ret == KNOT_EOK && (change->removes & 1u << MAIL_SECTION_DOMAIN) != 0) {
		twalk_r(change->listed, aliases_walk, uses);
		ret = uses->ret;
	}
	return ret;
}

int mail_change_uses_check(mail_change_t *change, mail_diag_t *diag)
{
	uses_t uses = { .change = change };
	int ret = uses_find(&uses);
	if (ret == KNOT_EOK && uses.gone != NULL) {
		ret = use_refuse(&uses, diag);
	}
	mail_buf_free(&uses.id);
	return ret;
}
