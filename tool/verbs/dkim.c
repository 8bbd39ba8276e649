/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM keys. The private key goes to a file and never into the store.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mail/dkim.h"
#include "mail/json.h"
#include "mail/time.h"
#include "tool/out.h"

/* Mail in flight is verified with the old key: queues give up after five days (RFC 5321 4.5.4.1). */
#define REMOVE_AFTER (7 * 86400)

static int set_time(mail_entry_t *entry, mail_item_id_t item, int64_t when)
{
	mail_buf_t text = { 0 };
	mail_entry_remove(entry, item, MAIL_OP_SET);
	int ret = mail_time_print(when, &text);
	if (ret == KNOT_EOK) {
		ret = mail_entry_add(entry, mail_item_get(item), MAIL_OP_SET, mail_buf_view(&text),
		                     0);
	}
	mail_buf_free(&text);
	return ret;
}

/*! \brief Sets the times that options give; publish is now when they do not. */
static int set_times(tool_t *tool, mail_entry_t *entry)
{
	static const struct {
		option_id_t option;
		mail_item_id_t item;
	} times[] = {
		{ OPT_PUBLISH, MAIL_ITEM_PUBLISH },
		{ OPT_ACTIVATE, MAIL_ITEM_ACTIVATE },
		{ OPT_RETIRE, MAIL_ITEM_RETIRE },
		{ OPT_REMOVE, MAIL_ITEM_REMOVE },
	};
	int64_t now = time(NULL);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t when = now;
		int status = option_time(tool, times[i].option, now, &when);
		if (status != STATUS_DONE) {
			return status;
		}
		if (option_is(tool, times[i].option) || times[i].option == OPT_PUBLISH) {
			int ret = set_time(entry, times[i].item, when);
			if (ret != KNOT_EOK) {
				return tool_error(tool, ret, "%s", knot_strerror(ret));
			}
		}
	}
	return STATUS_DONE;
}

/*! \brief Makes the entry of a key that is not in the store yet. */
static int new_key(tool_t *tool, const char *text, mail_entry_t **entry)
{
	mail_buf_t id = { 0 };
	int status = tool_id(tool, MAIL_SECTION_DKIM, text, &id);
	if (status == STATUS_DONE) {
		mail_entry_t *old = NULL;
		int ret = mail_txn_get(tool->txn, MAIL_SECTION_DKIM, mail_buf_view(&id), &old);
		mail_entry_free(old);
		if (ret == KNOT_EOK) {
			status = tool_error(tool, KNOT_EEXIST,
			                    "dkim %s: there is one already; a new key "
			                    "takes a new selector",
			                    (const char *)id.data);
		} else if (ret != KNOT_ENOENT) {
			status = tool_error(tool, ret,
			                    "dkim %s: the stored entry cannot be read: %s",
			                    (const char *)id.data, knot_strerror(ret));
		} else {
			*entry = mail_entry_new(MAIL_SECTION_DKIM, mail_buf_view(&id));
			if (*entry == NULL) {
				status = tool_error(tool, KNOT_ENOMEM, "out of memory");
			}
		}
	}
	mail_buf_free(&id);
	return status;
}

/*! \brief Completes the entry with key, tags and times and writes it, without a commit. */
static int put_key(tool_t *tool, mail_entry_t *entry, mail_str_t key)
{
	const char *tags = option_value(tool, OPT_TAGS);
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_KEY), MAIL_OP_SET, key, 0);
	if (ret == KNOT_EOK && tags != NULL) {
		ret = mail_entry_parse(entry, mail_item_get(MAIL_ITEM_TAGS), MAIL_OP_SET,
		                       MAIL_STR(tags), 0, diag);
	}
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "dkim %.*s: %s", (int)entry->id.len, entry->id.data,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	int status = set_times(tool, entry);
	if (status != STATUS_DONE) {
		return status;
	}
	ret = mail_entry_check(entry, diag);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "dkim %.*s: %s", (int)entry->id.len, entry->id.data,
		                  diag->text);
	}
	return tool_put(tool, &entry, 1);
}

static int read_algorithm(tool_t *tool, mail_dkim_algorithm_t *algorithm, uint64_t *bits)
{
	const char *name = option_value(tool, OPT_ALGORITHM);
	if (strcmp(name, "rsa") == 0) {
		*algorithm = MAIL_DKIM_RSA;
	} else if (strcmp(name, "ed25519") == 0) {
		*algorithm = MAIL_DKIM_ED25519;
		if (option_is(tool, OPT_BITS)) {
			return tool_usage(tool, "--bits goes with --algorithm rsa only");
		}
	} else {
		return tool_usage(tool, "--algorithm: %s is neither ed25519 nor rsa", name);
	}
	return option_number(tool, OPT_BITS, 1024, 8192, bits);
}

static void tell(tool_t *tool, const mail_entry_t *entry)
{
	mail_str_t publish = mail_entry_value(entry, MAIL_ITEM_PUBLISH);
	if (tool->json) {
		(void)tool_json_entry(tool, entry);
	} else {
		(void)printf("dkim %.*s: published from %.*s\n", (int)entry->id.len, entry->id.data,
		             (int)publish.len, publish.data);
	}
}

int verb_dkim_generate(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_dkim_algorithm_t algorithm = MAIL_DKIM_RSA;
	uint64_t bits = 2048;
	const char *out = option_value(tool, OPT_OUT);
	mail_buf_t pem = { 0 }, key = { 0 };
	mail_entry_t *entry = NULL;
	bool written = false;
	int status = read_algorithm(tool, &algorithm, &bits);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = new_key(tool, argv[0], &entry);
	}
	if (status == STATUS_DONE) {
		int ret = mail_dkim_generate(algorithm, (unsigned)bits, &pem, &key);
		status = ret == KNOT_EOK ? put_key(tool, entry, mail_buf_view(&key))
		                         : tool_error(tool, ret, "cannot make a key: %s",
		                                      knot_strerror(ret));
	}
	/* First the file: a record whose private key was lost would be of no use. */
	if (status == STATUS_DONE) {
		status = tool_write_new(tool, out, 0600, mail_buf_view(&pem));
		written = status == STATUS_DONE;
	}
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	if (status == STATUS_DONE) {
		tell(tool, entry);
	} else if (written) {
		(void)unlink(out);
	}
	if (pem.data != NULL) {
		explicit_bzero(pem.data, pem.cap);
	}
	mail_buf_free(&pem);
	mail_buf_free(&key);
	mail_entry_free(entry);
	return status;
}

/*! \brief Reads a key: a file, or what stands in a record. */
static int read_key(tool_t *tool, const char *text, mail_buf_t *key)
{
	mail_diag_t *diag = tool_diag(tool);
	mail_buf_t pem = { 0 };
	bool inline_key = strncmp(text, "p=", 2) == 0 || strncmp(text, "v=DKIM1", 7) == 0;
	int status = STATUS_DONE;
	if (!inline_key) {
		status = tool_read(tool, text, &pem);
	}
	if (status == STATUS_DONE) {
		int ret = mail_dkim_key_parse(inline_key ? MAIL_STR(text) : mail_buf_view(&pem),
		                              key, diag);
		if (ret != KNOT_EOK) {
			status = tool_error(
				tool, ret, "%s%s%s", inline_key ? "" : text, inline_key ? "" : ": ",
				diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
		}
	}
	if (pem.data != NULL) {
		explicit_bzero(pem.data, pem.cap);
	}
	mail_buf_free(&pem);
	return status;
}

int verb_dkim_import(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_buf_t key = { 0 };
	mail_entry_t *entry = NULL;
	int status = read_key(tool, argv[1], &key);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = new_key(tool, argv[0], &entry);
	}
	if (status == STATUS_DONE) {
		status = put_key(tool, entry, mail_buf_view(&key));
	}
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	if (status == STATUS_DONE) {
		tell(tool, entry);
	}
	mail_buf_free(&key);
	mail_entry_free(entry);
	return status;
}

static int64_t time_of(const mail_entry_t *entry, mail_item_id_t item, int64_t dflt)
{
	int64_t when = dflt;
	mail_str_t text = mail_entry_value(entry, item);
	if (text.len > 0 && mail_time_parse(text, &when, NULL) != KNOT_EOK) {
		when = dflt;
	}
	return when;
}

static const char *state_of(const mail_entry_t *entry, int64_t now)
{
	if (now < time_of(entry, MAIL_ITEM_PUBLISH, 0)) {
		return "pending";
	}
	if (now >= time_of(entry, MAIL_ITEM_REMOVE, INT64_MAX)) {
		return "removed";
	}
	if (now >= time_of(entry, MAIL_ITEM_RETIRE, INT64_MAX)) {
		bool revoke = mail_str_is(mail_entry_value(entry, MAIL_ITEM_REVOKE), "on");
		return revoke ? "revoked" : "retired";
	}
	return now < time_of(entry, MAIL_ITEM_ACTIVATE, 0) ? "published" : "active";
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

/*! \brief Prints a key as JSON, and what it is now. */
static int json_key(tool_t *tool, const mail_entry_t *entry, const char *state)
{
	mail_buf_t line = { 0 };
	int ret = mail_json_print(entry, &line);
	if (ret == KNOT_EOK) {
		line.len--; /* Into the object, before the brace that closes it. */
		ret = mail_buf_printf(&line, ",\"state\":\"%s\"}\n", state);
	}
	if (ret == KNOT_EOK) {
		tool_put_str(stdout, mail_buf_view(&line));
	}
	mail_buf_free(&line);
	return ret == KNOT_EOK ? STATUS_DONE : tool_error(tool, ret, "%s", knot_strerror(ret));
}

static int list_key(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	static const mail_item_id_t times[] = {
		MAIL_ITEM_PUBLISH,
		MAIL_ITEM_ACTIVATE,
		MAIL_ITEM_RETIRE,
		MAIL_ITEM_REMOVE,
	};
	const int64_t *now = ctx;
	int status = STATUS_DONE;
	if (tool->json) {
		status = json_key(tool, entry, state_of(entry, *now));
	} else {
		char algorithm[16];
		algorithm_of(entry, algorithm, sizeof(algorithm));
		(void)printf("%-40.*s %-8s %s", (int)entry->id.len, entry->id.data, algorithm,
		             state_of(entry, *now));
		for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
			mail_str_t when = mail_entry_value(entry, times[i]);
			if (when.len > 0) {
				(void)printf(" %s=%.*s", mail_item_get(times[i])->name,
				             (int)when.len, when.data);
			}
		}
		(void)putchar('\n');
	}
	mail_entry_free(entry);
	return status;
}

int verb_dkim_list(tool_t *tool, int argc, char **argv)
{
	int64_t now = time(NULL);
	int status = option_time(tool, OPT_AT, now, &now);
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_READ);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	if (argc == 0) {
		return tool_walk(tool, MAIL_SECTION_DKIM, MAIL_STR(""), list_key, &now);
	}
	/* An owner is a policy or a domain, and one that does not exist is a slip. */
	bool policy = strncmp(argv[0], "policy:", 7) == 0;
	mail_entry_t *owner = NULL;
	mail_buf_t name = { 0 };
	status = tool_entry(tool, policy ? MAIL_SECTION_POLICY : MAIL_SECTION_DOMAIN,
	                    policy ? argv[0] + 7 : argv[0], &owner);
	if (status == STATUS_DONE) {
		(void)mail_buf_str(&name, policy ? "policy:" : "");
		(void)mail_buf_put(&name, owner->id.data, owner->id.len);
		status = tool_walk_keys(tool, mail_buf_view(&name), list_key, &now);
	}
	mail_buf_free(&name);
	mail_entry_free(owner);
	return status;
}

static int retire(tool_t *tool, mail_entry_t *entry)
{
	int64_t at = time(NULL);
	bool revoke = option_is(tool, OPT_REVOKE);
	int status = option_time(tool, OPT_AT, at, &at);
	/* What is revoked says so for good; else the key goes when no mail can be in flight any more. */
	int64_t gone = at + REMOVE_AFTER;
	if (status == STATUS_DONE) {
		status = option_time(tool, OPT_REMOVE, at, &gone);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	int ret = set_time(entry, MAIL_ITEM_RETIRE, at);
	mail_entry_remove(entry, MAIL_ITEM_REMOVE, MAIL_OP_SET);
	mail_entry_remove(entry, MAIL_ITEM_REVOKE, MAIL_OP_SET);
	if (ret == KNOT_EOK && revoke) {
		ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_REVOKE), MAIL_OP_SET,
		                     MAIL_STR("on"), 0);
	}
	if (ret == KNOT_EOK && (!revoke || option_is(tool, OPT_REMOVE))) {
		ret = set_time(entry, MAIL_ITEM_REMOVE, gone);
	}
	/* A key that never was used begins no later than it ends. */
	if (ret == KNOT_EOK && time_of(entry, MAIL_ITEM_ACTIVATE, 0) > at) {
		mail_entry_remove(entry, MAIL_ITEM_ACTIVATE, MAIL_OP_SET);
	}
	if (ret == KNOT_EOK) {
		ret = mail_entry_check(entry, tool_diag(tool));
	}
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "dkim %.*s: %s", (int)entry->id.len, entry->id.data,
		                  tool->diag.text[0] != '\0' ? tool->diag.text
		                                             : knot_strerror(ret));
	}
	return STATUS_DONE;
}

int verb_dkim_retire(tool_t *tool, int argc, char **argv)
{
	(void)argc;
	mail_entry_t *entry = NULL;
	int status = tool_open(tool, MAIL_STORE_WRITE);
	if (status == STATUS_DONE) {
		status = tool_entry(tool, MAIL_SECTION_DKIM, argv[0], &entry);
	}
	if (status == STATUS_DONE) {
		status = retire(tool, entry);
	}
	if (status == STATUS_DONE) {
		status = tool_put(tool, &entry, 1);
	}
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	if (status == STATUS_DONE) {
		int64_t now = time(NULL);
		/* list_key() frees what it prints. */
		status = list_key(tool, entry, &now);
		entry = NULL;
	}
	mail_entry_free(entry);
	return status;
}
