/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signatures by content.
 *
 * The table is a row of sets, each of 7 chunks of 64 octets with their digests: an ECDSA or Ed25519 signature is
 * one chunk, an RSA signature several, each in a set of its own.
 *
 *     text and key -> digest (128 bits) -> set (some bits of it)
 *                                           |
 *     sets  [ 0 ][ 1 ] ...                [ i ] ...       one set: 576 octets, 9 cache lines
 *                                           |
 *     sequence, marks, hand | digest 0 .. digest 6 | chunk 0 .. chunk 6
 *
 * A set has a sequence number, which is odd while
 * somebody writes: a reader whose number moved reads again, a writer who finds it odd gives up, as a signature
 * that is not kept is made again when it is next asked for. All words are read with acquire and written with
 * release order: who reads one word of a new chunk then sees the new number too, and on common processors both
 * are plain moves.
 *
 * Which chunk of a full set makes room: the hand goes round, passes a chunk with a mark and takes the mark away,
 * and stops at one without. Readers set the mark, new chunks have none. So what is asked for stays, and what was
 * asked for once, or before the signatures were made anew, goes.
 *
 * The table begins small and doubles: when so many signatures took the place of others within some time that room is
 * short, and not by and by, as those that are made anew do. A digest then belongs to another set, the same part of
 * the larger table. What the smaller one had is looked for at its old place too, and comes to the new one when it is
 * asked for; so readers need no lock for that either. The address space is there from the beginning, the memory is not.
 *
 *     level 0   [ first ]
 *     level 1   [ first          ]                    looked up here, then as in level 0
 *     level 2   [ first                          ]    looked up here, then as in level 1
 *
 * The digest is NH, the first step of VMAC, over blocks of 1024 octets, twice with shifted keys, of which
 * SipHash-1-3 makes 128 bits: whoever does not know the keys finds no two texts with one digest, and most of
 * the work is two multiplications for 16 octets. The keys are random and live as long as the cache.
 */
#include "config.h"

#include "crypto/signatures.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WAYS 7
#define CHUNK_WORDS 8
#define CHUNK_LEN (CHUNK_WORDS * sizeof(uint64_t))
/* How often a reader looks at a set that is being written. */
#define TRIES 64
/* Words of a block of NH, and by how many the second key is shifted. */
#define BLOCK_WORDS 128
#define SHIFT_WORDS 2
#define KEY_WORDS (BLOCK_WORDS + SHIFT_WORDS)
#define SIP_WORDS 2
/* Keeps the chunks of a signature apart: 2^64 over the golden ratio. */
#define CHUNK_STEP 0x9e3779b97f4a7c15u
/* The table at first: a large page of the kernel. */
#define FIRST_LEN ((size_t)2 << 20)
/* How often a table can become larger: until it is larger than any address space. */
#define LEVELS 64
/* It does when chunks took the place of others in one of so many sets, within so many seconds. */
#define SHORT_PART 16
#define SHORT_TIME 600

typedef atomic_uint_least64_t word_t;
typedef unsigned __int128 wide_t;

typedef struct {
	atomic_uint_least32_t sequence;
	atomic_uint_least32_t marks; /*!< A bit for each chunk. */
	uint32_t hand;               /*!< The writer's. */
	uint32_t unused;
	struct {
		word_t low, high; /*!< Both 0: free. */
	} digests[WAYS];
	word_t chunks[WAYS][CHUNK_WORDS];
} set_t;

static_assert(sizeof(set_t) % 64 == 0, "sets do not share cache lines");

struct mail_signatures {
	set_t *sets;
	void *map;
	size_t map_len;
	size_t counts[LEVELS]; /*!< Sets of each level; the last one's is the bound. */
	unsigned top;          /*!< The last level. */
	atomic_uint level;
	atomic_size_t replaced;     /*!< Chunks that took the place of others since... */
	atomic_int_least64_t since; /*!< ... this second. */
	uint64_t key[KEY_WORDS];
	uint64_t sip[SIP_WORDS];
};

/* --- Digest --- */

/*! A digest being made. */
typedef struct {
	const uint64_t *key;
	size_t pos; /*!< Word of the block. */
	wide_t first, second;
	uint64_t v[4];
} hash_t;

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static inline uint64_t sip_end(uint64_t v[4])
{
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/*! End a block. */
static void hash_flush(hash_t *hash)
{
	sip_word(hash->v, (uint64_t)hash->first);
	sip_word(hash->v, (uint64_t)(hash->first >> 64));
	sip_word(hash->v, (uint64_t)hash->second);
	sip_word(hash->v, (uint64_t)(hash->second >> 64));
	hash->first = hash->second = 0;
	hash->pos = 0;
}

/*! Take pairs of words of a block in. */
static inline void hash_pairs(hash_t *hash, const uint8_t *octets, size_t words)
{
	/* Not in place: for all the compiler knows, the octets are there too. */
	const uint64_t *key = hash->key + hash->pos;
	wide_t first = hash->first, second = hash->second;
#pragma GCC unroll 4
	for (size_t i = 0; i < words; i += 2) {
		uint64_t pair[2];
		memcpy(pair, octets + i * sizeof(uint64_t), sizeof(pair));
		first += (wide_t)(pair[0] + key[i]) * (pair[1] + key[i + 1]);
		second += (wide_t)(pair[0] + key[i + SHIFT_WORDS]) *
		          (pair[1] + key[i + SHIFT_WORDS + 1]);
	}
	hash->first = first;
	hash->second = second;
	hash->pos += words;
	if (hash->pos == BLOCK_WORDS) {
		hash_flush(hash);
	}
}

/*! Take octets in, filled up with zeros: their number is taken in at the end. */
static inline void hash_octets(hash_t *hash, const uint8_t *octets, size_t len)
{
	while (len >= 2 * sizeof(uint64_t)) {
		size_t words = len / sizeof(uint64_t) & ~(size_t)1;
		if (words > BLOCK_WORDS - hash->pos) {
			words = BLOCK_WORDS - hash->pos;
		}
		hash_pairs(hash, octets, words);
		octets += words * sizeof(uint64_t);
		len -= words * sizeof(uint64_t);
	}
	if (len > 0) {
		uint8_t last[2 * sizeof(uint64_t)] = { 0 };
		memcpy(last, octets, len);
		hash_pairs(hash, last, 2);
	}
}

mail_digest_t mail_signatures_digest(const mail_signatures_t *signatures, mail_str_t public_key,
                                     const uint8_t *octets, size_t len)
{
	uint64_t k0 = signatures->sip[0], k1 = signatures->sip[1];
	hash_t hash = {
		.key = signatures->key,
		.v = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du ^ 0xee,
		       k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u },
	};
	hash_octets(&hash, (const uint8_t *)public_key.data, public_key.len);
	hash_octets(&hash, octets, len);
	if (hash.pos > 0) {
		hash_flush(&hash);
	}
	sip_word(hash.v, (uint64_t)public_key.len << 32 ^ len);

	mail_digest_t digest;
	hash.v[2] ^= 0xee;
	digest.low = sip_end(hash.v);
	hash.v[1] ^= 0xdd;
	digest.high = sip_end(hash.v);
	return digest;
}

/* --- Chunks --- */

/*! Return the digest of a chunk of a signature. */
static inline mail_digest_t chunk_digest(mail_digest_t digest, size_t i)
{
	digest.low += i * CHUNK_STEP;
	digest.high = (digest.high ^ i) | 1; /* Never 0. */
	return digest;
}

static inline set_t *chunk_set(const mail_signatures_t *signatures, unsigned level,
                               mail_digest_t digest)
{
	return signatures->sets + (size_t)((wide_t)digest.low * signatures->counts[level] >> 64);
}

static inline uint64_t word_load(const word_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static inline void word_store(word_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/*! Return the place of a digest in a set, or WAYS. */
static inline unsigned way_find(const set_t *set, mail_digest_t digest)
{
	unsigned way = 0;
	while (way < WAYS && (word_load(&set->digests[way].low) != digest.low ||
	                      word_load(&set->digests[way].high) != digest.high)) {
		way++;
	}
	return way;
}

/*! Note that a chunk was used. Mostly that is known, and nothing is written. */
static inline void way_mark(set_t *set, unsigned way)
{
	if ((atomic_load_explicit(&set->marks, memory_order_relaxed) & 1u << way) == 0) {
		atomic_fetch_or_explicit(&set->marks, 1u << way, memory_order_relaxed);
	}
}

static bool chunk_get(set_t *set, mail_digest_t digest, uint64_t words[CHUNK_WORDS])
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t sequence = atomic_load_explicit(&set->sequence, memory_order_acquire);
		if (sequence & 1) {
			continue;
		}
		unsigned way = way_find(set, digest);
		for (size_t k = 0; way < WAYS && k < CHUNK_WORDS; k++) {
			words[k] = word_load(&set->chunks[way][k]);
		}
		if (atomic_load_explicit(&set->sequence, memory_order_relaxed) != sequence) {
			continue;
		}
		if (way < WAYS) {
			way_mark(set, way);
		}
		return way < WAYS;
	}
	return false;
}

/*! The place for a new chunk: a free one, or where the hand stops. */
static unsigned way_choose(set_t *set)
{
	for (;;) {
		unsigned way = set->hand;
		set->hand = (way + 1) % WAYS;
		uint32_t bit = 1u << way;
		if (word_load(&set->digests[way].high) == 0 ||
		    (atomic_fetch_and_explicit(&set->marks, ~bit, memory_order_relaxed) & bit) ==
		            0) {
			return way;
		}
	}
}

/*! Write a chunk, unless another thread writes there. \return Whether it took the place of another one. */
static bool chunk_put(set_t *set, mail_digest_t digest, const uint64_t words[CHUNK_WORDS])
{
	bool replaced = false;
	uint32_t sequence = atomic_load_explicit(&set->sequence, memory_order_relaxed);
	if ((sequence & 1) ||
	    !atomic_compare_exchange_strong_explicit(&set->sequence, &sequence, sequence + 1,
	                                             memory_order_acquire, memory_order_relaxed)) {
		return false;
	}
	if (way_find(set, digest) == WAYS) {
		unsigned way = way_choose(set);
		replaced = word_load(&set->digests[way].high) != 0;
		word_store(&set->digests[way].low, digest.low);
		word_store(&set->digests[way].high, digest.high);
		for (size_t k = 0; k < CHUNK_WORDS; k++) {
			word_store(&set->chunks[way][k], words[k]);
		}
	}
	atomic_store_explicit(&set->sequence, sequence + 2, memory_order_release);
	return replaced;
}

static inline size_t chunk_len(size_t left)
{
	return left < CHUNK_LEN ? left : CHUNK_LEN;
}

/*! Find a chunk at its place, or at that of the smaller table; then it comes to its place. */
static bool chunk_find(mail_signatures_t *signatures, mail_digest_t digest,
                       uint64_t words[CHUNK_WORDS])
{
	const unsigned level = atomic_load_explicit(&signatures->level, memory_order_relaxed);
	set_t *set = chunk_set(signatures, level, digest);
	if (chunk_get(set, digest, words)) {
		return true;
	}
	if (level == 0 || !chunk_get(chunk_set(signatures, level - 1, digest), digest, words)) {
		return false;
	}
	(void)chunk_put(set, digest, words);
	return true;
}

bool mail_signatures_get(mail_signatures_t *signatures, mail_digest_t digest, uint8_t *signature,
                         size_t len)
{
	if (signatures->sets == NULL) {
		return false;
	}
	for (size_t i = 0; i * CHUNK_LEN < len; i++) {
		uint64_t words[CHUNK_WORDS];
		if (!chunk_find(signatures, chunk_digest(digest, i), words)) {
			return false;
		}
		memcpy(signature + i * CHUNK_LEN, words, chunk_len(len - i * CHUNK_LEN));
	}
	return true;
}

/*! Note that chunks took the place of others, and make the table larger when that happens often. */
static void note_replaced(mail_signatures_t *signatures, unsigned level, size_t count, int64_t now)
{
	if (now - atomic_load(&signatures->since) >= SHORT_TIME) {
		atomic_store(&signatures->since, now);
		atomic_store(&signatures->replaced, 0);
	}
	const size_t all = atomic_fetch_add(&signatures->replaced, count) + count;
	if (level < signatures->top && all * SHORT_PART >= signatures->counts[level] &&
	    atomic_compare_exchange_strong(&signatures->level, &level, level + 1)) {
		atomic_store(&signatures->replaced, 0);
	}
}

void mail_signatures_put(mail_signatures_t *signatures, mail_digest_t digest,
                         const uint8_t *signature, size_t len, int64_t now)
{
	size_t replaced = 0;
	if (signatures->sets == NULL) {
		return;
	}
	const unsigned level = atomic_load_explicit(&signatures->level, memory_order_relaxed);
	for (size_t i = 0; i * CHUNK_LEN < len; i++) {
		uint64_t words[CHUNK_WORDS] = { 0 };
		mail_digest_t chunk = chunk_digest(digest, i);
		memcpy(words, signature + i * CHUNK_LEN, chunk_len(len - i * CHUNK_LEN));
		replaced += chunk_put(chunk_set(signatures, level, chunk), chunk, words);
	}
	if (replaced > 0) {
		note_replaced(signatures, level, replaced, now);
	}
}

size_t mail_signatures_used(const mail_signatures_t *signatures)
{
	return signatures->counts[atomic_load(&signatures->level)] * sizeof(set_t);
}

/* --- The cache --- */

/*! Take the address space for the table, so that it begins with a large page. */
static bool take_map(mail_signatures_t *signatures, size_t len)
{
	if (len > SIZE_MAX - FIRST_LEN) {
		return false;
	}
	signatures->map_len = len + FIRST_LEN;
	signatures->map = mmap(NULL, signatures->map_len, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (signatures->map == MAP_FAILED) {
		signatures->map = NULL;
		return false;
	}
	const size_t behind = (uintptr_t)signatures->map % FIRST_LEN;
	uint8_t *begin = (uint8_t *)signatures->map + (behind > 0 ? FIRST_LEN - behind : 0);
	signatures->sets = (set_t *)begin;
	/* Asked for at random: with small pages, each look is a miss of the TLB, and each first one a fault. */
	(void)madvise(begin, len, MADV_HUGEPAGE);
	return true;
}

mail_signatures_t *mail_signatures_new(size_t octets)
{
	mail_signatures_t *signatures = calloc(1, sizeof(*signatures));
	if (signatures == NULL) {
		return NULL;
	}
	const size_t bound = octets / sizeof(set_t);
	while ((bound >> signatures->top) * sizeof(set_t) > FIRST_LEN) {
		signatures->top++;
	}
	for (unsigned level = 0; level <= signatures->top; level++) {
		signatures->counts[level] = bound >> (signatures->top - level);
	}
	if (RAND_bytes((uint8_t *)signatures->key, sizeof(signatures->key)) != 1 ||
	    RAND_bytes((uint8_t *)signatures->sip, sizeof(signatures->sip)) != 1) {
		ERR_clear_error();
		free(signatures);
		return NULL;
	}
	if (bound > 0 && !take_map(signatures, bound * sizeof(set_t))) {
		free(signatures);
		return NULL;
	}
	return signatures;
}

void mail_signatures_free(mail_signatures_t *signatures)
{
	if (signatures == NULL) {
		return;
	}
	if (signatures->map != NULL) {
		(void)munmap(signatures->map, signatures->map_len);
	}
	OPENSSL_cleanse(signatures, sizeof(*signatures));
	free(signatures);
}
