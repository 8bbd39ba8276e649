/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list, show, set and unset: the same for every section, as the table of items has it.
 */

#include <time.h>

#include "mail/change.h"
#include "mail/dkim_id.h"
#include "tool/assign.h"
#include "tool/difference.h"
#include "tool/done.h"
#include "tool/near.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/*! \brief Read the ids that listed entries must name, which must exist; by the options that ask for them. */
static void read_wanted(tool_t *tool, mail_str_t wanted[OPT_COUNT])
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const char *given = option_value(tool, (option_id_t)i);
		const mail_item_t *item = mail_item_get(tool_options[i].item);
		wanted[i] = (mail_str_t){ NULL, 0 };
		if (given != NULL && item != NULL) {
			wanted[i] = tool_entry(tool, mail_item_names(item), given)->id;
		}
	}
}

/*! \brief Return whether an entry names all that is wanted, itself. */
static bool is_wanted(const mail_entry_t *entry, const mail_str_t wanted[OPT_COUNT])
{
	for (int i = 0; i < OPT_COUNT; i++) {
		bool found = wanted[i].len == 0;
		for (size_t j = 0; !found && j < entry->count; j++) {
			const mail_member_t *member = &entry->members[j];
			for (size_t k = 0;
			     member->item->id == tool_options[i].item && k < member->count; k++) {
				found |= mail_str_equal(member->values[k].text, wanted[i]);
			}
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

int verb_list(tool_t *tool)
{
	/* What a list says about an entry besides its id. */
	static const mail_item_id_t told[] = {
		MAIL_ITEM_POLICY, MAIL_ITEM_ALIAS,   MAIL_ITEM_BASE,
		MAIL_ITEM_NAME,   MAIL_ITEM_ADDRESS, MAIL_ITEM_NO_MAIL,
	};
	tool_walk_t walk = { .section = tool->verb->section };
	mail_str_t wanted[OPT_COUNT];
	tool_open(tool, MAIL_STORE_READ);
	read_wanted(tool, wanted);
	const mail_entry_t *entry;
	while ((entry = tool_next(tool, &walk)) != NULL) {
		if (!is_wanted(entry, wanted)) {
			continue;
		}
		if (tool->json) {
			tool_json_entry(tool, entry, NULL);
			continue;
		}
		tool_put_items(entry, 31, NULL, told, sizeof(told) / sizeof(told[0]));
	}
	return walk.status;
}

int verb_show(tool_t *tool)
{
	tool_open(tool, MAIL_STORE_READ);
	for (int i = 0; i < tool->argc; i++) {
		const mail_entry_t *entry = tool_entry(tool, tool->verb->section, tool->argv[i]);
		mail_buf_t text = { 0 };
		if (tool->json) {
			tool_json_entry(tool, entry, NULL);
			continue;
		}
		int ret = mail_text_print(entry, &text);
		if (ret == KNOT_ENOTSUP) {
			tool_fail(tool, ret,
			          "%s %.*s: a value cannot be written in the dialect; --json shows "
			          "it",
			          mail_section_name(entry->section), (int)entry->id.len,
			          entry->id.data);
		}
		tool_expect(tool, ret);
		if (i == 0) {
			(void)printf("%s:\n", mail_section_name(entry->section));
		}
		tool_put_str(stdout, mail_buf_view(&text));
		mail_buf_free(&text);
	}
	return STATUS_DONE;
}

/*! \brief Write an edited entry, or with --dry-run print what would change. */
static void write_entry(tool_t *tool, const mail_entry_t *old, mail_entry_t *entry)
{
	mail_diag_t *diag = tool_diag(tool);
	if (!entry->deleted) {
		tool_expect_entry(tool, entry, mail_entry_check(entry, diag));
	}
	tool_put(tool, &entry, 1, NULL);
	if (option_is(tool, OPT_DRY_RUN)) {
		tool_abort(tool);
		(void)difference_print(tool, old, entry);
		done_say(tool, true);
	} else {
		tool_commit(tool);
	}
}

/*! \brief Refuse to replace the key of a selector in use; what a file says is deliberate, and only warned of. */
static void refuse_key(tool_t *tool, const mail_entry_t *old, const mail_entry_t *entry)
{
	mail_dkim_id_t id;
	if (old == NULL || entry->section != MAIL_SECTION_DKIM || option_is(tool, OPT_FORCE) ||
	    !mail_change_replaces_key(old, entry, time(NULL)) ||
	    mail_dkim_id_parse(entry->id, &id, NULL) != KNOT_EOK) {
		return;
	}
	const int owner = (int)(entry->id.len - id.selector.len);
	tool_fail(tool, KNOT_EEXIST,
	          "dkim %.*s: the selector is in use, and mail on its way that is signed with the "
	          "old key would fail: give the new key a new selector (kmailctl dkim-import "
	          "%.*sSELECTOR KEY), later kmailctl dkim-retire %.*s; or --force",
	          (int)entry->id.len, entry->id.data, owner, entry->id.data, (int)entry->id.len,
	          entry->id.data);
}

int verb_set(tool_t *tool)
{
	assign_t *assign = assign_read(tool, tool->argc - 1, tool->argv + 1);
	assign_files(assign);
	tool_open(tool, MAIL_STORE_WRITE);
	const mail_entry_t *old = near_find(tool, tool->verb->section, tool->argv[0]);
	mail_entry_t *entry = old != NULL
	                              ? tool_own(tool, mail_entry_copy(old))
	                              : tool_new_entry(tool, tool->verb->section, tool->argv[0]);
	assign_set(tool, entry, assign);
	refuse_key(tool, old, entry);
	write_entry(tool, old, entry);
	assign_free(assign);
	return STATUS_DONE;
}

/*! \brief Delete an entry: also one that is damaged. */
static void delete_entry(tool_t *tool, const char *text)
{
	mail_entry_t *old = NULL, *entry = tool_new_entry(tool, tool->verb->section, text);
	int ret = mail_txn_get(tool->txn, entry->section, entry->id, &old);
	if (ret == KNOT_ENOENT) {
		(void)tool_entry(tool, entry->section, text);
	}
	if (ret != KNOT_EOK && ret != KNOT_EMALF) {
		tool_fail(tool, ret, "%s %s: %s", mail_section_name(entry->section), text,
		          knot_strerror(ret));
	}
	entry->deleted = true;
	write_entry(tool, old, entry);
	mail_entry_free(old);
}

int verb_unset(tool_t *tool)
{
	assign_t *assign = assign_read(tool, tool->argc - 1, tool->argv + 1);
	tool_open(tool, MAIL_STORE_WRITE);
	if (tool->argc == 1) {
		delete_entry(tool, tool->argv[0]);
	} else {
		const mail_entry_t *old = tool_entry(tool, tool->verb->section, tool->argv[0]);
		mail_entry_t *entry = tool_own(tool, mail_entry_copy(old));
		assign_unset(tool, entry, assign);
		write_entry(tool, old, entry);
	}
	assign_free(assign);
	return STATUS_DONE;
}
