/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNSSEC keys: the RFCs' own examples of tags and digests, and `key` values read and written. */

#include "lib/cases.h"

#include "mail/dnskey.h"
#include "mail/encoding.h"

/* RFC 8080 6.1, RFC 6605 6.1 and 6.2, RFC 4034 5.4. */
#define ED1 "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define ED2 "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs="
#define EC1                                                                                        \
	"GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
#define EC384                                                                                      \
	"xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8" \
	"/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40"
#define RSA1024                                                                                    \
	"AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjM"  \
	"mmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
/* Made for the test; its private half is not kept. */
#define RSA2048                                                                                    \
	"AwEAAaX/88GeV4LUI0JKn+FtP/1QAr/PTGJD3Sd+3AmYSAQ7JspMQPWWsbtKuQpQi0oacx7vDeo77t/LtcjA"     \
	"4Mpag9SwiloKwVOgXLUzmoUz7jjMAm/hafTlmH6EUvPbAJEBvNrq2tiyCYNSSzLklHOiqXk/ErIM/yJTcXMx"     \
	"rvztlrrcGXg9vz+GFcIYlK71plSZID5wKZ8zk2LjdyNs4Y/ATeZlZF/zVrUb/pau/qL+0aNpbutgxtNW2zta"     \
	"RbpdKNxaM4nBSbM7V7XZEs0HlswXMI7YgiKYZtxGS4pduf13riz68d34Sv0asopfemN6n5KDQGXTPp3WINSK"     \
	"LOknueWfv80="

/*! A key as the records of an RFC have it. */
static void key_of(mail_dnskey_t *key, unsigned algorithm, mail_role_t role, const char *text)
{
	memset(key, 0, sizeof(*key));
	mail_buf_t octets = MAIL_BUF_FIXED(key->public_key, sizeof(key->public_key));
	key->algorithm = (mail_algorithm_t)algorithm;
	key->role = role;
	CHECK_OK(mail_base64_parse(MAIL_STR(text), &octets, NULL));
	key->public_len = (uint16_t)octets.len;
	uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
	key->tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(key, rdata));
}

static void test_vectors(void)
{
	static const struct {
		const char *owner; /* Wire name. */
		unsigned algorithm;
		mail_role_t role;
		const char *public;
		unsigned tag, digest;
		const char *hex;
	} cases[] = {
		/* RFC 4034 5.4, RFC 4509 2.3 */
		{ "\5dskey\7example\3com", 5, MAIL_ROLE_ZSK, RSA1024, 60485, MAIL_DS_SHA1,
		  "2bb183af5f22588179a53b0a98631fad1a292118" },
		{ "\5dskey\7example\3com", 5, MAIL_ROLE_ZSK, RSA1024, 60485, MAIL_DS_SHA256,
		  "d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a" },
		/* RFC 6605 6.1, 6.2 */
		{ "\7example\3net", 13, MAIL_ROLE_CSK, EC1, 55648, MAIL_DS_SHA256,
		  "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17" },
		{ "\7example\3net", 14, MAIL_ROLE_KSK, EC384, 10771, MAIL_DS_SHA384,
		  "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d28840"
		  "5c3008a946df983d6" },
		/* RFC 8080 6.1 */
		{ "\7example\3com", 15, MAIL_ROLE_CSK, ED1, 3613, MAIL_DS_SHA256,
		  "3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b" },
		{ "\7example\3com", 15, MAIL_ROLE_KSK, ED2, 35217, MAIL_DS_SHA256,
		  "401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c" },
	};
	EACH(c, cases) {
		mail_dnskey_t key;
		uint8_t ds[MAIL_DS_RDATA_MAX];
		char hex[2 * sizeof(ds) + 1] = "";
		key_of(&key, c->algorithm, c->role, c->public);
		CHECK(key.tag == c->tag, "tag %u", key.tag);
		int len = mail_dnskey_ds(&key, (const uint8_t *)c->owner, c->digest, ds);
		for (int j = 4; j < len; j++) {
			(void)snprintf(hex + 2 * (j - 4), 3, "%02x", ds[j]);
		}
		CHECK_STR(hex, c->hex);
		CHECK(ds[0] << 8 == (key.tag & 0xff00) && ds[1] == (key.tag & 0xff) &&
		      ds[2] == c->algorithm && ds[3] == c->digest);
		CHECK_INT(mail_dnskey_ds(&key, (const uint8_t *)c->owner, 3, ds), KNOT_ENOTSUP);
	}
}

#define T1 "2027-01-01T00:00:00Z"
#define T2 "2027-02-01T00:00:00Z"
#define T3 "2027-03-01T00:00:00Z"

/*! What is written is what was read; other spellings become that one. */
static const case_t keys[] = {
	SAME("3613 ed25519 csk " ED1),
	SAME("3613 ed25519 ksk " ED1),
	SAME("3612 ed25519 zsk " ED1),
	SAME("55648 ecdsap256sha256 csk " EC1),
	SAME("15796 rsasha256 zsk " RSA2048),
	SAME("3613 ed25519 csk publish=" T1 " activate=" T1 " retire=" T2 " remove=" T3 " ds=" T1
	     " ds-seen=" T2 " ds-until=" T3 " " ED1),
	SAME("3613 ed25519 csk publish=" T1 " activate=never " ED1),
	GOOD("3613 ed25519 csk publish=" T1 " ds=never remove=never " ED1,
	     "3613 ed25519 csk publish=" T1 " " ED1),
	/* Another order of the times, letters of another size, blanks in the key. */
	GOOD(" 03613  ED25519 CSK ds=" T2 " publish=" T1
	     " l02Woi0iS8Aa25FQkUd9RM zZHJpBoRQwAQEX1SxZJA4=",
	     "3613 ed25519 csk publish=" T1 " ds=" T2 " " ED1),
	GOOD("3613 ed25519 csk publish=1970-01-01T00:00:00Z " ED1, "3613 ed25519 csk " ED1),
	GOOD("3613 ed25519 csk retire=" T2 " publish=" T1 " activate=" T2 " remove=" T1 " " ED1,
	     "3613 ed25519 csk publish=" T1 " activate=" T2 " retire=" T2 " remove=" T1 " " ED1),
	BAD("", 1, "is written"),
	BAD("x ed25519 csk " ED1, 1, "is written"),
	BAD("65536 ed25519 csk " ED1, 1, "is written"),
	BAD("3613", 5, "not one of rsasha256"),
	BAD("3613 rsasha1 csk " ED1, 6, "not one of rsasha256"),
	BAD("3613 ed25519 sep " ED1, 14, "not one of csk"),
	BAD("3613 ed25519 csk", 16, "no public key"),
	BAD("3613 ed25519 csk publish=" T1, 45, "no public key"),
	BAD("3614 ed25519 csk " ED1, 1, "the tag of this key is 3613"),
	BAD("3613 ed25519 zsk " ED1, 1, "the tag of this key is 3612"),
	BAD("3613 ed25519 csk publish=2027 " ED1, 30, "not a time"),
	BAD("3613 ed25519 csk publish=1969-12-31T23:59:59Z " ED1, 26, "before 1970"),
	BAD("3613 ed25519 csk sign=" T1 " " ED1, 18, "\"sign\" is no time"),
	BAD("3613 ed25519 csk ds=" T1 " ds=" T1 " " ED1, 42, "a second ds"),
	BAD("3613 ed25519 csk activate=" T2 " retire=" T1 " " ED1, 0, "retire is before"),
	BAD("3613 ed25519 csk publish=" T2 " remove=" T1 " " ED1, 0, "remove is before"),
	BAD("3613 ed25519 csk ds-seen=" T2 " " ED1, 0, "ds-seen is before ds"),
	BAD("3613 ed25519 csk ds=" T2 " ds-until=" T1 " " ED1, 0, "ds-until is before ds"),
	BAD("3612 ed25519 zsk ds=" T1 " " ED1, 0, "a ZSK has no DS"),
	BAD("3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4", 60, "complete"),
	BAD("3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA5=", 61, "complete"),
	BAD("3613 ed25519 csk l0!Woi0iS8Aa", 20, "base64"),
	BAD("3613 ed25519 csk AAAA", 0, "3 octets; one of ed25519 has 32"),
	BAD("3613 ecdsap256sha256 csk " ED1, 0, "has 64"),
	BAD("60489 rsasha256 ksk " RSA1024, 0, "1024 bits"),
	BAD("1 rsasha256 ksk AAAA", 0, "no RSA key"),
	BAD("1 rsasha256 ksk AwEAAQ==", 0, "no RSA key"),
	BAD("1 rsasha256 ksk AwEAAQAAAAE=", 0, "begins with zero"),
	BAD("1 rsasha256 ksk AwEAAYAAAAA=", 0, "not odd"),
	BAD("1 rsasha256 ksk AwEAAIAAAAE=", 0, "not odd"),
	BAD("1 rsasha256 ksk " RSA2048 RSA2048 RSA2048, 17, "is no time of a key"),
	BAD("1 rsasha256 ksk " EC384 EC384 EC384 EC384 EC384 EC384 EC384, 0, "longer"),
};

static int parse(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_dnskey_t key;
	int ret = mail_dnskey_parse(in, &key, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_dnskey_print(&key, out);
}

static void test_values(void)
{
	run_cases(keys, parse);
}

static void test_names(void)
{
	CHECK_STR(mail_algorithm_name(MAIL_ALGORITHM_ED25519), "ed25519");
	CHECK(mail_algorithm_name(5) == NULL);
	CHECK_INT(mail_algorithm_find(MAIL_STR("RSASHA256")), MAIL_ALGORITHM_RSASHA256);
	CHECK_INT(mail_algorithm_find(MAIL_STR("ed448")), 0);
	CHECK_STR(mail_role_name(MAIL_ROLE_ZSK), "zsk");
}

/*! What the clock says: the second of a step belongs to what comes. */
static void test_clock(void)
{
	mail_dnskey_t key = {
		.role = MAIL_ROLE_CSK, .publish = 20, .activate = 10, .retire = 50, .remove = 40
	};
	static const struct {
		mail_role_t role;
		int64_t now;
		bool published, keys, zone;
	} cases[] = {
		{ MAIL_ROLE_CSK, 9, false, false, false },
		{ MAIL_ROLE_CSK, 10, false, false, true },
		{ MAIL_ROLE_CSK, 20, true, true, true },
		{ MAIL_ROLE_CSK, 39, true, true, true },
		{ MAIL_ROLE_CSK, 40, false, false, true },
		{ MAIL_ROLE_CSK, 50, false, false, false },
		{ MAIL_ROLE_KSK, 30, true, true, false },
		{ MAIL_ROLE_ZSK, 30, true, false, true },
	};
	EACH(c, cases) {
		key.role = c->role;
		CHECK(mail_dnskey_published(&key, c->now) == c->published &&
		      mail_dnskey_signs_keys(&key, c->now) == c->keys &&
		      mail_dnskey_signs_zone(&key, c->now) == c->zone);
	}
}

UNIT_MAIN("dnskey", TEST("examples of the RFCs", test_vectors),
          TEST("values that are, and that are not", test_values), TEST("names", test_names),
          TEST("the clock", test_clock))
