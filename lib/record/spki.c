/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenSSL 3 looks for a decoder among all providers whenever it reads a key, and for an encoder when it writes one, which
 * takes 0.2 ms each: too long for a million keys.  So its ASN.1 functions look whether a key has just the form that
 * OpenSSL writes (RFC 8017 A.1.1, RFC 3279 2.3.1):
 *
 *     SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING of RSAPublicKey }
 *     RSAPublicKey         ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
 *
 * What has another form is read as a whole (dkim_key.c).
 */
#include "config.h"

#include "record/spki.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

/*! The algorithm's SEQUENCE. */
static const uint8_t rsa_encryption[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
	                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

/*! Octets that are still to be looked at. */
typedef struct {
	const unsigned char *at;
	size_t len;
} rest_t;

/*! Take the head of an object, which reaches to the end if `last`. \return false: it is another one, or not DER. */
static bool head_take(rest_t *rest, int wanted, bool last, size_t *content)
{
	const unsigned char *at = rest->at;
	const bool sequence = wanted == V_ASN1_SEQUENCE;
	long len;
	int tag, class;
	const int ret = ASN1_get_object(&at, &len, &tag, &class, (long)rest->len);
	/* The upmost bit is an error, the lowest an open end. */
	if ((ret & 0x81) != 0 || ((ret & V_ASN1_CONSTRUCTED) != 0) != sequence || tag != wanted ||
	    class != V_ASN1_UNIVERSAL) {
		return false;
	}
	const size_t head = (size_t)(at - rest->at), left = rest->len - head;
	if (ASN1_object_size(sequence, (int)len, tag) != (int)head + (int)len ||
	    (last && left != (size_t)len)) {
		return false;
	}
	*rest = (rest_t){ at, left };
	*content = (size_t)len;
	return true;
}

/*! Take a positive INTEGER in its shortest form. */
static bool integer_take(rest_t *rest, bool last, rest_t *integer)
{
	size_t len;
	if (!head_take(rest, V_ASN1_INTEGER, last, &len) || len == 0) {
		return false;
	}
	*integer = (rest_t){ rest->at, len };
	*rest = (rest_t){ rest->at + len, rest->len - len };
	if (integer->at[0] == 0 && len > 1) {
		integer->at++;
		integer->len--;
		return (integer->at[0] & 0x80) != 0;
	}
	return (integer->at[0] & 0x80) == 0;
}

/*! Look at all of it. */
static bool key_look(rest_t rest, mail_rsa_look_t *look)
{
	rest_t modulus, exponent;
	size_t len;
	if (!head_take(&rest, V_ASN1_SEQUENCE, true, &len) || rest.len < sizeof(rsa_encryption) ||
	    memcmp(rest.at, rsa_encryption, sizeof(rsa_encryption)) != 0) {
		return false;
	}
	rest = (rest_t){ rest.at + sizeof(rsa_encryption), rest.len - sizeof(rsa_encryption) };
	/* The first octet of a BIT STRING says how many bits of the last one are unused. */
	if (!head_take(&rest, V_ASN1_BIT_STRING, true, &len) || len == 0 || rest.at[0] != 0) {
		return false;
	}
	rest = (rest_t){ rest.at + 1, rest.len - 1 };
	if (!head_take(&rest, V_ASN1_SEQUENCE, true, &len) ||
	    !integer_take(&rest, false, &modulus) || !integer_take(&rest, true, &exponent)) {
		return false;
	}
	look->bits = (unsigned)modulus.len * 8;
	for (uint8_t top = 0x80; top > modulus.at[0]; top >>= 1) {
		look->bits--;
	}
	look->odd = (modulus.at[modulus.len - 1] & exponent.at[exponent.len - 1] & 1) != 0 &&
	            (exponent.len > 1 || exponent.at[0] != 1);
	return true;
}

bool mail_spki_rsa(const uint8_t *der, size_t len, mail_rsa_look_t *look)
{
	if (len > INT_MAX / 2) {
		return false;
	}
	const bool good = key_look((rest_t){ der, len }, look);
	if (!good) {
		ERR_clear_error();
	}
	return good;
}
