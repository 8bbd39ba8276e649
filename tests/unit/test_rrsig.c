/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrsig.h"

#include "lib/signing.h"

#define OCTETS_MAX 4096
#define SIGNER                                                                                     \
	"\x07"                                                                                     \
	"example\x03"                                                                              \
	"com"
#define MAIL_EXAMPLE                                                                               \
	"\x04"                                                                                     \
	"mail" SIGNER

/*! RDATA of an RR. */
typedef struct {
	const char *octets;
	size_t len;
} rdata_t;

/* RDATA of a string literal, without its terminator. */
#define RDATA(s)                                                                                   \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

/*! Put RDATA in a row as they are given, as no libknot function does. */
static size_t rrset_fill(knot_rrset_t *rrset, uint8_t *memory, const rdata_t *rdata, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		knot_rdata_t *row = (knot_rdata_t *)(memory + len);
		knot_rdata_init(row, (uint16_t)rdata[i].len, (const uint8_t *)rdata[i].octets);
		len += knot_rdata_size((uint16_t)rdata[i].len);
	}
	rrset->rrs = (knot_rdataset_t){ .count = (uint16_t)count,
		                        .size = (uint32_t)len,
		                        .rdata = (knot_rdata_t *)memory };
	return len;
}

/* Signatures that others have published. */
static void test_published(void)
{
	static const struct {
		const char *from;
		const char *owner;
		const char *signer;
		uint16_t type;
		rdata_t rdata;
		mail_algorithm_t algorithm;
		uint32_t expiration, inception;
		uint16_t tag;
		const char *public_key;
		const char *signature;
	} cases[] = {
		{ "RFC 8080 6.1", "example.com", "example.com", KNOT_RRTYPE_MX,
		  RDATA("\0\x0a" MAIL_EXAMPLE "\0"), MAIL_ALGORITHM_ED25519, 1440021600, 1438207200,
		  3613, "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
		  "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqN"
		  "Ag==" },
		{ "RFC 8080 6.1, the second", "Example.COM", "example.com", KNOT_RRTYPE_MX,
		  RDATA("\0\x0a\x04MAIL" SIGNER "\0"), MAIL_ALGORITHM_ED25519, 1440021600,
		  1438207200, 35217, "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=",
		  "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pc"
		  "Bg==" },
		{ "RFC 6605 6.1", "www.example.net", "example.net", KNOT_RRTYPE_A,
		  RDATA("\xc0\0\x02\x01"), MAIL_ALGORITHM_ECDSAP256SHA256, 1284026679, 1281607479,
		  55648,
		  "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8N"
		  "AA==",
		  "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666V"
		  "Cw==" },
		{ "RFC 5702 6.1", "www.example.net", "example.net", KNOT_RRTYPE_A,
		  RDATA("\xc0\0\x02\x5b"), MAIL_ALGORITHM_RSASHA256, 1893456000, 946684800, 9033,
		  "AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/D"
		  "lUmObdk=",
		  "kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4b"
		  "wg==" },
	};
	EACH(c, cases) {
		knot_dname_t *owner = signing_name(c->owner);
		knot_dname_t *signer = signing_name(c->signer);
		mail_rrsig_t rrsig = {
			.signer = signer,
			.owner = owner,
			.original_ttl = 3600,
			.inception = c->inception,
			.expiration = c->expiration,
			.tag = c->tag,
			.algorithm = (uint8_t)c->algorithm,
		};
		knot_rrset_t rrset;
		uint8_t memory[256], octets[OCTETS_MAX], signature[MAIL_SIGNATURE_MAX];
		size_t rdata_len = 0;
		knot_rrset_init(&rrset, NULL, c->type, KNOT_CLASS_IN, 60);
		rrset_fill(&rrset, memory, &c->rdata, 1);
		int len = mail_rrsig_octets(&rrsig, &rrset, octets, sizeof(octets), &rdata_len);
		CHECK(rdata_len == 18 + knot_dname_size(signer), "%s", c->from);

		mail_dnskey_t key = signing_dnskey(c->algorithm, c->tag, c->public_key);
		size_t signature_len = signing_base64(c->signature, signature);
		if (CHECK(len > 0, "%s: %d", c->from, len)) {
			CHECK(signing_verify(&key, octets, len, signature, signature_len),
			      "%s: the signature is bad", c->from);
			octets[len - 1] ^= 1;
			CHECK(!signing_verify(&key, octets, len, signature, signature_len),
			      "%s: any signature is good", c->from);
		}
		knot_dname_free(owner, NULL);
		knot_dname_free(signer, NULL);
	}
}

/*! What every RR of the tests below begins with. */
static size_t frame_make(uint8_t *out, const char *owner, size_t owner_len, uint16_t type)
{
	memcpy(out, owner, owner_len);
	knot_wire_write_u16(out + owner_len, type);
	knot_wire_write_u16(out + owner_len + 2, KNOT_CLASS_IN);
	knot_wire_write_u32(out + owner_len + 4, 300);
	return owner_len + 8;
}

static int octets_make(uint16_t type, const rdata_t *rdata, size_t count, uint8_t *out, size_t cap,
                       size_t *rdata_len)
{
	mail_rrsig_t rrsig = {
		.signer = (const knot_dname_t *)SIGNER,
		.owner = (const knot_dname_t *)"\x01*" SIGNER,
		.original_ttl = 300,
		.inception = 0x01020304,
		.expiration = 0x05060708,
		.tag = 0x090a,
		.algorithm = 13,
	};
	knot_rrset_t rrset;
	uint8_t memory[OCTETS_MAX];
	knot_rrset_init(&rrset, NULL, type, KNOT_CLASS_IN, 60);
	rrset_fill(&rrset, memory, rdata, count);
	return mail_rrsig_octets(&rrsig, &rrset, out, cap, rdata_len);
}

/* Canonical form and order (RFC 4034 6.2, 6.3; RFC 6840 5.1). */
static void test_canonical(void)
{
	static const struct {
		uint16_t type;
		size_t count;
		rdata_t in[5];
		size_t out_count;
		rdata_t out[5];
	} cases[] = {
		{ KNOT_RRTYPE_A, 1, { RDATA("\1\2\3\4") }, 1, { RDATA("\1\2\3\4") } },
		{ KNOT_RRTYPE_A,
		  3,
		  { RDATA("\1\2\3\4"), RDATA("\1\2\3\5"), RDATA("\2\0\0\0") },
		  3,
		  { RDATA("\1\2\3\4"), RDATA("\1\2\3\5"), RDATA("\2\0\0\0") } },
		/* Any order comes out right; a shorter one goes before a longer one that it begins. */
		{ KNOT_RRTYPE_TXT,
		  5,
		  { RDATA("\2bb"), RDATA("\1a"), RDATA("\2aa\1b"), RDATA("\2aa"), RDATA("\1a") },
		  4,
		  { RDATA("\1a"), RDATA("\2aa"), RDATA("\2aa\1b"), RDATA("\2bb") } },
		/* Octets are without sign. */
		{ KNOT_RRTYPE_TXT,
		  2,
		  { RDATA("\1\xff"), RDATA("\1\x01") },
		  2,
		  { RDATA("\1\x01"), RDATA("\1\xff") } },
		/* Small letters change the order: sorted as it came, \1B goes before \1a. */
		{ KNOT_RRTYPE_NS,
		  3,
		  { RDATA("\1B\0"), RDATA("\1C\0"), RDATA("\1a\0") },
		  3,
		  { RDATA("\1a\0"), RDATA("\1b\0"), RDATA("\1c\0") } },
		/* And make equals: one is left (RFC 4034 6.3). */
		{ KNOT_RRTYPE_NS,
		  3,
		  { RDATA("\1A\0"), RDATA("\1B\0"), RDATA("\1a\0") },
		  2,
		  { RDATA("\1a\0"), RDATA("\1b\0") } },
		{ KNOT_RRTYPE_MX,
		  2,
		  { RDATA("\0\1\2Mx\0"), RDATA("\x41\x42\2Mx\0") },
		  2,
		  { RDATA("\0\1\2mx\0"), RDATA("\x41\x42\2mx\0") } },
		{ KNOT_RRTYPE_SRV, 1, { RDATA("\0A\0B\0C\1S\0") }, 1, { RDATA("\0A\0B\0C\1s\0") } },
		{ KNOT_RRTYPE_SOA,
		  1,
		  { RDATA("\1M\0\1R\0AAAABBBBCCCCDDDDEEEE") },
		  1,
		  { RDATA("\1m\0\1r\0AAAABBBBCCCCDDDDEEEE") } },
		{ KNOT_RRTYPE_CNAME, 1, { RDATA("\1C\1D\0") }, 1, { RDATA("\1c\1d\0") } },
		{ KNOT_RRTYPE_NAPTR,
		  1,
		  { RDATA("\0A\0B\1U\3E2U\2!A\1N\0") },
		  1,
		  { RDATA("\0A\0B\1U\3E2U\2!A\1n\0") } },
		{ KNOT_RRTYPE_MINFO, 1, { RDATA("\1A\0\1B\0") }, 1, { RDATA("\1a\0\1b\0") } },
		{ KNOT_RRTYPE_MB, 1, { RDATA("\1A\0") }, 1, { RDATA("\1a\0") } },
		/* Not in NSEC (RFC 6840 5.1), nor in what came after RFC 3597. */
		{ KNOT_RRTYPE_NSEC, 1, { RDATA("\1A\0\0\1\x40") }, 1, { RDATA("\1A\0\0\1\x40") } },
		{ KNOT_RRTYPE_SVCB, 1, { RDATA("\0\1\1A\0") }, 1, { RDATA("\0\1\1A\0") } },
		{ KNOT_RRTYPE_TXT, 1, { RDATA("\1A") }, 1, { RDATA("\1A") } },
		{ 65280, 1, { RDATA("\1A\0") }, 1, { RDATA("\1A\0") } },
		{ 65280, 2, { RDATA("A"), RDATA("") }, 2, { RDATA(""), RDATA("A") } },
	};
	EACH(c, cases) {
		static const char owner[] = "\x01*" SIGNER;
		uint8_t octets[OCTETS_MAX], expected[OCTETS_MAX];
		size_t rdata_len = 0, pos = 0;
		int len = octets_make(c->type, c->in, c->count, octets, sizeof(octets), &rdata_len);
		for (size_t k = 0; k < c->out_count; k++) {
			const rdata_t *rdata = &c->out[k];
			pos += frame_make(expected + pos, owner, sizeof(owner), c->type);
			knot_wire_write_u16(expected + pos, (uint16_t)rdata->len);
			memcpy(expected + pos + 2, rdata->octets, rdata->len);
			pos += 2 + rdata->len;
		}
		CHECK_INT(rdata_len, 18 + sizeof(SIGNER));
		CHECK(len == (int)(rdata_len + pos) &&
		              memcmp(octets + rdata_len, expected, pos) == 0,
		      "%d, not %zu", len, rdata_len + pos);
	}
}

/* The RDATA up to the signature (RFC 4034 3.1). */
static void test_rdata(void)
{
	static const struct {
		const char *owner;
		uint8_t labels;
	} cases[] = {
		{ "example.com", 2 }, { "*.example.com", 2 },  { "a.*.example.com", 4 }, { ".", 0 },
		{ "*", 0 },           { "**.example.com", 3 }, { "x.example.com", 3 },
	};
	static const rdata_t address = RDATA("\1\2\3\4");
	EACH(c, cases) {
		knot_dname_t *owner = signing_name(c->owner);
		mail_rrsig_t rrsig = {
			.signer = (const knot_dname_t *)"\7Example\3COM",
			.owner = owner,
			.original_ttl = 300,
			.inception = 0x01020304,
			.expiration = 0x05060708,
			.tag = 0x090a,
			.algorithm = 15,
		};
		uint8_t expected[] = "\0\1\x0f\0\0\0\1\x2c\5\6\7\x8\1\2\3\4\x9\x0a" SIGNER;
		uint8_t memory[64], octets[512];
		size_t rdata_len;
		knot_rrset_t rrset;
		expected[3] = c->labels;
		knot_rrset_init(&rrset, NULL, KNOT_RRTYPE_A, KNOT_CLASS_IN, 60);
		rrset_fill(&rrset, memory, &address, 1);
		int len = mail_rrsig_octets(&rrsig, &rrset, octets, sizeof(octets), &rdata_len);
		CHECK(len > (int)sizeof(expected) && rdata_len == sizeof(expected) &&
		              memcmp(octets, expected, sizeof(expected)) == 0,
		      "'%s': %d", c->owner, len);
		knot_dname_free(owner, NULL);
	}
}

/* RDATA that no server should have. */
static void test_malformed(void)
{
	static const struct {
		uint16_t type;
		rdata_t rdata;
	} cases[] = {
		{ KNOT_RRTYPE_NS, RDATA("") },
		{ KNOT_RRTYPE_NS, RDATA("\1") },
		{ KNOT_RRTYPE_NS, RDATA("\1a") },
		{ KNOT_RRTYPE_NS, RDATA("\1a\0x") },
		{ KNOT_RRTYPE_NS, RDATA("\1a\xc0\0") },
		{ KNOT_RRTYPE_NS, RDATA("\x40") },
		{ KNOT_RRTYPE_MX, RDATA("\0") },
		{ KNOT_RRTYPE_MX, RDATA("\0\1") },
		{ KNOT_RRTYPE_SOA, RDATA("\0\0") },
		{ KNOT_RRTYPE_NAPTR, RDATA("\0\0\0\0\1") },
		{ KNOT_RRTYPE_SRV, RDATA("\0\0\0\0\0") },
	};
	EACH(c, cases) {
		uint8_t octets[256];
		size_t rdata_len;
		int ret = octets_make(c->type, &c->rdata, 1, octets, sizeof(octets), &rdata_len);
		CHECK_INT(ret, KNOT_EMALF);
	}
	uint8_t octets[256];
	size_t rdata_len;
	CHECK_INT(octets_make(KNOT_RRTYPE_A, NULL, 0, octets, sizeof(octets), &rdata_len),
	          KNOT_EMALF);
}

static void test_space(void)
{
	static const rdata_t rdata[] = { RDATA("\2bb"), RDATA("\2aa"), RDATA("\1a") };
	uint8_t octets[512];
	size_t rdata_len;
	int len = octets_make(KNOT_RRTYPE_TXT, rdata, 3, octets, sizeof(octets), &rdata_len);
	REQUIRE(len > 0);
	for (int cap = 0; cap <= len; cap++) {
		uint8_t *exact = malloc(cap + 1);
		int ret = octets_make(KNOT_RRTYPE_TXT, rdata, 3, exact, cap, &rdata_len);
		CHECK(ret == (cap < len ? KNOT_ESPACE : len), "room %d: %d", cap, ret);
		free(exact);
	}
}

/* The times of RRSIGs. */
static void test_period(void)
{
	static const struct {
		int64_t now;
		uint32_t ttl;
	} cases[] = {
		{ 1700000000, 0 },
		{ 1700000000, 3600 },
		{ 1700000000, 86400 },
		{ 1700000000, 6 * 86400 },
		{ 1700000000, 30 * 86400 },
		{ 0, 3600 },
		{ -5, 3600 },
		{ INT64_C(0xffffffff) - 100, 3600 },
		{ INT64_C(0x100000000), 3600 },
	};
	EACH(c, cases) {
		for (int64_t step = 0; step < 3 * MAIL_RRSIG_GRID; step += 3571) {
			int64_t now = c->now + step;
			mail_rrsig_t rrsig = { .signer = (const knot_dname_t *)SIGNER,
				               .original_ttl = c->ttl };
			mail_rrsig_period(&rrsig, now);
			/* Serial numbers (RFC 4034 3.1.5). */
			int32_t since = (int32_t)((uint32_t)now - rrsig.inception);
			int32_t left = (int32_t)(rrsig.expiration - (uint32_t)now);
			int64_t need = (int64_t)MAIL_RRSIG_GRID + c->ttl + MAIL_RRSIG_SKEW;
			CHECK(since >= MAIL_RRSIG_SKEW && since < MAIL_RRSIG_GRID + MAIL_RRSIG_SKEW,
			      ", %lld: %d s after", (long long)now, since);
			CHECK(left > need, ", %lld: %d s before", (long long)now, left);
			if (c->ttl <= 86400) {
				CHECK_INT(rrsig.expiration - rrsig.inception, MAIL_RRSIG_VALIDITY);
			}
		}
	}

	/* No TTL makes a time that is not after the other. */
	mail_rrsig_t rrsig = { .signer = (const knot_dname_t *)SIGNER, .original_ttl = UINT32_MAX };
	mail_rrsig_period(&rrsig, 1700000000);
	CHECK((int32_t)(rrsig.expiration - rrsig.inception) > 0);
}

/* The grid of a zone: what all servers of a fleet, of any version, agree on. */
static void test_grid(void)
{
	mail_rrsig_t rrsig = { .signer = (const knot_dname_t *)SIGNER, .original_ttl = 3600 };
	mail_rrsig_period(&rrsig, 1700000000);
	CHECK_INT(rrsig.inception, 1699891214);

	uint32_t first = rrsig.inception;
	rrsig.signer = (const knot_dname_t *)"\7EXAMPLE\3com";
	mail_rrsig_period(&rrsig, 1700000000);
	CHECK_INT(rrsig.inception, first);
	mail_rrsig_period(&rrsig, (int64_t)first + MAIL_RRSIG_SKEW);
	CHECK_INT(rrsig.inception, first);
	mail_rrsig_period(&rrsig, (int64_t)first + MAIL_RRSIG_SKEW + MAIL_RRSIG_GRID - 1);
	CHECK_INT(rrsig.inception, first);
	mail_rrsig_period(&rrsig, (int64_t)first + MAIL_RRSIG_SKEW + MAIL_RRSIG_GRID);
	CHECK_INT(rrsig.inception, first + MAIL_RRSIG_GRID);

	/* Zones are signed anew all the time, not all at once: 1,000 zones in the hours of a step. */
	unsigned hours[MAIL_RRSIG_GRID / 3600] = { 0 };
	for (unsigned i = 0; i < 1000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "d%u.example.net", i);
		knot_dname_t *name = signing_name(text);
		rrsig.signer = name;
		mail_rrsig_period(&rrsig, 1700000000);
		hours[(1700000000 - MAIL_RRSIG_SKEW - rrsig.inception) / 3600]++;
		knot_dname_free(name, NULL);
	}
	for (size_t i = 0; i < COUNT(hours); i++) {
		CHECK(hours[i] > 0 && hours[i] < 40, "hour %zu: %u zones", i, hours[i]);
	}
}

UNIT_MAIN("rrsig", TEST("published signatures", test_published),
          TEST("canonical form and order", test_canonical), TEST("RDATA", test_rdata),
          TEST("malformed RDATA", test_malformed), TEST("room", test_space),
          TEST("period", test_period), TEST("grid", test_grid))
