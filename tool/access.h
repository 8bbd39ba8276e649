/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Owner, group and mode of what the store consists of, as the user sees them whom knotd runs as.
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "tool/verb.h"

#define USER_GROUPS_MAX 256

/*! A user and the groups that the user is in. */
typedef struct {
	char name[64];
	char group[64]; /*!< Name of the first group. */
	uid_t uid;
	gid_t groups[USER_GROUPS_MAX]; /*!< The user's own group first. */
	int group_count;
} user_t;

/*! Return the name of the user that knotd runs as: $KMAIL_USER, or "knot". */
const char *user_name(void);
/*! Find a user. \return false: there is none of that name. */
bool user_find(const char *name, user_t *user);
/*! Return whether a user is in a group. */
bool user_in(const user_t *user, gid_t group);
/*! Find out whether a user may do something with a file. \param how R_OK, W_OK, X_OK. \return 0, or EACCES or the like. */
int user_may(const user_t *user, const char *path, int how);

/*! Write the name of a group, or its number when it has none. \return out. */
const char *access_group(gid_t gid, char out[64]);
/*! Write owner and mode of a file: "root:knot, mode 2770". \return out. */
const char *access_text(const struct stat *st, char out[160]);

/*! What is wrong with a file, and what to type. */
typedef struct {
	bool error; /*!< knotd cannot serve the store; else it is a risk, or somebody else's trouble. */
	const char *text, *remedy;
} access_fault_t;

/*! Take a fault. */
typedef void access_say_f(void *ctx, const access_fault_t *fault);

/*! Find what keeps a user from serving the store of a directory. \return Number of errors. */
size_t access_check(const char *path, const user_t *user, access_say_f *say, void *ctx);
/*! Warn of everything that keeps knotd's user, if there is such a user, from serving what was just made. */
void access_warn(tool_t *tool, const char *path);

/*!
 * Give a file or directory that was made the group of another one, and its owner, if root runs the tool; then the mode.
 *
 * \return 0 or an errno; EPERM: the group is not one that this process is in.
 */
int access_give(const char *path, const struct stat *like, mode_t mode);
