/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * key-import: keys that were made elsewhere, as PEM or as BIND keeps them: NAME.private with the private half and the
 * times, NAME.key with the DNSKEY record.
 */

#include <stdlib.h>

#include "mail/chars.h"
#include "mail/encoding.h"
#include "mail/time.h"
#include "tool/file.h"
#include "tool/keyset.h"
#include "tool/open.h"
#include "tool/options.h"
#include "tool/out.h"

#define FLAG_SEP 1

/*! \brief What the files of a key say besides the key itself. */
typedef struct {
	bool has_role; /*!< The DNSKEY record was there. */
	bool sep;
	bool timed;                                              /*!< Some time was there. */
	int64_t publish, activate, retire, remove, ds, ds_until; /*!< INT64_MAX: not there. */
} imported_t;

/*! \brief Read BIND's YYYYMMDDHHMMSS. \return false when it is none. */
static bool bind_time(mail_str_t text, int64_t *out)
{
	char rfc3339[32];
	const char *d = text.data;
	for (size_t i = 0; i < 14; i++) {
		if (i >= text.len || !mail_char_digit(d[i])) {
			return false;
		}
	}
	(void)snprintf(rfc3339, sizeof(rfc3339), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6,
	               d + 8, d + 10, d + 12);
	return mail_time_parse(MAIL_STR(rfc3339), out, NULL) == KNOT_EOK;
}

/*! \brief Take "Publish: 20270101000000" from a line; in a .key file it is a comment. */
static void take_time(mail_str_t line, imported_t *key)
{
	const struct {
		const char *name;
		int64_t *time;
	} names[] = {
		{ "Publish:", &key->publish }, { "Activate:", &key->activate },
		{ "Inactive:", &key->retire }, { "Delete:", &key->remove },
		{ "SyncPublish:", &key->ds },  { "SyncDelete:", &key->ds_until },
	};
	mail_str_t name, value;
	size_t pos = 0;
	if (!mail_str_word(line, &pos, &name) ||
	    (mail_str_is(name, ";") && !mail_str_word(line, &pos, &name)) ||
	    !mail_str_word(line, &pos, &value)) {
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (mail_str_is(name, names[i].name) && bind_time(value, names[i].time)) {
			key->timed = true;
		}
	}
}

static void take_times(mail_str_t text, imported_t *key)
{
	mail_str_t line;
	for (size_t pos = 0; mail_str_piece(text, '\n', &pos, &line);) {
		take_time(line, key);
	}
}

/*! \brief Take flags and key from "NAME [TTL] IN DNSKEY FLAGS 3 ALGORITHM KEY". \return NULL, or what is wrong. */
static const char *take_record(mail_str_t line, const mail_private_t *private, imported_t *key)
{
	mail_str_t word, flags, protocol, algorithm;
	size_t pos = 0;
	uint32_t number;
	bool more;
	do {
		more = mail_str_word(line, &pos, &word);
	} while (more && !mail_str_is_nocase(word, "DNSKEY"));
	if (!mail_str_word(line, &pos, &flags) || !mail_str_word(line, &pos, &protocol) ||
	    !mail_str_word(line, &pos, &algorithm) ||
	    !mail_str_number(flags, UINT16_MAX, &number)) {
		return "the DNSKEY record cannot be read";
	}
	const char *comment = memchr(line.data + pos, ';', line.len - pos);
	const size_t end = comment != NULL ? (size_t)(comment - line.data) : line.len;
	uint8_t public[MAIL_DNSKEY_PUBLIC_MAX];
	mail_buf_t buf = MAIL_BUF_FIXED(public, sizeof(public));
	if (mail_base64_parse(mail_str_part(line, pos, end - pos), &buf, NULL) != KNOT_EOK) {
		return "the key of the DNSKEY record cannot be read";
	}
	if (!mail_str_equal(mail_buf_view(&buf), mail_private_public(private))) {
		return "its DNSKEY record is that of another key";
	}
	key->has_role = true;
	key->sep = (number & FLAG_SEP) != 0;
	return NULL;
}

/*! \brief Read the .key file beside a .private file, if there is one. */
static void read_record(tool_t *tool, const char *path, const mail_private_t *private,
                        imported_t *key)
{
	char beside[KEY_FILE_MAX];
	mail_buf_t file = { 0 };
	const size_t len = strlen(path);
	if (len < 8 || len >= sizeof(beside) || strcmp(path + len - 8, ".private") != 0) {
		return;
	}
	(void)snprintf(beside, sizeof(beside), "%.*s.key", (int)(len - 8), path);
	if (file_read(beside, &file) == 0) {
		mail_str_t text = mail_buf_view(&file), line;
		take_times(text, key);
		for (size_t pos = 0; mail_str_piece(text, '\n', &pos, &line);) {
			const char *fault = NULL;
			if (line.len > 0 && line.data[0] != ';') {
				fault = take_record(line, private, key);
			}
			if (fault != NULL) {
				tool_fail(tool, KNOT_EINVAL, "%s: %s", beside, fault);
			}
		}
	}
	mail_buf_free(&file);
}

/*! \brief Read a key: PEM, .private, or the .key beside a .private. */
static mail_private_t *read_key(tool_t *tool, const char *path, imported_t *key)
{
	char name[KEY_FILE_MAX];
	mail_private_t *private = NULL;
	mail_buf_t text = { 0 };
	const size_t len = strlen(path);
	const bool record = len > 4 && strcmp(path + len - 4, ".key") == 0;
	(void)snprintf(name, sizeof(name), "%.*s%s", (int)(record ? len - 4 : len), path,
	               record ? ".private" : "");
	*key = (imported_t){ .publish = INT64_MAX,
		             .activate = INT64_MAX,
		             .retire = INT64_MAX,
		             .remove = INT64_MAX,
		             .ds = INT64_MAX,
		             .ds_until = INT64_MAX };
	int error = file_read(name, &text);
	if (error != 0) {
		file_fail(tool, name, error);
	}
	int ret = mail_private_read(mail_buf_view(&text), &private, tool_diag(tool));
	if (ret == KNOT_EOK) {
		ret = mail_private_check(private, tool_diag(tool));
	}
	if (ret == KNOT_EOK) {
		take_times(mail_buf_view(&text), key);
	}
	file_wipe(&text);
	if (ret != KNOT_EOK) {
		tool_fail(tool, ret, "%s: %s", name, tool_reason(tool, ret));
	}
	read_record(tool, name, private, key);
	return private;
}

/*! \brief Decide what each key is for, and fill in the rest. */
static void give_roles(tool_t *tool, const keyset_t *keys, const imported_t *from,
                       keyset_added_t *added, size_t count)
{
	/* A set with a ZSK has KSK besides. */
	bool split = option_is(tool, OPT_KSK);
	for (size_t i = 0; i < keys->set.count; i++) {
		split |= keys->set.keys[i].role != MAIL_ROLE_CSK &&
		         keys->set.keys[i].remove > keys->timing.now;
	}
	for (size_t i = 0; i < count; i++) {
		split |= from[i].has_role && !from[i].sep;
	}
	const mail_role_t sep = split && !option_is(tool, OPT_CSK) ? MAIL_ROLE_KSK : MAIL_ROLE_CSK;
	for (size_t i = 0; i < count; i++) {
		bool zsk = from[i].has_role ? !from[i].sep : option_is(tool, OPT_ZSK);
		keyset_fill(tool, keys, &added[i], zsk ? MAIL_ROLE_ZSK : sep);
	}
}

/*! \brief Set the times of a key of a set that has none yet: as its files say, else from now on. */
static void first_times(const imported_t *from, const mail_timing_t *timing, bool seen,
                        mail_dnskey_t *key)
{
	const int64_t now = timing->now;
	key->publish = from->publish < INT64_MAX ? from->publish : now;
	key->activate = from->activate < INT64_MAX ? from->activate : key->publish;
	key->retire = from->retire > key->activate ? from->retire : key->activate;
	key->remove = from->remove > key->publish ? from->remove : key->publish;
	key->ds = key->ds_seen = key->ds_until = INT64_MAX;
	if (key->role == MAIL_ROLE_KSK) {
		key->activate = 0;
		key->retire = INT64_MAX;
	}
	if (key->role == MAIL_ROLE_ZSK) {
		return;
	}
	const int64_t begin = key->publish > now ? key->publish : now;
	key->ds = from->ds < INT64_MAX ? from->ds : begin + timing->delay + timing->ttl_max;
	key->ds_until = from->ds_until < INT64_MAX && from->ds_until > key->ds ? from->ds_until
	                                                                       : INT64_MAX;
	if (seen) {
		key->ds = key->ds < now ? key->ds : now;
		key->ds_seen = now;
	}
}

/*! \brief Put the first keys into a set: their own times count, but for ends that nothing follows. */
static int put_first(tool_t *tool, keyset_t *keys, const imported_t *from,
                     const keyset_added_t *added, size_t count)
{
	mail_keyset_t *set = &keys->set;
	mail_diag_t *diag = tool_diag(tool);
	const bool seen = option_is(tool, OPT_DS_SEEN);
	set->count = 0;
	set->leave = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const mail_dnskey_t *key = &added[i].key;
		if (mail_keyset_find(set, key->tag, 0) != NULL) {
			return mail_diag_error(diag, 0, "two keys with the tag %u", key->tag);
		}
		set->keys[set->count] = *key;
		first_times(&from[i], &keys->timing, seen, &set->keys[set->count++]);
	}
	/* Until a key signs, none is there: nobody would believe it. */
	int64_t begin = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const bool signs = set->keys[i].role != MAIL_ROLE_KSK;
		begin = signs && set->keys[i].activate < begin ? set->keys[i].activate : begin;
	}
	for (size_t i = 0; i < count && begin < INT64_MAX; i++) {
		mail_dnskey_t *key = &set->keys[i];
		key->publish = key->publish > begin || key->remove < begin ? key->publish : begin;
	}
	int ret = mail_keyset_check(set, keys->timing.now, NULL);
	bool ends = false;
	for (size_t i = 0; i < count && ret != KNOT_EOK; i++) {
		mail_dnskey_t *key = &set->keys[i];
		ends |= key->remove < INT64_MAX || key->ds_until < INT64_MAX ||
		        (key->role != MAIL_ROLE_KSK && key->retire < INT64_MAX);
		if (key->remove > keys->timing.now && key->retire > keys->timing.now) {
			key->retire = key->remove = key->ds_until = INT64_MAX;
		}
	}
	if (ends) {
		tool_warn(tool, "ends of keys that no other key follows are left out");
	}
	return mail_keyset_check(set, keys->timing.now, diag);
}

/*! \brief Put the keys into the set. \return What that is, in words. */
static const char *put_keys(tool_t *tool, keyset_t *keys, const imported_t *from,
                            const keyset_added_t *added, size_t count)
{
	mail_rollover_kind_t kind = MAIL_ROLLOVER_FIRST;
	mail_diag_t *diag = tool_diag(tool);
	int ret;
	if (!keyset_in_use(keys, NULL)) {
		ret = put_first(tool, keys, from, added, count);
	} else if (option_is(tool, OPT_DS_SEEN)) {
		ret = mail_diag_error(diag, 0, "--ds-seen is for the first keys of a set only");
	} else if (count > 2) {
		ret = mail_diag_error(diag, 0, "more than two keys for a rollover");
	} else {
		const mail_dnskey_t list[2] = { added[0].key, added[count - 1].key };
		if (from[0].timed || from[count - 1].timed) {
			tool_note(tool,
			          "a rollover begins: its times are used, not those of the files");
		}
		ret = mail_rollover_begin(&keys->set, list, count, &keys->timing, &kind, diag);
	}
	tool_expect_entry(tool, keys->entry, ret);
	return mail_rollover_name(kind);
}

int verb_key_import(tool_t *tool)
{
	const size_t count = (size_t)tool->argc - 1;
	keyset_t keys;
	if (option_is(tool, OPT_CSK) + option_is(tool, OPT_KSK) + option_is(tool, OPT_ZSK) > 1) {
		tool_usage(tool, "one of --csk, --ksk, --zsk");
	}
	if (count > MAIL_LIST_MAX) {
		tool_usage(tool, "more than %d files", MAIL_LIST_MAX);
	}
	imported_t *from = tool_memory(tool, calloc(count, sizeof(*from)));
	keyset_added_t *added = tool_memory(tool, calloc(count, sizeof(*added)));
	for (size_t i = 0; i < count; i++) {
		added[i].private = read_key(tool, tool->argv[i + 1], &from[i]);
	}
	tool_open(tool, MAIL_STORE_WRITE);
	keyset_open(tool, tool->argv[0], true, &keys);
	give_roles(tool, &keys, from, added, count);
	const char *what = put_keys(tool, &keys, from, added, count);
	keyset_write(tool, &keys, added, count, what);
	keyset_added_free(added, count);
	free(added);
	free(from);
	return STATUS_DONE;
}
