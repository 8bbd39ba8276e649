/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The store: one LMDB environment of entries.
 *
 * Only this part of the code knows LMDB. Opening a store never creates, upgrades or deletes anything.
 *
 * Thread rule: any thread may open and close a store (a mutex). A transaction belongs to the thread that uses
 * it. Any thread of the process may begin a transaction on any open handle; this takes a reader slot, and a
 * mutex for a moment. Readers and the writer never wait for each other.
 *
 * LMDB has these caveats (from lmdb.h, and from experience). This is how the store treats each:
 *
 *   - A process may open an environment only once: closing a second one clears the slots of all readers of the
 *     process, and drops its lock. A registry by device and inode of both files shares the environment. If it is open
 *     outside of the registry, open.c finds it among the descriptors, and refuses it. After a fork the child does not
 *     use the environment of its parent (mail_env_t.pid).
 *   - Concurrent transactions must not call mdb_dbi_open(): env.c opens all handles once, under the mutex of the
 *     registry, in a transaction that commits.
 *   - MDB_NOTLS: a reader slot belongs to a transaction object, which one thread uses at a time (txn.c has the
 * states).
 *   - The process that opens first fixes the number of reader slots: it is 1024 at least. When all slots are in use,
 *     the slots of dead readers are cleared, once; if that does not help, the error is KNOT_ELIMIT.
 *   - LMDB cannot reuse the pages of dead readers. Their slots are cleared when a store is opened, before each
 *     writing transaction, and by mail_store_clear_readers(), which a long-running reader calls once a minute.
 *   - LMDB cannot reuse the pages of old snapshots, either. An idle transaction is reset, or it stands until
 *     mail_store_end_standing().
 *   - The map does not grow by itself. It has 32 GiB, and its size is an entry of the metadata, because copies
 *     lose the size. If another process has made the map larger (MDB_MAP_RESIZED), txn.c takes over the new
 *     size while no transaction of this process is in use.
 *   - A transaction is for one thread, and a thread that begins to write twice waits for itself: KNOT_EBUSY.
 *   - mdb_txn_commit() frees the transaction, whatever it returns. Cursors are closed before.
 *   - There is no MDB_WRITEMAP, so that a full disk gives KNOT_ESPACE instead of SIGBUS.
 *   - A mapped file that is overwritten or truncated gives SIGBUS. So a copy is written under another name and then
 *     linked, a replaced file is noticed (mail_store_is_current()), and opening compares the size with the meta page.
 *   - A reader writes its slot. So lock.mdb has the owner and the mode of data.mdb (0660). MDB_NOLOCK is used only to
 *     look at a file beside a foreign lock.mdb (mail_env_probe()).
 *   - lock.mdb must belong to data.mdb: env.c checks that both have the same last transaction. If a writer is killed
 *     after it wrote its meta page and before it wrote lock.mdb, its transaction is committed, but readers do not see
 *     it before the next commit.
 *   - Network file systems cannot lock. They are refused unless forced.
 *   - Opening may meet another process that closes. Then it is tried again for a few milliseconds.
 *   - A key has at most 511 octets. Longer keys of another build are passed over.
 *   - The layout of pages depends on the version of LMDB, so the code has no copy of it. It uses mdb_env_info(),
 *     mdb_stat() and cursors, and reads the free list as mdb_stat(1) does.
 */
#pragma once

#include <errno.h>

#include "mail/name.h"
#include "mail/source.h"

#ifndef KNOT_ESTALE
/*! The files of a store were replaced. libknot has no code for this. */
#define KNOT_ESTALE (-ESTALE)
#endif

/*! Version of the store's format: databases, keys, header. */
#define MAIL_STORE_FORMAT 2
/*! Default map size: 32 GiB. */
#define MAIL_STORE_MAP_SIZE ((size_t)32 << 30)

/*! An open store. */
typedef struct mail_store mail_store_t;
/*! A transaction of a store. */
typedef struct mail_txn mail_txn_t;

/*! Options of a new store. A zeroed object has the defaults. */
typedef struct {
	size_t map_size;   /*!< Octets; 0: MAIL_STORE_MAP_SIZE. */
	bool replicated;   /*!< A deleted entry leaves a tombstone. */
	const char *owner; /*!< "USER:GROUP", "USER" or ":GROUP"; NULL: see mail_store_init(). */
	const char *user;  /*!< User that serves the store; NULL: "knot". */
	bool force;        /*!< Accept any file system. */
} mail_store_options_t;

/*!
 * Make a store: the directory (2770), data.mdb and lock.mdb (0660), keys/ (2770), the databases, the metadata,
 * and the policies `default` (empty, so that the built-in values count) and `parked` (no mail).
 *
 * The store is made in a directory of its own within, and linked to its place when it is complete. So an
 * interrupted call leaves no store behind.
 *
 * Without options->owner, the store belongs to the owner and group of the parent directory if options->user is
 * in that group or does not exist, and else to that user and its group. If the caller is not root, the store
 * belongs to the caller, and to that group if the caller is in it.
 *
 * \param path     Directory of the store.
 * \param options  NULL: the defaults.
 * \param diag     Out: the reason of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EEXIST (the store exists); KNOT_EACCES (also: the directory exists, and everybody can
 *         enter it or it belongs to another group); KNOT_ENOENT (no parent directory); KNOT_EINVAL (no such
 *         user or group, or a map size that is too small); KNOT_ENOTSUP (a file system that LMDB cannot use);
 *         KNOT_ESPACE; KNOT_ENOMEM.
 */
int mail_store_init(const char *path, const mail_store_options_t *options, mail_diag_t *diag);

/*! Mode of a store or a transaction. */
typedef enum {
	MAIL_STORE_READ = 0,
	MAIL_STORE_WRITE = 1,
	MAIL_STORE_FORCE = 2, /*!< Flag of mail_store_open(): accept any file system. */
	MAIL_STORE_WRITE_FORCE = 3,
} mail_store_mode_t;

/*!
 * Open a store. Only a missing lock.mdb is made, because LMDB needs it. It gets the owner and the mode of data.mdb.
 *
 * \param path     Directory of the store.
 * \param mode     MAIL_STORE_READ opens the environment with MDB_RDONLY. A store that a process has open for
 *                 writing also serves readers of this process, but not the other way round.
 * \param readers  Number of threads in this process that will have a transaction. There are readers * 2 + 64
 *                 reader slots, and at least 1024. The process that opens first decides.
 * \param store    Out: the store; the caller closes it.
 * \param diag     Out: the reason of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_ENOENT (no store is there); KNOT_EACCES; KNOT_EMALF (a foreign or truncated file);
 *         KNOT_ENOTSUP (a newer format, or a file system that LMDB cannot use); KNOT_ENOMEM; KNOT_EAGAIN (the
 *         store is just being replaced); KNOT_EBUSY: this process has the store open for reading only; another
 *         copy of this code has it open; or data.mdb was replaced without lock.mdb, and this or another process
 *         still has the old store open. If it is this process, the new file was checked and is good: close the
 *         old store, and open again.
 */
int mail_store_open(const char *path, mail_store_mode_t mode, unsigned readers,
                    mail_store_t **store, mail_diag_t *diag);
/*! Close a store. Its transactions must have ended. The last close frees the environment. NULL is allowed. */
void mail_store_close(mail_store_t *store);

/*! Return the number of the environment. No other environment of this process has or had this number. */
uint64_t mail_store_epoch(const mail_store_t *store);

/*!
 * Check whether the files at the path of the store are still the files that are open.
 *
 * The function opens nothing, because closing a second environment would take the lock of the process from the first.
 *
 * \return KNOT_EOK; KNOT_ESTALE (data.mdb or lock.mdb was replaced: open the store again); KNOT_ENOENT (it is gone).
 */
int mail_store_is_current(const mail_store_t *store);
/*!
 * End the standing snapshots (mail_txn_stand()) that are older than the newest transaction.
 *
 * Any thread may call this. It may wait for a thread that begins or ends a transaction object.
 *
 * \param idle  End also the standing snapshots that were not used since the last call with idle.
 *
 * \return The number of transactions that may still have an older snapshot, because they are in use. Call again
 *         if it is not 0.
 */
unsigned mail_store_end_standing(mail_store_t *store, bool idle);
/*! Clear the slots of dead readers. \return The number of slots cleared, or an error. */
int mail_store_clear_readers(mail_store_t *store);

/*!
 * Begin a transaction.
 *
 * A writing transaction waits for another writer. The thread that begins it must end it.
 *
 * \param mode  MAIL_STORE_READ or MAIL_STORE_WRITE.
 * \param txn   Out: the transaction; the caller ends it.
 *
 * \return KNOT_EOK; KNOT_EACCES (writing to a store that is open for reading); KNOT_EBUSY (this thread already
 *         writes); KNOT_ELIMIT (no reader slot); KNOT_EAGAIN (another process made the map larger, and other
 *         transactions of this process still use the old map: try again); KNOT_ENOTSUP (writing: the setting
 *         `values` does not allow the layout that this code writes); KNOT_EMALF; KNOT_ENOMEM.
 */
int mail_txn_begin(mail_store_t *store, mail_store_mode_t mode, mail_txn_t **txn);
/*!
 * Begin a reading transaction that sees what was stored when a writing one began. Any time before that is committed.
 *
 * \return As mail_txn_begin().
 */
int mail_txn_before(const mail_txn_t *writing, mail_txn_t **txn);
/*! Commit a writing transaction; frees it, whatever the result. KNOT_ESPACE: the map or the disk is full.
 *  After a put or del that failed for such a reason it commits nothing and returns that error. */
int mail_txn_commit(mail_txn_t *txn);
/*! End a transaction without a commit, and free it. NULL is allowed. */
void mail_txn_abort(mail_txn_t *txn);
/*! Release the snapshot of a reading transaction, and keep its reader slot. */
void mail_txn_reset(mail_txn_t *txn);
/*!
 * Take a new snapshot after mail_txn_reset() or mail_txn_stand(). The function does not allocate memory.
 *
 * \return As mail_txn_begin(); KNOT_EINVAL (the transaction is in use).
 */
int mail_txn_renew(mail_txn_t *txn);
/*!
 * Stop using a reading transaction for a while, and keep its snapshot, so that mail_txn_resume() can use it again.
 *
 * If the snapshot was not the newest when it was taken, it is released, as with mail_txn_reset(). While a
 * snapshot stands, LMDB cannot reuse the pages that later commits free. So call mail_store_end_standing() soon
 * after each commit.
 */
void mail_txn_stand(mail_txn_t *txn);
/*!
 * Use a reading transaction again after mail_txn_stand() or mail_txn_reset().
 *
 * It has the standing snapshot if there was no commit since, and else a new one. The function does not allocate
 * memory.
 *
 * If another thread is just ending the snapshot, the function waits until that is done.
 *
 * \return As mail_txn_renew().
 */
int mail_txn_resume(mail_txn_t *txn);
/*!
 * Return the number of the newest transaction of the store.
 *
 * The thread of a reading transaction that is not in use calls this. A snapshot that is taken afterwards has
 * this number or a later one; in the moment in which a commit ends, it may have the number before. The function
 * does not allocate memory, and costs about as much as a comparison of names. If another thread is just ending the
 * snapshot, it waits until that is done.
 *
 * \return 0 if the number is unknown, because the transaction is in use or the map is lost.
 */
uint64_t mail_txn_newest(mail_txn_t *txn);
/*! Return the number of the transaction. The same number means the same content. */
uint64_t mail_txn_id(const mail_txn_t *txn);
/*! Set mail_source_t.limit of the source of a transaction; the default is 0. */
void mail_txn_limit(mail_txn_t *txn, unsigned entries);
/*! Return the source that reads in this transaction. It is valid as long as the transaction object. */
const mail_source_t *mail_txn_source(mail_txn_t *txn);

/*!
 * Write an entry. The time of its stamp is now, or the old time plus one nanosecond if that is later.
 *
 * \return KNOT_EOK; KNOT_ESPACE (the map or the disk is full); KNOT_EINVAL (a value is not normalised).
 */
int mail_txn_put(mail_txn_t *txn, const mail_entry_t *entry);
/*! Write an entry as mail_txn_put() does; faster if its key sorts after all others of its database. */
int mail_txn_append(mail_txn_t *txn, const mail_entry_t *entry);
/*!
 * Delete an entry, which may be damaged.
 *
 * In a replicated store it leaves a tombstone. In another store, the domain or policy of a deleted DKIM key
 * gets a new stamp, so that serials grow.
 *
 * \return KNOT_EOK; KNOT_ENOENT; KNOT_ESPACE.
 */
int mail_txn_del(mail_txn_t *txn, mail_section_t section, mail_str_t id);
/*! Read an entry by its id. \param entry Out: the caller frees it. \return As mail_source_t.get. */
int mail_txn_get(mail_txn_t *txn, mail_section_t section, mail_str_t id, mail_entry_t **entry);
/*!
 * Read the next entry of a section, in the order of keys. Tombstones are passed over.
 *
 * \param key    In: the key before; empty: begin with the first entry. Out: the key of the entry.
 * \param entry  Out: the caller frees it. NULL: only read the key; then a damaged entry is no error.
 *
 * \return KNOT_EOK; KNOT_ENOENT (there is no further entry); KNOT_EMALF, KNOT_ENOTSUP (this entry cannot be
 *         read; key is set, so go on).
 */
int mail_txn_next(mail_txn_t *txn, mail_section_t section, mail_lf_storage_t *key,
                  mail_entry_t **entry);
/*! Function of mail_txn_stamps() for each entry. Another result than KNOT_EOK ends the walk. */
typedef int (*mail_stamp_f)(mail_lf_t key, const mail_stamp_t *stamp, void *ctx);
/*!
 * Walk the stamps of the entries of a section in the order of keys, without reading the entries. Tombstones are
 * passed over. The stamp of a damaged entry may be zero.
 *
 * \return KNOT_EOK; the result of each; or an error of the tree.
 */
int mail_txn_stamps(mail_txn_t *txn, mail_section_t section, mail_stamp_f each, void *ctx);
/*!
 * Walk all domains in the order of keys, damaged ones too. This is the fastest way to see all domains. Tombstones are
 * passed over.
 *
 * \param each  Function for each domain, which is as mail_source_t.domain_seek gives it. It may read in the
 *              transaction, but not write. Another result than KNOT_EOK ends the walk.
 *
 * \return KNOT_EOK; the result of each; KNOT_EINVAL; KNOT_ENOMEM; KNOT_EMALF (the tree is damaged).
 */
int mail_txn_domains(mail_txn_t *txn,
                     int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx),
                     void *ctx);
/*!
 * Walk the aliases of a domain. They are found by an index, which is made first if it is not there or was not kept.
 *
 * \param txn     A writing transaction.
 * \param target  The domain, which need not exist.
 * \param each    As that of mail_txn_domains().
 *
 * \return KNOT_EOK; the result of each; KNOT_EACCES (a reading transaction); KNOT_ESPACE; KNOT_ENOMEM; KNOT_EMALF.
 */
int mail_txn_aliases(mail_txn_t *txn, mail_lf_t target,
                     int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx),
                     void *ctx);
/*!
 * Compare the indexes that are kept, and the summaries of DKIM keys, with what they are made from.
 *
 * \return KNOT_EOK; KNOT_EMALF (diag has what is wrong, or the tree is damaged); KNOT_ENOMEM.
 */
int mail_txn_index_check(mail_txn_t *txn, mail_diag_t *diag);
/*!
 * Make the indexes that are not there or were not kept, in a writing transaction.
 *
 * \param anew  Make them all, and all summaries of DKIM keys.
 *
 * \return KNOT_EOK; KNOT_EACCES (a reading transaction); KNOT_ESPACE; KNOT_ENOMEM; KNOT_EMALF.
 */
int mail_txn_index(mail_txn_t *txn, bool anew);
/*!
 * Remove old tombstones. No serial goes back by this.
 *
 * \param before  Remove the tombstones that are older, in nanoseconds since 1970.
 *
 * \return The number of tombstones removed, or an error.
 */
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
/*! Count the tombstones of a section, by a walk through all its entries. \return Their number, or an error. */
int64_t mail_txn_tombstones(mail_txn_t *txn, mail_section_t section);

/*!
 * Write a compact copy of the store (data.mdb) into a directory. Private keys are not copied.
 *
 * The copy appears when it is complete and on the disk. It has the mode and the group of the store, and its
 * owner if root makes the copy. If the copy cannot get the group, diag takes a warning. Do not call this within
 * a writing transaction.
 *
 * To replace a store by a copy, exchange the directories; or remove lock.mdb first, and then rename data.mdb. The old
 * lock.mdb must not stay.
 *
 * \param directory  An existing directory without data.mdb.
 *
 * \return KNOT_EOK; KNOT_EEXIST (the directory has a data.mdb); KNOT_ENOENT (no such directory); KNOT_EACCES;
 *         KNOT_ESPACE; or another error of the system.
 */
int mail_store_backup(mail_store_t *store, const char *directory, mail_diag_t *diag);
