/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Key pairs, and a store with a key directory and who follows both, for tests of the module.
 */
#pragma once

#include <syslog.h>

#include "module/signers.h"
#include "module/uptime.h"
#include "store_fixture.h"

#define NOW 1800000000
#define SMALL ((size_t)16 << 20)
#define PATIENCE 60000
/*! Seconds after which a line may be written again. */
#define INTERVAL 3600

/*! What was logged. */
typedef struct {
	unsigned count;
	int priority;
	char last[512];
} said_t;

static inline void note_line(void *ctx, int priority, const char *text)
{
	said_t *said = ctx;
	said->count++;
	said->priority = priority;
	snprintf(said->last, sizeof(said->last), "%s", text);
}

/*! A key, both halves. */
typedef struct {
	mail_private_t *half;
	mail_dnskey_t key;
} pair_t;

static inline bool pair_make(pair_t *pair, mail_algorithm_t algorithm)
{
	*pair = (pair_t){ 0 };
	int ret = mail_private_generate(algorithm, 0, &pair->half);
	if (!CHECK(ret == KNOT_EOK, "generate: %d", ret)) {
		return false;
	}
	mail_str_t public_key = mail_private_public(pair->half);
	mail_dnskey_t *key = &pair->key;
	*key = (mail_dnskey_t){
		.algorithm = algorithm,
		.role = MAIL_ROLE_CSK,
		.retire = INT64_MAX,
		.remove = INT64_MAX,
		.ds = INT64_MAX,
		.ds_seen = INT64_MAX,
		.ds_until = INT64_MAX,
		.public_len = (uint16_t)public_key.len,
	};
	memcpy(key->public_key, public_key.data, public_key.len);
	uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
	key->tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(key, rdata));
	return true;
}

/*! A store, a key directory, and who follows both. */
typedef struct {
	fixture_t f;
	mail_store_t *store;
	mail_epoch_t *epoch;
	mail_keys_t *keys;
	mail_keyring_t *ring;
	said_t said;
	char directory[96];
} bench_t;

static inline bool bench_make(bench_t *b)
{
	*b = (bench_t){ 0 };
	mail_diag_t diag = { 0 };
	if (!fixture_make(&b->f, false, SMALL)) {
		return false;
	}
	snprintf(b->directory, sizeof(b->directory), "%s/keys", b->f.path);
	b->store = fixture_open(&b->f, MAIL_STORE_WRITE);
	int ret = mail_epoch_open(b->f.path, 1, &b->epoch, &diag);
	b->keys = mail_keys_new(b->directory, note_line, &b->said);
	return CHECK(ret == KNOT_EOK && b->keys != NULL, "epoch: %d: %s", ret, diag.text);
}

static inline void bench_remove(bench_t *b)
{
	mail_keyring_free(b->ring);
	mail_keys_free(b->keys);
	mail_epoch_free(b->epoch);
	mail_store_close(b->store);
	fixture_remove(&b->f);
}

/*! Write a key set with keys, in a transaction of its own. */
static inline void put_set(bench_t *b, const char *id, const pair_t *const *pairs, size_t count)
{
	mail_txn_t *txn = begin(b->store, MAIL_STORE_WRITE);
	mail_entry_t *entry = mail_entry_new(MAIL_SECTION_KEYSET, MAIL_STR(id));
	int ret = entry != NULL ? KNOT_EOK : KNOT_ENOMEM;
	for (size_t i = 0; ret == KNOT_EOK && i < count; i++) {
		mail_buf_t value = { 0 };
		ret = mail_dnskey_print(&pairs[i]->key, &value);
		if (ret == KNOT_EOK) {
			ret = mail_entry_add(entry, mail_item_get(MAIL_ITEM_DNSKEY), MAIL_OP_SET,
			                     mail_buf_view(&value), 0);
		}
		mail_buf_free(&value);
	}
	ret = ret == KNOT_EOK ? mail_txn_put(txn, entry) : ret;
	CHECK(ret == KNOT_EOK && mail_txn_commit(txn) == KNOT_EOK, "key set: %d", ret);
	mail_entry_free(entry);
}

static inline void put_one(bench_t *b, const char *id, const pair_t *pair)
{
	put_set(b, id, &pair, 1);
}

static inline void del_set(bench_t *b, const char *id)
{
	mail_txn_t *txn = begin(b->store, MAIL_STORE_WRITE);
	CHECK_OK(mail_txn_del(txn, MAIL_SECTION_KEYSET, MAIL_STR(id)));
	CHECK_OK(mail_txn_commit(txn));
}

static inline void path_of(const bench_t *b, const char *id, const pair_t *pair, char *path,
                           size_t size)
{
	char name[128] = "";
	CHECK_OK(mail_private_file(MAIL_STR(id), pair->key.algorithm, pair->key.tag, name,
	                           sizeof(name)));
	snprintf(path, size, "%s/%s", b->directory, name);
}

static inline void write_octets(const char *path, const void *octets, size_t len, mode_t mode)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, octets, len) == (ssize_t)len && fchmod(fd, mode) == 0,
	      "cannot write %s", path);
	close(fd);
}

/*! Write the file that a set's key is read from, with the private half of some key. */
static inline void put_file(const bench_t *b, const char *id, const pair_t *pair,
                            const pair_t *content)
{
	char path[256];
	mail_buf_t pem = { 0 };
	path_of(b, id, pair, path, sizeof(path));
	CHECK_OK(mail_private_print(content->half, &pem));
	write_octets(path, pem.data, pem.len, 0640);
	mail_buf_free(&pem);
}

/*! Take one look at store and directory. */
static inline unsigned look(bench_t *b, int64_t now, unsigned patience)
{
	const mail_keys_look_t at = {
		.txn = b->epoch->txn,
		.epoch = b->epoch->number,
		.now = now,
		.interval = INTERVAL,
		.patience = patience,
	};
	return mail_keys_follow(b->keys, &at);
}

/*! Make the ring anew. */
static inline void take_ring(bench_t *b)
{
	mail_keyring_free(b->ring);
	b->ring = mail_keys_ring(b->keys);
	CHECK(b->ring != NULL);
}

/*! Follow until there is nothing more to do, past every rest; make the ring anew when it has to be. */
static inline bool follow(bench_t *b, int64_t now)
{
	bool changed = false;
	for (unsigned i = 0; i < 5; i++) {
		int64_t begun = mail_uptime_us();
		if ((look(b, now, PATIENCE) & MAIL_KEYS_CHANGED) != 0) {
			changed = true;
			take_ring(b);
		}
		usleep(1000 + 10 * (useconds_t)(mail_uptime_us() - begun));
	}
	return changed;
}

static inline bool has(const bench_t *b, const pair_t *pair)
{
	mail_str_t public_key = { (const char *)pair->key.public_key, pair->key.public_len };
	return b->ring != NULL &&
	       mail_keyring_find(b->ring, pair->key.algorithm, public_key) != NULL;
}
