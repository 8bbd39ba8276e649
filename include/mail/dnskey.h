/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief DNSSEC keys, the public half: a `key` value of a key set, DNSKEY and DS RDATA (RFC 4034, RFC 5702,
 *        RFC 6605, RFC 8080), and what the clock says of a key (RFC 6781, RFC 7583).
 *
 * Pure functions; any thread.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"
#include "mail/name.h"

/*! Algorithm numbers (IANA, DNS Security Algorithm Numbers). */
typedef enum {
	MAIL_ALGORITHM_RSASHA256 = 8,        /*!< RFC 5702; 2048 to 4096 bits. */
	MAIL_ALGORITHM_ECDSAP256SHA256 = 13, /*!< RFC 6605. */
	MAIL_ALGORITHM_ED25519 = 15          /*!< RFC 8080. */
} mail_algorithm_t;

/*! What a key signs (RFC 6781 3.1). */
typedef enum {
	MAIL_ROLE_CSK, /*!< Both; SEP flag set. */
	MAIL_ROLE_KSK, /*!< DNSKEY, CDS and CDNSKEY; SEP flag set. */
	MAIL_ROLE_ZSK  /*!< All other RRsets. */
} mail_role_t;

/*! Longest public key: RSA of 4096 bits with an exponent of 8 octets, and room. */
#define MAIL_DNSKEY_PUBLIC_MAX 528
/*! Longest DNSKEY RDATA. */
#define MAIL_DNSKEY_RDATA_MAX (4 + MAIL_DNSKEY_PUBLIC_MAX)
/*! Longest DS RDATA: SHA-384. */
#define MAIL_DS_RDATA_MAX (4 + 48)

/*! DS digest types (IANA). */
#define MAIL_DS_SHA1 1
#define MAIL_DS_SHA256 2
#define MAIL_DS_SHA384 4

/*!
 * A key. Times are seconds; 0: always has been, INT64_MAX: never.
 *
 * The DNSKEY is in the apex RRset from publish to remove. A key with the part of a KSK signs DNSKEY, CDS and
 * CDNSKEY during that time. A key with the part of a ZSK signs all other RRsets from activate to retire: so an
 * algorithm can sign before its DNSKEY is published (RFC 6781 4.1.4), and a ZSK be published before it signs.
 */
typedef struct {
	uint16_t tag; /*!< Key tag of the DNSKEY (RFC 4034 appendix B). */
	mail_algorithm_t algorithm;
	mail_role_t role;
	int64_t publish, activate, retire, remove;
	int64_t ds;       /*!< CDS, CDNSKEY and `kmailctl ds` name it from here; never for a ZSK. */
	int64_t ds_seen;  /*!< The operator saw the DS at the parent(s); INT64_MAX: not yet. */
	int64_t ds_until; /*!< CDS and CDNSKEY name it no more. */
	uint16_t public_len;
	uint8_t public_key[MAIL_DNSKEY_PUBLIC_MAX]; /*!< As in the DNSKEY RDATA. */
} mail_dnskey_t;

/*! Name of an algorithm ("ed25519"), or NULL. */
const char *mail_algorithm_name(unsigned algorithm);
/*! The algorithm of a name, without regard to case, or 0. */
mail_algorithm_t mail_algorithm_find(mail_str_t name);
/*! "csk", "ksk", "zsk". */
const char *mail_role_name(mail_role_t role);

/*!
 * Read a `key` value: "TAG ALGORITHM ROLE [publish=TIME] [activate=TIME] [retire=TIME] [remove=TIME] [ds=TIME]
 * [ds-seen=TIME] [ds-until=TIME] PUBLIC", PUBLIC in base64 as in a DNSKEY record, times as RFC 3339 UTC or
 * "never". A time that is left out: publish and activate 0, all others never.
 *
 * \return KNOT_EOK; KNOT_EINVAL with the reason and column: also a tag that is not the key's, a key that does not
 *         fit the algorithm, times in an order that no rollover has (retire before activate, remove before publish).
 */
int mail_dnskey_parse(mail_str_t text, mail_dnskey_t *key, mail_diag_t *diag);
/*! Write a `key` value, in one spelling. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE. */
int mail_dnskey_print(const mail_dnskey_t *key, mail_buf_t *out);

/*! Write the DNSKEY RDATA (flags, protocol, algorithm, key). \return its length. */
size_t mail_dnskey_rdata(const mail_dnskey_t *key, uint8_t out[MAIL_DNSKEY_RDATA_MAX]);
/*! Key tag of DNSKEY RDATA (RFC 4034 appendix B). */
uint16_t mail_dnskey_tag(const uint8_t *rdata, size_t len);
/*!
 * Write the DS (or CDS) RDATA of a key for an owner (RFC 4034 5.1.4, RFC 4509, RFC 6605).
 *
 * \param owner   Lower case wire name of the zone.
 * \param digest  MAIL_DS_*.
 *
 * \return Its length, or KNOT_ENOTSUP for another digest.
 */
int mail_dnskey_ds(const mail_dnskey_t *key, const knot_dname_t *owner, unsigned digest,
                   uint8_t out[MAIL_DS_RDATA_MAX]);

/*! Return whether the DNSKEY is in the apex RRset. */
static inline bool mail_dnskey_published(const mail_dnskey_t *key, int64_t now)
{
	return key->publish <= now && now < key->remove;
}

/*! Return whether the key signs DNSKEY, CDS and CDNSKEY. */
static inline bool mail_dnskey_signs_keys(const mail_dnskey_t *key, int64_t now)
{
	return key->role != MAIL_ROLE_ZSK && mail_dnskey_published(key, now);
}

/*! Return whether the key signs all other RRsets. */
static inline bool mail_dnskey_signs_zone(const mail_dnskey_t *key, int64_t now)
{
	return key->role != MAIL_ROLE_KSK && key->activate <= now && now < key->retire;
}
