/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's format, version 2 (MAIL_STORE_FORMAT). Version 1 is the same, with `values` of 1.
 *
 * One LMDB environment; named databases, all with plain keys (no DUPSORT, no INTEGERKEY, no REVERSEKEY):
 *
 *   database     key                                              value
 *   host         id                                               header, entry
 *   certificate  id                                               header, entry
 *   policy       id                                               header, entry
 *   dkim         SELECTOR._domainkey.DOMAIN in lookup format, or  header, entry
 *                00, policy id, 00, selector in lookup format
 *   domain       name in lookup format (mail/name.h)              header, entry
 *   key-set      id                                               header, entry
 *   meta         the name of a setting, see below                 header, setting
 *   dkim-summary what the keys of a domain lie below in dkim      header, summary (model/dkim_sum.h)
 *   _sync_...    indexes of this server, see index.c
 *
 * Keys have 1 to 511 octets. "entry" is laid out as lib/model/codec.c says.
 *
 * The header is the native one of Lightning Stream, numbers in network order:
 *
 *   octets  what
 *   8       timestamp of the last change, nanoseconds since 1970: max(now, the old one + 1)
 *   8       id of the LMDB transaction that wrote it
 *   1       version, 0
 *   1       flags: 0x01 deleted; the others are not ours and mean nothing here
 *   4       reserved, written 0, not read
 *   2       number n of extension blocks
 *   8 n     extension blocks, skipped
 *
 * A deleted entry of a replicated store is a tombstone: flag 0x01 and nothing behind the header. In a store
 * that is not replicated it is gone, and so that a serial never goes back, the entry that owned it (the
 * domain or policy of a DKIM key) gets a new timestamp.
 *
 * meta, all of them required:
 *
 *   format      32 bits: MAIL_STORE_FORMAT. Written last by init. A reader refuses a higher one.
 *   map-size    64 bits: octets
 *   replicated  8 bits: 1 or 0
 *   values      32 bits: the newest version of lib/model/codec.c's layout that all readers of the store
 *               know; a writer writes no newer one.
 *
 * What init writes has the timestamp 1, so that a copy initialised later overrides nothing when copies
 * are merged.
 */

#include <endian.h>

#include <lmdb.h>

#include "store/internal.h"

int mail_stored_read(const MDB_val *value, mail_stored_t *stored)
{
	memset(stored, 0, sizeof(*stored));
	if (value->mv_size < HEADER_LEN) {
		return KNOT_EMALF;
	}
	/* Every question reads some: so once checked, not octet by octet. */
	const uint8_t *header = value->mv_data;
	if (header[HEADER_VERSION_AT] != HEADER_VERSION) {
		return KNOT_ENOTSUP;
	}
	uint64_t timestamp, txnid;
	uint16_t blocks;
	memcpy(&timestamp, header, sizeof(timestamp));
	memcpy(&txnid, header + sizeof(timestamp), sizeof(txnid));
	memcpy(&blocks, header + HEADER_BLOCKS_AT, sizeof(blocks));
	const size_t len = HEADER_LEN + (size_t)be16toh(blocks) * HEADER_BLOCK;
	/* A timestamp of 0 says "does not exist" above, so no writer uses it. */
	if (value->mv_size < len || timestamp == 0) {
		return KNOT_EMALF;
	}
	stored->stamp.timestamp = be64toh(timestamp);
	stored->stamp.txnid = be64toh(txnid);
	stored->deleted = (header[HEADER_FLAGS_AT] & HEADER_DELETED) != 0;
	stored->body = header + len;
	stored->len = value->mv_size - len;
	return KNOT_EOK;
}
