/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificate sets: what a TLS server shows now, what it is going to show, and from when on it may.
 */

#include <time.h>

#include "mail/text.h"
#include "tool/file.h"
#include "tool/near.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

#define TTL_DEFAULT 3600

/*! \brief Replace an item by the TLSA data of a chain, in every form of the set. */
static void set_chain(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, const char *path)
{
	mail_buf_t pem = { 0 };
	tool_read(tool, path, &pem);
	mail_entry_remove(entry, item, MAIL_OP_SET);
	int ret = mail_text_add_file(entry, mail_item_get(item), mail_buf_view(&pem), 0,
	                             tool_diag(tool));
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s: %s", path, tool_reason(tool, ret));
	}
	file_wipe(&pem);
}

static void set_forms(tool_t *tool, mail_entry_t *entry)
{
	const given_t *given = &tool->given[OPT_FORM];
	/* What is stored was made in the old forms, from a file that is not here. */
	if (!option_is(tool, OPT_CURRENT) ||
	    (!option_is(tool, OPT_NEXT) &&
	     mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) != NULL)) {
		tool_usage(tool, "--form makes all records anew: it needs --current, and --next if "
		                 "there is a next certificate");
	}
	mail_entry_remove(entry, MAIL_ITEM_FORM, MAIL_OP_SET);
	for (size_t i = 0; i < given->count; i++) {
		int ret = mail_entry_parse(entry, mail_item_get(MAIL_ITEM_FORM), MAIL_OP_SET,
		                           MAIL_STR(given->values[i]), 0, tool_diag(tool));
		if (ret != KNOT_EOK) {
			tool_usage(tool, "--form: %s: %s", given->values[i],
			           tool_reason(tool, ret));
		}
	}
}

/*! \brief Set what the options say. */
static void set_all(tool_t *tool, mail_entry_t *entry)
{
	const char *current = option_value(tool, OPT_CURRENT), *next = option_value(tool, OPT_NEXT);
	if (option_is(tool, OPT_FORM)) {
		set_forms(tool, entry);
	}
	if (current != NULL) {
		set_chain(tool, entry, MAIL_ITEM_CURRENT, current);
	}
	/* Writing keeps the stored time of publication while next stays the same (mail/change.h). */
	mail_entry_remove(entry, MAIL_ITEM_PUBLISH, MAIL_OP_SET);
	if (next != NULL) {
		set_chain(tool, entry, MAIL_ITEM_NEXT, next);
	} else if (current != NULL &&
	           mail_member_equal(mail_entry_member(entry, MAIL_ITEM_CURRENT, MAIL_OP_SET),
	                             mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET))) {
		/* The next one has been deployed: nothing comes after it yet. */
		mail_entry_remove(entry, MAIL_ITEM_NEXT, MAIL_OP_SET);
		mail_entry_remove(entry, MAIL_ITEM_DEPLOY_AT, MAIL_OP_SET);
	}
	if (option_is(tool, OPT_DEPLOY_AT)) {
		tool_set_time(tool, entry, MAIL_ITEM_DEPLOY_AT,
		              option_time(tool, OPT_DEPLOY_AT, time(NULL)));
	}
	tool_expect_entry(tool, entry, mail_entry_check(entry, tool_diag(tool)));
}

/*! \brief Return whether a host that a profile has shows a certificate set. */
static bool shows(tool_t *tool, const mail_profile_t *profile, mail_str_t certificate)
{
	const mail_settings_t *hosts = &profile->items[MAIL_ITEM_HOST];
	bool found = false;
	for (size_t i = 0; i < hosts->count && !found; i++) {
		mail_entry_t *host = NULL;
		if (mail_txn_get(tool->txn, MAIL_SECTION_HOST, hosts->values[i].text, &host) !=
		    KNOT_EOK) {
			continue;
		}
		const mail_member_t *sets = mail_entry_member(host, MAIL_ITEM_CERTIFICATE,
		                                              MAIL_OP_SET);
		for (size_t j = 0; sets != NULL && j < sets->count; j++) {
			found |= mail_str_equal(sets->values[j].text, certificate);
		}
		mail_entry_free(host);
	}
	return found;
}

/*! \brief Return when the next certificate of a set may be deployed: RFC 7671 8, two TTLs after publication. */
static int64_t ready_at(tool_t *tool, const mail_entry_t *entry)
{
	const int64_t never = mail_entry_value(entry, MAIL_ITEM_PUBLISH).len > 0 ? -1 : 0;
	const int64_t publish = tool_get_time(entry, MAIL_ITEM_PUBLISH, never);
	tool_profiles_t profiles = { 0 };
	const mail_profile_t *profile;
	uint32_t largest = 0;
	if (publish < 0) {
		tool_fail(tool, KNOT_EMALF, "certificate %.*s: publish is no time",
		          (int)entry->id.len, entry->id.data);
	}
	while ((profile = tool_next_profile(tool, &profiles)) != NULL) {
		const uint32_t ttl = mail_profile_number(profile, MAIL_ITEM_TTL, TTL_DEFAULT);
		if (ttl > largest && shows(tool, profile, entry->id)) {
			largest = ttl;
		}
	}
	return publish + 2 * (int64_t)largest;
}

/*! \brief Say when the next certificate may be deployed, and warn when it is planned for before. */
static void tell_ready(tool_t *tool, const mail_entry_t *entry)
{
	if (mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL) {
		return;
	}
	const int64_t when = ready_at(tool, entry);
	if (tool_get_time(entry, MAIL_ITEM_DEPLOY_AT, when) < when) {
		tool_warn(
			tool,
			"certificate %.*s: deploy-at is before %s: senders may still have the old "
			"TLSA records in their caches",
			(int)entry->id.len, entry->id.data, tool_time(when));
	}
	tool_note(tool, "the next certificate may be deployed from %s on", tool_time(when));
}

int verb_cert_import(tool_t *tool)
{
	if (!option_is(tool, OPT_CURRENT) && !option_is(tool, OPT_NEXT) &&
	    !option_is(tool, OPT_DEPLOY_AT)) {
		tool_usage(tool, "cert-import needs --current, --next or --deploy-at");
	}
	tool_open(tool, MAIL_STORE_WRITE);
	mail_entry_t *entry = near_find(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]);
	if (entry == NULL) {
		entry = tool_new_entry(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]);
	}
	set_all(tool, entry);
	tool_put(tool, &entry, 1, NULL);
	/* As it was stored: with the time of publication. */
	tell_ready(tool, tool_entry(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]));
	tool_commit(tool);
	return STATUS_DONE;
}

int verb_cert_list(tool_t *tool)
{
	static const mail_item_id_t told[] = { MAIL_ITEM_CURRENT, MAIL_ITEM_NEXT, MAIL_ITEM_PUBLISH,
		                               MAIL_ITEM_DEPLOY_AT };
	tool_walk_t walk = { .section = MAIL_SECTION_CERTIFICATE };
	tool_open(tool, MAIL_STORE_READ);
	while (tool_next(tool, &walk) != NULL) {
		if (tool->json) {
			tool_json_entry(tool, walk.entry, NULL);
		} else {
			tool_put_items(walk.entry, 31, NULL, told, sizeof(told) / sizeof(told[0]));
		}
	}
	return walk.status;
}

int verb_cert_ready(tool_t *tool)
{
	tool_open(tool, MAIL_STORE_READ);
	const mail_entry_t *entry = tool_entry(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]);
	if (mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL) {
		tool_fail(tool, KNOT_ENOENT, "certificate %s: it has no next certificate",
		          tool->argv[0]);
	}
	const int64_t when = ready_at(tool, entry);
	const bool ready = time(NULL) >= when;
	if (tool->json) {
		(void)tool_json(json_pack("{s:s, s:s, s:b}", "certificate", tool->argv[0],
		                          "deploy-from", tool_time(when), "ready", ready));
	} else {
		(void)puts(tool_time(when));
	}
	return ready ? STATUS_DONE : STATUS_FAILED;
}
