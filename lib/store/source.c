/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's transaction as the source of the model: the hot path of every question. */

#include <endian.h>

#include <lmdb.h>

#include "store/internal.h"

static mail_txn_t *txn_of(const mail_source_t *source)
{
	return source->ctx;
}

static int source_get(const mail_source_t *source, mail_section_t section, const uint8_t *key,
                      size_t len, mail_entry_t **entry, mail_stamp_t *stamp)
{
	mail_txn_t *txn = txn_of(source);
	if (entry != NULL) {
		*entry = NULL;
	}
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn, section, key, len, &stored);
	if (stamp != NULL) {
		*stamp = stored.stamp;
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (stored.deleted) {
		return KNOT_ENOENT;
	}
	if (entry == NULL) {
		return KNOT_EOK;
	}
	txn->id.len = 0;
	txn->id.error = KNOT_EOK;
	ret = mail_entry_id_from_key(section, key, len, &txn->id);
	if (ret == KNOT_EOK) {
		ret = mail_codec_decode(section, mail_buf_view(&txn->id), stored.body, stored.len,
		                        entry);
	}
	if (ret != KNOT_EOK) {
		*entry = NULL;
		return ret;
	}
	(*entry)->stamp = stored.stamp;
	return KNOT_EOK;
}

/*! Reads a domain's value, damaged or not. \return False: it is a tombstone. */
static bool read_domain(const MDB_val *v, mail_domain_t *domain)
{
	mail_stored_t stored;
	int ret = mail_stored_read(v, &stored);
	if (ret == KNOT_EOK && stored.deleted) {
		return false;
	}
	if (ret == KNOT_EOK) {
		ret = mail_codec_domain(stored.body, stored.len, domain);
	}
	if (ret != KNOT_EOK) {
		memset(domain, 0, sizeof(*domain));
		domain->error = ret;
	}
	domain->stamp = stored.stamp;
	return true;
}

/*! Number of octets that two keys begin with in common. */
static inline size_t common_octets(const uint8_t *a, const uint8_t *b, size_t most)
{
	size_t n = 0;
	for (uint64_t x, y; n + sizeof(x) <= most; n += sizeof(x)) {
		memcpy(&x, a + n, sizeof(x));
		memcpy(&y, b + n, sizeof(y));
		if (x != y) {
			return n + (size_t)__builtin_ctzll(le64toh(x ^ y)) / 8;
		}
	}
	while (n < most && a[n] == b[n]) {
		n++;
	}
	return n;
}

/*! The upmost bit of each octet of a word that is 0. */
static inline uint64_t zero_octets(uint64_t word)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	return ~(((word & low) + low) | word | low);
}

/*! Length of the labels that two keys have in common, as octets of the key. */
static size_t common_labels(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t n = common_octets(a, b, a_len < b_len ? a_len : b_len);
	if ((n == a_len || a[n] == 0) && (n == b_len || b[n] == 0)) {
		return n;
	}
	for (uint64_t word; n >= sizeof(word); n -= sizeof(word)) {
		memcpy(&word, a + n - sizeof(word), sizeof(word));
		const uint64_t zero = zero_octets(le64toh(word));
		if (zero != 0) {
			return n - 1 - (size_t)__builtin_clzll(zero) / 8;
		}
	}
	while (n > 0 && a[n - 1] != 0) {
		n--;
	}
	return n > 0 ? n - 1 : 0;
}

/*!
 * Bounds the match of a name by one descent of the tree.
 *
 * The greatest key at or before the name lies below every stored domain above the name, because a domain
 * and all below it are contiguous. So what both have in common bounds the match: it is that, or something
 * shorter.
 *
 * \param bound  In: length of the name's key. Out: of its longest part that can be a domain; 0: none.
 * \param v      Out: the value there, or empty of address NULL when that part is no key.
 */
static int descend(MDB_cursor *cursor, const uint8_t *key, size_t *bound, MDB_val *v)
{
	const size_t len = *bound;
	MDB_val k = { len, (void *)key };
	int rc = mdb_cursor_get(cursor, &k, v, MDB_SET_RANGE);
	if (rc == MDB_SUCCESS && k.mv_size == len && memcmp(k.mv_data, key, len) == 0) {
		return MDB_SUCCESS;
	}
	if (rc == MDB_SUCCESS) {
		rc = mdb_cursor_get(cursor, &k, v, MDB_PREV);
	} else if (rc == MDB_NOTFOUND) {
		rc = mdb_cursor_get(cursor, &k, v, MDB_LAST);
	}
	*bound = rc == MDB_SUCCESS ? common_labels(key, len, k.mv_data, k.mv_size) : 0;
	if (*bound < k.mv_size || *bound == 0) {
		*v = (MDB_val){ 0, NULL };
	}
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/*! Where a name that is known to be bare is kept. */
static bare_t *bare_place(mail_txn_t *txn, const uint8_t *key, size_t len)
{
	/* Names that many questions share are short, and end differently. */
	const uint32_t word = (uint32_t)len << 16 | (uint32_t)key[len / 2] << 8 | key[len - 1];
	return &txn->bare[word * UINT32_C(0x9e3779b1) >> (32 - BARE_BITS)];
}

static bool bare_known(mail_txn_t *txn, const uint8_t *key, size_t len)
{
	if (len > BARE_LEN || txn->write) {
		return false;
	}
	const bare_t *bare = bare_place(txn, key, len);
	return bare->len == len && bare->txnid == txn->snapshot && memcmp(bare->key, key, len) == 0;
}

static void bare_note(mail_txn_t *txn, const uint8_t *key, size_t len)
{
	if (len == 0 || len > BARE_LEN || txn->write) {
		return;
	}
	bare_t *bare = bare_place(txn, key, len);
	bare->txnid = txn->snapshot;
	bare->len = (uint8_t)len;
	memcpy(bare->key, key, len);
}

static int source_domain_above(const mail_source_t *source, const uint8_t *key, size_t len,
                               mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	MDB_cursor *cursor;
	int ret = mail_txn_cursor(txn, MAIL_SECTION_DOMAIN, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/*
	 * What a name that is not ours has in common with its neighbour is mostly a top-level domain, which
	 * nobody stores. That is remembered for the snapshot, so such a question costs one descent. Each round
	 * drops a label at least, so there are 127 at most.
	 */
	size_t first = 0, last = 0, bound = len;
	while (bound > 0) {
		MDB_val v;
		int rc = descend(cursor, key, &bound, &v);
		if (rc != MDB_SUCCESS) {
			return mail_store_code(rc);
		}
		if (v.mv_data != NULL) {
			if (read_domain(&v, domain)) {
				return (int)bound;
			}
			bound = mail_key_parent(key, bound);
		}
		if (bound == 0 || bare_known(txn, key, bound)) {
			break;
		}
		first = first == 0 ? bound : first;
		last = bound;
	}
	if (first > 0) {
		bare_note(txn, key, first);
		bare_note(txn, key, last);
	}
	return KNOT_ENOENT;
}

/*! A walk through a database. */
typedef struct {
	MDB_cursor *cursor;
	MDB_cursor_op step; /*!< MDB_NEXT or MDB_PREV. */
	int rc;             /*!< MDB_SUCCESS: k and v are where it stands. */
	MDB_val k, v;
} walk_t;

static void walk_step(walk_t *walk)
{
	walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v, walk->step);
}

/*! Begins at the first key greater than (or, with from, equal to) a key. */
static int walk_up(mail_txn_t *txn, unsigned db, const uint8_t *key, size_t len, bool from,
                   walk_t *walk)
{
	int ret = mail_txn_cursor(txn, db, &walk->cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	walk->step = MDB_NEXT;
	walk->k = (MDB_val){ len, (void *)key };
	walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v,
	                          len == 0 ? MDB_FIRST : MDB_SET_RANGE);
	if (len > 0 && !from && walk->rc == MDB_SUCCESS && walk->k.mv_size == len &&
	    memcmp(walk->k.mv_data, key, len) == 0) {
		walk_step(walk);
	}
	return KNOT_EOK;
}

/*! Begins at the last key less than a key. */
static int walk_down(mail_txn_t *txn, unsigned db, const uint8_t *key, size_t len, walk_t *walk)
{
	int ret = mail_txn_cursor(txn, db, &walk->cursor);
	if (ret != KNOT_EOK || len == 0) {
		return ret != KNOT_EOK ? ret : KNOT_ENOENT;
	}
	walk->step = MDB_PREV;
	walk->k = (MDB_val){ len, (void *)key };
	walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v, MDB_SET_RANGE);
	if (walk->rc == MDB_SUCCESS) {
		walk_step(walk);
	} else if (walk->rc == MDB_NOTFOUND) {
		walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v, MDB_LAST);
	}
	return KNOT_EOK;
}

/*! Goes on to a live domain. */
static int walk_domain(walk_t *walk, unsigned limit, uint8_t *found, mail_domain_t *domain)
{
	for (unsigned skipped = 0; walk->rc == MDB_SUCCESS; walk_step(walk)) {
		if (walk->k.mv_size > MAIL_KEY_MAX) {
			continue;
		}
		const bool live = read_domain(&walk->v, domain);
		if (live || ++skipped == limit) {
			memcpy(found, walk->k.mv_data, walk->k.mv_size);
		}
		if (live) {
			return (int)walk->k.mv_size;
		}
		if (skipped == limit) {
			memset(domain, 0, sizeof(*domain));
			domain->passed = walk->k.mv_size;
			return KNOT_ELIMIT;
		}
	}
	return mail_store_code(walk->rc);
}

static int source_domain_next(const mail_source_t *source, const uint8_t *key, size_t len,
                              bool from, uint8_t *next, mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	walk_t walk;
	int ret = walk_up(txn, MAIL_SECTION_DOMAIN, key, len, from, &walk);
	return ret == KNOT_EOK ? walk_domain(&walk, txn->tombstone_limit, next, domain) : ret;
}

static int source_domain_prev(const mail_source_t *source, const uint8_t *key, size_t len,
                              uint8_t *prev, mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	walk_t walk;
	int ret = walk_down(txn, MAIL_SECTION_DOMAIN, key, len, &walk);
	return ret == KNOT_EOK ? walk_domain(&walk, txn->tombstone_limit, prev, domain) : ret;
}

static int source_dkim_get(const mail_source_t *source, const uint8_t *key, size_t len,
                           mail_dkim_t *dkim)
{
	memset(dkim, 0, sizeof(*dkim));
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn_of(source), MAIL_SECTION_DKIM, key, len, &stored);
	if (ret == KNOT_EOK && stored.deleted) {
		ret = KNOT_ENOENT;
	} else if (ret == KNOT_EOK) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	dkim->stamp = stored.stamp;
	return ret;
}

/*! Reads the DKIM key where a walk stands. */
static int walk_dkim(walk_t *walk, uint8_t *found, mail_dkim_t *dkim, bool *deleted)
{
	mail_stored_t stored;
	while (walk->rc == MDB_SUCCESS && walk->k.mv_size > MAIL_KEY_MAX) {
		walk_step(walk);
	}
	if (walk->rc != MDB_SUCCESS) {
		return mail_store_code(walk->rc);
	}
	memcpy(found, walk->k.mv_data, walk->k.mv_size);
	int ret = mail_stored_read(&walk->v, &stored);
	if (ret == KNOT_EOK && !stored.deleted) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	if (ret != KNOT_EOK) {
		memset(dkim, 0, sizeof(*dkim));
		dkim->error = ret;
	}
	dkim->stamp = stored.stamp;
	*deleted = stored.deleted;
	return (int)walk->k.mv_size;
}

static int source_dkim_next(const mail_source_t *source, const uint8_t *key, size_t len, bool from,
                            uint8_t *next, mail_dkim_t *dkim, bool *deleted)
{
	walk_t walk;
	memset(dkim, 0, sizeof(*dkim));
	*deleted = false;
	int ret = walk_up(txn_of(source), MAIL_SECTION_DKIM, key, len, from, &walk);
	return ret == KNOT_EOK ? walk_dkim(&walk, next, dkim, deleted) : ret;
}

static int source_dkim_prev(const mail_source_t *source, const uint8_t *key, size_t len,
                            uint8_t *prev, mail_dkim_t *dkim, bool *deleted)
{
	walk_t walk;
	memset(dkim, 0, sizeof(*dkim));
	*deleted = false;
	int ret = walk_down(txn_of(source), MAIL_SECTION_DKIM, key, len, &walk);
	return ret == KNOT_EOK ? walk_dkim(&walk, prev, dkim, deleted) : ret;
}

int mail_txn_domains(mail_txn_t *txn,
                     int (*each)(const uint8_t *key, size_t len, const mail_domain_t *domain,
                                 void *ctx),
                     void *ctx)
{
	walk_t walk = { .step = MDB_NEXT };
	mail_domain_t domain;
	if (txn->mdb == NULL || !atomic_load_explicit(&txn->active, memory_order_relaxed)) {
		return KNOT_EINVAL;
	}
	/* One of its own, so that reading meanwhile does not move it. */
	int ret = mail_store_code(
		mdb_cursor_open(txn->mdb, txn->env->dbi[MAIL_SECTION_DOMAIN], &walk.cursor));
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (walk_step(&walk); walk.rc == MDB_SUCCESS && ret == KNOT_EOK; walk_step(&walk)) {
		if (walk.k.mv_size <= MAIL_KEY_MAX && read_domain(&walk.v, &domain)) {
			ret = each(walk.k.mv_data, walk.k.mv_size, &domain, ctx);
		}
	}
	mdb_cursor_close(walk.cursor);
	return ret != KNOT_EOK || walk.rc == MDB_SUCCESS || walk.rc == MDB_NOTFOUND
	               ? ret
	               : mail_store_code(walk.rc);
}

void mail_source_init(mail_source_t *source, mail_txn_t *txn)
{
	*source = (mail_source_t){
		.get = source_get,
		.domain_above = source_domain_above,
		.domain_next = source_domain_next,
		.domain_prev = source_domain_prev,
		.dkim_get = source_dkim_get,
		.dkim_next = source_dkim_next,
		.dkim_prev = source_dkim_prev,
		.ctx = txn,
	};
}
