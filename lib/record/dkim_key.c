/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DKIM keys.  They are kept as a record's p= holds them: an Ed25519 key as its 32 octets (RFC 8463 4.2),
 * an RSA key as SubjectPublicKeyInfo.  What is given may be that in base64, or PEM; records are in dkim_record.c.
 */
#include "config.h"

#include "mail/dkim.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "mail/chars.h"
#include "mail/encoding.h"
#include "record/dkim_record.h"
#include "record/ed25519.h"
#include "record/spki.h"

#define ED25519_BITS 256
/* RFC 8301 3.2: shorter keys are not valid; signers should have 2048, verifiers need not take over 4096. */
#define RSA_MIN 1024
#define RSA_ADVISED 2048
#define RSA_COMMON 4096
/* OpenSSL verifies nothing with a longer one. */
#define RSA_MAX 16384

/* --- Checks --- */

static int ed25519_check(const uint8_t *key, mail_diag_t *diag)
{
	return mail_ed25519_is_key(key)
	               ? KNOT_EOK
	               : mail_diag_error(diag, 0, "these 32 octets are no Ed25519 public key");
}

/*! Modulus and exponent of a real key are odd. */
static bool rsa_is_odd(const EVP_PKEY *pkey)
{
	BIGNUM *n = NULL, *e = NULL;
	bool odd = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 && BN_is_odd(n) &&
	           EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
	           !BN_is_one(e);
	BN_free(n);
	BN_free(e);
	return odd;
}

/*! Check what a look at an RSA key has shown. */
static int rsa_check(mail_rsa_look_t look, mail_diag_t *diag)
{
	if (look.bits < RSA_MIN || look.bits > RSA_MAX) {
		return mail_diag_error(diag, 0, "an RSA key of %u bits: from %d to %d are allowed",
		                       look.bits, RSA_MIN, RSA_MAX);
	}
	if (!look.odd) {
		return mail_diag_error(diag, 0, "the RSA key is damaged");
	}
	if (look.bits < RSA_ADVISED) {
		mail_diag_warn(diag, "an RSA key of %u bits is weak: %d are advised", look.bits,
		               RSA_ADVISED);
	} else if (look.bits > RSA_COMMON) {
		mail_diag_warn(diag, "an RSA key of %u bits: receivers need not take more than %d",
		               look.bits, RSA_COMMON);
	}
	return KNOT_EOK;
}

/*! Look at an RSA key that OpenSSL has read. */
static mail_rsa_look_t rsa_look(const EVP_PKEY *pkey)
{
	return (mail_rsa_look_t){ (unsigned)EVP_PKEY_get_bits(pkey), rsa_is_odd(pkey) };
}

/*! Read a SubjectPublicKeyInfo that is nothing else. */
static EVP_PKEY *spki_read(const uint8_t *der, size_t len)
{
	const unsigned char *pos = der;
	EVP_PKEY *pkey = len <= LONG_MAX ? d2i_PUBKEY(NULL, &pos, (long)len) : NULL;
	ERR_clear_error();
	if (pkey != NULL && pos != der + len) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

int mail_dkim_key_check(const uint8_t *key, size_t len, mail_dkim_algorithm_t *algorithm,
                        unsigned *bits, mail_diag_t *diag)
{
	const bool rsa = len != MAIL_DKIM_ED25519_LEN;
	mail_rsa_look_t look = { .bits = ED25519_BITS };
	int ret = rsa ? KNOT_EOK : ed25519_check(key, diag);
	if (rsa && !mail_spki_rsa(key, len, &look)) {
		EVP_PKEY *pkey = spki_read(key, len);
		if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
			EVP_PKEY_free(pkey);
			return mail_diag_error(
				diag, 0, "neither 32 octets of Ed25519 nor an RSA public key");
		}
		look = rsa_look(pkey);
		EVP_PKEY_free(pkey);
	}
	if (rsa) {
		ret = rsa_check(look, diag);
	}
	if (ret == KNOT_EOK && algorithm != NULL) {
		*algorithm = rsa ? MAIL_DKIM_RSA : MAIL_DKIM_ED25519;
	}
	if (ret == KNOT_EOK && bits != NULL) {
		*bits = look.bits;
	}
	return ret;
}

/* --- Reading --- */

/*! Check that the k= of a record, if there is one, is that of its key. */
static int type_check(mail_str_t k, const char *type, mail_diag_t *diag)
{
	if (k.len > 0 && !mail_str_is(k, type)) {
		return mail_diag_error(diag, 0, "k=%.*s, but the key is of the other algorithm",
		                       MAIL_SHOW(k));
	}
	return KNOT_EOK;
}

/*! Check 32 octets of Ed25519, and write them. */
static int ed25519_put(const uint8_t *key, mail_str_t k, mail_buf_t *out, mail_diag_t *diag)
{
	int ret = type_check(k, "ed25519", diag);
	if (ret == KNOT_EOK) {
		ret = ed25519_check(key, diag);
	}
	if (ret != KNOT_EOK) {
		return ret;
	}
	return mail_buf_put(out, key, MAIL_DKIM_ED25519_LEN);
}

/*! Check any public or private key, and write the octets to store. \param k As the record says; empty: nothing. */
static int pkey_put(const EVP_PKEY *pkey, mail_str_t k, mail_buf_t *out, mail_diag_t *diag)
{
	uint8_t raw[MAIL_DKIM_ED25519_LEN];
	size_t raw_len = sizeof(raw);
	unsigned char *der = NULL;
	int ret, len;
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
		if (EVP_PKEY_get_raw_public_key(pkey, raw, &raw_len) != 1) {
			return KNOT_ENOMEM;
		}
		return ed25519_put(raw, k, out, diag);
	case EVP_PKEY_RSA:
		ret = type_check(k, "rsa", diag);
		if (ret == KNOT_EOK) {
			ret = rsa_check(rsa_look(pkey), diag);
		}
		if (ret != KNOT_EOK) {
			return ret;
		}
		len = i2d_PUBKEY(pkey, &der);
		if (len <= 0) {
			return KNOT_ENOMEM;
		}
		ret = mail_buf_put(out, der, (size_t)len);
		OPENSSL_free(der);
		return ret;
	default: return mail_diag_error(diag, 0, "DKIM has keys of RSA and Ed25519 only");
	}
}

/*! Say that there is no passphrase: a library does not ask at the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag;
	*(bool *)ctx = true;
	return -1;
}

int mail_dkim_pem_parse(mail_str_t text, mail_buf_t *out, mail_diag_t *diag)
{
	if (memmem(text.data, text.len, MAIL_PEM_BEGIN "CERT", strlen(MAIL_PEM_BEGIN "CERT")) !=
	    NULL) {
		return mail_diag_error(diag, 0, "a certificate, not a key");
	}
	EVP_PKEY *pkey = NULL;
	bool encrypted = false;
	int ret = KNOT_ENOMEM;
	BIO *bio = text.len <= INT_MAX ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, 0, NULL,
	                                                      NULL);
	if (bio == NULL || ctx == NULL ||
	    OSSL_DECODER_CTX_set_pem_password_cb(ctx, no_passphrase, &encrypted) != 1) {
		goto done;
	}
	if (OSSL_DECODER_from_bio(ctx, bio) != 1 || pkey == NULL) {
		ret = mail_diag_error(diag, 0,
		                      encrypted ? "the private key is encrypted"
		                                : "the PEM holds no key that can be read");
		goto done;
	}
	ret = pkey_put(pkey, MAIL_STR(""), out, diag);
done:
	ERR_clear_error();
	EVP_PKEY_free(pkey);
	OSSL_DECODER_CTX_free(ctx);
	BIO_free(bio);
	return ret;
}

/*!
 * Read octets that may also be a key in another dress: Ed25519 as SubjectPublicKeyInfo, RSA as
 * RSAPublicKey (RFC 8017 A.1.1), which RFC 6376 asks for and nobody writes.
 */
static int octets_parse(mail_str_t octets, mail_str_t k, mail_buf_t *out, mail_diag_t *diag)
{
	const unsigned char *der = (const unsigned char *)octets.data, *end = der + octets.len;
	if (octets.len == MAIL_DKIM_ED25519_LEN) {
		return ed25519_put(der, k, out, diag);
	}
	mail_rsa_look_t look;
	int ret;
	if (mail_spki_rsa(der, octets.len, &look)) {
		/* As most are written: it is what is stored. */
		ret = type_check(k, "rsa", diag);
		if (ret == KNOT_EOK) {
			ret = rsa_check(look, diag);
		}
		return ret == KNOT_EOK ? mail_buf_put(out, der, octets.len) : ret;
	}
	EVP_PKEY *pkey = spki_read(der, octets.len);
	if (pkey == NULL) {
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &der, (long)octets.len);
		ERR_clear_error();
		if (pkey == NULL || der != end) {
			EVP_PKEY_free(pkey);
			return mail_diag_error(diag, 0, "%zu octets that are no public key",
			                       octets.len);
		}
	}
	ret = pkey_put(pkey, k, out, diag);
	EVP_PKEY_free(pkey);
	return ret;
}

int mail_dkim_base64_parse(mail_str_t text, mail_str_t k, mail_buf_t *out, mail_diag_t *diag)
{
	mail_buf_t octets = { 0 };
	int ret = mail_base64_parse(text, &octets, diag);
	if (ret == KNOT_EOK) {
		ret = octets_parse(mail_buf_view(&octets), k, out, diag);
	}
	mail_buf_free(&octets);
	return ret;
}

/* --- Making --- */

int mail_dkim_generate(mail_dkim_algorithm_t algorithm, unsigned bits, mail_buf_t *private_pem,
                       mail_buf_t *public_key)
{
	if (algorithm == MAIL_DKIM_RSA && (bits < RSA_MIN || bits > RSA_MAX)) {
		return KNOT_EINVAL;
	}
	int ret = KNOT_ENOMEM;
	char *pem = NULL;
	EVP_PKEY *pkey = algorithm == MAIL_DKIM_RSA ? EVP_RSA_gen(bits)
	                                            : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	/* Wipes what it held when it is freed. */
	BIO *bio = BIO_new(BIO_s_secmem());
	if (pkey == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		goto done;
	}
	long len = BIO_get_mem_data(bio, &pem);
	ret = pkey_put(pkey, MAIL_STR(""), public_key, NULL);
	if (ret == KNOT_EOK) {
		ret = mail_buf_put(private_pem, pem, (size_t)len);
	}
done:
	ERR_clear_error();
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return ret;
}
