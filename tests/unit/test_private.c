/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/private.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "lib/failing.h"
#include "lib/keys.h"
#include "lib/signing.h"

/* --- OpenSSL's memory, so that it fails as ours does --- */

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 ? malloc(size) : NULL;
}

static void openssl_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0) {
		free(memory);
		return NULL;
	}
	return realloc(memory, size);
}

/* --- Reading --- */

static const char rfc8410_public[] = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

static const struct {
	const char *name;
	const char *text;
	mail_algorithm_t algorithm;
	const char *public_key;
} keys[] = {
	{ "RSA, BIND", keys_rsa_bind, MAIL_ALGORITHM_RSASHA256, keys_rsa_public },
	{ "RSA, PKCS#8", keys_rsa_pkcs8, MAIL_ALGORITHM_RSASHA256, keys_rsa_public },
	{ "RSA, PKCS#1", keys_rsa_pkcs1, MAIL_ALGORITHM_RSASHA256, keys_rsa_public },
	{ "P-256, BIND", keys_p256_bind, MAIL_ALGORITHM_ECDSAP256SHA256, keys_p256_public },
	{ "P-256, PKCS#8", keys_p256_pkcs8, MAIL_ALGORITHM_ECDSAP256SHA256, keys_p256_public },
	{ "P-256, SEC 1", keys_p256_sec1, MAIL_ALGORITHM_ECDSAP256SHA256, keys_p256_public },
	{ "Ed25519, BIND", keys_ed25519_bind, MAIL_ALGORITHM_ED25519, keys_ed25519_public },
	{ "Ed25519, PKCS#8", keys_ed25519_pkcs8, MAIL_ALGORITHM_ED25519, keys_ed25519_public },
	/* RFC 6605 6.1, RFC 8080 6.1. */
	{ "RFC 6605",
	  "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
	  "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n",
	  MAIL_ALGORITHM_ECDSAP256SHA256,
	  "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==" },
	{ "RFC 8080",
	  "Private-key-format: v1.3\r\nAlgorithm: 15 (ED25519)\r\n"
	  "PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\r\nCreated: 20200101000000\r\n"
	  "Publish: 20200101000000\r\n",
	  MAIL_ALGORITHM_ED25519, "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=" },
	/* BIND 9.18 leaves leading zeros out; others may write more than there must be. */
	{ "P-256, BIND, 31 octets",
	  "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
	  "PrivateKey: 61auDwqdPbynw1VvN7THBym1AwuHROTOCp+O4/Db5g==\n",
	  MAIL_ALGORITHM_ECDSAP256SHA256,
	  "lQPr7fl7vdUX4VTzmb507SH0pGuPNZ+jzEaG7Ohne7u/9QSgS1k23suPEd1T2ZpbyDT7hqfx/1JRo8hsRBVfzw==" },
	{ "P-256, BIND, 33 octets",
	  "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n"
	  "PrivateKey: AADrVq4PCp09vKfDVW83tMcHKbUDC4dE5M4Kn47j8Nvm\n",
	  MAIL_ALGORITHM_ECDSAP256SHA256,
	  "lQPr7fl7vdUX4VTzmb507SH0pGuPNZ+jzEaG7Ohne7u/9QSgS1k23suPEd1T2ZpbyDT7hqfx/1JRo8hsRBVfzw==" },
	/* RFC 8410 10.3. */
	{ "RFC 8410",
	  "A key:\n-----BEGIN PRIVATE KEY-----\r\n"
	  "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\r\n"
	  "-----END PRIVATE KEY-----\r\n",
	  MAIL_ALGORITHM_ED25519, rfc8410_public },
};
#define KEYS (COUNT(keys))

/*! Return whether the public half of a key is this one. */
static bool public_is(const mail_private_t *key, const char *base64)
{
	uint8_t expected[MAIL_DNSKEY_PUBLIC_MAX];
	mail_str_t octets = mail_private_public(key);
	size_t len = signing_base64(base64, expected);
	return octets.len == len && memcmp(octets.data, expected, len) == 0;
}

static void test_read(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		mail_private_t *key = NULL;
		mail_diag_t diag = { .line = 7 };
		int ret = mail_private_read(MAIL_STR(keys[i].text), &key, &diag);
		if (!CHECK(ret == KNOT_EOK, "%s: %d (%s)", keys[i].name, ret, diag.text)) {
			continue;
		}
		CHECK_INT(diag.line, 7);
		CHECK(mail_private_algorithm(key) == keys[i].algorithm, "%s", keys[i].name);
		CHECK(public_is(key, keys[i].public_key), "%s: another public half", keys[i].name);
		CHECK(mail_private_check(key, &diag) == KNOT_EOK, "%s: %s", keys[i].name,
		      diag.text);
		mail_private_free(key);
	}
}

/* RFC 8410 10.3, with a public key and attributes (RFC 5958): not all versions of OpenSSL read it. */
static void test_read_v2(void)
{
	static const char text[] =
		"-----BEGIN PRIVATE KEY-----\n"
		"MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		"oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
		"Z9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PRIVATE KEY-----\n";
	mail_private_t *key = NULL;
	mail_diag_t diag = { 0 };
	int ret = mail_private_read(MAIL_STR(text), &key, &diag);
	if (ret == KNOT_EOK) {
		CHECK(public_is(key, rfc8410_public));
	} else {
		CHECK(ret == KNOT_EINVAL && strstr(diag.text, "damaged") != NULL, "%d: %s", ret,
		      diag.text);
	}
	mail_private_free(key);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "no private key" },
		{ "hello", "no private key" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		  "no private key" },
		{ keys_p384, "not P-256" },
		{ keys_rsa1024, "1024 bits" },
		{ keys_x25519, "mod-mail does not sign with" },
		{ keys_encrypted, "encrypted" },
		{ keys_encrypted_pkcs1, "encrypted" },
		{ "-----BEGIN PRIVATE KEY-----\n" /* An octet too many. */
		  "MC4CAQAwBQYDK2VwBCIEILI3BDhLYXxAFugEQv1UMxztezcU0UIeqDV0OZss7/awAA==\n"
		  "-----END PRIVATE KEY-----\n",
		  "damaged" },
		{ "-----BEGIN EC PRIVATE KEY-----\n" /* A key of another kind. */
		  "MC4CAQAwBQYDK2VwBCIEILI3BDhLYXxAFugEQv1UMxztezcU0UIeqDV0OZss7/aw\n"
		  "-----END EC PRIVATE KEY-----\n",
		  "damaged" },
		{ "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n",
		  "DSA PRIVATE KEY" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\n", "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\nAA=A\n-----END PRIVATE KEY-----\n", "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\nA*AA\n-----END PRIVATE KEY-----\n", "damaged" },
		/* 33 octets of a secret, and 31. */
		{ "-----BEGIN PRIVATE KEY-----\n"
		  "MC8CAQAwBQYDK2VwBCMEIdTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCAA==\n"
		  "-----END PRIVATE KEY-----\n",
		  "damaged" },
		{ "-----BEGIN PRIVATE KEY-----\n"
		  "MC0CAQAwBQYDK2VwBCEEH9Tuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVg=\n"
		  "-----END PRIVATE KEY-----\n",
		  "damaged" },
		{ "Private-key-format: v2.0\nAlgorithm: 15\n", "v1.x" },
		{ "Private-key-format: v1.2\n", "algorithm 0" },
		{ "Private-key-format: v1.2\nAlgorithm: 10 (RSASHA512)\n", "algorithm 10" },
		{ "Private-key-format: v1.2\nAlgorithm: 8 (RSASHA256)\nModulus: AQAB\n",
		  "not complete" },
		{ "Private-key-format: v1.2\nAlgorithm: 15\n", "no PrivateKey" },
		{ "Private-key-format: v1.2\nAlgorithm: 15\nPrivateKey: AAAA\n", "damaged" },
		{ "Private-key-format: v1.2\nAlgorithm: 15\nPrivateKey: !!!!\n", "damaged" },
		{ "Private-key-format: v1.2\nAlgorithm: 13\nPrivateKey: AAAA\n", "damaged" },
		{ "Private-key-format: v1.2\nAlgorithm: 13\nPrivateKey:\n", "damaged" },
		/* The order of P-256 is no secret number. */
		{ "Private-key-format: v1.2\nAlgorithm: 13\n"
		  "PrivateKey: /////wAAAAD//////////7zm+q2nF56E87nKwvxjJVE=\n",
		  "damaged" },
	};
	EACH(c, cases) {
		mail_private_t *key = (mail_private_t *)&key;
		mail_diag_t diag = { 0 };
		int ret = mail_private_read(MAIL_STR(c->text), &key, &diag);
		CHECK(ret == KNOT_EINVAL && key == NULL, "%d", ret);
		CHECK_HAS(diag.text, c->reason);
		CHECK_INT(mail_private_read(MAIL_STR(c->text), &key, NULL), KNOT_EINVAL);
	}
}

/*! Sign with a key. \return Whether there is no signature, or a good one. */
static bool signature_sound(mail_private_t *key)
{
	mail_keyring_t *ring = mail_keyring_new();
	mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
	REQUIRE(signer != NULL && mail_keyring_add(ring, key) == KNOT_EOK);
	mail_dnskey_t dnskey = signing_public(key);
	uint8_t out[MAIL_SIGNATURE_MAX];
	int ret = mail_signer_sign(signer, &dnskey, 0, (const uint8_t *)"x", 1, out);
	bool sound = ret < 0 || signing_verify(&dnskey, (const uint8_t *)"x", 1, out, ret);
	mail_signer_free(signer);
	mail_keyring_free(ring);
	return sound;
}

/* A number of an RSA key that is of another one: the check finds it, and it never makes a bad signature. */
static void test_rsa_wrong(void)
{
	/* Of another public half there is no good one. */
	static const struct {
		const char *tag;
		bool secret;
	} cases[] = {
		{ "PublicExponent: A", false }, { "Modulus: ", false },
		{ "PrivateExponent: ", true },  { "Prime1: ", true },
		{ "Prime2: ", true },           { "Exponent1: ", true },
		{ "Exponent2: ", true },        { "Coefficient: ", true },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[sizeof(keys_rsa_bind)];
		memcpy(text, keys_rsa_bind, sizeof(text));
		char *place = strstr(text, cases[i].tag);
		REQUIRE(place != NULL);
		place += strlen(cases[i].tag) + (i == 0 ? 0 : 20);
		*place = *place == 'D' ? 'E' : 'D';
		mail_private_t *key = NULL;
		mail_diag_t diag = { 0 };
		int ret = mail_private_read(MAIL_STR(text), &key, &diag);
		if (ret == KNOT_EOK) {
			ret = mail_private_check(key, &diag);
			CHECK(!cases[i].secret || signature_sound(key), "%s", cases[i].tag);
		}
		CHECK(ret == KNOT_EINVAL && diag.text[0] != '\0', "%s: %d", cases[i].tag, ret);
		mail_private_free(key);
	}
}

/* Cut off anywhere, a key is refused and has a reason. */
static void test_cut(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		size_t step = strlen(keys[i].text) > 500 ? 37 : 1;
		for (size_t len = 0; len + 30 < strlen(keys[i].text); len += step) {
			char *text = malloc(len + 1);
			memcpy(text, keys[i].text, len);
			mail_private_t *key = NULL;
			mail_diag_t diag = { 0 };
			int ret = mail_private_read((mail_str_t){ text, len }, &key, &diag);
			/* In BIND's text, what follows the key may be missing. */
			CHECK(ret == KNOT_EINVAL ? diag.text[0] != '\0' : ret == KNOT_EOK,
			      "%s, %zu octets: %d", keys[i].name, len, ret);
			mail_private_free(key);
			free(text);
		}
	}
}

/* --- Printing, making --- */

/*! Return whether OpenSSL reads PEM, and what it signs is good. */
static bool openssl_takes(const mail_buf_t *pem, const mail_private_t *key)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	mail_dnskey_t dnskey = signing_public(key);
	EVP_PKEY *public_key = signing_evp(&dnskey);
	bool same = pkey != NULL && EVP_PKEY_eq(pkey, public_key) == 1;
	EVP_PKEY_free(public_key);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return same;
}

static void check_round(const mail_private_t *key, const char *name)
{
	mail_buf_t pem = { 0 }, again = { 0 };
	mail_private_t *read = NULL;
	CHECK_OK(mail_private_print(key, &pem));
	CHECK(openssl_takes(&pem, key), "%s", name);
	int ret = mail_private_read(mail_buf_view(&pem), &read, NULL);
	if (CHECK(ret == KNOT_EOK, "%s: %d", name, ret)) {
		CHECK_INT(mail_private_algorithm(read), mail_private_algorithm(key));
		CHECK(mail_str_equal(mail_private_public(read), mail_private_public(key)));
		CHECK_OK(mail_private_print(read, &again));
		CHECK(mail_str_equal(mail_buf_view(&pem), mail_buf_view(&again)), "%s", name);
	}
	mail_private_free(read);
	mail_buf_free(&pem);
	mail_buf_free(&again);
}

static void test_print(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		mail_private_t *key = NULL;
		REQUIRE(mail_private_read(MAIL_STR(keys[i].text), &key, NULL) == KNOT_EOK);
		check_round(key, keys[i].name);
		mail_private_free(key);
	}

	/* The same octets as OpenSSL wrote. */
	static const char *const pems[] = { keys_rsa_pkcs8, keys_p256_pkcs8, keys_ed25519_pkcs8 };
	EACH(c, pems) {
		mail_private_t *key = NULL;
		mail_buf_t pem = { 0 };
		REQUIRE(mail_private_read(MAIL_STR(*c), &key, NULL) == KNOT_EOK);
		CHECK_OK(mail_private_print(key, &pem));
		CHECK_TEXT(mail_buf_view(&pem), *c);
		mail_buf_free(&pem);
		uint8_t small[40];
		pem = MAIL_BUF_FIXED(small, sizeof(small));
		CHECK_INT(mail_private_print(key, &pem), KNOT_ESPACE);
		mail_private_free(key);
	}
}

static void test_generate(void)
{
	static const struct {
		mail_algorithm_t algorithm;
		unsigned bits;
		int ret;
		size_t public_len;
	} cases[] = {
		{ MAIL_ALGORITHM_ED25519, 0, KNOT_EOK, 32 },
		{ MAIL_ALGORITHM_ECDSAP256SHA256, 0, KNOT_EOK, 64 },
		{ MAIL_ALGORITHM_ECDSAP256SHA256, 9999, KNOT_EOK, 64 },
		{ MAIL_ALGORITHM_RSASHA256, 0, KNOT_EOK, 4 + 256 },
		{ MAIL_ALGORITHM_RSASHA256, 2056, KNOT_EOK, 4 + 257 },
		{ MAIL_ALGORITHM_RSASHA256, 2047, KNOT_EINVAL, 0 },
		{ MAIL_ALGORITHM_RSASHA256, 4097, KNOT_EINVAL, 0 },
		{ (mail_algorithm_t)0, 0, KNOT_EINVAL, 0 },
		{ (mail_algorithm_t)14, 0, KNOT_EINVAL, 0 },
	};
	EACH(c, cases) {
		mail_private_t *key = NULL, *other = NULL;
		int ret = mail_private_generate(c->algorithm, c->bits, &key);
		CHECK_INT(ret, c->ret);
		CHECK((ret == KNOT_EOK) == (key != NULL));
		if (key == NULL) {
			continue;
		}
		CHECK_INT(mail_private_public(key).len, c->public_len);
		check_round(key, "made");
		if (c->algorithm != MAIL_ALGORITHM_RSASHA256) {
			CHECK_OK(mail_private_generate(c->algorithm, 0, &other));
			CHECK(!mail_str_equal(mail_private_public(key),
			                      mail_private_public(other)));
		}
		mail_private_free(other);
		mail_private_free(key);
	}
}

static void test_file(void)
{
	static const struct {
		const char *set;
		mail_algorithm_t algorithm;
		uint16_t tag;
		const char *name;
	} cases[] = {
		{ "main", MAIL_ALGORITHM_ED25519, 12345, "main+015+12345.pem" },
		{ "main", MAIL_ALGORITHM_RSASHA256, 7, "main+008+00007.pem" },
		{ "a.b", MAIL_ALGORITHM_ECDSAP256SHA256, 65535, "a.b+013+65535.pem" },
		{ "../main", MAIL_ALGORITHM_ED25519, 1, NULL },
		{ "a/b", MAIL_ALGORITHM_ED25519, 1, NULL },
		{ ".main", MAIL_ALGORITHM_ED25519, 1, NULL },
		{ "", MAIL_ALGORITHM_ED25519, 1, NULL },
	};
	EACH(c, cases) {
		char name[64];
		int ret = mail_private_file(MAIL_STR(c->set), c->algorithm, c->tag, name,
		                            sizeof(name));
		CHECK(ret == (c->name != NULL ? KNOT_EOK : KNOT_EINVAL), "%d", ret);
		if (ret == KNOT_EOK) {
			CHECK_STR(name, c->name);
			size_t len = strlen(c->name);
			CHECK_INT(mail_private_file(MAIL_STR(c->set), c->algorithm, c->tag, name,
			                            len),
			          KNOT_ESPACE);
			CHECK_OK(mail_private_file(MAIL_STR(c->set), c->algorithm, c->tag, name,
			                           len + 1));
		}
	}
}

/* --- Memory --- */

static void test_references(void)
{
	mail_private_t *key = NULL;
	REQUIRE(mail_private_generate(MAIL_ALGORITHM_ED25519, 0, &key) == KNOT_EOK);
	CHECK_INT(mail_private_ref(key), key);
	mail_private_free(key);
	CHECK_INT(mail_private_public(key).len, 32);
	mail_private_free(key);
	mail_private_free(NULL);
}

#define STEP 7
/* Keys that take different ways. */
static const char *const swept[] = { keys_rsa_bind, keys_rsa_pkcs8, keys_p256_bind, keys_p256_pkcs8,
	                             keys_ed25519_bind };
#define SWEPT (COUNT(swept))

static bool result_fits(int ret)
{
	return ret == KNOT_EOK || ret == KNOT_ENOMEM || ret == KNOT_ERROR;
}

/* Of some thousand allocations, ours and OpenSSL's, every seventh fails once. */
static void test_memory(void)
{
	REQUIRE(failing_linked());
	for (size_t k = 0; k < SWEPT; k++) {
		for (size_t i = 1; failing_on(i); i += STEP) {
			mail_private_t *key = NULL;
			mail_buf_t pem = { 0 };
			int ret = mail_private_read(MAIL_STR(swept[k]), &key, NULL);
			/* OpenSSL's decoders do not always say that it was for want of memory. */
			CHECK(result_fits(ret) || ret == KNOT_EINVAL, "key %zu: %d", k, ret);
			CHECK((ret == KNOT_EOK) == (key != NULL));
			if (ret == KNOT_EOK) {
				ret = mail_private_print(key, &pem);
				CHECK(result_fits(ret), "key %zu: %d", k, ret);
			}
			mail_buf_free(&pem);
			mail_private_free(key);
			if (!failing_off()) {
				CHECK(i > 5, "key %zu: %zu", k, i);
				break;
			}
		}
	}
}

/* The same for signing; the next time it works. */
static void test_memory_sign(void)
{
	for (size_t k = 0; k < SWEPT; k++) {
		mail_private_t *key = NULL;
		mail_keyring_t *ring = mail_keyring_new();
		REQUIRE(mail_private_read(MAIL_STR(swept[k]), &key, NULL) == KNOT_EOK);
		REQUIRE(ring != NULL && mail_keyring_add(ring, key) == KNOT_EOK);
		mail_dnskey_t dnskey = signing_public(key);
		for (size_t i = 1; failing_on(i); i += STEP) {
			uint8_t out[MAIL_SIGNATURE_MAX];
			int ret = 0;
			mail_signer_t *signer = mail_signer_new(ring, NULL, 0);
			if (signer != NULL) {
				ret = mail_signer_sign(signer, &dnskey, 0, out, 0, out);
				CHECK(ret > 0 || (ret < 0 && result_fits(ret)), "key %zu: %d", k,
				      ret);
			}
			bool met = failing_off();
			if (signer != NULL) {
				ret = mail_signer_sign(signer, &dnskey, 0, out, 0, out);
				CHECK(ret > 0 && signing_verify(&dnskey, out, 0, out, ret),
				      "key %zu: %d", k, ret);
			}
			mail_signer_free(signer);
			if (!met) {
				CHECK(i > 5, "key %zu: %zu", k, i);
				break;
			}
		}
		mail_keyring_free(ring);
		mail_private_free(key);
	}
}

int main(void)
{
	static const unit_test_t tests[] = {
		{ "reading", test_read },
		{ "PKCS#8 of version 2", test_read_v2 },
		{ "what is refused", test_refused },
		{ "wrong numbers of RSA", test_rsa_wrong },
		{ "cut off", test_cut },
		{ "printing", test_print },
		{ "making", test_generate },
		{ "names of files", test_file },
		{ "references", test_references },
		{ "memory", test_memory },
		{ "memory to sign with", test_memory_sign },
		{ NULL, NULL },
	};
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
		return EXIT_FAILURE;
	}
	return unit_run("private", tests);
}
