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

/*! \brief A file with a chain. */
typedef struct {
	const char *path; /*!< NULL: none is given. */
	mail_buf_t pem;
} chain_t;

/*! \brief Read the file that an option names. */
static void read_chain(tool_t *tool, option_id_t option, chain_t *chain)
{
	*chain = (chain_t){ .path = option_value(tool, option) };
	if (chain->path != NULL) {
		tool_read(tool, chain->path, &chain->pem);
	}
}

/*! \brief Replace an item by the TLSA data of a chain, in every form of the set. */
static void set_chain(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, chain_t *chain)
{
	mail_entry_remove(entry, item, MAIL_OP_SET);
	int ret = mail_text_add_file(entry, mail_item_get(item), mail_buf_view(&chain->pem), 0,
	                             tool_diag(tool));
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s: %s", chain->path, tool_reason(tool, ret));
	}
	file_wipe(&chain->pem);
}

static void set_forms(tool_t *tool, mail_entry_t *entry)
{
	const given_t *given = &tool->given[OPT_FORM];
	/* What is stored was made in the old forms, from a file that is not here. */
	if (!option_is(tool, OPT_CURRENT) ||
	    (!option_is(tool, OPT_NEXT) &&
	     mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) != NULL)) {
		tool_usage(tool,
		           "--form makes all records again: it needs --current, and --next if "
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
static void set_all(tool_t *tool, mail_entry_t *entry, chain_t *current, chain_t *next)
{
	if (option_is(tool, OPT_FORM)) {
		set_forms(tool, entry);
	}
	if (current->path != NULL) {
		set_chain(tool, entry, MAIL_ITEM_CURRENT, current);
	}
	/* Writing keeps the stored time of publication while next stays the same (mail/change.h). */
	mail_entry_remove(entry, MAIL_ITEM_PUBLISH, MAIL_OP_SET);
	if (next->path != NULL) {
		set_chain(tool, entry, MAIL_ITEM_NEXT, next);
	} else if (current->path != NULL &&
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

/*! \brief Find out when the next certificate of a set may be deployed. */
static mail_ready_t ready_at(tool_t *tool, const mail_entry_t *entry)
{
	mail_ready_t ready;
	if (mail_entry_value(entry, MAIL_ITEM_PUBLISH).len > 0 &&
	    tool_get_time(entry, MAIL_ITEM_PUBLISH, -1) < 0) {
		tool_fail(tool, KNOT_EMALF, "certificate %.*s: publish is no time",
		          (int)entry->id.len, entry->id.data);
	}
	tool_expect(tool, mail_change_ready(tool->txn, entry, time(NULL), &ready));
	return ready;
}

/*! \brief Say when the next certificate may be deployed, and warn when it is planned for before. */
static void tell_ready(tool_t *tool, const mail_entry_t *entry)
{
	if (mail_entry_member(entry, MAIL_ITEM_NEXT, MAIL_OP_SET) == NULL) {
		return;
	}
	const mail_ready_t ready = ready_at(tool, entry);
	if (ready.why[0] != '\0') {
		tool_note(tool, "the next certificate of %.*s is not in DNS yet: %s",
		          (int)entry->id.len, entry->id.data, ready.why);
		return;
	}
	if (tool_get_time(entry, MAIL_ITEM_DEPLOY_AT, ready.at) < ready.at) {
		tool_warn(
			tool,
			"certificate %.*s: deploy-at is before %s: senders may still have the old "
			"TLSA records in their caches",
			(int)entry->id.len, entry->id.data, tool_time(ready.at));
	}
	tool_note(tool, "the next certificate may be deployed from %s on", tool_time(ready.at));
}

int verb_cert_import(tool_t *tool)
{
	if (!option_is(tool, OPT_CURRENT) && !option_is(tool, OPT_NEXT) &&
	    !option_is(tool, OPT_DEPLOY_AT)) {
		tool_usage(tool, "cert-import needs --current, --next or --deploy-at");
	}
	chain_t current, next;
	read_chain(tool, OPT_CURRENT, &current);
	read_chain(tool, OPT_NEXT, &next);
	tool_open(tool, MAIL_STORE_WRITE);
	mail_entry_t *entry = near_find(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]);
	if (entry == NULL) {
		entry = tool_new_entry(tool, MAIL_SECTION_CERTIFICATE, tool->argv[0]);
	}
	set_all(tool, entry, &current, &next);
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
	const mail_ready_t ready = ready_at(tool, entry);
	if (ready.why[0] != '\0') {
		if (tool->json) {
			(void)tool_json(json_pack("{s:s, s:b, s:s}", "certificate", tool->argv[0],
			                          "ready", 0, "why", ready.why));
			return STATUS_FAILED;
		}
		return tool_error(tool, KNOT_ENOENT, "certificate %s: it is not in DNS: %s",
		                  tool->argv[0], ready.why);
	}
	const bool now = time(NULL) >= ready.at;
	if (tool->json) {
		(void)tool_json(json_pack("{s:s, s:s, s:b}", "certificate", tool->argv[0],
		                          "deploy-from", tool_time(ready.at), "ready", now));
	} else {
		(void)puts(tool_time(ready.at));
	}
	return now ? STATUS_DONE : STATUS_FAILED;
}
