/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tool/access.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tool/out.h"

/* File systems that are empty after the next start (statfs(2)). */
#define TMPFS_FS 0x01021994
#define RAMFS_FS 0x858458f6

const char *user_name(void)
{
	const char *name = getenv("KMAIL_USER");
	return name != NULL && name[0] != '\0' ? name : "knot";
}

bool user_find(const char *name, user_t *user)
{
	const struct passwd *entry = getpwnam(name);
	if (entry == NULL) {
		return false;
	}
	const gid_t gid = entry->pw_gid;
	user->uid = entry->pw_uid;
	user->group_count = USER_GROUPS_MAX;
	(void)snprintf(user->name, sizeof(user->name), "%s", name);
	if (getgrouplist(name, gid, user->groups, &user->group_count) < 0) {
		user->group_count = USER_GROUPS_MAX;
	}
	(void)access_group(gid, user->group);
	return true;
}

bool user_in(const user_t *user, gid_t group)
{
	for (int i = 0; i < user->group_count; i++) {
		if (user->groups[i] == group) {
			return true;
		}
	}
	return false;
}

/*! \brief Find out what the mode of a file says, for who cannot become the user to try it. */
static int mode_may(const user_t *user, const char *path, int how)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return errno;
	}
	if (user->uid == 0) {
		return 0;
	}
	mode_t bits = st.st_mode & 07;
	if (st.st_uid == user->uid) {
		bits = st.st_mode >> 6 & 07;
	} else if (user_in(user, st.st_gid)) {
		bits = st.st_mode >> 3 & 07;
	}
	/* R_OK, W_OK and X_OK are the bits of a mode. */
	return ((mode_t)how & ~bits) == 0 ? 0 : EACCES;
}

int user_may(const user_t *user, const char *path, int how)
{
	if (geteuid() == user->uid) {
		return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0 ? 0 : errno;
	}
	if (geteuid() != 0) {
		return mode_may(user, path, how);
	}
	/* As the user for a moment: access lists and the like count, too. */
	gid_t groups[USER_GROUPS_MAX];
	const gid_t gid = getegid();
	const int count = getgroups(USER_GROUPS_MAX, groups);
	int error = -1;
	if (count >= 0 && setgroups((size_t)user->group_count, user->groups) == 0) {
		if (setegid(user->groups[0]) == 0 && seteuid(user->uid) == 0) {
			error = faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0 ? 0 : errno;
		}
		if (seteuid(0) != 0 || setegid(gid) != 0 || setgroups((size_t)count, groups) != 0) {
			abort();
		}
	}
	return error >= 0 ? error : mode_may(user, path, how);
}

const char *access_group(gid_t gid, char out[64])
{
	const struct group *group = getgrgid(gid);
	if (group != NULL) {
		(void)snprintf(out, 64, "%s", group->gr_name);
	} else {
		(void)snprintf(out, 64, "%u", (unsigned)gid);
	}
	return out;
}

const char *access_text(const struct stat *st, char out[160])
{
	const struct passwd *owner = getpwuid(st->st_uid);
	char uid[16], group[64];
	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)st->st_uid);
	(void)snprintf(out, 160, "%.64s:%s, mode %03o", owner != NULL ? owner->pw_name : uid,
	               access_group(st->st_gid, group), (unsigned)(st->st_mode & 07777));
	return out;
}

/*! \brief A look at a store. */
typedef struct {
	const user_t *user;
	access_say_f *say;
	void *ctx;
	size_t errors;
} look_t;

/*! \brief Say what is wrong with a file, unless it is gone. */
static void fault(look_t *look, bool error, const char *path, const char *what, const char *remedy)
{
	struct stat st;
	char text[PATH_MAX + 512], owner[160] = "";
	if (stat(path, &st) == 0) {
		(void)access_text(&st, owner);
	}
	(void)snprintf(text, sizeof(text), "%s %s%s%s%s", what, path, owner[0] != '\0' ? " (" : "",
	               owner, owner[0] != '\0' ? ")" : "");
	look->errors += error;
	look->say(look->ctx, &(access_fault_t){ error, text, remedy });
}

/*! \brief Look whether the user may do something with a file of the store. \return Whether the user may. */
static bool may(look_t *look, const char *path, int how, mode_t mode)
{
	char what[256], remedy[2 * PATH_MAX + 128];
	const char *can = "read";
	const int error = user_may(look->user, path, how);
	if (error == 0) {
		return true;
	}
	if (how == X_OK) {
		can = "enter";
	} else if ((how & W_OK) != 0) {
		can = "read and write";
	}
	(void)snprintf(what, sizeof(what), "user %s, whom knotd runs as, may not %s",
	               look->user->name, can);
	(void)snprintf(remedy, sizeof(remedy), "chgrp %s %s && chmod %o %s", look->user->group,
	               path, (unsigned)mode, path);
	fault(look, true, path, what, error == EACCES ? remedy : NULL);
	return false;
}

/*! \brief Look at the directories above, from the root on: all must be passable. */
static bool may_reach(look_t *look, const char *path)
{
	char what[256], remedy[PATH_MAX + 128], above[PATH_MAX];
	for (size_t i = 1; path[0] == '/' && path[i] != '\0'; i++) {
		if (path[i] != '/') {
			continue;
		}
		(void)snprintf(above, sizeof(above), "%.*s", (int)i, path);
		if (user_may(look->user, above, X_OK) == EACCES) {
			(void)snprintf(what, sizeof(what),
			               "user %s, whom knotd runs as, may not pass",
			               look->user->name);
			(void)snprintf(remedy, sizeof(remedy),
			               "chmod o+x %s, or keep the store where knotd may go, as in "
			               "/var/lib/knot",
			               above);
			fault(look, true, above, what, remedy);
			return false;
		}
	}
	return true;
}

/*! \brief Look at what the others and the members of the group may. */
static void look_at_modes(look_t *look, const char *path)
{
	static const struct {
		const char *name;
		mode_t needed, mode;
	} files[] = { { "", 0070, 02770 },
		      { "/keys", 0070, 02770 },
		      { "/data.mdb", 0060, 0660 },
		      { "/lock.mdb", 0060, 0660 } };
	char file[PATH_MAX], remedy[PATH_MAX + 64];
	struct stat st;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", path, files[i].name);
		(void)snprintf(remedy, sizeof(remedy), "chmod %o %s", (unsigned)files[i].mode,
		               file);
		if (stat(file, &st) != 0) {
			continue;
		}
		if ((st.st_mode & files[i].needed) != files[i].needed) {
			fault(look, false, file, "members of the group cannot use", remedy);
		}
		if (i == 0 && (st.st_mode & S_IRWXO) != 0) {
			fault(look, false, file, "everybody may look into", remedy);
		}
	}
}

size_t access_check(const char *path, const user_t *user, access_say_f *say, void *ctx)
{
	look_t look = { .user = user, .say = say, .ctx = ctx };
	char whole[PATH_MAX], file[PATH_MAX + 16];
	struct statfs fs;
	if (realpath(path, whole) == NULL) {
		(void)snprintf(whole, sizeof(whole), "%s", path);
	}
	/* What is behind a closed door does not matter before it is open. */
	if (!may_reach(&look, whole) || !may(&look, whole, X_OK, 02770)) {
		return look.errors;
	}
	(void)snprintf(file, sizeof(file), "%s/data.mdb", whole);
	(void)may(&look, file, R_OK, 0660);
	/* A reader of LMDB writes that it reads; where the file is missing it makes one. */
	(void)snprintf(file, sizeof(file), "%s/lock.mdb", whole);
	(void)may(&look, access(file, F_OK) == 0 ? file : whole, R_OK | W_OK,
	          access(file, F_OK) == 0 ? 0660 : 02770);
	(void)snprintf(file, sizeof(file), "%s/keys", whole);
	if (access(file, F_OK) == 0) {
		(void)may(&look, file, X_OK, 02770);
	}
	look_at_modes(&look, whole);
	if (statfs(whole, &fs) == 0 &&
	    ((uint32_t)fs.f_type == TMPFS_FS || (uint32_t)fs.f_type == RAMFS_FS)) {
		fault(&look, false, whole, "the next start of the machine empties", NULL);
	}
	return look.errors;
}

static void warn_fault(void *ctx, const access_fault_t *fault)
{
	if (fault->remedy != NULL) {
		tool_warn(ctx, "%s: %s", fault->text, fault->remedy);
	} else {
		tool_warn(ctx, "%s", fault->text);
	}
}

void access_warn(tool_t *tool, const char *path)
{
	user_t user;
	if (user_find(user_name(), &user)) {
		(void)access_check(path, &user, warn_fault, tool);
	}
}

int access_give(const char *path, const struct stat *like, mode_t mode)
{
	struct stat st;
	const uid_t uid = geteuid() == 0 ? like->st_uid : (uid_t)-1;
	if (stat(path, &st) != 0) {
		return errno;
	}
	const bool other = st.st_gid != like->st_gid ||
	                   (uid != (uid_t)-1 && st.st_uid != like->st_uid);
	/* The mode last: a change of the owner takes bits away. */
	int error = other && chown(path, uid, like->st_gid) != 0 ? errno : 0;
	return chmod(path, mode) == 0 ? error : errno;
}
