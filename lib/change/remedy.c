/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What to do about a reason that a change was refused for: an entry that it names does not exist.
 */
#include "config.h"

#include <search.h>
#include <stdio.h>
#include <string.h>

#include "change/internal.h"
#include "mail/chars.h"
#include "mail/dkim_id.h"
#include "mail/text.h"

/* To look at more entries for one that was meant takes too long. */
#define LOOK_MAX 20000

/*! What makes an entry of a section that is missing: before and behind its id. */
static const struct {
	const char *before, *behind;
} makers[MAIL_SECTION_COUNT] = {
	[MAIL_SECTION_HOST] = { "host-set", " name=NAME address=ADDRESS" },
	[MAIL_SECTION_CERTIFICATE] = { "cert-import", " --current FILE" },
	[MAIL_SECTION_POLICY] = { "policy-set", " ns=NAME mx=MX" },
	[MAIL_SECTION_DOMAIN] = { "domain-set", " policy=POLICY" },
	[MAIL_SECTION_KEYSET] = { "key-generate", "" },
};

/*! A walk over what the changed entries name, for what the reason says is missing. */
typedef struct {
	mail_change_t *change;
	mail_diag_t *diag;
	bool done;
} remedy_t;

/*! Append the id that was meant, if one is near. \return false: none is. */
static bool nearest_put(mail_change_t *change, mail_section_t section, mail_str_t id,
                        mail_buf_t *out)
{
	mail_lf_storage_t key = { 0 };
	mail_buf_t found = { 0 };
	unsigned least = 4;
	for (size_t i = 0; i < LOOK_MAX; i++) {
		char text[KNOT_DNAME_TXT_MAXLEN + 1];
		mail_buf_t other = MAIL_BUF_FIXED((uint8_t *)text, sizeof(text) - 1);
		const char *best = NULL;
		int ret = mail_txn_next(change->txn, section, &key, NULL);
		if (ret == KNOT_ENOENT || ret == KNOT_ENOMEM) {
			break;
		}
		if (mail_entry_id_from_key(section, mail_lf(&key), &other) != KNOT_EOK) {
			continue;
		}
		text[other.len] = '\0';
		mail_nearer(id, text, &best, &least);
		if (best != NULL) {
			found.len = 0;
			(void)mail_buf_str(&found, text);
		}
	}
	const bool near = found.len > 0;
	if (near) {
		(void)mail_buf_printf(out, "did you mean %.*s?", (int)found.len,
		                      (const char *)found.data);
	}
	mail_buf_free(&found);
	return near;
}

/*! When the reason says that an entry does not exist, append what to do. */
static void missing_check(remedy_t *remedy, mail_section_t section, mail_str_t id)
{
	mail_diag_t *diag = remedy->diag;
	char what[KNOT_DNAME_TXT_MAXLEN + 64], remedies[256];
	mail_buf_t text = MAIL_BUF_FIXED((uint8_t *)remedies, sizeof(remedies));
	(void)snprintf(what, sizeof(what), "%s %.*s does not exist", mail_section_name(section),
	               (int)id.len, id.data);
	const size_t len = strlen(diag->text), end = strlen(what);
	if (remedy->done || section >= MAIL_SECTION_COUNT || makers[section].before == NULL ||
	    len < end || strcmp(diag->text + len - end, what) != 0) {
		return;
	}
	if (!nearest_put(remedy->change, section, id, &text)) {
		(void)mail_buf_printf(&text, "kmailctl %s %.*s%s makes it", makers[section].before,
		                      (int)id.len, id.data, makers[section].behind);
	}
	if (text.error == KNOT_EOK) {
		(void)snprintf(diag->text + len, sizeof(diag->text) - len, ": %.*s", (int)text.len,
		               remedies);
	}
	remedy->done = true;
}

/*! Return whether an entry is stored and live. */
static bool is_live(const remedy_t *remedy, mail_section_t section, mail_str_t id)
{
	const mail_source_t *base = remedy->change->base;
	mail_lf_storage_t key;
	return mail_entry_key(section, id, &key) == KNOT_EOK &&
	       base->get(base, section, mail_lf(&key), NULL, NULL) == KNOT_EOK;
}

/*! A DKIM key whose owner does not exist: its id may be turned round, or lack the word before a policy. */
static void key_check(remedy_t *remedy, const mail_dkim_id_t *id)
{
	const mail_str_t owner = id->owner, selector = id->selector;
	mail_diag_t *diag = remedy->diag;
	if (remedy->done || id->section != MAIL_SECTION_DOMAIN ||
	    is_live(remedy, MAIL_SECTION_DOMAIN, owner)) {
		return;
	}
	if (is_live(remedy, MAIL_SECTION_DOMAIN, selector)) {
		(void)mail_diag_error(diag, 0,
		                      "dkim %.*s/%.*s: domain %.*s does not exist: did you mean "
		                      "%.*s/%.*s?",
		                      MAIL_SHOW(owner), MAIL_SHOW(selector), MAIL_SHOW(owner),
		                      MAIL_SHOW(selector), MAIL_SHOW(owner));
		remedy->done = true;
	} else if (is_live(remedy, MAIL_SECTION_POLICY, owner)) {
		(void)mail_diag_error(diag, 0,
		                      "dkim %.*s/%.*s: domain %.*s does not exist: did you mean "
		                      "policy:%.*s/%.*s?",
		                      MAIL_SHOW(owner), MAIL_SHOW(selector), MAIL_SHOW(owner),
		                      MAIL_SHOW(owner), MAIL_SHOW(selector));
		remedy->done = true;
	}
}

static void each_listed(const void *node, VISIT visit, void *closure)
{
	if (visit != postorder && visit != leaf) {
		return;
	}
	remedy_t *remedy = closure;
	const mail_entry_t *entry = *(mail_entry_t *const *)node;
	mail_dkim_id_t dkim;
	if (entry->section == MAIL_SECTION_DKIM &&
	    mail_dkim_id_parse(entry->id, &dkim, NULL) == KNOT_EOK) {
		key_check(remedy, &dkim);
		missing_check(remedy, dkim.section, dkim.owner);
	}
	for (size_t i = 0; i < entry->count; i++) {
		const mail_member_t *member = &entry->members[i];
		for (size_t j = 0; j < member->count; j++) {
			missing_check(remedy, mail_item_names(member->item),
			              member->values[j].text);
		}
	}
}

void mail_change_remedy(mail_change_t *change, mail_diag_t *diag)
{
	remedy_t remedy = { .change = change, .diag = diag };
	twalk_r(change->listed, each_listed, &remedy);
}
