/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * key-import: keys that were made elsewhere, as PEM or as BIND keeps them: NAME.private with the private half and the
 * times, NAME.key with the DNSKEY record.
 */

#include <stdlib.h>
#include <time.h>

#include "tool/keyset.h"
#include "mail/chars.h"
#include "mail/encoding.h"
#include "mail/time.h"

#define FLAG_SEP 1

/*! \brief A key as its files have it. */
typedef struct {
	keys_added_t added;
	bool has_role; /*!< The DNSKEY record was there. */
	bool sep;
	bool timed; /*!< Some time was there. */
	int64_t publish, activate, retire, remove, ds, ds_until;
} imported_t;

/*! \brief Reads BIND's YYYYMMDDHHMMSS. \return false when it is none. */
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

/*! \brief Takes "Publish: 20270101000000" from a line; in a .key file it is a comment. */
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

/*! \brief Takes flags and key from "NAME [TTL] IN DNSKEY FLAGS 3 ALGORITHM KEY". \return NULL or what is wrong. */
static const char *take_record(mail_str_t line, imported_t *key)
{
	mail_str_t word, flags, protocol, algorithm;
	size_t pos = 0;
	uint32_t number;
	while (mail_str_word(line, &pos, &word) && !mail_str_is_nocase(word, "DNSKEY")) {
	}
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
	if (!mail_str_equal(mail_buf_view(&buf), mail_private_public(key->added.private))) {
		return "its DNSKEY record is that of another key";
	}
	key->has_role = true;
	key->sep = (number & FLAG_SEP) != 0;
	return NULL;
}

/*! \brief Reads the .key file beside a .private file, if there is one. */
static int read_record(tool_t *tool, const char *path, imported_t *key)
{
	char beside[4096];
	static keys_secret_t file;
	const size_t len = strlen(path);
	if (len < 8 || len >= sizeof(beside) || strcmp(path + len - 8, ".private") != 0) {
		return STATUS_DONE;
	}
	(void)snprintf(beside, sizeof(beside), "%.*s.key", (int)(len - 8), path);
	if (keys_secret_read(beside, &file) != 0) {
		return STATUS_DONE;
	}
	mail_str_t text = { file.text, file.len }, line;
	const char *fault = NULL;
	take_times(text, key);
	for (size_t pos = 0; mail_str_piece(text, '\n', &pos, &line) && fault == NULL;) {
		if (line.len > 0 && line.data[0] != ';') {
			fault = take_record(line, key);
		}
	}
	return fault == NULL ? STATUS_DONE : tool_error(tool, KNOT_EINVAL, "%s: %s", beside, fault);
}

/*! \brief Reads a key: PEM, .private, or the .key beside a .private. */
static int read_key(tool_t *tool, const char *path, imported_t *key)
{
	static keys_secret_t secret;
	char private[4096];
	const size_t len = strlen(path);
	const bool record = len > 4 && strcmp(path + len - 4, ".key") == 0;
	(void)snprintf(private, sizeof(private), "%.*s%s", (int)(record ? len - 4 : len), path,
	               record ? ".private" : "");
	key->publish = key->activate = key->ds = key->retire = key->remove = key->ds_until =
		INT64_MAX;
	int error = keys_secret_read(private, &secret);
	if (error != 0) {
		return tool_error(tool, knot_map_errno_code(error), "%s: %s", private,
		                  strerror(error));
	}
	mail_diag_t *diag = tool_diag(tool);
	const mail_str_t text = { secret.text, secret.len };
	int ret = mail_private_read(text, &key->added.private, diag);
	if (ret == KNOT_EOK) {
		ret = mail_private_check(key->added.private, diag);
	}
	if (ret == KNOT_EOK) {
		take_times(text, key);
	}
	keys_secret_wipe(&secret);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "%s: %s", private,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	return read_record(tool, private, key);
}

/*! \brief Decides what each key is for, and fills in the rest. */
static int give_roles(tool_t *tool, keys_t *keys, imported_t *list, size_t count)
{
	bool split = option_is(tool, OPT_KSK);
	for (size_t i = 0; i < keys->set.count; i++) {
		split |= keys->set.keys[i].role != MAIL_ROLE_CSK &&
		         keys->set.keys[i].remove > keys->timing.now;
	}
	for (size_t i = 0; i < count; i++) {
		split |= list[i].has_role && !list[i].sep;
	}
	for (size_t i = 0; i < count; i++) {
		const bool zsk = list[i].has_role ? !list[i].sep : option_is(tool, OPT_ZSK);
		const mail_role_t role = zsk                                  ? MAIL_ROLE_ZSK
		                         : split && !option_is(tool, OPT_CSK) ? MAIL_ROLE_KSK
		                                                              : MAIL_ROLE_CSK;
		int ret = keys_fill(&list[i].added, role);
		if (ret == KNOT_EOK) {
			ret = keys_path(tool, keys->entry->id, &list[i].added.key,
			                list[i].added.path, sizeof(list[i].added.path));
		}
		if (ret != KNOT_EOK) {
			return tool_error(tool, ret, "%s", knot_strerror(ret));
		}
	}
	return STATUS_DONE;
}

/*! \brief Times of a key of a set that has none yet: as its files say, else from now on. */
static void first_times(const imported_t *from, const mail_timing_t *timing, bool seen,
                        mail_dnskey_t *key)
{
	const int64_t now = timing->now;
	*key = from->added.key;
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

/*! \brief The first keys of a set: their own times count, but for ends that nothing follows. */
static int put_first(tool_t *tool, keys_t *keys, const imported_t *list, size_t count,
                     mail_diag_t *diag)
{
	mail_keyset_t *set = &keys->set;
	const bool seen = option_is(tool, OPT_DS_SEEN);
	set->count = 0;
	set->leave = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (mail_keyset_find(set, list[i].added.key.tag, 0) != NULL) {
			return mail_diag_error(diag, 0, "two keys with the tag %u",
			                       list[i].added.key.tag);
		}
		first_times(&list[i], &keys->timing, seen, &set->keys[set->count++]);
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

/*! \brief Puts the keys into the set. */
static int put_keys(tool_t *tool, keys_t *keys, const imported_t *list, size_t count,
                    const char **what)
{
	mail_diag_t *diag = tool_diag(tool);
	mail_rollover_kind_t kind = MAIL_ROLLOVER_FIRST;
	bool used = false;
	int ret;
	for (size_t i = 0; i < keys->set.count; i++) {
		used |= keys->set.keys[i].remove > keys->timing.now;
	}
	if (!used) {
		ret = put_first(tool, keys, list, count, diag);
	} else if (option_is(tool, OPT_DS_SEEN)) {
		ret = mail_diag_error(diag, 0, "--ds-seen is said of the first keys only");
	} else if (count > 2) {
		ret = mail_diag_error(diag, 0, "more than two keys for a rollover");
	} else {
		mail_dnskey_t added[2] = { list[0].added.key };
		added[1] = count > 1 ? list[1].added.key : added[0];
		if (list[0].timed || (count > 1 && list[1].timed)) {
			tool_note(tool, "a rollover begins: its times are used, not those of the "
			                "files");
		}
		ret = mail_rollover_begin(&keys->set, added, count, &keys->timing, &kind, diag);
	}
	*what = mail_rollover_name(kind);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "key-set %.*s: %s", (int)keys->entry->id.len,
		                  keys->entry->id.data,
		                  diag->text[0] != '\0' ? diag->text : knot_strerror(ret));
	}
	return STATUS_DONE;
}

/*! \brief Reads, checks and writes all. */
static int import_keys(tool_t *tool, const char *name, char **paths, imported_t *list, size_t count)
{
	keys_t keys = { 0 };
	keys_added_t *added = calloc(count, sizeof(*added));
	const char *what = NULL;
	int status = added == NULL ? tool_error(tool, KNOT_ENOMEM, "out of memory") : STATUS_DONE;
	for (size_t i = 0; i < count && status == STATUS_DONE; i++) {
		status = read_key(tool, paths[i], &list[i]);
	}
	if (status == STATUS_DONE) {
		status = tool_open(tool, MAIL_STORE_WRITE);
	}
	if (status == STATUS_DONE) {
		status = keys_open(tool, name, true, &keys);
	}
	if (status == STATUS_DONE) {
		status = give_roles(tool, &keys, list, count);
	}
	if (status == STATUS_DONE) {
		status = put_keys(tool, &keys, list, count, &what);
	}
	for (size_t i = 0; i < count && status == STATUS_DONE; i++) {
		added[i] = list[i].added;
	}
	if (status == STATUS_DONE) {
		status = keys_write(tool, &keys, added, count);
	}
	if (status == STATUS_DONE) {
		keys_tell(tool, &keys, what);
	}
	free(added);
	keys_close(&keys);
	return status;
}

int verb_key_import(tool_t *tool, int argc, char **argv)
{
	const size_t count = (size_t)argc - 1;
	const int roles = option_is(tool, OPT_CSK) + option_is(tool, OPT_KSK) +
	                  option_is(tool, OPT_ZSK);
	if (roles > 1) {
		return tool_usage(tool, "one of --csk, --ksk, --zsk");
	}
	if (count > MAIL_LIST_MAX) {
		return tool_usage(tool, "more than %d files", MAIL_LIST_MAX);
	}
	imported_t *list = calloc(count, sizeof(*list));
	int status = list == NULL ? tool_error(tool, KNOT_ENOMEM, "out of memory")
	                          : import_keys(tool, argv[0], argv + 1, list, count);
	for (size_t i = 0; list != NULL && i < count; i++) {
		keys_added_free(&list[i].added, 1);
	}
	free(list);
	return status;
}
