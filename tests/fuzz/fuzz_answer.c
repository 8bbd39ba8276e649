/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question, and a store of whatever octets:
 *
 *     input   = flags type now name *entry
 *     flags   = OCTET              ; 01: UDP; 02: with EDNS (room for 1232 octets)
 *     type    = 2 OCTET            ; QTYPE
 *     now     = 4 OCTET            ; seconds since 1970
 *     name    = len *OCTET         ; QNAME as text
 *     entry   = section keylen key len value
 *     section = OCTET              ; modulo the number of sections; 80: a tombstone
 *     keylen  = 2 OCTET            ; as len: of value in 2 octets, of name in 1
 *
 * What there is no whole of is left out.
 */
#include "fuzz.h"

#include "mail/answer.h"
#include "mail/kind.h"
#include "mail/list.h"

#define ENTRIES_MAX 64
#define ROOM_UDP 512
#define ROOM_EDNS 1232

/* An entry of the store; it points into the input. */
typedef struct {
	mail_section_t section;
	bool deleted;
	mail_lf_t key;
	const uint8_t *value;
	size_t len;
} stored_t;

/* A store: the entries of all sections, sorted by section and key. */
typedef struct {
	stored_t entries[ENTRIES_MAX];
	size_t count;
} store_t;

/* Memory of a packet, freed with it as knotd does it. */
typedef struct chunk {
	struct chunk *next;
	max_align_t memory[];
} chunk_t;

static void *chunk_alloc(void *ctx, size_t size)
{
	chunk_t **chunks = ctx;
	chunk_t *chunk = malloc(sizeof(*chunk) + size);
	FUZZ_REQUIRE(chunk != NULL);
	chunk->next = *chunks;
	*chunks = chunk;
	return chunk->memory;
}

static void chunk_free(void *memory)
{
	(void)memory;
}

static void chunks_free(chunk_t *chunks)
{
	while (chunks != NULL) {
		chunk_t *next = chunks->next;
		free(chunks);
		chunks = next;
	}
}

static const mail_stamp_t stamp_of_all = { .timestamp = UINT64_C(1700000000000000000), .txnid = 5 };

/* The entry of a section that is next to a key; NULL when there is none. */
static const stored_t *find_beside(const store_t *store, mail_section_t section, mail_lf_t key,
                                   mail_seek_t seek)
{
	const stored_t *last = NULL;
	for (size_t i = 0; i < store->count; i++) {
		const stored_t *at = &store->entries[i];
		const int order = mail_lf_compare(at->key, key);
		if (at->section != section) {
			continue;
		}
		if (seek == MAIL_SEEK_BEFORE) {
			last = order < 0 ? at : last;
		} else if (order > 0 || (order == 0 && seek == MAIL_SEEK_FROM)) {
			return at;
		}
	}
	return last;
}

static const stored_t *find(const store_t *store, mail_section_t section, mail_lf_t key)
{
	const stored_t *at = find_beside(store, section, key, MAIL_SEEK_FROM);
	return at != NULL && mail_lf_equal(at->key, key) ? at : NULL;
}

static int source_get(const mail_source_t *source, mail_section_t section, mail_lf_t key,
                      mail_entry_t **entry, mail_stamp_t *stamp)
{
	const stored_t *at = find(source->ctx, section, key);
	if (entry != NULL) {
		*entry = NULL;
	}
	if (stamp != NULL) {
		*stamp = at != NULL ? stamp_of_all : (mail_stamp_t){ 0 };
	}
	if (at == NULL || at->deleted) {
		return KNOT_ENOENT;
	}
	if (entry == NULL) {
		return KNOT_EOK;
	}
	mail_buf_t id = { 0 };
	int ret = mail_entry_id_from_key(section, key, &id);
	if (ret == KNOT_EOK) {
		ret = mail_codec_decode(section, mail_buf_view(&id), at->value, at->len, entry);
	}
	if (ret == KNOT_EOK) {
		(*entry)->stamp = stamp_of_all;
	}
	mail_buf_free(&id);
	return ret;
}

/* Reads a live domain, damaged or not. */
static void read_domain(const stored_t *at, mail_domain_t *domain)
{
	int ret = mail_codec_domain(at->value, at->len, domain);
	if (ret != KNOT_EOK) {
		*domain = (mail_domain_t){ .error = ret };
	}
	domain->stamp = stamp_of_all;
}

static int source_domain_above(const mail_source_t *source, mail_lf_t name, mail_lf_t *above,
                               mail_domain_t *domain)
{
	for (; name.len > 0; name = mail_lf_parent(name)) {
		const stored_t *at = find(source->ctx, MAIL_SECTION_DOMAIN, name);
		if (at != NULL && !at->deleted) {
			*above = name;
			read_domain(at, domain);
			return KNOT_EOK;
		}
	}
	return KNOT_ENOENT;
}

static int source_domain_seek(const mail_source_t *source, mail_lf_t name, mail_seek_t seek,
                              mail_lf_storage_t *found, mail_domain_t *domain)
{
	const stored_t *at = find_beside(source->ctx, MAIL_SECTION_DOMAIN, name, seek);
	seek = seek == MAIL_SEEK_FROM ? MAIL_SEEK_AFTER : seek;
	while (at != NULL && at->deleted) {
		at = find_beside(source->ctx, MAIL_SECTION_DOMAIN, at->key, seek);
	}
	if (at == NULL) {
		return KNOT_ENOENT;
	}
	mail_lf_copy(at->key, found);
	if (domain != NULL) {
		read_domain(at, domain);
	}
	return KNOT_EOK;
}

static int source_dkim_get(const mail_source_t *source, mail_lf_t key, mail_dkim_t *dkim)
{
	const stored_t *at = find(source->ctx, MAIL_SECTION_DKIM, key);
	memset(dkim, 0, sizeof(*dkim));
	int ret = KNOT_ENOENT;
	if (at != NULL) {
		ret = at->deleted ? KNOT_ENOENT : mail_codec_dkim(at->value, at->len, dkim);
		dkim->stamp = stamp_of_all;
	}
	return ret;
}

/* Deleted or damaged ones included. */
static int source_dkim_seek(const mail_source_t *source, mail_lf_t key, mail_seek_t seek,
                            mail_lf_storage_t *found, mail_dkim_t *dkim)
{
	const stored_t *at = find_beside(source->ctx, MAIL_SECTION_DKIM, key, seek);
	memset(dkim, 0, sizeof(*dkim));
	if (at == NULL) {
		return KNOT_ENOENT;
	}
	mail_lf_copy(at->key, found);
	int ret = at->deleted ? KNOT_EOK : mail_codec_dkim(at->value, at->len, dkim);
	if (ret != KNOT_EOK) {
		*dkim = (mail_dkim_t){ .error = ret };
	}
	dkim->deleted = at->deleted;
	dkim->stamp = stamp_of_all;
	return KNOT_EOK;
}

static int compare_stored(const void *a, const void *b)
{
	const stored_t *one = a, *two = b;
	if (one->section != two->section) {
		return one->section < two->section ? -1 : 1;
	}
	return mail_lf_compare(one->key, two->key);
}

/* Reads the entries; of two with the same key, one stays. */
static void read_store(mail_reader_t *in, store_t *store)
{
	while (mail_read_left(in) > 0 && store->count < ENTRIES_MAX) {
		stored_t *at = &store->entries[store->count];
		uint8_t section = mail_read_u8(in);
		at->section = (section & 0x7f) % MAIL_SECTION_COUNT;
		at->deleted = section & 0x80;
		at->key.len = mail_read_u16(in);
		at->key.data = mail_read(in, at->key.len);
		at->len = mail_read_u16(in);
		at->value = mail_read(in, at->len);
		if (in->error != KNOT_EOK || at->key.len == 0 || at->key.len > MAIL_LF_MAX ||
		    find(store, at->section, at->key) != NULL) {
			continue;
		}
		store->count++;
	}
	qsort(store->entries, store->count, sizeof(store->entries[0]), compare_stored);
}

/* A question as it came over the wire; NULL when it is none. */
static knot_pkt_t *make_query(mail_str_t name, uint16_t type)
{
	char text[256];
	if (name.len >= sizeof(text) || memchr(name.data, '\0', name.len) != NULL) {
		return NULL;
	}
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	knot_dname_storage_t qname;
	if (knot_dname_from_str(qname, text, sizeof(qname)) == NULL) {
		return NULL;
	}
	knot_pkt_t *query = knot_pkt_new(NULL, ROOM_UDP, NULL);
	FUZZ_REQUIRE(query != NULL);
	FUZZ_REQUIRE(knot_pkt_put_question(query, qname, KNOT_CLASS_IN, type) == KNOT_EOK);
	FUZZ_REQUIRE(knot_pkt_parse(query, 0) == KNOT_EOK);
	return query;
}

/* Answers a question, and looks at what it is that came out. */
static knot_pkt_t *answer(const mail_question_t *question, const knot_pkt_t *query, size_t room,
                          knot_mm_t *mm)
{
	mail_reply_t reply = { 0 };
	knot_pkt_t *pkt = knot_pkt_new(NULL, KNOT_WIRE_MAX_PKTSIZE, mm);
	FUZZ_REQUIRE(pkt != NULL);
	FUZZ_REQUIRE(knot_pkt_init_response(pkt, query) == KNOT_EOK);
	pkt->max_size = room;
	FUZZ_REQUIRE(knot_pkt_begin(pkt, KNOT_ANSWER) == KNOT_EOK);
	mail_hosted_t hosted;
	if (mail_answer_find(question->source, pkt, &hosted) == KNOT_EOK) {
		mail_answer(question, &hosted, pkt, &reply);
	}
	FUZZ_REQUIRE(reply.outcome < MAIL_OUTCOME_COUNT);
	FUZZ_REQUIRE(reply.kind <= MAIL_KIND_COUNT);
	FUZZ_REQUIRE(pkt->size <= room);
	FUZZ_REQUIRE(question->udp || !knot_wire_get_tc(pkt->wire) ||
	             reply.outcome == MAIL_OUTCOME_FAILED);
	if (reply.outcome == MAIL_OUTCOME_FAILED) {
		FUZZ_REQUIRE(reply.reason[0] != '\0');
		FUZZ_REQUIRE(reply.rcode == KNOT_RCODE_SERVFAIL);
	} else if (reply.outcome == MAIL_OUTCOME_NXDOMAIN) {
		FUZZ_REQUIRE(reply.rcode == KNOT_RCODE_NXDOMAIN);
	}
	/* A resolver can read it. */
	knot_pkt_t *read = knot_pkt_new(pkt->wire, pkt->size, NULL);
	FUZZ_REQUIRE(read != NULL);
	FUZZ_REQUIRE(knot_pkt_parse(read, 0) == KNOT_EOK);
	knot_pkt_free(read);
	return pkt;
}

static int count_rrsets(const mail_listed_t *listed, void *ctx)
{
	FUZZ_REQUIRE(listed->rrset->rrs.count > 0);
	FUZZ_REQUIRE(++*(size_t *)ctx < 100000);
	return KNOT_EOK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mail_reader_t in = MAIL_READER(data, size);
	store_t store = { .count = 0 };
	uint8_t flags = mail_read_u8(&in);
	uint16_t type = mail_read_u16(&in);
	uint32_t now = mail_read_u32(&in);
	mail_str_t name = { .len = mail_read_u8(&in) };
	name.data = (const char *)mail_read(&in, name.len);
	knot_pkt_t *query = in.error == KNOT_EOK ? make_query(name, type) : NULL;
	if (query == NULL) {
		return 0;
	}
	read_store(&in, &store);

	mail_source_t source = {
		.get = source_get,
		.domain_above = source_domain_above,
		.domain_seek = source_domain_seek,
		.dkim_get = source_dkim_get,
		.dkim_seek = source_dkim_seek,
		.ctx = &store,
	};
	mail_question_t question = { .source = &source, .now = now, .udp = flags & 1 };
	question.cache = mail_cache_new(MAIL_CACHE_OCTETS);
	FUZZ_REQUIRE(question.cache != NULL);
	mail_cache_sync(question.cache, 1, 5);
	size_t room = !question.udp ? KNOT_WIRE_MAX_PKTSIZE : flags & 2 ? ROOM_EDNS : ROOM_UDP;
	chunk_t *chunks = NULL;
	knot_mm_t mm = { .ctx = &chunks, .alloc = chunk_alloc, .free = chunk_free };
	knot_pkt_t *one = answer(&question, query, room, &mm);
	/* A moved transaction without a change changes no answer. */
	mail_cache_sync(question.cache, 1, 6);
	knot_pkt_t *two = answer(&question, query, room, &mm);
	FUZZ_REQUIRE(one->size == two->size && memcmp(one->wire, two->wire, one->size) == 0);
	knot_pkt_free(one);
	knot_pkt_free(two);
	chunks_free(chunks);
	mail_cache_free(question.cache);

	mail_diag_t diag = { 0 };
	size_t rrsets = 0;
	const mail_listing_t listing = { .source = &source,
		                         .now = now,
		                         .reports = true,
		                         .each = count_rrsets,
		                         .ctx = &rrsets,
		                         .diag = &diag };
	(void)mail_answer_list(&listing, name);
	knot_pkt_free(query);
	return 0;
}
