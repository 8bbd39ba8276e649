/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry of open environments.
 *
 * A process must not have the same lock file open twice: closing one of them clears the slots of all
 * readers of the process and drops its lock, and a writer then uses pages again under a live reader
 * (lmdb.h, caveats). So environments are known by device and inode of both their files.
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Look at a file that is replaced just now. */
#define LOOK_TRIES 3

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static mail_env_t *registry;

/*! Look at the directory and data.mdb. */
static int look_at_data(const mail_store_t *store, mail_file_t *data, mail_diag_t *diag)
{
	mail_file_t dir;
	int ret = mail_file_look(store->path, &dir);
	if (ret == KNOT_ENOENT) {
		return mail_store_fail(diag, ret, "%s: no such directory", store->path);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!S_ISDIR(dir.mode)) {
		return KNOT_ENOTDIR;
	}
	ret = mail_file_look(store->data_path, data);
	if (ret == KNOT_ENOENT) {
		return mail_store_fail(diag, ret, "%s: no store there (no data.mdb)", store->path);
	}
	return ret;
}

/*! Look at both files of a store. */
static int look(const mail_store_t *store, mail_files_t *files, mail_diag_t *diag)
{
	int ret = look_at_data(store, &files->data, diag);
	if (ret == KNOT_ENOENT) {
		return ret;
	}
	if (ret == KNOT_EACCES) {
		return mail_store_fail(diag, ret, "%s: user %u may not enter the directory",
		                       store->path, (unsigned)geteuid());
	}
	if (ret != KNOT_EOK) {
		return mail_store_fail(diag, ret, "%s: %s", store->path, knot_strerror(ret));
	}
	if (!S_ISREG(files->data.mode)) {
		return mail_store_fail(diag, KNOT_EMALF, "%s: not a file", store->data_path);
	}
	ret = mail_file_look(store->lock_path, &files->lock);
	return ret == KNOT_ENOENT ? KNOT_EOK : ret;
}

/*!
 * Return whether this process has a file open outside the registry: after an upgrade of the module and a
 * reload there are two copies of this code, with a registry each.
 */
static bool open_elsewhere(const mail_file_t *file)
{
	bool found = false;
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL) {
		return false;
	}
	struct dirent *entry;
	while (!found && (entry = readdir(dir)) != NULL) {
		struct stat st;
		char *end;
		long fd = strtol(entry->d_name, &end, 10);
		found = *end == '\0' && end != entry->d_name && fstat((int)fd, &st) == 0 &&
		        st.st_ino == file->ino && st.st_dev == file->dev;
	}
	closedir(dir);
	return found;
}

/*! Find an environment that is open already. KNOT_EOK with NULL: it may be opened. */
static int find(const mail_store_t *store, const mail_files_t *files, mail_env_t **found,
                mail_diag_t *diag)
{
	*found = NULL;
	for (mail_env_t *env = registry; env != NULL; env = env->next) {
		if (env->pid != getpid()) {
			continue;
		}
		bool same_lock = files->lock.ino != 0 &&
		                 mail_file_same(&env->files.lock, &files->lock);
		bool same_data = mail_file_same(&env->files.data, &files->data);
		if (same_data &&
		    (same_lock || (files->lock.ino == 0 && env->files.lock.ino == 0))) {
			*found = env;
			return KNOT_EOK;
		}
		if (same_lock) {
			/* A bad file is no reason to close a good store. */
			int ret = mail_env_probe(store->path, files, diag);
			if (ret != KNOT_EOK) {
				return ret;
			}
			return mail_store_fail(diag, KNOT_EBUSY,
			                       "%s: data.mdb was replaced without its lock.mdb; "
			                       "the old one has to be closed first",
			                       store->path);
		}
	}
	if (files->lock.ino != 0 && open_elsewhere(&files->lock)) {
		return mail_store_fail(diag, KNOT_EBUSY,
		                       "%s: open in this process by another copy of "
		                       "this code; restart the process",
		                       store->path);
	}
	return KNOT_EOK;
}

/*! Open or share the environment, under the registry's mutex. */
static int acquire(mail_store_t *store, mail_store_mode_t mode, unsigned readers, mail_diag_t *diag)
{
	mail_files_t files = { 0 };
	mail_env_t *env;
	int ret = look(store, &files, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = find(store, &files, &env, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (env != NULL) {
		if (store->writable && !env->writable) {
			return mail_store_fail(diag, KNOT_EBUSY,
			                       "%s: open in this process for reading only",
			                       store->path);
		}
		env->refs++;
		store->env = env;
		return KNOT_EOK;
	}
	if ((mode & MAIL_STORE_FORCE) == 0) {
		ret = mail_store_check_fs(store->path, diag);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	ret = mail_env_open(store->path, &files, store->writable, readers, &env, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	env->refs = 1;
	env->next = registry;
	registry = env;
	store->env = env;
	return KNOT_EOK;
}

static void free_store(mail_store_t *store)
{
	if (store != NULL) {
		free(store->path);
		free(store->data_path);
		free(store->lock_path);
		free(store);
	}
}

/*! Make "DIR" or "DIR/NAME". */
static char *join(const char *dir, const char *name)
{
	size_t size = strlen(dir) + 1 + strlen(name) + 1;
	char *path = malloc(size);
	if (path != NULL) {
		(void)snprintf(path, size, "%s%s%s", dir, name[0] != '\0' ? "/" : "", name);
	}
	return path;
}

static mail_store_t *new_store(const char *path)
{
	mail_store_t *store = calloc(1, sizeof(*store));
	if (store == NULL) {
		return NULL;
	}
	store->path = join(path, "");
	store->data_path = join(path, "data.mdb");
	store->lock_path = join(path, "lock.mdb");
	if (store->path == NULL || store->data_path == NULL || store->lock_path == NULL) {
		free_store(store);
		return NULL;
	}
	return store;
}

int mail_store_open(const char *path, mail_store_mode_t mode, unsigned readers, mail_store_t **out,
                    mail_diag_t *diag)
{
	*out = NULL;
	mail_store_t *store = new_store(path);
	if (store == NULL) {
		return mail_store_fail(diag, KNOT_ENOMEM, "no memory");
	}
	store->writable = (mode & MAIL_STORE_WRITE) != 0;

	int ret = KNOT_EOK;
	pthread_mutex_lock(&registry_mutex);
	for (int i = 0; i < LOOK_TRIES; i++) {
		ret = acquire(store, mode, readers, diag);
		if (ret != KNOT_EAGAIN) {
			break;
		}
	}
	pthread_mutex_unlock(&registry_mutex);
	if (ret != KNOT_EOK) {
		free_store(store);
		return ret;
	}
	*out = store;
	return KNOT_EOK;
}

void mail_store_close(mail_store_t *store)
{
	if (store == NULL) {
		return;
	}
	pthread_mutex_lock(&registry_mutex);
	mail_env_t *env = store->env;
	if (--env->refs == 0) {
		mail_env_t **link = &registry;
		while (*link != env) {
			link = &(*link)->next;
		}
		*link = env->next;
		mail_env_free(env);
	}
	pthread_mutex_unlock(&registry_mutex);
	free_store(store);
}

uint64_t mail_store_epoch(const mail_store_t *store)
{
	return store->env->epoch;
}

int mail_store_is_current(const mail_store_t *store)
{
	mail_file_t data, lock;
	int ret = mail_file_look(store->data_path, &data);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_file_look(store->lock_path, &lock);
	if (ret != KNOT_EOK && ret != KNOT_ENOENT) {
		return ret;
	}
	/* Under another lock file writers would not see our readers. */
	const mail_files_t *files = &store->env->files;
	const bool same = mail_file_same(&data, &files->data) &&
	                  mail_file_same(&lock, &files->lock);
	return same ? KNOT_EOK : KNOT_ESTALE;
}

int mail_store_clear_readers(mail_store_t *store)
{
	int dead = 0;
	int rc = mdb_reader_check(store->env->mdb, &dead);
	return rc == MDB_SUCCESS ? dead : mail_store_code(rc);
}
