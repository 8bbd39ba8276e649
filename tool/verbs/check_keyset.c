/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <time.h>

#include "mail/rollover.h"
#include "tool/key_file.h"
#include "tool/out.h"
#include "tool/verbs/check.h"

/* A set that ends sooner than this is worth a word. */
#define END_NEAR (30 * 86400)

void check_keyset(check_t *check, const mail_entry_t *entry)
{
	static mail_keyset_t set;
	const int64_t now = time(NULL);
	const mail_dnskey_t *last = NULL, *first = NULL, *other = NULL;
	bool rolls = false;
	/* What cannot be read is an error already. */
	if (mail_keyset_read(entry, &set, NULL) != KNOT_EOK) {
		return;
	}
	for (size_t i = 0; i < set.count; i++) {
		const mail_dnskey_t *key = &set.keys[i];
		if (strcmp(mail_rollover_state(key, now), "removed") == 0) {
			continue;
		}
		const char *fault = key_file_fault(check->tool, entry->id, key);
		char path[KEY_FILE_MAX] = "";
		if (fault != NULL) {
			(void)key_file_path(check->tool, entry->id, key, path);
			check_report(check, false,
			             "key %u: the file of its private half, %.300s, %s", key->tag,
			             path, fault);
		}
		if (key->remove > 0 && (last == NULL || key->remove > last->remove)) {
			last = key;
		}
		if (first == NULL) {
			first = key;
		} else if (key->algorithm != first->algorithm) {
			other = key;
		}
		rolls |= key->remove < INT64_MAX || mail_rollover_waits(&set, key, now);
	}
	/* The last key goes, without the way out of DNSSEC. */
	if (last != NULL && last->remove < now + END_NEAR && set.leave > last->remove) {
		check_report(check, false,
		             "key %u is removed at %s, and no other follows it: key-generate",
		             last->tag, tool_time(last->remove));
	}
	if (other != NULL && !rolls) {
		check_report(
			check, false,
			"keys of two algorithms, %s and %s, and no rollover from one to the other",
			mail_algorithm_name(first->algorithm),
			mail_algorithm_name(other->algorithm));
	}
}
