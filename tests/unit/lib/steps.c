/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steps.h"

#include <lmdb.h>

int __real_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op)
	__attribute__((weak));
/* The linker takes the shared library for one that refers to it. */
__attribute__((visibility("default"))) int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key,
                                                                 MDB_val *data, MDB_cursor_op op);

size_t steps;

int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op)
{
	steps++;
	return __real_mdb_cursor_get(cursor, key, data, op);
}
