/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a store.
 *
 * It is made in a directory within its own, and linked to its place when it is complete: so a crash
 * leaves no half of a store, and of two that run at the same time one gets KNOT_EEXIST.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"

#define DIR_MODE 02770
/*! Members of the group make keys, as they write entries; the files are not writable for them. */
#define KEYS_MODE 02770

/*! LMDB's map must hold the empty store and what the first writers add. */
#define MAP_SIZE_MIN ((size_t)1 << 20)

/*! User knotd runs as, by default. */
#define KNOT_USER "knot"

/*! Groups of a user that are looked at. */
#define GROUPS_MAX 256

/*! What a store is made with. */
typedef struct {
	const char *path;
	char temp[PATH_MAX]; /*!< The directory that it is made in; empty: none yet. */
	uid_t uid;           /*!< (uid_t)-1: as it comes. */
	gid_t gid;           /*!< (gid_t)-1: as it comes. */
	size_t map_size;
	bool replicated;
	bool made; /*!< The directory is ours: removed after a failure. */
	mail_diag_t *diag;
} making_t;

/*! Note what a system call said about a file. */
static int fail_errno(making_t *m, const char *path)
{
	int rc = errno;
	return mail_store_fail(m->diag, mail_store_code(rc), "%s: %s", path, strerror(rc));
}

/*! Write "DIR/NAME". */
static int join(making_t *m, const char *dir, const char *name, char *out)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
		return mail_store_fail(m->diag, KNOT_EINVAL, "%s: path too long", dir);
	}
	return KNOT_EOK;
}

/*! Find a user by name or number. */
static int find_user(making_t *m, const char *name)
{
	struct passwd *user = getpwnam(name);
	char *end;
	unsigned long number = strtoul(name, &end, 10);
	if (user != NULL) {
		m->uid = user->pw_uid;
		if (m->gid == (gid_t)-1) {
			m->gid = user->pw_gid;
		}
	} else if (end != name && *end == '\0' && number < (uid_t)-1) {
		m->uid = (uid_t)number;
	} else {
		return mail_store_fail(m->diag, KNOT_EINVAL, "no user '%s'", name);
	}
	return KNOT_EOK;
}

/*! Find a group by name or number. */
static int find_group(making_t *m, const char *name)
{
	struct group *group = getgrnam(name);
	char *end;
	unsigned long number = strtoul(name, &end, 10);
	if (group != NULL) {
		m->gid = group->gr_gid;
	} else if (end != name && *end == '\0' && number < (gid_t)-1) {
		m->gid = (gid_t)number;
	} else {
		return mail_store_fail(m->diag, KNOT_EINVAL, "no group '%s'", name);
	}
	return KNOT_EOK;
}

/*! Read "USER:GROUP", "USER" or ":GROUP". */
static int parse_owner(making_t *m, const char *owner)
{
	char user[256];
	const char *colon = strchr(owner, ':');
	size_t len = colon != NULL ? (size_t)(colon - owner) : strlen(owner);
	if (len >= sizeof(user)) {
		return mail_store_fail(m->diag, KNOT_EINVAL, "no such user or group");
	}
	memcpy(user, owner, len);
	user[len] = '\0';
	if (colon != NULL && colon[1] != '\0') {
		int ret = find_group(m, colon + 1);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return len > 0 ? find_user(m, user) : KNOT_EOK;
}

/*! Return whether a user is in a group. */
static bool is_member(const struct passwd *user, gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	(void)getgrouplist(user->pw_name, user->pw_gid, groups, &count);
	for (int i = 0; i < count && i < GROUPS_MAX; i++) {
		if (groups[i] == gid) {
			return true;
		}
	}
	return false;
}

/*! Return whether this process may give its files to a group. */
static bool may_give(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	if (geteuid() == 0 || getegid() == gid) {
		return true;
	}
	int count = getgroups(GROUPS_MAX, groups);
	for (int i = 0; i < count; i++) {
		if (groups[i] == gid) {
			return true;
		}
	}
	return false;
}

/*!
 * The owner when none is given: as the parent directory, or a directory that is there already; but one whose group the
 * user that serves the store is not in says nothing about who serves it.
 */
static int default_owner(making_t *m, const char *name)
{
	char parent[PATH_MAX];
	mail_file_t file;
	int ret = join(m, m->path, m->made ? ".." : ".", parent);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_file_look(parent, &file);
	if (ret != KNOT_EOK) {
		return mail_store_fail(m->diag, ret, "%s: %s", parent, knot_strerror(ret));
	}
	const struct passwd *user = getpwnam(name);
	const bool root = geteuid() == 0;
	if (user == NULL || is_member(user, file.gid)) {
		m->uid = root ? file.uid : (uid_t)-1;
		m->gid = may_give(file.gid) ? file.gid : (gid_t)-1;
	}
	if (user != NULL && m->gid == (gid_t)-1 && may_give(user->pw_gid)) {
		m->uid = root ? user->pw_uid : (uid_t)-1;
		m->gid = user->pw_gid;
	}
	return KNOT_EOK;
}

/*! Set owner and mode of a file. The mode comes last: chown drops setgid. */
static int own(making_t *m, const char *path, mode_t mode)
{
	if ((m->uid != (uid_t)-1 || m->gid != (gid_t)-1) && chown(path, m->uid, m->gid) != 0) {
		return fail_errno(m, path);
	}
	return chmod(path, mode) == 0 ? KNOT_EOK : fail_errno(m, path);
}

/*! Refuse a directory that others could read or write. */
static int check_directory(making_t *m)
{
	mail_file_t dir, data;
	char path[PATH_MAX];
	int ret = mail_file_look(m->path, &dir);
	if (ret != KNOT_EOK) {
		return mail_store_fail(m->diag, ret, "%s: %s", m->path, knot_strerror(ret));
	}
	if (!S_ISDIR(dir.mode)) {
		return mail_store_fail(m->diag, KNOT_ENOTDIR, "%s: not a directory", m->path);
	}
	ret = join(m, m->path, "data.mdb", path);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (mail_file_look(path, &data) == KNOT_EOK) {
		return mail_store_fail(m->diag, KNOT_EEXIST, "%s: there is a store already",
		                       m->path);
	}
	if ((dir.mode & 07) != 0) {
		return mail_store_fail(m->diag, KNOT_EACCES,
		                       "%s: everybody may enter the directory (mode %03o): "
		                       "chmod 2770 %s",
		                       m->path, dir.mode & 0777, m->path);
	}
	if (m->gid != (gid_t)-1 && dir.gid != m->gid) {
		const struct group *group = getgrgid(m->gid);
		char name[64];
		(void)snprintf(name, sizeof(name), "%u", (unsigned)m->gid);
		return mail_store_fail(m->diag, KNOT_EACCES,
		                       "%s: the directory belongs to another group than %s: "
		                       "chgrp %s %s, or name the owner",
		                       m->path, group != NULL ? group->gr_name : name,
		                       group != NULL ? group->gr_name : name, m->path);
	}
	return KNOT_EOK;
}

/*! Make the directory, or look at the one that is there. */
static int make_directory(making_t *m, const mail_store_options_t *options)
{
	if (mkdir(m->path, 0700) == 0) {
		m->made = true;
	} else if (errno != EEXIST) {
		return fail_errno(m, m->path);
	}
	const char *user = options->user != NULL ? options->user : KNOT_USER;
	int ret = options->owner != NULL ? parse_owner(m, options->owner) : default_owner(m, user);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return m->made ? own(m, m->path, DIR_MODE) : check_directory(m);
}

/*! Write a policy; item 0: an empty one. */
static int put_policy(mail_txn_t *txn, const char *id, mail_item_id_t item, const char *value)
{
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_POLICY, MAIL_STR(id));
	if (entry == NULL) {
		return KNOT_ENOMEM;
	}
	int ret;
	if (value != NULL) {
		ret = mail_entry_add(entry, mail_item_get(item), MAIL_OP_SET, MAIL_STR(value), 0);
		if (ret != KNOT_EOK) {
			goto done;
		}
	}
	ret = mail_txn_put(txn, entry);
done:
	mail_entry_free(entry);
	return ret;
}

/*! Write what every store has, in one transaction. */
static int fill(const making_t *m, mail_env_t *env)
{
	const mail_meta_t meta = {
		.format = MAIL_STORE_FORMAT,
		.values = MAIL_CODEC_VERSION,
		.map_size = m->map_size,
		.replicated = m->replicated,
	};
	mail_txn_t *txn;
	int ret = mail_env_begin(env, true, &txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	txn->meta = meta;
	txn->fixed_timestamp = STAMP_INIT;
	ret = put_policy(txn, "default", 0, NULL);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	ret = put_policy(txn, "parked", MAIL_ITEM_NO_MAIL, "on");
	if (ret != KNOT_EOK) {
		goto fail;
	}
	ret = mail_meta_write(txn, &meta);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	ret = mail_txn_index(txn, true);
	if (ret != KNOT_EOK) {
		goto fail;
	}
	return mail_txn_commit(txn);
fail:
	mail_txn_abort(txn);
	return ret;
}

/*! Make data.mdb and lock.mdb in the temporary directory. */
static int make_files(making_t *m)
{
	int ret = join(m, m->path, ".init-XXXXXX", m->temp);
	if (ret != KNOT_EOK) {
		m->temp[0] = '\0';
		return ret;
	}
	if (mkdtemp(m->temp) == NULL) {
		m->temp[0] = '\0';
		return fail_errno(m, m->path);
	}
	mail_env_t *env;
	ret = mail_env_create(m->temp, m->map_size, &env, m->diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = fill(m, env);
	mail_env_free(env);
	if (ret != KNOT_EOK) {
		return mail_store_fail(m->diag, ret, "%s: %s", m->path, knot_strerror(ret));
	}
	return KNOT_EOK;
}

/*! Link a file of the temporary directory to its place. */
static int publish(making_t *m, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	int ret = join(m, m->temp, name, from);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = join(m, m->path, name, to);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = own(m, from, FILE_MODE);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (link(from, to) == 0) {
		return KNOT_EOK;
	}
	if (errno == EEXIST) {
		return mail_store_fail(m->diag, KNOT_EEXIST, "%s is there already", to);
	}
	return fail_errno(m, to);
}

/*! Make the directory for DNSSEC keys. */
static int make_keys(making_t *m)
{
	char keys[PATH_MAX];
	int ret = join(m, m->path, "keys", keys);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (mkdir(keys, 0700) != 0) {
		/* A store may come back to keys that stayed. */
		return errno == EEXIST ? KNOT_EOK : fail_errno(m, keys);
	}
	return own(m, keys, KEYS_MODE);
}

/*! Bring a directory's entries to the disk. */
static int sync_directory(making_t *m)
{
	int fd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return fail_errno(m, m->path);
	}
	int ret = fsync(fd) == 0 ? KNOT_EOK : fail_errno(m, m->path);
	close(fd);
	return ret;
}

/*! Remove what was temporary and, after a failure, a directory that was made. */
static void clean(making_t *m, bool failed)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };
	char path[PATH_MAX];
	if (m->temp[0] != '\0') {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (join(m, m->temp, names[i], path) == KNOT_EOK) {
				(void)unlink(path);
			}
		}
		(void)rmdir(m->temp);
	}
	if (!failed || !m->made) {
		return;
	}
	if (join(m, m->path, "keys", path) == KNOT_EOK) {
		(void)rmdir(path);
	}
	if (join(m, m->path, "lock.mdb", path) == KNOT_EOK) {
		(void)unlink(path);
	}
	(void)rmdir(m->path);
}

/*! Make all that a store consists of. */
static int make(making_t *m, const mail_store_options_t *options)
{
	int ret = make_directory(m, options);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!options->force) {
		ret = mail_store_check_fs(m->path, m->diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	ret = make_files(m);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = make_keys(m);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* The lock first; one that stayed from another store is found out at open. */
	ret = publish(m, "lock.mdb");
	if (ret != KNOT_EOK && ret != KNOT_EEXIST) {
		return ret;
	}
	ret = publish(m, "data.mdb");
	if (ret != KNOT_EOK) {
		return ret;
	}
	return sync_directory(m);
}

int mail_store_init(const char *path, const mail_store_options_t *options, mail_diag_t *diag)
{
	static const mail_store_options_t defaults;
	const mail_store_options_t *opt = options != NULL ? options : &defaults;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	making_t m = {
		.path = path,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.map_size = opt->map_size != 0 ? opt->map_size : MAIL_STORE_MAP_SIZE,
		.replicated = opt->replicated,
		.diag = diag,
	};
	if (m.map_size < MAP_SIZE_MIN || m.map_size > SIZE_MAX - page) {
		return mail_store_fail(diag, KNOT_EINVAL, "map size %zu: at least %zu octets",
		                       m.map_size, MAP_SIZE_MIN);
	}
	m.map_size = (m.map_size + page - 1) / page * page;

	int ret = make(&m, opt);
	clean(&m, ret != KNOT_EOK);
	return ret;
}
