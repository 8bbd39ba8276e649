/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief What the files of the store share. Included by lib/store/ alone, after <lmdb.h>.
 */
#pragma once

#ifndef MDB_VERSION_FULL
#error "include <lmdb.h> first: only lib/store/ may"
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "mail/store.h"

/*! Databases: the sections in their order, the metadata, and those that may be missing (index.c). */
#define DB_META MAIL_SECTION_COUNT
#define DB_REQUIRED (MAIL_SECTION_COUNT + 1)
#define DB_KEPT DB_REQUIRED
#define DB_ALIAS (DB_REQUIRED + 1)
#define DB_SUMMARY (DB_REQUIRED + 2)
#define DB_COUNT (DB_REQUIRED + 3)

/*! Handle of a database that is missing: LMDB's own, which is nobody else's. */
#define DBI_MISSING ((MDB_dbi)0)

/*! Mode of both files. */
#define FILE_MODE 0660

/*! Length of the native header without extension blocks. */
#define HEADER_LEN 24
/*! Where its version, its flags and its number of extension blocks stand. */
#define HEADER_VERSION_AT 16
#define HEADER_FLAGS_AT 17
#define HEADER_BLOCKS_AT 22
/*! Length of an extension block. */
#define HEADER_BLOCK 8
/*! The only version of the header. */
#define HEADER_VERSION 0
/*! Flag of a tombstone. */
#define HEADER_DELETED 0x01

/*! Parts of names that a transaction remembers to be bare, and octets of the longest. */
#define BARE_BITS 5
#define BARE_COUNT (1u << BARE_BITS)
#define BARE_LEN 31

/*! Stamp of what init writes: older than anything that anybody writes. */
#define STAMP_INIT 1

#define META_FORMAT "format"
#define META_MAP_SIZE "map-size"
#define META_REPLICATED "replicated"
#define META_VALUES "values"

/*! A file by what it is, not by its name. */
typedef struct {
	dev_t dev;
	ino_t ino; /*!< 0: there is none. */
	off_t size;
	mode_t mode;
	uid_t uid;
	gid_t gid;
} mail_file_t;

/*! The two files of an environment. */
typedef struct {
	mail_file_t data, lock;
} mail_files_t;

/*! What the metadata say. */
typedef struct {
	uint32_t format;
	uint32_t values;
	uint64_t map_size;
	bool replicated;
} mail_meta_t;

/*! An open environment, shared by all handles of the process. */
typedef struct mail_env {
	struct mail_env *next;
	MDB_env *mdb;
	MDB_dbi dbi[DB_COUNT];
	mail_files_t files;
	unsigned refs; /*!< Under the registry's mutex. */
	pid_t pid;
	bool writable;
	uint64_t epoch;
	pthread_mutex_t mutex;   /*!< Guards txns, a change of the map, and who bars. */
	mail_txn_t *txns;        /*!< All transaction objects. */
	uint64_t ended;          /*!< Snapshots that stand are of this transaction, or newer. */
	atomic_bool broken;      /*!< The map is lost: nothing works but closing. */
	atomic_uintptr_t writer; /*!< Address of a thread-local of the writing thread, or 0. */
	bool is_waited_for; /*!< A thread waits for LMDB's mutex without end: it cannot be closed. */
} mail_env_t;

/*! A handle. */
struct mail_store {
	mail_env_t *env;
	bool writable;
	char *path;
	char *data_path;
	char *lock_path;
};

/*! Part of a name at or above which no domain lives, in one snapshot. */
typedef struct {
	uint64_t txnid;
	uint8_t len; /*!< 0: the place is free. */
	uint8_t key[BARE_LEN];
} bare_t;

typedef struct mail_memo mail_memo_t;

/*! States of a transaction object; up to TXN_UNUSED it may be entered. */
enum { TXN_RESET, TXN_STANDING, TXN_UNUSED, TXN_ACTIVE, TXN_BARRED };

/*! A transaction object. */
struct mail_txn {
	mail_txn_t *next, *prev; /*!< In env->txns. */
	mail_env_t *env;
	MDB_txn *mdb;
	bool write;
	atomic_uint state;   /*!< TXN_RESET and so on: txn.c has a table of them. */
	bool newest;         /*!< Nobody had committed since when its snapshot was taken. */
	unsigned generation; /*!< Counts when cursors have to begin anew. */
	uint64_t snapshot;   /*!< Number of the transaction that it sees, or saw last. */
	uint64_t
		taken; /*!< Counts snapshots that were taken: while one is kept, nothing moves in memory. */
	MDB_cursor *cursors[DB_COUNT];
	unsigned cursor_generation[DB_COUNT];
	int error;               /*!< First error that makes the commit impossible. */
	unsigned kept, not_kept; /*!< Indexes that were looked at, a bit for each database. */
	unsigned made;           /*!< Databases that this transaction has made, a bit each. */
	/*! What has to be written with a change, last; NULL: nothing was changed. */
	int (*finish)(mail_txn_t *txn);
	mail_meta_t meta;               /*!< Of a writing transaction. */
	uint64_t fixed_timestamp;       /*!< Not 0: every stamp is this one (init). */
	void (*ended)(mail_env_t *env); /*!< Called when it has ended; or NULL (turn.c). */
	mail_source_t source;
	mail_memo_t *memo;       /*!< Of a reading one: where domains were found. See memo.c. */
	bare_t bare[BARE_COUNT]; /*!< Of a reading one: what needs no descent. See source.c. */
	mail_buf_t value;        /*!< The value being written. */
	void *crowded;           /*!< Tree of what many changed DKIM keys lie below (summary.c). */
	mail_buf_t id;           /*!< Id of the entry being read; in id_octets. */
	uint8_t id_octets[MAIL_ID_MAX];
};

/*! Return whether a transaction has a snapshot that its thread uses. By that thread. */
static inline bool mail_txn_is_active(const mail_txn_t *txn)
{
	return atomic_load_explicit(&txn->state, memory_order_relaxed) == TXN_ACTIVE;
}

/*! A stored value, read in place. */
typedef struct {
	mail_stamp_t stamp;
	bool deleted;
	const uint8_t *body;
	size_t len;
} mail_stored_t;

/* code.c */

/*! LMDB's code (or errno) as ours: the one mapping. */
int mail_store_code(int rc);
/*! Note a reason and give the code back. */
int mail_store_fail(mail_diag_t *diag, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* value.c */

/*! Read the native header. \return KNOT_EOK, KNOT_EMALF, KNOT_ENOTSUP. */
int mail_stored_read(const MDB_val *value, mail_stored_t *stored);

/* cursor.c */

/*! The cursor of a database in the transaction's present snapshot. */
int mail_txn_cursor(mail_txn_t *txn, unsigned db, MDB_cursor **cursor);
/*! Find a value. KNOT_EOK also for a tombstone. */
int mail_txn_lookup(mail_txn_t *txn, unsigned db, mail_lf_t key, mail_stored_t *stored);
/*! Note the first fatal error of a writing transaction and give it as a code. */
int mail_txn_fail(mail_txn_t *txn, int rc);

/* stat.c */

/*! Pages on LMDB's free list. */
typedef struct {
	size_t pages;  /*!< All of them. */
	size_t beyond; /*!< Those at or after a page. */
} mail_free_t;

/*! Count free pages. \param cursor  Of database 0, of a reading transaction, just opened. \return LMDB's code. */
int mail_free_pages(MDB_cursor *cursor, size_t from, mail_free_t *count);

/* short.c */

/*!
 * Return whether all pages that a data file lacks at its end are on the free list, so that nobody reads them. Under the
 * registry's mutex.
 *
 * \param txn      A reading transaction.
 * \param from     The first page that is missing.
 * \param missing  How many are.
 *
 * \return KNOT_EOK: the file is whole; KNOT_EMALF: it is truncated; KNOT_ENOMEM.
 */
int mail_short_check(MDB_env *mdb, MDB_txn *txn, size_t from, size_t missing);

/* meta.c */

/*! The name of a database. */
const char *mail_store_db_name(unsigned db);
/*! Open the databases; with MDB_CREATE makes them. KNOT_EMALF: not a mail store. */
int mail_meta_databases(MDB_txn *txn, unsigned flags, MDB_dbi *dbi, mail_diag_t *diag);
/*! Read and check the metadata. KNOT_EMALF, KNOT_ENOTSUP. */
int mail_meta_read(MDB_txn *txn, MDB_dbi dbi, mail_meta_t *meta, mail_diag_t *diag);

/* write.c */

/*! Write octets under a key. */
int mail_txn_write(mail_txn_t *txn, unsigned db, mail_lf_t key, const void *body, size_t body_len);
/*! Write the metadata, `format` last. */
int mail_meta_write(mail_txn_t *txn, const mail_meta_t *meta);

/* index.c */

/*! Take note of what is written under a key of a section. \param old, new  NULL: there is none. */
int mail_index_note(mail_txn_t *txn, unsigned db, mail_lf_t key, const mail_stored_t *old,
                    const mail_stored_t *new);
/*! Note which indexes were kept by a transaction that has changed something. */
int mail_index_finish(mail_txn_t *txn);

/*! Write octets under a key with a timestamp, or with that of what is there, if that is later. */
int mail_txn_write_at(mail_txn_t *txn, unsigned db, mail_lf_t key, uint64_t timestamp,
                      const mail_buf_t *body);
/*! Open a database that may be missing, or make it. */
int mail_txn_database(mail_txn_t *txn, unsigned db);

/* summary.c */

/*! Take note of a DKIM key that was written. */
int mail_summary_put(mail_txn_t *txn, mail_lf_t key);
/*! Take note of a DKIM key that was removed. */
int mail_summary_del(mail_txn_t *txn, mail_lf_t key);
/*! Write the summaries of what was noted. */
int mail_summary_finish(mail_txn_t *txn);
/*! Make all summaries anew. */
int mail_summary_fill(mail_txn_t *txn);
/*! Compare all summaries with the keys. \return KNOT_EOK; KNOT_EMALF (diag has what is wrong); KNOT_ENOMEM. */
int mail_summary_check(mail_txn_t *txn, mail_diag_t *diag);

/* txn.c */

/*! Begin a transaction in an environment. */
int mail_env_begin(mail_env_t *env, bool write, mail_txn_t **txn);
/*! Return whether this thread has a writing transaction. */
bool mail_env_writes(const mail_env_t *env);

/* source.c */

/*! Set the functions of a transaction's source. */
void mail_source_init(mail_source_t *source, mail_txn_t *txn);

/* env.c */

/*! Open an environment that is not open in this process, outside the registry. */
int mail_env_open(const char *path, const mail_files_t *files, bool write, unsigned readers,
                  mail_env_t **env, mail_diag_t *diag);
/*!
 * Return whether a data.mdb that was put beside a lock.mdb that is open can be opened once that is closed. What is
 * open is not touched: no lock file is opened (lmdb.h, caveats), and data.mdb is another file.
 */
int mail_env_probe(const char *path, const mail_files_t *files, mail_diag_t *diag);
/*! Make an environment in an empty directory (init). */
int mail_env_create(const char *path, size_t map_size, mail_env_t **env, mail_diag_t *diag);
/*! Close it. */
void mail_env_free(mail_env_t *env);
/*! Look at a file. KNOT_ENOENT: none. */
int mail_file_look(const char *path, mail_file_t *file);
/*! Return whether two are the same file. */
bool mail_file_same(const mail_file_t *a, const mail_file_t *b);
/*! Refuse file systems that LMDB cannot use. */
int mail_store_check_fs(const char *path, mail_diag_t *diag);
