/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail/dkim.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/cases.h"
#include "mail/encoding.h"
#include "record/ed25519.h"
#include "record/spki.h"

/* RFC 8463 A.2: the public key, as p= and as SubjectPublicKeyInfo; the private one as PEM. */
#define P_ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define SPKI_ED25519 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
static const char private_ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";
static const char public_ed25519[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	"-----END PUBLIC KEY-----\n";
static const uint8_t octets_ed25519[32] = {
	0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
	0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
	0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
};

/* RFC 6376 appendix C: an RSA key of 1024 bits; the same as RSAPublicKey, with an even modulus, with an
 * octet too many. */
#define P_RSA                                                                                      \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"         \
	"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0"         \
	"fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"

#define P_PKCS1                                                                                    \
	"MIGJAoGBAPAhE/9QLdIGwSYapn1klbf8OQygZ4udCDV9afv/Ni0jE3ZKcUKPE4Iob2/dviNh9xM2HmKN"         \
	"KyrrfW4Ei0truh36/9G10LZTMnWVZP3jupH5FxpzaBu2j80yonR/N9WMfg64qGK11j21/qZzAaNo0FxZ"         \
	"OggyY9I8N1A81RhyRxDZAgMBAAE="

#define P_EVEN                                                                                     \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"         \
	"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0"         \
	"fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2AIDAQAB"

#define P_TRAILING                                                                                 \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"         \
	"IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0"         \
	"fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQABAA=="

/* Made with openssl: 1000 bits, a key of another kind, an encrypted key. */
#define P_RSA1000                                                                                  \
	"MIGbMA0GCSqGSIb3DQEBAQUAA4GJADCBhQJ+ALa/sp1qGCv0ZkyFIXjNeP6LG0YXE1g86CiuqrB9E5xJ"         \
	"cVZY0BCt+0xTG97m+XpSkXw0f186ygYs3m8jfVc7f/9LdYGXNEbR9aK+t97AbC2X89sNFk1jr8uThwfZ"         \
	"PS9EPx3xv3CSwBKPXWs5hkgmDIT48Y1iEC8aLp2y5DMNAgMBAAE="

#define P_EC                                                                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERKouytD4gnxyCDwdvd5wzeKJbFFJikBZlEI/9/WXnW/H"         \
	"OWICOE/skfKOrPYdYQcIDejqObi1jCIy6sGH35xlUA=="

static const char private_encrypted[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgCLvDplhgIXAICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE3en40QumVKy3tGNXYhwTgEQBys\n"
	"xSz4Rqnc1fGbsE1AdUjxdUZYEAQ0z3S8TBsETMx7ZGm3Xl79WlUaQteQL+edwdMU\n"
	"OChj95D/py+UkibR2jE=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";
static const char public_pkcs1[] =
	"-----BEGIN RSA PUBLIC KEY-----\n"
	"MIGJAoGBAPAhE/9QLdIGwSYapn1klbf8OQygZ4udCDV9afv/Ni0jE3ZKcUKPE4Io\n"
	"b2/dviNh9xM2HmKNKyrrfW4Ei0truh36/9G10LZTMnWVZP3jupH5FxpzaBu2j80y\n"
	"onR/N9WMfg64qGK11j21/qZzAaNo0FxZOggyY9I8N1A81RhyRxDZAgMBAAE=\n"
	"-----END RSA PUBLIC KEY-----\n";

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Keys as people write them, and p= of the record that is made of them. */
static const case_t keys[] = {
	GOOD(P_ED25519, P_ED25519),
	GOOD("  11qYAYKxCrfVS/7TyWQHOg7hc\n\tvPapiMlrwIaaPcHURo=\n", P_ED25519),
	GOOD(SPKI_ED25519, P_ED25519),
	GOOD(private_ed25519, P_ED25519),
	GOOD(public_ed25519, P_ED25519),
	GOOD("v=DKIM1; k=ed25519; p=" P_ED25519, P_ED25519),
	GOOD("v=DKIM1; k=ed25519; h=sha256; p=" P_ED25519 "; t=s", P_ED25519),
	GOOD("p=" P_ED25519, P_ED25519),
	WARN(P_RSA, P_RSA, 1),
	WARN(P_PKCS1, P_RSA, 1),
	WARN(public_pkcs1, P_RSA, 1),
	WARN("v=DKIM1; p=" P_RSA, P_RSA, 1),
	WARN("v=DKIM1;k=rsa;p=" P_RSA ";", P_RSA, 1),
	WARN("k=rsa; p=" P_RSA, P_RSA, 1),

	BAD("", 0),
	BAD("  ", 2),
	BAD("=", 1),
	BAD("no key!", 7),
	BAD("Zm9v", 0),
	BAD("Zm9vYg=", 7),
	BAD("Zm9vYh==", 8),
	BAD("Zm9v=Zm9v", 5),
	BAD("Zm9===", 5),
	BAD("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==", 44),
	BAD("v=DKIM1; p=", 0),
	BAD("v=DKIM1; k=rsa", 0),
	BAD("v=DKIM1; k=rsa; p=" P_ED25519, 0),
	BAD("v=DKIM1; k=ed25519; p=" P_RSA, 0),
	BAD("v=DKIM1; p=?", 12),
	BAD("v=DKIM1; p=Zm9v; p=Zm9v", 18),
	BAD("v=DKIM2; p=" P_RSA, 1),
	BAD("v=spf1 -all;", 1),
	/* Not on the curve; not reduced; small orders: 0, 1, -1. */
	BAD("AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0),
	BAD("//////////////////////////////////////////8=", 0),
	BAD("A" ZEROS "=", 0),
	BAD("AQ"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    0),
	BAD("7P///////////////////////////////////////38=", 0),
	BAD(P_EVEN, 0),
	BAD(P_TRAILING, 0),
	BAD(P_RSA1000, 0),
	BAD(P_EC, 0),
	BAD(private_encrypted, 0),
	BAD("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0),
	BAD("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n", 0),
	BAD("-----BEGIN PUBLIC KEY-----\n", 0),
};

static int parse(mail_str_t in, mail_buf_t *out, mail_diag_t *diag)
{
	mail_buf_t key = { 0 };
	mail_rdata_t rdata = { 0 };
	int ret = mail_dkim_key_parse(in, &key, diag);
	if (ret != KNOT_EOK) {
		CHECK_INT(key.len, 0);
		return ret;
	}
	CHECK_OK(mail_dkim_render(key.data, key.len, MAIL_STR("none"), &rdata));
	mail_buf_free(&key);
	const char *p = strstr(rendered_text(&rdata), "p=");
	return mail_buf_str(out, p != NULL ? p + 2 : "");
}

static void test_parse(void)
{
	run_cases(keys, parse);
}

/* What is not said for which reason is not of much use. */
static void test_reasons(void)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ private_encrypted, "encrypted" },
		{ "-----BEGIN CERTIFICATE-----\n", "certificate" },
		{ P_EC, "RSA and Ed25519" },
		{ P_RSA1000, "1000 bits" },
		{ "v=DKIM1; p=", "empty" },
		{ "v=DKIM1; k=rsa", "missing" },
	};
	EACH(c, cases) {
		mail_diag_t d = { 0 };
		mail_buf_t key = { 0 };
		CHECK_INT(mail_dkim_key_parse(MAIL_STR(c->text), &key, &d), KNOT_EINVAL);
		CHECK_HAS(d.text, c->word);
		mail_buf_free(&key);
	}
}

static void test_check(void)
{
	mail_dkim_algorithm_t algorithm = MAIL_DKIM_RSA;
	unsigned bits = 0;
	CHECK_OK(mail_dkim_key_check(octets_ed25519, 32, &algorithm, &bits, NULL));
	CHECK(algorithm == MAIL_DKIM_ED25519 && bits == 256);
	CHECK_INT(mail_dkim_key_check(octets_ed25519, 31, NULL, NULL, NULL), KNOT_EINVAL);
	CHECK_INT(mail_dkim_key_check(octets_ed25519, 0, NULL, NULL, NULL), KNOT_EINVAL);

	/* The sign of x is of no account, and half of all values are no key. */
	uint8_t octets[32];
	memcpy(octets, octets_ed25519, sizeof(octets));
	octets[31] ^= 0x80;
	CHECK_OK(mail_dkim_key_check(octets, 32, NULL, NULL, NULL));
	unsigned good = 0;
	for (unsigned i = 0; i < 256; i++) {
		octets[5] = (uint8_t)i;
		good += mail_dkim_key_check(octets, 32, NULL, NULL, NULL) == KNOT_EOK;
	}
	CHECK(good > 80 && good < 176, "%u of 256", good);

	mail_buf_t key = { 0 };
	CHECK_OK(mail_dkim_key_parse(MAIL_STR(P_RSA), &key, NULL));
	CHECK_OK(mail_dkim_key_check(key.data, key.len, &algorithm, &bits, NULL));
	CHECK(algorithm == MAIL_DKIM_RSA && bits == 1024);
	/* Cut anywhere, it is no key any more (its first 32 octets happen to be a point of the curve). */
	for (size_t len = 0; len < key.len; len += len == 31 ? 2 : 1) {
		CHECK(mail_dkim_key_check(key.data, len, NULL, NULL, NULL) == KNOT_EINVAL,
		      "%zu octets", len);
	}
	mail_buf_free(&key);
}

/* Return what libcrypto says: whether there is an x for this y, and neither is 0 (RFC 8032 5.1.3). */
static bool openssl_has_point(const uint8_t *key)
{
	static const char p_text[] =
		"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
	uint8_t little[32];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = NULL, *d = BN_new(), *u = BN_new(), *v = BN_new();
	memcpy(little, key, sizeof(little));
	little[31] &= 0x7f;
	BIGNUM *y = BN_lebin2bn(little, sizeof(little), NULL);
	/* d = -121665/121666 */
	bool ok = BN_hex2bn(&p, p_text) > 0 && BN_set_word(d, 121666) == 1 &&
	          BN_mod_inverse(d, d, p, ctx) != NULL && BN_mul_word(d, 121665) == 1 &&
	          BN_mod_mul(u, y, y, p, ctx) == 1 && BN_mod_mul(v, d, u, p, ctx) == 1 &&
	          BN_mod_sub(v, BN_value_one(), v, p, ctx) == 1 &&
	          BN_mod_sub(u, u, BN_value_one(), p, ctx) == 1;
	CHECK(ok, "libcrypto calculates");
	const bool zero = BN_is_zero(y) || BN_is_zero(u) || BN_cmp(y, p) >= 0;
	ok = BN_mod_mul(u, u, v, p, ctx) == 1 && !zero && BN_kronecker(u, p, ctx) == 1;
	BN_free(p);
	BN_free(d);
	BN_free(u);
	BN_free(v);
	BN_free(y);
	BN_CTX_free(ctx);
	return ok;
}

/* Points of the curve are those that libcrypto finds: of many values, and of those around 0, powers of 2, and p. */
static void test_points(void)
{
	uint8_t key[32] = { 0 };
	unsigned good = 0;
	for (unsigned i = 0; i < 3000; i++) {
		unsigned len = 0;
		CHECK(EVP_Digest(&i, sizeof(i), key, &len, EVP_sha256(), NULL) == 1, "a digest");
		/* Some have many bits that are equal. */
		for (unsigned k = 0; k < i % 32; k++) {
			key[(k + i) % 32] = i % 3 == 0 ? 0 : 0xff;
		}
		good += mail_ed25519_is_key(key);
		CHECK_INT(mail_ed25519_is_key(key), openssl_has_point(key));
	}
	CHECK(good > 1000 && good < 2000, "%u are keys", good);
	for (unsigned bit = 0; bit < 256; bit++) {
		for (int near = -40; near <= 40; near++) {
			memset(key, 0, sizeof(key));
			key[bit / 8] = (uint8_t)(1u << bit % 8);
			int carry = near;
			for (size_t i = 0; i < sizeof(key); i++) {
				carry += key[i];
				key[i] = (uint8_t)carry;
				carry = carry < 0 ? -1 : carry >> 8;
			}
			CHECK(mail_ed25519_is_key(key) == openssl_has_point(key), "2^%u%+d", bit,
			      near);
		}
	}
}

/* Return whether OpenSSL reads a key of the same properties, and writes it with the same octets. */
static bool openssl_agrees(const uint8_t *der, size_t len, mail_rsa_look_t look)
{
	const unsigned char *pos = der;
	unsigned char *again = NULL;
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &pos, (long)len);
	const int again_len = pkey != NULL ? i2d_PUBKEY(pkey, &again) : 0;
	bool ok = pkey != NULL && pos == der + len && again_len == (int)len &&
	          memcmp(again, der, len) == 0 && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
	          EVP_PKEY_get_bits(pkey) == (int)look.bits &&
	          EVP_PKEY_get_bn_param(pkey, "n", &n) == 1 &&
	          EVP_PKEY_get_bn_param(pkey, "e", &e) == 1 &&
	          look.odd == (BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e));
	OPENSSL_free(again);
	BN_free(n);
	BN_free(e);
	EVP_PKEY_free(pkey);
	return ok;
}

/* Whatever the quick look takes, OpenSSL takes in the same way. */
static void test_look(void)
{
	static const char *const texts[] = { P_RSA, P_RSA1000,    P_EVEN,
		                             P_EC,  SPKI_ED25519, P_TRAILING };
	EACH(text, texts) {
		mail_buf_t der = { 0 };
		mail_rsa_look_t look = { 0 };
		unsigned taken = 0;
		CHECK_OK(mail_base64_parse(MAIL_STR(*text), &der, NULL));
		const bool rsa = *text == texts[0] || *text == texts[1] || *text == texts[2];
		CHECK_INT(mail_spki_rsa(der.data, der.len, &look), rsa);
		/* One octet is another one: some in all places, many in the heads. */
		for (size_t i = 0; i < der.len * (rsa ? 1 : 0); i++) {
			const uint8_t was = der.data[i];
			const unsigned step = i < 40 || i + 8 > der.len ? 5 : 85;
			for (unsigned add = step; add < 256; add += step) {
				der.data[i] = (uint8_t)(was + add);
				if (mail_spki_rsa(der.data, der.len, &look)) {
					taken++;
					CHECK(openssl_agrees(der.data, der.len, look),
					      "octet %zu: %u", i, der.data[i]);
				}
			}
			der.data[i] = was;
		}
		CHECK(taken > 0 || !rsa, "some are keys");
		for (size_t len = 0; rsa && len < der.len; len++) {
			CHECK(!mail_spki_rsa(der.data, len, &look), "%zu octets", len);
		}
		mail_buf_free(&der);
	}
}

/* Signs with the private key of a pair and verifies with what would be published. */
static bool pair_works(mail_str_t pem, const mail_buf_t *public_key)
{
	static const uint8_t message[] = "the quick brown fox";
	uint8_t signature[512];
	size_t len = sizeof(signature);
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	EVP_PKEY *private_pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	const unsigned char *der = public_key->data;
	EVP_PKEY *public_pkey = public_key->len == 32
	                                ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	                                                              public_key->data, 32)
	                                : d2i_PUBKEY(NULL, &der, (long)public_key->len);
	const EVP_MD *md = public_key->len == 32 ? NULL : EVP_sha256();
	EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	bool ok = private_pkey != NULL && public_pkey != NULL &&
	          EVP_DigestSignInit(sign, NULL, md, NULL, private_pkey) == 1 &&
	          EVP_DigestSign(sign, signature, &len, message, sizeof(message)) == 1 &&
	          EVP_DigestVerifyInit(verify, NULL, md, NULL, public_pkey) == 1 &&
	          EVP_DigestVerify(verify, signature, len, message, sizeof(message)) == 1;
	EVP_MD_CTX_free(sign);
	EVP_MD_CTX_free(verify);
	EVP_PKEY_free(private_pkey);
	EVP_PKEY_free(public_pkey);
	BIO_free(bio);
	return ok;
}

static void test_generate(void)
{
	static const struct {
		mail_dkim_algorithm_t algorithm;
		unsigned bits;
		int ret;
		unsigned warnings;
	} cases[] = {
		{ MAIL_DKIM_ED25519, 0, 0, 0 },
		{ MAIL_DKIM_RSA, 1024, 0, 1 },
		{ MAIL_DKIM_RSA, 2048, 0, 0 },
		{ MAIL_DKIM_RSA, 1023, KNOT_EINVAL, 0 },
		{ MAIL_DKIM_RSA, 16385, KNOT_EINVAL, 0 },
	};
	EACH(c, cases) {
		mail_buf_t pem = { 0 }, key = { 0 }, again = { 0 };
		int ret = mail_dkim_generate(c->algorithm, c->bits, &pem, &key);
		CHECK_INT(ret, c->ret);
		if (ret == KNOT_EOK) {
			rendered_diag_t d;
			mail_dkim_algorithm_t algorithm;
			CHECK_OK(mail_dkim_key_check(key.data, key.len, &algorithm, NULL,
			                             rendered_diag(&d)));
			CHECK(algorithm == c->algorithm && d.warnings == c->warnings, "%u",
			      d.warnings);
			CHECK_OK(mail_dkim_key_parse(mail_buf_view(&pem), &again, NULL));
			CHECK(mail_str_equal(mail_buf_view(&key), mail_buf_view(&again)));
			CHECK(pair_works(mail_buf_view(&pem), &key));
			CHECK(pem.len > 27 &&
			              memcmp(pem.data, "-----BEGIN PRIVATE KEY-----", 27) == 0,
			      "'%.*s'", 27, pem.data);
		}
		mail_buf_free(&pem);
		mail_buf_free(&key);
		mail_buf_free(&again);
	}
}

/* The old form "BEGIN RSA PRIVATE KEY", as opendkim-genkey writes it. */
static void test_traditional(void)
{
	mail_buf_t key = { 0 };
	EVP_PKEY *pkey = EVP_RSA_gen(1024);
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	CHECK_INT(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &pem);
	mail_str_t text = { pem, (size_t)len };
	CHECK_OK(mail_dkim_key_parse(text, &key, NULL));
	CHECK(pair_works(text, &key));
	mail_buf_free(&key);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

/* An error below 1024 bits, a warning below 2048 and above 4096. No key pairs of that length are made here. */
static void test_lengths(void)
{
	static const struct {
		unsigned bits;
		int ret;
		unsigned warnings;
	} cases[] = {
		{ 1023, KNOT_EINVAL, 0 }, { 1024, 0, 1 },
		{ 2047, 0, 1 },           { 2048, 0, 0 },
		{ 4096, 0, 0 },           { 4097, 0, 1 },
		{ 16384, 0, 1 },          { 16385, KNOT_EINVAL, 0 },
	};
	EACH(c, cases) {
		/* SEQUENCE { modulus 2^(bits-1) + 1, exponent 65537 }, as RSAPublicKey. */
		uint8_t der[2100];
		size_t octets = c->bits / 8 + 1, body = 4 + octets + 5;
		const uint8_t head[] = { 0x30, 0x82, (uint8_t)(body >> 8),   (uint8_t)body,
			                 0x02, 0x82, (uint8_t)(octets >> 8), (uint8_t)octets };
		static const uint8_t exponent[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
		memset(der, 0, sizeof(der));
		memcpy(der, head, sizeof(head));
		der[sizeof(head) + octets - 1] = 1;
		der[sizeof(head) + octets - 1 - (c->bits - 1) / 8] |= (uint8_t)(1u << (c->bits -
		                                                                       1) % 8);
		size_t used = octets;
		memcpy(der + sizeof(head) + used, exponent, sizeof(exponent));

		/* A modulus whose top octet has no top bit set must not start with a zero octet. */
		size_t skip = c->bits % 8 != 0 && der[sizeof(head)] == 0 ? 1 : 0;
		if (skip > 0) {
			memmove(der + sizeof(head), der + sizeof(head) + 1,
			        used - 1 + sizeof(exponent));
			der[2] = (uint8_t)((body - 1) >> 8);
			der[3] = (uint8_t)(body - 1);
			der[6] = (uint8_t)((octets - 1) >> 8);
			der[7] = (uint8_t)(octets - 1);
		}
		char text[3000];
		int len = EVP_EncodeBlock((unsigned char *)text, der, (int)(4 + body - skip));
		rendered_diag_t d;
		mail_buf_t key = { 0 };
		int ret = mail_dkim_key_parse((mail_str_t){ text, (size_t)len }, &key,
		                              rendered_diag(&d));
		CHECK(ret == c->ret, "%d (%s)", ret, d.diag.text);
		CHECK(d.warnings == c->warnings, "%u (%s)", d.warnings, d.last);
		char bits[32];
		snprintf(bits, sizeof(bits), " %u bits", c->bits);
		CHECK(ret == KNOT_EOK || strstr(d.diag.text, bits) != NULL, "'%s'", d.diag.text);
		mail_buf_free(&key);
	}
}

UNIT_MAIN("dkim_key", TEST("keys from text", test_parse), TEST("reasons", test_reasons),
          TEST("stored keys", test_check), TEST("a quick look", test_look),
          TEST("points of the curve", test_points), TEST("pairs", test_generate),
          TEST("old private keys", test_traditional), TEST("lengths of RSA keys", test_lengths))
