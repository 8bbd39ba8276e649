/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The DNSSEC records of a domain as one question sees it: RRSIG, NSEC, and the DS of a stored domain below.
 */
#pragma once

#include "dns/nsec.h"
#include "view/chain.h"
#include "mail/signer.h"

/*! Return whether a domain is signed now: some key of its key set signs, or is published and so might be trusted. */
bool mail_view_signed(const mail_view_t *view);

/*!
 * Return whether a signed domain can be signed: some key signs its records, and the private halves of all that sign
 * now are there.
 *
 * \param missing  Out: the first that is not; NULL: no key signs.
 */
bool mail_view_signable(const mail_view_t *view, const mail_signer_t *signer,
                        const mail_dnskey_t **missing);

/*! An RRset to sign. */
typedef struct {
	const knot_rrset_t *rrset; /*!< As it is answered: its TTL is that of the RRSIGs, too. */
	const knot_dname_t
		*owner; /*!< As it is in the zone: of a wildcard's answer, the wildcard. */
	uint32_t ttl;   /*!< Original TTL. */
	unsigned flags; /*!< mail_sign_flag_t. */
} mail_signing_t;

/*!
 * Make the RRSIGs of an RRset: one of each key that signs its type now (RFC 4035 2.2).
 *
 * \param rrsigs  Out: RDATA in mm.
 *
 * \return KNOT_EOK; KNOT_ENOENT (a private key is missing); KNOT_ELIMIT (over the signer's budget); KNOT_ENOMEM;
 *         KNOT_ERROR, KNOT_ESPACE.
 */
int mail_view_sign(const mail_view_t *view, mail_signer_t *signer, const mail_signing_t *signing,
                   knot_mm_t *mm, knot_rrset_t *rrsigs);

/*!
 * \brief Append the types of a node that are shown, and RRSIG and NSEC, in ascending order: what its NSEC says
 *        (RFC 4034 4.1.2).
 *
 * \param node   NULL: it has none.
 * \param count  In and out: their number.
 *
 * \return KNOT_EOK; KNOT_ESPACE: more than a bitmap of ours has room for.
 */
int mail_view_types(const mail_view_t *view, const mail_node_t *node,
                    uint16_t types[MAIL_NSEC_TYPES_MAX], size_t *count);

/*!
 * Make the NSEC RRset of a link, with the types that its owner has now. link->until may come down to when the
 * DS of a stored domain appears.
 *
 * \param ttl  Out: its Original TTL (RFC 9077); that of rrset is capped by the next change.
 */
int mail_view_nsec(mail_view_t *view, mail_link_t *link, knot_mm_t *mm, knot_rrset_t *rrset,
                   uint32_t *ttl);

/*! The DS RRset of a stored domain below. */
typedef struct {
	knot_rrset_t rrset; /*!< Its TTL is capped by the next change. */
	uint32_t ttl;       /*!< Original TTL. */
	int64_t until;      /*!< Next second at which it changes; also of one that is not there. */
} mail_ds_t;

/*!
 * Make the DS RRset of a stored domain below (RFC 4034 5): SHA-256 of the keys that want one.
 *
 * \param owner  Name of that domain; it must stay.
 * \param lf     The same in lookup format.
 *
 * \return KNOT_EOK; KNOT_ENOENT (it is not signed, or wants none); KNOT_EMALF (nobody knows: it cannot be read, or
 *         not be answered); KNOT_ENOMEM.
 */
int mail_view_child_ds(const mail_view_t *view, const knot_dname_t *owner, mail_lf_t lf,
                       knot_mm_t *mm, mail_ds_t *ds);

/*! The TTL of negative answers, NSEC too (RFC 2308 5, RFC 9077): the smaller of the SOA's and its minimum. */
uint32_t mail_view_negative_ttl(const mail_view_t *view);
