/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing entries: stamps, tombstones, and the promise that a serial never goes back. */

#include <time.h>

#include <lmdb.h>

#include "mail/dkim_id.h"
#include "store/internal.h"

/*! The stamp of a change: now, but always after what it replaces. */
static uint64_t next_timestamp(const mail_txn_t *txn, uint64_t old)
{
	if (txn->fixed_timestamp != 0) {
		return txn->fixed_timestamp;
	}
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	uint64_t timestamp = 0;
	if (now.tv_sec >= 0) {
		timestamp = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	}
	if (timestamp > old) {
		return timestamp;
	}
	/* Another writer's clock may be ahead; at the very end time stands still. */
	return old < UINT64_MAX ? old + 1 : old;
}

/*! Begin a value with its header. */
static void begin_value(mail_txn_t *txn, uint64_t timestamp, uint8_t flags)
{
	mail_buf_t *value = &txn->value;
	value->len = 0;
	value->error = KNOT_EOK;
	(void)mail_buf_u64(value, timestamp);
	(void)mail_buf_u64(value, mdb_txn_id(txn->mdb));
	(void)mail_buf_u8(value, HEADER_VERSION);
	(void)mail_buf_u8(value, flags);
	(void)mail_buf_u32(value, 0);
	(void)mail_buf_u16(value, 0);
}

/*! Store the value that was built. */
static int store_value(mail_txn_t *txn, unsigned db, mail_lf_t key, unsigned flags)
{
	if (txn->value.error != KNOT_EOK) {
		return txn->value.error;
	}
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, db, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k = { key.len, (void *)key.data }, v = { txn->value.len, txn->value.data };
	int rc = mdb_cursor_put(cursor, &k, &v, flags);
	if (rc == MDB_KEYEXIST) {
		return KNOT_EEXIST;
	}
	txn->finish = mail_index_finish;
	if (rc != MDB_SUCCESS) {
		return mail_txn_fail(txn, rc);
	}
	return db == MAIL_SECTION_DKIM ? mail_summary_put(txn, key) : KNOT_EOK;
}

/*! Remove the value of a section at which its cursor stands. \param key Its key. */
static int remove_value(mail_txn_t *txn, mail_section_t section, mail_lf_t key, MDB_cursor *cursor)
{
	int ret = section == MAIL_SECTION_DKIM ? mail_summary_del(txn, key) : KNOT_EOK;
	if (ret != KNOT_EOK) {
		return ret;
	}
	int rc = mdb_cursor_del(cursor, 0);
	txn->finish = mail_index_finish;
	return rc == MDB_SUCCESS ? KNOT_EOK : mail_txn_fail(txn, rc);
}

/*! Return whether a transaction can write. */
static int writable(const mail_txn_t *txn)
{
	if (!txn->write) {
		return KNOT_EACCES;
	}
	return txn->error;
}

/*! The timestamp of the value under a key; 0 where there is none or its header is damaged. */
static uint64_t old_timestamp(mail_txn_t *txn, unsigned db, mail_lf_t key)
{
	mail_stored_t stored;
	(void)mail_txn_lookup(txn, db, key, &stored);
	return stored.stamp.timestamp;
}

int mail_txn_write(mail_txn_t *txn, unsigned db, mail_lf_t key, const void *body, size_t body_len)
{
	int ret = writable(txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	begin_value(txn, next_timestamp(txn, old_timestamp(txn, db, key)), 0);
	(void)mail_buf_put(&txn->value, body, body_len);
	return store_value(txn, db, key, 0);
}

int mail_txn_write_at(mail_txn_t *txn, unsigned db, mail_lf_t key, uint64_t timestamp,
                      const mail_buf_t *body)
{
	int ret = writable(txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const uint64_t old = old_timestamp(txn, db, key);
	begin_value(txn, timestamp > old ? timestamp : old, 0);
	(void)mail_buf_put(&txn->value, body->data, body->len);
	return store_value(txn, db, key, 0);
}

/*! Let the indexes know of the value that was built. \param old What it replaces; NULL: nothing. */
static int note_value(mail_txn_t *txn, unsigned db, mail_lf_t key, const mail_stored_t *old)
{
	const MDB_val value = { txn->value.len, txn->value.data };
	mail_stored_t new;
	int ret = txn->value.error;
	if (ret == KNOT_EOK) {
		ret = mail_stored_read(&value, &new);
	}
	return ret == KNOT_EOK ? mail_index_note(txn, db, key, old, &new) : ret;
}

/*!
 * Build the value of an entry, and its key.
 *
 * \param old  Out: what is stored under the key, or zeros; NULL: that nothing is, is known.
 */
static int begin_entry(mail_txn_t *txn, const mail_entry_t *entry, mail_lf_storage_t *key,
                       mail_stored_t *old)
{
	int ret = writable(txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = mail_entry_key(entry->section, entry->id, key);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (old != NULL) {
		(void)mail_txn_lookup(txn, entry->section, mail_lf(key), old);
	}
	begin_value(txn, next_timestamp(txn, old != NULL ? old->stamp.timestamp : 0), 0);
	return mail_codec_encode_as(entry, txn->meta.values, &txn->value);
}

int mail_txn_put(mail_txn_t *txn, const mail_entry_t *entry)
{
	mail_lf_storage_t key;
	mail_stored_t old;
	int ret = begin_entry(txn, entry, &key, &old);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* First the indexes: after a write, what was stored cannot be read any more. */
	ret = note_value(txn, entry->section, mail_lf(&key), old.body != NULL ? &old : NULL);
	return ret == KNOT_EOK ? store_value(txn, entry->section, mail_lf(&key), 0) : ret;
}

int mail_txn_append(mail_txn_t *txn, const mail_entry_t *entry)
{
	mail_lf_storage_t key;
	int ret = begin_entry(txn, entry, &key, NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = store_value(txn, entry->section, mail_lf(&key), MDB_APPEND);
	if (ret == KNOT_EOK) {
		ret = note_value(txn, entry->section, mail_lf(&key), NULL);
	}
	return ret == KNOT_EEXIST ? mail_txn_put(txn, entry) : ret;
}

/*!
 * Give the owner of a DKIM key that is about to vanish a timestamp, so that the newest one of all
 * that a domain's serial counts does not get older. Other entries have no owner.
 *
 * \param floor  Timestamp of what vanishes.
 * \param fresh  The vanishing is a change by itself: a new timestamp. Else floor is enough.
 */
static int restamp_owner(mail_txn_t *txn, mail_section_t section, mail_str_t id, uint64_t floor,
                         bool fresh)
{
	mail_dkim_id_t dkim;
	mail_lf_storage_t key;
	if (section != MAIL_SECTION_DKIM || mail_dkim_id_parse(id, &dkim, NULL) != KNOT_EOK ||
	    mail_entry_key(dkim.section, dkim.owner, &key) != KNOT_EOK) {
		return KNOT_EOK;
	}
	const mail_section_t owner = dkim.section;
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn, owner, mail_lf(&key), &stored);
	if (ret != KNOT_EOK || stored.deleted) {
		/* No owner, or a damaged one: nothing is answered from it, so it has no serial. */
		return ret == KNOT_ENOMEM ? ret : KNOT_EOK;
	}
	uint64_t newest = stored.stamp.timestamp > floor ? stored.stamp.timestamp : floor;
	if (!fresh && newest == stored.stamp.timestamp) {
		return KNOT_EOK;
	}
	begin_value(txn, fresh ? next_timestamp(txn, newest) : newest, 0);
	(void)mail_buf_put(&txn->value, stored.body, stored.len);
	return store_value(txn, owner, mail_lf(&key), 0);
}

int mail_txn_del(mail_txn_t *txn, mail_section_t section, mail_str_t id)
{
	mail_lf_storage_t key;
	int ret = writable(txn);
	if (ret == KNOT_EOK) {
		ret = mail_entry_key(section, id, &key);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	/* A damaged entry can be deleted like any other. */
	mail_stored_t stored;
	ret = mail_txn_lookup(txn, section, mail_lf(&key), &stored);
	if (ret != KNOT_EOK && ret != KNOT_EMALF && ret != KNOT_ENOTSUP) {
		return ret;
	}
	if (stored.deleted) {
		return KNOT_ENOENT;
	}
	const uint64_t timestamp = stored.stamp.timestamp;
	ret = mail_index_note(txn, section, mail_lf(&key), stored.body != NULL ? &stored : NULL,
	                      NULL);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (txn->meta.replicated) {
		begin_value(txn, next_timestamp(txn, timestamp), HEADER_DELETED);
		return store_value(txn, section, mail_lf(&key), 0);
	}
	/* It stands where the value was looked up. */
	MDB_cursor *cursor;
	ret = mail_txn_cursor(txn, section, &cursor);
	if (ret == KNOT_EOK) {
		ret = remove_value(txn, section, mail_lf(&key), cursor);
	}
	return ret == KNOT_EOK ? restamp_owner(txn, section, id, timestamp, true) : ret;
}

/*! Remove one tombstone, at which the cursor stands. */
static int purge_one(mail_txn_t *txn, mail_section_t section, MDB_cursor *cursor, const MDB_val *k,
                     uint64_t timestamp)
{
	mail_buf_t *id = &txn->id;
	id->len = 0;
	id->error = KNOT_EOK;
	if (mail_entry_id_from_key(section, (mail_lf_t){ k->mv_data, k->mv_size }, id) ==
	    KNOT_EOK) {
		int ret = restamp_owner(txn, section, mail_buf_view(id), timestamp, false);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return remove_value(txn, section, (mail_lf_t){ k->mv_data, k->mv_size }, cursor);
}

/*! Remove the old tombstones of a section. \return Their number, or an error. */
static int purge_section(mail_txn_t *txn, mail_section_t section, uint64_t before)
{
	MDB_cursor *cursor;
	int removed = 0;
	int ret = mail_txn_cursor(txn, section, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	MDB_val k, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; rc == MDB_SUCCESS; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		mail_stored_t stored;
		if (mail_stored_read(&v, &stored) != KNOT_EOK || !stored.deleted ||
		    stored.stamp.timestamp >= before) {
			continue;
		}
		ret = purge_one(txn, section, cursor, &k, stored.stamp.timestamp);
		if (ret != KNOT_EOK) {
			return ret;
		}
		removed++;
	}
	return rc == MDB_NOTFOUND ? removed : mail_txn_fail(txn, rc);
}

int mail_txn_purge(mail_txn_t *txn, uint64_t before)
{
	int removed = 0;
	int ret = writable(txn);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (unsigned section = 0; section < MAIL_SECTION_COUNT; section++) {
		ret = purge_section(txn, section, before);
		if (ret < 0) {
			return ret;
		}
		removed += ret;
	}
	return removed;
}

/*! Write a number of the metadata. */
static int write_number(mail_txn_t *txn, const char *name, unsigned octets, uint64_t number)
{
	uint8_t body[8];
	for (unsigned i = 0; i < octets; i++) {
		body[i] = (uint8_t)(number >> (8 * (octets - 1 - i)));
	}
	return mail_txn_write(txn, DB_META, (mail_lf_t){ (const uint8_t *)name, strlen(name) },
	                      body, octets);
}

int mail_meta_write(mail_txn_t *txn, const mail_meta_t *meta)
{
	const struct {
		const char *name;
		unsigned octets;
		uint64_t number;
	} settings[] = {
		{ META_MAP_SIZE, 8, meta->map_size },
		{ META_REPLICATED, 1, meta->replicated },
		{ META_VALUES, 4, meta->values },
		{ META_FORMAT, 4, meta->format },
	};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int ret = write_number(txn, settings[i].name, settings[i].octets,
		                       settings[i].number);
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}
