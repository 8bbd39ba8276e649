/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/keyset.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mail/plan.h"

/* When nothing says otherwise. */
#define DELAY 3600
#define DS_TTL 86400
#define TTL 3600

/* --- Who uses a set --- */

static void ttl_of_rows(const mail_owners_t *owners, uint32_t *max)
{
	for (size_t i = 0; i < owners->count; i++) {
		for (size_t j = 0; j < owners->owners[i].count; j++) {
			const uint32_t ttl = owners->owners[i].rows[j].ttl;
			*max = ttl > *max ? ttl : *max;
		}
	}
}

/*! \brief Counts the TTLs of a profile, when it has the key set. */
static void add_profile(keys_t *keys, mail_profile_t *profile)
{
	mail_timing_t *timing = &keys->timing;
	mail_plan_t *plan = NULL;
	if (!mail_str_equal(mail_profile_value(profile, MAIL_ITEM_KEY_SET), keys->entry->id) ||
	    mail_plan_make(profile, false, &plan, NULL) != KNOT_EOK) {
		return;
	}
	timing->ttl = plan->ttl > timing->ttl ? plan->ttl : timing->ttl;
	timing->ttl_max = plan->ttl > timing->ttl_max ? plan->ttl : timing->ttl_max;
	ttl_of_rows(&plan->relative, &timing->ttl_max);
	ttl_of_rows(&plan->absolute, &timing->ttl_max);
	keys->users++;
	mail_plan_free(plan);
}

static int see_user(tool_t *tool, mail_entry_t *entry, void *ctx)
{
	keys_t *keys = ctx;
	mail_profile_t *profile = NULL;
	/* A domain that sets nothing has all from its policy. */
	const bool plain = entry->section == MAIL_SECTION_DOMAIN && entry->count == 1;
	int ret = plain ? KNOT_ENOENT
	          : entry->section == MAIL_SECTION_DOMAIN
	                  ? mail_profile_of_domain(tool_source(tool), entry->id, &profile, NULL)
	                  : mail_profile_of_policy(tool_source(tool), entry->id, &profile, NULL);
	if (ret == KNOT_EOK) {
		add_profile(keys, profile);
	}
	mail_profile_free(profile);
	mail_entry_free(entry);
	return STATUS_DONE;
}

/* --- Sets --- */

static int read_timing(tool_t *tool, keys_t *keys)
{
	mail_timing_t *timing = &keys->timing;
	*timing = (mail_timing_t){ .now = time(NULL), .delay = DELAY, .ds_ttl = DS_TTL };
	timing->force = option_is(tool, OPT_FORCE);
	int status = option_duration(tool, OPT_DELAY, &timing->delay);
	return status == STATUS_DONE ? option_duration(tool, OPT_DS_TTL, &timing->ds_ttl) : status;
}

/*! \brief Reads the entry, or makes an empty one. */
static int read_entry(tool_t *tool, const char *name, bool make, keys_t *keys)
{
	mail_buf_t id = { 0 };
	if (!make) {
		return tool_entry(tool, MAIL_SECTION_KEYSET, name, &keys->entry);
	}
	int status = tool_id(tool, MAIL_SECTION_KEYSET, name, &id);
	if (status == STATUS_DONE) {
		int ret = mail_txn_get(tool->txn, MAIL_SECTION_KEYSET, mail_buf_view(&id),
		                       &keys->entry);
		keys->made = ret == KNOT_ENOENT;
		if (keys->made) {
			keys->entry = mail_entry_new(MAIL_SECTION_KEYSET, mail_buf_view(&id));
			ret = keys->entry != NULL ? KNOT_EOK : KNOT_ENOMEM;
		}
		if (ret != KNOT_EOK) {
			status = tool_error(tool, ret, "key-set %s: cannot be read: %s", name,
			                    knot_strerror(ret));
		}
	}
	mail_buf_free(&id);
	return status;
}

int keys_open(tool_t *tool, const char *name, bool make, keys_t *keys)
{
	memset(keys, 0, sizeof(*keys));
	int status = read_timing(tool, keys);
	if (status == STATUS_DONE) {
		status = read_entry(tool, name, make, keys);
	}
	if (status != STATUS_DONE) {
		return status;
	}
	mail_diag_t *diag = tool_diag(tool);
	int ret = mail_keyset_read(keys->entry, &keys->set, diag);
	if (ret != KNOT_EOK) {
		return tool_error(tool, ret, "key-set %s: %s", name, diag->text);
	}
	status = tool_walk(tool, MAIL_SECTION_POLICY, MAIL_STR(""), see_user, keys);
	if (status == STATUS_DONE) {
		status = tool_walk(tool, MAIL_SECTION_DOMAIN, MAIL_STR(""), see_user, keys);
	}
	if (keys->users == 0) {
		keys->timing.ttl = keys->timing.ttl_max = TTL;
	}
	return status;
}

void keys_close(keys_t *keys)
{
	mail_entry_free(keys->entry);
	keys->entry = NULL;
}

int keys_put(tool_t *tool, keys_t *keys)
{
	int ret = mail_keyset_write(&keys->set, keys->entry);
	return ret == KNOT_EOK ? tool_put(tool, &keys->entry, 1)
	                       : tool_error(tool, ret, "%s", knot_strerror(ret));
}

/* --- Files --- */

void keys_directory(const tool_t *tool, char *path, size_t size)
{
	const char *given = option_value(tool, OPT_KEY_DIRECTORY);
	(void)snprintf(path, size, "%s%s", given != NULL ? given : tool->path,
	               given != NULL ? "" : "/keys");
}

int keys_path(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key, char *path, size_t size)
{
	char name[128];
	keys_directory(tool, path, size);
	const size_t len = strlen(path);
	int ret = mail_private_file(set, key->algorithm, key->tag, name, sizeof(name));
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (len + strlen(name) + 2 > size) {
		return KNOT_ESPACE;
	}
	(void)snprintf(path + len, size - len, "/%s", name);
	return KNOT_EOK;
}

/*! \brief Gives a new file the group of the store's directory, where it has not got it from its own. */
static int file_group(const tool_t *tool, const char *path)
{
	struct stat store, file;
	if (stat(tool->path, &store) != 0 || stat(path, &file) != 0) {
		return errno;
	}
	return store.st_gid == file.st_gid || chown(path, (uid_t)-1, store.st_gid) == 0 ? 0 : errno;
}

static int sync_directory(const char *path)
{
	char directory[4096];
	const char *slash = strrchr(path, '/');
	(void)snprintf(directory, sizeof(directory), "%.*s",
	               slash != NULL ? (int)(slash - path) : 1, slash != NULL ? path : ".");
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || (fsync(fd) != 0 && errno != EINVAL) ? errno : 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	return error;
}

int keys_file_put(tool_t *tool, const char *path, const mail_private_t *key)
{
	char fresh[4096 + 32];
	mail_buf_t pem = { 0 };
	(void)snprintf(fresh, sizeof(fresh), "%s.%ld.new", path, (long)getpid());
	int ret = mail_private_print(key, &pem);
	int status = ret == KNOT_EOK ? tool_write_new(tool, fresh, 0600, mail_buf_view(&pem))
	                             : tool_error(tool, ret, "%s", knot_strerror(ret));
	if (pem.data != NULL) {
		OPENSSL_cleanse(pem.data, pem.cap);
	}
	mail_buf_free(&pem);
	if (status != STATUS_DONE) {
		return status;
	}
	/* Its group first, then what the group may do; a link, as a rename would replace another key. */
	int error = file_group(tool, fresh);
	if (error == 0 && chmod(fresh, 0640) != 0) {
		error = errno;
	}
	if (error == 0 && link(fresh, path) != 0) {
		error = errno;
	}
	(void)unlink(fresh);
	if (error == 0) {
		error = sync_directory(path);
		if (error != 0) {
			(void)unlink(path);
		}
	}
	return error == 0 ? STATUS_DONE
	                  : tool_error(tool, knot_map_errno_code(error), "%s: %s", path,
	                               strerror(error));
}

int keys_secret_read(const char *path, keys_secret_t *secret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 ? errno : 0;
	secret->len = 0;
	while (error == 0) {
		ssize_t got = read(fd, secret->text + secret->len,
		                   sizeof(secret->text) - secret->len);
		if (got < 0 && errno != EINTR) {
			error = errno;
		} else if (got == 0) {
			break;
		} else if (got > 0) {
			secret->len += (size_t)got;
			error = secret->len == sizeof(secret->text) ? EFBIG : 0;
		}
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return error;
}

void keys_secret_wipe(keys_secret_t *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

/*! \brief Says whether a file holds the private half of a key. */
static const char *file_content(const char *path, const mail_dnskey_t *key)
{
	static const char *const damaged = "holds no private key that can be read";
	static keys_secret_t secret;
	mail_private_t *private = NULL;
	const char *fault = NULL;
	int error = keys_secret_read(path, &secret);
	if (error != 0) {
		/* Whoever may not read it cannot tell. */
		fault = error == EACCES ? NULL : damaged;
	} else if (mail_private_read((mail_str_t){ secret.text, secret.len }, &private, NULL) !=
	           KNOT_EOK) {
		fault = damaged;
	} else if (mail_private_algorithm(private) != key->algorithm ||
	           !mail_str_equal(
			   mail_private_public(private),
			   (mail_str_t){ (const char *)key->public_key, key->public_len })) {
		fault = "holds another key";
	}
	mail_private_free(private);
	keys_secret_wipe(&secret);
	return fault;
}

const char *keys_file_fault(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key)
{
	char path[4096];
	struct stat st;
	if (keys_path(tool, set, key, path, sizeof(path)) != KNOT_EOK) {
		return "has no name";
	}
	if (stat(path, &st) != 0) {
		return errno == EACCES ? NULL : "is missing";
	}
	if (!S_ISREG(st.st_mode)) {
		return "is no file";
	}
	if ((st.st_mode & S_IRWXO) != 0) {
		return "can be read by everybody (chmod o=)";
	}
	if ((st.st_mode & S_IWGRP) != 0) {
		return "can be written by its group (chmod g-w)";
	}
	struct stat store;
	if (stat(tool->path, &store) == 0 &&
	    (st.st_gid != store.st_gid || (st.st_mode & S_IRGRP) == 0) &&
	    st.st_uid != store.st_uid) {
		return "cannot be read by the group of the store";
	}
	return file_content(path, key);
}

/* --- Keys that are added --- */

void keys_added_free(keys_added_t *added, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mail_private_free(added[i].private);
		added[i].private = NULL;
	}
}

int keys_fill(keys_added_t *added, mail_role_t role)
{
	const mail_str_t public = mail_private_public(added->private);
	uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
	mail_dnskey_t *key = &added->key;
	if (public.len > sizeof(key->public_key)) {
		return KNOT_ESPACE;
	}
	key->algorithm = mail_private_algorithm(added->private);
	key->role = role;
	memcpy(key->public_key, public.data, public.len);
	key->public_len = (uint16_t) public.len;
	key->tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(key, rdata));
	return KNOT_EOK;
}

int keys_write(tool_t *tool, keys_t *keys, keys_added_t *added, size_t count)
{
	int status = keys_put(tool, keys);
	for (size_t i = 0; status == STATUS_DONE && i < count; i++) {
		/* It may have been put there by hand. */
		if (access(added[i].path, F_OK) == 0 &&
		    keys_file_fault(tool, keys->entry->id, &added[i].key) == NULL) {
			continue;
		}
		status = keys_file_put(tool, added[i].path, added[i].private);
		added[i].written = status == STATUS_DONE;
	}
	if (status == STATUS_DONE) {
		status = tool_commit(tool);
	}
	for (size_t i = 0; status != STATUS_DONE && i < count; i++) {
		if (added[i].written) {
			(void)unlink(added[i].path);
		}
	}
	return status;
}

/* --- Words --- */

const char *keys_step_words(const mail_step_t *step)
{
	const mail_dnskey_t *key = step->key;
	switch (step->what) {
	case MAIL_STEP_ACTIVATE:
		return step->time < key->publish ? "signs records, its DNSKEY is not there yet"
		                                 : "signs records";
	case MAIL_STEP_PUBLISH:
		return key->role == MAIL_ROLE_ZSK ? "DNSKEY is published"
		                                  : "DNSKEY is published, signs DNSKEY";
	case MAIL_STEP_DS: return "CDS and CDNSKEY name it: the parents should have its DS";
	case MAIL_STEP_DS_SEEN:
		return step->time == INT64_MAX ? "waits for key-ds-seen: its DS is at the parents"
		                               : "the DS was seen at the parents";
	case MAIL_STEP_DS_UNTIL: return "CDS and CDNSKEY name it no more: its DS can go";
	case MAIL_STEP_RETIRE: return "signs no more records";
	case MAIL_STEP_REMOVE: return "DNSKEY is removed";
	case MAIL_STEP_LEAVE: return "CDS and CDNSKEY ask the parents to remove all DS (RFC 8078)";
	}
	return "";
}

void keys_tell(tool_t *tool, const keys_t *keys, const char *what)
{
	static mail_step_t steps[MAIL_STEPS_MAX];
	if (tool->json) {
		(void)tool_json_entry(tool, keys->entry);
		return;
	}
	if (what != NULL) {
		(void)printf("key-set %.*s: %s\n", (int)keys->entry->id.len, keys->entry->id.data,
		             what);
	}
	size_t count = mail_rollover_steps(&keys->set, steps);
	for (size_t i = 0; i < count; i++) {
		if (steps[i].time < keys->timing.now) {
			continue;
		}
		(void)printf("%-20s  ",
		             steps[i].time == INT64_MAX ? "then" : tool_time(steps[i].time));
		if (steps[i].key != NULL) {
			(void)printf("%5u %s: ", steps[i].key->tag,
			             mail_role_name(steps[i].key->role));
		}
		(void)puts(keys_step_words(&steps[i]));
	}
	if (keys->users == 0) {
		tool_note(
			tool,
			"nothing names key-set %.*s yet: when a policy or a domain does, wait for its "
			"largest TTL before the DS goes to the parents",
			(int)keys->entry->id.len, keys->entry->id.data);
	}
}
