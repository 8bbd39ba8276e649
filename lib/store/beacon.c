/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The number of the newest transaction, where it can be read at the price of two loads: LMDB keeps it in its two
 * meta pages, the first two of the file (tail.c has their layout), and writes them in turn with pwrite(),
 * so a mapping of ours shows what every process commits.
 */
#include <sys/mman.h>

#include <lmdb.h>

#include "store/internal.h"

/*! Where the number stands in a meta page: behind the page's header, at the end. */
#define NUMBER_OFFSET 144
_Static_assert(NUMBER_OFFSET % sizeof(uint64_t) == 0, "the number is read as one");

int mail_store_beacon(const mail_store_t *store, void *memory, const uint64_t *numbers[2])
{
	MDB_env *mdb = store->env->mdb;
	MDB_stat stat;
	MDB_envinfo before, after;
	mdb_filehandle_t fd;
	if (mdb_env_stat(mdb, &stat) != MDB_SUCCESS || mdb_env_get_fd(mdb, &fd) != MDB_SUCCESS ||
	    mdb_env_info(mdb, &before) != MDB_SUCCESS) {
		return KNOT_ERROR;
	}
	const size_t size = 2 * (size_t)stat.ms_psize;
	if (size > MAIL_BEACON_SIZE) {
		return KNOT_ENOTSUP;
	}
	if (mmap(memory, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != memory) {
		return KNOT_ENOMEM;
	}
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *page = (const uint8_t *)memory + i * stat.ms_psize;
		numbers[i] = (const uint64_t *)(const void *)(page + NUMBER_OFFSET);
	}
	// Another LMDB may have another layout; then these are other numbers.
	const uint64_t first = mail_beacon_number(numbers[0]),
		       second = mail_beacon_number(numbers[1]);
	const uint64_t newest = first > second ? first : second;
	if (mdb_env_info(mdb, &after) != MDB_SUCCESS || newest < before.me_last_txnid ||
	    newest > after.me_last_txnid) {
		return KNOT_ENOTSUP;
	}
	return KNOT_EOK;
}
