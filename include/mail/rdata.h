/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief RDATA with holes for the domain.
 *
 * A renderer does not know the domain that a question is for. So it writes RDATA with holes in the places of
 * the domain. mail_rdata_fill() fills the holes, once for an answer. RDATA without a hole is plain octets,
 * which cost nothing to fill.
 *
 * A renderer writes the value of a TXT record as one text. mail_rdata_fill() splits the text into
 * <character-string>s of at most 255 octets (RFC 1035 3.3.14, RFC 7208 3.3).
 *
 * Thread rule: while RDATA is written, it belongs to one thread. Any thread may read it when it is finished.
 */
#pragma once

#include "mail/buf.h"
#include "mail/diag.h"
#include "mail/name.h"

/*! Greatest length of RDATA. */
#define MAIL_RDATA_MAX 65535

/*! Return a type as a bit; those that do not fit share one. */
static inline uint64_t mail_type_bit(uint16_t type)
{
	return UINT64_C(1) << (type < 63 ? type : 63);
}

/*! RDATA with holes, while it is written or finished. A zeroed object is empty. */
typedef struct {
	mail_buf_t ops; /*!< Plain octets, or with a hole a row of operations (rdata.c). */
	bool text;      /*!< The RDATA is one text, which is split into <character-string>s. */
	bool holes;     /*!< ops is a row of operations. */
	bool spelt;     /*!< Some operations need the domain as text. */
	size_t run;     /*!< While it is written: offset of the open run's length; 0: none. */
} mail_rdata_t;

/*! The domain that fills the holes. */
typedef struct {
	const knot_dname_t *name; /*!< Wire name of the domain. */
	mail_str_t
		text; /*!< The same name as text, without a dot at its end; needed if rdata->spelt. */
} mail_apex_t;

/*!
 * Append plain octets.
 *
 * \return As all functions that append: KNOT_EOK, or the sticking error KNOT_ENOMEM or KNOT_ESPACE.
 */
int mail_rdata_octets(mail_rdata_t *rdata, const void *data, size_t len);
/*! Append a number of one octet. */
int mail_rdata_u8(mail_rdata_t *rdata, uint8_t value);
/*! Append a 16-bit number in network order. */
int mail_rdata_u16(mail_rdata_t *rdata, uint16_t value);
/*! Append a 32-bit number in network order. */
int mail_rdata_u32(mail_rdata_t *rdata, uint32_t value);
/*! Append a domain name (RFC 1035 3.1), with the hole of the pattern. */
int mail_rdata_pattern(mail_rdata_t *rdata, const mail_pattern_t *pattern);
/*! Parse a name as mail_pattern_parse() does, and append it. \return Also KNOT_EINVAL with the reason. */
int mail_rdata_name(mail_rdata_t *rdata, mail_str_t text, mail_diag_t *diag);
/*!
 * Make the RDATA one text, and append to it. `{domain}` becomes a hole for the domain as text.
 *
 * \return Also KNOT_EINVAL, which sticks: the RDATA has octets that are no text.
 */
int mail_rdata_text(mail_rdata_t *rdata, mail_str_t text);
/*!
 * Append a value that fills the rest of the RDATA (CAA, URI). `{domain}` becomes a hole for the domain as text,
 * but the value is not split into <character-string>s.
 */
int mail_rdata_value(mail_rdata_t *rdata, mail_str_t value);
/*!
 * Append 32 hexadecimal digits to a text: the first half of the SHA-256 of another text, when its holes are filled.
 */
int mail_rdata_digest(mail_rdata_t *rdata, const mail_rdata_t *of);
/*!
 * Append the digest of a DS record (RFC 4034 5.1.4): the SHA-256 or SHA-384 of the domain's wire name in lower
 * case and of the given octets.
 *
 * \param bits  256 or 384. mail_rdata_fill() returns KNOT_EMALF for another number.
 */
int mail_rdata_owner_digest(mail_rdata_t *rdata, unsigned bits, const void *octets, size_t len);
/*! Free the memory of RDATA, and make it empty. */
void mail_rdata_free(mail_rdata_t *rdata);

/*!
 * Fill the holes, and split texts. The function does not allocate memory.
 *
 * \param rdata  Finished RDATA. Only ops, text and holes are read.
 * \param apex   The domain; NULL only for RDATA without holes.
 * \param out    Out: the RDATA.
 * \param cap    Octets that out has room for.
 *
 * \return The number of octets; KNOT_ESPACE (a name is longer than 255 octets, or out is too small); KNOT_EINVAL (the
 *         domain is missing); KNOT_EMALF (ops is damaged); or the error that sticks in ops.
 */
int mail_rdata_fill(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out, size_t cap);

/*!
 * Fill the holes as mail_rdata_fill() does, without the split of a text: the value as people write it.
 */
int mail_rdata_fill_text(const mail_rdata_t *rdata, const mail_apex_t *apex, uint8_t *out,
                         size_t cap);

/*!
 * Return whether RDATA have the form that libknot knows of their type: its fixed octets, and names that end within. Stored
 * octets may have another one, and would be read past their end.
 */
bool mail_rdata_fits(uint16_t type, const uint8_t *rdata, size_t len);

/*!
 * Return the greatest number of octets of a domain's wire labels with which no name in the RDATA exceeds 255
 * octets.
 */
size_t mail_rdata_apex_max(const mail_rdata_t *rdata);

/*!
 * Find where the labels of the domain stand in RDATA when its holes are filled, if the rest does not depend on the
 * domain: its holes are names that the domain ends.
 *
 * \param labels  Octets of the domain's labels, without the root.
 * \param at      Out: their places.
 * \param max     Places that there is room for.
 *
 * \return Their number; KNOT_ENOTSUP (the domain comes in another way, or more often).
 */
int mail_rdata_domain_at(const mail_rdata_t *rdata, size_t labels, uint16_t *at, size_t max);
