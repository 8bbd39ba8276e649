/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's transaction as the source of the model: the hot path of every question. */

#include <endian.h>

#include <lmdb.h>

#include "store/memo.h"

static mail_txn_t *txn_of(const mail_source_t *source)
{
	return source->ctx;
}

static int source_get(const mail_source_t *source, mail_section_t section, mail_lf_t key,
                      mail_entry_t **entry, mail_stamp_t *stamp)
{
	mail_txn_t *txn = txn_of(source);
	if (entry != NULL) {
		*entry = NULL;
	}
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn, section, key, &stored);
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
	ret = mail_entry_id_from_key(section, key, &txn->id);
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

/*! Read a domain's value, damaged or not. \return False: it is a tombstone. */
static bool read_domain(const MDB_val *v, mail_domain_t *domain)
{
	mail_stored_t stored;
	int ret = mail_stored_read(v, &stored);
	if (ret == KNOT_EOK) {
		if (stored.deleted) {
			return false;
		}
		ret = mail_codec_domain(stored.body, stored.len, domain);
	}
	if (ret != KNOT_EOK) {
		memset(domain, 0, sizeof(*domain));
		domain->error = ret;
	}
	domain->stamp = stored.stamp;
	return true;
}

/*! Return whether a value is an entry's, not a tombstone's. */
static bool is_there(const MDB_val *v)
{
	mail_stored_t stored;
	return mail_stored_read(v, &stored) != KNOT_EOK || !stored.deleted;
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

/*! Length of the labels that two names have in common, as octets of the lookup format. */
static size_t common_labels(mail_lf_t a, mail_lf_t b)
{
	size_t n = common_octets(a.data, b.data, a.len < b.len ? a.len : b.len);
	if ((n == a.len || a.data[n] == 0) && (n == b.len || b.data[n] == 0)) {
		return n;
	}
	for (uint64_t word; n >= sizeof(word); n -= sizeof(word)) {
		memcpy(&word, a.data + n - sizeof(word), sizeof(word));
		const uint64_t zero = zero_octets(le64toh(word));
		if (zero != 0) {
			return n - 1 - (size_t)__builtin_clzll(zero) / 8;
		}
	}
	while (n > 0 && a.data[n - 1] != 0) {
		n--;
	}
	return n > 0 ? n - 1 : 0;
}

/*!
 * \brief Bound the match of a name by one descent of the tree.
 *
 * The greatest key at or before the name lies below every stored domain above the name, because a domain
 * and all below it are contiguous. So what both have in common bounds the match: it is that, or something
 * shorter.
 *
 * \param name  In: the name. Out: its first part, the longest that can be a domain; empty: none.
 * \param k     Out: the key there, if the part is one.
 * \param v     Out: the value there, or empty of address NULL when that part is no key.
 * \param alone Out: no key lies below that part: what follows the name is known by the way, but not the part itself.
 */
static int descend(MDB_cursor *cursor, mail_lf_t *name, MDB_val *k, MDB_val *v, bool *alone)
{
	*k = (MDB_val){ name->len, (void *)name->data };
	int rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	*alone = false;
	if (rc == MDB_SUCCESS && mail_lf_equal((mail_lf_t){ k->mv_data, k->mv_size }, *name)) {
		return MDB_SUCCESS;
	}
	const mail_lf_t behind = { k->mv_data, rc == MDB_SUCCESS ? k->mv_size : 0 };
	if (rc == MDB_SUCCESS) {
		rc = mdb_cursor_get(cursor, k, v, MDB_PREV);
	} else if (rc == MDB_NOTFOUND) {
		rc = mdb_cursor_get(cursor, k, v, MDB_LAST);
	}
	name->len = rc == MDB_SUCCESS ? common_labels(*name, (mail_lf_t){ k->mv_data, k->mv_size })
	                              : 0;
	if (name->len < k->mv_size || name->len == 0) {
		*v = (MDB_val){ 0, NULL };
	} else {
		*alone = !mail_lf_in(behind, *name);
	}
	return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/*! Note where a domain was found, if nothing is stored below. */
static void note(mail_txn_t *txn, MDB_cursor *cursor, const MDB_val *k, const MDB_val *v,
                 bool *alone)
{
	if (!mail_memo_wants(txn)) {
		return;
	}
	if (!*alone) {
		MDB_val next, other;
		const int rc = mdb_cursor_get(cursor, &next, &other, MDB_NEXT);
		const mail_lf_t behind = { next.mv_data, rc == MDB_SUCCESS ? next.mv_size : 0 };
		*alone = (rc == MDB_SUCCESS || rc == MDB_NOTFOUND) &&
		         !mail_lf_in(behind, (mail_lf_t){ k->mv_data, k->mv_size });
	}
	if (*alone) {
		mail_memo_note(txn, k, v);
	}
}

/*! Return where a name that is known to be bare is kept. */
static bare_t *bare_place(mail_txn_t *txn, mail_lf_t name)
{
	/* Names that many questions share are short, and end differently. */
	const uint32_t word = (uint32_t)name.len << 16 | (uint32_t)name.data[name.len / 2] << 8 |
	                      name.data[name.len - 1];
	return &txn->bare[word * UINT32_C(0x9e3779b1) >> (32 - BARE_BITS)];
}

static bool bare_known(mail_txn_t *txn, mail_lf_t name)
{
	if (name.len > BARE_LEN || txn->write) {
		return false;
	}
	const bare_t *bare = bare_place(txn, name);
	return bare->txnid == txn->snapshot &&
	       mail_lf_equal((mail_lf_t){ bare->key, bare->len }, name);
}

static void bare_note(mail_txn_t *txn, mail_lf_t name)
{
	if (name.len == 0 || name.len > BARE_LEN || txn->write) {
		return;
	}
	bare_t *bare = bare_place(txn, name);
	bare->txnid = txn->snapshot;
	bare->len = (uint8_t)name.len;
	memcpy(bare->key, name.data, name.len);
}

static int source_domain_above(const mail_source_t *source, mail_lf_t name, mail_lf_t *above,
                               mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	MDB_cursor *cursor;
	MDB_val k, v;
	if (mail_memo_find(txn, name, above, &v) && read_domain(&v, domain)) {
		domain->alone = true;
		return KNOT_EOK;
	}
	int ret = mail_txn_cursor(txn, MAIL_SECTION_DOMAIN, &cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	/*
	 * What a name that is not ours has in common with its neighbour is mostly a top-level domain, which
	 * nobody stores. That is remembered for the snapshot, so such a question costs one descent. Each round
	 * drops a label at least, so there are 127 at most.
	 */
	mail_lf_t first = { 0 }, last = { 0 };
	while (name.len > 0) {
		bool alone;
		int rc = descend(cursor, &name, &k, &v, &alone);
		if (rc != MDB_SUCCESS) {
			return mail_store_code(rc);
		}
		if (v.mv_data != NULL) {
			if (read_domain(&v, domain)) {
				*above = name;
				note(txn, cursor, &k, &v, &alone);
				domain->alone = alone;
				return KNOT_EOK;
			}
			name = mail_lf_parent(name);
		}
		if (name.len == 0 || bare_known(txn, name)) {
			break;
		}
		first = first.len == 0 ? name : first;
		last = name;
	}
	bare_note(txn, first);
	bare_note(txn, last);
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

/*! Return whether the cursor stands at a key already: a question has just found its domain there. */
static bool stands_at(walk_t *walk, mail_lf_t key)
{
	return key.len > 0 &&
	       mdb_cursor_get(walk->cursor, &walk->k, &walk->v, MDB_GET_CURRENT) == MDB_SUCCESS &&
	       mail_lf_equal((mail_lf_t){ walk->k.mv_data, walk->k.mv_size }, key);
}

/*! Begin a walk at the neighbour of a key. \return KNOT_EOK; KNOT_ENOENT: nothing is before the empty key. */
static int walk_begin(mail_txn_t *txn, unsigned db, mail_lf_t key, mail_seek_t seek, walk_t *walk)
{
	int ret = mail_txn_cursor(txn, db, &walk->cursor);
	if (ret != KNOT_EOK) {
		return ret;
	}
	const bool back = seek == MAIL_SEEK_BEFORE;
	if (key.len == 0 && back) {
		return KNOT_ENOENT;
	}
	walk->step = back ? MDB_PREV : MDB_NEXT;
	if (seek == MAIL_SEEK_AFTER && stands_at(walk, key)) {
		walk_step(walk);
		return KNOT_EOK;
	}
	walk->k = (MDB_val){ key.len, (void *)key.data };
	walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v,
	                          key.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
	if (back && walk->rc == MDB_NOTFOUND) {
		walk->rc = mdb_cursor_get(walk->cursor, &walk->k, &walk->v, MDB_LAST);
		return KNOT_EOK;
	}
	const bool there = walk->rc == MDB_SUCCESS &&
	                   mail_lf_equal((mail_lf_t){ walk->k.mv_data, walk->k.mv_size }, key);
	if (walk->rc == MDB_SUCCESS && (back || (there && seek == MAIL_SEEK_AFTER))) {
		walk_step(walk);
	}
	return KNOT_EOK;
}

static int source_domain_seek(const mail_source_t *source, mail_lf_t name, mail_seek_t seek,
                              mail_lf_storage_t *found, mail_domain_t *domain)
{
	mail_txn_t *txn = txn_of(source);
	walk_t walk;
	int ret = walk_begin(txn, MAIL_SECTION_DOMAIN, name, seek, &walk);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (unsigned skipped = 0; walk.rc == MDB_SUCCESS; walk_step(&walk)) {
		const bool fits = walk.k.mv_size <= MAIL_LF_MAX;
		const mail_lf_t at = { walk.k.mv_data, fits ? walk.k.mv_size : MAIL_LF_MAX };
		if (fits && (domain != NULL ? read_domain(&walk.v, domain) : is_there(&walk.v))) {
			mail_lf_copy(at, found);
			return KNOT_EOK;
		}
		if (++skipped == source->limit) {
			mail_lf_copy(at, found);
			return KNOT_ELIMIT;
		}
	}
	return mail_store_code(walk.rc);
}

static int source_dkim_get(const mail_source_t *source, mail_lf_t key, mail_dkim_t *dkim)
{
	memset(dkim, 0, sizeof(*dkim));
	mail_stored_t stored;
	int ret = mail_txn_lookup(txn_of(source), MAIL_SECTION_DKIM, key, &stored);
	if (ret == KNOT_EOK && stored.deleted) {
		ret = KNOT_ENOENT;
	} else if (ret == KNOT_EOK) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	dkim->stamp = stored.stamp;
	return ret;
}

static int source_dkim_seek(const mail_source_t *source, mail_lf_t key, mail_seek_t seek,
                            mail_lf_storage_t *found, mail_dkim_t *dkim)
{
	walk_t walk;
	memset(dkim, 0, sizeof(*dkim));
	int ret = walk_begin(txn_of(source), MAIL_SECTION_DKIM, key, seek, &walk);
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (unsigned skipped = 0; walk.rc == MDB_SUCCESS && walk.k.mv_size > MAIL_LF_MAX;) {
		if (++skipped == source->limit) {
			return KNOT_ENOENT;
		}
		walk_step(&walk);
	}
	if (walk.rc != MDB_SUCCESS) {
		return mail_store_code(walk.rc);
	}
	mail_lf_copy((mail_lf_t){ walk.k.mv_data, walk.k.mv_size }, found);
	mail_stored_t stored;
	ret = mail_stored_read(&walk.v, &stored);
	if (ret == KNOT_EOK && !stored.deleted) {
		ret = mail_codec_dkim(stored.body, stored.len, dkim);
	}
	if (ret != KNOT_EOK) {
		memset(dkim, 0, sizeof(*dkim));
		dkim->error = ret;
	}
	dkim->stamp = stored.stamp;
	dkim->deleted = stored.deleted;
	return KNOT_EOK;
}

static int source_dkim_summary(const mail_source_t *source, mail_lf_t top,
                               mail_dkim_summary_t *summary)
{
	mail_txn_t *txn = txn_of(source);
	mail_stored_t stored;
	/* While keys are written, they are ahead of it. */
	if (txn->write || txn->env->dbi[DB_SUMMARY] == DBI_MISSING ||
	    mail_txn_lookup(txn, DB_SUMMARY, top, &stored) != KNOT_EOK || stored.deleted) {
		return KNOT_ENOENT;
	}
	*summary = (mail_dkim_summary_t){ stored.stamp, stored.body, stored.len };
	return KNOT_EOK;
}

/*! Return whether no key lies below the name that a walk is at. */
static bool has_none_below(walk_t *walk)
{
	const mail_lf_t name = { walk->k.mv_data, walk->k.mv_size };
	MDB_val next;
	/* At the end it stays where it is. */
	if (mdb_cursor_get(walk->cursor, &next, NULL, MDB_NEXT) != MDB_SUCCESS) {
		return true;
	}
	const bool below = mail_lf_below((mail_lf_t){ next.mv_data, next.mv_size }, name);
	walk->rc = mdb_cursor_get(walk->cursor, &next, NULL, MDB_PREV);
	return !below;
}

int mail_txn_domains(mail_txn_t *txn,
                     int (*each)(mail_lf_t name, const mail_domain_t *domain, void *ctx), void *ctx)
{
	walk_t walk = { .step = MDB_NEXT };
	mail_domain_t domain;
	if (!mail_txn_is_active(txn)) {
		return KNOT_EINVAL;
	}
	/* One of its own, so that reading meanwhile does not move it. */
	int ret = mail_store_code(
		mdb_cursor_open(txn->mdb, txn->env->dbi[MAIL_SECTION_DOMAIN], &walk.cursor));
	if (ret != KNOT_EOK) {
		return ret;
	}
	for (walk_step(&walk); walk.rc == MDB_SUCCESS; walk_step(&walk)) {
		if (walk.k.mv_size > MAIL_LF_MAX || !read_domain(&walk.v, &domain)) {
			continue;
		}
		domain.alone = has_none_below(&walk);
		ret = each((mail_lf_t){ walk.k.mv_data, walk.k.mv_size }, &domain, ctx);
		if (ret != KNOT_EOK) {
			goto done;
		}
	}
	if (walk.rc != MDB_NOTFOUND) {
		ret = mail_store_code(walk.rc);
	}
done:
	mdb_cursor_close(walk.cursor);
	return ret;
}

void mail_source_init(mail_source_t *source, mail_txn_t *txn)
{
	*source = (mail_source_t){
		.get = source_get,
		.domain_above = source_domain_above,
		.domain_seek = source_domain_seek,
		.dkim_get = source_dkim_get,
		.dkim_seek = source_dkim_seek,
		.dkim_summary = source_dkim_summary,
		.ctx = txn,
	};
}
