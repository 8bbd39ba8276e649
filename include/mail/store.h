/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The store: one LMDB environment of entries.
 *
 * The only part that knows LMDB. Opening never creates, upgrades or deletes anything.
 *
 * Thread rule: mail_store_open/close from any thread (a mutex); a transaction belongs to the thread that
 * uses it, and any thread of the process may begin one of its own on any open handle (it takes a reader
 * slot, and a mutex for a moment). Readers and the writer never wait for each other.
 *
 * LMDB's caveats (lmdb.h, and what was met), and how each is seen to:
 *
 *   - An environment is open once in a process: closing a second one clears the slots of all the process' readers and
 *     drops its lock. A registry by device and inode of both files shares it; one that is open outside of the registry
 *     is found among the descriptors and refused (open.c). After a fork the parent's is not used (mail_env_t.pid).
 *   - mdb_dbi_open() not in concurrent transactions: all handles are opened once, under the registry's mutex, in a
 *     transaction that commits (env.c).
 *   - MDB_NOTLS: a reader slot belongs to a transaction object, which one thread uses at a time (txn.c has the states).
 *   - The number of reader slots is fixed by whoever opens first: 1024 at least. When they are full, those of dead
 *     readers are cleared, once, then it is KNOT_ELIMIT.
 *   - Dead readers keep pages from being used again: cleared at open, before each writing transaction, and by
 *     mail_store_clear_readers(), which a long-running reader calls once a minute.
 *   - So do old snapshots: a transaction is reset when it is not used, or stands until mail_store_end_standing().
 *   - The map does not grow by itself: 32 GiB, and the size is an entry of the metadata, because copies lose it. A
 *     larger one of another process (MDB_MAP_RESIZED) is taken over while no transaction of this one is used (txn.c).
 *   - A transaction is for one thread, and a thread that writes twice waits for itself: KNOT_EBUSY.
 *   - mdb_txn_commit() frees the transaction, whatever it returns; cursors are closed before.
 *   - No MDB_WRITEMAP: a full disk is KNOT_ESPACE, and not SIGBUS.
 *   - A file that is overwritten or truncated while it is mapped is SIGBUS: copies are made under another name and
 *     linked, a replaced file is noticed (mail_store_is_current()), and opening compares the size with the meta page.
 *   - A reader writes its slot: lock.mdb has mode and owner of data.mdb (0660). No MDB_NOLOCK, but to look at a file that
 *     lies beside a foreign lock (mail_env_probe()).
 *   - lock.mdb must belong to data.mdb: both say which transaction was the last (env.c). A writer that was killed
 *     between its meta page and the lock file has committed one that readers do not see before the next commit.
 *   - Network file systems cannot lock: refused unless forced.
 *   - Opening may meet another process that closes: tried again for a few milliseconds.
 *   - Keys have 511 octets at most; longer ones of another build are passed over.
 *   - Layouts of pages change with the version: none is copied here. What is needed of them mdb_env_info(), mdb_stat()
 *     and cursors say, of the free list as mdb_stat(1) reads it.
 */
#pragma once

#include <errno.h>

#include "mail/name.h"
#include "mail/source.h"

#ifndef KNOT_ESTALE
/*! libknot has no code for it. */
#define KNOT_ESTALE (-ESTALE)
#endif

/*! Version of the store's format: databases, keys, header. */
#define MAIL_STORE_FORMAT 1
/*! Default map size: 32 GiB. */
#define MAIL_STORE_MAP_SIZE ((size_t)32 << 30)

typedef struct mail_store mail_store_t;
typedef struct mail_txn mail_txn_t;

typedef struct {
	size_t map_size;   /*!< 0: MAIL_STORE_MAP_SIZE. */
	bool replicated;   /*!< Deletes leave tombstones. */
	const char *owner; /*!< "USER:GROUP", "USER" or ":GROUP", or NULL: see mail_store_init(). */
	const char *user;  /*!< Who is going to serve it; NULL: "knot". */
	bool force;        /*!< Whatever the file system. */
} mail_store_options_t;

/*!
 * Create a store: the directory (2770), data.mdb and lock.mdb (0660), keys/ (2770), the databases, the
 * metadata, and the policies `default` (empty: what is built in) and `parked` (no mail).
 *
 * A store that an interrupted call leaves behind does not exist: it is made in a directory of its own
 * within, and linked to its place when it is complete.
 *
 * \param options  NULL: the defaults. Without an owner: owner and group of the parent directory, if the user that
 *                 serves the store is in that group, or there is no such user; else that user and its group. One who is
 *                 not root owns what he makes, and gives it to that group if he is in it.
 *
 * \return KNOT_EOK; KNOT_EEXIST (there is one already); KNOT_EACCES (also: an existing directory that
 *         everybody can enter, or that belongs to another group); KNOT_ENOENT (no parent directory);
 *         KNOT_EINVAL (no such user or group; a map size that is too small); KNOT_ENOTSUP (a file system
 *         that LMDB cannot use); KNOT_ESPACE; KNOT_ENOMEM.
 */
int mail_store_init(const char *path, const mail_store_options_t *options, mail_diag_t *diag);

typedef enum {
	MAIL_STORE_READ = 0,
	MAIL_STORE_WRITE = 1,
	MAIL_STORE_FORCE = 2, /*!< Flag of mail_store_open(): whatever the file system. */
	MAIL_STORE_WRITE_FORCE = 3,
} mail_store_mode_t;

/*!
 * Open a store. Nothing is made but a missing lock.mdb, which LMDB needs: it gets owner and mode of
 * data.mdb.
 *
 * \param path     Its directory.
 * \param mode     MAIL_STORE_READ for the module: the environment is MDB_RDONLY. A store that is open for
 *                 writing serves readers of the same process, not the other way round.
 * \param readers  Threads of this process that will hold a transaction (reader slots: readers*2+64, at
 *                 least 1024; whoever opens first decides).
 *
 * \return KNOT_EOK; KNOT_ENOENT (no store there), KNOT_EACCES, KNOT_EMALF (foreign or truncated),
 *         KNOT_ENOTSUP (newer format; a file system that LMDB cannot use), KNOT_ENOMEM;
 *         KNOT_EAGAIN (it is being replaced just now);
 *         KNOT_EBUSY: it is open in this process for reading only; or by another copy of this code; or its
 *         data.mdb was replaced and its lock.mdb not, and the old store is still open: here (the new file was
 *         looked at, and is good: close the old one, then open) or in another process. diag->text says what
 *         and where.
 */
int mail_store_open(const char *path, mail_store_mode_t mode, unsigned readers,
                    mail_store_t **store, mail_diag_t *diag);
/*! Close; the last close frees the environment. All transactions must have ended. NULL is fine. */
void mail_store_close(mail_store_t *store);

/*! A number that no other environment of this process has or had: another number, another content. */
uint64_t mail_store_epoch(const mail_store_t *store);

/*! Return whether the files at the store's path are still those that are open: KNOT_EOK; KNOT_ESTALE when
 *  data.mdb or lock.mdb was replaced (then open again), KNOT_ENOENT when it is gone. Does not open
 *  anything: closing a second environment takes the process's lock from the first. */
int mail_store_is_current(const mail_store_t *store);
/*!
 * End the snapshots that stand (mail_txn_stand()) and are not of the newest transaction. Any thread; it may wait
 * for a thread that begins or ends a transaction object.
 *
 * \param idle  Also those that were not used since this was last asked for with idle.
 *
 * \return How many transactions may have an older snapshot still, because they were in use: call again.
 */
unsigned mail_store_end_standing(mail_store_t *store, bool idle);
/*! Clear the slots of dead readers. \return Their number, or an error. */
int mail_store_clear_readers(mail_store_t *store);

/*!
 * Begin a transaction: reading, or writing (waits for another writer; begun and ended by the same thread).
 *
 * \return KNOT_EOK; KNOT_EACCES (writing in a store opened for reading); KNOT_EBUSY (this thread writes
 *         already); KNOT_ELIMIT (no reader slot); KNOT_EAGAIN (another process made the map larger and
 *         other transactions of this one still use the old one: try again); KNOT_ENOTSUP (writing: the
 *         readers of the store know no values as new as ours); KNOT_EMALF; KNOT_ENOMEM.
 */
int mail_txn_begin(mail_store_t *store, mail_store_mode_t mode, mail_txn_t **txn);
/*! Commit a writing transaction; frees it, whatever the result. KNOT_ESPACE: the map or the disk is full.
 *  After a put or del that failed for such a reason it commits nothing and returns that error. */
int mail_txn_commit(mail_txn_t *txn);
/*! End a transaction without writing; frees it. NULL is fine. */
void mail_txn_abort(mail_txn_t *txn);
/*! Let go of a reading transaction's snapshot, keeping its slot. */
void mail_txn_reset(mail_txn_t *txn);
/*! Take a new snapshot after mail_txn_reset() or mail_txn_stand(). No allocation. \return As mail_txn_begin();
 *  KNOT_EINVAL when it is in use. */
int mail_txn_renew(mail_txn_t *txn);
/*!
 * Stop using a reading transaction for a while, with its snapshot, so that mail_txn_resume() can take that up again. A
 * snapshot that was not the newest when it was taken is let go of, as mail_txn_reset() does. One that stands keeps the
 * pages of what was deleted since from being used again, so somebody has to call mail_store_end_standing() soon after
 * each commit.
 */
void mail_txn_stand(mail_txn_t *txn);
/*!
 * Use a reading transaction again after mail_txn_stand() or mail_txn_reset(): with the snapshot that stands, if nobody
 * has committed since; else with a new one. No allocation.
 *
 * \return As mail_txn_renew(); KNOT_EAGAIN also when another thread is just ending the snapshot: try again.
 */
int mail_txn_resume(mail_txn_t *txn);
/*!
 * The number of the newest transaction of the store, asked by the thread of a reading transaction that is not in use. A
 * snapshot that is taken afterwards has that number or a later one; or, for the moment of a commit that is just
 * ending, the one before. It costs about as much as a comparison of names; no lock, no allocation.
 *
 * \return 0: not known, because the transaction is in use, or another thread is working on it.
 */
uint64_t mail_txn_newest(mail_txn_t *txn);
/*! The transaction's number: the same number, the same content. */
uint64_t mail_txn_id(const mail_txn_t *txn);
/*!
 * Bound how many tombstones in a row mail_source_t.domain_seek passes; at the last of these
 * it returns KNOT_ELIMIT.
 *
 * \param tombstones  0: no bound, the default.
 */
void mail_txn_limit(mail_txn_t *txn, unsigned tombstones);
/*! The source that reads in this transaction; valid as long as the transaction object. */
const mail_source_t *mail_txn_source(mail_txn_t *txn);

/*! Write an entry (a new stamp: max(now, old + 1)). \return KNOT_EOK, KNOT_ESPACE, KNOT_EINVAL. */
int mail_txn_put(mail_txn_t *txn, const mail_entry_t *entry);
/*! As mail_txn_put() for an entry whose key sorts after all others of its database: appended when it does. */
int mail_txn_append(mail_txn_t *txn, const mail_entry_t *entry);
/*!
 * Delete an entry, damaged ones too: a tombstone in a replicated store. In another one the domain or
 * policy that owned a DKIM key gets a new stamp, so that the serial moves on.
 *
 * \return KNOT_EOK, KNOT_ENOENT, KNOT_ESPACE.
 */
int mail_txn_del(mail_txn_t *txn, mail_section_t section, mail_str_t id);
/*! Read an entry by id. \return As mail_source_t.get. */
int mail_txn_get(mail_txn_t *txn, mail_section_t section, mail_str_t id, mail_entry_t **entry);
/*!
 * Walk the live entries of a section in the order of their keys.
 *
 * \param key    In: the key to start after (empty: the first). Out: the key of the entry.
 * \param entry  Out: the caller frees it. NULL: only the key is wanted; the entry may be damaged.
 *
 * \return KNOT_EOK; KNOT_ENOENT at the end; KNOT_EMALF, KNOT_ENOTSUP: this entry is damaged (key is set: go on).
 */
int mail_txn_next(mail_txn_t *txn, mail_section_t section, mail_lf_storage_t *key,
                  mail_entry_t **entry);
/*! Take the key and the stamp of an entry; another result than KNOT_EOK ends the walk. */
typedef int (*mail_stamp_f)(mail_lf_t key, const mail_stamp_t *stamp, void *ctx);
/*!
 * Walk the stamps of the live entries of a section in the order of their keys, without reading the entries. A
 * damaged entry may have a zero stamp.
 *
 * \return KNOT_EOK, what each returned, or an error of the tree.
 */
int mail_txn_stamps(mail_txn_t *txn, mail_section_t section, mail_stamp_f each, void *ctx);
/*!
 * Walk all live domains in the order of their keys, damaged ones included: the fastest way to look at all.
 *
 * \param each  May read in the transaction, but not write; another result than KNOT_EOK ends the walk. The domain
 *              is as mail_source_t.domain_seek() gives it.
 *
 * \return KNOT_EOK; what each returned; KNOT_EINVAL, KNOT_ENOMEM, KNOT_EMALF (the tree itself).
 */
int mail_txn_domains(mail_txn_t *txn,
                     int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx),
                     void *ctx);
/*! Remove tombstones older than a time; no serial goes back by it. \param before Nanoseconds since 1970.
 *  \return Number removed, or an error. */
int mail_txn_purge(mail_txn_t *txn, uint64_t before);

/*! What is in a store. */
typedef struct {
	uint32_t format;
	bool replicated;
	size_t map_size, used; /*!< Octets. */
	uint64_t txnid;
	unsigned readers, readers_max;
	size_t entries[MAIL_SECTION_COUNT]; /*!< Live and deleted. */
} mail_store_stat_t;
int mail_txn_stat(mail_txn_t *txn, mail_store_stat_t *stat);

/*!
 * Write a compact copy of the store (data.mdb) into a directory that must not hold one. Keys are not
 * copied. The copy appears when it is complete and on the disk, with mode and group of the store's, and of root's copy
 * the owner, too; where the group cannot be given to it, diag warns. Not within a writing transaction.
 *
 * To put a copy in the place of a store: its lock.mdb must not stay. Exchange the directories, or remove
 * lock.mdb first and then rename data.mdb.
 *
 * \return KNOT_EOK; KNOT_EEXIST; KNOT_ENOENT (no such directory), KNOT_EACCES, KNOT_ESPACE...
 */
int mail_store_backup(mail_store_t *store, const char *directory, mail_diag_t *diag);
