/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Summaries of the DKIM keys of domains with many of them (model/dkim_sum.h), kept in the transaction of a change:
 *
 *     a key is written    its domain has many keys, or a summary            noted, once for a domain
 *     a key is removed    its domain has a summary                          noted, once for a domain
 *     before the commit   what was noted is summed up by one walk of its keys
 *
 * Unlike an index (index.c), a summary is for those who answer, on other servers too: it replicates. Of two of
 * one domain the later one stays, which has the newest change of all keys in any case. Steps of a key that another
 * server wrote meanwhile it may lack until somebody changes a key of that domain.
 */

#include <search.h>
#include <stdlib.h>
#include <time.h>

#include <lmdb.h>

#include "mail/dkim_id.h"
#include "model/dkim_sum.h"
#include "store/internal.h"

/*! What the keys of a domain lie below, as it was noted. */
typedef struct {
	size_t len;
	uint8_t octets[];
} noted_t;

/*! The keys of a domain. */
typedef struct {
	size_t count;
	uint64_t newest;
	int64_t *steps;
	size_t step_count, step_max;
} crowd_t;

static mail_lf_t noted_lf(const noted_t *noted)
{
	return (mail_lf_t){ noted->octets, noted->len };
}

static int noted_compare(const void *a, const void *b)
{
	return mail_lf_compare(noted_lf(a), noted_lf(b));
}

/*!
 * Find what the keys of a domain lie below that a key is one of. A domain that has the label itself is below
 * another one, whose keys count its own, too.
 *
 * \param pos  In and out: where the search goes on.
 */
static bool top_next(mail_lf_t key, size_t *pos, mail_lf_t *top)
{
	static const char label[] = "_domainkey";
	const size_t len = sizeof(label) - 1;
	while (*pos < key.len && key.data[0] != 0) {
		const uint8_t *begin = key.data + *pos;
		const uint8_t *end = memchr(begin, 0, key.len - *pos);
		if (end == NULL) {
			break;
		}
		*pos = (size_t)(end - key.data) + 1;
		if ((size_t)(end - begin) == len && memcmp(begin, label, len) == 0) {
			*top = (mail_lf_t){ key.data, (size_t)(end - key.data) };
			return true;
		}
	}
	return false;
}

static int note(mail_txn_t *txn, mail_lf_t top)
{
	noted_t *noted = malloc(sizeof(*noted) + top.len);
	if (noted == NULL) {
		return mail_txn_fail(txn, ENOMEM);
	}
	noted->len = top.len;
	memcpy(noted->octets, top.data, top.len);
	noted_t **there = tsearch(noted, &txn->crowded, noted_compare);
	if (there == NULL || *there != noted) {
		free(noted);
	}
	return there != NULL ? KNOT_EOK : mail_txn_fail(txn, ENOMEM);
}

/*! Return whether a domain was noted already. */
static bool is_noted(const mail_txn_t *txn, mail_lf_t top)
{
	union {
		noted_t noted;
		uint8_t room[sizeof(noted_t) + MAIL_LF_MAX];
	} key = { .noted.len = top.len };
	if (txn->crowded == NULL) {
		return false;
	}
	memcpy(key.noted.octets, top.data, top.len);
	return tfind(&key.noted, &txn->crowded, noted_compare) != NULL;
}

static bool has_summary(mail_txn_t *txn, mail_lf_t top)
{
	mail_stored_t stored;
	return txn->env->dbi[DB_SUMMARY] != DBI_MISSING &&
	       mail_txn_lookup(txn, DB_SUMMARY, top, &stored) == KNOT_EOK;
}

static bool is_below(const MDB_val *k, mail_lf_t top)
{
	return mail_lf_below((mail_lf_t){ k->mv_data, k->mv_size }, top);
}

/*! Return whether a domain has many keys. */
static bool is_crowded(MDB_cursor *cursor, mail_lf_t top)
{
	MDB_val k = { top.len, (void *)top.data }, v;
	unsigned count = 0;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == MDB_SUCCESS && is_below(&k, top) && ++count <= MAIL_DKIM_FEW) {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	return count > MAIL_DKIM_FEW;
}

int mail_summary_put(mail_txn_t *txn, mail_lf_t key)
{
	mail_lf_t top;
	for (size_t pos = 0; top_next(key, &pos, &top);) {
		MDB_cursor *cursor;
		int ret = mail_txn_cursor(txn, MAIL_SECTION_DKIM, &cursor);
		if (ret == KNOT_EOK && !is_noted(txn, top) &&
		    (is_crowded(cursor, top) || has_summary(txn, top))) {
			ret = note(txn, top);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

int mail_summary_del(mail_txn_t *txn, mail_lf_t key)
{
	mail_lf_t top;
	for (size_t pos = 0; top_next(key, &pos, &top);) {
		int ret = !is_noted(txn, top) && has_summary(txn, top) ? note(txn, top) : KNOT_EOK;
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

/*! Take a key into account. */
static int crowd_add(crowd_t *crowd, const MDB_val *v)
{
	mail_stored_t stored;
	mail_dkim_t dkim = { 0 };
	dkim.error = mail_stored_read(v, &stored);
	dkim.deleted = stored.deleted;
	if (dkim.error == KNOT_EOK && !stored.deleted) {
		dkim.error = mail_codec_dkim(stored.body, stored.len, &dkim);
	}
	crowd->count++;
	if (stored.stamp.timestamp > crowd->newest) {
		crowd->newest = stored.stamp.timestamp;
	}
	if (crowd->step_count + MAIL_DKIM_STEPS > crowd->step_max) {
		const size_t max = 2 * crowd->step_max + 64;
		int64_t *steps = realloc(crowd->steps, max * sizeof(*steps));
		if (steps == NULL) {
			return KNOT_ENOMEM;
		}
		crowd->steps = steps;
		crowd->step_max = max;
	}
	crowd->step_count += mail_dkim_steps(&dkim, crowd->steps + crowd->step_count);
	return KNOT_EOK;
}

/*! Read all keys of a domain. \param crowd Out: its steps are to be freed in any case. */
static int crowd_read(mail_txn_t *txn, mail_lf_t top, crowd_t *crowd)
{
	MDB_cursor *cursor;
	*crowd = (crowd_t){ 0 };
	int rc = mdb_cursor_open(txn->mdb, txn->env->dbi[MAIL_SECTION_DKIM], &cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	int ret = KNOT_EOK;
	MDB_val k = { top.len, (void *)top.data }, v;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == MDB_SUCCESS && is_below(&k, top)) {
		ret = crowd_add(crowd, &v);
		if (ret != KNOT_EOK) {
			break;
		}
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? ret : mail_store_code(rc);
}

/*! Remove the summary of a domain that has few keys now. */
static int summary_remove(mail_txn_t *txn, mail_lf_t top)
{
	MDB_val k = { top.len, (void *)top.data };
	int rc = mdb_del(txn->mdb, txn->env->dbi[DB_SUMMARY], &k, NULL);
	return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? KNOT_EOK : mail_txn_fail(txn, rc);
}

static int summary_write(mail_txn_t *txn, mail_lf_t top)
{
	crowd_t crowd;
	mail_buf_t body = { 0 };
	int ret = mail_txn_database(txn, DB_SUMMARY);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = crowd_read(txn, top, &crowd);
	if (ret != KNOT_EOK) {
		goto done;
	}
	/* What replicates comes back when it is removed; and of few keys nobody reads it. */
	if (crowd.count <= MAIL_DKIM_FEW && !txn->meta.replicated) {
		ret = summary_remove(txn, top);
		goto done;
	}
	ret = mail_dkim_summary_write(crowd.steps, crowd.step_count, time(NULL), &body);
	if (ret == KNOT_EOK) {
		ret = mail_txn_write_at(txn, DB_SUMMARY, top, crowd.newest, &body);
	}
done:
	free(crowd.steps);
	mail_buf_free(&body);
	return ret;
}

int mail_summary_finish(mail_txn_t *txn)
{
	while (txn->crowded != NULL) {
		noted_t *noted = *(noted_t **)txn->crowded;
		int ret = summary_write(txn, noted_lf(noted));
		(void)tdelete(noted, &txn->crowded, noted_compare);
		free(noted);
		if (ret != KNOT_EOK) {
			return mail_txn_fail(txn, ret);
		}
	}
	return KNOT_EOK;
}

/* --- All of them --- */

/*! Function of a walk over the domains that have many keys. */
typedef int (*crowded_f)(mail_txn_t *txn, mail_lf_t top, void *ctx);

/*! Give the domains of a key that has none of theirs before it, those with many keys. */
static int tops_each(mail_txn_t *txn, mail_lf_t key, const mail_lf_storage_t *before,
                     crowded_f each, void *ctx)
{
	mail_lf_t top;
	for (size_t pos = 0; top_next(key, &pos, &top);) {
		MDB_cursor *cursor;
		int ret = mail_txn_cursor(txn, MAIL_SECTION_DKIM, &cursor);
		if (ret == KNOT_EOK && !mail_lf_below(mail_lf(before), top) &&
		    is_crowded(cursor, top)) {
			ret = each(txn, top, ctx);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
	}
	return KNOT_EOK;
}

static int crowded_walk(mail_txn_t *txn, crowded_f each, void *ctx)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	mail_lf_storage_t before = { 0 };
	int ret = KNOT_EOK;
	int rc = mdb_cursor_open(txn->mdb, txn->env->dbi[MAIL_SECTION_DKIM], &cursor);
	if (rc != MDB_SUCCESS) {
		return mail_store_code(rc);
	}
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == MDB_SUCCESS) {
		const mail_lf_t key = { k.mv_data, k.mv_size };
		if (key.len > MAIL_LF_MAX) {
			continue;
		}
		ret = tops_each(txn, key, &before, each, ctx);
		if (ret != KNOT_EOK) {
			break;
		}
		mail_lf_copy(key, &before);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? ret : mail_store_code(rc);
}

static int each_note(mail_txn_t *txn, mail_lf_t top, void *ctx)
{
	(void)ctx;
	return note(txn, top);
}

int mail_summary_fill(mail_txn_t *txn)
{
	int ret = txn->write ? mail_txn_database(txn, DB_SUMMARY) : KNOT_EACCES;
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (!txn->meta.replicated) {
		int rc = mdb_drop(txn->mdb, txn->env->dbi[DB_SUMMARY], 0);
		if (rc != MDB_SUCCESS) {
			return mail_txn_fail(txn, rc);
		}
	}
	ret = crowded_walk(txn, each_note, NULL);
	return ret == KNOT_EOK ? mail_summary_finish(txn) : ret;
}

/*! Return whether two summaries say the same from a second on. */
static bool is_same(const mail_dkim_summary_t *a, const mail_dkim_summary_t *b, int64_t now)
{
	mail_dkim_sum_t one, other;
	do {
		if (mail_dkim_summary_read(a, now, &one) != KNOT_EOK ||
		    mail_dkim_summary_read(b, now, &other) != KNOT_EOK ||
		    one.passed != other.passed || one.coming != other.coming) {
			return false;
		}
		now = one.coming;
	} while (now < INT64_MAX);
	return true;
}

/*! Count a domain whose summary is missing, or says something else than its keys. */
static int each_check(mail_txn_t *txn, mail_lf_t top, void *ctx)
{
	size_t *wrong = ctx;
	crowd_t crowd;
	mail_stored_t stored;
	mail_buf_t body = { 0 };
	const int64_t now = time(NULL);
	int ret = crowd_read(txn, top, &crowd);
	if (ret == KNOT_EOK) {
		ret = mail_dkim_summary_write(crowd.steps, crowd.step_count, now, &body);
	}
	if (ret == KNOT_EOK) {
		const mail_dkim_summary_t expected = { .body = body.data, .len = body.len };
		bool good = has_summary(txn, top) &&
		            mail_txn_lookup(txn, DB_SUMMARY, top, &stored) == KNOT_EOK;
		if (good) {
			/* It may be later: a tombstone was purged. */
			const mail_dkim_summary_t there = { stored.stamp, stored.body, stored.len };
			good = !stored.deleted && stored.stamp.timestamp >= crowd.newest &&
			       is_same(&expected, &there, now);
		}
		*wrong += !good;
	}
	free(crowd.steps);
	mail_buf_free(&body);
	return ret;
}

int mail_summary_check(mail_txn_t *txn, mail_diag_t *diag)
{
	size_t wrong = 0;
	int ret = crowded_walk(txn, each_check, &wrong);
	if (ret != KNOT_EOK || wrong == 0) {
		return ret;
	}
	return mail_store_fail(diag, KNOT_EMALF, "the summary of DKIM keys is wrong for %zu %s",
	                       wrong, wrong == 1 ? "domain" : "domains");
}
