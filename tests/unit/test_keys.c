/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The private keys that a service signs with: the key sets of a store, the files of a directory, the clock. */

#include <pthread.h>
#include <stdatomic.h>
#include <syslog.h>

#include "../../module/signers.h"
#include "failing.h"
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

static void note_line(void *ctx, int priority, const char *text)
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

static bool pair_make(pair_t *pair, mail_algorithm_t algorithm)
{
	*pair = (pair_t){ 0 };
	int ret = mail_private_generate(algorithm, 0, &pair->half);
	if (!UNIT_CHECK(ret == KNOT_EOK, "generate: %d", ret)) {
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

static bool bench_make(bench_t *b)
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
	return UNIT_CHECK(ret == KNOT_EOK && b->keys != NULL, "epoch: %d: %s", ret, diag.text);
}

static void bench_remove(bench_t *b)
{
	mail_keyring_free(b->ring);
	mail_keys_free(b->keys);
	mail_epoch_free(b->epoch);
	mail_store_close(b->store);
	fixture_remove(&b->f);
}

/*! Writes a key set with keys, in a transaction of its own. */
static void put_set(bench_t *b, const char *id, const pair_t *const *pairs, size_t count)
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
	UNIT_CHECK(ret == KNOT_EOK && mail_txn_commit(txn) == KNOT_EOK, "key set: %d", ret);
	mail_entry_free(entry);
}

static void put_one(bench_t *b, const char *id, const pair_t *pair)
{
	put_set(b, id, &pair, 1);
}

static void del_set(bench_t *b, const char *id)
{
	mail_txn_t *txn = begin(b->store, MAIL_STORE_WRITE);
	CU_ASSERT_EQUAL(mail_txn_del(txn, MAIL_SECTION_KEYSET, MAIL_STR(id)), KNOT_EOK);
	CU_ASSERT_EQUAL(mail_txn_commit(txn), KNOT_EOK);
}

static void path_of(const bench_t *b, const char *id, const pair_t *pair, char *path, size_t size)
{
	char name[128] = "";
	CU_ASSERT_EQUAL(mail_private_file(MAIL_STR(id), pair->key.algorithm, pair->key.tag, name,
	                                  sizeof(name)),
	                KNOT_EOK);
	snprintf(path, size, "%s/%s", b->directory, name);
}

static void write_octets(const char *path, const void *octets, size_t len, mode_t mode)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	UNIT_CHECK(fd >= 0 && write(fd, octets, len) == (ssize_t)len && fchmod(fd, mode) == 0,
	           "cannot write %s", path);
	close(fd);
}

/*! Writes the file that a set's key is read from, with the private half of some key. */
static void put_file(const bench_t *b, const char *id, const pair_t *pair, const pair_t *content)
{
	char path[256];
	mail_buf_t pem = { 0 };
	path_of(b, id, pair, path, sizeof(path));
	CU_ASSERT_EQUAL(mail_private_print(content->half, &pem), KNOT_EOK);
	write_octets(path, pem.data, pem.len, 0640);
	mail_buf_free(&pem);
}

/*! Follows until there is nothing more to do, past every rest; the ring is made anew when it has to be. */
static bool follow(bench_t *b, int64_t now)
{
	const mail_keys_look_t look = {
		.txn = b->epoch->txn,
		.epoch = b->epoch->number,
		.now = now,
		.interval = INTERVAL,
		.patience = PATIENCE,
	};
	bool changed = false;
	for (unsigned i = 0; i < 20; i++) {
		unsigned result = mail_keys_follow(b->keys, &look);
		if ((result & MAIL_KEYS_CHANGED) != 0) {
			changed = true;
			mail_keyring_free(b->ring);
			b->ring = mail_keys_ring(b->keys);
			CU_ASSERT_PTR_NOT_NULL(b->ring);
		}
		usleep(2000);
	}
	return changed;
}

static bool has(const bench_t *b, const pair_t *pair)
{
	mail_str_t public_key = { (const char *)pair->key.public_key, pair->key.public_len };
	return b->ring != NULL &&
	       mail_keyring_find(b->ring, pair->key.algorithm, public_key) != NULL;
}

static void test_come_and_go(void)
{
	static const mail_algorithm_t algorithms[] = {
		MAIL_ALGORITHM_ED25519,
		MAIL_ALGORITHM_ECDSAP256SHA256,
		MAIL_ALGORITHM_RSASHA256,
	};
	enum { PAIRS = sizeof(algorithms) / sizeof(algorithms[0]) };
	static const char *const ids[PAIRS] = { "b", "a", "c" };
	pair_t pairs[PAIRS];
	bench_t b;
	if (!bench_make(&b)) {
		return;
	}
	CU_ASSERT_FALSE(follow(&b, NOW));
	for (unsigned i = 0; i < PAIRS; i++) {
		UNIT_CHECK(pair_make(&pairs[i], algorithms[i]), "pair %u", i);
		put_file(&b, ids[i], &pairs[i], &pairs[i]);
		put_one(&b, ids[i], &pairs[i]);
		UNIT_CHECK(follow(&b, NOW), "set %u", i);
		for (unsigned k = 0; k < PAIRS; k++) {
			UNIT_CHECK(k > i || has(&b, &pairs[k]), "after %u, key %u", i, k);
		}
	}
	CU_ASSERT_EQUAL(mail_keyring_count(b.ring), PAIRS);
	/* Written again, the same. */
	put_one(&b, ids[1], &pairs[1]);
	CU_ASSERT_FALSE(follow(&b, NOW));
	/* A key that is known needs no file. */
	char path[256];
	path_of(&b, ids[1], &pairs[1], path, sizeof(path));
	CU_ASSERT_EQUAL(unlink(path), 0);
	put_one(&b, ids[1], &pairs[1]);
	CU_ASSERT_FALSE(follow(&b, NOW));
	/* Another key in the set. */
	put_file(&b, ids[1], &pairs[0], &pairs[0]);
	put_one(&b, ids[1], &pairs[0]);
	CU_ASSERT_TRUE(follow(&b, NOW));
	CU_ASSERT_FALSE(has(&b, &pairs[1]));
	CU_ASSERT_TRUE(has(&b, &pairs[0]));
	/* It is in two sets: one may go. */
	del_set(&b, ids[0]);
	(void)follow(&b, NOW);
	CU_ASSERT_TRUE(has(&b, &pairs[0]));
	del_set(&b, ids[1]);
	CU_ASSERT_TRUE(follow(&b, NOW));
	CU_ASSERT_FALSE(has(&b, &pairs[0]));
	CU_ASSERT_TRUE(has(&b, &pairs[2]));
	CU_ASSERT_EQUAL(b.said.count, 0);
	for (unsigned i = 0; i < PAIRS; i++) {
		mail_private_free(pairs[i].half);
	}
	bench_remove(&b);
}

/* What can be wrong with a file */

static void make_directory(const char *path)
{
	(void)unlink(path);
	CU_ASSERT_EQUAL(mkdir(path, 0750), 0);
}

static void make_fifo(const char *path)
{
	(void)unlink(path);
	CU_ASSERT_EQUAL(mkfifo(path, 0640), 0);
}

static void make_open(const char *path)
{
	CU_ASSERT_EQUAL(chmod(path, 0644), 0);
}

static void make_garbage(const char *path)
{
	write_octets(path, "garbage", 7, 0640);
}

static void make_empty(const char *path)
{
	write_octets(path, "", 0, 0640);
}

static void make_large(const char *path)
{
	static const char octets[MAIL_KEY_FILE_MAX + 1];
	write_octets(path, octets, sizeof(octets), 0640);
}

static void make_gone(const char *path)
{
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void make_unreadable(const char *path)
{
	CU_ASSERT_EQUAL(chmod(path, 0), 0);
}

static const struct {
	void (*make)(const char *path);
	const char *text;
	bool root; /*!< Also for root. */
} faults[] = {
	{ make_gone, "key set 'x': no private key ", true },
	{ make_directory, "not a regular file", true },
	{ make_fifo, "not a regular file", true },
	{ make_open, "mode 0644, accessible for everybody", true },
	{ make_garbage, "is not used", true },
	{ make_empty, "is not used", true },
	{ make_large, "too large", true },
	{ make_unreadable, "Permission denied", false },
};

static void test_faults(void)
{
	pair_t pair, other;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) ||
	    !pair_make(&other, MAIL_ALGORITHM_ED25519)) {
		return;
	}
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		bench_t b;
		if ((geteuid() == 0 && !faults[i].root) || !bench_make(&b)) {
			continue;
		}
		char path[256], tag[32];
		path_of(&b, "x", &pair, path, sizeof(path));
		put_file(&b, "x", &pair, &pair);
		faults[i].make(path);
		put_one(&b, "x", &pair);
		UNIT_CHECK(!follow(&b, NOW), "fault %u", i);
		snprintf(tag, sizeof(tag), "private key %u ", pair.key.tag);
		UNIT_CHECK(b.said.count == 1 && b.said.priority == LOG_ERR &&
		                   strstr(b.said.last, faults[i].text) != NULL &&
		                   strstr(b.said.last, path) != NULL &&
		                   strstr(b.said.last, tag) != NULL &&
		                   strstr(b.said.last, ": its domains answer SERVFAIL") != NULL,
		           "fault %u: %u lines: %s", i, b.said.count, b.said.last);
		/* It becomes another fault: said at once. Then it is cured. */
		(void)rmdir(path);
		put_file(&b, "x", &pair, &other);
		UNIT_CHECK(!follow(&b, NOW) && b.said.count == 2 &&
		                   strstr(b.said.last, "another key") != NULL,
		           "fault %u: %s", i, b.said.last);
		put_file(&b, "x", &pair, &pair);
		UNIT_CHECK(follow(&b, NOW) && has(&b, &pair), "fault %u is not cured", i);
		UNIT_CHECK(b.said.count == 3 && b.said.priority == LOG_INFO &&
		                   strcmp(b.said.last,
		                          "key set 'x': its private keys are there again") == 0,
		           "fault %u: %s", i, b.said.last);
		bench_remove(&b);
	}
	mail_private_free(pair.half);
	mail_private_free(other.half);
}

/*! Another algorithm, a link, the world's mode on a link's target, and more than one fault in a set. */
static void test_more_faults(void)
{
	pair_t pair, other;
	bench_t b;
	char path[256], aside[256];
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) ||
	    !pair_make(&other, MAIL_ALGORITHM_ECDSAP256SHA256) || !bench_make(&b)) {
		return;
	}
	put_set(&b, "x", (const pair_t *const[]){ &pair, &other }, 2);
	CU_ASSERT_FALSE(follow(&b, NOW));
	UNIT_CHECK(b.said.count == 1 && strstr(b.said.last, " and 1 more: its domains") != NULL,
	           "%s", b.said.last);

	put_file(&b, "x", &pair, &other);
	CU_ASSERT_FALSE(follow(&b, NOW));
	UNIT_CHECK(b.said.count == 2 &&
	                   strstr(b.said.last, "another algorithm (ecdsap256sha256)") != NULL,
	           "%s", b.said.last);

	put_file(&b, "x", &pair, &pair);
	path_of(&b, "x", &pair, path, sizeof(path));
	snprintf(aside, sizeof(aside), "%s/aside", b.f.dir);
	CU_ASSERT_EQUAL(rename(path, aside), 0);
	CU_ASSERT_EQUAL(symlink(aside, path), 0);
	CU_ASSERT_TRUE(follow(&b, NOW));
	CU_ASSERT_TRUE(has(&b, &pair));
	CU_ASSERT_FALSE(has(&b, &other));
	put_file(&b, "x", &other, &other);
	CU_ASSERT_TRUE(follow(&b, NOW));
	CU_ASSERT_TRUE(has(&b, &pair) && has(&b, &other));
	mail_private_free(pair.half);
	mail_private_free(other.half);
	bench_remove(&b);
}

/*! A key has no private half where it signs nothing: after its time, whichever way the clock goes. */
static void test_clock(void)
{
	static const struct {
		mail_role_t role;
		int64_t activate, retire, remove;
		int64_t at;
		bool used;
	} cases[] = {
		{ MAIL_ROLE_CSK, 0, INT64_MAX, INT64_MAX, NOW, true },
		{ MAIL_ROLE_CSK, 0, NOW, NOW + 9, NOW, true },
		{ MAIL_ROLE_CSK, 0, NOW - 9, NOW, NOW - 1, true },
		{ MAIL_ROLE_CSK, 0, NOW - 9, NOW, NOW, false },
		{ MAIL_ROLE_KSK, 0, NOW - 9, NOW + 9, NOW, true },
		{ MAIL_ROLE_KSK, 0, NOW - 9, NOW, NOW, false },
		{ MAIL_ROLE_ZSK, 0, NOW, NOW + 9, NOW - 1, true },
		{ MAIL_ROLE_ZSK, 0, NOW, NOW + 9, NOW, false },
		{ MAIL_ROLE_ZSK, NOW + 99, INT64_MAX, INT64_MAX, NOW, true },
	};
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	put_file(&b, "x", &pair, &pair);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair.key.role = cases[i].role;
		pair.key.activate = cases[i].activate;
		pair.key.retire = cases[i].retire;
		pair.key.remove = cases[i].remove;
		uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
		pair.key.tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(&pair.key, rdata));
		put_file(&b, "x", &pair, &pair);
		put_one(&b, "x", &pair);
		(void)follow(&b, cases[i].at);
		UNIT_CHECK(has(&b, &pair) == cases[i].used, "case %u", i);
	}

	/* Without another write: the clock alone. */
	pair.key.retire = NOW + 100;
	put_one(&b, "x", &pair);
	(void)follow(&b, NOW);
	CU_ASSERT_TRUE(has(&b, &pair));
	CU_ASSERT_FALSE(follow(&b, NOW + 99));
	CU_ASSERT_TRUE(follow(&b, NOW + 100));
	CU_ASSERT_FALSE(has(&b, &pair));
	CU_ASSERT_TRUE(follow(&b, NOW + 50));
	CU_ASSERT_TRUE(has(&b, &pair));
	CU_ASSERT_EQUAL(b.said.count, 0);

	/* One that does not sign yet is announced as such. */
	char path[256];
	path_of(&b, "y", &pair, path, sizeof(path));
	pair.key.activate = NOW + 60;
	del_set(&b, "x");
	put_one(&b, "y", &pair);
	(void)follow(&b, NOW);
	UNIT_CHECK(b.said.count == 1 && b.said.priority == LOG_WARNING &&
	                   strstr(b.said.last, "are going to answer SERVFAIL") != NULL,
	           "%s", b.said.last);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*! Damaged values of a set do no harm to others. */
static void test_damaged(void)
{
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	put_file(&b, "x", &pair, &pair);
	put_file(&b, "y", &pair, &pair);
	put_one(&b, "y", &pair);
	mail_txn_t *txn = begin(b.store, MAIL_STORE_WRITE);
	CU_ASSERT_EQUAL(put(txn, MAIL_SECTION_KEYSET, "x", MAIL_ITEM_DNSKEY, "1 none csk AAAA"),
	                KNOT_EOK);
	CU_ASSERT_EQUAL(mail_txn_commit(txn), KNOT_EOK);
	CU_ASSERT_TRUE(follow(&b, NOW));
	CU_ASSERT_TRUE(has(&b, &pair));
	UNIT_CHECK(b.said.count == 1 &&
	                   strncmp(b.said.last, "key set 'x' cannot be read (", 28) == 0,
	           "%s", b.said.last);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*! Reading is cut when it takes too long, and goes on where it was. */
static void test_patience(void)
{
	enum { SETS = 300 };
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	mail_buf_t value = { 0 };
	CU_ASSERT_EQUAL(mail_dnskey_print(&pair.key, &value), KNOT_EOK);
	CU_ASSERT_EQUAL(mail_buf_u8(&value, 0), KNOT_EOK);
	mail_txn_t *txn = begin(b.store, MAIL_STORE_WRITE);
	for (unsigned i = 0; i < SETS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "set-%03u", i);
		UNIT_CHECK(put(txn, MAIL_SECTION_KEYSET, id, MAIL_ITEM_DNSKEY,
		               (const char *)value.data) == KNOT_EOK,
		           "%s", id);
	}
	CU_ASSERT_EQUAL(mail_txn_commit(txn), KNOT_EOK);
	mail_buf_free(&value);
	const mail_keys_look_t look = {
		.txn = b.epoch->txn,
		.epoch = b.epoch->number,
		.now = NOW,
		.interval = INTERVAL,
		.patience = 0,
	};
	unsigned looks = 0;
	while ((mail_keys_follow(b.keys, &look) & MAIL_KEYS_MORE) != 0) {
		looks++;
	}
	/* Each looked at one; every set was missed once. */
	CU_ASSERT_EQUAL(looks, SETS - 1);
	CU_ASSERT_EQUAL(b.said.count, SETS);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*! Signers belong to their ring: who pinned it signs on, the next one does not. */
static void test_signing(void)
{
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	mail_signing_t *signing = mail_signing_new(b.directory, 1 << 20, 2, note_line, &b.said);
	mail_shelf_t shelf = { 0 };
	CU_ASSERT_EQUAL(mail_shelf_init(&shelf, 2, 4), KNOT_EOK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(signing);
	put_file(&b, "x", &pair, &pair);
	put_one(&b, "x", &pair);
	CU_ASSERT_FALSE(mail_signing_follow(signing, b.epoch, INTERVAL, PATIENCE));
	UNIT_CHECK(strcmp(b.said.last, "private keys: 1") == 0, "%s", b.said.last);
	CU_ASSERT_EQUAL(mail_shelf_publish(&shelf, b.epoch, mail_signing_signers(signing)),
	                KNOT_EOK);

	const mail_snapshot_t *snapshot = mail_shelf_take(&shelf, 1);
	mail_signer_t *signer = snapshot->signers->signers[1];
	mail_signer_sync(signer, snapshot->signers->ring, NOW);
	CU_ASSERT_TRUE(mail_signer_has(signer, &pair.key));
	uint8_t signature[MAIL_SIGNATURE_MAX];
	CU_ASSERT_EQUAL(
		mail_signer_sign(signer, &pair.key, MAIL_SIGN_CACHED, (uint8_t *)"x", 1, signature),
		64);
	/* The set goes while a worker signs: it goes on, the next question does not. */
	del_set(&b, "x");
	for (unsigned i = 0;
	     mail_keyring_count(mail_signing_signers(signing)->ring) > 0 && i < 1000; i++) {
		(void)mail_signing_follow(signing, b.epoch, INTERVAL, PATIENCE);
		usleep(1000);
	}
	CU_ASSERT_EQUAL(mail_keyring_count(mail_signing_signers(signing)->ring), 0);
	CU_ASSERT_EQUAL(mail_shelf_publish(&shelf, b.epoch, mail_signing_signers(signing)),
	                KNOT_EOK);
	mail_shelf_sweep(&shelf);
	CU_ASSERT_PTR_NOT_NULL(shelf.retired);
	CU_ASSERT_TRUE(mail_signer_has(signer, &pair.key));
	mail_shelf_put(&shelf, 1);
	mail_shelf_sweep(&shelf);
	CU_ASSERT_PTR_NULL(shelf.retired);
	snapshot = mail_shelf_take(&shelf, 1);
	mail_signer_sync(snapshot->signers->signers[1], snapshot->signers->ring, NOW);
	CU_ASSERT_FALSE(mail_signer_has(snapshot->signers->signers[1], &pair.key));
	mail_shelf_put(&shelf, 1);

	mail_shelf_clear(&shelf);
	mail_signing_free(signing);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/* Workers */

enum { WORKERS = 3, RINGS = 300 };

typedef struct {
	mail_shelf_t shelf;
	const pair_t *pair;
	atomic_bool ended;
	atomic_uint next;              /*!< Index of the next worker. */
	atomic_uint made, missed, bad; /*!< Signatures, rings without the key, what must not be. */
} work_t;

static void *work(void *ctx)
{
	work_t *w = ctx;
	unsigned thread = atomic_fetch_add(&w->next, 1);
	for (uint32_t i = 0; !atomic_load(&w->ended); i++) {
		const mail_snapshot_t *snapshot = mail_shelf_take(&w->shelf, thread);
		if (snapshot != NULL) {
			mail_signer_t *signer = snapshot->signers->signers[thread];
			mail_signer_sync(signer, snapshot->signers->ring, NOW);
			bool there = mail_keyring_count(snapshot->signers->ring) > 0;
			uint8_t signature[MAIL_SIGNATURE_MAX];
			/* Each is asked for once: a cached one needs no key. */
			const uint32_t octets[] = { thread, i };
			int ret = mail_signer_sign(signer, &w->pair->key, MAIL_SIGN_CACHED,
			                           (const uint8_t *)octets, sizeof(octets),
			                           signature);
			atomic_fetch_add(ret == 64 ? &w->made : &w->missed, 1);
			atomic_fetch_add(&w->bad, ret != (there ? 64 : KNOT_ENOENT));
		}
		mail_shelf_put(&w->shelf, thread);
	}
	return NULL;
}

/*! Rings and stores are replaced all the time, and a worker has one of them as long as it signs. */
static void test_workers(void)
{
	static work_t w;
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	w.pair = &pair;
	mail_signatures_t *signatures = mail_signatures_new(1 << 20);
	CU_ASSERT_EQUAL(mail_shelf_init(&w.shelf, WORKERS, 4), KNOT_EOK);
	pthread_t threads[WORKERS];
	for (unsigned i = 0; i < WORKERS; i++) {
		CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, work, &w), 0);
	}
	for (unsigned i = 0; i < RINGS || (atomic_load(&w.made) < 10 && i < 100 * RINGS); i++) {
		mail_keyring_t *ring = mail_keyring_new(NULL);
		if (i % 2 == 0) {
			CU_ASSERT_EQUAL(mail_keyring_add(ring, pair.half), KNOT_EOK);
		}
		mail_signers_t *signers = mail_signers_new(ring, signatures, WORKERS, 0);
		CU_ASSERT_EQUAL(mail_shelf_publish(&w.shelf, i % 7 == 6 ? NULL : b.epoch, signers),
		                KNOT_EOK);
		mail_signers_free(signers);
		mail_shelf_sweep(&w.shelf);
		usleep(200);
	}
	atomic_store(&w.ended, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
	}
	UNIT_CHECK(w.made >= 10 && w.missed > 0 && w.bad == 0, "%u made, %u missed, %u bad", w.made,
	           w.missed, w.bad);
	mail_shelf_clear(&w.shelf);
	mail_signatures_free(signatures);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*! Without memory nothing is lost: what was there stays, and what is new comes when there is some again. */
static void test_memory(void)
{
	pair_t pairs[3];
	bench_t b;
	if (!bench_make(&b)) {
		return;
	}
	for (unsigned k = 0; k < 3; k++) {
		UNIT_CHECK(pair_make(&pairs[k], MAIL_ALGORITHM_ED25519), "pair %u", k);
	}
	put_file(&b, "a", &pairs[0], &pairs[0]);
	put_one(&b, "a", &pairs[0]);
	CU_ASSERT_TRUE(follow(&b, NOW));
	put_file(&b, "b", &pairs[1], &pairs[1]);
	put_file(&b, "c", &pairs[2], &pairs[2]);
	bool second = false;
	unsigned i = 1;
	CU_ASSERT_TRUE(failing_linked());
	for (; i < FAILING_MAX; i++) {
		mail_keys_look_t look = {
			.txn = b.epoch->txn,
			.epoch = b.epoch->number,
			.now = NOW,
			.interval = INTERVAL,
			.patience = PATIENCE,
		};
		put_one(&b, "b", &pairs[second ? 1 : 2]);
		put_one(&b, "c", &pairs[2]);
		second = !second;
		usleep(500);
		failing_on(i);
		(void)mail_keys_follow(b.keys, &look);
		mail_keyring_t *ring = mail_keys_ring(b.keys);
		bool failed = failing_off();
		mail_keyring_free(ring);
		mail_keyring_free(b.ring);
		b.ring = mail_keys_ring(b.keys);
		UNIT_CHECK(has(&b, &pairs[0]), "allocation %u", i);
		if (!failed) {
			break;
		}
	}
	UNIT_CHECK(i > 10, "only %u allocations", i);
	put_one(&b, "b", &pairs[1]);
	(void)follow(&b, NOW);
	mail_keyring_free(b.ring);
	b.ring = mail_keys_ring(b.keys);
	for (unsigned k = 0; k < 3; k++) {
		UNIT_CHECK(has(&b, &pairs[k]), "key %u", k);
		mail_private_free(pairs[k].half);
	}
	bench_remove(&b);
}

static const unit_test_t tests[] = { { "key sets come, change and go", test_come_and_go },
	                             { "what can be wrong with a file", test_faults },
	                             { "other faults", test_more_faults },
	                             { "keys whose time is over, or comes back", test_clock },
	                             { "a damaged key set", test_damaged },
	                             { "reading in turns", test_patience },
	                             { "signers of a ring", test_signing },
	                             { "workers, while rings are replaced", test_workers },
	                             { "each allocation fails", test_memory },
	                             { NULL, NULL } };

int main(void)
{
	return unit_run("keys", tests);
}
