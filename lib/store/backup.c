/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies of a live store. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"

static int fail_errno(mail_diag_t *diag, const char *path)
{
	int rc = errno;
	return mail_store_fail(diag, mail_store_code(rc), "%s: %s", path, strerror(rc));
}

/*! Write the copy into an open file. */
static int copy(mail_env_t *env, int fd, mail_diag_t *diag)
{
	const mail_file_t *data = &env->files.data;
	int rc = mdb_env_copyfd2(env->mdb, fd, MDB_CP_COMPACT);
	if (rc == MDB_INCOMPATIBLE) {
		/* Pages were leaked (lmdb.h, mdb_env_copy2): all of them, then. */
		if (lseek(fd, 0, SEEK_SET) != 0 || ftruncate(fd, 0) != 0) {
			return errno;
		}
		rc = mdb_env_copyfd2(env->mdb, fd, 0);
	}
	if (rc != MDB_SUCCESS) {
		return rc;
	}
	/* The owner first: chown takes rights away. */
	const bool root = geteuid() == 0;
	if (fchown(fd, root ? data->uid : (uid_t)-1, data->gid) != 0) {
		if (root || errno != EPERM) {
			return errno;
		}
		mail_diag_warn(
			diag,
			"data.mdb is not in the group of the store, in which you are not: chgrp "
			"it before it takes the place of the store's");
	}
	if (fchmod(fd, data->mode & 0660) != 0) {
		return errno;
	}
	return fsync(fd) == 0 ? MDB_SUCCESS : errno;
}

/*! Bring a directory's entries to the disk. */
static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return errno;
	}
	int rc = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return rc;
}

int mail_store_backup(mail_store_t *store, const char *directory, mail_diag_t *diag)
{
	char data[PATH_MAX], temp[PATH_MAX];
	if (snprintf(data, sizeof(data), "%s/data.mdb", directory) >= (int)sizeof(data) ||
	    snprintf(temp, sizeof(temp), "%s/.data.mdb-XXXXXX", directory) >= (int)sizeof(temp)) {
		return mail_store_fail(diag, KNOT_EINVAL, "%s: path too long", directory);
	}
	mail_file_t file;
	if (mail_file_look(data, &file) == KNOT_EOK) {
		return mail_store_fail(diag, KNOT_EEXIST, "%s is there already", data);
	}
	/* The snapshot is LMDB's own; ours keeps the map in its place meanwhile. */
	mail_txn_t *txn;
	int ret = mail_env_begin(store->env, false, &txn);
	if (ret != KNOT_EOK) {
		return mail_store_fail(diag, ret, "%s: %s", store->path, knot_strerror(ret));
	}
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		ret = fail_errno(diag, directory);
		mail_txn_abort(txn);
		return ret;
	}
	int rc = copy(store->env, fd, diag);
	mail_txn_abort(txn);
	if (close(fd) != 0 && rc == MDB_SUCCESS) {
		rc = errno;
	}
	/* Not rename: what appeared meanwhile is not ours to replace. */
	if (rc == MDB_SUCCESS && link(temp, data) != 0) {
		rc = errno;
	}
	(void)unlink(temp);
	if (rc == MDB_SUCCESS) {
		rc = sync_directory(directory);
	}
	if (rc != MDB_SUCCESS) {
		return mail_store_fail(diag, mail_store_code(rc), "%s: %s", data, mdb_strerror(rc));
	}
	return KNOT_EOK;
}
