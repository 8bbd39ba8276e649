/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: LMDB's codes as ours, and reasons for people. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <lmdb.h>

#include "store/internal.h"

int mail_store_code(int rc)
{
	static const struct {
		int from, to;
	} codes[] = {
		{ MDB_SUCCESS, KNOT_EOK },
		{ MDB_NOTFOUND, KNOT_ENOENT },
		{ MDB_KEYEXIST, KNOT_EEXIST },
		{ MDB_MAP_FULL, KNOT_ESPACE },
		{ MDB_TXN_FULL, KNOT_ESPACE },
		{ ENOSPC, KNOT_ESPACE },
		{ EDQUOT, KNOT_ESPACE },
		{ EFBIG, KNOT_ESPACE },
		{ MDB_PAGE_NOTFOUND, KNOT_EMALF },
		{ MDB_CORRUPTED, KNOT_EMALF },
		{ MDB_INVALID, KNOT_EMALF },
		{ MDB_INCOMPATIBLE, KNOT_EMALF },
		{ MDB_VERSION_MISMATCH, KNOT_ENOTSUP },
		{ MDB_READERS_FULL, KNOT_ELIMIT },
		{ MDB_DBS_FULL, KNOT_ELIMIT },
		{ MDB_MAP_RESIZED, KNOT_EAGAIN },
		{ MDB_BAD_VALSIZE, KNOT_EINVAL },
		{ MDB_BAD_TXN, KNOT_EINVAL },
		{ MDB_BAD_DBI, KNOT_EINVAL },
		{ MDB_BAD_RSLOT, KNOT_EINVAL },
		{ ENOENT, KNOT_ENOENT },
		{ ENOTDIR, KNOT_ENOTDIR },
		{ EEXIST, KNOT_EEXIST },
		{ EACCES, KNOT_EACCES },
		{ EPERM, KNOT_EACCES },
		{ EROFS, KNOT_EACCES },
		{ ENOMEM, KNOT_ENOMEM },
		{ EAGAIN, KNOT_EAGAIN },
		{ EBUSY, KNOT_EBUSY },
		{ EMFILE, KNOT_EMFILE },
		{ ENFILE, KNOT_ENFILE },
		{ EINVAL, KNOT_EINVAL },
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].from == rc) {
			return codes[i].to;
		}
	}
	/* EIO, MDB_PANIC and whatever else: the machine has a problem, not the data. */
	return KNOT_ESYSTEM;
}

int mail_store_fail(mail_diag_t *diag, int code, const char *fmt, ...)
{
	char text[sizeof(diag->text)];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)mail_diag_error(diag, 0, "%s", text);
	return code;
}
