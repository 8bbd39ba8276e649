/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store among other processes and threads. */

#include <pthread.h>
#include <stdatomic.h>

#include "lib/store_fixture.h"

#define SMALL ((size_t)16 << 20)

/*! Holds a store open, reading; stays until its pipe is closed. Started before this process opens the
 *  store: an environment may not be carried through fork (lmdb.h). */
static int hold_open(const fixture_t *f, int in, int out)
{
	mail_store_t *store;
	mail_txn_t *txn;
	if (mail_store_open(f->path, MAIL_STORE_READ, 1, &store, NULL) != KNOT_EOK ||
	    mail_txn_begin(store, MAIL_STORE_READ, &txn) != KNOT_EOK) {
		return 1;
	}
	bool ok = say(out, 'r') && !hear(in, 'x');
	mail_txn_abort(txn);
	mail_store_close(store);
	return ok ? 0 : 1;
}

/*! A new data.mdb under the lock file that another process uses with the old one. */
static void test_foreign_lock(void)
{
	fixture_t f, copy;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_OK(add_domains(store, i, 1, "default"));
	}
	mail_store_close(store);
	if (!make_copy(&f, &copy)) {
		return;
	}
	other_t other;
	CHECK(other_start(&other, hold_open, &f) && hear(other.from, 'r'));
	CHECK_INT(rename(copy.data, f.data), 0);
	mail_diag_t diag = { 0 };
	/* Without the check this reads an empty or an older state. */
	CHECK_INT(try_open(f.path, MAIL_STORE_READ, &diag), KNOT_EBUSY);
	CHECK_HAS(diag.text, "lock.mdb");
	CHECK_INT(try_open(f.path, MAIL_STORE_WRITE, &diag), KNOT_EBUSY);
	other_end(&other, false);
	store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	CHECK_INT(domains(txn), 9);
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&copy);
	fixture_remove(&f);
}

#define GROUP 40
#define ROUNDS 150

/*! Write the same policy into all domains of the group, again and again. */
static int write_rounds(const fixture_t *f, int in, int out)
{
	(void)in;
	mail_store_t *store;
	if (mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, NULL) != KNOT_EOK) {
		return 1;
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		char policy[16];
		snprintf(policy, sizeof(policy), "p%u", i);
		if (add_domains(store, 0, GROUP, policy) != KNOT_EOK ||
		    (i == 0 && !say(out, 'r'))) {
			return 2;
		}
	}
	mail_store_close(store);
	return 0;
}

/*! Every snapshot holds one policy in all domains, and time goes forward. */
static void test_two_processes(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	other_t other;
	if (!CHECK(other_start(&other, write_rounds, &f) && hear(other.from, 'r'), "writer")) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const mail_source_t *source = mail_txn_source(txn);
	unsigned snapshots = 0;
	unsigned long last = 0;
	while (last + 1 < ROUNDS && snapshots < 1000000) {
		mail_lf_storage_t key;
		int ret = mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("example.org"), &key);
		unsigned long first = 0;
		for (unsigned i = 0; i < GROUP && ret == KNOT_EOK; i++) {
			mail_domain_t domain = { 0 };
			ret = source->domain_seek(source, mail_lf(&key), MAIL_SEEK_AFTER, &key,
			                          &domain);
			char number[16] = "";
			if (!CHECK(ret == KNOT_EOK && domain.policy.len < sizeof(number), "%d",
			           ret)) {
				break;
			}
			memcpy(number, domain.policy.data + 1, domain.policy.len - 1);
			unsigned long at = strtoul(number, NULL, 10);
			first = i == 0 ? at : first;
			if (at != first || at < last) {
				CHECK(false, "domain %u: %lu among %lu after %lu", i, at, first,
				      last);
			}
		}
		if (ret != KNOT_EOK) {
			break;
		}
		last = first;
		snapshots++;
		mail_txn_reset(txn);
		if (!CHECK(mail_txn_renew(txn) == KNOT_EOK, "renew")) {
			break;
		}
	}
	CHECK_INT(last, ROUNDS - 1);
	mail_txn_abort(txn);
	mail_store_close(store);
	other_end(&other, false);
	fixture_remove(&f);
}

/*! Write without end of transaction. */
static int write_and_wait(const fixture_t *f, int in, int out)
{
	mail_store_t *store;
	mail_txn_t *txn;
	if (mail_store_open(f->path, MAIL_STORE_WRITE, 1, &store, NULL) != KNOT_EOK ||
	    mail_txn_begin(store, MAIL_STORE_WRITE, &txn) != KNOT_EOK) {
		return 1;
	}
	for (unsigned i = 0; i < 20000; i++) {
		char id[32];
		snprintf(id, sizeof(id), "k%06u.example.org", i);
		if (put_domain(txn, id, "default") != KNOT_EOK) {
			return 2;
		}
	}
	(void)say(out, 'r');
	(void)hear(in, 'x');
	return 3;
}

static void test_killed_writer(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	CHECK_OK(add_domains(store, 0, 10, "default"));
	mail_store_close(store);
	other_t other;
	CHECK(other_start(&other, write_and_wait, &f) && hear(other.from, 'r'));
	/* A reader does not wait for it. */
	store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	CHECK_INT(domains(txn), 10);
	other_end(&other, true);
	mail_txn_reset(txn);
	CHECK_OK(mail_txn_renew(txn));
	CHECK_INT(domains(txn), 10);
	/* Nor does the next writer. */
	CHECK_OK(add_domains(store, 10, 1, "default"));
	mail_txn_reset(txn);
	CHECK_OK(mail_txn_renew(txn));
	CHECK_INT(domains(txn), 11);
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

static void test_dead_reader(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	other_t other;
	CHECK(other_start(&other, hold_open, &f) && hear(other.from, 'r'));
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	CHECK_INT(mail_store_clear_readers(store), 0);
	other_end(&other, true);
	CHECK_INT(mail_store_clear_readers(store), 1);
	CHECK_INT(mail_store_clear_readers(store), 0);
	mail_store_close(store);
	fixture_remove(&f);
}

static void test_readers_full(void)
{
	enum { MOST = 4096 };
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	static mail_txn_t *txns[MOST];
	unsigned count = 0;
	int ret = KNOT_EOK;
	while (count < MOST &&
	       (ret = mail_txn_begin(store, MAIL_STORE_READ, &txns[count])) == KNOT_EOK) {
		count++;
	}
	CHECK_INT(ret, KNOT_ELIMIT);
	CHECK(count >= 126);
	/* A slot that comes free is used; one that was reset stays taken and works. */
	mail_txn_reset(txns[0]);
	CHECK_INT(mail_txn_begin(store, MAIL_STORE_READ, &txns[count]), KNOT_ELIMIT);
	CHECK_OK(mail_txn_renew(txns[0]));
	mail_txn_abort(txns[--count]);
	CHECK_OK(mail_txn_begin(store, MAIL_STORE_READ, &txns[count]));
	for (unsigned i = 0; i <= count; i++) {
		mail_txn_abort(txns[i]);
	}
	mail_store_close(store);
	fixture_remove(&f);
}

#define TINY ((size_t)1 << 20)
#define GROWN 8192

/*! Make the map larger and write more than fitted before: 4 MiB a step. */
static int grow_to(const fixture_t *f, unsigned step)
{
	raw_t raw;
	if (!raw_open(&raw, f->path, "domain", (1 + 8 * (size_t)step) * TINY)) {
		return 1;
	}
	static uint8_t value[GROWN] = { [7] = 1 };
	for (unsigned i = 0; i < 4 * TINY / GROWN; i++) {
		char key[32];
		MDB_val k = { (size_t)snprintf(key, sizeof(key), "grown%u.%u", step, i), key };
		MDB_val v = { sizeof(value), value };
		if (mdb_put(raw.txn, raw.dbi, &k, &v, 0) != 0) {
			return 2;
		}
	}
	raw_close(&raw, true);
	return 0;
}

static int grow(const fixture_t *f, int in, int out)
{
	return hear(in, 'g') && grow_to(f, 1) == 0 && say(out, 'r') ? 0 : 1;
}

static void test_grown_map(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, TINY)) {
		return;
	}
	other_t other;
	CHECK(other_start(&other, grow, &f));
	mail_store_t *store = fixture_open(&f, MAIL_STORE_READ);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ), *second = begin(store, MAIL_STORE_READ),
		   *third;
	mail_txn_reset(second);
	CHECK(say(other.to, 'g') && hear(other.from, 'r'));
	other_end(&other, false);
	/* The map cannot move under the first transaction. */
	CHECK_INT(mail_txn_renew(second), KNOT_EAGAIN);
	CHECK_INT(mail_txn_begin(store, MAIL_STORE_READ, &third), KNOT_EAGAIN);
	CHECK_INT(domains(txn), 0);
	mail_txn_reset(txn);
	CHECK_OK(mail_txn_renew(second));
	CHECK_INT(domains(second), 4 * TINY / GROWN);
	CHECK_OK(mail_txn_renew(txn));
	mail_store_stat_t stat;
	CHECK_OK(mail_txn_stat(txn, &stat));
	CHECK_INT(stat.map_size, 9 * TINY);
	mail_txn_abort(txn);
	mail_txn_abort(second);
	mail_store_close(store);
	fixture_remove(&f);
}

/*! By how many octets the data file grows while the same domains are written again and again. */
static off_t grown(const fixture_t *f, mail_store_t *store)
{
	struct stat before, after;
	int ret = stat(f->data, &before);
	for (unsigned i = 0; i < 20 && ret == 0; i++) {
		ret = add_domains(store, 0, 2000, i % 2 == 0 ? "default" : "parked");
	}
	CHECK(ret == 0 && stat(f->data, &after) == 0, "writing: %d", ret);
	return after.st_size - before.st_size;
}

/*! Return whether a domain can be found. */
static bool has_domain(mail_txn_t *txn, const char *id)
{
	mail_stamp_t stamp;
	return stamp_of(txn, MAIL_SECTION_DOMAIN, id, &stamp) == KNOT_EOK;
}

static void test_standing(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	CHECK_OK(add_domains(store, 0, 1, "default"));
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const uint64_t first = mail_txn_id(txn);
	CHECK(has_domain(txn, "d000000.example.org"));
	CHECK_INT(mail_txn_resume(txn), KNOT_EINVAL);
	mail_txn_stand(txn);

	/* It is taken up as it was while nobody commits; then there is a new one. */
	CHECK_OK(mail_txn_resume(txn));
	CHECK_INT(mail_txn_id(txn), first);
	CHECK(has_domain(txn, "d000000.example.org"));
	mail_txn_stand(txn);
	CHECK_OK(add_domains(store, 1, 1, "default"));
	CHECK_OK(mail_txn_resume(txn));
	CHECK_INT(mail_txn_id(txn), first + 1);
	CHECK(has_domain(txn, "d000001.example.org"));

	/* What is in use is not ended, and said. */
	CHECK_OK(add_domains(store, 2, 1, "default"));
	CHECK_INT(mail_store_end_standing(store, true), 1);
	CHECK(!has_domain(txn, "d000002.example.org"));
	mail_txn_stand(txn);
	CHECK_INT(mail_store_end_standing(store, false), 0);
	CHECK_OK(mail_txn_resume(txn));
	CHECK_INT(mail_txn_id(txn), first + 2);

	/* The newest stands until it was not used between two looks. */
	mail_txn_stand(txn);
	CHECK_INT(mail_store_end_standing(store, true), 0);
	CHECK_OK(mail_txn_resume(txn));
	mail_txn_reset(txn);
	mail_txn_reset(txn);
	mail_txn_stand(txn);
	CHECK_OK(mail_txn_resume(txn));
	CHECK(has_domain(txn, "d000002.example.org"));
	mail_txn_stand(txn);
	CHECK_OK(mail_txn_renew(txn));
	mail_txn_stand(txn);
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

/*! The newest transaction is known without a snapshot, whatever the state of the one who asks. */
static void test_newest(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, SMALL)) {
		return;
	}
	mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
	mail_txn_t *txn = begin(store, MAIL_STORE_READ);
	const uint64_t first = mail_txn_id(txn);
	CHECK_INT(mail_txn_newest(txn), 0);
	for (unsigned i = 1; i <= 20; i++) {
		/* It stands, is reset, stands and was looked at. */
		if (i % 3 == 0) {
			mail_txn_reset(txn);
		} else {
			mail_txn_stand(txn);
			(void)mail_store_end_standing(store, i % 3 == 1);
		}
		CHECK_INT(mail_txn_newest(txn), first + i - 1);
		CHECK_OK(add_domains(store, i, 1, "default"));
		CHECK_INT(mail_txn_newest(txn), first + i);
		CHECK_INT(mail_txn_newest(txn), first + i);
		CHECK_OK(mail_txn_resume(txn));
		CHECK_INT(mail_txn_id(txn), first + i);
	}
	mail_txn_abort(txn);
	mail_store_close(store);
	fixture_remove(&f);
}

/* A snapshot that stands keeps pages from being used again; ended, it does not: old ones, and idle ones. */
static void test_standing_grows(void)
{
	for (unsigned i = 0; i < 3; i++) {
		fixture_t f;
		if (!fixture_make(&f, false, SMALL)) {
			return;
		}
		mail_store_t *store = fixture_open(&f, MAIL_STORE_WRITE);
		CHECK_OK(add_domains(store, 0, 2000, "default"));
		(void)grown(&f, store);
		mail_txn_t *txn = begin(store, MAIL_STORE_READ);
		mail_txn_stand(txn);
		const bool idle = i == 2;
		CHECK_INT(mail_store_end_standing(store, idle), 0);
		CHECK_INT(mail_store_end_standing(store, idle), 0);
		if (i == 1) {
			/* The next commit makes it old. */
			CHECK_OK(add_domains(store, 0, 1, "parked"));
			CHECK_INT(mail_store_end_standing(store, idle), 0);
		}
		const off_t octets = grown(&f, store);
		CHECK(i == 0 ? octets > 1000000 : octets < 300000, "case %u: %lld", i,
		      (long long)octets);
		mail_txn_abort(txn);
		mail_store_close(store);
		fixture_remove(&f);
	}
}

#define THREADS 4

/*! What the threads share. */
typedef struct {
	mail_store_t *store;
	atomic_bool stop;
	atomic_uint asked, again, bad;
} crowd_t;

/*! Ask as a worker of knotd does. */
static void *ask(void *arg)
{
	crowd_t *crowd = arg;
	mail_txn_t *txn = NULL;
	mail_lf_storage_t key;
	(void)mail_entry_key(MAIL_SECTION_DOMAIN, MAIL_STR("_dmarc.d000000.example.org"), &key);
	int ret = KNOT_EAGAIN;
	while (ret == KNOT_EAGAIN) {
		ret = mail_txn_begin(crowd->store, MAIL_STORE_READ, &txn);
	}
	while (ret == KNOT_EOK && !atomic_load(&crowd->stop)) {
		const mail_source_t *source = mail_txn_source(txn);
		mail_domain_t domain;
		mail_lf_t above;
		if (source->domain_above(source, mail_lf(&key), &above, &domain) != KNOT_EOK) {
			atomic_fetch_add(&crowd->bad, 1);
		}
		const unsigned asked = atomic_fetch_add(&crowd->asked, 1);
		const uint64_t id = mail_txn_id(txn);
		if (asked % 3 == 0) {
			mail_txn_reset(txn);
		} else {
			mail_txn_stand(txn);
		}
		const uint64_t newest = mail_txn_newest(txn);
		if (newest != 0 && newest < id) {
			atomic_fetch_add(&crowd->bad, 1);
		}
		/* Sometimes the same snapshot, sometimes a new one. */
		while ((ret = asked % 2 == 0 ? mail_txn_resume(txn) : mail_txn_renew(txn)) ==
		       KNOT_EAGAIN) {
			atomic_fetch_add(&crowd->again, 1);
		}
	}
	if (ret != KNOT_EOK) {
		atomic_fetch_add(&crowd->bad, 1);
	}
	mail_txn_abort(txn);
	return NULL;
}

/*! End snapshots that stand, as the housekeeping thread of knotd does. */
static void *end_standing(void *arg)
{
	crowd_t *crowd = arg;
	for (unsigned i = 0; !atomic_load(&crowd->stop); i++) {
		(void)mail_store_end_standing(crowd->store, i % 2 == 0);
	}
	return NULL;
}

/*! Make the map larger again and again, a step for each letter. */
static int grow_stepwise(const fixture_t *f, int in, int out)
{
	for (unsigned step = 1; hear(in, 'g'); step++) {
		if (grow_to(f, step) != 0 || !say(out, 'r')) {
			return 1;
		}
	}
	return 0;
}

static void test_threads(void)
{
	fixture_t f;
	if (!fixture_make(&f, false, TINY)) {
		return;
	}
	other_t other;
	CHECK(other_start(&other, grow_stepwise, &f));
	crowd_t crowd = { .store = fixture_open(&f, MAIL_STORE_WRITE) };
	CHECK_OK(add_domains(crowd.store, 0, 1, "default"));
	pthread_t threads[THREADS], ending;
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_INT(pthread_create(&threads[i], NULL, ask, &crowd), 0);
	}
	CHECK_INT(pthread_create(&ending, NULL, end_standing, &crowd), 0);
	for (unsigned step = 1; step <= 6; step++) {
		/* Questions before and after each step, and writing of our own. */
		unsigned asked = atomic_load(&crowd.asked);
		while (atomic_load(&crowd.asked) < asked + 200 && atomic_load(&crowd.bad) == 0) {
			usleep(100);
		}
		CHECK(say(other.to, 'g') && hear(other.from, 'r'));
		int ret;
		while ((ret = add_domains(crowd.store, 0, 1, "default")) == KNOT_EAGAIN) {
			usleep(100);
		}
		CHECK(ret == KNOT_EOK, "step %u: %d", step, ret);
	}
	atomic_store(&crowd.stop, true);
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_INT(pthread_join(threads[i], NULL), 0);
	}
	CHECK_INT(pthread_join(ending, NULL), 0);
	CHECK(atomic_load(&crowd.bad) == 0, "%u bad of %u (%u again)", atomic_load(&crowd.bad),
	      atomic_load(&crowd.asked), atomic_load(&crowd.again));
	mail_store_close(crowd.store);
	other_end(&other, false);
	fixture_remove(&f);
}

UNIT_MAIN("store_process", TEST("a lock file of another data file", test_foreign_lock),
          TEST("a writer and a reader", test_two_processes),
          TEST("a killed writer", test_killed_writer), TEST("a dead reader", test_dead_reader),
          TEST("no slot left", test_readers_full),
          TEST("a map that was made larger", test_grown_map),
          TEST("a snapshot that stands", test_standing),
          TEST("the newest transaction", test_newest),
          TEST("a snapshot that stands too long", test_standing_grows),
          TEST("threads while the map grows", test_threads))
