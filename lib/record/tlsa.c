/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLSA.
 *
 *     value = usage SP selector SP matching SP 1*( HEXDIG / SP )    (RFC 6698 2.2)
 *
 * For SMTP usages are 2 and 3 (RFC 7672 3.1.3), and nobody needs whole certificates in the DNS: matching
 * types are 1 and 2.
 */
#include "config.h"

#include "record/tlsa.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "mail/chars.h"
#include "mail/encoding.h"

#define USAGE_ISSUER 2
#define USAGE_LEAF 3
#define SELECTOR_KEY 1
#define MATCHING_SHA512 2
#define DIGEST_MAX 64

static size_t digest_len(const mail_tlsa_form_t *form)
{
	return form->matching == MATCHING_SHA512 ? 64 : 32;
}

/*! Read the three numbers that a value starts with, and move pos behind them. */
static int form_parse(mail_str_t text, size_t *pos, mail_tlsa_form_t *form, mail_diag_t *diag)
{
	static const struct {
		uint32_t min, max;
		const char *why;
	} limits[3] = {
		{ USAGE_ISSUER, USAGE_LEAF,
		  "for mail the certificate usage is 3 (leaf) or 2 (issuer)" },
		{ 0, SELECTOR_KEY, "the selector is 0 (certificate) or 1 (public key)" },
		{ 1, MATCHING_SHA512, "the matching type is 1 (SHA-256) or 2 (SHA-512)" },
	};
	uint32_t numbers[3];
	for (size_t i = 0; i < 3; i++) {
		mail_str_t word;
		if (!mail_str_word(text, pos, &word) ||
		    !mail_str_number(word, UINT8_MAX, &numbers[i])) {
			return mail_diag_error(
				diag, *pos - word.len + 1,
				"write usage, selector and matching type as in \"3 1 1\"");
		}
		if (numbers[i] < limits[i].min || numbers[i] > limits[i].max) {
			return mail_diag_error(diag, *pos, "%s, not %u", limits[i].why,
			                       (unsigned)numbers[i]);
		}
	}
	*form = (mail_tlsa_form_t){ (uint8_t)numbers[0], (uint8_t)numbers[1], (uint8_t)numbers[2] };
	return KNOT_EOK;
}

int mail_tlsa_form_parse(mail_str_t text, mail_tlsa_form_t *form, mail_diag_t *diag)
{
	size_t pos = 0;
	int ret = form_parse(text, &pos, form, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	mail_str_t rest = mail_str_trim(mail_str_from(text, pos));
	if (rest.len > 0) {
		return mail_diag_error(diag, (size_t)(rest.data - text.data) + 1,
		                       "'%.*s' after the matching type", MAIL_SHOW(rest));
	}
	return KNOT_EOK;
}

/*! Read hexadecimal digits, in groups or not. \param len Out: octets. */
static int hex_parse(mail_str_t text, size_t pos, uint8_t *octets, size_t *len, mail_diag_t *diag)
{
	size_t digits = 0;
	for (size_t i = pos; i < text.len; i++) {
		if (mail_char_space(text.data[i])) {
			continue;
		}
		int value = mail_char_hex(text.data[i]);
		if (value < 0) {
			return mail_diag_error(diag, i + 1,
			                       "a character that is no hexadecimal digit");
		}
		if (digits / 2 < DIGEST_MAX) {
			uint8_t *octet = &octets[digits / 2];
			*octet = digits % 2 == 0 ? (uint8_t)(value << 4) : *octet | (uint8_t)value;
		}
		digits++;
	}
	if (digits % 2 != 0) {
		return mail_diag_error(diag, text.len, "an odd number of hexadecimal digits: %zu",
		                       digits);
	}
	*len = digits / 2;
	return KNOT_EOK;
}

int mail_tlsa_render(mail_str_t text, mail_rdata_t *rdata, mail_diag_t *diag)
{
	mail_tlsa_form_t form;
	uint8_t octets[DIGEST_MAX];
	size_t pos = 0, len = 0;
	int ret = form_parse(text, &pos, &form, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = hex_parse(text, pos, octets, &len, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	if (len != digest_len(&form)) {
		return mail_diag_error(
			diag, pos + 1, "matching type %u has %zu octets (%zu digits), not %zu",
			form.matching, digest_len(&form), 2 * digest_len(&form), len);
	}
	mail_rdata_u8(rdata, form.usage);
	mail_rdata_u8(rdata, form.selector);
	mail_rdata_u8(rdata, form.matching);
	return mail_rdata_octets(rdata, octets, len);
}

/* --- Certificates --- */

static void warn_chain(const STACK_OF(X509) * chain, const mail_tlsa_form_t *form,
                       mail_diag_t *diag)
{
	int count = sk_X509_num(chain);
	for (int i = 1; i < count; i++) {
		if (X509_check_issued(sk_X509_value(chain, i), sk_X509_value(chain, i - 1)) !=
		    X509_V_OK) {
			mail_diag_warn(diag,
			               "certificate %d of the chain did not issue certificate %d",
			               i + 1, i);
		}
	}
	if (form->usage == USAGE_LEAF && count > 1 && X509_check_ca(sk_X509_value(chain, 0)) == 1) {
		mail_diag_warn(diag,
		               "the first certificate is an issuer's: the leaf must come first");
	}
}

/*! Read all certificates; what else is in the PEM, as a key, is passed over. */
static int chain_read(mail_str_t pem, STACK_OF(X509) * chain, mail_diag_t *diag)
{
	if (pem.len == 0 || pem.len > INT_MAX) {
		return mail_diag_error(diag, 0, "no certificate in it");
	}
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (bio == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = KNOT_EOK;
	ERR_clear_error();
	X509 *cert;
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(chain, cert) <= 0) {
			X509_free(cert);
			ret = KNOT_ENOMEM;
			goto done;
		}
	}
	/* The end of the file is "no start line"; all else is damage. */
	unsigned long error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
		ret = mail_diag_error(diag, 0, "certificate %d of the PEM is damaged",
		                      sk_X509_num(chain) + 1);
	} else if (sk_X509_num(chain) == 0) {
		ret = mail_diag_error(diag, 0, "no certificate in it");
	}
done:
	ERR_clear_error();
	BIO_free(bio);
	return ret;
}

/*! Write the text for one certificate. */
static int cert_write(X509 *cert, const mail_tlsa_form_t *form, mail_buf_t *out)
{
	unsigned char *der = NULL;
	int der_len = form->selector == SELECTOR_KEY
	                      ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der)
	                      : i2d_X509(cert, &der);
	if (der_len <= 0) {
		return KNOT_ENOMEM;
	}
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	const EVP_MD *md = form->matching == MATCHING_SHA512 ? EVP_sha512() : EVP_sha256();
	int ok = EVP_Digest(der, (size_t)der_len, digest, &len, md, NULL);
	OPENSSL_free(der);
	if (ok != 1) {
		return KNOT_ENOMEM;
	}
	mail_buf_printf(out, "%u %u %u ", form->usage, form->selector, form->matching);
	return mail_buf_hex(out, digest, len);
}

static bool form_valid(const mail_tlsa_form_t *form)
{
	return (form->usage == USAGE_ISSUER || form->usage == USAGE_LEAF) &&
	       form->selector <= SELECTOR_KEY && form->matching >= 1 &&
	       form->matching <= MATCHING_SHA512;
}

int mail_tlsa_from_pem(mail_str_t pem, const mail_tlsa_form_t *form, mail_buf_t *out,
                       mail_diag_t *diag)
{
	if (!form_valid(form)) {
		return mail_diag_error(diag, 0, "no TLSA form for mail: %u %u %u", form->usage,
		                       form->selector, form->matching);
	}
	STACK_OF(X509) *chain = sk_X509_new_null();
	if (chain == NULL) {
		return KNOT_ENOMEM;
	}
	int ret = chain_read(pem, chain, diag);
	if (ret != KNOT_EOK) {
		goto done;
	}
	int count = sk_X509_num(chain);
	if (form->usage == USAGE_ISSUER && count == 1) {
		ret = mail_diag_error(
			diag, 0, "usage 2 needs the issuer's certificate after the server's own");
		goto done;
	}
	warn_chain(chain, form, diag);
	ret = cert_write(sk_X509_value(chain, form->usage == USAGE_ISSUER ? count - 1 : 0), form,
	                 out);
done:
	sk_X509_pop_free(chain, X509_free);
	return ret;
}
