/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading private keys: PEM (RFC 7468) of three kinds of DER, and BIND's text. Not OpenSSL's decoders read them,
 * because those leave copies of the key behind in memory that was given back.
 *
 *     "PRIVATE KEY"      PrivateKeyInfo ::= SEQUENCE { version INTEGER,                       (RFC 5958 2)
 *                                SEQUENCE { algorithm OBJECT IDENTIFIER, parameters },
 *                                privateKey OCTET STRING, ... }
 *                        privateKey is for Ed25519 OCTET STRING (RFC 8410 7), for the others as below
 *     "EC PRIVATE KEY"   ECPrivateKey ::= SEQUENCE { version INTEGER 1, privateKey OCTET STRING, (RFC 5915 3)
 *                                [0] curve OBJECT IDENTIFIER OPTIONAL, ... }
 *     "RSA PRIVATE KEY"  RSAPrivateKey (RFC 8017 A.1.2)
 *
 *     BIND = "Private-key-format: v1." 1*DIGIT LF 1*(tag ":" value LF)
 */
#include "config.h"

#include "crypto/private.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "mail/chars.h"

/* The longest DER that is looked at: RSA of 16384 bits, to say that it is too long. */
#define DER_MAX 16384
#define CURVE_TAG 0xa0
#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "
#define PEM_DASHES "-----"
#define BIND_FORMAT "Private-key-format:"
/* Room for a secret before which somebody wrote zeros. */
#define BIND_SECRET_MAX (2 * MAIL_SECRET_LEN)

#define OID(...)                                                                                   \
	sizeof((uint8_t[]){ __VA_ARGS__ }),                                                        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

/*! An object identifier. */
typedef struct {
	uint8_t len;
	uint8_t octets[9];
} oid_t;

static const oid_t oid_rsa = { OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01) };
static const oid_t oid_ec = { OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01) };
static const oid_t oid_p256 = { OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07) };
static const oid_t oid_ed25519 = { OID(0x2b, 0x65, 0x70) };

/* --- Text --- */

/*!
 * Decodes base64 with white space in between (RFC 4648 4).
 *
 * \return Octets, or KNOT_EMALF; KNOT_ESPACE.
 */
static int base64_decode(mail_str_t text, uint8_t *out, size_t cap)
{
	unsigned bits = 0, count = 0, padding = 0;
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (mail_char_space(c)) {
			continue;
		}
		int digit = mail_char_base64(c);
		if (c == '=' ? ++padding > 2 : digit < 0 || padding > 0) {
			return KNOT_EMALF;
		}
		if (c == '=') {
			continue;
		}
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		if (++count % 4 == 1) {
			continue;
		}
		if (len == cap) {
			return KNOT_ESPACE;
		}
		out[len++] = (uint8_t)(bits >> (6 - 2 * ((count - 1) % 4)));
	}
	OPENSSL_cleanse(&bits, sizeof(bits));
	return (count + padding) % 4 == 0 ? (int)len : KNOT_EMALF;
}

/*! The next line of a text, without its end. */
static bool line_next(mail_str_t *text, mail_str_t *line)
{
	if (text->len == 0) {
		return false;
	}
	const char *end = memchr(text->data, '\n', text->len);
	size_t len = end != NULL ? (size_t)(end - text->data) : text->len;
	*line = mail_str_trim((mail_str_t){ text->data, len });
	*text = mail_str_from(*text, end != NULL ? len + 1 : len);
	return true;
}

/* --- DER --- */

mail_reader_t mail_der_enter(mail_reader_t *der, uint8_t tag)
{
	if (mail_read_u8(der) != tag) {
		der->error = KNOT_EMALF;
	}
	size_t len = mail_read_u8(der);
	if (len == 0x80 || len > 0x82) {
		der->error = KNOT_EMALF; /* No end, or longer than any key. */
	} else if (len > 0x80) {
		len = mail_read_number(der, len - 0x80);
	}
	const uint8_t *content = mail_read(der, len);
	if (content == NULL) {
		return (mail_reader_t){ .error = KNOT_EMALF };
	}
	return MAIL_READER(content, len);
}

/*! Says whether a reader holds just this object identifier. */
static bool oid_is(const mail_reader_t *oid, const oid_t *expected)
{
	return mail_read_left(oid) == expected->len &&
	       memcmp(oid->pos, expected->octets, expected->len) == 0;
}

mail_reader_t mail_pkcs8_enter(mail_reader_t *der, mail_reader_t *oid, mail_reader_t *parameters)
{
	mail_reader_t sequence = mail_der_enter(der, MAIL_DER_SEQUENCE);
	(void)mail_der_enter(&sequence, MAIL_DER_INTEGER);
	*parameters = mail_der_enter(&sequence, MAIL_DER_SEQUENCE);
	*oid = mail_der_enter(parameters, MAIL_DER_OID);
	return mail_der_enter(&sequence, MAIL_DER_OCTETS);
}

static int diag_malformed(mail_diag_t *diag)
{
	return mail_diag_error(diag, 0, "the private key is damaged");
}

/*! Makes a key of the octets of a secret, whose leading zeros may be missing, or be too many. */
static int secret_read(mail_algorithm_t algorithm, mail_reader_t *octets, mail_private_t **key,
                       mail_diag_t *diag)
{
	uint8_t secret[MAIL_SECRET_LEN] = { 0 };
	bool number = algorithm == MAIL_ALGORITHM_ECDSAP256SHA256;
	size_t len = mail_read_left(octets);
	const uint8_t *pos = octets->pos;
	while (number && len > sizeof(secret) && *pos == 0) {
		pos++;
		len--;
	}
	if (len > sizeof(secret) || len == 0 || (!number && len != sizeof(secret))) {
		return diag_malformed(diag);
	}
	memcpy(secret + sizeof(secret) - len, pos, len);
	int ret = mail_private_of_secret(algorithm, secret, key);
	OPENSSL_cleanse(secret, sizeof(secret));
	return ret == KNOT_EINVAL ? diag_malformed(diag) : ret;
}

static int rsa_read(mail_reader_t *der, mail_private_t **key, mail_diag_t *diag)
{
	mail_rsa_t rsa = { 0 };
	int ret = mail_rsa_read(der, &rsa);
	if (ret == KNOT_EOK) {
		ret = mail_rsa_private(&rsa, key, diag);
	}
	mail_rsa_clear(&rsa);
	return ret == KNOT_EMALF ? diag_malformed(diag) : ret;
}

/*! Reads ECPrivateKey. \param curve  Where the curve was said before, or NULL. */
static int ec_read(mail_reader_t *der, const mail_reader_t *curve, mail_private_t **key,
                   mail_diag_t *diag)
{
	mail_reader_t sequence = mail_der_enter(der, MAIL_DER_SEQUENCE);
	(void)mail_der_enter(&sequence, MAIL_DER_INTEGER);
	mail_reader_t secret = mail_der_enter(&sequence, MAIL_DER_OCTETS);
	if (secret.error != KNOT_EOK) {
		return diag_malformed(diag);
	}
	mail_reader_t oid;
	if (curve != NULL) {
		oid = *curve;
	} else {
		mail_reader_t inside = mail_der_enter(&sequence, CURVE_TAG);
		oid = mail_der_enter(&inside, MAIL_DER_OID);
	}
	if (!oid_is(&oid, &oid_p256)) {
		return mail_diag_error(diag, 0, "an elliptic curve that is not P-256 by its name");
	}
	return secret_read(MAIL_ALGORITHM_ECDSAP256SHA256, &secret, key, diag);
}

static int pkcs8_read(mail_reader_t *der, mail_private_t **key, mail_diag_t *diag)
{
	mail_reader_t oid, parameters;
	mail_reader_t inside = mail_pkcs8_enter(der, &oid, &parameters);
	if (inside.error != KNOT_EOK) {
		return diag_malformed(diag);
	}
	if (oid_is(&oid, &oid_rsa)) {
		return rsa_read(&inside, key, diag);
	}
	if (oid_is(&oid, &oid_ec)) {
		mail_reader_t curve = mail_der_enter(&parameters, MAIL_DER_OID);
		return ec_read(&inside, &curve, key, diag);
	}
	if (oid_is(&oid, &oid_ed25519)) {
		mail_reader_t secret = mail_der_enter(&inside, MAIL_DER_OCTETS);
		return secret_read(MAIL_ALGORITHM_ED25519, &secret, key, diag);
	}
	return mail_diag_error(diag, 0,
	                       "a key of an algorithm that is not signed with: "
	                       "Ed25519, ECDSA P-256 and RSA are");
}

/* --- PEM --- */

/*! Reads the DER of a block with this label. */
static int der_read(mail_str_t label, const uint8_t *octets, size_t len, mail_private_t **key,
                    mail_diag_t *diag)
{
	mail_reader_t der = MAIL_READER(octets, len);
	if (mail_str_is(label, "PRIVATE KEY")) {
		return pkcs8_read(&der, key, diag);
	}
	if (mail_str_is(label, "EC PRIVATE KEY")) {
		return ec_read(&der, NULL, key, diag);
	}
	if (mail_str_is(label, "RSA PRIVATE KEY")) {
		return rsa_read(&der, key, diag);
	}
	return mail_diag_error(diag, 0, "PEM of an unknown kind: \"%.*s\"",
	                       (int)(label.len < 64 ? label.len : 64), label.data);
}

/*! Reads the lines of a block. */
static int block_read(mail_str_t label, mail_str_t body, mail_private_t **key, mail_diag_t *diag)
{
	/* "Proc-Type: 4,ENCRYPTED" is what the older form has (RFC 1421 4.6.1.1). */
	if (mail_str_is(label, "ENCRYPTED PRIVATE KEY") ||
	    (body.len > 0 && memchr(body.data, ':', body.len) != NULL)) {
		return mail_diag_error(diag, 0,
		                       "the private key is encrypted: a name server "
		                       "cannot ask for the password");
	}
	uint8_t octets[DER_MAX];
	int len = base64_decode(body, octets, sizeof(octets));
	int ret = len > 0 ? der_read(label, octets, len, key, diag) : diag_malformed(diag);
	OPENSSL_cleanse(octets, sizeof(octets));
	return ret;
}

static bool str_ends(mail_str_t text, const char *with)
{
	size_t len = strlen(with);
	return text.len >= len && memcmp(text.data + text.len - len, with, len) == 0;
}

/*! The label in a line like "-----BEGIN LABEL-----". */
static bool label_find(mail_str_t line, const char *begin, mail_str_t *label)
{
	size_t around = strlen(begin) + strlen(PEM_DASHES);
	if (line.len < around || !mail_str_starts(line, begin) || !str_ends(line, PEM_DASHES)) {
		return false;
	}
	*label = mail_str_part(line, strlen(begin), line.len - around);
	return true;
}

/*! Reads the first block that is a private key: others, as curve parameters, may stand before it. */
static int pem_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	mail_str_t line, label, end;
	while (line_next(&text, &line)) {
		if (!label_find(line, PEM_BEGIN, &label) || !str_ends(label, "PRIVATE KEY")) {
			continue;
		}
		mail_str_t body = { text.data, 0 };
		while (line_next(&text, &line)) {
			if (label_find(line, PEM_END, &end)) {
				return mail_str_equal(label, end)
				               ? block_read(label, body, key, diag)
				               : diag_malformed(diag);
			}
			body.len = text.data - body.data;
		}
		return diag_malformed(diag);
	}
	return mail_diag_error(diag, 0, "the PEM has no private key");
}

/* --- BIND's text --- */

/*! What a text has said so far. */
typedef struct {
	unsigned algorithm;
	mail_rsa_t rsa;
	uint8_t secret[BIND_SECRET_MAX];
	size_t secret_len; /*!< 0: none. */
} bind_t;

/*! Reads the value of a tag, a number of an RSA key or a secret. */
static int value_read(mail_str_t tag, mail_str_t value, bind_t *bind, mail_diag_t *diag)
{
	static const char *const tags[MAIL_RSA_NUMBERS] = {
		[MAIL_RSA_N] = "Modulus",         [MAIL_RSA_E] = "PublicExponent",
		[MAIL_RSA_D] = "PrivateExponent", [MAIL_RSA_P] = "Prime1",
		[MAIL_RSA_Q] = "Prime2",          [MAIL_RSA_DP] = "Exponent1",
		[MAIL_RSA_DQ] = "Exponent2",      [MAIL_RSA_QI] = "Coefficient",
	};
	uint8_t octets[DER_MAX];
	int ret = KNOT_EOK, len = 0;
	if (mail_str_is_nocase(tag, "PrivateKey")) {
		len = base64_decode(value, octets, sizeof(octets));
		if (len > 0 && len <= BIND_SECRET_MAX) {
			memcpy(bind->secret, octets, len);
			bind->secret_len = len;
		} else {
			ret = diag_malformed(diag);
		}
	}
	for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
		if (!mail_str_is_nocase(tag, tags[i])) {
			continue;
		}
		len = base64_decode(value, octets, sizeof(octets));
		ret = len > 0 ? mail_rsa_set(&bind->rsa, i,
		                             (mail_str_t){ (const char *)octets, len })
		              : KNOT_EINVAL;
		ret = ret == KNOT_EINVAL ? diag_malformed(diag) : ret;
	}
	if (len != 0) {
		OPENSSL_cleanse(octets, sizeof(octets));
	}
	return ret;
}

/*! Number at the start of "15 (ED25519)". */
static unsigned leading_number(mail_str_t value)
{
	unsigned number = 0;
	for (size_t i = 0; i < value.len && i < 3 && mail_char_digit(value.data[i]); i++) {
		number = number * 10 + (unsigned)(value.data[i] - '0');
	}
	return number;
}

/*! Makes the key of what was read. */
static int bind_make(const bind_t *bind, mail_private_t **key, mail_diag_t *diag)
{
	mail_reader_t secret = MAIL_READER(bind->secret, bind->secret_len);
	switch (bind->algorithm) {
	case MAIL_ALGORITHM_RSASHA256:
		for (unsigned i = 0; i < MAIL_RSA_NUMBERS; i++) {
			if (bind->rsa.number[i] == NULL) {
				return mail_diag_error(diag, 0, "the RSA key is not complete");
			}
		}
		return mail_rsa_private(&bind->rsa, key, diag);
	case MAIL_ALGORITHM_ECDSAP256SHA256:
	case MAIL_ALGORITHM_ED25519:
		return bind->secret_len > 0 ? secret_read(bind->algorithm, &secret, key, diag)
		                            : mail_diag_error(diag, 0, "there is no PrivateKey");
	default:
		return mail_diag_error(diag, 0, "algorithm %u is not signed with: 8, 13 and 15 are",
		                       bind->algorithm);
	}
}

static int bind_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	bind_t bind = { 0 };
	int ret = KNOT_EOK;
	mail_str_t line;
	while (ret == KNOT_EOK && line_next(&text, &line)) {
		const char *colon = line.len > 0 ? memchr(line.data, ':', line.len) : NULL;
		if (colon == NULL) {
			continue;
		}
		mail_str_t tag = { line.data, colon - line.data };
		mail_str_t value = mail_str_trim(mail_str_from(line, tag.len + 1));
		if (mail_str_is_nocase(tag, "Private-key-format") &&
		    !mail_str_starts(value, "v1.")) {
			ret = mail_diag_error(diag, 0, "a private key format other than v1.x");
		} else if (mail_str_is_nocase(tag, "Algorithm")) {
			bind.algorithm = leading_number(value);
		} else {
			ret = value_read(tag, value, &bind, diag);
		}
	}
	if (ret == KNOT_EOK) {
		ret = bind_make(&bind, key, diag);
	}
	OPENSSL_cleanse(bind.secret, sizeof(bind.secret));
	mail_rsa_clear(&bind.rsa);
	return ret;
}

/* --- API --- */

int mail_private_read(mail_str_t text, mail_private_t **key, mail_diag_t *diag)
{
	*key = NULL;
	mail_str_t trimmed = mail_str_trim(text);
	if (mail_str_starts(trimmed, BIND_FORMAT)) {
		return bind_read(trimmed, key, diag);
	}
	return pem_read(trimmed, key, diag);
}
