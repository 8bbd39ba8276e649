/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading private keys: PEM, which OpenSSL decodes, and BIND's text:
 *
 *     BIND = "Private-key-format: v1." 1*DIGIT LF 1*(tag ":" value LF)
 */
#include "config.h"

#include "crypto/private.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "mail/chars.h"
#include "mail/encoding.h"

#define BIND_FORMAT "Private-key-format:"
/* The longest value that is looked at: a number of 16384 bits, to say that the key is too long. */
#define VALUE_MAX 2048
/* Room for a secret before which somebody wrote zeros. */
#define SECRET_MAX (2 * MAIL_SECRET_LEN)

/* --- PEM --- */

/*! Read PKCS#8 (RFC 5958 2). */
static int pkcs8_read(const uint8_t *der, long len, mail_private_t **key, mail_diag_t *diag)
{
	const uint8_t *pos = der;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &pos, len);
	if (info == NULL) {
		return mail_openssl_damaged(diag);
	}
	int ret;
	if (pos == der + len) {
		ret = mail_private_take(info, key, diag);
	} else {
		ret = mail_private_damaged(diag);
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return ret;
}

/*! Read the DER of a PEM with this label (RFC 7468 10, RFC 5915 4, RFC 8017 A.1.2). */
static int der_read(const char *label, const uint8_t *der, long len, mail_private_t **key,
                    mail_diag_t *diag)
{
	int type;
	if (strcmp(label, PEM_STRING_PKCS8INF) == 0) {
		return pkcs8_read(der, len, key, diag);
	}
	if (strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0) {
		type = EVP_PKEY_EC;
	} else if (strcmp(label, PEM_STRING_RSA) == 0) {
		type = EVP_PKEY_RSA;
	} else {
		return mail_diag_error(diag, 0, "PEM of an unknown kind: \"%.64s\"", label);
	}

	const uint8_t *pos = der;
	EVP_PKEY *pkey = d2i_PrivateKey(type, NULL, &pos, len);
	if (pkey == NULL) {
		return mail_openssl_damaged(diag);
	}
	int ret;
	if (pos == der + len) {
		ret = mail_private_of_pkey(pkey, key, diag);
	} else {
		ret = mail_private_damaged(diag);
	}
	EVP_PKEY_free(pkey);
	return ret;
}

/*! A block of PEM. */
typedef struct {
	char *label;
	char *header;
	uint8_t *der;
	long len;
} block_t;

/*!
 * Read the next block, which the caller clears.
 *
 * \return KNOT_EOK; KNOT_ENOENT: there is none; KNOT_EINVAL with the reason; KNOT_ENOMEM.
 */
static int block_next(BIO *bio, block_t *block, mail_diag_t *diag)
{
	ERR_clear_error();
	if (PEM_read_bio_ex(bio, &block->label, &block->header, &block->der, &block->len,
	                    PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
		return KNOT_EOK;
	}
	*block = (block_t){ 0 };
	unsigned long error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return KNOT_ENOENT;
	}
	return mail_openssl_damaged(diag);
}

static void block_clear(block_t *block)
{
	OPENSSL_secure_free(block->label);
	OPENSSL_secure_free(block->header);
	OPENSSL_secure_clear_free(block->der, (size_t)block->len);
	*block = (block_t){ 0 };
}

static bool str_ends(const char *text, const char *with)
{
	size_t len = strlen(text), with_len = strlen(with);
	return len >= with_len && strcmp(text + len - with_len, with) == 0;
}

/*! Read the first block that is a private key: others, as curve parameters, may stand before it. */
static int pem_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	BIO *bio = BIO_new_mem_buf(text.len > 0 ? text.data : "", (int)text.len);
	if (bio == NULL) {
		return mail_openssl_error();
	}
	block_t block = { 0 };
	int ret;
	do {
		block_clear(&block);
		ret = block_next(bio, &block, diag);
		if (ret == KNOT_ENOENT) {
			ret = mail_diag_error(diag, 0, "the PEM has no private key");
		}
		if (ret != KNOT_EOK) {
			goto done;
		}
	} while (!str_ends(block.label, "PRIVATE KEY"));
	/* "Proc-Type: 4,ENCRYPTED" is what the older form has (RFC 1421 4.6.1.1). */
	if (strcmp(block.label, PEM_STRING_PKCS8) == 0 || block.header[0] != '\0') {
		ret = mail_diag_error(diag, 0,
		                      "the private key is encrypted: a name server "
		                      "cannot ask for the password");
		goto done;
	}
	ret = der_read(block.label, block.der, block.len, key, diag);
done:
	block_clear(&block);
	BIO_free(bio);
	return ret;
}

/* --- BIND's text --- */

/*! Numbers of an RSA key: BIND's names and OpenSSL's. */
static const struct {
	const char *tag;
	const char *param;
} numbers[] = {
	{ "Modulus", OSSL_PKEY_PARAM_RSA_N },
	{ "PublicExponent", OSSL_PKEY_PARAM_RSA_E },
	{ "PrivateExponent", OSSL_PKEY_PARAM_RSA_D },
	{ "Prime1", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ "Prime2", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ "Exponent1", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ "Exponent2", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ "Coefficient", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

/*! What a text has said so far. */
typedef struct {
	unsigned algorithm;
	BIGNUM *numbers[NUMBERS];
	uint8_t secret[SECRET_MAX];
	size_t secret_len; /*!< 0: none. */
} bind_t;

static void bind_clear(bind_t *bind)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		BN_clear_free(bind->numbers[i]);
	}
	OPENSSL_cleanse(bind->secret, sizeof(bind->secret));
}

static int number_set(BIGNUM **number, const mail_buf_t *octets)
{
	/* Of secure numbers, what is made of them is wiped too (OSSL_PARAM_BLD_push_BN(3)). */
	if (*number == NULL) {
		*number = BN_secure_new();
	}
	if (*number == NULL || BN_bin2bn(octets->data, (int)octets->len, *number) == NULL) {
		return mail_openssl_error();
	}
	return KNOT_EOK;
}

/*! Read the value of a tag: a number of an RSA key, or a secret; others are passed over. */
static int value_read(mail_str_t tag, mail_str_t value, bind_t *bind, mail_diag_t *diag)
{
	size_t i = 0;
	while (i < NUMBERS && !mail_str_is_nocase(tag, numbers[i].tag)) {
		i++;
	}
	if (i == NUMBERS && !mail_str_is_nocase(tag, "PrivateKey")) {
		return KNOT_EOK;
	}
	uint8_t room[VALUE_MAX];
	mail_buf_t octets = MAIL_BUF_FIXED(room, sizeof(room));
	int ret = mail_base64_parse(value, &octets, NULL);
	if (ret != KNOT_EOK || (i == NUMBERS && octets.len > SECRET_MAX)) {
		ret = mail_private_damaged(diag);
	} else if (i < NUMBERS) {
		ret = number_set(&bind->numbers[i], &octets);
	} else {
		memcpy(bind->secret, room, octets.len);
		bind->secret_len = octets.len;
	}
	OPENSSL_cleanse(room, octets.len);
	return ret;
}

/*! Return the number at the start of "15 (ED25519)". */
static unsigned leading_number(mail_str_t value)
{
	unsigned number = 0;
	for (size_t i = 0; i < value.len && i < 3 && mail_char_digit(value.data[i]); i++) {
		number = number * 10 + (unsigned)(value.data[i] - '0');
	}
	return number;
}

static int rsa_make(const bind_t *bind, mail_private_t **key, mail_diag_t *diag)
{
	int ret;
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	if (ctx == NULL || build == NULL) {
		ret = mail_openssl_error();
		goto done;
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		if (bind->numbers[i] == NULL) {
			ret = mail_diag_error(diag, 0, "the RSA key is not complete");
			goto done;
		}
		if (OSSL_PARAM_BLD_push_BN(build, numbers[i].param, bind->numbers[i]) != 1) {
			ret = mail_openssl_error();
			goto done;
		}
	}
	params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
		ret = mail_openssl_damaged(diag);
		goto done;
	}
	ret = mail_private_of_pkey(pkey, key, diag);
done:
	EVP_PKEY_free(pkey);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

/*! Make the key of what was read. */
static int bind_make(const bind_t *bind, mail_private_t **key, mail_diag_t *diag)
{
	switch (bind->algorithm) {
	case MAIL_ALGORITHM_RSASHA256: return rsa_make(bind, key, diag);
	case MAIL_ALGORITHM_ECDSAP256SHA256:
	case MAIL_ALGORITHM_ED25519:
		if (bind->secret_len == 0) {
			return mail_diag_error(diag, 0, "there is no PrivateKey");
		}
		return mail_private_of_secret(
			(mail_algorithm_t)bind->algorithm,
			(mail_str_t){ (const char *)bind->secret, bind->secret_len }, key, diag);
	default:
		return mail_diag_error(
			diag, 0, "mod-mail does not sign with algorithm %u, only with 8, 13 and 15",
			bind->algorithm);
	}
}

/*! Take a line in. */
static int line_read(mail_str_t line, bind_t *bind, mail_diag_t *diag)
{
	const char *colon = line.len > 0 ? memchr(line.data, ':', line.len) : NULL;
	if (colon == NULL) {
		return KNOT_EOK;
	}
	mail_str_t tag = { line.data, (size_t)(colon - line.data) };
	mail_str_t value = mail_str_trim(mail_str_from(line, tag.len + 1));
	if (mail_str_is_nocase(tag, "Private-key-format") && !mail_str_starts(value, "v1.")) {
		return mail_diag_error(diag, 0, "a private key format other than v1.x");
	}
	if (mail_str_is_nocase(tag, "Algorithm")) {
		bind->algorithm = leading_number(value);
		return KNOT_EOK;
	}
	return value_read(tag, value, bind, diag);
}

static int bind_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	bind_t bind = { 0 };
	mail_str_t line;
	int ret = KNOT_EOK;
	for (size_t pos = 0; mail_str_piece(text, '\n', &pos, &line);) {
		ret = line_read(line, &bind, diag);
		if (ret != KNOT_EOK) {
			goto done;
		}
	}
	ret = bind_make(&bind, key, diag);
done:
	bind_clear(&bind);
	return ret;
}

/* --- API --- */

int mail_private_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	*key = NULL;
	mail_str_t trimmed = mail_str_trim(text);
	if (trimmed.len > INT_MAX) {
		return mail_diag_error(diag, 0, "too long for a private key");
	}
	if (mail_str_starts(trimmed, BIND_FORMAT)) {
		return bind_read(trimmed, key, diag);
	}
	return pem_read(trimmed, key, diag);
}
