/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief RDATA with holes for the domain.
 *
 * A renderer does not know the domain that a policy is asked for; it writes RDATA in which the
 * places of the domain are left open.  mail_rdata_fill() closes them, once per answer.  RDATA
 * without a hole is the plain octets and costs nothing to fill.
 *
 * TXT values are written as one text; the split into <character-string>s of at most 255 octets
 * (RFC 1035 3.3.14, RFC 7208 3.3) is made when the holes are filled.
 *
 * Thread rule: a builder belongs to one thread; a finished one may be read by any.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"
#include "mail/name.h"

/*! Longest RDATA that is ever filled. */
#define MAIL_RDATA_MAX 65535

/*! RDATA being written, or written. Zeroed is empty. */
typedef struct {
	mail_buf_t ops; /*!< Plain octets (no hole), or a row of operations (see rdata.c). */
	bool text;      /*!< One text, to be split into <character-string>s. */
	bool holes;     /*!< ops is a row of operations. */
	bool spelt;     /*!< Of these some need the domain as text. */
	size_t run; /*!< While building: where the length of an open run of octets stands; 0: none. */
} mail_rdata_t;

/*! The domain that holes are filled with. */
typedef struct {
	const knot_dname_t *name; /*!< Wire name of the domain. */
	mail_str_t
		text; /*!< The same as text, without a dot at its end; for RDATA that is spelt. */
} mail_apex_t;

/*! Append plain octets. All appenders: KNOT_EOK, KNOT_ENOMEM or KNOT_ESPACE, which sticks. */
int mail_rdata_octets(mail_rdata_t *rdata, const void *data, size_t len);
int mail_rdata_u8(mail_rdata_t *rdata, uint8_t value);
int mail_rdata_u16(mail_rdata_t *rdata, uint16_t value);
int mail_rdata_u32(mail_rdata_t *rdata, uint32_t value);
/*! Append a domain name. */
int mail_rdata_pattern(mail_rdata_t *rdata, const mail_pattern_t *pattern);
/*! Parse a name as mail_pattern_parse does and append it. */
int mail_rdata_name(mail_rdata_t *rdata, mail_str_t text, mail_diag_t *diag);
/*! Make the RDATA a text and append to it; `{domain}` is the hole for the domain's text. */
int mail_rdata_text(mail_rdata_t *rdata, mail_str_t text);
/*!
 * Append octets in which `{domain}` is the hole for the domain's text, without making the RDATA a
 * text: a value that fills the rest of the RDATA (CAA, URI).
 */
int mail_rdata_value(mail_rdata_t *rdata, mail_str_t value);
/*!
 * Append to a text 32 hexadecimal digits of the SHA-256 of another text, as it is for the domain.
 * The other may have holes.
 */
int mail_rdata_digest(mail_rdata_t *rdata, const mail_rdata_t *of);
/*!
 * Append the SHA-256 or SHA-384, raw, of the domain's wire name in small letters, followed by these octets: the
 * digest of a DS (RFC 4034 5.1.4).
 *
 * \param bits  256 or 384.
 */
int mail_rdata_owner_digest(mail_rdata_t *rdata, unsigned bits, const void *octets, size_t len);
/*! Free what a builder holds, and empty it. */
void mail_rdata_free(mail_rdata_t *rdata);

/*!
 * Fill the holes and split texts.
 *
 * No allocation.
 *
 * \param rdata Finished RDATA, of which only ops, text and holes are read.
 * \param apex  The domain; NULL only for RDATA without holes.
 * \param out   Room for the RDATA.
 * \param cap   Size of the room.
 *
 * \return Length of the RDATA, or KNOT_ESPACE (a name over 255 octets, or the room too small), or
 *         KNOT_EMALF.
 */
int mail_rdata_fill(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out, size_t cap);

/*!
 * As mail_rdata_fill() for a text, without the split: the value as people write it.
 */
int mail_rdata_fill_text(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out,
                         size_t cap);

/*! Wire labels of the longest domain for which every name in the RDATA still fits 255 octets. */
size_t mail_rdata_apex_max(const mail_rdata_t *rdata);
