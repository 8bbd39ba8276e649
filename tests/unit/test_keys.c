/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The private keys that a service signs with: the key sets of a store, the files of a directory, the clock. */

#include "lib/failing.h"
#include "lib/key_fixture.h"

static void test_come_and_go(void)
{
	static const mail_algorithm_t algorithms[] = {
		MAIL_ALGORITHM_ED25519,
		MAIL_ALGORITHM_ECDSAP256SHA256,
		MAIL_ALGORITHM_RSASHA256,
	};
	enum { PAIRS = COUNT(algorithms) };
	static const char *const ids[PAIRS] = { "b", "a", "c" };
	pair_t pairs[PAIRS];
	bench_t b;
	if (!bench_make(&b)) {
		return;
	}
	CHECK(!(follow(&b, NOW)));
	for (unsigned i = 0; i < PAIRS; i++) {
		CHECK(pair_make(&pairs[i], algorithms[i]), "pair %u", i);
		put_file(&b, ids[i], &pairs[i], &pairs[i]);
		put_one(&b, ids[i], &pairs[i]);
		CHECK(follow(&b, NOW), "set %u", i);
		for (unsigned k = 0; k < PAIRS; k++) {
			CHECK(k > i || has(&b, &pairs[k]), "after %u, key %u", i, k);
		}
	}
	CHECK_INT(mail_keyring_count(b.ring), PAIRS);
	/* Written again, the same. */
	put_one(&b, ids[1], &pairs[1]);
	CHECK(!(follow(&b, NOW)));
	/* A key that is known needs no file. */
	char path[256];
	path_of(&b, ids[1], &pairs[1], path, sizeof(path));
	CHECK_INT(unlink(path), 0);
	put_one(&b, ids[1], &pairs[1]);
	CHECK(!(follow(&b, NOW)));
	/* Another key in the set. */
	put_file(&b, ids[1], &pairs[0], &pairs[0]);
	put_one(&b, ids[1], &pairs[0]);
	CHECK(follow(&b, NOW));
	CHECK(!(has(&b, &pairs[1])));
	CHECK(has(&b, &pairs[0]));
	/* It is in two sets: one may go. */
	del_set(&b, ids[0]);
	(void)follow(&b, NOW);
	CHECK(has(&b, &pairs[0]));
	del_set(&b, ids[1]);
	CHECK(follow(&b, NOW));
	CHECK(!(has(&b, &pairs[0])));
	CHECK(has(&b, &pairs[2]));
	CHECK_INT(b.said.count, 0);
	for (unsigned i = 0; i < PAIRS; i++) {
		mail_private_free(pairs[i].half);
	}
	bench_remove(&b);
}

/* What can be wrong with a file */

static void make_directory(const char *path)
{
	(void)unlink(path);
	CHECK_INT(mkdir(path, 0750), 0);
}

static void make_fifo(const char *path)
{
	(void)unlink(path);
	CHECK_INT(mkfifo(path, 0640), 0);
}

static void make_open(const char *path)
{
	CHECK_INT(chmod(path, 0644), 0);
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
	CHECK_INT(unlink(path), 0);
}

static void make_unreadable(const char *path)
{
	CHECK_INT(chmod(path, 0), 0);
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
	for (unsigned i = 0; i < COUNT(faults); i++) {
		bench_t b;
		if ((geteuid() == 0 && !faults[i].root) || !bench_make(&b)) {
			continue;
		}
		char path[256], tag[32];
		path_of(&b, "x", &pair, path, sizeof(path));
		put_file(&b, "x", &pair, &pair);
		faults[i].make(path);
		put_one(&b, "x", &pair);
		CHECK(!follow(&b, NOW), "fault %u", i);
		snprintf(tag, sizeof(tag), "private key %u ", pair.key.tag);
		CHECK(b.said.count == 1 && b.said.priority == LOG_ERR &&
		              strstr(b.said.last, faults[i].text) != NULL &&
		              strstr(b.said.last, path) != NULL &&
		              strstr(b.said.last, tag) != NULL &&
		              strstr(b.said.last, ": its domains answer SERVFAIL") != NULL,
		      "fault %u: %u lines: %s", i, b.said.count, b.said.last);
		/* It becomes another fault: said at once. Then it is cured. */
		(void)rmdir(path);
		put_file(&b, "x", &pair, &other);
		CHECK(!follow(&b, NOW) && b.said.count == 2 &&
		              strstr(b.said.last, "another key") != NULL,
		      "fault %u: %s", i, b.said.last);
		put_file(&b, "x", &pair, &pair);
		CHECK(follow(&b, NOW) && has(&b, &pair), "fault %u is not cured", i);
		CHECK(b.said.count == 3 && b.said.priority == LOG_INFO &&
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
	CHECK(!(follow(&b, NOW)));
	CHECK(b.said.count == 1 && strstr(b.said.last, " and 1 more: its domains") != NULL, "%s",
	      b.said.last);

	put_file(&b, "x", &pair, &other);
	CHECK(!(follow(&b, NOW)));
	CHECK(b.said.count == 2 &&
	              strstr(b.said.last, "another algorithm (ecdsap256sha256)") != NULL,
	      "%s", b.said.last);

	put_file(&b, "x", &pair, &pair);
	path_of(&b, "x", &pair, path, sizeof(path));
	snprintf(aside, sizeof(aside), "%s/aside", b.f.dir);
	CHECK_INT(rename(path, aside), 0);
	CHECK_INT(symlink(aside, path), 0);
	CHECK(follow(&b, NOW));
	CHECK(has(&b, &pair));
	CHECK(!(has(&b, &other)));
	put_file(&b, "x", &other, &other);
	CHECK(follow(&b, NOW));
	CHECK(has(&b, &pair) && has(&b, &other));
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
	for (unsigned i = 0; i < COUNT(cases); i++) {
		pair.key.role = cases[i].role;
		pair.key.activate = cases[i].activate;
		pair.key.retire = cases[i].retire;
		pair.key.remove = cases[i].remove;
		uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
		pair.key.tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(&pair.key, rdata));
		put_file(&b, "x", &pair, &pair);
		put_one(&b, "x", &pair);
		(void)follow(&b, cases[i].at);
		CHECK(has(&b, &pair) == cases[i].used, "case %u", i);
	}

	/* Without another write: the clock alone. */
	pair.key.retire = NOW + 100;
	put_one(&b, "x", &pair);
	(void)follow(&b, NOW);
	CHECK(has(&b, &pair));
	CHECK(!(follow(&b, NOW + 99)));
	CHECK(follow(&b, NOW + 100));
	CHECK(!(has(&b, &pair)));
	CHECK(follow(&b, NOW + 50));
	CHECK(has(&b, &pair));
	CHECK_INT(b.said.count, 0);

	/* One that does not sign yet is announced as such. */
	char path[256];
	path_of(&b, "y", &pair, path, sizeof(path));
	pair.key.activate = NOW + 60;
	del_set(&b, "x");
	put_one(&b, "y", &pair);
	(void)follow(&b, NOW);
	CHECK(b.said.count == 1 && b.said.priority == LOG_WARNING &&
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
	CHECK_OK(put(txn, MAIL_SECTION_KEYSET, "x", MAIL_ITEM_DNSKEY, "1 none csk AAAA"));
	CHECK_OK(mail_txn_commit(txn));
	CHECK(follow(&b, NOW));
	CHECK(has(&b, &pair));
	CHECK(b.said.count == 1 && strncmp(b.said.last, "key set 'x' cannot be read (", 28) == 0,
	      "%s", b.said.last);
	mail_private_free(pair.half);
	bench_remove(&b);
}

/*!
 * Reading is cut when it takes too long, and goes on where it was, also when the set that it stopped before is
 * deleted. Meanwhile there are rings of what there is so far, ever more seldom.
 */
static void test_patience(void)
{
	enum { SETS = 300, STOP = 10 };
	pair_t pair;
	bench_t b;
	if (!pair_make(&pair, MAIL_ALGORITHM_ED25519) || !bench_make(&b)) {
		return;
	}
	mail_buf_t value = { 0 };
	CHECK_OK(mail_dnskey_print(&pair.key, &value));
	CHECK_OK(mail_buf_u8(&value, 0));
	mail_txn_t *txn = begin(b.store, MAIL_STORE_WRITE);
	for (unsigned i = 0; i < SETS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "set-%03u", i);
		CHECK(put(txn, MAIL_SECTION_KEYSET, id, MAIL_ITEM_DNSKEY,
		          (const char *)value.data) == KNOT_EOK,
		      "%s", id);
		if (i % 3 > 0) {
			put_file(&b, id, &pair, &pair);
		}
	}
	CHECK_OK(mail_txn_commit(txn));
	mail_buf_free(&value);
	unsigned looks = 0, rings = 0, result;
	while (((result = look(&b, NOW, 0)) & MAIL_KEYS_MORE) != 0) {
		if ((result & MAIL_KEYS_CHANGED) != 0) {
			take_ring(&b);
			rings++;
		}
		if (++looks == STOP) {
			del_set(&b, "set-010");
		}
	}
	/* Each looked at one, but for the one that was deleted; every set without a file was missed once. */
	CHECK_INT(looks, SETS - 2);
	CHECK_INT(b.said.count, SETS / 3);
	CHECK(rings >= 5 && rings <= 20, "%u rings", rings);
	CHECK((result & MAIL_KEYS_CHANGED) != 0);
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
		CHECK(pair_make(&pairs[k], MAIL_ALGORITHM_ED25519), "pair %u", k);
	}
	put_file(&b, "a", &pairs[0], &pairs[0]);
	put_one(&b, "a", &pairs[0]);
	CHECK(follow(&b, NOW));
	put_file(&b, "b", &pairs[1], &pairs[1]);
	put_file(&b, "c", &pairs[2], &pairs[2]);
	bool second = false;
	unsigned i = 1;
	CHECK(failing_linked());
	for (; i < FAILING_MAX; i++) {
		put_one(&b, "b", &pairs[second ? 1 : 2]);
		put_one(&b, "c", &pairs[2]);
		second = !second;
		const int64_t begun = mail_uptime_us();
		failing_on(i);
		(void)look(&b, NOW, PATIENCE);
		mail_keyring_t *ring = mail_keys_ring(b.keys);
		bool failed = failing_off();
		mail_keyring_free(ring);
		take_ring(&b);
		/* Past the rest, in which nothing is read. */
		usleep(1000 + 10 * (useconds_t)(mail_uptime_us() - begun));
		CHECK(has(&b, &pairs[0]), "allocation %u", i);
		if (!failed) {
			break;
		}
	}
	CHECK(i > 10, "only %u allocations", i);
	put_one(&b, "b", &pairs[1]);
	(void)follow(&b, NOW);
	take_ring(&b);
	for (unsigned k = 0; k < 3; k++) {
		CHECK(has(&b, &pairs[k]), "key %u", k);
		mail_private_free(pairs[k].half);
	}
	bench_remove(&b);
}

UNIT_MAIN("keys", TEST("key sets come, change and go", test_come_and_go),
          TEST("what can be wrong with a file", test_faults),
          TEST("other faults", test_more_faults),
          TEST("keys whose time is over, or comes back", test_clock),
          TEST("a damaged key set", test_damaged), TEST("reading in turns", test_patience),
          TEST("each allocation fails", test_memory))
