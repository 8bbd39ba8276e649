/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNSSEC keys: the RFCs' own examples of tags and digests, and `key` values read and written. */

#include "unit.h"

#include "mail/dnskey.h"
#include "mail/encoding.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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
	CU_ASSERT_EQUAL(mail_base64_parse(MAIL_STR(text), &octets, NULL), KNOT_EOK);
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
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_dnskey_t key;
		uint8_t ds[MAIL_DS_RDATA_MAX];
		char hex[2 * sizeof(ds) + 1] = "";
		key_of(&key, cases[i].algorithm, cases[i].role, cases[i].public);
		UNIT_CHECK(key.tag == cases[i].tag, "case %zu: tag %u", i, key.tag);
		int len = mail_dnskey_ds(&key, (const uint8_t *)cases[i].owner, cases[i].digest,
		                         ds);
		for (int j = 4; j < len; j++) {
			(void)snprintf(hex + 2 * (j - 4), 3, "%02x", ds[j]);
		}
		UNIT_CHECK(strcmp(hex, cases[i].hex) == 0, "case %zu: %s", i, hex);
		UNIT_CHECK(ds[0] << 8 == (key.tag & 0xff00) && ds[1] == (key.tag & 0xff) &&
		                   ds[2] == cases[i].algorithm && ds[3] == cases[i].digest,
		           "case %zu", i);
		UNIT_CHECK(mail_dnskey_ds(&key, (const uint8_t *)cases[i].owner, 3, ds) ==
		                   KNOT_ENOTSUP,
		           "case %zu", i);
	}
}

#define T1 "2027-01-01T00:00:00Z"
#define T2 "2027-02-01T00:00:00Z"
#define T3 "2027-03-01T00:00:00Z"

/*! What is written is what was read; other spellings become that one. */
static void test_accepted(void)
{
	static const struct {
		const char *text, *expected; /* NULL: as it is. */
	} cases[] = {
		{ "3613 ed25519 csk " ED1, NULL },
		{ "3613 ed25519 ksk " ED1, NULL },
		{ "3612 ed25519 zsk " ED1, NULL },
		{ "55648 ecdsap256sha256 csk " EC1, NULL },
		{ "15796 rsasha256 zsk " RSA2048, NULL },
		{ "3613 ed25519 csk publish=" T1 " activate=" T1 " retire=" T2 " remove=" T3
		  " ds=" T1 " ds-seen=" T2 " ds-until=" T3 " " ED1,
		  NULL },
		{ "3613 ed25519 csk publish=" T1 " activate=never " ED1, NULL },
		{ "3613 ed25519 csk publish=" T1 " ds=never remove=never " ED1,
		  "3613 ed25519 csk publish=" T1 " " ED1 },
		/* Another order of the times, letters of another size, blanks in the key. */
		{ " 03613  ED25519 CSK ds=" T2 " publish=" T1
		  " l02Woi0iS8Aa25FQkUd9RM zZHJpBoRQwAQEX1SxZJA4=",
		  "3613 ed25519 csk publish=" T1 " ds=" T2 " " ED1 },
		{ "3613 ed25519 csk publish=1970-01-01T00:00:00Z " ED1, "3613 ed25519 csk " ED1 },
		{ "3613 ed25519 csk retire=" T2 " publish=" T1 " activate=" T2 " remove=" T1
		  " " ED1,
		  "3613 ed25519 csk publish=" T1 " activate=" T2 " retire=" T2 " remove=" T1
		  " " ED1 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_dnskey_t key;
		mail_diag_t diag = { 0 };
		mail_buf_t out = { 0 };
		int ret = mail_dnskey_parse(MAIL_STR(cases[i].text), &key, &diag);
		UNIT_CHECK(ret == KNOT_EOK, "case %zu: %s", i, diag.text);
		CU_ASSERT_EQUAL(mail_dnskey_print(&key, &out), KNOT_EOK);
		const char *expected = cases[i].expected != NULL ? cases[i].expected
		                                                 : cases[i].text;
		UNIT_CHECK(mail_str_is(mail_buf_view(&out), expected), "case %zu: %.*s", i,
		           (int)out.len, (const char *)out.data);
		mail_buf_free(&out);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		size_t column;
		const char *reason;
	} cases[] = {
		{ "", 1, "is written" },
		{ "x ed25519 csk " ED1, 1, "is written" },
		{ "65536 ed25519 csk " ED1, 1, "is written" },
		{ "3613", 5, "none of rsasha256" },
		{ "3613 rsasha1 csk " ED1, 6, "none of rsasha256" },
		{ "3613 ed25519 sep " ED1, 14, "none of csk" },
		{ "3613 ed25519 csk", 16, "no public key" },
		{ "3613 ed25519 csk publish=" T1, 45, "no public key" },
		{ "3614 ed25519 csk " ED1, 1, "the tag of this key is 3613" },
		{ "3613 ed25519 zsk " ED1, 1, "the tag of this key is 3612" },
		{ "3613 ed25519 csk publish=2027 " ED1, 30, "not a time" },
		{ "3613 ed25519 csk publish=1969-12-31T23:59:59Z " ED1, 26, "before 1970" },
		{ "3613 ed25519 csk sign=" T1 " " ED1, 18, "\"sign\" is no time" },
		{ "3613 ed25519 csk ds=" T1 " ds=" T1 " " ED1, 42, "a second ds" },
		{ "3613 ed25519 csk activate=" T2 " retire=" T1 " " ED1, 0, "retire is before" },
		{ "3613 ed25519 csk publish=" T2 " remove=" T1 " " ED1, 0, "remove is before" },
		{ "3613 ed25519 csk ds-seen=" T2 " " ED1, 0, "ds-seen is before ds" },
		{ "3613 ed25519 csk ds=" T2 " ds-until=" T1 " " ED1, 0, "ds-until is before ds" },
		{ "3612 ed25519 zsk ds=" T1 " " ED1, 0, "a ZSK has no DS" },
		{ "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4", 60, "complete" },
		{ "3613 ed25519 csk l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA5=", 61, "complete" },
		{ "3613 ed25519 csk l0!Woi0iS8Aa", 20, "base64" },
		{ "3613 ed25519 csk AAAA", 0, "3 octets; one of ed25519 has 32" },
		{ "3613 ecdsap256sha256 csk " ED1, 0, "has 64" },
		{ "60489 rsasha256 ksk " RSA1024, 0, "1024 bits" },
		{ "1 rsasha256 ksk AAAA", 0, "no RSA key" },
		{ "1 rsasha256 ksk AwEAAQ==", 0, "no RSA key" },
		{ "1 rsasha256 ksk AwEAAQAAAAE=", 0, "begins with zero" },
		{ "1 rsasha256 ksk AwEAAYAAAAA=", 0, "not odd" },
		{ "1 rsasha256 ksk AwEAAIAAAAE=", 0, "not odd" },
		{ "1 rsasha256 ksk " RSA2048 RSA2048 RSA2048, 0, "" },
		{ "1 rsasha256 ksk " EC384 EC384 EC384 EC384 EC384 EC384 EC384, 0, "longer" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		mail_dnskey_t key;
		mail_diag_t diag = { 0 };
		int ret = mail_dnskey_parse(MAIL_STR(cases[i].text), &key, &diag);
		UNIT_CHECK(ret == KNOT_EINVAL, "case %zu: %d", i, ret);
		UNIT_CHECK(strstr(diag.text, cases[i].reason) != NULL && diag.text[0] != '\0',
		           "case %zu: %s", i, diag.text);
		UNIT_CHECK(cases[i].column == 0 || diag.column == cases[i].column,
		           "case %zu: column %u", i, diag.column);
		CU_ASSERT_EQUAL(mail_dnskey_parse(MAIL_STR(cases[i].text), &key, NULL),
		                KNOT_EINVAL);
	}
}

static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(mail_algorithm_name(MAIL_ALGORITHM_ED25519), "ed25519");
	CU_ASSERT_PTR_NULL(mail_algorithm_name(5));
	CU_ASSERT_EQUAL(mail_algorithm_find(MAIL_STR("RSASHA256")), MAIL_ALGORITHM_RSASHA256);
	CU_ASSERT_EQUAL(mail_algorithm_find(MAIL_STR("ed448")), 0);
	CU_ASSERT_STRING_EQUAL(mail_role_name(MAIL_ROLE_ZSK), "zsk");
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
	for (size_t i = 0; i < COUNT(cases); i++) {
		key.role = cases[i].role;
		UNIT_CHECK(mail_dnskey_published(&key, cases[i].now) == cases[i].published &&
		                   mail_dnskey_signs_keys(&key, cases[i].now) == cases[i].keys &&
		                   mail_dnskey_signs_zone(&key, cases[i].now) == cases[i].zone,
		           "case %zu", i);
	}
}

int main(void)
{
	static const unit_test_t tests[] = {
		{ "examples of the RFCs", test_vectors },
		{ "values that are accepted", test_accepted },
		{ "values that are refused", test_refused },
		{ "names", test_names },
		{ "the clock", test_clock },
		{ NULL, NULL },
	};
	return unit_run("dnskey", tests);
}
