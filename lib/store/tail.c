/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a data file truncated?
 *
 * A file that ends before the last page that its meta page counts was cut off, mostly; then a page that is read
 * and missing is SIGBUS. But LMDB leaves a short file itself when the last pages were allocated and
 * freed in the same transaction: it never writes those, and counts them. They are on the free list then
 * (seen with 0.9.24 in one of twenty transactions that delete much). So before a short file is refused,
 * its free list is read, through the descriptor and not through the map, and nothing read is trusted.
 *
 * The layout of LMDB's pages (data version 1, all of 0.9), in the machine's order:
 *
 *   page   8 number, 2 unused, 2 flags, 2 lower, 2 upper (of overflow pages: 4 number of pages),
 *          then 2-octet offsets of the nodes, (lower - 16) / 2 of them
 *   node   2 lo, 2 hi, 2 flags, 2 length of the key, the key, the value. In a branch lo, hi and flags are
 *          the number of the page below; in a leaf lo and hi are the length of the value, which with
 *          flag 1 is in overflow pages and replaced by the number of the first
 *   meta   (behind a page's 16) 4 magic, 4 version, 8 address, 8 map size, free list, main database,
 *          8 last page, 8 transaction; a database is 4 page size, 2 flags, 2 depth, 4 times 8, 8 root
 *
 * A value of the free list is 8 count, then so many 8-octet page numbers.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"

#define PAGE_HEADER 16
#define PAGE_BRANCH 0x01
#define PAGE_LEAF 0x02
#define PAGE_OVERFLOW 0x04
#define NODE_HEADER 8
#define NODE_BIG 0x01
#define META_MAGIC 0xBEEFC0DE
#define META_OF_FREE 24 /*!< Offset of the free list's description in the meta. */
#define META_OF_LAST (24 + 2 * 48)
#define META_LEN (META_OF_LAST + 16)
#define DB_OF_ROOT 40
#define NO_ROOT UINT64_MAX
/*! LMDB's own bound of a tree's depth. */
#define DEPTH_MAX 32

/*! A walk over the free list. */
typedef struct {
	int fd;
	size_t page_size;
	uint64_t first;  /*!< First page that is missing. */
	uint64_t last;   /*!< Last page that the meta page counts. */
	uint64_t found;  /*!< Missing pages that are on the free list. */
	uint64_t budget; /*!< Pages that may still be read: a damaged tree may have circles. */
} walk_t;

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

/*! Reads octets of the file; what is not there is KNOT_EMALF. */
static int read_at(const walk_t *walk, uint64_t page, size_t offset, uint8_t *out, size_t len)
{
	if (page >= walk->first) {
		return KNOT_EMALF;
	}
	uint64_t from = page * walk->page_size + offset;
	while (len > 0) {
		ssize_t got = pread(walk->fd, out, len, (off_t)from);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return got == 0 ? KNOT_EMALF : mail_store_code(errno);
		}
		out += got;
		from += (uint64_t)got;
		len -= (size_t)got;
	}
	return KNOT_EOK;
}

/*! Counts the missing pages in a row of page numbers. */
static void count_missing(walk_t *walk, const uint8_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t id = get64(ids + 8 * i);
		walk->found += id >= walk->first && id <= walk->last;
	}
}

/*! Counts the missing pages in a value that has overflow pages of its own. */
static int count_overflow(walk_t *walk, uint64_t page, size_t len)
{
	uint8_t head[PAGE_HEADER + 8];
	int ret = read_at(walk, page, 0, head, sizeof(head));
	if (ret != KNOT_EOK) {
		return ret;
	}
	uint64_t count = get64(head + PAGE_HEADER);
	if ((get16(head + 10) & PAGE_OVERFLOW) == 0 || len < 8 || count > len / 8 - 1) {
		return KNOT_EMALF;
	}
	size_t offset = sizeof(head);
	while (count > 0) {
		uint8_t ids[64 * 8];
		size_t some = count < 64 ? (size_t)count : 64;
		/* Pages of an overflow are in a row: an offset reaches them all. */
		uint64_t at = page + (offset + some * 8 - 1) / walk->page_size;
		ret = at >= walk->first ? KNOT_EMALF : read_at(walk, page, offset, ids, some * 8);
		if (ret != KNOT_EOK) {
			return ret;
		}
		count_missing(walk, ids, some);
		offset += some * 8;
		count -= some;
	}
	return KNOT_EOK;
}

/*! Counts the missing pages in one value of a leaf. */
static int count_value(walk_t *walk, const uint8_t *page, size_t node)
{
	size_t len = get16(page + node) | (size_t)get16(page + node + 2) << 16;
	size_t value = node + NODE_HEADER + get16(page + node + 6);
	bool big = (get16(page + node + 4) & NODE_BIG) != 0;
	if (value > walk->page_size || (big ? 8 : len) > walk->page_size - value) {
		return KNOT_EMALF;
	}
	if (big) {
		return count_overflow(walk, get64(page + value), len);
	}
	if (len < 8 || get64(page + value) > len / 8 - 1) {
		return KNOT_EMALF;
	}
	count_missing(walk, page + value + 8, (size_t)get64(page + value));
	return KNOT_EOK;
}

/*! Walks a page of the free list and all below it. Each level has a page of the room. */
static int walk_page(walk_t *walk, uint64_t number, uint8_t *room, unsigned depth)
{
	if (depth == 0 || walk->budget == 0) {
		return KNOT_EMALF;
	}
	walk->budget--;
	int ret = read_at(walk, number, 0, room, walk->page_size);
	if (ret != KNOT_EOK) {
		return ret;
	}
	uint16_t flags = get16(room + 10);
	size_t lower = get16(room + 12);
	bool leaf = (flags & PAGE_LEAF) != 0;
	if (get64(room) != number || leaf == ((flags & PAGE_BRANCH) != 0) || lower < PAGE_HEADER ||
	    lower > walk->page_size) {
		return KNOT_EMALF;
	}
	for (size_t at = PAGE_HEADER; at + 2 <= lower; at += 2) {
		size_t node = get16(room + at);
		if (node < lower || node + NODE_HEADER > walk->page_size) {
			return KNOT_EMALF;
		}
		if (leaf) {
			ret = count_value(walk, room, node);
		} else {
			uint64_t below = get16(room + node) |
			                 (uint64_t)get16(room + node + 2) << 16 |
			                 (uint64_t)get16(room + node + 4) << 32;
			ret = walk_page(walk, below, room + walk->page_size, depth - 1);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_tail_check(int fd, size_t page_size, off_t size, uint64_t txnid)
{
	if (MDB_VERSION_MAJOR != 0 || sizeof(size_t) != 8) {
		/* Not the layout above: what looks truncated is taken for it. */
		return KNOT_EMALF;
	}
	walk_t walk = { .fd = fd, .page_size = page_size, .first = (uint64_t)size / page_size };
	walk.budget = walk.first;
	uint8_t meta[META_LEN];
	int ret = read_at(&walk, txnid & 1, PAGE_HEADER, meta, sizeof(meta));
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (get32(meta) != META_MAGIC) {
		return KNOT_EMALF;
	}
	if (get64(meta + META_OF_LAST + 8) != txnid) {
		/* Written since. */
		return KNOT_EAGAIN;
	}
	walk.last = get64(meta + META_OF_LAST);
	if (walk.last < walk.first) {
		return KNOT_EOK;
	}
	uint64_t root = get64(meta + META_OF_FREE + DB_OF_ROOT);
	if (root == NO_ROOT) {
		return KNOT_EMALF;
	}
	uint8_t *room = malloc(DEPTH_MAX * page_size);
	if (room == NULL) {
		return KNOT_ENOMEM;
	}
	ret = walk_page(&walk, root, room, DEPTH_MAX);
	free(room);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return walk.found == walk.last - walk.first + 1 ? KNOT_EOK : KNOT_EMALF;
}
