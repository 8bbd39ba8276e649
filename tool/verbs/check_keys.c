/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <time.h>

#include "tool/keyset.h"
#include "tool/verbs/check.h"

/* A set that ends sooner than this is worth a word. */
#define END_NEAR (30 * 86400)

/*! \brief A key set, and whom it is said to. */
typedef struct {
	tool_t *tool;
	mail_str_t id;
	const mail_keyset_t *set;
	int64_t now;
	void (*say)(void *ctx, const char *text);
	void *ctx;
} lint_t;

static void say(const lint_t *lint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const lint_t *lint, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	lint->say(lint->ctx, text);
}

static bool in_use(const lint_t *lint, const mail_dnskey_t *key)
{
	return strcmp(mail_rollover_state(key, lint->now), "removed") != 0;
}

static void check_files(const lint_t *lint)
{
	for (size_t i = 0; i < lint->set->count; i++) {
		const mail_dnskey_t *key = &lint->set->keys[i];
		const char *fault = in_use(lint, key) ? keys_file_fault(lint->tool, lint->id, key)
		                                      : NULL;
		char path[4096];
		if (fault != NULL) {
			if (keys_path(lint->tool, lint->id, key, path, sizeof(path)) != KNOT_EOK) {
				path[0] = '\0';
			}
			say(lint, "key %u: the file of its private half, %.300s, %s", key->tag,
			    path, fault);
		}
	}
}

/*! \brief A set whose last key goes, without the way out of DNSSEC. */
static void check_end(const lint_t *lint)
{
	int64_t end = 0;
	const mail_dnskey_t *last = NULL;
	for (size_t i = 0; i < lint->set->count; i++) {
		const mail_dnskey_t *key = &lint->set->keys[i];
		if (in_use(lint, key) && key->remove > end) {
			end = key->remove;
			last = key;
		}
	}
	if (last != NULL && end < lint->now + END_NEAR && lint->set->leave > end) {
		say(lint, "key %u is removed at %s, and no other follows it: key-generate",
		    last->tag, tool_time(end));
	}
}

static void check_algorithms(const lint_t *lint)
{
	const mail_dnskey_t *one = NULL, *other = NULL;
	bool rolls = false;
	for (size_t i = 0; i < lint->set->count; i++) {
		const mail_dnskey_t *key = &lint->set->keys[i];
		if (!in_use(lint, key)) {
			continue;
		}
		rolls |= key->remove < INT64_MAX || mail_rollover_waits(lint->set, key, lint->now);
		if (one == NULL) {
			one = key;
		} else if (key->algorithm != one->algorithm) {
			other = key;
		}
	}
	if (other != NULL && !rolls) {
		say(lint,
		    "keys of two algorithms, %s and %s, and no rollover from one to the other",
		    mail_algorithm_name(one->algorithm), mail_algorithm_name(other->algorithm));
	}
}

void lint_keys(tool_t *tool, const mail_entry_t *entry, void (*report)(void *ctx, const char *text),
               void *ctx)
{
	static mail_keyset_t set;
	/* What cannot be read is an error already. */
	if (mail_keyset_read(entry, &set, NULL) != KNOT_EOK) {
		return;
	}
	const lint_t lint = { tool, entry->id, &set, time(NULL), report, ctx };
	check_files(&lint);
	check_end(&lint);
	check_algorithms(&lint);
}
