/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/open.h"

#include <stdlib.h>

#include "mail/dkim_id.h"
#include "mail/time.h"
#include "tool/done.h"
#include "tool/file.h"
#include "tool/guard.h"
#include "tool/options.h"
#include "tool/out.h"
#include "tool/wait.h"

void tool_open_store(tool_t *tool, mail_store_mode_t mode)
{
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_store_open(tool->path, mode, 1, &tool->store, diag);
	if (ret != KNOT_EOK) {
		const char *hint = ret == KNOT_ENOENT ? " (kmailctl init makes one)" : "";
		tool->store = NULL;
		if (diag->text[0] != '\0') {
			tool_fail(tool, ret, "%s%s", diag->text, hint);
		}
		tool_fail(tool, ret, "%s: %s%s", tool->path, knot_strerror(ret), hint);
	}
	/* Slots of readers that were killed would make every write grow the file. */
	if (mode == MAIL_STORE_WRITE) {
		(void)mail_store_clear_readers(tool->store);
	}
}

void tool_open(tool_t *tool, mail_store_mode_t mode)
{
	tool_open_store(tool, mode);
	tool_begin(tool, mode);
}

void tool_begin(tool_t *tool, mail_store_mode_t mode)
{
	if (mode == MAIL_STORE_WRITE) {
		if (wait_begin(tool) != STATUS_DONE) {
			tool_exit(tool, STATUS_FAILED);
		}
		return;
	}
	int ret = mail_txn_begin(tool->store, mode, &tool->txn);
	if (ret != KNOT_EOK) {
		tool->txn = NULL;
		tool_fail(tool, ret, "%s: cannot begin a transaction: %s", tool->path,
		          knot_strerror(ret));
	}
}

int tool_try_commit(tool_t *tool)
{
	if (guard_check(tool) != STATUS_DONE) {
		return STATUS_FAILED;
	}
	mail_txn_t *txn = tool->txn;
	tool->txn = NULL;
	int ret = mail_txn_commit(txn);
	if (ret != KNOT_EOK) {
		(void)tool_diag(tool);
		tool->file = NULL;
		return tool_error_diag(tool, ret);
	}
	files_keep(tool);
	done_say(tool, false);
	return STATUS_DONE;
}

void tool_commit(tool_t *tool)
{
	if (tool_try_commit(tool) != STATUS_DONE) {
		tool_exit(tool, STATUS_FAILED);
	}
}

void tool_abort(tool_t *tool)
{
	guard_free(tool);
	mail_txn_abort(tool->txn);
	tool->txn = NULL;
}

void tool_close(tool_t *tool)
{
	done_free(tool);
	tool_abort(tool);
	mail_store_close(tool->store);
	tool->store = NULL;
	mail_entries_free(&tool->owned);
}

const mail_source_t *tool_source(tool_t *tool)
{
	return mail_txn_source(tool->txn);
}

mail_entry_t *tool_own(tool_t *tool, mail_entry_t *entry)
{
	mail_entries_t *owned = &tool->owned;
	owned->entries = tool_memory(tool,
	                             realloc(owned->entries, (owned->count + 1) * sizeof(entry)));
	owned->entries[owned->count++] = tool_memory(tool, entry);
	return entry;
}

mail_entry_t *tool_new_entry(tool_t *tool, mail_section_t section, const char *text)
{
	mail_buf_t id = { 0 };
	int ret = mail_entry_id_normalise(section, MAIL_STR(text), &id, tool_diag(tool));
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s %s: %s", mail_section_name(section), text,
		          tool_reason(tool, ret));
	}
	mail_entry_t *entry = tool_own(tool, mail_entry_new(section, mail_buf_view(&id)));
	mail_buf_free(&id);
	return entry;
}

mail_str_t tool_id(tool_t *tool, mail_section_t section, const char *text)
{
	return tool_new_entry(tool, section, text)->id;
}

mail_entry_t *tool_find_entry(tool_t *tool, mail_section_t section, const char *text)
{
	const mail_str_t id = tool_id(tool, section, text);
	mail_entry_t *entry = NULL;
	int ret = mail_txn_get(tool->txn, section, id, &entry);
	if (ret == KNOT_ENOENT) {
		return NULL;
	}
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s %.*s: the stored entry cannot be read: %s",
		          mail_section_name(section), (int)id.len, id.data, knot_strerror(ret));
	}
	return tool_own(tool, entry);
}

/*! \brief End the process: an entry is missing. Say which one may be meant, or what lists those that there are. */
static void fail_missing(tool_t *tool, mail_section_t section, mail_str_t id)
{
	/* To look at more entries takes too long. */
	unsigned left = 20000, least = 4;
	const char *nearest = NULL;
	tool_walk_t walk = { .section = section };
	while (left-- > 0 && tool_next(tool, &walk) != NULL) {
		const char *best = NULL;
		mail_nearer(id, walk.entry->id.data, &best, &least);
		if (best != NULL) {
			nearest = tool_own(tool, walk.entry)->id.data;
			walk.entry = NULL;
		}
	}
	const char *name = mail_section_name(section), *word = name;
	if (section == MAIL_SECTION_CERTIFICATE) {
		word = "cert";
	} else if (section == MAIL_SECTION_KEYSET) {
		word = "key";
	}
	tool_fail(tool, KNOT_ENOENT, "%s %.*s does not exist%s%s%s", name, (int)id.len, id.data,
	          nearest != NULL ? "; did you mean " : " (kmailctl ",
	          nearest != NULL ? nearest : word, nearest != NULL ? "?" : "-list lists all)");
}

mail_entry_t *tool_entry(tool_t *tool, mail_section_t section, const char *text)
{
	mail_entry_t *entry = tool_find_entry(tool, section, text);
	if (entry == NULL) {
		const mail_str_t id = tool_id(tool, section, text);
		fail_missing(tool, section, id);
	}
	return entry;
}

/*! \brief Return what is stored of an entry that is going to be written; NULL: nothing that can be read. */
static mail_entry_t *stored(tool_t *tool, const mail_entry_t *entry)
{
	mail_entry_t *old = NULL;
	int ret = mail_txn_get(tool->txn, entry->section, entry->id, &old);
	return ret == KNOT_EOK ? old : NULL;
}

void tool_put(tool_t *tool, mail_entry_t *const *entries, size_t entry_count,
              mail_change_count_t *count)
{
	mail_diag_t *diag = tool_diag(tool);
	mail_change_t *change = tool_memory(tool, mail_change_begin(tool->txn));
	mail_change_count_t own = { 0 };
	mail_entry_t *old = entry_count == 1 ? stored(tool, entries[0]) : NULL;
	if (option_is(tool, OPT_DS_SEEN)) {
		mail_change_in_dns(change);
	}
	int ret = KNOT_EOK;
	count = count != NULL ? count : &own;
	mail_change_lines(change, entries, entry_count);
	for (size_t i = 0; i < entry_count; i++) {
		ret = guard_note(tool, entries[i]);
		if (ret == KNOT_EOK) {
			ret = mail_change_put(change, entries[i], diag);
		}
		if (ret != KNOT_EOK) {
			break;
		}
	}
	if (ret == KNOT_EOK) {
		ret = mail_change_finish(change, count, diag);
	}
	mail_change_free(change);
	if (ret != KNOT_EOK) {
		tool_exit(tool, tool_error_diag(tool, ret));
	}
	if (entry_count == 1) {
		done_note(tool, old, entries[0], count);
	}
	mail_entry_free(old);
}

int64_t tool_get_time(const mail_entry_t *entry, mail_item_id_t item, int64_t dflt)
{
	int64_t when;
	return mail_time_parse(mail_entry_value(entry, item), &when, NULL) == KNOT_EOK ? when
	                                                                               : dflt;
}

void tool_set_time(tool_t *tool, mail_entry_t *entry, mail_item_id_t item, int64_t when)
{
	mail_entry_remove(entry, item, MAIL_OP_SET);
	tool_expect(tool, mail_entry_add(entry, mail_item_get(item), MAIL_OP_SET,
	                                 MAIL_STR(tool_time(when)), 0));
}

uint64_t tool_count(tool_t *tool, unsigned sections)
{
	mail_store_stat_t stat = { 0 };
	uint64_t total = 0;
	(void)mail_txn_stat(tool->txn, &stat);
	for (unsigned i = 0; i < MAIL_SECTION_COUNT; i++) {
		total += (sections & (1u << i)) != 0 ? stat.entries[i] : 0;
	}
	return total;
}

int tool_compare(mail_str_t a, mail_str_t b)
{
	const size_t common = a.len < b.len ? a.len : b.len;
	const int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/*! \brief Say that the entry of a key cannot be decoded. */
static int error_damaged(tool_t *tool, const tool_walk_t *walk, int code)
{
	mail_buf_t id = { 0 };
	const mail_lf_t key = mail_lf(&walk->key);
	if (mail_entry_id_from_key(walk->section, key, &id) != KNOT_EOK) {
		id.len = 0;
		for (size_t i = 0; i < key.len; i++) {
			(void)mail_buf_printf(&id, "%02x", key.data[i]);
		}
	}
	int status = tool_error(tool, code, "%s %.*s: the stored entry cannot be read: %s",
	                        mail_section_name(walk->section), (int)id.len,
	                        (const char *)id.data, knot_strerror(code));
	mail_buf_free(&id);
	return status;
}

mail_entry_t *tool_next(tool_t *tool, tool_walk_t *walk)
{
	mail_entry_free(walk->entry);
	walk->entry = NULL;
	while (!ferror(stdout)) {
		int ret = mail_txn_next(tool->txn, walk->section, &walk->key, &walk->entry);
		if (ret == KNOT_ENOENT ||
		    !mail_lf_in(mail_lf(&walk->key), mail_lf(&walk->prefix))) {
			mail_entry_free(walk->entry);
			return walk->entry = NULL;
		}
		if (ret == KNOT_EOK) {
			return walk->entry;
		}
		walk->entry = NULL;
		if (ret != KNOT_EMALF && ret != KNOT_ENOTSUP) {
			tool_fail(tool, ret, "%s: %s", tool->path, knot_strerror(ret));
		}
		walk->status = error_damaged(tool, walk, ret);
		if (walk->strict) {
			tool_exit(tool, walk->status);
		}
	}
	walk->status = STATUS_FAILED;
	return NULL;
}

void tool_walk_keys(tool_t *tool, mail_str_t owner, tool_walk_t *walk)
{
	/* Any selector makes an id of the owner. */
	mail_dkim_id_t parts;
	mail_dkim_walk_t keys;
	mail_buf_t id = { 0 };
	(void)mail_buf_put(&id, owner.data, owner.len);
	int ret = mail_buf_str(&id, "/x");
	if (ret == KNOT_EOK) {
		ret = mail_dkim_id_parse(mail_buf_view(&id), &parts, NULL);
	}
	if (ret == KNOT_EOK) {
		ret = mail_dkim_walk_begin(&keys, tool_source(tool), parts.section, parts.owner);
	}
	mail_buf_free(&id);
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%.*s: %s", (int)owner.len, owner.data, knot_strerror(ret));
	}
	*walk = (tool_walk_t){ .section = MAIL_SECTION_DKIM, .prefix = keys.top, .key = keys.top };
}

mail_profile_t *tool_next_profile(tool_t *tool, tool_profiles_t *profiles)
{
	tool_walk_t *walk = &profiles->walk;
	const mail_source_t *source = tool_source(tool);
	/* The zeroed start. */
	if (!walk->strict) {
		*walk = (tool_walk_t){ .section = MAIL_SECTION_POLICY, .strict = true };
	}
	for (;;) {
		mail_profile_free(profiles->profile);
		profiles->profile = NULL;
		const mail_entry_t *entry = tool_next(tool, walk);
		int ret = KNOT_ENOENT;
		if (entry == NULL && (walk->section == MAIL_SECTION_DOMAIN || walk->status != 0)) {
			return NULL;
		}
		if (entry == NULL) {
			*walk = (tool_walk_t){ .section = MAIL_SECTION_DOMAIN, .strict = true };
		} else if (walk->section == MAIL_SECTION_POLICY) {
			ret = mail_profile_of_policy(source, entry->id, &profiles->profile, NULL);
		} else if (entry->count > 1) {
			/* A domain that sets nothing but its policy has all from that. */
			ret = mail_profile_of_domain(source, entry->id, &profiles->profile, NULL);
		}
		if (ret == KNOT_EOK) {
			return profiles->profile;
		}
	}
}
