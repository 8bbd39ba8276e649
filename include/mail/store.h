/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The store: one LMDB environment of entries.
 *
 * The only part that knows LMDB. A process opens an environment once, however often mail_store_open()
 * is called for it: a registry (device and inode of data.mdb) shares it. Opening never creates,
 * upgrades or deletes anything.
 *
 * Thread rule: mail_store_open/close from any thread (a mutex); a transaction belongs to the thread that
 * uses it. Readers and the writer never wait for each other.
 */
#pragma once

#include "mail/source.h"

/*! Version of the store's format: databases, keys, header. */
#define MAIL_STORE_FORMAT 1
/*! Default map size: 32 GiB. */
#define MAIL_STORE_MAP_SIZE ((size_t)32 << 30)

typedef struct mail_store mail_store_t;
typedef struct mail_txn mail_txn_t;

typedef struct {
	size_t map_size;       /*!< 0: MAIL_STORE_MAP_SIZE. */
	bool replicated;       /*!< Deletes leave tombstones. */
	const char *owner;     /*!< "USER:GROUP", or NULL: as INTERFACE says. */
} mail_store_options_t;

/*!
 * Creates a store: the directory (2770), data.mdb and lock.mdb (0660), keys/ (2750), the databases, the
 * metadata, and the policies `default` and `parked`.
 *
 * \return KNOT_EOK; KNOT_EEXIST (there is one already); KNOT_EACCES; KNOT_ENOSPC...
 */
int mail_store_init(const char *path, const mail_store_options_t *options, mail_diag_t *diag);

typedef enum {
	MAIL_STORE_READ = 0,
	MAIL_STORE_WRITE = 1,
} mail_store_mode_t;

/*!
 * Opens a store.
 *
 * \param path     Its directory.
 * \param mode     MAIL_STORE_READ for the module: the environment is MDB_RDONLY.
 * \param readers  Threads of this process that will hold a transaction (reader slots: readers*2+64).
 *
 * \return KNOT_EOK; KNOT_ENOENT (no store there), KNOT_EACCES, KNOT_EMALF (foreign or truncated),
 *         KNOT_ENOTSUP (newer format; a file system that LMDB cannot use), KNOT_ENOMEM.
 *         diag->text says what and where.
 */
int mail_store_open(const char *path, mail_store_mode_t mode, unsigned readers, mail_store_t **store,
                    mail_diag_t *diag);
/*! Closes; the last close frees the environment. All transactions must have ended. NULL is fine. */
void mail_store_close(mail_store_t *store);

/*! Says whether the file at the store's path is still the one that is open: KNOT_EOK; KNOT_ESTALE when it
 *  was replaced, KNOT_ENOENT when it is gone. Does not open anything (TRAPS 30). */
int mail_store_is_current(const mail_store_t *store);
/*! Clears the slots of dead readers. \return Their number, or an error. */
int mail_store_clear_readers(mail_store_t *store);

/*! Begins a transaction: reading, or writing (waits for another writer). */
int mail_txn_begin(mail_store_t *store, mail_store_mode_t mode, mail_txn_t **txn);
/*! Commits a writing transaction; frees it, whatever the result. KNOT_ESPACE: the map or the disk is full. */
int mail_txn_commit(mail_txn_t *txn);
/*! Ends a transaction without writing; frees it. NULL is fine. */
void mail_txn_abort(mail_txn_t *txn);
/*! Lets go of a reading transaction's snapshot, keeping its slot. */
void mail_txn_reset(mail_txn_t *txn);
/*! Takes a new snapshot after mail_txn_reset(). */
int mail_txn_renew(mail_txn_t *txn);
/*! The transaction's number: the same number, the same content. */
uint64_t mail_txn_id(const mail_txn_t *txn);
/*! The source that reads in this transaction; valid as long as the transaction object. */
const mail_source_t *mail_txn_source(mail_txn_t *txn);

/*! Writes an entry (a new stamp: max(now, old + 1)). \return KNOT_EOK, KNOT_ESPACE, KNOT_EINVAL. */
int mail_txn_put(mail_txn_t *txn, const mail_entry_t *entry);
/*! As mail_txn_put() for an entry whose key sorts after all others of its database: appended when it does. */
int mail_txn_append(mail_txn_t *txn, const mail_entry_t *entry);
/*! Deletes an entry: a tombstone in a replicated store. \return KNOT_EOK, KNOT_ENOENT. */
int mail_txn_del(mail_txn_t *txn, mail_section_t section, mail_str_t id);
/*! Reads an entry by id. \return As mail_source_t.get. */
int mail_txn_get(mail_txn_t *txn, mail_section_t section, mail_str_t id, mail_entry_t **entry);
/*!
 * Walks the live entries of a section in the order of their keys.
 *
 * \param key, len  In: the key to start after (len 0: the first). Out: the key of the entry.
 *                  Room for MAIL_KEY_MAX octets.
 * \param entry     Out: the caller frees it.
 *
 * \return KNOT_EOK; KNOT_ENOENT at the end; KNOT_EMALF, KNOT_ENOTSUP: this entry is damaged (key is set: go on).
 */
int mail_txn_next(mail_txn_t *txn, mail_section_t section, uint8_t *key, size_t *len,
                  mail_entry_t **entry);
/*! Removes tombstones older than a time. \param before Nanoseconds since 1970. \return Number removed. */
int mail_txn_purge(mail_txn_t *txn, uint64_t before);

/*! What is in a store. */
typedef struct {
	uint32_t format;
	bool replicated;
	size_t map_size, used;        /*!< Octets. */
	uint64_t txnid;
	unsigned readers, readers_max;
	size_t entries[MAIL_SECTION_COUNT];     /*!< Live and deleted. */
} mail_store_stat_t;
int mail_txn_stat(mail_txn_t *txn, mail_store_stat_t *stat);

/*! Writes a compact copy of the store (data.mdb) into a directory that must not hold one (mdb_env_copy2). */
int mail_store_backup(mail_store_t *store, const char *directory, mail_diag_t *diag);
