/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief The public half of DNSSEC keys: values of `key` in a key set, DNSKEY and DS RDATA (RFC 4034, RFC 5702,
 *        RFC 6605, RFC 8080), and the state of a key at a time (RFC 6781, RFC 7583).
 *
 * Thread rule: all functions are pure; any thread may call them.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"
#include "mail/name.h"

/*! Algorithm numbers (IANA, DNS Security Algorithm Numbers). */
typedef enum {
	MAIL_ALGORITHM_RSASHA256 = 8,        /*!< RFC 5702, with 2048 to 4096 bits. */
	MAIL_ALGORITHM_ECDSAP256SHA256 = 13, /*!< RFC 6605. */
	MAIL_ALGORITHM_ED25519 = 15          /*!< RFC 8080. */
} mail_algorithm_t;

/*! Role of a key: the RRsets that it signs (RFC 6781 3.1). */
typedef enum {
	MAIL_ROLE_CSK, /*!< Signs all RRsets; has the SEP flag. */
	MAIL_ROLE_KSK, /*!< Signs DNSKEY, CDS and CDNSKEY; has the SEP flag. */
	MAIL_ROLE_ZSK  /*!< Signs all other RRsets. */
} mail_role_t;

/*! Longest public key: RSA of 4096 bits with an exponent of 8 octets, and some room. */
#define MAIL_DNSKEY_PUBLIC_MAX 528
/*! Longest DNSKEY RDATA. */
#define MAIL_DNSKEY_RDATA_MAX (4 + MAIL_DNSKEY_PUBLIC_MAX)
/*! Longest DS RDATA: with SHA-384. */
#define MAIL_DS_RDATA_MAX (4 + 48)

/*! DS digest types (IANA). */
#define MAIL_DS_SHA1 1
#define MAIL_DS_SHA256 2
#define MAIL_DS_SHA384 4

/*!
 * A key. Times are seconds since 1970. 0 means "always", INT64_MAX means "never".
 *
 * The DNSKEY is in the apex RRset from publish to remove. During that time, a KSK or CSK signs DNSKEY, CDS and
 * CDNSKEY. A ZSK or CSK signs all other RRsets from activate to retire. So a key of a new algorithm can sign
 * before its DNSKEY is published (RFC 6781 4.1.4), and the DNSKEY of a ZSK can be published before the ZSK
 * signs.
 */
typedef struct {
	uint16_t tag; /*!< Key tag of the DNSKEY (RFC 4034 appendix B). */
	mail_algorithm_t algorithm;
	mail_role_t role;
	int64_t publish, activate, retire, remove;
	int64_t ds;       /*!< From then on CDS, CDNSKEY and `kmailctl ds` name it. A ZSK: never. */
	int64_t ds_seen;  /*!< The operator saw the DS at every parent; INT64_MAX: not yet. */
	int64_t ds_until; /*!< From then on CDS and CDNSKEY do not name it. */
	uint16_t public_len;
	uint8_t public_key[MAIL_DNSKEY_PUBLIC_MAX]; /*!< As in the DNSKEY RDATA. */
} mail_dnskey_t;

/*! Return the name of an algorithm ("ed25519"), a constant; NULL if the number is unknown. */
const char *mail_algorithm_name(unsigned algorithm);
/*! Return the algorithm of a name, without regard to case; 0 if the name is unknown. */
mail_algorithm_t mail_algorithm_find(mail_str_t name);
/*! Return the name of a role, a constant: "csk", "ksk" or "zsk". */
const char *mail_role_name(mail_role_t role);

/*!
 * Parse a value of `key`: "TAG ALGORITHM ROLE [publish=TIME] [activate=TIME] [retire=TIME] [remove=TIME] [ds=TIME]
 * [ds-seen=TIME] [ds-until=TIME] PUBLIC".
 *
 * PUBLIC is base64, as in a DNSKEY record. A TIME is RFC 3339 in UTC, or "never". The default of publish and
 * activate is 0, the default of all other times is "never".
 *
 * \param key   Out: the key.
 * \param diag  Out: reason and column of an error; may be NULL.
 *
 * \return KNOT_EOK; KNOT_EINVAL (bad syntax, a tag of another key, a key that does not fit the algorithm, or
 *         times in an order that no rollover has: retire before activate, remove before publish).
 */
int mail_dnskey_parse(mail_str_t text, mail_dnskey_t *key, mail_diag_t *diag);
/*! Append a value of `key` in its only spelling. \return KNOT_EOK, KNOT_ENOMEM, KNOT_ESPACE. */
int mail_dnskey_print(const mail_dnskey_t *key, mail_buf_t *out);

/*! Write the DNSKEY RDATA (RFC 4034 2.1). \return The number of octets. */
size_t mail_dnskey_rdata(const mail_dnskey_t *key, uint8_t out[MAIL_DNSKEY_RDATA_MAX]);
/*! Return the key tag of DNSKEY RDATA (RFC 4034 appendix B). */
uint16_t mail_dnskey_tag(const uint8_t *rdata, size_t len);
/*!
 * Write the DS or CDS RDATA of a key (RFC 4034 5.1.4, RFC 4509, RFC 6605).
 *
 * \param owner   Wire name of the zone in lower case.
 * \param digest  MAIL_DS_*.
 * \param out     Out: the RDATA.
 *
 * \return The number of octets; KNOT_ENOTSUP (another digest).
 */
int mail_dnskey_ds(const mail_dnskey_t *key, const knot_dname_t *owner, unsigned digest,
                   uint8_t out[MAIL_DS_RDATA_MAX]);

/*! Return whether the DNSKEY is in the apex RRset at a time. */
static inline bool mail_dnskey_published(const mail_dnskey_t *key, int64_t now)
{
	return key->publish <= now && now < key->remove;
}

/*! Return whether the key signs DNSKEY, CDS and CDNSKEY at a time. */
static inline bool mail_dnskey_signs_keys(const mail_dnskey_t *key, int64_t now)
{
	return key->role != MAIL_ROLE_ZSK && mail_dnskey_published(key, now);
}

/*! Return whether the key signs all other RRsets at a time. */
static inline bool mail_dnskey_signs_zone(const mail_dnskey_t *key, int64_t now)
{
	return key->role != MAIL_ROLE_KSK && key->activate <= now && now < key->retire;
}
