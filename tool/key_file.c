/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/access.h"
#include "tool/file.h"
#include "tool/options.h"
#include "tool/out.h"

int key_file_path(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key,
                  char path[KEY_FILE_MAX])
{
	const char *given = option_value(tool, OPT_KEY_DIRECTORY);
	char name[128];
	int ret = mail_private_file(set, key->algorithm, key->tag, name, sizeof(name));
	if (ret != KNOT_EOK) {
		return ret;
	}
	int len = snprintf(path, KEY_FILE_MAX, "%s%s/%s", given != NULL ? given : tool->path,
	                   given != NULL ? "" : "/keys", name);
	return len < KEY_FILE_MAX ? KNOT_EOK : KNOT_ESPACE;
}

int key_file_read(const char *path, mail_private_t **key)
{
	mail_buf_t text = { 0 };
	int error = file_read(path, &text);
	if (error == 0 && mail_private_read(mail_buf_view(&text), key, NULL) != KNOT_EOK) {
		error = EINVAL;
	}
	file_wipe(&text);
	return error;
}

int key_file_load(tool_t *tool, const mail_entry_t *set, mail_keyring_t *ring,
                  char path[KEY_FILE_MAX])
{
	const mail_member_t *member = mail_entry_member(set, MAIL_ITEM_DNSKEY, MAIL_OP_SET);
	int worst = 0;
	for (size_t i = 0; member != NULL && i < member->count; i++) {
		char file[KEY_FILE_MAX];
		mail_dnskey_t dnskey;
		mail_private_t *key = NULL;
		if (mail_dnskey_parse(member->values[i].text, &dnskey, NULL) != KNOT_EOK ||
		    key_file_path(tool, set->id, &dnskey, file) != KNOT_EOK) {
			continue;
		}
		int error = key_file_read(file, &key);
		if (error == 0) {
			tool_expect(tool, mail_keyring_add(ring, key));
		} else if (error != ENOENT && worst == 0) {
			worst = error;
			(void)snprintf(path, KEY_FILE_MAX, "%s", file);
		}
		mail_private_free(key);
	}
	return worst;
}

/*! \brief Give a new file the group of the store's directory (root's file: its owner, too), mode 0640, and its name. */
static int publish(const tool_t *tool, const char *fresh, const char *path)
{
	struct stat store;
	if (stat(tool->path, &store) != 0) {
		return errno;
	}
	int error = access_give(fresh, &store, 0640);
	/* A link, as a rename would replace another key. */
	return error == 0 && link(fresh, path) != 0 ? errno : error;
}

static int sync_directory(const char *path)
{
	char directory[KEY_FILE_MAX];
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

void key_file_put(tool_t *tool, const char *path, const mail_private_t *key)
{
	char fresh[KEY_FILE_MAX + 32];
	mail_buf_t pem = { 0 };
	(void)snprintf(fresh, sizeof(fresh), "%s.%ld.new", path, (long)getpid());
	tool_expect(tool, mail_private_print(key, &pem));
	file_write_new(tool, fresh, 0600, mail_buf_view(&pem));
	file_wipe(&pem);
	int error = publish(tool, fresh, path);
	if (error == 0) {
		(void)unlink(fresh);
		files_note(tool, path);
		error = sync_directory(path);
	}
	if (error != 0) {
		file_fail(tool, path, error);
	}
}

const char *key_file_fault(const tool_t *tool, mail_str_t set, const mail_dnskey_t *key)
{
	char path[KEY_FILE_MAX];
	struct stat st;
	user_t user;
	if (key_file_path(tool, set, key, path) != KNOT_EOK) {
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
	if (user_find(user_name(), &user) && user_may(&user, path, R_OK) == EACCES) {
		return "cannot be read by the user that knotd runs as (chgrp knot, chmod 640)";
	}
	mail_private_t *private = NULL;
	int error = key_file_read(path, &private);
	/* Whoever may not read it cannot tell. */
	if (error != 0) {
		return error == EACCES ? NULL : "holds no private key that can be read";
	}
	const mail_str_t public = { (const char *)key->public_key, key->public_len };
	bool same = mail_private_algorithm(private) == key->algorithm &&
	            mail_str_equal(mail_private_public(private), public);
	mail_private_free(private);
	return same ? NULL : "holds another key";
}
