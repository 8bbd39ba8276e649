/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of keys must be LMDB's to the last octet, and nothing beyond a key may be read. */
#include <sys/mman.h>
#include <unistd.h>

#include <lmdb.h>

#include "store/internal.h"
#include "unit.h"

#define ROUNDS 200000
#define LEN_MAX 40

/*! What LMDB does (lmdb.h, mdb_set_compare: "compared lexically, with shorter keys collating before longer keys"). */
static int expected(const MDB_val *a, const MDB_val *b)
{
	size_t len = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int order = len > 0 ? memcmp(a->mv_data, b->mv_data, len) : 0;
	if (order == 0) {
		order = (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
	}
	return (order > 0) - (order < 0);
}

static unsigned random_below(unsigned limit)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 32) % limit;
}

/*! A page with nothing behind it: keys end where it ends. */
static uint8_t *page_end(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                     -1, 0);
	if (page == MAP_FAILED || mprotect(page + size, size, PROT_NONE) != 0) {
		return NULL;
	}
	return page + size;
}

static void test_random(void)
{
	uint8_t *ends[2] = { page_end(), page_end() };
	CU_ASSERT_FATAL(ends[0] != NULL && ends[1] != NULL);
	unsigned equal = 0, bad = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		MDB_val key[2];
		/* Mostly the same beginning, so that every place decides at times. */
		const size_t same = random_below(LEN_MAX + 1);
		for (unsigned i = 0; i < 2; i++) {
			size_t len = random_below(4) == 0 ? same : random_below(LEN_MAX + 1);
			uint8_t *octets = ends[i] - len;
			for (size_t k = 0; k < len; k++) {
				octets[k] = k < same ? 'a' : (uint8_t)random_below(256);
			}
			key[i] = (MDB_val){ len, octets };
		}
		int want = expected(&key[0], &key[1]);
		equal += want == 0;
		bad += mail_store_order(&key[0], &key[1]) != want;
		bad += mail_store_order(&key[1], &key[0]) != -want;
	}
	UNIT_CHECK(bad == 0, "%u of %d", bad, ROUNDS);
	UNIT_CHECK(equal > ROUNDS / 100, "%u equal", equal);
}

/*! Each octet that differs, at each place, in either direction; 0x80 and above are no negative numbers. */
static void test_places(void)
{
	static const uint8_t pairs[][2] = { { 0, 1 }, { 0x7f, 0x80 }, { 0, 0xff }, { 0x80, 0xff } };
	for (size_t len = 1; len <= LEN_MAX; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
				uint8_t a[LEN_MAX] = { 0 }, b[LEN_MAX] = { 0 };
				a[at] = pairs[i][0];
				b[at] = pairs[i][1];
				/* What comes behind must not matter. */
				memset(a + at + 1, 0xff, len - at - 1);
				MDB_val x = { len, a }, y = { len, b };
				UNIT_CHECK(mail_store_order(&x, &y) < 0 &&
				                   mail_store_order(&y, &x) > 0,
				           "length %zu, octet %zu, pair %zu", len, at, i);
			}
		}
	}
}

int main(void)
{
	static const unit_test_t tests[] = {
		{ "random keys", test_random },
		{ "every place", test_places },
		{ NULL, NULL },
	};
	return unit_run("store_order", tests);
}
