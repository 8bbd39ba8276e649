/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Stores in temporary directories, other processes, and raw access to stored octets, for tests.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "mail/store.h"
#include "unit.h"

/*! Length of the native header. */
#define HEADER 24

/*! A store in a directory of its own. */
typedef struct {
	char dir[64];  /*!< Temporary directory. */
	char path[80]; /*!< The store in it. */
	char data[96];
	char lock[96];
} fixture_t;

/*! An LMDB environment without the store's code. It must not be open in this process otherwise. */
typedef struct {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
} raw_t;

/*! Another process, told what to do through a pipe: a letter in, a letter out. */
typedef struct {
	pid_t pid;
	int to, from;
} other_t;

/*! Make the temporary directory, no store. */
bool fixture_dir(fixture_t *f);

/*! Make a store. */
bool fixture_make(fixture_t *f, bool replicated, size_t map_size);

/*! Remove everything. */
void fixture_remove(const fixture_t *f);

/*! Mode of a file; 0: there is none. */
mode_t mode_of(const char *path);

/*! Open the store. */
mail_store_t *fixture_open(const fixture_t *f, mail_store_mode_t mode);

/*! Begin a transaction. */
mail_txn_t *begin(mail_store_t *store, mail_store_mode_t mode);

/*! Make an entry with one value. */
mail_entry_t *entry_of(mail_section_t section, const char *id, mail_item_id_t item,
                       const char *value);

/*! Write an entry with one value. */
int put(mail_txn_t *txn, mail_section_t section, const char *id, mail_item_id_t item,
        const char *value);

/*! Write entries as entries.h has them. */
int put_text(mail_txn_t *txn, const char *text);

/*! Write a domain. */
int put_domain(mail_txn_t *txn, const char *id, const char *policy);

/*! Write a DKIM key. */
int put_dkim(mail_txn_t *txn, const char *id);

/*! Read a stamp. \return As mail_source_t.get. */
int stamp_of(mail_txn_t *txn, mail_section_t section, const char *id, mail_stamp_t *stamp);

/*! Run a function in another process. \return Its result, or 256 + the signal that ended it. */
int elsewhere(int (*run)(void *), void *arg);

void raw_close(raw_t *raw, bool commit);

bool raw_open(raw_t *raw, const char *path, const char *database, size_t map_size);

/*! Write octets under a key, past the store's code. */
bool raw_put(const char *path, const char *database, const void *key, size_t key_len,
             const void *value, size_t len);

/*! Read the octets under a key. \return Their number, or -1. */
int raw_get(const char *path, const char *database, const void *key, size_t key_len, uint8_t *out,
            size_t cap);

/*! Open and close. */
int try_open(const char *path, mail_store_mode_t mode, mail_diag_t *diag);

/*! Write domains in one transaction of its own. */
int add_domains(mail_store_t *store, unsigned first, unsigned count, const char *policy);

size_t domains(mail_txn_t *txn);

/*! Make a copy with one domain more beside the store. */
bool make_copy(const fixture_t *f, fixture_t *copy);

bool other_start(other_t *other, int (*run)(const fixture_t *f, int in, int out),
                 const fixture_t *f);

/*! Wait for the other's letter. \return false: another one, or none. */
bool hear(int fd, char letter);

bool say(int fd, char letter);

void other_end(other_t *other, bool by_force);

/*! Make a store and open it for writing; leave the test when that fails. */
mail_store_t *store_begin(fixture_t *f, bool replicated, size_t map_size);

/*! Close the store and remove everything. */
void store_end(const fixture_t *f, mail_store_t *store);
