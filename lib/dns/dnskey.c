/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The public half of a DNSSEC key.  A `key` value of a key set:
 *
 *     key       = tag SP algorithm SP role *( SP time-name "=" ( date-time / "never" ) ) SP public
 *     tag       = 1*5DIGIT
 *     algorithm = "rsasha256" / "ecdsap256sha256" / "ed25519"
 *     role      = "csk" / "ksk" / "zsk"
 *     time-name = "publish" / "activate" / "retire" / "remove" / "ds" / "ds-seen" / "ds-until"
 *     public    = base64                   ; as in a DNSKEY record, blanks within are passed over
 */

/* The streaming digests are the interface of libcrypto that neither allocates nor locks. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "mail/dnskey.h"

#include <openssl/sha.h>

#include "mail/chars.h"
#include "mail/encoding.h"
#include "mail/time.h"

#define PROTOCOL 3
#define FLAG_ZONE 0x0100
#define FLAG_SEP 0x0001
#define ED25519_LEN 32
#define ECDSAP256_LEN 64
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_EXPONENT_MAX 8

static const struct {
	mail_algorithm_t algorithm;
	const char *name;
} algorithms[] = {
	{ MAIL_ALGORITHM_RSASHA256, "rsasha256" },
	{ MAIL_ALGORITHM_ECDSAP256SHA256, "ecdsap256sha256" },
	{ MAIL_ALGORITHM_ED25519, "ed25519" },
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

static const char *const roles[] = {
	[MAIL_ROLE_CSK] = "csk",
	[MAIL_ROLE_KSK] = "ksk",
	[MAIL_ROLE_ZSK] = "zsk",
};

#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

/*! A time of a key: its name, where it is kept, and what it is when it is left out. */
static const struct {
	const char *name;
	size_t offset;
	int64_t dflt;
} times[] = {
	{ "publish", offsetof(mail_dnskey_t, publish), 0 },
	{ "activate", offsetof(mail_dnskey_t, activate), 0 },
	{ "retire", offsetof(mail_dnskey_t, retire), INT64_MAX },
	{ "remove", offsetof(mail_dnskey_t, remove), INT64_MAX },
	{ "ds", offsetof(mail_dnskey_t, ds), INT64_MAX },
	{ "ds-seen", offsetof(mail_dnskey_t, ds_seen), INT64_MAX },
	{ "ds-until", offsetof(mail_dnskey_t, ds_until), INT64_MAX },
};

#define TIME_COUNT (sizeof(times) / sizeof(times[0]))

static int64_t *time_of(mail_dnskey_t *key, size_t i)
{
	return (int64_t *)(void *)((char *)key + times[i].offset);
}

static int64_t time_get(const mail_dnskey_t *key, size_t i)
{
	return *(const int64_t *)(const void *)((const char *)key + times[i].offset);
}

const char *mail_algorithm_name(unsigned algorithm)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (algorithms[i].algorithm == algorithm) {
			return algorithms[i].name;
		}
	}
	return NULL;
}

mail_algorithm_t mail_algorithm_find(mail_str_t name)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (mail_str_is_nocase(name, algorithms[i].name)) {
			return algorithms[i].algorithm;
		}
	}
	return 0;
}

const char *mail_role_name(mail_role_t role)
{
	return (unsigned)role < ROLE_COUNT ? roles[role] : "";
}

/* --- Reading --- */

/*!
 * Check an RSA key (RFC 3110 2): the length of the exponent, in one octet or, behind a zero, in two; the
 * exponent; the modulus. Both are odd and have no leading zero.
 */
static int rsa_check(const uint8_t *octets, size_t len, mail_diag_t *diag)
{
	size_t start = 1, exponent = len > 0 ? octets[0] : 0;
	if (exponent == 0 && len >= 3) {
		start = 3;
		exponent = (size_t)octets[1] << 8 | octets[2];
	}
	if (exponent == 0 || exponent > RSA_EXPONENT_MAX || len <= start + exponent) {
		return mail_diag_error(diag, 0, "no RSA key, or one with a huge exponent");
	}
	const uint8_t *modulus = octets + start + exponent;
	size_t bits = 8 * (len - start - exponent);
	for (uint8_t top = modulus[0]; bits > 0 && (top & 0x80) == 0; top <<= 1) {
		bits--;
		if (top == 0) {
			return mail_diag_error(diag, 0, "no RSA key: its modulus begins with zero");
		}
	}
	if (octets[start] == 0 || (octets[start + exponent - 1] & 1) == 0 ||
	    (octets[len - 1] & 1) == 0) {
		return mail_diag_error(diag, 0, "no RSA key: its numbers are not odd");
	}
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		return mail_diag_error(diag, 0,
		                       "an RSA key of %zu bits; mod-mail signs with %d to %d", bits,
		                       RSA_BITS_MIN, RSA_BITS_MAX);
	}
	return KNOT_EOK;
}

static int public_check(const mail_dnskey_t *key, mail_diag_t *diag)
{
	if (key->algorithm == MAIL_ALGORITHM_RSASHA256) {
		return rsa_check(key->public_key, key->public_len, diag);
	}
	size_t want = key->algorithm == MAIL_ALGORITHM_ED25519 ? ED25519_LEN : ECDSAP256_LEN;
	if (key->public_len != want) {
		return mail_diag_error(diag, 0, "a key of %u octets; one of %s has %zu",
		                       key->public_len, mail_algorithm_name(key->algorithm), want);
	}
	return KNOT_EOK;
}

static int times_check(const mail_dnskey_t *key, mail_diag_t *diag)
{
	if (key->retire < key->activate) {
		return mail_diag_error(diag, 0, "retire is before activate");
	}
	if (key->remove < key->publish) {
		return mail_diag_error(diag, 0, "remove is before publish");
	}
	if (key->role == MAIL_ROLE_ZSK &&
	    (key->ds < INT64_MAX || key->ds_seen < INT64_MAX || key->ds_until < INT64_MAX)) {
		return mail_diag_error(diag, 0, "a ZSK has no DS");
	}
	if (key->ds_seen < key->ds) {
		return mail_diag_error(diag, 0, "ds-seen is before ds");
	}
	if (key->ds_until < key->ds) {
		return mail_diag_error(diag, 0, "ds-until is before ds");
	}
	return KNOT_EOK;
}

static int head_parse(mail_str_t text, size_t *pos, mail_dnskey_t *key, mail_diag_t *diag)
{
	mail_str_t word;
	uint32_t tag;
	if (!mail_str_word(text, pos, &word) || !mail_str_number(word, UINT16_MAX, &tag)) {
		return mail_diag_error(diag, 1,
		                       "a key is written \"TAG ALGORITHM ROLE [TIMES] "
		                       "PUBLIC\"");
	}
	key->tag = (uint16_t)tag;
	if (!mail_str_word(text, pos, &word) || (key->algorithm = mail_algorithm_find(word)) == 0) {
		return mail_diag_error(diag, *pos - word.len + 1,
		                       "\"%.*s\" is not one of rsasha256, ecdsap256sha256, ed25519",
		                       MAIL_SHOW(word));
	}
	(void)mail_str_word(text, pos, &word);
	for (unsigned i = 0; i < ROLE_COUNT; i++) {
		if (mail_str_is_nocase(word, roles[i])) {
			key->role = (mail_role_t)i;
			return KNOT_EOK;
		}
	}
	return mail_diag_error(diag, *pos - word.len + 1, "\"%.*s\" is not one of csk, ksk, zsk",
	                       MAIL_SHOW(word));
}

/*! Read "NAME=TIME". \param seen Bits of the times that were read. \return 1 when the word is none. */
static int time_parse(mail_str_t word, mail_dnskey_t *key, unsigned *seen, mail_diag_t *diag)
{
	mail_str_t name, value;
	/* In base64 there is but a "=" or two at the end. */
	if (!mail_str_tag(word, &name, &value) || value.len < 2) {
		return 1;
	}
	for (size_t i = 0; i < TIME_COUNT; i++) {
		if (!mail_str_is(name, times[i].name)) {
			continue;
		}
		if ((*seen & 1u << i) != 0) {
			return mail_diag_error(diag, 1, "a second %s", times[i].name);
		}
		*seen |= 1u << i;
		if (mail_str_is(value, "never")) {
			*time_of(key, i) = INT64_MAX;
			return KNOT_EOK;
		}
		int ret = mail_time_parse(value, time_of(key, i), diag);
		if (ret != KNOT_EOK) {
			return mail_diag_shift(diag, ret, (size_t)(value.data - word.data));
		}
		if (time_get(key, i) < 0 || time_get(key, i) > MAIL_TIME_MAX) {
			return mail_diag_error(diag, (size_t)(value.data - word.data) + 1,
			                       "a time before 1970 or after 9999");
		}
		return KNOT_EOK;
	}
	return mail_diag_error(diag, 1, "\"%.*s\" is no time of a key", MAIL_SHOW(name));
}

int mail_dnskey_parse(mail_str_t text, mail_dnskey_t *key, mail_diag_t *diag)
{
	size_t pos = 0;
	unsigned seen = 0;
	mail_str_t word = { NULL, 0 };
	memset(key, 0, sizeof(*key));
	for (size_t i = 0; i < TIME_COUNT; i++) {
		*time_of(key, i) = times[i].dflt;
	}
	int ret = head_parse(text, &pos, key, diag);
	while (ret == KNOT_EOK) {
		if (!mail_str_word(text, &pos, &word)) {
			return mail_diag_error(diag, text.len, "no public key at the end");
		}
		ret = mail_diag_shift(diag, time_parse(word, key, &seen, diag), pos - word.len);
	}
	if (ret < 0) {
		return ret;
	}
	pos -= word.len;
	mail_buf_t octets = MAIL_BUF_FIXED(key->public_key, sizeof(key->public_key));
	ret = mail_base64_parse(mail_str_from(text, pos), &octets, diag);
	if (ret == KNOT_ESPACE) {
		ret = mail_diag_error(diag, 0,
		                      "the key is longer than those that mod-mail signs with");
	}
	if (ret != KNOT_EOK) {
		return mail_diag_shift(diag, ret, pos);
	}
	key->public_len = (uint16_t)octets.len;
	ret = public_check(key, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	ret = times_check(key, diag);
	if (ret != KNOT_EOK) {
		return ret;
	}
	uint8_t rdata[MAIL_DNSKEY_RDATA_MAX];
	const uint16_t tag = mail_dnskey_tag(rdata, mail_dnskey_rdata(key, rdata));
	if (tag != key->tag) {
		return mail_diag_error(diag, 1, "the tag of this key is %u", tag);
	}
	return KNOT_EOK;
}

int mail_dnskey_print(const mail_dnskey_t *key, mail_buf_t *out)
{
	(void)mail_buf_printf(out, "%u %s %s ", key->tag, mail_algorithm_name(key->algorithm),
	                      mail_role_name(key->role));
	for (size_t i = 0; i < TIME_COUNT; i++) {
		if (time_get(key, i) != times[i].dflt) {
			(void)mail_buf_printf(out, "%s=", times[i].name);
			if (time_get(key, i) == INT64_MAX) {
				(void)mail_buf_str(out, "never");
			} else {
				(void)mail_time_print(time_get(key, i), out);
			}
			(void)mail_buf_u8(out, ' ');
		}
	}
	return mail_buf_base64(out, key->public_key, key->public_len);
}

/* --- Records --- */

size_t mail_dnskey_rdata(const mail_dnskey_t *key, uint8_t out[MAIL_DNSKEY_RDATA_MAX])
{
	const unsigned flags = FLAG_ZONE | (key->role != MAIL_ROLE_ZSK ? FLAG_SEP : 0);
	out[0] = (uint8_t)(flags >> 8);
	out[1] = (uint8_t)flags;
	out[2] = PROTOCOL;
	out[3] = (uint8_t)key->algorithm;
	memcpy(out + 4, key->public_key, key->public_len);
	return 4 + (size_t)key->public_len;
}

uint16_t mail_dnskey_tag(const uint8_t *rdata, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		sum += (i & 1) != 0 ? rdata[i] : (uint32_t)rdata[i] << 8;
	}
	return (uint16_t)(sum + (sum >> 16));
}

int mail_dnskey_ds(const mail_dnskey_t *key, const knot_dname_t *owner, unsigned digest,
                   uint8_t out[MAIL_DS_RDATA_MAX])
{
	uint8_t octets[KNOT_DNAME_MAXLEN + MAIL_DNSKEY_RDATA_MAX];
	size_t len = knot_dname_size(owner);
	memcpy(octets, owner, len);
	len += mail_dnskey_rdata(key, octets + len);
	out[0] = (uint8_t)(key->tag >> 8);
	out[1] = (uint8_t)key->tag;
	out[2] = (uint8_t)key->algorithm;
	out[3] = (uint8_t)digest;
	if (digest == MAIL_DS_SHA1) {
		SHA_CTX sha;
		SHA1_Init(&sha);
		SHA1_Update(&sha, octets, len);
		SHA1_Final(out + 4, &sha);
		return 4 + SHA_DIGEST_LENGTH;
	}
	if (digest == MAIL_DS_SHA256) {
		SHA256_CTX sha;
		SHA256_Init(&sha);
		SHA256_Update(&sha, octets, len);
		SHA256_Final(out + 4, &sha);
		return 4 + SHA256_DIGEST_LENGTH;
	}
	if (digest == MAIL_DS_SHA384) {
		SHA512_CTX sha;
		SHA384_Init(&sha);
		SHA384_Update(&sha, octets, len);
		SHA384_Final(out + 4, &sha);
		return 4 + SHA384_DIGEST_LENGTH;
	}
	return KNOT_ENOTSUP;
}
