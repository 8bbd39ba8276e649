/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM keys. The private key goes to a file and never into the store.
 */

#include <time.h>

#include "mail/chars.h"
#include "mail/dkim.h"
#include "mail/dkim_id.h"
#include "mail/text.h"
#include "tool/done.h"
#include "tool/file.h"
#include "tool/hidden.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

/* Mail in flight is verified with the old key: queues give up after five days (RFC 5321 4.5.4.1). */
#define REMOVE_AFTER (7 * 86400)

/* So long caches hold that a selector has no key: the minimum of the SOA (RFC 2308 5). */
#define NEGATIVE_TTL 300

static const struct {
	option_id_t option;
	mail_item_id_t item;
} times[] = {
	{ OPT_PUBLISH, MAIL_ITEM_PUBLISH },
	{ OPT_ACTIVATE, MAIL_ITEM_ACTIVATE },
	{ OPT_RETIRE, MAIL_ITEM_RETIRE },
	{ OPT_REMOVE, MAIL_ITEM_REMOVE },
};

/*! \brief Make the entry of a key that is not in the store yet. */
static mail_entry_t *new_key(tool_t *tool, const char *text)
{
	const mail_entry_t *old = tool_find_entry(tool, MAIL_SECTION_DKIM, text);
	if (old != NULL) {
		tool_fail(tool, KNOT_EEXIST,
		          "dkim %.*s: there is one already; a new key takes a new selector",
		          (int)old->id.len, old->id.data);
	}
	return tool_new_entry(tool, MAIL_SECTION_DKIM, text);
}

/*! \brief Set when signers may use a new key: not before every cache can find it. */
static void set_activate(tool_t *tool, mail_entry_t *entry)
{
	int64_t safe = tool_get_time(entry, MAIL_ITEM_PUBLISH, 0) + NEGATIVE_TTL;
	if (option_is(tool, OPT_ACTIVATE)) {
		if (tool_get_time(entry, MAIL_ITEM_ACTIVATE, 0) < safe) {
			tool_warn(
				tool,
				"dkim %.*s: activate is before %s: until then caches may hold that "
				"there is no such key, and mail signed with it fails",
				(int)entry->id.len, entry->id.data, tool_time(safe));
		}
		return;
	}
	/* A key that ends before is never used. */
	const int64_t remove = tool_get_time(entry, MAIL_ITEM_REMOVE, safe);
	const int64_t retire = tool_get_time(entry, MAIL_ITEM_RETIRE, remove);
	tool_set_time(tool, entry, MAIL_ITEM_ACTIVATE, retire < safe ? retire : safe);
}

/*! \brief Complete the entry of a key with tags and times and write it, without a commit. */
static void put_key(tool_t *tool, mail_entry_t *entry)
{
	const char *tags = option_value(tool, OPT_TAGS);
	const int64_t now = time(NULL);
	mail_diag_t *diag = tool_diag(tool);
	if (tags != NULL) {
		mail_entry_remove(entry, MAIL_ITEM_TAGS, MAIL_OP_SET);
		int ret = mail_entry_parse(entry, mail_item_get(MAIL_ITEM_TAGS), MAIL_OP_SET,
		                           MAIL_STR(tags), 0, diag);
		tool_expect_entry(tool, entry, ret);
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		/* It is published now when nothing is said. */
		int64_t when = option_time(tool, times[i].option, now);
		if (option_is(tool, times[i].option) || times[i].option == OPT_PUBLISH) {
			tool_set_time(tool, entry, times[i].item, when);
		}
	}
	set_activate(tool, entry);
	tool_expect_entry(tool, entry, mail_entry_check(entry, diag));
	tool_put(tool, &entry, 1, NULL);
}

/*! \brief Commit, and say from when on the key is published. */
static void commit_key(tool_t *tool, const mail_entry_t *entry)
{
	const mail_str_t publish = mail_entry_value(entry, MAIL_ITEM_PUBLISH);
	done_more(tool, "published from %.*s", (int)publish.len, publish.data);
	tool_commit(tool);
	if (tool->json) {
		tool_json_entry(tool, entry, NULL);
	}
}

int verb_dkim_generate(tool_t *tool)
{
	const char *name = option_value(tool, OPT_ALGORITHM);
	const bool ed25519 = strcmp(name, "ed25519") == 0;
	if (ed25519 && option_is(tool, OPT_BITS)) {
		tool_usage(tool, "--bits goes with --algorithm rsa only");
	}
	const unsigned bits = (unsigned)option_number(tool, OPT_BITS, 1024, 8192, 2048);
	/* A long RSA key takes seconds: others can write meanwhile. */
	tool_open(tool, MAIL_STORE_READ);
	(void)new_key(tool, tool->argv[0]);
	tool_close(tool);
	mail_buf_t pem = { 0 }, key = { 0 };
	int ret = mail_dkim_generate(ed25519 ? MAIL_DKIM_ED25519 : MAIL_DKIM_RSA, bits, &pem, &key);
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "cannot make a key: %s", knot_strerror(ret));
	}
	tool_open(tool, MAIL_STORE_WRITE);
	mail_entry_t *entry = new_key(tool, tool->argv[0]);
	tool_expect(tool, mail_entry_add(entry, mail_item_get(MAIL_ITEM_KEY), MAIL_OP_SET,
	                                 mail_buf_view(&key), 0));
	put_key(tool, entry);
	/* First the file: a record whose private key was lost would be of no use. */
	file_write_new(tool, option_value(tool, OPT_OUT), 0600, mail_buf_view(&pem));
	done_more(tool, "private key in %s", option_value(tool, OPT_OUT));
	file_wipe(&pem);
	mail_buf_free(&key);
	commit_key(tool, entry);
	return STATUS_DONE;
}

/*! \brief Make the entry of a key that is in a text; a record says its selector, when the command line does not. */
static mail_entry_t *import_entry(tool_t *tool, mail_str_t text)
{
	const char *name = tool->argv[0];
	mail_buf_t id = { 0 };
	mail_dkim_id_t parts;
	if (mail_dkim_id_parse(MAIL_STR(name), &parts, NULL) == KNOT_EOK) {
		return new_key(tool, name);
	}
	int ret = mail_text_dkim_id(MAIL_STR(name), text, &id, tool_diag(tool));
	if (ret == KNOT_EOK) {
		ret = mail_buf_u8(&id, '\0');
	}
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s: %s", name, tool_reason(tool, ret));
	}
	mail_entry_t *entry = new_key(tool, (const char *)id.data);
	mail_buf_free(&id);
	return entry;
}

int verb_dkim_import(tool_t *tool)
{
	const char *given = tool->argv[1];
	const mail_item_t *item = mail_item_get(MAIL_ITEM_KEY);
	mail_buf_t contents = { 0 };
	mail_str_t text = MAIL_STR(given);
	const bool file = strcmp(given, "-") == 0 ||
	                  mail_text_names_file(MAIL_SECTION_DKIM, item, text);
	if (file) {
		tool_read(tool, given, &contents);
		text = mail_buf_view(&contents);
	}
	tool_open(tool, MAIL_STORE_WRITE);
	mail_entry_t *entry = import_entry(tool, text);
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_text_add_file(entry, item, text, 0, diag);
	if (ret != KNOT_EOK && file) {
		file_place(tool, given, text);
	}
	if (ret != KNOT_EOK) {
		tool_exit(tool, tool_error_diag(tool, ret));
	}
	/* It may have been a private key. */
	file_wipe(&contents);
	put_key(tool, entry);
	commit_key(tool, entry);
	return STATUS_DONE;
}

static const char *state_of(const mail_entry_t *entry, int64_t now)
{
	if (now < tool_get_time(entry, MAIL_ITEM_PUBLISH, 0)) {
		return "pending";
	}
	if (now >= tool_get_time(entry, MAIL_ITEM_REMOVE, INT64_MAX)) {
		return "removed";
	}
	if (now >= tool_get_time(entry, MAIL_ITEM_RETIRE, INT64_MAX)) {
		bool revoke = mail_str_is(mail_entry_value(entry, MAIL_ITEM_REVOKE), "on");
		return revoke ? "revoked" : "retired";
	}
	return now < tool_get_time(entry, MAIL_ITEM_ACTIVATE, 0) ? "published" : "active";
}

static void algorithm_of(const mail_entry_t *entry, char *out, size_t size)
{
	mail_str_t key = mail_entry_value(entry, MAIL_ITEM_KEY);
	mail_dkim_algorithm_t algorithm;
	unsigned bits = 0;
	if (key.len == 0) {
		(void)snprintf(out, size, "cname");
	} else if (mail_dkim_key_check((const uint8_t *)key.data, key.len, &algorithm, &bits,
	                               NULL) != KNOT_EOK) {
		(void)snprintf(out, size, "bad");
	} else if (algorithm == MAIL_DKIM_RSA) {
		(void)snprintf(out, size, "rsa%u", bits);
	} else {
		(void)snprintf(out, size, "ed25519");
	}
}

/*! \brief Return whether a key with a state would be seen, if nothing stood above it. */
static bool is_shown(const char *state)
{
	return strcmp(state, "pending") != 0 && strcmp(state, "removed") != 0;
}

/*! \brief Print a key. \param hider What hides it; NULL: nothing. */
static void print_key(tool_t *tool, const mail_entry_t *entry, const char *hider, int64_t now)
{
	static const mail_item_id_t told[] = { MAIL_ITEM_PUBLISH, MAIL_ITEM_ACTIVATE,
		                               MAIL_ITEM_RETIRE, MAIL_ITEM_REMOVE };
	const char *state = state_of(entry, now);
	char algorithm[16], text[sizeof(((hidden_t *)NULL)->why) + 64];
	const bool is_hidden = hider != NULL && is_shown(state);
	state = is_hidden ? "hidden" : state;
	if (tool->json && is_hidden) {
		json_t *string = tool_json_str(MAIL_STR(hider));
		char *why = tool_memory(tool, json_dumps(string, JSON_ENCODE_ANY));
		(void)snprintf(text, sizeof(text), ",\"state\":\"hidden\",\"hidden-by\":%s", why);
		free(why);
		json_decref(string);
		tool_json_entry(tool, entry, text);
		return;
	}
	if (tool->json) {
		(void)snprintf(text, sizeof(text), ",\"state\":\"%s\"", state);
		tool_json_entry(tool, entry, text);
		return;
	}
	algorithm_of(entry, algorithm, sizeof(algorithm));
	(void)snprintf(text, sizeof(text), "%-8s %s", algorithm, state);
	tool_put_items(entry, 40, text, told, sizeof(told) / sizeof(told[0]));
}

int verb_dkim_list(tool_t *tool)
{
	const int64_t now = option_time(tool, OPT_AT, time(NULL));
	tool_walk_t walk = { .section = MAIL_SECTION_DKIM };
	tool_open(tool, MAIL_STORE_READ);
	if (tool->argc > 0) {
		/* An owner is a policy or a domain, and one that does not exist is a slip. */
		const bool policy = strncmp(tool->argv[0], "policy:", 7) == 0;
		const mail_entry_t *owner = tool_entry(
			tool, policy ? MAIL_SECTION_POLICY : MAIL_SECTION_DOMAIN,
			tool->argv[0] + (policy ? 7 : 0));
		mail_buf_t name = { 0 };
		(void)mail_buf_printf(&name, "%s%.*s", policy ? "policy:" : "", (int)owner->id.len,
		                      owner->id.data);
		tool_walk_keys(tool, mail_buf_view(&name), &walk);
		mail_buf_free(&name);
	}
	hidden_t hidden = { .plan = NULL };
	while (tool_next(tool, &walk) != NULL) {
		const bool is_hidden = hidden_key(tool, &hidden, walk.entry->id);
		print_key(tool, walk.entry, is_hidden ? hidden.why : NULL, now);
	}
	hidden_free(&hidden);
	return walk.status;
}

int verb_dkim_retire(tool_t *tool)
{
	const bool revoke = option_is(tool, OPT_REVOKE);
	tool_open(tool, MAIL_STORE_WRITE);
	mail_entry_t *entry = tool_entry(tool, MAIL_SECTION_DKIM, tool->argv[0]);
	const int64_t at = option_time(tool, OPT_AT, time(NULL));
	int64_t gone = at + REMOVE_AFTER;
	if (option_is(tool, OPT_REMOVE)) {
		gone = option_time(tool, OPT_REMOVE, at);
	}
	tool_set_time(tool, entry, MAIL_ITEM_RETIRE, at);
	mail_entry_remove(entry, MAIL_ITEM_REMOVE, MAIL_OP_SET);
	mail_entry_remove(entry, MAIL_ITEM_REVOKE, MAIL_OP_SET);
	/* What is revoked says so for good; else the key goes when no mail can be in flight any more. */
	if (revoke) {
		tool_expect(tool, mail_entry_add(entry, mail_item_get(MAIL_ITEM_REVOKE),
		                                 MAIL_OP_SET, MAIL_STR("on"), 0));
	}
	if (!revoke || option_is(tool, OPT_REMOVE)) {
		tool_set_time(tool, entry, MAIL_ITEM_REMOVE, gone);
	}
	/* A key that never was used begins no later than it ends. */
	if (tool_get_time(entry, MAIL_ITEM_ACTIVATE, 0) > at) {
		mail_entry_remove(entry, MAIL_ITEM_ACTIVATE, MAIL_OP_SET);
	}
	tool_expect_entry(tool, entry, mail_entry_check(entry, tool_diag(tool)));
	tool_put(tool, &entry, 1, NULL);
	hidden_t hidden = { .plan = NULL };
	const bool is_hidden = hidden_key(tool, &hidden, entry->id);
	hidden_free(&hidden);
	tool_commit(tool);
	print_key(tool, entry, is_hidden ? hidden.why : NULL, time(NULL));
	return STATUS_DONE;
}
